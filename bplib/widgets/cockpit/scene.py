"""What the training cockpit shows over the epochs: losses, right answers, update-to-weight ratios, gradient norms."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Mark, Path, Points, Rule, Text, at_position, text_at
from bplib.viz.scene import Axis, Panel, Rectangle, Scene, ticks
from bplib.widgets.cockpit.evidence import short
from bplib.widgets.cockpit.faults import CLASSES, VALIDATED_ON
from bplib.widgets.cockpit.state import MOST, State
from bplib.widgets.cockpit.training import Row, Training
from bplib.widgets.cockpit.words import sentences

__all__ = ["NAME", "cockpit_scene", "one_position"]

Floats = npt.NDArray[np.float64]

NAME = "A network learns digits, epoch by epoch"

_LOSS = Rectangle(58, 34, 322, 218)
_RIGHT = Rectangle(58, 292, 322, 92)
_RATIOS = Rectangle(462, 34, 422, 155)
_NORMS = Rectangle(462, 229, 422, 155)

_CHANCE = math.log(CLASSES)
_THUMB = 1e-3
# The axes begin with these powers of ten, the same for every setting, and only grow.
_LOSS_POWERS, _RATIO_POWERS, _NORM_POWERS = (-2, 1), (-6, 0), (-2, 2)
_USUAL_LOSS = 0.03
_GREY = "grey: a run with your guess"
_FARTHEST = 12
_MARKERS = 50  # more in a row would run together
# Of the words on a rule, in pixels: the width of a letter, the height of a line, and what keeps a marker clear of it.
_LETTER, _LINE, _CLEAR = 6.6, 15.0, 3.0


def cockpit_scene(state: State) -> Scene:
    """The scene of a run, one position for each epoch; before the first epoch its panels are empty.

    A run with the guessed fault is drawn in grey behind it.

    Parameters
    ----------
    state : State
        Its position plays no part.

    Returns
    -------
    Scene
    """
    panels = (_losses(state), _right(state), _ratios(state), _norms(state))
    what = "" if state.setting == "healthy" else f", setting {state.setting}"
    return Scene(900, 430, panels, f"{NAME}{what}, η = {state.training.lr:g}", sentences(state))


def one_position(scene: Scene, k: int) -> Scene:
    """The same picture at one position alone: it shows whatever place a slider has.

    Parameters
    ----------
    scene : Scene
    k : int

    Returns
    -------
    Scene
        With one position.
    """
    panels = tuple(replace(panel, marks=tuple(_still(mark, k) for mark in panel.marks)) for panel in scene.panels)
    return Scene(scene.width, scene.height, panels, scene.name, (scene.sentence(k),))


def _still(mark: Mark, k: int) -> Mark:
    match mark:
        case Path() | Points() | Text():
            return replace(mark, points=at_position(mark, k), text=text_at(mark, k))
    return mark


def _epochs(state: State, *, lowest: bool = False) -> Axis:
    """The epochs, written out below the lowest panels only: the panels above them have the same."""
    stretches = math.ceil(max(1, state.epochs, state.goal) / state.length)
    last = min(MOST, stretches * state.length)
    marked = ticks(0, last, count=4)
    named = marked if lowest else tuple((epoch, "") for epoch, _ in marked)
    return Axis(0, last, label="epoch" if lowest else "", ticks=named)


def _shown(training: Training | None) -> tuple[Row, ...]:
    """What may be drawn: the loss before the first step is the learner's to predict, as long as nothing has run."""
    return training.rows if training is not None and training.epochs else ()


def _behind(state: State) -> tuple[Row, ...]:
    """What is drawn in grey: a right guess would only lie below the run itself."""
    return () if state.guess == state.fault else _shown(state.tried)


def _curve(values: Iterable[float], first: int = 0) -> Floats:
    heights = np.array(list(values), dtype=np.float64)
    return np.stack([first + np.arange(len(heights), dtype=np.float64), heights], axis=-1)


def _present(rows: tuple[Row, ...], y: Axis) -> list[Mark]:
    """An upright line at the epoch that is looked at."""
    if not rows:
        return []
    epochs = np.arange(len(rows), dtype=np.float64)
    ends = [np.stack([epochs, np.full_like(epochs, end)], axis=-1) for end in (y.low, y.high)]
    return [Path(np.stack(ends, axis=1), "contour", width=1.0)]


def _moving(curve: Floats, role: str, size: float = 8.0) -> Points:
    """A marker on a curve, at the epoch that is looked at."""
    return Points(curve[:, None], role, size=size)


# ---------------------------------------------------------------- losses and right answers


