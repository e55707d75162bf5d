"""Lines and planes through the loss surface of a model, around the parameters that it has."""

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bplib.checks import as_count, as_number, as_size, as_truth
from bplib.errors import DomainError, ShapeError
from bplib.landscape.objective import Loss, Objective, as_direction
from bplib.landscape.rows import blocks_of
from bplib.landscape.surfaces import Array
from bplib.modes import no_grad
from bplib.nn import Module

__all__ = ["LossLine", "LossPlane", "interpolate", "slice_1d", "slice_2d"]

_PATIENCE = 1.0  # seconds without a bar


class LossLine(NamedTuple):
    """The loss along a line θ + a·u.

    Attributes
    ----------
    a : numpy.ndarray, shape (n,)
        The coordinates.
    losses : numpy.ndarray, shape (n,)
        The loss at each of them; infinite or NaN where the model overflows.
    centre : int or None
        The index at which a = 0, the model itself; None for an even n, which steps over it.
    """

    a: Array
    losses: Array
    centre: int | None


class LossPlane(NamedTuple):
    """The loss on a plane θ + a·u + b·v.

    Attributes
    ----------
    a, b : numpy.ndarray, shape (n,)
        The coordinates.
    losses : numpy.ndarray, shape (n, n)
        losses[i, j] is the loss at a[i], b[j]; a picture with a to the right shows ``losses.T``.
    centre : (int, int) or None
        The indices at which a = b = 0, the model itself; None for an even n, which steps over it.
    """

    a: Array
    b: Array
    losses: Array
    centre: tuple[int, int] | None


def slice_1d(
    model: Module,
    loss: Loss,
    data: tuple[Any, Any],
    direction: Any,
    span: float = 1.0,
    n: int = 101,
    *,
    progress: bool = True,
) -> LossLine:
    """Walk along a line through the loss surface: L(θ + a·u) for a from −span to span.

    Parameters
    ----------
    model : Module
        Any; its θ is the same bit for bit afterwards, also after an error or an interrupt.
    loss : callable
        ``loss(prediction, target) -> Tensor``, one number, such as ``bplib.losses.mse``.
    data : (X, y)
        Examples, one a row, and their targets; all are taken at once.
    direction : array_like, shape (p,)
        u, one number for each parameter, such as ``model.theta_grad`` or a random direction.
    span : float > 0
        How far to go, in lengths of u.
    n : int ≥ 2
        How many points; an odd number has the model itself in the middle.
    progress : bool
        Show a bar when it takes long.

    Returns
    -------
    LossLine
        ``a`` and ``losses`` of shape (n,), and the index ``centre``.

    Raises
    ------
    ShapeError
        If `direction` is not as long as θ, or the loss is not one number.
    DomainError
        If `direction` is 0 or not finite, θ is not finite, or `span` or `n` lies outside its range.
    DataError
        If model, loss or data are of another kind.

    Notes
    -----
    The model is asked in evaluation mode, as after ``model.eval()``: dropout lets everything through, and batch
    normalisation takes its running averages, so that each point is one fixed function. Afterwards every
    module is in the mode in which it was. In training mode a slice would be noise, and would change the averages.

    References
    ----------
    I. J. Goodfellow, O. Vinyals and A. M. Saxe (2015), ICLR, arXiv 1412.6544: the loss along a line.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, bias=False, rng=0)
    >>> model.weight.assign([[3.0]])
    >>> line = slice_1d(model, bplib.losses.mse, ([[1.0], [2.0]], [[3.0], [6.0]]), [1.0], n=5)
    >>> line.losses
    array([2.5  , 0.625, 0.   , 0.625, 2.5  ])
    >>> line.centre, model.theta
    (2, array([3.]))
    """
    at = Objective(model, loss, data, "slice_1d")
    u = as_direction(direction, "direction", at.origin, "slice_1d")
    a = _coordinates(span, as_size(n, "n", 2, "slice_1d"), "slice_1d")
    return LossLine(a, _losses(at, at.origin, (u, u), np.zeros(1), a, progress)[0], _middle(n))


