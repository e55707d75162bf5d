"""What a learner has done, kept in one file on their own machine and nowhere else."""

import contextlib
import copy
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

__all__ = ["Progress", "current_progress"]

_VERSION = 1
_WAIT = 1.0
_STALE = 10.0

Record = dict[str, Any]


@final
class Progress:
    """Predictions and outcomes of exercises, in a file that several notebooks may share.

    Every change reads the file anew, merges and replaces it in one move: a crash leaves the old file or the new
    one, never half of one. Where the file cannot be read or written, progress is kept in memory, and `notice` says so.

    Parameters
    ----------
    path : pathlib.Path, optional
        The JSON file; its folder has to exist. Left out, everything stays in memory.
    notice : str
        What `notice` says the first time, unless there is something more urgent.

    Examples
    --------
    >>> progress = Progress()
    >>> progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    >>> progress.exercise("06/gd-step")["mistakes"]
    {'sign-flipped': 1}
    """

    def __init__(self, path: Path | None = None, *, notice: str = "") -> None:
        self.path = path
        self._data: Record = _empty()
        self._notice = notice

    def __repr__(self) -> str:
        kept = "in memory" if self.path is None else self.path.name
        predictions, exercises = len(self._data["predictions"]), len(self._data["exercises"])
        return f"Progress({predictions} predictions, {exercises} exercises, {kept})"

    def prediction(self, name: str) -> Record | None:
        """Give what was predicted: ``answer``, ``reason``, ``skipped`` and, once written, ``because``.

        Parameters
        ----------
        name : str
            Such as "06/fastest-rate".

        Returns
        -------
        dict or None
            None if nothing is stored under that name.
        """
        found = self._current()["predictions"].get(name)
        return copy.deepcopy(found) if isinstance(found, dict) else None

    def keep_prediction(self, name: str, *, answer: str | float | None, reason: str, skipped: bool) -> None:
        """Store a prediction; the first one under a name stays.

        Parameters
        ----------
        name : str
            Such as "06/fastest-rate".
        answer : str, float or None
            None if skipped.
        reason : str
            May be empty.
        skipped : bool
        """
        entry = {"answer": answer, "reason": reason, "skipped": skipped, "at": _now()}
        self._change("predictions", name, lambda old: old or entry)

    def keep_explanation(self, name: str, because: str) -> None:
        """Store the learner's sentence on why the outcome is what it is.

        Parameters
        ----------
        name : str
            That of the prediction.
        because : str
        """
        self._change("predictions", name, lambda old: {**old, "because": because})

    def exercise(self, name: str) -> Record | None:
        """Give what is known of an exercise: ``outcome`` (the last), ``attempts``, ``mistakes``, ``hints``, times.

        Parameters
        ----------
        name : str
            Such as "06/gd-step".

        Returns
        -------
        dict or None
            None if it was never tried.
        """
        found = self._current()["exercises"].get(name)
        return copy.deepcopy(found) if isinstance(found, dict) else None

    def keep_verdict(self, name: str, outcome: str, mistake: str) -> None:
        """Store the outcome of one attempt; one that was not attempted is not stored.

        Parameters
        ----------
        name : str
            Such as "06/gd-step".
        outcome : str
            "raised", "mistake", "unrecognised" or "right".
        mistake : str
            The name of the mistake, or empty.
        """
        if outcome == "not attempted":
            return
        now = _now()

        def attempt(old: Record) -> Record:
            mistakes = dict(old.get("mistakes", {}))
            if mistake:
                mistakes[mistake] = mistakes.get(mistake, 0) + 1
            new = {"first": now, **old, "last": now, "outcome": outcome, "mistakes": mistakes}
            new["attempts"] = old.get("attempts", 0) + 1
            return {"right": now, **new} if outcome == "right" else new

        self._change("exercises", name, attempt)

    def keep_hint(self, name: str, number: int) -> None:
        """Store how many hints were read.

        Parameters
        ----------
        name : str
            That of the exercise.
        number : int
        """
        self._change("exercises", name, lambda old: {**old, "hints": max(number, old.get("hints", 0))})

    def keep_solution(self, name: str) -> None:
        """Store that the solution was read.

        Parameters
        ----------
        name : str
            That of the exercise.
        """
        self._change("exercises", name, lambda old: {"solution": _now(), **old})

    def notice(self) -> str:
        """Say once, in one sentence, how long progress is kept where that is not for good; else empty.

        Returns
        -------
        str
        """
        said, self._notice = self._notice, ""
        return said

    def _change(self, section: str, name: str, change: Callable[[Record], Record]) -> None:
        if self.path is not None:
            try:
                with _locked(self.path):
                    self._data = self._read(self.path)
                    data = _changed(self._data, section, name, change)
                    _replace(self.path, data)
                self._data = data
                return
            except (OSError, ValueError) as error:
                self._keep_in_memory(self.path, error)
        self._data = _changed(self._data, section, name, change)

    def _current(self) -> Record:
        if self.path is not None:
            try:
                self._data = self._read(self.path)
            except (OSError, ValueError) as error:
                self._keep_in_memory(self.path, error)
        return self._data

    def _read(self, path: Path) -> Record:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return self._data
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("version") != _VERSION:
            raise ValueError("it was written by another version of the course")
        for section in ("predictions", "exercises"):
            if not isinstance(data.setdefault(section, {}), dict):
                raise ValueError(f"its part {section!r} is damaged")
        return data

    def _keep_in_memory(self, path: Path, error: Exception) -> None:
        where = f"{path.parent.name}/{path.name}"
        if isinstance(error, OSError):
            why = f"The file {where} cannot be used ({error.strerror or type(error).__name__})"
        elif isinstance(error, json.JSONDecodeError):
            why = f"The file {where} is damaged in line {error.lineno} and was left as it is"
        elif isinstance(error, UnicodeDecodeError):
            why = f"The file {where} is damaged and was left as it is"
        else:
            why = f"The file {where} cannot be used ({error}) and was left as it is"
        self._notice = f"{why}: your progress is remembered until you close this notebook, not longer."
        self.path = None


