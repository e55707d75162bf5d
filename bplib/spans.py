"""Parameters that lie side by side, as one operand of one operation.

A stack of layers has six parameters or sixty, and asks the same of each of them at every step.
Here they stand in the graph as one piece of the model's vector θ. Nothing is stored twice: what
is true of the whole is asked of each parameter.
"""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, final

import numpy as np

from bplib.home import Home, aside
from bplib.nodes import Array, Hook, Node

__all__ = ["Span"]

_order_of = attrgetter("order")


@final
class Span(Node):
    """One operand for several parameters.

    Parameters
    ----------
    members : sequence of Parameter
        Neighbours in one home, in their order there; see `bplib.home.are_neighbours`.

    Attributes
    ----------
    array : numpy.ndarray, shape (n,)
        Their values, one after the other.
    buffer : numpy.ndarray, shape (n,)
        Where their gradients go.
    """

    __slots__ = ("buffer", "home", "members")

    home: Home
    buffer: Array

    def __init__(self, members: Sequence[Any]) -> None:
        self.members, self.home = tuple(members), members[0].home
        start, stop = members[0].offset, members[-1].offset + members[-1].size
        self.array, self.buffer = self.home.values[start:stop], self.home.gradients[start:stop]
        self.operation = self.remembered = self.name = None
        self.parents = self.settings = ()

    @property
    def requires_grad(self) -> bool:  # type: ignore[override]
        """Whether any of them asks for a gradient."""
        for member in self.members:  # as a rule the first one does
            if member.requires_grad:
                return True
        return False

    @property
    def order(self) -> int:  # type: ignore[override]
        """The number of the last change of any of them."""
        return max(map(_order_of, self.members))

    @property
    def hooks(self) -> list[Hook] | None:  # type: ignore[override]
        """The hooks of all of them."""
        return [hook for member in self.members for hook in member.hooks or ()] or None

    def landing(self, dtype: np.dtype) -> Array | None:
        """Give the memory for all gradients, if every one of them may be written there."""
        if self.home.left or self.array.dtype is not dtype or (aside and aside.has_this_one()):
            return None
        for member in self.members:
            if member._gradient is not None or member.hooks or not member.requires_grad:
                return None
        return self.buffer

    def _hand_on(self, total: Array | None) -> None:
        """Tell each parameter that a rule has written its gradient into its memory, or that it has none."""
        if total is None:
            for member in self.members:
                member._gradient = None
        else:
            for member in self.members:
                member._gradient = member.buffer

    _gradient = property(None, _hand_on)

    def parts(self, total: Array) -> Iterator[tuple[Node, Array]]:
        """Yield each parameter with its part of a vector as long as this one."""
        start = 0
        for member in self.members:
            stop = start + member.array.size
            yield member, total[start:stop].reshape(member.array.shape)
            start = stop

    def receive(self, total: Array) -> None:
        """Add to each parameter that asks for a gradient its part of what a backward pass found."""
        for member, share in self.parts(total):
            if member.requires_grad:
                member.receive(share)
