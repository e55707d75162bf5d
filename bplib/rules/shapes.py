"""Operations that move elements without changing them: every local derivative is 1."""

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
    return a.transpose(axes), None


def transpose_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The inverse permutation brings the gradient home."""
    (axes,) = node.settings
    return (g.transpose() if axes is None else g.transpose(np.argsort([axis % g.ndim for axis in axes])),)


def getitem(a: Array, index: Any) -> Remembered:
    """Give the elements that `index` picks."""
    # A copy: whoever changes the index before the backward pass would move the gradient.
    index = _copy_of(index)
    return a[index], index


def getitem_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Zeros but for the places picked; a place picked twice receives both gradients."""
    whole = np.zeros(node.parents[0].array.shape, g.dtype)
    if _picks_once(node.remembered):
        whole[node.remembered] = g
    else:
        np.add.at(whole, node.remembered, g)
    return (whole,)


def _copy_of(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_copy_of(part) for part in index)
    if isinstance(index, list):
        return np.array(index, dtype=None if index else np.intp)
    return index.copy() if isinstance(index, np.ndarray) else index


_ONCE = (int, np.integer, np.bool_, slice, type(None), type(Ellipsis))


def _picks_once(index: Any) -> bool:
    """Say whether no element can be picked twice: numbers, slices and truth values, but no list of places."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(part, _ONCE) or (isinstance(part, np.ndarray) and part.dtype == bool) for part in parts)


_GRIEWANK = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, section 3.2"

ROWS = (
    Operation("reshape", "reshape", reshape, reshape_gradient, "1", source=_GRIEWANK),
    Operation("transpose", "ᵀ", transpose, transpose_gradient, "1", source=_GRIEWANK),
    Operation("getitem", "[ ]", getitem, getitem_gradient, "1 where picked, else 0", source=_GRIEWANK),
)
