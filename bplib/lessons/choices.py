"""Exercises that ask for a choice, for several choices, or for lines in the right order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

from bplib.lessons.exercises import Exercise
from bplib.lessons.faults import Fault
from bplib.lessons.trials import shown
from bplib.lessons.verdicts import Verdict

__all__ = ["ChoiceExercise"]


@final
@dataclass(frozen=True)
class ChoiceExercise(Exercise):
    """A choice is asked for: one option, one for each of several places, or lines put in order.

    Parameters
    ----------
    options : tuple of str
        What may stand in a place; single letters may be written as one word, as in "BCA".
    places : tuple of str
        What each place is called; one place for a plain choice.
    once : bool
        Whether each option is used once, as when lines are put in order.
    observe : callable, optional
        From an answer (a tuple of options) to what it leads to: two answers are the same if that is equal.
        Left out, answers are compared as they are.
    """

    options: tuple[str, ...]
    places: tuple[str, ...] = ("answer",)
    once: bool = False
    observe: Callable[[tuple[str, ...]], object] = tuple

    def model_answer(self) -> tuple[str, ...]:
        """The right choice."""
        return tuple(self.model())

    def wrong_answer(self, fault: Fault) -> tuple[str, ...]:
        """The choice that a mistake leads to."""
        return tuple(fault.make())

    def judge(self, answer: object) -> Verdict:
        """Compare what the choice leads to with what the right one and each known mistake lead to."""
        chosen = self._chosen(answer)
        if chosen is None or all(one in (None, ...) for one in chosen):
            return self._not_attempted()
        empty = [place for place, one in zip(self.places, chosen, strict=False) if one in (None, ...)]
        if empty:
            return self._not_attempted(f"Still empty: {', '.join(empty)}.")
        words = tuple(self._option(one) for one in chosen)
        complaint = self._complaint(words)
        if complaint:
            return self._unrecognised(complaint)
        seen, right = self.observe(words), self.observe(self.model_answer())
        if seen == right:
            return self._right()
        for fault in self.faults:
            if seen == self.observe(self.wrong_answer(fault)):
                return self._mistake(fault, fault.sentence)
        return self._unrecognised(self._difference(words))

    def _source(self) -> str:
        answer = self.model_answer()
        written: object = answer[0]
        if self.once:
            written = "".join(answer)
        elif len(self.places) > 1:
            written = dict(zip(self.places, answer, strict=True))
        return f"{self._answer_name} = {written!r}"

    def _chosen(self, answer: object) -> tuple[object, ...] | None:
        if answer is None or answer is ...:
            return None
        if isinstance(answer, Mapping):
            named = {str(key): value for key, value in answer.items()}
            return tuple(named.get(place, ...) for place in self.places)
        if isinstance(answer, str) and len(self.places) > 1:
            return tuple(letter for letter in answer if letter.isalnum())
        if isinstance(answer, (list, tuple)):
            return tuple(answer)
        return (answer,)

    def _option(self, one: object) -> str:
        text = one.strip() if isinstance(one, str) else shown(one)
        return next((option for option in self.options if option.lower() == text.lower()), text)

    def _complaint(self, words: tuple[str, ...]) -> str:
        options = ", ".join(f"`{option}`" for option in self.options)
        if len(words) != len(self.places):
            return f"{_times(len(self.places), 'option')} asked for, and your answer has {len(words)}."
        strange = [word for word in words if word not in self.options]
        if strange:
            return f"The answer holds `{strange[0][:40]}`. You can choose from {options}."
        if self.once and len(set(words)) != len(words):
            twice = next(word for word in words if words.count(word) > 1)
            return f"The answer holds `{twice}` twice. Use each of {options} once."
        return ""

    def _difference(self, words: tuple[str, ...]) -> str:
        model = self.model_answer()
        wrong = [place for place, one, other in zip(self.places, words, model, strict=True) if one != other]
        if len(self.places) == 1:
            return f"Your answer is `{words[0]}`."
        right = len(self.places) - len(wrong)
        return f"{right} of {len(self.places)} places are right. The first that is not: {wrong[0]}."


def _times(count: int, word: str) -> str:
    return f"One {word} is" if count == 1 else f"{count} {word}s are"
