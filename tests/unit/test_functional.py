"""The public functions over the table: what they give, and what they say when the arguments do not fit."""

import tracemalloc

import numpy as np
import pytest

import bplib
from bplib import Tensor, functional, tensor
from bplib.errors import DataError, DomainError, ShapeError

RNG = np.random.default_rng(3)
X = RNG.normal(size=(2, 3))
IMAGES = RNG.normal(size=(2, 2, 5, 6))
WINDOWS = RNG.normal(size=(3, 2, 3, 2))


def by_hand(x, weight, bias, stride, padding):
    """A convolution as its formula is written, one number at a time."""
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    height, width = weight.shape[2:]
    down = (x.shape[2] - height) // stride[0] + 1
    across = (x.shape[3] - width) // stride[1] + 1
    y = np.empty((len(x), len(weight), down, across))
    for n, o, i, j in np.ndindex(y.shape):
        seen = x[n, :, i * stride[0] : i * stride[0] + height, j * stride[1] : j * stride[1] + width]
        y[n, o, i, j] = (seen * weight[o]).sum() + bias[o]
    return y


VALUES = [
    (lambda: bplib.leaky_relu(X, 0.1), np.where(X > 0, X, 0.1 * X)),
    (lambda: bplib.leaky_relu([-1.0]), [-0.01]),
    (lambda: bplib.leaky_relu([-3.0], slope=-1), [3.0]),
    (lambda: bplib.softplus(X), np.log1p(np.exp(X))),
    (lambda: bplib.maximum(X, X[0]), np.maximum(X, X[0])),
    (lambda: bplib.minimum(0, X), np.minimum(0, X)),
    (lambda: bplib.where(X > 0, X, -1), np.where(X > 0, X, -1)),
    (lambda: bplib.where([[True], [False]], X[0], 2.0), np.where([[True], [False]], X[0], 2.0)),
    (lambda: bplib.clip(X, -0.5, 0.5), np.clip(X, -0.5, 0.5)),
    (lambda: bplib.clip(X, low=0), np.maximum(X, 0)),
    (lambda: bplib.clip(X, high=0.25), np.minimum(X, 0.25)),
    (lambda: bplib.concatenate([X, X[:1]]), np.concatenate([X, X[:1]])),
    (lambda: bplib.concatenate((X, tensor(X)), axis=-1), np.concatenate((X, X), axis=1)),
    (lambda: bplib.stack([X, X], axis=2), np.stack([X, X], axis=2)),
    (lambda: bplib.stack([1, tensor(2.0), 3]), [1.0, 2.0, 3.0]),
    (lambda: bplib.logsumexp(X), np.log(np.exp(X).sum())),
    (lambda: bplib.logsumexp(X, axis=1, keepdims=True), np.log(np.exp(X).sum(axis=1, keepdims=True))),
    (lambda: bplib.logsumexp(X, axis=(0, -1)), np.log(np.exp(X).sum())),
    (lambda: bplib.logsumexp(X, axis=()), X),
    (lambda: bplib.logsumexp(np.zeros((0, 3)), axis=1), np.zeros(0)),
    (lambda: bplib.softmax(np.zeros((2, 0))), np.zeros((2, 0))),
    (lambda: bplib.log_softmax(np.zeros((0, 2))), np.zeros((0, 2))),
    (lambda: tensor(X).max(axis=0), X.max(axis=0)),
    (lambda: tensor(X).min(axis=(0, 1), keepdims=True), X.min(keepdims=True)),
    (lambda: bplib.conv2d(IMAGES, WINDOWS), by_hand(IMAGES, WINDOWS, np.zeros(3), (1, 1), (0, 0))),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, [1.0, 2.0, 3.0], 2, 1), by_hand(IMAGES, WINDOWS, [1, 2, 3], (2, 2), (1, 1))),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, stride=(1, 3), padding=[0, 2]),
     by_hand(IMAGES, WINDOWS, np.zeros(3), (1, 3), (0, 2))),
    (lambda: bplib.max_pool2d(IMAGES, 2), IMAGES[:, :, :4].reshape(2, 2, 2, 2, 3, 2).max(axis=(3, 5))),
    (lambda: bplib.max_pool2d(IMAGES, (5, 1), stride=(1, 2)), IMAGES[..., ::2].max(axis=2, keepdims=True)),
]  # fmt: skip


