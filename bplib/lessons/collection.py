"""All exercises of one notebook, and the three functions through which a learner meets them."""

from collections.abc import Sequence
from typing import final

from bplib.lessons.exercises import Exercise
from bplib.lessons.explanations import ExplanationExercise
from bplib.lessons.progress import Progress, current_progress
from bplib.lessons.verdicts import Hint, Outcome, Solution, UnknownName, Verdict
from bplib.widgets.comparison import Comparison

__all__ = ["ExerciseSet"]


@final
class ExerciseSet:
    """The exercises of one notebook, with what the learner calls: `check`, `hint` and `solution`.

    Parameters
    ----------
    notebook : str
        Its number, for the progress file.
    exercises : sequence of Exercise
        With different names.
    progress : Progress, optional
        Where outcomes are kept; by default the learner's own file, see `current_progress`.
    """

    def __init__(self, notebook: str, exercises: Sequence[Exercise], progress: Progress | None = None) -> None:
        self.notebook = notebook
        self.exercises = {exercise.name: exercise for exercise in exercises}
        self._progress = progress
        self._hints: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"ExerciseSet({self.notebook!r}, {', '.join(self.exercises)})"

    def check(self, exercise: str, answer: object = ...) -> Verdict | Comparison | UnknownName:
        """Say whether an answer is right and, if not, which mistake it matches.

        Parameters
        ----------
        exercise : str
            The exercise's name, such as "gd-step"; "gd_step" is the same.
        answer : object
            Your number, your function, your choice or your text; `...` counts as not attempted.

        Returns
        -------
        Verdict, Comparison or UnknownName
            Shown as words, an explanation beside a model answer; nothing is raised by a wrong answer or a wrong name.
        """
        found = self._find(exercise)
        if isinstance(found, UnknownName):
            return found
        verdict = found.judge(answer)
        self._keep(verdict)
        notice = self._store().notice()
        if isinstance(found, ExplanationExercise) and verdict.outcome is Outcome.TO_COMPARE:
            return found.compare(str(answer), self._keep, name=f"{self.notebook}/{found.name}", notice=notice)
        if not notice:
            return verdict
        return Verdict(found.name, verdict.outcome, (*verdict.sentences, notice), verdict.mistake, verdict.code)

    def hint(self, exercise: str) -> Hint | UnknownName:
        """Give the next hint, from weak to strong; after the last one, the last one again.

        Parameters
        ----------
        exercise : str
            The exercise's name, such as "gd-step"; "gd_step" is the same.

        Returns
        -------
        Hint or UnknownName
        """
        found = self._find(exercise)
        if isinstance(found, UnknownName):
            return found
        name, hints = found.name, found.hints
        number = min(self._hints.get(name, 0) + 1, len(hints))
        self._hints[name] = number
        self._store().keep_hint(f"{self.notebook}/{name}", number)
        return Hint(name, number, len(hints), hints[number - 1])

    def solution(self, exercise: str) -> Solution | UnknownName:
        """Show a model solution and why it is right.

        Parameters
        ----------
        exercise : str
            The exercise's name, such as "gd-step"; "gd_step" is the same.

        Returns
        -------
        Solution or UnknownName
        """
        found = self._find(exercise)
        if isinstance(found, UnknownName):
            return found
        self._store().keep_solution(f"{self.notebook}/{found.name}")
        return found.solution()

    def _find(self, asked: object) -> Exercise | UnknownName:
        name = asked.strip().lower().replace("_", "-").replace(" ", "-") if isinstance(asked, str) else ""
        return self.exercises.get(name) or UnknownName(asked, tuple(self.exercises))

    def _keep(self, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.TO_COMPARE and self._is_right(verdict.exercise):
            return  # the cell was run again: a comparison that is done stays done
        self._store().keep_verdict(f"{self.notebook}/{verdict.exercise}", verdict.outcome.value, verdict.mistake)

    def _is_right(self, exercise: str) -> bool:
        kept = self._store().exercise(f"{self.notebook}/{exercise}")
        return kept is not None and kept.get("outcome") == Outcome.RIGHT.value

    def _store(self) -> Progress:
        return self._progress or current_progress()
