"""Lines of equal height on a grid of numbers, by marching squares."""

import numpy as np
import numpy.typing as npt

__all__ = ["contour_lines", "evenly_spaced"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Edges of a cell: 0 below, 1 right, 2 above, 3 left. For each cell the two edges that a line joins; which corners lie
# above the level says which: the lower left one counts 1, and against the clock 2, 4, 8.
_JOINED = np.zeros((16, 2), int)
for _case, _edges in {1: (3, 0), 2: (0, 1), 3: (3, 1), 4: (1, 2), 5: (3, 0), 6: (0, 2), 7: (3, 2), 8: (2, 3), 9: (2, 0),
                      10: (0, 1), 11: (2, 1), 12: (1, 3), 13: (1, 0), 14: (0, 3)}.items():  # fmt: skip
    _JOINED[_case] = _edges
# Two opposite corners above make a saddle with two lines. The middle of the cell says whether the lines cut off the
# corners above, as in the table, or those below, as in the table of the other saddle.
_FIRST_SADDLE, _OTHER_SADDLE = 5, 10
_SECOND_LINE = {_FIRST_SADDLE: (1, 2), _OTHER_SADDLE: (2, 3)}


def contour_lines(values: Floats, level: float, x: Floats, y: Floats) -> list[Floats]:
    """The lines along which a function has one value, the longest first.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        At (x[column], y[row]); where they are not finite there is no line.
    level : float
    x : ndarray, shape (columns,)
    y : ndarray, shape (rows,)

    Returns
    -------
    list of ndarray, shape (n, 2)
        Points (x, y) in the order in which they follow each other; a closed line ends where it begins.

    Examples
    --------
    >>> line, = contour_lines(np.array([[0.0, 1.0], [0.0, 1.0]]), 0.25, np.array([0.0, 4.0]), np.array([0.0, 1.0]))
    >>> line.tolist()
    [[1.0, 0.0], [1.0, 1.0]]

    References
    ----------
    W. E. Lorensen and H. E. Cline (1987), "Marching cubes", SIGGRAPH 21(4), 163-169, here in two dimensions.
    """
    heights = values - level
    next_to: dict[int, list[int]] = {}
    for one, other in _pieces(heights).tolist():
        next_to.setdefault(one, []).append(other)
        next_to.setdefault(other, []).append(one)
    lines = [_points(np.array(chain), heights, x, y) for chain in _chains(next_to)]
    return sorted(lines, key=_length, reverse=True)


def evenly_spaced(line: Floats, count: int) -> Floats:
    """So many points along a line, at equal distances.

    Parameters
    ----------
    line : ndarray, shape (n, 2)
    count : int

    Returns
    -------
    ndarray, shape (count, 2)

    Examples
    --------
    >>> evenly_spaced(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]]), 3).tolist()
    [[0.0, 0.0], [2.0, 0.0], [3.0, 1.0]]
    """
    steps = line[1:] - line[:-1]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along, line[:, which]) for which in (0, 1)], axis=1)


def _pieces(heights: Floats) -> Ints:
    """Every straight piece inside one cell as a pair of numbered edges, shape (n, 2).

    Edge 2(row · columns + column) leads to the next column, the one after it to the next row.
    """
    above = (heights > 0).astype(np.int64)
    cases = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]
    middle = heights[:-1, :-1] + heights[:-1, 1:] + heights[1:, 1:] + heights[1:, :-1]
    rows, columns = np.nonzero((cases % 15 != 0) & np.isfinite(middle))
    case, wide = cases[rows, columns], heights.shape[1]
    saddles = (case == _FIRST_SADDLE) | (case == _OTHER_SADDLE)
    case = np.where(saddles & (middle[rows, columns] > 0), _FIRST_SADDLE + _OTHER_SADDLE - case, case)
    first = 2 * (rows * wide + columns)
    edges = np.stack([first, first + 3, first + 2 * wide, first + 1], axis=1)
    found = [np.take_along_axis(edges, _JOINED[case], axis=1)]
    found += [edges[case == which][:, second] for which, second in _SECOND_LINE.items()] if saddles.any() else []
    return np.concatenate(found)


def _chains(next_to: dict[int, list[int]]) -> list[list[int]]:
    """Put the pieces in a row: first the lines with two ends, then the closed ones."""
    waiting = dict.fromkeys([*(edge for edge, others in next_to.items() if len(others) == 1), *next_to])
    chains = []
    while waiting:
        chain = [next(iter(waiting))]
        del waiting[chain[0]]
        while further := [edge for edge in next_to[chain[-1]] if edge in waiting]:
            chain.append(further[0])
            del waiting[further[0]]
        if len(chain) > 2 and chain[0] in next_to[chain[-1]]:
            chain.append(chain[0])
        chains.append(chain)
    return chains


def _points(chain: Ints, heights: Floats, x: Floats, y: Floats) -> Floats:
    """Where the line crosses its edges, the height taken as straight along each."""
    place, upwards = chain // 2, chain % 2
    rows, columns = place // heights.shape[1], place % heights.shape[1]
    next_row, next_column = rows + upwards, columns + 1 - upwards
    first, second = heights[rows, columns], heights[next_row, next_column]
    share = first / (first - second)
    across = x[columns] + share * (x[next_column] - x[columns])
    return np.stack([across, y[rows] + share * (y[next_row] - y[rows])], axis=1)


def _length(line: Floats) -> float:
    steps = line[1:] - line[:-1]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())
