"""Functions that put several tensors together."""

from typing import Any

import numpy as np

from bplib.engine import apply
from bplib.errors import ShapeError
from bplib.functional.arguments import as_axis, as_operands
from bplib.protocols import stands_for
from bplib.rules import TABLE
from bplib.tensors import Tensor

__all__ = ["concatenate", "stack"]

_CONCATENATE, _STACK = TABLE["concatenate"], TABLE["stack"]


@stands_for(np.concatenate)
def concatenate(tensors: Any, axis: int = 0) -> Tensor:
    """Put tensors one after the other along an axis they have.

    Parameters
    ----------
    tensors : list or tuple of Tensor or array_like
        At least one, of equal lengths on all axes but `axis`.
    axis : int
        The axis that grows.

    Returns
    -------
    Tensor
        As long along `axis` as all together. Each operand receives its own piece of the gradient.

    Raises
    ------
    ShapeError
        If the shapes do not fit, or the list is empty.
    DomainError
        If there is no such axis.
    DataError
        If `tensors` is no list.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> concatenate([[1.0, 2.0], [3.0]])
    tensor([1., 2., 3.])
    """
    operands = as_operands(tensors, "concatenate")
    shape = operands[0].shape
    if not shape:
        raise ShapeError(
            "concatenate: the first of the list is a single number, shape (). Expected at least one axis. Try stack."
        )
    axis = as_axis(axis, shape, "the first of the list", "concatenate")
    for number, other in enumerate(operands[1:], 2):
        if _without(axis, other.shape) != _without(axis, shape) or other.ndim != len(shape):
            raise ShapeError(
                f"concatenate: number 1 of the list has shape {shape}, number {number} has shape {other.shape}. "
                f"Expected the same number of axes, and equal lengths on all but axis {axis}."
            )
    return apply(_CONCATENATE, *operands, settings=(axis,))


@stands_for(np.stack)
def stack(tensors: Any, axis: int = 0) -> Tensor:
    """Put tensors of one shape side by side along a new axis.

    Parameters
    ----------
    tensors : list or tuple of Tensor or array_like
        At least one, all of one shape; single numbers are fine.
    axis : int
        Where the new axis stands in the result.

    Returns
    -------
    Tensor
        With one axis more, as long as the list. Each operand receives its own slice of the gradient.

    Raises
    ------
    ShapeError
        If the shapes differ, or the list is empty.
    DomainError
        If the result has no such axis.
    DataError
        If `tensors` is no list.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    operands = as_operands(tensors, "stack")
    shape = operands[0].shape
    for number, other in enumerate(operands[1:], 2):
        if other.shape != shape:
            raise ShapeError(
                f"stack: number 1 of the list has shape {shape}, number {number} has shape {other.shape}. "
                "Expected equal shapes. Try concatenate to join along an axis they have."
            )
    axis = as_axis(axis, (len(operands), *shape), "the result", "stack")
    return apply(_STACK, *operands, settings=(axis,))


def _without(axis: int, shape: tuple[int, ...]) -> list[int]:
    lengths = list(shape)
    if -len(lengths) <= axis < len(lengths):
        del lengths[axis]
    return lengths
