"""Which class a model says where, and which points lie on the wrong side."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array, as_pair
from bplib.errors import DataError, DomainError, ShapeError
from bplib.viz.picture import Picture
from bplib.viz.style import INK, PALETTE, PAPER, figure

__all__ = ["decision_boundary"]

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]

_COLOURS = ("blue", "orange", "green", "purple", "sky", "vermillion", "yellow", "black")
_MARKERS = ("o", "s", "^", "D", "v", "P", "<", "p")
# Two neighbours differ in grey, too.
_TINTS = (0.30, 0.14, 0.38, 0.18, 0.42, 0.26, 0.34, 0.22)
_GRID = 201
_MARGIN = 0.08  # of the spread of the points, on each side
_MOST_POINTS = 2000


def decision_boundary(
    predict: Callable[[Floats], ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    *,
    classes: Sequence[object] | None = None,
    names: tuple[str, str] = ("$x_1$", "$x_2$"),
) -> Picture:
    """Draw where a model says which class, and the points with their true classes.

    Parameters
    ----------
    predict : callable
        Takes points, shape (m, 2), and returns the class of each, shape (m,), whole numbers from 0. It is called
        twice: for a grid of 201 by 201 points, and for `X`.
    X : array_like, shape (n, 2), finite
        At most 2000 points.
    y : array_like, shape (n,), whole numbers from 0
        The true class of each point.
    classes : sequence, 2 to 8 names, optional
        The names of the classes; the numbers themselves if left out.
    names : two of str
        What the axes measure, with units where there are some.

    Returns
    -------
    Picture
        Each class has its own marker and fill; its region is a pale tint of the fill. A cross lies on each point that
        the model takes for another class.

    Raises
    ------
    DataError
        If something holds no real numbers, or classes are no whole numbers.
    ShapeError
        If points are no pairs, or `predict` returns another number of classes than it got points.
    DomainError
        For points that are not finite, more than 2000, or classes outside of 2 to 8.

    Examples
    --------
    >>> decision_boundary(lambda x: x[:, 0] > 0, [[-1, 0], [1, 0], [2, 1]], [0, 1, 0])
    The model says class 0 on 36 % of the picture and class 1 on 64 %. 1 of 3 points lies on the wrong side: 1 of ...
    """
    points, truth = _as_points(X, y)
    across, along = (_reach(points[:, axis]) for axis in (0, 1))
    grid = np.stack(np.meshgrid(across, along), axis=-1)
    regions = _as_classes(predict(grid.reshape(-1, 2)), grid.shape[0] * grid.shape[1]).reshape(grid.shape[:2])
    said = _as_classes(predict(points.copy()), len(points))
    words = _as_words(classes, 1 + max(int(truth.max()), int(said.max()), int(regions.max())))
    fig = figure(6.8, 4.6)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    axes = fig.subplots()
    _draw_regions(axes, across, along, regions, len(words))
    wrong = said != truth
    for number in range(len(words)):
        _draw_points(axes, points[truth == number], number, len(points))
        _draw_points(axes, points[wrong & (truth == number)], number, len(points), larger=3.0)
    _draw_crosses(axes, points[wrong])
    axes.set(xlim=across[[0, -1]], ylim=along[[0, -1]], xlabel=names[0], ylabel=names[1])
    fig.legend(handles=_key(words, bool(wrong.any())), loc="outside right upper", frameon=False, fontsize=11)
    return Picture(fig, _story(words, regions, truth, wrong))


def _as_points(X: ArrayLike, y: ArrayLike) -> tuple[Floats, Classes]:
    points, truth = as_pair(X, y, "decision_boundary")
    if points.ndim != 2 or points.shape[1] != 2:
        raise ShapeError(
            f"decision_boundary: X has shape {points.shape}. Expected two numbers for each point, (n, 2). Choose two "
            f"columns, for example X[:, :2], and a model of these two."
        )
    if not np.isfinite(points).all():
        raise DomainError(
            f"decision_boundary: {np.count_nonzero(~np.isfinite(points).all(axis=1))} points are not finite. Expected "
            f"finite numbers. Leave these rows out of X and y."
        )
    if len(points) > _MOST_POINTS:
        raise DomainError(
            f"decision_boundary: there are {len(points)} points. Expected at most {_MOST_POINTS}, so that each can be "
            f"seen. Draw some of them, for example X[:500], y[:500]."
        )
    return points.astype(np.float64), _as_classes(truth, len(points), "y")


def _as_classes(values: ArrayLike, count: int, name: str = "what predict returned") -> Classes:
    """Return whole numbers from 0, one for each point."""
    given = as_array(values, name, "decision_boundary")
    if given.shape != (count,):
        raise ShapeError(
            f"decision_boundary: {name} has shape {given.shape}. Expected one class for each of {count} points. Of "
            f"scores take the class with the highest, scores.argmax(axis=1)."
        )
    whole = np.isfinite(given) & (given == np.floor(given))
    if not whole.all():
        raise DataError(
            f"decision_boundary: {name} holds {given[~whole][0]}. Expected the numbers of classes: 0, 1 and so on. Of "
            f"probabilities take (probabilities > 0.5)."
        )
    if given.min() < 0 or given.max() >= len(_MARKERS):
        worst = given.min() if given.min() < 0 else given.max()
        raise DomainError(
            f"decision_boundary: {name} holds the class {worst:g}. Expected whole numbers from 0 to "
            f"{len(_MARKERS) - 1}, so that each class has its own marker."
        )
    return given.astype(np.int64)


def _as_words(classes: Sequence[object] | None, found: int) -> list[str]:
    words = [f"class {number}" for number in range(max(found, 2))] if classes is None else [str(c) for c in classes]
    if not max(found, 2) <= len(words) <= len(_MARKERS):
        raise DomainError(
            f"decision_boundary: there are {len(words)} names of classes, and the classes go up to {found - 1}. "
            f"Expected 2 to {len(_MARKERS)} names, one for each class."
        )
    return words


def _reach(values: Floats) -> Floats:
    """The places of the grid along one axis: the spread of the points and a margin."""
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low) if high > low else 1.0
    return np.linspace(low - margin, high + margin, _GRID)


def _draw_regions(axes: Axes, across: Floats, along: Floats, regions: Classes, count: int) -> None:
    tints = [_tint(number) for number in range(count)]
    corners = (across[0], across[-1], along[0], along[-1])
    colours = np.array([to_rgb(tint) for tint in tints])
    axes.imshow(colours[regions], extent=corners, origin="lower", aspect="auto", interpolation="nearest", zorder=0)
    for number in range(count):
        if 0 < np.count_nonzero(regions == number) < regions.size:
            style: dict[str, Any] = {"levels": [0.5], "colors": INK, "linewidths": 1.0, "zorder": 1}
            axes.contour(across, along, (regions == number).astype(float), **style)
    axes.grid(False)


def _tint(number: int) -> str:
    share = _TINTS[number]
    ink, paper = np.array(to_rgb(PALETTE[_COLOURS[number]])), np.array(to_rgb(PAPER))
    return to_hex(tuple(share * ink + (1 - share) * paper))


def _draw_points(axes: Axes, points: Floats, number: int, total: int, larger: float = 0.0) -> None:
    size = (6.5 if total <= 300 else 4.5) + larger
    axes.plot(*points.T, _MARKERS[number], markersize=size, color=PALETTE[_COLOURS[number]], markeredgecolor=INK,
              markeredgewidth=0.7, zorder=3)  # fmt: skip


def _draw_crosses(axes: Axes, points: Floats) -> None:
    """A thin black cross with a white edge, which shows on every fill and leaves the marker to be seen."""
    for colour, width, size in ((PAPER, 3.0, 9.5), (PALETTE["black"], 1.5, 8.5)):
        axes.plot(*points.T, "x", markersize=size, markeredgewidth=width, color=colour, zorder=4)


def _key(words: list[str], any_wrong: bool) -> list[Line2D]:
    lines = [
        Line2D([], [], linestyle="none", marker=_MARKERS[number], markersize=8, color=PALETTE[_COLOURS[number]],
               markeredgecolor=INK, label=word)
        for number, word in enumerate(words)
    ]  # fmt: skip
    cross = Line2D([], [], linestyle="none", marker="x", markersize=9, markeredgewidth=2, color=PALETTE["black"],
                   label="wrong side")  # fmt: skip
    return [*lines, cross] if any_wrong else lines


def _story(words: list[str], regions: Classes, truth: Classes, wrong: NDArray[np.bool_]) -> str:
    shares = np.bincount(regions.ravel(), minlength=len(words)) / regions.size
    parts = [f"{word} on {100 * share:.0f} %" for word, share in zip(words, shares, strict=True) if share]
    where = f"The model says {_listed(parts)}".replace(" %", " % of the picture", 1)
    lost, total = int(wrong.sum()), len(truth)
    if not lost:
        return f"{where}. None of {total} points lies on the wrong side."
    counts = [
        f"{int(wrong[truth == number].sum())} of {int((truth == number).sum())} of {word}"
        for number, word in enumerate(words)
        if wrong[truth == number].any()
    ]
    lie = "lies" if lost == 1 else "lie"
    return f"{where}. {lost} of {total} points {lie} on the wrong side: {_listed(counts)}."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
