"""The optimizer race: five optimizers from one start, each with the learning rate that its own trials have found."""

from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.race.marks import live_marks, live_words
from bplib.widgets.race.run import BUDGETS, NAMES, PLACES, STEPS, Race, run
from bplib.widgets.race.scene import race_scene
from bplib.widgets.race.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.race.words import race_sentence
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["OptimizerRace", "optimizer_race"]

Floats = npt.NDArray[np.float64]

_SCALES = (1.0, 32.0, 1000.0)
_ASKED = 32.0
_OWN = "your own"


@final
class OptimizerRace(View[State]):
    """The live widget; `optimizer_race` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the loss × 32.
    name : str
        A second race of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "optimizer race") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def surface(self) -> str:
        """The surface: "bowl", "ravine", "rosenbrock" or "himmelblau"; set it to race on it from its usual start."""
        return self._state.surface

    @surface.setter
    def surface(self, value: str) -> None:
        self._apply(Event("surface", value))

    @property
    def budget(self) -> int:
        """How many learning rates each optimizer may try: 1, 3 or 9; set it to tune them all again."""
        return self._state.budget

    @budget.setter
    def budget(self, value: int) -> None:
        self._apply(Event("budget", value))

    @property
    def scale(self) -> float:
        """What multiplies the loss in the race, from 0.001 to a million; the rates are tried without it."""
        return self._state.scale

    @scale.setter
    def scale(self, value: float) -> None:
        self._apply(Event("scale", value))

    @property
    def step(self) -> int:
        """The step shown, from 0 to 100; set it to move the slider."""
        return self._state.step

    @step.setter
    def step(self, value: int) -> None:
        self._apply(Event("step", value))

    @property
    def start(self) -> tuple[float, float]:
        """Start (w1, w2) of all optimizers; set it to move the handle."""
        return self._state.start

    @start.setter
    def start(self, value: tuple[float, float]) -> None:
        self._apply(Event("start", value))

    @property
    def rates(self) -> dict[str, float]:
        """Learning rate η of each optimizer, by its name: the best of its trials, or the one given to `set_rate`."""
        return dict(zip(NAMES, self._race().rates.tolist(), strict=True))

    @property
    def losses(self) -> dict[str, Floats]:
        """Loss of each optimizer after every step, divided by the scale, shape (101,); infinite where it ran away."""
        return {name: curve.copy() for name, curve in zip(NAMES, self._race().losses, strict=True)}

    @property
    def paths(self) -> dict[str, Floats]:
        """The weights of each optimizer after every step, shape (101, 2)."""
        return {name: points.copy() for name, points in zip(NAMES, self._race().points, strict=True)}

    @property
    def trials(self) -> dict[str, dict[float, float]]:
        """The trials of each optimizer: learning rate -> loss after 100 steps; infinite where it ran away."""
        race = self._race()
        pairs = zip(NAMES, race.tried.tolist(), race.results.tolist(), strict=True)
        return {name: dict(zip(tried, results, strict=True)) for name, tried, results in pairs}

    @property
    def effective_steps(self) -> dict[str, Floats]:
        """|Δw| / |g| of the step shown, for each weight, by optimizer, shape (2,); not a number where there is none."""
        shown = self._race().effective[:, self.step]
        return {name: pair.copy() for name, pair in zip(NAMES, shown, strict=True)}

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        return race_sentence(self._race(), self.step)

    def set_rate(self, optimizer: str, lr: float | None) -> None:
        """Give one optimizer a learning rate of your own, until the surface or the budget changes.

        Parameters
        ----------
        optimizer : {"SGD", "momentum", "AdaGrad", "RMSProp", "Adam"}
        lr : float, or None
            Above 0 and at most 10; None goes back to the best trial.

        Raises
        ------
        DomainError, DataError
            For an unknown optimizer, a rate outside its range, or no number.
        """
        self._apply(Event("rate", (optimizer, lr)))

    def reset(self) -> None:
        """Go back to the first race."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state, or the loss × 32 below its question where there is one."""
        state = self._state
        if self._question and state.scale == 1:
            state = replace(state, scale=_ASKED)
        return render(_scene(state), state.step, self._question)

    # ------------------------------------------------------------ state -> view

    def _race(self) -> Race:
        return _race(self._state)

    def _scene(self) -> Scene:
        return _scene(self._state)

    def _position(self) -> int:
        return self._state.step

    def _key(self) -> State:
        return replace(self._state, step=0)

    def _live_marks(self) -> tuple[dict[str, Floats], dict[str, str], str]:
        race, step = self._race(), self.step
        return live_marks(race, step), live_words(race, step), race_sentence(race, step)

    def _show_controls(self) -> None:
        state = self._state
        self._surface.value, self._budget.value = state.surface, state.budget
        if state.scale not in [option for _, option in self._scale.options]:
            self._scale.options = _scale_options(state.scale)
        self._scale.value = state.scale
        self._preset.value = state.preset or _OWN
        self._code.value = _code(state)

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._slider = position_slider([str(step) for step in range(STEPS + 1)], state.step, "step")
        places = [(f"{name}: {place.words}", name) for name, place in PLACES.items()]
        self._surface = dropdown(places, state.surface, "surface")
        self._budget = toggle([(str(budget), budget) for budget in BUDGETS], state.budget, "trials of η for each")
        self._scale = toggle(_scale_options(state.scale), state.scale, "loss")
        self._preset = dropdown([(name, name) for name in (_OWN, *PRESETS)], _OWN, "preset")
        self._code = code_line()
        reset = button("Reset", self.reset, tooltip="Back to the first race")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        self._surface.observe(lambda change: self._report(Event("surface", change["new"])), "value")
        self._budget.observe(lambda change: self._report(Event("budget", change["new"])), "value")
        self._scale.observe(lambda change: self._report(Event("scale", change["new"])), "value")
        self._preset.observe(self._chose_preset, "value")
        # The line of code changes its length: on a row of its own it moves nothing.
        settings, choices = row([self._surface, self._budget]), row([self._scale, self._preset, reset])
        return [settings, self._slider, choices, self._code]

    def _chose_preset(self, change: dict[str, Any]) -> None:
        if change["new"] != _OWN:
            self._report(Event("preset", change["new"]))

    def _dragged(self, drag: Drag) -> None:
        self._apply(Event("drag", (drag.x, drag.y)))


