"""The live neuron bench: controls and code agree, the sliders stand at exact values, buttons do what they say."""

from collections.abc import Iterator

import ipywidgets as ipw
import pytest

from bplib.errors import DataError, DomainError
from bplib.tracing.figures import number
from bplib.widgets.neuron.scene import neuron_scene, sentence_of
from bplib.widgets.neuron.state import PRESETS, Event, State, reduce
from bplib.widgets.neuron.view import NeuronBench, neuron_bench
from bplib.widgets.stage import describe


@pytest.fixture
def bench() -> Iterator[NeuronBench]:
    made = neuron_bench()
    yield made
    made.close()


def _all(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    yield widget
    for below in getattr(widget, "children", ()):
        yield from _all(below)


def _control(bench: NeuronBench, words: str) -> ipw.Widget:
    (found,) = [w for w in _all(bench) if getattr(w, "description", None) == words]
    return found


def _press(bench: NeuronBench, words: str) -> None:
    _control(bench, words).click()
    bench.flush()


_SLIDERS = (("w", "weight w"), ("b", "bias b"), ("x", "input x"), ("lr", "learning rate η"))


@pytest.mark.parametrize(("name", "words"), _SLIDERS)
def test_a_slider_and_its_name_in_code_are_one(bench: NeuronBench, name: str, words: str) -> None:
    slider = _control(bench, words)
    for index in (0, len(slider.options) - 1, 3):
        slider.index = index
        bench.flush()
        assert number(getattr(bench, name), 4) == slider.options[index]
    setattr(bench, name, 0.12361)
    bench.flush()
    assert getattr(bench, name) == 0.12361
    assert slider.options[slider.index] == "0.1236"
    assert bench.stage.scene == {**describe(neuron_scene(bench.state)), "n": 0}


def test_after_an_update_sliders_stage_and_numbers_are_at_the_exact_weight(bench: NeuronBench) -> None:
    _press(bench, "Update")
    assert bench.w == pytest.approx(0.6 - 0.15 * 0.8175745 * 0.1491465, rel=1e-6)
    for words, value in (("weight w", bench.w), ("bias b", bench.b)):
        slider = _control(bench, words)
        assert slider.options[slider.index] == number(value, 4)
    assert bench.stage.index == _control(bench, "weight w").index == bench.state.position
    assert bench.stage.scene["sentences"][bench.stage.index] == bench.sentence
    _press(bench, "10 updates")
    assert bench.losses.shape == bench.outputs.shape == (12,)
    assert bench.stage.index == bench.state.position
    _press(bench, "Step back")
    assert bench.losses.shape == (2,)
    _press(bench, "Step back")
    assert (bench.w, bench.losses.size) == (0.6, 0)
    assert _control(bench, "weight w").options == tuple(number(0.05 * k, 4) for k in range(-60, 61))
    _press(bench, "Step back")
    assert bench.sentence == "There is nothing to step back to."
    assert bench.stage.scene["sentences"][bench.stage.index] == bench.sentence


def test_code_does_what_the_buttons_do(bench: NeuronBench) -> None:
    _press(bench, "Update"), _press(bench, "10 updates")
    by_buttons = bench.state
    bench.reset()
    bench.update(), bench.updates(10)
    assert bench.state == by_buttons
    bench.back()
    bench.back()
    assert bench.w == 0.6
    bench.updates(300)
    assert [round(float(bench.outputs[k]), 2) for k in (0, -1)] == [0.82, 0.09]
    assert bench.output == bench.outputs[-1]
    assert bench.loss == bench.losses[-1]
    _press(bench, "Reset")
    assert bench.state == State()
    bench.reset()
    bench.back()
    assert bench.losses.size == 301, "a reset can be undone, and one that changed nothing needs no undoing"
    with pytest.raises(DomainError, match="301 updates at once are too many"):
        bench.updates(301)
    with pytest.raises(DataError, match="w is 'two'"):
        bench.set(w="two")
    with pytest.raises(TypeError):
        bench.set(2.0)


def test_backward_shows_the_gradients_and_hides_them_again(bench: NeuronBench) -> None:
    _press(bench, "Backward")
    assert bench.gradients_shown
    assert bench.stage.scene["panels"][0]["title"].endswith("gradients backward")
    _press(bench, "Hide gradients")
    assert not bench.gradients_shown
    bench.backward()
    assert _control(bench, "Hide gradients")
    assert bench.gradients == pytest.approx({"w": 0.1219391, "b": 0.1219391}, abs=1e-6)
    bench.gradients_shown = False
    assert bench.state == State()


def test_a_preset_sets_all_five_and_its_line_of_code_does_the_same(bench: NeuronBench) -> None:
    preset, (code,) = _control(bench, "preset"), [w for w in _all(bench) if type(w) is ipw.Label]
    for name, values in PRESETS.items():
        preset.value = name
        bench.flush()
        assert {key: getattr(bench, key) for key in values} == values
        state, line = bench.state, code.value
        assert line.startswith("bench.set(x=")
        bench.reset()
        bench.set(**{key: float(value) for key, value in (pair.split("=") for pair in line[10:-1].split(", "))})
        assert bench.state == state
    bench.w = 1.0
    assert preset.value == "your own"
    bench.w = PRESETS["target 1"]["w"]
    assert preset.value == "target 1"


def test_scrubbing_the_weight_makes_no_scene(bench: NeuronBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.updates(5)
    bench.flush()
    sent: list[str] = []
    bench.stage.observe(lambda change: sent.append(change["name"]), ["scene", "live", "index"])
    monkeypatch.setattr(bench.stage, "show", lambda scene: sent.append("show"))
    slider = _control(bench, "weight w")
    for index in (5, 80, slider.options.index("1")):
        slider.index = index
    bench.flush()
    assert bench.w == 1.0
    assert sent == [], "the browser has the table"


def test_a_live_slider_moves_the_picture_before_the_table_is_made_anew(bench: NeuronBench) -> None:
    bench.backward()
    bench.flush()
    before = bench.stage.scene
    _control(bench, "input x").index = 0
    assert bench.stage.scene is before
    assert bench.stage.live["words"]["x"] == "x = −2"
    assert bench.stage.live["sentence"] == bench.sentence
    curve = bench.stage.moved["curve"]
    assert curve[0] > curve[-1], "the curve falls for a negative input"
    _control(bench, "weight w").index = 0
    bench.flush()
    assert bench.stage.scene == {**describe(neuron_scene(bench.state)), "n": 0}
    assert bench.stage.live == {}


def test_the_twin_of_an_untouched_bench_shows_its_first_update(bench: NeuronBench) -> None:
    alt = bench.picture().alt
    assert alt.startswith("One sigmoid neuron with x = 1, b = 0.8817, η = 0.15 and target 0, and its loss ½(a − y)²")
    assert alt.endswith(sentence_of(reduce(State(), Event("update", 1))))
    assert bench.state == State(), "the live bench waits for the learner"
    bench.backward()
    assert "Backward: ∂L/∂w" in bench.picture().alt


def test_a_bench_takes_every_value_and_says_what_is_wrong_with_another() -> None:
    made = neuron_bench(x=0.5, w=1.2, b=0.9, lr=2, y=1, question="What is a?", name="exercise")
    assert (made.x, made.w, made.b, made.lr, made.y) == (0.5, 1.2, 0.9, 2.0, 1.0)
    assert made.picture().alt.startswith("What is a?")
    made.close()
    with pytest.raises(DomainError, match="the target is -1"):
        neuron_bench(y=-1)
