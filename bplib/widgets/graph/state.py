"""The state of the graph stepper and what each event makes of it: plain data, no widgets."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.errors import DataError, DomainError
from bplib.tracing import Trace
from bplib.viz.graph_story import Moment, moments_of
from bplib.widgets.graph.answers import Verdict, as_number_typed, judge

__all__ = ["Event", "State", "asked", "first_state", "reduce"]


@final
@dataclass(frozen=True)
class State:
    """Everything the graph stepper shows follows from this.

    Attributes
    ----------
    example : str
        Which expression is shown.
    story : Trace
        Its forward and backward pass.
    moments : tuple of Moment
        What there is to step through.
    position : int
        The moment shown, from 0.
    typed : bool
        Whether the learner fills in each gradient before it is shown.
    verdict : Verdict, optional
        On the last answer, until the next step.
    tries : int
        Answers to the present question so far.
    right, given : int
        How many questions were answered right at the first try, and how many are done.
    note : str
        ``"ask"`` where a step waits for an answer, ``"end"`` and ``"begin"`` where there is no further step.
    """

    example: str
    story: Trace
    moments: tuple[Moment, ...]
    position: int = 0
    typed: bool = False
    verdict: Verdict | None = None
    tries: int = 0
    right: int = 0
    given: int = 0
    note: str = ""

    @property
    def moment(self) -> Moment:
        """What is shown."""
        return self.moments[self.position]

    @property
    def last(self) -> int:
        """The position of the last moment."""
        return len(self.moments) - 1


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["step", "back", "go", "reset", "typed", "answer", "show", "example"]
    value: Any = None


def first_state(example: str, story: Trace, typed: bool = False) -> State:
    """Give the state before the first step."""
    return State(example, story, moments_of(story), typed=typed)


def asked(state: State) -> Moment | None:
    """Give the moment whose outgoing gradient the learner is asked for, or None.

    Asked is what goes along the next wire, where it is a product of single numbers.
    """
    if not state.typed or state.position == state.last:
        return None
    following = state.moments[state.position + 1]
    share = following.share
    if share is None or not share.is_product or share.incoming.ndim or share.outgoing.ndim:
        return None
    return following


def reduce(state: State, event: Event) -> State:
    """Give the state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        The value of "go" is a position; of "typed" True or False; of "answer" a text or a number; of "example"
        the name and the story.

    Returns
    -------
    State

    Raises
    ------
    DataError, DomainError
        For a value that is none, or an unknown kind of event.

    Examples
    --------
    >>> from bplib.widgets.graph.examples import story_of
    >>> state = first_state("square", story_of("square"))
    >>> reduce(state, Event("step")).moment.title
    'Forward, step 1 of 1: multiply'
    """
    match event:
        case ("step", _):
            return _step(state)
        case ("back", _):
            return _moved(state, state.position - 1) if state.position else replace(state, note="begin")
        case ("go", int(position)) if not isinstance(position, bool):
            return _go(state, position)
        case ("go", other):
            raise DataError(f"graph stepper: the position is {other!r}. Expected a whole number.")
        case ("reset", _):
            return first_state(state.example, state.story, state.typed)
        case ("typed", bool(typed)):
            return replace(_moved(state, state.position), typed=typed, right=0, given=0)
        case ("typed", other):
            raise DataError(f"graph stepper: typed is {other!r}. Expected True or False.")
        case ("answer", answer):
            return _answer(state, answer)
        case ("show", _):
            return _shown(state)
        case ("example", (str(name), Trace() as story)):
            return first_state(name, story, state.typed)
    raise DomainError(f"graph stepper: there is no event {event.kind!r} with the value {event.value!r}.")


def _moved(state: State, position: int) -> State:
    return replace(state, position=position, verdict=None, tries=0, note="")


def _step(state: State) -> State:
    if state.position == state.last:
        return replace(state, note="end")
    if asked(state) is not None:
        return replace(state, note="ask", verdict=None)
    return _moved(state, state.position + 1)


def _go(state: State, position: int) -> State:
    if not 0 <= position <= state.last:
        raise DomainError(f"graph stepper: there is no position {position}. Expected 0 to {state.last}.")
    if state.typed and position > state.position:  # no looking ahead: up to the next question
        while state.position < position and asked(state) is None:
            state = _moved(state, state.position + 1)
        return state if state.position == position else replace(state, note="ask")
    return _moved(state, position)


def _answer(state: State, answer: Any) -> State:
    question = asked(state)
    if question is None or question.share is None:
        return replace(state, note="" if state.typed else "watch")
    value = as_number_typed(answer)
    verdict = judge(question.share, value, answer)
    if math.isnan(value):
        return replace(state, verdict=verdict, note="")
    if not verdict.right:
        return replace(state, verdict=verdict, tries=state.tries + 1, note="")
    first = state.tries == 0
    moved = _moved(state, state.position + 1)
    return replace(moved, verdict=verdict, right=state.right + first, given=state.given + 1)


def _shown(state: State) -> State:
    if asked(state) is None:
        return _step(state)
    return replace(_moved(state, state.position + 1), given=state.given + 1)
