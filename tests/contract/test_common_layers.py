"""What every layer and activation promises: the checks are made from one row each of the table in `layer_rows`."""

import copy
import inspect
import random
import re
from typing import Any

import numpy as np
import pytest

import bplib
from bplib import gradcheck, nn, tensor
from bplib.errors import AnomalyError, DataError
from bplib.rules import TABLE
from tests.contract.layer_rows import FINITE, HIDDEN, INFINITE, KINDS, LAYERS, NO_NUMBER, OTHER, REFUSED, Array, Layer
from tests.contract.refusals import outcome

every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
every_kind = pytest.mark.parametrize("layer", KINDS.values(), ids=KINDS)
DRAWN_AT_FIRST = {"Linear", "Conv2d"}


def test_the_table_has_every_layer_and_every_setting():
    public = {n for n in nn.__all__ if inspect.isclass(getattr(nn, n))} - {"Module", "Parameter"}
    assert set(KINDS) == public
    assert len(KINDS) == 13
    for name, row in KINDS.items():
        tried = set().union(*(other.settings for other in LAYERS.values() if other.kind is row.kind))
        assert set(row.names()) - {"modules"} == tried, name


def run(model: Any, x: Any) -> list[Array]:
    """Give the result, the gradient of the input and that of every parameter, each element weighed differently."""
    given = x if isinstance(x, bplib.Tensor) else tensor(x, requires_grad=True)
    given.zero_grad()
    model.zero_grad()
    y = model(given)
    y.backward(np.cos(np.arange(float(y.size))).reshape(y.shape))
    return [y.numpy(), given.grad.copy(), *(p.grad.copy() for p in model.parameters())]


def same(left: Any, right: Any) -> bool:
    """Whether arrays are equal to the last bit, with their types and shapes."""
    pairs = [(np.asarray(a), np.asarray(b)) for a, b in zip(left, right, strict=True)]
    return all((a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()) for a, b in pairs)


def close(left: Any, right: Any, rtol: float = 1e-13) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


# ---------------------------------------------------------------- how it is made


@every_kind
def test_it_is_made_from_what_has_no_default_and_gives_finite_numbers(layer):
    needed = [p for p in inspect.signature(layer.kind).parameters.values() if p.default is p.empty]
    given = {p.name: layer.settings[p.name] for p in needed if p.kind is not p.VAR_POSITIONAL}
    model = layer.kind(**given)
    assert model.training
    y = model(layer.x)
    assert isinstance(y, bplib.Tensor)
    assert np.isfinite(y.data).all()
    assert all(p.requires_grad and p.dtype == np.float64 for p in model.parameters())


@every_layer
def test_its_repr_has_no_address_shows_its_settings_and_stays(layer):
    model = layer()
    first, *rows = repr(model).splitlines()
    assert first == layer.shown
    assert "0x" not in repr(model)
    assert [row.split()[0] for row in rows] == [name for name, _ in model.named_parameters()]
    run(model, layer.x)
    assert repr(model).splitlines() == [first, *rows]


@every_layer
def test_input_and_parameters_are_left_alone_forward_and_backward(layer):
    model, x = layer(), tensor(layer.x, requires_grad=True)
    raw, values = layer.x.copy(), [p.numpy() for p in model.parameters()]
    before = x.data.tobytes(), raw.tobytes()
    buffers = [a.copy() for _, a in model.named_buffers()]
    found = run(model, x)
    y = model(raw)
    assert (x.data.tobytes(), raw.tobytes()) == before
    assert same([p.data for p in model.parameters()], values)
    assert [g.shape for g in found[1:]] == [x.shape, *(p.shape for p in model.parameters())]
    remembers = bool(buffers) and layer.training
    assert same([a for _, a in model.named_buffers()], buffers) is not remembers
    assert np.shares_memory(y.data, raw) is layer.passes


