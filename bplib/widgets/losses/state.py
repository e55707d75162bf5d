"""The state of the loss comparer and what each event makes of it: plain data, no widgets."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

import numpy as np

from bplib.checks import as_count, as_number, as_truth
from bplib.errors import DataError, DomainError
from bplib.widgets.losses.numbers import LARGEST, Frame, frame_of
from bplib.widgets.losses.softmax import CLASSES

__all__ = [
    "CLASS_PRESETS", "LOGITS", "NUMBER_PRESETS", "TABS", "Event", "State", "first_state", "reduce",
]  # fmt: skip

TABS: tuple[str, ...] = ("numbers", "classes")
"""What can be shown."""

NUMBER_PRESETS: dict[str, tuple[float, float]] = {
    "outlier 5": (5.0, 1.0),
    "outlier 20": (20.0, 1.0),
    "outlier 100": (100.0, 1.0),
    "outlier 100, δ = 10": (100.0, 10.0),
    "outlier 100, δ = 100": (100.0, 100.0),
}
"""Name of a preset -> outlier and δ."""

CLASS_PRESETS: dict[str, tuple[tuple[float, ...], int]] = {
    "undecided": ((0.0, 0.0, 0.0), 0),
    "confident and right": ((5.0, 0.0, -2.0), 0),
    "confident and wrong": ((-4.0, 5.0, 0.0), 0),
    "wrong by ±20": ((-20.0, 20.0, 0.0), 0),
    "right by ±1000": ((1000.0, 0.0, -1000.0), 0),
    "wrong by ±1000": ((-1000.0, 1000.0, 0.0), 0),
}
"""Name of a preset -> logits and true class."""

_EXTREME = (20.0, 1000.0)
LOGITS: tuple[float, ...] = (
    *(-z for z in reversed(_EXTREME)), *(round(k / 10, 1) for k in range(-60, 61)), *_EXTREME,
)  # fmt: skip
"""The logits of the sliders: tenths from −6 to 6, and beyond them ±20 and ±1000."""

_LARGEST_LOGIT = 10_000.0
_REACHES = (8.0, 25.0, 1250.0, 12_500.0)
_DELTAS = (0.01, 1000.0)
_ROUNDING = 1e-9
_CALLER = "loss comparer"


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the loss comparer shows follows from this.

    Parameters
    ----------
    show : {"numbers", "classes"}
        Which of the two pictures.
    data : tuple of float
        2 to 9 numbers from 0 to 100, the last of them the outlier.
    delta : float
        Huber's δ.
    c : float
        The predicted constant, one of `frame.positions`.
    derivative : bool
        Whether the curves are the slopes.
    logits : tuple of float, length 3
    target : int
        The true class.
    examples : int
        N, over which the mean is taken.
    origin : float
        Where the outlier was at first.
    """

    show: str = "numbers"
    data: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)
    delta: float = 1.0
    c: float = 4.5
    derivative: bool = False
    logits: tuple[float, ...] = (1.0, 2.0, -1.0)
    target: int = 0
    examples: int = 1
    origin: float = 5.0

    @property
    def outlier(self) -> float:
        """The last of the numbers."""
        return self.data[-1]

    @property
    def first_data(self) -> tuple[float, ...]:
        """The numbers with the outlier where it was at first."""
        return (*self.data[:-1], self.origin)

    @property
    def frame(self) -> Frame:
        """How far the curves over c reach."""
        return frame_of(self.data)

    @property
    def position(self) -> int:
        """Where c stands on its slider."""
        return self.frame.positions.index(self.c)

    @property
    def reach(self) -> float:
        """How far the curves over the true class's logit reach to both sides of 0."""
        largest = max(map(abs, self.logits))
        return next(reach for reach in _REACHES if 1.2 * largest <= reach)

    @property
    def axes(self) -> tuple[Any, ...]:
        """What the axes depend on: with the same ones a picture needs new coordinates alone."""
        return (self.show, self.frame) if self.show == "numbers" else (self.show, self.reach)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value.

    "drag" moves the outlier and "logit" one logit.
    """

    kind: Literal[
        "show", "derivative", "position", "c", "outlier", "drag", "delta", "number preset",
        "logit", "logits", "target", "examples", "class preset", "reset",
    ]  # fmt: skip
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        A "drag" beyond the strip stops at its end; an "outlier" given in code must lie on it.

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
    >>> reduce(State(), Event("number preset", "outlier 100")).data
    (1.0, 2.0, 3.0, 4.0, 100.0)
    >>> reduce(State(), Event("drag", 123.4)).outlier
    100.0
    """
    match event:
        case ("show", value):
            return replace(state, show=_tab(value))
        case ("derivative", value):
            return replace(state, derivative=as_truth(value, "derivative", _CALLER))
        case ("reset", State() as first):
            # A reset brings back what can be moved; the picture that is looked at stays.
            return replace(first, show=state.show, derivative=state.derivative)
    changed = _of_numbers(state, event) or _of_classes(state, event)
    if changed is None:
        raise DomainError(f"{_CALLER}: there is no event {event.kind!r} with the value {event.value!r}.")
    return changed


