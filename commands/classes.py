"""The progress of a class, from the files that learners exported: a table for the instructor."""

import json
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from commands.console import Problem

_LARGEST = 1_000_000
_MISTAKES = 3  # of one exercise, the most frequent first
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,59}")
_NUMBER = re.compile(r"\d\d")
_EXERCISE = ("done", "tried", "untouched")
_PREDICTION = ("agrees", "differs", "skipped", "unknown", "open")
_HEAD = ("", "done", "tried", "not tried", "attempts", "hints", "solution")


class _Unfit(Exception):
    """A file that is no export; the text continues its name."""


class _Export(NamedTuple):
    """What one learner did."""

    name: str
    notebooks: dict[str, dict[str, Any]]


def summary(paths: Sequence[Path]) -> str:
    """Sum up exports as text; what is no export is named and left out."""
    found = list(dict.fromkeys(file for path in paths for file in _files(path)))
    exports: list[_Export] = []
    left_out: list[str] = []
    seen: dict[bytes, str] = {}
    for path in found:
        try:
            data = _bytes(path)
            export = _read(data)
            # A copy; but those who have not begun are alike by nature.
            if data in seen and any(map(_begun, export.notebooks.values())):
                raise _Unfit(f"is the same as {_shown(seen[data])}")
            exports.append(export)
            seen[data] = path.name
        except _Unfit as reason:
            left_out.append(f"  {_shown(path.name)} {reason}.")
    if not exports:
        raise Problem(
            "\n".join(["There is no export among these.", *left_out]),
            "A learner makes one with: python course.py progress --export",
        )
    return "\n".join([*_who(exports), *(["", "Left out:", *left_out] if left_out else []), *_notebooks(exports)])


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.json"))
    if not path.exists():
        raise Problem(f"There is no file or folder {path}.", "Check the name.")
    return [path]


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise _Unfit(f"is larger than {_LARGEST // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise _Unfit(f"cannot be read ({error.strerror})") from error


def _read(data: bytes) -> _Export:
    try:
        told = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _Unfit("is no JSON, or only a part of it") from error
    if not isinstance(told, dict) or told.get("format") != "progress of the backpropagation course":
        if isinstance(told, dict) and {"exercises", "predictions"} <= told.keys():
            raise _Unfit("is a learner's progress itself and not an export of it")
        raise _Unfit("is no export of this course")
    if told.get("version") != 1:
        raise _Unfit("was exported by another version of the course")
    try:
        notebooks = [_notebook(one) for one in told["notebooks"]]
        return _Export(_shown(_text(told.get("name", ""))), {one["notebook"]: one for one in notebooks})
    except (KeyError, TypeError, ValueError) as error:
        raise _Unfit("is damaged: a part is missing or is not what it should be") from error


def _notebook(told: dict[str, Any]) -> dict[str, Any]:
    """A notebook of an export, if each part is what it should be; a person may have edited the file."""
    return {
        "notebook": _matching(_NUMBER, told["notebook"]),
        "title": _shown(_text(told["title"])),
        "minutes": _count(told["minutes"]),
        "planned": _count(told["planned"]),
        "exercises": {_matching(_NAME, one["exercise"]): _exercise(one) for one in told["exercises"]},
        "predictions": {
            _matching(_NAME, one["prediction"]): _among(_PREDICTION, one["outcome"]) for one in told["predictions"]
        },
    }


def _exercise(told: dict[str, Any]) -> dict[str, Any]:
    mistakes = [(_matching(_NAME, one["mistake"]), _text(one["code"])) for one in told["mistakes"]]
    return {
        "outcome": _among(_EXERCISE, told["outcome"]),
        "attempts": _count(told["attempts"]),
        "hints": _count(told["hints"]),
        "solution": bool(_among((True, False), told["solution"])),
        "mistakes": {f"{name} ({_shown(code)})" if code else name for name, code in mistakes},
    }


def _who(exports: Sequence[_Export]) -> list[str]:
    names = sorted(one.name for one in exports if one.name)
    count = f"{len(exports)} learner{'s' if len(exports) > 1 else ''}"
    if not names:
        return [f"{count}, all without a name." if len(exports) > 1 else f"{count}, without a name."]
    rest = len(exports) - len(names)
    return [f"{count}: {', '.join(names)}{f', and {rest} without a name' if rest else ''}."]


def _notebooks(exports: Sequence[_Export]) -> list[str]:
    lines = []
    for number in sorted({number for one in exports for number in one.notebooks}):
        lines += ["", *_table([one.notebooks[number] for one in exports if number in one.notebooks])]
    return lines


def _table(told: Sequence[dict[str, Any]]) -> list[str]:
    begun = [one for one in told if _begun(one)]
    lines = [f"{told[0]['notebook']} · {told[0]['title']}", f"begun by {len(begun)} of {len(told)}"]
    if not begun:
        return lines
    minutes = statistics.median(one["minutes"] for one in begun)
    lines[1] += f"; minutes: {minutes:g} in the median, {told[0]['planned']} planned"
    exercises = dict.fromkeys(name for one in begun for name in one["exercises"])
    width = max(map(len, [*exercises, "exercise"])) + 2
    lines += ["  " + "exercise".ljust(width) + "".join(f"{word:>10}" for word in _HEAD[1:])]
    for name in exercises:
        lines += _row(name, width, [one["exercises"][name] for one in begun if name in one["exercises"]])
    return lines + _predictions(begun)


def _begun(told: dict[str, Any]) -> bool:
    tried = any(one["outcome"] != "untouched" or one["hints"] or one["solution"] for one in told["exercises"].values())
    return tried or told["minutes"] > 0 or any(outcome != "open" for outcome in told["predictions"].values())


def _row(name: str, width: int, told: Sequence[dict[str, Any]]) -> list[str]:
    outcomes = Counter(one["outcome"] for one in told)
    attempts = [one["attempts"] for one in told if one["attempts"]]
    counts = [outcomes[outcome] for outcome in _EXERCISE]
    median = f"{statistics.median(attempts):g}" if attempts else "–"
    helped = [sum(one["hints"] > 0 for one in told), sum(one["solution"] for one in told)]
    line = "  " + name.ljust(width) + "".join(f"{cell:>10}" for cell in (*counts, median, *helped))
    mistakes = Counter(mistake for one in told for mistake in one["mistakes"])
    common = sorted(mistakes.items(), key=lambda one: (-one[1], one[0]))[:_MISTAKES]
    made = ", ".join(f"{mistake} by {count}" for mistake, count in common)
    return [line, f"      mistakes: {made}"] if made else [line]


def _predictions(begun: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for name in dict.fromkeys(name for one in begun for name in one["predictions"]):
        counts = Counter(one["predictions"].get(name, "open") for one in begun)
        words = zip(_PREDICTION, ("as predicted", "differently", "skipped", "not compared", "open"), strict=True)
        told = ", ".join(f"{counts[outcome]} {word}" for outcome, word in words if counts[outcome])
        lines.append(f"  prediction {name}: {told}")
    return lines


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000_000:
        raise ValueError
    return value


def _among(known: Iterable[Any], value: object) -> Any:
    if not any(value is one or (isinstance(value, str) and value == one) for one in known):
        raise ValueError
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not pattern.fullmatch(_text(value)):
        raise ValueError
    return str(value)


def _shown(text: str) -> str:
    """Text for one line of a terminal: no control letters, not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:80].strip()
