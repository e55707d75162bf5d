"""How a choice is judged: one option, one for each place, or lines put in order."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bplib.lessons import learning_rate, the_loop, training_pipeline
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.faults import Fault
from bplib.lessons.verdicts import Outcome

CURVES: ChoiceExercise = learning_rate.check.__self__.exercises["six-curves"]
ORDER: ChoiceExercise = training_pipeline.check.__self__.exercises["order-the-step"]
STAGE: ChoiceExercise = the_loop.check.__self__.exercises["which-stage"]
CHANGES: ChoiceExercise = the_loop.check.__self__.exercises["what-changes"]
WORDS = dict(zip(learning_rate.RATES, CURVES.model_answer(), strict=True))
LETTERS = 'Write the five letters A to E in one text, such as "ABCDE".'


@pytest.mark.parametrize("answer", ["DBECA", "dbeca", "D B E C A", "D, B, E, C, A", list("DBECA"), tuple("EDBCA")])
def test_an_order_may_be_written_in_many_ways(answer: object) -> None:
    assert ORDER.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("DBCA", "E is missing."),
        (["D", "B", "C"], "A and E are missing."),
        ("DBECAX", LETTERS),
        ("DBB", LETTERS),
        ("DBX", LETTERS),
        ("first D, then B", LETTERS),
        ("", LETTERS),
        ({"D", "B"}, LETTERS),
        ({1: "D"}, LETTERS),
        ("DBECX", "The answer holds `X`. You can choose from `A`, `B`, `C`, `D`, `E`."),
        ("DBECC", "The answer holds `C` twice. Use each of `A`, `B`, `C`, `D`, `E` once."),
        (7, LETTERS),
    ],
)
def test_an_order_that_is_none_is_explained(answer: object, said: str) -> None:
    verdict = ORDER.judge(answer)
    assert (verdict.outcome, verdict.sentences[0]) == (Outcome.UNRECOGNISED, said)


def test_an_order_without_a_sentence_on_its_form_is_counted() -> None:
    plain = replace(ORDER, form="")
    assert plain.judge("DBECAX").sentences[0] == "5 options are asked for, and your answer has 6."
    assert plain.judge(7).sentences[0] == "Your answer is 7. "


def test_a_half_filled_choice_is_not_attempted() -> None:
    verdict = CURVES.judge({**WORDS, 0.25: ..., 0.6: None})
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert verdict.sentences[0] == "Still empty: 0.25, 0.6."
    assert CURVES.judge({0.03: ...}).outcome is Outcome.NOT_ATTEMPTED


def test_empty_places_are_named_when_none_is_filled() -> None:
    verdict = CHANGES.judge(dict.fromkeys(CHANGES.places, ...))
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert verdict.sentences[0] == "Still empty: Forward, Loss, Backward, Update."
    assert "Still empty" not in repr(CHANGES.judge(...))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({word: rate for rate, word in WORDS.items()}, 'Put the rate first: `{0.03: "slow", …}`.'),
        ({"Slow": 0.03}, 'Put the rate first: `{0.03: "slow", …}`.'),
        ({0.03: "slow", 0.25: "one step", 0.5: ..., 0.6: "diverges"}, "Add the missing rates: 0.1, 0.45."),
        ({rate: word for rate, word in WORDS.items() if rate != 0.1}, "Add the missing rate: 0.1."),
        ({}, "Add the missing rates: 0.03, 0.1, 0.25, 0.45, 0.5, 0.6."),
        (WORDS | {0.7: "fast"}, "The rate `0.7` is not asked for. Asked for: 0.03, 0.1, 0.25, 0.45, 0.5, 0.6."),
        (
            {0.3 if rate == 0.03 else rate: word for rate, word in WORDS.items()} | {"x": "fast"},
            "The rates `0.3`, `x` are not asked for. Asked for: 0.03, 0.1, 0.25, 0.45, 0.5, 0.6. "
            "Add the missing rate: 0.03.",
        ),
        (set(WORDS.values()), 'Your answer is a set. Write a dictionary with the rate first: `{0.03: "slow", …}`.'),
        ("slow, fast", 'Your answer is text. Write a dictionary with the rate first: `{0.03: "slow", …}`.'),
        (
            ["slow", "fast"],
            "6 options are asked for, and your answer has 2. "
            'Write a dictionary with the rate first: `{0.03: "slow", …}`.',
        ),
    ],
)
def test_a_dictionary_that_is_none_hears_how_to_write_it(answer: object, said: str) -> None:
    verdict = CURVES.judge(answer)
    assert (verdict.outcome, verdict.sentences[0]) == (Outcome.UNRECOGNISED, said)


@pytest.mark.parametrize("dress", [str, np.float64, lambda rate: f"{rate:.2f}"])
def test_the_keys_of_a_dictionary_may_come_in_any_dress(dress: Callable[[float], object]) -> None:
    assert CURVES.judge({dress(rate): word for rate, word in WORDS.items()}).outcome is Outcome.RIGHT


def test_an_array_in_a_place_is_no_word() -> None:
    assert "The answer holds" in repr(CURVES.judge({**WORDS, 0.1: np.zeros(2)}))


def test_an_unknown_choice_hears_how_many_are_right_and_the_first_that_is_not() -> None:
    assert CURVES.judge(WORDS).outcome is Outcome.RIGHT
    verdict = CURVES.judge({**WORDS, 0.1: "slow"})
    assert verdict.sentences[0] == "5 of 6 places are right. The first that is not: 0.1."
    one = CURVES.judge({rate: "fast" for rate in WORDS})
    assert one.sentences[0] == "1 of 6 places is right. The first that is not: 0.03."


@pytest.mark.parametrize(
    ("rate", "word", "clue"),
    [
        (0.03, "fast", "At 0.03 the factor is 0.88: each step keeps 88 % of the distance."),
        (0.1, "slow", "At 0.1 the factor is 0.6: each step keeps 60 % of the distance."),
        (0.25, "fast", "At 0.25 the factor is 0: each step keeps 0 % of the distance."),
        (0.45, "fast", "At 0.45 the factor is −0.8: each step changes sides and keeps 80 % of the distance."),
        (0.5, "oscillates", "At 0.5 the factor is exactly −1. It swings, but never comes closer. "
                            "Which word says never?"),
        (0.5, "slow", "At 0.5 the factor is −1: each step changes sides and keeps 100 % of the distance."),
        (0.6, "oscillates", "At 0.6 the factor is −1.4: each step changes sides "
                            "and makes the distance 1.4 times as long."),
    ],
)  # fmt: skip
def test_a_wrong_word_hears_what_the_factor_of_its_rate_does(rate: float, word: str, clue: str) -> None:
    verdict = CURVES.judge({**WORDS, rate: word})
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[1] == clue


def test_a_single_choice() -> None:
    fault = Fault("down", lambda: ["falls"], "It does not fall.")
    one = ChoiceExercise("loss", lambda: ["stays"], "r.", "w.", ("h.",), (fault,), ("falls", "rises", "stays"))
    assert one.judge(" Stays ").outcome is Outcome.RIGHT
    assert one.judge("falls").mistake == "down"
    assert one.judge("rises").sentences[0] == "Your answer is `rises`."
    assert one.judge(...).outcome is Outcome.NOT_ATTEMPTED
    assert one.solution().source == "loss = 'stays'"


MADE = dict(zip(CHANGES.places, CHANGES.model_answer(), strict=True))


@pytest.mark.parametrize(
    "answer",
    [MADE, {stage.lower(): word.upper() for stage, word in MADE.items()}, dict(reversed(MADE.items())),
     MADE | {"Forward": "prediction", "Backward": "Gradient"}, MADE | {"Update": "parameters"},
     MADE | {"Update": "weights and  biases"}, MADE | {"Update": " New parameters"},
     {f" {stage}": word for stage, word in MADE.items()}, tuple(MADE.values())],
)  # fmt: skip
def test_a_dictionary_of_words_may_be_written_in_many_ways(answer: object) -> None:
    assert CHANGES.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({word: stage for stage, word in MADE.items()}, 'Put the stage first: `{"Forward": "weights", …}`.'),
        ("CDBA", 'Your answer is text. Write a dictionary with the stage first: `{"Forward": "weights", …}`.'),
        (MADE | {"Update": "loss"}, "The answer holds `loss` twice. "
                                    "Use each of `weights`, `predictions`, `loss`, `gradients` once."),
        (MADE | {"Backward": "prediction"}, "The answer holds `predictions` twice. "
                                            "Use each of `weights`, `predictions`, `loss`, `gradients` once."),
        (MADE | {"Update": "steps"}, "The answer holds `steps`. "
                                     "You can choose from `weights`, `predictions`, `loss`, `gradients`."),
        ({"Loss": "loss", "Update": "weights"}, "Add the missing stages: Forward, Backward."),
        (MADE | {"Reset": "loss"}, "The stage `Reset` is not asked for. Asked for: Forward, Loss, Backward, Update."),
    ],
)  # fmt: skip
def test_a_dictionary_of_words_that_is_none_hears_how_to_write_it(answer: object, said: str) -> None:
    verdict = CHANGES.judge(answer)
    assert (verdict.outcome, verdict.sentences[0]) == (Outcome.UNRECOGNISED, said)


def test_an_unknown_pairing_hears_what_the_first_wrong_stage_does() -> None:
    words = ("predictions", "weights", "gradients", "loss")
    assert CHANGES.judge(dict(zip(MADE, words, strict=True))).sentences[:2] == (
        "2 of 4 places are right. The first that is not: Loss.",
        "Loss compares the predictions with the targets. What is the one number called that it makes?",
    )


def test_each_wrong_stage_has_its_own_sentence() -> None:
    assert [STAGE.judge(stage).mistake for stage in STAGE.options] == ["forward", "loss", "backward", ""]
    assert STAGE.judge("update").outcome is Outcome.RIGHT
    assert STAGE.judge("Step").sentences[0] == (
        "The answer holds `Step`. You can choose from `Forward`, `Loss`, `Backward`, `Update`."
    )
    assert STAGE.judge("Backward").code == "M1"


def test_the_solution_of_a_dictionary_is_a_dictionary() -> None:
    assert CHANGES.solution().source == f"what_changes = {MADE}"


def test_weights_for_backward_and_update_is_a_misconception_and_not_only_a_word_used_twice() -> None:
    verdict = CHANGES.judge(MADE | {"Backward": "parameters"})
    assert (verdict.mistake, verdict.code) == ("backward-changes-weights", "M1")
    assert verdict.sentences[0].endswith("Backward changes no weight. What does it compute?")
    other = CHANGES.judge(MADE | {"Forward": "loss", "Loss": "predictions", "Backward": "weights"})
    assert other.sentences[:2] == (
        "The answer holds `weights` twice. Use each of `weights`, `predictions`, `loss`, `gradients` once.",
        "Backward changes no weight. What does it compute?",
    )


@pytest.mark.parametrize("answer", ["A", "a", "optimizer.step()", " optimizer.step() "])
def test_the_line_of_the_right_stage_is_nearly_the_answer(answer: str) -> None:
    verdict = STAGE.judge(answer)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0] == "That is the line. What is its stage called?"
    assert STAGE.judge("B").sentences[0].startswith("The answer holds `B`.")
