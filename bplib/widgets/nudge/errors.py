"""What a nudge of every size does: the slope it suggests, how far that is off, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt

from bplib.numeric import central_difference, convergence_order, forward_difference
from bplib.tensors import Tensor, tensor
from bplib.widgets.nudge.examples import EXAMPLES

__all__ = ["AROUND", "Difference", "Nudges", "gradient", "growth", "nudges"]

Floats = npt.NDArray[np.float64]
Difference = Literal["forward", "central"]

AROUND: Floats = np.linspace(-1.5, 1.5, 121)
"""Where the zoomed curve is computed, in units of h; -1, 0 and 1 are among them."""
AROUND.setflags(write=False)

_METHODS: dict[str, Callable[..., Any]] = {"forward": forward_difference, "central": central_difference}
# Eight points integrate a polynomial of degree 15 without error.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NOISE = 16 * float(np.finfo(np.float64).eps)


@final
@dataclass(frozen=True)
class Nudges:
    """One input of one function at one point, nudged by n sizes h.

    Attributes
    ----------
    x : float
        Where the nudged input stands.
    slope : float
        f′(x) from the backward pass.
    hs : ndarray, shape (n,)
        The nudges.
    reach : ndarray, shape (n,)
        The distance between the two points compared: h, or 2h for the central difference.
    estimates : ndarray, shape (n,)
        The true change divided by the reach, in float64 as everywhere.
    bend : ndarray, shape (n,)
        The error that would be there without rounding: what the tangent leaves out (truncation error).
    rounding : ndarray, shape (n,)
        The rest of the error.
    zoomed : ndarray, shape (n, m)
        (f(x + t h) − f(x)) / h at the m values t of `AROUND`.
    """

    x: float
    slope: float
    hs: Floats
    reach: Floats
    estimates: Floats
    bend: Floats
    rounding: Floats
    zoomed: Floats

    @property
    def predicted(self) -> Floats:
        """The predicted change f′ · reach, shape (n,)."""
        return self.slope * self.reach

    @property
    def changes(self) -> Floats:
        """The true change, shape (n,)."""
        return self.estimates * self.reach

    @property
    def errors(self) -> Floats:
        """|estimate − f′|, shape (n,)."""
        return np.abs(self.estimates - self.slope)


def gradient(example: str, at: tuple[float, ...]) -> tuple[float, ...]:
    """The sensitivity of z to each input, from the backward pass.

    Parameters
    ----------
    example : str
        A key of `EXAMPLES`.
    at : tuple of float
        One number for each input.

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> gradient("product", (1.0, 3.0, -2.0))
    (-2.0, -2.0, 4.0)
    """
    leaves = [tensor(value, requires_grad=True) for value in at]
    EXAMPLES[example].f(*leaves).backward()
    return tuple(float(leaf.grad) for leaf in leaves)


def nudges(example: str, at: tuple[float, ...], which: str, difference: Difference, hs: tuple[float, ...]) -> Nudges:
    """Nudge one input by every h.

    (f(x + h) − f(x)) / h forward, (f(x + h) − f(x − h)) / 2h central.

    Parameters
    ----------
    example : str
        A key of `EXAMPLES`.
    at : tuple of float
        The point.
    which : str
        Name of the nudged input.
    difference : {"forward", "central"}
    hs : tuple of float
        Above 0, ascending.

    Returns
    -------
    Nudges

    Notes
    -----
    The mean of f′ between the two points is the estimate without rounding, since f(b) − f(a) = ∫ f′. It is computed
    from backward passes, in which nothing is subtracted, and so parts the error into bend and rounding.

    References
    ----------
    A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind (2018), JMLR 18(153), 1-43, figure 3.
    D. Goldberg (1991), ACM Computing Surveys 23(1), 5-48.

    Examples
    --------
    >>> found = nudges("square", (1.0,), "x", "forward", (0.5, 1.0))
    >>> found.slope, found.estimates.tolist(), found.changes.tolist()
    (2.0, [2.5, 3.0], [1.25, 3.0])
    """
    return _nudges(example, at, which, difference, hs)


@lru_cache(maxsize=16)
def _nudges(example: str, at: tuple[float, ...], which: str, difference: Difference, hs: tuple[float, ...]) -> Nudges:
    place = EXAMPLES[example].inputs.index(which)
    x, slope = at[place], gradient(example, at)[place]
    line = _line(example, at, place)
    sizes = np.array(hs)
    estimates = np.array([float(_METHODS[difference](line, 0.0, h)) for h in hs])
    back = -sizes if difference == "central" else np.zeros_like(sizes)
    mean = _mean_slope(example, at, place, back, sizes)
    bend = mean - slope
    # Below this it is the rounding of f′ itself.
    bend[np.abs(bend) <= _NOISE * abs(slope)] = 0.0
    zoomed = (line(AROUND * sizes[:, None]) - line(np.zeros(1))) / sizes[:, None]
    found = Nudges(x, slope, sizes, sizes - back, estimates, bend, estimates - (slope + bend), zoomed)
    for array in (found.hs, found.reach, estimates, bend, found.rounding, zoomed):
        array.setflags(write=False)
    return found


def _line(example: str, at: tuple[float, ...], place: int) -> Callable[[Floats], Floats]:
    """t -> f with one input moved by t: nudging t at 0 by h moves the input by h, however large the input is."""
    f = EXAMPLES[example].f

    def line(t: Floats) -> Floats:
        values: list[Any] = list(at)
        values[place] = at[place] + t
        return np.asarray(f(*values))

    return line


def _mean_slope(example: str, at: tuple[float, ...], place: int, low: Floats, high: Floats) -> Floats:
    """∫ f′ / (high − low), in two pieces: a rule for smooth functions must not run across a kink."""
    kink = EXAMPLES[example].kink
    middle = np.clip((low + high) / 2 if kink is None else kink - at[place], low, high)
    starts, ends = np.stack([low, middle]), np.stack([middle, high])
    inputs: list[Any] = list(at)
    inside = starts[..., None] + (ends - starts)[..., None] * (_NODES + 1) / 2
    inputs[place] = moved = Tensor(at[place] + inside, requires_grad=True)
    EXAMPLES[example].f(*inputs).sum().backward()
    pieces = (moved.grad * _WEIGHTS / 2).sum(axis=-1)
    return (pieces * (ends - starts)).sum(axis=0) / (high - low)


def growth(
    example: str, at: tuple[float, ...], which: str, difference: Difference, hs: tuple[float, ...]
) -> float | None:
    """The slope p of the error on log-log paper where the bend rules: error ≈ C·hᵖ.

    Parameters
    ----------
    example, at, which, difference, hs
        As for `nudges`.

    Returns
    -------
    float or None
        Measured over the two decades that begin where the bend is 100 times the rounding; None where it never is, as
        for a straight line, or where the function has a kink.

    Examples
    --------
    >>> hs = tuple(10.0 ** (k / 5) for k in range(-70, 1))
    >>> [round(growth("sin", (1.0,), "x", way, hs), 2) for way in ("forward", "central")]
    [1.0, 2.0]
    """
    if EXAMPLES[example].kink is not None:
        return None
    found = nudges(example, at, which, difference, hs)
    # Rounding jumps from one h to the next: it counts as large as at any larger h.
    noise = np.maximum.accumulate(np.abs(found.rounding)[::-1])[::-1]
    clear = found.hs[np.abs(found.bend) > 100 * noise]
    steps = clear[clear <= 100 * clear[0] * (1 + 1e-9)] if clear.size else clear
    if steps.size < 5:
        return None
    place = EXAMPLES[example].inputs.index(which)
    line = _line(example, at, place)
    order, _ = convergence_order(lambda t: float(line(t)), 0.0, found.slope, _METHODS[difference], steps.tolist())
    return order
