"""One example of three classes: softmax, cross-entropy and the squared error of the probabilities."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.functional import logsumexp, softmax
from bplib.losses import cross_entropy, mse
from bplib.tensors import Tensor, tensor

__all__ = ["CLASSES", "Outcome", "Sweep", "naive", "outcome", "sweep"]

Floats = npt.NDArray[np.float64]
Logits = tuple[float, ...]

CLASSES = 3
"""How many classes there are; they are counted from 0."""

# Distances from the place where the true class is as likely as the others together: all that bends lies there.
_BENDS = (0.3, 0.6, 0.9, 1.2, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 7.0)
_NEAR = (*(-bend for bend in reversed(_BENDS)), 0.0, *_BENDS)


@final
@dataclass(frozen=True)
class Outcome:
    """What the logits of one example lead to.

    Parameters
    ----------
    probabilities, target : ndarray, shape (3,)
        p = softmax(z), and the one-hot y.
    cross_entropy, squared : float
        −ln p of the true class, and Σ (p − y)².
    gradient, squared_gradient : ndarray, shape (3,)
        Slope of the mean over all examples on each logit of this one, by `backward`.
    """

    probabilities: Floats
    target: Floats
    cross_entropy: float
    squared: float
    gradient: Floats
    squared_gradient: Floats


@lru_cache(maxsize=64)
def outcome(logits: Logits, target: int, examples: int = 1) -> Outcome:
    """Compute both losses of one example and their gradients under the mean over all examples.

    ∂H/∂z = (p − y)/N

    Parameters
    ----------
    logits : tuple of float, length 3
        The scores z.
    target : int
        The true class, from 0.
    examples : int
        N; the others are copies of this one, which changes nothing but the N.

    Returns
    -------
    Outcome

    Examples
    --------
    >>> told = outcome((0.0, 0.0, 0.0), 0, examples=2)
    >>> told.gradient.round(3).tolist(), round(told.cross_entropy, 4)
    ([-0.333, 0.167, 0.167], 1.0986)
    """
    rows = np.tile(np.array(logits), (examples, 1))
    one_hot = np.eye(CLASSES)[target]
    truth = np.full(examples, target)
    by_entropy, by_square = tensor(rows, requires_grad=True), tensor(rows, requires_grad=True)
    loss, squared = cross_entropy(by_entropy, truth), _squared(by_square, target).mean()
    loss.backward()
    squared.backward()
    p = softmax(np.array(logits)).numpy()
    gradients = [np.array(z.grad)[0] for z in (by_entropy, by_square)]
    return Outcome(p, one_hot, float(loss), float(squared), *gradients)


def _squared(logits: Tensor, target: int) -> Tensor:
    p = softmax(logits)
    return mse(p, np.broadcast_to(np.eye(CLASSES)[target], p.shape), reduction="none").sum(axis=-1)


@final
@dataclass(frozen=True)
class Sweep:
    """Both losses over the logit of the true class, the others held.

    Parameters
    ----------
    at : ndarray, shape (k,)
        The logit.
    cross_entropy, squared : ndarray, shape (k,)
    slope, squared_slope : ndarray, shape (k,)
        Their slopes under the mean over all examples.
    """

    at: Floats
    cross_entropy: Floats
    squared: Floats
    slope: Floats
    squared_slope: Floats


def sweep(logits: Logits, target: int, examples: int, reach: float) -> Sweep:
    """Move the logit of the true class alone.

    Parameters
    ----------
    logits, target, examples
        As for `outcome`.
    reach : float
        The logit goes at least from −reach to reach.

    Returns
    -------
    Sweep

    Examples
    --------
    >>> moved = sweep((0.0, 1.0, 2.0), 0, 1, 8.0)
    >>> bool((np.diff(moved.cross_entropy) < 0).all())
    True
    """
    others = [z for k, z in enumerate(logits) if k != target]
    even = float(logsumexp(np.array(others)))
    far = reach + abs(even) + max(map(abs, _NEAR))
    at = even + np.concatenate([[-far], np.array(_NEAR), [far]])
    rows = np.tile(np.array(logits), (len(at), 1))
    rows[:, target] = at
    by_entropy, by_square = tensor(rows, requires_grad=True), tensor(rows, requires_grad=True)
    each = cross_entropy(by_entropy, np.full(len(at), target), reduction="none")
    squared = _squared(by_square, target)
    each.sum().backward()
    squared.sum().backward()
    slope, squared_slope = (np.array(z.grad)[:, target] / examples for z in (by_entropy, by_square))
    return Sweep(at, each.numpy(), squared.numpy(), slope, squared_slope)


def naive(logits: Logits, target: int) -> float:
    """The cross-entropy as its definition stands, −ln(exp(zₜ) / Σ exp(zⱼ)): for a warning, not for use.

    Parameters
    ----------
    logits : tuple of float
    target : int

    Returns
    -------
    float
        Infinite or NaN where an exponential is too large or too small for the computer.

    References
    ----------
    P. Blanchard, D. J. Higham and N. J. Higham (2021), IMA J. Numer. Anal. 41, 2311-2330.

    Examples
    --------
    >>> naive((1000.0, 0.0), 0), naive((-1000.0, 0.0), 0)
    (nan, inf)
    """
    with np.errstate(all="ignore"):
        exponentials = np.exp(np.array(logits))
        return float(-np.log(exponentials[target] / exponentials.sum()))
