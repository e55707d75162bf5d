"""Linear layers in a row are one operation, and nobody can tell but by the time."""

import copy

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.errors import ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 2))


def one_by_one(model, x):
    for module in model.layers:
        x = module(x)
    return x


def network(*parts):
    return nn.Sequential(nn.Linear(2, 3, rng=0), *parts)


def same(model, x=X):
    """Whether the network gives what its modules give one after the other: bit for bit where x is a matrix."""
    model.zero_grad()
    together, apart = model(x), one_by_one(model, x)
    assert together.operation.name == "layers"
    together.sum().backward()
    found = model.theta_grad.copy()
    model.zero_grad()
    apart.sum().backward()
    error = 0.0 if np.ndim(x) == 2 else 1e-12  # the rows of a stack are multiplied in one product
    return np.array_equal(together.data, apart.data) and np.allclose(found, model.theta_grad, rtol=error, atol=error)


class Doubled(nn.Linear):
    def forward(self, x):
        return 2.0 * super().forward(x)


class Odd(nn.Tanh):
    def forward(self, x):
        return super().forward(x) + 1.0


@pytest.mark.parametrize(
    "parts",
    [
        [], [nn.Tanh()], [nn.ReLU(), nn.Linear(3, 2, rng=1), nn.Sigmoid()],
        [nn.Linear(3, 3, rng=1), nn.Linear(3, 1, rng=2)],
    ],
    ids=["linear", "tanh", "relu and sigmoid", "no activation"],
)  # fmt: skip
@pytest.mark.parametrize("x", [X, RNG.normal(size=(4, 5, 2)), RNG.normal(size=2)], ids=["matrix", "stack", "vector"])
def test_the_numbers_are_those_of_the_modules(parts, x):
    assert same(network(*parts), x)


def test_the_input_may_ask_for_a_gradient_in_any_shape():
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    for shape in [(2,), (5, 2), (4, 5, 2)]:
        x = bplib.tensor(RNG.normal(size=shape), requires_grad=True)
        model(x).sum().backward()
        found = x.grad.copy()
        x.zero_grad()
        one_by_one(model, x).sum().backward()
        np.testing.assert_allclose(found, x.grad, rtol=1e-12)


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ([nn.Tanh(), nn.Tanh()], ["tanh", "layers"]),
        ([Odd()], ["add", "tanh", "layers"]),
        ([Doubled(3, 2, rng=1)], ["multiply", "linear", "layers"]),
        ([nn.Linear(3, 2, bias=False, rng=1)], ["linear", "layers"]),
    ],
    ids=["a second activation", "a subclass of an activation", "a subclass of a layer", "no bias"],
)
def test_what_is_no_plain_layer_stays_an_operation_of_its_own(parts, names):
    node, found = network(*parts)(X), []
    while node.operation is not None:
        found.append(node.operation.name)
        node = next(p for p in node.parents if p.operation is not None or p is node.parents[-1])
    assert found == names


def test_a_network_whose_layers_are_replaced_uses_the_new_ones():
    model = network(nn.Tanh())
    model(X)
    model.layers = (nn.Linear(2, 1, rng=5), nn.ReLU())
    assert np.array_equal(model(X).data, one_by_one(model, X).data)
    model[0].weight = nn.Parameter(np.ones((2, 1)))
    assert np.array_equal(model(X).data, one_by_one(model, X).data)


def test_a_copied_network_uses_its_own_parameters():
    model = network(nn.Tanh())
    model(X)
    twin = copy.deepcopy(model)
    model.theta = np.zeros_like(model.theta)
    assert not np.array_equal(twin(X).data, model(X).data)
    assert same(twin)


def test_types_that_differ_are_lifted_as_numpy_lifts_them():
    single = bplib.tensor(np.ones((2, 2)), dtype=np.float32)
    out = bplib.linear(single, single, bplib.tensor([1.0, 2.0]))
    assert out.dtype == np.float64
    assert bplib.linear(single, single, bplib.tensor([1.0, 2.0], dtype=np.float32)).dtype == np.float32


def test_a_misfit_inside_the_stack_names_both_shapes():
    model = network(nn.Tanh(), nn.Linear(4, 1, rng=1))
    with pytest.raises(ShapeError, match=r"linear: shapes \(5, 3\) and \(4, 1\) do not fit.*got 3 and 4"):
        model(X)
    with pytest.raises(ShapeError, match=r"linear: x has shape \(\), weight has shape \(2, 3\)"):
        network()(1.0)


def test_infinite_values_go_through_without_a_warning():
    model = network(nn.ReLU())
    model.theta = np.full(9, 1e308)
    assert not np.isfinite(losses.mse(model(X * 1e300), np.zeros((5, 3))).item())
