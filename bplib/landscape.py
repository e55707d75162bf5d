"""Loss surfaces over two weights, and the paths that optimizers take on them.

A surface knows its height, its gradient, its curvature and its lowest points, all in closed
form, so that what an optimizer does on it can be checked exactly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bplib.checks import as_count, as_floats, as_number
from bplib.errors import DataError, DomainError, ShapeError
from bplib.optim import Optimizer, sgd_step
from bplib.tensors import Tensor

__all__ = ["Path", "Surface", "descend", "descend_rates", "surface"]

Array = np.ndarray


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
        The matrix of second derivatives: a point of shape (2,) to shape (2, 2).
    minima : numpy.ndarray, shape (k, 2)
        The points of least height; k = 0 if there are none.
    domain : ((float, float), (float, float))
        A window worth looking at: (low, high) for each weight.
    formula : str
        The height as a formula.
    """

    name: str
    f: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    hessian: Callable[[Array], Array]
    minima: Array
    domain: tuple[tuple[float, float], tuple[float, float]]
    formula: str

    def __repr__(self) -> str:
        return f"Surface({self.name!r}, f = {self.formula})"


def surface(name: str, **settings: float) -> Surface:
    """Give a named surface.

    Parameters
    ----------
    name : {"bowl", "ravine", "saddle", "rosenbrock"}
        Which one.
    **settings : float
        For the bowl: ``condition_number`` ≥ 1 (10) and ``curvature`` > 0, the larger
        eigenvalue of its Hessian (4). For the ravine: ``steepness`` > 0 (10).

    Returns
    -------
    Surface
        With height, gradient, Hessian, minima and a window.

    Raises
    ------
    DomainError
        If the name or a setting is unknown, or a setting lies outside its range.

    References
    ----------
    H. H. Rosenbrock (1960), Computer J. 3(3), 175-184.

    Examples
    --------
    >>> bowl = surface("bowl", condition_number=4, curvature=4)
    >>> bowl.f(np.array([1.0, 1.0])), bowl.gradient(np.array([1.0, 1.0]))
    (np.float64(2.5), array([1., 4.]))
    """
    if not isinstance(name, str) or name not in _MAKERS:
        raise DomainError(f"surface: there is no surface {name!r}. Expected one of {', '.join(sorted(_MAKERS))}.")
    maker, defaults = _MAKERS[name]
    unknown = settings.keys() - defaults.keys()
    if unknown:
        raise DomainError(
            f"surface: {name} has no setting {sorted(unknown)[0]!r}. Expected {', '.join(sorted(defaults)) or 'none'}."
        )
    values = {key: settings.get(key, value) for key, (value, _) in defaults.items()}
    for key, (_, least) in defaults.items():
        if as_number(values[key], key, "surface", least=least) == 0:
            raise DomainError(f"surface: {key} of the {name} is 0. Expected a number above 0.")
    return maker(**values)


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


def _pair(first: Array, second: Array) -> Array:
    return np.stack([first, second], axis=-1)


def _bowl(condition_number: float, curvature: float) -> Surface:
    eigenvalues = np.array([curvature / condition_number, curvature])
    return Surface(
        name="bowl",
        f=lambda w: 0.5 * (eigenvalues * np.square(w)).sum(axis=-1),
        gradient=lambda w: eigenvalues * w,
        hessian=lambda w: np.diag(eigenvalues),
        minima=np.zeros((1, 2)),
        domain=((-2.5, 2.5), (-2.5, 2.5)),
        formula=f"½({eigenvalues[0]:g}·w₁² + {eigenvalues[1]:g}·w₂²)",
    )


def _ravine(steepness: float) -> Surface:
    # A bowl turned by 45°: no axis points along the valley, so no single weight is "the slow one".
    h = np.array([[1.0 + steepness, 1.0 - steepness], [1.0 - steepness, 1.0 + steepness]]) / 2
    return Surface(
        name="ravine",
        f=lambda w: 0.5 * ((w @ h) * w).sum(axis=-1),
        gradient=lambda w: w @ h,
        hessian=lambda w: h.copy(),
        minima=np.zeros((1, 2)),
        domain=((-2.5, 2.5), (-2.5, 2.5)),
        formula=f"¼((w₁ + w₂)² + {steepness:g}·(w₁ − w₂)²)",
    )


def _saddle() -> Surface:
    signs = np.array([1.0, -1.0])
    return Surface(
        name="saddle",
        f=lambda w: (signs * np.square(w)).sum(axis=-1),
        gradient=lambda w: 2.0 * signs * w,
        hessian=lambda w: np.diag(2.0 * signs),
        minima=np.empty((0, 2)),
        domain=((-2.0, 2.0), (-2.0, 2.0)),
        formula="w₁² − w₂²",
    )


def _rosenbrock() -> Surface:
    def f(w: Array) -> Array:
        w = np.asarray(w)
        x, y = w[..., 0], w[..., 1]
        return (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2

    def gradient(w: Array) -> Array:
        w = np.asarray(w)
        x, y = w[..., 0], w[..., 1]
        bend = y - x * x
        return _pair(-2.0 * (1.0 - x) - 400.0 * x * bend, 200.0 * bend)

    def hessian(w: Array) -> Array:
        x, y = float(w[0]), float(w[1])
        return np.array([[2.0 + 1200.0 * x * x - 400.0 * y, -400.0 * x], [-400.0 * x, 200.0]])

    return Surface(
        name="rosenbrock",
        f=f,
        gradient=gradient,
        hessian=hessian,
        minima=np.array([[1.0, 1.0]]),
        domain=((-2.0, 2.0), (-1.0, 3.0)),
        formula="(1 − w₁)² + 100·(w₂ − w₁²)²",
    )


# For each surface: what makes it, and its settings with default and least value.
_MAKERS: dict[str, tuple[Callable[..., Surface], dict[str, tuple[float, float]]]] = {
    "bowl": (_bowl, {"condition_number": (10.0, 1.0), "curvature": (4.0, 0.0)}),
    "ravine": (_ravine, {"steepness": (10.0, 0.0)}),
    "saddle": (_saddle, {}),
    "rosenbrock": (_rosenbrock, {}),
}
