"""A notebook's new version with the learner's work in it: three notebooks compared cell by cell, by the cells' ids."""

import json
from typing import Any, NamedTuple

Cell = dict[str, Any]
Notebook = dict[str, Any]
_KINDS = ("code", "markdown", "raw")


class Unreadable(Exception):
    """Why a notebook cannot be merged, as half a sentence."""


class Merge(NamedTuple):
    """A merged notebook and the learner's cells in it; a cell may stand in `changed` and in one of the last two."""

    notebook: Notebook
    changed: list[Cell]
    added: list[Cell]
    restored: list[Cell]  # deleted by the learner: mostly a slip, and one that later cells stumble over
    both: list[Cell]  # changed by the learner and by the course: the learner's source is kept
    dropped: list[Cell]  # changed by the learner, no longer in the course: kept


def read(data: bytes) -> Notebook:
    """The notebook in these bytes, if it is one that can be merged."""
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable("it is not a complete notebook") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        raise Unreadable("it is not a notebook of version 4")
    if not all(_is_cell(cell) for cell in notebook["cells"]):
        raise Unreadable("it has cells without an id or without text")
    if len(_by_id(notebook)) < len(notebook["cells"]):
        raise Unreadable("two of its cells have the same id")
    return notebook


def write(notebook: Notebook) -> bytes:
    """The bytes of a notebook, in the form that Jupyter writes."""
    try:
        return (json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    except UnicodeEncodeError:  # half a character, as a paste can leave it, has no bytes of its own
        return (json.dumps(notebook, indent=1, sort_keys=True) + "\n").encode()


def source(cell: Cell) -> str:
    """The text of a cell, which a file holds as one string or as lines."""
    return "".join(cell["source"])


def title(cell: Cell) -> str:
    """What a person recognises a cell by: its first line that is not blank."""
    lines = [line.strip() for line in source(cell).splitlines() if line.strip()] or ["(empty)"]
    return lines[0] if len(lines[0]) <= 50 else lines[0][:49] + "…"


def tagged(cell: Cell, tag: str) -> bool:
    """Whether a cell bears this tag."""
    tags = cell.get("metadata", {}).get("tags")
    return isinstance(tags, list) and tag in tags


def version(notebook: Notebook) -> str | None:
    """The hash of the source that a notebook of the course was built from."""
    about = notebook.get("metadata", {})
    about = about.get("bplib", {}) if isinstance(about, dict) else {}
    found = about.get("source_sha256") if isinstance(about, dict) else None
    return found if isinstance(found, str) else None


def differs(one: Notebook, other: Notebook) -> bool:
    """Whether two versions differ in more than outputs, which a rebuild on another machine can change."""
    return _essence(one) != _essence(other)


def merge(original: Notebook, mine: Notebook, new: Notebook) -> Merge:
    """The new version, with the source of every cell that the learner changed or added since the original.

    The order is the course's; an added cell stays after the cell it followed. Outputs of the learner's cells go,
    because they may belong to the old version; the other cells have the outputs of the new version.
    """
    before, own, after = _by_id(original), _by_id(mine), _by_id(new)
    kept = {
        name: cell
        for name, cell in own.items()
        if not _same(cell, before.get(name)) and not _same(cell, after.get(name))
    }
    cells = [_of_learner(kept[cell["id"]], cell) if cell["id"] in kept else cell for cell in new["cells"]]
    _insert(cells, mine, {name: _of_learner(cell, cell) for name, cell in kept.items() if name not in after})
    return Merge(
        {**new, "cells": cells},
        changed=[kept[name] for name in kept if name in before or name in after],
        added=[kept[name] for name in kept if name not in before and name not in after],
        restored=[after[name] for name in after if name in before and name not in own],
        both=[kept[name] for name in kept if name in after and not _same(after[name], before.get(name))],
        dropped=[kept[name] for name in kept if name in before and name not in after],
    )


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or cell.get("cell_type") not in _KINDS:
        return False
    text = cell.get("source")
    lines = text if isinstance(text, list) else [text]
    fits = all(isinstance(line, str) for line in lines) and isinstance(cell.get("metadata", {}), dict)
    return fits and isinstance(cell.get("id"), str) and cell["id"] != ""


def _by_id(notebook: Notebook) -> dict[str, Cell]:
    return {cell["id"]: cell for cell in notebook["cells"]}


def _same(one: Cell, other: Cell | None) -> bool:
    return other is not None and (one["cell_type"], source(one)) == (other["cell_type"], source(other))


def _essence(notebook: Notebook) -> object:
    cells = [(cell["id"], cell["cell_type"], source(cell), cell.get("metadata")) for cell in notebook["cells"]]
    return cells, notebook.get("metadata")


def _of_learner(cell: Cell, place: Cell) -> Cell:
    """The learner's text at a place of the new version."""
    made = {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": place.get("metadata", {})}
    made["source"] = source(cell).splitlines(keepends=True)
    if cell["cell_type"] == "code":
        return {**made, "execution_count": None, "outputs": []}
    pictures = [one.get("attachments") for one in (place, cell)]
    found = {name: data for one in pictures if isinstance(one, dict) for name, data in one.items()}
    return {**made, "attachments": found} if found else made


def _insert(cells: list[Cell], mine: Notebook, extra: dict[str, Cell]) -> None:
    order = [cell["id"] for cell in mine["cells"]]
    for position, name in enumerate(order):
        if name in extra:
            places = {cell["id"]: place for place, cell in enumerate(cells)}
            before = next((places[other] for other in reversed(order[:position]) if other in places), -1)
            cells.insert(before + 1, extra[name])
