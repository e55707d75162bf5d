"""The neuron bench: one sigmoid neuron by hand, its loss over the weight, and one update after another."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.tracing.figures import number
from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, set_positions
from bplib.widgets.neuron.passes import passes
from bplib.widgets.neuron.scene import live_marks, neuron_scene, sentence_of
from bplib.widgets.neuron.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.view import View

__all__ = ["NeuronBench", "neuron_bench"]

Floats = npt.NDArray[np.float64]

_OWN = "your own"
_LABELS = {"w": "weight w", "b": "bias b", "x": "input x", "lr": "learning rate η"}
_SHOW, _HIDE = "Backward", "Hide gradients"


@final
class NeuronBench(View[State]):
    """The live widget; `neuron_bench` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin.
    name : str
        A second bench of the same name closes the first.
    """

    _LIVE = frozenset({"x", "b", "lr"})

    def __init__(self, state: State, *, question: str = "", name: str = "neuron bench") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner sets in code

    @property
    def w(self) -> float:
        """Weight; set it, between -10 and 10, to move the slider."""
        return self._state.w

    @w.setter
    def w(self, value: float) -> None:
        self._apply(Event("w", value))

    @property
    def b(self) -> float:
        """Bias; set it, between -10 and 10, to move the slider."""
        return self._state.b

    @b.setter
    def b(self, value: float) -> None:
        self._apply(Event("b", value))

    @property
    def x(self) -> float:
        """Input; set it, between -10 and 10, to move the slider."""
        return self._state.x

    @x.setter
    def x(self, value: float) -> None:
        self._apply(Event("x", value))

    @property
    def lr(self) -> float:
        """Learning rate η, above 0 and at most 100; set it to move the slider."""
        return self._state.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._apply(Event("lr", value))

    @property
    def y(self) -> float:
        """Target, from 0 to 1; set it to change the loss."""
        return self._state.y

    @y.setter
    def y(self, value: float) -> None:
        self._apply(Event("y", value))

    @property
    def gradients_shown(self) -> bool:
        """Whether the gradients are drawn, as after Backward; set it to True or False."""
        return self._state.gradients_shown

    @gradients_shown.setter
    def gradients_shown(self, value: bool) -> None:
        self._apply(Event("gradients", value))

    def set(self, **values: float) -> None:
        """Set several of x, w, b, lr and y at once, such as ``bench.set(w=2, b=2)``.

        Parameters
        ----------
        **values : float

        Raises
        ------
        DomainError, DataError
            For a value outside its range, no number, or another name.
        """
        self._apply(Event("set", values))

    # ------------------------------------------------------------ what a learner reads

    @property
    def output(self) -> float:
        """What the neuron answers, a = σ(w · x + b)."""
        return float(self._passes().output[0])

    @property
    def loss(self) -> float:
        """L = ½(a − y)²."""
        return float(self._passes().loss[0])

    @property
    def gradients(self) -> dict[str, float]:
        """∂L/∂w and ∂L/∂b, by the names ``"w"`` and ``"b"``."""
        found = self._passes()
        return {"w": float(found.to_w[0]), "b": float(found.to_b[0])}

    @property
    def losses(self) -> Floats:
        """The loss before the first update of the last run and after each, shape (n + 1,); empty without updates."""
        run = self._state.run
        return np.array(() if run is None else run.loss)

    @property
    def outputs(self) -> Floats:
        """What the neuron answered before the first update of the last run and after each, shape (n + 1,)."""
        run = self._state.run
        return np.array(() if run is None else run.output)

    @property
    def sentence(self) -> str:
        """What happened and what there is to notice, as below the picture."""
        return sentence_of(self._state)

    # ------------------------------------------------------------ what a learner does

    def backward(self) -> None:
        """Show the gradients, like the button; they then follow every control."""
        self._apply(Event("gradients", True))

    def update(self) -> None:
        """Go once through Forward – Loss – Backward – Update: w ← w − η ∂L/∂w, b ← b − η ∂L/∂b."""
        self.updates(1)

    def updates(self, n: int) -> None:
        """Go through the loop n times.

        Parameters
        ----------
        n : int
            From 1 to 300.

        Raises
        ------
        DomainError, DataError
            For another n.
        """
        self._apply(Event("update", n))

    def back(self) -> None:
        """Undo the last press of Update or Reset; the learning rate stays. At most 200 are remembered."""
        self._apply(Event("back", self._past[-1] if self._past else None))

    def reset(self) -> None:
        """Go back to the first values with nothing updated."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state; of an untouched bench what it shows after an update."""
        state = self._state
        if state == self._first:
            state = reduce(state, Event("update", 1))
        return render(neuron_scene(state), state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _undoable(self, before: State, after: State, event: Event) -> bool:
        return event.kind in ("update", "reset") and after != replace(before, note="")

    def _passes(self) -> Any:
        state = self._state
        return passes(state.w, state.b, state.x, state.y)

    def _scene(self) -> Scene:
        return neuron_scene(self._state)

    def _position(self) -> int:
        return self._state.position

    def _key(self) -> State:
        return replace(self._state, w=self._state.ws[0])

    def _live_marks(self) -> tuple[Mapping[str, npt.ArrayLike], Mapping[str, str], str]:
        return live_marks(self._state)

    def _show_controls(self) -> None:
        state = self._state
        for name, slider in self._sliders.items():
            stops, value = _stops(state, name), getattr(state, name)
            set_positions(slider, _labels(stops), stops.index(value))
        self._backward.description = _HIDE if state.gradients_shown else _SHOW
        five = {name: getattr(state, name) for name in ("x", "w", "b", "lr", "y")}
        self._preset.value = next((name for name, values in PRESETS.items() if values == five), _OWN)
        self._code.value = f"bench.set({', '.join(f'{name}={value:.4g}' for name, value in five.items())})"

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        self._sliders = {name: self._make_slider(name) for name in _LABELS}
        self._slider = self._sliders["w"]
        self._preset = dropdown([(name, name) for name in (_OWN, *PRESETS)], _OWN, "preset")
        self._code = code_line()
        self._code.layout.width = "400px"  # whether it stands beside the presets must not depend on its length
        self._preset.observe(self._chose_preset, "value")
        self._backward = button(_SHOW, self._turn_gradients, tooltip="Compute the gradients, or hide them again")
        self._backward.layout.width = "124px"  # nothing may move when the words change
        buttons = [
            self._backward,
            button("Update", self.update, tooltip="Forward – Loss – Backward – Update, once"),
            button("10 updates", lambda: self.updates(10)),
            button("Step back", self.back, tooltip="Undo the last press; the learning rate stays"),
            button("Reset", self.reset, tooltip="Back to the first values"),
        ]
        return [row([*self._sliders.values()]), row(buttons), row([self._preset, self._code])]

    def _make_slider(self, name: str) -> ipw.SelectionSlider:
        stops = _stops(self._state, name)
        made = position_slider(_labels(stops), stops.index(getattr(self._state, name)), _LABELS[name])
        made.style.description_width = "104px"
        made.layout.width, made.layout.min_width, made.layout.max_width = "calc(50% - 12px)", "280px", "440px"
        made.observe(lambda change: self._moved(name, change["new"]), "index")
        return made

    def _moved(self, name: str, index: int) -> None:
        self._report(Event("position", index) if name == "w" else Event(name, _stops(self._state, name)[index]))  # type: ignore[arg-type]

    def _turn_gradients(self) -> None:
        self._apply(Event("gradients", not self._state.gradients_shown))

    def _chose_preset(self, change: dict[str, Any]) -> None:
        if change["new"] != _OWN:
            self._report(Event("preset", change["new"]))


def _stops(state: State, name: str) -> tuple[float, ...]:
    return {"w": state.ws, "b": state.bs, "x": state.xs, "lr": state.lrs}[name]


def _labels(stops: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(number(stop, 4) for stop in stops)


def neuron_bench(
    x: float = 1.0,
    w: float = 0.6,
    b: float = 0.9,
    lr: float = 0.15,
    y: float = 0.0,
    *,
    question: str = "",
    name: str = "neuron bench",
) -> NeuronBench:
    """Make a neuron bench: one sigmoid neuron, its loss over the weight, and updates one at a time.

    z = w · x + b,   a = σ(z),   L = ½(a − y)²

    ∂L/∂w = (a − y) · a(1 − a) · x,   ∂L/∂b = (a − y) · a(1 − a),   w ← w − η ∂L/∂w,   b ← b − η ∂L/∂b

    Parameters
    ----------
    x, w, b : float
        Input, weight and bias, each between -10 and 10; a slider gets the value if it is not one of its own.
    lr : float
        Learning rate η, above 0 and at most 100.
    y : float
        Target, from 0 to 1.
    question : str
        Shown above the picture that stands for the bench where no kernel runs.
    name : str
        A second bench of the same name closes the first.

    Returns
    -------
    NeuronBench

    Raises
    ------
    DomainError
        For a value outside its range.
    DataError
        For a value that is no number.

    Notes
    -----
    The ½ is Nielsen's and belongs to this neuron; elsewhere in the course the squared error has none.
    After an update w and b are no round numbers: a slider stands exactly there, between two of its own.

    References
    ----------
    M. A. Nielsen (2015), *Neural Networks and Deep Learning*, Determination Press, chapter 3.

    Examples
    --------
    >>> bench = neuron_bench(x=0.5, w=1.2, b=0.9)
    >>> round(bench.output, 4), round(bench.gradients["w"], 4)
    (0.8176, 0.061)
    >>> bench.set(x=1, w=2, b=2)
    >>> bench.updates(300)
    >>> bench.sentence
    '300 updates: a went from 0.982 to 0.2028, and the loss fell from 0.4822 to 0.02057.'
    >>> bench.close()
    """
    return NeuronBench(first_state(x, w, b, lr, y), question=question, name=name)
