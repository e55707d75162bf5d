"""Losses for numbers: the squared error, the absolute error, and Huber's way between the two."""

from typing import Any

from bplib.checks import as_number
from bplib.engine import apply
from bplib.errors import DomainError
from bplib.functional import clip
from bplib.losses.agreement import as_matching, check_reduction, reduce
from bplib.rules import TABLE
from bplib.tensors import Tensor

__all__ = ["huber", "mae", "mse"]

_SQUARED_ERROR, _ABSOLUTE_ERROR = TABLE["squared_error"], TABLE["absolute_error"]


def mse(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Mean squared error: the loss whose best constant answer is the mean.

    L = (1/n) Σ (yᵢ − ŷᵢ)²,   ∂L/∂ŷᵢ = (2/n)(ŷᵢ − yᵢ)

    Parameters
    ----------
    prediction : Tensor or array_like of real numbers, any shape
        The predictions ŷ.
    target : Tensor or array_like, same shape
        The ground truth y.
    reduction : {"mean", "sum", "none"}
        Average over all n elements, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" an array of the prediction's shape. In the
        square of the target's unit.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers.
    DomainError
        If `reduction` is another word.

    References
    ----------
    C. M. Bishop (1995), *Neural Networks for Pattern Recognition*, Oxford, section 6.1.
    Bishop writes E = ½ Σ; that is ``0.5 * mse(..., reduction="sum")``.

    Examples
    --------
    >>> mse([1.0, 2.0], [1.0, 4.0])
    tensor(2.)
    """
    check_reduction("mse", reduction)
    prediction, target = as_matching("mse", prediction, target)
    return apply(_SQUARED_ERROR, prediction, target, settings=(reduction,))


def mae(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Mean absolute error: the loss whose best constant answer is the median.

    L = (1/n) Σ |yᵢ − ŷᵢ|,   ∂L/∂ŷᵢ = (1/n) sign(ŷᵢ − yᵢ), and 0 where ŷᵢ = yᵢ

    Parameters
    ----------
    prediction : Tensor or array_like of real numbers, any shape
        The predictions ŷ.
    target : Tensor or array_like, same shape
        The ground truth y.
    reduction : {"mean", "sum", "none"}
        Average over all n elements, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" an array of the prediction's shape. In the
        target's unit.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers.
    DomainError
        If `reduction` is another word.

    References
    ----------
    P. J. Huber (1964), Ann. Math. Statist. 35(1), 73-101, on mean and median as minimisers.

    Examples
    --------
    >>> mae([1.0, 2.0], [1.0, 4.0])
    tensor(1.)
    """
    check_reduction("mae", reduction)
    prediction, target = as_matching("mae", prediction, target)
    return apply(_ABSOLUTE_ERROR, prediction, target, settings=(reduction,))


def huber(prediction: Any, target: Any, *, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """Huber's loss: squared near the target, absolute far away, so that outliers pull with a bounded force.

    With e = ŷ − y:  L = ½ e² where |e| ≤ δ, else δ (|e| − ½ δ);   ∂L/∂ŷ = e clipped to [−δ, δ]

    Its best constant answer lies between the median (δ → 0) and the mean (δ → ∞). The loss and
    its slope are continuous at |e| = δ.

    Parameters
    ----------
    prediction : Tensor or array_like of real numbers, any shape
        The predictions ŷ.
    target : Tensor or array_like, same shape
        The ground truth y.
    delta : float > 0
        δ, where the square turns into a line; in the target's unit.
    reduction : {"mean", "sum", "none"}
        Average over all n elements, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" an array of the prediction's shape. In the
        square of the target's unit.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers, or `delta` is no number.
    DomainError
        If `delta` is not above 0, or `reduction` is another word.

    Notes
    -----
    The ½ is Huber's, and PyTorch's `HuberLoss` has it as well; half of `mse` for small errors.

    References
    ----------
    P. J. Huber (1964), Ann. Math. Statist. 35(1), 73-101.

    Examples
    --------
    >>> huber([1.5, 4.0], [1.0, 1.0], reduction="none")
    tensor([0.125, 2.5  ])
    """
    delta = as_number(delta, "delta", "huber", least=0.0)
    if delta == 0:
        raise DomainError("huber: delta is 0. Expected a number above 0. Try mae, which huber/delta becomes near 0.")
    check_reduction("huber", reduction)
    prediction, target = as_matching("huber", prediction, target)
    error = prediction - target
    # One formula for both branches: with c = e the product is ½ e², with c = ±δ it is δ|e| − ½ δ².
    near = clip(error, -delta, delta)
    return reduce(near * (error - 0.5 * near), reduction)
