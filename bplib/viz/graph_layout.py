"""Where the nodes of a computation graph stand, and which way their wires run: in layers from left to right.

The layered drawing of Sugiyama, Tagawa and Toda: a node stands to the right of all its operands, a wire that
passes a layer gets a place of its own there, so that it crosses no node, and each layer is sorted by the middle
of its neighbours, so that few wires cross each other.

References
----------
K. Sugiyama, S. Tagawa and M. Toda (1981), IEEE Trans. Syst. Man Cybern. 11(2), 109-125.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.errors import DomainError

__all__ = ["Layout", "Wire", "lay_out", "rows"]

_SWEEPS = 12
_WIDEST = 230.0  # pixels from layer to layer; longer wires only look empty
_BEND = 20.0  # pixels by which two wires between the same two nodes part
_SAMPLES = 16  # points of a wire between two layers
# A wire that passes a layer needs less room than a node with its words.
_PASSING = 0.5

Stop = tuple[int, int]  # (node, -1), or for a wire that passes a layer (number of the wire, layer)
Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class Wire:
    """The line from an operand to a result.

    Attributes
    ----------
    parent, child : int
        The numbers of the operand and of the result.
    place : int
        Which operand of the result it is, from 0.
    points : ndarray, shape (n, 2)
        The line, from the operand's middle to the result's.
    """

    parent: int
    child: int
    place: int
    points: Floats


@final
@dataclass(frozen=True)
class Layout:
    """A drawn graph.

    Attributes
    ----------
    places : dict of int to (float, float)
        The middle of each node, the origin in the lower left corner.
    wires : tuple of Wire
        In the order of the results and their operands.
    """

    places: dict[int, tuple[float, float]]
    wires: tuple[Wire, ...]


def lay_out(operands: Mapping[int, Sequence[int]], width: float, height: float, margin: float = 40.0) -> Layout:
    """Find a place for every node and a way for every wire.

    Parameters
    ----------
    operands : mapping of int to sequence of int
        For each node the numbers of its operands; empty for what was made by hand. A number may stand twice.
    width, height : float
        The room, in pixels.
    margin : float
        How far the outermost nodes stay away from its edge.

    Returns
    -------
    Layout

    Raises
    ------
    DomainError
        If there is no node, or an operand is newer than its result.

    Examples
    --------
    >>> layout = lay_out({0: (), 1: (), 2: (0, 1)}, 300.0, 100.0)
    >>> layout.places[2]
    (260.0, 50.0)
    """
    layer, wires, routes = _planned(operands)
    columns = _sort(_columns_of(layer, routes), routes)
    heights = _heights(columns, routes, height, margin)
    step = min((width - 2 * margin) / max(1, len(columns) - 1), _WIDEST)
    across = [width / 2 + (k - (len(columns) - 1) / 2) * step for k in range(len(columns))]
    places = {node: (across[layer[node]], heights[node, -1]) for node in operands}
    lines = []
    for number, ((parent, child, place), route) in enumerate(zip(wires, routes, strict=True)):
        stops = [(across[layer[parent]], heights[route[0]])]
        stops += [(across[stop[1]], heights[stop]) for stop in route[1:-1]]
        stops.append((across[layer[child]], heights[route[-1]]))
        lines.append(Wire(parent, child, place, _curve(stops, _bend(wires, number))))
    return Layout(places, tuple(lines))


def rows(operands: Mapping[int, Sequence[int]]) -> float:
    """Give how much room the fullest layer needs, in nodes; a wire that passes needs half of that.

    Examples
    --------
    >>> rows({0: (), 1: (), 2: (0, 1)})
    2.0
    """
    layer, _, routes = _planned(operands)
    columns = _columns_of(layer, routes)
    return 1.0 + max(sum(_gap(a, b) for a, b in pairwise(column)) for column in columns)


def _planned(
    operands: Mapping[int, Sequence[int]],
) -> tuple[dict[int, int], list[tuple[int, int, int]], list[list[Stop]]]:
    """Give the layer of each node, all wires, and the stops of each wire."""
    if not operands or any(parent >= node for node, parents in operands.items() for parent in parents):
        raise DomainError("lay_out: expected at least one node, and operands with smaller numbers than their results.")
    layer = _layers(operands)
    wires = [(parent, node, place) for node, parents in operands.items() for place, parent in enumerate(parents)]
    return layer, wires, [_route(layer, k, parent, child) for k, (parent, child, _) in enumerate(wires)]


def _layers(operands: Mapping[int, Sequence[int]]) -> dict[int, int]:
    """Give each result the first layer behind all its operands, and each leaf the last one before its first result."""
    layer: dict[int, int] = {}
    for node in sorted(operands):
        layer[node] = 1 + max((layer[parent] for parent in operands[node]), default=-1)
    first_use: dict[int, int] = {}
    for node, parents in operands.items():
        for parent in parents:
            first_use[parent] = min(first_use.get(parent, layer[node]), layer[node])
    return {node: depth if operands[node] else first_use.get(node, 1) - 1 for node, depth in layer.items()}


def _route(layer: Mapping[int, int], number: int, parent: int, child: int) -> list[Stop]:
    return [(parent, -1), *((number, between) for between in range(layer[parent] + 1, layer[child])), (child, -1)]


def _columns_of(layer: Mapping[int, int], routes: Sequence[Sequence[Stop]]) -> list[list[Stop]]:
    columns: list[list[Stop]] = [[] for _ in range(max(layer.values()) + 1)]
    for node, depth in layer.items():
        columns[depth].append((node, -1))
    for route in routes:
        for stop in route[1:-1]:
            columns[stop[1]].append(stop)
    return columns


def _neighbours(routes: Sequence[Sequence[Stop]]) -> dict[Stop, list[Stop]]:
    found: dict[Stop, list[Stop]] = {}
    for route in routes:
        for a, b in pairwise(route):
            found.setdefault(a, []).append(b)
            found.setdefault(b, []).append(a)
    return found


def _sort(columns: list[list[Stop]], routes: Sequence[Sequence[Stop]]) -> list[list[Stop]]:
    """Sort what stands in each layer; among some sweeps, keep the order in which the fewest wires cross."""
    beside = _neighbours(routes)
    ranks = _ranks(columns)
    best, fewest = [list(column) for column in columns], _crossings(columns, routes)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else columns[::-1]:
            column.sort(key=lambda stop: _middle(stop, beside, ranks))
            ranks.update(_ranks([column]))
        if fewest and (count := _crossings(columns, routes)) < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _ranks(columns: Sequence[Sequence[Stop]]) -> dict[Stop, float]:
    return {stop: (k + 0.5) / len(column) for column in columns for k, stop in enumerate(column)}


def _middle(stop: Stop, beside: Mapping[Stop, Sequence[Stop]], heights: Mapping[Stop, float]) -> float:
    others = beside.get(stop, ())
    return sum(heights[other] for other in others) / len(others) if others else heights[stop]


def _crossings(columns: Sequence[Sequence[Stop]], routes: Sequence[Sequence[Stop]]) -> int:
    ranks = {stop: (depth, k) for depth, column in enumerate(columns) for k, stop in enumerate(column)}
    ends = np.array([(*ranks[a], ranks[b][1]) for route in routes for a, b in pairwise(route)])
    if not len(ends):
        return 0
    layer, left, right = ends.T[:, :, None] - ends.T[:, None, :]
    return int(((layer == 0) & (left * right < 0)).sum()) // 2


def _heights(
    columns: Sequence[Sequence[Stop]], routes: Sequence[Sequence[Stop]], height: float, margin: float
) -> dict[Stop, float]:
    """Bring each stop as close to its neighbours' middle as the others in its layer allow; the first stands on top."""
    beside = _neighbours(routes)
    gaps = [[_gap(a, b) for a, b in pairwise(column)] for column in columns]
    unit = (height - 2 * margin) / max([sum(gap) for gap in gaps] + [1.0])
    found: dict[Stop, float] = {}
    for column, gap in zip(columns, gaps, strict=True):
        top = height / 2 + unit * sum(gap) / 2
        for k, stop in enumerate(column):
            found[stop] = top - unit * sum(gap[:k])
    for sweep in range(_SWEEPS):
        for column, gap in list(zip(columns, gaps, strict=True))[:: 1 if sweep % 2 else -1]:
            wanted = [_middle(stop, beside, found) for stop in column]
            placed = _apart(wanted, [unit * g for g in gap], margin, height - margin)
            found.update(zip(column, placed, strict=True))
    return found


