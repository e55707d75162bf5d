"""Where everything lies, seen from the folder of the project."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MY = ROOT / "my"
NOTEBOOKS = ROOT / "notebooks"
JUPYTER = MY / ".jupyter"
LOG = JUPYTER / "lab.log"
WHEELS = ROOT / "wheels"
WINDOWS = os.name == "nt"


def venv_python() -> Path:
    """The Python of the environment, whether it exists yet or not."""
    return VENV / "Scripts" / "python.exe" if WINDOWS else VENV / "bin" / "python"


def site_packages() -> Path:
    """The folder that holds the environment's packages."""
    if WINDOWS:
        return VENV / "Lib" / "site-packages"
    return next(iter(sorted(VENV.glob("lib/python3*/site-packages"))), VENV / "lib" / "site-packages")
