"""Makers, splits, scaling, batches and counts: what they promise, and what they say when they cannot."""

import inspect

import numpy as np
import pytest

import bplib.data as data
from bplib.data import DataLoader, Standardizer, confusion_counts, make_line, make_moons, train_test_split, xor
from bplib.errors import DataError, DomainError, ShapeError

SEEDED = [make_line, make_moons, lambda rng: train_test_split(np.arange(20), np.arange(20) % 2, rng=rng)]


def _same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# One rule for every rng argument.


@pytest.mark.parametrize("draw", SEEDED)
def test_left_out_or_none_is_seed_zero(draw):
    assert _same(draw(rng=None), draw(rng=0))
    assert _same(draw(rng=0), draw(rng=np.random.default_rng(0)))


@pytest.mark.parametrize("draw", SEEDED)
def test_another_seed_gives_other_numbers(draw):
    assert not _same(draw(rng=0), draw(rng=1))


@pytest.mark.parametrize("draw", SEEDED)
def test_a_generator_moves_on(draw):
    generator = np.random.default_rng(0)
    assert not _same(draw(rng=generator), draw(rng=generator))


@pytest.mark.parametrize("rng", [True, 0.5, "7", np.random.RandomState(0)])
def test_an_rng_of_the_wrong_kind_is_refused(rng):
    with pytest.raises(DataError, match=rf"^make_line: rng is of type {type(rng).__name__}\. Expected .* Try rng=0 or"):
        make_line(rng=rng)


def test_a_negative_seed_is_refused():
    with pytest.raises(DomainError, match=r"^make_line: rng is -3\. Expected a seed of at least 0\. Try rng=3\."):
        make_line(rng=-3)


# Makers.


def test_line_without_noise_lies_on_the_line():
    X, y = make_line(50, slope=-3.0, intercept=0.5, noise=0.0)
    assert X.shape == y.shape == (50, 1)
    assert X.dtype == y.dtype == np.float64
    np.testing.assert_array_equal(y, -3.0 * X + 0.5)
    assert X.min() >= -1
    assert X.max() < 1


def test_line_noise_has_the_standard_deviation_asked_for():
    X, y = make_line(20_000, slope=2.0, intercept=1.0, noise=0.3)
    assert (y - 2 * X - 1).std() == pytest.approx(0.3, rel=0.02)  # standard error 0.5 %


def test_moons_without_noise_lie_on_their_half_circles():
    X, y = make_moons(101, noise=0.0)
    assert X.shape == (101, 2)
    assert y.dtype == np.int64
    assert np.bincount(y).tolist() == [51, 50]
    upper, lower = X[y == 0], X[y == 1] - (1.0, 0.5)
    np.testing.assert_allclose(np.hypot(*upper.T), 1.0)
    np.testing.assert_allclose(np.hypot(*lower.T), 1.0)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 1e-15


def test_moons_come_shuffled():
    y = make_moons(100)[1]
    assert np.count_nonzero(np.diff(y)) > 20  # one change of class would mean sorted


def test_xor_is_the_table_of_exclusive_or():
    X, y = xor()
    assert X.shape == (4, 2)
    assert y.shape == (4, 1)
    assert [int(a) ^ int(b) for a, b in X] == y.ravel().tolist()
    assert y.dtype == np.float64


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: make_line(0), DomainError, r"^make_line: n is 0\. Expected a whole number of at least 1\. Try n=32\."),
        (lambda: make_line(2.5), DataError, r"^make_line: n is 2\.5\. Expected a whole number"),
        (lambda: make_line(True), DataError, r"^make_line: n is True\. Expected a whole number"),
        (lambda: make_line(noise=-0.1), DomainError, r"noise is -0\.1\. Expected a finite number of at least 0\. Try"),
        (lambda: make_line(slope=np.nan), DomainError, r"^make_line: slope is nan\. Expected a finite number\."),
        (lambda: make_line(intercept="1"), DataError, r"^make_line: intercept is '1'\. Expected one number"),
        (lambda: make_moons(1), DomainError, r"^make_moons: n is 1\. Expected a whole number of at least 2\."),
        (lambda: make_moons(noise=-1), DomainError, r"^make_moons: noise is -1\. "),
    ],
)
def test_makers_say_what_is_wrong(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Splits.


@pytest.mark.parametrize(("n", "fraction", "n_test"), [(100, 0.25, 25), (10, 0.5, 5), (10, 0.001, 1), (10, 0.999, 9)])
def test_split_sizes(n, fraction, n_test):
    X = np.arange(2 * n).reshape(n, 2)
    X_train, X_test, y_train, y_test = train_test_split(X, np.arange(float(n)), test_fraction=fraction)
    assert (len(X_train), len(y_train), len(X_test), len(y_test)) == (n - n_test, n - n_test, n_test, n_test)


@pytest.mark.parametrize("stratify", [True, False])
def test_split_gives_each_row_once_and_keeps_targets_with_rows(stratify):
    X, y = np.arange(60).reshape(60, 1), np.arange(60) % 3
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=stratify)
    assert sorted(np.concatenate([X_train, X_test]).ravel().tolist()) == list(range(60))
    assert (X_train.ravel() % 3 == y_train).all()
    assert (X_test.ravel() % 3 == y_test).all()


