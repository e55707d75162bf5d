"""Bad input at every door of the data: makers, splits, scaling, batches; an answer, or an error in our own words."""

import inspect
import math

import numpy as np
import pytest

from bplib import data, tensor
from bplib.data import DataLoader, Standardizer, confusion_counts, load_digits, train_test_split
from tests.contract.refusals import LAWS, NO_NUMBERS, column, outcome, rows_of

ROWS, TARGETS = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])
# Every argument and what it may be; `coefficients` and `split` have tables of their own.
MAKERS = {
    "make_line": {"n": "counted", "slope": "finite", "intercept": "finite", "noise": "at least 0", "rng": "generator"},
    "make_moons": {"n": "counted", "noise": "at least 0", "rng": "generator"},
    "make_circles": {"n": "counted", "noise": "at least 0", "rng": "generator"},
    "make_spirals": {"n": "counted", "turns": "at least 0", "noise": "at least 0", "rng": "generator"},
    "make_polynomial": {"n": "counted", "coefficients": "other", "noise": "at least 0", "rng": "generator"},
    "sparse_text": {"n": "counted", "n_words": "from four", "length": "counted", "noise": "share", "rng": "generator"},
    "load_digits": {"split": "other", "test_fraction": "fraction", "rng": "generator"},
    "xor": {},
    "symmetry": {},
}
USERS = {
    "DataLoader": {
        "batch_size": "counted", "shuffle": "truth", "rng": "generator", "drop_last": "truth"
    },
    "train_test_split": {"test_fraction": "fraction", "stratify": "truth or None", "rng": "generator"},
    "train_valid_test_split": {
        "valid_fraction": "fraction", "test_fraction": "fraction", "stratify": "truth or None", "rng": "generator"
    },
    "block_split": {"test_fraction": "fraction"},
    "confusion_counts": {"n_classes": "counted or None"},
}  # fmt: skip
TAKEN = {
    "DataLoader": (ROWS, TARGETS), "train_test_split": (ROWS, TARGETS), "block_split": (ROWS, TARGETS),
    "train_valid_test_split": (np.arange(12.0), [0] * 6 + [1] * 6), "confusion_counts": ([0, 1], [1, 0]),
}  # fmt: skip
DOORS = [(name, argument, law) for table in (MAKERS, USERS) for name, laws in table.items()
         for argument, law in laws.items() if law != "other"]  # fmt: skip


def test_nothing_in_the_data_is_left_out():
    functions = {n for n in data.__all__ if n not in ("Digits", "Standardizer")}
    assert set(MAKERS) | set(USERS) == functions
    for name, laws in {**MAKERS, **USERS}.items():
        arguments = list(inspect.signature(getattr(data, name)).parameters)
        assert list(laws) == arguments[len(TAKEN.get(name, ())) :], name


@pytest.mark.parametrize(("name", "argument", "law"), DOORS)
def test_an_argument_is_taken_or_refused_by_name(name, argument, law):
    def act(value):
        # Two classes of two rows each: every share between 0 and 1 leaves one row of each class on both sides.
        more = {"stratify": {"test_fraction": 0.5}, "drop_last": {"batch_size": 2}}.get(argument, {})
        getattr(data, name)(*TAKEN.get(name, ()), **more, **{argument: value})

    assert column(act, f"{name}: {argument}") == LAWS[law]


@pytest.mark.parametrize("split", ["random", "blocks"])
def test_the_digits_check_what_they_do_not_need_too(split):
    """A wrong rng is a wrong call also where nothing is drawn, and the message names the function that was called."""
    for argument, law in (("test_fraction", "fraction"), ("rng", "generator")):

        def act(value, argument=argument):
            assert len(load_digits(split=split, **{argument: value}).X_test) >= 1

        assert column(act, f"load_digits: {argument}") == LAWS[law]


def test_another_split_of_the_digits_is_refused():
    def act(value):
        load_digits(split=value)

    assert set(column(act, "load_digits: split")) == {"Do"}
    for split in ("Random", "", ["random"], np.array(["random", "blocks"])):
        assert outcome(lambda split=split: load_digits(split=split), "split is ", "Expected 'random'") == "Do"


SEEDED = [name for name, laws in {**MAKERS, **USERS}.items() if "rng" in laws]


@pytest.mark.parametrize("name", SEEDED)
def test_what_is_neither_a_seed_nor_a_new_generator_of_numpys_is_refused(name):
    call = getattr(data, name)
    for rng in (np.random.RandomState(0), np.random, np.random.PCG64(0), np.random.default_rng, np.bool_(True)):
        said = f"{name}: rng is of type {type(rng).__name__}. Expected a whole-number seed or a NumPy generator. Try"
        assert outcome(lambda rng=rng: call(*TAKEN.get(name, ()), rng=rng), said) == "Da"
    for rng in (10**30, np.int64(3), np.random.default_rng(0), np.random.Generator(np.random.MT19937(0))):
        assert outcome(lambda rng=rng: call(*TAKEN.get(name, ()), rng=rng)) == "."


