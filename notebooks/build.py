"""Build the notebooks from their sources: ``python notebooks/build.py [NN …]``, or ``--check`` to compare only.

A source ``src/NN_topic.py`` becomes the learner notebook ``NN_topic.ipynb`` and the solution notebook
``solutions/NN_topic.ipynb``. Both are executed from top to bottom in a fresh kernel, in an empty folder, so that a
learner's copy prints the same from anywhere. Nothing is written that a guard (`guards.py`) objects to. Built twice on
one machine the files are the same bytes. Never edit a notebook: the next build would undo it, and ``--check`` tells.

How a source is written (the first cell is always the title)::

    # %% [markdown] id="title" tags=["core"]
    # # 06 · Learning rate
    # You choose how far one step goes. Run all cells first: **Run > Run All Cells**.

    # %% id="imports" tags=["core"]
    import numpy as np
    from bplib.lessons import learning_rate as lesson

    # %% [markdown] id="update"
    # ## Update
    # One step is $w - \\eta\\, g$. Write it.

    # %% id="gd-step" tags=["task"]
    def gd_step(w, grad, lr):
        # BEGIN SOLUTION
        return w - lr * grad
        # END SOLUTION

    # %% id="gd-step-check" tags=["check"]
    lesson.check("gd_step", gd_step)

    # %% [markdown] id="why" tags=["solution"]
    # Only the solution notebook has this cell.

- Every cell has an ``id`` (letters, digits, ``-``, ``_``), then ``tags`` if any; always in that order and quoted.
- Tags: ``task check predict widget slide core optional again solution``, nbval's own, and ``raises-exception``.
- The learner gets ``...`` in place of each solution block, at its indentation; for a block at the margin that is one
  assignment, ``name = ...``. The untouched notebook still runs to its end: a check must bear such an answer.
- A line of a solution appears nowhere else in the learner notebook, unless it ends with a comment ``# as shown``.
- A name belongs to the one cell that binds it; ``task`` and ``again`` cells may bind it anew.
- A cell that must not be compared is tagged ``nbval-ignore-output`` and says ``# not compared: why``.
- No commands with ``%`` or ``!``, no raw cells. Headings go down one level at a time.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from execution import BuildError, environment, execute, warm_fonts
from guards import Finding, Notebook, review, review_together
from nbformat import NotebookNode
from source import KINDS, Kind, Source, SourceError, read

__all__ = ["BuildError", "SourceError", "build", "check", "environment", "main", "target"]

_HERE = Path(__file__).resolve().parent


def target(folder: Path, name: str, kind: Kind) -> Path:
    """Return the file of the `kind` notebook called `name`."""
    return (folder if kind == "learner" else folder / "solutions") / f"{name}.ipynb"


def build(folder: Path, wanted: Sequence[str] = (), timeout: int = 60) -> list[Path]:
    """Build and execute the notebooks of a folder, and write those that pass every guard.

    Parameters
    ----------
    folder : pathlib.Path
        Holds ``src``; the notebooks are written here and into ``solutions``.
    wanted : sequence of str
        Numbers or names, for example ``["06"]``; empty for all.
    timeout : int
        Seconds one cell may take.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    SourceError
        If a source breaks a rule.
    BuildError
        If a cell raises, takes too long or kills its kernel, or if a guard objects. Neither notebook of that source
        is written then.
    """
    sources = [read(path) for path in _chosen(folder, wanted)]
    written: list[Path] = []
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        warm_fonts(scratch)
        for source in sources:
            _refuse(_review(source, {kind: _text(source.notebook(kind)) for kind in KINDS}, executed=False))
            texts = {kind: _executed(source, kind, scratch, timeout) for kind in KINDS}
            _refuse(_review(source, texts))
            for kind, text in texts.items():
                path = target(folder, source.name, kind)
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
                written.append(path)
    return written


def check(folder: Path, wanted: Sequence[str] = ()) -> list[Finding]:
    """Compare the notebooks of a folder with their sources, without running them, and run all guards.

    Parameters
    ----------
    folder, wanted
        As for `build`.

    Returns
    -------
    list of Finding
        Empty if every notebook is what a build would write, up to its outputs.

    Raises
    ------
    SourceError
        If a source breaks a rule.
    """
    paths = _chosen(folder, wanted)
    findings: list[Finding] = [] if wanted else list(_orphans(folder))
    notebooks: list[Notebook] = []
    for source in map(read, paths):
        for kind in KINDS:
            path = target(folder, source.name, kind)
            label = path.relative_to(folder).as_posix()
            if not path.exists():
                what = f"there is no {kind} notebook for the source {source.path.name}"
                findings.append(Finding(label, "", "complete", what, _build_anew(source)))
                continue
            notebook = Notebook(label, path.read_text(encoding="utf-8"), source.secrets)
            problems = review(notebook)
            findings += problems
            if not any(finding.guard == "valid format" for finding in problems):
                findings += _differences(notebook, source, kind)
                notebooks.append(notebook)
    return findings + review_together(notebooks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if all is well, 1 if not, 130 if interrupted."""
    parser = argparse.ArgumentParser(description="Build the notebooks from their sources in src.")
    parser.add_argument("wanted", nargs="*", metavar="NN", help="numbers or names; all if none is given")
    parser.add_argument("--check", action="store_true", help="compare and review, without running anything")
    parser.add_argument("--timeout", type=int, default=60, metavar="S", help="seconds one cell may take (60)")
    parser.add_argument("--folder", type=Path, default=_HERE, help="the folder that holds src (this one)")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        if options.check:
            findings = check(options.folder, options.wanted)
            print(*findings, sep="\n", end="\n" if findings else "")
            print(f"check: {len(findings)} findings, {time.perf_counter() - started:.1f} s")
            return int(bool(findings))
        written = build(options.folder, options.wanted, options.timeout)
        print(f"build: {len(written)} notebooks written, {time.perf_counter() - started:.1f} s")
    except (SourceError, BuildError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the notebook under way was not written", file=sys.stderr)
        return 130
    return 0


def _chosen(folder: Path, wanted: Sequence[str]) -> list[Path]:
    paths = sorted((folder / "src").glob("*.py"))
    unknown = [name for name in wanted if not any(_is_called(path, name) for path in paths)]
    if unknown:
        names = ", ".join(path.stem for path in paths) or "none"
        raise BuildError(f"no source called {', '.join(unknown)} in {folder.name}/src. There: {names}.")
    return [path for path in paths if not wanted or any(_is_called(path, name) for name in wanted)]


def _is_called(path: Path, name: str) -> bool:
    plain = Path(name).stem
    return plain == path.stem or plain == path.stem.partition("_")[0]


def _executed(source: Source, kind: Kind, scratch: Path, timeout: int) -> str:
    """Run the `kind` notebook, tell how long it took, and return the text of its file."""
    started = time.perf_counter()
    print(f"{source.name}  {kind:<8}", end="", flush=True)
    try:
        text = _text(execute(source, kind, scratch, timeout))
    except BuildError:
        print("  stopped", flush=True)
        raise
    print(f"  {time.perf_counter() - started:5.1f} s", flush=True)
    return text


def _refuse(findings: list[Finding]) -> None:
    if findings:
        listed = "\n".join(str(finding) for finding in findings)
        raise BuildError(f"{listed}\nNeither notebook of this source was written.")


def _review(source: Source, texts: dict[Kind, str], *, executed: bool = True) -> list[Finding]:
    names = {kind: target(Path(), source.name, kind).as_posix() for kind in texts}
    pair = [Notebook(names[kind], text, source.secrets) for kind, text in texts.items()]
    return [finding for notebook in pair for finding in review(notebook, executed=executed)]


def _text(node: NotebookNode) -> str:
    return str(nbformat.v4.writes(node)).rstrip("\n") + "\n"


def _orphans(folder: Path) -> Iterator[Finding]:
    names = {path.stem for path in (folder / "src").glob("*.py")}
    for path in sorted([*folder.glob("*.ipynb"), *(folder / "solutions").glob("*.ipynb")]):
        if path.stem not in names:
            label = path.relative_to(folder).as_posix()
            what = f"there is no source src/{path.stem}.py"
            yield Finding(label, "", "complete", what, "Remove the notebook, or keep your own in the folder my.")


def _differences(notebook: Notebook, source: Source, kind: Kind) -> Iterator[Finding]:
    """Yield how a notebook differs from what its source says, cell by cell, and at last byte by byte."""
    advice = _build_anew(source)
    stored, expected = notebook.node, source.notebook(kind)
    found = list(_different_parts(stored, expected))
    if not found and _text(stored) != notebook.text:
        found = [("", "the file is not laid out as the build writes it")]
    for cell, what in found:
        yield Finding(notebook.name, cell, "as its source", what, advice)


def _different_parts(stored: NotebookNode, expected: NotebookNode) -> Iterator[tuple[str, str]]:
    if stored.metadata != expected.metadata:
        old, new = (node.metadata.get("bplib", {}).get("source_sha256", "") for node in (stored, expected))
        yield "", "the source was changed since" if old != new else "the metadata differ"
    there, due = ([cell.get("id", "") for cell in node.cells] for node in (stored, expected))
    if there != due:
        missing, extra = ", ".join(sorted(set(due) - set(there))), ", ".join(sorted(set(there) - set(due)))
        parts = [words for words in (missing and f"missing {missing}", extra and f"not in the source {extra}") if words]
        yield "", f"the cells differ: {'; '.join(parts) or 'their order or number'}"
    wanted = {cell.id: cell for cell in expected.cells}
    for cell in stored.cells:
        other = wanted.get(cell.get("id", ""))
        for part in ("cell_type", "source", "metadata") if other else ():
            if cell[part] != other[part]:
                yield cell.id, f"its {part.replace('cell_type', 'type')} differs"


def _build_anew(source: Source) -> str:
    return f"Run: python course.py build {source.name.partition('_')[0]}"


if __name__ == "__main__":
    sys.exit(main())
