"""The momentum plane as a scene: the map of spectral radii, and the weights step by step in three pictures."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bplib.viz.colour_fields import colour_field_png
from bplib.viz.marks import Handle, Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene
from bplib.widgets.momentum.descent import DRAWN, LIMIT, SHARE, Walks, spectral_radius
from bplib.widgets.momentum.words import momentum_sentence, number, steps_in_words

__all__ = ["live_marks", "live_words", "plane_scene"]

Floats = npt.NDArray[np.float64]

_NAME = "Momentum on a quadratic"
_MAP = Rectangle(58, 40, 372, 342)
_WEIGHTS = Rectangle(492, 40, 392, 128)
_SWING = Rectangle(492, 246, 136, 136)
_DISTANCE = Rectangle(700, 246, 184, 136)

_NEAR = 24
"""Steps of the two panels in which every step has its marker."""
_FAR_AWAY = 1e4
_TINY = 1e-12
# The lowest radius, the fastest, is the palest; where nothing converges the map is grey.
_FAST_COLOUR, _SLOW_COLOUR, _GREYS = (255, 250, 232), (132, 178, 214), ("#d9d9d9", "#cccccc", "#bfbfbf")
_LEVELS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 3.001)
_EXTENTS = ((2.0, 1.25), (2.8, 2.5), (3.5, 5.0), (LIMIT, 10.0))
_POWERS = ((1e-9, "10⁻⁹"), (1e-6, "10⁻⁶"), (1e-3, "10⁻³"), (1.0, "1"))
_HEIGHTS = frozenset({"w low", "w high", "distance", "rate"})
"""Marks over the steps, of which a live update sends the heights alone."""


def plane_scene(walks: Walks) -> Scene:
    """The scene of the plane, one position for each momentum.

    Parameters
    ----------
    walks : Walks

    Returns
    -------
    Scene
    """
    sentences = tuple(momentum_sentence(walks, k) for k in range(len(walks.betas)))
    panels = (_map(walks), _weights(walks), _swing(walks), _distance(walks))
    kappa = number(walks.condition_number)
    curvatures = "in one direction" if len(walks.eta_lambdas) == 1 else f"with curvatures 1 and {kappa}"
    return Scene(900, 430, panels, f"{_NAME} {curvatures}", sentences)


def live_marks(walks: Walks) -> dict[str, Floats]:
    """Coordinates that stand in for the table while the point is dragged.

    Parameters
    ----------
    walks : Walks
        At one momentum.

    Returns
    -------
    dict
        Name of a mark -> coordinates; of curves over the steps only the heights.
    """
    return {name: rows[0, :, 1] if name in _HEIGHTS else rows[0] for name, rows in _rows(walks).items()}


def live_words(walks: Walks) -> dict[str, str]:
    """Words that go with `live_marks`.

    Parameters
    ----------
    walks : Walks
        At one momentum.

    Returns
    -------
    dict
        Name of a mark -> its words.
    """
    return {name: texts[0] for name, texts in _texts(walks).items()}


# ---------------------------------------------------------------- what moves


def _rows(walks: Walks) -> dict[str, Floats]:
    """Name of a mark -> its table, shape (momenta, points, 2)."""
    places = np.clip(walks.places, -_FAR_AWAY, _FAR_AWAY)
    steps = np.arange(DRAWN + 1.0)
    marks = _on_the_map(walks)
    for which, name in enumerate(_names(walks)):
        marks[f"w {name}"] = _over(steps[: _NEAR + 1], places[:, : _NEAR + 1, which])
        marks[f"swing {name}"] = _swings(walks, places, which)
    # Two directions send twice as much; their distance has few kinks, and every other step draws it.
    stride = len(walks.eta_lambdas)
    distances = np.linalg.norm(places, axis=2) / np.sqrt(stride)
    marks["distance"] = _over(steps[::stride], np.maximum(distances[:, ::stride], _TINY))
    ends = np.maximum(walks.radii.max(axis=1)[:, None] ** np.array([0.0, DRAWN]), 1e-300)
    marks["rate"] = _over(np.array([0.0, DRAWN]), np.minimum(ends, _FAR_AWAY**2))
    return marks


def _on_the_map(walks: Walks) -> dict[str, Floats]:
    """The point, and with two curvatures the point of the lower one and the line between them."""
    betas = walks.betas
    low, high = (np.full_like(betas, walks.eta_lambdas[which]) for which in (0, -1))
    marks = {"point": _point(high, betas)}
    if len(walks.eta_lambdas) == 2:
        marks["other"] = _point(low, betas)
        marks["between"] = np.stack([np.stack([low, betas], axis=-1), np.stack([high, betas], axis=-1)], axis=1)
    return marks


def _swings(walks: Walks, places: Floats, which: int) -> Floats:
    """(w, velocity), the velocity in units of √(ηλ): a swing without friction is then nearly a circle."""
    near = places[:, : _NEAR + 1, which]
    steps = np.diff(near, axis=1, prepend=near[:, :1])
    return np.stack([near, steps / np.sqrt(max(walks.eta_lambdas[which], _TINY))], axis=-1)


def _texts(walks: Walks) -> dict[str, tuple[str, ...]]:
    """Name of a mark -> its words at each momentum."""
    counts = tuple(_settles(count) for count in walks.counts)
    texts = {"count": counts, "rate": tuple(f"{number(radius)}ᵏ" for radius in walks.radii.max(axis=1))}
    if len(walks.eta_lambdas) == 1:
        return texts | {"point words": tuple(f"radius {number(radius)}" for radius in walks.radii[:, 0])}
    kappa = number(walks.condition_number)
    texts["other words"] = tuple(f"λ = 1: {number(radius)}" for radius in walks.radii[:, 0])
    return texts | {"point words": tuple(f"λ = {kappa}: {number(radius)}" for radius in walks.radii[:, 1])}


def _settles(count: float) -> str:
    return "never 10⁻⁶" if np.isinf(count) else f"{steps_in_words(count).replace('more than', 'over')} to 10⁻⁶"


def _names(walks: Walks) -> tuple[str, ...]:
    return ("low", "high")[: len(walks.eta_lambdas)]


def _roles(walks: Walks) -> tuple[str, ...]:
    return ("path",) if len(walks.eta_lambdas) == 1 else ("first", "second")


def _over(steps: Floats, heights: Floats) -> Floats:
    return np.stack([np.broadcast_to(steps, heights.shape), heights], axis=-1)


def _point(x: Floats, y: Floats) -> Floats:
    return np.stack([x, y], axis=-1)[:, None]


# ---------------------------------------------------------------- panels


def _map(walks: Walks) -> Panel:
    rows, texts = _rows(walks), _texts(walks)
    marks: list[Mark] = list(_borders())
    if len(walks.eta_lambdas) == 2:
        marks.append(Path(rows["between"], "data", name="between", width=2.0))
        marks.append(Points(rows["other"], "first", name="other", size=10))
        marks.append(_words("other words", texts, 34))
    marks.append(_words("point words", texts, 16))
    marks.append(Handle("point", rows["point"], label="learning rate times curvature, and momentum"))
    x, y = Axis(0, LIMIT, label="ηλ: learning rate × curvature"), Axis(0, 1, label="momentum β")
    return Panel(_MAP, x, y, tuple(marks), "Spectral radius of one step", _field(), grid=False)


def _words(name: str, texts: dict[str, tuple[str, ...]], down: float) -> Text:
    """In the upper left corner, where the map has no words: beside the point they would come to lie on some."""
    return Text([[0.0, 1.0]], texts[name], name=name, shift=(8.0, down), plate=True)


@lru_cache(maxsize=1)
def _borders() -> tuple[Mark, ...]:
    """The critical curve, the limit of stability, the names of the regions, and the radius on its contour lines."""
    root = np.linspace(0, 1, 61)
    lower, upper = (np.stack([(1 + sign * root) ** 2, root**2], axis=-1) for sign in (-1, 1))
    words = (
        (0.5, 0.035, "over-damped"), (1.7, 0.035, "oscillates"), (3.2, 0.09, "diverges"), (1.37, 0.37, "under-damped"),
    )  # fmt: skip
    radii = _LEVELS[2 : _LEVELS.index(1.0)]
    return (
        Path(lower, "contour", width=2.5),
        Path(upper, "contour", width=2.5),
        Path([[2.0, 0.0], [4.0, 1.0]], "data", width=3.0),
        *(Text([[x, beta]], text, anchor="center", plate=text != "under-damped") for x, beta, text in words),
        # Where the ripples are fastest, ηλ = 1 + β, the radius is √β.
        *(Text([[1 + radius**2, radius**2]], f"{radius:g}", anchor="center", plate=True) for radius in radii),
        Text([[2.66, 0.33]], "ηλ = 2 + 2β", shift=(9, 0), plate=True),
        Text([[0.305, 0.2]], "on the curve: critical", shift=(8, 0), plate=True),
    )


def _weights(walks: Walks) -> Panel:
    rows, limit = _rows(walks), _extent(walks)
    marks: list[Mark] = []
    for name, role, words in zip(_names(walks), _roles(walks), _key(walks), strict=True):
        marks.append(Path(rows[f"w {name}"], role, name=f"w {name}", markers=True, width=1.6, text=words))
    x, y = Axis(0, _NEAR, label="step k"), Axis(-limit, limit, label="w")
    return Panel(_WEIGHTS, x, y, tuple(marks), "The weight, step by step")


def _swing(walks: Walks) -> Panel:
    rows, limit = _rows(walks), 1.2 * _extent(walks)
    marks: list[Mark] = []
    for name, role in zip(_names(walks), _roles(walks), strict=True):
        marks.append(Path(rows[f"swing {name}"], role, name=f"swing {name}", markers=True, width=0.0))
    marks.append(Points([[0.0, 0.0]], "minimum", size=13))
    end = float(np.floor(limit))
    ends = tuple((value, number(value)) for value in (-end, 0.0, end))
    x, y = Axis(-limit, limit, label="w", ticks=ends), Axis(-limit, limit, label="velocity (∝ −z)", ticks=ends)
    return Panel(_SWING, x, y, tuple(marks), "Phase plot")


def _distance(walks: Walks) -> Panel:
    rows, texts = _rows(walks), _texts(walks)
    marks = (
        Rule(SHARE, "horizontal"),
        Path(rows["rate"], "quiet", name="rate", width=1.5, text=texts["rate"]),
        Path(rows["distance"], "path", name="distance", width=2.0),
        Text([[DRAWN, 100.0]], texts["count"], name="count", anchor="right", shift=(-5, 0), plate=True),
    )
    label = "|w|" if len(walks.eta_lambdas) == 1 else "‖w‖ / ‖w₀‖"
    x, y = Axis(0, DRAWN, label="step k"), Axis(1e-9, 1e4, "log", label, _POWERS)
    return Panel(_DISTANCE, x, y, marks, "Distance")


def _key(walks: Walks) -> tuple[str, ...]:
    return ("",) if len(walks.eta_lambdas) == 1 else ("λ = 1", f"λ = {number(walks.condition_number)}")


def _extent(walks: Walks) -> float:
    """Up to ηλ = 2 the weight stays between −1 and 1; beyond it swings out before it comes closer."""
    return next(extent for most, extent in _EXTENTS if walks.eta_lambdas[-1] <= most)


@lru_cache(maxsize=1)
def _field() -> ColourField:
    x, beta = np.meshgrid(np.linspace(0, LIMIT, 201), np.linspace(0, 1, 201))
    stable = _LEVELS.index(1.0)
    mix = np.linspace(0, 1, stable)[:, None]
    colours = np.rint((1 - mix) * _FAST_COLOUR + mix * np.array(_SLOW_COLOUR)).astype(int)
    names = [*(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours), *_GREYS]
    levels = np.array(_LEVELS)
    return ColourField(colour_field_png(spectral_radius(x, beta), levels, names, width=_MAP.width, height=_MAP.height))
