"""The learner's copies: a new version of the course reaches them, and no work of theirs is ever lost."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from commands import console, copies, files, main, merging

NAME = "06_learning_rate.ipynb"
OLD = {"title": "# Rates", "gd-step": "w = ...", "check": "check(w)"}
NEW = {"title": "# Learning rates", "gd-step": "w = ...", "why": "Why?", "check": "check(w)"}
MINE = {**OLD, "gd-step": "w = w - lr * grad"}


def ipynb(cells: dict[str, str], version: str = "", output: str = "") -> bytes:
    made = [
        {"cell_type": "code", "execution_count": 1, "id": name, "outputs": [output], "source": [text], "metadata": {}}
        for name, text in cells.items()
    ]
    for one in made:
        one["metadata"] = {"tags": ["task"] if one["id"] == "gd-step" else []}
    about = {"bplib": {"source_sha256": version or repr(cells)}}
    return json.dumps({"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}).encode()


def offer(project: Path, data: bytes, name: str = NAME) -> list[str]:
    """The course comes with this notebook, and the learner starts."""
    (project / "notebooks" / name).write_bytes(data)
    return copies.refresh_copies()


def copy_of(project: Path) -> Path:
    return project / "my" / NAME


def texts(path: Path) -> dict[str, str]:
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"]}


def beside(project: Path, word: str = "before") -> list[Path]:
    return sorted((project / "my").glob(f"06_learning_rate.{word}-*.ipynb"))


# -- the states of a copy ---------------------------------------------------------------------------------------------


def test_a_missing_copy_is_made_and_a_second_start_says_nothing(project: Path) -> None:
    assert offer(project, ipynb(OLD)) == [f"New in the folder my, where you work: {NAME}"]
    assert copy_of(project).read_bytes() == ipynb(OLD)
    assert copies.refresh_copies() == []
    assert sorted(path.name for path in (project / "my").iterdir()) == [".originals", NAME]


def test_an_unchanged_copy_becomes_the_new_version_to_the_byte(project: Path) -> None:
    offer(project, ipynb(OLD))
    assert offer(project, ipynb(NEW)) == ["06_learning_rate: new version."]
    assert copy_of(project).read_bytes() == ipynb(NEW)
    assert beside(project) == []


def test_work_in_progress_stays_while_the_course_is_the_same(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(ipynb(MINE))
    assert copies.refresh_copies() == []
    assert copy_of(project).read_bytes() == ipynb(MINE)


def test_answers_are_carried_over_and_the_old_copy_is_kept_to_the_byte(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(ipynb(MINE, output="3"))
    (told,) = offer(project, ipynb(NEW))
    (kept,) = beside(project)
    assert kept.read_bytes() == ipynb(MINE, output="3")
    assert texts(copy_of(project)) == {**NEW, "gd-step": MINE["gd-step"]}
    assert (
        told == f"06_learning_rate: new version; one answer of yours is carried over; the old copy is my/{kept.name}."
    )
    assert copies.refresh_copies() == []


def test_what_happened_to_each_cell_is_said(project: Path) -> None:
    offer(project, ipynb({**OLD, "gone": "1"}))
    mine = {"title": "# My rates", "gd-step": "w = 1", "gone": "2", "note": "I wonder"}
    copy_of(project).write_bytes(ipynb(mine))
    (told,) = offer(project, ipynb(NEW))
    assert "one answer and 3 other cells of yours are carried over" in told
    assert "The course changed this too, yours is kept (the course's is in notebooks/06_" in told
    assert "“# My rates”" in told
    assert "No longer in the course, yours is kept: “2”." in told
    assert "You had deleted this, it is back: “check(w)”." in told


def test_a_notebook_that_was_only_run_becomes_the_new_version_to_the_byte(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(ipynb(OLD, output="42"))
    (told,) = offer(project, ipynb(NEW))
    assert copy_of(project).read_bytes() == ipynb(NEW)
    assert beside(project)[0].read_bytes() == ipynb(OLD, output="42")
    assert told == f"06_learning_rate: new version; the old copy is my/{beside(project)[0].name}."


def test_other_outputs_in_the_course_are_no_new_version(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(ipynb(MINE))
    assert offer(project, ipynb(OLD, output="another machine's picture")) == []
    assert copy_of(project).read_bytes() == ipynb(MINE)
    assert len(offer(project, ipynb(NEW))) == 1
    assert texts(copy_of(project))["gd-step"] == MINE["gd-step"]


def test_a_notebook_open_in_jupyterlab_has_to_be_opened_again(project: Path) -> None:
    offer(project, ipynb(OLD))
    (project / "my" / ".jupyter" / "runtime").mkdir(parents=True)
    assert len(offer(project, ipynb(NEW))) == 1
    (project / "my" / ".jupyter" / "runtime" / "jpserver-123.json").touch()
    assert offer(project, ipynb(OLD))[1:] == ["If one of these is open in JupyterLab, close its tab and open it again."]
    assert copies.refresh_copies() == []


def test_a_notebook_that_left_the_course_stays_and_is_named_once(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(ipynb(MINE))
    (project / "notebooks" / NAME).rename(project / "notebooks" / "06_rates.ipynb")
    told = copies.refresh_copies()
    assert told[1] == (
        "06_learning_rate: no longer in the course. Its number now belongs to 06_rates. "
        f"Your copy my/{NAME} stays as it is."
    )
    assert copies.refresh_copies() == []
    assert copy_of(project).read_bytes() == ipynb(MINE)


# -- copies that cannot be merged -------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [b'{"cells": [', b"", b"[]", ipynb(MINE).replace(b'"check"', b'"title"')])
def test_a_copy_that_cannot_be_read_is_left_alone_and_the_new_version_lies_beside(project: Path, broken: bytes) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(broken)
    (told,) = offer(project, ipynb(NEW))
    (fresh,) = beside(project, "new")
    assert copy_of(project).read_bytes() == broken
    assert fresh.read_bytes() == ipynb(NEW)
    assert f"the new version is my/{fresh.name}" in told
    assert "python course.py reset 06_learning_rate" in told
    assert copies.refresh_copies() == []


def test_a_copy_that_was_mended_takes_the_new_version_after_all(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(b"{")
    offer(project, ipynb(NEW))
    copy_of(project).write_bytes(ipynb(MINE))
    assert "one answer of yours is carried over" in copies.refresh_copies()[0]


def test_an_older_copy_of_the_same_version_is_recognised(project: Path) -> None:
    (project / "my").mkdir()
    copy_of(project).write_bytes(ipynb(MINE, version="one"))
    assert offer(project, ipynb(OLD, version="one")) == []
    assert copy_of(project).read_bytes() == ipynb(MINE, version="one")
    assert "one answer of yours is carried over" in offer(project, ipynb(NEW))[0]


def test_an_older_copy_of_an_unknown_version_stays_and_is_named_once_for_each_version(project: Path) -> None:
    (project / "my").mkdir()
    copy_of(project).write_bytes(ipynb(MINE, version="one"))
    (told,) = offer(project, ipynb(OLD, version="two"))
    assert "too old to tell which of its cells are your own" in told
    assert copies.refresh_copies() == []
    assert len(offer(project, ipynb(NEW, version="three"))) == 1
    assert copy_of(project).read_bytes() == ipynb(MINE, version="one")
    assert sorted(path.read_bytes() for path in beside(project, "new")) == sorted(
        [ipynb(OLD, version="two"), ipynb(NEW, version="three")]
    )
    assert main.main(["reset", "06"]) == 0
    assert offer(project, ipynb(OLD)) == ["06_learning_rate: new version."]


# -- interruptions ----------------------------------------------------------------------------------------------------


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("moment", range(6))
@pytest.mark.parametrize("held", [ipynb(OLD), ipynb(OLD, output="run"), ipynb(MINE), b"{"])
def test_interrupted_at_any_write_nothing_is_lost_and_the_next_start_completes(
    project: Path, monkeypatch: pytest.MonkeyPatch, held: bytes, moment: int
) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(held)
    count = 0

    def write(path: Path, data: bytes) -> None:
        nonlocal count
        if count == moment:
            path.with_name(path.name + ".part").write_bytes(data[: len(data) // 2])
            raise Interrupted
        count += 1
        files.write(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(copies, "write", write)
        try:
            offer(project, ipynb(NEW))
        except Interrupted:
            there = [path.read_bytes() for path in (project / "my").glob("*.ipynb")]
            assert held in there or held == ipynb(OLD)
    copies.refresh_copies()
    broken = held == b"{"
    own = {"gd-step": MINE["gd-step"]} if held == ipynb(MINE) else {}
    assert copy_of(project).read_bytes() == held if broken else texts(copy_of(project)) == {**NEW, **own}
    assert [path.read_bytes() for path in beside(project)] == ([] if broken or held == ipynb(OLD) else [held])
    assert copies.refresh_copies() == []


def test_a_full_disk_leaves_the_old_file_and_no_rest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project / "notebooks" / NAME
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


# -- reset ------------------------------------------------------------------------------------------------------------


def test_the_first_notebook_is_opened(project: Path) -> None:
    with pytest.raises(console.Problem, match="There is no notebook"):
        copies.first_notebook()
    (project / "notebooks" / NAME).touch()
    assert copies.first_notebook() == NAME
    (project / "notebooks" / "00_the_loop.ipynb").touch()
    assert copies.first_notebook() == "00_the_loop.ipynb"


@pytest.mark.parametrize("number", ["06", "6", "06_learning_rate", NAME])
def test_reset_keeps_the_old_copy_beside_the_new(project: Path, number: str) -> None:
    offer(project, ipynb(OLD))
    for work in (b"first", b"second"):
        copy_of(project).write_bytes(work)
        assert main.main(["reset", number]) == 0
        assert copy_of(project).read_bytes() == ipynb(OLD)
    kept = beside(project)
    assert sorted(path.read_bytes() for path in kept) == [b"first", b"second"]
    assert all(re.fullmatch(r"06_learning_rate\.before-\d{4}-\d\d-\d\d-\d{4}(-2)?\.ipynb", path.name) for path in kept)


def test_reset_of_an_unchanged_copy_keeps_nothing(project: Path) -> None:
    offer(project, ipynb(OLD))
    (project / "notebooks" / NAME).write_bytes(ipynb(NEW))
    assert main.main(["reset", "06"]) == 0
    assert copy_of(project).read_bytes() == ipynb(NEW)
    assert beside(project) == []


def test_reset_of_an_unknown_notebook_names_those_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "notebooks" / NAME).touch()
    assert main.main(["reset", "07"]) == 2
    assert capsys.readouterr().err == "There is no notebook 07.\nThe notebooks are: 06_learning_rate.\n"


# -- work done outside of my ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [None, ipynb(OLD)])
def test_work_done_in_the_courses_folder_goes_on_in_my(project: Path, held: bytes | None) -> None:
    if held is not None:
        offer(project, held)
    assert copies.adopt(NAME, ipynb(MINE), ipynb(OLD))
    assert "one answer of yours is carried over" in offer(project, ipynb(NEW))[0]
    assert texts(copy_of(project))["gd-step"] == MINE["gd-step"]


def test_work_in_my_is_not_replaced_by_work_done_elsewhere(project: Path) -> None:
    offer(project, ipynb(OLD))
    copy_of(project).write_bytes(ipynb(MINE))
    assert not copies.adopt(NAME, ipynb({**OLD, "gd-step": "w = 7"}), ipynb(OLD))
    assert copy_of(project).read_bytes() == ipynb(MINE)


def test_the_real_notebooks_can_be_merged() -> None:
    found: list[dict[str, Any]] = [merging.read(path.read_bytes()) for path in copies.notebooks()]
    assert len(found) >= 2
    for notebook in found:
        assert merging.version(notebook)
        assert merging.write(notebook) == merging.write(merging.merge(notebook, notebook, notebook).notebook)
