"""The pinned packages, resolved anew from the groups in `pyproject.toml`."""

import re
import subprocess
import tempfile
from pathlib import Path

from commands.console import Parser, Problem, say
from commands.environment import child
from commands.files import write
from commands.places import ROOT, venv_python
from commands.scripts import build
from commands.setup import set_up
from commands.targets import covers

_COURSE, _BINDER, _TOOLS = "requirements.txt", "binder/requirements.txt", "requirements-dev.txt"
_RESOLVE = ("-m", "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--no-annotate", "--no-header")
_UNREACHABLE = (
    "error sending request",
    "Failed to fetch",
    "dns error",
    "connect error",
    "timed out",
    "ould not connect",
)
_GO_BACK = f"To go back: git checkout {_COURSE} {_BINDER} {_TOOLS} notebooks, then python course.py build."


def pins(arguments: list[str]) -> int:
    """Resolve every pin anew, say what changes, write the files and build the notebooks with the new packages."""
    parser = Parser("pins")
    parser.add_argument("--check", action="store_true", help="only say what would change")
    check = parser.parse_args(arguments).check
    set_up("tests")  # brings the resolver
    say("Resolving the newest packages that fit.")
    old, new = {name: _text(name) for name in (_COURSE, _BINDER, _TOOLS)}, _resolve()
    changes = compare(old[_COURSE] + old[_TOOLS], new[_COURSE] + new[_TOOLS])
    say(table(changes) if changes else "Every pin is the newest that fits.")
    if new == old:
        return 0
    if check:
        say("Nothing is written. To take these over: python course.py pins")
        return 0
    for name, text in new.items():
        write(ROOT / name, text.encode())
    return _try_out()


def compare(old: str, new: str) -> list[tuple[str, str, str]]:
    """Each package whose pin differs: its name, the old pin, the new one; a dash where there is none."""
    before, after = _versions(old), _versions(new)
    every = sorted({*before, *after})
    return [
        (name, before.get(name, "-"), after.get(name, "-")) for name in every if before.get(name) != after.get(name)
    ]


def table(changes: list[tuple[str, str, str]]) -> str:
    """The changes, and how many are new versions, new packages and packages no longer needed."""
    rows = [("package", "old", "new"), *changes]
    widths = [max(len(row[column]) for row in rows) + 2 for column in (0, 1)]
    lines = ["".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2]]) for row in rows]
    added, removed = sum(row[1] == "-" for row in changes), sum(row[2] == "-" for row in changes)
    return "\n".join([*lines, f"{len(changes) - added - removed} changed, {added} added, {removed} removed"])


def _text(name: str) -> str:
    path = ROOT / name
    return path.read_text("utf-8") if path.exists() else ""


def _header(name: str) -> str:
    return "".join(line for line in _text(name).splitlines(keepends=True) if line.startswith("#"))


def _resolve() -> dict[str, str]:
    """The new text of each file; nothing is written."""
    course = _compile("course")
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        limits = Path(folder) / _COURSE
        limits.write_text(course, "utf-8")
        tools = _compile("development", "-c", str(limits))
    known = course.splitlines()
    # A line may be there already with narrower systems, if these are only some that the course does not run on.
    more = "".join(f"{line}\n" for line in tools.splitlines() if not any(covers(one, line) for one in known))
    pinned = _header(_COURSE) + course
    return {_COURSE: pinned, _BINDER: pinned, _TOOLS: _header(_TOOLS) + more}


def _compile(group: str, *more: str) -> str:
    """The pins of one group; without an output file, so that the old pins are no reason to keep a version."""
    ran = subprocess.run(
        [str(venv_python()), *_RESOLVE, "--group", group, *more],
        cwd=ROOT,
        env=child({"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if ran.returncode:
        raise _failed(group, ran.stderr)
    if not _versions(ran.stdout):
        raise Problem(
            f"The resolver found no package for the group {group}.", "Nothing is changed. See pyproject.toml."
        )
    return ran.stdout


def _failed(group: str, said: str) -> Problem:
    if any(mark in said for mark in _UNREACHABLE):
        return Problem(
            "The pins could not be resolved: the network or the package index does not answer.",
            "Nothing is changed. Check the connection, or the proxy, and run the same command again.",
        )
    last = "".join(f"\n    {line}" for line in said.splitlines()[-12:])
    return Problem(
        f"The pins of the group {group} could not be resolved. The resolver says:{last}",
        "Nothing is changed. Look at the bounds of this group in pyproject.toml.",
    )


def _versions(text: str) -> dict[str, str]:
    """For each package its version with the systems it is for; several if systems have different ones."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)\s*(?:;\s*(.*))?$", line.strip()):
            version = match[2] + (f" ({match[3]})" if match[3] else "")
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), []).append(version)
    return {name: ", ".join(versions) for name, versions in found.items()}


def _try_out() -> int:
    say("The new pins are written. Installing them, then building every notebook with them.")
    try:
        set_up("tests")
    except Problem as problem:
        raise Problem(f"The new pins are written, but: {problem.wrong}", f"{problem.advice} {_GO_BACK}") from None
    if build([]):
        wrong = "The new pins are written and installed, but the notebooks could not be built with them."
        raise Problem(wrong, f"The lines above say why. {_GO_BACK}")
    say("The notebooks are built with the new pins. Now: python course.py test --full")
    return 0