def layouts(a: Array) -> dict[str, Any]:
    locked = a.copy()
    locked.setflags(write=False)
    return {
        "read-only": locked,
        "strided": np.repeat(a, 2, axis=-1)[..., ::2],
        "backwards": a[::-1].copy()[::-1],
        "Fortran": np.asfortranarray(a),
        "list": a.tolist(),
        "tensor": tensor(a),
    }


@every_layer
def test_layout_in_memory_a_list_and_a_tensor_make_no_difference(layer):
    wanted = layer()(layer.x).data
    for x in layouts(layer.x).values():
        close([layer()(x).data], [wanted], 1e-14)
    exact = run(layer(), layer.x)
    turned = tensor(layer.x.T, requires_grad=True)  # its transpose lies in memory the other way round
    model = layer()
    y = model(turned.T)
    y.backward(np.cos(np.arange(float(y.size))).reshape(y.shape))
    close([y.data, turned.grad.T, *(p.grad for p in model.parameters())], exact)


# ---------------------------------------------------------------- types


@every_layer
def test_float32_stays_in_value_and_gradients(layer):
    model, x = layer(), layer.x.astype(np.float32)
    names = list(model.state_dict())
    assert model.astype(np.float32) is model
    assert list(model.state_dict()) == names
    found = run(model, x)
    assert {a.dtype for a in found} == {np.dtype(np.float32)}
    close(found, run(layer(), layer.x), 2e-4)
    back = model.astype(np.float64)
    assert {a.dtype for a in run(back, layer.x)} == {np.dtype(np.float64)}
    if not list(model.parameters()):  # nothing of its own that could lift the type
        assert layer()(x).dtype == np.float32


@every_layer
def test_whole_numbers_and_truth_values_become_float64(layer):
    numbers = np.rint(3 * layer.x).astype(int)
    for given in (numbers, numbers.astype(np.int8), numbers > 0):
        assert same([layer()(given)], [layer()(given.astype(float))])
        assert layer()(given).dtype == np.float64


# ---------------------------------------------------------------- batches


@every_layer
def test_an_empty_batch_gives_an_empty_result_and_no_gradient_or_is_refused(layer):
    nothing = layer.x[:0]
    if layer.empty == REFUSED:
        assert outcome(lambda: layer()(nothing), "BatchNorm1d: x has 0 rows in training", "at least 2") == REFUSED
        return
    found = run(layer(), nothing)
    assert [found[0].shape, found[1].shape] == [layer.empty, nothing.shape]
    assert not any(g.any() for g in found[2:])


@every_layer
def test_a_batch_is_its_parts_in_any_order_and_a_batch_of_one_is_no_batch(layer):
    whole = layer()(layer.x).data
    if layer.one == REFUSED:
        assert outcome(lambda: layer()(layer.x[:1]), "BatchNorm1d: x has 1 row", "model.eval()") == REFUSED
    for i in range(len(layer.x)) if not (layer.company or layer.draws) else ():
        close([layer()(layer.x[i : i + 1]).data[0]], [whole[i]])
    order = np.argsort(-np.arange(len(layer.x)))
    if not layer.draws:
        close([layer()(layer.x[order]).data], [whole[order]])
    example = layer.x[1]
    if layer.no_batch == REFUSED:
        assert outcome(lambda: layer()(example), f"{layer.speaks}: ", str(example.shape), "xpected") == REFUSED
    elif layer.no_batch != OTHER:
        alone, batch = run(layer(), example), run(layer(), layer.x[1:2])
        close([alone[0], alone[1], *alone[2:]], [batch[0][0], batch[1][0], *batch[2:]], 1e-15)


@every_layer
def test_a_single_number_is_taken_or_refused_in_words(layer):
    if layer.number == REFUSED:
        assert outcome(lambda: layer()(0.5), f"{layer.speaks}: x ", "xpected") == REFUSED
        return
    alone, batch = run(layer(), 0.5), run(layer(), [0.5])
    assert alone[0].shape == alone[1].shape == ()
    close(alone, [batch[0][0], batch[1][0]], 1e-15)


# ---------------------------------------------------------------- NaN and infinity


