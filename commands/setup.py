"""The environment `.venv`: made once from the exact pins, made anew when it was interrupted, else left alone."""

import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from commands.console import Problem, Progress, say
from commands.environment import child
from commands.machine import check_machine
from commands.places import ROOT, VENV, site_packages, venv_python

PINS = {"lab": ("requirements.txt",), "tests": ("requirements.txt", "requirements-dev.txt")}
_CHANGES_BEGIN = "Installing collected packages"
_TROUBLE = (
    (("No space left", "Errno 28"), "The disk is full.", "Free about 1 GB and run the same command again."),
    (
        ("NewConnectionError", "NameResolutionError", "Max retries", "Timeout", "ProxyError", "from versions: none"),
        "The packages could not be fetched: the network or the package index does not answer.",
        "The first set-up needs the network once. Check the connection, or the proxy, and run the same command again.",
    ),
)


def set_up(kind: str) -> None:
    """Make `.venv` as the pins of this kind say, unless it is so already.

    The stamp comes last: an environment without one was interrupted and is made afresh.
    """
    if is_set_up(kind):
        return
    check_machine()
    if not (stamp("lab").exists() and venv_works()):
        _make_venv()
    _install(kind)
    # A relative line: the folder may be moved and may have any letters in its path.
    (site_packages() / "course.pth").write_text(os.path.relpath(ROOT, site_packages()) + "\n", "utf-8")
    _check_packages()
    for done in {"lab", kind}:
        stamp(done).write_text(fingerprint(done) + "\n", "utf-8")


def is_set_up(kind: str) -> bool:
    """Whether the environment is complete, of these pins, and starts; asks neither pip nor the network."""
    return stamp(kind).exists() and stamp(kind).read_text("utf-8").strip() == fingerprint(kind) and venv_works()


def pins(kind: str) -> list[str]:
    """The pinned lines of this kind, without comments."""
    lines = [line.strip() for name in PINS[kind] for line in (ROOT / name).read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def stamp(kind: str) -> Path:
    """The file that says that the environment is complete."""
    return VENV / f"complete-{kind}"


def fingerprint(kind: str) -> str:
    """What a complete environment bears: a hash of its pins and of the Python it is made of."""
    text = "\n".join([*pins(kind), venv_version() or "no environment"])
    return hashlib.sha256(text.encode()).hexdigest()


def venv_version() -> str | None:
    """The version of Python that the environment was made of."""
    recipe = VENV / "pyvenv.cfg"
    found = re.search(r"^version\s*=\s*(\S+)", recipe.read_text("utf-8"), re.MULTILINE) if recipe.exists() else None
    return found.group(1) if found else None


def venv_works() -> bool:
    """Whether the environment's Python starts and finds its packages (a system upgrade can take either away)."""
    question = "import importlib.util as u, sys; sys.exit(u.find_spec('jupyterlab') is None)"
    try:
        return subprocess.run([venv_python(), "-c", question], env=child({}), check=False).returncode == 0
    except OSError:
        return False


def _make_venv() -> None:
    say("Setting up the course in the folder .venv (only this once, a minute or two).")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode:
        raise trouble("Python could not make the folder .venv.", made.stdout.splitlines())


def _install(kind: str) -> None:
    say("Fetching and installing packages:")
    command = [str(venv_python()), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    command += [part for name in PINS[kind] for part in ("-r", str(ROOT / name))]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=child({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        reader = threading.Thread(target=_read, args=(pip.stdout, lines), daemon=True)
        reader.start()
        try:
            _watch(reader, lines, len(pins(kind)))
        finally:
            if reader.is_alive():  # interrupted: pip must not go on alone
                pip.kill()
    if pip.returncode:
        raise trouble("The packages could not be installed.", lines)


def _read(output: Iterable[str], lines: list[str]) -> None:
    for line in output:
        if line.startswith(_CHANGES_BEGIN):
            # From here on the environment is in between; while pip only fetches it is still what it was.
            for kind in PINS:
                stamp(kind).unlink(missing_ok=True)
        lines.append(line.rstrip())


def _watch(reader: threading.Thread, lines: list[str], wanted: int) -> None:
    progress = Progress()
    while reader.is_alive():
        reader.join(0.3)
        seen = list(lines)
        total = wanted - sum(line.startswith("Ignoring ") for line in seen)  # pins of other systems
        if any(line.startswith(_CHANGES_BEGIN) for line in seen):
            progress.show("installed", len(list(site_packages().glob("*.dist-info"))), total)
        else:
            progress.show("fetched", sum(line.startswith(("Collecting ", "Requirement ")) for line in seen), total)
    progress.close()


def _check_packages() -> None:
    # Imports the large packages once: matplotlib makes its list of fonts now, not with a warning in the first notebook.
    command = [str(venv_python()), "-c", "import numpy, matplotlib.font_manager, ipywidgets, anywidget, jupyterlab"]
    tried = subprocess.run(command, env=child({}), capture_output=True, text=True, check=False)
    if tried.returncode:
        raise trouble("The installed packages do not work together.", tried.stderr.splitlines())


def trouble(wrong: str, lines: list[str]) -> Problem:
    """The problem behind a failed program, told from its last lines."""
    for marks, sentence, advice in _TROUBLE:
        if any(mark in line for mark in marks for line in lines):
            return Problem(sentence, advice)
    last = "".join(f"\n    {line}" for line in lines[-6:])
    return Problem(f"{wrong} The last lines were:{last}", "Run the command again. If it stays, show these lines.")
