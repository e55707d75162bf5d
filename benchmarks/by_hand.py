"""Training steps written by hand in NumPy, with every buffer made beforehand: the yardstick for the library.

Nobody would write a lesson like this. It is what remains when the mathematics is done and nothing else: every view
and every constant exists before the first step, and every operation writes into memory that is there.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

__all__ = ["float_step", "loss_plane", "split", "training_step"]

# Numbers of a vector that are updated at a time: a block of it stays in the processor's cache.
_BLOCK = 16_384


def training_step(
    parameters: list[Array], x: Array, target: NDArray[Any], lr: float, *, classify: bool = False, adam: bool = False
) -> tuple[Callable[[], float], list[Array]]:
    """Make a step of full-batch training for a chain of linear layers with an activation in between.

    Parameters
    ----------
    parameters : list of ndarray, shapes (in, out), (out,), (in, out), ...
        Weights and biases to begin with; copied into one vector.
    x : ndarray, shape (n, in)
        The examples.
    target : ndarray
        Their targets: numbers of shape (n, out), or class indices of shape (n,).
    lr : float
        The rate.
    classify : bool
        ReLU and the cross-entropy of the softmax, in place of tanh and the mean squared error.
    adam : bool
        Adam in place of gradient descent, with the constants of its paper.

    Returns
    -------
    step : callable
        Forward, Loss, Backward, Update; it gives the loss before the update.
    parameters : list of ndarray
        The parameters, which the step changes in place.
    """
    theta = np.concatenate([one.ravel() for one in parameters])
    grad, dtype, n = np.empty_like(theta), theta.dtype, len(x)
    shapes = [one.shape for one in parameters]
    values, grads = split(theta, shapes), split(grad, shapes)
    outputs = [np.empty((n, bias.size), dtype) for bias in values[1::2]]
    deltas, rooms = [np.empty_like(one) for one in outputs], [np.empty_like(one) for one in outputs]
    forward = list(zip([x, *outputs[:-1]], values[::2], values[1::2], outputs, strict=True))
    backward = []
    for k in range(len(outputs) - 1, 0, -1):
        to_weight, to_bias, below = *grads[2 * k : 2 * k + 2], outputs[k - 1]
        backward.append((deltas[k], below.T, to_weight, to_bias, values[2 * k].T, deltas[k - 1], below, rooms[k - 1]))
    first, one, zero, ones = grads[:2], np.ones((), dtype), np.zeros((), dtype), np.ones(n, dtype)
    loss_of = (_cross_entropy if classify else _squared_error)(outputs[-1], target, deltas[-1])
    update = (_adam if adam else _descent)(theta, grad, lr)
    add, multiply, subtract, maximum, greater, tanh = np.add, np.multiply, np.subtract, np.maximum, np.greater, np.tanh
    columns, delta_of_first = x.T, deltas[0]

    def step() -> float:
        for below, weight, bias, out in forward[:-1]:
            below.dot(weight, out)
            add(out, bias, out)
            if classify:
                maximum(out, zero, out=out)
            else:
                tanh(out, out)
        below, weight, bias, out = forward[-1]
        below.dot(weight, out)
        add(out, bias, out)
        loss = loss_of()
        for delta, inputs, to_weight, to_bias, upwards, next_delta, value, room in backward:
            inputs.dot(delta, to_weight)
            ones.dot(delta, to_bias)
            delta.dot(upwards, next_delta)
            if classify:
                greater(value, zero, room)
            else:
                multiply(value, value, room)
                subtract(one, room, room)
            multiply(next_delta, room, next_delta)
        columns.dot(delta_of_first, first[0])
        ones.dot(delta_of_first, first[1])
        update()
        return loss

    return step, values


def _squared_error(prediction: Array, target: Array, delta: Array) -> Callable[[], float]:
    """Make a function that gives the mean squared error and writes its gradient into `delta`."""
    flat, n, subtract, multiply = delta.ravel(), delta.size, np.subtract, np.multiply

    def loss() -> float:
        subtract(prediction, target, delta)
        mean = flat.dot(flat) / n
        multiply(delta, 2.0 / n, delta)
        return float(mean)

    return loss


def _cross_entropy(logits: Array, target: Array, delta: Array) -> Callable[[], float]:
    """Make a function that gives the cross-entropy of the softmax and writes its gradient into `delta`."""
    (n, classes), dtype = logits.shape, logits.dtype
    largest, total, truth = np.empty(n, dtype), np.empty(n, dtype), np.empty(n, dtype)
    ones, ones_of_a_row = np.ones(n, dtype), np.ones(classes, dtype)
    starts, at = np.arange(n) * classes, np.empty(n, int)
    places, flat, flat_delta = starts + target, logits.ravel(), delta.ravel()
    by_row, column, share = largest[:, None], total[:, None], 1.0 / n

    def loss() -> float:
        logits.argmax(1, at)  # the place of the largest is found in a fifth of the time of its value
        np.add(at, starts, at)
        flat.take(at, None, largest, "clip")
        np.subtract(logits, by_row, logits)
        flat.take(places, None, truth, "clip")
        np.exp(logits, delta)
        delta.dot(ones_of_a_row, total)
        mean = (np.log(total).dot(ones) - truth.dot(ones)) * share
        np.multiply(total, n, total)
        np.divide(delta, column, delta)
        flat_delta[places] -= share
        return float(mean)

    return loss


def _descent(theta: Array, grad: Array, lr: float) -> Callable[[], None]:
    room = np.empty(min(_BLOCK, theta.size), theta.dtype)
    parts = [(here, slope, room[: here.size]) for here, slope in _in_blocks(theta, grad)]

    def update() -> None:
        for here, slope, step in parts:
            np.multiply(slope, lr, step)
            np.subtract(here, step, here)

    return update


def _adam(theta: Array, grad: Array, lr: float) -> Callable[[], None]:
    """D. P. Kingma and J. Ba (2015), algorithm 1, in the order of the end of section 2."""
    room = np.empty(min(_BLOCK, theta.size), theta.dtype)
    parts = [(*one, room[: one[0].size]) for one in _in_blocks(theta, grad, np.zeros_like(theta), np.zeros_like(theta))]
    add, multiply, t = np.add, np.multiply, 0

    def update() -> None:
        nonlocal t
        t += 1
        root = math.sqrt(1.0 - 0.999**t)
        rate, eps = lr * root / (1.0 - 0.9**t), 1e-8 * root
        for here, slope, m, v, step in parts:
            multiply(m, 0.9, m)
            multiply(slope, 0.1, step)
            add(m, step, m)
            multiply(v, 0.999, v)
            multiply(slope, slope, step)
            multiply(step, 0.001, step)
            add(v, step, v)
            np.sqrt(v, step)
            add(step, eps, step)
            np.divide(m, step, step)
            multiply(step, rate, step)
            np.subtract(here, step, here)

    return update


def _in_blocks(*vectors: Array) -> list[tuple[Array, ...]]:
    cuts = [slice(start, start + _BLOCK) for start in range(0, vectors[0].size, _BLOCK)]
    return [tuple(vector[cut] for vector in vectors) for cut in cuts]


def loss_plane(
    parameters: list[Array], directions: tuple[list[Array], list[Array]], x: Array, target: Array, grid: Array
) -> Array:
    """Mean squared error of a tanh network at every θ + a·u + b·v, one row of the grid at a time.

    Parameters
    ----------
    parameters : list of ndarray, shapes (in, out), (out,), (in, out), ...
        θ, weights and biases in turn.
    directions : two lists of ndarray
        u and v, in the same shapes.
    x, target : ndarray, shapes (n, in), (n, out)
        The examples.
    grid : ndarray, shape (k,)
        The coordinates a and b.

    Returns
    -------
    ndarray, shape (k, k)
        The loss at a = grid[i], b = grid[j].
    """
    b, lines = grid[:, None, None], list(zip(parameters, *directions, strict=True))
    rooms = [np.empty((len(grid), len(x), bias.shape[0])) for bias in parameters[1::2]]
    # The first layer is affine in a and b: no product inside the loop.
    here, by_a, by_b = (x @ weight + bias for weight, bias in zip(*lines[:2], strict=True))
    shifts = b * by_b
    losses = np.empty((len(grid), len(grid)))
    for i, a in enumerate(grid):
        h = np.add(here + a * by_a, shifts, out=rooms[0])
        for k, room in enumerate(rooms[1:], 1):
            np.tanh(h, out=h)
            weight, bias = (p + a * q + b * r for p, q, r in lines[2 * k : 2 * k + 2])
            h = np.matmul(h, weight, out=room)
            h += bias
        h -= target
        flat = h.reshape(len(grid), -1)
        np.einsum("ij,ij->i", flat, flat, out=losses[i])
    losses /= target.size
    return losses


def split(vector: Array, shapes: list[tuple[int, ...]]) -> list[Array]:
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]


def float_step(
    weights: list[list[list[float]]], biases: list[list[float]], xs: list[list[float]], ys: list[float], lr: float
) -> Callable[[], float]:
    """Make a step of full-batch training for a ReLU network with one output, on plain Python floats.

    Parameters
    ----------
    weights : list of list of list of float
        The weights of each neuron of each layer; the step changes them.
    biases : list of list of float
        The bias of each neuron of each layer; the step changes them.
    xs, ys : list of list of float, list of float
        The examples and their targets.
    lr : float
        The rate.

    Returns
    -------
    callable
        Forward, Loss, Backward, Update; it gives the mean squared error before the update.
    """
    last, n = len(weights) - 1, len(xs)

    # Plain `zip` throughout: to be strict takes its time.
    def step() -> float:
        to_weights = [[[0.0] * len(row) for row in layer] for layer in weights]
        to_biases = [[0.0] * len(bias) for bias in biases]
        loss = 0.0
        for x, y in zip(xs, ys):  # noqa: B905
            outputs = [x]
            for k, (layer, bias) in enumerate(zip(weights, biases)):  # noqa: B905
                h = outputs[-1]
                sums = [sum([w * a for w, a in zip(row, h)], b) for row, b in zip(layer, bias)]  # noqa: B905
                outputs.append(sums if k == last else [s if s > 0 else 0.0 for s in sums])
            error = outputs[-1][0] - y
            loss += error * error / n
            delta = [2 * error / n]
            for k in range(last, -1, -1):
                below, to_rows, to_bias = outputs[k], to_weights[k], to_biases[k]
                for j, d in enumerate(delta):
                    if d:
                        to_bias[j] += d
                        to_rows[j] = [g + d * a for g, a in zip(to_rows[j], below)]  # noqa: B905
                if k:
                    columns = zip(zip(*weights[k]), below)  # noqa: B905
                    delta = [sum([d * w for d, w in zip(delta, c)]) if a > 0 else 0.0 for c, a in columns]  # noqa: B905
        for k in range(last + 1):
            weights[k] = [_moved(row, to_row, lr) for row, to_row in zip(weights[k], to_weights[k])]  # noqa: B905
            biases[k] = _moved(biases[k], to_biases[k], lr)
        return loss

    return step


def _moved(values: list[float], gradient: list[float], lr: float) -> list[float]:
    return [value - lr * g for value, g in zip(values, gradient)]  # noqa: B905
