"""The loss of one parameter, its tangent at a point, and one step of gradient descent."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array, as_number
from bplib.errors import DomainError, ShapeError
from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.style import PAPER, ROLES, figure

__all__ = ["loss_slice"]

Floats = NDArray[np.float64]

_TANGENT = 0.22  # of the width of the picture, to either side of the point
_MARGIN = 0.12  # of the height of the curve, above and below it


class _Point(NamedTuple):
    w: float
    loss: float
    slope: float
    lr: float

    @property
    def step(self) -> float:
        return -self.lr * self.slope + 0.0

    @property
    def arrival(self) -> float:
        return self.w + self.step


def loss_slice(
    xs: ArrayLike, values: ArrayLike, *, w: float, loss: float, slope: float, lr: float, name: str = "w"
) -> Picture:
    """Draw the loss of one parameter, the tangent at a point, and one step of gradient descent.

    The step goes from w to w − lr · slope. The arrow lies level, at the height of the point: its length is the change
    of the parameter. A dotted line leads from its tip to the curve.

    Parameters
    ----------
    xs : array_like, shape (n,), finite, increasing
        Values of the parameter, at least two.
    values : array_like, shape (n,)
        The loss at each of them; one that is not finite leaves a gap.
    w : float
        The present value of the parameter, from ``xs[0]`` to ``xs[-1]``.
    loss, slope : float
        The loss at w and its derivative there.
    lr : float, at least 0
        The learning rate.
    name : str
        What the parameter is called, with its unit where it has one.

    Returns
    -------
    Picture
        A tip outside of the picture is drawn at the edge, and the words above say where it is.

    Raises
    ------
    DataError
        If something is no real number.
    ShapeError
        If `xs` and `values` differ in length or are too short.
    DomainError
        If a number is not finite, `xs` does not increase, `w` lies outside of it, or `lr` is below 0.

    References
    ----------
    Cauchy, A. (1847), "Méthode générale pour la résolution des systèmes d'équations simultanées".

    Examples
    --------
    >>> w = np.linspace(-2, 2, 81)
    >>> loss_slice(w, w**2, w=1.5, loss=2.25, slope=3.0, lr=0.1)
    At w = 1.5 the loss is 2.25 and the slope is +3. One step of learning rate 0.1 changes w by −0.3 to 1.2, where ...
    """
    across, losses = _as_curve(xs, values)
    point = _as_point(across, w, loss, slope, lr)
    fig = figure(6.4, 4.0)
    fig.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    axes = fig.subplots()
    curve = ROLES["loss"]
    axes.plot(across, np.where(np.isfinite(losses), losses, np.nan), color=curve.colour, linewidth=2.0)
    axes.set(xlim=across[[0, -1]], ylim=_heights(losses, point), xlabel=name, ylabel="loss")
    lands = _loss_at(across, losses, point.arrival)
    _draw_point(axes, point, float(np.ptp(across)))
    _draw_step(axes, point, lands)
    fig.legend(handles=_key(point), loc="outside upper center", ncols=3, frameon=False, fontsize=10.5,
               handlelength=2.4, handletextpad=0.6, columnspacing=1.4)  # fmt: skip
    return Picture(fig, _story(point, name, (across[0], across[-1]), lands))


def _as_curve(xs: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    across, losses = (
        as_array(given, called, "loss_slice").astype(np.float64) for given, called in ((xs, "xs"), (values, "values"))
    )
    if across.ndim != 1 or across.shape != losses.shape or len(across) < 2:
        raise ShapeError(
            f"loss_slice: xs has shape {across.shape} and values has shape {losses.shape}. Expected one loss for each "
            f"of at least two values of the parameter."
        )
    if not (np.isfinite(across).all() and (np.diff(across) > 0).all()):
        raise DomainError(
            "loss_slice: xs does not increase from number to number. Expected finite, increasing numbers, for example "
            "np.linspace(-2, 2, 81)."
        )
    if np.count_nonzero(np.isfinite(losses)) < 2:
        raise DomainError(
            f"loss_slice: of {len(losses)} values fewer than two are finite. Expected a curve to draw. Choose xs "
            f"nearer to where the loss is finite."
        )
    return across, losses


def _as_point(across: Floats, w: float, loss: float, slope: float, lr: float) -> _Point:
    given = {"w": w, "loss": loss, "slope": slope}
    point = _Point(
        **{called: as_number(value, called, "loss_slice") for called, value in given.items()},
        lr=as_number(lr, "lr", "loss_slice", least=0),
    )
    if not across[0] <= point.w <= across[-1]:
        raise DomainError(
            f"loss_slice: w is {point.w:g}, and xs goes from {across[0]:g} to {across[-1]:g}. Expected w among them. "
            f"Choose xs around w, for example w + np.linspace(-1, 1, 81)."
        )
    return point


def _heights(losses: Floats, point: _Point) -> tuple[float, float]:
    """The heights to show: of the curve and the point, not of the tangent."""
    shown = np.append(losses[np.isfinite(losses)], point.loss)
    margin = _MARGIN * (float(np.ptp(shown)) or 1.0)
    return float(shown.min()) - margin, float(shown.max()) + margin


def _loss_at(across: Floats, losses: Floats, w: float) -> float | None:
    """The loss between the two nearest values, if the curve is there."""
    if not across[0] <= w <= across[-1]:
        return None
    between = float(np.interp(w, across, losses))
    return between if np.isfinite(between) else None


def _draw_point(axes: Axes, point: _Point, width: float) -> None:
    """The tangent, cut off at the edges, and the point on it."""
    tangent, mark = ROLES["gradient"], ROLES["path"]
    ends = np.array([-_TANGENT, _TANGENT]) * width
    # Of a steep tangent the picture shows little: no longer than half of the height to either side.
    if point.slope:
        reach = 0.5 * float(np.ptp(axes.get_ylim())) / abs(point.slope)
        ends = np.clip(ends, -reach, reach)
    style: dict[str, Any] = {"color": tangent.colour, "linestyle": tangent.linestyle, "linewidth": 1.8}
    axes.plot(point.w + ends, point.loss + point.slope * ends, **style)
    axes.plot(point.w, point.loss, mark.marker, markersize=9, color=mark.fill, markeredgecolor=mark.colour, zorder=6)


def _draw_step(axes: Axes, point: _Point, lands: float | None) -> None:
    role, low, high = ROLES["update"], *axes.get_xlim()
    tip = min(max(point.arrival, low), high)
    if tip != point.w:
        arrow = {"arrowstyle": "-|>,head_width=0.3,head_length=0.6", "color": role.colour, "linewidth": 2.4,
                 "shrinkA": 0, "shrinkB": 0}  # fmt: skip
        axes.annotate("", (tip, point.loss), (point.w, point.loss), arrowprops=arrow, zorder=5)
    if lands is None or not point.step:
        return
    dots = ROLES["threshold"]
    axes.plot([tip, tip], [point.loss, lands], color=dots.colour, linestyle=dots.linestyle, linewidth=1.4)
    axes.plot(tip, lands, role.marker, markersize=8, color=PAPER, markeredgecolor=role.colour, markeredgewidth=1.8,
              zorder=6)  # fmt: skip


def _key(point: _Point) -> list[Line2D]:
    """The numbers, each beside the line or mark that shows it."""
    mark, tangent, step = ROLES["path"], ROLES["gradient"], ROLES["update"]
    here = f"loss {number(point.loss, 3)}"
    there = f"step {_signed(point.step, 3)} to {number(point.arrival, 3)}" if point.step else "no step"
    return [
        Line2D([], [], linestyle="none", marker=mark.marker, markersize=9, color=mark.fill,
               markeredgecolor=mark.colour, label=here),
        Line2D([], [], color=tangent.colour, linestyle=tangent.linestyle, label=f"slope {_signed(point.slope, 3)}"),
        Line2D([], [], color=step.colour, linewidth=2.4, marker=">" if point.step > 0 else "<", markevery=[-1 if
               point.step > 0 else 0], markersize=7, label=there),
    ]  # fmt: skip


def _signed(value: float, digits: int = 4) -> str:
    return f"+{number(value, digits)}" if value > 0 else number(value, digits)


def _story(point: _Point, name: str, ends: tuple[float, float], lands: float | None) -> str:
    here = f"At {name} = {number(point.w, 4)} the loss is {number(point.loss, 4)} and the slope is "
    step = f"{_signed(point.slope)}. One step of learning rate {number(point.lr, 4)} "
    if not point.step:
        return f"{here}{step}leaves {name} where it is."
    step += f"changes {name} by {_signed(point.step)} to {number(point.arrival, 4)}, "
    if not ends[0] <= point.arrival <= ends[1]:
        return f"{here}{step}outside of the picture, which shows {number(ends[0], 4)} to {number(ends[1], 4)}."
    if lands is None:
        return f"{here}{step}where the loss is not finite."
    return f"{here}{step}where the curve is at {number(lands, 4)}."
