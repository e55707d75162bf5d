"""Mini-batches of a small regression: every example's gradient, the cloud of batch gradients, and SGD's path."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.data import make_line
from bplib.losses import mse
from bplib.optim import sgd_step
from bplib.tensors import Tensor

__all__ = [
    "COUNT", "DRAWN_BATCHES", "RATE", "SIZES", "UPDATES", "Noise", "batch_noise", "best_weights", "example_gradients",
    "loss_heights",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

COUNT = 128
"""Examples of the regression."""
SIZES: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128)
"""Batch sizes, up to the number of examples."""
RATE = 0.2
"""Learning rate of SGD's path."""
UPDATES = 30
"""Updates of SGD's path."""
DRAWN_BATCHES = 90
"""How many batch gradients are drawn; the standard deviation is that of 500."""

_MEASURED = 500
_LINE = dict(slope=2.0, intercept=1.0, noise=0.7)


@lru_cache(maxsize=1)
def _data() -> tuple[Floats, Floats]:
    X, y = make_line(COUNT, **_LINE, rng=8)
    return X.ravel(), y.ravel()


def example_gradients(weights: npt.ArrayLike) -> Floats:
    """Gradient of the squared error of each example with respect to (w, b), by backpropagation.

    Every example gets its own copy of w and b, so that one backward pass keeps their gradients apart.

    Parameters
    ----------
    weights : array_like, shape (2,)
        The weight w and the bias b of ŷ = wx + b.

    Returns
    -------
    ndarray, shape (128, 2)
        Their mean is the gradient of the mean squared error over all examples.

    Examples
    --------
    >>> bool(np.abs(example_gradients(best_weights()).mean(axis=0)).max() < 1e-12)
    True
    """
    X, y = _data()
    slope, bias = (Tensor(np.full(COUNT, value), requires_grad=True) for value in np.asarray(weights, dtype=np.float64))
    mse(slope * X + bias, y, reduction="sum").backward()
    return np.stack([slope.grad, bias.grad], axis=1)


@lru_cache(maxsize=1)
def _affine() -> tuple[Floats, Floats]:
    """Each example's gradient as offset + slope @ weights: the loss is quadratic, so three places tell all."""
    offset = example_gradients((0.0, 0.0))
    slope = np.stack([example_gradients(unit) - offset for unit in np.eye(2)], axis=2)
    return offset, slope


@lru_cache(maxsize=1)
def best_weights() -> tuple[float, float]:
    """The weights at which the full gradient is zero.

    Returns
    -------
    tuple of float
        (w, b).
    """
    offset, slope = (part.mean(axis=0) for part in _affine())
    w, b = np.linalg.solve(slope, -offset)
    return float(w), float(b)


def loss_heights(w: Floats, b: Floats) -> Floats:
    """The mean squared error over all examples.

    Parameters
    ----------
    w, b : ndarray, shape (...)

    Returns
    -------
    ndarray, shape (...)
    """
    X, y = _data()
    prediction = w[..., None] * X + b[..., None]
    return mse(prediction, np.broadcast_to(y, prediction.shape), reduction="none").data.mean(axis=-1)


@final
@dataclass(frozen=True)
class Noise:
    """Gradients of random batches at some weights, and SGD from there, for every batch size.

    Parameters
    ----------
    weights : ndarray, shape (2,)
    full : ndarray, shape (2,)
        The gradient over all examples.
    single : ndarray, shape (128, 2)
        The gradient of each example.
    batches : ndarray, shape (8, 500, 2)
        Gradients of batches drawn with replacement.
    spreads : ndarray, shape (8,)
        Root mean square distance of the batch gradients from the full one.
    paths : ndarray, shape (8, 31, 2)
        The weights of SGD, a new batch at each update.
    """

    weights: Floats
    full: Floats
    single: Floats
    batches: Floats
    spreads: Floats
    paths: Floats


@lru_cache(maxsize=8)
def _draws(seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    return rng.integers(COUNT, size=(_MEASURED, COUNT)), rng.integers(COUNT, size=(UPDATES, COUNT))


@lru_cache(maxsize=8)
def batch_noise(weights: tuple[float, float], seed: int) -> Noise:
    """Draw batches of every size with replacement, and let SGD walk with each size.

    A batch of 2B examples begins with the B examples of the smaller one.

    Parameters
    ----------
    weights : tuple of float
        (w, b).
    seed : int
        Which batches.

    Returns
    -------
    Noise

    Examples
    --------
    >>> noise = batch_noise((0.5, 2.5), 0)
    >>> bool(noise.spreads[0] > 3 * noise.spreads[4])
    True
    """
    place = np.array(weights)
    single = _affine()[0] + _affine()[1] @ place
    full = single.mean(axis=0)
    batches = _means(single, _draws(seed)[0])
    spreads = np.sqrt(((batches - full) ** 2).sum(axis=2).mean(axis=1))
    return Noise(place, full, single, batches, spreads, _paths(place, seed))


def _means(values: Floats, rows: npt.NDArray[np.int64]) -> Floats:
    """Means over the first B of each row of numbers, for every batch size B; shape (sizes, rows, ...)."""
    sums = np.cumsum(values[rows], axis=1)
    return np.stack([sums[:, size - 1] / size for size in SIZES])


@lru_cache(maxsize=8)
def _batch_affine(seed: int) -> tuple[Floats, Floats]:
    offset, slope = _affine()
    rows = _draws(seed)[1]
    return _means(offset, rows), _means(slope, rows)


def _paths(start: Floats, seed: int) -> Floats:
    offset, slope = _batch_affine(seed)
    theta = np.repeat(start[None], len(SIZES), axis=0)
    places = np.empty((UPDATES + 1, len(SIZES), 2))
    places[0] = theta
    for k in range(UPDATES):
        sgd_step(theta, offset[:, k] + (slope[:, k] @ theta[:, :, None])[..., 0], lr=RATE)
        places[k + 1] = theta
    return places.swapaxes(0, 1)
