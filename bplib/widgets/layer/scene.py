"""The updates of the layer bench: hidden weights as signed bars, the loss, and the predictions for some examples."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bplib.tracing.figures import number
from bplib.viz.marks import Bars, Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.layer.network import CLOSE, STARTS, Run, symmetry_run
from bplib.widgets.layer.passes import problem, unpack
from bplib.widgets.layer.words import proportion, update_sentence

__all__ = ["EXAMPLES", "updates_scene"]

Floats = npt.NDArray[np.float64]

_UNITS = (Rectangle(62, 40, 254, 132), Rectangle(62, 238, 254, 132))
_LOSS, _CLOSE_ONES = Rectangle(368, 40, 252, 132), Rectangle(368, 238, 252, 132)
_PREDICTIONS = Rectangle(700, 40, 140, 330)

EXAMPLES: tuple[str, ...] = ("000000", "100001", "011110", "110011", "100000", "010000", "001000", "111000")
"""The examples that are shown, the symmetric ones first."""
_BITS = tuple((k + 1.0, f"x{'₁₂₃₄₅₆'[k]}") for k in range(6))
# Every curve is drawn up to the present update: a table of as many lines as positions, so with fewer points each.
_CURVE_POINTS = 42


@lru_cache(maxsize=8)
def updates_scene(start: str, seed: int, updates: int) -> Scene:
    """The scene of one run, one position for each recorded update.

    Parameters
    ----------
    start, seed, updates
        As for `symmetry_run`.

    Returns
    -------
    Scene
    """
    run = symmetry_run(start, seed, updates)
    sentences = tuple(update_sentence(run, start, k) for k in range(len(run.updates)))
    panels = (*(_unit(run, which) for which in (0, 1)), _losses(run, start), _counts(run), _predictions(run))
    name = f"A network of 6 inputs, 2 hidden units and 1 output learns symmetry; first weights: {STARTS[start]}"
    return Scene(900, 420, panels, name, sentences)


# ---------------------------------------------------------------- hidden units


def _unit(run: Run, which: int) -> Panel:
    weights = run.weights[..., which]
    limit = _limit(float(np.abs(run.weights).max()))
    bits = np.broadcast_to(np.arange(1.0, 7.0), weights.shape)
    marks: list[Mark] = [Rule(0.0, "horizontal", "contour"), Rule(3.5, "vertical", "threshold")]
    for role, signed in (("first", weights > 0), ("second", weights < 0)):
        heights = np.where(signed, weights, np.nan)
        marks.append(Bars(np.stack([bits, heights], axis=-1), role, width=24))
    for bit in range(6):
        ends = weights[:, bit] + np.where(weights[:, bit] < 0, -1, 1) * 0.13 * limit
        at = np.stack([bits[:, bit], ends], axis=-1)[:, None]
        marks.append(Text(at, tuple(_weight(w) for w in weights[:, bit]), anchor="center"))
    _, b, v, _ = unpack(run.thetas)
    outside = zip(b[:, 0, which], v[:, which, 0], strict=True)
    unit = "₁₂"[which]
    words = tuple(f"b{unit} = {_weight(bias)}, v{unit} = {_weight(out)}" for bias, out in outside)
    ratios = tuple(f"mirrored pairs, mean size {proportion(one)}" for one in run.magnitudes[:, which])
    marks += [
        Text([[6.7, limit]], words, anchor="right", shift=(0, -13)),
        Text([[3.5, -limit]], ratios, anchor="center", shift=(0, 31)),
    ]
    x, y = Axis(0.3, 6.7, ticks=_BITS), Axis(-limit, limit, label="weight")
    return Panel(_UNITS[which], x, y, tuple(marks), f"Hidden unit {which + 1}")


def _limit(largest: float) -> float:
    return float(f"{max(1.5 * largest, 1.0):.2g}")


def _weight(value: float) -> str:
    return f"{value:.{1 if abs(value) >= 9.95 else 2}f}".replace("-", "−").replace("−0.00", "0.00")


# ---------------------------------------------------------------- loss and counts


def _losses(run: Run, start: str) -> Panel:
    always_no = 0.5 * float(problem()[1].sum())
    words = tuple(f"loss {number(loss, 4)}" for loss in run.losses)
    marks: list[Mark] = [
        Path(_until_now(run, run.losses), "loss", text=words),
        Points(_now(run, run.losses), "loss", size=9),
    ]
    if start in ("random", "second"):  # where the learner is asked what will come, it would be a hint
        marks.insert(0, Rule(always_no, "horizontal", text=f"{always_no:g}: the loss of always answering 0"))
    ticks = tuple((2.0 * k, f"{2 * k}") for k in range(5))
    y = Axis(0, max(8.8, 1.1 * float(run.losses.max())), label="loss", ticks=ticks)
    return Panel(_LOSS, _update_axis(run), y, tuple(marks), "Loss")


def _counts(run: Run) -> Panel:
    marks: list[Mark] = []
    for within, role, name in ((0.5, "quiet", "½"), (CLOSE, "prediction", "0.1")):
        counts = (run.absolute_errors < within).sum(axis=1).astype(np.float64)
        words = tuple(f"within {name}: {count:.0f}" for count in counts)
        marks += [Path(_until_now(run, counts), role, text=words), Points(_now(run, counts), role, size=8)]
    y = Axis(0, 70, label="examples", ticks=tuple((16.0 * k, f"{16 * k}") for k in range(5)))
    return Panel(_CLOSE_ONES, _update_axis(run), y, tuple(marks), "Close")


def _update_axis(run: Run) -> Axis:
    return Axis(-0.01 * run.updates[-1], 1.02 * run.updates[-1], label="update")


def _now(run: Run, values: Floats) -> Floats:
    return np.stack([np.array(run.updates, dtype=np.float64), values], axis=-1)[:, None]


def _until_now(run: Run, values: Floats) -> Floats:
    """A curve that ends at the present update, for every position: shape (p, n, 2)."""
    updates, last = np.array(run.updates, dtype=np.float64), len(values) - 1
    steps = np.hypot(np.diff(updates) / updates[-1], np.diff(values) / (np.ptp(values) or 1.0))
    # Evenly spread along the drawn line: few where it is straight, many where it bends.
    way = np.concatenate([[0.0], np.cumsum(steps)])
    drawn = np.unique(np.searchsorted(way, np.linspace(0, way[-1], _CURVE_POINTS)))
    # At each position the points that are still to come lie on the present one.
    at = np.minimum(drawn, np.arange(last + 1)[:, None])
    return np.stack([updates[at], values[at]], axis=-1)


# ---------------------------------------------------------------- predictions


def _predictions(run: Run) -> Panel:
    X, y = problem()
    names = ["".join(f"{bit:.0f}" for bit in example) for example in X]
    shown = [names.index(example) for example in EXAMPLES]
    targets, predictions = y[shown, 0], run.predictions[:, shown]
    rows = np.arange(len(EXAMPLES), 0.0, -1.0)
    marks: list[Mark] = []
    for row, target, given in zip(rows, targets, predictions.T, strict=True):
        ends = np.stack([given, np.full_like(given, target)], axis=-1)
        marks.append(Path(np.stack([ends, np.full_like(ends, row)], axis=-1), "loss", width=4))
    marks.append(Points(np.stack([targets, rows], axis=-1), "data", size=13, text="target"))
    places = np.stack([predictions, np.broadcast_to(rows, predictions.shape)], axis=-1)
    marks.append(Points(places, "prediction", size=9, text="prediction ŷ"))
    for row, given in zip(rows, predictions.T, strict=True):
        marks.append(Text([[1.12, row]], tuple(f"{value:.3f}" for value in given), shift=(7, 0)))
    ticks = tuple((row, example) for row, example in zip(rows.tolist(), EXAMPLES, strict=True))
    x = Axis(-0.12, 1.12, label="prediction ŷ", ticks=((0.0, "0"), (0.5, "½"), (1.0, "1")))
    y_axis = Axis(0.4, len(EXAMPLES) + 0.6, label="8 of the 64 examples", ticks=ticks)
    return Panel(_PREDICTIONS, x, y_axis, tuple(marks), "")
