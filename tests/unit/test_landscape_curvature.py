"""Hessian-vector products and sharpness against closed forms and against the whole Hessian."""

import numpy as np
import pytest

from bplib import losses, nn, no_grad, optim
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.landscape import hessian_vector_product, largest_eigenpair, sharpness
from bplib.numeric import complex_step
from bplib.tensors import Tensor

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 5)), RNG.normal(size=(40, 1))


def linear_regression():
    return nn.Linear(5, 1, bias=False, rng=1)


def tanh_net(seed=0, hidden=4):
    return nn.Sequential(nn.Linear(5, hidden, rng=seed), nn.Tanh(), nn.Linear(hidden, 1, rng=seed + 1))


def whole_hessian(model, loss=losses.mse, data=(X, Y)):
    return np.array([hessian_vector_product(model, loss, data, e) for e in np.eye(model.theta.size)])


def exact_hessian(model):
    """The Hessian of the tanh network's mse: complex steps through a gradient that is written out by hand."""
    theta, hidden = model.theta.copy(), model[0].weight.shape[1]

    def gradient(t):
        w1, b1, w2, b2 = np.split(t, np.cumsum([5 * hidden, hidden, hidden]))
        h = np.tanh(X @ w1.reshape(5, hidden) + b1)
        d = 2 * (h @ w2[:, None] + b2 - Y) / len(X)
        back = (d @ w2[None, :]) * (1 - h**2)
        return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), (h.T @ d).ravel(), d.sum(axis=0)])

    return np.array([complex_step(lambda t, i=i: gradient(t)[i], theta) for i in range(theta.size)])


def test_linear_regression_has_the_hessian_of_the_textbook():
    exact = 2 * X.T @ X / len(X)
    np.testing.assert_allclose(whole_hessian(linear_regression()), exact, atol=1e-9 * np.abs(exact).max())


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_a_tanh_network_agrees_with_complex_steps_to_eight_digits(scale):
    model = tanh_net()
    model.theta = scale * model.theta
    exact = exact_hessian(model)
    np.testing.assert_allclose(whole_hessian(model), exact, atol=3e-8 * np.abs(exact).max())


@pytest.mark.parametrize("length", [1e-8, 1.0, 1e8])
def test_the_length_of_the_vector_decides_nothing_about_the_step(length):
    model, v = tanh_net(), np.random.default_rng(3).normal(size=29)
    expected = length * hessian_vector_product(model, losses.mse, (X, Y), v)
    got = hessian_vector_product(model, losses.mse, (X, Y), length * v)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-8 * np.abs(expected).max())


def test_a_zero_vector_gives_zero():
    assert not hessian_vector_product(tanh_net(), losses.mse, (X, Y), np.zeros(29)).any()


def test_cross_entropy_has_a_hessian_without_negative_eigenvalues_in_a_linear_model():
    model, y = nn.Linear(5, 3, rng=0), np.arange(40) % 3
    h = whole_hessian(model, losses.cross_entropy, (X, y))
    np.testing.assert_allclose(h, h.T, atol=1e-9)
    assert np.linalg.eigvalsh(h).min() > -1e-8


def test_float32_keeps_three_digits():
    model = tanh_net()
    exact = exact_hessian(model)
    v = np.random.default_rng(3).normal(size=29)
    model.astype(np.float32)
    got = hessian_vector_product(model, losses.mse, (X.astype(np.float32), Y.astype(np.float32)), v)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, exact @ v, atol=2e-3 * np.abs(exact @ v).max())


def test_nothing_of_the_model_changes():
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=0), nn.Linear(4, 1, rng=1))
    losses.mse(model(X), Y).backward()
    grads = [p.grad.copy() for p in model.parameters()]
    before = {name: array.copy() for name, array in model.state_dict().items()}
    state = model[2].rng.bit_generator.state
    model[1].eval()
    hessian_vector_product(model, losses.mse, (X, Y), np.ones(model.theta.size))
    largest_eigenpair(model, losses.mse, (X, Y), max_iterations=3)
    for name, array in model.state_dict().items():
        assert array.tobytes() == before[name].tobytes(), name
    for p, g in zip(model.parameters(), grads, strict=True):
        np.testing.assert_array_equal(p.grad, g)
    assert [module.training for module in model.modules()] == [True, True, False, True, True]
    assert model[2].rng.bit_generator.state == state


def test_gradients_that_were_never_computed_stay_none_and_a_pending_backward_still_fits():
    model = tanh_net()
    pending = losses.mse(model(X), Y)
    sharpness(model, losses.mse, (X, Y))
    assert all(p.grad is None for p in model.parameters())
    pending.backward()
    fresh = tanh_net()
    losses.mse(fresh(X), Y).backward()
    np.testing.assert_array_equal(model.theta_grad, fresh.theta_grad)


