"""Momentum on a quadratic: how fast it converges in closed form, where it goes step by step, and how long it takes."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, final

import numpy as np
import numpy.typing as npt

from bplib.optim import sgd_step

__all__ = [
    "DRAWN", "LIMIT", "MOST", "SHARE", "Best", "Regime", "Walks", "best_momentum", "best_plain", "momentum_path",
    "momentum_walks", "regime", "settled_after", "spectral_radius",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Regime = Literal["at rest", "over-damped", "critical", "under-damped", "oscillates", "limit", "diverges"]

LIMIT = 4.0
"""The largest ηλ of the plane: beyond it every momentum below 1 diverges."""
DRAWN = 100
"""How many steps are drawn."""
SHARE = 1e-6
"""The share of the start's distance at which a descent counts as settled."""
MOST = 10_000
"""Steps are counted up to this number."""

_BLOCK = 128
_HORIZON = 2 * MOST + 480  # a whole number of blocks; a descent that settles within MOST steps has its bound before it
_CLOSE = 1e-9


@final
class Best(NamedTuple):
    """The settings with the smallest spectral radius over all curvatures between 1 and κ.

    Parameters
    ----------
    lr : float
        Learning rate η.
    beta : float
        Momentum β.
    rate : float
        The radius: what a step multiplies the distance by in the long run.
    """

    lr: float
    beta: float
    rate: float


def best_plain(condition_number: float) -> Best:
    """Give the best learning rate without momentum: η = 2/(1 + κ), rate (κ − 1)/(κ + 1).

    Parameters
    ----------
    condition_number : float
        κ, at least 1; the curvatures lie between 1 and κ.

    Returns
    -------
    Best

    Examples
    --------
    >>> round(best_plain(10).rate, 6)
    0.818182
    """
    kappa = float(condition_number)
    return Best(2 / (1 + kappa), 0.0, (kappa - 1) / (kappa + 1))


def best_momentum(condition_number: float) -> Best:
    """Give the best learning rate and momentum: η = (2/(1 + √κ))², β = ((√κ − 1)/(√κ + 1))², rate √β.

    Parameters
    ----------
    condition_number : float
        κ, at least 1; the curvatures lie between 1 and κ.

    Returns
    -------
    Best

    References
    ----------
    B. T. Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17.

    Examples
    --------
    >>> [round(value, 6) for value in best_momentum(10)]
    [0.230886, 0.269874, 0.519494]
    """
    root = math.sqrt(condition_number)
    return Best((2 / (1 + root)) ** 2, ((root - 1) / (root + 1)) ** 2, (root - 1) / (root + 1))


def spectral_radius(eta_lambda: npt.ArrayLike, beta: npt.ArrayLike) -> Floats:
    """Largest size of an eigenvalue σ of one step z ← βz + λw, w ← w − ηz: the roots of σ² − (1 + β − ηλ)σ + β.

    Parameters
    ----------
    eta_lambda : array_like
        Learning rate times curvature, at least 0.
    beta : array_like, broadcasts against `eta_lambda`
        Momentum, from 0 to 1.

    Returns
    -------
    ndarray
        Below 1 where the descent converges: 0 < ηλ < 2 + 2β and β < 1.

    References
    ----------
    G. Goh (2017), "Why Momentum Really Works", Distill, doi 10.23915/distill.00006, section "The dynamics of momentum".

    Examples
    --------
    >>> spectral_radius([0.5, 1.0, 3.0], [0.0, 0.0, 0.5]).tolist()
    [0.5, 0.0, 1.0]
    """
    x, b = np.asarray(eta_lambda, dtype=np.float64), np.asarray(beta, dtype=np.float64)
    trace = 1 + b - x
    inside_root = trace**2 - 4 * b
    real = (np.abs(trace) + np.sqrt(np.maximum(inside_root, 0))) / 2
    return np.where(inside_root < 0, np.sqrt(np.broadcast_to(b, inside_root.shape)), real)


