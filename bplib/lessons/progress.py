"""What a learner has done, kept in one file on their own machine and nowhere else."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from bplib.lessons.records import day, fields, mended, moment, worked
from bplib.lessons.storage import SECTIONS, Record, Unusable, empty, locked, read, replace

__all__ = ["Progress", "current_progress"]


@final
class Progress:
    """Predictions, outcomes of exercises and minutes, in a file that several notebooks may share.

    Every change reads the file anew, merges and replaces it in one move: a crash leaves the old file or the new
    one, never half of one. Where the file cannot be read or written, progress is kept in memory, and `notice` says so.

    A prediction, a check, a hint, a solution and an explanation are the events of a notebook. Each adds the time since
    the one before, unless that is a pause: see `bplib.lessons.records.worked`.

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
        self._data: Record = empty()
        self._notice = notice
        # What only this kernel knows: when a check found no answer, and what was not right at its last check.
        self._looked: dict[str, list[datetime]] = {}
        self._open: set[str] = set()

    def __repr__(self) -> str:
        kept = "in memory" if self.path is None else self.path.name
        predictions, exercises = len(self._data["predictions"]), len(self._data["exercises"])
        return f"Progress({predictions} predictions, {exercises} exercises, {kept})"

    def prediction(self, name: str) -> Record | None:
        """Give what was predicted.

        Parameters
        ----------
        name : str
            Such as "06/fastest-rate".

        Returns
        -------
        dict or None
            ``answer``, ``reason``, ``skipped`` and, once they are known, ``because``, ``agrees``, ``off`` and moments;
            None if nothing that can be read is stored under that name.
        """
        found = fields("predictions", self._current()["predictions"].get(name))
        return {"answer": None, "reason": "", "skipped": False, **found} if _is_made(found) else None

    def keep_prediction(
        self,
        name: str,
        *,
        answer: str | float | None,
        reason: str,
        skipped: bool,
        agrees: bool | None = None,
        off: float | None = None,
    ) -> None:
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
        agrees : bool, optional
            Whether it is what came out.
        off : float, optional
            For a number: how far off it was, relative to what came out.
        """
        entry = {"answer": answer, "reason": reason, "skipped": skipped, "at": _text(_now()), **_came(agrees, off)}
        self._event("predictions", name, lambda old: old if _is_made(old) else {**old, **entry})

    def keep_agreement(self, name: str, agrees: bool, off: float | None) -> None:
        """Add to a stored prediction whether it is what came out, where that is not known yet.

        Parameters
        ----------
        name : str
            That of the prediction.
        agrees : bool
        off : float or None
            As for `keep_prediction`.
        """
        self._change("predictions", name, lambda old: {**_came(agrees, off), **old})

    def keep_explanation(self, name: str, because: str) -> None:
        """Store the learner's sentence on why the outcome is what it is.

        Parameters
        ----------
        name : str
            That of the prediction.
        because : str
        """
        entry = {"because": because, "explained": _text(_now())}
        self._event("predictions", name, lambda old: {**old, **entry})

    def exercise(self, name: str) -> Record | None:
        """Give what is known of an exercise.

        Parameters
        ----------
        name : str
            Such as "06/gd-step".

        Returns
        -------
        dict or None
            ``outcome`` (the last), ``attempts``, ``needed`` (attempts until it was right), ``mistakes``, ``hints`` and
            the moments ``first``, ``last``, ``right``, ``repeated`` and ``solution``, as far as they are known;
            None if it was never tried.
        """
        return fields("exercises", self._current()["exercises"].get(name)) or None

    def keep_verdict(self, name: str, outcome: str, mistake: str) -> None:
        """Store the outcome of one attempt; one that was not attempted is not stored.

        It is ``repeated`` if it is right on a later day, after the answer was taken away or changed in this kernel:
        an old answer that is run again shows nothing.

        Parameters
        ----------
        name : str
            Such as "06/gd-step".
        outcome : str
            "raised", "mistake", "unrecognised", "to compare" or "right".
        mistake : str
            The name of the mistake, or empty.
        """
        anew = name in self._open
        (self._open.discard if outcome == "right" else self._open.add)(name)
        if outcome == "not attempted":
            self._looked.setdefault(_notebook(name), []).append(_now())
            return
        self._event("exercises", name, lambda old: _attempted(old, outcome, mistake, anew))

    def keep_hint(self, name: str, number: int) -> None:
        """Store how many hints were read.

        Parameters
        ----------
        name : str
            That of the exercise.
        number : int
        """
        self._event("exercises", name, lambda old: {**old, "hints": max(number, old.get("hints", 0))})

    def keep_solution(self, name: str) -> None:
        """Store that the solution was read.

        Parameters
        ----------
        name : str
            That of the exercise.
        """
        self._event("exercises", name, lambda old: {"solution": _text(_now()), **old})

    def entries(self) -> Record:
        """Give everything that can be read.

        Returns
        -------
        dict
            The dictionaries ``predictions``, ``exercises`` and ``time``, each from a name to the fields of its entry;
            the names of ``time`` are those of the notebooks, its fields ``seconds`` and ``last``.

        Examples
        --------
        >>> Progress().entries()
        {'predictions': {}, 'exercises': {}, 'time': {}}
        """
        data = self._current()
        return {
            section: {name: known for name, entry in data[section].items() if (known := fields(section, entry))}
            for section in SECTIONS
        }

    def notice(self) -> str:
        """Say once, in one sentence, how long progress is kept where that is not for good; else empty.

        Returns
        -------
        str
        """
        said, self._notice = self._notice, ""
        return said

    def _event(self, section: str, name: str, change: Callable[[Record], Record]) -> None:
        notebook = _notebook(name)
        self._change(section, name, change, notebook, [*self._looked.pop(notebook, ()), _now()])

    def _change(
        self,
        section: str,
        name: str,
        change: Callable[[Record], Record],
        notebook: str = "",
        moments: Sequence[datetime] = (),
    ) -> None:
        def changed(data: Record) -> Record:
            new = _changed(data, section, name, change)
            return _changed(new, "time", notebook, lambda old: _later(old, moments)) if notebook else new

        if self.path is not None:
            try:
                with locked(self.path):
                    self._data = self._read(self.path)
                    data = changed(self._data)
                    replace(self.path, data)
                self._data = data
                return
            except (OSError, ValueError, RecursionError, Unusable) as error:
                self._keep_in_memory(self.path, error)
        self._data = changed(self._data)

    def _current(self) -> Record:
        if self.path is not None:
            try:
                self._data = self._read(self.path)
            except (OSError, Unusable) as error:
                self._keep_in_memory(self.path, error)
        return self._data

    def _read(self, path: Path) -> Record:
        try:
            return read(path)
        except FileNotFoundError:
            return self._data

    def _keep_in_memory(self, path: Path, error: Exception) -> None:
        why = f"The file {path.parent.name}/{path.name} "
        if isinstance(error, Unusable):
            why += f"{error.reason} and was left as it is"
            self._data = {**self._data, **{one: self._data[one] | error.readable[one] for one in SECTIONS}}
        else:
            what = error.strerror if isinstance(error, OSError) else None
            why += f"cannot be used ({what or type(error).__name__})"
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
    return {**data, section: {**data[section], name: change(mended(section, data[section].get(name)))}}


def _attempted(old: Record, outcome: str, mistake: str, anew: bool) -> Record:
    now = _text(_now())
    mistakes = dict(old.get("mistakes", {}))
    if mistake:
        mistakes[mistake] = mistakes.get(mistake, 0) + 1
    # A text that is to be compared is judged by the learner: what they find is the attempt.
    attempts = old.get("attempts", 0) + (outcome != "to compare")
    new = {"first": now, **old, "last": now, "outcome": outcome, "mistakes": mistakes, "attempts": attempts}
    if outcome == "right" and "right" not in old:
        new |= {"right": now, "needed": attempts}
    elif outcome == "right" and anew and day(old["right"]) != day(now):
        new["repeated"] = now
    return new


def _later(old: Record, moments: Sequence[datetime]) -> Record:
    """The time of a notebook after more events, of which only the last is certain to be stored."""
    last = moment(old.get("last"))
    seconds = worked([*([last] if last is not None else []), *moments])
    return {**old, "seconds": old.get("seconds", 0) + seconds, "last": _text(moments[-1])}


def _came(agrees: bool | None, off: float | None) -> Record:
    return {name: value for name, value in (("agrees", agrees), ("off", off)) if value is not None}


def _is_made(prediction: Record) -> bool:
    return "answer" in prediction or bool(prediction.get("skipped"))


def _notebook(name: str) -> str:
    number, slash, _ = name.partition("/")
    return number if slash else ""


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _text(moment: datetime) -> str:
    return moment.isoformat()
