"""Exercises that ask for a number or a function: model solution, hints, and a judge that names the mistake."""

import dis
import inspect
import math
import re
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from bplib.lessons.faults import Fault
from bplib.lessons.trials import Observation, observe, shown
from bplib.lessons.verdicts import Outcome, Solution, Verdict

__all__ = ["Exercise", "FunctionExercise", "NumberExercise"]

_FILL_IN = (
    "Replace the `...` in the cell above by your answer. Run that cell, then this one. "
    "If that cell showed an error, your answer was not stored."
)
_PRINTS = "It also prints something. That is no mistake; the check does not show it."
_ROUNDED = "Your results are close, but not exact. Does your function round? Return the result as it is."
_TRUTHS = ("`True`", "`False`")
_COUNTS = ("no", "one", "two", "three", "four", "five", "six")
_NO_VALUE_YET = re.compile(r"UnboundLocalError: [^']*'(\w+)'")
_UNKNOWN_NAME = re.compile(r"NameError: name '(\w+)' is not defined")
_NUMPY_NAME = re.compile(r"np\.\w+")
_ARITHMETIC = re.compile(r"[\d.eE+*/() -]+")
_NO_SIGN_BETWEEN = re.compile(r"[\d.)]\s*\(|\)\s*[\d.]")
_DECIMAL_COMMA = re.compile(r"\s*([+-]?\d+),(\d+)\s*")


@dataclass(frozen=True)
class Exercise(ABC):
    """Abstract base of all exercises.

    Parameters
    ----------
    name : str
        What `check` is called with.
    model : callable
        A solution, shown as source by `solution`. For a number or a choice it takes nothing and returns
        the answer; for a function it is the answer.
    right : str
        One sentence on why the right answer matters.
    why : str
        Why the model solution is right.
    hints : tuple of str
        From weak to strong.
    faults : tuple of Fault
        The mistakes to recognise.
    variable : str
        What the answer is called in the notebook; by default the name with underscores.
    """

    name: str
    model: Callable[..., Any]
    right: str
    why: str
    hints: tuple[str, ...]
    faults: tuple[Fault, ...]
    variable: str = field(default="", kw_only=True)

    @abstractmethod
    def judge(self, answer: object) -> Verdict:
        """Say which of the five outcomes an answer has. Never raises, never prints, changes nothing."""

    @abstractmethod
    def model_answer(self) -> object:
        """The answer that the model solution gives, in the form `judge` takes."""

    @abstractmethod
    def wrong_answer(self, fault: Fault) -> object:
        """The answer that a mistake leads to, in the form `judge` takes."""

    def solution(self) -> Solution:
        """Show the source of the model solution, and why it is right."""
        return Solution(self.name, self._source(), self.why)

    def _source(self) -> str:
        """The body of the model, with the answer assigned to the name that the notebook uses."""
        _, _, body = textwrap.dedent(inspect.getsource(self.model)).partition("\n")
        return textwrap.dedent(body).replace("return ", f"{self._answer_name} = ").rstrip()

    @property
    def _answer_name(self) -> str:
        return self.variable or self.name.replace("-", "_")

    def _verdict(self, outcome: Outcome, *sentences: str) -> Verdict:
        return Verdict(self.name, outcome, tuple(text for text in sentences if text))

    def _not_attempted(self, *sentences: str) -> Verdict:
        return self._verdict(Outcome.NOT_ATTEMPTED, *sentences, _FILL_IN)

    def _right(self, *sentences: str) -> Verdict:
        return self._verdict(Outcome.RIGHT, self.right, *sentences)

    def _mistake(self, fault: Fault, *sentences: str) -> Verdict:
        said = tuple(text for text in sentences if text)
        return Verdict(self.name, Outcome.MISTAKE, said, mistake=fault.name, code=fault.code)

    def _unrecognised(self, *sentences: str) -> Verdict:
        return self._verdict(Outcome.UNRECOGNISED, *sentences, self._next)

    def _raised(self, *sentences: str) -> Verdict:
        return self._verdict(Outcome.RAISED, *sentences, self._next)

    @property
    def _next(self) -> str:
        return f'Next: run `hint("{self.name}")` in a new cell.'


@final
@dataclass(frozen=True)
class NumberExercise(Exercise):
    """One number is asked for.

    Parameters
    ----------
    checked : str
        What the check compares, for an answer that it does not recognise; empty if the task says it.
    tolerance : float
        How far off an answer may be, relative to the right one.
    above_zero: str
        What is said about an answer that is 0 or below; empty if the sign is free.
    example : str
        A computation like the one asked for, in Python, for an answer that is text.
    """

    checked: str = ""
    tolerance: float = 0.01
    above_zero: str = ""
    example: str = ""

    def model_answer(self) -> float:
        """The right number."""
        return float(self.model())

    def wrong_answer(self, fault: Fault) -> float:
        """The wrong number that a mistake leads to."""
        return float(fault.make())

    def judge(self, answer: object) -> Verdict:
        """Compare with the right number, then with each known mistake."""
        if answer is None or answer is ...:
            return self._not_attempted()
        number, complaint = _number(answer, self.example)
        if number is None:
            return self._unrecognised(complaint)
        if self._near(number, self.model_answer()):
            return self._right()
        for fault in self.faults:
            if self._near(number, self.wrong_answer(fault)):
                return self._mistake(fault, f"Your answer is {shown(number)}. {fault.sentence}")
        if number <= 0 and self.above_zero:
            return self._unrecognised(f"Your answer is {shown(number)}. {self.above_zero}")
        side = "large" if number > self.model_answer() else "small"
        return self._unrecognised(f"Your answer is {shown(number)}, and that is too {side}.", self.checked)

    def _near(self, number: float, other: float) -> bool:
        return math.isclose(number, other, rel_tol=self.tolerance, abs_tol=1e-12)


