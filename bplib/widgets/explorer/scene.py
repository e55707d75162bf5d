"""The surface explorer as a scene: the plane with both runs, their losses, and what the network computes."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Handle, Mark, Path, Points, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.explorer.answer import Drawn, answer_of
from bplib.widgets.explorer.field import end_words_at, field, labels, loss_ticks, window
from bplib.widgets.explorer.network import Run, Task
from bplib.widgets.explorer.plane import Frame, OwnRun, heights
from bplib.widgets.explorer.state import State
from bplib.widgets.explorer.words import arrival, explorer_sentence, number, percent

__all__ = ["axis_labels", "explorer_scene", "live_marks"]

Floats = npt.NDArray[np.float64]

_MAP = Rectangle(62, 40, 344, 344)
_LOSSES = Rectangle(490, 40, 394, 136)
_ANSWER = Rectangle(490, 248, 394, 136)
_TITLES = {"pca": "Plane of the run", "random": "Random plane", "whole": "Whole surface"}
_RUN, _OWN = "path", "update"
"""Roles of the training run and of the learner's, in every panel."""
_MOST_ABOVE = 100.0
_LOWEST = 1e-8


def explorer_scene(state: State) -> Scene:
    """The scene of the explorer, one position for each step of the longer run.

    Parameters
    ----------
    state : State
        Its step plays no part.

    Returns
    -------
    Scene
    """
    task, cut, own = state.task, state.frame, state.run
    sentences = tuple(explorer_sentence(task, cut, own, state.start, step) for step in range(state.last + 1))
    panels = (_map(state), _losses(state), _answer(state))
    return Scene(900, 430, panels, f"Loss surface of a network: {task.name}", sentences)


def live_marks(state: State) -> tuple[dict[str, Floats], dict[str, str], str]:
    """Coordinates, words and sentence that stand in for the table while the start is dragged.

    Parameters
    ----------
    state : State

    Returns
    -------
    tuple of (dict, dict, str)
        Name of a mark -> coordinates, of the losses their heights alone; name of a mark -> words; the sentence.
    """
    task, own = state.task, state.run
    done = min(state.step, state.steps)
    marks = {
        "start": np.array([state.start]),
        "own path": _until_far(own.path, state.frame),
        "own now": own.path[done][None],
        "own losses": own.losses,
        "own loss now": np.array([[done, own.losses[done]]]),
    }
    words = {"own path": _own_share(state.frame, own), "own losses": f"yours {arrival(own, done)}"}
    good = done <= own.last
    drawn = answer_of(task).draw(own.thetas[done] if good else task.run.thetas[0])
    marks |= {f"own answer {k}": line if good else np.full_like(line, np.nan) for k, line in enumerate(drawn.lines)}
    words["own answer 0"] = f"yours {drawn.words}".rstrip() if good else "yours"
    return marks, words, explorer_sentence(task, state.frame, own, state.start, state.step)


# ---------------------------------------------------------------- the plane


def axis_labels(task: Task, cut: Frame) -> tuple[str, str]:
    """The labels of a plane's two axes.

    Parameters
    ----------
    task : Task
    cut : Frame

    Returns
    -------
    tuple of (str, str)
    """
    if cut.kind == "pca":
        first, second = (f"{name}: {percent(share)} of the run" for name, share in zip("ab", cut.shares, strict=True))
        return first, second
    if cut.kind == "random":
        return "a: first random direction", "b: second random direction"
    sizes = [parameter.shape for parameter in task.objective.model.parameters()]
    return ("weight w", "bias b") if sizes == [(1, 1), (1,)] else ("first parameter", "second parameter")


def _map(state: State) -> Panel:
    task, cut, own = state.task, state.frame, state.run
    inside = _until_far(own.path, cut)
    shown, mine = _positions(state)
    run = "run" if cut.kind == "whole" else f"run {percent(cut.share)}"
    marks: tuple[Mark, ...] = (
        Path(cut.path, _RUN, width=2.4, text=run),
        *labels(*state.plane, state.starts),
        Path(inside, _OWN, name="own path", width=2.2, text=_own_share(cut, own)),
        Text(end_words_at(cut)[None], "end", anchor="center"),
        Points(cut.path[shown][:, None], _RUN, name="run now", size=11),
        Points(own.path[mine][:, None], _OWN, name="own now", size=11),
        Handle("start", [list(state.start)], label="start of your run"),
    )
    (left, low), (right, high) = cut.centre - cut.span, cut.centre + cut.span
    names = axis_labels(task, cut)
    x, y = Axis(float(left), float(right), label=names[0]), Axis(float(low), float(high), label=names[1])
    colours = field(*state.plane, _MAP.width, _MAP.height)
    return Panel(_MAP, x, y, marks, _TITLES[cut.kind], colours, grid=False)


