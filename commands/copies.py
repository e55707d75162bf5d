"""The learner's copies of the notebooks, in the folder `my`, and what they were made from, in `my/.originals`."""

import datetime
import hashlib
from pathlib import Path

from commands import merging
from commands.console import Parser, Problem, say
from commands.files import write
from commands.lock import alone
from commands.places import JUPYTER, MY, NOTEBOOKS


def notebooks() -> list[Path]:
    """The notebooks of the course, in order."""
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def first_notebook() -> str:
    """The file name of the notebook that the course begins with."""
    if not notebooks():
        raise Problem("There is no notebook in the folder notebooks yet.", "Build them: python course.py build")
    return notebooks()[0].name


def refresh_copies() -> list[str]:
    """Give the learner each notebook in its newest version, with their own work in it; what happened, in sentences."""
    missing = [path for path in notebooks() if not (MY / path.name).exists()]
    for path in missing:
        _give(path, path.read_bytes())
    told = [f"New in the folder my, where you work: {', '.join(path.name for path in missing)}"] if missing else []
    refreshed = [sentence for path in notebooks() if (sentence := _refresh(path))]
    told += refreshed + _tell_gone()
    # Jupyter's server leaves this file for as long as it runs.
    if refreshed and any((JUPYTER / "runtime").glob("jpserver-*.json")):
        told.append("If one of these is open in JupyterLab, close its tab and open it again.")
    return told


def adopt(name: str, work: bytes, original: bytes) -> bool:
    """Make `work`, done on `original` outside of `my`, the learner's copy, unless they worked on their copy too."""
    copy = MY / name
    if copy.exists() and copy.read_bytes() not in (_original(name), original):
        return False
    _give_bytes(name, work, original)
    return True


def reset(arguments: list[str]) -> int:
    """Put a fresh copy of one notebook into `my`, beside the old one."""
    parser = Parser("reset")
    parser.add_argument("number", help="the number of the notebook, for example 06")
    path = _find(parser.parse_args(arguments).number)
    with alone():
        copy, new = MY / path.name, path.read_bytes()
        if copy.exists() and copy.read_bytes() not in (new, _original(path.name)):
            say(f"Your copy is kept as my/{_beside(path, 'before', copy.read_bytes())}.")
        _give(path, new)
    say(f"A fresh my/{path.name} is ready. If it is open in JupyterLab, close its tab and open it again.")
    return 0


def _find(number: str) -> Path:
    for path in notebooks():
        if number in (path.stem, path.name) or (number.isdecimal() and path.name.startswith(f"{int(number):02d}_")):
            return path
    known = ", ".join(path.stem for path in notebooks()) or "none yet"
    raise Problem(f"There is no notebook {number}.", f"The notebooks are: {known}.")


def _refresh(path: Path) -> str:
    """Bring one copy to the newest version; what happened, or nothing."""
    new, held, original = path.read_bytes(), (MY / path.name).read_bytes(), _original(path.name)
    if original == new:
        return ""
    if held == new:
        _give(path, new)
        return ""
    if held == original:
        _give(path, new)
        return f"{path.stem}: new version."
    try:
        return _carry_over(path, held, original, new)
    except merging.Unreadable as reason:
        return _offer(path, new, f"your copy cannot take it over: {reason}")


def _carry_over(path: Path, held: bytes, original: bytes | None, new: bytes) -> str:
    mine, theirs = merging.read(held), merging.read(new)
    if original is None:
        # A copy that is older than the folder of originals: the hash of its source tells which version it was.
        if merging.version(mine) is None or merging.version(mine) != merging.version(theirs):
            return _offer(path, new, "your copy is too old to tell which of its cells are your own")
        original = new
    before = merging.read(original)
    if not merging.differs(before, theirs):
        _give_bytes(path.name, held, new)
        return ""
    merge = merging.merge(before, mine, theirs)
    # Without a cell of the learner's the result is the course's file, to the byte.
    result = merging.write(merge.notebook) if merge.changed or merge.added else new
    if result == held:  # an interruption came between the copy and its original
        _give_bytes(path.name, held, new)
        return ""
    old = _beside(path, "before", held)
    _give_bytes(path.name, result, new)
    return _tell(path, merge, old)


