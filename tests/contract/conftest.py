"""A small course: this project's commands with a handful of tiny packages, so that a real set-up takes two seconds."""

import contextlib
import functools
import http.server
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
# Stands for JupyterLab: token, record of the running server, contents, shutdown; the file `crash` makes it fail.
SERVER = """
import http.server, json, os, sys, threading
options = dict(part[2:].split("=", 1) for part in sys.argv[1:] if "=" in part)
port, root, token = int(options["ServerApp.port"]), options["ServerApp.root_dir"], os.environ["JUPYTER_TOKEN"]
print(f"[I 20:15 ServerApp] http://127.0.0.1:{port}/lab?token={token}", flush=True)
if os.path.exists(os.path.join(root, "crash")):
    print(f"[E 20:15 ServerApp] the token {token} of {os.path.expanduser('~')}/x is bad", flush=True)
    print("[I 20:15 ServerApp] more", flush=True)
    sys.exit(1)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("Authorization") == f"token {token}" or f"token={token}" in self.path
        self.send_response(200 if given else 403)
        self.end_headers()
    def do_POST(self):
        self.do_GET()
        threading.Thread(target=server.shutdown).start()
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
folder = os.environ["JUPYTER_RUNTIME_DIR"]
os.makedirs(folder, exist_ok=True)
record = os.path.join(folder, f"jpserver-{os.getpid()}.json")
with open(record, "w") as file:
    json.dump({"port": port, "root_dir": root, "token": token, "pid": os.getpid()}, file)
server.serve_forever()
os.remove(record)
"""
PACKAGES = {
    "anywidget": {"__init__.py": ""},
    "ipywidgets": {"__init__.py": ""},
    "jupyterlab": {"__init__.py": "", "__main__.py": SERVER},
    "matplotlib": {"__init__.py": "", "font_manager.py": ""},
    # Many files: installing it takes long enough to be interrupted.
    "numpy": {"__init__.py": "", **{f"part{n:03d}.py": f"n = {n}" for n in range(200)}},
}
TOOLS = {"ruff": {"__init__.py": ""}}
VERIFY = """
import anywidget, ipywidgets, jupyterlab, matplotlib.font_manager, numpy.part199, ruff, sys
assert any((entry + "/course.py").startswith(sys.argv[0].split("benchmarks")[0]) for entry in sys.path)
print("everything is there")
"""
# Copies a pip that is there: the real module takes three seconds to unpack it. Waits while the file `hold` exists.
ENSUREPIP = """
import os, shutil, sys, sysconfig, time
root = os.path.dirname(sys.prefix)
for source in {sources!r}:
    shutil.copytree(source, os.path.join(sysconfig.get_path("purelib"), os.path.basename(source)))
    if os.path.exists(os.path.join(root, "hold")):
        open(os.path.join(root, "reached"), "w").close()
    end = time.monotonic() + 60
    while os.path.exists(os.path.join(root, "hold")) and time.monotonic() < end:
        time.sleep(0.02)
"""


