"""How answers are judged: every kind of answer gets a verdict, and the notebook goes on."""

import math
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bplib import tensor
from bplib.errors import DomainError
from bplib.lessons import learning_rate, training_pipeline
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.exercises import FunctionExercise, NumberExercise
from bplib.lessons.faults import Fault
from bplib.lessons.progress import Progress
from bplib.lessons.trials import observe, shown
from bplib.lessons.verdicts import Outcome, Says, Verdict

RATE: NumberExercise = learning_rate.check.__self__.exercises["largest-rate"]
STEP: FunctionExercise = learning_rate.check.__self__.exercises["gd-step"]
CURVES: ChoiceExercise = learning_rate.check.__self__.exercises["six-curves"]
ORDER: ChoiceExercise = training_pipeline.check.__self__.exercises["order-the-step"]


WORDS = dict(zip(learning_rate.RATES, CURVES.model_answer(), strict=True))


def quick(seconds: float = 0.2) -> FunctionExercise:
    return FunctionExercise(
        "gd-step", STEP.model, STEP.right, STEP.why, STEP.hints, STEP.faults, trials=STEP.trials, seconds=seconds
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


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


# -- functions --------------------------------------------------------------------------------------------------------


def test_a_function_that_raises_shows_type_message_line_and_input() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        step = lr / 0
        return w - step

    assert repr(STEP.judge(gd_step)) == (
        "✗ Not yet. Your function raised an error in its line 2: `ZeroDivisionError: float division by zero`.\n"
        "It was called with w = 2, gradient = 3, lr = 0.1.\n"
        'Next: run `hint("gd-step")` in a new cell.'
    )


def with_eta(w: Any, gradient: Any, lr: Any) -> Any:
    return w - eta * gradient  # type: ignore[name-defined]  # noqa: F821


def with_greek_eta(w: Any, gradient: Any, lr: Any) -> Any:
    return w - η * gradient  # type: ignore[name-defined]  # noqa: F821


def with_another_name(w: Any, gradient: Any, lr: Any) -> Any:
    return w - slope * lr  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(("function", "said"), [(with_eta, True), (with_greek_eta, True), (with_another_name, False)])
def test_another_name_for_the_rate_hears_its_name_in_the_code(function: Callable[..., Any], said: bool) -> None:
    verdict = STEP.judge(function)
    assert verdict.outcome is Outcome.RAISED
    assert "NameError" in verdict.sentences[0]
    assert ("In the code the learning rate is called `lr`." in verdict.sentences) is said


def test_all_usual_names_of_the_rate_are_known() -> None:
    assert {"eta", "η", "learning_rate"} <= set(STEP.misnamed)


def test_a_function_made_for_single_numbers_hears_of_arrays() -> None:
    verdict = STEP.judge(lambda w, gradient, lr: float(w) - lr * float(gradient))
    assert verdict.outcome is Outcome.RAISED
    assert verdict.sentences[1:3] == (
        "It was called with w = [1, -2], gradient = [4, 1], lr = 0.25.",
        "It is also called with arrays. Leave out `float`.",
    )
    verdict = STEP.judge(lambda w, gradient, lr: w - math.fabs(lr * gradient))
    assert verdict.sentences[2] == "It is also called with arrays."


def test_an_error_message_shows_no_address() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        raise ValueError(f"{object()!r}")

    assert "ValueError: <object object>" in repr(STEP.judge(gd_step))


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, MemoryError, GeneratorExit])
def test_no_error_leaves_the_check(error: type[BaseException]) -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        raise error

    verdict = STEP.judge(gd_step)
    assert verdict.outcome is Outcome.RAISED
    assert error.__name__ in repr(verdict)


def endless(w: Any, gradient: Any, lr: Any) -> Any:
    while True:
        pass


def endless_on_one_line(w: Any, gradient: Any, lr: Any) -> Any:
    while True: pass  # fmt: skip  # noqa: E701


