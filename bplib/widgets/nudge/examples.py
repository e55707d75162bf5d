"""The functions of the nudge lab, each with the point at which it is nudged first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

__all__ = ["EXAMPLES", "Example"]


@final
@dataclass(frozen=True)
class Example:
    """A function of one to three numbers, written so that arrays and tensors may be put in.

    Attributes
    ----------
    formula : str
        The right side of z = ...
    inputs : tuple of str
        Names of the inputs, in order.
    at : tuple of float
        Where they are at first.
    f : callable
        Takes the inputs, arrays or tensors, and computes element by element.
    kink : float or None
        Where the slope jumps, if anywhere.
    place : str
        What sets this point apart, for the name of the preset.
    """

    formula: str
    inputs: tuple[str, ...]
    at: tuple[float, ...]
    f: Callable[..., Any]
    kink: float | None = None
    place: str = ""


def _square(x: Any) -> Any:
    return x * x


def _logistic(x: Any) -> Any:
    """4x(1 − x) put into itself three times, written out as by Baydin et al. (2018), figure 3."""
    # Products, not powers: the last digit of a power differs from machine to machine, and here it is looked at.
    return 64 * x * (1 - x) * _square(1 - 2 * x) * _square(1 - 8 * x + 8 * x * x)


EXAMPLES: dict[str, Example] = {
    "product": Example("(x + y)·w", ("x", "y", "w"), (1.0, 3.0, -2.0), lambda x, y, w: (x + y) * w),
    "square": Example("x²", ("x",), (1.0,), _square),
    "sin": Example("sin x", ("x",), (1.0,), np.sin),
    "polynomial": Example("64x(1−x)(1−2x)²(1−8x+8x²)²", ("x",), (0.2,), _logistic),
    "kink": Example("|x|", ("x",), (0.0,), abs, kink=0.0, place="at 0"),
    "near kink": Example("|x|", ("x",), (-0.01,), abs, kink=0.0, place="near 0"),
}
"""Name -> function and first point."""
