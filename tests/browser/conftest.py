"""A real JupyterLab, a real Chromium, and a page that remembers everything that went wrong on it."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

# Software rendering gives the same pixels everywhere; the rest keeps Chromium from talking to anybody but us.
_CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells out of sight are not in the page
}


@dataclass(frozen=True)
class LabServer:
    """A running JupyterLab: where it answers and which folder it shows."""

    url: str
    root: Path

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Save a notebook with these code cells in the folder and return its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(notebook, self.root / name)
        return name

    def shut_down_kernels(self) -> None:
        """End the kernels that closed pages leave behind."""
        with urllib.request.urlopen(f"{self.url}/api/sessions", timeout=10) as answer:
            sessions = json.load(answer)
        for session in sessions:
            request = urllib.request.Request(f"{self.url}/api/sessions/{session['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=10).close()


@dataclass
class LabPage:
    """A notebook open in JupyterLab."""

    page: Page
    server: LabServer
    problems: list[str] = field(default_factory=list)
    knows_its_widgets: bool = False

    def watch(self) -> None:
        """Write down errors, dialogs, and requests that leave this machine."""
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._frame))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _frame(self, payload: str | bytes) -> None:
        # One answer of a kernel that has imported ipywidgets, one of all others.
        said = payload.encode() if isinstance(payload, str) else payload
        self.knows_its_widgets = self.knows_its_widgets or b"update_states" in said or b"comm_info_reply" in said

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, self.server.url.replace("http", "ws"), "data:", "blob:")):
            self.problems.append(f"request to {request.url}")

    def open(self, notebook: str, *, classic: bool = False) -> None:
        """Open a notebook in JupyterLab, or in Notebook 7, and run all of its cells, to the last."""
        self.knows_its_widgets = False
        self.page.goto(f"{self.server.url}/{'notebooks' if classic else 'lab/tree'}/{notebook}?reset")
        self.idle()
        if not classic:  # idle, and connected: else Run asks for a kernel
            self.page.get_by_text("| Idle").wait_for(timeout=90_000)
        # A new page asks the kernel for the widgets that are there. What is made before the answer can come in halves.
        for _ in range(100):
            if self.knows_its_widgets:
                break
            self.page.wait_for_timeout(50)
        for _ in range(5):
            self.page.locator(".jp-Notebook .jp-Cell").first.click()
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            with contextlib.suppress(PlaywrightTimeout):  # JupyterLab forgets the command where the kernel answers late
                self._prompts_without("[ ]", 8_000)
                self._prompts_without("[*]", 120_000)
                self.idle()
                return
        raise AssertionError("the notebook's cells were not run")

    def _prompts_without(self, sign: str, patience: float) -> None:
        """Wait until no code cell has this sign for not run, or still running, beside it."""
        prompts = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        none = f"sign => !{prompts}.some(prompt => prompt.textContent.includes(sign))"
        self.page.wait_for_function(none, arg=sign, timeout=patience)

    def run(self, code: str, *, wait: bool = True) -> None:
        """Type code into a new last cell and run it."""
        cells = self.page.locator(".jp-Notebook .jp-Cell")
        new = cells.count()
        cells.last.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        cells.nth(new).wait_for(timeout=20_000)
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")
        if wait:  # for the number that the kernel's reply brings: the status says idle until the cell is under way
            cells.nth(new).locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=90_000)
            self.idle()

    def answer(self, code: str) -> str:
        """Type code into a new last cell, run it, and say in words what it shows."""
        self.run(code)
        outputs = self.page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
        outputs.first.wait_for(timeout=20_000)
        # An output stands in the page before its text does.
        filled = "outputs => outputs.every(one => one.innerText.trim())"
        for _ in range(400):
            if outputs.evaluate_all(filled):
                return "\n".join(outputs.all_inner_texts()).strip()
            self.page.wait_for_timeout(50)
        raise AssertionError(f"an output of {code!r} stays empty")

    def idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=90_000)

    def busy(self) -> bool:
        """Whether the kernel computes at this moment."""
        return self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]').count() > 0

    def error_outputs(self) -> list[str]:
        """Texts of all error and stderr outputs of the notebook."""
        kinds = ", ".join(f'[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in ("error", "stderr"))
        return self.page.locator(kinds).all_inner_texts()


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A JupyterLab on a free port of this machine, with settings, history and configuration of its own."""
    root, home = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("lab-home")
    for name, values in _SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tests_only = ("TQDM_DISABLE", "BPLIB_PROGRESS")
    learners = {name: value for name, value in os.environ.items() if name not in tests_only}
    environment = learners | {
        "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"), "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "JUPYTER_PLATFORM_DIRS": "1",
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    with (home / "lab.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    server = LabServer(f"http://127.0.0.1:{port}", root)
    try:
        _wait_until_it_answers(server.url, process, home / "lab.log")
        yield server
        server.shut_down_kernels()
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/api/status", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not answer: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A Chromium for the tests of one module. Not longer: Playwright's loop would run under every other test."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(_CHROMIUM))
        yield launched
        launched.close()


@pytest.fixture
def lab_page(browser: Browser, lab_server: LabServer) -> Iterator[Callable[..., LabPage]]:
    """Open a page in a context of its own; nothing may have gone wrong on it by the end of the test."""
    opened: list[LabPage] = []

    def make(**context: Any) -> LabPage:
        settings = {"viewport": {"width": 1280, "height": 900}} | context
        made = LabPage(browser.new_context(**settings).new_page(), lab_server)
        made.watch()
        opened.append(made)
        return made

    yield make
    for made in opened:
        made.page.context.close()
    lab_server.shut_down_kernels()
    assert [problem for made in opened for problem in made.problems] == []
