"""The neuron bench: its state, its picture, its words and its controls."""

from bplib.widgets.neuron.view import NeuronBench, neuron_bench

__all__ = ["NeuronBench", "neuron_bench"]
