"""The live parts, a package each: pure state machines, their pictures, their words, their controls."""

from bplib.widgets.kit import Twin, TwinBox
from bplib.widgets.stage import Stage
from bplib.widgets.view import View

__all__ = ["Stage", "Twin", "TwinBox", "View"]
