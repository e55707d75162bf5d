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

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Any, ClassVar, TypeVar

import numpy as np

from bplib.errors import GraphError, ShapeError
from bplib.home import Home, share_home
from bplib.rules import Operation

__all__ = ["Node", "apply", "no_grad", "walk_back"]

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
    except (ValueError, IndexError) as error:
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
    node.requires_grad = False
    node.operation, node.parents, node.remembered = None, (), None
    return node


@contextmanager
def no_grad() -> Iterator[None]:
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
    global _recording
    before, _recording = _recording, False
    try:
        yield
    finally:
        _recording = before


def walk_back(loss: Node, seed: np.ndarray) -> None:
    """Visit the nodes from the newest to the oldest and hand each parent its gradient.

    Parameters
    ----------
    loss : Node
        Where the walk starts; the result of an operation.
    seed : numpy.ndarray of the loss's shape
        The gradient that arrives there: 1 for a loss.

    Raises
    ------
    GraphError
        If a leaf was changed after an operation had used it.
    """
    # For each node that waits: the node, its gradient so far, and whether that array is ours to add to.
    waiting: dict[int, list[Any]] = {loss.order: [loss, seed, True]}
    queue = [-loss.order]
    while queue:
        node, g, _ = waiting.pop(-heappop(queue))
        if node.retains_grad:
            node.receive(g)
        outgoing = node.operation.gradient(node, g)
        for parent, share in zip(node.parents, outgoing, strict=True):
            if share is None or not parent.requires_grad:
                continue
            if parent.order > node.order:
                raise _changed(parent, node)
            if parent.operation is None:
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


def _misfit(operation: Operation, parents: Sequence[Node], settings: tuple[Any, ...]) -> ShapeError:
    shapes = " and ".join(str(p.shape) for p in parents)
    name = operation.name
    if name in ("matmul", "linear"):
        return ShapeError(
            f"{name}: shapes {shapes} do not fit. Expected the columns on the left to equal the rows on the right, "
            f"got {parents[0].shape[-1:] or 'a single number'} and {parents[1].shape[:1] or 'a single number'}. "
            "Try .T on one of them, or check the order."
        )
    if settings:
        return ShapeError(
            f"{name}: {', '.join(map(repr, settings))} does not fit a tensor of shape {shapes}. "
            "Check the axis, the index or the number of elements."
        )
    return ShapeError(
        f"{name}: shapes {shapes} do not fit. Expected equal lengths on every axis, counted from the right, or a 1. "
        "Try .reshape, or index with None to add an axis."
    )
