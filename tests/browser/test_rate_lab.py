"""The rate lab as a learner meets it: JupyterLab, a slider, a start point to drag, keys, fingers, a busy kernel."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import FloatRect, Locator, Page

from bplib.viz.marks import Path as Line
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.stage import Stage, describe

pytestmark = pytest.mark.browser

_NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "06_learning_rate.ipynb"
_CELLS = ("from bplib.widgets.rate.view import rate_lab", "lab = rate_lab()\nlab")
_SOURCES = ["scratch", "notebook 06"] if _NOTEBOOK.exists() else ["scratch"]


class Lab:
    """The parts of a rate lab on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        box = page.locator(".bplib-box", has=page.locator(".bplib-card")).last
        self.slider = box.locator(".noUi-handle")
        self.base = box.locator(".noUi-base")
        self.start = box.locator(".bplib-handle")
        self.canvas = box.locator(".bplib-card canvas")
        self.line = box.locator(".bplib-line")
        self.said = box.locator(".bplib-said")
        self.box = box
        self.canvas.wait_for(timeout=60_000)
        self.canvas.scroll_into_view_if_needed()
        page.wait_for_timeout(500)  # the colour field is decoded beside the first picture

    def pixels(self) -> str:
        return self.canvas.evaluate("canvas => canvas.toDataURL()")

    def changed_from(self, before: str) -> str:
        """Wait for other pixels and return them."""
        other = "([canvas, before]) => canvas.toDataURL() !== before"
        self.page.wait_for_function(other, arg=[self.canvas.element_handle(), before], timeout=20_000)
        return self.pixels()

    def settled(self) -> str:
        """The pixels after the table was computed anew."""
        self.page.wait_for_timeout(700)
        return self.pixels()


def _area(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box is not None
    return box


def _middle(locator: Locator) -> tuple[float, float]:
    box = _area(locator)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _opened(lab_page: Callable, source: str = "scratch", **context: object) -> tuple:
    page = lab_page(**context)
    if source == "scratch":
        name = page.server.write("rate_lab.ipynb", _CELLS)
    else:
        name = shutil.copy(_NOTEBOOK, page.server.root) and _NOTEBOOK.name
    page.open(name)
    return page, Lab(page.page)


@pytest.mark.parametrize("source", _SOURCES)
def test_slider_start_point_and_words_answer_to_keys_and_mouse(lab_page: Callable, source: str) -> None:
    page, lab = _opened(lab_page, source)
    words, pixels = lab.line.inner_text(), lab.pixels()

    lab.slider.focus()
    for _ in range(5):
        page.page.keyboard.press("ArrowRight")
        pixels = lab.changed_from(pixels)
    assert lab.line.inner_text() != words

    box = _area(lab.base)
    page.page.mouse.move(*_middle(lab.slider))
    page.page.mouse.down()
    for part in (0.3, 0.5, 0.7, 0.9):
        page.page.mouse.move(box["x"] + part * box["width"], box["y"] + 2)
        pixels = lab.changed_from(pixels)
    page.page.mouse.up()
    assert "diverges" in lab.line.inner_text()

    pixels, place = lab.settled(), lab.start.get_attribute("aria-valuetext")
    x, y = _middle(lab.start)
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for part in range(1, 6):
        page.page.mouse.move(x + 12 * part, y + 8 * part)
        pixels = lab.changed_from(pixels)
    page.page.mouse.up()
    assert lab.start.get_attribute("aria-valuetext") != place
    assert _middle(lab.start) == pytest.approx((x + 60, y + 40), abs=1.5)

    lab.settled()
    assert _middle(lab.start) == pytest.approx((x + 60, y + 40), abs=1.5), "Python agrees with the finger"
    place = lab.start.get_attribute("aria-valuetext")
    pixels = lab.pixels()
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowLeft", "ArrowDown"):
        page.page.keyboard.press(key)
        pixels = lab.changed_from(pixels)
    assert lab.start.get_attribute("aria-valuetext") != place
    assert page.error_outputs() == []


def test_python_reads_what_was_dragged_and_the_page_shows_what_python_sets(lab_page: Callable) -> None:
    page, lab = _opened(lab_page)
    lab.start.focus()
    page.page.keyboard.press("ArrowRight")
    lab.settled()
    assert page.answer("print(lab.start)") == "(-1.9, 1.5)"
    pixels = lab.pixels()
    page.run("lab.rate = 0.6; lab.condition_number = 25")
    lab.changed_from(pixels)
    assert (lab.slider.get_attribute("aria-valuetext"), lab.line.inner_text()[:17]) == ("0.6", "η = 0.6: diverges")
    pixels = lab.pixels()
    page.run("lab.reveal()")
    lab.changed_from(pixels)


def test_the_slider_paints_every_input_while_the_kernel_is_busy(lab_page: Callable) -> None:
    page, lab = _opened(lab_page)
    page.run("import time; time.sleep(6)", wait=False)
    page.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="busy"]')
    pixels, words = lab.pixels(), lab.line.inner_text()
    lab.slider.focus()
    for _ in range(8):
        page.page.keyboard.press("ArrowRight")
        pixels = lab.changed_from(pixels)
    assert page.busy(), "the kernel was free again: the test shows nothing"
    assert lab.line.inner_text() != words
    page.idle()


