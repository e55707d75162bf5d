"""Exercises that ask for an explanation: written by the learner, compared by the learner with a model answer."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from bplib.lessons.exercises import Exercise
from bplib.lessons.faults import Fault
from bplib.lessons.trials import shown
from bplib.lessons.verdicts import Outcome, Verdict
from bplib.widgets.comparison import Comparison

__all__ = ["ExplanationExercise", "Statement"]

_FEWEST_WORDS = 4


@final
@dataclass(frozen=True)
class Statement:
    """Something a text may say.

    Parameters
    ----------
    text : str
        It continues "My text says that …".
    missing : str
        For a point of the model answer: what is said where the text does not make it. Empty for a mistaken statement.
    fault : str
        For a mistaken statement: the name of the mistake behind it.
    """

    text: str
    missing: str = ""
    fault: str = ""


@final
@dataclass(frozen=True)
class ExplanationExercise(Exercise):
    """An explanation is asked for, in whole sentences.

    No program judges the text. The learner compares it with a model answer and ticks which statements it makes; from
    these follows one of the outcomes. The one text that is recognised by itself is the wording of the model answer, or
    of a known mistake.

    Parameters
    ----------
    statements : tuple of Statement
        The points of the model answer and the mistaken statements, in the order in which they are shown.
    """

    statements: tuple[Statement, ...]

    def model_answer(self) -> str:
        """The model answer."""
        return str(self.model())

    def wrong_answer(self, fault: Fault) -> str:
        """A text that makes the mistake."""
        return str(fault.make())

    def judge(self, answer: object) -> Verdict:
        """Say whether there is a text to compare; a wording that is known is judged at once."""
        if answer is None or answer is ... or (isinstance(answer, str) and not answer.strip(" \n\t.…")):
            return self._not_attempted()
        if not isinstance(answer, str):
            return self._unrecognised(
                f"Your answer is {shown(answer)}. An explanation is asked for: sentences between quotation marks, "
                '"…", or between three of them if they take several lines.'
            )
        words = answer.split()
        if words == self.model_answer().split():
            return self._right()
        for fault in self.faults:
            if words == self.wrong_answer(fault).split():
                return self._mistake(fault, fault.sentence)
        if len(words) < _FEWEST_WORDS:
            return self._unrecognised(
                f'Your answer is "{answer.strip()[:40]}". Write one or two whole sentences: a text to compare.'
            )
        return self._verdict(Outcome.TO_COMPARE, f"Your text is to be compared with this: {self.model_answer()}")

    def judge_statements(self, ticked: frozenset[int]) -> Verdict:
        """Say what follows from the statements that a learner finds in the own text.

        Parameters
        ----------
        ticked : frozenset of int
            The places of the statements, from 0.

        Returns
        -------
        Verdict
            A mistaken statement first; then a point that is missing; right if it makes every point and no mistake.
        """
        said = [one for place, one in enumerate(self.statements) if place in ticked]
        for statement in said:
            for fault in self.faults:
                if statement.fault == fault.name:
                    return self._mistake(fault, fault.sentence)
        points = [one for one in self.statements if one.missing]
        missing = [one.missing for one in points if one not in said]
        if not missing:
            return self._right()
        made = len(points) - len(missing)
        counted = f"Your text makes {made} of {len(points)} points."
        return self._verdict(
            Outcome.UNRECOGNISED, f"{counted} {missing[0]}", "Add it to your text above, and run both cells again."
        )

    def compare(self, answer: str, keep: Callable[[Verdict], None], *, name: str, notice: str = "") -> Comparison:
        """Show a text beside the model answer, with the statements to tick.

        Parameters
        ----------
        answer : str
        keep : callable
            Called with the verdict when all points are made, and when a mistake is found.
        name : str
            A second comparison of the same name closes the first.
        notice : str
            What else has to be said.

        Returns
        -------
        Comparison
        """

        def respond(ticked: frozenset[int]) -> Verdict:
            verdict = self.judge_statements(ticked)
            if verdict.outcome is not Outcome.UNRECOGNISED:
                keep(verdict)
            return verdict

        texts = [f"My text says that {one.text}." for one in self.statements]
        return Comparison(answer.strip(), self.model_answer(), texts, respond, name=name, notice=notice)

    def _source(self) -> str:
        lines = textwrap.wrap(self.model_answer(), 84, break_on_hyphens=False)
        written = "\n".join(f'    "{line} "' for line in lines[:-1]) + f'\n    "{lines[-1]}"'
        return f"{self._answer_name} = (\n{written.lstrip(chr(10))}\n)"
