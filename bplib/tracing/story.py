"""The trace: every node and every step of a forward and a backward pass, and the story they tell."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bplib.checks import as_count
from bplib.errors import DataError, DomainError, GraphError
from bplib.tracing.chains import Path, chain_in_words, count_paths, find_paths
from bplib.tracing.figures import array_in_words, figures, is_short, partial
from bplib.tracing.records import BackwardStep, ForwardStep, TracedNode

__all__ = ["Trace"]

_MOST_STEPS = 40  # of a story that is printed
_MOST_LEAVES = 12
_MARGIN = " " * 7
_MOST_PATHS = 6


@final
@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The story of a forward and a backward pass; made by `bplib.trace`.

    ``print`` it, take its steps one by one (``for step in trace``), or ask for the `chain` to one node.

    Attributes
    ----------
    nodes : tuple of TracedNode
        What was made by hand, in the order of its first use; then the results, in the order of the forward pass.
    forward : tuple of ForwardStep
        One step for each operation.
    backward : tuple of BackwardStep
        One step for each operation, from the loss back.
    start : numpy.ndarray
        The gradient at which the backward pass starts: 1 for a loss.
    loss : str
        What is differentiated, as it is called in the trace.
    passed : bool
        Whether the start was passed in.
    hooked : tuple of str
        The nodes that have hooks, which a trace does not call.
    """

    nodes: tuple[TracedNode, ...]
    forward: tuple[ForwardStep, ...]
    backward: tuple[BackwardStep, ...]
    start: np.ndarray
    loss: str
    passed: bool
    hooked: tuple[str, ...]

    @property
    def steps(self) -> tuple[ForwardStep | BackwardStep, ...]:
        """All steps: the forward pass, then the backward pass."""
        return (*self.forward, *self.backward)

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """∂Loss/∂x for every x that was made by hand and asks for a gradient, by its name."""
        leaves = (node for node in self.nodes if node.kind == "parameter")
        return {node.name: node.gradient for node in leaves if node.gradient is not None}

    def __len__(self) -> int:
        return len(self.forward) + len(self.backward)

    def __iter__(self) -> Iterator[ForwardStep | BackwardStep]:
        return iter(self.steps)

    def step(self, n: int) -> ForwardStep | BackwardStep:
        """Give one step by its number.

        Parameters
        ----------
        n : int
            From 1 to ``len(trace)``.

        Raises
        ------
        DataError, DomainError
            If there is no such step.
        """
        if as_count(n, "n", 1, "Trace.step") > len(self):
            raise DomainError(f"Trace.step: n is {n}. Expected a step from 1 to {len(self)}.")
        return self.forward[n - 1] if n <= len(self.forward) else self.backward[n - 1 - len(self.forward)]

    def node(self, name: str) -> TracedNode:
        """Give one node by its name.

        Raises
        ------
        DataError
            If no node is called so.
        """
        found = next((node for node in self.nodes if node.name == name), None)
        if found is None:
            names = list(dict.fromkeys(node.name for node in self.nodes))
            rest = f" and {len(names) - 20} more" if len(names) > 20 else ""
            raise DataError(f"Trace: no node is called {name!r}. Expected one of {', '.join(names[:20])}{rest}.")
        return found

    def count_paths(self, name: str) -> int:
        """Count the paths from the loss to a node; 10¹⁵ stands for that many or more."""
        return count_paths(self.backward, self._reached(name)).get(self.backward[0].node.number, 0)

    def paths(self, name: str, most: int = _MOST_PATHS) -> tuple[Path, ...]:
        """Give the paths from the loss to a node, each with its local derivatives.

        Parameters
        ----------
        name : str
            What the node is called.
        most : int ≥ 1
            How many paths to give at the most: their number can double with every step.

        Returns
        -------
        tuple of Path
            In the order of the operands.

        Raises
        ------
        DataError
            If no node is called so.
        GraphError
            If no gradient arrives there.
        """
        target = self._reached(name)
        return find_paths(self.backward, target, as_count(most, "most", 1, "Trace.paths"), self.start)

    def chain(self, name: str, most: int = _MOST_PATHS) -> str:
        """Write out ∂Loss/∂x = ∂Loss/∂f · ∂f/∂z · ∂z/∂x, one product a path, and the paths added up.

        Parameters
        ----------
        name : str
            What the node is called.
        most : int ≥ 1
            How many paths to write at the most; the rest are counted.

        Returns
        -------
        str
            With numbers, where all are single numbers.

        Raises
        ------
        DataError
            If no node is called so.
        GraphError
            If no gradient arrives there.

        Examples
        --------
        >>> import bplib
        >>> x = bplib.tensor(3.0, requires_grad=True, name="x")
        >>> print(bplib.trace(x * 2 + x).chain("x"))
        ∂Loss/∂x = ∂Loss/∂z1 · ∂z1/∂x + ∂Loss/∂x (directly)
                 = 1 × 2 + 1
                 = 3
        """
        paths = self.paths(name, most)
        count = self.count_paths(name)
        return chain_in_words(paths, count, self.node(name), self.loss, self.passed)

    def _reached(self, name: str) -> TracedNode:
        target = self.node(name)
        if target.number == len(self.nodes) - 1:
            raise GraphError(f"Trace: {name} is where the backward pass starts; no path leads there. Try another node.")
        if target.gradient is None:
            raise GraphError(
                f"Trace: no gradient arrives at {name}. Expected a node that asks for one, or was computed from such "
                "a node. Make its tensor with requires_grad=True."
            )
        return target

    def __repr__(self) -> str:
        return (
            f"Trace({len(self.nodes)} nodes, {len(self.forward)} forward and {len(self.backward)} backward steps; "
            "print it to read the story)"
        )

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        last = self.nodes[-1]
        yield f"The story of {_equation(last.name, last.value)}, in {len(self)} steps"
        yield from ("", "What goes in")
        yield from _bounded([_leaf(node) for node in self.nodes if node.kind in ("parameter", "input")], _MOST_LEAVES)
        ends = _MOST_STEPS if len(self) <= _MOST_STEPS else _MOST_STEPS // 2
        yield from ("", "Forward: each step computes one result")
        yield from _bounded([*self.forward], ends, _numbered)
        yield from ("", "Backward: each step passes on incoming × local = outgoing")
        yield f"{_MARGIN}{self._start()}"
        yield from _bounded([*self.backward], ends, _numbered)
        yield from ("", "What has arrived: the gradients")
        arrived = [f"{_MARGIN}{_equation(partial(self.loss, name), g)}" for name, g in self.gradients.items()]
        yield from _bounded(arrived, _MOST_LEAVES)
        if self.hooked:
            yield from ("", f"Not called: the hooks of {', '.join(self.hooked)}. loss.backward() calls them.")

    def _start(self) -> str:
        gradient = _equation(partial(self.loss, self.nodes[-1].name), self.start)
        return f"the start, passed in: {gradient}" if self.passed else f"the start: {gradient}"


def _equation(name: str, array: np.ndarray) -> str:
    return f"{name} = {figures(array)}" if is_short(array) else f"{name}: {array_in_words(array)}"


def _leaf(node: TracedNode) -> str:
    asks = ", asks for a gradient" if node.kind == "parameter" else ""
    return f"{_MARGIN}{_equation(node.name, node.value)}{asks}"


def _numbered(step: ForwardStep | BackwardStep) -> str:
    first, *rest = str(step).splitlines()
    head, tail = first.split(" · ", 1)
    return "\n".join([f"{head:>4} · {tail}", *(f"{_MARGIN}{line}" for line in rest)])


def _bounded(items: Sequence[Any], most: int, write: Callable[[Any], str] = str) -> Iterator[str]:
    """Write the items, or where there are too many the first and the last of them."""
    if len(items) <= most + 2:
        yield from map(write, items)
        return
    half = most // 2
    yield from map(write, items[:half])
    yield f"{_MARGIN}… {len(items) - 2 * half:,} more …"
    yield from map(write, items[-half:])
