"""First weights: each function fills a parameter in place and returns it.

A layer keeps the size of what passes through it when the variance of its weights is one over the
number of numbers that meet in a neuron: the fan-in on the way forward, the fan-out on the way back.
The weight of a `Linear` has shape (in, out), that of a `Conv2d` (out, in, height, width).
"""

import math
from typing import TypeVar

import numpy as np

from bplib.checks import as_generator, as_number
from bplib.errors import DataError, DomainError, ShapeError
from bplib.tensors import Tensor

__all__ = [
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

AnyTensor = TypeVar("AnyTensor", bound=Tensor)
Source = np.random.Generator | int | None


def zeros_(parameter: AnyTensor) -> AnyTensor:
    """Fill with 0: right for biases; weights that are all equal can never become different.

    References
    ----------
    X. Glorot and Y. Bengio (2010), AISTATS, section 2.3: "We initialized the biases to be 0".

    Examples
    --------
    >>> from bplib.nn import Parameter
    >>> zeros_(Parameter([1.0, 2.0])).data
    array([0., 0.])
    """
    _check("zeros_", parameter)
    parameter.assign(np.zeros(parameter.shape))
    return parameter


def uniform_(parameter: AnyTensor, low: float = 0.0, high: float = 1.0, *, rng: Source = None) -> AnyTensor:
    """Draw uniformly from [low, high); the variance is (high − low)²/12.

    Raises
    ------
    DomainError
        If `high` is not above `low`.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), *Efficient BackProp*, LNCS 1524, section 4.6.

    Examples
    --------
    >>> from bplib.nn import Parameter
    >>> bool((uniform_(Parameter(np.zeros(9)), 2.0, 3.0, rng=0).data >= 2.0).all())
    True
    """
    _check("uniform_", parameter)
    low, high = as_number(low, "low", "uniform_"), as_number(high, "high", "uniform_")
    if not low < high:
        raise DomainError(f"uniform_: low is {low:g}, high is {high:g}. Expected low below high.")
    parameter.assign(_generator(rng, "uniform_").uniform(low, high, parameter.shape))
    return parameter


def normal_(parameter: AnyTensor, mean: float = 0.0, std: float = 1.0, *, rng: Source = None) -> AnyTensor:
    """Draw from a normal distribution with that mean and standard deviation.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), *Efficient BackProp*, LNCS 1524, section 4.6.

    Examples
    --------
    >>> from bplib.nn import Parameter
    >>> normal_(Parameter(np.zeros(2)), 5.0, 0.0, rng=0).data
    array([5., 5.])
    """
    _check("normal_", parameter)
    mean, std = as_number(mean, "mean", "normal_"), as_number(std, "std", "normal_", least=0.0)
    parameter.assign(_generator(rng, "normal_").normal(mean, std, parameter.shape))
    return parameter


def xavier_uniform_(parameter: AnyTensor, gain: float = 1.0, *, rng: Source = None) -> AnyTensor:
    """Draw uniformly from ±gain·√(6/(fan_in + fan_out)): for tanh, a compromise of both directions.

    The variance is gain² · 2/(fan_in + fan_out).

    References
    ----------
    X. Glorot and Y. Bengio (2010), AISTATS, eq. 16.

    Examples
    --------
    >>> from bplib.nn import Linear
    >>> bool(abs(xavier_uniform_(Linear(3, 3, rng=0).weight, rng=0).data).max() <= 1.0)
    True
    """
    spread = _xavier("xavier_uniform_", parameter, gain)
    return uniform_(parameter, -math.sqrt(3) * spread, math.sqrt(3) * spread, rng=rng)


def xavier_normal_(parameter: AnyTensor, gain: float = 1.0, *, rng: Source = None) -> AnyTensor:
    """Draw from a normal distribution of variance gain² · 2/(fan_in + fan_out).

    References
    ----------
    X. Glorot and Y. Bengio (2010), AISTATS, eq. 12.

    Examples
    --------
    >>> from bplib.nn import Linear
    >>> xavier_normal_(Linear(3, 4, rng=0).weight, rng=0).shape
    (3, 4)
    """
    return normal_(parameter, 0.0, _xavier("xavier_normal_", parameter, gain), rng=rng)


def kaiming_uniform_(
    parameter: AnyTensor, *, slope: float = 0.0, mode: str = "fan_in", rng: Source = None
) -> AnyTensor:
    """Draw uniformly from ±√(6/((1 + slope²)·fan)): for ReLU, which lets only half of the variance through.

    The variance is 2/((1 + slope²) · fan); `slope` is that of a leaky ReLU on the left, `mode` names the fan.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun (2015), ICCV, eqs. 10 and 15.

    Examples
    --------
    >>> from bplib.nn import Linear
    >>> bool(abs(kaiming_uniform_(Linear(6, 3, rng=0).weight, rng=0).data).max() <= 1.0)
    True
    """
    spread = _kaiming("kaiming_uniform_", parameter, slope, mode)
    return uniform_(parameter, -math.sqrt(3) * spread, math.sqrt(3) * spread, rng=rng)


def kaiming_normal_(parameter: AnyTensor, *, slope: float = 0.0, mode: str = "fan_in", rng: Source = None) -> AnyTensor:
    """Draw from a normal distribution of variance 2/((1 + slope²) · fan): for ReLU and leaky ReLU.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun (2015), ICCV, eqs. 10 and 15.

    Examples
    --------
    >>> from bplib.nn import Linear
    >>> kaiming_normal_(Linear(6, 3, rng=0).weight, mode="fan_out", rng=0).shape
    (6, 3)
    """
    return normal_(parameter, 0.0, _kaiming("kaiming_normal_", parameter, slope, mode), rng=rng)


def _xavier(name: str, parameter: Tensor, gain: float) -> float:
    gain = as_number(gain, "gain", name, least=0.0)
    return gain * math.sqrt(2.0 / sum(_fans(name, parameter)))


def _kaiming(name: str, parameter: Tensor, slope: float, mode: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(name, parameter), strict=True))
    if not isinstance(mode, str) or mode not in fans:
        raise DomainError(f'{name}: mode is {mode!r}. Expected "fan_in" or "fan_out".')
    return math.sqrt(2.0 / ((1.0 + as_number(slope, "slope", name) ** 2) * fans[mode]))


def _fans(name: str, parameter: Tensor) -> tuple[int, int]:
    """Give how many numbers meet in a neuron on the way forward, and on the way back."""
    _check(name, parameter)
    shape = parameter.shape
    if len(shape) == 2:
        return shape
    if len(shape) == 4:
        window = shape[2] * shape[3]
        return shape[1] * window, shape[0] * window
    raise ShapeError(
        f"{name}: the parameter has shape {shape}. Expected the weight of a linear layer, (in, out), or of a "
        "convolution, (out, in, height, width). For a bias, try zeros_."
    )


def _check(name: str, parameter: object) -> None:
    if not isinstance(parameter, Tensor):
        raise DataError(f"{name}: expected a parameter, got {type(parameter).__name__}. Try layer.weight.")


def _generator(rng: Source, name: str) -> np.random.Generator:
    return np.random.default_rng() if rng is None else as_generator(rng, name)
