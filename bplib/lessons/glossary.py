"""The words of the course, looked up without leaving the notebook.

The rows are those of the page GLOSSARY.md; ``scripts/make_glossary.py`` copies them into the package.
"""

import difflib
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import final

from bplib.lessons.syllabus import SYLLABUS
from bplib.lessons.verdicts import Says

__all__ = ["Entry", "NoEntry", "glossary"]

_TO_COME = {f"{lesson.number:02d}" for lesson in SYLLABUS if not lesson.ready}
_NEAR = 3


@final
@dataclass(frozen=True, repr=False)
class Entry(Says):
    """One word of the glossary.

    Parameters
    ----------
    word, symbol, shape, unit, code, meaning, first : str
        The columns of the page, in its order; empty where it has a dash.

    Examples
    --------
    >>> Entry("loss", "L", "one number", "", "`loss`", "How far off the predictions are.", "00")
    → loss, L. How far off the predictions are.
    Shape: one number. In the code: `loss`. First in notebook 00.
    """

    word: str
    symbol: str
    shape: str
    unit: str
    code: str
    meaning: str
    first: str = ""

    def _look(self) -> tuple[str, str, str]:
        return "→", f"{', '.join(one for one in (self.word, self.symbol) if one)}.", "#0072B2"

    def _sentences(self) -> tuple[str, ...]:
        named = (("Shape", self.shape), ("Unit", self.unit), ("In the code", self.code))
        facts = [f"{name}: {fact}." for name, fact in named if fact]
        on_the_way = ", which is on the way" if self.first in _TO_COME else ""
        facts += [f"First in notebook {self.first}{on_the_way}." if self.first else "A word of the library only."]
        return self.meaning, " ".join(facts)


@final
@dataclass(frozen=True, repr=False)
class NoEntry(Says):
    """What is said about a word that the glossary does not have; `asked` is empty if no text was given.

    Examples
    --------
    >>> NoEntry("gradeint", ("gradient",))
    → Not found. The glossary does not have `gradeint`. Look at "gradient".
    """

    asked: str
    near: tuple[str, ...] = ()

    def _look(self) -> tuple[str, str, str]:
        return "→", "Not found.", "#595959"

    def _sentences(self) -> tuple[str, ...]:
        if not self.asked:
            return ('Write the word between quotation marks, as in `glossary("gradient")`.',)
        near = ", ".join(f'"{word}"' for word in self.near)
        advice = f"Look at {near}." if near else "All words stand in GLOSSARY.md."
        return (f"The glossary does not have `{self.asked[:40]}`. {advice}",)


def glossary(word: str = "") -> Entry | NoEntry:
    """Look up a word of the course, a symbol, or a name in the code.

    Parameters
    ----------
    word : str
        Such as "gradient", "η" or "lr"; capital letters and the ending of the plural do not matter.

    Returns
    -------
    Entry or NoEntry
        Shown as words; an unknown word is answered with those near it, and nothing is raised.

    Examples
    --------
    >>> glossary("Learning rates")
    → learning rate, η. How far one step goes for a gradient of 1.
    Shape: one number. Unit: parameter² per loss. In the code: `lr`. First in notebook 00.
    """
    text = resources.files("bplib.lessons").joinpath("glossary.json").read_text("utf-8")
    entries = [Entry(**row) for row in json.loads(text)]
    asked = " ".join(word.split()) if isinstance(word, str) else ""
    for form in (asked, asked.removesuffix("s"), asked.removesuffix("es")):
        for entry in entries:
            if form and _is_called(entry, form):
                return entry
    alike = difflib.get_close_matches(asked.lower(), [entry.word.lower() for entry in entries], _NEAR)
    whole = re.compile(rf"\b{re.escape(asked)}\b", re.IGNORECASE)
    mentions = [entry.word for entry in entries if whole.search(entry.meaning)][:_NEAR]
    near = [entry.word for entry in entries if entry.word.lower() in alike and entry.word not in mentions]
    return NoEntry(asked, (*mentions, *near))


def _is_called(entry: Entry, form: str) -> bool:
    word = entry.word.lower()
    signs = (*entry.symbol.split(", "), *entry.code.replace("`", "").split(", "))
    return form.lower() in (word, *word.split(", ")) or form in signs
