"""The layers of the depth bench: activations on the way forward, gradients on the way back, at every depth."""

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Mark, Path, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene, ticks
from bplib.widgets.depth.rows import HEIGHT, column, outlines, row_places
from bplib.widgets.depth.signals import EXAMPLES, EXPONENTS, MOST_LAYERS, RANGES, Signals, signals
from bplib.widgets.depth.state import State
from bplib.widgets.depth.words import ACTIVATION_NAMES, figures, layer_factor, layers_sentence

__all__ = ["layers_scene"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_FORWARD = Rectangle(46, 40, 286, HEIGHT)
_BACKWARD = Rectangle(422, 40, 400, HEIGHT)
_DEPTHS = range(1, MOST_LAYERS + 1)
# The least share of a layer that is drawn as high as its row: what spreads far beyond the panel stays flat.
_PEAK = 0.04
_BESIDE_ZEROS = 0.7
_MUCH_WIDER = 5.0  # standard deviations as multiples of the axis, from which on a row looks empty
_USUAL_BINS, _WIDE_BINS = 30, 12
_BIN = float(EXPONENTS[1] - EXPONENTS[0])
_USUAL = (-16, 2)  # powers of ten


def layers_scene(state: State) -> Scene:
    """The scene of the layers, one position for each depth from 1 to 20.

    Each layer has a row in both panels, over the same axis for all layers, and its outline is as high as the row.
    Where many activations are exactly 0 these are a peak of their own, as high as the row, whatever their share.

    Parameters
    ----------
    state : State
        Its depth plays no part.

    Returns
    -------
    Scene
    """
    measured = signals(state.activation, state.init, state.width, state.seed)
    sentences = tuple(layers_sentence(state, depth) for depth in _DEPTHS)
    panels = (_activations(measured, state.activation, state.width), _gradients(measured, state.revealed))
    name = f"Activations and gradients in layers of {state.width} {ACTIVATION_NAMES[state.activation]} units"
    return Scene(900, 434, panels, name, sentences)


def _activations(measured: Signals, activation: str, width: int) -> Panel:
    axis = Axis(*RANGES[activation], label="activation a")
    edges = np.linspace(axis.low, axis.high, measured.counts.shape[1] + 1)
    places = (edges[1:] + edges[:-1]) / 2
    zero, total = int(np.argmin(np.abs(places))), EXAMPLES * width
    layers = zip(measured.counts, measured.silent, strict=True)
    rows = [(places, _heights(counts, silent, total, zero)) for counts, silent in layers]
    span = axis.high - axis.low
    table = outlines([rows[:depth] for depth in _DEPTHS], (axis.low - span / 10, axis.high + span / 10))
    marks: list[Mark] = [
        Path(table, "data", width=1.2),
        *column(MOST_LAYERS, lambda _, layer: str(layer), axis.low, shift=-8, anchor="right"),
        *column(MOST_LAYERS, lambda _, layer: _short(measured.spreads[layer - 1]), axis.high, shift=7, anchor="left"),
        *_too_wide(measured, axis),
        Text([[axis.low, 1.0]], "layer", anchor="right", shift=(-8.0, -13.0)),
        _heading(axis.high),
    ]
    return Panel(_FORWARD, axis, _rows_axis(), tuple(marks), "Activations, forward ↑", grid=False)


def _too_wide(measured: Signals, axis: Axis) -> list[Text]:
    """Say of a row that looks empty why it does."""
    wide = measured.spreads > _MUCH_WIDER * axis.high
    if not wide.any():
        return []
    words = np.where(wide, "wider than the axis", "")
    return column(MOST_LAYERS, lambda _, layer: str(words[layer - 1]), axis.low, shift=8, anchor="left")


def _heights(counts: Counts, silent: float, total: int, zero: int) -> Floats:
    heights = counts / max(float(counts.max()), _PEAK * total)
    if silent > _PEAK:
        heights *= _BESIDE_ZEROS
        heights[zero] = 1.0
    return heights


def _gradients(measured: Signals, revealed: bool) -> Panel:
    axis = _size_axis(measured, revealed)
    rows = [_stack(measured, depth, revealed) for depth in _DEPTHS]
    spreads, factors = _spread_lines(measured, revealed), _factor_words(measured, revealed)
    marks: list[Mark] = [
        Path(outlines(rows, (axis.low / 1e3, axis.high * 1e3)), "quiet", width=1.2),
        Path(spreads, "gradient", markers=True, width=1.8, text=factors),
        *column(MOST_LAYERS, lambda d, k: _spread_words(measured, d, k, revealed), axis.high, shift=7, anchor="left"),
        _heading(axis.high),
    ]
    title = "Gradients, backward ↓" if revealed else "Gradients: hidden below the top until you predict"
    return Panel(_BACKWARD, axis, _rows_axis(), tuple(marks), title)


def _size_axis(measured: Signals, revealed: bool) -> Axis:
    """The same powers of ten as long as the standard deviations fit; before the reveal always the same."""
    low, high = _USUAL
    if revealed:
        spreads = np.log10(measured.gradient_spreads[-1])
        low, high = min(low, int(spreads.min()) - 3), max(high, int(spreads.max()) + 2)
    stride = 4 if high - low <= 36 else 8
    return Axis(10.0**low, 10.0**high, "log", "size of the gradient |∂L/∂z|", _powers(low, high, stride))


def _powers(low: int, high: int, stride: int) -> tuple[tuple[float, str], ...]:
    known = dict(ticks(10.0**low, 10.0**high, "log", 1000))
    return tuple((value, label) for value, label in known.items() if round(np.log10(value)) % stride == 0)


def _stack(measured: Signals, depth: int, revealed: bool) -> list[tuple[Floats, Floats]]:
    rows = [_sizes(counts) for counts in measured.gradient_counts[depth - 1, :depth]]
    return rows if revealed else [(places, 0 * heights) for places, heights in rows[:-1]] + rows[-1:]


def _sizes(counts: Counts) -> tuple[Floats, Floats]:
    """The outline of the sizes of one layer's gradients, in fewer and wider bins where they spread far."""
    filled = np.flatnonzero(counts)
    first, last = (int(filled[0]), int(filled[-1])) if filled.size else (0, 0)
    bins = last + 1 - first
    together = 1 if bins <= _USUAL_BINS else -(-bins // _WIDE_BINS)
    starts = np.arange(first, last + 1, together)
    sums = np.add.reduceat(counts[: last + 1], starts)
    exponents = EXPONENTS[starts] + together * _BIN / 2
    return 10**exponents, sums / max(1, int(sums.max()))


def _spread_lines(measured: Signals, revealed: bool) -> Floats:
    """The standard deviation of every layer at its row, from the top down."""
    table = np.full((MOST_LAYERS, MOST_LAYERS, 2), np.nan)
    for depth in _DEPTHS:
        shown = depth if revealed else 1
        table[depth - 1, :shown, 0] = measured.gradient_spreads[depth - 1, depth - shown : depth][::-1]
        table[depth - 1, :shown, 1] = row_places(depth)[0][::-1][:shown]
    return table


def _factor_words(measured: Signals, revealed: bool) -> tuple[str, ...]:
    factors = [layer_factor(measured.gradient_spreads[d - 1, :d].tolist()) for d in _DEPTHS]
    shown = (None if f is None or not revealed else figures(f, zeros=True) for f in factors)
    return tuple("" if factor is None else f"a layer × {factor} on average" for factor in shown)


def _spread_words(measured: Signals, depth: int, layer: int, revealed: bool) -> str:
    return _short(measured.gradient_spreads[depth - 1, layer - 1]) if revealed or layer == depth else "?"


def _short(spread: float) -> str:
    return figures(float(spread), 2, least=1e-2, zeros=True)


def _heading(at: float) -> Text:
    return Text([[at, 1.0]], "s.d.", shift=(7.0, -13.0))


def _rows_axis() -> Axis:
    return Axis(0.0, 1.0, ticks=())
