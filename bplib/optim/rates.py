"""Learning rates that are functions of the number of steps: decay, warm-up, one cycle, or your own.

η is the base rate of a group, t the number of steps taken. A step is one call of ``schedule.step()``, once a batch or
once an epoch.
"""

import math
from collections.abc import Callable

from bplib.checks import as_number
from bplib.errors import DataError, DomainError
from bplib.optim.base import Optimizer
from bplib.optim.schedules import Schedule, as_steps

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LambdaLR",
    "LinearWarmup",
    "OneCycleLR",
    "StepLR",
]


class StepLR(Schedule):
    """Multiply the rate by γ after every `step_size` steps: η γ^⌊t/size⌋.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η.
    step_size : int from 1 to 10¹⁵
        How many steps the rate stays the same.
    gamma : float ≥ 0
        γ: what the rate is multiplied by, without a unit; above 1 it grows.

    Raises
    ------
    DataError
        If `optimizer` is none, `step_size` is no whole number, or `gamma` no number.
    DomainError
        If a setting lies outside its range; from ``step()`` and ``rates(n)`` if a rate is not finite.

    References
    ----------
    C. Szegedy and others (2015), "Going Deeper with Convolutions", CVPR, arXiv 1409.4842, section 6: 4% less every
    8 epochs.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> StepLR(sgd, 2, gamma=0.5).rates(5)
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = as_steps(step_size, "step_size", 1, "StepLR")
        self.gamma = as_number(gamma, "gamma", "StepLR", least=0.0)
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η γ^⌊t/size⌋."""
        return base * self.gamma ** (t // self.step_size)


class ExponentialLR(Schedule):
    """Multiply the rate by γ after every step: η γᵗ.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η.
    gamma : float ≥ 0
        γ: what the rate is multiplied by, without a unit; above 1 it grows.

    Raises
    ------
    DataError
        If `optimizer` is none, or `gamma` no number.
    DomainError
        If `gamma` is below 0 or infinite; from ``step()`` and ``rates(n)`` if a rate is not finite.

    References
    ----------
    A. Senior, G. Heigold, M. Ranzato and K. Yang (2013), "An Empirical Study of Learning Rates in Deep Neural Networks
    for Speech Recognition", ICASSP, 6724-6728, on exponential scheduling.

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

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η.
    T_max : int from 1 to 10¹⁵
        T: in how many steps the rate comes down.
    eta_min : float ≥ 0
        η_min: the rate after `T_max` steps, in the unit of η.

    Raises
    ------
    DataError
        If `optimizer` is none, `T_max` is no whole number, or `eta_min` no number.
    DomainError
        If a setting lies outside its range.

    References
    ----------
    I. Loshchilov and F. Hutter (2017), "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR, arXiv 1608.03983,
    eq. 5, without restarts.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> CosineAnnealingLR(sgd, 2).rates(3)
    array([1. , 0.5, 0. ])
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = as_steps(T_max, "T_max", 1, "CosineAnnealingLR")
        self.eta_min = as_number(eta_min, "eta_min", "CosineAnnealingLR", least=0.0)
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η_min + ½ (η − η_min)(1 + cos(π t/T))."""
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class InverseSqrtLR(Schedule):
    """Let the rate rise in a line for `warmup` steps, then fall with the root of time.

    η min((t+1)/w, √(w/(t+1))): the base rate is the highest one.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η.
    warmup : int from 1 to 10¹⁵
        w: in how many steps the rate comes up.

    Raises
    ------
    DataError
        If `optimizer` is none, or `warmup` no whole number.
    DomainError
        If `warmup` lies outside its range.

    References
    ----------
    A. Vaswani and others (2017), "Attention Is All You Need", NeurIPS, arXiv 1706.03762, eq. 3, with the peak named
    instead of the width.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> InverseSqrtLR(sgd, 2).rates(8)[[0, 1, 7]]
    array([0.5, 1. , 0.5])
    """

    def __init__(self, optimizer: Optimizer, warmup: int) -> None:
        self.warmup = as_steps(warmup, "warmup", 1, "InverseSqrtLR")
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η min((t+1)/w, √(w/(t+1)))."""
        return base * min((t + 1) / self.warmup, math.sqrt(self.warmup / (t + 1)))


class LinearWarmup(Schedule):
    """Let the rate rise in a line to the base rate in the first `steps` steps: η min(1, (t+1)/steps).

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η.
    steps : int from 1 to 10¹⁵
        In how many steps the rate comes up; then it stays.

    Raises
    ------
    DataError
        If `optimizer` is none, or `steps` no whole number.
    DomainError
        If `steps` lies outside its range.

    References
    ----------
    P. Goyal and others (2017), "Accurate, Large Minibatch SGD", arXiv 1706.02677, section 2.2.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> LinearWarmup(sgd, 4).rates(5)
    array([0.25, 0.5 , 0.75, 1.  , 1.  ])
    """

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        self.steps = as_steps(steps, "steps", 1, "LinearWarmup")
        super().__init__(optimizer)

    def rate(self, t: int, base: float) -> float:
        """Give η min(1, (t+1)/steps)."""
        return base * min(1.0, (t + 1) / self.steps)


class OneCycleLR(Schedule):
    """Raise the rate along a cosine from max_lr/25 to `max_lr`, then lower it to max_lr/250,000.

    The base rates do not matter. With n = `total_steps` the top comes at t = `pct_start` · n − 1; from t = n − 1 on the
    rate stays at its end.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change.
    max_lr : float ≥ 0
        The highest rate, in units of parameter per unit of gradient.
    total_steps : int from 2 to 10¹⁵
        How many steps the whole cycle takes.
    pct_start : float in [0, 1)
        Which share of the steps the rise takes (not per cent); it has to be more than one step.

    Raises
    ------
    DataError
        If `optimizer` is none, `total_steps` is no whole number, or another setting no number.
    DomainError
        If a setting lies outside its range, or the rise takes no more than one step.

    References
    ----------
    L. N. Smith and N. Topin (2019), "Super-Convergence", SPIE 11006, arXiv 1708.07120. Shape and numbers are PyTorch's
    defaults; the momentum is left alone here.

    Examples
    --------
    >>> import bplib
    >>> sgd = bplib.optim.SGD([bplib.tensor([1.0], requires_grad=True)], lr=1.0)
    >>> OneCycleLR(sgd, 1.0, 10).rates(10)[[0, 2]]
    array([0.04, 1.  ])
    """

    def __init__(self, optimizer: Optimizer, max_lr: float, total_steps: int, pct_start: float = 0.3) -> None:
        self.max_lr = as_number(max_lr, "max_lr", "OneCycleLR", least=0.0)
        self.total_steps = as_steps(total_steps, "total_steps", 2, "OneCycleLR")
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

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates change; those it has now are the base rates η.
    f : function of int ≥ 0 that gives a float ≥ 0
        The factor f(t), without a unit. It is called for the same t again, so it must always give the same.

    Raises
    ------
    DataError
        If `optimizer` is none, `f` is no function, or gives no number.
    DomainError
        If `f` gives a number below 0, or a rate is not finite. What `f` itself raises comes through.

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


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
