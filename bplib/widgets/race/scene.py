"""The optimizer race as a scene: the paths, the learning rates found, the loss, and the effective steps."""

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from bplib.viz.colour_fields import colour_field_png
from bplib.viz.marks import Handle, Mark, Path, Points, Text
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene
from bplib.widgets.depth.words import figures
from bplib.widgets.race.marks import COLUMN, EVERY, LEAST_RATE, moving, row_of, texts
from bplib.widgets.race.run import NAMES, PLACES, STEPS, Race
from bplib.widgets.race.words import race_sentence, rate_words

__all__ = ["race_scene"]

Floats = npt.NDArray[np.float64]
Side = Literal["left", "right"]

_MAP = Rectangle(48, 34, 350, 350)
_RATES = Rectangle(496, 34, 218, 86)
_LOSSES = Rectangle(496, 162, 388, 98)
_EFFECTIVE = Rectangle(496, 324, 388, 74)

# Pixels from the right edge of the rates to the columns of numbers beside them.
_RATE_COLUMN, _LOSS_COLUMN = 10.0, 170.0
_ROLES = ("path", "first", "second", "update", "loss")
_WIDTHS = (1.6, 2.0, 2.2, 2.0, 2.4)
_LOW_COLOUR, _HIGH_COLOUR = (255, 253, 244), (190, 209, 226)
# The long walls of a narrow valley would take most of the static twin's bytes.
_BANDS = {"rosenbrock": (0.12, 5)}
_POWERS = ((1e-5, "10⁻⁵"), (1e-3, "0.001"), (0.1, "0.1"), (10.0, "10"))


def race_scene(name: str, race: Race) -> Scene:
    """The scene of a race, one position for each step from 0 to 100.

    Parameters
    ----------
    name : str
        The surface, a key of `PLACES`.
    race : Race

    Returns
    -------
    Scene
    """
    sentences = tuple(race_sentence(race, step) for step in range(STEPS + 1))
    rows = moving(race)
    panels = (_map(name, race, rows), _rates(race), _losses(race, rows), _effective(race, rows))
    scale = "" if race.scale == 1 else f", the loss multiplied by {figures(race.scale)}"
    return Scene(900, 440, panels, f"Five optimizers on the surface {name}{scale}", sentences)


def _map(name: str, race: Race, rows: dict[str, Floats]) -> Panel:
    marks: list[Mark] = [Points(race.place.minima, "minimum", size=15)]
    for kind in ("path", "tens", "head"):
        for which, one in enumerate(NAMES):
            points, role = rows[f"{kind} {one}"], _ROLES[which]
            if kind == "path":
                marks.append(Path(points, role, name=f"path {one}", width=_WIDTHS[which]))
            else:
                marks.append(Points(points, role, name=f"{kind} {one}", size=5.5 if kind == "tens" else 11))
    marks.append(Handle("start", race.points[0, :1], label="start of all five optimizers"))
    x, y = (Axis(low, high, label=label) for (low, high), label in zip(race.place.domain, ("w₁", "w₂"), strict=True))
    title = f"{name}: {PLACES[name].words}"
    return Panel(_MAP, x, y, tuple(marks), title[0].upper() + title[1:], _field(name), grid=False)


def _rates(race: Race) -> Panel:
    words = texts(race)
    x = Axis(LEAST_RATE, 30.0, "log", ticks=_POWERS)
    y = Axis(0, len(NAMES), ticks=tuple((row_of(which), name) for which, name in enumerate(NAMES)))
    marks: list[Mark] = [
        Text([[x.high, y.high]], "η", shift=(_RATE_COLUMN, -12.0)),
        Text([[x.high, y.high]], "loss", anchor="right", shift=(_LOSS_COLUMN, -12.0)),
    ]
    for which, name in enumerate(NAMES):
        row, role = row_of(which), _ROLES[which]
        place = [[race.rates[which], row]]
        marks += [
            Points([[rate, row] for rate in race.tried[which]], "quiet", size=4.5),
            Path([[LEAST_RATE, row], *place], role, name=f"stick {name}", width=_WIDTHS[which]),
            Points(place, role, name=f"rate {name}", size=9),
            _cell([x.high, row], rate_words(race, which), f"rate words {name}", _RATE_COLUMN, "left"),
            _cell([x.high, row], words[f"loss words {name}"], f"loss words {name}", _LOSS_COLUMN, "right"),
        ]
    trials = race.tried.shape[1]
    title = "Usual learning rates" if trials == 1 else f"Learning rates: best of {trials}"
    title = title if race.scale == 1 else "Learning rates as at × 1"
    return Panel(_RATES, x, y, tuple(marks), title, grid=False)


