"""What the neuron bench shows: the neuron, the loss over its weight with slope and step, the ledger, the updates."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Arrow, Mark, Path, Points, Text, at_position, text_at
from bplib.viz.scene import Axis, Panel, Rectangle, Scene, ticks
from bplib.widgets.neuron.graph import Table, graph_panel
from bplib.widgets.neuron.passes import passes
from bplib.widgets.neuron.state import Run, State
from bplib.widgets.neuron.words import description, many, sentence, short, signed

__all__ = ["live_marks", "magnification", "neuron_scene", "sentence_of"]

Floats = npt.NDArray[np.float64]

_LEDGER = Rectangle(626, 34, 262, 156)
_CURVE = Rectangle(58, 236, 546, 160)
_RUNS = Rectangle(666, 236, 222, 160)

_DRAWN = 81
_HALF_TANGENT = 1.2
_MAGNIFIED = 20.0
_SLOW = 1.0  # at larger rates a step is long enough to be seen
_HEAD = 0.02  # of the panel's width: a shorter arrow would be nothing but its head
_LANE = 0.15  # of the panel's height, above every curve: for the numbers
_LENGTHS = (10, 30, 100, 300, 1000, 3000)
_POINTS = 400
# Of these the coordinates change with the controls; of every other named mark only the words do.
_MOVING = ("here", "tangent", "step", "arrow", "now")


def neuron_scene(state: State) -> Scene:
    """The scene of the neuron bench, one position for each weight of the main slider.

    Parameters
    ----------
    state : State

    Returns
    -------
    Scene

    Examples
    --------
    >>> scene = neuron_scene(State())
    >>> scene.count, [panel.title for panel in scene.panels[2:]]
    (121, ['Loss over the weight w', 'No update yet'])
    """
    return _scene(_table(state, state.ws))


def sentence_of(state: State) -> str:
    """The present state in words, as below the picture.

    Parameters
    ----------
    state : State

    Returns
    -------
    str
    """
    table = _table(state, (state.w,))
    return sentence(state, state.w, table.found, 0)


def live_marks(state: State) -> tuple[Mapping[str, npt.ArrayLike], Mapping[str, str], str]:
    """Coordinates, words and sentence at the present weight, in place of the table.

    Parameters
    ----------
    state : State

    Returns
    -------
    tuple of (dict, dict, str)
        By name of the mark; of the curve only the heights.
    """
    scene = _scene(_table(state, (state.w,)))
    named = {getattr(mark, "name", ""): mark for panel in scene.panels for mark in panel.marks}
    named.pop("")
    coordinates = {name: at_position(named[name], 0) for name in _MOVING if name in named}
    words = {name: text_at(mark, 0) for name, mark in named.items() if isinstance(mark, Text)}
    return {**coordinates, "curve": at_position(named["curve"], 0)[:, 1]}, words, scene.sentence(0)


def magnification(lr: float) -> float:
    """How many times as long as it is the step is drawn.

    Parameters
    ----------
    lr : float

    Returns
    -------
    float

    Examples
    --------
    >>> magnification(0.15), magnification(5.0)
    (20.0, 1.0)
    """
    return _MAGNIFIED if lr <= _SLOW else 1.0


def _table(state: State, ws: tuple[float, ...]) -> Table:
    return Table(state, ws, passes(ws, state.b, state.x, state.y))


def _scene(table: Table) -> Scene:
    sentences = tuple(sentence(table.state, w, table.found, k) for k, w in enumerate(table.ws))
    panels = (graph_panel(table), _ledger(table), _curve(table), _runs(table))
    return Scene(900, 438, panels, description(table.state), sentences)


# ---------------------------------------------------------------- the loss over the weight


def _ends(state: State) -> tuple[float, float]:
    """Whole numbers around all weights of the slider."""
    return float(np.floor(state.ws[0])), float(np.ceil(state.ws[-1]))


def _losses(state: State) -> Axis:
    """The same for the curve and the updates, so that a loss stands equally high in both."""
    most = 0.5 * max(state.y, 1 - state.y) ** 2
    return Axis(-0.04 * most, most * (1 + _LANE) / (1 - _LANE), label="loss L", ticks=ticks(0, most))


def _curve(table: Table) -> Panel:
    state, (low, high) = table.state, _ends(table.state)
    line = np.linspace(low, high, _DRAWN)
    heights = passes(line, state.b, state.x, state.y).loss
    here = np.stack([table.ws, table.found.loss], axis=-1)[:, None]
    y = _losses(state)
    marks: list[Mark] = [Path(np.stack([line, heights], axis=-1), "loss", name="curve", width=2.2)]
    marks.append(Points(here, "path", name="here", size=10))
    marks += _slope_and_step(table, here, y) if state.gradients_shown else [_question(low, y)]
    return Panel(_CURVE, Axis(low, high, label="weight w"), y, tuple(marks), "Loss over the weight w")


def _question(low: float, y: Axis) -> Text:
    words = "How steep is the curve at the point, and which way is down? Then press Backward."
    return Text([(low, y.high)], words, shift=(10, 12))


def _slope_and_step(table: Table, here: Floats, y: Axis) -> list[Mark]:
    state, (low, high) = table.state, _ends(table.state)
    slope = table.found.to_w
    aside = np.stack([np.ones_like(slope), slope], axis=-1)[:, None]
    tangent = here + _HALF_TANGENT * np.array([[-1.0], [1.0]]) * aside
    tips = here.copy()
    tips[:, 0, 0] = np.clip(tips[:, 0, 0] - magnification(state.lr) * state.lr * slope, low, high)
    step = np.concatenate([here, tips], axis=1)
    long = np.abs(tips - here)[..., :1] > _HEAD * (high - low)
    return [
        Path(tangent, "gradient", name="tangent", width=2.2),
        Path(np.where(long, np.nan, step), "update", name="step", width=4.0),
        Arrow(np.where(long, step, np.nan), "update", name="arrow", width=3.0),
        *_readings(table, low, y),
    ]


def _readings(table: Table, low: float, y: Axis) -> list[Mark]:
    """Slope and step in numbers, always at the same place: beside the point they would cover the curve."""
    lr, slope = table.state.lr, table.found.to_w
    unit = (_ends(table.state)[1] - low) / _CURVE.width
    at = [(low + pixels * unit, y.high) for pixels in (14.0, 200.0)]
    drawn = f", drawn {_MAGNIFIED:g} times as long" if magnification(lr) > 1 else ""
    words = (
        table.words(slope, lambda value: f"slope ∂L/∂w = {signed(value)}"),
        table.words(slope, lambda value: f"step −η · slope = {signed(-lr * value)}{drawn}"),
    )
    raised = (y.high - y.low) / _CURVE.height * 12
    marks: list[Mark] = []
    for place, role, name, text in zip(at, ("gradient", "update"), ("slope", "stride"), words, strict=True):
        marks.append(Points([(place[0], y.high - raised)], role, size=7))
        marks.append(Text([place], text, name=name, shift=(9, 12)))
    return marks


# ---------------------------------------------------------------- the ledger

_COLUMNS = (12.0, 90.0, 172.0, 252.0)
_ROWS = (104.0, 76.0, 48.0, 20.0)
_HEADING = 134.0
_RULE = 120.0


def _ledger(table: Table) -> Panel:
    cells = [_cells(table, k, w) for k, w in enumerate(table.ws)]
    marks: list[Mark] = [Path([(8.0, _RULE), (_LEDGER.width - 8, _RULE)], "quiet", width=1.0)]
    for column, words in zip(_COLUMNS[1:], ("before", "change", "after"), strict=True):
        marks.append(Text([(column, _HEADING)], words, anchor="right"))
    for name, height in zip(("w", "b", "a", "L"), _ROWS, strict=True):
        marks.append(Text([(_COLUMNS[0], height)], name))
    places = [(x, y) for y in _ROWS for x in _COLUMNS[1:]]
    for index, place in enumerate(places):
        marks.append(Text([place], tuple(row[index] for row in cells), name=f"c{index}", anchor="right"))
    x, y = Axis(0, _LEDGER.width, ticks=()), Axis(0, _LEDGER.height, ticks=())
    return Panel(_LEDGER, x, y, tuple(marks), "Ledger of one update", grid=False)


def _cells(table: Table, k: int, w: float) -> tuple[str, ...]:
    """The twelve numbers, row by row; what is not known yet is a question mark."""
    state, found = table.state, table.found
    if state.run is not None and state.ends_run_at(w):
        return _recorded(state.run)
    changes = [signed(-state.lr * float(g[k])) if state.gradients_shown else "?" for g in (found.to_w, found.to_b)]
    before = (w, state.b, found.output[k], found.loss[k])
    return tuple(
        cell for value, change in zip(before, (*changes, "?", "?"), strict=True) for cell in (short(value), change, "?")
    )


def _recorded(run: Run) -> tuple[str, ...]:
    pairs = [values[-2:] for values in (run.w, run.b, run.output, run.loss)]
    return tuple(cell for before, after in pairs for cell in (short(before), signed(after - before), short(after)))


# ---------------------------------------------------------------- the updates done


def _runs(table: Table) -> Panel:
    state = table.state
    before = state.earlier if _goes_on(state) else state.run
    now = state.run if _goes_on(state) else None
    shown = [(run, role, text) for run, role, text in (
        (before, "quiet", "run before"), (now, "loss", ""),
    ) if run is not None and run.y == state.y]  # fmt: skip
    longest = max((run.updates for run, _, _ in shown), default=0)
    width = next(n for n in _LENGTHS if n >= longest)
    marks: list[Mark] = [Path(_history(run), role, text=text) for run, role, text in shown]
    done = [state.run.updates if state.run and state.ends_run_at(w) else 0 for w in table.ws]
    marks.append(Points(np.stack([done, table.found.loss], axis=-1)[:, None], "path", name="now", size=9))
    x = Axis(-0.03 * width, 1.04 * width, label="update")
    return Panel(_RUNS, x, _losses(state), tuple(marks), _title(state))


def _title(state: State) -> str:
    return many(state.run.updates) if state.run and _goes_on(state) else "No update yet"


def _goes_on(state: State) -> bool:
    """Whether the next update belongs to the last run, at one place of the weight's slider at least.

    With another input, bias or target a new run begins. Losses for another target belong to another curve.
    """
    return any(map(state.ends_run_at, state.ws))


def _history(run: Run) -> Floats:
    drawn = np.unique(np.linspace(0, run.updates, min(run.updates + 1, _POINTS)).astype(int))
    return np.stack([drawn, np.array(run.loss)[drawn]], axis=-1)
