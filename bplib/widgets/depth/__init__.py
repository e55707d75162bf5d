"""The depth bench: its state, its picture, its words and its controls."""

from bplib.widgets.depth.view import DepthBench, depth_bench

__all__ = ["DepthBench", "depth_bench"]
