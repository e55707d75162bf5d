"""A new version with the learner's work in it: nothing of theirs is lost, nothing else is changed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import merging

Cell = dict[str, Any]
Notebook = dict[str, Any]


def cell(name: str, text: str, kind: str = "code", tags: tuple[str, ...] = ("core",)) -> Cell:
    made: Cell = {"cell_type": kind, "id": name, "metadata": {"tags": list(tags)}}
    made["source"] = text.splitlines(keepends=True)
    return {**made, "execution_count": 1, "outputs": [f"output of {text}"]} if kind == "code" else made


def notebook(*cells: Cell, version: str = "one") -> Notebook:
    return {"cells": list(cells), "metadata": {"bplib": {"source_sha256": version}}, "nbformat": 4, "nbformat_minor": 5}


def told(notebook: Notebook) -> list[tuple[str, str]]:
    return [(cell["id"], merging.source(cell)) for cell in notebook["cells"]]


BEFORE = notebook(cell("title", "# A", "markdown"), cell("task", "w = ..."), cell("check", "check(w)"))
AFTER = notebook(cell("title", "# B", "markdown"), cell("task", "w = ..."), cell("check", "check(w)"), version="two")


def test_the_learners_answer_and_the_courses_new_text_come_together() -> None:
    mine = notebook(cell("title", "# A", "markdown"), cell("task", "w = 3"), cell("check", "check(w)"))
    merge = merging.merge(BEFORE, mine, AFTER)
    assert told(merge.notebook) == [("title", "# B"), ("task", "w = 3"), ("check", "check(w)")]
    assert merge.notebook["metadata"] == AFTER["metadata"]
    assert [cell["id"] for cell in merge.changed] == ["task"]
    assert merge.added == merge.restored == merge.both == merge.dropped == []


def test_only_the_learners_cells_lose_their_outputs() -> None:
    mine = notebook(cell("title", "# A", "markdown"), cell("task", "w = 3"), cell("check", "check(w)"))
    _, task, check = merging.merge(BEFORE, mine, AFTER).notebook["cells"]
    assert task["outputs"] == []
    assert task["execution_count"] is None
    assert check == AFTER["cells"][2]


def test_an_added_cell_stays_after_the_cell_it_followed() -> None:
    mine = notebook(cell("zero", "0"), *BEFORE["cells"][:2], cell("a", "1"), cell("b", "2"), BEFORE["cells"][2])
    after = notebook(AFTER["cells"][0], AFTER["cells"][1], cell("new", "print()"), AFTER["cells"][2])
    merge = merging.merge(BEFORE, mine, after)
    assert [name for name, _ in told(merge.notebook)] == ["zero", "title", "task", "a", "b", "new", "check"]
    assert [cell["id"] for cell in merge.added] == ["zero", "a", "b"]


def test_a_cell_changed_by_both_keeps_the_learners_text_and_is_named() -> None:
    mine = notebook(cell("title", "# A", "markdown"), cell("task", "w = 3"), cell("check", "check(w)"))
    after = notebook(AFTER["cells"][0], cell("task", "w = None"), AFTER["cells"][2])
    merge = merging.merge(BEFORE, mine, after)
    assert ("task", "w = 3") in told(merge.notebook)
    assert merge.both == [mine["cells"][1]]


def test_a_cell_changed_alike_by_both_is_the_courses() -> None:
    after = notebook(AFTER["cells"][0], cell("task", "w = 3"), AFTER["cells"][2])
    merge = merging.merge(BEFORE, notebook(BEFORE["cells"][0], cell("task", "w = 3"), BEFORE["cells"][2]), after)
    assert merge.notebook == after
    assert merge.changed == merge.both == []


def test_a_deleted_cell_comes_back_and_is_named() -> None:
    merge = merging.merge(BEFORE, notebook(*BEFORE["cells"][:2]), AFTER)
    assert merge.notebook == AFTER
    assert [cell["id"] for cell in merge.restored] == ["check"]


def test_a_cell_the_course_dropped_goes_unless_the_learner_changed_it() -> None:
    after = notebook(AFTER["cells"][0])
    mine = notebook(BEFORE["cells"][0], cell("task", "w = 3"), BEFORE["cells"][2])
    merge = merging.merge(BEFORE, mine, after)
    assert told(merge.notebook) == [("title", "# B"), ("task", "w = 3")]
    assert [cell["id"] for cell in merge.dropped] == ["task"]


def test_a_cell_made_into_text_stays_text_with_its_pictures() -> None:
    text = {**cell("task", "![](attachment:a.png)", "markdown"), "attachments": {"a.png": {"image/png": "AA"}}}
    merge = merging.merge(BEFORE, notebook(BEFORE["cells"][0], text, BEFORE["cells"][2]), AFTER)
    made = merge.notebook["cells"][1]
    assert made["cell_type"] == "markdown"
    assert made["attachments"] == {"a.png": {"image/png": "AA"}}
    assert "outputs" not in made


def test_outputs_alone_are_no_new_version() -> None:
    rebuilt = notebook(*({**cell, "outputs": []} if "outputs" in cell else cell for cell in BEFORE["cells"]))
    assert rebuilt != BEFORE
    assert not merging.differs(BEFORE, rebuilt)
    assert merging.differs(BEFORE, AFTER)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"cells": [', "not a complete notebook"),
        (b"\xff\xfe\xff", "not a complete notebook"),
        (b"[" * 100_000, "not a complete notebook"),
        (b"[]", "not a notebook of version 4"),
        (json.dumps({**BEFORE, "nbformat": 3}).encode(), "not a notebook of version 4"),
        (json.dumps({**BEFORE, "cells": [{"cell_type": "code", "source": ""}]}).encode(), "without an id"),
        (json.dumps({**BEFORE, "cells": [{**BEFORE["cells"][0], "source": [1]}]}).encode(), "without an id or without"),
        (json.dumps({**BEFORE, "cells": [BEFORE["cells"][0]] * 2}).encode(), "the same id"),
        (json.dumps({**BEFORE, "cells": [{**BEFORE["cells"][0], "metadata": 1}]}).encode(), "without an id or without"),
    ],
)
def test_what_cannot_be_merged_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(merging.Unreadable, match=reason):
        merging.read(data)


def test_half_a_character_survives() -> None:
    strange = notebook(cell("task", "x = '\ud83d'"))
    assert merging.read(merging.write(strange)) == strange


def test_a_title_is_short() -> None:
    assert merging.title(cell("a", "\n\n  def f(x):\n    return x\n")) == "def f(x):"
    assert merging.title(cell("a", " \n")) == "(empty)"
    assert len(merging.title(cell("a", "x" * 500))) == 50


# -- whatever the learner did -----------------------------------------------------------------------------------------

IDS = [f"cell-{number}" for number in range(7)]
TEXTS = st.sampled_from(["", "a = 1", "a = ...", "b\nc", "# text", "print('ä')"])
KINDS = st.sampled_from(["code", "markdown"])


@st.composite
def notebooks(draw: st.DrawFn, ids: list[str]) -> Notebook:
    chosen = draw(st.lists(st.sampled_from(ids), unique=True))
    return notebook(*(cell(name, draw(TEXTS), draw(KINDS)) for name in chosen))


ORIGINALS = notebooks(IDS)
WORKED_ON = notebooks([*IDS, "mine-1", "mine-2", "mine-3"])


def own(original: Notebook, mine: Notebook) -> dict[str, tuple[str, str]]:
    """What the learner wrote: kind and text of each cell that differs from the original."""
    before = {cell["id"]: (cell["cell_type"], merging.source(cell)) for cell in original["cells"]}
    now = {cell["id"]: (cell["cell_type"], merging.source(cell)) for cell in mine["cells"]}
    return {name: text for name, text in now.items() if before.get(name) != text}


@settings(max_examples=150, deadline=None)
@given(ORIGINALS, WORKED_ON, ORIGINALS)
def test_whatever_the_learner_wrote_is_in_the_result(original: Notebook, mine: Notebook, new: Notebook) -> None:
    merge = merging.merge(original, mine, new)
    result = {cell["id"]: (cell["cell_type"], merging.source(cell)) for cell in merge.notebook["cells"]}
    assert own(original, mine).items() <= result.items()
    assert len(result) == len(merge.notebook["cells"])


@settings(max_examples=150, deadline=None)
@given(ORIGINALS, WORKED_ON, ORIGINALS)
def test_the_rest_of_the_result_is_the_new_version_in_its_order(
    original: Notebook, mine: Notebook, new: Notebook
) -> None:
    theirs = own(original, mine)
    result = merging.merge(original, mine, new).notebook["cells"]
    assert [one for one in result if one["id"] not in theirs] == [c for c in new["cells"] if c["id"] not in theirs]
    ids = {cell["id"] for cell in new["cells"]}
    assert [one["id"] for one in result if one["id"] in ids] == [cell["id"] for cell in new["cells"]]


@settings(max_examples=100, deadline=None)
@given(ORIGINALS, ORIGINALS)
def test_an_unchanged_notebook_becomes_the_new_version(original: Notebook, new: Notebook) -> None:
    assert merging.merge(original, original, new).notebook == new


@settings(max_examples=150, deadline=None)
@given(ORIGINALS, WORKED_ON, ORIGINALS)
def test_merging_again_after_an_interruption_changes_nothing(original: Notebook, mine: Notebook, new: Notebook) -> None:
    once = merging.merge(original, mine, new).notebook
    assert merging.merge(original, once, new).notebook == once
