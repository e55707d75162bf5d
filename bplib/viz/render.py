"""The static twin: a scene drawn by matplotlib at one position."""

import io
from functools import singledispatch
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from PIL import Image

from bplib.viz.marks import Arrow, Bars, Handle, Mark, Path, Points, Rule, Text, at_position, text_at
from bplib.viz.picture import Picture
from bplib.viz.scene import Axis, Panel, Scene
from bplib.viz.style import INK, PAPER, ROLES

__all__ = ["draw_scene", "render"]

# One pixel of the page, in the points that matplotlib measures lines and letters in (at 100 pixels an inch).
_PIXEL = 0.72
_LETTERS = 12 * _PIXEL
_SMALL = 11 * _PIXEL


def render(scene: Scene, index: int = 0, heading: str = "", alt: str = "") -> Picture:
    """Draw a scene at one position as a picture with its sentence.

    Parameters
    ----------
    scene : Scene
    index : int
        Position of the control.
    heading : str
        A line above the picture, for example the question that it answers.
    alt : str
        Alternative text; by default the heading, the scene's name and its sentence.

    Returns
    -------
    Picture
    """
    words = " ".join(part for part in (heading, f"{scene.name}.", scene.sentence(index)) if part)
    return Picture(draw_scene(scene, index, heading), alt or words)


def draw_scene(scene: Scene, index: int = 0, heading: str = "") -> Figure:
    """Draw a scene at one position, its sentence below it.

    Parameters
    ----------
    scene : Scene
    index : int
    heading : str

    Returns
    -------
    matplotlib.figure.Figure
        One Axes for each panel, in order, in data coordinates.
    """
    top, bottom = (28.0 if heading else 0.0), (26.0 if scene.sentence(index) else 0.0)
    height = scene.height + top + bottom
    figure = Figure(figsize=(scene.width / 100, height / 100), dpi=100, facecolor=PAPER)
    for panel in scene.panels:
        box = panel.rectangle
        place = (
            box.x / scene.width, 1 - (box.y + top + box.height) / height,
            box.width / scene.width, box.height / height,
        )  # fmt: skip
        _draw_panel(figure.add_axes(place), panel, index)
    written: dict[str, Any] = dict(x=16 / scene.width, ha="left", va="center", color=INK, parse_math=False)
    if heading:
        figure.text(y=1 - 15 / height, s=heading, fontsize=13 * _PIXEL, fontweight="bold", **written)
    if bottom:
        figure.text(y=14 / height, s=scene.sentence(index), fontsize=13 * _PIXEL, **written)
    return figure


def _draw_panel(axes: Axes, panel: Panel, index: int) -> None:
    bold: dict[str, Any] = dict(fontsize=13 * _PIXEL, fontweight="bold", color=INK, parse_math=False)
    # With a height of its own: matplotlib would lay out all labels to find one.
    axes.set_title(panel.title, loc="left", y=1.0, pad=6, **bold)
    _set_axis(axes, panel.x, "x")
    _set_axis(axes, panel.y, "y")
    for spine in axes.spines.values():
        spine.set(edgecolor="#8A8A8A", linewidth=_PIXEL)
    if panel.grid:
        axes.grid(True, color="#E3E3E3", linewidth=_PIXEL)
        axes.set_axisbelow(True)
    if panel.field:
        _draw_field(axes, panel.field.png)
    for mark in panel.marks:
        _draw_mark(mark, axes, index)
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        # In the row of the title, where no line can run through it.
        key = axes.legend(handles, labels, fontsize=_SMALL, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(labels),
                          frameon=False, handlelength=2.4, handletextpad=0.5, columnspacing=1.1, borderpad=0.1,
                          borderaxespad=0.2)  # fmt: skip
        for words in key.get_texts():
            words.set_parse_math(False)


def _set_axis(axes: Axes, axis: Axis, which: Literal["x", "y"]) -> None:
    # First how ticks look, then the ticks: those that exist already would each be changed one by one.
    axes.tick_params(axis=which, labelsize=_SMALL, labelcolor=INK, color="#8A8A8A", length=4 * _PIXEL, pad=2)
    if axis.scale != "linear":
        axes.set(**{f"{which}scale": axis.scale})
    marks = axis.ticks or ()
    axes.set(**{
        f"{which}lim": (axis.low, axis.high),
        f"{which}ticks": [value for value, _ in marks],
        f"{which}ticklabels": [label for _, label in marks],
    })  # fmt: skip
    drawn = getattr(axes, f"{which}axis")
    drawn.set_minor_locator(NullLocator())
    for words in drawn.get_ticklabels():
        words.set_parse_math(False)
    getattr(axes, f"set_{which}label")(axis.label, fontsize=_LETTERS, color=INK, labelpad=3, parse_math=False)


def _draw_field(axes: Axes, png: bytes) -> None:
    with Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    # Placed in fractions of the panel: a log axis would bend it otherwise.
    axes.imshow(pixels, extent=(0, 1, 0, 1), transform=axes.transAxes, aspect="auto", zorder=0, interpolation="nearest")


