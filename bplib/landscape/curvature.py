"""How a loss surface bends: its Hessian times a vector, and its sharpness.

The library gives first derivatives. A second one is the difference of two first ones: two backward passes for
the product of the Hessian with a vector, whatever the number of parameters.
"""

from typing import Any, NamedTuple

import numpy as np

from bplib.checks import as_count, as_generator, as_number
from bplib.errors import DomainError
from bplib.landscape.objective import Loss, Objective, as_direction
from bplib.landscape.surfaces import Array
from bplib.nn import Module

__all__ = ["Eigenpair", "hessian_vector_product", "largest_eigenpair", "sharpness"]

_MIXED_AFTER = 10  # iterations
_MIXED = 0.1


class Eigenpair(NamedTuple):
    """An eigenvalue of the Hessian, and how far the search for it came.

    Attributes
    ----------
    eigenvalue : float
        λ, the best estimate.
    vector : numpy.ndarray, shape (p,)
        v, of length 1.
    residual : float
        ‖Hv − λv‖: an eigenvalue lies at most this far from λ.
    iterations : int
        Products with the Hessian that it took.
    converged : bool
        Whether the residual fell below the tolerance.
    """

    eigenvalue: float
    vector: Array
    residual: float
    iterations: int
    converged: bool


def hessian_vector_product(model: Module, loss: Loss, data: tuple[Any, Any], vector: Any) -> Array:
    """Multiply the Hessian of the loss, ∂²L/∂θ², by a vector, without forming the Hessian.

    Hv ≈ (∇L(θ + εv) − ∇L(θ − εv)) / (2ε) with ε‖v‖ = ∛(rounding error) · max(1, ‖θ‖)

    Parameters
    ----------
    model : Module
        Any; θ, every ``.grad`` and the modes are the same afterwards. It is asked in evaluation mode.
    loss : callable
        ``loss(prediction, target) -> Tensor``, one number.
    data : (X, y)
        Examples, one a row, and their targets; all are taken at once.
    vector : array_like, shape (p,)
        v, one number for each parameter.

    Returns
    -------
    numpy.ndarray of float64, shape (p,)
        Good to about 9 digits of the largest for float64, and 3 for float32. A frozen parameter counts
        as a constant: 0 in the product, and its entry of `vector` plays no part.

    Raises
    ------
    ShapeError
        If `vector` is not as long as θ, or the loss is not one number.
    DomainError
        If `vector`, θ or the gradient is not finite.
    GraphError
        If no parameter asks for a gradient, or recording is off.
    DataError
        If model, loss or data are of another kind.

    Notes
    -----
    A smaller step drowns in rounding, a larger one sees the surface bend; the cube root balances both. A ReLU network
    is flat between its kinks: the product is that of the piece on which θ lies, unless a kink lies within the step.

    References
    ----------
    B. A. Pearlmutter (1994), Neural Computation 6(1), 147-160, gives the exact product, and this one to compare.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, bias=False, rng=0)
    >>> hessian_vector_product(model, bplib.losses.mse, ([[1.0], [3.0]], [[0.0], [0.0]]), [1.0]).round(6)
    array([10.])
    """
    at = Objective(model, loss, data, "hessian_vector_product")
    v = _without_frozen(at, as_direction(vector, "vector", at.origin, at.caller, zero=True))
    return at.visit(lambda: _product(at, v)[0])


def sharpness(
    model: Module,
    loss: Loss,
    data: tuple[Any, Any],
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    rng: np.random.Generator | int | None = None,
) -> float:
    """Give the sharpness at θ: the largest eigenvalue of the Hessian of the loss.

    Gradient descent with a learning rate above 2/sharpness overshoots further and further along the sharpest direction.

    Parameters
    ----------
    model : Module
        Any; θ, every ``.grad`` and the modes are the same afterwards. It is asked in evaluation mode.
    loss : callable
        ``loss(prediction, target) -> Tensor``, one number.
    data : (X, y)
        Examples, one a row, and their targets; all are taken at once.
    tolerance : float > 0
        The largest residual ‖Hv − λv‖, as a share of the largest eigenvalue in size. The error of λ is not
        larger, and mostly the square of that share.
    max_iterations : int ≥ 1
        How many products with the Hessian before it gives up.
    rng : numpy.random.Generator or int, optional
        Where the search starts; seed 0 if left out.

    Returns
    -------
    float
        The largest eigenvalue, not that of largest size: negative only at a maximum.

    Raises
    ------
    DomainError
        If the search has not converged, with the best estimate in the message: `largest_eigenpair` returns it instead.
    ShapeError, GraphError, DataError
        As for `hessian_vector_product`.

    References
    ----------
    J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter and A. Talwalkar (2021), ICLR, arXiv 2103.00065.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(2, 1, bias=False, rng=0)
    >>> round(sharpness(model, bplib.losses.mse, ([[1.0, 0.0], [0.0, 3.0]], [[0.0], [0.0]])), 4)
    9.0
    """
    at = Objective(model, loss, data, "sharpness")
    found = _search(at, None, tolerance=tolerance, max_iterations=max_iterations, rng=rng)
    if not found.converged:
        raise DomainError(
            f"sharpness: not found after {found.iterations} iterations. The best estimate is {found.eigenvalue:.6g}, "
            f"its residual {found.residual:.2g}. Expected a residual of at most {tolerance:g} times the largest size "
            "of an eigenvalue. Try a larger max_iterations or tolerance; largest_eigenpair gives the estimate as it is."
        )
    return found.eigenvalue