def endless_with_except(w: Any, gradient: Any, lr: Any) -> Any:
    while True:
        try:
            w = w - lr
        except Exception:  # noqa: S110
            pass


def endless_generator(w: Any, gradient: Any, lr: Any) -> Any:
    return sum(1 for _ in iter(int, 1))


@pytest.mark.parametrize("function", [endless, endless_on_one_line, endless_with_except, endless_generator])
def test_a_loop_without_end_is_stopped_and_leaves_nothing_running(function: Callable[..., Any]) -> None:
    before, began = threading.active_count(), time.monotonic()
    verdict = quick().judge(function)
    assert time.monotonic() - began < 2.0
    assert verdict.outcome is Outcome.RAISED
    assert "was stopped after 0.2 seconds. Does it hold a loop without an end?" in repr(verdict)
    assert "w = 2, gradient = 3, lr = 0.1" in repr(verdict)
    assert verdict.sentences[-1] == 'Next: run `hint("gd-step")` in a new cell.'
    assert threading.active_count() == before


def test_nobody_waits_for_a_function_that_sleeps() -> None:
    began = time.monotonic()
    verdict = quick(0.05).judge(lambda w, gradient, lr: time.sleep(0.9))
    assert time.monotonic() - began < 0.85
    assert verdict.outcome is Outcome.RAISED


def test_a_verdict_comes_in_time_even_if_the_end_is_swallowed() -> None:
    over = threading.Event()

    def stubborn(w: Any, gradient: Any, lr: Any) -> Any:
        while not over.is_set():
            try:
                over.wait(0.01)
            except:  # noqa: E722, S110
                pass

    try:
        assert quick(0.1).judge(stubborn).outcome is Outcome.RAISED
    finally:
        over.set()


def test_without_threads_the_clock_is_looked_at_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    tracing = sys.gettrace()
    assert observe(endless, {"w": 1.0, "gradient": 1.0, "lr": 1.0}, 0.1).unfinished
    assert observe(lambda w: 2 * w, {"w": 1.0}, 0.1).returned == "2"
    assert sys.gettrace() is tracing


def test_the_inputs_are_never_changed() -> None:
    w = np.array([1.0, 2.0])
    one = observe(lambda w, step: w.__isub__(step), {"w": w, "step": np.array([1.0, 1.0])})
    assert w.tolist() == [1.0, 2.0]
    assert one.changed == ("w",)
    assert one.value is not None
    assert one.value.tolist() == [0.0, 1.0]


def test_changing_the_gradient_is_told_too() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        gradient *= lr
        return w - gradient

    verdict = STEP.judge(gd_step)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert "Your function also changes `gradient` itself." in repr(verdict)


def test_a_forgotten_return_is_not_taken_for_untouched() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        w - lr * gradient

    verdict = STEP.judge(gd_step)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0].startswith("Your function returns nothing. Is the word `return` missing")


def test_dots_left_inside_a_function_are_not_attempted() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        step: Any = ...
        return w - step

    verdict = STEP.judge(gd_step)
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert "There is still a `...` in your function." in repr(verdict)


def test_printing_is_kept_away_and_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        print("w is", w)
        print("careful", file=sys.stderr)
        return w - lr * gradient

    verdict = STEP.judge(gd_step)
    assert verdict.outcome is Outcome.RIGHT
    assert verdict.sentences[1] == "It also prints something. That is no mistake; the check does not show it."
    assert capsys.readouterr() == ("", "")


def test_warnings_of_numpy_are_kept_away() -> None:
    verdict = STEP.judge(lambda w, gradient, lr: np.float64(w).sum() / 0.0 + np.log(-1.0))
    assert verdict.outcome is Outcome.UNRECOGNISED


