"""The state of the training cockpit and what each event makes of it: plain data, no widgets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count, as_number
from bplib.errors import DomainError
from bplib.widgets.cockpit.faults import FAULTS, behind
from bplib.widgets.cockpit.training import Training, begin, one_epoch, trained

__all__ = ["MOST", "MOST_AT_ONCE", "NO_GUESS", "Event", "State", "count_of_epochs", "first_state", "reduce"]

_ME = "training cockpit"

MOST = 200
"""Epochs of a run, all in all."""
MOST_AT_ONCE = 60
"""Epochs of one call, and of one press of Run."""
NO_GUESS = "none yet"
"""What `State.guess` is before the learner has guessed."""

_GUESSES = (NO_GUESS, *FAULTS)
_COMPARED = 40  # epochs of the run that a guess is tried with
_LARGEST_RATE = 100.0


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the training cockpit shows follows from this.

    Parameters
    ----------
    setting : str
        "healthy", or a letter from A to H.
    training : Training
        The run of this setting up to now.
    guess : str
        What the learner takes for its fault, a key of `FAULTS`, or `NO_GUESS`.
    tried : Training, or None
        A run that really has the fault that is guessed, at the same rate, over the first 40 epochs at most.
    named : tuple of str
        The settings whose fault has been named.
    position : int
        The epoch that is looked at.
    goal : int
        The epoch up to which Run goes on by itself; 0 at rest.
    length : int
        Epochs that Run runs.
    deal : int
        Which fault is behind which letter.
    """

    setting: str
    training: Training
    guess: str = NO_GUESS
    tried: Training | None = None
    named: tuple[str, ...] = ()
    position: int = 0
    goal: int = 0
    length: int = 40
    deal: int = 0

    @property
    def epochs(self) -> int:
        """Epochs run."""
        return self.training.epochs

    @property
    def fault(self) -> str:
        """What is behind the setting, a key of `FAULTS`."""
        return self.training.fault

    @property
    def end(self) -> int:
        """The epoch that Run would come to: the next multiple of `length`."""
        return min(MOST, (self.epochs // self.length + 1) * self.length)

    @property
    def is_over(self) -> bool:
        """Whether no further epoch can be run."""
        return self.training.ended or self.epochs >= MOST


class Event(NamedTuple):
    """Something the learner did, or the next epoch of a run under way: what kind, and to which value."""

    kind: Literal[
        "setting", "lr", "guess", "epochs", "run", "advance", "stop", "position", "epoch", "reset", "reveal",
    ]  # fmt: skip
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Another setting or another rate begins a new run. "epochs" trains on and looks at the last epoch. "run" only sets
    the goal: each "advance" is one epoch on the way there, and the look follows unless it has gone back in time.

    Parameters
    ----------
    state : State
    event : Event

    Returns
    -------
    State

    Raises
    ------
    DomainError
        For a value outside its range, or an unknown kind of event.
    DataError
        For a value that is no number where one is needed.

    Examples
    --------
    >>> first = first_state("healthy", 0.1, length=40, seed=0, deal=0)
    >>> twice = reduce(reduce(first, Event("epochs", 1)), Event("epochs", 1))
    >>> twice == reduce(first, Event("epochs", 2))
    True
    """
    match event:
        case ("setting", value):
            return _begun(state, _one_of(value, behind(state.deal), "setting"), state.training.lr)
        case ("lr", value):
            return _begun(state, state.setting, _rate(value))
        case ("epochs", value):
            return _trained(replace(state, goal=0), count_of_epochs(value), follow=True)
        case ("run", None):
            return replace(state, goal=0 if state.is_over else state.end, position=state.epochs)
        case ("advance", None):
            return _advanced(state)
        case ("stop", None):
            return replace(state, goal=0)
        case ("position", int(value)):
            return replace(state, position=min(max(value, 0), state.epochs))
        case ("epoch", value):
            return replace(state, position=_epoch(value, state.epochs))
        case ("reset", State() as first):
            return replace(first, named=state.named)
    return _guessed(state, event)


def _guessed(state: State, event: Event) -> State:
    """The events of the diagnosis."""
    match event:
        case ("guess", value):
            guess = _one_of(value, _GUESSES, "guess")
            if guess == state.guess:
                return state
            return _judged(_compared(replace(state, guess=guess, tried=None, position=state.epochs)))
        case ("reveal", None):
            return _named(replace(state, position=state.epochs))
    raise DomainError(f"{_ME}: there is no event {event.kind!r} with the value {event.value!r}.")


def _begun(state: State, setting: str, lr: float) -> State:
    if (setting, lr) == (state.setting, state.training.lr):
        return state
    guess = state.guess if setting == state.setting else NO_GUESS
    training = begin(behind(state.deal)[setting], lr, state.training.seed)
    fresh = replace(state, setting=setting, training=training, guess=guess, tried=None, position=0, goal=0)
    return _compared(fresh)


def _trained(state: State, count: int, *, follow: bool) -> State:
    training = state.training
    for _ in range(min(count, MOST - state.epochs)):
        training = one_epoch(training)
    position = training.epochs if follow else state.position
    return _judged(_compared(replace(state, training=training, position=position)))


def _advanced(state: State) -> State:
    if not state.goal:
        return state
    after = _trained(state, 1, follow=state.position == state.epochs)
    return replace(after, goal=0) if after.is_over or after.epochs >= state.goal else after


def _compared(state: State) -> State:
    """Bring the run with the guessed fault up to the same epoch, as far as it is compared."""
    if state.guess == NO_GUESS:
        return replace(state, tried=None)
    lr, seed, epochs = state.training.lr, state.training.seed, min(state.epochs, _COMPARED)
    tried = state.tried
    if tried is None or epochs - tried.epochs > 1:
        return replace(state, tried=trained(state.guess, lr, seed, epochs))
    return replace(state, tried=one_epoch(tried)) if tried.epochs < epochs else state


def _judged(state: State) -> State:
    """A right guess names the fault, once there is something to be seen."""
    return _named(state) if state.guess == state.fault and state.epochs else state


def _named(state: State) -> State:
    return replace(state, named=tuple(sorted({*state.named, state.setting})))


def _one_of(value: Any, known: Iterable[str], name: str) -> str:
    if not isinstance(value, str) or value not in known:
        names = ", ".join(f'"{one}"' for one in known)
        raise DomainError(f"{_ME}: {name} is {value!r}. Expected one of {names}.")
    return value


def _rate(value: Any) -> float:
    rate = as_number(value, "lr", _ME)
    if not 0 < rate <= _LARGEST_RATE:
        raise DomainError(f"{_ME}: lr is {rate:g}. Expected a learning rate above 0, at most 100. Try lr=0.1.")
    return rate


def _whole(value: Any, name: str, least: int, most: int, example: int) -> int:
    count = as_count(value, name, least, _ME)
    if count > most:
        shown = count if count < 10**9 else "too large"
        raise DomainError(
            f"{_ME}: {name} is {shown}. Expected a whole number from {least} to {most}. Try {name}={example}."
        )
    return count


def count_of_epochs(value: Any) -> int:
    """Check how many epochs are asked for at once.

    Parameters
    ----------
    value : int
        From 1 to 60.

    Returns
    -------
    int

    Raises
    ------
    DomainError, DataError
        If it is no such number.

    Examples
    --------
    >>> count_of_epochs(20)
    20
    """
    return _whole(value, "epochs", 1, MOST_AT_ONCE, 20)


def _epoch(value: Any, last: int) -> int:
    epoch = as_count(value, "epoch", 0, _ME)
    if epoch > last:
        shown = epoch if epoch < 10**9 else "so large"
        raise DomainError(
            f"{_ME}: epoch {shown} has not been run. Expected 0 to {last}, to look back in time. To go on training, "
            "try run(20)."
        )
    return epoch


def first_state(setting: str, lr: float, *, length: int, seed: int, deal: int) -> State:
    """The first state of a cockpit, its values checked.

    Parameters
    ----------
    setting, lr, length, seed, deal
        As for `training_cockpit`, where `length` is called ``epochs``.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    number = as_count(deal, "deal", 0, _ME)
    chosen, rate = _one_of(setting, behind(number), "setting"), _rate(lr)
    training = begin(behind(number)[chosen], rate, as_count(seed, "seed", 0, _ME))
    return State(chosen, training, length=_whole(length, "epochs", 1, MOST_AT_ONCE, 40), deal=number)
