"""What the training cockpit draws and says: the record, nothing before the first epoch, and 0 at its own place."""

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from bplib.viz.marks import Path, Points, Rule, Text, at_position, text_at
from bplib.viz.render import draw_scene, render
from bplib.viz.scene import Panel, Scene
from bplib.widgets.cockpit.faults import FAULTS, behind
from bplib.widgets.cockpit.scene import cockpit_scene, one_position
from bplib.widgets.cockpit.state import Event, State, first_state, reduce
from bplib.widgets.cockpit.words import code_of, sentences

FIRST = first_state("healthy", 0.1, length=40, seed=0, deal=0)
LETTERS = {fault: letter for letter, fault in behind(0).items()}
LOSS, RIGHT, RATIOS, NORMS = range(4)


@cache
def after(fault: str, epochs: int, guess: str = "none yet", lr: float = 0.1) -> State:
    state = FIRST
    for event in (("setting", LETTERS[fault]), ("lr", lr), ("epochs", epochs), ("guess", guess)):
        state = reduce(state, Event(*event))
    return state


def lines(panel: Panel, role: str) -> list[np.ndarray]:
    return [np.asarray(mark.points) for mark in panel.marks if isinstance(mark, Path) and mark.role == role]


def markers(panel: Panel, role: str) -> np.ndarray:
    """The markers of layer 1, which stand at every epoch."""
    found = [mark for mark in panel.marks if isinstance(mark, Points) and mark.role == role]
    return next(np.asarray(mark.points) for mark in found if np.ndim(mark.points) == 2)


def keys(panel: Panel, k: int) -> list[str]:
    marks = [mark for mark in panel.marks if isinstance(mark, Path | Points)]
    return [text_at(mark, k) for mark in marks if text_at(mark, k)]


def everything_said(scene: Scene) -> str:
    marks = [mark for panel in scene.panels for mark in panel.marks]
    texts = [mark.text for mark in marks if isinstance(mark, Path | Points | Text | Rule)]
    return str([scene.name, scene.sentences, texts])


# ---------------------------------------------------------------- the record, drawn


def test_the_curves_are_the_record() -> None:
    state = after("healthy", 6)
    scene, rows = cockpit_scene(state), state.training.rows
    for role, name in (("loss", "train_loss"), ("validation", "valid_loss")):
        (curve,) = lines(scene.panels[LOSS], role)
        np.testing.assert_allclose(curve, [[k, getattr(row, name)] for k, row in enumerate(rows)], rtol=1e-6)
    (curve,) = lines(scene.panels[RIGHT], "validation")
    np.testing.assert_allclose(curve[:, 1], [row.right for row in rows])
    for which, role, column in ((RATIOS, "update", "ratios"), (NORMS, "gradient", "gradients")):
        wanted = np.array([getattr(row, column) for row in rows[1:]])
        (second,) = lines(scene.panels[which], role)
        np.testing.assert_allclose(second, np.stack([np.arange(1, 7), wanted[:, 1]], axis=1), rtol=1e-6)
        first = markers(scene.panels[which], role)
        np.testing.assert_allclose(first, np.stack([np.arange(1, 7), wanted[:, 0]], axis=1), rtol=1e-6)


def test_every_epoch_is_marked_and_has_its_numbers_and_its_sentence() -> None:
    state = after("healthy", 6)
    scene = cockpit_scene(state)
    assert scene.count == 7
    for panel in scene.panels:
        (present,) = lines(panel, "contour")
        np.testing.assert_allclose(present[:, :, 0], np.arange(7)[:, None] * [1, 1])
        np.testing.assert_allclose(present[3, :, 1], [panel.y.low, panel.y.high], rtol=1e-6)
    row = state.training.rows[3]
    assert keys(scene.panels[LOSS], 3) == [f"training {row.train_loss:.3g}", f"validation {row.valid_loss:.3g}"]
    assert keys(scene.panels[NORMS], 3) == [f"layer {k + 1}: {row.gradients[k]:.3g}" for k in (0, 1)]
    assert keys(scene.panels[RATIOS], 0) == ["layer 1", "layer 2"], "no step has been taken"
    wanted = f"Epoch 3: loss {row.train_loss:.3g} on training, {row.valid_loss:.3g} on validation; {row.right} of 200"
    assert scene.sentence(3) == f"{wanted} validation digits right."
    assert scene.sentence(0).endswith("To treat all ten digits alike costs ln 10 = 2.303.")


def test_chance_and_the_rule_of_thumb_are_marked() -> None:
    rules = [[m for m in p.marks if isinstance(m, Rule)] for p in cockpit_scene(after("healthy", 1)).panels]
    assert [[(round(rule.value, 4), rule.text) for rule in found] for found in rules] == [
        [(2.3026, "chance: ln 10 = 2.303")], [(20.0, "chance: 20")], [(0.001, "rule of thumb: 10⁻³")], [],
    ]  # fmt: skip


