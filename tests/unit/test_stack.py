"""Linear layers in a row are one operation, and nobody can tell but by the time."""

import copy
import re
from dataclasses import replace

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim
from bplib.errors import GraphError, ShapeError
from bplib.numeric import gradcheck
from bplib.rules import TABLE
from bplib.rules import layers as rules

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 2))
RULE = TABLE["layers"].gradient


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


def test_a_parameter_that_is_deleted_is_missed_at_once():
    model = network(nn.Tanh())
    model(X)
    del model[0].weight
    with pytest.raises(AttributeError, match="weight"):
        model(X)


def test_what_changes_in_another_network_makes_no_new_operand():
    model, other = network(nn.Tanh()), network(nn.Tanh())
    span = model(X).parents[1]
    other[0].weight = nn.Parameter(np.ones((2, 3)))
    other.train()
    assert model(X).parents[1] is span
    model[0].weight = model[0].weight
    assert model(X).parents[1] is span


def test_a_gradient_of_another_type_is_taken_in_the_type_of_the_result():
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1)).astype(np.float32)
    output = model(X.astype(np.float32))
    (output * np.ones((5, 1))).sum().backward()  # float64 from here on
    found = model.theta_grad.copy()
    model.zero_grad()
    model(X.astype(np.float32)).sum().backward()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, model.theta_grad)


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


def test_a_gradient_of_another_type_is_cast_and_not_written_into_the_memory():
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1)).astype(np.float32)
    output = model(X)  # float64 data: the gradient that arrives is float64
    assert output.dtype == np.float64
    output.sum().backward()
    found = model.theta_grad.copy()
    model.astype(np.float64).zero_grad()
    model(X).sum().backward()
    assert found.dtype == np.float32
    assert np.allclose(found, model.theta_grad, rtol=1e-5)


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


# ------------------------------------------------------------------------------ one operand for all parameters


def pair():
    """A network of two layers, and the same with each module called by itself."""
    together = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    apart = copy.deepcopy(together)
    return (together, together), (apart, lambda x: one_by_one(apart, x))


def backward(model, forward, seen=None, x=X):
    """What lands in each parameter, None where nothing does; `seen` may prepare the model first."""
    if seen is not None:
        seen(model)
    losses.mse(forward(x), np.ones((5, 1))).backward()
    return [None if p.grad is None else p.grad.tolist() for p in model.parameters()]


def freeze(*places):
    def seen(model):
        for place in places:
            list(model.parameters())[place].requires_grad = False

    return seen


@pytest.mark.parametrize("places", [(0,), (0, 1), (2, 3), (3,), (0, 1, 2)], ids=str)
def test_a_frozen_parameter_gets_none_and_the_others_get_theirs(places):
    (a, together), (b, apart) = pair()
    found = backward(a, together, freeze(*places))
    assert together(X).operation.name == "layers"
    assert found == backward(b, apart, freeze(*places))
    assert [grad is None for grad in found] == [i in places for i in range(4)]


def test_a_parameter_frozen_after_the_forward_pass_gets_none():
    (model, _), (other, apart) = pair()
    loss = losses.mse(model(X), np.ones((5, 1)))
    freeze(1)(model)
    loss.backward()
    assert model[0].bias.grad is None
    assert [p.grad.tolist() for p in model.parameters() if p.grad is not None] == [
        grad for i, grad in enumerate(backward(other, apart)) if i != 1
    ]


def test_what_lies_below_the_first_layer_that_learns_is_not_computed(monkeypatch):
    monkeypatch.setitem(rules._THROUGH, "tanh", lambda y, g: 1 / 0)
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    freeze(0, 1)(model)
    losses.mse(model(X), np.ones((5, 1))).backward()
    assert model[2].weight.grad is not None
    model[0].bias.requires_grad = True
    with pytest.raises(ZeroDivisionError):
        losses.mse(model(X), np.ones((5, 1))).backward()


class Unwanted:
    """Ones whose product with anything is not wanted."""

    dot = None


def test_a_network_that_does_not_learn_passes_the_gradient_to_its_input(monkeypatch):
    (model, _), (other, apart) = pair()
    found = []
    for one, forward in ((model, model), (other, apart)):
        freeze(0, 1, 2, 3)(one)
        assert not forward(X).requires_grad
        x = bplib.tensor(X, requires_grad=True)
        if one is model:  # nor is any sum for a bias computed
            monkeypatch.setattr(rules, "constant", lambda *_: Unwanted())
        assert backward(one, forward, x=x) == [None] * 4
        found.append(x.grad)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("when", ["before the forward pass", "after it"])
def test_a_hook_sees_the_gradient_of_its_own_parameter_and_may_change_it(when):
    (model, _), (other, apart) = pair()
    plain, seen = backward(other, apart), []

    def tenfold(g):
        seen.append(g.tolist())
        return 10 * g

    if when == "before the forward pass":
        model[2].weight.register_hook(tenfold)
    loss = losses.mse(model(X), np.ones((5, 1)))
    if when == "after it":
        model[2].weight.register_hook(tenfold)
    loss.backward()
    assert seen == [plain[2]]
    assert model[2].weight.grad.tolist() == (10 * np.array(plain[2])).tolist()
    assert [model[0].weight.grad.tolist(), model[2].bias.grad.tolist()] == [plain[0], plain[3]]


