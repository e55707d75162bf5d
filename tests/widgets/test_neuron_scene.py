"""What the neuron bench draws: the tangent is the gradient, the arrow the step, and live marks equal the table."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from bplib.viz.marks import Arrow, Mark, Path, Rule, Text, at_position, text_at
from bplib.viz.render import draw_scene, render
from bplib.viz.scene import Scene
from bplib.widgets.neuron.passes import passes
from bplib.widgets.neuron.scene import live_marks, magnification, neuron_scene, sentence_of
from bplib.widgets.neuron.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.stage import describe
from tests.drawn import on_screen, texts_in

FIRST = first_state()


def _after(*events: Event, state: State = FIRST) -> State:
    for event in events:
        state = reduce(state, event)
    return state


def _shown(*events: Event) -> State:
    return _after(Event("gradients", True), *events)


def _named(scene: Scene) -> dict[str, Mark]:
    return {m.name: m for panel in scene.panels for m in panel.marks if getattr(m, "name", "")}


def _words(state: State) -> dict[str, str]:
    named = _named(neuron_scene(state))
    return {name: text_at(mark, state.position) for name, mark in named.items() if isinstance(mark, Text)}


def _at(state: State, name: str) -> np.ndarray:
    return at_position(_named(neuron_scene(state))[name], state.position).astype(float)


STATES = {
    "first": FIRST,
    **{name: _shown(Event("preset", name)) for name in PRESETS},
    "after one": _after(Event("update", 1)),
    "after many": _after(Event("update", 300), Event("preset", "w = 2, b = 2"), Event("update", 300)),
    "moved on": _after(Event("update", 10), Event("w", 1.0), Event("lr", 0.3)),
    "far out": _after(Event("set", {"x": -2.0, "lr": 100.0, "y": 0.5}), Event("update", 3)),
    "tiny": _shown(Event("set", {"x": -0.1234, "w": -9.876, "b": -9.876})),
}


@pytest.mark.parametrize("name", STATES)
def test_every_number_on_the_graph_is_the_formula(name: str) -> None:
    state = STATES[name]
    words = _words(state)
    z = state.w * state.x + state.b
    a = 1 / (1 + np.exp(-z))
    error, slope = a - state.y, a * (1 - a)
    wanted = {"x": state.x, "w": state.w, "b": state.b, "p": state.w * state.x, "z": z, "a": a, "L": error**2 / 2}
    if state.gradients_shown:
        to_z = error * slope
        wanted |= {"ga": error, "gz": to_z, "gp": to_z, "gb": to_z, "gw": to_z * state.x, "ls": slope, "lx": state.x}
    assert words.keys() & {"ga", "gz", "gp", "gb", "gw", "ls", "lx"} == wanted.keys() - set("xwbpzaL")
    for key, value in wanted.items():
        assert _read(words[key]) == pytest.approx(value, rel=6e-4 if abs(value) > 1e-3 else 0.06, abs=1e-300), key


def _read(words: str) -> float:
    """The number at the end of some words, as a learner reads it."""
    plain = words.split("= ")[-1].replace("−", "-").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(plain.replace("·10", "e"))


def test_the_published_numbers_stand_on_the_picture() -> None:
    words = _words(_shown(Event("preset", "x = 0.5, w = 1.2, b = 0.9")))
    assert (words["z"], words["a"], words["gw"], words["gb"]) == ("z = 1.5", "a = 0.8176", "+0.06097", "+0.1219")
    assert words["slope"] == "slope ∂L/∂w = +0.06097"
    assert _words(_shown(Event("preset", "target 1")))["gw"] == "−0.1437"


@pytest.mark.parametrize("name", [name for name in STATES if name != "first"])
def test_the_tangent_has_the_slope_of_the_gradient_and_the_step_is_minus_eta_times_it(name: str) -> None:
    state = STATES[name]
    gradient = float(passes(state.w, state.b, state.x, state.y).to_w[0])
    (x0, y0), (x1, y1) = _at(state, "tangent")
    assert (y1 - y0) / (x1 - x0) == pytest.approx(gradient, rel=1e-3, abs=1e-6)
    np.testing.assert_allclose((x0 + x1) / 2, state.w, atol=1e-5)
    drawn = next(rows for rows in (_at(state, "arrow"), _at(state, "step")) if np.isfinite(rows).all())
    low, high = np.floor(state.ws[0]), np.ceil(state.ws[-1])
    tip = np.clip(state.w - magnification(state.lr) * state.lr * gradient, low, high)
    np.testing.assert_allclose(drawn[:, 0], [state.w, tip], atol=1e-5)
    assert drawn[0, 1] == drawn[1, 1] == _at(state, "here")[0, 1], "along w"


def test_the_curve_is_the_loss_and_the_point_is_on_it() -> None:
    state = _shown(Event("set", {"x": -1.5, "y": 0.3, "w": 0.5}))
    line, heights = _at(state, "curve").T
    np.testing.assert_allclose(heights, (1 / (1 + np.exp(-(-1.5 * line + 0.9))) - 0.3) ** 2 / 2, atol=1e-7)
    assert _at(state, "here")[0, 1] == pytest.approx(np.interp(0.5, line, heights), abs=1e-3)


def test_the_badly_wrong_neuron_has_a_seventh_of_the_slope() -> None:
    near, far = (_at(_shown(Event("preset", name)), "tangent") for name in list(PRESETS)[:2])
    slopes = [(rows[1, 1] - rows[0, 1]) / (rows[1, 0] - rows[0, 0]) for rows in (near, far)]
    assert slopes[0] / slopes[1] == pytest.approx(7.03, abs=0.01)
    assert np.isfinite(_at(_shown(), "arrow")).all()
    assert np.isnan(_at(_shown(Event("preset", "w = 2, b = 2")), "arrow")).all(), "shorter than the head of an arrow"


def test_without_an_input_there_is_no_gradient_at_any_weight() -> None:
    state = _shown(Event("preset", "x = 0"))
    named = _named(neuron_scene(state))
    assert set(named["gw"].text) == {"0"}
    assert np.ptp(np.asarray(named["curve"].points)[:, 1]) == 0
    assert np.isnan(named["arrow"].points).all()
    assert _words(state)["c1"] == "0"
    assert _words(state)["c4"] == "−0.02192", "b still moves"


def test_before_backward_nothing_of_the_gradients_is_to_be_seen() -> None:
    scene = neuron_scene(FIRST)
    marks = [mark for panel in scene.panels for mark in panel.marks]
    assert not [mark for mark in marks if getattr(mark, "role", "") in ("gradient", "update")]
    assert _cells(FIRST) == ["0.6", "?", "?", "0.9", "?", "?", "0.8176", "?", "?", "0.3342", "?", "?"]
    texts = {text for mark in marks if isinstance(mark, Text) for text in _all(mark.text)}
    assert not [text for text in texts if text.startswith(("+0", "slope", "step"))]
    assert not [words for words in scene.sentences if "∂" in words]


def _all(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _cells(state: State) -> list[str]:
    words = _words(state)
    return [words[f"c{k}"] for k in range(12)]


def test_the_ledger_keeps_the_update_and_only_where_it_ended() -> None:
    assert _cells(_shown())[:6] == ["0.6", "−0.01829", "?", "0.9", "−0.01829", "?"]
    after = _after(Event("update", 1))
    assert _cells(after) == [
        "0.6", "−0.01829", "0.5817", "0.9", "−0.01829", "0.8817", "0.8176", "−0.00552", "0.8121",
        "0.3342", "−0.004497", "0.3297",
    ]  # fmt: skip
    changed = _named(neuron_scene(after))["c2"].text
    assert [k for k, words in enumerate(changed) if words != "?"] == [after.position]
    assert "?" in _cells(_after(Event("x", 0.5), state=after))


def test_the_updates_are_drawn_beside_those_of_the_run_before() -> None:
    state = STATES["after many"]
    runs = neuron_scene(state).panels[3]
    before, now = [mark for mark in runs.marks if isinstance(mark, Path)]
    assert (before.role, before.text, now.role) == ("quiet", "run before", "loss")
    np.testing.assert_allclose(np.asarray(now.points)[:, 1], state.run.loss, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(before.points)[:, 1], state.earlier.loss, rtol=1e-6)
    np.testing.assert_allclose(_at(state, "now"), [[300, state.run.loss[-1]]], rtol=1e-6)
    assert _at(STATES["moved on"], "now")[0, 0] == 0, "another run would begin here"
    assert runs.title == "300 updates"
    assert runs.y == neuron_scene(state).panels[2].y, "a loss stands equally high in both"
    many = {name: getattr(state.run, name) * 5 for name in ("w", "b", "output", "loss", "rates")}
    long = replace(state, run=replace(state.run, **many))
    assert len(neuron_scene(long).panels[3].marks[1].points) == 400


@pytest.mark.parametrize("event", [Event("b", 0.1), Event("x", 0.5)])
def test_with_another_bias_or_input_a_new_run_begins_and_the_last_one_is_the_one_before(event: Event) -> None:
    state = STATES["after many"]
    runs = neuron_scene(_after(event, state=state)).panels[3]
    (before,) = [mark for mark in runs.marks if isinstance(mark, Path)]
    assert (before.role, before.text, runs.title) == ("quiet", "run before", "No update yet")
    np.testing.assert_allclose(np.asarray(before.points)[:, 1], state.run.loss, rtol=1e-6)


def test_losses_for_another_target_are_not_drawn() -> None:
    runs = neuron_scene(_after(Event("y", 0.5), state=STATES["after many"])).panels[3]
    assert runs.title == "No update yet"
    assert not [mark for mark in runs.marks if isinstance(mark, Path)]


@pytest.mark.parametrize("name", STATES)
def test_live_marks_are_the_table_at_the_present_weight(name: str) -> None:
    state = STATES[name]
    scene, named = neuron_scene(state), _named(neuron_scene(state))
    marks, words, said = live_marks(state)
    assert said == scene.sentence(state.position) == sentence_of(state)
    assert words == _words(state)
    for key, rows in marks.items():
        wanted = at_position(named[key], state.position)
        np.testing.assert_array_equal(rows, wanted[:, 1] if rows.ndim == 1 else wanted, err_msg=key)
    tables = {key for key, mark in named.items() if not isinstance(mark, Text) and np.ndim(mark.points) == 3}
    assert tables <= marks.keys(), "a table that is not replaced shows what was before"
    size = sum(len(key) + 4 * rows.size for key, rows in marks.items()) + len(said.encode())
    assert size + sum(len(key) + len(text.encode()) for key, text in words.items()) <= 1500


@pytest.mark.parametrize("name", ["first", "x = 0.5, w = 1.2, b = 0.9", "after many", "far out", "tiny"])
def test_everything_drawn_is_finite_and_its_words_stay_clear_of_each_other(name: str) -> None:
    state = STATES[name]
    scene = neuron_scene(state)
    for mark in (mark for panel in scene.panels for mark in panel.marks):
        if not isinstance(mark, Rule) and getattr(mark, "name", "") not in ("arrow", "step"):
            assert np.isfinite(mark.points).all()
    figure = draw_scene(scene, state.position)
    renderer = FigureCanvasAgg(figure).get_renderer()
    for k, panel in enumerate(scene.panels):
        shown, box = texts_in(figure, k), panel.rectangle
        boxes = [text.get_window_extent(renderer) for text in shown]
        corners = on_screen(figure, [(box.x, box.y + box.height), (box.x + box.width, box.y)])
        inside = Bbox(corners).padded(1)
        for text, box in zip(shown, boxes, strict=True):
            assert inside.contains(box.x0, box.y0), text
            assert inside.contains(box.x1, box.y1), text
        for (a, first), (b, second) in itertools.combinations(zip(shown, boxes, strict=True), 2):
            assert not first.shrunk(0.96, 0.6).overlaps(second), (a, b)


@pytest.mark.parametrize("name", STATES)
def test_the_sentence_fits_below_the_picture(name: str) -> None:
    assert max(map(len, neuron_scene(STATES[name]).sentences)) <= 130


@pytest.mark.parametrize("name", ["x = 0"])
def test_the_twin_is_small(name: str) -> None:
    state = STATES[name]
    assert len(render(neuron_scene(state), state.position).png()) <= 25_000


def test_the_scene_is_light() -> None:
    described = describe(neuron_scene(STATES["after many"]))
    assert _size(described) < 90_000


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(len(str(key)) + _size(below) for key, below in value.items())
    if isinstance(value, list | tuple):
        return sum(_size(below) + 1 for below in value)
    return len(value) if isinstance(value, bytes) else len(str(value).encode())


def test_the_axis_follows_a_weight_that_left_the_slider() -> None:
    state = STATES["far out"]
    scene = neuron_scene(state)
    assert scene.panels[2].x.low <= min(state.ws) <= max(state.ws) <= scene.panels[2].x.high
    assert "drawn" not in _words(state)["stride"]
    assert "drawn 20 times as long" in _words(_shown())["stride"]
    assert [mark for mark in scene.panels[2].marks if isinstance(mark, Arrow)]
