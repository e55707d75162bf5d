"""The library as others install it: a wheel, away from the checkout, complete."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bplib"
BUILD_INPUT = ("pyproject.toml", "README.md", "LICENSE")

# Isolated (-I): neither PYTHONPATH nor the working folder can lead back to the checkout.
IMPORT_ALL = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import bplib
names = [module.name for module in pkgutil.walk_packages(bplib.__path__, "bplib.")]
for name in names:
    importlib.import_module(name)
print(json.dumps({"where": bplib.__file__, "names": names}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network from a copy, so that the checkout gets no build folder."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(PACKAGE, source / "bplib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILD_INPUT:
        shutil.copy(ROOT / name, source / name)
    # Folders beside the package must not end up in the wheel, nor stop the build.
    for name in ("notebooks", "commands", "benchmarks"):
        (source / name).mkdir()
        (source / name / "__init__.py").touch()
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target), str(source))
    (built,) = target.glob("bplib-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "--no-index"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    kinds = {".py", ".js", ".css", ".json", ".npz", ".typed"}
    expected = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.suffix in kinds}
    assert inside == expected | {"bplib/py.typed"}
    assert {".js", ".npz"} <= {Path(name).suffix for name in inside}


def test_the_wheel_names_licence_python_and_ranges(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
    lines = archive.read(name).decode().splitlines()
    for line in ("License-Expression: MIT", "Requires-Python: >=3.11", "Requires-Dist: numpy>=2.0"):
        assert line in lines


def test_every_module_imports_from_the_installed_wheel(installed: Path) -> None:
    command = [sys.executable, "-I", "-W", "error", "-c", IMPORT_ALL, str(installed)]
    ran = subprocess.run(command, cwd=installed, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert Path(told["where"]).is_relative_to(installed)
    modules = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in PACKAGE.rglob("*.py")}
    modules = {name.removesuffix(".__init__") for name in modules} - {"bplib"}
    assert set(told["names"]) == modules