def slice_2d(
    model: Module,
    loss: Loss,
    data: tuple[Any, Any],
    directions: Any,
    span: float = 1.0,
    n: int = 51,
    *,
    progress: bool = True,
) -> LossPlane:
    """Cut a plane through the loss surface: L(θ + a·u + b·v) for a and b from −span to span.

    Parameters
    ----------
    model : Module
        Any; its θ is the same bit for bit afterwards, also after an error or an interrupt.
    loss : callable
        ``loss(prediction, target) -> Tensor``, one number, such as ``bplib.losses.mse``.
    data : (X, y)
        Examples, one a row, and their targets; all are taken at once.
    directions : array_like, shape (2, p)
        u and v, such as `filter_normalised_directions` or `pca_directions` give them.
    span : float > 0
        How far to go each way, in lengths of u and v.
    n : int ≥ 2
        How many points along each direction; an odd number has the model itself in the middle.
    progress : bool
        Show a bar when it takes long.

    Returns
    -------
    LossPlane
        ``a`` and ``b`` of shape (n,), ``losses`` of shape (n, n), and the indices ``centre``.

    Raises
    ------
    ShapeError
        If there are not two directions as long as θ, or the loss is not one number.
    DomainError
        If a direction is 0 or not finite, θ is not finite, or `span` or `n` lies outside its range.
    DataError
        If model, loss or data are of another kind.

    Notes
    -----
    The model is asked in evaluation mode; see `slice_1d`. A `Sequential` of linear layers with tanh, ReLU and sigmoid
    under `mse` or `cross_entropy` is computed for many points at once; every other model point by point.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), NeurIPS, arXiv 1712.09913, section 4.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, rng=0)
    >>> model.theta = [3.0, 1.0]
    >>> plane = slice_2d(model, bplib.losses.mse, ([[-1.0], [1.0]], [[-2.0], [4.0]]), [[1.0, 0.0], [0.0, 1.0]], n=3)
    >>> plane.losses
    array([[2., 1., 2.],
           [1., 0., 1.],
           [2., 1., 2.]])
    """
    at = Objective(model, loss, data, "slice_2d")
    pair = list(directions) if np.iterable(directions) else [directions]
    if len(pair) != 2:
        raise ShapeError(
            f"slice_2d: directions hold {len(pair)} rows. Expected two vectors, each of shape ({at.theta.size},). "
            "Try filter_normalised_directions(model)."
        )
    u, v = (as_direction(d, f"directions[{i}]", at.origin, "slice_2d") for i, d in enumerate(pair))
    n = as_size(as_count(n, "n", 2, "slice_2d"), "n", 2, "slice_2d", columns=n)
    a = _coordinates(span, n, "slice_2d")
    middle = _middle(n)
    losses = _losses(at, at.origin, (u, v), a, a, progress)
    return LossPlane(a, a.copy(), losses, None if middle is None else (middle, middle))


