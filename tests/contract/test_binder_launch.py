"""A build and a launch as on Binder, without Docker: base layer, pins, postBuild, start, and the first notebook run.

It takes most of a minute and the network, and stays among the tests of every run all the same: only an environment made
from nothing shows that a package is missing from the pins or a file from the library. What it cannot show is Ubuntu
and conda, which lie below.
"""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest
import websocket

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Binder's scripts are for bash, on Linux")

_LAYER = Path(next(iter(importlib.util.find_spec("repo2docker").submodule_search_locations))) / "buildpacks"
# Of the base layer's packages those that could disagree with ours; conda and PyPI call them the same.
_BASE = ("jupyterlab", "notebook", "jupyter_server", "jupyterhub", "ipykernel", "ipywidgets", "jupyterlab_widgets",
         "jupyter-resource-usage", "jupyter-offlinenotebook")  # fmt: skip
# A container knows nothing of this run of pytest: whatever the course needs, `start` has to set.
_OURS = ("JUPYTER", "JPY_", "IPYTHON", "PYTHON", "BPLIB", "OPENBLAS_NUM", "OMP_", "TQDM", "MPL", "VIRTUAL_ENV", "XDG_")
_NO_NETWORK = ("error sending request", "dns error", "NewConnectionError", "NameResolutionError", "Max retries")
_PROBE = """
import json, os
import bplib
from bplib.lessons.progress import current_progress
progress = current_progress()
progress.keep_prediction("probe", answer=1.0, reason="", skipped=False)
print(json.dumps([bplib.__file__, os.environ.get("OPENBLAS_NUM_THREADS"), str(progress.path), progress.notice()]))
"""


@dataclass
class Image:
    """A folder that plays the container's home with the project in it, and the environment beside it."""

    home: Path
    venv: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, may_fail: bool = False) -> str:
        """What a step of the build prints; a step that fails ends the build."""
        ran = subprocess.run(
            command, cwd=self.home, env=self.variables, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if ran.returncode and any(mark in ran.stdout for mark in _NO_NETWORK):
            _cannot("the packages of Binder's image cannot be fetched: there is no network")
        assert may_fail or ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout[-4000:]}"
        return ran.stdout