SIZES = [(name, argument) for name, laws in MAKERS.items() for argument in ("n", "n_words", "length")
         if argument in laws]  # fmt: skip


@pytest.mark.parametrize(("name", "argument"), SIZES)
def test_more_than_the_memory_holds_is_refused_before_anything_is_made(name, argument):
    for size in (10**9, 10**12, 10**18, 10**30, 10**400, 10**5000):
        said = [f"{name}: {argument} is more than ", "Expected at most that", f"Try {argument}=1000."]
        assert outcome(lambda size=size: getattr(data, name)(**{argument: size}), *said) == "Do"


def test_the_limit_counts_the_numbers_and_not_the_rows():
    assert outcome(lambda: data.make_moons(60_000_000), "make_moons: n is more than 50,000,000") == "Do"
    assert outcome(lambda: data.sparse_text(3_000_000, 100), "sparse_text: n is more than 1,000,000") == "Do"
    assert outcome(lambda: confusion_counts([0], [0], 10_001), "n_classes is more than 10,000") == "Do"
    assert outcome(lambda: confusion_counts([10**6], [0]), "n_classes is more than 10,000") == "Do"
    assert outcome(lambda: DataLoader(ROWS, TARGETS, 10**400)) == "."
    assert len(DataLoader(ROWS, TARGETS, 10**400)) == 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_smallest_numbers_are_taken_or_refused(n):
    for name in ("make_line", "make_polynomial"):
        assert len(getattr(data, name)(n)[0]) == n
    for name in ("make_moons", "make_circles", "make_spirals", "sparse_text"):
        found = outcome(lambda name=name: getattr(data, name)(n), *([f"{name}: n is 1."] if n == 1 else []))
        assert found == ("Do" if n == 1 else ".")


@pytest.mark.parametrize(
    ("coefficients", "wanted", "said"),
    [
        (None, "Da", "coefficients is None"), ("ab", "Da", "coefficients is 'ab'"), (1.0, "Da", "coefficients is 1.0"),
        ({1.0}, "Da", "coefficients is {1.0}"), (np.array(1.0), "Da", "coefficients is array(1.)"),
        (["a"], "Da", "a coefficient is 'a'"), ([[1.0]], "Da", "a coefficient is [1.0]"),
        (np.ones((2, 2)), "Da", "a coefficient is array"), ([1j], "Da", "a coefficient is 1j"),
        ([True], "Da", "a coefficient is True"), ([None], "Da", "a coefficient is None"),
        ([1.0, math.nan], "Do", "a coefficient is nan"), ([math.inf], "Do", "a coefficient is inf"),
        (([1.0], [2.0, 3.0]), "Da", "a coefficient is [1.0]"),
        ([], ".", ""), ([1, 2], ".", ""), (np.array([1.0, 2.0]), ".", ""), (np.array([1], np.float32), ".", ""),
    ],
)  # fmt: skip
def test_coefficients_are_taken_or_refused(coefficients, wanted, said):
    assert outcome(lambda: data.make_polynomial(5, coefficients), said) == wanted
    if wanted == ".":
        X, y = data.make_polynomial(5, coefficients, noise=0.0)
        exact = sum((c * X**k for k, c in enumerate(coefficients)), np.zeros_like(X))
        np.testing.assert_allclose(y, exact, rtol=1e-12)


# ---------------------------------------------------------------- arrays

ARRAYS = {
    "three axes": np.arange(16.0).reshape(4, 2, 2),
    "wrong length": np.ones((7, 2)),
    "one axis": np.array([0.0, 1.0, 0.0, 1.0]),
    "one column": np.array([[0.0], [1.0], [0.0], [1.0]]),
    "no rows": np.ones((0, 2)),
    "no columns": np.ones((4, 0)),
    "nan": np.full((4, 2), math.nan),
    "inf": np.full((4, 2), math.inf),
    "int": np.array([[0, 1]] * 4),
    "bool": np.array([[False, True]] * 4),
    **NO_NUMBERS,
    "a dict": {"a": 1},
    "huge": [10**400] * 4,
    "tensor": tensor(ROWS),
}


def whole(values, found):
    """The answer is what was given, row for row."""
    np.testing.assert_array_equal(found, np.asarray(values))


def loaded(X, y):
    ((rows, targets),) = list(DataLoader(X, y, shuffle=False))
    whole(X, rows)
    whole(y, targets)


def parted(X, y, **more):
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_fraction=0.5, **more)
    order = np.random.default_rng(0).permutation(4)
    if not more and np.ndim(y) == 1 and np.asarray(y).dtype.kind in "biu":
        return
    if not more:
        whole(np.asarray(X)[order], np.concatenate([X_test, X_train]))
        whole(np.asarray(y)[order], np.concatenate([y_test, y_train]))


def scaled(method, values):
    scaler = Standardizer().fit(ROWS)
    found, x = getattr(scaler, method)(values), np.asarray(values)
    whole((x - scaler.mean) / scaler.scale if method == "transform" else x * scaler.scale + scaler.mean, found)


