"""The one table of environment variables: the launcher, the tests, the builder and conftest.py all read it here."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands.places import JUPYTER, MY, ROOT, VENV, venv_python


def every_run(own: Path) -> dict[str, str]:
    """What holds for every run; `own` is the folder for Jupyter's own files."""
    return {
        # The nets are small: a second BLAS thread made them up to 20 times slower on a busy machine.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # Settings, start-up files and kernels in the home folder must not change the course, nor the course them.
        "IPYTHONDIR": str(own / "ipython"),
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTER_CONFIG_PATH": str(ROOT / "binder" / "jupyter"),
    }


def quiet_run(own: Path) -> dict[str, str]:
    """For tests and builder: no progress bars, and the learner's progress is neither read nor written."""
    return {**every_run(own), "TQDM_DISABLE": "1", "BPLIB_PROGRESS": str(own / "progress.json")}


def lab_run() -> dict[str, str]:
    """For the learner's JupyterLab."""
    return {**every_run(JUPYTER), "BPLIB_PROGRESS": str(MY / "progress.json")}


def child(table: dict[str, str]) -> dict[str, str]:
    """This process's environment, without what would lead Python, pip or Jupyter elsewhere, and with the table."""
    elsewhere = ("JUPYTER", "JPY_", "IPYTHON", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(elsewhere)}
    kept["PATH"] = os.pathsep.join(filter(None, [str(venv_python().parent), kept.get("PATH")]))
    ours = {"VIRTUAL_ENV": str(VENV), "PYTHONUTF8": "1", "PIP_USER": "0", "MPLCONFIGDIR": str(VENV / "matplotlib")}
    return {**kept, **ours, **table}


@contextlib.contextmanager
def quiet_child() -> Iterator[dict[str, str]]:
    """The environment of one quiet run, with a temporary folder for what it leaves behind."""
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as own:
        yield child(quiet_run(Path(own)))
