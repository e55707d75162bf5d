"""A folder from which a machine without network sets itself up: the course, and its packages in `wheels`."""

import argparse
import os
import platform
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from commands.console import Parser, Problem, Progress, say
from commands.environment import child
from commands.places import ROOT, venv_python
from commands.repository import has_git, is_clone, names
from commands.setup import index_options, pins, set_up
from commands.targets import SYSTEMS, Target, this_python, this_system
from commands.trouble import ANSWERED, RETRY, trouble

_DEFAULT = "dist/backpropagation-course"
# What a copy without git is made of: somebody's own files in the folder of the project must not go along.
PARTS = {
    *(".ci", ".gitattributes", ".gitignore", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "GLOSSARY.md"),
    *("LICENSE", "README.md", "benchmarks", "binder", "bplib", "commands", "conftest.py", "course.py", "docs"),
    *("notebooks", "pyproject.toml", "requirements-dev.txt", "requirements.txt", "scripts", "tests"),
}
_LEFT_BEHIND = re.compile(
    r"__pycache__|.*_cache|\.ipynb_checkpoints|\.hypothesis|.*\.egg-info|.*\.py[co]|\.DS_Store|.*\.part"
)
_THIS_MACHINE = f"{platform.system()} {platform.machine()} with Python {this_python()}"
_READ_ME = """\
Backpropagation, step by step: ready for a machine without network

1. Copy this whole folder to the machine's own disk. The set-up needs about 1 GB there.
2. Open a terminal in the folder.
3. Type:  python course.py
   (on macOS and Linux perhaps: python3 course.py; on Windows perhaps: py course.py)

The first start takes a minute or two: it makes the folder .venv from the folder wheels, without network.
Then your browser opens, and you can begin.

The folder wheels serves:
{targets}
For any other system or Python delete the folder wheels: the first start then needs the network, once.
"""


def bundle(arguments: list[str]) -> int:
    """Make a folder, or a ZIP, with the course and all packages it needs."""
    options = _options(arguments)
    target = _free_target(options)
    targets = _targets(options)
    set_up("lab")  # brings a pip of its own
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the finished bundle moves there at once and an unfinished one never passes for it.
    with tempfile.TemporaryDirectory(prefix=f"{target.stem}.part-", dir=target.parent) as folder:
        made = Path(folder) / target.name.removesuffix(".zip")
        _copy_course(made)
        for one in targets:
            _fetch(one, made / "wheels", Path(folder) / "pins.txt")
        _write_read_me(made, targets)
        size, number = _size(made), len(list((made / "wheels").iterdir()))
        _put(made, target)
    say(f"Ready: {_shown(target)}, {size / 1e6:.0f} MB, with {number} packages.")
    say("Copy it to each machine. There, python course.py needs no network: READ-ME-FIRST.txt says how.")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = Parser("bundle")
    parser.add_argument("folder", nargs="?", default=None, help=f"the new folder (default: {_DEFAULT})")
    parser.add_argument("--zip", action="store_true", help="make one ZIP file instead of a folder")
    systems = f"for these systems: {', '.join(SYSTEMS)} (default: this machine's)"
    parser.add_argument(
        "--system", nargs="+", action="extend", default=[], choices=SYSTEMS, metavar="NAME", help=systems
    )
    pythons = "for these Pythons, such as 3.12 (default: this one's)"
    parser.add_argument("--python", nargs="+", action="extend", default=[], metavar="X.Y", help=pythons)
    options = parser.parse_args(arguments)
    for version in options.python:
        numbers = re.fullmatch(r"3\.(\d{1,2})", version)
        if numbers is None or int(numbers[1]) < 11:
            parser.error(f"a Python for the course is 3.11 or newer, such as 3.12, not {version}")
    return options


def _targets(options: argparse.Namespace) -> list[Target | None]:
    """What to fetch for; None is this very machine, where its system has no name."""
    system = this_system()
    if not options.system and system is None:
        if options.python:
            raise Problem("This machine's system is none of those known.", f"Name one: {', '.join(SYSTEMS)}.")
        return [None]
    systems, pythons = options.system or [system], options.python or [this_python()]
    return [Target(name, python) for name in dict.fromkeys(systems) for python in dict.fromkeys(pythons)]


