"""Operations that put several arrays together, any number of them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS"]


def concatenate(*arrays_and_axis: Any) -> Remembered:
    """Give the arrays one after the other along an axis they have."""
    *arrays, axis = arrays_and_axis
    return np.concatenate(arrays, axis), None


def concatenate_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂/∂aᵢ = 1 on its own stretch: each array receives its piece of the gradient."""
    (axis,) = node.settings
    ends = np.cumsum([parent.array.shape[axis] for parent in node.parents])
    return _to_each(node, np.split(g, ends[:-1], axis))


def stack(*arrays_and_axis: Any) -> Remembered:
    """Give the arrays side by side along a new axis."""
    *arrays, axis = arrays_and_axis
    return np.stack(arrays, axis), None


def stack_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂/∂aᵢ = 1 at its own place: each array receives its slice of the gradient."""
    (axis,) = node.settings
    return _to_each(node, np.moveaxis(g, axis, 0))


def _to_each(node: Any, pieces: Iterable[Array]) -> tuple[Array | None, ...]:
    return tuple(piece if p.requires_grad else None for p, piece in zip(node.parents, pieces, strict=True))


_GRIEWANK = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, section 3.2"

ROWS = (
    Operation("concatenate", "concat", concatenate, concatenate_gradient, "1 for its own piece", source=_GRIEWANK),
    Operation("stack", "stack", stack, stack_gradient, "1 for its own slice", source=_GRIEWANK),
)
