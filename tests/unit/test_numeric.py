"""Differences: their order, and a check that finds wrong gradients."""

import numpy as np
import pytest

import bplib
from bplib.errors import DomainError, ShapeError
from bplib.numeric import central_difference, gradcheck


def test_the_error_falls_with_the_square_of_the_nudge():
    x = 0.7
    errors = [abs(central_difference(lambda v: np.exp(v), x, h) - np.exp(x)) for h in (1e-2, 1e-3)]
    slope = np.log10(errors[0] / errors[1])
    assert slope == pytest.approx(2.0, abs=0.05)


def test_the_default_nudge_is_good_to_nine_digits_and_leaves_the_input_alone():
    x = np.array([0.5, -3.0])
    estimate = central_difference(lambda v: (v**3).sum(), x)
    np.testing.assert_allclose(estimate, 3 * x**2, rtol=2e-9)
    assert x.tolist() == [0.5, -3.0]
    with pytest.raises(DomainError, match="h is 0"):
        central_difference(np.sum, x, h=0)


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


def test_misuse_is_refused():
    with pytest.raises(ShapeError, match="no input to check"):
        gradcheck(bplib.tanh)
    with pytest.raises(ShapeError, match="f gave float"):
        gradcheck(lambda x: 1.0, [1.0])
