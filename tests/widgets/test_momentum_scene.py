"""What the momentum plane draws: published numbers, the same path by other means, and batches drawn honestly."""

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bplib.losses import mse
from bplib.optim import SGD
from bplib.tensors import Tensor
from bplib.viz.marks import Path, Points, Text, at_position
from bplib.viz.scene import Scene
from bplib.widgets.momentum import noise as momentum_noise
from bplib.widgets.momentum.descent import (
    MOST,
    best_momentum,
    best_plain,
    momentum_path,
    momentum_walks,
    regime,
    settled_after,
    spectral_radius,
)
from bplib.widgets.momentum.noise import (
    COUNT,
    RATE,
    SIZES,
    UPDATES,
    batch_noise,
    best_weights,
    example_gradients,
    loss_heights,
)
from bplib.widgets.momentum.noise_scene import noise_live_marks, noise_live_words, noise_scene
from bplib.widgets.momentum.scene import live_marks, live_words, plane_scene
from bplib.widgets.momentum.state import BETAS
from bplib.widgets.momentum.words import momentum_sentence, noise_sentence

# κ: rates of plain descent and of momentum, and steps to 10⁻⁶ from (1, 1) with an empty buffer.
PUBLISHED = {
    10: ((0.818182, 69), (0.519494, 27)),
    100: ((0.980198, 691), (0.818182, 93)),
    1000: ((0.998002, 6908), (0.938693, 315)),
}


def _marks(scene: Scene) -> dict[str, object]:
    return {mark.name: mark for panel in scene.panels for mark in panel.marks if getattr(mark, "name", "")}


# ---------------------------------------------------------------- the plane


@pytest.mark.parametrize("kappa", PUBLISHED)
def test_the_published_rates_and_step_counts_come_out(kappa: int) -> None:
    for best, (rate, steps) in zip((best_plain(kappa), best_momentum(kappa)), PUBLISHED[kappa], strict=True):
        x = np.array([best.lr, best.lr * kappa])
        assert best.rate == pytest.approx(rate, abs=1e-6)
        np.testing.assert_allclose(spectral_radius(x, best.beta), rate, atol=1e-6)
        assert settled_after([x], [best.beta]).tolist() == [steps]
        distances = np.linalg.norm(momentum_path(best.lr, best.beta, [1.0, kappa], steps), axis=1)
        first = np.flatnonzero(distances <= 1e-6 * distances[0])
        assert first[0] == steps, "and it is the first step as well as the one from which it stays"


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 4.0), st.floats(0.0, 1.0))
def test_the_radius_is_that_of_the_matrix_of_one_step(x: float, beta: float) -> None:
    matrix = np.array([[beta, 1.0], [-x * beta, 1.0 - x]])  # (z, w) with λ = 1 and η = x
    # Two roots that meet are known to half of the digits only.
    assert spectral_radius(x, beta) == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max(), abs=1e-7)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_paths_shrink_below_the_limit_and_grow_above_it(beta: float) -> None:
    limit = 2 + 2 * beta
    below, above = (np.abs(momentum_path(limit + side, beta, [1.0], 6000)) for side in (-0.01, 0.01))
    assert below[-1] < 1e-3
    assert above[-1] > 1e3
    assert [regime(limit + side, beta) for side in (-0.01, 0.0, 0.01)][1:] == ["limit", "diverges"]


@settings(max_examples=25, deadline=None)
@given(st.floats(0.02, 3.9), st.floats(0.0, 0.95), st.sampled_from([1.0, 10.0]))
@example(0.99, 0.0, 1.0)  # 0.01³ is 10⁻⁶, or a little more
def test_counting_in_blocks_agrees_with_taking_the_steps(x: float, beta: float, kappa: float) -> None:
    walk = momentum_walks(x, kappa, (beta,))
    if walk.radii.max() >= 1:
        assert np.isinf(walk.counts[0])
        return
    curvatures = [1.0] if kappa == 1 else [1.0, kappa]
    distances = np.linalg.norm(momentum_path(walk.lr, beta, curvatures, 2500), axis=1)
    outside = np.flatnonzero(distances > (1 + 1e-9) * 1e-6 * distances[0])
    assert min(walk.counts[0], 2501) == outside[-1] + 1


