"""The nudge lab as a widget: code and controls agree, the tabs change places, a drag is answered at once."""

from collections.abc import Iterator

import numpy as np
import pytest

from bplib.errors import DomainError
from bplib.widgets.nudge.examples import EXAMPLES
from bplib.widgets.nudge.state import PRESETS
from bplib.widgets.nudge.view import NudgeLab, nudge_lab
from bplib.widgets.stage import Drag
from tests.drawn import texts_in


@pytest.fixture
def lab() -> Iterator[NudgeLab]:
    made = nudge_lab()
    yield made
    made.close()


def _visible(lab: NudgeLab) -> set[str]:
    controls = {"slider", "example", "input", "difference", "condition", "preset"}
    return {name for name in controls if getattr(lab, f"_{name}").layout.display != "none"}


def _drag(lab: NudgeLab, x: float, y: float) -> None:
    number = lab.stage.pointer.get("n", 0) + 1
    lab.stage.pointer = {"n": number, "mark": "point", "x": x, "y": y, "phase": "move"}


def test_each_tab_shows_its_own_controls(lab: NudgeLab) -> None:
    assert _visible(lab) == {"slider", "example", "input", "difference"}
    lab.example = "square"
    assert _visible(lab) == {"slider", "example", "difference"}, "one input: nothing to choose"
    lab._show_toggle.value = "direction"
    assert lab.show == "direction"
    assert _visible(lab) == {"condition", "preset"}
    lab.flush()
    assert lab.stage.scene["panels"][0]["title"] == "f = ½(x² + 25y²), seen from above"


def test_code_moves_the_controls_and_controls_are_read_in_code(lab: NudgeLab) -> None:
    lab.input, lab.h, lab.difference = "w", 1e-6, "central"
    assert (lab._input.value, lab._slider.value, lab._difference.value) == ("w", "1e-6", "central")
    lab._input.value, lab._slider.index, lab._difference.value = "y", 140, "forward"
    assert (lab.input, lab.h, lab.difference) == ("y", 1.0, "forward")
    lab.condition_number = 7
    assert (lab._condition.value, ("7", 7.0) in lab._condition.options) == (7.0, True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_function_shows_the_line_that_chooses_it(lab: NudgeLab, name: str) -> None:
    lab._example.value = name
    assert lab.example == name
    assert lab._code.value == f'lab.example = "{name}"'


def test_a_point_of_ones_own_is_no_preset(lab: NudgeLab) -> None:
    lab.at = (-2, 5, -4)
    assert (lab._example.value, lab._code.value) == ("your own", "lab.at = (-2, 5, -4)")
    assert lab.gradient == {"x": -4.0, "y": -4.0, "w": 3.0}
    lab._example.value = "product"
    assert lab.at == EXAMPLES["product"].at


def test_every_preset_of_the_direction_shows_the_line_that_chooses_it(lab: NudgeLab) -> None:
    lab.show = "direction"
    for name, (kappa, point) in PRESETS.items():
        lab._preset.value = name
        assert (lab.condition_number, lab.point) == (kappa, point)
        assert lab._code.value == f"lab.condition_number, lab.point = {kappa:g}, ({point[0]:g}, {point[1]:g})"
    _drag(lab, 1.0, 1.0)
    lab.flush()
    assert lab._preset.value == "your own"


def test_numbers_in_code_are_those_of_the_picture(lab: NudgeLab) -> None:
    lab.example, lab.h = "square", 0.1
    lab.flush()
    assert lab.slope_estimate == pytest.approx(2.1)
    assert lab.error == pytest.approx(0.1)
    assert lab.sentence == lab.stage.scene["sentences"][lab._slider.index]
    lab.show, lab.condition_number, lab.point = "direction", 100, (2.0, 0.2)
    lab.flush()
    assert lab.angle == pytest.approx(78.58, abs=0.005)
    assert lab.sentence == lab.stage.scene["sentences"][0]
    lab.point = (0, 0)
    assert lab.angle is None


def test_a_drag_sends_little_and_the_scene_follows(lab: NudgeLab) -> None:
    lab.show = "direction"
    lab.flush()
    before = lab.stage.scene
    _drag(lab, 9.0, 0.5)
    lab._redraw.flush()
    live = lab.stage.live
    assert lab.stage.scene is before
    assert live["index"] == lab._slider.index
    assert live["sentence"] == lab.sentence
    assert live["words"] == {"angle": f"{lab.angle:.2f}°"}
    np.testing.assert_array_equal(lab.stage.moved["point"], [2.5, 0.5])
    assert len(live["data"]) + len(live["sentence"].encode()) <= 1500
    lab.flush()
    assert lab.stage.live == {}
    assert lab.stage.scene["sentences"] == [lab.sentence]


def test_a_report_that_comes_after_the_tab_has_changed_does_no_harm(lab: NudgeLab) -> None:
    lab._dragged(Drag("point", 1.0, 1.0, "end", 1))
    lab._redraw.flush()
    assert (lab.point, lab.stage.moved) == ((1.0, 1.0), {})
    lab.flush()
    assert (lab.show, lab.stage.live) == ("nudge", {})


def test_reveal_and_reset(lab: NudgeLab) -> None:
    lab.reveal("error")
    assert (lab.state.error_revealed, lab.state.angle_revealed) == (True, False)
    lab.reveal()
    lab.h = 1.0
    lab.reset()
    assert (lab.h, lab.state.angle_revealed) == (0.1, True)
    with pytest.raises(DomainError, match="reveal"):
        lab.reveal("all")


def test_the_twin_gives_the_outcome_below_its_question_and_the_lab_does_not() -> None:
    lab = nudge_lab("polynomial", h=1e-6, question="Which h is best?", name="twin")
    picture = lab.picture()
    assert "★ smallest error at h = 1.3·10⁻⁹" in [text.get_text() for text in texts_in(picture.figure, 2)]
    assert picture.alt.startswith("Which h is best? z = 64x(1−x)")
    assert not lab.state.error_revealed
    lab.close()


def test_a_nudge_of_ones_own_is_on_the_slider() -> None:
    lab = nudge_lab(h=3e-17, name="own h")
    assert (lab._slider.value, lab._slider.index) == ("3e-17", 0)
    assert "x + h is x itself" in lab.sentence
    lab.close()
