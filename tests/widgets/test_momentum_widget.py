"""The momentum plane as a widget: code and controls agree, a drag is small and never shows an old table."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bplib.widgets.momentum.state import NOISE_PRESETS, PRESETS
from bplib.widgets.momentum.view import MomentumPlane, momentum_plane


@pytest.fixture
def plane() -> Iterator[MomentumPlane]:
    made = momentum_plane()
    yield made
    made.close()


def _drag(plane: MomentumPlane, handle: str, x: float, y: float) -> None:
    number = plane.stage.pointer.get("n", 0) + 1
    plane._redraw._last = float("-inf")  # as if some time had passed
    plane.stage.pointer = {"n": number, "mark": handle, "x": x, "y": y, "phase": "move"}


def _shown(plane: MomentumPlane, name: str) -> np.ndarray:
    """The coordinates that the browser draws for a mark: live ones made for its position, else the table's."""
    stage, index = plane.stage, plane._slider.index
    live = stage.moved if stage.live.get("index") == index else {}
    mark = next(m for panel in stage.scene["panels"] for m in panel["marks"] if m.get("name") == name)
    table = np.frombuffer(mark["data"], "<f4").reshape(-1, mark["n"], 2)
    return live[name].reshape(-1, 2) if name in live else table[min(index, len(table) - 1)]


def test_code_and_controls_say_the_same(plane: MomentumPlane) -> None:
    plane.beta, plane.condition_number, plane.lr = 0.5, 10, 0.1
    plane.flush()
    assert (plane._slider.value, plane._condition.value, plane._preset.value) == ("0.5", 10, "your own")
    assert plane.eta_lambda == pytest.approx(1.0)
    assert plane._code.value == "plane.condition_number, plane.lr, plane.beta = 10, 0.1, 0.5"
    assert plane.sentence == plane.stage.scene["sentences"][plane._slider.index]
    plane._slider.index = 90
    assert plane.beta == 0.9
    plane._condition.value = 100
    assert plane.condition_number == 100
    plane.condition_number = 7
    assert (plane._condition.value, "1 and 7") == (7, dict((v, k) for k, v in plane._condition.options)[7])


@pytest.mark.parametrize("name", [*PRESETS, *NOISE_PRESETS])
def test_the_line_of_code_of_a_preset_goes_where_the_preset_goes(plane: MomentumPlane, name: str) -> None:
    (plane._preset if name in PRESETS else plane._noise_preset).value = name
    chosen, line = plane.state, plane._code.value
    plane.reset()
    exec(line, {"plane": plane})  # noqa: S102
    assert (plane.state, plane._code.value) == (chosen, line)
    assert plane.state.preset == name


def test_the_numbers_of_the_comparison_wait_for_the_learner(plane: MomentumPlane) -> None:
    plane.condition_number = 100
    plane.flush()
    said = str(plane.stage.scene) + plane._code.value
    assert "691" not in said
    assert "93 steps" not in said
    plane._preset.value = "κ = 100, best plain"
    assert plane.steps_to_millionth == 691
    plane._preset.value = "κ = 100, best momentum"
    assert plane.steps_to_millionth == 93
    assert plane.radius == pytest.approx(0.818182, abs=1e-6)


def test_the_second_picture_has_its_own_slider_and_controls(plane: MomentumPlane) -> None:
    def visible() -> list[str]:
        inner = [plane._shown, plane._slider, *plane.children[2].children]
        named = [c.description for c in inner if getattr(c, "description", "") and c.layout.display != "none"]
        return sorted(named)

    assert visible() == ["Reset", "curvatures λ", "momentum β", "preset", "show"]
    plane._shown.value = "noise"
    plane.flush()
    assert visible() == ["Draw again", "Reset", "batch size B", "preset", "show"]
    assert (plane._slider.options[0], plane._slider.value) == ("1", "16")
    plane._slider.index = 0
    assert plane.batch_size == 1
    plane.show = "plane"
    plane.flush()
    assert (plane._slider.description, plane._slider.value, plane.beta) == ("momentum β", "0.8", 0.8)
    assert len(plane.stage.scene["sentences"]) == len(plane._slider.options)


def test_a_momentum_of_ones_own_comes_to_the_slider(plane: MomentumPlane) -> None:
    plane.beta = 9 / 121
    plane.flush()
    assert (plane._slider.value, len(plane._slider.options)) == ("0.07438", 102)
    plane.beta = 0.5 + 1e-7  # reads 0.5, and the slider has that already
    assert plane._slider.value == "0.5000001"
    assert len(set(plane._slider.options)) == 102


