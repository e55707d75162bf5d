"""The commands: what they promise on a laptop, without network, pip or a real environment."""

import ast
import os
import re
import runpy
import socket
import stat
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import console, copies, environment, lab, machine, main, places, setup, suite

ROOT = places.ROOT
OLD_PYTHON = "import sys, runpy; sys.version_info = ({0}, {1}, 9); runpy.run_path('course.py', run_name='__main__')"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that every module of the commands takes for its own; the path has a space and an umlaut."""
    root = tmp_path / "Mein Kürs"
    (root / "notebooks").mkdir(parents=True)
    (root / "requirements.txt").write_text("# pins\nnumpy==2.0.0\n", "utf-8")
    (root / "requirements-dev.txt").write_text("ruff==0.1.0\n", "utf-8")
    replaced = {
        "ROOT": root,
        "VENV": root / ".venv",
        "MY": root / "my",
        "NOTEBOOKS": root / "notebooks",
        "JUPYTER": root / "my" / ".jupyter",
        "LOG": root / "my" / ".jupyter" / "lab.log",
        "_SANITIZE": root / "tests" / "nbval.cfg",
    }
    for module in [module for name, module in sys.modules.items() if name.startswith("commands.")]:
        for name, value in replaced.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    return root


class Steps:
    """A set-up whose slow steps are recorded instead of done, and which can be interrupted at one of them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.done, self.interrupted_at = root, [], ""
        monkeypatch.setattr(setup, "_make_venv", lambda: self._step("environment", self._environment))
        monkeypatch.setattr(setup, "_install", lambda kind: self._step(f"pip {kind}", self._forget))
        monkeypatch.setattr(setup, "_check_packages", lambda: self._step("check", lambda: None))
        monkeypatch.setattr(setup, "venv_works", lambda: True)

    def _step(self, name: str, work: Callable[[], None]) -> None:
        self.done.append(name)
        if self.interrupted_at == f"before {name}":
            raise KeyboardInterrupt
        work()
        if name == self.interrupted_at:
            raise KeyboardInterrupt

    def _environment(self) -> None:
        packages = self.root / ".venv" / "lib" / "python3.11" / "site-packages"
        packages.mkdir(parents=True, exist_ok=True)
        (self.root / ".venv" / "pyvenv.cfg").write_text("home = /somewhere\nversion = 3.11.7\n", "utf-8")
        self._forget()

    def _forget(self) -> None:
        for kind in setup.PINS:
            setup.stamp(kind).unlink(missing_ok=True)

    def run(self, kind: str) -> list[str]:
        self.done = []
        setup.set_up(kind)
        return self.done


@pytest.fixture
def steps(project: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(project, monkeypatch)


def fake_pip(project: Path, output: str, status: int) -> None:
    """A Python of the environment that prints `output`, whatever it is asked."""
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {status}\n", "utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)


# -- any Python, any argument -----------------------------------------------------------------------------------------


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
        (["xyzzy"], "The commands are: lab, test, build, reset, verify, doctor."),
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
        (OSError(28, "No space left on device", "x"), "Free some space"),
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


# -- set-up -----------------------------------------------------------------------------------------------------------


def test_the_second_start_asks_neither_pip_nor_the_network(steps: Steps) -> None:
    assert steps.run("lab") == ["environment", "pip lab", "check"]
    assert steps.run("lab") == []


def test_the_tests_add_their_packages_to_the_same_environment(steps: Steps) -> None:
    steps.run("lab")
    assert steps.run("tests") == ["pip tests", "check"]
    assert steps.run("tests") == steps.run("lab") == []


@pytest.mark.parametrize("moment", ["environment", "before pip lab", "pip lab", "check"])
def test_an_interrupted_set_up_repairs_itself(steps: Steps, moment: str) -> None:
    steps.interrupted_at = moment
    with pytest.raises(KeyboardInterrupt):
        steps.run("lab")
    assert not setup.is_set_up("lab")
    steps.interrupted_at = ""
    assert steps.run("lab") == ["environment", "pip lab", "check"]
    assert setup.is_set_up("lab")


def test_new_pins_are_installed_into_the_environment_that_is_there(steps: Steps, project: Path) -> None:
    steps.run("tests")
    (project / "requirements.txt").write_text("numpy==2.4.6\n", "utf-8")
    assert not setup.is_set_up("tests")
    assert steps.run("lab") == ["pip lab", "check"]


def test_a_comment_in_the_pins_installs_nothing(steps: Steps, project: Path) -> None:
    steps.run("lab")
    (project / "requirements.txt").write_text("# another comment\n\nnumpy==2.0.0\n", "utf-8")
    assert steps.run("lab") == []


