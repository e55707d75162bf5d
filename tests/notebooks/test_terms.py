"""The words of the course: each stands in the notebook that the glossary names, is introduced there, and never before.

What a learner reads is put in order: the text of the notebook, the comments of its code, and at each check what the
lesson says about that exercise. A word is *introduced* where it first stands in the running text of a notebook: in bold
or in italics, or in a paragraph that explains it in other ways and is listed in `EXPLAINED`. Headings, the title cell
(which says what is to come) and what a lesson says (it comes after the text) introduce nothing.
"""

import ast
import dataclasses
import importlib
import inspect
import io
import re
import runpy
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import source

from bplib.lessons.claims import CLAIMS

ROOT = Path(__file__).resolve().parents[2]
PATHS = sorted((ROOT / "notebooks" / "src").glob("*.py"))
HERE = {path.stem[:2]: path for path in PATHS}
ROWS = runpy.run_path(str(ROOT / "scripts/make_glossary.py"))["rows"]()
WORDS = {row["word"]: row["first"] for row in ROWS}
COURSE = {word: first for word, first in WORDS.items() if first}

# A plural that adds s or es is known; these are the other forms. One with a capital letter is found as it is written.
FORMS = {
    "Backward": ("Backwards",),
    "confusion matrix": ("confusion matrices",),
    "diverge": ("diverged", "diverging", "divergence"),
    "factor of a step": ("factor", "factors"),
    "incoming, outgoing": ("incoming gradient", "outgoing gradient"),
    "leakage": ("leak", "leaks", "leaked"),
    "mean absolute error": ("MAE",),
    "mean squared error": ("MSE",),
    "minimum": ("minima",),
    "noise of a gradient": ("gradient noise", "noisy gradient"),
    "nudge": ("nudged", "nudging"),
    "oscillate": ("oscillating", "oscillation"),
    "overfitting": ("overfit", "overfits"),
    "overshoot": ("overshooting", "overshot"),
    "saturated unit": ("saturated", "saturates", "saturation"),
    "seed": ("seeded",),
    "split": ("splitting",),
    "test examples": ("test example", "test digits", "test pictures"),
    "training loss": ("training curve",),
    "vanishing gradient": ("vanish", "vanishes", "vanishing"),
    "validation loss": ("validation curve",),
}

# Where the first paragraph with a word explains it without bold or italics: a piece of the explanation.
EXPLAINED = {
    ("10", "batch"): "A batch is a handful of the examples",  # in a summary, where bold does not show
}

# Words in another sense, with the reason.
EVERYDAY = {
    "A loop goes through a list": "the loop of Python, before the loop of the four stages is meant",
    "example above": "a case that shows something, no row of the data",
}

# In bold without being a word of the glossary, with the reason.
NOT_TERMS = {
    "key components": "a heading for six words, each of which has its row",
    "optimization algorithm": "the long name of the optimizer, which has the row",
    "weight updates": "the plural of the key component; the row is that of the update",
    **dict.fromkeys(("Predict", "Do", "Check", "Stuck"), "what a learner does in a notebook"),
    **dict.fromkeys(("A", "B", "C", "D"), "letters of lines to put in order"),
    **dict.fromkeys(("start point", "preset"), "controls of the rate lab"),
    **dict.fromkeys(("slow", "fast", "one step", "never settles"), "answers to choose from, explained in a table"),
    "two": "stressed, not named",
}

# One concept, one word: what others call it, and how the course says it. Slides that are quoted may.
SAID_OTHERWISE = {
    "backward pass": "Backward",
    "cost function": "loss function",
    "forward pass": "Forward",
    "ground truth": "target",
    "iteration": "step, or loop",
    "neuron": "unit",
    "step size": "learning rate",
    "sweep": "epoch",
}


