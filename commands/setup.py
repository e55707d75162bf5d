"""The environment `.venv`: made once from the exact pins, made anew when it was interrupted, else left alone."""

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from commands.console import Progress, say
from commands.environment import child
from commands.lock import alone, to_hand_on
from commands.machine import check_machine
from commands.places import ROOT, VENV, WHEELS, site_packages, venv_python
from commands.trouble import ANSWERED, NETWORK, RETRY, trouble

PINS = {"lab": ("requirements.txt",), "tests": ("requirements.txt", "requirements-dev.txt")}
_CHANGES_BEGIN = "Installing collected packages"
# Seconds without a first answer of the index: after pip has said that it tries again, and when it says nothing (a slow
# machine starts pip slowly).
_PATIENCE, _PATIENCE_IN_SILENCE = 20.0, 45.0
# Ends with its parent, also when that is killed: nobody else holds the other end of the pipe.
_PIP = """
import os, runpy, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def set_up(kind: str) -> None:
    """Make `.venv` as the pins of this kind say, unless it is so already.

    The stamp comes last: an environment without one was interrupted and is made afresh.
    """
    if is_set_up(kind):
        return
    check_machine()
    with alone():
        if not is_set_up(kind):  # the process that was waited for may have made it
            _make(kind)


def is_set_up(kind: str) -> bool:
    """Whether the environment is complete, of these pins, and starts; asks neither pip nor the network."""
    return stamp(kind).exists() and stamp(kind).read_text("utf-8").strip() == fingerprint(kind) and venv_works()


def pins(kind: str) -> list[str]:
    """The pinned lines of this kind, without comments."""
    lines = [line.strip() for name in PINS[kind] for line in (ROOT / name).read_text("utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def index_options() -> list[str]:
    """Where pip looks for packages: in the folder `wheels` alone, if the project has one."""
    return ["--no-index", "--find-links", str(WHEELS)] if WHEELS.is_dir() else []


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
        command = [venv_python(), "-P", "-c", question]
        return subprocess.run(command, env=child({}), capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make(kind: str) -> None:
    if not (stamp("lab").exists() and venv_works()):
        _forget_stamps()
        _make_venv()
    _install(kind)
    # A relative line: the folder may be moved and may have any letters in its path.
    (site_packages() / "course.pth").write_text(os.path.relpath(ROOT, site_packages()) + "\n", "utf-8")
    _check_packages()
    for done in dict.fromkeys(("lab", kind)):
        stamp(done).write_text(fingerprint(done) + "\n", "utf-8")


def _forget_stamps() -> None:
    for kind in PINS:
        stamp(kind).unlink(missing_ok=True)


def _make_venv() -> None:
    say("Setting up the course in the folder .venv (only this once, a minute or two).")
    # The Python below an environment: someone may have activated the one that is to be made anew.
    command = [getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(
        command,
        env=child({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        pass_fds=to_hand_on(),
    )
    if made.returncode:
        raise trouble("Python could not make the folder .venv.", made.stdout.splitlines())


def _install(kind: str) -> None:
    say("Installing packages from the folder wheels:" if WHEELS.is_dir() else "Fetching and installing packages:")
    command = [str(venv_python()), "-P", "-c", _PIP, "install", "--no-input", "--disable-pip-version-check"]
    command += [*index_options(), *(part for name in PINS[kind] for part in ("-r", str(ROOT / name)))]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=child({"PYTHONUNBUFFERED": "1"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=to_hand_on(),
    ) as pip:
        reader = threading.Thread(target=_read, args=(pip.stdout, lines), daemon=True)
        reader.start()
        try:
            _watch(reader, lines, len(pins(kind)))
            pip.wait()
        finally:
            pip.kill()  # interrupted, or no answer: pip must not go on alone
    if pip.returncode:
        raise trouble("The packages could not be installed.", lines)


def _read(output: Iterable[str], lines: list[str]) -> None:
    for line in _until_closed(output):
        if line.startswith(_CHANGES_BEGIN):
            # From here on the environment is in between; while pip only fetches it is still what it was.
            _forget_stamps()
        lines.append(line.rstrip())


def _until_closed(output: Iterable[str]) -> Iterator[str]:
    with contextlib.suppress(ValueError):  # after Ctrl-C the pipe may be closed between two lines
        yield from output


def _watch(reader: threading.Thread, lines: list[str], wanted: int) -> None:
    progress, begin = Progress(), time.monotonic()
    while reader.is_alive():
        reader.join(0.3)
        seen = list(lines)
        total = wanted - sum(line.startswith("Ignoring ") for line in seen)  # pins of other systems
        if any(line.startswith(_CHANGES_BEGIN) for line in seen):
            progress.show("installed", len(list(site_packages().glob("*.dist-info"))), total)
        else:
            progress.show("fetched", sum(line.startswith(ANSWERED) for line in seen), total)
        if not WHEELS.is_dir() and _is_in_vain(seen, time.monotonic() - begin):
            raise trouble(NETWORK, [*seen, NETWORK])
    progress.close()


def _is_in_vain(seen: list[str], seconds: float) -> bool:
    # pip alone would try for minutes; a person's own longer timeout is respected.
    if any(line.startswith(ANSWERED) for line in seen):
        return False
    asked_for = os.environ.get("PIP_DEFAULT_TIMEOUT", "")
    silence = max(_PATIENCE_IN_SILENCE, float(asked_for) if asked_for.isdecimal() else 0.0)
    return seconds > (_PATIENCE if any(RETRY in line for line in seen) else silence)


def _check_packages() -> None:
    # Imports the large packages once: matplotlib makes its list of fonts now, not with a warning in the first notebook.
    question = "import numpy, matplotlib.font_manager, ipywidgets, anywidget, jupyterlab"
    command = [str(venv_python()), "-P", "-c", question]
    tried = subprocess.run(command, env=child({}), capture_output=True, encoding="utf-8", errors="replace", check=False)
    if tried.returncode:
        raise trouble("The installed packages do not work together.", tried.stderr.splitlines())
