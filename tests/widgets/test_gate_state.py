"""What the state machine of a prediction gate passes over, and what the gate does not draw."""

import pytest

from bplib.widgets.gate_state import Event, Question, State, reduce
from bplib.widgets.prediction_gate import PredictionGate

QUESTION = Question("Which rate?", "0.6", "0.6 is the faster one.", "It is larger.", options=("0.03", "0.6"))


@pytest.mark.parametrize("kind", ["because", "compare", "wink"])
def test_what_belongs_to_another_stage_changes_nothing_while_the_question_is_open(kind: str) -> None:
    for asked in (State(), State(prediction="0.6", reason="it is larger")):
        assert reduce(asked, Event(kind, "text"), QUESTION) == asked


def test_a_gate_is_told_in_words_and_says_so_when_a_picture_is_asked_for() -> None:
    gate = PredictionGate(QUESTION, "gate")
    try:
        with pytest.raises(NotImplementedError, match=r"the static twin is text. Use words\(\)"):
            gate.picture()
        assert gate.words()[0] == "Predict first: Which rate?"
    finally:
        gate.close()


@pytest.mark.parametrize(
    ("came_out", "predicted", "off"),
    [(2.0, 3.0, 0.5), (2.0, 1.0, -0.5), (-2.0, -3.0, -0.5), (2.0, 2.0, 0.0), (0.0, 1.0, None), (1e-9, 1e308, None)],
)
def test_how_far_off_a_number_is(came_out: float, predicted: float, off: float | None) -> None:
    assert Question("How much?", came_out, "So much.", "It is so.").off(predicted) == off


def test_a_choice_is_not_off() -> None:
    assert QUESTION.off("0.03") is None
    assert QUESTION.off(0.03) is None
    assert Question("How much?", 2.0, "So much.", "It is so.").off("much") is None
