"""The loss comparer as a widget: code and controls agree, and every drag gets an answer."""

from collections.abc import Iterator

import numpy as np
import pytest

from bplib.errors import DomainError
from bplib.widgets.losses.state import CLASS_PRESETS, NUMBER_PRESETS
from bplib.widgets.losses.view import LossComparer, loss_comparer


@pytest.fixture
def comparer() -> Iterator[LossComparer]:
    made = loss_comparer()
    yield made
    made.close()


def _drag(comparer: LossComparer, x: float, phase: str = "move", y: float = 4.0) -> int:
    number = comparer.stage.pointer.get("n", 0) + 1
    comparer.stage.pointer = {"n": number, "mark": "outlier", "x": x, "y": y, "phase": phase}
    return number


def _visible(comparer: LossComparer) -> list[str]:
    controls = [comparer._tab, comparer._slider, *comparer._logits, *comparer.children[-4].children]
    return [c.description for c in controls if c.layout.display != "none" and getattr(c, "description", "")]


def test_each_picture_has_its_own_controls(comparer: LossComparer) -> None:
    assert _visible(comparer) == ["show", "prediction c", "draw the", "preset", "Reset"]
    comparer._tab.value = "classes"
    assert _visible(comparer) == ["show", "logit z₀", "logit z₁", "logit z₂", "preset", "Reset"]
    comparer.show = "numbers"
    assert comparer._tab.value == "numbers"
    assert _visible(comparer)[1] == "prediction c"
    assert comparer._curve.layout.display == "flex", "a row of buttons stays a row"


def test_code_and_controls_say_the_same(comparer: LossComparer) -> None:
    comparer.outlier, comparer.delta, comparer.c, comparer.derivative = 100, 10, 22, True
    comparer.flush()
    assert (comparer._slider.value, comparer._curve.value) == ("22", True)
    assert comparer._numbers_preset.value == "outlier 100, δ = 10"
    assert comparer._code.value == "comparer.outlier, comparer.delta = 100, 10"
    assert comparer.sentence == comparer.stage.scene["sentences"][comparer._slider.index]
    assert comparer.minima == {"MSE": 22.0, "MAE": 3.0, "Huber": 5.0}
    assert comparer.slopes == pytest.approx({"MSE": 0, "MAE": 0.6, "Huber": 6})
    assert comparer.losses["MSE"] == pytest.approx(1522)
    comparer._slider.index = comparer.state.frame.positions.index(3)
    assert comparer.c == 3
    with pytest.raises(DomainError, match="no c = 50"):
        comparer.c = 50


def test_the_classes_in_code_and_on_the_sliders(comparer: LossComparer) -> None:
    comparer.show = "classes"
    comparer.logits, comparer.target, comparer.examples = (-1000, 0.123456, 5), 1, 4
    assert [slider.value for slider in comparer._logits] == ["−1000", "0.123456", "5"]
    assert comparer._code.value == "comparer.logits, comparer.target = (-1000, 0.123456, 5), 1"
    np.testing.assert_allclose(comparer.gradient, (comparer.probabilities - [0, 1, 0]) / 4)
    assert comparer.cross_entropy == pytest.approx(np.log1p(np.exp(5 - 0.123456)))
    comparer._logits[1].index = comparer._logits[1].options.index("−6")
    assert comparer.logits == (-1000, -6, 5)
    comparer.flush()
    assert "0.123456" not in comparer._logits[1].options
    comparer._logits[0].index = len(comparer._logits[0].options) - 1
    assert comparer.logits[0] == 1000


def test_every_preset_brings_the_controls_along(comparer: LossComparer) -> None:
    for name, (outlier, delta) in NUMBER_PRESETS.items():
        comparer._numbers_preset.value = name
        assert (comparer.outlier, comparer.delta, comparer._numbers_preset.value) == (outlier, delta, name)
    comparer.show = "classes"
    for name, (logits, target) in CLASS_PRESETS.items():
        comparer._class_preset.value = name
        assert (comparer.logits, comparer.target, comparer._class_preset.value) == (logits, target, name)
    comparer.reset()
    assert (comparer.data, comparer.logits, comparer.show) == ((1, 2, 3, 4, 5), (1, 2, -1), "classes")
    assert comparer._numbers_preset.value == "outlier 5"


