"""The neuron as a graph with a number on each wire: forward in black, the gradients coming back below them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Arrow, Mark, Points, Text
from bplib.viz.scene import Axis, Panel, Rectangle
from bplib.widgets.neuron.passes import Passes
from bplib.widgets.neuron.state import State
from bplib.widgets.neuron.words import short, signed

__all__ = ["Table", "graph_panel"]

Floats = npt.NDArray[np.float64]
Place = tuple[float, float]

_BOX = Rectangle(12, 34, 592, 156)

# Places in pixels from the panel's lower left corner.
_LINE, _TOP = 66.0, 128.0
_X, _TIMES, _PLUS, _SIGMA, _LOSS = ((x, _LINE) for x in (30.0, 136.0, 264.0, 392.0, 514.0))
_W, _B, _Y = ((place[0], _TOP) for place in (_TIMES, _PLUS, _LOSS))
_RADIUS = 17.0
_ABOVE, _BACK, _BELOW, _LOCAL = 13.0, -8.0, -24.0, -46.0
_BESIDE = 8.0


@final
@dataclass(frozen=True)
class Table:
    """The weights of a scene and what flows through the neuron at each of them.

    Parameters
    ----------
    state : State
    ws : tuple of float, length n
        One for each position.
    found : Passes
        Of these weights.
    """

    state: State
    ws: tuple[float, ...]
    found: Passes

    def words(self, values: npt.ArrayLike, form: Callable[[float], str]) -> tuple[str, ...]:
        """The words at each position: `form` of one value, or of each."""
        return tuple(map(form, np.broadcast_to(np.asarray(values), len(self.ws)).tolist()))


def graph_panel(table: Table) -> Panel:
    """The panel of the graph.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Panel
    """
    marks = [*_wires(), *_nodes(), *_values(table)]
    if table.state.gradients_shown:
        marks += [*_ways_back(), *_gradients(table), *_local_derivatives(table)]
    x, y = Axis(0, _BOX.width, ticks=()), Axis(0, _BOX.height, ticks=())
    return Panel(_BOX, x, y, tuple(marks), _title(table.state), grid=False)


def _title(state: State) -> str:
    return "The neuron: values forward" + (", gradients backward" if state.gradients_shown else "")


# ---------------------------------------------------------------- forward

_AHEAD = ((_X, _TIMES), (_TIMES, _PLUS), (_PLUS, _SIGMA), (_SIGMA, _LOSS))
_DOWN = ((_W, _TIMES), (_B, _PLUS), (_Y, _LOSS))


def _wires() -> list[Mark]:
    return [Arrow(_between(start, end), "path", width=1.6) for start, end in (*_AHEAD, *_DOWN)]


def _between(start: Place, end: Place, shift: Place = (0.0, 0.0)) -> list[Place]:
    """Both ends of a wire, at the edges of its nodes."""
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / length * _RADIUS, (y1 - y0) / length * _RADIUS
    return [(x0 + dx + shift[0], y0 + dy + shift[1]), (x1 - dx + shift[0], y1 - dy + shift[1])]


def _nodes() -> list[Mark]:
    marks: list[Mark] = [
        Points([_X, _Y], "data", size=2 * _RADIUS),
        Points([_W, _B], "leaf", size=2 * _RADIUS - 4),
        Points([_TIMES, _PLUS, _SIGMA, _LOSS], "contour", size=2 * _RADIUS),
    ]
    named = {"x": _X, "×": _TIMES, "w": _W, "+": _PLUS, "b": _B, "σ": _SIGMA, "y": _Y, "L": _LOSS}
    return marks + [Text([place], name, anchor="center") for name, place in named.items()]


def _values(table: Table) -> list[Mark]:
    state, found = table.state, table.found
    middles = [((start[0] + end[0]) / 2, _LINE + _ABOVE) for start, end in _AHEAD]
    wires: tuple[tuple[str, npt.ArrayLike, str], ...] = (
        ("x", state.x, "x = "), ("p", found.product, "w·x = "), ("z", found.z, "z = "), ("a", found.output, "a = "),
    )  # fmt: skip
    marks: list[Mark] = [
        _number(table, name, values, place, head, "center")
        for place, (name, values, head) in zip(middles, wires, strict=True)
    ]
    up = 8.0 if state.gradients_shown else 0.0
    marks += [
        _number(table, "w", table.ws, _right_of(_W, up), "w = ", "left"),
        _number(table, "b", state.b, _right_of(_B, up), "b = ", "left"),
        Text([(_Y[0] - _RADIUS - _BESIDE, _TOP)], f"y = {short(state.y)}", anchor="right"),
        Points([(_LOSS[0] - 30, _LINE + _LOCAL)], "loss", size=8),
        _number(table, "L", found.loss, (_LOSS[0] - 22, _LINE + _LOCAL), "L = ", "left"),
    ]
    return marks


def _right_of(node: Place, up: float) -> Place:
    return node[0] + _RADIUS + _BESIDE, _TOP + up


def _number(table: Table, name: str, values: npt.ArrayLike, place: Place, head: str, anchor: str) -> Text:
    words = table.words(values, lambda value: head + short(value))
    return Text([place], words, name=name, anchor=anchor)  # type: ignore[arg-type]  # one of the three words


# ---------------------------------------------------------------- backward


def _ways_back() -> list[Mark]:
    level = [_between(end, start, (0.0, _BACK)) for start, end in _AHEAD[1:]]
    upward = [_between(end, start, (_BACK, 0.0)) for start, end in _DOWN[:2]]
    return [Arrow(ends, "gradient", width=1.6) for ends in (*level, *upward)]


def _gradients(table: Table) -> list[Mark]:
    found = table.found
    places = {
        "gw": (_right_of(_W, -8.0), found.to_w),
        "gb": (_right_of(_B, -8.0), found.to_b),
        "gp": (_below(*_AHEAD[1]), found.to_z),
        "gz": (_below(*_AHEAD[2]), found.to_z),
        "ga": (_below(*_AHEAD[3]), found.to_output),
    }
    marks: list[Mark] = [Points([(x + 4, y) for (x, y), _ in places.values()], "gradient", size=7)]
    for name, ((x, y), values) in places.items():
        marks.append(Text([(x + 12, y)], table.words(values, signed), name=name))
    return marks


def _below(start: Place, end: Place) -> Place:
    return (start[0] + end[0]) / 2 - 32, _LINE + _BELOW


def _local_derivatives(table: Table) -> list[Mark]:
    """What the gradient is multiplied by on its way back through each operation."""
    found, state = table.found, table.state
    local = (
        ("lx", _TIMES, np.array(state.x), "× x = "),
        ("ls", _SIGMA, found.slope, "× a(1 − a) = "),
    )
    marks: list[Mark] = []
    for name, (x, _), values, head in local:
        marks.append(_number(table, name, values, (x, _LINE + _LOCAL), head, "center"))
    return [*marks, Text([(_PLUS[0], _LINE + _LOCAL)], "× 1", anchor="center")]
