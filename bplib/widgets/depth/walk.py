"""Gradient descent near a point where the gradient is 0: what the noise does, and how the surface bends there."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from bplib.landscape import Surface, surface
from bplib.optim import sgd_step

__all__ = ["LIMIT", "MOST_STEPS", "SURFACES", "Walk", "curvatures_at_zero", "kind_of_point", "walk"]

Floats = npt.NDArray[np.float64]

LIMIT = 2.0
"""Both weights lie between -2 and 2 in the picture."""
MOST_STEPS = 100


class _Place(NamedTuple):
    """A surface that is flat at 0, and what its two directions there are called."""

    surface: Surface
    directions: Floats
    scale: float
    names: tuple[str, str]


SURFACES: dict[str, _Place] = {
    "saddle": _Place(surface("saddle"), np.eye(2), 1.0, ("w₁", "w₂")),
    "bowl": _Place(surface("bowl", condition_number=1, curvature=2), np.eye(2), 1.0, ("w₁", "w₂")),
    "linear_network": _Place(
        surface("linear_network"), np.array([[1.0, -1.0], [1.0, 1.0]]), np.sqrt(0.5), ("(w₁ − w₂)", "(w₁ + w₂)")
    ),
}
"""Name in the code -> the surface, its two directions at 0 as rows, the one that bends up first, and their names."""


@final
@dataclass(frozen=True)
class Walk:
    """A descent of 100 steps; it stops where it leaves the picture.

    Parameters
    ----------
    points : ndarray, shape (101, 2)
        The weights after each step; from where it left on always the same.
    heights : ndarray, shape (101,)
        The loss there.
    slopes : ndarray, shape (101,)
        Length of the gradient there, without noise.
    eigenvalues : ndarray, shape (101, 2)
        Of the Hessian there, the one whose vector is nearer to the first direction of the surface first.
    distances : ndarray, shape (101, 2)
        How far from 0 along each of the two directions of the surface, at least 0.
    left : int or None
        The step that led out of the picture.
    """

    points: Floats
    heights: Floats
    slopes: Floats
    eigenvalues: Floats
    distances: Floats
    left: int | None


@lru_cache(maxsize=64)
def walk(name: str, start: tuple[float, float], lr: float, noise: float, seed: int = 2) -> Walk:
    """Walk down a surface by plain gradient descent, with normal noise on each gradient.

    θ ← θ − η (∇f(θ) + noise · ε),   ε standard normal

    Parameters
    ----------
    name : str
        A key of `SURFACES`.
    start : tuple of float
    lr, noise : float
    seed : int
        Of the noise.

    Returns
    -------
    Walk

    Examples
    --------
    >>> on_the_ridge = walk("saddle", (1.6, 0.0), 0.1, 0.0)
    >>> print(f"{on_the_ridge.points[100, 0]:.1e}"), float(on_the_ridge.points[100, 1]), on_the_ridge.left
    3.3e-10
    (None, 0.0, None)
    >>> walk("saddle", (1.6, 0.0), 0.1, 1e-5).left
    77
    """
    place = SURFACES[name]
    points, left = _points(place.surface, start, lr, noise, seed)
    slopes = np.linalg.norm(place.surface.gradient(points), axis=-1)
    # Added first, scaled afterwards: on the ridge the sum is exactly 0.
    distances = np.abs(points @ place.directions.T) * place.scale
    return Walk(points, place.surface.f(points), slopes, _eigenvalues(place, points), distances, left)


def _eigenvalues(place: _Place, points: Floats) -> Floats:
    values, vectors = np.linalg.eigh(place.surface.hessian(points))
    alike = np.abs(place.directions[0] @ vectors)
    return np.take_along_axis(values, np.argsort(-alike, axis=-1), axis=-1)


def _points(
    place: Surface, start: tuple[float, float], lr: float, noise: float, seed: int
) -> tuple[Floats, int | None]:
    rng = np.random.default_rng(seed)
    theta = np.array(start, dtype=np.float64)
    points = np.tile(theta, (MOST_STEPS + 1, 1))
    for k in range(1, MOST_STEPS + 1):
        gradient = place.gradient(theta)
        if noise:
            gradient = gradient + noise * rng.standard_normal(2)
        sgd_step(theta, gradient, lr=lr)
        points[k:] = theta
        if np.abs(theta).max() > LIMIT:
            return points, k
    return points, None


def curvatures_at_zero(name: str) -> tuple[float, float]:
    """The eigenvalues of a surface's Hessian at 0, the larger one first; its two directions are their vectors.

    Parameters
    ----------
    name : str
        A key of `SURFACES`.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> curvatures_at_zero("saddle"), curvatures_at_zero("linear_network")
    ((2.0, -2.0), (1.0, -1.0))
    """
    low, high = np.linalg.eigvalsh(SURFACES[name].surface.hessian(np.zeros(2)))
    return float(high), float(low)


def kind_of_point(eigenvalues: npt.ArrayLike) -> str:
    """What a point of gradient 0 is, by the eigenvalues of its Hessian.

    Parameters
    ----------
    eigenvalues : array_like, shape (2,)

    Returns
    -------
    {"minimum", "maximum", "saddle", "undecided"}
        Undecided where one of them is 0.

    Examples
    --------
    >>> kind_of_point([2.0, -2.0]), kind_of_point([2.0, 2.0])
    ('saddle', 'minimum')
    """
    low, high = np.sort(np.asarray(eigenvalues, dtype=np.float64))
    if low < 0 < high:
        return "saddle"
    if low > 0 or high < 0:
        return "minimum" if low > 0 else "maximum"
    return "undecided"
