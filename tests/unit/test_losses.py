"""Losses: published values, closed forms, and the shapes they refuse."""

import decimal
import math

import numpy as np
import pytest

import bplib
from bplib import tensor
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.losses import cross_entropy, mae, mse

LOSSES = [mse, mae, cross_entropy]


def test_values_by_hand():
    assert float(mse([1.0, 2.0, 4.0], [1.0, 4.0, 1.0])) == pytest.approx(13 / 3, rel=1e-15)
    assert float(mae([1.0, 2.0, 4.0], [1.0, 4.0, 1.0])) == pytest.approx(5 / 3, rel=1e-15)
    assert float(mse([[1.0], [3.0]], [[0.0], [0.0]], reduction="sum")) == 10.0
    assert mae([1.0, 5.0], [2.0, 2.0], reduction="none").data.tolist() == [1.0, 3.0]
    assert float(cross_entropy([0.0, math.log(3)], 1)) == pytest.approx(math.log(4 / 3), rel=1e-15)


def test_the_error_of_mazurs_worked_example():
    """Matt Mazur (2015), "A Step by Step Backpropagation Example": total error 0.298371109."""
    out = [0.75136507, 0.772928465]
    assert float(0.5 * mse(out, [0.01, 0.99], reduction="sum")) == pytest.approx(0.298371109, abs=5e-10)


def test_a_network_that_knows_nothing_loses_the_logarithm_of_the_number_of_classes():
    assert float(cross_entropy(np.zeros((7, 10)), np.arange(7))) == pytest.approx(math.log(10), rel=1e-15)


@pytest.mark.parametrize("classes", [1, 2, 10, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_finds_the_largest_of_few_and_of_many_classes(classes, dtype):
    """What overflows without it shows whether it was found."""
    rng = np.random.default_rng(classes)
    logits = (1000.0 * rng.normal(size=(7, classes))).astype(dtype)
    target = rng.integers(classes, size=7)
    found = cross_entropy(logits, target, reduction="none").data
    exact = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    expected = np.log(np.exp(exact).sum(axis=1)) - exact[np.arange(7), target]
    np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)
    logits[3, classes // 2] = np.nan
    assert np.isnan(cross_entropy(logits, target, reduction="none").data).tolist() == [i == 3 for i in range(7)]


def test_the_gradient_of_cross_entropy_is_probability_minus_truth():
    z = tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 3.0]], requires_grad=True)
    cross_entropy(z, [1, 0]).backward()
    p = bplib.softmax(z).data
    np.testing.assert_allclose(z.grad, (p - [[0, 1, 0], [1, 0, 0]]) / 2, rtol=1e-14)


def test_class_indices_and_their_probabilities_give_the_same_loss_and_gradient():
    start = np.random.default_rng(0).normal(size=(4, 3))
    labels = np.array([2, 0, 1, 1])
    results = []
    for target in (labels, np.eye(3)[labels], labels.tolist()):
        z = tensor(start, requires_grad=True)
        loss = cross_entropy(z, target)
        loss.backward()
        results.append((float(loss), z.grad))
    for loss, grad in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-15)
        np.testing.assert_allclose(grad, results[0][1], rtol=1e-14, atol=1e-17)


@pytest.mark.parametrize("gap", [0.0, 1e-8, 1.0, 36.0, 745.0, 1e4])
@pytest.mark.parametrize("side", [0, 1])
def test_cross_entropy_is_exact_at_extreme_logits(gap, side):
    with decimal.localcontext() as context:
        context.prec = 60
        far = (decimal.Decimal(-gap)).exp()
        exact = (1 + far).ln() if side == 0 else decimal.Decimal(gap) + (1 + far).ln()
    z = tensor([gap, 0.0], requires_grad=True)
    loss = cross_entropy(z, side)
    loss.backward()
    # Below one rounding unit of 1 the loss of the sure and right answer is lost in ln(1 + tiny).
    assert float(loss) == pytest.approx(float(exact), rel=1e-14, abs=1e-15)
    assert np.isfinite(z.grad).all()


def test_fused_losses_equal_the_unfused_ones_of_the_lessons():
    rng = np.random.default_rng(1)
    p, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    labels = rng.integers(0, 3, 5)
    pairs = [
        (lambda t: mse(t, y), lambda t: ((t - y) ** 2).mean()),
        (lambda t: mae(t, y), lambda t: bplib.abs(t - y).mean()),
        (lambda t: cross_entropy(t, labels), lambda t: -bplib.log_softmax(t)[np.arange(5), labels].mean()),
    ]
    for fused, unfused in pairs:
        a, b = tensor(p, requires_grad=True), tensor(p, requires_grad=True)
        first, second = fused(a), unfused(b)
        first.backward()
        second.backward()
        assert float(first) == pytest.approx(float(second), rel=1e-14)
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-13, atol=1e-16)


