"""A stack of layers taken apart gives the same numbers, bit for bit, and leaves the graph as it was."""

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.engine import walk_back
from bplib.unrolling import unrolled

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 2)), RNG.normal(size=(5, 1))


def network(*activations):
    widths = [2, 3, 4, 1]
    parts = []
    for i, activation in enumerate(activations):
        parts += [nn.Linear(widths[i], widths[i + 1], rng=i), *([activation()] if activation else [])]
    return nn.Sequential(*parts)


STACKS = [(nn.Tanh, nn.ReLU, None), (nn.Sigmoid, None, nn.Tanh), (None, nn.Tanh, nn.ReLU)]


@pytest.mark.parametrize("activations", STACKS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_gradients_are_the_same_bit_for_bit(activations, dtype):
    model = network(*activations).astype(dtype)
    x = bplib.tensor(X, requires_grad=True, dtype=dtype)
    loss = losses.mse(model(x), Y.astype(dtype))
    apart = unrolled(loss)
    loss.backward()
    found = walk_back(apart, np.ones((), dtype))
    assert apart.array == loss.array
    for leaf in (x, *model.parameters()):
        assert found[leaf].dtype == dtype
        np.testing.assert_array_equal(found[leaf], leaf.grad)


def test_every_layer_and_every_activation_is_a_node():
    node, names = unrolled(network(nn.Tanh, nn.ReLU, None)(X)), []
    while node.operation is not None:
        names.append(node.operation.name)
        node = node.parents[0]
    assert names == ["linear", "relu", "linear", "tanh", "linear"]


def test_a_stack_that_feeds_two_results_stays_one_result():
    hidden = network(nn.Tanh, None, None)(X)
    apart = unrolled((hidden * hidden).sum())
    left, right = apart.parents[0].parents
    assert left is right


def test_what_has_no_stack_is_given_back():
    w = bplib.tensor(2.0, requires_grad=True)
    loss = w * w
    assert unrolled(loss) is loss


def test_it_works_where_recording_is_off_and_changes_nothing():
    model = network(nn.Tanh, nn.ReLU, None)
    loss = losses.mse(model(X), Y)
    with bplib.no_grad():
        apart = unrolled(loss)
    assert len(walk_back(apart, np.ones(()))) == 6
    assert all(p.grad is None for p in model.parameters())
    assert loss.parents[0].operation.name == "layers"


def test_names_are_kept():
    y = network(nn.Tanh, None, nn.Tanh)(X)
    y.name = "prediction"
    assert unrolled(y).name == "prediction"
    assert unrolled(y.sum()).parents[0].name == "prediction"
    total = y.sum()
    total.name = "total"
    assert unrolled(total).name == "total"
