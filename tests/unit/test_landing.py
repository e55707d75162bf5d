"""A product and a sum write a parameter's gradient into its own memory, and nobody can tell but by the time."""

from threading import get_ident
from unittest.mock import Mock

import numpy as np
import pytest

import bplib
from bplib import nn
from bplib.engine import walk_back
from bplib.errors import GraphError
from bplib.home import aside
from bplib.modes import inspect_with

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 3))


def at_home(dtype=np.float64):
    """Weight (3, 3) and bias (3,) in one home; the first comes from the layer, so both are side by side."""
    layer = nn.Linear(3, 3, rng=1)
    model = nn.Sequential(layer).astype(dtype)
    return model, layer.weight, layer.bias


def without_home(*parameters):
    return [bplib.tensor(p.data.copy(), requires_grad=True) for p in parameters]


FUNCTIONS = {
    "once": lambda x, w, b: x @ w + b,
    "the product of a weight with itself": lambda x, w, b: x @ (w @ w) + b,
    "in two products": lambda x, w, b: bplib.tanh(x @ w + b) @ w,
    "in two sums": lambda x, w, b: (x @ w + b) * (x + b),
    "the bias first": lambda x, w, b: b + x @ w,
    "the weight first": lambda x, w, b: (w @ bplib.tensor(x.T)).T + b,
    "summed over more than the examples": lambda x, w, b: (x @ w + b).reshape(1, 5, 3) + b,
    "a bias that is repeated down one axis of length 1": lambda x, w, b: (x @ w)[:1] + b,
    "no sum at all": lambda x, w, b: (x[0] @ w) + b,
    "one product beside another operation": lambda x, w, b: x @ w + b + w.sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("before", [False, True], ids=["no gradient before", "a gradient before"])
def test_the_gradients_are_those_of_tensors_without_a_home(name, before):
    _, w, b = at_home()
    twins = without_home(w, b)
    for parameters in ((w, b), twins):
        for _ in range(1 + before):
            (FUNCTIONS[name](bplib.tensor(X), *parameters) ** 2.0).sum().backward()
    for parameter, twin in zip((w, b), twins, strict=True):
        assert np.allclose(parameter.grad, twin.grad, rtol=1e-14, atol=1e-14)
        assert np.shares_memory(parameter.grad, parameter.home.gradients)


def test_a_weight_and_a_bias_receive_no_copy():
    _, w, b = at_home()
    looks, arrived = Mock(every_layer=False), []
    looks.backward = lambda node, incoming, outgoing: arrived.extend(outgoing)
    loss = (bplib.tensor(X) @ w + b).sum()
    before = inspect_with(looks)
    try:
        loss.backward()
    finally:
        inspect_with(before)
    for parameter in (w, b):
        assert any(share is parameter.buffer for share in arrived)


@pytest.mark.parametrize("layer", [lambda x, w, b: x @ w + b, bplib.linear], ids=["elementary", "linear"])
def test_gradients_that_are_handed_over_change_no_memory(layer):
    """Neither an array that was taken from .grad before, nor what another thread may write there meanwhile."""
    _, w, b = at_home()
    layer(bplib.tensor(X), w, b).sum().backward()
    taken = w.grad, b.grad
    kept = [g.copy() for g in taken]
    w.grad = b.grad = None
    bplib.grad(lambda x: layer(x, w, b).sum())(np.ones((2, 3)))
    assert all(np.array_equal(g, before) for g, before in zip(taken, kept, strict=True))
    assert w.grad is b.grad is None


def test_a_stack_that_hands_its_gradients_over_changes_no_memory():
    model, _, _ = at_home()
    model(X).sum().backward()
    taken, kept = model.theta_grad, model.theta_grad.copy()
    model.zero_grad()
    bplib.grad(lambda x: model(x).sum())(np.ones((2, 3)))
    assert np.array_equal(taken, kept)


def test_a_walk_within_a_walk_leaves_the_mark_of_the_outer_one():
    _, w, b = at_home()

    def watch(node, incoming, outgoing):
        bplib.grad(lambda x: (x @ w + b).sum())(X)
        assert get_ident() in aside

    walk_back((bplib.tensor(X) @ w + b).sum(), np.ones(()), watch)
    assert aside == set()


def test_what_was_handed_over_stays_as_it_was_when_more_arrives():
    _, w, b = at_home()
    loss = (bplib.tanh(bplib.tensor(X) @ w + b) @ w).sum()
    found = walk_back(loss, np.ones(()))
    kept = {parameter: g.copy() for parameter, g in found.items()}
    assert set(found) == {w, b}
    assert w.grad is b.grad is None
    (bplib.tensor(X) @ w + b).sum().backward()
    assert all(np.array_equal(found[parameter], kept[parameter]) for parameter in found)


@pytest.mark.parametrize("which", [0, 1], ids=["weight", "bias"])
def test_a_hook_sees_the_gradient_and_may_change_it(which):
    _, *parameters = at_home()
    seen = []
    parameters[which].register_hook(lambda g: seen.append(g.copy()) or 2.0 * g)
    (bplib.tensor(X) @ parameters[0] + parameters[1]).sum().backward()
    wanted = (X.T @ np.ones((5, 3)), np.full(3, 5.0))
    assert np.allclose(seen[0], wanted[which])
    assert np.allclose(parameters[which].grad, 2.0 * wanted[which])
    assert np.allclose(parameters[1 - which].grad, wanted[1 - which])


@pytest.mark.parametrize("which", [0, 1], ids=["weight", "bias"])
def test_a_frozen_parameter_receives_nothing(which):
    _, *parameters = at_home()
    parameters[which].requires_grad = False
    (bplib.tensor(X) @ parameters[0] + parameters[1]).sum().backward()
    assert parameters[which].grad is None
    assert parameters[1 - which].grad is not None


def test_a_gradient_of_another_type_is_cast_and_not_written_into_the_memory():
    _, w, b = at_home(np.float32)
    (bplib.tensor(X) @ w + b).sum().backward()  # float64 data: the gradient that arrives is float64
    assert w.grad.dtype == b.grad.dtype == np.float32
    assert np.allclose(w.grad, X.T @ np.ones((5, 3)), rtol=1e-6)


def test_a_backward_pass_that_fails_takes_the_gradients_back():
    _, w, b = at_home()
    x = bplib.tensor(X, requires_grad=True)
    loss = ((x * 1.0) @ w + b).sum()
    x.assign(X + 1.0)
    with pytest.raises(GraphError, match="was changed after 'multiply' had used it"):
        loss.backward()
    assert w.grad is None
    assert b.grad is None


def a_mixture(w, b):
    """The first share of w arrives as a new array, the second lands in its memory, the third comes after it."""
    oldest, middle = (bplib.tanh(w) * 0.7).sum(), bplib.tanh(bplib.tensor(X) @ w + b).sum() * 0.37
    return oldest + middle + (bplib.sin(w) * 1.3 * b).sum()


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_at_a_parameter_is_the_same_to_the_last_bit_whoever_walks(seed):
    layer = nn.Linear(3, 3, rng=seed)
    w, b = layer.weight, layer.bias
    found = walk_back(a_mixture(w, b), np.ones(()))
    a_mixture(w, b).backward()
    assert np.array_equal(found[w], w.grad)
    assert np.array_equal(found[b], b.grad)


def many_shares(w, b):
    h = bplib.tensor(X)
    for _ in range(6):
        h = bplib.tanh(h @ w + b) * 1.3
    return h.sum()


@pytest.mark.parametrize("loss_of", [many_shares, a_mixture])
def test_a_recorded_step_adds_up_in_the_order_of_the_engine(loss_of):
    thetas = []
    for recorded in (False, True):
        model, w, b = at_home()
        optimizer = bplib.optim.SGD(model.parameters(), lr=0.1)

        def step(w=w, b=b, optimizer=optimizer):
            optimizer.zero_grad()
            loss = loss_of(w, b)
            loss.backward()
            optimizer.step()
            return loss

        run = bplib.replay(step) if recorded else step
        for _ in range(4):
            run()
        thetas.append(model.theta.copy())
    assert np.array_equal(*thetas)
