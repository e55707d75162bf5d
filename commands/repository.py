"""What git knows of this copy of the course."""

import os
import shutil
import subprocess

from commands.places import ROOT

# A copy inside somebody else's repository is not one; git run by a hook would look at the hook's repository.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")


class GitError(Exception):
    """A git command that failed, with what it said."""


def is_clone() -> bool:
    """Whether this copy was made with git (a ZIP copy was not)."""
    return (ROOT / ".git").exists()


def has_git() -> bool:
    """Whether the program git is here and starts (a Mac without its developer tools has one that does not)."""
    try:
        git("--version")
    except (GitError, OSError):
        return False
    return True


def git(*arguments: str) -> str:
    """What a git command prints."""
    program = shutil.which("git")
    if program is None:
        raise GitError("git is not installed")
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    # One language for the messages that are looked for; no question that nobody answers.
    ours = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_CEILING_DIRECTORIES": str(ROOT.parent)}
    ran = subprocess.run(
        [program, "-C", str(ROOT), *arguments],
        env={**kept, **ours},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    if ran.returncode:
        raise GitError(ran.stderr.strip() or ran.stdout.strip())
    return ran.stdout


def names(*arguments: str) -> list[str]:
    """The file names that a git command prints; it needs `-z`, or a name with an umlaut comes in quotes."""
    return [name for name in git(*arguments).split("\0") if name]
