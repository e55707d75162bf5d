"""What the layer bench draws: the numbers of the run and of the check, words, and nothing given away."""

import re
from dataclasses import replace

import numpy as np
import pytest

from bplib.viz.marks import Bars, Mark, Path, Points, Rule, Text, at_position, text_at
from bplib.viz.render import render
from bplib.viz.scene import Panel, Scene
from bplib.widgets.layer.check import gradient_check
from bplib.widgets.layer.check_scene import check_scene
from bplib.widgets.layer.network import NAMES, STARTS, recorded, symmetry_run
from bplib.widgets.layer.passes import FAULTS, VERSIONS
from bplib.widgets.layer.scene import EXAMPLES, updates_scene
from bplib.widgets.layer.state import PRESETS, Event, State, reduce
from bplib.widgets.layer.words import check_sentence, places, proportion, relative, update_sentence

SEED, UPDATES = 37, 1200
LAST = len(recorded(UPDATES)) - 1


def _updates(start: str = "random") -> Scene:
    return updates_scene(start, SEED, UPDATES)


def _only(panel: Panel, kind: type, role: str = "") -> list[Mark]:
    return [mark for mark in panel.marks if isinstance(mark, kind) and role in ("", getattr(mark, "role", ""))]


def _written(panel: Panel, k: int) -> list[str]:
    return [text_at(mark, k) for mark in panel.marks if text_at(mark, k)]


def _at(update: int) -> int:
    return recorded(UPDATES).index(update)


# ---------------------------------------------------------------- the updates


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("k", [0, 5, 94, LAST])
def test_every_hidden_weight_is_a_bar_with_its_sign_and_its_number(start: str, k: int) -> None:
    weights = symmetry_run(start, SEED, UPDATES).weights[k]
    for unit, panel in enumerate(_updates(start).panels[:2]):
        up, down = (at_position(_only(panel, Bars, role)[0], k)[:, 1] for role in ("first", "second"))
        np.testing.assert_allclose(np.nan_to_num(up) + np.nan_to_num(down), weights[:, unit], rtol=1e-6)
        assert not (up <= 0).any()
        assert not (down >= 0).any()
        assert np.abs(weights).max() < panel.y.high
        written = _written(panel, k)[:6]
        shown = [float(text.replace("−", "-")) for text in written]
        np.testing.assert_allclose(shown, weights[:, unit], atol=0.0501)
        assert all(text != "−0.00" for text in written)
        beyond = np.array([at_position(mark, k)[0, 1] for mark in _only(panel, Text)[:6]]) - weights[:, unit]
        assert (np.sign(beyond) == np.where(weights[:, unit] < 0, -1, 1)).all(), "beyond the end, not inside the bar"


def test_biases_ways_out_and_proportions_are_written() -> None:
    theta = symmetry_run("random", SEED, UPDATES).thetas[-1]
    first, second = (_written(panel, LAST) for panel in _updates().panels[:2])
    assert f"b₁ = {theta[12]:.2f}, v₁ = {theta[14]:.1f}".replace("-", "−") in first
    assert f"b₂ = {theta[13]:.2f}, v₂ = {theta[15]:.1f}".replace("-", "−") in second
    assert "mirrored pairs, mean size 1 : 1.99 : 3.97" in first
    assert "mirrored pairs, mean size –" in _written(_updates("zeros").panels[0], 0)


@pytest.mark.parametrize("k", [0, 7, 60, 100, LAST])
def test_the_curves_end_at_the_present_update_and_run_along_the_numbers(k: int) -> None:
    run = symmetry_run("random", SEED, UPDATES)
    losses, counts = _updates().panels[2:4]
    (curve,) = _only(losses, Path)
    drawn = at_position(curve, k)
    assert drawn[:, 0].max() == run.updates[k]
    np.testing.assert_allclose(drawn[-1], [run.updates[k], run.losses[k]], rtol=1e-6)
    np.testing.assert_allclose(at_position(_only(losses, Points)[0], k), [[run.updates[k], run.losses[k]]], rtol=1e-6)
    known = dict(zip(run.updates, run.losses, strict=True))
    np.testing.assert_allclose(drawn[:, 1], [known[int(update)] for update in drawn[:, 0]], rtol=1e-6)
    wide, close = (int(at_position(mark, k)[0, 1]) for mark in _only(counts, Points))
    miss = np.abs(run.predictions[k] - [float(f"{n:06b}" == f"{n:06b}"[::-1]) for n in range(64)])
    assert (wide, close) == ((miss < 0.5).sum(), (miss < 0.1).sum())
    assert {f"within ½: {wide}", f"within 0.1: {close}"} <= set(_written(counts, k))


