"""The course as pages for a browser alone: no kernel, no server, no request to anybody."""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from commands.console import Parser, Problem, say
from commands.environment import quiet_child
from commands.javascript import fetch_javascript
from commands.places import ROOT, venv_python
from commands.setup import set_up

_DEFAULT = "build/site"
_SCRIPT = "scripts/pages/make.py"
# Stands in every index that this command has written: such a folder may be made anew.
MARK = '<meta name="generator" content="course.py site">'


def site(arguments: list[str]) -> int:
    """Make a folder of pages from the notebooks, each run afresh."""
    target = _target(_options(arguments))
    if not (ROOT / _SCRIPT).exists():
        raise Problem(f"The file {_SCRIPT} is missing.", "Get a complete copy of the project.")
    fetch_javascript()
    set_up("tests")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the finished site takes its place at once and an unfinished one never passes for it.
    with tempfile.TemporaryDirectory(prefix=f"{target.name}.part-", dir=target.parent) as folder:
        made = Path(folder) / "site"
        if (status := _make(made)) == 0:
            _put(made, target)
            say(f"Ready: {_shown(target)}, {_megabytes(target):.0f} MB. Open {_shown(target / 'index.html')}.")
    return status


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = Parser("site")
    parser.add_argument("folder", nargs="?", default=None, help=f"where the pages go (default: {_DEFAULT})")
    return parser.parse_args(arguments)


def _target(options: argparse.Namespace) -> Path:
    target = Path(options.folder).absolute() if options.folder else ROOT / _DEFAULT
    if target.exists() and not _may_be_replaced(target):
        raise Problem(
            f"{_shown(target)} is there already and is not a site of this course.",
            "Name another folder, or remove it first.",
        )
    return target


def _may_be_replaced(target: Path) -> bool:
    if not target.is_dir() or target.is_symlink():
        return False
    index = target / "index.html"
    return not any(target.iterdir()) or (index.is_file() and MARK in index.read_text("utf-8", "replace"))


def _make(made: Path) -> int:
    with quiet_child() as variables:
        command = [str(venv_python()), str(ROOT / _SCRIPT), str(made)]
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def _put(made: Path, target: Path) -> None:
    if target.exists():
        target.rename(made.with_name("before"))  # goes with the temporary folder
    made.rename(target)
    shutil.rmtree(made.with_name("before"), ignore_errors=True)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
