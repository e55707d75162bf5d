"""The cells of a notebook after its run, made ready for a page: widgets, exercises, the words at the top."""

import ast
import html
import json
import re
from collections.abc import Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode

from bplib.lessons.exercises import Exercise
from bplib.lessons.verdicts import Hint
from scripts.pages.running import Run
from scripts.pages.state import alone, is_interactive, renumbered

__all__ = ["Models", "goals", "minutes", "prepared", "title"]

Models = dict[str, Any]

_VIEW = "application/vnd.jupyter.widget-view+json"
_RUN_ALL = "**Run all cells first"
# What only the learner's own copy can show.
_OWN = {"progress": "Your own progress stands here when you work in the course."}
_GOAL = re.compile(r"^\d+\. +(.+?)[,.]?$", re.MULTILINE)


def title(notebook: NotebookNode) -> str:
    """The heading of a notebook, with its number.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    str
    """
    return str(notebook.cells[0].source).splitlines()[0].removeprefix("# ").strip()


def minutes(notebook: NotebookNode) -> str:
    """How long a notebook takes, as its first cell says; empty if it does not say.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    str
    """
    found = re.search(r"^(\d+ minutes)\b", notebook.cells[0].source, re.MULTILINE)
    return found[1] if found else ""


def goals(notebook: NotebookNode) -> list[str]:
    """What a learner can do afterwards, as the first cell lists it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of str
    """
    return _GOAL.findall(notebook.cells[0].source)


def prepared(run: Run, exercises: Mapping[str, Exercise], place: str) -> tuple[NotebookNode, Models]:
    """Give the notebook as its page shows it, and the state of the widgets that live on the page.

    Parameters
    ----------
    run : Run
        Left as it is.
    exercises : mapping of str to Exercise
        Those of the notebook, by name.
    place : str
        Where a kernel is, as HTML that continues "open this notebook".

    Returns
    -------
    notebook : nbformat.NotebookNode
    models : dict
    """
    node = nbformat.from_dict(run.notebook)
    models: dict[str, Any] = {}
    for root in _roots(node):
        models |= alone(run.models, root)
    models, names = renumbered(models)
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs = [_output(output, run.models, names, place) for output in cell.outputs]
            _replace_what_is_personal(cell, exercises)
    node.cells[0].source = _opened(node.cells[0].source, place, bool(models))
    return node, models


def _roots(node: NotebookNode) -> list[str]:
    shown = [output.get("data", {}) for cell in node.cells for output in cell.get("outputs", ())]
    return [data[_VIEW]["model_id"] for data in shown if _VIEW in data]


def _opened(source: str, place: str, live: bool) -> str:
    """The first cell, with what a page can do in place of the advice to run all cells."""
    sliders = "The sliders that you see work here. " if live else ""
    note = _note(
        f"This page is a notebook that has been run for you. {sliders}To change the code and to have your answers "
        f"checked, {_open(place)}."
    )
    heading, *rest = source.split("\n\n")
    rest = [part for part in rest if not part.startswith(_RUN_ALL)]
    return "\n\n".join([heading, note, *rest])


# ---------------------------------------------------------------- widgets


def _output(output: NotebookNode, models: Models, names: Mapping[str, str], place: str) -> NotebookNode:
    view = output.get("data", {}).get(_VIEW)
    if view is None:
        return output
    root = view["model_id"]
    still = output.data.get("text/html") or f"<p>{html.escape(output.data.get('text/plain', ''))}</p>"
    if root in names:
        made = _live(still, names[root]) + _note(f"The other controls need a running kernel: {_open(place)}.")
    elif root in models and is_interactive(models, root):
        made = f"{still}{_note(f'The controls of this picture need a running kernel: {_open(place)}.')}"
    else:
        made = still
    return _html_output(made)


def _open(place: str) -> str:
    return f"open this notebook {place}"


def _note(text: str) -> str:
    return f'<p class="note">{text}</p>'


def _live(still: str, name: str) -> str:
    """A picture, and the place where the widget is drawn; once it is, the picture goes."""
    view = json.dumps({"version_major": 2, "version_minor": 0, "model_id": name})
    script = f'<script type="{_VIEW}">{view}</script>'
    return f'<div class="widget"><div class="still">{still}</div><div class="live">{script}</div></div>'


def _html_output(text: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", data={"text/html": text})


# ---------------------------------------------------------------- exercises


def _replace_what_is_personal(cell: NotebookNode, exercises: Mapping[str, Exercise]) -> None:
    """Put hints and a solution where a check would have judged an answer."""
    asked = [exercises[name] for name in _checked(cell.source) if name in exercises]
    if "check" in cell.metadata.get("tags", ()) and asked:
        cell.outputs = [_html_output("".join(map(_help, asked)))]
    elif cell.id in _OWN:
        cell.outputs = [_html_output(_note(_OWN[cell.id]))]


def _checked(source: str) -> list[str]:
    """The names of the exercises that a cell checks, in the form that the lessons use."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    names = [call.args[0] for call in calls if ast.unparse(call.func) == "check"]
    return [str(name.value).replace("_", "-") for name in names if isinstance(name, ast.Constant)]


def _help(exercise: Exercise) -> str:
    total = len(exercise.hints)
    hints = [Hint(exercise.name, number, total, text) for number, text in enumerate(exercise.hints, 1)]
    folded = [_fold(f"Hint {hint.number} of {total}", hint._repr_html_()) for hint in hints]
    return "".join([*folded, _fold("A solution", exercise.solution()._repr_html_())])


def _fold(summary: str, content: str) -> str:
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"
