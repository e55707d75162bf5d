"""The gradient check: a backward pass against central differences, parameter by parameter, at every recorded update."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.numeric import central_difference
from bplib.widgets.layer.network import ORDER, symmetry_run
from bplib.widgets.layer.passes import backward, loss

__all__ = ["APPROXIMATE", "EXACT", "VERDICTS", "WRONG", "Check", "gradient_check"]

Floats = npt.NDArray[np.float64]

EXACT, WRONG = 1e-7, 1e-2
"""Up to the first relative error the two gradients agree, beyond the second the backward pass is wrong."""
APPROXIMATE = 1
VERDICTS: tuple[str, ...] = ("exact", "approximate", "wrong")
"""What the numbers in `Check.verdicts` stand for."""

# A little below the usual nudge: weights of 10 bend the sigmoid, and what the bend does to a difference must stay
# below `EXACT`.
_H = 3e-6
_EPS = float(np.finfo(np.float64).eps)


@final
@dataclass(frozen=True)
class Check:
    """Two gradients at each of p updates, the parameters in the order of the pictures.

    Parameters
    ----------
    backward, differences : ndarray, shape (p, 17)
    relative_errors : ndarray, shape (p, 17)
        |backward − differences| / max(|backward|, |differences|), 0 where both are 0.
    rounding : ndarray, shape (p, 17)
        The relative error that rounding alone can cause: 10 times the last digit of the loss, divided by the nudge.
    verdicts : ndarray of int, shape (p, 17)
        0, 1 or 2: exact, approximate, wrong. What rounding can explain counts as exact.
    """

    backward: Floats
    differences: Floats
    relative_errors: Floats
    rounding: Floats
    verdicts: npt.NDArray[np.int64]


@lru_cache(maxsize=32)
def gradient_check(start: str, seed: int, updates: int, fault: str) -> Check:
    """Check one version of the backward pass.

    Parameters
    ----------
    start, seed, updates
        As for `symmetry_run`.
    fault : str
        A key of `FAULTS`.

    Returns
    -------
    Check

    Examples
    --------
    >>> check = gradient_check("random", 0, 10, "half")
    >>> bool(np.allclose(check.relative_errors, 0.5))
    True
    """
    found = backward(symmetry_run(start, seed, updates).thetas, fault)[:, ORDER]
    wanted, allowance = _differences(start, seed, updates)
    scale = np.maximum(np.abs(found), np.abs(wanted))
    safe = np.where(scale > 0, scale, 1.0)
    apart, rounding = np.abs(found - wanted) / safe, allowance / safe
    verdicts = (apart > np.maximum(EXACT, rounding)).astype(np.int64) + (apart > np.maximum(WRONG, rounding))
    for array in (found, apart, rounding, verdicts):
        array.setflags(write=False)
    return Check(found, wanted, apart, rounding, verdicts)


@lru_cache(maxsize=8)
def _differences(start: str, seed: int, updates: int) -> tuple[Floats, Floats]:
    """The gradient by nudging, and what rounding can do to it, both of shape (p, 17)."""
    run = symmetry_run(start, seed, updates)
    wanted = np.array([central_difference(loss, theta, _H) for theta in run.thetas])
    nudges = _H * np.maximum(1.0, np.abs(run.thetas))
    allowance = 10 * _EPS * run.losses[:, None] / nudges
    wanted, allowance = wanted[:, ORDER], allowance[:, ORDER]
    for array in (wanted, allowance):
        array.setflags(write=False)
    return wanted, allowance
