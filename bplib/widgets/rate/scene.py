"""What the rate lab shows: descent on a bowl at every learning rate, as a scene and in words."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.landscape import descend_rates, surface
from bplib.viz.colour_fields import colour_field_png
from bplib.viz.marks import Handle, Mark, Path, Points, Rule
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene

__all__ = [
    "CURVATURE", "LIMIT", "NAME", "Descent", "descents", "live_marks", "rate_scene", "sentence", "steps_to_share",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

CURVATURE = 4.0
"""Largest curvature of the bowl: the fastest rate for that direction is 1/4, the last stable one 2/4."""
LIMIT = 2.5
"""Both weights lie between -2.5 and 2.5 in the picture."""
NAME = "Gradient descent on a bowl-shaped loss surface"

_MAP = Rectangle(58, 40, 322, 322)
_CURVES = Rectangle(470, 40, 412, 126)
_STEPS = Rectangle(470, 244, 412, 118)
_NEVER = 1e5
_MOST = 100_000
# Lowest to highest: pale enough for a black path and the quiet contour lines.
_LOW_COLOUR, _HIGH_COLOUR = (255, 250, 232), (132, 178, 214)
_SHARES = ((1e-4, "0.01 %"), (1e-2, "1 %"), (1.0, "100 %"), (1e2, "10⁴ %"))
_COUNTS = ((1.0, "1"), (10.0, "10"), (100.0, "100"), (1e3, "1000"), (1e4, "10⁴"), (_NEVER, "never"))
_RATES = ((0.01, "0.01"), (0.03, "0.03"), (0.1, "0.1"), (0.3, "0.3"), (1.0, "1"))


@final
@dataclass(frozen=True)
class Descent:
    """Plain gradient descent on one bowl from one start, at r learning rates.

    Parameters
    ----------
    rates : ndarray, shape (r,)
    eigenvalues : ndarray, shape (2,)
        Curvature along and across the valley, ascending.
    start : ndarray, shape (2,)
    points : ndarray, shape (r, steps + 1, 2)
    losses : ndarray, shape (r, steps + 1)
    counts : ndarray, shape (r,)
        Steps until the distance to the minimum is 1 % of the start's; infinite if never.
    """

    rates: Floats
    eigenvalues: Floats
    start: Floats
    points: Floats
    losses: Floats
    counts: Floats


def descents(condition_number: float, rates: npt.ArrayLike, start: tuple[float, float], steps: int) -> Descent:
    """Run gradient descent on the bowl at several rates.

    Parameters
    ----------
    condition_number : float
        Largest over smallest curvature, at least 1.
    rates : array_like, shape (r,)
    start : tuple of float
    steps : int

    Returns
    -------
    Descent

    Examples
    --------
    >>> descents(1.0, [0.03, 0.25, 0.5], (0.0, 1.0), 2).counts.tolist()
    [37.0, 1.0, inf]
    """
    bowl = surface("bowl", condition_number=condition_number, curvature=CURVATURE)
    eigenvalues = np.linalg.eigvalsh(bowl.hessian(bowl.minima[0]))
    asked = np.asarray(rates, dtype=np.float64)
    path = descend_rates(bowl, asked, start, steps)
    first = np.asarray(start, dtype=np.float64)
    counts = steps_to_share(asked, eigenvalues, first)
    return Descent(asked, eigenvalues, first, path.points, path.losses, counts)


def steps_to_share(rates: Floats, eigenvalues: Floats, start: Floats, share: float = 0.01) -> Floats:
    """First k with ‖w_k‖ ≤ share · ‖w_0‖, where w_k = (1 - ηλ)^k w_0 in each direction.

    Parameters
    ----------
    rates : ndarray, shape (r,)
    eigenvalues, start : ndarray, shape (n,)
        The start in the directions of the eigenvalues.
    share : float
        Between 0 and 1.

    Returns
    -------
    ndarray, shape (r,)
        Infinite where the distance never falls so far, or grows in some direction.

    Examples
    --------
    >>> one = np.array([1.0])
    >>> steps_to_share(np.array([0.03, 0.1, 0.25, 0.45, 0.5, 0.6]), 4 * one, one).tolist()
    [37.0, 10.0, 1.0, 21.0, inf, inf]
    """
    total = float(start @ start)
    if total == 0:
        return np.zeros(len(rates))
    weights = start**2 / total
    factors = np.abs(1 - rates[:, None] * eigenvalues)
    grows = ((factors > 1 + 1e-12) & (weights > 0)).any(axis=1)
    factors = np.minimum(factors, 1.0)

    def reached(k: Floats) -> npt.NDArray[np.bool_]:
        return (weights * factors ** (2 * k[:, None])).sum(axis=1) <= share**2

    # The distance falls at every step, so the first k is found by halving.
    low, high = np.zeros(len(rates)), np.full(len(rates), float(_MOST))
    never = grows | ~reached(high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        there = reached(middle)
        low, high = np.where(there, low, middle), np.where(there, middle, high)
    return np.where(never, np.inf, high)


def sentence(descent: Descent, which: int) -> str:
    """What one learning rate does, in words.

    Parameters
    ----------
    descent : Descent
    which : int
        Position of the rate.

    Returns
    -------
    str

    Examples
    --------
    >>> sentence(descents(10.0, [0.45], (-2.0, 1.5), 50), 0)
    'η = 0.45: oscillates across the valley and comes within 1 % of the start distance in 23 steps.'
    """
    rate, count = descent.rates[which], descent.counts[which]
    head = f"η = {rate:g}: "
    if not descent.start.any():
        return head + "starts at the minimum, where the gradient is zero, and stays there."
    active = descent.start != 0
    along, across = 1 - rate * descent.eigenvalues
    steepest = across if active[1] else along
    if (np.abs([along, across])[active] > 1 + 1e-12).any():
        return head + f"diverges. Each step lands {abs(steepest):.3g} times as far out on the other side."
    if np.isinf(count):
        return head + "never settles: it goes from side to side and never comes within 1 % of the start distance."
    unit = "step" if count == 1 else "steps"
    manner = _manner(descent, active, steepest)
    return f"{head}{manner} and comes within 1 % of the start distance in {count:,.0f} {unit}."


def _manner(descent: Descent, active: npt.NDArray[np.bool_], steepest: float) -> str:
    valley = active.all() and descent.eigenvalues[0] < descent.eigenvalues[1]
    if abs(steepest) < 1e-12:
        return "lands on the valley floor at once, creeps along it" if valley else "jumps to the minimum"
    if steepest < 0:
        return "oscillates across the valley" if valley else "oscillates over the minimum"
    return "curves into the valley, creeps along it" if valley else "walks straight towards the minimum"


def rate_scene(descent: Descent, condition_number: float, *, revealed: bool) -> Scene:
    """The scene of the rate lab, one position for each rate.

    Parameters
    ----------
    descent : Descent
    condition_number : float
    revealed : bool
        Whether the curve of all rates, 1/λ and 2/λ are shown.

    Returns
    -------
    Scene
    """
    sentences = tuple(sentence(descent, k) for k in range(len(descent.rates)))
    panels = (_map(descent, condition_number), _curves(descent), _steps(descent, revealed))
    return Scene(900, 410, panels, f"{NAME}, κ = {condition_number:g}", sentences)


def live_marks(descent: Descent) -> dict[str, Floats]:
    """Coordinates that stand in for the table while the start is dragged; the words depend on the rate alone.

    Parameters
    ----------
    descent : Descent
        At one rate.

    Returns
    -------
    dict
        Name of a mark -> coordinates; of curves over the steps only the heights.
    """
    marks = {"path": _inside(descent.points)[0], "start": descent.start[None], "count": _heights(descent.counts)}
    return marks | {name: rows[0] for name, rows in _shares(descent).items()}


def _map(descent: Descent, condition_number: float) -> Panel:
    marks: tuple[Mark, ...] = (
        Points([[0.0, 0.0]], "minimum", size=15),
        Path(_inside(descent.points), "path", name="path", markers=True, width=1.6),
        Handle("start", descent.start[None], label="start of the descent"),
    )
    sides = ("", "") if condition_number == 1 else (", along the valley", ", across the valley")
    x, y = (Axis(-LIMIT, LIMIT, label=name + side) for name, side in zip(("w₁", "w₂"), sides, strict=True))
    return Panel(_MAP, x, y, marks, "Path on the loss surface", _field(condition_number), grid=False)


def _curves(descent: Descent) -> Panel:
    k = np.arange(descent.points.shape[1], dtype=np.float64)
    words = _factor_words(descent)
    marks: list[Mark] = [Rule(0.01, "horizontal")]
    for name, role in (("loss", "loss"), ("along", "first"), ("across", "second")):
        rows = _shares(descent)[name]
        table = np.stack([np.broadcast_to(k, rows.shape), rows], axis=-1)
        marks.append(Path(table, role, name=name, text=words.get(name, name)))
    x, y = Axis(0, len(k) - 1, label="step"), Axis(1e-4, 1e2, "log", "share of the start", _SHARES)
    return Panel(_CURVES, x, y, tuple(marks), "What is left")


def _steps(descent: Descent, revealed: bool) -> Panel:
    rows = np.stack([descent.rates, _heights(descent.counts)], axis=-1)
    marks: list[Mark] = []
    label = "learning rate η"
    if revealed:
        top = descent.eigenvalues[-1]
        label += f", with the largest curvature λ = {top:g}"
        marks += [
            Rule(1 / top, text=f"1/λ = {1 / top:g}", anchor="right"),
            Rule(2 / top, text=f"2/λ = {2 / top:g}", anchor="left"),
            Path(rows, "quiet", width=2.0),
        ]
    marks.append(Points(rows[:, None], "path", name="count", size=11))
    title = "Steps to 1 % of the start distance" if revealed else "Steps to 1 %: the curve is hidden until you predict"
    x, y = Axis(0.009, 1.1, "log", label, _RATES), Axis(0.6, 50 * _NEVER, "log", "steps", _COUNTS)
    return Panel(_STEPS, x, y, tuple(marks), title)


def _inside(points: Floats) -> Floats:
    """Each path to its first point outside of the picture: what diverges would paint the valley black."""
    outside = (np.abs(points) > LIMIT).any(axis=-1)
    before: npt.NDArray[np.int64] = np.cumsum(outside, axis=-1) - outside
    return np.where(before[..., None] > 0, np.nan, points)


def _heights(counts: Floats) -> Floats:
    return np.where(np.isinf(counts), _NEVER, np.maximum(counts, 1.0))


def _shares(descent: Descent) -> dict[str, Floats]:
    """Loss and the two parts of the distance, each as a share of the start's."""
    distance = float(np.linalg.norm(descent.start)) or 1.0
    loss = descent.losses / (descent.losses[:, :1] if descent.losses[0, 0] else 1.0)
    along, across = (np.abs(descent.points[..., which]) / distance for which in (0, 1))
    return {"loss": loss, "along": along, "across": across}


