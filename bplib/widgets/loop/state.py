"""The state of the loop stepper and what each event makes of it: plain numbers, no widgets.

Every number comes from the library itself: `nn` for Forward, `losses.mse` for Loss, ``backward()`` for
Backward, `optim.SGD` for Update.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

import numpy as np

from bplib import losses, nn, optim
from bplib.checks import as_count, as_generator, as_number
from bplib.data import xor
from bplib.errors import DataError, DomainError

__all__ = ["MOST_LOOPS", "RATES", "STAGES", "Event", "State", "first_state", "following", "has_diverged", "reduce"]

STAGES: tuple[str, ...] = ("Forward", "Loss", "Backward", "Update")
"""The four stages of the loop, in their order."""

RATES: tuple[float, ...] = (
    0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5,
    2.0, 2.5, 3.0, 4.0, 5.0,
)  # fmt: skip
"""The learning rates of the slider."""

MOST_LOOPS = 2000
"""So many loops at once; they take about 0.1 seconds."""

_X, _Y = xor()
_MOST_IN_ALL = 10_000
_MOST_HIDDEN = 3

Numbers = tuple[float, ...]


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the loop stepper shows follows from this.

    Parameters
    ----------
    parameters : tuple of float
        The weights into the hidden units, their biases, the weights into the output, its bias: θ of the network.
    lr : float
        Learning rate of the next Update.
    skip_update : bool
        Whether Forward follows on Backward.
    rates : tuple of float
        The learning rates of the slider, ascending.
    done : str
        The stage done last; empty before the first.
    predictions : tuple of float, optional
        Of the last Forward, one for each example.
    loss : float, optional
        Of these predictions, once Loss has computed it.
    gradients : tuple of float, optional
        One for each parameter, from Backward until Update has used them.
    change : tuple of float, optional
        What the last Update added to each parameter, until the next Forward.
    losses : tuple of float
        The loss of every loop so far.
    updates : int
        How often the parameters were updated.
    note : tuple
        What else there is to say: ("refused", stage), ("loops", number, updates, loss before), ("too many", n),
        ("rate",), ("skip",), ("first",) where there was nothing to go back to; empty where `done` says it all.
    """

    parameters: Numbers
    lr: float = 0.3
    skip_update: bool = False
    rates: Numbers = RATES
    done: str = ""
    predictions: Numbers | None = None
    loss: float | None = None
    gradients: Numbers | None = None
    change: Numbers | None = None
    losses: Numbers = ()
    updates: int = 0
    note: tuple[Any, ...] = ()

    @property
    def hidden(self) -> int:
        """How many hidden units there are: h units have 2h + h + h + 1 parameters."""
        return (len(self.parameters) - 1) // 4

    @property
    def position(self) -> int:
        """Where the learning rate stands on the slider."""
        return self.rates.index(self.lr)

    @property
    def stale(self) -> bool:
        """Whether the predictions are older than the parameters."""
        return self.done == "Update"


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal["press", "loops", "lr", "position", "skip", "reset", "back"]
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    A stage pressed out of order is no error: the new state differs from the old one in its note alone.

    Parameters
    ----------
    state : State
    event : Event
        The value of "press" is a stage; of "loops" (n, skip), n from 1 to 2000, skip True, False or None for as the
        state says; of "reset" the first state; of "back" the state to go back to, or None.

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
    >>> first = first_state()
    >>> reduce(first, Event("press", "Forward")).done
    'Forward'
    >>> reduce(first, Event("press", "Update")).note
    ('refused', 'Update')
    """
    match event:
        case ("press", str(stage)) if stage in STAGES:
            return _press(state, stage)
        case ("press", other):
            raise DomainError(
                f"loop stepper: there is no stage {other!r}. Expected one of {', '.join(STAGES)}, "
                'for example press("Forward").'
            )
        case ("loops", (n, bool() | None as skip)):
            return _loops(state, as_count(n, "loops", 1, "loop stepper"), state.skip_update if skip is None else skip)
        case ("lr", value):
            return _with_rate(state, _rate(value))
        case ("position", int(value)) if 0 <= value < len(state.rates):
            return _with_rate(state, state.rates[value])
        case ("skip", bool(value)):
            return replace(state, skip_update=value, note=("skip",))
        case ("skip", other):
            raise DataError(f"loop stepper: skip_update is {other!r}. Expected True or False.")
        case ("reset" | "back", State() as other):
            return _with_controls_of(state, other)
        case ("back", None):
            return replace(state, note=("first",))
    raise DomainError(f"loop stepper: there is no event {event.kind!r} with the value {event.value!r}.")


def following(state: State) -> str:
    """The stage that comes next; empty where the numbers have outgrown the computer.

    Parameters
    ----------
    state : State

    Returns
    -------
    str

    Examples
    --------
    >>> following(first_state())
    'Forward'
    """
    if has_diverged(state):
        return ""
    if not state.done or state.done == "Update" or (state.done == "Backward" and state.skip_update):
        return "Forward"
    return STAGES[STAGES.index(state.done) + 1]


def has_diverged(state: State) -> bool:
    """Whether some number has become too large to compute with.

    Parameters
    ----------
    state : State

    Returns
    -------
    bool
    """
    loss = 0.0 if state.loss is None else state.loss
    return not all(map(math.isfinite, (*state.parameters, *(state.predictions or ()), *(state.gradients or ()), loss)))


# ---------------------------------------------------------------- the four stages


def _network(state: State) -> nn.Sequential:
    made = nn.Sequential(nn.Linear(2, state.hidden, rng=0), nn.Tanh(), nn.Linear(state.hidden, 1, rng=0))
    made.theta = state.parameters
    return made


def _forward(state: State) -> State:
    prediction = _network(state)(_X)
    return replace(state, predictions=_numbers(prediction.numpy()), loss=None, gradients=None, change=None)


def _loss(state: State) -> State:
    loss = losses.mse(np.reshape(state.predictions or (), _Y.shape), _Y).item()
    return replace(state, loss=loss, losses=(*state.losses, loss))


def _backward(state: State) -> State:
    network = _network(state)
    losses.mse(network(_X), _Y).backward()
    return replace(state, gradients=_numbers(network.theta_grad))


def _update(state: State) -> State:
    network = _network(state)
    network.theta_grad = state.gradients
    optim.SGD(network.parameters(), lr=state.lr).step()
    change = _numbers(network.theta - np.array(state.parameters))
    new = _numbers(network.theta)
    return replace(state, parameters=new, gradients=None, change=change, updates=state.updates + 1)


_DO = {"Forward": _forward, "Loss": _loss, "Backward": _backward, "Update": _update}


def _numbers(array: np.ndarray) -> Numbers:
    return tuple(array.ravel().tolist())


def _do(state: State, stage: str) -> State:
    return replace(_DO[stage](state), done=stage, note=())


def _press(state: State, stage: str) -> State:
    return _do(state, stage) if stage == following(state) else replace(state, note=("refused", stage))


# ---------------------------------------------------------------- many loops


def _loops(state: State, n: int, skip: bool) -> State:
    if n > MOST_LOOPS:
        raise DomainError(f"loop stepper: {n} loops at once are too many. Expected 1 to {MOST_LOOPS}, such as 100.")
    if has_diverged(state):
        return replace(state, note=("refused", "Forward"))
    if len(state.losses) + n > _MOST_IN_ALL:
        return replace(state, note=("too many", n))
    ended, left = replace(state, skip_update=skip), n
    if following(ended) != "Forward":  # the loop that was begun by hand is the first
        ended, left = _to_the_end(ended), n - 1
    if left and following(ended):
        # All loops but the last leave nothing behind except their loss.
        ended = _to_the_end(_train(ended, left - 1))
    updates = ended.updates - state.updates
    # Without an update all these loops have one loss; an earlier one belonged to other weights.
    before = ended.losses[-1] if not updates else state.losses[-1] if state.losses else None
    note = ("loops", n, updates, before)
    return replace(ended, skip_update=state.skip_update, note=note)


def _to_the_end(state: State) -> State:
    state = _do(state, following(state))
    while following(state) not in ("", "Forward"):
        state = _do(state, following(state))
    return state


def _train(state: State, n: int) -> State:
    network = _network(state)
    optimizer = optim.SGD(network.parameters(), lr=state.lr)
    found: list[float] = []
    theta, updates = network.theta.copy(), 0
    for _ in range(n):
        loss = losses.mse(network(_X), _Y)
        optimizer.zero_grad()
        loss.backward()
        if not state.skip_update:
            optimizer.step()
        if not (math.isfinite(loss.item()) and np.isfinite(network.theta).all()):
            break  # the loop in which the numbers become too large is gone through stage by stage
        found.append(loss.item())
        theta, updates = network.theta.copy(), updates + (not state.skip_update)
    return replace(state, parameters=_numbers(theta), losses=(*state.losses, *found), updates=state.updates + updates)


# ---------------------------------------------------------------- what is set


def _with_rate(state: State, rate: float) -> State:
    rates = state.rates if rate in state.rates else tuple(sorted({*state.rates, rate}))
    return replace(state, lr=rate, rates=rates, note=("rate",))


def _with_controls_of(state: State, other: State) -> State:
    """Another state's numbers; learning rate and switch stay where the learner put them."""
    return replace(other, lr=state.lr, rates=state.rates, skip_update=state.skip_update, note=())


