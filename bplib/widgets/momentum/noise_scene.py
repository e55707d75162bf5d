"""Mini-batches as a scene: SGD on the loss of a line, the cloud of batch gradients, and its spread over batch sizes."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bplib.viz.colour_fields import colour_field_png
from bplib.viz.marks import Arrow, Handle, Mark, Path, Points, Text
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene
from bplib.widgets.momentum.noise import DRAWN_BATCHES, RATE, SIZES, UPDATES, Noise, best_weights, loss_heights
from bplib.widgets.momentum.words import noise_sentence, number

__all__ = ["WINDOW", "noise_live_marks", "noise_live_words", "noise_scene"]

Floats = npt.NDArray[np.float64]

WINDOW: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 4.0), (-1.0, 3.0))
"""The weights w and b lie in this window."""

_NAME = "Gradients of mini-batches of a linear regression"
_LOSS = Rectangle(52, 40, 280, 280)
_CLOUD = Rectangle(396, 40, 280, 280)
_SPREAD = Rectangle(740, 40, 144, 280)
_LOW_COLOUR, _HIGH_COLOUR = (255, 250, 232), (132, 178, 214)
_EXTENTS = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 16.0)
_SIZE_TICKS = tuple((float(size), str(size)) for size in SIZES[::2])
_SPREADS = ((0.1, "0.1"), (0.3, "0.3"), (1.0, "1"), (3.0, "3"), (10.0, "10"))
_CIRCLE = np.linspace(0, 2 * np.pi, 37)


def noise_scene(noise: Noise, *, revealed: bool) -> Scene:
    """The scene of the mini-batches, one position for each batch size.

    Parameters
    ----------
    noise : Noise
    revealed : bool
        Whether the spread is shown over all batch sizes.

    Returns
    -------
    Scene
    """
    sentences = tuple(noise_sentence(noise, k, revealed=revealed) for k in range(len(SIZES)))
    panels = (_loss(noise), _cloud(noise), _spread(noise, revealed))
    return Scene(900, 368, panels, _NAME, sentences)


def noise_live_marks(noise: Noise, which: int) -> dict[str, Floats]:
    """Coordinates that stand in for the table while the weights are dragged.

    Parameters
    ----------
    noise : Noise
    which : int
        Position of the batch size.

    Returns
    -------
    dict
        Name of a mark -> coordinates.
    """
    marks = {name: rows[which] for name, rows in _rows(noise).items()}
    still = {"weights": noise.weights[None], "full": _full(noise), "full end": noise.full[None]}
    return marks | still | {"law": _law(noise)[:, 1]}


def noise_live_words(noise: Noise, which: int) -> dict[str, str]:
    """Words that go with `noise_live_marks`.

    Parameters
    ----------
    noise : Noise
    which : int
        Position of the batch size.

    Returns
    -------
    dict
        Name of a mark -> its words.
    """
    return {"deviation": _deviations(noise)[which]}


def _rows(noise: Noise) -> dict[str, Floats]:
    """Name of a mark -> its table, shape (batch sizes, points, 2)."""
    circle = noise.full + noise.spreads[:, None, None] * np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=-1)
    now = np.stack([np.array(SIZES, dtype=np.float64), noise.spreads], axis=-1)[:, None]
    return {"descent": noise.paths, "batches": noise.batches[:, :DRAWN_BATCHES], "circle": circle, "spread": now}


def _deviations(noise: Noise) -> tuple[str, ...]:
    return tuple(f"circle: standard deviation {number(spread, 3)}" for spread in noise.spreads)


def _full(noise: Noise) -> Floats:
    return np.stack([np.zeros(2), noise.full])


def _law(noise: Noise) -> Floats:
    """The spread of one example's gradient divided by √B, exact for batches drawn with replacement."""
    ends = np.array([SIZES[0], SIZES[-1]], dtype=np.float64)
    one = np.sqrt(((noise.single - noise.full) ** 2).sum(axis=1).mean())
    return np.stack([ends, one / np.sqrt(ends)], axis=-1)


def _loss(noise: Noise) -> Panel:
    marks: tuple[Mark, ...] = (
        Path(_rows(noise)["descent"], "path", name="descent", markers=True, width=1.6),
        Points([best_weights()], "minimum", size=15),
        Handle("weights", noise.weights[None], label="weights at which the gradients are taken"),
    )
    x, y = Axis(*WINDOW[0], label="weight w"), Axis(*WINDOW[1], label="bias b")
    return Panel(_LOSS, x, y, marks, f"{UPDATES} updates of SGD, η = {RATE:g}", _field(), grid=False)


def _cloud(noise: Noise) -> Panel:
    rows, extent = _rows(noise), _extent(noise)
    # Below the points: the arrow's head would hide a small cloud. At the minimum it has no direction.
    arrow = (Arrow(_full(noise), "gradient", name="full"),) if np.hypot(*noise.full) > 1e-9 else ()
    marks: tuple[Mark, ...] = (
        *arrow,
        Points(rows["batches"], "quiet", name="batches", size=5, text=f"{DRAWN_BATCHES} batches"),
        Points(noise.full[None], "gradient", name="full end", size=9, text="all examples"),
        Path(rows["circle"], "data", name="circle", width=1.5),
        Text([[0.0, -extent]], _deviations(noise), name="deviation", anchor="center", shift=(0, -14), plate=True),
    )
    x, y = Axis(-extent, extent, label="∂L/∂w"), Axis(-extent, extent, label="∂L/∂b")
    return Panel(_CLOUD, x, y, marks, "Gradients")


def _spread(noise: Noise, revealed: bool) -> Panel:
    rows = _rows(noise)["spread"]
    marks: list[Mark] = []
    if revealed:
        marks.append(Path(_law(noise), "threshold", name="law", width=2.0, text="∝ 1/√B"))
        marks.append(Points(rows[:, 0], "quiet", size=7))
    marks.append(Points(rows, "gradient", name="spread", size=11))
    x, y = Axis(0.8, 160, "log", "batch size B", _SIZE_TICKS), Axis(0.08, 12, "log", "standard deviation", _SPREADS)
    return Panel(_SPREAD, x, y, tuple(marks), "Spread" if revealed else "Spread: predict first")


def _extent(noise: Noise) -> float:
    """Half a side of the panel that holds nearly all gradients of single examples."""
    needed = float(np.quantile(np.abs(noise.single), 0.98))
    return next((extent for extent in _EXTENTS if extent >= needed), _EXTENTS[-1])


@lru_cache(maxsize=1)
def _field() -> ColourField:
    heights = loss_heights(*np.meshgrid(*(np.linspace(*edges, 61) for edges in WINDOW)))
    levels = heights.min() + np.concatenate([[0.0], np.ptp(heights) * 1.001 * 0.5 ** np.arange(7, -1, -1)])
    mix = np.linspace(0, 1, len(levels) - 1)[:, None]
    colours = np.rint((1 - mix) * _LOW_COLOUR + mix * np.array(_HIGH_COLOUR)).astype(int)
    names = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours]
    return ColourField(colour_field_png(heights, levels, names, width=_LOSS.width, height=_LOSS.height))
