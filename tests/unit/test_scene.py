"""A scene is plain data, and every renderer takes its pixels from one mapping."""

import dataclasses
import io
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image

from bplib.errors import DataError, DomainError, ShapeError
from bplib.viz.marks import Arrow, Bars, Handle, Path, Points, Rule, Text, at_position, positions, text_at
from bplib.viz.page import width_of
from bplib.viz.render import draw_scene, render
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene, ticks
from bplib.viz.style import ROLES
from tests.drawn import lines_in, parts, texts_in

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
    grid = np.stack(np.meshgrid(np.linspace(0, 10, 7), np.geomspace(1e-3, 3, 7)), axis=-1).reshape(-1, 2)
    scene = _scene(Points(grid), log=log, sentences=("In words.",))
    figure = draw_scene(scene, heading="A question?")
    (drawn,) = lines_in(figure, 0)
    (panel,) = scene.panels
    x, y = drawn.get_transform().transform(drawn.get_xydata()).T
    ours = panel.to_pixels(grid) + np.array([0, 28])  # the heading takes 28 pixels above the scene
    np.testing.assert_allclose(np.c_[x, figure.bbox.height - y], ours, rtol=0, atol=1e-3)


def test_the_pixels_of_a_mark_are_where_the_mapping_says() -> None:
    scene = _scene(Points([[2.5, 0]], "prediction", size=20))
    pixels = _pixels(draw_scene(scene))
    blue = np.argwhere((pixels == (0, 0x72, 0xB2)).all(axis=-1))
    x, y = scene.panels[0].to_pixels((2.5, 0))
    np.testing.assert_allclose(blue.mean(axis=0), (y, x), rtol=0, atol=1)


def test_a_colour_field_fills_its_panel_the_right_way_up() -> None:
    png = io.BytesIO()
    Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)).save(png, "PNG")
    panel = dataclasses.replace(_scene().panels[0], field=ColourField(png.getvalue()), grid=False)
    pixels = _pixels(draw_scene(Scene(420, 300, (panel,), "A field")))
    for x, y, colour in ((65, 45, (255, 0, 0)), (355, 45, (0, 255, 0)), (65, 235, (0, 0, 255)), (355, 235, (9, 9, 9))):
        assert tuple(pixels[y, x]) == colour, (x, y)
    assert tuple(pixels[250, 65]) == tuple(pixels[45, 370]) == (255, 255, 255)


def test_what_lies_outside_its_panel_is_cut_but_words_and_handles_are_not() -> None:
    outside = [[-1.5, 1]]
    marks = (Path([[-2, 1], [12, 1]], "gradient", width=8), Bars([[0, 9]]), Arrow([[-2, 2], [-1, 2]]), Points(outside))
    cut, whole = (_pixels(draw_scene(_scene(*some))) for some in (marks, (Handle("h", outside),)))
    blank = _pixels(draw_scene(_scene()))
    margin = np.s_[30:245, 5:35]  # beside the labels of the ticks
    assert (cut[margin] == blank[margin]).all()
    assert (whole[margin] != blank[margin]).any()


def test_the_static_twin_plots_the_numbers_of_the_position_asked_for() -> None:
    table = np.arange(24, dtype=np.float32).reshape(3, 4, 2) / 10
    scene = _scene(Path(table, "loss"), Bars([[1, 2]]), Arrow([[0, 0], [1, 1]]))
    figure = draw_scene(scene, 2)
    panel = scene.panels[0]
    np.testing.assert_allclose(lines_in(figure, 0)[0].get_xydata(), panel.to_pixels(table[2]))
    said = [text.get_text() for text in texts_in(figure, 0, "axes")]
    assert said[-2:] == ["step", "loss"]
    assert said[:-2] == [label for axis in (panel.x, panel.y) for _, label in axis.ticks or ()]
    assert [text.get_text() for text in texts_in(figure, 0, "title")] == ["A panel"]
    bar, head = parts(figure, PathPatch, "panel 0 mark")
    (low, high) = panel.to_pixels([[1, 0], [1, 2]])
    np.testing.assert_allclose(np.ptp(bar.get_path().vertices[:4], axis=0), (16, low[1] - high[1]))
    np.testing.assert_allclose(head.get_path().vertices[0], panel.to_pixels((1, 1)), rtol=1e-6)


