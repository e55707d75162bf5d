"""The frame that all notebooks share: what a learner finds in each of them, and in which order."""

import re
from pathlib import Path

import pytest
import source

SOURCES = sorted((Path(__file__).resolve().parents[2] / "notebooks" / "src").glob("*.py"))
every_notebook = pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])


def cells(path: Path) -> dict[str, str]:
    """The text of each cell by its id, in the notebook's order."""
    return {cell.id: cell.solution for cell in source.read(path).cells}


def place(found: dict[str, str], name: str) -> int:
    assert name in found, f"no cell {name!r}"
    return list(found).index(name)


@every_notebook
def test_the_title_says_how_long_it_takes_and_what_for(path: Path) -> None:
    title = next(iter(cells(path).values()))
    assert re.match(rf"# {path.stem[:2]} · .+\n", title)
    assert re.search(r"^\d+ minutes: .*\d+ to read.*\d+ to do", title, re.MULTILINE)
    total, *parts = map(int, re.findall(r"\d+(?= minutes| to )", title.replace("\n", " ")))
    assert total == sum(parts), "the parts do not add up"
    assert len(re.findall(r"^\d\. ", title, re.MULTILINE)) in (3, 4), "three or four objectives"


@every_notebook
def test_three_questions_look_back_before_anything_else(path: Path) -> None:
    if path.stem.startswith("00"):
        pytest.skip("there is nothing to look back at; a warm-up stands there")
    found = cells(path)
    assert place(found, "three-questions") == 1
    asked = r"<details><summary>(\d)\. [^<]+\?</summary>\n\n[^<]+\n</details>"
    questions = re.findall(asked, found["three-questions"])
    assert questions == ["1", "2", "3"]


@every_notebook
def test_you_predict_before_you_see(path: Path) -> None:
    parsed = source.read(path)
    assert any("predict" in cell.tags for cell in parsed.cells)


@every_notebook
def test_three_to_eight_exercises_are_checked_and_one_asks_for_your_own_words(path: Path) -> None:
    parsed = source.read(path)
    assert 3 <= sum("check" in cell.tags for cell in parsed.cells) <= 8
    words = [cell for cell in parsed.cells if "task" in cell.tags and re.search(r'= \(\n    "', cell.solution)]
    assert len(words) == 1


@every_notebook
def test_a_misconception_is_answered_and_a_recall_box_closes(path: Path) -> None:
    found = cells(path)
    assert re.search(r'\*\*".+"\*\*.+\*Try it:\*.+\*Why it fails:\*', found["you-may-think"], re.DOTALL)
    assert place(found, "recall") > place(found, "you-may-think")
    recall = found["recall"]
    assert recall.startswith("## Without looking\n")
    assert "<details><summary>Compare</summary>" in recall
    last = list(found.values())[-1]
    assert "## If you have ten more minutes" in recall + last
    assert re.search(r"^## Sources\n(.|\n)*(doi|arXiv)", last, re.MULTILINE)