def _cell(place: list[float], words: str | tuple[str, ...], name: str, shift: float, anchor: Side) -> Text:
    return Text([place], words, name=name, anchor=anchor, shift=(shift, 0.0))


def _losses(race: Race, rows: dict[str, Floats]) -> Panel:
    y = _loss_axis(race)
    steps = np.arange(STEPS + 1.0)
    here = np.stack([np.stack([steps, np.full_like(steps, end)], axis=-1) for end in (y.low, y.high)], axis=1)
    marks: list[Mark] = [Path(here, "threshold", width=1.5)]
    for which, name in enumerate(NAMES):
        role, width = _ROLES[which], _WIDTHS[which]
        waiting = np.stack([steps[::EVERY], np.full(len(steps[::EVERY]), np.nan)], axis=-1)
        curve = np.stack([steps, race.losses[which]], axis=-1)
        marks.append(Path(curve, role, name=f"loss {name}", width=width))
        # Drawn only while the start is dragged: all heights of five curves would be too much for a live update.
        marks.append(Path(waiting, role, name=f"live loss {name}", width=width))
    marks += [Points(rows[f"loss head {n}"], _ROLES[i], name=f"loss head {n}", size=9) for i, n in enumerate(NAMES)]
    title = "Loss" if race.scale == 1 else f"Loss, divided by {figures(race.scale)} again"
    return Panel(_LOSSES, Axis(0, STEPS, label="step"), y, tuple(marks), title)


def _loss_axis(race: Race) -> Axis:
    """Powers of ten around what happens, eight at most: what has converged leaves the picture at the bottom."""
    start = float(race.losses[0, 0]) or 1.0
    seen = race.losses[~race.diverged & (race.left > STEPS)]
    high = math.ceil(math.log10(2 * start))
    low = math.floor(math.log10(max(float(seen.min()) if seen.size else start, start * 1e-8)))
    return Axis(10.0 ** min(low, high - 2), 10.0**high, "log")


def _effective(race: Race, rows: dict[str, Floats]) -> Panel:
    y = _effective_axis(race)
    columns = len(NAMES)
    ticks = tuple((which + side * COLUMN, label) for which in range(columns) for side, label in ((-1, "w₁"), (1, "w₂")))
    marks: list[Mark] = []
    for which, name in enumerate(NAMES):
        key, role, width = f"effective {name}", _ROLES[which], _WIDTHS[which]
        marks.append(Path(rows[key], role, name=key, markers=True, width=width))
        marks.append(Text([[which, y.low]], name, anchor="center", shift=(0.0, 29.0)))
    x = Axis(-0.5, columns - 0.5, ticks=ticks)
    return Panel(_EFFECTIVE, x, y, tuple(marks), "Effective step |Δw| / |g| of each weight")


def _effective_axis(race: Race) -> Axis:
    """Powers of ten around nearly all that is measured; a step beside a gradient of nearly 0 has no size."""
    measured = race.effective[np.isfinite(race.effective) & (race.effective > 0)]
    low, high = np.quantile(np.log10(measured), (0.03, 0.97)) if measured.size else (-4.0, 0.0)
    low, high = math.floor(low), math.ceil(high)
    return Axis(10.0 ** min(low, high - 2), 10.0**high, "log")


@lru_cache(maxsize=len(PLACES))
def _field(name: str) -> ColourField:
    place = PLACES[name].surface
    across, up = (np.linspace(low, high, 141) for low, high in place.domain)
    heights = place.f(np.stack(np.meshgrid(across, up), axis=-1))
    # Each level a fixed part of the next: the floor of a narrow valley would be one flat colour otherwise.
    part, bands = _BANDS.get(name, (0.25, 7))
    levels = np.concatenate([[0.0], heights.max() * 1.001 * part ** np.arange(bands - 1.0, -1, -1)])
    mix = np.linspace(0, 1, len(levels) - 1)[:, None]
    colours = np.rint((1 - mix) * np.array(_LOW_COLOUR) + mix * np.array(_HIGH_COLOUR)).astype(int)
    names = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours]
    return ColourField(colour_field_png(heights, levels, names, width=_MAP.width, height=_MAP.height))