def test_split_is_shuffled():
    _, X_test, *_ = train_test_split(np.arange(100), np.zeros(100, dtype=int))
    assert sorted(X_test.tolist()) != X_test.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_stratified_split_rounds_each_share_up_or_down(seed):
    sizes = np.array([3, 7, 50, 141])
    y = np.repeat(np.arange(4), sizes)
    *_, y_test = train_test_split(np.zeros(len(y)), y, test_fraction=0.3, rng=seed)
    assert len(y_test) == round(len(y) * 0.3)
    assert (np.abs(np.bincount(y_test, minlength=4) - sizes * len(y_test) / len(y)) < 1).all()


def test_stratified_split_leaves_each_class_a_training_row():
    y = np.repeat([0, 1], [2, 8])
    _, _, y_train, _ = train_test_split(np.zeros(10), y, test_fraction=0.8)
    assert set(y_train.tolist()) == {0, 1}


def test_split_stratifies_by_itself_for_class_labels_only():
    with pytest.raises(DomainError, match=r"the class 1 has 1 row\. .* Use stratify=False"):
        train_test_split(np.zeros(3), np.array([0, 0, 1]))
    train_test_split(np.zeros(3), np.array([0.0, 0.0, 1.0]))
    train_test_split(np.zeros(3), np.array([[0], [0], [1]]))


def test_split_gives_copies():
    X = np.zeros((8, 1))
    train_test_split(X, X)[0][:] = 1
    assert not X.any()


@pytest.mark.parametrize("fraction", [0, 1, -0.2, 1.5])
def test_split_refuses_a_fraction_that_leaves_a_part_empty(fraction):
    with pytest.raises(DomainError, match=rf"^train_test_split: test_fraction is {fraction}\. Expected .* Try test"):
        train_test_split([1, 2], [1, 2], test_fraction=fraction)


def test_split_refuses_a_single_row():
    with pytest.raises(ShapeError, match=r"^train_test_split: there is 1 row\. Expected at least 2"):
        train_test_split([1], [1])


def test_split_refuses_to_stratify_columns():
    with pytest.raises(ShapeError, match=r"y has shape \(4, 2\)\. .* Use stratify=False"):
        train_test_split(np.zeros(4), np.zeros((4, 2)), stratify=True)


@pytest.mark.parametrize("take", [train_test_split, DataLoader])
@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([[1, 2], [3]], [0, 1], DataError, r"X is a list whose rows have unequal lengths \(1 and 2\)\. Expected rows"),
        (["a", "b"], [0, 1], DataError, r"X holds text \(dtype <U1\)\. Expected real numbers\."),
        ([1, 2], [None, 1], DataError, r"y holds objects \(dtype object\)\. Expected real numbers\."),
        ([1j, 2], [0, 1], DataError, r"X holds complex numbers \(dtype complex128\)\."),
        ([1, 2, 3], [0, 1], ShapeError, r"X has 3 rows, y has 2\. .* X has shape \(3,\), y has shape \(2,\)"),
        ([1], [0, 1], ShapeError, r"X has 1 row, y has 2\."),
        ([], [], ShapeError, r"X and y have no rows\. Expected at least one\."),
        (5, [1], ShapeError, r"X is the single number 5\. Expected one row for each example\."),
    ],
)
def test_data_that_cannot_be_paired_is_refused(take, X, y, error, message):
    with pytest.raises(error, match=f"^{take.__name__}: {message}"):
        take(X, y)


