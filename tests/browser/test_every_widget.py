"""What holds for every widget of the course in a real page, found by itself in each package of ``bplib.widgets``.

Its picture is the one that matplotlib draws of the same scene. By keyboard alone each control is reached and moves the
picture and its words; a slider over a table paints every key while the kernel is busy; nothing sticks out of a narrow
page; axe-core finds nothing to object to. It sees names, roles, contrasts and focus; whether the words are good ones,
only a person can say.
"""

import base64
import importlib
import io
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from playwright.sync_api import Locator

from bplib.viz.render import draw_scene
from bplib.viz.style import LETTERS

pytestmark = pytest.mark.browser

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_FOLDER = Path(__file__).parents[2] / "bplib" / "widgets"
_NOTEBOOK_7 = ("(reading 'schema')", "registered.")
# A folder to look at: BPLIB_LOOK=/some/folder leaves a picture of each widget there.
_LOOK = os.environ.get("BPLIB_LOOK", "")


def _maker(package: str) -> str:
    (name,) = [name for name in importlib.import_module(f"bplib.widgets.{package}").__all__ if name.islower()]
    return name


MAKERS = {path.parent.name: _maker(path.parent.name) for path in sorted(_FOLDER.glob("*/view.py"))}
# There is nothing to look back at before the first epochs.
_FIRST = {"training_cockpit": "w_training_cockpit.run(6)\n"}
# The panels with the most kinds of marks.
_ARGUMENTS = {"layer_bench": {"show": "check"}}
# The last cell prints which widgets have a slider that the browser follows without the kernel.
_CELLS = [
    *(
        f"from bplib.widgets.{package} import {name}\n"
        f"w_{name} = {name}(**{_ARGUMENTS.get(name, {})})\n{_FIRST.get(name, '')}w_{name}"
        for package, name in MAKERS.items()
    ),
    "print([name for name in dir() if name.startswith('w_') and globals()[name]._slider is not None])",
]


def violations(page: Any) -> list[str]:
    """What axe-core finds in the widgets, not in the page around them."""
    page.evaluate(_AXE)
    found = page.evaluate("async () => (await axe.run('.bplib-box')).violations")
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def shown(box: Locator) -> tuple[str, str]:
    """The picture and the words of a widget."""
    return (
        box.locator(".bplib-card canvas").evaluate("canvas => canvas.toDataURL()"),
        box.locator(".bplib-line").inner_text(),
    )


def drawn_apart(box: Locator, widget: Any) -> tuple[float, float]:
    """How far the page's picture and matplotlib's differ in a square of 16 pixels: at most, and in 99 of 100.

    In levels of 255, the mean of a square. Where a letter or a marker falls between two pixels, and where a dash
    begins, the two need not agree.
    """
    live = pixels(box)
    scene = widget._scene()
    canvas: Any = FigureCanvasAgg(draw_scene(scene, widget._position()))
    with rc_context(LETTERS):
        canvas.print_figure(io.BytesIO(), format="raw", dpi=100 * live.shape[1] / scene.width)
    still = np.asarray(canvas.buffer_rgba())[: len(live), : live.shape[1], :3]  # its sentence below is text on the page
    squares = squares_apart(live, still)
    return float(squares.max()), float(np.quantile(squares, 0.99))


def pixels(box: Locator) -> np.ndarray:
    """The picture of a widget, as levels of red, green and blue."""
    encoded = box.locator(".bplib-card canvas").evaluate("canvas => canvas.toDataURL()").split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), float)


