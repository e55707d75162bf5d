"""All exercises of one notebook, and the three functions through which a learner meets them."""

from collections.abc import Sequence
from typing import final

from bplib.errors import DomainError
from bplib.lessons.exercises import Exercise
from bplib.lessons.progress import Progress, current_progress
from bplib.lessons.verdicts import Hint, Solution, Verdict

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

    def check(self, exercise: str, answer: object = ...) -> Verdict:
        """Say whether an answer is right and, if not, which mistake it matches.

        Parameters
        ----------
        exercise : str
            The exercise's name, such as "gd-step".
        answer : object
            Your number, your function or your choice; `...` counts as not attempted.

        Returns
        -------
        Verdict
            Shown as words; nothing is raised by a wrong answer.

        Raises
        ------
        DomainError
            If there is no exercise of that name.
        """
        verdict = self._find("check", exercise).judge(answer)
        store = self._store()
        store.keep_verdict(f"{self.notebook}/{exercise}", verdict.outcome.value, verdict.mistake)
        notice = store.notice()
        if not notice:
            return verdict
        return Verdict(exercise, verdict.outcome, (*verdict.sentences, notice), verdict.mistake, verdict.code)

    def hint(self, exercise: str) -> Hint:
        """Give the next hint, from weak to strong; after the last one, the last one again.

        Parameters
        ----------
        exercise : str
            The exercise's name, such as "gd-step".

        Returns
        -------
        Hint

        Raises
        ------
        DomainError
            If there is no exercise of that name.
        """
        hints = self._find("hint", exercise).hints
        number = min(self._hints.get(exercise, 0) + 1, len(hints))
        self._hints[exercise] = number
        self._store().keep_hint(f"{self.notebook}/{exercise}", number)
        return Hint(exercise, number, len(hints), hints[number - 1])

    def solution(self, exercise: str) -> Solution:
        """Show a model solution and why it is right.

        Parameters
        ----------
        exercise : str
            The exercise's name, such as "gd-step".

        Returns
        -------
        Solution

        Raises
        ------
        DomainError
            If there is no exercise of that name.
        """
        found = self._find("solution", exercise).solution()
        self._store().keep_solution(f"{self.notebook}/{exercise}")
        return found

    def _find(self, asked: str, exercise: str) -> Exercise:
        if exercise not in self.exercises:
            raise DomainError(
                f"{asked}: there is no exercise {exercise!r} in this notebook. "
                f"Expected one of {', '.join(map(repr, self.exercises))}."
            )
        return self.exercises[exercise]

    def _store(self) -> Progress:
        return self._progress or current_progress()
