"""Callbacks that watch a training run: stop it when it no longer helps, keep its state in a file."""

import os
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from bplib.checks import as_count, as_number
from bplib.errors import DataError
from bplib.training.checkpoints import as_path, save
from bplib.training.run import Run

__all__ = ["Checkpoint", "EarlyStopping"]


@final
class EarlyStopping:
    """End training when a column of the history has not become smaller for a while, and go back to the best epoch.

    Parameters
    ----------
    patience : int ≥ 1
        How many epochs in a row may bring nothing.
    min_delta : float ≥ 0
        By how much a value must lie below the best one to count as better.
    column : str
        What to watch; smaller is better.
    restore : bool
        Whether the model gets back the parameters of its best epoch at the end.

    Raises
    ------
    DataError, DomainError
        If a setting is no such number, or the history has no such column.

    References
    ----------
    L. Prechelt (1998), "Early Stopping - But When?", LNCS 1524, 55-69. Its class UP_s stops after s
    increases in a row; here it is `patience` epochs since the best one.

    Examples
    --------
    >>> EarlyStopping(patience=3)
    EarlyStopping(patience=3, min_delta=0, column='valid_loss')
    """

    def __init__(
        self, patience: int = 5, min_delta: float = 0.0, column: str = "valid_loss", *, restore: bool = True
    ) -> None:
        self.patience = as_count(patience, "patience", 1, "EarlyStopping")
        self.min_delta = as_number(min_delta, "min_delta", "EarlyStopping", least=0.0)
        self.column, self.restore = column, restore
        self._best: tuple[int, dict[str, np.ndarray]] | None = None

    def __call__(self, event: str, run: Run) -> bool:
        """Say after an epoch whether to stop; at the end, give the best parameters back."""
        if event == "fit_end":
            if self.restore and self._best is not None:
                run.model.load_state_dict(self._best[1])
            self._best = None
            return False
        best = self._best_epoch(run)
        epochs = len(run.history["epoch"])
        if best == epochs and self.restore:
            self._best = best, run.model.state_dict()
        return epochs - best >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Give the best parameters so far, if they are kept."""
        return {"best": self._best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self._best = None if state["best"] is None else (state["best"][0], dict(state["best"][1]))

    def _best_epoch(self, run: Run) -> int:
        if self.column not in run.history:
            raise DataError(
                f"EarlyStopping: the history has no column {self.column!r}. Expected one of {', '.join(run.history)}. "
                "Pass valid_data to fit, or watch column='train_loss'."
            )
        best, lowest = 1, np.inf
        for epoch, value in enumerate(run.history[self.column], start=1):
            if value < lowest - self.min_delta:
                best, lowest = epoch, value
        return best

    def __repr__(self) -> str:
        return f"EarlyStopping(patience={self.patience}, min_delta={self.min_delta:g}, column={self.column!r})"


@final
class Checkpoint:
    """Save the state of the training after every epoch, so that ``fit(..., resume=path)`` goes on from there.

    `fit` calls it after all other callbacks, and their state is kept too where they have ``state_dict()`` and
    ``load_state_dict(state)``, as `EarlyStopping`, `FollowSchedule` and `GradientWatch` do.

    Parameters
    ----------
    path : str or path-like
        The file; the last state replaces the one before, in one step.
    every : int ≥ 1
        Save after each so many epochs.

    Raises
    ------
    DataError, DomainError
        If `every` is no such number, or the file cannot be written.

    Examples
    --------
    >>> Checkpoint("run.npz", every=5)
    Checkpoint('run.npz', every=5)
    """

    def __init__(self, path: str | os.PathLike[str], every: int = 1) -> None:
        self.path = as_path(path, "Checkpoint")
        self.every = as_count(every, "every", 1, "Checkpoint")

    def __call__(self, event: str, run: Run) -> Any:
        """Save after an epoch."""
        if event == "epoch_end" and len(run.history["epoch"]) % self.every == 0:
            save(self.path, run.model, run.optimizer, run.history, rng=run.rng, callbacks=run.callbacks)

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r}, every={self.every})"
