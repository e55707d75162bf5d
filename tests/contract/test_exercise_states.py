"""Every exercise in its three states: untouched, solved, and wrong in each of the known ways."""

import importlib
import math
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bplib
import bplib.lessons
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.exercises import Exercise, FunctionExercise, NumberExercise
from bplib.lessons.explanations import ExplanationExercise
from bplib.lessons.faults import Fault
from bplib.lessons.the_loop import STAGE_LINES
from bplib.lessons.training_pipeline import STEP_LINES
from bplib.lessons.verdicts import Outcome, Verdict


def exercise_sets() -> Iterator[ExerciseSet]:
    """Those of all lesson modules, found by the `check` that a notebook imports."""
    for path in sorted(Path(bplib.lessons.__path__[0]).glob("*.py")):
        check = getattr(importlib.import_module(f"bplib.lessons.{path.stem}"), "check", None)
        if check is not None:
            yield check.__self__


EXERCISES = [exercise for one in exercise_sets() for exercise in one.exercises.values()]
FAULTS = [(exercise, fault) for exercise in EXERCISES for fault in exercise.faults]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
every_fault = pytest.mark.parametrize(
    ("exercise", "fault"), FAULTS, ids=[f"{exercise.name}-{fault.name}" for exercise, fault in FAULTS]
)


def test_the_notebooks_have_their_exercises() -> None:
    names = {one.notebook: list(one.exercises) for one in exercise_sets()}
    assert names["00"][:3] == ["python-warm-up", "numpy-warm-up", "derivative-warm-up"]
    assert names["00"][3:] == ["four-stages", "one-update", "which-stage", "what-changes", "who-trains"]
    assert names["06"][:2] == ["largest-rate", "gd-step"]
    assert names["10"] == ["chance-loss", "order-the-step", "two-shares"]


# -- the three states -------------------------------------------------------------------------------------------------


def untouched_answers(exercise: Exercise) -> list[object]:
    if not isinstance(exercise, FunctionExercise):
        return [..., None]

    def dots(w, gradient, lr): ...  # type: ignore[no-untyped-def]

    def explained(w, gradient, lr):  # type: ignore[no-untyped-def]
        """One step."""

    return [..., None, dots, explained, lambda w, gradient, lr: ..., lambda *anything: None]


@every_exercise
def test_an_untouched_exercise_is_not_attempted(exercise: Exercise) -> None:
    for answer in untouched_answers(exercise):
        verdict = exercise.judge(answer)
        assert verdict.outcome is Outcome.NOT_ATTEMPTED, answer
        assert repr(verdict).startswith("◌ Not attempted yet. ")


@every_exercise
def test_the_model_solution_is_right(exercise: Exercise) -> None:
    verdict = exercise.judge(exercise.model_answer())
    assert verdict.outcome is Outcome.RIGHT
    assert repr(verdict) == f"✓ Right. {exercise.right}"


@every_fault
def test_a_known_mistake_gets_its_own_diagnosis(exercise: Exercise, fault: Fault) -> None:
    verdict = exercise.judge(exercise.wrong_answer(fault))
    assert (verdict.outcome, verdict.mistake) == (Outcome.MISTAKE, fault.name)
    assert fault.sentence in verdict.sentences[0]


# -- apart from each other --------------------------------------------------------------------------------------------


@every_exercise
def test_the_answer_and_all_mistakes_are_far_apart(exercise: Exercise) -> None:
    answers = {"right": exercise.model_answer()}
    answers |= {fault.name: exercise.wrong_answer(fault) for fault in exercise.faults}
    for one, other in combinations(answers, 2):
        assert apart(exercise, answers[one], answers[other]), f"{one} looks like {other}"


def apart(exercise: Exercise, one: object, other: object) -> bool:
    if isinstance(exercise, NumberExercise):
        # So far apart that no answer can lie within the tolerance of both.
        return not math.isclose(one, other, rel_tol=2.5 * exercise.tolerance)  # type: ignore[arg-type]
    if isinstance(exercise, FunctionExercise):
        seen, compared = exercise.observations(one), exercise.observations(other)  # type: ignore[arg-type]
        coarse = 1e6 * exercise.tolerance
        return not all(a.agrees(b, coarse) for a, b in zip(seen, compared, strict=True))
    if isinstance(exercise, ExplanationExercise):
        return str(one).split() != str(other).split()
    assert isinstance(exercise, ChoiceExercise)
    return exercise.observe(one) != exercise.observe(other)  # type: ignore[arg-type]


# -- the notebooks ----------------------------------------------------------------------------------------------------

