"""The run and the check behind the layer bench: against other formulas, other code, and the numbers of the paper."""

import numpy as np
import pytest

import bplib
from bplib.losses import mse
from bplib.widgets.layer.check import EXACT, WRONG, Check, gradient_check
from bplib.widgets.layer.network import GROUPS, NAMES, ORDER, STARTS, first_theta, network, problem, symmetry_run
from bplib.widgets.layer.passes import FAULTS, LR, backward, loss, unpack

SEED, UPDATES = 37, 1200


def _by_hand(start: str, updates: int) -> np.ndarray:
    """Every θ of a run, with formulas that share no line with the library: one example at a time."""
    theta = first_theta(start, SEED)
    W, b, v, c = theta[:12].reshape(6, 2), theta[12:14], theta[14:16], theta[16]
    velocity, every = np.zeros(17), [theta.copy()]
    for _ in range(updates):
        dW, db, dv, dc = np.zeros((6, 2)), np.zeros(2), np.zeros(2), 0.0
        for number in range(64):
            text = f"{number:06b}"
            x, y = np.array([float(bit) for bit in text]), float(text == text[::-1])
            h = 1 / (1 + np.exp(-(x @ W + b)))
            prediction = 1 / (1 + np.exp(-(h @ v + c)))
            d = (prediction - y) * prediction * (1 - prediction)
            back = d * v * h * (1 - h)
            dW, db, dv, dc = dW + np.outer(x, back), db + back, dv + d * h, dc + d
        velocity = 0.9 * velocity + np.concatenate([dW.ravel(), db, dv, [dc]])
        theta = theta - 0.1 * velocity
        W, b, v, c = theta[:12].reshape(6, 2), theta[12:14], theta[14:16], theta[16]
        every.append(theta.copy())
    return np.array(every)


# ---------------------------------------------------------------- the run


def test_the_run_is_the_one_that_is_computed_example_by_example() -> None:
    run, every = symmetry_run("random", SEED, UPDATES), _by_hand("random", 50)
    shown = [update for update in run.updates if update <= 50]
    assert shown == [*range(11), 20, 30, 40, 50]
    np.testing.assert_allclose(run.thetas[: len(shown)], every[shown], rtol=0, atol=1e-9)
    assert np.abs(every[50] - every[0]).max() > 1


def test_predictions_and_loss_are_those_of_the_network() -> None:
    run, model, (X, y) = symmetry_run("random", SEED, UPDATES), network(), problem()
    for k in (0, 40, 129):
        model.theta = run.thetas[k]
        given = model(X)
        np.testing.assert_allclose(run.predictions[k], given.numpy().ravel(), rtol=1e-12)
        wanted = 0.5 * float(mse(given, y, reduction="sum"))
        assert run.losses[k] == pytest.approx(wanted, rel=1e-12)
        assert loss(run.thetas[k]) == pytest.approx(wanted, rel=1e-12)
    assert y.sum() == 8


def test_the_shipped_seed_shows_the_weights_of_the_paper() -> None:
    run = symmetry_run("random", SEED, UPDATES)
    assert run.solved is not None
    assert 1000 < run.solved < UPDATES
    sizes = run.magnitudes[-1] / run.magnitudes[-1].min(axis=1, keepdims=True)
    np.testing.assert_allclose(sizes, [[1, 1.99, 3.96]] * 2, atol=0.015)
    assert run.lopsidedness[-1] <= 0.006
    signs = np.sign(run.weights[-1])
    assert (signs[:3] == -signs[:2:-1]).all()
    assert (signs[:, 0] == -signs[:, 1]).all(), "the two units look at the middle from opposite sides"
    assert (run.absolute_errors[-1] < 0.1).all()


def test_another_seed_finds_another_code() -> None:
    run = symmetry_run("second", SEED, UPDATES)
    assert run.solved is not None
    assert run.solved < UPDATES
    sizes = run.magnitudes[-1] / run.magnitudes[-1].min(axis=1, keepdims=True)
    np.testing.assert_allclose(sizes, [[1, 1.53, 2.04]] * 2, atol=0.015)
    # Not powers of two, but again no sum of signed sizes is 0: only a symmetric example leaves the unit alone.
    signs = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3)
    sums = np.abs(signs[np.abs(signs).any(axis=1)] @ sizes[0])
    assert sums.min() > 0.4


def test_solved_is_the_first_update_of_all_not_of_the_recorded_ones() -> None:
    full = symmetry_run("random", SEED, UPDATES)
    assert full.solved is not None
    assert symmetry_run("random", SEED, full.solved).solved == full.solved
    assert symmetry_run("random", SEED, full.solved - 1).solved is None


@pytest.mark.parametrize("start", ["zeros", "twins"])
def test_equal_units_stay_equal(start: str) -> None:
    run = symmetry_run(start, SEED, UPDATES)
    assert run.difference.max() < 1e-9
    assert run.solved is None
    np.testing.assert_allclose(run.weights[..., 0], run.weights[..., 1], rtol=0, atol=1e-9)


def test_from_zeros_all_weights_of_a_unit_stay_equal_and_every_prediction_becomes_0() -> None:
    run = symmetry_run("zeros", SEED, UPDATES)
    assert (run.predictions[0] == 0.5).all()
    assert run.losses[0] == 8
    assert np.ptp(run.weights, axis=1).max() < 1e-9
    assert run.predictions[-1].max() < 0.001
    assert run.losses[-1] == pytest.approx(4, abs=0.001), "the loss of always answering 0"


