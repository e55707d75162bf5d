"""Optimizers: closed forms, papers' conventions, mutants, and what they refuse."""

import copy
import math

import numpy as np
import pytest

import bplib
from bplib import losses, nn, tensor
from bplib.errors import DataError, DomainError, ShapeError
from bplib.optim import SGD, AdaGrad, Adam, adagrad_step, adam_step, adamw_step, nadam_step, sgd_step

MAKERS = {
    "sgd": lambda p: SGD(p, lr=0.1),
    "momentum": lambda p: SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adagrad": lambda p: AdaGrad(p, lr=0.1),
    "adam": lambda p: Adam(p, lr=0.1),
    "amsgrad": lambda p: Adam(p, lr=0.1, amsgrad=True, weight_decay=0.01),
    "uncorrected": lambda p: Adam(p, lr=0.1, bias_correction=False),
}


def textbook(name, theta, grads):
    """Plain formulas, one line each, kept apart from the library's."""
    theta, v, m, s, top = np.array(theta), 0.0, 0.0, 0.0, 0.0
    for t, gradient in enumerate(grads, 1):
        g = gradient(theta)
        if name in ("nesterov", "amsgrad"):
            g = g + 0.01 * theta
        if name == "sgd":
            theta = theta - 0.1 * g
        elif name == "momentum":
            v = 0.9 * v + g
            theta = theta - 0.1 * v
        elif name == "nesterov":
            v = 0.9 * v + g
            theta = theta - 0.1 * (g + 0.9 * v)
        elif name == "adagrad":
            s = s + g**2
            theta = theta - 0.1 * g / (np.sqrt(s) + 1e-10)
        else:
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
            top = np.maximum(top, s)
            use = top if name == "amsgrad" else s
            m_hat, s_hat = (m, use) if name == "uncorrected" else (m / (1 - 0.9**t), use / (1 - 0.999**t))
            theta = theta - 0.1 * m_hat / (np.sqrt(s_hat) + 1e-8)
    return theta


def model_of(seed=0):
    return nn.Sequential(nn.Linear(3, 4, rng=seed), nn.Tanh(), nn.Linear(4, 2, rng=seed + 1))


X, Y = np.random.default_rng(5).normal(size=(2, 6, 3))
Y = Y[:, :2]


def take_step(model, optimizer, x=X):
    optimizer.zero_grad()
    loss = bplib.losses.mse(model(x), Y)
    loss.backward()
    optimizer.step()
    return loss.item()


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("problem", ["parabola", "rosenbrock"])
def test_twenty_steps_follow_the_textbook(name, problem):
    surface = bplib.landscape.surface("bowl" if problem == "parabola" else problem)
    start = [1.0, -0.5] if problem == "parabola" else [0.9, 0.8]
    w = tensor(start, requires_grad=True)
    optimizer = MAKERS[name]([w])
    for _ in range(20 if problem == "parabola" else 3):
        w.grad = surface.gradient(w.data)
        optimizer.step()
    wanted = textbook(name, start, [surface.gradient] * (20 if problem == "parabola" else 3))
    np.testing.assert_allclose(w.data, wanted, rtol=1e-12)


@pytest.mark.parametrize("lr", [0.03, 0.1, 0.25, 0.45, 0.5, 0.6])
def test_gradient_descent_on_a_parabola_shrinks_by_one_minus_rate_times_curvature(lr):
    w = np.array([1.0])
    for _ in range(7):
        sgd_step(w, 4.0 * w, lr=lr)
    assert w[0] == pytest.approx((1 - 4.0 * lr) ** 7, rel=1e-12, abs=1e-15)


def test_momentum_converges_at_the_root_of_the_coefficient():
    """Polyak (1964); Goh (2017): the best rate for condition number 100 shrinks by 0.818182 a step."""
    root = math.sqrt(100.0)
    beta, alpha = ((root - 1) / (root + 1)) ** 2, (2 / (1 + root)) ** 2
    assert (round(alpha, 6), round(beta, 6)) == (0.033058, 0.669421)
    for curvature in (1.0, 100.0):
        step = np.zeros((2, 2))
        for column, state in enumerate(([1.0, 0.0], [0.0, 1.0])):
            w, v = np.array([state[0]]), np.array([state[1]])
            sgd_step(w, curvature * w, v, lr=alpha, momentum=beta)
            step[:, column] = w[0], v[0]
        assert np.abs(np.linalg.eigvals(step)).max() == pytest.approx(9 / 11, rel=1e-6)


