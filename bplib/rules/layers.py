"""Layers of neurons as one operation: a linear layer, and a stack of them with their activations.

Nothing here is new mathematics: both are chains of rows of the table. One node in place of
many saves the memory between them and the time to note them down.
"""

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from bplib.constants import constant
from bplib.errors import ShapeError
from bplib.rules.elementwise import positive_part, sigmoid, through_relu, through_sigmoid
from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS", "Stack"]


def linear(x: Array, weight: Array, bias: Array | None = None) -> Remembered:
    """Give x @ weight + bias as one operation, what a layer of neurons computes."""
    columns = weight.shape[1:]
    if len(columns) != 1 or not x.ndim:
        raise ShapeError(
            f"linear: x has shape {x.shape}, weight has shape {weight.shape}. "
            "Expected x (..., in) and weight (in, out)."
        )
    try:
        y = x.dot(weight)
    except ValueError:
        raise ShapeError(
            f"linear: shapes {x.shape} and {weight.shape} do not fit. Expected the columns on the left to equal the "
            f"rows on the right, got {x.shape[-1]} and {len(weight)}. Try .T on one of them, or check the order."
        ) from None
    if bias is None:
        return y, None
    if bias.shape != columns:
        raise ShapeError(
            f"linear: weight has shape {weight.shape}, bias has shape {bias.shape}. "
            f"Expected one bias for each of the {columns[0]} columns, shape {columns}."
        )
    # In place where that keeps the type: the product is a new array that nobody else holds.
    return (np.add(y, bias, y) if y.dtype is bias.dtype else y + bias), None


def linear_gradient(node: Any, g: Array) -> list[Array | None]:
    """∂L/∂x = g @ weightᵀ, ∂L/∂weight = xᵀ @ g, ∂L/∂bias = the sum of g over the examples, as ones @ g.

    A parameter's gradient is written straight into its own memory where that is still empty.
    """
    x, weight, *biases = node.parents
    shares: list[Array | None] = [g.dot(weight.array.T) if x.requires_grad else None]
    below = x.array
    if g.ndim != 2:
        below, g = _rows(below), _rows(g)
    shares.append(below.T.dot(g, weight.landing(g.dtype)) if weight.requires_grad else None)
    for bias in biases:
        ones = constant(1.0, (len(g),), g.dtype)
        shares.append(ones.dot(g, bias.landing(g.dtype)) if bias.requires_grad else None)
    return shares


_Step = tuple[int, Callable[[Array, Array], Array] | None, Array, Array, Array]


@final
class Stack:
    """A stack of linear layers, each with its activation: how the vector of its parameters is divided.

    Parameters
    ----------
    shapes : sequence of (int, int)
        The shape of each weight. Its bias, one number for each column, lies behind it.
    activations : sequence of {"tanh", "relu", "sigmoid", None}
        What follows each layer.
    vectors : (numpy.ndarray, numpy.ndarray), shape (n,)
        θ and its gradient as most steps use them: these are divided once.
    """

    __slots__ = ("_parts", "_shapes", "_way_back", "activations", "applied", "gradient", "theta", "through")

    def __init__(
        self,
        shapes: Sequence[tuple[int, int]],
        activations: Sequence[str | None],
        vectors: tuple[Array, Array] | None = None,
    ) -> None:
        self._shapes, self.activations = shapes, activations
        self.applied = [None if activation is None else _APPLIED[activation] for activation in activations]
        self.through = [None if activation is None else _THROUGH[activation] for activation in activations]
        self.theta: Array | None = None
        self.gradient: Array | None = None
        if vectors is not None:
            self.theta, self.gradient = vectors
            self._parts, self._way_back = self._divided(vectors[0]), self._planned(*vectors)

    def __repr__(self) -> str:
        return f"Stack({self._shapes}, {self.activations})"

    def divide(self, vector: Array) -> list[tuple[Array, Array]]:
        """Give weight and bias of each layer as views into a vector."""
        return self._parts if vector is self.theta else self._divided(vector)

    def way_back(self, theta: Array, to_theta: Array) -> list[_Step]:
        """Give for each layer, the last first: its number, the way through its activation, weightᵀ, and two places."""
        known = theta is self.theta and to_theta is self.gradient
        return self._way_back if known else self._planned(theta, to_theta)

    def _divided(self, vector: Array) -> list[tuple[Array, Array]]:
        parts, start = [], 0
        for rows, columns in self._shapes:
            middle = start + rows * columns
            weight = vector[start:middle].reshape(rows, columns)
            start = middle + columns
            parts.append((weight, vector[middle:start]))
        return parts

    def _planned(self, theta: Array, to_theta: Array) -> list[_Step]:
        layers = zip(self.through, self._divided(theta), self._divided(to_theta), strict=True)
        return [(i, through, part[0].T, *places) for i, (through, part, places) in enumerate(layers)][::-1]


