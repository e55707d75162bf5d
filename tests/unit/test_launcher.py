"""The launcher: any Python, any argument, and what every command holds to."""

import ast
import os
import runpy
import subprocess
import sys
import types
from pathlib import Path

import pytest

from commands import console, environment, main, places

ROOT = places.ROOT
OLD_PYTHON = "import sys, runpy; sys.version_info = ({0}, {1}, 9); runpy.run_path('course.py', run_name='__main__')"


def test_the_launcher_parses_on_python_3_6() -> None:
    tree = ast.parse((ROOT / "course.py").read_text("utf-8"), feature_version=(3, 6))
    old = {"JoinedStr", "AnnAssign", "NamedExpr", "AsyncFunctionDef"}
    assert not old & {type(node).__name__ for node in ast.walk(tree)}, "Python 2 cannot read this to the end"


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 10)])
def test_an_old_python_gets_a_sentence_and_status_2(version: tuple[int, int]) -> None:
    ran = subprocess.run([sys.executable, "-c", OLD_PYTHON.format(*version)], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.startswith("The course needs Python 3.11 or newer; this is ")
    assert len(ran.stderr.splitlines()) == 2
    assert "Traceback" not in ran.stderr


def test_the_commands_need_nothing_but_the_standard_library() -> None:
    for path in [ROOT / "course.py", *(ROOT / "commands").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                assert top == "commands" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tset"], "Did you mean: python course.py test"),
        (["xyzzy"], "The commands are: lab, test, build, reset, "),
        (["--prot", "9000"], "unrecognized arguments: --prot"),
        (["lab", "--port", "many"], "invalid int value: 'many'"),
        (["--port", "70000"], "a port is a number from 1 to 65535, not 70000"),
        (["reset"], "the following arguments are required: number"),
        (["doctor", "--loud"], "unrecognized arguments: --loud"),
    ],
)
def test_a_wrong_argument_gets_a_sentence_and_status_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(arguments) == 2
    assert told in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"python course.py {verb.form}" in text and verb.purpose in text for verb in main.VERBS.values())


def test_without_a_command_the_lab_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setitem(main.VERBS, "lab", main.VERBS["lab"]._replace(run=lambda given: seen.append(given) or 0))
    assert main.main([]) == main.main(["--no-browser"]) == 0
    assert seen == [[], ["--no-browser"]]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "x"), "The disk is full.\nFree about 1 GB"),
        (FileNotFoundError(2, "No such file", "requirements.txt"), "Get a complete copy of the course"),
        (PermissionError(13, "Permission denied", "x"), "Check that this file or folder is yours"),
    ],
)
def test_a_system_error_is_no_traceback(
    error: OSError, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(given: list[str]) -> int:
        raise error

    monkeypatch.setitem(main.VERBS, "doctor", main.VERBS["doctor"]._replace(run=fail))
    assert main.main(["doctor"]) == 2
    assert told in capsys.readouterr().err


def test_importing_the_launcher_runs_nothing() -> None:
    assert "main" in runpy.run_path(str(ROOT / "course.py"), run_name="not main")


def test_every_module_of_the_commands_says_what_it_is() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("commands.")]
    assert all(isinstance(module, types.ModuleType) and module.__doc__ for module in modules)


# -- the terminal -----------------------------------------------------------------------------------------------------


def test_the_window_of_a_double_click_stays_open_after_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", asked.append)
    monkeypatch.setattr(main, "owns_its_window", lambda: True)
    assert main.main(["xyzzy"]) == 2
    assert main.main(["--help"]) == 0
    assert asked == ["Press Enter to close this window."]


@pytest.mark.parametrize(("processes", "owned"), [(1, True), (2, True), (3, False)])
def test_a_window_is_ours_when_no_shell_is_in_it(monkeypatch: pytest.MonkeyPatch, processes: int, owned: bool) -> None:
    kernel = types.SimpleNamespace(GetConsoleProcessList=lambda numbers, size: processes)
    monkeypatch.setattr("ctypes.windll", types.SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(isatty=lambda: True))
    assert not console.owns_its_window() or console.WINDOWS
    monkeypatch.setattr(console, "WINDOWS", True)
    assert console.owns_its_window() is owned
    monkeypatch.setattr(sys, "stdin", None)
    assert not console.owns_its_window()


def test_without_streams_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main.main(["xyzzy"]) == 2
    assert main.main(["--help"]) == 0
    progress = console.Progress()
    progress.show("fetched", 1, 1)
    progress.close()


# -- the table of environment variables -------------------------------------------------------------------------------


def test_this_very_run_has_the_table_of_variables() -> None:
    assert os.environ["OPENBLAS_NUM_THREADS"] == os.environ["OMP_NUM_THREADS"] == os.environ["TQDM_DISABLE"] == "1"
    assert str(ROOT) in os.environ["PYTHONPATH"].split(os.pathsep)
    for name in ("BPLIB_PROGRESS", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        assert ROOT not in Path(os.environ[name]).parents, f"{name} lies in the checkout"


def test_the_learners_lab_has_progress_bars_and_the_learners_progress() -> None:
    table = environment.lab_run()
    assert "TQDM_DISABLE" not in table
    assert table["BPLIB_PROGRESS"] == str(places.MY / "progress.json")
    assert table["OPENBLAS_NUM_THREADS"] == "1"


def test_variables_that_lead_elsewhere_do_not_reach_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "JUPYTER_TOKEN", "JUPYTER_PATH", "PIP_USER"):
        monkeypatch.setenv(name, "elsewhere")
    table = environment.child({"JUPYTER_CONFIG_DIR": "here"})
    assert "elsewhere" not in table.values()
    assert table["JUPYTER_CONFIG_DIR"] == "here"
    assert table["PATH"].startswith(str(places.venv_python().parent))
