"""A schedule of the learning rate as a part of a training run."""

from collections.abc import Mapping
from typing import Any, final

from bplib.errors import DataError, DomainError
from bplib.optim import ReduceLROnPlateau, Schedule
from bplib.training.run import Run

__all__ = ["FollowSchedule"]


@final
class FollowSchedule:
    """Let a schedule set the learning rates while `fit` runs.

    Its place is kept by `Checkpoint`, so that a run that is resumed goes on with the same rates.

    Parameters
    ----------
    schedule : Schedule or ReduceLROnPlateau
        Made over the optimizer that is passed to `fit`.
    each : {"epoch", "step"}
        When the schedule counts one step: after every epoch or after every update.
    column : str
        The column of the history that `ReduceLROnPlateau` looks at, after every epoch.

    Raises
    ------
    DataError
        If `schedule` is no schedule, belongs to another optimizer, or the history has no such column.
    DomainError
        If `each` is another word, or a plateau is to be looked for after every step.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, rng=0)
    >>> sgd = bplib.optim.SGD(model.parameters(), lr=1.0)
    >>> halving = bplib.optim.ExponentialLR(sgd, 0.5)
    >>> history = bplib.training.fit(model, bplib.losses.mse, sgd, ([[0.0]], [[1.0]]), epochs=3, progress=False,
    ...                              callbacks=[FollowSchedule(halving)])
    >>> halving.lr
    [0.125]
    """

    def __init__(self, schedule: Any, each: str = "epoch", *, column: str = "valid_loss") -> None:
        if not isinstance(schedule, Schedule | ReduceLROnPlateau):
            raise DataError(
                f"FollowSchedule: schedule is of type {type(schedule).__name__}. Expected one over the optimizer, "
                "such as StepLR(optimizer, 10)."
            )
        if each not in ("epoch", "step"):
            raise DomainError(f"FollowSchedule: each is {each!r}. Expected 'epoch' or 'step'.")
        if each == "step" and isinstance(schedule, ReduceLROnPlateau):
            raise DomainError(
                "FollowSchedule: ReduceLROnPlateau looks at the history, which grows by one row an epoch. "
                "Expected each='epoch'."
            )
        self.schedule, self.each, self.column = schedule, each, column
        self.events = ("fit_start", f"{each}_end")

    def __call__(self, event: str, run: Run) -> None:
        """Count one step of the schedule."""
        if event == "fit_start":
            self._check(run)
        elif isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(self._last_loss(run))
        else:
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Give the state of the schedule."""
        return self.schedule.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, and set the rates."""
        self.schedule.load_state_dict(state)

    def _check(self, run: Run) -> None:
        if self.schedule.optimizer is not run.optimizer:
            raise DataError(
                "FollowSchedule: the schedule was made over another optimizer, whose rates would change instead. "
                "Make it over the optimizer that you pass to fit."
            )

    def _last_loss(self, run: Run) -> float:
        if self.column not in run.history:
            raise DataError(
                f"FollowSchedule: the history has no column {self.column!r}. Expected one of {', '.join(run.history)}. "
                "Pass valid_data to fit, or column='train_loss'."
            )
        return float(run.history[self.column][-1])

    def __repr__(self) -> str:
        return f"FollowSchedule({type(self.schedule).__name__}, each={self.each!r})"
