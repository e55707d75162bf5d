"""When things are drawn: at once and then at most so often, or when nothing has come for a while."""

import asyncio
import time
from collections.abc import Callable
from typing import final

__all__ = ["Later", "Throttle"]


@final
class Throttle:
    """Calls a function at once the first time, and then at most once an interval, the last time never lost.

    Parameters
    ----------
    call : callable
        Takes nothing; reads the state at the moment it runs.
    interval : float
        Seconds between two calls, at least 0.

    Examples
    --------
    >>> calls = []
    >>> throttle = Throttle(lambda: calls.append(1), interval=60.0)
    >>> for _ in range(1000):
    ...     throttle()
    >>> throttle.flush()
    >>> len(calls)
    2
    """

    def __init__(self, call: Callable[[], None], interval: float = 0.03) -> None:
        self._call = call
        self._interval = interval
        self._last = float("-inf")
        self._later = Later(self._run)

    def __call__(self) -> None:
        waited = time.monotonic() - self._last
        if waited >= self._interval:
            self._run()
        elif not self._later.pending:
            self._later(self._interval - waited)

    def flush(self) -> None:
        """Make the call that waits, if one waits, now."""
        self._later.flush()

    def cancel(self) -> None:
        """Forget the call that waits."""
        self._later.cancel()

    def _run(self) -> None:
        self._later.cancel()
        self._last = time.monotonic()
        self._call()


@final
class Later:
    """Calls a function once, some time after the last request.

    The call is made by the kernel's own loop, between two messages. Without a loop, in a plain
    program, it waits for `flush`.

    Parameters
    ----------
    call : callable
        Takes nothing.

    Examples
    --------
    >>> calls = []
    >>> later = Later(lambda: calls.append(1))
    >>> later(60.0), later(60.0)
    (None, None)
    >>> later.flush(), later.flush(), calls
    (None, None, [1])
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._timer: asyncio.TimerHandle | None = None
        self.pending = False

    def __call__(self, seconds: float) -> None:
        self.cancel()
        self.pending = True
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(seconds, self.flush)

    def flush(self) -> None:
        """Make the call that waits, if one waits, now."""
        if self.pending:
            self.cancel()
            self._call()

    def cancel(self) -> None:
        """Forget the call that waits."""
        self.pending = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
