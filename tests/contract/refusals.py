"""What a refusal must be: our own error, raised in our own code, in words that name the argument and what was got."""

import math
import re
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bplib
from bplib import tensor
from bplib.errors import BplibError, DataError, DomainError, ShapeError

KINDS = {"Da": DataError, "Do": DomainError, "Sh": ShapeError}
_LIBRARY = Path(bplib.__file__).parent
_FOREIGN = re.compile(
    r"ufunc '|signature|broadcast together|not supported between|has no attribute|positional argument|"
    r"unexpected keyword|ambiguous|convert string|could not be|must be real|object is not|not iterable|0x[0-9a-f]{6}"
)


def outcome(act: Callable[[], Any], *fragments: str) -> str:
    """Give Da, Do or Sh for an error of ours that says all of the fragments, a point for an answer, else what is wrong.

    The message has the form "Who: what happened. Expected something." or, where that is what helps, "Try ...".
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            act()
        except BplibError as error:
            said = str(error)
            where = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
            wrong = [part for part in fragments if part not in said]
            if _LIBRARY not in where.parents:
                return f"raised in {where.name}: {said}"
            if wrong or _FOREIGN.search(said) or not re.match(r"[A-Za-z_]\w*[^:]*: .+", said):
                return f"said {said!r}, not {wrong}"
            if not re.search(r"[Ee]xpect(ed|s) |Try |Pass |Use |Make |Reshape |[Cc]heck ", said):
                return f"does not help: {said!r}"
            return next((short for short, kind in KINDS.items() if type(error) is kind), type(error).__name__)
        except Exception as error:  # what this is all about: a word of NumPy's or of Python's
            return f"{type(error).__name__}: {error}"
    return "."


def refusal(kind: type[Exception], act: Callable[[], Any]) -> str:
    """Give the words in which `act` is refused, with an error of exactly this kind."""
    with pytest.raises(kind) as caught:
        act()
    assert type(caught.value) is kind
    return str(caught.value)


def rows_of(table: str) -> dict[str, list[str]]:
    """Read a table: a name of words, then its cells, which are two letters or a point; "na" stands for NaN."""
    rows = {}
    for line in table.strip().splitlines():
        name, cells = re.fullmatch(r"(.*?)\s{2,}((?:\s*(?:Da|Do|Sh|na|oo|\.))+)", line.strip()).groups()
        rows[name] = cells.split()
    return rows


VALUES = {
    "-1": -1,
    "-0.1": -0.1,
    "0": 0,
    "0.5": 0.5,
    "1.0": 1.0,
    "3": 3,
    "nan": math.nan,
    "inf": math.inf,
    "text": "0.1",
    "None": None,
    "True": True,
    "complex": 0.5j,
    "list": [0.1],
    "array": np.array([0.1, 0.2]),
    "dict": {"a": 1},
    "object": tensor(0.1),
}
# What an array of numbers can not be.
NO_NUMBERS = {
    "complex": np.ones((4, 2)) * 1j,
    "objects": np.array([[None, 1]] * 4, dtype=object),
    "text": ["a", "b", "c", "d"],
    "ragged": [[1.0], [1.0, 2.0], [1.0], [1.0]],
    "None": None,
    "a number": 3.0,
    "dates": np.array(["2026-01-01"] * 4, dtype="datetime64[D]"),
}
# What a setting may be, and one column for each of VALUES: the first letters of DataError or DomainError, or a point
# for an answer. A rate of 0 stands still, ε = 0 divides by what is there, and β = 0 remembers nothing.
LAWS = rows_of("""
finite           .  .  .  .  .  .  Do Do Da Da Da Da Da Da Da Da
at least 0       Do Do .  .  .  .  Do Do Da Da Da Da Da Da Da Da
above 0          Do Do Do .  .  .  Do Do Da Da Da Da Da Da Da Da
share            Do Do .  .  Do Do Do Do Da Da Da Da Da Da Da Da
fraction         Do Do Do .  Do Do Do Do Da Da Da Da Da Da Da Da
counted          Do Da Do Da Da .  Da Da Da Da Da Da Da Da Da Da
counted or 0     Do Da .  Da Da .  Da Da Da Da Da Da Da Da Da Da
counted or None  Do Da Do Da Da .  Da Da Da .  Da Da Da Da Da Da
from four        Do Da Do Da Da Do Da Da Da Da Da Da Da Da Da Da
whole            .  Da .  Da Da .  Da Da Da Da Da Da Da Da Da Da
word             Do Do Do Do Do Do Do Do Do Do Do Do Do Do Do Do
truth            Da Da Da Da Da Da Da Da Da Da .  Da Da Da Da Da
truth or None    Da Da Da Da Da Da Da Da Da .  .  Da Da Da Da Da
generator        Do Da .  Da Da .  Da Da Da .  Da Da Da Da Da Da
other            Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da
""")


def answer(act: Callable[[], Any], *fragments: str) -> str:
    """Give what `outcome` gives, and of a tensor that comes back whether it holds a NaN (na) or an infinity (oo)."""
    given: list[Any] = []
    found = outcome(lambda: given.append(act()), *fragments)
    if found == "." and given:
        values = given[0].data
        return "na" if np.isnan(values).any() else "oo" if np.isinf(values).any() else "."
    return found


def column(act: Callable[[Any], Any], who: str) -> list[str]:
    """Give the cells of one setting: `act` hands over each of VALUES, and a refusal says "who is" and the value."""
    cells = []
    for value in VALUES.values():
        shown = "" if isinstance(value, np.ndarray) else repr(value)
        said = (
            f"{who} is of type {type(value).__name__}"
            if who.endswith(": rng") and shown != "-1"
            else f"{who} is {shown}"
        )
        cells.append(outcome(lambda value=value: act(value), said))
    return cells
