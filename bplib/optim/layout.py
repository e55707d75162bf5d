"""Where the parameters of one group lie, and the running averages beside them: what an optimizer walks over."""

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Array", "Block", "Layout"]

Array = np.ndarray

# A step reads and writes several vectors; blocks of this many numbers stay in the processor's cache, and from 256 KB
# on NumPy computes a product such as (1 - β₂) * g * g in the memory of its first half.
_LENGTH = 32_768

# θ, its gradient, the running averages, and memory for what a step computes in between, as flat vectors of at most
# _LENGTH numbers.
Block = tuple[Array, Array, list[Array], Array | None]


class Layout:
    """Where each parameter of one group finds its numbers, and the method's running averages beside them."""

    def __init__(self, params: tuple[Any, ...]) -> None:
        self.params = params
        params[0].settle(params)
        ends = np.cumsum([0, *(p.size for p in params)])
        self._starts = [int(end) for end in ends]
        self.size = self._starts[-1]
        self.shapes = [tuple(p.shape) for p in params]
        # How many steps each parameter has taken; one that had no gradient for a while is behind.
        self._counts = [0] * len(params)
        self._kept: tuple[str, ...] = ()
        self._state: dict[str, Array] = {}
        self._homes: list[Any] = []
        self._runs: list[tuple[int, int]] = []
        # The blocks of a group that lives and learns together, which most groups do, and its steps; else None.
        self._whole: list[Block] | None = None
        self._steps = 0

    def keep(self, names: tuple[str, ...]) -> None:
        """Have these running averages from now on."""
        if names != self._kept:
            self._dissolve()
            self._kept = names

    def pieces(self) -> list[tuple[list[Block], int]]:
        """Give the blocks and the step number of each run of parameters that learn together, as few as possible.

        The graph is told that they change, so that an older forward pass is not used with them.
        """
        if self._whole is not None:
            home, first = self._homes[0], self.params[0]
            # In a copy the parameters have another home.
            if not home.left and first.home is home and first.touch_if_learned(self.params):
                self._steps += 1
                return [(self._whole, self._steps)]
            self._dissolve()
        homes = [p.home for p in self.params]
        if homes != self._homes:
            self._homes, self._runs = homes, self._find_runs()
        changed = [p for p in self.params if p.grad is not None]
        if changed:
            changed[0].touch(changed)
        return self._find_pieces()

    def _find_pieces(self) -> list[tuple[list[Block], int]]:
        arrived = [p.grad is not None for p in self.params]
        pieces = []
        for first, last in self._runs:
            counts = self._counts[first:last]
            if False not in arrived[first:last] and counts.count(counts[0]) == last - first:
                pieces.append(self._piece(first, last))
            else:
                pieces += [self._piece(i, i + 1) for i in range(first, last) if arrived[i]]
        if len(pieces) == len(self._runs) == 1 and self._homes[0] is not None and all(arrived):
            self._whole, self._steps = pieces[0]
        return pieces

    def _dissolve(self) -> None:
        if self._whole is not None:
            self._counts = [self._steps] * len(self.params)
            self._whole = None

    def _average(self, name: str) -> Array:
        """Give the running average `name` of the whole group, 0 at first."""
        found = self._state.get(name)
        if found is None:
            dtype = np.result_type(*(p.dtype for p in self.params))
            found = self._state[name] = np.zeros(self.size, dtype)
        return found

    def saved(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Give what a later run needs, the averages of these names even where they are still 0."""
        self._dissolve()
        if any(self._counts):
            for name in names:
                self._average(name)
        arrays = {name: array.copy() for name, array in self._state.items()}
        return {"shapes": self.shapes, "counts": list(self._counts), "arrays": arrays}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Take over what `saved` gave, for as many parameters of the same shapes."""
        self._whole, self._counts = None, list(saved["counts"])
        self._state = {name: np.array(array) for name, array in saved["arrays"].items()}

    def _find_runs(self) -> list[tuple[int, int]]:
        # Parameters moved house, perhaps into another dtype; the averages follow.
        dtype = np.result_type(*(p.dtype for p in self.params))
        self._state = {name: array.astype(dtype, copy=False) for name, array in self._state.items()}
        runs, first = [], 0
        for i in range(1, len(self.params) + 1):
            if i == len(self.params) or not _neighbours(self.params[i - 1], self.params[i]):
                runs.append((first, i))
                first = i
        return runs

    def _piece(self, first: int, last: int) -> tuple[list[Block], int]:
        t = self._counts[first] + 1
        self._counts[first:last] = [t] * (last - first)
        start, stop = self._starts[first], self._starts[last]
        state = [self._average(name)[start:stop] for name in self._kept]
        parameter = self.params[first]
        home = parameter.home
        if home is None:
            return _blocks(parameter.data.reshape(-1), parameter.grad.reshape(-1), state, None), t
        span = slice(parameter.offset, parameter.offset + stop - start)
        room = np.empty(min(stop - start, _LENGTH), home.values.dtype)
        return _blocks(home.values[span], home.gradients[span], state, room), t


def _blocks(theta: Array, grad: Array, state: list[Array], room: Array | None) -> list[Block]:
    parts = [slice(start, start + _LENGTH) for start in range(0, theta.size, _LENGTH)]
    rooms = [None if room is None else room[: theta[part].size] for part in parts]
    return [(theta[p], grad[p], [average[p] for average in state], r) for p, r in zip(parts, rooms, strict=True)]


def _neighbours(left: Any, right: Any) -> bool:
    return left.home is not None and left.home is right.home and right.offset == left.offset + left.size
