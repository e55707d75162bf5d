"""Notebook 10 as a learner meets it: it runs to its end, shows how far it is, and keeps a prediction."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

_NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "10_training_pipeline.ipynb"


def test_the_notebook_runs_and_the_prediction_is_kept(lab_page: Callable) -> None:
    page = lab_page()
    shutil.copy(_NOTEBOOK, page.server.root)
    page.open(_NOTEBOOK.name)
    assert page.error_outputs() == []
    text = page.page.locator(".jp-Notebook").inner_text()
    assert "training: 100%" in text
    assert "unseen digits are right" in text
    assert text.count("Not attempted yet.") == 3

    pictures = page.page.locator(".jp-OutputArea img[alt]")
    assert pictures.count() == 5
    assert all(pictures.nth(i).get_attribute("alt") for i in range(5))

    outcome = page.page.get_by_text("costs ln 10", exact=False)
    assert outcome.count() == 0, "the outcome waits for the prediction"
    page.page.get_by_placeholder("a number").fill("2.3")
    gate = page.page.locator(".bplib-box", has_text="sorts pictures into 10 classes")
    gate.get_by_role("button", name="Store my prediction").click()
    outcome.first.wait_for(timeout=20_000)
    assert page.error_outputs() == []
