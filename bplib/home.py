"""One vector for all parameters of a model, θ, and one for their gradients.

A parameter's values and its gradient are views into two flat arrays. An optimizer's step is
then the formula on the slide, once, on one vector, and a line through the loss surface is
θ + a·u. A parameter has one home; moving it into another leaves nothing behind.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bplib.threads import Threads

__all__ = ["Home", "are_neighbours", "aside", "share_home"]

# Who computes gradients to hand them over: these must not come into a parameter's memory.
aside = Threads()


class Home:
    """Two flat arrays in which parameters live side by side.

    Attributes
    ----------
    values : numpy.ndarray, shape (n,)
        The parameters' values, one after the other, each in row order.
    gradients : numpy.ndarray, shape (n,)
        Their gradients; meaningful where the parameter's ``.grad`` is not None.
    left : bool
        Whether a parameter has moved out since: whoever knows several of them then has to ask each where it lives.
    """

    # No list of the members: a parameter knows its home, and the other way round would be a
    # cycle that only the garbage collector could free.
    __slots__ = ("gradients", "left", "values")

    def __init__(self, members: Sequence[Any]) -> None:
        size = sum(p.array.size for p in members)
        dtype = members[0].array.dtype
        self.values = np.empty(size, dtype)
        self.gradients = np.zeros(size, dtype)
        self.left = False
        start = 0
        for p in members:
            stop = start + p.array.size
            p.move(self, start, self.values[start:stop], self.gradients[start:stop])
            start = stop

    def __repr__(self) -> str:
        return f"Home({self.values.size} values, {self.values.dtype})"


def share_home(members: Sequence[Any]) -> None:
    """Bring parameters under one roof, in this order, unless they live so already.

    Tensors without a home (those a user made one by one) and mixed dtypes stay where they are.

    Parameters
    ----------
    members : sequence of Tensor
        The parameters, each once.
    """
    if any(p.home is None for p in members) or len({p.array.dtype for p in members}) != 1:
        return
    if not are_neighbours(members):
        Home(members)


def are_neighbours(members: Sequence[Any]) -> bool:
    """Say whether parameters lie side by side in one home, in this order.

    Parameters
    ----------
    members : sequence of Parameter
        At least one.
    """
    offset = members[0].offset
    for p in members:
        if p.home is not members[0].home or p.offset != offset:
            return False
        offset += p.array.size
    return True
