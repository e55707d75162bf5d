"""What every optimizer promises: one row each with its options, and all checks are made from the rows."""

import ast
import copy
import inspect
import math
import random
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim, tensor
from bplib.errors import DataError, DomainError

# What a gradient of 0 does. STILL: nothing, ever. COASTS: nothing at first, later the old steps go on. PULLED: the
# weight decay moves the parameters all the same.
STILL, COASTS, PULLED = "still", "coasts", "pulled"


@dataclass(frozen=True)
class Method:
    """One optimizer with some options, and what is true of it alone."""

    kind: type[optim.Optimizer]
    zero: str
    options: dict[str, Any] = field(default_factory=dict)
    averages: tuple[str, ...] = ()

    def __call__(self, params: Any, **more: Any) -> optim.Optimizer:
        return self.kind(params, **{**self.options, **more})


CALM = {"lr": 0.02, "weight_decay": 0, "bias_correction": False}
AMSGRAD = {"lr": 0.02, "amsgrad": True, "weight_decay": 0.1, "betas": (0.8, 0.95)}
METHODS = {
    "SGD": Method(optim.SGD, STILL, {"lr": 0.1}),
    "momentum": Method(optim.SGD, COASTS, {"lr": 0.1, "momentum": 0.9}, ("velocity",)),
    "Nesterov": Method(
        optim.SGD, PULLED, {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1}, ("velocity",)
    ),
    "AdaGrad": Method(optim.AdaGrad, STILL, {"lr": 0.1}, ("squares",)),
    "AdaGrad, eps": Method(optim.AdaGrad, STILL, {"lr": 0.1, "eps": 0.01}, ("squares",)),
    "RMSProp": Method(optim.RMSProp, STILL, {"lr": 0.01}, ("squares",)),
    "RMSProp, momentum": Method(
        optim.RMSProp, COASTS, {"lr": 0.01, "alpha": 0.9, "momentum": 0.9}, ("squares", "velocity")
    ),
    "AdaDelta": Method(optim.AdaDelta, STILL, {}, ("squares", "steps")),
    "AdaDelta, rho": Method(optim.AdaDelta, STILL, {"lr": 0.5, "rho": 0.8, "eps": 1e-4}, ("squares", "steps")),
    "Adam": Method(optim.Adam, COASTS, {}, ("m", "v")),
    "Adam, AMSGrad": Method(optim.Adam, PULLED, AMSGRAD, ("m", "v", "v_max")),
    "Adam, uncorrected": Method(optim.Adam, COASTS, {"lr": 0.02, "bias_correction": False}, ("m", "v")),
    "AdamW": Method(optim.AdamW, PULLED, {}, ("m", "v")),
    "AdamW, AMSGrad": Method(optim.AdamW, PULLED, AMSGRAD, ("m", "v", "v_max")),
    "AdamW, no decay": Method(optim.AdamW, COASTS, CALM, ("m", "v")),
    "NAdam": Method(optim.NAdam, COASTS, {}, ("m", "v")),
    "NAdam, decay": Method(
        optim.NAdam, PULLED, {"lr": 0.02, "betas": (0.8, 0.95), "weight_decay": 0.1, "momentum_decay": 0.01}, ("m", "v")
    ),
}  # fmt: skip
RATE_IS_ASKED_FOR = {"SGD", "AdaGrad", "RMSProp"}
every_method = pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)


def weights(dtype: Any = np.float64) -> list[Any]:
    start = np.random.default_rng(3).normal(size=6).astype(dtype)
    return [tensor(start[:4].reshape(2, 2), requires_grad=True), tensor(start[4:], requires_grad=True)]


def pull(params: list[Any], step: int = 0) -> None:
    """Give every parameter a gradient that depends on where it is, so that a wrong step is never repaired."""
    for i, p in enumerate(params):
        p.grad = np.sin(p.data * (1 + i) + step) + 0.25


def walk(params: list[Any], optimizer: Any, steps: int, start: int = 0) -> list[bytes]:
    path = []
    for step in range(start, start + steps):
        pull(params, step)
        optimizer.step()
        path.append(b"".join(p.data.tobytes() for p in params))
    return path


def same(left: Any, right: Any) -> bool:
    """Whether two states are equal, the arrays to the last bit and with their types."""
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def global_generators() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002  (that it is not touched is the point)


def test_the_table_has_every_optimizer_with_its_defaults_and_every_option():
    kinds = {getattr(optim, n) for n in optim.__all__ if hasattr(getattr(optim, n), "_update")} - {optim.Optimizer}
    assert {m.kind for m in METHODS.values()} == kinds
    for kind in kinds:
        options = [set(m.options) for m in METHODS.values() if m.kind is kind]
        asked = {"lr"} if kind.__name__ in RATE_IS_ASKED_FOR else set()
        assert asked in options
        every = {n for n in inspect.signature(kind).parameters if n not in ("params", "eps")}
        assert set.union(*options, {"eps"}) >= every, kind


