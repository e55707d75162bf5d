"""Functions that are called with an arriving gradient, and a backward pass that does all or nothing."""

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.errors import DataError, GraphError, ShapeError
from bplib.optim import SGD


def learner(data, name=None):
    return bplib.tensor(data, requires_grad=True, name=name)


def test_a_hook_sees_the_whole_gradient_once_and_may_leave_it():
    x, seen = learner(3.0), []
    square = x * x
    square.register_hook(lambda g: seen.append(float(g)))
    (square + 2 * square).backward()
    assert (seen, float(x.grad)) == ([3.0], 18.0)


def test_a_hook_may_give_another_gradient_and_they_run_in_order():
    x = learner([1.0, 2.0])
    y = x * 1.0
    y.register_hook(lambda g: g + 1)
    y.register_hook(lambda g: 10 * g)
    y.sum().backward()
    assert x.grad.tolist() == [20.0, 20.0]


def test_a_hook_on_a_leaf_sees_the_sum_of_all_paths():
    x, seen = learner(2.0), []
    x.register_hook(lambda g: seen.append(float(g)) or g / 2)
    (x * x + 3 * x).backward()
    assert (seen, float(x.grad)) == ([7.0], 3.5)


def test_a_hook_on_a_parameter_acts_before_the_optimizer():
    model = nn.Linear(2, 1, rng=0)
    before = model.weight.numpy()
    model.weight.register_hook(lambda g: np.zeros_like(g))
    losses.mse(model([[1.0, 2.0]]), [[9.0]]).backward()
    SGD(model.parameters(), lr=0.1).step()
    assert model.weight.grad.tolist() == [[0.0], [0.0]]
    assert np.array_equal(model.weight.data, before)
    assert model.bias.grad[0] != 0.0


def test_a_removed_hook_is_not_called_again():
    x, seen = learner(1.0), []
    handle = x.register_hook(seen.append)
    (x * 1.0).backward()
    handle.remove()
    handle.remove()
    (x * 1.0).backward()
    assert len(seen) == 1
    assert repr(handle) == "HookHandle(append)"


def test_a_hook_cannot_write_into_the_gradient():
    x = learner([1.0])

    def write(g):
        g[0] = 5.0

    x.register_hook(write)
    with pytest.raises(ValueError, match="read-only"):
        (x * 1.0).sum().backward()
    assert x.grad is None


def test_hooks_run_with_the_callers_own_settings():
    x, seen = learner(1.0), []
    x.register_hook(lambda g: seen.append(np.geterr()["over"]))
    with np.errstate(over="raise"):
        (x * 1.0).backward()
    assert seen == ["raise"]


def test_a_kept_gradient_comes_after_the_hooks_and_adds_up():
    x = learner(1.0)
    y = x * 2.0
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda g: g * 3)
    loss = y * 1.0
    loss.backward()
    loss.backward()
    assert float(y.grad) == 6.0


def test_a_hook_of_the_wrong_shape_is_told_and_nothing_has_changed():
    x, w = learner([1.0, 2.0]), learner([1.0, 1.0])
    y = x * w
    y.register_hook(lambda g: g[:1])
    with pytest.raises(ShapeError, match=r"the hook gave an array of shape \(1,\), the tensor has shape \(2,\)"):
        y.sum().backward()
    assert x.grad is None
    assert w.grad is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, MemoryError])
def test_a_backward_pass_that_fails_leaves_every_gradient_as_it_was(error):
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x = learner([[1.0, 2.0]])
    first = x * 1.0

    def fail(g):
        raise error

    first.register_hook(fail)
    loss = losses.mse(model(first), [[1.0]])
    leaves = [x, *model.parameters()]
    with pytest.raises(error):
        loss.backward()
    assert [leaf.grad for leaf in leaves] == [None] * 5
    losses.mse(model(x), [[1.0]]).backward()
    kept = [leaf.grad.copy() for leaf in leaves]
    with pytest.raises(error):
        loss.backward()
    for leaf, grad in zip(leaves, kept, strict=True):
        assert np.array_equal(leaf.grad, grad)


def test_a_changed_leaf_is_named_and_no_gradient_has_changed():
    w, v = learner(1.0, "w"), learner(1.0, "v")
    loss = (v * v) * (w * w)
    w.assign(2.0)
    with pytest.raises(GraphError, match="the tensor 'w' was changed after 'multiply' had used it"):
        loss.backward()
    assert (w.grad, v.grad) == (None, None)


def test_a_changed_constant_is_found_too():
    w, x = learner(1.0), bplib.tensor([1.0, 2.0], name="x")
    loss = (w * x).sum()
    x.assign([5.0, 5.0])
    with pytest.raises(GraphError, match="the tensor 'x' was changed"):
        loss.backward()


def test_a_backward_pass_inside_a_hook_is_one_of_its_own():
    model = nn.Linear(1, 1, rng=0)
    x, other = learner([[2.0]]), learner(3.0)
    x.register_hook(lambda g: (other * other).backward())
    model(x).sum().backward()
    assert float(other.grad) == 6.0
    assert model.weight.grad.tolist() == [[2.0]]


def test_a_failure_after_a_backward_pass_inside_a_hook_still_leaves_everything_as_it_was():
    model = nn.Linear(1, 1, rng=0)
    x, other = learner([[2.0]]), learner([[3.0]])
    first, second = x * 1.0, model(x) * 1.0

    def inner_pass(g):
        (other * other).sum().backward()

    def fail(g):
        raise ValueError

    second.register_hook(inner_pass)
    first.register_hook(fail)
    loss = (second + first).sum()
    with pytest.raises(ValueError, match=r"^$"):
        loss.backward()
    assert (model.weight.grad, model.bias.grad, x.grad) == (None, None, None)
    assert other.grad.tolist() == [[6.0]]


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: bplib.tensor(1.0).register_hook(print), GraphError, "register_hook: nothing in this graph asks"),
        (lambda: learner(1.0).register_hook(3), DataError, "expected a function of the gradient, got int"),
    ],
)
def test_hooks_that_cannot_work_are_refused(act, error, words):
    with pytest.raises(error, match=words):
        act()
