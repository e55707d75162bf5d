"""What a check, a hint and a solution say: words that print well, read well aloud and compare equal."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import final

from bplib.widgets.markup import in_html, paragraphs

__all__ = ["Hint", "Outcome", "Says", "Solution", "UnknownName", "Verdict"]


@final
class Outcome(Enum):
    """The five ways in which an attempt can end; and what nobody but the learner can judge."""

    NOT_ATTEMPTED = "not attempted"
    RAISED = "raised"
    MISTAKE = "mistake"
    UNRECOGNISED = "unrecognised"
    RIGHT = "right"
    TO_COMPARE = "to compare"

    def __repr__(self) -> str:
        return f"Outcome.{self.name}"


# Sign, first words, and the colour of the card's edge: the words alone are enough.
_LOOKS = {
    Outcome.NOT_ATTEMPTED: ("◌", "Not attempted yet.", "#595959"),
    Outcome.RAISED: ("✗", "Not yet.", "#D55E00"),
    Outcome.MISTAKE: ("✗", "Not yet.", "#D55E00"),
    Outcome.UNRECOGNISED: ("✗", "Not yet.", "#D55E00"),
    Outcome.RIGHT: ("✓", "Right.", "#009E73"),
    Outcome.TO_COMPARE: ("→", "Compare.", "#0072B2"),
}
# MathJax leaves these classes alone, so that a $ in an answer stays a $.
_PLAIN = "mathjax_ignore tex2jax_ignore"


class Says(ABC):
    """Abstract base of what is said to the learner: a sign, first words, and sentences below them."""

    @abstractmethod
    def _look(self) -> tuple[str, str, str]:
        """Sign, first words, colour of the edge."""

    @abstractmethod
    def _sentences(self) -> tuple[str, ...]:
        """One paragraph each."""

    def __repr__(self) -> str:
        sign, head, _ = self._look()
        first, *rest = self._sentences() or ("",)
        return "\n".join([f"{sign} {head} {first}".rstrip(), *rest])

    def _repr_html_(self) -> str:
        sign, head, colour = self._look()
        first, *rest = self._sentences() or ("",)
        return (
            f'<div class="{_PLAIN}" style="border-left: 5px solid {colour}; padding: 0.1em 1em; max-width: 46em">'
            f'<p style="margin: 0.4em 0"><span aria-hidden="true">{sign}</span> '
            f"<strong>{in_html(head)}</strong> {in_html(first)}</p>"
            f"{paragraphs(rest)}{self._code()}</div>"
        )

    def _code(self) -> str:
        return ""


@final
@dataclass(frozen=True, repr=False)
class Verdict(Says):
    """What `check` found.

    Parameters
    ----------
    exercise : str
        The exercise's name.
    outcome : Outcome
        One of five; or, for an explanation, that it is to be compared.
    sentences : tuple of str
        What is said, a paragraph each.
    mistake : str
        The name of the mistake that was recognised; empty for every other outcome.
    code : str
        The misconception behind it, for instructors; never shown.

    Examples
    --------
    >>> Verdict("largest-rate", Outcome.RIGHT, ("Twice the fastest rate is the limit.",))
    ✓ Right. Twice the fastest rate is the limit.
    """

    exercise: str
    outcome: Outcome
    sentences: tuple[str, ...] = ()
    mistake: str = ""
    code: str = field(default="", compare=False)

    def _look(self) -> tuple[str, str, str]:
        return _LOOKS[self.outcome]

    def _sentences(self) -> tuple[str, ...]:
        return self.sentences


@final
@dataclass(frozen=True, repr=False)
class Hint(Says):
    """One hint out of several, from weak to strong.

    Examples
    --------
    >>> Hint("largest-rate", 1, 3, "Follow one direction only.")
    → Hint 1 of 3. Follow one direction only.
    """

    exercise: str
    number: int
    total: int
    text: str

    def _look(self) -> tuple[str, str, str]:
        return "→", f"Hint {self.number} of {self.total}.", "#0072B2"

    def _sentences(self) -> tuple[str, ...]:
        last = "This is the last hint." if self.number == self.total else ""
        return (self.text, last) if last else (self.text,)


@final
@dataclass(frozen=True, repr=False)
class Solution(Says):
    """A model solution and why it is right.

    Examples
    --------
    >>> Solution("double", "def double(x):\\n    return 2 * x", "Twice means times two.")
    → A solution. Twice means times two.
    def double(x):
        return 2 * x
    """

    exercise: str
    source: str
    why: str

    def _look(self) -> tuple[str, str, str]:
        return "→", "A solution.", "#0072B2"

    def _sentences(self) -> tuple[str, ...]:
        return (self.why,)

    def __repr__(self) -> str:
        return f"{super().__repr__()}\n{self.source}"

    def _code(self) -> str:
        return f'<pre style="margin: 0.4em 0">{in_html(self.source)}</pre>'


@final
@dataclass(frozen=True, repr=False)
class UnknownName(Says):
    """What is said when no exercise has the name that was asked for.

    Parameters
    ----------
    asked : object
        What stood in the place of the name.
    known : tuple of str
        The names of the exercises.

    Examples
    --------
    >>> UnknownName("exercise 1", ("largest-rate", "gd-step"))
    → No exercise has this name: `exercise 1`.
    The names are "largest-rate", "gd-step".
    """

    asked: object
    known: tuple[str, ...]

    def _look(self) -> tuple[str, str, str]:
        return "→", "No exercise has this name:", "#595959"

    def _sentences(self) -> tuple[str, ...]:
        # What is no text may be long, or hold an address.
        name = self.asked[:40] if isinstance(self.asked, str) else type(self.asked).__name__
        names = ", ".join(f'"{one}"' for one in self.known)
        return f"`{name}`.", f"The names are {names}."
