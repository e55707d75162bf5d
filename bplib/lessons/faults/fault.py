"""One mistake: a deliberately broken variant of the right computation, and the sentence that names it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["Fault"]


@final
@dataclass(frozen=True)
class Fault:
    """One mistake.

    Parameters
    ----------
    name : str
        Unique within its exercise.
    make : callable
        The broken variant: for a number it returns the wrong number, for a function it *is* the
        wrong function, for a choice it returns the wrong choice.
    sentence : str
        What the learner reads: which mistake it is and what to think about.
    code : str
        The misconception, M1 to M20; empty for a slip. Never shown.
    """

    name: str
    make: Callable[..., Any]
    sentence: str
    code: str = field(default="")
