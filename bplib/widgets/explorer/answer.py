"""What a network computes, drawn for one set of parameters: a curve, a boundary, or its answers beside the targets."""

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from bplib.errors import BplibError
from bplib.viz.marks import Mark, Path, Points
from bplib.viz.scene import Axis
from bplib.widgets.explorer.contour import contour_lines, evenly_spaced
from bplib.widgets.explorer.network import Task

__all__ = ["Answer", "Drawn", "answer_of"]

Floats = npt.NDArray[np.float64]

_ROWS, _COLUMNS = 18, 26
_PIECES, _PIECE_POINTS = 2, 28
_CURVE_POINTS = 33
_SHOWN = 40  # examples beside their targets
_MOST_CLASSES = 12


class Drawn(NamedTuple):
    """What a network computes with one set of parameters.

    Parameters
    ----------
    lines : tuple of ndarray, each of shape (n, 2)
        Coordinates of lines or points; NaN where there is none.
    words : str
        How many examples come out right; empty where that is no question.
    """

    lines: tuple[Floats, ...]
    words: str = ""


class Answer(ABC):
    """Abstract base of the ways to draw what a network computes.

    Parameters
    ----------
    task : Task

    Attributes
    ----------
    title : str
    x, y : Axis
    """

    title: str
    x: Axis
    y: Axis

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def data(self) -> tuple[Mark, ...]:
        """What stays the same whatever the parameters are."""

    @abstractmethod
    def draw(self, theta: Floats) -> Drawn:
        """What the network computes with some parameters, shape (p,): always as many lines of the same shapes."""

    def mark(self, points: Floats, role: str, name: str, text: str | tuple[str, ...]) -> Mark:
        """One of the lines that `draw` gives as a mark."""
        return Path(points, role, name=name, text=text, width=2.2)


@final
class _Curve(Answer):
    """One input and one output: the curve through the data."""

    title = "Prediction"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.inputs = task.objective.X.astype(np.float64).reshape(-1)
        self.targets = task.objective.y.astype(np.float64).reshape(-1)
        self.x, self.y = _axis(self.inputs, "x", 0.06), _axis(self.targets, "y", 0.3)
        self.places = np.linspace(self.x.low, self.x.high, _CURVE_POINTS)

    def data(self) -> tuple[Mark, ...]:
        return (Points(np.stack([self.inputs, self.targets], axis=1), "data", size=6),)

    def draw(self, theta: Floats) -> Drawn:
        heights = self.task.answer(theta, self.places[:, None].astype(self.task.objective.theta.dtype))
        return Drawn((np.stack([self.places, heights.reshape(-1)], axis=1),))


@final
class _Boundary(Answer):
    """Two inputs and two classes: where the answer changes from one to the other."""

    title = "Class boundary"

    def __init__(self, task: Task, level: float) -> None:
        super().__init__(task)
        self.level = level
        X = task.objective.X.astype(np.float64)
        y = task.objective.y.reshape(-1)
        self.yes = y > (y.min() + y.max()) / 2
        self.x, self.y = _axis(X[:, 0], "x₁", 0.12), _axis(X[:, 1], "x₂", 0.2)
        self.columns = np.linspace(self.x.low, self.x.high, _COLUMNS)
        self.rows = np.linspace(self.y.low, self.y.high, _ROWS)
        grid = np.stack(np.meshgrid(self.columns, self.rows), axis=-1).reshape(-1, 2)
        # Both in one pass of the network: the examples, which it gets right or not, and the grid for the boundary.
        self.inputs = np.concatenate([X, grid]).astype(task.objective.theta.dtype)

    def data(self) -> tuple[Mark, ...]:
        X = self.task.objective.X
        size = 6.0 if len(X) > 20 else 9.0
        return Points(X[~self.yes], "first", size=size), Points(X[self.yes], "second", size=size)

    def draw(self, theta: Floats) -> Drawn:
        answer = self.task.answer(theta, self.inputs)
        scores = answer[:, 1] - answer[:, 0] if answer.ndim == 2 and answer.shape[1] == 2 else answer.reshape(-1)
        said, grid = scores[: len(self.yes)], scores[len(self.yes) :].reshape(_ROWS, _COLUMNS)
        found = contour_lines(grid, self.level, self.columns, self.rows)[:_PIECES]
        nothing = [np.full((_PIECE_POINTS, 2), np.nan)] * (_PIECES - len(found))
        lines = (*(evenly_spaced(line, _PIECE_POINTS) for line in found), *nothing)
        return Drawn(lines, f"{int(((said > self.level) == self.yes).sum())} right")


