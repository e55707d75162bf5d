"""What every loss promises: the checks are made from one row each of the table in `loss_rows`."""

import inspect
import math
import random
import re
from typing import Any

import numpy as np
import pytest

import bplib
from bplib import gradcheck, losses, tensor
from bplib.errors import AnomalyError
from bplib.rules import TABLE
from tests.contract.loss_rows import (
    ANSWERS,
    INF,
    KINDS,
    LABELS,
    LOSSES,
    NAN,
    ONE_HOT,
    REDUCTIONS,
    SHARES,
    SURE,
    Array,
    Loss,
)  # fmt: skip
from tests.contract.refusals import outcome

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
every_kind = pytest.mark.parametrize("loss", KINDS.values(), ids=KINDS)


def test_the_table_has_every_loss_and_every_option():
    assert set(KINDS) == set(losses.__all__)
    assert len(KINDS) == 9
    for name, row in KINDS.items():
        options = set().union(*(other.options for other in LOSSES.values() if other.call is row.call))
        assert set(list(inspect.signature(row.call).parameters)[2:]) == options | {"reduction"}, name


def run(loss: Loss, prediction: Any, target: Any, reduction: str = "mean") -> tuple[Array, Array]:
    """Give the value and the gradient of the prediction."""
    p = tensor(prediction, requires_grad=True)
    value = loss(p, target, reduction=reduction)
    value.backward(np.ones(value.shape))
    return value.numpy(), p.grad.copy()


