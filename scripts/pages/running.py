"""A notebook run once, for its page: all outputs, and what its widgets hold at the end."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode

from bplib.lessons.catalogue import CATALOGUE
from bplib.lessons.progress import Progress
from commands.places import NOTEBOOKS

if str(NOTEBOOKS) not in sys.path:
    sys.path.insert(0, str(NOTEBOOKS))

from execution import environment, kernel_client, warm_fonts

__all__ = ["STATE", "Run", "run", "warm_fonts"]

STATE = "application/vnd.jupyter.widget-state+json"
# Asked of the kernel itself: what is put together from messages also has what a later scene took away.
_ASK = f"""\
import ipywidgets
from IPython.display import display
display({{"{STATE}": ipywidgets.Widget.get_manager_state()}}, raw=True)
"""
_SECONDS = 120


class Run(NamedTuple):
    """A notebook after its run, and the state of its widgets by model."""

    notebook: NotebookNode
    models: dict[str, dict[str, Any]]


def run(notebook: NotebookNode, scratch: Path) -> Run:
    """Run a notebook from top to bottom in a fresh kernel and an empty folder; every prediction gate is open.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Left as it is.
    scratch : pathlib.Path
        A folder that may be thrown away.

    Returns
    -------
    Run

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises, takes too long or ends its kernel.
    """
    node = nbformat.from_dict({**notebook, "cells": [*notebook.cells, nbformat.v4.new_code_cell(_ASK)]})
    variables = environment(scratch)
    _open_gates(Path(variables["BPLIB_PROGRESS"]))
    with tempfile.TemporaryDirectory(dir=scratch) as empty:
        client = kernel_client(node, Path(empty), _SECONDS)
        client.coalesce_streams = True  # where the kernel cuts what it prints depends on the clock
        client.execute(env=variables, stderr=subprocess.DEVNULL)
    asked = node.cells.pop()
    return Run(node, asked.outputs[0].data[STATE]["state"])


def _open_gates(path: Path) -> None:
    # What a gate shows when it opens, as the rate lab's second picture, belongs to the page: nobody can press Skip.
    path.unlink(missing_ok=True)
    progress = Progress(path)
    for contents in CATALOGUE:
        for name in contents.predictions:
            progress.keep_prediction(f"{contents.number}/{name}", answer=None, reason="", skipped=True)
