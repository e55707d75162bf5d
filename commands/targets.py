"""The systems and Pythons that packages can be fetched for, whichever machine they are fetched on."""

import ast
import operator
import platform
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from commands.console import Problem

_MANYLINUX = [*(f"manylinux_2_{minor}" for minor in range(28, 4, -1)), "manylinux2014", "manylinux2010", "manylinux1"]
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,  # codespell:ignore notin
}

_DIGITS = ("0", "99")
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class System(NamedTuple):
    """A kind of machine: its name, the tags of packages that run on it, and what a marker can ask about it."""

    title: str
    tags: list[str]
    facts: dict[str, str]


def _system(title: str, tags: list[str], platform_name: str, os_name: str, machine: str, kind: str) -> System:
    facts = {"sys_platform": platform_name, "os_name": os_name, "platform_machine": machine, "platform_system": kind}
    return System(title, tags, facts)


# The tags are those of somewhat older systems: what runs there runs on newer ones too.
SYSTEMS = {
    "windows": _system("Windows (64-bit)", ["win_amd64"], "win32", "nt", "AMD64", "Windows"),
    "macos": _system("macOS 12+ (Apple chip)", ["macosx_12_0_arm64"], "darwin", "posix", "arm64", "Darwin"),
    "macos-intel": _system("macOS 12+ (Intel chip)", ["macosx_12_0_x86_64"], "darwin", "posix", "x86_64", "Darwin"),
    "linux": _system("Linux (64-bit)", [f"{tag}_x86_64" for tag in _MANYLINUX], "linux", "posix", "x86_64", "Linux"),
    "linux-arm": _system("Linux (ARM)", [f"{tag}_aarch64" for tag in _MANYLINUX], "linux", "posix", "aarch64", "Linux"),
}


class Target(NamedTuple):
    """A system with one Python."""

    system: str
    python: str

    @property
    def title(self) -> str:
        """The words for a person."""
        return f"{SYSTEMS[self.system].title} with Python {self.python}"

    def rounds(self, lines: list[str]) -> list[tuple[list[str], list[str]]]:
        """What to ask pip for: options and pinned lines.

        Pins can ask for the last digit of the version, which is not known here, and pip asks a package for it. So pip
        is told the first digit, and then, for what is left, one that is later than any.
        """
        tags = [part for tag in SYSTEMS[self.system].tags for part in ("--platform", tag)]
        first, later = ([line for line in lines if self.wants(line, digit)] for digit in _DIGITS)
        chosen = (first, [line for line in later if line not in first])
        return [
            (["--implementation", "cp", "--python-version", f"{self.python}.{digit}", *tags], wanted)
            for digit, wanted in zip(_DIGITS, chosen, strict=True)
            if wanted
        ]

    def wants(self, line: str, digit: str) -> bool:
        """Whether this target needs the package of a pinned line; pip would ask the markers of its own machine."""
        marker = line.partition(";")[2].strip()
        return not marker or holds(marker, self._facts(digit))

    def _facts(self, digit: str) -> dict[str, str]:
        python = {"python_version": self.python, "python_full_version": f"{self.python}.{digit}"}
        cpython = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        return {**SYSTEMS[self.system].facts, **python, **cpython}


def covers(one: str, other: str) -> bool:
    """Whether on every system the first pinned line asks for the package of the second wherever the second does."""
    if one.partition(";")[0].split() != other.partition(";")[0].split():
        return False
    targets = [Target(system, python) for system in SYSTEMS for python in _PYTHONS]
    return all(target.wants(one, digit) or not target.wants(other, digit) for target in targets for digit in _DIGITS)


def this_system() -> str | None:
    """The name of this machine's system, if it is one of the table."""
    kind, machine = platform.system(), platform.machine()
    if kind == "Linux" and platform.libc_ver()[0] != "glibc":
        return None
    found = (name for name, one in SYSTEMS.items() if one.facts["platform_system"] == kind)
    return next((name for name in found if SYSTEMS[name].facts["platform_machine"] == machine), None)


def this_python() -> str:
    """The version of this Python, as packages name it."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def holds(marker: str, facts: dict[str, str]) -> bool:
    """Whether a marker of a pinned line is true; its comparisons and its `and` and `or` read as in Python."""
    try:
        return _truth(ast.parse(marker, mode="eval").body, facts)
    except (SyntaxError, KeyError, ValueError):
        raise Problem(
            f"A pinned line has a marker that cannot be read: {marker}", "Look at requirements.txt."
        ) from None


def _truth(node: ast.expr, facts: dict[str, str]) -> bool:
    if isinstance(node, ast.BoolOp):
        answers = [_truth(value, facts) for value in node.values]
        return all(answers) if isinstance(node.op, ast.And) else any(answers)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sides = (node.left, node.comparators[0])
        is_version = any(isinstance(side, ast.Name) and side.id.endswith("_version") for side in sides)
        values = [facts[side.id] if isinstance(side, ast.Name) else ast.literal_eval(side) for side in sides]
        left, right = [_version(value) for value in values] if is_version else values
        return _COMPARISONS[type(node.ops[0])](left, right)
    raise ValueError


def _version(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".") if part.isdecimal()]
    return tuple([*numbers, 0, 0, 0][:3])
