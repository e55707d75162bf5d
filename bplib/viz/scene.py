"""A scene is a picture as plain data, drawn live by the Stage in the browser and at rest by matplotlib.

Both renderers take every pixel from the mapping of this module, so that they cannot disagree.
"""

import math
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from bplib.errors import DomainError, ShapeError
from bplib.viz.marks import Mark, positions

__all__ = ["Axis", "ColourField", "Panel", "Rectangle", "Scene", "ticks"]

Scale = Literal["linear", "log"]


@final
@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle in pixels of the page, the origin in the upper left corner.

    Parameters
    ----------
    x, y : float
        Left and upper edge.
    width, height : float
        Above 0.
    """

    x: float
    y: float
    width: float
    height: float


def ticks(low: float, high: float, scale: Scale = "linear", count: int = 5) -> tuple[tuple[float, str], ...]:
    """Round positions on an axis, with their labels.

    Linear: multiples of 1, 2 or 5 times a power of ten. Log: whole powers of ten, thinned out evenly.

    Parameters
    ----------
    low, high : float
        Ends of the axis, ``low < high``; above 0 on a log axis.
    scale : {"linear", "log"}
    count : int
        About how many, at least 2.

    Returns
    -------
    tuple of (float, str)

    Examples
    --------
    >>> ticks(0, 50)
    ((0.0, '0'), (10.0, '10'), (20.0, '20'), (30.0, '30'), (40.0, '40'), (50.0, '50'))
    >>> ticks(0.01, 100, "log", 3)
    ((0.01, '0.01'), (1.0, '1'), (100.0, '100'))
    """
    if scale == "log":
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        stride = max(1, math.ceil((last - first) / max(1, count - 1)))
        return tuple((float(f"1e{power}"), _power_label(power)) for power in range(first, last + 1, stride))
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((round(k * step, digits + 2), _minus(f"{k * step:.{digits}f}")) for k in range(first, last + 1))


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power_label(power: int) -> str:
    if -3 < power < 4:
        return f"{10.0**power:g}"
    return "10" + str(power).translate(_SUPERSCRIPTS)


def _minus(text: str) -> str:
    return text.replace("-", "−")


@final
@dataclass(frozen=True)
class Axis:
    """One axis of a panel: its ends, its scale, its label and its ticks.

    Parameters
    ----------
    low, high : float
        Ends, finite, ``low < high``; above 0 on a log axis.
    scale : {"linear", "log"}
    label : str
        What is measured, with its unit where it has one.
    ticks : tuple of (float, str), optional
        Positions and labels; by default `ticks` chooses round ones.

    Raises
    ------
    DomainError
        If the ends are not finite, not in order, or not above 0 on a log axis.

    Examples
    --------
    >>> axis = Axis(0.01, 1.0, "log", "learning rate")
    >>> offset, factor = axis.mapping(100.0, 300.0)
    >>> round(offset + factor * math.log10(0.1), 6)
    200.0
    """

    low: float
    high: float
    scale: Scale = "linear"
    label: str = ""
    ticks: tuple[tuple[float, str], ...] | None = None

    def __post_init__(self) -> None:
        finite = math.isfinite(self.low) and math.isfinite(self.high)
        if not (finite and self.low < self.high) or (self.scale == "log" and self.low <= 0):
            raise DomainError(
                f"Axis {self.label!r}: expected finite ends with low < high"
                f"{' and low > 0 (log scale)' if self.scale == 'log' else ''}, got {self.low} and {self.high}."
            )
        if self.ticks is None:
            object.__setattr__(self, "ticks", ticks(self.low, self.high, self.scale))

    def mapping(self, start: float, end: float) -> tuple[float, float]:
        """Offset and factor of ``pixel = offset + factor · t(value)``, t the identity or the decimal logarithm.

        Parameters
        ----------
        start, end : float
            Pixels of `low` and of `high`.

        Returns
        -------
        tuple of (float, float)
        """
        low, high = (math.log10(v) if self.scale == "log" else v for v in (self.low, self.high))
        factor = (end - start) / (high - low)
        return start - factor * low, factor

    def to_pixels(self, values: npt.ArrayLike, start: float, end: float) -> npt.NDArray[np.float64]:
        """Pixels of values; on a log axis zero lies infinitely far below the lower end, not nowhere.

        Parameters
        ----------
        values : array_like
            Any shape.
        start, end : float
            Pixels of `low` and of `high`.

        Returns
        -------
        ndarray, float64, shape of `values`
        """
        offset, factor = self.mapping(start, end)
        position = np.asarray(values, dtype=np.float64)
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                position = np.where(position <= 0, -np.inf, np.log10(position))
        return offset + factor * position


@final
@dataclass(frozen=True)
class ColourField:
    """A picture that fills the panel behind its marks, made without axes so that nothing can be misaligned.

    Parameters
    ----------
    png : bytes
        The data rectangle and nothing else, twice as fine as the panel.
    """

    png: bytes


@final
@dataclass(frozen=True)
class Panel:
    """A rectangle with two axes, and what is drawn in it, in order.

    Parameters
    ----------
    rectangle : Rectangle
        Where data are drawn; labels and ticks lie outside of it.
    x, y : Axis
    marks : tuple of Mark
    title : str
        In bold above the panel.
    field : ColourField, optional
    grid : bool
        Thin lines at the ticks.
    """

    rectangle: Rectangle
    x: Axis
    y: Axis
    marks: tuple[Mark, ...] = ()
    title: str = ""
    field: ColourField | None = None
    grid: bool = True

    def to_pixels(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Pixels of points, y growing downwards: the one mapping that both renderers share.

        Parameters
        ----------
        points : array_like, shape (..., 2)

        Returns
        -------
        ndarray, float64, shape (..., 2)

        Examples
        --------
        >>> panel = Panel(Rectangle(50, 10, 200, 100), Axis(0, 4), Axis(0, 10))
        >>> panel.to_pixels([1, 10]).tolist()
        [100.0, 10.0]
        """
        values = np.asarray(points, dtype=np.float64)
        box = self.rectangle
        x = self.x.to_pixels(values[..., 0], box.x, box.x + box.width)
        y = self.y.to_pixels(values[..., 1], box.y + box.height, box.y)
        return np.stack([x, y], axis=-1)


@final
@dataclass(frozen=True)
class Scene:
    """Everything that a picture shows, for every position of its control.

    Parameters
    ----------
    width, height : float
        Size in pixels of the page.
    panels : tuple of Panel
    name : str
        What the picture is, for somebody who cannot see it.
    sentences : tuple of str
        The state in words, one for each position (one alone serves all).
    least : float
        The picture shrinks with its page down to this width; below it the page scrolls.

    Raises
    ------
    ShapeError
        If two tables have a different number of positions.
    """

    width: float
    height: float
    panels: tuple[Panel, ...]
    name: str
    sentences: tuple[str, ...] = ("",)
    least: float = 600.0
    count: int = field(init=False)

    def __post_init__(self) -> None:
        sizes = {len(self.sentences)} if len(self.sentences) > 1 else set()
        for panel in self.panels:
            for mark in panel.marks:
                sizes |= positions(mark)
        if len(sizes) > 1:
            raise ShapeError(
                f"Scene {self.name!r}: every table must have the same number of positions, got {sorted(sizes)}."
            )
        object.__setattr__(self, "count", sizes.pop() if sizes else 1)

    def sentence(self, index: int) -> str:
        """The state in words at a position."""
        return self.sentences[min(index, len(self.sentences) - 1)]
