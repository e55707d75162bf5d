"""Bad input at every argument of `fit`: an answer, or an error in our own words before anything is learned."""

import inspect
import math

import numpy as np
import pytest

from bplib import losses, nn, optim, tensor
from bplib.data import DataLoader, load_digits
from bplib.errors import DomainError
from bplib.training import Checkpoint, History, accuracy, fit
from tests.contract.refusals import LAWS, NO_NUMBERS, column, outcome, refusal, rows_of

X, Y = np.arange(8.0).reshape(4, 2) / 8, np.array([[0.0], [1.0], [0.0], [1.0]])


class Attempt:
    """One call of `fit` in which one argument differs; afterwards, whether the network has learned anything."""

    def __init__(self, **changed):
        self.model = nn.Linear(2, 1, rng=0)
        self.before = self.model.theta.copy()
        usual = {"model": self.model, "loss": losses.mse, "optimizer": optim.SGD(self.model.parameters(), lr=0.1),
                 "train_data": (X, Y), "epochs": 1, "progress": False}  # fmt: skip
        self.arguments = {**usual, **changed}
        self.history = None

    def __call__(self):
        self.history = fit(**self.arguments)
        assert isinstance(self.history, History)

    def outcome(self, *said):
        found = outcome(self, *said)
        learned = bool((self.model.theta != self.before).any())
        return found if found == "." or not learned else f"{found}, but the network has learned from something before"


def test_no_argument_is_left_out():
    tables = {name for name, *_ in WRONG} | set(SETTINGS) | {"train_data", "valid_data"}
    # Whether a bar is shown is asked of the truth of any value, as `if` does.
    assert tables == set(inspect.signature(fit).parameters) - {"progress"}


# ---------------------------------------------------------------- numbers

SETTINGS = {"epochs": "counted", "batch_size": "counted", "accumulate": "counted", "rng": "generator"}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_taken_or_refused_by_name(setting):
    made = []

    def act(value):
        made.append(Attempt(**{setting: value}))
        made[-1]()

    cells = column(act, f"fit: {setting}")
    assert cells == LAWS[SETTINGS[setting]]
    learned = [bool((attempt.model.theta != attempt.before).any()) for attempt in made]
    assert learned == [cell == "." for cell in cells]


def test_more_examples_in_a_batch_than_there_are_is_one_batch():
    for setting in ("batch_size", "accumulate"):
        for n in (5, 10**18, 10**400):
            attempt = Attempt(**{setting: n})
            assert attempt.outcome() == "."
            assert attempt.history.steps == 1


@pytest.mark.parametrize("rng", [np.random.RandomState(0), np.random, np.random.PCG64(0), np.random.default_rng])
def test_what_is_neither_a_seed_nor_a_new_generator_of_numpys_is_refused(rng):
    said = f"fit: rng is of type {type(rng).__name__}. Expected a whole-number seed or a NumPy generator."
    assert Attempt(rng=rng).outcome(said) == "Da"


# ---------------------------------------------------------------- things of another kind


def nothing(*arguments):
    return None


class Deaf:
    """A callback that asks for an event that does not exist."""

    events = ("epoch",)
    __call__ = nothing


def stranger():
    return optim.SGD(nn.Linear(2, 1, rng=0).parameters(), lr=0.1)


