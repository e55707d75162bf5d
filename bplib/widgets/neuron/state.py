"""The state of the neuron bench and what each event makes of it: plain numbers, no widgets."""

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.tracing.figures import number
from bplib.widgets.neuron.passes import passes, updated

__all__ = ["CONTROLS", "MOST_UPDATES", "PRESETS", "Event", "Run", "State", "first_state", "reduce"]

Numbers = tuple[float, ...]

MOST_UPDATES = 300
"""So many updates at once; they take about 0.1 seconds."""

PRESETS: dict[str, dict[str, float]] = {
    "w = 0.6, b = 0.9": {"x": 1.0, "w": 0.6, "b": 0.9, "lr": 0.15, "y": 0.0},
    "w = 2, b = 2": {"x": 1.0, "w": 2.0, "b": 2.0, "lr": 0.15, "y": 0.0},
    "x = 0.5, w = 1.2, b = 0.9": {"x": 0.5, "w": 1.2, "b": 0.9, "lr": 0.15, "y": 0.0},
    "x = 0": {"x": 0.0, "w": 0.6, "b": 0.9, "lr": 0.15, "y": 0.0},
    "target 1": {"x": 1.0, "w": -1.0, "b": 0.0, "lr": 0.15, "y": 1.0},
}
"""Name -> its five numbers. The first two are Nielsen's; no name says what is to be seen there."""

