"""Operations along an axis: sums, averages and the softmax."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS"]


def softmax(a: Array, axis: int) -> Remembered:
    """Give eᵃ / Σ eᵃ along `axis`; subtracting the largest first changes nothing but the range."""
    grown = np.exp(a - a.real.max(axis=axis, keepdims=True))
    return grown / grown.sum(axis=axis, keepdims=True), axis


def softmax_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """y · (g − Σ g·y): a probability can only grow at the others' cost."""
    y = node.array
    return (y * (g - (g * y).sum(axis=node.remembered, keepdims=True)),)


def log_softmax(a: Array, axis: int) -> Remembered:
    """Give ln softmax(a) along `axis` without ever forming a probability of 0."""
    shifted = a - a.real.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), axis


def log_softmax_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """G − softmax(a) · Σ g."""
    return (g - np.exp(node.array) * g.sum(axis=node.remembered, keepdims=True),)


def sum_(a: Array, axis: int | tuple[int, ...] | None, keepdims: bool) -> Remembered:
    """Add up the elements along `axis`."""
    return a.sum(axis=axis, keepdims=keepdims), (axis, keepdims)


def mean(a: Array, axis: int | tuple[int, ...] | None, keepdims: bool) -> Remembered:
    """Average the elements along `axis`."""
    return a.sum(axis=axis, keepdims=keepdims) * _one_over_count(a, axis), (axis, keepdims)


def sum_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Every summand receives the whole incoming gradient."""
    parent = node.parents[0].array
    return (np.broadcast_to(_with_axes_back(g, parent, node.remembered), parent.shape),)


def mean_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Every element receives its share, one over the count."""
    parent = node.parents[0].array
    share = _with_axes_back(g, parent, node.remembered) * _one_over_count(parent, node.remembered[0])
    return (np.broadcast_to(share, parent.shape),)


def _one_over_count(a: Array, axis: int | tuple[int, ...] | None) -> float:
    axes = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = 1
    for i in axes:
        count *= a.shape[i]
    return 1.0 / count if count else float("nan")


def _with_axes_back(g: Array, parent: Array, remembered: tuple[Any, bool]) -> Array:
    axis, keepdims = remembered
    return g if keepdims or axis is None else np.expand_dims(g, axis)


ROWS = (
    Operation("softmax", "softmax", softmax, softmax_gradient, "yᵢ·(δᵢⱼ − yⱼ)"),
    Operation("log_softmax", "ln softmax", log_softmax, log_softmax_gradient, "δᵢⱼ − softmaxⱼ"),
    Operation("sum", "Σ", sum_, sum_gradient, "1"),
    Operation("mean", "mean", mean, mean_gradient, "1/n"),
)
