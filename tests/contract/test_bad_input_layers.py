"""Bad input at every door of the layers: settings, forward passes, states; an answer, or an error in our own words."""

import functools
import inspect

import numpy as np
import pytest

from bplib import nn, tensor
from bplib.nn.inputs import as_axis_number, as_input, as_sizes
from tests.contract.layer_rows import KINDS, LAYERS
from tests.contract.refusals import LAWS, NO_NUMBERS, VALUES, answer, column, outcome, rows_of


def inputs_for(x):
    """The sixteen inputs, in the shape that the layer wants where that is not what is wrong with them."""
    n, first, *rest = x.shape
    return {
        "wrong rank": np.ones((2, 3, 4, 5, 6)),
        "wrong length": np.ones((n, 7, *rest)),
        "stretches": np.ones((n, 1, *rest)),
        "empty": np.ones((0, first, *rest)),
        "nan": np.full(x.shape, np.nan),
        "inf": np.full(x.shape, np.inf),
        "int": np.ones(x.shape, int),
        "bool": np.ones(x.shape, bool),
        "complex": np.ones(x.shape) * 1j,
        "objects": np.full(x.shape, None, dtype=object),
        "text": "abc",
        "ragged": [[1.0], [1.0, 2.0]],
        "None": None,
        "dates": np.array(["2026-01-01"], dtype="datetime64[D]"),
        "huge integer": 10**400,
        "a dict": {"a": 1},
    }


# One column for each of the inputs: the first letters of the error, or what the answer is: a point for a finite number,
# na for NaN, oo for infinity. An activation takes every shape. ∞ times weights of
# both signs is NaN in sum, and what is nothing but ∞ has no mean that could be subtracted.
FORWARD = rows_of("""
Linear                      Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
Linear, no bias             Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
Sequential                  Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
Sequential, nothing in it   .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
Sequential, all layers      Sh Sh Sh Sh na na .  .  Da Da Da Da Da Da Da Da
Sequential, all, evaluated  Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
ReLU                        .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
LeakyReLU                   .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
LeakyReLU, slope            .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
Tanh                        .  .  .  .  na .  .  .  Da Da Da Da Da Da Da Da
Sigmoid                     .  .  .  .  na .  .  .  Da Da Da Da Da Da Da Da
Softmax                     .  .  .  .  na na .  .  Da Da Da Da Da Da Da Da
Softmax, axis               .  .  .  .  na na .  .  Da Da Da Da Da Da Da Da
Dropout                     .  .  .  .  na na .  .  Da Da Da Da Da Da Da Da
Dropout, evaluated          .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
Dropout, of nothing         .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
BatchNorm1d                 Sh Sh Sh Sh na na .  .  Da Da Da Da Da Da Da Da
BatchNorm1d, evaluated      Sh Sh Sh .  na oo .  .  Da Da Da Da Da Da Da Da
LayerNorm                   Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
LayerNorm, eps              Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
Flatten                     .  .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
Conv2d                      Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
Conv2d, sliding             Sh Sh Sh .  na na .  .  Da Da Da Da Da Da Da Da
MaxPool2d                   Sh .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
MaxPool2d, stride           Sh .  .  .  na oo .  .  Da Da Da Da Da Da Da Da
""")
# A row of layers refuses through the first of them that looks at the input.
FIRST = {"Sequential": "Linear", "Sequential, all layers": "Conv2d", "Sequential, all, evaluated": "Conv2d"}


def test_no_layer_and_no_input_is_left_out():
    assert list(FORWARD) == list(LAYERS)
    assert {len(cells) for cells in FORWARD.values()} == {16}
    assert {len(inputs_for(layer.x)) for layer in LAYERS.values()} == {16}


@pytest.mark.parametrize("row", FORWARD)
def test_an_input_is_answered_or_refused_in_words_that_name_the_layer(row):
    layer = LAYERS[row]
    who = FIRST.get(row, layer.kind.__name__)
    cells = []
    for kind, x in inputs_for(layer.x).items():
        wanted = FORWARD[row][len(cells)]
        norm = wanted == "Sh" and kind == "empty"  # an empty batch has a shape that fits, and no variance
        speaks = "BatchNorm1d" if norm else layer.speaks
        said = {"Da": [f"{who}: x "], "Sh": [f"{speaks}: ", "" if norm else str(x.shape) if wanted == "Sh" else ""]}
        cells.append(answer(lambda x=x: layer()(x), *said.get(wanted, [])))
    assert cells == FORWARD[row]


@pytest.mark.parametrize("row", FORWARD)
def test_what_holds_no_numbers_or_would_forget_a_tensor_is_refused_by_the_layer(row):
    who = FIRST.get(row, LAYERS[row].kind.__name__)
    for kind, x in NO_NUMBERS.items():
        if kind != "a number":
            assert outcome(lambda x=x: LAYERS[row]()(x), f"{who}: x ") == "Da"
    learners = [tensor([1.0, 2.0], requires_grad=True)] * 2
    said = f"{who}: x is a list that holds a tensor which asks for a gradient", "Try bplib.stack(x)"
    assert outcome(lambda: LAYERS[row]()(learners), *said) == "Da"


