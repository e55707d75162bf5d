"""Exercises that ask for a choice, for several choices, or for lines in the right order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

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
    key : str
        What a place is, such as "rate", if the answer is a dictionary from place to option; else empty.
    form : str
        A sentence on how an answer is written, for one written otherwise; a dictionary needs none.
    clue : callable, optional
        From a place and the wrong option there to a sentence that helps; called for the first wrong place.
    also : mapping of str to str
        From another word, in small letters, to the option that it means.
    nearly : mapping of str to str
        From an answer that means the right thing without being an option to what is said about it.
    """

    options: tuple[str, ...]
    places: tuple[str, ...] = ("answer",)
    once: bool = False
    observe: Callable[[tuple[str, ...]], object] = tuple
    key: str = ""
    form: str = ""
    clue: Callable[[str, str], str] | None = None
    also: Mapping[str, str] = field(default_factory=dict, hash=False)
    nearly: Mapping[str, str] = field(default_factory=dict, hash=False)

    def model_answer(self) -> tuple[str, ...]:
        """The right choice."""
        return tuple(self.model())

    def wrong_answer(self, fault: Fault) -> tuple[str, ...]:
        """The choice that a mistake leads to."""
        return tuple(fault.make())

    def judge(self, answer: object) -> Verdict:
        """Compare what the choice leads to with what the right one and each known mistake lead to."""
        if _blank(answer):
            return self._not_attempted()
        complaint = self._wrong_form(answer)
        if complaint:
            return self._unrecognised(complaint)
        chosen = self._chosen(answer)
        empty = [place for place, one in zip(self.places, chosen, strict=False) if _blank(one)]
        if empty:
            return self._not_attempted(f"Still empty: {', '.join(empty)}." if len(self.places) > 1 else "")
        words = tuple(self._option(one) for one in chosen)
        for fault in self.faults:  # before any complaint: a known mistake may hold an option twice
            if words == self.wrong_answer(fault):
                return self._mistake(fault, fault.sentence)
        complaints = self._complaint(words)
        return self._unrecognised(*complaints) if complaints else self._compared(words)

    def _compared(self, words: tuple[str, ...]) -> Verdict:
        seen, right = self.observe(words), self.observe(self.model_answer())
        if seen == right:
            return self._right()
        for fault in self.faults:
            if seen == self.observe(self.wrong_answer(fault)):
                return self._mistake(fault, fault.sentence)
        return self._unrecognised(*self._difference(words))

    def _source(self) -> str:
        answer = self.model_answer()
        written: object = answer[0]
        if self.key:
            written = {_number_or_text(place): one for place, one in zip(self.places, answer, strict=True)}
        elif self.once:
            written = "".join(answer)
        return f"{self._answer_name} = {written!r}"

    def _wrong_form(self, answer: object) -> str:
        if isinstance(answer, Mapping) and self.key:
            return self._wrong_keys(answer)
        if len(self.places) == 1 or isinstance(answer, (list, tuple)) or (isinstance(answer, str) and self._spelled):
            return ""
        return self.form if self.form else f"Your answer is {shown(answer)}. {self._asked}"

    def _wrong_keys(self, answer: Mapping[Any, Any]) -> str:
        given = self._given(answer)
        if any(self._option(key) in self.options for key in given if key not in self.places):
            return f"Put the {self.key} first: `{self._example}`."
        if given and all(_blank(one) for one in given.values()):
            return ""
        sentences = []
        extra = [f"`{name[:40]}`" for name in given if name not in self.places]
        if extra:
            sentences += [f"{_these(self.key, extra[:5])} not asked for. Asked for: {', '.join(self.places)}."]
        missing = [place for place in self.places if place not in given]
        if missing:
            word = self.key if len(missing) == 1 else f"{self.key}s"
            sentences += [f"Add the missing {word}: {', '.join(missing)}."]
        return " ".join(sentences)

    def _chosen(self, answer: object) -> tuple[object, ...]:
        if isinstance(answer, Mapping) and self.key:
            given = self._given(answer)
            return tuple(given.get(place) for place in self.places)
        if isinstance(answer, str) and len(self.places) > 1:
            return tuple(letter for letter in answer if letter.isalnum())
        return tuple(answer) if isinstance(answer, (list, tuple)) else (answer,)

    def _given(self, answer: Mapping[Any, Any]) -> dict[str, object]:
        """The answer with the places as they are called here: 0.10 is 0.1, and "forward" is "Forward"."""
        called = {place.lower(): place for place in self.places}
        return {called.get(_place(key).strip().lower(), _place(key)): value for key, value in answer.items()}

    @property
    def _spelled(self) -> bool:
        return all(len(option) == 1 for option in self.options)

    @property
    def _example(self) -> str:
        place = _number_or_text(self.places[0])
        written = f'"{place}"' if isinstance(place, str) else f"{place:g}"
        return f'{{{written}: "{self.options[0]}", …}}'

    @property
    def _asked(self) -> str:
        if self.form or not self.key:
            return self.form
        return f"Write a dictionary with the {self.key} first: `{self._example}`."

    def _option(self, one: object) -> str:
        text = one.strip() if isinstance(one, str) else shown(one)
        called = {option.lower(): option for option in self.options} | dict(self.also)
        return called.get(" ".join(text.lower().split()), text)

    def _complaint(self, words: tuple[str, ...]) -> tuple[str, ...]:
        options = ", ".join(f"`{option}`" for option in self.options)
        strange = [word for word in words if word not in self.options]
        twice = [word for word in words if words.count(word) > 1] if self.once else []
        if self.once and 0 < len(words) < len(self.places) and not strange and not twice:
            return (_absent([option for option in self.options if option not in words]),)
        if len(words) != len(self.places):
            counted = f"{_times(len(self.places), 'option')} asked for, and your answer has {len(words)}. "
            return (self.form or (counted + self._asked).rstrip(),)
        if strange:
            said = {one.lower(): sentence for one, sentence in self.nearly.items()}.get(strange[0].lower())
            return (said or f"The answer holds `{strange[0][:40]}`. You can choose from {options}.",)
        if twice:
            return f"The answer holds `{twice[0]}` twice. Use each of {options} once.", self._clue_on(twice[0], words)
        return ()

    def _clue_on(self, word: str, words: tuple[str, ...]) -> str:
        """What helps with the first place where an option stands wrongly."""
        pairs = zip(self.places, words, self.model_answer(), strict=True)
        wrong = [place for place, one, other in pairs if one == word != other]
        return self.clue(wrong[0], word) if self.clue and wrong else ""

    def _difference(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if len(self.places) == 1:
            return (f"Your answer is `{words[0]}`.",)
        pairs = zip(self.places, words, self.model_answer(), strict=True)
        wrong = [(place, one) for place, one, other in pairs if one != other]
        right = len(self.places) - len(wrong)
        counted = f"{right} of {len(self.places)} places {'is' if right == 1 else 'are'} right."
        clue = self.clue(*wrong[0]) if self.clue else ""
        return f"{counted} The first that is not: {wrong[0][0]}.", clue


def _times(count: int, word: str) -> str:
    return f"One {word} is" if count == 1 else f"{count} {word}s are"


def _these(word: str, names: Sequence[str]) -> str:
    return f"The {word} {names[0]} is" if len(names) == 1 else f"The {word}s {', '.join(names)} are"


def _absent(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last} are missing." if most else f"{last} is missing."


def _blank(one: object) -> bool:
    return one is None or one is ...


def _place(key: object) -> str:
    """The name of a place, so that 0.1, "0.10" and NumPy's 0.1 are the same."""
    value = _number_or_text(key)
    return f"{value:g}" if isinstance(value, float) else value


def _number_or_text(key: Any) -> float | str:
    try:
        return float(key)
    except (TypeError, ValueError, OverflowError):
        return str(key)
