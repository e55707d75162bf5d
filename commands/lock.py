"""One set-up or start at a time in this folder: a lock of the operating system, so that no dead process holds it."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from commands.console import say
from commands.places import VENV, WINDOWS

if WINDOWS:
    import msvcrt
else:
    import fcntl

_BEYOND = 1 << 20  # Windows locks bytes against reading too: one that is never written
_held: list[int] = []  # the descriptor, while this process holds the lock


def lock_file() -> Path:
    """The file of the lock, which stays: it lies beside `.venv`, which a set-up empties."""
    return VENV.with_name(".venv.lock")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of this folder; while another process holds it, say so and wait."""
    if _held:
        yield
        return
    descriptor = os.open(lock_file(), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait_for(descriptor)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        _held.append(descriptor)
        yield
    finally:
        _held.clear()
        os.close(descriptor)


def to_hand_on() -> tuple[int, ...]:
    """What a program that changes `.venv` inherits: if this process is killed, the lock lasts until that one ends too.

    Windows cannot hand it on.
    """
    return () if WINDOWS else tuple(_held)


def holder() -> str | None:
    """The number of the process that holds the lock now, as text; None if nobody does."""
    if _held or not lock_file().exists():
        return None
    descriptor = os.open(lock_file(), os.O_RDWR)
    try:
        return None if _try(descriptor) else _number(descriptor)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int) -> None:
    said = False
    while not _try(descriptor):
        if not said:
            number = _number(descriptor)
            say(f"Process {number} is setting up or starting the course here; waiting for it (Ctrl-C stops waiting).")
            said = True
        time.sleep(0.2)


def _try(descriptor: int) -> bool:
    try:
        if WINDOWS:
            os.lseek(descriptor, _BEYOND, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks: better no lock than no course
        return True
    return True


def _number(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 20).decode("ascii", "replace").strip() or "of unknown number"