def test_few_points_are_enough_for_the_curve_of_the_loss() -> None:
    run = symmetry_run("random", SEED, UPDATES)
    drawn = at_position(_only(_updates().panels[2], Path)[0], LAST)
    assert len(drawn) <= 45
    between = np.interp(run.updates, drawn[:, 0], drawn[:, 1])
    assert np.abs(between - run.losses).max() < 0.25, "a tenth of an inch"


@pytest.mark.parametrize("k", [0, 94, LAST])
def test_the_examples_have_their_target_prediction_and_error(k: int) -> None:
    run, panel = symmetry_run("random", SEED, UPDATES), _updates().panels[4]
    predictions = [run.predictions[k, int(example, 2)] for example in EXAMPLES]
    targets = [float(example == example[::-1]) for example in EXAMPLES]
    drawn = {role: at_position(_only(panel, Points, role)[0], k) for role in ("data", "prediction")}
    np.testing.assert_allclose(drawn["data"][:, 0], targets)
    np.testing.assert_allclose(drawn["prediction"][:, 0], predictions, rtol=1e-6)
    assert [text_at(mark, k) for mark in _only(panel, Text)] == [f"{prediction:.3f}" for prediction in predictions]
    assert [label for _, label in panel.y.ticks or ()] == list(EXAMPLES)
    for bar, target, prediction in zip(_only(panel, Path, "loss"), targets, predictions, strict=True):
        np.testing.assert_allclose(at_position(bar, k)[:, 0], [prediction, target], rtol=1e-6)
    assert sum(targets) == 4


@pytest.mark.parametrize(
    ("start", "update", "words"),
    [
        ("random", 0, "Small random weights: all 64 predictions lie between 0.457 and 0.468. Move the slider."),
        ("random", 300, "Update 300: loss 3.999. It answers 0 to everything: good enough for 56 of the 64"),
        ("random", 850, "Update 850: loss 3.497. It predicts nearly the same for all 64, about 0.12; 1 in 8"),
        ("second", 650, "Update 650: loss 3.427. The predictions spread, from 0.056 to 0.17: 11 of 64 are within 0.1."),
        ("random", 970, "has become the opposite of its mirror image. 38 of 64 predictions are within 0.1."),
        ("random", 1200, "Solved in 1,139 updates. Mirrored weights are opposite, from the outside in 1 : 1.99 : 3.97"),
        ("second", 1200, "from the outside in 1 : 1.53 : 2.03."),
        ("zeros", 0, "Every weight is 0. Which predictions will it reach, and will the two units ever differ? Predict"),
        ("zeros", 300, "Update 300: loss 4. Equal units get equal gradients and stay equal. All 64 predictions lie"),
        ("twins", 0, "Both units have the same random weights. Will they ever differ? Predict"),
        ("twins", 1200, "Update 1,200: loss 3.487. Equal units get equal gradients"),
    ],
)
def test_the_sentence_says_what_the_network_answers(start: str, update: int, words: str) -> None:
    assert words in update_sentence(symmetry_run(start, SEED, UPDATES), start, _at(update))


@pytest.mark.parametrize("start", ["zeros", "twins"])
def test_before_the_prediction_nothing_shows_what_will_come(start: str) -> None:
    scene = _updates(start)
    run = symmetry_run(start, SEED, UPDATES)
    for panel in scene.panels[2:4]:
        assert not _only(panel, Rule)
        for mark in _only(panel, Path):
            assert (at_position(mark, 0)[:, 0] == 0).all()
    assert scene.panels[0].y.high >= 1
    assert f"{run.predictions[-1].max():.3f}" not in scene.sentence(0)
    assert "4: the loss of always answering 0" in _written(_updates().panels[2], 0)


