"""The rate lab: gradient descent on a bowl, and what one learning rate does to it."""

import math
from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.rate.scene import Descent, descents, live_marks, rate_scene, sentence
from bplib.widgets.rate.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["RateLab", "rate_lab"]

Floats = npt.NDArray[np.float64]

_CONDITIONS = (1.0, 10.0, 25.0, 100.0)
_OWN = "your own"


@final
class RateLab(View[State]):
    """The live widget; `rate_lab` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the outcome.
    name : str
        A second lab of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "rate lab") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def rate(self) -> float:
        """Learning rate η; set it to move the slider."""
        return self._state.rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._apply(Event("rate", value))

    @property
    def condition_number(self) -> float:
        """Condition number κ, largest over smallest curvature; set it to change the bowl."""
        return self._state.condition_number

    @condition_number.setter
    def condition_number(self, value: float) -> None:
        self._apply(Event("condition", value))

    @property
    def start(self) -> tuple[float, float]:
        """Start (w1, w2) of the descent; set it to move the handle."""
        return self._state.start

    @start.setter
    def start(self, value: tuple[float, float]) -> None:
        self._apply(Event("start", value))

    @property
    def steps_to_one_percent(self) -> int | None:
        """First step whose distance to the minimum is at most 1 % of the start's; None if there is none."""
        count = float(self._descent().counts[0])
        return int(count) if math.isfinite(count) else None

    @property
    def path(self) -> Floats:
        """The weights at every drawn step, shape (steps + 1, 2)."""
        return self._descent().points[0]

    @property
    def losses(self) -> Floats:
        """The loss at every drawn step, shape (steps + 1,)."""
        return self._descent().losses[0]

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        return sentence(self._descent(), 0)

    def reveal(self) -> None:
        """Show the number of steps at every learning rate, with 1/λ and 2/λ."""
        self._apply(Event("reveal"))

    def reset(self) -> None:
        """Go back to the first rate, bowl and start."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state, or the outcome below its question where there is one."""
        revealed = self._state.revealed or bool(self._question)
        scene = rate_scene(self._descents(), self._state.condition_number, revealed=revealed)
        return render(scene, self._state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _scene(self) -> Scene:
        return rate_scene(self._descents(), self._state.condition_number, revealed=self._state.revealed)

    def _position(self) -> int:
        return self._state.position

    def _key(self) -> State:
        return replace(self._state, rate=self._state.rates[0])

    def _live_marks(self) -> tuple[dict[str, Floats], dict[str, str], str]:
        descent = self._descent()
        return live_marks(descent), {}, sentence(descent, 0)

    def _show_controls(self) -> None:
        state = self._state
        self._set_condition(state.condition_number)
        self._preset.value = next((name for name, rate in PRESETS.items() if rate == state.rate), _OWN)
        self._code.value = f"lab.rate = {state.rate:g}"

    def _set_condition(self, value: float) -> None:
        if value not in [option for _, option in self._condition.options]:
            self._condition.options = _condition_options(value)
        self._condition.value = value

    def _descents(self) -> Descent:
        state = self._state
        return descents(state.condition_number, state.rates, state.start, state.steps)

    def _descent(self) -> Descent:
        state = self._state
        return descents(state.condition_number, [state.rate], state.start, state.steps)

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._slider = position_slider([f"{rate:g}" for rate in state.rates], state.position, "learning rate η")
        shapes = _condition_options(state.condition_number)
        self._condition = toggle(shapes, state.condition_number, "shape of the bowl, κ")
        names = [(name, name) for name in (_OWN, *PRESETS)]
        self._preset = dropdown(names, _OWN, "preset")
        self._code = code_line()
        reset = button("Reset", self.reset, tooltip="Back to the first rate, bowl and start")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        self._condition.observe(lambda change: self._report(Event("condition", change["new"])), "value")
        self._preset.observe(self._chose_preset, "value")
        return [self._slider, row([self._condition, self._preset, reset, self._code])]

    def _chose_preset(self, change: dict[str, Any]) -> None:
        if change["new"] != _OWN:
            self._report(Event("preset", change["new"]))

    def _dragged(self, drag: Drag) -> None:
        self._apply(Event("drag", (drag.x, drag.y)))


def _condition_options(value: float) -> list[tuple[str, float]]:
    named = {1.0: "1 (round)", 100.0: "100 (narrow)"}
    return [(named.get(number, f"{number:g}"), number) for number in sorted({*_CONDITIONS, value})]


def rate_lab(
    condition_number: float = 10.0,
    rate: float = 0.1,
    start: tuple[float, float] = (-2.0, 1.5),
    steps: int = 50,
    *,
    question: str = "",
    name: str = "rate lab",
) -> RateLab:
    """Make a rate lab: a bowl with curvatures 4 and 4/κ, and gradient descent on it at every learning rate.

    w_k = (1 - ηλ)^k w_0 in the direction of each curvature λ.

    Parameters
    ----------
    condition_number : float
        κ, largest over smallest curvature, from 1 to 1e6.
    rate : float
        First learning rate, above 0 and at most 10; the slider gets it if it is not one of its own.
    start : tuple of float
        (w1, w2), both between -2.5 and 2.5.
    steps : int
        Steps drawn, from 1 to 500.
    question : str
        Shown above the picture that stands for the lab where no kernel runs.
    name : str
        A second lab of the same name closes the first.

    Returns
    -------
    RateLab

    Raises
    ------
    DomainError
        For a rate, start, condition number or number of steps outside its range.
    DataError
        For a value that is no number.

    Examples
    --------
    >>> lab = rate_lab(condition_number=1, rate=0.45)
    >>> lab.steps_to_one_percent
    21
    >>> lab.rate = 0.6
    >>> lab.sentence
    'η = 0.6: diverges. Each step lands 1.4 times as far out on the other side.'
    >>> lab.close()

    References
    ----------
    Goh (2017), "Why Momentum Really Works", Distill, section "First Steps: Gradient Descent".
    """
    return RateLab(first_state(condition_number, rate, start, steps), question=question, name=name)