TAKERS = {
    "loader X": (lambda v: loaded(v, TARGETS), "DataLoader: X"),
    "loader y": (lambda v: loaded(ROWS, v), "y "),
    "split X": (lambda v: parted(v, np.arange(4.0)), "train_test_split: X"),
    "split y": (lambda v: parted(ROWS, v), "y "),
    "split by class": (lambda v: parted(ROWS, v, stratify=True), "y "),
    "measure": (lambda v: Standardizer().fit(v), "Standardizer.fit: X"),
    "scale": (lambda v: scaled("transform", v), "Standardizer.transform: X"),
    "scale back": (lambda v: scaled("inverse_transform", v), "Standardizer.inverse_transform: X"),
    "truth": (lambda v: confusion_counts(v, [0, 1, 0, 1]), "confusion_counts: truth "),
    "prediction": (lambda v: confusion_counts([0, 1, 0, 1], v), "prediction "),
}
# One column for each of ARRAYS. NaN and infinity are missing values, which a loader and a split hand on; they have no
# mean. An array without columns still has rows.
TABLE = rows_of("""
loader X        .  Sh .  .  Sh .  .  .  .  .  Da Da Da Da Da Sh Da Da Da .
loader y        .  Sh .  .  Sh .  .  .  .  .  Da Da Da Da Da Sh Da Da Da .
split X         .  Sh .  .  Sh .  .  .  .  .  Da Da Da Da Da Sh Da Da Da .
split y         .  Sh .  .  Sh .  .  .  .  .  Da Da Da Da Da Sh Da Da Da .
split by class  Sh Sh .  Sh Sh Sh Sh Sh Sh Sh Da Da Da Da Da Sh Da Da Da Sh
measure         Sh .  Sh .  Sh Sh Do Do .  .  Da Da Da Da Da Sh Da Da Da .
scale           Sh .  Sh Sh Sh Sh .  .  .  .  Da Da Da Da Da Sh Da Da Da .
scale back      Sh .  Sh Sh Sh Sh .  .  .  .  Da Da Da Da Da Sh Da Da Da .
truth           Sh Sh .  Sh Sh Sh Sh Sh Sh Sh Da Da Da Da Da Sh Da Da Da Sh
prediction      Sh Sh .  Sh Sh Sh Sh Sh Sh Sh Da Da Da Da Da Sh Da Da Da Sh
""")


@pytest.mark.parametrize("door", TAKERS)
def test_an_array_is_taken_as_it_is_or_refused_by_name(door):
    take, said = TAKERS[door]
    cells = []
    for kind, values in ARRAYS.items():
        wanted = TABLE[door][len(cells)]
        cells.append(f"{kind}: {found}" if (found := outcome(lambda v=values: take(v), said)) != wanted else found)
    assert cells == TABLE[door]
    assert {len(row) for row in TABLE.values()} == {len(ARRAYS)}
    assert list(TABLE) == list(TAKERS)


@pytest.mark.parametrize(
    ("labels", "wanted", "said"),
    [
        ([0, -1], "Do", "the label -1 occurs"), ([0, 2], "Do", "the label 2 occurs"), ([0, 0.5], "Da", "holds 0.5"),
        ([0, math.nan], "Da", "holds nan"), ([0, math.inf], "Da", "holds inf"), ([0, 1e300], "Do", "n_classes is 2"),
        (np.array([0, 2**63 + 1], np.uint64), "Do", "n_classes is 2"), ([True, False], ".", ""), ([0.0, 1.0], ".", ""),
    ],
)  # fmt: skip
def test_labels_are_taken_or_refused(labels, wanted, said):
    for pair in ((labels, [0, 1]), ([0, 1], labels)):
        assert outcome(lambda pair=pair: confusion_counts(*pair, 2), "confusion_counts: ", said) == wanted


@pytest.mark.parametrize("take", [DataLoader, train_test_split])
def test_no_rows_at_all_are_refused(take):
    for X, y in (([], []), (np.ones((0, 2)), np.ones(0))):
        said = f"{take.__name__}: X and y have no rows. Expected at least one"
        assert outcome(lambda X=X, y=y: take(X, y), said) == "Sh"


def test_a_class_of_one_row_and_a_table_before_fit_are_refused():
    assert outcome(lambda: train_test_split(ROWS, [0, 0, 0, 1]), "the class 1 has 1 row", "Use stratify=False") == "Do"
    assert outcome(lambda: train_test_split(ROWS[:1], [0]), "train_test_split: there is 1 row") == "Sh"
    for method in ("transform", "inverse_transform"):
        call = getattr(Standardizer(), method)
        assert outcome(lambda call=call: call(ROWS), f"Standardizer.{method}: no mean and scale yet") == "Do"
    assert (
        outcome(lambda: DataLoader(ROWS, TARGETS, 5, drop_last=True), "batch_size is 5", "Try drop_last=False") == "Do"
    )


@pytest.mark.parametrize("state", [None, "state", [], {}, {"given": 0}], ids=repr)
def test_a_state_of_something_else_is_refused_by_a_loader(state):
    said = "DataLoader.load_state_dict: the saved state does not fit. Expected {"
    assert outcome(lambda: DataLoader(ROWS, TARGETS).load_state_dict(state), said) == "Da"