@final
@dataclass(frozen=True)
class FunctionExercise(Exercise):
    """A function is asked for; it is called and its results are compared.

    Parameters
    ----------
    trials : callable
        Returns the arguments of each call, name to value, the easiest call first.
    tolerance : float
        How far off a result may be, relative to the right one's largest value.
    seconds : float
        The time limit of one call.
    misnamed : mapping of str to str
        What is said when the function uses a name that does not exist: the name, and the sentence.
    """

    trials: Callable[[], Sequence[Mapping[str, Any]]]
    tolerance: float = 1e-9
    seconds: float = 2.0
    misnamed: Mapping[str, str] = field(default_factory=dict, hash=False)

    def model_answer(self) -> Callable[..., Any]:
        """The right function."""
        return self.model

    def wrong_answer(self, fault: Fault) -> Callable[..., Any]:
        """The function with the mistake in it."""
        return fault.make

    def judge(self, answer: object) -> Verdict:
        """Call the function on copies of all inputs and compare with the model and with each known mistake."""
        if answer is None or answer is ... or _untouched(answer):
            return self._not_attempted()
        if not callable(answer):
            return self._unrecognised(f"A function is asked for. Your answer is {shown(answer)}.")
        seen: list[Observation] = []
        for arguments in self.trials():
            if not _accepts(answer, len(arguments)):
                return self._raised(f"Your function needs {_inputs(arguments)}.")
            one = observe(answer, arguments, self.seconds)
            if one.failed:
                return self._failed(one, arguments, answer)
            seen.append(one)
        return self._compared(seen)

    def _source(self) -> str:
        # Without annotations: the course does not use them.
        _, _, body = textwrap.dedent(inspect.getsource(self.model)).partition("\n")
        parameters = ", ".join(inspect.signature(self.model).parameters)
        return f"def {self._answer_name}({parameters}):\n{body}".rstrip()

    def observations(self, function: Callable[..., Any]) -> list[Observation]:
        """What a function does on every trial.

        Parameters
        ----------
        function : callable

        Returns
        -------
        list of Observation
        """
        return [observe(function, arguments, self.seconds) for arguments in self.trials()]

    def agree(self, seen: Sequence[Observation], other: Sequence[Observation]) -> bool:
        """Whether two functions cannot be told apart by the trials.

        Parameters
        ----------
        seen, other : sequence of Observation
            One for each trial.

        Returns
        -------
        bool
        """
        return all(one.agrees(two, self.tolerance) for one, two in zip(seen, other, strict=True))

    def _compared(self, seen: Sequence[Observation]) -> Verdict:
        prints = _PRINTS if any(one.printed for one in seen) else ""
        right = self.observations(self.model)
        if self.agree(seen, right):
            return self._right(prints)
        for fault in self.faults:
            if self.agree(seen, self.observations(fault.make)):
                return self._mistake(fault, fault.sentence, self._example(seen, right), prints)
        if all(one.nothing for one in seen):
            return self._unrecognised(
                "Your function returns nothing. Is the word `return` missing in front of the result?", prints
            )
        if len(seen) > 1 and all(one.agrees(seen[0], 0.0) for one in seen):
            return self._unrecognised(_same_for_every(self.trials()[0]), prints)
        rounded = all(one.agrees(other, 0.01) for one, other in zip(seen, right, strict=True))
        changed = sorted({name for one in seen for name in one.changed})
        mutates = f"Your function also changes {' and '.join(f'`{name}`' for name in changed)} itself."
        checked = (
            f"It was called {len(seen)} times, with {_kinds(self.trials())}. "
            "Each result was compared with the right one."
        )
        shown_case = _ROUNDED if rounded else self._example(seen, right)
        return self._unrecognised(shown_case, mutates if changed else "", checked, prints)

    def _example(self, seen: Sequence[Observation], right: Sequence[Observation]) -> str:
        for arguments, one, other in zip(self.trials(), seen, right, strict=True):
            if one.agrees(other, self.tolerance):
                continue
            if one.returned == other.returned:
                return ""
            return f"With {_called(arguments)} it returns {one.returned}; {other.returned} is right."
        return ""

    def _failed(self, one: Observation, arguments: Mapping[str, Any], function: Callable[..., Any]) -> Verdict:
        called = f"It was called with {_called(arguments)}."
        if one.unfinished:
            return self._raised(
                f"Your function was stopped after {self.seconds:g} seconds. Does it hold a loop without an end?",
                called,
            )
        if "ellipsis" in one.error:
            return self._not_attempted("There is still a `...` in your function.")
        where = f" in its line {one.line}" if one.line else ""
        advice = self._advice(one.error, function)
        return self._raised(f"Your function raised an error{where}: `{one.error}`.", called, advice)

    def _advice(self, error: str, function: Callable[..., Any]) -> str:
        if "for ^" in error:
            return "In Python a power is written with two asterisks: `x ** 2`."
        if "unsupported operand" in error and "'list'" in error:
            return "It is also called with lists. `np.array` makes an array of a list."
        unset = _NO_VALUE_YET.match(error)
        if unset:
            return f"`{unset[1]}` has no value there yet. Set `{unset[1]} = 0` before the loop."
        unknown = _UNKNOWN_NAME.match(error)
        if unknown:
            return self.misnamed.get(unknown[1], "")
        # NumPy's words differ from version to version; these stand in all of them.
        if "arrays can be converted to Python scalars" not in error:
            return ""
        names = getattr(getattr(function, "__code__", None), "co_names", ())
        return "It is also called with arrays." + (" Leave out `float`." if "float" in names else "")