def largest_eigenpair(
    model: Module,
    loss: Loss,
    data: tuple[Any, Any],
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    rng: np.random.Generator | int | None = None,
    start: Any = None,
) -> Eigenpair:
    """Find the largest eigenvalue of the Hessian of the loss and its direction, by shifted power iteration.

    v ← (H + σI)v / ‖(H + σI)v‖ with λ = vᵀHv. With σ = 0 it finds the eigenvalue of largest size. If that is negative,
    or one of either sign is about as large, σ is set to its size, and the largest one comes out on top.

    Parameters
    ----------
    model, loss, data, tolerance, max_iterations, rng
        As for `sharpness`.
    start : array_like, shape (p,), optional
        Where the search starts, such as the vector found a few training steps earlier, which saves iterations.

    Returns
    -------
    Eigenpair
        Also if it has not converged; ask ``.converged``.

    Raises
    ------
    ShapeError, DomainError, GraphError, DataError
        As for `hessian_vector_product`.

    References
    ----------
    G. H. Golub and C. F. Van Loan (2013), *Matrix Computations*, 4th ed., Johns Hopkins, section 7.3.1.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(2, 1, bias=False, rng=0)
    >>> found = largest_eigenpair(model, bplib.losses.mse, ([[1.0, 0.0], [0.0, 3.0]], [[0.0], [0.0]]))
    >>> np.abs(found.vector).round(3), found.converged
    (array([0., 1.]), True)
    """
    at = Objective(model, loss, data, "largest_eigenpair")
    return _search(at, start, tolerance=tolerance, max_iterations=max_iterations, rng=rng)


def _search(at: Objective, start: Any, *, tolerance: float, max_iterations: int, rng: Any) -> Eigenpair:
    generator = as_generator(rng, at.caller)
    limit = as_count(max_iterations, "max_iterations", 1, at.caller)
    if as_number(tolerance, "tolerance", at.caller, least=0.0) == 0:
        raise DomainError(f"{at.caller}: tolerance is 0. Expected a number above 0. Try tolerance=1e-3.")
    first = generator.standard_normal(at.origin.size)
    v = _without_frozen(at, first if start is None else as_direction(start, "start", at.origin, at.caller))
    if not v.any():
        raise DomainError(f"{at.caller}: start is 0 in every parameter that is not frozen. Leave it out.")
    return at.visit(lambda: _iterate(at, v, tolerance, limit, generator))


def _iterate(at: Objective, v: Array, tolerance: float, limit: int, rng: np.random.Generator) -> Eigenpair:
    shift, since, best = 0.0, 0, Eigenpair(np.nan, v, np.inf, 0, False)
    for k in range(1, limit + 1):
        v = v / np.linalg.norm(v)
        bent, noise = _product(at, v)
        eigenvalue = float(v @ bent)
        residual = float(np.linalg.norm(bent - eigenvalue * v))
        size, since = float(np.linalg.norm(bent)), since + 1
        best = Eigenpair(eigenvalue, v, residual, k, residual <= tolerance * max(abs(eigenvalue), shift) + noise)
        if best.converged:
            if eigenvalue + shift >= -noise:
                return best
            # The one of largest size is negative: from now on it counts as 0, and the search begins anew.
            shift, v, since = -eigenvalue, _without_frozen(at, rng.standard_normal(v.size)), 0
            continue
        if shift == 0.0 and since == _MIXED_AFTER and residual > _MIXED * size:
            shift = size  # eigenvalues of both signs and about the same size: v would swing between them
        v = bent + shift * v
    return best._replace(converged=False)


def _without_frozen(at: Objective, v: Array) -> Array:
    """Give the vector in float64 with 0 for every frozen parameter, so that the Hessian stays symmetric."""
    free = np.concatenate([np.full(p.size, p.requires_grad) for p in at.model.parameters()])
    if not free.any():
        raise DomainError(f"{at.caller}: every parameter is frozen. Expected at least one with requires_grad=True.")
    return np.where(free, v.astype(np.float64), 0.0)


def _product(at: Objective, v: Array) -> tuple[Array, float]:
    """Give Hv, and about how much of it is rounding error for a vector of length 1."""
    length = float(np.linalg.norm(v))
    if length == 0.0:
        return np.zeros_like(v), 0.0
    nudge = float(np.finfo(at.origin.dtype).eps) ** (1 / 3)
    distance = nudge * max(1.0, float(np.linalg.norm(at.origin)))
    step = (distance / length) * v
    gradients = []
    for side in (step, -step):
        at.theta[...] = at.origin + side
        gradients.append(at.gradient())
    above, below = gradients
    if not (np.isfinite(above).all() and np.isfinite(below).all()):
        raise DomainError(
            f"{at.caller}: the gradient is not finite here. Expected a θ at which the loss has a slope. Look at the "
            "loss first, and at the scale of the data."
        )
    noise = 10.0 * float(np.finfo(at.origin.dtype).eps) / distance * float(np.linalg.norm(above))
    return (above - below) * (length / (2.0 * distance)), noise
