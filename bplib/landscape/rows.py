"""Many nearby networks at once: a block of the grid through stacked matrices, where the layers allow it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from bplib.landscape.objective import Objective
from bplib.landscape.surfaces import Array
from bplib.losses import cross_entropy, mse
from bplib.modes import is_inspected
from bplib.nn import Dropout, Linear, Module, Parameter, ReLU, Sequential, Sigmoid, Tanh
from bplib.rules.elementwise import positive_part, sigmoid
from bplib.rules.operation import places_of_largest
from bplib.tensors import as_tensor

__all__ = ["Blocks", "blocks_of"]

# Numbers of a block's widest layer, or of its parameters: so many that the calls cost little, so few that a core's
# caches hold them.
_BLOCK = 1 << 17


class _Layer(NamedTuple):
    """Where a linear layer lies in θ, and what follows it."""

    weight: slice
    shape: tuple[int, int]
    bias: slice | None
    activations: list[type[Module]]

    def matrix(self, vector: Array) -> Array:
        """Give the transposed weight with the bias, or 0, as its last column: it takes the values and a row of 1."""
        matrix = np.zeros((self.shape[1], self.shape[0] + 1), vector.dtype)
        matrix[:, :-1] = vector[self.weight].reshape(self.shape).T
        if self.bias is not None:
            matrix[:, -1] = vector[self.bias]
        return matrix


class Blocks(NamedTuple):
    """The layers of a network whose whole grid can be computed in blocks, and the mean loss at their end.

    A loss that is none of the known ones is asked point by point, with θ moved there: it may read the parameters.
    The first layer is affine in the two coordinates, X(W + aU + bV) = XW + a·XU + b·XV, and needs no matrix product
    inside the loop; the others take one product of stacked matrices for a block. Examples are columns here, and under
    the values of a layer stands a row of 1, so that the product adds the bias of the next.
    """

    layers: list[_Layer]
    finish: Callable[[Array, Array], Array] | None

    def fill(
        self,
        at: Objective,
        origin: Array,
        u: Array,
        v: Array,
        a: Array,
        b: Array,
        losses: Array,
        tick: Callable[[int], Any],
    ) -> None:
        """Write the loss at origin + a[i]·u + b[j]·v into losses[i, j]."""
        widest = len(at.X) * max(layer.shape[1] for layer in self.layers)
        columns = max(1, min(len(b), _BLOCK // max(widest, origin.size)))
        first, *others = self.layers
        inputs = _with_row(at.X.T, 1.0)
        start = [first.matrix(vector) @ inputs for vector in (origin, u, v)]
        later = [[layer.matrix(vector) for vector in (origin, u, v)] for layer in others]
        for left in range(0, len(b), columns):
            block = b[left : left + columns, None, None].astype(origin.dtype)
            forward, across = _Forward(self.layers, start, later, block), block[..., 0] * v
            for i, along in enumerate(a.astype(origin.dtype)):
                predictions = forward.at(along)
                if self.finish is None:
                    losses[i, left : left + columns] = _asked(at, predictions, origin + along * u, across)
                else:
                    losses[i, left : left + columns] = self.finish(predictions, at.y)
                tick(len(block))


class _Forward:
    """The forward pass of a whole block, from one value of a to the next in the same memory."""

    def __init__(self, layers: list[_Layer], start: list[Array], later: list[list[Array]], b: Array) -> None:
        if later:
            start = [_with_row(part, 0.0) for part in start]
        rows = [layer.shape[1] + 1 for layer in layers[:-1]] + [layers[-1].shape[1]]
        values = [np.ones((len(b), row, start[0].shape[1]), start[0].dtype) for row in rows]
        self.first, self.entrance, self.values = layers[0], _Line(start, b), values
        lines = [_Line(parts, b) for parts in later]
        self.steps = list(zip(layers[1:], lines, values[:-1], values[1:], strict=True))

    def at(self, a: Any) -> Array:
        """Give the predictions, shape (points, examples, outputs): a copy, since a loss may keep what it is given."""
        self.entrance.at(a, self.values[0])
        _activate(self.values[0], self.first)
        for layer, line, before, after in self.steps:
            np.matmul(line.at(a), before, after[:, : layer.shape[1]])
            _activate(after, layer)
        return self.values[-1].swapaxes(1, 2).copy()


class _Line:
    """An affine function of the two coordinates, over a block of the second one."""

    def __init__(self, parts: Sequence[Array], b: Array) -> None:
        self.constant, self.by_a, by_b = parts
        self.shifts = b * by_b
        self.room = np.empty_like(self.shifts)

    def at(self, a: Any, out: Array | None = None) -> Array:
        """Give constant + a·by_a + b·by_b for every b of the block."""
        return np.add(self.constant + a * self.by_a, self.shifts, self.room if out is None else out)


def blocks_of(at: Objective) -> Blocks | None:
    """Give the layers as `Blocks`, or None for a model that has to be asked point by point."""
    # Who looks at every result wants the real operations.
    if is_inspected() or at.X.ndim != 2 or type(at.model) is not Sequential:
        return None
    layers: list[_Layer] = []
    begin = next(at.model.parameters()).offset
    for module in _flat(at.model):
        if type(module) is Linear:
            layers.append(_layer(module, begin))
        elif type(module) in _APPLIED and layers:
            layers[-1].activations.append(type(module))
        elif type(module) is not Dropout:  # in evaluation mode it changes nothing
            return None
    return Blocks(layers, next((finish for known, finish in _FINISHED if known is at.loss), None))


def _flat(model: Sequential) -> Iterator[Module]:
    for module in model.layers:
        if type(module) is Sequential:
            yield from _flat(module)
        else:
            yield module


def _layer(module: Linear, begin: int) -> _Layer:
    inputs, outputs = module.weight.shape
    bias = None if module.bias is None else _span(module.bias, begin)
    return _Layer(_span(module.weight, begin), (inputs, outputs), bias, [])


def _span(parameter: Parameter, begin: int) -> slice:
    return slice(parameter.offset - begin, parameter.offset - begin + parameter.size)


def _with_row(columns: Array, number: float) -> Array:
    return np.vstack([columns, np.full_like(columns[:1], number)])


def _activate(z: Array, layer: _Layer) -> None:
    # NumPy is quicker over all rows than over all but one.
    for activation in layer.activations:
        _APPLIED[activation](z)
    z[:, layer.shape[1] :] = 1.0


_APPLIED: dict[type[Module], Callable[[Array], Any]] = {
    Tanh: lambda z: np.tanh(z, z),
    ReLU: lambda z: positive_part(z, z),
    Sigmoid: lambda z: np.copyto(z, sigmoid(z)[0]),
}


def _asked(at: Objective, predictions: Array, start: Array, across: Array) -> list[float]:
    """Ask any loss about one prediction after the other, with the model's θ at start + across[j]."""
    number, theta, found = at.number, at.theta, []
    for prediction, moved in zip(predictions, start + across, strict=True):
        theta[...] = moved
        found.append(number(as_tensor(prediction)))
    return found


def _mse(prediction: Array, y: Array) -> Array:
    errors = (prediction - y).reshape(len(prediction), -1)
    return np.einsum("ij,ij->i", errors, errors) / errors.shape[1]


def _cross_entropy(logits: Array, y: Array) -> Array:
    shifted = logits - logits.ravel().take(places_of_largest(logits)).reshape(*logits.shape[:-1], 1)
    each = np.log(np.exp(shifted).sum(axis=-1))
    if y.dtype.kind in "iu" and y.ndim == 1:
        each -= shifted[:, np.arange(len(y)), y]
    else:
        each = np.where(y == 0, 0.0, y * (each[..., None] - shifted)).sum(axis=-1)
    return each.mean(axis=-1)


_FINISHED: list[tuple[Any, Callable[[Array, Array], Array]]] = [(mse, _mse), (cross_entropy, _cross_entropy)]
