"""How a thread computes: whether operations are remembered, and who looks at every result."""

import threading

from bplib.nodes import Inspector
from bplib.threads import Threads

__all__ = ["inspect_with", "is_inspected", "is_recording", "mode", "no_grad", "unusual", "wants_every_layer"]


class _Mode(threading.local):
    """A matter of each thread by itself."""

    recording = True
    inspector: Inspector | None = None


mode = _Mode()

# Whose mode is not the usual one; the number of a thread that has ended may stand here, which costs time only.
unusual = Threads()


def inspect_with(inspector: Inspector | None) -> Inspector | None:
    """Let `inspector` look at every result from now on, None for nobody; returns who looked before."""
    before = mode.inspector
    unusual.enter()
    mode.inspector = inspector
    _settle()
    return before


def is_inspected() -> bool:
    """Say whether someone looks at every result."""
    return mode.inspector is not None


def wants_every_layer() -> bool:
    """Say whether a layer and its activation shall be nodes of their own."""
    return mode.inspector is not None and mode.inspector.every_layer


class no_grad:
    """Compute without recording: results have no past, which saves time and memory.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor(2.0, requires_grad=True)
    >>> with bplib.no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(mode.recording)
        unusual.enter()
        mode.recording = False

    def __exit__(self, *error: object) -> None:
        mode.recording = self._before.pop()
        _settle()


def is_recording() -> bool:
    """Say whether operations are remembered at this moment."""
    return mode.recording


def _settle() -> None:
    if mode.recording and mode.inspector is None:
        unusual.leave()