WRONG = [
    ("model", None, "model is of type NoneType. Expected a Module"),
    ("model", "net", "model is of type str"),
    ("model", 3, "model is of type int"),
    ("model", nn.Linear, "model is of type ABCMeta"),
    ("model", np.sin, "model is of type ufunc"),
    ("model", [nn.Linear(2, 1, rng=0)], "model is of type list"),
    ("model", tensor([1.0], requires_grad=True), "model is of type Tensor"),
    ("model", nn.Tanh(), "the optimizer holds no parameter of this model"),
    ("loss", None, "loss is None. Expected a function"),
    ("loss", "mse", "loss is 'mse'"),
    ("loss", 0.5, "loss is 0.5"),
    ("loss", tensor(1.0), "loss is tensor(1.)"),
    ("optimizer", None, "optimizer is None. Expected one, such as SGD"),
    ("optimizer", "sgd", "optimizer is 'sgd'"),
    ("optimizer", optim.SGD, "optimizer is <class"),
    ("optimizer", 0.1, "optimizer is 0.1"),
    ("optimizer", stranger(), "the optimizer holds no parameter of this model"),
    ("optimizer", optim.StepLR(stranger(), 3), "optimizer is StepLR(step_size=3, gamma=0.1)"),
    ("callbacks", None, "callbacks must be a list of functions. Try callbacks=[f]"),
    ("callbacks", print, "callbacks must be a list of functions"),
    ("callbacks", 3, "callbacks must be a list of functions"),
    ("callbacks", True, "callbacks must be a list of functions"),
    ("callbacks", "ab", "callbacks holds 'a'. Expected functions"),
    ("callbacks", [3], "callbacks holds 3"),
    ("callbacks", [nothing, None], "callbacks holds None"),
    ("callbacks", {"a": nothing}, "callbacks holds 'a'"),
    ("callbacks", [Deaf()], "there is no event 'epoch'. Expected one of fit_start"),
    ("metrics", None, "metrics must be a list of functions. Try metrics=[f]"),
    ("metrics", accuracy, "metrics must be a list of functions"),
    ("metrics", 3, "metrics must be a list of functions"),
    ("metrics", "accuracy", "metrics holds 'a'"),
    ("metrics", [0.5], "metrics holds 0.5"),
    ("metrics", [accuracy], "metrics are taken on valid_data, which is not there"),
    ("resume", 3, "load: path is 3. Expected a file name"),
    ("resume", "", "load: path is ''"),
    ("resume", True, "load: path is True"),
    ("resume", [], "load: path is []"),
    ("resume", "a file that is not there.npz", "a file that is not there.npz is not there. Expected a file"),
]


@pytest.mark.parametrize(("argument", "value", "said"), WRONG, ids=[f"{name}-{said}" for name, _, said in WRONG])
def test_what_is_of_another_kind_is_refused_before_anything_is_learned(argument, value, said):
    who = "load: " if argument == "resume" else "fit: "
    assert Attempt(**{argument: value}).outcome(who, said) == "Da"


@pytest.mark.parametrize(
    ("loss", "wanted", "said"),
    [
        (lambda p, t: p - t, "Sh", "backward: the tensor has shape (4, 1). Expected a single number"),
        (lambda p, t: losses.mse(p, t, reduction="none"), "Sh", "backward: the tensor has shape (4, 1)"),
        (lambda p, t: tensor(1.0), "Gr", "backward: nothing in this graph asks for a gradient. Expected"),
        (lambda p, t: losses.mse(p.detach(), t), "Gr", "backward: nothing in this graph asks for a gradient"),
    ],
    ids=["a column", "not reduced", "a constant", "detached"],
)
def test_a_loss_that_gives_no_number_with_a_past_is_refused_before_the_update(loss, wanted, said):
    assert Attempt(loss=loss).outcome(said)[:2] == wanted


# ---------------------------------------------------------------- data

NO_PAIR = {
    "None": None,
    "text": "ab",
    "bytes": b"ab",
    "X only": X,
    "three": (X, Y, Y),
    "nothing": (),
    "a dict": {"X": X, "y": Y},
    "a set": {1, 2},
    "a loader": DataLoader(X, Y),
    "the digits, all four": load_digits(),
    "one array of two": np.ones((2, 4, 2)),
    "a number": 3,
}


@pytest.mark.parametrize("argument", ["train_data", "valid_data"])
@pytest.mark.parametrize("kind", NO_PAIR)
def test_data_that_is_no_pair_is_refused(argument, kind):
    attempt = Attempt(**{argument: NO_PAIR[kind]})
    if (argument, kind) == ("valid_data", "None"):
        assert attempt.outcome() == "."  # there is none
        assert "valid_loss" not in attempt.history
    else:
        said = f"fit: {argument} is a {type(NO_PAIR[kind]).__name__}. Expected a pair (X, y). Try"
        assert attempt.outcome(said) == "Da"