# ---------------------------------------------------------------- what all optimizers promise


@every_method
def test_it_is_made_with_defaults_and_asks_for_the_rate_only_where_there_is_no_usual_one(make):
    needed = [p.name for p in inspect.signature(make.kind).parameters.values() if p.default is p.empty]
    assert needed == (["params", "lr"] if make.kind.__name__ in RATE_IS_ASKED_FOR else ["params"])
    if "lr" not in needed:
        assert make.kind(weights()).param_groups[0]["lr"] > 0


@every_method
def test_its_repr_has_no_address_and_makes_the_same_optimizer_again(make):
    optimizer = make(weights())
    call = ast.parse(repr(optimizer), mode="eval").body
    settings = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    assert (call.func.id, call.args) == (make.kind.__name__, [])
    assert list(settings) == [n for n in inspect.signature(make.kind).parameters if n != "params"]
    assert {**settings, **make.options} == settings
    assert repr(make.kind(weights(), **settings)) == repr(optimizer)


@every_method
def test_a_step_leaves_gradients_settings_and_the_list_of_parameters_alone(make):
    params, options = weights(), copy.deepcopy(make.options)
    optimizer = make(params)
    for step in range(3):
        pull(params, step)
        arrays = [p.grad for p in params]
        before = [g.tobytes() for g in arrays]
        optimizer.step()
        assert [p.grad.tobytes() for p in params] == before
        assert all(p.grad is g for p, g in zip(params, arrays, strict=True))
    assert (len(params), make.options) == (2, options)


