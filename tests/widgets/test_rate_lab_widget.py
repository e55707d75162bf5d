"""The rate lab as a widget: every control, a storm of changes, and nothing left behind."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from bplib.errors import BplibError, DomainError
from bplib.widgets.rate.scene import CURVATURE
from bplib.widgets.rate.state import PRESETS
from bplib.widgets.rate.view import RateLab, rate_lab
from tests.drawn import lines_in, texts_in


@pytest.fixture
def lab() -> Iterator[RateLab]:
    made = rate_lab()
    yield made
    made.close()


def _drag(lab: RateLab, x: float, y: float, phase: str = "move") -> None:
    number = lab.stage.pointer.get("n", 0) + 1
    lab.stage.pointer = {"n": number, "mark": "start", "x": x, "y": y, "phase": phase}


def _shown(lab: RateLab, name: str) -> np.ndarray:
    """The coordinates that the browser draws for a mark: live ones, else the table's."""
    stage = lab.stage
    index = lab._slider.index  # the browser's link brings the Stage there
    live = stage.moved if stage.live.get("index") == index else {}
    mark = next(m for panel in stage.scene["panels"] for m in panel["marks"] if m.get("name") == name)
    rows = np.frombuffer(mark["data"], "<f4").reshape(-1, mark["n"], 2)
    return live[name] if name in live else rows[min(index, len(rows) - 1)]