def test_a_frozen_parameter_counts_as_a_constant():
    model, whole = tanh_net(), whole_hessian(tanh_net())
    model[0].weight.requires_grad = False
    got = whole_hessian(model)
    assert not got[:20].any()
    assert not got[:, :20].any()
    np.testing.assert_allclose(got[20:, 20:], whole[20:, 20:], atol=1e-7)
    expected = np.linalg.eigvalsh(whole[20:, 20:]).max()
    assert sharpness(model, losses.mse, (X, Y)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_sharpness_is_the_largest_eigenvalue_of_the_whole_hessian(seed):
    model = tanh_net(seed)
    expected = np.linalg.eigvalsh(exact_hessian(model)).max()
    assert sharpness(model, losses.mse, (X, Y)) == pytest.approx(expected, rel=1e-3)
    found = largest_eigenpair(model, losses.mse, (X, Y), tolerance=1e-6)
    assert found.converged
    assert found.eigenvalue == pytest.approx(expected, rel=1e-7)
    assert np.linalg.norm(found.vector) == pytest.approx(1.0)
    np.testing.assert_allclose(exact_hessian(model) @ found.vector, found.eigenvalue * found.vector, atol=1e-5)


class Quadratic(nn.Module):
    """½θᵀHθ with eigenvalues of one's choice, in turned axes."""

    def __init__(self, eigenvalues):
        super().__init__()
        q, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(len(eigenvalues),) * 2))
        self.h = q @ np.diag(eigenvalues) @ q.T
        self.weight = nn.Parameter(np.random.default_rng(6).normal(size=len(eigenvalues)))

    def forward(self, x):
        return 0.5 * (self.weight @ (self.h @ self.weight))


def value(prediction, target):
    return prediction


ONE = ([[0.0]], [[0.0]])
SPECTRA = [[3.0], [-3.0], [5.0, 1.0, -1.0], [1.0, 0.5, -5.0], [2.0, 1.0, -2.0], [1.0, 0.3, -1.001], [-1.0, -2.0, -7.0],
           [1e-6, -1.0, -2.0], [4.0, 4.0, -4.0, -4.0], [1e5, -2e5, 3.0], [1e-5, -2e-5], [0.0, 0.0], [0.0, -1.0],
           [2.0, 1.9, -1.9]]  # fmt: skip


@pytest.mark.parametrize("spectrum", SPECTRA, ids=str)
def test_the_largest_eigenvalue_is_found_whatever_the_others_are(spectrum):
    model = Quadratic(spectrum)
    size = max(map(abs, spectrum))
    found = largest_eigenpair(model, value, ONE, tolerance=1e-6)
    assert found.converged
    assert found.eigenvalue == pytest.approx(max(spectrum), abs=1e-6 * size + 1e-9)
    assert sharpness(model, value, ONE) == pytest.approx(max(spectrum), abs=1e-3 * size + 1e-9)


@pytest.mark.parametrize("gap", [0.1, 0.01, 1e-3, 1e-4])
def test_the_default_tolerance_is_reached_however_close_the_next_eigenvalue_is(gap):
    assert sharpness(Quadratic([2.0, 2.0 - gap, gap - 2.0]), value, ONE) == pytest.approx(2.0, rel=1e-3)


def test_a_surface_without_any_bend_has_sharpness_zero():
    assert sharpness(linear_regression(), losses.mae, (X, Y)) == pytest.approx(0.0, abs=1e-8)


def test_rounding_alone_is_not_taken_for_a_bend():
    """A straight loss whose gradient is the difference of two large numbers: the search must not hunt the digits."""

    def straight(prediction, target):
        return ((prediction + 1000.0) * (prediction + 1000.0) - prediction * prediction).mean()

    found = largest_eigenpair(linear_regression(), straight, (X, Y))
    assert found.eigenvalue == pytest.approx(0.0, abs=1e-5)
    assert found.iterations == 1


def test_a_good_start_saves_iterations():
    model = tanh_net()
    cold = largest_eigenpair(model, losses.mse, (X, Y))
    warm = largest_eigenpair(model, losses.mse, (X, Y), start=cold.vector)
    assert warm.iterations == 1 < cold.iterations
    assert warm.eigenvalue == pytest.approx(cold.eigenvalue, rel=1e-6)


def test_it_says_that_it_has_not_converged():
    model = Quadratic([1.0, 0.9999, 0.9])
    settings = {"tolerance": 1e-9, "max_iterations": 5}
    found = largest_eigenpair(model, value, ONE, **settings)
    assert not found.converged
    assert found.iterations == 5
    assert 0.8 < found.eigenvalue < 1.0
    assert found.residual == pytest.approx(
        np.linalg.norm(model.h @ found.vector - found.eigenvalue * found.vector), rel=1e-3
    )
    with pytest.raises(DomainError, match=r"not found after 5 iterations\. The best estimate is 0\.9") as caught:
        sharpness(model, value, ONE, **settings)
    assert "Try a larger max_iterations or tolerance" in str(caught.value)


