"""The nudge lab: a derivative by hand, with a nudge of every size, and where a gradient points."""

from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.nudge.direction import direction, direction_marks
from bplib.widgets.nudge.errors import gradient
from bplib.widgets.nudge.examples import EXAMPLES
from bplib.widgets.nudge.scene import best_h, found_in, nudge_scene
from bplib.widgets.nudge.state import DIFFERENCES, PRESETS, SHOWS, Event, State, first_state, reduce
from bplib.widgets.nudge.words import direction_sentence, nudge_sentence
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["NudgeLab", "nudge_lab"]

_OWN = "your own"
_CONDITIONS = (1.0, 4.0, 25.0, 100.0)


@final
class NudgeLab(View[State]):
    """The live widget; `nudge_lab` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the outcome.
    name : str
        A second lab of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "nudge lab") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def show(self) -> str:
        """Which picture is shown, "nudge" or "direction"; set it to switch."""
        return self._state.show

    @show.setter
    def show(self, value: str) -> None:
        self._apply(Event("show", value))

    @property
    def example(self) -> str:
        """Name of the function; set it to choose another, at its own point."""
        return self._state.example

    @example.setter
    def example(self, value: str) -> None:
        self._apply(Event("example", value))

    @property
    def at(self) -> tuple[float, ...]:
        """The inputs of the function; set it, to one number or one for each input, to move the point."""
        return self._state.at

    @at.setter
    def at(self, value: Any) -> None:
        self._apply(Event("at", value))

    @property
    def input(self) -> str:
        """Name of the input that is nudged; set it to nudge another."""
        return self._state.input

    @input.setter
    def input(self, value: str) -> None:
        self._apply(Event("input", value))

    @property
    def h(self) -> float:
        """The nudge; set it to move the slider."""
        return self._state.h

    @h.setter
    def h(self, value: float) -> None:
        self._apply(Event("h", value))

    @property
    def difference(self) -> str:
        """How the slope is estimated, "forward" or "central"; set it to change that."""
        return self._state.difference

    @difference.setter
    def difference(self, value: str) -> None:
        self._apply(Event("difference", value))

    @property
    def gradient(self) -> dict[str, float]:
        """The sensitivity of z to every input, from the backward pass."""
        state = self._state
        return dict(zip(EXAMPLES[state.example].inputs, gradient(state.example, state.at), strict=True))

    @property
    def slope_estimate(self) -> float:
        """The true change divided by the nudge, or by twice the nudge for the central difference."""
        return float(found_in(self._state).estimates[self._state.position])

    @property
    def error(self) -> float:
        """How far `slope_estimate` is from the slope that the backward pass gives."""
        return float(found_in(self._state).errors[self._state.position])

    @property
    def best_h(self) -> float:
        """The nudge of the slider with the smallest error."""
        return best_h(found_in(self._state))

    @property
    def condition_number(self) -> float:
        """Condition number κ of the bowl; set it to change the bowl."""
        return self._state.condition_number

    @condition_number.setter
    def condition_number(self, value: float) -> None:
        self._apply(Event("condition", value))

    @property
    def point(self) -> tuple[float, float]:
        """The point (x, y) on the bowl; set it to move the handle."""
        return self._state.point

    @point.setter
    def point(self, value: tuple[float, float]) -> None:
        self._apply(Event("point", value))

    @property
    def angle(self) -> float | None:
        """Degrees between the negative gradient and the way to the minimum; None at the minimum."""
        return direction(self._state.condition_number, self._state.point).angle

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        state = self._state
        if state.show == "direction":
            return direction_sentence(direction(state.condition_number, state.point))
        return nudge_sentence(found_in(state), state.position, state.example, state.input)

    def reveal(self, part: str | None = None) -> None:
        """Show what is hidden: the error at every nudge, and the angle in every direction.

        Parameters
        ----------
        part : {"error", "angle"}, optional
            Only one of the two.

        Raises
        ------
        DomainError
            For any other word.
        """
        self._apply(Event("reveal", part))

    def reset(self) -> None:
        """Go back to the first function, nudge, bowl and point; the picture shown stays."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state, or the outcome below its question where there is one."""
        state = reduce(self._state, Event("reveal")) if self._question else self._state
        return render(nudge_scene(state), state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _scene(self) -> Scene:
        return nudge_scene(self._state)

    def _position(self) -> int:
        return self._state.position

    def _key(self) -> State:
        return replace(self._state, h=self._state.hs[0])

    def _live_marks(self) -> tuple[dict[str, npt.ArrayLike], dict[str, str], str]:
        state = self._state
        if state.show != "direction":  # a report that was on its way when the picture changed
            return {}, {}, self.sentence
        found = direction(state.condition_number, state.point)
        marks, words = direction_marks(found)
        return {**marks}, words, direction_sentence(found)

    def _show_controls(self) -> None:
        state, nudge = self._state, self._state.show == "nudge"
        for control, shown in self._shown_with(state):
            visible = "flex" if isinstance(control, ipw.ToggleButtons) else ""
            control.layout.display = visible if shown else "none"
        self._show_toggle.value, self._difference.value = state.show, state.difference
        inputs = tuple((name, name) for name in EXAMPLES[state.example].inputs)
        if self._input.options != inputs:
            self._input.options = inputs
        self._input.value = state.input
        self._example.value = state.example if state.at == EXAMPLES[state.example].at else _OWN
        if state.condition_number not in [option for _, option in self._condition.options]:
            self._condition.options = _condition_options(state.condition_number)
        self._condition.value = state.condition_number
        bowl = (state.condition_number, state.point)
        self._preset.value = next((name for name, values in PRESETS.items() if values == bowl), _OWN)
        self._code.value = _nudge_code(state) if nudge else _direction_code(state)

    def _shown_with(self, state: State) -> list[tuple[ipw.Widget, bool]]:
        nudge = state.show == "nudge"
        several = len(EXAMPLES[state.example].inputs) > 1
        shown = [(control, nudge) for control in (self._slider, self._example, self._difference)]
        shown += [(control, not nudge) for control in (self._condition, self._preset)]
        return [*shown, (self._input, nudge and several)]

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._show_toggle = toggle([(name, name) for name in SHOWS], state.show, "show")
        self._slider = position_slider([_h_label(h) for h in state.hs], state.position, "nudge h")
        self._example = dropdown([(_OWN, _OWN), *((_label(name), name) for name in EXAMPLES)], _OWN, "function")
        self._input = toggle([(name, name) for name in EXAMPLES[state.example].inputs], state.input, "nudged")
        self._difference = toggle([(name, name) for name in DIFFERENCES], state.difference, "difference")
        self._condition = toggle(_condition_options(state.condition_number), state.condition_number, "κ of the bowl")
        self._preset = dropdown([(name, name) for name in (_OWN, *PRESETS)], _OWN, "preset")
        self._code = code_line()
        reset = button("Reset", self.reset, tooltip="Back to the first function and nudge, bowl and point")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        for control, kind in (
            (self._show_toggle, "show"), (self._example, "example"), (self._input, "input"),
            (self._difference, "difference"), (self._condition, "condition"), (self._preset, "preset"),
        ):  # fmt: skip
            control.observe(self._reporter(kind), "value")
        choice = row([self._show_toggle, self._example, self._condition, self._preset])
        return [choice, self._slider, row([self._input, self._difference, reset, self._code])]

    def _reporter(self, kind: Any) -> Any:
        def report(change: dict[str, Any]) -> None:
            if change["new"] != _OWN:
                self._report(Event(kind, change["new"]))

        return report

    def _dragged(self, drag: Drag) -> None:
        self._apply(Event("drag", (drag.x, drag.y)))


def _h_label(h: float) -> str:
    return f"{h:g}".replace("e-0", "e-")


def _label(name: str) -> str:
    example = EXAMPLES[name]
    words = name if len(example.formula) > 12 else f"z = {example.formula}"
    return f"{words} {example.place}".strip()


def _nudge_code(state: State) -> str:
    if state.at == EXAMPLES[state.example].at:
        return f'lab.example = "{state.example}"'
    return f"lab.at = {_numbers(state.at)}"


def _direction_code(state: State) -> str:
    return f"lab.condition_number, lab.point = {state.condition_number:g}, {_numbers(state.point)}"


def _numbers(values: tuple[float, ...]) -> str:
    written = ", ".join(f"{value:g}" for value in values)
    return f"({written})" if len(values) > 1 else written


def _condition_options(value: float) -> list[tuple[str, float]]:
    named = {1.0: "1 (round)", 100.0: "100 (narrow)"}
    return [(named.get(number, f"{number:g}"), number) for number in sorted({*_CONDITIONS, value})]


def nudge_lab(
    example: str = "product",
    at: Any = None,
    input: str | None = None,
    h: float = 0.1,
    difference: str = "forward",
    condition_number: float = 25.0,
    point: tuple[float, float] = (-2.0, 1.0),
    show: str = "nudge",
    *,
    question: str = "",
    name: str = "nudge lab",
) -> NudgeLab:
    """Make a nudge lab: f′(x)·h against f(x + h) − f(x) at every h, and the gradient on a bowl.

    (f(x + h) − f(x)) / h ≈ f′(x) forward, (f(x + h) − f(x − h)) / 2h ≈ f′(x) central; f = ½(x² + κy²) on the bowl.

    Parameters
    ----------
    example : str
        "product", z = (x + y)·w; "square"; "sin"; "polynomial", of degree 8; "kink" and "near kink", z = |x|.
    at : float or tuple of float, optional
        Where the inputs are, each from -10 to 10; by default the example's own point.
    input : str, optional
        Name of the nudged input; by default the first.
    h : float
        First nudge, from 1e-17 to 1; the slider gets it if it is not one of its own.
    difference : {"forward", "central"}
    condition_number : float
        κ of the bowl, from 1 to 1e6.
    point : tuple of float
        (x, y) on the bowl, both between -2.5 and 2.5.
    show : {"nudge", "direction"}
        Which picture is shown first.
    question : str
        Shown above the picture that stands for the lab where no kernel runs.
    name : str
        A second lab of the same name closes the first.

    Returns
    -------
    NudgeLab

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Examples
    --------
    >>> lab = nudge_lab("square", h=0.1)
    >>> lab.sentence
    'h = 0.1: change predicted 0.2, true 0.21. The slope is off by 0.1, nearly all from the bend of the curve.'
    >>> lab.example, lab.input = "product", "w"
    >>> lab.gradient
    {'x': -2.0, 'y': -2.0, 'w': 4.0}
    >>> lab.show = "direction"
    >>> lab.condition_number, lab.point = 100, (2.0, 0.2)
    >>> lab.sentence
    'At (2, 0.2), −gradient misses the minimum by 78.58°. Along it the loss falls 5.05 times as fast ..., at first.'
    >>> lab.close()

    References
    ----------
    A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind (2018), JMLR 18(153), 1-43, figure 3 (polynomial).
    """
    state = first_state(example, at, input, h, difference, condition_number, point, show)
    return NudgeLab(state, question=question, name=name)
