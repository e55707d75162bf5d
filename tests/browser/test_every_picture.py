"""The words of every picture of every widget, after each choice that it offers: none overlap, none are cut off.

The browser itself says where it has drawn them. With BPLIB_LOOK=/some/folder contact sheets of all these pictures are
left there, in a wide and in a narrow window and in the dark theme.
"""

import importlib
import io
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_LOOK = os.environ.get("BPLIB_LOOK", "")
_FOLDER = Path(__file__).parents[2] / "bplib" / "widgets"
_WORDS = (Path(__file__).parent / "words.js").read_text("utf-8")
_TABS, _FIRST, _GUESS = "show", "as it comes", "your guess"
# A run long enough to fill the picture.
_ARGUMENTS = {"cockpit": "epochs=12"}


def _maker(package: str) -> str:
    (name,) = [name for name in importlib.import_module(f"bplib.widgets.{package}").__all__ if name.islower()]
    return name


MAKERS = {path.parent.name: _maker(path.parent.name) for path in sorted(_FOLDER.glob("*/view.py"))}
# What a learner may uncover is uncovered: there are the most words then.
_UNCOVERED = "\ntry:\n    w.reveal()\nexcept (AttributeError, ValueError):\n    pass"


def choices(box: Locator) -> Iterator[tuple[str, Callable[[], Any]]]:
    """All that can be chosen: lists, rows of buttons, plain buttons. What a choice before has hidden is left out."""
    groups = box.locator(".widget-dropdown:visible, .widget-toggle-buttons:visible")
    for name in groups.locator(".widget-label").all_inner_texts():
        group = groups.filter(has=box.page.get_by_text(name, exact=True))
        options, buttons = group.locator("option").all_inner_texts(), group.locator("button").all_inner_texts()
        if name == _TABS or (not _LOOK and (buttons or name == _GUESS)):
            continue
        for option in (*options, *buttons):
            if not group.count():
                break
            press = group.get_by_role("button", name=option, exact=True).click
            yield f"{name}: {option}", partial(group.locator("select").select_option, option) if options else press
    for name in box.locator(".jupyter-button:not(.widget-toggle-button):visible").all_inner_texts():
        button = box.get_by_role("button", name=name, exact=True)
        if name not in ("Reset", "Run") and button.is_visible() and button.is_enabled():
            yield name, button.click


def tabs(box: Locator) -> list[Locator]:
    """The buttons that bring another picture to the front."""
    groups = box.locator(".widget-toggle-buttons", has=box.page.get_by_text(_TABS, exact=True))
    return groups.locator("button").all()


def settled(page: Any, box: Locator) -> None:
    """Wait until Python has drawn, a run has come to its end, and the browser has painted."""
    page.page.wait_for_timeout(120)
    run = box.get_by_role("button", name="Stop", exact=True)
    if run.count():
        run.wait_for(state="hidden", timeout=60_000)
        page.page.wait_for_timeout(1200)  # the table comes when the run has rested
    page.idle()
    page.page.wait_for_timeout(60)


def states(page: Any, box: Locator) -> Iterator[str]:
    """Go through all that can be chosen in a widget, and say what was."""
    run = box.get_by_role("button", name="Run", exact=True)
    for tab in tabs(box) or [None]:
        if tab is not None:
            tab.click()
            settled(page, box)
        before = f"{tab.inner_text()}, " if tab is not None else ""
        yield f"{before}{_FIRST}"
        for caption, choose in choices(box):
            choose()
            settled(page, box)
            if caption.startswith("setting") and run.is_enabled():
                run.click()
                settled(page, box)
            yield before + caption


def opened(lab_page: Callable, package: str) -> tuple[Any, Locator]:
    """A notebook with one widget, all of it uncovered."""
    name = MAKERS[package]
    page = lab_page(viewport={"width": 1280, "height": 1000})
    page.page.add_init_script(_WORDS)
    cell = f"from bplib.widgets.{package} import {name}\nw = {name}({_ARGUMENTS.get(package, '')}){_UNCOVERED}\nw"
    page.open(page.server.write(f"picture_{package}.ipynb", [cell]))
    box = page.page.locator(".bplib-box")
    box.locator(".bplib-card canvas").wait_for(timeout=60_000)
    settled(page, box)
    return page, box


