"""Batches of rows for the training loop."""

from collections.abc import Iterator, Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_count, as_generator, as_pair, as_truth
from bplib.errors import DataError, DomainError

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
        One row per example; NaN is allowed and passed on.
    y : array_like, shape (n, ...)
        The target of each row.
    batch_size : int, at least 1
        Rows in a batch.
    shuffle : bool
        Draw a new order for each pass; otherwise keep the order of the rows.
    rng : Generator or int, optional
        Decides the orders; seed 0 if left out.
    drop_last : bool
        Leave out the last batch of a pass if it is smaller than the others.

    Raises
    ------
    DataError
        For text, objects, complex numbers, lists of unequal lengths, or a batch size that is no int.
    ShapeError
        If `X` and `y` differ in length or are empty.
    DomainError
        For a batch size below 1, or one that leaves no batch with `drop_last`.

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
        *,
        drop_last: bool = False,
    ) -> None:
        self.X, self.y = as_pair(X, y, "DataLoader")
        self.batch_size = as_count(batch_size, "batch_size", 1, "DataLoader")
        self.shuffle = as_truth(shuffle, "shuffle", "DataLoader")
        self.drop_last = as_truth(drop_last, "drop_last", "DataLoader")
        self._rng = as_generator(rng, "DataLoader")
        self._given = self._skip = 0
        self._before: Mapping[str, Any] | None = None
        if not len(self):
            raise DomainError(
                f"DataLoader: batch_size is {self.batch_size} and drop_last leaves out smaller batches. Expected at "
                f"most {len(self.X)}, the number of rows. Try drop_last=False."
            )

    def __len__(self) -> int:
        """Return the number of batches in one pass."""
        n = len(self.X)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield (X_batch, y_batch); each is a copy, so changing it leaves the data alone."""
        skip, self._skip = self._skip, 0
        before = self._rng.bit_generator.state
        order = self._rng.permutation(len(self.X)) if self.shuffle else np.arange(len(self.X))
        for number in range(skip, len(self)):
            rows = order[number * self.batch_size : (number + 1) * self.batch_size]
            ended = number + 1 == len(self)
            self._given, self._before = (0, None) if ended else (number + 1, before)
            yield self.X[rows], self.y[rows]

    def state_dict(self) -> dict[str, Any]:
        """Give the place in the sequence of batches as plain numbers, to save as JSON and to load again.

        After a ``break`` the place is in the middle of the pass: a loader that loads it gives the rest. This loader
        itself starts a new pass.

        Returns
        -------
        dict
            The generator before the pass that is under way, the batches given in it, and the
            settings that the sequence depends on. The data itself is not in it.

        Examples
        --------
        >>> loader = DataLoader(range(6), range(6), batch_size=2)
        >>> first = next(iter(loader))
        >>> loader.state_dict()["given"]
        1
        """
        generator = self._rng.bit_generator.state if self._before is None else self._before
        return {**self._settings(), "given": self._given, "generator": _plain(generator)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken: the next pass gives the rest of the interrupted one.

        Parameters
        ----------
        state : mapping
            What `state_dict` gave, of a loader over as many rows with the same settings.

        Raises
        ------
        DataError
            If the state belongs to another loader; nothing is changed then.

        Examples
        --------
        >>> loader = DataLoader(range(6), range(6), batch_size=2)
        >>> batches = iter(loader)
        >>> first, state = next(batches), loader.state_dict()
        >>> fresh = DataLoader(range(6), range(6), batch_size=2)
        >>> fresh.load_state_dict(state)
        >>> len(list(fresh))
        2
        """
        own = self._settings()
        found = {name: state.get(name) for name in own} if isinstance(state, Mapping) else state
        if found != own:
            raise DataError(
                f"DataLoader.load_state_dict: the saved state does not fit. Expected {own}, got {found}. "
                f"Load it into a loader over the same data with the same settings."
            )
        given = as_count(state.get("given"), "given", 0, "DataLoader.load_state_dict")
        if given >= len(self):
            raise DataError(
                f"DataLoader.load_state_dict: given is {given}, a pass has {len(self)} batches. Expected less than "
                "that. Take the state from state_dict()."
            )
        try:
            self._rng.bit_generator.state = state["generator"]
        except (KeyError, TypeError, ValueError) as broken:
            raise DataError(
                f"DataLoader.load_state_dict: the saved generator does not fit. Expected a state of "
                f"{type(self._rng.bit_generator).__name__}. Use the kind of rng that the state was saved with."
            ) from broken
        self._given = self._skip = given
        self._before = None

    def _settings(self) -> dict[str, Any]:
        settings = {"batch_size": self.batch_size, "shuffle": self.shuffle, "drop_last": self.drop_last}
        return {"rows": len(self.X), **settings}

    def __repr__(self) -> str:
        order = "shuffled" if self.shuffle else "in order"
        return f"DataLoader({len(self.X)} rows, {len(self)} batches of {self.batch_size}, {order})"


def _plain(value: Any) -> Any:
    """Turn the arrays that some generators keep into lists, which JSON can hold."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value
