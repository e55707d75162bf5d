"""Operations along an axis: sums, averages, the largest and the smallest, and the softmax family."""

from collections.abc import Callable
from math import isfinite, prod
from typing import Any

import numpy as np

from bplib.constants import constant
from bplib.rules.operation import Array, Operation, Remembered, places_of_largest

__all__ = ["ROWS"]

_SHORT = 4096  # a row of ones of this length is kept at hand

Axis = int | tuple[int, ...] | None


def sum_(a: Array, axis: Axis, keepdims: bool) -> Remembered:
    """Give Σ a along `axis`."""
    return a.sum(axis=axis, keepdims=keepdims), None


def sum_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂Σa/∂aᵢ = 1: every summand receives the whole incoming gradient."""
    a, (axis, _) = node.parents[0].array, node.settings
    return (_repeated(_with_axes_back(g, a, axis), a.shape),)


def mean(a: Array, axis: Axis, keepdims: bool) -> Remembered:
    """Give (1/n) Σ a along `axis`."""
    return a.sum(axis=axis, keepdims=keepdims) * _one_over_count(a, axis), None


def mean_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂((1/n) Σa)/∂aᵢ = 1/n."""
    a, (axis, _) = node.parents[0].array, node.settings
    return (_repeated(_with_axes_back(g * _one_over_count(a, axis), a, axis), a.shape),)


def max_(a: Array, axis: Axis, keepdims: bool) -> Remembered:
    """Give the largest element along `axis`; NaN if there is one."""
    return a.max(axis=axis, keepdims=keepdims), None


def max_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 for the largest element and 0 for the others; at a tie the first in row order is the largest."""
    return (_to_one_of_a_row(node, g, np.argmax),)


def min_(a: Array, axis: Axis, keepdims: bool) -> Remembered:
    """Give the smallest element along `axis`; NaN if there is one."""
    return a.min(axis=axis, keepdims=keepdims), None


def min_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 for the smallest element and 0 for the others; at a tie the first in row order is the smallest."""
    return (_to_one_of_a_row(node, g, np.argmin),)


def logsumexp(a: Array, axis: Axis, keepdims: bool) -> Remembered:
    """Give ln Σ eᵃ along `axis` as M + ln(1 + Σ eᵃ⁻ᴹ), where M is the largest and the sum is over the others."""
    largest, _, log_of_rest = _largest_and_rest(_as_rows(a, axis))
    total = (largest + log_of_rest)[..., 0]
    return np.expand_dims(total, tuple(_axes_of(a, axis))) if keepdims else total, None


def logsumexp_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ ln Σeᵃ/∂aᵢ = e^(aᵢ − ln Σeᵃ), the softmax of a."""
    a, (axis, _) = node.parents[0].array, node.settings
    y = np.where(node.array == -np.inf, 0.0, node.array)  # nothing but −inf: every share is 0, not e^(−inf + inf)
    return (_with_axes_back(g, a, axis) * np.exp(a - _with_axes_back(y, a, axis)),)


def softmax(a: Array, axis: int) -> Remembered:
    """Give eᵃ / Σ eᵃ along `axis`; subtracting the largest first changes nothing but the range."""
    grown = np.exp(a - a.real.max(axis=axis, keepdims=True, initial=-np.inf))
    return grown / grown.sum(axis=axis, keepdims=True), None


def softmax_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂yᵢ/∂aⱼ = yᵢ·(δᵢⱼ − yⱼ), and so y · (g − Σ g·y): a probability can only grow at the others' cost."""
    y, (axis,) = node.array, node.settings
    return (y * (g - (g * y).sum(axis=axis, keepdims=True)),)


def log_softmax(a: Array, axis: int) -> Remembered:
    """Give ln softmax(a) = a − ln Σ eᵃ along `axis`, without ever forming a probability of 0."""
    if not a.size:
        return a.copy(), None
    _, distance, log_of_rest = _largest_and_rest(a.swapaxes(axis, -1))
    return (distance - log_of_rest).swapaxes(axis, -1), None


