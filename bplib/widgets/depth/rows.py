"""Outlines of distributions in rows above one another, one row for each layer, as one line for each depth."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Text

__all__ = ["HEIGHT", "column", "outlines", "row_places"]

Floats = npt.NDArray[np.float64]

# A stack of few layers does not fill the panel: its outlines would be towers.
_FEWEST = 4
_FOOT, _FULL = 0.2, 0.68  # of the distance between two rows
HEIGHT = 340
"""Of the panel, in pixels."""


def row_places(depth: int) -> tuple[Floats, float]:
    """Where the rows of the layers stand in a panel from 0 to 1, the first layer lowest, and how far apart.

    Parameters
    ----------
    depth : int

    Returns
    -------
    feet : ndarray, shape (depth,)
    pitch : float

    Examples
    --------
    >>> feet, pitch = row_places(5)
    >>> feet.round(2).tolist(), pitch
    ([0.04, 0.24, 0.44, 0.64, 0.84], 0.2)
    """
    pitch = HEIGHT // max(depth, _FEWEST)
    # Upon the middle of a pixel: a level line between two of them would be a grey smear.
    feet = np.arange(depth, dtype=np.float64) * pitch + round(_FOOT * pitch) + 0.5
    return feet / HEIGHT, pitch / HEIGHT


def outlines(stacks: Sequence[Sequence[tuple[Floats, Floats]]], beyond: tuple[float, float]) -> Floats:
    """One line for each depth that draws all its rows.

    It runs along one row to the right and along the next to the left, and changes over outside of the panel,
    where it is cut off: one mark instead of one for each layer.

    Parameters
    ----------
    stacks : sequence of sequence of (ndarray, ndarray)
        For each depth its rows, the first layer first: places along the row, and heights from 0 to 1.
    beyond : tuple of float
        Two places to the left and to the right of the panel.

    Returns
    -------
    ndarray, shape (depths, points, 2)
        Lines of fewer rows end in NaN.
    """
    most = max(sum(len(places) + 4 for places, _ in rows) for rows in stacks)
    table = np.full((len(stacks), most, 2), np.nan)
    for line, rows in zip(table, stacks, strict=True):
        _draw(line, rows, beyond)
    return table


def _draw(line: Floats, rows: Sequence[tuple[Floats, Floats]], beyond: tuple[float, float]) -> None:
    """Write the points of all rows into the beginning of a line."""
    feet, pitch = row_places(len(rows))
    end = 0
    for k, (places, heights) in enumerate(rows):
        start, end = end, end + len(places) + 4
        part = line[start:end][:: -1 if k % 2 else 1]
        part[2:-2, 0] = places
        part[0, 0], part[1, 0], part[-2, 0], part[-1, 0] = beyond[0], places[0], places[-1], beyond[1]
        part[:, 1] = feet[k]
        part[2:-2, 1] += _FULL * pitch * heights


def column(depths: int, words: Callable[[int, int], str], at: float, *, shift: float, anchor: str) -> list[Text]:
    """Words beside every row.

    Parameters
    ----------
    depths : int
        The rows of the highest stack.
    words : callable
        Takes the depth of the network and the layer, both from 1 on.
    at : float
        Where along the row.
    shift : float
        Moved by so many pixels to the right.
    anchor : {"left", "right"}

    Returns
    -------
    list of Text
        One for each layer, with a table over the depths.
    """
    made = []
    for layer in range(1, depths + 1):
        points = np.full((depths, 1, 2), (at, 0.0))
        for depth in range(layer, depths + 1):
            feet, pitch = row_places(depth)
            points[depth - 1, 0, 1] = feet[layer - 1] + 0.26 * pitch
        text = tuple(words(depth, layer) if layer <= depth else "" for depth in range(1, depths + 1))
        made.append(Text(points, text, anchor="right" if anchor == "right" else "left", shift=(shift, 0.0)))
    return made