@pytest.mark.parametrize(("call", "wanted"), VALUES)
def test_the_values_are_those_of_the_formula(call, wanted):
    found = call()
    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.data, wanted, rtol=1e-13, atol=1e-15)
    assert found.shape == np.shape(wanted)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: bplib.leaky_relu(t), lambda t: bplib.softplus(t), lambda t: bplib.maximum(t, 0),
        lambda t: bplib.minimum(0.5, t), lambda t: bplib.where(t > 0, 1, t), lambda t: bplib.clip(t, 0, 1),
        lambda t: bplib.concatenate([t, t]), lambda t: bplib.stack([1.0, t[0, 0]]), lambda t: bplib.logsumexp(t),
        lambda t: t.max(), lambda t: t.min(axis=0), lambda t: bplib.max_pool2d(t[None, None], 2),
        lambda t: bplib.conv2d(t[None, None], t[None, None]),
    ],
)  # fmt: skip
def test_float32_is_kept_also_beside_python_numbers(call):
    x = tensor(X.astype(np.float32), requires_grad=True)
    out = call(x)
    assert out.dtype == np.float32
    out.backward(np.ones(out.shape))
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("name", functional.__all__)
def test_every_function_is_public_documented_and_a_row_of_the_table(name):
    function = getattr(bplib, name)
    assert name in bplib.__all__
    assert name in bplib.rules.TABLE
    for word in ("Parameters\n", "Returns\n", "References\n", "Examples\n"):
        assert word in function.__doc__, f"{name} has no {word}"


def test_the_sources_in_the_docstrings_are_those_of_the_table():
    for name in functional.__all__:
        text = getattr(bplib, name).__doc__.replace("*", "")
        for source in bplib.rules.TABLE[name].source.split("; "):
            year = source.partition("(")[2][:4]
            assert source.partition(" (")[0] in text, name
            assert f"({year})" in text, name


def test_a_condition_changed_after_the_forward_pass_does_not_move_the_gradient():
    x, condition = tensor([1.0, 2.0], requires_grad=True), np.array([True, False])
    out = bplib.where(condition, x, 0.0)
    condition[:] = [False, True]
    out.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("place", [np.array([0]), [0], (np.array([0]),), ([0],), np.array([True, False])])
def test_an_index_changed_after_the_forward_pass_does_not_move_the_gradient(place):
    x = tensor([1.0, 2.0], requires_grad=True)
    out = x[place]
    inside = place[0] if isinstance(place, tuple) else place
    inside[:] = [1] if len(inside) == 1 else [False, True]
    out.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


def test_the_same_tensor_may_stand_in_several_places():
    x = tensor([1.0, 2.0], requires_grad=True)
    (bplib.concatenate([x, x]).sum() + bplib.maximum(x, x).sum() + bplib.stack([x, x, x]).sum()).backward()
    assert x.grad.tolist() == [6.0, 6.0]