def test_a_preset_shows_its_line_of_code(lab_page: Callable) -> None:
    _, lab = _opened(lab_page)
    pixels = lab.pixels()
    lab.box.locator("select").select_option(label="0.45")
    lab.changed_from(pixels)
    assert lab.slider.get_attribute("aria-valuetext") == "0.45"
    lab.box.get_by_text("lab.rate = 0.45").wait_for()
    assert "oscillates across the valley and comes within 1 % of the start distance in 23" in lab.line.inner_text()


def test_controls_and_picture_have_names_and_the_focus_can_be_seen(lab_page: Callable) -> None:
    page, lab = _opened(lab_page)
    assert lab.slider.get_attribute("aria-label") == "learning rate η"
    assert lab.slider.get_attribute("aria-valuetext") == "0.1"
    assert lab.box.get_by_role("group", name="shape of the bowl, κ").count() == 1
    assert lab.box.get_by_label("preset").count() == 1
    assert lab.start.get_attribute("aria-label") == "start of the descent"
    assert (lab.start.get_attribute("aria-valuetext") or "").startswith("w₁, along the valley: -2.00, w₂")
    assert lab.box.get_by_role("img", name="Gradient descent on a bowl-shaped loss surface").count() == 1
    for handle in (lab.slider, lab.start):
        assert handle.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert lab.start.evaluate("el => getComputedStyle(el).boxShadow") == "none"
    lab.slider.focus()
    for _ in range(12):
        page.page.keyboard.press("Tab")
        if lab.start.evaluate("el => el === document.activeElement"):
            break
    assert lab.start.evaluate("el => getComputedStyle(el).boxShadow") != "none", "the Tab key must lead to a ring"
    lab.page.wait_for_timeout(600)
    assert lab.said.inner_text() == lab.line.inner_text()
    assert lab.said.get_attribute("aria-live") == "polite"


def test_a_tap_moves_the_start_and_a_dense_narrow_screen_keeps_the_places(lab_page: Callable) -> None:
    _, lab = _opened(lab_page, has_touch=True, device_scale_factor=2)
    lab.page.set_viewport_size({"width": 960, "height": 900})
    pixels = lab.settled()
    lab.canvas.scroll_into_view_if_needed()
    card = _area(lab.canvas)
    scale = card["width"] / 900
    assert scale < 0.9
    assert lab.canvas.evaluate("canvas => canvas.width") == pytest.approx(2 * card["width"], abs=2)
    target = (card["x"] + scale * 280, card["y"] + scale * 120)
    lab.page.touchscreen.tap(*target)
    lab.changed_from(pixels)
    assert _middle(lab.start) == pytest.approx(target, abs=1.5)
    lab.settled()
    assert _middle(lab.start) == pytest.approx(target, abs=1.5)


