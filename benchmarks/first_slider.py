"""How long a learner waits: from `python course.py` to the first slider, in a copy of the course and a real browser.

The browser runs before the clock does, as a learner's may. The first notebook opens with its saved pictures; a slider
is there only once the cells have run.
"""

import contextlib
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Error, Page, sync_playwright

from commands.machine import find_chromium

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "my", "wheels", "__pycache__", ".*_cache", ".hypothesis")
# What this process was given for itself; the copy has an empty home and finds its own way.
_OURS = ("JUPYTER", "JPY_", "IPYTHON", "PYTHON", "PIP_CACHE", "XDG_", "BPLIB", "TQDM", "MPL", "VIRTUAL_ENV")
_CHROMIUM = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_PATIENCE = 120_000  # ms that one thing on the page may take


class NotMeasured(Exception):
    """This machine lacks what the measurement needs; no promise is broken by that."""


class Waits(NamedTuple):
    """Seconds, one after the other."""

    server: float
    notebook: float
    kernel: float
    slider: float

    def __str__(self) -> str:
        """All of it in one line of the table."""
        return (
            f"{sum(self):.1f} s: {self.server:.1f} s to the server, {self.notebook:.1f} s to the notebook, "
            f"{self.kernel:.1f} s to its kernel, {self.slider:.1f} s from Run All Cells to the slider"
        )


def first_start(root: Path) -> Waits:
    """A fresh copy in an empty home, packages and all."""
    with chromium_page() as page, fresh_copy(root) as course:
        return _start(course, page)


def second_start(root: Path) -> Waits:
    """The environment is complete; the median of three starts after one that compiles and fills the caches."""
    with chromium_page() as page, complete_copy(root) as course:
        starts = [_start(course, page) for _ in range(4)][1:]
    middle = statistics.median(map(sum, starts))
    return next(waits for waits in starts if sum(waits) == middle)


@contextlib.contextmanager
def complete_copy(root: Path) -> Iterator[Path]:
    """A fresh copy with the environment of the course in it."""
    if not (root / ".venv").is_dir():
        raise NotMeasured("no environment in .venv; python course.py verify makes it")
    with fresh_copy(root) as course:
        shutil.copytree(root / ".venv", course / ".venv", symlinks=True)
        yield course


@contextlib.contextmanager
def fresh_copy(root: Path) -> Iterator[Path]:
    """The course as a learner gets it, with an empty home beside it."""
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "home").mkdir()
        yield Path(shutil.copytree(root, Path(folder) / "course", ignore=_LEFT_OUT))


@contextlib.contextmanager
def chromium_page() -> Iterator[Page]:
    """An empty page in a browser that runs already."""
    chromium = find_chromium()
    if chromium is None:
        raise NotMeasured("no Chromium or Chrome on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_CHROMIUM))
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def _start(course: Path, page: Page) -> Waits:
    begin = time.monotonic()
    with running(course) as address:
        server = time.monotonic() - begin
        notebook, kernel, slider = _wait_for_slider(page, address)
        page.goto("about:blank")
    return Waits(server, notebook, kernel, slider)


@contextlib.contextmanager
def running(course: Path) -> Iterator[str]:
    """The address that the command prints; at the end the server is shut down as JupyterLab's menu does it."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OURS)}
    home = str(course.parent / "home")
    python = getattr(sys, "_base_executable", sys.executable)
    with subprocess.Popen(
        [python, "course.py", "--no-browser"],
        cwd=course,
        env={**kept, "HOME": home, "USERPROFILE": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as launcher:
        try:
            address = _address(launcher)
            yield address
            _shut_down(address)
            launcher.communicate(timeout=60)
        finally:
            launcher.terminate()


def _address(launcher: "subprocess.Popen[str]") -> str:
    lines: list[str] = []
    for line in launcher.stdout or ():
        lines.append(line.strip())
        if line.startswith("http://127.0.0.1:"):
            return lines[-1]
    if any("could not be fetched" in line for line in lines):
        raise NotMeasured("no network")
    raise RuntimeError(" ".join(lines[-4:]))


def _shut_down(address: str) -> None:
    parts = urllib.parse.urlsplit(address)
    request = urllib.request.Request(f"http://{parts.netloc}/api/shutdown?{parts.query}", method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()


def _wait_for_slider(page: Page, address: str) -> tuple[float, float, float]:
    page.set_default_timeout(_PATIENCE)
    moments = [time.monotonic()]
    page.goto(address, wait_until="commit")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    moments.append(time.monotonic())
    page.get_by_text("| Idle").wait_for()
    moments.append(time.monotonic())
    run_all_cells(page)
    page.locator(".noUi-handle").first.wait_for()
    moments.append(time.monotonic())
    notebook, kernel, slider = (later - earlier for earlier, later in itertools.pairwise(moments))
    return notebook, kernel, slider


def run_all_cells(page: Page) -> None:
    """Choose Run All Cells in the menu until a cell runs."""
    for _ in range(3):  # JupyterLab forgets the command where the kernel answers late
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(Error):
            page.locator(".jp-InputPrompt", has_text="[*]").first.wait_for(timeout=1000)
            return
    raise RuntimeError("the cells were not run")