def test_a_ripple_that_passes_the_minimum_has_not_settled() -> None:
    path = momentum_path(1.0, 0.5, [1.0], 60)
    assert abs(path[1, 0]) == 0.0
    assert settled_after([[1.0]], [0.5])[0] == np.flatnonzero(np.abs(path) > 1e-6)[-1] + 1 > 30


def test_what_takes_too_long_is_said_to_take_long() -> None:
    assert settled_after([[1e-4]], [0.0]).tolist() == [MOST + 1]
    assert "more than 10,000 steps" in momentum_sentence(momentum_walks(0.01, 1000.0, (0.0,)), 0)


@pytest.mark.parametrize("momentum", [0.0, 0.36, 0.9])
def test_the_path_is_that_of_the_optimizer(momentum: float) -> None:
    w, curvatures = Tensor(np.ones(2), requires_grad=True), np.array([1.0, 10.0])
    optimizer = SGD([w], lr=0.12, momentum=momentum)
    walked = [w.data.copy()]
    for _ in range(30):
        optimizer.zero_grad()
        (0.5 * curvatures * w * w).sum().backward()
        optimizer.step()
        walked.append(w.data.copy())
    np.testing.assert_allclose(momentum_path(0.12, momentum, curvatures, 30), walked, rtol=1e-12, atol=1e-15)


def test_on_the_far_branch_of_the_critical_curve_it_is_said_that_w_changes_sides() -> None:
    best = (np.sqrt(100) - 1) / (np.sqrt(100) + 1)
    walks = momentum_walks(float(1 + best) ** 2, 100.0, (float(best**2),))
    said = momentum_sentence(walks, 0)
    assert "λ = 1 critically damped (× 0.8182 a step)" in said
    assert "λ = 100 critically damped, from side to side (× 0.8182)" in said
    assert (np.diff(np.sign(walks.places[0, :20, 1])) != 0).all()
    assert (walks.places[0, :, 0] > 0).all()


@pytest.mark.parametrize(
    ("x", "kappa", "beta", "words"),
    [
        (0.16, 1.0, 0.1, "over-damped. w stays on one side of the minimum. In the long run × 0.8177 a step"),
        (0.16, 1.0, 0.36, "critically damped. At this ηλ no other β does better in the long run: × 0.6 a step"),
        (0.16, 1.0, 0.8, "under-damped. w ripples around the minimum. In the long run × 0.8944 a step"),
        (1.6, 1.0, 0.0, "oscillates. w changes sides at every step. In the long run × 0.6 a step, 28 steps"),
        (3.0, 1.0, 0.5, "never settles. w goes from side to side and comes no closer: ηλ is exactly 2 + 2β."),
        (2.0, 1.0, 1.0, "and comes no closer: without friction the momentum is never used up."),
        (4.0, 1.0, 1.0, "diverges."),
        (3.1, 1.0, 0.5, "diverges. In the long run each step multiplies the distance by 1.174."),
        (1.0, 1.0, 0.0, "lands on the minimum with the first step and stays there."),
        (0.0, 1.0, 0.5, "the learning rate is 0, and nothing moves."),
        (200 / 101, 100.0, 0.0, "λ = 1 over-damped (× 0.9802 a step), λ = 100 oscillates (× 0.9802). Together 691"),
        (3.9, 10.0, 0.5, "λ = 10 diverges (× 2.17). Together they never come within 10⁻⁶ of the start."),
    ],
)
def test_the_sentence_says_what_the_picture_shows(x: float, kappa: float, beta: float, words: str) -> None:
    assert words in momentum_sentence(momentum_walks(x, kappa, (beta,)), 0)


