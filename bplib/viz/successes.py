"""How many of many trials succeeded, as bars."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bplib.errors import DomainError, ShapeError
from bplib.viz.picture import Picture
from bplib.viz.style import INK, ROLES, figure

__all__ = ["success_bars"]

_ROLE = ROLES["prediction"]


def success_bars(widths: Sequence[int], solved: Sequence[int], starts: int, medians: Sequence[int | None]) -> Picture:
    """Draw a bar for each network: as high as starts of it were solved.

    Parameters
    ----------
    widths : sequence of int, length n
        Numbers of hidden units.
    solved : sequence of int, length n
        Solved starts, from 0 to `starts`; written on the bars.
    starts : int
        How many starts there were of each width.
    medians : sequence of int or None, length n
        Within how many updates half of the solved starts were solved; None where none was. Written below the bars.

    Returns
    -------
    Picture

    Raises
    ------
    ShapeError
        If the three sequences differ in length, or are empty.
    DomainError
        If a count lies outside 0 to `starts`.

    Examples
    --------
    >>> success_bars([1, 2], [0, 91], 100, [None, 336])
    Of 100 starts each, solved with 1 hidden unit: 0; with 2 hidden units: 91, half of them within 336 updates.
    """
    _check(widths, solved, starts, medians)
    fig = figure(max(1.4 + 1.15 * len(widths), 6.0), 3.5)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    axes = fig.subplots()
    places = range(len(widths))
    axes.bar(places, list(solved), width=0.62, color=_ROLE.fill, edgecolor=_ROLE.colour)
    above: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center", "va": "bottom"}
    for place, count in zip(places, solved, strict=True):
        axes.annotate(str(count), (place, count), fontsize=13, weight="bold", color=INK, **above)
    _set_axes(axes, widths, starts, medians)
    return Picture(fig, _story(widths, solved, starts, medians))


def _check(widths: Sequence[int], solved: Sequence[int], starts: int, medians: Sequence[int | None]) -> None:
    if not len(widths) or not len(widths) == len(solved) == len(medians):
        raise ShapeError(
            f"success_bars: there are {len(widths)} widths, {len(solved)} counts and {len(medians)} medians. "
            f"Expected one count and one median for each width, and at least one width."
        )
    if not all(0 <= count <= starts for count in solved):
        raise DomainError(
            f"success_bars: the counts are {list(solved)}. Expected numbers from 0 to {starts}, the number of starts."
        )


def _set_axes(axes: Axes, widths: Sequence[int], starts: int, medians: Sequence[int | None]) -> None:
    labels = [
        f"{_units(width)}\n{'never' if median is None else f'{median} updates'}"
        for width, median in zip(widths, medians, strict=True)
    ]
    axes.set_xticks(range(len(widths)), labels, fontsize=11, linespacing=1.5)
    axes.set_xlabel("hidden units, and the updates that half of the solved starts needed at most", fontsize=11)
    axes.set_ylabel(f"solved, of {starts} starts", fontsize=12)
    axes.set_ylim(0, 1.12 * starts)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlim(-0.5, len(widths) - 0.5)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False)  # the numbers stand on the bars


def _units(width: int) -> str:
    return f"{width} unit{'s' if width > 1 else ''}"


def _story(widths: Sequence[int], solved: Sequence[int], starts: int, medians: Sequence[int | None]) -> str:
    parts = []
    for width, count, median in zip(widths, solved, medians, strict=True):
        needed = "" if median is None else f", half of them within {median} updates"
        parts.append(f"with {_units(width).replace(' ', ' hidden ')}: {count}{needed}")
    return f"Of {starts} starts each, solved {'; '.join(parts)}."
