"""The momentum plane: its state, its picture, its words and its controls."""

from bplib.widgets.momentum.view import MomentumPlane, momentum_plane

__all__ = ["MomentumPlane", "momentum_plane"]
