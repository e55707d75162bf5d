"""The site in a real browser, from a folder and from a server: sliders move without a kernel, and nobody is asked.

One page has every widget of the course, the other is a real notebook. Nothing may go wrong on either: no message in the
console, no file that is missing, no request that leaves the folder.
"""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page

from commands.console import Problem
from commands.javascript import fetch_javascript
from scripts.pages.make import make
from tests.browser.test_every_widget import MAKERS

pytestmark = pytest.mark.browser

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_ROOT = Path(__file__).parents[2]
# A folder to look at: BPLIB_LOOK=/some/folder leaves a picture of each page there, light and dark, wide and narrow.
_LOOK = os.environ.get("BPLIB_LOOK", "")
# There is nothing to look back at before the first epochs.
_FIRST = {"training_cockpit": "w.run(6)\n"}
# It gives its own parts two seconds. On a busy machine it complains, and then they come all the same.
_LATE = "[anywidget] Failed to initialize model."
_EVERY, _REAL = "every.html", "06_learning_rate.html"
_WORDS = r"A formula, $\eta^2$, and a [page](06_learning_rate.ipynb)."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two pages, in a folder whose name has a space and an umlaut."""
    try:
        fetch_javascript()
    except Problem as problem:  # as with a browser that is missing: a laptop may be without npm, CI may not
        if shutil.which("npm") or os.environ.get("CI", "").lower() in ("1", "true"):
            raise
        pytest.skip(problem.wrong)
    made = tmp_path_factory.mktemp("site")
    cells = [nbformat.v4.new_markdown_cell(f"# Every widget\n\n{_WORDS}")]
    cells += [nbformat.v4.new_code_cell("from IPython.display import HTML\nHTML('<p>costs $5 and $6</p>')")]
    for package, name in MAKERS.items():
        source = f"from bplib.widgets.{package} import {name}\nw = {name}()\n{_FIRST.get(name, '')}w"
        cells += [nbformat.v4.new_markdown_cell(f"## {name}"), nbformat.v4.new_code_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), made / "every.ipynb")
    make([made / "every.ipynb", _ROOT / "notebooks" / "06_learning_rate.ipynb"], made / "Mein Kürs")
    return made / "Mein Kürs"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Where a plain server of files shows the site."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class SitePage:
    """A page of the site, which remembers what went wrong on it."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Write down errors, files that are missing, and requests to anywhere else."""
        self.page.on("console", lambda said: self._note(said.type == "error", f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self._note(_LATE not in str(error), f"page error: {error}"))
        self.page.on("request", lambda asked: self._note(not self._is_ours(asked.url), f"request to {asked.url}"))
        self.page.on("requestfailed", lambda asked: self._note(True, f"failed: {asked.url[:200]}"))
        self.page.on("response", lambda got: self._note(got.status >= 400, f"{got.status}: {got.url}"))

    def open(self, name: str) -> None:
        """Open a page and wait until its formulas are set and its widgets are drawn."""
        self.page.goto(f"{self.base}/{name}", wait_until="networkidle")
        self.page.wait_for_function("window.MathJax.startup.promise?.then(() => true)")
        self.page.wait_for_function("document.querySelectorAll('.widget:not(.drawn)').length === 0", timeout=60_000)

    def follow(self, link: Locator) -> None:
        """Click on a link and wait until the page behind it has loaded everything.

        A page that is left early gives up what it still loads, which counts as failed; and before the page is there
        a key has nowhere to go.
        """
        with self.page.expect_navigation(wait_until="networkidle"):
            link.click()

    def violations(self, rules: Sequence[str] = ()) -> list[str]:
        """What axe-core finds on the whole page, by all its rules or by these."""
        self.page.evaluate(_AXE)
        # With preload it would fetch the style sheet once more, which a browser refuses from a folder.
        options = {"preload": False} | ({"runOnly": list(rules)} if rules else {})
        found = self.page.evaluate("async options => (await axe.run(document, options)).violations", options)
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def _is_ours(self, url: str) -> bool:
        return url.startswith((f"{self.base}/", "data:", "blob:"))

    def _note(self, wrong: bool, what: str) -> None:
        if wrong:
            self.problems.append(what)


@pytest.fixture
def site_page(browser: Browser) -> Iterator[Callable[..., SitePage]]:
    """Open a page in a context of its own; nothing may have gone wrong on it by the end of the test."""
    opened: list[SitePage] = []

    def make_page(base: str, **context: Any) -> SitePage:
        settings = {"viewport": {"width": 1280, "height": 900}} | context
        made = SitePage(browser.new_context(**settings).new_page(), base)
        made.watch()
        opened.append(made)
        return made

    yield make_page
    for made in opened:
        made.page.context.close()
    assert [problem for made in opened for problem in made.problems] == []


def shown(widget: Locator) -> tuple[str, str]:
    """The picture and the words of a widget."""
    canvas = widget.locator(".bplib-card canvas").evaluate("canvas => canvas.toDataURL()")
    return canvas, widget.locator(".bplib-line").inner_text()


def test_from_a_folder_every_slider_moves_its_picture_by_keyboard(folder: Path, site_page: Callable) -> None:
    site = site_page(folder.as_uri())
    site.open(_EVERY)
    assert site.page.locator("mjx-container").count() == 1
    assert site.page.locator(".output_html p").first.inner_text() == "costs $5 and $6", "an output is no formula"
    widgets = site.page.locator(".widget")
    assert widgets.count() == len(MAKERS) - 1, "all but the loop stepper, which has no table"
    for widget in widgets.all():
        handle, keyboard = widget.locator(".noUi-handle").first, site.page.keyboard
        handle.focus()
        keyboard.press("Home")
        seen = [shown(widget)]
        for _ in range(3):
            keyboard.press("ArrowRight")
            site.page.wait_for_timeout(60)
            seen.append(shown(widget))
        name = widget.locator("canvas").get_attribute("aria-label")
        assert len({picture for picture, _ in seen}) >= 3, f"{name}: the picture stands still"
        assert len({words for _, words in seen}) >= 2, f"{name}: the words stand still"
        assert handle.get_attribute("aria-label"), f"{name}: the slider has no name"
    assert site.page.locator(".still").first.is_hidden()
    controls = site.page.locator(".live").locator(".bplib-handle, button, select, input, textarea")
    assert controls.count() == 0, "a control that does nothing without a kernel"
    assert site.page.get_by_text("The other controls need a running kernel").count() == len(MAKERS) - 1
    assert site.page.get_by_text("The controls of this picture need a running kernel").count() == 1


def test_from_a_folder_the_mouse_moves_a_slider_of_a_real_notebook(folder: Path, site_page: Callable) -> None:
    site = site_page(folder.as_uri())
    site.open(_REAL)
    (widget,) = site.page.locator(".widget").all()
    before = shown(widget)
    widget.locator(".noUi-handle").scroll_into_view_if_needed()
    box = widget.locator(".noUi-handle").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    site.page.mouse.move(x, y)
    site.page.mouse.down()
    site.page.mouse.move(x + 120, y, steps=6)
    site.page.mouse.up()
    site.page.wait_for_timeout(60)
    after = shown(widget)
    assert after[0] != before[0]
    assert after[1] != before[1]
    # The gate is open: the curve that it hides is drawn, and its outcome stands in a fold.
    assert site.page.get_by_text("Outcome (predict first)").count() == 2
    site.page.get_by_text("A solution").first.click()
    assert site.page.locator("details[open]").first.inner_text().count("largest_rate") == 1


def test_from_a_server_the_same_page_works_and_leads_to_the_others(address: str, site_page: Callable) -> None:
    site = site_page(address)
    site.open(_REAL)
    widget = site.page.locator(".widget")
    before = shown(widget)
    widget.locator(".noUi-handle").focus()
    site.page.keyboard.press("ArrowLeft")
    site.page.wait_for_timeout(60)
    assert shown(widget) != before
    site.follow(site.page.locator("header a[rel=prev]"))
    assert site.page.title() == "Every widget – Backpropagation, step by step"
    site.follow(site.page.locator("header").get_by_text("All notebooks"))
    assert site.page.url == f"{address}/index.html"
    for name in ("Glossary", "Notation", "The table of operations", "The claims ledger"):
        site.follow(site.page.get_by_role("link", name=name))
        site.follow(site.page.locator("header").get_by_text("All notebooks"))
    site.follow(site.page.get_by_role("link", name="06 · Weight update and learning rate"))
    site.page.keyboard.press("Tab")
    assert site.page.locator(":focus").inner_text() == "Skip to the content"


@pytest.mark.parametrize("name", [_EVERY, _REAL, "index.html"])
def test_without_javascript_pictures_and_words_are_there(folder: Path, site_page: Callable, name: str) -> None:
    site = site_page(folder.as_uri(), java_script_enabled=False)
    site.page.goto(f"{folder.as_uri()}/{name}")
    pictures = site.page.locator(".still img, .output_area img")
    assert pictures.count() > 0
    assert all(len(one.get_attribute("alt") or "") > 20 for one in pictures.all())
    for one in site.page.locator(".still img").all():
        assert one.is_visible()
    if name != "index.html":
        assert site.page.get_by_text("need a running kernel").first.is_visible()


@pytest.mark.parametrize("name", [_EVERY, _REAL, "index.html"])
def test_axe_finds_nothing_and_nothing_sticks_out(folder: Path, site_page: Callable, name: str) -> None:
    site = site_page(folder.as_uri())
    site.open(name)
    for width in (400, 800, 1280):
        site.page.set_viewport_size({"width": width, "height": 900})
        site.page.wait_for_timeout(200)
        page = site.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert page[0] <= page[1], f"{name} sticks out at {width}"
        look(site.page, f"{Path(name).stem}-{width}")
    # Folded parts are looked at, too.
    site.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert site.violations() == []
    site.page.emulate_media(color_scheme="dark")
    assert site.violations(["color-contrast"]) == [], "in the dark"
    if name == _REAL:
        site.page.evaluate(
            "document.querySelectorAll('.noUi-handle').forEach("
            "el => el.replaceWith(Object.assign(el.cloneNode(), {ariaLabel: '', className: 'bare'})))"
        )
        assert site.violations(["aria-input-field-name"]) != [], "axe would miss a name"


def look(page: Page, name: str) -> None:
    """Leave a picture of the whole page, light and dark, if somebody wants to look."""
    for scheme in ("dark", "light") if _LOOK else ():
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=Path(_LOOK) / f"site-{name}-{scheme}.png", full_page=True)
