"""`course.py progress`: the page, the export, and the sum of a class."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from bplib.lessons.catalogue import CATALOGUE
from bplib.lessons.progress import Progress
from bplib.lessons.progress_export import export
from bplib.lessons.progress_page import progress_page
from commands import main, places, progress
from commands.classes import summary
from commands.console import Problem
from tests.hostile import WORDS


@pytest.fixture
def real(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A learner's file; the programs run in this very Python, with the real library."""
    monkeypatch.setattr(progress, "ROOT", Path(__file__).resolve().parents[2])
    monkeypatch.setattr(progress, "set_up", lambda kind: None)
    monkeypatch.setattr(progress, "is_set_up", lambda kind: True)
    monkeypatch.setattr(progress, "venv_python", lambda: Path(sys.executable))
    (project / "my").mkdir()
    path = project / "my" / "progress.json"
    table = {"BPLIB_PROGRESS": str(path), "MPLCONFIGDIR": matplotlib.get_configdir()}
    monkeypatch.setattr(progress, "lab_run", lambda: table)
    return path


@pytest.fixture
def mine(real: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same without a second Python."""

    def run(program: str, *given: str) -> str:
        store = Progress(real)
        return export(store, name=given[0], words=given[1] == "words") if given else progress_page(store).text()

    monkeypatch.setattr(progress, "_run", run)
    return real


def solve(path: Path) -> None:
    store = Progress(path)
    store.keep_prediction("00/backward-only", answer="it falls", reason="wörds", skipped=False, agrees=False)
    store.keep_verdict("06/gd-step", "mistake", "sign-flipped")


# -- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_is_printed(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(real)
    assert main.main(["progress"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("00 · The loop: Forward, Loss, Backward, Update\n")
    assert "✗ Tried, not solved yet: Exercise 2: write the update (`gd-step`), 1 attempt.\n" in out
    assert "\nWhat to repeat\n" in out


def test_without_anything_stored_the_empty_page_comes_and_nothing_is_made(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["progress"]) == 0
    assert capsys.readouterr().out.startswith("There is nothing here yet, and that is fine")
    assert list(mine.parent.iterdir()) == []


def test_a_course_that_was_never_started_is_not_set_up_for_an_empty_page(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "is_set_up", lambda kind: False)
    monkeypatch.setattr(progress, "set_up", lambda kind: pytest.fail("nothing has to be set up"))
    assert main.main(["progress"]) == 0
    assert "Begin: python course.py" in capsys.readouterr().out


def test_the_page_runs_with_the_learners_own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress.lab_run()["BPLIB_PROGRESS"] == str(places.MY / "progress.json")


def test_a_damaged_file_is_said_beside_the_export_and_left_alone(
    real: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    real.write_text("{", "utf-8")
    path = tmp_path / "export.json"
    assert main.main(["progress", "--export", str(path), "--name", "Zoë"]) == 0
    out, err = capfd.readouterr()
    assert "is damaged in line 1 and was left as it is" in err
    assert out.startswith(path.read_text("utf-8"))
    assert json.loads(path.read_text("utf-8"))["name"] == "Zoë"
    assert real.read_text("utf-8") == "{"


# -- the export -------------------------------------------------------------------------------------------------------


def test_the_export_is_printed_exactly_as_it_is_in_the_file(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solve(mine)
    before = mine.read_bytes()
    path = tmp_path / "for you.json"
    assert main.main(["progress", "--export", str(path)]) == 0
    out, text = capsys.readouterr().out, path.read_text("utf-8")
    assert out.startswith(text)
    assert out.removeprefix(text) == (
        f"\nThis, and no more, is now in the file {path}.\nNeither your name nor your words are in it.\n"
        "Nothing was sent anywhere. Give the file to whom you like.\n"
    )
    assert "name" not in json.loads(text)
    assert "wörds" not in text
    assert mine.read_bytes() == before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--name", " Zoë "], "It holds your name, because you asked for it."),
        (["--with-words"], "It holds the words you wrote, because you asked for it."),
        (["--name", "Zoë", "--with-words"], "It holds your name and the words you wrote, because you asked for it."),
    ],
)
def test_name_and_words_are_added_if_the_learner_asks_for_it(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    solve(mine)
    path = tmp_path / "export.json"
    assert main.main(["progress", "--export", str(path), *more]) == 0
    assert said in capsys.readouterr().out
    text = path.read_text("utf-8")
    assert (json.loads(text).get("name") == "Zoë") is ("--name" in more)
    assert ("wörds" in text) is ("--with-words" in more)


def test_without_a_name_for_the_file_it_lies_in_my_with_its_day(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(mine)
    assert main.main(["progress", "--export"]) == 0
    (path,) = [one for one in mine.parent.iterdir() if one != mine]
    assert re.fullmatch(r"progress-for-instructor-\d{4}-\d\d-\d\d\.json", path.name)
    assert str(path) in capsys.readouterr().out


def test_a_file_that_is_there_already_stays(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve(mine)
    path = tmp_path / "mine.json"
    path.write_text("dear to me", "utf-8")
    for there in (path, tmp_path, mine):
        before = there.read_bytes() if there.is_file() else b""
        assert main.main(["progress", "--export", str(there)]) == 2
        assert f"There is already something called {there}. It stays as it is.\n" in capsys.readouterr().err
        assert not there.is_file() or there.read_bytes() == before


def test_whoever_is_faster_keeps_their_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("dear to me", "utf-8")
    with pytest.raises(Problem, match="There is already something called"):
        progress._write(path, "new")
    assert path.read_text("utf-8") == "dear to me"


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "export.json"
    with pytest.raises(UnicodeEncodeError):
        progress._write(path, "half \ud83d")
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--name", "Ada"], "--name and --with-words belong to --export"),
        (["--with-words"], "--name and --with-words belong to --export"),
        (["--export", "--name", "  "], "--name needs a name, or leave it out"),
        (["--export", "--class", "x"], "--export and --class are two different things: give one of them"),
        (["--class"], "expected at least one argument"),
        (["--class", "nowhere"], "There is no file or folder nowhere."),
        (["--export", "nowhere/x.json"], "There is no folder nowhere."),
        (["notebook"], "unrecognized arguments: notebook"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    mine: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    solve(mine)
    assert main.main(["progress", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_there_may_be_nothing_to_export(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["progress", "--export"]) == 2
    assert "There is nothing to export yet: no prediction, no check." in capsys.readouterr().err
    assert list(mine.parent.iterdir()) == []


def test_a_library_that_does_not_start_is_a_sentence(
    real: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    solve(real)
    monkeypatch.setattr(progress, "_PAGE", "raise SystemExit('it is broken')")
    assert main.main(["progress"]) == 2
    err = capfd.readouterr().err
    assert "it is broken" in err
    assert "The progress could not be shown: see above.\npython course.py doctor says more." in err


# -- a class ----------------------------------------------------------------------------------------------------------


def learner(minutes: int, *mistakes: str, agrees: bool = True) -> Progress:
    store = Progress()
    store.keep_prediction("06/fastest-rate", answer="x", reason="", skipped=False, agrees=agrees)
    for mistake in mistakes:
        store.keep_verdict("06/gd-step", "mistake", mistake)
    store.keep_verdict("06/gd-step", "right", "")
    store._data["time"]["06"]["seconds"] = 60 * minutes
    return store


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """The exports of a class of four."""
    folder = tmp_path / "class"
    folder.mkdir()
    learners = {
        "a": export(learner(20, "sign-flipped", "sign-flipped", "rate-forgotten")),
        "b": export(learner(50, "sign-flipped", agrees=False), name="Zoë"),
        "c": export(learner(31, agrees=False)),
        "d": export(Progress()),
    }
    for name, text in learners.items():
        (folder / f"{name}.json").write_text(text, "utf-8")
    return folder


def spoil(room: Path, name: str, change: Any) -> None:
    told = json.loads((room / "a.json").read_text("utf-8"))
    change(told)
    (room / name).write_text(json.dumps(told), "utf-8")


def test_a_class_is_summed_up(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["progress", "--class", str(room)]) == 0
    out = capsys.readouterr().out
    minutes = CATALOGUE[1].lesson.minutes
    assert out.startswith("4 learners: Zoë, and 3 without a name.\n")
    assert f"\n06 · {CATALOGUE[1].lesson.title}\nbegun by 3 of 4; minutes: 31 in the median, {minutes} planned\n" in out
    (head,) = [line for line in out.splitlines() if line.startswith("  exercise")][-1:]
    (row,) = [line for line in out.splitlines() if line.startswith("  gd-step ")]
    assert head.split() == ["exercise", "done", "tried", "not", "tried", "attempts", "hints", "solution"]
    assert row.split() == ["gd-step", "3", "0", "0", "2", "0", "0"]
    assert "      mistakes: sign-flipped (M3) by 2, rate-forgotten by 1\n" in out
    assert "  prediction fastest-rate: 1 as predicted, 2 differently\n" in out
    assert "\n00 · The loop: Forward, Loss, Backward, Update\nbegun by 0 of 4\n" in out
    assert "Left out" not in out


def test_files_can_be_named_one_by_one_and_none_counts_twice(room: Path) -> None:
    text = summary([room / "a.json", room / "b.json", room / "a.json", room])
    assert text.startswith("4 learners: ")
    assert summary([room / "b.json"]).startswith("1 learner: Zoë.")
    assert summary([room / "c.json"]).startswith("1 learner, without a name.")
    assert summary([room / "a.json", room / "c.json"]).startswith("2 learners, all without a name.")


def test_a_copy_is_left_out_but_those_who_have_not_begun_are_alike(room: Path) -> None:
    for name in "ad":
        (room / f"{name} (1).json").write_bytes((room / f"{name}.json").read_bytes())
    text = summary([room])
    assert text.startswith("5 learners: ")
    assert re.search(r"Left out:\n  a(\.json| \(1\)\.json) is the same as a( \(1\))?\.json\.\n\n", text)


FOREIGN = {
    "half a file": (b'{"format": "progress', "is no JSON, or only a part of it"),
    "empty": (b"", "is no JSON, or only a part of it"),
    "no text": (b"\xff\xfe\x00", "is no JSON, or only a part of it"),
    "brackets": (b"[" * 100_000, "is no JSON, or only a part of it"),
    "something else": (b'{"cells": []}', "is no export of this course"),
    "a list": (b"[1]", "is no export of this course"),
    "the progress itself": (
        b'{"version": 1, "exercises": {}, "predictions": {}}',
        "is a learner's progress itself and not an export of it",
    ),
    "newer": (
        b'{"format": "progress of the backpropagation course", "version": 2}',
        "was exported by another version of the course",
    ),
    "too large": (b" " * 1_000_001, "is larger than 1 MB"),
}


@pytest.mark.parametrize(("content", "why"), FOREIGN.values(), ids=FOREIGN)
def test_what_is_no_export_is_named_and_left_out(room: Path, content: bytes, why: str) -> None:
    (room / "x.json").write_bytes(content)
    text = summary([room])
    assert text.startswith("4 learners: Zoë, and 3 without a name.\n\nLeft out:\n  x.json ")
    assert f"\n  x.json {why}.\n" in text


HOSTILE = [None, 7, -1, 1.5, True, "?", [], {}, [[]], "\x1b[31m", "<b>"]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_an_export_with_a_part_that_is_not_what_it_should_be_is_left_out_or_harmless(room: Path, value: object) -> None:
    def spoilt(*place: str | int) -> Any:
        def change(told: Any) -> None:
            for name in place[:-1]:
                told = told[name]
            told[place[-1]] = value

        return change

    exercise = ("notebooks", 1, "exercises", 1)
    places = [("name",), ("notebooks",), ("notebooks", 1), ("version",), ("format",)]
    parts = ("notebook", "title", "minutes", "planned", "exercises", "predictions")
    places += [("notebooks", 1, part) for part in parts]
    places += [(*exercise, part) for part in ("exercise", "outcome", "attempts", "hints", "solution", "mistakes")]
    places += [(*exercise, "mistakes", 0, part) for part in ("mistake", "code")]
    places += [("notebooks", 1, "predictions", 0, part) for part in ("prediction", "outcome")]
    for place in places:
        spoil(room, "x.json", spoilt(*place))
        text = summary([room])
        assert re.match(r"[45] learners: ", text), place
        assert "\x1b" not in text, place


def test_a_truth_is_no_count(room: Path) -> None:
    spoil(room, "x.json", lambda told: told["notebooks"][0].update(minutes=True))
    assert "\n  x.json is damaged: a part is missing or is not what it should be.\n" in summary([room])


@pytest.mark.parametrize("word", WORDS)
def test_a_name_in_an_export_is_one_plain_line(room: Path, word: str) -> None:
    spoil(room, "x.json", lambda told: told.update(name=word + "\n\x07"))
    first, *_ = summary([room]).splitlines()
    assert all(letter.isprintable() for letter in first)
    assert first.startswith("5 learners: ") or not word.strip()


def test_without_any_export_there_is_nothing_to_sum_up(room: Path) -> None:
    for path in room.iterdir():
        path.write_text("{", "utf-8")
    with pytest.raises(Problem) as problem:
        summary([room])
    assert problem.value.wrong.startswith("There is no export among these.\n  a.json is no JSON")
    assert problem.value.advice == "A learner makes one with: python course.py progress --export"


def test_a_file_that_cannot_be_read_is_named(room: Path) -> None:
    (room / "folder.json").mkdir()
    assert re.search(r"\n  folder\.json cannot be read \(.+\)\.\n", summary([room]))
