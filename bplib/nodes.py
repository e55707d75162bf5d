"""The record of one number, array or result: what the engine writes down on the way forward."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import count
from math import copysign
from operator import attrgetter
from typing import Any, ClassVar, Protocol, final

import numpy as np

from bplib.checks import as_floats
from bplib.errors import DataError, GraphError, ShapeError
from bplib.home import Home, aside, share_home
from bplib.rules import Operation

__all__ = [
    "MAKE",
    "Array",
    "Hook",
    "HookHandle",
    "Inspector",
    "Node",
    "Watch",
    "as_tensor",
    "by_leaf",
    "clock",
    "hooks_of",
    "keep_gradient",
    "through_hooks",
]

MAKE: Any = object.__new__
clock = count(1).__next__
Array = np.ndarray
Hook = Callable[[Array], Any]

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
_LARGEST = 2**1023  # beyond, a whole number does not fit into a float


class Node:
    """The values, where they came from, and what they are wanted for.

    Attributes
    ----------
    array : numpy.ndarray
        The values.
    requires_grad : bool
        Whether a gradient shall be computed for it.
    operation : Operation or None
        The row of the table it came from; None for what was made by hand.
    parents : tuple of Node
        The operands.
    settings : tuple
        What else the operation was given, such as an axis.
    remembered : object
        What the operation wants to know again on the way back.
    order : int
        The creation number; for what was made by hand, that of its last change.
    hooks : list of callable, or None
        What is called with the gradient that arrives here.
    home, buffer, offset
        Where a parameter lives in its model's vectors (see `bplib.home`); None and 0 for all else.
    members : tuple of Node
        The parameters that a span stands for (see `bplib.spans`); empty for all else.
    """

    __slots__ = (
        "__weakref__",
        "_gradient",
        "array",
        "hooks",
        "name",
        "operation",
        "order",
        "parents",
        "remembered",
        "requires_grad",
        "settings",
    )

    # The class of what an operation gives.
    makes: ClassVar[type["Node"]]

    # Only a span stands for others.
    members: tuple["Node", ...] = ()
    # Only parameters have a place for these; every other node would carry them for nothing.
    home: Home | None = None
    buffer: np.ndarray | None = None
    offset: int = 0

    def __init__(self, array: np.ndarray, requires_grad: bool, name: str | None = None) -> None:
        self.array = array
        self.requires_grad = requires_grad
        self.name = name
        self._gradient: np.ndarray | None = None
        self.hooks: list[Hook] | None = None
        self.operation: Operation | None = None
        self.parents: tuple[Node, ...] = ()
        self.settings: tuple[Any, ...] = ()
        self.remembered: Any = None
        self.order = clock()

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.array.size

    @property
    def dtype(self) -> np.dtype:
        """float64 or float32."""
        return self.array.dtype

    def touch(self, others: Sequence["Node"] = ()) -> None:
        """Note that the values of this and of `others` have changed, so that an older graph is not used with them."""
        self.order = now = clock()
        for other in others:
            other.order = now

    def touch_if_learned(self, others: Sequence["Node"]) -> bool:
        """Touch `others` if each of them has a gradient, and say so; else perhaps some of those that have one."""
        now = clock()
        for other in others:
            if other._gradient is None:
                return False
            other.order = now
        return True

    def forget(self) -> None:
        """Have no gradient: ``.grad`` is None again."""
        self._gradient = None

    def receive(self, total: np.ndarray) -> None:
        """Add what a backward pass found to ``.grad``; the first is copied, so that no two share memory."""
        if self._gradient is not None:
            self._gradient += total
        elif self.buffer is None:
            self._gradient = np.array(total, dtype=self.array.dtype)
        else:
            self.buffer[...] = total
            self._gradient = self.buffer

    def landing(self, dtype: np.dtype) -> np.ndarray | None:
        """Give the memory into which a rule may write this gradient, None where it has to make a new array.

        Only a parameter in a home has such a place, and only while it has no gradient: what the rule hands over is
        then its ``.grad``. Whether a gradient is asked for at all, the rule sees for itself.
        """
        if self.buffer is None or self._gradient is not None or self.hooks or self.array.dtype is not dtype:
            return None
        return None if aside and aside.has_this_one() else self.buffer

    def parts(self, total: np.ndarray) -> Iterable[tuple["Node", np.ndarray]]:
        """Give each leaf that this operand stands for, with its part of `total`: of all but a span, itself."""
        return ((self, total),)

    def settle(self, others: Sequence["Node"]) -> None:
        """Move into one home with `others`, where all of them have homes; see `bplib.home`."""
        share_home(others)

    def _needs_graph(self, what: str) -> None:
        if not self.requires_grad:
            raise GraphError(
                f"{what}: nothing in this graph asks for a gradient. Expected at least one tensor made with "
                "requires_grad=True, used outside no_grad()."
            )


@final
class HookHandle:
    """What `Tensor.register_hook` gives: the way to take the hook away again."""

    __slots__ = ("_hook", "_node")

    def __init__(self, node: Node, hook: Hook) -> None:
        self._node, self._hook = node, hook

    def remove(self) -> None:
        """Take the hook away; a second call changes nothing."""
        left = [hook for hook in self._node.hooks or () if hook is not self._hook]
        self._node.hooks = left or None

    def __repr__(self) -> str:
        return f"HookHandle({getattr(self._hook, '__name__', type(self._hook).__name__)})"


Watch = Callable[[Node, Array, Sequence[Array | None]], None]


class Inspector(Protocol):
    """Someone who looks at every result, forward and backward, while `inspect_with` lets them."""

    every_layer: bool  # whether a layer and its activation shall be nodes of their own

    def forward(self, node: Node, operation: Operation, parents: tuple[Node, ...], settings: tuple[Any, ...]) -> None:
        """Look at a result that was just computed."""

    def start(self, loss: Node, seed: Array) -> None:
        """Look at where a backward pass starts."""

    def backward(self, node: Node, incoming: Array, outgoing: Sequence[Array | None]) -> None:
        """Look at what a gradient rule just gave."""


hooks_of = attrgetter("hooks")


def by_leaf(arrived: Iterable[tuple[Node, Any]]) -> dict[Node, Any]:
    """Give to each leaf what has arrived there, also as a part of a span."""
    totals: dict[Node, Any] = {}
    for operand, total in arrived:
        for leaf, share in operand.parts(total):
            if leaf.requires_grad:
                totals[leaf] = totals[leaf] + share if leaf in totals else share
    return totals


def keep_gradient(g: Array) -> None:
    """Mark, as a hook, a node that keeps its gradient in ``.grad``."""


def through_hooks(node: Node, g: Array, kept: dict[Node, Array]) -> Array:
    """Pass a gradient through the hooks of a node, in the order in which they were registered."""
    for hook in node.hooks or ():
        seen = np.asarray(g).view()
        seen.setflags(write=False)  # the array may be another node's gradient as well
        changed = hook(seen)
        if changed is not None:
            new = as_floats(changed, node.array.dtype)
            if new.shape != node.array.shape:
                raise ShapeError(
                    f"register_hook: the hook gave an array of shape {new.shape}, the tensor has shape {node.shape}. "
                    "Expected a gradient of the tensor's shape, or None to leave it as it is."
                )
            g = new
    if node.hooks and keep_gradient in node.hooks:
        kept[node] = g
    return g


def as_tensor(data: Any, like: Node | None = None) -> Any:
    """Give `data` itself if it is a tensor, else a constant.

    Parameters
    ----------
    data : Tensor or array_like of real numbers
        An array of floats is not copied: do not change it between forward and backward.
    like : Tensor, optional
        A Python number takes its dtype, so that 2 * x keeps float32.

    Returns
    -------
    Tensor
        Without a gradient, unless `data` is a tensor that asks for one.

    Raises
    ------
    DataError
        If `data` is no array of real numbers, or a list in which a tensor would lose its past.
    """
    kind = type(data)
    if kind is Array and data.dtype in _FLOATS:
        return _constant(data)
    if isinstance(data, Node):
        return data
    if kind is float or (kind is int and -_LARGEST < data < _LARGEST):
        # A long chain is full of numbers such as 0.5; one record of each is enough.
        return _number(data, copysign(1.0, data), None if like is None else like.array.dtype)
    if isinstance(data, (list, tuple)) and _holds_learning_tensor(data):
        raise DataError(
            "tensor: the list holds a tensor that asks for a gradient; as plain numbers it would lose its past. "
            "Compute with the tensors one by one, or use bplib.stack(list), or .numpy() if you mean the numbers."
        )
    number = like is not None and isinstance(data, (int, float, np.integer))
    return _constant(as_floats(data, like.array.dtype if number and like is not None else None))


def _constant(array: np.ndarray) -> Any:
    node: Any = MAKE(Node.makes)
    node.array = array
    node.requires_grad = False
    node.operation = node.remembered = node.name = node.hooks = node._gradient = None
    node.parents = node.settings = ()
    node.order = 0
    return node


@lru_cache(maxsize=1024)
def _number(value: float, _sign: float, dtype: Any) -> Any:
    # The sign is part of the key because 0.0 == −0.0.
    array = as_floats(value, dtype, copy=True)
    array.setflags(write=False)
    return _constant(array)


def _holds_learning_tensor(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_holds_learning_tensor(item) for item in data)
    return isinstance(data, Node) and data.requires_grad
