"""What the loop stepper shows: the network with all its numbers, the four predictions, the loss of every loop."""

import numpy as np
import numpy.typing as npt

from bplib.data import xor
from bplib.viz.marks import Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.loop.state import State
from bplib.widgets.loop.words import EXAMPLES, description, number, sentence

__all__ = ["loop_scene"]

_NETWORK = Rectangle(12, 40, 500, 388)
_PREDICTIONS = Rectangle(580, 40, 240, 128)
_LOSSES = Rectangle(580, 246, 304, 140)
_TARGETS = tuple(xor()[1].ravel().tolist())

# Places in the panel of the network, in pixels from its lower left corner.
_INPUTS = ((40.0, 276.0), (40.0, 112.0))
_HIDDEN_AT, _OUTPUT = 292.0, (452.0, 194.0)
_EDGE = 64.0
_NODE = 34.0
_LOOPS = (200, 500, 1000, 2000, 5000, 10_000, 20_000)
_HEIGHTS = (0.5, 1.0, 2.0, 5.0)
_DRAWN = 1000
_GUESSING = 0.25
_GUESSING_WORDS = "0.25: the loss of always answering 0.5"

Floats = npt.NDArray[np.float64]


Place = tuple[float, float]


def loop_scene(state: State) -> Scene:
    """The scene of the loop stepper.

    Parameters
    ----------
    state : State

    Returns
    -------
    Scene

    Examples
    --------
    >>> from bplib.widgets.loop.state import first_state
    >>> [panel.title for panel in loop_scene(first_state()).panels]
    ['The network', 'Predictions: none yet', 'Loss: none yet']
    """
    panels = (_network(state), _predictions(state), _losses(state))
    return Scene(900, 440, panels, description(state), (sentence(state),))


# ---------------------------------------------------------------- the network


def _network(state: State) -> Panel:
    marks = [*_edges(state), *_nodes(state), *_numbers(state)]
    box = _NETWORK
    x, y = Axis(0, box.width, ticks=()), Axis(0, box.height, ticks=())
    return Panel(box, x, y, tuple(marks), "The network", grid=False)


def _hidden(count: int) -> list[Place]:
    middle = _NETWORK.height / 2
    heights = [middle] if count == 1 else np.linspace(_NETWORK.height - _EDGE, _EDGE, count).tolist()
    return [(_HIDDEN_AT, float(y)) for y in heights]


def _connections(count: int) -> list[tuple[Place, Place]]:
    """Both ends of every weight's line, in the order of the weights in θ."""
    units = _hidden(count)
    return [(start, end) for start in _INPUTS for end in units] + [(start, _OUTPUT) for start in units]


def _edges(state: State) -> list[Mark]:
    biases = _biases(state.hidden)
    weights = [value for k, value in enumerate(state.parameters) if k not in biases]
    marks: list[Mark] = [
        Path(np.full((2, 2), np.nan), role, text=text)
        for role, text in (("contour", "positive"), ("threshold", "negative"))
    ]
    for weight, ends in zip(weights, _connections(state.hidden), strict=True):
        width = 1 + 2 * min(abs(weight), 2.0) if np.isfinite(weight) else 5.0
        marks.append(Path(ends, "threshold" if weight < 0 else "contour", width=width))
    return marks


def _nodes(state: State) -> list[Mark]:
    units = _hidden(state.hidden)
    places = [*_INPUTS, *units, _OUTPUT]
    names = ["x₁", "x₂", *("h₁", "h₂", "h₃")[: len(units)], "ŷ"]
    names_at = [Text([place], name, anchor="center") for place, name in zip(places, names, strict=True)]
    return [Points(places, "contour", size=_NODE), *names_at]


def _labels(count: int) -> list[Place]:
    """Where the numbers of each parameter begin, in the order of θ."""
    units = _hidden(count)
    lines = _connections(count)
    into = [_along(line, 0.7) for line in lines[: 2 * count]]
    out = [_along(line, 0.47) for line in lines[2 * count :]]
    return [*into, *map(_below, units), *out, _below(_OUTPUT)]


def _along(line: tuple[Place, Place], part: float) -> Place:
    (x0, y0), (x1, y1) = line
    return x0 + part * (x1 - x0) - 24, y0 + part * (y1 - y0)


def _below(unit: Place) -> Place:
    x, y = unit
    return x - 24, y - 36


