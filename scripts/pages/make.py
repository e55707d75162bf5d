"""Make the site: ``python scripts/pages/make.py FOLDER``. Every notebook is run afresh and becomes one page.

The pages need no kernel and no server: what they show was computed here, and a slider that goes through a table of
positions goes on doing so in the browser. Their JavaScript lies beside them, so that they ask nobody for anything.
"""

import argparse
import html
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402  (needs the line above)
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError  # noqa: E402
from nbformat import NotebookNode  # noqa: E402

from bplib.lessons.catalogue import CATALOGUE  # noqa: E402
from bplib.lessons.exercises import Exercise  # noqa: E402
from bplib.lessons.syllabus import SYLLABUS, map_of_the_course  # noqa: E402
from scripts.pages.assets import write_assets  # noqa: E402
from scripts.pages.cells import goals, minutes, prepared, title  # noqa: E402
from scripts.pages.page import Neighbour, article, framed  # noqa: E402
from scripts.pages.running import run, warm_fonts  # noqa: E402

__all__ = ["main", "make"]

# What the notebooks lead to; a page each, of the same name in small letters.
_DOCUMENTS = ("GLOSSARY.md", "docs/notation.md", "docs/operations.md", "docs/claims.md")


def make(notebooks: Sequence[Path], folder: Path) -> None:
    """Run notebooks and write a page for each, the index, and what they share.

    Parameters
    ----------
    notebooks : sequence of pathlib.Path
        In the order in which the pages lead to one another.
    folder : pathlib.Path
        Made if it is not there.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises, takes too long or ends its kernel.
    """
    write_assets(folder / "assets")
    read = {path.stem: nbformat.read(path, 4) for path in notebooks}
    pages = [Neighbour(f"{name}.html", title(node)) for name, node in read.items()]
    around = zip([None, *pages[:-1]], [*pages[1:], None], strict=True)
    with tempfile.TemporaryDirectory() as temporary:
        warm_fonts(Path(temporary))
        for (name, node), (before, after) in zip(read.items(), around, strict=True):
            print(name, end="", flush=True)
            started = time.perf_counter()
            node, models = prepared(run(node, Path(temporary)), _exercises(name), _place(name))
            _write(folder / f"{name}.html", framed(article(node), title(node), models, before, after))
            print(f"  {time.perf_counter() - started:.1f} s", flush=True)
    documents = [_document(ROOT / path, folder) for path in _DOCUMENTS]
    _write(folder / "index.html", framed(_index(read, documents)))


def main(arguments: Sequence[str]) -> int:
    """Make the site of the course; return 0 if all is well, 1 if a notebook does not run to its end."""
    parser = argparse.ArgumentParser(prog="scripts/pages/make.py", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pages go; made if it is not there")
    folder = parser.parse_args(arguments).folder
    try:
        make(sorted((ROOT / "notebooks").glob("*.ipynb")), folder)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        print(f"\nThis notebook does not run to its end, so there is no site.\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the site as it was is still there.", file=sys.stderr)
        return 130
    return 0


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


def _document(path: Path, folder: Path) -> Neighbour:
    """Write the page of a document, and give what it is called."""
    text = path.read_text("utf-8")
    page = Neighbour(f"{path.stem.lower()}.html", text.partition("\n")[0].removeprefix("# "))
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text, id="document")])
    _write(folder / page.file, framed(article(node), page.title))
    return page


def _exercises(name: str) -> Mapping[str, Exercise]:
    number = name.partition("_")[0]
    return next((one.lesson_exercises() for one in CATALOGUE if one.number == number), {})


def _place(name: str) -> str:
    """Where the notebook has a kernel, as HTML; with a link once the course has a public address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    owner, _, course = project["tool"]["course"]["repository"].removeprefix("https://github.com/").partition("/")
    if owner == "OWNER":
        return "in JupyterLab or on Binder"
    tag = f"v{project['project']['version']}"
    address = f"https://mybinder.org/v2/gh/{owner}/{course}/{tag}?urlpath=lab/tree/notebooks/{name}.ipynb"
    return f'in JupyterLab or <a href="{html.escape(address)}">on Binder</a>'


def _index(notebooks: Mapping[str, NotebookNode], documents: Sequence[Neighbour]) -> str:
    there = {name.partition("_")[0] for name in notebooks}
    planned = {f"{lesson.number:02}": lesson for lesson in SYLLABUS if f"{lesson.number:02}" not in there}
    cards = {name: _card(name, node) for name, node in notebooks.items()}
    cards |= {number: _planned(f"{number} · {lesson.title}", lesson.minutes) for number, lesson in planned.items()}
    listed = "".join(card for _, card in sorted(cards.items()))
    beside = ", ".join(f'<a href="{page.file}">{html.escape(page.title)}</a>' for page in documents)
    return (
        "<h1>Backpropagation, step by step</h1>\n<p>How neural networks learn, from the loss to the whole training "
        "pipeline. Every page is a notebook that has been run: read it, move its sliders, open its hints.</p>\n"
        f'<div class="output_area">{map_of_the_course().html()}</div>\n<ul class="cards">{listed}</ul>'
        f"\n<p>To look things up: {beside}.</p>"
    )


def _card(name: str, node: NotebookNode) -> str:
    goal_list = "; ".join(html.escape(goal) for goal in goals(node))
    can = f"<p>After it you can {goal_list}.</p>" if goal_list else ""
    heading = f'<h2><a href="{name}.html">{html.escape(title(node))}</a></h2>'
    return f"<li>{heading}<p>{html.escape(minutes(node))}</p>{can}</li>"


def _planned(heading: str, length: int) -> str:
    return f'<li class="planned"><h2>{html.escape(heading)}</h2><p>{length} minutes; on its way</p></li>'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
