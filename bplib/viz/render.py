"""The static twin: a scene drawn by matplotlib at one position, stroke for stroke as the Stage draws it."""

from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from bplib.viz.marks import Arrow, Bars, Handle, Mark, Path, Points, Rule, Text, at_position, text_at
from bplib.viz.page import PIXEL, Page, segments, width_of
from bplib.viz.picture import Picture
from bplib.viz.scene import Panel, Rectangle, Scene
from bplib.viz.style import INK, PAPER, ROLES

__all__ = ["draw_scene", "render"]

_FRAME, _GRID = "#8A8A8A", "#E3E3E3"
_TITLE, _LETTERS, _SMALL = 13.0, 12.0, 11.0
_KEY = 26.0  # pixels of a sample in the key
# Of matplotlib's markers beside its circle, so that each is as large as the one that the Stage draws.
_RELATIVE_SIZES = {"*": 1.25, "D": 0.92, "s": 0.9, "^": 1.05, "v": 1.05}


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
        Without Axes: lines, areas and words lie where the scene's own mapping puts them. The group id of each says what
        it belongs to, such as ``"panel 0 mark 2"``.
    """
    top, bottom = (28.0 if heading else 0.0), (26.0 if scene.sentence(index) else 0.0)
    page = Page(scene.width, scene.height + top + bottom)
    for k, panel in enumerate(scene.panels):
        box = panel.rectangle
        below = replace(panel, rectangle=Rectangle(box.x, box.y + top, box.width, box.height))
        _draw_panel(page, below, index, f"panel {k}")
    page.gid = "page"
    page.words(heading, 16, 15, _TITLE, fontweight="bold")
    page.words(scene.sentence(index), 16, scene.height + top + bottom - 14, _TITLE)
    return page.figure


def _draw_panel(page: Page, panel: Panel, index: int, name: str) -> None:
    box = panel.rectangle
    page.gid = f"{name} axes"
    if panel.field:
        page.picture(panel.field.png, box)
    _draw_axes(page, panel)
    for k, mark in enumerate(panel.marks):
        page.gid = f"{name} mark {k}"
        _draw_mark(mark, page, panel, index)
    page.gid = f"{name} title"
    page.words(panel.title, box.x, box.y - 13, _TITLE, fontweight="bold")
    page.gid = f"{name} key"
    _draw_key(page, panel, index)


def _draw_axes(page: Page, panel: Panel) -> None:
    box = panel.rectangle
    right, foot = box.x + box.width, box.y + box.height
    across, up = panel.x.ticks or (), panel.y.ticks or ()
    xs = panel.x.to_pixels([value for value, _ in across], box.x, right)
    ys = panel.y.to_pixels([value for value, _ in up], foot, box.y)
    if panel.grid:
        lines = [*((x, box.y, x, foot) for x in xs), *((box.x, y, right, y) for y in ys)]
        page.line(segments(lines), color=_GRID, linewidth=PIXEL)
    strokes = [*((x, foot, x, foot + 4) for x in xs), *((box.x - 4, y, box.x, y) for y in ys)]
    page.line(segments(strokes), color=_FRAME, linewidth=PIXEL)
    edge = np.array([(box.x, box.y), (right, box.y), (right, foot), (box.x, foot), (box.x, box.y)])
    page.line(edge, color=_FRAME, linewidth=PIXEL)
    for x, (_, label) in zip(xs, across, strict=True):
        page.words(label, x, foot + 13, _SMALL, "center")
    for y, (_, label) in zip(ys, up, strict=True):
        page.words(label, box.x - 7, y, _SMALL, "right")
    wide = max((width_of(label, _SMALL) for _, label in up), default=0.0)
    page.words(panel.x.label, box.x + box.width / 2, foot + 31, _LETTERS, "center")
    page.words(panel.y.label, box.x - 18 - wide, box.y + box.height / 2, _LETTERS, "center", rotation=90)


def _draw_key(page: Page, panel: Panel, index: int) -> None:
    """In the row of the title, from the right, where no line can run through it."""
    right, y = panel.rectangle.x + panel.rectangle.width, panel.rectangle.y - 13
    for mark in reversed(panel.marks):
        if not isinstance(mark, Path | Points | Bars) or not (words := text_at(mark, index)):
            continue
        page.words(words, right, y, _SMALL, "right")
        right -= width_of(words, _SMALL) + 5
        if isinstance(mark, Path):
            page.line(np.array([(right - _KEY, y), (right, y)]), **_stroke(mark.role, mark.width))
        if isinstance(mark, Bars):
            _draw_boxes(page, mark.role, [(right - 19, y - 5, right - 7, y + 5)])
        elif isinstance(mark, Points) or mark.markers:
            page.line(np.array([(right - _KEY / 2, y)]), **_symbol(mark.role, 8.0, 1.0))
        right -= _KEY + 12


def _draw_boxes(page: Page, name: str, boxes: list[tuple[float, ...]], clip: Rectangle | None = None) -> None:
    """Filled boxes, each from one corner to the opposite one."""
    role, corners = ROLES[name], np.array([[(x, y), (x, v), (u, v), (u, y)] for x, y, u, v in boxes])
    page.areas(corners, clip=clip, facecolor=role.fill, edgecolor=role.colour, linewidth=1.5 * PIXEL)


@singledispatch
def _draw_mark(mark: Mark, page: Page, panel: Panel, index: int) -> None:
    raise NotImplementedError(type(mark).__name__)


@_draw_mark.register
def _(mark: Path, page: Page, panel: Panel, index: int) -> None:
    points = panel.to_pixels(_until_not_a_number(at_position(mark, index)))
    if mark.width:
        page.line(points, clip=panel.rectangle, **_stroke(mark.role, mark.width))
    if mark.markers:
        page.line(points, clip=panel.rectangle, **_symbol(mark.role, 5.5, 1.0))


@_draw_mark.register
def _(mark: Points, page: Page, panel: Panel, index: int) -> None:
    page.line(panel.to_pixels(at_position(mark, index)), clip=panel.rectangle, **_symbol(mark.role, mark.size, 1.2))


@_draw_mark.register
def _(mark: Arrow, page: Page, panel: Panel, index: int) -> None:
    tail, tip = panel.to_pixels(at_position(mark, index))
    angle, head = np.arctan2(*(tip - tail)[::-1]), 5 + 2 * mark.width
    along = np.array([np.cos(angle), np.sin(angle)])
    style = _stroke(mark.role, mark.width) | {"solid_capstyle": "butt"}
    page.line(np.array([tail, tip - 0.7 * head * along]), clip=panel.rectangle, **style)
    sides = [tip + head * np.array([np.cos(angle + turn), np.sin(angle + turn)]) for turn in (2.7, -2.7)]
    page.areas(np.array([[tip, *sides]]), clip=panel.rectangle, facecolor=style["color"], edgecolor="none")


@_draw_mark.register
def _(mark: Bars, page: Page, panel: Panel, index: int) -> None:
    foot = panel.to_pixels([panel.x.low, mark.base])[1]
    half = mark.width / 2
    tops = [(x, y) for x, y in panel.to_pixels(at_position(mark, index)) if not np.isnan(y)]
    if tops:
        _draw_boxes(page, mark.role, [(x - half, foot, x + half, y) for x, y in tops], panel.rectangle)


@_draw_mark.register
def _(mark: Text, page: Page, panel: Panel, index: int) -> None:
    x, y = panel.to_pixels(at_position(mark, index))[0] + mark.shift
    page.words(text_at(mark, index), x, y, _LETTERS, mark.anchor, plate=mark.plate)


@_draw_mark.register
def _(mark: Rule, page: Page, panel: Panel, index: int) -> None:
    box = panel.rectangle
    x, y = panel.to_pixels([mark.value, mark.value])
    if mark.orientation == "vertical":
        ends = [(x, box.y), (x, box.y + box.height)]
        at, align = (x + (4 if mark.anchor == "left" else -4), box.y + 10), mark.anchor
    else:
        ends = [(box.x, y), (box.x + box.width, y)]
        left = box.x + 4 if mark.end == "left" else box.x + box.width - 4
        at, align = (left, y + (8 if mark.below else -8)), mark.end
    page.line(np.array(ends), clip=box, **_stroke(mark.role, 1.5))
    page.words(mark.text, *at, _SMALL, align)


@_draw_mark.register
def _(mark: Handle, page: Page, panel: Panel, index: int) -> None:
    points = panel.to_pixels(at_position(mark, index))
    for size, inside in ((15.0, PAPER), (5.0, INK)):
        page.line(points, linestyle="none", marker="o", markersize=size * PIXEL, markerfacecolor=inside,
                  markeredgecolor=INK, markeredgewidth=2 * PIXEL)  # fmt: skip


def _stroke(role: str, width: float) -> dict[str, Any]:
    dash = ROLES[role].dash
    # matplotlib multiplies dashes by the line width; the browser does not.
    style = (0, tuple(length / width for length in dash)) if dash else "-"
    return {"color": ROLES[role].colour, "linestyle": style, "linewidth": width * PIXEL}


def _symbol(role: str, size: float, edge: float) -> dict[str, Any]:
    look = ROLES[role]
    return {
        "linestyle": "none", "marker": look.marker, "markersize": size * _RELATIVE_SIZES.get(look.marker, 1.0) * PIXEL,
        "markerfacecolor": look.fill, "markeredgecolor": look.colour, "markeredgewidth": edge * PIXEL,
    }  # fmt: skip


def _until_not_a_number(points: np.ndarray) -> np.ndarray:
    bad = np.isnan(points).any(axis=1)
    return points[: int(bad.argmax())] if bad.any() else points
