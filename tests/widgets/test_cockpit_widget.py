"""The training cockpit as a widget: it runs by itself and stops, code and controls agree, the slider grows at rest."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bplib.errors import DomainError
from bplib.viz.curves import loss_curves
from bplib.widgets.cockpit import state as cockpit_state
from bplib.widgets.cockpit.faults import FAULTS, behind
from bplib.widgets.cockpit.training import trained
from bplib.widgets.cockpit.view import TrainingCockpit, training_cockpit


@pytest.fixture
def cockpit() -> Iterator[TrainingCockpit]:
    made = training_cockpit(name="tried")
    yield made
    made.close()


def _positions(cockpit: TrainingCockpit) -> int:
    return max((len(mark["text"]) for panel in cockpit.stage.scene["panels"] for mark in panel["marks"]
                if isinstance(mark.get("text"), list)), default=1)  # fmt: skip


def test_code_and_controls_say_the_same(cockpit: TrainingCockpit) -> None:
    cockpit.setting, cockpit.lr = "D", 0.07
    cockpit.run(2)
    cockpit.guess = "frozen"
    cockpit.flush()
    assert (cockpit._setting.value, cockpit._rate.value, cockpit._guess.value) == ("D", 0.07, "frozen")
    assert (cockpit._slider.value, cockpit.epoch, _positions(cockpit)) == ("2", 2, 3)
    assert "0.07" in [label for label, _ in cockpit._rate.options]
    assert cockpit.sentence == cockpit.stage.scene["sentences"][2]
    cockpit._guess.value = "dead"
    assert (cockpit.guess, cockpit.sentence[:7]) == ("dead", "Yes, D:")
    cockpit._rate.value = 0.3
    assert (cockpit.lr, cockpit.epoch) == (0.3, 0)
    cockpit._setting.value = "healthy"
    assert (cockpit.setting, cockpit.guess) == ("healthy", "none yet")


def test_the_slider_and_code_look_back_in_time(cockpit: TrainingCockpit) -> None:
    cockpit.run(3)
    cockpit.flush()
    cockpit._slider.index = 1
    assert cockpit.epoch == 1
    assert cockpit.sentence.startswith("Epoch 1: ")
    assert "Epoch 1: " in cockpit.picture().alt
    cockpit.epoch = 2
    cockpit.flush()
    assert (cockpit._slider.value, cockpit.sentence[:9]) == ("2", "Epoch 2: ")
    cockpit._one.click()
    cockpit.flush()
    assert (cockpit.epoch, cockpit._slider.value) == (4, "4")
    with pytest.raises(DomainError, match="epoch 5 has not been run"):
        cockpit.epoch = 5


@pytest.mark.parametrize("name", ["healthy", "F"])
def test_the_line_of_code_leads_to_the_same_run(cockpit: TrainingCockpit, name: str) -> None:
    cockpit.setting, cockpit.lr = name, 0.03
    cockpit.run(2)
    chosen, line = cockpit.state, cockpit._code.value
    assert line == f'cockpit.setting, cockpit.lr = "{name}", 0.03; cockpit.run(2)'
    cockpit.reset()
    exec(line, {"cockpit": cockpit})  # noqa: S102
    assert cockpit.state == chosen


def test_run_goes_on_by_itself_and_stop_ends_it(cockpit: TrainingCockpit) -> None:
    assert cockpit._go.description == "Run"
    cockpit._go.click()
    assert (cockpit._go.description, cockpit.is_running, cockpit.epoch) == ("Stop", True, 0)
    for _ in range(3):
        cockpit._next.flush()
    assert cockpit.sentence.startswith("Running, epoch 3 of 40: loss ")
    assert (cockpit._slider.disabled, cockpit._slider.readout) == (True, False)
    cockpit._go.click()
    assert (cockpit._go.description, cockpit.is_running) == ("Run", False)
    cockpit._next.flush()  # the epoch that was already asked for
    cockpit.flush()
    assert (cockpit.epoch, cockpit._slider.value, _positions(cockpit)) == (3, "3", 4)
    assert (cockpit._slider.disabled, cockpit._slider.readout) == (False, True)
    assert cockpit.state.training == trained("healthy", 0.1, 0, 3)


@pytest.mark.parametrize("press", ["_setting", "_rate", "reset"])
def test_another_run_ends_the_one_under_way(cockpit: TrainingCockpit, press: str) -> None:
    cockpit._go.click()
    cockpit._next.flush()
    if press == "reset":
        cockpit.reset()
    else:
        getattr(cockpit, press).index += 1
    cockpit._next.flush()
    cockpit.flush()
    assert (cockpit.is_running, cockpit.epoch, cockpit._go.description) == (False, 0, "Run")
    assert (cockpit._slider.options, cockpit._slider.disabled, _positions(cockpit)) == (("0", "1"), True, 1)


def test_in_a_loop_the_run_comes_to_its_end_and_to_rest_with_nobody_pressing_anything() -> None:
    async def wait() -> list[int]:
        cockpit, seen = training_cockpit(epochs=3, name="looped"), []
        cockpit._go.click()
        for _ in range(400):
            await asyncio.sleep(0.01)
            seen.append(cockpit.epoch)
            if not cockpit.is_running and not cockpit._rest.pending:
                break
        assert (cockpit._slider.value, _positions(cockpit)) == ("3", 4)
        cockpit._go.click()
        cockpit.close()
        await asyncio.sleep(0.1)
        assert cockpit.epoch == 3, "closed while it ran"
        return seen

    assert set(asyncio.run(wait())) == {0, 1, 2, 3}


def test_until_the_run_rests_no_position_is_sent_and_then_the_labels_before_it(cockpit: TrainingCockpit) -> None:
    sent: list[dict[str, Any]] = []
    send = cockpit._slider._send
    cockpit._slider._send = lambda message, buffers=None: (sent.append(message["state"]), send(message, buffers))
    cockpit.run(4)
    assert not any({"index", "_options_labels"} & state.keys() for state in sent)
    assert (_positions(cockpit), len(cockpit.stage.scene["sentences"])) == (1, 1)
    cockpit.flush()
    told = [state for state in sent if {"index", "_options_labels"} & state.keys()]
    assert len(told) == 2
    assert (told[0].get("index", 0), len(told[0]["_options_labels"])) == (0, 5), "a browser would stop at its old end"
    assert told[1] == {"index": 4}
    sent.clear()
    cockpit.setting = "A"
    cockpit.flush()
    told = [state for state in sent if {"index", "_options_labels"} & state.keys()]
    assert told == [{"index": 0, "_options_labels": ("0", "1")}]


def test_an_interrupt_ends_a_run_after_the_epoch_under_way(
    cockpit: TrainingCockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = cockpit_state.one_epoch, []

    def interrupted(training: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return real(training)

    with monkeypatch.context() as patch:
        patch.setattr(cockpit_state, "one_epoch", interrupted)
        cockpit.run(30)
    assert cockpit.epoch == 2
    cockpit.run(1)
    assert cockpit.state.training == trained("healthy", 0.1, 0, 3)


@pytest.mark.parametrize("epochs", [0, 61, -1])
def test_a_run_of_a_wrong_length_trains_nothing(cockpit: TrainingCockpit, epochs: int) -> None:
    with pytest.raises(DomainError, match="training cockpit: epochs is"):
        cockpit.run(epochs)
    assert cockpit.epoch == 0


def test_the_fault_is_shown_only_after_a_guess(cockpit: TrainingCockpit) -> None:
    cockpit.setting = "H"
    cockpit.run(1)
    assert cockpit._reveal.disabled
    cockpit._guess.value = "dead"
    assert not cockpit._reveal.disabled
    assert cockpit.sentence.startswith("No. ")
    cockpit._reveal.click()
    assert cockpit._reveal.disabled
    assert cockpit.sentence.startswith("H: the optimizer does not hold layer 1.")
    assert cockpit._code.value.endswith("# SGD(network[2].parameters(), lr=lr)")
    cockpit.reset()
    assert cockpit.setting == "healthy"
    cockpit.setting = "H"
    assert cockpit.sentence == "H: the optimizer does not hold layer 1. Run it and see what that does."


def test_the_history_is_a_table_that_can_be_drawn(cockpit: TrainingCockpit) -> None:
    assert len(cockpit.history) == 0
    cockpit.run(2)
    history = cockpit.history
    assert history["epoch"].tolist() == [0, 1, 2]
    history["train_loss"][:] = 7.0
    assert not (cockpit.history["train_loss"] == 7.0).any()
    assert "The training loss falls" in loss_curves(history).alt
    assert np.isnan(history["gradient_norm_1"][0])


def test_another_deal_hides_other_faults_behind_the_letters() -> None:
    other = training_cockpit("A", deal=1, name="dealt")
    fault = behind(1)["A"]
    assert fault != behind(0)["A"]
    other.run(1)
    other.guess = fault
    assert other.sentence.startswith("Yes, A: ")
    other.close()


def test_an_untouched_cockpit_tells_nothing_and_its_twin_shows_a_later_moment(cockpit: TrainingCockpit) -> None:
    assert "2.3" not in str(cockpit.stage.scene) + cockpit.sentence + cockpit._code.value
    assert cockpit.picture().alt.endswith("validation digits right.")
    assert "Epoch 15: " in cockpit.picture().alt
    assert cockpit.epoch == 0


def test_a_question_opens_the_fault_in_the_static_twin_alone() -> None:
    asked = training_cockpit("D", question="What is wrong?", name="asked")
    picture = asked.picture()
    assert picture.alt.startswith("What is wrong? ")
    assert "D: the units of layer 1 begin with a bias of −10" in picture.alt
    assert len(picture.png()) <= 25_000
    assert asked.state.named == ()
    asked.close()


def test_every_fault_can_be_guessed_from_the_list(cockpit: TrainingCockpit) -> None:
    assert [value for _, value in cockpit._guess.options] == ["none yet", *FAULTS]
    labels = [label for label, _ in cockpit._guess.options]
    assert len(set(labels)) == len(labels)
