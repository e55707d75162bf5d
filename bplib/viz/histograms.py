"""How the values of each layer are spread, layer above layer on one axis."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array, as_count
from bplib.errors import DataError, DomainError, ShapeError
from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.style import INK, PALETTE, ROLES, figure

__all__ = ["layer_histograms"]

Floats = NDArray[np.float64]

_MOST_LAYERS = 12
_LETTERS = 16  # of a name; longer ones are cut in the picture, not in the alternative text
_ROW = 0.5  # inches


class _Layer(NamedTuple):
    name: str
    size: int
    finite: Floats

    @property
    def lost(self) -> int:
        return self.size - len(self.finite)

    @property
    def zeros(self) -> int:
        return int(np.count_nonzero(self.finite == 0))

    @property
    def deviation(self) -> float:
        return float(self.finite.std()) if len(self.finite) else float("nan")


def layer_histograms(layers: Mapping[str, ArrayLike], *, bins: int = 41, name: str = "value") -> Picture:
    """Draw the histogram of each layer's values, one row for each layer, all over the same axis.

    Exact zeros, as a ReLU makes them, would tower above all other bars: they are left out of the bars and drawn as a
    line with a diamond at 0, and their share is written beside the row. Each row is scaled to its own highest bar.

    Parameters
    ----------
    layers : mapping of str to array_like, any shape
        The values of 1 to 12 layers, first layer first: activations, gradients or weights. What is not finite is left
        out, and counted in words.
    bins : int, 2 to 200
        About so many bars lie between the lowest and the highest value; all rows share their edges, and 0 is one.
    name : str
        What the values are, with their unit where they have one.

    Returns
    -------
    Picture
        Beside each row the standard deviation (of all finite values, zeros too).

    Raises
    ------
    DataError
        If `layers` is no mapping, or something is no real number.
    ShapeError
        If a layer has no values.
    DomainError
        For no layer or more than 12, `bins` outside of 2 to 200, or if no value is finite.

    Examples
    --------
    >>> layer_histograms({"linear": [-1.0, 1.0, -1.0, 1.0], "relu": [0.0, 1.0, 0.0, 1.0]}, name="activation")
    Activation in 2 layers, from −1 to 1: linear s.d. 1; relu s.d. 0.5, 50 % exact zeros.
    """
    rows = _as_layers(layers)
    count = as_count(bins, "bins", 2, "layer_histograms")
    if count > 200:
        raise DomainError(f"layer_histograms: bins is {count}. Expected 2 to 200. Try bins=41.")
    edges = _edges(rows, count)
    fig = figure(6.8, 0.85 + _ROW * len(rows))
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.04, hspace=0.0)
    grid = fig.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for axes, layer in zip(grid, rows, strict=True):
        _draw_layer(axes, layer, edges)
    grid[0].set_xlim(edges[0], edges[-1])
    grid[-1].xaxis.set_major_locator(MaxNLocator(7))
    grid[-1].set_xlabel(f"{name} (each row scaled to its own highest bar)", fontsize=11)
    return Picture(fig, _story(rows, name))


def _as_layers(layers: Mapping[str, ArrayLike]) -> list[_Layer]:
    if not isinstance(layers, Mapping):
        raise DataError(
            f"layer_histograms: layers is of type {type(layers).__name__}. Expected a dict from the name of each layer "
            f'to its values, for example {{"layer 1": values}}.'
        )
    if not 1 <= len(layers) <= _MOST_LAYERS:
        raise DomainError(
            f"layer_histograms: there are {len(layers)} layers. Expected 1 to {_MOST_LAYERS}, so that each can be "
            f"seen. Draw some of them, for example every second."
        )
    rows = []
    for name, values in layers.items():
        array = as_array(values, f"layers[{name!r}]", "layer_histograms").astype(np.float64).ravel()
        if not array.size:
            raise ShapeError(
                f"layer_histograms: the layer {name} has no values. Expected at least one. Leave the layer out."
            )
        rows.append(_Layer(str(name), array.size, array[np.isfinite(array)]))
    if not any(len(layer.finite) for layer in rows):
        raise DomainError(
            "layer_histograms: no value of any layer is finite. Expected at least one number to draw. Look at an "
            "earlier step."
        )
    return rows


def _edges(rows: list[_Layer], bins: int) -> Floats:
    """Edges of the bars from the lowest to the highest value of all. 0 is an edge: no bar holds both signs."""
    values = np.concatenate([layer.finite for layer in rows])
    low, high = float(values.min()), float(values.max())
    if not high > low:
        room = abs(low) or 1.0
        low, high = low - room, high + room
    width = high / bins - low / bins
    edges = np.arange(np.floor(low / width), np.ceil(high / width) + 1) * width
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges


def _draw_layer(axes: Axes, layer: _Layer, edges: Floats) -> None:
    bars = ROLES["prediction"]
    counts, _ = np.histogram(layer.finite[layer.finite != 0], edges)
    shares = counts / layer.size
    top = float(shares.max()) or 1.0
    axes.stairs(shares, edges, fill=True, facecolor=PALETTE["sky"], edgecolor=bars.colour, linewidth=0.8)
    if layer.zeros:
        mark = ROLES["update"]
        axes.plot([0, 0], [0, 0.93 * top], color=INK, linewidth=1.8, linestyle=(0, (2.0, 1.0)), zorder=3)
        axes.plot(0, 0.93 * top, mark.marker, markersize=6, color=PALETTE["orange"], markeredgecolor=INK, zorder=4)
    axes.set_ylim(0, 1.12 * top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0)
    beside: dict[str, Any] = {"transform": axes.transAxes, "va": "center", "fontsize": 11, "color": INK}
    called = layer.name if len(layer.name) <= _LETTERS else f"{layer.name[: _LETTERS - 1]}…"
    axes.text(-0.02, 0.45, called, ha="right", **beside)
    words = _words(layer).replace(" exact", "").replace(", ", "\n")
    axes.text(1.02, 0.45, words, ha="left", linespacing=1.05, **beside)


def _words(layer: _Layer) -> str:
    words = [f"s.d. {number(layer.deviation, 3)}"] if len(layer.finite) else []
    if layer.zeros:
        words.append(f"{number(100 * layer.zeros / layer.size, 3)} % exact zeros")
    if layer.lost:
        words.append(f"{layer.lost} not finite")
    return ", ".join(words)


def _story(rows: list[_Layer], name: str) -> str:
    values = np.concatenate([layer.finite for layer in rows])
    where = f"{len(rows)} layer{'s' if len(rows) > 1 else ''}"
    span = f"from {number(values.min(), 4)} to {number(values.max(), 4)}"
    return f"{name[:1].upper()}{name[1:]} in {where}, {span}: {'; '.join(f'{r.name} {_words(r)}' for r in rows)}."
