"""The training cockpit: a network learns digits, and what is wrong with its training is to be read from the plots."""

from dataclasses import replace
from typing import Any, final

import ipywidgets as ipw

from bplib.training import History
from bplib.training.interrupts import StopWish
from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.cockpit.faults import FAULTS, HEALTHY, behind
from bplib.widgets.cockpit.scene import cockpit_scene, one_position
from bplib.widgets.cockpit.state import NO_GUESS, Event, State, count_of_epochs, first_state, reduce
from bplib.widgets.cockpit.training import history_of, trained
from bplib.widgets.cockpit.words import code_of
from bplib.widgets.kit import button, code_line, dropdown, position_slider, row, set_positions
from bplib.widgets.timing import Later
from bplib.widgets.view import View

__all__ = ["TrainingCockpit", "training_cockpit"]

_RATES = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 100.0)
_BETWEEN_EPOCHS = 0.03  # seconds, in which the kernel answers the page
_REST = 0.2  # seconds after the last change
_TWIN_SHOWS = 15


@final
class TrainingCockpit(View[State]):
    """The live widget; `training_cockpit` makes one.

    Parameters
    ----------
    state : State
        The first state, to which the reset button returns.
    question : str
        Shown above the static twin, which then shows the outcome.
    name : str
        A second cockpit of the same name closes the first.

    Notes
    -----
    The slider gets its new positions when the run has come to rest, until then the picture has one position only. The
    browser reports every position that it is told back to the kernel; told one a second time before its report of the
    first is heard, it would go back to the first.
    """

    def __init__(self, state: State, *, question: str = "", name: str = "training cockpit") -> None:
        self._next = Later(lambda: self._do(self._advance))
        self._rest = Later(lambda: self._do(self._come_to_rest))
        super().__init__(state, reduce, question=question, name=name)

    # ------------------------------------------------------------ what a learner reads and sets in code

    @property
    def setting(self) -> str:
        """What is trained: "healthy", or "A" to "H" with a hidden fault; another one begins a new run."""
        return self._state.setting

    @setting.setter
    def setting(self, value: str) -> None:
        self._apply(Event("setting", value))

    @property
    def lr(self) -> float:
        """Learning rate η that the control says, above 0 and at most 100; another one begins a new run."""
        return self._state.training.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._apply(Event("lr", value))

    @property
    def guess(self) -> str:
        """What you take for the fault, a key of `bplib.widgets.cockpit.faults.FAULTS`, such as "shuffled"."""
        return self._state.guess

    @guess.setter
    def guess(self, value: str) -> None:
        self._apply(Event("guess", value))

    @property
    def epoch(self) -> int:
        """The epoch that is looked at; set it to look back in time."""
        return self._state.position

    @epoch.setter
    def epoch(self, value: int) -> None:
        self._apply(Event("epoch", value))

    @property
    def history(self) -> History:
        """A table of all epochs run, which `bplib.viz.curves.loss_curves` draws; epoch 0 is before the first step.

        Both losses are measured after the epoch, with the same weights; `bplib.training.fit` has in ``train_loss``
        the mean over the epoch's batches instead. Norms and ratios are means over the 20 steps of an epoch.
        """
        return history_of(self._state.training)

    @property
    def is_running(self) -> bool:
        """Whether a run goes on by itself."""
        return self._state.goal > 0

    def run(self, epochs: int = 20) -> None:
        """Train for some epochs, and come back when they are done.

        Parameters
        ----------
        epochs : int
            From 1 to 60. An interrupt of the kernel ends the run after the epoch under way.

        Raises
        ------
        DomainError, DataError
            If it is no such number; nothing is trained then.
        """
        count = count_of_epochs(epochs)
        with StopWish() as stop:
            for _ in range(count):
                self._apply(Event("epochs", 1))
                if stop.made:
                    break

    def reveal(self) -> None:
        """Name the fault of this setting, and what in the plots speaks for it."""
        self._apply(Event("reveal"))

    def reset(self) -> None:
        """Go back to the first setting and rate, before the first step; the faults that were named stay named."""
        self._apply(Event("reset", self._first))

    def picture(self) -> Picture:
        """The static twin: the present state; where nothing has run or a question stands above it, the outcome."""
        state = self._state
        if not state.epochs:
            training = trained(state.fault, state.training.lr, state.training.seed, _TWIN_SHOWS)
            state = replace(state, training=training, position=training.epochs, guess=NO_GUESS, tried=None)
        if self._question and state.setting != HEALTHY:
            state = reduce(state, Event("reveal"))
        return render(cockpit_scene(state), state.position, self._question)

    def flush(self) -> None:
        """Draw now what waits to be drawn; a run under way does not go on by that."""
        self._rest.flush()
        super().flush()

    def close(self) -> None:
        """Close the cockpit; a run under way ends."""
        self._next.cancel()
        self._rest.cancel()
        super().close()

    # ------------------------------------------------------------ state -> view

    @property
    def _is_moving(self) -> bool:
        return self._rest.pending or self.is_running

    def _scene(self) -> Scene:
        scene = cockpit_scene(self._state)
        return one_position(scene, self._state.position) if self._is_moving else scene

    def _position(self) -> int:
        return int(self._slider.index) if self._is_moving else self._state.position

    def _key(self) -> State:
        return replace(self._state, position=0)

    def _apply(self, event: Event) -> None:
        if event.kind != "position":  # the browser is there already
            self._rest(_REST)
        super()._apply(event)
        if self._rest.pending:
            self._rest(_REST)  # counted from the end of the training

    def _draw(self) -> None:
        if self._is_moving:
            self._drawn = None  # the table is yet to come
            self.stage.show(self._scene())
        else:
            self._show()

    def _broken_off(self) -> None:
        # A run that goes on by itself ends, too: nobody would ask for its next epoch, and its button would read Stop.
        self._next.cancel()
        self._state = reduce(self._state, Event("stop"))
        super()._broken_off()
        self._rest(_REST)

    def _come_to_rest(self) -> None:
        if not self.is_running:
            self._bring_controls()
            self._show()

    def _show_controls(self) -> None:
        state = self._state
        if not self._is_moving:
            set_positions(self._slider, _labels(state), state.position)
        self._slider.disabled = self.is_running or not state.epochs
        self._slider.readout = not self.is_running
        self._setting.value, self._guess.value = state.setting, state.guess
        self._show_rate(state.training.lr)
        self._go.description = "Stop" if state.goal else "Run"
        self._one.disabled = self._go.disabled = state.is_over
        self._reveal.disabled = state.guess == NO_GUESS or state.setting in state.named
        self._code.value = code_of(state)

    def _show_rate(self, value: float) -> None:
        if value not in [rate for _, rate in self._rate.options]:
            self._rate.options = _rate_options(value)
        self._rate.value = value

    # ------------------------------------------------------------ controls -> events

    def _make_controls(self) -> list[ipw.Widget]:
        state = self._state
        self._setting = dropdown([(name, name) for name in behind(state.deal)], state.setting, "setting")
        self._rate = dropdown(_rate_options(state.training.lr), state.training.lr, "learning rate η")
        self._slider = position_slider(_labels(state), state.position, "look at epoch")
        guesses = [(NO_GUESS, NO_GUESS), *((fault.label, name) for name, fault in FAULTS.items())]
        self._guess = dropdown(guesses, state.guess, "your guess")
        self._one = button("One epoch", self._train_one, tooltip="20 steps: every training digit once")
        self._go = button("Run", self._run_or_stop, tooltip=f"Epoch after epoch, {state.length} in all")
        self._go.layout.min_width = "4.6em"  # the buttons beside it stay where they are when it reads Stop
        self._reveal = button("Show the fault", self.reveal, tooltip="Name what is wrong; guess first")
        self._code = code_line()
        reset = button("Reset", self.reset, tooltip="Back to the first setting, before the first step")
        self._slider.observe(lambda change: self._report(Event("position", change["new"])), "index")
        for control, kind in ((self._setting, "setting"), (self._rate, "lr"), (self._guess, "guess")):
            control.observe(self._reporter(kind), "value")
        top = row([self._setting, self._rate, self._one, self._go, reset])
        # The line of code changes its length during a run: on a row of its own it moves nothing.
        return [top, self._slider, row([self._guess, self._reveal]), self._code]

    def _reporter(self, kind: Any) -> Any:
        return lambda change: self._report(Event(kind, change["new"]))

    def _train_one(self) -> None:
        self._apply(Event("epochs", 1))

    def _run_or_stop(self) -> None:
        self._do(self._turn_run)

    def _turn_run(self) -> None:
        self._apply(Event("stop" if self._state.goal else "run"))
        if self._state.goal:
            self._next(_BETWEEN_EPOCHS)

    def _advance(self) -> None:
        """One epoch of a run under way, and a pause in which the kernel hears the page; the loop calls it again."""
        self._apply(Event("advance"))
        if self._state.goal:
            self._next(_BETWEEN_EPOCHS)


