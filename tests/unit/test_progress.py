"""Progress survives what happens to files: two writers, crashes, damage, folders that cannot be written."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bplib.lessons import progress as module
from bplib.lessons import storage
from bplib.lessons.progress import Progress, current_progress
from bplib.lessons.records import PAUSE, day, moment
from bplib.lessons.storage import _move


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.json"


def test_a_prediction_comes_back_in_the_next_session(path: Path) -> None:
    Progress(path).keep_prediction("06/fastest-rate", answer="0.6", reason="bigger", skipped=False)
    Progress(path).keep_explanation("06/fastest-rate", "it overshoots")
    kept = Progress(path).prediction("06/fastest-rate")
    assert kept is not None
    assert kept.pop("at")
    assert kept.pop("explained")
    assert kept == {"answer": "0.6", "reason": "bigger", "skipped": False, "because": "it overshoots"}
    assert Progress(path).prediction("10/first-loss") is None


def test_the_first_prediction_stays(path: Path) -> None:
    progress = Progress(path)
    for answer in (2.5, 2.3):
        progress.keep_prediction("10/first-loss", answer=answer, reason="", skipped=False)
    kept = progress.prediction("10/first-loss")
    assert kept is not None
    assert kept["answer"] == 2.5


def test_the_outcome_is_the_last_and_the_moment_of_success_the_first(path: Path) -> None:
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    first = progress.exercise("06/gd-step")
    assert first is not None
    progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert (kept["outcome"], kept["attempts"], kept["right"]) == ("mistake", 2, first["right"])


def test_what_is_not_attempted_leaves_no_trace(path: Path) -> None:
    Progress(path).keep_verdict("06/gd-step", "not attempted", "")
    assert not path.exists()


def test_the_file_is_versioned_and_readable(path: Path) -> None:
    Progress(path).keep_verdict("06/gd-step", "mistake", "sign-flipped")
    data = json.loads(path.read_text("utf-8"))
    assert data["version"] == 1
    assert set(data) == {"version", "predictions", "exercises", "time"}
    assert data["exercises"]["06/gd-step"]["mistakes"] == {"sign-flipped": 1}


def test_what_a_later_version_adds_beside_is_kept(path: Path) -> None:
    later = {"attempts": 1, "colour": "red"}
    path.write_text(json.dumps({"version": 1, "badges": {"06": 12}, "exercises": {"06/gd-step": later}}), "utf-8")
    Progress(path).keep_verdict("06/gd-step", "right", "")
    data = json.loads(path.read_text("utf-8"))
    assert data["badges"] == {"06": 12}
    assert (data["exercises"]["06/gd-step"]["attempts"], data["exercises"]["06/gd-step"]["colour"]) == (2, "red")


def test_two_notebooks_at_once_lose_nothing(path: Path) -> None:
    one, other = Progress(path), Progress(path)
    one.keep_verdict("06/gd-step", "right", "")
    other.keep_verdict("10/chance-loss", "right", "")
    one.keep_hint("06/largest-rate", 2)
    assert set(json.loads(path.read_text("utf-8"))["exercises"]) == {"06/gd-step", "10/chance-loss", "06/largest-rate"}
    assert other.exercise("06/largest-rate") == {"hints": 2}


def test_a_notebook_waits_while_another_one_writes(path: Path) -> None:
    lock = path.with_name("progress.json.lock")
    lock.touch()
    writer = threading.Thread(target=Progress(path).keep_verdict, args=("06/gd-step", "right", ""))
    writer.start()
    writer.join(0.1)
    assert not path.exists()
    lock.unlink()
    writer.join(2)
    assert path.exists()
    assert not lock.exists()


def _write_many(path: Path, notebook: str) -> None:
    progress = Progress(path)
    for n in range(15):
        progress.keep_verdict(f"{notebook}/{n}", "right", "")


@pytest.mark.parametrize("lockable", [True, False])
def test_threads_that_write_at_the_same_time_lose_nothing(
    path: Path, lockable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lockable:
        monkeypatch.setattr(storage, "_take", lambda lock: False)
    shared = Progress(path)
    names = [("00", shared), ("06", shared), ("10", Progress(path)), ("03", Progress(path))]

    def write(notebook: str, progress: Progress) -> None:
        for n in range(6):
            progress.keep_verdict(f"{notebook}/{n}", "right", "")

    writers = [threading.Thread(target=write, args=name) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert len(Progress(path).entries()["exercises"]) == 24
    assert [one.name for one in path.parent.iterdir()] == ["progress.json"]


_WRITE_FOR_EVER = """
import sys
from pathlib import Path
from bplib.lessons.progress import Progress
progress = Progress(Path(sys.argv[1]))
n = 0
while True:
    progress.keep_verdict(f"00/{n % 50}", "mistake", "sign-flipped")
    n += 1
