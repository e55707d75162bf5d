"""The graph stepper: its state, its picture, its words and its controls."""

from bplib.widgets.graph.view import GraphStepper, graph_stepper

__all__ = ["GraphStepper", "graph_stepper"]
