"""Running a notebook in a kernel of its own, and keeping of the run only what every run has in common."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode
from source import Kind, Source

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from commands.environment import quiet_run  # noqa: E402  (needs the line above)

if TYPE_CHECKING:
    from nbclient import NotebookClient

__all__ = ["BuildError", "environment", "execute", "kernel_client", "warm_fonts"]

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Settings of the person who builds; a learner does not have them.
_PERSONAL = frozenset(
    {"PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONPATH", "MPLBACKEND", "MATPLOTLIBRC"}
    | {"FORCE_COLOR", "COLUMNS"}
)


class BuildError(Exception):
    """A notebook that cannot be built; the text names notebook and cell and says what happened."""


def environment(scratch: Path) -> dict[str, str]:
    """Return the environment variables every notebook is run with.

    Parameters
    ----------
    scratch : pathlib.Path
        A folder that may be thrown away: progress, IPython's profile and matplotlib's caches go there.

    Returns
    -------
    dict of str to str
        The present environment without personal settings, with one BLAS thread, no progress bars and our `bplib`.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _PERSONAL}
    ours = {"PYTHONPATH": str(_ROOT), "MPLCONFIGDIR": str(scratch / "matplotlib")}
    return {**kept, **quiet_run(scratch), **ours}


def warm_fonts(scratch: Path) -> None:
    """Let matplotlib list the fonts before the first notebook: it says so on stderr if that takes long.

    Parameters
    ----------
    scratch : pathlib.Path
        The folder of `environment`.
    """
    subprocess.run(
        [sys.executable, "-c", "import matplotlib.font_manager"],
        env=environment(scratch),
        stderr=subprocess.DEVNULL,
        check=False,
    )


def execute(source: Source, kind: Kind, scratch: Path, timeout: int) -> NotebookNode:
    """Run the `kind` notebook from top to bottom in a fresh kernel and an empty folder.

    Parameters
    ----------
    source : Source
    kind : {"learner", "solution"}
    scratch : pathlib.Path
        The folder of `environment`.
    timeout : int
        Seconds one cell may take.

    Returns
    -------
    nbformat.NotebookNode
        With outputs, but without times, widget models and machine paths.

    Raises
    ------
    BuildError
        If a cell raises, takes too long or ends its kernel.
    """
    node = source.notebook(kind)
    variables = environment(scratch)
    # The solution notebook must not find the learner notebook's progress.
    Path(variables["BPLIB_PROGRESS"]).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as empty:
        _run(node, source, kind, kernel_client(node, Path(empty), timeout), variables)
    return _tidy(node, source.notebook(kind))


def kernel_client(node: NotebookNode, cwd: Path, timeout: int) -> "NotebookClient":
    """Return a client whose kernel is this very Python, whatever kernels the machine has installed.

    Parameters
    ----------
    node : nbformat.NotebookNode
        Gets the outputs.
    cwd : pathlib.Path
        Where the kernel runs; the file of its connection is written beside it.
    timeout : int
        Seconds one cell may take.

    Returns
    -------
    nbclient.NotebookClient
    """
    from ipykernel.kernelspec import RESOURCES, get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> Any:
            return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    client = NotebookClient(node, timeout=timeout, record_timing=False, resources={"metadata": {"path": str(cwd)}})
    client.store_widget_state = False
    client.create_kernel_manager()
    client.km.kernel_spec_manager = ThisPython()
    client.km.connection_file = str(cwd.with_name(f"{cwd.name}.json"))
    return client


def _run(node: NotebookNode, source: Source, kind: Kind, client: "NotebookClient", env: dict[str, str]) -> None:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    running = [""]

    def note(cell: NotebookNode, cell_index: int) -> None:
        running[0] = cell.id

    client.on_cell_start = note
    try:
        # What a cell writes to stderr comes by message; the process itself only has news about its own connection.
        client.execute(env=env, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        what = f"raised {error.ename}: {_ANSI.sub('', str(error.evalue)).strip()}"
        hint = " The learner notebook must run to its end with every task still undone." if kind == "learner" else ""
        raise BuildError(_stopped(source, kind, running[0], what) + hint) from None
    except CellTimeoutError:
        what = f"took more than {client.timeout} s"
        raise BuildError(_stopped(source, kind, running[0], what) + " Make it shorter, or give --timeout.") from None
    except DeadKernelError:
        raise BuildError(_stopped(source, kind, running[0], "ended its kernel")) from None


def _stopped(source: Source, kind: Kind, cell_id: str, what: str) -> str:
    return (
        f"{source.name} ({kind}): cell {cell_id} {what}\n"
        f"The cell begins in line {source.line(cell_id)} of {source.path.name}. "
        "Neither notebook of this source was written."
    )


def _tidy(node: NotebookNode, plain: NotebookNode) -> NotebookNode:
    """Keep of a run only what is the same in every run, and what cannot be missing for the comparison."""
    node.metadata = plain.metadata
    for cell, before in zip(node.cells, plain.cells, strict=True):
        cell.metadata = before.metadata
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                _tidy_output(output)
    return node


def _tidy_output(output: NotebookNode) -> None:
    if output.output_type == "error":
        # The frames between name folders of this machine; the last line is the one that teaches.
        output.traceback = [f"{output.ename}: {output.evalue}"]
    if "data" in output:
        output.data.pop(_WIDGET_VIEW, None)
        output.metadata.pop(_WIDGET_VIEW, None)


def _joined(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: where the kernel cuts them depends on the clock."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined
