"""What can be wrong with a machine on the first evening: one sentence, what to do, status 2. All of it for real.

Each runs the commands on a machine that really lacks what they need; together they take less than half a minute.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="permissions, mounts and a Python of links")

ROOT_USER = hasattr(os, "geteuid") and os.geteuid() == 0
# Root may write anywhere; without its capabilities it is a person like others.
AS_A_PERSON = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if ROOT_USER else []
NO_PERSON = pytest.mark.skipif(ROOT_USER and shutil.which("setpriv") is None, reason="root without setpriv")
# A disk of its own in a mount namespace of its own, which is made as small as what lies on it when the moment has come.
SMALL_DISK = """
import os, pathlib, shutil, subprocess, sys, time
disk, source, pattern, *command = sys.argv[1:]
def mount(options):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True).returncode == 0
assert mount("size=3g")
shutil.copytree(source, disk + "/course", symlinks=True)
begun = subprocess.Popen(command, cwd=disk + "/course")
while not list(pathlib.Path(disk, "course").glob(pattern)):
    if begun.poll() is not None:
        sys.exit("ended before the moment")
while not mount(f"remount,size={shutil.disk_usage(disk).used // 4096 * 4 + 8}k"):
    pass  # more has been written in between
sys.exit(begun.wait())
"""
NAMESPACE = ["unshare", "--mount"] if ROOT_USER else ["unshare", "--map-root-user", "--mount"]


def can_mount() -> bool:
    try:
        tried = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    except OSError:
        return False
    return tried.returncode == 0


def ended(course: Any, command: list[str], **variables: str) -> tuple[int, str, str]:
    done = course.finish(course.start(command, **variables))
    return done.returncode, done.stdout, done.stderr


def is_a_sentence(err: str, wrong: str, advice: str) -> None:
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert wrong in lines[0]
    assert advice in lines[1]


def test_a_python_without_ensurepip_is_told_how_to_get_it(small_course: Any, python_without_ensurepip: Path) -> None:
    small_course.python = python_without_ensurepip
    done = small_course.run()
    assert done.returncode == 2
    is_a_sentence(done.stderr, "without the modules venv and ensurepip", "sudo apt install python3-venv")
    assert not small_course.venv.exists()


@NO_PERSON
def test_a_folder_that_cannot_be_written_to_is_told(small_course: Any) -> None:
    small_course.root.chmod(0o555)
    try:
        status, _, err = ended(small_course, [*AS_A_PERSON, *small_course.command()])
    finally:
        small_course.root.chmod(0o755)
    assert status == 2
    is_a_sentence(err, f"The folder {small_course.root} cannot be written to.", "Copy the course to a folder of your")


@NO_PERSON
@pytest.mark.parametrize("folder", ["my", "my/.jupyter", ".venv"])
def test_what_another_user_has_made_is_told(small_course: Any, folder: str) -> None:
    made = small_course.root / folder
    made.mkdir(parents=True)
    made.chmod(0o555)
    if ROOT_USER:
        os.chown(made, 65534, -1)
    try:
        status, _, err = ended(small_course, [*AS_A_PERSON, *small_course.command()])
    finally:
        made.chmod(0o755)
    assert status == 2
    owner = f": it belongs to {made.owner()}" if ROOT_USER else ""
    is_a_sentence(err, f"{folder} cannot be written to{owner}.", "same person as the first time")


@pytest.mark.parametrize(
    ("moment", "pattern"),
    [
        ("venv", ".venv/pyvenv.cfg"),
        ("pip", ".venv/lib/*/site-packages/numpy/__init__.py"),
        ("notebooks", "course.py"),
    ],
)
def test_a_disk_that_gets_full_is_told(small_course: Any, tmp_path: Path, moment: str, pattern: str) -> None:
    if not can_mount():
        pytest.skip("this machine lets nobody mount; the parts are tested in tests/unit")
    if moment == "notebooks":
        (small_course.root / "notebooks" / "00_start.ipynb").write_text(" " * 100_000, "utf-8")
        assert small_course.run("verify").returncode == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    outer = [sys.executable, "-c", SMALL_DISK, str(disk), str(small_course.root), pattern]
    command = [*NAMESPACE, *outer, *small_course.command("--no-browser")]
    status, out, err = ended(small_course, command)
    assert status == 2, (out, err)
    is_a_sentence(err, "The disk is full.", "Free about 1 GB")


def test_no_network_is_told_soon(small_course: Any) -> None:
    with socket.socket() as refuses:
        refuses.bind(("127.0.0.1", 0))  # bound, but nobody listens
        nowhere = f"http://127.0.0.1:{refuses.getsockname()[1]}"
        away, proxy = "could not be fetched: the network or the package index", "the proxy in this machine's settings"
        cases = [
            ({"PIP_INDEX_URL": f"{nowhere}/simple"}, away),
            ({"PIP_INDEX_URL": "https://no.such.host.invalid/simple"}, away),
            ({"PIP_INDEX_URL": "https://pypi.invalid/simple", "https_proxy": nowhere}, proxy),
        ]
        begin = time.monotonic()
        for number in range(len(cases)):
            shutil.copytree(small_course.root, small_course.root.parent / str(number))
        started = [
            subprocess.Popen(
                small_course.command("--no-browser"),
                cwd=small_course.root.parent / str(number),
                env={**small_course.variables, **variables},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            for number, (variables, _) in enumerate(cases)
        ]
        for process, (_, wrong) in zip(started, cases, strict=True):
            with process:
                _, err = process.communicate(timeout=60)
            assert process.returncode == 2
            is_a_sentence(err, wrong, "and run the same command again.")
        assert time.monotonic() - begin < 40  # ten seconds, and three times that on a busy machine


def test_the_folder_wheels_replaces_the_network(small_course: Any) -> None:
    shutil.copytree(small_course.index.folder, small_course.root / "wheels")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    done = small_course.run("verify", **nowhere)
    assert done.returncode == 0, done.stderr
    assert "from the folder wheels" in done.stdout
    assert "6 of 6 packages fetched" in done.stdout.replace("installed", "fetched")


def test_a_package_that_the_folder_wheels_lacks_is_named(small_course: Any) -> None:
    shutil.copytree(small_course.index.folder, small_course.root / "wheels")
    (small_course.root / "wheels" / "numpy-1.0-py3-none-any.whl").unlink()
    done = small_course.run("verify")
    assert done.returncode == 2
    is_a_sentence(done.stderr, "has no package for this Python and system: numpy==1.0.", "Make the folder wheels anew")


def test_a_package_that_the_index_lacks_is_named(small_course: Any) -> None:
    pins = small_course.root / "requirements.txt"
    pins.write_text(pins.read_text("utf-8").replace("numpy==1.0", "numpy==1.1"), "utf-8")
    done = small_course.run("verify")
    assert done.returncode == 2
    is_a_sentence(done.stderr, "The package index has no numpy==1.1 for Python 3", "with another Python")


def test_letters_that_the_terminal_lacks_stop_nothing(small_course: Any) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = small_course.run("verify", **ascii_only)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("everything is there\n")
    told = small_course.run("doctor", **ascii_only)
    assert told.returncode == 0, told.stderr
    assert "K\\udcc3\\udcbcrs" in told.stdout
    assert "cannot be told" not in told.stdout


def test_an_incomplete_copy_is_told(small_course: Any) -> None:
    shutil.rmtree(small_course.root / "commands")
    done = small_course.run()
    assert done.returncode == 2
    is_a_sentence(done.stderr, "The folder commands is missing", "Get a complete copy")
