"""The verb `test`: its stages, its totals, and what conftest.py holds in every run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commands import main, places, suite

ROOT = places.ROOT


def test_the_levels_leave_out_what_they_say(project: Path) -> None:
    named = {level: {stage.name: stage for stage in suite.stages(level, [])} for level in ("--fast", "", "--full")}
    assert "not slow and not browser" in named["--fast"]["tests"].command
    ignored = [word.partition("=")[2] for word in named["--fast"]["tests"].command if word.startswith("--ignore=")]
    assert ignored
    assert [path for path in ignored if not (ROOT / path).exists()] == []
    assert "not slow" in named[""]["tests"].command
    assert "not slow" not in named["--full"]["tests"].command
    assert list(named[""]) == ["ruff", "layout", "mypy", "codespell", "tests", "notebooks", "rebuild"]
    assert list(named["--fast"]) == list(named[""])
    assert list(named["--full"])[4:] == ["tests", "coverage", "core 100 %", "rest 90 %", "notebooks", "rebuild"]


_CORE = "def choose(x):\n    if x:\n        x += 1\n    return x\n"
_CORE_TEST = "import bplib.lessons.talk\nfrom bplib import core\n\ndef test_core():\n    assert core.choose(1) == 2\n"


@pytest.mark.parametrize(
    ("more", "missed", "statuses"),
    [("", 1, [0, 2, 0]), ("    assert not core.choose(0)\n", 5, [0, 0, 2])],
    ids=["a branch of the core", "a fifth of the rest"],
)
def test_what_is_not_covered_fails_its_stage(tmp_path: Path, more: str, missed: int, statuses: list[int]) -> None:
    files = {
        "pyproject.toml": (ROOT / "pyproject.toml").read_text("utf-8"),
        "bplib/__init__.py": "",
        "bplib/core.py": "x = 1\n" * 40 + _CORE,
        "bplib/lessons/__init__.py": "",
        "bplib/lessons/talk.py": "x = 1\n" * 18 + "def never():\n" + "    y = 2\n" * missed,
        "tests/unit/test_core.py": _CORE_TEST + more,
        **{f"tests/{folder}/none.txt": "" for folder in ("property", "contract", "widgets")},
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    commands = [stage.command for stage in suite.stages("--full", [])[5:8]]
    table = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_timeout"}
    done = [subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, env=table, check=False) for words in commands]
    assert [one.returncode for one in done] == statuses


def test_a_test_that_fails_while_coverage_is_measured_is_left_to_the_stage_of_the_tests(
    project: Path, tmp_path: Path
) -> None:
    coverage, core = suite.stages("--full", [])[5:7]
    fails = [sys.executable, "-c", "raise SystemExit(1)"]
    done = [suite._run(stage._replace(command=fails), tmp_path, dict(os.environ)) for stage in (coverage, core)]
    assert [(one.failed, one.verdict) for one in done] == [(0, "measured"), (1, "failed")]


def test_the_measurement_of_coverage_cannot_wait_for_ever(project: Path) -> None:
    command = {stage.name: stage for stage in suite.stages("--full", [])}["coverage"].command
    assert [word for word in command if word.startswith("--timeout=")]
    left_out = [word.partition("=")[2] for word in command if word.startswith("--ignore=tests/widgets/")]
    assert left_out == ["tests/widgets/test_interrupts_in_widgets.py"]
    assert (ROOT / left_out[0]).exists()


def test_pytest_arguments_run_pytest_alone(project: Path) -> None:
    (stage,) = suite.stages("", ["tests/unit", "-k", "engine"])
    assert stage.command[-3:] == ["tests/unit", "-k", "engine"]
    assert "--dist=loadfile" not in stage.command, "one process: its output comes line by line"


def test_all_tests_run_beside_one_another_a_file_in_one_process(project: Path) -> None:
    command = {stage.name: stage for stage in suite.stages("", [])}["tests"].command
    assert "--numprocesses=logical" in command
    assert "--dist=loadfile" in command
    assert "--no-loadscope-reorder" in command


@pytest.mark.parametrize("rest", [[], ["tests/unit"]])
def test_a_test_that_waits_for_ever_is_given_up(project: Path, rest: list[str]) -> None:
    command = {stage.name: stage for stage in suite.stages("", rest)}["tests"].command
    (limit,) = [word for word in command if word.startswith("--timeout=")]
    (project / "test_waits.py").write_text("import time\n\ndef test_waits():\n    time.sleep(60)\n", "utf-8")
    waits = [sys.executable, "-m", "pytest", "test_waits.py", limit.replace("600", "0.2")]
    done = subprocess.run(waits, cwd=project, capture_output=True, text=True, check=False)
    assert "FAILED test_waits.py::test_waits - Failed: Timeout" in done.stdout


def test_every_notebook_is_compared(project: Path) -> None:
    assert "no notebook" in {stage.name: stage for stage in suite.stages("", [])}["notebooks"].nothing
    (project / "notebooks" / "solutions").mkdir()
    (project / "notebooks" / "06_a.ipynb").touch()
    (project / "notebooks" / "solutions" / "06_a.ipynb").touch()
    (project / "tests").mkdir()
    (project / "tests" / "nbval.cfg").touch()
    command = {stage.name: stage for stage in suite.stages("", [])}["notebooks"].command
    compared = [Path(part).as_posix() for part in command[-2:]]
    assert compared == ["notebooks/06_a.ipynb", "notebooks/solutions/06_a.ipynb"]
    assert "--nbval-cell-timeout=120" in command
    assert any(part.startswith("--nbval-sanitize-with=") for part in command)


def test_totals_add_up_and_a_stage_without_tests_can_fail(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = '<testsuites><testsuite tests="9" failures="2" errors="1" skipped="3"/></testsuites>'
    write = f"import sys; open(sys.argv[1].split('=')[1], 'w').write({report!r}); sys.exit(1)"
    counted = suite._run(suite.Stage("tests", [sys.executable, "-c", write], counts=True), tmp_path, dict(os.environ))
    plain = suite._run(suite.Stage("ruff", [sys.executable, "-c", "raise SystemExit(1)"]), tmp_path, dict(os.environ))
    nothing = suite._run(suite.Stage("rebuild", [], nothing="Nothing yet."), tmp_path, {})
    assert [(one.passed, one.failed, one.skipped) for one in (counted, plain, nothing)] == [
        (3, 3, 3),
        (0, 1, 0),
        (0, 0, 0),
    ]
    assert suite.totals([counted, plain, nothing]) == "3 passed, 4 failed, 3 skipped"
    assert suite.totals([nothing]) == "0 passed, 0 failed"
    assert [line.split()[0] for line in suite.table([counted, plain]).splitlines()] == ["stage", "tests", "ruff"]
    assert "Nothing yet." in capfd.readouterr().out


def test_the_last_line_is_the_totals(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(suite, "set_up", asked.append)
    monkeypatch.setattr(suite, "_run", lambda stage, *more: suite.Result(stage.name, 4, 0, 0, 0.1, "passed"))
    assert main.main(["test", "--fast"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "28 passed, 0 failed"
    assert asked == ["tests"]


# -- what conftest.py holds -------------------------------------------------------------------------------------------


def run_inner_pytest(folder: Path, text: str, **variables: str) -> str:
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text("utf-8"), "utf-8")
    (folder / "test_inner.py").write_text(text, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    browser: needs Chromium\n", "utf-8")
    table = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    table |= {"PATH": str(folder), "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables}
    return subprocess.run(command, cwd=folder, env=table, capture_output=True, text=True, check=False).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a browser is found outside of PATH")
@pytest.mark.parametrize(("ci", "told"), [("", "1 BROWSER TESTS DID NOT RUN"), ("true", "1 error")])
def test_without_chromium_browser_tests_skip_loudly_and_fail_in_ci(tmp_path: Path, ci: str, told: str) -> None:
    text = "import pytest\n\n@pytest.mark.browser\ndef test_page():\n    pass\n"
    output = run_inner_pytest(tmp_path, text, CI=ci)
    assert told in output
    assert "no Chromium or Chrome on this machine" in output


def test_a_test_that_touches_the_global_generator_fails(tmp_path: Path) -> None:
    # The first draw fills the generator's store; a later one only moves its position.
    text = "import numpy as np\nnp.random.seed(1)\nnp.random.rand()\n\ndef test_draw():\n    np.random.rand()\n"
    text += "\ndef test_seed():\n    np.random.seed(2)\n    np.random.rand(2)\n\ndef test_honest():\n    pass\n"
    output = run_inner_pytest(tmp_path, text)
    assert "NumPy's global random state changed" in output
    assert "3 passed, 2 errors" in output


@pytest.mark.skipif(sys.platform == "win32", reason="what runs in the background there hears Ctrl-C")
def test_in_the_background_of_a_shell_ctrl_c_reaches_what_the_tests_start(tmp_path: Path) -> None:
    script = "import signal; signal.raise_signal(signal.SIGINT)"
    text = "import subprocess, sys\n\ndef test_child():\n"
    text += f"    assert subprocess.run([sys.executable, '-c', {script!r}]).returncode == -2\n"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        output = run_inner_pytest(tmp_path, text)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "1 passed" in output
