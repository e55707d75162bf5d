"""The lab: ports, the server that starts or does not, and what its log gives away."""

import http.server
import json
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest

from commands import console, lab, lock, machine, running


def test_a_taken_port_is_passed_over_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not machine.is_free(port)
        chosen = machine.free_port(port)
    assert chosen > port
    assert capsys.readouterr().out == f"Port {port} is taken; using {chosen}.\n"


def test_when_every_port_is_taken_another_range_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "is_free", lambda port: False)
    with pytest.raises(console.Problem, match="Port 8888 and the next ones are taken") as caught:
        machine.free_port(8888)
    assert "--port 9999" in caught.value.advice


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("", "."),
        ("[I 20:15 ServerApp] starts\n", "."),
        ("[C 20:15 ServerApp] Bad config\n[I 20:15 ServerApp] ends\n", ": [C 20:15 ServerApp] Bad config"),
        ("Traceback\n  File x\nModuleNotFoundError: No module y\n", ": ModuleNotFoundError: No module y"),
        ("[E 1] first\nOSError: [Errno 28] No space left on device\n", ": OSError: [Errno 28] No space left on device"),
        ("[E 1] at /lab?token=0123abc&x\n", ": [E 1] at /lab?token=...&x"),
        ("[E 1] got 0123456789abcdef0123456789abcdef\n", ": [E 1] got ..."),
        (f"[E 1] {Path.home()}/course/x is bad\n", ": [E 1] ~/course/x is bad"),
    ],
)
def test_a_server_that_does_not_start_names_its_log_and_the_line_that_matters(
    project: Path, log: str, reason: str
) -> None:
    (project / "my" / ".jupyter").mkdir(parents=True)
    (project / "my" / ".jupyter" / "lab.log").write_text(log, "utf-8")
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(console.Problem) as caught:
            lab._wait_until_open(lab.Server(process, running.Address(1, "token")), "06_learning_rate.ipynb")
    assert caught.value.wrong == f"JupyterLab did not start{reason}"
    assert "my/.jupyter/lab.log" in caught.value.advice


def test_a_server_that_never_answers_is_given_up(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "_PATIENCE", 0)
    process = types.SimpleNamespace(poll=lambda: None)
    with pytest.raises(console.Problem, match="did not start within 0 seconds"):
        lab._wait_until_open(lab.Server(process, running.Address(1, "token")), "06_learning_rate.ipynb")


def test_a_server_that_ends_by_itself_is_a_problem_and_says_where_the_work_is(project: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        with pytest.raises(console.Problem, match="ended unexpectedly; its exit status was 3") as caught:
            lab._stay(lab.Server(process, running.Address(1, "token")))
    assert "in the folder my" in caught.value.advice


def test_ctrl_c_a_second_time_ends_the_server_at_once() -> None:
    done: list[str] = []

    def wait(seconds: float | None = None) -> None:
        done.append("wait")
        if done == ["wait"]:
            raise KeyboardInterrupt

    process = types.SimpleNamespace(poll=lambda: 1, wait=wait, kill=lambda: done.append("kill"), terminate=None)
    lab._stop(lab.Server(process, running.Address(1, "token")))
    assert done == ["wait", "kill", "wait"]


def test_no_browser_is_opened_without_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "WINDOWS", False)
    monkeypatch.setattr(machine.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not machine.can_show_pages()
    monkeypatch.setenv("DISPLAY", ":0")
    assert machine.can_show_pages()


# -- the server that runs ---------------------------------------------------------------------------------------------


class Answering(http.server.BaseHTTPRequestHandler):
    """Lets in who has the token `good`."""

    def do_GET(self) -> None:
        self.send_response(200 if self.headers.get("Authorization") == "token good" else 403)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"token": "bad"}, False),
        ({"root_dir": "/somewhere/else"}, False),
        ({"port": "none"}, False),
        ({"port": None}, False),
    ],
)
def test_a_server_is_found_when_it_knows_the_token_and_this_folder(
    project: Path, change: dict[str, str | None], found: bool
) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        folder = project / "my" / ".jupyter" / "runtime"
        folder.mkdir(parents=True)
        record = {"port": port, "token": "good", "root_dir": str(project), **change}
        (folder / "jpserver-7.json").write_text(json.dumps(record), "utf-8")
        assert running.find() == (running.Address(port, "good") if found else None)
        server.shutdown()


def test_another_language_on_the_port_is_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            with other.accept()[0] as line:
                line.recv(1000)
                line.sendall(b"220 mail.example ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert not running.Address(other.getsockname()[1], "token").ask("/api/status")
        thread.join()


def test_the_record_of_a_server_that_is_gone_is_removed(project: Path) -> None:
    folder = project / "my" / ".jupyter" / "runtime"
    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    record = folder / "jpserver-7.json"
    record.write_text(json.dumps({"port": port, "token": "good", "root_dir": str(project)}), "utf-8")
    assert running.find() is None
    assert not record.exists()


# -- the lock ---------------------------------------------------------------------------------------------------------


def test_the_lock_names_who_holds_it_and_may_be_taken_twice_by_one(project: Path) -> None:
    assert lock.holder() is None
    with lock.alone(), lock.alone():
        assert len(lock.to_hand_on()) == (0 if lock.WINDOWS else 1)
        ask = "import commands.lock as l, pathlib, sys; l.VENV = pathlib.Path(sys.argv[1]); print(l.holder())"
        command = [sys.executable, "-c", ask, str(lock.VENV)]
        other = subprocess.run(command, cwd=Path(lock.__file__).parents[1], capture_output=True, text=True, check=True)
        assert other.stdout.strip() == lock.lock_file().read_text("ascii").strip()
    assert lock.to_hand_on() == ()
    assert lock.holder() is None


@pytest.mark.skipif(lock.WINDOWS, reason="Windows has another lock")
def test_a_file_system_without_locks_stops_nobody(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with lock.alone():
        assert lock.lock_file().exists()
