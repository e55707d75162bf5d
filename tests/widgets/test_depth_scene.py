"""What the depth bench draws: numbers measured elsewhere and by other formulas, words, and nothing given away."""

import re
from dataclasses import replace

import numpy as np
import pytest

from bplib.viz.marks import Path, Text
from bplib.viz.render import render
from bplib.viz.scene import Panel, Scene
from bplib.widgets.depth.rows import row_places
from bplib.widgets.depth.saddle import live_marks, saddle_scene
from bplib.widgets.depth.scene import layers_scene
from bplib.widgets.depth.signals import EXPONENTS, backward, forward, signals
from bplib.widgets.depth.state import PRESETS, Event, State, reduce
from bplib.widgets.depth.walk import MOST_STEPS, walk
from bplib.widgets.depth.words import figures, kind_words, layer_factor, layers_sentence, walk_sentence

OPEN = State(revealed=True)


def _factor(activation: str, init: str, seed: int, depth: int = 10) -> tuple[float, float]:
    """Factor of a layer and what reaches the first one, as a share of the top."""
    sums, activations, upstream = forward(activation, init, 100, 100, depth, seed)
    spreads = [gradient.std() for gradient in backward(sums, activations[-1], upstream)]
    ratio = spreads[0] / spreads[-1]
    return ratio ** (1 / (depth - 1)), ratio


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(
    ("activation", "init", "factor", "of_one", "of_mean"),
    [("sigmoid", "xavier", 0.233, 0.004, 0.0015), ("tanh", "xavier", 0.87, 0.008, 0.004),
     ("relu", "he", 0.998, 0.02, 0.012)],
)  # fmt: skip
def test_the_factor_of_a_layer_is_the_published_one(
    activation: str, init: str, factor: float, of_one: float, of_mean: float
) -> None:
    """At a width of 100 one network scatters by 0.0015, 0.004 and 0.008 (standard deviation over 12 seeds)."""
    found = [_factor(activation, init, seed)[0] for seed in range(2, 7)]
    assert np.abs(np.array(found) - factor).max() < of_one
    assert abs(np.mean(found) - factor) < of_mean


def test_nine_sigmoid_layers_leave_two_millionths_and_stay_below_their_bound() -> None:
    ten = signals("sigmoid", "xavier").gradient_spreads[9]
    assert ten[0] / ten[9] == pytest.approx(2.0e-6, rel=0.05)
    assert ten[0] / ten[9] < 0.25**9 == pytest.approx(3.8e-6, rel=0.01)
    assert all(_factor("sigmoid", "xavier", seed)[1] == pytest.approx(2.0e-6, rel=0.2) for seed in range(4))


@pytest.mark.parametrize(
    ("init", "published", "first", "within"),
    [("uniform", [0.461, 0.251, 0.142, 0.082, 0.047], 0.082, 0.004),
     ("xavier", [0.629, 0.488, 0.410, 0.359, 0.322], 0.401, 0.012)],
)  # fmt: skip
def test_glorot_and_bengios_five_tanh_layers_of_500(
    init: str, published: list[float], first: float, within: float
) -> None:
    sums, activations, upstream = forward("tanh", init, 500, 300, 5, 0)
    np.testing.assert_allclose([a.data.std() for a in activations], published, atol=0.004)
    spreads = [gradient.std() for gradient in backward(sums, activations[-1], upstream)]
    assert spreads[0] / spreads[-1] == pytest.approx(first, abs=within)


@pytest.mark.parametrize("width", [8, 30])
def test_what_is_measured_is_the_backward_pass_written_out_by_hand(width: int) -> None:
    rng = np.random.default_rng(5)
    a, g = rng.standard_normal((100, width)), rng.standard_normal((100, width))
    weights, outputs = [], []
    for _ in range(4):
        rng.uniform(-1, 1, (width, width))  # the layer's own first weights, which are drawn over
        weights.append(rng.normal(0.0, np.sqrt(2 / width), (width, width)))
        a = np.maximum(0, a @ weights[-1])
        outputs.append(a)
    spreads = []
    for W, a in zip(weights[::-1], outputs[::-1], strict=True):
        g = g * (a > 0)
        spreads.insert(0, g.std())
        g = g @ W.T
    measured = signals("relu", "he", width, 5)
    np.testing.assert_allclose(measured.gradient_spreads[3, :4], spreads, rtol=1e-9)
    np.testing.assert_allclose(measured.spreads[:4], [a.std() for a in outputs], rtol=1e-9)
    np.testing.assert_allclose(measured.silent[:4], [(a == 0).mean() for a in outputs])


