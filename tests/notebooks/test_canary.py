"""nbval is itself checked: one digit changed in a stored output of any notebook must make it fail, in that cell.

All copies are compared in one run. Each ends with the changed cell: what comes after it cannot matter.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import execution
import guards
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = ROOT / "tests" / "notebooks" / "fixtures" / "00_good.ipynb"
SANITIZE = ROOT / "tests" / "nbval.cfg"
NOTEBOOKS = [
    GOOD,
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "notebooks/solutions").glob("*.ipynb")),
]
IDS = [path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "-") for path in NOTEBOOKS]

# The name of a copy, and for each of its code cells whether nbval passed it.
Outcomes = dict[str, list[bool]]


def stored_texts(cell: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield where the texts of a code cell's outputs stand: a mapping and its key."""
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            yield output, "text"
        elif "text/plain" in output.get("data", {}):
            yield output.data, "text/plain"


def change_one_digit(node: Any) -> int:
    """Change the first digit of the first stored text that has one; return the cell's place among the code cells."""
    for place, cell in enumerate(cell for cell in node.cells if cell.cell_type == "code"):
        if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", ())):
            continue
        for holder, key in stored_texts(cell):
            digit = re.search(r"\d", holder[key])
            if digit:
                at, new = digit.start(), str((int(digit[0]) + 1) % 10)
                holder[key] = holder[key][:at] + new + holder[key][at + 1 :]
                del node.cells[node.cells.index(cell) + 1 :]
                return place
    pytest.fail("no stored text output has a digit, so nothing in this notebook would be compared")


def strip(node: Any) -> Any:
    """What "clear all outputs" leaves, with one number changed in the source."""
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.source = cell.source.replace("w, b = 0.5, 0.25", "w, b = 0.5, 0.75")
    return node


def run_nbval(folder: Path) -> Outcomes:
    """Compare every notebook below `folder` as the test command does; return the outcomes cell by cell."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    report = folder / "report.xml"
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=60", f"--nbval-sanitize-with={SANITIZE}"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, f"--junit-xml={report}", "."]
    execution.warm_fonts(folder)
    environment = execution.environment(folder)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    outcomes: Outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  (pytest has just written it)
        copy = case.attrib["classname"].partition(".")[0]
        outcomes.setdefault(copy, []).append(case.find("failure") is None and case.find("error") is None)
    return outcomes


@pytest.fixture(scope="module")
def changed() -> dict[str, int]:
    """For every copy the cell that was changed, filled by `outcomes`."""
    return {}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, changed: dict[str, int]) -> Outcomes:
    """One run of nbval over: a changed copy of each notebook, the good fixture unchanged, and the same stripped."""
    folder = tmp_path_factory.mktemp("canary")
    for number, path in enumerate(NOTEBOOKS):
        node = nbformat.read(path, as_version=4)
        changed[f"changed{number}"] = change_one_digit(node)
        copy = folder / f"changed{number}" / path.name
        copy.parent.mkdir()
        nbformat.write(node, copy)
    for name in ("unchanged", "stripped"):
        (folder / name).mkdir()
        shutil.copy(GOOD, folder / name)
    nbformat.write(strip(nbformat.read(GOOD, as_version=4)), folder / "stripped" / GOOD.name)
    return run_nbval(folder)


@pytest.mark.parametrize("number", range(len(NOTEBOOKS)), ids=IDS)
def test_one_changed_digit_fails_in_its_cell(number: int, outcomes: Outcomes, changed: dict[str, int]) -> None:
    place = changed[f"changed{number}"]
    assert outcomes[f"changed{number}"] == [True] * place + [False]


def test_the_unchanged_notebook_passes(outcomes: Outcomes) -> None:
    content = json.loads(GOOD.read_text(encoding="utf-8"))
    assert outcomes["unchanged"] == [True] * sum(cell["cell_type"] == "code" for cell in content["cells"])


def test_nbval_passes_a_stripped_notebook_and_the_guards_do_not(outcomes: Outcomes) -> None:
    assert all(outcomes["stripped"])
    node = strip(nbformat.read(GOOD, as_version=4))
    found = {finding.guard for finding in guards.review(guards.Notebook(GOOD.name, nbformat.v4.writes(node)))}
    assert {"executed completely", "vacuity"} <= found


def test_only_the_bytes_of_pictures_are_left_out_of_the_comparison() -> None:
    rules = re.findall(r"^regex: (.*)$\n^replace: (.*)$", SANITIZE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rules == [("data:image/png;base64,[A-Za-z0-9+/=]*", "PNG")]
    html = '<img alt="The loss falls to 0.25." width="30" src="data:image/png;base64,iVBO/w0+9=">'
    assert re.sub(rules[0][0], rules[0][1], html) == '<img alt="The loss falls to 0.25." width="30" src="PNG">'
