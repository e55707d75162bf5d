"""A check that finds wrong gradients, and says what they look like."""

from dataclasses import replace

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.engine import apply
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.nodes import as_tensor
from bplib.numeric import gradcheck
from bplib.rules import TABLE


def test_right_gradients_pass_and_the_report_reads_well():
    rng = np.random.default_rng(0)
    w = bplib.tensor(rng.normal(size=(3, 2)), name="weights")
    report = gradcheck(lambda w, b: bplib.tanh(bplib.linear(np.ones((4, 3)), w, b)), w, [0.1, -0.2])
    assert report.passed
    assert bool(report)
    text = repr(report)
    assert text.count("agrees") == 2
    assert "weights" in text
    assert "input 1" in text
    assert w.grad is None


@pytest.mark.parametrize("fault", [lambda x: x * 2.0 + (x * 0.001).detach(), lambda x: x.detach() * x])
def test_wrong_gradients_are_found(fault):
    report = gradcheck(fault, [1.0, 2.0])
    assert not report.passed
    assert "DIFFERS" in repr(report)
    assert "wrong somewhere" in repr(report)


def test_a_nan_never_passes():
    assert not gradcheck(lambda x: bplib.log(x), [-1.0]).passed


def test_an_output_that_does_not_depend_on_its_input_has_gradient_zero():
    assert gradcheck(lambda x: bplib.tensor(3.0), [1.0]).passed


def test_a_leaf_that_is_the_output_itself_is_checked_too():
    weight = bplib.tensor([1.0, 2.0], requires_grad=True)
    for report in (gradcheck(lambda x: x, [1.0, 2.0]), gradcheck(lambda: weight, params=[weight])):
        (row,) = report.rows
        assert report.passed
        np.testing.assert_allclose(row.backward, row.numerical, rtol=1e-9)
        assert row.backward.min() > 0


def test_misuse_is_refused():
    with pytest.raises(ShapeError, match="no input to check"):
        gradcheck(bplib.tanh)
    with pytest.raises(ShapeError, match="f gave float"):
        gradcheck(lambda x: 1.0, [1.0])


# -- two judges -------------------------------------------------------------------------------------------------------


def broken(change, row="tanh"):
    """Give a function whose gradient rule is changed, and whose values are right."""
    rule = TABLE[row].gradient
    wrong = replace(TABLE[row], gradient=lambda node, g: tuple(None if s is None else change(s) for s in rule(node, g)))
    return lambda *operands: apply(wrong, *(as_tensor(x) for x in operands))


def test_a_tiny_mistake_in_a_rule_is_seen_by_the_complex_step_alone():
    report = gradcheck(broken(lambda s: s * (1 + 1e-8)), [0.5, -1.0])
    (row,) = report.rows
    assert row.relative_error <= report.tolerance
    assert 0.9e-8 < row.complex_error < 1.1e-8
    assert not report.passed


def test_what_has_left_the_graph_is_seen_by_central_differences_alone():
    (row,) = gradcheck(lambda x: x.detach() * x, [1.0, 2.0]).rows
    assert row.complex_error < 1e-15
    assert row.relative_error == pytest.approx(0.5)
    assert not row.passed


def test_an_operation_that_is_not_analytic_has_one_judge():
    report = gradcheck(lambda x: bplib.abs(x), [1.0, -2.0])
    assert report.rows[0].complex_error is None
    assert report.passed
    assert repr(report).endswith("backward and central differences agree (tolerance 1e-06)")


def test_the_complex_step_follows_the_path_that_was_taken():
    def f(x):
        return x * x if float(x) > 0 else bplib.exp(x)

    for at in (2.0, -2.0):
        (row,) = gradcheck(f, at).rows
        assert row.complex_error < 1e-15
        assert row.passed


