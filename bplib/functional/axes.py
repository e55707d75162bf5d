"""Functions along an axis: the softmax and its relatives."""

from typing import Any

from bplib.engine import apply
from bplib.errors import DomainError, ShapeError
from bplib.functional.arguments import as_axis
from bplib.rules import TABLE
from bplib.tensors import Tensor, as_tensor

__all__ = ["log_softmax", "logsumexp", "softmax"]


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Turn scores into probabilities along `axis`.

    softmax(x)ᵢ = e^(xᵢ) / Σⱼ e^(xⱼ)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, at least one axis
        The scores (logits), of any size: the largest is subtracted first.
    axis : int
        The axis of the classes.

    Returns
    -------
    Tensor
        Of the shape of `x`; non-negative, and 1 in sum along `axis`.

    Raises
    ------
    ShapeError
        If `x` is a single number.
    DomainError
        If `x` has no such axis.

    References
    ----------
    J. S. Bridle (1990), in *Neurocomputing*, Springer NATO ASI F68, 227-236.

    Examples
    --------
    >>> softmax([1000.0, 1000.0])
    tensor([0.5, 0.5])
    """
    return _along("softmax", x, axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Give the logarithms of the softmax probabilities, finite where a probability rounds to 0.

    ln softmax(x)ᵢ = xᵢ − ln Σⱼ e^(xⱼ)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, at least one axis
        The scores (logits).
    axis : int
        The axis of the classes.

    Returns
    -------
    Tensor
        Of the shape of `x`, every element ≤ 0.

    Raises
    ------
    ShapeError
        If `x` is a single number.
    DomainError
        If `x` has no such axis.

    References
    ----------
    P. Blanchard, D. J. Higham and N. J. Higham (2021), IMA J. Numer. Anal. 41, 2311-2330.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    tensor([    0., -1000.])
    """
    return _along("log_softmax", x, axis)


def logsumexp(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """Give the logarithm of a sum of exponentials: a maximum with soft corners.

    ln Σᵢ e^(xᵢ) = M + ln(1 + Σ' e^(xᵢ − M)), M the largest and Σ' over the others

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers; −inf counts as an e^x of 0.
    axis : int, tuple of int, or None
        What to sum over; None for everything.
    keepdims : bool
        Whether the axes stay, with length 1.

    Returns
    -------
    Tensor
        Of the shape of `x` without those axes; not less than the largest element. −inf where all
        elements are −inf. Derivative: the softmax of `x`.

    Raises
    ------
    ShapeError
        If there is nothing to sum over.
    DomainError
        If `x` has no such axis.

    References
    ----------
    P. Blanchard, D. J. Higham and N. J. Higham (2021), IMA J. Numer. Anal. 41, 2311-2330.

    Examples
    --------
    >>> logsumexp([1000.0, 1000.0])
    tensor(1000.693147)
    """
    x = as_tensor(x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    whole = [as_axis(one, x.shape, "x", "logsumexp") for one in axes]
    if len({one % x.ndim for one in whole}) < len(whole):
        raise DomainError(f"logsumexp: axis is {axis}, which names an axis twice. Expected each once.")
    if 0 in [x.shape[one] for one in whole]:
        raise ShapeError(
            f"logsumexp: x has shape {x.shape} and no elements to add up. Expected at least one. "
            "Check how they were selected."
        )
    return apply(TABLE["logsumexp"], x, settings=(None if axis is None else tuple(whole), bool(keepdims)))


def _along(name: str, x: Any, axis: int) -> Tensor:
    x = as_tensor(x)
    if not x.ndim:
        raise ShapeError(f"{name}: x is a single number. Expected at least one axis of scores, for example [x, 0.0].")
    return apply(TABLE[name], x, settings=(as_axis(axis, x.shape, "x", name),))
