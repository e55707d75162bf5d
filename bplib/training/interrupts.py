"""Ctrl-C and the stop button of a notebook: a wish to stop, not an accident in the middle of an update."""

import signal
import threading
from types import FrameType
from typing import Any, final

__all__ = ["StopWish"]


@final
class StopWish:
    """Notice a keyboard interrupt instead of being interrupted, so that a step is done or not done.

    A second interrupt is raised at once, for a step that never ends. Outside the main thread, and where
    somebody else listens already, nothing is changed.

    Attributes
    ----------
    made : bool
        Whether an interrupt has come.

    Examples
    --------
    >>> with StopWish() as stop:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print(stop.made)
    True
    """

    def __init__(self) -> None:
        self.made = False
        self._listens = False

    def __enter__(self) -> "StopWish":
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._notice)
            self._listens = True
        return self

    def __exit__(self, *error: object) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _notice(self, number: int, frame: FrameType | None) -> Any:
        if self.made:
            raise KeyboardInterrupt
        self.made = True
