"""Every named mistake in a loss is found by the published numbers, and is the mistake that it says."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from bplib import log_softmax, losses, tensor
from bplib.lessons.faults import LOSS_FAULTS

CASES = json.loads((Path(__file__).parent / "published/losses.json").read_text("utf-8"))["cases"]
REDUCTIONS = ["mean", "sum", "none"]
ALL = [(name, fault) for name, faults in LOSS_FAULTS.items() for fault in faults]
EVERY = pytest.mark.parametrize(("name", "fault"), ALL, ids=[f"{name}-{fault.name}" for name, fault in ALL])
GRADIENT_ALONE = {
    "mse": {"gradient-turned-round", "gradient-of-the-sum", "two-forgotten"},
    "mae": {"gradient-of-one", "gradient-grows"},
    "huber": {"gradient-without-limit"},
    "cross_entropy": {"gradient-turned-round", "sum-held-fixed", "true-class-alone"},
    "nll": {"gradient-of-the-sum"},
    "binary_cross_entropy": {"gradient-by-score", "no-without-gradient"},
    "binary_cross_entropy_with_logits": {"gradient-turned-round", "slope-of-the-sigmoid-left"},
    "hinge": {"gradient-beyond-the-margin"},
    "kl_divergence": {"gradient-of-the-sum", "gradient-by-scores"},
}


def published(name):
    return [(case, reduction) for case in CASES if case["loss"] == name for reduction in REDUCTIONS]


def results(make, case, reduction):
    """The value and the gradient that a loss gives for a published case."""
    x = tensor(case["prediction"], requires_grad=True)
    prediction = log_softmax(x) if case["loss"] == "nll" else x
    loss = make(prediction, case["target"], reduction=reduction, **case["options"])
    loss.sum().backward()
    return loss.numpy(), x.grad


def expected(case, reduction):
    return [np.array(case["expected"][reduction][part], dtype=float) for part in ("value", "gradient")]


def agree(ours, theirs, rtol, atol):
    return ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)


def is_right(make, case, reduction, rtol=1e-12, atol=1e-12):
    pairs = zip(results(make, case, reduction), expected(case, reduction), strict=True)
    return all(agree(ours, theirs, rtol, atol) for ours, theirs in pairs)


# ---------------------------------------------------------------- the judge


def test_every_loss_has_mistakes_and_no_two_share_a_name():
    assert set(LOSS_FAULTS) == set(losses.__all__)
    for faults in LOSS_FAULTS.values():
        assert len({fault.name for fault in faults}) == len(faults) >= 3
        assert len({fault.sentence for fault in faults}) == len(faults)


@pytest.mark.parametrize("name", LOSS_FAULTS)
def test_the_judge_lets_the_right_loss_pass(name):
    assert all(is_right(getattr(losses, name), *one) for one in published(name))


@EVERY
def test_the_published_numbers_find_the_mistake(name, fault):
    # A thousand million times the tolerance that the right loss keeps.
    assert not all(is_right(fault.make, *one, rtol=1e-3, atol=1e-3) for one in published(name))


@EVERY
def test_a_mistake_is_a_wrong_number_and_no_crash(name, fault):
    assert any(np.isfinite(part).any() for one in published(name) for part in results(fault.make, *one))
    for case, reduction in published(name):
        assert results(fault.make, case, reduction)[1].shape == expected(case, reduction)[1].shape


@pytest.mark.parametrize("name", LOSS_FAULTS)
def test_no_two_mistakes_of_a_loss_are_alike(name):
    seen = {}
    for fault in LOSS_FAULTS[name]:
        found = [part for one in published(name) for part in results(fault.make, *one)]
        for other, parts in seen.items():
            assert not all(agree(*pair, 1e-3, 1e-3) for pair in zip(found, parts, strict=True)), (fault.name, other)
        seen[fault.name] = found


@pytest.mark.parametrize("name", LOSS_FAULTS)
def test_some_mistakes_show_in_the_gradient_alone(name):
    hidden = set()
    for fault in LOSS_FAULTS[name]:
        pairs = [(results(fault.make, *one)[0], expected(*one)[0]) for one in published(name)]
        if all(agree(*pair, 1e-12, 1e-12) for pair in pairs):
            hidden.add(fault.name)
    assert hidden == GRADIENT_ALONE[name]


# ---------------------------------------------------------------- what the learner reads


@EVERY
def test_the_sentence_reads_well_and_the_code_is_one_of_the_twenty(name, fault):
    assert fault.sentence.endswith(".")
    assert len(fault.sentence) <= 110
    assert re.search(r"^(You|Your|That|Only)\b", fault.sentence)
    assert not re.search(
        r"\b(incorrect|wrong answers?|simply|just|obviously|easy|M\d+)\b", fault.sentence, re.IGNORECASE
    )
    assert fault.code == "" or fault.code in {f"M{n}" for n in range(1, 21)}


# ---------------------------------------------------------------- worked out by hand

LN2, LN3 = math.log(2), math.log(3)
E34, E14 = math.exp(0.75), math.exp(0.25)


def given(prediction, target, **settings):
    return lambda make: float(make(prediction, target, **settings))


# Errors 3, −1, −2 and 0, in two rows.
NUMBERS = given([[4.0, -1.0], [1.0, 2.0]], [[1.0, 0.0], [3.0, 2.0]])
BY_HAND = {
    "mse": (NUMBERS, {
        "sum-for-mean": 14.0, "half": 1.75, "square-forgotten": 0.0, "square-of-the-mean": 0.0, "root": 3.5**0.5,
        "mean-over-rows": 7.0,
        # 4 − (1, 0, 3, 2), −1 − …, 1 − …, 2 − …
        "every-pair": ((9 + 16 + 1 + 4) + (4 + 1 + 16 + 9) + (0 + 1 + 4 + 1) + (1 + 4 + 1 + 0)) / 16,
    }),
    "mae": (NUMBERS, {
        "sum-for-mean": 6.0, "sign-kept": 0.0, "size-of-the-mean": 0.0, "squared": 3.5,
        "sizes-compared": (3 + 1 + 2 + 0) / 4,
    }),
    # With δ = 2 the errors 3, −1, −2, 0 cost 4, ½, 2, 0.
    "huber": (given([[4.0, -1.0], [1.0, 2.0]], [[1.0, 0.0], [3.0, 2.0]], delta=2.0), {
        "sum-for-mean": 6.5, "offset-forgotten": (6 + 0.5 + 2 + 0) / 4, "slope-of-one": (2 + 0.5 + 2 + 0) / 4,
        "half-forgotten": (4 + 1 + 4 + 0) / 4, "pieces-swapped": (4.5 + 0 + 2 - 2) / 4,
        "delta-ignored": (2.5 + 0.5 + 1.5 + 0) / 4, "one-sided": 6.5 / 4,
    }),
    # The probabilities are 1/4, 3/4 and 1/2, 1/2; the true classes 1 and 0.
    "cross_entropy": (given([[0.0, LN3], [0.0, 0.0]], [1, 0]), {
        "sum-for-mean": math.log(4 / 3) + LN2, "mean-over-scores": (math.log(4 / 3) + LN2) / 4,
        "minus-forgotten": -(math.log(4 / 3) + LN2) / 2, "log-of-base-2": (math.log2(4 / 3) + 1) / 2,
        "softmax-forgotten": -LN3 / 2, "log-forgotten": -(0.75 + 0.5) / 2,
        "softmax-twice": (-math.log(E34 / (E14 + E34)) + LN2) / 2,
        "exp-overflows": (math.log(4 / 3) + LN2) / 2,
        # Down the columns: 1/2, 1/2 and 3/4, 1/4.
        "softmax-over-examples": (math.log(4 / 3) + LN2) / 2,
        "mistakes-counted": 0.0,
    }),
    "nll": (given(np.log([[0.25, 0.75], [0.5, 0.5]]), [1, 0]), {
        "sum-for-mean": math.log(4 / 3) + LN2, "mean-over-scores": (math.log(4 / 3) + LN2) / 4,
        "minus-forgotten": -(math.log(4 / 3) + LN2) / 2, "exp-taken": -(0.75 + 0.5) / 2,
        "softmax-twice": (-math.log(E34 / (E14 + E34)) + LN2) / 2,
        "counted-from-one": (2 * LN2 + LN2) / 2,
        "every-pair": (math.log(4 / 3) + 2 * LN2 + LN2 + LN2) / 4,
        "all-classes": (2 * LN2 + math.log(4 / 3) + 2 * LN2) / 2,
    }),
    # p = 3/4 for a yes, 1/2 for something between.
    "binary_cross_entropy": (given([0.75, 0.5], [1.0, 0.25]), {
        "sum-for-mean": math.log(4 / 3) + LN2, "minus-forgotten": -(math.log(4 / 3) + LN2) / 2,
        "log-of-base-10": (math.log10(4 / 3) + math.log10(2)) / 2, "no-left-out": (math.log(4 / 3) + 0.25 * LN2) / 2,
        "answers-swapped": (2 * LN2 + LN2) / 2, "target-in-the-logarithm": math.inf,
        "sigmoid-twice": (math.log1p(math.exp(-0.75)) + 0.25 * math.log1p(math.exp(-0.5))
                          + 0.75 * math.log1p(math.exp(0.5))) / 2,
    }),
    "binary_cross_entropy_with_logits": (given([LN3, 0.0], [1.0, 0.25]), {
        "sum-for-mean": math.log(4 / 3) + LN2, "sigmoid-forgotten": math.nan,
        "sigmoid-twice": (math.log1p(math.exp(-0.75)) + 0.25 * math.log1p(math.exp(-0.5))
                          + 0.75 * math.log1p(math.exp(0.5))) / 2,
        "logarithm-of-zero": (math.log(4 / 3) + LN2) / 2, "probability-clipped": (math.log(4 / 3) + LN2) / 2,
        "no-left-out": (math.log(4 / 3) + 0.25 * LN2) / 2,
    }),
    # Margins yŷ of 3, ½ and −2; the last is a score of 2 for a no.
    "hinge": (given([3.0, 0.5, 2.0], [1.0, 1.0, -1.0]), {
        "sum-for-mean": 3.5, "margin-forgotten": 2 / 3, "no-floor": (-2 + 0.5 + 3) / 3,
        "zero-for-no": (0 + 0.5 + 1) / 3, "target-forgotten": (0 + 0.5 + 0) / 3, "turned-round": (4 + 1.5 + 0) / 3,
        "squared": (0 + 0.25 + 9) / 3,
    }),
    # y = (1/4, 3/4) against p = (1/2, 1/2), and a second example that agrees.
    "kl_divergence": (given([[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0.5, 0.5]]), {
        "sum-for-mean": 0.75 * LN3 - LN2, "mean-over-scores": (0.75 * LN3 - LN2) / 4,
        "log-of-base-2": (0.75 * math.log2(3) - 1) / 2, "direction-reversed": (LN2 - LN3 / 2) / 2,
        "upside-down": (LN2 - 0.75 * LN3) / 2, "entropy-left-out": LN2,
        "weights-forgotten": (-LN2 + math.log(1.5)) / 2,
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSS_FAULTS)
def test_wrong_values_worked_out_by_hand(name):
    value, worked_out = BY_HAND[name]
    found = {fault.name: value(fault.make) for fault in LOSS_FAULTS[name]}
    right = dict.fromkeys(GRADIENT_ALONE[name], value(getattr(losses, name)))
    assert found == pytest.approx(worked_out | right, rel=1e-12, abs=1e-15, nan_ok=True)


def slopes(name, which, prediction, target, **settings):
    x = tensor(prediction, requires_grad=True)
    make = next(fault.make for fault in LOSS_FAULTS[name] if fault.name == which)
    make(x, target, **settings).backward()
    return pytest.approx(x.grad, rel=1e-12, abs=1e-15)


def test_wrong_gradients_worked_out_by_hand():
    errors = [3.0, -1.0], [0.0, 0.0]
    assert slopes("mse", "gradient-turned-round", *errors) == [-3.0, 1.0]
    assert slopes("mse", "gradient-of-the-sum", *errors) == [6.0, -2.0]
    assert slopes("mse", "two-forgotten", *errors) == [1.5, -0.5]
    assert slopes("mae", "gradient-of-one", *errors) == [0.5, 0.5]
    assert slopes("mae", "gradient-grows", *errors) == [1.5, -0.5]
    assert slopes("huber", "gradient-without-limit", *errors, delta=2.0) == [1.5, -0.5]
    assert slopes("hinge", "gradient-beyond-the-margin", [3.0, 0.5], [1.0, -1.0]) == [-0.5, 0.5]
    # p = (1/4, 3/4), true class 1: p − y is (1/4, −1/4).
    scores = [[0.0, LN3]], [1]
    assert slopes("cross_entropy", "gradient-turned-round", *scores) == [[-0.25, 0.25]]
    assert slopes("cross_entropy", "sum-held-fixed", *scores) == [[0.0, -1.0]]
    assert slopes("cross_entropy", "true-class-alone", *scores) == [[0.0, -0.25]]
    assert slopes("cross_entropy", "mistakes-counted", *scores) == [[0.0, 0.0]]
    assert slopes("nll", "gradient-of-the-sum", np.log([[0.25, 0.75], [0.5, 0.5]]), [1, 0]) == [[0, -1], [-1, 0]]
    answers = [0.75, 0.5], [1.0, 0.25]
    assert slopes("binary_cross_entropy", "gradient-by-score", *answers) == [-0.125, 0.125]
    assert slopes("binary_cross_entropy", "no-without-gradient", *answers) == [-2 / 3, -0.25]
    logits = "binary_cross_entropy_with_logits"
    assert slopes(logits, "gradient-turned-round", [LN3, 0.0], [1.0, 0.25]) == [0.125, -0.125]
    assert slopes(logits, "slope-of-the-sigmoid-left", [LN3, 0.0], [1.0, 0.25]) == [-0.125 * 3 / 16, 0.125 / 4]
    shares = [[0.5, 0.5], [0.5, 0.5]], [[0.25, 0.75], [0.5, 0.5]]
    assert slopes("kl_divergence", "gradient-of-the-sum", *shares) == [[-0.5, -1.5], [-1.0, -1.0]]
    assert slopes("kl_divergence", "gradient-by-scores", *shares) == [[0.125, -0.125], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("name", "which", "score", "value", "slope"),
    [
        ("binary_cross_entropy_with_logits", "logarithm-of-zero", 40.0, math.inf, math.nan),
        ("binary_cross_entropy_with_logits", "probability-clipped", 40.0, -math.log(1e-7), 0.0),
    ],
)
def test_a_large_score_for_a_no_shows_what_rounding_does(name, which, score, value, slope):
    x = tensor([score], requires_grad=True)
    loss = next(fault.make for fault in LOSS_FAULTS[name] if fault.name == which)(x, [0.0])
    loss.backward()
    assert float(loss) == pytest.approx(value, rel=1e-8)
    assert float(x.grad[0]) == pytest.approx(slope, nan_ok=True)


def test_exp_overflows_from_710_on():
    make = next(fault.make for fault in LOSS_FAULTS["cross_entropy"] if fault.name == "exp-overflows")
    assert float(make([[709.0, 708.0]], [1])) == pytest.approx(math.log1p(math.e), rel=1e-12)
    assert math.isnan(float(make([[710.0, 708.0]], [0])))


@EVERY
def test_a_mistake_keeps_the_type_and_takes_a_single_example(name, fault):
    case = next(case for case in CASES if case["loss"] == name)
    prediction, target = np.array(case["prediction"], dtype=np.float32), np.array(case["target"])
    target = target.astype(np.float32) if target.dtype.kind == "f" else target
    prediction = log_softmax(prediction) if name == "nll" else prediction
    assert fault.make(prediction, target, **case["options"]).dtype == np.float32
    assert fault.make(prediction[0], target[0], **case["options"]).ndim == 0