def test_gradient_descent_settles_where_the_sharpness_is_two_over_the_rate():
    """The edge of stability in small: 2/lr is where full-batch descent of a tanh network ends up."""
    x = np.cos(np.pi * (np.arange(20) + 0.5) / 20)[:, None]
    y = 16 * x**5 - 20 * x**3 + 5 * x
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    for layer in (model[0], model[2], model[4]):
        layer.weight.assign(rng.normal(0.0, 1.0 / np.sqrt(layer.weight.shape[0]), layer.weight.shape))
        layer.bias.assign(np.zeros(layer.bias.shape))

    def half(prediction, target):
        return 0.5 * losses.mse(prediction, target)

    sgd, measured = optim.SGD(model.parameters(), lr=0.2), [sharpness(model, half, (x, y))]
    for k in range(1, 3001):
        sgd.zero_grad()
        half(model(x), y).backward()
        sgd.step()
        if k > 2000 and k % 100 == 0:
            measured.append(sharpness(model, half, (x, y), tolerance=1e-3))
    assert 2 < measured[0] < 9
    assert 0.7 < np.median(measured[1:]) / 10 < 1.4


def not_a_number(model):
    model.theta[0] = np.nan
    return model


def frozen(model):
    for p in model.parameters():
        p.requires_grad = False
    return model


def steep(prediction, target):
    return (prediction * 1e200 * 1e200).sum()


BAD = [
    (lambda m: hessian_vector_product(m, losses.mse, (X, Y), [1.0]), ShapeError, "vector has shape (1,), the"),
    (lambda m: hessian_vector_product(m, losses.mse, (X, Y), np.full(29, np.inf)), DomainError, "vector holds inf"),
    (lambda m: hessian_vector_product(m, losses.mse, (X, Y), ["a"] * 29), DataError, "text"),
    (lambda m: hessian_vector_product(X, losses.mse, (X, Y), [1.0]), DataError, "model is of type ndarray"),
    (lambda m: hessian_vector_product(m, "mse", (X, Y), np.ones(29)), DataError, "loss is 'mse'"),
    (lambda m: hessian_vector_product(m, losses.mse, X, np.ones(29)), DataError, "data is a ndarray. Expected a pair"),
    (lambda m: sharpness(m, lambda p, t: 1.0, (X, Y)), DataError, "the loss gave a float. Expected a Tensor"),
    (lambda m: sharpness(m, lambda p, t: p, (X, Y)), ShapeError, "the loss gave a tensor of shape (40, 1)"),
    (lambda m: sharpness(m, lambda p, t: Tensor(1.0), (X, Y)), GraphError, "does not depend on a parameter"),
    (lambda m: sharpness(frozen(m), losses.mse, (X, Y)), DomainError, "every parameter is frozen"),
    (lambda m: sharpness(not_a_number(m), losses.mse, (X, Y)), DomainError, "parameters hold nan"),
    (lambda m: sharpness(m, steep, (X, Y)), DomainError, "the gradient is not finite here"),
    (lambda m: sharpness(m, losses.mse, (X, Y), tolerance=0), DomainError, "tolerance is 0"),
    (lambda m: sharpness(m, losses.mse, (X, Y), tolerance="fine"), DataError, "tolerance is 'fine'"),
    (lambda m: sharpness(m, losses.mse, (X, Y), max_iterations=0), DomainError, "max_iterations is 0"),
    (lambda m: sharpness(m, losses.mse, (X, Y), rng="seed"), DataError, "rng is of type str"),
    (lambda m: sharpness(m, losses.mse, (X, Y[:3])), ShapeError, "X has 40 rows, y has 3"),
    (lambda m: largest_eigenpair(m, losses.mse, (X, Y), start=np.zeros(29)), DomainError, "start is 0 everywhere"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "fragment"), BAD)
def test_bad_input_is_refused_in_words(act, kind, fragment):
    with pytest.raises(kind) as caught:
        act(tanh_net())
    assert fragment in str(caught.value)


def test_a_start_that_only_moves_frozen_parameters_is_refused():
    model = tanh_net()
    model[0].weight.requires_grad = False
    with pytest.raises(DomainError, match="start is 0 in every parameter that is not frozen"):
        largest_eigenpair(model, losses.mse, (X, Y), start=np.eye(29)[0])


def test_without_recording_there_is_no_gradient():
    with no_grad(), pytest.raises(GraphError, match="recording is off"):
        sharpness(tanh_net(), losses.mse, (X, Y))


def test_an_error_in_the_middle_leaves_theta_and_the_modes():
    model, calls = tanh_net(), []

    def fails_at_the_third(prediction, target):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return losses.mse(prediction, target)

    before = model.theta.tobytes()
    with pytest.raises(KeyboardInterrupt):
        sharpness(model, fails_at_the_third, (X, Y))
    assert model.theta.tobytes() == before
    assert all(module.training for module in model.modules())
