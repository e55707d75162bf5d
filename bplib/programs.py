"""Operations that write into arrays made once: what a recorded step runs in place of the rows of the table.

The numbers are those of the table to the last bit; only the memory is not made anew. One builder
for a stack of layers, where training spends its time; every other row runs as it stands.
"""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bplib.constants import constant
from bplib.nodes import Array, Node
from bplib.rules.elementwise import positive_part, sigmoid, through_sigmoid
from bplib.rules.layers import linear_gradient

__all__ = ["Program", "program_for"]

_add, _multiply, _subtract = np.add, np.multiply, np.subtract  # found faster than through the module


class Program(NamedTuple):
    """What a recorded node does.

    Attributes
    ----------
    forward : callable
        ``forward()`` writes into ``node.array``.
    gradient : callable
        ``gradient(node, g)`` is like the row's.
    write : callable or None
        ``write(g)`` puts the only gradient that is asked for into its operand's memory, whatever is there.
    """

    forward: Callable[[], None]
    gradient: Callable[[Any, Array], Any]
    write: Callable[[Array], Any] | None = None


def program_for(node: Node) -> Program | None:
    """Give the forward and the gradient function of this node, or None where its row shall be used.

    Parameters
    ----------
    node : Node
        A recorded result. Its array, and those of its parents, must stay where they are in memory.

    Returns
    -------
    Program or None
        See `Program`.
    """
    make = _BUILDERS.get(node.operation.name) if node.operation is not None else None
    return None if make is None else make(node)


def _linear(node: Node) -> Program | None:
    x, weight, *biases = node.parents
    if not _is_plain(node) or not biases:
        return None
    below, by, z = x.array, weight.array, node.array
    bias = biases[0].array

    def forward() -> None:
        below.dot(by, z)
        _add(z, bias, z)

    return Program(forward, linear_gradient)


def _is_plain(node: Node) -> bool:
    """Say whether all operands are of one type and the examples are the rows of a matrix."""
    x = node.parents[0].array
    return x.ndim == 2 and all(operand.array.dtype is x.dtype for operand in node.parents)


def _squared_error(node: Node) -> Program | None:
    (prediction, target), (reduction,) = node.parents, node.settings
    same = prediction.array.dtype is target.array.dtype is node.array.dtype and node.array.ndim == 0
    if not same or not prediction.array.flags.c_contiguous or target.requires_grad:
        return None
    error = np.empty_like(prediction.array)
    flat, room, loss = error.ravel(), np.empty_like(error), node.array
    weight = 1.0 / error.size if reduction == "mean" else 1.0
    a, b = prediction.array, target.array
    one, slope = constant(1.0, (), error.dtype), constant(2.0 * weight, (), error.dtype)

    def forward() -> None:
        _subtract(a, b, error)
        loss[()] = flat.dot(flat) * weight

    def gradient(_: Any, g: Array) -> tuple[Array, None]:
        # At the end of a graph, where a 1 arrives, NumPy need not convert a number.
        return _multiply(error, slope if g is one else g.item() * (2.0 * weight), room), None

    return Program(forward, gradient)


def _layers(node: Node) -> Program | None:
    (x, theta), (stack,) = node.parents, node.settings
    if not _is_plain(node):
        return None
    outputs = [x.array, *node.remembered[1:]]
    outputs[-1] = node.array
    plan = [
        (below, weight, bias, z, _ACTIVATIONS[activation][0])
        for below, (weight, bias), z, activation in zip(
            outputs, stack.divide(theta.array), outputs[1:], stack.activations, strict=False
        )
    ]

    def forward() -> None:
        for below, weight, bias, z, activate in plan:
            below.dot(weight, z)
            _add(z, bias, z)
            if activate is not None:
                activate(z, z)

    return Program(forward, *_layers_gradient(node, outputs))


def _layers_gradient(node: Node, outputs: list[Array]) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
    (x, theta), (stack,) = node.parents, node.settings
    dtype, to_x = node.array.dtype, x.requires_grad
    ones = constant(1.0, (len(node.array),), dtype)
    rooms = [(np.empty_like(y), np.empty_like(below)) for below, y in itertools.pairwise(outputs)]

    def plan_for(to_theta: Array) -> list[tuple[Any, ...]]:
        plan = []
        for i, _, upwards, to_weight, to_bias in stack.way_back(theta.array, to_theta):
            through, (room, down) = _ACTIVATIONS[stack.activations[i]][1], rooms[i]
            below = down if i or to_x else None
            plan.append((outputs[i + 1], through, room, to_bias, outputs[i].T, to_weight, upwards, below))
        return plan

    def back(plan: list[tuple[Any, ...]], g: Array) -> Array:
        for y, through, room, to_bias, columns, to_weight, upwards, below in plan:
            if through is not None:
                through(y, g, room)
                g = room
            ones.dot(g, to_bias)
            columns.dot(g, to_weight)
            if below is not None:
                g = g.dot(upwards, below)
        return g

    own = [] if theta.buffer is None else plan_for(theta.buffer)

    def gradient(_: Any, g: Array) -> tuple[Array | None, Array]:
        to_theta, plan = theta.landing(dtype), own
        if to_theta is None:
            to_theta = np.empty_like(theta.array)
            plan = plan_for(to_theta)
        g = back(plan, g)
        return (g if to_x else None), to_theta

    return gradient, partial(back, own) if own else None


def _through_tanh(y: Array, g: Array, room: Array) -> None:
    _multiply(y, y, room)
    _multiply(room, g, room)
    _subtract(g, room, room)


def _through_relu(y: Array, g: Array, room: Array) -> None:
    np.copyto(room, np.greater(y, 0))
    _multiply(g, room, room)


def _sigmoid(z: Array, out: Array) -> None:
    np.copyto(out, sigmoid(z)[0])


def _through_sigmoid(y: Array, g: Array, room: Array) -> None:
    np.copyto(room, through_sigmoid(y, g))


_ACTIVATIONS: dict[str | None, tuple[Callable[..., Any] | None, Callable[..., None] | None]] = {
    None: (None, None),
    "tanh": (np.tanh, _through_tanh),
    "relu": (positive_part, _through_relu),
    "sigmoid": (_sigmoid, _through_sigmoid),
}
_BUILDERS: dict[str, Callable[[Node], Program | None]] = {
    "layers": _layers,
    "linear": _linear,
    "squared_error": _squared_error,
}
