"""The runs of the optimizer race: the library's own optimizers, the truly best trial, and what a loss scale does."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bplib.landscape import Surface, descend, surface
from bplib.optim import SGD, AdaGrad, Adam, Optimizer, RMSProp
from bplib.widgets.race.run import BUDGETS, ENTRANTS, NAMES, PLACES, STEPS, grid, run, walk

ADAPTIVE = ("AdaGrad", "RMSProp", "Adam")
QUADRATIC = surface("bowl", condition_number=1, curvature=4)


def _optimizer(name: str, params: list, lr: float) -> Optimizer:
    match name:
        case "SGD":
            return SGD(params, lr=lr)
        case "momentum":
            return SGD(params, lr=lr, momentum=0.9)
        case "AdaGrad":
            return AdaGrad(params, lr=lr)
        case "RMSProp":
            return RMSProp(params, lr=lr)
    return Adam(params, lr=lr)


def _alone(place: Surface, name: str, lr: float, start: tuple[float, float], scale: float = 1.0) -> np.ndarray:
    """One optimizer of the library, one step after the other, on the scaled surface."""
    scaled = replace(place, gradient=lambda w: scale * place.gradient(w))
    return descend(scaled, lambda params: _optimizer(name, params, lr), start, STEPS).points


@pytest.mark.parametrize("scale", [1.0, 32.0])
@pytest.mark.parametrize("name", PLACES)
def test_every_path_is_that_of_the_librarys_optimizer(name: str, scale: float) -> None:
    place = PLACES[name]
    race = run(name, place.start, 9, scale)
    for which, one in enumerate(NAMES):
        alone = _alone(place.surface, one, race.rates[which], place.start, scale)
        near = np.abs(alone).max(axis=1) < 1e3
        until = int(near.argmin()) if not near.all() else STEPS + 1
        assert until > 1
        np.testing.assert_allclose(race.points[which, :until], alone[:until], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(race.losses[which, :until], place.surface.f(race.points[which, :until]))


@pytest.mark.parametrize("name", ["ravine", "himmelblau"])
def test_the_rate_kept_is_the_best_of_the_grid_by_a_loop_of_its_own(name: str) -> None:
    place = PLACES[name]
    race = run(name, place.start, 9)
    for which, one in enumerate(NAMES):
        usual = {"SGD": 1e-3, "momentum": 1e-3, "AdaGrad": 1e-2, "RMSProp": 1e-2, "Adam": 1e-3}[one]
        results = {}
        for power in range(-4, 5):
            lr = usual * 10 ** (power / 2)
            end = _alone(place.surface, one, lr, place.start)[-1]
            with np.errstate(over="ignore", invalid="ignore"):
                results[lr] = float(np.nan_to_num(place.surface.f(end), nan=np.inf))
        kept = results[min(results, key=lambda lr: abs(np.log(lr / race.rates[which])))]
        # Two that have converged to 0 differ by rounding alone.
        assert kept <= min(results.values()) + 1e-12
        assert race.losses[which, -1] <= min(results.values()) * (1 + 1e-3) + 1e-12
        np.testing.assert_allclose(race.tried[which], list(results))


@pytest.mark.parametrize("name", PLACES)
def test_a_larger_budget_holds_the_smaller_one_and_never_ends_higher(name: str) -> None:
    ends = [run(name, PLACES[name].start, budget).losses[:, -1] for budget in BUDGETS]
    assert (ends[1] <= ends[0]).all()
    assert (ends[2] <= ends[1]).all()
    assert (ends[2] < 0.5 * ends[0]).any()
    for smaller, larger in pairwise(BUDGETS):
        for few, many in zip(grid(smaller), grid(larger), strict=True):
            assert all(np.isclose(many, rate, rtol=1e-12).any() for rate in few)
    assert grid(1).ravel().tolist() == [one.usual for one in ENTRANTS]


# ---------------------------------------------------------------- the loss × a constant


def test_sgd_jumps_out_where_the_loss_is_multiplied_and_adam_does_not_notice() -> None:
    """½·4·w² from w = 1 at η = 0.07: a step multiplies by 1 − 0.28 · scale, which is −7.96 at × 32."""
    rates = np.full((5, 1), 0.07)
    once, often = (walk(QUADRATIC, rates, (0.0, 1.0), 4, scale)[:, 0, :, 1] for scale in (1.0, 32.0))
    np.testing.assert_allclose(once[0], 0.72 ** np.arange(5))
    np.testing.assert_allclose(often[0], (-7.96) ** np.arange(5))
    assert [round(abs(w)) for w in often[0, 1:]] == [8, 63, 504, 4015]
    np.testing.assert_allclose(often[4], once[4], rtol=0, atol=1e-8)
    assert abs(often[1] - once[1]).max() > 100


@pytest.mark.parametrize("name", PLACES)
def test_without_epsilon_adams_path_is_the_same_at_every_scale(name: str) -> None:
    place = PLACES[name]
    paths = []
    for scale in (1.0, 32.0, 1000.0):
        scaled = replace(place.surface, gradient=lambda w, c=scale: c * place.surface.gradient(w))
        paths.append(descend(scaled, lambda params: Adam(params, lr=0.1, eps=0.0), place.start, STEPS).points)
    np.testing.assert_allclose(paths[1], paths[0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(paths[2], paths[0], rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", PLACES)
def test_a_scale_is_a_larger_rate_for_sgd_and_nothing_for_the_adaptive_ones(name: str) -> None:
    place, rates = PLACES[name], grid(3)
    scaled = walk(place.surface, rates, place.start, 3, 32.0)
    larger = walk(place.surface, 32 * rates, place.start, 3)
    np.testing.assert_allclose(scaled[:2], larger[:2], rtol=1e-9)
    for budget in BUDGETS:
        for scale in (32.0, 1000.0):
            race = run(name, place.start, budget, scale)
            assert race.changed[:, -1].tolist() == [True, True, False, False, False]
            unscaled = run(name, place.start, budget)
            assert np.abs(race.points[2:] - unscaled.points[2:]).max() < 1e-5
            np.testing.assert_array_equal(race.rates, unscaled.rates)
            assert not race.changed[:, 0].any()


# ---------------------------------------------------------------- effective steps


@pytest.mark.parametrize("scale", [1.0, 32.0])
def test_the_effective_step_is_that_of_each_methods_formula(scale: float) -> None:
    place = PLACES["rosenbrock"]
    race = run("rosenbrock", place.start, 1, scale)
    shown = slice(1, 60)
    adagrad, rmsprop, adam = scale * place.surface.gradient(race.points[2:, :-1])
    assert np.isnan(race.effective[:, 0]).all()
    if scale == 1:
        np.testing.assert_allclose(race.effective[0, shown], race.rates[0], rtol=1e-4)
    sums = np.sqrt(np.cumsum(adagrad**2, axis=0))
    np.testing.assert_allclose(race.effective[2, 1:], race.rates[2] / sums, rtol=1e-3)
    average, wanted = np.zeros(2), []
    for gradient in rmsprop:
        average = 0.99 * average + 0.01 * gradient**2
        wanted.append(race.rates[3] / np.sqrt(average))
    np.testing.assert_allclose(race.effective[3, shown], wanted[:59], rtol=1e-3)
    np.testing.assert_allclose(race.effective[4, 1] * np.abs(adam[0]), race.rates[4], rtol=1e-6)
    np.testing.assert_allclose(race.effective[3, 1] * np.abs(rmsprop[0]), 10 * race.rates[3], rtol=1e-6)


def test_where_a_weight_has_arrived_no_step_is_measured() -> None:
    race = run("himmelblau", PLACES["himmelblau"].start, 9)
    arrived = race.losses[3, 60:-1] == 0
    assert arrived.any()
    assert np.isnan(race.effective[3, 61:][arrived]).all()
    assert np.isfinite(race.effective[0, 1:70]).all()


# ---------------------------------------------------------------- what the surfaces show


def test_the_turned_valley_is_the_same_for_sgd_and_takes_the_lead_from_those_that_scale_each_weight() -> None:
    bowl, ravine = (run(name, PLACES[name].start, 9).losses[:, -1] for name in ("bowl", "ravine"))
    np.testing.assert_allclose(ravine[:2], bowl[:2], rtol=0.02)
    assert (ravine[2:] > 50 * bowl[2:]).all()
    for name in ("bowl", "ravine"):
        place = PLACES[name].surface
        np.testing.assert_allclose(np.linalg.eigvalsh(place.hessian(np.zeros(2))), [1, 25])
        along = np.array([1.0, 0.0]) if name == "bowl" else np.sqrt(0.5) * np.ones(2)
        assert along @ np.array(PLACES[name].start) == pytest.approx(-2.2, abs=0.01)
        assert np.linalg.norm(PLACES[name].start) == pytest.approx(np.hypot(2.2, 1.2), abs=0.01)


def test_optimizers_end_in_different_minima_and_sgd_waits_longest_beside_the_saddle() -> None:
    place = PLACES["himmelblau"]
    race = run("himmelblau", place.start, 9)
    apart = np.linalg.norm(race.points[:, -1, None] - place.surface.minima, axis=-1)
    assert (apart.min(axis=1) < 0.1).all()
    assert apart.argmin(axis=1).tolist() == [3, 3, 0, 0, 0]
    saddle = (3.38515, 0.07385)
    assert np.abs(place.surface.gradient(np.array(saddle))).max() < 1e-3
    left = [int((curve < curve[0] / 2).argmax()) for curve in run("himmelblau", (3.4, 0.07), 9).losses]
    assert left[0] == max(left) > 30
    assert max(left[1:]) < 15


def test_a_walk_has_left_only_if_it_does_not_come_back() -> None:
    race = run("ravine", PLACES["ravine"].start, 9, 32.0)
    assert race.diverged.tolist() == [True, True, False, False, False]
    for which in (0, 1):
        k = race.left[which]
        assert np.abs(race.points[which, k - 1]).max() <= 2.5
        after = race.points[which, k:]
        assert not (np.abs(after) <= 2.5).all(axis=1).any()
    assert np.abs(race.points[3]).max() > 2.5, "RMSProp swings out of the picture"
    assert race.left.tolist()[2:] == [STEPS + 1] * 3, "and comes back"


def test_a_rate_set_by_hand_moves_that_optimizer_alone() -> None:
    tuned = run("bowl", (1.0, 1.0), 9)
    own = run("bowl", (1.0, 1.0), 9, own=(("Adam", 0.3),))
    assert own.rates.tolist() == [*tuned.rates[:4], 0.3]
    np.testing.assert_array_equal(own.points[:4], tuned.points[:4])
    np.testing.assert_allclose(own.points[4], _alone(PLACES["bowl"].surface, "Adam", 0.3, (1.0, 1.0)), atol=1e-9)
    assert tuned.at_the_end[4]
    assert not own.at_the_end[4]


def test_at_the_minimum_nothing_moves_and_no_trial_is_at_the_end_of_its_grid() -> None:
    race = run("bowl", (0.0, 0.0), 9, 32.0)
    assert (race.points == 0).all()
    assert not race.at_the_end.any()
    assert not race.diverged.any()
    assert not race.changed.any()
    assert np.isnan(race.effective).all()
