"""The layer bench: a network learns symmetry update by update, and its gradient is put to the proof."""

from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.layer.check import Check, gradient_check
from bplib.widgets.layer.check_scene import check_scene
from bplib.widgets.layer.network import NAMES, ORDER, STARTS, Run, recorded, symmetry_run
from bplib.widgets.layer.passes import FAULTS, VERSIONS
from bplib.widgets.layer.scene import updates_scene
from bplib.widgets.layer.state import NO_GUESS, PRESETS, Event, State, first_state, reduce
from bplib.widgets.view import View

__all__ = ["LayerBench", "layer_bench"]

Floats = npt.NDArray[np.float64]

_SHOWN = [("updates", "updates"), ("gradient check", "check")]


@final
class LayerBench(View[State]):
    """The live widget; `layer_bench` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the outcome.
    name : str
        A second bench of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "layer bench") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def show(self) -> str:
        """Which picture is in front, "updates" or "check"; set it to change over."""
        return self._state.show

    @show.setter
    def show(self, value: str) -> None:
        self._apply(Event("show", value))

    @property
    def start(self) -> str:
        """The first weights: "random", "second", "zeros" or "twins"; another start begins at update 0."""
        return self._state.start

    @start.setter
    def start(self, value: str) -> None:
        self._apply(Event("start", value))

    @property
    def update(self) -> int:
        """How many updates the network has gone through; set it to move the slider."""
        return self._state.update

    @update.setter
    def update(self, value: int) -> None:
        self._apply(Event("update", value))

    @property
    def version(self) -> str:
        """The backward pass that is checked, "A" to "H"; set it to check another."""
        return self._state.version

    @version.setter
    def version(self, value: str) -> None:
        self._apply(Event("version", value))

    @property
    def guess(self) -> str:
        """Your guess: "right", "slope", "half", "mean", "updated", "overwritten", "sign" or "float32"."""
        return self._state.guess

    @guess.setter
    def guess(self, value: str) -> None:
        self._apply(Event("guess", value))

    @property
    def weights(self) -> Floats:
        """A copy of the weights into the hidden units, shape (6, 2); column j belongs to unit j."""
        return self._run().weights[self._state.position].copy()

    @property
    def parameters(self) -> dict[str, float]:
        """All 17 parameters by name: w11 to w62, b1, b2, v1, v2, c."""
        return _named(self._run().thetas[self._state.position][ORDER])

    @property
    def ratios(self) -> Floats:
        """Sizes of the mirrored pairs of weights as multiples of the smallest, outer pair first, shape (2 units, 3)."""
        sizes = self._run().magnitudes[self._state.position]
        least = sizes.min(axis=1, keepdims=True)
        return np.divide(sizes, least, out=np.full_like(sizes, np.nan), where=least > 0)

    @property
    def predictions(self) -> Floats:
        """A copy of the predictions for the 64 examples, in the order of `bplib.data.symmetry`, shape (64,)."""
        return self._run().predictions[self._state.position].copy()

    @property
    def loss(self) -> float:
        """L = ½ Σ (ŷ − y)² over the 64 examples."""
        return float(self._run().losses[self._state.position])

    @property
    def solved(self) -> int | None:
        """The update after which every prediction is within 0.1 of its target; None if the run does not come so far."""
        return self._run().solved

    @property
    def gradient(self) -> dict[str, float]:
        """∂L/∂ each parameter, as the version in front computes it."""
        return _named(self._check().backward[self._state.position])

    @property
    def relative_errors(self) -> dict[str, float]:
        """Relative error of each element of `gradient` against central differences."""
        return _named(self._check().relative_errors[self._state.position])

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        return self._scene().sentence(self._position())

    def go(self, start: str, update: int) -> None:
        """Show one start at one update.

        Parameters
        ----------
        start : {"random", "second", "zeros", "twins"}
        update : int
            A recorded one.

        Raises
        ------
        DomainError, DataError
            For another value; nothing has changed then.
        """
        self._apply(Event("go", (start, update)))

    def reveal(self) -> None:
        """Name the mistake of the version in front, with its line of code."""
        self._apply(Event("reveal"))

    def reset(self) -> None:
        """Go back to the first start, update and version; the picture in front and what is named stay."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state; of an untouched random start, or below a question, the outcome."""
        state = self._state
        untouched = state == self._first and state.update == 0 and state.start in ("random", "second")
        if state.show == "updates" and (untouched or self._question):
            state = replace(state, update=state.updates)
        elif self._question:
            state = reduce(state, Event("reveal"))
        return render(_scene(state), state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _run(self) -> Run:
        state = self._state
        return symmetry_run(state.start, state.seed, state.updates)

    def _check(self) -> Check:
        state = self._state
        return gradient_check(state.start, state.seed, state.updates, VERSIONS[state.version])

    def _scene(self) -> Scene:
        return _scene(self._state)

    def _position(self) -> int:
        return self._state.position

    def _key(self) -> Any:
        state = self._state
        if state.show == "updates":
            return state.start
        return state.start, state.version, state.guess, state.version in state.revealed

    def _show_controls(self) -> None:
        state, checking = self._state, self._state.show == "check"
        for control, visible, display in (
            (self._start, not checking, "flex"), (self._version, checking, ""), (self._guess, checking, ""),
            (self._reveal, checking, ""),
        ):  # fmt: skip
            control.layout.display = display if visible else "none"
        self._tabs.value, self._start.value = state.show, state.start
        self._version.value, self._guess.value = state.version, state.guess
        self._reveal.disabled = state.guess == NO_GUESS or state.version in state.revealed
        self._code.value = _code(state)

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._tabs = toggle(_SHOWN, state.show, "show")
        self._slider = position_slider([f"{k:,}" for k in recorded(state.updates)], state.position, "update")
        self._start = toggle([(label, name) for name, label in STARTS.items()], state.start, "first weights")
        self._version = dropdown([(letter, letter) for letter in VERSIONS], state.version, "version")
        guesses = [(NO_GUESS, NO_GUESS), *((fault.label, name) for name, fault in FAULTS.items())]
        self._guess = dropdown(guesses, state.guess, "your guess")
        self._reveal = button("Name it", self.reveal, tooltip="Say what the mistake is; guess first")
        self._code = code_line()
        reset = button("Reset", self.reset, tooltip="Back to the first start, update and version")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        for control, kind in (
            (self._tabs, "show"), (self._start, "start"), (self._version, "version"), (self._guess, "guess"),
        ):  # fmt: skip
            control.observe(self._reporter(kind), "value")
        presets = [button(name, self._chooser(name)) for name in PRESETS]
        top = row([self._tabs, self._start, self._version, self._guess, self._reveal])
        return [top, self._slider, row([*presets, reset]), self._code]

    def _reporter(self, kind: Any) -> Any:
        return lambda change: self._report(Event(kind, change["new"]))

    def _chooser(self, name: str) -> Any:
        return lambda: self._report(Event("preset", name))


def _named(values: Floats) -> dict[str, float]:
    return dict(zip(NAMES, values.tolist(), strict=True))


def _scene(state: State) -> Scene:
    return check_scene(state) if state.show == "check" else updates_scene(state.start, state.seed, state.updates)


def _code(state: State) -> str:
    place = f'bench.go("{state.start}", {state.update})'
    return f'{place}; bench.version = "{state.version}"' if state.show == "check" else place


def layer_bench(
    start: str = "random",
    update: int = 0,
    version: str = "A",
    *,
    show: str = "updates",
    seed: int = 37,
    updates: int = 1200,
    question: str = "",
    name: str = "layer bench",
) -> LayerBench:
    """Make a layer bench: a 6-2-1 network that learns symmetry, and eight backward passes to check, one of them right.

    L = ½ Σ (ŷ − y)² over 64 examples of 6 bits, η = 0.1, momentum 0.9, first weights within ±0.3. Each update
    passes over all 64 examples. The check compares each ∂L/∂θ with (L(θ + h) − L(θ − h)) / 2h.

    Parameters
    ----------
    start : {"random", "second", "zeros", "twins"}
        The first weights: random, random with another seed, all zero, or random with two equal hidden units.
    update : int
        Where the slider stands first; every update up to 10 and every tenth are recorded.
    version : {"A", "B", "C", "D", "E", "F", "G", "H"}
        Which backward pass is checked.
    show : {"updates", "check"}
        Which picture is in front.
    seed : int
        Of "random" and "twins". Most seeds solve the problem, in 500 to 15,000 updates.
    updates : int
        The last update, from 20 to 3000; beyond 1200 fewer are recorded.
    question : str
        Shown above the picture that stands for the bench where no kernel runs.
    name : str
        A second bench of the same name closes the first.

    Returns
    -------
    LayerBench

    Raises
    ------
    DomainError
        For a value outside its range.
    DataError
        For a value that is no number.

    Examples
    --------
    >>> bench = layer_bench(update=1200)
    >>> bench.ratios.round(1)
    array([[1., 2., 4.],
           [1., 2., 4.]])
    >>> bench.go("random", 0)
    >>> bench.version = "D"
    >>> bench.sentence
    'Version D, update 0: hidden biases and output bias wrong, the others exact. What is the mistake?'
    >>> bench.guess = "mean"
    >>> bench.sentence
    'Yes: version D averages the bias gradients over the 64 examples instead of adding them up.'
    >>> bench.close()

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), "Learning representations by back-propagating errors",
    Nature 323, 533-536, doi 10.1038/323533a0, figure 1.
    """
    state = first_state(start, update, version, show, seed=seed, updates=updates)
    return LayerBench(state, question=question, name=name)