def test_another_python_makes_another_environment(steps: Steps, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.run("lab")
    monkeypatch.setattr(setup, "venv_works", lambda: False)  # as after a system upgrade
    assert steps.run("lab")[0] == "environment"
    (project / ".venv" / "pyvenv.cfg").write_text("version = 3.12.1\n", "utf-8")
    assert setup.stamp("lab").read_text("utf-8").strip() != setup.fingerprint("lab")


def test_the_environment_finds_the_library_by_a_relative_path(steps: Steps, project: Path) -> None:
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


# -- the learner's copies ---------------------------------------------------------------------------------------------


def test_a_copy_that_exists_is_never_overwritten(project: Path) -> None:
    for name in ("06_learning_rate.ipynb", "10_training_pipeline.ipynb"):
        (project / "notebooks" / name).write_text("new", "utf-8")
    (project / "my").mkdir()
    (project / "my" / "06_learning_rate.ipynb").write_text("mine", "utf-8")
    assert copies.copy_missing() == ["10_training_pipeline.ipynb"]
    assert (project / "my" / "06_learning_rate.ipynb").read_text("utf-8") == "mine"
    assert copies.copy_missing() == []
    assert sorted(path.name for path in (project / "my").iterdir()) == [
        "06_learning_rate.ipynb",
        "10_training_pipeline.ipynb",
    ]


def test_the_first_notebook_is_opened(project: Path) -> None:
    with pytest.raises(console.Problem, match="There is no notebook"):
        copies.first_notebook()
    (project / "notebooks" / "06_learning_rate.ipynb").touch()
    assert copies.first_notebook() == "06_learning_rate.ipynb"
    (project / "notebooks" / "00_the_loop.ipynb").touch()
    assert copies.first_notebook() == "00_the_loop.ipynb"


@pytest.mark.parametrize("number", ["06", "6", "06_learning_rate", "06_learning_rate.ipynb"])
def test_reset_keeps_the_old_copy_beside_the_new(project: Path, number: str) -> None:
    (project / "notebooks" / "06_learning_rate.ipynb").write_text("new", "utf-8")
    copies.copy_missing()
    for text in ("first", "second"):
        (project / "my" / "06_learning_rate.ipynb").write_text(text, "utf-8")
        assert main.main(["reset", number]) == 0
        assert (project / "my" / "06_learning_rate.ipynb").read_text("utf-8") == "new"
    kept = sorted((project / "my").glob("06_learning_rate.before-*.ipynb"))
    assert sorted(path.read_text("utf-8") for path in kept) == ["first", "second"]
    assert all(re.fullmatch(r"06_learning_rate\.before-\d{4}-\d\d-\d\d-\d{4}(-2)?\.ipynb", path.name) for path in kept)


def test_reset_of_an_unknown_notebook_names_those_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "notebooks" / "06_learning_rate.ipynb").touch()
    assert main.main(["reset", "07"]) == 2
    assert capsys.readouterr().err == "There is no notebook 07.\nThe notebooks are: 06_learning_rate.\n"


# -- the lab ----------------------------------------------------------------------------------------------------------


def test_a_taken_port_is_passed_over_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not machine.is_free(port)
        chosen = machine.free_port(port)
    assert chosen > port
    assert capsys.readouterr().out == f"Port {port} is taken; using {chosen}.\n"


def test_a_server_that_does_not_start_names_its_log(project: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(console.Problem, match="did not start") as caught:
            lab._wait_until_open(lab.Server(process, 1, "token"), "06_learning_rate.ipynb")
    assert "my/.jupyter/lab.log" in caught.value.advice


def test_no_browser_is_opened_without_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "WINDOWS", False)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not machine.can_show_pages()
    monkeypatch.setenv("DISPLAY", ":0")
    assert machine.can_show_pages()


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


# -- test -------------------------------------------------------------------------------------------------------------


def test_the_levels_leave_out_what_they_say(project: Path) -> None:
    named = {level: {stage.name: stage for stage in suite.stages(level, [])} for level in ("--fast", "", "--full")}
    assert "not slow and not browser" in named["--fast"]["tests"].command
    assert "not slow" in named[""]["tests"].command
    assert "-m" not in named["--full"]["tests"].command[3:]
    assert list(named[""]) == ["ruff", "mypy", "codespell", "tests", "notebooks", "rebuild"]


def test_pytest_arguments_run_pytest_alone(project: Path) -> None:
    (stage,) = suite.stages("", ["tests/unit", "-k", "engine"])
    assert stage.command[-3:] == ["tests/unit", "-k", "engine"]


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
    assert capsys.readouterr().out.splitlines()[-1] == "24 passed, 0 failed"
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


# -- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_tells_what_a_helper_asks_for(steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["doctor"]) == 0
    before = capsys.readouterr().out
    for name in ("system", "Python", "folder", "disk", "port", "Chromium", "environment", "notebooks"):
        assert re.search(rf"^{name} ", before, re.MULTILINE), name
    assert "none yet" in before
    steps.run("lab")
    (setup.site_packages() / "numpy-1.26.0.dist-info").mkdir()
    capsys.readouterr()
    assert main.main(["doctor"]) == 0
    after = capsys.readouterr().out
    assert re.search(r"set up: lab +complete", after)
    assert "numpy is 1.26.0, pinned 2.0.0" in after


def test_doctor_prints_no_home_folder(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    main.main(["doctor"])
    text = capsys.readouterr().out.replace(str(project), "")
    assert str(Path.home()) not in text.replace(str(Path.home()) + os.sep + "no", "")


def test_every_module_of_the_commands_says_what_it_is() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("commands.")]
    assert all(isinstance(module, types.ModuleType) and module.__doc__ for module in modules)
