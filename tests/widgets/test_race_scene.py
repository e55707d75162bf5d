"""What the optimizer race draws: every mark where its numbers are, words that keep the order, nothing given away."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bplib.viz.marks import Handle, Mark, Path, Points, Rule, Text, at_position
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.race.marks import EVERY, live_marks, live_words
from bplib.widgets.race.run import NAMES, PLACES, STEPS, Race, run
from bplib.widgets.race.scene import race_scene
from bplib.widgets.race.state import PRESETS, Event, State, reduce
from bplib.widgets.race.words import loss_words, race_sentence, rate_words

SHOWN = (0, 1, 9, 40, STEPS)


def _state(preset: str) -> State:
    return reduce(State(), Event("preset", preset))


@cache
def _race(preset: str) -> Race:
    state = _state(preset)
    return run(state.surface, state.start, state.budget, state.scale)


@cache
def _scene(preset: str) -> Scene:
    return race_scene(_state(preset).surface, _race(preset))


def _named(scene: Scene) -> dict[str, Mark]:
    marks = [mark for panel in scene.panels for mark in panel.marks if getattr(mark, "name", "")]
    assert len({mark.name for mark in marks}) == len(marks)  # type: ignore[union-attr]
    return {mark.name: mark for mark in marks}  # type: ignore[union-attr]


# ---------------------------------------------------------------- the numbers drawn


@pytest.mark.parametrize("preset", PRESETS)
def test_heads_losses_and_effective_steps_stand_at_the_step_shown(preset: str) -> None:
    race, marks = _race(preset), _named(_scene(preset))
    for which, name in enumerate(NAMES):
        for step in SHOWN:
            where = at_position(marks[f"loss head {name}"], step)
            with np.errstate(over="ignore"):
                np.testing.assert_array_equal(where, np.float32([[step, race.losses[which, step]]]))
            if step < race.left[which]:
                head = at_position(marks[f"head {name}"], step)
                np.testing.assert_allclose(head, [race.points[which, step]], rtol=1e-6, atol=1e-30)
            pair = at_position(marks[f"effective {name}"], step)
            np.testing.assert_allclose(pair[:, 0], [which - 0.25, which + 0.25])
            np.testing.assert_allclose(pair[:, 1], race.effective[which, step], rtol=1e-6)
        curve = at_position(marks[f"loss {name}"], 0)
        assert curve.shape == (STEPS + 1, 2)
        rate = at_position(marks[f"rate {name}"], 0)[0]
        np.testing.assert_allclose(rate, [race.rates[which], 4.5 - which], rtol=1e-6)
        np.testing.assert_array_equal(at_position(marks[f"stick {name}"], 0)[1], rate)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_path_goes_from_the_start_to_the_step_shown_and_leaves_nothing_out_that_could_be_seen(preset: str) -> None:
    race, scene = _race(preset), _scene(preset)
    pixel = (scene.panels[0].x.high - scene.panels[0].x.low) / scene.panels[0].rectangle.width
    marks = _named(scene)
    for which, name in enumerate(NAMES):
        for step in SHOWN:
            path = at_position(marks[f"path {name}"], step)
            assert np.isfinite(path).all()
            np.testing.assert_allclose(path[0], race.points[which, 0], rtol=1e-6)
            np.testing.assert_array_equal(path[-1:], at_position(marks[f"head {name}"], step))
            walked = race.points[which, : min(step + 1, race.left[which])]
            apart = np.linalg.norm(walked[:, None] - path[None], axis=-1).min(axis=1)
            assert apart.max() <= 1.001 * pixel
            tens = at_position(marks[f"tens {name}"], step)
            for j in range(min(step, race.left[which] - 1) // 10):
                np.testing.assert_allclose(tens[j], race.points[which, 10 * (j + 1)], rtol=1e-6, atol=1e-30)


def test_a_walk_that_diverges_is_cut_at_the_edge_and_its_head_lies_outside() -> None:
    race, marks = _race("ravine, 9 trials, loss × 32"), _named(_scene("ravine, 9 trials, loss × 32"))
    for which, name in ((0, "SGD"), (1, "momentum")):
        path = at_position(marks[f"path {name}"], STEPS)
        outside = np.abs(path).max(axis=1) > 2.5
        assert outside[-1]
        assert np.unique(path[outside], axis=0).shape[0] == 1, "it stands still there"
        assert np.abs(path).max() < 2.5 + 3 * 5
        ahead = race.points[which, race.left[which]] - race.points[which, race.left[which] - 1]
        drawn = path[-1] - race.points[which, race.left[which] - 1]
        assert abs(float(np.cross(np.append(ahead, 0), np.append(drawn, 0))[2])) < 1e-4 * np.linalg.norm(ahead) * 30


@pytest.mark.parametrize("preset", PRESETS)
def test_all_that_can_be_seen_lies_on_the_axes(preset: str) -> None:
    race, scene = _race(preset), _scene(preset)
    rates, losses, effective = scene.panels[1:]
    assert ((race.tried > rates.x.low) & (race.tried < rates.x.high)).all()
    staying = ~race.diverged
    start = float(race.losses[0, 0])
    assert losses.y.low <= race.losses[staying].max()
    assert losses.y.high >= start
    assert (race.losses[staying, -1] <= losses.y.high).all()
    measured = race.effective[np.isfinite(race.effective) & (race.effective > 0)]
    assert np.mean((measured >= effective.y.low) & (measured <= effective.y.high)) >= 0.93
    assert {panel.title for panel in scene.panels} >= {"Effective step |Δw| / |g| of each weight"}
    for panel in scene.panels:
        box = panel.rectangle
        assert box.x + box.width <= scene.width - 10
        assert box.y + box.height <= scene.height - 30


def test_five_optimizers_differ_in_colour_marker_and_line() -> None:
    marks = _named(_scene("bowl, 9 trials"))
    for kind in ("path", "loss", "stick"):
        lines = [marks[f"{kind} {name}"] for name in NAMES]
        assert all(isinstance(line, Path) for line in lines)
        assert len({line.role for line in lines}) == 5  # type: ignore[union-attr]
    handles = [mark for panel in _scene("bowl, 9 trials").panels for mark in panel.marks if isinstance(mark, Handle)]
    assert [handle.name for handle in handles] == ["start"]


def test_the_minima_of_the_surface_are_marked() -> None:
    for name in PLACES:
        stars = race_scene(name, run(name, PLACES[name].start, 1)).panels[0].marks[0]
        assert isinstance(stars, Points)
        assert stars.role == "minimum"
        np.testing.assert_allclose(stars.points, PLACES[name].surface.minima, rtol=1e-6)


# ---------------------------------------------------------------- while the start is dragged


@pytest.mark.parametrize("step", [0, 20, STEPS])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_live_update_is_small_and_fits_the_marks_of_the_scene(preset: str, step: int) -> None:
    state, marks = _state(preset), _named(_scene(preset))
    moved = run(state.surface, (state.start[0] + 0.2, state.start[1] + 0.1), state.budget, state.scale)
    live, words = live_marks(moved, step), live_words(moved, step)
    size = sum(np.asarray(rows, dtype="<f4").nbytes for rows in _narrowed(live).values())
    assert size + sum(len(said.encode()) for said in words.values()) + len(race_sentence(moved, step).encode()) <= 1500
    assert live.keys() <= marks.keys()
    assert words.keys() <= marks.keys()
    after = _named(race_scene(state.surface, moved))
    for name, rows in _narrowed(live).items():
        count = np.shape(marks[name].points)[-2]  # type: ignore[union-attr]
        if rows.ndim == 1:
            assert len(rows) == count, f"the heights of {name}"
            continue
        # An array half as long would be taken for heights, a longer one be cut.
        assert rows.size != count, name
        assert count % 2 or not name.startswith("path"), "the Stage would take it for heights at another step"
        assert len(rows) <= count, name
        if not name.startswith(("path", "tens", "loss")):
            np.testing.assert_allclose(rows, at_position(after[name], step), rtol=1e-6)
    for name in NAMES:
        np.testing.assert_array_equal(live[f"path {name}"][-1:], live[f"head {name}"])


def _narrowed(live: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with np.errstate(over="ignore"):
        return {name: np.asarray(rows, dtype=np.float32) for name, rows in live.items()}


def test_a_loss_curve_is_exact_at_rest_and_has_every_fifth_step_while_the_start_is_dragged() -> None:
    race, marks = _race("bowl, 9 trials"), _named(_scene("bowl, 9 trials"))
    live = live_marks(race, 40)
    for which, name in enumerate(NAMES):
        waiting = at_position(marks[f"live loss {name}"], 0)
        assert np.isnan(waiting[:, 1]).all(), "not drawn at rest"
        np.testing.assert_array_equal(waiting[:, 0], np.arange(0, STEPS + 1, EVERY))
        np.testing.assert_array_equal(live[f"live loss {name}"], race.losses[which, ::EVERY])
        assert live[f"loss {name}"].shape == (0, 2), "the exact curve of the old start is not drawn"


# ---------------------------------------------------------------- words


def test_the_sentence_names_all_five_from_the_lowest_loss_up() -> None:
    race = _race("ravine, 9 trials")
    for step in (1, 40, 100):
        said = race_sentence(race, step)
        order = sorted(NAMES, key=lambda name: race.losses[NAMES.index(name), step])
        assert re.findall("|".join(NAMES), said) == order
        assert said.startswith(f"Step {step}: lowest loss {order[0]} ")
        assert f"{order[0]} {loss_words(race, NAMES.index(order[0]), step)}," in said
    assert race_sentence(race, 0) == "Step 0: all five start at the loss 20.3, each with a learning rate of its own."


def test_the_sentence_says_who_diverges_from_the_step_on_at_which_the_picture_is_left() -> None:
    usual = run("rosenbrock", PLACES["rosenbrock"].start, 1)
    assert usual.diverged.tolist() == [False, True, False, False, False]
    left = int(usual.left[1])
    assert "diverge" not in race_sentence(usual, left - 1)
    assert race_sentence(usual, left).endswith(" Momentum diverges.")
    assert loss_words(usual, 1, left - 1) != "diverged" == loss_words(usual, 1, left)
    out = replace(usual, left=np.ones(5, dtype=int), losses=np.where(np.arange(101) > 0, np.inf, usual.losses))
    assert race_sentence(out, 5).endswith("none is left. SGD, momentum, AdaGrad, RMSProp and Adam diverge.")


def test_the_sentence_of_a_scale_says_which_paths_are_new() -> None:
    race = _race("ravine, 9 trials, loss × 32")
    both = "a new path for SGD and momentum (both diverge), the old one for AdaGrad, RMSProp and Adam."
    assert race_sentence(race, 40) == f"Loss × 32, step 40: {both}"
    one = replace(race, left=np.array([1, 101, 101, 101, 101]))
    assert "SGD and momentum (SGD diverges), the old" in race_sentence(one, 40)
    alone = replace(one, changed=one.changed & (np.arange(5) == 0)[:, None])
    assert "a new path for SGD (which diverges), the old one for momentum," in race_sentence(alone, 40)
    nothing = replace(race, changed=np.zeros_like(race.changed), left=np.full(5, 101))
    assert "so far all five go where they went at × 1. Lowest: " in race_sentence(nothing, 40)
    every = replace(race, changed=np.ones_like(race.changed), left=np.full(5, 101))
    assert "a new path for SGD, momentum, AdaGrad, RMSProp and Adam. Lowest: " in race_sentence(every, 40)
    before = replace(race, changed=one.changed & False, left=one.left)
    assert race_sentence(before, 40).endswith("at × 1. SGD diverges.")


def test_at_the_minimum_the_sentence_says_that_nothing_moves() -> None:
    race = run("himmelblau", (3.0, 2.0), 9)
    assert race_sentence(race, 40) == "The gradient is 0 at this start: no optimizer moves."
    assert race_scene("himmelblau", race).sentence(0) == race_sentence(race, 40)


def test_a_rate_says_where_it_comes_from() -> None:
    race = run("bowl", (-2.2, 1.2), 9, own=(("momentum", 0.0002),))
    said = [rate_words(race, which) for which in range(5)]
    assert said == ["0.0316", "2·10⁻⁴, yours", "1, grid's end", "0.1", "0.1, grid's end"]
    assert rate_words(replace(race, best=np.zeros(5, dtype=int), rates=race.tried[:, 0]), 0) == "10⁻⁵, grid's end"
    assert [rate_words(run("bowl", (-2.2, 1.2), 1), which) for which in (0, 4)] == ["0.001", "0.001"]


@pytest.mark.parametrize("preset", [name for name in PRESETS if PRESETS[name].scale == 1])
def test_before_the_loss_is_multiplied_no_word_tells_what_would_change(preset: str) -> None:
    scene = _scene(preset)
    words = [*scene.sentences, scene.name, *(panel.title for panel in scene.panels)]
    for panel in scene.panels:
        for mark in panel.marks:
            if not isinstance(mark, (Rule, Handle)):
                text = getattr(mark, "text", "")
                words += [text] if isinstance(text, str) else text
    told = " ".join(words)
    assert not re.search(r"× |new path|old one|scale|multiply|multiplied|divided", told)
    assert any(isinstance(mark, Text) for mark in scene.panels[1].marks)


@pytest.mark.parametrize("scale", [1.0, 32.0, 1000.0])
@pytest.mark.parametrize("name", PLACES)
def test_a_sentence_fits_below_the_static_twin(name: str, scale: float) -> None:
    for budget in (1, 9):
        race = run(name, PLACES[name].start, budget, scale)
        assert max(len(race_sentence(race, step)) for step in range(STEPS + 1)) <= 122


@pytest.mark.parametrize("preset", ["bowl, 1 trial", "bending valley, 9 trials"])
def test_the_static_twin_is_small(preset: str) -> None:
    assert len(render(_scene(preset), 40, "Multiply the loss by 32. Which paths change?").png()) <= 25_000
