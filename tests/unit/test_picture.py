"""A picture brings its words, a small PNG, and colours that mean the same everywhere."""

import base64
import io
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bplib.errors import DataError, DomainError
from bplib.viz import picture
from bplib.viz.picture import Picture, palette_png
from bplib.viz.style import INK, LIGHT_FILLS, PALETTE, PAPER, ROLES, contrast_ratio, figure
from tests.hostile import WORDS


def _drawn(alt: str = "A line that rises.") -> Picture:
    fig = figure(4, 2)
    axes = fig.subplots()
    axes.plot([0, 1], [0, 1], color=ROLES["gradient"].colour)
    axes.set(xlabel="step", ylabel="loss")
    return Picture(fig, alt)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_a_notebook_gets_a_png_an_image_with_alternative_text_and_the_text_alone() -> None:
    data, metadata = _drawn()._repr_mimebundle_()
    assert set(data) == {"image/png", "text/html", "text/plain"}
    assert data["text/plain"] == "A line that rises." == metadata["image/png"]["alt"]
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_the_picture_has_a_palette_and_stays_under_25_kilobytes() -> None:
    png = _drawn().png()
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        assert image.size == (800, 400), "twice as fine as the page"
    assert len(png) <= 25_000


def test_a_crowded_picture_gets_coarser_rather_than_large() -> None:
    fig = figure(6, 4)
    for axes in fig.subplots(2, 2).flat:
        axes.plot(np.sin(np.outer(np.linspace(0, 9, 80), np.arange(1, 12))))
    with Image.open(io.BytesIO(Picture(fig, "Many waves.").png())) as image:
        assert 600 <= image.size[0] < 1200


def test_a_crowded_picture_is_drawn_once_and_no_picture_more_than_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is what a learner waits for before a widget appears, and then zlib's last level."""
    scales: list[float] = []
    levels: list[int] = []

    def counted(figure: Figure, scale: float) -> Image.Image:
        scales.append(scale)
        return drawn(figure, scale)

    def encoded(image: Image.Image, colours: int = 40, level: int = 9) -> bytes:
        levels.append(level)
        return palette_png(image, colours, level)

    drawn = picture._drawn
    monkeypatch.setattr(picture, "palette_png", encoded)
    monkeypatch.setattr(picture, "_drawn", counted)
    for words, wanted in ((0, [1.1, 2.0]), (50, [1.1]), (66, [1.1]), (200, [1.1, 1.0])):
        fig = figure(9, 4.6)
        axes = fig.subplots()
        for k in range(words):
            axes.text(k % 9 / 9, k // 9 / 25, f"word {k}")
        scales.clear(), levels.clear()
        size = len(Picture(fig, "Words.").png())
        assert scales == wanted, (words, size)
        assert levels[0] == 7
        assert set(levels[1:]) <= {9}
        assert words == 200 or size <= 25_000


def test_letters_keep_their_shapes_whatever_matplotlib_is_set_to() -> None:
    pictures = set()
    for hinting in ("no_hinting", "force_autohint"):
        with mpl.rc_context({"text.hinting": hinting}):
            pictures.add(_drawn().png())
    assert len(pictures) == 1


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert _drawn().png() == _drawn().png()


def test_a_thin_line_keeps_its_colour_in_the_palette() -> None:
    canvas = Image.new("RGB", (400, 200))
    for column in range(400):  # 256 blues, a fifth of a row of vermillion among them
        canvas.paste((column % 256, 128 + column % 128, 255), (column, 0, column + 1, 200))
    canvas.paste((213, 94, 0), (160, 100, 240, 101))
    theirs = canvas.quantize(16, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    with Image.open(io.BytesIO(palette_png(canvas, colours=16))) as image:
        assert image.convert("RGB").getpixel((200, 100)) == (213, 94, 0)
    assert theirs.getpixel((200, 100)) != (213, 94, 0), "Pillow's own palette would do, ours is not needed"


@pytest.mark.parametrize("alt", [word for word in WORDS if word.strip()])
def test_hostile_words_are_shown_and_never_become_markup(alt: str) -> None:
    parser = _Tags()
    parser.feed(_drawn(alt).html())
    ((tag, attributes),) = parser.tags
    assert tag == "img"
    assert attributes["alt"] == alt
    assert set(attributes) == {"alt", "width", "style", "src"}


def test_a_picture_is_its_sentence_in_print() -> None:
    assert repr(_drawn()) == "A line that rises."


def test_a_picture_without_words_is_refused() -> None:
    with pytest.raises(DomainError, match="alternative text is empty"):
        _drawn("  ")
    with pytest.raises(DataError, match="expected a matplotlib Figure, got str"):
        Picture("figure", "words")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="must be a string, got int"):
        Picture(Figure(), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ROLES)
def test_every_role_is_dark_enough_for_a_line_on_white(name: str) -> None:
    assert contrast_ratio(ROLES[name].colour, PAPER) >= 3.0


def test_words_are_dark_enough_and_pale_colours_are_fills_only() -> None:
    assert contrast_ratio(INK) >= 4.5
    pale = {PALETTE[name] for name in LIGHT_FILLS}
    assert all(contrast_ratio(colour) < 3.0 for colour in pale), "the list of pale colours is out of date"
    assert not pale & {role.colour for role in ROLES.values()}


def test_no_two_roles_that_meet_in_one_picture_differ_by_colour_alone() -> None:
    lines = ("prediction", "gradient", "update", "loss", "validation", "threshold", "first", "second")
    for group in (lines[:4], ("loss", "validation", "threshold"), ("loss", "first", "second", "threshold")):
        looks = [(ROLES[name].dash, ROLES[name].marker) for name in group]
        assert len(set(looks)) == len(group), group


def test_axes_made_late_have_the_house_style_too() -> None:
    fig = figure(4, 2)
    axes = fig.add_subplot(1, 1, 1)
    assert not axes.spines["top"].get_visible()
    assert axes.plot([0, 1])[0].get_linestyle() == "-"
    assert axes.plot([1, 0])[0].get_linestyle() == "--"


def test_white_stays_white_beside_much_that_is_almost_white() -> None:
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[:, 20:] = (250, 250, 250)
    for shade in range(60):
        pixels[shade, 40:] = 4 * shade
    for colours in (8, 64):
        with Image.open(io.BytesIO(palette_png(Image.fromarray(pixels), colours))) as stored:
            assert stored.convert("RGB").getpixel((5, 5)) == (255, 255, 255)
