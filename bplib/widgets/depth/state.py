"""The state of the depth bench and what each event makes of it: plain data, no widgets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.widgets.depth.signals import ACTIVATIONS, INITIALISATIONS, MOST_LAYERS
from bplib.widgets.depth.walk import LIMIT, MOST_STEPS, SURFACES

__all__ = ["PRESETS", "Event", "State", "first_state", "reduce"]

_ME = "depth bench"

PRESETS: dict[str, dict[str, Any]] = {
    "10 sigmoid layers": {"show": "layers", "depth": 10, "activation": "sigmoid", "init": "xavier"},
    "10 tanh layers": {"show": "layers", "depth": 10, "activation": "tanh", "init": "xavier"},
    "10 ReLU layers": {"show": "layers", "depth": 10, "activation": "relu", "init": "he"},
    "5 tanh layers, ±1/√n": {"show": "layers", "depth": 5, "activation": "tanh", "init": "uniform"},
    "5 tanh layers, Xavier": {"show": "layers", "depth": 5, "activation": "tanh", "init": "xavier"},
    "on the ridge": {"show": "saddle", "surface": "saddle", "start": (1.6, 0.0), "lr": 0.1, "noise": 0.0},
    "with noise": {"show": "saddle", "surface": "saddle", "start": (1.6, 0.0), "lr": 0.1, "noise": 1e-5},
    "a bowl": {"show": "saddle", "surface": "bowl", "start": (1.6, 0.0), "lr": 0.1, "noise": 1e-5},
    "two-weight network": {
        "show": "saddle", "surface": "linear_network", "start": (1.2, -1.2), "lr": 0.2, "noise": 1e-5,
    },
}  # fmt: skip
"""Name of a preset -> what it sets. The names say what is set, not what comes of it."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the depth bench shows follows from this.

    Parameters
    ----------
    show : {"layers", "saddle"}
        Which of the two pictures.
    depth : int
        Layers of the network, from 1 to 20.
    activation, init : str
        Keys of `ACTIVATIONS` and `INITIALISATIONS`.
    revealed : bool
        Whether the gradients below the top layer are shown.
    surface : str
        A key of `SURFACES`.
    start : tuple of float
        (w1, w2), each between -2 and 2.
    lr : float
        Learning rate η of the descent.
    noise : float
        Standard deviation of what is added to each gradient.
    steps : int
        How many steps of the descent are shown, from 0 to 100.
    width : int
        Units in each layer.
    seed : int
        Of weights, inputs and noise.
    """

    show: str = "layers"
    depth: int = 10
    activation: str = "sigmoid"
    init: str = "xavier"
    revealed: bool = False
    surface: str = "saddle"
    start: tuple[float, float] = (1.6, 0.0)
    lr: float = 0.1
    noise: float = 0.0
    steps: int = 40
    width: int = 100
    seed: int = 2

    @property
    def position(self) -> int:
        """Where the slider of the picture stands: over the depths from 1, or over the steps from 0."""
        return self.depth - 1 if self.show == "layers" else self.steps


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["show", "position", "set", "drag", "preset", "reset", "reveal"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        "set" takes a mapping of names to values and brings forward the picture that they belong to. A "drag"
        beyond the picture's edge stops there; a start given in code must lie inside.

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
    >>> reduce(State(), Event("preset", "10 ReLU layers")).init
    'he'
    >>> after = reduce(State(), Event("set", {"lr": 0.2}))
    >>> after.lr, after.show
    (0.2, 'saddle')
    """
    match event:
        case ("show", value):
            return replace(state, show=_one_of(value, ("layers", "saddle"), "show"))
        case ("position", int(value)):
            return _set(state, {"depth": value + 1} if state.show == "layers" else {"steps": value})
        case ("set", dict(values)) if values and values.keys() <= _CHECKS.keys():
            return _set(state, values)
        case ("drag", value):
            x, y = _pair(value)
            # A pixel is 0.0124 wide. Rounded, so that the pointer can hit the ridge, on which w₂ is exactly 0.
            return replace(state, start=(_clip(round(x, 2)), _clip(round(y, 2))))
        case ("preset", str(value)) if value in PRESETS:
            return _set(state, PRESETS[value])
        case ("reset", State() as first):
            return replace(first, revealed=state.revealed, show=state.show)
        case ("reveal", None):
            return replace(state, revealed=True)
    raise DomainError(f"{_ME}: there is no event {event.kind!r} with the value {event.value!r}.")


