"""A backward pass as it happens: every visit noted with copies of what came in and what went out.

A stack of layers, which the engine takes in one go, is unfolded into its linear parts and activations.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bplib.engine import walk_back
from bplib.nodes import Node
from bplib.rules import TABLE
from bplib.tracing.locals import Standing

__all__ = ["Visit", "follow", "kept"]

# The place in the row in which gradients are added at a node: which visit of the engine's, which operand.
Rank = tuple[int, int]
Gradients = Sequence[np.ndarray | None]


class Visit:
    """What happened at one result.

    Attributes
    ----------
    node : Node or Standing
        The result.
    incoming : numpy.ndarray or None
        The gradient that had arrived; None if none was wanted.
    outgoing : sequence of numpy.ndarray or None
        What went to each operand.
    ranks : sequence of tuple
        When each of them is added to what its operand has.
    original : Node or None
        The engine's node, where this is its result; None inside a stack of layers.
    """

    __slots__ = ("incoming", "node", "original", "outgoing", "ranks")

    def __init__(self, node: Any, incoming: np.ndarray | None, outgoing: Gradients, ranks: Sequence[Rank]) -> None:
        self.node, self.incoming, self.outgoing, self.ranks = node, incoming, outgoing, ranks
        self.original: Node | None = node if isinstance(node, Node) else None


def kept(array: Any) -> np.ndarray:
    """Give a copy that nobody can write into."""
    copy = np.array(array)
    copy.setflags(write=False)
    return copy


def follow(loss: Node, seed: np.ndarray) -> tuple[list[Visit], dict[Node, np.ndarray]]:
    """Walk back from the loss and note every visit.

    Parameters
    ----------
    loss : Node
        Where the walk starts; the result of an operation.
    seed : numpy.ndarray of the loss's shape
        The gradient that arrives there.

    Returns
    -------
    visits : list of Visit
        From the loss back.
    gradients : dict of Node to numpy.ndarray
        The gradient of each leaf that asks for one.
    """
    visits: list[Visit] = []

    def watch(node: Node, incoming: np.ndarray, outgoing: Gradients) -> None:
        came = kept(incoming)
        went = [None if share is None else came if share is incoming else kept(share) for share in outgoing]
        visits.append(Visit(node, came, went, [(len(visits), place) for place in range(len(outgoing))]))

    gradients = walk_back(loss, seed, watch)
    unfolded: list[Visit] = []
    for visit in visits:
        unfolded += _unfold(visit) if visit.node.operation.name == "layers" else [visit]
    return unfolded, gradients


def _unfold(visit: Visit) -> list[Visit]:
    """Give one visit for each linear part and each activation, the last first, as the rule of `layers` goes."""
    parts = _parts(visit.node)
    found: list[Visit] = []
    g, (to_x, to_theta) = visit.incoming, visit.outgoing
    of_x, of_theta = visit.ranks
    theta: Any = visit.node.parents[1]
    shares = theta.parts(theta.array if to_theta is None else to_theta)
    arrived = {leaf: share if leaf.requires_grad else None for leaf, share in shares}
    for part, is_first in parts[::-1]:
        if is_first is None:
            outgoing: list[np.ndarray | None] = [_through(part, g)]
            ranks: list[Rank] = [(0, 0)]
        else:
            outgoing = [to_x if is_first else _to_inputs(part, g), *(arrived[leaf] for leaf in part.parents[1:])]
            ranks = [of_x if is_first else (0, 0), of_theta, of_theta]
        found.append(Visit(part, g if part.requires_grad else None, outgoing, ranks))
        g = outgoing[0]
    found[0].original = visit.node
    return found


def _parts(node: Any) -> list[tuple[Standing, bool | None]]:
    """Give the linear parts, computed as the forward function does it, and the activations.

    With each linear part comes whether it is the first, with an activation None.
    """
    (result, theta), (stack,), outputs = node.parents, node.settings, node.remembered
    parts: list[tuple[Standing, bool | None]] = []
    for i, activation in enumerate(stack.activations):
        operands = (result, *theta.members[2 * i : 2 * i + 2])
        wanted = any(operand.requires_grad for operand in operands)
        row = TABLE["linear"]
        # An activation is written over its linear part, which therefore has to be computed again.
        z = outputs[i + 1] if activation is None else row.forward(*(operand.array for operand in operands))[0]
        result = Standing(z, wanted, row, operands)
        parts.append((result, i == 0))
        if activation is not None:
            result = Standing(outputs[i + 1], wanted, TABLE[activation], (result,))
            parts.append((result, None))
    return parts


def _through(activation: Standing, g: np.ndarray | None) -> np.ndarray | None:
    if g is None or not activation.requires_grad:
        return None
    row: Any = activation.operation
    return kept(row.gradient(activation, g)[0])


def _to_inputs(linear: Standing, g: np.ndarray | None) -> np.ndarray | None:
    """Give g @ weightᵀ for the part of a stack that is not the first, over rows as the rule of `layers` has it."""
    x, weight = linear.parents[:2]
    if g is None or not x.requires_grad:
        return None
    return kept(g.reshape(-1, g.shape[-1]).dot(weight.array.T).reshape(x.array.shape))