def test_two_views_of_one_lab_show_the_same(lab_page: Callable) -> None:
    page, lab = _opened(lab_page)
    page.run("lab")
    page.page.wait_for_function("document.querySelectorAll('.bplib-card canvas').length === 2")
    first, second = (page.page.locator(".bplib-card canvas").nth(k) for k in (0, 1))
    lab = Lab(page.page)
    before = first.evaluate("canvas => canvas.toDataURL()")
    lab.start.focus()
    page.page.keyboard.press("Shift+ArrowRight")
    lab.settled()
    same = "([a, b]) => a.toDataURL() === b.toDataURL()"
    assert page.page.evaluate(same, [first.element_handle(), second.element_handle()])
    assert first.evaluate("canvas => canvas.toDataURL()") != before
    page.run("lab.close()")
    page.page.wait_for_function("document.querySelectorAll('.bplib-card canvas').length === 0")


def test_a_cell_run_twice_shows_one_lab(lab_page: Callable) -> None:
    page, lab = _opened(lab_page)
    page.page.locator(".jp-CodeCell").nth(1).click()
    page.page.keyboard.press("Control+Enter")
    page.page.wait_for_timeout(500)
    page.idle()
    lab = Lab(page.page)
    assert page.page.locator(".bplib-card canvas").count() == 1
    pixels = lab.pixels()
    lab.slider.focus()
    page.page.keyboard.press("ArrowLeft")
    lab.changed_from(pixels)
    assert page.error_outputs() == []


def test_the_browser_puts_points_where_pythons_mapping_puts_them(lab_page: Callable) -> None:
    page = lab_page().page
    page.goto("about:blank")
    panel = Panel(Rectangle(58, 40, 322, 322), Axis(1e-4, 1e2, "log"), Axis(-2.5, 2.5), (Line([[1, 0], [2, 1]]),))
    (sent,) = describe(Scene(900, 410, (panel,), "A grid"))["panels"]
    axes = {name: {key: sent[name][key] for key in ("offset", "factor", "log")} for name in "xy"}
    grid = np.stack(np.meshgrid(np.geomspace(1e-5, 1e3, 25), np.linspace(-3, 3, 25)), axis=-1).reshape(-1, 2)
    drawn = page.evaluate(
        """async ([code, axes, grid]) => {
            const stage = await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
            const there = grid.map(([x, y]) => [stage.pixel(axes.x, x), stage.pixel(axes.y, y)]);
            const back = there.map(([x, y]) => [stage.value(axes.x, x), stage.value(axes.y, y)]);
            const segments = [[0, 5, 10, 5], [-10, 5, 30, 5], [-5, 20, 5, 20], [5, 5, 5, 1e6]];
            const cuts = segments.map(s => stage.inside([0, 0, 10, 10], ...s));
            return [there, back, cuts, stage.pixel(axes.x, 0) === -Infinity, Number.isNaN(stage.pixel(axes.x, NaN))];
        }""",
        [Stage._esm.default_value, axes, grid.tolist()],
    )
    np.testing.assert_allclose(drawn[0], panel.to_pixels(grid), rtol=0, atol=0.5)
    np.testing.assert_allclose(drawn[1], grid, rtol=1e-9, atol=1e-9)
    assert drawn[2][:3] == [[0, 1], [0.25, 0.5], None]
    assert drawn[2][3] == pytest.approx([0, 5 / (1e6 - 5)])
    assert drawn[3:] == [True, True]


def test_the_handle_lies_where_the_scene_says(lab_page: Callable) -> None:
    _, lab = _opened(lab_page)
    card = _area(lab.canvas)
    scale = card["width"] / 900
    panel = Panel(Rectangle(58, 40, 322, 322), Axis(-2.5, 2.5), Axis(-2.5, 2.5))
    x, y = panel.to_pixels([-2.0, 1.5])
    assert _middle(lab.start) == pytest.approx((card["x"] + scale * x, card["y"] + scale * y), abs=0.5)
