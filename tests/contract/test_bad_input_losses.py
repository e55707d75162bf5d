"""Bad input at every door of the losses: a documented answer, or an error in our own words."""

import inspect

import numpy as np
import pytest

from bplib import losses, tensor
from bplib.losses.agreement import as_named
from tests.contract.loss_rows import KINDS, LABELS, LOSSES, ONE_HOT
from tests.contract.refusals import LAWS, NO_NUMBERS, VALUES, answer, column, outcome, rows_of

INPUTS = {
    "wrong rank": np.ones((4, 3, 2)),
    "wrong length": np.ones((5, 3)),
    "stretches": np.ones((4, 1)),
    "empty": np.ones((0, 3)),
    "nan": np.full((4, 3), np.nan),
    "inf": np.full((4, 3), np.inf),
    "int": ONE_HOT.astype(int),
    "bool": ONE_HOT.astype(bool),
    "complex": np.ones((4, 3)) * 1j,
    "objects": np.array([[None, {}, 3]] * 4, dtype=object),
    "text": "abc",
    "ragged": [[1.0], [1.0, 2.0]],
    "None": None,
    "labels outside": np.array([0, 1, 2, 3]),
    "labels as floats": LABELS.astype(float),
    "one-hot": ONE_HOT,
}
# One column for each of INPUTS: the first letters of the error, or what the answer is: a point for a finite number, na
# for NaN, oo for infinity. 0 and 1 are numbers that a regression takes, and probabilities, where a wrong answer that
# was sure costs infinity; as logarithms of probabilities they are too large. Scores of shape (4, 3, 2) want labels of
# shape (4, 3), and distributions of that shape are no labels.
PREDICTIONS = rows_of("""
mse                               Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
mae                               Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
huber                             Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
binary_cross_entropy              Sh Sh Sh Sh na Do oo oo Da Da Da Da Da Sh Sh oo
binary_cross_entropy_with_logits  Sh Sh Sh Sh na na .  .  Da Da Da Da Da Sh Sh .
hinge                             Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
cross_entropy                     Sh Sh Do Sh na na .  .  Da Da Da Da Da Do Do .
cross_entropy, probabilities      Da Sh Sh Sh na na .  .  Da Da Da Da Da Sh Sh .
nll                               Sh Sh Do Sh na Do Do Do Da Da Da Da Da Do Do Do
nll, probabilities                Da Sh Sh Sh na Do Do Do Da Da Da Da Da Sh Sh Do
kl_divergence                     Sh Sh Sh Sh na Do oo oo Da Da Da Da Da Sh Sh oo
""")
TARGETS = rows_of("""
mse                               Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
mae                               Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
huber                             Sh Sh Sh Sh na oo .  .  Da Da Da Da Da Sh Sh .
binary_cross_entropy              Sh Sh Sh Sh na Do .  .  Da Da Da Da Da Sh Sh .
binary_cross_entropy_with_logits  Sh Sh Sh Sh na Do .  .  Da Da Da Da Da Sh Sh .
hinge                             Sh Sh Sh Sh Do Do Do Do Da Da Da Da Da Sh Sh Do
cross_entropy                     Sh Sh Sh Sh Do Do .  .  Da Da Da Da Da Do Da .
nll                               Sh Sh Sh Sh Do Do .  .  Da Da Da Da Da Do Da .
kl_divergence                     Sh Sh Sh Sh Do Do .  .  Da Da Da Da Da Sh Sh .
""")
SAYS = {"cross_entropy": "logits", "nll": "log_probability"}
NUMBERLESS = ("complex", "objects", "text", "ragged", "None")


def words(name: str, argument: str, kind: str) -> list[str]:
    """What a refusal says: the loss, and which of the two is no array of numbers or which shape it has."""
    if kind in NUMBERLESS:
        return [f"{name}: {argument} "]
    return [f"{name}: "]