def _numbers(state: State) -> list[Mark]:
    """Each parameter, and below it its gradient or what the update has added to it."""
    second, role, words = state.gradients, "gradient", "gradient"
    if second is None:
        second, role, words = state.change, "update", "added by Update"
    up = 0.0 if second is None else 8.0
    labels, biases = _labels(state.hidden), _biases(state.hidden)
    marks: list[Mark] = []
    for k, (value, (x, y)) in enumerate(zip(state.parameters, labels, strict=True)):
        marks.append(Text([[x, y + up]], ("b " if k in biases else "") + number(value), plate=True))
        if second is not None:
            marks.append(Text([[x, y - 8]], number(second[k]), shift=(13, 0), plate=True))
    if second is not None:
        marks.append(Points([(x + 4, y - 8) for x, y in labels], role, size=8, text=words))
    return marks


def _biases(count: int) -> set[int]:
    """Which parameters in θ are biases."""
    return {*range(2 * count, 3 * count), 4 * count}


# ---------------------------------------------------------------- predictions and losses


def _predictions(state: State) -> Panel:
    rows = np.arange(3.0, -1.0, -1.0)
    marks: list[Mark] = []
    title = "Predictions: none yet"
    if state.predictions is not None:
        title = "Predictions"
        at = np.clip(np.nan_to_num(np.array(state.predictions), nan=9.0), -9.0, 9.0)
        marks += _errors(state, at, rows)
    marks.append(Points(np.stack([_TARGETS, rows], axis=-1), "data", size=13, text="target"))
    if state.predictions is not None:
        role = "quiet" if state.stale else "prediction"
        marks.append(Points(np.stack([at, rows], axis=-1), role, size=10, text="old ŷ" if state.stale else "ŷ"))
        for value, row in zip(state.predictions, rows, strict=True):
            words = f"({number(value)})" if state.stale else number(value)
            marks.append(Text([[1.5, row]], words, shift=(10, 0)))
    places = tuple((row, example) for row, example in zip(rows.tolist(), EXAMPLES, strict=True))
    label = "prediction ŷ" + (", from before the update" if state.stale else "")
    x, y = Axis(-0.5, 1.5, label=label), Axis(-0.6, 3.6, label="input x₁ x₂", ticks=places)
    return Panel(_PREDICTIONS, x, y, tuple(marks), title)


def _errors(state: State, at: Floats, rows: Floats) -> list[Mark]:
    if state.loss is None or state.stale:
        return []
    pairs = zip(at, _TARGETS, rows, strict=True)
    return [Path([[value, row], [target, row]], "loss", width=4) for value, target, row in pairs]


def _losses(state: State) -> Panel:
    count = len(state.losses)
    width = next((n for n in _LOOPS if n >= count), _LOOPS[-1])
    marks: list[Mark] = [Rule(_GUESSING, "horizontal")]
    top, drawn, heights = _HEIGHTS[0], np.zeros(0, dtype=int), np.zeros(0)
    if count:
        # Above this every curve has left the picture; infinity itself cannot be drawn.
        heights = np.minimum(np.nan_to_num(np.array(state.losses), nan=1e6, posinf=1e6), 1e6)
        top = next((h for h in _HEIGHTS if h >= heights.max()), _HEIGHTS[-1])
        drawn = np.unique(np.linspace(0, count - 1, min(count, _DRAWN)).astype(int))
        marks.append(Path(np.stack([drawn + 1.0, heights[drawn]], axis=-1), "loss"))
        marks.append(Points([[count, heights[-1]]], "loss", size=8))
    marks.append(_about_guessing(drawn + 1.0, heights[drawn], width, top))
    x, y = Axis(-0.02 * width, width, label="loop"), Axis(0, top, label="loss")
    return Panel(_LOSSES, x, y, tuple(marks), _loss_title(state))


def _about_guessing(loops: Floats, heights: Floats, width: int, top: float) -> Text:
    """The words at the line of the loss 0.25: above it, or below it where the curve runs above; over all else."""
    beside = heights[loops > 0.15 * width] - _GUESSING
    line = 20 / _LOSSES.height * top
    taken_above, taken_below = np.any((beside > 0) & (beside < line)), np.any((beside < 0) & (beside > -line))
    below = bool(taken_above and not taken_below and line < _GUESSING)
    place = [[width, _GUESSING]]
    return Text(place, _GUESSING_WORDS, anchor="right", shift=(-4, 9 if below else -9), plate=not below)


def _loss_title(state: State) -> str:
    if not state.losses:
        return "Loss: none yet"
    updates = f"{state.updates} update{'' if state.updates == 1 else 's'}"
    return f"Loss {number(state.losses[-1], 4)} · loop {len(state.losses)} · {updates}"
