"""The table of verbs and the one place where a problem becomes a sentence."""

import contextlib
import difflib
import errno
import signal
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple, NoReturn

from commands.bundle import bundle
from commands.console import Problem, complain, finish_printing, owns_its_window, prepare_streams, say
from commands.copies import reset
from commands.doctor import doctor
from commands.lab import lab
from commands.pins import pins
from commands.progress import progress
from commands.scripts import bench, build, verify
from commands.site import site
from commands.suite import test
from commands.trouble import full_disk
from commands.update import update


class Verb(NamedTuple):
    """A command: what it runs, how it is called, what it is for."""

    run: Callable[[list[str]], int]
    form: str
    purpose: str


VERBS = {
    "lab": Verb(lab, "[lab] [--port N] [--no-browser]", "open the course in JupyterLab; the default"),
    "test": Verb(test, "test [--fast | --full] [pytest arguments]", "run every test"),
    "build": Verb(build, "build [--check]", "make the notebooks from their sources"),
    "reset": Verb(reset, "reset NN", "a fresh copy of notebook NN, beside the old one"),
    "update": Verb(update, "update", "the newest version; your own work is carried over"),
    "verify": Verb(verify, "verify [--write]", "measure every promise and print the table"),
    "bench": Verb(bench, "bench [NAME ...] [--quick] [--write]", "the speed of the library beside others, as ratios"),
    "pins": Verb(pins, "pins [--check]", "newest packages that fit; builds the notebooks"),
    "bundle": Verb(bundle, "bundle [FOLDER] [--zip] [--system NAME ...]", "a folder for machines without network"),
    "site": Verb(site, "site [FOLDER]", "the course as web pages that need no kernel and no network"),
    "progress": Verb(progress, "progress [--export | --class FILE ...]", "what you have done; the sum of a class"),
    "doctor": Verb(doctor, "doctor", "print what someone who helps would ask for"),
}


def main(arguments: list[str]) -> int:
    """Run one verb; the exit status is 2 for a problem and 130 when the person stopped it."""
    prepare_streams()
    _let_signals_interrupt()
    try:
        status = _run(list(arguments))
    finally:  # the parser of --help ends the program itself
        finish_printing()
    if status and owns_its_window():
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            input("Press Enter to close this window.")
    return status


def _run(arguments: list[str]) -> int:
    try:
        return _dispatch(arguments)
    except Problem as problem:
        complain(problem.wrong, problem.advice)
    except BrokenPipeError:  # whoever read the output has gone away
        return 0
    except OSError as error:
        complain(*_explain(error))
    except KeyboardInterrupt:
        complain("\nStopped.", "Run the same command again: it goes on from what is complete.")
        return 130
    return 2


def _explain(error: OSError) -> tuple[str, str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        full = full_disk()
        return full.wrong, full.advice
    missing = error.errno == errno.ENOENT
    advice = "Get a complete copy of the course" if missing else "Check that this file or folder is yours"
    return f"{error.strerror or error}: {error.filename or 'a file of the course'}", f"{advice} and run this again."


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] in (["--help"], ["-h"], ["help"]):
        say(usage())
        return 0
    name = arguments.pop(0) if arguments and not arguments[0].startswith("-") else "lab"
    if name not in VERBS:
        near = difflib.get_close_matches(name, VERBS, 1)
        hint = f"Did you mean: python course.py {near[0]}" if near else f"The commands are: {', '.join(VERBS)}."
        raise Problem(f"There is no command {name!r}.", hint)
    return VERBS[name].run(arguments)


def usage() -> str:
    """The table of verbs as text."""
    width = max(len(verb.form) for verb in VERBS.values()) + 2
    lines = [f"  python course.py {verb.form.ljust(width)}{verb.purpose}" for verb in VERBS.values()]
    return "\n".join(["The commands of the course:", *lines])


def _let_signals_interrupt() -> None:
    # A closed terminal or a stop from outside ends the children as Ctrl-C does.
    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)
