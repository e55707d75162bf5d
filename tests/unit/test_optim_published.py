"""Every optimizer, schedule and clip against another library's numbers and closed forms, and what they refuse."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim, tensor
from bplib.errors import BplibError, DataError, DomainError

PUBLISHED = json.loads((Path(__file__).parent / "published/optimizers.json").read_text("utf-8"))
METHODS = ["SGD", "AdaGrad", "RMSProp", "AdaDelta", "Adam", "AdamW", "NAdam"]


def pairs(options):
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def loss_of(problem, theta):
    if problem == "parabola":
        return (theta * theta * [0.5, 5.0, 0.05]).sum()
    x, y = theta[0], theta[1]
    return (1 - x) ** 2 + 5 * (y - x**2) ** 2


def walk(optimizer, theta, problem, steps=20):
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(problem, theta).backward()
        optimizer.step()
        path.append(theta.numpy())
    return np.array(path)


def learner(**options):
    return optim.SGD([tensor([1.0], requires_grad=True)], lr=0.1, **options)


# ---------------------------------------------------------------- published paths


def test_every_method_is_there_with_twenty_steps_on_two_problems():
    found = {(c["optimizer"], c["problem"]) for c in PUBLISHED["optimizers"] if len(c["path"]) == 20}
    assert found == {(m, p) for m in METHODS for p in ("parabola", "rosenbrock")}
    assert {n for n in optim.__all__ if hasattr(getattr(optim, n), "_update")} == {*METHODS, "Optimizer"}


@pytest.mark.parametrize(
    "case", PUBLISHED["optimizers"], ids=[f"{c['optimizer']}-{c['problem']}-{c['options']}" for c in
                                         PUBLISHED["optimizers"]],
)  # fmt: skip
def test_twenty_steps_are_the_published_ones(case):
    theta = tensor(case["start"], requires_grad=True)
    optimizer = getattr(optim, case["optimizer"])([theta], **pairs(case["options"]))
    np.testing.assert_allclose(walk(optimizer, theta, case["problem"]), case["path"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "case", PUBLISHED["schedules"], ids=[f"{c['schedule']}-{c['options']}" for c in PUBLISHED["schedules"]]
)
def test_thirty_rates_are_the_published_ones_stepped_and_foreseen(case):
    optimizer = learner()
    schedule = getattr(optim, case["schedule"])(optimizer, **case["options"])
    foreseen = schedule.rates(30)
    stepped = [schedule.lr[0]]
    for _ in range(29):
        schedule.step()
        stepped.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(stepped, case["rates"], rtol=1e-12, atol=1e-16)
    np.testing.assert_array_equal(foreseen, stepped)


@pytest.mark.parametrize("case", PUBLISHED["plateaus"], ids=[str(c["options"]) for c in PUBLISHED["plateaus"]])
def test_the_plateau_is_seen_where_the_other_library_sees_it(case):
    schedule = optim.ReduceLROnPlateau(learner(), **case["options"])
    found = []
    for loss in case["losses"]:
        schedule.step(loss)
        found.append(schedule.lr[0])
    np.testing.assert_allclose(found, case["rates"], rtol=1e-12)
    assert len(set(found)) > 1


# ---------------------------------------------------------------- closed forms


def test_the_decay_of_adamw_is_decoupled_and_that_of_adam_is_not():
    ends = {}
    for make in (optim.Adam, optim.AdamW):
        w = tensor([1.0, 1.0], requires_grad=True)
        optimizer = make([w], lr=0.01, weight_decay=0.1)
        for _ in range(50):
            optimizer.zero_grad()
            (w * [1.0, 1000.0] * 0.0).sum().backward()
            optimizer.step()
        ends[make.__name__] = w.numpy()
    np.testing.assert_allclose(ends["AdamW"], [(1 - 0.01 * 0.1) ** 50] * 2, rtol=1e-12)
    assert ends["Adam"][0] < 0.6


def test_rmsprop_under_a_constant_gradient_ends_at_steps_of_the_rate():
    w = tensor([0.0], requires_grad=True)
    optimizer = optim.RMSProp([w], lr=0.1, alpha=0.9)
    for t in range(1, 200):
        before = w.item()
        w.zero_grad()
        (w * 7.0).sum().backward()
        optimizer.step()
        assert before - w.item() == pytest.approx(0.1 / math.sqrt(1 - 0.9**t), rel=1e-6)


def test_adadelta_does_not_depend_on_the_unit_of_the_loss():
    paths = []
    for scale in (1.0, 1e6):
        theta = tensor([1.0, -2.0], requires_grad=True)
        optimizer = optim.AdaDelta([theta], eps=1e-30)
        path = []
        for _ in range(20):
            optimizer.zero_grad()
            ((theta * theta).sum() * scale).backward()
            optimizer.step()
            path.append(theta.numpy())
        paths.append(np.array(path))
    np.testing.assert_allclose(paths[1], paths[0], rtol=1e-9)


def test_the_momenta_of_nadam_multiply_up_also_after_a_pause():
    from bplib.optim.moment_steps import _product_of_momenta

    expected = 1.0
    for t in range(1, 1001):
        expected *= 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))
        if t in (1, 2, 255, 256, 257, 513, 1000):
            _product_of_momenta.cache_clear()
            assert _product_of_momenta(0.9, 0.004, t) == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", METHODS)
def test_one_vector_and_separate_tensors_learn_alike_and_saved_state_resumes(name):
    def build():
        model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))
        return model, getattr(optim, name)(model.parameters(), lr=0.01)

    x, y = np.random.default_rng(0).normal(size=(8, 3)), np.random.default_rng(1).normal(size=(8, 2))

    def steps(model, optimizer, n):
        for _ in range(n):
            optimizer.zero_grad()
            losses.mse(model(x), y).backward()
            optimizer.step()

    model, optimizer = build()
    steps(model, optimizer, 7)
    loose = [tensor(p.numpy(), requires_grad=True) for p in build()[0].parameters()]
    free = getattr(optim, name)(loose, lr=0.01)
    for _ in range(7):
        free.zero_grad()
        losses.mse(bplib.tanh(x @ loose[0] + loose[1]) @ loose[2] + loose[3], y).backward()
        free.step()
    np.testing.assert_allclose(np.concatenate([p.data.ravel() for p in loose]), model.theta, rtol=1e-10)
    other, its = build()
    steps(other, its, 3)
    third, resumed = build()
    third.load_state_dict(other.state_dict())
    resumed.load_state_dict(its.state_dict())
    steps(third, resumed, 4)
    np.testing.assert_array_equal(third.theta, model.theta)


@pytest.mark.parametrize("name", METHODS)
def test_float32_stays_and_a_run_that_diverges_says_nothing(name):
    model = nn.Linear(3, 2, rng=0).astype(np.float32)
    optimizer = getattr(optim, name)(model.parameters(), lr=1e38)
    x = np.full((2, 3), 1e3, np.float32)
    for _ in range(4):
        optimizer.zero_grad()
        losses.mse(model(x), np.zeros((2, 2), np.float32)).backward()
        optimizer.step()
    assert model.theta.dtype == np.float32


# ---------------------------------------------------------------- schedules


def test_warm_ups_and_lambda_by_their_formulas():
    np.testing.assert_allclose(optim.LinearWarmup(learner(), 4).rates(6), [0.025, 0.05, 0.075, 0.1, 0.1, 0.1])
    rates = optim.InverseSqrtLR(learner(), 4).rates(16)
    np.testing.assert_allclose(rates[[0, 3, 15]], [0.025, 0.1, 0.05])
    assert rates.argmax() == 3
    np.testing.assert_allclose(optim.LambdaLR(learner(), lambda t: 0.5**t).rates(3), [0.1, 0.05, 0.025])
    cycle = optim.OneCycleLR(learner(), 1.0, 10)
    np.testing.assert_allclose(cycle.rates(14)[9:], [4e-6] * 5)


def test_every_group_has_its_own_base_rate():
    a, b = (tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b]}], lr=0.1)
    schedule = optim.ExponentialLR(optimizer, 0.5)
    schedule.step()
    assert schedule.lr == [0.5, 0.05]
    plateau = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, min_lr=0.2)
    plateau.step(1.0)
    plateau.step(math.nan)
    assert plateau.lr == [0.25, 0.05]  # what is below min_lr already stays
    plateau.step(math.nan)
    assert plateau.lr == [0.2, 0.05]


def test_a_step_to_a_rate_that_is_not_finite_changes_nothing():
    a, b = (tensor([1.0], requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([{"params": [a], "lr": 1.0}, {"params": [b], "lr": 1e300}], lr=0.1)
    schedule = optim.ExponentialLR(optimizer, 1e9)
    with pytest.raises(DomainError, match="the rate after 1 steps is not finite"):
        schedule.step()
    assert (schedule.t, schedule.lr) == (0, [1.0, 1e300])
    with pytest.raises(DomainError, match="the rate after 1 steps is not finite"):
        schedule.load_state_dict({"t": 1, "base_rates": [1.0, 1e300]})
    assert (schedule.t, schedule.lr) == (0, [1.0, 1e300])


def test_schedules_can_be_saved_and_loaded():
    first, second = (optim.CosineAnnealingLR(learner(), 10) for _ in range(2))
    for _ in range(4):
        first.step()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.lr == first.lr
    first.step()
    second.step()
    assert (second.t, second.lr) == (5, first.lr)
    plateaus = [optim.ReduceLROnPlateau(learner(), patience=1) for _ in range(2)]
    for loss in (1.0, 2.0):
        plateaus[0].step(loss)
    plateaus[1].load_state_dict(plateaus[0].state_dict())
    for plateau in plateaus:
        plateau.step(2.0)
    assert plateaus[1].lr == plateaus[0].lr == [pytest.approx(0.01)]
    two = optim.SGD([{"params": [tensor([1.0], requires_grad=True)]} for _ in range(2)], lr=0.1)
    with pytest.raises(DataError, match="StepLR: the saved state has 1 groups, the optimizer has 2"):
        optim.StepLR(two, 3).load_state_dict(optim.StepLR(learner(), 3).state_dict())


def test_a_replayed_step_keeps_schedule_and_clipping():
    x, y = np.random.default_rng(0).normal(size=(8, 3)), np.random.default_rng(1).normal(size=(8, 1))

    def made():
        model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
        optimizer = optim.SGD(model.parameters(), lr=0.5)
        schedule = optim.ExponentialLR(optimizer, 0.9)

        def step():
            optimizer.zero_grad()
            loss = losses.mse(model(x), y)
            loss.backward()
            optim.clip_grad_norm(model.parameters(), 0.1)
            optim.clip_grad_value(model.parameters(), 0.05)
            optimizer.step()
            schedule.step()
            return loss

        return model, step

    model, step = made()
    again, repeated = made()
    run = bplib.replay(repeated)
    for _ in range(5):
        step()
        run()
    np.testing.assert_allclose(again.theta, model.theta, rtol=1e-12)


# ---------------------------------------------------------------- clipping


def gradients_of(*arrays):
    tensors = [tensor(np.zeros_like(a), requires_grad=True) for a in arrays]
    for t, a in zip(tensors, arrays, strict=True):
        (t * a).sum().backward()
    return tensors


def test_the_norm_is_that_of_all_parameters_together():
    a, b = gradients_of(np.array([3.0, 0.0]), np.array([[4.0], [12.0]]))
    none = tensor([1.0], requires_grad=True)
    assert optim.clip_grad_norm([a, none, b], 6.5) == 13.0
    np.testing.assert_allclose(a.grad, [1.5, 0.0], rtol=1e-15)
    np.testing.assert_allclose(b.grad, [[2.0], [6.0]], rtol=1e-15)
    assert none.grad is None
    assert optim.clip_grad_norm([a, b], 6.6) == pytest.approx(6.5)
    np.testing.assert_allclose(a.grad, [1.5, 0.0], rtol=1e-15)


def test_very_long_and_very_short_gradients_keep_their_direction():
    (w,) = gradients_of(np.array([3e200, 4e200]))
    assert optim.clip_grad_norm([w], 1.0) == pytest.approx(5e200)
    np.testing.assert_allclose(w.grad, [0.6, 0.8])
    (w,) = gradients_of(np.array([3e-200, 4e-200]))
    assert optim.clip_grad_norm([w], 1.0) == pytest.approx(5e-200)
    (w,) = gradients_of(np.zeros(2))
    assert optim.clip_grad_norm([w], 1.0) == 0.0
    assert optim.clip_grad_norm([], 1.0) == 0.0


def test_clipping_a_model_acts_on_its_one_vector():
    model = nn.Linear(2, 1, rng=0)
    losses.mse(model([[100.0, 100.0]]), [[0.0]]).backward()
    optim.clip_grad_norm(model.parameters(), 0.5)
    assert np.linalg.norm(model.theta_grad) == pytest.approx(0.5)
    optim.clip_grad_value(model.parameters(), 0.1)
    assert np.abs(model.theta_grad).max() == 0.1


def test_a_gradient_that_is_no_number_is_named_and_nothing_changes():
    a, b = gradients_of(np.array([3.0]), np.array([math.nan, 1.0]))
    b.name = "W2"
    with pytest.raises(DomainError, match=r"clip_grad_norm: the gradient of the parameter 'W2' .*detect_anomaly"):
        optim.clip_grad_norm([a, b], 1.0)
    assert a.grad.tolist() == [3.0]
    b.name = None
    with pytest.raises(DomainError, match=r"the gradient of parameter 1, of shape \(2,\), holds an infinity or NaN"):
        optim.clip_grad_norm([a, b], 1.0)


# ---------------------------------------------------------------- refusals


def make(name, **settings):
    return getattr(optim, name)([tensor([1.0], requires_grad=True)], **settings)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("lr", "error"), [(-0.1, DomainError), (math.nan, DomainError), ("0.1", DataError),
                                           (None, DataError), ([0.1], DataError), (math.inf, DomainError)])  # fmt: skip
def test_no_optimizer_takes_an_impossible_rate(name, lr, error):
    with pytest.raises(error, match=rf"{name}: lr is .*Expected") as caught:
        make(name, lr=lr)
    assert isinstance(caught.value, BplibError)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        *[(lambda n=n: make(n, lr=0.1, eps=-1e-8), DomainError, f"{n}: eps is -1e-08") for n in METHODS if n != "SGD"],
        *[(lambda n=n: make(n, betas=(0.9, 1.0)), DomainError, f"{n}: betas[1] is 1") for n in METHODS[4:]],
        *[(lambda n=n: make(n, betas=0.9), DataError, f"{n}: betas is 0.9") for n in METHODS[4:]],
        *[(lambda n=n: make(n, weight_decay=-1), DomainError, f"{n}: weight_decay is -1") for n in METHODS[4:]],
        (lambda: make("RMSProp", lr=0.1, alpha=1.0), DomainError, "RMSProp: alpha is 1"),
        (lambda: make("RMSProp", lr=0.1, momentum=-0.1), DomainError, "RMSProp: momentum is -0.1"),
        (lambda: make("RMSProp", lr=0.1, momentum=1.0), DomainError, "RMSProp: momentum is 1"),
        (lambda: make("AdaDelta", rho=1.0), DomainError, "AdaDelta: rho is 1"),
        (lambda: make("NAdam", momentum_decay=-1), DomainError, "NAdam: momentum_decay is -1"),
        (lambda: optim.StepLR("SGD", 3), DataError, "StepLR: optimizer is of type str"),
        (lambda: optim.StepLR(learner(), 0), DomainError, "StepLR: step_size is 0"),
        (lambda: optim.StepLR(learner(), 3, gamma=math.nan), DomainError, "StepLR: gamma is nan"),
        (lambda: optim.ExponentialLR(learner(), -0.5), DomainError, "ExponentialLR: gamma is -0.5"),
        (lambda: optim.CosineAnnealingLR(learner(), 0), DomainError, "CosineAnnealingLR: T_max is 0"),
        (lambda: optim.CosineAnnealingLR(learner(), 10, -1), DomainError, "CosineAnnealingLR: eta_min is -1"),
        (lambda: optim.InverseSqrtLR(learner(), 1.5), DataError, "InverseSqrtLR: warmup is 1.5"),
        (lambda: optim.LinearWarmup(learner(), "4"), DataError, "LinearWarmup: steps is '4'"),
        (lambda: optim.OneCycleLR(learner(), -1.0, 10), DomainError, "OneCycleLR: max_lr is -1"),
        (lambda: optim.OneCycleLR(learner(), 1.0, 1), DomainError, "OneCycleLR: total_steps is 1"),
        (lambda: optim.OneCycleLR(learner(), 1.0, 10, 0.1), DomainError, "more than 1. Try a larger pct_start"),
        (lambda: optim.LambdaLR(learner(), 0.9), DataError, "LambdaLR: f is 0.9"),
        (lambda: optim.LambdaLR(learner(), lambda t: -1.0), DomainError, "LambdaLR: f(0) is -1"),
        (lambda: optim.LambdaLR(learner(), lambda t: None), DataError, "LambdaLR: f(0) is None"),
        (lambda: optim.ReduceLROnPlateau(learner(), factor=1.0), DomainError, "ReduceLROnPlateau: factor is 1"),
        (lambda: optim.ReduceLROnPlateau(learner(), patience=-1), DomainError, "ReduceLROnPlateau: patience is -1"),
        (lambda: optim.ReduceLROnPlateau(learner()).load_state_dict({"lr": []}), DataError, "another number of groups"),
        (lambda: optim.ExponentialLR(learner(), 0.9).rates(0), DomainError, "ExponentialLR.rates: n is 0"),
        (lambda: optim.clip_grad_norm(tensor([1.0]), 1.0), DataError, "clip_grad_norm: params is of type Tensor"),
        (lambda: optim.clip_grad_norm([1.0], 1.0), DataError, "clip_grad_norm: expected tensors, got float"),
        (lambda: optim.clip_grad_norm([], -1.0), DomainError, "clip_grad_norm: max_norm is -1"),
        (lambda: optim.clip_grad_value([], "1"), DataError, "clip_grad_value: limit is '1'"),
        (lambda: optim.clip_grad_value(None, 1.0), DataError, "clip_grad_value: params is of type NoneType"),
    ],
)
def test_bad_settings_are_refused_in_words(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value), str(caught.value)


def test_a_parameter_without_a_gradient_is_left_out_of_clipping_by_value():
    frozen, alive = tensor([1.0], requires_grad=True), tensor([1.0, 1.0], requires_grad=True)
    (alive * [3.0, -0.5]).sum().backward()
    optim.clip_grad_value([frozen, alive], 1.0)
    assert frozen.grad is None
    assert alive.grad.tolist() == [1.0, -0.5]
