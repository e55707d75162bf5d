"""From plain words to HTML: the one place where text, a learner's included, is escaped."""

import html
import re
from collections.abc import Iterable

__all__ = ["in_html", "paragraphs"]

_CODE = re.compile("`([^`]+)`")
_LIMIT = 2_000


def in_html(text: str) -> str:
    """Give text as HTML that shows it as it is; what stands between backticks becomes ``<code>``.

    Parameters
    ----------
    text : str
        Any text, hostile text included. What exceeds 2,000 characters is cut.

    Returns
    -------
    str
        HTML without any tag but ``<code>`` and ``<bdi>``, without any attribute.

    Examples
    --------
    >>> in_html("`w` is < 2")
    '<bdi><code>w</code> is &lt; 2</bdi>'
    """
    shown = text if len(text) <= _LIMIT else text[:_LIMIT] + " …"
    # <bdi>: a right-to-left mark in the text cannot turn the line around it.
    marked = _CODE.sub(r"<code>\1</code>", html.escape(shown))
    return f"<bdi>{marked}</bdi>"


def paragraphs(texts: Iterable[str]) -> str:
    """Give each text as a paragraph of HTML; line ends inside a text stay.

    Parameters
    ----------
    texts : iterable of str
        Empty ones are left out.

    Returns
    -------
    str

    Examples
    --------
    >>> paragraphs(["One.", ""])
    '<p style="margin: 0.4em 0"><bdi>One.</bdi></p>'
    """
    return "".join(f'<p style="margin: 0.4em 0">{in_html(text)}</p>' for text in texts if text)