@pytest.mark.parametrize("g", [1e-3, 1.0, -1e3])
def test_the_first_step_of_adam_and_adagrad_has_the_length_of_the_rate(g):
    for optimizer in (Adam, AdaGrad):
        w = tensor([0.0], requires_grad=True)
        w.grad = [g]
        optimizer([w], lr=0.01).step()
        assert w.data[0] == pytest.approx(-0.01 * np.sign(g), rel=2e-5)
    w = tensor([0.0], requires_grad=True)
    w.grad = [g]
    Adam([w], lr=0.01, bias_correction=False).step()
    assert w.data[0] == pytest.approx(-0.01 * 0.1 / math.sqrt(0.001) * np.sign(g), rel=1e-3)


def test_adagrad_under_a_constant_gradient_slows_with_the_root_of_time():
    w, s = np.array([0.0]), np.array([0.0])
    sizes = []
    for _ in range(9):
        before = w.copy()
        adagrad_step(w, np.array([3.0]), s, lr=0.3)
        sizes.append((before - w)[0])
    np.testing.assert_allclose(sizes, 0.3 / np.sqrt(np.arange(1, 10)), rtol=1e-9)


def test_adam_by_hand_and_the_slips_that_give_other_numbers():
    """g = 0.5 then −1.0, η = 0.1, ε = 0.01, from 0: the right w₂, and four well-known wrong ones."""

    def w2(step):
        w, m, v = np.zeros(1), np.zeros(1), np.zeros(1)
        for t, g in enumerate([0.5, -1.0], 1):
            step(w, np.array([g]), m, v, t)
        return round(float(w[0]), 7)

    assert w2(lambda w, g, m, v, t: adam_step(w, g, m, v, t, lr=0.1, eps=0.01)) == -0.0618861
    assert w2(lambda w, g, m, v, t: adam_step(w, g, m, v, t, lr=0.1, eps=0.01, betas=(0.999, 0.9))) == -0.0672411
    assert w2(lambda w, g, m, v, t: adam_step(w, g, m, v, t + 1, lr=0.1, eps=0.01)) == -0.0414180
    assert w2(lambda w, g, m, v, t: adam_step(w, g, m, v, t, lr=0.1, eps=0.01, bias_correction=False)) == -0.0724388


