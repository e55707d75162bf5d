"""The matrix product of vectors, matrices and stacks of matrices."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered, sum_to_shape

__all__ = ["ROWS"]


def matmul(a: Array, b: Array) -> Remembered:
    """Give the matrix product a @ b of vectors, matrices or stacks of matrices."""
    # For two matrices `dot` is the same product in two thirds of the time at classroom sizes.
    return (a.dot(b) if a.ndim == b.ndim == 2 else a @ b), None


def matmul_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂L/∂a = g @ bᵀ and ∂L/∂b = aᵀ @ g.

    A parameter's gradient is written straight into its own memory where that is still empty.
    """
    a, b = node.parents
    left, right = a.array, b.array
    if left.ndim == right.ndim == 2:
        return (
            g.dot(right.T) if a.requires_grad else None,
            left.T.dot(g, b.landing(g.dtype)) if b.requires_grad else None,
        )
    g = _as_matrix(g, left, right)
    return (
        _to_left(g, left, right) if a.requires_grad else None,
        _to_right(g, left, right) if b.requires_grad else None,
    )


def _to_left(g: Array, a: Array, b: Array) -> Array:
    """∂L/∂a = g @ bᵀ; a vector on the right is a matrix with one column."""
    right = b[:, None] if b.ndim == 1 else b
    return sum_to_shape(g @ right.mT, a.shape)


def _to_right(g: Array, a: Array, b: Array) -> Array:
    """∂L/∂b = aᵀ @ g; a vector on the left is a matrix with one row."""
    left = a[None, :] if a.ndim == 1 else a
    found = left.mT @ g
    return sum_to_shape(found[..., 0] if b.ndim == 1 else found, b.shape)


def _as_matrix(g: Array, a: Array, b: Array) -> Array:
    """Give the gradient the row and the column back that a product with a vector has lost."""
    g = g[..., None] if b.ndim == 1 else g
    return g[..., None, :] if a.ndim == 1 else g


_GILES = "M. B. Giles (2008), Collected matrix derivative results, Springer LNCSE 64, 35-44"

ROWS = (Operation("matmul", "@", matmul, matmul_gradient, "bᵀ and aᵀ", ufunc=np.matmul, source=_GILES),)
