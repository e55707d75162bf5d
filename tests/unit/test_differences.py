"""The three difference formulas: their order, their accuracy, and what they refuse."""

import numpy as np
import pytest

from bplib.errors import DataError, DomainError, ShapeError
from bplib.numeric import central_difference, complex_step, convergence_order, forward_difference

FUNCTIONS = {
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "quotient": (lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "bell": (lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x)),
    "product": (lambda x: x * np.sin(3 * x), lambda x: np.sin(3 * x) + 3 * x * np.cos(3 * x)),
}
AT = 0.6


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("method", "wanted"), [(central_difference, 2.0), (forward_difference, 1.0)])
def test_the_order_is_the_one_of_the_formula(name, method, wanted):
    f, slope = FUNCTIONS[name]
    order, errors = convergence_order(lambda x: f(x).sum(), [AT], [slope(AT)], method, (1e-2, 3e-3, 1e-3, 3e-4))
    assert order == pytest.approx(wanted, abs=0.05)
    assert (np.diff(errors) < 0).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_how_good_each_formula_is(name):
    f, slope = FUNCTIONS[name]
    points = np.linspace(0.3, 2.0, 50)
    for method, limit in ((forward_difference, 1e-6), (central_difference, 1e-8), (complex_step, 1e-14)):
        found = method(lambda x: f(x).sum(), points)
        np.testing.assert_allclose(found, slope(points), rtol=limit, atol=limit)


def test_a_complex_step_through_an_absolute_value_is_a_wrong_zero_and_a_real_result_is_refused():
    assert complex_step(lambda x: np.abs(x) + 0j * x.sum(), -1.0) == 0.0
    with pytest.raises(DataError, match="complex_step: f gave a real number, so the imaginary part was lost"):
        complex_step(lambda x: np.abs(x).sum(), [-1.0])


@pytest.mark.parametrize("method", [forward_difference, central_difference, complex_step])
def test_the_input_is_left_alone_even_by_a_function_that_writes(method):
    x = np.array([1.0, 2.0])

    def writes(x):
        x *= 2
        return x.sum()

    np.testing.assert_allclose(method(writes, x), [2.0, 2.0], rtol=1e-6)
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("method", [forward_difference, central_difference, complex_step])
@pytest.mark.parametrize(
    ("f", "x", "h", "error", "words"),
    [
        (np.sum, [1.0], 0, DomainError, "h is 0. Expected a small positive number"),
        (np.sum, [1.0], -1e-3, DomainError, "h is -0.001"),
        (np.sum, [1.0], float("nan"), DomainError, "h is nan"),
        (np.sum, [1.0], "0.1", DataError, "h is '0.1'"),
        (lambda x: x, [1.0, 2.0], 1e-3, ShapeError, r"f gave an array of shape \(2,\). Expected one number"),
        (np.sum, "text", 1e-3, DataError, "holds text"),
        (np.sum, [[1.0], [1.0, 2.0]], 1e-3, DataError, "unequal lengths"),
        (np.sum, [1j], 1e-3, DataError, "complex numbers"),
        (np.sum, None, 1e-3, DataError, "objects"),
    ],
)
def test_bad_input_is_refused_in_words(method, f, x, h, error, words):
    with pytest.raises(error, match=words):
        method(f, x, h)


def test_an_empty_input_has_an_empty_gradient_and_errors_of_the_function_pass_through():
    assert central_difference(np.sum, []).shape == (0,)
    with pytest.raises(ZeroDivisionError):
        central_difference(lambda x: 1 / 0, [1.0])


def test_a_straight_line_has_no_order_and_one_nudge_is_too_few():
    with pytest.raises(DomainError, match="an error is exactly 0"):
        convergence_order(lambda x: x.sum() * 0.0, [1.0], [0.0])
    with pytest.raises(DomainError, match=r"got 1 nudge\. Expected at least two"):
        convergence_order(np.sum, [1.0], [1.0], steps=(1e-2,))
