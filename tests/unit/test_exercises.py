"""How answers are judged: every kind of answer gets a verdict, and the notebook goes on."""

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
        ([1.0, 2.0], "Your answer is 2 numbers at once."),
        ([[1.0], [1.0, 2.0]], "Your answer is a list."),
        (float("nan"), "Your answer is nan, which is not finite."),
        (float("-inf"), "Your answer is -inf, which is not finite."),
        (max, "Your answer is a function. Call it, or assign its result."),
        (0.2j, "Your answer is a complex."),
        ({}, "Your answer is a dict."),
        (object(), "Your answer is an object."),
        (True, "Your answer is 1."),
    ],
)
def test_what_is_no_number_is_named(answer: object, said: str) -> None:
    verdict = RATE.judge(answer)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert said in verdict.sentences[0]


def test_an_unknown_number_hears_what_was_checked_and_where_to_go_next() -> None:
    assert repr(RATE.judge(0.25)) == (
        "✗ Not yet. Your answer is 0.25, and that is too large. It matches none of the 8 mistakes this check knows.\n"
        "It was compared with the learning rate at which the steepest direction no longer shrinks.\n"
        'Next: run `hint("largest-rate")` in a new cell.'
    )


# -- functions --------------------------------------------------------------------------------------------------------


def test_a_function_that_raises_shows_type_message_line_and_input() -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        step = lr / 0
        return w - step

    assert repr(STEP.judge(gd_step)) == (
        "✗ Not yet. Your function raised an error in its line 2: `ZeroDivisionError: float division by zero`.\n"
        "It was called with w = 2, gradient = 3, lr = 0.1."
    )


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
    assert "It was called 5 times, with single numbers and with arrays." in verdict.sentences[1]


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


def test_a_function_with_too_few_parameters_hears_so() -> None:
    assert "takes 2 positional arguments but 3 were given" in repr(STEP.judge(lambda w, gradient: w))


# -- choices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["DBECA", "dbeca", "D B E C A", "D, B, E, C, A", list("DBECA"), tuple("EDBCA")])
def test_an_order_may_be_written_in_many_ways(answer: object) -> None:
    assert ORDER.judge(answer).outcome is Outcome.RIGHT


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("DBEC", "5 options are asked for, and your answer has 4."),
        ("DBECX", "The answer holds `X`. You can choose from `A`, `B`, `C`, `D`, `E`."),
        ("DBECC", "The answer holds `C` twice. Use each of `A`, `B`, `C`, `D`, `E` once."),
        (7, "5 options are asked for, and your answer has 1."),
    ],
)
def test_an_order_that_is_none_is_explained(answer: object, said: str) -> None:
    verdict = ORDER.judge(answer)
    assert (verdict.outcome, verdict.sentences[0]) == (Outcome.UNRECOGNISED, said)


def test_a_half_filled_choice_is_not_attempted() -> None:
    verdict = CURVES.judge({0.03: "slow", 0.1: "fast", 0.25: ...})
    assert verdict.outcome is Outcome.NOT_ATTEMPTED
    assert verdict.sentences[0] == "Still empty: 0.25, 0.45, 0.5, 0.6."


def test_an_unknown_choice_hears_how_many_are_right_and_the_first_that_is_not() -> None:
    answer = dict(zip(learning_rate.RATES, CURVES.model_answer(), strict=True))
    assert CURVES.judge(answer).outcome is Outcome.RIGHT
    verdict = CURVES.judge({**answer, 0.1: "slow"})
    assert verdict.sentences[0] == "5 of 6 places are right. The first that is not: 0.1."


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