def test_the_outlier_is_dragged_live_while_the_axes_stay(comparer: LossComparer) -> None:
    table = comparer.stage.scene
    _drag(comparer, 6.2)
    assert comparer.outlier == 6
    assert comparer.stage.scene is table
    np.testing.assert_allclose(comparer.stage.moved["outlier"], [6, 4])
    assert comparer.stage.live["words"]["MSE lowest words"] == "3.2 (was 3)"
    comparer.flush()
    assert comparer.stage.live == {}
    assert comparer.stage.scene["sentences"][comparer._slider.index] == comparer.sentence


def test_moving_c_sends_no_scene(comparer: LossComparer) -> None:
    before = comparer.stage.scene
    for index in (0, 60, 120):
        comparer._slider.index = index
        comparer.flush()
        assert comparer.stage.scene is before
        assert comparer.sentence == before["sentences"][index]


def test_a_drag_beyond_the_axes_brings_new_ones_at_once(comparer: LossComparer) -> None:
    _drag(comparer, 6)
    _drag(comparer, 100)
    comparer._redraw.flush()
    assert comparer.stage.live == {}
    assert comparer.stage.scene["panels"][1]["x"]["high"] == 40
    assert (comparer.c, comparer._slider.value) == (4.5, "4.5")


def test_no_coordinates_are_sent_alone_while_new_axes_wait(comparer: LossComparer) -> None:
    comparer._redraw._interval = 60.0
    for x in (6, 100, 90):
        _drag(comparer, x)
    comparer._redraw.flush()
    assert comparer.stage.live == {}
    assert comparer.stage.scene["panels"][1]["x"]["high"] == 40


def test_going_there_and_back_between_two_axes_draws_what_comes_last(
    comparer: LossComparer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    show = comparer.stage.show
    monkeypatch.setattr(comparer.stage, "show", lambda scene: (drawn.append("show"), show(scene)))
    comparer._redraw._interval = 60.0
    for k in range(40):
        _drag(comparer, (6, 100, 5, 40)[k % 4])
    comparer.flush()
    assert len(drawn) <= 3, "once at first, and the last"
    assert comparer.stage.live == {}
    assert comparer.outlier == 40
    assert comparer.stage.scene["sentences"][comparer._slider.index] == comparer.sentence


@pytest.mark.parametrize("show", ["numbers", "classes"])
def test_a_live_update_is_small(comparer: LossComparer, show: str) -> None:
    comparer.show = show
    comparer.flush()
    if show == "numbers":
        _drag(comparer, 6)
    else:
        comparer._logits[0].index += 3
    comparer._redraw.flush()
    live = comparer.stage.live
    size = len(live["data"]) + len(live["sentence"].encode())
    size += sum(len(words.encode()) for words in live["words"].values())
    assert 0 < size <= 1500


def test_the_twin_of_an_untouched_comparer_shows_the_outcome_below_its_question() -> None:
    asked = loss_comparer(question="Where is each minimum?", name="asked")
    assert "MSE is lowest at c = 22, MAE at 3, Huber at 3." in asked.picture().alt
    assert asked.picture().alt.startswith("Where is each minimum? Three losses of one prediction c")
    assert asked.outlier == 5, "the picture gives the answer, the live comparer does not"
    assert "at c = 22" not in str(asked.stage.scene["sentences"])
    asked.outlier = 20
    assert "MSE is lowest at c = 6" in asked.picture().alt
    asked.close()
    plain = loss_comparer(name="plain")
    assert "All three are lowest at c = 3." in plain.picture().alt
    plain.close()


def test_making_one_from_other_numbers() -> None:
    with pytest.raises(DomainError, match="Expected 2 to 9"):
        loss_comparer(data=[5])
    other = loss_comparer(data=(50, 52, 60, 10), delta=2.5, c=51, show="classes", derivative=True, name="other")
    assert (other.data, other.c, other.minima["MAE"]) == ((50, 52, 60, 10), 51, 51)
    other.close()