MISTAKES = {
    "It has the opposite sign everywhere.": broken(lambda s: -s),
    "It is 2 times the right one everywhere: look for a factor, or a sum in place of a mean.": broken(lambda s: 2 * s),
    "It is 0 everywhere: was the input detached, or turned into plain numbers?": broken(np.zeros_like),
    "It is right after transposing.": broken(lambda s: s.T),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_that_is_known_is_named(words):
    report = gradcheck(MISTAKES[words], [[0.5, -1.0], [0.2, 0.3]])
    assert report.rows[0].mistake == words
    assert words in repr(report)


def test_a_mistake_in_one_element_alone_is_placed_and_not_explained():
    def change(s):
        s = s.copy()
        s[0, 1] += 1.0
        return s

    report = gradcheck(broken(change), [[0.5, -1.0], [0.2, 0.3]])
    assert report.rows[0].mistake == ""
    assert "input 0: the backward pass gives 1.32329 and not 0.323291 at index (0, 1)." in repr(report)


def test_the_report_reads_well():
    w = bplib.tensor([[0.5], [0.25]], name="w")
    report = gradcheck(lambda w, x: broken(lambda s: -s)(x @ w), w, [[1.0, 2.0]])
    assert repr(report).splitlines() == [
        "input        shape        differences complex step  verdict",
        "w            (2, 1)           2.0e+00      2.0e+00  DIFFERS",
        "input 1      (1, 2)           2.0e+00      2.0e+00  DIFFERS",
        "w: the backward pass gives -0.839949 and not 0.839949 at index (1, 0). It has the opposite sign everywhere.",
        "input 1: the backward pass gives -0.209987 and not 0.209987 at index (0, 0). "
        "It has the opposite sign everywhere.",
        "the backward pass is wrong somewhere (tolerance 1e-06)",
    ]


# -- a model, and many elements ---------------------------------------------------------------------------------------


def model_and_loss():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))
    x, y = np.random.default_rng(0).normal(size=(5, 3)), np.array([0, 1, 1, 0, 1])
    return model, lambda: losses.cross_entropy(model(x), y)


def test_a_model_is_checked_parameter_by_parameter_and_left_as_it_was():
    model, loss = model_and_loss()
    before = model.theta.copy()
    report = gradcheck(loss, params=model)
    assert [row.name for row in report.rows] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert report.passed
    assert max(row.complex_error for row in report.rows) < 1e-14
    assert np.array_equal(model.theta, before)
    assert all(p.grad is None for p in model.parameters())
    loss().backward()  # the guard sees no change


def test_a_list_of_tensors_is_checked_too():
    w = bplib.tensor([1.0, 2.0], requires_grad=True)
    report = gradcheck(lambda: bplib.exp(w).sum(), params=[w])
    assert (report.passed, report.rows[0].name) == (True, "parameter 0")


def test_many_elements_are_checked_along_directions():
    x = np.random.default_rng(1).normal(size=(60, 50))
    report = gradcheck(lambda x: bplib.tanh(x).sum(), x)
    assert report.rows[0].directions == 8
    assert report.passed
    assert "agrees (8 directions)" in repr(report)
    wrong = gradcheck(broken(lambda s: s * 1.001), x, directions=3, rng=7)
    assert (wrong.passed, wrong.rows[0].directions) == (False, 3)
    assert "along direction" in repr(wrong)


def changing():
    lengths = iter(range(9, 0, -1))
    return lambda x: x[: next(lengths)]


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda: gradcheck(bplib.tanh, [1.0], tolerance=0), DomainError, "tolerance is 0"),
        (lambda: gradcheck(bplib.tanh, [1.0], tolerance=float("nan")), DomainError, "tolerance is nan"),
        (lambda: gradcheck(bplib.tanh, [1.0], directions=0), DomainError, "directions is 0"),
        (lambda: gradcheck(bplib.tanh, [1.0], directions=1.5), DataError, "directions is 1.5"),
        (lambda: gradcheck(bplib.tanh, [1.0], params=[]), DataError, "with params, f takes nothing"),
        (lambda: gradcheck(lambda: None, params=[]), ShapeError, "no parameter to check"),
        (lambda: gradcheck(lambda: None, params=3), DataError, "params is int"),
        (lambda: gradcheck(lambda: None, params=[3]), DataError, "parameter 0 is int"),
        (lambda: gradcheck(lambda: None, params=nn.Linear(1, 1, rng=0).astype(np.float32)), DomainError, "is float32"),
        (lambda: gradcheck(bplib.tanh, "text"), DataError, "holds text"),
        (lambda: gradcheck(changing(), np.ones(9)), ShapeError, "another shape when it was"),
    ],
)
def test_bad_input_is_refused_in_words(act, error, words):
    with pytest.raises(error, match=words):
        act()


def test_where_recording_is_off_nothing_is_checked():
    with bplib.no_grad(), pytest.raises(GraphError, match="recording is off"):
        gradcheck(bplib.tanh, [1.0])
