"""The surface explorer: its state, its picture, its words and its controls."""

from bplib.widgets.explorer.view import SurfaceExplorer, surface_explorer

__all__ = ["SurfaceExplorer", "surface_explorer"]