@pytest.mark.parametrize("package", MAKERS)
def test_words_neither_overlap_nor_are_cut_off_whatever_is_chosen(lab_page: Callable, package: str) -> None:
    page, box = opened(lab_page, package)
    sheets, found = Sheets(package), []
    for caption in states(page, box):
        if _LOOK:
            sheets.add(page, box, caption)
        found += [f"{caption}, {problem}" for problem in box.evaluate("box => wordProblems(box)")]
        page.idle()
    sheets.write()
    assert page.error_outputs() == []
    assert found == []


@pytest.mark.skipif(not _LOOK, reason="there is no BPLIB_LOOK=/some/folder to leave pictures in")
@pytest.mark.parametrize("package", MAKERS)
def test_sheets_of_the_dark_theme(lab_page: Callable, lab_server: Any, package: str) -> None:
    choose_theme(lab_server.url, "Dark")
    try:
        page, box = opened(lab_page, package)
        sheets = Sheets(f"{package}-dark")
        for tab in tabs(box) or [box]:
            if tab is not box:
                tab.click()
                settled(page, box)
            sheets.add(page, box, _FIRST)
        sheets.write()
    finally:
        choose_theme(lab_server.url, "Light")


def choose_theme(url: str, theme: str) -> None:
    """As the menu Settings does it."""
    request = urllib.request.Request(
        f"{url}/lab/api/settings/@jupyterlab/apputils-extension:themes", method="PUT",
        data=json.dumps({"raw": json.dumps({"theme": f"JupyterLab {theme}"})}).encode(),
    )  # fmt: skip
    urllib.request.urlopen(request, timeout=10).close()


class Sheets:
    """Contact sheets: pictures of a widget side by side under their captions, for somebody who looks at them."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0
        self.wide: list[tuple[str, Image.Image]] = []
        self.narrow: list[tuple[str, Image.Image]] = []

    def add(self, page: Any, box: Locator, caption: str) -> None:
        """Take a picture of the widget, and one in a narrow window of how each tab begins."""
        self.wide.append((caption, self._taken(box)))
        if caption.endswith(_FIRST):
            page.page.set_viewport_size({"width": 800, "height": 1000})
            page.page.wait_for_timeout(400)
            self.narrow.append((caption, self._taken(box)))
            page.page.set_viewport_size({"width": 1280, "height": 1000})
            page.page.wait_for_timeout(400)

    @staticmethod
    def _taken(box: Locator) -> Image.Image:
        return Image.open(io.BytesIO(box.screenshot())).convert("RGB")

    def write(self) -> None:
        """Write the sheets, four pictures on each."""
        for pictures, width, columns in ((self.wide, "1280", 2), (self.narrow, "800", 4)):
            for k in range(0, len(pictures), 4):
                sheet = side_by_side(pictures[k : k + 4], columns)
                sheet.save(Path(_LOOK) / f"sheet-{self.name}-{width}-{k // 4 + 1:02}.png")


def side_by_side(pictures: list[tuple[str, Image.Image]], columns: int) -> Image.Image:
    """One picture of several, each below its caption."""
    wide, high = (max(picture.size[k] for _, picture in pictures) for k in (0, 1))
    sheet = Image.new("RGB", (columns * (wide + 8), -(-len(pictures) // columns) * (high + 24)), "#DDDDDD")
    pen = ImageDraw.Draw(sheet)
    for k, (caption, picture) in enumerate(pictures):
        left, top = k % columns * (wide + 8), k // columns * (high + 24)
        pen.text((left + 6, top + 3), caption, "black", ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14))
        sheet.paste(picture, (left, top + 24))
    return sheet