ARRAYS = {
    "three axes": np.ones((4, 2, 2)),
    "one axis": np.ones(4),
    "wrong length": np.ones((7, 2)),
    "one column": np.ones((4, 1)),
    "too wide": np.ones((4, 3)),
    "no rows": np.ones((0, 2)),
    "no columns": np.ones((4, 0)),
    "nan": np.full((4, 2), math.nan),
    "inf": np.full((4, 2), math.inf),
    "int": np.ones((4, 2), int),
    "bool": np.ones((4, 2), bool),
    **NO_NUMBERS,
    "huge": [[10**400, 1]] * 4,
    "tensor": tensor(X),
}
# A target is one column: where the kind matters and not the shape, it is cut to that.
KEPT = ("three axes", "one axis", "wrong length", "too wide", "no rows", "no columns", "text", "ragged", "None",
        "a number", "dates")  # fmt: skip
TABLE = rows_of("""
train_data X  Sh Sh Sh Sh Sh Sh Sh .  .  .  .  Da Da Da Da Da Sh Da Da .
train_data y  Sh Sh Sh .  Sh Sh Sh .  .  .  .  Da Da Da Da Da Sh Da Da .
valid_data X  Sh Sh Sh Sh Sh Sh Sh .  .  .  .  Da Da Da Da Da Sh Da Da .
valid_data y  Sh Sh Sh .  Sh Sh Sh .  .  .  .  Da Da Da Da Da Sh Da Da .
""")
# What the first layer or the loss says, which meet the rows at work; all else is said by `fit`.
FOUND = "This was found on valid_data, before the first step."
BY_OTHERS = ("three axes", "one axis", "one column", "too wide", "no columns")


def given(place, kind):
    values = ARRAYS[kind]
    if place == "X":
        return values, Y
    if kind not in KEPT:
        values = tensor(Y) if kind == "tensor" else [row[:1] for row in values] if kind == "huge" else values[:, :1]
    return X, values


@pytest.mark.parametrize("line", TABLE)
@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_is_taken_or_refused_by_name(line, kind):
    argument, place = line.split()
    attempt = Attempt(**{argument: given(place, kind)})
    wanted = TABLE[line][list(ARRAYS).index(kind)]
    if wanted != "." and kind in BY_OTHERS:
        said = ["linear: shapes "] if place == "X" and kind != "three axes" else ["mse: prediction has shape "]
        said += [FOUND, f"A row of its {place} has shape "] if argument == "valid_data" else []
    else:
        said = [f"fit: {argument}: ", f"{place} "] if wanted != "." else []
    assert attempt.outcome(*said) == wanted
    assert len(ARRAYS) == len(TABLE[line])


@pytest.mark.parametrize("bad", ["nan", "inf"])
@pytest.mark.parametrize("place", ["X", "y"])
def test_missing_numbers_end_the_training_with_a_word_and_are_only_shown_in_the_validation(bad, place):
    attempt = Attempt(train_data=given(place, bad), epochs=5)
    attempt()
    assert attempt.history.stopped.startswith("Stopped after epoch 1: the loss is ")
    assert len(attempt.history["epoch"]) == 1
    attempt = Attempt(valid_data=given(place, bad), epochs=3)
    attempt()
    assert attempt.history.stopped == ""
    assert not np.isfinite(attempt.history["valid_loss"]).any()
    assert np.isfinite(attempt.history["train_loss"]).all()


@pytest.mark.parametrize("argument", ["train_data", "valid_data"])
def test_no_rows_at_all_are_refused(argument):
    said = f"fit: {argument}: X and y have no rows. Expected at least one"
    assert Attempt(**{argument: (X[:0], Y[:0])}).outcome(said) == "Sh"


def test_targets_in_a_row_beside_predictions_in_a_column_are_never_stretched():
    """The classical silent mistake: (4, 1) beside (4,) is a table of 16 differences for NumPy."""
    said = ["mse: prediction has shape (4, 1), target has shape (4,)", "(4, 4)"]
    assert Attempt(train_data=(X, Y.ravel())).outcome(*said) == "Sh"


