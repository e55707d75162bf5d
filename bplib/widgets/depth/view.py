"""The depth bench: what a gradient meets on its way through many layers, and why a saddle is no minimum."""

from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.depth.options import (
    ACTIVATION_OPTIONS,
    INIT_OPTIONS,
    LABELS,
    PICTURES,
    SLIDER_NAMES,
    choose,
    code_of,
    noise_options,
    rate_options,
)
from bplib.widgets.depth.saddle import live_marks, saddle_scene
from bplib.widgets.depth.scene import layers_scene
from bplib.widgets.depth.signals import Signals, signals
from bplib.widgets.depth.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.depth.walk import Walk, walk
from bplib.widgets.depth.words import layer_factor, layers_sentence, walk_sentence
from bplib.widgets.kit import button, close_all, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["DepthBench", "depth_bench"]

Floats = npt.NDArray[np.float64]


@final
class DepthBench(View[State]):
    """The live widget; `depth_bench` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the outcome.
    name : str
        A second bench of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "depth bench") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def show(self) -> str:
        """Which picture is in front, "layers" or "saddle"; set it to change over."""
        return self._state.show

    @show.setter
    def show(self, value: str) -> None:
        self._apply(Event("show", value))

    @property
    def depth(self) -> int:
        """Layers of the network, from 1 to 20; set it to move the slider."""
        return self._state.depth

    @depth.setter
    def depth(self, value: int) -> None:
        self._apply(Event("set", {"depth": value}))

    @property
    def activation(self) -> str:
        """The activation: "sigmoid", "tanh", "relu" or "none"; set it to change the network."""
        return self._state.activation

    @activation.setter
    def activation(self, value: str) -> None:
        self._apply(Event("set", {"activation": value}))

    @property
    def init(self) -> str:
        """The first weights: "uniform", "xavier", "he", "small" or "large"; set it to draw others."""
        return self._state.init

    @init.setter
    def init(self, value: str) -> None:
        self._apply(Event("set", {"init": value}))

    @property
    def surface(self) -> str:
        """The loss of the descent: "saddle", "bowl" or "linear_network"; set it to change the map."""
        return self._state.surface

    @surface.setter
    def surface(self, value: str) -> None:
        self._apply(Event("set", {"surface": value}))

    @property
    def start(self) -> tuple[float, float]:
        """Start (w1, w2) of the descent, both between -2 and 2; set it to move the handle."""
        return self._state.start

    @start.setter
    def start(self, value: tuple[float, float]) -> None:
        self._apply(Event("set", {"start": value}))

    @property
    def lr(self) -> float:
        """Learning rate η of the descent, above 0 and at most 1."""
        return self._state.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._apply(Event("set", {"lr": value}))

    @property
    def noise(self) -> float:
        """Standard deviation of the noise on each gradient of the descent, from 0 to 1."""
        return self._state.noise

    @noise.setter
    def noise(self, value: float) -> None:
        self._apply(Event("set", {"noise": value}))

    @property
    def steps(self) -> int:
        """Steps of the descent that are shown, from 0 to 100; set it to move the slider."""
        return self._state.steps

    @steps.setter
    def steps(self, value: int) -> None:
        self._apply(Event("set", {"steps": value}))

    @property
    def activation_spreads(self) -> Floats:
        """Standard deviation of the activations of every layer, the first one first, shape (depth,)."""
        return self._signals().spreads[: self.depth].copy()

    @property
    def gradient_spreads(self) -> Floats:
        """Standard deviation of ∂L/∂z of every layer, the first one first, shape (depth,)."""
        return self._signals().gradient_spreads[self.depth - 1, : self.depth].copy()

    @property
    def layer_factor(self) -> float | None:
        """What a layer multiplies the gradient by on its way back, the geometric mean; None for one layer."""
        return layer_factor(self.gradient_spreads.tolist())

    @property
    def path(self) -> Floats:
        """The weights of the descent after every step, shape (101, 2); where it leaves the picture it stops."""
        return self._walk().points.copy()

    @property
    def eigenvalues(self) -> Floats:
        """Eigenvalues of the Hessian where the descent stands, in the order of the two curves, shape (2,)."""
        return self._walk().eigenvalues[self.steps].copy()

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        state = self._state
        return layers_sentence(state, state.depth) if state.show == "layers" else walk_sentence(state, state.steps)

    def network(self, activation: str, init: str, depth: int) -> None:
        """Show the layers of another network.

        Parameters
        ----------
        activation : {"sigmoid", "tanh", "relu", "none"}
        init : {"uniform", "xavier", "he", "small", "large"}
        depth : int
            From 1 to 20.

        Raises
        ------
        DomainError, DataError
            For another value; nothing has changed then.
        """
        self._apply(Event("set", {"activation": activation, "init": init, "depth": depth}))

    def descent(self, surface: str, start: tuple[float, float], lr: float, noise: float = 0.0) -> None:
        """Show another descent.

        Parameters
        ----------
        surface : {"saddle", "bowl", "linear_network"}
        start : tuple of float
            (w1, w2), both between -2 and 2.
        lr : float
            Above 0 and at most 1.
        noise : float
            From 0 to 1.

        Raises
        ------
        DomainError, DataError
            For another value; nothing has changed then.
        """
        self._apply(Event("set", {"surface": surface, "start": start, "lr": lr, "noise": noise}))

    def reveal(self) -> None:
        """Show the gradients of the layers below the top one."""
        self._apply(Event("reveal"))

    def reset(self) -> None:
        """Go back to the first network and the first descent; what is revealed stays revealed."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state, or the outcome below its question where there is one."""
        state = reduce(self._state, Event("reveal")) if self._question else self._state
        return render(_scene(state), state.position, self._question)

    # ------------------------------------------------------------ state -> view

    def _signals(self) -> Signals:
        state = self._state
        return signals(state.activation, state.init, state.width, state.seed)

    def _walk(self) -> Walk:
        state = self._state
        return walk(state.surface, state.start, state.lr, state.noise, state.seed)

    def _scene(self) -> Scene:
        return _scene(self._state)

    def _position(self) -> int:
        return self._state.position

    def _key(self) -> Any:
        state = self._state
        if state.show == "layers":
            return state.activation, state.init, state.revealed
        return state.surface, state.start, state.lr, state.noise

    def _live_marks(self) -> tuple[dict[str, Floats], dict[str, str], str]:
        return live_marks(self._state)

    def _show(self) -> None:
        self._change_slider()
        super()._show()
        if not self._links:
            self._links.append(ipw.jsdlink((self._slider, "index"), (self.stage, "index")))

    def _change_slider(self) -> None:
        """Let the other slider scrub the table, before it shows a position that the first one does not have."""
        if self._slider is not self._sliders[self._state.show]:
            close_all(self._links)
            self._links.clear()
            self._slider = self._sliders[self._state.show]
            self._slider.index = self._state.position

    def _show_controls(self) -> None:
        state = self._state
        self._change_slider()
        for control, shown, display in self._of_picture:
            control.layout.display = display if shown == state.show else "none"
        self._tabs.value = state.show
        self._activation.value, self._init.value = state.activation, state.init
        choose(self._lr, state.lr, rate_options(state.lr))
        choose(self._noise, state.noise, noise_options(state.noise))
        self._code.value = code_of(state)

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._tabs = toggle(PICTURES, state.show, "show")
        positions = {"layers": state.depth - 1, "saddle": state.steps}
        self._sliders = {shown: self._scrubber(shown, position) for shown, position in positions.items()}
        self._slider = self._sliders[state.show]
        self._activation = toggle(ACTIVATION_OPTIONS, state.activation, "activation")
        self._init = dropdown(INIT_OPTIONS, state.init, "first weights")
        self._lr = toggle(rate_options(state.lr), state.lr, "learning rate η")
        self._noise = toggle(noise_options(state.noise), state.noise, "noise")
        self._code = code_line()
        self._tabs.observe(lambda change: self._report(Event("show", change["new"])), "value")
        settings = {"activation": self._activation, "init": self._init, "lr": self._lr, "noise": self._noise}
        for name, control in settings.items():
            control.observe(self._setter(name), "value")
        presets = {shown: self._presets(shown) for shown in ("layers", "saddle")}
        of_layers = [self._sliders["layers"], self._activation, self._init, *presets["layers"]]
        of_saddle = [self._sliders["saddle"], self._lr, self._noise, *presets["saddle"]]
        self._of_picture = [(one, "layers", one.layout.display) for one in of_layers]
        self._of_picture += [(one, "saddle", one.layout.display) for one in of_saddle]
        reset = button("Reset", self.reset, tooltip="Back to the first network and the first descent")
        return [
            self._tabs, *self._sliders.values(), row([self._activation, self._init, self._lr, self._noise]),
            row([*presets["layers"], *presets["saddle"], reset]), self._code,
        ]  # fmt: skip

    def _scrubber(self, shown: str, position: int) -> ipw.SelectionSlider:
        slider = position_slider(LABELS[shown], position, SLIDER_NAMES[shown])

        def moved(change: dict[str, Any]) -> None:
            # A last report of the hidden slider may be under way while the pictures change places.
            if self._state.show == shown:
                self._report(Event("position", change["new"]))

        slider.observe(moved, "index")
        return slider

    def _setter(self, name: str) -> Any:
        return lambda change: self._report(Event("set", {name: change["new"]}))

    def _presets(self, shown: str) -> list[ipw.Button]:
        names = [name for name, values in PRESETS.items() if values["show"] == shown]
        return [button(name, self._chooser(name)) for name in names]

    def _chooser(self, name: str) -> Any:
        return lambda: self._report(Event("preset", name))

    def _dragged(self, drag: Drag) -> None:
        self._apply(Event("drag", (drag.x, drag.y)))