def _gap(a: Stop, b: Stop) -> float:
    return (1.0 + 1.0) / 2 if a[1] < 0 and b[1] < 0 else (1.0 + _PASSING) / 2 if -1 in (a[1], b[1]) else _PASSING


def _apart(wanted: Sequence[float], gaps: Sequence[float], low: float, high: float) -> list[float]:
    """Heights from the top down, at least `gaps` apart, inside [low, high], near the wanted ones."""
    down = list(wanted)
    for k in range(len(down)):
        down[k] = min(down[k], high if k == 0 else down[k - 1] - gaps[k - 1])
    up = list(wanted)
    for k in range(len(up) - 1, -1, -1):
        up[k] = max(up[k], low if k == len(up) - 1 else up[k + 1] + gaps[k])
    # Both keep the distances, so their mean does. What sticks out at an end pushes the others.
    placed = [(a + b) / 2 for a, b in zip(down, up, strict=True)]
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = max(placed[k], low if k == len(placed) - 1 else placed[k + 1] + gaps[k])
    for k in range(len(placed)):
        placed[k] = min(placed[k], high if k == 0 else placed[k - 1] - gaps[k - 1])
    return placed


def _bend(wires: Sequence[tuple[int, int, int]], number: int) -> float:
    """By how much a wire leaves the straight way: 0, unless another joins the same two nodes."""
    same = [k for k, wire in enumerate(wires) if wire[:2] == wires[number][:2]]
    return _BEND * ((len(same) - 1) / 2 - same.index(number)) if len(same) > 1 else 0.0


def _curve(stops: Sequence[tuple[float, float]], bend: float) -> Floats:
    """Points of a line through the stops that is level at each of them."""
    t = np.linspace(0.0, 1.0, _SAMPLES + 1)
    smooth = t * t * (3 - 2 * t)
    parts = []
    for (x0, y0), (x1, y1) in pairwise(stops):
        arch = bend * np.sin(np.pi * t) * 2
        parts.append(np.stack([x0 + t * (x1 - x0), y0 + smooth * (y1 - y0) + arch], axis=-1))
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