@pytest.mark.parametrize(("x", "kappa"), [(0.16, 1.0), (0.0, 1.0), (4.0, 1.0), (3.3, 100.0), (0.01, 1000.0)])
def test_every_position_of_the_table_is_the_walk_of_its_momentum(x: float, kappa: float) -> None:
    scene = plane_scene(momentum_walks(x, kappa, BETAS))
    assert scene.count == len(BETAS)
    marks = _marks(scene)
    for index in (0, 36, 50, 99, 100):
        single = momentum_walks(x, kappa, (BETAS[index],))
        for name, rows in live_marks(single).items():
            drawn = at_position(marks[name], index)
            np.testing.assert_allclose(drawn if rows.ndim == 2 else drawn[:, 1], rows, rtol=1e-6)
            assert np.isfinite(drawn).all()
        assert {name: marks[name].text[index] for name in live_words(single)} == live_words(single)
        assert scene.sentence(index) == momentum_sentence(single, 0)


def test_the_map_marks_both_curvatures_and_its_words_stay_inside() -> None:
    marks = _marks(plane_scene(momentum_walks(3.3, 100.0, BETAS)))
    for index, beta in enumerate(BETAS):
        np.testing.assert_allclose(at_position(marks["point"], index), [[3.3, beta]], rtol=1e-6)
        np.testing.assert_allclose(at_position(marks["other"], index), [[0.033, beta]], rtol=1e-6)
    corner = [[0.0, 1.0]]
    words = [marks[name] for name in ("point words", "other words")]
    assert all(np.array_equal(mark.points, corner) for mark in words), "where the map has no words of its own"
    assert [mark.shift for mark in words] == [(8, 16), (8, 34)], "the two never cover each other"
    assert "radius 0.8944" in live_words(momentum_walks(0.16, 1.0, (0.8,))).values()


def test_the_critical_curve_and_the_limit_are_where_the_regimes_change() -> None:
    paths = [mark for mark in plane_scene(momentum_walks(0.16, 1.0, BETAS)).panels[0].marks if isinstance(mark, Path)]
    lower, upper, limit = (np.asarray(mark.points, dtype=np.float64) for mark in paths[:3])
    for curve, below, above in ((lower, "over-damped", "under-damped"), (upper, "under-damped", "oscillates")):
        for x, beta in curve[5:-5]:
            assert [regime(x - 1e-3, beta), regime(x + 1e-3, beta)] == [below, above]
    np.testing.assert_allclose(limit[:, 0], 2 + 2 * limit[:, 1])
    texts = [m for m in plane_scene(momentum_walks(0.16, 1.0, BETAS)).panels[0].marks if isinstance(m, Text)]
    for mark in texts:
        if isinstance(mark.text, str) and mark.text.startswith("0."):
            np.testing.assert_allclose(spectral_radius(*mark.points[0]), float(mark.text), rtol=1e-6)
    places = {mark.text: regime(*map(float, mark.points[0])) for mark in texts if isinstance(mark.text, str)}
    assert all(places[name] == name for name in ("over-damped", "under-damped", "oscillates", "diverges"))


def test_without_friction_the_phase_plot_is_nearly_a_circle_and_with_it_a_spiral() -> None:
    swing, spiral = (live_marks(momentum_walks(0.04, 1.0, (beta,)))["swing low"] for beta in (1.0, 0.8))
    radius = np.linalg.norm(swing, axis=1)
    assert 0.85 < radius.min() <= radius.max() < 1.15
    assert np.linalg.norm(spiral[-1]) < 0.2


