"""What a built notebook must never hold, one small function a rule.

Every guard takes a `Notebook` and yields findings that name the notebook, the cell, what is wrong and what to do.
`review` runs them all. Notebooks pass through here before they are written, in ``build.py --check`` and in the tests.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import final

import nbformat
from cells import DATA_URI, Markup, bound_names, code_cells, name_of, tags_of, texts_of
from nbformat import NotebookNode
from source import TAGS

__all__ = ["Finding", "Notebook", "review", "review_together"]

_LIMIT_BYTES = 1_000_000
_LIMIT_IGNORED = 5
_LEAST_CHECKED = 0.6

_PATH = re.compile(
    r"(?<![\w.:/<])/((home|Users|root|tmp|work)\b|(var|opt|usr|mnt|srv|private|workspaces?|content|builds?)/\w)[\w./-]*"
    r"|\b[A-Za-z]:[\\/]+(Users|Windows|Temp|Program)|\b[CDE]:\\|file://"
)
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_TIME = re.compile(r"\b(19|20)\d\d-[01]\d-[0-3]\d\b|\b[0-2]?\d:[0-5]\d:[0-5]\d\b")
_SCRIPT = re.compile(r"<script|javascript:", re.IGNORECASE)
_MARKDOWN_IMAGE = re.compile(r"!\[\s*\]\(")
_MARKER = re.compile(r"^\s*#+\s*(BEGIN|END)\W*SOLUTION", re.IGNORECASE | re.MULTILINE)
_NBVAL_COMMENT = re.compile(r"^\s*#+\s*(NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT)\s*$", re.MULTILINE)
_REASON = re.compile(r"^\s*# not compared: \S+ \S+", re.MULTILINE)
_CHECK = re.compile(r"\bcheck\(|^\s*assert\b", re.MULTILINE)
# An object that shows itself by its class: Figure(640x480), VBox(children=(…)), <Axes: …>, [<Line2D …>].
_BARE_REPR = re.compile(r"\s*(\[?<[\w.]+[ :].*>|[A-Z]\w+\(.*\))\]?\s*", re.DOTALL)
_WIDGET_REPR = re.compile(r"\s*[A-Z]\w+\((children|value|description|options|min|max|layout|figure)=")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) +\S", re.MULTILINE)


@final
@dataclass(frozen=True)
class Finding:
    """One broken rule: where, what and what to do, as one line of text."""

    notebook: str
    cell: str
    guard: str
    what: str
    advice: str

    def __str__(self) -> str:
        where = f"{self.notebook}: {self.cell}" if self.cell else self.notebook
        return f"{where}: {self.guard}: {self.what}. {self.advice}"


@final
@dataclass(frozen=True)
class Notebook:
    """A notebook under review.

    Parameters
    ----------
    name : str
        For messages, for example ``solutions/06_learning_rate.ipynb``.
    text : str
        The file's content. It is read as it stands: nothing is repaired or upgraded.
    secrets : tuple of str
        The telling lines of the solutions; empty where nothing has to be kept from the reader.
    """

    name: str
    text: str
    secrets: tuple[str, ...] = ()

    @property
    def node(self) -> NotebookNode:
        """The parsed content."""
        return nbformat.reader.reads(self.text)


_Problem = tuple[str, str, str]
_Guard = Callable[[NotebookNode], Iterator[_Problem]]


def review(notebook: Notebook, *, executed: bool = True) -> list[Finding]:
    """Run every guard over one notebook.

    Parameters
    ----------
    notebook : Notebook
    executed : bool
        If false, only what can be judged before a run: an author hears of it at once.

    Returns
    -------
    list of Finding
        In the order of the guards; empty for a sound notebook.
    """
    try:
        node = notebook.node
        sound = node.nbformat == 4
    except (nbformat.ValidationError, nbformat.reader.NotJSONError, ValueError, KeyError, AttributeError):
        sound = False
    if not sound:
        return [Finding(notebook.name, "", "valid format", "this is no notebook of format 4", "Build it anew.")]
    guards = _ON_TEXT + _ON_OUTPUT if executed else _ON_TEXT
    problems = [(guard.__name__, problem) for guard in guards for problem in guard(node)]
    problems += [("_solution_leak", problem) for problem in _solution_leak(node, notebook.secrets)]
    problems += [("_file_size", problem) for problem in _file_size(notebook.text)]
    return [
        Finding(notebook.name, cell, name.strip("_").replace("_", " "), what, advice)
        for name, (cell, what, advice) in problems
    ]


def review_together(notebooks: Iterable[Notebook]) -> list[Finding]:
    """Hold the limit on outputs that nothing compares, over all notebooks together.

    A cell that a learner notebook shares with its solution notebook counts once.
    """
    ignored = {
        (notebook.name.rpartition("/")[2], name_of(index, cell))
        for notebook in notebooks
        for index, cell in enumerate(notebook.node.cells)
        if _uncompared(cell)
    }
    if len(ignored) <= _LIMIT_IGNORED:
        return []
    what = f"{len(ignored)} cells are not compared, at most {_LIMIT_IGNORED} may be"
    listed = ", ".join(f"{name} {cell}" for name, cell in sorted(ignored))
    return [Finding("all notebooks", "", "ignored outputs", what, f"Print something steadier in one of {listed}.")]


def _valid_format(node: NotebookNode) -> Iterator[_Problem]:
    if (node.nbformat, node.nbformat_minor) != (4, 5):
        yield "", f"the format is {node.nbformat}.{node.nbformat_minor}, not 4.5", "Build it anew."
    for error in nbformat.validator.iter_validate(node, relax_add_props=False):
        yield "", f"not valid: {error.message[:200]}", "Build it anew; never edit a notebook's JSON."


def _cell_ids(node: NotebookNode) -> Iterator[_Problem]:
    seen: set[str] = set()
    for index, cell in enumerate(node.cells):
        if "id" not in cell:
            yield name_of(index, cell), "the cell has no id", "Give it one in the source."
        elif cell.id in seen:
            yield cell.id, "the id is used twice", "Rename one of the two cells in the source."
        seen.add(cell.get("id", ""))


def _executed_in_order(node: NotebookNode) -> Iterator[_Problem]:
    expected = 0
    for name, cell in code_cells(node):
        if cell.execution_count is None:
            continue
        expected += 1
        if cell.execution_count != expected:
            what = f"run as number {cell.execution_count}, but it is number {expected} from the top"
            yield name, what, "Restart the kernel and run all, or build anew."
            return


def _executed_completely(node: NotebookNode) -> Iterator[_Problem]:
    for name, cell in code_cells(node):
        if cell.execution_count is None:
            yield name, "the cell was not run", "Build anew: a cell without a count is never compared."


def _error_outputs(node: NotebookNode) -> Iterator[_Problem]:
    for name, cell in code_cells(node):
        errors = [output for output in cell.outputs if output.output_type == "error"]
        expected = bool({"raises-exception", "nbval-raises-exception"} & set(tags_of(cell)))
        if errors and not expected:
            advice = "Repair the cell, or tag it raises-exception if the error is the lesson."
            yield name, f"stores the error {errors[0].ename}: {errors[0].evalue}", advice
        if expected and not errors:
            yield name, "is tagged as raising, but did not raise", "Remove the tag, or make the mistake it promises."


def _solution_leak(node: NotebookNode, secrets: tuple[str, ...]) -> Iterator[_Problem]:
    learner = node.metadata.get("bplib", {}).get("kind") != "solution"
    for index, cell in enumerate(node.cells):
        name = name_of(index, cell)
        if _MARKER.search(cell.source):
            yield name, "a solution marker was left in", "Build anew; markers belong in the source only."
        if learner and "solution" in tags_of(cell):
            yield name, "a solution cell stands in the learner notebook", "Build anew."
        if learner:
            texts = [cell.source, *(text for _, text in texts_of(cell))]
            shown = "\n".join(" ".join(line.split()) for text in texts for line in text.splitlines())
            for secret in secrets:
                if re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", shown):
                    advice = "Word it differently, or end the line in the solution with '  # as shown' if it is meant."
                    yield name, f"shows the solution line {secret!r}", advice


def _widgets(node: NotebookNode) -> Iterator[_Problem]:
    if "widgets" in node.metadata:
        yield "", "metadata.widgets holds a widget's state", "Build anew; never save it from JupyterLab."
    for name, cell in code_cells(node):
        for output in cell.outputs:
            data = output.get("data")
            if data is None:
                continue
            if any(mime.startswith("application/vnd.jupyter.widget") for mime in data):
                yield name, "a widget's view is stored, which points to a model that is gone", "Build anew."
            rest = {mime for mime in data if not mime.startswith("application/vnd.jupyter.widget")}
            if rest <= {"text/plain"} and (not rest or _WIDGET_REPR.match(data["text/plain"])):
                advice = "Show it through a container with a static twin: picture, alt text and a sentence."
                yield name, "the output is nothing but a widget", advice


def _stderr(node: NotebookNode) -> Iterator[_Problem]:
    for name, cell in code_cells(node):
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                first = output.text.strip().partition("\n")[0]
                yield name, f"writes to stderr: {first[:120]!r}", "Remove the cause of the warning."


def _absolute_paths(node: NotebookNode) -> Iterator[_Problem]:
    for index, cell in enumerate(node.cells):
        texts = [("", DATA_URI.sub("", cell.source)), *texts_of(cell)]
        advice = "Use a name that holds on any machine."
        yield from _search(_PATH, name_of(index, cell), texts, "an absolute path", advice)


def _addresses(node: NotebookNode) -> Iterator[_Problem]:
    for name, cell in code_cells(node):
        advice = "Print something that says more, and is the same in every run."
        yield from _search(_ADDRESS, name, texts_of(cell), "a memory address", advice)


def _timestamps(node: NotebookNode) -> Iterator[_Problem]:
    for name, cell in code_cells(node):
        if "execution" in cell.metadata:
            yield name, "its metadata hold the times of a run", "Build anew."
        advice = "Leave it out: it changes every run."
        yield from _search(_TIME, name, texts_of(cell), "a date or a time of day", advice)


def _image_words(node: NotebookNode) -> Iterator[_Problem]:
    advice = "Show a Picture(figure, alt), or write the alternative text in the brackets: ![what is to be seen](…)."
    for index, cell in enumerate(node.cells):
        name = name_of(index, cell)
        silent = cell.cell_type == "markdown" and (_MARKDOWN_IMAGE.search(cell.source) or Markup.of(cell.source).silent)
        if silent:
            yield name, "an image in the text has no alternative text", advice
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            markup = Markup.of(data.get("text/html", ""))
            plain = data.get("text/plain", "")
            words = markup.images > 0 or (len(plain.split()) >= 3 and not _BARE_REPR.fullmatch(plain))
            if markup.silent or (any(mime.startswith("image/") for mime in data) and not words):
                yield name, "a picture has no alternative text", advice


def _scripts(node: NotebookNode) -> Iterator[_Problem]:
    advice = "Outputs must be safe to show: text, tables and pictures only."
    for index, cell in enumerate(node.cells):
        name, texts = name_of(index, cell), list(texts_of(cell))
        yield from _search(_SCRIPT, name, texts, "a script", advice)
        markup = [text for mime, text in texts if mime in {"text/html", "text/markdown", "image/svg+xml"}]
        for handler in (found for text in markup for found in Markup.of(text).handlers):
            yield name, f"stores an event handler, {handler}=…", advice
        if any("javascript" in mime for mime, _ in texts):
            yield name, "stores a script", advice


def _file_size(text: str) -> Iterator[_Problem]:
    size = len(text.encode())
    if size > _LIMIT_BYTES:
        what = f"the file has {size / 1e6:.2f} MB, at most {_LIMIT_BYTES / 1e6:.0f} MB may be"
        yield "", what, "Use fewer or smaller pictures."


def _vacuity(node: NotebookNode) -> Iterator[_Problem]:
    cells = [cell for _, cell in code_cells(node)]
    told = [cell for cell in cells if cell.outputs or "check" in tags_of(cell) or _CHECK.search(cell.source)]
    if cells and len(told) < _LEAST_CHECKED * len(cells):
        what = f"only {len(told)} of {len(cells)} code cells have an output or a check"
        advice = f"At least {_LEAST_CHECKED:.0%} must: show a result, or build anew if the outputs were cleared."
        yield "", what, advice


def _known_tags(node: NotebookNode) -> Iterator[_Problem]:
    for index, cell in enumerate(node.cells):
        for tag in tags_of(cell):
            if tag not in TAGS:
                yield name_of(index, cell), f"has the unknown tag {tag!r}", f"Known tags: {', '.join(sorted(TAGS))}."


def _ignored_outputs(node: NotebookNode) -> Iterator[_Problem]:
    for name, cell in code_cells(node):
        comment = _NBVAL_COMMENT.search(cell.source)
        if comment:
            yield name, f"steers nbval by the comment {comment[1]}", "Use the tag, which is counted and needs a reason."
        if _uncompared(cell) and not _REASON.search(cell.source):
            advice = "Say why in a comment of the cell: # not compared: the time depends on the machine."
            yield name, "its output is not compared, for no stated reason", advice


def _headings(node: NotebookNode) -> Iterator[_Problem]:
    level = 0
    for index, cell in enumerate(node.cells):
        if cell.cell_type != "markdown":
            continue
        for match in _HEADING.finditer(_FENCE.sub("", cell.source)):
            new = len(match[1])
            if new > level + 1:
                what = f"a heading of level {new} follows one of level {level}" if level else f"begins at level {new}"
                yield name_of(index, cell), what, f"Use level {level + 1}: readers who listen move by levels."
            level = new


def _redefined_names(node: NotebookNode) -> Iterator[_Problem]:
    """A cell that gives another cell's name a new meaning makes results depend on the order of running.

    Exempt are cells tagged ``task`` or ``again``, and two loops with the same loop variable. Names with a leading
    underscore are not exempt: they are no less global.
    """
    owners: dict[str, tuple[str, bool]] = {}
    for name, cell in code_cells(node):
        free = {"task", "again"} & set(tags_of(cell))
        for bound, loop in bound_names(cell.source).items():
            owner, owner_loop = owners.setdefault(bound, (name, loop))
            if owner != name and not free and not (loop and owner_loop):
                advice = f"Choose another name, or tag {name} 'again' if replacing it is the point."
                yield name, f"redefines {bound!r}, which belongs to cell {owner}", advice


_ON_TEXT: tuple[_Guard, ...] = (
    _cell_ids,
    _absolute_paths,
    _known_tags,
    _ignored_outputs,
    _headings,
    _redefined_names,
)
_ON_OUTPUT: tuple[_Guard, ...] = (
    _valid_format,
    _executed_in_order,
    _executed_completely,
    _error_outputs,
    _widgets,
    _stderr,
    _addresses,
    _timestamps,
    _image_words,
    _scripts,
    _vacuity,
)


def _uncompared(cell: NotebookNode) -> bool:
    return bool({"nbval-ignore-output", "nbval-skip"} & set(tags_of(cell)))


def _search(
    pattern: re.Pattern[str], name: str, texts: Iterable[tuple[str, str]], what: str, advice: str
) -> Iterator[_Problem]:
    for kind, text in texts:
        match = pattern.search(text)
        if match:
            yield name, f"{'its source' if not kind else kind} holds {what}, {match[0]!r}", advice
