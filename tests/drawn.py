"""What the figure of a scene shows, found by the part of the scene that it belongs to."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

A = TypeVar("A")


def parts(figure: Figure, kind: type[A], part: str) -> list[A]:
    """The artists of one kind in a part, such as "panel 0 mark" or "panel 2 key", from below to above."""
    found: list[Any] = figure.findobj(kind)
    return sorted((one for one in found if (one.get_gid() or "").startswith(part)), key=lambda one: one.get_zorder())


def texts_in(figure: Figure, panel: int, part: str = "mark") -> list[Text]:
    """The words in a panel: of its marks, of its "axes", its "title" or its "key"."""
    return parts(figure, Text, f"panel {panel} {part}")


def lines_in(figure: Figure, panel: int, part: str = "mark") -> list[Line2D]:
    """The lines and markers in a panel."""
    return parts(figure, Line2D, f"panel {panel} {part}")


def on_screen(figure: Figure, pixels: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Where pixels of the page lie on the canvas, whose rows are counted from below."""
    return np.asarray(pixels, dtype=float) * (1, -1) + (0, figure.bbox.height)