def _counting(lab: RateLab, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    drawn: list[str] = []
    for name in ("show", "replace"):
        real = getattr(lab.stage, name)
        monkeypatch.setattr(lab.stage, name, lambda *a, real=real, name=name, **k: (drawn.append(name), real(*a, **k)))
    return drawn


def test_every_control_goes_to_its_first_last_and_default_place(lab: RateLab) -> None:
    for index in (0, len(lab.state.rates) - 1, 40):
        lab._slider.index = index
        assert lab.rate == lab.state.rates[index] == float(lab._slider.value)
    for _, value in lab._condition.options:
        lab._condition.value = value
        assert lab.condition_number == value
    for name, rate in PRESETS.items():
        lab._preset.value = name
        assert lab.rate == rate
        assert lab._code.value == f"lab.rate = {rate:g}"
        assert lab._slider.value == f"{rate:g}"
        assert lab._slider.index == lab.state.position
    next(widget for widget in lab.children[1].children if getattr(widget, "description", "") == "Reset").click()
    lab.flush()
    assert (lab.rate, lab.condition_number, lab.start) == (0.1, 10.0, (-2.0, 1.5))
    assert lab._preset.value == "your own"


def test_code_and_controls_say_the_same(lab: RateLab) -> None:
    lab.condition_number = 1
    lab.rate = 0.45
    lab.flush()
    assert (lab._condition.value, lab._slider.value, lab._preset.value) == (1, "0.45", "0.45")
    assert lab.steps_to_one_percent == 21
    assert lab.sentence == lab.stage.scene["sentences"][lab._slider.index]
    lab.condition_number = 7
    assert (7, "7") in [(value, label) for label, value in lab._condition.options]
    lab.rate = 0.5
    assert lab.steps_to_one_percent is None


def test_the_losses_are_those_of_the_drawn_path(lab: RateLab) -> None:
    lab.rate = 0.25
    lab.flush()
    w1, w2 = lab.path.T
    assert lab.losses.shape == (len(lab.path),)
    np.testing.assert_allclose(lab.losses, 0.5 * CURVATURE * (w1**2 / lab.condition_number + w2**2), rtol=1e-12)


def test_the_table_holds_the_path_of_every_rate(lab: RateLab) -> None:
    for index in (0, 30, len(lab.state.rates) - 10):
        lab.rate = lab.state.rates[index]
        inside = np.cumprod(np.abs(lab.path).max(axis=1) <= 2.5).astype(bool)
        np.testing.assert_allclose(_shown(lab, "path")[inside], lab.path[inside], rtol=1e-6, atol=1e-6)


def test_dragging_shows_the_new_path_at_once_and_the_new_table_later(lab: RateLab) -> None:
    table = lab.stage.scene
    _drag(lab, 1.0, -1.0)
    assert lab.start == (1.0, -1.0)
    np.testing.assert_allclose(_shown(lab, "path").reshape(-1, 2), lab.path, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(_shown(lab, "start"), [1.0, -1.0])
    assert lab.stage.scene is table
    lab.flush()
    assert lab.stage.live == {}
    np.testing.assert_allclose(_shown(lab, "path"), lab.path, rtol=1e-6, atol=1e-6)


def test_moving_the_slider_right_after_a_drag_shows_no_path_of_the_old_start(lab: RateLab) -> None:
    _drag(lab, 1.0, -1.0, "end")
    lab._slider.index = 3
    lab._redraw.flush()  # at the next frame, not when the drag has rested
    np.testing.assert_allclose(_shown(lab, "path")[0], [1.0, -1.0])


def test_a_live_update_is_small(lab: RateLab) -> None:
    _drag(lab, 1.0, -1.0)
    live = lab.stage.live
    size = len(live["data"]) + len(live["sentence"].encode())
    assert size <= 1500, "with its envelope the message must stay under 4 KB"


@pytest.mark.parametrize("start", [(math.nan, 0.0), (math.inf, 0.0), (3.0, 0.0)])
def test_a_start_out_of_range_is_refused_and_changes_nothing(lab: RateLab, start: tuple[float, float]) -> None:
    with pytest.raises(BplibError):
        lab.start = start
    assert lab.start == (-2.0, 1.5)
    with pytest.raises(BplibError):
        rate_lab(start=start, name="never made")
    _drag(lab, *start)
    assert lab.start in ((-2.0, 1.5), (2.5, 0.0)), "a drag is passed over or stops at the edge"


def test_a_wrong_rate_in_code_gets_an_answer_that_helps(lab: RateLab) -> None:
    with pytest.raises(DomainError, match=r"the nearest is 0.4.*rate_lab\(rate=0.41234\)"):
        lab.rate = 0.41234
    assert rate_lab(rate=0.41234, name="own rate").rate == 0.41234


def test_the_curve_and_its_marks_come_with_the_reveal(lab: RateLab) -> None:
    def texts() -> list[str]:
        return [mark["text"] for mark in lab.stage.scene["panels"][2]["marks"] if mark["kind"] == "rule"]

    assert texts() == []
    lab.reveal()
    lab.flush()
    assert texts() == ["1/λ = 0.25", "2/λ = 0.5"]
    lab.reset()
    lab.flush()
    assert lab.state.revealed


def test_the_static_twin_shows_the_outcome_below_its_question() -> None:
    lab = rate_lab(rate=0.45, question="Which rate is fastest?", name="twin")
    data, _ = lab._repr_mimebundle_()
    assert data["text/plain"] == (
        "Which rate is fastest? Gradient descent on a bowl-shaped loss surface, κ = 10. "
        "η = 0.45: oscillates across the valley and comes within 1 % of the start distance in 23 steps."
    )
    assert "application/vnd.jupyter.widget-view+json" in data
    figure = lab.picture().figure
    assert [text.get_text() for text in texts_in(figure, 2)] == ["1/λ = 0.25", "2/λ = 0.5"]
    assert not lab.state.revealed, "the picture gives the answer, the live lab does not"
    assert len(lab.picture().png()) <= 25_000
    lab.close()


def test_the_twin_plots_the_path_of_the_present_rate(lab: RateLab) -> None:
    lab.rate = 0.45
    line, markers = [line for line in lines_in(lab.picture().figure, 0) if len(line.get_xdata()) == 51]
    for drawn in (line, markers):
        np.testing.assert_allclose(drawn.get_xydata(), lab._scene().panels[0].to_pixels(lab.path), rtol=0, atol=1e-3)
