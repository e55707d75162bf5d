"""A set-up that is killed or stopped at any moment: the next run repairs it. Real processes, real pip, tiny packages.

Takes about half a minute and runs every time: a set-up that cannot be repaired ends somebody's first evening.
"""

import glob
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, and a Python of links")

# Runs course.py and stops in front of one act, which Python announces to its audit hooks; then writes `reached`.
PAUSE = """
import os, runpy, sys, time
event, text = sys.argv[1:3]
sys.argv = sys.argv[3:]
armed = [True]
def hook(name, arguments):
    if armed[0] and name == event and text in repr(arguments):
        armed[0] = False
        # A number and no file object: Python drops an interrupt that meets the end of an object.
        os.close(os.open("reached", os.O_CREAT | os.O_WRONLY))
        time.sleep(60)
sys.addaudithook(hook)
runpy.run_path("course.py", run_name="__main__")
"""
MOMENTS = {
    "before the environment": ("subprocess.Popen", "'venv'"),
    "while venv works": ".venv/pyvenv.cfg",
    "while ensurepip works": "hold",
    "before pip": ("subprocess.Popen", "run_module"),
    "while pip fetches": "index",
    "while pip installs": ".venv/lib/python3.*/site-packages/numpy/part00*.py",
    "before the path of the course": ("open", "course.pth"),
    "before the check": ("subprocess.Popen", "font_manager"),
    "before the first stamp": ("open", "complete-lab"),
    "between the stamps": ("open", "complete-tests"),
}


def begin(course: Any, moment: str) -> "subprocess.Popen[str]":
    """Start the set-up and come back at the moment."""
    at = MOMENTS[moment]
    (course.root / "reached").unlink(missing_ok=True)
    command = course.command("verify")
    if isinstance(at, tuple):
        command = [str(course.python), "-c", PAUSE, *at, *command[1:]]
    if at == "hold":
        (course.root / "hold").touch()
    if at == "index":
        course.index.stall_at("jupyterlab")
    process = course.start(command)
    if at == "index":
        assert course.index.reached.wait(20)
    elif isinstance(at, tuple) or at == "hold":
        wait_for(process, course.root, "reached")
    else:
        wait_for(process, course.root, at)
    return process


def wait_for(process: "subprocess.Popen[str]", root: Path, pattern: str) -> None:
    while not glob.glob(pattern, root_dir=root):  # a folder that the set-up takes away meanwhile is no error here
        assert process.poll() is None, process.communicate()


def end(course: Any, process: "subprocess.Popen[str]", how: signal.Signals) -> tuple[str, str]:
    # Ctrl-C reaches every process of the terminal; a kill reaches one, and its children live on.
    if how == signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    process.wait(20)
    (course.root / "hold").unlink(missing_ok=True)
    course.index.go_on.set()
    with process:
        return process.communicate(timeout=20)


@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_kill_the_next_run_repairs_the_set_up(small_course: Any, moment: str) -> None:
    process = begin(small_course, moment)
    end(small_course, process, signal.SIGKILL)
    assert not (small_course.venv / "complete-tests").exists()
    check_complete(small_course)


def test_after_ctrl_c_at_each_moment_in_turn_the_next_run_repairs_the_set_up(small_course: Any) -> None:
    for moment in MOMENTS:
        process = begin(small_course, moment)
        out, err = end(small_course, process, signal.SIGINT)
        assert process.returncode == 130, (moment, out, err)
        assert err.strip().startswith("Stopped.\nRun the same command again"), moment
        assert not (small_course.venv / "complete-tests").exists()
    check_complete(small_course)


def test_pip_does_not_go_on_without_its_launcher(small_course: Any) -> None:
    process = begin(small_course, "while pip fetches")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    assert len(children) == 1
    process.kill()
    end = time.monotonic() + 20
    while is_alive(children[0]):
        assert time.monotonic() < end, "pip still waits for the index"
        time.sleep(0.02)
    small_course.index.go_on.set()
    with process:
        process.communicate(timeout=20)


def is_alive(number: str) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text("utf-8").rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("closed", ["", "<&-"])
def test_the_lock_outlives_a_killed_launcher_until_its_venv_has_ended(small_course: Any, closed: str) -> None:
    (small_course.root / "hold").touch()
    shell = f'exec "$0" course.py verify {closed}'
    first = small_course.start(["/bin/sh", "-c", shell, str(small_course.python)])
    wait_for(first, small_course.root, "reached")
    first.kill()
    second = small_course.start(small_course.command("verify"))
    assert second.stdout.readline().startswith(f"Process {first.pid} is setting up")
    (small_course.root / "hold").unlink()
    with first:
        first.communicate(timeout=20)
    done = small_course.finish(second)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "everything is there"), done


def check_complete(course: Any) -> None:
    done = course.run("verify")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "everything is there"), done
    again = course.run("verify", PIP_INDEX_URL="http://127.0.0.1:9")
    assert again.stdout == "everything is there\n", "the second run set up something again"
