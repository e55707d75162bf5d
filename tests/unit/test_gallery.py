"""The gallery shows every widget as it is today: its sentences are made anew, its pictures are there and small."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_pictures", ROOT / "scripts" / "make_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_script_writes(script):
    assert (ROOT / "docs" / "gallery.md").read_text("utf-8") == script.page()


def test_every_picture_of_the_page_is_there_and_no_other(script):
    named = set(re.findall(r"gallery/(\w+\.png)", script.page()))
    assert named == {path.name for path in (ROOT / "docs" / "gallery").iterdir()}
    for name in named:
        data = (ROOT / "docs" / "gallery" / name).read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(data) <= 25_000


def test_every_widget_of_the_course_is_shown(script):
    makers = {path.parent.name for path in (ROOT / "bplib" / "widgets").glob("*/view.py")}
    shown = {one.name.split("_")[0] for exhibit in script.GALLERY.values() for one in exhibit.pictures}
    assert makers == shown


def test_every_widget_has_two_or_three_goals_and_each_picture_a_name_of_its_own(script):
    assert all(2 <= len(exhibit.goals) <= 3 for exhibit in script.GALLERY.values())
    names = [one.name for exhibit in script.GALLERY.values() for one in exhibit.pictures]
    assert len(names) == len(set(names))