class Index:
    """A package index on this machine, which can stall at one file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stalls_at, self.reached, self.go_on = folder, "", threading.Event(), threading.Event()
        for name, files in {**PACKAGES, **TOOLS}.items():
            write_wheel(folder, name, files)
        handler = functools.partial(_Handler, index=self)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/simple"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stall_at(self, name: str) -> None:
        """Send nothing when this file is asked for, until `go_on` is set."""
        self.stalls_at = name
        self.reached.clear()
        self.go_on.clear()

    def answer(self, path: str) -> bytes:
        """A page of links, or a wheel."""
        name = path.rstrip("/").split("/")[-1]
        if name.endswith(".whl"):
            if name.startswith(self.stalls_at + "-"):
                self.reached.set()
                self.go_on.wait(30)
            return (self.folder / name).read_bytes()
        links = [f'<a href="/files/{one.name}">{one.name}</a>' for one in self.folder.glob(f"{name}-*.whl")]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, *arguments: object, index: Index) -> None:
        self.index = index
        super().__init__(*arguments)

    def do_GET(self) -> None:
        body = self.index.answer(self.path)
        with contextlib.suppress(ConnectionError):  # the one who asked was killed
            self.send_response(200)
            self.send_header("Content-Type", "application/zip" if self.path.endswith(".whl") else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    info = f"{name}-1.0.dist-info"
    content = {f"{name}/{path}": text for path, text in files.items()}
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in content.items():
            wheel.writestr(path, text)


class SmallCourse:
    """A copy of the project with tiny packages, and a home and an index of its own."""

    def __init__(self, root: Path, python: Path, index: Index) -> None:
        self.root, self.python, self.index = root, python, index
        home = root.parent / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_INDEX_URL": index.url}
        self.variables = {**kept, **pip, "HOME": str(home), "LANG": "C.UTF-8"}

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), "course.py", *arguments]

    def start(self, command: list[str], **variables: str) -> "subprocess.Popen[str]":
        """The command as a terminal starts it: a process group of its own, which Ctrl-C reaches as a whole."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return self.finish(self.start(self.command(*arguments), **variables))

    def finish(self, process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
        """What the command has said at its end; one that does not end is stopped, its server too, and fails."""
        with process:
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
                _end(process)
                raise
        assert "Traceback" not in out + err, err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @contextlib.contextmanager
    def lab(self, *arguments: str, **variables: str) -> Iterator["tuple[subprocess.Popen[str], list[str]]"]:
        """JupyterLab, open: the launcher and what it has said; ended by Ctrl-C if it still runs."""
        launcher = self.start(self.command(*arguments, "--no-browser"), **variables)
        lines: list[str] = []
        with launcher:
            assert launcher.stdout is not None
            for line in launcher.stdout:
                lines.append(line.rstrip())
                if line.startswith("http://"):
                    break
            try:
                yield launcher, lines
            finally:
                if launcher.poll() is None:
                    launcher.send_signal(signal.SIGINT)
                _end(launcher)

    def record(self) -> dict[str, object]:
        """What the running server has written of itself."""
        (path,) = (self.root / "my" / ".jupyter" / "runtime").glob("jpserver-*.json")
        return dict(json.loads(path.read_text("utf-8")))


def _end(process: "subprocess.Popen[str]") -> None:
    """Wait until a program has ended; one that does not is killed, or else this would wait for it for ever."""
    try:
        process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    index = Index(tmp_path_factory.mktemp("index"))
    yield index
    index.go_on.set()
    index.server.shutdown()
    index.server.server_close()


def private_python(folder: Path, without: str, **instead: str) -> Path:
    """A Python like this one, of links, whose standard library lacks one module or has another in its place."""
    name = f"python3.{sys.version_info.minor}"
    library = folder / "lib" / name
    library.mkdir(parents=True)
    (folder / "bin").mkdir()
    for path in Path(os.__file__).resolve().parent.iterdir():
        if path.name not in (without, "site-packages", "__pycache__", "EXTERNALLY-MANAGED"):
            (library / path.name).symlink_to(path)
    if instead:
        (library / without).mkdir()
        for file, text in instead.items():
            (library / without / f"{file}.py").write_text(text, "utf-8")
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    return Path(shutil.copy2(base, folder / "bin" / name))


@pytest.fixture(scope="session")
def fast_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This Python with an ensurepip that takes no time."""
    if sys.platform != "linux":
        pytest.skip("a Python of links is made on Linux only")
    found = importlib.util.find_spec("pip")
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    sources = [str(package), *map(str, package.parent.glob("pip-*.dist-info"))]
    main = ENSUREPIP.format(sources=sources)
    return private_python(tmp_path_factory.mktemp("python"), "ensurepip", __init__="", __main__=main)


@pytest.fixture
def python_without_ensurepip(tmp_path: Path, fast_python: Path) -> Path:
    """A Python as Debian and Ubuntu have it before python3-venv is installed."""
    return private_python(tmp_path / "python", "ensurepip")


@pytest.fixture
def small_course(tmp_path: Path, fast_python: Path, index: Index) -> Iterator[SmallCourse]:
    """A fresh copy; its path has a space and letters of three alphabets."""
    root = tmp_path / "Mein Kürs – курс"
    root.mkdir()
    shutil.copy2(ROOT / "course.py", root)
    shutil.copytree(ROOT / "commands", root / "commands", ignore=shutil.ignore_patterns("__pycache__"))
    for name, packages in (("requirements.txt", PACKAGES), ("requirements-dev.txt", TOOLS)):
        (root / name).write_text("# pins\n" + "".join(f"{one}==1.0\n" for one in packages), "utf-8")
    for path, text in (("notebooks/00_start.ipynb", json.dumps(NOTEBOOK)), ("benchmarks/verify.py", VERIFY)):
        (root / path).parent.mkdir()
        (root / path).write_text(text, "utf-8")
    (root / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', "utf-8")
    index.stall_at("")
    yield SmallCourse(root, fast_python, index)
    (root / "hold").unlink(missing_ok=True)  # a failed test leaves nobody waiting
    index.go_on.set()


@pytest.fixture(scope="session")
def ready_venv(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Filled by the first test that needs a complete environment; the others copy it."""
    return [tmp_path_factory.mktemp("ready") / ".venv"]


@pytest.fixture
def ready_course(small_course: SmallCourse, ready_venv: list[Path]) -> SmallCourse:
    """A copy whose set-up is complete."""
    if not ready_venv[0].exists():
        done = small_course.run("verify")
        assert done.returncode == 0, done
        shutil.copytree(small_course.venv, ready_venv[0], symlinks=True)
    else:
        shutil.copytree(ready_venv[0], small_course.venv, symlinks=True)
    return small_course
