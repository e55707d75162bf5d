"""An empty project for the tests of the commands: without network, pip or a real environment."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import main, setup

assert main.VERBS, "with the table of verbs every module of the commands is loaded"


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
        "WHEELS": root / "wheels",
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
