"""The momentum plane: what learning rate and momentum do together, and how the gradients of batches scatter."""

import math
from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, set_positions, toggle
from bplib.widgets.momentum.descent import MOST, Walks, momentum_walks
from bplib.widgets.momentum.noise import SIZES, Noise, batch_noise, best_weights
from bplib.widgets.momentum.noise_scene import noise_live_marks, noise_live_words, noise_scene
from bplib.widgets.momentum.scene import live_marks, live_words, plane_scene
from bplib.widgets.momentum.state import BETAS, NOISE_PRESETS, PRESETS, Event, State, first_state, reduce
from bplib.widgets.momentum.words import momentum_sentence, noise_sentence
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["MomentumPlane", "momentum_plane"]

Floats = npt.NDArray[np.float64]

_CONDITIONS = (1.0, 10.0, 100.0, 1000.0)
_OWN = "your own"


@final
class MomentumPlane(View[State]):
    """The live widget; `momentum_plane` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the outcome.
    name : str
        A second plane of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "momentum plane") -> None:
        self._table_at = state.position
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def show(self) -> str:
        """Which picture is in front, "plane" or "noise"; set it to change."""
        return self._state.show

    @show.setter
    def show(self, value: str) -> None:
        self._apply(Event("show", value))

    @property
    def lr(self) -> float:
        """Learning rate η; set it to move the point sideways."""
        return self._state.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._apply(Event("lr", value))

    @property
    def eta_lambda(self) -> float:
        """ηλ, learning rate times the largest curvature, from 0 to 4; set it to move the point sideways."""
        return self._state.eta_lambda

    @eta_lambda.setter
    def eta_lambda(self, value: float) -> None:
        self._apply(Event("eta_lambda", value))

    @property
    def beta(self) -> float:
        """Momentum β, from 0 to 1; set it to move the point and the slider."""
        return self._state.beta

    @beta.setter
    def beta(self, value: float) -> None:
        self._apply(Event("beta", value))

    @property
    def condition_number(self) -> float:
        """Condition number κ; above 1 the weights have two directions with the curvatures 1 and κ."""
        return self._state.condition_number

    @condition_number.setter
    def condition_number(self, value: float) -> None:
        self._apply(Event("condition", value))

    @property
    def radius(self) -> float:
        """Spectral radius: what a step multiplies the distance by in the long run, in the slowest direction."""
        return float(self._walk().radii.max())

    @property
    def steps_to_millionth(self) -> int | None:
        """Step from which the distance stays within 10⁻⁶ of the start's; None if never or after 10,000 steps."""
        count = float(self._walk().counts[0])
        return int(count) if math.isfinite(count) and count <= MOST else None

    @property
    def path(self) -> Floats:
        """A copy of the weights of 100 steps of `sgd_step`, shape (101, directions)."""
        return self._walk().places[0].copy()

    @property
    def batch_size(self) -> int:
        """Examples in a batch, B, one of 1, 2, 4, ..., 128; set it to move the slider of the noise."""
        return self._state.batch_size

    @batch_size.setter
    def batch_size(self, value: int) -> None:
        self._apply(Event("batch", value))

    @property
    def weights(self) -> tuple[float, float]:
        """Weights (w, b) at which the gradients are taken; set them to move the handle of the noise."""
        return self._state.weights

    @weights.setter
    def weights(self, value: tuple[float, float]) -> None:
        self._apply(Event("weights", value))

    @property
    def best_weights(self) -> tuple[float, float]:
        """Weights (w, b) at which the full gradient is zero."""
        return best_weights()

    @property
    def batch_gradients(self) -> Floats:
        """A copy of the gradients of 500 batches of the present size, shape (500, 2)."""
        return self._noise().batches[self._size()].copy()

    @property
    def full_gradient(self) -> Floats:
        """A copy of the gradient over all 128 examples, shape (2,)."""
        return self._noise().full.copy()

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        if self._state.show == "noise":
            return noise_sentence(self._noise(), self._size(), revealed=self._state.revealed)
        return momentum_sentence(self._walk(), 0)

    def draw(self) -> None:
        """Draw other batches."""
        self._apply(Event("draw"))

    def reveal(self) -> None:
        """Show how the gradients' standard deviation depends on the batch size."""
        self._apply(Event("reveal"))

    def reset(self) -> None:
        """Go back to the first point, weights and batches; what was revealed stays."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state, with the law of the noise where there is a question above it."""
        revealed = self._state.revealed or bool(self._question)
        return render(self._scene_of(revealed), self._state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _scene(self) -> Scene:
        return self._scene_of(self._state.revealed)

    def _scene_of(self, revealed: bool) -> Scene:
        state = self._state
        if state.show == "noise":
            return noise_scene(self._noise(), revealed=revealed)
        return plane_scene(momentum_walks(state.eta_lambda, state.condition_number, state.betas))

    def _position(self) -> int:
        # A drag moves the momentum too. Until it rests the table stays at one position, or it would shine through.
        return self._table_at if self._rebuild.pending else self._state.position

    def _key(self) -> State:
        if self._state.show == "noise":
            return replace(self._state, batch_size=SIZES[0])
        return replace(self._state, beta=BETAS[0])

    def _show(self) -> None:
        super()._show()
        self._bring_controls()

    def _live_marks(self) -> tuple[dict[str, Floats], dict[str, str], str]:
        if self._state.show == "noise":
            noise, size = self._noise(), self._size()
            return noise_live_marks(noise, size), noise_live_words(noise, size), self.sentence
        walk = self._walk()
        return live_marks(walk), live_words(walk), self.sentence

    def _show_controls(self) -> None:
        state, noise = self._state, self._state.show == "noise"
        self._shown.value = state.show
        self._show_slider()
        self._set_condition(state.condition_number)
        for control, visible in (
            (self._condition, not noise), (self._preset, not noise), (self._noise_preset, noise), (self._again, noise),
        ):  # fmt: skip
            control.layout.display = "" if visible else "none"
        chosen = state.preset
        self._preset.value = chosen if chosen in PRESETS else _OWN
        self._noise_preset.value = chosen if chosen in NOISE_PRESETS else _OWN
        self._code.value = _code(state)

    def _show_slider(self) -> None:
        labels, description = _labels(self._state)
        set_positions(self._slider, labels, self._position())
        self._slider.description = description

    def _set_condition(self, value: float) -> None:
        if value not in [option for _, option in self._condition.options]:
            self._condition.options = _condition_options(value)
        self._condition.value = value

    def _walk(self) -> Walks:
        state = self._state
        return momentum_walks(state.eta_lambda, state.condition_number, (state.beta,))

    def _noise(self) -> Noise:
        return batch_noise(self._state.weights, self._state.seed)

    def _size(self) -> int:
        return SIZES.index(self._state.batch_size)

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._shown = toggle([("momentum", "plane"), ("noise of batches", "noise")], state.show, "show")
        labels, description = _labels(state)
        self._slider = position_slider(labels, state.position, description)
        shapes = _condition_options(state.condition_number)
        self._condition = dropdown(shapes, state.condition_number, "curvatures λ")
        self._preset, self._noise_preset = (
            dropdown([(name, name) for name in (_OWN, *names)], _OWN, "preset") for names in (PRESETS, NOISE_PRESETS)
        )
        self._code = code_line()
        self._again = button("Draw again", self.draw, tooltip="Other batches from the same examples")
        reset = button("Reset", self.reset, tooltip="Back to the first point, weights and batches")
        self._shown.observe(lambda change: self._report(Event("show", change["new"])), "value")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        self._condition.observe(lambda change: self._report(Event("condition", change["new"])), "value")
        for presets in (self._preset, self._noise_preset):
            presets.observe(self._chose_preset, "value")
        chosen = row([self._condition, self._preset, self._noise_preset, self._again, reset])
        # The line of code changes its length during a drag: on a row of its own it moves nothing.
        return [self._shown, self._slider, chosen, self._code]

    def _chose_preset(self, change: dict[str, Any]) -> None:
        if change["new"] != _OWN:
            self._report(Event("preset", change["new"]))

    def _dragged(self, drag: Drag) -> None:
        self._table_at = self._position()
        self._apply(Event("drag", (drag.handle, drag.x, drag.y)))


def _labels(state: State) -> tuple[tuple[str, ...], str]:
    if state.show == "noise":
        return tuple(map(str, SIZES)), "batch size B"
    known = {f"{beta:g}" for beta in BETAS}
    return tuple(f"{beta:g}" if beta in BETAS else _own_label(beta, known) for beta in state.betas), "momentum β"


def _own_label(beta: float, known: set[str]) -> str:
    """Four digits, or all of them where four read like a momentum that the slider has already."""
    label = f"{beta:.4g}"
    return repr(beta) if label in known else label


def _condition_options(value: float) -> list[tuple[str, float]]:
    return [("1 alone" if number == 1 else f"1 and {number:g}", number) for number in sorted({*_CONDITIONS, value})]


def _code(state: State) -> str:
    chosen = state.preset
    if state.show == "noise":
        if chosen is not None:
            return NOISE_PRESETS[chosen].code
        w, b = state.weights
        return f"plane.batch_size, plane.weights = {state.batch_size}, ({w:g}, {b:g})"
    if chosen is not None:
        return PRESETS[chosen].code
    values = f"{state.condition_number:g}, {state.lr:g}, {state.beta:g}"
    return f"plane.condition_number, plane.lr, plane.beta = {values}"


def momentum_plane(
    eta_lambda: float = 0.16,
    beta: float = 0.8,
    condition_number: float = 1.0,
    *,
    batch_size: int = 16,
    show: str = "plane",
    seed: int = 0,
    question: str = "",
    name: str = "momentum plane",
) -> MomentumPlane:
    """Make a momentum plane: every pair of learning rate and momentum on a quadratic, and the noise of mini-batches.

    z ← βz + λw,   w ← w − ηz, from w = 1 and z = 0, as in `bplib.optim.sgd_step`. What it does depends on ηλ and β
    alone: in the long run a step multiplies the distance by the largest |σ| with σ² − (1 + β − ηλ)σ + β = 0.

    Parameters
    ----------
    eta_lambda : float
        Learning rate times the largest curvature, from 0 to 4.
    beta : float
        Momentum, from 0 to 1; the slider gets it if it is not one of its own.
    condition_number : float
        κ, from 1 to 1000: the curvatures are 1 and κ. With 1 there is one direction.
    batch_size : int
        1, 2, 4, ..., 128.
    show : {"plane", "noise"}
        Which picture is in front.
    seed : int
        Which batches are drawn, at least 0.
    question : str
        Shown above the picture that stands for the plane where no kernel runs.
    name : str
        A second plane of the same name closes the first.

    Returns
    -------
    MomentumPlane

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Notes
    -----
    The learning rate multiplies the whole z, as in Goh (2017) and PyTorch. Where a source has v ← βv − ηg,
    w ← w + v, the paths are the same as long as η stays.

    Examples
    --------
    >>> plane = momentum_plane(beta=0.36)
    >>> plane.radius, plane.steps_to_millionth
    (0.6, 33)
    >>> plane.eta_lambda, plane.beta = 3.1, 0.5
    >>> plane.sentence
    'ηλ = 3.1, β = 0.5: diverges. In the long run each step multiplies the distance by 1.174.'
    >>> plane.close()

    References
    ----------
    G. Goh (2017), "Why Momentum Really Works", Distill, doi 10.23915/distill.00006.
    B. T. Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17.
    H. Robbins and S. Monro (1951), Ann. Math. Statist. 22(3), 400-407.
    """
    state = first_state(eta_lambda, beta, condition_number, batch_size, show, seed=seed)
    return MomentumPlane(state, question=question, name=name)
