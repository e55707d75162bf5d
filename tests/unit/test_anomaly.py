"""The first infinity or NaN is named, with the operation, the place, the numbers that went in, and the line."""

from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.errors import AnomalyError


def learner(data, name=None):
    return bplib.tensor(data, requires_grad=True, name=name)


def told(f):
    with pytest.raises(AnomalyError) as caught, bplib.detect_anomaly():
        f()
    return str(caught.value)


def test_a_forward_anomaly_names_operation_place_operand_domain_and_line():
    p = learner([0.5, 0.0], "p")
    words = told(lambda: -bplib.log(p).sum())
    assert words == (
        "detect_anomaly: 'log' gave -inf at index (1,) in its result of shape (2,). In: operand 1 ('p') was 0 there. "
        f"Its domain: a > 0. Line {_line_of('-bplib.log(p).sum()')} of test_anomaly.py: words = told(lambda: "
        "-bplib.log(p).sum())"
    )


def _line_of(text):
    with open(__file__, encoding="utf-8") as lines:
        return next(i for i, line in enumerate(lines, 1) if text in line)


def test_a_backward_anomaly_names_the_rule_and_the_line_of_the_forward_pass():
    p = learner([4.0, 0.0])

    def act():
        loss = bplib.sqrt(p).sum()  # here the node is made
        loss.backward()

    words = told(act)
    assert "the gradient rule of 'sqrt' gave inf at index (1,) for operand 1, shape (2,)" in words
    assert "the gradient that arrived was finite, largest 1. Local derivative: 1/(2√a)." in words
    assert "loss = bplib.sqrt(p).sum()  # here the node is made" in words
    assert p.grad is None


def test_data_that_came_in_wrong_is_named_as_such():
    x = bplib.tensor([[1.0, np.nan]], name="x")
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())
    words = told(lambda: model(x))
    assert "operand 1 of 'linear' ('x'), shape (1, 2), holds nan at index (0, 1) before anything is computed" in words


def test_inside_a_network_the_layer_is_named_and_not_the_stack():
    model = nn.Sequential(nn.Linear(1, 1, rng=0), nn.ReLU(), nn.Linear(1, 1, rng=0))
    model[2].weight.assign([[1e308]])
    model[0].weight.assign([[1e10]])
    model[0].bias.assign([1.0])
    words = told(lambda: model([[1.0]]))
    assert "'linear' gave inf at index (0, 0) in its result of shape (1, 1)" in words


def test_where_the_places_differ_the_range_of_an_operand_is_given():
    w = learner(np.full((2, 2), 1e200), "w")
    assert "operand 1 ('w'), shape (2, 2), had 1e+200 to 1e+200" in told(lambda: (w @ w) @ w)


def test_a_single_number_has_no_index():
    assert "'divide' gave inf in its result of shape ()" in told(lambda: learner(1.0) / 0.0)


def test_a_gradient_that_is_wrong_from_the_start_is_told():
    w = learner(2.0)
    words = told(lambda: (w * w).backward(np.inf))
    assert "the gradient that arrives at 'multiply' is inf, though every gradient rule before gave finite" in words


def test_where_nothing_is_wrong_nothing_changes():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    losses.mse(model(x), y).backward()
    plain = model.theta_grad.copy()
    model.zero_grad()
    with bplib.detect_anomaly():
        losses.mse(model(x), y).backward()
    assert np.array_equal(model.theta_grad, plain)


def test_it_ends_with_its_block_also_after_an_error_and_when_nested():
    for _ in range(2):
        with pytest.raises(AnomalyError), bplib.detect_anomaly(), bplib.detect_anomaly():
            bplib.log([0.0])
    with bplib.detect_anomaly():
        with bplib.detect_anomaly():
            pass
        with pytest.raises(AnomalyError):
            bplib.log([0.0])
    assert float(bplib.log(0.0)) == -np.inf


def test_it_looks_where_recording_is_off_and_at_empty_arrays():
    with bplib.no_grad():
        assert "'log' gave nan" in told(lambda: bplib.log([-1.0]))
    with bplib.detect_anomaly():
        assert (learner(np.ones((0, 3))) * 2.0).shape == (0, 3)


def test_float32_overflows_earlier():
    assert "'exp' gave inf" in told(lambda: bplib.exp(bplib.tensor(100.0, dtype=np.float32)))


def test_an_operand_without_elements_is_named_as_empty():
    empty = learner(np.ones((0, 3)), "rows")
    assert "'mean' gave nan in its result of shape (). In: operand 1 ('rows') was empty." in told(empty.mean)


def test_where_all_code_on_the_way_is_the_librarys_no_line_is_told(monkeypatch):
    """As in a function that the interpreter calls at its end: no frame below it is the user's."""
    monkeypatch.setattr("bplib.anomaly._LIBRARY", "")
    assert told(lambda: bplib.log([0.0])).endswith("operand 1 was 0 there. Its domain: a > 0.")


def test_a_neighbour_whose_name_begins_like_the_librarys_is_the_user():
    library = Path(bplib.__file__).parent
    assert str(library / "engine.py").startswith(bplib.anomaly._LIBRARY)
    assert not str(library.with_name("bplib_mine") / "loss.py").startswith(bplib.anomaly._LIBRARY)
