"""The set-up: its order, its stamps, and what the failures of pip and the machine are called."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands import console, machine, places, setup, trouble


def fake_pip(project: Path, output: str, status: int) -> None:
    """A Python of the environment that prints `output`, whatever it is asked."""
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {status}\n", "utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)


def test_the_second_start_asks_neither_pip_nor_the_network(steps: Any) -> None:
    assert steps.run("lab") == ["environment", "pip lab", "check"]
    assert steps.run("lab") == []


def test_the_tests_add_their_packages_to_the_same_environment(steps: Any) -> None:
    steps.run("lab")
    assert steps.run("tests") == ["pip tests", "check"]
    assert steps.run("tests") == steps.run("lab") == []


@pytest.mark.parametrize("moment", ["environment", "before pip lab", "pip lab", "check"])
def test_an_interrupted_set_up_repairs_itself(steps: Any, moment: str) -> None:
    steps.interrupted_at = moment
    with pytest.raises(KeyboardInterrupt):
        steps.run("lab")
    assert not setup.is_set_up("lab")
    steps.interrupted_at = ""
    assert steps.run("lab") == ["environment", "pip lab", "check"]
    assert setup.is_set_up("lab")


def test_new_pins_are_installed_into_the_environment_that_is_there(steps: Any, project: Path) -> None:
    steps.run("tests")
    (project / "requirements.txt").write_text("numpy==2.4.6\n", "utf-8")
    assert not setup.is_set_up("tests")
    assert steps.run("lab") == ["pip lab", "check"]


def test_a_comment_in_the_pins_installs_nothing(steps: Any, project: Path) -> None:
    steps.run("lab")
    (project / "requirements.txt").write_text("# another comment\n\nnumpy==2.0.0\n", "utf-8")
    assert steps.run("lab") == []


def test_another_python_makes_another_environment(steps: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.run("lab")
    monkeypatch.setattr(setup, "venv_works", lambda: False)  # as after a system upgrade
    assert steps.run("lab")[0] == "environment"
    (project / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n", "utf-8")
    assert setup.stamp("lab").read_text("utf-8").strip() != setup.fingerprint("lab")


def test_the_environment_finds_the_library_by_a_relative_path(steps: Any, project: Path) -> None:
    steps.run("lab")
    line = (setup.site_packages() / "course.pth").read_text("utf-8").strip()
    assert not Path(line).is_absolute()
    assert (setup.site_packages() / line).resolve() == project.resolve()


@pytest.mark.skipif(places.WINDOWS, reason="the stand-in for pip is a shell script")
@pytest.mark.parametrize(
    ("output", "told", "untouched"),
    [
        ("Collecting numpy\nERROR: (from versions: none)", "network or the package index", True),
        ("WARNING: Retrying after NewConnectionError", "network or the package index", True),
        ("Installing collected packages: numpy\nERROR: [Errno 28] No space left on device", "disk is full", False),
        ("Collecting numpy\nERROR: something new", "something new", True),
    ],
)
def test_when_pip_fails_the_cause_is_named_and_a_working_environment_survives(
    project: Path, output: str, told: str, untouched: bool
) -> None:
    fake_pip(project, output, status=1)
    setup.stamp("lab").write_text("complete", "utf-8")
    with pytest.raises(console.Problem) as caught:
        setup._install("lab")
    assert told in caught.value.wrong
    assert setup.stamp("lab").exists() is untouched


def test_what_pip_said_before_its_pipe_was_closed_is_kept_and_a_mistake_in_reading_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def closed() -> Iterator[str]:
        yield "Collecting numpy\n"
        raise ValueError("I/O operation on closed file.")

    lines: list[str] = []
    setup._read(closed(), lines)
    assert lines == ["Collecting numpy"]

    def fail() -> None:
        raise ValueError("a stamp that cannot be removed")

    monkeypatch.setattr(setup, "_forget_stamps", fail)
    with pytest.raises(ValueError, match="a stamp"):
        setup._read(["Installing collected packages: numpy\n"], lines)


def test_a_python_without_venv_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(console.Problem, match="without the modules venv and ensurepip"):
        machine.check_machine()


def test_a_full_disk_is_noticed_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_space", lambda: 0.2)
    with pytest.raises(console.Problem, match=r"0\.20 GB are free, the set-up needs 1 GB"):
        machine.check_machine()


def test_a_folder_of_somebody_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**where: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    with pytest.raises(console.Problem, match="cannot be written to"):
        machine.check_writable()


def test_progress_in_a_log_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    progress = console.Progress()
    for done in range(101):
        progress.show("fetched", done, 100)
    progress.close()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "  100 of 100 packages fetched"
    assert 3 <= len(lines) <= 6


# -- what goes wrong, in a sentence -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wrong", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full.", "Free about 1 GB"),
        ("OSError: [Errno 122] Disk quota exceeded", "The disk is full.", "Free about 1 GB"),
        ("[WinError 112] There is not enough space on the disk", "The disk is full.", "Free about 1 GB"),
        ("SSLError(SSLCertVerificationError(1, 'x'))", "the certificate of the package index", "the clock"),
        ("ProxyError('Cannot connect to proxy.', NewConnectionError", "the proxy in this machine", "http_proxy"),
        ("ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "the network or the package index", "connection"),
        ("('Connection broken: IncompleteRead(1 bytes read)'", "the network or the package index", "connection"),
        ("ERROR: No matching distribution found for numpy==9", "has no numpy==9 for Python", "another Python"),
        ("Error: [Errno 13] Permission denied: '/x/.venv/bin'", "belongs to someone else", "delete that folder"),
        ("[WinError 5] Access is denied: 'x'", "a program holds it", "End what runs from the folder .venv"),
        ("something new", "It failed. The last lines were:\n    something new", "show these lines"),
    ],
)
def test_each_trouble_has_a_sentence_and_an_advice(project: Path, line: str, wrong: str, advice: str) -> None:
    told = trouble.trouble("It failed.", [line])
    assert wrong in told.wrong
    assert advice in told.advice


def test_venv_says_nothing_of_a_full_disk_but_the_disk_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "free_space", lambda: 0.001)
    assert trouble.trouble("It failed.", ["returned non-zero exit status 1."]).wrong == "The disk is full."


def test_a_folder_wheels_is_the_only_place_to_look(project: Path) -> None:
    assert setup.index_options() == []
    (project / "wheels").mkdir()
    assert setup.index_options() == ["--no-index", "--find-links", str(project / "wheels")]
    told = trouble.trouble("It failed.", ["ERROR: No matching distribution found for numpy==2.0.0", "versions: none"])
    assert told.wrong == "The folder wheels has no package for this Python and system: numpy==2.0.0."


@pytest.mark.skipif(places.WINDOWS, reason="the stand-in for pip is a shell script")
@pytest.mark.parametrize(
    ("line", "patience"),
    [("WARNING: Retrying (Retry(total=4)) after timeout", "_PATIENCE"), ("Looking in x", "_PATIENCE_IN_SILENCE")],
)
def test_an_index_that_never_answers_is_given_up_and_pip_ends(
    project: Path, monkeypatch: pytest.MonkeyPatch, line: str, patience: str
) -> None:
    fake_pip(project, line, status=0)
    python = project / ".venv" / "bin" / "python"
    python.write_text(python.read_text("utf-8").replace("exit 0", "exec sleep 30"), "utf-8")
    monkeypatch.delenv("PIP_DEFAULT_TIMEOUT", raising=False)
    monkeypatch.setattr(setup, patience, 0.2)
    begin = time.monotonic()
    with pytest.raises(console.Problem, match="the network or the package index does not answer"):
        setup._install("lab")
    assert time.monotonic() - begin < 5


def test_an_index_that_has_answered_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    retry = "WARNING: Retrying (Retry(total=4"
    assert setup._is_in_vain([retry], 21)
    assert not setup._is_in_vain([retry], 19)
    assert not setup._is_in_vain(["Collecting numpy", retry], 1000)
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "180")
    assert not setup._is_in_vain([], 170)
    assert setup._is_in_vain([], 181)


def test_stamps_are_forgotten_before_an_environment_is_made_anew(steps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.run("tests")
    monkeypatch.setattr(setup, "venv_works", lambda: False)
    steps.interrupted_at = "before environment"
    monkeypatch.setattr(setup, "_make_venv", lambda: steps._step("environment", lambda: None))
    with pytest.raises(KeyboardInterrupt):
        steps.run("tests")
    assert not any(setup.stamp(kind).exists() for kind in setup.PINS)
