"""What can be read off a notebook's cells: names, tags, texts, markup, and the Python names a cell binds."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import final

from nbformat import NotebookNode

__all__ = ["DATA_URI", "Markup", "bound_names", "code_cells", "name_of", "tags_of", "texts_of"]

DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]*")


def name_of(index: int, cell: NotebookNode) -> str:
    """Return the cell's id, or its place from 1 where it has none."""
    return str(cell.get("id", f"cell {index + 1}"))


def tags_of(cell: NotebookNode) -> list[str]:
    """Return the cell's tags, in order."""
    return list(cell.metadata.get("tags", ()))


def code_cells(node: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield name and cell of every code cell that is not empty."""
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "code" and cell.source.strip():
            yield name_of(index, cell), cell


def texts_of(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Yield kind and text of everything a cell's outputs say; embedded pictures are left out.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        Of any type; markdown cells have no outputs.

    Yields
    ------
    kind : str
        ``"stream"``, ``"error"`` or the mime type.
    text : str
    """
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            yield "stream", output.text
        elif output.output_type == "error":
            yield "error", "\n".join([output.ename, output.evalue, *output.traceback])
        for mime, value in output.get("data", {}).items():
            if isinstance(value, str) and (mime == "image/svg+xml" or not mime.startswith("image/")):
                yield mime, DATA_URI.sub("", value)


def bound_names(source: str) -> dict[str, bool]:
    """Return the names that code binds at its top level.

    Parameters
    ----------
    source : str
        Python; text that does not parse binds nothing.

    Returns
    -------
    dict of str to bool
        Each name with whether only ``for`` and ``with`` bind it.

    Examples
    --------
    >>> bound_names("import numpy as np")
    {'np': False}
    >>> bound_names("for i, (x, y) in pairs: total += x")
    {'i': True, 'x': True, 'y': True, 'total': False}
    >>> bound_names("def f(a): b = [c for c in a]")
    {'f': False}
    """
    binder = _Binder()
    try:
        binder.visit(ast.parse(source))
    except SyntaxError:
        return {}
    return binder.names


@final
class _Binder(ast.NodeVisitor):
    def __init__(self) -> None:
        self.names: dict[str, bool] = {}
        self._loop = False

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.names[node.name] = False

    def _skip(self, node: ast.AST) -> None:
        """These have a scope of their own."""

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.names.update({alias.asname or alias.name.partition(".")[0]: False for alias in node.names})

    def _target(self, target: ast.expr | None) -> None:
        if target is not None:
            self._loop = True
            self.visit(target)
            self._loop = False

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.names[node.id] = self.names.get(node.id, True) and self._loop

    def visit_For(self, node: ast.For) -> None:
        self._target(node.target)
        for child in (*node.body, *node.orelse):
            self.visit(child)

    def visit_withitem(self, node: ast.withitem) -> None:
        self._target(node.optional_vars)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _define
    visit_Import = visit_ImportFrom = _import
    visit_Lambda = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _skip


@final
class Markup(HTMLParser):
    """Counts the images in a piece of HTML, those without words, and collects event handlers.

    Attributes
    ----------
    images, silent : int
        All images; those whose alternative text is missing or empty.
    handlers : list of str
        For example ``["onclick"]``.

    Examples
    --------
    >>> markup = Markup.of('<img alt="A falling curve."><img><p onclick="f()">')
    >>> markup.images, markup.silent, markup.handlers
    (2, 1, ['onclick'])
    """

    def __init__(self) -> None:
        super().__init__()
        self.images = 0
        self.silent = 0
        self.handlers: list[str] = []

    @classmethod
    def of(cls, text: str) -> "Markup":
        """Read `text` and return what was found."""
        markup = cls()
        markup.feed(text)
        return markup

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down one opening tag; called by the parser."""
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag == "img":
            self.images += 1
            self.silent += not (dict(attrs).get("alt") or "").strip()
