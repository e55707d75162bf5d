"""Points in the plane that wind around each other, the same ones every time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bplib.checks import as_generator, as_number, as_size

__all__ = ["make_circles", "make_spirals"]

_INNER = 0.5
_FIRST = 0.1  # the arms do not begin in the centre, where they would meet


def make_circles(
    n: int = 200, *, noise: float = 0.05, rng: np.random.Generator | int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw a circle inside another: r (cos t, sin t), with r = 1 for class 0 and r = 1/2 for class 1.

    Parameters
    ----------
    n : int, at least 2
        Number of points, evenly spaced on each circle; class 0 has the one more if `n` is odd.
    noise : float, at least 0
        Standard deviation of the normal noise on both coordinates, in units of the outer radius.
    rng : Generator or int, optional
        Draws noise and order; seed 0 if left out.

    Returns
    -------
    X : ndarray, shape (n, 2), float64
        The points, in shuffled order; without noise in [-1, 1].
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
    >>> X, y = make_circles(100, noise=0.0)
    >>> np.unique(np.hypot(X[:, 0], X[:, 1]).round(6)), np.bincount(y)
    (array([0.5, 1. ]), array([50, 50]))
    """
    count = as_size(n, "n", 2, "make_circles", columns=2)
    sizes = (count - count // 2, count // 2)
    angles = [np.linspace(0.0, 2 * np.pi, size, endpoint=False) for size in sizes]
    return _noisy([(1.0, angles[0]), (_INNER, angles[1])], count, noise, rng, "make_circles")


def make_spirals(
    n: int = 200, turns: float = 1.5, *, noise: float = 0.02, rng: np.random.Generator | int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw two spirals wound into each other: r (cos t, sin t), t = 2 pi turns r + pi k for class k.

    Parameters
    ----------
    n : int, at least 2
        Number of points; class 0 has the one more if `n` is odd.
    turns : float, at least 0
        How often each arm goes round.
    noise : float, at least 0
        Standard deviation of the normal noise on both coordinates; the arms end at radius 1.
    rng : Generator or int, optional
        Draws noise and order; seed 0 if left out.

    Returns
    -------
    X : ndarray, shape (n, 2), float64
        The points, in shuffled order; without noise at radius 0.1 ... 1, evenly spaced in it.
    y : ndarray, shape (n,), int64, 0 or 1
        Their classes.

    Raises
    ------
    DomainError
        For `n` below 2 or a negative `turns` or `noise`.
    DataError
        If `n` is no whole number or another argument no number.

    References
    ----------
    K. J. Lang and M. J. Witbrock (1988), Learning to Tell Two Spirals Apart, Proceedings of the
    1988 Connectionist Models Summer School. Their spirals have three turns.

    Examples
    --------
    >>> X, y = make_spirals(100)
    >>> X.shape, np.bincount(y)
    ((100, 2), array([50, 50]))
    """
    count = as_size(n, "n", 2, "make_spirals", columns=2)
    winding = 2 * np.pi * as_number(turns, "turns", "make_spirals", least=0)
    radii = [np.linspace(_FIRST, 1.0, size) for size in (count - count // 2, count // 2)]
    arms = [(r, winding * r + np.pi * k) for k, r in enumerate(radii)]
    return _noisy(arms, count, noise, rng, "make_spirals")


def _noisy(
    curves: Sequence[tuple[NDArray[np.float64] | float, NDArray[np.float64]]],
    count: int,
    noise: float,
    rng: np.random.Generator | int | None,
    caller: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Turn radius and angle of each class into shuffled points with noise."""
    spread, generator = as_number(noise, "noise", caller, least=0), as_generator(rng, caller)
    points = [np.column_stack([r * np.cos(t), r * np.sin(t)]) for r, t in curves]
    X = np.concatenate(points) + spread * generator.standard_normal((count, 2))
    y = np.repeat(np.arange(len(points)), [len(part) for part in points]).astype(np.int64)
    order = generator.permutation(count)
    return X[order], y[order]
