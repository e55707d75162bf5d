"""Gradient descent at the edge of stability: its loss, and below it the sharpness beside the limit 2/η."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array, as_count
from bplib.errors import DomainError, ShapeError
from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.style import PALETTE, PAPER, ROLES, Role, figure

__all__ = ["stability_curves"]

Floats = NDArray[np.float64]

_ROLES = (
    Role(PALETTE["blue"], (), "o", PALETTE["blue"]),
    Role(PALETTE["vermillion"], (7.0, 2.0), "^", PAPER),
    Role(PALETTE["green"], (10.0, 2.0, 2.0, 2.0), "D", PALETTE["green"]),
)
_TAIL = 16  # looks at the sharpness that count as the end
_NEAR = 0.25  # of 2/η
_BLOCKS = 1000  # of one line: about as many as there are pixels


def stability_curves(
    rates: Sequence[float], losses: Sequence[ArrayLike], sharpness: Sequence[ArrayLike], every: int
) -> Picture:
    """Draw one to three runs of gradient descent: above the loss, below the sharpness and a dashed line at each 2/η.

    Parameters
    ----------
    rates : sequence of float, length n ≤ 3
        Learning rates η, above 0.
    losses : sequence of array_like, shape (steps,), above 0
        The loss before every step, one array for each rate.
    sharpness : sequence of array_like, shape (looks,), above 0
        The largest eigenvalue of the Hessian every so many steps, from step 0 on.
    every : int
        Steps from one look at the sharpness to the next.

    Returns
    -------
    Picture
        Its words say what is the same on every machine: where the sharpness starts, when it crosses 2/η, and whether it
        ends near it.

    Raises
    ------
    DataError
        If something holds no real numbers.
    ShapeError
        If there are not as many losses and sharpnesses as rates, or one is empty.
    DomainError
        For no rate or more than three, or a number that is not finite and above 0.

    Examples
    --------
    >>> stability_curves([0.5], [[2.0, 1.0, 1.2, 0.9]], [[1.0, 3.0, 5.0, 4.0]], 1)
    The loss and the sharpness of 1 run of gradient descent. Rate 0.5: the loss falls, but rises on 1 of 3 steps; ...
    """
    rows = _checked(rates, losses, sharpness)
    as_count(every, "every", 1, "stability_curves")
    fig = figure(6.8, 5.2)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    above, below = fig.subplots(2, sharex=True)
    for (rate, loss, sharp), role in zip(rows, _ROLES, strict=False):
        _draw_loss(above, loss, role)
        _draw_sharpness(below, rate, sharp, role, every)
    _set_axes(above, below, rows, every)
    stories = " ".join(_story(*row, every) for row in rows)
    runs = f"{len(rows)} run{'s' if len(rows) > 1 else ''}"
    return Picture(fig, f"The loss and the sharpness of {runs} of gradient descent. {stories}")


def _checked(
    rates: Sequence[float], losses: Sequence[ArrayLike], sharpness: Sequence[ArrayLike]
) -> list[tuple[float, Floats, Floats]]:
    if not 1 <= len(rates) <= len(_ROLES):
        raise DomainError(
            f"stability_curves: there are {len(rates)} rates. Expected 1 to {len(_ROLES)}, so that each line can be "
            "told from the others."
        )
    if not len(rates) == len(losses) == len(sharpness):
        raise ShapeError(
            f"stability_curves: there are {len(rates)} rates, {len(losses)} arrays of losses and {len(sharpness)} of "
            "sharpness. Expected one of each for each rate."
        )
    rows = []
    for rate, loss, sharp in zip(rates, losses, sharpness, strict=True):
        arrays = [_positive(values, name) for values, name in ((rate, "rate"), (loss, "loss"), (sharp, "sharpness"))]
        if any(array.ndim != 1 or not array.size for array in arrays[1:]):
            shapes = " and ".join(str(array.shape) for array in arrays[1:])
            raise ShapeError(
                f"stability_curves: loss and sharpness at rate {float(rate):g} have the shapes {shapes}. Expected "
                "numbers in a row, at least one of each."
            )
        rows.append((float(rate), arrays[1], arrays[2]))
    return rows


def _positive(values: ArrayLike, name: str) -> Floats:
    array = as_array(values, name, "stability_curves").astype(np.float64)
    if not (np.isfinite(array).all() and (array > 0).all()):
        worst = array[~(np.isfinite(array) & (array > 0))].flat[0]
        raise DomainError(
            f"stability_curves: a {name} is {worst:g}. Expected finite numbers above 0: the axes are logarithmic. Try "
            "a smaller learning rate."
        )
    return array


def _draw_loss(axes: Axes, loss: Floats, role: Role) -> None:
    shown = _thinned(loss)
    axes.plot(shown, loss[shown], color=role.colour, linewidth=0.9, linestyle="-", marker=role.marker, markersize=5.5,
              markevery=max(1, len(shown) // 8), markerfacecolor=role.fill)  # fmt: skip


def _thinned(loss: Floats) -> NDArray[np.intp]:
    """Where a long line is drawn: at the ends, and at the lowest and highest loss of each block. No peak is lost."""
    blocks = np.array_split(np.arange(len(loss)), min(_BLOCKS, len(loss)))
    ends = [places[pick(loss[places])] for places in blocks for pick in (np.argmin, np.argmax)]
    return np.unique([0, *ends, len(loss) - 1])


def _draw_sharpness(axes: Axes, rate: float, sharp: Floats, role: Role, every: int) -> None:
    steps = every * np.arange(len(sharp))
    axes.plot(steps, sharp, color=role.colour, linewidth=1.2, linestyle="-", marker=role.marker, markersize=4.5,
              markerfacecolor=role.fill, label=f"η = {rate:g}")  # fmt: skip
    axes.axhline(2 / rate, color=role.colour, linewidth=1.4, linestyle=ROLES["threshold"].linestyle)
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axes.annotate(f"2/η = {number(2 / rate, 3)}", (1.0, 2 / rate), xytext=(6, 0), fontsize=11, va="center",
                  color=role.colour, **place)  # fmt: skip


def _set_axes(above: Axes, below: Axes, rows: list[tuple[float, Floats, Floats]], every: int) -> None:
    above.set(yscale="log", ylabel="loss (log scale)")
    below.set(yscale="log", ylabel="sharpness (log scale)", xlabel="step")
    last = max(max(len(loss), every * (len(sharp) - 1)) for _, loss, sharp in rows)
    below.set_xlim(0, max(last, 1))
    marks = [value for value in (1, 2, 5, 10, 20, 50, 100, 200, 500) if _within(value, below.get_ylim())]
    below.yaxis.set_major_locator(FixedLocator(marks))
    below.yaxis.set_major_formatter(lambda value, place: number(value, 3))
    below.yaxis.set_minor_formatter(NullFormatter())
    handles, words = below.get_legend_handles_labels()
    above.legend(handles, words, loc="upper right", ncols=len(rows), fontsize=11, frameon=False, handlelength=2.4,
                 bbox_to_anchor=(1.0, 1.2))  # fmt: skip


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _story(rate: float, loss: Floats, sharp: Floats, every: int) -> str:
    """What is the same on every machine; the digits of a run at the edge are not."""
    limit = 2 / rate
    rises = int((np.diff(loss) > 0).sum())
    often = f"on {rises} of {len(loss) - 1} steps" if rises < 100 else f"on more than {_round_down(rises)} steps"
    change = "falls at every step"
    if rises:
        change = f"falls, but rises {often}" if loss[-1] < loss[0] else f"ends higher and rises {often}"
    start = f"the sharpness starts at {number(sharp[0], 2)}"
    over = np.flatnonzero(sharp > limit)
    if not over.size:
        return f"Rate {number(rate)}: the loss {change}; {start} and stays below 2/η = {number(limit, 3)}."
    crossing = f"is above 2/η = {number(limit, 3)} at step {every * int(over[0]):,}"
    tail = float(np.median(sharp[-_TAIL:])) / limit
    end = "stays near it" if abs(tail - 1) <= _NEAR else "leaves it"
    return f"Rate {number(rate)}: the loss {change}; {start}, {crossing} and then {end}."


def _round_down(count: int) -> str:
    return f"{count // 1000 * 1000:,}" if count >= 1000 else "100"
