"""The glossary: its two tables are whole, what they name in the code exists, and the library has the same rows."""

import json
import re
import runpy
from functools import reduce
from pathlib import Path

import pytest

import bplib
from bplib import lessons, losses, nn, numeric, optim
from bplib.lessons.glossary import Entry, NoEntry, glossary
from bplib.lessons.syllabus import SYLLABUS

ROOT = Path(__file__).parents[2]
MAKER = runpy.run_path(str(ROOT / "scripts/make_glossary.py"))
ROWS = MAKER["rows"]()
COURSE, LIBRARY = [row for row in ROWS if row["first"]], [row for row in ROWS if not row["first"]]
PAGE = (ROOT / "GLOSSARY.md").read_text("utf-8")
TEXTS = [*sorted((ROOT / "bplib").rglob("*.py")), *sorted((ROOT / "notebooks" / "src").glob("*.py"))]
SOURCES = "\n".join(path.read_text("utf-8") for path in TEXTS)
IDENTIFIERS = set(re.findall(r"\w+", SOURCES))
NAMES = (
    [("losses", name) for name in losses.__all__]
    + [("nn", name) for name in nn.__all__ if name not in ("Module", "Parameter")]
    + [("optim", name) for name in optim.__all__ if isinstance(getattr(optim, name), type)]
)
# What the words stand for and nobody needs to look up.
BASES = {"Optimizer", "Schedule"}


@pytest.mark.parametrize("table", [COURSE, LIBRARY], ids=["course", "library"])
def test_words_stand_in_order_and_each_row_is_whole(table):
    words = [row["word"].lower() for row in table]
    assert words == sorted(words)
    for row in table:
        assert row["word"], row
        assert re.fullmatch(r'["A-Z0l].*[.]', row["meaning"]), row


def test_no_word_stands_twice_and_the_course_has_no_more_than_it_needs():
    words = [row["word"].lower() for row in ROWS]
    assert len(words) == len(set(words))
    assert 60 <= len(COURSE) <= 80
    assert {row["first"] for row in COURSE} <= {f"{lesson.number:02d}" for lesson in SYLLABUS}


def test_every_line_of_the_page_has_the_columns_of_its_table():
    course, library = PAGE.partition("## Words of the library only")[::2]
    for part, columns in ((course, 7), (library, 6)):
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert lines
        assert {line.count("|") - 1 for line in lines} == {columns}
        assert not any("| |" in line or "|  |" in line for line in lines), "a dash says that there is nothing to say"


def test_the_head_of_the_page_names_the_notebooks_that_are_there():
    ready = [f"{lesson.number:02d}" for lesson in SYLLABUS if lesson.ready]
    assert f"Notebooks {', '.join(ready[:-1])} and {ready[-1]} are there so far" in " ".join(PAGE.split())


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[".".join(pair) for pair in NAMES])
def test_every_public_loss_layer_and_method_has_a_word(module, name):
    if name not in BASES:
        codes = [row["code"] for row in ROWS]
        assert any(f"`{module}.{name}`" in code or f"`{module}.{name}(" in code for code in codes)


CODES = [(row["word"], code) for row in ROWS for code in re.findall("`([^`]+)`", row["code"])]


@pytest.mark.parametrize(("word", "code"), CODES, ids=[f"{word}: {code}" for word, code in CODES])
def test_what_the_glossary_names_in_the_code_exists(word, code):
    whole = re.fullmatch(r"(losses|nn|optim|numeric|training|landscape|lessons)\.([\w.]+).*", code)
    if whole and whole[1] != "lessons":
        reduce(getattr, whole[2].split("."), getattr(bplib, whole[1], numeric))
        return
    names = re.findall(r"[A-Za-z_]\w+", re.sub(r'"[^"]*"', "", code))
    assert set(names) - IDENTIFIERS == set()


@pytest.mark.parametrize("text", re.findall(r'`\w+\(?[^`]*"(\w+)"', " ".join(row["code"] for row in ROWS)))
def test_a_text_in_the_code_is_one_that_the_code_knows(text):
    assert re.search(rf'"{text}"', SOURCES)


# -- looking a word up ------------------------------------------------------------------------------------------------


def test_the_library_has_the_rows_of_the_page():
    assert MAKER["DATA"].read_text("utf-8") == MAKER["data"](), "run: python scripts/make_glossary.py"
    assert json.loads(MAKER["data"]()) == ROWS


@pytest.mark.parametrize("row", ROWS, ids=[row["word"] for row in ROWS])
def test_every_word_is_found_and_shows_its_row(row):
    found = glossary(row["word"])
    assert isinstance(found, Entry)
    shown = repr(found)
    assert all(cell in shown for column, cell in row.items() if column != "first")
    assert (f"First in notebook {row['first']}" if row["first"] else "of the library only") in shown


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ("Gradients", "gradient"),
        ("  learning   rate ", "learning rate"),
        ("batches", "batch"),
        ("η", "learning rate"),
        ("κ", "condition number"),
        ("L", "loss"),
        ("lr", "learning rate"),
        ("nn.Linear", "layer"),
        ("outgoing", "incoming, outgoing"),
        ("backward", "Backward"),
        ("MSE", "mean squared error"),
    ],
)
def test_a_word_is_found_by_its_plural_its_symbol_and_its_name_in_the_code(asked, word):
    found = glossary(asked)
    assert isinstance(found, Entry)
    assert found.word == word


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("gradeint", "gradient"),
        ("neuron", "unit"),
        ("ground truth", "target"),
        ("backward pass", "Backward"),
        ("learningrate", "learning rate"),
    ],
)
def test_an_unknown_word_is_answered_with_those_near_it(asked, near):
    found = glossary(asked)
    assert isinstance(found, NoEntry)
    assert found.near[0] == near
    assert repr(found).startswith(f"→ Not found. The glossary does not have `{asked}`. Look at ")


def test_a_word_that_nothing_is_near_to():
    assert repr(glossary("xyzzy")) == "→ Not found. The glossary does not have `xyzzy`. All words stand in GLOSSARY.md."
    assert len(repr(glossary("x" * 5000))) < 200


@pytest.mark.parametrize("asked", ["", "  ", 3, None, [], ...])
def test_what_is_no_word_is_answered_with_how_to_ask(asked):
    said = '→ Not found. Write the word between quotation marks, as in `glossary("gradient")`.'
    assert repr(glossary(asked)) == said


def test_looking_up_without_a_word_says_how_to_ask():
    assert repr(glossary()) == repr(glossary(""))


@pytest.mark.parametrize("lesson", SYLLABUS, ids=lambda lesson: f"{lesson.number:02d}")
def test_a_notebook_to_come_is_said_to_be_on_the_way(lesson):
    number = f"{lesson.number:02d}"
    word = next(row["word"] for row in COURSE if row["first"] == number)
    assert (", which is on the way." in repr(glossary(word))) is not lesson.ready


def test_hostile_words_stay_words():
    html = glossary('<img src=x onerror="alert(1)">')._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


def test_the_module_stays_small():
    assert lessons.glossary.__file__
    assert Path(lessons.glossary.__file__).read_text("utf-8").count("\n") <= 120