def regime(eta_lambda: float, beta: float) -> Regime:
    """Name what momentum does in one direction.

    Parameters
    ----------
    eta_lambda : float
        Learning rate times curvature, at least 0.
    beta : float
        Momentum, from 0 to 1.

    Returns
    -------
    str
        The critical curve is ηλ = (1 ± √β)², the limit ηλ = 2 + 2β and, for a swing without loss, β = 1.

    Examples
    --------
    >>> [regime(0.16, beta) for beta in (0.1, 0.36, 0.8)]
    ['over-damped', 'critical', 'under-damped']
    >>> regime(1.6, 0.0), regime(3.0, 0.5), regime(3.1, 0.5)
    ('oscillates', 'limit', 'diverges')
    """
    radius = float(spectral_radius(eta_lambda, beta))
    trace = 1 + beta - eta_lambda
    if eta_lambda == 0:
        return "at rest"
    # At β = 1 and ηλ = 4 the two roots meet at −1, and the distance grows by the same amount at every step.
    if radius > 1 + _CLOSE or (beta == 1 and eta_lambda > LIMIT - _CLOSE):
        return "diverges"
    if radius > 1 - _CLOSE:
        return "limit"
    inside_root = trace**2 - 4 * beta
    if abs(inside_root) < _CLOSE:
        return "critical"
    if inside_root < 0:
        return "under-damped"
    return "over-damped" if trace > 0 else "oscillates"


def momentum_path(lr: float, beta: npt.ArrayLike, curvatures: npt.ArrayLike, steps: int) -> Floats:
    """Walk down ½ Σ λᵢ wᵢ² from w = (1, ..., 1) with an empty buffer, by the library's own step.

    Parameters
    ----------
    lr : float
        Learning rate.
    beta : float, or array_like of any shape
        Momentum; with several, as many walks side by side.
    curvatures : array_like, shape (d,)
        λ of each direction.
    steps : int

    Returns
    -------
    ndarray, shape (steps + 1, d), or (..., steps + 1, d) with the shape of `beta` in front

    Examples
    --------
    >>> momentum_path(0.5, 0.0, [1.0], 2).ravel().tolist()
    [1.0, 0.5, 0.25]
    """
    bends, betas = np.asarray(curvatures, dtype=np.float64), np.asarray(beta, dtype=np.float64)[..., None]
    w = np.ones((*betas.shape[:-1], len(bends)))
    z = np.zeros_like(w)
    places = np.empty((*betas.shape[:-1], steps + 1, len(bends)))
    places[..., 0, :] = w
    for k in range(1, steps + 1):
        sgd_step(w, bends * w, z, lr=lr, momentum=betas)
        places[..., k, :] = w
    return places


def settled_after(eta_lambdas: npt.ArrayLike, betas: npt.ArrayLike, share: float = SHARE) -> Floats:
    """Smallest K with ‖w_k‖ ≤ share · ‖w_0‖ for every k ≥ K, from w_0 = (1, ..., 1) and an empty buffer.

    A ripple that passes the minimum is near it for one step, and does not count.

    Parameters
    ----------
    eta_lambdas : array_like, shape (n, d)
        Learning rate times curvature, for each direction.
    betas : array_like, shape (n,)
    share : float
        Between 0 and 1.

    Returns
    -------
    ndarray, shape (n,)
        Infinite where it never settles; ``MOST + 1`` stands for more than `MOST`.

    Examples
    --------
    >>> settled_after([[1.0], [0.5], [2.0]], [0.0, 0.0, 0.0]).tolist()
    [1.0, 20.0, inf]
    """
    x, b = np.asarray(eta_lambdas, dtype=np.float64), np.asarray(betas, dtype=np.float64)[:, None]
    radii = spectral_radius(x, b)
    counts = np.full(len(x), np.inf)
    converges = np.flatnonzero((radii < 1 - _CLOSE).all(axis=1))
    if converges.size:
        bounds = _bounds(x[converges], b[converges], radii[converges], share)
        counts[converges] = np.minimum(_last_outside(x[converges], b[converges], bounds, share) + 1, MOST + 1)
    return counts


