"""Where a function has no derivative, and where its numbers end: each rule gives what its row says, never a surprise.

The values at kinks and ties are a choice; they are printed in the table. Everywhere else they are PyTorch's.
"""

import itertools

import numpy as np
import pytest

from bplib.engine import apply
from bplib.rules import TABLE, Stack
from bplib.tensors import Tensor

INF, NAN = np.inf, np.nan


def gradients(row, operands, settings=(), seed=1.0):
    leaves = [Tensor(x, requires_grad=True) for x in operands]
    out = apply(TABLE[row], *leaves, settings=settings)
    out.backward(np.full(out.shape, seed))
    return out.data, [leaf.grad.tolist() for leaf in leaves]


NUMBERS = {"0": 0.0, "1": 1.0, "infinite": INF}
TIES = [[2.0, 7.0, 7.0], [1.0, 7.0, 1.0]]
TIED = [[[[3.0, 3.0], [3.0, 1.0]]]]
# Row, operands, settings, gradients of all operands, the words in the table.
KINKS = [
    ("relu", [[0.0, -0.0]], (), [[0.0, 0.0]], "a = 0: 0"),
    ("leaky_relu", [[0.0, -0.0]], (0.25,), [[0.25, 0.25]], "a = 0: slope"),
    ("abs", [[0.0, -0.0]], (), [[0.0, 0.0]], "a = 0: 0"),
    ("sqrt", [[0.0]], (), [[INF]], "a = 0: infinite"),
    ("power", [[0.0], [0.5]], (), [[INF], [0.0]], "a = 0 with 0 < b < 1: infinite"),
    ("maximum", [[1.0, 0.0], [1.0, -0.0]], (), [[1.0, 1.0], [0.0, 0.0]], "a = b: 1 and 0"),
    ("minimum", [[1.0, -0.0], [1.0, 0.0]], (), [[1.0, 1.0], [0.0, 0.0]], "a = b: 1 and 0"),
    ("clip", [[-1.0, 2.0]], (-1.0, 2.0), [[1.0, 1.0]], "a = low or a = high: 1"),
    ("max", [TIES], (None, False), [[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]], "aᵢ = aⱼ: 1 for the first"),
    ("max", [TIES], (0, False), [[[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]], "aᵢ = aⱼ: 1 for the first"),
    ("min", [TIES], (1, False), [[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]], "aᵢ = aⱼ: 1 for the first"),
    ("min", [[[2.0, 1.0], [1.0, 3.0]]], ((1, 0), True), [[[0.0, 1.0], [0.0, 0.0]]], "aᵢ = aⱼ: 1 for the first"),
    ("max_pool2d", [TIED], ((2, 2), (2, 2)), [[[[[1.0, 0.0], [0.0, 0.0]]]]], "aᵢ = aⱼ: 1 for the first"),
    ("absolute_error", [[1.0], [1.0]], ("sum",), [[0.0], [0.0]], "ŷ = y: 0"),
    ("layers", [[[0.0]], [1.0, 0.0]], (Stack([(1, 1)], ["relu"]),), [[[0.0]], [0.0, 0.0]], "where a ReLU is 0: 0"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "operands", "settings", "wanted", "words"), KINKS)
def test_the_value_at_a_kink_is_the_one_in_the_table(row, operands, settings, wanted, words):
    assert gradients(row, operands, settings)[1] == wanted
    assert TABLE[row].kinks == words
    in_words = words.rpartition(": ")[2]
    if in_words in NUMBERS:
        assert np.ravel(wanted[0])[0] == NUMBERS[in_words]


def test_every_kink_of_the_table_is_tested():
    assert {row for row, *_ in KINKS} == {row.name for row in TABLE.values() if row.kinks}


# Row, operands, settings, value, gradients of all operands.
LIMITS = [
    ("exp", [[INF, -INF, 710.0]], (), [INF, 0.0, INF], [[INF, 0.0, INF]]),
    ("log", [[0.0, -0.0, -1.0, INF]], (), [-INF, -INF, NAN, INF], [[INF, -INF, -1.0, 0.0]]),
    ("sqrt", [[-1.0, INF]], (), [NAN, INF], [[NAN, 0.0]]),
    ("abs", [[INF, -INF, NAN]], (), [INF, INF, NAN], [[1.0, -1.0, NAN]]),
    ("tanh", [[INF, -INF, NAN]], (), [1.0, -1.0, NAN], [[0.0, 0.0, NAN]]),
    ("sigmoid", [[INF, -INF, NAN]], (), [1.0, 0.0, NAN], [[0.0, 0.0, NAN]]),
    ("softplus", [[INF, -INF, NAN]], (), [INF, 0.0, NAN], [[1.0, 0.0, NAN]]),
    ("relu", [[INF, -INF]], (), [INF, 0.0], [[1.0, 0.0]]),
    ("leaky_relu", [[INF, -INF, NAN]], (0.5,), [INF, -INF, NAN], [[1.0, 0.5, 0.5]]),
    ("clip", [[INF, -INF, NAN]], (-1.0, 1.0), [1.0, -1.0, NAN], [[0.0, 0.0, 0.0]]),
    ("divide", [[1.0, 0.0, 1.0], [0.0, 0.0, INF]], (), [INF, NAN, 0.0], [[INF, INF, 0.0], [-INF, NAN, -0.0]]),
    ("power", [[0.0, 0.0, 0.0, -0.0], [0.0, 1.0, 2.0, 3.0]], (), [1.0, 0.0, 0.0, -0.0],
     [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]),
    ("power", [[-2.0, -2.0, 0.0, NAN], [3.0, 0.5, -1.0, 0.0]], (), [-8.0, NAN, INF, 1.0],
     [[12.0, NAN, -INF, 0.0], [NAN, NAN, -INF, NAN]]),
    ("maximum", [[NAN, 1.0, NAN, INF, -INF], [1.0, NAN, NAN, INF, 0.0]], (), [NAN, NAN, NAN, INF, 0.0],
     [[1.0, 0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0]]),
    ("minimum", [[NAN, 1.0, NAN, -INF, INF], [1.0, NAN, NAN, -INF, 0.0]], (), [NAN, NAN, NAN, -INF, 0.0],
     [[1.0, 0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0]]),
    ("where", [[1.0, NAN, INF], [NAN, 2.0, NAN]], (np.array([True, False, True]),), [1.0, 2.0, INF],
     [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
    ("max", [[1.0, NAN, 3.0, NAN]], (None, False), NAN, [[0.0, 1.0, 0.0, 0.0]]),
    ("min", [[INF, INF]], (None, False), INF, [[1.0, 0.0]]),
    ("max", [[-INF, -INF]], (0, True), [-INF], [[1.0, 0.0]]),
    ("max", [5.0], (None, False), 5.0, [1.0]),
    ("max", [5.0], (-1, True), 5.0, [1.0]),
    ("sum", [5.0], (0, False), 5.0, [1.0]),
    ("mean", [5.0], (0, True), 5.0, [1.0]),
    ("logsumexp", [[[-INF, -INF], [0.0, -INF]]], (1, False), [-INF, 0.0], [[[0.0, 0.0], [1.0, 0.0]]]),
    ("logsumexp", [[INF, 800.0]], (None, False), INF, [[NAN, 0.0]]),
    ("logsumexp", [[NAN, 0.0]], (0, True), [NAN], [[NAN, NAN]]),
    ("logsumexp", [7.0], (None, False), 7.0, [1.0]),
    ("softmax", [[-INF, 0.0]], (0,), [0.0, 1.0], [[0.0, 0.0]]),
    ("softmax", [[-INF, -INF]], (0,), [NAN, NAN], [[NAN, NAN]]),
    ("log_softmax", [[-INF, 0.0]], (0,), [-INF, 0.0], [[1.0, -1.0]]),
    ("max_pool2d", [[[[[NAN, 1.0, 2.0, INF]]]]], ((1, 2), (1, 1)), [[[[NAN, 2.0, INF]]]], [[[[[1.0, 0.0, 1.0, 1.0]]]]]),
    ("mean", [np.zeros((0,))], (None, False), NAN, [[]]),
    ("sum", [np.zeros((0, 3))], (0, False), [0.0, 0.0, 0.0], [[]]),
    ("max", [np.zeros((0, 3))], (1, False), [], [[]]),
    ("concatenate", [[-0.0], [NAN]], (0,), [-0.0, NAN], [[1.0], [1.0]]),
]  # fmt: skip


@pytest.mark.parametrize(("row", "operands", "settings", "value", "wanted"), LIMITS)
def test_infinities_nan_signed_zeros_and_empty_arrays(row, operands, settings, value, wanted):
    found, shares = gradients(row, operands, settings)
    np.testing.assert_array_equal(found, value)
    np.testing.assert_array_equal(np.signbit(found)[~np.isnan(found)], np.signbit(value)[~np.isnan(value)])
    for share, one in zip(shares, wanted, strict=True):
        np.testing.assert_array_equal(share, one)


@pytest.mark.parametrize("row", ["maximum", "minimum", "where", "max", "min", "clip", "leaky_relu"])
def test_an_infinite_gradient_does_not_leak_to_the_side_that_was_not_taken(row):
    both = row in ("maximum", "minimum", "where")
    settings = {"where": (np.array([True, False]),), "max": (None, False), "min": (None, False),
                "clip": (0.0, 1.0), "leaky_relu": (0.0,)}.get(row, ())  # fmt: skip
    _, shares = gradients(row, [[2.0, -1.0], [1.0, 3.0]] if both else [[2.0, -1.0]], settings, seed=INF)
    finite = [x for x in np.ravel(shares) if not np.isinf(x)]
    if row == "leaky_relu":
        assert np.isnan(finite).all()  # a slope of 0 is a product with 0, not a choice
    else:
        assert finite
        assert set(finite) == {0.0}


def test_a_place_picked_twice_receives_both_gradients_and_no_other_does():
    table = np.arange(12.0).reshape(3, 4)
    picks = [0, -1, slice(None), slice(None, None, -1), None, Ellipsis, [0, 0, 2], [True, False, True],
             np.array([[0, 1], [0, 1]]), np.int64(1), True]  # fmt: skip
    seen = 0
    for index in [*picks, *itertools.product(picks, picks)]:
        leaf = Tensor(table, requires_grad=True)
        try:
            wanted = np.bincount(np.ravel(np.arange(12).reshape(3, 4)[index]), minlength=12).reshape(3, 4)
        except IndexError:  # two ellipses, or shapes that do not fit
            continue
        picked = leaf[index]
        np.testing.assert_array_equal(picked.data, table[index])
        picked.backward(np.ones(picked.shape))
        np.testing.assert_array_equal(leaf.grad, wanted, err_msg=str(index))
        seen += 1
    assert seen == 119