def test_no_loss_and_no_input_is_left_out():
    assert {LOSSES[row].call.__name__ for row in PREDICTIONS} == set(TARGETS) == set(losses.__all__)
    assert {len(cells) for cells in (*PREDICTIONS.values(), *TARGETS.values())} == {len(INPUTS)} == {16}


@pytest.mark.parametrize("row", PREDICTIONS)
def test_a_prediction_is_answered_or_refused_in_words_that_name_the_loss(row):
    loss = LOSSES[row]
    name = loss.call.__name__
    cells = []
    for kind, x in INPUTS.items():
        wanted = PREDICTIONS[row][len(cells)]
        said = words(name, SAYS.get(name, "prediction"), kind) if wanted[0] in "DS" else []
        cells.append(answer(lambda x=x: loss(x, loss.target), *said))
    assert cells == PREDICTIONS[row]


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_answered_or_refused_in_words_that_name_the_loss(name):
    loss = KINDS[name]
    cells = []
    for kind, y in INPUTS.items():
        wanted = TARGETS[name][len(cells)]
        said = words(name, "target", kind) if wanted[0] in "DS" else []
        cells.append(answer(lambda y=y: loss(loss.prediction, y), *said))
    assert cells == TARGETS[name]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kind", [kind for kind in INPUTS if kind not in NUMBERLESS])
def test_a_tensor_is_answered_and_refused_as_an_array_is(name, kind):
    loss, x = KINDS[name], INPUTS[kind]

    def said(act):
        try:
            return repr(act())
        except (ValueError, TypeError) as error:
            return str(error)

    assert said(lambda: loss(tensor(x), loss.target)) == said(lambda: loss(x, loss.target))
    if x.dtype.kind == "f":  # a tensor holds floats, which are no labels
        assert said(lambda: loss(loss.prediction, tensor(x))) == said(lambda: loss(loss.prediction, x))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kind", [kind for kind in NO_NUMBERS if kind != "a number"])
def test_what_holds_no_numbers_is_refused_by_name_on_either_side(name, kind):
    loss, what = KINDS[name], SAYS.get(name, "prediction")
    assert outcome(lambda: loss(NO_NUMBERS[kind], loss.target), f"{name}: {what} ") == "Da"
    assert outcome(lambda: loss(loss.prediction, NO_NUMBERS[kind]), f"{name}: target ") == "Da"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4, 1)), ((1, 4), (4, 1)), ((4, 3), (3,)), ((), (3,))])
def test_two_shapes_that_numpy_would_stretch_are_refused_with_both_named(name, shapes):
    """One class for each example, or one distribution, is what some of these shapes mean for a loss of classes."""
    left, right = (np.full(shape, 1.0) for shape in shapes)
    if name in SAYS:
        left, right = -left, right.astype(int)
        wanted = {((4, 1), (4,)): "Do"}.get(shapes, "Sh")
    else:
        wanted = "Sh"
    said = ["class 1", "have 1 classes"] if wanted == "Do" else [str(shapes[0])]
    said += [str(shapes[1])] if wanted == "Sh" and shapes[0] else []
    assert outcome(lambda: KINDS[name].call(left, right), f"{name}: ", *said) == wanted


# ---------------------------------------------------------------- labels

LABELINGS = [
    ("one too large", [0, 1, 2, 3], "Do", "class 3"),
    ("one below 0", [0, -1, 2, 1], "Do", "class -1"),
    ("far too large", np.array([0, 1, 2, 2**64 - 1], np.uint64), "Do", "class 18446744073709551615"),
    ("counted from 1", [1, 2, 3, 1], "Do", "class 3"),
    ("floats", [0.0, 1.0, 2.0, 1.0], "Da", "Try target.astype(int)"),
    ("NaN among them", [0.0, np.nan, 2.0, 1.0], "Da", "target holds float64"),
    ("truth values", [True, False, True, True], "Da", "target holds bool"),
    ("a column", [[0], [1], [2], [1]], "Sh", "Try target.ravel()"),
    ("one for all", 1, "Sh", "shape ()"),
    ("too few", [0, 1, 2], "Sh", "shape (3,)"),
    ("one-hot of other classes", np.eye(4), "Sh", "shape (4, 4)"),
    ("one-hot across", np.eye(3, 4), "Sh", "shape (3, 4)"),
    ("words", ["cat", "dog", "cow", "dog"], "Da", "target holds text"),
    ("rows that do not add up", np.full((4, 3), 0.5), "Do", "add up to 1.5"),
    ("rows below 0", np.array([[1.5, -0.5, 0.0]] * 4), "Do", "smallest number is -0.5"),
]