def _of_numbers(state: State, event: Event) -> State | None:
    match event:
        case ("position", int(value)) if 0 <= value < len(state.frame.positions):
            return replace(state, c=state.frame.positions[value])
        case ("c", value):
            return replace(state, c=_known_c(value, state.frame))
        case ("outlier", value):
            return _with_outlier(state, _between(value, "outlier", 0.0, LARGEST, 100))
        case ("drag", value):
            # Whole numbers: their mean has few digits, and an arrow key moves by two of them.
            return _with_outlier(state, float(round(min(LARGEST, max(0.0, as_number(value, "outlier", _CALLER))))))
        case ("delta", value):
            return replace(state, delta=_between(value, "delta", *_DELTAS, 1))
        case ("number preset", str(value)) if value in NUMBER_PRESETS:
            outlier, delta = NUMBER_PRESETS[value]
            return _with_outlier(replace(state, delta=delta), outlier)
    return None


def _of_classes(state: State, event: Event) -> State | None:
    match event:
        case ("logit", (int(k), value)) if 0 <= k < CLASSES:
            logits = (*state.logits[:k], _logit(value), *state.logits[k + 1 :])
            return replace(state, logits=logits)
        case ("logits", value):
            return replace(state, logits=_logits(value))
        case ("target", value):
            return replace(state, target=_below(value, "target", CLASSES))
        case ("examples", value):
            return replace(state, examples=_examples(value))
        case ("class preset", str(value)) if value in CLASS_PRESETS:
            logits, target = CLASS_PRESETS[value]
            return replace(state, logits=logits, target=target)
    return None


def _tab(value: Any) -> str:
    if not isinstance(value, str) or value not in TABS:
        raise DomainError(f'{_CALLER}: show is {value!r}. Expected "numbers" or "classes". Try show="classes".')
    return value


def _with_outlier(state: State, outlier: float) -> State:
    data = (*state.data[:-1], outlier)
    return replace(state, data=data, c=_nearest(state.c, frame_of(data)))


def _nearest(c: float, frame: Frame) -> float:
    return frame.positions[round(min(frame.high, max(0.0, c)) / frame.step)]


def _known_c(value: Any, frame: Frame) -> float:
    c = as_number(value, "c", _CALLER)
    nearest = _nearest(c, frame)
    if abs(c - nearest) > _ROUNDING:
        raise DomainError(
            f"{_CALLER}: the slider has no c = {c:g}. For these numbers it goes from 0 to {frame.high:g} "
            f"in steps of {frame.step:g}; the nearest is {nearest:g}."
        )
    return nearest


def _between(value: Any, name: str, low: float, high: float, example: float) -> float:
    number = as_number(value, name, _CALLER)
    if not low <= number <= high:
        raise DomainError(
            f"{_CALLER}: {name} is {number:g}. Expected a number from {low:g} to {high:g}. Try {name}={example:g}."
        )
    return number


def _logit(value: Any) -> float:
    # Six decimals: what a slider's label can tell apart.
    return round(_between(value, "logit", -_LARGEST_LOGIT, _LARGEST_LOGIT, 2), 6)


def _logits(value: Any) -> tuple[float, ...]:
    found = _several(value, "logits", "(1, 2, -1)")
    if len(found) != CLASSES:
        raise DomainError(
            f"{_CALLER}: logits holds {len(found)} numbers. Expected {CLASSES}, one for each class. "
            "Try logits=(1, 2, -1)."
        )
    return tuple(map(_logit, found))


def _below(value: Any, name: str, end: int) -> int:
    number = as_count(value, name, 0, _CALLER)
    if number >= end:
        raise DomainError(
            f"{_CALLER}: {name} is {number}. Expected a whole number from 0 to {end - 1}: classes are counted from 0. "
            f"Try {name}=0."
        )
    return number


def _examples(value: Any) -> int:
    number = as_count(value, "examples", 1, _CALLER)
    if number > 100:
        raise DomainError(f"{_CALLER}: examples is {number}. Expected a whole number from 1 to 100. Try examples=4.")
    return number


def _several(value: Any, name: str, example: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple | np.ndarray) or (isinstance(value, np.ndarray) and value.ndim == 0):
        raise DataError(f"{_CALLER}: {name} is {value!r}. Expected several numbers. Try {name}={example}.")
    return tuple(value)


def first_state(
    data: Any, delta: Any, c: Any, logits: Any, target: Any, examples: Any, show: Any, derivative: Any
) -> State:
    """The first state of a comparer, its values checked.

    Parameters
    ----------
    data, delta, c, logits, target, examples, show, derivative
        As for `bplib.widgets.losses.view.loss_comparer`; without a c the slider begins half above the mean.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Examples
    --------
    >>> first_state([1, 2, 9], 1, None, (0, 0, 0), 2, 1, "classes", False).data
    (1.0, 2.0, 9.0)
    """
    numbers = _data(data)
    frame = frame_of(numbers)
    return State(
        _tab(show), numbers, _between(delta, "delta", *_DELTAS, 1),
        _nearest(1.5 * sum(numbers) / len(numbers), frame) if c is None else _known_c(c, frame),
        as_truth(derivative, "derivative", _CALLER), _logits(logits), _below(target, "target", CLASSES),
        _examples(examples), numbers[-1],
    )  # fmt: skip


def _data(value: Any) -> tuple[float, ...]:
    found = _several(value, "data", "(1, 2, 3, 4, 5)")
    if not 2 <= len(found) <= 9:
        raise DomainError(
            f"{_CALLER}: data holds {len(found)} numbers. Expected 2 to 9, the last of them the outlier. "
            "Try data=(1, 2, 3, 4, 5)."
        )
    return tuple(_between(number, "a number of data", 0.0, LARGEST, 5) for number in found)
