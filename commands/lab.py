"""The learner's JupyterLab: started, watched and ended."""

import argparse
import os
import secrets
import subprocess
import time
import urllib.parse
import urllib.request
import webbrowser
from typing import NamedTuple

from commands.console import Parser, Problem, say
from commands.copies import copy_missing, first_notebook
from commands.environment import child, lab_run
from commands.machine import DEFAULT_PORT, can_show_pages, check_writable, free_port
from commands.places import LOG, MY, ROOT, WINDOWS, venv_python
from commands.setup import set_up

_PATIENCE = 120  # seconds that a slow machine may take to start the server


class Server(NamedTuple):
    """A running JupyterLab."""

    process: "subprocess.Popen[bytes]"
    port: int
    token: str

    def ask(self, path: str, method: str = "GET") -> bool:
        """Whether the server answers this request well."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy leads back to this machine
        try:
            with direct.open(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def lab(arguments: list[str]) -> int:
    """Open the course in JupyterLab and stay until it ends."""
    options = _options(arguments)
    name = first_notebook()
    check_writable()
    set_up("lab")
    if copied := copy_missing():
        say(f"New in the folder my, where you work: {', '.join(copied)}")
    page = "/lab/tree/my/" + urllib.parse.quote(name)
    server = _start(free_port(options.port), page)
    try:
        _wait_until_open(server, name)
        address = f"http://127.0.0.1:{server.port}{page}?token={server.token}"
        say(f"JupyterLab is ready. Its address, in case no browser opens (Ctrl-C here ends it):\n{address}")
        if not options.no_browser and can_show_pages():
            webbrowser.open(address)
        server.process.wait()
        say("JupyterLab has ended.")
    except KeyboardInterrupt:
        say("\nJupyterLab is ending.")
    finally:
        _stop(server)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = Parser("lab")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the first port to try (default: %(default)s)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    options = parser.parse_args(arguments)
    if not 1 <= options.port <= 65535:
        parser.error(f"a port is a number from 1 to 65535, not {options.port}")
    return options


def _start(port: int, page: str) -> Server:
    token = secrets.token_hex(16)
    command = [str(venv_python()), "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={ROOT}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--LabApp.default_url={page}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            command,
            env=child({**lab_run(), "JUPYTER_TOKEN": token}),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C reaches the launcher alone, which then ends the server in order.
            start_new_session=not WINDOWS,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    return Server(process, port, token)


def _wait_until_open(server: Server, name: str) -> None:
    end = time.monotonic() + _PATIENCE
    while server.process.poll() is None and time.monotonic() < end:
        if server.ask(f"/api/contents/{MY.name}/{urllib.parse.quote(name)}?content=0"):
            return
        time.sleep(0.2)
    log = LOG.relative_to(ROOT).as_posix()
    raise Problem("JupyterLab did not start.", f"Run the command again; if it stays, {log} says why.")


def _stop(server: Server) -> None:
    if server.process.poll() is None:
        server.ask("/api/shutdown", "POST")
    for end in (server.process.terminate, server.process.kill):
        try:
            server.process.wait(10)
            return
        except subprocess.TimeoutExpired:
            end()
    server.process.wait()
