"""A newcomer's first evening, for real: a fresh copy, an empty home, the network once and then never again."""

import json
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


def started(folder: Path, **variables: str) -> "subprocess.Popen[str]":
    """The lab, started as a newcomer starts it."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "PYTHON"))}
    base_python = getattr(sys, "_base_executable", sys.executable)
    return subprocess.Popen(
        [base_python, "course.py", "--no-browser"],
        cwd=folder,
        env={**kept, "HOME": str(home), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def open_and_end(folder: Path, how: str, **variables: str) -> tuple[list[str], float]:
    """Start the lab, fetch the printed address, end it; the lines and the seconds until it was open."""
    begin, lines, seconds = time.monotonic(), [], float("nan")
    with started(folder, **variables) as launcher:
        assert launcher.stdout is not None
        for line in launcher.stdout:
            lines.append(line.rstrip())
            if line.startswith("http://127.0.0.1:"):
                seconds = time.monotonic() - begin
                with urllib.request.urlopen(line.strip(), timeout=30) as page:
                    assert page.status == 200
                    assert b"jupyter-config-data" in page.read()
                if how == "killed":
                    check_second_start(folder, line.strip())
                    (record,) = (folder / "my" / ".jupyter" / "runtime").glob("jpserver-*.json")
                    os.kill(json.loads(record.read_text("utf-8"))["pid"], signal.SIGKILL)
                else:
                    launcher.send_signal(signal.SIGINT)
        assert launcher.wait(60) == (2 if how == "killed" else 0), lines
    return lines, seconds


def check_second_start(folder: Path, address: str) -> None:
    with started(folder) as second:
        out, _ = second.communicate(timeout=60)
    assert (second.returncode, out.splitlines()[1]) == (0, address)
    assert "already runs in this folder" in out


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_three_starts_from_a_fresh_copy(fresh_copy: Path) -> None:
    lines, seconds = open_and_end(fresh_copy, "by Ctrl-C")
    address = next(line for line in lines if line.startswith("http"))
    first = min(path.name for path in (fresh_copy / "notebooks").glob("*.ipynb"))
    assert f"/lab/tree/my/{first}?token=" in address
    assert any("packages installed" in line for line in lines)
    assert seconds < 600
    assert list((fresh_copy.parent / "home").glob(".jupyter*")) == []

    nowhere = "http://127.0.0.1:9"
    offline = {"PIP_NO_INDEX": "1", "http_proxy": nowhere, "https_proxy": nowhere}
    again, seconds = open_and_end(fresh_copy, "killed", **offline)
    assert not any("packages" in line for line in again)
    assert seconds < 30
    assert any(line.startswith("JupyterLab ended unexpectedly; it was stopped by signal 9") for line in again)

    # The record of the killed server is still there.
    last, _ = open_and_end(fresh_copy, "by Ctrl-C", **offline)
    assert last[-1] == "JupyterLab is ending."