def _set(state: State, values: dict[str, Any]) -> State:
    checked: dict[str, Any] = {name: _CHECKS[name](value) for name, value in values.items() if name != "show"}
    return replace(state, show="layers" if checked.keys() <= _OF_LAYERS else "saddle", **checked)


_OF_LAYERS = {"depth", "activation", "init"}


def _one_of(value: Any, known: Iterable[str], name: str) -> str:
    if not isinstance(value, str) or value not in known:
        names = ", ".join(f'"{one}"' for one in known)
        raise DomainError(f"{_ME}: {name} is {value!r}. Expected one of {names}.")
    return value


def _whole(value: Any, name: str, least: int, most: int, example: int) -> int:
    number = as_count(value, name, least, _ME)
    if number > most:
        raise DomainError(
            f"{_ME}: {name} is {number}. Expected a whole number from {least} to {most}. Try {name}={example}."
        )
    return number


def _depth(value: Any) -> int:
    return _whole(value, "depth", 1, MOST_LAYERS, 10)


def _steps(value: Any) -> int:
    return _whole(value, "steps", 0, MOST_STEPS, 40)


def _lr(value: Any) -> float:
    number = as_number(value, "lr", _ME)
    if not 0 < number <= 1:
        raise DomainError(f"{_ME}: lr is {number:g}. Expected a learning rate above 0, at most 1. Try lr=0.1.")
    return number


def _noise(value: Any) -> float:
    number = as_number(value, "noise", _ME, least=0.0)
    if number > 1:
        raise DomainError(f"{_ME}: noise is {number:g}. Expected 0 to 1. Try noise=1e-5.")
    return number


def _pair(value: Any) -> tuple[float, float]:
    try:
        x, y = value
    except (TypeError, ValueError):
        raise DataError(f"{_ME}: start needs two numbers, (w1, w2), got {value!r}. Try (1.6, 0.0).") from None
    return as_number(x, "start", _ME), as_number(y, "start", _ME)


def _start(value: Any) -> tuple[float, float]:
    x, y = _pair(value)
    if max(abs(x), abs(y)) > LIMIT:
        raise DomainError(
            f"{_ME}: the start ({x:g}, {y:g}) lies outside the picture. Expected both weights between {-LIMIT:g} and "
            f"{LIMIT:g}, for example ({_clip(x):g}, {_clip(y):g})."
        )
    return x, y


def _clip(value: float) -> float:
    return min(LIMIT, max(-LIMIT, value))


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "depth": _depth,
    "activation": lambda value: _one_of(value, ACTIVATIONS, "activation"),
    "init": lambda value: _one_of(value, INITIALISATIONS, "init"),
    "surface": lambda value: _one_of(value, SURFACES, "surface"),
    "start": _start,
    "lr": _lr,
    "noise": _noise,
    "steps": _steps,
}


def first_state(depth: int, activation: str, init: str, width: int, seed: int, show: str) -> State:
    """The first state of a bench, its values checked.

    Parameters
    ----------
    depth, activation, init, width, seed, show
        As for `bplib.widgets.depth.view`.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    wide = _whole(width, "width", 8, 200, 100)
    chosen = State(width=wide, seed=as_count(seed, "seed", 0, _ME))
    network = _set(chosen, {"depth": depth, "activation": activation, "init": init})
    return reduce(network, Event("show", show))
