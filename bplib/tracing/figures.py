"""Numbers and arrays as a learner reads them aloud: few digits, a true minus sign, no long tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "MINUS",
    "array_in_words",
    "axes_in_words",
    "figures",
    "is_short",
    "number",
    "one_number",
    "ordinal",
    "partial",
]

MINUS = "−"
_LONGEST = 6  # elements of an array that is still written out
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def number(value: Any, digits: int = 6) -> str:
    """Write one number.

    Examples
    --------
    >>> number(-0.5), number(-0.0), number(1 / 3), number(float("inf"))
    ('−0.5', '0', '0.333333', '∞')
    """
    text = f"{float(value) + 0.0:.{digits}g}"
    return text.replace("-", MINUS).replace("inf", "∞").replace("nan", "NaN")


def is_short(array: np.ndarray) -> bool:
    """Say whether an array is small enough to be written out."""
    return 0 < array.size <= _LONGEST


def figures(array: np.ndarray) -> str:
    """Write an array out with all its numbers.

    Examples
    --------
    >>> figures(np.array(2.0)), figures(np.array([[1.0, -2.0]]))
    ('2', '[[1, −2]]')
    """
    return number(array.item()) if array.ndim == 0 else _nested(array.tolist())


def one_number(array: np.ndarray) -> str:
    """Write an array whose elements are all the same as that one number, any other as `figures` does."""
    first = array.flat[0]
    return number(first) if array.size > 1 and (array == first).all() else figures(array)


def array_in_words(array: np.ndarray) -> str:
    """Write a small array out, and give the shape of a large one.

    Examples
    --------
    >>> array_in_words(np.zeros((4, 3)))
    'an array of shape (4, 3)'
    """
    return figures(array) if is_short(array) else f"an array of shape {array.shape}"


def axes_in_words(axes: Sequence[int]) -> str:
    """Name one axis or several.

    Examples
    --------
    >>> axes_in_words([1]), axes_in_words([0, 1, 2])
    ('axis 1', 'axes 0, 1 and 2')
    """
    *most, last = [str(axis) for axis in axes]
    return f"axes {', '.join(most)} and {last}" if most else f"axis {last}"


def ordinal(count: int) -> str:
    """Write a place in a row.

    Examples
    --------
    >>> ordinal(2), ordinal(12)
    ('second', '12th')
    """
    return _ORDINALS[count - 1] if count <= len(_ORDINALS) else f"{count}th"


def partial(above: str, below: str) -> str:
    """Write a derivative; a name that holds a sign of arithmetic or a dot stands in brackets.

    Examples
    --------
    >>> partial("z", "w"), partial("z", "ω₁·x₁")
    ('∂z/∂w', '∂z/∂(ω₁·x₁)')
    """
    return f"∂{_bracketed(above)}/∂{_bracketed(below)}"


def _bracketed(name: str) -> str:
    return f"({name})" if any(sign in name for sign in " .,·×*+-−/÷@^") else name


def _nested(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_nested, values))}]"
    return number(values, 4)
