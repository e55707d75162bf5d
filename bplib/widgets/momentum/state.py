"""The state of the momentum plane and what each event makes of it: plain data, no widgets."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, final

from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.widgets.momentum.descent import LIMIT, best_momentum, best_plain
from bplib.widgets.momentum.noise import SIZES, best_weights
from bplib.widgets.momentum.noise_scene import WINDOW

__all__ = ["BETAS", "NOISE_PRESETS", "PRESETS", "Event", "NoisePreset", "Preset", "State", "first_state", "reduce"]

_CALLER = "momentum plane"
_LARGEST_CONDITION = 1000.0

BETAS: tuple[float, ...] = tuple(k / 100 for k in range(101))
"""The momenta of the slider; one of your own is added to them."""


@final
class Preset(NamedTuple):
    """A point of the plane, and the line of code that goes there.

    Parameters
    ----------
    condition_number, eta_lambda, beta : float
    code : str
    """

    condition_number: float
    eta_lambda: float
    beta: float
    code: str


_GO = "plane.condition_number, plane.lr, plane.beta = "
_PLAIN, _MOMENTUM = best_plain(100), best_momentum(100)

PRESETS: dict[str, Preset] = {
    "over-damped": Preset(1.0, 0.16, 0.1, _GO + "1, 0.16, 0.1"),
    "critical": Preset(1.0, 0.16, 0.36, _GO + "1, 0.16, 0.36"),
    "under-damped": Preset(1.0, 0.16, 0.8, _GO + "1, 0.16, 0.8"),
    "the limit": Preset(1.0, 3.0, 0.5, _GO + "1, 3, 0.5"),
    "diverging": Preset(1.0, 3.1, 0.5, _GO + "1, 3.1, 0.5"),
    "κ = 100, best plain": Preset(100.0, 100 * _PLAIN.lr, 0.0, _GO + "100, 2/101, 0"),
    "κ = 100, best momentum": Preset(100.0, 100 * _MOMENTUM.lr, _MOMENTUM.beta, _GO + "100, (2/11)**2, (9/11)**2"),
}
"""Name of a preset of the plane -> the point. All three ways of damping have the same ηλ."""


@final
class NoisePreset(NamedTuple):
    """A batch size and a place, and the line of code that goes there.

    Parameters
    ----------
    batch_size : int
    weights : tuple of float, or None
        (w, b); None stands for the best weights.
    code : str
    """

    batch_size: int
    weights: tuple[float, float] | None
    code: str


_START = (0.5, 2.5)
_SET = "plane.batch_size, plane.weights = "
NOISE_PRESETS: dict[str, NoisePreset] = {
    "one example": NoisePreset(1, _START, _SET + "1, (0.5, 2.5)"),
    "mini-batch": NoisePreset(16, _START, _SET + "16, (0.5, 2.5)"),
    "as many as there are": NoisePreset(128, _START, _SET + "128, (0.5, 2.5)"),
    "one example, at the minimum": NoisePreset(1, None, _SET + "1, plane.best_weights"),
    "mini-batch, at the minimum": NoisePreset(16, None, _SET + "16, plane.best_weights"),
}
"""Name of a preset of the noise -> batch size and place."""


@final
@dataclass(frozen=True, slots=True)
class State:
    """Everything the momentum plane shows follows from this.

    Parameters
    ----------
    eta_lambda : float
        Learning rate times the largest curvature, from 0 to 4.
    beta : float
        Momentum, one of `betas`.
    condition_number : float
        κ, from 1 to 1000: the curvatures are 1 and κ, or 1 alone.
    batch_size : int
        One of `SIZES`.
    weights : tuple of float
        (w, b), where gradients are taken and SGD starts.
    seed : int
        Which batches are drawn.
    revealed : bool
        Whether the law of the noise is shown.
    show : {"plane", "noise"}
    betas : tuple of float
        The momenta of the slider, ascending.
    """

    eta_lambda: float = 0.16
    beta: float = 0.8
    condition_number: float = 1.0
    batch_size: int = 16
    weights: tuple[float, float] = _START
    seed: int = 0
    revealed: bool = False
    show: Literal["plane", "noise"] = "plane"
    betas: tuple[float, ...] = BETAS

    @property
    def lr(self) -> float:
        """Learning rate η: ηλ divided by the largest curvature, κ."""
        return self.eta_lambda / self.condition_number

    @property
    def position(self) -> int:
        """Where the slider stands: over the momenta, or over the batch sizes."""
        if self.show == "noise":
            return SIZES.index(self.batch_size)
        return self.betas.index(self.beta)

    @property
    def preset(self) -> str | None:
        """Name of the preset that this state is, if it is one."""
        if self.show == "noise":
            here = (self.batch_size, self.weights)
            return next((name for name, p in NOISE_PRESETS.items() if (p.batch_size, _place(p)) == here), None)
        return next((name for name, point in PRESETS.items() if _same(self, point)), None)


class Event(NamedTuple):
    """Something the learner did: what kind, and to which value."""

    kind: Literal[
        "lr", "eta_lambda", "beta", "condition", "batch", "weights", "position", "drag", "preset", "show", "draw",
        "reset", "reveal",
    ]  # fmt: skip
    value: Any = None


def reduce(state: State, event: Event) -> State:
    """The state after an event; the one before is not changed.

    What belongs to the plane brings the plane to the front, what belongs to the noise the noise.

    Parameters
    ----------
    state : State
    event : Event
        A "drag", ("point" or "weights", x, y), beyond the edge stops there; a value given in code must lie inside.

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
    >>> reduce(State(), Event("preset", "critical")).beta
    0.36
    >>> reduce(State(), Event("drag", ("point", 9.0, 0.5))).eta_lambda
    4.0
    """
    match event:
        case ("lr", value):
            return replace(state, eta_lambda=_product_of(value, state.condition_number), show="plane")
        case ("eta_lambda", value):
            return replace(state, eta_lambda=_product(value), show="plane")
        case ("beta", value):
            return _with_beta(replace(state, show="plane"), _momentum(value))
        case ("condition", value):
            return replace(state, condition_number=_condition(value), show="plane")
        case ("batch", value):
            return replace(state, batch_size=_size(value), show="noise")
        case ("weights", value):
            return replace(state, weights=_inside(value), show="noise")
        case ("show", "plane" | "noise" as shown):
            return replace(state, show=shown)
        case ("draw", None):
            return replace(state, seed=state.seed + 1, show="noise")
        case ("reset", State() as first):
            return replace(first, revealed=state.revealed, show=state.show)
        case ("reveal", None):
            return replace(state, revealed=True)
    return _moved(state, event)


def _moved(state: State, event: Event) -> State:
    """The events of the slider, of the handles and of the list of presets."""
    match event:
        case ("position", int(value)) if state.show == "noise" and 0 <= value < len(SIZES):
            return replace(state, batch_size=SIZES[value])
        case ("position", int(value)) if state.show == "plane" and 0 <= value < len(state.betas):
            return replace(state, beta=state.betas[value])
        case ("drag", ("point", x, y)):
            across = min(LIMIT, max(0.0, _finite(x, "ηλ")))
            up = min(1.0, max(0.0, _finite(y, "beta")))
            # A pixel is about this wide: further digits would be noise in what the learner reads.
            return _with_beta(replace(state, eta_lambda=round(across, 2)), round(up, 2))
        case ("drag", ("weights", x, y)):
            w, b = (_clip(_finite(value, "weights"), edges) for value, edges in zip((x, y), WINDOW, strict=True))
            return replace(state, weights=(round(w, 2), round(b, 2)))
        case ("preset", str(name)) if name in PRESETS:
            point = PRESETS[name]
            there = replace(state, condition_number=point.condition_number, eta_lambda=point.eta_lambda)
            return _with_beta(replace(there, show="plane"), point.beta)
        case ("preset", str(name)) if name in NOISE_PRESETS:
            chosen = NOISE_PRESETS[name]
            return replace(state, batch_size=chosen.batch_size, weights=_place(chosen), show="noise")
    raise DomainError(f"{_CALLER}: there is no event {event.kind!r} with the value {event.value!r}.")


def _place(preset: NoisePreset) -> tuple[float, float]:
    return best_weights() if preset.weights is None else preset.weights


def _same(state: State, point: Preset) -> bool:
    pairs = ((state.condition_number, point[0]), (state.eta_lambda, point[1]), (state.beta, point[2]))
    return all(math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) for one, other in pairs)


def _with_beta(state: State, beta: float) -> State:
    nearest = min(state.betas, key=lambda known: abs(known - beta))
    if math.isclose(nearest, beta, rel_tol=1e-9, abs_tol=1e-12):
        return replace(state, beta=nearest)
    return replace(state, beta=beta, betas=tuple(sorted({*BETAS, beta})))


def _finite(value: Any, name: str) -> float:
    return as_number(value, name, _CALLER)


def _product(value: Any) -> float:
    number = _finite(value, "eta_lambda")
    if not 0 <= number <= LIMIT:
        raise DomainError(
            f"{_CALLER}: eta_lambda is {number:g}. It is the learning rate times the largest curvature: expected 0 "
            f"to {LIMIT:g}, the width of the map; beyond it every momentum diverges. Try eta_lambda=1.0."
        )
    return number


def _product_of(value: Any, condition_number: float) -> float:
    lr, most = _finite(value, "lr"), LIMIT / condition_number
    # The map's edge in another order of rounding is still the edge.
    if math.isclose(lr, most, rel_tol=1e-12):
        return LIMIT
    if not 0 <= lr <= most:
        raise DomainError(
            f"{_CALLER}: lr is {lr:g}. With curvatures up to {condition_number:g} expected 0 to {most:g}, so "
            f"that ηλ lies between 0 and {LIMIT:g}. Try lr={1 / condition_number:g}."
        )
    return lr * condition_number


def _momentum(value: Any) -> float:
    number = _finite(value, "beta")
    if not 0 <= number <= 1:
        raise DomainError(
            f"{_CALLER}: beta is {number:g}. It is the share of the momentum that is kept: expected 0 to 1, for "
            "example beta=0.9."
        )
    return number


def _condition(value: Any) -> float:
    number = _finite(value, "condition_number")
    if not 1 <= number <= _LARGEST_CONDITION:
        raise DomainError(
            f"{_CALLER}: condition_number is {number:g}. It is the largest curvature divided by the smallest: "
            f"expected 1 to {_LARGEST_CONDITION:g}, for example 100."
        )
    return number


def _size(value: Any) -> int:
    size = as_count(value, "batch_size", 1, _CALLER)
    if size not in SIZES:
        nearest = min(SIZES, key=lambda known: abs(math.log(known / min(size, 10**6))))
        raise DomainError(
            f"{_CALLER}: the slider has no batch_size {size if size < 10**9 else 'so large'}. Expected one of "
            f"{', '.join(map(str, SIZES))}; the nearest is {nearest}."
        )
    return size


def _clip(value: float, edges: tuple[float, float]) -> float:
    return min(edges[1], max(edges[0], value))


def _inside(value: Any) -> tuple[float, float]:
    try:
        w, b = value
    except (TypeError, ValueError):
        raise DataError(f"{_CALLER}: weights needs two numbers, (w, b), got {value!r}. Try (0.5, 2.5).") from None
    place = _finite(w, "w"), _finite(b, "b")
    inside = _clip(place[0], WINDOW[0]), _clip(place[1], WINDOW[1])
    if place != inside:
        (left, right), (low, high) = WINDOW
        raise DomainError(
            f"{_CALLER}: the weights ({place[0]:g}, {place[1]:g}) lie outside the picture. Expected w from {left:g} to "
            f"{right:g} and b from {low:g} to {high:g}, for example ({inside[0]:g}, {inside[1]:g})."
        )
    return place


def first_state(
    eta_lambda: float, beta: float, condition_number: float, batch_size: int, show: str, *, seed: int = 0
) -> State:
    """The first state of a plane, its values checked.

    Parameters
    ----------
    eta_lambda, beta, condition_number, batch_size, show, seed
        As for `momentum_plane`; a momentum that the slider does not have is added to it.

    Returns
    -------
    State

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.
    """
    if show not in ("plane", "noise"):
        raise DomainError(f"{_CALLER}: show is {show!r}. Expected 'plane' or 'noise'. Try show='plane'.")
    start = State(
        _product(eta_lambda),
        condition_number=_condition(condition_number),
        batch_size=_size(batch_size),
        seed=as_count(seed, "seed", 0, _CALLER),
        show="noise" if show == "noise" else "plane",
    )
    return _with_beta(start, _momentum(beta))
