"""The Stage: draws a scene in the browser, scrubs its tables without the kernel, reports drags."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, final

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from bplib.viz.marks import Mark, Rule
from bplib.viz.scene import Axis, Panel, Scene
from bplib.viz.style import ROLES

__all__ = ["Drag", "Stage", "describe"]

# The text, not the path: anywidget keeps an instance alive for as long as it watches a file for it.
_STAGE_JS = files("bplib.widgets").joinpath("stage.js").read_text(encoding="utf-8")


@final
@dataclass(frozen=True, slots=True)
class Drag:
    """One report of a handle that was moved.

    Parameters
    ----------
    handle : str
        The handle's name.
    x, y : float
        Where it is now, in data coordinates, finite.
    phase : {"move", "end"}
        "end" when the finger is lifted, and for every arrow key.
    number : int
        Grows with every report of this Stage.
    """

    handle: str
    x: float
    y: float
    phase: Literal["move", "end"]
    number: int


@final
class Stage(anywidget.AnyWidget):
    """A canvas that draws a `Scene`, with handles that a pointer, a finger or the arrow keys move.

    Parameters
    ----------
    scene : Scene
        Shown at once; change it with `show`.
    index : int
        The first position shown.

    Notes
    -----
    Table mode: link a slider's position with ``ipywidgets.jsdlink((slider, "index"), (stage, "index"))``;
    the browser then draws every position without asking Python. Live mode: answer a drag with `replace`.
    """

    _esm = traitlets.Unicode(_STAGE_JS).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    live = traitlets.Dict().tag(sync=True)
    # No other view needs the report, and the answer comes as `live`: its echo would be a quarter of the traffic.
    pointer = traitlets.Dict().tag(sync=True, echo_update=False)

    def __init__(self, scene: Scene, index: int = 0, **settings: Any) -> None:
        self._drag_callbacks: list[Callable[[Drag], None]] = []
        self._answered = 0
        super().__init__(scene=describe(scene), index=index, **settings)
        self.observe(self._take_pointer, "pointer")

    def show(self, scene: Scene) -> None:
        """Draw another scene; live coordinates of the one before are dropped."""
        with self.hold_sync():
            self.live = {}
            self.scene = {**describe(scene), "n": self._answered}

    def replace(
        self, index: int, marks: Mapping[str, npt.ArrayLike], words: Mapping[str, str] | None = None, sentence: str = ""
    ) -> None:
        """Show other coordinates for some named marks at one position, without sending the scene again.

        Parameters
        ----------
        index : int
            The position they are made for; at any other the table is shown.
        marks : mapping of str to array_like, shape (n, 2) or (n,)
            By name; what the scene does not have is left out. One column alone replaces the second coordinate and
            keeps the first. So an array of half as many rows as the mark has points is read as one of heights too:
            the browser gets numbers, not their shape.
        words : mapping of str to str, optional
            New words of named marks.
        sentence : str
            The state in words.
        """
        places = {name: place for place, name in enumerate(self._names())}
        with np.errstate(over="ignore"):
            packed = {places[name]: np.asarray(rows, "<f4") for name, rows in marks.items() if name in places}
        self.live = {
            "n": self._answered,
            "index": index,
            # A mark by its place among the named ones, and all coordinates in one piece: a name and a piece for each
            # mark would be half of the message, and cost time on the way.
            "marks": [[place, rows.size] for place, rows in packed.items()],
            "data": b"".join(rows.tobytes() for rows in packed.values()),
            "words": dict(words or {}),
            "sentence": sentence,
        }

    @property
    def moved(self) -> dict[str, np.ndarray]:
        """The coordinates that stand in for those of the scene, by the name of the mark, as flat float32 arrays."""
        counts, names = self.live.get("marks", []), self._names()
        parts = np.split(np.frombuffer(self.live.get("data", b""), "<f4"), np.cumsum([count for _, count in counts]))
        return {names[place]: part for (place, _), part in zip(counts, parts, strict=False)}

    def acknowledge(self) -> None:
        """Say that the last report changed nothing: the handle goes back to where it was."""
        self.live = {**self.live, "n": self._answered}

    def on_drag(self, callback: Callable[[Drag], None]) -> None:
        """Call a function at every report of a handle.

        Parameters
        ----------
        callback : callable
            Takes a `Drag`.
        """
        self._drag_callbacks.append(callback)

    def close(self) -> None:
        """Close the canvas; callbacks are forgotten."""
        self._drag_callbacks.clear()
        super().close()

    def __repr__(self) -> str:
        return f"Stage({self.scene.get('name', '')!r}, index={self.index})"

    def _take_pointer(self, change: dict[str, Any]) -> None:
        drag = _read_drag(change["new"])
        if drag is not None and drag.handle in self._handles():
            self._answered = max(self._answered, drag.number)
            for callback in tuple(self._drag_callbacks):
                callback(drag)

    def _names(self) -> list[str]:
        return [mark["name"] for panel in self.scene["panels"] for mark in panel["marks"] if mark.get("name")]

    def _handles(self) -> set[str]:
        marks = (mark for panel in self.scene["panels"] for mark in panel["marks"])
        return {mark["name"] for mark in marks if mark["kind"] == "handle"}


def _read_drag(report: Mapping[str, Any]) -> Drag | None:
    """A report from the browser, or None where it is not one: the browser is not trusted with the kernel's state."""
    name, number, phase = report.get("mark"), report.get("n"), report.get("phase")
    x, y = report.get("x"), report.get("y")
    if not (isinstance(name, str) and isinstance(number, int) and phase in ("move", "end")):
        return None
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in (x, y)):
        return None
    return Drag(name, float(x), float(y), phase, number)  # type: ignore[arg-type]


