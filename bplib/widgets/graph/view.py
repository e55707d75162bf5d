"""The graph stepper: a forward and a backward pass on the drawn graph, one wire at a time."""

from typing import Any, final

import ipywidgets as ipw

from bplib.errors import DomainError
from bplib.tracing import Trace, trace
from bplib.viz.graph import graph_scene
from bplib.viz.graph_story import as_story, cut
from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.graph.examples import EXAMPLES, story_of
from bplib.widgets.graph.state import Event, State, asked, first_state, reduce
from bplib.widgets.graph.words import question_moment, sentence, symbol_asked, transcript
from bplib.widgets.kit import button, dropdown, position_slider, row, toggle
from bplib.widgets.view import View

__all__ = ["GraphStepper", "graph_stepper"]

_OWN = "yours"
_WAYS = [("watch", False), ("type each gradient", True)]


@final
class GraphStepper(View[State]):
    """The live widget; `graph_stepper` makes one.

    Parameters
    ----------
    state : State
        The first state.
    own : Trace, optional
        The learner's own expression, listed beside the examples.
    question : str
        Shown above the static twin.
    name : str
        A second stepper of the same name closes the first.
    """

    def __init__(
        self, state: State, own: Trace | None = None, *, question: str = "", name: str = "graph stepper"
    ) -> None:
        self._own = own
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and calls in code

    @property
    def story(self) -> Trace:
        """The forward and backward pass that is shown, as `bplib.trace` tells it; print it to read it."""
        return self._state.story

    @property
    def example(self) -> str:
        """The name of the expression; set it to one of the list, such as ``"max"``."""
        return self._state.example

    @example.setter
    def example(self, name: str) -> None:
        self._apply(Event("example", (name, self._story(name))))

    @property
    def typed(self) -> bool:
        """Whether each gradient is asked for before it is shown; set it to True or False."""
        return self._state.typed

    @typed.setter
    def typed(self, value: bool) -> None:
        self._apply(Event("typed", value))

    @property
    def position(self) -> int:
        """The moment shown, 0 before the first step; set it to go there."""
        return self._state.position

    @position.setter
    def position(self, value: int) -> None:
        self._apply(Event("go", value))

    @property
    def sentence(self) -> str:
        """What happened, and what is asked, as below the picture."""
        return sentence(self._state)

    @property
    def transcript(self) -> str:
        """All steps up to the present one, a line each."""
        return "\n".join(transcript(self._state))

    def step(self) -> None:
        """Go one step on. Where a gradient is asked for, nothing moves, and `sentence` says so."""
        self._apply(Event("step"))

    def back(self) -> None:
        """Go one step back."""
        self._apply(Event("back"))

    def reset(self) -> None:
        """Go back to the beginning."""
        self._apply(Event("reset"))

    def answer(self, value: float | str) -> None:
        """Give the gradient that is asked for; `sentence` says what it is.

        Parameters
        ----------
        value : float or str
            A number, two digits are enough; as text also with a decimal comma or as a fraction such as ``"1/8"``.
        """
        self._apply(Event("answer", value))

    def show_it(self) -> None:
        """Give up on the present question and go on."""
        self._apply(Event("show"))

    def picture(self) -> Picture:
        """The static twin: the present moment; of an untouched stepper the last one, with all gradients."""
        state = self._state
        if state.position == 0 and not state.typed:
            return render(graph_scene(state.story, state.moments), state.last, self._question)
        return render(graph_scene(state.story, [question_moment(state)]), heading=self._question)

    # ------------------------------------------------------------ state -> view

    def _story(self, name: str) -> Trace:
        if name == _OWN and self._own is not None:
            return self._own
        return _example(name)

    def _alone(self) -> bool:
        """Whether only the one moment is drawn, not the table that the slider scrubs."""
        return self._state.typed or bool(self._state.note) or self._state.verdict is not None

    def _key(self) -> Any:
        return self._state.story, sentence(self._state) if self._alone() else None

    def _scene(self) -> Scene:
        # The one moment stands at every position: a table of its own length would not fit the slider.
        moments = [question_moment(self._state)] if self._alone() else self._state.moments
        return graph_scene(self._state.story, moments)

    def _position(self) -> int:
        return self._state.position

    def _show_controls(self) -> None:
        state, question = self._state, asked(self._state)
        self._list.value, self._way.value = state.example, state.typed
        labels = _labels(state)
        if self._slider.options != labels:
            # Two messages: told both at once, the slider in the browser keeps its old range for the arrow keys.
            self._slider.index = 0
            self._slider.options = labels
        self._back.disabled = state.position == 0
        self._answers.layout.display = "flex" if state.typed else "none"
        self._field.description = f"{cut(symbol_asked(state), 24)} =" if question else "nothing is asked now"
        self._field.disabled = self._check.disabled = self._give_up.disabled = question is None
        if state.verdict is None or state.verdict.right:
            self._field.value = ""

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        listed = [(example.label, name) for name, example in EXAMPLES.items()]
        listed = [("your own expression", _OWN), *listed] if self._own is not None else listed
        self._list = dropdown(listed, state.example, "expression")
        self._way = toggle(_WAYS, state.typed, "you")
        self._back = button("Step back", self.back)
        step = button("Step", self.step, tooltip="The next operation forward, or the next wire backward")
        step.button_style = "primary"
        self._slider = position_slider(_labels(state), state.position, "step")
        self._field = ipw.Text(
            description="answer", style={"description_width": "initial"},
            layout=ipw.Layout(width="max-content"),
        )  # fmt: skip
        self._check = button("Check", self._check_field)
        self._give_up = button("Show it", self.show_it, tooltip="Show the gradient and go on")
        self._answers = row([self._field, self._check, self._give_up])
        self._list.observe(lambda change: self._choose(change["new"]), "value")
        self._way.observe(lambda change: self._report(Event("typed", change["new"])), "value")
        self._slider.observe(lambda change: self._report(Event("go", change["new"])), "index")
        self._field.on_msg(self._take_enter)
        steps = row([step, self._back, button("Start again", self.reset)])
        return [self._list, self._way, steps, self._slider, self._answers]

    def _check_field(self) -> None:
        if self._field.value.strip():
            self.answer(self._field.value)

    def _take_enter(self, _: Any, message: dict[str, Any], __: Any) -> None:
        if message.get("event") == "submit":
            self._check_field()

    def _choose(self, name: str) -> None:
        if not self._showing:
            self.example = name