@dataclass
class Server:
    """A running server as the hub sees it."""

    image: Image
    process: "subprocess.Popen[bytes]"
    address: str
    token: str

    def ask(self, path: str, method: str = "GET", body: Any = None) -> bytes:
        """The answer to one request."""
        request = urllib.request.Request(
            self.address + path, method=method, headers={"Authorization": f"token {self.token}"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.read()

    def log(self) -> str:
        """What the server wrote."""
        return (self.image.home / ".jupyter-server-log.txt").read_text("utf-8", errors="replace")


@dataclass
class Kernel:
    """A kernel, spoken to as the page in the browser does."""

    socket: websocket.WebSocket
    errors: list[str] = field(default_factory=list)

    def run(self, code: str) -> str:
        """What a cell prints; errors and warnings of the cell are added to `errors`."""
        request = uuid.uuid4().hex
        header = {"msg_id": request, "username": "", "session": "test", "msg_type": "execute_request", "version": "5.4"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = {"header": {**header, "date": ""}, "parent_header": {}, "metadata": {}, "channel": "shell"}
        self.socket.send(json.dumps({**message, "content": content, "buffers": []}))
        printed = ""
        while True:
            answer = self.socket.recv()
            if isinstance(answer, bytes):  # a picture of a widget
                continue
            told = json.loads(answer)
            kind, content = told["msg_type"], told["content"]
            if kind == "error":
                self.errors.append(f"{content['ename']}: {content['evalue']}")
            elif kind == "stream" and content["name"] == "stderr":
                self.errors.append(content["text"])
            elif kind == "stream":
                printed += content["text"]
            elif kind == "status" and content["execution_state"] == "idle":
                if told["parent_header"].get("msg_id") == request:
                    return printed


def _cannot(reason: str) -> NoReturn:
    """Left out on a laptop, an error where everything has to be there."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _as_cloned(folder: Path) -> None:
    """Copy what a clone would have if the changes here were committed."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if not (ROOT / ".git").exists():  # a copy that was made without git
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", "my", "__pycache__", ".*_cache"))
        return
    for name in subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def _base_layer(version: str) -> list[str]:
    lock = (_LAYER / "conda" / f"environment.py-{version}-linux-64.lock").read_text("utf-8")
    found = {name: re.search(rf"/{name}-(?:base-)?(\d[^-]*)-[^-]*\.conda", lock) for name in _BASE}
    return [f"{name}=={version[1]}" for name, version in found.items() if version]


def _container(home: Path, venv: Path) -> dict[str, str]:
    """The environment variables of the image; of this machine's only those that lead to the package index."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_OURS)}
    return kept | {
        "HOME": str(home), "REPO_DIR": str(home), "USER": "jovyan", "PYTHONUNBUFFERED": "1",
        "NB_PYTHON_PREFIX": str(venv), "KERNEL_PYTHON_PREFIX": str(venv),
        "R2D_ENTRYPOINT": str(home / "binder" / "start"),
        "PATH": os.pathsep.join([str(venv / "bin"), kept.get("PATH", os.defpath)]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image, layer upon layer."""
    folder = tmp_path_factory.mktemp("binder")
    home, venv = folder / "home", folder / "environment"
    _as_cloned(home)
    version = (home / "binder" / "runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    python = shutil.which(f"python{version}")
    if python is None:
        _cannot(f"there is no python{version} on this machine, which Binder's image would have")
    made = Image(home, venv, _container(home, venv))
    made.run(python, "-m", "venv", str(venv))
    base = _base_layer(version)
    assert len(base) == len(_BASE), base
    # This layer is conda's on Binder. What lays it here need only be quick; what follows is done as Binder does it.
    made.run(sys.executable, "-m", "uv", "pip", "install", "--no-cache", f"--python={venv}/bin/python", *base)
    made.run(f"{venv}/bin/pip", "install", "--no-cache-dir", "-r", "binder/requirements.txt")
    made.run("./binder/postBuild")
    return made


@pytest.fixture(scope="module")
def server(image: Image) -> Iterator[Server]:
    """The server, started by the image's entry point with the arguments that BinderHub gives."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base, token = "/user/owner-backprop-course-x1y2z3/", uuid.uuid4().hex
    options = {"base_url": base, "token": token, "trust_xheaders": "True"}
    options |= {"allow_origin": "*", "allow_origin_pat": ".*"}
    arguments = [f"--{app}.{name}={value}" for app in ("NotebookApp", "ServerApp") for name, value in options.items()]
    command = ["jupyter-lab", "--ip=127.0.0.1", f"--port={port}", *arguments]
    if os.geteuid() == 0:  # the container's user is not root
        command.append("--allow-root")
    process = subprocess.Popen(
        [image.venv / "bin" / "python", _LAYER / "repo2docker-entrypoint", *command],
        cwd=image.home, env=image.variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    running = Server(image, process, f"http://127.0.0.1:{port}{base}", token)
    try:
        _wait_until_it_answers(running)
        yield running
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.wait(30)


def _wait_until_it_answers(server: Server) -> None:
    end = time.monotonic() + 90
    while server.process.poll() is None and time.monotonic() < end:
        try:
            server.ask("api/status")
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the server does not answer:\n{server.log()[-4000:]}")


@pytest.fixture(scope="module")
def notebook(image: Image) -> str:
    """The notebook that the link opens."""
    return min((image.home / "notebooks").glob("*.ipynb")).relative_to(image.home).as_posix()


@pytest.fixture(scope="module")
def kernel(server: Server, notebook: str) -> Iterator[Kernel]:
    """The kernel that opening the notebook starts."""
    wanted = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    session = json.loads(server.ask("api/sessions", "POST", wanted))
    address = f"{server.address.replace('http', 'ws', 1)}api/kernels/{session['kernel']['id']}/channels"
    header = [f"Authorization: token {server.token}"]
    opened = websocket.create_connection(address, header=header, timeout=120, http_no_proxy=["127.0.0.1"])
    yield Kernel(opened)
    opened.close()


def test_our_pins_and_the_base_layer_agree(image: Image) -> None:
    said = image.run(f"{image.venv}/bin/pip", "check", may_fail=True).splitlines()
    # The base layer's other interface wants the JupyterLab of its own day. The course is opened in JupyterLab.
    others = [line for line in said if not re.match(r"notebook \S+ has requirement jupyterlab<", line)]
    assert others in ([], ["No broken requirements found."])
    wanted = (image.home / "requirements.txt").read_text("utf-8").splitlines()
    installed = image.run(f"{image.venv}/bin/pip", "list", "--format=freeze").splitlines()
    assert {line for line in wanted if line.startswith(("jupyterlab=", "numpy="))} <= set(installed)


def test_the_list_of_fonts_is_in_the_image(image: Image) -> None:
    assert list(image.home.glob(".*/**/fontlist-*.json")), "the first picture of each launch would wait for it"


def test_the_build_leaves_nothing_among_the_learners_files(image: Image) -> None:
    added = {path.name for path in image.home.iterdir()} - {path.name for path in ROOT.iterdir()} - {"my"}
    assert {name for name in added if not name.startswith(".")} == set()


def test_the_page_opens_with_the_settings_of_the_course(server: Server, notebook: str) -> None:
    page = server.ask(f"lab/tree/{notebook}?token={server.token}").decode()
    data = json.loads(re.search(r'id="jupyter-config-data"[^>]*>\s*({.*?})\s*</script>', page, re.DOTALL)[1])
    assert data["news"] == {"disabled": True}
    unwanted = {"@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension:plugin"}
    assert unwanted <= set(data["disabledExtensions"])
    settings = json.loads(server.ask("lab/api/settings/@jupyterlab/apputils-extension:notification"))
    assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"


def test_the_notebook_runs_to_its_end_without_a_warning(kernel: Kernel, server: Server, notebook: str) -> None:
    cells = json.loads(server.ask(f"api/contents/{urllib.parse.quote(notebook)}"))["content"]["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            kernel.run(cell["source"])
    assert len(cells) > 5
    assert kernel.errors == []


def test_the_kernel_has_the_library_one_thread_and_a_place_for_answers(kernel: Kernel, image: Image) -> None:
    library, threads, progress, notice = json.loads(kernel.run(_PROBE))
    assert Path(library).is_relative_to(image.venv), "the wheel, not the folder, so that every notebook finds it"
    assert threads == "1"
    assert Path(progress) == image.home / "my" / "progress.json"
    assert notice == ""
    assert "probe" in json.loads(Path(progress).read_text("utf-8"))["predictions"]


def test_the_server_ends_when_the_container_is_told_to(server: Server) -> None:
    (child,) = psutil.Process(server.process.pid).children()
    assert any("jupyter-lab" in part for part in child.cmdline()[:2]), child.cmdline()
    server.process.terminate()
    server.process.wait(20)
    assert not child.is_running()
