"""A height over two coordinates, drawn in three dimensions."""

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array
from bplib.errors import DomainError, ShapeError
from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.style import INK, PAPER, ROLES, figure

__all__ = ["surface_3d"]

Floats = NDArray[np.float64]

_MOST_LINES = 33  # each way; more would hide the colours
_BANDS = 9
_SHADES = LinearSegmentedColormap.from_list("height", ["#FFF6D6", "#8CC6EA", "#0B5E94"])
_EDGE = "#6E6E6E"
_NAMES = ("$w_1$", "$w_2$", "loss")


def surface_3d(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    *,
    path: ArrayLike | None = None,
    names: tuple[str, str, str] = _NAMES,
    log: bool = False,
) -> Picture:
    """Draw a height z over a grid of x and y as a surface in three dimensions.

    Parameters
    ----------
    x : array_like, shape (columns,), increasing
        At least two.
    y : array_like, shape (rows,), increasing
        At least two.
    z : array_like, shape (rows, columns), finite
        ``z[i, j]`` is the height above ``(x[j], y[i])``, as NumPy's ``meshgrid`` orders it.
    path : array_like, shape (points, 3), finite, optional
        Points (x, y, height), joined by a line: an empty circle at the first, a full one at the last. The heights are
        the path's own: where they are not those of the surface, the line floats above it or dives below it.
    names : three of str
        What the axes measure, with units where there are some.
    log : bool
        Draw the height as its logarithm; all heights must then be above 0. The numbers at the axis stay the heights.

    Returns
    -------
    Picture
        The darker, the higher. At most 33 lines of the grid each way are drawn, and the path on top of all.

    Raises
    ------
    DataError
        If something holds no real numbers.
    ShapeError
        If the shapes do not fit together.
    DomainError
        If numbers are not finite or not increasing, or `log` meets a height of 0 or below.

    Examples
    --------
    >>> x = y = np.linspace(-1, 1, 5)
    >>> surface_3d(x, y, x**2 + 3 * y[:, None] ** 2 + 1)
    The loss as a height over w1 and w2: lowest, 1, at (0, 0); highest, 5, at (−1, −1) and 3 other points.
    """
    across, along, heights = _as_grid(x, y, z)
    points = None if path is None else _as_path(path)
    if log:
        _check_positive(heights, points)
    fig = figure(6.4, 4.6)
    # By hand: the constrained layout keeps room on the left that no label of a 3-D axis uses.
    fig.set_layout_engine("none")
    axes: Any = fig.add_axes((-0.07, 0.02, 1.04, 1.04), projection="3d", computed_zorder=False)
    _draw_surface(axes, across, along, heights, log)
    if points is not None:
        _draw_path(axes, points, log)
    _set_axes(axes, names, log)
    return Picture(fig, _story(across, along, heights, points, names))


def _as_grid(x: ArrayLike, y: ArrayLike, z: ArrayLike) -> tuple[Floats, Floats, Floats]:
    across, along, heights = (
        as_array(values, name, "surface_3d").astype(np.float64) for values, name in ((x, "x"), (y, "y"), (z, "z"))
    )
    for name, values in (("x", across), ("y", along)):
        if values.ndim != 1 or len(values) < 2:
            raise ShapeError(
                f"surface_3d: {name} has shape {values.shape}. Expected at least two numbers in a row. For the grid of "
                f"np.meshgrid pass what you gave to meshgrid."
            )
        if not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
            raise DomainError(
                f"surface_3d: {name} does not increase from number to number. Expected finite, increasing numbers, for "
                f"example np.linspace(-1, 1, 33)."
            )
    if heights.shape != (len(along), len(across)):
        raise ShapeError(
            f"surface_3d: z has shape {heights.shape}, x has {len(across)} numbers and y has {len(along)}. Expected "
            f"one row for each y and one column for each x. If rows belong to x, pass z.T."
        )
    _check_finite(heights, "heights")
    return across, along, heights