def squares_apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far two pictures differ in each square of 16 pixels, in levels of 255."""
    rows, columns = one.shape[0] // 16, one.shape[1] // 16
    apart = (one - other)[: 16 * rows, : 16 * columns].reshape(rows, 16, columns, 16, 3)
    return np.abs(apart.mean(axis=(1, 3))).max(axis=-1)


def controls(box: Locator) -> list[str]:
    """What the keyboard can reach in a widget, in the order of the page."""
    return box.evaluate(
        """box => [...box.querySelectorAll('button, input, select, [tabindex]')]
        .filter(e => e.tabIndex >= 0 && !e.disabled && e.getClientRects().length)
        .map((e, k) => { e.dataset.place = String(k); return String(k); })"""
    )


def test_the_keyboard_reaches_and_moves_every_control_of_every_widget(lab_page: Callable) -> None:
    page = lab_page(viewport={"width": 1280, "height": 1000})
    page.open(page.server.write("every.ipynb", _CELLS))
    boxes = page.page.locator(".bplib-box")
    page.page.locator(".bplib-card canvas").nth(len(MAKERS) - 1).wait_for(timeout=60_000)
    assert boxes.count() == len(MAKERS)
    for box, (package, name) in zip(boxes.all(), MAKERS.items(), strict=True):
        make = getattr(importlib.import_module(f"bplib.widgets.{package}"), name)
        widget = make(name="twin", **_ARGUMENTS.get(name, {}))
        if name == "training_cockpit":
            widget.run(6)
        most, nearly_all = drawn_apart(box, widget)
        widget.close()
        assert (most <= 45, nearly_all <= 20) == (True, True), (name, most, nearly_all)
    for width in (1280, 800):
        page.page.set_viewport_size({"width": width, "height": 1000})
        page.page.wait_for_timeout(600)  # the pictures take their new size
        for box, name in zip(boxes.all(), MAKERS.values(), strict=True):
            assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1"), f"{name} sticks out at {width}"
            if _LOOK:
                box.screenshot(path=Path(_LOOK) / f"every-{name}-{width}.png")
        assert violations(page.page) == [], width
    page.page.set_viewport_size({"width": 1280, "height": 1000})
    tabled = page.page.locator(".jp-OutputArea-output pre").last.inner_text()
    page.run(f"import time; time.sleep({3 + 1.2 * len(MAKERS)})", wait=False)
    page.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="busy"]')
    for box, name in zip(boxes.all(), MAKERS.values(), strict=True):
        if f"'w_{name}'" in tabled:
            paints_every_key(box, name)
    assert page.busy(), "the kernel was free again: the test shows nothing"
    page.idle()
    follows_a_longer_table(page, boxes.nth(list(MAKERS.values()).index("training_cockpit")))
    for box, name in zip(boxes.all(), MAKERS.values(), strict=True):
        reached_by_tab(box, name)
        moved_by_arrows(box, name)
    assert page.error_outputs() == []
    page.page.evaluate(
        "document.querySelectorAll('.bplib-box .noUi-handle').forEach("
        "el => el.replaceWith(Object.assign(el.cloneNode(), {ariaLabel: '', className: 'bare'})))"
    )
    assert any(one.startswith("aria-input-field-name") for one in violations(page.page)), "axe would miss a name"


# The pictures with a point to pull: what the maker is given to show it, and how far, as a share of the axes.
_POINTS: dict[str, tuple[dict[str, str], float]] = {
    "rate": ({}, -0.04),
    "momentum": ({}, -0.04),
    "race": ({}, -0.04),
    "explorer": ({}, -0.04),
    "losses": ({}, 0.012),
    "nudge": ({"show": "direction"}, -0.04),
    "depth": ({"show": "saddle"}, -0.04),
}
# A pull that is answered live, and then nothing: else the whole scene would follow while the test looks.
_PULL = """
def pull(widget, share):
    for panel in widget._scene().panels:
        for mark in panel.marks:
            if type(mark).__name__ == "Handle":
                x, y = mark.points.reshape(-1, 2)[-1]
                x, y = x + share * (panel.x.high - panel.x.low), y + share * (panel.y.high - panel.y.low)
                widget.stage.pointer = {"n": 1, "mark": mark.name, "x": float(x), "y": float(y), "phase": "move"}
    widget._rebuild.cancel()
    widget._settle.cancel()
    assert widget.stage.moved
