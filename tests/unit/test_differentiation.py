"""From a function to its gradient."""

import numpy as np
import pytest

import bplib
from bplib import nn
from bplib.engine import walk_back
from bplib.errors import DataError, GraphError, ShapeError


def test_the_gradient_has_the_shape_of_the_argument():
    slope = bplib.grad(lambda w, x: bplib.tanh(x @ w).sum())
    w, x = np.ones((3, 2)), np.ones((4, 3))
    assert slope(w, x).shape == (3, 2)
    np.testing.assert_allclose(slope(w, x), 4 * (1 - np.tanh(3) ** 2))


def test_another_argument_may_be_chosen():
    assert bplib.grad(lambda a, b: a * b, argnum=1)(2.0, 5.0) == 2.0


def test_a_function_that_gives_its_argument_back_has_slope_one():
    assert bplib.grad(lambda x: x)(3.0) == 1.0


def test_what_does_not_depend_on_the_argument_has_gradient_zero():
    w = bplib.tensor(2.0, requires_grad=True)
    assert bplib.grad(lambda x: w * w)([1.0, 2.0]).tolist() == [0.0, 0.0]
    assert bplib.grad(lambda x: bplib.tensor(1.0))(1.0) == 0.0


def test_no_gradient_of_other_tensors_changes():
    model = nn.Linear(2, 1, rng=0)
    bplib.grad(lambda x: model(x).sum())([[1.0, 2.0]])
    assert model.weight.grad is None
    model(np.ones((1, 2))).sum().backward()
    before = model.weight.grad.copy()
    bplib.grad(lambda x: model(x).sum())([[5.0, 2.0]])
    assert np.array_equal(model.weight.grad, before)


def test_the_walk_hands_over_the_sum_where_a_parameter_is_used_twice():
    layer = nn.Linear(2, 2, rng=0)
    loss = (bplib.tanh(layer(layer([[1.0, 2.0]]))) * [[1.0, 3.0]]).sum()
    found = walk_back(loss, np.ones(()))
    assert layer.weight.grad is None
    loss.backward()
    assert np.array_equal(found[layer.weight], layer.weight.grad)
    assert np.array_equal(found[layer.bias], layer.bias.grad)


def test_published_the_function_of_baydin_and_others():
    """A. G. Baydin et al. (2018), JMLR 18(153), table 3: ln x₁ + x₁x₂ − sin x₂ at (2, 5)."""

    def f(x1, x2):
        return bplib.log(x1) + x1 * x2 - bplib.sin(x2)

    assert f(2.0, 5.0).item() == pytest.approx(11.652, abs=5e-4)
    assert bplib.grad(f, 0)(2.0, 5.0) == pytest.approx(5.5)
    assert bplib.grad(f, 1)(2.0, 5.0) == pytest.approx(1.716, abs=5e-4)


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: bplib.grad(3), DataError, "grad: expected a function, got int"),
        (lambda: bplib.grad(abs, -1), DataError, "argnum is -1. Expected the place of an argument"),
        (lambda: bplib.grad(lambda x: x, 2)(1.0), DataError, "argnum is 2, but there are 1 arguments"),
        (lambda: bplib.grad(lambda x: x)([1.0, 2.0]), ShapeError, r"a tensor of shape \(2,\). Expected one number"),
        (lambda: bplib.grad(lambda x: x * x)([1.0, 2.0]), ShapeError, r"a tensor of shape \(2,\). Expected one number"),
        (lambda: bplib.grad(lambda x: 3.0)(1.0), GraphError, "gave float. Expected a tensor"),
        (lambda: bplib.grad(bplib.grad(lambda x: x * x))(2.0), GraphError, "gives first derivatives only"),
        (lambda: bplib.grad(lambda x: x)("text"), DataError, "holds text"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(act, error, words):
    with pytest.raises(error, match=words):
        act()


def test_where_recording_is_off_there_is_no_gradient():
    with bplib.no_grad(), pytest.raises(GraphError, match="recording is off here"):
        bplib.grad(lambda x: x * x)(1.0)