"""


@pytest.mark.slow
def test_whatever_moment_a_kernel_is_killed_at_the_file_is_whole(path: Path) -> None:
    for pause in (0.0, 0.05, 0.11):
        writer = subprocess.Popen([sys.executable, "-c", _WRITE_FOR_EVER, str(path)])
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(pause)
        writer.kill()
        writer.wait()
        before = len(Progress(path).entries()["exercises"])
        assert before > 0
        progress = Progress(path)
        progress.keep_verdict("06/gd-step", "right", "")
        assert progress.notice() == ""
        assert len(Progress(path).entries()["exercises"]) >= before


@pytest.mark.slow
def test_two_processes_that_write_at_the_same_time_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(path, name)) for name in ("06", "10")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
        assert writer.exitcode == 0
    assert len(json.loads(path.read_text("utf-8"))["exercises"]) == 30
    assert [one.name for one in path.parent.iterdir()] == ["progress.json"]


def test_a_crash_while_writing_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Progress(path).keep_verdict("06/gd-step", "right", "")
    before = path.read_bytes()

    def crash(*anything: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        Progress(path).keep_verdict("06/largest-rate", "right", "")
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["progress.json"]


def test_a_lock_left_behind_by_a_crash_is_broken(path: Path) -> None:
    lock = path.with_name("progress.json.lock")
    lock.touch()
    path.with_name("progress.jsonabc.part").write_text('{"vers', "utf-8")
    long_ago = time.time() - 60
    os.utime(lock, (long_ago, long_ago))
    began = time.monotonic()
    Progress(path).keep_verdict("06/gd-step", "right", "")
    assert time.monotonic() - began < 0.5
    assert [one.name for one in path.parent.iterdir()] == ["progress.json"]


DAMAGED = {
    "half a file": b'{"version": 1, "exer',
    "no JSON": b"hello",
    "empty": b"",
    "no text": b"\xff\xfe\x00\x01\x80",
    "a list": b"[]",
    "a newer version": b'{"version": 2, "exercises": {}, "predictions": {}}',
    "a version that is no number": b'{"version": "1", "exercises": {}, "predictions": {}}',
    "no version": b"{}",
    "a damaged part": b'{"version": 1, "exercises": []}',
    "damaged times": b'{"version": 1, "time": 7}',
    "100,000 brackets": b"[" * 100_000,
    "a number of 5,000 digits": b'{"version": ' + b"1" * 5_000 + b"}",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_left_alone_and_said_once(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    notice = progress.notice()
    assert f"The file {path.parent.name}/progress.json " in notice
    assert notice.endswith("was left as it is: your progress is remembered until you close this notebook, not longer.")
    assert progress.notice() == ""
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert kept["attempts"] == 2
    assert path.read_bytes() == content


def test_what_comes_from_a_newer_course_is_said_clearly(path: Path) -> None:
    path.write_bytes(DAMAGED["a newer version"])
    progress = Progress(path)
    assert progress.exercise("06/gd-step") is None
    assert progress.notice() == (
        f"The file {path.parent.name}/progress.json comes from a newer version of the course "
        "(`python course.py update` fetches it) and was left as it is: "
        "your progress is remembered until you close this notebook, not longer."
    )
    assert path.read_bytes() == DAMAGED["a newer version"]


def test_of_a_file_with_a_damaged_part_the_rest_is_read(path: Path) -> None:
    predictions = {"06/fastest-rate": {"answer": "0.6", "reason": "", "skipped": False}}
    path.write_text(json.dumps({"version": 1, "exercises": "?", "predictions": predictions}), "utf-8")
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    kept = progress.prediction("06/fastest-rate")
    assert kept is not None
    assert kept["answer"] == "0.6"
    assert "is damaged in its part 'exercises' and was left as it is" in progress.notice()
    assert progress.exercise("06/gd-step") is not None


def test_a_file_that_breaks_while_a_notebook_is_open_takes_nothing_from_it(path: Path) -> None:
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    path.write_text('{"version": 1, "exercises": []}', "utf-8")
    assert progress.exercise("06/gd-step") is not None


def test_a_huge_file_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_LARGEST", 2_000_000)
    path.write_text(json.dumps({"version": 1, "filler": "x" * 2_000_000}), "utf-8")
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    assert "is larger than 2 MB and was left as it is" in progress.notice()
    assert path.stat().st_size > 2_000_000


def test_a_large_file_is_written_in_good_time(path: Path) -> None:
    entries = {f"06/{n}": {"attempts": 1, "outcome": "right"} for n in range(20_000)}
    path.write_text(json.dumps({"version": 1, "exercises": entries}), "utf-8")
    began = time.monotonic()
    Progress(path).keep_verdict("06/gd-step", "right", "")
    assert time.monotonic() - began < 5
    assert len(Progress(path).entries()["exercises"]) == 20_001


def test_what_no_file_can_hold_goes_in_and_comes_back(path: Path) -> None:
    half = "half an emoji: \ud83d"
    Progress(path).keep_prediction("06/fastest-rate", answer="0.6", reason=half, skipped=False)
    kept = Progress(path).prediction("06/fastest-rate")
    assert kept is not None
    assert kept["reason"] == half


def test_a_number_that_is_none_stays_in_the_file_and_stops_nothing(path: Path) -> None:
    path.write_text('{"version": 1, "exercises": {"06/gd-step": {"hints": NaN}, "06/other": {"x": Infinity}}}', "utf-8")
    progress = Progress(path)
    progress.keep_hint("06/gd-step", 1)
    assert progress.notice() == ""
    assert progress.exercise("06/gd-step") == {"hints": 1}
    assert '"x": Infinity' in path.read_text("utf-8")


@pytest.mark.parametrize("value", [[], {}, "many", True, None, -1, float("nan"), 10**400])
@pytest.mark.parametrize("field", ["attempts", "hints", "mistakes", "outcome", "right", "needed", "solution"])
def test_a_field_that_is_not_what_it_should_be_stops_no_check(path: Path, field: str, value: object) -> None:
    path.write_text(json.dumps({"version": 1, "exercises": {"06/gd-step": {field: value}}}), "utf-8")
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    progress.keep_hint("06/gd-step", 2)
    progress.keep_solution("06/gd-step")
    progress.keep_verdict("06/gd-step", "right", "")
    kept = Progress(path).exercise("06/gd-step")
    assert kept is not None
    assert (kept["attempts"], kept["hints"], kept["mistakes"]) == (2, 2, {"sign-flipped": 1})
    assert (kept["outcome"], kept["needed"], progress.notice()) == ("right", 2, "")


def test_a_damaged_entry_does_not_stop_anything(path: Path) -> None:
    path.write_text('{"version": 1, "exercises": {"06/gd-step": 7}, "predictions": {"06/fastest-rate": []}}', "utf-8")
    progress = Progress(path)
    assert progress.prediction("06/fastest-rate") is None
    assert progress.exercise("06/gd-step") is None
    progress.keep_verdict("06/gd-step", "right", "")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert (kept["attempts"], progress.notice()) == (1, "")


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_a_folder_that_cannot_be_written(path: Path, error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('{"version": 1, "exercises": {"06/gd-step": {"attempts": 4}}, "predictions": {}}', "utf-8")

    def refuse(**anything: object) -> None:
        raise error

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert kept["attempts"] == 5, "counted once, on top of what the file holds"
    assert progress.notice() == (
        f"The file {path.parent.name}/progress.json cannot be used ({error.strerror}): "
        "your progress is remembered until you close this notebook, not longer."
    )


def test_a_damaged_file_that_is_only_read_is_said_too(path: Path) -> None:
    path.write_text("{", "utf-8")
    progress = Progress(path)
    assert progress.exercise("06/gd-step") is None
    assert "is damaged in line 1 and was left as it is" in progress.notice()
    assert path.read_text("utf-8") == "{"


def test_where_no_lock_can_be_made_nobody_waits_and_the_lock_of_another_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = path.with_name("progress.json.lock")
    lock.touch()
    monkeypatch.setattr(os, "access", lambda *anything: False)
    began = time.monotonic()
    Progress(path).keep_verdict("06/gd-step", "right", "")
    assert time.monotonic() - began < 0.5
    assert lock.exists()


def test_on_windows_a_file_that_is_being_read_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, tries = os.replace, []

    def refuse_twice(source: str, target: Path) -> None:
        tries.append(source)
        if len(tries) <= 2:
            raise PermissionError(13, "The process cannot access the file")
        replace(source, target)

    part = path.with_name("part")
    part.write_text("new", "utf-8")
    with monkeypatch.context() as windows:
        windows.setattr(os, "replace", refuse_twice)
        windows.setattr(os, "name", "nt")
        _move(str(part), path)
    assert (len(tries), path.read_text("utf-8")) == (3, "new")


def test_elsewhere_a_file_that_cannot_be_replaced_is_an_error_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def refuse(*anything: object) -> None:
        tries.append(anything)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    Progress(path).keep_verdict("06/gd-step", "right", "")
    assert len(tries) == 1
    assert list(path.parent.iterdir()) == []


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "gone" / "progress.json")
    progress.keep_verdict("06/gd-step", "right", "")
    assert progress.exercise("06/gd-step") is not None
    assert "cannot be used" in progress.notice()


def test_what_is_given_out_can_be_changed_without_harm(path: Path) -> None:
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "mistake", "sign-flipped")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    kept["mistakes"].clear()
    again = progress.exercise("06/gd-step")
    assert again is not None
    assert again["mistakes"] == {"sign-flipped": 1}


# -- what came out, and minutes ----------------------------------------------------------------------------------------


class Clock:
    """A clock that a test sets, in minutes since a Friday morning."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 20, 9, tzinfo=UTC)
        monkeypatch.setattr(module, "_now", lambda: self.now)

    def forward(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def seconds(path: Path, notebook: str = "06") -> int:
    taken = Progress(path).entries()["time"].get(notebook, {}).get("seconds", 0)
    assert isinstance(taken, int)
    return taken


def test_whether_a_prediction_came_out_is_kept_with_it(path: Path) -> None:
    Progress(path).keep_prediction("10/first-loss", answer=4.6, reason="", skipped=False, agrees=False, off=1.0)
    kept = Progress(path).prediction("10/first-loss")
    assert kept is not None
    assert (kept["agrees"], kept["off"]) == (False, 1.0)


def test_a_prediction_takes_the_place_of_one_that_cannot_be_read(path: Path) -> None:
    entry = {"answer": ["0.6"], "reason": "bigger", "later": 1}
    path.write_text(json.dumps({"version": 1, "predictions": {"06/fastest-rate": entry}}), "utf-8")
    Progress(path).keep_prediction("06/fastest-rate", answer="0.25", reason="", skipped=False)
    data = json.loads(path.read_text("utf-8"))["predictions"]["06/fastest-rate"]
    assert (data["answer"], data["reason"], data["later"]) == ("0.25", "", 1)


def test_a_name_without_a_notebook_has_no_time(path: Path) -> None:
    Progress(path).keep_hint("probe", 1)
    assert Progress(path).entries()["time"] == {}


def test_what_an_older_course_did_not_keep_is_added_once(path: Path) -> None:
    progress = Progress(path)
    progress.keep_prediction("10/first-loss", answer=4.6, reason="", skipped=False)
    kept = progress.prediction("10/first-loss")
    assert kept is not None
    assert "agrees" not in kept
    progress.keep_agreement("10/first-loss", False, 1.0)
    progress.keep_agreement("10/first-loss", True, 0.0)
    kept = progress.prediction("10/first-loss")
    assert kept is not None
    assert (kept["answer"], kept["agrees"], kept["off"]) == (4.6, False, 1.0)


def test_every_event_adds_the_time_since_the_one_before(path: Path, clock: Clock) -> None:
    progress = Progress(path)
    progress.keep_prediction("06/fastest-rate", answer="0.6", reason="", skipped=False)
    for minutes, event in enumerate(
        (
            lambda: progress.keep_explanation("06/fastest-rate", "it overshoots"),
            lambda: progress.keep_verdict("06/gd-step", "mistake", "sign-flipped"),
            lambda: progress.keep_hint("06/gd-step", 1),
            lambda: progress.keep_solution("06/gd-step"),
        ),
        start=1,
    ):
        before = seconds(path)
        clock.forward(minutes)
        event()
        assert seconds(path) - before == 60 * minutes
    assert seconds(path, "00") == 0


def test_a_pause_is_no_work(path: Path, clock: Clock) -> None:
    progress = Progress(path)
    progress.keep_hint("06/gd-step", 1)
    clock.forward(PAUSE / 60)
    progress.keep_hint("06/gd-step", 1)
    assert seconds(path) == PAUSE
    clock.forward(PAUSE / 60 + 1 / 60)
    progress.keep_hint("06/gd-step", 1)
    assert seconds(path) == PAUSE
    clock.forward(2)
    progress.keep_hint("06/gd-step", 1)
    assert seconds(path) == PAUSE + 120


def test_a_clock_that_was_set_back_adds_nothing_and_counts_on_from_there(path: Path, clock: Clock) -> None:
    progress = Progress(path)
    for minutes, counted in ((0, 0), (9, 9), (-5, 9), (3, 12), (-600, 12), (1, 13)):
        clock.forward(minutes)
        progress.keep_hint("06/gd-step", 1)
        assert seconds(path) == 60 * counted


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows takes its zone from the system alone")
def test_moments_are_kept_in_one_zone_and_days_counted_in_the_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as abroad:
        abroad.setenv("TZ", "JST-9")
        time.tzset()
        try:
            for text in ("2026-11-20T20:00:00+00:00", "2026-11-20T20:00:00"):
                assert moment(text) == datetime(2026, 11, 20, 20, tzinfo=UTC)
                assert day(text) == date(2026, 11, 21)
        finally:
            abroad.undo()
            time.tzset()


def test_a_check_without_an_answer_begins_the_time_but_leaves_no_trace_by_itself(path: Path, clock: Clock) -> None:
    progress = Progress(path)
    for minutes in (0, 6, 6):
        clock.forward(minutes)
        progress.keep_verdict("06/gd-step", "not attempted", "")
    assert not path.exists()
    clock.forward(6)
    progress.keep_verdict("06/gd-step", "right", "")
    assert seconds(path) == 18 * 60


def test_two_kernels_count_their_own_notebooks(path: Path, clock: Clock) -> None:
    one, other = Progress(path), Progress(path)
    for _ in range(3):
        one.keep_hint("06/gd-step", 1)
        clock.forward(2)
        other.keep_hint("10/chance-loss", 1)
        clock.forward(2)
    assert (seconds(path, "06"), seconds(path, "10")) == (8 * 60, 8 * 60)


def test_an_older_file_keeps_everything_and_counts_from_now_on(path: Path, clock: Clock) -> None:
    old = {
        "version": 1,
        "exercises": {"06/gd-step": {"attempts": 3, "outcome": "right", "right": "2026-01-01T10:00:00+00:00"}},
        "predictions": {"06/fastest-rate": {"answer": "0.6", "reason": "bigger", "skipped": False}},
    }
    path.write_text(json.dumps(old), "utf-8")
    progress = Progress(path)
    progress.keep_hint("06/largest-rate", 1)
    clock.forward(1)
    progress.keep_hint("06/largest-rate", 2)
    data = json.loads(path.read_text("utf-8"))
    assert seconds(path) == 60
    assert {**data["exercises"], **data["predictions"]}.items() >= {**old["exercises"], **old["predictions"]}.items()


@pytest.mark.parametrize("damage", [7, [], {"seconds": "1", "last": 3}, {"seconds": -5, "last": "soon"}])
def test_a_damaged_time_begins_anew(path: Path, clock: Clock, damage: object) -> None:
    path.write_text(json.dumps({"version": 1, "time": {"06": damage}}), "utf-8")
    progress = Progress(path)
    progress.keep_hint("06/gd-step", 1)
    clock.forward(1)
    progress.keep_hint("06/gd-step", 1)
    assert (seconds(path), progress.notice()) == (60, "")


def test_the_attempts_until_it_was_right_are_counted_once(path: Path) -> None:
    progress = Progress(path)
    for outcome in ("raised", "mistake", "to compare", "right", "mistake", "right"):
        progress.keep_verdict("06/gd-step", outcome, "sign-flipped" if outcome == "mistake" else "")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert (kept["needed"], kept["attempts"]) == (3, 5), "what is to be compared is no attempt yet"


@pytest.mark.parametrize(
    ("before", "days", "repeated"),
    [("mistake", 1, True), ("not attempted", 3, True), ("right", 1, False), ("not attempted", 0, False)],
)
def test_only_an_answer_found_anew_on_a_later_day_is_a_repetition(
    path: Path, clock: Clock, before: str, days: int, repeated: bool
) -> None:
    Progress(path).keep_verdict("06/gd-step", "right", "")
    clock.forward(days * 24 * 60)
    progress = Progress(path)
    for outcome in (before, "right"):
        progress.keep_verdict("06/gd-step", outcome, "")
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert ("repeated" in kept) is repeated


# -- which file -------------------------------------------------------------------------------------------------------


def test_the_environment_names_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPLIB_PROGRESS", str(path))
    assert current_progress().path == path
    assert current_progress() is current_progress()


def test_without_it_the_file_lies_in_the_folder_of_the_learners_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BPLIB_PROGRESS")
    (tmp_path / "my" / "more").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "course.py").touch()
    for inside in ("my", "my/more"):
        monkeypatch.chdir(tmp_path / inside)
        assert current_progress().path == tmp_path / "my" / "progress.json"
    # What is built and tested from the shipped notebooks never reads or writes a learner's progress.
    monkeypatch.chdir(tmp_path / "notebooks")
    assert current_progress().path is None
    # Some other folder that happens to bear the name.
    (tmp_path / "course.py").unlink()
    monkeypatch.chdir(tmp_path / "my")
    assert current_progress().path is None


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete the folder that somebody works in")
def test_in_a_folder_that_was_deleted_progress_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BPLIB_PROGRESS")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert current_progress().path is None


def test_the_progress_says_nothing_about_the_machine(path: Path) -> None:
    progress = Progress(path)
    progress.keep_verdict("06/gd-step", "right", "")
    assert repr(progress) == "Progress(0 predictions, 1 exercises, progress.json)"
    assert repr(Progress()) == "Progress(0 predictions, 0 exercises, in memory)"


def test_on_binder_it_is_said_once_that_nothing_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPLIB_PROGRESS", str(path))
    assert current_progress().notice() == ""
    monkeypatch.setenv("BPLIB_PROGRESS", str(path.with_name("binder.json")))
    monkeypatch.setenv("BINDER_LAUNCH_HOST", "https://mybinder.org/")
    progress = current_progress()
    assert progress.notice() == (
        "You are on Binder: your work is lost when the session ends, after ten idle minutes. "
        "File › Download keeps a notebook."
    )
    assert progress.notice() == ""
