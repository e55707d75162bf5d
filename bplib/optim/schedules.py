"""Schedules: a learning rate that changes while training goes on.

The rate is a function of the number of steps taken, so it does not drift and can be drawn beforehand: see
``schedule.rates(n)``. Call ``schedule.step()`` after ``optimizer.step()``, once a batch or once an epoch.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from bplib.checks import as_array, as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.journal import note
from bplib.optim.base import Optimizer

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LambdaLR",
    "LinearWarmup",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "Schedule",
    "StepLR",
]


class Schedule(ABC):
    """The base of the schedules: it counts steps and writes the rate of each group into the optimizer.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = _checked(optimizer, type(self).__name__)
        self.base_rates = [group["lr"] for group in optimizer.param_groups]
        self.t = 0
        self._write()

    @abstractmethod
    def rate(self, t: int, base: float) -> float:
        """Give the learning rate after `t` steps, for a group whose base rate is `base`."""

    @property
    def lr(self) -> list[float]:
        """The present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Count one step, and change the rates."""
        note(self._advance)
        self._advance()

    def rates(self, n: int) -> np.ndarray:
        """Give the first `n` rates of the first group, shape (n,), at most ten million; changes nothing."""
        n = _as_steps(n, "n", 1, f"{type(self).__name__}.rates", most=10**7)
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
        rates = _saved_rates(state, "base_rates", len(self.base_rates), type(self).__name__)
        self.t, self.base_rates = as_count(state.get("t"), "t", 0, type(self).__name__), rates
        self._write()

    def __repr__(self) -> str:
        return _with_settings(self)

    def _advance(self) -> None:
        self.t += 1
        self._write()

    def _write(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self.base_rates, strict=True):
            group["lr"] = self._rate_at(self.t, base)

    def _rate_at(self, t: int, base: float) -> float:
        with suppress(OverflowError):
            if math.isfinite(rate := self.rate(t, base)):
                return rate
        raise DomainError(f"{self!r}: the rate after {t} steps is not finite. Expected a number. Try a smaller factor.")


