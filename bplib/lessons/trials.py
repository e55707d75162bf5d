"""Calling a learner's function without trusting it: on copies, in a time limit, with its printing kept away.

The time limit
--------------
The call runs in a thread of its own, under a trace function that looks at the clock before each
step of the interpreter and ends the call when time is up: a loop without an end is stopped on Linux,
macOS and Windows alike, without a way into the interpreter's inside, and the rest of the
notebook is never traced. Alarm signals do not exist on Windows; a second process would
have to be sent the function, which lives in the notebook. The thread is there for what takes long within one step,
such as a long sleep or one huge product: nobody waits for it longer than the limit. A bare ``except:``
around the loop can swallow the end; the verdict comes in time all the same. One thing no limit cuts short: a single
call into Python's own C code that lets no other thread run, such as ``sum(range(10**9))``. It ends when it ends.
"""

import builtins
import contextlib
import io
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from types import FrameType
from typing import Any, final

import numpy as np

__all__ = ["Observation", "observe", "shown"]

_LARGEST = 100_000
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


@final
@dataclass(frozen=True, eq=False)
class Observation:
    """What one call of a function did.

    Attributes
    ----------
    value : numpy.ndarray or None
        What it returned, as float64; None if that cannot be compared.
    returned : str
        What it returned, in words.
    nothing : bool
        Whether it returned None or `...`.
    error : str
        ``"type: message"`` if it raised; empty otherwise.
    line : int
        The line of the function, from 1, in which it raised; 0 if unknown.
    unfinished : bool
        Whether it was stopped by the time limit.
    changed : tuple of str
        The arguments that differ after the call.
    printed : bool
        Whether it wrote to standard output.
    """

    value: np.ndarray | None = None
    returned: str = "nothing"
    nothing: bool = False
    error: str = ""
    line: int = 0
    unfinished: bool = False
    changed: tuple[str, ...] = ()
    printed: bool = False

    def agrees(self, other: "Observation", tolerance: float) -> bool:
        """Whether two calls cannot be told apart: the same values, the same arguments changed.

        Parameters
        ----------
        other : Observation
        tolerance : float
            Relative to the other's largest absolute value.

        Returns
        -------
        bool
        """
        if self.failed or other.failed or self.changed != other.changed or self.nothing != other.nothing:
            return False
        if self.value is None or other.value is None:
            return self.nothing and other.nothing
        return self.value.shape == other.value.shape and _near(self.value, other.value, tolerance)

    @property
    def failed(self) -> bool:
        """Whether it raised or was stopped."""
        return bool(self.error) or self.unfinished


def observe(function: Callable[..., Any], arguments: Mapping[str, Any], seconds: float = 2.0) -> Observation:
    """Call a function on copies of some arguments and tell what it did.

    Parameters
    ----------
    function : callable
        Called with the values of `arguments`, by position.
    arguments : mapping of str to float, list of float or numpy.ndarray
        Never changed.
    seconds : float
        The time limit, above 0.

    Returns
    -------
    Observation

    Examples
    --------
    >>> observe(lambda w: 2 * w, {"w": 3.0}).returned
    '6'
    >>> observe(lambda w: 1 / w, {"w": 0}).error
    'ZeroDivisionError: division by zero'
    """
    copies = {name: _copy(value) for name, value in arguments.items()}
    call = _Call(function, tuple(copies.values()))
    with _muted() as sink:
        call.run(seconds)
    changed = tuple(name for name, value in arguments.items() if not _untouched(value, copies[name]))
    return Observation(**call.findings, changed=changed, printed=sink.used)


def shown(value: Any) -> str:
    """Give a number or an array in few characters, the same on every machine.

    Parameters
    ----------
    value : object

    Returns
    -------
    str

    Examples
    --------
    >>> shown(0.1 + 0.2), shown(np.array([1.0, 2.5])), shown("text")
    ('0.3', '[1, 2.5]', 'text')
    """
    if isinstance(value, list) and value and all(type(one) in (int, float) for one in value):
        value = np.array(value)
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"an array of shape {value.shape}"
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return str(_digits(value.tolist())).replace("'", "")
    if isinstance(value, (int, float, np.integer, np.floating)):
        return f"{value:.6g}"
    return _named(value)


