"""The surface explorer: the loss of a real network on a plane through all its parameters."""

from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.checks import as_number
from bplib.errors import DataError, DomainError
from bplib.landscape import LossPlane
from bplib.nn import Module
from bplib.viz.picture import Picture
from bplib.viz.scene import Scene
from bplib.widgets.explorer.network import CALLER, OWN, own_task
from bplib.widgets.explorer.picture import solid_picture
from bplib.widgets.explorer.plane import heights
from bplib.widgets.explorer.scene import explorer_scene, live_marks
from bplib.widgets.explorer.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.explorer.words import explorer_sentence
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.stage import Drag
from bplib.widgets.view import View

__all__ = ["SurfaceExplorer", "surface_explorer"]

Floats = npt.NDArray[np.float64]

_DIRECTIONS = [("of the training run (PCA)", "pca"), ("random, filter-normalised", "random")]
_UNNAMED = "your own"


@final
class SurfaceExplorer(View[State]):
    """The live widget; `surface_explorer` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin.
    name : str
        A second explorer of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "surface explorer") -> None:
        super().__init__(state, reduce, question=question, name=name)
        box: Any = self
        *above, names = box.children
        box.children = [*above, self._solid, names]

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def example(self) -> str:
        """Which network, one of "moons, 2-8-1", "xor, 2-3-1", "line, 1-1", or "your model"; set it to change."""
        return self._state.example

    @example.setter
    def example(self, value: str) -> None:
        self._set(example=value)

    @property
    def directions(self) -> str:
        """What spans the plane, "pca" or "random"; set it to cut another one. Two parameters have one plane only."""
        return self._state.directions

    @directions.setter
    def directions(self, value: str) -> None:
        self._set(directions=value)

    @property
    def start(self) -> tuple[float, float]:
        """Where your run begins, (a, b) in the plane; set it to move the handle."""
        return self._state.start

    @start.setter
    def start(self, value: tuple[float, float]) -> None:
        self._set(start=value)

    @property
    def lr(self) -> float:
        """Learning rate η of your run, above 0 and at most 1000."""
        return self._state.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._set(lr=value)

    @property
    def step(self) -> int:
        """Step of both runs that is shown; the shorter one stays at its end. Set it to move the slider."""
        return self._state.step

    @step.setter
    def step(self, value: int) -> None:
        self._set(step=value)

    @property
    def losses(self) -> Floats:
        """A copy of the losses of your run, shape (steps + 1,); NaN where it has left the numbers."""
        return self._state.run.losses.copy()

    @property
    def run_losses(self) -> Floats:
        """A copy of the losses of the training run, one for each of its steps and one for its beginning."""
        return self._state.task.run.losses.copy()

    @property
    def path(self) -> Floats:
        """A copy of your run as near as the plane comes, shape (steps + 1, 2)."""
        return self._state.run.path.copy()

    @property
    def theta(self) -> Floats:
        """All parameters at the start of your run, shape (p,); give them to a model of the same kind."""
        return self._state.frame.theta(self._state.start)

    @property
    def origin(self) -> Floats:
        """A copy of θ where a = b = 0: the end of the training run, or 0 where the plane is the whole surface."""
        return self._state.frame.origin.copy()

    @property
    def vectors(self) -> Floats:
        """A copy of u and v, the directions of the plane, shape (2, p)."""
        return self._state.frame.directions.copy()

    @property
    def plane(self) -> LossPlane:
        """A copy of the grid that is drawn: coordinates ``a`` and ``b``, and ``losses[i, j]`` at a[i], b[j]."""
        a, b, losses, _ = heights(*self._state.plane)
        return LossPlane(a.copy(), b.copy(), losses.copy(), None)

    @property
    def share(self) -> float:
        """How much of the training run's movement lies in the plane, from 0 to 1."""
        return self._state.frame.share

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        state = self._state
        return explorer_sentence(state.task, state.frame, state.run, state.start, state.step)

    def look(self, example: str, directions: str, start: tuple[float, float], lr: float, *, seed: int = 0) -> None:
        """Show another network, plane, start and learning rate at once.

        Parameters
        ----------
        example : str
        directions : {"pca", "random"}
        start : tuple of float
            (a, b), inside the window of that plane.
        lr : float
            Above 0 and at most 1000.
        seed : int
            Of the random directions, at least 0.

        Raises
        ------
        DomainError, DataError
            For another value; nothing has changed then.
        """
        self._set(example=example, directions=directions, start=start, lr=lr, seed=seed)

    def again(self) -> None:
        """Draw other random directions."""
        self._apply(Event("again"))

    def reset(self) -> None:
        """Go back to the first network, plane, start, learning rate and step."""
        self._apply(Event("reset", self._first))

    def picture_3d(self) -> Picture:
        """The plane in three dimensions, with the training run at its own loss.

        Returns
        -------
        Picture
            Where the run floats above the surface or dives below it, it lies off the plane.
        """
        return solid_picture(*self._state.plane)

    # ------------------------------------------------------------ state -> view

    def _set(self, **values: Any) -> None:
        self._apply(Event("set", values))

    def _scene(self) -> Scene:
        return explorer_scene(self._state)

    def _position(self) -> int:
        return self._state.step

    def _key(self) -> State:
        return replace(self._state, step=0, solid=False)

    def _live_marks(self) -> tuple[dict[str, Floats], dict[str, str], str]:
        return live_marks(self._state)

    def _show_controls(self) -> None:
        state = self._state
        self._show_slider(state)
        self._example.value = state.example
        self._directions.value = state.directions
        whole = state.frame.kind == "whole"
        self._directions.layout.display = "none" if whole else "flex"
        self._again.layout.display = "" if state.frame.kind == "random" else "none"
        rates = _rate_options(state)
        if list(self._lr.options) != rates:
            self._lr.options = rates
        self._lr.value = state.lr
        self._preset.value = state.preset or _UNNAMED
        self._code.value = _code(state)
        self._show_solid(state)

    def _show_slider(self, state: State) -> None:
        labels = _labels(state)
        if self._slider.options != labels:
            self._slider.index = 0  # in the browser, a handle beyond the new end would report that end back
            self._slider.options = labels

    def _show_solid(self, state: State) -> None:
        self._solid.value = self.picture_3d().html() if state.solid else ""
        self._solid.layout.display = "" if state.solid else "none"
        self._solid_button.description = "Hide 3-D picture" if state.solid else "3-D picture"

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._slider = position_slider(_labels(state), state.step, "step")
        self._example = dropdown([(name, name) for name in state.names], state.example, "network")
        self._directions = toggle(_DIRECTIONS, state.directions, "directions")
        self._lr = toggle(_rate_options(state), state.lr, "your learning rate η")
        self._preset = dropdown([(name, name) for name in (_UNNAMED, *PRESETS)], _UNNAMED, "preset")
        self._code = code_line()
        self._again = button("Other directions", self.again, tooltip="Draw other random directions")
        self._solid_button = button("3-D picture", self._turn_solid, tooltip="The same plane in three dimensions")
        self._solid = ipw.HTML(layout=ipw.Layout(display="none"))
        reset = button("Reset", self.reset, tooltip="Back to the first network, plane, start and learning rate")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        for name, control in (("example", self._example), ("directions", self._directions), ("lr", self._lr)):
            control.observe(self._setter(name), "value")
        self._preset.observe(self._chose_preset, "value")
        return [
            row([self._example, self._directions]), self._slider, row([self._lr, self._preset]),
            row([self._again, self._solid_button, reset, self._code]),
        ]  # fmt: skip

    def _setter(self, name: str) -> Any:
        return lambda change: self._report(Event("set", {name: change["new"]}))

    def _chose_preset(self, change: dict[str, Any]) -> None:
        if change["new"] != _UNNAMED:
            self._report(Event("preset", change["new"]))

    def _turn_solid(self) -> None:
        self._report(Event("solid"))

    def _dragged(self, drag: Drag) -> None:
        self._apply(Event("drag", (drag.x, drag.y)))


