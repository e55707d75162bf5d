"""Small data sets made on the spot, the same ones every time."""

import numpy as np
from numpy.typing import NDArray

from bplib.checks import as_generator, as_number, as_size

__all__ = ["make_line", "make_moons", "xor"]


def make_line(
    n: int = 100,
    slope: float = 2.0,
    intercept: float = 1.0,
    noise: float = 0.1,
    rng: np.random.Generator | int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw points around a straight line: y = slope * x + intercept + noise * e, e standard normal.

    Parameters
    ----------
    n : int, at least 1
        Number of points.
    slope, intercept : float
        The line.
    noise : float, at least 0
        Standard deviation of the points around the line; the smallest mean squared error one
        can hope for is its square.
    rng : Generator or int, optional
        Draws x and e; seed 0 if left out.

    Returns
    -------
    X : ndarray, shape (n, 1), float64 in [-1, 1)
        Drawn evenly from that interval.
    y : ndarray, shape (n, 1), float64
        A column like `X`, so that a prediction (n, 1) and the target have one shape.

    Raises
    ------
    DomainError
        For `n` below 1, a negative `noise`, or a number that is not finite.
    DataError
        If `n` is no whole number or another argument no number.

    Examples
    --------
    >>> X, y = make_line(3, slope=2.0, intercept=1.0, noise=0.0)
    >>> np.allclose(y, 2 * X + 1)
    True
    """
    count = as_size(n, "n", 1, "make_line")
    a, b = as_number(slope, "slope", "make_line"), as_number(intercept, "intercept", "make_line")
    spread = as_number(noise, "noise", "make_line", least=0)
    generator = as_generator(rng, "make_line")
    X = generator.uniform(-1.0, 1.0, size=(count, 1))
    return X, a * X + b + spread * generator.standard_normal((count, 1))


def make_moons(
    n: int = 200, noise: float = 0.1, rng: np.random.Generator | int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw two half circles that reach into each other; no straight line parts them.

    Class 0 is (cos t, sin t), class 1 is (1 - cos t, 1/2 - sin t), with t evenly spaced on
    [0, pi]; normal noise of standard deviation `noise` is added to both coordinates.

    Parameters
    ----------
    n : int, at least 2
        Number of points; class 0 has the one more if `n` is odd.
    noise : float, at least 0
        Standard deviation of the noise, in units of the radius.
    rng : Generator or int, optional
        Draws noise and order; seed 0 if left out.

    Returns
    -------
    X : ndarray, shape (n, 2), float64
        The points, in shuffled order.
    y : ndarray, shape (n,), int64, 0 or 1
        Their classes.

    Raises
    ------
    DomainError
        For `n` below 2 or a negative `noise`.
    DataError
        If `n` is no whole number or `noise` no number.

    Examples
    --------
    >>> X, y = make_moons(100, noise=0.1)
    >>> X.shape, np.bincount(y)
    ((100, 2), array([50, 50]))
    """
    count = as_size(n, "n", 2, "make_moons", columns=2)
    spread = as_number(noise, "noise", "make_moons", least=0)
    generator = as_generator(rng, "make_moons")
    lower = count // 2
    t, u = np.linspace(0.0, np.pi, count - lower), np.linspace(0.0, np.pi, lower)
    upper_moon = np.column_stack([np.cos(t), np.sin(t)])
    lower_moon = np.column_stack([1.0 - np.cos(u), 0.5 - np.sin(u)])
    X = np.concatenate([upper_moon, lower_moon]) + spread * generator.standard_normal((count, 2))
    y = np.repeat([0, 1], [count - lower, lower]).astype(np.int64)
    order = generator.permutation(count)
    return X[order], y[order]


def xor() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the four points of exclusive or: y is 1 where exactly one of the two inputs is 1.

    The smallest data set that a model without a hidden layer cannot fit.

    Returns
    -------
    X : ndarray, shape (4, 2), float64
        (0, 0), (0, 1), (1, 0), (1, 1).
    y : ndarray, shape (4, 1), float64
        0, 1, 1, 0 as a column, the shape of the prediction of a network with one output.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Learning Internal Representations
    by Error Propagation, in Parallel Distributed Processing, vol. 1, "The XOR Problem".

    Examples
    --------
    >>> X, y = xor()
    >>> y.ravel()
    array([0., 1., 1., 0.])
    """
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return X, np.array([[0.0], [1.0], [1.0], [0.0]])
