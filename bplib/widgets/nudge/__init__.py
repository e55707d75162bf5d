"""The nudge lab: its state, its picture, its words and its controls."""

from bplib.widgets.nudge.view import NudgeLab, nudge_lab

__all__ = ["NudgeLab", "nudge_lab"]
