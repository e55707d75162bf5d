"""The catalogue says what the notebooks and the lessons say."""

import importlib
import re
from pathlib import Path

import pytest

import bplib.lessons
from bplib.lessons.catalogue import CATALOGUE, Contents
from bplib.lessons.syllabus import SYLLABUS

LESSONS = Path(bplib.lessons.__path__[0])
SOURCES = LESSONS.parents[1] / "notebooks" / "src"
every_notebook = pytest.mark.parametrize("contents", CATALOGUE, ids=lambda contents: contents.number)


def headings(contents: Contents, what: str) -> list[tuple[str, str]]:
    """What each match of a pattern in the notebook names, with the last heading above it."""
    (path,) = SOURCES.glob(f"{contents.number}_*.py")
    found, heading = [], ""
    for line in path.read_text("utf-8").splitlines():
        if title := re.match(r"# #+ (.*)", line):
            heading = title[1]
        if named := re.match(what, line):
            found.append((named[1], heading))
    return found


def test_every_notebook_that_is_ready_is_in_the_catalogue_in_order() -> None:
    assert [int(one.number) for one in CATALOGUE] == [lesson.number for lesson in SYLLABUS if lesson.ready]
    assert all(re.fullmatch(r"\d\d", one.number) for one in CATALOGUE)


@every_notebook
def test_the_exercises_are_those_of_the_lesson(contents: Contents) -> None:
    assert set(contents.lesson_exercises()) == set(contents.exercises)
    check = importlib.import_module(f"bplib.lessons.{contents.module}").check
    assert check.__self__.notebook == contents.number


@every_notebook
def test_the_exercises_stand_under_these_headings_in_this_order(contents: Contents) -> None:
    assert headings(contents, r'check\("([a-z0-9-]+)"') == list(contents.exercises.items())


@every_notebook
def test_the_predictions_are_those_of_the_lesson_under_these_headings(contents: Contents) -> None:
    text = (LESSONS / f"{contents.module}.py").read_text("utf-8")
    asked = re.findall(rf'PredictionGate\(question, "{contents.number}/([a-z0-9-]+)"', text)
    assert asked == list(contents.predictions)
    cells = headings(contents, r'# %% id="[^"]+" tags=.*"(predict)"')
    assert [heading for _, heading in cells] == list(contents.predictions.values())


@every_notebook
def test_titles_and_minutes_come_from_the_syllabus(contents: Contents) -> None:
    assert contents.lesson in SYLLABUS
    assert contents.lesson.minutes > 0
