"""The chain rule: a tensor remembers how it was made, and `backward` walks the way back.

Forward: every operation makes a node, a plain record of the result, the parents and the row
of the table it came from. Backward: the nodes are visited from the newest to the oldest, and
each passes *incoming × local = outgoing* to its parents. A node is newer than its parents, so
when its turn comes, everything that flows into it has arrived. No recursion, no cycles.

References
----------
S. Linnainmaa (1976), BIT 16, 146-160. A. Griewank and A. Walther (2008), *Evaluating
Derivatives*, 2nd ed., SIAM, chapter 3.
"""

from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, ClassVar, TypeVar

import numpy as np

from bplib.checks import as_floats
from bplib.errors import DataError, GraphError, ShapeError
from bplib.home import Home, share_home
from bplib.rules import Operation

__all__ = ["Node", "apply", "as_tensor", "is_recording", "no_grad", "walk_back"]

# The C library on Linux hands every block above 128 KB back to the system when it is freed, and asks for it
# again at the next step. Freeing one block of 8 MB teaches it to keep those; it is never touched, so it costs
# nothing. A training step of medium size takes a third less.
np.empty(1 << 20)

_clock = count(1).__next__
_recording = True
_MAKE: Any = object.__new__
AnyNode = TypeVar("AnyNode", bound="Node")


class Node:
    """The record of one number, array or result: its values, its parents, and the way back to them.

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
    remembered : object
        What the operation wants to know again on the way back.
    order : int
        The creation number; for what was made by hand, that of its last change.
    home, buffer, offset
        Where a parameter lives in its model's vectors (see `bplib.home`); None and 0 for all else.
    """

    __slots__ = (
        "__weakref__",
        "_gradient",
        "array",
        "name",
        "operation",
        "order",
        "parents",
        "remembered",
        "requires_grad",
        "retains_grad",
    )

    # The class of what an operation gives.
    makes: ClassVar[type["Node"]]

    # Only parameters have a place for these; every other node would carry them for nothing.
    home: Home | None = None
    buffer: np.ndarray | None = None
    offset: int = 0

    def __init__(self, array: np.ndarray, requires_grad: bool, name: str | None = None) -> None:
        self.array = array
        self.requires_grad = requires_grad
        self.name = name
        self._gradient: np.ndarray | None = None
        self.operation: Operation | None = None
        self.parents: tuple[Node, ...] = ()
        self.remembered: Any = None
        self.retains_grad = False
        self.order = _clock()

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

    def touch(self) -> None:
        """Note that the values have changed, so that an older graph is not used with them."""
        self.order = _clock()

    def receive(self, g: np.ndarray) -> None:
        """Add an arriving gradient to ``.grad``; the first one is copied, so that none is shared."""
        if self._gradient is not None:
            self._gradient += g
        elif self.buffer is None:
            self._gradient = np.array(g, dtype=self.array.dtype)
        else:
            if g is not self.buffer:
                self.buffer[...] = g
            self._gradient = self.buffer

    def landing_place(self, dtype: np.dtype) -> np.ndarray | None:
        """Give the array into which a rule may write this tensor's gradient directly, or None.

        Only a parameter in a home has one, and only for the first gradient to arrive.
        """
        buffer = self.buffer
        if buffer is None or self._gradient is not None or buffer.dtype is not dtype or not self.requires_grad:
            return None
        return buffer

    def _needs_graph(self, what: str) -> None:
        if not self.requires_grad:
            raise GraphError(
                f"{what}: nothing in this graph asks for a gradient. Expected at least one tensor made with "
                "requires_grad=True, used outside no_grad()."
            )

    def settle(self, others: Sequence["Node"]) -> None:
        """Move into one home with `others`, where all of them have homes; see `bplib.home`."""
        share_home(others)


def apply(operation: Operation, *parents: AnyNode, settings: tuple[Any, ...] = ()) -> AnyNode:
    """Compute one operation and, unless recording is off, remember how to go back.

    Parameters
    ----------
    operation : Operation
        A row of the table.
    *parents : Node
        The operands.
    settings : tuple
        What else the forward function takes, such as an axis.

    Raises
    ------
    ShapeError
        If the operands' shapes do not fit the operation.
    """
    try:
        array, remembered = operation.forward(*[p.array for p in parents], *settings)
    except (ValueError, IndexError, TypeError) as error:
        raise _misfit(operation, parents, settings) from error
    node: AnyNode = _MAKE(parents[0].makes)
    node.array = array if type(array) is np.ndarray else np.asarray(array)
    node._gradient = node.name = None
    node.retains_grad = False
    node.order = _clock()
    if _recording:
        for p in parents:
            if p.requires_grad:
                node.requires_grad = True
                node.operation, node.parents, node.remembered = operation, parents, remembered
                return node
    if node.array.base is not None:
        node.array = node.array.copy()  # without a past, a view would change with its source and nobody would know
    node.requires_grad = False
    node.operation, node.parents, node.remembered = None, (), None
    return node