def _labels(state: State) -> tuple[str, ...]:
    return tuple(map(str, range(state.last + 1)))


def _rate_options(state: State) -> list[tuple[str, float]]:
    return [(f"{rate:g}", rate) for rate in sorted({*state.task.rates, state.lr})]


def _code(state: State) -> str:
    a, b = state.start
    seed = f", seed={state.seed}" if state.seed and state.directions == "random" else ""
    place = f"({_short(a)}, {_short(b)})"
    return f'explorer.look("{state.example}", "{state.directions}", {place}, lr={_short(state.lr)}{seed})'


def _short(value: float) -> str:
    """A number as one would write it, and the very same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def surface_explorer(
    model: Module | None = None,
    loss: Any = None,
    data: Any = None,
    *,
    example: str = "moons, 2-8-1",
    directions: str = "pca",
    lr: float | None = None,
    start: tuple[float, float] | None = None,
    steps: int = 30,
    seed: int = 0,
    run: Any = None,
    question: str = "",
    name: str = "surface explorer",
) -> SurfaceExplorer:
    """Make a surface explorer: the loss L(θ* + a·u + b·v) of a network on a plane through its trained parameters θ*.

    In the plane the learner chooses where gradient descent begins. It runs through all p parameters, not only in the
    plane; the picture shows it as near as the plane comes.

    Parameters
    ----------
    model : Module, optional
        A network of your own with its `loss` and `data`. It is copied: your parameters stay as they are. It is
        trained for 80 steps of gradient descent on the whole data, in evaluation mode, from where it is.
    loss : callable, optional
        ``loss(prediction, target)``, one number, such as ``bplib.losses.mse``.
    data : (X, y), optional
        Examples, one a row, and their targets.
    example : {"moons, 2-8-1", "xor, 2-3-1", "line, 1-1"}
        A built-in network, where no model is given.
    directions : {"pca", "random"}
        u and v: the first two principal components of the training run, or random directions in which each filter is
        as long as the network's own. A network of two parameters has one plane only.
    lr : float, optional
        Learning rate η of your run, above 0 and at most 1000; with a model of your own (0.1) also of its training run.
    start : tuple of float, optional
        (a, b), where your run begins.
    steps : int
        Steps of your run, from 1 to 100.
    seed : int
        Of the random directions.
    run : array_like, shape (n, p), optional
        θ after each step of a training run of your own, 3 to 201 rows, in place of the 80 steps.
    question : str
        Shown above the picture that stands for the explorer where no kernel runs.
    name : str
        A second explorer of the same name closes the first.

    Returns
    -------
    SurfaceExplorer

    Raises
    ------
    DataError, ShapeError, DomainError, GraphError
        If model, loss, data or run do not fit together, or a value lies outside its range.

    Notes
    -----
    The per cents are shares of the movement: Σ‖P(θₜ − θ̄)‖² / Σ‖θₜ − θ̄‖², P the projection onto the plane. Where the
    examples end in a sigmoid, gradients are small, and learning rates above 1 are usual.

    Examples
    --------
    >>> explorer = surface_explorer(example="line, 1-1", start=(0.0, 3.0))
    >>> explorer.sentence
    'From (0, 3), loss 4.85, you are at 0.0922 after 30 steps. Two parameters: this plane is the whole surface.'
    >>> explorer.share
    1.0
    >>> explorer.close()

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), "Visualizing the loss landscape of neural nets",
    NeurIPS, arXiv 1712.09913, sections 4 and 7.
    """
    if model is None and (loss is not None or data is not None or run is not None):
        raise DataError(
            f"{CALLER}: loss, data and run belong to a model, and none is given. Expected all of them or none. "
            "Try surface_explorer(model, loss, (X, y))."
        )
    if model is None:
        state = first_state(example, directions, lr=lr, start=start, steps=steps, seed=seed)
    else:
        own = own_task(model, loss, data, _own_rate(lr), run)
        state = first_state(OWN, directions, own=own, lr=lr, start=start, steps=steps, seed=seed)
    return SurfaceExplorer(state, question=question, name=name)


def _own_rate(lr: Any) -> float:
    rate = 0.1 if lr is None else as_number(lr, "lr", CALLER)
    if not rate > 0:
        raise DomainError(f"{CALLER}: lr is {rate:g}. Expected a learning rate above 0. Try lr=0.1.")
    return rate
