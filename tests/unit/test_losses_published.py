"""Every loss against another library's numbers, closed forms, and inputs it must refuse."""

import decimal
import inspect
import json
import math
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib import gradcheck, losses, tensor
from bplib.errors import BplibError, DataError, DomainError, GraphError, ShapeError

PUBLISHED = json.loads((Path(__file__).parent / "published/losses.json").read_text("utf-8"))
ALL = {name: getattr(losses, name) for name in losses.__all__}
BINARY = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "hinge"]
FIXED = [*BINARY, "cross_entropy", "nll", "kl_divergence"]


def pair(name):
    """A prediction and a target that suit the loss, 4 examples of 3."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(4, 3))
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    answers = rng.integers(0, 2, size=(4, 3)).astype(float)
    return {
        "cross_entropy": (scores, np.array([0, 2, 1, 1])),
        "nll": (np.log(shares), np.array([0, 2, 1, 1])),
        "kl_divergence": (shares, shares[::-1].copy()),
        "binary_cross_entropy": (shares, answers),
        "binary_cross_entropy_with_logits": (scores, answers),
        "hinge": (scores, 2 * answers - 1),
    }.get(name, (scores, rng.normal(size=(4, 3))))


# ---------------------------------------------------------------- published values


def test_each_loss_has_at_least_six_published_numbers():
    found = [case["loss"] for case in PUBLISHED["cases"] for _ in case["expected"]]
    assert {name: found.count(name) >= 6 for name in ALL} == dict.fromkeys(ALL, True)
    assert "PyTorch 2." in PUBLISHED["source"]["library"]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("case", PUBLISHED["cases"], ids=[f"{c['loss']}-{c['options']}" for c in PUBLISHED["cases"]])
def test_values_and_gradients_are_the_published_ones(case, reduction):
    x = tensor(case["prediction"], requires_grad=True)
    p = bplib.log_softmax(x) if case["loss"] == "nll" else x
    loss = ALL[case["loss"]](p, case["target"], reduction=reduction, **case["options"])
    loss.sum().backward()
    expected = case["expected"][reduction]
    # PyTorch computes softplus(z) − z·y: what is left of a large logit is right to one rounding of it.
    loose = 1e-12 if case["loss"] == "binary_cross_entropy_with_logits" else 1e-15
    np.testing.assert_allclose(loss.data, expected["value"], rtol=1e-12, atol=loose)
    np.testing.assert_allclose(x.grad, expected["gradient"], rtol=1e-12, atol=1e-15)


# ---------------------------------------------------------------- closed forms


@pytest.mark.parametrize("z", [0.0, 1e-8, 1.0, 36.0, 40.0, 700.0, 745.0, 1e4])
@pytest.mark.parametrize("answer", [0, 1])
def test_binary_cross_entropy_is_exact_at_extreme_logits(z, answer):
    wrong = z if answer == 0 else -z
    with decimal.localcontext() as context:
        context.prec = 360  # 1 + e⁻⁷⁴⁵ needs 324 digits
        exact = (1 + decimal.Decimal(wrong).exp()).ln()
    x = tensor(z, requires_grad=True)
    loss = losses.binary_cross_entropy_with_logits(x, answer)
    loss.backward()
    assert float(loss) == pytest.approx(float(exact), rel=1e-14, abs=0)
    assert float(x.grad) == pytest.approx(float(bplib.sigmoid(wrong)) * (1 - 2 * answer), rel=1e-14, abs=0)


def test_probability_and_logit_tell_the_same_story():
    z, y = np.array([-3.0, 0.0, 2.0]), np.array([1.0, 0.25, 0.0])
    by_logits = losses.binary_cross_entropy_with_logits(z, y, reduction="none")
    by_probability = losses.binary_cross_entropy(bplib.sigmoid(z), y, reduction="none")
    np.testing.assert_allclose(by_logits.data, by_probability.data, rtol=1e-14)


def test_two_classes_are_one_logit():
    z = np.array([0.7, -2.0])
    two = losses.cross_entropy(np.stack([np.zeros(2), z], axis=1), [1, 0])
    assert float(two) == pytest.approx(float(losses.binary_cross_entropy_with_logits(z, [1, 0])), rel=1e-14)


def test_nll_behind_log_softmax_is_cross_entropy_in_value_and_gradient():
    results = []
    for loss in (losses.cross_entropy, lambda z, y: losses.nll(bplib.log_softmax(z), y)):
        for target in (np.array([0, 2, 1, 1]), np.full((4, 3), 1 / 3)):
            z = tensor(pair("mse")[0], requires_grad=True)
            value = loss(z, target)
            value.backward()
            results.append((float(value), z.grad))
    for ours, theirs in zip(results[:2], results[2:], strict=True):
        assert ours[0] == pytest.approx(theirs[0], rel=1e-14)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-13, atol=1e-16)


def test_kl_is_cross_entropy_minus_entropy_and_never_negative():
    z, y = pair("cross_entropy")[0], pair("kl_divergence")[1]
    entropy = -(y * np.log(y)).sum(axis=1).mean()
    found = float(losses.kl_divergence(bplib.softmax(z), y))
    assert found == pytest.approx(float(losses.cross_entropy(z, y)) - entropy, rel=1e-12)
    assert float(losses.kl_divergence(y, y)) == 0.0
    assert found > 0


def test_huber_is_half_the_square_near_and_a_line_far():
    e = np.array([-5.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0])
    expected = np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5)
    np.testing.assert_array_equal(losses.huber(e, np.zeros(7), reduction="none").data, expected)
    x = tensor(e, requires_grad=True)
    losses.huber(x, np.zeros(7), reduction="sum").backward()
    np.testing.assert_array_equal(x.grad, np.clip(e, -1, 1))


def test_zero_times_the_logarithm_of_zero_is_zero_and_the_impossible_costs_infinity():
    p = tensor([0.0, 1.0], requires_grad=True)
    loss = losses.binary_cross_entropy(p, [0, 1])
    loss.backward()
    assert float(loss) == 0.0
    assert p.grad.tolist() == [0.5, -0.5]
    assert float(losses.binary_cross_entropy([0.0], [1])) == math.inf
    assert float(losses.kl_divergence([1.0, 0.0], [1.0, 0.0])) == 0.0
    assert float(losses.kl_divergence([1.0, 0.0], [0.5, 0.5])) == math.inf
    assert float(losses.nll([0.0, -math.inf], [1.0, 0.0])) == 0.0


def test_hinge_gives_no_slope_at_its_kink():
    score = tensor([1.0, 0.999, 1.001, -1.0], requires_grad=True)
    losses.hinge(score, [1, 1, 1, -1], reduction="sum").backward()
    assert score.grad.tolist() == [0.0, -1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "observed", "best"),
    [
        ("mse", [0.0, 1.0, 2.0, 9.0, 1.0], 2.6),
        ("mae", [0.0, 1.0, 2.0, 9.0, 1.0], 1.0),
        # Between the two: only 9 pulls with the full force 1, which the others' distances must balance.
        ("huber", [0.0, 1.0, 2.0, 9.0, 1.0], 4 / 3),
        ("binary_cross_entropy", [0.0, 1.0, 1.0, 0.0, 1.0], 0.6),
        ("binary_cross_entropy_with_logits", [0.0, 1.0, 1.0, 0.0, 1.0], math.log(1.5)),
        ("hinge", [1.0, -1.0, 1.0, -1.0, 1.0], 1.0),
    ],
)
def test_the_best_constant_answer_is_what_the_docstring_says(name, observed, best):
    grid = np.linspace(0.005, 0.995, 199) if name == "binary_cross_entropy" else np.linspace(-3.0, 10.0, 5201)
    found = [float(ALL[name](np.full(5, c), observed)) for c in grid]
    assert grid[int(np.argmin(found))] == pytest.approx(best, abs=0.0026)


# ---------------------------------------------------------------- what all losses promise


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_passes_the_numerical_check(name):
    prediction, target = pair(name)
    for reduction in ("mean", "sum"):
        report = gradcheck(lambda p, r=reduction: ALL[name](p, target, reduction=r), tensor(prediction))
        assert report.passed, report


@pytest.mark.parametrize("name", ALL)
def test_reductions_fit_together_in_both_types_and_leave_the_inputs_alone(name):
    prediction, target = pair(name)
    for dtype in (np.float32, np.float64):
        p = prediction.astype(dtype)
        y = target.astype(dtype) if target.dtype.kind == "f" else target
        copies = p.copy(), y.copy()
        for array in (p, y):
            array.setflags(write=False)
        each = ALL[name](p, y, reduction="none")
        assert each.dtype == dtype
        rel = 1e-14 if dtype is np.float64 else 2e-6
        assert float(ALL[name](p, y, reduction="sum")) == pytest.approx(float(each.data.sum()), rel=rel)
        assert float(ALL[name](p, y)) == pytest.approx(float(each.data.mean()), rel=rel)
        learning = tensor(p, requires_grad=True)
        ALL[name](learning, y).backward()
        assert learning.grad.dtype == dtype
        assert (p == copies[0]).all()
        assert (y == copies[1]).all()


@pytest.mark.parametrize("name", FIXED)
def test_a_float64_target_does_not_lift_a_float32_prediction(name):
    prediction, target = pair(name)
    for y in (target, np.full((4, 3), 1 / 3)) if name in ("cross_entropy", "nll") else (target,):
        assert ALL[name](prediction.astype(np.float32), y).dtype == np.float32


def test_a_nan_does_not_hide_another_number_that_is_out_of_range():
    with pytest.raises(DomainError, match=r"probability holds 1\.5"):
        losses.binary_cross_entropy([math.nan, 1.5], [1, 1])
    with pytest.raises(DomainError, match="probability holds -3"):
        losses.binary_cross_entropy([math.nan, -3.0], [1, 1])


@pytest.mark.parametrize("name", ALL)
def test_memory_layout_does_not_matter(name):
    prediction, target = pair(name)
    expected = float(ALL[name](prediction, target))
    wide = np.repeat(prediction, 2, axis=1)[:, ::2]
    for p in (np.asfortranarray(prediction), wide, prediction.tolist()):
        assert float(ALL[name](p, target)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_a_single_example_counts_like_a_batch_of_one(name):
    prediction, target = pair(name)
    alone = ALL[name](prediction[0], target[0])
    assert float(alone) == pytest.approx(float(ALL[name](prediction[:1], target[:1])), rel=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_a_nan_stays_visible(name):
    prediction, target = pair(name)
    prediction[1, 2] = np.nan
    assert math.isnan(float(ALL[name](prediction, target, reduction="sum")))


@pytest.mark.parametrize("name", ALL)
def test_docstrings_have_formula_minimiser_shapes_errors_source_and_example(name):
    text = inspect.getdoc(ALL[name])
    for part in ("Parameters", "Returns", "Raises", "References", "Examples", "∂", "shape", "reduction"):
        assert part in text, part


# ---------------------------------------------------------------- refusals

WRONG = {
    "wrong length": lambda p, y: (p, y[:-1]),
    "one axis more": lambda p, y: (p[..., None], y),
    "empty": lambda p, y: (p[:0], y[:0]),
    "complex": lambda p, y: (p.astype(complex), y),
    "objects": lambda p, y: (p.astype(object), y),
    "word": lambda p, y: ("three", y),
    "ragged": lambda p, y: ([[1.0], [1.0, 2.0]], y),
    "None": lambda p, y: (None, y),
    "target is a word": lambda p, y: (p, "three"),
    "target is None": lambda p, y: (p, None),
    "target is ragged": lambda p, y: (p, [[1.0], [1.0, 2.0]]),
    "target is complex": lambda p, y: (p, y.astype(complex)),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ALL)
def test_no_bad_input_passes_and_none_is_answered_by_numpy(name, wrong):
    with pytest.raises(BplibError) as caught:
        ALL[name](*WRONG[wrong](*pair(name)))
    text = str(caught.value)
    assert name in text or text.startswith("tensor:"), text
    assert "xpected" in text or "target has shape" in text, text


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("word", ["average", None, 3, ["mean"]])
def test_an_unknown_reduction_is_refused(name, word):
    with pytest.raises(DomainError, match=f'^{name}: reduction is .* Expected "mean", "sum" or "none"'):
        ALL[name](*pair(name), reduction=word)


@pytest.mark.parametrize("name", FIXED)
def test_a_target_that_learns_is_refused(name):
    prediction, target = pair(name)
    with pytest.raises(GraphError, match=rf"^{name}: the target asks for a gradient.*Try target.detach\(\)"):
        ALL[name](prediction, tensor(target, requires_grad=True))


@pytest.mark.parametrize(
    ("call", "error", "fragments"),
    [
        (lambda: losses.huber([1.0], [1.0], delta=0), DomainError, ["delta is 0", "Try mae"]),
        (lambda: losses.huber([1.0], [1.0], delta=-1), DomainError, ["huber", "delta", "-1"]),
        (lambda: losses.huber([1.0], [1.0], delta=math.nan), DomainError, ["huber", "delta", "nan"]),
        (lambda: losses.huber([1.0], [1.0], delta="1"), DataError, ["huber", "delta", "'1'"]),
        (lambda: losses.binary_cross_entropy([1.5], [1]), DomainError, ["probability holds 1.5", "with_logits"]),
        (lambda: losses.binary_cross_entropy([-0.1], [1]), DomainError, ["probability holds -0.1", "0 to 1"]),
        (lambda: losses.binary_cross_entropy([0.5], [-1]), DomainError, ["target holds -1", "(target + 1) / 2"]),
        (lambda: losses.binary_cross_entropy_with_logits([3.0], [2]), DomainError, ["target holds 2", "0 to 1"]),
        (lambda: losses.binary_cross_entropy_with_logits(np.zeros((3, 1)), np.zeros(3)), ShapeError,
         ["NumPy would broadcast these to (3, 3) without a word", "target[:, None]"]),
        (lambda: losses.hinge([0.5], [0]), DomainError, ["target holds 0", "2 * target - 1"]),
        (lambda: losses.nll([[0.2, 0.8]], [1]), DomainError, ["log_probability holds 0.8", "log_softmax"]),
        (lambda: losses.nll([[-1.0, -1.0]], [2]), DomainError, ["nll", "class 2", "2 classes"]),
        (lambda: losses.nll([[-1.0, -1.0]], [0.0]), DataError, ["nll", "Try target.astype(int)"]),
        (lambda: losses.kl_divergence([-1.0, -0.5], [0.5, 0.5]), DomainError, ["prediction holds -1", "softmax"]),
        (lambda: losses.kl_divergence([0.9, 0.9], [0.5, 0.5]), DomainError, ["sum of prediction", "1.8"]),
        (lambda: losses.kl_divergence([0.5, 0.5], [0.9, 0.9]), DomainError, ["add up to 1", "1.8"]),
        (lambda: losses.kl_divergence(1.0, 1.0), ShapeError, ["shape ()", "(classes,)"]),
    ],
)  # fmt: skip
def test_refusals_say_what_to_try(call, error, fragments):
    with pytest.raises(error) as caught:
        call()
    assert [part for part in fragments if part not in str(caught.value)] == [], str(caught.value)
