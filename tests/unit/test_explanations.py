"""Exercises that ask for an explanation: what can be judged, and what the learner compares."""

from itertools import chain, combinations
from typing import Any

import pytest

from bplib.lessons import learning_rate, the_loop, training_pipeline
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.explanations import ExplanationExercise, Statement
from bplib.lessons.faults import Fault
from bplib.lessons.progress import Progress
from bplib.lessons.verdicts import Outcome, Verdict
from bplib.widgets.comparison import Comparison, Event

EXPLANATIONS = [
    exercise
    for lesson in (the_loop, learning_rate, training_pipeline)
    for exercise in lesson.check.__self__.exercises.values()
    if isinstance(exercise, ExplanationExercise)
]
every_explanation = pytest.mark.parametrize("exercise", EXPLANATIONS, ids=lambda one: one.name)

WHY = ExplanationExercise(
    name="why-downhill",
    model=lambda: "The gradient points uphill, so we go against it.",
    right="The minus sign is the whole idea.",
    why="It is.",
    hints=("Which way does it point?",),
    faults=(Fault("uphill", lambda: "The gradient points to the minimum.", "Does it point downhill?"),),
    statements=(
        Statement("the gradient points uphill", missing="Where does the gradient point?"),
        Statement("the gradient points to the minimum", fault="uphill"),
        Statement("we go against it", missing="Which way do we go?"),
    ),
)


@pytest.fixture
def progress() -> Progress:
    return Progress()


def checked(answer: object, progress: Progress) -> Any:
    return ExerciseSet("99", [WHY], progress).check("why-downhill", answer)


def ticked(exercise: ExplanationExercise, *places: int) -> Verdict:
    return exercise.judge_statements(frozenset(places))


# -- what can be judged -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, ..., "", "  \n", "...", "…"])
def test_no_text_is_not_attempted(answer: object) -> None:
    assert WHY.judge(answer).outcome is Outcome.NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (3.0, "Your answer is 3. An explanation is asked for: sentences between quotation marks"),
        (["a", "b"], "Your answer is a list. An explanation is asked for"),
        (print, "An explanation is asked for"),
        ("downhill", 'Your answer is "downhill". Write one or two whole sentences'),
        ("no idea yet", 'Your answer is "no idea yet". Write one or two whole sentences'),
    ],
)
def test_what_cannot_be_compared_is_said(answer: object, said: str) -> None:
    verdict = WHY.judge(answer)
    assert verdict.outcome is Outcome.UNRECOGNISED
    assert said in repr(verdict)
    assert 'hint("why-downhill")' in repr(verdict)


def test_the_wording_of_the_model_and_of_a_mistake_is_known_whatever_its_line_ends() -> None:
    assert WHY.judge("The gradient points uphill,\nso we go  against it.").outcome is Outcome.RIGHT
    assert WHY.judge(" The gradient points\nto the minimum. ").mistake == "uphill"


def test_any_other_text_is_the_learners_to_compare(progress: Progress) -> None:
    box = checked("It points up and we go down.", progress)
    assert isinstance(box, Comparison)
    assert box.words() == (
        "Your text: It points up and we go down.",
        "A model answer: The gradient points uphill, so we go against it.",
        "Tick what your text says, in these words or in others.",
        "☐ My text says that the gradient points uphill.",
        "☐ My text says that the gradient points to the minimum.",
        "☐ My text says that we go against it.",
    )
    assert progress.exercise("99/why-downhill")["outcome"] == "to compare"  # type: ignore[index]


# -- what the learner finds -------------------------------------------------------------------------------------------


