"""What a surface over two weights is: its height, and everything that is known about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Surface", "over_two_weights"]

Array = np.ndarray
Window = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Surface:
    """A function of two weights with everything known about it.

    Attributes
    ----------
    name : str
        The name under which `surface` finds it.
    f : callable
        The height: points of shape (..., 2) to heights of shape (...).
    gradient : callable
        ∇f: points of shape (..., 2) to gradients of the same shape.
    hessian : callable
        The matrix of second derivatives: points of shape (..., 2) to matrices of shape (..., 2, 2).
    minima : numpy.ndarray, shape (k, 2)
        The points of least height; k = 0 if there are none. Where they fill a whole curve, its flattest points.
    domain : ((float, float), (float, float))
        A window worth looking at: (low, high) for each weight.
    formula : str
        The height as a formula.
    source : str
        Author, year and place, or a word on what it was made for.
    lesser_minima : numpy.ndarray, shape (m, 2)
        The other minima: lowest among their neighbours, and yet not the lowest of all.
    """

    name: str
    f: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]
    minima: Array
    domain: Window
    formula: str
    source: str = ""
    lesser_minima: Array = field(default_factory=lambda: np.empty((0, 2)))

    def __repr__(self) -> str:
        return f"Surface({self.name!r}, f = {self.formula})"


def over_two_weights(
    name: str,
    height: Callable[[Array, Array], Any],
    slopes: Callable[[Array, Array], tuple[Any, Any]],
    bends: Callable[[Array, Array], tuple[Any, Any, Any]],
    *,
    minima: Sequence[tuple[float, float]],
    domain: Window,
    formula: str,
    source: str,
    lesser_minima: Sequence[tuple[float, float]] = (),
) -> Surface:
    """Make a surface from formulas in x = w₁ and y = w₂.

    Parameters
    ----------
    name, domain, formula, source
        As in `Surface`.
    height : callable
        f(x, y).
    slopes : callable
        (∂f/∂x, ∂f/∂y) at (x, y).
    bends : callable
        (∂²f/∂x², ∂²f/∂x∂y, ∂²f/∂y²) at (x, y).
    minima, lesser_minima : sequence of points
        As in `Surface`.

    Returns
    -------
    Surface
        Whose functions take stacks of points.

    Examples
    --------
    >>> bowl = over_two_weights("round bowl", lambda x, y: x * x + y * y, lambda x, y: (2 * x, 2 * y),
    ...                         lambda x, y: (2.0, 0.0, 2.0), minima=[(0, 0)], domain=((-1, 1), (-1, 1)),
    ...                         formula="w₁² + w₂²", source="")
    >>> bowl.hessian(np.zeros((5, 2))).shape
    (5, 2, 2)
    """

    def f(w: Array) -> Array:
        return height(*_split(w))

    def gradient(w: Array) -> Array:
        return np.stack(slopes(*_split(w)), axis=-1)

    def hessian(w: Array) -> Array:
        x, y = _split(w)
        xx, xy, yy, _ = np.broadcast_arrays(*bends(x, y), x)
        return np.stack([xx, xy, xy, yy], axis=-1).reshape(*x.shape, 2, 2)

    lowest, others = (np.array(points, dtype=np.float64).reshape(-1, 2) for points in (minima, lesser_minima))
    return Surface(name, f, gradient, hessian, lowest, domain, formula, source, others)


def _split(w: Array) -> tuple[Array, Array]:
    w = np.asarray(w)
    return w[..., 0], w[..., 1]