@pytest.mark.parametrize("events", [(), (("guess", "dead"),), (("setting", "F"), ("reveal",)), (("run",),)])
def test_nothing_tells_the_first_loss_before_something_has_run(events: tuple[tuple[Any, ...], ...]) -> None:
    state = FIRST
    for event in events:
        state = reduce(state, Event(*event))
    scene = cockpit_scene(state)
    assert not any(panel.marks for panel in scene.panels)
    said = everything_said(scene) + code_of(state)
    assert not any(word in said for word in ("2.3", "ln 10", "7.2", "chance"))


def test_what_is_exactly_zero_has_a_place_of_its_own_below_the_powers_of_ten() -> None:
    dead, frozen = cockpit_scene(after("dead", 2)).panels, cockpit_scene(after("frozen", 2)).panels
    for panel, role in ((dead[NORMS], "gradient"), (dead[RATIOS], "update"), (frozen[RATIOS], "update")):
        zero = next(value for value, label in panel.y.ticks or () if label == "0")
        np.testing.assert_allclose(markers(panel, role)[:, 1], zero, rtol=1e-6)
        assert panel.y.low < zero < 0.2 * min(value for value, _ in (panel.y.ticks or ()) if value != zero)
    assert (markers(frozen[NORMS], "gradient")[:, 1] > 0.1).all()
    assert keys(frozen[RATIOS], 2)[0] == "layer 1: 0"


@pytest.mark.parametrize(
    ("fault", "lr"), [(fault, 0.1) for fault in FAULTS] + [("rate_high", 100.0), ("healthy", 1e-9)]
)
@pytest.mark.parametrize("guess", ["none yet", "rate_high"])
def test_nothing_leaves_its_panel_and_every_setting_has_the_same_axes_at_first(
    fault: str, lr: float, guess: str
) -> None:
    scene = cockpit_scene(after(fault, 3, guess, lr))
    for panel in scene.panels:
        for axis in (panel.x, panel.y):
            assert all(axis.low <= value <= axis.high for value, _ in axis.ticks or ())
        drawn = [mark for mark in panel.marks if isinstance(mark, Path | Points)]
        heights = np.concatenate([np.asarray(mark.points)[..., 1].ravel() for mark in drawn])
        heights = heights[~np.isnan(heights)]
        assert (heights >= np.float32(panel.y.low)).all()
        assert (heights <= np.float32(panel.y.high)).all()
    if lr == 0.1 and fault != "no_zeroing":
        assert [(p.y.low, p.y.high) for p in scene.panels] == [(p.y.low, p.y.high) for p in cockpit_scene(FIRST).panels]


def test_the_epochs_written_below_grow_with_the_run() -> None:
    assert [panel.x.high for panel in cockpit_scene(after("healthy", 6)).panels] == [40] * 4
    short = first_state("healthy", 0.1, length=3, seed=0, deal=0)
    four = reduce(reduce(short, Event("epochs", 4)), Event("stop"))
    upper, lower = cockpit_scene(four).panels[RATIOS], cockpit_scene(four).panels[NORMS]
    assert (upper.x.high, {label for _, label in upper.x.ticks or ()}) == (6, {""})
    assert (lower.x.high, lower.x.label) == (6, "epoch")


def test_a_long_run_has_fewer_markers_than_epochs_and_its_whole_line() -> None:
    state, short = after("dead", 1), after("dead", 1).training
    state = replace(state, training=replace(short, rows=short.rows[:1] + 60 * short.rows[1:]))
    panel = cockpit_scene(state).panels[NORMS]
    assert len(markers(panel, "gradient")) == 30
    assert len(lines(panel, "gradient")[0]) == 60


# ---------------------------------------------------------------- a guess


def test_a_run_with_the_guessed_fault_is_drawn_in_grey() -> None:
    state = after("healthy", 4, "shuffled")
    assert state.tried is not None
    scene, rows = cockpit_scene(state), state.tried.rows
    (grey,) = lines(scene.panels[LOSS], "quiet")
    np.testing.assert_allclose(grey[:, 1], [row.train_loss for row in rows], rtol=1e-6)
    np.testing.assert_allclose(markers(scene.panels[LOSS], "quiet")[:, 1], [row.valid_loss for row in rows], rtol=1e-6)
    (grey,) = lines(scene.panels[NORMS], "quiet")
    np.testing.assert_allclose(grey[:, 1], [row.gradients[1] for row in rows[1:]], rtol=1e-6)
    assert "grey: a run with your guess" in everything_said(scene)
    assert "grey" not in everything_said(cockpit_scene(after("healthy", 4)))
    assert "grey" not in everything_said(cockpit_scene(after("shuffled", 4, "shuffled")))


