"""What an instructor gets: words of the course, counts, days; nothing that a learner wrote, unless they want it."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bplib.lessons.catalogue import CATALOGUE
from bplib.lessons.progress import Progress
from bplib.lessons.progress_export import export
from bplib.lessons.storage import Record
from tests.hostile import WORDS

TODAY = date(2026, 11, 21)


@pytest.fixture
def progress() -> Progress:
    store = Progress()
    store.keep_prediction(
        "10/first-loss", answer=4.6, reason="my reason", skipped=False, agrees=False, off=0.95744
    )  # fmt: skip
    store.keep_explanation("10/first-loss", "my explanation")
    for mistake in ("sign-flipped", "sign-flipped", "my own mistake"):
        store.keep_verdict("06/gd-step", "mistake", mistake)
    store.keep_hint("06/gd-step", 2)
    store.keep_solution("06/gd-step")
    store.keep_verdict("06/gd-step", "right", "")
    store.keep_verdict("06/of my own", "right", "")
    return store


def told(progress: Progress, **options: Any) -> Record:
    read: Record = json.loads(export(progress, today=TODAY, **options))
    return read


def part(export: Record, notebook: str, kind: str, name: str) -> Record:
    (found,) = [one for one in export["notebooks"] if one["notebook"] == notebook]
    (entry,) = [one for one in found[f"{kind}s"] if one[kind] == name]
    return dict(entry)


def test_it_holds_outcomes_counts_mistakes_with_codes_and_days(progress: Progress) -> None:
    exercise = part(told(progress), "06", "exercise", "gd-step")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", exercise.pop("solved"))
    assert exercise == {
        "exercise": "gd-step",
        "outcome": "done",
        "attempts": 4,
        "failed": 3,
        "mistakes": [{"mistake": "sign-flipped", "code": "M3", "times": 2}],
        "hints": 2,
        "solution": True,
        "repeated": None,
    }
    prediction = part(told(progress), "10", "prediction", "first-loss")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", prediction.pop("day"))
    assert prediction == {"prediction": "first-loss", "outcome": "differs", "off": 0.96}


def test_every_notebook_exercise_and_prediction_of_the_course_is_in_it() -> None:
    empty = told(Progress())
    assert [one["notebook"] for one in empty["notebooks"]] == [one.number for one in CATALOGUE]
    for one, contents in zip(empty["notebooks"], CATALOGUE, strict=True):
        assert [exercise["exercise"] for exercise in one["exercises"]] == list(contents.exercises)
        assert [prediction["prediction"] for prediction in one["predictions"]] == list(contents.predictions)
        assert (one["planned"], one["minutes"], one["last"]) == (contents.lesson.minutes, 0, None)


def test_neither_name_nor_words_nor_moments_are_in_it_unless_the_learner_wants_it(progress: Progress) -> None:
    plain = export(progress, today=TODAY)
    assert "my " not in plain
    assert "name" not in json.loads(plain)
    assert not re.search(r"\d\d:\d\d", plain), "a time of day"
    agreed = export(progress, today=TODAY, name="Ada", words=True)
    assert json.loads(agreed)["name"] == "Ada"
    said = part(json.loads(agreed), "10", "prediction", "first-loss")
    assert (said["reason"], said["because"]) == ("my reason", "my explanation")
    assert "my own" not in agreed, "what somebody wrote into the file in place of a name"


@pytest.mark.parametrize("word", WORDS)
def test_what_stands_in_place_of_names_stays_on_the_machine(tmp_path: Path, word: str) -> None:
    path = tmp_path / "progress.json"
    entry = {"mistakes": {word: 3}, "outcome": word, "right": word, "attempts": 1}
    file = {"version": 1, "exercises": {word: entry, "06/gd-step": entry, f"06/{word}": entry}, "time": {word: {}}}
    path.write_text(json.dumps(file), "utf-8")
    text = export(Progress(path), today=TODAY)
    assert json.dumps(word)[1:-1] not in text
    assert word not in text


def test_nothing_is_written_by_making_it(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    export(Progress(path))
    assert list(tmp_path.iterdir()) == []


def test_half_a_letter_does_not_stop_it() -> None:
    progress = Progress()
    progress.keep_prediction("10/first-loss", answer=1.0, reason="\ud83d", skipped=False)
    assert part(told(progress, words=True, name="\ud83d"), "10", "prediction", "first-loss")["reason"] == "?"


def test_every_mistake_of_the_course_comes_with_its_code() -> None:
    progress, codes = Progress(), {}
    for contents in CATALOGUE:
        for name, exercise in contents.lesson_exercises().items():
            for fault in exercise.faults:
                progress.keep_verdict(f"{contents.number}/{name}", "mistake", fault.name)
                codes[contents.number, name, fault.name] = fault.code
    found = {
        (notebook["notebook"], exercise["exercise"], mistake["mistake"]): mistake["code"]
        for notebook in told(progress)["notebooks"]
        for exercise in notebook["exercises"]
        for mistake in exercise["mistakes"]
    }
    assert found == codes
    assert len(codes) > 30
