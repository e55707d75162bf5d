"""The course as one picture: the four stages of the loop, the notebooks on them, the six key components."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from bplib.errors import DomainError
from bplib.viz.picture import Picture
from bplib.viz.style import INK, PALETTE, PAPER, ROLES, contrast_ratio, figure

__all__ = ["COMPONENTS", "STAGES", "Component", "Lesson", "course_map"]

STAGES: tuple[str, ...] = ("Forward", "Loss", "Backward", "Update")
"""The four stages of the loop, in their order."""

_WIDTH, _HEIGHT = 9.0, 4.4
_COLUMN, _GAP = 2.05, 0.2
_LEFT = (_WIDTH - 4 * _COLUMN - 3 * _GAP) / 2
_ROW = 0.36
_QUIET = ROLES["quiet"].colour


@final
@dataclass(frozen=True, slots=True)
class Component:
    """One of the six key components of learning by backpropagation, and the sign that stands for it.

    Parameters
    ----------
    name : str
        As the course calls it.
    icon : str
        One letter or sign, the same in every picture and heading.
    fill : str
        Colour of its badge, as ``#RRGGBB``.
    stage : str
        The stage it belongs to, one of `STAGES`.
    sentence : str
        What it is.
    """

    name: str
    icon: str
    fill: str
    stage: str
    sentence: str

    @property
    def ink(self) -> str:
        """The colour of the icon on its badge: white or black, whichever stands out more."""
        return max(PAPER, PALETTE["black"], key=lambda colour: contrast_ratio(colour, self.fill))


COMPONENTS: tuple[Component, ...] = (
    Component("loss function", "●", ROLES["loss"].colour, "Loss", "says in one number how wrong the prediction is"),
    Component("gradients", "▲", ROLES["gradient"].colour, "Backward", "say how much the loss reacts to each parameter"),
    Component("chain rule", "∂", PALETTE["sky"], "Backward", "carries the gradients back through the layers"),
    Component(
        "optimization algorithm", "▶", PALETTE["orange"], "Update", "decides how the gradients change the parameters"
    ),
    Component("learning rate", "η", PALETTE["yellow"], "Update", "says how far one step goes"),
    Component("weight updates", "◆", ROLES["update"].colour, "Update", "change weights and biases, a little each time"),
)
"""The six key components, in the order in which the loop meets them."""


@final
@dataclass(frozen=True, slots=True)
class Lesson:
    """One notebook as the map shows it.

    Parameters
    ----------
    number : int
        Its place in the course, from 0.
    title : str
    minutes : int
        How long it takes, above 0.
    stage : str
        One of `STAGES`; empty for a notebook about the whole loop.
    ready : bool
        Whether it is there yet.
    """

    number: int
    title: str
    minutes: int
    stage: str = ""
    ready: bool = False

    @property
    def line(self) -> str:
        """Number and title, as the map writes them."""
        return f"{self.number:02d}  {self.title}"


def course_map(lessons: Sequence[Lesson]) -> Picture:
    """Draw the loop of the four stages with the notebooks and the key components on it.

    Parameters
    ----------
    lessons : sequence of Lesson
        In the order of the course. The first goes above the loop, the others without a stage below it.

    Returns
    -------
    Picture

    Raises
    ------
    DomainError
        If there is no lesson, or one with a stage that the loop does not have.

    Examples
    --------
    >>> course_map([Lesson(0, "The loop", 30, ready=True), Lesson(2, "Losses", 45, "Loss")])
    The loop Forward, Loss, Backward, Update as a map of 2 notebooks. 00 The loop, 30 minutes, is ready. \