def log_softmax_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂yᵢ/∂aⱼ = δᵢⱼ − softmaxⱼ, and so g − softmax(a) · Σ g."""
    (axis,) = node.settings
    total = _row_sums(g.swapaxes(axis, -1))[..., None].swapaxes(axis, -1)
    return (g - np.exp(node.array) * total,)


def _row_sums(rows: Array) -> Array:
    """Give the sum of each row; rows that are not too long as rows @ ones, in a quarter of the time."""
    columns = rows.shape[-1]
    return rows.dot(constant(1.0, (columns,), rows.real.dtype)) if columns <= _SHORT else rows.sum(-1)


def _repeated(g: Array, shape: tuple[int, ...]) -> Array:
    """Give an array of this shape with `g` repeated along the axes that a sum has taken away."""
    share = np.empty(shape, g.dtype)
    share[...] = g
    return share


def _one_over_count(a: Array, axis: Axis) -> float:
    count = a.size if axis is None else prod(a.shape[i] for i in _axes_of(a, axis))
    return 1.0 / count if count else float("nan")


def _axes_of(a: Array, axis: Axis) -> list[int]:
    """Give the axes that are meant, in order, counted from 0."""
    if axis is None or not a.ndim:  # NumPy lets a single number have an axis 0, too
        return list(range(a.ndim))
    return sorted(int(i) % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,)))


def _with_axes_back(g: Array, a: Array, axis: Axis) -> Array:
    """Give what a reduction of `a` left the axes back that it took away, with length 1; one number fits everywhere."""
    if axis is None:
        return g
    ours = _axes_of(a, axis)
    return g.reshape([1 if i in ours else n for i, n in enumerate(a.shape)])


def _as_rows(a: Array, axis: Axis) -> Array:
    """Give a view or a copy of `a` in which the axes that are meant are one axis, the last."""
    ours = _axes_of(a, axis)
    kept = [i for i in range(a.ndim) if i not in ours]
    return a.transpose(kept + ours).reshape(*(a.shape[i] for i in kept), prod(a.shape[i] for i in ours))


def _to_one_of_a_row(node: Any, g: Array, place_of: Callable[..., Array]) -> Array:
    """Give zeros, but the incoming gradient in the place of each row that `place_of` names."""
    a, (axis, _) = node.parents[0].array, node.settings
    place = place_of(_as_rows(a, axis), axis=-1)
    # Numbering the elements in row order tells where each had been before the rows were made.
    numbers = _as_rows(np.arange(a.size).reshape(a.shape), axis)
    whole = np.zeros(a.shape, g.dtype)
    np.put(whole, np.take_along_axis(numbers, place[..., None], -1), g)
    return whole


def _largest_and_rest(rows: Array) -> tuple[Array, Array, Array]:
    """Give the largest element M of each row, all elements less M, and ln(1 + Σ eᵃ⁻ᴹ) over all the others.

    One largest element is left out of the sum: beside its e⁰ = 1 a small rest would be rounded away.
    """
    place = places_of_largest(rows)
    largest = rows.ravel().take(place).reshape(*rows.shape[:-1], 1)
    distance = np.subtract(rows, largest, order="C")  # in row order, whatever the order in memory
    if isfinite(abs(_row_sums(largest.ravel()))):
        grown = np.exp(distance)
    else:  # inf − inf would be NaN
        grown = np.exp(np.subtract(rows, np.where(np.isinf(largest), 0.0, largest), order="C"))
    grown.reshape(-1)[place] = 0.0
    return largest, distance, np.log1p(_row_sums(grown))[..., None]


_GRIEWANK = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, section 3.2"
_KINKS = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, chapter 14"
_BRIDLE = "J. S. Bridle (1990), in Neurocomputing, Springer NATO ASI F68, 227-236"
_BLANCHARD = "P. Blanchard, D. J. Higham and N. J. Higham (2021), IMA J. Numer. Anal. 41, 2311-2330"

ROWS = (
    Operation("sum", "Σ", sum_, sum_gradient, "1", source=_GRIEWANK),
    Operation("mean", "mean", mean, mean_gradient, "1/n", source=_GRIEWANK),
    Operation(
        "max", "max", max_, max_gradient, "1 for the largest, else 0", kinks="aᵢ = aⱼ: 1 for the first", source=_KINKS
    ),
    Operation(
        "min", "min", min_, min_gradient, "1 for the smallest, else 0", kinks="aᵢ = aⱼ: 1 for the first", source=_KINKS
    ),
    Operation("logsumexp", "ln Σ exp", logsumexp, logsumexp_gradient, "softmax(a)", source=_BLANCHARD),
    Operation("softmax", "softmax", softmax, softmax_gradient, "yᵢ·(δᵢⱼ − yⱼ)", source=_BRIDLE),
    Operation("log_softmax", "ln softmax", log_softmax, log_softmax_gradient, "δᵢⱼ − softmaxⱼ", source=_BLANCHARD),
)
