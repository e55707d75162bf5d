"""The loop stepper as a widget: every button, a storm of changes, and nothing left behind."""

import base64
import time
from collections.abc import Iterator

import ipywidgets as ipw
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from bplib.errors import BplibError
from bplib.widgets.loop.state import RATES, STAGES
from bplib.widgets.loop.view import LoopStepper, loop_stepper
from tests.drawn import lines_in


@pytest.fixture
def stepper() -> Iterator[LoopStepper]:
    made = loop_stepper()
    yield made
    made.close()


def _buttons(stepper: LoopStepper) -> dict[str, ipw.Button]:
    rows = [row.children for row in stepper.children if isinstance(row, ipw.HBox)]
    return {child.description: child for row in rows for child in row if isinstance(child, ipw.Button)}


def _click(stepper: LoopStepper, *names: str) -> None:
    for name in names:
        _buttons(stepper)[name].click()
    stepper.flush()


def _shown(stepper: LoopStepper, panel: int) -> list[str]:
    """The words that the browser draws in a panel."""
    return [mark["text"] for mark in stepper.stage.scene["panels"][panel]["marks"] if mark["kind"] == "text"]


def _numbers(words: list[str]) -> list[tuple[str, ...]]:
    """The numbers on the network, those of one parameter together."""
    bare = [word.removeprefix("b ").replace("−", "-") for word in words if word[0] not in "xhŷ"]
    return [tuple(bare[k : k + 2]) for k in range(0, len(bare), 2)]


def _written(values: tuple[float, ...]) -> tuple[str, ...]:
    return tuple(f"{value:.3f}" for value in values)


