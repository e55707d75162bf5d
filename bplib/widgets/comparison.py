"""Compare your own words with a model answer: which of these does your text say?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, final

import ipywidgets as ipw

from bplib.viz.picture import Picture
from bplib.widgets.kit import Twin
from bplib.widgets.markup import paragraphs

__all__ = ["Answer", "Comparison", "Event", "State", "reduce"]

# MathJax leaves these classes alone, so that a $ in an answer stays a $.
_PLAIN = "mathjax_ignore tex2jax_ignore"
_ROW = "display: flex; flex-wrap: wrap; gap: 0.8em; max-width: 46em; line-height: 1.5"
_CARD = "flex: 1 1 14em; border: 1px solid currentColor; border-radius: 4px; padding: 0.2em 1em"
_ASK = "Tick what your text says, in these words or in others."


class Answer(Protocol):
    """What is said to a choice of statements; `bplib.lessons.verdicts.Verdict` is one."""

    def _repr_html_(self) -> str: ...


@final
@dataclass(frozen=True, slots=True)
class State:
    """Which statements are ticked.

    Parameters
    ----------
    ticked : frozenset of int
        Their places, from 0.
    count : int
        How many statements there are.
    """

    ticked: frozenset[int]
    count: int


@final
@dataclass(frozen=True, slots=True)
class Event:
    """A statement is ticked, or no longer.

    Parameters
    ----------
    place : int
        Which one, from 0.
    on : bool
    """

    place: int
    on: bool


def reduce(state: State, event: Event) -> State:
    """Give the state after an event.

    Parameters
    ----------
    state : State
    event : Event
        One for a statement that is not there changes nothing.

    Returns
    -------
    State

    Examples
    --------
    >>> reduce(State(frozenset({1}), 3), Event(0, True)).ticked == {0, 1}
    True
    """
    if not 0 <= event.place < state.count:
        return state
    return replace(state, ticked=state.ticked | {event.place} if event.on else state.ticked - {event.place})


@final
class Comparison(Twin):
    """Shows a learner's text beside a model answer, and asks which statements the text makes.

    No program can read the text. The learner compares; what follows from the comparison is said at once.

    Parameters
    ----------
    mine, model : str
        The learner's text, and the model answer.
    statements : sequence of str
        What the text may say; right ones and mistaken ones, in any order.
    respond : callable
        From the places that are ticked to what is said about them.
    name : str
        A second comparison of the same name closes the first.
    notice : str
        What else has to be said; may be empty.

    Examples
    --------
    >>> box = Comparison("It stays.", "The loss stays.", ["the loss stays"], lambda ticked: ipw.HTML(), name="example")
    >>> box.words()[-1]
    '☐ the loss stays'
    >>> box.close()
    """

    def __init__(
        self,
        mine: str,
        model: str,
        statements: Sequence[str],
        respond: Callable[[frozenset[int]], Answer],
        *,
        name: str,
        notice: str = "",
    ) -> None:
        self._texts = (f"Your text: {mine}", f"A model answer: {model}")
        self._statements = tuple(statements)
        self._respond = respond
        self._notice = notice
        self.state = State(frozenset(), len(self._statements))
        self._boxes = [self._box(place, statement) for place, statement in enumerate(self._statements)]
        self._said = ipw.HTML()
        cards = "".join(f'<div style="{_CARD}">{paragraphs([text])}</div>' for text in self._texts)
        head = ipw.HTML(f'<div class="{_PLAIN}" style="{_ROW}">{cards}</div>')
        ask = ipw.HTML(f'<div class="{_PLAIN}" style="max-width: 46em">{paragraphs([_ASK, notice])}</div>')
        super().__init__([head, ask, *self._boxes, self._said], name=f"comparison {name}")

    def dispatch(self, event: Event) -> None:
        """Take in what the learner ticks, and say what follows.

        Parameters
        ----------
        event : Event
        """
        before, self.state = self.state, reduce(self.state, event)
        if self.state == before:
            return
        for place, box in enumerate(self._boxes):
            box.value = place in self.state.ticked
        self._said.value = self._respond(self.state.ticked)._repr_html_() if self.state.ticked else ""

    def words(self) -> tuple[str, ...]:
        """The two texts and the statements in words.

        Returns
        -------
        tuple of str
        """
        signs = ["☑" if place in self.state.ticked else "☐" for place in range(len(self._statements))]
        listed = (f"{sign} {statement}" for sign, statement in zip(signs, self._statements, strict=True))
        return tuple(text for text in (*self._texts, _ASK, self._notice, *listed) if text)

    def picture(self) -> Picture:
        """Not drawn: words say all there is to see."""
        raise NotImplementedError("Comparison: the static twin is text. Use words().")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = ipw.VBox._repr_mimebundle_(self, **kwargs) or {}
        still = f'<div class="{_PLAIN}" style="max-width: 46em">{paragraphs(self.words())}</div>'
        return {**live, "text/html": still, "text/plain": "\n".join(self.words())}, {}

    def _box(self, place: int, statement: str) -> ipw.Checkbox:
        box = ipw.Checkbox(
            description=statement,
            description_allow_html=False,
            indent=False,
            style={"description_width": "initial"},
            layout=ipw.Layout(width="46em", max_width="100%"),
        )
        box.add_class("bplib-statement")
        box.observe(lambda change: self.dispatch(Event(place, bool(change["new"]))), "value")
        return box
