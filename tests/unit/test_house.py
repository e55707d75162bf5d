"""The house rules: pins, layout, directions of import, sizes, docstrings, words that must not occur."""

import ast
import doctest
import functools
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

from commands.main import VERBS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MODULES = sorted((ROOT / "bplib").rglob("*.py"))
SOURCES = sorted([ROOT / "course.py", ROOT / "conftest.py", *MODULES, *(ROOT / "commands").glob("*.py")])
# The broken notebooks are there to break these rules.
NOT_OURS = {"fixtures", ".git", ".venv", "my", "__pycache__", ".hypothesis", ".ipynb_checkpoints", "build", "dist"}

# -- pins -------------------------------------------------------------------------------------------------------------


def pins(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_exactly_and_in_order(name: str) -> None:
    wanted = pins(name)
    assert all([spec.operator for spec in one.specifier] == ["=="] and "*" not in str(one.specifier) for one in wanted)
    names = [plain(one.name) for one in wanted]
    assert names == sorted(names)
    assert all(one.marker for one in wanted if names.count(plain(one.name)) > 1), "two versions for the same machine"
    assert (ROOT / name).read_text("utf-8").startswith("# ")


def test_the_development_pins_repeat_nothing() -> None:
    assert not {one.name for one in pins("requirements.txt")} & {one.name for one in pins("requirements-dev.txt")}


def test_binder_installs_the_same_pins_on_a_python_they_fit() -> None:
    assert (ROOT / "binder" / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()
    assert (ROOT / "binder" / "runtime.txt").read_text("utf-8") == "python-3.11\n"
    script = (ROOT / "binder" / "postBuild").read_text("utf-8").splitlines()
    assert script[:2] == ["#!/usr/bin/env bash", "set -euo pipefail"]
    assert script[2] == "python -m pip install --no-deps --no-cache-dir ."


def test_the_packages_asked_for_are_named() -> None:
    names = {one.name for one in pins("requirements.txt")}
    assert names >= {"numpy", "matplotlib", "ipywidgets", "jupyterlab", "nbval", "pytest", "anywidget", "tqdm"}
    tools = {"hypothesis", "jupytext", "playwright", "ruff", "mypy", "codespell", "setuptools", "wheel"}
    assert {one.name for one in pins("requirements-dev.txt")} >= tools


def test_the_pins_lie_inside_the_supported_ranges() -> None:
    pinned = {plain(one.name): str(one.specifier).removeprefix("==") for one in pins("requirements.txt")}
    ranges = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["course"]]
    for wanted in map(Requirement, ranges):
        assert wanted.specifier.contains(pinned[plain(wanted.name)]), wanted
    assert "numpy>=2.0" in PROJECT["project"]["dependencies"]
    assert "matplotlib>=3.8" in PROJECT["project"]["dependencies"]


# -- layout -----------------------------------------------------------------------------------------------------------


def test_jupyterlab_starts_without_news_updates_and_extension_manager() -> None:
    folder = ROOT / "binder" / "jupyter"
    overrides = json.loads((folder / "labconfig" / "default_setting_overrides.json").read_text("utf-8"))
    assert overrides["@jupyterlab/apputils-extension:notification"] == {"fetchNews": "false", "checkForUpdates": False}
    disabled = json.loads((folder / "labconfig" / "page_config.json").read_text("utf-8"))["disabledExtensions"]
    assert disabled["@jupyterlab/extensionmanager-extension:plugin"] is True
    server = json.loads((folder / "jupyter_server_config.json").read_text("utf-8"))
    assert server["KernelManager"]["transport_encryption"] == "auto"


def test_what_the_commands_make_is_ignored_by_git() -> None:
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert {"/.venv/", "/my/"} <= set(lines)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such mark")
@pytest.mark.parametrize("name", [".ci/run", "binder/postBuild"])
def test_the_scripts_can_be_started(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_the_readme_names_the_commands_that_exist() -> None:
    named = re.findall(r"python3? course\.py +([a-z]+)", (ROOT / "README.md").read_text("utf-8"))
    assert set(named) <= set(VERBS)
    assert "test" in named


def test_every_package_has_an_init() -> None:
    assert all((path.parent / "__init__.py").exists() for path in MODULES)


def test_no_file_bears_the_name_of_a_public_function() -> None:
    bplib = importlib.import_module("bplib")
    public = {name for name in bplib.__all__ if not isinstance(getattr(bplib, name), ModuleType)}
    assert not public & {path.stem for path in (ROOT / "bplib").glob("*")}


# -- directions of import ---------------------------------------------------------------------------------------------

_CHECKS = {"errors", "checks", "constants", "quiet", "threads", "journal"}
_ENGINE = {"rules", "home", "nodes", "modes", "spans", "engine", "protocols", "tensors"}
_CORE = _ENGINE | {"functional"}
_AROUND = {"anomaly", "differentiation", "programs", "compiling", "recording", "tracing"}
_PARTS = _AROUND | {"losses", "nn", "numeric", "optim", "data", "scalar", "references"}
_LIBRARY = _CORE | _PARTS | {"landscape", "training"}
MAY_IMPORT = {
    "errors": set(),
    "datasets": set(),
    "checks": {"errors"},
    "rules": _CHECKS,
    "home": _CHECKS,
    "constants": set(),
    "quiet": set(),
    "threads": set(),
    "journal": {"errors", "threads"},
    "nodes": _CHECKS | {"rules", "home"},
    "spans": {"home", "nodes"},
    "modes": {"threads", "nodes"},
    "engine": _CHECKS | {"rules", "home", "nodes", "modes"},
    "anomaly": _CHECKS | {"rules", "nodes", "modes"},
    "protocols": _CHECKS | {"rules", "nodes", "engine"},
    "tensors": _CHECKS | {"rules", "home", "nodes", "engine", "protocols"},
    "functional": _CHECKS | _ENGINE,
    "differentiation": _CHECKS | _ENGINE,
    "programs": _CHECKS | {"rules", "nodes"},
    "compiling": {"journal", "rules", "nodes", "programs"},
    "recording": _CHECKS | _ENGINE | {"compiling"},
    "losses": _CHECKS | _CORE,
    "nn": _CHECKS | _CORE,
    "numeric": _CHECKS | _CORE,
    "tracing": _CHECKS | _CORE,
    # A step function sees arrays; an optimizer calls the parameter's own methods: the update is visibly not backprop.
    "optim": _CHECKS,
    "data": _CHECKS,
    "scalar": _CHECKS,
    "references": _CHECKS,
    "landscape": _CHECKS | _CORE | {"nn", "losses", "optim", "numeric"},
    "training": _CHECKS | _ENGINE | {"nn", "losses", "optim", "data"},
    "viz": _CHECKS | _LIBRARY,
    "widgets": _CHECKS | _LIBRARY | {"viz"},
    "lessons": _CHECKS | _LIBRARY | {"viz", "widgets"},
}
OUTSIDE = {
    "viz": {"numpy", "matplotlib", "PIL", "cycler"},  # matplotlib brings the last two
    "widgets": {"numpy", "ipywidgets", "anywidget", "traitlets", "IPython"},
    "lessons": {"numpy", "matplotlib", "ipywidgets", "anywidget", "traitlets", "IPython"},
    "training": {"numpy", "tqdm"},
    "landscape": {"numpy", "tqdm"},
}


def imported(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, at whatever depth."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it leads"
            deeper = node.module == "bplib"
            yield from (f"bplib.{alias.name}" for alias in node.names) if deeper else (node.module or "",)


def row_of(path: Path) -> str:
    return path.relative_to(ROOT / "bplib").with_suffix("").parts[0]


def forbidden_imports(path: Path) -> list[str]:
    row = row_of(path)
    if path == ROOT / "bplib" / "__init__.py":
        return [name for name in imported(path) if name.split(".")[1:2] in (["viz"], ["widgets"], ["lessons"])]
    assert row in MAY_IMPORT, f"{row} has no row in the table of import directions"
    found = []
    for name in imported(path):
        top, *below = name.split(".")
        if top == "bplib":
            allowed = bool(below) and below[0] in MAY_IMPORT[row] | {row}
        else:
            allowed = top in sys.stdlib_module_names or top in OUTSIDE.get(row, {"numpy"})
        found += [] if allowed else [name]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    assert forbidden_imports(path) == []


def test_importing_the_library_leaves_pictures_and_widgets_out() -> None:
    question = "import bplib, sys; print(sorted({'matplotlib', 'ipywidgets', 'IPython'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# -- sizes, docstrings, examples --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_and_functions_are_short_enough_to_read(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = text.count("\n")
    assert lines <= 400
    long = {name: length for name, length in body_lengths(text) if length > 40}
    assert not long, f"more than 40 lines: {long}"


def test_nine_functions_in_ten_have_at_most_15_lines() -> None:
    lengths = [length for path in SOURCES for _, length in body_lengths(path.read_text("utf-8"))]
    assert sum(length <= 15 for length in lengths) >= 0.9 * len(lengths)


def body_lengths(text: str) -> Iterator[tuple[str, int]]:
    """Lines of each function after its signature and docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@functools.cache
def load(path: Path) -> ModuleType:
    name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    return importlib.import_module(name.removesuffix(".__init__"))


def public_objects(module: ModuleType) -> Iterator[tuple[str, object]]:
    """The module's own public names, and the public methods and properties of its public classes."""
    for name, value in vars(module).items():
        if name.startswith("_") or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if value.__module__ != module.__name__:
            continue
        yield name, value
        if inspect.isclass(value):
            for below, member in vars(value).items():
                if not below.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                    yield f"{name}.{below}", member


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_public_name_is_explained(path: Path) -> None:
    module = load(path)
    assert module.__doc__, "the module says nothing about itself"
    silent = [name for name, value in public_objects(module) if not inspect.getdoc(value)]
    assert silent == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_example_in_a_docstring_runs(path: Path) -> None:
    assert doctest.testmod(load(path), optionflags=doctest.ELLIPSIS).failed == 0


# -- words ------------------------------------------------------------------------------------------------------------

# Written in pieces, so that this file passes its own test.
MACHINE = [r"/r" + r"oot\b", r"/wo" + r"rk/", r"/ho" + r"me/\w", r"/tm" + r"p/", r"C:\\Us" + r"ers", r"/opt" + r"/pypi"]
HOSTS = [r"py" + r"pi\.org", r"files\.python" + r"hosted", r"index-" + r"url", r"registry\." + r"npmjs"]
SEARCH_FOR_PATHS = {"notebooks/guards.py", "tests/notebooks/test_guards.py"}  # they must name what they look for
TEXT = {".py", ".js", ".md", ".toml", ".txt", ".cfg", ".cff", ".json", ".ipynb", ".css", ".yaml", ".yml", ""}


def files() -> list[Path]:
    found = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in NOT_OURS and not name.endswith("_cache")]
        found += [Path(folder) / name for name in names if Path(name).suffix in TEXT]
    return sorted(found)


@pytest.mark.parametrize("pattern", [*MACHINE, *HOSTS])
def test_no_path_of_a_machine_and_no_address_of_a_registry(pattern: str) -> None:
    guilty = {path.relative_to(ROOT).as_posix() for path in files() if re.search(pattern, path.read_text("utf-8"))}
    assert guilty - SEARCH_FOR_PATHS == set()


RUN_TEXT = {"eval", "exec", "compile", "__import__"}
REACH_OUT = {"pickle", "shelve", "marshal", "subprocess", "socket", "urllib", "requests", "http", "ftplib"}
LIBRARY_AND_LESSONS = sorted([*MODULES, *(ROOT / "notebooks" / "src").glob("*.py")])


@pytest.mark.parametrize("path", LIBRARY_AND_LESSONS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_is_run_as_code_and_nothing_reaches_out(path: Path) -> None:
    assert unsafe(ast.parse(path.read_text("utf-8")), {name.split(".")[0] for name in imported(path)}) == []


@pytest.mark.parametrize("text", ["eval('1')", "np.load(f, allow_pickle=True)", "os.system('ls')", "Javascript('x')"])
def test_the_search_for_unsafe_code_finds_it(text: str) -> None:
    assert unsafe(ast.parse(text), set())


def unsafe(tree: ast.Module, imports: set[str]) -> list[str]:
    found = sorted(REACH_OUT & imports)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            bad = called in RUN_TEXT or called.split(".")[-1] in {"system", "popen", "Javascript"}
            bad |= any(key.arg == "allow_pickle" and ast.unparse(key.value) != "False" for key in node.keywords)
            found += [called] if bad else []
    return found