# ---------------------------------------------------------------- the noise


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 4.0), st.floats(-1.0, 3.0), st.lists(st.integers(0, COUNT - 1), min_size=1, max_size=6))
def test_a_batch_gradient_is_what_backpropagation_gives_for_that_batch(w: float, b: float, rows: list[int]) -> None:
    X, y = (values[rows] for values in momentum_noise._data())
    slope, bias = Tensor(w, requires_grad=True), Tensor(b, requires_grad=True)
    loss = mse(slope * X + bias, y)
    loss.backward()
    assert slope.grad is not None
    assert bias.grad is not None
    expected = [float(slope.grad), float(bias.grad)]
    np.testing.assert_allclose(example_gradients((w, b))[rows].mean(axis=0), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(batch_noise((w, b), 0).single[rows].mean(axis=0), expected, rtol=1e-9, atol=1e-9)


def test_the_spread_falls_like_one_over_the_root_of_the_batch_size() -> None:
    for weights in ((0.5, 2.5), best_weights()):
        noise = batch_noise(weights, 0)
        law = noise.single.std(axis=0) @ noise.single.std(axis=0) / np.array(SIZES)
        np.testing.assert_allclose(noise.spreads, np.sqrt(law), rtol=0.1)
        slope = np.polyfit(np.log(SIZES), np.log(noise.spreads), 1)[0]
        assert slope == pytest.approx(-0.5, abs=0.03)
        np.testing.assert_allclose(noise.batches.mean(axis=1)[-1], noise.full, atol=0.05)


def test_batches_are_drawn_with_replacement_and_by_their_seed() -> None:
    weights = (0.5, 2.5)
    everything = batch_noise(weights, 0).batches[-1]
    assert np.ptp(everything, axis=0).min() > 0.1, "a batch as large as the data still repeats some examples"
    assert (batch_noise(weights, 0).batches == batch_noise((0.5, 2.5), 0).batches).all()
    assert (batch_noise(weights, 1).batches != batch_noise(weights, 0).batches).mean() > 0.9


def test_the_best_weights_have_the_smallest_loss_and_no_gradient() -> None:
    best = np.array(best_weights())
    np.testing.assert_allclose(example_gradients(best).mean(axis=0), 0, atol=1e-12)
    around = best + 0.1 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    assert (loss_heights(*around.T) > loss_heights(*best)).all()
    X, y = momentum_noise._data()
    np.testing.assert_allclose(best, np.polyfit(X, y, 1), rtol=1e-9)


def test_sgd_walks_with_the_gradients_of_its_own_batches() -> None:
    noise, rows = batch_noise((0.5, 2.5), 3), momentum_noise._draws(3)[1]
    for which, size in ((0, 1), (4, 16)):
        place = np.array((0.5, 2.5))
        for k in range(UPDATES):
            place = place - RATE * example_gradients(place)[rows[k, :size]].mean(axis=0)
        np.testing.assert_allclose(noise.paths[which, -1], place, rtol=1e-9)


def test_the_law_is_in_the_scene_only_after_the_reveal() -> None:
    noise = batch_noise((0.5, 2.5), 0)
    hidden, shown = (noise_scene(noise, revealed=revealed) for revealed in (False, True))
    assert "law" not in _marks(hidden)
    assert [mark for mark in hidden.panels[2].marks if isinstance(mark, Points)] == [_marks(hidden)["spread"]]
    assert not any("√" in sentence for sentence in hidden.sentences)
    law = np.asarray(_marks(shown)["law"].points)
    np.testing.assert_allclose(np.diff(np.log(law), axis=0) @ [0.5, 1.0], 0, atol=1e-6)
    assert noise_sentence(noise, 4, revealed=True).endswith(f"{noise.spreads[0]:.3g}/√16 = {noise.spreads[0] / 4:.3g}.")


def test_the_noise_at_the_minimum_has_no_arrow_and_says_that_batches_still_push() -> None:
    scene = noise_scene(batch_noise(best_weights(), 0), revealed=False)
    assert "full" not in _marks(scene)
    assert "at the minimum the full gradient is 0, batch gradients still have" in scene.sentence(0)
    assert "full" in _marks(noise_scene(batch_noise((0.5, 2.5), 0), revealed=False))


def test_every_batch_size_of_the_table_is_what_a_drag_would_show() -> None:
    noise = batch_noise((1.0, 0.0), 0)
    scene = noise_scene(noise, revealed=True)
    marks = _marks(scene)
    for which in range(len(SIZES)):
        for name, rows in noise_live_marks(noise, which).items():
            drawn = at_position(marks[name], which)
            np.testing.assert_allclose(drawn if rows.ndim == 2 else drawn[:, 1], rows, rtol=1e-6)
        assert {"deviation": marks["deviation"].text[which]} == noise_live_words(noise, which)


def test_a_noise_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch_noise((1.0, 0.0), 0).full = np.zeros(2)  # type: ignore[misc]
