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

from collections.abc import Sequence
from contextvars import Context, copy_context
from heapq import heappop, heappush, heappushpop
from typing import Any, TypeVar

import numpy as np

from bplib.errors import BplibError, DomainError, GraphError, ShapeError
from bplib.home import aside
from bplib.modes import mode, unusual
from bplib.nodes import MAKE, Array, Node, Watch, by_leaf, clock, hooks_of, through_hooks
from bplib.quiet import quiet
from bplib.rules import Operation

__all__ = ["apply", "backpropagate", "walk_back"]

# The C library on Linux hands every block above 128 KB back to the system when it is freed, and asks for it
# again at the next step. Freeing one block of 8 MB teaches it to keep those; it is never touched, so it costs
# nothing. A training step of medium size takes a third less.
np.empty(1 << 20)

AnyNode = TypeVar("AnyNode", bound=Node)


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
    call: list[Any] = [operation.forward]
    needs_gradient = False
    for p in parents:
        call.append(p.array)
        if p.requires_grad:
            needs_gradient = True
    if settings:
        call += settings
    try:
        array, remembered = quiet().run(*call)
    except BplibError:
        raise
    except (ValueError, IndexError, TypeError, OverflowError, MemoryError) as error:
        raise _misfit(operation, parents, settings, error) from error
    node: AnyNode = MAKE(parents[0].makes)
    node.array = array if type(array) is Array else np.asarray(array)
    node._gradient = node.name = node.hooks = None
    node.order = clock()
    if unusual and mode.inspector is not None:
        mode.inspector.forward(node, operation, parents, settings)
    if needs_gradient and (not unusual or mode.recording):
        node.requires_grad = True
        node.operation, node.parents = operation, parents
        node.settings, node.remembered = settings, remembered
        return node
    if node.array.base is not None:
        node.array = node.array.copy()  # without a past, a view would change with its source and nobody would know
    node.requires_grad = False
    node.operation = node.remembered = None
    node.parents = node.settings = ()
    return node


def backpropagate(loss: Node, seed: Array) -> None:
    """Add ∂loss/∂x to ``x.grad`` of every leaf x that asked for it: all of them, or none if something is wrong.

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
    kept: dict[Node, Array] = {}
    watch = None
    if unusual and mode.inspector is not None:
        mode.inspector.start(loss, seed)
        watch = mode.inspector.backward
    landed: set[Node] = set()
    try:
        totals = quiet().run(_walk, loss, seed, watch, kept, copy_context(), landed)
    except BaseException:
        for operand in landed:
            operand.forget()
        raise
    for leaf, total in totals.items():
        leaf.receive(total)
    for node, total in kept.items():
        node.receive(total)


def walk_back(loss: Node, seed: Array, watch: Watch | None = None) -> dict[Node, Array]:
    """Compute the gradients as `backpropagate` does, and hand them over instead: no ``.grad`` changes, no hook runs.

    Parameters
    ----------
    loss : Node
        Where the walk starts; the result of an operation.
    seed : numpy.ndarray of the loss's shape
        The gradient that arrives there: 1 for a loss.
    watch : callable, optional
        ``watch(node, incoming, outgoing)`` is called after each gradient rule.

    Returns
    -------
    dict of Node to numpy.ndarray
        The gradient of each leaf that asks for one and was reached.

    Raises
    ------
    GraphError
        If a leaf was changed after an operation had used it.
    """
    within = aside.has_this_one()
    aside.enter()
    try:
        totals = quiet().run(_walk, loss, seed, watch, None, copy_context(), set())
    finally:
        if not within:
            aside.leave()
    return {leaf: np.array(total) for leaf, total in by_leaf(totals.items()).items()}


Kept = dict[Node, Array] | None


# A parameter into whose own memory a rule has written comes into `landed`; what arrives there otherwise is added.
def _walk(loss: Node, seed: Array, watch: Watch | None, kept: Kept, user: Context, landed: set[Node]) -> dict[Any, Any]:
    """Visit the nodes from the newest to the oldest. Hooks run where `kept` is given, in the context of the caller."""
    queue: list[Any] = []
    ahead: Any = loss  # the next one of a chain needs no queue
    incoming: dict[Node, Any] = {loss: seed}
    ours: set[Node] = set()  # whose sum was made here; the first gradient to arrive may be another node's as well
    while ahead is not None:
        node, ahead = ahead, None
        g = incoming.pop(node)
        if node.hooks is not None and kept is not None:
            g = user.run(through_hooks, node, g, kept)
        outgoing = node.operation.gradient(node, g)
        if watch is not None:
            user.run(watch, node, g, outgoing)
        for parent, share in zip(node.parents, outgoing):  # noqa: B905  (a test holds the lengths; this is faster)
            if parent.order > node.order:
                raise _changed(parent, node)
            if share is None:
                continue
            if share is parent.buffer:
                landed.add(parent)
                parent._gradient = share
                if parent in incoming:
                    parent.receive(incoming.pop(parent))
            elif parent in landed:
                parent.receive(share)
            elif parent not in incoming:
                incoming[parent] = share
                if parent.operation is not None:
                    if ahead is not None:
                        heappush(queue, (-ahead.order, ahead))
                    ahead = parent
            elif parent in ours:
                incoming[parent] += share
            else:
                incoming[parent] = incoming[parent] + share
                ours.add(parent)
        if queue:
            ahead = (heappop(queue) if ahead is None else heappushpop(queue, (-ahead.order, ahead)))[1]
    if incoming and kept is not None and any(map(hooks_of, incoming)):
        return {leaf: user.run(through_hooks, leaf, g, {}) for leaf, g in by_leaf(incoming.items()).items()}
    return incoming


def _changed(operand: Node, node: Node) -> GraphError:
    leaf = next(leaf for leaf, _ in operand.parts(operand.array) if leaf.order > node.order)
    who = f"the tensor {leaf.name!r}" if leaf.name else f"a tensor of shape {leaf.shape}"
    used = node.operation.name if node.operation else "an operation"
    return GraphError(
        f"backward: {who} was changed after '{used}' had used it. The gradient would belong to values that are gone. "
        "Run the forward pass again, and update the weights only after backward."
    )


def _misfit(operation: Operation, parents: Sequence[Node], settings: tuple[Any, ...], error: Exception) -> BplibError:
    shapes = " and ".join(str(p.array.shape) for p in parents)
    name = operation.name
    if isinstance(error, MemoryError):
        given = f", the settings are {settings}" if settings else ""
        return DomainError(
            f"{name}: the result does not fit into memory. The operands have the shapes {shapes}{given}. Check for an "
            "axis that is repeated by accident, or take smaller batches."
        )
    if name == "matmul":
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
