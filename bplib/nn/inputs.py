"""What every layer asks of its input, and of its settings beyond what `bplib.checks` knows."""

from typing import Any

import numpy as np

from bplib.checks import as_array, as_size
from bplib.errors import DataError
from bplib.tensors import Tensor, as_tensor

__all__ = ["as_axis_number", "as_input", "as_sizes"]


def as_input(x: Any, caller: str) -> Tensor:
    """Give the input as a tensor, or say which layer was given what is none.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        What the layer was called with.
    caller : str
        How the message names the layer.

    Returns
    -------
    Tensor

    Raises
    ------
    DataError
        If it holds no real numbers.

    Examples
    --------
    >>> as_input([1, 2], "Linear")
    tensor([1., 2.])
    """
    try:
        return as_tensor(x)
    except DataError:
        pass
    as_array(x, "x", caller)  # refuses the same, and knows the layer
    raise DataError(
        f"{caller}: x is a list that holds a tensor which asks for a gradient; as plain numbers it would lose its "
        "past. Expected one tensor. Try bplib.stack(x)."
    )


def as_sizes(caller: str, **sizes: Any) -> tuple[int, ...]:
    """Give the lengths of the axes of a weight, if all of it fits into memory.

    Parameters
    ----------
    caller : str
        How the message names the layer.
    **sizes : int ≥ 1
        Each length under the name of its argument.

    Returns
    -------
    tuple of int

    Raises
    ------
    DataError, DomainError
        If one of them is no whole number, below 1, or too large together with those before it.

    Examples
    --------
    >>> as_sizes("Linear", in_features=2, out_features=3)
    (2, 3)
    """
    found: list[int] = []
    columns = 1
    for name, value in sizes.items():
        found.append(as_size(value, name, 1, caller, columns=columns))
        columns *= found[-1]
    return tuple(found)


def as_axis_number(axis: Any, caller: str) -> int:
    """Give an axis as an int; which axes there are is known only in the forward pass.

    Parameters
    ----------
    axis : int
        A negative number counts from the back.
    caller : str
        How the message names the layer.

    Returns
    -------
    int

    Raises
    ------
    DataError
        If it is no whole number.

    Examples
    --------
    >>> as_axis_number(-1, "Softmax")
    -1
    """
    if isinstance(axis, bool | np.bool_) or not isinstance(axis, int | np.integer):
        raise DataError(f"{caller}: axis is {axis!r}. Expected a whole number. Try axis=-1, which is the last axis.")
    return int(axis)