def _tell(path: Path, merge: merging.Merge, old: str) -> str:
    answers = sum(merging.tagged(cell, "task") for cell in merge.changed)
    others = len(merge.changed) + len(merge.added) - answers
    counts = [_count(answers, "answer"), _count(others, "other cell" if answers else "cell")]
    own = " and ".join(text for text in counts if text)
    parts = ["new version"] + (
        [f"{own} of yours {'are' if answers + others > 1 else 'is'} carried over"] if own else []
    )
    sentences = [f"{path.stem}: {'; '.join([*parts, f'the old copy is my/{old}'])}."]
    for cells, what in (
        (merge.both, f"The course changed this too, yours is kept (the course's is in notebooks/{path.name})"),
        (merge.dropped, "No longer in the course, yours is kept"),
        (merge.restored, "You had deleted this, it is back"),
    ):
        if cells:
            sentences.append(f"  {what}: {', '.join(f'“{merging.title(cell)}”' for cell in cells)}.")
    return "\n".join(sentences)


def _count(number: int, word: str) -> str:
    return f"{number} {word}s" if number > 1 else f"one {word}" if number else ""


def _offer(path: Path, new: bytes, why: str) -> str:
    """Put the new version beside a copy that must stay as it is, once for each version."""
    mark = hashlib.sha256(new).hexdigest()
    if _mark(path.name) == mark:
        return ""
    name = _beside(path, "new", new)
    _set_mark(path.name, mark)
    told = f"{path.stem}: there is a new version, but {why}. It stays as it is; the new version is my/{name}."
    return f"{told}\n  To change over, and keep the old copy beside: python course.py reset {path.stem}"


def _tell_gone() -> list[str]:
    """Say once of each notebook that the course no longer has that its copy stays."""
    there = {path.name for path in notebooks()}
    told = []
    for original in sorted(_originals().glob("*.ipynb")):
        name = original.name
        if name in there or not (MY / name).exists() or _mark(name) == "gone":
            continue
        _set_mark(name, "gone")
        now = next((path.stem for path in notebooks() if path.name[:3] == name[:3]), "")
        renamed = f"Its number now belongs to {now}. " if now else ""
        told.append(f"{original.stem}: no longer in the course. {renamed}Your copy my/{name} stays as it is.")
    return told


def _originals() -> Path:
    return MY / ".originals"


def _original(name: str) -> bytes | None:
    path = _originals() / name
    return path.read_bytes() if path.exists() else None


def _mark(name: str) -> str:
    path = _originals() / f"{name}.said"
    return path.read_text("utf-8") if path.exists() else ""


def _set_mark(name: str, text: str) -> None:
    _originals().mkdir(parents=True, exist_ok=True)
    write(_originals() / f"{name}.said", text.encode())


def _beside(path: Path, word: str, data: bytes) -> str:
    """Keep `data` under a name of its own; a file that already holds it, as after an interruption, is enough."""
    for other in MY.glob(f"{path.stem}.{word}-*.ipynb"):
        if other.read_bytes() == data:
            return other.name
    moment = datetime.datetime.now().strftime("%Y-%m-%d-%H%M")
    names = [f"{path.stem}.{word}-{moment}{more}.ipynb" for more in ("", *(f"-{n}" for n in range(2, 1000)))]
    name = next(name for name in names if not (MY / name).exists())
    write(MY / name, data)
    return name


def _give(path: Path, data: bytes) -> None:
    _give_bytes(path.name, data, data)


def _give_bytes(name: str, copy: bytes, original: bytes) -> None:
    """Write the copy, then what it is made from: in between, merging again gives the same copy."""
    _originals().mkdir(parents=True, exist_ok=True)
    if not (MY / name).exists() or (MY / name).read_bytes() != copy:
        write(MY / name, copy)
    write(_originals() / name, original)
    (_originals() / f"{name}.said").unlink(missing_ok=True)
