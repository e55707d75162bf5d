"""What the surface explorer draws: every number against a loop, an equation or a training written out by hand."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bplib import losses, nn
from bplib.data import make_line, make_moons, xor
from bplib.optim import SGD
from bplib.viz.marks import Handle, Path, Points, Text, at_position, text_at
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.explorer.answer import answer_of
from bplib.widgets.explorer.contour import contour_lines, evenly_spaced
from bplib.widgets.explorer.field import end_words_at, field, levels_of
from bplib.widgets.explorer.network import EXAMPLES, example, own_task
from bplib.widgets.explorer.picture import solid_picture
from bplib.widgets.explorer.plane import heights, own_run, share_in_plane
from bplib.widgets.explorer.scene import explorer_scene, live_marks
from bplib.widgets.explorer.state import PRESETS, Event, State, first_state, reduce
from bplib.widgets.explorer.words import explorer_sentence, percent
from bplib.widgets.stage import describe

MOONS, XOR, LINE = EXAMPLES
PLANES = [(name, directions) for name in (MOONS, XOR) for directions in ("pca", "random")] + [(LINE, "pca")]


def network(name: str) -> tuple[nn.Module, np.ndarray, np.ndarray]:
    """A network like that of an example, built anew, and its data."""
    if name == LINE:
        return nn.Sequential(nn.Linear(1, 1, rng=5)), *make_line(30, slope=2.0, intercept=1.0, noise=0.3, rng=0)
    hidden = 8 if name == MOONS else 3
    X, y = make_moons(100, noise=0.1, rng=0) if name == MOONS else xor()
    model = nn.Sequential(nn.Linear(2, hidden, rng=5), nn.Tanh(), nn.Linear(hidden, 1, rng=5), nn.Sigmoid())
    return model, X, y.reshape(-1, 1).astype(float)


def loss_by_hand(name: str, theta: np.ndarray) -> float:
    """The mean squared error in plain NumPy, without the library."""
    _, X, y = network(name)
    if name == LINE:
        return float(np.mean((theta[0] * X + theta[1] - y) ** 2))
    hidden = 8 if name == MOONS else 3
    W, b = theta[: 2 * hidden].reshape(2, hidden), theta[2 * hidden : 3 * hidden]
    V, c = theta[3 * hidden : 4 * hidden], theta[4 * hidden]
    z = np.tanh(X @ W + b) @ V + c
    return float(np.mean((1 / (1 + np.exp(-z)) - y[:, 0]) ** 2))


# ---------------------------------------------------------------- the plane


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_the_grid_is_the_loss_at_each_of_its_points(name: str, directions: str) -> None:
    state = first_state(name, directions)
    grid, cut = heights(*state.plane), state.frame
    assert grid.losses.shape == (41, 41)
    for i, j in [(0, 0), (40, 0), (7, 31), (20, 20), (33, 12)]:
        theta = cut.origin + grid.a[i] * cut.directions[0] + grid.b[j] * cut.directions[1]
        assert grid.losses[i, j] == pytest.approx(loss_by_hand(name, theta), rel=1e-9)
    np.testing.assert_allclose(grid.a[[0, -1]], cut.centre[0] + cut.span * np.array([-1, 1]))
    np.testing.assert_allclose(grid.b[[0, -1]], cut.centre[1] + cut.span * np.array([-1, 1]))


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_the_path_is_the_nearest_in_the_plane(name: str, directions: str) -> None:
    """Least squares by the normal equations (D Dᵀ) c = D (θ − θ*)."""
    state = first_state(name, directions)
    cut, thetas = state.frame, state.task.run.thetas
    D = cut.directions
    expected = np.linalg.solve(D @ D.T, D @ (thetas - cut.origin).T).T
    np.testing.assert_allclose(cut.path, expected, atol=1e-9)
    assert (np.abs(cut.path - cut.centre) <= cut.span).all(), "the whole run lies in the window"


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_the_share_in_the_plane_is_that_of_the_projection(name: str, directions: str) -> None:
    state = first_state(name, directions)
    D, moves = state.frame.directions, state.task.run.thetas - state.task.run.thetas.mean(axis=0)
    P = D.T @ np.linalg.inv(D @ D.T) @ D
    assert state.frame.share == pytest.approx(np.square(moves @ P).sum() / np.square(moves).sum(), rel=1e-9)
    assert state.frame.shares == pytest.approx(
        np.linalg.eigvalsh(np.cov(moves.T))[::-1][:2] / np.trace(np.cov(moves.T)) if state.frame.kind == "pca" else ()
    )


def test_shares_at_their_ends() -> None:
    flat = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert share_in_plane(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]), flat) == 0
    assert share_in_plane(np.array([[0.0, 0.0, 7.0], [1.0, 2.0, 7.0]]), flat) == pytest.approx(1)
    assert share_in_plane(np.array([[1.0, 2.0, 3.0]] * 2), flat) == 1
    assert share_in_plane(np.array([[0.0, 0.0, 0.0], [3e200, 0.0, 4e200]]), flat) == pytest.approx(0.36)


def test_random_directions_are_as_long_as_the_filters_and_leave_the_biases() -> None:
    cut = first_state(MOONS, "random").frame
    end = cut.origin
    for d in cut.directions:
        for shape, part in (((2, 8), slice(0, 16)), ((8, 1), slice(24, 32))):
            for of_d, of_end in zip(d[part].reshape(shape).T, end[part].reshape(shape).T, strict=True):
                assert np.linalg.norm(of_d) == pytest.approx(np.linalg.norm(of_end))
        assert not d[16:24].any()
        assert d[32] == 0


def test_a_network_of_single_weights_gets_two_directions_all_the_same() -> None:
    """Each of its filters is one weight, whose filter-normalised directions are + and − only."""
    X = np.linspace(-1, 1, 9)[:, None]
    for seed in range(6):
        model = nn.Sequential(nn.Linear(1, 1, rng=0), nn.Tanh(), nn.Linear(1, 1, rng=1))
        task = own_task(model, losses.mse, (X, X**2), 0.1)
        assert np.linalg.matrix_rank(first_state("your model", "random", own=task, seed=seed).frame.directions) == 2
    zero = nn.Linear(2, 1, rng=0)
    zero.theta = [0.0, 0.0, 0.0]
    falling = [[0, 0, 1], [0, 0, 0.5], [0, 0, 0]]
    still = own_task(zero, losses.mse, (np.eye(2), np.array([[0.0], [0.0]])), 0.1, run=falling)
    assert np.linalg.matrix_rank(first_state("your model", "random", own=still).frame.directions) == 2


# ---------------------------------------------------------------- the learner's run


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_the_learners_run_is_sgd_from_there(name: str, directions: str) -> None:
    state = first_state(name, directions)
    model, X, y = network(name)
    model.theta = (
        state.frame.origin + state.start[0] * state.frame.directions[0] + (state.start[1] * state.frame.directions[1])
    )
    optimizer = SGD(model.parameters(), lr=state.lr)
    for k in range(state.steps + 1):
        value = losses.mse(model(X), y)
        np.testing.assert_allclose(state.run.thetas[k], model.theta, rtol=1e-12, atol=1e-12)
        assert state.run.losses[k] == pytest.approx(value.item(), rel=1e-12)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    D = state.frame.directions
    expected = np.linalg.solve(D @ D.T, D @ (state.run.thetas - state.frame.origin).T).T
    np.testing.assert_allclose(state.run.path, expected, atol=1e-9)


def test_on_the_line_a_step_is_the_formula_on_the_slide() -> None:
    state = first_state(LINE, "pca", start=(0.0, 3.0), lr=0.25)
    X, y = make_line(30, slope=2.0, intercept=1.0, noise=0.3, rng=0)
    w, b = 0.0, 3.0
    for k in range(5):
        np.testing.assert_allclose(state.run.path[k], [w, b], rtol=1e-12)
        error = w * X + b - y
        w, b = w - 0.25 * 2 * float(np.mean(error * X)), b - 0.25 * 2 * float(np.mean(error))


def test_the_largest_rate_of_the_line_lies_beyond_its_last_stable_one() -> None:
    X, _ = make_line(30, slope=2.0, intercept=1.0, noise=0.3, rng=0)
    hessian = 2 * np.array([[np.mean(X**2), np.mean(X)], [np.mean(X), 1.0]])
    limit = 2 / np.linalg.eigvalsh(hessian)[-1]
    rates = EXAMPLES[LINE].rates
    assert rates[-2] < limit < rates[-1]
    assert own_run(*_at(LINE, rates[-1]), 100).losses[-1] > 30 > own_run(*_at(LINE, rates[-2]), 100).losses[-1]


def _at(name: str, lr: float) -> tuple:
    state = first_state(name, "pca")
    return state.task, state.frame, state.start, lr


def test_a_run_that_overflows_ends_in_words_and_draws_nothing_that_is_not_there() -> None:
    state = first_state(LINE, "pca", lr=1000.0, steps=100)
    own = state.run
    assert 0 < own.last < 100
    assert np.isfinite(own.losses[: own.last + 1]).all()
    assert np.isnan(own.losses[own.last + 1 :]).all()
    words = explorer_sentence(state.task, state.frame, own, state.start, 100)
    assert f"your run overflows at step {own.last + 1}. Two parameters" in words
    scene = explorer_scene(state)
    assert text_at(_mark(scene, "own losses"), 100) == "yours no number"
    live_marks(replace(state, step=100))


def test_what_the_presets_show() -> None:
    """The same height in one random plane: from the left 30 steps lead down, from the upper left they do not."""
    left, upper = (reduce(first_state(MOONS, "pca"), Event("preset", f"xor: random plane, {side}"))
                   for side in ("left", "upper left"))  # fmt: skip
    assert left.run.losses[0] == pytest.approx(upper.run.losses[0], rel=0.02)
    assert left.run.losses[-1] < 0.01 < 0.2 < upper.run.losses[-1]
    # From a mountain top of a random plane to below the end of the run, and hardly anything of it in the plane.
    random = first_state(MOONS, "random")
    assert random.run.losses[0] > 0.5
    assert random.run.losses[-1] < random.task.run.losses[-1] / 4
    assert random.run.share < 0.05
    assert first_state(MOONS, "pca").frame.share > 0.95 > 0.2 > random.frame.share
    assert [example(name).run.losses[-1] for name in (MOONS, XOR)] == pytest.approx([0.0137, 0.0135], rel=0.05)


# ---------------------------------------------------------------- lines of equal height


def test_contour_lines_lie_at_the_level_and_close() -> None:
    x, y = np.linspace(-2, 2, 61), np.linspace(-2, 2, 41)
    values = x[None] ** 2 + y[:, None] ** 2
    (circle,) = contour_lines(values, 1.0, x, y)
    np.testing.assert_allclose(np.hypot(*circle.T), 1.0, atol=2e-3)
    np.testing.assert_array_equal(circle[0], circle[-1])
    assert np.hypot(*np.diff(circle, axis=0).T).sum() == pytest.approx(2 * np.pi, rel=0.01)
    assert contour_lines(values, 99.0, x, y) == []


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("middle", [0.2, -0.2])
def test_a_saddle_is_cut_as_its_middle_says(sign: float, middle: float) -> None:
    corners = sign * np.array([[1.0, -1.0], [-1.0, 1.0]]) + middle
    lines = contour_lines(corners, 0.0, np.arange(2.0), np.arange(2.0))
    assert len(lines) == 2
    cut_off = {tuple((line.mean(axis=0) > 0.5).astype(int)) for line in lines}
    above = {(int(x), int(y)) for y, x in np.argwhere(corners > 0)}
    below = {(0, 0), (0, 1), (1, 0), (1, 1)} - above
    assert cut_off == (below if middle > 0 else above)


def test_two_valleys_have_two_lines_and_a_hole_of_no_numbers_none() -> None:
    x = np.linspace(-3, 3, 61)
    values = np.tile(np.cos(x * np.pi / 2), (21, 1))
    lines = contour_lines(values - 0.5, 0.0, x, np.arange(21.0))
    assert sorted(round(float(line[:, 0].mean()), 2) for line in lines) == [-0.67, 0.67]
    values[:, 15:25] = np.nan
    (left,) = contour_lines(values - 0.5, 0.0, x, np.arange(21.0))
    assert left[:, 0].mean() > 0
    bent = evenly_spaced(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 3.0]]), 9)
    np.testing.assert_allclose(np.hypot(*np.diff(bent, axis=0).T).sum(), 4.0)


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_levels_hold_the_whole_plane_in_equal_ratios(name: str, directions: str) -> None:
    state = first_state(name, directions)
    losses_, found = heights(*state.plane).losses, levels_of(heights(*state.plane).losses)
    assert found is not None
    assert found.values[0] < losses_.min() < losses_.max() < found.values[-1]
    np.testing.assert_allclose(np.diff(np.log(found.values)), np.log(losses_.max() / losses_.min()) / 12, rtol=1e-3)
    for text in (mark for mark in explorer_scene(state).panels[0].marks if isinstance(mark, Text) and mark.plate):
        a, b = np.asarray(text.points, float)[0]
        there = loss_by_hand(name, state.frame.theta((a, b)))
        assert there == pytest.approx(float(text.text), rel=0.06), "what is written on a contour line is the loss there"


@pytest.mark.parametrize("preset", PRESETS)
def test_neither_the_handle_nor_the_run_from_it_hides_a_number_on_a_contour_line(preset: str) -> None:
    state = reduce(first_state(MOONS, "pca"), Event("preset", preset))
    numbers = [mark for mark in explorer_scene(state).panels[0].marks if isinstance(mark, Text) and mark.plate]
    assert len(numbers) > 1
    for text in numbers:
        away = np.hypot(*(state.run.path - np.asarray(text.points, float)[0]).T)
        assert away.min() > 0.13 * state.frame.span


def test_the_colours_lie_where_the_losses_are() -> None:
    state = first_state(MOONS, "pca")
    grid, levels = heights(*state.plane), levels_of(heights(*state.plane).losses)
    found = field(*state.plane, 300, 300)
    assert found is not None
    assert levels is not None
    with Image.open(io.BytesIO(found.png)) as picture:
        pixels = np.asarray(picture.convert("RGB"), int)
    palette = np.array([[int(name[k : k + 2], 16) for k in (1, 3, 5)] for name in levels.colours])
    for i, j in [(2, 2), (38, 2), (2, 38), (38, 38), (39, 12)]:
        shown = pixels[round((40 - j) / 40 * 599), round(i / 40 * 599)]
        band = int(np.digitize(grid.losses[i, j], levels.values)) - 1
        assert abs(int(np.abs(palette - shown).sum(axis=1).argmin()) - band) <= 1


def test_levels_of_what_is_flat_negative_or_no_number() -> None:
    assert levels_of(np.full((3, 3), 2.0)) is None
    assert levels_of(np.full((3, 3), np.nan)) is None
    found = levels_of(np.array([-1.0, 2.0, np.inf]))
    assert found is not None
    np.testing.assert_allclose(np.diff(found.values), 0.25)
    zero = levels_of(np.array([0.0, 1.0]))
    assert zero is not None
    assert (np.diff(zero.values) > 0).all()


# ---------------------------------------------------------------- what the network computes


def test_the_boundary_is_where_the_answer_is_one_half() -> None:
    task = example(MOONS)
    model, X, y = network(MOONS)
    for step in (3, 40, 80):
        model.theta = task.run.thetas[step]
        drawn = answer_of(task).draw(task.run.thetas[step])
        for line in drawn.lines:
            known = line[np.isfinite(line[:, 0])]
            if len(known):
                off = np.abs(model(known).numpy() - 0.5)
                assert np.median(off) < 0.03, "straight from grid line to grid line, and so a little beside it"
                assert off.max() < 0.12
        right = int(((model(X).numpy() > 0.5) == (y > 0.5)).sum())
        assert drawn.words == f"{right} right"
    assert answer_of(task).draw(task.run.thetas[-1]).words == "98 right"


def test_the_curve_of_the_line_is_the_line() -> None:
    (points,) = answer_of(example(LINE)).draw(np.array([2.0, -0.5])).lines
    np.testing.assert_allclose(points[:, 1], 2 * points[:, 0] - 0.5)


@pytest.mark.parametrize(
    ("loss", "target", "level"),
    [(losses.binary_cross_entropy_with_logits, (0, 1), 0.0), (losses.mse, (0, 1), 0.5), (losses.mse, (-1, 1), 0.0),
     (losses.hinge, (-1, 1), 0.0), (losses.mse, (2, 5), 3.5)],
)  # fmt: skip
def test_between_two_classes_both_cost_the_same(loss, target: tuple[int, int], level: float) -> None:
    X, y = make_moons(20, noise=0.1, rng=0)
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    found = answer_of(own_task(model, loss, (X, np.array(target, float)[y][:, None]), 0.1))
    assert found.title == "Class boundary"
    assert found.level == level


def test_other_networks_are_drawn_as_classes_or_beside_their_targets() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    task = own_task(nn.Linear(4, 3, rng=0), losses.cross_entropy, (X, y), 0.1)
    drawn = answer_of(task).draw(task.run.thetas[-1])
    W, b = task.run.thetas[-1][:12].reshape(4, 3), task.run.thetas[-1][12:]
    hit = (X @ W + b).argmax(axis=1) == y
    np.testing.assert_allclose(drawn.lines[0][:, 1], [hit[y == k].mean() for k in range(3)])
    assert drawn.words == f"{hit.sum()} right"
    numbers = own_task(nn.Linear(4, 2, rng=0), losses.mse, (X, X[:, :2]), 0.1)
    (pairs,) = answer_of(numbers).draw(np.arange(10.0)).lines
    np.testing.assert_allclose(pairs[:, 0], X[:, :2].reshape(-1)[:40])
    np.testing.assert_allclose(pairs[:, 1], (X @ np.arange(8.0).reshape(4, 2) + [8, 9]).reshape(-1)[:40])


# ---------------------------------------------------------------- the scene


def _mark(scene: Scene, name: str) -> Path | Points | Handle:
    (found,) = [mark for panel in scene.panels for mark in panel.marks if getattr(mark, "name", "") == name]
    return found


def _shows(scene: Scene, name: str, step: int, expected: object) -> None:
    np.testing.assert_allclose(at_position(_mark(scene, name), step), expected, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", PRESETS)
def test_every_position_shows_both_runs_at_their_step(name: str) -> None:
    state = reduce(first_state(MOONS, "pca"), Event("preset", name))
    scene, task, own = explorer_scene(state), state.task, state.run
    assert scene.count == len(scene.sentences) == 81
    for step in (0, 1, 30, 55, 80):
        done, loss = min(step, 30), task.run.losses[step]
        _shows(scene, "run now", step, state.frame.path[[step]])
        _shows(scene, "own now", step, own.path[[done]])
        _shows(scene, "run loss now", step, [[step, loss]])
        _shows(scene, "own loss now", step, [[done, own.losses[done]]])
        _shows(scene, "run answer 0", step, answer_of(task).draw(task.run.thetas[step]).lines[0])
        _shows(scene, "own answer 0", step, answer_of(task).draw(own.thetas[done]).lines[0])
        assert text_at(_mark(scene, "run losses"), step) == f"run {loss:.3g}"
        assert text_at(_mark(scene, "own losses"), step) == f"yours {own.losses[done]:.3g}"
        assert scene.sentence(step) == explorer_sentence(task, state.frame, own, state.start, step)
    _shows(scene, "start", 0, [state.start])
    _shows(scene, "own path", 0, own.path)
    low, high = scene.panels[1].y.low, scene.panels[1].y.high
    assert low < task.run.losses.min() < task.run.losses.max() < high


@pytest.mark.parametrize("name", ["moons: η = 1", "xor: random plane, left", "line: η = 1"])
def test_the_largest_twins_are_small(name: str) -> None:
    state = reduce(first_state(MOONS, "pca"), Event("preset", name))
    assert len(render(explorer_scene(state), state.step).png()) <= 25_000


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_while_the_start_is_dragged_the_live_marks_are_the_tables(name: str, directions: str) -> None:
    for step in (0, 12, 77):
        state = reduce(replace(first_state(name, directions), step=step), Event("drag", (0.3, 0.4)))
        marks, words, sentence = live_marks(state)
        scene = explorer_scene(state)
        for key, points in marks.items():
            table = at_position(_mark(scene, key), step)
            np.testing.assert_allclose(points, table[:, 1] if points.ndim == 1 else table, rtol=1e-5, atol=1e-6)
        assert all(text_at(_mark(scene, key), step) == said for key, said in words.items())
        assert sentence == scene.sentence(step)
        size = sum(np.asarray(points, "<f4").nbytes for points in marks.values())
        assert size + sum(len(said.encode()) for said in [*words.values(), sentence]) <= 1500


def test_the_scene_is_small() -> None:
    def size(value: object) -> int:
        if isinstance(value, dict):
            return sum(size(one) for one in value.values())
        if isinstance(value, list):
            return sum(map(size, value))
        return len(value if isinstance(value, bytes) else str(value))

    assert all(size(describe(explorer_scene(first_state(*plane)))) < 130_000 for plane in PLANES)


@pytest.mark.parametrize(("name", "directions"), PLANES)
def test_sentences_say_where_what_and_how_little_a_plane_shows(name: str, directions: str) -> None:
    state = first_state(name, directions)
    sentences = explorer_scene(state).sentences
    place = "(" + ", ".join(f"{value:.3g}" for value in state.start).replace("-", "−") + ")"
    first, last = (f"{state.run.losses[k]:.3g}" for k in (0, 30))
    assert sentences[0].startswith(f"At {place} your loss is {first}. ")
    assert sentences[1].startswith(f"From {place}, loss {first}, you are at {state.run.losses[1]:.3g} after 1 step. ")
    assert sentences[80].startswith(f"From {place}, loss {first}, you are at {last} after 30 steps. ")
    count = state.task.parameters
    whole = "Two parameters: this plane is the whole surface."
    part = f"The plane shows 2 of {count} directions and {percent(state.frame.share)} of the run."
    mine = f"The map shows {percent(state.run.share)} of your way, and not your loss."
    assert sentences[0].endswith(whole if name == LINE else part)
    assert sentences[1].endswith(whole if name == LINE else mine if state.run.share < 0.5 else part)
    assert max(map(len, sentences)) <= 125
    assert not any(re.search(r"nan|inf|-\d|None", words) for words in sentences)


def test_it_is_said_where_the_run_is_off_the_map() -> None:
    state = reduce(first_state(XOR, "pca"), Event("set", {"lr": 10.0}))
    (low, high), path = (state.frame.centre + side * state.frame.span for side in (-1, 1)), state.run.path
    outside = ((path < low) | (path > high)).any(axis=1)
    assert outside.any()
    assert not outside.all()
    said = [sentence.endswith("You have left the map.") for sentence in explorer_scene(state).sentences[: len(path)]]
    assert said == outside.tolist()


def test_per_cents_never_say_all_of_what_is_not_all() -> None:
    told = [percent(share) for share in (0.0, 0.0113, 0.9687, 0.99999, 1.0)]
    assert told == ["0\u00a0%", "1.13\u00a0%", "96.9\u00a0%", "99.9\u00a0%", "100\u00a0%"]


def test_the_word_at_the_end_stands_beyond_it() -> None:
    for plane in PLANES:
        cut = first_state(*plane).frame
        place = end_words_at(cut)
        assert (np.abs(place - cut.centre) <= cut.span).all()
        assert np.hypot(*(place - cut.path[-1])) == pytest.approx(0.12 * cut.span, rel=1e-6)
        assert np.hypot(*(cut.path - place).T).min() > 0.09 * cut.span


# ---------------------------------------------------------------- three dimensions


def test_the_picture_in_three_dimensions_has_the_surface_the_run_and_numbers_in_words() -> None:
    state = first_state(XOR, "random")
    picture, grid = solid_picture(*state.plane), heights(*state.plane)
    (axes,) = picture.figure.axes
    assert axes.name == "3d"
    line = next(one for one in axes.get_lines() if len(one.get_xdata()) > 2)
    x, y, z = line.get_data_3d()
    np.testing.assert_allclose(np.stack([x, y], axis=1), state.frame.path)
    np.testing.assert_allclose(10.0 ** np.asarray(z), state.task.run.losses)
    low, high = f"{grid.losses.min():.3g}", f"{grid.losses.max():.3g}"
    run = state.task.run.losses
    assert f"over a random plane: from {low} to {high}." in picture.alt
    assert f"from {run[0]:.3g} to {run[-1]:.3g} in 80 steps." in picture.alt
    assert "2 of 13 directions" in picture.alt
    labels = [text.get_text() for text in axes.get_zticklabels()]
    np.testing.assert_allclose(10.0 ** axes.get_zticks(), [float(text) for text in labels])
    assert len(picture.png()) <= 25_000


def test_states_that_differ_only_in_the_step_share_a_scene() -> None:
    state = first_state(XOR, "pca")
    assert describe(explorer_scene(state)) == describe(explorer_scene(replace(state, step=3)))
    assert isinstance(state, State)