@pytest.mark.parametrize("start", STARTS)
def test_no_sentence_or_word_is_too_long_or_no_number(start: str) -> None:
    scenes = [_updates(start), *(check_scene(State(start=start, version=v, guess="mean")) for v in "ABFH")]
    for scene in scenes:
        said = " ".join([*scene.sentences, *(w for p in scene.panels for k in (0, 3, 99) for w in _written(p, k))])
        assert not re.search(r"nan|inf|e[-+−]\d|(?<![a-zσ(])-|None", said.replace("-=", ""))
        assert max(map(len, scene.sentences)) <= 125


@pytest.mark.parametrize("version", VERSIONS)
def test_the_words_are_those_of_the_glossary(version: str) -> None:
    fault = VERSIONS[version]
    revealed = check_scene(State(show="check", version=version, guess=fault, revealed=(version,)))
    said = [FAULTS[fault].label, *PRESETS]
    for scene in (*map(_updates, STARTS), check_scene(State(version=version, guess="mean")), revealed):
        said += scene.sentences
        for panel in scene.panels:
            said += [panel.title, panel.x.label, panel.y.label, *_written(panel, 0), *_written(panel, LAST)]
    others = re.compile(r"sweep|pattern|\bE =|of E\b|\bo\b|output(?! weights| bias)")
    assert not list(filter(others.search, said))
    assert {"Loss", "update", "loss", "8 of the 64 examples", "prediction ŷ"} <= set(said)


@pytest.mark.parametrize("sizes", [[2.0, 1.0, 4.0], [1e-300, 1.0, 1.0], [1.0, 5000.0, 2.0]])
def test_a_proportion_is_relative_to_the_smallest(sizes: list[float]) -> None:
    words = proportion(np.array(sizes))
    assert words == {2.0: "2 : 1 : 4", 1e-300: "–", 1.0: "1 : > 1000 : 2"}[sizes[0]]


# ---------------------------------------------------------------- the gradient check


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("k", [0, LAST])
def test_both_gradients_and_every_relative_error_are_drawn(version: str, k: int) -> None:
    check = gradient_check("random", SEED, UPDATES, VERSIONS[version])
    gradients, errors = check_scene(State(version=version)).panels
    bars = at_position(_only(gradients, Bars)[0], k)
    circles = at_position(_only(gradients, Points, "data")[0], k)
    np.testing.assert_allclose(bars[:, 1] * check.differences[k], circles[:, 1] * check.backward[k], rtol=1e-5)
    for group in (slice(0, 6), slice(6, 12), slice(12, 14), slice(14, 16), slice(16, 17)):
        assert np.abs(circles[group, 1]).max() == pytest.approx(1, rel=1e-6)
    calm, loud = (at_position(_only(errors, Bars, role)[0], k)[:, 1] for role in ("quiet", "gradient"))
    assert (np.isnan(calm) == (check.verdicts[k] > 0)).all()
    heights = np.where(np.isnan(calm), loud, calm)
    np.testing.assert_allclose(heights, np.maximum(check.relative_errors[k], 2e-13), rtol=1e-5)
    assert (heights < errors.y.high).all()
    assert [label for _, label in errors.x.ticks or ()][:2] == ["w₁₁", "w₂₁"]
    assert len(errors.x.ticks or ()) == len(NAMES)
    exact, approximate, wrong = ((check.verdicts[k] == verdict).sum() for verdict in (0, 1, 2))
    counted = {f"exact: {exact}", f"approximate: {approximate}", f"wrong: {wrong}"}
    assert counted <= set(_written(errors, k))


def test_a_group_without_gradient_is_drawn_all_the_same() -> None:
    gradients, errors = check_scene(State(start="zeros", version="E")).panels
    assert np.isfinite(at_position(_only(gradients, Bars)[0], 0)).all()
    assert (at_position(_only(gradients, Points, "data")[0], 0)[:14, 1] == 0).all()
    np.testing.assert_allclose(at_position(_only(errors, Bars, "gradient")[0], 0)[:14, 1], 1)