def _losses(state: State) -> Panel:
    rows, tried = _shown(state.training), _behind(state)
    seen = [loss for row in (*rows, *tried) for loss in (row.train_loss, row.valid_loss)]
    low, high = _powers(seen, *_LOSS_POWERS)
    floor = _USUAL_LOSS if min(seen, default=1.0) >= _USUAL_LOSS else 10.0**low
    labels = tuple((value, label) for value, label in _labels(low, high) if value >= floor)
    y = Axis(floor, 10.0**high, "log", "cross-entropy", labels)
    marks = [*_present(rows, y)]
    if rows:
        marks += _tried_losses(tried, y) if tried else []
        for name, role, word in (("train_loss", "loss", "training"), ("valid_loss", "validation", "validation")):
            values = [min(getattr(row, name), y.high) for row in rows]
            words = tuple(f"{word} {short(getattr(row, name))}" for row in rows)
            marks += [Path(_curve(values), role, text=words), _moving(_curve(values), role)]
    panel = Panel(_LOSS, _epochs(state), y, tuple(marks), "Loss")
    return _ruled(panel, _CHANCE, "chance", f"ln 10 = {_CHANCE:.3f}") if rows else panel


def _tried_losses(tried: tuple[Row, ...], y: Axis) -> list[Mark]:
    train, valid = (_curve(min(getattr(row, name), y.high) for row in tried) for name in ("train_loss", "valid_loss"))
    words = Text([[0.0, y.high]], _GREY, anchor="right", shift=(_LOSS.width - 5, 13.0), plate=True)
    return [Path(train, "quiet", width=1.2), Points(valid, "quiet", size=3.5), words]


