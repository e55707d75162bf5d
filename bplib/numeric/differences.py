"""Derivatives by arithmetic alone: nudge an input, see what happens to the output.

This knows nothing of the chain rule, which makes it the judge of everything that does.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bplib.checks import as_array, as_floats, as_number
from bplib.errors import DataError, DomainError, ShapeError

__all__ = ["NUDGE", "central_difference", "complex_step", "convergence_order", "forward_difference"]

Array = np.ndarray

# The best nudge for central differences in float64 is about the cube root of the rounding error, for forward
# differences its square root: smaller and rounding wins, larger and the curve bends away (W. H. Press et al. 2007,
# Numerical Recipes, section 5.7).
NUDGE = float(np.finfo(np.float64).eps) ** (1 / 3)
_FORWARD_NUDGE = float(np.finfo(np.float64).eps) ** (1 / 2)


def central_difference(f: Callable[[np.ndarray], float], x: Any, h: float = NUDGE) -> Array:
    """Estimate the gradient of a function of an array, one element at a time.

    ∂f/∂xᵢ ≈ (f(x + hᵢeᵢ) − f(x − hᵢeᵢ)) / (2hᵢ) with hᵢ = h · max(1, |xᵢ|); the error shrinks with h².

    Parameters
    ----------
    f : callable
        Takes a float64 array of the shape of `x`, gives one number.
    x : array_like of real numbers
        Where.
    h : float > 0
        The nudge, relative to elements larger than 1. The default, 6e-6, balances rounding
        against curvature.

    Returns
    -------
    numpy.ndarray of float64, shape of `x`
        The estimate, good to about 1e-9 of the gradient for a well-scaled function.

    Raises
    ------
    DomainError
        If `h` is not positive.

    Examples
    --------
    >>> central_difference(lambda x: (x**2).sum(), [1.0, 2.0]).round(6)
    array([2., 4.])
    """
    _check_nudge(h, "central_difference")
    x = as_floats(x, np.float64, copy=True)
    estimate = np.empty_like(x)
    for i in np.ndindex(x.shape):
        centre = x[i]
        nudge = h * max(1.0, abs(centre))
        x[i] = above = centre + nudge
        high = _one_number(f(x.copy()), "central_difference")
        x[i] = below = centre - nudge
        low = _one_number(f(x.copy()), "central_difference")
        x[i] = centre
        # above − below is the distance that float64 really moved.
        estimate[i] = (high - low) / (above - below)
    return estimate


def forward_difference(f: Callable[[Array], float], x: Any, h: float = _FORWARD_NUDGE) -> Array:
    """Estimate the gradient from one side, as the definition of the derivative has it.

    ∂f/∂xᵢ ≈ (f(x + hᵢeᵢ) − f(x)) / hᵢ with hᵢ = h · max(1, |xᵢ|); the error shrinks with h only.

    Parameters
    ----------
    f : callable
        Takes a float64 array of the shape of `x`, gives one number.
    x : array_like of real numbers
        Where.
    h : float > 0
        The nudge, relative to elements larger than 1. The default, 1.5e-8, balances rounding against slope.

    Returns
    -------
    numpy.ndarray of float64, shape of `x`
        The estimate, good to about 1e-8 of the gradient for a well-scaled function.

    Raises
    ------
    DomainError
        If `h` is not positive.
    ShapeError
        If `f` does not give one number.

    References
    ----------
    W. H. Press et al. (2007), *Numerical Recipes*, 3rd ed., Cambridge, section 5.7.

    Examples
    --------
    >>> forward_difference(lambda x: (x**2).sum(), [1.0, 2.0]).round(6)
    array([2., 4.])
    """
    _check_nudge(h, "forward_difference")
    x = as_floats(x, np.float64, copy=True)
    estimate = np.empty_like(x)
    start = _one_number(f(x.copy()), "forward_difference")
    for i in np.ndindex(x.shape):
        centre = x[i]
        x[i] = above = centre + h * max(1.0, abs(centre))
        estimate[i] = (_one_number(f(x.copy()), "forward_difference") - start) / (above - centre)
        x[i] = centre
    return estimate


def complex_step(f: Callable[[Array], Any], x: Any, h: float = 1e-30) -> Array:
    """Compute the gradient to the last digits by a step into the imaginary direction: nothing is subtracted.

    ∂f/∂xᵢ = Im f(x + i·h·eᵢ) / h, with an error of order h², far below rounding.

    Parameters
    ----------
    f : callable
        Takes a complex array of the shape of `x`, gives one number. It must be analytic: built from sums,
        products, exp, sin, tanh and the like. ``abs`` is not, and gives a wrong 0 without a word.
    x : array_like of real numbers
        Where.
    h : float > 0
        The step.

    Returns
    -------
    numpy.ndarray of float64, shape of `x`
        The gradient.

    Raises
    ------
    DomainError
        If `h` is not positive.
    ShapeError
        If `f` does not give one number.
    DataError
        If `f` gives a real number: it has dropped the imaginary part.

    References
    ----------
    W. Squire and G. Trapp (1998), SIAM Review 40(1), 110-112.

    Examples
    --------
    >>> complex_step(lambda x: np.exp(x).sum(), [0.0, 1.0])
    array([1.        , 2.71828183])
    """
    _check_nudge(h, "complex_step")
    x = as_floats(x, np.float64)
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        nudged = x.astype(complex)
        nudged[i] += 1j * h
        value = np.asarray(f(nudged))
        if value.size != 1:
            raise ShapeError(f"complex_step: f gave an array of shape {value.shape}. Expected one number. Try .sum().")
        if value.dtype.kind != "c":
            raise DataError(
                "complex_step: f gave a real number, so the imaginary part was lost on the way. Expected a function "
                "that computes with complex numbers, without abs, .real or float()."
            )
        gradient[i] = value.reshape(()).imag / h
    return gradient


def convergence_order(
    f: Callable[[Array], float],
    x: Any,
    exact: Any,
    method: Callable[..., Array] = central_difference,
    steps: Sequence[float] = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3),
) -> tuple[float, Array]:
    """Measure how fast the error of a difference formula shrinks with its nudge.

    The order p in error ≈ C·hᵖ is the slope of ln error over ln h: 2 for central, 1 for forward differences.

    Parameters
    ----------
    f : callable
        Takes a float64 array of the shape of `x`, gives one number.
    x : array_like of real numbers
        Where.
    exact : array_like, shape of `x`
        The true gradient.
    method : callable
        ``method(f, x, h)``, such as `central_difference`.
    steps : sequence of float > 0
        The nudges, at least two; large enough that rounding plays no part.

    Returns
    -------
    order : float
        The slope of a straight line through the points.
    errors : numpy.ndarray, one for each nudge
        The largest error, for a picture.

    Raises
    ------
    DomainError
        If there are fewer than two nudges, or an error is exactly 0, which has no logarithm.

    Examples
    --------
    >>> order, errors = convergence_order(lambda x: np.exp(x).sum(), [0.5], np.exp([0.5]))
    >>> round(order, 2)
    2.0
    """
    if len(steps) < 2:
        raise DomainError(f"convergence_order: got {len(steps)} nudge. Expected at least two, such as (1e-1, 1e-2).")
    wanted = as_floats(exact, np.float64)
    errors = np.array([np.max(np.abs(method(f, x, h) - wanted)) for h in steps])
    if not errors.all():
        raise DomainError(
            "convergence_order: an error is exactly 0, as for a straight line. Expected a function that bends."
        )
    return float(np.polynomial.polynomial.polyfit(np.log(steps), np.log(errors), 1)[1]), errors


def _check_nudge(h: float, caller: str) -> None:
    if as_number(h, "h", caller, least=0.0) == 0:
        raise DomainError(f"{caller}: h is 0. Expected a small positive number, such as 1e-6.")


def _one_number(value: Any, caller: str) -> float:
    array = as_array(value, "what f gave", caller)
    if array.size != 1:
        raise ShapeError(f"{caller}: f gave an array of shape {array.shape}. Expected one number. Try .sum().")
    return float(array.reshape(()))