def test_the_histograms_count_what_they_say() -> None:
    sums, activations, upstream = forward("tanh", "large", 100, 100, 20, 2)
    measured = signals("tanh", "large")
    values = activations[4].data
    assert measured.counts[4].sum() == values.size
    assert measured.saturated[4] == pytest.approx((1 - values**2 < 0.1).mean())
    sizes = np.abs(backward(sums[:7], activations[6], upstream)[2][::4])
    counted, _ = np.histogram(np.log10(sizes[sizes > 0]), EXPONENTS)
    np.testing.assert_array_equal(measured.gradient_counts[6, 2], counted)
    assert np.isnan(measured.gradient_spreads[6, 7:]).all()


def test_saturation_of_a_sigmoid_is_a_slope_below_a_fortieth() -> None:
    values = forward("sigmoid", "large", 100, 100, 20, 2)[1][9].data
    assert signals("sigmoid", "large").saturated[9] == pytest.approx((values * (1 - values) < 0.025).mean())


# ---------------------------------------------------------------- the layers, drawn


def _line(panel: Panel, role: str) -> Path:
    (found,) = [mark for mark in panel.marks if isinstance(mark, Path) and mark.role == role]
    return found


def _written(panel: Panel, depth: int) -> list[str]:
    texts = [mark.text for mark in panel.marks if isinstance(mark, Text)]
    return [text for text in (t if isinstance(t, str) else t[depth - 1] for t in texts) if text]


@pytest.mark.parametrize("depth", [1, 2, 7, 20])
def test_every_layer_has_its_spread_drawn_and_written(depth: int) -> None:
    backwards = layers_scene(OPEN).panels[1]
    spreads = signals("sigmoid", "xavier").gradient_spreads[depth - 1, :depth]
    drawn = np.asarray(_line(backwards, "gradient").points)[depth - 1]
    np.testing.assert_allclose(drawn[:depth, 0], spreads[::-1], rtol=1e-6)
    np.testing.assert_allclose(drawn[:depth, 1], row_places(depth)[0][::-1], rtol=1e-6)
    assert np.isnan(drawn[depth:]).all()
    assert _written(backwards, depth)[:-1] == [figures(s, 2, least=1e-2, zeros=True) for s in spreads]
    assert ((drawn[:depth, 0] > backwards.x.low) & (drawn[:depth, 0] < backwards.x.high)).all()


def test_a_row_that_looks_empty_says_why() -> None:
    wide = layers_scene(State(activation="none", init="large")).panels[0]
    assert _written(wide, 10).count("wider than the axis") == 9, "all but the first, whose outline can be seen"
    usual = layers_scene(State(activation="none", init="xavier")).panels[0]
    assert "wider than the axis" not in _written(usual, 20)


def test_an_outline_peaks_where_its_numbers_lie_and_no_row_enters_the_next() -> None:
    backwards = layers_scene(OPEN).panels[1]
    feet, pitch = row_places(10)
    line = np.asarray(_line(backwards, "quiet").points)[9]
    line = line[~np.isnan(line[:, 0])]
    for k, spread in enumerate(signals("sigmoid", "xavier").gradient_spreads[9, :10]):
        row = line[(line[:, 1] >= feet[k] - 1e-6) & (line[:, 1] < feet[k] + pitch - 1e-6)]
        peak = row[row[:, 1].argmax()]
        assert 0.3 < peak[0] / spread < 3
        assert peak[1] == pytest.approx(feet[k] + 0.68 * pitch, rel=1e-5)
        assert {row[0, 0] < backwards.x.low, row[-1, 0] < backwards.x.low} == {True, False}
    sides = np.sign(np.log10(line[:, 0]) + 7) * ((line[:, 0] < backwards.x.low) | (line[:, 0] > backwards.x.high))
    assert not (sides[1:] * sides[:-1] < 0).any(), "it changes over to the next row outside of the panel"


def test_silent_units_are_a_peak_of_their_own() -> None:
    forwards = layers_scene(replace(OPEN, activation="relu", init="he")).panels[0]
    line = np.asarray(_line(forwards, "data").points)[0]
    line = line[~np.isnan(line[:, 0])]
    assert abs(line[line[:, 1].argmax(), 0]) < 1e-6, "half of the activations are 0"
    assert np.sort(line[:, 1])[-2] < 0.85 * line[:, 1].max()


@pytest.mark.parametrize(
    ("activation", "init"),
    [("sigmoid", "small"), ("sigmoid", "large"), ("tanh", "large"), ("relu", "small"), ("none", "large")],
)
def test_no_network_leaves_its_axis_or_writes_what_is_no_number(activation: str, init: str) -> None:
    scene = layers_scene(replace(OPEN, activation=activation, init=init))
    backwards = scene.panels[1]
    spreads = signals(activation, init).gradient_spreads
    inside = (spreads > backwards.x.low) & (spreads < backwards.x.high)
    assert inside[~np.isnan(spreads)].all()
    assert 3 <= len(backwards.x.ticks or ()) <= 12
    words = " ".join([*scene.sentences, *(word for d in (1, 20) for p in scene.panels for word in _written(p, d))])
    assert not re.search(r"nan|inf|e-\d|e\+\d|-", words.replace("in front", ""))