def _counting(stepper: LoopStepper, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    drawn, real = [], stepper.stage.show
    monkeypatch.setattr(stepper.stage, "show", lambda scene: (drawn.append(1), real(scene)))
    return drawn


def _emphasised(stepper: LoopStepper) -> list[str]:
    return [name for name, one in _buttons(stepper).items() if one.button_style == "primary"]


def test_the_buttons_do_what_the_code_does_and_the_next_one_stands_out(stepper: LoopStepper) -> None:
    assert list(_buttons(stepper)) == [*STAGES, "One loop", "100 loops", "Step back", "Reset"]
    for stage, coming in zip(STAGES, (*STAGES[1:], "Forward"), strict=True):
        assert _emphasised(stepper) == [stage]
        styles = {name: (one.style.font_weight, one.style.text_decoration) for name, one in _buttons(stepper).items()}
        assert styles[stage] == ("bold", "underline"), "not by colour alone"
        assert styles[coming] == ("normal", "none")
        _click(stepper, stage)
        assert stepper.state.done == stage
        assert stepper.stage.scene["sentences"] == [stepper.sentence]
    assert _emphasised(stepper) == ["Forward"]


def test_the_numbers_on_the_network_are_the_numbers_of_the_code(stepper: LoopStepper) -> None:
    _click(stepper, "Forward", "Loss")
    before = _shown(stepper, 0)
    _click(stepper, "Backward")
    words = _shown(stepper, 0)
    assert set(before) <= set(words), "no weight has changed"
    weights, gradients = stepper.weights, stepper.gradients
    assert _numbers(words) == [_written(pair) for pair in zip(weights, gradients, strict=True)]
    _click(stepper, "Update")
    assert stepper.gradients is None
    added = zip(stepper.weights, -0.3 * gradients, strict=True)
    assert _numbers(_shown(stepper, 0)) == [_written(pair) for pair in added], "the gradients are gone"
    _click(stepper, "Forward")
    assert len(_shown(stepper, 0)) == len(before), "a new loop begins without gradients"


def test_update_changes_no_prediction_until_the_next_forward(stepper: LoopStepper) -> None:
    _click(stepper, "Forward")
    shown, values = _shown(stepper, 1), stepper.predictions
    _click(stepper, "Loss", "Backward", "Update")
    np.testing.assert_array_equal(stepper.predictions, values)
    assert _shown(stepper, 1) == [f"({word})" for word in shown]
    assert stepper.stage.scene["panels"][1]["x"]["label"] == "prediction ŷ, from before the update"
    _click(stepper, "Forward")
    assert not np.array_equal(stepper.predictions, values)
    assert _shown(stepper, 1)[0] == f"{stepper.predictions[0]:.3f}"


def test_a_hundred_loops_step_back_and_reset(stepper: LoopStepper) -> None:
    first = stepper.weights
    _click(stepper, "Forward", "100 loops")
    assert (len(stepper.losses), stepper.updates) == (100, 100)
    assert stepper.losses[-1] < 0.01
    _click(stepper, "Step back")
    assert stepper.state.done == "Forward"
    np.testing.assert_array_equal(stepper.weights, first)
    _click(stepper, "Update", "Loss", "Step back")
    assert stepper.state.done == "Forward", "what was refused needs no undoing"
    _click(stepper, "Step back")
    assert stepper.state.done == ""
    _click(stepper, "Step back")
    assert "nothing to step back to" in stepper.sentence
    _click(stepper, "One loop", "Reset")
    assert stepper.losses.size == 0
    _click(stepper, "Step back")
    assert stepper.losses.size == 1, "a reset can be undone"


def test_switch_and_slider_act_and_follow(stepper: LoopStepper) -> None:
    stepper._skip.value = True
    assert stepper.skip_update is True
    _click(stepper, "Forward", "Loss", "Backward")
    assert _emphasised(stepper) == ["Forward"]
    _click(stepper, "100 loops")
    assert len(set(stepper.losses.tolist())) == 1
    stepper.skip_update = False
    assert stepper._skip.value is False
    for index in (0, len(RATES) - 1, 7):
        stepper._rate.index = index
        assert stepper.lr == RATES[index] == float(stepper._rate.value)
    stepper.lr = 0.123
    assert (stepper._rate.value, stepper._rate.index) == ("0.123", stepper.state.position)
    stepper._rate.index = 0
    assert stepper.lr == RATES[0]


def test_moving_the_slider_changes_nothing_but_the_next_update(stepper: LoopStepper) -> None:
    _click(stepper, "Forward", "Loss", "Backward")
    before = stepper.state
    stepper._rate.index = 20
    for name in ("parameters", "predictions", "loss", "gradients", "losses"):
        assert getattr(stepper.state, name) == getattr(before, name)
    gradients, weights = stepper.gradients, stepper.weights
    _click(stepper, "Update")
    np.testing.assert_allclose(stepper.weights, weights - RATES[20] * gradients, rtol=1e-12)


def test_what_the_code_reads_are_copies(stepper: LoopStepper) -> None:
    stepper.loops(2)
    stepper.press("Forward")
    stepper.press("Loss")
    stepper.press("Backward")
    for name in ("weights", "gradients", "predictions", "losses"):
        getattr(stepper, name)[...] = 9
        assert not (getattr(stepper, name) == 9).any()


@pytest.mark.parametrize("change", ["press", "loops"])
def test_a_storm_of_a_thousand_changes_ends_in_the_last_with_few_redraws(
    stepper: LoopStepper, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, started = _counting(stepper, monkeypatch), time.monotonic()
    for k in range(1000):
        if change == "press":
            stepper.press(STAGES[k % 4])
        else:
            stepper.loops(1)
    stepper.flush()
    # One in 0.03 seconds; on a machine that does much else the storm itself takes seconds.
    assert len(drawn) <= max(60, (time.monotonic() - started) / 0.03 + 2)
    assert stepper.stage.scene["sentences"] == [stepper.sentence]
    assert len(stepper.losses) == {"press": 250, "loops": 1000}[change]


def test_what_can_be_undone_is_bounded(stepper: LoopStepper) -> None:
    for k in range(1000):
        stepper.press(STAGES[k % 4])
    assert len(stepper._past) == 200


@pytest.mark.parametrize("settings", [{"lr": -1}, {"hidden": 9}, {"hidden": 2.5}, {"seed": "x"}])
def test_wrong_settings_are_refused_before_anything_is_made(settings: dict) -> None:
    before = set(_instances)
    with pytest.raises(BplibError):
        loop_stepper(name="never made", **settings)
    assert set(_instances) == before


def test_a_wrong_value_in_code_changes_nothing(stepper: LoopStepper) -> None:
    for wrong in ("forward", "", None):
        with pytest.raises(BplibError, match="no stage"):
            stepper.press(wrong)
    with pytest.raises(BplibError):
        stepper.lr = 0
    with pytest.raises(BplibError):
        stepper.skip_update = "on"
    assert stepper.state.done == ""
    assert stepper.lr == 0.3


def test_the_twin_of_an_untouched_stepper_shows_the_first_gradients(stepper: LoopStepper) -> None:
    data, _ = stepper._repr_mimebundle_()
    assert data["text/plain"] == (
        "A network that learns XOR, one stage at a time. Predictions: 0.567 for 0 0, 0.077 for 0 1, 0.882 for 1 0, "
        "0.402 for 1 1. Loss 0.3374 in loop 1. Each weight and each bias is written on the network, its gradient "
        "below it, from −0.215 to 0.182. Backward: 13 gradients computed. No weight has changed. Next: Update."
    )
    assert "application/vnd.jupyter.widget-view+json" in data
    assert stepper.state.done == "", "the live one has not moved"
    assert len(base64.b64decode(data["image/png"])) <= 25_000


def test_the_twin_shows_the_present_state_below_its_question() -> None:
    stepper = loop_stepper(question="Backward 1,000 times, no Update: where does the loss go?", name="twin")
    stepper.loops(1000, skip_update=True)
    picture = stepper.picture()
    assert picture.alt.startswith("Backward 1,000 times, no Update: where does the loss go? A network that learns XOR")
    assert picture.alt.endswith("1000 loops, no update: the loss stays at 0.3374. Next: Update.")
    (curve,) = [line for line in lines_in(picture.figure, 2) if len(line.get_xdata()) == 1000]
    axis, box = stepper._scene().panels[2].y, stepper._scene().panels[2].rectangle
    heights = axis.to_pixels(stepper.losses, box.y + box.height, box.y) + 28  # below the question
    np.testing.assert_allclose(curve.get_ydata(), heights, rtol=1e-6)
    stepper.close()
