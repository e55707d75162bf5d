"""The doctor: each of its answers, and what it never prints."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commands import doctor, lock, machine, main, running, setup

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  (not a secret: what must not be printed)


@pytest.fixture
def told(project: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Ask the doctor; its answers by name, the further lines of an answer after its first."""

    def ask() -> dict[str, str]:
        capsys.readouterr()
        assert main.main(["doctor"]) == 0
        answers: dict[str, str] = {}
        name = ""
        for line in capsys.readouterr().out.splitlines():
            name = line[:16].strip() or name
            answers[name] = (answers.get(name, "") + "\n" + line[16:]).strip()
        return answers

    (project / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', "utf-8")
    return ask


def test_on_a_new_machine_every_question_has_an_answer(told: Any) -> None:
    answers = told()
    assert list(answers) == [
        *("course", "system", "Python", "folder", "disk", "port", "Chromium", "environment", "set up"),
        *("packages from", "packages", "versions", "server", "server's log", "notebooks", "progress"),
    ]
    assert "cannot be told" not in " ".join(answers.values())
    assert answers["environment"].startswith("none yet")
    assert answers["set up"] == "lab not complete, tests not complete"
    assert (answers["server's log"], answers["progress"]) == ("none yet", "none yet")
    assert answers["folder"].endswith("(writable)")
    assert answers["disk"].endswith(" GB free")


def test_the_state_of_the_environment_is_told(
    told: Any, steps: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.run("lab")
    assert told()["environment"].startswith("Python 3.11.7, does NOT start")
    monkeypatch.setattr(doctor, "venv_works", lambda: True)
    (setup.site_packages() / "numpy-1.26.0.dist-info").mkdir()
    (project / ".venv" / "large").write_bytes(b" " * 3_000_000)
    answers = told()
    assert answers["environment"] == "Python 3.11.7, starts, 3 MB"
    assert answers["set up"] == "lab complete, tests not complete"
    assert answers["packages"] == "1 differ: numpy is 1.26.0, pinned 2.0.0"
    assert answers["versions"].startswith("numpy 1.26.0, matplotlib missing")
    (project / "requirements.txt").write_text("numpy==2.1.0\n", "utf-8")
    assert told()["set up"].startswith("lab of older pins")
    shutil.rmtree(setup.site_packages() / "numpy-1.26.0.dist-info")
    (setup.site_packages() / "NumPy-2.1.0.dist-info").mkdir()
    assert told()["packages"] == "all as pinned"


def test_only_the_first_of_many_differences_are_named(told: Any, steps: Any, project: Path) -> None:
    steps.run("lab")
    (project / "requirements.txt").write_text("".join(f"package{n}==1.0\n" for n in range(9)), "utf-8")
    answer = told()["packages"]
    assert answer.startswith("9 differ: package0 is missing")
    assert answer.endswith("and 4 more")
    assert answer.count("missing") == 5


def test_a_set_up_that_goes_on_is_told(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "holder", lambda: "4711")
    assert told()["set up"].endswith("; process 4711 is setting up or starting")


def test_a_taken_port_and_a_missing_browser_are_told(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "is_free", lambda port: False)
    monkeypatch.setattr(doctor, "find_chromium", lambda: None)
    monkeypatch.setattr(doctor, "is_writable", lambda: False)
    answers = told()
    assert answers["port"] == f"{machine.DEFAULT_PORT} is taken; the next free one is used"
    assert answers["Chromium"].startswith("not found")
    assert answers["folder"].endswith("(NOT writable)")


def test_the_version_and_the_commit_of_the_course_are_told(told: Any, project: Path) -> None:
    assert told()["course"] == "version 1.2.3, no git"
    commands = [["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]]
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    person = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in [*commands, ["rev-parse", "HEAD"]]:
        variables = {**os.environ, **own, **person}
        done = subprocess.run(["git", *command], cwd=project, env=variables, capture_output=True, text=True, check=True)
    commit = done.stdout.strip()
    assert told()["course"] == f"version 1.2.3, commit {commit[:10]}"
    subprocess.run(["git", "pack-refs", "--all"], cwd=project, check=True)
    assert doctor._commit() == commit
    subprocess.run(["git", "checkout", "-q", "--detach"], cwd=project, check=True)
    assert doctor._commit() == commit
    subprocess.run(["git", "worktree", "add", "-q", "-b", "other", str(project / "tree")], cwd=project, check=True)
    (project / ".git").rename(project / "store")
    text = (project / "tree" / ".git").read_text("utf-8").replace("/.git/", "/store/")
    (project / ".git").write_text(text, "utf-8")
    assert doctor._commit() == commit


def test_where_packages_come_from_is_told(told: Any, project: Path) -> None:
    assert told()["packages from"] == "the network (there is no folder wheels)"
    (project / "wheels").mkdir()
    (project / "wheels" / "x-1-py3-none-any.whl").touch()
    assert told()["packages from"] == "the folder wheels alone (1 files)"


def test_a_running_server_is_told_with_its_port_and_without_its_token(
    told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told()["server"] == "JupyterLab does not run in this folder"
    monkeypatch.setattr(running, "find", lambda: running.Address(9123, TOKEN))
    answers = told()
    assert answers["server"] == "JupyterLab runs on port 9123"
    assert TOKEN not in str(answers)


def test_the_errors_at_the_end_of_the_servers_log_are_told(told: Any, project: Path) -> None:
    log = project / "my" / ".jupyter" / "lab.log"
    log.parent.mkdir(parents=True)
    log.write_text("[I 1] fine\n", "utf-8")
    assert told()["server's log"] == "my/.jupyter/lab.log, tells of no error"
    errors = [f"[E {n}] at {Path.home()}/x?token={TOKEN} failed" for n in range(5)]
    log.write_text("\n".join([*errors, f"[I 9] token={TOKEN}"]), "utf-8")
    first, *lines = told()["server's log"].splitlines()
    assert first == "my/.jupyter/lab.log, its last errors:"
    assert lines == [f"[E {n}] at ~/x?token=... failed" for n in (2, 3, 4)]


def test_the_copies_that_differ_are_named(told: Any, project: Path) -> None:
    (project / "my").mkdir()
    for name in ("00_a.ipynb", "06_b.ipynb", "10_c.ipynb"):
        (project / "notebooks" / name).write_text("as it is", "utf-8")
    (project / "my" / "00_a.ipynb").write_text("as it is", "utf-8")
    assert told()["notebooks"] == "3 in the course, 1 of them copied to my"
    (project / "my" / "06_b.ipynb").write_text("with an answer", "utf-8")
    assert told()["notebooks"] == "3 in the course, 2 of them copied to my; changed there: 06_b.ipynb"


def test_a_progress_file_that_cannot_be_read_is_told(told: Any, project: Path) -> None:
    (project / "my").mkdir()
    path = project / "my" / "progress.json"
    path.write_text(json.dumps({"done": 3}), "utf-8")
    assert told()["progress"] == "my/progress.json can be read (11 bytes)"
    path.write_text('{"done', "utf-8")
    assert told()["progress"] == "my/progress.json CANNOT be read: it is no JSON (6 bytes)"


def test_whatever_is_broken_the_other_answers_come(told: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*arguments: object) -> None:
        raise RuntimeError(f"in {Path.home()}/x")

    for name in ("find_chromium", "free_space", "is_free", "is_writable", "notebooks", "pins", "venv_version"):
        monkeypatch.setattr(doctor, name, break_down)
    monkeypatch.setattr(running, "find", break_down)
    (project / "pyproject.toml").write_bytes(b"\xff")
    answers = told()
    assert answers["disk"] == "cannot be told: RuntimeError: in ~/x"
    broken = [name for name, answer in answers.items() if answer.startswith("cannot be told")]
    assert broken == ["course", "folder", "disk", "port", "Chromium", "environment", "packages", "server", "notebooks"]
    assert answers["progress"] == "none yet"


def test_the_home_folder_is_not_named(told: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    monkeypatch.setenv("USERPROFILE", str(project.parent))
    assert told()["folder"] == f"~{os.sep}{project.name} (writable)"
    assert str(project.parent) not in str(told())