def _factor_words(descent: Descent) -> dict[str, tuple[str, ...]]:
    factors = 1 - descent.rates[:, None] * descent.eigenvalues
    valley = descent.eigenvalues[0] < descent.eigenvalues[1]
    shown = ("along", "across") if valley else ("w₁", "w₂")
    return {
        name: tuple(f"{shown[which]} × {_factor(factor)}" for factor in factors[:, which])
        for which, name in enumerate(("along", "across"))
    }


def _factor(value: float) -> str:
    """Three places, or four where three would say that nothing changes."""
    digits = 4 if 0 < abs(abs(value) - 1) < 5e-4 else 3
    return f"{value:.{digits}f}".replace("-", "−")


@lru_cache(maxsize=8)
def _field(condition_number: float) -> ColourField:
    bowl = surface("bowl", condition_number=condition_number, curvature=CURVATURE)
    line = np.linspace(-LIMIT, LIMIT, 161)
    heights = bowl.f(np.stack(np.meshgrid(line, line), axis=-1))
    # Each level a fixed part of the next: the floor of a narrow valley would be one flat colour otherwise.
    levels = np.concatenate([[0.0], heights.max() * 1.001 * 0.42 ** np.arange(7, -1, -1)])
    mix = np.linspace(0, 1, len(levels) - 1)[:, None]
    colours = np.rint((1 - mix) * _LOW_COLOUR + mix * np.array(_HIGH_COLOUR)).astype(int)
    names = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours]
    return ColourField(colour_field_png(heights, levels, names, width=_MAP.width, height=_MAP.height))