def _number(answer: object, example: str) -> tuple[float | None, str]:
    """The answer as a number, or None and what to say about it."""
    number, complaint = _read(answer, example)
    if complaint in _TRUTHS:
        return None, f"Your answer is {complaint}. One number is asked for."
    return number, f"One number is asked for. Your answer is {complaint}." if complaint else ""


def _read(answer: object, example: str) -> tuple[float | None, str]:
    """The answer as a number, or None and what it is in words."""
    if isinstance(answer, str):
        return None, f'text, "{answer[:40]}". {_without_quotes(answer, example)}'
    if callable(answer):
        return None, "a function. Call it, or assign its result"
    try:
        raw = np.asarray(answer)
    except ValueError:
        raw = np.asarray(None)
    if raw.dtype.kind == "b" and raw.size == 1:
        return None, f"`{bool(raw.reshape(()))}`"
    if raw.dtype.kind not in "fiu":
        return None, shown(answer)
    if raw.size != 1:
        comma = isinstance(answer, tuple) and _DECIMAL_COMMA.fullmatch(",".join(map(str, answer)))
        return None, f"{raw.size} numbers at once{f'. {_point(comma)}' if comma else ''}"
    number = float(raw.reshape(()))
    return (number, "") if math.isfinite(number) else (None, f"{number:g}, which is not finite")


def _point(comma: re.Match[str]) -> str:
    return f"Python writes a decimal point: {comma[1]}.{comma[2]}, not {comma[1]},{comma[2]}"


def _without_quotes(text: str, example: str) -> str:
    """What to do with text that was given for a number; `np.log(10)` and `2/10` are Python already."""
    comma = _DECIMAL_COMMA.fullmatch(text)
    if comma:
        return _point(comma)
    rest = _NUMPY_NAME.sub("", text)
    if _ARITHMETIC.fullmatch(rest) and any(one.isdigit() for one in rest):
        sign = "Write the multiplication sign `*`. " if _NO_SIGN_BETWEEN.search(rest) else ""
        return f"{sign}Leave out the quotation marks"
    return f"Write it in Python{f', for example `{example}`' if example else ', without quotation marks'}"


def _accepts(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with that many values; what cannot be asked is called to find out."""
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except Exception:  # built-in functions, and objects that answer in their own way
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _kinds(trials: Sequence[Mapping[str, Any]]) -> str:
    words = {list: "with lists", np.ndarray: "with arrays"}
    found = [next((words[type(one)] for one in trial.values() if type(one) in words), "") for trial in trials]
    kinds = dict.fromkeys(one or "with single numbers" for one in found)
    return " and ".join(kinds).removeprefix("with ")


def _inputs(arguments: Mapping[str, Any]) -> str:
    count = len(arguments)
    word = _COUNTS[count] if count < len(_COUNTS) else str(count)
    return f"{word} input{'s' if count != 1 else ''}: {', '.join(f'`{name}`' for name in arguments)}"


def _untouched(answer: object) -> bool:
    """Whether a function has no body of its own yet: its code loads constants and returns None or `...`."""
    code = getattr(answer, "__code__", None)
    if code is None or set(code.co_consts) - {None, ..., getattr(answer, "__doc__", None)}:
        return False
    idle = ("RESUME", "LOAD_CONST", "RETURN_", "NOP", "CACHE")
    return all(step.opname.startswith(idle) for step in dis.get_instructions(code))


def _same_for_every(arguments: Mapping[str, Any]) -> str:
    kind = "list" if all(type(value) is list for value in arguments.values()) else "input"
    return f"Your function returns the same for every {kind}. Use {', '.join(f'`{name}`' for name in arguments)}."


def _called(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {shown(value)}" for name, value in arguments.items())
