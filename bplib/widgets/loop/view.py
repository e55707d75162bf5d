"""The loop stepper: Forward, Loss, Backward and Update of a small network, one press at a time."""

from typing import Any, final

import ipywidgets as ipw
import numpy as np
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import button, position_slider, row, set_positions
from bplib.widgets.loop.scene import loop_scene
from bplib.widgets.loop.state import STAGES, Event, State, first_state, following, reduce
from bplib.widgets.loop.words import sentence
from bplib.widgets.view import View

__all__ = ["LoopStepper", "loop_stepper"]

Floats = npt.NDArray[np.float64]

_TIPS = {
    "Forward": "Compute the four predictions",
    "Loss": "Compare the predictions with their targets",
    "Backward": "Compute the gradient of every weight and bias",
    "Update": "Move every weight and bias against its gradient",
}


@final
class LoopStepper(View[State]):
    """The live widget; `loop_stepper` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin.
    name : str
        A second stepper of the same name closes the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "loop stepper") -> None:
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and calls in code

    @property
    def lr(self) -> float:
        """Learning rate η of the next Update, above 0 and at most 10; set it to move the slider."""
        return self._state.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._apply(Event("lr", value))

    @property
    def skip_update(self) -> bool:
        """Whether Update is left out; set it to True or False."""
        return self._state.skip_update

    @skip_update.setter
    def skip_update(self, value: bool) -> None:
        self._apply(Event("skip", value))

    @property
    def weights(self) -> Floats:
        """A copy of all parameters, shape (4h + 1,) for h hidden units.

        The h weights from x₁, the h from x₂, the h biases, the h weights into the output, its bias.
        """
        return np.array(self._state.parameters)

    @property
    def gradients(self) -> Floats | None:
        """A copy of the gradients in the order of `weights`; None before Backward and after Update."""
        return _copy(self._state.gradients)

    @property
    def predictions(self) -> Floats | None:
        """A copy of the last four predictions, shape (4,); after Update those from before it; None at first."""
        return _copy(self._state.predictions)

    @property
    def losses(self) -> Floats:
        """A copy of the loss of every loop so far, shape (loops,)."""
        return np.array(self._state.losses)

    @property
    def updates(self) -> int:
        """How often the parameters were updated."""
        return self._state.updates

    @property
    def sentence(self) -> str:
        """What happened and what comes next, as below the picture."""
        return sentence(self._state)

    def press(self, stage: str) -> None:
        """Do one stage, like its button. Out of order nothing happens, and `sentence` says why.

        Parameters
        ----------
        stage : {"Forward", "Loss", "Backward", "Update"}

        Raises
        ------
        DomainError
            For any other word.
        """
        self._apply(Event("press", stage))

    def loops(self, n: int, skip_update: bool | None = None) -> None:
        """Go through the loop n times. A loop that was begun is finished and counts as the first.

        Parameters
        ----------
        n : int
            From 1 to 2000.
        skip_update : bool, optional
            Whether to leave Update out; by default as the switch stands.

        Raises
        ------
        DomainError, DataError
            For another n.
        """
        self._apply(Event("loops", (n, skip_update)))

    def back(self) -> None:
        """Undo the last press or the last loops; at most 200 are remembered."""
        self._apply(Event("back", self._past[-1] if self._past else None))

    def reset(self) -> None:
        """Go back to the first weights with nothing computed; learning rate and switch stay as they are."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state; of an untouched stepper the first loop as far as Backward."""
        state = self._state
        if not state.done:
            for stage in STAGES[:3]:
                state = reduce(state, Event("press", stage))
        return render(loop_scene(state), heading=self._question)

    # ------------------------------------------------------------ state -> view

    def _undoable(self, before: State, after: State, event: Event) -> bool:
        return event.kind in ("press", "loops", "reset") and after != before and not _only_words(after)

    def _scene(self) -> Scene:
        return loop_scene(self._state)

    def _show_controls(self) -> None:
        state, coming = self._state, following(self._state)
        for stage, pressed in self._buttons.items():
            # Not a sign in the name: a screen reader hears what comes next in the sentence.
            pressed.button_style = "primary" if stage == coming else ""
            pressed.style.font_weight = "bold" if stage == coming else "normal"
            pressed.style.text_decoration = "underline" if stage == coming else "none"
        self._skip.value = state.skip_update
        set_positions(self._rate, [f"{rate:g}" for rate in state.rates], state.position)

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._buttons = {stage: button(stage, self._presser(stage), tooltip=tip) for stage, tip in _TIPS.items()}
        for made in self._buttons.values():
            made.layout.width = "104px"  # bold letters are wider, and nothing may move
        self._skip = ipw.Checkbox(
            value=state.skip_update, description="skip update", indent=False, layout=ipw.Layout(width="max-content")
        )
        self._rate = position_slider([f"{rate:g}" for rate in state.rates], state.position, "learning rate η")
        self._skip.observe(lambda change: self._report(Event("skip", change["new"])), "value")
        self._rate.observe(lambda change: self._report(Event("position", change["new"])), "index")
        runs = [
            button("One loop", lambda: self.loops(1), tooltip="To the end of this loop"),
            button("100 loops", lambda: self.loops(100)),
            button("Step back", self.back, tooltip="Undo the last press"),
            button("Reset", self.reset, tooltip="Back to the first weights; the learning rate stays"),
        ]
        return [row([*self._buttons.values(), self._skip]), self._rate, row(runs)]

    def _presser(self, stage: str) -> Any:
        return lambda: self.press(stage)


def _copy(values: tuple[float, ...] | None) -> Floats | None:
    return None if values is None else np.array(values)


def _only_words(after: State) -> bool:
    return after.note[:1] in (("refused",), ("too many",))


def loop_stepper(
    *, hidden: int = 3, lr: float = 0.3, seed: int = 0, question: str = "", name: str = "loop stepper"
) -> LoopStepper:
    """Make a loop stepper: a 2-h-1 network with tanh learns XOR, Forward – Loss – Backward – Update.

    ŷ = tanh(x W + b) V + c,   L = ¼ Σ (ŷ − y)²,   θ ← θ − η ∂L/∂θ

    Parameters
    ----------
    hidden : int
        Hidden units h, from 1 to 3.
    lr : float
        Learning rate η, above 0 and at most 10; the slider gets it if it is not one of its own.
    seed : int
        Which random parameters; 0 learns XOR in about 100 loops.
    question : str
        Shown above the picture that stands for the stepper where no kernel runs.
    name : str
        A second stepper of the same name closes the first.

    Returns
    -------
    LoopStepper

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Examples
    --------
    >>> stepper = loop_stepper()
    >>> before = stepper.weights
    >>> stepper.press("Forward"), stepper.press("Loss"), stepper.press("Backward")
    (None, None, None)
    >>> stepper.sentence
    'Backward: 13 gradients computed. No weight has changed. Next: Update.'
    >>> bool((stepper.weights == before).all())
    True
    >>> stepper.loops(100)
    >>> stepper.sentence
    '100 loops, 100 updates: the loss fell from 0.3374 to 0.0087. The predictions shown ... Next: Forward.'
    >>> stepper.close()

    References
    ----------
    Rumelhart, Hinton and Williams (1986), "Learning representations by back-propagating errors", Nature 323.
    """
    return LoopStepper(first_state(hidden, lr, seed), question=question, name=name)
