"""Functions of tensors: NumPy's names, and the few that neural networks add.

Each takes a tensor, an array or a number and gives a tensor through which gradients flow.
The local derivative stands in the table of operations, `bplib.rules`.
"""

from typing import Any

import numpy as np

from bplib.engine import apply
from bplib.errors import DomainError, ShapeError
from bplib.rules import TABLE
from bplib.tensors import Tensor, as_tensor

__all__ = ["abs", "exp", "linear", "log", "log_softmax", "relu", "sigmoid", "softmax", "sqrt", "tanh"]


def exp(x: Any) -> Tensor:
    """Give eˣ, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        Above about 709 the result is infinite in float64.

    Returns
    -------
    Tensor
        Of the shape of `x`, every element > 0. Its derivative is itself.

    Examples
    --------
    >>> exp([0.0, 1.0])
    tensor([1.      , 2.718282])
    """
    return apply(TABLE["exp"], as_tensor(x))


def log(x: Any) -> Tensor:
    """Give the natural logarithm ln x, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        Meant for x > 0; the result is −inf at 0 and NaN below.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: 1/x.

    Examples
    --------
    >>> log([1.0, 10.0])
    tensor([0.      , 2.302585])
    """
    return apply(TABLE["log"], as_tensor(x))


def sqrt(x: Any) -> Tensor:
    """Give the square root √x, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        Meant for x ≥ 0; the result is NaN below.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: 1/(2√x), infinite at 0.

    Examples
    --------
    >>> sqrt([4.0, 9.0])
    tensor([2., 3.])
    """
    return apply(TABLE["sqrt"], as_tensor(x))


def abs(x: Any) -> Tensor:
    """Give |x|, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: the sign of x, and 0 at the kink x = 0.

    Examples
    --------
    >>> abs([-2.0, 3.0])
    tensor([2., 3.])
    """
    return apply(TABLE["abs"], as_tensor(x))


def tanh(x: Any) -> Tensor:
    """Give the hyperbolic tangent, element by element.

    tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`, between −1 and 1. Derivative: 1 − tanh² x.

    Examples
    --------
    >>> tanh([0.0, 1.0])
    tensor([0.      , 0.761594])
    """
    return apply(TABLE["tanh"], as_tensor(x))


def sigmoid(x: Any) -> Tensor:
    """Give the logistic function σ, element by element, without overflow on either side.

    σ(x) = 1 / (1 + e⁻ˣ)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`, between 0 and 1. Derivative: σ · (1 − σ), at most ¼.

    Examples
    --------
    >>> sigmoid([0.0, 1.5])
    tensor([0.5     , 0.817574])
    """
    return apply(TABLE["sigmoid"], as_tensor(x))


def relu(x: Any) -> Tensor:
    """Give max(0, x), element by element: the rectified linear unit.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`, every element ≥ 0. Derivative: 1 for x > 0, else 0, also at 0.

    References
    ----------
    V. Nair and G. E. Hinton (2010), ICML, 807-814.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    tensor([0., 2.])
    """
    return apply(TABLE["relu"], as_tensor(x))


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


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """Give x @ weight + bias as one operation: what a layer of neurons computes.

    Parameters
    ----------
    x : Tensor or array_like, shape (..., in)
        The inputs, one example a row.
    weight : Tensor or array_like, shape (in, out)
        The weights; column j belongs to neuron j.
    bias : Tensor or array_like, shape (out,), optional
        The biases.

    Returns
    -------
    Tensor, shape (..., out)
        With ∂L/∂weight = xᵀ @ g, ∂L/∂bias = Σ g, ∂L/∂x = g @ weightᵀ.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5])
    tensor([[11.5]])
    """
    x, weight = as_tensor(x), as_tensor(weight)
    if weight.array.ndim != 2 or not x.array.ndim:
        raise ShapeError(
            f"linear: x has shape {x.shape}, weight has shape {weight.shape}. "
            "Expected x (..., in) and weight (in, out)."
        )
    if bias is None:
        return apply(TABLE["linear"], x, weight)
    bias = as_tensor(bias)
    if bias.array.shape != weight.array.shape[1:]:
        raise ShapeError(
            f"linear: weight has shape {weight.shape}, bias has shape {bias.shape}. "
            f"Expected one bias for each of the {weight.shape[1]} columns, shape {weight.shape[1:]}."
        )
    return apply(TABLE["linear"], x, weight, bias)


def _along(name: str, x: Any, axis: int) -> Tensor:
    x = as_tensor(x)
    if not x.ndim:
        raise ShapeError(f"{name}: x is a single number. Expected at least one axis of scores, for example [x, 0.0].")
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or not -x.ndim <= axis < x.ndim:
        raise DomainError(
            f"{name}: x has shape {x.shape} and no axis {axis!r}. Expected an axis from 0 to {x.ndim - 1}."
        )
    return apply(TABLE[name], x, settings=(axis,))
