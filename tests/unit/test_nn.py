"""Modules: one vector of parameters, and what it takes to keep it one."""

import copy

import numpy as np
import pytest

import bplib
from bplib import nn
from bplib.errors import DataError, DomainError, ShapeError


def small():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))


def loss_of(model):
    return bplib.losses.mse(model(np.array([[1.0, 2.0], [0.5, -1.0]])), [[1.0], [0.0]])


def test_linear_computes_x_at_w_plus_b():
    layer = nn.Linear(2, 3, rng=0)
    x = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(layer(x).data, x @ layer.weight.data + layer.bias.data, rtol=1e-15)
    assert layer([[[1.0, 2.0]]]).shape == (1, 1, 3)
    assert nn.Linear(2, 3, bias=False, rng=0).bias is None


def test_first_weights_lie_within_one_over_the_root_of_the_inputs_and_follow_the_seed():
    layer, again = nn.Linear(100, 50, rng=3), nn.Linear(100, 50, rng=np.random.default_rng(3))
    assert np.abs(layer.weight.data).max() <= 0.1
    assert layer.weight.data.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.03)
    assert (layer.weight.data == again.weight.data).all()


@pytest.mark.parametrize("features", [(0, 1), (1, 0), (2.0, 1), (True, 1), ("2", 1)], ids=str)
def test_linear_refuses_impossible_sizes(features):
    with pytest.raises((DataError, DomainError), match=r"Linear: .*_features is .* Expected a whole number"):
        nn.Linear(*features)


def test_theta_is_the_parameters_and_the_parameters_are_theta():
    model = small()
    theta = model.theta
    assert theta.shape == (13,)
    np.testing.assert_array_equal(theta, np.concatenate([p.data.ravel() for p in model.parameters()]))
    model.theta = np.arange(13.0)
    assert model[0].weight.data.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert model[2].bias.data.tolist() == [12.0]
    model[0].bias.data = [7.0, 8.0, 9.0]
    assert model.theta[6:9].tolist() == [7, 8, 9]
    with pytest.raises(ShapeError, match=r"13 parameters, the vector has shape \(3,\)"):
        model.theta = np.zeros(3)


def test_theta_follows_the_order_of_the_model_that_is_asked():
    a, b = nn.Linear(2, 1, rng=0), nn.Linear(1, 3, rng=1)
    nn.Sequential(a, b).theta  # noqa: B018
    turned = nn.Sequential(b, a)
    np.testing.assert_array_equal(turned.theta, np.concatenate([p.data.ravel() for p in turned.parameters()]))
    turned.theta = np.arange(9.0)
    assert (b.weight.data.tolist(), a.bias.data.tolist()) == ([[0.0, 1.0, 2.0]], [8.0])


def test_theta_grad_is_the_gradient_of_the_loss_along_theta():
    model = small()
    loss_of(model).backward()
    grad = model.theta_grad.copy()
    start = model.theta.copy()

    def f(theta):
        model.theta = theta
        return loss_of(model).item()

    np.testing.assert_allclose(grad, bplib.numeric.central_difference(f, start), rtol=1e-6, atol=1e-9)
    model.zero_grad()
    assert not model.theta_grad.any()


def test_the_gradients_are_the_same_with_and_without_a_home():
    model, scattered = small(), small()
    model.theta  # noqa: B018 - asking for it moves the parameters together
    for m in (model, scattered):
        loss_of(m).backward()
        loss_of(m).backward()
    for a, b in zip(model.parameters(), scattered.parameters(), strict=True):
        np.testing.assert_array_equal(a.grad, b.grad)


def test_a_layer_used_twice_adds_its_gradients_and_is_listed_once():
    shared = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    x = np.array([[1.0, -2.0]])
    w, b = (bplib.tensor(p.data, requires_grad=True) for p in (shared.weight, shared.bias))
    (bplib.tanh(x @ w + b) @ w + b).sum().backward()
    for settle in (False, True):
        if settle:
            model.theta  # noqa: B018
        model.zero_grad()
        model(x).sum().backward()
        np.testing.assert_allclose(shared.weight.grad, w.grad, rtol=1e-14)
        np.testing.assert_allclose(shared.bias.grad, b.grad, rtol=1e-14)


def test_two_layers_that_share_one_weight_add_its_gradients():
    one, other = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
    other.weight = one.weight
    model = nn.Sequential(one, nn.Tanh(), other)
    x = np.array([[1.0, -2.0]])
    w, *biases = (bplib.tensor(p.data, requires_grad=True) for p in (one.weight, one.bias, other.bias))
    (bplib.tanh(x @ w + biases[0]) @ w + biases[1]).sum().backward()
    model.theta  # noqa: B018  (from now on the gradients have a place)
    model(x).sum().backward()
    for parameter, wanted in zip((one.weight, one.bias, other.bias), (w, *biases), strict=True):
        np.testing.assert_allclose(parameter.grad, wanted.grad, rtol=1e-14)


