"""What the learner has done: shown in the terminal, written into a file for an instructor, summed up for a class."""

import argparse
import datetime
import subprocess
from pathlib import Path

from commands.classes import summary
from commands.console import Parser, Problem, say
from commands.environment import child, lab_run
from commands.places import MY, ROOT, venv_python
from commands.setup import is_set_up, set_up

_PAGE = "from bplib.lessons.progress_page import progress_page; print(progress_page())"
_EXPORT = """
import sys
from bplib.lessons.progress import current_progress
from bplib.lessons.progress_export import export
print(export(name=sys.argv[1], words=sys.argv[2] == "words"))
notice = current_progress().notice()
if notice:
    print(notice, file=sys.stderr)
"""
_NOTHING = "There is nothing here yet, and that is fine: everybody begins with an empty page.\nBegin: python course.py"


def progress(arguments: list[str]) -> int:
    """Show the progress, or write it into a file, or sum up the files of a class."""
    options = _options(arguments)
    if options.of_class:
        say(summary([Path(name) for name in options.of_class]))
        return 0
    stored = (MY / "progress.json").exists()
    if options.export is None:
        say(_run(_PAGE) if stored or is_set_up("lab") else _NOTHING)
        return 0
    if not stored:
        raise Problem("There is nothing to export yet: no prediction, no check.", "Begin: python course.py")
    _export(options)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = Parser("progress")
    told = "write what you did, without name and words, into a file for an instructor"
    parser.add_argument("--export", nargs="?", const="", metavar="FILE", help=told)
    parser.add_argument("--name", metavar="NAME", help="with --export: add your name")
    parser.add_argument("--with-words", action="store_true", help="with --export: add the reasons that you wrote")
    told = "sum up the exports of a class"
    parser.add_argument("--class", nargs="+", dest="of_class", metavar="FILE|FOLDER", help=told)
    options = parser.parse_args(arguments)
    if options.export is not None and options.of_class:
        parser.error("--export and --class are two different things: give one of them")
    if options.export is None and (options.name is not None or options.with_words):
        parser.error("--name and --with-words belong to --export")
    if options.name is not None and not options.name.strip():
        parser.error("--name needs a name, or leave it out")
    return options


def _export(options: argparse.Namespace) -> None:
    today = datetime.date.today().isoformat()
    path = Path(options.export) if options.export else MY / f"progress-for-instructor-{today}.json"
    _refuse_to_replace(path)
    text = _run(_EXPORT, (options.name or "").strip(), "words" if options.with_words else "")
    _write(path, text + "\n")
    say(text)
    say(f"\nThis, and no more, is now in the file {path}.")
    held = ["your name" if options.name else "", "the words you wrote" if options.with_words else ""]
    named = " and ".join(one for one in held if one)
    say(f"It holds {named}, because you asked for it." if named else "Neither your name nor your words are in it.")
    say("Nothing was sent anywhere. Give the file to whom you like.")


def _refuse_to_replace(path: Path) -> None:
    if path.exists():
        raise Problem(f"There is already something called {path}. It stays as it is.", "Give another name, or move it.")
    if not path.parent.is_dir():
        raise Problem(f"There is no folder {path.parent}.", "Make it first, or give another name.")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:  # x: whoever was faster keeps their file
            file.write(text)
    except FileExistsError:
        _refuse_to_replace(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _run(program: str, *arguments: str) -> str:
    """Run a few lines in the environment, with the learner's progress, and give what they print."""
    set_up("lab")
    done = subprocess.run(
        [str(venv_python()), "-c", program, *arguments],
        cwd=ROOT,
        env=child(lab_run()),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise Problem("The progress could not be shown: see above.", "python course.py doctor says more.")
    return done.stdout.rstrip("\n")
