"""Notebook 00 as a newcomer's first evening: from Run All to the last exercise, with nothing dead and nothing red."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.waiting import wait_for_words

pytestmark = pytest.mark.browser

_NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "00_the_loop.ipynb"
# Name of the exercise, a wrong answer, what it is told, the right answer.
_EXERCISES = (
    ("numpy-warm-up", "24", "column", "34"),
    ("derivative-warm-up", "2.5", "2", "5"),
    ("four-stages", '"CDAB"', "Update", '"CDBA"'),
    ("one-update", "2.3", "You added the step", "1.7"),
    ("which-stage", '"Backward"', "Backward", '"Update"'),
)


def test_every_cell_runs_and_every_picture_has_words(lab_page: Callable) -> None:
    page = lab_page()
    shutil.copy(_NOTEBOOK, page.server.root)
    page.open(_NOTEBOOK.name)
    assert page.error_outputs() == []
    assert page.page.locator(".jp-Notebook").inner_text().count("Not attempted yet.") == 8
    pictures = page.page.locator(".jp-OutputArea img[alt]")
    assert [bool(pictures.nth(i).get_attribute("alt")) for i in range(pictures.count())] == [True, True]
    assert page.page.locator(".bplib-card canvas").count() == 1


def test_a_prediction_is_kept_and_the_stages_show_why(lab_page: Callable) -> None:
    page = lab_page()
    shutil.copy(_NOTEBOOK, page.server.root)
    page.open(_NOTEBOOK.name)
    outcome = page.page.get_by_text("It stays. At first the loss is", exact=False)
    assert outcome.count() == 0, "the outcome waits for the prediction"
    page.page.get_by_role("button", name="it falls", exact=True).click()
    page.page.get_by_placeholder("I think so because").fill("it learns")
    page.page.get_by_role("button", name="Store my prediction").click()
    outcome.first.wait_for(timeout=20_000)
    assert page.page.get_by_text("You predicted it falls.").count() == 1

    line = page.page.locator(".bplib-box .bplib-line").last
    for stage, words in (
        ("Forward", "Forward: four predictions"),
        ("Loss", "the four errors, squared and averaged"),
        ("Backward", "No weight has changed"),
        ("Update", "The predictions are from before it"),
    ):
        page.page.get_by_role("button", name=stage, exact=True).last.click()
        wait_for_words(line, words)
    page.page.get_by_role("button", name="100 loops", exact=True).click()
    wait_for_words(line, "100 loops")
    assert page.error_outputs() == []


def test_wrong_answers_are_named_and_right_ones_accepted(lab_page: Callable) -> None:
    page = lab_page()
    shutil.copy(_NOTEBOOK, page.server.root)
    page.open(_NOTEBOOK.name)
    for name, wrong, told, right in _EXERCISES:
        verdict = page.answer(f'check("{name}", {wrong})')
        assert "✗ Not yet." in verdict, name
        assert told in verdict, name
        assert "Next: run hint" not in verdict, f"{name}: the mistake was not recognised"
        assert "✓ Right." in page.answer(f'check("{name}", {right})'), name
    assert page.error_outputs() == []
