"""How a number is judged: every kind of answer gets a verdict."""

import numpy as np
import pytest

from bplib import tensor
from bplib.lessons import learning_rate, the_loop
from bplib.lessons.exercises import NumberExercise
from bplib.lessons.verdicts import Outcome

RATE: NumberExercise = learning_rate.check.__self__.exercises["largest-rate"]
LOOP: dict[str, NumberExercise] = the_loop.check.__self__.exercises


@pytest.mark.parametrize("answer", [0.2, np.float32(0.2), np.array(0.2), np.array([0.2]), [0.2], tensor(0.2), 0.201])
def test_a_number_may_come_in_any_dress(answer: object) -> None:
    assert RATE.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("0.2", 'Your answer is text, "0.2". Leave out the quotation marks.'),
        ("2 / 10", 'Your answer is text, "2 / 10". Leave out the quotation marks.'),
        ("-np.log(1/26)", 'Your answer is text, "-np.log(1/26)". Leave out the quotation marks.'),
        ("ln 10", 'Your answer is text, "ln 10". Write it in Python, without quotation marks.'),
        ("e", 'Your answer is text, "e". Write it in Python, without quotation marks.'),
        ("", 'Your answer is text, "". Write it in Python, without quotation marks.'),
        ("2(5.5-3)", '"2(5.5-3)". Write the multiplication sign `*`. Leave out the quotation marks.'),
        ("(1+1) 3", '"(1+1) 3". Write the multiplication sign `*`. Leave out the quotation marks.'),
        ("2*np.log(3)", '"2*np.log(3)". Leave out the quotation marks.'),
        ("0,2", '"0,2". Python writes a decimal point: 0.2, not 0,2.'),
        ((1, 7), "Your answer is 2 numbers at once. Python writes a decimal point: 1.7, not 1,7."),
        ((1, 7, 2), "Your answer is 3 numbers at once."),
        ((1.5, 7.0), "Your answer is 2 numbers at once."),
        ([1.0, 2.0], "Your answer is 2 numbers at once."),
        ([[1.0], [1.0, 2.0]], "Your answer is a list."),
        (float("nan"), "Your answer is nan, which is not finite."),
        (float("-inf"), "Your answer is -inf, which is not finite."),
        (max, "Your answer is a function. Call it, or assign its result."),
        (0.2j, "Your answer is a complex."),
        ({}, "Your answer is a dict."),
        (object(), "Your answer is an object."),
        (True, "Your answer is `True`. One number is asked for."),
        (np.bool_(False), "Your answer is `False`. One number is asked for."),
    ],
)
def test_what_is_no_number_is_named(answer: object, said: str) -> None:
    verdict = RATE.judge(answer)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert said in verdict.sentences[0]


def test_an_unknown_number_hears_what_was_checked_and_where_to_go_next() -> None:
    assert repr(RATE.judge(0.27)) == (
        "✗ Not yet. Your answer is 0.27, and that is too large.\n"
        "It was compared with the learning rate at which the distance along the steepest direction no longer shrinks.\n"
        'Next: run `hint("largest-rate")` in a new cell.'
    )


@pytest.mark.parametrize("answer", [-0.2, 0.0, 0, -7])
@pytest.mark.parametrize("name", ["largest-rate", "mean-to-sum"])
def test_a_learning_rate_that_is_not_above_zero_hears_so(name: str, answer: float) -> None:
    verdict = learning_rate.check.__self__.exercises[name].judge(answer)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0] == f"Your answer is {answer:g}. A learning rate is above 0."


@pytest.mark.parametrize(
    ("name", "example"),
    [("numpy-warm-up", "5 * 2 + 6 * 1"), ("derivative-warm-up", "2 * (4 - 1)"), ("one-update", "5.0 - 0.2 * 4.0")],
)
def test_text_hears_an_example_that_fits_the_exercise(name: str, example: str) -> None:
    said = repr(LOOP[name].judge("two minus a third"))
    assert f"Write it in Python, for example `{example}`." in said
    assert "np.log" not in said


@pytest.mark.parametrize(("name", "off"), [("numpy-warm-up", 0.1), ("derivative-warm-up", 0.02), ("one-update", -0.01)])
def test_what_is_computed_by_hand_has_to_be_exact_to_a_thousandth(name: str, off: float) -> None:
    right = LOOP[name].model_answer()
    assert LOOP[name].judge(right * 1.0009).outcome is Outcome.RIGHT
    verdict = LOOP[name].judge(right + off)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences == (
        f"Your answer is {right + off:g}, and that is too {'large' if off > 0 else 'small'}.",
        f'Next: run `hint("{name}")` in a new cell.',
    )


def test_what_was_never_stored_is_thought_of() -> None:
    assert LOOP["one-update"].judge(...).sentences == (
        "Replace the `...` in the cell above by your answer. Run that cell, then this one. "
        "If that cell showed an error, your answer was not stored.",
    )
