"""The graph stepper as a learner meets it: watched, typed, by keyboard alone, narrow and dark."""

import json
import os
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from bplib.widgets.graph.examples import EXAMPLES, story_of
from bplib.widgets.graph.state import first_state
from tests.browser.waiting import wait_for_words

pytestmark = pytest.mark.browser

_CELLS = ("from bplib.widgets.graph.view import graph_stepper", "stepper = graph_stepper({arguments})\nstepper")
# With a folder in BPLIB_LOOK, the pictures of a run are left there, to be looked at.
_LOOK = os.environ.get("BPLIB_LOOK", "")


class Stepper:
    """The parts of a graph stepper on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.locator(".bplib-box", has=page.locator(".bplib-card")).last
        self.canvas = self.box.locator(".bplib-card canvas")
        self.line = self.box.locator(".bplib-line")
        self.slider = self.box.locator(".noUi-handle")
        self.place = self.box.locator(".widget-readout")
        self.field = self.box.locator("input[type=text]")
        self.canvas.wait_for(timeout=60_000)
        self.canvas.scroll_into_view_if_needed()

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def says(self, words: str) -> None:
        wait_for_words(self.line, words)

    def pixels(self) -> str:
        return self.canvas.evaluate("canvas => canvas.toDataURL()")

    def look(self, name: str) -> None:
        if _LOOK:
            self.page.wait_for_timeout(200)
            self.box.screenshot(path=Path(_LOOK) / f"{name}.png")


def opened(lab_page: Callable, arguments: str = "", **context: object) -> Stepper:
    page = lab_page(**context)
    page.open(page.server.write("graph_stepper.ipynb", [cell.format(arguments=arguments) for cell in _CELLS]))
    return Stepper(page.page)


def test_steps_go_forward_and_backward_and_the_slider_scrubs_without_the_kernel(lab_page: Callable) -> None:
    stepper = opened(lab_page)
    stepper.says("Ready: 6 operations to compute.")
    seen = [stepper.pixels()]
    for words in ("ω₁·x₁ = ω₁ × x₁", "ω₂·x₂ = ω₂ × x₂"):
        stepper.button("Step").click()
        stepper.says(words)
        seen.append(stepper.pixels())
    assert len(set(seen)) == 3
    stepper.button("Step back").click()
    stepper.says("ω₁·x₁ = ω₁ × x₁")
    assert stepper.pixels() == seen[1]
    stepper.page.locator(".jp-Notebook .jp-Cell").first.scroll_into_view_if_needed()
    stepper.slider.focus()
    stepper.page.keyboard.press("End")
    stepper.says("Backward to x₁")
    stepper.look("watched_end")
    stepper.button("Step").click()
    stepper.says("That was the last step. The gradients: ∂Loss/∂ω₁ = −0.25")
    stepper.button("Start again").click()
    stepper.says("Ready: 6 operations")
    assert stepper.pixels() == seen[0]


def test_every_key_on_the_slider_is_painted_while_the_kernel_sleeps(lab_page: Callable) -> None:
    page = lab_page()
    page.open(page.server.write("busy.ipynb", [cell.format(arguments="") for cell in _CELLS]))
    stepper = Stepper(page.page)
    page.run("import time; time.sleep(8)", wait=False)
    stepper.slider.focus()
    pictures = []
    for _ in range(10):
        stepper.page.keyboard.press("ArrowRight")
        stepper.page.wait_for_timeout(60)
        pictures.append(stepper.pixels())
    assert page.busy()
    assert len(set(pictures)) == 10


def test_typed_answers_are_judged_by_the_mistake_and_the_right_one_goes_on(lab_page: Callable) -> None:
    stepper = opened(lab_page, 'example="fan-out"')
    stepper.button("type each gradient").click()
    stepper.slider.focus()
    stepper.page.keyboard.press("End")  # no looking ahead: as far as the first question
    stepper.says("What goes to u? Type ∂f/∂u")
    stepper.look("typed_question")
    for answer, words in (
        ("<img src=x onerror=alert(1)>", "There is no number in"), ("2", "You added the two"),
        ("1", "What goes to v?"), ("1", "Type ∂f/∂a, part 1"), ("3", "Type ∂f/∂a, part 2"),
        ("8", "That is the sum of all that has arrived at a"), ("5", "At a the parts add up to 8"),
    ):  # fmt: skip
        stepper.field.fill(answer)
        stepper.button("Check").click()
        stepper.says(words)
    stepper.look("typed_later")
    stepper.button("Show it").click()
    stepper.says("5 gradients, 2 of them right at the first try")
    # The same by the keyboard alone.
    stepper.button("Start again").focus()
    stepper.page.keyboard.press("Enter")
    stepper.says("Ready:")
    stepper.button("Step").focus()
    for words in ("u = a", "v = a", "f = u", "What goes to u?"):
        stepper.page.keyboard.press("Enter")
        stepper.says(words)
    stepper.field.focus()
    stepper.page.keyboard.type("1")
    stepper.page.keyboard.press("Enter")
    stepper.says("Right: 1. What goes to v?")


def test_every_example_is_chosen_from_the_list_and_walked_to_its_end(lab_page: Callable) -> None:
    stepper = opened(lab_page, 'example="fan-out"', viewport={"width": 1280, "height": 1100})
    for k, example in enumerate(EXAMPLES):
        stepper.box.locator("select").select_option(index=k)
        first = first_state(example, story_of(example))
        stepper.says(first.moment.sentence)
        stepper.box.get_by_text(f"0 of {first.last}", exact=True).wait_for()
        for place in range(1, first.last + 1):  # the slider's End key still goes to the end of the range before
            stepper.slider.press("ArrowRight")
            expect(stepper.place).to_have_text(f"{place} of {first.last}", timeout=20_000)
        stepper.says(first.moments[-1].sentence)
        stepper.look(f"example_{example}")
        # The browser holds back the last position while it waits for an answer: it must not reach the next example.
        stepper.page.wait_for_timeout(300)
        stepper.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')


def choose_theme(url: str, theme: str) -> None:
    """As the menu Settings does it."""
    request = urllib.request.Request(
        f"{url}/lab/api/settings/@jupyterlab/apputils-extension:themes", method="PUT",
        data=json.dumps({"raw": json.dumps({"theme": f"JupyterLab {theme}"})}).encode(),
    )  # fmt: skip
    urllib.request.urlopen(request, timeout=10).close()


def test_dark_and_narrow_the_picture_keeps_its_light_card_and_scrolls_where_words_would_be_too_small(
    lab_page: Callable, lab_server: Any
) -> None:
    choose_theme(lab_server.url, "Dark")
    try:
        stepper = opened(lab_page, "typed=True")
        stepper.page.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
        for _ in range(7):
            stepper.button("Step").click()
        stepper.says("What goes to Error?")
        stepper.look("dark")
        corner = "c => [...c.getContext('2d').getImageData(2, 2, 1, 1).data]"
        assert stepper.canvas.evaluate(corner) == [255, 255, 255, 255]
    finally:
        choose_theme(lab_server.url, "Light")
    stepper.page.set_viewport_size({"width": 800, "height": 1000})
    frame = stepper.box.locator(".bplib-stage")
    stepper.page.wait_for_function("el => el.tabIndex === 0", arg=frame.element_handle(), timeout=20_000)
    assert stepper.box.evaluate("box => box.scrollWidth <= box.clientWidth + 1")
    assert stepper.canvas.evaluate("canvas => canvas.clientWidth") >= 640
    assert frame.get_attribute("data-more") == "", "the edge fades where the picture goes on"
    stepper.look("narrow")
    place = stepper.line.bounding_box()
    frame.focus()
    stepper.page.keyboard.press("ArrowRight")
    stepper.page.wait_for_function("el => el.scrollLeft > 0", arg=frame.element_handle(), timeout=20_000)
    frame.evaluate("el => el.scrollLeft = el.scrollWidth")
    stepper.page.wait_for_function("el => !el.hasAttribute('data-more')", arg=frame.element_handle(), timeout=20_000)
    assert abs(stepper.line.bounding_box()["x"] - place["x"]) <= 1, "the sentence stays in sight"
    stepper.look("narrow_end")
    stepper.page.set_viewport_size({"width": 1280, "height": 900})
    stepper.page.wait_for_function("el => !el.hasAttribute('tabindex')", arg=frame.element_handle(), timeout=20_000)
