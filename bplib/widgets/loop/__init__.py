"""The loop stepper: its state, its picture, its words and its controls."""

from bplib.widgets.loop.view import LoopStepper, loop_stepper

__all__ = ["LoopStepper", "loop_stepper"]