_kept: dict[str, Progress] = {}
# BinderHub's own variable tells a learner's session apart from every other start.
_ON_BINDER = (
    "You are on Binder: your work is lost when the session ends, after ten idle minutes. "
    "File › Download keeps a notebook."
)


def current_progress() -> Progress:
    """Give the learner's progress.

    The file is the one that the environment variable ``BPLIB_PROGRESS`` names; without it, ``progress.json`` in the
    folder ``my`` of the course that the working folder lies in. Elsewhere progress is kept in memory.

    Returns
    -------
    Progress
        The same object for the same file.

    Examples
    --------
    >>> current_progress() is current_progress()
    True
    """
    path = _path()
    notice = _ON_BINDER if "BINDER_LAUNCH_HOST" in os.environ else ""
    return _kept.setdefault(str(path), Progress(path, notice=notice))


def _path() -> Path | None:
    named = os.environ.get("BPLIB_PROGRESS")
    if named:
        return Path(named)
    try:
        here = Path.cwd()
    except OSError:  # the working folder was deleted
        return None
    for folder in (here, *here.parents):
        if folder.name == "my" and (folder.parent / "course.py").is_file():
            return folder / "progress.json"
    return None


def _changed(data: Record, section: str, name: str, change: Callable[[Record], Record]) -> Record:
    new = copy.deepcopy(data)
    old = new[section].get(name)
    new[section][name] = change(old if isinstance(old, dict) else {})
    return new


def _empty() -> Record:
    return {"version": _VERSION, "predictions": {}, "exercises": {}}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; one left behind by a crash is broken after ten seconds, and nobody waits longer than one."""
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + _WAIT
    mine = False
    while not mine and time.monotonic() < deadline:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            mine = True
        except (FileExistsError, PermissionError):  # Windows refuses while another process deletes it
            with contextlib.suppress(OSError):
                if time.time() - lock.stat().st_mtime > _STALE:
                    lock.unlink()
            if not os.access(path.parent, os.W_OK):
                break
            time.sleep(0.01)
    try:
        yield
    finally:
        if mine:
            with contextlib.suppress(OSError):
                lock.unlink()


def _replace(path: Path, data: Record) -> None:
    text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _move(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _move(name: str, path: Path) -> None:
    for _ in range(20):
        try:
            os.replace(name, path)
            return
        except PermissionError:  # Windows: another process reads the file at this moment
            if os.name != "nt":
                raise
            time.sleep(0.02)
    os.replace(name, path)
