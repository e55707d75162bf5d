"""What a failed program of the set-up means, told from what it wrote: pip and venv have many words for it."""

import platform
import re
import tempfile

from commands.console import Problem
from commands.machine import free_space
from commands.places import WHEELS

ANSWERED = ("Collecting ", "Requirement ", "Processing ")
RETRY = "Retrying (Retry("
NETWORK = "The packages could not be fetched: the network or the package index does not answer."
_FULL = ("No space left", "Errno 28", "Errno 122", "Disk quota exceeded", "not enough space on the disk")
_NOT_FOUND = re.compile(r"No matching distribution found for (\S+)")
_PYTHON = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
_AGAIN = "and run the same command again."
_TROUBLE = (
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError"),
        "The packages could not be fetched: the certificate of the package index is not accepted.",
        f"Check the clock of this machine; a company's network may need its certificate in PIP_CERT. Mend it {_AGAIN}",
    ),
    (
        ("ProxyError", "Cannot connect to proxy"),
        "The packages could not be fetched: the proxy in this machine's settings does not let pip through.",
        f"Check http_proxy and https_proxy, {_AGAIN}",
    ),
    (
        ("NewConnectionError", "NameResolutionError", "Max retries", "Timeout", "timed out", RETRY, NETWORK,
         "IncompleteRead", "Connection broken", "Connection reset", "from versions: none"),
        NETWORK,
        f"The first set-up needs the network once. Check the connection {_AGAIN}",
    ),
    (
        ("Permission denied", "Access is denied", "Errno 13"),
        "A file of the environment cannot be written: it belongs to someone else, or a program holds it.",
        f"End what runs from the folder .venv, or delete that folder, {_AGAIN}",
    ),
)  # fmt: skip


def full_disk() -> Problem:
    """The disk has no space left."""
    where = tempfile.gettempdir()
    return Problem("The disk is full.", f"Free about 1 GB, also where temporary files lie ({where}), {_AGAIN}")


def trouble(wrong: str, lines: list[str]) -> Problem:
    """The problem behind a failed program, told from its lines."""
    if _mentions(lines, _FULL) or free_space() < 0.01:  # venv keeps to itself what ensurepip says
        return full_disk()
    if (missing := _missing(lines)) and WHEELS.is_dir():
        advice = f"Make the folder wheels anew for {_PYTHON}, or delete it to fetch the packages from the network."
        return Problem(f"The folder wheels has no package for this Python and system: {missing}.", advice)
    for marks, sentence, advice in _TROUBLE:
        if _mentions(lines, marks):
            return Problem(sentence, advice)
    if missing:
        advice = "Run the course with another Python, 3.11 or newer, or get a newer copy of the course."
        return Problem(f"The package index has no {missing} for {_PYTHON}.", advice)
    last = "".join(f"\n    {line}" for line in lines[-6:])
    return Problem(f"{wrong} The last lines were:{last}", "Run the command again. If it stays, show these lines.")


def _mentions(lines: list[str], marks: tuple[str, ...]) -> bool:
    return any(mark in line for mark in marks for line in lines)


def _missing(lines: list[str]) -> str:
    found = [match.group(1) for line in lines if (match := _NOT_FOUND.search(line))]
    return found[0] if found else ""