@every_method
def test_a_step_over_a_models_one_vector_leaves_its_gradient_alone(make):
    model = nn.Linear(3, 2, rng=0)
    optimizer = make(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        losses.mse(model([[1.0, 2.0, 3.0]]), [[0.0, 1.0]]).backward()
        before = model.theta_grad.tobytes()
        optimizer.step()
        assert model.theta_grad.tobytes() == before


@every_method
def test_float32_stays_and_does_not_infect_its_neighbours(make):
    exact, single = weights(), weights(np.float32)
    mixed = [weights(np.float32)[0], weights()[1]]
    for params in (exact, single, mixed):
        optimizer = make(params)
        walk(params, optimizer, 4)
        assert all(p.data.dtype == p.dtype for p in params)
        if params is single:
            arrays = optimizer.state_dict()["state"][0]["arrays"]
            assert set(arrays) == set(make.averages)
            assert all(a.any() for a in arrays.values())
            assert {a.dtype for a in arrays.values()} <= {np.dtype(np.float32)}
    assert [p.dtype for p in (*single, *mixed)] == [np.float32, np.float32, np.float32, np.float64]
    for p, q in zip((*single, *mixed), (*exact, *exact), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=2e-4, atol=1e-5)


def values_after(make: Method, value: Any, gradient: Any, read_only: bool = False) -> np.ndarray:
    w = tensor(value, requires_grad=True)
    optimizer = make([w])
    for _ in range(3):
        w.grad = gradient
        w.grad.setflags(write=not read_only)
        optimizer.step()
    return w.data


@every_method
def test_read_only_gradients_fortran_order_and_single_numbers_make_no_difference(make):
    value, gradient = np.random.default_rng(0).normal(size=(2, 2, 3))
    wanted = values_after(make, value, gradient)
    assert (wanted != value).all()
    for other in (
        values_after(make, value, gradient, read_only=True),
        values_after(make, np.asfortranarray(value), np.asfortranarray(gradient)),
        values_after(make, value.repeat(2, axis=1)[:, ::2], gradient[::-1][::-1]),
    ):
        np.testing.assert_array_equal(other, wanted)
    for place in ((0, 1), (1, 0)):
        number = values_after(make, value[place], gradient[place])
        assert number.shape == ()
        assert number == wanted[place]


@every_method
def test_a_gradient_that_arrives_transposed_is_taken_in_the_parameters_order(make):
    value, factor = np.random.default_rng(0).normal(size=(2, 3, 3))
    w = tensor(value, requires_grad=True)
    optimizer = make([w])
    for _ in range(3):
        w.zero_grad()
        (w.T * factor.T).sum().backward()
        optimizer.step()
    np.testing.assert_array_equal(w.data, values_after(make, value, factor))


@every_method
def test_a_saved_state_comes_back_bit_for_bit_and_the_next_five_steps_are_the_same(make):
    params = weights()
    optimizer = make(params)
    walk(params, optimizer, 3)
    pull(params)
    params[0].grad = None  # one sleeps, so the counts differ
    optimizer.step()
    kept = optimizer.state_dict()
    saved, twins = copy.deepcopy(kept), [tensor(p.data, requires_grad=True) for p in params]
    resumed = make.kind(twins, lr=0.7)
    for _ in range(2):  # loading twice is loading once
        resumed.load_state_dict(kept)
        assert same(resumed.state_dict(), saved)
    assert walk(twins, resumed, 5, start=4) == walk(params, optimizer, 5, start=4)
    assert same(kept, saved), "the state that was given out is a copy, and loading makes another"
    assert not make.averages or not same(optimizer.state_dict(), saved)


@every_method
@pytest.mark.parametrize("lives", ["apart", "in a model"])
def test_a_deep_copy_is_equal_and_independent(make, lives):
    params = weights() if lives == "apart" else list(nn.Linear(2, 2, rng=0).parameters())
    optimizer = make(params)
    walk(params, optimizer, 3)
    twins, twin = copy.deepcopy((params, optimizer))
    assert repr(twin) == repr(optimizer)
    assert same(twin.state_dict(), optimizer.state_dict())
    before = [p.numpy() for p in params], optimizer.state_dict()
    path = walk(twins, twin, 3, start=3)
    assert same([[p.numpy() for p in params], optimizer.state_dict()], list(before))
    assert walk(params, optimizer, 3, start=3) == path


@every_method
def test_two_instances_share_nothing_and_no_global_generator_is_touched(make):
    before = global_generators()
    runs = [(params, make(params)) for params in (weights(), weights())]
    (first, one), (second, other) = runs
    walk(first, one, 2)
    fresh = other.state_dict()
    assert same(make(weights()).state_dict(), fresh)
    third = weights()
    assert walk(second, other, 2) == walk(third, make(third), 2)
    for group, twin in zip(one.param_groups, other.param_groups, strict=True):
        assert group is not twin
    for mine, its in zip(arrays_of(one), arrays_of(other), strict=True):
        assert not np.shares_memory(mine, its)
    one.param_groups[0]["lr"] = 0.0
    assert other.param_groups[0]["lr"] > 0
    assert global_generators() == before


def arrays_of(optimizer: Any) -> list[np.ndarray]:
    return [array for layout in optimizer._layouts for array in layout._state.values()]


@every_method
def test_a_gradient_of_zero_does_what_the_row_says(make):
    params = weights()
    optimizer = make(params)
    moved = []
    for step in range(3):
        before = [p.numpy() for p in params]
        for p in params:
            p.grad = np.full(p.shape, 1.0 if step == 1 else 0.0)
        optimizer.step()
        moved.append(any((p.data != old).any() for p, old in zip(params, before, strict=True)))
    assert moved == {STILL: [False, True, False], COASTS: [False, True, True], PULLED: [True] * 3}[make.zero]


@every_method
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_spoils_its_own_parameter_only_and_says_nothing(make, bad):
    """Training shows it in the loss, which `fit` stops at; the update neither raises nor warns."""
    spoiled, whole = weights(), weights()
    for params in (spoiled, whole):
        optimizer = make(params)
        pull(params)
        if params is spoiled:
            params[0].grad = [[bad, 0.5], [0.5, 0.5]]
        else:
            params[0].grad = np.full((2, 2), 0.5)
        optimizer.step()
        optimizer.step()
    assert not np.isfinite(spoiled[0].data[0, 0])
    np.testing.assert_array_equal(spoiled[0].data.ravel()[1:], whole[0].data.ravel()[1:])
    np.testing.assert_array_equal(spoiled[1].data, whole[1].data)


@every_method
def test_what_has_no_gradient_and_what_is_empty_is_passed_over(make):
    empty, none = tensor(np.zeros((0, 3)), requires_grad=True), tensor([5.0], requires_grad=True)
    empty.grad = np.zeros((0, 3))
    alone, among = weights(), weights()
    optimizer = make([empty, among[0], none, among[1]])
    assert walk(among, optimizer, 4) == walk(alone, make(alone), 4)
    assert (empty.shape, none.data.tolist()) == ((0, 3), [5.0])
    assert optimizer.state_dict()["state"][0]["counts"] == [4, 4, 0, 4]
    for sleeper in (0, 1):  # side by side in a model's one vector
        model = list(nn.Linear(2, 2, rng=0).parameters())
        single = [tensor(p.data, requires_grad=True) for p in model]
        before = model[sleeper].numpy()
        for params in (model, single):
            optimizer = make(params)
            pull(params)
            params[sleeper].grad = None
            optimizer.step()
        assert (model[sleeper].data == before).all()
        np.testing.assert_array_equal(model[1 - sleeper].data, single[1 - sleeper].data)
        assert (single[1 - sleeper].grad != 0).any()
    lonely = make([empty])
    lonely.step()
    assert empty.data.shape == (0, 3)
    lonely.zero_grad()
    assert empty.grad is None


@every_method
def test_groups_walk_with_their_own_rate_and_a_rate_of_zero_stands_still(make):
    params, alone, frozen = weights(), weights(), weights()
    optimizer = make([{"params": [params[0]], "lr": 0.3}, {"params": [params[1]]}])
    walk(params, optimizer, 3)
    walk(alone[:1], make(alone[:1], lr=0.3), 3)
    np.testing.assert_array_equal(params[0].data, alone[0].data)
    other = weights()
    walk(other, make(other), 3)
    np.testing.assert_array_equal(params[1].data, other[1].data)
    before = [p.data.tobytes() for p in frozen]
    walk(frozen, make(frozen, lr=0), 3)
    assert [p.data.tobytes() for p in frozen] == before


SECTION = re.compile(r"^(\w+)\n-{3,}$", re.MULTILINE)


def sections(told: Any) -> set[str]:
    return set(SECTION.findall(inspect.getdoc(told) or ""))


@pytest.mark.parametrize("kind", dict.fromkeys(m.kind for m in METHODS.values()), ids=lambda kind: kind.__name__)
def test_its_words_name_parameters_errors_an_example_and_the_source(kind):
    assert sections(kind) >= {"Parameters", "Raises", "Examples"}
    step = getattr(optim, f"{kind.__name__.lower()}_step")
    assert f"`{step.__name__}`" in kind.__doc__
    assert sections(step) >= {"Parameters", "References", "Examples"}
    assert bplib.cite(kind) == bplib.cite(kind(weights(), lr=0.1)) == bplib.cite(step)
    named = re.search(r"Parameters\n-+\n(.*?)\n\n", inspect.getdoc(kind) or "", re.DOTALL)
    assert re.findall(r"^(\w+) :", named.group(1), re.MULTILINE) == list(inspect.signature(kind).parameters)


@every_method
def test_a_rate_that_was_changed_by_hand_is_the_rate_from_then_on(make):
    params, others = weights(), weights()
    optimizer, other = make(params), make(others)
    rate = 2 * optimizer.param_groups[0]["lr"]
    optimizer.param_groups[0]["lr"] = rate
    assert walk(params, optimizer, 2) == walk(others, make.kind(others, **{**make.options, "lr": rate}), 2)
    assert walk(params, optimizer, 1, 2) != walk(weights(), other, 1, 2)


def replace_the_group(groups, new):
    groups[0] = {**groups[0], **new}


BY_HAND = {
    "one": lambda groups, new: groups[0].__setitem__("lr", new["lr"]),
    "update": lambda groups, new: groups[0].update(new),
    "merge": lambda groups, new: groups[0].__ior__(new),
    "take out and put back": lambda groups, new: (groups[0].pop("lr"), groups[0].setdefault("lr", new["lr"])),
    "another group": replace_the_group,
}


@every_method
@pytest.mark.parametrize("change", BY_HAND.values(), ids=BY_HAND)
def test_a_setting_counts_from_the_next_step_on_however_it_was_changed(make, change):
    params, others = weights(), weights()
    optimizer, other = make(params), make(others)
    assert walk(params, optimizer, 2) == walk(others, other, 2)
    for one in (optimizer, other):
        rate = 2 * one.param_groups[0]["lr"]
        change(one.param_groups, {"lr": rate}) if one is optimizer else one.param_groups[0].update(lr=rate)
    assert walk(params, optimizer, 2, 2) == walk(others, other, 2, 2)
    assert optimizer.param_groups[0]["lr"] == rate
    optimizer.param_groups[0]["lr"] = tensor(rate)
    with pytest.raises(DataError, match="lr is tensor"):
        optimizer.step()
    change(optimizer.param_groups, {"lr": -1.0})
    before = [p.data.copy() for p in params]
    with pytest.raises(DomainError, match="lr is -1"):
        optimizer.step()
    assert all((p.data == old).all() for p, old in zip(params, before, strict=True))


def test_settings_are_checked_when_they_change_and_not_at_every_step(monkeypatch):
    params, checked = weights(), []
    optimizer = optim.SGD(params, lr=0.1)
    monkeypatch.setattr(optimizer, "_validate", checked.append)
    walk(params, optimizer, 3)
    optimizer.param_groups[0]["lr"] = 0.2
    walk(params, optimizer, 3)
    assert len(checked) == 2


def test_momentum_that_is_switched_on_later_starts_from_nothing_and_keeps_the_count():
    model = nn.Linear(2, 2, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for momentum in (0.0, 0.5):
        optimizer.param_groups[0]["momentum"] = momentum
        for _ in range(2):
            before = model.theta.copy()
            for p in model.parameters():
                p.grad = np.ones(p.shape)
            optimizer.step()
    np.testing.assert_allclose(before - model.theta, 0.1 * 1.5)
    assert optimizer.state_dict()["state"][0]["counts"] == [4, 4]
