"""What a panel of a scene can show: lines, markers, arrows, bars, words, rules and handles, as plain data."""

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from bplib.errors import DataError, DomainError, ShapeError
from bplib.viz.style import ROLES

__all__ = ["Arrow", "Bars", "Handle", "Mark", "Path", "Points", "Rule", "Text", "at_position", "positions", "text_at"]

Coordinates = npt.NDArray[np.float32]


@final
@dataclass(frozen=True)
class Path:
    """A line through points. It ends where a point is not a number, and is cut at the edge of its panel.

    Parameters
    ----------
    points : array_like, shape (n, 2) or (positions, n, 2)
        Coordinates in data units; with three axes a table, of which the scene shows one position.
    role : str
        A key of `ROLES`: colour, dash and marker.
    name : str
        Needed only where the coordinates are replaced live.
    markers : bool
        Draw the role's marker at every point.
    width : float
        Line width in pixels; 0 for markers alone.
    text : str or tuple of str
        Shown in the panel's key beside a sample of the line, if not empty: one, or one for each position.
    """

    points: npt.ArrayLike
    role: str = "path"
    name: str = ""
    markers: bool = False
    width: float = 2.0
    text: str | tuple[str, ...] = ""

    def __post_init__(self) -> None:
        _take_points(self)


@final
@dataclass(frozen=True)
class Points:
    """Markers at points.

    Parameters
    ----------
    points : array_like, shape (n, 2) or (positions, n, 2)
    role : str
    name : str
    size : float
        Diameter in pixels.
    text : str or tuple of str
        Shown in the panel's key beside the marker, if not empty: one, or one for each position.
    """

    points: npt.ArrayLike
    role: str = "data"
    name: str = ""
    size: float = 8.0
    text: str | tuple[str, ...] = ""

    def __post_init__(self) -> None:
        _take_points(self)


@final
@dataclass(frozen=True)
class Arrow:
    """An arrow from the first to the second point.

    Parameters
    ----------
    points : array_like, shape (2, 2) or (positions, 2, 2)
    role : str
    name : str
    width : float
        Line width in pixels.
    """

    points: npt.ArrayLike
    role: str = "gradient"
    name: str = ""
    width: float = 2.5

    def __post_init__(self) -> None:
        _take_points(self, exactly=2)


@final
@dataclass(frozen=True)
class Bars:
    """Upright bars at (x, height).

    Parameters
    ----------
    points : array_like, shape (n, 2) or (positions, n, 2)
    role : str
    name : str
    width : float
        Width in pixels.
    base : float
        Where the bars stand, in data units.
    text : str or tuple of str
        Shown in the panel's key beside a small bar, if not empty: one, or one for each position.
    """

    points: npt.ArrayLike
    role: str = "data"
    name: str = ""
    width: float = 16.0
    base: float = 0.0
    text: str | tuple[str, ...] = ""

    def __post_init__(self) -> None:
        _take_points(self)


@final
@dataclass(frozen=True)
class Text:
    """Words at a point, always in ink: no role's colour is dark enough for small letters.

    Parameters
    ----------
    points : array_like, shape (1, 2) or (positions, 1, 2)
    text : str or tuple of str
        One for all positions, or one for each.
    name : str
    anchor : {"left", "center", "right"}
        Which end of the words lies at the point.
    shift : tuple of float
        Moved by so many pixels to the right and down.
    plate : bool
        Keep lines away from the words by a plate of paper behind them.
    """

    points: npt.ArrayLike
    text: str | tuple[str, ...]
    name: str = ""
    anchor: Literal["left", "center", "right"] = "left"
    shift: tuple[float, float] = (0.0, 0.0)
    plate: bool = False

    def __post_init__(self) -> None:
        _take_points(self, exactly=1)


@final
@dataclass(frozen=True)
class Rule:
    """A straight line across the whole panel at one value.

    Parameters
    ----------
    value : float
        In data units of the axis that the line crosses.
    orientation : {"vertical", "horizontal"}
    role : str
    text : str
        Written at the upper end of a vertical rule, along a horizontal one.
    anchor : {"left", "right"}
        Which end of the words stands at a vertical rule.
    end : {"left", "right"}
        At which end of a horizontal rule the words are.
    below : bool
        Whether they are below a horizontal rule, not above it.
    """

    value: float
    orientation: Literal["vertical", "horizontal"] = "vertical"
    role: str = "threshold"
    text: str = ""
    anchor: Literal["left", "right"] = "left"
    end: Literal["left", "right"] = "right"
    below: bool = False


@final
@dataclass(frozen=True)
class Handle:
    """A round handle that is dragged with the pointer, a finger or the arrow keys.

    Parameters
    ----------
    name : str
        Reported with every drag.
    points : array_like, shape (1, 2) or (positions, 1, 2)
    label : str
        The accessible name.
    """

    name: str
    points: npt.ArrayLike
    label: str = "handle"

    def __post_init__(self) -> None:
        _take_points(self, exactly=1)


Mark = Path | Points | Arrow | Bars | Text | Rule | Handle
_MOVING = (Path, Points, Arrow, Bars, Text, Handle)
_WORDED = (Path, Points, Bars, Text)


def positions(mark: Mark) -> set[int]:
    """How many positions a mark's tables have; empty where it shows the same at all of them.

    Parameters
    ----------
    mark : Mark

    Returns
    -------
    set of int
    """
    found: set[int] = set()
    if isinstance(mark, _MOVING) and np.ndim(mark.points) == 3:
        found.add(np.shape(mark.points)[0])
    if isinstance(mark, _WORDED) and not isinstance(mark.text, str):
        found.add(len(mark.text))
    return found


def text_at(mark: Mark, index: int) -> str:
    """The words that a mark shows at a position; empty for marks without words.

    Parameters
    ----------
    mark : Mark
    index : int

    Returns
    -------
    str
    """
    text = getattr(mark, "text", "")
    return text if isinstance(text, str) else text[index]


def at_position(mark: Mark, index: int) -> Coordinates:
    """The coordinates that a mark shows at a position.

    Parameters
    ----------
    mark : Mark
        Any but a Rule.
    index : int

    Returns
    -------
    ndarray, float32, shape (n, 2)
    """
    if isinstance(mark, Rule):
        raise DataError("at_position: a Rule has one value at every position, no coordinates.")
    points = np.asarray(mark.points, dtype=np.float32)
    return points[index] if points.ndim == 3 else points


def _take_points(mark: "Path | Points | Arrow | Bars | Text | Handle", exactly: int | None = None) -> None:
    kind = type(mark).__name__
    role = getattr(mark, "role", "data")
    if role not in ROLES:
        raise DomainError(f"{kind}: unknown role {role!r}. Choose one of {', '.join(ROLES)}.")
    try:
        # A rate that diverges gives values beyond float32; they become infinite and are cut at the edge.
        with np.errstate(over="ignore"):
            points = np.array(mark.points, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DataError(f"{kind}: coordinates must be numbers in rows of two. NumPy says: {error}") from None
    if points.ndim not in (2, 3) or points.shape[-1] != 2 or (exactly and points.shape[-2] != exactly):
        raise ShapeError(
            f"{kind}: expected coordinates of shape ({exactly or 'n'}, 2) or (positions, {exactly or 'n'}, 2), "
            f"got {points.shape}."
        )
    points.setflags(write=False)
    object.__setattr__(mark, "points", points)
