"""Training steps written by hand in NumPy, with every buffer made beforehand: the yardstick for the library.

Nobody would write a lesson like this. It is what remains when the mathematics is done and nothing else.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["Classification", "HandWritten", "Regression"]


class HandWritten(ABC):
    """Full-batch gradient descent for a chain of linear layers with an activation in between.

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
    """

    def __init__(self, parameters: list[Array], x: Array, target: NDArray[Any], lr: float) -> None:
        self.target, self.lr = target, lr
        self.theta = np.concatenate([one.ravel() for one in parameters])
        self.grad = np.empty_like(self.theta)
        shapes = [one.shape for one in parameters]
        values, grads = _views(self.theta, shapes), _views(self.grad, shapes)
        n, widths = len(x), [bias.shape[0] for bias in values[1::2]]
        self.values = [x, *(np.empty((n, width)) for width in widths)]
        self.deltas = [np.empty((n, width)) for width in widths]
        self.slopes = [np.empty((n, width)) for width in widths]
        self.layers = list(enumerate(zip(values[::2], values[1::2], grads[::2], grads[1::2], strict=True)))
        self.ones, self.rows = np.ones(n), np.arange(n)

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
        self.grad *= self.lr
        self.theta -= self.grad
        return loss

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


def _views(vector: Array, shapes: list[tuple[int, ...]]) -> list[Array]:
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]
