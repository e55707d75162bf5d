"""What holds for every run of pytest, nbval's kernels included: the environment, the browser rule, the random state."""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from commands.environment import quiet_run  # noqa: E402  (needs the line above)
from commands.machine import find_chromium  # noqa: E402

# Set before anything imports NumPy: its BLAS reads the number of threads once.
_OWN = Path(tempfile.mkdtemp(prefix="course-tests-"))
atexit.register(shutil.rmtree, _OWN, ignore_errors=True)
os.environ.update(quiet_run(_OWN))
# Kernels start in the notebook's folder and must find this checkout's bplib from there.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

import numpy as np  # noqa: E402
import pytest  # noqa: E402

_NO_CHROMIUM = "no Chromium or Chrome on this machine; install one to run the browser tests"


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C reach what the tests start, and give plain `pytest --nbval` this project's patience and list."""
    # What a shell runs in the background ignores Ctrl-C, and all its children do.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    option = config.option
    if not getattr(option, "nbval", False):
        return
    if option.nbval_cell_timeout == 2000:  # nbval's default would wait half an hour for a dead kernel
        option.nbval_cell_timeout = 120
    sanitize = ROOT / "tests" / "nbval.cfg"
    if option.nbval_sanitize_with is None and sanitize.exists():
        option.nbval_sanitize_with = str(sanitize)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a Chromium a browser test is skipped on a laptop and fails in CI."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(_NO_CHROMIUM, pytrace=False)
        pytest.skip(_NO_CHROMIUM)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud that the browser tests did not run."""
    skipped = [one for one in terminalreporter.stats.get("skipped", []) if _NO_CHROMIUM in str(one.longrepr)]
    if skipped:
        terminalreporter.section("browser tests", yellow=True, bold=True)
        terminalreporter.line(f"{len(skipped)} BROWSER TESTS DID NOT RUN: {_NO_CHROMIUM}.", yellow=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium to drive; for tests marked `browser`."""
    path = find_chromium()
    assert path is not None, _NO_CHROMIUM
    return path


@pytest.fixture(autouse=True)
def global_random_state() -> Iterator[None]:
    """Nothing of ours touches NumPy's global generator: a test that changes it fails."""
    before = np.random.get_state()  # noqa: NPY002  (the global generator is what is watched)
    yield
    after = np.random.get_state()  # noqa: NPY002
    assert before[2:] == after[2:], "NumPy's global random state changed; draw from an rng instead"
    assert np.array_equal(before[1], after[1]), "NumPy's global random state changed; draw from an rng instead"
