"""How a tensor meets NumPy and Python: as an array, in a comparison, as a number, in a function of NumPy's."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.checks import as_array
from bplib.engine import Node, apply, as_tensor
from bplib.errors import DataError, ShapeError
from bplib.rules import TABLE, Operation

__all__ = ["Protocols", "plain"]

_UFUNCS: dict[Callable[..., Any], Operation] = {row.ufunc: row for row in TABLE.values() if row.ufunc is not None}
_COMPARISONS = {np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal}
# NumPy's functions that ask about the form only, and those that are a method of the tensor.
_QUESTIONS: set[Callable[..., Any]] = {np.shape, np.ndim, np.size}
_METHODS: dict[Callable[..., Any], str] = {
    np.sum: "sum", np.mean: "mean", np.reshape: "reshape", np.transpose: "transpose", np.dot: "__matmul__",
}  # fmt: skip


def plain(other: Any) -> Any:
    """Give the array of a tensor, and everything else as it is."""
    return other.array if isinstance(other, Node) else other


class Protocols(Node):
    """What lets a tensor stand where NumPy and Python expect an array or a number; the base of Tensor."""

    __slots__ = ()

    def item(self) -> float:
        """Give the value of a one-element tensor as a Python number.

        Raises
        ------
        ShapeError
            If there is more than one element.
        """
        if self.array.size != 1:
            raise ShapeError(
                f"item: the tensor has shape {self.shape}, {self.size} elements. Expected one. "
                "Try .numpy(), or .sum() or .mean() first."
            )
        return self.array.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy or (dtype is not None and np.dtype(dtype) != self.array.dtype):
            return np.array(self.array, dtype=dtype)
        view = self.array.view()
        view.setflags(write=False)  # a write through the back door would escape the guard
        return view

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in _COMPARISONS and method == "__call__" and not options:
            left, right = inputs
            return _compared(ufunc, left, right)
        operation = _UFUNCS.get(ufunc)
        if "out" in options:
            raise DataError(
                f"numpy.{ufunc.__name__}: the result of a tensor cannot be written into an array, as += or out= do. "
                "Give it a name of its own, or use t.numpy() to go on without gradients."
            )
        if operation is None or method != "__call__" or options:
            raise _refused(ufunc)
        return apply(operation, *(as_tensor(x, self) for x in inputs))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if function in _QUESTIONS:
            return function(*(plain(x) for x in args), **kwargs)
        if function in _METHODS and args:
            return getattr(as_tensor(args[0]), _METHODS[function])(*args[1:], **kwargs)
        raise _refused(function)

    def __float__(self) -> float:
        return float(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __len__(self) -> int:
        if not self.array.ndim:
            raise DataError("len: a tensor of shape () is a single number and has no length. Try .size.")
        return len(self.array)

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ShapeError(
                f"if: a tensor of shape {self.shape} is neither true nor false. "
                "Compare it, then ask (t > 0).any() or (t > 0).all()."
            )
        return bool(self.array)

    def __lt__(self, other: Any) -> Any:
        return _compared(np.less, self, other)

    def __le__(self, other: Any) -> Any:
        return _compared(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Any:
        return _compared(np.greater, self, other)

    def __ge__(self, other: Any) -> Any:
        return _compared(np.greater_equal, self, other)

    def __eq__(self, other: object) -> Any:
        return False if isinstance(other, str | None) else _compared(np.equal, self, other)

    def __ne__(self, other: object) -> Any:
        return True if isinstance(other, str | None) else _compared(np.not_equal, self, other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        values = np.array2string(self.array, precision=6, separator=", ", threshold=20, prefix="tensor(")
        notes = [f"name={self.name!r}"] if self.name else []
        if self.operation is not None:
            notes.append(f"from={self.operation.name}")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        if self.array.dtype != np.float64:
            notes.append(f"dtype={self.array.dtype}")
        return f"tensor({', '.join([values, *notes])})"


def _compared(ufunc: np.ufunc, left: Any, right: Any) -> Any:
    a, b = (as_array(plain(x), "the other side", "comparison") for x in (left, right))
    try:
        return ufunc(a, b)
    except ValueError as error:
        raise ShapeError(
            f"comparison: shapes {a.shape} and {b.shape} do not fit. Expected equal lengths on every axis, counted "
            "from the right, or a 1."
        ) from error


def _refused(function: Callable[..., Any]) -> DataError:
    return DataError(
        f"numpy.{function.__name__}: the library has no gradient rule for this on a tensor. "
        "Try the method or the function of the same name in bplib, or t.numpy() to go on without gradients."
    )
