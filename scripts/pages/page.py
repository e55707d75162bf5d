"""One page: the HTML of a notebook inside the frame that all pages share."""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

from scripts.pages.running import STATE

__all__ = ["Neighbour", "article", "framed", "style"]

_HERE = Path(__file__).resolve().parent
_FRAME = Template((_HERE / "frame.html").read_text("utf-8"))
_STYLE = (_HERE / "style.css").read_text("utf-8")
_COURSE = "Backpropagation, step by step"
_ANCHOR = re.compile(r'<a class="anchor-link"[^>]*>.*?</a>')
_EMPTY_HEADER = re.compile(r"<th([^>]*)>\s*</th>")
_DOCUMENT_LINK = re.compile(r'href="(?:\.\./)*(?:docs/)?([\w-]+)\.md(#[^"]*)?"')
_NOTEBOOK_LINK = re.compile(r'href="([\w-]+)\.ipynb(#[^"]*)?"')
_SCRIPTS = """\
<script src="assets/require.js"></script>
<script src="assets/widgets.js"></script>
<script src="assets/embed-amd.js" data-jupyter-widgets-cdn="assets/"></script>
"""


class Neighbour(NamedTuple):
    """A page that another one leads to."""

    file: str
    title: str


def article(node: NotebookNode) -> str:
    """The HTML of a prepared notebook, without the page around it.

    Parameters
    ----------
    node : nbformat.NotebookNode

    Returns
    -------
    str
    """
    exporter = HTMLExporter(template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True)
    made, _ = exporter.from_notebook_node(node)
    made = _ANCHOR.sub("", made)  # its ids stay
    made = _EMPTY_HEADER.sub(r"<td\1></td>", made)  # a corner that heads nothing
    made = _NOTEBOOK_LINK.sub(r'href="\1.html\2"', made)
    made = _DOCUMENT_LINK.sub(lambda link: f'href="{link[1].lower()}.html{link[2] or ""}"', made)
    return made.replace("<table", '<div class="wide"><table').replace("</table>", "</table></div>")


def framed(
    content: str,
    title: str = "",
    models: Mapping[str, Any] | None = None,
    before: Neighbour | None = None,
    after: Neighbour | None = None,
) -> str:
    """Put the content of a page into its frame.

    Parameters
    ----------
    content : str
        HTML.
    title : str
        Empty for the index.
    models : mapping, optional
        The state of the widgets on the page.
    before, after : Neighbour, optional

    Returns
    -------
    str
    """
    return _FRAME.substitute(
        title=html.escape(f"{title} – {_COURSE}" if title else _COURSE),
        header=_navigation("header", "Course", _links(before, after)) if title else "",
        footer=_navigation("div", "Next steps", _links(before, after)) if title else "",
        content=content,
        widgets=_widgets(models) if models else "",
    )


def style() -> str:
    """The style sheet of all pages, with the colours of the code for a light and a dark screen.

    Returns
    -------
    str
    """
    light, dark = (
        "\n".join(HtmlFormatter(style=name).get_style_defs(".highlight").splitlines()[5:])
        for name in ("default", "github-dark")
    )
    return f"{_STYLE}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _navigation(element: str, name: str, links: str) -> str:
    return f'<{element}><nav aria-label="{name}">{links}</nav></{element}>'


def _links(before: Neighbour | None, after: Neighbour | None) -> str:
    found = [("index.html", "All notebooks", "")]
    found += [(before.file, f"← {before.title}", ' rel="prev"')] if before else []
    found += [(after.file, f"{after.title} →", ' rel="next"')] if after else []
    return "\n".join(f'<a href="{file}"{kind}>{html.escape(words)}</a>' for file, words, kind in found)


def _widgets(models: Mapping[str, Any]) -> str:
    state = json.dumps({"version_major": 2, "version_minor": 0, "state": models}, ensure_ascii=False)
    # In a script only "<" can end the script; in JSON it stands nowhere but in strings.
    safe = state.replace("<", "\\u003c")
    return f'<script type="{STATE}">{safe}</script>\n{_SCRIPTS}'