MISFITS = [
    (lambda: bplib.leaky_relu(X, "a"), DataError, ["leaky_relu: slope is 'a'", "Expected one number"]),
    (lambda: bplib.leaky_relu(X, np.inf), DomainError, ["leaky_relu: slope is inf", "finite"]),
    (lambda: bplib.clip(X), DomainError, ["clip: low and high are both None", "high=1.0"]),
    (lambda: bplib.clip(X, 2, 1), DomainError, ["clip: low is 2, high is 1", "low ≤ high"]),
    (lambda: bplib.clip(X, X), DataError, ["clip: low is", "Expected one number"]),
    (lambda: bplib.clip(X, np.nan), DomainError, ["clip: low is nan", "finite"]),
    (lambda: bplib.maximum(X, [1, 2]), ShapeError, ["maximum: shapes (2, 3) and (2,) do not fit"]),
    (lambda: bplib.minimum(X, "a"), DataError, ["holds text"]),
    (lambda: bplib.where(X, X, X), DataError, ["where: condition holds float64", "x > 0"]),
    (lambda: bplib.where(tensor(X), X, X), DataError, ["where: condition holds float64", "x > 0"]),
    (lambda: bplib.where([True, [False]], 1, 2), DataError, ["where: condition is a list whose rows"]),
    (lambda: bplib.where([True, False], X, X[0]),
     ShapeError, ["condition has shape (2,), a has shape (2, 3), b has shape (3,)"]),
    (lambda: bplib.concatenate(tensor(X)),
     DataError, ["expected a list of tensors, got one array of shape (2, 3)", "concatenate([a, b])"]),
    (lambda: bplib.concatenate(None), DataError, ["expected a list of tensors, got None"]),
    (lambda: bplib.concatenate([]), ShapeError, ["concatenate: the list is empty"]),
    (lambda: bplib.concatenate([1.0, 2.0]), ShapeError, ["a single number, shape ()", "Try stack"]),
    (lambda: bplib.concatenate([X, X[0]]),
     ShapeError, ["number 1 of the list has shape (2, 3), number 2 has shape (3,)"]),
    (lambda: bplib.concatenate([X, X, X.T]), ShapeError, ["number 3 has shape (3, 2)", "all but axis 0"]),
    (lambda: bplib.concatenate([X, 1.0], 1), ShapeError, ["number 2 has shape ()"]),
    (lambda: bplib.concatenate([X, X], axis=2), DomainError, ["has shape (2, 3) and no axis 2", "from 0 to 1"]),
    (lambda: bplib.concatenate([X, X], axis=True), DomainError, ["no axis True"]),
    (lambda: bplib.stack([X, X.T]), ShapeError, ["number 1 of the list has shape (2, 3), number 2 has shape (3, 2)"]),
    (lambda: bplib.stack([X, X], axis=3), DomainError, ["the result has shape (2, 2, 3) and no axis 3"]),
    (lambda: bplib.stack(5), DataError, ["stack: expected a list of tensors, got 5"]),
    (lambda: bplib.logsumexp(X, axis=2), DomainError, ["logsumexp: x has shape (2, 3) and no axis 2"]),
    (lambda: bplib.logsumexp(X, axis=(0, -2)), DomainError, ["names an axis twice"]),
    (lambda: bplib.logsumexp(X, axis=[0]), DomainError, ["no axis [0]"]),
    (lambda: bplib.logsumexp(1.0, axis=0), DomainError, ["no axis 0", "It is a single number"]),
    (lambda: bplib.logsumexp([]), ShapeError, ["logsumexp: x has shape (0,) and no elements"]),
    (lambda: bplib.softmax(X, axis=1.0), DomainError, ["no axis 1.0"]),
    (lambda: tensor([]).max(), ShapeError, ["max: the tensor has shape (0,) and no elements to choose from"]),
    (lambda: tensor(np.zeros((0, 2))).min(axis=0), ShapeError, ["min: the tensor has shape (0, 2) and no elements"]),
    (lambda: tensor(X).max(axis=2), ShapeError, ["max: 2 does not fit a tensor of shape (2, 3)"]),
    (lambda: bplib.conv2d(IMAGES[0], WINDOWS),
     ShapeError, ["x has shape (2, 5, 6), weight has shape (3, 2, 3, 2)", "Try x[None]"]),
    (lambda: bplib.conv2d(IMAGES, WINDOWS[:, :1]),
     ShapeError, ["(2, 2, 5, 6)", "(3, 1, 3, 2)", "same number of channels"]),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, [1.0]), ShapeError, ["bias has shape (1,)", "shape (3,)"]),
    (lambda: bplib.conv2d(IMAGES[:, :, :2], WINDOWS), ShapeError, ["its images are 2 by 6, the window is 3 by 2"]),
    (lambda: bplib.conv2d(IMAGES[:, :, :0], WINDOWS, padding=1), ShapeError, ["with their padding are 2 by 8"]),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, stride=0), DomainError, ["conv2d: stride is 0"]),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, padding=-1), DomainError, ["conv2d: padding is -1"]),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, stride=(1, 2, 3)), DataError, ["stride is (1, 2, 3)", "or two"]),
    (lambda: bplib.conv2d(IMAGES, WINDOWS, stride=1.5), DataError, ["stride is 1.5", "whole number"]),
    (lambda: bplib.max_pool2d(X, 2),
     ShapeError, ["max_pool2d: x has shape (2, 3)", "(examples, channels, height, width)"]),
    (lambda: bplib.max_pool2d(IMAGES, 6), ShapeError, ["its images are 5 by 6, the window is 6 by 6"]),
    (lambda: bplib.max_pool2d(IMAGES, None), DataError, ["max_pool2d: size is None"]),
    (lambda: bplib.max_pool2d(IMAGES, 2, stride=(1, 0)), DomainError, ["max_pool2d: stride is 0"]),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "fragments"), MISFITS, ids=[fragments[0] for *_, fragments in MISFITS])
def test_a_misfit_is_explained(act, kind, fragments):
    with pytest.raises(kind) as caught:
        act()
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize("name", ["relu", "log_softmax"])
def test_wide_rows_leave_nothing_behind(name):
    """Rows of constants are kept at hand for the next call; beyond a size that would be memory lost."""
    operation = getattr(bplib, name)
    tracemalloc.start()
    for extra in range(20):
        operation(bplib.tensor(np.ones(100_000 + extra), requires_grad=True)).sum().backward()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 2e6
