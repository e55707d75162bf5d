"""The file behind the progress: read as far as it can be read, replaced in one move, locked while it changes."""

import contextlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

__all__ = ["SECTIONS", "VERSION", "Record", "Unusable", "empty", "locked", "read", "replace"]

VERSION = 1
"""Additions leave it as it is: a file without them is complete, and an older course keeps what it does not know."""

SECTIONS: tuple[str, ...] = ("predictions", "exercises", "time")
"""The parts of a file, each a dictionary."""

_WAIT = 1.0
_STALE = 10.0
_LARGEST = 50_000_000
# A second kernel waits for the file; the threads of this one wait here, in the order in which they come.
_THREADS = threading.Lock()

Record = dict[str, Any]


@final
class Unusable(Exception):
    """A file that has to be left as it is.

    Parameters
    ----------
    reason : str
        Continues "The file my/progress.json …".
    readable : dict
        What could be read of it all the same, as a whole file.
    """

    def __init__(self, reason: str, readable: Record | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.readable = empty() if readable is None else readable


def empty() -> Record:
    """Give what a file without anything in it holds.

    Returns
    -------
    dict

    Examples
    --------
    >>> sorted(empty())
    ['exercises', 'predictions', 'time', 'version']
    """
    return {"version": VERSION, **{section: {} for section in SECTIONS}}


def read(path: Path) -> Record:
    """Give what a file holds; parts that this version does not know come along.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict
        With every part of `SECTIONS` a dictionary. What lies inside may be anything.

    Raises
    ------
    OSError
        If it cannot be read; FileNotFoundError if there is none.
    Unusable
        If it is damaged or comes from a newer version.
    """
    if path.stat().st_size > _LARGEST:
        raise Unusable(f"is larger than {_LARGEST // 1_000_000} MB")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise Unusable(f"is damaged in line {error.lineno}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # no text, a number of 5,000 digits, 100,000 brackets
        raise Unusable("is damaged") from error
    if not isinstance(data, dict):
        raise Unusable("is damaged")
    _check_version(data)
    return _with_sections(data)


def _check_version(data: Record) -> None:
    version = data.get("version")
    if isinstance(version, (int, float)) and version > VERSION:
        raise Unusable("comes from a newer version of the course (`python course.py update` fetches it)")


def _with_sections(data: Record) -> Record:
    given = {section: data.get(section, {}) for section in SECTIONS}
    damaged = [section for section, value in given.items() if not isinstance(value, dict)]
    kept = {section: {} if section in damaged else value for section, value in given.items()}
    readable = {**data, "version": VERSION, **kept}
    if damaged:
        raise Unusable(f"is damaged in its part {damaged[0]!r}", readable)
    if data.get("version") != VERSION:
        raise Unusable("is damaged: its version cannot be read", readable)
    return readable


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file; one left behind by a crash is broken after ten seconds, and no kernel waits longer than one.

    Parameters
    ----------
    path : pathlib.Path
        The file to be changed; the lock lies beside it.
    """
    lock = path.with_name(path.name + ".lock")
    with _THREADS:
        mine = _take(lock)
        try:
            yield
        finally:
            if mine:
                with contextlib.suppress(OSError):
                    lock.unlink()


def _take(lock: Path) -> bool:
    deadline = time.monotonic() + _WAIT
    while time.monotonic() < deadline:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            return True
        except (FileExistsError, PermissionError):  # Windows refuses while another process deletes it
            with contextlib.suppress(OSError):
                if time.time() - lock.stat().st_mtime > _STALE:
                    _clear(lock)
            if not os.access(lock.parent, os.W_OK):
                break
            time.sleep(0.01)
    return False


def _clear(lock: Path) -> None:
    """Remove what a crash left: the lock, and a file that was being written under it."""
    for part in lock.parent.glob(lock.name.removesuffix(".lock") + "*.part"):
        part.unlink()
    lock.unlink()


def replace(path: Path, data: Record) -> None:
    """Write a file in one move: a crash leaves the old file or the new one, never half of one.

    Parameters
    ----------
    path : pathlib.Path
    data : dict

    Raises
    ------
    OSError
        If it cannot be written; the old file is as it was.
    """
    handle, name = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_encoded(data))
            file.flush()
            os.fsync(file.fileno())
        _move(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _encoded(data: Record) -> bytes:
    # A NaN that somebody wrote into the file goes back as it came: nothing of theirs is lost.
    text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half an emoji, as a browser can send it
        return json.dumps(data, indent=1, sort_keys=True).encode()


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
