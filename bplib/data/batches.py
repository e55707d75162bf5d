"""Batches of rows for the training loop."""

import math
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_count, as_generator, as_pair

__all__ = ["DataLoader"]


@final
class DataLoader:
    """Batches of rows, in a new order on every pass.

    Every pass over the loader gives each row once. The last batch holds what is left over and
    may be smaller. All orders come from one generator, so a fresh loader repeats the same
    sequence of passes.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        One row per example.
    y : array_like, shape (n, ...)
        The target of each row.
    batch_size : int, at least 1
        Rows in a batch.
    shuffle : bool
        Draw a new order for each pass; otherwise keep the order of the rows.
    rng : Generator or int, optional
        Decides the orders; seed 0 if left out.

    Raises
    ------
    DataError
        For text, objects, complex numbers, lists of unequal lengths, or a batch size that is no int.
    ShapeError
        If `X` and `y` differ in length or are empty.
    DomainError
        For a batch size below 1.

    Examples
    --------
    >>> loader = DataLoader([[1], [2], [3], [4], [5]], [1, 2, 3, 4, 5], batch_size=2, shuffle=False)
    >>> len(loader)
    3
    >>> [y.tolist() for X, y in loader]
    [[1, 2], [3, 4], [5]]
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        batch_size: int = 32,
        shuffle: bool = True,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        self.X, self.y = as_pair(X, y, "DataLoader")
        self.batch_size = as_count(batch_size, "batch_size", 1, "DataLoader")
        self.shuffle = bool(shuffle)
        self._rng = as_generator(rng, "DataLoader")

    def __len__(self) -> int:
        """Return the number of batches in one pass."""
        return math.ceil(len(self.X) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield (X_batch, y_batch); each is a copy, so changing it leaves the data alone."""
        order = self._rng.permutation(len(self.X)) if self.shuffle else np.arange(len(self.X))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            yield self.X[rows], self.y[rows]

    def __repr__(self) -> str:
        order = "shuffled" if self.shuffle else "in order"
        return f"DataLoader({len(self.X)} rows, {len(self)} batches of {self.batch_size}, {order})"
