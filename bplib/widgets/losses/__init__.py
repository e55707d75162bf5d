"""The loss comparer: its state, its picture, its words and its controls."""

from bplib.widgets.losses.view import LossComparer, loss_comparer

__all__ = ["LossComparer", "loss_comparer"]