SOURCES = Path(bplib.lessons.__path__[0]).parents[1] / "notebooks" / "src"


@pytest.mark.parametrize("one", list(exercise_sets()), ids=lambda one: one.notebook)
def test_a_notebook_checks_its_own_exercises_under_the_names_that_solutions_use(one: ExerciseSet) -> None:
    (source,) = SOURCES.glob(f"{one.notebook}_*.py")
    checked = re.findall(r'^check\("([^"]+)", (\w+)\)$', source.read_text("utf-8"), re.MULTILINE)
    assert checked
    for name, variable in checked:
        assert variable == (one.exercises[name].variable or name.replace("-", "_"))


@pytest.mark.parametrize("one", list(exercise_sets()), ids=lambda one: one.notebook)
def test_the_answers_in_the_solution_notebook_are_right(one: ExerciseSet) -> None:
    (source,) = SOURCES.glob(f"{one.notebook}_*.py")
    cells = {cell.split('"')[1]: cell.partition("\n")[2] for cell in source.read_text("utf-8").split("# %% id=")[1:]}
    for name, exercise in one.exercises.items():
        notebook: dict[str, Any] = {"np": np, "bplib": bplib}
        exec(cells[name].partition("# %%")[0], notebook)  # noqa: S102
        assert exercise.judge(notebook[exercise.variable or name.replace("-", "_")]).outcome is Outcome.RIGHT, name


@pytest.mark.parametrize(("notebook", "lines"), [("00", STAGE_LINES), ("10", STEP_LINES)])
def test_the_notebook_shows_the_lines_that_the_exercise_runs(notebook: str, lines: dict[str, str]) -> None:
    (source,) = SOURCES.glob(f"{notebook}_*.py")
    shown = re.findall(r"^# \| (?:\*\*)?([A-E])(?:\*\*)? \| `([^`]+)` \|", source.read_text("utf-8"), re.MULTILINE)
    assert dict(shown) == lines


# -- words ------------------------------------------------------------------------------------------------------------


@every_exercise
def test_names_are_unique_and_hints_go_from_weak_to_strong(exercise: Exercise) -> None:
    names = [fault.name for fault in exercise.faults]
    assert len(set(names)) == len(names) >= 3
    assert len(exercise.hints) == 3
    assert [len(one) > 0 for one in (exercise.right, exercise.why)] == [True, True]


def sentences(exercise: Exercise) -> list[str]:
    said = [exercise.right, exercise.why, *exercise.hints, *(fault.sentence for fault in exercise.faults)]
    verdicts: list[Verdict] = [exercise.judge(exercise.wrong_answer(fault)) for fault in exercise.faults]
    return said + [repr(verdict) for verdict in verdicts]


@every_exercise
def test_what_is_said_reads_well_aloud(exercise: Exercise) -> None:
    for text in sentences(exercise):
        assert text.rstrip("`").endswith((".", "?")), text
        assert not re.search(r"\b(incorrect|wrong answer|simply|just|obviously|easy)\b", text, re.IGNORECASE), text
        assert not re.search(r"\bM\d+\b", text), f"a code for instructors is shown: {text}"
        assert not re.search(r"\*\w", text) or "`" in text, f"asterisks are read aloud: {text}"


@every_exercise
def test_every_misconception_is_one_of_the_twenty(exercise: Exercise) -> None:
    for fault in exercise.faults:
        assert fault.code == "" or fault.code in {f"M{n}" for n in range(1, 21)}


@every_exercise
def test_a_solution_shows_code_that_assigns_what_the_notebook_checks(exercise: Exercise) -> None:
    shown = exercise.solution()
    name = exercise.variable or exercise.name.replace("-", "_")
    assert re.search(rf"^(def {name}\(|{name} = )", shown.source, re.MULTILINE)
    assert shown.why in repr(shown)
    assert "Any" not in shown.source
    assert "._" not in shown.source


@every_exercise
def test_a_solution_runs_where_it_is_pasted_and_is_right(exercise: Exercise) -> None:
    # What each notebook has imported under these names; nothing else is there to help.
    notebook: dict[str, Any] = {"np": np, "bplib": bplib}
    exec(exercise.solution().source, notebook)  # noqa: S102
    assert exercise.judge(notebook[exercise.variable or exercise.name.replace("-", "_")]).outcome is Outcome.RIGHT


def test_the_solution_of_six_curves_has_numbers_for_keys() -> None:
    (curves,) = [exercise for exercise in EXERCISES if exercise.name == "six-curves"]
    assert curves.solution().source.startswith("six_curves = {0.03: 'slow', 0.1: 'fast', ")
