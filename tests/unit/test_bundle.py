"""`bundle`: the course and its packages for machines without network, and nothing of the person who makes it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from commands import bundle, main, targets
from commands.console import Problem
from commands.targets import Target

ROOT = Path(__file__).resolve().parents[2]
LINUX = "manylinux_2_17_x86_64"
PINS = "# pins\nplain==1.0\nbuilt==2.0\ncolour==3.0 ; sys_platform == 'win32'\n"
COURSE = ["course.py", "requirements.txt", "commands/main.py", "notebooks/06_a.ipynb", "tests/unit/test_a.py"]
PRIVATE = ["my/06_a.ipynb", "marks.txt", ".venv/pyvenv.cfg", "commands/__pycache__/main.pyc", "wheels/old.whl"]


@pytest.fixture
def project(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course without git, pip's only source being a folder of tiny packages."""
    root, shelf = project, tmp_path / "shelf"
    (root / "requirements-dev.txt").unlink()
    for name in [*COURSE, *PRIVATE]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(PINS if name == "requirements.txt" else name, "utf-8")
    shelf.mkdir()
    wheel(shelf, "plain", "1.0", "py3-none-any")
    for python in ("cp311", "cp312"):
        wheel(shelf, "built", "2.0", f"{python}-{python}-{LINUX}")
    wheel(shelf, "built", "2.0", "cp312-cp312-win_amd64")
    wheel(shelf, "colour", "3.0", "py3-none-any")
    monkeypatch.setattr(bundle, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setattr(bundle, "set_up", lambda kind: None)
    monkeypatch.setattr(bundle, "index_options", lambda: [])
    monkeypatch.setattr(bundle, "this_system", lambda: "linux")
    monkeypatch.setattr(bundle, "this_python", lambda: "3.11")
    for name, value in {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shelf.as_uri()}.items():
        monkeypatch.setenv(name, value)
    return root


def wheel(folder: Path, name: str, version: str, tag: str, python: str = ">=3.11") -> None:
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        needs = f"Requires-Python: {python}\nRequires-Dist: not-there\n"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        archive.writestr(f"{about}/METADATA", metadata)
        archive.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{about}/RECORD", "")


def inside(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# -- what goes along --------------------------------------------------------------------------------------------------


def test_a_bundle_has_the_course_and_its_packages_and_nothing_of_ones_own(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "room"
    assert main.main(["bundle", str(room)]) == 0
    wheels = [f"wheels/built-2.0-cp311-cp311-{LINUX}.whl", "wheels/plain-1.0-py3-none-any.whl"]
    assert inside(room) == sorted([*COURSE, *wheels, "READ-ME-FIRST.txt"])
    read_me = (room / "READ-ME-FIRST.txt").read_text("utf-8")
    assert "python course.py" in read_me
    assert "- Linux (64-bit) with Python 3.11\n" in read_me
    told = capsys.readouterr().out
    assert "2 of 2 packages fetched" in told
    assert f"Ready: {room}, 0 MB, with 2 packages." in told
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")
def test_a_clone_gives_away_what_git_knows(project: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    (project / "commands" / "notes.txt").write_text("not for others", "utf-8")
    (project / "später.md").write_text("new in the course", "utf-8")
    subprocess.run(["git", "-C", str(project), "add", *COURSE, "später.md"], check=True)
    (project / "tests" / "unit" / "test_a.py").unlink()
    bundle.bundle([str(tmp_path / "room")])
    course = [name for name in inside(tmp_path / "room") if not name.startswith(("wheels", "READ"))]
    assert course == sorted([*COURSE[:-1], "später.md"])


@pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a clone")
def test_the_parts_of_the_project_are_those_that_git_knows() -> None:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], check=True, capture_output=True, text=True)
    assert {name.split("/")[0] for name in listed.stdout.splitlines()} == bundle.PARTS


def test_a_zip_holds_one_folder(project: Path, tmp_path: Path) -> None:
    bundle.bundle(["--zip", str(tmp_path / "room")])
    with zipfile.ZipFile(tmp_path / "room.zip") as archive:
        names = archive.namelist()
        assert archive.read("room/requirements.txt").decode() == PINS
    assert {name.split("/")[0] for name in names} == {"room"}
    assert "room/wheels/plain-1.0-py3-none-any.whl" in names
    assert not (tmp_path / "room").exists()


def test_other_systems_and_pythons_lie_side_by_side(project: Path, tmp_path: Path) -> None:
    bundle.bundle([str(tmp_path / "room"), "--system", "windows", "linux", "--python", "3.12"])
    assert inside(tmp_path / "room" / "wheels") == [
        f"built-2.0-cp312-cp312-{LINUX}.whl",
        "built-2.0-cp312-cp312-win_amd64.whl",
        "colour-3.0-py3-none-any.whl",
        "plain-1.0-py3-none-any.whl",
    ]
    read_me = (tmp_path / "room" / "READ-ME-FIRST.txt").read_text("utf-8")
    assert "- Windows (64-bit) with Python 3.12\n- Linux (64-bit) with Python 3.12\n" in read_me


def test_a_pin_for_later_versions_of_one_python_goes_along_with_that_for_earlier_ones(
    project: Path, tmp_path: Path
) -> None:
    lines = "soup==1.0 ; python_full_version < '3.11.5'\nsoup==2.0 ; python_full_version >= '3.11.5'\n"
    (project / "requirements.txt").write_text(lines, "utf-8")
    wheel(tmp_path / "shelf", "soup", "1.0", "py3-none-any")
    wheel(tmp_path / "shelf", "soup", "2.0", "py3-none-any", python=">=3.11.5")
    bundle.bundle([str(tmp_path / "room")])
    assert inside(tmp_path / "room" / "wheels") == ["soup-1.0-py3-none-any.whl", "soup-2.0-py3-none-any.whl"]


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["room"], ["room", "--zip"]])
def test_what_is_there_is_never_overwritten(project: Path, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "room").mkdir()
    for name in ("room/letter.txt", "room.zip"):
        (tmp_path / name).write_text("mine", "utf-8")
    with pytest.raises(Problem, match="is there already and not empty"):
        bundle.bundle([str(tmp_path / arguments[0]), *arguments[1:]])
    assert inside(tmp_path / "room") == ["letter.txt"]
    assert (tmp_path / "room.zip").read_text("utf-8") == "mine"


