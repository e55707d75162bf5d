"""A scene is plain data, and every renderer takes its pixels from one mapping."""

import dataclasses
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bplib.errors import DataError, DomainError, ShapeError
from bplib.viz.marks import Arrow, Bars, Handle, Path, Points, Rule, Text, at_position, positions, text_at
from bplib.viz.render import draw_scene, render
from bplib.viz.scene import Axis, Panel, Rectangle, Scene, ticks

_BOX = Rectangle(60.0, 40.0, 300.0, 200.0)


def _scene(*marks: object, log: bool = False, **settings: object) -> Scene:
    y = Axis(1e-4, 1e2, "log", "loss") if log else Axis(-1.0, 3.0, label="loss")
    panel = Panel(_BOX, Axis(0.0, 10.0, label="step"), y, marks, "A panel")  # type: ignore[arg-type]
    return Scene(420, 300, (panel,), "A test picture", **settings)  # type: ignore[arg-type]


def test_the_corners_of_a_panel_lie_on_its_rectangle() -> None:
    (panel,) = _scene(log=True).panels
    np.testing.assert_allclose(panel.to_pixels([[0, 1e-4], [10, 1e2]]), [[60, 240], [360, 40]], rtol=0, atol=1e-9)


@pytest.mark.parametrize("log", [False, True])
def test_matplotlib_puts_every_point_where_the_mapping_says(log: bool) -> None:
    scene = _scene(Path([[0, 1], [10, 2]]), log=log, sentences=("In words.",))
    axes = draw_scene(scene, heading="A question?").axes[0]
    (panel,) = scene.panels
    grid = np.stack(np.meshgrid(np.linspace(0, 10, 7), np.geomspace(1e-3, 3, 7)), axis=-1).reshape(-1, 2)
    drawn = axes.transData.transform(grid)
    height = axes.figure.bbox.height
    ours = panel.to_pixels(grid) + np.array([0, 28])  # the heading takes 28 pixels above the scene
    np.testing.assert_allclose(np.c_[drawn[:, 0], height - drawn[:, 1]], ours, rtol=0, atol=0.5)


def test_the_static_twin_plots_the_numbers_of_the_position_asked_for() -> None:
    table = np.arange(24, dtype=np.float32).reshape(3, 4, 2) / 10
    axes = draw_scene(_scene(Path(table, "loss"), Bars([[1, 2]]), Arrow([[0, 0], [1, 1]])), 2).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), table[2])
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("step", "loss", "A panel")
    assert axes.patches[0].get_height() == 2


def test_a_mark_that_nobody_can_draw_is_named() -> None:
    class Spiral(Points):
        pass

    draw_scene(_scene(Spiral([[1, 1]])))  # what is a mark of another kind is drawn as that kind
    scene = _scene(Points([[1, 1]]))
    object.__setattr__(scene.panels[0], "marks", (_BOX,))
    with pytest.raises(NotImplementedError, match="Rectangle"):
        draw_scene(scene)


def test_the_sentence_stands_in_the_alternative_text_below_the_question() -> None:
    scene = _scene(Points(np.zeros((2, 1, 2))), sentences=("slow", "η = 0.5: diverges"))
    assert render(scene, 1, "Which one?").alt == "Which one? A test picture. η = 0.5: diverges"


@pytest.mark.parametrize("words", ["$x^2$ <b>&", "$\\href{javascript:alert(3)}{x}$", "a $ and a $"])
def test_dollar_signs_and_markup_in_words_are_drawn_as_they_are(words: str) -> None:
    marks = (Text([[1, 1]], words), Path([[0, 0], [1, 1]], text=words), Rule(2, text=words), Handle("h", [[1, 1]]))
    x, y = Axis(0, 1, label=words, ticks=((0.5, words),)), Axis(0, 1, label=words)
    scene = Scene(420, 300, (Panel(_BOX, x, y, marks, words),), words, (words,))
    axes = draw_scene(scene, heading=words).axes[0]
    axes.figure.savefig(io.BytesIO())
    assert axes.texts[0].get_text() == words


