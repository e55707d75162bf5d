"""The state of the rate lab and what each event makes of it: plain data, no widgets."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

import numpy as np

from bplib.errors import DataError, DomainError
from bplib.widgets.rate.scene import LIMIT

__all__ = ["PRESETS", "RATES", "Event", "State", "first_state", "reduce"]

PRESETS: dict[str, float] = {
    "0.03": 0.03,
    "0.25": 0.25,
    "0.45": 0.45,
    "0.5": 0.5,
    "0.6": 0.6,
}
"""Name of a preset -> its learning rate. The names say no more: what each rate does is for the learner to find."""


def _two_digits(rate: float) -> float:
    return float(f"{rate:.2g}")


RATES: tuple[float, ...] = tuple(
    sorted({_two_digits(rate) for rate in np.geomspace(0.01, 1.0, 61)} | {0.1, *PRESETS.values()})
)
"""The learning rates of the slider: two digits each, evenly spread on a log scale, and those of the presets."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the rate lab shows follows from this.

    Parameters
    ----------
    condition_number : float
        Largest over smallest curvature, at least 1.
    rate : float
        One of `rates`.
    start : tuple of float
        (w1, w2), each between -2.5 and 2.5.
    revealed : bool
        Whether the curve over all rates is shown.
    rates : tuple of float
        The rates of the slider, ascending.
    steps : int
        How many steps are drawn.
    """

    condition_number: float = 10.0
    rate: float = 0.1
    start: tuple[float, float] = (-2.0, 1.5)
    revealed: bool = False
    rates: tuple[float, ...] = RATES
    steps: int = 50

    @property
    def position(self) -> int:
        """Where the rate stands on the slider."""
        return self.rates.index(self.rate)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["rate", "position", "condition", "start", "drag", "preset", "reset", "reveal"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        A "drag" beyond the picture's edge stops there; a "start" given in code must lie inside.

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
    >>> reduce(State(), Event("preset", "0.6")).rate
    0.6
    >>> reduce(State(), Event("drag", (9.0, 0.0))).start
    (2.5, 0.0)
    """
    match event:
        case ("rate", value):
            return replace(state, rate=_known_rate(value, state.rates))
        case ("position", int(value)) if 0 <= value < len(state.rates):
            return replace(state, rate=state.rates[value])
        case ("condition", value):
            return replace(state, condition_number=_condition(value))
        case ("start", value):
            return replace(state, start=_inside(value))
        case ("drag", value):
            x, y = _pair(value)
            # A pixel is 0.016 wide: further digits would be noise in what the learner reads.
            return replace(state, start=(round(_clip(x), 3), round(_clip(y), 3)))
        case ("preset", str(value)) if value in PRESETS:
            return replace(state, rate=_known_rate(PRESETS[value], state.rates))
        case ("reset", State() as first):
            return replace(first, revealed=state.revealed)
        case ("reveal", None):
            return replace(state, revealed=True)
    raise DomainError(f"rate lab: there is no event {event.kind!r} with the value {event.value!r}.")


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool | str | bytes) or not isinstance(value, int | float | np.number):
        raise DataError(f"rate lab: the {name} must be a number, got {value!r}. Try 0.1.")
    if not math.isfinite(value):
        raise DomainError(f"rate lab: the {name} must be finite, got {value}.")
    return float(value)


def _known_rate(value: Any, rates: tuple[float, ...]) -> float:
    rate = _number(value, "learning rate")
    nearest = min(rates, key=lambda known: abs(known - rate))
    if not math.isclose(rate, nearest, rel_tol=1e-9):
        raise DomainError(
            f"rate lab: the slider has no learning rate {rate:g}. Expected one of its {len(rates)} rates "
            f"from {rates[0]:g} to {rates[-1]:g}; the nearest is {nearest:g}. For another one make a new lab: "
            f"rate_lab(rate={rate:g})."
        )
    return nearest


def _condition(value: Any) -> float:
    number = _number(value, "condition number")
    if not 1 <= number <= 1e6:
        raise DomainError(
            f"rate lab: the condition number is {number:g}. It is the largest curvature divided by the smallest: "
            "expected 1 to 1e6, for example 10."
        )
    return number


def _pair(value: Any) -> tuple[float, float]:
    try:
        x, y = value
    except (TypeError, ValueError):
        raise DataError(f"rate lab: the start needs two numbers, (w1, w2), got {value!r}. Try (-2.0, 1.5).") from None
    return _number(x, "start"), _number(y, "start")


def _inside(value: Any) -> tuple[float, float]:
    x, y = _pair(value)
    if max(abs(x), abs(y)) > LIMIT:
        raise DomainError(
            f"rate lab: the start ({x:g}, {y:g}) lies outside the picture. Expected both weights between "
            f"{-LIMIT} and {LIMIT}, for example ({_clip(x):g}, {_clip(y):g})."
        )
    return x, y


def _clip(value: float) -> float:
    return min(LIMIT, max(-LIMIT, value))


def first_state(condition_number: float, rate: float, start: tuple[float, float], steps: int) -> State:
    """The first state of a lab, its values checked.

    Parameters
    ----------
    condition_number, rate, start, steps
        As for `bplib.widgets.rate.view`; a rate that the slider does not have is added to it.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    first = _number(rate, "learning rate")
    if not 0 < first <= 10:
        raise DomainError(f"rate lab: the learning rate is {first:g}. Expected more than 0, at most 10, such as 0.1.")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or not 1 <= steps <= 500:
        raise DomainError(f"rate lab: steps is {steps!r}. Expected a whole number from 1 to 500, such as 50.")
    rates = tuple(sorted({*RATES, first}))
    return State(_condition(condition_number), first, _inside(start), rates=rates, steps=int(steps))
