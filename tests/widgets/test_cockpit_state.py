"""The training cockpit's state: every event gives a new state or refuses in words."""

import math
import signal
from typing import Any

import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.cockpit import state as cockpit_state
from bplib.widgets.cockpit.faults import FAULTS, behind
from bplib.widgets.cockpit.state import MOST, NO_GUESS, Event, State, first_state, reduce
from bplib.widgets.cockpit.training import begin, trained

FIRST = first_state("healthy", 0.1, length=40, seed=0, deal=0)
LETTERS = {fault: letter for letter, fault in behind(0).items()}


def after(state: State, *events: tuple[Any, ...]) -> State:
    for event in events:
        state = reduce(state, Event(*event))
    return state


def test_two_single_epochs_are_one_call_of_two_bit_for_bit() -> None:
    for fault in ("healthy", "no_zeroing"):
        start = after(FIRST, ("setting", LETTERS[fault]), ("guess", "frozen"))
        single, both = after(start, ("epochs", 1), ("epochs", 1)), after(start, ("epochs", 2))
        assert single == both
        assert (single.training.theta, single.training.gradient) == (both.training.theta, both.training.gradient)
        assert hash(single) == hash(both)
        assert single != after(start, ("epochs", 1))


def test_the_state_before_is_not_changed() -> None:
    one = after(FIRST, ("epochs", 1))
    theta, rows = one.training.theta, one.training.rows
    after(one, ("epochs", 3))
    assert (one.training.theta, one.training.rows, one.position) == (theta, rows, 1)


@pytest.mark.parametrize("stop", [1, 3])
def test_a_run_stopped_in_the_middle_goes_on_to_the_same_numbers(stop: int) -> None:
    running = after(FIRST, ("run",))
    assert (running.goal, running.epochs) == (40, 0)
    stopped = after(running, *[("advance",)] * stop, ("stop",))
    assert (stopped.goal, stopped.epochs) == (0, stop)
    assert after(stopped, ("advance",)) is stopped
    assert after(stopped, ("epochs", 5 - stop)) == after(FIRST, ("epochs", 5))


def test_run_goes_to_the_next_multiple_of_its_length_and_ends_there() -> None:
    short = first_state("healthy", 0.1, length=3, seed=0, deal=0)
    done = after(short, ("epochs", 1), ("run",), *[("advance",)] * 5)
    assert (done.epochs, done.goal, done.position) == (3, 0, 3)
    assert after(done, ("run",)).goal == 6


def test_the_look_follows_the_run_unless_it_has_gone_back_in_time() -> None:
    start = after(FIRST, ("epochs", 3), ("position", 1), ("run",))
    assert start.position == 3
    assert after(start, ("advance",)).position == 4
    assert after(start, ("epoch", 2), ("advance",)).position == 2
    assert after(start, ("epoch", 2), ("epochs", 1)).position == 4


def test_another_setting_or_rate_begins_a_new_run_and_the_same_does_not() -> None:
    trained_on = after(FIRST, ("epochs", 2), ("guess", "dead"), ("run",))
    assert after(trained_on, ("setting", "healthy")) is trained_on
    assert after(trained_on, ("lr", 0.1)) is trained_on
    other = after(trained_on, ("setting", "A"))
    assert (other.epochs, other.position, other.goal, other.guess, other.tried) == (0, 0, 0, NO_GUESS, None)
    slower = after(trained_on, ("lr", 0.05))
    assert (slower.epochs, slower.goal, slower.training.lr, slower.guess) == (0, 0, 0.05, "dead")
    assert after(slower, ("epochs", 1)).tried == trained("dead", 0.05, 0, 1)


def test_a_guess_is_tried_at_the_same_rate_and_keeps_up_with_the_run_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guessed = after(FIRST, ("epochs", 2), ("position", 0), ("guess", "frozen"))
    assert (guessed.tried, guessed.position) == (trained("frozen", 0.1, 0, 2), 2)
    assert after(guessed, ("epochs", 1)).tried == trained("frozen", 0.1, 0, 3)
    assert after(guessed, ("guess", NO_GUESS)).tried is None
    assert after(guessed, ("guess", "frozen")) is guessed
    monkeypatch.setattr(cockpit_state, "_COMPARED", 3)
    assert after(guessed, ("epochs", 2)).tried == trained("frozen", 0.1, 0, 3)
    assert after(FIRST, ("epochs", 4), ("guess", "frozen")).tried == trained("frozen", 0.1, 0, 3)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_right_guess_names_the_fault_as_soon_as_something_has_run(fault: str) -> None:
    setting = LETTERS[fault]
    fresh = after(FIRST, ("setting", setting), ("guess", fault))
    assert fresh.named == ()
    assert after(fresh, ("epochs", 1)).named == (setting,)
    wrong = "dead" if fault != "dead" else "frozen"
    assert after(FIRST, ("setting", setting), ("epochs", 1), ("guess", wrong)).named == ()
    assert after(FIRST, ("setting", setting), ("reveal",)).named == (setting,)


