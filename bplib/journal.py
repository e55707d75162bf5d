"""What a training step does besides computing: noted while a step is being recorded, so that it can be done again."""

from collections.abc import Callable

from bplib.errors import GraphError

__all__ = ["keep_journal", "note", "refuse_repetition"]

Action = Callable[[], None]
_entries: list[Action] | None = None


def note(action: Action) -> None:
    """Write down an action that is being taken, if a step is being recorded."""
    if _entries is not None:
        _entries.append(action)


def refuse_repetition(who: str, why: str) -> None:
    """Raise if a step is being recorded: `who` does something in Python that a repetition would leave out."""
    if _entries is not None:
        raise GraphError(
            f"replay: {who} {why}, which a recorded step cannot repeat. Expected a step that computes the "
            "same way each time. Call model.eval() first, or train without replay."
        )


def keep_journal(entries: list[Action] | None) -> list[Action] | None:
    """Have actions noted in `entries` from now on, None for nowhere; returns the list before."""
    global _entries
    before, _entries = _entries, entries
    return before
