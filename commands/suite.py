"""The tests of the course in stages, with a table and one line of totals at the end."""

import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

from commands.console import say
from commands.copies import notebooks
from commands.environment import quiet_child
from commands.places import NOTEBOOKS, ROOT, venv_python
from commands.setup import set_up

# What is slow stands behind --full: it needs the network or takes minutes.
# What takes half a minute or more with real processes: left out by --fast, for the time between two commits.
_LONG = ("binder_launch", "set_up_interrupted", "set_up_refused", "set_up_and_open")
_LEVELS = {
    "--fast": ["-m", "not slow and not browser", *(f"--ignore=tests/contract/test_{name}.py" for name in _LONG)],
    "": ["-m", "not slow"],
    "--full": [],
}
# The core promises every branch; what draws and talks to learners also runs in kernels and browsers, unseen from here.
_AROUND = "bplib/viz/*,bplib/widgets/*,bplib/lessons/*"
_MEASURED = [f"tests/{folder}" for folder in ("unit", "property", "contract", "widgets")]
# A signal that meets the measurement itself can leave its lock closed, for ever.
_BY_SIGNAL = "--ignore=tests/widgets/test_interrupts_in_widgets.py"
# A file stays in one process: its tests share servers. More than four browsers at once would starve one another.
# In the order of the folders, browser first: its few tests are the longest, and as the last they leave processes idle.
_PARALLEL = ["--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder"]
# A test that waits for something that never comes fails under its name, and the others go on.
_TIMEOUT = "--timeout=600"
_NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
_SANITIZE = ROOT / "tests" / "nbval.cfg"


class Stage(NamedTuple):
    """One program to run; a stage with nothing to run says why."""

    name: str
    command: list[str]
    counts: bool = False
    nothing: str = ""
    judged: bool = True


class Result(NamedTuple):
    """What a stage came to."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    verdict: str


def test(arguments: list[str]) -> int:
    """Run every test and say the totals; pytest arguments run pytest alone."""
    level, rest = (arguments[0], arguments[1:]) if arguments[:1] in (["--fast"], ["--full"]) else ("", arguments)
    set_up("tests")
    results = []
    with tempfile.TemporaryDirectory(prefix="course-") as reports, quiet_child() as variables:
        for stage in stages(level, rest):
            say(f"\n== {stage.name}")
            results.append(_run(stage, Path(reports), variables))
    say("\n" + table(results))
    say("\n" + totals(results))
    return int(any(result.failed for result in results))


def stages(level: str, rest: list[str]) -> list[Stage]:
    """What to run at this level; with arguments for pytest, pytest alone."""
    python = str(venv_python())
    several = [] if rest else _PARALLEL
    tests = Stage("tests", [python, "-m", "pytest", *several, _TIMEOUT, *_LEVELS[level], *rest], counts=True)
    if rest:
        return [tests]
    ruff = Stage("ruff", [python, "-m", "ruff", "check", "--quiet", "."])
    layout = Stage("layout", [python, "-m", "ruff", "format", "--check", "--quiet", "."])
    types = Stage("mypy", [python, "-m", "mypy", "--no-error-summary"])
    spelling = Stage("codespell", [python, "-m", "codespell_lib"])
    coverage = _coverage_stages(python) if level == "--full" else []
    return [ruff, layout, types, spelling, tests, *coverage, _notebook_stage(python), _rebuild_stage(python)]


def _coverage_stages(python: str) -> list[Stage]:
    tests = ["-m", "pytest", "--quiet", _TIMEOUT, *_MEASURED, *_LEVELS["--fast"], _BY_SIGNAL]
    run = [python, "-m", "coverage", "run", *tests]
    report = [python, "-m", "coverage", "report"]
    core = Stage("core 100 %", [*report, "--fail-under=100", f"--omit={_AROUND}"])
    around = Stage("rest 90 %", [*report, "--fail-under=90", f"--include={_AROUND}"])
    # Slowed by the measurement a test may miss its time; the stage of the tests judges them, the two reports this one.
    return [Stage("coverage", run, judged=False), core, around]


def _notebook_stage(python: str) -> Stage:
    paths = [str(path.relative_to(ROOT)) for path in [*notebooks(), *sorted(NOTEBOOKS.glob("solutions/*.ipynb"))]]
    sanitize = [f"--nbval-sanitize-with={_SANITIZE.relative_to(ROOT)}"] if _SANITIZE.exists() else []
    command = [python, "-m", "pytest", "--quiet", *_NBVAL, *sanitize, *paths]
    return Stage("notebooks", command, counts=True, nothing="" if paths else "There is no notebook to compare yet.")


def _rebuild_stage(python: str) -> Stage:
    script = NOTEBOOKS / "build.py"
    return Stage("rebuild", [python, str(script), "--check"], nothing="" if script.exists() else "No build.py yet.")


def _run(stage: Stage, reports: Path, variables: dict[str, str]) -> Result:
    if stage.nothing:
        say(stage.nothing)
        return Result(stage.name, 0, 0, 0, 0.0, "nothing to do")
    report = reports / f"{stage.name}.xml"
    begin = time.monotonic()
    more = [f"--junit-xml={report}"] if stage.counts else []
    done = subprocess.run([*stage.command, *more], cwd=ROOT, env=variables, check=False)
    seconds = time.monotonic() - begin
    passed, failed, skipped = read_report(report)
    if done.returncode and stage.judged and not failed:  # a finding, a crash, nothing collected
        failed = 1
    verdict = "failed" if failed else "passed" if stage.judged else "measured"
    return Result(stage.name, passed, failed, skipped, seconds, verdict)


def read_report(report: Path) -> tuple[int, int, int]:
    """The passed, failed and skipped tests in a report of pytest."""
    if not report.exists():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    count = {key: sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    return max(count["tests"] - failed - count["skipped"], 0), failed, count["skipped"]


def table(results: list[Result]) -> str:
    """The stages with their results and times."""
    lines = [f"{'stage':<12}{'result':<15}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"]
    for one in results:
        numbers = f"{one.passed:>8}{one.failed:>8}{one.skipped:>9}{one.seconds:>9.1f}"
        lines.append(f"{one.name:<12}{one.verdict:<15}{numbers}")
    return "\n".join(lines)


def totals(results: list[Result]) -> str:
    """The one line that a reader looks for at the very end."""
    passed, failed, skipped = (sum(getattr(one, key) for one in results) for key in ("passed", "failed", "skipped"))
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
