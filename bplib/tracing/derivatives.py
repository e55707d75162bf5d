"""Local derivatives as symbols to read: ∂(w·x)/∂w is ``x``, ∂ tanh z/∂z is ``1 − a²``.

The arrays that go with them are in `bplib.tracing.locals`; this module has only the words.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.rules import Operation
from bplib.tracing.figures import MINUS, number

__all__ = ["Sign", "derivative_in_symbols"]


class Sign:
    """What a formula for a local derivative is made of.

    Attributes
    ----------
    names : list of str
        What the operands are called.
    y : str
        What the result is called.
    values : list of numpy.ndarray
        The operands.
    result : numpy.ndarray
        What came out.
    settings : tuple
        What the operation was given besides its operands.
    place : int
        Which operand the derivative is with respect to, counted from 0.
    """

    __slots__ = ("names", "place", "result", "settings", "values", "y")

    def __init__(
        self, names: list[str], y: str, values: list[np.ndarray], result: np.ndarray, settings: tuple[Any, ...]
    ) -> None:
        self.names, self.y, self.values, self.result = names, y, values, result
        self.settings, self.place = settings, 0

    @property
    def a(self) -> str:
        """The first operand."""
        return self.names[0]

    @property
    def b(self) -> str:
        """The second operand."""
        return self.names[1]

    @property
    def first(self) -> bool:
        """Whether the derivative is with respect to the first operand."""
        return self.place == 0


def derivative_in_symbols(operation: Operation, sign: Sign) -> str:
    """Write a local derivative in the names of the trace.

    Parameters
    ----------
    operation : Operation
        The row of the table; one that has no formula here gives the words of the table.
    sign : Sign
        Names, values and settings.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.rules import TABLE
    >>> two = [np.array(2.0), np.array(3.0)]
    >>> derivative_in_symbols(TABLE["multiply"], Sign(["w", "x"], "z", two, np.array(6.0), ()))
    'x'
    """
    write = _SYMBOLS.get(operation.name)
    if write is not None:
        return write(sign)
    parts = operation.derivative.replace(", ", " and ").split(" and ")
    return parts[sign.place] if len(parts) == len(sign.names) else operation.derivative


def _divide(s: Sign) -> str:
    return f"1 ÷ {s.b}" if s.first else f"−{s.a} ÷ {s.b}²"


def _power(s: Sign) -> str:
    if not s.first:
        return f"{s.y} × ln({s.a})"
    exponent = s.values[1]
    if exponent.ndim or s.b != number(exponent):
        return f"{s.b} × {s.a}^({s.b} − 1)"
    n = float(exponent)
    if n in (0.0, 1.0):
        return number(n)
    lower = number(n - 1)
    return f"{number(n)} × {s.a}" + ("" if n == 2 else f"^{f'({lower})' if lower[0] == MINUS else lower}")


def _single(s: Sign) -> float | None:
    """Give the first operand if it is one number, so that a reason can be given."""
    return float(s.values[0]) if s.values[0].ndim == 0 else None


def _relu(s: Sign, left: str = "0") -> str:
    x = _single(s)
    if x is None:
        return f"1 where {s.a} > 0, else {left}"
    if x == 0:
        return f"{left}, because {s.a} = 0, and at this kink the rule takes {left}"
    return f"1, because {s.a} > 0" if x > 0 else f"{left}, because {s.a} < 0"


def _leaky_relu(s: Sign) -> str:
    return _relu(s, number(s.settings[0]))


def _absolute(s: Sign) -> str:
    if _single(s) == 0:
        return f"0, because {s.a} = 0, and at this kink the rule takes 0"
    return f"sign({s.a})"


def _clip(s: Sign) -> str:
    if _single(s) is None:
        return f"1 where {s.a} stays as it is, else 0"
    return f"1, because {s.a} stays as it is" if s.result == s.values[0] else f"0, because {s.a} is cut off"


def _one_of_two(above: str) -> Callable[[Sign], str]:
    def write(s: Sign) -> str:
        wins = (s.values[0] >= s.values[1]) if above == "larger" else (s.values[0] <= s.values[1])
        tie = bool(np.any(s.values[0] == s.values[1]))
        if s.result.ndim:
            ties = ", and a tie goes to the first" if tie else ""
            return f"1 where {s.names[s.place]} is the {above}, else 0{ties}"
        if tie:
            return "1, because a tie goes to the first" if s.first else "0, because a tie goes to the first"
        winner = s.a if wins else s.b
        return f"{int(bool(wins) == s.first)}, because {winner} is the {above}"

    return write


def _where(s: Sign) -> str:
    return f"1 where {s.names[s.place]} was taken, else 0"


def _extreme(word: str) -> Callable[[Sign], str]:
    def write(s: Sign) -> str:
        x, (axis, _) = s.values[0], s.settings
        whole = s.result if axis is None or not x.ndim or s.settings[1] else np.expand_dims(s.result, axis)
        taken = (x == whole).sum(axis=axis) > 1
        return f"1 for the {word}, 0 for the others" + (", and a tie goes to the first" if np.any(taken) else "")

    return write


def _mean(s: Sign) -> str:
    return f"1 ÷ {s.values[0].size // max(s.result.size, 1)}"


def _shared(s: Sign) -> str:
    """How a loss is averaged: over its elements, or for cross-entropy over its examples."""
    many = s.values[0].size if len(s.names) > 1 else s.values[0].size // s.values[0].shape[-1]
    return f" ÷ {many}" if s.settings[-1] == "mean" and many > 1 else ""


def _squared_error(s: Sign) -> str:
    return f"{'' if s.first else MINUS}2 × ({s.a} − {s.b}){_shared(s)}"


def _absolute_error(s: Sign) -> str:
    return f"{'' if s.first else MINUS}sign({s.a} − {s.b}){_shared(s)}"


def _cross_entropy(s: Sign) -> str:
    shared = _shared(s)
    return f"(softmax({s.a}) − target){shared}" if shared else f"softmax({s.a}) − target"


def _matmul(s: Sign) -> str:
    other = s.names[1 - s.place]
    return f"{other}ᵀ" if s.values[1 - s.place].ndim > 1 else other


def _linear(s: Sign) -> str:
    return (f"{s.names[1]}ᵀ", f"{s.a}ᵀ" if s.values[0].ndim > 1 else s.a, "1")[s.place]


def _convolution(s: Sign) -> str:
    return (f"the weights {s.names[1]}", f"what each window of {s.a} saw", "1")[s.place]


_SYMBOLS: dict[str, Callable[[Sign], str]] = {
    "add": lambda s: "1",
    "subtract": lambda s: "1" if s.first else "−1",
    "multiply": lambda s: s.b if s.first else s.a,
    "divide": _divide,
    "power": _power,
    "negative": lambda s: "−1",
    "exp": lambda s: s.y,
    "log": lambda s: f"1 ÷ {s.a}",
    "sqrt": lambda s: f"1 ÷ (2 × {s.y})",
    "sin": lambda s: f"cos({s.a})",
    "cos": lambda s: f"−sin({s.a})",
    "abs": _absolute,
    "tanh": lambda s: f"1 − {s.y}²",
    "sigmoid": lambda s: f"{s.y} × (1 − {s.y})",
    "softplus": lambda s: f"σ({s.a})",
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "clip": _clip,
    "maximum": _one_of_two("larger"),
    "minimum": _one_of_two("smaller"),
    "where": _where,
    "sum": lambda s: "1",
    "mean": _mean,
    "max": _extreme("largest"),
    "min": _extreme("smallest"),
    "logsumexp": lambda s: f"softmax({s.a})",
    "softmax": lambda s: f"{s.y}ᵢ × (δᵢⱼ − {s.y}ⱼ)",
    "log_softmax": lambda s: f"δᵢⱼ − softmax({s.a})ⱼ",
    "matmul": _matmul,
    "linear": _linear,
    "conv2d": _convolution,
    "squared_error": _squared_error,
    "absolute_error": _absolute_error,
    "softmax_cross_entropy": _cross_entropy,
}
