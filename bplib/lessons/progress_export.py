"""The learner's progress as a file for an instructor: what was done, and nothing about who did it."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bplib.lessons.progress import Progress, current_progress
from bplib.lessons.survey import ExerciseState, NotebookState, PredictionState, survey

__all__ = ["export"]

_FORMAT = "progress of the backpropagation course"
_VERSION = 1


def export(progress: Progress | None = None, *, name: str = "", words: bool = False, today: date | None = None) -> str:
    """Give the progress as JSON for an instructor.

    It holds words of the course alone: names of notebooks, exercises, predictions and mistakes, with counts, minutes
    and days. Whatever else stands in the learner's file stays there.

    Parameters
    ----------
    progress : Progress, optional
        By default the learner's own, see `current_progress`.
    name : str
        The learner's name, if they want to give it.
    words : bool
        Whether the reasons and explanations that the learner wrote are added.
    today : datetime.date, optional
        By default this day.

    Returns
    -------
    str
        Nothing is written or sent.

    Examples
    --------
    >>> progress = Progress()
    >>> progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    >>> told = json.loads(export(progress))
    >>> [one["exercises"][1]["mistakes"] for one in told["notebooks"] if one["notebook"] == "06"]
    [[{'mistake': 'sign-flipped', 'code': 'M3', 'times': 1}]]
    """
    store = current_progress() if progress is None else progress
    day = datetime.now().astimezone().date() if today is None else today
    told: dict[str, Any] = {"format": _FORMAT, "version": _VERSION, "exported": _day(day)}
    if name:
        told["name"] = _whole(name)
    told["notebooks"] = [_notebook(notebook, words) for notebook in survey(store.entries())]
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False)


def _notebook(notebook: NotebookState, words: bool) -> dict[str, Any]:
    contents = notebook.contents
    exercises = contents.lesson_exercises()
    codes = {name: {fault.name: fault.code for fault in one.faults} for name, one in exercises.items()}
    return {
        "notebook": contents.number,
        "title": contents.lesson.title,
        "minutes": notebook.seconds // 60,
        "planned": contents.lesson.minutes,
        "last": _day(notebook.last),
        "exercises": [_exercise(one, codes.get(one.name, {})) for one in notebook.exercises],
        "predictions": [_prediction(one, words) for one in notebook.predictions],
    }


def _exercise(one: ExerciseState, codes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "exercise": one.name,
        "outcome": one.state,
        "attempts": one.attempts,
        "failed": one.failed,
        # A name that the course does not have may be anybody's text.
        "mistakes": [
            {"mistake": name, "code": codes[name], "times": times}
            for name, times in sorted(one.mistakes.items())
            if name in codes
        ],
        "hints": one.hints,
        "solution": one.solution,
        "solved": _day(one.solved),
        "repeated": _day(one.repeated),
    }


def _prediction(one: PredictionState, words: bool) -> dict[str, Any]:
    told = {
        "prediction": one.name,
        "outcome": one.state,
        "off": round(one.off, 2) if one.off is not None else None,
        "day": _day(one.made),
    }
    return {**told, "reason": _whole(one.reason), "because": _whole(one.because)} if words else told


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _whole(text: str) -> str:
    """Text without halves of letters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
