"""The question of a prediction gate, where a learner stands at it, and what each event makes of that: no widgets."""

import math
from dataclasses import dataclass, replace
from typing import Literal, final

from bplib.errors import DomainError
from bplib.viz.picture import Picture

__all__ = ["Event", "Question", "State", "reduce"]


@final
@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what comes out.

    Parameters
    ----------
    text : str
        The question.
    answer : str or float
        What is true: one of `options`, or a number.
    outcome : str
        The same as a sentence, computed from a real run.
    because : str
        A model sentence, "Because …", to compare one's own with.
    options : tuple of str
        What can be chosen; empty if a number is asked for.
    tolerance : float
        How far off a number may be, relative to `answer`, and still agree with it.
    picture : Picture, optional
        The outcome drawn; shown below the words.

    Raises
    ------
    DomainError
        If `answer` is not among the options, or is no finite number where there are none.
    """

    text: str
    answer: str | float
    outcome: str
    because: str
    options: tuple[str, ...] = ()
    tolerance: float = 0.1
    picture: Picture | None = None

    def __post_init__(self) -> None:
        if self.options and self.answer not in self.options:
            raise DomainError(f"Question: the answer {self.answer!r} is none of the options {list(self.options)}.")
        if not self.options and (isinstance(self.answer, str) or not math.isfinite(self.answer)):
            raise DomainError(f"Question: without options the answer must be a finite number, got {self.answer!r}.")

    def agrees(self, prediction: str | float) -> bool:
        """Whether a prediction is what came out.

        Parameters
        ----------
        prediction : str or float

        Returns
        -------
        bool
        """
        if isinstance(prediction, str) or isinstance(self.answer, str):
            return prediction == self.answer
        return math.isclose(prediction, self.answer, rel_tol=0.0, abs_tol=self.tolerance * abs(self.answer))

    def off(self, prediction: str | float) -> float | None:
        """How far off a number is, relative to what came out: −0.5 is half as much.

        Parameters
        ----------
        prediction : str or float

        Returns
        -------
        float or None
            None for a choice, and where that is no finite number, as when 0 came out.

        Examples
        --------
        >>> Question("How many?", 2.0, "There are two.", "Because one and one make two.").off(3.0)
        0.5
        """
        if isinstance(prediction, str) or isinstance(self.answer, str) or not self.answer:
            return None
        off = (prediction - self.answer) / abs(self.answer)
        return off if math.isfinite(off) else None


@final
@dataclass(frozen=True, slots=True)
class State:
    """Where a learner stands at a gate.

    Attributes
    ----------
    stage : {"asking", "revealed", "compared"}
        Before the outcome; with it; with the model sentence too.
    prediction : str, float or None
        What is chosen so far, a number still as it was typed; None if nothing is, or if it was skipped.
    reason, because : str
        The learner's sentences before and after.
    skipped : bool
    message : str
        What is to be said now; empty most of the time.
    """

    stage: Literal["asking", "revealed", "compared"] = "asking"
    prediction: str | float | None = None
    reason: str = ""
    because: str = ""
    skipped: bool = False
    message: str = ""


@final
@dataclass(frozen=True, slots=True)
class Event:
    """Something a learner does.

    Parameters
    ----------
    kind : {"predict", "reason", "store", "skip", "because", "compare"}
    value : str
        What was chosen or written.
    """

    kind: Literal["predict", "reason", "store", "skip", "because", "compare"]
    value: str = ""


def reduce(state: State, event: Event, question: Question) -> State:
    """Give the state after an event; nothing is drawn, stored or changed.

    Parameters
    ----------
    state : State
    event : Event
        One that makes no sense in this state changes nothing.
    question : Question

    Returns
    -------
    State

    Examples
    --------
    >>> question = Question("How many?", 2.0, "There are two.", "Because one and one make two.")
    >>> state = reduce(State(), Event("predict", "2,1"), question)
    >>> reduce(state, Event("store"), question)
    State(stage='revealed', prediction=2.1, reason='', because='', skipped=False, message='')
    """
    if state.stage == "asking":
        return _asked(state, event, question)
    if event.kind == "because":
        return replace(state, because=event.value.strip(), message="")
    # The button stays, and can be pressed again: a button that hides when pressed drops the keyboard's focus.
    if event.kind == "compare":
        if not state.because:
            return replace(state, message="Write your own sentence first. It is only compared by you.")
        return replace(state, stage="compared", message="")
    return state


def _asked(state: State, event: Event, question: Question) -> State:
    if event.kind == "predict":
        return replace(state, prediction=event.value.strip() or None, message="")
    if event.kind == "reason":
        return replace(state, reason=event.value.strip())
    if event.kind == "skip":
        return replace(state, stage="revealed", prediction=None, skipped=True, message="")
    if event.kind == "store":
        return _stored(state, question)
    return state


def _stored(state: State, question: Question) -> State:
    if state.prediction is None:
        ask = "Choose one of the options" if question.options else "Type a number"
        return replace(state, message=f"{ask} first, or press Skip.")
    if question.options:
        return replace(state, stage="revealed", message="")
    try:
        number = float(str(state.prediction).replace(",", ".").replace("−", "-"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return replace(state, message=f"`{str(state.prediction)[:40]}` is not a number. Type one such as 2.5.")
    return replace(state, stage="revealed", prediction=number, message="")
