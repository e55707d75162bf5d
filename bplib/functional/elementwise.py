"""Functions of one number, applied to every element."""

from typing import Any

import numpy as np

from bplib.checks import as_number
from bplib.engine import apply
from bplib.errors import DomainError
from bplib.protocols import stands_for
from bplib.rules import TABLE
from bplib.tensors import Tensor, as_tensor

__all__ = ["abs", "clip", "cos", "exp", "leaky_relu", "log", "relu", "sigmoid", "sin", "softplus", "sqrt", "tanh"]


def exp(x: Any) -> Tensor:
    """Give eˣ, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        Above about 709 the result is infinite in float64.

    Returns
    -------
    Tensor
        Of the shape of `x`, every element > 0. Its derivative is itself.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> exp([0.0, 1.0])
    tensor([1.      , 2.718282])
    """
    return apply(TABLE["exp"], as_tensor(x))


def log(x: Any) -> Tensor:
    """Give the natural logarithm ln x, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        Meant for x > 0; the result is −inf at 0 and NaN below.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: 1/x.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> log([1.0, 10.0])
    tensor([0.      , 2.302585])
    """
    return apply(TABLE["log"], as_tensor(x))


def sqrt(x: Any) -> Tensor:
    """Give the square root √x, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        Meant for x ≥ 0; the result is NaN below.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: 1/(2√x), infinite at 0.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> sqrt([4.0, 9.0])
    tensor([2., 3.])
    """
    return apply(TABLE["sqrt"], as_tensor(x))


def sin(x: Any) -> Tensor:
    """Give the sine of x, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The angles, in radians.

    Returns
    -------
    Tensor
        Of the shape of `x`, between −1 and 1. Derivative: cos x.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> sin([0.0, 1.0])
    tensor([0.      , 0.841471])
    """
    return apply(TABLE["sin"], as_tensor(x))


def cos(x: Any) -> Tensor:
    """Give the cosine of x, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The angles, in radians.

    Returns
    -------
    Tensor
        Of the shape of `x`, between −1 and 1. Derivative: −sin x.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.

    Examples
    --------
    >>> cos([0.0, 1.0])
    tensor([1.      , 0.540302])
    """
    return apply(TABLE["cos"], as_tensor(x))


def abs(x: Any) -> Tensor:
    """Give |x|, element by element.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: the sign of x, and 0 at the kink x = 0.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, chapter 14.

    Examples
    --------
    >>> abs([-2.0, 3.0])
    tensor([2., 3.])
    """
    return apply(TABLE["abs"], as_tensor(x))


def tanh(x: Any) -> Tensor:
    """Give the hyperbolic tangent, element by element.

    tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`, between −1 and 1. Derivative: 1 − tanh² x.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), *Efficient BackProp*, Springer LNCS 1524, section 4.4.

    Examples
    --------
    >>> tanh([0.0, 1.0])
    tensor([0.      , 0.761594])
    """
    return apply(TABLE["tanh"], as_tensor(x))


def sigmoid(x: Any) -> Tensor:
    """Give the logistic function σ, element by element, without overflow on either side.

    σ(x) = 1 / (1 + e⁻ˣ)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`, between 0 and 1. Derivative: σ · (1 − σ), at most ¼.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323, 533-536, equation 2.

    Examples
    --------
    >>> sigmoid([0.0, 1.5])
    tensor([0.5     , 0.817574])
    """
    return apply(TABLE["sigmoid"], as_tensor(x))


def softplus(x: Any) -> Tensor:
    """Give ln(1 + eˣ), element by element: a ReLU with a soft corner.

    softplus(x) = ln(1 + eˣ) = max(0, x) + ln(1 + e⁻|ˣ|)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers; nothing overflows, and nothing small is rounded away.

    Returns
    -------
    Tensor
        Of the shape of `x`, every element > 0. Derivative: the logistic function σ(x).

    References
    ----------
    C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia (2001), NIPS 13, 472-478.

    Examples
    --------
    >>> softplus([-1.0, 0.0, 1000.0])
    tensor([3.132617e-01, 6.931472e-01, 1.000000e+03])
    """
    return apply(TABLE["softplus"], as_tensor(x))


def relu(x: Any) -> Tensor:
    """Give max(0, x), element by element: the rectified linear unit.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.

    Returns
    -------
    Tensor
        Of the shape of `x`, every element ≥ 0. Derivative: 1 for x > 0, else 0, also at 0.

    References
    ----------
    V. Nair and G. E. Hinton (2010), ICML, 807-814.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    tensor([0., 2.])
    """
    return apply(TABLE["relu"], as_tensor(x))


def leaky_relu(x: Any, slope: float = 0.01) -> Tensor:
    """Give x where x > 0 and slope · x elsewhere, element by element: a ReLU that never falls silent.

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.
    slope : float, finite
        The slope on the left; usually between 0 and 1.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: 1 for x > 0, else the slope, also at 0.

    Raises
    ------
    DataError, DomainError
        If `slope` is no finite number.

    References
    ----------
    A. L. Maas, A. Y. Hannun and A. Y. Ng (2013), ICML Workshop on Deep Learning for Audio, Speech and Language
    Processing.

    Examples
    --------
    >>> leaky_relu([-2.0, 2.0], slope=0.1)
    tensor([-0.2,  2. ])
    """
    return apply(TABLE["leaky_relu"], as_tensor(x), settings=(as_number(slope, "slope", "leaky_relu"),))


def clip(x: Any, low: float | None = None, high: float | None = None) -> Tensor:
    """Keep every element between two limits.

    clip(x) = min(max(x, low), high)

    Parameters
    ----------
    x : Tensor or array_like of real numbers, any shape
        The numbers.
    low, high : float or None
        The limits, low ≤ high; None for no limit on that side.

    Returns
    -------
    Tensor
        Of the shape of `x`. Derivative: 1 where x was left as it is, limits included, else 0.

    Raises
    ------
    DomainError
        If both limits are None, one is not finite, or low > high.
    DataError
        If a limit is no number.

    References
    ----------
    A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, chapter 14.

    Examples
    --------
    >>> clip([-5.0, 0.5, 5.0], -1.0, 1.0)
    tensor([-1. ,  0.5,  1. ])
    """
    if low is None and high is None:
        raise DomainError("clip: low and high are both None. Expected at least one limit, for example high=1.0.")
    least = None if low is None else as_number(low, "low", "clip")
    most = None if high is None else as_number(high, "high", "clip")
    if least is not None and most is not None and least > most:
        raise DomainError(f"clip: low is {low}, high is {high}. Expected low ≤ high. Try to exchange them.")
    return apply(TABLE["clip"], as_tensor(x), settings=(least, most))


@stands_for(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:
    return clip(a, a_min if min is None else min, a_max if max is None else max)