def _rate(value: Any) -> float:
    rate = as_number(value, "lr", "loop stepper")
    if not 0 < rate <= 10:
        raise DomainError(
            f"loop stepper: the learning rate is {rate:g}. Expected more than 0, at most 10, such as 0.3."
        )
    return rate


def first_state(hidden: int = 3, lr: float = 0.3, seed: int = 0) -> State:
    """The first state of a stepper: a network of random parameters, and nothing computed.

    Parameters
    ----------
    hidden : int
        Hidden units, from 1 to 3.
    lr : float
        Learning rate η, above 0 and at most 10.
    seed : int
        Which random parameters.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Examples
    --------
    >>> state = first_state()
    >>> len(state.parameters), state.hidden
    (13, 3)
    """
    units = as_count(hidden, "hidden", 1, "loop stepper")
    if units > _MOST_HIDDEN:
        raise DomainError(
            f"loop stepper: {units} hidden units do not fit into the picture. Expected 1 to {_MOST_HIDDEN}, such as 3."
        )
    rng = as_generator(seed, "loop stepper")
    layers = (nn.Linear(2, units, rng=rng), nn.Tanh(), nn.Linear(units, 1, rng=rng))
    first = State(_numbers(nn.Sequential(*layers).theta))
    return replace(_with_rate(first, _rate(lr)), note=())