@pytest.mark.parametrize("name", MAKERS)
def test_one_vector_and_separate_tensors_learn_alike(name):
    model = model_of()
    flat = MAKERS[name](model.parameters())
    leaves = [tensor(p.data, requires_grad=True) for p in model.parameters()]
    separate = MAKERS[name](leaves)
    for _ in range(5):
        flat.zero_grad()
        bplib.losses.mse(model(X), Y).backward()
        flat.step()
        separate.zero_grad()
        hidden = bplib.tanh(bplib.linear(X, leaves[0], leaves[1]))
        bplib.losses.mse(bplib.linear(hidden, leaves[2], leaves[3]), Y).backward()
        separate.step()
    for a, b in zip(model.parameters(), leaves, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_a_parameter_without_a_gradient_stays_and_keeps_its_own_count(name):
    model, twin = model_of(), model_of()
    optimizer = MAKERS[name](model.parameters())
    frozen = model[0]
    before = frozen.weight.numpy()
    for _ in range(3):
        optimizer.zero_grad()
        hidden = bplib.tanh(model[0](X)).detach()
        bplib.losses.mse(model[2](hidden), Y).backward()
        optimizer.step()
    np.testing.assert_array_equal(frozen.weight.data, before)
    take_step(model, optimizer)
    # The layer that slept takes its first step now: the same as in a fresh optimizer.
    twin.theta = model.theta
    twin[0].weight.assign(before)
    moved = frozen.weight.data - before
    fresh = model_of()
    fresh.load_state_dict({**model.state_dict(), "0.weight": before})
    w = tensor(before, requires_grad=True)
    w.grad = frozen.weight.grad
    MAKERS[name]([w]).step()
    np.testing.assert_allclose(moved, w.data - before, rtol=1e-12)


def test_a_model_that_moves_house_takes_its_optimizer_along():
    model, still = model_of(), model_of()
    optimizer, reference = Adam(model.parameters(), lr=0.1), Adam(still.parameters(), lr=0.1)
    take_step(model, optimizer), take_step(still, reference)
    nn.Sequential(nn.Linear(1, 3, rng=0), model).theta  # noqa: B018 - a larger home
    take_step(model, optimizer), take_step(still, reference)
    np.testing.assert_allclose(model.theta, still.theta, rtol=1e-12)
    model.astype(np.float32)
    take_step(model, optimizer)
    take_step(still, reference)
    assert model.theta.dtype == np.float32
    np.testing.assert_allclose(model.theta, still.theta, rtol=1e-5)


def test_parameters_that_are_no_longer_neighbours_are_updated_one_by_one():
    a, b, between = nn.Linear(2, 1, rng=0), nn.Linear(1, 3, rng=1), nn.Linear(3, 2, rng=2)
    members = [*a.parameters(), *b.parameters()]
    optimizer = SGD(members, lr=0.5)
    for p in members:
        p.grad = np.ones(p.shape)
    optimizer.step()
    nn.Sequential(b, between, a).theta  # noqa: B018
    before, rest = [p.numpy() for p in members], between.theta.copy()
    optimizer.step()
    for p, old in zip(members, before, strict=True):
        np.testing.assert_allclose(p.data, old - 0.5, rtol=1e-15)
    np.testing.assert_array_equal(between.theta, rest)


@pytest.mark.parametrize("sleeper", [0, 1])
def test_the_bias_correction_counts_each_parameters_own_steps(sleeper):
    pair, alone = ([nn.Parameter([1.0, 2.0]), nn.Parameter([3.0])] for _ in range(2))
    together, separate = Adam(pair, lr=0.1), [Adam([p], lr=0.1) for p in alone]
    for step in range(4):
        for i, (p, q) in enumerate(zip(pair, alone, strict=True)):
            p.grad = q.grad = None if step < 2 and i == sleeper else np.full(p.shape, 1.0 + step)
        together.step()
        for optimizer in separate:
            optimizer.step()
    for p, q in zip(pair, alone, strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-13)


def test_an_optimizer_over_part_of_a_model_leaves_the_rest_alone():
    model = model_of()
    model.theta  # noqa: B018
    rest = model[0].weight.numpy()
    optimizer = SGD(model[2].parameters(), lr=0.1)
    take_step(model, optimizer)
    np.testing.assert_array_equal(model[0].weight.data, rest)
    assert model.theta.size == 26


def test_groups_have_settings_of_their_own():
    a, b = tensor([1.0], requires_grad=True), tensor([1.0], requires_grad=True)
    optimizer = SGD([{"params": [a], "lr": 0.5}, {"params": [b]}], lr=0.1)
    (a + b).sum().backward()
    optimizer.step()
    assert (a.data[0], b.data[0]) == (0.5, 0.9)


def test_large_vectors_are_updated_in_blocks_without_a_seam():
    start = np.random.default_rng(0).normal(size=40_000)
    w, theta, m, v = tensor(start, requires_grad=True), start.copy(), np.zeros(40_000), np.zeros(40_000)
    optimizer = Adam([w], lr=0.01)
    for t in (1, 2):
        w.grad = start
        optimizer.step()
        adam_step(theta, start, m, v, t, lr=0.01)
    np.testing.assert_array_equal(w.data, theta)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}, {"bias_correction": False}])
def test_memory_to_compute_in_changes_no_bit_of_a_step(dtype, settings):
    rng = np.random.default_rng(0)
    start, grad = rng.normal(size=(2, 5)).astype(dtype)
    results = []
    for room in (None, np.full(5, np.nan, dtype)):
        theta, m, v, top = start.copy(), *np.zeros((3, 5), dtype)
        for t in (1, 2, 3):
            adam_step(theta, grad, m, v, t, top, lr=0.1, room=room, **settings)
            sgd_step(theta, grad, m, lr=0.1, momentum=0.9, nesterov=True, room=room)
        results.append([theta, m, v, top])
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("step", [adam_step, adamw_step, nadam_step])
def test_a_step_of_a_single_number_is_that_of_one_in_a_row(step):
    number, row = [[np.full(shape, x) for x in (1.0, 0.0, 0.0)] for shape in ((), (1,))]
    for t in (1, 2):
        for theta, m, v in (number, row):
            step(theta, np.full(theta.shape, 3.0), m, v, t, lr=0.1)
    assert [float(x) for x in number] == [x.item() for x in row]


