"""The loop stepper as a learner meets it: in JupyterLab, with the mouse, and with the keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from bplib.viz.marks import Text
from bplib.widgets.loop.scene import loop_scene
from bplib.widgets.loop.state import STAGES, first_state
from tests.browser.waiting import wait_for_words

pytestmark = pytest.mark.browser

_CELLS = ("from bplib.widgets.loop.view import loop_stepper", "stepper = loop_stepper()\nstepper")
_FOCUSED = "el => el === document.activeElement"


class Stepper:
    """The parts of a loop stepper on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.locator(".bplib-box", has=page.locator(".bplib-card")).last
        self.canvas = self.box.locator(".bplib-card canvas")
        self.line = self.box.locator(".bplib-line")
        self.said = self.box.locator(".bplib-said")
        self.slider = self.box.locator(".noUi-handle")
        self.skip = self.box.get_by_label("skip update")
        self.canvas.wait_for(timeout=60_000)
        self.canvas.scroll_into_view_if_needed()

    def button(self, name: str) -> Locator:
        return self.box.get_by_role("button", name=name, exact=True)

    def pixels(self) -> str:
        return self.canvas.evaluate("canvas => canvas.toDataURL()")

    def says(self, words: str) -> None:
        wait_for_words(self.line, words)

    def click(self, name: str, words: str) -> str:
        """Press a button with the mouse, wait for the words, and return the picture."""
        self.button(name).click()
        self.says(words)
        return self.pixels()

    def next_stage(self) -> list[str]:
        return self.box.locator("button.mod-primary").all_inner_texts()

    def announced(self) -> None:
        """A screen reader hears the sentence once it has come to rest."""
        self.page.wait_for_function(
            "([a, b]) => a.textContent === b.textContent",
            arg=[self.said.element_handle(), self.line.element_handle()], timeout=20_000,
        )  # fmt: skip


def _opened(lab_page: Callable, **context: object) -> tuple:
    page = lab_page(**context)
    page.open(page.server.write("loop_stepper.ipynb", _CELLS))
    return page, Stepper(page.page)


def _value(page: Any, code: str) -> str:
    """What Python prints."""
    return str(page.answer(f"print('=', {code})").removeprefix("= "))


def test_the_mouse_goes_through_the_loop_and_the_picture_follows(lab_page: Callable) -> None:
    page, stepper = _opened(lab_page)
    assert stepper.next_stage() == ["Forward"]
    pictures = [stepper.pixels(), stepper.click("Update", "there are none yet. Press Forward first.")]
    assert pictures[0] == pictures[1], "a stage out of order changes nothing"
    pictures.append(stepper.click("Forward", "Forward: four predictions"))
    pictures.append(stepper.click("Loss", "squared and averaged, give 0.3374"))
    before = _value(page, "stepper.weights.tolist()")
    pictures.append(stepper.click("Backward", "13 gradients computed. No weight has changed."))
    assert _value(page, "stepper.weights.tolist()") == before
    predictions = _value(page, "stepper.predictions.tolist()")
    assert stepper.next_stage() == ["Update"]
    pictures.append(stepper.click("Update", "all 13 parameters moved"))
    assert _value(page, "stepper.weights.tolist()") != before
    assert _value(page, "stepper.predictions.tolist()") == predictions
    pictures.append(stepper.click("Forward", "Forward: four predictions"))
    pictures.append(stepper.click("100 loops", "100 loops, 100 updates: the loss fell from 0.3374 to 0.0077."))
    assert len(set(pictures)) == len(pictures) - 1, "each state has a picture of its own"
    assert stepper.click("Step back", "Forward: four predictions") == pictures[-2]
    assert stepper.click("Reset", "Nothing is computed yet. Next: Forward.") == pictures[0]
    assert page.error_outputs() == []


def test_without_update_the_loss_stays_and_code_and_page_agree(lab_page: Callable) -> None:
    page, stepper = _opened(lab_page)
    stepper.skip.click()
    stepper.says("“skip update” is on")
    for stage in ("Forward", "Loss", "Backward"):
        stepper.click(stage, f"{stage}: ")
    stepper.says("Update is skipped. Next: Forward.")
    assert stepper.next_stage() == ["Forward"]
    stepper.click("100 loops", "100 loops, no update: the loss stays at 0.3374.")
    page.run("stepper.reset(); stepper.skip_update = False; stepper.lr = 2; stepper.loops(200)")
    stepper.says("the numbers are too large for the computer")
    assert not stepper.skip.is_checked()
    assert stepper.slider.get_attribute("aria-valuetext") == "2"
    assert stepper.next_stage() == []
    page.run("stepper.reset(); stepper.lr = 0.123")
    stepper.says("η = 0.123 now.")
    assert stepper.slider.get_attribute("aria-valuetext") == "0.123"
    assert page.error_outputs() == []


