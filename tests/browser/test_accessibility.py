"""What a program can find out about access: axe-core looks at every widget of the course in a real page.

It sees names, roles, contrasts and focus; whether the words are good ones, only a person can say.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

pytestmark = pytest.mark.browser

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_CELLS = (
    "from bplib.widgets.graph_view import graph_stepper\n"
    "from bplib.widgets.loop_view import loop_stepper\n"
    "from bplib.widgets.rate_view import rate_lab",
    "graph_stepper(typed=True)",
    "loop_stepper()",
    "rate_lab()",
)


def violations(page: Any) -> list[str]:
    """What axe-core finds in the widgets, not in the page around them."""
    page.evaluate(_AXE)
    found = page.evaluate("async () => (await axe.run('.bplib-box')).violations")
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def test_axe_finds_nothing_to_object_to_in_any_widget_and_would_miss_a_name(lab_page: Callable) -> None:
    page = lab_page()
    page.open(page.server.write("accessibility.ipynb", _CELLS))
    page.page.locator(".bplib-card canvas").nth(len(_CELLS) - 2).wait_for(timeout=60_000)
    assert page.page.locator(".bplib-box").count() == len(_CELLS) - 1
    for width in (1280, 800):
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.wait_for_timeout(500)  # the pictures take their new size
        assert violations(page.page) == [], width
    page.page.evaluate(
        "document.querySelectorAll('.bplib-box .noUi-handle').forEach("
        "el => el.replaceWith(Object.assign(el.cloneNode(), {ariaLabel: '', className: 'bare'})))"
    )
    assert any(one.startswith("aria-input-field-name") for one in violations(page.page))