def test_values_that_are_not_finite_end_a_path_and_never_an_error() -> None:
    points = np.array([[0, 1], [1, np.inf], [2, np.nan], [3, 1]], dtype=float)
    axes = draw_scene(_scene(Path(points), Points(points), Bars(points[:1]))).axes[0]
    assert len(axes.lines[0].get_xdata()) == 2
    axes.figure.savefig(io.BytesIO())


def test_zero_on_a_log_axis_lies_below_the_panel_and_not_nowhere() -> None:
    (panel,) = _scene(log=True).panels
    assert panel.to_pixels([0, 0.0])[1] == np.inf
    assert math.isnan(panel.to_pixels([0, np.nan])[1])


def test_a_value_too_large_for_the_browser_becomes_infinite_without_a_warning() -> None:
    assert np.isinf(at_position(Path([[0, 1e300]]), 0)).any()


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [(0, 50, "linear"), (-2.5, 2.5, "linear"), (0.01, 1, "log"), (1e-12, 1e6, "log"), (0, 3e-5, "linear")],
)
def test_ticks_are_round_in_order_and_inside(low: float, high: float, scale: str) -> None:
    marks = ticks(low, high, scale)  # type: ignore[arg-type]
    values = [value for value, _ in marks]
    assert 2 <= len(marks) <= 11
    assert values == sorted(values)
    assert low <= values[0] + 1e-12
    assert values[-1] <= high * (1 + 1e-9)
    assert len({label for _, label in marks}) == len(marks)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_read_as_the_numbers_they_stand_for(low: float, span: float) -> None:
    for value, label in ticks(low, low + span):
        assert float(label.replace("−", "-")) == pytest.approx(value, rel=1e-9, abs=span * 1e-6)


@pytest.mark.parametrize(
    ("low", "high", "scale"), [(1, 1, "linear"), (2, 1, "linear"), (0, 1, "log"), (0, math.inf, "linear")]
)
def test_an_axis_without_extent_is_refused(low: float, high: float, scale: str) -> None:
    with pytest.raises(DomainError, match="expected finite ends with low < high"):
        Axis(low, high, scale, "rate")  # type: ignore[arg-type]


def test_tables_of_one_scene_have_one_number_of_positions() -> None:
    three, four = Path(np.zeros((3, 5, 2)), text=("a", "b", "c")), Path(np.zeros((4, 5, 2)))
    assert _scene(three).count == 3
    assert positions(three) == {3}
    assert text_at(three, 1) == "b"
    with pytest.raises(ShapeError, match=r"same number of positions, got \[3, 4\]"):
        _scene(three, four)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Path([1, 2, 3]), ShapeError, r"expected coordinates of shape \(n, 2\)"),
        (lambda: Path([[1, 2], [3]]), DataError, "must be numbers in rows of two"),
        (lambda: Path([["a", "b"]]), DataError, "must be numbers in rows of two"),
        (lambda: Arrow([[0, 0]]), ShapeError, r"\(2, 2\) or \(positions, 2, 2\), got \(1, 2\)"),
        (lambda: Handle("start", [[0, 0], [1, 1]]), ShapeError, r"\(1, 2\)"),
        (lambda: Points([[0, 0]], "glitter"), DomainError, "unknown role 'glitter'"),
        (lambda: at_position(Rule(1.0), 0), DataError, "a Rule has one value"),
    ],
)
def test_marks_say_what_is_wrong_with_their_coordinates(make: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()  # type: ignore[operator]


def test_scenes_cannot_be_changed_behind_the_renderers_backs() -> None:
    path = Path([[0, 0], [1, 1]])
    with pytest.raises(dataclasses.FrozenInstanceError):
        path.width = 3.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        path.points[0, 0] = 9  # type: ignore[index]
