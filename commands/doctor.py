"""What someone who helps would ask for; no network, no names or folders of the person beyond the project's folder."""

import platform
import re
from pathlib import Path

from commands.console import Parser, say
from commands.copies import notebooks
from commands.machine import DEFAULT_PORT, find_chromium, free_space, is_free, is_writable
from commands.places import LOG, MY, ROOT, site_packages
from commands.setup import is_set_up, pins, stamp, venv_version, venv_works


def doctor(arguments: list[str]) -> int:
    """Print the state of machine, environment and copies."""
    Parser("doctor").parse_args(arguments)
    for name, answer in [*_machine(), *_environment(), *_copies()]:
        say(f"{name:<16}{answer}")
    return 0


def _machine() -> list[tuple[str, str]]:
    browser = find_chromium()
    return [
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("folder", f"{ROOT} ({'writable' if is_writable() else 'NOT writable'})"),
        ("disk", f"{free_space():.1f} GB free"),
        ("port", f"{DEFAULT_PORT} is {'free' if is_free(DEFAULT_PORT) else 'taken; the next free one is used'}"),
        ("Chromium", f"{Path(browser).name} found" if browser else "not found; only the browser tests need it"),
    ]


def _environment() -> list[tuple[str, str]]:
    version = venv_version()
    if version is None:
        return [("environment", "none yet; the first python course.py makes it")]
    return [
        ("environment", f"Python {version}, {'starts' if venv_works() else 'does NOT start'}"),
        *((f"set up: {kind}", _state(kind)) for kind in ("lab", "tests")),
        *_packages(),
    ]


def _state(kind: str) -> str:
    if is_set_up(kind):
        return "complete"
    return "of older pins" if stamp(kind).exists() else "not complete"


def _packages() -> list[tuple[str, str]]:
    wanted: dict[str, set[str]] = {}
    for line in pins("lab"):
        name, version = line.split(";")[0].strip().split("==")
        wanted.setdefault(_plain(name), set()).add(version)
    foreign = {_plain(line.split("==")[0]) for line in pins("lab") if ";" in line}  # may belong to another system
    found = {_plain(path.name.split("-")[0]): path.name.split("-")[1] for path in _dist_infos()}
    different = [
        f"{name} is {found.get(name, 'missing')}, pinned {' or '.join(sorted(versions))}"
        for name, versions in wanted.items()
        if found.get(name) not in versions and not (name in foreign and name not in found)
    ]
    main = ("numpy", "matplotlib", "jupyterlab", "ipywidgets", "anywidget")
    return [
        ("packages", "all as pinned" if not different else f"{len(different)} differ: {'; '.join(different[:5])}"),
        ("versions", ", ".join(f"{name} {found.get(name, 'missing')}" for name in main)),
    ]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _dist_infos() -> list[Path]:
    return [Path(path.stem) for path in site_packages().glob("*.dist-info")]


def _copies() -> list[tuple[str, str]]:
    mine = [path.name for path in notebooks() if (MY / path.name).exists()]
    return [
        ("notebooks", f"{len(notebooks())} in the course, {len(mine)} of them copied to my"),
        ("server's log", LOG.relative_to(ROOT).as_posix() if LOG.exists() else "none yet"),
    ]
