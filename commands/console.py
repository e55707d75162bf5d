"""What the person at the terminal reads."""

import argparse
import os
import sys
from typing import NoReturn

from commands.places import WINDOWS


class Problem(Exception):
    """What is wrong, in one sentence, and what to do about it: shown instead of a traceback, exit status 2."""

    def __init__(self, wrong: str, advice: str) -> None:
        super().__init__(wrong, advice)
        self.wrong, self.advice = wrong, advice


class Parser(argparse.ArgumentParser):
    """Reads the arguments of one verb and answers a wrong one as every other problem is answered."""

    def __init__(self, verb: str) -> None:
        super().__init__(prog=f"python course.py {verb}", allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise Problem(f"{self.prog}: {message}.", f"{self.prog} --help shows what it takes.")


class Progress:
    """One line that says what is going on: rewritten in place on a terminal, told every quarter in a log."""

    def __init__(self) -> None:
        self._terminal = sys.stdout is not None and sys.stdout.isatty()
        self._last = ""

    def show(self, what: str, done: int, total: int) -> None:
        """Say that `done` of `total` packages are fetched or installed."""
        done = min(done, total)
        text = f"  {done} of {total} packages {what}"
        step = text if self._terminal else f"{what} {4 * done // max(total, 1)}"
        if done and step != self._last:
            say("\r" + text.ljust(40) if self._terminal else text, end="" if self._terminal else "\n")
            self._last = step

    def close(self) -> None:
        """End the line."""
        if self._terminal and self._last:
            say()


def say(text: str = "", end: str = "\n") -> None:
    """Print at once, also into a pipe; a reader that has gone away ends the printing, not the work."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        _stop_printing()


def complain(wrong: str, advice: str) -> None:
    """Tell a problem; without a terminal there is nobody to tell it to."""
    if sys.stderr is not None:
        sys.stderr.write(f"{wrong}\n{advice}\n")


def prepare_streams() -> None:
    """Make printing safe: any letter on any terminal, and no file that takes the place of a closed stream."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # None without a terminal
            stream.reconfigure(errors="backslashreplace")


def finish_printing() -> None:
    """Write what is left, so that Python has nothing to complain about when it ends."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _stop_printing()


def owns_its_window() -> bool:
    """Whether the window closes together with this command, as after a double click on Windows."""
    if not WINDOWS or sys.stdin is None or not sys.stdin.isatty():
        return False
    import ctypes

    processes = (ctypes.c_uint * 4)()
    # Only Python, perhaps with its launcher py.exe: a shell would be a third.
    return int(ctypes.windll.kernel32.GetConsoleProcessList(processes, 4)) <= 2


def _stop_printing() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
