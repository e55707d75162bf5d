"""The second picture of the depth bench: gradient descent beside a saddle, and how the surface bends there."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bplib.viz.colour_fields import colour_field_png
from bplib.viz.marks import Handle, Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene
from bplib.widgets.depth.state import State
from bplib.widgets.depth.walk import LIMIT, MOST_STEPS, SURFACES, Walk, curvatures_at_zero, walk
from bplib.widgets.depth.words import figures, kind_words, walk_sentence

__all__ = ["live_marks", "saddle_scene"]

Floats = npt.NDArray[np.float64]

_MAP = Rectangle(58, 40, 340, 340)
_DISTANCES = Rectangle(486, 40, 398, 176)
_BENDS = Rectangle(486, 282, 398, 98)
_EVERY = 4  # steps between two points of a curve: a drag sends them all
_ACROSS = np.linspace(-1.0, 1.0, 21)
_LOW_COLOUR, _HIGH_COLOUR = (255, 250, 232), (132, 178, 214)
_LOWEST = 1e-8
_DIRECTIONS = (("first", "up"), ("second", "down"))  # role and name of the curves
_TITLES = {
    "saddle": "Loss w₁² − w₂²", "bowl": "Loss w₁² + w₂²", "linear_network": "Network ŷ = w₂·w₁·x: loss ½(1 − w₁·w₂)²",
}  # fmt: skip


def saddle_scene(state: State) -> Scene:
    """The scene of the descent, one position for each number of steps from 0 to 100.

    Parameters
    ----------
    state : State
        Its number of steps plays no part.

    Returns
    -------
    Scene
    """
    walked = _walked(state)
    steps = range(MOST_STEPS + 1)
    sentences = tuple(walk_sentence(state, k) for k in steps)
    # The map comes third: the browser would leave its colours behind a panel in its place, and the layers have two.
    panels = (_distances(walked, state), _bends(walked), _map(walked, state))
    return Scene(900, 434, panels, f"Gradient descent. {_TITLES[state.surface]}", sentences)


def live_marks(state: State) -> tuple[dict[str, Floats], dict[str, str], str]:
    """Coordinates, words and sentence that stand in for the table while the start is dragged.

    Parameters
    ----------
    state : State

    Returns
    -------
    marks : dict
        Name of a mark -> coordinates; of curves only the heights.
    words : dict
        Name of a mark -> words.
    sentence : str
    """
    walked, k = _walked(state), state.steps
    marks = {"path": _until(walked.points, k), "start": walked.points[:1], "here": walked.points[k : k + 1]}
    words = {"kind": kind_words(walked, k)}
    for which, (_, name) in enumerate(_DIRECTIONS):
        marks[name] = _inside(walked)[_shown(k), which]
        marks[f"{name} bend"] = _bend(walked, k, which)[:, 1]
        words[f"{name} bend"] = _bend_words(walked, k, which)
    return marks, words, walk_sentence(state, k)


def _walked(state: State) -> Walk:
    return walk(state.surface, state.start, state.lr, state.noise, state.seed)


def _until(rows: Floats, k: int) -> Floats:
    return np.where(np.arange(len(rows))[:, None] <= k, rows, np.nan)


def _shown(k: int) -> npt.NDArray[np.int64]:
    """Which steps a curve is drawn through at step k: every fourth, and k itself to the end."""
    return np.minimum(np.arange(0, MOST_STEPS + 1, _EVERY), k)


def _inside(walked: Walk) -> Floats:
    """The distances as far as the walk goes."""
    return walked.distances if walked.left is None else _until(walked.distances, walked.left)


def _map(walked: Walk, state: State) -> Panel:
    minima = SURFACES[state.surface].surface.minima
    path = np.stack([_until(walked.points, k) for k in range(MOST_STEPS + 1)])
    marks: list[Mark] = [Points(minima, "minimum", size=15)] if len(minima) else []
    marks += [
        _named(state.surface),
        Path(path, "path", name="path", markers=True, width=1.6),
        Points(walked.points[:, None], "update", name="here", size=9),
        Handle("start", walked.points[:1], label="start of the descent"),
    ]
    x, y = (Axis(-LIMIT, LIMIT, label=name) for name in ("w₁", "w₂"))
    return Panel(_MAP, x, y, tuple(marks), _TITLES[state.surface], _field(state.surface), grid=False)


def _named(name: str) -> Text:
    """The word beside the point 0, where the usual paths leave room for it."""
    if name == "linear_network":
        return Text([[0.0, 0.0]], "saddle", anchor="right", shift=(-14.0, 0.0), plate=True)
    return Text([[0.0, 0.0]], "minimum" if name == "bowl" else "saddle", shift=(14.0, 18.0), plate=True)


def _distances(walked: Walk, state: State) -> Panel:
    names, bends = SURFACES[state.surface].names, curvatures_at_zero(state.surface)
    steps, marks = np.stack([_shown(k) for k in range(MOST_STEPS + 1)]), []
    for which, (role, key) in enumerate(_DIRECTIONS):
        table = np.stack([steps, _inside(walked)[steps, which]], axis=-1)
        words = f"{names[which]} × {figures(1 - state.lr * bends[which])}"
        marks.append(Path(table, role, name=key, text=words))
    x, y = Axis(0, MOST_STEPS, label="step"), Axis(_LOWEST, 10, "log", "distance", _POWERS)
    return Panel(_DISTANCES, x, y, tuple(marks), "Distance from 0")


_POWERS = ((1e-8, "10⁻⁸"), (1e-6, "10⁻⁶"), (1e-4, "10⁻⁴"), (1e-2, "0.01"), (1.0, "1"))


def _bends(walked: Walk) -> Panel:
    steps = range(MOST_STEPS + 1)
    marks: list[Mark] = [Rule(0.0, "horizontal")]
    for which, (role, key) in enumerate(_DIRECTIONS):
        table = np.stack([_bend(walked, k, which) for k in steps])
        words = tuple(_bend_words(walked, k, which) for k in steps)
        marks.append(Path(table, role, name=f"{key} bend", text=words))
    kinds = tuple(kind_words(walked, k) for k in steps)
    marks.append(Text([[0.0, 1.0]], kinds, name="kind", anchor="center", shift=(0.0, 12.0), plate=True))
    y = Axis(-1.2, 1.8, label="½λt²", ticks=((-1.0, "−1"), (0.0, "0"), (1.0, "1")))
    return Panel(_BENDS, Axis(-1, 1, label="t, along each direction"), y, tuple(marks), "How it bends here")


def _bend(walked: Walk, k: int, which: int) -> Floats:
    """The curvature as a curve: ½λt², what the loss would do along a direction without the slope."""
    return np.stack([_ACROSS, 0.5 * walked.eigenvalues[k, which] * _ACROSS**2], axis=-1)


def _bend_words(walked: Walk, k: int, which: int) -> str:
    return f"λ = {figures(round(float(walked.eigenvalues[k, which]), 3))}"


@lru_cache(maxsize=4)
def _field(name: str) -> ColourField:
    line = np.linspace(-LIMIT, LIMIT, 121)
    heights = SURFACES[name].surface.f(np.stack(np.meshgrid(line, line), axis=-1))
    low, high = heights.min() - 1e-9, heights.max() + 1e-9
    # Levels closer together near the lowest ground, where it would be one flat colour; a saddle has no lowest ground.
    share = np.linspace(0, 1, 13)
    levels = low + (high - low) * (share if name == "saddle" else share**2)
    mix = np.linspace(0, 1, len(levels) - 1)[:, None]
    colours = np.rint((1 - mix) * np.array(_LOW_COLOUR) + mix * np.array(_HIGH_COLOUR)).astype(int)
    names = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours]
    return ColourField(colour_field_png(heights, levels, names, width=_MAP.width, height=_MAP.height))
