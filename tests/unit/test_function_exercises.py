"""How a function is judged: it is called on copies and in a time limit, and the notebook goes on."""

import math
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bplib import tensor
from bplib.lessons import learning_rate, the_loop
from bplib.lessons.exercises import FunctionExercise
from bplib.lessons.trials import observe, shown
from bplib.lessons.verdicts import Outcome

STEP: FunctionExercise = learning_rate.check.__self__.exercises["gd-step"]
SQUARES: FunctionExercise = the_loop.check.__self__.exercises["python-warm-up"]


def quick(seconds: float = 0.2) -> FunctionExercise:
    return FunctionExercise(
        "gd-step", STEP.model, STEP.right, STEP.why, STEP.hints, STEP.faults, trials=STEP.trials, seconds=seconds
    )


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
        (lambda w, gradient, lr: "7" * 10**8, "text"),
        (lambda w, gradient, lr: bytes(10**8), "bytes"),
        (lambda w, gradient, lr: np.broadcast_to(1.0, (10**6, 10**6)), "1,000,000,000,000 numbers"),
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


def test_a_function_that_asks_to_type_hears_that_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("builtins.input", asked.append)
    verdict = STEP.judge(lambda w, gradient, lr: w - float(input("rate? ")) * gradient)
    assert "input() waits for a person to type, and here is none: use the inputs of your function" in repr(verdict)
    assert asked == []
    input("and now again")
    assert asked == ["and now again"]


def test_standard_output_comes_back_after_a_check() -> None:
    before = sys.stdout
    quick().judge(endless)
    assert sys.stdout is before


# -- lists ------------------------------------------------------------------------------------------------------------


def test_a_function_of_a_list_may_use_python_or_numpy() -> None:
    assert SQUARES.judge(lambda numbers: sum(x * x for x in numbers) / len(numbers)).outcome is Outcome.RIGHT
    assert SQUARES.judge(lambda numbers: np.mean(np.array(numbers) ** 2)).outcome is Outcome.RIGHT


def test_a_list_is_shown_as_it_was_handed_in() -> None:
    verdict = SQUARES.judge(lambda numbers: 11 + numbers[0])
    assert verdict.sentences[:2] == (
        "With numbers = [1, 2, 3] it returns 12; 4.66667 is right.",
        "It was called 4 times, with lists and with arrays. Each result was compared with the right one.",
    )
    assert shown([1, "a"]) == "a list"


def test_a_list_is_never_changed_and_changing_it_is_told() -> None:
    def mean_of_squares(numbers: Any) -> Any:
        for place, number in enumerate(numbers):
            numbers[place] = number**2
        return sum(numbers) / len(numbers)

    verdict = SQUARES.judge(mean_of_squares)
    assert "Your function also changes `numbers` itself." in repr(verdict)
    numbers = [1.0, 2.0]
    assert observe(mean_of_squares, {"numbers": numbers}).changed == ("numbers",)
    assert numbers == [1.0, 2.0]


@pytest.mark.parametrize("do", [lambda numbers: numbers.append(np.zeros(2)), lambda numbers: numbers.clear(),
                                lambda numbers: numbers.__setitem__(0, np.zeros(2))])  # fmt: skip
def test_a_list_may_be_spoilt_in_any_way(do: Callable[[list[Any]], None]) -> None:
    assert observe(do, {"numbers": [1.0, 2.0]}).changed == ("numbers",)


def total_without_a_start(numbers: Any) -> Any:
    for number in numbers:
        total = total + number**2  # type: ignore[has-type]  # noqa: F821
    return total / len(numbers)


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (lambda numbers: sum(x ^ 2 for x in numbers), "In Python a power is written with two asterisks: `x ** 2`."),
        (
            lambda numbers: np.mean(numbers**2),
            "It is also called with lists. `np.array` makes an array of a list.",
        ),
        (total_without_a_start, "`total` has no value there yet. Set `total = 0` before the loop."),
    ],
)
def test_three_errors_of_beginners_get_advice(function: Callable[..., Any], advice: str) -> None:
    verdict = SQUARES.judge(function)
    assert verdict.outcome is Outcome.RAISED
    assert verdict.sentences[2] == advice


@pytest.mark.parametrize("number", [14 / 3, 4.667, 12])
def test_a_function_that_looks_at_no_input_hears_so(number: float) -> None:
    verdict = SQUARES.judge(lambda numbers: number)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences == (
        "Your function returns the same for every list. Use `numbers`.",
        'Next: run `hint("python-warm-up")` in a new cell.',
    )
    assert STEP.judge(lambda w, gradient, lr: 1.7).sentences[0] == (
        "Your function returns the same for every input. Use `w`, `gradient`, `lr`."
    )


def test_a_function_that_rounds_hears_so_and_no_quarrel_over_digits() -> None:
    verdict = SQUARES.judge(lambda numbers: round(float(np.mean(np.square(numbers))), 3))
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0] == (
        "Your results are close, but not exact. Does your function round? Return the result as it is."
    )


def test_a_list_of_the_squares_is_a_known_mistake_as_an_array_too() -> None:
    assert SQUARES.judge(lambda numbers: [number**2 for number in numbers]).mistake == "list-of-squares"
    assert SQUARES.judge(lambda numbers: np.array(numbers) ** 2).mistake == "list-of-squares"


def test_an_example_in_which_no_difference_can_be_seen_is_left_out() -> None:
    def trials() -> list[dict[str, Any]]:
        return [{"w": np.arange(20.0), "gradient": np.ones(20), "lr": lr} for lr in (0.1, 0.2)]

    verdict = replace(STEP, trials=trials, faults=()).judge(lambda w, gradient, lr: w - 7 * lr * gradient)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert verdict.sentences[0].startswith("It was called 2 times, with arrays.")
    assert "an array of shape (20,); an array" not in repr(verdict)