def test_the_random_start_is_within_its_bounds_and_the_twins_are_a_copy() -> None:
    theta, twins = first_theta("random", 5), first_theta("twins", 5)
    assert np.abs(theta).max() <= 0.3
    assert np.abs(theta).min() > 0
    W, b, v, c = unpack(twins)
    own = unpack(theta)
    assert (W == own[0][:, :1]).all()
    assert (b == own[1][:, :1]).all()
    assert (v == own[2][:1]).all()
    assert (c == own[3]).all()
    assert (first_theta("second", 5) == first_theta("second", 6)).all()
    assert not (first_theta("second", 5) == theta).any()


def test_the_names_lie_where_the_weights_do() -> None:
    theta = np.arange(17.0)
    W, b, v, c = (part.ravel() if part.shape != (6, 2) else part for part in unpack(theta))
    by_name = dict(zip(NAMES, theta[ORDER], strict=True))
    assert all(by_name[f"w{i + 1}{j + 1}"] == W[i, j] for i in range(6) for j in range(2))
    assert [by_name[name] for name in ("b1", "b2", "v1", "v2", "c")] == [*b, *v, *c]
    assert tuple(name for names in GROUPS.values() for name in names) == NAMES


# ---------------------------------------------------------------- the check

_WHERE = {
    "right": (),
    "slope": ("hidden weights", "hidden biases"),
    "half": tuple(GROUPS),
    "mean": ("hidden biases", "output bias"),
    "updated": ("hidden weights", "hidden biases"),
    "overwritten": ("hidden weights",),
    "sign": tuple(GROUPS),
    "float32": (),
}


def _checked(fault: str, start: str = "random") -> Check:
    return gradient_check(start, SEED, UPDATES, fault)


def _inside(*groups: str) -> np.ndarray:
    return np.array([any(name in GROUPS[group] for group in groups) for name in NAMES])


@pytest.mark.parametrize("start", STARTS)
def test_the_right_version_is_exact_at_every_update_of_every_start(start: str) -> None:
    check = _checked("right", start)
    assert not check.verdicts.any()
    assert np.maximum(check.relative_errors - check.rounding, 0).max() < EXACT
    if start != "zeros":
        assert check.relative_errors[[0, -1]].max() < EXACT, "where gradients are not tiny, without any allowance"


@pytest.mark.parametrize("fault", FAULTS)
def test_at_random_weights_each_mistake_is_seen_where_it_is_and_nowhere_else(fault: str) -> None:
    check, spoiled = _checked(fault), _inside(*_WHERE[fault])
    assert (check.relative_errors[0][spoiled] > WRONG).all()
    assert (check.verdicts[0][spoiled] == 2).all()
    if fault != "float32":
        assert (check.relative_errors[0][~spoiled] < EXACT).all()


def test_the_mistakes_have_the_sizes_that_arithmetic_gives_them() -> None:
    right = backward(symmetry_run("random", SEED, UPDATES).thetas)
    thetas = symmetry_run("random", SEED, UPDATES).thetas
    np.testing.assert_allclose(_checked("half").relative_errors[[0, -1]], 0.5, rtol=1e-6)
    np.testing.assert_allclose(_checked("sign").relative_errors[[0, -1]], 2, rtol=1e-6)
    biases = _inside("hidden biases", "output bias")
    np.testing.assert_allclose(_checked("mean").relative_errors[[0, -1]][:, biases], 63 / 64, rtol=1e-6)
    # v is used after its own step: every gradient into unit j is (v_j − η dv_j) / v_j times the right one.
    factor = 1 - LR * right[:, 14:16] / thetas[:, 14:16]
    into = backward(thetas, "updated")[:, :12].reshape(-1, 6, 2)
    np.testing.assert_allclose(into, right[:, :12].reshape(-1, 6, 2) * factor[:, None], rtol=1e-9)
    # The last example is 111111: each of its six bits passes the same on.
    last = backward(thetas, "overwritten")[:, :12].reshape(-1, 6, 2)
    assert np.ptp(last, axis=1).max() == 0
    assert (np.abs(last) > 0).all()


def test_a_mistake_in_the_order_hides_when_the_steps_are_small() -> None:
    check, hidden = _checked("updated"), _inside("hidden weights", "hidden biases")
    assert (check.relative_errors[0][hidden] > 0.1).all()
    assert (check.verdicts[-1][hidden] == 1).all()


def test_at_zero_weights_mistakes_below_the_output_are_not_seen() -> None:
    for fault in ("slope", "overwritten"):
        assert not _checked(fault, "zeros").verdicts[0].any()
    assert _checked("slope", "zeros").verdicts[1].any()


def test_float32_is_no_mistake_and_still_not_exact() -> None:
    check = _checked("float32")
    assert set(np.unique(check.verdicts)) == {0, 1}
    assert (check.verdicts[-1] == 1).sum() >= 12


def test_the_right_version_is_the_backward_pass_of_the_library() -> None:
    model, (X, y) = network(), problem()
    for theta in symmetry_run("random", SEED, UPDATES).thetas[[0, 60, 129]]:
        model.theta = theta
        model.zero_grad()
        (0.5 * mse(model(X), y, reduction="sum")).backward()
        np.testing.assert_allclose(backward(theta), model.theta_grad, rtol=1e-9, atol=1e-15)
    report = bplib.gradcheck(lambda: 0.5 * mse(model(X), y, reduction="sum"), params=model)
    assert report.passed


def test_an_error_within_rounding_is_not_held_against_a_version() -> None:
    check = _checked("right", "twins")
    loud = check.relative_errors > EXACT
    assert loud.any(), "on the plateau the gradients are so small that rounding shows"
    assert (check.relative_errors[loud] < check.rounding[loud]).all()
