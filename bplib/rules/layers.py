"""Layers of neurons as one operation: a linear layer, and a stack of them with their activations.

Nothing here is new mathematics: both are chains of rows of the table. One node in place of
many saves the memory between them and the time to note them down.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.errors import ShapeError
from bplib.rules.elementwise import sigmoid, through_relu, through_sigmoid, through_tanh
from bplib.rules.operation import Array, Operation, Remembered, constant

__all__ = ["ROWS"]


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
    *to_bias, to_weight = node.landing_places(g.dtype)
    shares: list[Array | None] = [g.dot(weight.array.T) if x.requires_grad else None]
    below = x.array
    if g.ndim != 2:
        below, g = _rows(below), _rows(g)
    shares.append(below.T.dot(g, to_weight) if weight.requires_grad else None)
    for bias, place in zip(biases, to_bias, strict=True):
        shares.append(constant(1.0, (len(g),), g.dtype).dot(g, place) if bias.requires_grad else None)
    return shares


def layers(x: Array, *operands: Any) -> Remembered:
    """Give a stack of linear layers, each followed by its activation: weights and biases in turn, then the activations.

    Each layer writes its activation over its linear part; the input and every layer's output are remembered.
    """
    outputs = [x]
    for weight, bias, activation in zip(operands[0:-1:2], operands[1:-1:2], operands[-1], strict=True):
        x, _ = linear(x, weight, bias)
        if activation is not None:
            x = _APPLIED[activation](x, x)
        outputs.append(x)
    return x, outputs


def layers_gradient(node: Any, g: Array) -> list[Array | None]:
    """Backpropagation as the textbooks write it: from the last layer to the first.

    δ ← δ ∘ f′(z),   ∂L/∂bias = Σ δ,   ∂L/∂weight = inputᵀ @ δ,   δ ← δ @ weightᵀ
    """
    (x, *parameters), outputs, (activations,) = node.parents, node.remembered, node.settings
    biases, weights, places = parameters[::-2], parameters[-2::-2], node.landing_places(g.dtype)
    if g.ndim != 2:
        g, outputs = _rows(g), [_rows(output) for output in outputs]
    shares: list[Array | None] = []
    ones, ours, i = constant(1.0, (len(g),), g.dtype), None, len(activations)
    for bias, weight, to_bias, to_weight in zip(biases, weights, places[::2], places[1::2], strict=True):
        i -= 1
        if activations[i] is not None:
            g = _THROUGH[activations[i]](outputs[i + 1], g, ours)
        shares.append(ones.dot(g, to_bias) if bias.requires_grad else None)
        shares.append(outputs[i].T.dot(g, to_weight) if weight.requires_grad else None)
        if i or x.requires_grad:
            g = ours = g.dot(weight.array.T)  # a new array: the next activation may write into it
    shares.append(g.reshape(x.array.shape) if x.requires_grad else None)
    return shares[::-1]


def _rows(a: Array) -> Array:
    return a.reshape(-1, a.shape[-1])


def _relu(z: Array, out: Array) -> Array:
    return np.maximum(z, constant(0.0, (), z.dtype), out=out)


def _sigmoid(z: Array, out: Array) -> Array:
    return sigmoid(z)[0]


_APPLIED: dict[str, Callable[[Array, Array], Array]] = {"tanh": np.tanh, "relu": _relu, "sigmoid": _sigmoid}
_THROUGH = {"tanh": through_tanh, "relu": through_relu, "sigmoid": through_sigmoid}
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
