"""What the loss comparer draws: every number against its own formula, and the table against what a drag sends."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bplib.viz.marks import Mark, Rule, at_position, text_at
from bplib.viz.render import render
from bplib.viz.scene import Panel, Scene
from bplib.widgets.losses.classes import class_scene, live_classes
from bplib.widgets.losses.numbers import LOSSES, lowest, slopes, values
from bplib.widgets.losses.scene import live_numbers, number_scene
from bplib.widgets.losses.softmax import naive, outcome, sweep
from bplib.widgets.losses.state import CLASS_PRESETS, NUMBER_PRESETS, Event, State, reduce
from bplib.widgets.losses.words import class_sentence, naive_words, number_sentences, short, signed

FIRST = State()
FIVE, HUNDRED = (1.0, 2.0, 3.0, 4.0, 5.0), (1.0, 2.0, 3.0, 4.0, 100.0)


def _formula(loss: str, data: tuple[float, ...], delta: float, c: np.ndarray) -> np.ndarray:
    e = c[:, None] - np.array(data)
    huber = np.where(np.abs(e) <= delta, e**2 / 2, delta * (np.abs(e) - delta / 2))
    return {"MSE": e**2, "MAE": np.abs(e), "Huber": huber}[loss].mean(axis=1)


def _slope_formula(loss: str, data: tuple[float, ...], delta: float, c: np.ndarray) -> np.ndarray:
    e = c[:, None] - np.array(data)
    return {"MSE": 2 * e, "MAE": np.sign(e), "Huber": np.clip(e, -delta, delta)}[loss].mean(axis=1)


def _named(scene: Scene) -> dict[str, tuple[Panel, Mark]]:
    pairs = [(panel, mark) for panel in scene.panels for mark in panel.marks]
    return {mark.name: (panel, mark) for panel, mark in pairs if getattr(mark, "name", "")}


def _softmax(z: tuple[float, ...]) -> np.ndarray:
    e = np.exp(np.array(z) - max(z))
    return e / e.sum()


# ---------------------------------------------------------------- the minima


def test_the_outlier_drags_the_minimum_of_mse_to_22_and_leaves_that_of_mae_at_3() -> None:
    assert [lowest(loss, FIVE, 1.0) for loss in LOSSES] == [(3.0, 3.0)] * 3
    assert [lowest(loss, HUNDRED, 1.0) for loss in LOSSES] == [(22.0, 22.0), (3.0, 3.0), (3.0, 3.0)]
    assert lowest("Huber", HUNDRED, 10.0) == (5.0, 5.0)
    assert lowest("Huber", HUNDRED, 100.0) == (22.0, 22.0), "with every number within δ it is half of MSE"


def test_the_minimum_follows_the_outlier_by_one_nth_under_mse_and_not_at_all_under_mae() -> None:
    outliers = np.arange(4.0, 101.0)
    ends = {loss: np.array([lowest(loss, (1.0, 2.0, 3.0, 4.0, o), 1.0)[0] for o in outliers]) for loss in LOSSES}
    np.testing.assert_allclose(np.diff(ends["MSE"]), 1 / 5, atol=1e-9)
    assert set(ends["MAE"]) == {3.0}
    assert set(ends["Huber"]) == {3.0}, "flat as soon as the outlier is more than δ away"
    near = np.array([lowest("Huber", (1.0, 2.0, 3.0, 4.0, o), 5.0)[0] for o in (5.0, 6.0, 50.0, 100.0)])
    assert near[1] - near[0] == pytest.approx(1 / 5), "within δ it counts like a square"
    assert near[2] == near[3]


@pytest.mark.parametrize("delta", [0.01, 0.7, 1.0, 13.0, 1000.0])
def test_the_minima_are_those_of_a_search_over_c(delta: float) -> None:
    rng = np.random.default_rng(int(delta))
    fine = np.linspace(0, 100, 20_001)
    for _ in range(12):
        data = tuple(rng.integers(0, 101, rng.integers(2, 10)).astype(float).tolist())
        for loss in LOSSES:
            heights = _formula(loss, data, delta, fine)
            bottom = fine[heights <= heights.min() + 1e-9]
            low, high = lowest(loss, data, delta)
            assert low - 0.006 <= bottom[0], (loss, data)
            assert bottom[-1] <= high + 0.006, (loss, data)
            assert _formula(loss, data, delta, np.array([low, high])) == pytest.approx(heights.min(), abs=1e-4)
        middle = np.sort(data)
        assert lowest("MAE", data, delta) == (middle[(len(data) - 1) // 2], middle[len(data) // 2])
        assert lowest("MSE", data, delta)[0] == pytest.approx(np.mean(data))


# ---------------------------------------------------------------- the curves over c


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("outlier", [0.0, 3.0, 5.0, 8.75, 37.0, 100.0])
def test_the_curves_are_the_formulas_and_stay_inside_their_axes(derivative: bool, outlier: float) -> None:
    state = replace(reduce(FIRST, Event("outlier", outlier)), derivative=derivative)
    formula, marks = (_slope_formula if derivative else _formula), _named(number_scene(state))
    for loss in LOSSES:
        panel, curve = marks[f"{loss} curve"]
        points = at_position(curve, 0).astype(float)
        assert np.isfinite(points).all()
        assert (points[0, 0], points[-1, 0]) == (0, state.frame.high)
        flat = np.diff(points[:, 0]) > 1e-6
        at = (points[:-1, 0] + points[1:, 0])[flat] / 2
        drawn = (points[:-1, 1] + points[1:, 1])[flat] / 2
        true = formula(loss, state.data, state.delta, at)
        np.testing.assert_allclose(drawn, true, atol=0.004 * (panel.y.high - panel.y.low))
        assert panel.y.low <= points[:, 1].min()
        assert points[:, 1].max() <= panel.y.high


@pytest.mark.parametrize("outlier", [5.0, 11.0, 24.0, 49.0, 100.0])
def test_the_curves_fill_their_panels(outlier: float) -> None:
    scene = number_scene(replace(FIRST, data=(*FIVE[:4], outlier)))
    for panel in scene.panels[1:]:
        (curve,) = [mark for mark in panel.marks if getattr(mark, "name", "").endswith("curve")]
        assert at_position(curve, 0)[:, 1].max() > 0.55 * panel.y.high


def test_the_slope_of_mae_is_a_staircase_with_a_step_at_each_number() -> None:
    state = replace(FIRST, derivative=True)
    steps = at_position(_named(number_scene(state))["MAE curve"][1], 0).astype(float)
    np.testing.assert_allclose(steps[:, 0], [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
    np.testing.assert_allclose(steps[:, 1], np.repeat([-1, -0.6, -0.2, 0.2, 0.6, 1], 2), atol=1e-6)


@pytest.mark.parametrize("derivative", [False, True])
def test_every_position_shows_the_present_c_and_its_losses(derivative: bool) -> None:
    state = replace(reduce(FIRST, Event("outlier", 100)), derivative=derivative)
    scene, at = number_scene(state), np.array(state.frame.positions)
    assert scene.count == len(at) == len(scene.sentences)
    formula, write = (_slope_formula, signed) if derivative else (_formula, short)
    for loss in LOSSES:
        marks, heights = _named(scene), formula(loss, HUNDRED, 1.0, at)
        here = np.array([at_position(marks[f"{loss} here"][1], k)[0] for k in range(len(at))])
        np.testing.assert_allclose(here, np.stack([at, heights], axis=1), rtol=1e-5, atol=1e-5)
        share = formula(loss, HUNDRED[-1:], 1.0, at[18:19])[0] / 5
        words = text_at(marks[f"{loss} words"][1], 18)
        assert write(heights[18]) in words
        assert words.endswith(f", outlier {write(share)}")
        assert write(heights[18]) in scene.sentence(18)


@pytest.mark.parametrize("derivative", [False, True])
@pytest.mark.parametrize("data", [FIVE, HUNDRED, (50.0, 2.0, 2.0, 8.0), (0.0, 0.0)])
def test_a_drag_sends_what_the_table_shows(data: tuple[float, ...], derivative: bool) -> None:
    state = replace(FIRST, data=data, derivative=derivative)
    marks, words, sentence = live_numbers(state)
    scene = number_scene(state)
    named = _named(scene)
    for name, rows in marks.items():
        np.testing.assert_allclose(at_position(named[name][1], state.position), rows, rtol=1e-6, atol=1e-6)
    assert {name: text_at(named[name][1], state.position) for name in words} == words
    assert set(named) == set(marks) | set(words), "nothing that has a name is left behind"
    assert sentence == scene.sentence(state.position)


def test_while_the_outlier_moves_every_curve_keeps_its_number_of_points() -> None:
    for derivative in (False, True):
        state = replace(FIRST, derivative=derivative)
        sizes = {
            tuple(len(rows) for rows in live_numbers(reduce(state, Event("drag", o)))[0].values()) for o in (4, 5, 6)
        }
        assert len(sizes) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FIRST, "c = 4.5: MSE 4.25, MAE 1.7, Huber 1.25. All three are lowest at c = 3."),
        (State(data=HUNDRED, c=3.0), "c = 3: MSE 1883, MAE 20.2, Huber 19.8. MSE is lowest at c = 22, MAE at 3"),
        (State(data=HUNDRED, c=22.0, derivative=True), "c = 22: slope of MSE 0, MAE +0.6, Huber +0.6. MSE's slope"),
        (State(c=4.0, derivative=True), "The slope of all three passes 0 at c = 3. c lies on the 4: it adds 0"),
        (State(data=(1.0, 2.0, 3.0, 4.0), c=2.5), "MSE is lowest at c = 2.5, MAE at 2 to 3, Huber at 2.5."),
    ],
)
def test_the_sentence_says_what_the_picture_shows(state: State, words: str) -> None:
    (told,) = number_sentences(state, (state.c,))
    assert words in told


def test_the_strip_tells_how_far_each_minimum_has_come() -> None:
    marks = _named(number_scene(replace(FIRST, data=HUNDRED)))
    assert [text_at(marks[f"{loss} lowest words"][1], 0) for loss in LOSSES] == ["22 (was 3)", "3", "3"]
    np.testing.assert_allclose(at_position(marks["MSE way"][1], 0)[:, 0], [3, 22])
    flat = _named(number_scene(replace(FIRST, data=(1.0, 2.0, 3.0, 4.0))))
    np.testing.assert_allclose(at_position(flat["MAE bottom"][1], 0), [[2, 1], [3, 1]])
    for name, x in (("MAE lowest", 2.5), ("MAE lowest words", 3.0), ("Huber lowest words", 2.5)):
        assert at_position(flat[name][1], 0)[0, 0] == x, "the words stand beyond the flat bottom"


# ---------------------------------------------------------------- the classes


@pytest.mark.parametrize("examples", [1, 4])
@pytest.mark.parametrize("target", [0, 1, 2])
@pytest.mark.parametrize("logits", [(1.0, 2.0, -1.0), (0.0, 0.0, 0.0), (-4.0, 5.0, 0.0), (6.0, -6.0, 2.5)])
def test_the_gradient_by_backward_is_p_minus_y_over_n(logits: tuple, target: int, examples: int) -> None:
    told, p, y = outcome(logits, target, examples), _softmax(logits), np.eye(3)[target]
    np.testing.assert_allclose(told.probabilities, p, rtol=1e-12)
    np.testing.assert_allclose(told.gradient, (p - y) / examples, rtol=1e-9, atol=1e-15)
    pull = 2 * (p - y)
    np.testing.assert_allclose(told.squared_gradient, p * (pull - p @ pull) / examples, rtol=1e-9, atol=1e-15)
    assert told.cross_entropy == pytest.approx(-math.log(p[target]))
    assert told.squared == pytest.approx(((p - y) ** 2).sum())


def test_a_wrong_answer_is_still_corrected_by_the_cross_entropy_and_no_more_by_the_squared_error() -> None:
    for by in (4.0, 20.0, 1000.0):
        told = outcome((-by, by, 0.0), 0)
        assert told.gradient[0] < -0.98
        assert abs(told.squared_gradient[0]) < 0.01
    assert outcome((0.0, 0.0, 0.0), 0).cross_entropy == pytest.approx(math.log(3))


def test_logits_of_a_thousand_are_no_problem_but_for_the_naive_formula() -> None:
    right, wrong = (CLASS_PRESETS[f"{name} by ±1000"] for name in ("right", "wrong"))
    assert outcome(*right).cross_entropy == 0
    assert outcome(*wrong).cross_entropy == 2000
    assert outcome(*wrong).gradient.tolist() == [-1, 1, 0]
    assert math.isnan(naive(*right))
    assert naive(*wrong) == math.inf
    assert naive_words(State(logits=right[0])) == "−ln p as it stands: nan, for exp(1000) is too large"
    assert naive_words(State(logits=(-1000.0, 0.0, 0.0))) == "−ln p as it stands: inf, for exp(−1000) counts as 0"
    assert class_sentence(State(logits=wrong[0])).endswith("−ln p as it stands gives infinity.")
    assert class_sentence(State(logits=right[0])).endswith("−ln p as it stands gives no number.")
    assert "naive" not in class_sentence(FIRST)


@pytest.mark.parametrize("logits", [FIRST.logits, (-20.0, 20.0, 0.0), (1000.0, -1000.0, -5.0)])
@pytest.mark.parametrize("target", [0, 2])
def test_the_curves_over_the_true_logit_pass_through_the_present_point(logits: tuple, target: int) -> None:
    state = replace(FIRST, logits=logits, target=target, examples=2)
    moved = sweep(state.logits, target, 2, state.reach)
    assert moved.at[0] <= -state.reach
    assert moved.at[-1] >= state.reach
    for at, loss, squared, slope, squared_slope in zip(
        moved.at, moved.cross_entropy, moved.squared, moved.slope, moved.squared_slope, strict=True
    ):
        logits = tuple(at if k == target else z for k, z in enumerate(state.logits))
        told = outcome(logits, target, 2)
        assert (loss, squared) == pytest.approx((told.cross_entropy, told.squared))
        assert (slope, squared_slope) == pytest.approx(
            (told.gradient[target], told.squared_gradient[target]), abs=1e-12
        )
    here = outcome(state.logits, target, 2)
    z = state.logits[target]
    assert np.interp(z, moved.at, moved.cross_entropy) == pytest.approx(here.cross_entropy, abs=0.01)
    assert np.interp(z, moved.at, moved.squared_slope) == pytest.approx(here.squared_gradient[target], abs=0.02)


@pytest.mark.parametrize("preset", CLASS_PRESETS)
def test_every_preset_of_the_classes_is_drawn_inside_its_axes(preset: str) -> None:
    state = replace(reduce(FIRST, Event("class preset", preset)), show="classes", examples=3)
    marks, words, sentence = live_classes(state)
    scene = class_scene(state)
    named = _named(scene)
    assert set(named) == set(marks) | set(words)
    for name, rows in marks.items():
        panel, mark = named[name]
        np.testing.assert_allclose(at_position(mark, 0), rows, rtol=1e-6, atol=1e-6)
        assert np.isfinite(rows).all()
        if "here" in name or name in ("p", "entropy bars", "square bars"):
            assert panel.x.low <= rows[:, 0].min() <= rows[:, 0].max() <= panel.x.high
            assert panel.y.low <= rows[:, 1].min() <= rows[:, 1].max() <= panel.y.high
    assert {name: text_at(named[name][1], 0) for name in words} == words
    assert scene.sentence(7) == sentence == class_sentence(state)


def test_the_bars_are_p_and_both_gradients() -> None:
    p = _softmax(FIRST.logits)
    marks = _named(class_scene(replace(FIRST, show="classes", target=1)))
    for name, heights in (("p", p), ("entropy bars", p - [0, 1, 0])):
        np.testing.assert_allclose(at_position(marks[name][1], 0)[:, 1], heights, rtol=1e-6)
    assert [text_at(marks[f"g{k}"][1], 0) for k in range(3)] == ["+0.259", "−0.295", "+0.035"]
    assert [text_at(marks[f"p{k}"][1], 0) for k in range(3)] == ["0.259", "0.705", "0.035"]
    np.testing.assert_allclose(at_position(marks["square here"][1], 0), [[2, ((p - [0, 1, 0]) ** 2).sum()]], rtol=1e-6)
    np.testing.assert_allclose(at_position(marks["entropy here"][1], 0), [[2, -math.log(p[1])]], rtol=1e-6)
    squared = outcome(FIRST.logits, 1).squared_gradient
    np.testing.assert_allclose(at_position(marks["square bars"][1], 0)[:, 1], squared, rtol=1e-6)


def test_the_mean_is_said_where_the_gradient_is_divided_by_n() -> None:
    one, four = (class_scene(replace(FIRST, show="classes", examples=n)) for n in (1, 4))
    assert [p.y.label for p in (one.panels[1], four.panels[1])] == ["∂L/∂z", "∂L/∂z, mean of N = 4"]
    assert "(p − y)/4" in [text_at(mark, 0) for mark in four.panels[1].marks if not isinstance(mark, Rule)]
    assert "Slope of the mean of 4 on z₀: −0.1851" in four.sentence(0)


# ---------------------------------------------------------------- both


@pytest.mark.parametrize(
    "state",
    [
        State(data=HUNDRED, delta=NUMBER_PRESETS["outlier 100, δ = 10"][1], derivative=True),
        State(show="classes", logits=CLASS_PRESETS["confident and wrong"][0]),
    ],
    ids=["slopes", "classes"],
)
def test_the_twin_is_small(state: State) -> None:
    scene = number_scene(state) if state.show == "numbers" else class_scene(state)
    assert scene.height <= 440
    assert len(render(scene, state.position).png()) <= 25_000


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (-0.0, "0"), (12345.6, "12346"), (1e-9, "1·10⁻⁹"), (-2.5e-4, "−2.5·10⁻⁴"), (0.00999, "0.00999")],
)
def test_a_number_is_written_with_few_digits(value: float, words: str) -> None:
    assert short(value) == words
    assert signed(value) == ("+" if value > 0 else "") + words


def test_values_and_slopes_agree_with_the_formulas() -> None:
    c = np.linspace(-5, 105, 23)
    for loss in LOSSES:
        for delta in (0.5, 7.0):
            np.testing.assert_allclose(values(loss, HUNDRED, delta, c), _formula(loss, HUNDRED, delta, c))
            np.testing.assert_allclose(slopes(loss, HUNDRED, delta, c), _slope_formula(loss, HUNDRED, delta, c))