def test_warnings_of_the_function_are_kept_away() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        warnings.warn("careful", stacklevel=1)
        return w - lr * gradient

    assert STEP.judge(gd_step).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("function", "returned"),
    [
        (lambda w, gradient, lr: np.zeros(2**27), "134,217,728 numbers"),
        (lambda w, gradient, lr: [0.0] * 200_000, "200,000 numbers"),
        (lambda w, gradient, lr: "1.7", "text"),
        (lambda w, gradient, lr: {"w": 1.7}, "a dict"),
        (lambda w, gradient, lr: [[1.0], [1.0, 2.0]], "a list of lists of different lengths"),
        (lambda w, gradient, lr: (w, lr), "[2, 0.1]"),
        (lambda w, gradient, lr: float("nan"), "nan"),
    ],
)
def test_an_unknown_result_is_shown_beside_the_right_one(function: Callable[..., Any], returned: str) -> None:
    verdict = STEP.judge(function)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0] == f"With w = 2, gradient = 3, lr = 0.1 it returns {returned}; 1.7 is right."
    assert verdict.sentences[1] == (
        "It was called 5 times, with single numbers and with arrays. Each result was compared with the right one."
    )


def test_a_function_right_for_numbers_only_is_not_right() -> None:
    verdict = STEP.judge(lambda w, gradient, lr: float(np.sum(w - lr * gradient)))
    assert verdict.sentences[0] == (
        "With w = [1, -2], gradient = [4, 1], lr = 0.25 it returns -2.25; [0, -2.25] is right."
    )


def test_a_result_may_be_a_list_or_a_tensor() -> None:
    assert STEP.judge(lambda w, gradient, lr: np.asarray(w - lr * gradient).tolist()).outcome is Outcome.RIGHT
    assert STEP.judge(lambda w, gradient, lr: tensor(w - lr * gradient)).outcome is Outcome.RIGHT


@pytest.mark.parametrize("answer", [1.7, "w - lr * gradient", [1, 2]])
def test_what_is_no_function_is_named(answer: object) -> None:
    verdict = STEP.judge(answer)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0] == f"A function is asked for. Your answer is {shown(answer)}."


@pytest.mark.parametrize("function", [lambda w, gradient: w, lambda: 1.0, lambda w, gradient, lr, more: w])
def test_a_function_with_another_number_of_inputs_hears_which_it_needs(function: Callable[..., Any]) -> None:
    assert repr(STEP.judge(function)) == (
        "✗ Not yet. Your function needs three inputs: `w`, `gradient`, `lr`.\n"
        'Next: run `hint("gd-step")` in a new cell.'
    )


def test_a_function_may_take_more_inputs_that_have_defaults() -> None:
    assert STEP.judge(lambda w, gradient, lr, more=0: w - lr * gradient).outcome is Outcome.RIGHT


def test_a_function_that_does_not_tell_its_inputs_is_called() -> None:
    assert "It was called with w = [1, -2], gradient = [4, 1], lr = 0.25." in STEP.judge(max).sentences


# -- choices ----------------------------------------------------------------------------------------------------------


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


def test_a_half_filled_choice_is_not_attempted() -> None:
    verdict = CURVES.judge({**WORDS, 0.25: ..., 0.6: None})
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert verdict.sentences[0] == "Still empty: 0.25, 0.6."
    assert CURVES.judge({0.03: ...}).outcome is Outcome.NOT_ATTEMPTED


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


# -- check, hint, solution --------------------------------------------------------------------------------------------


@pytest.fixture
def lesson() -> ExerciseSet:
    return ExerciseSet("06", [RATE, STEP], Progress())


def test_hints_come_one_by_one_and_the_last_one_stays(lesson: ExerciseSet) -> None:
    said = [repr(lesson.hint("largest-rate")) for _ in range(4)]
    assert [text.split(".")[0] for text in said] == [
        "→ Hint 1 of 3", "→ Hint 2 of 3", "→ Hint 3 of 3", "→ Hint 3 of 3"
    ]  # fmt: skip
    assert said[2].endswith("This is the last hint.")
    assert repr(lesson.hint("gd-step")).startswith("→ Hint 1 of 3.")


