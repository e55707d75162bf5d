"""From a function to its gradient, without a word about graphs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.engine import walk_back
from bplib.errors import DataError, GraphError, ShapeError
from bplib.modes import is_recording
from bplib.tensors import Tensor

__all__ = ["grad"]


def grad(f: Callable[..., Any], argnum: int = 0) -> Callable[..., np.ndarray]:
    """Turn a function of tensors into the function that gives its gradient.

    Parameters
    ----------
    f : callable
        Takes tensors, gives a single number as a tensor.
    argnum : int ≥ 0
        Which argument to differentiate by; the others are passed on as they are.

    Returns
    -------
    callable
        Takes the same arguments as `f` (numbers and arrays will do) and gives ∂f/∂(that argument), an array of
        its shape. It changes no ``.grad``.

    Raises
    ------
    DataError
        If `f` is no function, or there is no such argument.
    ShapeError
        If `f` does not give a single number.
    GraphError
        If the gradient itself is to be differentiated: the library gives first derivatives only.

    Examples
    --------
    >>> slope = grad(lambda x: x * x)
    >>> float(slope(3.0))
    6.0
    """
    if not callable(f):
        raise DataError(f"grad: expected a function, got {type(f).__name__}. Try grad(lambda x: x * x).")
    if isinstance(argnum, bool) or not isinstance(argnum, int) or argnum < 0:
        raise DataError(f"grad: argnum is {argnum!r}. Expected the place of an argument, counted from 0.")

    def gradient(*arguments: Any) -> np.ndarray:
        if argnum >= len(arguments):
            raise DataError(f"grad: argnum is {argnum}, but there are {len(arguments)} arguments, counted from 0.")
        x = arguments[argnum]
        if isinstance(x, Tensor) and x.requires_grad:
            raise GraphError(
                "grad: the argument asks for a gradient itself. The library gives first derivatives only; for a second "
                "one, take differences of first ones, as in bplib.numeric.central_difference. Pass x.numpy() otherwise."
            )
        leaf = Tensor(x, requires_grad=True)
        result = f(*arguments[:argnum], leaf, *arguments[argnum + 1 :])
        if result is leaf:
            return _seed(leaf)
        found = walk_back(result, _seed(result)) if _has_past(result) else {}
        return found.get(leaf, np.zeros_like(leaf.array))

    return gradient


def _has_past(result: Any) -> bool:
    if not isinstance(result, Tensor):
        raise GraphError(
            f"grad: the function gave {type(result).__name__}. Expected a tensor computed from its arguments. "
            "Compute with tensors all the way: .item(), .numpy() and float() leave the graph."
        )
    if not is_recording():
        raise GraphError("grad: recording is off here, so there is no way back. Leave no_grad() first.")
    return result.operation is not None


def _seed(result: Tensor) -> np.ndarray:
    if result.size != 1:
        raise ShapeError(f"grad: the function gave a tensor of shape {result.shape}. Expected one number. Try .sum().")
    return np.ones(result.shape, result.dtype)
