"""One course, one server: a second start, a killed server, a server that cannot start, and odd ways to start it.

Real launchers; a small server stands for JupyterLab.
"""

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, and a Python of links")


@pytest.fixture
def port() -> int:
    """A port that is free together with the next ones."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return min(int(probe.getsockname()[1]), 65000)


def address(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("http://127.0.0.1:"))


@contextlib.contextmanager
def listening(status: int) -> Iterator[int]:
    """Another program's server, which gives everybody the same answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


# -- a second start ---------------------------------------------------------------------------------------------------


def test_of_two_set_ups_at_the_same_time_one_waits_and_says_so(small_course: Any) -> None:
    small_course.index.stall_at("jupyterlab")
    first = small_course.start(small_course.command("verify"))
    assert small_course.index.reached.wait(20)
    second = small_course.start(small_course.command("verify"))
    with first, second:
        assert second.stdout.readline() == (
            f"Process {first.pid} is setting up or starting the course here; waiting for it (Ctrl-C stops waiting).\n"
        )
        small_course.index.go_on.set()
        assert first.communicate(timeout=30)[0].endswith("everything is there\n")
        assert second.communicate(timeout=30)[0] == "everything is there\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_a_lock_file_of_a_dead_process_holds_up_nobody(ready_course: Any) -> None:
    (ready_course.root / ".venv.lock").write_text("1\n", "utf-8")  # a number that belongs to another process by now
    (ready_course.venv / "complete-lab").unlink()
    done = ready_course.run("verify")
    assert done.returncode == 0
    assert "waiting" not in done.stdout


def test_a_second_start_shows_the_server_that_runs(ready_course: Any, port: int) -> None:
    with ready_course.lab("--port", str(port)) as (launcher, lines):
        for arguments in ([], ["--port", str(port)], ["--port", str(port + 9)]):
            second = ready_course.run("lab", "--no-browser", *arguments)
            assert (second.returncode, second.stderr) == (0, "")
            assert second.stdout.splitlines() == [
                "JupyterLab already runs in this folder (File > Shut Down in its menu ends it). Its address:",
                address(lines),
            ]
        assert f"runs on port {port}" in ready_course.run("doctor").stdout
        assert launcher.poll() is None
    assert "does not run" in ready_course.run("doctor").stdout


def test_a_browser_is_opened_on_the_server_that_runs(ready_course: Any, port: int, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\nprintf %s \"$1\" > '{tmp_path}/opened'\n", "utf-8")
    browser.chmod(0o755)
    with ready_course.lab("--port", str(port)) as (_, lines):
        second = ready_course.run(BROWSER=f"{browser} %s", DISPLAY=":99")
        assert second.returncode == 0
        assert (tmp_path / "opened").read_text("utf-8") == address(lines)


def test_two_starts_at_the_same_time_make_one_server(ready_course: Any, port: int) -> None:
    both = [ready_course.start(ready_course.command("--no-browser", "--port", str(port))) for _ in range(2)]
    first_ended = None
    end = time.monotonic() + 20
    while first_ended is None and time.monotonic() < end:
        first_ended = next((one for one in both if one.poll() is not None), None)
        time.sleep(0.02)
    assert first_ended is not None
    (other,) = [one for one in both if one is not first_ended]
    assert other.poll() is None
    other.send_signal(signal.SIGINT)
    with first_ended, other:
        assert "already runs in this folder" in first_ended.communicate(timeout=20)[0]
        assert "JupyterLab is ready" in other.communicate(timeout=20)[0]


@pytest.mark.parametrize("left_by", ["nobody", "a program that lets all in", "a program that lets none in", "nonsense"])
def test_a_stale_record_misleads_nobody(ready_course: Any, port: int, left_by: str) -> None:
    folder = ready_course.root / "my" / ".jupyter" / "runtime"
    folder.mkdir(parents=True)
    status = {"a program that lets all in": 200, "a program that lets none in": 403}.get(left_by)
    with listening(status) if status else contextlib.nullcontext(port) as used:
        record = {"port": used, "root_dir": str(ready_course.root), "token": "abc", "pid": 1}
        text = "{" if left_by == "nonsense" else json.dumps(record)
        (folder / "jpserver-1.json").write_text(text, "utf-8")
        with ready_course.lab("--port", str(used)) as (_, lines):
            assert "JupyterLab is ready" in " ".join(lines)
            assert (f"127.0.0.1:{used}/" in address(lines)) is (status is None)


def test_a_copy_of_the_folder_starts_a_server_of_its_own(ready_course: Any, port: int, tmp_path: Path) -> None:
    with ready_course.lab("--port", str(port)) as (_, lines):
        shutil.copytree(ready_course.root, tmp_path / "copy", symlinks=True)
        ready_course.root, original = tmp_path / "copy", ready_course.root
        with ready_course.lab("--port", str(port)) as (_, others):
            assert others[0] == f"Port {port} is taken; using {port + 1}."
            assert address(others).split("/lab")[0] != address(lines).split("/lab")[0]
        ready_course.root = original


# -- the server ends --------------------------------------------------------------------------------------------------


