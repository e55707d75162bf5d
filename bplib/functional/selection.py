"""Functions that take one of two numbers, element by element, with broadcasting."""

from typing import Any

import numpy as np

from bplib.checks import as_array
from bplib.engine import apply
from bplib.errors import DataError, ShapeError
from bplib.nodes import Node
from bplib.protocols import plain, stands_for
from bplib.rules import TABLE
from bplib.tensors import Tensor, as_tensor

__all__ = ["maximum", "minimum", "where"]

_MAXIMUM, _MINIMUM, _WHERE = TABLE["maximum"], TABLE["minimum"], TABLE["where"]


def maximum(a: Any, b: Any) -> Tensor:
    """Give the larger of two numbers, element by element.

    max(a, b), with ∂/∂a = 1 and ∂/∂b = 0 where a ≥ b, else the other way round

    Parameters
    ----------
    a, b : Tensor or array_like of real numbers, shapes that broadcast
        The numbers. Where one is NaN, the result is NaN.

    Returns
    -------
    Tensor
        Of the common shape. At a tie the gradient goes to `a`.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, chapter 14.

    Examples
    --------
    >>> maximum([1.0, 5.0], 3.0)
    tensor([3., 5.])
    """
    return apply(_MAXIMUM, *_both(a, b))


def minimum(a: Any, b: Any) -> Tensor:
    """Give the smaller of two numbers, element by element.

    min(a, b), with ∂/∂a = 1 and ∂/∂b = 0 where a ≤ b, else the other way round

    Parameters
    ----------
    a, b : Tensor or array_like of real numbers, shapes that broadcast
        The numbers. Where one is NaN, the result is NaN.

    Returns
    -------
    Tensor
        Of the common shape. At a tie the gradient goes to `a`.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, chapter 14.

    Examples
    --------
    >>> minimum([1.0, 5.0], 3.0)
    tensor([1., 3.])
    """
    return apply(_MINIMUM, *_both(a, b))


@stands_for(np.where)
def where(condition: Any, a: Any, b: Any) -> Tensor:
    """Give `a` where a condition holds, else `b`, element by element.

    Parameters
    ----------
    condition : array_like of bool
        What decides, for example ``x > 0``; copied. No gradient flows through it.
    a, b : Tensor or array_like of real numbers, shapes that broadcast with it
        What to take.

    Returns
    -------
    Tensor
        Of the common shape. The gradient goes to the side that was taken, 0 to the other. That other side
        is computed all the same: where its own derivative is infinite, 0 · ∞ is NaN further back. Choose
        its input with `where` as well.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DataError
        If `condition` does not hold truth values.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, chapter 14.

    Examples
    --------
    >>> where([True, False], [1.0, 2.0], 0.0)
    tensor([1., 0.])
    """
    truths = _as_truths(condition)
    a, b = _both(a, b)
    try:
        np.broadcast_shapes(truths.shape, a.shape, b.shape)
    except ValueError:
        raise ShapeError(
            f"where: condition has shape {truths.shape}, a has shape {a.shape}, b has shape {b.shape}. Expected equal "
            "lengths on every axis, counted from the right, or a 1. Try .reshape, or index with None to add an axis."
        ) from None
    return apply(_WHERE, a, b, settings=(truths,))


def _both(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Give two tensors; a Python number takes the dtype of the other side."""
    like = a if isinstance(a, Node) else b if isinstance(b, Node) else None
    return as_tensor(a, like), as_tensor(b, like)


def _as_truths(condition: Any) -> np.ndarray:
    truths = np.array(as_array(plain(condition), "condition", "where"))
    if truths.dtype != bool:
        raise DataError(
            f"where: condition holds {truths.dtype}. Expected truth values. Try a comparison, for example x > 0."
        )
    return truths