def test_before_the_prediction_only_the_top_gradient_is_shown() -> None:
    hidden = {name: layers_scene(State(activation=name)) for name in ("sigmoid", "tanh")}
    hidden["explodes"] = layers_scene(State(activation="none", init="large"))
    axes = {(scene.panels[1].x.low, scene.panels[1].x.high) for scene in hidden.values()}
    assert axes == {(1e-16, 1e2)}, "the axis alone would tell"
    backwards = hidden["sigmoid"].panels[1]
    assert "hidden" in backwards.title
    assert _written(backwards, 10) == [*"?" * 9, "0.24", "s.d."]
    drawn = np.asarray(_line(backwards, "gradient").points)[9]
    assert (~np.isnan(drawn[:, 0])).sum() == 1
    feet, _ = row_places(10)
    line = np.asarray(_line(backwards, "quiet").points)[9]
    below = line[(line[:, 1] < feet[9] - 1e-6) & ~np.isnan(line[:, 1])]
    assert set(below[:, 1].round(5)) == set(feet[:9].astype(np.float32).round(5)), "flat lines"
    assert set(_line(backwards, "gradient").text) == {""}, "the factor is the answer"
    assert not any("multiplies" in text or "10⁻" in text for text in hidden["sigmoid"].sentences)


# ---------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("activation", "init", "depth", "words"),
    [
        ("sigmoid", "xavier", 10, "2.01·10⁻⁶ times the one at the top; a layer multiplies it by 0.233 on average."),
        ("relu", "he", 10, "layer 1 is 0.95 times the one at the top; a layer multiplies it by 0.994 on average."),
        ("none", "large", 20, "·10¹⁸ times the one at the top"),
        ("tanh", "large", 10, "Saturated units: 85 %."),
        ("sigmoid", "xavier", 1, "With one layer the top is also the first"),
    ],
)
def test_the_sentence_says_what_reaches_the_first_layer(activation: str, init: str, depth: int, words: str) -> None:
    assert words in layers_sentence(replace(OPEN, activation=activation, init=init), depth)


def test_the_sentence_asks_before_the_reveal() -> None:
    assert layers_sentence(State(activation="relu"), 7) == (
        "7 ReLU layers: how large is the gradient at layer 1, as a share of the one at the top? Predict first."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (9.996, "10"), (9996.0, "1.00·10⁴"), (0.0009996, "1.00·10⁻³"), (1000.4, "1000"),
     (-2.0, "−2"), (123.4, "123")],
)  # fmt: skip
def test_numbers_have_few_figures(value: float, text: str) -> None:
    assert figures(value) == text


def test_the_factor_of_a_layer_survives_sizes_whose_ratio_is_no_float() -> None:
    assert layer_factor([1e-200, 1e-45, 1e150]) == pytest.approx(1e-175)
    assert layer_factor([0.5]) is None


# ---------------------------------------------------------------- the saddle


def _preset(name: str) -> State:
    return reduce(State(), Event("preset", name))


def test_on_the_ridge_the_descent_converges_to_the_saddle_and_stays() -> None:
    points = walk("saddle", (1.6, 0.0), 0.1, 0.0).points
    np.testing.assert_allclose(points[:, 0], 1.6 * 0.8 ** np.arange(101), rtol=1e-12)
    assert not points[:, 1].any()
    assert "it stays at the saddle" in walk_sentence(_preset("on the ridge"), 100)


def test_beside_the_ridge_each_step_multiplies_the_distance() -> None:
    found = walk("saddle", (1.6, 1e-6), 0.1, 0.0)
    steps = np.arange(found.left or 0)
    assert found.left == np.ceil(np.log(2e6) / np.log(1.2))
    np.testing.assert_allclose(found.points[steps, 1], 1e-6 * 1.2**steps, rtol=1e-9)


def test_the_tiniest_noise_leads_off_the_ridge() -> None:
    found = walk("saddle", (1.6, 0.0), 0.1, 1e-5, 2)
    drawn = np.random.default_rng(2).standard_normal((MOST_STEPS, 2))[:, 1]
    k = 50
    expected = -0.1 * 1e-5 * (1.2 ** np.arange(k - 1, -1, -1) * drawn[:k]).sum()
    assert found.points[k, 1] == pytest.approx(expected, rel=1e-9)
    assert found.left is not None
    assert f"Step {found.left} leaves the picture. The loss is" in walk_sentence(_preset("with noise"), 100)


