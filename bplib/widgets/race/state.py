"""The state of the optimizer race and what each event makes of it: plain data, no widgets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.widgets.race.run import BUDGETS, LARGEST_RATE, NAMES, PLACES, STEPS

__all__ = ["PRESETS", "Event", "Preset", "State", "first_state", "reduce"]

_ME = "optimizer race"
_SCALES = (1e-3, 1e6)


@final
class Preset(NamedTuple):
    """A race, and the line of code that goes there; the step shown is kept.

    Parameters
    ----------
    surface : str
    budget : int
    scale : float
    start : tuple of float, or None
        None stands for the usual start on the surface.
    code : str
    """

    surface: str
    budget: int
    scale: float
    start: tuple[float, float] | None
    code: str


_SET = "race.surface, race.budget, race.scale = "
_NEAR_SADDLE = (3.4, 0.07)

PRESETS: dict[str, Preset] = {
    "bowl, 1 trial": Preset("bowl", 1, 1.0, None, _SET + '"bowl", 1, 1'),
    "bowl, 9 trials": Preset("bowl", 9, 1.0, None, _SET + '"bowl", 9, 1'),
    "ravine, 1 trial": Preset("ravine", 1, 1.0, None, _SET + '"ravine", 1, 1'),
    "ravine, 9 trials": Preset("ravine", 9, 1.0, None, _SET + '"ravine", 9, 1'),
    "ravine, 9 trials, loss × 32": Preset("ravine", 9, 32.0, None, _SET + '"ravine", 9, 32'),
    "bending valley, 9 trials": Preset("rosenbrock", 9, 1.0, None, _SET + '"rosenbrock", 9, 1'),
    "four minima, 9 trials": Preset("himmelblau", 9, 1.0, None, _SET + '"himmelblau", 9, 1'),
    "beside a saddle, 9 trials": Preset(
        "himmelblau", 9, 1.0, _NEAR_SADDLE,
        'race.surface, race.budget, race.scale, race.start = "himmelblau", 9, 1, (3.4, 0.07)',
    ),
}  # fmt: skip
"""Name of a preset -> the race. The names say what is set, not what comes of it."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the optimizer race shows follows from this.

    Parameters
    ----------
    surface : str
        A key of `PLACES`.
    budget : int
        Learning rates that each optimizer may try, one of `BUDGETS`.
    scale : float
        What multiplies the loss, from 0.001 to a million; the rates are tried without it.
    step : int
        The step shown, from 0 to 100.
    start : tuple of float
        (w1, w2), the same for all, inside the surface's window.
    own : tuple of (str, float)
        Learning rates set by hand, in the order of the optimizers.
    """

    surface: str = "bowl"
    budget: int = 1
    scale: float = 1.0
    step: int = 40
    start: tuple[float, float] = PLACES["bowl"].start
    own: tuple[tuple[str, float], ...] = ()

    @property
    def preset(self) -> str | None:
        """Name of the preset that this state is, if it is one."""
        here = (self.surface, self.budget, self.scale, self.start)
        known = {(p.surface, p.budget, p.scale, _start_of(p)): name for name, p in PRESETS.items()}
        return None if self.own else known.get(here)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["surface", "budget", "scale", "step", "start", "rate", "position", "drag", "preset", "reset"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        A "surface" is taken with its usual start; it forgets the rates set by hand, as another "budget" does. A
        "rate", (optimizer, learning rate), sets one, or forgets it where the rate is None. A "drag" beyond the
        picture's edge stops there; a "start" given in code must lie inside.

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
    >>> reduce(State(), Event("surface", "rosenbrock")).start
    (-1.5, -0.5)
    >>> reduce(State(), Event("drag", (9.0, 0.123))).start
    (2.5, 0.12)
    >>> reduce(State(), Event("rate", ("Adam", 0.3))).own
    (('Adam', 0.3),)
    """
    match event:
        case ("surface", value):
            surface = _one_of(value, PLACES, "surface")
            return replace(state, surface=surface, start=PLACES[surface].start, own=())
        case ("budget", value):
            budget = _budget(value)
            return state if budget == state.budget else replace(state, budget=budget, own=())
        case ("scale", value):
            return replace(state, scale=_scale(value))
        case ("step", value) | ("position", value):
            return replace(state, step=_step(value))
        case ("start", value):
            return replace(state, start=_inside(value, state.surface))
        case ("drag", value):
            # A pixel is more than 0.01 wide: further digits would be noise in what the learner reads.
            x, y = (round(one, 2) for one in _clip(_pair(value), state.surface))
            return replace(state, start=(x, y))
        case ("rate", (optimizer, lr)):
            return _with_rate(state, _one_of(optimizer, NAMES, "optimizer"), lr)
        case ("preset", str(name)) if name in PRESETS:
            there = PRESETS[name]
            return State(there.surface, there.budget, there.scale, state.step, _start_of(there))
        case ("reset", State() as first):
            return first
    raise DomainError(f"{_ME}: there is no event {event.kind!r} with the value {event.value!r}.")