@pytest.mark.parametrize("asked", ["check", "hint", "solution"])
def test_an_unknown_exercise_is_an_error_that_lists_the_known_ones(lesson: ExerciseSet, asked: str) -> None:
    expected = f"{asked}: there is no exercise 'gd_step' in this notebook. Expected one of 'largest-rate', 'gd-step'."
    with pytest.raises(DomainError, match=re.escape(expected)):
        getattr(lesson, asked)("gd_step")


def test_attempts_hints_and_solutions_are_kept() -> None:
    progress = Progress()
    lesson = ExerciseSet("06", [RATE, STEP], progress)
    lesson.check("largest-rate", ...)
    assert progress.exercise("06/largest-rate") is None
    lesson.check("largest-rate", 0.1)
    lesson.check("largest-rate", 0.1)
    lesson.hint("largest-rate")
    lesson.solution("largest-rate")
    lesson.check("largest-rate", 0.2)
    kept = progress.exercise("06/largest-rate")
    assert kept is not None
    assert (kept["outcome"], kept["attempts"], kept["mistakes"], kept["hints"]) == ("right", 3, {"fastest": 2}, 1)
    assert {"first", "last", "right", "solution"} <= set(kept)


def test_the_solution_of_the_step_is_one_line(lesson: ExerciseSet) -> None:
    assert lesson.solution("gd-step").source == "def gd_step(w, gradient, lr):\n    return w - lr * gradient"


# -- how a verdict looks ----------------------------------------------------------------------------------------------

PAYLOADS = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg/onload=alert(1)>",
    '"><b>bold</b>',
    "`<i>code</i>`",
    "</div></p><h1>out",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "\u202egnirts",
    "$x^2$",
    "\x00\x1b[31m",
    "a" * 10_000,
    "<!-- <p> -->",
]
_TAGS = {"div", "p", "span", "strong", "code", "bdi", "pre"}


def tags(markup: str) -> set[str]:
    return set(re.findall(r"<\s*/?\s*([a-zA-Z!]+)", markup))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_a_learner_is_shown_and_never_becomes_markup(payload: str) -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        raise ValueError(payload)

    said: list[Says] = [STEP.judge(gd_step), RATE.judge(payload), ORDER.judge([payload] * 5), CURVES.judge(payload)]
    for verdict in said:
        assert tags(verdict._repr_html_()) <= _TAGS
        assert len(verdict._repr_html_()) < 10_000


def test_the_page_says_sign_and_word() -> None:
    markup = RATE.judge(0.2)._repr_html_()
    assert '<span aria-hidden="true">✓</span> <strong><bdi>Right.</bdi></strong>' in markup
    assert "<code>...</code>" in RATE.judge(...)._repr_html_()


def test_a_verdict_is_the_same_every_time() -> None:
    texts = {repr(STEP.judge(lambda w, gradient, lr: w + lr * gradient)) for _ in range(5)}
    assert texts == {
        "✗ Not yet. Your function adds the step. The gradient points to where the loss grows, so this climbs. "
        "Which sign goes down?\nWith w = 2, gradient = 3, lr = 0.1 it returns 2.3; 1.7 is right."
    }


def test_the_misconception_is_kept_but_not_shown() -> None:
    verdict = STEP.judge(lambda w, gradient, lr: w + lr * gradient)
    assert verdict.code == "M3"
    assert "M3" not in repr(verdict) + verdict._repr_html_()


def test_a_notice_of_the_progress_file_is_said_once(tmp_path: Any) -> None:
    (tmp_path / "progress.json").write_text("{", encoding="utf-8")
    lesson = ExerciseSet("06", [RATE], Progress(tmp_path / "progress.json"))
    first, second = lesson.check("largest-rate", 0.2), lesson.check("largest-rate", 0.2)
    assert "is damaged" in repr(first)
    assert isinstance(second, Verdict)
    assert repr(second) == f"✓ Right. {RATE.right}"


def test_standard_output_comes_back_after_a_check() -> None:
    before = sys.stdout
    quick().judge(endless)
    assert sys.stdout is before
