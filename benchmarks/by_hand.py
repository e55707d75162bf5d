"""Training steps written by hand in NumPy, with every buffer made beforehand: the yardstick for the library.

Nobody would write a lesson like this. It is what remains when the mathematics is done and nothing else.
"""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

__all__ = ["Classification", "HandWritten", "Regression", "loss_plane", "split"]


class HandWritten(ABC):
    """Full-batch training of a chain of linear layers with an activation in between.

    Parameters
    ----------
    parameters : list of ndarray, shapes (in, out), (out,), (in, out), ...
        Weights and biases to begin with; copied into one vector.
    x : ndarray, shape (n, in)
        The examples.
    target : ndarray
        Their targets.
    lr : float
        The rate.
    adam : bool
        Adam in place of gradient descent, with the constants of its paper.
    """

    def __init__(self, parameters: list[Array], x: Array, target: NDArray[Any], lr: float, adam: bool = False) -> None:
        self.target, self.lr, self.adam = target, lr, adam
        self.theta = np.concatenate([one.ravel() for one in parameters])
        self.grad = np.empty_like(self.theta)
        shapes = [one.shape for one in parameters]
        values, grads = split(self.theta, shapes), split(self.grad, shapes)
        n, widths, dtype = len(x), [bias.shape[0] for bias in values[1::2]], self.theta.dtype
        self.values = [x, *(np.empty((n, width), dtype) for width in widths)]
        self.deltas = [np.empty((n, width), dtype) for width in widths]
        self.slopes = [np.empty((n, width), dtype) for width in widths]
        self.layers = list(enumerate(zip(values[::2], values[1::2], grads[::2], grads[1::2], strict=True)))
        self.ones, self.rows = np.ones(n, dtype), np.arange(n)
        self.m, self.v, self.room = (np.zeros_like(self.theta) for _ in range(3))
        self.t = 0

    def step(self) -> float:
        """Forward, Loss, Backward, Update; returns the loss before the update."""
        last = len(self.layers) - 1
        for k, (weight, bias, _, _) in self.layers:
            out = self.values[k].dot(weight, out=self.values[k + 1])
            out += bias
            if k < last:
                self._activate(out)
        loss = self._loss(self.values[-1], self.deltas[last])
        for k, (weight, _, weight_grad, bias_grad) in reversed(self.layers):
            delta = self.deltas[k]
            self.values[k].T.dot(delta, out=weight_grad)
            self.ones.dot(delta, out=bias_grad)
            if k > 0:
                below = delta.dot(weight.T, out=self.deltas[k - 1])
                self._times_slope(below, self.values[k], self.slopes[k - 1])
        if self.adam:
            self._adam()
        else:
            self.grad *= self.lr
            self.theta -= self.grad
        return loss

    def _adam(self) -> None:
        """D. P. Kingma and J. Ba (2015), algorithm 1, in blocks that stay in the processor's cache."""
        self.t += 1
        root = math.sqrt(1.0 - 0.999**self.t)
        rate = self.lr / (1.0 - 0.9**self.t)
        for start in range(0, self.theta.size, 16_384):
            block = slice(start, start + 16_384)
            theta, g, m, v, room = (a[block] for a in (self.theta, self.grad, self.m, self.v, self.room))
            m *= 0.9
            np.multiply(g, 0.1, out=room)
            m += room
            v *= 0.999
            np.multiply(g, g, out=room)
            room *= 0.001
            v += room
            np.sqrt(v, out=room)
            room /= root
            room += 1e-8
            np.divide(m, room, out=room)
            room *= rate
            theta -= room

    @abstractmethod
    def _activate(self, values: Array) -> None:
        """Apply the activation in place."""

    @abstractmethod
    def _times_slope(self, delta: Array, value: Array, buffer: Array) -> None:
        """Multiply `delta` in place by the activation's slope where it gave `value`."""

    @abstractmethod
    def _loss(self, prediction: Array, delta: Array) -> float:
        """Return the loss and write its gradient into `delta`; `prediction` may be overwritten."""


class Regression(HandWritten):
    """Tanh and the mean squared error."""

    def _activate(self, values: Array) -> None:
        np.tanh(values, out=values)

    def _times_slope(self, delta: Array, value: Array, buffer: Array) -> None:
        np.multiply(value, value, out=buffer)
        np.subtract(1.0, buffer, out=buffer)
        delta *= buffer

    def _loss(self, prediction: Array, delta: Array) -> float:
        np.subtract(prediction, self.target, out=delta)
        flat = delta.reshape(-1)
        loss = float(flat.dot(flat)) / delta.size
        delta *= 2.0 / delta.size
        return loss


class Classification(HandWritten):
    """ReLU and the cross-entropy of the softmax; the targets are class numbers."""

    def _activate(self, values: Array) -> None:
        np.maximum(values, 0.0, out=values)

    def _times_slope(self, delta: Array, value: Array, buffer: Array) -> None:
        np.greater(value, 0.0, out=buffer)
        delta *= buffer

    def _loss(self, prediction: Array, delta: Array) -> float:
        prediction -= prediction.max(axis=1, keepdims=True)
        np.exp(prediction, out=delta)
        total = delta.sum(axis=1, keepdims=True)
        n = len(delta)
        loss = float(np.log(total).sum() - prediction[self.rows, self.target].sum()) / n
        delta /= total
        delta[self.rows, self.target] -= 1.0
        delta *= 1.0 / n
        return loss


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
