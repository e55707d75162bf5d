"""The hand-edited form of a notebook: percent cells in, an unexecuted notebook node out.

jupytext reads the cells. What this module adds are the rules the course relies on (an id on every cell, known
tags, solutions between markers) and a message with the line number for each way to break them.
"""

import ast
import difflib
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

__all__ = ["KINDS", "TAGS", "Cell", "Kind", "Source", "SourceError", "read"]

Kind = Literal["learner", "solution"]
KINDS: tuple[Kind, ...] = ("learner", "solution")

TAGS = frozenset(
    {"task", "check", "predict", "widget", "slide", "core", "optional", "again", "solution"}
    | {"nbval-ignore-output", "nbval-check-output", "nbval-raises-exception", "nbval-skip", "raises-exception"}
)

# Without this option jupytext turns a comment such as "# cat pictures" into the shell command "cat pictures".
_FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}
_EXAMPLE = '# %% [markdown] id="title" tags=["core"]'
_LOOKS_LIKE_A_CELL = re.compile(r"\s*#\s*(%%|<codecell>|In\[[0-9 ]*\]:?\s*$)")
_CELL = re.compile(r'# %%( \[markdown\])?( id="(?P<id>[^"]*)")?( tags=\[(?P<tags>"[^"]*"(, ?"[^"]*")*)?\])?\s*')
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOOKS_LIKE_A_MARKER = re.compile(r"\s*#+\s*(BEGIN|END)\W*SOLUTION", re.IGNORECASE)
_MARKER = re.compile(r"(?P<indent>\s*)# (?P<word>BEGIN|END) SOLUTION")
_MAGIC = re.compile(r"\s*(#\s?)?(%%?|!)[A-Za-z]")
# Lines that any lesson repeats: they give nothing away.
_TRIVIAL = re.compile(
    r"(\.\.\.|pass|break|continue|else:|return( \w+)?|(from|import) .*|(for|while|with|if|def) .*:|#.*)"
)


class SourceError(Exception):
    """A source that cannot become a notebook; the text names file and line and says what to write."""


@final
@dataclass(frozen=True)
class Cell:
    """One cell as the author wrote it, already in its two forms.

    Parameters
    ----------
    id : str
        A valid nbformat 4.5 cell id, unique in the source.
    code : bool
        Whether this is a code cell; otherwise markdown.
    tags : tuple of str
        In the order of the source.
    line : int
        The line of the cell marker in the source, from 1.
    learner, solution : str
        The text of the cell in each notebook.
    secrets : tuple of str
        The telling lines of the solution, stripped; no other cell may show them to a learner.
    """

    id: str
    code: bool
    tags: tuple[str, ...]
    line: int
    learner: str
    solution: str
    secrets: tuple[str, ...] = ()

    def node(self, kind: Kind) -> NotebookNode:
        """Return the unexecuted cell of the `kind` notebook."""
        make = new_code_cell if self.code else new_markdown_cell
        text = self.learner if kind == "learner" else self.solution
        return make(text, id=self.id, metadata={"tags": list(self.tags)} if self.tags else {})


