"""The house style: one meaning for each colour, and never colour alone."""

from dataclasses import dataclass
from typing import Any, final

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

__all__ = ["INK", "LETTERS", "LIGHT_FILLS", "PALETTE", "PAPER", "ROLES", "Role", "contrast_ratio", "figure"]

PALETTE: dict[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}
"""The eight colours of Okabe and Ito (2008), *Color Universal Design*: told apart with any colour vision."""

LIGHT_FILLS: tuple[str, ...] = ("orange", "sky", "yellow")
"""Too pale for a line or a word on white: only as fills with a dark edge."""

# Any: matplotlib lists the keys it knows as a type, and that list differs from version to version.
LETTERS: Any = {"text.hinting": "no_hinting"}
"""matplotlib's settings while letters are measured and drawn: shaped as designed, as in a browser.

The default forces every letter onto whole pixels, which shows at twice the resolution only as uneven gaps, and takes
half the time of a drawing.
"""

INK = "#222222"
PAPER = "#FFFFFF"
_QUIET = "#595959"
# Okabe and Ito's purple reaches 3.05:1 on white, enough for a line; its darker twin is kept for thin ones.
_PURPLE = "#B0568A"


@final
@dataclass(frozen=True, slots=True)
class Role:
    """What a line, point or bar means: a colour, and a dash and a marker that say the same.

    Parameters
    ----------
    colour : str
        Colour of lines and of words, as ``#RRGGBB``; at least 3:1 on white.
    dash : tuple of float
        Lengths of strokes and gaps in pixels; empty for a solid line.
    marker : str
        One of ``o s ^ v D * + x``, the letters of matplotlib.
    fill : str
        Colour inside markers and bars; their edge is `colour`.

    Examples
    --------
    >>> ROLES["gradient"].dash
    (7.0, 3.0)
    """

    colour: str
    dash: tuple[float, ...] = ()
    marker: str = "o"
    fill: str = PAPER

    @property
    def linestyle(self) -> Any:
        """The dash in the form that matplotlib's ``linestyle=`` takes, at a line width of one point."""
        return (0, self.dash) if self.dash else "-"


ROLES: dict[str, Role] = {
    "data": Role(PALETTE["black"], (), "o", PALETTE["sky"]),
    "prediction": Role(PALETTE["blue"], (), "s", PALETTE["blue"]),
    "gradient": Role(PALETTE["vermillion"], (7.0, 3.0), "^", PALETTE["vermillion"]),
    "update": Role(PALETTE["green"], (10.0, 2.0, 2.0, 2.0), "D", PALETTE["green"]),
    "loss": Role(_PURPLE, (), "o", _PURPLE),
    "validation": Role(PALETTE["blue"], (6.0, 3.0), "s", PAPER),
    "path": Role(PALETTE["black"], (), "o", PALETTE["orange"]),
    "minimum": Role(PALETTE["black"], (), "*", PALETTE["yellow"]),
    "threshold": Role(_QUIET, (2.0, 3.0), "+", _QUIET),
    "contour": Role(_QUIET, (), "o", PAPER),
    "leaf": Role(_QUIET, (), "s", PAPER),
    "first": Role(PALETTE["blue"], (8.0, 3.0), "s", PALETTE["blue"]),
    "second": Role(PALETTE["vermillion"], (2.0, 2.0), "^", PALETTE["vermillion"]),
    "quiet": Role(_QUIET, (), "o", "#BBBBBB"),
}
"""Meaning -> appearance, the same in every picture of the course."""

_HOUSE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": _QUIET,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(
        color=[ROLES[name].colour for name in ("loss", "prediction", "gradient", "update", "data")],
        linestyle=["-", (0, (6, 3)), (0, (2, 2)), (0, (10, 2, 2, 2)), (0, (1, 1))],
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11.0,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@final
class _HouseFigure(Figure):
    """A Figure whose axes are made in the house style, whoever asks for them and whenever."""

    def add_subplot(self, *args: Any, **kwargs: Any) -> Axes:
        with mpl.rc_context(_HOUSE):
            return super().add_subplot(*args, **kwargs)

    def add_axes(self, *args: Any, **kwargs: Any) -> Axes:
        with mpl.rc_context(_HOUSE):
            return super().add_axes(*args, **kwargs)


def figure(width: float = 7.0, height: float = 3.5) -> Figure:
    """Make an empty figure in the house style, outside of pyplot's global state.

    Axes from ``fig.subplots()``, ``fig.add_subplot()`` and ``fig.add_axes()`` get quiet grids, no box, and
    lines that differ in colour and dash. Nothing has to be closed afterwards.

    Parameters
    ----------
    width, height : float
        Size in inches, above 0; one inch shows as 100 pixels on the page.

    Returns
    -------
    matplotlib.figure.Figure
        With the constrained layout, so that labels do not overlap.

    Examples
    --------
    >>> fig = figure(6, 3)
    >>> axes = fig.subplots(1, 2)
    >>> len(fig.axes)
    2
    """
    with mpl.rc_context(_HOUSE):
        return _HouseFigure(figsize=(width, height), dpi=100, facecolor=PAPER, layout="constrained")


def contrast_ratio(colour: str, background: str = PAPER) -> float:
    """Contrast of two colours, from 1 (equal) to 21 (black on white).

    (L1 + 0.05) / (L2 + 0.05), L1 >= L2 the relative luminances.

    Parameters
    ----------
    colour, background : str
        Any colour that matplotlib knows.

    Returns
    -------
    float

    References
    ----------
    W3C, *Web Content Accessibility Guidelines 2.2* (2023), "contrast ratio": words need 4.5, lines 3.

    Examples
    --------
    >>> round(contrast_ratio("black"), 1)
    21.0
    >>> contrast_ratio(PALETTE["yellow"]) > 3
    False
    """
    high, low = sorted((_luminance(colour), _luminance(background)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
