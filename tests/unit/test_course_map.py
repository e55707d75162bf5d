"""The map of the course: complete, true to the notebooks that are there, and readable."""

import itertools
import re
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text

from bplib.errors import DomainError
from bplib.lessons.syllabus import SYLLABUS, map_of_the_course
from bplib.viz.course_map import COMPONENTS, STAGES, Lesson, course_map
from bplib.viz.picture import Picture
from bplib.viz.style import contrast_ratio

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
NOTEBOOKS = {int(path.name[:2]): path for path in (ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py")}


def boxes(picture: Picture) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Each text of the picture with its rectangle in pixels."""
    canvas = FigureCanvasAgg(picture.figure)
    canvas.draw()
    texts = [one for one in picture.figure.findobj(Text) if one.get_visible() and one.get_text()]
    return [(one.get_text(), one.get_window_extent(canvas.get_renderer()).extents) for one in texts]


def test_the_course_has_eleven_notebooks_in_order() -> None:
    assert [lesson.number for lesson in SYLLABUS] == list(range(11))


def test_ready_are_the_notebooks_that_are_there() -> None:
    assert {lesson.number for lesson in SYLLABUS if lesson.ready} == set(NOTEBOOKS)


@pytest.mark.parametrize("lesson", [one for one in SYLLABUS if one.ready], ids=lambda lesson: f"{lesson.number:02d}")
def test_map_readme_and_notebook_agree_on_the_minutes(lesson: Lesson) -> None:
    stated = re.search(r"^# (\d+) minutes: (.*)\.$", NOTEBOOKS[lesson.number].read_text("utf-8"), re.MULTILINE)
    assert stated is not None
    assert int(stated[1]) == lesson.minutes
    assert sum(map(int, re.findall(r"\d+", stated[2]))) == lesson.minutes
    row = re.search(rf"^\| {lesson.number:02d} \|.*?\| (\d+) \|", README, re.MULTILINE)
    assert row is not None
    assert int(row[1]) == lesson.minutes


def test_the_six_key_components_each_have_a_sign_and_a_place_in_the_loop() -> None:
    assert [one.name for one in COMPONENTS] == [
        "loss function",
        "gradients",
        "chain rule",
        "optimization algorithm",
        "learning rate",
        "weight updates",
    ]
    assert len({one.icon for one in COMPONENTS}) == len({one.fill for one in COMPONENTS}) == 6
    assert {one.stage for one in COMPONENTS} < set(STAGES)
    assert all(contrast_ratio(one.ink, one.fill) >= 4.5 for one in COMPONENTS)


def test_no_word_of_the_map_is_cut_or_covered_by_another() -> None:
    picture = map_of_the_course()
    width, height = picture.figure.canvas.get_width_height()
    words = boxes(picture)
    for text, (left, bottom, right, top) in words:
        assert 0 <= left < right <= width, text
        assert 0 <= bottom < top <= height, text
    for (one, a), (other, b) in itertools.combinations(words, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"{one!r} and {other!r} overlap"


def test_the_boxes_of_the_notebooks_stay_apart() -> None:
    map_ = map_of_the_course().figure.axes[0]
    drawn = [one.get_bbox() for one in map_.findobj(FancyBboxPatch)]
    rows = [box for box in drawn if box.height < 0.35 < box.width]
    assert len(rows) == len(SYLLABUS)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(rows, 2))


def test_the_words_beside_the_map_name_every_notebook() -> None:
    alt = map_of_the_course().alt
    ready, later = alt.split("Still to come: ")
    for lesson in SYLLABUS:
        words = f"{lesson.number:02d} {lesson.title}, {lesson.minutes} minutes"
        assert (words in ready, words in later) == (lesson.ready, not lesson.ready)


def test_a_map_without_what_it_needs_is_refused() -> None:
    with pytest.raises(DomainError, match="there is no lesson"):
        course_map([])
    with pytest.raises(DomainError, match=r"lesson 02 has the stage 'Lost'. Expected one of Forward, Loss"):
        course_map([Lesson(2, "Losses", 45, "Lost")])
