"""The state of the layer bench and what each event makes of it: plain data, no widgets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count
from bplib.errors import DomainError
from bplib.widgets.layer.network import STARTS, recorded
from bplib.widgets.layer.passes import FAULTS, VERSIONS

__all__ = ["NO_GUESS", "PRESETS", "SHOWS", "Event", "State", "first_state", "reduce"]

_ME = "layer bench"
_FEWEST, _MOST = 20, 3000

SHOWS: tuple[str, ...] = ("updates", "check")
"""The two pictures."""
NO_GUESS = "none yet"
"""What `State.guess` is before the learner has guessed."""
_GUESSES = (NO_GUESS, *FAULTS)

PRESETS: dict[str, tuple[str, int]] = {
    "update 0": ("random", 0),
    "update 300": ("random", 300),
    "update 850": ("random", 850),
    "update 1,200": ("random", 1200),
    "zeros, update 0": ("zeros", 0),
    "twins, update 0": ("twins", 0),
}
"""Name of a preset -> start and update. The names say where the run is, not what it does there."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the layer bench shows follows from this.

    Parameters
    ----------
    show : {"updates", "check"}
        Which of the two pictures.
    start : str
        A key of `STARTS`.
    update : int
        One of `recorded` updates.
    version : str
        A key of `VERSIONS`: which backward pass is checked.
    guess : str
        What the learner takes for its mistake, a key of `FAULTS`, or `NO_GUESS`.
    revealed : tuple of str
        The versions whose mistake has been named.
    seed : int
        Of the random weights.
    updates : int
        The last update of the run.
    """

    show: str = "updates"
    start: str = "random"
    update: int = 0
    version: str = "A"
    guess: str = NO_GUESS
    revealed: tuple[str, ...] = ()
    seed: int = 37
    updates: int = 1200

    @property
    def position(self) -> int:
        """Where the update stands among the recorded ones."""
        return recorded(self.updates).index(self.update)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["show", "start", "update", "go", "position", "version", "guess", "preset", "reset", "reveal"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Another start begins at update 0. Another version begins without a guess; a right guess names the mistake.
    A version or a guess brings the check to the front.

    Parameters
    ----------
    state : State
    event : Event
        "go" takes a start and an update together.

    Returns
    -------
    State

    Raises
    ------
    DomainError
        For a value outside its range, or an unknown kind of event.
    DataError
        For an update that is no whole number.

    Examples
    --------
    >>> reduce(State(update=300), Event("start", "zeros")).update
    0
    >>> reduce(State(version="B"), Event("guess", "right")).revealed
    ('B',)
    """
    match event:
        case ("show", value):
            return replace(state, show=_one_of(value, SHOWS, "show"))
        case ("start", value):
            start = _one_of(value, STARTS, "start")
            return state if start == state.start else replace(state, start=start, update=0)
        case ("update", value):
            return replace(state, update=_update(value, state.updates))
        case ("go", (start, update)):
            return replace(state, start=_one_of(start, STARTS, "start"), update=_update(update, state.updates))
        case ("position", int(value)) if 0 <= value < len(recorded(state.updates)):
            return replace(state, update=recorded(state.updates)[value])
        case ("preset", str(value)) if value in PRESETS:
            start, update = PRESETS[value]
            return replace(state, start=start, update=_nearest(update, state.updates))
        case ("reset", State() as first):
            return replace(first, show=state.show, revealed=state.revealed)
    return _checked(state, event)


def _checked(state: State, event: Event) -> State:
    """The events of the gradient check."""
    match event:
        case ("version", value):
            version = _one_of(value, VERSIONS, "version")
            guess = state.guess if version == state.version else NO_GUESS
            return replace(state, show="check", version=version, guess=guess)
        case ("guess", value):
            guess = _one_of(value, _GUESSES, "guess")
            guessed = replace(state, show="check", guess=guess)
            return _named(guessed) if guess == VERSIONS[state.version] else guessed
        case ("reveal", None):
            return _named(replace(state, show="check"))
    raise DomainError(f"{_ME}: there is no event {event.kind!r} with the value {event.value!r}.")


def _named(state: State) -> State:
    return replace(state, revealed=tuple(sorted({*state.revealed, state.version})))


def _one_of(value: Any, known: Iterable[str], name: str) -> str:
    if not isinstance(value, str) or value not in known:
        names = ", ".join(f'"{one}"' for one in known)
        raise DomainError(f"{_ME}: {name} is {value!r}. Expected one of {names}.")
    return value


def _nearest(update: int, updates: int) -> int:
    return min(recorded(updates), key=lambda known: abs(known - update))


def _update(value: Any, updates: int) -> int:
    update = as_count(value, "update", 0, _ME)
    if update > updates:
        raise DomainError(
            f"{_ME}: update is {_shown(update)}. The run has updates 0 to {updates}. Try update={updates}."
        )
    if update not in recorded(updates):
        raise DomainError(
            f"{_ME}: update {update} is not recorded. Expected one of the {len(recorded(updates))} places of the "
            f"slider; the nearest is {_nearest(update, updates)}."
        )
    return update


def _shown(number: int) -> str:
    return str(number) if number < 10**9 else "above 10⁹"  # Python refuses to write very long numbers


def first_state(start: str, update: int, version: str, show: str, *, seed: int, updates: int) -> State:
    """The first state of a bench, its values checked.

    Parameters
    ----------
    start, update, version, show, seed, updates
        As for `layer_bench`.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    last = as_count(updates, "updates", _FEWEST, _ME)
    if last > _MOST:
        raise DomainError(f"{_ME}: updates is {_shown(last)}. Expected {_FEWEST} to {_MOST}. Try updates=1200.")
    state = State(seed=as_count(seed, "seed", 0, _ME), updates=last)
    for event in (Event("start", start), Event("update", update), Event("version", version), Event("show", show)):
        state = reduce(state, event)
    return state