class no_grad:
    """Compute without recording: results have no past, which saves time and memory.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor(2.0, requires_grad=True)
    >>> with bplib.no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        global _recording
        self._before.append(_recording)
        _recording = False

    def __exit__(self, *error: object) -> None:
        global _recording
        _recording = self._before.pop()


def is_recording() -> bool:
    """Say whether operations are remembered at this moment."""
    return _recording


def walk_back(loss: Node, seed: np.ndarray, only: Collection[int] | None = None) -> None:
    """Visit the nodes from the newest to the oldest and hand each parent its gradient.

    Parameters
    ----------
    loss : Node
        Where the walk starts; the result of an operation.
    seed : numpy.ndarray of the loss's shape
        The gradient that arrives there: 1 for a loss.
    only : collection of int, optional
        The ``id`` of the leaves that may keep a gradient; all that ask for one, if left out.

    Raises
    ------
    GraphError
        If a leaf was changed after an operation had used it. Leaves without a gradient stay without one then.
    """
    # For each node that waits: the node, its gradient so far, and whether that array is ours to add to.
    waiting: dict[int, list[Any]] = {loss.order: [loss, seed, False]}
    queue = [-loss.order]
    reached: list[Node] = []
    with np.errstate(all="ignore"):  # an infinity or NaN on the way is the result, not an accident
        while queue:
            node, g, _ = waiting.pop(-heappop(queue))
            if node.retains_grad:
                node.receive(g)
            outgoing = node.operation.gradient(node, g)
            for parent, share in zip(node.parents, outgoing, strict=True):
                if share is None or not parent.requires_grad:
                    continue
                if parent.order > node.order:
                    for leaf in reached:
                        leaf._gradient = None
                    raise _changed(parent, node)
                if parent.operation is None:
                    if only is None or id(parent) in only:
                        if parent._gradient is None:
                            reached.append(parent)
                        parent.receive(share)
                    continue
                entry = waiting.get(parent.order)
                if entry is None:
                    waiting[parent.order] = [parent, share, False]
                    heappush(queue, -parent.order)
                elif entry[2]:
                    entry[1] += share
                else:
                    # The first gradient may be another node's as well: add into a new array.
                    entry[1], entry[2] = np.add(entry[1], share), True


def _changed(leaf: Node, node: Node) -> GraphError:
    who = f"the tensor {leaf.name!r}" if leaf.name else f"a tensor of shape {leaf.shape}"
    used = node.operation.name if node.operation else "an operation"
    return GraphError(
        f"backward: {who} was changed after '{used}' had used it. The gradient would belong to values that are gone. "
        "Run the forward pass again, and update the weights only after backward."
    )


def _misfit(operation: Operation, parents: Sequence[Node], settings: tuple[Any, ...]) -> ShapeError | DataError:
    shapes = " and ".join(str(p.array.shape) for p in parents)
    name = operation.name
    if name in ("matmul", "linear"):
        left, right = parents[0].array, parents[1].array
        rows = right.shape[-2:-1] if right.ndim > 1 else right.shape[:1]
        return ShapeError(
            f"{name}: shapes {shapes} do not fit. Expected the columns on the left to equal the rows on the right, "
            f"got {left.shape[-1:] or 'a single number'} and {rows or 'a single number'}. "
            "Try .T on one of them, or check the order."
        )
    if settings:
        return ShapeError(
            f"{name}: {settings[0]!r} does not fit a tensor of shape {shapes}. "
            "Check the axis, the index or the number of elements."
        )
    return ShapeError(
        f"{name}: shapes {shapes} do not fit. Expected equal lengths on every axis, counted from the right, or a 1. "
        "Try .reshape, or index with None to add an axis."
    )


def as_tensor(data: Any, like: Node | None = None) -> Any:
    """Give `data` itself if it is a tensor, else a constant.

    Parameters
    ----------
    data : Tensor or array_like of real numbers
        A float64 array is not copied: do not change it between forward and backward.
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
    if isinstance(data, Node):
        return data
    if type(data) is np.ndarray and data.dtype == np.float64:
        array = data
    else:
        if isinstance(data, (list, tuple)) and _holds_learning_tensor(data):
            raise DataError(
                "tensor: the list holds a tensor that asks for a gradient; as plain numbers it would lose its past. "
                "Compute with the tensors one by one, or use .numpy() if you mean the numbers."
            )
        number = like is not None and isinstance(data, (int, float, np.integer))
        array = as_floats(data, like.array.dtype if number and like is not None else None)
    constant: Any = _MAKE(Node.makes)
    constant.array = array
    constant.requires_grad = constant.retains_grad = False
    constant.operation = constant.remembered = constant.name = constant._gradient = None
    constant.parents, constant.order = (), 0
    return constant


def _holds_learning_tensor(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_holds_learning_tensor(item) for item in data)
    return isinstance(data, Node) and data.requires_grad
