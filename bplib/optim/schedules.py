"""Schedules: a learning rate that changes while training goes on.

Nearly always the rate is a function of the number of steps taken, so it does not drift and can be drawn beforehand: see
``schedule.rates(n)``; those functions are in ``rates.py``. Call ``schedule.step()`` after ``optimizer.step()``, once a
batch or once an epoch.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from bplib.checks import as_array, as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.journal import note
from bplib.optim.base import Optimizer

__all__ = ["ReduceLROnPlateau", "Schedule", "as_steps"]


class Schedule(ABC):
    """The base of the schedules: it counts steps and writes the rate of each group into the optimizer.

    A kind of schedule says with `rate` what the rate after t steps is; the base rates and t are all that is kept.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η, in units of parameter per unit of gradient.

    Attributes
    ----------
    t : int ≥ 0
        How many steps were counted.
    base_rates : list of float
        The base rate of each group.

    Raises
    ------
    DataError
        If `optimizer` is none, or one of its rates was changed by hand to no number.
    DomainError
        If the rate of a group is below 0 or not finite, now or in a later ``step()``.

    Examples
    --------
    >>> import bplib
    >>> class Reciprocal(Schedule):
    ...     def rate(self, t, base):
    ...         return base / (t + 1)
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = Reciprocal(sgd)
    >>> schedule.step()
    >>> schedule.lr
    [0.5]
    """

    def __init__(self, optimizer: Optimizer) -> None:
        name = type(self).__name__
        self.optimizer = _checked(optimizer, name)
        self._go_to(0, [as_number(group["lr"], "lr", name, least=0.0) for group in optimizer.param_groups])

    @abstractmethod
    def rate(self, t: int, base: float) -> float:
        """Give the learning rate after `t` steps, for a group whose base rate is `base`."""

    @property
    def lr(self) -> list[float]:
        """The present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Count one step, and change the rates.

        Raises
        ------
        DomainError
            If the new rate of a group is not finite; nothing is changed then.
        """
        note(self._advance)
        self._advance()

    def rates(self, n: int) -> np.ndarray:
        """Give the first `n` rates of the first group, from t = 0 on; nothing is changed.

        Parameters
        ----------
        n : int from 1 to 10⁷
            How many.

        Returns
        -------
        ndarray, shape (n,), float64

        Raises
        ------
        DataError
            If `n` is no whole number.
        DomainError
            If `n` lies outside its range, or a rate is not finite.

        Examples
        --------
        >>> import bplib
        >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> bplib.optim.LinearWarmup(sgd, 2).rates(3)
        array([0.5, 1. , 1. ])
        """
        n = as_steps(n, "n", 1, f"{type(self).__name__}.rates", most=10**7)
        return np.array([self._rate_at(t, self.base_rates[0]) for t in range(n)])

    def state_dict(self) -> dict[str, Any]:
        """Give the count and the base rates."""
        return {"t": self.t, "base_rates": list(self.base_rates)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, and set the rates.

        Raises
        ------
        DataError, DomainError
            If it belongs to another number of groups, or is no such state; nothing is changed then.
        """
        base_rates = _saved_rates(state, "base_rates", len(self.base_rates), type(self).__name__)
        self._go_to(as_count(state.get("t"), "t", 0, type(self).__name__), base_rates)

    def __repr__(self) -> str:
        return _with_settings(self)

    def _advance(self) -> None:
        self._go_to(self.t + 1, self.base_rates)

    def _go_to(self, t: int, base_rates: list[float]) -> None:
        rates = [self._rate_at(t, base) for base in base_rates]  # all of them, before anything changes
        self.t, self.base_rates = t, base_rates
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def _rate_at(self, t: int, base: float) -> float:
        with suppress(OverflowError):
            if math.isfinite(rate := self.rate(t, base)):
                return rate
        raise DomainError(f"{self!r}: the rate after {t} steps is not finite. Expected a number. Try a smaller factor.")


