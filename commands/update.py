"""The newest version of the course, over whatever the learner has done: fetched with git, nothing lost."""

import datetime
from pathlib import Path

from commands.console import Parser, Problem, say
from commands.copies import adopt, refresh_copies
from commands.files import write
from commands.lock import alone
from commands.places import MY, ROOT, VENV
from commands.repository import GitError, git, has_git, is_clone, names
from commands.running import find
from commands.setup import is_set_up, set_up

_NEWS = 40  # lines of the change log that a person reads in a terminal
_BY_HAND = "Download the newest ZIP and unpack it over this folder, then run python course.py: your work in my stays."
_PATIENCE = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=30")  # a dead network must not hang for minutes


def update(arguments: list[str]) -> int:
    """Fetch the newest version of the course and carry the learner's work over."""
    Parser("update").parse_args(arguments)
    _check_clone()
    with alone():
        try:
            _fetch()
            _move_on()
        except GitError as error:
            told = " ".join(str(error).split())
            raise Problem(f"The new version could not be put into place; git says: {told}", _BY_HAND) from None
        for sentence in refresh_copies():
            say(sentence)
        _renew_environment()
    return 0


def _check_clone() -> None:
    if not is_clone():
        raise Problem("This copy of the course was not made with git: it cannot fetch a new version itself.", _BY_HAND)
    if not has_git():
        raise Problem("The program git is not on this machine.", f"Install it from git-scm.com. Or: {_BY_HAND}")
    if not _ask("remote"):
        raise Problem("This copy does not know where the course comes from: it has no remote.", _BY_HAND)
    if not _ask("symbolic-ref", "--quiet", "HEAD"):
        raise Problem(
            "This copy stands at one fixed version of the course, not on a branch.",
            "To follow the course: git switch main, then python course.py update. Your folder my stays as it is.",
        )
    if not _ask("rev-parse", "--abbrev-ref", "@{u}"):
        raise Problem(
            "The branch of this copy follows no branch of the course.",
            "To follow the course: git branch --set-upstream-to=origin/main, then python course.py update.",
        )
    if _ask("ls-files", "--unmerged"):
        raise Problem(
            "A merge in this copy is not finished.", "Finish it with git commit, or give it up with git merge --abort."
        )


def _ask(*arguments: str) -> str:
    """What git answers, or nothing."""
    try:
        return git(*arguments).strip()
    except GitError:
        return ""


def _fetch() -> None:
    say("Asking for a new version.")
    branch = git("symbolic-ref", "--short", "HEAD").strip()
    try:
        git(*_PATIENCE, "fetch", "--quiet", git("config", f"branch.{branch}.remote").strip())
    except GitError as error:
        last = (str(error).splitlines() or ["git said nothing"])[-1]
        raise Problem(
            f"The new version could not be fetched: the network, or the place it comes from, does not answer ({last}).",
            "Nothing is changed. Check the connection, or the proxy, and run the same command again.",
        ) from None


def _move_on() -> None:
    """Go to the newest version and tell what is new in it."""
    ahead, behind = (int(number) for number in git("rev-list", "--left-right", "--count", "HEAD...@{u}").split())
    if ahead and behind:
        raise Problem(
            f"This copy and the course have gone different ways (commits here: {ahead}, there: {behind}).",
            "Nothing is changed. Join them with git merge @{u}, or get a fresh copy and move your folder my into it.",
        )
    if not behind:
        say("You have the newest version.")
        return
    before = git("rev-parse", "HEAD").strip()
    _make_way()
    git("-c", "merge.autoStash=false", "merge", "--ff-only", "--quiet", "@{u}")
    say("You have the newest version now.")
    _tell_news(before)


def _make_way() -> None:
    """Put aside the learner's changes to files that the new version changes too; the others stay where they are."""
    staged = [names("diff", "--name-only", "--no-renames", "-z", *more, "HEAD") for more in ((), ("--cached",))]
    mine = {name for found in staged for name in found}
    tracked = set(names("ls-files", "-z"))
    theirs = names("diff", "--name-only", "--no-renames", "-z", "HEAD", "@{u}")
    changed = [name for name in theirs if name in mine or ((ROOT / name).is_file() and name not in tracked)]
    if staying := sorted(mine - set(changed)):
        say(f"You changed these files of the course. They stay as you left them: {', '.join(staying)}")
    if changed:
        _put_aside(changed)


def _put_aside(changed: list[str]) -> None:
    known = set(names("ls-tree", "-r", "--name-only", "-z", "HEAD"))
    kept = [name for name in changed if (ROOT / name).is_file()]
    if kept:
        folder = _keep(kept)
        say(f"You changed what the new version changes too. Yours is kept in my/{folder.name}: {', '.join(kept)}")
    for name in kept:
        _adopt(name, known)
    # Only now, with everything kept, do these files go back to what the new version follows.
    for name in changed:
        place = f":(literal){name}"
        if name in known:
            git("checkout", "--quiet", "HEAD", "--", place)
        else:
            git("rm", "--quiet", "--force", "--cached", "--ignore-unmatch", "--", place)
            (ROOT / name).unlink(missing_ok=True)


def _keep(changed: list[str]) -> Path:
    moment = datetime.datetime.now().strftime("%Y-%m-%d-%H%M")
    folders = [MY / f"before-update-{moment}{more}" for more in ("", *(f"-{n}" for n in range(2, 1000)))]
    folder = next(folder for folder in folders if not folder.exists())
    for name in changed:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, (ROOT / name).read_bytes())
    return folder


def _adopt(name: str, known: set[str]) -> None:
    """A notebook worked on in `notebooks` becomes the copy in `my`, if that has no work in it."""
    path = Path(name)
    if path.parent != Path("notebooks") or path.suffix != ".ipynb" or name not in known:
        return
    original = git("cat-file", "blob", f"HEAD:{name}").encode("utf-8", "surrogateescape")
    if adopt(path.name, (ROOT / name).read_bytes(), original):
        say(f"Your work in {name} goes on in my/{path.name}: open that from now on.")


def _tell_news(before: str) -> None:
    difference = git("diff", "--unified=0", "--no-color", "--no-ext-diff", before, "HEAD", "--", "CHANGELOG.md")
    lines = [line[1:] for line in difference.splitlines() if line.startswith("+") and not line.startswith("+++")]
    lines = [line for line in lines if line.strip()]
    if lines:
        say("What is new:")
        more = [f"… and {len(lines) - _NEWS} more lines in CHANGELOG.md"] if len(lines) > _NEWS else []
        say("\n".join(f"  {line}" for line in [*lines[:_NEWS], *more]))
    for kind, word in (("A", "New"), ("M", "Changed")):
        wanted = ("-z", before, "HEAD", "--", ":(glob)notebooks/*.ipynb")
        if found := names("diff", "--name-only", "--no-renames", f"--diff-filter={kind}", *wanted):
            say(f"{word} notebooks: {', '.join(Path(name).stem for name in found)}")


def _renew_environment() -> None:
    """Install new pins now, while the network is there; what does not work out is left to the next start."""
    if not VENV.exists() or is_set_up("lab"):
        return
    if find() is not None:  # packages must not change below a running server
        say("JupyterLab runs in this folder with older packages: end it, then run python course.py.")
        return
    try:
        set_up("lab")
    except Problem as problem:
        say(f"The course is up to date, its packages are not yet: {problem.wrong}")
        say("The next python course.py tries again; it needs the network once.")