@final
class _Classes(Answer):
    """More classes than two: the share of right answers in each."""

    title = "Right answers"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.names = np.unique(task.objective.y)
        places = tuple((float(k), str(name)) for k, name in enumerate(self.names))
        self.x = Axis(-0.6, len(places) - 0.4, label="class", ticks=places)
        self.y = Axis(-0.05, 1.05, label="share right", ticks=((0.0, "0"), (0.5, "½"), (1.0, "1")))

    def data(self) -> tuple[Mark, ...]:
        return ()

    def draw(self, theta: Floats) -> Drawn:
        y = self.task.objective.y
        hit = self.task.answer(theta).argmax(axis=-1) == y
        shares = np.array([hit[y == name].mean() for name in self.names])
        places = np.arange(len(shares), dtype=np.float64)
        return Drawn((np.stack([places, shares], axis=1),), f"{int(hit.sum())} right")

    def mark(self, points: Floats, role: str, name: str, text: str | tuple[str, ...]) -> Mark:
        return Points(points, role, name=name, text=text, size=9)


@final
class _Pairs(Answer):
    """Anything else: the first numbers of the prediction beside their targets."""

    title = "Prediction"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.targets = task.objective.y.astype(np.float64).reshape(-1)[:_SHOWN]
        self.x, self.y = _axis(self.targets, "target", 0.15), _axis(self.targets, "prediction", 0.3)

    def data(self) -> tuple[Mark, ...]:
        ends = np.array([self.x.low, self.x.high])
        return (Path(np.stack([ends, ends], axis=1), "contour", width=1.0),)

    def draw(self, theta: Floats) -> Drawn:
        heights = np.full(len(self.targets), np.nan)
        answer = self.task.answer(theta).reshape(-1)[: len(heights)]
        heights[: len(answer)] = answer
        return Drawn((np.stack([self.targets, heights], axis=1),))

    def mark(self, points: Floats, role: str, name: str, text: str | tuple[str, ...]) -> Mark:
        return Points(points, role, name=name, text=text, size=7)


@lru_cache(maxsize=8)
def answer_of(task: Task) -> Answer:
    """The way to draw what a task's network computes.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Answer
        A curve for one input and one output, a boundary for two inputs and two classes, the share of right
        answers for more classes, else predictions over their targets.
    """
    X, y, output = task.objective.X, task.objective.y, task.answer(task.run.thetas[-1])
    outputs = output.shape[1] if output.ndim == 2 else 1
    if X.ndim == 2 and X.shape[1] == 1 and output.size == y.size == len(X):
        return _Curve(task)
    level = _level(task, output)
    if X.ndim == 2 and X.shape[1] == 2 and level is not None:
        return _Boundary(task, level)
    known = np.unique(y) if y.ndim == 1 and y.dtype.kind in "iu" else np.empty(0)
    if output.ndim == 2 and outputs >= 2 and 2 <= len(known) <= _MOST_CLASSES and 0 <= known[0] <= known[-1] < outputs:
        return _Classes(task)
    return _Pairs(task)


def _level(task: Task, output: Floats) -> float | None:
    """The answer between two classes, at which either of them costs the same; None if there are not two."""
    y = task.objective.y
    if len(np.unique(y)) != 2:
        return None
    if output.ndim == 2 and output.shape[1] == 2 and y.ndim == 1:
        return 0.0  # of the difference of both scores
    if output.size != len(output):
        return None
    no, yes = float(y.min()), float(y.max())
    for level in (0.0, (no + yes) / 2, 0.5):
        try:
            costs = [_cost(task, output, level, target) for target in (no, yes)]
        except BplibError:
            continue  # no probability, for example
        if np.isfinite(costs).all() and abs(costs[0] - costs[1]) <= 1e-6 * max(abs(costs[0]), 1e-12):
            return level
    return None


def _cost(task: Task, output: Floats, level: float, target: float) -> float:
    y = task.objective.y
    prediction = np.full(output.shape, level, task.objective.theta.dtype)
    value: object = task.objective.loss(prediction, np.full(y.shape, target, y.dtype))  # type: ignore[arg-type]
    return float(value.array.reshape(()))  # type: ignore[attr-defined]


def _axis(values: Floats, label: str, margin: float) -> Axis:
    low, high = float(values.min()), float(values.max())
    wide = (high - low) or 1.0
    return Axis(low - margin * wide, high + margin * wide, label=label)
