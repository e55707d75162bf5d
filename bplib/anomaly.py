"""Finding the operation that made the first infinity or NaN, forward or backward."""

import linecache
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, final

import numpy as np

from bplib.errors import AnomalyError
from bplib.modes import inspect_with
from bplib.nodes import Array, Inspector, Node
from bplib.rules import Operation

__all__ = ["detect_anomaly"]

_LIBRARY = str(Path(__file__).parent) + os.sep  # or a neighbour called bplib_mine would be taken for the library


@final
class detect_anomaly:
    """Stop at the first operation whose result is infinite or NaN, and name it.

    Inside the ``with`` block every result is looked at, forward and backward, and each layer of a
    network is a node of its own. That takes about three times as long: use it to find a mistake.

    Raises
    ------
    AnomalyError
        With the operation, the shapes, the first place, the numbers that went in, and your line of code.

    Examples
    --------
    >>> import bplib
    >>> p = bplib.tensor([0.5, 0.0], requires_grad=True, name="p")
    >>> with bplib.detect_anomaly():  # doctest: +ELLIPSIS
    ...     loss = -bplib.log(p).sum()
    Traceback (most recent call last):
    ...
    bplib.errors.AnomalyError: detect_anomaly: 'log' gave -inf at index (1,) in its result of shape (2,). ...
    """

    every_layer = True

    def __init__(self) -> None:
        self._lines: dict[int, str] = {}
        self._before: list[Inspector | None] = []

    def __enter__(self) -> None:
        self._before.append(inspect_with(self))

    def __exit__(self, *error: object) -> None:
        inspect_with(self._before.pop())

    def start(self, loss: Node, seed: Array) -> None:
        """Nothing to see yet."""

    def forward(self, node: Node, operation: Operation, parents: tuple[Node, ...], settings: tuple[Any, ...]) -> None:
        """Look at a result that was just computed, and remember which line asked for it."""
        line = self._lines[node.order] = _line_of_user()
        place = _first_anomaly(node.array)
        if place is None:
            return
        for number, parent in enumerate(parents, 1):
            found = _first_anomaly(parent.array)
            if found is not None:
                raise AnomalyError(
                    f"detect_anomaly: operand {number} of '{operation.name}'{_called(parent)}, shape {parent.shape}, "
                    f"holds {parent.array[found]}{_where(found)} before anything is computed with it. "
                    f"Expected finite numbers. Check where the data comes from.{line}"
                )
        raise AnomalyError(
            f"detect_anomaly: '{operation.name}' gave {node.array[place]}{_where(place)} in its result of shape "
            f"{node.shape}. In: {_operands(operation, parents, place, node.array)}{line}"
        )

    def backward(self, node: Node, incoming: Array, outgoing: Sequence[Array | None]) -> None:
        """Look at what a gradient rule just gave."""
        operation: Any = node.operation
        line = self._lines.get(node.order, "")
        place = _first_anomaly(incoming)
        if place is not None:
            raise AnomalyError(
                f"detect_anomaly: the gradient that arrives at '{operation.name}' is {_at(incoming, place)}"
                f"{_where(place)}, though every gradient rule before gave finite numbers. Look at what was passed to "
                f"backward, at hooks, or at sums that are too large.{line}"
            )
        for number, (parent, share) in enumerate(zip(node.parents, outgoing, strict=True), 1):
            place = None if share is None else _first_anomaly(share)
            if place is not None:
                raise AnomalyError(
                    f"detect_anomaly: the gradient rule of '{operation.name}' gave {_at(share, place)}{_where(place)} "
                    f"for operand {number}{_called(parent)}, shape {parent.shape}; the gradient that arrived was "
                    f"finite, largest {np.abs(incoming).max():.3g}. Local derivative: {operation.derivative}. "
                    f"In: {_operands(operation, node.parents, place, parent.array)}{line}"
                )


def _first_anomaly(array: Any) -> tuple[int, ...] | None:
    finite = np.isfinite(array)
    if finite.all():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), np.shape(array)))


def _at(array: Any, place: tuple[int, ...]) -> Any:
    return np.asarray(array)[place]


def _where(place: tuple[int, ...]) -> str:
    return f" at index {place}" if place else ""


def _called(node: Node) -> str:
    return f" ({node.name!r})" if node.name else ""


def _operands(operation: Operation, parents: tuple[Node, ...], place: tuple[int, ...], like: Array) -> str:
    """Say what went in: the number at that place for an elementwise operation, else the range."""
    words: list[str] = []
    for number, parent in enumerate(parents, 1):
        array = parent.array
        if array.shape == like.shape and operation.name != "matmul":
            words.append(f"operand {number}{_called(parent)} was {array[place]:.6g} there")
        elif not array.size:
            words.append(f"operand {number}{_called(parent)} was empty")
        elif array.size == 1:
            words.append(f"operand {number}{_called(parent)} was {array.item():.6g}")
        else:
            low, high = array.min(), array.max()
            words.append(f"operand {number}{_called(parent)}, shape {array.shape}, had {low:.6g} to {high:.6g}")
    domain = f" Its domain: {operation.domain}." if operation.domain != "all real numbers" else ""
    return f"{'; '.join(words)}.{domain}"


def _line_of_user() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARY):
        frame = frame.f_back
    if frame is None:
        return ""
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number, frame.f_globals).strip()
    # A notebook cell has no file that its reader knows; its line says enough.
    where = f" of {Path(name).name}" if name.endswith(".py") and "ipykernel" not in name else ""
    return f" Line {number}{where}: {text}" if text else f" Line {number}{where}."
