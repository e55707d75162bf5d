"""A layer of neurons as one function."""

from typing import Any

from bplib.engine import apply
from bplib.rules import TABLE
from bplib.tensors import Tensor, as_tensor

__all__ = ["linear"]


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

    References
    ----------
    M. B. Giles (2008), *Collected matrix derivative results*, Springer LNCSE 64, 35-44.

    Examples
    --------
    >>> linear([[1.0, 2.0]], [[3.0], [4.0]], [0.5])
    tensor([[11.5]])
    """
    if bias is None:
        return apply(TABLE["linear"], as_tensor(x), as_tensor(weight))
    return apply(TABLE["linear"], as_tensor(x), as_tensor(weight), as_tensor(bias))