def test_the_bowl_holds_what_the_saddle_lets_go() -> None:
    found = walk("bowl", (1.6, 0.0), 0.1, 1e-5)
    assert np.abs(found.points[-1]).max() < 1e-4
    assert kind_words(found, 100) == "both up: a minimum"
    assert "both eigenvalues are positive" in walk_sentence(_preset("a bowl"), 100)


def test_the_network_leaves_its_saddle_at_0_for_a_minimum() -> None:
    state = _preset("two-weight network")
    found = walk("linear_network", state.start, state.lr, state.noise, state.seed)
    x, y = found.points[40]
    by_hand = np.linalg.eigvalsh([[y * y, 2 * x * y - 1], [2 * x * y - 1, x * x]])
    np.testing.assert_allclose(np.sort(found.eigenvalues[40]), by_hand, rtol=1e-9)
    np.testing.assert_allclose(found.eigenvalues[40], [1, -1], atol=1e-3)
    assert kind_words(found, 40) == "one up, one down: a saddle"
    np.testing.assert_allclose(found.eigenvalues[100], [0, 2], atol=1e-3)  # in the order of the directions
    assert kind_words(found, 100) == "one up, one flat: a valley floor"
    assert walk_sentence(state, 100).endswith("no eigenvalue is negative: a minimum.")
    assert not walk("linear_network", (1.2, -1.2), 0.2, 0.0).distances[:, 1].any(), "on its ridge it stays, too"


def test_too_large_a_rate_is_said_to_be_one() -> None:
    state = replace(_preset("a bowl"), lr=1.0, start=(1.9, 1.9), noise=0.0)
    assert walk("bowl", state.start, 1.0, 0.0).left is None
    diverges = replace(_preset("two-weight network"), lr=1.0, start=(1.9, -1.9))
    assert "the learning rate is too large here" in walk_sentence(diverges, 100)


def _named(scene: Scene, name: str) -> tuple[np.ndarray, str | tuple[str, ...]]:
    (mark,) = [mark for panel in scene.panels for mark in panel.marks if getattr(mark, "name", "") == name]
    return np.asarray(mark.points), getattr(mark, "text", "")  # type: ignore[union-attr]


@pytest.mark.parametrize("name", [name for name, values in PRESETS.items() if values["show"] == "saddle"])
@pytest.mark.parametrize("k", [0, 42, 100])
def test_what_is_sent_during_a_drag_is_what_the_table_shows_afterwards(name: str, k: int) -> None:
    state = replace(_preset(name), steps=k)
    scene, (marks, words, sentence) = saddle_scene(state), live_marks(state)
    for mark, rows in marks.items():
        points = _named(scene, mark)[0]
        shown = points[k] if points.ndim == 3 else points
        np.testing.assert_allclose(rows, shown[:, 1] if rows.ndim == 1 else shown, rtol=1e-6)
    for mark, text in words.items():
        assert _named(scene, mark)[1][k] == text
    assert scene.sentence(k) == sentence
    sent = sum(4 * rows.size for rows in marks.values()) + len("".join([*words.values(), sentence]).encode())
    assert sent <= 1500, "with its envelope the message must stay under 4 KB"


def test_the_curves_of_the_distances_follow_the_walk_and_end_where_it_leaves() -> None:
    state = _preset("with noise")
    found = walk("saddle", state.start, state.lr, state.noise, state.seed)
    table = _named(saddle_scene(state), "down")[0]
    np.testing.assert_allclose(table[42, :, 0], np.minimum(np.arange(0, 101, 4), 42))
    np.testing.assert_allclose(table[42, -1, 1], abs(found.points[42, 1]), rtol=1e-6)
    assert found.left is not None
    assert np.isnan(table[found.left + 1, -1, 1])


def test_no_panel_takes_the_place_of_one_with_a_coloured_field() -> None:
    """The browser would draw the field of the panel before behind it."""
    coloured = [k for k, panel in enumerate(saddle_scene(State()).panels) if panel.field]
    assert coloured == [2]
    assert len(layers_scene(OPEN).panels) == 2


def test_the_factors_beside_the_curves_are_those_of_the_curvature() -> None:
    scene = saddle_scene(replace(_preset("on the ridge"), lr=0.2))
    assert (_named(scene, "up")[1], _named(scene, "down")[1]) == ("w₁ × 0.6", "w₂ × 1.4")
    assert (_named(scene, "up bend")[1][0], _named(scene, "down bend")[1][0]) == ("λ = 2", "λ = −2")


# ---------------------------------------------------------------- the static twin


def test_the_static_twin_is_small_where_most_is_drawn() -> None:
    layers, bowl = layers_scene(replace(OPEN, init="he")), saddle_scene(_preset("a bowl"))
    assert len(render(layers, 19, "How large is the gradient of the first layer?").png()) <= 25_000
    assert len(render(bowl, 60, "Does it stay where it is?").png()) <= 25_000
