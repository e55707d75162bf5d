"""Derivatives by arithmetic alone: nudge an input, see what happens to the output.

This knows nothing of the chain rule, which makes it the judge of everything that does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib.checks import as_array, as_floats, as_number
from bplib.engine import is_recording, no_grad, walk_back
from bplib.errors import DomainError, GraphError, ShapeError
from bplib.tensors import Tensor

__all__ = ["GradcheckReport", "GradcheckRow", "central_difference", "gradcheck"]

# The best nudge for central differences in float64 is about the cube root of the rounding error:
# smaller and rounding wins, larger and the curve bends away (W. H. Press et al. 2007, section 5.7).
_NUDGE = float(np.finfo(np.float64).eps) ** (1 / 3)


def central_difference(f: Callable[[np.ndarray], float], x: Any, h: float = _NUDGE) -> np.ndarray:
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
    if as_number(h, "h", "central_difference", least=0.0) == 0:
        raise DomainError("central_difference: h is 0. Expected a small positive number, such as 1e-6.")
    x = as_floats(x, np.float64, copy=True)
    estimate = np.empty_like(x)
    for i in np.ndindex(x.shape):
        centre = x[i]
        nudge = h * max(1.0, abs(centre))
        x[i] = above = centre + nudge
        high = _one_number(f(x.copy()))
        x[i] = below = centre - nudge
        low = _one_number(f(x.copy()))
        x[i] = centre
        # above − below is the distance that float64 really moved.
        estimate[i] = (high - low) / (above - below)
    return estimate


def _one_number(value: Any) -> float:
    array = as_array(value, "what f gave", "central_difference")
    if array.size != 1:
        raise ShapeError(
            f"central_difference: f gave an array of shape {array.shape}. Expected one number. Try .sum()."
        )
    return float(array.reshape(()))


@dataclass(frozen=True)
class GradcheckRow:
    """The verdict on one input.

    Attributes
    ----------
    name : str
        The input's name, or its place.
    backward : numpy.ndarray
        The gradient from the backward pass.
    numerical : numpy.ndarray
        The estimate by central differences.
    relative_error : float
        max |backward − numerical| / max(|backward|, |numerical|), after the rounding error that the
        numerical estimate must have is taken off.
    """

    name: str
    backward: np.ndarray
    numerical: np.ndarray
    relative_error: float


@dataclass(frozen=True)
class GradcheckReport:
    """What `gradcheck` found; true in an ``if`` when every input passed.

    Attributes
    ----------
    rows : tuple of GradcheckRow
        One for each input.
    tolerance : float
        The largest relative error that passes.
    """

    rows: tuple[GradcheckRow, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every input's relative error is within the tolerance."""
        return all(row.relative_error <= self.tolerance for row in self.rows)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        lines = [f"{'input':<12} {'shape':<12} {'relative error':>14}  verdict"]
        for row in self.rows:
            verdict = "agrees" if row.relative_error <= self.tolerance else "DIFFERS"
            lines.append(f"{row.name:<12} {row.backward.shape!s:<12} {row.relative_error:>14.1e}  {verdict}")
        end = "backward and central differences agree" if self.passed else "the backward pass is wrong somewhere"
        return "\n".join([*lines, f"{end} (tolerance {self.tolerance:.0e})"])


def gradcheck(f: Callable[..., Tensor], *inputs: Any, tolerance: float = 1e-6) -> GradcheckReport:
    """Compare the backward pass with central differences, input by input.

    Parameters
    ----------
    f : callable
        Takes tensors, gives a tensor; if it is not a single number, its elements are added up
        with unequal weights, so that every one is tested.
    *inputs : Tensor or array_like
        Where; each is checked in float64. Tensors keep their names in the report.
    tolerance : float > 0
        The largest relative error that passes.

    Returns
    -------
    GradcheckReport
        With ``.passed``, and a table as its printed form.

    Raises
    ------
    ShapeError
        If there are no inputs, or `f` does not give a tensor.

    Examples
    --------
    >>> import bplib
    >>> gradcheck(lambda w: bplib.tanh(w * w), [0.5, -1.0]).passed
    True
    """
    if not inputs:
        raise ShapeError("gradcheck: there is no input to check. Try gradcheck(f, x), with x an array.")
    names = [getattr(x, "name", None) or f"input {i}" for i, x in enumerate(inputs)]
    leaves = [Tensor(x, requires_grad=True, dtype=np.float64, name=n) for x, n in zip(inputs, names, strict=True)]
    if not is_recording():
        raise GraphError(
            "gradcheck: recording is off here, so there is no backward pass to check. Leave no_grad() first."
        )
    output = f(*leaves)
    if not isinstance(output, Tensor):
        raise ShapeError(f"gradcheck: f gave {type(output).__name__}. Expected a tensor computed from its arguments.")
    weights = 0.5 + np.random.default_rng(0).random(output.shape)
    if output.operation is not None:  # f may not depend on its inputs at all; the gradient is then 0
        # Other tensors inside f, such as a model's weights, must not find a gradient afterwards.
        totals = walk_back(output, weights.astype(output.dtype))
        for leaf in leaves:
            if leaf in totals:
                leaf.receive(totals[leaf])
    elif output.requires_grad:
        output.receive(weights)
    rows = tuple(_compare(f, leaves, i, weights) for i in range(len(leaves)))
    return GradcheckReport(rows, tolerance)


def _compare(f: Callable[..., Tensor], leaves: list[Tensor], i: int, weights: np.ndarray) -> GradcheckRow:
    constants = [Tensor(leaf.array) for leaf in leaves]

    def nudged(values: np.ndarray) -> float:
        with no_grad():
            arguments = [*constants[:i], Tensor(values), *constants[i + 1 :]]
            return float((f(*arguments).array * weights).sum())

    numerical = central_difference(nudged, leaves[i].array)
    arrived = leaves[i].grad
    backward = np.zeros_like(numerical) if arrived is None else arrived
    # What rounding does to f, divided by the nudge, is the least error a difference can have.
    rounding = 10 * np.finfo(np.float64).eps * abs(nudged(leaves[i].array)) / _NUDGE
    gap = np.maximum(np.abs(backward - numerical) - rounding, 0.0)
    scale = np.maximum(np.maximum(np.abs(backward), np.abs(numerical)), np.finfo(np.float64).tiny)
    worst = float(np.max(gap / scale, initial=0.0))
    # A NaN stays a NaN here, and compares as no smaller than the tolerance: it never passes.
    return GradcheckRow(leaves[i].name or "", backward, numerical, worst)
