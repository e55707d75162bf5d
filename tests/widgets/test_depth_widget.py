"""The depth bench as a widget: code and controls agree, both pictures share one slider, the answer stays hidden."""

from collections.abc import Iterator

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from bplib.errors import BplibError, DomainError
from bplib.widgets.depth.state import PRESETS
from bplib.widgets.depth.view import DepthBench, depth_bench


@pytest.fixture
def bench() -> Iterator[DepthBench]:
    made = depth_bench(name="tried")
    yield made
    made.close()


def _button(bench: DepthBench, word: str) -> object:
    return next(one for one in bench.children[4].children if one.description == word)


def _displayed(bench: DepthBench) -> set[str]:
    rows = [bench.children[1:3], *(box.children for box in bench.children[3:5])]
    return {one.description for row in rows for one in row if one.layout.display != "none"}


def _preset_names(show: str) -> set[str]:
    return {name for name, values in PRESETS.items() if values["show"] == show}


def test_each_picture_has_its_own_controls_and_its_own_slider(bench: DepthBench) -> None:
    of_layers = {"layers", "activation", "first weights", "Reset"} | _preset_names("layers")
    of_saddle = {"steps", "learning rate η", "noise", "Reset"} | _preset_names("saddle")
    assert _displayed(bench) == of_layers
    assert (bench._slider.description, bench._slider.value, len(bench._slider.options)) == ("layers", "10", 20)
    bench._tabs.value = "saddle"
    bench.flush()
    assert _displayed(bench) == of_saddle
    assert (bench._slider.description, bench._slider.value, len(bench._slider.options)) == ("steps", "40", 101)
    assert len(bench.stage.scene["panels"]) == 3
    bench._slider.index = 7
    assert (bench.steps, bench.depth) == (7, 10)
    bench._tabs.value = "layers"
    assert _displayed(bench) == of_layers
    assert bench._activation.layout.display == "flex", "its label stands beside its buttons"
    assert (bench._slider.value, bench.steps) == ("10", 7)


def test_only_the_slider_in_front_scrubs_the_table(bench: DepthBench) -> None:
    before = set(_instances)
    layers, saddle = bench.children[1:3]
    for shown, slider, other in (("saddle", saddle, layers), ("layers", layers, saddle)):
        bench.show = shown
        bench.flush()
        (link,) = bench._links
        assert link.source[0] is slider
        assert bench.stage.index == slider.index == bench._position()
        state = bench.state
        other.index = 3  # a last report of the slider that has gone
        assert bench.state == state
    assert len(_instances) == len(before), "the link that is replaced is closed"


def test_code_moves_the_controls_and_brings_its_picture_forward(bench: DepthBench) -> None:
    bench.lr, bench.noise, bench.steps, bench.start = 0.3, 0.25, 12, (0.5, -0.5)
    bench.flush()
    assert (bench.show, bench._tabs.value, bench._lr.value, bench._noise.value) == ("saddle", "saddle", 0.3, 0.25)
    assert bench._slider.value == "12"
    assert bench._code.value == 'bench.descent("saddle", (0.5, -0.5), lr=0.3, noise=0.25)'
    bench.activation, bench.init, bench.depth = "relu", "he", 3
    bench.flush()
    assert (bench.show, bench._activation.value, bench._init.value) == ("layers", "relu", "he")
    assert bench._code.value == 'bench.network("relu", "he", depth=3)'
    assert bench.gradient_spreads.shape == bench.activation_spreads.shape == (3,)


def test_controls_change_what_code_reads(bench: DepthBench) -> None:
    bench._activation.value, bench._init.value, bench._slider.index = "tanh", "uniform", 4
    assert (bench.activation, bench.init, bench.depth) == ("tanh", "uniform", 5)
    ratio = bench.gradient_spreads[0] / bench.gradient_spreads[-1]
    assert ratio == pytest.approx(0.082, abs=0.003)
    assert bench.layer_factor == pytest.approx(ratio ** (1 / 4))
    bench._tabs.value = "saddle"
    bench._lr.value, bench._noise.value = 0.05, 1e-3
    assert (bench.lr, bench.noise) == (0.05, 1e-3)
    bench.surface = "bowl"
    np.testing.assert_allclose(bench.eigenvalues, [2, 2])


@pytest.mark.parametrize("name", PRESETS)
def test_the_code_line_of_a_preset_does_the_same(bench: DepthBench, name: str) -> None:
    _button(bench, name).click()  # type: ignore[attr-defined]
    after = bench.state
    values = {key: value for key, value in PRESETS[name].items() if key != "show"}
    other = depth_bench(name="in code")
    (other.network if after.show == "layers" else other.descent)(**values)
    assert other.state == after
    assert other._code.value == bench._code.value
    called, _, rest = bench._code.value.partition("(")
    assert called == ("bench.network" if after.show == "layers" else "bench.descent")
    assert all(f'"{value}"' in rest for value in values.values() if isinstance(value, str))
    other.close()


def test_the_answer_comes_with_the_reveal_and_stays(bench: DepthBench) -> None:
    def told() -> str:
        scene = bench.stage.scene
        words = [word for panel in scene["panels"] for mark in panel["marks"] for word in mark.get("text", ())]
        return " ".join([*scene["sentences"], *words])

    assert "multiplies" not in told()
    assert "× 0.233" not in told()
    bench.activation = "tanh"
    bench.reset()
    bench.flush()
    assert "multiplies" not in told()
    bench.reveal()
    bench.flush()
    assert "multiplies it by 0.233" in told()
    assert "a layer × 0.233 on average" in bench.stage.scene["panels"][1]["marks"][1]["text"]
    bench.reset()
    assert bench.state.revealed


def test_the_static_twin_shows_the_outcome_below_its_question() -> None:
    bench = depth_bench(question="10⁻¹, 10⁻³ or 10⁻⁶?", name="twin")
    assert repr(bench.picture()).startswith("10⁻¹, 10⁻³ or 10⁻⁶? Activations and gradients in layers of 100 sigmoid")
    assert "2.01·10⁻⁶ times" in repr(bench.picture())
    assert not bench.state.revealed, "the picture gives the answer, the live bench does not"
    bench.close()


def test_dragging_shows_the_new_path_at_once_and_the_new_table_later(bench: DepthBench) -> None:
    bench.show = "saddle"
    bench.flush()
    table = bench.stage.scene
    bench.stage.pointer = {"n": 1, "mark": "start", "x": 1.0, "y": 0.504, "phase": "move"}
    bench._redraw.flush()
    assert bench.start == (1.0, 0.5)
    live = bench.stage.moved["path"].reshape(-1, 2)
    np.testing.assert_allclose(live[:3], bench.path[:3], rtol=1e-6)
    assert bench.stage.scene is table
    assert bench.stage.live["sentence"] == bench.sentence
    bench.flush()
    assert bench.stage.live == {}
    assert bench.stage.scene["sentences"][bench.steps] == bench.sentence


def test_what_is_refused_changes_nothing(bench: DepthBench) -> None:
    before = bench.state
    for setting in ("depth", "lr", "noise", "steps", "start", "init", "activation", "surface", "show"):
        with pytest.raises(BplibError):
            setattr(bench, setting, -1)
    with pytest.raises(DomainError, match="depth"):
        bench.network("relu", "he", depth=21)
    assert bench.state == before
    with pytest.raises(DomainError, match="width"):
        depth_bench(width=1000, name="never made")
