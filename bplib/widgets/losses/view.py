"""The loss comparer: one constant answer under three losses, and the cross-entropy of three classes."""

from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, set_positions, toggle
from bplib.widgets.losses.classes import class_scene, live_classes
from bplib.widgets.losses.numbers import LOSSES, lowest, slopes, values
from bplib.widgets.losses.scene import live_numbers, number_scene
from bplib.widgets.losses.softmax import CLASSES, Outcome, outcome
from bplib.widgets.losses.state import CLASS_PRESETS, LOGITS, NUMBER_PRESETS, Event, State, first_state, reduce
from bplib.widgets.losses.words import class_sentence, index, number_sentences
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["LossComparer", "loss_comparer"]

Floats = npt.NDArray[np.float64]

_OWN = "your own"
_TABS = (("one number for all", "numbers"), ("classes", "classes"))
_CURVES = (("loss", False), ("derivative", True))
_OUTCOME = 100.0


@final
class LossComparer(View[State]):
    """The live widget; `loss_comparer` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin; that of an untouched comparer then shows the outlier at 100.
    name : str
        A second comparer of the same name closes the first.
    """

    _LIVE: ClassVar[frozenset[str]] = frozenset({"drag", "logit"})

    def __init__(self, state: State, *, question: str = "", name: str = "loss comparer") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ the numbers, in code

    @property
    def show(self) -> str:
        """What is shown, "numbers" or "classes"; set it to change the picture."""
        return self._state.show

    @show.setter
    def show(self, value: str) -> None:
        self._apply(Event("show", value))

    @property
    def data(self) -> tuple[float, ...]:
        """The numbers; the last of them is the outlier."""
        return self._state.data

    @property
    def outlier(self) -> float:
        """The last number, from 0 to 100; set it to move the handle."""
        return self._state.outlier

    @outlier.setter
    def outlier(self, value: float) -> None:
        self._apply(Event("outlier", value))

    @property
    def delta(self) -> float:
        """Where Huber's loss turns from a square into a line, δ from 0.01 to 1000; set it to change the curve."""
        return self._state.delta

    @delta.setter
    def delta(self, value: float) -> None:
        self._apply(Event("delta", value))

    @property
    def c(self) -> float:
        """The predicted constant, one of the positions of its slider; set it to move the slider."""
        return self._state.c

    @c.setter
    def c(self, value: float) -> None:
        self._apply(Event("c", value))

    @property
    def derivative(self) -> bool:
        """Whether slopes are drawn instead of losses; set it to True or False."""
        return self._state.derivative

    @derivative.setter
    def derivative(self, value: bool) -> None:
        self._apply(Event("derivative", value))

    @property
    def losses(self) -> dict[str, float]:
        """MSE, MAE and Huber's loss at the present c."""
        state = self._state
        return {loss: float(values(loss, state.data, state.delta, [state.c])[0]) for loss in LOSSES}

    @property
    def slopes(self) -> dict[str, float]:
        """The slopes of the three losses at the present c, by `backward`."""
        state = self._state
        return {loss: float(slopes(loss, state.data, state.delta, [state.c])[0]) for loss in LOSSES}

    @property
    def minima(self) -> dict[str, float]:
        """The c at which each loss is lowest; the middle where the bottom is flat."""
        state = self._state
        return {loss: sum(lowest(loss, state.data, state.delta)) / 2 for loss in LOSSES}

    # ------------------------------------------------------------ the classes, in code

    @property
    def logits(self) -> tuple[float, ...]:
        """The scores z of the three classes, from −10000 to 10000 with six decimals; set them to move the sliders."""
        return self._state.logits

    @logits.setter
    def logits(self, value: Any) -> None:
        self._apply(Event("logits", value))

    @property
    def target(self) -> int:
        """The true class, 0, 1 or 2; set it to choose another."""
        return self._state.target

    @target.setter
    def target(self, value: int) -> None:
        self._apply(Event("target", value))

    @property
    def examples(self) -> int:
        """Over how many examples N the mean is taken, from 1 to 100; every gradient is divided by it."""
        return self._state.examples

    @examples.setter
    def examples(self, value: int) -> None:
        self._apply(Event("examples", value))

    @property
    def probabilities(self) -> Floats:
        """p = softmax(z), shape (3,)."""
        return self._outcome().probabilities.copy()

    @property
    def cross_entropy(self) -> float:
        """−ln p of the true class, in nats."""
        return self._outcome().cross_entropy

    @property
    def gradient(self) -> Floats:
        """Gradient of the cross-entropy on each logit, by `backward`, shape (3,): (p − y)/N."""
        return self._outcome().gradient.copy()

    # ------------------------------------------------------------ both

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        state = self._state
        return number_sentences(state, (state.c,))[0] if state.show == "numbers" else class_sentence(state)

    def reset(self) -> None:
        """Go back to the first numbers, c, δ and logits; what is shown stays."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state; below its question an untouched comparer shows the outcome."""
        state = self._state
        if self._question and state == self._first and state.show == "numbers":
            state = reduce(state, Event("outlier", _OUTCOME))
        return render(_scene_of(state), state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _outcome(self) -> Outcome:
        return outcome(self._state.logits, self._state.target, self._state.examples)

    def _scene(self) -> Scene:
        return _scene_of(self._state)

    def _position(self) -> int:
        return self._state.position

    def _key(self) -> State:
        return replace(self._state, c=0.0)

    def _live_marks(self) -> tuple[dict[str, Floats], dict[str, str], str]:
        state = self._state
        return live_numbers(state) if state.show == "numbers" else live_classes(state)

    def _fits_drawn(self) -> bool:
        return bool(self._state.axes == self._drawn.axes)

    def _dragged(self, drag: Drag) -> None:
        self._apply(Event("drag", drag.x))

    def _show_controls(self) -> None:
        state = self._state
        self._tab.value, self._curve.value = state.show, state.derivative
        for k, slider in enumerate(self._logits):
            grid = _grid(state.logits[k])
            set_positions(slider, _labels(grid), grid.index(state.logits[k]))
        set_positions(self._slider, _labels(state.frame.positions), state.position)
        numbers, classes = (state.outlier, state.delta), (state.logits, state.target)
        self._numbers_preset.value = next((name for name, v in NUMBER_PRESETS.items() if v == numbers), _OWN)
        self._class_preset.value = next((name for name, v in CLASS_PRESETS.items() if v == classes), _OWN)
        self._code.value = _code(state)
        for controls, tab in ((self._of_numbers, "numbers"), (self._of_classes, "classes")):
            for control in controls:
                control.layout.display = ("flex" if control in self._flex else "") if tab == state.show else "none"

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._tab = toggle(_TABS, state.show, "show")
        self._slider = position_slider(_labels(state.frame.positions), state.position, "prediction c")
        self._curve = toggle(_CURVES, state.derivative, "draw the")
        self._flex = (self._curve,)
        self._logits = [self._make_logit(k) for k in range(CLASSES)]
        self._numbers_preset, self._class_preset = (
            dropdown([(name, name) for name in (_OWN, *presets)], _OWN, "preset")
            for presets in (NUMBER_PRESETS, CLASS_PRESETS)
        )
        self._code = code_line()
        reset = button("Reset", self.reset, tooltip="Back to the first numbers and logits")
        self._of_numbers = (self._slider, self._curve, self._numbers_preset)
        self._of_classes = (*self._logits, self._class_preset)
        self._observe()
        choices = [self._curve, self._numbers_preset, self._class_preset, reset]
        # The line of code changes its length: on a row of its own it moves nothing.
        return [self._tab, self._slider, *self._logits, row(choices), self._code]

    def _make_logit(self, k: int) -> ipw.SelectionSlider:
        logit = self._state.logits[k]
        slider = position_slider(_labels(_grid(logit)), _grid(logit).index(logit), f"logit {index('z', k)}")
        slider.observe(lambda change: self._moved(k, change["new"]), "index")
        return slider

    def _moved(self, k: int, position: int) -> None:
        if not self._showing:
            self._apply(Event("logit", (k, _grid(self._state.logits[k])[position])))

    def _observe(self) -> None:
        for control, kind, name in (
            (self._tab, "show", "value"), (self._curve, "derivative", "value"),
            (self._slider, "position", "index"), (self._numbers_preset, "number preset", "value"),
            (self._class_preset, "class preset", "value"),
        ):  # fmt: skip
            control.observe(lambda change, kind=kind: self._chosen(kind, change["new"]), name)

    def _chosen(self, kind: Any, value: Any) -> None:
        if value != _OWN:
            self._report(Event(kind, value))


def _scene_of(state: State) -> Scene:
    return number_scene(state) if state.show == "numbers" else class_scene(state)


@lru_cache(maxsize=16)
def _grid(logit: float) -> tuple[float, ...]:
    """The logits of a slider, which takes in one that was set in code."""
    return tuple(sorted({*LOGITS, logit}))


@lru_cache(maxsize=16)
def _labels(values: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(f"{value:.10g}".replace("-", "−") for value in values)


def _code(state: State) -> str:
    if state.show == "numbers":
        return f"comparer.outlier, comparer.delta = {state.outlier:g}, {state.delta:g}"
    logits = ", ".join(f"{z:g}" for z in state.logits)
    return f"comparer.logits, comparer.target = ({logits}), {state.target}"


def loss_comparer(
    data: Any = (1, 2, 3, 4, 5),
    delta: float = 1.0,
    c: float | None = None,
    logits: Any = (1.0, 2.0, -1.0),
    target: int = 0,
    examples: int = 1,
    *,
    show: str = "numbers",
    derivative: bool = False,
    question: str = "",
    name: str = "loss comparer",
) -> LossComparer:
    """Make a loss comparer: MSE, MAE and Huber's loss of one constant, and the cross-entropy of three classes.

    L(c) = (1/n) Σ ℓ(c − yᵢ);   H = −ln pₜ with p = softmax(z), ∂H/∂z = (p − y)/N

    Parameters
    ----------
    data : array_like of float, length 2 to 9
        Numbers from 0 to 100; the last one can be moved.
    delta : float
        Huber's δ, from 0.01 to 1000.
    c : float, optional
        First predicted constant, one of the slider's; by default 1.5 times the mean.
    logits : array_like of float, length 3
        First scores z, each from −10000 to 10000; a slider gets it if it is not one of its own.
    target : int
        The true class, 0, 1 or 2.
    examples : int
        N, over which the mean is taken, from 1 to 100.
    show : {"numbers", "classes"}
        What is shown first.
    derivative : bool
        Whether slopes are drawn instead of losses.
    question : str
        Shown above the picture that stands for the comparer where no kernel runs.
    name : str
        A second comparer of the same name closes the first.

    Returns
    -------
    LossComparer

    Raises
    ------
    DomainError
        For a value outside its range.
    DataError
        For a value that is no number.

    Examples
    --------
    >>> comparer = loss_comparer()
    >>> comparer.outlier = 100
    >>> comparer.minima
    {'MSE': 22.0, 'MAE': 3.0, 'Huber': 3.0}
    >>> comparer.sentence
    'c = 4.5: MSE 1828, MAE 20.7, Huber 20.23. MSE is lowest at c = 22, MAE at 3, Huber at 3.'
    >>> comparer.show = "classes"
    >>> comparer.gradient.round(4).tolist()
    [-0.7405, 0.7054, 0.0351]
    >>> comparer.close()

    References
    ----------
    P. J. Huber (1964), Ann. Math. Statist. 35(1), 73-101; C. M. Bishop (1995), *Neural Networks for Pattern
    Recognition*, Oxford, sections 6.1 and 6.9.
    """
    state = first_state(data, delta, c, logits, target, examples, show, derivative)
    return LossComparer(state, question=question, name=name)
