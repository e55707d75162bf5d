"""Progress survives what happens to files: two writers, crashes, damage, folders that cannot be written."""

import json
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from bplib.lessons.progress import Progress, _move, current_progress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.json"


def test_a_prediction_comes_back_in_the_next_session(path: Path) -> None:
    Progress(path).keep_prediction("06/fastest-rate", answer="0.6", reason="bigger", skipped=False)
    Progress(path).keep_explanation("06/fastest-rate", "it overshoots")
    kept = Progress(path).prediction("06/fastest-rate")
    assert kept is not None
    assert kept.pop("at")
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
    assert set(data) == {"version", "predictions", "exercises"}
    assert data["exercises"]["06/gd-step"]["mistakes"] == {"sign-flipped": 1}


def test_what_a_later_version_adds_beside_is_kept(path: Path) -> None:
    path.write_text(json.dumps({"version": 1, "minutes": {"06": 12}, "exercises": {}}), "utf-8")
    Progress(path).keep_verdict("06/gd-step", "right", "")
    assert json.loads(path.read_text("utf-8"))["minutes"] == {"06": 12}


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
    long_ago = time.time() - 60
    os.utime(lock, (long_ago, long_ago))
    began = time.monotonic()
    Progress(path).keep_verdict("06/gd-step", "right", "")
    assert time.monotonic() - began < 0.5
    assert not lock.exists()


DAMAGED = {
    "half a file": b'{"version": 1, "exer',
    "no JSON": b"hello",
    "empty": b"",
    "no text": b"\xff\xfe\x00\x01\x80",
    "a list": b"[]",
    "another version": b'{"version": 2, "exercises": {}, "predictions": {}}',
    "a damaged part": b'{"version": 1, "exercises": []}',
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
