"""Directions in which to look at a loss surface, and where a training run lies on such a plane."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from bplib.checks import as_count, as_floats, as_generator
from bplib.errors import DomainError, ShapeError
from bplib.landscape.objective import check_model
from bplib.landscape.surfaces import Array
from bplib.nn import Conv2d, Module

__all__ = ["PathPlane", "filter_normalised_directions", "pca_directions", "project", "random_directions"]


class PathPlane(NamedTuple):
    """The plane that shows most of a path through the space of parameters.

    Attributes
    ----------
    directions : numpy.ndarray, shape (count, p)
        Of length 1 and at right angles, the one that explains most first. The largest entry of each is positive.
    explained : numpy.ndarray, shape (count,)
        The share of the path's variance that lies along each, from 0 to 1.
    origin : numpy.ndarray, shape (p,)
        The last θ of the path, where the plane is cut.
    """

    directions: Array
    explained: Array
    origin: Array


def random_directions(model: Module, count: int = 2, *, rng: np.random.Generator | int | None = None) -> Array:
    """Draw directions with independent entries from N(0, 1).

    In many dimensions two of them are nearly at right angles.

    Parameters
    ----------
    model : Module
        Whose θ says how long a direction is.
    count : int ≥ 1
        How many.
    rng : numpy.random.Generator or int, optional
        Where the draws come from; seed 0 if left out.

    Returns
    -------
    numpy.ndarray of float64, shape (count, p)
        One direction a row, for `slice_1d` and `slice_2d`.

    Raises
    ------
    DataError, DomainError
        If `model` is no Module or has no parameters, `count` is below 1, or `rng` is no seed.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), NeurIPS, arXiv 1712.09913: why such directions
    must not be compared between networks.

    Examples
    --------
    >>> import bplib
    >>> random_directions(bplib.nn.Linear(3, 2), rng=0).shape
    (2, 8)
    """
    size = check_model(model, "random_directions").theta.size
    count = as_count(count, "count", 1, "random_directions")
    return as_generator(rng, "random_directions").standard_normal((count, size))


def filter_normalised_directions(
    model: Module, count: int = 2, *, rng: np.random.Generator | int | None = None
) -> Array:
    """Draw random directions in which each filter is as long as the model's own.

    d ← (d / ‖d‖) · ‖w‖ for every filter w: a ReLU network whose weights are large and whose next layer's are
    small computes the same as another, and would look flatter without this.

    Parameters
    ----------
    model : Module
        Whose weights set the lengths.
    count : int ≥ 1
        How many.
    rng : numpy.random.Generator or int, optional
        Where the draws come from; seed 0 if left out.

    Returns
    -------
    numpy.ndarray of float64, shape (count, p)
        One direction a row, for `slice_2d`.

    Raises
    ------
    DataError, DomainError
        As for `random_directions`; also if all weights are 0, and no direction is left.

    Notes
    -----
    The conventions: a filter of a `Linear` is a column of its weight, the weights of one neuron; of a `Conv2d` the
    window of one output channel; of any other parameter with several axes, what its last index selects. Parameters
    with one axis or none, biases and the scales of normalisation, do not move: their entries are 0.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), NeurIPS, arXiv 1712.09913, section 4.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(2, 1, rng=0)
    >>> model.theta = [3.0, 4.0, 7.0]
    >>> u, v = filter_normalised_directions(model, rng=0)
    >>> float(np.linalg.norm(u[:2]).round(12)), float(u[2])
    (5.0, 0.0)
    """
    caller = "filter_normalised_directions"
    check_model(model, caller)
    theta = model.theta.astype(np.float64)
    directions = random_directions(model, as_count(count, "count", 1, caller), rng=as_generator(rng, caller))
    windows = {id(module.weight) for module in model.modules() if isinstance(module, Conv2d)}
    start = 0
    for p in model.parameters():
        stop = start + p.size
        for d in directions:
            if p.ndim < 2:
                d[start:stop] = 0.0
            else:
                axis = 0 if id(p) in windows else p.ndim - 1
                _match(d[start:stop].reshape(p.shape), theta[start:stop].reshape(p.shape), axis)
        start = stop
    if not all(d.any() for d in directions):
        raise DomainError(
            f"{caller}: all weights of the model are 0, so every direction has length 0. Expected a model with other "
            "weights. Try random_directions(model)."
        )
    return directions


def pca_directions(path: Any, count: int = 2) -> PathPlane:
    """Find the plane in which a training run moves most, by principal component analysis of its θ.

    Parameters
    ----------
    path : array_like, shape (steps, p)
        θ after each step or epoch, such as a list of ``model.theta.copy()``.
    count : int ≥ 1
        How many directions.

    Returns
    -------
    PathPlane
        ``directions`` of shape (count, p), ``explained`` of shape (count,), and the ``origin``.

    Raises
    ------
    ShapeError
        If `path` has another shape, or too few rows or columns for so many directions.
    DomainError
        If it holds a number that is not finite, or never moves.

    Notes
    -----
    The directions are the first right singular vectors of the path minus its mean. A random walk in many dimensions
    has most of its variance in two directions as well: a large share is no proof that training is simple.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), NeurIPS, arXiv 1712.09913, section 7.

    Examples
    --------
    >>> plane = pca_directions([[0.0, 0.0, 5.0], [3.0, 1.0, 5.0], [6.0, 0.0, 5.0]])
    >>> plane.directions, plane.explained.round(3)
    (array([[1., 0., 0.],
           [0., 1., 0.]]), array([0.964, 0.036]))
    """
    thetas = _as_path(path, "pca_directions")
    count = as_count(count, "count", 1, "pca_directions")
    if len(thetas) <= count or thetas.shape[1] < count:
        raise ShapeError(
            f"pca_directions: the path has shape {thetas.shape}. Expected at least {count + 1} rows, one θ each, and "
            f"{count} columns for {count} directions. Note θ more often."
        )
    _, lengths, rows = np.linalg.svd(thetas - thetas.mean(axis=0), full_matrices=False)
    if lengths[0] <= np.finfo(np.float64).eps * np.abs(thetas).max(initial=0.0):
        raise DomainError(
            "pca_directions: the path never moves. Expected different rows. Keep model.theta.copy(), not model.theta, "
            "which is always the present one."
        )
    directions = rows[:count]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(count), largest])
    variances = np.square(lengths)
    return PathPlane(directions * signs[:, None] + 0.0, variances[:count] / variances.sum(), thetas[-1].copy())


def project(path: Any, origin: Any, directions: Any) -> Array:
    """Give the coordinates of a training run in a plane: θ ≈ origin + Σ cₖ·dₖ, as near as the plane comes.

    Parameters
    ----------
    path : array_like, shape (steps, p) or (p,)
        θ after each step or epoch; or one θ.
    origin : array_like, shape (p,)
        Where the plane is cut, such as the last θ.
    directions : array_like, shape (k, p)
        What spans it; neither of length 1 nor at right angles necessarily.

    Returns
    -------
    numpy.ndarray of float64, shape (steps, k) or (k,)
        The coordinates, those of `slice_2d` around `origin`.

    Raises
    ------
    ShapeError
        If the lengths of θ, origin and directions differ.
    DomainError
        If a number is not finite, or a direction follows from the others.

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), NeurIPS, arXiv 1712.09913, section 7.

    Examples
    --------
    >>> project([[1.0, 2.0, 9.0], [3.0, 1.0, 1.0]], origin=[1.0, 1.0, 1.0], directions=[[0, 2, 0], [1, 0, 0]])
    array([[0.5, 0. ],
           [0. , 2. ]])
    """
    single = np.ndim(path) == 1
    thetas = _as_path([path] if single else path, "project")
    start, spanning = as_floats(origin, np.float64), _as_path(directions, "project", "directions")
    if start.shape != thetas.shape[1:] or spanning.shape[1:] != start.shape:
        raise ShapeError(
            f"project: a θ of the path has {thetas.shape[1]} numbers, origin has shape {start.shape}, the directions "
            f"have {spanning.shape[1]}. Expected the same number everywhere: the parameters of one model."
        )
    if not np.isfinite(start).all():
        raise DomainError("project: origin holds a number that is not finite. Expected finite numbers.")
    coordinates, _, rank, _ = np.linalg.lstsq(spanning.T, (thetas - start).T, rcond=None)
    if rank < len(spanning):
        raise DomainError(
            "project: one of the directions follows from the others, so the coordinates are not unique. Expected "
            "directions that span a plane. Try pca_directions(path)."
        )
    return coordinates[:, 0] if single else coordinates.T + 0.0


def _match(direction: Array, weight: Array, axis: int) -> None:
    """Scale each filter of a direction, in place, to the length of the weight's."""
    others = tuple(k for k in range(weight.ndim) if k != axis)
    lengths, own = (np.sqrt(np.square(x).sum(axis=others, keepdims=True)) for x in (direction, weight))
    direction *= own / lengths


def _as_path(path: Any, caller: str, name: str = "path") -> Array:
    rows = [np.asarray(row) for row in path] if isinstance(path, Sequence) else path
    thetas = as_floats(rows, np.float64)
    if thetas.ndim != 2 or not thetas.size:
        raise ShapeError(
            f"{caller}: {name} has shape {thetas.shape}. Expected one vector a row, (rows, parameters). "
            "Try a list of model.theta.copy()."
        )
    if not np.isfinite(thetas).all():
        raise DomainError(f"{caller}: {name} holds {thetas[~np.isfinite(thetas)][0]}. Expected finite numbers.")
    return thetas