def _as_path(path: ArrayLike) -> Floats:
    points = as_array(path, "path", "surface_3d").astype(np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise ShapeError(
            f"surface_3d: path has shape {points.shape}. Expected one point (x, y, height) in each row, (points, 3). "
            f"Join them with np.column_stack([x, y, heights])."
        )
    _check_finite(points, "numbers of the path")
    return points


def _check_finite(values: Floats, what: str) -> None:
    lost = np.count_nonzero(~np.isfinite(values))
    if lost:
        raise DomainError(
            f"surface_3d: {lost} {what} of {values.size} are not finite. Expected finite numbers. Choose a smaller "
            f"window, or cut them off with np.minimum(np.nan_to_num(z, nan=np.inf), highest)."
        )


def _check_positive(heights: Floats, points: Floats | None) -> None:
    lowest = float(heights.min() if points is None else min(heights.min(), points[:, 2].min()))
    if lowest <= 0:
        raise DomainError(
            f"surface_3d: the lowest height is {lowest:.3g}. A logarithmic axis expects heights above 0. Use log=False."
        )


def _draw_surface(axes: Any, across: Floats, along: Floats, heights: Floats, log: bool) -> None:
    columns, rows = _thinned(len(across)), _thinned(len(along))
    raised = np.log10(heights) if log else heights
    shown = raised[np.ix_(rows, columns)]
    # A tile has the colour of its mean height, and mplot3d colours it by its first corner.
    tiles = (shown[:-1, :-1] + shown[:-1, 1:] + shown[1:, :-1] + shown[1:, 1:]) / 4
    span = float(np.ptp(raised)) or 1.0
    bands = np.minimum(((tiles - raised.min()) / span * _BANDS).astype(int), _BANDS - 1)
    shades = np.array([to_hex(_SHADES(share)) for share in np.linspace(0, 1, _BANDS)])
    colours = np.full(shown.shape, shades[0])
    colours[:-1, :-1] = shades[bands]
    axes.plot_surface(
        *np.meshgrid(across[columns], along[rows]), shown, facecolors=colours, rstride=1, cstride=1, shade=False,
        edgecolor=_EDGE, linewidth=0.3, antialiased=False, zorder=1,
    )  # fmt: skip


def _thinned(n: int) -> NDArray[np.intp]:
    """Numbers of the lines to draw: every k-th, and the last."""
    return np.append(np.arange(0, n - 1, -(-(n - 1) // (_MOST_LINES - 1))), n - 1)


def _draw_path(axes: Any, points: Floats, log: bool) -> None:
    role = ROLES["path"]
    drawn = points.copy()
    if log:
        drawn[:, 2] = np.log10(points[:, 2])
    axes.plot(*drawn.T, color=role.colour, linewidth=2.2, zorder=3)
    for which, fill in ((0, PAPER), (-1, role.fill)):
        axes.plot(*drawn[[which]].T, role.marker, markersize=8, markerfacecolor=fill, markeredgecolor=role.colour,
                  markeredgewidth=1.4, zorder=4)  # fmt: skip


def _set_axes(axes: Any, names: tuple[str, str, str], log: bool) -> None:
    axes.set(xlabel=names[0], ylabel=names[1], zlabel=f"{names[2]} (log scale)" if log else names[2])
    axes.locator_params(nbins=5)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1.0, 1.0, 1.0, 1.0))
        axis.label.set(fontsize=12, color=INK)
        axis.labelpad = 5
    axes.tick_params(labelsize=10)
    if log:
        axes.zaxis.set_major_formatter(lambda power, _: f"{10.0**power:.3g}")
    axes.view_init(elev=36, azim=-58)
    axes.set_box_aspect((1, 1, 0.66), zoom=0.95)


def _story(x: Floats, y: Floats, z: Floats, path: Floats | None, names: tuple[str, str, str]) -> str:
    first, second, height = (_plain(name) for name in names)
    story = f"The {height} as a height over {first} and {second}: "
    if np.ptp(z) == 0:
        story += f"{number(z[0, 0], 4)} everywhere."
    else:
        story += f"lowest, {_extreme(x, y, z, float(z.min()))}; highest, {_extreme(x, y, z, float(z.max()))}."
    if path is None:
        return story
    begin, end = (_place(float(point[0]), float(point[1])) for point in (path[0], path[-1]))
    heights = f"{number(path[0, 2], 4)} to {number(path[-1, 2], 4)}"
    return f"{story} A path of {len(path)} points goes from {begin} to {end}, its {height} from {heights}."


def _extreme(x: Floats, y: Floats, z: Floats, value: float) -> str:
    """Name a height and where it is reached, and in how many more points."""
    rows, columns = np.nonzero(np.isclose(z, value, rtol=1e-9, atol=1e-12 * float(np.ptp(z))))
    more = len(rows) - 1
    others = "" if not more else " and 1 other point" if more == 1 else f" and {more} other points"
    return f"{number(value, 4)}, at {_place(float(x[columns[0]]), float(y[rows[0]]))}{others}"


def _place(x: float, y: float) -> str:
    return f"({number(x, 4)}, {number(y, 4)})"


def _plain(name: str) -> str:
    """A name without the marks of formulas."""
    return name.translate({ord(mark): None for mark in "$_{}\\"})
