"""How a tensor meets NumPy and Python: as an array, in a comparison, as a number, in a function of NumPy's."""

from collections.abc import Callable
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from bplib.checks import as_array
from bplib.engine import apply
from bplib.errors import BplibError, DataError, ShapeError
from bplib.nodes import Node, as_tensor
from bplib.rules import TABLE, Operation

__all__ = ["Protocols", "plain", "stands_for"]

Function = Callable[..., Any]
AnyFunction = TypeVar("AnyFunction", bound=Function)

_UFUNCS: dict[Function, Operation] = {row.ufunc: row for row in TABLE.values() if row.ufunc is not None}
_COMPARISONS = {np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal}
# Answers without a derivative, for which nothing of a tensor's past is needed: truth values, places, shapes.
_TRUTHS: set[Function] = {np.isnan, np.isinf, np.isfinite, np.signbit}
_ANSWERS: set[Function] = {
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.shares_memory,
    np.argmax, np.argmin, np.argsort, np.argwhere, np.nonzero, np.flatnonzero, np.count_nonzero, np.searchsorted,
    np.any, np.all, np.allclose, np.isclose, np.array_equal, np.array_equiv, np.iscomplexobj, np.isrealobj,
    np.array_repr, np.array_str, np.array2string,
}  # fmt: skip
# What NumPy has in one word and the table in two.
_SHORT: dict[Function, Function] = {
    np.square: lambda x: x * x,
    np.reciprocal: lambda x: 1 / x,
    np.positive: lambda x: x,
    np.fabs: abs,
}
_STAND_INS: dict[Function, Function] = {}


