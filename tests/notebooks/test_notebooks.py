"""The notebooks as they are committed: built from their sources, complete, and without a finding."""

from pathlib import Path

import build
import guards
import pytest
import source

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted((NOTEBOOKS / "src").glob("*.py"))
BUILT = [*sorted(NOTEBOOKS.glob("*.ipynb")), *sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))]


@pytest.mark.parametrize("path", BUILT, ids=[path.relative_to(NOTEBOOKS).as_posix() for path in BUILT])
def test_no_guard_objects(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parsed = source.read(NOTEBOOKS / "src" / f"{path.stem}.py")
    assert [str(one) for one in guards.review(guards.Notebook(path.name, text, parsed.secrets))] == []


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_every_source_has_its_number_and_both_notebooks(path: Path) -> None:
    assert path.stem[:2].isdigit(), "begin the name with two digits: the lessons are sorted and called by them"
    assert path.stem[2] == "_"
    assert [kind for kind in source.KINDS if not build.target(NOTEBOOKS, path.stem, kind).exists()] == []


def test_no_notebook_is_without_a_source() -> None:
    assert {path.stem for path in BUILT} <= {path.stem for path in SOURCES}


def test_the_notebooks_are_what_the_sources_say() -> None:
    assert [str(one) for one in build.check(NOTEBOOKS)] == []