def spoiled(layer: Layer, value: float) -> tuple[Array, Array]:
    """Give the result of the second example, which holds this value once, and that of the others."""
    x = layer.x.copy()
    x[(1, *(0,) * (x.ndim - 1))] = value
    y, seen = layer()(x).numpy(), ""
    try:
        with bplib.detect_anomaly():
            layer()(tensor(x, requires_grad=True))
    except AnomalyError as error:
        seen = re.search(r"'(\w+)'", str(error)).group(1)
    if layer.passes or (what_is(y) == FINITE and HIDDEN not in layer.at):
        assert seen == "", "there is no operation that could be named"
    else:
        assert seen in TABLE
    return y[1], np.delete(y, 1, axis=0)


def what_is(y: Array) -> str:
    return NO_NUMBER if np.isnan(y).any() else INFINITE if np.isinf(y).any() else FINITE


@every_layer
def test_a_nan_comes_out_where_it_went_in_and_is_named(layer):
    assert np.isnan(layer()(np.full(layer.x.shape, np.nan)).data).all()
    example, others = spoiled(layer, np.nan)
    assert what_is(example) == NO_NUMBER
    assert layer.company or what_is(others) == FINITE


@every_layer
@pytest.mark.parametrize("which", [0, 1], ids=["minus", "plus"])
def test_an_infinity_becomes_what_the_row_says_and_is_named(layer, which):
    example, others = spoiled(layer, (-np.inf, np.inf)[which])
    assert what_is(example) == (FINITE if layer.at[which] == HIDDEN else layer.at[which])
    assert layer.company or what_is(others) == FINITE


@every_layer
def test_under_inspection_the_numbers_are_the_same(layer):
    with bplib.detect_anomaly():
        seen = run(layer(), layer.x)
    close(seen, run(layer(), layer.x), 1e-14)


# ---------------------------------------------------------------- the same again


def global_generators() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002  (that it is not touched is the point)


@every_layer
def test_twice_gives_the_same_bits_and_no_global_generator_is_touched(layer):
    before = global_generators()
    first = run(layer(), layer.x)
    assert same(run(layer(), layer.x), first)
    model = layer()
    assert same(run(model, layer.x), first)
    assert same(run(model, layer.x), first) is not layer.draws
    x = tensor(layer.x, requires_grad=True)
    y = layer()(x)
    y.backward(np.ones(y.shape))
    once = x.grad.copy()
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad, 2 * once)
    if "rng" in layer.names():
        unseeded = layer(rng=None)
        other = layer(rng=None)
        assert same([p.data for p in unseeded.parameters()], [p.data for p in other.parameters()]) is (
            layer.kind.__name__ not in DRAWN_AT_FIRST
        )
    assert global_generators() == before


@every_layer
def test_without_recording_it_gives_the_same_bits_and_no_past(layer):
    with bplib.no_grad():
        y = layer()(tensor(layer.x))
    assert (y.requires_grad, y.operation, y.parents) == (False, None, ())
    assert same([y], run(layer(), layer.x)[:1])


@every_layer
def test_alone_in_a_sequential_it_is_the_same(layer):
    close(run(nn.Sequential(layer()).train(layer.training), layer.x), run(layer(), layer.x), 1e-15)


# ---------------------------------------------------------------- copies, state, modes


def places(model: Any) -> list[Array]:
    return [p.data for p in model.parameters()] + [a for _, a in model.named_buffers()]


def learn(model: Any, x: Array) -> list[bytes]:
    """Take two steps downhill and give all states on the way."""
    path = []
    for _ in range(2):
        found = run(model, x)
        for p in model.parameters():
            p.assign(p.data - 0.1 * p.grad)
        path.append(b"".join(a.tobytes() for a in (*found, *model.state_dict().values())))
    return path