def same(left: Any, right: Any) -> bool:
    """Whether arrays are equal to the last bit, with their types and shapes."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(left, right, strict=True)]
    return all((a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()) for a, b in pairs)


# ---------------------------------------------------------------- how it is called


@every_kind
def test_it_takes_prediction_target_and_then_words_only_and_gives_one_number(loss):
    first, second, *rest = inspect.signature(loss.call).parameters.values()
    assert (first.default, second.default, second.name) == (first.empty, second.empty, "target")
    assert {p.kind for p in rest} == {inspect.Parameter.KEYWORD_ONLY}
    assert rest[-1].default == "mean"
    value = loss.call(loss.prediction, loss.target)
    assert (value.shape, value.dtype, value.requires_grad) == ((), np.float64, False)
    assert same([value], [loss.call(loss.prediction, loss.target, reduction="mean")])
    assert re.fullmatch(r"tensor\([-.\de+]+\)", repr(value))


@every_loss
def test_inputs_are_left_alone_forward_and_backward_and_share_no_memory_with_the_result(loss):
    p, y = tensor(loss.prediction, requires_grad=True), loss.target.copy()
    raw = loss.prediction.copy()
    before = [a.tobytes() for a in (p.data, y, raw)]
    for reduction in REDUCTIONS:
        value, plain = loss(p, y, reduction=reduction), loss(raw, y, reduction=reduction)
        value.backward(np.ones(value.shape))
        assert not any(np.shares_memory(a.data, b) for a in (value, plain) for b in (p.data, y, raw, p.grad))
        assert not np.shares_memory(value.data, plain.data)
    assert [a.tobytes() for a in (p.data, y, raw)] == before
    assert p.grad.shape == p.shape


def layouts(a: Array) -> dict[str, Any]:
    locked = a.copy()
    locked.setflags(write=False)
    return {
        "read-only": locked,
        "strided": np.repeat(a, 2, axis=-1)[..., ::2],
        "backwards": a[::-1].copy()[::-1],
        "Fortran": np.asfortranarray(a),
        "list": a.tolist(),
        "tensor": tensor(a) if a.dtype.kind == "f" else a,
    }


@every_loss
@pytest.mark.parametrize("layout", layouts(LABELS))
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_layout_in_memory_a_list_and_a_tensor_make_no_difference(loss, layout, reduction):
    wanted = loss(loss.prediction, loss.target, reduction=reduction).data
    p, y = layouts(loss.prediction)[layout], layouts(loss.target)[layout]
    for found in (loss(p, loss.target, reduction=reduction), loss(loss.prediction, y, reduction=reduction)):
        np.testing.assert_allclose(found.data, wanted, rtol=1e-15, atol=0)
    turned = tensor(loss.prediction.T, requires_grad=True)  # its transpose lies in memory the other way round
    value = loss(turned.T, y, reduction=reduction)
    value.backward(np.ones(value.shape))
    np.testing.assert_allclose(turned.grad.T, run(loss, loss.prediction, loss.target, reduction)[1], rtol=1e-14)


@every_loss
def test_a_single_number_is_a_batch_of_one_or_is_refused_in_words(loss):
    p, y = loss.prediction[0, 0], loss.target.ravel()[0]
    if loss.rows:
        assert outcome(lambda: loss(p, y), loss.call.__name__, "()", "(examples, classes)") == "Sh"
        return
    alone, batch = run(loss, p, y), run(loss, [p], [y])
    assert alone[0] == batch[0]
    assert (alone[1].shape, alone[1]) == ((), batch[1])
    assert loss(float(p), float(y), reduction="none").shape == ()


# ---------------------------------------------------------------- types


@every_loss
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_float32_stays_in_value_and_gradient(loss, reduction):
    y = loss.target.astype(np.float32) if loss.target.dtype.kind == "f" else loss.target
    value, gradient = run(loss, loss.prediction.astype(np.float32), y, reduction)
    assert (value.dtype, gradient.dtype) == (np.float32, np.float32)
    for found, wanted in zip((value, gradient), run(loss, loss.prediction, loss.target, reduction), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)
    if not loss.target_learns:  # a fixed target takes the type of the prediction
        assert loss(loss.prediction.astype(np.float32), loss.target, reduction=reduction).dtype == np.float32


@every_loss
def test_whole_numbers_and_truth_values_become_float64(loss):
    truths = (loss.whole > 0).astype(bool)
    for given in (loss.whole, loss.whole.astype(np.int8), truths):
        value = loss(given, loss.target, reduction="none")
        assert value.dtype == np.float64
        assert same([value], [loss(given.astype(float), loss.target, reduction="none")])
    answers = {"hinge": (2 * ANSWERS - 1).astype(int)}.get(loss.call.__name__, ONE_HOT.astype(int))
    for given in (answers, answers == 1) if loss.call is not losses.hinge else (answers, answers**2 == 1):
        value = loss(loss.prediction, given, reduction="none")
        assert same([value], [loss(loss.prediction, given.astype(float), reduction="none")])


# ---------------------------------------------------------------- batches


@every_loss
def test_an_empty_batch_is_refused(loss):
    p, y = loss.prediction[:0], loss.target[:0]
    assert outcome(lambda: loss(p, y), loss.call.__name__ + ": ", "(0, 3)", "xpected", "at least one") == "Sh"
    p = loss.prediction[:, :0]
    y = p if loss.target.ndim == 2 else loss.target
    assert outcome(lambda: loss(p, y), loss.call.__name__ + ": ", "(4, 0)", "at least one") == "Sh"


@every_loss
def test_a_batch_of_one_is_no_batch_and_a_batch_is_its_parts_in_any_order(loss):
    whole, slope = run(loss, loss.prediction, loss.target, "none")
    for i in range(4):
        alone = run(loss, loss.prediction[i], loss.target[i])
        batch = run(loss, loss.prediction[i : i + 1], loss.target[i : i + 1])
        np.testing.assert_allclose(alone[0], batch[0], rtol=1e-15)
        np.testing.assert_allclose(alone[1], batch[1][0], rtol=1e-15)
        part = run(loss, loss.prediction[i], loss.target[i], "none")
        np.testing.assert_allclose(part[0], whole[i], rtol=1e-15)
        np.testing.assert_allclose(part[1], slope[i], rtol=1e-15)
    order = np.array([2, 0, 3, 1])
    mixed = run(loss, loss.prediction[order], loss.target[order], "none")
    np.testing.assert_allclose(mixed[0], whole[order], rtol=1e-15)
    np.testing.assert_allclose(mixed[1], slope[order], rtol=1e-15)


@every_loss
def test_the_reductions_fit_together_in_value_and_gradient(loss):
    (each, slopes), (total, of_sum), (mean, of_mean) = (
        run(loss, loss.prediction, loss.target, r) for r in ("none", "sum", "mean")
    )
    assert each.shape == ((4,) if loss.rows else (4, 3))
    assert total == pytest.approx(each.sum(), rel=1e-15)
    assert mean == pytest.approx(each.mean(), rel=1e-15)
    np.testing.assert_allclose(of_sum, slopes, rtol=1e-15)
    np.testing.assert_allclose(of_mean * each.size, slopes, rtol=1e-15)


# ---------------------------------------------------------------- NaN and infinity


def spoiled(a: Array, value: float) -> Array:
    a = a.astype(float)
    a[(1, 2) if a.ndim == 2 else 1] = value
    return a


def check_spoiled(loss: Loss, prediction: Array, target: Array, wanted: Any) -> None:
    """The result has what the row says in this one place, and `detect_anomaly` says which operation saw it first."""
    name = loss.call.__name__
    if isinstance(wanted, str):
        assert outcome(lambda: loss(prediction, target), f"{name}: ", "xpected") == wanted
        return
    clean = loss(loss.prediction, loss.target, reduction="none").numpy()
    found = loss(prediction, target, reduction="none").numpy()
    place = (1,) if loss.rows else (1, 2)
    np.testing.assert_array_equal(found[place], wanted)
    found[place] = clean[place]
    np.testing.assert_array_equal(found, clean)
    for reduction in ("mean", "sum"):
        whole = float(loss(prediction, target, reduction=reduction))
        assert math.isfinite(whole) if math.isfinite(wanted) else not math.isfinite(whole)
    with pytest.raises(AnomalyError) as caught, bplib.detect_anomaly():
        loss(tensor(prediction, requires_grad=True), target).backward()
    assert re.search(r"'(\w+)'", str(caught.value)).group(1) in TABLE


@every_loss
def test_a_nan_comes_out_where_it_went_in_and_is_named(loss):
    check_spoiled(loss, spoiled(loss.prediction, NAN), loss.target, NAN)
    check_spoiled(loss, loss.prediction, spoiled(loss.target, NAN), loss.at[2])


@every_loss
def test_an_infinity_gives_what_the_row_says_and_is_named(loss):
    target = loss.target.copy()
    target[1] = {1: 2, 2: loss.target[1]}[target.ndim]
    for value, wanted in zip((-INF, INF), loss.at, strict=False):
        check_spoiled(loss, spoiled(loss.prediction, value), target, wanted)
        expected = INF if loss.target_learns else "Do" if loss.target.dtype.kind == "f" else "Da"
        check_spoiled(loss, loss.prediction, spoiled(loss.target, value), expected)


@every_loss
def test_a_logit_of_ten_thousand_gives_the_exact_number(loss):
    """Probabilities made of such logits are 0 and 1, and what excludes the truth costs infinity, as documented."""
    right, wrong = SURE, -SURE
    if loss.call is losses.binary_cross_entropy:
        right, wrong, loss_of = ONE_HOT, 1 - ONE_HOT, lambda p: loss(p, ONE_HOT, reduction="none")
    elif loss.rows:
        target = LABELS if loss.target.ndim == 1 else ONE_HOT
        loss_of = lambda z: loss(loss.through(z), target, reduction="none")  # noqa: E731
    elif loss.target_learns:
        loss_of = lambda z: loss(z, SURE, reduction="none")  # noqa: E731
    else:
        signs = loss.target.min() < 0
        loss_of = lambda z: loss(z, 2 * ONE_HOT - 1 if signs else ONE_HOT, reduction="none")  # noqa: E731
    assert (loss_of(right).data == 0).all()
    far = INF if loss.call is losses.binary_cross_entropy else loss.far
    ties = math.log(2) if loss.rows and math.isfinite(far) else 0.0  # the two other classes share the rest
    np.testing.assert_allclose(loss_of(wrong).data, far + ties, rtol=1e-15)
    for logits in (right, wrong) if math.isfinite(far) else (right,):
        x = tensor(logits, requires_grad=True)
        loss_of(x).sum().backward()
        assert np.isfinite(x.grad).all()


# ---------------------------------------------------------------- the same again


def global_generators() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002  (that it is not touched is the point)


@every_loss
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_twice_gives_the_same_bits_and_no_global_generator_is_touched(loss, reduction):
    before = global_generators()
    assert same(run(loss, loss.prediction, loss.target, reduction), run(loss, loss.prediction, loss.target, reduction))
    p = tensor(loss.prediction, requires_grad=True)
    value = loss(p, loss.target, reduction=reduction)
    value.backward(np.ones(value.shape))
    once = p.grad.copy()
    value.backward(np.ones(value.shape))
    np.testing.assert_array_equal(p.grad, 2 * once)
    assert global_generators() == before


@every_loss
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_without_recording_it_gives_the_same_bits_and_no_past(loss, reduction):
    p = tensor(loss.prediction, requires_grad=True)
    with bplib.no_grad():
        value = loss(p, loss.target, reduction=reduction)
    assert (value.requires_grad, value.operation, value.parents) == (False, None, ())
    assert same([value.data], run(loss, p.data, loss.target, reduction)[:1])


# ---------------------------------------------------------------- gradients and the least value


@every_loss
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_gradient_passes_the_numerical_check(loss, reduction):
    report = gradcheck(lambda p: loss(p, loss.target, reduction=reduction), loss.prediction)
    assert report.passed, report


@every_loss
@pytest.mark.parametrize("given", ["alone", "in a list"])
def test_a_target_that_asks_for_a_gradient_gets_the_right_one_or_is_refused(loss, given):
    if loss.target_learns and given == "alone":
        report = gradcheck(lambda p, y: loss(p, y), loss.prediction, loss.target)
        assert report.passed, report
        assert [row.shape for row in report.rows] == [(4, 3), (4, 3)]
        return
    learner = tensor(loss.target, requires_grad=True)
    target = learner if given == "alone" else list(learner)
    name = loss.call.__name__
    words = f"{name}: target is a list that holds a tensor" if loss.target_learns else f"{name}: the target asks for"
    wanted = "Da" if loss.target_learns else "GraphError"
    assert outcome(lambda: loss(loss.prediction, target), words) == wanted
    predictions = list(tensor(loss.prediction, requires_grad=True))  # as plain numbers it would learn nothing
    assert outcome(lambda: loss(predictions, loss.target), f"{name}: ", "is a list that holds a tensor") == "Da"


@every_loss
def test_at_its_least_the_gradient_is_zero_and_every_other_place_costs_more(loss):
    best = tensor(loss.best, requires_grad=True)
    value = loss(loss.through(best), loss.aim, reduction="none")
    np.testing.assert_allclose(value.data, np.broadcast_to(loss.least, value.shape), rtol=1e-14, atol=1e-15)
    value.sum().backward()
    np.testing.assert_allclose(best.grad, 0.0, atol=3e-15)
    for seed in range(20):
        step = np.random.default_rng(seed).normal(size=best.shape) * 10.0 ** (seed % 4 - 2)
        elsewhere = loss.best + (np.clip(step, -0.3, 0.3) * SHARES * (1 - SHARES) if bounded(loss) else step)
        other = loss(loss.through(elsewhere), loss.aim, reduction="none")
        assert (other.data >= value.data - 1e-15).all()
        assert loss(loss.through(elsewhere), loss.target).item() >= 0


def bounded(loss: Loss) -> bool:
    return loss.call is losses.binary_cross_entropy


# ---------------------------------------------------------------- words


@every_kind
def test_its_words_have_every_section_and_its_source_can_be_cited(loss):
    text = inspect.getdoc(loss.call)
    headings = re.findall(r"^(\w+)\n-{3,}$", text, re.MULTILINE)
    assert [h for h in headings if h != "Notes"] == ["Parameters", "Returns", "Raises", "References", "Examples"]
    sections = dict(zip(headings, re.split(r"^\w+\n-{3,}$", text, flags=re.MULTILINE)[1:], strict=True))
    named = re.findall(r"^(\w+) : ", sections["Parameters"], re.MULTILINE)
    assert named == list(inspect.signature(loss.call).parameters)
    assert "shape" in sections["Parameters"]
    assert "A single number ≥ 0" in sections["Returns"]
    assert {"ShapeError", "DataError", "DomainError"} <= set(re.findall(r"^(\w+)$", sections["Raises"], re.MULTILINE))
    assert ("GraphError" in sections["Raises"]) is not loss.target_learns
    assert "∂" in text.partition("Parameters")[0]
    assert f">>> {loss.call.__name__}(" in sections["Examples"]
    assert re.search(r"\((19|20)\d\d\)", bplib.cite(loss.call))
    assert bplib.cite(loss.call).split()[0] in sections["References"]


@every_loss
def test_its_words_say_what_the_minimiser_estimates(loss):
    said = " ".join(inspect.getdoc(loss.call).partition("Parameters\n")[0].split())
    assert loss.minimiser in said