def test_reset_keeps_what_was_named_and_nothing_else() -> None:
    busy = after(FIRST, ("setting", "C"), ("lr", 0.3), ("epochs", 1), ("reveal",), ("setting", "A"), ("run",))
    assert after(busy, ("reset", FIRST)) == after(FIRST, ("setting", "C"), ("reveal",), ("setting", "healthy"))


def test_a_position_beyond_the_run_stops_at_its_end_and_an_epoch_in_code_is_refused() -> None:
    run = after(FIRST, ("epochs", 2))
    assert (after(run, ("position", 9)).position, after(run, ("position", -3)).position) == (2, 0)
    with pytest.raises(DomainError, match=r"epoch 3 has not been run. Expected 0 to 2, to look back .* try run\(20\)"):
        after(run, ("epoch", 3))


def test_a_run_ends_at_200_epochs_and_where_the_loss_is_no_number() -> None:
    training = begin("healthy", 0.1, 0)
    full = cockpit_state.replace(FIRST, training=cockpit_state.replace(training, rows=training.rows * (MOST + 1)))
    assert full.is_over
    assert (after(full, ("run",)).goal, after(full, ("epochs", 5)).epochs, full.end) == (0, MOST, MOST)
    row = training.rows[0]._replace(train_loss=math.inf)
    lost = cockpit_state.replace(FIRST, training=cockpit_state.replace(training, rows=(*training.rows, row)))
    assert lost.is_over
    assert after(lost, ("epochs", 5)).training is lost.training
    assert after(cockpit_state.replace(lost, goal=40), ("advance",)).goal == 0


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (("setting", "I"), DomainError, 'setting is \'I\'. Expected one of "healthy", "A", "B"'),
        (("setting", ["A"]), DomainError, "setting is"),
        (("guess", "sign"), DomainError, 'guess is \'sign\'. Expected one of "none yet", "healthy", "unscaled"'),
        (("lr", 0), DomainError, "lr is 0. Expected a learning rate above 0, at most 100. Try lr=0.1."),
        (("lr", 101), DomainError, "at most 100"),
        (("lr", math.nan), DomainError, "lr is nan. Expected a finite number"),
        (("lr", -math.inf), DomainError, "finite"),
        (("lr", "0.1"), DataError, "Expected one number, for example lr=0.1"),
        (("epochs", 0), DomainError, "epochs is 0. Expected a whole number of at least 1"),
        (("epochs", 61), DomainError, "epochs is 61. Expected a whole number from 1 to 60. Try epochs=20."),
        (("epochs", 10**400), DomainError, "epochs is too large"),
        (("epochs", 2.0), DataError, "Expected a whole number"),
        (("epochs", True), DataError, "Expected a whole number"),
        (("epoch", -1), DomainError, "epoch is -1"),
        (("epoch", 10**400), DomainError, "epoch so large has not been run"),
        (("jump", 3), DomainError, "there is no event 'jump' with the value 3"),
        (("reset", None), DomainError, "there is no event 'reset'"),
        (("position", 1.5), DomainError, "there is no event 'position'"),
    ],
)
def test_a_value_that_is_none_is_refused_in_words(event: tuple[Any, ...], error: type, words: str) -> None:
    with pytest.raises(error) as caught:
        after(FIRST, event)
    assert words in str(caught.value)
    assert str(caught.value).startswith("training cockpit: ")


@pytest.mark.parametrize(
    "wrong", [{"setting": "Z"}, {"lr": 0.0}, {"length": 0}, {"length": 61}, {"seed": -1}, {"deal": -1}, {"deal": "0"}]
)
def test_a_first_value_outside_its_range_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"setting": "healthy", "lr": 0.1, "length": 40, "seed": 0, "deal": 0} | wrong
    setting, lr = given.pop("setting"), given.pop("lr")
    with pytest.raises(BplibError, match="training cockpit: "):
        first_state(setting, lr, **given)


def test_an_interrupt_while_an_event_trains_leaves_the_state_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = cockpit_state.one_epoch, []

    def interrupted(training: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return real(training)

    with monkeypatch.context() as patch:
        patch.setattr(cockpit_state, "one_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            after(FIRST, ("epochs", 5))
    assert (FIRST.epochs, FIRST.training) == (0, begin("healthy", 0.1, 0))