def _start_of(preset: Preset) -> tuple[float, float]:
    return preset.start or PLACES[preset.surface].start


def _with_rate(state: State, optimizer: str, lr: Any) -> State:
    rates = dict(state.own)
    rates.pop(optimizer, None)
    if lr is not None:
        rates[optimizer] = _rate(lr)
    return replace(state, own=tuple((name, rates[name]) for name in NAMES if name in rates))


def _one_of(value: Any, known: Iterable[str], name: str) -> str:
    if not isinstance(value, str) or value not in known:
        names = ", ".join(f'"{one}"' for one in known)
        raise DomainError(f"{_ME}: {name} is {value!r}. Expected one of {names}.")
    return value


def _budget(value: Any) -> int:
    budget = as_count(value, "budget", 1, _ME)
    if budget not in BUDGETS:
        raise DomainError(
            f"{_ME}: budget is {_shown(budget)}. It is how many learning rates each optimizer may try: expected "
            f"{', '.join(map(str, BUDGETS[:-1]))} or {BUDGETS[-1]}. Try budget={BUDGETS[-1]}."
        )
    return budget


def _shown(count: int) -> str:
    # Python refuses to write very long numbers.
    return str(count) if count < 10**9 else "a number too large"


def _scale(value: Any) -> float:
    number = as_number(value, "scale", _ME)
    least, most = _SCALES
    if not least <= number <= most:
        raise DomainError(
            f"{_ME}: scale is {number:g}. It multiplies the loss: expected {least:g} to {most:,.0f}. Try scale=32."
        )
    return number


def _step(value: Any) -> int:
    step = as_count(value, "step", 0, _ME)
    if step > STEPS:
        shown = _shown(step)
        raise DomainError(f"{_ME}: step is {shown}. Expected a whole number from 0 to {STEPS}. Try step={STEPS}.")
    return step


def _rate(value: Any) -> float:
    number = as_number(value, "lr", _ME)
    if not 0 < number <= LARGEST_RATE:
        raise DomainError(
            f"{_ME}: lr is {number:g}. Expected a learning rate above 0, at most {LARGEST_RATE:g}. Try lr=0.1."
        )
    return number


def _pair(value: Any) -> tuple[float, float]:
    try:
        x, y = value
    except (TypeError, ValueError):
        raise DataError(f"{_ME}: start needs two numbers, (w1, w2), got {value!r}. Try (-1.0, 1.0).") from None
    return as_number(x, "start", _ME), as_number(y, "start", _ME)


def _clip(place: tuple[float, float], surface: str) -> tuple[float, float]:
    (left, right), (low, high) = PLACES[surface].surface.domain
    return min(right, max(left, place[0])), min(high, max(low, place[1]))


def _inside(value: Any, surface: str) -> tuple[float, float]:
    place = _pair(value)
    nearest = _clip(place, surface)
    if place != nearest:
        (left, right), (low, high) = PLACES[surface].surface.domain
        raise DomainError(
            f"{_ME}: the start ({place[0]:g}, {place[1]:g}) lies outside the picture of the {surface}. Expected w1 "
            f"from {left:g} to {right:g} and w2 from {low:g} to {high:g}, for example ({nearest[0]:g}, {nearest[1]:g})."
        )
    return place


def first_state(surface: str, budget: int, start: tuple[float, float] | None, scale: float, step: int) -> State:
    """The first state of a race, its values checked.

    Parameters
    ----------
    surface, budget, start, scale, step
        As for `bplib.widgets.race.view`.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    name = _one_of(surface, PLACES, "surface")
    place = PLACES[name].start if start is None else _inside(start, name)
    return State(name, _budget(budget), _scale(scale), _step(step), place)
