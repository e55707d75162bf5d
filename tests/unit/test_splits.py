"""Splits into three parts, and by blocks."""

import numpy as np
import pytest

from bplib.data import block_split, load_digits, train_valid_test_split
from bplib.errors import DataError, DomainError, ShapeError


@pytest.mark.parametrize("n", [3, 4, 10, 101])
@pytest.mark.parametrize("shares", [(0.2, 0.2), (0.1, 0.6), (0.01, 0.01), (0.49, 0.5)])
def test_every_row_stands_in_one_of_three_parts(n, shares):
    X = np.arange(n) * 10
    parts = train_valid_test_split(X, np.arange(n), valid_fraction=shares[0], test_fraction=shares[1], stratify=False)
    assert sorted(np.concatenate(parts[:3])) == X.tolist()
    assert min(map(len, parts)) >= 1
    for rows, targets in zip(parts[:3], parts[3:], strict=True):
        np.testing.assert_array_equal(rows, targets * 10)
    if n == 101:
        assert [len(part) for part in parts[1:3]] == [max(1, round(n * share)) for share in shares]


def test_classes_keep_their_share_in_all_three_parts_and_the_seed_decides():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    first, again, other = (train_valid_test_split(np.arange(100), y, rng=seed) for seed in (1, 1, 2))
    assert [np.bincount(part).tolist() for part in first[3:]] == [[36, 18, 6], [12, 6, 2], [12, 6, 2]]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert not (first[2] == other[2]).all()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"valid_fraction": 0.5, "test_fraction": 0.5}, DomainError, "together below 1"),
        ({"valid_fraction": 0}, DomainError, "valid_fraction is 0"),
        ({"test_fraction": -0.1}, DomainError, "test_fraction is -0.1"),
        ({"test_fraction": "0.2"}, DataError, "test_fraction is '0.2'"),
        ({"X": [1, 2], "y": [1, 2]}, ShapeError, "X has 2 rows. Expected at least 3"),
        ({"rng": "0"}, DataError, "train_valid_test_split: rng"),
    ],
)
def test_bad_shares_are_refused_in_words(settings, error, words):
    with pytest.raises(error) as caught:
        train_valid_test_split(**{"X": range(9), "y": range(9)} | settings)
    assert words in str(caught.value)


def test_blocks_keep_the_order_and_are_copies():
    X = np.arange(12.0).reshape(6, 2)
    X_train, X_test, y_train, y_test = block_split(X, np.arange(6), test_fraction=1 / 3)
    assert (y_train.tolist(), y_test.tolist()) == ([0, 1, 2, 3], [4, 5])
    np.testing.assert_array_equal(X_test, X[4:])
    X_train[:] = X_test[:] = -1.0
    assert X.min() == 0.0
    with pytest.raises(DomainError, match="block_split: test_fraction is 1"):
        block_split(X, np.arange(6), test_fraction=1)


def test_the_digits_by_block_are_the_end_of_the_file():
    blocks = load_digits(split="blocks")
    assert (len(blocks.X_train), len(blocks.X_test)) == (1348, 449)
    shuffled = load_digits()
    assert sorted(blocks.X_train.sum(axis=1).tolist() + blocks.X_test.sum(axis=1).tolist()) == sorted(
        shuffled.X_train.sum(axis=1).tolist() + shuffled.X_test.sum(axis=1).tolist()
    )


def test_a_class_too_small_for_three_parts_is_named_by_the_function_that_was_called():
    y = [0] * 7 + [1] * 2
    with pytest.raises(DomainError, match=r"^train_valid_test_split: the class 1 has 2 rows\. A stratified split exp"):
        train_valid_test_split(range(9), y)
    with pytest.raises(ShapeError, match=r"^train_valid_test_split: y has shape \(9, 1\)"):
        train_valid_test_split(range(9), np.ones((9, 1), int), stratify=True)
    assert [len(part) for part in train_valid_test_split(range(9), [0] * 6 + [1] * 3, valid_fraction=0.49,
                                                         test_fraction=0.49)[:3]] == [1, 4, 4]  # fmt: skip
