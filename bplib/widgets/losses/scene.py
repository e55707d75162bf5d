"""What the loss comparer shows of several numbers: a strip with each loss's minimum, and the three curves over c."""

from dataclasses import replace
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Handle, Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.losses.numbers import LARGEST, LOSSES, Frame, lowest, slopes, values
from bplib.widgets.losses.state import State
from bplib.widgets.losses.words import bottom, heights_of, number_sentences, short, signed

__all__ = ["live_numbers", "number_scene"]

Floats = npt.NDArray[np.float64]
Marks = dict[str, Floats]
Anchor = Literal["left", "center", "right"]
Words = dict[str, tuple[str, ...]]

_STRIP = Rectangle(72, 40, 800, 122)
_CURVES = tuple(Rectangle(x, 236, 216, 148) for x in (72.0, 364.0, 656.0))
_OUTLIER_LANE, _DATA_LANE = 4.0, 3.0
_LANES = dict(zip(LOSSES, (2.0, 1.0, 0.0), strict=True))
_ENDS = (-0.6, 4.6)
_HEIGHTS = dict(zip(LOSSES, ("mean of (c − yᵢ)²", "mean of |c − yᵢ|", "mean of Huber's loss"), strict=True))


def number_scene(state: State) -> Scene:
    """The scene of the numbers, one position for each c.

    Parameters
    ----------
    state : State

    Returns
    -------
    Scene

    Examples
    --------
    >>> [panel.title for panel in number_scene(State()).panels[1:]]
    ['MSE', 'MAE', 'Huber, δ = 1']
    """
    at = state.frame.positions
    marks, words, sentences = _read(state, at)
    panels = [_strip(state, marks, words)]
    panels += [_curve(state, loss, box, marks, words) for loss, box in zip(LOSSES, _CURVES, strict=True)]
    numbers = ", ".join(map(short, state.data))
    name = f"{'Slopes of three' if state.derivative else 'Three'} losses of one prediction c for the numbers {numbers}"
    return Scene(900, 436, tuple(panels), name, sentences)


def live_numbers(state: State) -> tuple[Marks, dict[str, str], str]:
    """Coordinates, words and sentence that stand in for the scene while the outlier is dragged.

    Parameters
    ----------
    state : State
        With the same axes as the scene.

    Returns
    -------
    tuple of (dict, dict, str)
        Name of a mark -> coordinates; name of a mark -> words; the sentence.
    """
    tables, words, sentences = _read(state, (state.c,))
    marks = {name: table[0] if table.ndim == 3 else table for name, table in tables.items()}
    return marks, {name: told[0] for name, told in words.items()}, sentences[0]


# ---------------------------------------------------------------- what moves, by name


def _read(state: State, at: tuple[float, ...]) -> tuple[Marks, Words, tuple[str, ...]]:
    """Coordinates, words and sentences at k constants c; of shape (k, n, 2) what depends on c, and (n, 2) the rest."""
    place = np.array([[state.outlier, _OUTLIER_LANE]])
    marks: Marks = {"outlier": place, "outlier words": place}
    words: Words = {"outlier words": (_about_outlier(state),)}
    heights: dict[str, Floats] = {}
    for loss in LOSSES:
        heights[loss] = _read_loss(state, loss, np.array(at), marks)
        share = heights_of(state, loss, at, (state.outlier,)) / len(state.data)
        words[f"{loss} lowest words"] = (_about_lowest(state, loss),)
        words[f"{loss} least words"] = (bottom(loss, state),)
        words[f"{loss} words"] = _about_height(state, loss, heights[loss], share)
    return marks, words, number_sentences(state, at, heights)


def _read_loss(state: State, loss: str, c: Floats, marks: Marks) -> Floats:
    """Add the marks of one loss; give what its curve shows at each c."""
    low, high = lowest(loss, state.data, state.delta)
    middle, lane = (low + high) / 2, _LANES[loss]
    before = sum(lowest(loss, state.first_data, state.delta)) / 2
    curve, at_middle, at_c = _drawn(state, loss, middle, c)
    foot = _axis_ends(loss, state.data[:-1], state.frame, state.delta, state.derivative)[0]
    here = np.stack([c, at_c], axis=-1)
    marks |= {
        f"{loss} lowest": np.array([[middle, lane]]),
        f"{loss} lowest words": np.array([[high, lane]]),
        f"{loss} bottom": np.array([[low, lane], [high, lane]]),
        f"{loss} way": np.array([[before, lane], [middle, lane]]),
        f"{loss} curve": curve,
        f"{loss} least": np.array([[middle, at_middle]]),
        f"{loss} least words": np.array([[middle, at_middle]]),
        f"{loss} here": here[:, None],
        f"{loss} stem": np.stack([np.stack([c, np.full(len(c), foot)], axis=-1), here], axis=1),
    }
    return at_c