def _example(name: Any) -> Trace:
    if not isinstance(name, str) or name not in EXAMPLES:
        raise DomainError(
            f"graph stepper: there is no example {name!r}. Expected one of {', '.join(EXAMPLES)}, for example "
            'graph_stepper(example="max"); or your own expression: graph_stepper(loss).'
        )
    return story_of(name)


def _labels(state: State) -> tuple[str, ...]:
    return tuple(f"{k} of {state.last}" for k in range(state.last + 1))


def graph_stepper(
    loss: Any = None, *, example: str = "slides", typed: bool = False, question: str = "", name: str = "graph stepper"
) -> GraphStepper:
    """Make a graph stepper: the chain rule on a drawn graph, *incoming × local = outgoing* at every wire.

    Parameters
    ----------
    loss : Tensor, optional
        Your own expression: the last result, of at most 30 nodes. Without one an example is shown.
    example : {"slides", "product", "fan-out", "square", "max", "neuron"}
        Which example.
    typed : bool
        Whether each gradient is asked for before it is shown.
    question : str
        Shown above the picture that stands for the stepper where no kernel runs.
    name : str
        A second stepper of the same name closes the first.

    Returns
    -------
    GraphStepper

    Raises
    ------
    DomainError, DataError
        If there is no such example, or the graph has too many nodes.
    GraphError, ShapeError
        If `loss` has no past, or is not a single number; see `bplib.trace`.

    Examples
    --------
    >>> stepper = graph_stepper(example="square")
    >>> stepper.step(), stepper.step(), stepper.step()
    (None, None, None)
    >>> stepper.sentence
    'Backward to x: incoming × local = 1 × 3 = 3; local: ∂y/∂x (first operand) = x = 3.'
    >>> stepper.close()

    References
    ----------
    S. Linnainmaa (1976), BIT 16, 146-160.
    """
    if loss is not None:
        own = as_story(trace(loss), "graph stepper")
        return GraphStepper(first_state(_OWN, own, bool(typed)), own, question=question, name=name)
    return GraphStepper(first_state(example, _example(example), bool(typed)), question=question, name=name)