def _bounds(x: Floats, b: Floats, radii: Floats, share: float) -> Floats:
    """A step after which the distance stays below the share: |w_k| ≤ k ρᵏ (|1 − ηλ|/ρ + 1)."""
    rho = np.maximum(radii, 1e-3)
    decay = -np.log(rho)
    needed = np.log((np.abs(1 - x) / rho + 1) / share)
    k = needed / decay + 1
    for _ in range(30):
        k = (needed + np.log(k)) / decay
    return np.minimum(np.ceil(1.01 * k + 2).max(axis=1), _HORIZON)


def _last_outside(x: Floats, b: Floats, bounds: Floats, share: float) -> Floats:
    """The last step before the bound whose distance is above the share, block by block."""
    rows = _first_rows(x, b)
    w, u = np.ones_like(x), np.zeros_like(x)
    last, active = np.zeros(len(x)), np.arange(len(x))
    for start in range(0, _HORIZON, _BLOCK):
        active = active[bounds[active] > start]
        if not active.size:
            break
        heights = rows[:_BLOCK, 0, active] * w[active] + rows[:_BLOCK, 1, active] * u[active]
        # What is exactly the share counts as there, however it is rounded: 0.01 cubed, say.
        above = (heights**2).sum(axis=2) > share**2 * x.shape[1] * (1 + _CLOSE)
        latest = _BLOCK - 1 - np.argmax(above[::-1], axis=0)
        last[active] = np.where(above.any(axis=0), start + latest, last[active])
        w[active], u[active] = (
            rows[_BLOCK + end, 0, active] * w[active] + rows[_BLOCK + end, 1, active] * u[active] for end in (0, 1)
        )
    return last


def _first_rows(x: Floats, b: Floats) -> Floats:
    """Rows of the powers of one step (w, u) → (w + βu − ηλw, βu − ηλw), where u is the last step taken.

    The first row of the powers 0 to 127; then both rows of the power 128.
    """
    rows = np.empty((_BLOCK + 2, 2, *x.shape))
    first, second = (np.ones_like(x), np.zeros_like(x)), (np.zeros_like(x), np.ones_like(x))
    for k in range(_BLOCK):
        rows[k] = first
        first, second = (((1 - x) * p - x * q, b * (p + q)) for p, q in (first, second))
    rows[_BLOCK], rows[_BLOCK + 1] = first, second
    return rows


@final
@dataclass(frozen=True)
class Walks:
    """Momentum at one learning rate and n momenta, along d curvatures: 1 alone, or 1 and κ.

    Parameters
    ----------
    lr : float
    condition_number : float
        κ, at least 1.
    eta_lambdas : ndarray, shape (d,)
        η for the curvature 1, and ηκ.
    betas : ndarray, shape (n,)
    places : ndarray, shape (n, steps + 1, d)
        The weights of every drawn step.
    radii : ndarray, shape (n, d)
        The spectral radius in each direction.
    counts : ndarray, shape (n,)
        As `settled_after` gives it.
    """

    lr: float
    condition_number: float
    eta_lambdas: Floats
    betas: Floats
    places: Floats
    radii: Floats
    counts: Floats


@lru_cache(maxsize=16)
def momentum_walks(eta_lambda: float, condition_number: float, betas: tuple[float, ...]) -> Walks:
    """Walk with several momenta and count the steps.

    Parameters
    ----------
    eta_lambda : float
        Learning rate times the largest curvature, from 0 to 4.
    condition_number : float
        κ: the curvatures are 1 and κ, or 1 alone.
    betas : tuple of float
        From 0 to 1.

    Returns
    -------
    Walks

    Examples
    --------
    >>> momentum_walks(1.0, 1.0, (0.0, 0.5)).counts.tolist()
    [1.0, 40.0]
    """
    curvatures = np.array([1.0] if condition_number == 1 else [1.0, condition_number])
    lr = eta_lambda / condition_number
    x, b = lr * curvatures, np.array(betas)
    places = momentum_path(lr, b, curvatures, DRAWN)
    radii = spectral_radius(x, b[:, None])
    counts = settled_after(np.broadcast_to(x, radii.shape), b)
    return Walks(lr, condition_number, x, b, places, radii, counts)