@pytest.mark.parametrize("name", SAYS)
@pytest.mark.parametrize(("labels", "wanted", "said"), [row[1:] for row in LABELINGS], ids=[r[0] for r in LABELINGS])
def test_labels_that_are_none_are_refused_with_what_is_wrong(name, labels, wanted, said):
    assert outcome(lambda: KINDS[name](KINDS[name].prediction, labels), f"{name}: ", said, "xpected") == wanted


@pytest.mark.parametrize("name", SAYS)
@pytest.mark.parametrize("kind", "bBhHiIlLqQ")
def test_labels_of_every_type_of_whole_number_are_taken(name, kind):
    loss = KINDS[name]
    wanted = loss(loss.prediction, LABELS, reduction="none").data
    for order in "<>":  # of the bytes in memory
        labels = LABELS.astype(np.dtype(kind).newbyteorder(order))
        assert (loss(loss.prediction, labels, reduction="none").data == wanted).all()
    many = np.arange(300) % 100  # the place of a label in the flat array lies beyond a small type
    wide = -np.ones((300, 100))
    assert float(loss.call(wide, many.astype(kind))) == float(loss.call(wide, many))


# ---------------------------------------------------------------- settings


def test_no_setting_is_left_out():
    settings = {name: list(inspect.signature(row.call).parameters)[2:] for name, row in KINDS.items()}
    assert settings == {name: [*["delta"] * (name == "huber"), "reduction"] for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_a_reduction_is_one_of_three_words(name):
    loss = KINDS[name]
    act = column(lambda value: loss(loss.prediction, loss.target, reduction=value), f"{name}: reduction")
    assert act == LAWS["word"]
    for word in ("Mean", "mean ", "", "batchmean", b"mean"):
        said = f'{name}: reduction is {word!r}. Expected "mean", "sum" or "none"'
        assert outcome(lambda word=word: loss(loss.prediction, loss.target, reduction=word), said) == "Do"
    assert outcome(lambda: loss(loss.prediction, loss.target, reduction=np.str_("sum"))) == "."


def test_the_delta_of_huber_is_a_number_above_zero():
    loss = KINDS["huber"]
    assert column(lambda value: loss(loss.prediction, loss.target, delta=value), "huber: delta") == LAWS["above 0"]
    assert outcome(lambda: loss(loss.prediction, loss.target, delta=10**400), "huber: delta is inf") == "Do"


@pytest.mark.parametrize("name", KINDS)
def test_a_single_value_of_any_kind_is_answered_or_refused(name):
    """The sixteen values that a setting may be tried with, as prediction and as target."""
    loss = KINDS[name]
    for value in VALUES.values():
        for act in (lambda value=value: loss(value, loss.target), lambda value=value: loss(loss.prediction, value)):
            assert outcome(act, f"{name}: ") in ("Da", "Do", "Sh")


def test_what_a_list_of_learning_tensors_would_forget_is_said():
    learners = [tensor(0.5, requires_grad=True)] * 2
    for name in ("mse", "mae", "huber"):
        said = f"{name}: prediction is a list that holds a tensor which asks", "Try bplib.stack(prediction)"
        assert outcome(lambda name=name: KINDS[name].call(learners, [0.0, 1.0]), *said) == "Da"
    assert as_named("mse", "target", [1, 2]).dtype == np.float64
