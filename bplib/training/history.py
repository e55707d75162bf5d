"""What happened during training, as a small table."""

from collections.abc import Iterator, Mapping

import numpy as np

from bplib.errors import DataError

__all__ = ["History"]


class History(Mapping[str, np.ndarray]):
    """What happened during training: one row an epoch, each column an array.

    ``history["train_loss"]`` is the mean over the epoch's batches, each taken before its own
    update; ``history["valid_loss"]`` is measured after the epoch. ``history["seconds"]`` is
    the time since the start.

    Attributes
    ----------
    stopped : str
        Why training ended before its last epoch; empty if it did not.
    steps : int
        How many updates have been made.

    Examples
    --------
    >>> history = History()
    >>> history.append(epoch=1, train_loss=0.5, seconds=0.01)
    >>> history["train_loss"]
    array([0.5])
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.stopped = ""
        self.steps = 0

    def append(self, **row: float) -> None:
        """Add one epoch.

        Raises
        ------
        DataError
            If the columns differ from those of the epochs before.
        """
        if self._columns and self._columns.keys() != row.keys():
            raise DataError(f"History: the row has columns {sorted(row)}. Expected {sorted(self._columns)}.")
        for name, value in row.items():
            self._columns.setdefault(name, []).append(value)

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self._columns:
            raise KeyError(f"History has no column {column!r}. Expected one of {', '.join(self._columns)}.")
        return np.array(self._columns[column])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        # The seconds differ from run to run; the table shows what does not.
        names = [name for name in self._columns if name != "seconds"]
        n = len(self._columns.get("epoch", []))
        shown = [*range(min(n, 3)), *range(max(3, n - 2), n)]
        lines = ["".join(f"{name:>12}" for name in names)]
        for place, i in enumerate(shown):
            if place and i != shown[place - 1] + 1:
                lines.append(f"{'…':>12}" * len(names))
            values = [self._columns[name][i] for name in names]
            lines.append("".join(f"{v:>12}" if isinstance(v, int) else f"{v:>12.4f}" for v in values))
        return "\n".join([*lines, *([self.stopped] if self.stopped else [])])
