"""`update`: a new version comes with git over whatever was done to the copy, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import copies, main, repository, running, update
from commands.console import Problem

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")
NAME = "06_learning_rate.ipynb"
CHANGES = "# Changelog\n\n## Unreleased\n\n- the rate lab\n"


def ipynb(title: str, task: str = "w = ...") -> str:
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": {}, "source": [title]},
        {"cell_type": "code", "id": "gd-step", "metadata": {"tags": ["task"]}, "source": [task], "outputs": []},
    ]
    about = {"bplib": {"source_sha256": title}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


class Course:
    """Where the course is published, with a learner's clone of it."""

    def __init__(self, folder: Path) -> None:
        self.published, self.clone = folder / "published", folder / "Mein Kürs"
        self.git(folder, "init", "--quiet", "--initial-branch=main", str(self.published))
        ignored = {".gitignore": "/my/\n/.venv/\n/.venv.lock\n"}
        library = {"CHANGELOG.md": CHANGES, "bplib/optim.py": "lr = 1\n"}
        self.publish({f"notebooks/{NAME}": ipynb("Rates"), **library, **ignored})
        self.git(folder, "clone", "--quiet", str(self.published), str(self.clone))

    def git(self, folder: Path, *arguments: str) -> str:
        ran = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
        return ran.stdout.strip()

    def publish(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.published / name).parent.mkdir(exist_ok=True)
            (self.published / name).write_text(text, "utf-8")
        self.git(self.published, "add", "--all")
        self.git(self.published, "commit", "--quiet", "--message", "a version")

    def publish_next(self) -> None:
        files = {f"notebooks/{NAME}": ipynb("Learning rates"), "bplib/optim.py": "lr = 2\n"}
        loop = {"notebooks/00_the_loop.ipynb": ipynb("The loop"), "CHANGELOG.md": CHANGES + "- the first loop\n"}
        self.publish({**files, **loop})

    def is_newest(self) -> bool:
        heads = {self.git(folder, "rev-parse", "HEAD") for folder in (self.published, self.clone)}
        return len(heads) == 1

    def read(self, name: str) -> str:
        return (self.clone / name).read_text("utf-8")

    def write(self, name: str, text: str) -> None:
        (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
        (self.clone / name).write_text(text, "utf-8")

    def kept(self) -> dict[str, str]:
        folders = (self.clone / "my").glob("before-update-*")
        files = [(folder, path) for folder in folders for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for folder, path in files}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A clone that every module of the commands takes for its own project."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "someone")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "someone@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    made = Course(tmp_path)
    root = made.clone
    found = {"ROOT": root, "MY": root / "my", "NOTEBOOKS": root / "notebooks", "VENV": root / ".venv"}
    for module in [module for name, module in sys.modules.items() if name.startswith("commands.")]:
        for name, value in {**found, "JUPYTER": root / "my" / ".jupyter"}.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    assert repository.ROOT == update.ROOT == made.clone, "git must not work on the checkout of these tests"
    return made


def problem() -> str:
    with pytest.raises(Problem) as caught:
        update.update([])
    return f"{caught.value.wrong}\n{caught.value.advice}"


# -- what goes well ---------------------------------------------------------------------------------------------------


def test_a_new_version_arrives_and_says_what_is_new(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    copies.refresh_copies()
    course.write(f"my/{NAME}", ipynb("Rates", "w = 3"))
    course.write("my/progress.json", '{"version": 1}\r\n')
    before = (course.clone / "my" / "progress.json").read_bytes()
    course.publish_next()
    assert main.main(["update"]) == 0
    told = capsys.readouterr().out
    assert course.is_newest()
    assert "What is new:\n  - the first loop\nNew notebooks: 00_the_loop\nChanged notebooks: 06_learning_rate\n" in told
    assert "the rate lab" not in told
    assert "06_learning_rate: new version; one answer of yours is carried over" in told
    assert "Learning rates" in course.read(f"my/{NAME}")
    assert "w = 3" in course.read(f"my/{NAME}")
    assert (course.clone / "my" / "progress.json").read_bytes() == before


def test_a_second_update_says_that_there_is_nothing_new(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    course.publish_next()
    assert update.update([]) == 0
    capsys.readouterr()
    assert update.update([]) == 0
    assert capsys.readouterr().out == "Asking for a new version.\nYou have the newest version.\n"


def test_commits_of_ones_own_on_the_newest_version_are_no_problem(course: Course) -> None:
    course.write("bplib/optim.py", "lr = 7\n")
    course.git(course.clone, "commit", "--quiet", "--all", "--message", "mine")
    assert update.update([]) == 0
    assert course.read("bplib/optim.py") == "lr = 7\n"


def test_changed_pins_are_installed_at_once_or_at_the_next_start(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def set_up(kind: str) -> None:
        asked.append(kind)
        raise Problem("No network.", "Wait.")

    monkeypatch.setattr(update, "is_set_up", lambda kind: False)
    monkeypatch.setattr(update, "set_up", set_up)
    assert update.update([]) == 0
    assert asked == [], "there is no environment yet: nothing to bring up to date"
    (course.clone / ".venv").mkdir()
    assert update.update([]) == 0
    assert asked == ["lab"]
    assert "its packages are not yet: No network." in capsys.readouterr().out


def test_packages_do_not_change_below_a_running_server(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (course.clone / ".venv").mkdir()
    monkeypatch.setattr(update, "is_set_up", lambda kind: False)
    monkeypatch.setattr(update, "set_up", lambda kind: pytest.fail("installed below a running server"))
    monkeypatch.setattr(update, "find", lambda: running.Address(8888, "token"))
    assert update.update([]) == 0
    assert "end it, then run python course.py." in capsys.readouterr().out


# -- work in the folders of the course --------------------------------------------------------------------------------


def test_a_notebook_worked_on_in_place_goes_on_in_my(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    course.write(f"notebooks/{NAME}", ipynb("Rates", "w = 3"))
    course.publish_next()
    assert update.update([]) == 0
    told = capsys.readouterr().out
    assert course.is_newest()
    assert course.read(f"notebooks/{NAME}") == ipynb("Learning rates")
    assert course.kept() == {f"notebooks/{NAME}": ipynb("Rates", "w = 3")}
    assert f"Your work in notebooks/{NAME} goes on in my/{NAME}" in told
    assert "w = 3" in course.read(f"my/{NAME}")
    assert "Learning rates" in course.read(f"my/{NAME}")


def test_a_notebook_worked_on_in_place_does_not_replace_work_in_my(course: Course) -> None:
    copies.refresh_copies()
    course.write(f"my/{NAME}", ipynb("Rates", "w = 1"))
    course.write(f"notebooks/{NAME}", ipynb("Rates", "w = 3"))
    course.publish_next()
    assert update.update([]) == 0
    assert course.kept() == {f"notebooks/{NAME}": ipynb("Rates", "w = 3")}
    assert "w = 1" in course.read(f"my/{NAME}")


@pytest.mark.parametrize("staged", [False, True])
def test_a_changed_file_in_the_way_is_kept_and_another_stays_in_place(
    course: Course, staged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    course.publish({"bplib/Maß 1.py": "a\n", "bplib/Maß [1].py": "b\n"})
    assert update.update([]) == 0
    for name in ("bplib/Maß 1.py", "bplib/optim.py", "bplib/Maß [1].py"):
        course.write(name, "mine\n")
    if staged:
        course.git(course.clone, "add", "--all")
    course.publish({"bplib/optim.py": "lr = 2\n", "bplib/Maß [1].py": "c\n"})
    assert update.update([]) == 0
    assert course.is_newest()
    assert course.kept() == {"bplib/optim.py": "mine\n", "bplib/Maß [1].py": "mine\n"}
    assert course.read("bplib/optim.py") == "lr = 2\n"
    assert course.read("bplib/Maß [1].py") == "c\n"
    assert course.read("bplib/Maß 1.py") == "mine\n"
    assert "They stay as you left them: bplib/Maß 1.py\n" in capsys.readouterr().out


@pytest.mark.parametrize("staged", [False, True])
def test_a_file_of_ones_own_where_the_course_has_a_new_one_is_kept(course: Course, staged: bool) -> None:
    course.write("notebooks/00_the_loop.ipynb", "mine")
    if staged:
        course.git(course.clone, "add", "--all")
    course.publish_next()
    assert update.update([]) == 0
    assert course.is_newest()
    assert course.kept() == {"notebooks/00_the_loop.ipynb": "mine"}
    assert course.read("notebooks/00_the_loop.ipynb") == ipynb("The loop")


def test_a_deleted_file_of_the_course_comes_back_when_it_has_changed(course: Course) -> None:
    (course.clone / "bplib" / "optim.py").unlink()
    course.publish_next()
    assert update.update([]) == 0
    assert course.read("bplib/optim.py") == "lr = 2\n"


def test_nothing_goes_back_before_everything_is_kept(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    course.write("bplib/optim.py", "mine\n")
    course.write("CHANGELOG.md", "mine too\n")
    course.publish_next()

    def interrupted(path: Path, data: bytes) -> None:
        if path.name == "optim.py":
            raise KeyboardInterrupt
        path.write_bytes(data)

    monkeypatch.setattr(update, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update.update([])
    assert course.read("bplib/optim.py") == "mine\n"
    assert course.read("CHANGELOG.md") == "mine too\n"


# -- what cannot be done: one sentence, what to do, nothing lost ------------------------------------------------------


def test_a_copy_without_git_is_told_how_to_go_on(course: Course) -> None:
    shutil.rmtree(course.clone / ".git")
    assert main.main(["update"]) == 2
    assert "was not made with git" in problem()
    assert "newest ZIP" in problem()


def test_a_machine_without_git_is_told_how_to_go_on(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository.shutil, "which", lambda name: None)
    assert "The program git is not on this machine." in problem()


def test_a_fixed_version_is_told_how_to_follow_the_course(course: Course) -> None:
    course.git(course.clone, "checkout", "--quiet", "--detach")
    assert "stands at one fixed version" in problem()
    assert "git switch main" in problem()


def test_a_copy_of_unknown_origin_is_told_so(course: Course) -> None:
    course.git(course.clone, "branch", "--quiet", "--unset-upstream")
    assert "follows no branch of the course" in problem()
    course.git(course.clone, "remote", "remove", "origin")
    assert "does not know where the course comes from" in problem()


def test_without_an_answer_nothing_is_changed(course: Course) -> None:
    course.write("bplib/optim.py", "mine\n")
    shutil.rmtree(course.published)
    assert "could not be fetched: the network, or the place" in problem()
    assert course.read("bplib/optim.py") == "mine\n"
    assert course.kept() == {}


def test_two_ways_are_not_joined_by_themselves(course: Course) -> None:
    course.write("bplib/optim.py", "lr = 7\n")
    course.git(course.clone, "commit", "--quiet", "--all", "--message", "mine")
    course.write("CHANGELOG.md", "mine\n")
    head = course.git(course.clone, "rev-parse", "HEAD")
    course.publish_next()
    assert "different ways (commits here: 1, there: 1)" in problem()
    assert course.git(course.clone, "rev-parse", "HEAD") == head
    assert course.read("CHANGELOG.md") == "mine\n"


def test_an_unfinished_merge_is_left_alone(course: Course) -> None:
    course.write("bplib/optim.py", "lr = 7\n")
    course.git(course.clone, "commit", "--quiet", "--all", "--message", "mine")
    course.publish_next()
    course.git(course.clone, "fetch", "--quiet")
    with pytest.raises(subprocess.CalledProcessError):
        course.git(course.clone, "merge", "origin/main")
    before = course.read("bplib/optim.py")
    assert "A merge in this copy is not finished." in problem()
    assert course.read("bplib/optim.py") == before


def test_what_git_refuses_is_passed_on(course: Course) -> None:
    course.write("docs", "a file where the course now has a folder\n")
    course.publish({"docs/new.md": "new\n"})
    assert "could not be put into place; git says: " in problem()
    assert course.read("docs").startswith("a file")
