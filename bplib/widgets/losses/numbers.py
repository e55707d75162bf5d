"""One constant answer c for several numbers: the value, the slope and the minimum of MSE, MAE and Huber's loss."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.losses import huber, mae, mse
from bplib.tensors import Tensor, tensor

__all__ = ["LARGEST", "LOSSES", "Frame", "frame_of", "lowest", "slopes", "values"]

Floats = npt.NDArray[np.float64]
Numbers = tuple[float, ...]

LOSSES: tuple[str, ...] = ("MSE", "MAE", "Huber")
"""The losses compared, in the order in which they are drawn."""
LARGEST = 100.0
"""Every number lies between 0 and this."""

# Right end of the curves and the step of c below it: at most 201 positions.
_WIDTHS = ((6.0, 0.05), (8.0, 0.05), (12.0, 0.1), (20.0, 0.1), (40.0, 0.25), (60.0, 0.5), (LARGEST, 0.5))
_BANDS = (3.0, 6.0, 12.0, 25.0, 50.0, LARGEST)
_TINY = 1e-9


def values(loss: str, data: Numbers, delta: float, at: npt.ArrayLike) -> Floats:
    """Mean loss L(c) = (1/n) Σ ℓ(c − yᵢ) at several c.

    Parameters
    ----------
    loss : {"MSE", "MAE", "Huber"}
    data : tuple of float, length n
        The numbers yᵢ.
    delta : float
        Huber's δ; the two others pass over it.
    at : array_like, shape (k,)
        The constants c.

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    >>> values("MSE", (1.0, 2.0, 3.0), 1.0, [2.0, 5.0]).round(3).tolist()
    [0.667, 9.667]
    """
    return _means(loss, data, delta, at)[1].numpy()


def slopes(loss: str, data: Numbers, delta: float, at: npt.ArrayLike) -> Floats:
    """Slope dL/dc at several c, by `backward`; a number that c lies on adds 0 to that of MAE.

    Parameters
    ----------
    loss, data, delta, at
        As for `values`.

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    >>> slopes("MAE", (1.0, 2.0, 3.0), 1.0, [1.5, 2.0, 9.0]).round(3).tolist()
    [-0.333, 0.0, 1.0]
    """
    c, means = _means(loss, data, delta, at)
    means.sum().backward()
    return np.array(c.grad).ravel()


def _means(loss: str, data: Numbers, delta: float, at: npt.ArrayLike) -> tuple[Tensor, Tensor]:
    points = np.asarray(at, dtype=np.float64)
    c = tensor(points[:, None], requires_grad=True)
    prediction = c * np.ones(len(data))
    target = np.broadcast_to(np.array(data), (len(points), len(data)))
    if loss == "Huber":
        each = huber(prediction, target, delta=delta, reduction="none")
    else:
        each = {"MSE": mse, "MAE": mae}[loss](prediction, target, reduction="none")
    return c, each.mean(axis=1)


@lru_cache(maxsize=256)
def lowest(loss: str, data: Numbers, delta: float) -> tuple[float, float]:
    """Find the smallest and the largest c at which a loss is lowest; mostly the same.

    Parameters
    ----------
    loss, data, delta
        As for `values`.

    Returns
    -------
    tuple of (float, float)
        Ends of the flat bottom.

    Notes
    -----
    L is convex, and its slope a straight line between any two neighbours among yᵢ and yᵢ ± δ: two slopes from
    `backward` inside each piece give the whole line, and where it meets zero. The slope may jump from one piece to
    the next.

    References
    ----------
    P. J. Huber (1964), Ann. Math. Statist. 35(1), 73-101.

    Examples
    --------
    >>> [lowest(loss, (1.0, 2.0, 3.0, 4.0, 100.0), 1.0) for loss in LOSSES]
    [(22.0, 22.0), (3.0, 3.0), (3.0, 3.0)]
    >>> lowest("MAE", (1.0, 2.0, 3.0, 4.0), 1.0)
    (2.0, 3.0)
    """
    y = np.array(data)
    ends = np.unique(np.concatenate([y - delta, y, y + delta]).round(9))
    width = np.diff(ends)
    inside = ends[:-1, None] + width[:, None] * np.array([0.25, 0.75])
    first, second = slopes(loss, data, delta, inside.ravel()).reshape(-1, 2).T
    left, right = 1.5 * first - 0.5 * second, 1.5 * second - 0.5 * first
    begins, stops = int((right >= -_TINY).argmax()), int(np.flatnonzero(left <= _TINY)[-1])
    low = ends[begins] + (_share(left[begins], right[begins]) * width[begins] if left[begins] < -_TINY else 0.0)
    high = ends[stops] + (_share(left[stops], right[stops]) if right[stops] > _TINY else 1.0) * width[stops]
    # Rounding may leave the two ends of one point some last digits apart.
    low, high = round(float(low), 9), round(float(high), 9)
    return (low, high) if high - low > _TINY else ((low + high) / 2,) * 2


def _share(left: float, right: float) -> float:
    """At which part of its way a straight line from left to right meets zero."""
    return min(1.0, max(0.0, -left / (right - left)))


@final
@dataclass(frozen=True, slots=True)
class Frame:
    """How far the curves reach, for a range of outliers: while the outlier stays in it no axis changes.

    Parameters
    ----------
    high : float
        The curves show c from 0 to this.
    step : float
        From one position of c to the next.
    outliers : tuple of float
        Smallest and largest outlier for which the axes are made.
    """

    high: float
    step: float
    outliers: tuple[float, float]

    @property
    def positions(self) -> Numbers:
        """The constants c that can be chosen, ascending from 0."""
        return _multiples(self.step, round(self.high / self.step))


@lru_cache(maxsize=16)
def _multiples(step: float, count: int) -> Numbers:
    return tuple(round(k * step, 2) for k in range(count + 1))


@lru_cache(maxsize=64)
def frame_of(data: Numbers) -> Frame:
    """Give the axes for some numbers of which the last is the outlier.

    They reach to where the mean would come for the largest outlier of the range, and somewhat further; an outlier
    beyond them is seen on the strip.

    Parameters
    ----------
    data : tuple of float
        Each between 0 and 100.

    Returns
    -------
    Frame

    Examples
    --------
    >>> frame_of((1.0, 2.0, 3.0, 4.0, 5.0)).high, frame_of((1.0, 2.0, 3.0, 4.0, 100.0)).high
    (6.0, 40.0)
    """
    *others, outlier = data
    top = next(edge for edge in _BANDS if outlier <= edge)
    bottom = max((edge for edge in _BANDS if edge < top), default=0.0)
    needed = min(LARGEST, max(1.2 * max(others), 1.6 * (sum(others) + top) / len(data)))
    high, step = next(width for width in _WIDTHS if width[0] >= needed)
    return Frame(high, step, (bottom, top))
