"""The builder's modules are importable here, and the broken fixtures are nobody's tests."""

import shutil
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_NOTEBOOKS = _HERE.parents[1] / "notebooks"
sys.path.insert(0, str(_NOTEBOOKS))

collect_ignore = ["fixtures"]


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder with one good notebook and, in ``broken``, eight bad ones."""
    return _HERE / "fixtures"


@pytest.fixture
def course(tmp_path: Path, fixtures: Path) -> Path:
    """A course of one good notebook that a test may spoil."""
    folder = tmp_path / "course"
    shutil.copytree(fixtures, folder, ignore=shutil.ignore_patterns("broken"))
    return folder
