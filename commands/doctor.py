"""What someone who helps would ask for; no network, no token, nothing of the person but the project's folder."""

import json
import os
import platform
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from commands import lock, running
from commands.console import Parser, say
from commands.copies import notebooks
from commands.machine import DEFAULT_PORT, find_chromium, free_space, is_free, is_writable
from commands.places import LOG, MY, ROOT, VENV, WHEELS, site_packages
from commands.setup import is_set_up, pins, stamp, venv_version, venv_works

_TOLD = 5  # names in one answer, before the rest is only counted
_LOG_LINES = 3


def doctor(arguments: list[str]) -> int:
    """Print the state of machine, environment, server and copies."""
    Parser("doctor").parse_args(arguments)
    for name, answer in _ANSWERS.items():
        for line in _safely(answer):
            say(f"{name:<16}{running.clean(line)}".rstrip())
            name = ""
    return 0


def _safely(answer: Callable[[], str | list[str]]) -> list[str]:
    try:
        told = answer()
    except Exception as error:  # what is broken is what is asked about: the other answers must come all the same
        told = f"cannot be told: {type(error).__name__}: {error}"
    return [told] if isinstance(told, str) else told


def _course() -> str:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    commit = _commit()
    return f"version {version}" + (f", commit {commit[:10]}" if commit else ", no git")


def _commit() -> str:
    """The commit that is checked out, read without the program git."""
    git = ROOT / ".git"
    if git.is_file():  # a linked work tree
        git = (ROOT / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
    if not (git / "HEAD").exists():
        return ""
    head = (git / "HEAD").read_text("utf-8").strip()
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    common = git / "commondir"
    store = (git / common.read_text("utf-8").strip()).resolve() if common.exists() else git
    if (store / name).exists():
        return (store / name).read_text("utf-8").strip()
    packed = (store / "packed-refs").read_text("utf-8") if (store / "packed-refs").exists() else ""
    return next((line.split()[0] for line in packed.splitlines() if line.endswith(f" {name}")), "")


def _system() -> str:
    return f"{platform.system()} {platform.release()}, {platform.machine()}"


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


def _folder() -> str:
    return f"{ROOT} ({'writable' if is_writable() else 'NOT writable'})"


def _disk() -> str:
    return f"{free_space():.1f} GB free"


def _port() -> str:
    return f"{DEFAULT_PORT} is {'free' if is_free(DEFAULT_PORT) else 'taken; the next free one is used'}"


def _chromium() -> str:
    browser = find_chromium()
    return f"{Path(browser).name} found" if browser else "not found; only the browser tests need it"


def _environment() -> str:
    version = venv_version()
    if version is None:
        return "none yet; the first python course.py makes it"
    return f"Python {version}, {'starts' if venv_works() else 'does NOT start'}, {_size(VENV) / 1e6:.0f} MB"


def _size(folder: Path) -> int:
    return sum(os.lstat(os.path.join(parent, name)).st_size for parent, _, names in os.walk(folder) for name in names)


def _set_up() -> str:
    states = ", ".join(f"{kind} {_state(kind)}" for kind in ("lab", "tests"))
    process = lock.holder()
    return states + (f"; process {process} is setting up or starting" if process else "")


def _state(kind: str) -> str:
    if is_set_up(kind):
        return "complete"
    return "of older pins" if stamp(kind).exists() else "not complete"


def _source() -> str:
    if not WHEELS.is_dir():
        return "the network (there is no folder wheels)"
    return f"the folder wheels alone ({len(list(WHEELS.glob('*.whl')))} files)"


def _packages() -> str:
    found = _found()
    wanted: dict[str, set[str]] = {}
    for line in pins("lab"):
        name, version = line.split(";")[0].strip().split("==")
        wanted.setdefault(_plain(name), set()).add(version)
    foreign = {_plain(line.split("==")[0]) for line in pins("lab") if ";" in line}  # may belong to another system
    different = [
        f"{name} is {found.get(name, 'missing')}, pinned {' or '.join(sorted(versions))}"
        for name, versions in wanted.items()
        if found.get(name) not in versions and not (name in foreign and name not in found)
    ]
    return "all as pinned" if not different else f"{len(different)} differ: {_some(different, '; ')}"


def _versions() -> str:
    found = _found()
    main = ("numpy", "matplotlib", "jupyterlab", "ipywidgets", "anywidget")
    return ", ".join(f"{name} {found.get(name, 'missing')}" for name in main)


def _found() -> dict[str, str]:
    names = [path.stem.split("-") for path in site_packages().glob("*.dist-info")]
    return {_plain(parts[0]): parts[1] for parts in names if len(parts) > 1}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _server() -> str:
    address = running.find()
    return f"JupyterLab runs on port {address.port}" if address else "JupyterLab does not run in this folder"


def _log() -> list[str]:
    if not LOG.exists():
        return ["none yet"]
    errors = running.last_errors(_LOG_LINES)
    return [f"{LOG.relative_to(ROOT).as_posix()}, {'its last errors:' if errors else 'tells of no error'}", *errors]


def _copies() -> str:
    mine = [path for path in notebooks() if (MY / path.name).exists()]
    changed = [path.name for path in mine if (MY / path.name).read_bytes() != path.read_bytes()]
    told = f"{len(notebooks())} in the course, {len(mine)} of them copied to my"
    return told + (f"; changed there: {_some(changed, ', ')}" if changed else "")


def _progress() -> str:
    path = MY / "progress.json"
    if not path.exists():
        return "none yet"
    try:
        json.loads(path.read_text("utf-8"))
    except ValueError:
        return f"my/progress.json CANNOT be read: it is no JSON ({path.stat().st_size} bytes)"
    return f"my/progress.json can be read ({path.stat().st_size} bytes)"


def _some(names: list[str], between: str) -> str:
    more = len(names) - _TOLD
    return between.join(names[:_TOLD]) + (f"{between}and {more} more" if more > 0 else "")


_ANSWERS: dict[str, Callable[[], str | list[str]]] = {
    "course": _course,
    "system": _system,
    "Python": _python,
    "folder": _folder,
    "disk": _disk,
    "port": _port,
    "Chromium": _chromium,
    "environment": _environment,
    "set up": _set_up,
    "packages from": _source,
    "packages": _packages,
    "versions": _versions,
    "server": _server,
    "server's log": _log,
    "notebooks": _copies,
    "progress": _progress,
}