def _scene(state: State) -> Scene:
    return layers_scene(state) if state.show == "layers" else saddle_scene(state)


def depth_bench(
    depth: int = 10,
    activation: str = "sigmoid",
    init: str = "xavier",
    *,
    width: int = 100,
    seed: int = 2,
    show: str = "layers",
    question: str = "",
    name: str = "depth bench",
) -> DepthBench:
    """Make a depth bench: activations and gradients of up to 20 layers, and a descent beside a saddle.

    a_k = f(a_(k−1) W_k),   ∂L/∂z_(k−1) = (∂L/∂z_k W_kᵀ) f′(z_(k−1)),   a_0 and ∂L/∂a_d standard normal

    The gradients below the top layer stay hidden until `DepthBench.reveal` is called.

    Parameters
    ----------
    depth : int
        Layers, from 1 to 20.
    activation : {"sigmoid", "tanh", "relu", "none"}
    init : {"uniform", "xavier", "he", "small", "large"}
        Weights uniform in ±1/√n, Xavier's, He's, or normal with standard deviation 0.01 or 1; biases are 0.
    width : int
        Units n in each layer, from 8 to 200. 100 examples go through the network.
    seed : int
        Of weights, inputs and noise. Another one changes the factor of a layer by about 1 %.
    show : {"layers", "saddle"}
        Which picture is in front.
    question : str
        Shown above the picture that stands for the bench where no kernel runs.
    name : str
        A second bench of the same name closes the first.

    Returns
    -------
    DepthBench

    Raises
    ------
    DomainError
        For a value outside its range.
    DataError
        For a value that is no number.

    Examples
    --------
    >>> bench = depth_bench()
    >>> bench.reveal()
    >>> bench.sentence
    'The gradient that reaches layer 1 is 2.01·10⁻⁶ times the one at the top; a layer multiplies it by 0.233 ...'
    >>> bench.network("relu", "he", depth=20)
    >>> round(bench.layer_factor, 2)
    1.0
    >>> bench.show = "saddle"
    >>> bench.eigenvalues
    array([ 2., -2.])
    >>> bench.close()

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
    He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers", ICCV.
    Dauphin et al. (2014), "Identifying and attacking the saddle point problem", NeurIPS 27.
    """
    state = first_state(depth, activation, init, width, seed, show)
    return DepthBench(state, question=question, name=name)
