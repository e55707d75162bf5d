"""Whatever somebody wrote into the progress file: the page and the export come, and what can be read is in them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bplib.lessons.progress import Progress
from bplib.lessons.progress_export import export
from bplib.lessons.progress_page import progress_page
from bplib.lessons.storage import SECTIONS
from bplib.lessons.survey import NotebookState, survey
from tests.hostile import WORDS

MOMENT = "2026-11-20T12:00:00+00:00"
SOUND: dict[str, Any] = {
    "version": 1,
    "exercises": {
        "00/one-update": {
            "attempts": 4, "needed": 3, "outcome": "right", "mistakes": {"no-minus": 2}, "hints": 1,
            "first": MOMENT, "last": MOMENT, "right": MOMENT, "repeated": MOMENT, "solution": MOMENT,
        },
        "06/gd-step": {"attempts": 2, "outcome": "mistake", "mistakes": {"sign-flipped": 2}, "last": MOMENT},
        "10/chance-loss": {"hints": 2, "solution": MOMENT},
    },
    "predictions": {
        "00/backward-only": {
            "answer": "it falls", "reason": "so", "skipped": False, "because": "no", "agrees": False, "at": MOMENT,
            "explained": MOMENT,
        },
        "10/first-loss": {"answer": 4.6, "reason": "", "skipped": False, "agrees": False, "off": 1.0, "at": MOMENT},
    },
    "time": {"00": {"seconds": 754, "last": MOMENT}, "06": {"seconds": 61, "last": MOMENT}},
}  # fmt: skip


def paths(tree: object, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = tree.items() if isinstance(tree, dict) else ()
    return [above] * bool(above) + [one for name, value in below for one in paths(value, (*above, name))]


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**18), 2**63])
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, MOMENT, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\ud83d"])
)
HOSTILE = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
DAMAGE = st.lists(st.tuples(st.sampled_from(paths(SOUND)), HOSTILE), min_size=1, max_size=4)


def damaged(damage: list[tuple[tuple[str, ...], object]]) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(json.dumps(SOUND))
    for path, value in damage:
        place: Any = tree
        for name in path[:-1]:
            place = place.get(name) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[path[-1]] = value
    return tree


def states(notebooks: tuple[NotebookState, ...]) -> dict[tuple[str, ...], object]:
    """What is said of each entry, under its place in the file."""
    told: dict[tuple[str, ...], object] = {}
    for notebook in notebooks:
        number = notebook.contents.number
        told["time", number] = (notebook.seconds, notebook.last)
        told.update({("exercises", f"{number}/{one.name}"): one for one in notebook.exercises})
        told.update({("predictions", f"{number}/{one.name}"): one for one in notebook.predictions})
    return told


def refuse(constant: str) -> object:
    raise AssertionError(f"the export holds {constant}, which is no JSON")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)  # a thousand files in a row need not reach the disk
        yield tmp_path_factory.mktemp("damaged")


@settings(max_examples=100, deadline=None)
@given(damage=DAMAGE)
def test_whatever_stands_in_the_file_page_and_export_come_and_nothing_readable_is_lost(
    folder: Path, damage: list[tuple[tuple[str, ...], object]]
) -> None:
    path, tree = folder / "progress.json", damaged(damage)
    path.write_text(json.dumps(tree), "utf-8")
    newer = type(tree["version"]) in (int, float) and tree["version"] > 1
    page = progress_page(Progress(path))
    words = page.text() + page._repr_html_()
    assert not any(hostile in words for hostile in WORDS if "<" in hostile)
    assert json.loads(export(Progress(path), words=True).encode(), parse_constant=refuse)["notebooks"]
    touched = {place[: 1 if len(place) == 1 else 2] for place, _ in damage}
    sound, read = states(survey({one: SOUND[one] for one in SECTIONS})), states(page.notebooks)
    for place, state in sound.items():
        if not newer and place not in touched and place[:1] not in touched:
            assert read[place] == state, place
    _go_on(path, tree)


def _go_on(path: Path, tree: dict[str, Any]) -> None:
    """Everything that a learner can do is stored; where the file is left alone, in memory."""
    before, progress = path.read_bytes(), Progress(path)
    progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    progress.keep_hint("06/gd-step", 3)
    progress.keep_solution("06/gd-step")
    progress.keep_prediction("00/backward-only", answer="it stays", reason="", skipped=False, agrees=True)
    progress.keep_explanation("00/backward-only", "\ud83d")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert (kept["outcome"], kept["hints"] >= 3) == ("mistake", True)
    assert progress.prediction("00/backward-only") is not None
    if progress.path is None:
        assert progress.notice()
        assert path.read_bytes() == before
        return
    now = json.loads(path.read_text("utf-8"))
    mine = {"exercises": "06/gd-step", "predictions": "00/backward-only"}
    for section, entries in tree.items():
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if mine.get(section) != name and (section, name) not in {("time", "00"), ("time", "06")}:
                assert json.dumps(now[section][name], sort_keys=True) == json.dumps(entry, sort_keys=True)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60) | HOSTILE.map(lambda tree: json.dumps(tree).encode()))
def test_whatever_the_file_is_page_and_export_come(folder: Path, content: bytes) -> None:
    path = folder / "anything.json"
    path.write_bytes(content)
    assert progress_page(Progress(path)).text()
    assert json.loads(export(Progress(path)))["notebooks"]
    assert path.read_bytes() == content


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, len(json.dumps(SOUND))))
def test_half_a_file_is_said_and_left_alone(folder: Path, cut: int) -> None:
    path, text = folder / "half.json", json.dumps(SOUND)
    path.write_text(text[:cut], "utf-8")
    said = progress_page(Progress(path)).text()
    assert ("was left as it is" in said) is (cut < len(text))
    assert path.read_text("utf-8") == text[:cut]


def test_the_sound_file_is_read_in_every_field() -> None:
    read = states(survey({one: SOUND[one] for one in SECTIONS}))
    exercise = read["exercises", "00/one-update"]
    assert (exercise.state, exercise.attempts, exercise.failed) == ("done", 4, 2)  # type: ignore[attr-defined]
    assert read["time", "00"][0] == 754  # type: ignore[index]
