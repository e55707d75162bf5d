"""The loop stepper's picture: every number can be read, in every state, and both renderers draw the same."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from bplib.viz.marks import Path, Points, Text
from bplib.viz.render import draw_scene
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.loop.scene import loop_scene
from bplib.widgets.loop.state import STAGES, Event, State, first_state, reduce
from bplib.widgets.stage import describe
from tests.drawn import lines_in, on_screen, texts_in


def _drawn(scene: Scene) -> Figure:
    figure = draw_scene(scene)
    FigureCanvasAgg(figure).draw()
    return figure


def _after(*stages: str, hidden: int = 3) -> State:
    state = first_state(hidden)
    for stage in stages:
        state = reduce(state, Event("press", stage))
    return state


def _widest() -> State:
    """Numbers as long as they get."""
    return replace(_after(*STAGES), parameters=(-147.661,) * 13, change=(-2.5e153,) * 13)


@pytest.mark.parametrize("hidden", [1, 2, 3])
@pytest.mark.parametrize("count", range(5))
def test_no_number_covers_another_or_a_unit(hidden: int, count: int) -> None:
    _check_room(_after(*STAGES[:count], hidden=hidden))


def test_even_the_longest_numbers_have_room() -> None:
    _check_room(_widest())


def _check_room(state: State) -> None:
    scene = loop_scene(state)
    figure = _drawn(scene)
    network = scene.panels[0]
    names = ("x₁", "x₂", "h₁", "h₂", "h₃", "ŷ")
    boxes = {text: text.get_window_extent() for text in texts_in(figure, 0) if text.get_text() not in names}
    assert len(boxes) == len(state.parameters) * (2 if state.gradients or state.change else 1)
    for one, two in itertools.combinations(boxes, 2):
        assert not _overlap(boxes[one], boxes[two]), f"{one.get_text()} and {two.get_text()}"
    (units,) = [mark for mark in network.marks if isinstance(mark, Points) and mark.size > 20]
    for x, y in on_screen(figure, network.to_pixels(units.points)):
        circle = Bbox.from_extents(x - 12, y - 17, x + 12, y + 17)
        for text, box in boxes.items():
            assert not _overlap(circle, box), text.get_text()
    ends = [(network.x.low, network.y.low), (network.x.high, network.y.high)]
    frame = Bbox(on_screen(figure, network.to_pixels(ends)))
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 for box in boxes.values())


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_no_line_runs_through_a_bias(hidden: int) -> None:
    scene = loop_scene(_after(hidden=hidden))
    figure, panel = _drawn(scene), scene.panels[0]
    biases = [text.get_window_extent() for text in texts_in(figure, 0) if text.get_text().startswith("b ")]
    lines = [mark.points for mark in panel.marks if isinstance(mark, Path) and np.isfinite(mark.points).all()]
    assert (len(biases), len(lines)) == (hidden + 1, 3 * hidden)
    for start, end in lines:
        along = on_screen(figure, panel.to_pixels(start + np.linspace(0, 1, 500)[:, None] * (end - start)))
        assert not any(box.contains(x, y) for box in biases for x, y in along)


def _overlap(one: Bbox, two: Bbox) -> bool:
    # A line of letters is two pixels higher than what it inks.
    return one.x0 < two.x1 and two.x0 < one.x1 and one.y0 + 2 < two.y1 and two.y0 + 2 < one.y1


def test_the_words_beside_the_predictions_stay_on_the_page() -> None:
    state = reduce(reduce(first_state(), Event("lr", 5.0)), Event("loops", (50, None)))
    figure = _drawn(loop_scene(state))
    assert all(text.get_window_extent().x1 <= 900 for text in texts_in(figure, 1))
    for state in (first_state(), _after(*STAGES[:3]), _after(*STAGES)):
        figure = _drawn(loop_scene(state))
        (title,) = texts_in(figure, 1, "title")
        first = min(sample.get_window_extent().x0 for sample in lines_in(figure, 1, "key"))
        assert title.get_window_extent().x1 < first, "the key runs into the title"


def test_a_line_says_size_and_sign_of_its_weight_without_colour() -> None:
    state = _after()
    edges = [m for m in loop_scene(state).panels[0].marks if isinstance(m, Path) and np.isfinite(m.points).all()]
    weights = np.r_[state.parameters[:6], state.parameters[9:12]]
    assert [edge.role for edge in edges] == ["threshold" if w < 0 else "contour" for w in weights]
    widths = np.array([edge.width for edge in edges])
    assert (np.argsort(widths) == np.argsort(np.abs(weights))).all()


def test_gradients_carry_a_triangle_and_changes_a_diamond() -> None:
    for stages, role, words in ((STAGES[:3], "gradient", "gradient"), (STAGES, "update", "added by Update")):
        marks = loop_scene(_after(*stages)).panels[0].marks
        (signs,) = [mark for mark in marks if isinstance(mark, Points) and mark.role == role]
        assert (len(signs.points), signs.text) == (13, words)


def test_bars_from_prediction_to_target_appear_with_the_loss() -> None:
    def bars(*stages: str) -> list[Path]:
        return [mark for mark in loop_scene(_after(*stages)).panels[1].marks if isinstance(mark, Path)]

    state = _after(*STAGES[:2])
    ends = [(bar.points[0, 0], bar.points[1, 0]) for bar in bars(*STAGES[:2])]
    np.testing.assert_allclose(ends, list(zip(state.predictions, (0, 1, 1, 0), strict=True)), rtol=1e-6)
    assert bars("Forward") == bars(*STAGES) == []


@pytest.mark.parametrize(("loops", "right"), [(1, 200), (200, 200), (201, 500), (1000, 1000), (2000, 2000)])
def test_the_axis_of_the_loops_grows_in_steps(loops: int, right: int) -> None:
    panel = loop_scene(reduce(first_state(), Event("loops", (loops, True)))).panels[2]
    (curve,) = [mark for mark in panel.marks if isinstance(mark, Path)]
    assert panel.x.high == right
    assert curve.points[-1, 0] == loops
    assert len(curve.points) <= 1000
    assert (panel.y.low, panel.y.high) == (0, 0.5)


def test_a_loss_beyond_the_axis_leaves_the_picture_upwards() -> None:
    state = reduce(first_state(), Event("lr", 5.0))
    for _ in range(3):
        state = reduce(state, Event("loops", (100, None)))
    scene = loop_scene(state)
    (curve,) = [mark for mark in scene.panels[2].marks if isinstance(mark, Path)]
    assert np.isfinite(curve.points).all()
    assert scene.panels[2].y.high == 5
    _drawn(scene)


@pytest.mark.parametrize("plate", [False, True])
def test_both_renderers_know_the_plate_behind_words(plate: bool) -> None:
    text = Text([[5, 5]], "words", plate=plate)
    panel = Panel(Rectangle(50, 40, 300, 200), Axis(0, 10), Axis(0, 10), (Path([[0, 5], [10, 5]]), text))
    scene = Scene(400, 300, (panel,), "A plate")
    assert describe(scene)["panels"][0]["marks"][1]["plate"] is plate
    figure = _drawn(scene)
    (drawn,) = texts_in(figure, 0)
    assert (drawn.get_bbox_patch() is not None) is plate
    x, y = (drawn.get_window_extent().x1 + 1, on_screen(figure, panel.to_pixels((5, 5)))[1])
    pixels = np.asarray(figure.canvas.buffer_rgba())
    column = pixels[int(pixels.shape[0] - y) - 2 : int(pixels.shape[0] - y) + 3, int(x), :3]
    assert (column.min() > 200) is np.bool_(plate), "the line ends a little beside the words"