def test_the_target_of_a_regression_may_learn_too():
    p, y = tensor([1.0], requires_grad=True), tensor([3.0], requires_grad=True)
    mse(p, y).backward()
    assert (p.grad.tolist(), y.grad.tolist()) == ([-4.0], [4.0])


@pytest.mark.parametrize("loss", LOSSES)
def test_reductions_fit_together(loss):
    rng = np.random.default_rng(2)
    prediction = rng.normal(size=(4, 3))
    target = rng.integers(0, 3, 4) if loss is cross_entropy else rng.normal(size=(4, 3))
    each = loss(prediction, target, reduction="none")
    assert float(loss(prediction, target, reduction="sum")) == pytest.approx(each.data.sum(), rel=1e-14)
    assert float(loss(prediction, target)) == pytest.approx(each.data.mean(), rel=1e-14)
    with pytest.raises(DomainError, match=f"{loss.__name__}: reduction is 'average'"):
        loss(prediction, target, reduction="average")


@pytest.mark.parametrize("loss", LOSSES)
def test_inputs_are_not_changed_and_may_be_read_only(loss):
    prediction = np.arange(6.0).reshape(2, 3)
    target = np.array([0, 1]) if loss is cross_entropy else np.ones((2, 3))
    copies = prediction.copy(), target.copy()
    for array in (prediction, target):
        array.setflags(write=False)
    t = tensor(prediction, requires_grad=True)
    loss(t, target).backward()
    assert (prediction == copies[0]).all()
    assert (target == copies[1]).all()


# ------------------------------------------------------------------ misuse

MSE_TRAP = (
    "mse: prediction has shape (3, 1), target has shape (3,). NumPy would broadcast these to (3, 3) without a word. "
    "Reshape one of them, for example target[:, None]."
)


def test_the_broadcasting_trap_is_refused_in_these_words():
    with pytest.raises(ShapeError) as caught:
        mse(np.zeros((3, 1)), np.zeros(3))
    assert str(caught.value) == MSE_TRAP
    with pytest.raises(ShapeError, match=r"for example prediction\[:, None\]"):
        mae(np.zeros(3), np.zeros((3, 1)))


@pytest.mark.parametrize(
    ("prediction", "target", "fragments"),
    [
        (np.zeros(3), np.zeros(4), ["(3,)", "(4,)", "different numbers of elements"]),
        (np.zeros((2, 3)), np.zeros(3), ["(2, 3)", "(3,)", "broadcast these to (2, 3)"]),
        (np.zeros((2, 3)), np.zeros((3, 2)), ["cannot be compared element by element", "Reshape"]),
        (np.zeros(0), np.zeros(0), ["empty, shape (0,)"]),
    ],
)
@pytest.mark.parametrize("loss", [mse, mae])
def test_shapes_that_differ_are_refused(loss, prediction, target, fragments):
    with pytest.raises(ShapeError) as caught:
        loss(prediction, target)
    for fragment in [loss.__name__, *fragments]:
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    ("logits", "target", "kind", "fragment"),
    [
        (np.zeros((2, 3)), [0, 3], DomainError, "class 3, logits have 3 classes"),
        (np.zeros((2, 3)), [0, -1], DomainError, "class -1"),
        (np.zeros((2, 3)), [0.0, 1.0], DataError, "Try target.astype(int)"),
        (np.zeros((2, 3)), [[0], [1]], ShapeError, "Try target.ravel()"),
        (np.zeros((2, 3)), [0, 1, 2], ShapeError, "class indices of shape (2,)"),
        (np.zeros((0, 3)), np.zeros(0, int), ShapeError, "at least one of each"),
        (1.0, 0, ShapeError, "Expected (examples, classes)"),
        ([[1.0], [2.0, 3.0]], [0, 0], DataError, "rows have unequal lengths"),
        (np.zeros((1, 2)), tensor([[0.5, 0.5]], requires_grad=True), GraphError, "Try target.detach()"),
    ],
)
def test_bad_targets_of_cross_entropy_are_refused(logits, target, kind, fragment):
    with pytest.raises(kind) as caught:
        cross_entropy(logits, target)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("loss", [mse, mae])
@pytest.mark.parametrize("bad", [[[1, 2], [3]], "12", [1j], [None]])
def test_what_is_not_numbers_is_refused(loss, bad):
    with pytest.raises(DataError):
        loss(bad, [1.0, 2.0])