class ReduceLROnPlateau:
    """Multiply the rate by `factor` when the loss has not become smaller for more than `patience` steps.

    η ← max(factor · η, min_lr), where an η below min_lr stays as it is. A loss counts as smaller below
    best · (1 − threshold), which is meant for losses ≥ 0.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change.
    factor : float in [0, 1)
        What the rate is multiplied by, without a unit.
    patience : int from 0 to 10¹⁵
        How many steps in a row may bring nothing.
    min_lr : float ≥ 0
        No rate falls below it; in units of parameter per unit of gradient.
    threshold : float in [0, 1)
        By which share of the best loss a new one must be smaller.

    Raises
    ------
    DataError
        If `optimizer` is none, `patience` is no whole number, or another setting no number.
    DomainError
        If a setting lies outside its range.

    References
    ----------
    A. Krizhevsky, I. Sutskever and G. E. Hinton (2012), "ImageNet Classification with Deep Convolutional Neural
    Networks", NIPS 25, 1097-1105, section 5: a tenth whenever the validation error stops improving, there by hand.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(sgd, factor=0.5, patience=0)
    >>> for loss in (3.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.lr
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 0.1,
        patience: int = 10,
        min_lr: float = 0.0,
        threshold: float = 1e-4,
    ) -> None:
        name = "ReduceLROnPlateau"
        self.optimizer = _checked(optimizer, name)
        self.factor = as_number(factor, "factor", name, least=0.0, below=1.0)
        self.patience = as_steps(patience, "patience", 0, name)
        self.min_lr = as_number(min_lr, "min_lr", name, least=0.0)
        self.threshold = as_number(threshold, "threshold", name, least=0.0, below=1.0)
        self.best, self.bad = math.inf, 0

    @property
    def lr(self) -> list[float]:
        """The present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self, loss: Any) -> None:
        """Look at a loss, and lower the rates if it is time.

        Parameters
        ----------
        loss : float, or array or tensor of one number
            NaN and ∞ count as not smaller.

        Raises
        ------
        DataError
            If it is anything else; nothing is changed then.
        """
        value = _as_loss(loss)
        if value < self.best * (1 - self.threshold) or self.best == math.inf > value:
            self.best, self.bad = value, 0
            return
        self.bad += 1
        if self.bad > self.patience:
            self.bad = 0
            for group in self.optimizer.param_groups:
                group["lr"] = max(group["lr"] * self.factor, min(group["lr"], self.min_lr))

    def state_dict(self) -> dict[str, Any]:
        """Give the best loss, the count, and the rates."""
        return {"best": self.best, "bad": self.bad, "lr": self.lr}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, and set the rates.

        Raises
        ------
        DataError, DomainError
            If it belongs to another number of groups, or is no such state; nothing is changed then.
        """
        rates = _saved_rates(state, "lr", len(self.lr), type(self).__name__)
        self.best, self.bad = _as_loss(state.get("best"), "best"), as_count(state.get("bad"), "bad", 0, repr(self))
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def __repr__(self) -> str:
        return _with_settings(self)


def as_steps(value: Any, name: str, least: int, caller: str, most: int = 10**15) -> int:
    """Return a number of steps, which a float can still count.

    Parameters
    ----------
    value : int
        The number to check.
    name, caller : str
        How the message names it and the class.
    least, most : int
        The smallest and the largest number allowed.

    Returns
    -------
    int

    Raises
    ------
    DataError
        If it is no whole number.
    DomainError
        If it is too small or too large.

    Examples
    --------
    >>> as_steps(30, "step_size", 1, "StepLR")
    30
    """
    steps = as_count(value, name, least, caller)
    if steps > most:
        raise DomainError(f"{caller}: {name} is more than {most:,}. Expected at most that. Try {name}=1000.")
    return steps


def _as_loss(value: Any, name: str = "loss") -> float:
    found = as_array(value, name, "ReduceLROnPlateau")
    if found.size != 1 or found.dtype == bool:
        raise DataError(f"ReduceLROnPlateau: {name} is {value!r}. Expected one number, as loss.item() gives.")
    return float(found.item())


def _saved_rates(state: Any, key: str, count: int, name: str) -> list[float]:
    rates = state.get(key, ()) if isinstance(state, Mapping) else None
    if not isinstance(rates, list | tuple):
        raise DataError(f"{name}: the saved state is {state!r}. Expected what state_dict() gave.")
    if len(rates) != count:
        raise DataError(
            f"{name}: the saved state has {len(rates)} groups, the optimizer has {count}. "
            "Expected as many; it belongs to another number of groups. Load it over the same groups."
        )
    return [as_number(rate, f"{key}[{i}]", name, least=0.0) for i, rate in enumerate(rates)]


def _with_settings(schedule: Any) -> str:
    state = ("optimizer", "base_rates", "t", "best", "bad")
    shown = {k: getattr(v, "__name__", type(v).__name__) if callable(v) else v for k, v in vars(schedule).items()}
    return f"{type(schedule).__name__}({', '.join(f'{k}={v}' for k, v in shown.items() if k not in state)})"


def _checked(optimizer: Any, name: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise DataError(f"{name}: optimizer is of type {type(optimizer).__name__}. Expected one, such as SGD(...).")
    return optimizer