def test_unequal_lengths_deep_inside_are_refused_too():
    with pytest.raises(DataError, match=r"^DataLoader: X is a list whose rows have unequal lengths\. Expected"):
        DataLoader([[[1, 2], [3]], [[4, 5], [6, 7]]], [0, 1])


# Scaling.


def test_standardizer_gives_mean_zero_and_deviation_one():
    X = np.random.default_rng(0).normal(5.0, 3.0, size=(200, 4))
    Z = Standardizer().fit(X).transform(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0.0, atol=1e-14)
    np.testing.assert_allclose(Z.std(axis=0), 1.0)


def test_standardizer_uses_the_numbers_of_the_training_part():
    scaler = Standardizer().fit([[0.0], [2.0]])
    assert scaler.transform([[5.0]]).item() == 4.0
    assert scaler.mean.tolist() == [1.0]
    assert scaler.scale.tolist() == [1.0]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300, -7.3])
def test_a_feature_that_never_changes_becomes_zero(value):
    X = np.full((7, 1), value)
    scaler = Standardizer().fit(X)
    assert (scaler.transform(X) == 0.0).all()
    assert scaler.scale.tolist() == [1.0]
    np.testing.assert_array_equal(scaler.inverse_transform(np.zeros((7, 1))), X)


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e200])
def test_standardizer_works_at_extreme_sizes(size):
    Z = Standardizer().fit(np.array([[0.0], [1.0], [2.0]]) * size).transform([[2.0 * size]])
    assert Z.item() == pytest.approx(np.sqrt(1.5))


def test_standardizer_goes_back():
    X = np.random.default_rng(1).normal(size=(30, 3)) * [1, 100, 0.01]
    scaler = Standardizer().fit(X)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(X)), X, rtol=1e-12, atol=1e-14)


def test_standardizer_leaves_its_input_alone():
    X = np.array([[1, 2], [3, 4]])
    Standardizer().fit(X).transform(X)
    assert X.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Standardizer().transform([[1.0]]), DomainError, r"transform: no mean and scale yet\. .* Call \.fit"),
        (lambda: Standardizer().inverse_transform([[1.0]]), DomainError, r"inverse_transform: no mean and scale yet"),
        (lambda: Standardizer().fit([1.0, 2.0]), ShapeError, r"fit: X has shape \(2,\)\. .* X\.reshape\(-1, 1\)"),
        (lambda: Standardizer().fit(np.zeros((0, 3))), ShapeError, r"fit: X has shape \(0, 3\)"),
        (lambda: Standardizer().fit([[np.nan], [1.0]]), DomainError, r"fit: X has 1 values that are not finite"),
        (lambda: Standardizer().fit([[1.7e308], [1.6e308]]), DomainError, r"too large to add up"),
        (lambda: Standardizer().fit([["a"]]), DataError, r"fit: X holds text"),
        (lambda: Standardizer().fit([[1.0, 2.0]]).transform([[1.0]]), ShapeError, r"X has 1 features\. Expected 2"),
    ],
)
def test_standardizer_says_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_standardizer_tells_its_state():
    assert repr(Standardizer()) == "Standardizer(not fitted)"
    assert repr(Standardizer().fit([[1.0, 2.0]])) == "Standardizer(fitted on 2 features)"


# Batches.


@pytest.mark.parametrize(("n", "size", "sizes"), [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 32, [2]), (3, 1, [1, 1, 1])])
def test_every_pass_gives_each_row_once_and_keeps_the_rest(n, size, sizes):
    loader = DataLoader(np.arange(n)[:, None], np.arange(n) * 10, size)
    assert len(loader) == len(sizes)
    batches = list(loader)
    assert [len(y) for _, y in batches] == sizes
    assert sorted(np.concatenate([y for _, y in batches]).tolist()) == [10 * i for i in range(n)]
    assert all((X.ravel() * 10 == y).all() for X, y in batches)


def _passes(loader, number):
    return [np.concatenate([y for _, y in loader]).tolist() for _ in range(number)]