@final
@dataclass(frozen=True)
class Source:
    """A source that has been read and found sound.

    Parameters
    ----------
    path : pathlib.Path
        Where it was read.
    sha256 : str
        Of the text with line feeds, so that a checkout on any system has the same value.
    cells : tuple of Cell
        In order.
    """

    path: Path
    sha256: str
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The name the source shares with its two notebooks, for example ``06_learning_rate``."""
        return self.path.stem

    @property
    def secrets(self) -> tuple[str, ...]:
        """The telling lines of all solutions."""
        return tuple(dict.fromkeys(line for cell in self.cells for line in cell.secrets))

    def line(self, cell_id: str) -> int:
        """Return the line of the marker of cell `cell_id`, from 1."""
        return next(cell.line for cell in self.cells if cell.id == cell_id)

    def notebook(self, kind: Kind) -> NotebookNode:
        """Return the unexecuted notebook of this `kind`; equal sources give equal notebooks.

        Parameters
        ----------
        kind : {"learner", "solution"}

        Returns
        -------
        nbformat.NotebookNode
        """
        shown = [cell for cell in self.cells if kind == "solution" or "solution" not in cell.tags]
        node = new_notebook(
            cells=[cell.node(kind) for cell in shown],
            metadata={
                "bplib": {"kind": kind, "source_sha256": self.sha256},
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
        )
        node.nbformat_minor = 5
        return node


def read(path: Path) -> Source:
    """Read a source and check every rule that needs no kernel.

    Parameters
    ----------
    path : pathlib.Path
        A Python file in percent format, UTF-8.

    Returns
    -------
    Source

    Raises
    ------
    SourceError
        If a rule is broken. The text begins with the file name and the line.
    """
    text = path.read_text(encoding="utf-8")
    try:
        lines = _cell_lines(text)
        nodes = jupytext.reads(text, fmt=_FORMAT).cells
        _check_count(lines, nodes)
        cells = [_cell(node, line) for node, line in zip(nodes, lines, strict=True)]
        _check_unique(cells)
    except SourceError as error:
        raise SourceError(f"{path.name}, {error}") from None
    return Source(path, hashlib.sha256(text.encode()).hexdigest(), tuple(cells))


def _cell_lines(text: str) -> list[int]:
    lines = text.splitlines()
    found = [number for number, line in enumerate(lines, 1) if _LOOKS_LIKE_A_CELL.match(line)]
    for number in found:
        _check_cell_line(lines[number - 1], number)
    first = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    if not found or first < found[0]:
        raise SourceError(f"line {first}: text before the first cell. Begin the file with {_EXAMPLE}")
    return found


def _check_cell_line(line: str, number: int) -> None:
    if "[raw]" in line:
        raise SourceError(f"line {number}: raw cells are not used here. Write [markdown], or leave it out for code.")
    match = _CELL.fullmatch(line)
    if match is None:
        raise SourceError(f"line {number}: cannot read the cell marker {line.strip()!r}. Write it like {_EXAMPLE}")
    if match["id"] is None:
        raise SourceError(f"line {number}: this cell has no id. Give it a short name of its own: {_EXAMPLE}")
    if not _ID.fullmatch(match["id"]):
        raise SourceError(
            f"line {number}: {match['id']!r} is no valid cell id. Use 1 to 64 letters, digits, hyphens or underscores."
        )
    _check_tags(number, re.findall(r'"([^"]*)"', match["tags"] or ""))


def _check_count(lines: list[int], nodes: list[NotebookNode]) -> None:
    if len(lines) != len(nodes):
        raise SourceError(
            f"line {lines[-1]} or before: {len(lines)} lines look like cell markers, but {len(nodes)} cells were read. "
            'A line with "# %%" stands inside a string or a code fence, or a string is not closed.'
        )


def _check_unique(cells: list[Cell]) -> None:
    seen: dict[str, int] = {}
    for cell in cells:
        if cell.id in seen:
            raise SourceError(
                f"line {cell.line}: the id {cell.id!r} is already used in line {seen[cell.id]}. Choose another."
            )
        seen[cell.id] = cell.line


def _cell(node: NotebookNode, line: int) -> Cell:
    code = node.cell_type == "code"
    tags = tuple(node.metadata.get("tags", ()))
    name = f"line {line}: cell {node.metadata['id']!r}"
    _check_kind(name, tags, code)
    if not node.source.strip():
        raise SourceError(f"{name} is empty. Write something or remove the cell.")
    learner = solution = node.source
    secrets: tuple[str, ...] = ()
    if "task" in tags:
        learner, solution, secrets = _split(name, node.source)
    elif any(_LOOKS_LIKE_A_MARKER.match(text) for text in node.source.splitlines()):
        raise SourceError(f'{name} holds a solution marker but is no task. Add tags=["task"] or remove the marker.')
    if code:
        _check_python(name, solution)
        _check_python(f"{name} (as the learner gets it)", learner)
    return Cell(node.metadata["id"], code, tags, line, learner, solution, secrets)


def _check_tags(number: int, tags: list[str]) -> None:
    for tag in tags:
        if tag not in TAGS:
            close = difflib.get_close_matches(tag, TAGS, 1)
            advice = f"Did you mean {close[0]!r}?" if close else f"Known tags: {', '.join(sorted(TAGS))}."
            raise SourceError(f"line {number}: unknown tag {tag!r}. {advice}")
    if len(set(tags)) < len(tags):
        raise SourceError(f"line {number}: a tag twice: {', '.join(tags)}. Remove one.")


def _check_kind(name: str, tags: tuple[str, ...], code: bool) -> None:
    if "task" in tags and not code:
        raise SourceError(f"{name} is a task but not code. Put the question in markdown and the task in a code cell.")
    if "solution" in tags and code:
        raise SourceError(
            f"{name}: the tag 'solution' is for markdown. For code use tags=[\"task\"] and the two solution markers."
        )


def _split(name: str, text: str) -> tuple[str, str, tuple[str, ...]]:
    """Return what the learner gets, the full text, and the telling lines of the solution."""
    learner: list[str] = []
    solution: list[str] = []
    hidden: list[str] | None = None
    blocks: list[list[str]] = []
    for line in text.splitlines():
        match = _marker(name, line)
        if match is None:
            solution.append(line)
            (learner if hidden is None else hidden).append(line)
        elif match["word"] == "BEGIN":
            if hidden is not None:
                raise SourceError(f"{name} has a second # BEGIN SOLUTION before # END SOLUTION. Markers do not nest.")
            hidden = []
        else:
            if hidden is None:
                raise SourceError(f"{name} has # END SOLUTION without # BEGIN SOLUTION before it.")
            learner.append(match["indent"] + _placeholder(hidden))
            blocks.append(hidden)
            hidden = None
    _check_blocks(name, blocks, hidden)
    return "\n".join(learner), "\n".join(solution), tuple(line for block in blocks for line in _telling(block))


def _placeholder(block: list[str]) -> str:
    """Return what stands for a block: ``...``, or ``name = ...`` where the next cell needs the name to exist."""
    try:
        statements = ast.parse("\n".join(block)).body
    except SyntaxError:  # an indented block, among others
        return "..."
    match statements:
        case [ast.Assign(targets=[ast.Name(id=name)])]:
            return f"{name} = ..."
    return "..."


def _check_blocks(name: str, blocks: list[list[str]], open_block: list[str] | None) -> None:
    if open_block is not None:
        raise SourceError(f"{name} has # BEGIN SOLUTION without # END SOLUTION after it.")
    if not blocks:
        raise SourceError(f"{name} is a task without a solution. Put it between # BEGIN SOLUTION and # END SOLUTION.")
    if any(not "".join(block).strip() for block in blocks):
        raise SourceError(f"{name} has nothing between # BEGIN SOLUTION and # END SOLUTION.")


def _marker(name: str, line: str) -> re.Match[str] | None:
    match = _MARKER.fullmatch(line.rstrip())
    if match is None and _LOOKS_LIKE_A_MARKER.match(line):
        raise SourceError(
            f"{name}: cannot read the marker {line.strip()!r}. Write # BEGIN SOLUTION and # END SOLUTION exactly."
        )
    return match


def _telling(block: list[str]) -> Iterator[str]:
    for line in block:
        statement, _, comment = line.partition("  #")
        statement = " ".join(statement.split())
        if "as shown" not in comment and len(statement) >= 8 and not _TRIVIAL.fullmatch(statement):
            yield statement


def _check_python(name: str, text: str) -> None:
    lines = text.splitlines()
    try:
        ast.parse(text)
        wrong = [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)]
        magic = next((word for word in wrong if word.startswith("#") and _MAGIC.match(word)), None)
    except SyntaxError as error:
        at = lines[error.lineno - 1].strip() if error.lineno and error.lineno <= len(lines) else ""
        if not _MAGIC.match(at):
            raise SourceError(f"{name} is not valid Python: {error.msg}, at {at!r}.") from None
        magic = at
    if magic is not None:
        raise SourceError(
            f"{name} holds the notebook command {magic!r}. Commands with % or ! are not used here: write plain Python."
        )
