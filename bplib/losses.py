"""Losses: how far the prediction is from the target, in one number.

Every loss takes ``(prediction, target, *, reduction="mean")`` and refuses shapes that differ:
NumPy would broadcast (n, 1) against (n,) to (n, n) and give a wrong number without a word.
Regression losses average over all elements, cross-entropy over the examples. There is no ½.
"""

from typing import Any

import numpy as np

from bplib.checks import as_array
from bplib.engine import apply
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.rules import TABLE, Operation
from bplib.tensors import Tensor, as_tensor

__all__ = ["cross_entropy", "mae", "mse"]

_SQUARED_ERROR, _ABSOLUTE_ERROR = TABLE["squared_error"], TABLE["absolute_error"]
_SOFTMAX_CROSS_ENTROPY = TABLE["softmax_cross_entropy"]


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
    return _regression("mse", _SQUARED_ERROR, prediction, target, reduction)


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
    return _regression("mae", _ABSOLUTE_ERROR, prediction, target, reduction)


def cross_entropy(logits: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Cross-entropy of softmax probabilities: the surprise at the true class, in nats.

    H = −(1/n) Σᵢ Σⱼ yᵢⱼ ln pᵢⱼ with p = softmax(logits),   ∂H/∂logits = (p − y)/n

    Parameters
    ----------
    logits : Tensor or array_like of real numbers, shape (n, classes) or (classes,)
        The scores before any softmax; ±10,000 is no problem.
    target : array_like of int, shape (n,) or (), or probabilities of the shape of `logits`
        The true class of each example, from 0 to classes − 1; or one probability a class.
    reduction : {"mean", "sum", "none"}
        Average over the n examples, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" one for each example. ln(classes) for a network
        that knows nothing.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DataError
        If class indices are no whole numbers.
    DomainError
        If a class index lies outside the classes, or `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    References
    ----------
    C. M. Bishop (1995), *Neural Networks for Pattern Recognition*, Oxford, section 6.9.

    Examples
    --------
    >>> cross_entropy([[0.0, 0.0], [1000.0, 0.0]], [0, 0])
    tensor(0.346574)
    """
    logits = as_tensor(logits)
    if getattr(target, "requires_grad", False):
        raise GraphError("cross_entropy: the target asks for a gradient. Expected fixed numbers. Try target.detach().")
    classes = _target_of(logits, target)
    _check_reduction("cross_entropy", reduction)
    return apply(_SOFTMAX_CROSS_ENTROPY, logits, settings=(classes, reduction))


def _regression(name: str, row: Operation, prediction: Any, target: Any, reduction: str) -> Tensor:
    prediction = as_tensor(prediction)
    target = as_tensor(target, prediction)
    expected, got = prediction.array.shape, target.array.shape
    if expected != got:
        raise ShapeError(_mismatch(name, expected, got))
    if 0 in expected:
        raise ShapeError(f"{name}: prediction and target are empty, shape {expected}. Expected at least one element.")
    _check_reduction(name, reduction)
    return apply(row, prediction, target, settings=(reduction,))


def _mismatch(name: str, prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    try:
        spread = np.broadcast_shapes(prediction, target)
    except ValueError:
        consequence = "They cannot be compared element by element."
    else:
        consequence = f"NumPy would broadcast these to {spread} without a word."
    if np.prod(prediction) == np.prod(target):
        longer = "target" if len(prediction) > len(target) else "prediction"
        new_axis = abs(len(prediction) - len(target)) == 1 and 1 in (prediction[-1:] + target[-1:])
        advice = f"Reshape one of them, for example {longer}[:, None]." if new_axis else "Reshape one of them."
    else:
        advice = "They hold different numbers of elements: check that both belong to the same examples."
    return f"{name}: prediction has shape {prediction}, target has shape {target}. {consequence} {advice}"


def _check_reduction(name: str, reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise DomainError(f'{name}: reduction is {reduction!r}. Expected "mean", "sum" or "none".')


def _target_of(logits: Tensor, target: Any) -> np.ndarray:
    shape = logits.array.shape
    if not shape or not logits.array.size:
        raise ShapeError(
            f"cross_entropy: logits have shape {shape}. Expected (examples, classes), at least one of each."
        )
    plain = target.array if isinstance(target, Tensor) else as_array(target, "target", "cross_entropy")
    if plain.shape == shape:
        return _probabilities(plain).astype(logits.dtype, copy=False)
    if plain.shape != shape[:-1]:
        hint = " Try target.ravel()." if plain.size == np.prod(shape[:-1], dtype=int) else ""
        raise ShapeError(
            f"cross_entropy: logits have shape {shape}, target has shape {plain.shape}. "
            f"Expected class indices of shape {shape[:-1]}, or probabilities of shape {shape}.{hint}"
        )
    if plain.dtype.kind not in "iu":
        raise DataError(
            f"cross_entropy: target holds {plain.dtype} where class indices are expected. "
            f"Expected whole numbers from 0 to {shape[-1] - 1}. Try target.astype(int)."
        )
    low, high = np.minimum.reduce(plain, axis=None), np.maximum.reduce(plain, axis=None)
    if low < 0 or high >= shape[-1]:
        raise DomainError(
            f"cross_entropy: target holds class {low if low < 0 else high}, logits have {shape[-1]} classes. "
            f"Expected indices from 0 to {shape[-1] - 1}. Check the number of outputs, or whether counting starts at 1."
        )
    return plain


def _probabilities(target: np.ndarray) -> np.ndarray:
    total = target.sum(axis=-1)
    if not ((target >= 0).all() and np.allclose(total, 1.0, atol=1e-6)):
        raise DomainError(
            f"cross_entropy: target has the shape of the logits, {target.shape}, and so holds probabilities; but its "
            f"smallest number is {target.min():g} and its rows add up to {total.min():g} … {total.max():g}. Expected "
            "numbers from 0 that add up to 1. For class indices, pass one whole number for each row of logits."
        )
    return target
