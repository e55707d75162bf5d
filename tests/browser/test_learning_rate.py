"""Notebook 06 as a learner's evening: predict, hear each mistake by its name, ask, solve, restart, find it all kept."""

import json
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.exercises import Exercise, FunctionExercise
from bplib.lessons.explanations import ExplanationExercise
from bplib.lessons.faults import Fault
from bplib.lessons.learning_rate import check
from tests.browser.conftest import LabPage

pytestmark = pytest.mark.browser

_NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "06_learning_rate.ipynb"
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
EXERCISES: dict[str, Exercise] = check.__self__.exercises


@pytest.fixture
def evening(lab_page: Callable[..., LabPage]) -> Iterator[tuple[LabPage, Path]]:
    """The notebook in the folder `my` of a course, open and run, and the file in which progress is kept."""
    page = lab_page()
    course = page.server.root / "evening"
    (course / "my").mkdir(parents=True)
    (course / "course.py").touch()
    shutil.copy(_NOTEBOOK, course / "my")
    page.open(f"evening/my/{_NOTEBOOK.name}")
    yield page, course / "my" / "progress.json"
    shutil.rmtree(course)


def test_a_learners_evening(evening: tuple[LabPage, Path]) -> None:
    page, kept = evening
    _predict(page)
    _be_wrong_in_every_known_way(page)
    _ask_for_two_hints(page)
    _solve(page)
    _explain(page)
    assert page.error_outputs() == []
    before = json.loads(kept.read_text("utf-8"))

    _restart(page)
    assert page.page.get_by_text("You predicted 0.45.").count() == 1, "it is not asked again"
    after = json.loads(kept.read_text("utf-8"))
    assert after["predictions"] == before["predictions"]
    for name, exercise in EXERCISES.items():
        entry = after["exercises"][f"06/{name}"]
        assert set(entry["mistakes"]) == {fault.name for fault in exercise.faults}, name
        # Run All comes by every attempt again, the comparison without its ticks.
        assert "right" in entry, name
    assert after["exercises"]["06/largest-rate"]["hints"] == 2
    said = page.answer("from bplib.lessons.progress_page import progress_page\nprogress_page()")
    assert "Exercise 1: the largest rate (largest-rate)" in said
    assert "1 came out differently" in said
    assert "From tomorrow on:" in said, "what took many attempts is worth repeating"
    assert page.error_outputs() == []


def _predict(page: LabPage) -> None:
    """Store a prediction; only then are outcome and marks to be seen."""
    outcome = page.page.get_by_text("0.25 is the fastest", exact=False)
    assert outcome.count() == 0, "the outcome waits for the prediction"
    canvas = page.page.locator(".bplib-card canvas").first
    hidden = canvas.evaluate("canvas => canvas.toDataURL()")
    gate = page.page.locator(".bplib-box", has_text="Which learning rate needs the fewest steps")
    gate.get_by_role("button", name="0.45", exact=True).click()
    gate.get_by_placeholder("I think so because").fill("bigger steps")
    gate.get_by_role("button", name="Store my prediction").click()
    outcome.first.wait_for(timeout=20_000)
    assert page.page.get_by_text("You predicted 0.45.").count() == 1
    assert page.page.get_by_text("Your reason: bigger steps").count() == 1
    other = "([canvas, before]) => canvas.toDataURL() !== before"
    page.page.wait_for_function(other, arg=[canvas.element_handle(), hidden], timeout=20_000)


def _be_wrong_in_every_known_way(page: LabPage) -> None:
    heard: list[str] = []
    for name, exercise in EXERCISES.items():
        for fault in exercise.faults:
            said = answer(page, name, written(exercise, fault))
            assert said.startswith("✗ Not yet."), (name, fault.name)
            assert fault.sentence.replace("`", "") in said, (name, fault.name)
            heard.append(said)
    assert len(set(heard)) == len(heard) >= 30, "each mistake is answered in its own words"


def _ask_for_two_hints(page: LabPage) -> None:
    for number, text in enumerate(EXERCISES["largest-rate"].hints[:2], 1):
        said = page.answer('hint("largest-rate")')
        assert said.startswith(f"→ Hint {number} of 3.")
        assert text in said


def _solve(page: LabPage) -> None:
    """The first one in the notebook's own cells, as a learner does; the others below."""
    cell = page.page.locator(".jp-CodeCell", has_text="largest_rate = ...").first
    cell.locator(".cm-content").click()
    page.page.keyboard.press("Control+a")
    page.page.keyboard.insert_text("largest_rate = 2 / 10")
    page.page.keyboard.press("Shift+Enter")
    page.page.keyboard.press("Shift+Enter")
    right = page.page.locator(".jp-CodeCell", has_text='check("largest-rate", largest_rate)').first
    right.get_by_text("Right.").wait_for(timeout=20_000)
    for name, exercise in EXERCISES.items():
        if not isinstance(exercise, ExplanationExercise):
            assert answer(page, name, written(exercise, None)).startswith("✓ Right."), name


def _explain(page: LabPage) -> None:
    """Compare an explanation with the model answer, with the keyboard alone, down to what is right."""
    exercise = EXERCISES["bigger-rate"]
    assert isinstance(exercise, ExplanationExercise)
    page.run('check("bigger-rate", "It jumps over the hole, <b>again</b> and again, so it gains little.")')
    box = page.page.locator(".bplib-box").last
    box.get_by_text("<b>again</b>").wait_for(timeout=20_000)
    ticks = box.get_by_role("checkbox")
    ticks.first.focus()
    for place, statement in enumerate(exercise.statements):
        if place:
            page.page.keyboard.press("Tab")
        assert ticks.nth(place).evaluate("tick => tick === document.activeElement")
        if statement.missing:
            page.page.keyboard.press("Space")
    box.get_by_text(exercise.right).wait_for(timeout=20_000)
    box.evaluate("box => box.classList.add('looked-at')")
    page.page.evaluate(_AXE)
    assert page.page.evaluate("async () => (await axe.run('.looked-at')).violations.map(one => one.id)") == []


def _restart(page: LabPage) -> None:
    page.page.keyboard.press("Escape")
    page.page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.page.get_by_role("menuitem", name="Restart Kernel and Run All Cells…").click()
    page.page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.page.wait_for_timeout(2_000)
    page.idle()


def answer(page: LabPage, name: str, code: str) -> str:
    """What the check says to an answer that is given as code."""
    return page.answer(f'answer = {code}\ncheck("{name}", answer)')


def written(exercise: Exercise, fault: Fault | None) -> str:
    """An answer as Python: a known mistake, or what is right."""
    made: Any = exercise.model_answer() if fault is None else exercise.wrong_answer(fault)
    if isinstance(exercise, FunctionExercise):
        # A learner would type it; its place among the mistakes stands for that.
        if fault is None:
            return "lambda w, gradient, lr: w - lr * gradient"
        return f"check.__self__.exercises['{exercise.name}'].faults[{exercise.faults.index(fault)}].make"
    if isinstance(exercise, ChoiceExercise):
        return repr({float(place): one for place, one in zip(exercise.places, made, strict=True)})
    return repr(made)
