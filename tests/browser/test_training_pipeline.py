"""Notebook 10 as a learner meets it: it runs to its end, shows how far it is, keeps a prediction, judges a guess."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

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
    _find_a_fault(page.page)
    assert page.error_outputs() == []
    assert page.problems == []


def _find_a_fault(page: Page) -> None:
    """In the cockpit: train with a hidden fault, guess wrong, guess right."""
    cockpit = page.locator(".bplib-box", has=page.get_by_role("button", name="One epoch"))
    line = cockpit.locator(".bplib-line")
    setting, _, guess = (cockpit.locator("select").nth(i) for i in range(3))
    setting.select_option("H")
    expect(cockpit.get_by_text('cockpit.lr = "H", 0.1', exact=False)).to_be_visible(timeout=20_000)
    cockpit.get_by_role("button", name="One epoch").click()
    expect(line).to_contain_text("Epoch 1", timeout=20_000)
    guess.select_option(label="learning rate ÷ 1000")
    expect(line).to_contain_text("No. With η 1000 times too small the update-to-weight ratio", timeout=20_000)
    guess.select_option(label="layer 1 frozen")
    expect(line).to_contain_text("Yes, H: the optimizer does not hold layer 1", timeout=20_000)
