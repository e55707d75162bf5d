"""How a number is judged: every kind of answer gets a verdict."""

import numpy as np
import pytest

from bplib import tensor
from bplib.lessons import learning_rate
from bplib.lessons.exercises import NumberExercise
from bplib.lessons.verdicts import Outcome

RATE: NumberExercise = learning_rate.check.__self__.exercises["largest-rate"]


@pytest.mark.parametrize("answer", [0.2, np.float32(0.2), np.array(0.2), np.array([0.2]), [0.2], tensor(0.2), 0.201])
def test_a_number_may_come_in_any_dress(answer: object) -> None:
    assert RATE.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("0.2", 'Your answer is text, "0.2". Leave out the quotation marks.'),
        ("2 / 10", 'Your answer is text, "2 / 10". Leave out the quotation marks.'),
        ("-np.log(1/26)", 'Your answer is text, "-np.log(1/26)". Leave out the quotation marks.'),
        ("ln 10", 'Your answer is text, "ln 10". Write it in Python, for example `np.log(10)`.'),
        ("e", 'Your answer is text, "e". Write it in Python, for example `np.log(10)`.'),
        ("", 'Your answer is text, "". Write it in Python, for example `np.log(10)`.'),
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
