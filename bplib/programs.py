"""Operations that write into arrays made once: what a recorded step runs in place of the rows of the table.

The numbers are those of the table to the last bit; only the memory is not made anew. One builder
for a stack of layers, where training spends its time; every other row runs as it stands.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.nodes import Array, Node
from bplib.rules import constant
from bplib.rules.elementwise import sigmoid, through_sigmoid

__all__ = ["Program", "program_for"]

Program = tuple[Callable[[], None], Callable[[Any, Array], Any]]


def program_for(node: Node) -> Program | None:
    """Give the forward and the gradient function of this node, or None where its row shall be used.

    Parameters
    ----------
    node : Node
        A recorded result. Its array, and those of its parents, must stay where they are in memory.

    Returns
    -------
    (callable, callable) or None
        ``forward()`` writes into ``node.array``; ``gradient(node, g)`` is like the row's.
    """
    if node.operation is None or node.operation.name not in ("layers", "linear", "squared_error"):
        return None
    if node.operation.name == "squared_error":
        return _squared_error(node)
    x, weight = node.parents[:2]
    same = all(parent.array.dtype is x.array.dtype for parent in node.parents)
    if not same or x.array.ndim != 2 or len(node.parents) < 3 or x is weight:
        return None
    if node.operation.name == "linear":
        node.remembered, activations = [x.array, node.array], (None,)
    else:
        (activations,) = node.settings
    if any(activation not in _ACTIVATIONS for activation in activations):
        return None
    return _layers(node, activations)


def _squared_error(node: Node) -> Program | None:
    (prediction, target), (reduction,) = node.parents, node.settings
    same = prediction.array.dtype is target.array.dtype is node.array.dtype and node.array.ndim == 0
    if not same or not prediction.array.flags.c_contiguous or target.requires_grad:
        return None
    error = np.empty_like(prediction.array)
    flat, room, loss = error.ravel(), np.empty_like(error), node.array
    weight = 1.0 / error.size if reduction == "mean" else 1.0
    a, b, subtract = prediction.array, target.array, np.subtract

    def forward() -> None:
        subtract(a, b, error)
        loss[()] = flat.dot(flat) * weight

    def gradient(_: Any, g: Array) -> tuple[Array, None]:
        return np.multiply(error, g.item() * (2.0 * weight), room), None

    return forward, gradient


def _layers(node: Node, activations: tuple[str | None, ...]) -> Program:
    x, *parameters = node.parents
    outputs = [x.array, *node.remembered[1:]]
    outputs[-1] = node.array
    weights, biases = parameters[::2], parameters[1::2]
    plan = [
        (below, weight.array, bias.array, z, _ACTIVATIONS[activation][0])
        for below, weight, bias, z, activation in zip(outputs, weights, biases, outputs[1:], activations, strict=False)
    ]
    add = np.add

    def forward() -> None:
        for below, weight, bias, z, activate in plan:
            below.dot(weight, z)
            add(z, bias, z)
            if activate is not None:
                activate(z)

    return forward, _layers_gradient(node, activations, outputs)


def _layers_gradient(node: Node, activations: tuple[str | None, ...], outputs: list[Array]) -> Callable[..., Any]:
    x, *parameters = node.parents
    dtype, last = node.array.dtype, len(activations) - 1
    ones = constant(1.0, (len(node.array),), dtype)
    plan = []
    for i in range(last, -1, -1):
        weight, bias, below = parameters[2 * i], parameters[2 * i + 1], outputs[i]
        room = np.empty_like(outputs[i + 1])
        down = np.empty_like(below) if i or x.requires_grad else None
        through = _ACTIVATIONS[activations[i]][1]
        plan.append((outputs[i + 1], through, room, bias, weight, below.T, weight.array.T, down))
    once = len({*parameters}) == len(parameters)

    def gradient(_: Any, g: Array) -> list[Array | None]:
        # Straight into the memory of the parameters where that is still empty: all of them, or none.
        land = once
        for parameter in parameters:
            if parameter._gradient is not None:
                land = False
                break
        shares: list[Array | None] = []
        for y, through, room, bias, weight, below, above, down in plan:
            if through is not None:
                through(y, g, room)
                g = room
            shares.append(ones.dot(g, bias.buffer if land else None) if bias.requires_grad else None)
            shares.append(below.dot(g, weight.buffer if land else None) if weight.requires_grad else None)
            if down is not None:
                g = g.dot(above, down)
        shares.append(g if x.requires_grad else None)
        return shares[::-1]

    return gradient


def _tanh(z: Array) -> None:
    np.tanh(z, z)


def _through_tanh(y: Array, g: Array, room: Array) -> None:
    np.multiply(y, y, room)
    np.multiply(room, g, room)
    np.subtract(g, room, room)


def _relu(z: Array) -> None:
    np.maximum(z, constant(0.0, (), z.dtype), out=z)


def _through_relu(y: Array, g: Array, room: Array) -> None:
    np.copyto(room, np.greater(y, 0))
    np.multiply(g, room, room)


def _sigmoid(z: Array) -> None:
    np.copyto(z, sigmoid(z)[0])


def _through_sigmoid(y: Array, g: Array, room: Array) -> None:
    through_sigmoid(y, g, room)


_ACTIVATIONS: dict[str | None, tuple[Callable[..., None] | None, Callable[..., None] | None]] = {
    None: (None, None),
    "tanh": (_tanh, _through_tanh),
    "relu": (_relu, _through_relu),
    "sigmoid": (_sigmoid, _through_sigmoid),
}
