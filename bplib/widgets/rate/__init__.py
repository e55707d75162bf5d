"""The rate lab: its state, its picture, its words and its controls."""

from bplib.widgets.rate.view import RateLab, rate_lab

__all__ = ["RateLab", "rate_lab"]
