"""The guards: eight broken notebooks are each reported by name, a good one is not, and every rule can fail."""

from pathlib import Path
from typing import Any

import guards
import nbformat
import pytest
import source
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

BROKEN = {
    "01_out_of_order": "rate: executed in order: run as number 2, but it is number 1",
    "02_partially_executed": "last: executed completely: the cell was not run",
    "03_raising": "third-rate: error outputs: stores the error IndexError: list index out of range",
    "04_leaking_solution": "gd-step-check: solution leak: shows the solution line 'return weight - lr * grad'",
    "05_duplicate_id": "rate: cell ids: the id is used twice",
    "06_widget_metadata": "widgets: metadata.widgets holds a widget's state",
    "07_stderr_output": "warning: stderr: writes to stderr: 'the loss is not a number'",
    "08_absolute_path": "folder: absolute paths: stream holds an absolute path, '/home/ada/course'",
}


def secrets(path: Path) -> tuple[str, ...]:
    return source.read(path).secrets if path.exists() else ()


def test_there_is_a_reason_for_every_broken_fixture(fixtures: Path) -> None:
    assert [path.stem for path in sorted((fixtures / "broken").glob("*.ipynb"))] == sorted(BROKEN)


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_notebook_is_reported_by_name_and_for_nothing_else(fixtures: Path, name: str) -> None:
    path = fixtures / "broken" / f"{name}.ipynb"
    hidden = secrets(path.parent / "src" / f"{name}.py") if name == "04_leaking_solution" else ()
    found = [str(one) for one in guards.review(guards.Notebook(path.name, path.read_text(encoding="utf-8"), hidden))]
    assert len(found) == 1, found
    assert found[0].startswith(f"{name}.ipynb: {BROKEN[name]}")


@pytest.mark.parametrize("kind", source.KINDS)
def test_the_good_notebook_passes_without_a_finding(fixtures: Path, kind: source.Kind) -> None:
    path = (fixtures if kind == "learner" else fixtures / "solutions") / "00_good.ipynb"
    hidden = secrets(fixtures / "src" / "00_good.py")
    notebook = guards.Notebook("00_good.ipynb", path.read_text(encoding="utf-8"), hidden)
    assert hidden == ("return weight - lr * grad",)
    assert guards.review(notebook) == []
    assert guards.review_together([notebook]) == []


def code(text: str, *outputs: Any, tags: tuple[str, ...] = (), cell_id: str = "c", count: int | None = 1) -> Any:
    metadata = {"tags": list(tags)} if tags else {}
    return new_code_cell(text, id=cell_id, metadata=metadata, outputs=list(outputs), execution_count=count)


def prose(text: str, cell_id: str = "m") -> Any:
    return new_markdown_cell(text, id=cell_id)


def printed(text: str, name: str = "stdout") -> Any:
    return new_output("stream", name=name, text=text)


def shown(**data: str) -> Any:
    mimes = {"plain": "text/plain", "html": "text/html", "png": "image/png", "svg": "image/svg+xml"}
    mimes |= {"markdown": "text/markdown", "view": "application/vnd.jupyter.widget-view+json", "js": "text/javascript"}
    return new_output("display_data", data={mimes[kind]: value for kind, value in data.items()})


def findings(*cells: Any, hidden: tuple[str, ...] = (), kind: str = "learner") -> list[str]:
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count if cell.execution_count == 1 else cell.execution_count
    node = new_notebook(cells=list(cells), metadata={"bplib": {"kind": kind}})
    node.nbformat_minor = 5
    text = nbformat.v4.writes(node)
    return [str(one) for one in guards.review(guards.Notebook("n.ipynb", text, hidden))]


