"""What the nudge lab shows: one input nudged by every size, or the gradient on a bowl."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bplib.tracing.figures import partial
from bplib.viz.marks import Bars, Mark, Path, Points, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene, ticks
from bplib.widgets.nudge.direction import direction, direction_panels
from bplib.widgets.nudge.errors import AROUND, Nudges, growth, nudges
from bplib.widgets.nudge.examples import EXAMPLES
from bplib.widgets.nudge.state import DIFFERENCES, State
from bplib.widgets.nudge.words import direction_sentence, figure, nudge_sentence

__all__ = ["best_h", "found_in", "nudge_scene"]

Floats = npt.NDArray[np.float64]

_ZOOM = Rectangle(58, 40, 254, 300)
_BARS = Rectangle(322, 40, 224, 300)
_ERRORS = Rectangle(610, 40, 274, 300)
_ROOM = 2.2
_AT_MINUS_ONE, _AT_ZERO, _AT_ONE = (int(np.flatnonzero(AROUND == t)[0]) for t in (-1.0, 0.0, 1.0))

# Errors of 0 have no place on a log axis: they get one below all others.
_NO_ERROR, _LOW, _HIGH = 3e-18, 5e-19, 1e5
_ERROR_TICKS = ((_NO_ERROR, "0"), (1e-15, "10⁻¹⁵"), (1e-10, "10⁻¹⁰"), (1e-5, "10⁻⁵"), (1.0, "1"), (1e5, "10⁵"))


class _Names(NamedTuple):
    """How the nudged input, the two ends of the nudge and its reach are written."""

    x: str
    above: str
    below: str
    reach: str


def found_in(state: State) -> Nudges:
    """All nudges of the state's input.

    Parameters
    ----------
    state : State

    Returns
    -------
    Nudges
    """
    return nudges(state.example, state.at, state.input, state.difference, state.hs)


def best_h(found: Nudges) -> float:
    """The nudge with the smallest error; of several the largest, which is the surest."""
    return float(found.hs[np.flatnonzero(found.errors == found.errors.min())[-1]])


def nudge_scene(state: State) -> Scene:
    """The scene of the nudge lab: over every nudge, or at one point of the bowl.

    Parameters
    ----------
    state : State

    Returns
    -------
    Scene

    Examples
    --------
    >>> from bplib.widgets.nudge.state import State
    >>> nudge_scene(State()).sentence(State().position)
    'h = 0.1: change predicted −0.2, true −0.2. The slope is off by ...·10⁻¹⁵, ...'
    """
    if state.show == "direction":
        at = direction(state.condition_number, state.point)
        name = f"The gradient on the bowl f = ½(x² + {state.condition_number:g}y²)"
        return Scene(900, 410, direction_panels(at, revealed=state.angle_revealed), name, (direction_sentence(at),))
    found = found_in(state)
    names = _names(state)
    panels = (_zoom(state, found, names), _bars(state, found, names), _errors(state, found, names))
    sentences = tuple(nudge_sentence(found, k, state.example, state.input) for k in range(len(found.hs)))
    return Scene(900, 400, panels, _description(state), sentences)


def _names(state: State) -> _Names:
    x, central = state.input, state.difference == "central"
    return _Names(x, f"{x} + h", f"{x} − h" if central else x, "2h" if central else "h")


def _description(state: State) -> str:
    example = EXAMPLES[state.example]
    point = ", ".join(f"{name} = {figure(value)}" for name, value in zip(example.inputs, state.at, strict=True))
    nudge = f"{state.input} is nudged, {state.difference} difference"
    return f"z = {example.formula} at {point}; {nudge}"


# ---------------------------------------------------------------- around the point, and the two changes


def _heights(found: Nudges) -> tuple[float, float]:
    """Ends of the axis that both panels share: the slopes near the point, and room for words above and below."""
    near = np.abs(found.slope + found.bend[found.hs <= 0.01]).max(initial=abs(found.slope))
    top = _ROOM * (float(near) or 1.0)
    return -top, top


def _zoom(state: State, found: Nudges, names: _Names) -> Panel:
    low, high = _heights(found)
    count = len(found.hs)
    start = np.zeros((count, 2))
    if state.difference == "central":
        start = np.stack([np.full(count, -1.0), found.zoomed[:, _AT_MINUS_ONE]], axis=-1)
    end = np.stack([np.ones(count), found.zoomed[:, _AT_ONE]], axis=-1)
    secant = np.stack([start, end], axis=1)
    curve = np.stack(np.broadcast_arrays(AROUND, found.zoomed), axis=-1)
    # Named, though they never move: what has no name lies below everything that does.
    marks: tuple[Mark, ...] = (
        Path(curve, "data"),
        Path([[-1.5, -1.5 * found.slope], [1.5, 1.5 * found.slope]], "gradient", "tangent", text="tangent"),
        Path(secant, "first", width=2.0, text="nudge"),
        Points(secant, "first", size=9),
        Points([[0.0, 0.0]], "data", "here", size=10),
    )
    places = tuple((float(t), words) for t, words in ((-1, f"{names.x} − h"), (0, names.x), (1, names.above)))
    x = Axis(-1.5, 1.5, label="always 3h wide: a smaller h zooms in", ticks=places)
    y = Axis(low, high, label="change of z, divided by h")
    return Panel(_ZOOM, x, y, marks, f"z near {names.x}")


def _bars(state: State, found: Nudges, names: _Names) -> Panel:
    low, high = _heights(found)
    marks: list[Mark] = [Path([[0, 0], [2, 0]], "contour", width=1.0)]
    columns = (
        (0.48, "gradient", np.full(len(found.hs), found.slope), found.predicted),
        (1.48, "first", found.estimates, found.changes),
    )
    formulas = (f"f′·{names.reach}", f"f({names.above}) − f({names.below})")
    for (x, role, slopes, changes), formula in zip(columns, formulas, strict=True):
        marks.append(Bars(np.stack([np.full(len(slopes), x), slopes], axis=-1)[:, None], role, width=44.0))
        marks.append(_words(x, high, formula, 14))
        marks.append(_words(x, high, tuple(f"= {figure(change, 6)}" for change in changes), 31))
        marks.append(_words(x, low, partial("z", names.x) if role == "gradient" else f"that ÷ {names.reach}", -31))
        marks.append(_words(x, low, tuple(f"= {figure(slope, 6)}" for slope in slopes), -14))
    why = f"Divided by {names.reach}, a change is a slope."
    x_axis = Axis(0, 2, label=why, ticks=((0.48, "predicted change"), (1.48, "true change")))
    # The lines of the panel beside it run on; its numbers need no second place.
    y_axis = Axis(low, high, ticks=tuple((value, "") for value, _ in ticks(low, high)))
    return Panel(_BARS, x_axis, y_axis, tuple(marks), f"Change of z, divided by {names.reach}")


def _words(x: float, y: float, text: str | tuple[str, ...], down: float) -> Text:
    return Text([[x, y]], text, anchor="center", shift=(0.0, down), plate=True)


# ---------------------------------------------------------------- the error at every nudge


def _errors(state: State, found: Nudges, names: _Names) -> Panel:
    heights = _on_the_axis(found.errors)
    rows = np.stack([found.hs, heights], axis=-1)
    upright = np.stack(np.broadcast_arrays(found.hs[:, None], [_LOW, _HIGH]), axis=-1)
    marks: list[Mark] = [Path(upright, "threshold", width=1.2)]
    if state.error_revealed:
        marks += _curves(state)
    marks.append(Points(rows[:, None], "first", "error", size=11))
    places = tuple((float(f"1e{power}"), f"10{sign}") for power, sign in ((-12, "⁻¹²"), (-8, "⁻⁸"), (-4, "⁻⁴")))
    x = Axis(found.hs[0] / 2, 2.0, "log", f"nudge h of {names.x}", (*places, (1.0, "1")))
    y = Axis(_LOW, _HIGH, "log", "error of the slope", _ERROR_TICKS)
    return Panel(_ERRORS, x, y, tuple(marks), "Error" if state.error_revealed else "Error: hidden until you predict")


def _on_the_axis(errors: Floats) -> Floats:
    return np.clip(errors, _NO_ERROR, _HIGH / 2)


def _curves(state: State) -> list[Mark]:
    marks: list[Mark] = []
    notes = []
    for difference in sorted(DIFFERENCES, key=lambda one: one == state.difference):
        present = difference == state.difference
        found = nudges(state.example, state.at, state.input, difference, state.hs)
        rows = np.stack([found.hs, _on_the_axis(found.errors)], axis=-1)
        marks.append(Path(rows, "first" if present else "quiet", width=2.4 if present else 1.4, text=difference))
        order = growth(state.example, state.at, state.input, difference, state.hs)
        notes += [] if order is None else [f"right branch, {difference}: slope {order:.2f}"]
        if present and EXAMPLES[state.example].kink is None:
            best = best_h(found)
            marks.append(Points([[best, float(rows[:, 1].min())]], "minimum", size=15))
            notes.append(f"★ smallest error at h = {figure(best)}")
    return [*marks, *(_note(state, words, 14.0 + 17 * line) for line, words in enumerate(notes))]


def _note(state: State, words: str, down: float) -> Text:
    """Words in the upper left corner: where h is small, no error comes near 1."""
    return Text([[state.hs[0] / 2, _HIGH]], words, name=words, shift=(8.0, down), plate=True)
