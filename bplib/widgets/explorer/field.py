"""The plane as colours: levels that each are a fixed part of the next, their lines, and the numbers on the lines."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bplib.viz.colour_fields import colour_field_png
from bplib.viz.marks import Text
from bplib.viz.scene import ColourField, ticks
from bplib.widgets.explorer.contour import contour_lines
from bplib.widgets.explorer.network import Task
from bplib.widgets.explorer.plane import Frame, frame, heights
from bplib.widgets.explorer.words import number

__all__ = ["Levels", "end_words_at", "field", "labels", "levels_of", "loss_ticks", "window"]

Floats = npt.NDArray[np.float64]

_BANDS = 12
_LABELLED = 4
_APART = 0.13  # of the half window: as far as a number is wide
_INSIDE = 0.86  # of the window, where words do not run over its edge
# The lowest loss is the palest, as on every map of the course.
_LOW_COLOUR, _HIGH_COLOUR = (255, 250, 232), (132, 178, 214)


class Levels(NamedTuple):
    """Where one colour ends and the next begins.

    Parameters
    ----------
    values : ndarray, shape (bands + 1,)
        Ascending, from the lowest to the highest loss of the window.
    colours : list of str
        One for each band, the lowest first.
    """

    values: Floats
    colours: list[str]


def levels_of(losses: Floats) -> Levels | None:
    """Levels for a grid of losses; None where all are the same.

    Parameters
    ----------
    losses : ndarray
        Numbers that are not finite count as the highest.

    Returns
    -------
    Levels or None
        Each level is the same multiple of the one before; even steps where the loss is not above 0.

    Examples
    --------
    >>> found = levels_of(np.array([0.5, 0.5 * 2.0**12]))
    >>> found.values[1:4].round(9).tolist()
    [1.0, 2.0, 4.0]
    """
    known = losses[np.isfinite(losses)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if not high - low > 1e-9 * abs(high):
        return None
    # A minimum of exactly 0 has no multiple; a millionth of the highest loss is as good as 0 to the eye.
    floor = max(low, 1e-6 * high)
    inner = np.geomspace(floor, high, _BANDS + 1) if low >= 0 else np.linspace(low, high, _BANDS + 1)
    inner[0], inner[-1] = low - 1e-9 * (high - low), high + 1e-9 * (high - low)
    mix = np.linspace(0, 1, _BANDS)[:, None]
    colours = np.rint((1 - mix) * _LOW_COLOUR + mix * np.array(_HIGH_COLOUR)).astype(int)
    return Levels(inner, [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours])


def loss_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Round numbers on a logarithmic axis: powers of ten, or 1, 2 and 5 times them where there are too few.

    Parameters
    ----------
    low, high : float
        Above 0.

    Returns
    -------
    tuple of (float, str)

    Examples
    --------
    >>> loss_ticks(0.005, 0.5)
    ((0.01, '0.01'), (0.1, '0.1'))
    >>> loss_ticks(0.03, 0.5)
    ((0.05, '0.05'), (0.1, '0.1'), (0.2, '0.2'), (0.5, '0.5'))
    """
    powers = ticks(low, high, "log", 4)
    if len(powers) > 1:
        return powers
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [times * 10.0**power for power in range(first, last + 1) for times in (1, 2, 5)]
    between = tuple((value, number(value)) for value in every if low <= value <= high)
    return between if len(between) > 1 else ticks(low, high, count=3)


def window(losses: Floats) -> Floats:
    """The grid with the highest finite loss in place of what is not finite, as it is drawn.

    Parameters
    ----------
    losses : ndarray

    Returns
    -------
    ndarray
    """
    known = losses[np.isfinite(losses)]
    return np.where(np.isfinite(losses), losses, known.max() if known.size else 0.0)


@lru_cache(maxsize=16)
def field(task: Task, directions: str, seed: int, width: float, height: float) -> ColourField | None:
    """The contour picture of a plane; None where the loss is the same everywhere.

    Parameters
    ----------
    task, directions, seed
        As for `bplib.widgets.explorer.plane`.
    width, height : float
        Of the panel in pixels.

    Returns
    -------
    ColourField or None
    """
    losses = heights(task, directions, seed).losses
    levels = levels_of(losses)
    if levels is None:
        return None
    shown = window(losses).T
    return ColourField(colour_field_png(shown, levels.values, levels.colours, width=width, height=height))


@lru_cache(maxsize=16)
def labels(task: Task, directions: str, seed: int, starts: tuple[tuple[float, float], ...] = ()) -> tuple[Text, ...]:
    """The loss on some of the contour lines, away from the training run, from the handle and from each other.

    Parameters
    ----------
    task, directions, seed
        As for `bplib.widgets.explorer.plane`.
    starts : tuple of (float, float)
        Where the handle may stand.

    Returns
    -------
    tuple of Text
    """
    grid, cut = heights(task, directions, seed), frame(task, directions, seed)
    levels = levels_of(grid.losses)
    if levels is None:
        return ()
    shown, taken, texts = window(grid.losses).T, [cut.path, end_words_at(cut)[None], np.reshape(starts, (-1, 2))], []
    chosen = np.linspace(1, _BANDS - 1, _LABELLED).round().astype(int)
    for level in levels.values[chosen]:
        lines = contour_lines(shown, float(level), grid.a, grid.b)
        points = np.concatenate([np.empty((0, 2)), *lines])
        points = points[(np.abs(points - cut.centre) < _INSIDE * cut.span).all(axis=1)]
        distances = np.hypot(*(points[:, None] - np.concatenate(taken)).transpose(2, 0, 1)).min(axis=1)
        if distances.max(initial=0.0) > _APART * cut.span:
            taken.append(points[[int(distances.argmax())]])
            texts.append(Text(taken[-1], number(float(level), 2), anchor="center", plate=True))
    return tuple(texts)


def end_words_at(cut: Frame) -> Floats:
    """Where the word at the end of the training run stands: beyond it, as the run comes in.

    Parameters
    ----------
    cut : Frame

    Returns
    -------
    ndarray, shape (2,)
    """
    end = cut.path[-1]
    far = np.hypot(*(cut.path - end).T) > _APART * cut.span
    way = end - cut.path[int(np.flatnonzero(far)[-1]) if far.any() else 0]
    length = float(np.hypot(*way))
    beyond = end + 0.12 * cut.span * (way / length if length else np.array([1.0, 0.0]))
    edge = 0.95 * cut.span
    return np.asarray(np.clip(beyond, cut.centre - edge, cut.centre + edge))