def test_only_the_last_epoch_answers_and_the_others_can_still_be_read() -> None:
    said = sentences(after("frozen", 4, "dead"))
    assert said[-1].startswith("No. With dead units no gradient would reach layer 1; here its norm is ")
    assert [text.split(":")[0] for text in said[:-1]] == ["Before the first step", "Epoch 1", "Epoch 2", "Epoch 3"]
    assert sentences(after("leaked", 2, "healthy"))[-1].startswith(
        "So far a run with your guess, in grey, looks the same"
    )
    assert sentences(after("frozen", 4))[-1].endswith("What is wrong, if anything?")
    assert "wrong" not in sentences(after("healthy", 4))[-1]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_right_guess_is_recognised_and_the_line_of_code_named(fault: str) -> None:
    state = after(fault, 4, fault)
    assert sentences(state)[-1].startswith(f"Yes, {LETTERS[fault]}: ")
    named = code_of(state).partition("  # ")[2]
    assert named == ("" if fault == "healthy" else FAULTS[fault].code)
    assert "#" not in code_of(after(fault, 4))
    told = reduce(after(fault, 4), Event("reveal"))
    assert sentences(told)[-1].startswith("Healthy: " if fault == "healthy" else f"{LETTERS[fault]}: ")


def test_progress_is_said_in_words() -> None:
    running = reduce(reduce(after("healthy", 1), Event("run")), Event("advance"))
    assert sentences(running)[-1].startswith("Running, epoch 2 of 40: loss ")
    assert sentences(reduce(running, Event("stop")))[-1].startswith("Epoch 2: loss ")


def test_a_loss_that_is_no_number_is_said_and_drawn_at_the_edge() -> None:
    state = after("rate_high", 1)
    row = state.training.rows[-1]._replace(
        train_loss=math.inf, valid_loss=math.inf, gradients=(math.inf, math.inf), ratios=(math.inf, math.inf)
    )
    training = type(state.training)("rate_high", 0.1, 0, (*state.training.rows, row), b"", b"")
    lost = State(state.setting, training, position=2)
    scene = cockpit_scene(lost)
    assert scene.sentence(2).startswith("After epoch 2 the loss is no number any more.")
    assert lines(scene.panels[LOSS], "loss")[0][2, 1] == np.float32(scene.panels[LOSS].y.high)
    assert keys(scene.panels[NORMS], 2) == ["layer 1: ∞", "layer 2: ∞"]
    draw_scene(scene, 2)


# ---------------------------------------------------------------- one position, and the twin


def test_one_position_is_the_same_picture_whatever_place_the_slider_has() -> None:
    scene = cockpit_scene(after("no_zeroing", 4, "dead"))
    still = one_position(scene, 2)
    assert (still.count, still.sentences, still.name) == (1, (scene.sentence(2),), scene.name)
    for panel, other in zip(scene.panels, still.panels, strict=True):
        assert (panel.x, panel.y, panel.title) == (other.x, other.y, other.title)
        for mark, single in zip(panel.marks, other.marks, strict=True):
            assert type(mark) is type(single)
            if not isinstance(mark, Rule):
                np.testing.assert_array_equal(at_position(mark, 2), np.asarray(single.points))
                assert text_at(mark, 2) == text_at(single, 0)


def test_the_static_twin_stays_small() -> None:
    state = after("unscaled", 20, "rate_high")
    picture = render(cockpit_scene(state), 20, "What is wrong here, and which of the four panels shows it?")
    assert len(picture.png()) <= 25_000
    assert picture.alt.endswith(sentences(state)[-1])


def test_every_sentence_fits_below_the_picture() -> None:
    for fault in FAULTS:
        for guess in ("none yet", "rate_low", fault):
            assert max(map(len, sentences(after(fault, 2, guess)))) <= 121, (fault, guess)


@pytest.mark.parametrize("fault", ["healthy", "no_zeroing", "rate_high"])
def test_the_words_on_a_rule_lie_where_the_fewest_points_are(fault: str) -> None:
    for panel in cockpit_scene(after(fault, 12)).panels:
        for rule in [mark for mark in panel.marks if isinstance(mark, Rule)]:
            counts = {
                (end, below): points_near(panel, replace(rule, end=end, below=below))
                for end in ("left", "right") for below in (False, True)
            }  # fmt: skip
            assert counts[rule.end, rule.below] == min(counts.values()), (rule.text, counts)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_curve_runs_through_the_words_of_a_rule(fault: str) -> None:
    for panel in cockpit_scene(after(fault, 30)).panels:
        rules = [mark for mark in panel.marks if isinstance(mark, Rule)]
        beside = [mark.text for mark in panel.marks if isinstance(mark, Text) and " (dotted): " in mark.text]
        for rule in rules:
            assert bool(rule.text) != bool(beside), "the words are either on the rule or in a corner"
            assert not rule.text or points_near(panel, rule) == 0, (panel.title, rule.text)


def points_near(panel: Any, rule: Rule) -> int:
    """How many points lie within the words of a rule, as both renderers place them."""
    box, height = panel.rectangle, float(panel.to_pixels([[panel.x.low, rule.value]])[0, 1])
    wide = 6.6 * len(rule.text)
    left = box.x + (box.width - wide if rule.end == "right" else 0)
    top = height + (-3 if rule.below else -18)
    rows = [mark.points for mark in panel.marks if isinstance(mark, Path | Points) and mark.role != "contour"]
    x, y = panel.to_pixels(np.concatenate([np.reshape(one, (-1, 2)) for one in rows])).T
    return int(((x > left) & (x < left + wide) & (y > top) & (y < top + 21)).sum())
