"""The graph stepper as a widget: every control, a storm of changes, hostile words, and nothing left behind."""

import base64
import time
from collections.abc import Iterator

import ipywidgets as ipw
import pytest
from ipywidgets.widgets.widget import _instances

from bplib import tensor
from bplib.errors import BplibError, DataError, GraphError
from bplib.widgets.graph.examples import EXAMPLES
from bplib.widgets.graph.view import GraphStepper, graph_stepper


@pytest.fixture
def stepper() -> Iterator[GraphStepper]:
    made = graph_stepper()
    yield made
    made.close()


def _buttons(stepper: GraphStepper) -> dict[str, ipw.Button]:
    rows = [row.children for row in stepper.children if isinstance(row, ipw.HBox)]
    return {child.description: child for row in rows for child in row if isinstance(child, ipw.Button)}


def _click(stepper: GraphStepper, *names: str) -> None:
    for name in names:
        _buttons(stepper)[name].click()
    stepper.flush()


def _shown(stepper: GraphStepper) -> str:
    """The sentence that the browser shows at this moment."""
    sentences = stepper.stage.scene["sentences"]
    return sentences[min(stepper.stage.index if len(sentences) > 1 else 0, len(sentences) - 1)]


def _follow(stepper: GraphStepper) -> None:
    """What the browser does by itself: the slider's position is the Stage's."""
    stepper.stage.index = stepper._slider.index


def test_the_buttons_do_what_the_code_does(stepper: GraphStepper) -> None:
    assert list(_buttons(stepper)) == ["Step", "Step back", "Start again", "Check", "Show it"]
    assert _buttons(stepper)["Step back"].disabled
    for k in range(1, 5):
        _click(stepper, "Step")
        _follow(stepper)
        assert stepper.position == k == stepper._slider.index
        assert _shown(stepper) == stepper.sentence
    _click(stepper, "Step back")
    assert stepper.position == 3
    _click(stepper, "Start again")
    assert (stepper.position, stepper._slider.index) == (0, 0)


def test_the_slider_goes_from_end_to_end_without_a_new_scene(
    stepper: GraphStepper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepper.stage, "show", lambda scene: pytest.fail("the table has every position"))
    last = len(stepper._slider.options) - 1
    for index in (last, 0, last // 2, 1):
        stepper._slider.index = index
        stepper.flush()
        assert stepper.position == index
    assert len(stepper.stage.scene["sentences"]) == last + 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_from_the_list_to_its_end(stepper: GraphStepper, name: str) -> None:
    stepper._list.value = name
    stepper.flush()
    assert stepper.example == name
    stepper._slider.index = len(stepper._slider.options) - 1
    assert stepper.position == stepper.state.last
    assert stepper.transcript.count("\n") == stepper.state.last
    assert "Backward to" in stepper.sentence


def test_typed_the_field_says_what_is_asked_and_is_emptied_by_the_right_answer(stepper: GraphStepper) -> None:
    stepper.example = "fan-out"
    assert stepper._answers.layout.display == "none"
    stepper._way.value = True
    assert (stepper.typed, stepper._answers.layout.display) == (True, "flex")
    assert stepper._field.description == "nothing is asked now"
    assert stepper._field.disabled
    stepper._slider.index = 9
    stepper.flush()
    assert (stepper.position, stepper._slider.index) == (4, 4), "no looking ahead"
    assert (stepper._field.description, stepper._field.disabled) == ("∂f/∂u =", False)
    stepper._field.value = "2"
    _click(stepper, "Check")
    assert "You added the two" in stepper.sentence
    assert _shown(stepper) == stepper.sentence
    assert stepper._field.value == "2", "a wrong answer stays, to be mended"
    stepper._field.value = "1"
    stepper._take_enter(stepper._field, {"event": "submit"}, [])
    assert stepper.position == 5
    assert stepper._field.value == ""
    _click(stepper, "Check")
    assert stepper.position == 5, "an empty field is no answer"
    _click(stepper, "Show it")
    assert stepper.position == 6
    stepper.typed = False
    stepper.flush()
    assert len(stepper.stage.scene["sentences"]) == 10


def test_the_static_twin_is_the_last_moment_and_later_the_present_one(stepper: GraphStepper) -> None:
    data, _ = stepper._repr_mimebundle_()
    assert data["text/plain"].startswith("The computation graph of Loss: 12 nodes. Backward to x₁: ")
    assert len(base64.b64decode(data["image/png"])) <= 25_000
    stepper.step()
    assert "Forward: multiply: ω₁·x₁" in stepper.picture().alt
    stepper.typed = True
    stepper.position = 9
    assert "What goes to Error? Type ∂Loss/∂Error." in stepper.picture().alt


def test_a_storm_of_a_thousand_changes_ends_in_the_last_with_few_redraws(monkeypatch: pytest.MonkeyPatch) -> None:
    stepper = graph_stepper(example="max", typed=True, name="storm")
    drawn, real, started = [], stepper.stage.show, time.monotonic()
    monkeypatch.setattr(stepper.stage, "show", lambda scene: (drawn.append(1), real(scene)))
    for k in range(1000):
        if k % 3:
            stepper.answer(k % 7)
        else:
            stepper._slider.index = k % len(stepper._slider.options)
    stepper.flush()
    assert len(drawn) <= max(60, (time.monotonic() - started) / 0.03 + 2)
    assert _shown(stepper) == stepper.sentence
    stepper.close()


def test_your_own_expression_is_listed_first_and_can_be_left_and_found_again() -> None:
    x = tensor(0.5, requires_grad=True, name="x")
    stepper = graph_stepper(x * x + x)
    assert stepper.example == "yours"
    assert stepper._list.options[0] == ("your own expression", "yours")
    stepper.example = "square"
    stepper.example = "yours"
    assert stepper.story.gradients["x"] == 2.0
    stepper.close()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: graph_stepper(example="cube"), BplibError, "there is no example 'cube'. Expected one of slides, "),
        (lambda: graph_stepper(example=3), BplibError, "there is no example 3"),
        (lambda: graph_stepper(3.0), DataError, "trace: expected a tensor, got float"),
        (lambda: graph_stepper(tensor(1.0)), GraphError, "has no past"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_made(make, error, words) -> None:
    before = set(_instances)
    with pytest.raises(error, match=words):
        make()
    assert set(_instances) == before


def test_settings_in_code_are_checked(stepper: GraphStepper) -> None:
    for name, value in (("example", "cube"), ("typed", "yes"), ("position", 99), ("position", float("nan"))):
        with pytest.raises(BplibError, match="graph stepper: "):
            setattr(stepper, name, value)
    assert (stepper.example, stepper.typed, stepper.position) == ("slides", False, 0)
