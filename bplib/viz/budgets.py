"""Optimizers over the number of tries that each may have: one dot a run."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array
from bplib.errors import DataError, DomainError, ShapeError
from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.style import INK, PALETTE, PAPER, ROLES, Role, figure

__all__ = ["budget_dots"]

_ROLES = (
    Role(PALETTE["blue"], (), "o", PALETTE["blue"]),
    Role(PALETTE["vermillion"], (), "^", PAPER),
    Role(PALETTE["green"], (), "D", PALETTE["green"]),
    Role(PALETTE["black"], (), "s", PAPER),
)
_APART = 0.19  # of the distance between two budgets
_TICKS = (0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0)

Floats = NDArray[np.float64]


def budget_dots(losses: Mapping[str, Mapping[str, ArrayLike]], budgets: Sequence[int]) -> Picture:
    """Draw validation losses over the tuning budget: a panel a task, a column of dots for each optimizer and budget.

    Parameters
    ----------
    losses : mapping of str to mapping of str to array_like, shape (budgets, runs)
        Task -> optimizer -> the loss of each run, finite and above 0; one to three tasks, one to four optimizers.
    budgets : sequence of int
        How many learning rates could be tried.

    Returns
    -------
    Picture
        A dot is a run; the dash across a column is the median of its runs.

    Raises
    ------
    DataError
        If there is no task or optimizer, or something holds no real numbers.
    ShapeError
        If an array has another shape.
    DomainError
        For too many tasks or optimizers, or a loss that is not finite and above 0.

    Examples
    --------
    >>> budget_dots({"digits": {"SGD": [[2.0, 2.2], [0.5, 0.4]], "Adam": [[0.6, 0.7], [0.5, 0.6]]}}, [1, 9])
    Median validation losses of 2 runs. digits: with 1 try Adam 0.65, SGD 2.1; with 9 tries SGD 0.45, Adam 0.55.
    """
    tasks = _checked(losses, budgets)
    fig = figure(1.4 + 3.2 * len(tasks), 3.8)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.08)
    row = fig.subplots(1, len(tasks), squeeze=False)[0]
    for axes, (task, found) in zip(row, tasks.items(), strict=True):
        for place, ((name, runs), role) in enumerate(zip(found.items(), _ROLES, strict=False)):
            _draw(axes, name, runs, role, (place - (len(found) - 1) / 2) * _APART)
        _set_axes(axes, task, found, budgets)
    row[0].set_ylabel("lowest validation loss (log scale)")
    handles, names = row[0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=11,
               handletextpad=0.2)  # fmt: skip
    runs = next(iter(next(iter(tasks.values())).values())).shape[1]
    stories = " ".join(_story(task, found, budgets) for task, found in tasks.items())
    return Picture(fig, f"Median validation losses of {runs} runs. {stories}")


def _checked(losses: Mapping[str, Mapping[str, ArrayLike]], budgets: Sequence[int]) -> dict[str, dict[str, Floats]]:
    if not losses or not all(losses.values()):
        raise DataError(
            "budget_dots: there is no task or no optimizer. Expected the losses of at least one of each, for example "
            '{"digits": {"SGD": losses}}.'
        )
    if len(losses) > 3 or any(len(found) > len(_ROLES) for found in losses.values()):
        raise DomainError(
            f"budget_dots: there are {len(losses)} tasks with up to {max(map(len, losses.values()))} optimizers. "
            f"Expected 1 to 3 tasks and 1 to {len(_ROLES)} optimizers, so that each can be told from the others."
        )
    return {task: {name: _runs(name, runs, budgets) for name, runs in found.items()} for task, found in losses.items()}


def _runs(name: str, runs: ArrayLike, budgets: Sequence[int]) -> Floats:
    array = as_array(runs, f"losses[{name!r}]", "budget_dots").astype(np.float64)
    if array.ndim != 2 or len(array) != len(budgets) or not array.size:
        raise ShapeError(
            f"budget_dots: the losses of {name} have shape {array.shape}, and there are {len(budgets)} budgets. "
            "Expected one row for each budget, (budgets, runs)."
        )
    if not (np.isfinite(array).all() and (array > 0).all()):
        raise DomainError(
            f"budget_dots: a loss of {name} is not finite and above 0. Expected numbers for a logarithmic axis. Leave "
            "the runs out that diverged, and say so."
        )
    return array


def _draw(axes: Axes, name: str, runs: Floats, role: Role, shift: float) -> None:
    places = np.arange(len(runs)) + shift
    axes.plot(np.repeat(places, runs.shape[1]), runs.ravel(), linestyle="none", marker=role.marker, markersize=5.5,
              color=role.colour, markerfacecolor=role.fill, label=name)  # fmt: skip
    axes.plot([places - 0.4 * _APART, places + 0.4 * _APART], [np.median(runs, axis=1)] * 2, color=role.colour,
              linestyle="-", linewidth=1.6)  # fmt: skip


def _set_axes(axes: Axes, task: str, found: Mapping[str, Floats], budgets: Sequence[int]) -> None:
    axes.set_yscale("log")
    axes.set_title(task, color=INK)
    axes.set_xlabel("learning rates tried")
    axes.set_xticks(range(len(budgets)), [str(budget) for budget in budgets])
    axes.set_xlim(-0.5, len(budgets) - 0.5)
    low, high = min(runs.min() for runs in found.values()), max(runs.max() for runs in found.values())
    axes.set_ylim(low / 1.15, high * 1.15)
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in _TICKS if low / 1.15 <= tick <= high * 1.15]))
    axes.yaxis.set_major_formatter(lambda value, place: number(value, 3))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)
    for place in range(1, len(budgets)):
        axes.axvline(
            place - 0.5, color=ROLES["threshold"].colour, linewidth=0.8, linestyle=ROLES["threshold"].linestyle
        )


def _story(task: str, found: Mapping[str, Floats], budgets: Sequence[int]) -> str:
    parts = []
    for row, budget in enumerate(budgets):
        medians = sorted((float(np.median(runs[row])), name) for name, runs in found.items())
        said = ", ".join(f"{name} {number(median, 2)}" for median, name in medians)
        parts.append(f"with {budget} {'try' if budget == 1 else 'tries'} {said}")
    return f"{task}: {'; '.join(parts)}."