def _named(value: Any) -> str:
    name = type(value).__name__
    article = "an" if name[0].lower() in "aeio" else "a"
    words = {"str": "text", "bytes": "bytes", "ndarray": "an array without numbers"}
    return words.get(name, f"{article} {name}")


def _digits(value: Any) -> Any:
    return [_digits(v) for v in value] if isinstance(value, list) else f"{value:.6g}"


class _Stop(SystemExit):
    """Ends a call; as a SystemExit it passes ``except Exception`` and threading never reports it."""


@final
class _Call:
    """One call in a thread of its own."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._function = function
        self._arguments = arguments
        self._deadline = 0.0
        self.findings: dict[str, Any] = {"unfinished": True}

    def run(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        thread = threading.Thread(target=self._work, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # Python in the browser has no threads; the clock is looked at all the same.
            self._work()
            return
        try:
            thread.join(seconds)
        finally:  # also when the learner interrupts the kernel
            findings = self.findings
            self._deadline = 0.0
            thread.join(0.5)
            # What comes too late does not count.
            self.findings = findings

    def _work(self) -> None:
        before = sys.gettrace()
        try:
            with np.errstate(all="ignore"):
                sys.settrace(self._look_at_clock)
                try:
                    result = self._function(*self._arguments)
                finally:
                    sys.settrace(before)
                self.findings = _described(result)
        except _Stop:
            return
        except BaseException as error:
            self.findings = self._error(error)

    def _look_at_clock(self, frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > self._deadline:
            raise _Stop
        # `while True: pass` is one instruction that jumps to itself: no new line ever begins.
        frame.f_trace_opcodes = True
        return self._look_at_clock

    def _error(self, error: BaseException) -> dict[str, Any]:
        message = _ADDRESS.sub("", str(error))[:300]
        line, trace = 0, error.__traceback__
        code = getattr(self._function, "__code__", None)
        while trace is not None:
            if code is not None and trace.tb_frame.f_code.co_filename == code.co_filename:
                line = trace.tb_lineno - code.co_firstlineno + 1
            trace = trace.tb_next
        return {"error": f"{type(error).__name__}: {message}".rstrip(": "), "line": max(line, 0)}


def _described(result: Any) -> dict[str, Any]:
    if result is None or result is ...:
        return {"nothing": True}
    if isinstance(result, (str, bytes, bytearray, dict, set, frozenset)):  # NumPy would copy what may be large
        return {"returned": _named(result)}
    size = result.size if isinstance(result, (np.ndarray, np.generic)) else _length(result)
    if size > _LARGEST:
        return {"returned": f"{size:,} numbers"}
    try:
        raw = np.asarray(result)
    except ValueError:  # a ragged list
        return {"returned": "a list of lists of different lengths"}
    if raw.dtype.kind not in "fiub":
        return {"returned": _named(result)}
    value = np.array(raw, dtype=np.float64)
    return {"value": value, "returned": shown(value) if value.ndim else shown(float(value))}


def _length(result: Any) -> int:
    return len(result) if isinstance(result, (list, tuple)) else 1


@final
class _Sink(io.TextIOBase):
    """Takes what is printed and keeps none of it."""

    used = False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.used = True
        return len(text)


@contextlib.contextmanager
def _muted() -> Iterator[_Sink]:
    sink = _Sink()
    asks, builtins.input = builtins.input, _nobody_types  # a notebook would open a field and wait
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(_Sink()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield sink
    finally:
        builtins.input = asks


def _nobody_types(prompt: object = "") -> str:
    raise RuntimeError("input() waits for a person to type, and here is none: use the inputs of your function")


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, (np.ndarray, list)) else value


def _untouched(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and before.tobytes() == after.tobytes()
    # A list may by now hold what cannot be compared: types first.
    pairs = zip_longest(before, after) if isinstance(before, list) else ()
    return all(type(one) is type(other) and one == other for one, other in pairs)


def _near(value: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    size = float(np.abs(other).max(initial=0.0))
    return bool(np.isfinite(value).all() and (np.abs(value - other) <= tolerance * max(size, 1e-12)).all())