def test_the_keyboard_alone_is_enough_and_the_focus_stays(lab_page: Callable) -> None:
    page, stepper = _opened(lab_page)
    keys = page.page.keyboard
    stepper.button("Forward").focus()
    for stage in STAGES:
        assert stepper.button(stage).evaluate(_FOCUSED)
        keys.press("Enter")
        stepper.says(f"{stage}: ")
        assert stepper.button(stage).evaluate(_FOCUSED), "the focus stays on the button that was pressed"
        stepper.announced()
        keys.press("Tab")
    assert stepper.skip.evaluate(_FOCUSED)
    keys.press("Space")
    stepper.says("“skip update” is on")
    keys.press("Space")
    stepper.says("“skip update” is off.")
    keys.press("Tab")
    assert stepper.slider.evaluate(_FOCUSED)
    keys.press("ArrowRight")
    stepper.says("η = 0.35 now. Only Update uses it; nothing else has changed. Next: Forward.")
    assert stepper.slider.get_attribute("aria-valuetext") == "0.35"
    for name, words in (
        ("One loop", "1 loop, 1 update"),
        ("100 loops", "100 loops, 100 updates"),
        ("Step back", "Update: all 13"),
        ("Reset", "Nothing is computed yet."),
    ):
        keys.press("Tab")
        assert stepper.button(name).evaluate(_FOCUSED)
        keys.press("Enter")
        stepper.says(words)
    assert page.error_outputs() == []


def test_a_line_stops_before_the_number_of_its_weight(lab_page: Callable) -> None:
    _, stepper = _opened(lab_page)
    panel = loop_scene(first_state()).panels[0]
    (number,) = (mark for mark in panel.marks if isinstance(mark, Text) and mark.text == "0.365")
    x, y = panel.to_pixels(number.points[0])

    def darkest(from_x: float) -> int:
        """The darkest shade of a place three pixels high beside the number, which lies on its line."""
        code = """(canvas, [x, y]) => {
            const scale = canvas.width / 900, g = canvas.getContext("2d");
            return Math.min(...g.getImageData(scale * x, scale * (y - 1), 1, Math.ceil(3 * scale)).data);
        }"""
        return stepper.canvas.evaluate(code, [from_x, y])

    assert darkest(x - 8) < 160, "the line itself"
    assert darkest(x - 1) > 230, "paper"


def test_picture_and_controls_have_names(lab_page: Callable) -> None:
    _, stepper = _opened(lab_page)
    for stage in ("Forward", "Loss"):
        stepper.click(stage, f"{stage}: ")
    name = stepper.canvas.get_attribute("aria-label") or ""
    assert name.startswith("A network that learns XOR, one stage at a time. Predictions: 0.567 for 0 0")
    assert stepper.slider.get_attribute("aria-label") == "learning rate η"
    assert stepper.box.get_by_role("checkbox", name="skip update").count() == 1
    assert stepper.box.get_by_role("button").all_inner_texts() == [
        *STAGES, "One loop", "100 loops", "Step back", "Reset",
    ]  # fmt: skip
    assert stepper.said.get_attribute("aria-live") == "polite"


def test_many_presses_in_a_row_end_in_the_last_state(lab_page: Callable) -> None:
    page, stepper = _opened(lab_page)
    stepper.button("One loop").focus()
    for _ in range(40):
        page.page.keyboard.press("Enter")
    page.idle()
    stepper.says("1 loop, 1 update: the loss fell")
    assert _value(page, "stepper.updates, len(stepper.losses)") == "40 40"
    assert stepper.line.inner_text() == _value(page, "stepper.sentence")


def test_a_cell_run_twice_shows_one_stepper(lab_page: Callable) -> None:
    page, stepper = _opened(lab_page)
    stepper.click("Forward", "Forward: ")
    page.page.locator(".jp-CodeCell").nth(1).click()
    page.page.keyboard.press("Control+Enter")
    page.page.wait_for_timeout(500)
    page.idle()
    stepper = Stepper(page.page)
    assert page.page.locator(".bplib-card canvas").count() == 1
    stepper.says("Nothing is computed yet.")
    stepper.click("Forward", "Forward: four predictions")
    page.run("stepper.close()")
    page.page.wait_for_function("document.querySelectorAll('.bplib-card canvas').length === 0")
    assert page.error_outputs() == []