def _drawn(state: State, loss: str, middle: float, c: Floats) -> tuple[Floats, float, Floats]:
    """The points of a curve, its height at the minimum and at each c, computed all at once."""
    if state.derivative and loss == "MAE":
        at, steps = _staircase(state)
    else:
        at = steps = _bends(state, loss)
    heights = heights_of(state, loss, np.concatenate([steps, [middle], c]), state.data)
    curve, at_c = heights[: len(steps)], heights[len(steps) + 1 :]
    points = np.stack([at, curve.repeat(len(at) // len(steps))], axis=-1)
    # The slope of MAE may jump over zero: its star lies on the line of zero all the same.
    return points, 0.0 if state.derivative else float(heights[len(steps)]), at_c


def _bends(state: State, loss: str) -> Floats:
    """At which c a curve is computed: always the same number of them, wherever the outlier is."""
    high, data, delta = state.frame.high, np.array(state.data), state.delta
    bends = {"MSE": [], "MAE": [data], "Huber": [data - delta, data + delta]}[loss]
    even = np.linspace(0, high, 2 if state.derivative or loss == "MAE" else 33)
    return np.sort(np.clip(np.concatenate([even, *bends]), 0, high))


def _staircase(state: State) -> tuple[Floats, Floats]:
    """Ends of the steps that the slope of MAE makes, two each, and their middles.

    The line between two steps is upright: there any slope between the two supports the curve.
    """
    high = state.frame.high
    edges = np.sort(np.clip([0.0, *state.data, high], 0, high))
    return np.stack([edges[:-1], edges[1:]], axis=-1).ravel(), (edges[:-1] + edges[1:]) / 2


@lru_cache(maxsize=64)
def _axis_ends(
    loss: str, others: tuple[float, ...], frame: Frame, delta: float, derivative: bool
) -> tuple[float, float]:
    """Both ends of a curve's axis, for every outlier of the frame.

    Each loss is convex and its slope ascends, in c as in the outlier: the extremes lie at the corners.
    """
    height = slopes if derivative else values
    corners = [height(loss, (*others, outlier), delta, [0.0, frame.high]) for outlier in frame.outliers]
    least, largest = float(np.min(corners)), float(np.max(corners))
    if derivative:
        pad = 0.16 * (largest - least)
        return least - pad, largest + pad
    return 0.0, 1.2 * largest


# ---------------------------------------------------------------- its words


def _about_outlier(state: State) -> str:
    return short(state.outlier) + (": drag this number" if state.outlier == state.origin else "")


def _about_lowest(state: State, loss: str) -> str:
    now, before = bottom(loss, state), bottom(loss, replace(state, data=state.first_data))
    return now if now == before else f"{now} (was {before})"


def _about_height(state: State, loss: str, heights: Floats, shares: Floats) -> tuple[str, ...]:
    """The height of a curve at each c, and how much of it the outlier makes."""
    head, write = ("slope ", signed) if state.derivative else (f"{loss} = ", short)
    return tuple(f"{head}{write(h)}, outlier {write(s)}" for h, s in zip(heights, shares, strict=True))


# ---------------------------------------------------------------- the panels


def _strip(state: State, marks: Marks, words: Words) -> Panel:
    at = state.frame.positions
    line = np.array([[[c, end] for end in _ENDS] for c in at])
    drawn: list[Mark] = [Path(line, "prediction", width=1.5, text=tuple(f"prediction c = {short(c)}" for c in at))]
    drawn.append(Points([[y, _DATA_LANE] for y in state.data[:-1]], "data", size=8, text="data"))
    for loss in LOSSES:
        drawn += [
            Path(marks[f"{loss} way"], "quiet", name=f"{loss} way", width=2),
            Path(marks[f"{loss} bottom"], "minimum", name=f"{loss} bottom", width=5),
            _text(f"{loss} lowest words", marks, words, "left", (12, 0)),
            Points(marks[f"{loss} lowest"], "minimum", name=f"{loss} lowest", size=13,
                   text="lowest loss" if loss == LOSSES[0] else ""),
        ]  # fmt: skip
    far = state.outlier > LARGEST / 2
    drawn += [
        _text("outlier words", marks, words, "right" if far else "left", (-30 if far else 30, 0)),
        Handle("outlier", marks["outlier"], label="the last number, the outlier"),
    ]
    lanes = ((_OUTLIER_LANE, "outlier"), (_DATA_LANE, "others"), *((lane, loss) for loss, lane in _LANES.items()))
    tens = tuple((float(v), f"{v}") for v in range(0, round(LARGEST) + 1, 10))
    x, y = Axis(0, LARGEST, label="number yᵢ, and prediction c", ticks=tens), Axis(*_ENDS, ticks=lanes)
    return Panel(_STRIP, x, y, tuple(drawn), "Where each loss is lowest")


def _curve(state: State, loss: str, box: Rectangle, marks: Marks, words: Words) -> Panel:
    low, high = _axis_ends(loss, state.data[:-1], state.frame, state.delta, state.derivative)
    right, slope = state.frame.high, state.derivative
    # Where the curve never comes: above the middle of a valley, and below the end of what ascends.
    place = [0.97 * right, low + 0.07 * (high - low)] if slope else [right / 2, 0.93 * high]
    drawn: list[Mark] = [Rule(0.0, "horizontal")] if slope else []
    drawn += [
        Path(marks[f"{loss} stem"], "prediction", name=f"{loss} stem", width=1.2),
        Path(marks[f"{loss} curve"], "gradient" if slope else "loss", name=f"{loss} curve", width=2.2),
        Text([place], words[f"{loss} words"], f"{loss} words", "right" if slope else "center", plate=True),
        _text(f"{loss} least words", marks, words, "left" if slope else "center", (8, 13) if slope else (0, -17)),
        Points(marks[f"{loss} least"], "minimum", name=f"{loss} least", size=13),
        Points(marks[f"{loss} here"], "prediction", name=f"{loss} here", size=9),
    ]
    title = loss + (f", δ = {short(state.delta)}" if loss == "Huber" else "")
    x = Axis(0, right, label="prediction c")
    y = Axis(low, high, label=f"slope ∂{loss}/∂c" if slope else _HEIGHTS[loss])
    return Panel(box, x, y, tuple(drawn), f"Slope of {title}" if slope else title)


def _text(name: str, marks: Marks, words: Words, anchor: Anchor, shift: tuple[float, float]) -> Text:
    return Text(marks[name], words[name][0], name, anchor, shift, plate=True)