@every_layer
def test_a_deep_copy_is_equal_and_independent_and_two_instances_share_nothing(layer):
    model = layer()
    learn(model, layer.x)
    twin = copy.deepcopy(model)
    before = model.state_dict()
    assert same(twin.state_dict().values(), before.values())
    assert (repr(twin), twin.training) == (repr(model), model.training)
    path = learn(twin, layer.x)
    assert same(model.state_dict().values(), before.values())
    assert learn(model, layer.x) == path
    other = layer()
    for mine, its in zip(places(model), places(other), strict=True):
        assert not np.shares_memory(mine, its)
    assert learn(layer(), layer.x) == learn(other, layer.x)


@every_layer
def test_a_saved_state_comes_back_bit_for_bit(layer):
    model = layer()
    learn(model, layer.x)
    kept = model.state_dict()
    saved = copy.deepcopy(kept)
    assert list(kept) == [n for n, _ in model.named_parameters()] + [n for n, _ in model.named_buffers()]
    other = layer(**({"rng": 99} if "rng" in layer.names() else {}))
    for _ in range(2):  # loading twice is loading once
        other.load_state_dict(kept)
        assert same(other.state_dict().values(), saved.values())
    assert same([other.eval()(layer.x)], [copy.deepcopy(model).eval()(layer.x)])
    learn(model, layer.x)
    learn(other.train(layer.training), layer.x)
    assert same(kept.values(), saved.values()), "the state that was given out is a copy, and loading makes another"


@every_layer
def test_only_dropout_and_batch_norm_do_something_else_in_training(layer):
    model = layer().train()
    assert all(part.training for part in model.modules())
    in_training = model(layer.x).data
    assert model.eval() is model
    assert not any(part.training for part in model.modules())
    evaluated = model(layer.x).data
    assert same([in_training], [evaluated]) is not layer.acts
    assert same([model(layer.x)], [evaluated])
    acting = any(isinstance(part, nn.BatchNorm1d) or getattr(part, "p", 0) for part in model.modules())
    assert layer.acts is acting
    state = model.state_dict()
    assert model.train(False) is model.eval()
    assert same(model.state_dict().values(), state.values())


# ---------------------------------------------------------------- gradients


@every_layer
def test_the_gradients_of_input_and_parameters_pass_the_numerical_check(layer):
    start = layer()

    def f(x: Any) -> Any:
        return copy.deepcopy(start)(x)  # what draws or remembers does so anew, and the same, each time

    report = gradcheck(f, layer.x)
    assert report.passed, report
    if list(start.parameters()) and not layer.draws:
        report = gradcheck(lambda: start(layer.x), params=start)
        assert report.passed, report
        assert len(report.rows) == len(list(start.parameters()))


# ---------------------------------------------------------------- words


@every_kind
def test_its_words_have_every_section_and_its_source_can_be_cited(layer):
    text = inspect.getdoc(layer.kind)
    headings = re.findall(r"^(\w+)\n-{3,}$", text, re.MULTILINE)
    arguments = ["Parameters"] if layer.names() else []
    assert [h for h in headings if h not in ("Attributes", "Notes")] == [*arguments, "Raises", "References", "Examples"]
    sections = dict(zip(headings, re.split(r"^\w+\n-{3,}$", text, flags=re.MULTILINE)[1:], strict=True))
    told = re.findall(r"^([\w*, ]+) : ", sections.get("Parameters", ""), re.MULTILINE)
    assert [name.strip(" *") for names in told for name in names.split(",")] == layer.names()
    assert "In the forward pass" in sections["Raises"] or "in the forward pass" in sections["Raises"]
    assert DataError.__name__ in sections["Raises"]
    assert ">>> " in sections["Examples"]
    own = {name for name, p in layer()._children() if isinstance(p, nn.Parameter)} | set(layer.kind.buffer_names)
    assert own <= set(re.findall(r"\w+", sections.get("Attributes", "")))
    assert re.search(r"\((19|20)\d\d\)", bplib.cite(layer.kind))
    assert bplib.cite(layer()) == bplib.cite(layer.kind)


@every_kind
def test_its_forward_pass_says_which_shapes_it_takes(layer):
    said = inspect.getdoc(layer.kind.forward)
    assert re.search(r"shape|any|order", said), said
