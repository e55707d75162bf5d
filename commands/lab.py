"""The learner's JupyterLab: found or started, watched and ended."""

import argparse
import contextlib
import os
import secrets
import subprocess
import time
import urllib.parse
import webbrowser
from typing import NamedTuple

from commands.console import Parser, Problem, say
from commands.copies import first_notebook, refresh_copies
from commands.environment import child, lab_run
from commands.lock import alone
from commands.machine import DEFAULT_PORT, can_show_pages, check_writable, free_port
from commands.places import LOG, MY, ROOT, WINDOWS, venv_python
from commands.running import Address, find, last_errors
from commands.setup import is_set_up, set_up

_PATIENCE = 120  # seconds that a slow machine may take to start the server


class Server(NamedTuple):
    """A JupyterLab that this command has started."""

    process: "subprocess.Popen[bytes]"
    address: Address


def lab(arguments: list[str]) -> int:
    """Open the course in JupyterLab and stay until it ends; one that already runs in this folder is only shown."""
    options = _options(arguments)
    name = first_notebook()
    page = "/lab/tree/my/" + urllib.parse.quote(name)
    check_writable()
    with contextlib.ExitStack() as until_open:
        until_open.enter_context(alone())
        running = find()
        if running is None:
            set_up("lab")
        for sentence in refresh_copies():
            say(sentence)
        if running is not None:
            return _show_running(running, page, options)
        server = _start(free_port(options.port), page)
        try:
            _wait_until_open(server, name)
            until_open.close()
            say("JupyterLab is ready. Its address, in case no browser opens (Ctrl-C here ends it):")
            _show(server.address.page(page), options)
            return _stay(server)
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


def _show_running(running: Address, page: str, options: argparse.Namespace) -> int:
    say("JupyterLab already runs in this folder (File > Shut Down in its menu ends it). Its address:")
    _show(running.page(page), options)
    if not is_set_up("lab"):
        say("Its packages are not what the course needs now: end it and run python course.py again.")
    return 0


def _show(address: str, options: argparse.Namespace) -> None:
    say(address)
    if not options.no_browser and can_show_pages():
        webbrowser.open(address)


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
    return Server(process, Address(port, token))


def _wait_until_open(server: Server, name: str) -> None:
    end = time.monotonic() + _PATIENCE
    while server.process.poll() is None and time.monotonic() < end:
        if server.address.ask(f"/api/contents/{MY.name}/{urllib.parse.quote(name)}?content=0"):
            return
        time.sleep(0.2)
    late = f" within {_PATIENCE} seconds" if server.process.poll() is None else ""
    advice = f"Run the command again; if it stays, {_log()} says more."
    raise Problem(f"JupyterLab did not start{late}{_reason()}", advice)


def _stay(server: Server) -> int:
    """Wait for the end that the learner chooses in JupyterLab's menu; any other is a problem."""
    status = server.process.wait()
    if status:
        how = f"it was stopped by signal {-status}" if status < 0 else f"its exit status was {status}"
        advice = f"What you had saved is in the folder my. Run python course.py again; if it stays, show {_log()}."
        raise Problem(f"JupyterLab ended unexpectedly; {how}{_reason()}", advice)
    say("JupyterLab has ended.")
    return 0


def _reason() -> str:
    errors = last_errors(1)
    return f": {errors[0]}" if errors else "."


def _log() -> str:
    return LOG.relative_to(ROOT).as_posix()


def _stop(server: Server) -> None:
    try:
        if server.process.poll() is None:
            server.address.ask("/api/shutdown", "POST")
        for end in (server.process.terminate, server.process.kill):
            try:
                server.process.wait(10)
                return
            except subprocess.TimeoutExpired:
                end()
        server.process.wait()
    except KeyboardInterrupt:  # Ctrl-C once more: at once
        server.process.kill()
        server.process.wait()
