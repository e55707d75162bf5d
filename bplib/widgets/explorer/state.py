"""The state of the surface explorer and what each event makes of it: plain data, no widgets."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.widgets.explorer.network import CALLER, EXAMPLES, OWN, Task, example
from bplib.widgets.explorer.plane import Frame, OwnRun, frame, own_run

__all__ = ["PRESETS", "Event", "State", "first_state", "reduce"]

_MOST_RATE = 1000.0
_MOST_STEPS = 100
# Where the handle stands first, as a share of the way from the middle of the window to its edge.
_FIRST_PLACES = {"pca": (-0.62, -0.58), "random": (-0.86, 0.0), "whole": (-0.62, 0.66)}


@final
class _Preset(NamedTuple):
    example: str
    directions: str
    start: tuple[float, float]
    lr: float


PRESETS: dict[str, _Preset] = {
    "moons: beside the run": _Preset("moons, 2-8-1", "pca", (-7.1, -2.5), 10.0),
    "moons: a random plane": _Preset("moons, 2-8-1", "random", (-0.86, 0.0), 10.0),
    "moons: η = 1": _Preset("moons, 2-8-1", "pca", (-7.1, -2.5), 1.0),
    "moons: η = 50": _Preset("moons, 2-8-1", "pca", (-7.1, -2.5), 50.0),
    "xor: beside the run": _Preset("xor, 2-3-1", "pca", (-5.4, 1.8), 3.0),
    "xor: random plane, left": _Preset("xor, 2-3-1", "random", (-0.86, 0.0), 3.0),
    "xor: random plane, upper left": _Preset("xor, 2-3-1", "random", (-0.6, 0.6), 3.0),
    "line: two parameters": _Preset("line, 1-1", "pca", (0.2, 3.2), 0.1),
    "line: η = 1": _Preset("line, 1-1", "pca", (0.2, 3.2), 1.0),
}
"""Name of a preset -> example, directions, start and learning rate. The names say what is set, not what comes of it."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the surface explorer shows follows from this.

    Parameters
    ----------
    example : str
        A key of `EXAMPLES`, or "your model" where there is one.
    directions : {"pca", "random"}
        Of the plane.
    start : tuple of float
        (a, b), inside the window of the plane, where the learner's run begins.
    lr : float
        Learning rate η of the learner's run.
    step : int
        Step of both runs that is shown; the shorter one stays at its end.
    seed : int
        Of the random directions.
    solid : bool
        Whether the picture in three dimensions is shown.
    steps : int
        Steps of the learner's run.
    own : Task, optional
        The learner's model.
    """

    example: str = "moons, 2-8-1"
    directions: str = "pca"
    start: tuple[float, float] = (0.0, 0.0)
    lr: float = 10.0
    step: int = 30
    seed: int = 0
    solid: bool = False
    steps: int = 30
    own: Task | None = None

    @property
    def task(self) -> Task:
        """The network whose surface is shown."""
        return self.own if self.own is not None and self.example == OWN else example(self.example)

    @property
    def plane(self) -> tuple[Task, str, int]:
        """Which plane is shown, as the functions that draw it take it: the same one has one name only."""
        if self.task.parameters == 2:
            return self.task, "whole", 0
        return self.task, self.directions, self.seed if self.directions == "random" else 0

    @property
    def frame(self) -> Frame:
        """The plane that is shown."""
        return frame(*self.plane)

    @property
    def starts(self) -> tuple[tuple[float, float], ...]:
        """Where the handle stands unless it is dragged: at first, and in every preset of the example."""
        return _first_place(self), *(preset.start for preset in PRESETS.values() if preset.example == self.example)

    @property
    def run(self) -> OwnRun:
        """The learner's run."""
        return own_run(self.task, self.frame, self.start, self.lr, self.steps)

    @property
    def last(self) -> int:
        """The last step of the longer run, the learner's or the training run."""
        return max(self.task.steps, self.steps)

    @property
    def names(self) -> tuple[str, ...]:
        """The examples to choose from."""
        return tuple(EXAMPLES) if self.own is None else (OWN, *EXAMPLES)

    @property
    def preset(self) -> str | None:
        """Name of the preset that this state is, if it is one."""
        here = (self.example, self.directions, self.start, self.lr)
        same = self.directions == "pca" or self.seed == 0
        return next((name for name, preset in PRESETS.items() if same and tuple(preset) == here), None)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["set", "position", "drag", "preset", "again", "solid", "reset"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        "set" takes a mapping of names to values, of which all or none take effect. Another example brings its own
        learning rate, another plane its own start. A "drag" beyond the edge stops there; a start given in code must
        lie inside.

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
    >>> state = reduce(first_state("line, 1-1", "pca"), Event("set", {"start": (1.0, 2.0), "lr": 0.5}))
    >>> state.start, state.lr
    ((1.0, 2.0), 0.5)
    >>> reduce(state, Event("preset", "xor: random plane, left")).directions
    'random'
    """
    match event:
        case ("position", int(value)) if 0 <= value <= state.last:
            return replace(state, step=value)
        case ("set", dict(values)) if values and values.keys() <= _SETTERS.keys():
            return _set(state, values)
        case ("drag", (x, y)):
            return replace(state, start=_dragged(state, x, y))
        case ("preset", str(name)) if name in PRESETS:
            return _set(state, PRESETS[name]._asdict() | {"seed": 0})
        case ("again", None):
            return _set(state, {"directions": "random", "seed": state.seed + 1})
        case ("solid", None):
            return replace(state, solid=not state.solid)
        case ("reset", State() as first):
            return first
    raise DomainError(f"{CALLER}: there is no event {event.kind!r} with the value {event.value!r}.")


def _set(state: State, values: dict[str, Any]) -> State:
    """Set several values, the plane before the point on it."""
    before = state.plane
    for name in ("example", "directions", "seed"):
        if name in values:
            state = replace(state, **{name: _SETTERS[name](state, values[name])})
    if state.task is not before[0]:
        state = replace(state, lr=state.task.lr, step=min(state.step, state.last))
    if state.plane != before:
        state = replace(state, start=_first_place(state))
    for name in ("start", "lr", "step"):
        if name in values:
            state = replace(state, **{name: _SETTERS[name](state, values[name])})
    return state


def _example(state: State, value: Any) -> str:
    if not isinstance(value, str) or value not in state.names:
        names = ", ".join(f'"{name}"' for name in state.names)
        raise DomainError(f"{CALLER}: example is {value!r}. Expected one of {names}.")
    return value


def _directions(state: State, value: Any) -> str:
    if not isinstance(value, str) or value not in ("pca", "random"):
        raise DomainError(
            f'{CALLER}: directions is {value!r}. Expected "pca", the plane of the training run, or "random", random '
            "directions, filter-normalised."
        )
    return value


def _seed(state: State, value: Any) -> int:
    return as_count(value, "seed", 0, CALLER)


def _lr(state: State, value: Any) -> float:
    number = as_number(value, "lr", CALLER)
    if not 0 < number <= _MOST_RATE:
        raise DomainError(
            f"{CALLER}: lr is {number:g}. Expected a learning rate above 0, at most {_MOST_RATE:g}. "
            f"Try lr={state.task.lr:g}."
        )
    return number


def _step(state: State, value: Any) -> int:
    step, most = as_count(value, "step", 0, CALLER), state.last
    if step > most:
        raise DomainError(f"{CALLER}: step is {step}. The longer run has {most} steps. Try step={most}.")
    return step


def _start(state: State, value: Any) -> tuple[float, float]:
    try:
        a, b = value
    except (TypeError, ValueError):
        raise DataError(f"{CALLER}: start needs two numbers, (a, b), got {value!r}. Try (0.0, 0.0).") from None
    point = as_number(a, "start", CALLER), as_number(b, "start", CALLER)
    low, high = _edges(state)
    if not all(low[k] <= point[k] <= high[k] for k in (0, 1)):
        near = _dragged(state, *point)
        raise DomainError(
            f"{CALLER}: the start ({point[0]:g}, {point[1]:g}) lies outside the picture. Expected a from {low[0]:.4g} "
            f"to {high[0]:.4g} and b from {low[1]:.4g} to {high[1]:.4g}, for example ({near[0]:g}, {near[1]:g})."
        )
    return point


_SETTERS: dict[str, Callable[[State, Any], Any]] = {
    "example": _example, "directions": _directions, "seed": _seed, "start": _start, "lr": _lr, "step": _step,
}  # fmt: skip


def _edges(state: State) -> tuple[tuple[float, float], tuple[float, float]]:
    """The lower left and the upper right corner of the window."""
    cut = state.frame
    low, high = (cut.centre - cut.span).tolist(), (cut.centre + cut.span).tolist()
    return (low[0], low[1]), (high[0], high[1])


def _dragged(state: State, x: Any, y: Any) -> tuple[float, float]:
    low, high = _edges(state)
    # As fine as a pixel: further digits would be noise in what the learner reads.
    digits = max(0, 2 - math.floor(math.log10(2 * state.frame.span)))
    place = []
    for k, value in enumerate((x, y)):
        found = min(high[k], max(low[k], as_number(value, "start", CALLER)))
        rounded = round(found, digits)
        place.append(rounded if low[k] <= rounded <= high[k] else found)
    return place[0], place[1]


def _first_place(state: State) -> tuple[float, float]:
    cut, shares = state.frame, _FIRST_PLACES[state.frame.kind]
    return _dragged(state, *(float(cut.centre[k]) + shares[k] * cut.span for k in (0, 1)))


def first_state(
    name: str,
    directions: str,
    *,
    own: Task | None = None,
    lr: float | None = None,
    start: tuple[float, float] | None = None,
    steps: int = 30,
    seed: int = 0,
) -> State:
    """The first state of an explorer, its values checked.

    Parameters
    ----------
    name, directions, lr, start, steps, seed
        As for `bplib.widgets.explorer.view`.
    own : Task, optional
        The learner's model.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    count = as_count(steps, "steps", 1, CALLER)
    if count > _MOST_STEPS:
        raise DomainError(f"{CALLER}: steps is {count}. Expected 1 to {_MOST_STEPS}. Try steps=30.")
    blank = State(steps=count, own=own)
    chosen = replace(blank, example=_example(blank, name), directions=_directions(blank, directions))
    chosen = replace(chosen, seed=_seed(chosen, seed), lr=chosen.task.lr)
    chosen = replace(chosen, start=_first_place(chosen), step=min(chosen.step, chosen.last))
    values: dict[str, Any] = {key: value for key, value in (("lr", lr), ("start", start)) if value is not None}
    return _set(chosen, values) if values else chosen
