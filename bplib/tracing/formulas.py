"""What an operation computes, as a formula to read: ``w × x``, ``sum of z1 over axis 1``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.rules import FAMILIES, Operation
from bplib.tracing.figures import MINUS, array_in_words, axes_in_words, figures, is_short, number

__all__ = ["formula_of", "settings_in_words", "template_of"]

Settings = tuple[Any, ...]

_INFIX = {row.name for row in FAMILIES["Arithmetic"]} - {"negative", "power"}


def settings_in_words(operation: Operation, settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    """Say with which settings an operation was applied.

    Parameters
    ----------
    operation : Operation
        The row of the table.
    settings : tuple
        What it was given besides its operands.
    operand, result : numpy.ndarray
        Its first operand, and what came out.

    Returns
    -------
    str
        Empty if there are none.

    Examples
    --------
    >>> from bplib.rules import TABLE
    >>> settings_in_words(TABLE["sum"], (1, False), np.ones((2, 3)), np.ones(2))
    'over axis 1'
    """
    if not settings:
        return ""
    say = _SETTINGS.get(operation.name, _any)
    return say(settings, operand, result)


def template_of(operation: Operation, count: int, settings: Settings, words: str, operand: np.ndarray) -> str:
    """Give the formula of an operation with a gap ``{0}``, ``{1}``, … for each operand.

    Parameters
    ----------
    operation : Operation
        The row of the table.
    count : int
        The number of its operands.
    settings : tuple
        What it was given besides.
    words : str
        The settings in words.
    operand : numpy.ndarray
        Its first operand: a row has only one axis to go along, and one number needs no mean.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.rules import TABLE
    >>> template_of(TABLE["multiply"], 2, (), "", np.array(2.0))
    '{0} × {1}'
    """
    name = operation.name
    if name in _INFIX:
        return f"{{0}} {operation.symbol} {{1}}"
    if name in _SETTINGS and _SETTINGS[name] is _reduction:
        loss = _cross_entropy(settings[0]) if len(settings) > 1 else _LOSSES[name]
        single = operand.size == 1 or (len(settings) > 1 and operand.ndim == 1)
        return loss if single else _REDUCTIONS[settings[-1]] + loss
    form = _FORMS.get(name)
    if form is None:
        gaps = ", ".join(f"{{{i}}}" for i in range(count))
        form = f"{operation.symbol}({gaps})"
    elif callable(form):
        form = form(count)
    silent = not words or words == _ALL or name in _SAID_ALREADY or (name in _ALONG and operand.ndim < 2)
    glue = {"getitem": "", "conv2d": ", ", "clip": ", "}.get(name, " ")
    return form if silent else form + glue + words.replace("{", "{{").replace("}", "}}")


def formula_of(template: str, operands: list[str], operation: str) -> str:
    """Fill the gaps; a negative number behind a sign of arithmetic, or below a power, stands in brackets.

    Examples
    --------
    >>> formula_of("{0} × {1}", ["2", "−3"], "multiply")
    '2 × (−3)'
    """
    first = 1 if operation in _INFIX else _BRACKETS_FROM.get(operation, len(operands))
    return template.format(*(f"({x})" if x[:1] == MINUS and i >= first else x for i, x in enumerate(operands)))


def _any(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    return f"with {', '.join(map(_short, settings))}"


def _over(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    axis, keepdims = settings
    kept = ", kept with length 1" if keepdims else ""
    if axis is None or not operand.ndim:
        return _ALL + kept
    axes = [int(i) % operand.ndim for i in (axis if isinstance(axis, tuple) else (axis,))]
    return f"over {axes_in_words(axes)}{kept}" if axes else f"over no axis{kept}"


def _along(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    return f"along axis {int(settings[0]) % max(operand.ndim, 1)}"


def _along_new(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    return f"along a new axis {int(settings[0]) % result.ndim}"


def _to_shape(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    return f"in shape {result.shape}"


def _axes_in_order(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    axes = settings[0]
    return "axes reversed" if axes is None else f"axes in the order {tuple(int(i) % operand.ndim for i in axes)}"


def _index(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    index = settings[0]
    return f"[{', '.join(map(_short, index)) if isinstance(index, tuple) else _short(index)}]"


def _slope(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    return f"with slope {number(settings[0])} below 0"


def _limits(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    low, high = settings
    at_least = "" if low is None else f"at least {number(low)}"
    at_most = "" if high is None else f"at most {number(high)}"
    return " and ".join(part for part in (at_least, at_most) if part)


def _condition(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    return f"condition {_short(settings[0])}"


def _reduction(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    target = f"target {_short(settings[0])}, " if len(settings) > 1 else ""
    ends = {"mean": "averaged", "sum": "added up", "none": "one number for each"}
    return target + ends[settings[-1]]


def _convolution(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    (down, across), padding = settings
    stride = f"stride {down} down and {across} across"
    return f"{stride}, {padding[0]} and {padding[1]} zeros around" if any(padding) else stride


def _pooling(settings: Settings, operand: np.ndarray, result: np.ndarray) -> str:
    (height, width), (down, across) = settings
    return f"in windows of {height} by {width}, stride {down} down and {across} across"


def _short(value: Any) -> str:
    if isinstance(value, slice):
        ends = [value.start, value.stop] + ([] if value.step is None else [value.step])
        return ":".join("" if end is None else str(end) for end in ends)
    if isinstance(value, np.ndarray) and value.dtype != bool:
        return array_in_words(value)
    if value is Ellipsis:
        return "..."
    text = str(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 40 else f"{text[:36]} …"


def _cross_entropy(target: np.ndarray) -> str:
    if target.dtype.kind == "f":
        return "−Σ target · ln softmax({0})"
    which = f"class {figures(target)}" if is_short(target) else "class of each example"
    return f"−ln softmax({{0}}) at the true {which}"


def _linear(count: int) -> str:
    return "{0} @ {1} + {2}" if count > 2 else "{0} @ {1}"


def _convolved(count: int) -> str:
    return "conv({0}, {1}) + {2}" if count > 2 else "conv({0}, {1})"


def _joined(how: str) -> Callable[[int], str]:
    def form(count: int) -> str:
        gaps = [f"{{{i}}}" for i in range(count)]
        return f"{how}({', '.join(gaps)})"

    return form


_ALL = "over all elements"
_SAID_ALREADY = {"transpose", "where"}
_ALONG = {"softmax", "log_softmax"}
_BRACKETS_FROM = {"power": 0, "negative": 0, "squared_error": 1, "absolute_error": 1}
_REDUCTIONS = {"mean": "mean of ", "sum": "sum of ", "none": ""}
_LOSSES = {
    "squared_error": "({0} − {1})²",
    "absolute_error": "|{0} − {1}|",
}
_FORMS: dict[str, str | Callable[[int], str]] = {
    "power": "{0}^{1}",
    "negative": "−{0}",
    "abs": "|{0}|",
    "where": "{0} where the condition holds, else {1}",
    "sum": "sum of {0}",
    "mean": "mean of {0}",
    "max": "largest of {0}",
    "min": "smallest of {0}",
    "reshape": "{0}",
    "transpose": "{0}ᵀ",
    "getitem": "{0}",
    "concatenate": _joined("concatenate"),
    "stack": _joined("stack"),
    "matmul": "{0} @ {1}",
    "linear": _linear,
    "conv2d": _convolved,
}
_SETTINGS: dict[str, Callable[[Settings, np.ndarray, np.ndarray], str]] = {
    **dict.fromkeys(("sum", "mean", "max", "min", "logsumexp"), _over),
    **dict.fromkeys(("softmax", "log_softmax", "concatenate"), _along),
    **dict.fromkeys((*_LOSSES, "softmax_cross_entropy"), _reduction),
    "stack": _along_new,
    "reshape": _to_shape,
    "transpose": _axes_in_order,
    "getitem": _index,
    "leaky_relu": _slope,
    "clip": _limits,
    "where": _condition,
    "conv2d": _convolution,
    "max_pool2d": _pooling,
}