def test_ticks_lead_to_the_outcome_and_it_is_kept(progress: Progress) -> None:
    box = checked("It points up and we go down.", progress)
    said = box.children[-2]
    box.dispatch(Event(0, True))
    assert "✗" in said.value
    assert "Your text makes 1 of 2 points. Which way do we go?" in said.value
    assert progress.exercise("99/why-downhill")["outcome"] == "to compare"  # type: ignore[index]
    box.dispatch(Event(1, True))
    assert "Does it point downhill?" in said.value
    assert progress.exercise("99/why-downhill")["mistakes"] == {"uphill": 1}  # type: ignore[index]
    box.dispatch(Event(1, False))
    box.dispatch(Event(2, True))
    assert "✓" in said.value
    assert "The minus sign is the whole idea." in said.value
    assert progress.exercise("99/why-downhill")["outcome"] == "right"  # type: ignore[index]
    box.dispatch(Event(0, False))
    box.dispatch(Event(2, False))
    assert said.value == ""


def test_the_cell_run_again_leaves_no_mistake_behind(progress: Progress) -> None:
    checked("It points up and we go down.", progress).dispatch(Event(1, True))
    assert progress.exercise("99/why-downhill")["outcome"] == "mistake"  # type: ignore[index]
    checked("It points up, and we go down.", progress)
    assert progress.exercise("99/why-downhill")["outcome"] == "to compare"  # type: ignore[index]


def test_the_cell_run_again_leaves_what_was_right(progress: Progress) -> None:
    for place in (0, 2):
        checked("It points up and we go down.", progress).dispatch(Event(place, True))
    assert progress.exercise("99/why-downhill")["outcome"] == "to compare"  # type: ignore[index]
    box = checked("It points up and we go down.", progress)
    for place in (0, 2):
        box.dispatch(Event(place, True))
    checked("It points up and we go down.", progress)
    assert progress.exercise("99/why-downhill")["outcome"] == "right"  # type: ignore[index]


def test_a_mistake_goes_before_all_points_made() -> None:
    assert ticked(WHY, 0, 1, 2).mistake == "uphill"


def test_where_progress_is_lost_the_comparison_says_so(tmp_path: Any) -> None:
    box = checked("It points up and we go down.", Progress(tmp_path / "nowhere" / "progress.json"))
    assert "your progress is remembered until you close this notebook" in " ".join(box.words())


# -- the exercises of the course --------------------------------------------------------------------------------------


def test_each_notebook_asks_for_one_explanation() -> None:
    assert [one.name for one in EXPLANATIONS] == ["who-trains", "bigger-rate", "two-shares"]


@every_explanation
def test_a_statement_is_a_point_or_a_known_mistake_and_every_mistake_has_one(exercise: ExplanationExercise) -> None:
    assert all(bool(one.missing) != bool(one.fault) for one in exercise.statements)
    mistaken = [one.fault for one in exercise.statements if one.fault]
    assert sorted(mistaken) == sorted(fault.name for fault in exercise.faults)


@every_explanation
def test_each_mistaken_statement_is_answered_by_its_own_sentence(exercise: ExplanationExercise) -> None:
    for place, statement in enumerate(exercise.statements):
        if statement.fault:
            verdict = ticked(exercise, place)
            (fault,) = [one for one in exercise.faults if one.name == statement.fault]
            assert (verdict.mistake, verdict.sentences[0]) == (fault.name, fault.sentence)


@every_explanation
def test_only_all_points_together_are_right(exercise: ExplanationExercise) -> None:
    points = [place for place, one in enumerate(exercise.statements) if one.missing]
    for some in chain.from_iterable(combinations(points, count) for count in range(len(points))):
        verdict = ticked(exercise, *some)
        absent = [exercise.statements[place].missing for place in points if place not in some]
        assert verdict.outcome is Outcome.UNRECOGNISED
        assert f"Your text makes {len(some)} of {len(points)} points. {absent[0]}" in verdict.sentences[0]
    assert ticked(exercise, *points).outcome is Outcome.RIGHT


@every_explanation
def test_the_points_do_not_stand_together(exercise: ExplanationExercise) -> None:
    kinds = "".join("p" if one.missing else "m" for one in exercise.statements)
    assert "ppp" not in kinds
    assert "mmm" not in kinds
