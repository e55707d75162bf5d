"""The live parts: pure state machines, their pictures, their controls."""

from bplib.widgets.kit import Twin, TwinBox
from bplib.widgets.rate_view import RateLab
from bplib.widgets.stage import Stage

__all__ = ["RateLab", "Stage", "Twin", "TwinBox"]
