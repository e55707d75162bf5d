"""A newcomer's first evening, for real: a fresh copy, an empty home, the network once and then never again."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "my", "__pycache__", ".*_cache", ".hypothesis")
NOTEBOOK = (
    '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", '
    '"language": "python"}}, "nbformat": 4, "nbformat_minor": 5}'
)


@pytest.fixture
def fresh_copy(tmp_path: Path) -> Path:
    folder = tmp_path / "Mein Kürs"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    if not list((folder / "notebooks").glob("*.ipynb")):
        (folder / "notebooks" / "00_start.ipynb").write_text(NOTEBOOK, "utf-8")
    return folder


def open_and_end(folder: Path, **variables: str) -> tuple[list[str], float]:
    """Start the lab, fetch the printed address, end it as Ctrl-C does; the lines and the seconds until it was open."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "PYTHON"))}
    begin, lines, seconds = time.monotonic(), [], float("nan")
    base_python = getattr(sys, "_base_executable", sys.executable)
    with subprocess.Popen(
        [base_python, "course.py", "--no-browser"],
        cwd=folder,
        env={**kept, "HOME": str(home), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as launcher:
        assert launcher.stdout is not None
        for line in launcher.stdout:
            lines.append(line.rstrip())
            if line.startswith("http://127.0.0.1:"):
                seconds = time.monotonic() - begin
                with urllib.request.urlopen(line.strip(), timeout=30) as page:
                    assert page.status == 200
                    assert b"jupyter-config-data" in page.read()
                launcher.send_signal(signal.SIGINT)
        assert launcher.wait(60) == 0, lines
    return lines, seconds


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_two_starts_from_a_fresh_copy(fresh_copy: Path) -> None:
    lines, seconds = open_and_end(fresh_copy)
    address = next(line for line in lines if line.startswith("http"))
    first = min(path.name for path in (fresh_copy / "notebooks").glob("*.ipynb"))
    assert f"/lab/tree/my/{first}?token=" in address
    assert any("packages installed" in line for line in lines)
    assert seconds < 600
    assert list((fresh_copy.parent / "home").glob(".jupyter*")) == []

    nowhere = "http://127.0.0.1:9"
    offline = {"PIP_NO_INDEX": "1", "http_proxy": nowhere, "https_proxy": nowhere}
    again, seconds = open_and_end(fresh_copy, **offline)
    assert not any("packages" in line for line in again)
    assert seconds < 30
