"""Notebook 06 as a learner's evening: predict, see the outcome beside it, answer wrongly, read why, answer rightly."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

_NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "06_learning_rate.ipynb"


def test_a_prediction_opens_the_marks_and_a_wrong_answer_is_named(lab_page: Callable) -> None:
    page = lab_page()
    shutil.copy(_NOTEBOOK, page.server.root)
    page.open(_NOTEBOOK.name)
    outcome = page.page.get_by_text("0.25 is the fastest", exact=False)
    assert outcome.count() == 0, "the outcome waits for the prediction"
    canvas = page.page.locator(".bplib-card canvas")
    hidden = canvas.evaluate("canvas => canvas.toDataURL()")

    page.page.get_by_role("button", name="0.45", exact=True).first.click()
    page.page.get_by_placeholder("I think so because").fill("bigger steps")
    page.page.get_by_role("button", name="Store my prediction").click()
    outcome.first.wait_for(timeout=20_000)
    assert page.page.get_by_text("You predicted 0.45.").count() == 1
    assert page.page.get_by_text("Your reason: bigger steps").count() == 1
    other = "([canvas, before]) => canvas.toDataURL() !== before"
    page.page.wait_for_function(other, arg=[canvas.element_handle(), hidden], timeout=20_000)

    said = page.page.locator(".jp-OutputArea").last
    page.run('check("largest-rate", 2 / 3)')
    assert "✗ Not yet. Your answer is 0.666667." in said.inner_text()
    page.run('hint("largest-rate")')
    assert "one direction at a time" in said.inner_text()
    page.run("check('gd-step', lambda w, gradient, lr: w + lr * gradient)")
    assert "Which sign goes down?" in said.inner_text()
    page.run('check("largest-rate", 2 / 10)')
    assert "✓ Right." in said.inner_text()
    assert page.error_outputs() == []
