"""What the entries of a progress file amount to: where each exercise and each prediction stands, and what to repeat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, final

from bplib.lessons.catalogue import CATALOGUE, Contents
from bplib.lessons.records import day, moment
from bplib.lessons.storage import Record

__all__ = ["SEVERAL", "ExerciseState", "NotebookState", "PredictionState", "Repetition", "repetitions", "survey"]

SEVERAL = 2
"""So many attempts before the right one, and an exercise is worth repeating."""

_WITH_SOLUTION = 1_000
_WITHOUT_EXPLANATION = 2


@final
@dataclass(frozen=True)
class ExerciseState:
    """Where an exercise stands.

    Parameters
    ----------
    name, heading : str
        As in the notebook.
    state : {"done", "tried", "untouched"}
        Done is what was right once.
    attempts : int
        All that were made.
    failed : int
        Those before the right one; all, if there was none.
    mistakes : dict of str to int
        How often each known mistake was made.
    hints : int
        How many were read.
    solution : bool
        Whether the solution was read, and not only after the right answer.
    solved, repeated : datetime.date or None
        The day of the first right answer, and a later day on which it was found anew.
    """

    name: str
    heading: str
    state: Literal["done", "tried", "untouched"] = "untouched"
    attempts: int = 0
    failed: int = 0
    mistakes: dict[str, int] = field(default_factory=dict, hash=False)
    hints: int = 0
    solution: bool = False
    solved: date | None = None
    repeated: date | None = None


@final
@dataclass(frozen=True)
class PredictionState:
    """Where a prediction stands.

    Parameters
    ----------
    name, heading : str
        As in the notebook.
    state : {"agrees", "differs", "unknown", "skipped", "open"}
        Whether it is what came out. Older courses did not keep that; it is "unknown" until the notebook is run again.
    off : float or None
        For a number: how far off it was, relative to what came out.
    reason, because : str
        The learner's words before and after.
    made, explained : datetime.date or None
        The day of the prediction and of the last explanation.
    """

    name: str
    heading: str
    state: Literal["agrees", "differs", "unknown", "skipped", "open"] = "open"
    off: float | None = None
    reason: str = ""
    because: str = ""
    made: date | None = None
    explained: date | None = None


@final
@dataclass(frozen=True)
class NotebookState:
    """Where a notebook stands; `seconds` are those of work.

    Parameters
    ----------
    contents : Contents
    exercises : tuple of ExerciseState
    predictions : tuple of PredictionState
    seconds : int
    last : datetime.date or None
        The day of the last event.
    """

    contents: Contents
    exercises: tuple[ExerciseState, ...]
    predictions: tuple[PredictionState, ...]
    seconds: int
    last: date | None

    @property
    def begun(self) -> bool:
        """Whether anything is known of it."""
        known = any(one.state != "untouched" or one.hints or one.solution for one in self.exercises)
        return known or any(one.state != "open" for one in self.predictions) or self.seconds > 0


@final
@dataclass(frozen=True)
class Repetition:
    """Something that is worth repeating; `need` orders such things, the largest first.

    Parameters
    ----------
    notebook : NotebookState
    what : ExerciseState or PredictionState
    need : int
    due : bool
        Not on the day on which it was solved.
    """

    notebook: NotebookState
    what: ExerciseState | PredictionState
    need: int
    due: bool


def survey(entries: Record, catalogue: Sequence[Contents] = CATALOGUE) -> tuple[NotebookState, ...]:
    """Say of each notebook where it stands.

    Parameters
    ----------
    entries : dict
        As `Progress.entries` gives them.
    catalogue : sequence of Contents
        The notebooks, by default those that are ready.

    Returns
    -------
    tuple of NotebookState

    Examples
    --------
    >>> from bplib.lessons.progress import Progress
    >>> progress = Progress()
    >>> progress.keep_verdict("06/gd-step", "right", "")
    >>> [notebook.begun for notebook in survey(progress.entries())]
    [False, True, False]
    """
    return tuple(_notebook(contents, entries) for contents in catalogue)


def repetitions(notebooks: Sequence[NotebookState], today: date) -> list[Repetition]:
    """Say what is worth repeating: what took several attempts or the solution, and predictions that did not come out.

    What was repeated on a later day is not among it: an exercise solved anew, a prediction explained anew.

    Parameters
    ----------
    notebooks : sequence of NotebookState
    today : datetime.date

    Returns
    -------
    list of Repetition
        By need, then in the order of the course.
    """
    found = [
        Repetition(notebook, one, _need(one), due=_solved(one) != today)
        for notebook in notebooks
        for one in _asked(notebook)
    ]
    return sorted((one for one in found if one.need), key=lambda one: -one.need)


def _asked(notebook: NotebookState) -> tuple[ExerciseState | PredictionState, ...]:
    return (*notebook.exercises, *notebook.predictions)


def _need(one: ExerciseState | PredictionState) -> int:
    if isinstance(one, PredictionState):
        again = one.explained is not None and one.explained != one.made
        return 0 if one.state != "differs" or again else 1 if one.because else _WITHOUT_EXPLANATION
    if one.state != "done" or one.repeated is not None:
        return 0
    return _WITH_SOLUTION * one.solution + (one.failed if one.failed >= SEVERAL else 0)


def _solved(one: ExerciseState | PredictionState) -> date | None:
    return one.made if isinstance(one, PredictionState) else one.solved


def _notebook(contents: Contents, entries: Record) -> NotebookState:
    def entry(section: str, name: str) -> Record:
        found: Record = entries[section].get(f"{contents.number}/{name}", {})
        return found

    time = entries["time"].get(contents.number, {})
    return NotebookState(
        contents,
        tuple(_exercise(name, heading, entry("exercises", name)) for name, heading in contents.exercises.items()),
        tuple(_prediction(name, heading, entry("predictions", name)) for name, heading in contents.predictions.items()),
        time.get("seconds", 0),
        day(time.get("last")),
    )


def _exercise(name: str, heading: str, entry: Record) -> ExerciseState:
    done = "right" in entry or entry.get("outcome") == "right"
    tried = done or bool(entry.get("attempts")) or "outcome" in entry
    return ExerciseState(
        name,
        heading,
        "done" if done else "tried" if tried else "untouched",
        attempts=max(entry.get("attempts", 0), int(done)),
        failed=_failed(entry, done),
        mistakes=entry.get("mistakes", {}),
        hints=entry.get("hints", 0),
        solution=_helped(moment(entry.get("solution")), moment(entry.get("right"))),
        solved=day(entry.get("right")),
        repeated=day(entry.get("repeated")),
    )


def _failed(entry: Record, done: bool) -> int:
    attempts = entry.get("attempts", 0)
    if not done:
        return attempts
    if "needed" in entry:
        return max(entry["needed"] - 1, 0)
    # An older course did not count up to the first right answer: the known mistakes are what is certain.
    return max(min(attempts - 1, sum(entry.get("mistakes", {}).values())), 0)


def _helped(read: datetime | None, right: datetime | None) -> bool:
    return read is not None and (right is None or read <= right)


def _prediction(name: str, heading: str, entry: Record) -> PredictionState:
    states: dict[Any, Literal["agrees", "differs", "unknown"]] = {True: "agrees", False: "differs", None: "unknown"}
    made = "answer" in entry
    return PredictionState(
        name,
        heading,
        states[entry.get("agrees")] if made else "skipped" if entry.get("skipped") else "open",
        off=entry.get("off"),
        reason=entry.get("reason", ""),
        because=entry.get("because", ""),
        made=day(entry.get("at")),
        explained=day(entry.get("explained")),
    )