def layers(x: Array, theta: Array, stack: Stack) -> Remembered:
    """Give what a stack of linear layers and their activations computes from `x`; `theta` holds all its parameters.

    Each layer writes its activation over its linear part; the input and every layer's output are remembered.
    """
    outputs, parts, add = [x], stack.divide(theta), np.add
    if not x.ndim:
        linear(x, *parts[0])  # refuses it
    try:
        for (weight, bias), activate in zip(parts, stack.applied):  # noqa: B905  (made together; this is faster)
            z = x.dot(weight)
            add(z, bias, z)  # the product is a new array that nobody else holds
            x = z if activate is None else activate(z, z)
            outputs.append(x)
    except ValueError:
        linear(x, weight, bias)  # says which two shapes do not fit
        raise
    return x, outputs


def layers_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Backpropagation as the textbooks write it: from the last layer to the first.

    δ ← δ ∘ f′(z),   ∂L/∂bias = Σ δ,   ∂L/∂weight = inputᵀ @ δ,   δ ← δ @ weightᵀ
    """
    (x, theta), outputs, (stack,) = node.parents, node.remembered, node.settings
    to_x, learns, first = x.requires_grad, True, 0
    if g.dtype is not node.array.dtype:
        g = g.astype(node.array.dtype)
    to_theta = theta.landing(g.dtype)
    if to_theta is None:
        to_theta, learns = np.zeros(theta.array.shape, g.dtype), theta.requires_grad
        first = 0 if to_x else _first_learned(theta)
    if g.ndim != 2:
        g, outputs = _rows(g), [_rows(output) for output in outputs]
    ones = constant(1.0, (len(g),), g.dtype)
    for i, through, upwards, to_weight, to_bias in stack.way_back(theta.array, to_theta):
        if through is not None:
            g = through(outputs[i + 1], g)
        if learns:
            ones.dot(g, to_bias)
            outputs[i].T.dot(g, to_weight)
        if i <= first and not to_x:
            break
        g = g.dot(upwards)
    return g.reshape(x.array.shape) if to_x else None, to_theta if learns else None


def _first_learned(theta: Any) -> int:
    """Give the number of the first layer that learns: what lies below it needs no gradient."""
    learned = [leaf.requires_grad for leaf, _ in theta.parts(theta.array)]
    return learned.index(True) // 2 if True in learned else len(learned)


def _rows(a: Array) -> Array:
    return a.reshape(-1, a.shape[-1])


def _through_tanh(y: Array, g: Array) -> Array:
    lost = y * y
    np.multiply(lost, g, lost)
    return np.subtract(g, lost, lost)  # as `through_tanh`, in memory that is there already


def _sigmoid(z: Array, out: Array) -> Array:
    return sigmoid(z)[0]


_APPLIED: dict[str, Callable[[Array, Array], Array]] = {"tanh": np.tanh, "relu": positive_part, "sigmoid": _sigmoid}
_THROUGH: dict[str, Callable[[Array, Array], Array]] = {
    "tanh": _through_tanh,
    "relu": through_relu,
    "sigmoid": through_sigmoid,
}
_GILES = "M. B. Giles (2008), Collected matrix derivative results, Springer LNCSE 64, 35-44"
_RUMELHART = "D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323, 533-536"

ROWS = (
    Operation("linear", "x@W+b", linear, linear_gradient, "Wᵀ, xᵀ and 1", source=_GILES),
    Operation(
        "layers",
        "layers",
        layers,
        layers_gradient,
        "the chain rule through every layer",
        kinks="where a ReLU is 0: 0",
        source=_RUMELHART,
    ),
)
