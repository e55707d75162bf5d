"""The plane in three dimensions: a picture on request."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.style import INK, PAPER, ROLES, figure
from bplib.widgets.explorer.field import levels_of, loss_ticks, window
from bplib.widgets.explorer.network import Task
from bplib.widgets.explorer.plane import Frame, frame, heights
from bplib.widgets.explorer.scene import axis_labels
from bplib.widgets.explorer.words import number, plane_words

__all__ = ["solid_picture"]

Floats = npt.NDArray[np.float64]

_EVERY = 2  # lines of the grid: all of them would hide the colours
_KINDS = {"pca": "the plane of the training run", "random": "a random plane", "whole": "both parameters"}


@lru_cache(maxsize=8)
def solid_picture(task: Task, directions: str, seed: int) -> Picture:
    """The loss as a height over the plane, with the training run at its own loss.

    Off the plane the run's loss is not the surface's: where the black line floats above the surface or dives below
    it, the run is elsewhere.

    Parameters
    ----------
    task, directions, seed
        As for `bplib.widgets.explorer.plane`.

    Returns
    -------
    Picture
    """
    cut, grid = frame(task, directions, seed), heights(task, directions, seed)
    run = task.run.losses
    logarithmic = float(min(window(grid.losses).min(), run.min())) > 0
    raised = np.log10 if logarithmic else np.asarray
    drawn = figure(6.4, 4.6)
    axes: Any = drawn.add_subplot(projection="3d", computed_zorder=False)
    a, b = np.meshgrid(grid.a[::_EVERY], grid.b[::_EVERY])
    shown = window(grid.losses)[::_EVERY, ::_EVERY]
    levels = levels_of(grid.losses)
    colours = np.array(levels.colours if levels else ["#fffae8"])
    bands = np.digitize(shown.T, levels.values[1:-1]) if levels else np.zeros(shown.shape, int)
    axes.plot_surface(
        a, b, raised(shown.T), facecolors=colours[bands], rstride=1, cstride=1, shade=False, edgecolor="#8A8A8A",
        linewidth=0.3, antialiased=False, zorder=1,
    )  # fmt: skip
    _draw_run(axes, cut.path, raised(run))
    _dress(axes, task, cut)
    if logarithmic:
        _write_powers(axes, float(min(shown.min(), run.min())), float(max(shown.max(), run.max())))
    return Picture(drawn, _alt(task, cut, window(grid.losses)))


def _draw_run(axes: Any, path: Floats, heights_of_run: Floats) -> None:
    """The run as a line, with an empty circle at its beginning and a full one at its end."""
    role = ROLES["path"]
    axes.plot(*path.T, heights_of_run, color=role.colour, linewidth=2.2, zorder=3, label="training run")
    for which, fill, name in ((0, PAPER, "its start"), (-1, role.fill, "its end")):
        axes.plot(*path[[which]].T, heights_of_run[[which]], role.marker, markersize=8, markerfacecolor=fill,
                  markeredgecolor=role.colour, markeredgewidth=1.4, zorder=4, label=name)  # fmt: skip
    axes.legend(loc="upper left", frameon=False, fontsize=9)


def _dress(axes: Any, task: Task, cut: Frame) -> None:
    names = axis_labels(task, cut)
    axes.set(xlabel=names[0], ylabel=names[1], zlabel="loss")
    axes.locator_params(nbins=5)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1.0, 1.0, 1.0, 1.0))
        axis.label.set(fontsize=9, color=INK)
        axis.labelpad = 2
    axes.tick_params(labelsize=8)
    axes.view_init(elev=38, azim=-62)
    axes.set_box_aspect((1, 1, 0.62), zoom=1.03)


def _write_powers(axes: Any, low: float, high: float) -> None:
    """Ticks of a height that is drawn as its logarithm."""
    places = loss_ticks(low, high)
    axes.set_zticks([float(np.log10(value)) for value, _ in places], [label for _, label in places])


def _alt(task: Task, cut: Frame, shown: Floats) -> str:
    run = task.run.losses
    return (
        f"The loss of {task.name} as a height over {_KINDS[cut.kind]}: from {number(float(shown.min()))} to "
        f"{number(float(shown.max()))}. The training run goes from {number(float(run[0]))} to "
        f"{number(float(run[-1]))} in {task.steps} steps. {plane_words(task, cut)}"
    )