def describe(scene: Scene) -> dict[str, Any]:
    """The scene as the browser reads it: numbers, strings, and float32 coordinates as bytes.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    dict
    """
    return {
        "width": scene.width,
        "height": scene.height,
        "least": min(scene.least, scene.width),
        "name": scene.name,
        "sentences": list(scene.sentences),
        "panels": [_panel(panel) for panel in scene.panels],
    }


def _panel(panel: Panel) -> dict[str, Any]:
    box = panel.rectangle
    described = {
        "box": [box.x, box.y, box.width, box.height],
        "title": panel.title,
        "grid": panel.grid,
        "x": _axis(panel.x, box.x, box.x + box.width),
        "y": _axis(panel.y, box.y + box.height, box.y),
        "marks": [_mark(mark) for mark in panel.marks],
    }
    return {**described, "field": panel.field.png} if panel.field else described


def _axis(axis: Axis, start: float, end: float) -> dict[str, Any]:
    offset, factor = axis.mapping(start, end)
    return {
        "offset": offset, "factor": factor, "log": axis.scale == "log", "low": axis.low, "high": axis.high,
        "label": axis.label, "ticks": [list(tick) for tick in axis.ticks or ()],
    }  # fmt: skip


def _mark(mark: Mark) -> dict[str, Any]:
    role = ROLES[getattr(mark, "role", "data")]
    described: dict[str, Any] = {
        "kind": type(mark).__name__.lower(), "colour": role.colour, "dash": list(role.dash), "marker": role.marker,
        "fill": role.fill,
    }  # fmt: skip
    if isinstance(mark, Rule):
        described |= {"value": mark.value, "vertical": mark.orientation == "vertical", "text": mark.text}
        return {**described, "anchor": mark.anchor, "end": mark.end, "below": mark.below, "fixed": True}
    points = np.asarray(mark.points, dtype="<f4")
    text = getattr(mark, "text", "")
    described |= {"name": mark.name, "n": points.shape[-2], "table": points.ndim == 3, "data": points.tobytes()}
    described["text"] = text if isinstance(text, str) else list(text)
    described["fixed"] = not mark.name and points.ndim == 2 and isinstance(text, str)
    for name in ("width", "size", "markers", "base", "anchor", "shift", "plate", "label"):
        if hasattr(mark, name):
            described[name] = getattr(mark, name)
    return described
