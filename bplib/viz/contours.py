"""Descent paths on the contours of a surface."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array
from bplib.errors import DomainError, ShapeError
from bplib.landscape import Surface
from bplib.viz.picture import Picture
from bplib.viz.style import PAPER, ROLES, Role, figure

__all__ = ["surface_paths"]

_ROLES = ("first", "second", "update", "path")
_GRID = 160
_BANDS = 9
_LEGEND_LETTERS = 24  # of all labels, side by side
_FARTHEST = 1e100  # matplotlib cannot place what lies beyond
_LOWEST, _HIGHEST = 1.0, 0.84  # grey of the lowest and of the highest band


def surface_paths(surface: Surface, paths: Sequence[Any], labels: Sequence[str]) -> Picture:
    """Draw one to four descent paths on the contours of a surface.

    Parameters
    ----------
    surface : Surface
        What `bplib.landscape.surface` returns.
    paths : sequence of paths
        Arrays of points, shape (steps + 1, 2), or objects that hold one as ``.points``.
    labels : sequence of str
        The name of each path, for the legend and the alternative text.

    Returns
    -------
    Picture
        The darker, the higher. A circle marks each start, a star each minimum. A path that
        does not come back is drawn to its first step outside the frame.

    Raises
    ------
    DataError
        If points are no real numbers.
    ShapeError
        If points have another shape, or the numbers of paths and labels differ.
    DomainError
        For no path, more than four, or a start that is not finite.

    Examples
    --------
    >>> from bplib.landscape import surface
    >>> path = [[-4.0, 1.0], [-2.0, 0.5], [-1.0, 0.2]]
    >>> surface_paths(surface("bowl"), [path], ["rate 0.1"]).figure.axes[0].get_xlabel()
    '$w_1$'
    """
    lines = _as_paths(paths, labels)
    fig = figure(6.4, 4.6)
    fig.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    axes = fig.subplots()
    _draw_surface(axes, surface)
    for points, label, name in zip(lines, labels, _ROLES, strict=False):
        _draw_path(axes, _shown(surface, points), str(label), ROLES[name])
    axes.set(xlim=surface.domain[0], ylim=surface.domain[1], xlabel="$w_1$", ylabel="$w_2$")
    columns = len(lines) if sum(len(str(label)) for label in labels) <= _LEGEND_LETTERS else 2
    fig.legend(loc="outside upper center", ncols=columns, frameon=False, fontsize=11, handlelength=3.5)
    stories = "; ".join(_story(surface, points, str(label)) for points, label in zip(lines, labels, strict=True))
    number = "One path" if len(lines) == 1 else f"{len(lines)} paths"
    return Picture(fig, f"{number} on the contours of the surface {surface.name}: {stories}.")


def _as_paths(paths: Sequence[Any], labels: Sequence[str]) -> list[NDArray[np.float64]]:
    if len(paths) != len(labels):
        raise ShapeError(
            f"surface_paths: there are {len(paths)} paths and {len(labels)} labels. Expected one label for each path. "
            f"Pass both as lists, even for one: [path], ['rate 0.1']."
        )
    if not 1 <= len(paths) <= len(_ROLES):
        raise DomainError(
            f"surface_paths: there are {len(paths)} paths. Expected 1 to {len(_ROLES)}, so that each can be told from "
            f"the others. Draw the rest in a second picture."
        )
    return [_as_points(getattr(path, "points", path)) for path in paths]


def _as_points(points: ArrayLike) -> NDArray[np.float64]:
    array = as_array(points, "a path", "surface_paths").astype(np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise ShapeError(
            f"surface_paths: a path has shape {array.shape}. Expected one point (w1, w2) per step, (steps + 1, 2). "
            f"Pass paths as a list, even for one: [path]."
        )
    if not np.isfinite(array[0]).all():
        raise DomainError(
            f"surface_paths: a path starts at {array[0].tolist()}. Expected a finite start. Choose another one."
        )
    return array


def _draw_surface(axes: Axes, surface: Surface) -> None:
    """Draw filled contours and the minima."""
    (left, right), (low, high) = surface.domain
    x, y = np.meshgrid(np.linspace(left, right, _GRID), np.linspace(low, high, _GRID))
    heights = surface.f(np.stack([x, y], axis=-1))
    # Squared shares of the area give a bowl evenly spaced rings, and a narrow valley lines of its own.
    levels = np.unique(np.quantile(heights, np.linspace(0.0, 1.0, _BANDS + 1) ** 2))
    if len(levels) > 1:
        greys = [str(grey) for grey in np.linspace(_LOWEST, _HIGHEST, len(levels) - 1)]
        axes.contourf(x, y, heights, levels=levels, colors=greys)
        # Thin and hard-edged: soft edges would take half of the palette and more bytes than the paths.
        style: dict[str, Any] = {"colors": ROLES["contour"].colour, "linewidths": 0.35, "antialiased": False}
        axes.contour(x, y, heights, levels=levels[1:-1], **style)
    axes.grid(False)
    minima = np.reshape(surface.minima, (-1, 2))
    star = ROLES["minimum"]
    axes.plot(*minima.T, star.marker, markersize=15, color=star.fill, markeredgecolor=star.colour, zorder=5)


def _draw_path(axes: Axes, points: NDArray[np.float64], label: str, role: Role) -> None:
    """Draw a path with a marker at every step, and a circle around its start."""
    style: dict[str, Any] = {
        "color": role.colour,
        "linestyle": role.linestyle,
        "marker": role.marker,
        "markersize": 5.5,
    }
    axes.plot(*points.T, label=label, linewidth=1.8, markeredgecolor=PAPER, markeredgewidth=0.6, **style)
    axes.plot(*points[0], "o", markersize=11, markerfacecolor="none", markeredgecolor=ROLES["data"].colour, zorder=6)


def _leaves_at(surface: Surface, points: NDArray[np.float64]) -> int | None:
    """Return the step at which a path leaves the picture, if it does not end inside."""
    (left, right), (low, high) = surface.domain
    inside = np.all((points >= (left, low)) & (points <= (right, high)), axis=1)
    return None if inside[-1] else int((~inside).argmax())


def _shown(surface: Surface, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part to draw: a diverging path stops outside the frame, else its zigzag covers everything."""
    step = _leaves_at(surface, points)
    part = points if step is None else points[: step + 1]
    return part[(np.abs(part) < _FARTHEST).all(axis=1)]


def _story(surface: Surface, points: NDArray[np.float64], label: str) -> str:
    """Tell in words where the path starts and ends, or where it leaves the picture."""
    start = f"{label} starts at ({points[0][0]:.3g}, {points[0][1]:.3g})"
    step = _leaves_at(surface, points)
    if step is not None:
        return f"{start} and leaves the picture at step {step}"
    end = f"({points[-1][0]:.3g}, {points[-1][1]:.3g})"
    return f"{start} and is at {end} after {len(points) - 1} steps, loss {float(surface.f(points[-1])):.3g}"
