"""A stack of layers taken apart again, so that every step of it can be shown."""

from bplib.nodes import Node
from bplib.quiet import quiet
from bplib.rules import TABLE, Operation

__all__ = ["unrolled"]

_LAYERS, _LINEAR = TABLE["layers"], TABLE["linear"]


def unrolled(loss: Node) -> Node:
    """Give a graph with the same leaves and the same numbers, in which every layer and every activation is a node.

    Parameters
    ----------
    loss : Node
        The end of a graph. It stays as it is.

    Returns
    -------
    Node
        The end of the other graph; `loss` itself where there is nothing to take apart.

    Examples
    --------
    >>> from bplib import nn
    >>> y = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))([[1.0, 2.0]])
    >>> y.operation.name, unrolled(y).operation.name, unrolled(y).parents[0].operation.name
    ('layers', 'linear', 'tanh')
    """
    results = _results(loss)
    if all(node.operation is not _LAYERS for node in results):
        return loss
    instead: dict[Node, Node] = {}
    for node in results:
        parents = tuple(instead.get(parent, parent) for parent in node.parents)
        instead[node] = _apart(node, parents) if node.operation is _LAYERS else _copied(node, parents)
    return instead[loss]


def _results(loss: Node) -> list[Node]:
    """Give the results of operations in the graph, from the oldest to the newest."""
    found, waiting = {loss}, [loss]
    while waiting:
        for parent in waiting.pop().parents:
            if parent.operation is not None and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return sorted(found, key=lambda node: node.order)


def _apart(node: Node, parents: tuple[Node, ...]) -> Node:
    x = parents[0]
    (activations,) = node.settings
    for i, activation in enumerate(activations):
        x = _made(_LINEAR, (x, parents[2 * i + 1], parents[2 * i + 2]))
        if activation is not None:
            x = _made(TABLE[activation], (x,))
    x.name = node.name
    return x


def _made(operation: Operation, parents: tuple[Node, ...]) -> Node:
    # Not through `apply`: here a node is made even where recording is off, and nobody inspects it.
    array, remembered = quiet().run(operation.forward, *[parent.array for parent in parents])
    node = Node(array, requires_grad=True)
    node.operation, node.parents, node.remembered = operation, parents, remembered
    return node


def _copied(node: Node, parents: tuple[Node, ...]) -> Node:
    copy = Node(node.array, requires_grad=True, name=node.name)
    copy.operation, copy.parents = node.operation, parents
    copy.settings, copy.remembered = node.settings, node.remembered
    return copy
