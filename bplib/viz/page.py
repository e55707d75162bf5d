"""A matplotlib figure measured as a page is: in pixels from the upper left corner, y growing downwards."""

import io
import itertools
import warnings
from functools import lru_cache
from typing import Any, Literal, final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import get_hinting_flag
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from PIL import Image

from bplib.viz.scene import Rectangle
from bplib.viz.style import INK, LETTERS, PAPER

__all__ = ["PIXEL", "Page", "segments", "width_of"]

PIXEL = 0.72
"""One pixel of the page in points, in which matplotlib measures lines and letters (at 100 pixels an inch)."""

Pixels = npt.NDArray[np.float64]

# Infinity is drawn as far away as this, and cut at the edge of its panel.
_FAR = 1e6


@final
class Page:
    """An empty page; what is drawn later lies above what was drawn before.

    A Figure with its lines and words placed by hand. Axes would do the same, more slowly: with ticks, locators and a
    layout that every scene has to undo.

    Parameters
    ----------
    width, height : float
        In pixels.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    gid : str
        The group id of all that is drawn from now on: which part of the scene it belongs to.
    """

    def __init__(self, width: float, height: float) -> None:
        self.gid = ""
        self.figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor=PAPER)
        to_inches = Affine2D.from_values(0.01, 0, 0, -0.01, 0, height / 100)
        self._to_screen = to_inches + self.figure.dpi_scale_trans
        self._height = itertools.count(1)

    def line(self, points: Pixels, *, clip: Rectangle | None = None, **style: Any) -> None:
        """Draw a line, or markers.

        Parameters
        ----------
        points : ndarray, shape (n, 2)
            The line has a gap where a point is not a number.
        clip : Rectangle, optional
            Cut at its edges.
        **style
            As `matplotlib.lines.Line2D` takes it, lengths in points.
        """
        x, y = np.clip(points, -_FAR, _FAR).T
        self._add(Line2D(x, y, **style), clip)

    def areas(self, corners: Pixels, *, clip: Rectangle | None = None, **style: Any) -> None:
        """Fill polygons that have equally many corners.

        Parameters
        ----------
        corners : ndarray, shape (polygons, corners, 2)
        clip : Rectangle, optional
        **style
            As `matplotlib.patches.Patch` takes it, lengths in points.
        """
        outline = Outline.make_compound_path_from_polys(np.clip(corners, -_FAR, _FAR))
        self._add(PathPatch(outline, **style), clip)

    def words(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        align: Literal["left", "center", "right"] = "left",
        *,
        plate: bool = False,
        **style: Any,
    ) -> None:
        """Write one line of words, their middle at the height y; dollar signs are dollar signs.

        Parameters
        ----------
        text : str
        x, y : float
        size : float
            In pixels.
        align : {"left", "center", "right"}
            Which end of the words lies at x.
        plate : bool
            With a plate of paper behind them.
        **style
            As `matplotlib.text.Text` takes it.
        """
        if not text:
            return
        # In shares of the letters' size: two pixels at each side of letters of twelve.
        behind = dict(boxstyle="square,pad=0.17", facecolor=PAPER, edgecolor="none") if plate else None
        self.figure.text(
            x, y, text, ha=align, va="center", fontsize=size * PIXEL, color=INK, parse_math=False, bbox=behind,
            transform=self._to_screen, zorder=next(self._height), gid=self.gid, **style,
        )  # fmt: skip

    def picture(self, png: bytes, box: Rectangle) -> None:
        """Lay a PNG over a rectangle."""
        with Image.open(io.BytesIO(png)) as opened:
            self._add(_Stretched(opened.convert("RGBA"), self._on_screen(box)), None)

    def _add(self, artist: Any, clip: Rectangle | None) -> None:
        artist.set(transform=self._to_screen, zorder=next(self._height), gid=self.gid)
        self.figure.add_artist(artist)
        # Afterwards: the figure cuts at its own edges what has no edges yet.
        artist.set_clip_box(self._on_screen(clip) if clip else None)

    def _on_screen(self, box: Rectangle) -> TransformedBbox:
        return TransformedBbox(Bbox.from_bounds(box.x, box.y, box.width, box.height), self._to_screen)


class _Stretched(Artist):
    """A picture over a rectangle. matplotlib would resample it as floats, which takes longer."""

    def __init__(self, picture: Image.Image, box: TransformedBbox) -> None:
        super().__init__()
        self._picture, self._box = picture, box

    def draw(self, renderer: Any) -> None:
        left, low, right, high = np.rint(self._box.extents).astype(int)
        fitted = self._picture.resize((right - left, high - low), Image.Resampling.NEAREST)
        context = renderer.new_gc()
        renderer.draw_image(context, left, low, np.asarray(fitted)[::-1])
        context.restore()


def segments(ends: npt.ArrayLike) -> Pixels:
    """Give the points of many strokes that one line draws: a gap after each.

    Parameters
    ----------
    ends : array_like, shape (n, 4)
        x and y of the one end and of the other.

    Returns
    -------
    ndarray, shape (3 n, 2)

    Examples
    --------
    >>> segments([[0, 1, 2, 3]]).tolist()
    [[0.0, 1.0], [2.0, 3.0], [nan, nan]]
    """
    pairs = np.asarray(ends, dtype=np.float64).reshape(-1, 2, 2)
    return np.concatenate([pairs, np.full((len(pairs), 1, 2), np.nan)], axis=1).reshape(-1, 2)


@lru_cache(4096)
def width_of(text: str, size: float) -> float:
    """Give the width of one line of words.

    Parameters
    ----------
    text : str
    size : float
        In pixels.

    Returns
    -------
    float
        In pixels.

    Examples
    --------
    >>> width_of("mm", 12) > 2 * width_of("i", 12) > 0
    True
    """
    font = get_font(findfont(FontProperties()))
    font.set_size(size, 72)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)  # a box, of its own width
        font.set_text(text, 0.0, flags=_flag())
    return float(font.get_width_height()[0] / 64)


@lru_cache(1)
def _flag() -> Any:
    with mpl.rc_context(LETTERS):
        return get_hinting_flag()  # type: ignore[no-untyped-call]
