"""Where the gradient points on a bowl, as a scene: to the minimum only on a round one, or on an axis."""

import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.landscape import Surface, surface
from bplib.viz.marks import Arrow, Handle, Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, Panel, Rectangle
from bplib.widgets.rate.scene import LIMIT, descents, rate_scene

__all__ = ["LIMIT", "Direction", "angle_words", "direction", "direction_marks", "direction_panels", "largest_angle"]

Floats = npt.NDArray[np.float64]

_LOSSES = Rectangle(470, 40, 412, 126)
_ANGLES = Rectangle(470, 244, 412, 118)
_ARROW = 0.9
_ARC = 0.42
_SHARES: Floats = np.linspace(0.0, 1.1, 56)
_TOWARDS: Floats = np.linspace(0.0, 90.0, 181)


@final
@dataclass(frozen=True)
class Direction:
    """The two directions at one point of f = ½(x² + κy²), as vectors of length 1.

    Attributes
    ----------
    condition_number : float
        κ.
    point : tuple of float
    down : ndarray, shape (2,)
        Along the negative gradient; not a number at the minimum.
    home : ndarray, shape (2,)
        To the minimum; not a number there.
    angle : float or None
        Between the two, in degrees; None at the minimum.
    """

    condition_number: float
    point: tuple[float, float]
    down: Floats
    home: Floats
    angle: float | None

    @property
    def gain(self) -> float:
        """How much faster the loss falls along `down` than along `home`: 1 / cos(angle)."""
        return 1 / math.cos(math.radians(self.angle or 0.0))


def direction(condition_number: float, point: tuple[float, float]) -> Direction:
    """Compare the negative gradient with the way to the minimum.

    Parameters
    ----------
    condition_number : float
        κ, at least 1.
    point : tuple of float

    Returns
    -------
    Direction

    Examples
    --------
    >>> direction(100.0, (2.0, 0.2)).angle
    78.57...
    """
    at = np.array(point)
    down, home = -_bowl(condition_number).gradient(at), -at
    if not at.any():
        nowhere = np.full(2, np.nan)
        return Direction(condition_number, point, nowhere, nowhere, None)
    angle = float(_angles(condition_number, at))
    return Direction(condition_number, point, down / np.linalg.norm(down), home / np.linalg.norm(home), angle)


def largest_angle(condition_number: float) -> float:
    """The largest angle between −∇f and the way to the minimum, in degrees: arccos(2√κ / (1 + κ)).

    Parameters
    ----------
    condition_number : float
        κ, at least 1.

    Returns
    -------
    float

    References
    ----------
    K. Gustafson (1968), Bulletin of the American Mathematical Society 74(3), 488-492.

    Examples
    --------
    >>> round(largest_angle(100.0), 2)
    78.58
    """
    return math.degrees(math.acos(2 * math.sqrt(condition_number) / (1 + condition_number)))


def direction_panels(found: Direction, *, revealed: bool) -> tuple[Panel, ...]:
    """The map with both arrows, the loss along each of them, and the angle in every direction.

    Parameters
    ----------
    found : Direction
    revealed : bool
        Whether the curve of all angles and the largest one are shown.

    Returns
    -------
    tuple of Panel
    """
    return _map(found), _losses(found), _every_angle(found, revealed)


def direction_marks(found: Direction) -> tuple[dict[str, Floats], dict[str, str]]:
    """Coordinates and words that stand in while the point is dragged.

    Parameters
    ----------
    found : Direction

    Returns
    -------
    coordinates : dict
        Name of a mark -> coordinates; of the losses only the heights.
    words : dict
        Name of a mark -> its words.
    """
    coordinates = {
        "point": np.array([found.point]),
        "angle": _label(found),
        "present": _present(found),
        **_lines(found),
    }
    return coordinates | _falls(found), {"angle": angle_words(found)}


def angle_words(found: Direction) -> str:
    """The angle as it is written on the picture; empty at the minimum."""
    return "" if found.angle is None else f"{found.angle:.2f}°"


def _bowl(condition_number: float) -> Surface:
    return surface("bowl", condition_number=condition_number, curvature=condition_number)


def _angles(condition_number: float, points: Floats) -> Floats:
    """Angle between gradient and position, in degrees, shape (...); exact also where it is almost 0."""
    slopes = _bowl(condition_number).gradient(points)
    across = points[..., 0] * slopes[..., 1] - points[..., 1] * slopes[..., 0]
    return np.asarray(np.degrees(np.arctan2(np.abs(across), (points * slopes).sum(axis=-1))))