def _free_target(options: argparse.Namespace) -> Path:
    target = Path(options.folder).absolute() if options.folder else ROOT / _DEFAULT
    if options.zip and target.suffix != ".zip":
        target = target.with_name(target.name + ".zip")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Problem(f"{_shown(target)} is there already and not empty.", "Name another one, or remove it first.")
    return target


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def _copy_course(made: Path) -> None:
    files = [name for name in _files() if (ROOT / name).is_file()]
    say(f"Copying the course: {len(files)} files.")
    for name in files:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, made / name)


def _files() -> Iterator[str]:
    """The files of the project: those that git knows, or in a copy without git those that belong to its parts."""
    if is_clone() and has_git():
        yield from names("ls-files", "-z")
        return
    for folder, below, found in os.walk(ROOT):
        top = Path(folder) == ROOT
        below[:] = [name for name in below if not _LEFT_BEHIND.fullmatch(name) and (not top or name in PARTS)]
        for name in found:
            if not _LEFT_BEHIND.fullmatch(name) and (not top or name in PARTS):
                yield (Path(folder) / name).relative_to(ROOT).as_posix()


def _fetch(target: Target | None, wheels: Path, wanted: Path) -> None:
    """Fetch the packages of one target into `wheels`; those of several targets lie side by side."""
    title = target.title if target else _THIS_MACHINE
    say(f"Fetching packages for {title}:")
    rounds = target.rounds(pins("lab")) if target else [([], pins("lab"))]
    progress, total, said = Progress(), sum(len(lines) for _, lines in rounds), list[str]()
    for options, lines in rounds:
        # pip would ask the markers of the machine that it runs on; they are answered already.
        wanted.write_text("".join(line.partition(";")[0] + "\n" if target else line + "\n" for line in lines), "utf-8")
        with _pip_download(wheels, wanted, options) as pip:
            try:
                for line in pip.stdout or ():
                    said.append(line.rstrip())
                    progress.show("fetched", sum(one.startswith(ANSWERED) for one in said), total)
                pip.wait()
            finally:
                pip.kill()  # interrupted: pip must not go on alone
        if pip.returncode:
            raise _failed(title, said)
    progress.close()


def _pip_download(wheels: Path, wanted: Path, options: list[str]) -> "subprocess.Popen[str]":
    # The pins are complete: what a package asks for need not be looked up again.
    command = [str(venv_python()), "-P", "-m", "pip", "download", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(wheels), "-r", str(wanted), *index_options()]
    return subprocess.Popen(
        [*command, *options],
        env=child({"PYTHONUNBUFFERED": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def _failed(title: str, said: list[str]) -> Problem:
    missing = [found[1] for line in said if (found := re.search(r"No matching distribution found for (\S+)", line))]
    if missing and not any(RETRY in line for line in said):
        return Problem(
            f"There is no ready-made package {missing[0]} for {title}.",
            "Leave this system or Python out, or name others with --system and --python.",
        )
    return trouble("The packages could not be fetched.", said)


def _write_read_me(made: Path, targets: list[Target | None]) -> None:
    titles = [f"- {one.title if one else _THIS_MACHINE}" for one in targets]
    (made / "READ-ME-FIRST.txt").write_text(_READ_ME.format(targets="\n".join(titles)), "utf-8", newline="\r\n")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _put(made: Path, target: Path) -> None:
    if target.suffix == ".zip":
        packed = made.with_name(target.name + ".part")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in made.rglob("*") if path.is_file()):
                kind = zipfile.ZIP_STORED if path.suffix == ".whl" else None  # wheels are packed already
                archive.write(path, f"{made.name}/{path.relative_to(made).as_posix()}", kind)
        packed.replace(target)
        return
    if target.exists():  # empty
        target.rmdir()
    made.rename(target)
