"""The matrix product, and the linear layer as one operation."""

from functools import lru_cache
from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered, sum_to_shape

__all__ = ["ROWS"]


def matmul(a: Array, b: Array) -> Remembered:
    """Give the matrix product a @ b of vectors, matrices or stacks of matrices."""
    return a @ b, None


def matmul_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂L/∂a = g @ bᵀ and ∂L/∂b = aᵀ @ g; a vector is a matrix with one row or column."""
    a, b = node.parents
    left = a.array[None, :] if a.array.ndim == 1 else a.array
    right = b.array[:, None] if b.array.ndim == 1 else b.array
    if a.array.ndim == 1:
        g = np.expand_dims(g, -2) if b.array.ndim > 1 else g.reshape(1, 1)
    if b.array.ndim == 1 and a.array.ndim > 1:
        g = np.expand_dims(g, -1)
    to_a = sum_to_shape(g @ right.swapaxes(-1, -2), left.shape) if a.requires_grad else None
    to_b = sum_to_shape(left.swapaxes(-1, -2) @ g, right.shape) if b.requires_grad else None
    return (
        None if to_a is None else to_a.reshape(a.array.shape),
        None if to_b is None else to_b.reshape(b.array.shape),
    )


def linear(x: Array, weight: Array, bias: Array | None = None) -> Remembered:
    """Give x @ weight + bias as one operation, what a layer of neurons computes."""
    y = x.dot(weight)
    if bias is not None:
        # In place where that keeps the type: the product is a new array that nobody else holds.
        y = np.add(y, bias, y) if y.ndim and y.dtype == bias.dtype else y + bias
    return y, None


def linear_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂L/∂x = g @ weightᵀ, ∂L/∂weight = xᵀ @ g, ∂L/∂bias = the sum of g over the examples."""
    parents = node.parents
    x, weight = parents[0], parents[1]
    to_x = g.dot(weight.array.T) if x.requires_grad else None
    rows = x.array
    if rows.ndim != 2:
        rows, g = rows.reshape(-1, rows.shape[-1]), g.reshape(-1, g.shape[-1])
    # The product is written straight into the parameter's own gradient where that is still
    # empty. Not when the weight is also the input: two gradients would fight for one place.
    place = None if x is weight else weight.landing_place(g.dtype)
    to_weight = rows.T.dot(g, place) if weight.requires_grad else None
    if len(parents) == 2:
        return to_x, to_weight
    bias = parents[2]
    to_bias = _ones(len(g), g.dtype).dot(g, bias.landing_place(g.dtype)) if bias.requires_grad else None
    return to_x, to_weight, to_bias


@lru_cache(maxsize=64)
def _ones(n: int, dtype: np.dtype) -> Array:
    # ones @ g sums the columns in a sixth of the time of g.sum(axis=0) at classroom sizes.
    ones = np.ones(n, dtype)
    ones.setflags(write=False)
    return ones


ROWS = (
    Operation("matmul", "@", matmul, matmul_gradient, "bᵀ and aᵀ", ufunc=np.matmul),
    Operation("linear", "x@W+b", linear, linear_gradient, "Wᵀ, xᵀ and 1"),
)