CONTROLS: dict[str, Numbers] = {
    "w": tuple(round(0.05 * k, 2) for k in range(-60, 61)),
    "b": tuple(round(0.1 * k, 1) for k in range(-30, 31)),
    "x": tuple(round(0.1 * k, 1) for k in range(-20, 21)),
    "lr": (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
}
"""The round numbers of each slider."""

_MOST = 10.0
_MOST_RATE = 100.0
_MOST_IN_ALL = 3000
_WORDS = {"w": "weight", "b": "bias", "x": "input", "lr": "learning rate", "y": "target"}
_TRY = {"w": 0.6, "b": 0.9, "x": 1.0, "lr": 0.15, "y": 0.0}


@final
@dataclass(frozen=True, slots=True)
class Run:
    """Updates in a row, with the values before the first and after each of them.

    Parameters
    ----------
    x, y : float
        Input and target, the same all along.
    w, b, output, loss : tuple of float, length n + 1
    rates : tuple of float, length n
        The learning rate of each update.
    pressed : int
        How many of the updates came last, at one press.
    """

    x: float
    y: float
    w: Numbers
    b: Numbers
    output: Numbers
    loss: Numbers
    rates: Numbers = ()
    pressed: int = 0

    @property
    def updates(self) -> int:
        """How many updates there are."""
        return len(self.rates)


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the neuron bench shows follows from this.

    Parameters
    ----------
    x, w, b, lr, y : float
        Input, weight, bias, learning rate and target, exactly; after an update w and b are no round numbers.
    gradients_shown : bool
        Whether Backward was pressed.
    run : Run, optional
        The updates done last; they go on only from where they ended.
    earlier : Run, optional
        The run before that one.
    ws, bs, xs, lrs : tuple of float
        The values of each slider, ascending: round numbers, and where it stands between them.
    note : str
        What else there is to say: "first" where there was nothing to go back to, "too many"; mostly empty.
    """

    x: float = 1.0
    w: float = 0.6
    b: float = 0.9
    lr: float = 0.15
    y: float = 0.0
    gradients_shown: bool = False
    run: Run | None = None
    earlier: Run | None = None
    ws: Numbers = CONTROLS["w"]
    bs: Numbers = CONTROLS["b"]
    xs: Numbers = CONTROLS["x"]
    lrs: Numbers = CONTROLS["lr"]
    note: str = ""

    @property
    def position(self) -> int:
        """Where the weight stands on the main slider."""
        return self.ws.index(self.w)

    def ends_run_at(self, w: float) -> bool:
        """Whether the run ended with these values and this weight: it can go on from here."""
        run = self.run
        return run is not None and (run.x, run.y, run.w[-1], run.b[-1]) == (self.x, self.y, w, self.b)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal[
        "position", "w", "b", "x", "lr", "y", "set", "preset", "gradients", "update", "back", "reset",
    ]  # fmt: skip
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    Parameters
    ----------
    state : State
    event : Event
        The value of "set" is a mapping with some of the names w, b, x, lr, y; of "update" a number from 1 to 300; of
        "gradients" True or False; of "back" the state to go back to, or None; of "reset" the first state.

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
    >>> reduce(State(), Event("preset", "w = 2, b = 2")).b
    2.0
    >>> after = reduce(State(), Event("update", 300))
    >>> [round(after.run.output[k], 2) for k in (0, -1)]
    [0.82, 0.09]
    """
    state = replace(state, note="")
    match event:
        case ("position", int(value)) if 0 <= value < len(state.ws):
            return replace(state, w=state.ws[value])
        case ("w" | "b" | "x" | "lr" | "y" as name, value):
            return _with(state, {name: value})
        case ("set", dict(values)):
            return _with(state, values)
        case ("preset", str(name)) if name in PRESETS:
            return _with(state, PRESETS[name])
        case ("gradients", bool(value)):
            return replace(state, gradients_shown=value)
        case ("gradients", other):
            raise DataError(f"neuron bench: gradients_shown is {other!r}. Expected True or False.")
        case ("update", n):
            return _update(state, _count(n))
        case ("back", State() as other):
            return replace(other, lr=state.lr, lrs=state.lrs, note="")
        case ("back", None):
            return replace(state, note="first")
        case ("reset", State() as first):
            return first
    raise DomainError(f"neuron bench: there is no event {event.kind!r} with the value {event.value!r}.")


# ---------------------------------------------------------------- what is set


def _with(state: State, values: dict[str, Any]) -> State:
    checked = {name: _checked(name, value) for name, value in values.items()}
    sliders = {f"{name}s": _with_stop(CONTROLS[name], value) for name, value in checked.items() if name in CONTROLS}
    return replace(state, **checked, **sliders)  # type: ignore[arg-type]  # each name of the two is a field


def _with_stop(stops: Numbers, value: float) -> Numbers:
    """The slider's stops and the value itself, in place of one that would read the same."""
    label = number(value, 4)
    return tuple(sorted({stop for stop in stops if number(stop, 4) != label} | {value}))


def _checked(name: str, value: Any) -> float:
    if name not in _WORDS:
        raise DomainError(
            f"neuron bench: there is nothing called {name!r} to set. Expected some of x, w, b, lr and y. "
            "Try bench.set(w=2, b=2)."
        )
    found = as_number(value, name, "neuron bench") + 0.0  # −0.0 would be read as "−0"
    if name == "y" and not 0 <= found <= 1:
        raise DomainError(
            f"neuron bench: the target is {found:g}. Expected 0 to 1, because σ gives numbers between 0 and 1. Try y=0."
        )
    if name == "lr" and not 0 < found <= _MOST_RATE:
        raise DomainError(
            f"neuron bench: the learning rate is {found:g}. Expected more than 0, at most {_MOST_RATE:g}. Try lr=0.15."
        )
    if abs(found) > _MOST and name != "lr":
        raise DomainError(
            f"neuron bench: the {_WORDS[name]} is {found:g}. Expected {-_MOST:g} to {_MOST:g}. "
            f"Try {name}={_TRY[name]:g}."
        )
    return found


# ---------------------------------------------------------------- updates


def _count(n: Any) -> int:
    count = as_count(n, "updates", 1, "neuron bench")
    if count > MOST_UPDATES:
        raise DomainError(
            f"neuron bench: {count} updates at once are too many. Expected 1 to {MOST_UPDATES}, such as 10."
        )
    return count


def _update(state: State, n: int) -> State:
    going_on = state.run if state.ends_run_at(state.w) else None
    if going_on is not None and going_on.updates + n > _MOST_IN_ALL:
        return replace(state, note="too many")
    run = _longer(going_on or _beginning(state), state.lr, n)
    w, b = run.w[-1], run.b[-1]
    return replace(
        state, w=w, b=b, run=run, earlier=state.earlier if going_on else state.run, gradients_shown=True,
        ws=_with_stop(CONTROLS["w"], w), bs=_with_stop(CONTROLS["b"], b),
    )  # fmt: skip


def _beginning(state: State) -> Run:
    found = passes(state.w, state.b, state.x, state.y)
    return Run(state.x, state.y, (state.w,), (state.b,), (float(found.output[0]),), (float(found.loss[0]),))


def _longer(run: Run, lr: float, n: int) -> Run:
    """The run after n more times Forward – Loss – Backward – Update."""
    w, b = run.w[-1], run.b[-1]
    found = passes(w, b, run.x, run.y)
    rows: list[Numbers] = []
    for _ in range(n):
        w, b = updated(w, b, found, lr)
        found = passes(w, b, run.x, run.y)
        rows.append((w, b, float(found.output[0]), float(found.loss[0])))
    weights, biases, outputs, losses = zip(*rows, strict=True)
    return replace(
        run, w=run.w + weights, b=run.b + biases, output=run.output + outputs, loss=run.loss + losses,
        rates=run.rates + (lr,) * n, pressed=n,
    )  # fmt: skip


def first_state(x: float = 1.0, w: float = 0.6, b: float = 0.9, lr: float = 0.15, y: float = 0.0) -> State:
    """The first state of a bench, its values checked; nothing is computed backward yet.

    Parameters
    ----------
    x, w, b : float
        Input, weight and bias, each between -10 and 10.
    lr : float
        Learning rate η, above 0 and at most 100.
    y : float
        Target, from 0 to 1.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Examples
    --------
    >>> first_state(w=0.617).ws[71:74]
    (0.55, 0.6, 0.617)
    """
    return _with(State(), {"x": x, "w": w, "b": b, "lr": lr, "y": y})
