"""At the ends of the range the results are right to the last digits: compared with 50-digit arithmetic.

The yardstick is the condition number: how much a relative error of the input, which rounding makes unavoidable, grows.
"""

from decimal import Context, Decimal, localcontext

import numpy as np
import pytest

from bplib.engine import apply
from bplib.rules import TABLE
from bplib.tensors import Tensor

FIFTY = Context(prec=50, Emin=-999999, Emax=999999)
SMALLEST = float(np.finfo(float).smallest_subnormal)
POINTS = [
    0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300, 1e-16, -1e-16, 1e-8, -1e-8, 0.1, -0.1, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0,
    5.0, -5.0, 10.0, -10.0, 17.0, -17.0, 36.0, -36.0, 37.0, -37.0, 40.0, -40.0, 100.0, -100.0, 600.0, -600.0, 709.0,
    -709.0, 710.0, -710.0, 745.0, -745.0,
]  # fmt: skip


def sigmoid(x: Decimal) -> Decimal:
    small = (-abs(x)).exp()
    return (1 if x >= 0 else small) / (1 + small)


def log_of_one_plus(x: Decimal) -> Decimal:
    # 50 digits are not enough for 1 + x with a tiny x; the series is, since x³ is below 1e-54 there.
    return x - x * x / 2 if abs(x) < Decimal("1e-18") else (1 + x).ln()


def softplus(x: Decimal) -> Decimal:
    return max(x, Decimal(0)) + log_of_one_plus((-abs(x)).exp())


def logsumexp(xs: list[Decimal]) -> Decimal:
    top = max(xs)
    rest = list(xs)
    rest.remove(top)
    return top + log_of_one_plus(sum(((x - top).exp() for x in rest), Decimal(0)))


def found(row, x, *settings):
    leaf = Tensor(x, requires_grad=True)
    out = apply(TABLE[row], leaf, settings=settings)
    out.backward(np.ones(out.shape))
    return out.data, leaf.grad


def holds(value, exact: Decimal, condition: float, beside: float = 0.0) -> bool:
    """Whether a value is finite and right; `beside` is what it was added to on the way, and rounded with."""
    allowed = 1e-14 * max(1.0, condition) * abs(float(exact)) + beside * 2.0**-52 + SMALLEST
    return bool(np.isfinite(value)) and abs(float(Decimal(float(value)) - exact)) <= allowed


def condition(x: Decimal, slope: Decimal, value: Decimal) -> float:
    return float(abs(x * slope / value)) if value else 0.0


def test_there_are_forty_points():
    assert len(POINTS) == 40


@pytest.mark.parametrize("x", POINTS)
def test_sigmoid(x):
    value, gradient = found("sigmoid", x)
    with localcontext(FIFTY):
        exact = sigmoid(Decimal(x))
        slope = exact * sigmoid(-Decimal(x))
        assert holds(value, exact, condition(Decimal(x), slope, exact))
        # On the right 1 − σ is rounded beside 1, as in PyTorch; on the left nothing is.
        assert holds(gradient, slope, abs(x), beside=1.0 if x > 0 else 0.0)


@pytest.mark.parametrize("x", POINTS)
def test_softplus(x):
    value, gradient = found("softplus", x)
    with localcontext(FIFTY):
        exact, slope = softplus(Decimal(x)), sigmoid(Decimal(x))
        assert holds(value, exact, condition(Decimal(x), slope, exact))
        assert holds(gradient, slope, condition(Decimal(x), slope * sigmoid(-Decimal(x)), slope))


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("others", [[], [0.0], [-5.0, 0.0], [1e300, -1e300]])
def test_logsumexp(x, others):
    numbers = [x, *others]
    value, gradient = found("logsumexp", numbers, None, False)
    with localcontext(FIFTY):
        xs = [Decimal(one) for one in numbers]
        exact = logsumexp(xs)
        grown = [(one - max(xs)).exp() for one in xs]
        shares = [one / sum(grown) for one in grown]
        lever = sum(float(abs(one * share)) for one, share in zip(xs, shares, strict=True))
        assert holds(value, exact, lever / abs(float(exact)) if exact else 0.0)
        for got, share, one in zip(gradient, shares, xs, strict=True):
            # e^(xᵢ − y): the difference is rounded, and the exponential makes that a relative error.
            assert holds(got, share, float(abs(one) + abs(exact)) if share > Decimal("1e-330") else 0.0)


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("place", [0, 1])
def test_log_softmax(x, place):
    numbers = [x, 0.0]
    value, _ = found("log_softmax", numbers, 0)
    with localcontext(FIFTY):
        xs = [Decimal(one) for one in numbers]
        exact = xs[place] - max(xs) - log_of_one_plus((-abs(xs[0])).exp())
        lever = float(abs(xs[0]) * sigmoid(xs[1] - xs[0] if place == 0 else xs[0] - xs[1]))
        assert holds(value[place], exact, lever / abs(float(exact)) if exact else 0.0)


@pytest.mark.parametrize("x", POINTS)
@pytest.mark.parametrize("true", [0, 1])
def test_softmax_cross_entropy(x, true):
    value, gradient = found("softmax_cross_entropy", [[x, 0.0]], np.array([true]), "mean")
    with localcontext(FIFTY):
        towards = Decimal(x) if true == 0 else -Decimal(x)
        exact, slope = softplus(-towards), sigmoid(-towards)
        # A loss below 1e-16 is rounded beside the 1 of the true class, as in PyTorch.
        assert holds(value, exact, condition(Decimal(x), slope, exact), beside=1.0)
        for got, sign in zip(gradient[0], (-1, 1) if true == 0 else (1, -1), strict=True):
            assert holds(got, sign * slope, abs(x), beside=1.0)
