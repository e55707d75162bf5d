"""The scalar engine: published numbers, agreement with the tensors, deep chains, errors in words."""

import gc
import math
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import bplib
from bplib import scalar
from bplib.errors import DataError, DomainError
from bplib.scalar import Value


def test_the_published_expression_of_micrograd() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert (f"{g.data:.4f}", f"{a.grad:.4f}", f"{b.grad:.4f}") == ("24.7041", "138.8338", "645.5773")


def both(function, *numbers):
    """Value and derivatives by the scalar engine, and by the tensors."""
    values = [Value(number) for number in numbers]
    result = function(*values)
    result.backward()
    tensors = [bplib.tensor(number, requires_grad=True) for number in numbers]
    other = function(*tensors)
    other.backward()
    return [result.data, *(one.grad for one in values)], [other.item(), *(float(one.grad) for one in tensors)]


def _relu(x):
    return x.relu() if isinstance(x, Value) else bplib.relu(x)


def _tanh(x):
    return x.tanh() if isinstance(x, Value) else bplib.tanh(x)


FUNCTIONS = {
    "x + y": lambda x, y: x + y,
    "x − y": lambda x, y: x - y,
    "x · y": lambda x, y: x * y,
    "x / y": lambda x, y: x / y,
    "x³ − y⁻²": lambda x, y: x**3 - y**-2,
    "x⁰ + y": lambda x, y: x**0 + y,
    "2 − x and 3 / y": lambda x, y: (2 - x) * (3 / y) + 1.5 * x - 4,
    "fan-out": lambda x, y: (x * x + y) * (x * x) - x,
    "relu": lambda x, y: _relu(x) * y + _relu(-x),
    "tanh": lambda x, y: _tanh(x * y) + _tanh(y),
    "exp and log": lambda x, y: (
        (bplib.exp if not isinstance(x, Value) else Value.exp)(x)
        * (bplib.log if not isinstance(y, Value) else Value.log)(y * y)
    ),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@settings(max_examples=40, deadline=None)
@given(x=st.floats(-3, 3), y=st.floats(0.1, 3) | st.floats(-3, -0.1))
def test_every_operation_agrees_with_the_tensors(function, x, y) -> None:
    ours, theirs = both(function, x, y)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_second_backward_adds_exactly_the_same() -> None:
    x = Value(3.0)
    y = (x * x) * (x * x)
    y.backward()
    assert x.grad == 108.0
    y.backward()
    assert x.grad == 216.0


def test_local_derivatives_are_there_before_backward() -> None:
    x, w = Value(3.0), Value(2.0)
    product = x * w
    assert (product.first, product.second) == (x, w)
    assert (product.by_first, product.by_second) == (2.0, 3.0)
    assert ((-x).second, (-x).by_first) == (None, -1.0)
    assert product.grad == 0.0


def test_a_chain_of_a_hundred_thousand_operations_and_no_cycles() -> None:
    x = Value(1.0)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        y = x
        for _ in range(100_000):
            y = y * 1.0
        y.backward()
        assert x.grad == 1.0
        del y
        assert len(gc.get_objects()) - before < 100
    finally:
        gc.enable()


def test_infinities_come_out_as_such() -> None:
    assert Value(1000.0).exp().data == math.inf
    assert (Value(-1e200) ** 3).data == -math.inf
    assert (Value(1e200) ** 2).data == math.inf


class _Stops:
    """A local derivative at which somebody presses the stop button."""

    def __rmul__(self, incoming: float) -> float:
        raise KeyboardInterrupt


def test_a_backward_that_was_stopped_leaves_nothing_that_the_next_one_would_add() -> None:
    x = Value(3.0)
    square = x * x
    loss = square * 2.0 + x
    right, square.by_first = square.by_first, _Stops()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        loss.backward()
    assert [(one.grad, one.waiting) for one in (x, square, loss)] == [(0.0, 0)] * 3
    square.by_first = right
    loss.backward()
    assert (x.grad, square.grad, loss.grad) == (13.0, 2.0, 1.0)


def _small_network() -> tuple[Value, list[Value]]:
    x, w = Value(3.0), Value(-2.0)
    product = x * w
    hidden = product + x
    loss = hidden * hidden + product.relu() + w
    loss.backward()
    return loss, [x, w, product, hidden, loss]


def test_stopped_at_any_line_backward_leaves_the_gradients_of_the_calls_before() -> None:
    loss, values = _small_network()
    once = [value.grad for value in values]
    lines = 0

    def stop_at(line: int):
        def local(frame, event, argument):
            nonlocal lines
            lines += event == "line"
            if lines == line:
                sys.settrace(None)
                raise KeyboardInterrupt
            return local

        return lambda frame, event, argument: local if frame.f_code.co_filename == scalar.__file__ else None

    stopped = 0
    former = sys.gettrace()
    try:
        while True:
            lines = 0
            sys.settrace(stop_at(stopped + 1))
            try:
                loss.backward()
            except KeyboardInterrupt:
                stopped += 1
                assert [(value.grad, value.waiting) for value in values] == [(grad, 0) for grad in once]
            else:
                break
    finally:
        sys.settrace(former)
    assert stopped > 100
    assert [value.grad for value in values] == [2 * grad for grad in once]


def test_nothing_flows_through_a_unit_that_relu_has_switched_off() -> None:
    x, infinite = Value(3.0), Value(1000.0).exp()
    behind = x * -1.0
    behind.by_first = _Stops()  # type: ignore[assignment]
    (behind.relu() * infinite + x * 0.0 + x).backward()
    assert (x.grad, behind.grad) == (1.0, 0.0)


COMBINE = {
    "+": lambda one, other: one + other,
    "*": lambda one, other: one * other,
    "-": lambda one, other: one - other,
    "relu": lambda one, other: _relu(other) + one,
    "tanh": lambda one, other: _tanh(other) * one,
}
PLACE = st.integers(0, 99)
STEPS = st.lists(st.tuples(st.sampled_from(sorted(COMBINE)), PLACE, PLACE), min_size=1, max_size=30)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, numbers=st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_a_drawn_graph_agrees_with_the_tensors(steps, numbers) -> None:
    def function(*inputs):
        made = list(inputs)
        for kind, i, j in steps:  # the newest is always used, so that what is made is reached
            one, other = made[i % len(made)], made[-1 - j % 2]
            made.append(_tanh(COMBINE[kind](one, other)))  # tanh keeps the numbers small
        return made[-1] + 0.0 * inputs[0] * inputs[1] * inputs[2]

    ours, theirs = both(function, *numbers)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: Value("3"), DataError, r"Value: data is '3'. Expected one number"),
        (lambda: Value(math.nan), DomainError, "Value: data is nan. Expected a finite number"),
        (lambda: Value(0.0) ** -1, DomainError, "0 to the power -1 is a division by zero"),
        (lambda: 1.0 / Value(0.0), DomainError, "0 to the power -1 is a division by zero"),
        (lambda: Value(-2.0) ** 0.5, DomainError, "-2 to the power 0.5 is no real number"),
        (lambda: Value(-1.0).log(), DomainError, "log: the value is -1. Expected a number above 0"),
        (lambda: Value(2.0) ** Value(2.0), DataError, r"exponent is Value\(2, grad=0\). Expected one number"),
        (lambda: Value(1.0) + np.ones(2), DataError, "Expected one number"),
    ],
)
def test_what_cannot_be_is_said_in_words(wrong, error, words) -> None:
    with pytest.raises(error, match=words):
        wrong()