def _right(state: State) -> Panel:
    rows, tried = _shown(state.training), _behind(state)
    marked = tuple((float(count), str(count)) for count in (0, VALIDATED_ON // 2, VALIDATED_ON))
    y = Axis(0, 1.07 * VALIDATED_ON, label=f"of {VALIDATED_ON}", ticks=marked)  # room for the marker of 200
    marks = [*_present(rows, y)]
    if rows:
        marks += [Path(_curve(row.right for row in tried), "quiet", width=1.2)] if tried else []
        curve, words = _curve(row.right for row in rows), tuple(str(row.right) for row in rows)
        marks += [Path(curve, "validation", text=words), _moving(curve, "validation")]
    panel = Panel(_RIGHT, _epochs(state, lowest=True), y, tuple(marks), "Validation digits right")
    return _ruled(panel, VALIDATED_ON / CLASSES, "chance", str(VALIDATED_ON // CLASSES)) if rows else panel


def _ruled(panel: Panel, value: float, meaning: str, figure: str) -> Panel:
    """With a rule behind everything, its words where no curve runs: at one of its ends, else in a corner."""
    words = f"{meaning}: {figure}"
    box, height = panel.rectangle, panel.to_pixels([[panel.x.low, value]])[0, 1]
    curves, length = _dense(panel), _LETTER * len(words)
    counts: dict[tuple[Literal["left", "right"], bool], int] = {}
    for end in ("right", "left"):
        for below in (False, True):
            fits = below is False or height + _LINE < box.y + box.height
            top = height if below else height - _LINE
            counts[end, below] = _inside(curves, box, end, length, top) if fits else len(curves) + 1
    end, below = min(counts, key=lambda place: counts[place])
    if counts[end, below]:
        rule = Rule(value, "horizontal")
        return replace(panel, marks=(rule, *panel.marks, _in_a_corner(panel, curves, f"{meaning} (dotted): {figure}")))
    return replace(panel, marks=(Rule(value, "horizontal", text=words, end=end, below=below), *panel.marks))


def _in_a_corner(panel: Panel, curves: Floats, words: str) -> Text:
    box, length = panel.rectangle, _LETTER * len(words)
    tops = {"low": box.y + box.height - _LINE - 5, "high": box.y + 5}
    # At the top on the right it is said what the grey curves are.
    places: tuple[tuple[Literal["left", "right"], str], ...] = (("right", "low"), ("left", "high"), ("left", "low"))
    if not any(isinstance(mark, Text) for mark in panel.marks):
        places = (("right", "high"), *places)
    end, level = min(places, key=lambda place: _inside(curves, box, place[0], length, tops[place[1]]))
    x, inward = (panel.x.high, -5) if end == "right" else (panel.x.low, 5)
    y, down = (panel.y.high, 13.0) if level == "high" else (panel.y.low, -13.0)
    return Text([[x, y]], words, anchor=end, shift=(inward, down))


def _inside(curves: Floats, box: Rectangle, end: str, length: float, top: float) -> int:
    """How much of the curves lies where a line of words would stand."""
    inward = np.abs(curves[:, 0] - (box.x + box.width if end == "right" else box.x))
    lower = curves[:, 1] - top
    return int(((inward < length + _CLEAR) & (lower > -_CLEAR) & (lower < _LINE + _CLEAR)).sum())


def _dense(panel: Panel) -> Floats:
    """The curves of a panel in pixels, a point at least every second one: between two epochs runs a line."""
    curves = []
    for mark in panel.marks:
        if not isinstance(mark, Path | Points) or mark.role == "contour":
            continue
        pixels = panel.to_pixels(np.reshape(mark.points, (-1, 2)))
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        steps = np.arange(len(pixels))
        longest = np.abs(np.diff(pixels, axis=0)).max(initial=1.0)
        fine = np.linspace(0, max(len(pixels) - 1, 0), int(longest / 2 + 1) * len(pixels) + 1)
        curves += [np.stack([np.interp(fine, steps, pixels[:, k]) for k in (0, 1)], axis=-1)] if len(pixels) else []
    return np.concatenate(curves)


# ---------------------------------------------------------------- layer by layer


def _ratios(state: State) -> Panel:
    axis, marks = _layers(state, "ratios", "update", _RATIO_POWERS, "‖ΔW‖ / ‖W‖")
    panel = Panel(_RATIOS, _epochs(state), axis, tuple(marks), "Update-to-weight ratio")
    return _ruled(panel, _THUMB, "rule of thumb", "10⁻³") if state.epochs else panel


def _norms(state: State) -> Panel:
    axis, marks = _layers(state, "gradients", "gradient", _NORM_POWERS, "‖∂Loss/∂W‖")
    return Panel(_NORMS, _epochs(state, lowest=True), axis, tuple(marks), "Gradient norm")


def _layers(state: State, column: str, role: str, powers: tuple[int, int], label: str) -> tuple[Axis, list[Mark]]:
    """Markers for layer 1, a line for layer 2, on a logarithmic axis that has a place for 0 below."""
    rows, tried = _shown(state.training), _behind(state)
    seen = [value for row in (*rows[1:], *tried[1:]) for value in getattr(row, column)]
    low, high = _powers(seen, *powers)
    zero = 10.0 ** (low - 1)
    axis = Axis(zero / 2.5, 10.0**high, "log", label, ((zero, "0"), *_labels(low, high)))
    marks = _present(rows, axis)
    for shown, colour, size, width in ((tried, "quiet", 3.5, 1.2), (rows, role, 5.5, 2.2)):
        if not shown:
            continue
        first, second = (_curve([_placed(getattr(row, column)[k], low, high) for row in shown[1:]], 1) for k in (0, 1))
        own = shown is rows
        texts = [_words(rows, column, k) if own else "" for k in (0, 1)]
        spread = first[:: math.ceil(len(first) / _MARKERS)]
        marks += [Points(spread, colour, size=size, text=texts[0]), Path(second, colour, width=width, text=texts[1])]
        marks += [_moving(_with_start(curve), role, 8.0) for curve in (first, second)] if own else []
    return axis, marks


def _placed(value: float, low: int, high: int) -> float:
    return 10.0 ** (low - 1) if value == 0 else min(max(value, 10.0**low), 10.0**high)


def _with_start(curve: Floats) -> Floats:
    """Before the first step there is neither a gradient nor an update."""
    return np.concatenate([[[0.0, np.nan]], curve])


def _words(rows: tuple[Row, ...], column: str, layer: int) -> tuple[str, ...]:
    values = (getattr(row, column)[layer] for row in rows)
    return tuple(f"layer {layer + 1}{'' if math.isnan(value) else f': {short(value)}'}" for value in values)


def _powers(values: Iterable[float], low: int, high: int) -> tuple[int, int]:
    """Whole powers of ten around the values, at least those from `low` to `high`."""
    logs = [math.log10(value) for value in values if 0 < value < math.inf]
    least, most = (math.floor(min(logs)), math.ceil(max(logs))) if logs else (low, high)
    return max(-_FARTHEST, min(low, least)), min(_FARTHEST, max(high, most))


def _labels(low: int, high: int) -> tuple[tuple[float, str], ...]:
    """Every power of ten where there is room, else every second one, third one, ..., from the top."""
    stride = math.ceil((high - low + 1) / 5)
    named = dict(ticks(10.0**low, 10.0**high, "log", 1000))
    return tuple((value, label) for value, label in named.items() if (high - round(math.log10(value))) % stride == 0)