def stands_for(*functions: Function) -> Callable[[AnyFunction], AnyFunction]:
    """Let a function of the library answer when one of NumPy's is called with a tensor.

    Parameters
    ----------
    *functions : callable
        NumPy's functions, with the same arguments in the same order as far as the library takes them.

    Returns
    -------
    callable
        A decorator that gives the library's function back unchanged.

    Examples
    --------
    >>> import bplib
    >>> np.concatenate([bplib.tensor([1.0]), bplib.tensor([2.0])])
    tensor([1., 2.])
    """

    def register(ours: AnyFunction) -> AnyFunction:
        _STAND_INS.update(dict.fromkeys(functions, ours))
        return ours

    return register


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
        if method != "__call__":
            raise _refused(ufunc, method)
        if "out" in options:
            raise DataError(
                f"numpy.{ufunc.__name__}: the result of a tensor cannot be written into an array, as += or out= do. "
                "Give it a name of its own, or use t.numpy() to go on without gradients."
            )
        if options:
            raise DataError(
                f"numpy.{ufunc.__name__}: the option {next(iter(options))!r} has no meaning for a tensor. "
                "Leave it out, or use t.numpy() to go on without gradients."
            )
        if ufunc in _COMPARISONS:
            return _compared(ufunc, *inputs)
        if ufunc in _TRUTHS:
            return ufunc(*(plain(x) for x in inputs))
        if ufunc in _SHORT:
            return _SHORT[ufunc](self)
        if ufunc not in _UFUNCS:
            raise _refused(ufunc)
        return apply(_UFUNCS[ufunc], *(as_tensor(x, self) for x in inputs))

    def __array_function__(self, function: Function, types: Any, args: Any, kwargs: Any) -> Any:
        if function in _ANSWERS:
            return function(*(plain(x) for x in args), **{key: plain(x) for key, x in kwargs.items()})
        ours = _STAND_INS.get(function)
        if ours is None:
            raise _refused(function)
        try:
            bound = signature(ours).bind(*args, **kwargs)
        except TypeError as error:
            raise DataError(
                f"{_name_of(function)}: on a tensor it takes ({', '.join(signature(ours).parameters)}). "
                "Leave the rest out, or use t.numpy() to go on without gradients."
            ) from error
        try:
            return ours(*bound.args, **bound.kwargs)
        except BplibError:
            raise
        except (ValueError, TypeError, IndexError) as error:
            raise ShapeError(
                f"{_name_of(function)}: {', '.join(map(repr, bound.args[1:])) or 'this'} does not fit a tensor of "
                f"shape {self.shape}. Check the axes."
            ) from error

    def __float__(self) -> float:
        return float(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __len__(self) -> int:
        if not self.array.ndim:
            raise DataError("len: a tensor of shape () is a single number and has no length. Try .size.")
        return len(self.array)

    def __setitem__(self, index: Any, values: Any) -> None:
        raise DataError(
            f"[{index!r}] = ...: the elements of a tensor cannot be set one by one; the graph would not know. For new "
            "values of the whole tensor try .assign(values), for a computed one bplib.where(condition, a, b)."
        )

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


# --------------------------------------------- functions of NumPy's that are a method of the tensor, or two in a row


@stands_for(np.sum)
def _sum(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return as_tensor(a).sum(axis, keepdims)


@stands_for(np.mean)
def _mean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return as_tensor(a).mean(axis, keepdims)


@stands_for(np.max, np.amax)
def _max(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return as_tensor(a).max(axis, keepdims)


@stands_for(np.min, np.amin)
def _min(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return as_tensor(a).min(axis, keepdims)


@stands_for(np.reshape)
def _reshape(a: Any, shape: Any) -> Any:
    return as_tensor(a).reshape(shape)


@stands_for(np.ravel)
def _ravel(a: Any) -> Any:
    return as_tensor(a).reshape(-1)


@stands_for(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    return as_tensor(a).reshape(np.squeeze(a.array, axis).shape)


@stands_for(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    return as_tensor(a).reshape(np.expand_dims(a.array, axis).shape)


@stands_for(np.transpose)
def _transpose(a: Any, axes: Any = None) -> Any:
    return as_tensor(a).transpose(*(() if axes is None else (axes,)))


@stands_for(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    axes = list(range(a.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return as_tensor(a).transpose(axes)


@stands_for(np.dot)
def _dot(a: Any, b: Any) -> Any:
    like = a if isinstance(a, Node) else b
    a, b = as_tensor(a, like), as_tensor(b, like)
    if max(a.ndim, b.ndim) > 2:
        raise ShapeError(
            f"numpy.dot: shapes {a.shape} and {b.shape}. Expected vectors or matrices; for stacks of matrices dot and "
            "@ differ. Try a @ b."
        )
    return a @ b if a.ndim and b.ndim else a * b


# ------------------------------------------------------------------------------- what is refused, and what to do then

_ADVICE: dict[Function, str] = {
    np.log1p: "bplib.log(1 + x)",
    np.expm1: "bplib.exp(x) - 1",
    np.exp2: "2**x",
    np.log2: "bplib.log(x) / np.log(2)",
    np.log10: "bplib.log(x) / np.log(10)",
    np.cbrt: "x ** (1 / 3) for positive x",
    np.hypot: "bplib.sqrt(a * a + b * b)",
    np.logaddexp: "bplib.logsumexp(bplib.stack([a, b]), axis=0)",
    np.fmax: "bplib.maximum(a, b)",
    np.fmin: "bplib.minimum(a, b)",
    np.float_power: "a**b",
    np.var: "((x - x.mean()) ** 2).mean()",
    np.std: "bplib.sqrt(((x - x.mean()) ** 2).mean())",
    np.average: "(weights * x).sum() / weights.sum()",
    np.prod: "bplib.exp(bplib.log(x).sum()) for positive x",
    np.linalg.norm: "bplib.sqrt((x * x).sum())",
    np.ptp: "x.max() - x.min()",
    np.vstack: "bplib.concatenate([a, b], axis=0)",
    np.hstack: "bplib.concatenate([a, b], axis=1)",
    np.append: "bplib.concatenate([a, b])",
    np.outer: "a[:, None] * b",
    np.inner: "a @ b.T",
    np.vdot: "a @ b",
    np.einsum: "@, .transpose and .sum",
    np.tensordot: "@, .reshape and .transpose",
    np.take: "x[places]",
    np.diff: "x[1:] - x[:-1]",
    np.flip: "x[::-1]",
    np.split: "slices such as x[:3] and x[3:]",
    np.sort: "x[np.argsort(x)]",
    np.diag: "x[range(n), range(n)]",
    np.trace: "x[range(n), range(n)].sum()",
    np.tile: "multiplying by np.ones of the larger shape",
    np.broadcast_to: "multiplying by np.ones of the larger shape",
    np.moveaxis: ".transpose with all axes in their new order",
    np.atleast_2d: "x[None, :]",
    np.copy: "x * 1, or x.numpy() for the plain numbers",
    np.pad: "bplib.concatenate with arrays of zeros",
}


def _refused(function: Function, method: str = "__call__") -> DataError:
    name = _name_of(function) + ("" if method == "__call__" else f".{method}")
    advice = "x.sum()" if name == "numpy.add.reduce" else _ADVICE.get(function) if method == "__call__" else None
    return DataError(
        f"{name}: the library has no gradient rule for this on a tensor. "
        + (f"Try {advice}, " if advice else "Write it with operations that have one, see bplib.rules.TABLE, ")
        + "or t.numpy() to go on without gradients."
    )


def _name_of(function: Function) -> str:
    return f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"
