"""What every gradient must obey, whatever the function: five hundred examples of each law."""

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.engine import walk_back

EXAMPLES = range(500)
LIMIT = 1e-11


def learner(array):
    return bplib.tensor(array, requires_grad=True)


def near(found, wanted):
    return np.max(np.abs(found - wanted), initial=0.0) <= LIMIT * (1.0 + np.max(np.abs(wanted), initial=0.0))


def draw(seed):
    """Give a generator, an input (n, 3), and a network as a function of it, with leaves of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(int(rng.integers(1, 6)), 3))
    w, b, v = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 2))
    return rng, x, lambda x, w=w, b=b, v=v: bplib.tanh(bplib.linear(x, w, b)) @ v


def gradient(f, x, seed=None):
    leaf = learner(x)
    out = f(leaf)
    return walk_back(out, np.ones(out.shape) if seed is None else seed)[leaf]


def law_the_seed_is_linear(seed):
    rng, x, f = draw(seed)
    out = f(bplib.tensor(x)).shape
    a, b, u, v = rng.normal(), rng.normal(), rng.normal(size=out), rng.normal(size=out)
    return gradient(f, x, a * u + b * v), a * gradient(f, x, u) + b * gradient(f, x, v)


def law_the_gradient_of_a_sum_is_the_sum_of_the_gradients(seed):
    _, x, f = draw(seed)
    return gradient(lambda x: f(x).sum() + (x * x).sum(), x), gradient(f, x) + 2 * x


def law_a_factor_comes_out(seed):
    rng, x, f = draw(seed)
    c = rng.normal()
    return gradient(lambda x: c * f(x), x), c * gradient(f, x)


def law_the_product_rule(seed):
    _, x, f = draw(seed)
    value = f(bplib.tensor(x)).numpy().sum()
    left = gradient(lambda x: f(x).sum() * (x * x).sum(), x)
    return left, gradient(f, x) * (x * x).sum() + value * 2 * x


def law_a_branch_that_is_not_used_changes_nothing(seed):
    _, x, f = draw(seed)

    def with_branch(x):
        bplib.exp(x) * 3.0
        return f(x)

    return gradient(with_branch, x), gradient(f, x)


def law_another_order_of_the_examples_reorders_the_gradient(seed):
    rng, x, f = draw(seed)
    order = rng.permutation(len(x))
    return gradient(f, x[order]), gradient(f, x)[order]


def law_the_examples_of_a_batch_do_not_mix(seed):
    _, x, f = draw(seed)
    return gradient(f, x), np.concatenate([gradient(f, x[i : i + 1]) for i in range(len(x))])


def law_the_batch_gradient_is_the_sum_over_the_examples(seed):
    rng, x, _ = draw(seed)
    w = rng.normal(size=(3, 2))
    each = sum(gradient(lambda w, i=i: bplib.tanh(x[i] @ w), w) for i in range(len(x)))
    return gradient(lambda w: bplib.tanh(x @ w), w), each


def law_a_transposed_product_is_the_product_of_the_transposed(seed):
    rng, x, _ = draw(seed)
    b = rng.normal(size=(3, 2))
    up = rng.normal(size=(2, len(x)))
    return gradient(lambda x: (x @ b).T, x, up), gradient(lambda x: bplib.tensor(b).T @ x.T, x, up)


def law_adding_a_constant_changes_no_gradient(seed):
    _, x, f = draw(seed)
    return gradient(lambda x: f(x) + 7.0, x), gradient(f, x)


def law_the_same_function_written_another_way(seed):
    _, x, _ = draw(seed)
    return gradient(lambda x: bplib.softmax(x), x, x), gradient(lambda x: bplib.exp(bplib.log_softmax(x)), x, x)


def law_a_loss_that_knows_no_shift_has_a_gradient_that_adds_up_to_nothing(seed):
    _, x, _ = draw(seed)
    classes = np.arange(len(x)) % 3
    return gradient(lambda x: losses.cross_entropy(x, classes), x).sum(axis=1), np.zeros(len(x))


LAWS = [law for name, law in sorted(globals().items()) if name.startswith("law_")]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__[4:])
def test_law(law):
    for seed in EXAMPLES:
        assert near(*law(seed)), f"example {seed}"


def test_there_are_twelve_laws():
    assert len(LAWS) == 12


def shared_model(seed):
    hidden = nn.Linear(3, 3, rng=seed)
    first, last = nn.Linear(2, 3, rng=seed), nn.Linear(3, 1, rng=1)
    return nn.Sequential(first, nn.Tanh(), hidden, nn.ReLU(), hidden, nn.Tanh(), last)


def test_a_second_backward_adds_exactly_the_same_bit_for_bit():
    """Also where a parameter is used twice, by two layers, and where its first gradient was there before."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        model, x = shared_model(seed), learner(rng.normal(size=(4, 2)))
        loss = losses.mse(model(x) + (x * x).sum(axis=1, keepdims=True) * x[:, :1], rng.normal(size=(4, 1)))
        leaves = [x, *model.parameters()]
        loss.backward()
        once = [leaf.grad.copy() for leaf in leaves]
        loss.backward()
        for leaf, first in zip(leaves, once, strict=True):
            assert np.array_equal(leaf.grad, first + first)
            leaf.zero_grad()
        loss.backward()
        for leaf, first in zip(leaves, once, strict=True):
            assert np.array_equal(leaf.grad, first)