LABELS, SHARES = np.array([0, 1, 0, 1]), np.eye(2)[[0, 1, 0, 1]]


def classifying(**changed):
    """An attempt with a network whose every layer behaves in its own way when it is only looked at."""
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.BatchNorm1d(2), nn.Dropout(0.5, rng=0))
    usual = {"model": model, "loss": losses.cross_entropy, "train_data": (X, LABELS)}
    attempt = Attempt(**{**usual, "optimizer": optim.SGD(model.parameters(), lr=0.1), **changed})
    attempt.model, attempt.before = model, model.theta.copy()
    return attempt


@pytest.mark.parametrize(
    ("valid", "metrics", "wanted", "said"),
    [
        ((X[:3, :1], LABELS[:3]), [], "Sh", ["linear: ", "A row of its X has shape (1,), in train_data (2,)."]),
        ((X[:, :, None], LABELS), [], "Sh", ["A row of its X has shape (2, 1), in train_data (2,)."]),
        ((X, LABELS[:, None]), [], "Sh", ["cross_entropy: ", "A row of its y has shape (1,), in train_data ()."]),
        ((X, [0, 1, 0, 2]), [], "Do", ["cross_entropy: "]),
        ((X, [0.0, 1.0, 0.5, 1.0]), [], "Da", ["cross_entropy: "]),
        ((X, SHARES), [accuracy], "Sh", ["accuracy: ", "A row of its y has shape (2,), in train_data ()."]),
        ((X, LABELS), [lambda model, x, y: [0.5]], "Da", ["fit: the metric <lambda> gave a list"]),
    ],
    ids=["columns", "axes of X", "axes of y", "a class too many", "halves of a class", "metric", "a metric of a list"],
)
def test_what_cannot_be_judged_is_found_before_an_epoch_of_work_is_lost(valid, metrics, wanted, said):
    attempt = classifying(valid_data=valid, metrics=metrics, epochs=3)
    assert attempt.outcome(FOUND, *said) == wanted
    assert np.array_equal(attempt.model[1].running_mean, [0.0, 0.0])


def test_the_shapes_are_named_only_where_they_differ():
    assert refusal(DomainError, classifying(valid_data=(X, [0, 1, 0, 2]))).endswith(FOUND)


def test_rows_of_another_shape_are_taken_where_network_and_loss_can_judge_them():
    assert classifying(valid_data=(X, SHARES)).outcome() == "."
    assert classifying(train_data=(X, SHARES), valid_data=(X, LABELS)).outcome() == "."


def test_validation_that_is_refused_leaves_the_run_that_was_to_go_on_as_it_is(tmp_path):
    first = classifying(callbacks=[Checkpoint(tmp_path / "run")])
    first()
    later = classifying(resume=tmp_path / "run", valid_data=(X[:, :1], LABELS), epochs=2)
    assert later.outcome(FOUND) == "Sh"


@pytest.mark.parametrize("loss", [lambda p, t: 1.0, lambda p, t: None, lambda p, t: float(p.sum())])
def test_a_loss_that_is_no_tensor_is_no_fault_of_the_validation(loss):
    assert Attempt(loss=loss).outcome("fit: the loss gave a ", "and Backward has no way through it.") == "Da"
    assert Attempt(loss=loss, valid_data=(X, Y)).outcome("fit: the loss gave a ", "and Backward has no way") == "Da"


def test_a_refused_call_leaves_no_generator_moved_and_no_gradient_behind():
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    for changed in ({"epochs": 0}, {"batch_size": "3"}, {"train_data": (X, Y[:3])}, {"callbacks": None}, {"loss": "x"},
                    {"valid_data": (X, Y[:3])}, {"valid_data": (X[:, :1], Y)}):  # fmt: skip
        attempt = Attempt(rng=rng, **changed)
        assert attempt.outcome() in ("Da", "Do", "Sh")
        assert rng.bit_generator.state == state
        assert all(p.grad is None for p in attempt.model.parameters())
