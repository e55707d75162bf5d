"""The surface explorer in words: where the learner starts, what the steps lead to, and what a plane can show."""

import math

from bplib.widgets.explorer.network import Task
from bplib.widgets.explorer.plane import Frame, OwnRun

__all__ = ["arrival", "explorer_sentence", "number", "percent", "plane_words"]

# With less of its way in the plane, a run soon stands over another loss than the map shows below it.
_MOSTLY = 0.5


def number(value: float, digits: int = 3) -> str:
    """A number with some significant digits and a minus sign as wide as a plus.

    Parameters
    ----------
    value : float
    digits : int

    Returns
    -------
    str

    Examples
    --------
    >>> number(-0.81818)
    '−0.818'
    """
    return f"{value:.{digits}g}".replace("-", "−")


def percent(share: float) -> str:
    """A share as a per cent, which no line break parts; what is not all of it never says 100 %.

    Parameters
    ----------
    share : float
        From 0 to 1.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.9412), percent(0.99999), percent(1.0)
    ('94.1\xa0%', '99.9\xa0%', '100\xa0%')
    """
    if share >= 1 - 1e-12:
        return "100\u00a0%"
    return f"{number(min(100 * share, 99.9))}\u00a0%"


def arrival(own: OwnRun, step: int) -> str:
    """The learner's loss after some steps, or that there is none any more.

    Parameters
    ----------
    own : OwnRun
    step : int
        At most as many as the run has.

    Returns
    -------
    str
    """
    return number(float(own.losses[step])) if step <= own.last else "no number"


def plane_words(task: Task, cut: Frame) -> str:
    """What a plane shows of all there is.

    Parameters
    ----------
    task : Task
    cut : Frame

    Returns
    -------
    str
    """
    if cut.kind == "whole":
        return "Two parameters: this plane is the whole surface."
    return f"The plane shows 2 of {task.parameters:,} directions and {percent(cut.share)} of the run."


def _where(task: Task, cut: Frame, own: OwnRun, step: int) -> str:
    """Whether the map tells the learner's loss at a step; what the plane shows of the training run, if it does."""
    if (abs(own.path[step] - cut.centre) > cut.span).any():
        return "You have left the map."
    if own.share < _MOSTLY:
        return f"The map shows {percent(own.share)} of your way, and not your loss."
    return plane_words(task, cut)


def explorer_sentence(task: Task, cut: Frame, own: OwnRun, start: tuple[float, float], step: int) -> str:
    """Where the learner is at a step, and what the plane shows.

    Parameters
    ----------
    task : Task
    cut : Frame
    own : OwnRun
    start : tuple of float
        (a, b).
    step : int
        Of the training run; the learner's run stays at its end.

    Returns
    -------
    str
    """
    done = min(step, len(own.losses) - 1)
    place = f"({number(start[0])}, {number(start[1])})"
    plane = _where(task, cut, own, done) if 0 < done <= own.last else plane_words(task, cut)
    if own.last < 0:
        return f"At {place} the loss is no number. {plane}"
    first = number(float(own.losses[0]))
    if done == 0:
        return f"At {place} your loss is {first}. {plane}"
    after = f"{done} step{'' if done == 1 else 's'}"
    if done > own.last:
        return f"From {place}, loss {first}, your run overflows at step {own.last + 1}. {plane}"
    if math.isclose(own.losses[done], own.losses[0], rel_tol=1e-12):
        return f"From {place}, loss {first}, nothing changes in {after}. {plane}"
    return f"From {place}, loss {first}, you are at {number(float(own.losses[done]))} after {after}. {plane}"
