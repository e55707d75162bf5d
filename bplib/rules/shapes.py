"""Operations that move elements without changing them."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS"]


def reshape(a: Array, shape: tuple[int, ...]) -> Remembered:
    """Give the same elements in another shape."""
    return a.reshape(shape), None


def reshape_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The gradient takes the old shape again."""
    return (g.reshape(node.parents[0].array.shape),)


def transpose(a: Array, axes: tuple[int, ...] | None) -> Remembered:
    """Give the array with its axes in another order, reversed by default."""
    return a.transpose(axes), axes


def transpose_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The inverse permutation brings the gradient home."""
    axes = node.remembered
    return (g.transpose() if axes is None else g.transpose(np.argsort([axis % g.ndim for axis in axes])),)


def getitem(a: Array, index: Any) -> Remembered:
    """Give the elements that `index` picks."""
    # A list or an array is copied: whoever changes it before the backward pass would move the gradient.
    return a[index], index.copy() if isinstance(index, (list, np.ndarray)) else index


def getitem_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Zeros but for the places picked; a place picked twice receives both gradients."""
    whole = np.zeros_like(node.parents[0].array, dtype=g.dtype)
    np.add.at(whole, node.remembered, g)
    return (whole,)


ROWS = (
    Operation("reshape", "reshape", reshape, reshape_gradient, "1"),
    Operation("transpose", "ᵀ", transpose, transpose_gradient, "1"),
    Operation("getitem", "[ ]", getitem, getitem_gradient, "1 where picked, else 0"),
)