def _own_share(cut: Frame, own: OwnRun) -> str:
    return "yours" if cut.kind == "whole" else f"yours {percent(own.share)}"


def _until_far(path: Floats, cut: Frame) -> Floats:
    """The path to its first point far outside: float32 has no place for the end of a run that diverges."""
    with np.errstate(invalid="ignore"):
        far = (np.abs(path - cut.centre) > 1e6 * cut.span).any(axis=1)
    return np.where(np.cumsum(far)[:, None] > 0, np.nan, path)


def _positions(state: State) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The step of the training run and of the learner's at each position: the shorter one stays at its end."""
    every = np.arange(state.last + 1)
    return np.minimum(every, state.task.steps), np.minimum(every, state.steps)


# ---------------------------------------------------------------- the losses


def _losses(state: State) -> Panel:
    own, marks = state.run, list[Mark]()
    for run, rows, role, name in zip(
        (state.task.run.losses, own.losses), _positions(state), (_RUN, _OWN), ("run", "own"), strict=True
    ):
        curve = np.stack([np.arange(float(len(run))), run], axis=1)
        told = [f"run {number(float(loss))}" for loss in run] if name == "run" else _told(own)
        marks.append(Path(curve, role, name=f"{name} losses", width=2.2, text=tuple(told[k] for k in rows)))
        marks.append(Points(curve[rows][:, None], role, name=f"{name} loss now", size=10))
    lines_first = (*marks[::2], *marks[1::2])
    return Panel(_LOSSES, Axis(0, state.last, label="step"), _loss_axis(state), lines_first, "Loss")


def _told(own: OwnRun) -> list[str]:
    return [f"yours {arrival(own, step)}" for step in range(len(own.losses))]


def _loss_axis(state: State) -> Axis:
    """From below both the run and the plane to their top, so that it stays while the start moves."""
    run, grid = state.task.run.losses, window(heights(*state.plane).losses)
    low, high = min(run.min(), grid.min()), max(run.max(), grid.max())
    if low < 0:
        return Axis(float(low - 0.05 * (high - low)), float(high + 0.05 * (high - low)) or 1.0, label="loss")
    top = 1.5 * float(min(high, _MOST_ABOVE * max(run.max(), low, _LOWEST)))
    # The learner's run may find a lower place off the plane; where the plane is all there is, it cannot.
    bottom = max(float(low) / (2 if state.frame.kind == "whole" else 10), _LOWEST * top)
    return Axis(bottom, top, "log", "loss", loss_ticks(bottom, top))


# ---------------------------------------------------------------- what the network computes


@lru_cache(maxsize=8)
def _answers(task: Task, run: Run | OwnRun) -> tuple[tuple[Floats, ...], tuple[str, ...]]:
    """What the network computes at every step of a run: lines of shape (steps + 1, n, 2), and words."""
    answer = answer_of(task)
    good = np.isfinite(run.losses)
    drawn = [answer.draw(theta) for theta in run.thetas[good]]
    blank = Drawn(tuple(np.full_like(line, np.nan) for line in (drawn or [answer.draw(task.run.thetas[0])])[0].lines))
    drawn += [blank] * (len(good) - len(drawn))
    lines = tuple(np.stack(rows) for rows in zip(*(one.lines for one in drawn), strict=True))
    return lines, tuple(one.words for one in drawn)


def _answer(state: State) -> Panel:
    task = state.task
    answer, (shown, mine) = answer_of(task), _positions(state)
    marks = list(answer.data())
    for name, whose, role, run, rows in (
        ("run", "run", _RUN, task.run, shown), ("own", "yours", _OWN, state.run, mine),
    ):  # fmt: skip
        lines, words = _answers(task, run)
        said = tuple(f"{whose} {words[k]}".rstrip() for k in rows)
        for k, line in enumerate(lines):
            marks.append(answer.mark(line[rows], role, f"{name} answer {k}", "" if k else said))
    return Panel(_ANSWER, answer.x, answer.y, tuple(marks), answer.title)
