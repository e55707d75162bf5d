"""The state of the nudge lab and what each event makes of it: plain data, no widgets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

import numpy as np

from bplib.checks import as_number
from bplib.errors import DataError, DomainError
from bplib.widgets.nudge.direction import LIMIT
from bplib.widgets.nudge.errors import Difference
from bplib.widgets.nudge.examples import EXAMPLES

__all__ = ["DIFFERENCES", "HS", "PRESETS", "SHOWS", "Event", "State", "first_state", "reduce"]

HS: tuple[float, ...] = tuple(float(f"{10 ** (k / 10):.2g}") for k in range(-140, 1))
"""The nudges of the slider: ten in each decade from 1e-14 to 1, 1, 2 and 5 among them."""

PRESETS: dict[str, tuple[float, tuple[float, float]]] = {
    "round bowl": (1.0, (-2.0, 1.5)),
    "on the valley floor": (25.0, (2.0, 0.0)),
    "beside the floor": (100.0, (2.4, 0.1)),
    "up the wall": (25.0, (0.3, 2.2)),
}
"""Name of a preset of the direction -> condition number and point."""

SHOWS: tuple[str, ...] = ("nudge", "direction")
DIFFERENCES: tuple[Difference, ...] = ("forward", "central")

_CALLER = "nudge lab"
_SMALLEST_H, _FARTHEST, _LARGEST_CONDITION = 1e-17, 10.0, 1e6


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the nudge lab shows follows from this.

    Parameters
    ----------
    show : {"nudge", "direction"}
        Which of the two pictures.
    example : str
        A key of `EXAMPLES`.
    at : tuple of float
        Where its inputs are, each between -10 and 10.
    input : str
        Which of them is nudged.
    h : float
        The nudge, one of `hs`.
    difference : {"forward", "central"}
    condition_number : float
        κ of the bowl, at least 1.
    point : tuple of float
        (x, y) on the bowl, each between -2.5 and 2.5.
    error_revealed, angle_revealed : bool
        Whether the error at every nudge, and the angle in every direction, are shown.
    hs : tuple of float
        The nudges of the slider, ascending.
    """

    show: str = "nudge"
    example: str = "product"
    at: tuple[float, ...] = EXAMPLES["product"].at
    input: str = "x"
    h: float = 0.1
    difference: Difference = "forward"
    condition_number: float = 25.0
    point: tuple[float, float] = (-2.0, 1.0)
    error_revealed: bool = False
    angle_revealed: bool = False
    hs: tuple[float, ...] = HS

    @property
    def position(self) -> int:
        """Where the nudge stands on the slider."""
        return self.hs.index(self.h)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal[
        "show", "example", "at", "input", "h", "position", "difference", "condition", "point", "drag", "preset",
        "reset", "reveal",
    ]  # fmt: skip
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        A "drag" beyond the picture's edge stops there; a "point" given in code must lie inside.

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
    >>> reduce(State(), Event("example", "near kink")).at
    (-0.01,)
    >>> reduce(State(), Event("drag", (9.0, 0.0))).point
    (2.5, 0.0)
    """
    match event:
        case ("position", int(value)) if 0 <= value < len(state.hs):
            return replace(state, h=state.hs[value])
        case ("show" | "difference" | "h" | "condition" | "point" as kind, value):
            field = "condition_number" if kind == "condition" else kind
            changed: dict[str, Any] = {field: _CHECKS[kind](value, state)}
            return replace(state, **changed)
        case ("example", value):
            name = _one_of(value, "example", tuple(EXAMPLES))
            return replace(state, example=name, at=EXAMPLES[name].at, input=_kept(state.input, name))
        case ("input", value):
            return replace(state, input=_one_of(value, "input", EXAMPLES[state.example].inputs))
        case ("at", value):
            return replace(state, at=_at(value, state.example))
        case ("drag", value):
            x, y = _pair(value)
            # A pixel is 0.016 wide: further digits would be noise in what the learner reads.
            return replace(state, point=(round(_clip(x), 3), round(_clip(y), 3)))
        case ("preset", str(value)) if value in PRESETS:
            condition_number, point = PRESETS[value]
            return replace(state, condition_number=condition_number, point=point)
        case ("reset", State() as first):
            return replace(
                first, show=state.show, error_revealed=state.error_revealed, angle_revealed=state.angle_revealed
            )
        case ("reveal", None | "error" | "angle" as part):
            error, angle = part != "angle", part != "error"
            return replace(
                state, error_revealed=state.error_revealed or error, angle_revealed=state.angle_revealed or angle
            )
    raise DomainError(f"{_CALLER}: there is no event {event.kind!r} with the value {event.value!r}.")


def _kept(which: str, example: str) -> str:
    names = EXAMPLES[example].inputs
    return which if which in names else names[0]


def _one_of(value: Any, name: str, allowed: Sequence[str]) -> Any:
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        raise DomainError(f"{_CALLER}: there is no {name} {value!r}. Expected {choices}. Try {allowed[0]!r}.")
    return value


def _known_h(value: Any, hs: tuple[float, ...]) -> float:
    h = as_number(value, "h", _CALLER)
    if h <= 0:
        raise DomainError(f"{_CALLER}: the nudge h is {h:g}. Expected a number above 0, such as 0.1.")
    nearest = min(hs, key=lambda known: abs(math.log(known / h)))
    if not math.isclose(h, nearest, rel_tol=1e-9):
        raise DomainError(
            f"{_CALLER}: the slider has no nudge {h:g}. Expected one of its {len(hs)} nudges from {hs[0]:g} to "
            f"{hs[-1]:g}; the nearest is {nearest:g}. For another one make a new lab: nudge_lab(h={h:g})."
        )
    return nearest


def _at(value: Any, example: str) -> tuple[float, ...]:
    names = EXAMPLES[example].inputs
    like = EXAMPLES[example].at
    given = value if isinstance(value, tuple | list | np.ndarray) else [value]
    try:
        found = tuple(as_number(one, name, _CALLER) + 0.0 for name, one in zip(names, given, strict=True))
    except (TypeError, ValueError) as error:
        if isinstance(error, DataError | DomainError):
            raise
        raise DataError(
            f"{_CALLER}: at is {value!r}. Expected {len(names)} number{'s' * (len(names) > 1)}, for "
            f"{', '.join(names)}. Try {like if len(like) > 1 else like[0]}."
        ) from None
    for name, one in zip(names, found, strict=True):
        if abs(one) > _FARTHEST:
            raise DomainError(
                f"{_CALLER}: {name} is {one:g}. Expected a number from {-_FARTHEST:g} to {_FARTHEST:g}, such as "
                f"{math.copysign(1, one):g}."
            )
    return found


def _condition(value: Any) -> float:
    number = as_number(value, "condition_number", _CALLER, least=1.0)
    if number > _LARGEST_CONDITION:
        raise DomainError(
            f"{_CALLER}: the condition number is {number:g}. It is the largest curvature divided by the smallest: "
            f"expected 1 to {_LARGEST_CONDITION:g}, for example 25."
        )
    return number


def _pair(value: Any) -> tuple[float, float]:
    try:
        x, y = value
    except (TypeError, ValueError):
        raise DataError(f"{_CALLER}: the point needs two numbers, (x, y), got {value!r}. Try (-2.0, 1.0).") from None
    # + 0.0: a minus sign before a zero would be read as a direction.
    return as_number(x, "x", _CALLER) + 0.0, as_number(y, "y", _CALLER) + 0.0


def _inside(value: Any) -> tuple[float, float]:
    x, y = _pair(value)
    if max(abs(x), abs(y)) > LIMIT:
        raise DomainError(
            f"{_CALLER}: the point ({x:g}, {y:g}) lies outside the picture. Expected both between {-LIMIT} and "
            f"{LIMIT}, for example ({_clip(x):g}, {_clip(y):g})."
        )
    return x, y


def _clip(value: float) -> float:
    return min(LIMIT, max(-LIMIT, value))


_CHECKS: dict[str, Any] = {
    "show": lambda value, state: _one_of(value, "picture", SHOWS),
    "difference": lambda value, state: _one_of(value, "difference", DIFFERENCES),
    "h": lambda value, state: _known_h(value, state.hs),
    "condition": lambda value, state: _condition(value),
    "point": lambda value, state: _inside(value),
}


def first_state(
    example: str,
    at: Any,
    input: str | None,
    h: float,
    difference: str,
    condition_number: float,
    point: tuple[float, float],
    show: str,
) -> State:
    """The first state of a lab, its values checked.

    Parameters
    ----------
    example, at, input, h, difference, condition_number, point, show
        As for `bplib.widgets.nudge.view`; a nudge that the slider does not have is added to it.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    nudge = as_number(h, "h", _CALLER)
    if not _SMALLEST_H <= nudge <= 1:
        raise DomainError(f"{_CALLER}: the nudge h is {nudge:g}. Expected {_SMALLEST_H:g} to 1, such as 0.1.")
    state = State(hs=tuple(sorted({*HS, nudge})))
    events = [Event("example", example), Event("h", nudge), Event("difference", difference), Event("show", show)]
    events += [Event("condition", condition_number), Event("point", point)]
    events += [] if at is None else [Event("at", at)]
    events += [] if input is None else [Event("input", input)]
    for event in events:
        state = reduce(state, event)
    return state
