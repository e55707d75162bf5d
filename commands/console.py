"""What the person at the terminal reads."""

import argparse
import sys
from typing import NoReturn


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
        self._terminal = sys.stdout.isatty()
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
    """Print at once, also into a pipe."""
    print(text, end=end, flush=True)
