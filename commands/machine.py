"""What the machine offers: space, a folder to write to, ports, a browser."""

import errno
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from commands.console import Problem, say
from commands.lock import lock_file
from commands.places import JUPYTER, MY, ROOT, VENV, WINDOWS

SPACE_NEEDED = 1.0  # GB: a complete environment and pip's downloads, rounded up
DEFAULT_PORT = 8888
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_BROWSER_FOLDERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


def check_machine() -> None:
    """Refuse a set-up that cannot succeed before anything is made."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Problem(
            "This Python comes without the modules venv and ensurepip.",
            "On Debian or Ubuntu: sudo apt install python3-venv. Elsewhere: install Python from python.org.",
        )
    check_writable()
    _check_ours(VENV)
    if free_space() < SPACE_NEEDED:
        raise Problem(
            f"The disk is nearly full: {free_space():.2f} GB are free, the set-up needs {SPACE_NEEDED:.0f} GB.",
            "Free some space and run the same command again.",
        )


def free_space() -> float:
    """Free space on the project's disk in GB."""
    return shutil.disk_usage(ROOT).free / 1e9


def is_writable() -> bool:
    """Whether a file can be made in the project's folder (asking the permissions is not enough on every system)."""
    try:
        with tempfile.TemporaryFile(dir=ROOT):
            return True
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        return False


def check_writable() -> None:
    """Refuse a folder that only others may write to."""
    if not is_writable():
        raise Problem(
            f"The folder {ROOT} cannot be written to{_owner(ROOT)}.",
            "Copy the course to a folder of your own and run it there.",
        )
    _check_ours(lock_file(), MY, JUPYTER)


def _check_ours(*paths: Path) -> None:
    # A first run as administrator leaves files that the same person cannot change later.
    for path in paths:
        if path.exists() and not os.access(path, os.W_OK):
            raise Problem(
                f"{path.relative_to(ROOT).as_posix()} cannot be written to{_owner(path)}.",
                "Run the command as the same person as the first time, or have the folder given to you (chown).",
            )


def _owner(path: Path) -> str:
    try:
        mine = path.stat().st_uid == os.geteuid()
        return "" if mine else f": it belongs to {path.owner()}"
    except (AttributeError, KeyError, NotImplementedError, OSError):  # Windows, or an owner without a name
        return ""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of this machine."""
    with socket.socket() as probe:
        if not WINDOWS:  # a port whose last connection has just ended counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int) -> int:
    """The port asked for, or the next free one, which is said."""
    for port in range(wanted, min(wanted + 50, 65536)):
        if is_free(port):
            if port != wanted:
                say(f"Port {wanted} is taken; using {port}.")
            return port
    raise Problem(f"Port {wanted} and the next ones are taken.", "Choose another range, for example --port 9999.")


def can_show_pages() -> bool:
    """Whether opening a browser can work: without a screen it would start a text browser in this terminal."""
    return WINDOWS or sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def find_chromium() -> str | None:
    """The path of a Chromium (or Chrome, or Edge) for the browser tests, if there is one."""
    found = [path for name in _BROWSERS if (path := shutil.which(name))]
    found += [path for path in _BROWSER_FOLDERS if Path(path).exists()]
    return found[0] if found else None