def test_the_key_stands_from_the_right_with_a_sample_for_each_name() -> None:
    marks = (Path([[0, 0], [1, 1]], "loss", text="a line"), Points([[1, 1]], text=("b", "dots")), Points([[2, 2]]))
    scene = _scene(*marks, sentences=("one", "two"))
    figure = draw_scene(scene, 1)
    dots, line = texts_in(figure, 0, "key")
    assert (dots.get_text(), line.get_text()) == ("dots", "a line")
    sample, *stroke = lines_in(figure, 0, "key")
    assert (sample.get_marker(), len(stroke)) == ("o", 1)
    right = _BOX.x + _BOX.width
    assert dots.get_position()[0] == right
    # Each sample ends five pixels beside its words, the next words twelve beside the sample.
    assert sample.get_xdata()[0] == pytest.approx(right - width_of("dots", 11) - 5 - 13)
    assert line.get_position()[0] == pytest.approx(right - width_of("dots", 11) - 5 - 26 - 12)
    extent = line.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert width_of("a line", 11) == pytest.approx(extent.width, abs=1.5)


def test_the_sample_of_bars_in_the_key_is_a_small_bar_of_their_colour() -> None:
    figure = draw_scene(_scene(Bars([[1, 2]], "gradient", text=("a", "bars")), sentences=("one", "two")), 1)
    (said,) = texts_in(figure, 0, "key")
    (sample,) = parts(figure, PathPatch, "panel 0 key")
    right = _BOX.x + _BOX.width - width_of("bars", 11) - 5
    assert said.get_text() == "bars"
    assert to_hex(sample.get_facecolor()) == ROLES["gradient"].fill.lower()
    corners = sample.get_path().vertices[:4]
    np.testing.assert_allclose(np.ptp(corners, axis=0), (12, 10))
    np.testing.assert_allclose(corners.mean(axis=0), (right - 13, _BOX.y - 13))


def test_what_is_drawn_later_lies_above() -> None:
    for roles, colour in ((("gradient", "prediction"), (0, 0x72, 0xB2)), (("prediction", "gradient"), (0xD5, 0x5E, 0))):
        pixels = _pixels(draw_scene(_scene(*(Points([[5, 1]], role, size=30) for role in roles))))
        assert tuple(pixels[140, 210]) == colour, roles
    over = _pixels(draw_scene(_scene(Text([[5, 1]], "mmm"), Points([[5, 1]], "prediction", size=60))))
    assert (over[130:150, 205:220] == (0, 0x72, 0xB2)).all(), "words wait their turn, too"


def test_a_line_to_infinity_runs_to_the_edge_of_its_panel() -> None:
    pixels = _pixels(draw_scene(_scene(Path([[5, 1], [5, np.inf]], "prediction", width=4))))
    assert tuple(pixels[44, 210]) == (0, 0x72, 0xB2)
    assert tuple(pixels[36, 210]) == (255, 255, 255)


def test_a_panel_without_a_grid_has_none() -> None:
    panel = dataclasses.replace(_scene().panels[0], grid=False)
    with_grid, without = (
        _pixels(draw_scene(Scene(420, 300, (one,), "A panel")))[45:235, 65:355] for one in (_scene().panels[0], panel)
    )
    assert (without == 255).all()
    assert (with_grid != 255).any()


def test_the_label_of_an_upright_axis_stands_beside_the_longest_number() -> None:
    axes = (Axis(0, 1, label="loss", ticks=((0.5, words),)) for words in ("1", "1,234,567"))
    for axis in axes:
        figure = draw_scene(Scene(420, 300, (Panel(Rectangle(120, 40, 250, 200), Axis(0, 1), axis),), "A panel"))
        renderer = FigureCanvasAgg(figure).get_renderer()
        number, label = (text.get_window_extent(renderer) for text in texts_in(figure, 0, "axes")[-2:])
        assert 2 <= number.x0 - label.x1 <= 10, axis.ticks


def test_dashes_are_as_long_as_in_the_browser_whatever_the_width() -> None:
    for width in (1.0, 4.0):
        (line,) = lines_in(draw_scene(_scene(Path([[0, 1], [9, 1]], "gradient", width=width))), 0)
        _, dashes = line._dash_pattern  # type: ignore[attr-defined]  # in points, as it is drawn
        np.testing.assert_allclose(np.array(dashes) / 0.72, (7, 3))


def _pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


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
    x, y = (Axis(0, 1, label=words, ticks=((0.5, words),)) for _ in "xy")
    scene = Scene(420, 300, (Panel(_BOX, x, y, marks, words),), words, (words,))
    figure = draw_scene(scene, heading=words)
    figure.savefig(io.BytesIO())
    assert len(figure.texts) == 10
    assert {text.get_text() for text in figure.texts} == {words}


def test_values_that_are_not_finite_end_a_path_and_never_an_error() -> None:
    points = np.array([[0, 1], [1, np.inf], [2, np.nan], [3, 1]], dtype=float)
    figure = draw_scene(_scene(Path(points), Points(points), Bars(points), Bars(points[2:3])))
    assert len(lines_in(figure, 0)[0].get_xdata()) == 2
    figure.savefig(io.BytesIO())


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