def test_each_pass_has_a_new_order_and_a_fresh_loader_repeats_them():
    first = _passes(DataLoader(np.arange(50), np.arange(50)), 3)
    assert first[0] != first[1] != first[2]
    assert _passes(DataLoader(np.arange(50), np.arange(50)), 3) == first
    assert _passes(DataLoader(np.arange(50), np.arange(50), rng=1), 3) != first


def test_without_shuffle_the_order_stays():
    loader = DataLoader(np.arange(9), np.arange(9), 4, shuffle=False)
    assert _passes(loader, 2) == [list(range(9))] * 2


@pytest.mark.parametrize("shuffle", [True, False])
def test_changing_a_batch_leaves_the_data_alone(shuffle):
    X = np.zeros((4, 1))
    for X_batch, _ in DataLoader(X, X, 2, shuffle=shuffle):
        X_batch[:] = 1
    assert not X.any()


def test_the_data_is_not_copied_up_front():
    X = np.zeros((4, 1), dtype=np.float32)
    loader = DataLoader(X, X)
    assert loader.X is X
    assert next(iter(loader))[0].dtype == np.float32


@pytest.mark.parametrize(
    ("batch_size", "error", "message"),
    [
        (0, DomainError, r"^DataLoader: batch_size is 0\. Expected a whole number of at least 1\. Try batch_size=32\."),
        (-4, DomainError, r"batch_size is -4"),
        (2.0, DataError, r"^DataLoader: batch_size is 2\.0\. Expected a whole number, for example batch_size=32\."),
        (None, DataError, r"batch_size is None"),
    ],
)
def test_a_batch_size_that_is_none_is_refused(batch_size, error, message):
    with pytest.raises(error, match=message):
        DataLoader([1], [1], batch_size)


def test_loader_tells_its_state():
    assert repr(DataLoader(range(7), range(7), 3)) == "DataLoader(7 rows, 3 batches of 3, shuffled)"
    assert repr(DataLoader(range(7), range(7), 3, shuffle=False)) == "DataLoader(7 rows, 3 batches of 3, in order)"


# Counts.


def test_confusion_counts_equal_a_count_by_hand():
    generator = np.random.default_rng(0)
    truth, prediction = generator.integers(4, size=(2, 200))
    expected = [[sum((truth == i) & (prediction == j)) for j in range(5)] for i in range(5)]
    counts = confusion_counts(truth, prediction, 5)
    assert counts.tolist() == expected
    assert counts.trace() == (truth == prediction).sum()


def test_confusion_counts_take_whole_numbers_of_any_type():
    assert confusion_counts([0.0, 1.0], [True, True]).tolist() == [[0, 1], [0, 1]]
    assert confusion_counts(np.array([200, 1], np.uint8), [1, 200]).shape == (201, 201)


@pytest.mark.parametrize(
    ("truth", "prediction", "n_classes", "error", "message"),
    [
        ([0, 1], [0, 3], 3, DomainError, r"the label 3 occurs\. Expected whole numbers from 0 to 2, because n_classes"),
        ([0, -1], [0, 1], 2, DomainError, r"the label -1 occurs"),
        ([0, 1], [0], None, ShapeError, r"truth has 2 labels, prediction has 1\."),
        ([], [], None, ShapeError, r"truth has 0 labels"),
        ([0, 1], [[0.2, 0.8], [0.1, 0.9]], None, ShapeError, r"prediction has shape \(2, 2\)\. .*argmax\(axis=1\)"),
        ([0, 1], [0.2, 0.8], None, DataError, r"prediction holds 0\.2, which is no whole number\."),
        ([0, 1], [0, np.nan], None, DataError, r"prediction holds nan"),
        ([0, 1], [0, np.inf], None, DataError, r"prediction holds inf"),
        (["a"], [0], None, DataError, r"truth holds text"),
        ([0], [0], 0, DomainError, r"n_classes is 0"),
    ],
)
def test_confusion_counts_say_what_is_wrong(truth, prediction, n_classes, error, message):
    with pytest.raises(error, match=f"^confusion_counts: {message}"):
        confusion_counts(truth, prediction, n_classes)


def test_every_public_name_has_words_and_an_example():
    for name in data.__all__:
        assert ">>>" in inspect.getdoc(getattr(data, name)), name
