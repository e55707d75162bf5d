"""The learner's copies of the notebooks, in the folder `my`."""

import datetime
import shutil
from pathlib import Path

from commands.console import Parser, Problem, say
from commands.places import MY, NOTEBOOKS


def notebooks() -> list[Path]:
    """The notebooks of the course, in order."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def first_notebook() -> str:
    """The file name of the notebook that the course begins with."""
    if not notebooks():
        raise Problem("There is no notebook in the folder notebooks yet.", "Build them: python course.py build")
    return notebooks()[0].name


def copy_missing() -> list[str]:
    """Give the learner a copy of each notebook that `my` does not have; what is there is never touched."""
    MY.mkdir(exist_ok=True)
    missing = [path for path in notebooks() if not (MY / path.name).exists()]
    for path in missing:
        _copy(path)
    return [path.name for path in missing]


def reset(arguments: list[str]) -> int:
    """Put a fresh copy of one notebook into `my`, beside the old one."""
    parser = Parser("reset")
    parser.add_argument("number", help="the number of the notebook, for example 06")
    path = _find(parser.parse_args(arguments).number)
    MY.mkdir(exist_ok=True)
    if (MY / path.name).exists():
        old = _kept_name(path)
        (MY / path.name).rename(old)
        say(f"Your copy is kept as my/{old.name}.")
    _copy(path)
    say(f"A fresh my/{path.name} is ready. If it is open in JupyterLab, close its tab and open it again.")
    return 0


def _find(number: str) -> Path:
    for path in notebooks():
        if number in (path.stem, path.name) or (number.isdecimal() and path.name.startswith(f"{int(number):02d}_")):
            return path
    known = ", ".join(path.stem for path in notebooks()) or "none yet"
    raise Problem(f"There is no notebook {number}.", f"The notebooks are: {known}.")


def _kept_name(path: Path) -> Path:
    moment = datetime.datetime.now().strftime("%Y-%m-%d-%H%M")
    names = [f"{path.stem}.before-{moment}{more}.ipynb" for more in ("", *(f"-{n}" for n in range(2, 100)))]
    return next(MY / name for name in names if not (MY / name).exists())


def _copy(path: Path) -> None:
    part = MY / (path.name + ".part")  # a copy that was interrupted must not pass for the learner's own
    shutil.copyfile(path, part)
    part.replace(MY / path.name)
