"""The moments of a training run at which callbacks are called, by name."""

from collections.abc import Callable, Iterable
from typing import Any, final

import numpy as np

from bplib.errors import DataError
from bplib.training.run import Run

__all__ = ["EVENTS", "Announcer", "on"]

Callback = Callable[[str, Run], Any]

EVENTS = ("fit_start", "epoch_start", "backward_end", "step_end", "epoch_end", "fit_end")
# What a plain function hears: a call at every step would cost time that few want to spend.
_USUAL = ("epoch_end", "fit_end")


@final
class _Listener:
    """A function and the events that it wants to hear of."""

    def __init__(self, events: tuple[str, ...], callback: Callback) -> None:
        self.events, self._callback = events, callback

    def __call__(self, event: str, run: Run) -> Any:
        return self._callback(event, run)

    def __repr__(self) -> str:
        return f"on({', '.join(map(repr, self.events))}, {getattr(self._callback, '__name__', self._callback)})"


def on(*events_and_callback: Any) -> _Listener:
    """Say which events of `fit` a function is called at: ``on("backward_end", f)``, with one event or several.

    The events of a run, in their order:

    ================ =================================================================
    ``fit_start``    before the first epoch
    ``epoch_start``  before each epoch
    ``backward_end`` the gradients of a step are there, the parameters have not moved
    ``step_end``     the parameters have moved
    ``epoch_end``    after each epoch, its row stands in the history
    ``fit_end``      after the last epoch
    ================ =================================================================

    A function that is passed to `fit` as it is hears of ``epoch_end`` and ``fit_end``. An object may have an attribute
    ``events``, a tuple of names, instead.

    Parameters
    ----------
    *events_and_callback : str, ..., callable
        Names of events, and last the function that is called as ``callback(event, run)``.

    Returns
    -------
    callable
        To pass to `fit` among its callbacks.

    Raises
    ------
    DataError
        If there is no event of such a name, or the last argument is no function.

    Examples
    --------
    Shorten the gradients between Backward and Update:

    >>> import bplib
    >>> def clip(event, run):
    ...     bplib.optim.clip_grad_norm(run.model.parameters(), 1.0)
    >>> on("backward_end", clip)
    on('backward_end', clip)
    """
    *events, callback = events_and_callback or (None,)
    if not callable(callback) or not events:
        raise DataError(
            f"on: got {events_and_callback!r}. Expected events and then a function. Try on('step_end', f), "
            "without calling f."
        )
    return _Listener(_known(events, "on"), callback)


@final
class Announcer:
    """Calls at each event those who want to hear of it.

    Parameters
    ----------
    callbacks : iterable of callable
        In the order in which they are called.
    run : Run
        What they are shown.

    Raises
    ------
    DataError
        If a callback asks for an event that does not exist.

    Examples
    --------
    >>> def greet(event, run):
    ...     print(event)
    >>> tell = Announcer([on("step_end", greet)], None)
    >>> tell("epoch_end"), tell("step_end")
    step_end
    (False, False)
    """

    def __init__(self, callbacks: Iterable[Callback], run: Run) -> None:
        self._run = run
        self._heard: dict[str, list[Callback]] = {}
        for callback in callbacks:
            for event in _known(getattr(callback, "events", _USUAL), "fit"):
                self._heard.setdefault(event, []).append(callback)

    def __call__(self, event: str) -> bool:
        """Tell all who listen; say whether one of them answered True."""
        listening = self._heard.get(event)
        if listening is None:
            return False
        # All are called, also behind one that has answered; a number or None is no answer.
        answers = [callback(event, self._run) for callback in listening]
        return any(isinstance(answer, bool | np.bool_) and bool(answer) for answer in answers)


def _known(events: Any, caller: str) -> tuple[str, ...]:
    if isinstance(events, str) or not isinstance(events, Iterable):
        events = (events,)
    named = tuple(events)
    for event in named:
        if event not in EVENTS:
            raise DataError(f"{caller}: there is no event {event!r}. Expected one of {', '.join(EVENTS)}.")
    return named