@pytest.mark.parametrize("frozen", ["weight", "bias"])
def test_a_frozen_part_of_a_layer_gets_no_gradient(frozen):
    layer = nn.Linear(2, 3, rng=0)
    getattr(layer, frozen).requires_grad = False
    for model in (layer, nn.Sequential(layer), nn.Sequential(nn.Linear(2, 2, rng=1), nn.Tanh(), layer)):
        model.zero_grad()
        model(np.ones((4, 2))).sum().backward()
        assert [name for name in ("weight", "bias") if getattr(layer, name).grad is None] == [frozen]


def test_a_parameter_that_is_the_input_of_a_layer_gets_its_gradient():
    x, layers = nn.Parameter([[1.0, -2.0]]), nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())
    plain = bplib.tensor(x.data, requires_grad=True)
    for model in (layers, layers[0]):
        for start in (x, plain):
            start.grad = None
            model(start).sum().backward()
        np.testing.assert_array_equal(x.grad, plain.grad)
        assert np.all(x.grad)


def test_a_weight_that_is_also_the_input_gets_both_gradients():
    for settled in (False, True):
        w = nn.Parameter([[1.0, 2.0], [3.0, 4.0]])
        w.grad = None
        out = bplib.linear(w, w).sum() if settled else (w @ w).sum()
        out.backward()
        np.testing.assert_allclose(w.grad, [[7.0, 11.0], [9.0, 13.0]])


def test_deepcopy_gives_a_model_with_a_theta_of_its_own():
    model = small()
    before = model.theta.copy()
    twin = copy.deepcopy(model)
    twin.theta = twin.theta + 1.0
    np.testing.assert_array_equal(model.theta, before)
    np.testing.assert_array_equal(twin.theta, before + 1.0)
    loss_of(twin).backward()
    assert all(p.grad is None for p in model.parameters())


def test_astype_keeps_everything_in_float32():
    model = small().astype(np.float32)
    assert model.theta.dtype == np.float32
    x = np.ones((1, 2), np.float32)
    bplib.losses.mse(model(x), np.zeros((1, 1), np.float32)).backward()
    assert model.theta_grad.dtype == np.float32
    assert model.theta_grad.any()
    with pytest.raises(DomainError, match="dtype int64"):
        model.astype(int)


def test_mixed_dtypes_have_no_theta_but_still_learn():
    model = small()
    model[0].astype(np.float32)
    with pytest.raises(DataError, match="different dtypes"):
        model.theta  # noqa: B018
    optimizer = bplib.optim.SGD(model.parameters(), lr=0.1)
    before = [p.numpy() for p in model.parameters()]
    loss_of(model).backward()
    optimizer.step()
    assert all((p.data != b).any() for p, b in zip(model.parameters(), before, strict=True))


def test_state_goes_out_and_comes_back():
    model, other = small(), small()
    other.theta = np.zeros(13)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(model.theta, other.theta)
    with pytest.raises(DataError, match="names do not match"):
        other.load_state_dict({"weight": np.zeros(2)})
    broken = {**model.state_dict(), "2.bias": np.zeros(9)}
    kept = other.theta.copy()
    with pytest.raises(ShapeError, match=r"2\.bias has shape \(1,\), the saved one has \(9,\)"):
        other.load_state_dict(broken)
    np.testing.assert_array_equal(other.theta, kept)


def test_a_home_says_how_much_lives_there():
    model = small()
    model.theta = model.theta  # from here on all of them live together
    assert repr(model[0].weight.home) == "Home(13 values, float64)"


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Sigmoid())
    model.eval()
    assert [model.training, model[0].training, model[0][0].training, model[1].training] == [False] * 4
    assert model.train()[0][0].training


def test_module_is_abstract_and_sequential_takes_modules():
    with pytest.raises(TypeError, match="abstract"):
        nn.Module()
    with pytest.raises(DataError, match="expected modules, got function"):
        nn.Sequential(bplib.tanh)
    with pytest.raises(DataError, match="no parameters"):
        nn.Tanh().theta  # noqa: B018


@pytest.mark.parametrize(
    ("layer", "function"), [(nn.ReLU, bplib.relu), (nn.Tanh, bplib.tanh), (nn.Sigmoid, bplib.sigmoid)]
)
def test_activation_layers_are_their_functions(layer, function):
    x = np.linspace(-2, 2, 5)
    np.testing.assert_array_equal(layer()(x).data, function(x).data)


def test_a_module_of_ones_own():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(2.0)

        def forward(self, x):
            return x * self.factor

    model = nn.Sequential(nn.Linear(1, 1, rng=0), Scale())
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.factor"]
    assert model([[1.0]]).item() == pytest.approx(2 * model.theta[:2].sum())
    assert len(model) == 2
