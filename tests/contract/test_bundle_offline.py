"""A room without network, for real: a bundle is made, and from it alone a fresh home gets to an open JupyterLab."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import bundle

# Runs where no network is: starts the course, fetches the printed address, ends the course as Ctrl-C does.
VISIT = """
import json, signal, socket, subprocess, sys, time, urllib.request
if sys.argv[1] == "alone":
    import fcntl, struct
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # brings up this machine's way to itself
        fcntl.ioctl(probe, 0x8914, struct.pack("16sh", b"lo", 0x41) + bytes(14))
    assert open("/proc/net/route").read().count("\\n") <= 1, "there is a way out"
begin, lines, status, seconds = time.monotonic(), [], 0, 0.0
with subprocess.Popen([sys.executable, "course.py", "--no-browser"], stdout=-1, stderr=-2, text=True) as launcher:
    for line in launcher.stdout:
        lines.append(line.rstrip())
        if line.startswith("http://127.0.0.1:"):
            seconds = time.monotonic() - begin
            with urllib.request.urlopen(line.strip(), timeout=30) as page:
                status = page.status if b"jupyter-config-data" in page.read() else -1
            launcher.send_signal(signal.SIGINT)
print(json.dumps({"lines": lines, "page": status, "status": launcher.returncode, "seconds": seconds}))
"""


def without_network() -> list[str]:
    """What cuts a program off from every network; nothing where the system cannot."""
    for program in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if shutil.which(program[0]) and subprocess.run([*program, "true"], capture_output=True).returncode == 0:
            return program
    return []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_a_machine_without_network_sets_itself_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bundle, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setattr(bundle, "set_up", lambda kind: None)
    monkeypatch.setattr(bundle, "is_clone", lambda: False)  # as from a ZIP copy: also what is not committed yet
    room, home = tmp_path / "Raum für uns", tmp_path / "home"
    assert bundle.bundle([str(room)]) == 0
    home.mkdir()
    nowhere = "http://127.0.0.1:9"
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    cut_off = without_network()
    proxies = {} if cut_off else {"http_proxy": nowhere, "https_proxy": nowhere, "PIP_NO_INDEX": "1"}
    base_python = getattr(sys, "_base_executable", sys.executable)
    ran = subprocess.run(
        [*cut_off, base_python, "-c", VISIT, "alone" if cut_off else "with proxies"],
        cwd=room,
        env={**kept, **proxies, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    visit = json.loads(ran.stdout)
    assert (visit["page"], visit["status"]) == (200, 0), visit["lines"]
    assert "Installing packages from the folder wheels:" in visit["lines"]
    assert list(home.glob(".jupyter*")) == []
    with capsys.disabled():
        how = "no network interface" if cut_off else "dead proxies"
        print(f"\n{room.name}: JupyterLab open after {visit['seconds']:.0f} s ({how})")