def interpolate(
    model: Module, loss: Loss, data: tuple[Any, Any], theta_a: Any, theta_b: Any, n: int = 51, *, progress: bool = True
) -> LossLine:
    """Walk straight from one set of parameters to another: L((1 − α)·θₐ + α·θᵦ) for α from 0 to 1.

    Parameters
    ----------
    model : Module
        Whose parameters they are; its own θ plays no part and stays as it is.
    loss : callable
        ``loss(prediction, target) -> Tensor``, one number.
    data : (X, y)
        Examples, one a row, and their targets.
    theta_a, theta_b : array_like, shape (p,)
        Two vectors, such as ``model.theta.copy()`` before and after a training.
    n : int ≥ 2
        How many points, both ends included.
    progress : bool
        Show a bar when it takes long.

    Returns
    -------
    LossLine
        ``a`` holds α; ``centre`` is 0, the index of θₐ.

    Raises
    ------
    ShapeError, DomainError, DataError
        As for `slice_1d`; also if both vectors are the same.

    References
    ----------
    I. J. Goodfellow, O. Vinyals and A. M. Saxe (2015), ICLR, arXiv 1412.6544.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, bias=False, rng=0)
    >>> interpolate(model, bplib.losses.mse, ([[1.0]], [[1.0]]), [0.0], [2.0], n=3).losses
    array([1., 0., 1.])
    """
    at = Objective(model, loss, data, "interpolate")
    first, last = (as_direction(theta, name, at.origin, "interpolate", zero=True)
                   for theta, name in ((theta_a, "theta_a"), (theta_b, "theta_b")))  # fmt: skip
    if np.array_equal(first, last):
        raise DomainError(
            "interpolate: theta_a and theta_b are the same. Expected two vectors. Did you forget .copy()?"
        )
    alpha = np.linspace(0.0, 1.0, as_size(n, "n", 2, "interpolate"))
    way = last - first
    return LossLine(alpha, _losses(at, first, (way, way), np.zeros(1), alpha, progress)[0], 0)


def _losses(at: Objective, origin: Array, directions: tuple[Array, Array], a: Array, b: Array, show: bool) -> Array:
    """Give the loss at origin + a[i]·u + b[j]·v as losses[i, j]."""
    losses = np.empty((len(a), len(b)))
    show = as_truth(show, "progress", at.caller)

    def work() -> None:
        at.theta[...] = origin
        # The first time the library says what does not fit, the second shows how long a point takes.
        here = at.value()
        began = time.perf_counter()
        at.value()
        takes_long = (time.perf_counter() - began) * losses.size > _PATIENCE
        with _bar(losses.size) if show and takes_long else nullcontext() as bar:
            tick = _nothing if bar is None else bar.update
            blocks = blocks_of(at)
            fill = partial(_point_by_point, at) if blocks is None else partial(blocks.fill, at)
            fill(origin, *directions, a, b, losses, tick)
        losses[np.ix_(a == 0, b == 0)] = here

    with no_grad(), np.errstate(all="ignore"):
        at.visit(work)
    return losses


def _point_by_point(
    at: Objective, origin: Array, u: Array, v: Array, a: Array, b: Array, losses: Array, tick: Callable[[int], Any]
) -> None:
    if len(a) == 1:  # a line: its points are the rows, each of which is noted
        u, v, a, b, losses = v, u, b, a, losses.T
    model, number, X, theta = at.model, at.number, at.inputs, at.theta
    start, step = np.empty_like(theta), np.empty_like(theta)
    steps = b.tolist()
    for i, along in enumerate(a.tolist()):
        np.add(origin, np.multiply(u, along, start), start)
        for j, across in enumerate(steps):
            np.add(start, np.multiply(v, across, step), theta)
            losses[i, j] = number(model(X))
        tick(len(steps))


def _nothing(points: int) -> None:
    """Note that points are done, where nobody watches."""


def _bar(points: int) -> Any:
    from tqdm import tqdm  # imported where it is shown: `import bplib` stays quick

    # Standard output: a notebook paints everything on standard error red. The variable TQDM_DISABLE decides.
    return tqdm(total=points, desc="loss surface", unit="point", file=sys.stdout, delay=_PATIENCE, leave=False)


def _coordinates(span: float, n: int, caller: str) -> Array:
    """Give n numbers from −span to span; both ends, and a middle, are exact."""
    if as_number(span, "span", caller, least=0.0) == 0:
        raise DomainError(f"{caller}: span is 0. Expected a number above 0. Try span=1.0.")
    return float(span) * ((2.0 * np.arange(n) - (n - 1)) / (n - 1))


def _middle(n: int) -> int | None:
    return n // 2 if n % 2 else None
