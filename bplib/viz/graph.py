"""The computation graph of a trace: nodes with value and gradient, and the present step on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bplib.errors import DomainError
from bplib.tracing import Trace
from bplib.tracing.records import TracedNode
from bplib.viz.graph_layout import Layout, Wire, lay_out, rows
from bplib.viz.graph_story import Moment, as_story, cut, moments_of, short
from bplib.viz.marks import Arrow, Mark, Path, Points, Text
from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Axis, Panel, Rectangle, Scene

__all__ = ["computation_graph", "graph_scene"]

_WIDTH = 900.0
_LEAST = 640.0  # below, the words on the graph could not be read
_NODE = 38.0  # pixels across
_RING = 26.0  # pixels from the middle of a node
_WORDS = 37.0  # from there to its value and its gradient
_ROW = 98.0  # pixels from node to node in a column, words included
_LEFT = 12.0
_COLUMNS = (120.0, 350.0, 580.0)  # where incoming, local and outgoing stand
_SIGNS = (235.0, 465.0)
_STEP_HEIGHT = 158.0
_LETTERS = 5  # so many fit into a node
_LONGEST_NAME = 10
# Off the picture: what is not shown at a moment stands here.
_AWAY = -80.0

Floats = npt.NDArray[np.float64]


def computation_graph(story: Trace, step: int | None = None, *, heading: str = "") -> Picture:
    """Draw the graph of a trace, with what is known after one of its steps.

    Parameters
    ----------
    story : Trace
        Of at most 30 nodes; ``bplib.trace(loss)`` makes one.
    step : int, optional
        Which moment: 0 before everything, then one for each operation, one for the start of the way back, and one
        for each gradient that is passed on. By default the last.
    heading : str
        A line above the picture.

    Returns
    -------
    Picture
        Every node with its value and, backward, its gradient; below the graph incoming × local = outgoing.

    Raises
    ------
    DataError
        If `story` is no trace.
    DomainError
        If it has too many nodes, or there is no such step.

    Examples
    --------
    >>> import bplib
    >>> x = bplib.tensor(3.0, requires_grad=True, name="x")
    >>> print(computation_graph(bplib.trace(x * x)))
    The computation graph of Loss: 2 nodes. Backward to x: incoming × local = 1 × 3 = 3; ... 3 + 3 = 6.
    """
    scene = graph_scene(story)
    last = scene.count - 1
    if step is not None and not (isinstance(step, int) and 0 <= step <= last):
        raise DomainError(f"computation_graph: there is no step {step!r}. Expected a whole number from 0 to {last}.")
    return render(scene, last if step is None else step, heading)


def graph_scene(story: Trace, moments: Sequence[Moment] | None = None) -> Scene:
    """Give the scene of a graph, one position for each moment.

    Parameters
    ----------
    story : Trace
    moments : sequence of Moment, optional
        By default all of `moments_of`.

    Returns
    -------
    Scene
    """
    story = as_story(story, "computation_graph")
    shown = tuple(moments_of(story) if moments is None else moments)
    operands = {node.number: node.operands for node in story.nodes}
    height = min(max(rows(operands) * _ROW, 150.0), 530.0)
    box = Rectangle(_LEFT, 30, _WIDTH - 2 * _LEFT, height)
    layout = lay_out(operands, box.width, box.height, _ROW / 2)
    graph = Panel(
        box, Axis(0, box.width, ticks=()), Axis(0, box.height, ticks=()),
        tuple(_graph_marks(story, shown, layout)), f"The graph of {cut(story.loss, 60)}", grid=False,
    )  # fmt: skip
    below = Rectangle(_LEFT, 30 + height + 30, box.width, _STEP_HEIGHT)
    step = Panel(
        below, Axis(0, below.width, ticks=()), Axis(0, below.height, ticks=()),
        tuple(_step_marks(shown)), "This step", grid=False,
    )  # fmt: skip
    count = len(story.nodes)
    name = f"The computation graph of {story.loss}: {count} nodes"
    return Scene(_WIDTH, below.y + below.height + 8, (graph, step), name, tuple(m.sentence for m in shown), _LEAST)


# ---------------------------------------------------------------- the graph


def _graph_marks(story: Trace, moments: Sequence[Moment], layout: Layout) -> list[Mark]:
    wires: list[Mark] = [Path(_trimmed(wire), "contour", width=1.5) for wire in layout.wires]
    return [*wires, *_active_wires(moments, layout), *_rings(moments, layout), *_nodes(story, layout),
            *_words(story, moments, layout)]  # fmt: skip


def _trimmed(wire: Wire) -> Floats:
    """The part of a wire between the edges of its two nodes."""
    points = _from_edge(wire.points)
    return _from_edge(points[::-1], wire.points[-1])[::-1]


def _from_edge(points: Floats, middle: Floats | None = None) -> Floats:
    away = np.hypot(*(points - (points[0] if middle is None else middle)).T)
    first = int(np.argmax(away >= _NODE / 2))
    share = (_NODE / 2 - away[first - 1]) / (away[first] - away[first - 1])
    edge = points[first - 1] + share * (points[first] - points[first - 1])
    return np.concatenate([edge[None], points[first:]])


def _active_wires(moments: Sequence[Moment], layout: Layout) -> list[Mark]:
    """The wires that are used at each moment, blue and forward, or vermillion and backward."""
    by_end = {(wire.child, wire.place): _trimmed(wire) for wire in layout.wires}
    marks: list[Mark] = []
    most = max((len(m.forward.operands) for m in moments if m.forward), default=0)
    for place in range(most):
        keys = [(m.forward.node.number, place) if m.forward else None for m in moments]
        marks += _arrows([by_end.get(key) if key else None for key in keys], "prediction")
    back = [by_end[m.share.node.number, m.share.place][::-1] if m.share else None for m in moments]
    return [*marks, *_arrows(back, "gradient")]


def _arrows(lines: Sequence[Floats | None], role: str) -> list[Mark]:
    longest = max((len(line) for line in lines if line is not None), default=2)
    table, tips = np.full((len(lines), longest, 2), np.nan), np.full((len(lines), 2, 2), _AWAY)
    tips[:, 1, 0] += 10
    for k, line in enumerate(lines):
        if line is not None:
            table[k, : len(line)] = line
            tips[k] = line[-3], line[-1]
    return [Path(table, role, width=3.0), Arrow(tips, role, width=2.0)]


def _rings(moments: Sequence[Moment], layout: Layout) -> list[Mark]:
    """A ring around the node that is computed, and one around the node at which a gradient arrives."""
    angles = np.linspace(0.0, 2 * np.pi, 41)
    circle = _RING * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    rings: list[Mark] = []
    for role in ("prediction", "gradient"):
        table = np.full((len(moments), len(circle), 2), np.nan)
        for k, moment in enumerate(moments):
            node = _reached(moment, role)
            if node is not None:
                table[k] = circle + layout.places[node]
        rings.append(Path(table, role, width=2.5))
    return rings


def _reached(moment: Moment, role: str) -> int | None:
    if role == "prediction":
        return moment.forward.node.number if moment.forward else None
    if moment.phase == "start":
        return max(moment.gradients)
    return moment.share.parent.number if moment.share else None


def _nodes(story: Trace, layout: Layout) -> list[Mark]:
    symbols = {step.node.number: step.symbol for step in story.forward}
    leaves = [layout.places[n.number] for n in story.nodes if not n.operands]
    results = [layout.places[n.number] for n in story.nodes if n.operands]
    marks: list[Mark] = [Points(leaves, "leaf", size=_NODE - 4)] if leaves else []
    marks.append(Points(results, "contour", size=_NODE))
    for node in story.nodes:
        inside = symbols.get(node.number, node.name if _fits(node) else "")
        marks.append(Text([layout.places[node.number]], cut(inside, _LETTERS), anchor="center"))
    return marks


def _fits(leaf: TracedNode) -> bool:
    return len(leaf.name) <= _LETTERS - 1


def _words(story: Trace, moments: Sequence[Moment], layout: Layout) -> list[Mark]:
    """Above each node its value, below it its gradient; a question mark stands for what is not computed yet."""
    marks: list[Mark] = []
    for node in story.nodes:
        at = [layout.places[node.number]]
        if node.kind != "constant":
            value = tuple(_value(node, moment) for moment in moments)
            marks.append(Text(at, value, anchor="center", shift=(0, -_WORDS), plate=True))
        if node.gradient is not None:
            gradient = tuple(_gradient(node, moment) for moment in moments)
            marks.append(Text(at, gradient, anchor="center", shift=(0, _WORDS), plate=True))
    return marks


def _value(node: TracedNode, moment: Moment) -> str:
    value = short(node.value) if node.number in moment.values else "?"
    return value if not node.operands and _fits(node) else f"{cut(node.name, _LONGEST_NAME)} = {value}"


def _gradient(node: TracedNode, moment: Moment) -> str:
    if moment.phase in ("ready", "forward"):
        return ""
    arrived = moment.gradients.get(node.number, "?")
    # The sum is shown while it is made, and after that what came out.
    now = moment.share is not None and moment.share.parent.number == node.number
    return f"▲ {arrived if now else arrived.rsplit(' = ', 1)[-1]}"


# ---------------------------------------------------------------- the step below it


def _step_marks(moments: Sequence[Moment]) -> list[Mark]:
    marks: list[Mark] = [_line(12.0, 142.0, [m.title for m in moments])]
    for k, x in enumerate(_COLUMNS):
        marks.append(_line(x, 120.0, [m.equation.captions[k] for m in moments], "center"))
        pairs = [(m.equation.symbols[k], m.equation.numbers[k]) for m in moments]
        # What stands alone stands between the two rows, as high as the signs.
        alone = [symbol + number if not (symbol and number) else "" for symbol, number in pairs]
        rows = [("", "") if one else pair for one, pair in zip(alone, pairs, strict=True)]
        for y, texts in ((101.0, [row[0] for row in rows]), (82.0, [row[1] for row in rows]), (91.0, alone)):
            if any(texts):
                marks.append(_line(x, y, texts, "center"))
    for k, x in enumerate(_SIGNS):
        marks.append(_line(x, 91.0, [m.equation.signs[k] for m in moments], "center"))
    for k in range(4):
        marks.append(_line(12.0, 60.0 - 15.5 * k, [m.chain[k] if k < len(m.chain) else "" for m in moments]))
    return marks


def _line(x: float, y: float, texts: Sequence[str], anchor: Any = "left") -> Text:
    return Text([[x, y]], tuple(texts) if len(texts) > 1 else texts[0], anchor=anchor)
