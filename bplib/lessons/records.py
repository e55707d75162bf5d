"""What an entry of the progress file holds, as far as it can be read: a person may have edited the file."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from bplib.lessons.storage import Record

__all__ = ["PAUSE", "day", "fields", "mended", "moment", "worked"]

PAUSE = 600
"""A gap of more seconds than these between two events counts as a pause, not as work."""

_MOST = 10_000_000
_OUTCOMES = frozenset(("raised", "mistake", "unrecognised", "right", "to compare"))


def mended(section: str, entry: object) -> Record:
    """Give an entry without the fields that cannot be what they should be; fields of a later version stay.

    Parameters
    ----------
    section : {"predictions", "exercises", "time"}
    entry : object
        Whatever stands in the file.

    Returns
    -------
    dict
        Empty if `entry` is none.

    Examples
    --------
    >>> mended("exercises", {"attempts": "many", "mistakes": {"sign-flipped": 1, "x": None}, "new": 0})
    {'new': 0, 'mistakes': {'sign-flipped': 1}}
    """
    if not isinstance(entry, dict):
        return {}
    return {name: value for name, value in entry.items() if name not in _FIELDS[section]} | fields(section, entry)


def fields(section: str, entry: object) -> Record:
    """Give the fields of an entry that this version knows and can read.

    Parameters
    ----------
    section, entry
        As for `mended`.

    Returns
    -------
    dict

    Examples
    --------
    >>> fields("predictions", {"answer": 2.5, "reason": ["?"], "skipped": False})
    {'answer': 2.5, 'skipped': False}
    """
    if not isinstance(entry, dict):
        return {}
    read = {name: check(entry[name]) for name, check in _FIELDS[section].items() if name in entry}
    return {name: value for name, value in read.items() if value is not None}


def moment(text: object) -> datetime | None:
    """Give the moment that a text names, in the time of this machine.

    Parameters
    ----------
    text : object
        Such as "2026-11-28T03:15:00+00:00"; without a zone it is taken for UTC.

    Returns
    -------
    datetime.datetime or None
        None if it names none.

    Examples
    --------
    >>> moment("2026-11-28T03:15:00+00:00") == moment("2026-11-28T03:15:00")
    True
    >>> moment("yesterday")
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone()
    except (ValueError, OverflowError, OSError):  # the last two at the ends of the calendar
        return None


def day(text: object) -> date | None:
    """Give the day of a moment, by the calendar of this machine.

    Parameters
    ----------
    text : object
        As for `moment`.

    Returns
    -------
    datetime.date or None
    """
    found = moment(text)
    return found.date() if found is not None else None


def worked(moments: Sequence[datetime]) -> int:
    """Count the seconds of work between events, each from the one before.

    A gap of more than `PAUSE` seconds counts as nothing: whoever was away came back, and nobody knows when they left.
    So the sum is never more than what was worked. A clock that was set back adds nothing either.

    Parameters
    ----------
    moments : sequence of datetime.datetime
        In the order in which the events came.

    Returns
    -------
    int

    Examples
    --------
    >>> first, then, later = (datetime(2026, 11, 28, 3, minute) for minute in (0, 5, 50))
    >>> worked([first, then, later]), worked([then, first])
    (300, 0)
    """
    gaps = [(after - before).total_seconds() for before, after in pairwise(moments)]
    return sum(int(gap) for gap in gaps if 0 < gap <= PAUSE)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(float(value)) else None
    except OverflowError:
        return None


def _count(value: object) -> int | None:
    number = _number(value)
    return min(int(number), _MOST) if number is not None and number >= 0 else None


def _counts(value: object) -> dict[str, int] | None:
    if not isinstance(value, Mapping):
        return None
    read = {str(name): _count(count) for name, count in value.items()}
    return {name: count for name, count in read.items() if count}


def _answer(value: object) -> str | float | None:
    return value if isinstance(value, str) else _number(value)


def _moment(value: object) -> str | None:
    return value if isinstance(value, str) and moment(value) is not None else None


def _outcome(value: object) -> str | None:
    return value if isinstance(value, str) and value in _OUTCOMES else None


_FIELDS: dict[str, dict[str, Callable[[object], Any]]] = {
    "predictions": {
        "answer": _answer,
        "reason": _text,
        "because": _text,
        "skipped": _flag,
        "at": _moment,
        "agrees": _flag,
        "off": _number,
        "explained": _moment,
    },
    "exercises": {
        "outcome": _outcome,
        "attempts": _count,
        "needed": _count,
        "mistakes": _counts,
        "hints": _count,
        "solution": _moment,
        "first": _moment,
        "right": _moment,
        "repeated": _moment,
        "last": _moment,
    },
    "time": {"seconds": _count, "last": _moment},
}