def test_gradients_add_up_however_they_arrive():
    (model, _), (other, apart) = pair()

    def several(one, forward):
        loss = losses.mse(forward(X), np.ones((5, 1))) + forward(2.0 * X).sum()  # the network twice in one graph
        loss = loss + (one[0].weight * one[0].weight).sum()  # and one of its parameters by itself
        loss.backward()
        loss.backward()
        return [p.grad for p in one.parameters()]

    for found, wanted in zip(several(model, model), several(other, apart), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_parameters_that_moved_between_forward_and_backward_get_their_gradients():
    (model, _), (other, apart) = pair()
    loss = losses.mse(model(X), np.ones((5, 1)))
    nn.Sequential(nn.Linear(2, 2), model)
    loss.backward()
    assert [p.grad.tolist() for p in model.parameters()] == backward(other, apart)


@pytest.mark.parametrize("place", range(4))
def test_whichever_parameter_is_changed_between_forward_and_backward_is_named(place):
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    loss = losses.mse(model(X), np.ones((5, 1)))
    changed = list(model.parameters())[place]
    changed.assign(changed.numpy())
    with pytest.raises(GraphError, match=re.escape(f"a tensor of shape {changed.shape} was changed after 'layers'")):
        loss.backward()


def test_a_recorded_step_is_refused_where_a_parameter_has_a_hook():
    model = network()
    model[0].bias.register_hook(lambda g: None)
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(GraphError, match="has a hook"):
        bplib.replay(step)(X)


def test_an_optimizer_goes_on_with_parameters_of_which_some_have_moved_out():
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):  # from the second step on it knows its blocks
        optimizer.zero_grad()
        losses.mse(model(X), np.ones((5, 1))).backward()
        optimizer.step()
    optim.SGD([model[2].weight, model[0].bias], lr=0.1)  # no neighbours: they move
    losses.mse(model(X), np.ones((5, 1))).backward()
    wanted = [p.numpy() - 0.5 * p.grad for p in model.parameters()]
    optimizer.step()
    assert [p.data.tolist() for p in model.parameters()] == [values.tolist() for values in wanted]


def test_a_backward_pass_that_fails_leaves_no_parameter_with_a_gradient():
    model = network()
    below = bplib.tensor(X, requires_grad=True)
    below.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model(below).sum().backward()
    assert [p.grad for p in model.parameters()] == [None, None]


def test_gradcheck_goes_through_the_stack_with_both_methods():
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    report = gradcheck(lambda: losses.mse(model(X), np.ones((5, 1))), params=model)
    assert report.passed
    assert all(row.complex_error is not None for row in report.rows)


def test_a_wrong_rule_of_the_stack_is_found_by_the_complex_step(monkeypatch):
    wrong = replace(TABLE["layers"], gradient=lambda node, g: [s if s is None else 1.001 * s for s in RULE(node, g)])
    monkeypatch.setattr("bplib.nn.sequential._LAYERS", wrong)
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    report = gradcheck(lambda: model(X).sum(), params=model)
    assert all(row.complex_error > 1e-4 for row in report.rows)


@pytest.mark.parametrize(
    "apart",
    [
        lambda model: optim.SGD([{"params": [p for p in model.parameters() if p.ndim == k]} for k in (1, 2)], lr=0.1),
        lambda model: setattr(model[0], "weight", nn.Parameter(model[0].weight.data)),
    ],
    ids=["weights and biases in groups", "a weight of its own"],
)
def test_parameters_that_live_apart_are_used_layer_by_layer(apart):
    (model, _), (other, alone) = pair()
    assert model(X).operation.name == "layers"
    apart(model)
    assert model(X).operation.name == "linear"
    model[2].bias.assign([5.0])
    other[2].bias.assign([5.0])
    assert backward(model, model) == backward(other, alone)
    _ = model.theta  # brings them together again
    assert model(X).operation.name == "layers"


def test_one_layer_used_twice_is_used_layer_by_layer():
    layer = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    assert model(X).operation.name == "linear"
    model(X).sum().backward()
    found = model.theta_grad.copy()
    model.zero_grad()
    one_by_one(model, X).sum().backward()
    np.testing.assert_array_equal(found, model.theta_grad)


@pytest.mark.parametrize("twin_of", [copy.deepcopy, copy.copy])
def test_a_copy_is_one_operation_from_the_start(twin_of):
    model = network(nn.Tanh())
    before = model(X).data
    twin = twin_of(model)
    assert twin(X).operation.name == "layers"
    np.testing.assert_array_equal(twin(X).data, before)


def test_a_forward_pass_leaves_the_arrays_where_they_are():
    model = network(nn.Tanh(), nn.Linear(3, 1, rng=1))
    model[0].weight = nn.Parameter(model[0].weight.data)
    arrays = [p.data for p in model.parameters()]
    model(X).sum().backward()
    assert all(p.data is array for p, array in zip(model.parameters(), arrays, strict=True))


def test_a_bias_of_another_shape_is_refused_with_both_shapes():
    model = network(nn.Tanh())
    model[0].bias = nn.Parameter([1.0])
    _ = model.theta
    with pytest.raises(ShapeError, match=r"weight has shape \(2, 3\), bias has shape \(1,\)"):
        model(X)


def test_what_goes_wrong_in_an_activation_is_not_taken_for_shapes_that_do_not_fit(monkeypatch):
    def fails(z, out):
        raise ValueError("the activation speaks")

    monkeypatch.setitem(rules._APPLIED, "tanh", fails)
    stack = rules.Stack([(2, 3)], ["tanh"])
    with pytest.raises(ValueError, match="the activation speaks"):
        TABLE["layers"].forward(X, np.ones(9), stack)
