"""A colour field puts each colour where matplotlib's filled contours have it, and its lines on the levels."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from bplib.errors import DomainError, ShapeError
from bplib.viz.colour_fields import colour_field_png

COLOURS = ["#0072B2", "#56B4E9", "#E69F00", "#D55E00"]
LEVELS = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
LINE, PAPER = (122, 122, 122), (255, 255, 255)


def _pixels(values: np.ndarray, levels: np.ndarray = LEVELS, width: float = 120, height: float = 80) -> np.ndarray:
    png = colour_field_png(values, levels, COLOURS[: len(levels) - 1], width=width, height=height)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "P"
        return np.asarray(picture.convert("RGB"))


def _bowl() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(-1, 1, 31), np.linspace(-1, 1, 21))
    return x**2 + 2 * (y - 0.3) ** 2


def _by_matplotlib(values: np.ndarray) -> np.ndarray:
    figure = Figure(figsize=(1.2, 0.8), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.contourf(values, levels=LEVELS, colors=COLOURS, antialiased=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=200)
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def test_every_colour_lies_where_matplotlib_has_it() -> None:
    ours, theirs = _pixels(_bowl()), _by_matplotlib(_bowl())
    assert ours.shape == theirs.shape == (160, 240, 3), "twice as fine as the panel"
    line = (ours == LINE).all(axis=-1)
    same = (ours == theirs).all(axis=-1)
    assert 0.01 < line.mean() < 0.1
    assert same[~line].mean() > 0.998
    flipped = (ours[::-1] == theirs).all(axis=-1)
    assert flipped[~line].mean() < 0.9, "this surface cannot tell up from down"


def test_a_line_is_as_wide_as_one_pixel_of_the_page_and_lies_on_its_level() -> None:
    ramp = np.linspace(0, 1, 11)[None, :].repeat(3, axis=0)
    row = _pixels(ramp, np.array([0.0, 0.25, 1.0]), width=100, height=4)[0]
    assert np.flatnonzero((row == LINE).all(axis=-1)).tolist() == [49, 50]


def test_there_is_no_line_where_the_levels_end() -> None:
    ramp = np.linspace(0, 1, 11)[None, :].repeat(3, axis=0)
    shown = _pixels(ramp, np.array([0.2, 0.7]))
    assert not (shown == LINE).all(axis=-1).any()
    assert 0.45 < (shown != PAPER).any(axis=-1).mean() < 0.55


def test_outside_of_the_levels_and_where_there_is_no_number_stays_white() -> None:
    values = np.full((9, 9), 0.2)
    values[:4], values[-1, -1], values[-1, 0] = 9.0, np.nan, np.inf
    shown = _pixels(values)
    assert tuple(shown[-1, 120]) == PAPER, "above the highest level"
    assert tuple(shown[0, -1]) == tuple(shown[0, 0]) == PAPER, "NaN and infinity"
    assert tuple(shown[10, 120]) == tuple(round(255 * part) for part in to_rgb(COLOURS[0]))


@pytest.mark.parametrize(
    ("values", "levels", "error", "words"),
    [
        (np.zeros(3), LEVELS, ShapeError, r"values has shape \(3,\). Expected a grid of at least 2 rows"),
        (np.zeros((1, 5)), LEVELS, ShapeError, r"values has shape \(1, 5\)"),
        (np.zeros((3, 3)), LEVELS[:3], ShapeError, "3 levels bound 2 fields, got 4 colours"),
        (np.zeros((3, 3)), LEVELS[::-1], DomainError, "Expected at least two, each above the one before"),
        (np.zeros((3, 3)), np.full(5, np.nan), DomainError, "Expected at least two, each above the one before"),
    ],
)
def test_what_cannot_be_drawn_is_named(
    values: np.ndarray, levels: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        colour_field_png(values, levels, COLOURS, width=10, height=10)