def _map(found: Direction) -> Panel:
    # The map of the rate lab: its heights are shares of the highest one, so it is the same for a bowl twice as steep.
    shared = rate_scene(descents(found.condition_number, [1.0], (1.0, 1.0), 1), found.condition_number, revealed=False)
    marks: list[Mark] = [Points([[0.0, 0.0]], "minimum", size=15)]
    if found.angle is not None:
        lines = _lines(found)
        marks += [Arrow(lines["home"], "minimum", "home"), Arrow(lines["down"], "gradient", "down", width=3.0)]
        marks.append(Path(lines["arc"], "path", name="arc", width=1.6))
        marks.append(Text(_label(found), angle_words(found), name="angle", anchor="center", plate=True))
    marks.append(Handle("point", [found.point], label="point on the bowl"))
    sides = ("", "") if found.condition_number == 1 else (", along the valley", ", across the valley")
    x, y = (Axis(-LIMIT, LIMIT, label=name + side) for name, side in zip("xy", sides, strict=True))
    factor = "" if found.condition_number == 1 else f"{found.condition_number:g}"
    return replace(shared.panels[0], x=x, y=y, marks=tuple(marks), title=f"f = ½(x² + {factor}y²), seen from above")


def _lines(found: Direction) -> dict[str, Floats]:
    at = np.array(found.point)
    start, end = (math.atan2(way[1], way[0]) for way in (found.down, found.home))
    # Both point into the same quadrant: no full turn lies between them.
    turned = np.linspace(start, end, 25)
    arc = at + _ARC * np.stack([np.cos(turned), np.sin(turned)], axis=-1)
    return {"down": np.stack([at, at + _ARROW * found.down]), "home": np.stack([at, np.zeros(2)]), "arc": arc}


def _label(found: Direction) -> Floats:
    """Where the angle is written: between the arrows, or beside them where they leave no room."""
    if found.angle is None:
        return np.array([[0.0, 0.0]])
    between = found.down + found.home
    if found.angle < 40:
        left = np.array([-found.home[1], found.home[0]])
        between = math.copysign(1.0, float(left @ found.down) or 1.0) * left
    place = np.array(found.point) + 0.72 * between / np.linalg.norm(between)
    return np.clip(place, -LIMIT + 0.3, LIMIT - 0.3)[None]


def _losses(found: Direction) -> Panel:
    marks: tuple[Mark, ...] = tuple(
        Path(np.stack([_SHARES, heights], axis=-1), role, name=name, text=text)
        for (name, heights), role, text in zip(
            _falls(found).items(), ("gradient", "minimum"), ("along −gradient", "to the minimum"), strict=True
        )
    )
    x = Axis(0, 1.1, label="distance walked (1 = as far as the minimum)")
    return Panel(_LOSSES, x, Axis(0, 1.2, label="share of the loss"), marks, "Loss on the way")


def _falls(found: Direction) -> dict[str, Floats]:
    """The loss along both arrows as a share of the loss at the point, shape (56,) each."""
    bowl, at = _bowl(found.condition_number), np.array(found.point)
    walked = _SHARES[:, None] * np.linalg.norm(at)
    here = bowl.f(at) or 1.0
    return {f"loss {name}": bowl.f(at + walked * getattr(found, name)) / here for name in ("down", "home")}


def _every_angle(found: Direction, revealed: bool) -> Panel:
    marks: list[Mark] = []
    if revealed:
        largest = largest_angle(found.condition_number)
        turned = np.radians(_TOWARDS)
        heights = _angles(found.condition_number, np.stack([np.cos(turned), np.sin(turned)], axis=-1))
        marks.append(Rule(largest, "horizontal", text=f"largest: arccos(2√κ/(1+κ)) = {largest:.2f}°"))
        marks.append(Path(np.stack([_TOWARDS, heights], axis=-1), "quiet"))
    marks.append(Points(_present(found), "gradient", name="present", size=11))
    title = "Angle between the arrows" if revealed else "Angle between the arrows: hidden until you predict"
    places = tuple((value, f"{value:g}°") for value in (0.0, 30.0, 60.0, 90.0))
    sides = "" if found.condition_number == 1 else ": 0° along the valley, 90° across"
    x = Axis(0, 90, label=f"where the point lies{sides}", ticks=places)
    y = Axis(-5, 100, label="angle", ticks=places)
    return Panel(_ANGLES, x, y, tuple(marks), title)


def _present(found: Direction) -> Floats:
    x, y = np.abs(found.point)
    height = np.nan if found.angle is None else found.angle
    return np.array([[np.degrees(np.arctan2(y, x)), height]])