def test_an_empty_folder_is_filled(project: Path, tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    assert bundle.bundle([str(tmp_path / "room")]) == 0
    assert "course.py" in inside(tmp_path / "room")


def test_a_package_that_a_system_lacks_is_named_and_nothing_stays(project: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        bundle.bundle([str(tmp_path / "room"), "--system", "macos", "--python", "3.12"])
    assert (
        caught.value.wrong == "There is no ready-made package built==2.0 for macOS 12+ (Apple chip) with Python 3.12."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Mein Kürs", "shelf"]


def test_an_index_that_does_not_answer_is_told_apart() -> None:
    said = ["WARNING: Retrying (Retry(total=4", "ERROR: No matching distribution found for plain==1.0"]
    assert "does not answer" in bundle._failed("Linux", said).wrong


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--python", "3.10"], "a Python for the course is 3.11 or newer, such as 3.12, not 3.10"),
        (["--python", "3.12.1"], "not 3.12.1"),
        (["--system", "amiga"], "invalid choice: 'amiga'"),
    ],
)
def test_a_wrong_target_is_refused(
    project: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["bundle", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_system_without_a_name_is_served_as_this_machine(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "this_system", lambda: None)
    (project / "requirements.txt").write_text("plain==1.0\ncolour==3.0 ; sys_platform == 'amiga'\n", "utf-8")
    with pytest.raises(Problem, match="none of those known"):
        bundle.bundle([str(tmp_path / "room"), "--python", "3.12"])
    bundle.bundle([str(tmp_path / "room")])
    assert inside(tmp_path / "room" / "wheels") == ["plain-1.0-py3-none-any.whl"]


# -- the markers of pinned lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marker", "windows", "linux"),
    [
        ("sys_platform == 'win32'", True, False),
        ("os_name != 'nt' or (sys_platform != 'emscripten' and sys_platform != 'win32')", False, True),
        ("platform_python_implementation != 'PyPy' and platform_machine in 'x86_64 amd64'", False, True),
        ("sys_platform == 'win32' or sys_platform == 'darwin'", True, False),
        ("python_version < '3.9'", False, False),
        ("python_full_version >= '3.12' and platform_system not in 'Darwin'", True, True),
        ("'3.12.2' < python_full_version", True, True),  # for some last digit
    ],
)
def test_a_marker_is_asked_for_the_machine_that_will_run_it(marker: str, windows: bool, linux: bool) -> None:
    for system, expected in (("windows", windows), ("linux", linux)):
        wanted = [line for _, lines in Target(system, "3.12").rounds([f"a==1 ; {marker}"]) for line in lines]
        assert bool(wanted) is expected


def test_the_markers_of_the_pins_are_answered_as_pip_would() -> None:
    packaging = pytest.importorskip("packaging.markers")
    lines = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if ";" in line]
    assert lines
    for system in targets.SYSTEMS:
        for python in ("3.11", "3.14"):
            facts = Target(system, python)._facts("0")
            for line in lines:
                marker = line.partition(";")[2].strip()
                assert targets.holds(marker, facts) is packaging.Marker(marker).evaluate(facts), (line, system)


@pytest.mark.parametrize("marker", ["not_a_marker()", "sys_platform ==", "weekday == 'Monday'", "'a' ~= 'b'"])
def test_a_marker_that_cannot_be_read_is_not_guessed(marker: str) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        targets.holds(marker, {})