@pytest.mark.parametrize("row", FORWARD)
def test_a_refused_input_changes_nothing(row):
    layer = LAYERS[row]()
    before = {name: array.tobytes() for name, array in layer.state_dict().items()}
    for kind, x in inputs_for(LAYERS[row].x).items():
        if FORWARD[row][list(inputs_for(LAYERS[row].x)).index(kind)] in ("Da", "Sh"):
            assert outcome(lambda x=x: layer(x)) in ("Da", "Sh")
            assert {name: array.tobytes() for name, array in layer.state_dict().items()} == before


# ---------------------------------------------------------------- settings

DRAWN = {"rng": "generator"}
SLIDING = {"kernel_size": "counted", "stride": "counted", "padding": "counted or 0"}
SETTINGS = {
    "Linear": {"in_features": "counted", "out_features": "counted", "bias": "truth", **DRAWN},
    "LeakyReLU": {"slope": "finite"},
    "Softmax": {"axis": "whole"},
    "Dropout": {"p": "share", **DRAWN},
    "BatchNorm1d": {"num_features": "counted", "eps": "at least 0", "momentum": "share"},
    "LayerNorm": {"num_features": "counted", "eps": "at least 0"},
    "Conv2d": {"in_channels": "counted", "out_channels": "counted", **SLIDING, "bias": "truth", **DRAWN},
    "MaxPool2d": {"kernel_size": "counted", "stride": "counted or None"},
}
CASES = [(name, setting, law) for name, settings in SETTINGS.items() for setting, law in settings.items()]
NEEDED = {
    "Linear": {"in_features": 2, "out_features": 2},
    "BatchNorm1d": {"num_features": 2},
    "LayerNorm": {"num_features": 2},
    "Conv2d": {"in_channels": 1, "out_channels": 1, "kernel_size": 1},
    "MaxPool2d": {"kernel_size": 2},
}


def made(name, **settings):
    return getattr(nn, name)(**{**NEEDED.get(name, {}), **settings})


def test_no_setting_is_left_out():
    for name, row in KINDS.items():
        assert [n for n in row.names() if n != "modules"] == list(SETTINGS.get(name, [])), name


@pytest.mark.parametrize(("name", "setting", "law"), CASES)
def test_a_setting_is_taken_or_refused_by_name(name, setting, law):
    assert column(lambda value: made(name, **{setting: value}), f"{name}: {setting}") == LAWS[law]


@pytest.mark.parametrize("kind", VALUES)
def test_what_is_no_module_has_no_place_in_a_row(kind):
    value = VALUES[kind]
    said = f"Sequential: expected modules, got {type(value).__name__}. Try Sequential("
    assert outcome(lambda: nn.Sequential(value), said) == "Da"
    assert outcome(lambda: nn.Sequential(nn.Tanh(), value, nn.Tanh()), said) == "Da"


@pytest.mark.parametrize("value", [nn.Tanh, [nn.Tanh()], (nn.Tanh(), nn.ReLU()), np.tanh], ids=str)
def test_a_class_a_list_and_a_function_are_no_modules(value):
    assert outcome(lambda: nn.Sequential(value), "Sequential: expected modules, got") == "Da"


PAIRS = [
    ((3,), "Da", "is (3,). Expected a whole number, or two"), ((), "Da", "is ()"), ((1, 2, 3), "Da", "is (1, 2, 3)"),
    ((2, "x"), "Da", "is 'x'"), ((None, 2), "Da", "is None"), ((True, 2), "Da", "is True"), ([[2], 2], "Da", "is [2]"),
    ((2, 0.5), "Da", "is 0.5"), ((-1, 2), "Do", "is -1"), ((2, -1), "Do", "is -1"),
    (np.array([2, 2]), "Da", "is array"), ("22", "Da", "is '22'"), ({2: 2}, "Da", "is {2: 2}"),
    ((2, 2), ".", ""), ([2, 2], ".", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "setting"), [(n, s) for n, s, _ in CASES if s in SLIDING])
@pytest.mark.parametrize(("pair", "wanted", "said"), PAIRS, ids=[str(row[0]) for row in PAIRS])
def test_a_pair_is_two_whole_numbers(name, setting, pair, wanted, said):
    words = [] if wanted == "." else [f"{name}: {setting} {said}"]
    assert outcome(lambda: made(name, **{setting: pair}), *words) == wanted


LARGE = [
    ("Linear", {"in_features": 10**9}, "in_features"),
    ("Linear", {"out_features": 10**400}, "out_features"),
    ("Linear", {"in_features": 10**5, "out_features": 10**5}, "out_features"),
    ("BatchNorm1d", {"num_features": 10**18}, "num_features"),
    ("LayerNorm", {"num_features": 10**400}, "num_features"),
    ("Conv2d", {"in_channels": 10**9}, "in_channels"),
    ("Conv2d", {"in_channels": 10**5, "out_channels": 10**5}, "out_channels"),
    ("Conv2d", {"kernel_size": 10**9}, "kernel_size"),
    ("Conv2d", {"in_channels": 100, "out_channels": 100, "kernel_size": (101, 100)}, "kernel_size"),
]


