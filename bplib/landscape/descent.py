"""The paths that optimizers take on a surface over two weights."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bplib.checks import as_count, as_floats
from bplib.errors import DataError, DomainError, ShapeError
from bplib.landscape.surfaces import Array, Surface
from bplib.optim import Optimizer, sgd_step
from bplib.tensors import Tensor

__all__ = ["Path", "descend", "descend_rates"]


class Path(NamedTuple):
    """Where a descent went.

    Attributes
    ----------
    points : numpy.ndarray, shape (..., steps + 1, 2)
        The weights, the start included.
    losses : numpy.ndarray, shape (..., steps + 1)
        The height of the surface at each of them.
    """

    points: Array
    losses: Array


def descend(
    surface: Surface, optimizer: Callable[[list[Tensor]], Optimizer] | Optimizer, start: ArrayLike, steps: int
) -> Path:
    """Let an optimizer walk down a surface.

    Parameters
    ----------
    surface : Surface
        Where to walk.
    optimizer : callable, or Optimizer
        A function that makes an optimizer for a list of parameters, such as
        ``lambda params: Adam(params, lr=0.1)``; or an optimizer whose settings are taken.
    start : two floats
        The first point.
    steps : int ≥ 0
        How many steps.

    Returns
    -------
    Path
        ``points`` of shape (steps + 1, 2) and ``losses`` of shape (steps + 1,).

    Raises
    ------
    ShapeError
        If `start` is not two numbers.
    DomainError
        If `start` is not finite, or `steps` is negative or no whole number.

    Examples
    --------
    >>> from bplib.landscape import surface
    >>> from bplib.optim import SGD
    >>> path = descend(surface("bowl"), lambda w: SGD(w, lr=0.25), start=(0.0, 2.0), steps=1)
    >>> path.points.tolist(), path.losses.tolist()
    ([[0.0, 2.0], [0.0, 0.0]], [8.0, 0.0])
    """
    _check_surface(surface)
    theta = Tensor(_start_of(start), requires_grad=True)
    walker = _walker(optimizer, theta)
    points = np.empty((as_count(steps, "steps", 0, "descend") + 1, 2))
    points[0] = theta.data
    # A diverging walk overflows in the end: the infinities are its result, not an accident.
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, len(points)):
            theta.grad = surface.gradient(theta.data)
            walker.step()
            points[k] = theta.data
        return Path(points, surface.f(points))


def descend_rates(surface: Surface, rates: ArrayLike, start: ArrayLike, steps: int) -> Path:
    """Walk down a surface by plain gradient descent with many learning rates at once.

    Parameters
    ----------
    surface : Surface
        Where to walk.
    rates : sequence of r floats ≥ 0
        The learning rates.
    start : two floats
        The first point of every walk.
    steps : int ≥ 0
        How many steps.

    Returns
    -------
    Path
        ``points`` of shape (r, steps + 1, 2) and ``losses`` of shape (r, steps + 1).

    Raises
    ------
    ShapeError, DomainError
        As for `descend`.

    Examples
    --------
    >>> from bplib.landscape import surface
    >>> descend_rates(surface("bowl"), [0.1, 0.25], start=(0.0, 1.0), steps=2).points[:, -1, 1].round(2)
    array([0.36, 0.  ])
    """
    _check_surface(surface)
    lr = as_floats(rates)
    if lr.ndim != 1 or not np.all((lr >= 0) & np.isfinite(lr)):
        raise DomainError("descend_rates: rates must be a list of finite numbers of at least 0, such as [0.1, 0.2].")
    theta = np.repeat(_start_of(start)[None], len(lr), axis=0)
    points = np.empty((as_count(steps, "steps", 0, "descend") + 1, len(lr), 2))
    points[0] = theta
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, len(points)):
            sgd_step(theta, surface.gradient(theta), lr=lr[:, None])
            points[k] = theta
        points = points.swapaxes(0, 1)
        return Path(points, surface.f(points))


def _walker(optimizer: Any, theta: Tensor) -> Optimizer:
    if isinstance(optimizer, Optimizer):
        settings = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
        return type(optimizer)([theta], **settings)
    made = optimizer([theta]) if callable(optimizer) and not isinstance(optimizer, type) else None
    if not isinstance(made, Optimizer) or made.param_groups[0]["params"][0] is not theta:
        raise DataError(
            "descend: optimizer must make an optimizer for a list of parameters. "
            "Try lambda params: SGD(params, lr=0.1)."
        )
    return made


def _check_surface(surface: Any) -> None:
    if not isinstance(surface, Surface):
        raise DataError(f'descend: surface is {surface!r}. Expected a Surface. Try surface("bowl").')


def _start_of(start: ArrayLike) -> Array:
    point = as_floats(start, np.float64, copy=True)
    if point.shape != (2,):
        raise ShapeError(f"descend: start has shape {point.shape}. Expected two numbers, such as (1.0, 2.0).")
    if not np.isfinite(point).all():
        raise DomainError(f"descend: start is {point.tolist()}. Expected two finite numbers, such as (1.0, 2.0).")
    return point
