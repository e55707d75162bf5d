"""Checks of the arguments that several functions share: axes, and lists of tensors."""

from typing import Any

import numpy as np

from bplib.errors import DataError, DomainError, ShapeError
from bplib.nodes import Node
from bplib.tensors import Tensor, as_tensor

__all__ = ["as_axis", "as_operands"]


def as_axis(axis: Any, shape: tuple[int, ...], x: str, caller: str) -> int:
    """Give the number of an axis.

    Parameters
    ----------
    axis : int
        From −n to n − 1; a negative number counts from the back.
    shape : tuple of int, length n
        The lengths of all axes.
    x, caller : str
        How the message names the tensor and the function.

    Returns
    -------
    int

    Raises
    ------
    DomainError
        If there is no such axis.

    Examples
    --------
    >>> as_axis(np.int64(-1), (2, 3), "x", "softmax")
    -1
    """
    whole = isinstance(axis, int | np.integer) and not isinstance(axis, bool)
    if not whole or not -len(shape) <= axis < len(shape):
        raise DomainError(
            f"{caller}: {x} has shape {shape} and no axis {axis!r}. "
            + (f"Expected an axis from 0 to {len(shape) - 1}." if shape else "It is a single number.")
        )
    return int(axis)


def as_operands(tensors: Any, caller: str) -> list[Tensor]:
    """Give the tensors of a list, at least one; Python numbers take the dtype of the first tensor.

    Parameters
    ----------
    tensors : list or tuple of Tensor or array_like
        What to put together.
    caller : str
        How the message names the function.

    Returns
    -------
    list of Tensor

    Raises
    ------
    DataError
        If it is no list.
    ShapeError
        If it is empty.

    Examples
    --------
    >>> as_operands([1.0, 2.0], "stack")
    [tensor(1.), tensor(2.)]
    """
    if not isinstance(tensors, list | tuple):
        got = f"one array of shape {np.shape(tensors)}" if isinstance(tensors, Node | np.ndarray) else repr(tensors)
        raise DataError(f"{caller}: expected a list of tensors, got {got}. Try {caller}([a, b]).")
    if not tensors:
        raise ShapeError(f"{caller}: the list is empty. Expected at least one tensor.")
    like = next((x for x in tensors if isinstance(x, Node)), None)
    return [as_tensor(x, like) for x in tensors]