def test_a_drag_moves_the_point_at_once_and_the_slider_when_it_rests(plane: MomentumPlane) -> None:
    table, index = plane.stage.scene, plane._slider.index
    _drag(plane, "point", 1.0, 0.5)
    assert (plane.eta_lambda, plane.beta) == (1.0, 0.5)
    assert plane._slider.index == index, "the browser would draw the old table at the new place"
    np.testing.assert_allclose(_shown(plane, "point"), [[1.0, 0.5]])
    assert plane.stage.live["sentence"] == plane.sentence
    assert "ηλ = 1, β = 0.5" in plane.picture().alt
    assert plane.stage.scene is table
    plane.flush()
    assert (plane._slider.value, plane.stage.index, plane.stage.live) == ("0.5", 50, {})
    np.testing.assert_allclose(_shown(plane, "point"), [[1.0, 0.5]])
    np.testing.assert_allclose(_shown(plane, "w low")[:, 1], plane.path[: len(_shown(plane, "w low")), 0], rtol=1e-6)


def test_a_drag_that_moves_nothing_holds_nothing(plane: MomentumPlane) -> None:
    _drag(plane, "point", 0.16, 0.8)
    plane.beta = 0.2
    assert plane._slider.value == "0.2"


def test_moving_the_slider_right_after_a_drag_shows_the_new_table(plane: MomentumPlane) -> None:
    _drag(plane, "point", 1.0, 0.5)
    plane._slider.index = 30
    assert (plane.eta_lambda, plane.beta, plane._slider.index) == (1.0, 0.3, 30)
    plane.flush()
    np.testing.assert_allclose(_shown(plane, "point"), [[1.0, 0.3]])


def test_dragging_the_weights_moves_the_cloud(plane: MomentumPlane) -> None:
    plane.show = "noise"
    plane.flush()
    _drag(plane, "weights", 3.0, 0.0)
    assert plane.weights == (3.0, 0.0)
    np.testing.assert_allclose(_shown(plane, "batches"), plane.batch_gradients[:90], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(_shown(plane, "full")[1], plane.full_gradient, rtol=1e-6)
    plane.flush()
    np.testing.assert_allclose(_shown(plane, "batches"), plane.batch_gradients[:90], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kappa", "show"), [(1, "plane"), (100, "plane"), (1, "noise")])
def test_a_live_update_is_small(plane: MomentumPlane, kappa: float, show: str) -> None:
    plane.condition_number, plane.show = kappa, show
    plane.reveal()
    plane.flush()
    _drag(plane, "point" if show == "plane" else "weights", 2.0, 0.41)
    live: dict[str, Any] = plane.stage.live
    words = [*live["words"].values(), live["sentence"]]
    size = len(live["data"]) + sum(len(word.encode()) for word in words)
    assert 0 < size <= 1500


def test_other_batches_come_with_draw_again_and_the_first_with_reset(plane: MomentumPlane) -> None:
    plane.show = "noise"
    first = plane.batch_gradients
    plane._again.click()
    assert not (plane.batch_gradients == first).any()
    plane.reset()
    assert (plane.batch_gradients == first).all()
    assert plane.show == "noise"


def test_a_property_hands_out_copies(plane: MomentumPlane) -> None:
    plane.path[:] = 7.0
    assert not (plane.path == 7.0).any()
    plane.full_gradient[:] = 7.0
    plane.batch_gradients[:] = 7.0
    assert not (plane.full_gradient == 7.0).any()
    assert not (plane.batch_gradients == 7.0).any()


def test_the_static_twin_is_small_and_says_its_sentence(plane: MomentumPlane) -> None:
    plane.eta_lambda, plane.beta = 3.4, 0.7  # the limit: no picture of the plane has more lines
    picture = plane.picture()
    assert len(picture.png()) <= 25_000
    assert picture.alt.endswith(plane.sentence)


def test_a_question_opens_the_law_in_the_static_twin_alone() -> None:
    asked = momentum_plane(show="noise", question="How does the spread fall?", name="asked")
    assert "√16" in asked.picture().alt
    assert "√16" not in asked.sentence
    asked.reveal()
    assert "√16" in asked.sentence
    asked.close()