@pytest.mark.parametrize("lr", [0.5, np.float64(0.5), np.array(0.5), 1, np.full((2, 1), 0.5)])
def test_a_rate_may_be_any_kind_of_number_or_an_array_and_keeps_the_type(lr):
    theta, grad = np.ones((2, 3), np.float32), np.full((2, 3), 0.25, np.float32)
    sgd_step(theta, grad, lr=lr)
    assert theta.dtype == np.float32
    np.testing.assert_array_equal(theta, 1 - 0.25 * float(np.max(lr)))


@pytest.mark.parametrize("name", MAKERS)
def test_saved_state_resumes_exactly(name):
    model = model_of()
    optimizer = MAKERS[name](model.parameters())
    take_step(model, optimizer), take_step(model, optimizer)
    other = copy.deepcopy(model)
    resumed = MAKERS[name](other.parameters())
    resumed.load_state_dict(optimizer.state_dict())
    take_step(model, optimizer), take_step(other, resumed)
    np.testing.assert_array_equal(model.theta, other.theta)
    with pytest.raises(ShapeError, match="the saved state does not fit"):
        MAKERS[name]([tensor([1.0], requires_grad=True)]).load_state_dict(optimizer.state_dict())


def test_zero_grad_forgets_and_a_step_without_gradients_does_nothing():
    model = model_of()
    optimizer = Adam(model.parameters())
    take_step(model, optimizer)
    optimizer.zero_grad()
    before = model.theta.copy()
    optimizer.step()
    assert all(p.grad is None for p in model.parameters())
    np.testing.assert_array_equal(model.theta, before)


@pytest.mark.parametrize(
    ("make", "kind", "fragment"),
    [
        (lambda p: SGD(p, lr=-0.1), DomainError, "SGD: lr is -0.1. Expected a finite number of at least 0."),
        (lambda p: Adam(p, lr=float("nan")), DomainError, "Adam: lr is nan"),
        (lambda p: AdaGrad(p, lr=float("inf")), DomainError, "AdaGrad: lr is inf"),
        (lambda p: SGD(p, lr="0.1"), DataError, "SGD: lr is '0.1'. Expected one number, for example lr=0.1."),
        (lambda p: SGD(p, lr=None), DataError, "lr is None"),
        (lambda p: SGD(p, lr=True), DataError, "lr is True"),
        (lambda p: SGD(p, lr=0.1, momentum=1.0), DomainError, "SGD: momentum is 1.0. Expected a number in [0, 1)"),
        (lambda p: SGD(p, lr=0.1, momentum=-0.1), DomainError, "momentum is -0.1"),
        (lambda p: SGD(p, lr=0.1, nesterov=True), DomainError, "but momentum is 0"),
        (lambda p: SGD(p, lr=0.1, weight_decay=-1), DomainError, "weight_decay is -1"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), DomainError, "betas[1] is 1.0"),
        (lambda p: Adam(p, eps=-1), DomainError, "eps is -1"),
        (lambda p: SGD([], lr=0.1), DataError, "there is nothing to update"),
        (lambda p: SGD(p[0], lr=0.1), DataError, "params is one tensor"),
        (lambda p: SGD([1.0], lr=0.1), DataError, "expected tensors to update, got float"),
        (lambda p: SGD(p + p, lr=0.1), DomainError, "stands twice"),
    ],
)
def test_bad_settings_are_refused_in_words(make, kind, fragment):
    with pytest.raises(kind) as caught:
        make([tensor([1.0], requires_grad=True)])
    assert fragment in str(caught.value)


def test_a_rate_of_zero_changes_nothing():
    model = model_of()
    before = model.theta.copy()
    take_step(model, Adam(model.parameters(), lr=0))
    np.testing.assert_array_equal(model.theta, before)


def test_reprs_show_the_settings():
    w = [tensor([1.0], requires_grad=True)]
    assert repr(SGD(w, lr=0.1)) == "SGD(lr=0.1, momentum=0, nesterov=False, weight_decay=0)"
    assert repr(AdaGrad(w, lr=0.1)) == "AdaGrad(lr=0.1, eps=1e-10)"