# -- what a learner reads ---------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Block:
    """A paragraph, a list item, a row of a table, a comment or a sentence of the lesson."""

    cell: str
    text: str
    marked: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    bold: list[str] = dataclasses.field(default_factory=list)
    introduces: bool = False

    def places(self, form: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Where a form stands, outside of code unless the form is code itself."""
        for found in form.finditer(self.text):
            if self.text.count("`", 0, found.start()) % 2 == 0:
                yield found.span()

    def marks(self, span: tuple[int, int]) -> bool:
        """Whether it stands in bold or italics."""
        return any(start <= span[0] and span[1] <= stop for start, stop in self.marked)


_INLINE = re.compile(r"(?P<code>`[^`]*`)|\*\*(?P<bold>.+?)\*\*|\*(?P<italic>[^*]+)\*|(?P<gone>\$\$?[^$]*\$\$?|<[^>]+>)|"
                     r"\[(?P<link>[^\]]*)\]\([^)]*\)", re.DOTALL)  # fmt: skip


def block(cell: str, markdown: str, introduces: bool) -> Block:
    """One block, its markup taken out."""
    made = Block(cell, "", introduces=introduces)

    def read(text: str, marked: bool) -> None:
        end = 0
        for found in _INLINE.finditer(text):
            made.text += text[end : found.start()]
            end, start = found.end(), len(made.text)
            inner = found["bold"] or found["italic"]
            if inner:
                read(inner, True)
                made.marked.append((start, len(made.text)))
                made.bold += [found["bold"]] if found["bold"] else []
            else:
                made.text += found["code"] or found["link"] or ""
        made.text += text[end:]

    read(" ".join(markdown.split()), False)
    return made


def blocks_of(cell: source.Cell) -> Iterator[Block]:
    """The blocks of a text cell; what follows the heading "Sources" are titles of other people's work."""
    text = cell.learner.partition("## Sources")[0]
    part = r"\n\s*\n|\n(?=\s*(?:[-|#]|\d+\. |<))|(?<=\|)\n"
    for piece in re.split(part, text):
        heading = piece.lstrip().startswith("#")
        yield block(cell.id, piece.strip().lstrip("#").strip(), not heading and cell.id != "title")


def comments(cell: source.Cell) -> Iterator[Block]:
    """What a code cell says to its reader: comments, and the texts that it prints."""
    for token in tokenize.generate_tokens(io.StringIO(cell.learner).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
            yield Block(cell.id, re.sub(r"\{[^}]*\}", "", token.string.lstrip("# ")))


def sentences(thing: Any) -> Iterator[str]:
    """All texts with a space in an exercise, its faults and its statements."""
    if isinstance(thing, str):
        yield from [thing] if " " in thing else []
    elif dataclasses.is_dataclass(thing):
        for one in dataclasses.fields(thing):
            yield from sentences(getattr(thing, one.name)) if one.name != "example" else ()
    elif isinstance(thing, Mapping):
        yield from sentences(tuple(thing.values()))
    elif isinstance(thing, tuple | list):
        for one in thing:
            yield from sentences(one)


def said_in(function: ast.AST) -> list[str]:
    """The texts that a function is made of, without its docstring; what is filled in is left out."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for one in found for part in one.values}
    texts = ["".join(part.value if isinstance(part, ast.Constant) else "…" for part in one.values) for one in found]
    texts += [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
    ]
    plain = (ast.get_docstring(function, clean=False) if isinstance(function, ast.FunctionDef) else "") or ""
    return [text for text in texts if " " in text and text != plain]


def lesson_of(cells: tuple[source.Cell, ...]) -> Any:
    """The module of the lesson: the one from which the notebook has `check`."""
    for cell in cells:
        for node in ast.walk(ast.parse(cell.learner)) if cell.code else ():
            if isinstance(node, ast.ImportFrom) and "check" in [alias.name for alias in node.names]:
                return importlib.import_module(str(node.module))
    return None


def said_at(cell: source.Cell, lesson: Any, functions: dict[str, ast.FunctionDef]) -> Iterator[Block]:
    """What the lesson says where this cell calls it."""
    for node in ast.walk(ast.parse(cell.learner)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id == "check":
            exercise = lesson.check.__self__.exercises[ast.literal_eval(node.args[0])]
            texts = [*sentences(exercise), *sentences(exercise.model_answer())]
        elif node.func.id == "ledger":
            rows = [claim for claim in CLAIMS if claim.notebook == ast.literal_eval(node.args[0])]
            texts = [text for claim in rows for text in (claim.statement, claim.ours, claim.scaled_down)]
        else:
            texts = said_in(functions[node.func.id]) if node.func.id in functions else []
        yield from (Block(cell.id, text) for text in texts)


def story(cells: tuple[source.Cell, ...], lesson: Any = None) -> list[Block]:
    """Everything a learner reads in a notebook, in order; last what helpers of the lesson say."""
    tree = ast.parse(inspect.getsource(lesson)) if lesson else ast.Module([], [])
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    told: list[Block] = []
    for cell in cells:
        told += blocks_of(cell) if not cell.code else [*comments(cell), *said_at(cell, lesson, functions)]
    helpers = [node for name, node in functions.items() if name.startswith("_")]
    return told + [Block("the lesson", text) for node in helpers for text in said_in(node)]


def notebook(path: Path) -> list[Block]:
    cells = source.read(path).cells
    return story(cells, lesson_of(cells))


STORIES = {number: notebook(path) for number, path in HERE.items()}


# -- the rules --------------------------------------------------------------------------------------------------------


def pattern(word: str) -> re.Pattern[str]:
    """Finds a word in its forms; where a form has capital letters, only with them."""
    forms = [word, word + "s", word + "es", *FORMS.get(word, ())]
    if word.endswith("is"):
        forms.append(word[:-2] + "es")
    written = [re.escape(form) if form != form.lower() else f"(?i:{re.escape(form)})" for form in forms]
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(written, key=len, reverse=True))})(?!\w)")


def without_everyday(text: str) -> str:
    """The text with blanks where words stand in another sense."""
    for phrase in EVERYDAY:
        text = re.sub(re.escape(phrase), lambda found: " " * len(found[0]), text, flags=re.IGNORECASE)
    return text


def uses(told: list[Block], word: str) -> Iterator[tuple[Block, tuple[int, int]]]:
    """Each place where a word of the glossary stands that is no part of a longer one."""
    longer = [pattern(other) for other in COURSE if word in other and word != other]
    for one in told:
        masked = dataclasses.replace(one, text=without_everyday(one.text))
        taken = [span for other in longer for span in masked.places(other)]
        for span in masked.places(pattern(word)):
            if not any(start <= span[0] and span[1] <= stop for start, stop in taken):
                yield one, span


def too_early(number: str, told: list[Block]) -> list[str]:
    """Words that stand in a notebook before the one that introduces them, if that one is there."""
    later = [word for word, first in COURSE.items() if first > number]
    return [f"{word} in {one.cell}: {one.text[:90]}" for word in later for one, _ in uses(told, word)]


def absent(number: str, told: list[Block]) -> list[str]:
    """Words that the glossary says come first in this notebook, and that do not stand in it."""
    return [word for word, first in COURSE.items() if first == number and not any(uses(told, word))]


def unexplained(number: str, told: list[Block]) -> list[str]:
    """Words that are not introduced where they first stand: the notebook's own, and those of notebooks to come."""
    found = []
    for word, first in COURSE.items():
        if first in HERE and first != number:
            continue
        at = next(((one, span) for one, span in uses(told, word) if one.introduces), None)
        seen = next(uses(told, word), None)
        if seen is None:
            continue
        if at is None:
            found.append(f"{word} is never introduced; in {seen[0].cell}: {seen[0].text[:90]}")
        elif not at[0].marks(at[1]) and EXPLAINED.get((number, word), "\0") not in at[0].text:
            found.append(f"{word} in {at[0].cell}: {at[0].text[:90]}")
    return found


def unlisted(told: list[Block]) -> list[str]:
    """What is in bold like a term, and has no row in the glossary."""
    known = [pattern(word) for word in WORDS]
    bold = [text.strip("`.:?") for one in told if one.introduces for text in one.bold]
    terms = [text for text in bold if text[-1] not in '"“”' and len(text.split()) <= 3]
    return [text for text in terms if text not in NOT_TERMS and not any(form.fullmatch(text) for form in known)]


def said_otherwise(told: list[Block]) -> list[str]:
    """Other people's words for what has a word here."""
    ours = [one for one in told if one.cell != "reading-the-slides"]
    forms = {other: re.compile(rf"(?i)\b{other}s?\b") for other in SAID_OTHERWISE}
    found = [(other, one) for one in ours for other in forms if any(one.places(forms[other]))]
    return [f"{other} in {one.cell}: {one.text[:90]}" for other, one in found]


EACH = pytest.mark.parametrize("number", HERE)


@EACH
def test_every_word_stands_in_the_notebook_that_the_glossary_names(number: str) -> None:
    assert absent(number, STORIES[number]) == []


@EACH
def test_no_word_stands_in_a_notebook_before_the_one_that_introduces_it(number: str) -> None:
    assert too_early(number, STORIES[number]) == []


@EACH
def test_every_word_is_introduced_where_it_first_stands(number: str) -> None:
    assert unexplained(number, STORIES[number]) == []


@EACH
def test_what_is_in_bold_is_in_the_glossary(number: str) -> None:
    assert unlisted(STORIES[number]) == []


@EACH
def test_one_concept_has_one_word(number: str) -> None:
    assert said_otherwise(STORIES[number]) == []


@pytest.mark.parametrize("row", [row for row in ROWS if row["first"]], ids=lambda row: row["word"])
def test_a_meaning_has_no_word_that_comes_later(row: dict[str, str]) -> None:
    told = [Block("", row["meaning"])]
    later = [word for word, first in WORDS.items() if (first or "later") > row["first"]]
    assert [word for word in later if any(uses(told, word))] == []


def test_every_exception_is_still_needed() -> None:
    everything = [one for told in STORIES.values() for one in told]
    text = "\n".join(one.text for one in everything).lower()
    assert [phrase for phrase in EVERYDAY if phrase.lower() not in text] == []
    assert [key for key, phrase in EXPLAINED.items() if phrase.lower() not in text] == []
    assert NOT_TERMS.keys() - {text.strip("`.:?") for one in everything for text in one.bold} == set()
    assert FORMS.keys() - WORDS.keys() == set()


# -- the rules find what they look for --------------------------------------------------------------------------------


def tell(*texts: str, code: str = "", lesson: Any = None) -> list[Block]:
    """A notebook of some text cells and, after them, one of code."""
    cells = [source.Cell(f"text-{k}", False, (), 1, text, text) for k, text in enumerate(texts)]
    return story((*cells, source.Cell("code", True, (), 1, code, code)), lesson)


@pytest.mark.parametrize(
    "early",
    [
        tell("A path with momentum."),
        tell("A path with *momentum*."),
        tell("## Momentum".lower()),
        tell("| a | momentum |\n|---|---|\n| b | c |"),
        tell(code="x = 1  # momentum"),
        tell(code='print("with momentum")'),
    ],
)
def test_a_word_that_comes_too_early_is_found(early: list[Block]) -> None:
    assert len(too_early("06", early)) == 1
    assert too_early("08", early) == []


@pytest.mark.parametrize(
    "fine", [tell("`momentum` and $momentum$"), tell("x\n## Sources\n- momentum"), tell("momentumless")]
)
def test_code_formulas_and_titles_of_sources_are_left_out(fine: list[Block]) -> None:
    assert too_early("06", fine) == []


def test_what_the_ledger_says_is_read() -> None:
    said = tell(code='ledger("06")', lesson=importlib.import_module("bplib.lessons.learning_rate"))
    assert any("the rate 1/λ is there in one step" in one.text for one in said if one.cell == "code")
    assert not any("XOR" in one.text for one in said), "that of another notebook"


def test_what_a_lesson_says_is_read() -> None:
    lesson = importlib.import_module("bplib.lessons.learning_rate")
    code = 'check("gd-step", gd_step)\npredict_fastest(lab)'
    said = tell(code=code, lesson=lesson)
    at_check = " ".join(one.text for one in said if one.cell == "code")
    assert "Your function adds the step." in at_check, "the sentence of a fault"
    assert "Which way does the gradient point" in at_check, "a hint"
    assert "Gradient descent starts at w = 1." in at_check, "the question of a prediction"
    assert any("changes sides and" in one.text for one in said if one.cell == "the lesson"), "a helper"
    assert not any("One of `BEHAVIOURS`" in one.text for one in said), "no docstring"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("The curvature is large. Later: the **curvature**.", True),
        ("The **curvature** is large. The curvature.", False),
        ("The *curvatures* differ.", False),
        ("**All of it, the curvature too, is bold.**", False),
        ("## The curvature\n\nThe curvature is large.", True),
        ("## The curvature\n\nThe **curvature** is large.", False),
        ("- **curvature**: how fast", False),
        ("- one\n- the curvature", True),
    ],
)
def test_a_word_that_is_not_introduced_is_found(text: str, missing: bool) -> None:
    found = unexplained("06", tell(text))
    assert [one.partition(" in ")[0] for one in found] == (["curvature"] if missing else [])


def test_a_word_of_a_notebook_to_come_is_introduced_wherever_it_stands() -> None:
    assert len(unexplained("10", tell("The softmax of it."))) == 1
    assert unexplained("10", tell("The **softmax** of it.")) == []
    assert unexplained("10", tell("The curvature of it.")) == [], "notebook 06 has introduced it"


def test_a_word_that_only_the_lesson_says_is_not_introduced() -> None:
    (found,) = unexplained("06", tell(code="x = 1  # the curvature"))
    assert found.startswith("curvature is never introduced")


def test_a_longer_word_does_not_count_as_a_shorter_one() -> None:
    assert [one.partition(" in ")[0] for one in unexplained("00", tell("The **loss curve** falls."))] == []


def test_a_word_in_bold_without_a_row_is_found() -> None:
    assert unlisted(tell("The **wobble** and the **losses**; **a whole sentence is no term**.")) == ["wobble"]


def test_another_word_for_the_same_is_found() -> None:
    assert len(said_otherwise(tell("Two neurons and a *Backward pass*."))) == 2


def test_a_word_that_stands_nowhere_is_found() -> None:
    assert "curvature" not in absent("06", tell("The curvature."))
    assert "curvature" in absent("06", tell("The `curvature`."))