PNG = "iVBORw0KGgo="
SAID = printed("said\n")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        pytest.param(code("a = 1", SAID, tags=("cor",)), "known tags: has the unknown tag 'cor'", id="tag"),
        pytest.param(code("a = 1", SAID, tags=("raises-exception",)), "is tagged as raising, but", id="no error"),
        pytest.param(code("f()", shown(view="{}")), "widgets: a widget's view is stored", id="view"),
        pytest.param(code("f()", shown(view="{}")), "nothing but a widget", id="view alone"),
        pytest.param(code("f()", shown(plain="IntSlider(value=3)")), "nothing but a widget", id="widget text alone"),
        pytest.param(code("f()", new_output("display_data")), "nothing but a widget", id="empty output"),
        pytest.param(code("f()", printed("so\n", "stderr")), "stderr: writes to stderr: 'so'", id="stderr"),
        pytest.param(code('f("/tmp/x")', SAID), "its source holds an absolute path, '/tmp/x'", id="path in source"),
        pytest.param(code("f()", shown(plain="at /Users/ada")), "text/plain holds an absolute path", id="path, Mac"),
        pytest.param(code("f()", printed(r"C:\course")), "stream holds an absolute path", id="path, Windows"),
        pytest.param(code("f()", printed("d:/Users/ada")), "stream holds an absolute path", id="path, Windows user"),
        pytest.param(code("f()", printed("(/root)")), "stream holds an absolute path, '/root'", id="path, root"),
        pytest.param(prose("see /work/notes"), "its source holds an absolute path", id="path in prose"),
        pytest.param(prose("see file://notes"), "its source holds an absolute path", id="file address"),
        pytest.param(code("f()", printed("<f at 0x7f01c2d3e4>")), "addresses: stream holds a memory", id="address"),
        pytest.param(code("f()", printed("on 2031-01-31")), "timestamps: stream holds a date", id="date"),
        pytest.param(code("f()", shown(html="<p>9:05:07</p>")), "timestamps: text/html holds a date", id="time"),
        pytest.param(code("f()", shown(png=PNG)), "image words: a picture has no", id="picture alone"),
        pytest.param(code("f()", shown(png=PNG, plain="<Figure size 3x2>")), "a picture has no", id="figure"),
        pytest.param(code("f()", shown(png=PNG, plain="Figure(640x480) ")), "a picture has no", id="figure, str"),
        pytest.param(code("f()", shown(html="<img src='x'>")), "a picture has no", id="img"),
        pytest.param(code("f()", shown(html="<img alt=' '>", plain="a b c")), "a picture has no", id="img, blank"),
        pytest.param(prose("![](x.png)"), "image words: an image in the text has no", id="image in prose"),
        pytest.param(prose('<img src="x.png">'), "image words: an image in the text has no", id="img in prose"),
        pytest.param(code("f()", shown(html="<SCRIPT>1</script>")), "scripts: text/html holds a script", id="script"),
        pytest.param(code("f()", shown(html='<a href="javascript:f()">')), "holds a script, 'javascript:'", id="link"),
        pytest.param(code("f()", shown(svg='<rect onload="f()"/>')), "an event handler, onload=…", id="handler"),
        pytest.param(code("f()", shown(markdown="<p onclick=f()>")), "an event handler, onclick=…", id="handler, md"),
        pytest.param(code("f()", shown(js="f()")), "scripts: stores a script", id="script mime"),
        pytest.param(code("f()", SAID, tags=("nbval-skip",)), "ignored outputs: its output is not", id="no reason"),
        pytest.param(code("f()\n# NBVAL_SKIP", SAID), "steers nbval by the comment NBVAL_SKIP", id="nbval comment"),
        pytest.param(code("f()", count=None), "executed completely: the cell was not run", id="not run"),
        pytest.param(code("f()", SAID, count=7), "executed in order: run as number 7, but", id="late"),
        pytest.param(code("f()"), "vacuity: only 0 of 1 code cells", id="silent"),
        pytest.param(prose("# A\n\n### B"), "headings: a heading of level 3 follows one of level 1", id="heading"),
        pytest.param(prose("## A"), "headings: begins at level 2", id="first heading"),
        pytest.param(prose("# BEGIN SOLUTION"), "solution leak: a solution marker was left in", id="marker"),
        pytest.param(prose("so: `w = w - lr * g`."), "shows the solution line 'w = w - lr * g'", id="leak in prose"),
        pytest.param(code("w = w -  lr * g", SAID), "shows the solution line", id="leak in code"),
        pytest.param(code("f()", printed("w = w - lr * g")), "shows the solution line", id="leak in output"),
        pytest.param(code("f()", printed("x" * 1_000_001)), "file size: the file has 1.00 MB", id="size"),
    ],
)
def test_every_rule_has_a_case_that_breaks_it(cell: Any, words: str) -> None:
    found = findings(cell, hidden=("w = w - lr * g",))
    assert any(words in line for line in found), found


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(code("f()", printed("step 10/20, 3:2, 1/tmp, and/or/home")), id="fractions"),
        pytest.param(prose("[a page](https://example.org/home/x) and $a/b$, $f: x \\to y$"), id="links and formulas"),
        pytest.param(code("f()", shown(html=f'<img alt="a" src="data:image/png;base64,/tmp/{PNG}">')), id="data URI"),
        pytest.param(code("f()", printed("0x1F, 0xff")), id="short hexadecimal numbers"),
        pytest.param(code("f()", printed("published 2015-2019, pages 121-2159")), id="years"),
        pytest.param(code("f()", shown(png=PNG, plain="Three points (a line).")), id="picture with a sentence"),
        pytest.param(code("f()", shown(plain="SGD(lr=0.1, momentum=0.9)")), id="an object of ours"),
        pytest.param(code("f()", printed("one=1, once=2")), id="names that begin with on"),
        pytest.param(prose("# A\n## B\n```\n#### no heading\n```\n### C\n# D"), id="headings"),
        pytest.param(code("nw = w - lr * grad", SAID), id="a line that only looks like the solution"),
        pytest.param(code("assert 1 == 1"), id="a check without output"),
        pytest.param(code("# not compared: it is random\nf()", SAID, tags=("nbval-ignore-output",)), id="a reason"),
    ],
)
def test_what_is_sound_passes(cell: Any) -> None:
    assert findings(cell, hidden=("w = w - lr * g",)) == []