@pytest.mark.parametrize(("name", "settings", "said"), LARGE)
def test_more_weights_than_fit_into_memory_are_refused_before_they_are_drawn(name, settings, said):
    assert outcome(lambda: made(name, **settings), f"{name}: {said} is more than ", "fit into memory") == "Do"


def test_an_axis_that_is_not_there_is_refused_when_the_input_is_known():
    for axis in (2, -3, 99, -99, 10**30):
        said = f"softmax: x has shape (2, 3) and no axis {axis}. Expected an axis from 0 to 1"
        assert outcome(lambda axis=axis: nn.Softmax(axis)(np.ones((2, 3))), said) == "Do"
    for axis in (0, 1, -1, -2, np.int8(1)):
        np.testing.assert_allclose(nn.Softmax(axis)(np.ones((2, 3))).data.sum(axis=axis), 1.0, rtol=1e-15)


def test_a_window_that_does_not_fit_is_refused_with_both_sizes():
    x = np.ones((1, 1, 3, 4))
    for size, said in ((5, "5 by 5"), ((1, 5), "1 by 5"), ((4, 1), "4 by 1")):
        for layer, who in ((nn.MaxPool2d(size), "max_pool2d"), (nn.Conv2d(1, 1, size, rng=0), "conv2d")):
            words = f"{who}: x has shape (1, 1, 3, 4): its images are 3 by 4, the window is {said}"
            assert outcome(lambda layer=layer: layer(x), words) == "Sh"


# ---------------------------------------------------------------- modes, types and states


@pytest.mark.parametrize("name", KINDS)
def test_a_mode_is_a_truth_value_and_a_type_is_a_float(name):
    for model in (KINDS[name](), nn.Sequential(KINDS[name]())):
        assert column(model.train, "train: mode") == LAWS["truth"]
        assert model.train().training
        for dtype in (*VALUES.values(), int, complex, np.float16, np.longdouble, "abc", object):
            assert outcome(functools.partial(model.astype, dtype), "astype: dtype ") == "Do"
        for dtype in (np.float32, "float32", np.dtype(np.float64), float):
            assert model.astype(dtype) is model


BROKEN = [
    ("a model", nn.Linear(3, 2, rng=0), "Da", "state is of type Linear"),
    ("None", None, "Da", "state is of type NoneType"),
    ("text", "weight", "Da", "state is of type str"), ("a list", [1.0], "Da", "state is of type list"),
    ("a number", 3, "Da", "state is of type int"), ("nothing", {}, "Da", "['bias', 'weight']"),
    ("one less", {"weight": np.ones((3, 2))}, "Da", "['bias']"), ("one more", "more", "Da", "['more']"),
    ("names of two types", {"weight": np.ones((3, 2)), 1: 2}, "Da", "['1', 'bias']"),
    ("another shape", {"weight": np.ones((2, 3)), "bias": np.ones(2)}, "Sh", "weight has shape (3, 2)"),
    ("one that stretches", {"weight": np.ones((3, 2)), "bias": np.ones(1)}, "Sh", "bias has shape (2,)"),
    ("a single number", {"weight": 1.0, "bias": 1.0}, "Sh", "weight has shape (3, 2), the saved one has ()"),
    ("words in it", {"weight": np.ones((3, 2)), "bias": ["a", "b"]}, "Da", "bias holds text"),
    ("None in it", {"weight": None, "bias": np.ones(2)}, "Da", "weight holds objects"),
    ("complex", {"weight": np.ones((3, 2)), "bias": np.ones(2) * 1j}, "Da", "bias holds complex"),
    ("ragged", {"weight": [[1.0], [1.0, 2.0]], "bias": np.ones(2)}, "Da", "weight is a list whose rows"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "wanted", "said"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_saved_state_of_something_else_is_refused_and_changes_nothing(state, wanted, said):
    model = nn.Linear(3, 2, rng=1)
    before = model.theta.copy()
    given = {**model.state_dict(), "more": 1.0} if state == "more" else state
    assert outcome(lambda: model.load_state_dict(given), "load_state_dict: ", said) == wanted
    assert (model.theta == before).all()


def test_lists_tensors_and_float32_are_taken_as_a_state():
    model = nn.Linear(3, 2, rng=1)
    for kind in (np.ndarray.tolist, tensor, np.float32):
        model.load_state_dict({name: kind(np.ones_like(array)) for name, array in model.state_dict().items()})
        assert (model.theta == 1).all()
        assert model.theta.dtype == np.float64


def test_the_helpers_of_the_layers_say_who_asks():
    assert as_input(2, "Linear").shape == ()
    assert outcome(lambda: as_input("x", "Linear"), "Linear: x holds text") == "Da"
    assert as_sizes("Conv2d", height=2, width=3) == (2, 3)
    assert outcome(lambda: as_sizes("Conv2d", height=2, width=0), "Conv2d: width is 0") == "Do"
    assert outcome(lambda: as_axis_number(np.bool_(True), "Softmax"), "Softmax: axis is ") == "Da"
    assert inspect.signature(as_axis_number).parameters.keys() == {"axis", "caller"}