Still to come: 02 Losses, 45 minutes.
    """
    _check(lessons)
    fig = figure(_WIDTH, _HEIGHT)
    fig.set_layout_engine("none")
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, _WIDTH), ylim=(0, _HEIGHT))
    axes.axis("off")
    _draw_loop(axes)
    first, *others = lessons
    _draw_bar(axes, first, _HEIGHT - 0.42)
    for place, stage in enumerate(STAGES):
        inside = [lesson for lesson in others if lesson.stage == stage]
        for row, lesson in enumerate(inside):
            _draw_lesson(axes, lesson, _column(place), 1.62 - row * _ROW, _COLUMN)
    for row, lesson in enumerate(lesson for lesson in others if not lesson.stage):
        _draw_bar(axes, lesson, 0.48 - row * _ROW)
    return Picture(fig, _words(lessons))


def _check(lessons: Sequence[Lesson]) -> None:
    if not lessons:
        raise DomainError("course_map: there is no lesson. Give at least one Lesson(number, title, minutes).")
    for lesson in lessons:
        if lesson.stage and lesson.stage not in STAGES:
            raise DomainError(
                f"course_map: lesson {lesson.number:02d} has the stage {lesson.stage!r}. "
                f"Expected one of {', '.join(STAGES)}, or nothing for the whole loop."
            )


def _column(place: int) -> float:
    return _LEFT + place * (_COLUMN + _GAP)


def _draw_loop(axes: Axes) -> None:
    bottom, height = 2.04, 1.47
    for place, stage in enumerate(STAGES):
        x = _column(place)
        axes.add_patch(_box(x, bottom, _COLUMN, height, PAPER, INK, 1.6))
        axes.text(x + _COLUMN / 2, bottom + height - 0.22, stage, ha="center", va="center", fontsize=13, weight="bold")
        _draw_components(axes, [one for one in COMPONENTS if one.stage == stage], x + 0.14, bottom + height - 0.58)
        if place:
            _draw_arrow(axes, (x - _GAP, bottom + height / 2), (x, bottom + height / 2))
    # Back from the last stage to the first: the loop closes.
    left, right, top = _column(0) + _COLUMN / 2, _column(3) + _COLUMN / 2, bottom + height
    axes.plot([right, right, left], [top, top + 0.17, top + 0.17], color=INK, linewidth=1.4)
    _draw_arrow(axes, (left, top + 0.17), (left, top))


def _draw_components(axes: Axes, components: Sequence[Component], x: float, y: float) -> None:
    size = 0.27
    for row, one in enumerate(components):
        middle = y - row * 0.335
        axes.add_patch(_box(x, middle - size / 2, size, size, one.fill, INK, 0.9))
        axes.text(x + size / 2, middle - 0.01, one.icon, ha="center", va="center", fontsize=9.5, color=one.ink)
        axes.text(x + size + 0.1, middle, one.name, va="center", fontsize=9)
    if not components:
        axes.text(x + _COLUMN / 2 - 0.14, y, "input → prediction", ha="center", va="center", fontsize=9)


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=INK, shrinkA=0, shrinkB=0))


def _draw_bar(axes: Axes, lesson: Lesson, y: float) -> None:
    _draw_lesson(axes, lesson, _LEFT, y, _WIDTH - 2 * _LEFT)


def _draw_lesson(axes: Axes, lesson: Lesson, x: float, y: float, width: float) -> None:
    fill, edge, ink = ("#EAF3F9", ROLES["prediction"].colour, INK) if lesson.ready else (PAPER, "#BBBBBB", _QUIET)
    axes.add_patch(_box(x, y, width, _ROW - 0.06, fill, edge, 1.2 if lesson.ready else 0.8))
    weight = "bold" if lesson.ready else "normal"
    middle = y + (_ROW - 0.06) / 2
    axes.text(x + 0.08, middle, lesson.line, va="center", fontsize=8.5, color=ink, weight=weight)
    axes.text(x + width - 0.07, middle, f"{lesson.minutes}′", ha="right", va="center", fontsize=8.5, color=ink)


def _box(x: float, y: float, width: float, height: float, fill: str, edge: str, line: float) -> FancyBboxPatch:
    style = "round,pad=0,rounding_size=0.07"
    return FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=fill, edgecolor=edge, linewidth=line)


def _words(lessons: Sequence[Lesson]) -> str:
    def listed(some: Sequence[Lesson]) -> str:
        return "; ".join(f"{one.number:02d} {one.title}, {one.minutes} minutes" for one in some)

    ready, later = [one for one in lessons if one.ready], [one for one in lessons if not one.ready]
    verb = ", is ready" if len(ready) == 1 else " are ready"
    said = f"The loop {', '.join(STAGES)} as a map of {len(lessons)} notebooks."
    said += f" {listed(ready)}{verb}." if ready else ""
    return said + (f" Still to come: {listed(later)}." if later else "")
