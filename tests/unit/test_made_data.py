"""Made data: the geometry and the laws that the makers promise, and batches that go on where they stopped."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bplib import data
from bplib.data import DataLoader
from bplib.errors import DataError, DomainError

SEEDED = ["make_line", "make_moons", "make_circles", "make_spirals", "make_polynomial", "sparse_text"]
TWO_CLASSES = ["make_moons", "make_circles", "make_spirals", "sparse_text"]
DIGEST = """
import hashlib
from bplib import data
text = b"".join(a.tobytes() for name in {names} for a in getattr(data, name)(50, rng=3))
print(hashlib.sha256(text).hexdigest())
"""


@pytest.mark.parametrize("name", SEEDED)
def test_the_seed_gives_the_numbers_and_numpys_own_generator_is_left_alone(name):
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (that it is not touched is the point)
    make = getattr(data, name)
    for first, second in zip(make(40, rng=5), make(40, rng=np.random.default_rng(5)), strict=True):
        np.testing.assert_array_equal(first, second)
    assert (make(40, rng=5)[0] != make(40, rng=6)[0]).any()
    np.testing.assert_array_equal(make(40)[0], make(40, rng=0)[0])
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_the_same_numbers_come_in_another_process_with_another_hash_seed():
    found = set()
    for seed in ("0", "4711"):
        code = DIGEST.format(names=SEEDED)
        ran = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True,
            check=True, cwd=data.__path__[0] + "/../..",
        )  # fmt: skip
        found.add(ran.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("name", TWO_CLASSES)
@pytest.mark.parametrize("n", [2, 7, 40])
def test_classes_are_balanced_whole_numbers_in_shuffled_order(name, n):
    X, y = getattr(data, name)(n)
    assert (X.dtype, y.dtype, len(X), y.shape) == (np.float64, np.int64, n, (n,))
    assert np.bincount(y, minlength=2).tolist() == [n - n // 2, n // 2]
    if n == 40:
        assert 5 < np.abs(np.diff(y)).sum() < 35


def test_circles_have_their_radii_and_spirals_their_law():
    X, y = data.make_circles(100, noise=0.0)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == 0, 1.0, 0.5))
    X, y = data.make_spirals(100, turns=2.0, noise=0.0)
    r = np.hypot(*X.T)
    np.testing.assert_allclose(X[:, 0], r * np.cos(4 * np.pi * r + np.pi * y), atol=1e-12)
    assert (r.min(), r.max()) == (pytest.approx(0.1), pytest.approx(1.0))
    noisy = data.make_circles(5000, noise=0.1)[0] - data.make_circles(5000, noise=0.0)[0]
    assert noisy.std() == pytest.approx(0.1, rel=0.05)


def test_no_line_parts_the_spirals_and_the_nearest_neighbour_does():
    X, y = data.make_spirals(400)
    normal = np.linalg.lstsq(np.column_stack([X, np.ones(400)]), 2 * y - 1.0, rcond=None)[0]
    assert ((np.column_stack([X, np.ones(400)]) @ normal > 0) == y).mean() < 0.75
    apart = np.linalg.norm(X[:, None] - X, axis=-1) + np.diag(np.full(400, np.inf))
    assert (y[apart.argmin(axis=1)] == y).mean() > 0.98


def test_eight_of_64_patterns_are_symmetric():
    X, y = data.symmetry()
    assert (X.shape, y.sum(), set(X.ravel())) == ((64, 6), 8, {0.0, 1.0})
    assert len({tuple(row) for row in X}) == 64
    np.testing.assert_array_equal(y, [row.tolist() == row[::-1].tolist() for row in X])


def test_a_polynomial_lies_under_its_points():
    X, y = data.make_polynomial(20_000, (1.0, -2.0, 0.0, 3.0), noise=0.25)
    rest = y - (1 - 2 * X + 3 * X**3)
    assert (X.min() >= -1.0, X.max() < 1.0, X.shape, y.shape) == (True, True, (20_000, 1), (20_000, 1))
    assert (rest.mean(), rest.std()) == (pytest.approx(0.0, abs=0.006), pytest.approx(0.25, rel=0.03))


def test_words_follow_zipf_and_only_rare_words_tell_the_class():
    X, y = data.sparse_text(4000, n_words=100, length=30)
    assert set(X.sum(axis=1)) == {30.0}
    assert (X == 0).mean() > 0.7
    counts = X.sum(axis=0)
    np.testing.assert_allclose(counts[:10] / counts[0], 1 / np.arange(1, 11), rtol=0.06)
    by_class = np.array([X[y == k].sum(axis=0) for k in (0, 1)])
    np.testing.assert_allclose(by_class[0, :5] / by_class[1, :5], 1.0, rtol=0.1)
    assert not by_class[0, 51::2].any()
    assert not by_class[1, 50::2].any()
    mixed, labels = data.sparse_text(4000, n_words=100, noise=0.5)
    assert mixed[labels == 0][:, 51::2].any()


@pytest.mark.parametrize("name", SEEDED)
@pytest.mark.parametrize(("n", "error"), [(0, DomainError), (-1, DomainError), (1.5, DataError), ("10", DataError),
                                          (None, DataError), (True, DataError)])  # fmt: skip
def test_an_impossible_number_of_rows_is_refused(name, n, error):
    with pytest.raises(error, match=rf"{name}: n is .*Expected a whole number"):
        getattr(data, name)(n)


@pytest.mark.parametrize("name", SEEDED)
@pytest.mark.parametrize(("noise", "error"), [(-0.1, DomainError), (np.nan, DomainError), ("0.1", DataError),
                                              (None, DataError)])  # fmt: skip
def test_impossible_noise_and_sources_are_refused(name, noise, error):
    with pytest.raises(error, match=rf"{name}: noise is "):
        getattr(data, name)(10, noise=noise)
    with pytest.raises(DataError, match=rf"{name}: rng is "):
        getattr(data, name)(10, rng="seed")


# ---------------------------------------------------------------- batches


@given(n=st.integers(1, 40), size=st.integers(1, 45), seed=st.integers(0, 5), passes=st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_every_pass_gives_each_row_once_with_its_own_target(n, size, seed, passes):
    loader = DataLoader(np.arange(n)[:, None] * 1.0, np.arange(n) * 10, batch_size=size, rng=seed)
    for _ in range(passes):
        batches = list(loader)
        assert len(batches) == len(loader) == -(-n // size)
        X, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        assert sorted(X[:, 0]) == list(range(n))
        np.testing.assert_array_equal(X[:, 0] * 10, y)


@given(n=st.integers(1, 30), size=st.integers(1, 9), stop=st.integers(0, 40), drop=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_loader_goes_on_from_its_saved_place(n, size, stop, drop):
    if drop and size > n:
        return

    def made(seed):
        return DataLoader(range(n), range(n), batch_size=size, rng=seed, drop_last=drop)

    def endless(loader):
        while True:
            for X, _ in loader:
                yield X.tolist()

    whole = endless(made(0))
    expected = [next(whole) for _ in range(stop + 20)]
    first = made(0)
    walk = endless(first)
    begun = [next(walk) for _ in range(stop)]
    state = json.loads(json.dumps(first.state_dict()))
    second = made(99)
    second.load_state_dict(state)
    rest = endless(second)
    assert begun + [next(rest) for _ in range(20)] == expected


def test_the_last_short_batch_can_be_left_out_and_nan_passes():
    loader = DataLoader(np.full((7, 1), np.nan), range(7), batch_size=3, drop_last=True)
    assert [len(X) for X, _ in loader] == [3, 3]
    assert len(loader) == 2
    with pytest.raises(DomainError, match=r"batch_size is 8 and drop_last .* at most 7.* Try drop_last=False"):
        DataLoader(range(7), range(7), batch_size=8, drop_last=True)


@pytest.mark.parametrize("state", [None, {}, {"rows": 7}, "x"])
def test_a_state_of_something_else_is_refused_and_changes_nothing(state):
    loader, same = (DataLoader(range(7), range(7), batch_size=3) for _ in range(2))
    with pytest.raises(DataError, match=r"DataLoader\.load_state_dict: the saved state does not fit"):
        loader.load_state_dict(state)
    good = loader.state_dict()
    for broken in ({**good, "batch_size": 4}, {**good, "given": None}, {**good, "generator": {"bit_generator": "no"}}):
        with pytest.raises(DataError, match=r"DataLoader\.load_state_dict: "):
            loader.load_state_dict(broken)
    for (a, _), (b, _) in zip(loader, same, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_pass_is_no_place_to_go_on_from():
    loader = DataLoader(range(7), range(7), batch_size=3)
    list(loader)
    state = loader.state_dict()
    assert state["given"] == 0
    again = DataLoader(range(7), range(7), batch_size=3, rng=9)
    again.load_state_dict(state)
    assert [len(X) for X, _ in again] == [3, 3, 1]


def test_a_state_that_was_loaded_in_the_middle_of_a_pass_is_the_state():
    generator = np.random.Generator(np.random.MT19937(0))
    loader = DataLoader(range(7), range(7), batch_size=3, rng=generator)
    start = json.loads(json.dumps(loader.state_dict()))
    list(loader)
    next(iter(loader))
    assert loader.state_dict()["given"] == 1
    loader.load_state_dict(start)
    assert loader.state_dict() == start


def test_circles_are_evenly_spaced_and_patterns_count_up():
    X, y = data.make_circles(8, noise=0.0)
    angles = np.sort(np.arctan2(*X[y == 0].T) % (2 * np.pi))
    np.testing.assert_allclose(np.diff(angles), np.pi / 2)
    np.testing.assert_array_equal(data.symmetry()[0] @ 2.0 ** np.arange(6)[::-1], np.arange(64))
    assert data.make_polynomial(1000)[0].min() < -0.9


@pytest.mark.parametrize("place", [3, 4, 1000])
def test_a_place_beyond_the_last_batch_is_refused(place):
    loader = DataLoader(range(7), range(7), batch_size=3)
    state = loader.state_dict()
    with pytest.raises(DataError, match=rf"load_state_dict: given is {place}, a pass has 3 batches\. Expected"):
        loader.load_state_dict({**state, "given": place})
    assert loader.state_dict() == state


@pytest.mark.parametrize("coefficients", [3, 1.5, None])
def test_coefficients_that_are_no_sequence_are_refused(coefficients):
    with pytest.raises(DataError, match=r"make_polynomial: coefficients is .*Expected numbers, the constant first"):
        data.make_polynomial(coefficients=coefficients)
