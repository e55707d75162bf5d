"""Waiting for words on a page, and saying what stood there instead."""

from playwright.sync_api import Locator
from playwright.sync_api import TimeoutError as PlaywrightTimeout

__all__ = ["wait_for_words"]

_AROUND = """line => ({
  focused: `${document.activeElement.tagName} ${document.activeElement.className}`,
  places: [...document.querySelectorAll('.widget-readout')].map(one => one.textContent),
  prompts: [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(one => one.textContent),
})"""


def wait_for_words(line: Locator, words: str, patience: float = 20_000) -> None:
    """Wait until a widget's line has these words; else say what it has, where the sliders are and who has the focus."""
    try:
        line.get_by_text(words).wait_for(timeout=patience)
    except PlaywrightTimeout:
        around = line.evaluate(_AROUND)
        raise AssertionError(f"expected {words!r}, the line says {line.inner_text()!r}; {around}") from None
