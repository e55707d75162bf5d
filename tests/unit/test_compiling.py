"""What a repeated step leaves out, and that nobody can tell: gradients written over old ones, passes along a chain."""

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.errors import DataError, DomainError
from bplib.optim import SGD, Adam

RNG = np.random.default_rng(1)
BATCHES = [(RNG.normal(size=(8, 2)), RNG.normal(size=(8, 1))) for _ in range(4)]


def network(out=1):
    return nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, out, rng=1))


def steps(model, optimizer, forget=None, loss_of=losses.mse):
    """The step as it is written, and its repetition, over one model each."""

    def step(x, y):
        (forget or optimizer.zero_grad)()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step, bplib.replay(step)


def twins(out=1, rate=0.1):
    pairs = [(model, SGD(model.parameters(), lr=rate)) for model in (network(out), network(out))]
    return [(model, optimizer, *steps(model, optimizer)) for model, optimizer in pairs]


def same(one, other):
    for p, q in zip(one.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            np.testing.assert_array_equal(p.grad, q.grad)


def drop_gradients(model):
    model.zero_grad()


def drop_one_gradient(model):
    next(model.parameters()).grad = None


def set_a_gradient(model):
    next(model.parameters()).grad = np.ones((2, 4))


def freeze_a_layer(model):
    for p in model.layers[0].parameters():
        p.requires_grad = False


def freeze_and_forget(model):
    freeze_a_layer(model)
    model.zero_grad()


def add_a_hook(model):
    next(model.parameters()).register_hook(lambda g: None)


@pytest.mark.parametrize(
    "meddle", [drop_gradients, drop_one_gradient, set_a_gradient, freeze_a_layer, freeze_and_forget, add_a_hook]
)
def test_what_is_done_to_gradients_between_two_repetitions_counts_as_in_the_step_itself(meddle):
    (one, _, step, _), (other, _, _, fast) = twins()
    for i, (x, y) in enumerate(BATCHES):
        assert step(x, y).item() == fast(x, y)
        same(one, other)
        if i == 1:
            meddle(one)
            meddle(other)


@pytest.mark.parametrize("who", ["optimizer", "model"])
def test_a_step_that_forgets_and_finds_anew_does_both_in_one_action(who):
    model = network()
    optimizer = Adam(model.parameters())
    _, fast = steps(model, optimizer, model.zero_grad if who == "model" else None)
    fast(*BATCHES[0])
    assert repr(fast) == "Recording of step, 2 actions"  # forward and backward, and the update


def test_where_more_is_forgotten_than_found_nothing_is_left_out():
    pairs = []
    for _ in range(2):
        model, idle = network(), network()
        optimizer = SGD([*model.parameters(), *idle.parameters()], lr=0.1)
        pairs.append((model, idle, *steps(model, optimizer)))
    (one, first, step, _), (other, second, _, fast) = pairs
    for x, y in BATCHES:
        for p in (*first.parameters(), *second.parameters()):
            p.grad = np.ones(p.shape)
        assert step(x, y).item() == fast(x, y)
        same(one, other)
        same(first, second)


def test_what_is_not_forgotten_goes_on_adding_up():
    pairs = []
    for _ in range(2):
        model = network()
        pairs.append((model, *steps(model, SGD(model.layers[0].parameters(), lr=0.1))))
    (one, step, _), (other, _, fast) = pairs
    for x, y in BATCHES:
        assert step(x, y).item() == fast(x, y)
        same(one, other)


def test_an_update_with_the_gradients_of_the_call_before_comes_first():
    def updating_first(model):
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            optimizer.step()
            optimizer.zero_grad()
            loss = losses.mse(model(x), y)
            loss.backward()
            return loss

        return step

    model, twin = network(), network()
    step, fast = updating_first(model), bplib.replay(updating_first(twin))
    for x, y in BATCHES:
        assert step(x, y).item() == fast(x, y)
        same(model, twin)


def test_gradients_that_add_up_from_call_to_call_do_so():
    model, twin = network(), network()

    def adding(network):
        def step(x, y):
            loss = losses.mse(network(x), y)
            loss.backward()
            return loss

        return step

    step, fast = adding(model), bplib.replay(adding(twin))
    for x, y in BATCHES:
        step(x, y)
        fast(x, y)
        same(model, twin)


def test_two_passes_after_one_zero_grad_add_up():
    model, twin = network(), network()

    def doubly(network):
        def step(x, y):
            network.zero_grad()
            losses.mse(network(x), y).backward()
            loss = losses.mae(network(x), y)
            loss.backward()
            return loss

        return step

    step, fast = doubly(model), bplib.replay(doubly(twin))
    for x, y in BATCHES:
        step(x, y)
        fast(x, y)
        same(model, twin)


def test_a_forward_pass_that_fails_leaves_no_gradient_of_the_step_before():
    (model, _, _, fast), _ = _classifiers()
    x, y = BATCHES[0][0], np.zeros(8, int)
    fast(x, y)
    with pytest.raises(DataError, match="class index is out of range"):
        fast(x, y + 7)
    assert [p.grad for p in model.parameters()] == [None] * 4
    before = [p.numpy() for p in model.parameters()]
    fast(x, y)
    assert any((p.data != q).any() for p, q in zip(model.parameters(), before, strict=True))


def test_an_update_that_fails_leaves_the_gradients_that_were_found():
    (one, optimizer, step, _), (other, second, _, fast) = twins()
    for x, y in BATCHES[:2]:
        step(x, y)
        fast(x, y)
    for o, f in ((optimizer, step), (second, fast)):
        o.param_groups[0]["lr"] = -1.0
        with pytest.raises(DomainError, match="lr"):
            f(*BATCHES[2])
        o.param_groups[0]["lr"] = 0.1
    assert all(p.grad is not None for p in other.parameters())
    same(one, other)
    optimizer.step()
    second.step()
    same(one, other)


def test_a_chain_that_ends_in_a_tensor_of_ones_own_is_repeated():
    w, v = (bplib.tensor([[0.5], [1.5]], requires_grad=True) for _ in range(2))

    def through(w):
        def step(x):
            w.zero_grad()
            loss = (bplib.tensor(x) @ w).exp().sum() if isinstance(x, np.ndarray) else bplib.exp(x @ w).sum()
            loss.backward()
            return loss

        return step

    step, fast = through(w), bplib.replay(through(v))
    for x, _ in BATCHES:
        assert step(bplib.tensor(x)).item() == fast(x)
        np.testing.assert_array_equal(w.grad, v.grad)


@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_a_squared_error_that_is_no_end_of_the_graph_passes_on_what_arrives(factor):
    model, twin = network(), network()

    def scaled(network):
        optimizer = SGD(network.parameters(), lr=0.1)
        return steps(network, optimizer, loss_of=lambda y, t: losses.mse(y, t) * factor)

    (step, _), (_, fast) = scaled(model), scaled(twin)
    for x, y in BATCHES:
        assert step(x, y).item() == fast(x, y)
        same(model, twin)


def _classifiers():
    pairs = []
    for _ in range(2):
        model = network(3)
        optimizer = SGD(model.parameters(), lr=0.1)
        pairs.append((model, optimizer, *steps(model, optimizer, loss_of=losses.cross_entropy)))
    return pairs
