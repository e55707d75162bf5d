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

SHOWS: tuple[str, ...] = ("sweeps", "check")
"""The two pictures."""
NO_GUESS = "none yet"
"""What `State.guess` is before the learner has guessed."""
_GUESSES = (NO_GUESS, *FAULTS)

PRESETS: dict[str, tuple[str, int]] = {
    "sweep 0": ("random", 0),
    "sweep 300": ("random", 300),
    "sweep 850": ("random", 850),
    "sweep 1,200": ("random", 1200),
    "zeros, sweep 0": ("zeros", 0),
    "twins, sweep 0": ("twins", 0),
}
"""Name of a preset -> start and sweep. The names say where the run is, not what it does there."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the layer bench shows follows from this.

    Parameters
    ----------
    show : {"sweeps", "check"}
        Which of the two pictures.
    start : str
        A key of `STARTS`.
    sweep : int
        One of `recorded` sweeps.
    version : str
        A key of `VERSIONS`: which backward pass is checked.
    guess : str
        What the learner takes for its mistake, a key of `FAULTS`, or `NO_GUESS`.
    revealed : tuple of str
        The versions whose mistake has been named.
    seed : int
        Of the random weights.
    sweeps : int
        The last sweep of the run.
    """

    show: str = "sweeps"
    start: str = "random"
    sweep: int = 0
    version: str = "A"
    guess: str = NO_GUESS
    revealed: tuple[str, ...] = ()
    seed: int = 37
    sweeps: int = 1200

    @property
    def position(self) -> int:
        """Where the sweep stands among the recorded ones."""
        return recorded(self.sweeps).index(self.sweep)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["show", "start", "sweep", "go", "position", "version", "guess", "preset", "reset", "reveal"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Another start begins at sweep 0. Another version begins without a guess; a right guess names the mistake.
    A version or a guess brings the check to the front.

    Parameters
    ----------
    state : State
    event : Event
        "go" takes a start and a sweep together.

    Returns
    -------
    State

    Raises
    ------
    DomainError
        For a value outside its range, or an unknown kind of event.
    DataError
        For a sweep that is no whole number.

    Examples
    --------
    >>> reduce(State(sweep=300), Event("start", "zeros")).sweep
    0
    >>> reduce(State(version="B"), Event("guess", "right")).revealed
    ('B',)
    """
    match event:
        case ("show", value):
            return replace(state, show=_one_of(value, SHOWS, "show"))
        case ("start", value):
            start = _one_of(value, STARTS, "start")
            return state if start == state.start else replace(state, start=start, sweep=0)
        case ("sweep", value):
            return replace(state, sweep=_sweep(value, state.sweeps))
        case ("go", (start, sweep)):
            return replace(state, start=_one_of(start, STARTS, "start"), sweep=_sweep(sweep, state.sweeps))
        case ("position", int(value)) if 0 <= value < len(recorded(state.sweeps)):
            return replace(state, sweep=recorded(state.sweeps)[value])
        case ("preset", str(value)) if value in PRESETS:
            start, sweep = PRESETS[value]
            return replace(state, start=start, sweep=_nearest(sweep, state.sweeps))
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


def _nearest(sweep: int, sweeps: int) -> int:
    return min(recorded(sweeps), key=lambda known: abs(known - sweep))


def _sweep(value: Any, sweeps: int) -> int:
    sweep = as_count(value, "sweep", 0, _ME)
    if sweep > sweeps:
        raise DomainError(f"{_ME}: sweep is {_shown(sweep)}. The run has sweeps 0 to {sweeps}. Try sweep={sweeps}.")
    if sweep not in recorded(sweeps):
        raise DomainError(
            f"{_ME}: sweep {sweep} is not recorded. Expected one of the {len(recorded(sweeps))} places of the slider; "
            f"the nearest is {_nearest(sweep, sweeps)}."
        )
    return sweep


def _shown(number: int) -> str:
    return str(number) if number < 10**9 else "above 10⁹"  # Python refuses to write very long numbers


def first_state(start: str, sweep: int, version: str, show: str, *, seed: int, sweeps: int) -> State:
    """The first state of a bench, its values checked.

    Parameters
    ----------
    start, sweep, version, show, seed, sweeps
        As for `layer_bench`.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    last = as_count(sweeps, "sweeps", _FEWEST, _ME)
    if last > _MOST:
        raise DomainError(f"{_ME}: sweeps is {_shown(last)}. Expected {_FEWEST} to {_MOST}. Try sweeps=1200.")
    state = State(seed=as_count(seed, "seed", 0, _ME), sweeps=last)
    for event in (Event("start", start), Event("sweep", sweep), Event("version", version), Event("show", show)):
        state = reduce(state, event)
    return state
