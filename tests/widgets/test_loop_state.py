"""The loop stepper's state: four stages in their order, real gradients, and a sentence for everything out of order."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bplib
from bplib import losses, nn, optim
from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.loop.state import (
    MOST_LOOPS,
    RATES,
    STAGES,
    Event,
    State,
    first_state,
    following,
    has_diverged,
    reduce,
)
from bplib.widgets.loop.words import description, number, sentence

FIRST = first_state()
X, Y = bplib.data.xor()


def _pressed(*stages: str, state: State = FIRST) -> State:
    for stage in stages:
        state = reduce(state, Event("press", stage))
    return state


def _looped(n: int, state: State = FIRST, skip: bool | None = None) -> State:
    return reduce(state, Event("loops", (n, skip)))


def _with_note(state: State, note: tuple) -> State:
    """The same state with another note."""
    return replace(state, note=note)


def _prediction(theta: np.ndarray, units: int = 3) -> np.ndarray:
    """ŷ = tanh(x W + b) V + c, written out."""
    W, b, V, c = np.split(theta, [2 * units, 3 * units, 4 * units])
    return np.tanh(X @ W.reshape(2, units) + b) @ V + c


def _mean_square(theta: np.ndarray) -> float:
    return float(np.mean((_prediction(theta) - Y.ravel()) ** 2))


def test_forward_and_loss_are_the_formula() -> None:
    state, theta = _pressed("Forward", "Loss"), np.array(FIRST.parameters)
    np.testing.assert_allclose(state.predictions, _prediction(theta), rtol=1e-12)
    assert state.loss == pytest.approx(_mean_square(theta), rel=1e-12)
    assert state.losses == (state.loss,)


def test_backward_gives_the_gradient_of_every_parameter() -> None:
    theta, h = np.array(FIRST.parameters), 1e-6
    slopes = [(_mean_square(theta + h * e) - _mean_square(theta - h * e)) / (2 * h) for e in np.eye(len(theta))]
    np.testing.assert_allclose(_pressed("Forward", "Loss", "Backward").gradients, slopes, rtol=1e-6, atol=1e-9)


def test_each_stage_makes_one_thing_new_and_leaves_the_others() -> None:
    states = [FIRST, *(_pressed(*STAGES[: k + 1]) for k in range(4))]
    new = [
        {n for n in ("parameters", "predictions", "loss", "gradients") if getattr(a, n) != getattr(b, n)}
        for a, b in itertools.pairwise(states)
    ]
    assert new == [{"predictions"}, {"loss"}, {"gradients"}, {"parameters", "gradients"}]
    assert states[4].gradients is None, "used up"
    assert states[4].stale
    assert states[4].updates == 1


def test_update_is_minus_eta_times_gradient() -> None:
    before = _pressed("Forward", "Loss", "Backward")
    after = reduce(reduce(before, Event("lr", 0.5)), Event("press", "Update"))
    np.testing.assert_allclose(
        after.parameters, np.array(FIRST.parameters) - 0.5 * np.array(before.gradients), rtol=1e-12
    )
    np.testing.assert_allclose(after.change, -0.5 * np.array(before.gradients), rtol=1e-9)


def test_a_hundred_loops_are_a_hundred_times_four_stages_bit_by_bit() -> None:
    by_hand = _pressed(*(STAGES * 20))
    assert _looped(20) == _with_note(by_hand, ("loops", 20, 20, None))
    by_training = _training(100)
    np.testing.assert_array_equal(_looped(100).losses, by_training)


def _training(n: int) -> list[float]:
    """The losses of the loop as a learner writes it."""
    rng = np.random.default_rng(0)
    network = nn.Sequential(nn.Linear(2, 3, rng=rng), nn.Tanh(), nn.Linear(3, 1, rng=rng))
    optimizer = optim.SGD(network.parameters(), lr=0.3)
    found = []
    for _ in range(n):
        loss = losses.mse(network(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def test_the_first_network_learns_xor_visibly_and_without_a_rise() -> None:
    found = np.array(_looped(200).losses)
    assert (np.diff(found) < 0).all()
    assert found[0] > 0.3
    assert 0.24 < found[20] < 0.26, "the plateau of always answering 0.5"
    assert found[99] < 0.01
    assert np.abs(np.array(_looped(200).predictions) - Y.ravel()).max() < 1e-3


def test_without_update_a_thousand_loops_change_nothing() -> None:
    state = _looped(1000, skip=True)
    assert state.parameters == FIRST.parameters
    assert (state.updates, len(state.losses), len(set(state.losses))) == (0, 1000, 1)
    assert sentence(state) == "1000 loops, no update: the loss stays at 0.3374. Next: Update."
    assert not state.skip_update, "the switch is where it was"


def test_loops_without_update_are_not_credited_with_the_fall_before_them() -> None:
    after_updates = _looped(100, state=_looped(100), skip=True)
    assert sentence(after_updates).startswith("100 loops, no update: the loss stays at ")
    by_hand = _pressed("Forward", "Loss", "Backward", "Update")
    assert "fell" not in sentence(_looped(1, state=by_hand, skip=True))


def test_the_switch_lets_forward_follow_on_backward() -> None:
    state = reduce(FIRST, Event("skip", True))
    seen = []
    for _ in range(8):
        seen.append(following(state))
        state = _pressed(seen[-1], state=state)
    assert seen == ["Forward", "Loss", "Backward"] * 2 + ["Forward", "Loss"]
    assert state.loss == state.losses[0]


@pytest.mark.parametrize(
    ("before", "stage", "words"),
    [
        ((), "Loss", "there are no predictions yet. Press Forward first."),
        ((), "Backward", "Backward starts from the loss, and there is none yet. Press Forward first."),
        ((), "Update", "Update needs gradients, and there are none yet. Press Forward first."),
        (("Forward",), "Forward", "the predictions would be the same. Press Loss first."),
        (("Forward",), "Backward", "Backward starts from the loss, and there is none yet. Press Loss first."),
        (("Forward", "Loss"), "Loss", "The loss of these predictions is known already. Press Backward first."),
        (("Forward", "Loss"), "Update", "Update needs gradients, and there are none yet. Press Backward first."),
        (STAGES[:3], "Backward", "Backward would compute the same again. Press Update first."),
        (STAGES[:3], "Forward", "The 13 gradients wait for Update."),
        (STAGES[:3], "Loss", "known already. Press Update first."),
        (STAGES, "Loss", "These predictions are from before the update. Press Forward first."),
        (STAGES, "Backward", "the loss of the new weights, and there is none yet. Press Forward first."),
        (STAGES, "Update", "The gradients are used up"),
    ],
)
def test_a_stage_out_of_order_changes_nothing_and_says_why(before: tuple[str, ...], stage: str, words: str) -> None:
    state = _pressed(*before)
    refused = _pressed(stage, state=state)
    assert words in sentence(refused)
    assert _with_note(refused, ()) == state


def test_update_under_the_switch_says_that_it_is_left_out() -> None:
    state = reduce(_pressed(*STAGES[:3]), Event("skip", True))
    assert sentence(state) == "“skip update” is on: Update is left out. Next: Forward."
    words = sentence(_pressed("Update", state=state))
    assert words == "Update is left out as long as “skip update” is on. Press Forward first."


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ((), "9 weights and 4 biases, drawn at random. Nothing is computed yet. Next: Forward."),
        (STAGES[:1], "Forward: four predictions from the present weights. No weight has changed. Next: Loss."),
        (STAGES[:2], "Loss: the four errors, squared and averaged, give 0.3374. Next: Backward."),
        (STAGES[:3], "Backward: 13 gradients computed. No weight has changed. Next: Update."),
        (STAGES, "Update: all 13 parameters moved by −η · gradient. The predictions are from before it. Next: "),
    ],
)
def test_the_sentence_says_what_happened_and_what_comes_next(stages: tuple[str, ...], words: str) -> None:
    assert sentence(_pressed(*stages)) == words + ("Forward." if stages == STAGES else "")


def test_a_loop_that_was_begun_is_finished_and_counts() -> None:
    for k in range(4):
        state = _looped(1, _pressed(*STAGES[:k]))
        assert state.parameters == _pressed(*STAGES).parameters
    assert _looped(3, _pressed("Forward", "Loss")).losses == _looped(3).losses
    assert sentence(_looped(1)).startswith("1 loop, 1 update: the loss is 0.3374.")


@pytest.mark.parametrize("rate", [1.0, 2.0, 5.0, 10.0])
def test_a_rate_too_large_ends_in_words_and_never_in_a_warning(rate: float) -> None:
    state = reduce(FIRST, Event("lr", rate))
    for _ in range(10):
        state = _looped(100, state)
        description(state)
    assert has_diverged(state)
    assert following(state) == ""
    assert "the numbers are too large for the computer" in sentence(state)
    assert sentence(state).endswith("Press Step back or Reset, and choose a smaller η.")
    for event in (*(Event("press", stage) for stage in STAGES), Event("loops", (100, None))):
        stopped = reduce(state, event)
        assert stopped.losses == state.losses
        assert stopped.parameters == state.parameters
    assert following(reduce(state, Event("reset", FIRST))) == "Forward"


def test_divergence_comes_stage_by_stage_too() -> None:
    state = reduce(FIRST, Event("lr", 10.0))
    for _ in range(2000):
        if not following(state):
            break
        state = _pressed(following(state), state=state)
    assert has_diverged(state)
    assert state.losses[:50] == _looped(50, reduce(FIRST, Event("lr", 10.0))).losses


def test_before_the_numbers_overflow_the_sentence_says_that_the_loss_grew() -> None:
    words = sentence(_looped(20, reduce(FIRST, Event("lr", 2.0))))
    assert words.startswith("20 loops, 20 updates: the loss grew from 0.3374 to ")


def test_going_back_and_reset_leave_rate_and_switch_where_they_are() -> None:
    state = reduce(reduce(_looped(5), Event("lr", 2.5)), Event("skip", True))
    for event in (Event("reset", FIRST), Event("back", FIRST)):
        again = reduce(state, event)
        assert (again.lr, again.skip_update, again.losses) == (2.5, True, ())
        assert again.parameters == FIRST.parameters
    nothing = reduce(state, Event("back"))
    assert sentence(nothing).startswith("There is nothing to step back to. Next: ")


def test_a_rate_that_the_slider_has_not_is_added_to_it() -> None:
    state = reduce(FIRST, Event("lr", 0.123))
    assert state.rates[state.position] == 0.123
    assert sorted({*RATES, 0.123}) == list(state.rates)
    assert sentence(state) == "η = 0.123 now. Only Update uses it; nothing else has changed. Next: Forward."
    assert [reduce(FIRST, Event("position", k)).lr for k in range(len(RATES))] == list(RATES)


def test_too_many_loops_are_refused_in_words() -> None:
    full = State(FIRST.parameters, losses=(0.3,) * 9_950, done="Update", predictions=(0.0,) * 4)
    refused = _looped(100, full)
    assert len(refused.losses) == 9_950
    assert sentence(refused) == "With 100 more loops the picture would be too full. Press Reset."


_EVENTS = st.lists(
    st.one_of(
        st.sampled_from(STAGES).map(lambda stage: Event("press", stage)),
        st.integers(1, 30).map(lambda n: Event("loops", (n, None))),
        st.booleans().map(lambda value: Event("skip", value)),
        st.sampled_from(RATES).map(lambda rate: Event("lr", rate)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(_EVENTS)
def test_whatever_is_pressed_the_state_hangs_together(events: list[Event]) -> None:
    state = FIRST
    for event in events:
        before, state = state, reduce(state, event)
        assert sentence(state)
        assert description(state)
        if not state.stale and state.predictions is not None and not has_diverged(state):
            np.testing.assert_allclose(state.predictions, _prediction(np.array(state.parameters)), rtol=1e-9, atol=1e-9)
        if event.kind == "press" and event.value != "Update":
            assert state.parameters == before.parameters
        assert state.updates <= len(state.losses)


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("press", "forward"), DomainError, "no stage 'forward'. Expected one of Forward, Loss, Backward, Update"),
        (Event("press", 3), DomainError, "no stage 3"),
        (Event("loops", (0, None)), DomainError, "loops is 0"),
        (Event("loops", (2.5, None)), DataError, "loops is 2.5"),
        (Event("loops", (MOST_LOOPS + 1, None)), DomainError, "at once are too many. Expected 1 to 2000"),
        (Event("lr", 0), DomainError, "learning rate is 0. Expected more than 0, at most 10, such as 0.3"),
        (Event("lr", math.nan), DomainError, "lr is nan"),
        (Event("lr", "0.1"), DataError, "lr is '0.1'"),
        (Event("skip", "yes"), DataError, "skip_update is 'yes'. Expected True or False"),
        (Event("position", 99), DomainError, "no event 'position' with the value 99"),
    ],
)
def test_wrong_values_are_refused_with_what_to_try(event: Event, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, event)


def test_four_hidden_units_do_not_fit() -> None:
    with pytest.raises(DomainError, match=r"do not fit into the picture\. Expected 1 to 3"):
        first_state(hidden=4)
    assert [len(first_state(hidden=h).parameters) for h in (1, 2, 3)] == [5, 9, 13]


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0.0, 3, "0.000"), (-0.0314, 3, "−0.031"), (12.345, 3, "12.35"), (-147.661, 3, "−147.7"), (0.0004, 3, "4·10⁻⁴"),
        (0.00099, 3, "0.001"),         (1e300, 3, "1·10³⁰⁰"), (math.inf, 3, "too large"), (0.33741, 4, "0.3374"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_lose_nothing_that_matters(value: float, digits: int, words: str) -> None:
    assert number(value, digits) == words
