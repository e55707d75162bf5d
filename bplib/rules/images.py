"""Operations on stacks of images, arrays of shape (examples, channels, height, width).

A window slides over each image. What a convolution sees in all its positions becomes a matrix
with one column a position, and the convolution one matrix product.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS"]

Pair = tuple[int, int]


def conv2d(x: Array, weight: Array, *bias_and_settings: Any) -> Remembered:
    """Give y[n, o, i, j] = Σ x[n, c, i·s + p, j·s + q] · weight[o, c, p, q] + bias[o], summed over c, p and q."""
    *bias, stride, padding = bias_and_settings
    columns = _columns(_padded(x, padding) if any(padding) else x, weight.shape[2:], stride)
    y = weight.reshape(len(weight), -1) @ _as_matrices(columns, 4)
    y = y.reshape(len(x), len(weight), *columns.shape[4:])
    return (y + bias[0][:, None, None] if bias else y), columns


def conv2d_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂L/∂columns = weightᵀ @ g and ∂L/∂weight = g @ columnsᵀ, as for a matrix product; ∂L/∂bias = Σ g."""
    x, weight, *bias = node.parents
    return (
        _to_image(node, g) if x.requires_grad else None,
        _to_weight(node, g) if weight.requires_grad else None,
        *(g.sum(axis=(0, 2, 3)) if b.requires_grad else None for b in bias),
    )


def max_pool2d(x: Array, size: Pair, stride: Pair) -> Remembered:
    """Give the largest number in each window of `size`, one window every `stride`; NaN if there is one."""
    return reduce(np.maximum, (x[place] for place in _places(x.shape, size, stride))), None


def max_pool2d_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 for the largest number of a window and 0 for the others; at a tie the first in row order is the largest."""
    x, (size, stride) = node.parents[0].array, node.settings
    largest = np.argmax([x[place] for place in _places(x.shape, size, stride)], axis=0)
    shares = (np.where(largest == k, g, 0.0) for k in range(prod(size)))
    return (_added_up(shares, np.zeros(x.shape, g.dtype), size, stride),)


def _to_image(node: Any, g: Array) -> Array:
    """∂L/∂x: the gradient of each column goes back to the places from which the column was read."""
    x, weight, (stride, padding) = node.parents[0].array, node.parents[1].array, node.settings
    columns = weight.reshape(len(weight), -1).T @ _as_matrices(g, 2)
    shares = columns.reshape(*x.shape[:2], prod(weight.shape[2:]), *g.shape[2:])
    whole = np.zeros(_padded_shape(x, padding), g.dtype)
    return _inside(_added_up(np.moveaxis(shares, 2, 0), whole, weight.shape[2:], stride), padding)


def _to_weight(node: Any, g: Array) -> Array:
    """∂L/∂weight: g @ columnsᵀ, summed over the examples."""
    each = _as_matrices(g, 2) @ _as_matrices(node.remembered, 4).mT
    return each.sum(axis=0).reshape(node.parents[1].array.shape)


def _columns(x: Array, size: Pair, stride: Pair) -> Array:
    """Give what a window sees, shape (n, c, *size, positions down, positions across), as an array of its own."""
    windows = sliding_window_view(x, size, axis=(2, 3))[:, :, :: stride[0], :: stride[1]]
    return np.ascontiguousarray(windows.transpose(0, 1, 4, 5, 2, 3))


def _as_matrices(a: Array, split: int) -> Array:
    """Give one matrix an example: the axes before `split` are its rows, the axes from there on its columns."""
    return a.reshape(len(a), prod(a.shape[1:split]), prod(a.shape[split:]))


def _places(shape: tuple[int, ...], size: Pair, stride: Pair) -> Iterator[tuple[Any, ...]]:
    """For each place in a window, in row order, give the index of what all the windows see there."""
    down, across = shape[2] - size[0] + 1, shape[3] - size[1] + 1
    for p, q in np.ndindex(*size):
        yield ..., slice(p, p + down, stride[0]), slice(q, q + across, stride[1])


def _added_up(shares: Iterable[Array], whole: Array, size: Pair, stride: Pair) -> Array:
    """Add what belongs to each place in a window where the windows saw it; windows that overlap add up."""
    for share, place in zip(shares, _places(whole.shape, size, stride), strict=True):
        whole[place] += share
    return whole


def _padded_shape(x: Array, padding: Pair) -> tuple[int, ...]:
    return (*x.shape[:2], x.shape[2] + 2 * padding[0], x.shape[3] + 2 * padding[1])


def _padded(x: Array, padding: Pair) -> Array:
    """Give the images with rows and columns of zeros around them."""
    whole = np.zeros(_padded_shape(x, padding), x.dtype)
    _inside(whole, padding)[...] = x
    return whole


def _inside(whole: Array, padding: Pair) -> Array:
    """Give the images without what is around them, as a view."""
    (down, across), (height, width) = padding, whole.shape[2:]
    return whole[:, :, down : height - down, across : width - across]


_LECUN = "Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), Proc. IEEE 86(11), 2278-2324, section II"
_CHELLAPILLA = "K. Chellapilla, S. Puri and P. Simard (2006), IWFHR, on the columns"
_SCHERER = "D. Scherer, A. Müller and S. Behnke (2010), ICANN, Springer LNCS 6354, 92-101"

ROWS = (
    Operation("conv2d", "conv", conv2d, conv2d_gradient, "weightᵀ, columnsᵀ and 1", source=f"{_LECUN}; {_CHELLAPILLA}"),
    Operation(
        "max_pool2d",
        "max pool",
        max_pool2d,
        max_pool2d_gradient,
        "1 for the largest of a window, else 0",
        kinks="aᵢ = aⱼ: 1 for the first",
        source=_SCHERER,
    ),
)