def _race(state: State) -> Race:
    return run(state.surface, state.start, state.budget, state.scale, state.own)


def _scene(state: State) -> Scene:
    return race_scene(state.surface, _race(state))


def _scale_options(value: float) -> list[tuple[str, float]]:
    return [(f"× {scale:g}", scale) for scale in sorted({*_SCALES, value})]


def _code(state: State) -> str:
    if state.preset is not None:
        return PRESETS[state.preset].code
    names, values = "race.surface, race.budget, race.scale", f'"{state.surface}", {state.budget}, {state.scale:g}'
    if state.start != PLACES[state.surface].start:
        x, y = state.start
        names, values = f"{names}, race.start", f"{values}, ({x:g}, {y:g})"
    rates = (f'race.set_rate("{optimizer}", {rate:g})' for optimizer, rate in state.own)
    return "; ".join([f"{names} = {values}", *rates])


def optimizer_race(
    surface: str = "bowl",
    budget: int = 1,
    start: tuple[float, float] | None = None,
    scale: float = 1.0,
    *,
    step: int = 40,
    question: str = "",
    name: str = "optimizer race",
) -> OptimizerRace:
    """Make an optimizer race: SGD, momentum, AdaGrad, RMSProp and Adam from one start, each at a rate of its own.

    Each optimizer tries as many learning rates as its budget allows, evenly spaced on a log scale around the one that
    PyTorch takes where none is given, and keeps the one whose loss after 100 steps is lowest. The race then multiplies
    the loss, and with it every gradient, by the scale.

    Parameters
    ----------
    surface : {"bowl", "ravine", "rosenbrock", "himmelblau"}
        See `bplib.landscape.surface`. Bowl and ravine have the curvatures 1 and 25; the ravine lies at 45°.
    budget : {1, 3, 9}
        Trials for each optimizer: the usual rate; a tenth, one and ten times of it; or nine rates from a hundredth to
        a hundred times.
    start : tuple of float, optional
        (w1, w2), inside the surface's window.
    scale : float
        From 0.001 to a million.
    step : int
        The step shown first, from 0 to 100.
    question : str
        Shown above the picture that stands for the race where no kernel runs; it then shows the loss × 32.
    name : str
        A second race of the same name closes the first.

    Returns
    -------
    OptimizerRace

    Raises
    ------
    DomainError
        For a value outside its range.
    DataError
        For a value that is no number.

    Notes
    -----
    Momentum is 0.9, RMSProp averages with 0.99, Adam with 0.9 and 0.999: the usual settings, which are not tuned.
    "grid's end" beside a learning rate says that the best trial was the smallest or the largest, so that a rate
    outside of the grid may be better.

    Examples
    --------
    >>> race = optimizer_race("ravine", budget=9)
    >>> race.step = 100
    >>> race.sentence
    'Step 100: lowest loss RMSProp 5.47·10⁻⁶, then momentum 1.76·10⁻⁵, AdaGrad 2.45·10⁻⁴, SGD 0.00391, Adam 0.0674.'
    >>> race.rates["Adam"]
    0.1
    >>> race.set_rate("Adam", 0.3)
    >>> bool(race.losses["Adam"][100] < 0.0674)
    True
    >>> race.close()

    References
    ----------
    Duchi, Hazan and Singer (2011), JMLR 12, 2121-2159. Tieleman and Hinton (2012), Coursera, lecture 6.5.
    Kingma and Ba (2015), ICLR, arXiv 1412.6980.
    Schmidt, Schneider and Hennig (2021), PMLR 139: how much the trials of the learning rate decide.
    """
    return OptimizerRace(first_state(surface, budget, start, scale, step), question=question, name=name)
