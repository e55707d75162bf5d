"""Optimizers side by side: their losses over the steps, and over the learning rates."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array
from bplib.errors import DataError, DomainError, ShapeError
from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.style import PALETTE, PAPER, ROLES, Role, figure

__all__ = ["optimizer_comparison", "rate_sweep"]

Floats = NDArray[np.float64]

_ROLES = (
    Role(PALETTE["blue"], (), "o", PALETTE["blue"]),
    Role(PALETTE["vermillion"], (7.0, 3.0), "^", PALETTE["vermillion"]),
    Role(PALETTE["green"], (10.0, 2.0, 2.0, 2.0), "D", PALETTE["green"]),
    Role(PALETTE["black"], (2.0, 2.0), "s", PAPER),
    Role(ROLES["loss"].colour, (4.0, 1.5, 1.5, 1.5, 1.5, 1.5), "v", ROLES["loss"].colour),
    Role(ROLES["quiet"].colour, (12.0, 4.0), "o", PAPER),
)
_QUARTILES = 4  # runs, below which the band reaches from the lowest to the highest
_MARKS = 6  # markers on a line
_GAP = 0.085  # of the height of the axes: two words, one above the other, do not touch
_LIFT = 0.1
_ROW = 0.055  # of the height of the axes: marks of what diverged


class _Runs(NamedTuple):
    name: str
    role: Role
    losses: Floats  # (runs, steps); infinite where a run is not finite

    def at(self, share: float) -> Floats:
        """The quantile at each step, infinite where it lies among runs that diverged."""
        ordered, place = np.sort(self.losses, axis=0), share * (len(self.losses) - 1)
        low, high = int(np.floor(place)), int(np.ceil(place))
        if low == high:
            return ordered[low]
        return ordered[low] * (high - place) + ordered[high] * (place - low)

    @property
    def band(self) -> tuple[Floats, Floats]:
        shares = (0.25, 0.75) if len(self.losses) >= _QUARTILES else (0.0, 1.0)
        return self.at(shares[0]), self.at(shares[1])


def optimizer_comparison(losses: Mapping[str, ArrayLike], *, log: bool = False) -> Picture:
    """Draw the losses of one to six optimizers over the steps, several runs each.

    Parameters
    ----------
    losses : mapping of str to array_like, shape (runs, steps)
        The loss of each run at each step, by the name of the optimizer. The numbers of runs and steps may differ.
        A loss that is not finite counts as infinitely high.
    log : bool
        Put the loss on a logarithmic axis; finite losses must then be above 0.

    Returns
    -------
    Picture
        The line is the median of the runs. The band holds the middle half of four runs or more (between the
        quartiles, interpolated linearly), and all of two or three runs.

    Raises
    ------
    DataError
        If `losses` is no mapping or holds no real numbers.
    ShapeError
        If an array has another shape or is empty.
    DomainError
        For no optimizer or more than six, no finite median, or `log` and a loss of 0 or below.

    Examples
    --------
    >>> optimizer_comparison({"SGD": [[1, 0.5], [1, 0.7]], "Adam": [[1, 0.2], [1, 0.3]]})
    Median losses at the last step, lowest first: Adam 0.25 at step 2 (2 runs, from 0.2 to 0.3); SGD 0.6 at step 2 ...
    """
    lines = _as_runs(losses)
    if log:
        _check_positive("optimizer_comparison", [(line.name, line.losses) for line in lines])
    fig = figure(6.8, 3.9)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    axes = fig.subplots()
    _set_axes(axes, lines, log)
    for place, line in enumerate(lines):
        _draw_runs(axes, line, place)
    _name_ends(axes, lines)
    ranked = sorted(lines, key=lambda line: float(line.at(0.5)[-1]))
    return Picture(fig, f"Median losses at the last step, lowest first: {'; '.join(map(_story, ranked))}.")


def rate_sweep(rates: ArrayLike, losses: Mapping[str, ArrayLike]) -> Picture:
    """Draw the final loss of one to six optimizers over the learning rates, both on logarithmic axes.

    Parameters
    ----------
    rates : array_like, shape (n,), finite, above 0, increasing
        The learning rates tried, at least two.
    losses : mapping of str to array_like, shape (n,)
        The final loss at each rate, above 0, by the name of the optimizer; one that is not finite has diverged.

    Returns
    -------
    Picture
        A star marks the best rate of each optimizer. Runs that diverged are marks above the top edge.

    Raises
    ------
    DataError
        If `losses` is no mapping or something holds no real numbers.
    ShapeError
        If the shapes do not fit together.
    DomainError
        For no optimizer or more than six, rates that are not positive and increasing, a loss of 0 or below, or if
        everything diverged.

    Examples
    --------
    >>> rate_sweep([0.01, 0.1, 1], {"SGD": [0.5, 0.1, np.inf], "Adam": [0.02, 0.04, 3]})
    Final losses for 3 learning rates from 0.01 to 1, best first: Adam 0.02 at rate 0.01; SGD 0.1 at rate 0.1, ...
    """
    tried, sweeps = _as_sweeps(rates, losses)
    _check_positive("rate_sweep", [(sweep.name, sweep.losses) for sweep in sweeps])
    if not any(np.isfinite(sweep.losses).any() for sweep in sweeps):
        raise DomainError(
            "rate_sweep: no loss is finite. Expected at least one rate that does not diverge. Try smaller rates."
        )
    fig = figure(6.8, 4.2)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    axes = fig.subplots()
    axes.set(xscale="log", yscale="log", xlabel="learning rate (log scale)", ylabel="final loss (log scale)")
    for sweep in sweeps:
        _draw_sweep(axes, tried, sweep)
    _draw_diverged(axes, tried, sweeps)
    fig.legend(loc="outside right upper", frameon=False, fontsize=11, handlelength=3.2, labelspacing=0.9)
    ranked = sorted(sweeps, key=lambda sweep: float(sweep.losses.min()))
    span = f"{len(tried)} learning rates from {number(tried[0], 4)} to {number(tried[-1], 4)}"
    return Picture(fig, f"Final losses for {span}, best first: {'; '.join(_best(tried, each) for each in ranked)}.")


def _as_mapping(losses: Mapping[str, ArrayLike], caller: str) -> list[tuple[str, Role, Floats]]:
    """Names, roles and numbers, infinite where they are not finite."""
    if not isinstance(losses, Mapping):
        raise DataError(
            f"{caller}: losses is of type {type(losses).__name__}. Expected a dict from the name of each optimizer to "
            f'its losses, for example {{"SGD": losses}}.'
        )
    if not 1 <= len(losses) <= len(_ROLES):
        raise DomainError(
            f"{caller}: there are {len(losses)} optimizers. Expected 1 to {len(_ROLES)}, so that each can be told from "
            f"the others. Draw the rest in a second picture."
        )
    found = []
    for (name, given), role in zip(losses.items(), _ROLES, strict=False):
        array = as_array(given, f"losses[{name!r}]", caller).astype(np.float64)
        found.append((str(name), role, np.where(np.isfinite(array), array, np.inf)))
    return found


def _as_runs(losses: Mapping[str, ArrayLike]) -> list[_Runs]:
    lines = [_Runs(*entry) for entry in _as_mapping(losses, "optimizer_comparison")]
    for line in lines:
        if line.losses.ndim != 2 or not line.losses.size:
            raise ShapeError(
                f"optimizer_comparison: the losses of {line.name} have shape {line.losses.shape}. Expected one row for "
                f"each run, (runs, steps). A single run becomes one row with losses[None]."
            )
        if not np.isfinite(line.at(0.5)).any():
            raise DomainError(
                f"optimizer_comparison: the median loss of {line.name} is not finite at any step. Expected at least "
                f"one number to draw. Try a smaller lr."
            )
    return lines


def _as_sweeps(rates: ArrayLike, losses: Mapping[str, ArrayLike]) -> tuple[Floats, list[_Runs]]:
    tried = as_array(rates, "rates", "rate_sweep").astype(np.float64)
    if tried.ndim != 1 or len(tried) < 2:
        raise ShapeError(f"rate_sweep: rates has shape {tried.shape}. Expected at least two rates in a row.")
    if not (np.isfinite(tried).all() and tried[0] > 0 and (np.diff(tried) > 0).all()):
        raise DomainError(
            "rate_sweep: rates are not all above 0 and increasing. Expected for example np.geomspace(0.001, 1, 10)."
        )
    sweeps = [_Runs(*entry) for entry in _as_mapping(losses, "rate_sweep")]
    for sweep in sweeps:
        if sweep.losses.shape != tried.shape:
            raise ShapeError(
                f"rate_sweep: the losses of {sweep.name} have shape {sweep.losses.shape}, the rates have shape "
                f"{tried.shape}. Expected one final loss for each rate. Of several runs pass the median."
            )
    return tried, sweeps


def _check_positive(caller: str, losses: list[tuple[str, Floats]]) -> None:
    for name, values in losses:
        if values.min() <= 0:
            hint = "Use log=False." if caller == "optimizer_comparison" else "Leave that rate out."
            raise DomainError(
                f"{caller}: a loss of {name} is {values.min():.3g}. A logarithmic axis expects losses above 0. {hint}"
            )


def _set_axes(axes: Axes, lines: list[_Runs], log: bool) -> None:
    """Axes of the comparison; the highest bound of a band is shown where it is finite."""
    shown = np.concatenate([values for line in lines for values in (line.at(0.5), *line.band)])
    shown = shown[np.isfinite(shown)]
    low, high = float(shown.min()), float(shown.max())
    steps = max(line.losses.shape[1] for line in lines)
    axes.set(xlabel="step", ylabel="loss (log scale)" if log else "loss")
    axes.set_xlim(*((1, steps) if steps > 1 else (0, 2)))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    if log:
        axes.set_yscale("log")
        reach = max(high / low, 1.1) ** 0.05
        axes.set_ylim(low / reach, high * reach)
    else:
        margin = 0.05 * ((high - min(low, 0.0)) or 1.0)
        axes.set_ylim(0.0 if low >= 0 else low - margin, high + margin)


def _draw_runs(axes: Axes, line: _Runs, place: int) -> None:
    median, step, role = line.at(0.5), np.arange(1, line.losses.shape[1] + 1), line.role
    top = axes.get_ylim()[1]
    if len(line.losses) > 1:
        lost = np.isinf(line.band[0])
        low, high = (np.where(lost, np.nan, np.minimum(bound, top)) for bound in line.band)
        axes.fill_between(step, low, high, color=role.colour, alpha=0.14, linewidth=0)
        for bound in (low, high):
            axes.plot(step, bound, color=role.colour, linewidth=0.5, alpha=0.6, linestyle="-")
    # Markers of one line stand between those of the others.
    every = max(1, len(step) // _MARKS)
    first = (place * every) // len(_ROLES)
    axes.plot(step, np.where(np.isfinite(median), median, np.nan), label=line.name, color=role.colour,
              linestyle=role.linestyle, marker=role.marker, markevery=(first, every), markersize=5.5,
              markerfacecolor=role.fill, clip_on=False, zorder=3)  # fmt: skip


def _name_ends(axes: Axes, lines: list[_Runs]) -> None:
    """Write each name and its last median to the right of its end, moved apart where ends meet."""
    to_axes = axes.transData + axes.transAxes.inverted()
    heights, places, words = [], [], []
    for line in lines:
        median = line.at(0.5)
        last = int(np.flatnonzero(np.isfinite(median))[-1])
        x, height = to_axes.transform((last + 1, median[last]))
        places.append(float(x))
        heights.append(float(height))
        diverged = last + 1 < len(median)
        words.append(f"{line.name}, then diverged" if diverged else f"{line.name} {number(median[last], 3)}")
    moved_to = np.array(heights)
    for place in set(places):  # names that stand in one column
        column = [i for i, x in enumerate(places) if x == place]
        # A name inside of the picture stands above the line's end, off the lines that go on.
        lift = _LIFT if place < 0.97 else 0.0
        moved_to[column] = _apart([heights[i] + lift for i in column])
    for line, x, end, height, word in zip(lines, places, heights, moved_to, words, strict=True):
        style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "axes fraction", "fontsize": 11}
        # A thin line leads from the end to a name that had to move.
        lead = {"arrowstyle": "-", "color": line.role.colour, "linewidth": 0.8, "relpos": (0, 0.5)}
        moved = lead if abs(height - end) > 0.01 else None
        axes.annotate(word, (x, end), (x + 0.03, height), va="center", color=line.role.colour,
                      arrowprops=moved, **style)  # fmt: skip


def _apart(heights: list[float]) -> list[float]:
    """Move heights apart to at least the gap, keeping their order, and back between the edges."""
    order = np.argsort(heights, kind="stable")
    moved = np.array(heights)[order]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + _GAP)
    over = moved - (1.0 - _GAP * np.arange(len(moved))[::-1])
    moved = np.maximum(moved - np.maximum(over, 0.0), 0.02 + _GAP * np.arange(len(moved)))
    result = np.empty_like(moved)
    result[order] = moved
    return [float(height) for height in result]


def _story(line: _Runs) -> str:
    median, runs = float(line.at(0.5)[-1]), len(line.losses)
    lost = np.count_nonzero(np.isinf(line.losses[:, -1]))
    end = f"at step {line.losses.shape[1]} ({runs} run{'s' if runs > 1 else ''}"
    if np.isinf(median):
        return f"{line.name} diverged {end}, {lost} not finite)"
    if runs > 1:
        low, high = (number(bound[-1], 3) for bound in line.band)
        end += f", quartiles {low} and {high}" if runs >= _QUARTILES else f", from {low} to {high}"
    return f"{line.name} {number(median, 3)} {end}{f', {lost} not finite' if lost else ''})"


def _draw_sweep(axes: Axes, tried: Floats, sweep: _Runs) -> None:
    role, star, finite = sweep.role, ROLES["minimum"], np.isfinite(sweep.losses)
    label = (
        f"{sweep.name}\nbest at {number(tried[sweep.losses.argmin()], 3)}"
        if finite.any()
        else f"{sweep.name}\ndiverged"
    )
    axes.plot(tried, np.where(finite, sweep.losses, np.nan), label=label, color=role.colour, linestyle=role.linestyle,
              marker=role.marker, markersize=6, markerfacecolor=role.fill)  # fmt: skip
    if finite.any():
        best = int(sweep.losses.argmin())
        axes.plot(tried[best], sweep.losses[best], star.marker, markersize=15, color=star.fill,
                  markeredgecolor=star.colour, zorder=5)  # fmt: skip


def _draw_diverged(axes: Axes, tried: Floats, sweeps: list[_Runs]) -> None:
    """A row of marks above the top edge for each optimizer with rates that diverged."""
    rows = [sweep for sweep in sweeps if np.isinf(sweep.losses).any()]
    for row, sweep in enumerate(rows):
        lost, role = tried[np.isinf(sweep.losses)], sweep.role
        axes.plot(lost, np.full(len(lost), 1.0 + _ROW * (row + 0.8)), transform=axes.get_xaxis_transform(),
                  clip_on=False, linestyle="none", marker=role.marker, markersize=6, color=role.colour,
                  markerfacecolor=role.fill)  # fmt: skip
    if rows:
        axes.plot([0, 1], [1, 1], color=ROLES["threshold"].colour, linestyle=ROLES["threshold"].linestyle,
                  linewidth=1.2, transform=axes.transAxes, clip_on=False)  # fmt: skip
        axes.text(-0.015, 1.0 + _ROW * (len(rows) / 2 + 0.3), "diverged", transform=axes.transAxes, fontsize=10,
                  va="center", ha="right", color=ROLES["threshold"].colour)  # fmt: skip


def _best(tried: Floats, sweep: _Runs) -> str:
    lost = tried[np.isinf(sweep.losses)]
    if len(lost) == len(tried):
        return f"{sweep.name} diverged at every rate"
    best = int(sweep.losses.argmin())
    story = f"{sweep.name} {number(sweep.losses[best], 3)} at rate {number(tried[best], 4)}"
    return story + (f", diverged at {', '.join(number(rate, 4) for rate in lost)}" if len(lost) else "")
