"""A surface from above: a colour for each range of heights, and a line where one ends and the next begins."""

import io

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from bplib.errors import DomainError, ShapeError
from bplib.viz.style import PAPER

__all__ = ["colour_field_png"]

_LINE = "#7A7A7A"
_FINENESS = 2


def colour_field_png(
    values: np.ndarray, levels: np.ndarray, colours: list[str], *, width: float, height: float
) -> bytes:
    """Draw filled contours and their lines as a PNG that is the data rectangle and nothing else.

    Heights between the points of the grid are interpolated in both directions. Edges are hard: at twice the page's
    fineness they look smooth, and soft ones would double the file.

    Parameters
    ----------
    values : ndarray of float, shape (rows, columns), both at least 2
        On an even grid from edge to edge of the rectangle; the first row is the lowest.
    levels : ndarray of float, shape (n,), n at least 2
        Ascending; the field between two of them has one colour, and what lies outside of them, or is no number, none.
    colours : list of str, length n - 1
        The colour of each field, the lowest first.
    width, height : float
        Of the panel in pixels; the PNG is twice as fine.

    Returns
    -------
    bytes

    Raises
    ------
    ShapeError
        If `values` is no grid, or there is not one colour for each field.
    DomainError
        If `levels` do not ascend.

    Examples
    --------
    >>> slope = np.linspace(0, 1, 5)[None, :].repeat(5, axis=0)
    >>> png = colour_field_png(slope, np.array([0.0, 0.5, 1.0]), ["#0072B2", "#E69F00"], width=20, height=10)
    >>> with Image.open(io.BytesIO(png)) as field:
    ...     field.size, field.convert("RGB").getpixel((0, 0))
    ((40, 20), (0, 114, 178))
    """
    _check(values, levels, colours)
    # Rows of a picture count from the top.
    fine = _finer(_finer(values[::-1], round(_FINENESS * height)).T, round(_FINENESS * width)).T
    field = np.zeros(fine.shape, np.uint8)
    for level in levels[1:-1]:
        field += fine >= level
    line, outside = len(colours), len(colours) + 1
    drawn = np.where(_edges(field), np.uint8(line), field)
    drawn[~((fine >= levels[0]) & (fine <= levels[-1]))] = outside
    picture = Image.fromarray(drawn)
    shades = np.array([to_rgb(colour) for colour in (*colours, _LINE, PAPER)])
    picture.putpalette(np.rint(255 * shades).astype(np.uint8).tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _finer(values: np.ndarray, count: int) -> np.ndarray:
    """Give `count` rows between the first and the last, each at the middle of its pixel."""
    place = (np.arange(count) + 0.5) / count * (len(values) - 1)
    below = place.astype(int)
    share = (place - below)[:, None]
    return values[below] * (1.0 - share) + values[below + 1] * share


def _edges(field: np.ndarray) -> np.ndarray:
    """Say which pixels lie on either side of a change: lines as wide as two pixels of the file, one of the page."""
    edges = np.zeros(field.shape, bool)
    for here, there, first, second in (
        (field[1:], field[:-1], edges[1:], edges[:-1]),
        (field[:, 1:], field[:, :-1], edges[:, 1:], edges[:, :-1]),
    ):
        changed = here != there
        first |= changed
        second |= changed
    return edges


def _check(values: np.ndarray, levels: np.ndarray, colours: list[str]) -> None:
    if values.ndim != 2 or min(values.shape) < 2:
        raise ShapeError(
            f"colour_field_png: values has shape {values.shape}. Expected a grid of at least 2 rows and 2 columns."
        )
    if len(levels) != len(colours) + 1:
        raise ShapeError(
            f"colour_field_png: {len(levels)} levels bound {len(levels) - 1} fields, got {len(colours)} colours. "
            "Expected one colour for each field."
        )
    if not (np.diff(levels) > 0).all() or len(levels) < 2:
        raise DomainError(f"colour_field_png: levels are {levels}. Expected at least two, each above the one before.")