def test_the_solution_notebook_may_show_solutions() -> None:
    cell = code("w = w - lr * g", SAID)
    assert findings(cell, hidden=("w = w - lr * g",), kind="solution") == []


def test_a_solution_cell_in_the_learner_notebook_is_a_leak() -> None:
    cell = prose("Because.")
    cell.metadata = {"tags": ["solution"]}
    assert findings(cell, kind="solution") == []
    assert any("a solution cell stands in the learner notebook" in line for line in findings(cell))


def test_a_missing_id_and_an_older_format_are_reported() -> None:
    node = new_notebook(cells=[prose("# A")])
    del node.cells[0]["id"]
    found = [str(one) for one in guards.review(guards.Notebook("n.ipynb", nbformat.v4.writes(node)))]
    assert any("n.ipynb: cell 1: cell ids: the cell has no id" in line for line in found)
    node.nbformat_minor = 4
    found = [str(one) for one in guards.review(guards.Notebook("n.ipynb", nbformat.v4.writes(node)))]
    assert any("the format is 4.4, not 4.5" in line for line in found)


def test_times_of_a_run_in_the_metadata_are_reported() -> None:
    cell = code("f()", SAID)
    cell.metadata["execution"] = {"iopub.execute_input": "x"}
    assert any("timestamps: its metadata hold the times of a run" in line for line in findings(cell))


@pytest.mark.parametrize(
    ("first", "second", "tags", "name"),
    [
        ("lr = 1", "lr = 2", (), "lr"),
        ("lr = 1", "for lr in (1, 2):\n    print(lr)", (), "lr"),
        ("for lr in (1, 2):\n    print(lr)", "lr = 2", (), "lr"),
        ("a, (b, *c) = 1, (2, 3)", "c: int = 2", (), "c"),
        ("import numpy as np", "def np(): pass", (), "np"),
        ("x = 1", "if x:\n    x += 1", (), "x"),
        ("class A: pass", "if (A := 1): pass", (), "A"),
        ("lr = 1", "lr = 2", ("again",), None),
        ("lr = 1", "lr = 2", ("task",), None),
        ("for lr in (1, 2):\n    print(lr)", "for lr, k in ((1, 2),):\n    print(lr)", (), None),
        ("lr = 1", "def f():\n    lr = 2", (), None),
        ("lr = 1", "print([lr for lr in (1, 2)], (lambda lr: lr)(1), dict(lr=2))", (), None),
        ("import a", "a.b = 1\na[0] = 2", (), None),
        ("a = 1\na = 2", "b = a", (), None),
    ],
)
def test_a_name_belongs_to_the_cell_that_binds_it(
    first: str, second: str, tags: tuple[str, ...], name: str | None
) -> None:
    found = findings(code(first, SAID, cell_id="first"), code(second, SAID, tags=tags, cell_id="second"))
    expected = [f"n.ipynb: second: redefined names: redefines {name!r}, which belongs to cell first."] if name else []
    assert [line.partition(". ")[0] + "." for line in found] == expected


def test_six_tenths_of_the_code_cells_must_say_something() -> None:
    loud = [code(f"a{i} = 1", SAID, cell_id=f"a{i}") for i in range(3)]
    quiet = [code(f"b{i} = 1", cell_id=f"b{i}") for i in range(3)]
    assert findings(*loud, *quiet[:2]) == []
    assert any("vacuity: only 3 of 6" in line for line in findings(*loud, *quiet))


def test_at_most_five_outputs_of_the_course_are_not_compared() -> None:
    def notebook(name: str, count: int) -> guards.Notebook:
        cells = [code("f()", SAID, tags=("nbval-ignore-output",), cell_id=f"c{i}") for i in range(count)]
        return guards.Notebook(name, nbformat.v4.writes(new_notebook(cells=cells)))

    pair = [notebook("01.ipynb", 3), notebook("solutions/01.ipynb", 3), notebook("02.ipynb", 2)]
    assert guards.review_together(pair) == []
    found = guards.review_together([*pair, notebook("03.ipynb", 1)])
    assert [one.what for one in found] == ["6 cells are not compared, at most 5 may be"]
