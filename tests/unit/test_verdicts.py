"""What check, hint and solution say and keep, and how it looks in a page."""

import re
from typing import Any

import pytest

from bplib.lessons import learning_rate, training_pipeline
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.exercises import FunctionExercise, NumberExercise
from bplib.lessons.progress import Progress
from bplib.lessons.verdicts import Says, Solution, UnknownName, Verdict
from tests.hostile import WORDS

RATE: NumberExercise = learning_rate.check.__self__.exercises["largest-rate"]
STEP: FunctionExercise = learning_rate.check.__self__.exercises["gd-step"]
CURVES: ChoiceExercise = learning_rate.check.__self__.exercises["six-curves"]
ORDER: ChoiceExercise = training_pipeline.check.__self__.exercises["order-the-step"]


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
@pytest.mark.parametrize(
    ("name", "shown"), [("exercise 1", "exercise 1"), ("", ""), (1, "int"), (["gd-step"], "list"), ("x" * 99, "x" * 40)]
)
def test_an_unknown_exercise_is_a_card_that_lists_the_known_ones(asked: str, name: Any, shown: str) -> None:
    progress = Progress()
    card = getattr(ExerciseSet("06", [RATE, STEP], progress), asked)(name)
    assert isinstance(card, UnknownName)
    assert repr(card) == f'→ No exercise has this name: `{shown}`.\nThe names are "largest-rate", "gd-step".'
    assert progress.exercise(f"06/{name}") is None


@pytest.mark.parametrize("name", ["gd_step", "gd step", " GD-Step "])
def test_a_name_may_be_written_in_many_ways_and_stays_one_exercise(name: str) -> None:
    progress = Progress()
    lesson = ExerciseSet("06", [RATE, STEP], progress)
    assert repr(lesson.hint("gd-step")).startswith("→ Hint 1 of 3.")
    assert repr(lesson.hint(name)).startswith("→ Hint 2 of 3.")
    assert lesson.check(name, STEP.model) == STEP.judge(STEP.model)
    assert lesson.solution(name) == STEP.solution()
    kept = progress.exercise("06/gd-step")
    assert kept is not None
    assert (kept["outcome"], kept["hints"], "solution" in kept) == ("right", 2, True)


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

_TAGS = {"div", "p", "span", "strong", "code", "bdi", "pre"}


def tags(markup: str) -> set[str]:
    return set(re.findall(r"<\s*/?\s*([a-zA-Z!]+)", markup))


@pytest.mark.parametrize("payload", WORDS)
def test_text_of_a_learner_is_shown_and_never_becomes_markup(payload: str) -> None:
    def gd_step(w: Any, gradient: Any, lr: Any) -> Any:
        raise ValueError(payload)

    said: list[Says] = [STEP.judge(gd_step), RATE.judge(payload), ORDER.judge([payload] * 5), CURVES.judge(payload)]
    said += [UnknownName(payload, ("gd-step",))]
    for verdict in said:
        assert tags(verdict._repr_html_()) <= _TAGS
        assert len(verdict._repr_html_()) < 10_000


def test_the_page_says_sign_and_word() -> None:
    markup = RATE.judge(0.2)._repr_html_()
    assert '<span aria-hidden="true">✓</span> <strong><bdi>Right.</bdi></strong>' in markup
    assert "<code>...</code>" in RATE.judge(...)._repr_html_()


def test_the_page_shows_a_solution_as_code(lesson: ExerciseSet) -> None:
    card = lesson.solution("gd-step")
    assert isinstance(card, Solution)
    assert "><bdi>def gd_step(w, gradient, lr):\n    return w - lr * gradient</bdi></pre>" in card._repr_html_()
    compared = Solution("less", "smaller = w < 1 & True", "Because.")._repr_html_()
    assert "smaller = w &lt; 1 &amp; True</bdi></pre>" in compared


def test_a_set_of_exercises_names_them(lesson: ExerciseSet) -> None:
    assert repr(lesson) == "ExerciseSet('06', largest-rate, gd-step)"


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
