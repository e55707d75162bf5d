"""The layer bench: its state, its picture, its words and its controls."""

from bplib.widgets.layer.view import LayerBench, layer_bench

__all__ = ["LayerBench", "layer_bench"]