class StepLR(Schedule):
    """Multiply the rate by γ after every `step_size` steps: η γ^⌊t/size⌋.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> StepLR(sgd, 2, gamma=0.5).rates(5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _as_steps(step_size, "step_size", 1, "StepLR")
        self.gamma = as_number(gamma, "gamma", "StepLR", least=0.0)
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η γ^⌊t/size⌋."""
        return base * self.gamma ** (t // self.step_size)


class ExponentialLR(Schedule):
    """Multiply the rate by γ after every step: η γᵗ.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> ExponentialLR(sgd, 0.5).rates(3)
    array([1.  , 0.5 , 0.25])
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = as_number(gamma, "gamma", "ExponentialLR", least=0.0)
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η γᵗ."""
        return base * self.gamma**t


class CosineAnnealingLR(Schedule):
    """Let the rate fall along half a cosine in `T_max` steps, to `eta_min`; then it rises the same way.

    η_min + ½ (η − η_min)(1 + cos(π t/T))

    References
    ----------
    I. Loshchilov and F. Hutter (2017), ICLR, arXiv 1608.03983, eq. 5, without restarts.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> CosineAnnealingLR(sgd, 2).rates(3)
    array([1. , 0.5, 0. ])
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = _as_steps(T_max, "T_max", 1, "CosineAnnealingLR")
        self.eta_min = as_number(eta_min, "eta_min", "CosineAnnealingLR", least=0.0)
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η_min + ½ (η − η_min)(1 + cos(π t/T))."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class InverseSqrtLR(Schedule):
    """Let the rate rise in a line for `warmup` steps, then fall with the root of time.

    η min((t+1)/w, √(w/(t+1))): the base rate is the highest one.

    References
    ----------
    A. Vaswani and others (2017), NeurIPS, arXiv 1706.03762, eq. 3, with the peak named instead of the width.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> InverseSqrtLR(sgd, 2).rates(8)[[0, 1, 7]]
    array([0.5, 1. , 0.5])
    """

    def __init__(self, optimizer: Optimizer, warmup: int) -> None:
        self.warmup = _as_steps(warmup, "warmup", 1, "InverseSqrtLR")
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η min((t+1)/w, √(w/(t+1)))."""
        return base * min((t + 1) / self.warmup, math.sqrt(self.warmup / (t + 1)))


class LinearWarmup(Schedule):
    """Let the rate rise in a line to the base rate in the first `steps` steps: η min(1, (t+1)/steps).

    References
    ----------
    P. Goyal and others (2017), arXiv 1706.02677, section 2.2.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> LinearWarmup(sgd, 4).rates(5)
    array([0.25, 0.5 , 0.75, 1.  , 1.  ])
    """

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        self.steps = _as_steps(steps, "steps", 1, "LinearWarmup")
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η min(1, (t+1)/steps)."""
        return base * min(1.0, (t + 1) / self.steps)


class OneCycleLR(Schedule):
    """Raise the rate along a cosine from max_lr/25 to `max_lr`, then lower it to max_lr/250,000.

    The base rates do not matter. After `total_steps` the rate stays at its end.

    References
    ----------
    L. N. Smith and N. Topin (2019), SPIE 11006, arXiv 1708.07120. Shape and numbers are PyTorch's defaults; the
    momentum is left alone here.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> OneCycleLR(sgd, 1.0, 10).rates(10)[[0, 2]]
    array([0.04, 1.  ])
    """

    def __init__(self, optimizer: Optimizer, max_lr: float, total_steps: int, pct_start: float = 0.3) -> None:
        self.max_lr = as_number(max_lr, "max_lr", "OneCycleLR", least=0.0)
        self.total_steps = _as_steps(total_steps, "total_steps", 2, "OneCycleLR")
        self.pct_start = as_number(pct_start, "pct_start", "OneCycleLR", least=0.0, below=1.0)
        if self.pct_start * self.total_steps <= 1:
            raise DomainError(
                f"OneCycleLR: the rise takes pct_start * total_steps = {self.pct_start * self.total_steps:g} steps. "
                "Expected more than 1. Try a larger pct_start or more steps."
            )
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give the rate after `t` steps, whatever `base` is."""
        start, top = self.max_lr / 25, self.pct_start * self.total_steps - 1
        if t <= top:
            return _along_cosine(start, self.max_lr, t / top)
        done = (t - top) / (self.total_steps - 1 - top)
        return _along_cosine(self.max_lr, start / 1e4, min(1.0, done))


class LambdaLR(Schedule):
    """Multiply the base rate by what your own function gives for the number of steps: η f(t).

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> LambdaLR(sgd, lambda t: 1 / (1 + t)).rates(2)
    array([1. , 0.5])
    """

    def __init__(self, optimizer: Optimizer, f: Callable[[int], float]) -> None:
        if not callable(f):
            raise DataError(f"LambdaLR: f is {f!r}. Expected a function of the number of steps. Try lambda t: 0.9**t.")
        self.f = f
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η f(t)."""
        return base * as_number(self.f(t), f"f({t})", "LambdaLR", least=0.0)


class ReduceLROnPlateau:
    """Multiply the rate by `factor` when the loss has not become smaller for more than `patience` steps.

    A loss counts as smaller below best · (1 − threshold).

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change.
    factor : float in [0, 1)
        What the rate is multiplied by.
    patience : int ≥ 0
        How many steps in a row may bring nothing.
    min_lr : float ≥ 0
        No rate falls below it.
    threshold : float in [0, 1)
        By which share of the best loss a new one must be smaller.

    Raises
    ------
    DataError, DomainError
        If a setting is no such number.

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
        self.patience = _as_steps(patience, "patience", 0, name)
        self.min_lr = as_number(min_lr, "min_lr", name, least=0.0)
        self.threshold = as_number(threshold, "threshold", name, least=0.0, below=1.0)
        self.best, self.bad = math.inf, 0

    @property
    def lr(self) -> list[float]:
        """The present learning rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def step(self, loss: Any) -> None:
        """Look at a loss, and lower the rates if it is time. A NaN counts as not smaller."""
        value = _as_loss(loss)
        if value < self.best * (1 - self.threshold) or self.best == math.inf > value:
            self.best, self.bad = value, 0
            return
        self.bad += 1
        if self.bad > self.patience:
            self.bad = 0
            for group in self.optimizer.param_groups:
                group["lr"] = max(group["lr"] * self.factor, self.min_lr)

    def state_dict(self) -> dict[str, Any]:
        """Give the best loss, the count, and the rates."""
        return {"best": self.best, "bad": self.bad, "lr": self.lr}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        rates = _saved_rates(state, "lr", len(self.lr), type(self).__name__)
        self.best, self.bad = _as_loss(state.get("best"), "best"), as_count(state.get("bad"), "bad", 0, repr(self))
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def __repr__(self) -> str:
        return _with_settings(self)


def _as_steps(value: Any, name: str, least: int, caller: str, most: int = 10**15) -> int:
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


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def _checked(optimizer: Any, name: str) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise DataError(f"{name}: optimizer is of type {type(optimizer).__name__}. Expected one, such as SGD(...).")
    return optimizer
