"""A picture that brings its own words: a matplotlib figure with alternative text."""

import base64
import html
import io
import warnings
from typing import Any, final

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from bplib.errors import DataError, DomainError
from bplib.viz.style import LETTERS

__all__ = ["Picture", "palette_png"]

# Pillow would load its five common formats at the first file, while somebody waits for a picture.
Image.preinit()

_LIMIT = 25_000
_COLOURS = 40
_FEWER_COLOURS = 24
# Pixels of the file for one pixel of the page. Most widgets fit at the first, and drawing is what takes the time.
_FIRST_SCALE = 1.1
_FINER_SCALES = (2.0, 1.75)
_LEAST_SCALE = 1.0
# A file grows with this power of the scale, or a little more slowly.
_GROWTH = 1.3
# zlib's levels: the last makes a file 7 % smaller than the first, and takes six times as long.
_QUICK, _SMALL = 7, 9
_TIGHTER = 0.93
# Rarer shades than these are blends at the edges of letters.
_COUNTED = 4000


@final
class Picture:
    """A figure and the sentence that stands for it where no picture can be seen.

    A notebook shows the PNG; a screen reader, a text page and a comparison of stored outputs get `alt`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn without pyplot, so that nothing has to be closed.
    alt : str
        What the picture shows, in one or two plain sentences.

    Raises
    ------
    DataError
        If `figure` is no Figure or `alt` no text.
    DomainError
        If `alt` is empty.

    Examples
    --------
    >>> from bplib.viz.style import figure
    >>> Picture(figure(3, 2), "An empty picture.")
    An empty picture.
    """

    __slots__ = ("_png", "alt", "figure")

    def __init__(self, figure: Figure, alt: str) -> None:
        if not isinstance(figure, Figure):
            raise DataError(
                f"Picture: expected a matplotlib Figure, got {type(figure).__name__}. "
                "Make one with bplib.viz.figure(width, height)."
            )
        if not isinstance(alt, str):
            raise DataError(f"Picture: the alternative text must be a string, got {type(alt).__name__}.")
        if not alt.strip():
            raise DomainError(
                "Picture: the alternative text is empty. Say in one sentence what the picture shows, "
                'for example alt="The loss falls from 2.3 to 0.1 in 20 epochs."'
            )
        self.figure = figure
        self.alt = alt
        self._png: bytes | None = None

    def __repr__(self) -> str:
        return self.alt

    def png(self) -> bytes:
        """The picture as PNG with a palette, twice as fine as the page where that takes at most 25 KB, else coarser.

        The same figure gives the same bytes on the same machine. Drawn when first asked for, and kept.

        Returns
        -------
        bytes
        """
        if self._png is None:
            self._png = _palette_png(self.figure)
        return self._png

    def html(self) -> str:
        """An ``<img>`` that holds the picture itself and the alternative text, escaped.

        Returns
        -------
        str
        """
        encoded = base64.b64encode(self.png()).decode("ascii")
        width = round(self.figure.get_figwidth() * 100)
        return (
            f'<img alt="{html.escape(self.alt)}" width="{width}" style="max-width: 100%; height: auto" '
            f'src="data:image/png;base64,{encoded}">'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, str], dict[str, Any]]:
        data = {
            "image/png": base64.b64encode(self.png()).decode("ascii"),
            "text/html": self.html(),
            "text/plain": self.alt,
        }
        return data, {"image/png": {"alt": self.alt}}


def _palette_png(figure: Figure) -> bytes:
    """Draw once where a page is crowded; a second time, finer or coarser, only where the first file says so."""
    drawn = _drawn(figure, _FIRST_SCALE)
    data = palette_png(drawn, level=_QUICK)
    if len(data) > _LIMIT:
        data = palette_png(drawn, _FEWER_COLOURS)
        return data if len(data) <= _LIMIT else palette_png(_drawn(figure, _LEAST_SCALE), _FEWER_COLOURS)
    for scale in _FINER_SCALES:
        if len(data) * _TIGHTER * (scale / _FIRST_SCALE) ** _GROWTH <= _LIMIT:
            finer = palette_png(_drawn(figure, scale))
            return finer if len(finer) <= _LIMIT else data
    return data


def _drawn(figure: Figure, scale: float) -> Image.Image:
    canvas: Any = FigureCanvasAgg(figure)
    with warnings.catch_warnings(), mpl.rc_context(LETTERS):
        # A learner's own word in a script that the font lacks shows as boxes, and whole in the alternative text.
        warnings.filterwarnings("ignore", r"Glyph \d+", UserWarning)
        # What is written is thrown away, and the pixels are taken from the canvas: only so does a figure with a layout
        # engine get its layout, and the shape comes as matplotlib rounds it.
        canvas.print_figure(io.BytesIO(), format="raw", dpi=100 * scale)
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def palette_png(picture: Image.Image, colours: int = _COLOURS, level: int = _SMALL) -> bytes:
    """Encode a picture as PNG with a palette that keeps every colour that means something.

    Pillow's own ways of choosing a palette count pixels, and turn a thin vermillion line brown where the
    rest is blue. Here the next colour is the one with the largest √count · distance² to those chosen.

    Parameters
    ----------
    picture : PIL.Image.Image
        In mode RGB.
    colours : int
        At most so many, between 2 and 256.
    level : int
        How hard zlib tries, from 1 (quick) to 9 (small).

    Returns
    -------
    bytes

    Examples
    --------
    >>> len(palette_png(Image.new("RGB", (10, 10), "white"))) < 200
    True
    """
    found = sorted((colour, count) for count, colour in picture.getcolors(picture.width * picture.height) or ())
    shades, counts = np.array([colour for colour, _ in found], float), np.array([count for _, count in found])
    frequent = np.argsort(-counts, kind="stable")[:_COUNTED]
    palette = shades[frequent][_chosen(shades[frequent], np.sqrt(counts[frequent]), colours)]
    # Pillow's own mapping looks at a colour's first six bits only, and would put pale grey where white belongs.
    distances = (shades**2).sum(axis=1)[:, None] - 2 * shades @ palette.T + (palette**2).sum(axis=1)
    # A table of all 16 million colours, of which a picture touches few: a third of the time of sorting the pixels.
    nearest = np.zeros(1 << 24, np.uint8)
    nearest[_packed(shades.astype(np.uint32))] = distances.argmin(axis=1)
    small = Image.fromarray(nearest[_packed(np.asarray(picture, np.uint32))]).convert("P")
    small.putpalette(palette.astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    small.save(buffer, "PNG", compress_level=level)
    return buffer.getvalue()


def _packed(colours: np.ndarray) -> np.ndarray:
    return colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]


def _chosen(shades: np.ndarray, weights: np.ndarray, colours: int) -> list[int]:
    # White comes first: beside a white page, paper that is almost white looks like a stain.
    white = np.flatnonzero((shades == 255).all(axis=1))
    chosen: list[int] = []
    distance, newest = np.full(len(shades), np.inf), int(white[0]) if white.size else 0
    while len(chosen) < colours and distance.any():
        chosen.append(newest)
        distance = np.minimum(distance, ((shades - shades[newest]) ** 2).sum(axis=1))
        newest = int((weights * distance).argmax())
    return chosen
