"""The verbs that run a script of the project in its environment."""

import subprocess

from commands.console import Problem
from commands.environment import quiet_child
from commands.places import ROOT, venv_python
from commands.setup import set_up


def build(arguments: list[str]) -> int:
    """Make the notebooks from their sources."""
    return _run("notebooks/build.py", arguments)


def verify(arguments: list[str]) -> int:
    """Measure every promise and print the table."""
    return _run("benchmarks/verify.py", arguments)


def bench(arguments: list[str]) -> int:
    """Time the library beside NumPy by hand and other libraries."""
    return _run("benchmarks/engine.py", arguments)


def _run(script: str, arguments: list[str]) -> int:
    if not (ROOT / script).exists():
        raise Problem(f"The file {script} is missing.", "Get a complete copy of the project.")
    set_up("tests")
    with quiet_child() as variables:
        command = [str(venv_python()), str(ROOT / script), *arguments]
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode
