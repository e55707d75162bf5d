"""The tensor: what a user holds, computes with, and calls `backward` on."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np

from bplib.checks import as_floats
from bplib.constants import constant
from bplib.engine import apply, backpropagate
from bplib.errors import DataError, GraphError, ShapeError
from bplib.home import Home
from bplib.journal import Forget, note
from bplib.nodes import MAKE, Hook, HookHandle, Node, as_tensor, keep_gradient
from bplib.protocols import Protocols, plain
from bplib.rules import TABLE, Operation

__all__ = ["Tensor", "as_tensor", "tensor"]


class Tensor(Protocols):
    """An array of numbers that remembers the operation it came from.

    Use `tensor` to make one. Arithmetic, indexing and the functions of the library give new
    tensors; ``loss.backward()`` then fills ``.grad`` of every tensor that asked for it.

    Parameters
    ----------
    data : array_like of real numbers, any shape
        The values; copied. float32 and float64 stay, integers and booleans become float64.
    requires_grad : bool
        Whether `backward` shall compute a gradient for it.
    dtype : numpy.float32 or numpy.float64, optional
        The type to store.
    name : str, optional
        A word for pictures and messages.

    Attributes
    ----------
    data : numpy.ndarray
        The values.
    grad : numpy.ndarray or None
        ∂L/∂(this tensor), of this tensor's shape; None until a backward pass reaches it.

    Examples
    --------
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> loss = (w * w).sum()
    >>> loss.backward()
    >>> w.grad
    array([2., 4.])
    """

    __slots__ = ()

    def __init__(self, data: Any, *, requires_grad: bool = False, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(as_floats(plain(data), dtype, copy=True), bool(requires_grad), name)

    @property
    def data(self) -> np.ndarray:
        """The values. Assigning copies into place, checks the shape, and tells the graph.

        A write into the array itself, ``t.data[0] = 1``, goes unnoticed: do it between an update and the next
        forward pass, never between forward and backward.
        """
        return self.array

    @data.setter
    def data(self, values: Any) -> None:
        self.assign(values)

    def assign(self, values: Any) -> None:
        """Give the tensor new values of the same shape, in place.

        Parameters
        ----------
        values : array_like
            The new values, of shape ``self.shape`` or a single number.

        Raises
        ------
        GraphError
            If the tensor is the result of an operation.
        ShapeError
            If the shape differs.
        """
        if self.operation is not None:
            raise GraphError(
                f"assign: this tensor is the result of '{self.operation.name}'; new values would not fit the graph. "
                "Change the tensors it was computed from, or use .detach() for a copy without a past."
            )
        if values is not self.array:  # `t.data -= step` has changed the array already
            new = as_floats(plain(values))
            if new.shape not in (self.array.shape, ()):
                raise ShapeError(
                    f"assign: the tensor has shape {self.shape}, the new values have shape {new.shape}. "
                    f"Expected the same shape. Try values.reshape{self.shape}."
                )
            self.array[...] = new
        self.touch()

    def numpy(self) -> np.ndarray:
        """Give a copy of the values as a plain array."""
        return self.array.copy()

    def detach(self) -> "Tensor":
        """Give the same values as a tensor with no past: no gradient flows through it."""
        return Tensor(self.array)

    def _set_grad(self, gradient: Any) -> None:
        if gradient is None:
            self._gradient = None
            return
        new = as_floats(plain(gradient), self.array.dtype, copy=True)
        if new.shape != self.array.shape:
            raise ShapeError(
                f"grad: the tensor has shape {self.shape}, the gradient has shape {new.shape}. "
                "Expected the same: a gradient has its tensor's shape."
            )
        self._gradient = None
        self.receive(new)

    # Read through C: an optimizer asks every parameter at every step.
    grad = property(
        attrgetter("_gradient"),
        _set_grad,
        doc="""∂L/∂(this tensor), or None where no backward pass has arrived.

        A parameter's gradient lies in its model's vector, which the next backward pass writes anew: keep it
        with ``.copy()``.
        """,
    )

    def zero_grad(self) -> None:
        """Forget the gradient: ``.grad`` is None again."""
        forget = Forget([self])
        note(forget)
        forget()

    def retain_grad(self) -> None:
        """Ask an intermediate result to keep its gradient in ``.grad`` after `backward`."""
        self._needs_graph("retain_grad")
        if self.operation is not None and keep_gradient not in (self.hooks or ()):
            self.register_hook(keep_gradient)

    def register_hook(self, hook: Hook) -> HookHandle:
        """Have a function called with the gradient that arrives here, at each `backward`.

        Parameters
        ----------
        hook : callable
            Takes the gradient, a read-only array of this tensor's shape. Gives None, or another array of
            that shape to go on with instead. It must leave ``.grad`` alone: a parameter's may be there already.

        Returns
        -------
        HookHandle
            Its ``.remove()`` takes the hook away again.

        Raises
        ------
        GraphError
            If no gradient will ever arrive here.
        DataError
            If `hook` is no function.

        Examples
        --------
        >>> x = tensor(3.0, requires_grad=True)
        >>> square = x * x
        >>> handle = square.register_hook(lambda g: 10 * g)
        >>> square.backward()
        >>> float(x.grad)
        60.0
        """
        self._needs_graph("register_hook")
        if not callable(hook):
            raise DataError(f"register_hook: expected a function of the gradient, got {type(hook).__name__}.")
        self.hooks = [*(self.hooks or ()), hook]
        return HookHandle(self, hook)

    def backward(self, gradient: Any = None, *, create_graph: bool = False) -> None:
        """Compute ∂(this)/∂x for every tensor x that went into it and asked for a gradient.

        Gradients add to what ``.grad`` holds already; call ``zero_grad`` between steps. The
        graph stays, so a second call adds exactly the same once more.

        Parameters
        ----------
        gradient : array_like of this tensor's shape, optional
            What arrives from further on; 1 for a scalar, as for a loss.
        create_graph : bool
            Other libraries record the backward pass itself, for second derivatives. This one does not: only False.

        Raises
        ------
        GraphError
            If nothing in the graph asked for a gradient, a tensor was changed after it was used, or `create_graph`
            is asked for.
        ShapeError
            If this is no scalar and no `gradient` is given, or its shape differs.

        Examples
        --------
        >>> x = tensor(3.0, requires_grad=True)
        >>> (x * x).backward()
        >>> float(x.grad)
        6.0
        """
        if create_graph:
            raise GraphError(
                "backward: create_graph asks for second derivatives. The library gives first derivatives only. For a "
                "second one take differences of first ones, as in bplib.numeric.central_difference."
            )
        if not self.requires_grad:
            self._needs_graph("backward")
        one = gradient is None and self.array.size == 1
        seed = constant(1.0, self.array.shape, self.array.dtype) if one else self._seed(gradient)
        if self.operation is None:
            self.receive(seed)
            return
        backpropagate(self, seed)

    def _seed(self, gradient: Any) -> np.ndarray:
        if gradient is None:
            raise ShapeError(
                f"backward: the tensor has shape {self.shape}. Expected a single number, such as a loss. "
                "Try .sum() or .mean() first, or pass backward(gradient) of that shape."
            )
        seed = as_floats(plain(gradient), self.array.dtype, copy=True)
        if seed.shape != self.array.shape:
            raise ShapeError(
                f"backward: the tensor has shape {self.shape}, the gradient passed in has shape {seed.shape}. "
                "Expected the same shape."
            )
        return seed

    def __reduce__(self) -> tuple[Any, ...]:
        # The copy module asks here. A copied parameter needs memory and a home of its own; copied slot by
        # slot, its values and its model's vector would be two different arrays.
        if self.operation is not None:
            raise GraphError("copy: this tensor is the result of an operation. Try .detach() first.")
        gradient = None if self._gradient is None else self._gradient.copy()
        return _copied, (type(self), self.array.copy(), self.requires_grad, self.name, gradient)

    def __pos__(self) -> "Tensor":
        return self

    # Asked before the call: `as_tensor` would give a tensor back, for a tenth of what a small operation takes.
    def __add__(self, other: Any) -> "Tensor":
        return apply(_ADD, self, other if isinstance(other, Tensor) else as_tensor(other, self))

    def __sub__(self, other: Any) -> "Tensor":
        return apply(_SUBTRACT, self, other if isinstance(other, Tensor) else as_tensor(other, self))

    def __mul__(self, other: Any) -> "Tensor":
        return apply(_MULTIPLY, self, other if isinstance(other, Tensor) else as_tensor(other, self))

    def __truediv__(self, other: Any) -> "Tensor":
        return apply(_DIVIDE, self, other if isinstance(other, Tensor) else as_tensor(other, self))

    def __pow__(self, other: Any) -> "Tensor":
        return apply(_POWER, self, other if isinstance(other, Tensor) else as_tensor(other, self))

    def __matmul__(self, other: Any) -> "Tensor":
        return apply(_MATMUL, self, other if isinstance(other, Tensor) else as_tensor(other, self))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> "Tensor":
        return apply(_SUBTRACT, as_tensor(other, self), self)

    def __rtruediv__(self, other: Any) -> "Tensor":
        return apply(_DIVIDE, as_tensor(other, self), self)

    def __rpow__(self, other: Any) -> "Tensor":
        return apply(_POWER, as_tensor(other, self), self)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return apply(_MATMUL, as_tensor(other, self), self)

    def __neg__(self) -> "Tensor":
        return apply(_NEGATIVE, self)

    def __abs__(self) -> "Tensor":
        return apply(_ABS, self)

    def __getitem__(self, index: Any) -> "Tensor":
        return apply(_GETITEM, self, settings=(index,))

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        """Add up the elements along `axis`, all of them by default."""
        return apply(_SUM, self, settings=(axis, keepdims))

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        """Average the elements along `axis`, all of them by default."""
        return apply(_MEAN, self, settings=(axis, keepdims))

    def max(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        """Give the largest element along `axis`, of all by default; a tie counts for the first in row order."""
        return self._extreme(_MAX, axis, keepdims)

    def min(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        """Give the smallest element along `axis`, of all by default; a tie counts for the first in row order."""
        return self._extreme(_MIN, axis, keepdims)

    def _extreme(self, row: Operation, axis: int | tuple[int, ...] | None, keepdims: bool) -> "Tensor":
        try:
            return apply(row, self, settings=(axis, keepdims))
        except ShapeError as error:
            if self.array.size:
                raise
            raise ShapeError(
                f"{row.name}: the tensor has shape {self.shape} and no elements to choose from. "
                "Expected at least one. Check how they were selected."
            ) from error

    def reshape(self, *shape: Any) -> "Tensor":
        """Give the same elements in another shape; −1 stands for what is left over."""
        return apply(_RESHAPE, self, settings=(_one_tuple(shape),))

    def transpose(self, *axes: Any) -> "Tensor":
        """Put the axes in another order, reversed by default."""
        return apply(_TRANSPOSE, self, settings=(_one_tuple(axes) or None,))

    @property
    def T(self) -> "Tensor":
        """The tensor with its axes reversed."""
        return self.transpose()

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))


Node.makes = Tensor


def _copied(
    kind: type[Tensor], array: np.ndarray, requires_grad: bool, name: str | None, gradient: np.ndarray | None
) -> Tensor:
    twin: Tensor = MAKE(kind)
    Tensor.__init__(twin, array, requires_grad=requires_grad, name=name)
    if kind is not Tensor:  # only a parameter lives in a home
        Home([twin])
    if gradient is not None:
        twin.receive(gradient)
    return twin


def tensor(data: Any, *, requires_grad: bool = False, dtype: Any = None, name: str | None = None) -> Tensor:
    """Make a tensor from numbers; the data is copied.

    Parameters
    ----------
    data : array_like of real numbers, any shape
        The values. float32 and float64 stay, integers and booleans become float64.
    requires_grad : bool
        Whether `backward` shall compute a gradient for it.
    dtype : numpy.float32 or numpy.float64, optional
        The type to store.
    name : str, optional
        A word for pictures and messages.

    Returns
    -------
    Tensor
        Of the data's shape.

    Raises
    ------
    DataError
        If `data` is ragged, or holds text, objects or complex numbers.

    Examples
    --------
    >>> tensor([1, 2])
    tensor([1., 2.])
    """
    return Tensor(data, requires_grad=requires_grad, dtype=dtype, name=name)


def _one_tuple(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(values[0]) if len(values) == 1 and isinstance(values[0], (tuple, list)) else values


_ADD, _SUBTRACT, _MULTIPLY, _DIVIDE = TABLE["add"], TABLE["subtract"], TABLE["multiply"], TABLE["divide"]
_POWER, _MATMUL, _NEGATIVE, _ABS = TABLE["power"], TABLE["matmul"], TABLE["negative"], TABLE["abs"]
_GETITEM, _SUM, _MEAN = TABLE["getitem"], TABLE["sum"], TABLE["mean"]
_MAX, _MIN = TABLE["max"], TABLE["min"]
_RESHAPE, _TRANSPOSE = TABLE["reshape"], TABLE["transpose"]