def _adam_path(model: nn.Module, missing: int, steps: int = 6) -> np.ndarray:
    """θ after some steps of Adam; in step `missing` the first parameter has no gradient."""
    optimizer = Adam(model.parameters(), lr=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        losses.mse(model([[1.0, 2.0]]), [[3.0]]).backward()
        if step == missing:
            next(iter(model.parameters())).grad = None
        optimizer.step()
    return np.array(model.theta)


def test_a_parameter_that_misses_a_step_after_many_together_keeps_its_own_count() -> None:
    together, apart = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=0)
    path = _adam_path(together, missing=3)
    # The same by two optimizers, which have never stepped together.
    weight, bias = apart.weight, apart.bias
    optimizers = [Adam([weight], lr=0.1), Adam([bias], lr=0.1)]
    for step in range(6):
        apart.zero_grad()
        losses.mse(apart([[1.0, 2.0]]), [[3.0]]).backward()
        for number, optimizer in enumerate(optimizers):
            if (step, number) != (3, 0):
                optimizer.step()
    np.testing.assert_allclose(path, np.concatenate([weight.numpy().ravel(), bias.numpy()]), rtol=1e-12)


def test_a_loaded_state_counts_on_from_where_it_was_saved() -> None:
    models = [nn.Linear(2, 1, rng=0) for _ in range(2)]
    optimizers = [Adam(model.parameters(), lr=0.1) for model in models]

    def step(model: nn.Module, optimizer: Adam) -> None:
        optimizer.zero_grad()
        losses.mse(model([[1.0, 2.0]]), [[3.0]]).backward()
        optimizer.step()

    for model, optimizer, times in zip(models, optimizers, (2, 7), strict=True):
        for _ in range(times):
            step(model, optimizer)
    models[1].theta = models[0].theta
    optimizers[1].load_state_dict(optimizers[0].state_dict())
    for model, optimizer in zip(models, optimizers, strict=True):
        step(model, optimizer)
    np.testing.assert_array_equal(models[0].theta, models[1].theta)


def test_a_state_from_before_the_first_step_is_taken_and_begins_anew() -> None:
    w = tensor([1.0], requires_grad=True)
    new, used = Adam([w], lr=0.1), Adam([w], lr=0.1)
    (w * w).sum().backward()
    used.step()
    used.load_state_dict(new.state_dict())
    assert used.state_dict() == new.state_dict()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"momentum": np.array([0.1, 0.2])}, r"SGD: momentum is array\(\[0\.1, 0\.2\]\)\. Expected one number"),
        ({"nesterov": np.array([True, False])}, r"SGD: nesterov is array"),
    ],
)
def test_a_setting_that_is_none_is_told_by_name_when_it_is_saved_and_when_it_is_loaded(change, said) -> None:
    w = tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1, momentum=0.9)
    state = optimizer.state_dict()
    state["groups"][0].update(change)
    with pytest.raises(DataError, match=said):
        optimizer.load_state_dict(state)
    optimizer.param_groups[0].update(change)
    with pytest.raises(DataError, match=said):
        optimizer.state_dict()


def test_a_setting_that_is_missing_is_told_when_it_is_saved_and_when_it_is_loaded() -> None:
    w = tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1)
    state = optimizer.state_dict()
    del state["groups"][0]["momentum"], optimizer.param_groups[0]["momentum"]
    for act in (optimizer.state_dict, lambda: optimizer.load_state_dict(state)):
        with pytest.raises(DataError, match=r"SGD: a group has the settings .* Put back into param_groups"):
            act()


def test_an_average_that_was_switched_on_and_not_yet_used_is_saved_as_zeros() -> None:
    w = tensor([1.0], requires_grad=True)
    optimizer = SGD([w], lr=0.1)
    (w * w).sum().backward()
    optimizer.step()
    optimizer.param_groups[0]["momentum"] = 0.9
    saved = optimizer.state_dict()
    np.testing.assert_array_equal(saved["state"][0]["arrays"]["velocity"], [0.0])
    SGD([w], lr=0.1).load_state_dict(saved)


@pytest.mark.parametrize("part", [{}, {"shapes": [(1,)], "counts": [1]}, 3])
def test_a_saved_state_with_missing_parts_is_refused_and_changes_nothing(part) -> None:
    w = tensor([1.0], requires_grad=True)
    optimizer = Adam([w], lr=0.1)
    before = repr(optimizer.state_dict())
    with pytest.raises(DataError, match=r"Adam: the saved state has parts that are missing. Expected what state_dict"):
        optimizer.load_state_dict({**optimizer.state_dict(), "state": [part]})
    assert repr(optimizer.state_dict()) == before