"""


def test_a_live_picture_is_that_of_the_scene_it_stands_for(lab_page: Callable) -> None:
    page = lab_page(viewport={"width": 1280, "height": 1000})
    cells = [
        f"from bplib.widgets.{package} import {MAKERS[package]}\n"
        f"w_{package} = {MAKERS[package]}(**{arguments})\nw_{package}"
        for package, (arguments, _) in _POINTS.items()
    ]
    page.open(page.server.write("live.ipynb", [_PULL, *cells]))
    page.page.locator(".bplib-card canvas").nth(len(_POINTS) - 1).wait_for(timeout=60_000)
    for box, (package, (_, share)) in zip(page.page.locator(".bplib-box").all(), _POINTS.items(), strict=True):
        before = pixels(box)
        page.run(f"pull(w_{package}, {share})")
        page.page.wait_for_timeout(300)
        live = pixels(box)
        page.run(f"w_{package}._show()\nassert not w_{package}.stage.live")
        page.page.wait_for_timeout(300)
        apart = squares_apart(live, pixels(box))
        # The race draws its losses coarser while the point moves.
        assert apart.max() == 0 or (package == "race" and np.quantile(apart, 0.99) <= 5), (package, apart.max())
        assert squares_apart(live, before).max() > 20, f"{package}: nothing has moved"
    assert page.error_outputs() == []


def test_notebook_7_leaves_the_keys_to_every_widget(lab_page: Callable) -> None:
    page = lab_page()
    page.open(page.server.write("classic.ipynb", _CELLS), classic=True)
    page.page.locator(".bplib-card canvas").nth(len(MAKERS) - 1).wait_for(timeout=60_000)
    page.idle()
    for box, name in zip(page.page.locator(".bplib-box").all(), MAKERS.values(), strict=True):
        moved_by_arrows(box, name)
    assert page.error_outputs() == []
    # Errors of Notebook 7's own, which it reports on an empty page, too.
    page.problems[:] = [one for one in page.problems if not one.endswith(_NOTEBOOK_7)]


def paints_every_key(box: Locator, name: str) -> None:
    """Each key on the slider of the table gives another picture at once."""
    handle, keyboard = box.locator(".bplib-positions .noUi-handle").first, box.page.keyboard
    handle.focus()
    keyboard.press("Home")
    box.page.wait_for_timeout(60)
    pictures = [shown(box)]
    for _ in range(3):
        keyboard.press("ArrowRight")
        box.page.wait_for_timeout(60)
        pictures.append(shown(box))
    assert len({picture for picture, _ in pictures}) >= 3, f"{name}: the picture stands still"
    assert len({words for _, words in pictures}) >= 2, f"{name}: the words stand still"


def follows_a_longer_table(page: Any, box: Locator) -> None:
    """A slider that gets more labels goes to its new end, and nothing brings it back."""
    page.run("w_training_cockpit.run(5)")
    handle = box.locator(".bplib-positions .noUi-handle").first
    at_the_end = "el => Number(el.getAttribute('aria-valuenow')) === 11"
    page.page.wait_for_function(at_the_end, arg=handle.element_handle(), timeout=20_000)
    page.page.wait_for_timeout(500)
    page.run("assert w_training_cockpit.epoch == 11, w_training_cockpit.epoch")


def reached_by_tab(box: Locator, name: str) -> None:
    """The Tab key alone goes through all controls of a widget, in the order in which they are seen."""
    expected = controls(box)
    box.locator('[data-place="0"]').focus()
    reached = ["0"]
    while len(reached) < len(expected):
        box.page.keyboard.press("Tab")
        place = box.evaluate("box => box.contains(document.activeElement) && document.activeElement.dataset.place")
        assert place, f"{name}: Tab leaves the widget after {reached} of {expected}"
        reached.append(place)
    assert reached == expected, name


def now(box: Locator) -> tuple[str, ...]:
    """The picture, the words and the line of code of a widget."""
    return (*shown(box), *box.locator(".bplib-code").all_inner_texts())


def moved_by_arrows(box: Locator, name: str) -> None:
    """An arrow key on a slider or a handle moves the picture or the line of code, and is answered in words."""
    for handle in box.locator(".noUi-handle:visible, .bplib-handle").all():
        before = now(box)
        said = handle.get_attribute("aria-valuetext")
        handle.focus()
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):
            box.page.keyboard.press(key)
            box.page.wait_for_timeout(250)
            if handle.get_attribute("aria-valuetext") != said and now(box) != before:
                break
        else:
            raise AssertionError(f"{name}: {handle.get_attribute('aria-label')} does not move anything")