def _labels(state: State) -> tuple[str, ...]:
    """An epoch each; a slider needs two, and cannot be moved until there are."""
    return tuple(str(epoch) for epoch in range(max(2, state.epochs + 1)))


def _rate_options(value: float) -> list[tuple[str, float]]:
    return [(f"{rate:g}", rate) for rate in sorted({*_RATES, value})]


def training_cockpit(
    setting: str = "healthy",
    lr: float = 0.1,
    *,
    epochs: int = 40,
    seed: int = 0,
    deal: int = 0,
    question: str = "",
    name: str = "training cockpit",
) -> TrainingCockpit:
    """Make a training cockpit: a 64-24-10 network learns 300 digits, soundly or with one of eight hidden faults.

    w ← w − η ∂Loss/∂w on batches of 15, the loss a cross-entropy, the units ReLU with He weights. 200 digits by other
    people are only looked at. Every fault is a run that really has it: spoiled data, or a loop with a wrong line.

    Parameters
    ----------
    setting : {"healthy", "A", "B", "C", "D", "E", "F", "G", "H"}
        What is trained first; each letter hides one fault.
    lr : float
        Learning rate η that the control says, above 0 and at most 100.
    epochs : int
        Epochs that Run runs, from 1 to 60; a run ends at 200.
    seed : int
        Of the weights and of the order of the digits, at least 0.
    deal : int
        Which fault is behind which letter, at least 0; another number deals them anew.
    question : str
        Shown above the picture that stands for the cockpit where no kernel runs.
    name : str
        A second cockpit of the same name closes the first.

    Returns
    -------
    TrainingCockpit

    Raises
    ------
    DomainError, DataError
        For a value outside its range, or no number.

    Notes
    -----
    The same setting, rate and seed give the same numbers, in whatever steps the epochs are run.

    Examples
    --------
    >>> cockpit = training_cockpit("H")
    >>> cockpit.run(5)
    >>> cockpit.guess = "rate_low"
    >>> cockpit.sentence
    'No. With η 1000 times too small the update-to-weight ratio of layer 1 would be 5.6·10⁻⁶ in epoch 1; here it is 0.'
    >>> cockpit.guess = "frozen"
    >>> cockpit.sentence[:47]
    'Yes, H: the optimizer does not hold layer 1. A '
    >>> cockpit.close()

    References
    ----------
    A. Karpathy (2015), CS231n course notes, Stanford, "Neural Networks Part 3": ratio of weights to updates.
    E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    doi 10.24432/C50P49.
    """
    state = first_state(setting, lr, length=epochs, seed=seed, deal=deal)
    return TrainingCockpit(state, question=question, name=name)
