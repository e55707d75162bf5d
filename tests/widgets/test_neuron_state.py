"""The neuron bench's state: the published runs, gradients against differences, sliders that take exact values."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bplib.errors import BplibError, DataError, DomainError
from bplib.numeric import central_difference
from bplib.tracing.figures import number
from bplib.widgets.neuron.passes import passes, updated
from bplib.widgets.neuron.state import CONTROLS, PRESETS, Event, State, first_state, reduce
from bplib.widgets.neuron.words import sentence

FIRST = first_state()


def _after(*events: Event, state: State = FIRST) -> State:
    for event in events:
        state = reduce(state, event)
    return state


def _said(state: State) -> str:
    return sentence(state, state.w, passes(state.w, state.b, state.x, state.y), 0)


def _by_hand(w: float, b: float, x: float, y: float, lr: float, n: int) -> tuple[list[float], list[float]]:
    """Outputs and losses of the neuron, written out."""
    outputs, losses = [], []
    for k in range(n + 1):
        a = 1 / (1 + math.exp(-(w * x + b)))
        outputs.append(a)
        losses.append((a - y) ** 2 / 2)
        if k < n:
            delta = (a - y) * a * (1 - a)
            w, b = w - lr * delta * x, b - lr * delta
    return outputs, losses


@pytest.mark.parametrize(("preset", "first", "last"), [("w = 0.6, b = 0.9", 0.82, 0.09), ("w = 2, b = 2", 0.98, 0.20)])
def test_three_hundred_updates_give_what_nielsen_prints(preset: str, first: float, last: float) -> None:
    run = _after(Event("preset", preset), Event("update", 300)).run
    assert [round(run.output[k], 2) for k in (0, -1)] == [first, last]
    outputs, losses = _by_hand(**{name: PRESETS[preset][name] for name in ("w", "b", "x", "y", "lr")}, n=300)
    np.testing.assert_allclose(run.output, outputs, rtol=1e-12)
    np.testing.assert_allclose(run.loss, losses, rtol=1e-12)


def test_the_wrong_neuron_passes_one_half_much_later() -> None:
    halves = []
    for preset in list(PRESETS)[:2]:
        output = np.array(_after(Event("preset", preset), Event("update", 300)).run.output)
        halves.append(int((output < 0.5).argmax()))
    assert halves == [36, 232]


def test_the_exercise_comes_out_as_printed() -> None:
    found = passes(1.2, 0.9, 0.5, 0.0)
    assert (round(found.output[0], 4), round(found.to_w[0], 4), round(found.to_b[0], 4)) == (0.8176, 0.0610, 0.1219)
    assert round(found.loss[0], 4) == 0.3342


_VALUES = st.floats(-3, 3)


@settings(max_examples=60, deadline=None)
@given(_VALUES, _VALUES, _VALUES, st.floats(0, 1))
def test_every_gradient_agrees_with_central_differences(w: float, b: float, x: float, y: float) -> None:
    found = passes(w, b, x, y)

    def loss(z: float) -> float:
        return 0.5 * (1 / (1 + math.exp(-z)) - y) ** 2

    slopes = central_difference(lambda p: loss(float(p[0]) * x + float(p[1])), np.array([w, b]))
    np.testing.assert_allclose([found.to_w[0], found.to_b[0]], slopes, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.to_z, central_difference(lambda z: loss(float(z)), w * x + b), atol=1e-9)
    np.testing.assert_allclose(found.to_output, found.output - y, atol=1e-15)
    np.testing.assert_allclose(found.slope, found.output * (1 - found.output), rtol=1e-12)


def test_many_weights_at_once_are_neurons_of_their_own() -> None:
    ws = CONTROLS["w"]
    together = passes(ws, 0.9, 0.5, 0.25)
    for k, w in enumerate(ws):
        one = passes(w, 0.9, 0.5, 0.25)
        assert (together.loss[k], together.to_w[k], together.to_b[k]) == (one.loss[0], one.to_w[0], one.to_b[0])


def test_an_update_moves_both_against_their_gradients() -> None:
    found = passes(0.6, 0.9, -2.0, 0.5)
    w, b = updated(0.6, 0.9, found, 0.7)
    assert w == pytest.approx(0.6 - 0.7 * found.to_w[0], rel=1e-15)
    assert b == pytest.approx(0.9 - 0.7 * found.to_b[0], rel=1e-15)
    state = _after(Event("set", {"x": -2.0, "y": 0.5, "lr": 0.7}), Event("update", 1))
    assert (state.w, state.b) == (w, b)
    assert state.gradients_shown, "an update has gone backward"


def test_ten_updates_are_ten_times_one() -> None:
    ten, one_by_one = _after(Event("update", 10)), _after(*[Event("update", 1)] * 10)
    assert replace(ten.run, pressed=1) == one_by_one.run
    assert (ten.w, ten.b) == (one_by_one.w, one_by_one.b)


def test_a_run_goes_on_only_from_where_it_ended() -> None:
    ten = _after(Event("update", 10))
    assert _after(Event("lr", 0.5), Event("update", 1), state=ten).run.rates == (0.15,) * 10 + (0.5,)
    for event in (Event("w", 1.0), Event("b", 1.0), Event("x", 0.5), Event("y", 1.0)):
        moved = _after(event, state=ten)
        assert moved.run is ten.run
        again = _after(Event("update", 2), state=moved)
        assert (again.run.updates, again.earlier) == (2, ten.run)
    there_and_back = _after(Event("position", 0), Event("position", ten.position), Event("update", 1), state=ten)
    assert (there_and_back.run.updates, there_and_back.earlier) == (11, None)


def test_a_slider_has_the_exact_value_and_no_two_stops_read_the_same() -> None:
    state = _after(Event("update", 1))
    assert state.ws[state.position] == state.w != round(state.w, 4)
    assert len(state.ws) == len(CONTROLS["w"]) + 1
    close = _after(Event("w", 0.6000001))
    assert len(close.ws) == len(CONTROLS["w"])
    assert close.w == 0.6000001
    for stops in (state.ws, state.bs, close.ws):
        labels = [number(stop, 4) for stop in stops]
        assert len(set(labels)) == len(labels)
    assert [reduce(FIRST, Event("position", k)).w for k in range(len(FIRST.ws))] == list(CONTROLS["w"])


def test_the_presets_are_the_published_ones_and_touch_nothing_else() -> None:
    values = [(p["w"], p["b"], p["x"], p["y"], p["lr"]) for p in PRESETS.values()]
    assert values[:2] == [(0.6, 0.9, 1, 0, 0.15), (2, 2, 1, 0, 0.15)]
    assert values[2][:4] == (1.2, 0.9, 0.5, 0)
    assert first_state(**next(iter(PRESETS.values()))) == FIRST
    later = _after(Event("update", 3))
    for name in PRESETS:
        chosen = _after(Event("preset", name), state=later)
        assert (chosen.run, chosen.gradients_shown) == (later.run, True)


def test_back_leaves_the_rate_where_it_is_and_reset_leaves_nothing() -> None:
    later = _after(Event("update", 3), Event("lr", 0.42))
    again = _after(Event("back", FIRST), state=later)
    assert (again.w, again.run, again.lr) == (0.6, None, 0.42)
    assert again.lrs[again.lrs.index(0.42)] == 0.42
    assert _after(Event("reset", FIRST), state=later) == FIRST
    nothing = _after(Event("back"))
    assert _said(nothing) == "There is nothing to step back to."
    assert _said(_after(Event("lr", 0.2), state=nothing)).startswith("Forward"), "said once"


def test_so_many_updates_fit_into_one_run() -> None:
    state = _after(Event("update", 1))
    long = {name: getattr(state.run, name)[:1] * 3000 + getattr(state.run, name)[1:] for name in ("w", "b", "loss")}
    state = replace(state, run=replace(state.run, **long, rates=(0.15,) * 3000))
    full = _after(Event("update", 1), state=state)
    assert (full.run, full.w) == (state.run, state.w)
    assert _said(full).startswith("With so many more updates the picture would be too full.")
    assert _after(Event("w", 1.0), Event("update", 1), state=full).run.updates == 1


@pytest.mark.parametrize("lr", [1.0, 10.0, 100.0])
def test_the_largest_rates_stay_finite(lr: float) -> None:
    state = _after(Event("set", {"x": 10.0, "w": 10.0, "b": -10.0, "lr": lr, "y": 0.3}), Event("update", 300))
    assert np.isfinite([*state.run.w, *state.run.b, *state.run.loss]).all()
    assert _said(state)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "Forward: z = 0.6 · 1 + 0.9 = 1.5, a = σ(1.5) = 0.8176. Loss: ½(0.8176 − 0)² = 0.3342. Next: Backward."),
        ((Event("set", {"b": -1.0, "x": -2.0}),), "Forward: z = 0.6 · (−2) + (−1) = −2.2, "),
        (
            (Event("gradients", True),),
            "∂L/∂w = (a − y) · a(1 − a) · x = 0.8176 · 0.1491 · 1 = +0.1219, the slope. Step of w: −0.01829.",
        ),
        ((Event("preset", "w = 2, b = 2"), Event("gradients", True)), "a(1 − a) = 0.01766. So ∂L/∂w is only +0.01735."),
        ((Event("x", 0.0), Event("gradients", True)), "Update cannot move w; it still moves b."),
        ((Event("set", {"w": 0.0, "b": 0.0, "y": 0.5}), Event("gradients", True)), "a is the target: no error, "),
        (
            (Event("update", 1),),
            "Update 1: w 0.6 → 0.5817, b 0.9 → 0.8817. The loss fell from 0.3342 to 0.3297. "
            "b has moved, too: the whole curve is a new one.",
        ),
        ((Event("x", 0.0), Event("update", 1)), "Update 1: w stays 0.6, b 0.9 → 0.8781. The loss fell"),
        ((Event("update", 300),), "300 updates: a went from 0.8176 to 0.09396, and the loss fell from 0.3342 to "),
        ((Event("update", 1), Event("update", 10)), "10 updates, 11 in all: a went from 0.8121 to "),
        ((Event("set", {"w": 0.0, "b": 0.0, "y": 0.5}), Event("update", 1)), "w and b stay, because both gradients"),
        ((Event("set", {"y": 0.5, "lr": 100.0}), Event("update", 1)), "The loss rose from 0.05043 to "),
    ],
)
def test_the_sentence_says_what_happened(events: tuple[Event, ...], words: str) -> None:
    assert words in _said(_after(*events))


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("w", 11), DomainError, r"the weight is 11\. Expected -10 to 10\. Try w=0\.6"),
        (Event("b", -10.1), DomainError, r"the bias is -10\.1\. Expected -10 to 10"),
        (Event("x", math.nan), DomainError, "x is nan"),
        (Event("x", math.inf), DomainError, "x is inf"),
        (Event("lr", 0), DomainError, "learning rate is 0. Expected more than 0, at most 100. Try lr=0.15"),
        (Event("lr", 101), DomainError, "learning rate is 101"),
        (Event("y", 2), DomainError, "the target is 2. Expected 0 to 1, because σ gives numbers between 0 and 1"),
        (Event("w", "2"), DataError, "w is '2'"),
        (Event("b", True), DataError, "b is True"),
        (Event("set", {"eta": 1}), DomainError, "nothing called 'eta' to set. Expected some of x, w, b, lr and y"),
        (Event("set", {"w": 1.0, "b": None}), DataError, "b is None"),
        (Event("update", 0), DomainError, "updates is 0"),
        (Event("update", 301), DomainError, "301 updates at once are too many. Expected 1 to 300, such as 10"),
        (Event("update", 2.5), DataError, "updates is 2.5"),
        (Event("gradients", "yes"), DataError, "gradients_shown is 'yes'. Expected True or False"),
        (Event("preset", "w = 3"), DomainError, "no event 'preset' with the value 'w = 3'"),
        (Event("position", 999), DomainError, "no event 'position' with the value 999"),
    ],
)
def test_wrong_values_are_refused_with_what_to_try(event: Event, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, event)


@pytest.mark.parametrize("value", [-0.0, np.float32(0.5), 3, np.int64(-2)])
def test_numbers_of_every_kind_are_taken(value: float) -> None:
    state = _after(Event("w", value))
    assert type(state.w) is float
    assert "−0" not in [number(stop, 4) for stop in state.ws]


_EVENTS = st.lists(
    st.one_of(
        st.sampled_from(list(PRESETS)).map(lambda name: Event("preset", name)),
        st.integers(1, 8).map(lambda n: Event("update", n)),
        st.integers(0, 120).map(lambda k: Event("position", k)),
        st.sampled_from(CONTROLS["x"]).map(lambda value: Event("x", value)),
        st.sampled_from(CONTROLS["lr"]).map(lambda value: Event("lr", value)),
        st.booleans().map(lambda value: Event("gradients", value)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(_EVENTS)
def test_whatever_is_done_the_state_hangs_together(events: list[Event]) -> None:
    state = FIRST
    for event in events:
        state = reduce(state, event)
        assert _said(state)
        for stops, value in ((state.ws, state.w), (state.bs, state.b), (state.xs, state.x), (state.lrs, state.lr)):
            assert value in stops
            assert list(stops) == sorted(set(stops))
        if state.run is not None:
            run = state.run
            assert len(run.w) == len(run.b) == len(run.loss) == len(run.output) == run.updates + 1
            assert run.loss[-1] == passes(run.w[-1], run.b[-1], run.x, run.y).loss[0]