def test_a_killed_server_is_told_and_the_next_start_works(ready_course: Any, port: int) -> None:
    with ready_course.lab("--port", str(port)) as (launcher, _):
        os.kill(int(ready_course.record()["pid"]), signal.SIGKILL)
        _, err = launcher.communicate(timeout=20)
    assert launcher.returncode == 2
    wrong, advice = err.splitlines()
    assert wrong == "JupyterLab ended unexpectedly; it was stopped by signal 9."
    assert advice.startswith("What you had saved is in the folder my. Run python course.py again")
    with ready_course.lab("--port", str(port)) as (_, lines):
        assert "JupyterLab is ready" in " ".join(lines)


def test_a_server_that_ends_from_its_menu_is_no_problem(ready_course: Any, port: int) -> None:
    with ready_course.lab("--port", str(port)) as (launcher, lines):
        ask(lines, "/api/shutdown", b"")
        out, err = launcher.communicate(timeout=20)
    assert (launcher.returncode, out.splitlines()[-1], err) == (0, "JupyterLab has ended.", "")


def ask(lines: list[str], path: str, body: bytes) -> None:
    import urllib.request

    base, token = address(lines).split("/lab")[0], address(lines).split("token=")[1]
    request = urllib.request.Request(base + path, data=body, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_killed_launcher_leaves_a_server_that_is_found(ready_course: Any, port: int) -> None:
    with ready_course.lab("--port", str(port)) as (launcher, lines):
        launcher.kill()
        launcher.wait(10)
        second = ready_course.run("--no-browser")
        assert address(lines) in second.stdout
        ask(lines, "/api/shutdown", b"")


def test_a_server_that_cannot_start_tells_why_and_no_token(ready_course: Any, port: int) -> None:
    (ready_course.root / "crash").touch()
    done = ready_course.run("--no-browser", "--port", str(port))
    assert done.returncode == 2
    wrong, advice = done.stderr.splitlines()
    assert wrong == "JupyterLab did not start: [E 20:15 ServerApp] the token ... of ~/x is bad"
    assert advice.endswith("my/.jupyter/lab.log says more.")
    told = ready_course.run("doctor").stdout
    assert "[E 20:15 ServerApp] the token ... of ~/x is bad" in told


def test_what_a_learner_deletes_comes_back(ready_course: Any, port: int) -> None:
    with ready_course.lab("--port", str(port)) as (_, lines):
        shutil.rmtree(ready_course.venv)
        second = ready_course.run("--no-browser")
        assert second.stdout.splitlines()[1] == address(lines)
        assert "end it and run python course.py again" in second.stdout
        shutil.rmtree(ready_course.root / "my")
    with ready_course.lab("--port", str(port)) as (_, lines):
        assert "Setting up the course" in lines[0]
        assert (ready_course.root / "my" / "00_start.ipynb").exists()


# -- odd ways to start ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["from elsewhere", "through a link", "safe path"])
def test_it_starts_from_anywhere(ready_course: Any, tmp_path: Path, way: str) -> None:
    script, variables = ready_course.root / "course.py", dict(ready_course.variables)
    if way == "through a link":
        script = tmp_path / "kurs"
        script.symlink_to(ready_course.root / "course.py")
    if way == "safe path":
        variables["PYTHONSAFEPATH"] = "1"
    command = [str(ready_course.python), str(script), "verify"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "everything is there\n", "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_start_without_a_terminal_works(ready_course: Any, port: int, closed: str) -> None:
    shell = f'exec "$0" course.py --no-browser --port {port} {closed}'
    launcher = ready_course.start(["/bin/sh", "-c", shell, str(ready_course.python)])
    records = ready_course.root / "my" / ".jupyter" / "runtime"
    with launcher:
        end = time.monotonic() + 20
        while not list(records.glob("jpserver-*.json")) and time.monotonic() < end:
            time.sleep(0.02)
        assert ready_course.run("--no-browser").returncode == 0  # waits until the first has started
        assert launcher.poll() is None
        launcher.send_signal(signal.SIGINT)
        out, err = launcher.communicate(timeout=20)
    assert (launcher.returncode, err) == (0, "")
    assert out == "" if ">&-" in closed.replace("2>&-", "") else "JupyterLab is ready" in out


def test_a_reader_that_goes_away_is_no_error(ready_course: Any, port: int) -> None:
    for verb in ("doctor", "--help", "reset --help"):
        shell = f'("$0" course.py {verb}; echo "status $?" >&2) | true'
        done = ready_course.start(["/bin/sh", "-c", shell, str(ready_course.python)])
        with done:
            _, err = done.communicate(timeout=20)
        assert err == "status 0\n", verb
    shell = f'"$0" course.py --no-browser --port {port} | head -n 1'
    records = ready_course.root / "my" / ".jupyter" / "runtime"
    with ready_course.start(["/bin/sh", "-c", shell, str(ready_course.python)]) as pipeline:
        end = time.monotonic() + 20
        while not list(records.glob("jpserver-*.json")) and time.monotonic() < end:
            time.sleep(0.02)
        try:
            assert pipeline.poll() is None
            assert "already runs" in ready_course.run("--no-browser").stdout
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pipeline.pid, signal.SIGINT)