@singledispatch
def _draw_mark(mark: Mark, axes: Axes, index: int) -> None:
    raise NotImplementedError(type(mark).__name__)


@_draw_mark.register
def _(mark: Path, axes: Axes, index: int) -> None:
    role = ROLES[mark.role]
    points = _until_not_a_number(at_position(mark, index))
    axes.plot(
        points[:, 0], points[:, 1], color=role.colour, linestyle=_dash(mark.role, mark.width) if mark.width else "none",
        linewidth=mark.width * _PIXEL, marker=role.marker if mark.markers else "", markersize=5.5 * _PIXEL,
        markerfacecolor=role.fill, markeredgecolor=role.colour, markeredgewidth=_PIXEL,
        label=text_at(mark, index) or "_", clip_on=True,
    )  # fmt: skip


@_draw_mark.register
def _(mark: Points, axes: Axes, index: int) -> None:
    role = ROLES[mark.role]
    points = at_position(mark, index)
    axes.plot(
        points[:, 0], points[:, 1], linestyle="none", marker=role.marker, markersize=mark.size * _PIXEL,
        markerfacecolor=role.fill, markeredgecolor=role.colour, markeredgewidth=1.2 * _PIXEL,
        label=text_at(mark, index) or "_",
    )  # fmt: skip


@_draw_mark.register
def _(mark: Arrow, axes: Axes, index: int) -> None:
    role = ROLES[mark.role]
    tail, tip = at_position(mark, index)
    style = dict(arrowstyle="-|>", color=role.colour, linewidth=mark.width * _PIXEL, shrinkA=0, shrinkB=0)
    axes.annotate("", xy=tip, xytext=tail, arrowprops=style, annotation_clip=False)


@_draw_mark.register
def _(mark: Bars, axes: Axes, index: int) -> None:
    role = ROLES[mark.role]
    points = at_position(mark, index)
    centre, half = axes.transData.transform(points), np.array([mark.width / 2, 0.0])
    left, right = (axes.transData.inverted().transform(centre + side)[:, 0] for side in (-half, half))
    axes.bar(left, points[:, 1] - mark.base, right - left, mark.base, align="edge", color=role.fill,
             edgecolor=role.colour, linewidth=1.5 * _PIXEL)  # fmt: skip


@_draw_mark.register
def _(mark: Text, axes: Axes, index: int) -> None:
    words = text_at(mark, index)
    dx, dy = mark.shift
    # In shares of the letters' size: two pixels at each side of letters of twelve.
    plate = dict(boxstyle="square,pad=0.17", facecolor=PAPER, edgecolor="none") if mark.plate and words else None
    axes.annotate(
        words, at_position(mark, index)[0], xytext=(dx * _PIXEL, -dy * _PIXEL), textcoords="offset points",
        ha=mark.anchor, va="center", fontsize=_LETTERS, color=INK, parse_math=False, annotation_clip=False, bbox=plate,
    )  # fmt: skip


@_draw_mark.register
def _(mark: Rule, axes: Axes, index: int) -> None:
    style: dict[str, Any] = dict(color=ROLES[mark.role].colour, linestyle=_dash(mark.role, 1.5), linewidth=1.5 * _PIXEL)
    words: dict[str, Any] = dict(fontsize=_SMALL, color=INK, parse_math=False, textcoords="offset points")
    if mark.orientation == "vertical":
        axes.axvline(mark.value, **style)
        side = 4 if mark.anchor == "left" else -4
        axes.annotate(mark.text, (mark.value, 1), xycoords=axes.get_xaxis_transform(), ha=mark.anchor, va="center",
                      xytext=(side * _PIXEL, -10 * _PIXEL), **words)  # fmt: skip
    else:
        axes.axhline(mark.value, **style)
        at, side = (1, -4) if mark.end == "right" else (0, 4)
        axes.annotate(mark.text, (at, mark.value), xycoords=axes.get_yaxis_transform(), ha=mark.end, va="center",
                      xytext=(side * _PIXEL, (-8 if mark.below else 8) * _PIXEL), **words)  # fmt: skip


@_draw_mark.register
def _(mark: Handle, axes: Axes, index: int) -> None:
    points = at_position(mark, index)
    for size, inside in ((15.0, PAPER), (5.0, INK)):
        axes.plot(points[:, 0], points[:, 1], linestyle="none", marker="o", markersize=size * _PIXEL, zorder=5,
                  markerfacecolor=inside, markeredgecolor=INK, markeredgewidth=2 * _PIXEL, clip_on=False)  # fmt: skip


def _dash(role: str, width: float) -> Any:
    dash = ROLES[role].dash
    # matplotlib multiplies dashes by the line width; the browser does not.
    return (0, tuple(length / width for length in dash)) if dash else "-"


def _until_not_a_number(points: np.ndarray) -> np.ndarray:
    bad = np.isnan(points).any(axis=1)
    return points[: int(bad.argmax())] if bad.any() else points