def test_a_guess_is_drawn_as_what_it_would_give() -> None:
    state = State(version="A")
    assert not _only(check_scene(state).panels[1], Points, "prediction")
    for guess in ("slope", "updated"):
        errors = check_scene(replace(state, guess=guess)).panels[1]
        squares = at_position(_only(errors, Points, "prediction")[0], 0)[:, 1]
        bars = at_position(_only(errors, Bars, "gradient")[0], 0)[:14, 1]
        assert np.allclose(squares[:14], bars, rtol=1e-6) == (guess == "slope")


@pytest.mark.parametrize(("version", "fault"), VERSIONS.items())
def test_the_mistake_is_named_only_when_it_is_revealed(version: str, fault: str) -> None:
    def said(scene: Scene) -> str:
        return " ".join([scene.name, *scene.sentences, *(w for panel in scene.panels for w in _written(panel, 0))])

    hidden = State(show="check", version=version)
    revealed = reduce(hidden, Event("reveal"))
    for words in filter(None, (FAULTS[fault].sentence, FAULTS[fault].wrong)):
        assert words not in said(check_scene(hidden))
        assert words in said(check_scene(revealed))
    assert len(check_scene(hidden).panels[1].marks) <= len(check_scene(revealed).panels[1].marks)


@pytest.mark.parametrize(
    ("state", "update", "words"),
    [
        (State(version="A"), 0, "Version A, update 0: hidden weights and hidden biases wrong, the others exact."),
        (State(version="B"), 300, "Version B, update 300: all 17 agree at these weights. Look at others before you"),
        (State(version="C"), 0, "all 17 wrong. What is the mistake?"),
        (State(version="E"), 1200, "hidden weights and hidden biases approximate, the others exact."),
        (State(version="A", start="zeros"), 0, "all 17 agree at these weights"),
        (State(version="C", guess="mean"), 0, "output weights are wrong, and your guess would leave them exact."),
        (State(version="F", guess="slope"), 0, "No: here hidden biases"),
        (State(version="A", guess="updated"), 0, "No: your guess spoils the same parameters, but by other amounts."),
        (State(version="B", guess="mean", start="zeros"), 0, "No: here output bias is exact, and your guess"),
        (State(version="A", guess="right", start="zeros"), 0, "At these weights your guess does the same."),
        (State(version="G", guess="sign", revealed=("G",)), 0, "Yes: version G points uphill"),
        (State(version="G", revealed=("G",)), 0, "Version G points uphill"),
        (State(version="E", revealed=("E",)), 1200, "through the new v. At these weights the fault changes little."),
        (State(version="A", revealed=("A",), start="zeros"), 0, "At these weights the check cannot see it."),
    ],
)  # fmt: skip
def test_the_sentence_of_the_check(state: State, update: int, words: str) -> None:
    assert words in check_sentence(state, _at(update))


def test_places_are_named_by_group_one_by_one_or_counted() -> None:
    assert places(np.zeros(17, bool)) == "none"
    assert places(np.isin(NAMES, ["w11", "b1", "b2", "c"])) == "w₁₁, hidden biases and output bias"
    assert places(np.isin(NAMES, ["v1"])) == "v₁"
    assert places(np.arange(17) < 4) == "4 of the hidden weights"


@pytest.mark.parametrize(("value", "words"), [(2.0, "2"), (0.5, "0.5"), (1e-3, "0.001"), (9.96e-8, "1.0·10⁻⁷")])
def test_relative_errors_have_two_digits(value: float, words: str) -> None:
    assert relative(value) == words


# ---------------------------------------------------------------- the static twin


def test_the_static_twin_is_small_where_most_is_drawn() -> None:
    state = State(version="E", guess="slope", revealed=("E",))
    assert len(render(check_scene(state), 0, "Which step of this backward pass is wrong?").png()) <= 25_000
