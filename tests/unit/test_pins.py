"""`pins`: a new resolution is shown, written and tried out; one that fails changes nothing."""

import os
import re
import stat
import sys
from pathlib import Path

import pytest

from commands import main, pins
from commands.console import Problem

HEADER = "# Exact versions. Do not edit by hand.\n#   uv pip compile …\n"
COURSE = "numpy==2.4.6\npexpect==4.9.0 ; sys_platform != 'win32'\nold-one==1.0\n"
NEW_COURSE = "new-one==3.0\nnumpy==2.5.0\npexpect==4.9.0 ; sys_platform != 'win32'\n"
NEW_TOOLS = NEW_COURSE.replace("new-one==3.0\n", "new-one==3.0\nruff==0.18.0\n")
FILES = ("requirements.txt", "binder/requirements.txt", "requirements-dev.txt")


@pytest.fixture
def project(project: Path) -> Path:
    """A project with old pins."""
    (project / "binder").mkdir()
    for name in FILES:
        (project / name).write_text(HEADER + ("ruff==0.17.6\n" if "dev" in name else COURSE), "utf-8")
    return project


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were asked for; they do nothing."""
    steps: list[str] = []
    monkeypatch.setattr(pins, "set_up", lambda kind: steps.append(f"set up {kind}"))
    monkeypatch.setattr(pins, "build", lambda arguments: steps.append("build") or 0)
    return steps


def fake_uv(project: Path, course: str = NEW_COURSE, tools: str = NEW_TOOLS, fail_at: str = "", said: str = "") -> None:
    """A Python of the environment whose uv answers this, notes what it was asked, and can fail at one group."""
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (project / "course.out").write_text(course, "utf-8")
    (project / "development.out").write_text(tools, "utf-8")
    (project / "said").write_text(said, "utf-8")
    script = f"""#!/bin/sh
    echo "$*" >> asked
    for group in course development; do
        case "$*" in *"--group $group"*)
            [ "$group" = "{fail_at}" ] && cat said >&2 && exit 2
            cat "$group.out"
        esac
    done
    """
    python.write_text(script, "utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)


def texts(project: Path) -> list[str]:
    return [(project / name).read_text("utf-8") for name in FILES]


posix = pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a shell script")


@posix
def test_new_pins_are_shown_written_installed_and_built_with(
    project: Path, done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    fake_uv(project)
    assert main.main(["pins"]) == 0
    course, binder, tools = texts(project)
    assert course == binder == HEADER + NEW_COURSE
    assert tools == HEADER + "ruff==0.18.0\n"
    assert done == ["set up tests", "set up tests", "build"]
    assert capsys.readouterr().out.splitlines()[1:7] == [
        "package  old     new",
        "new-one  -       3.0",
        "numpy    2.4.6   2.5.0",
        "old-one  1.0     -",
        "ruff     0.17.6  0.18.0",
        "2 changed, 1 added, 1 removed",
    ]


@posix
def test_the_tools_repeat_a_pin_only_where_the_course_lacks_it(project: Path, done: list[str]) -> None:
    course = "colorama==0.4.6 ; sys_platform == 'win32'\npsutil==7.2.2 ; sys_platform != 'cygwin'\nruff==0.1\n"
    fake_uv(project, course, "colorama==0.4.6\npsutil==7.2.2\nruff==0.2\n")
    pins.pins([])
    assert texts(project)[2] == HEADER + "colorama==0.4.6\nruff==0.2\n"


@posix
def test_both_groups_are_resolved_as_the_files_say(project: Path, done: list[str]) -> None:
    fake_uv(project)
    pins.pins([])
    first, second = (project / "asked").read_text("utf-8").splitlines()
    asked = "-m uv pip compile --universal --python-version 3.11 --no-annotate --no-header --group"
    assert first == f"{asked} course"
    assert re.fullmatch(rf"{asked} development -c \S+requirements\.txt", second)


@posix
def test_check_writes_nothing(project: Path, done: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    fake_uv(project)
    before = texts(project)
    assert main.main(["pins", "--check"]) == 0
    assert texts(project) == before
    assert done == ["set up tests"]
    assert "numpy    2.4.6   2.5.0" in (told := capsys.readouterr().out)
    assert told.endswith("Nothing is written. To take these over: python course.py pins\n")


@posix
def test_the_newest_pins_build_nothing(project: Path, done: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    fake_uv(project, COURSE, COURSE + "ruff==0.17.6\n")
    before = texts(project)
    assert pins.pins([]) == 0
    assert (texts(project), done) == (before, ["set up tests"])
    assert "Every pin is the newest that fits." in capsys.readouterr().out


@posix
@pytest.mark.parametrize("group", ["course", "development"])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("error: Failed to fetch: `…`\n  Caused by: dns error", "network or the package index does not answer"),
        ("  × No solution found when resolving dependencies", "No solution found"),
    ],
)
def test_a_resolution_that_fails_changes_nothing(
    project: Path, done: list[str], group: str, said: str, told: str
) -> None:
    fake_uv(project, fail_at=group, said=said)
    before = texts(project)
    with pytest.raises(Problem) as caught:
        pins.pins([])
    assert told in caught.value.wrong
    assert caught.value.advice.startswith("Nothing is changed.")
    assert (texts(project), done) == (before, ["set up tests"])


@posix
def test_an_empty_answer_is_not_written(project: Path, done: list[str]) -> None:
    fake_uv(project, course="")
    before = texts(project)
    with pytest.raises(Problem, match="found no package for the group course"):
        pins.pins([])
    assert texts(project) == before


@posix
@pytest.mark.parametrize("step", ["set_up", "build"])
def test_pins_that_do_not_work_stay_with_a_way_back(
    project: Path, done: list[str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_up(kind: str) -> None:
        done.append(kind)
        if len(done) == 2:
            raise Problem("No room.", "Make room.")

    fake_uv(project)
    monkeypatch.setattr(pins, step, set_up if step == "set_up" else lambda arguments: 1)
    with pytest.raises(Problem, match="The new pins are written") as caught:
        pins.pins([])
    assert "git checkout requirements.txt binder/requirements.txt requirements-dev.txt" in caught.value.advice
    assert texts(project)[0] == HEADER + NEW_COURSE


def test_a_pin_that_differs_from_system_to_system_is_shown_with_its_systems() -> None:
    old = "soupsieve==2.10 ; python_full_version < '3.11.5'\nsoupsieve==4.1 ; python_full_version >= '3.11.5'\n"
    new = "Soup_Sieve==1.0\nsoupsieve==4.1\n"
    assert pins.compare(old, new) == [
        ("soup-sieve", "-", "1.0"),
        ("soupsieve", "2.10 (python_full_version < '3.11.5'), 4.1 (python_full_version >= '3.11.5')", "4.1"),
    ]


@pytest.mark.slow
def test_the_real_groups_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "venv_python", lambda: Path(sys.executable))
    new = pins._resolve()
    assert new["requirements.txt"] == new["binder/requirements.txt"]
    assert "\nnumpy==2." in new["requirements.txt"]
    for name, text in new.items():
        assert text.startswith("# Exact versions of")
        assert [line for line in text.splitlines() if not line.startswith("#") and "==" not in line] == []
        header = [line for line in (pins.ROOT / name).read_text("utf-8").splitlines() if line.startswith("#")]
        assert [line for line in text.splitlines() if line.startswith("#")] == header
    shared = set(pins._versions(new["requirements.txt"])) & set(pins._versions(new["requirements-dev.txt"]))
    assert shared == set(), "pinned in both files"
