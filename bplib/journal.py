"""What a training step does besides computing: noted while a step is being recorded, so that it can be done again."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from bplib.errors import GraphError
from bplib.threads import Threads

__all__ = ["Action", "Forget", "keep_journal", "keepers", "note", "refuse_repetition"]

Action = Callable[[], None]


class Forget:
    """The action of having no gradients: ``.grad`` of these parameters is None again."""

    __slots__ = ("parameters",)

    def __init__(self, parameters: Iterable[Any]) -> None:
        self.parameters = tuple(parameters)

    def __call__(self) -> None:
        """Do it."""
        for parameter in self.parameters:
            parameter._gradient = None


class _State(threading.local):
    """Where actions are noted: what another thread does is no part of the step."""

    entries: list[Action] | None = None


_state = _State()

# Who keeps a journal; whoever has much to note may ask first whether there is anyone.
keepers = Threads()


def note(action: Action) -> None:
    """Write down an action that is being taken, if a step is being recorded."""
    if _state.entries is not None:
        _state.entries.append(action)


def refuse_repetition(who: str, why: str) -> None:
    """Raise if a step is being recorded: `who` does something in Python that a repetition would leave out."""
    if _state.entries is not None:
        raise GraphError(
            f"replay: {who} {why}, which a recorded step cannot repeat. Expected a step that computes the "
            "same way each time. Call model.eval() first, or train without replay."
        )


def keep_journal(entries: list[Action] | None) -> list[Action] | None:
    """Have actions noted in `entries` from now on, None for nowhere; returns the list before."""
    keepers.enter()
    before, _state.entries = _state.entries, entries
    if entries is None:
        keepers.leave()
    return before
