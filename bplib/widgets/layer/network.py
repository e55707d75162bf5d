"""The network that learns symmetry: six bits, two hidden units, one output; its training, update by update."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.losses import mse
from bplib.nn import Linear, Sequential, Sigmoid, init
from bplib.optim import SGD
from bplib.recording import replay
from bplib.widgets.layer.passes import LR, forward, problem, unpack

__all__ = ["CLOSE", "GROUPS", "NAMES", "ORDER", "STARTS", "Run", "first_theta", "network", "recorded", "symmetry_run"]

Floats = npt.NDArray[np.float64]

MOMENTUM, SPREAD = 0.9, 0.3
CLOSE = 0.1
"""A prediction within this of its target counts as close."""
STARTS: dict[str, str] = {
    "random": "random ±0.3",
    "second": "other random",
    "zeros": "all zero",
    "twins": "twin units",
}
"""Name of a start -> what its button says."""
_SECOND_SEED = 49

GROUPS: dict[str, tuple[str, ...]] = {
    "hidden weights": tuple(f"w{bit}{unit}" for unit in (1, 2) for bit in range(1, 7)),
    "hidden biases": ("b1", "b2"),
    "output weights": ("v1", "v2"),
    "output bias": ("c",),
}
"""What the 17 parameters are called, in the order of the pictures: w31 leads from bit 3 to hidden unit 1."""
NAMES: tuple[str, ...] = tuple(name for names in GROUPS.values() for name in names)
ORDER: npt.NDArray[np.intp] = np.array([*range(0, 12, 2), *range(1, 12, 2), *range(12, 17)])
"""Where each of `NAMES` lies in θ."""
ORDER.setflags(write=False)
_DENSE, _EVERY = 10, 10
_MANY = 1200


@final
@dataclass(frozen=True)
class Run:
    """One training run, at p of its updates.

    Parameters
    ----------
    updates : tuple of int
        The recorded updates, ascending.
    thetas : ndarray, shape (p, 17)
        All parameters after so many updates, in the order of θ.
    predictions : ndarray, shape (p, 64)
    losses : ndarray, shape (p,)
        L = ½ Σ (ŷ − y)² over the 64 examples.
    solved : int or None
        The first of all updates, recorded or not, after which every prediction is within 0.1 of its target.
    """

    updates: tuple[int, ...]
    thetas: Floats
    predictions: Floats
    losses: Floats
    solved: int | None

    @property
    def weights(self) -> Floats:
        """The weights into the hidden units, shape (p, 6, 2)."""
        return unpack(self.thetas)[0]

    @property
    def absolute_errors(self) -> Floats:
        """|ŷ − y| of every example, shape (p, 64)."""
        return np.abs(self.predictions - problem()[1].ravel())

    @property
    def magnitudes(self) -> Floats:
        """Mean size of a weight and its mirror image, from the outer pair to the inner, shape (p, 2 units, 3 pairs)."""
        sizes = np.abs(self.weights)
        return ((sizes[:, :3] + sizes[:, :2:-1]) / 2).transpose(0, 2, 1)

    @property
    def lopsidedness(self) -> Floats:
        """Largest |w + its mirror image|, 0 where every weight is the opposite of its mirror image, shape (p,)."""
        return np.abs(self.weights + self.weights[:, ::-1]).max(axis=(1, 2))

    @property
    def difference(self) -> Floats:
        """Largest difference between the two hidden units, their weights, biases and ways out, shape (p,)."""
        W, b, v, _ = unpack(self.thetas)
        together = np.concatenate([W, b, v.transpose(0, 2, 1)], axis=1)
        return np.abs(together[..., 0] - together[..., 1]).max(axis=1)


def network() -> Sequential:
    """Make the network: Linear(6, 2), Sigmoid, Linear(2, 1), Sigmoid.

    Returns
    -------
    Sequential
    """
    return Sequential(Linear(6, 2, rng=0), Sigmoid(), Linear(2, 1, rng=0), Sigmoid())


def first_theta(start: str, seed: int) -> Floats:
    """The parameters before the first update.

    Parameters
    ----------
    start : str
        A key of `STARTS`. "twins" is "random" with the second hidden unit a copy of the first.
    seed : int
        Of "random" and "twins".

    Returns
    -------
    ndarray, shape (17,)

    Examples
    --------
    >>> first_theta("zeros", 0).any()
    np.False_
    >>> bool(abs(first_theta("random", 0)).max() <= 0.3)
    True
    """
    model = network()
    if start == "zeros":
        return np.zeros(model.theta.size)
    rng = np.random.default_rng(_SECOND_SEED if start == "second" else seed)
    for parameter in model.parameters():
        init.uniform_(parameter, -SPREAD, SPREAD, rng=rng)
    theta = model.theta.copy()
    if start == "twins":
        W, b, v, _ = unpack(theta)
        W[:, 1], b[:, 1], v[1] = W[:, 0], b[:, 0], v[0]
    return theta


@lru_cache(maxsize=8)
def recorded(updates: int) -> tuple[int, ...]:
    """Which updates of a run are kept: the first ten, and then every tenth, or fewer of a long run.

    Parameters
    ----------
    updates : int
        The last one.

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> recorded(40)
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40)
    >>> len(recorded(1200)), recorded(3000)[10:13]
    (130, (30, 60, 90))
    """
    stride = _EVERY * -(-updates // _MANY)
    return tuple(sorted({*range(min(_DENSE, updates)), *range(stride, updates + 1, stride), updates}))


@lru_cache(maxsize=8)
def symmetry_run(start: str, seed: int, updates: int) -> Run:
    """Train the network on all 64 examples at once: L = ½ Σ (ŷ − y)², η = 0.1, momentum 0.9.

    Parameters
    ----------
    start : str
        A key of `STARTS`.
    seed : int
    updates : int
        How many updates; each update passes over all 64 examples.

    Returns
    -------
    Run

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323, 533-536, figure 1.

    Examples
    --------
    >>> run = symmetry_run("zeros", 0, 10)
    >>> run.losses[0], run.updates[-1], run.solved
    (np.float64(8.0), 10, None)
    """
    every = _train(first_theta(start, seed), updates)
    predictions = forward(every)[1][..., 0]
    errors = predictions - problem()[1].ravel()
    close = np.flatnonzero((np.abs(errors) < CLOSE).all(axis=1))
    kept = recorded(updates)
    rows = list(kept)
    arrays = every[rows], predictions[rows], 0.5 * (errors[rows] ** 2).sum(axis=1)
    for array in arrays:
        array.setflags(write=False)
    return Run(kept, *arrays, int(close[0]) if close.size else None)


def _train(theta: Floats, updates: int) -> Floats:
    """Every θ of the run, shape (updates + 1, 17)."""
    X, y = problem()
    model = network()
    model.theta = theta
    optimizer = SGD(model.parameters(), lr=LR, momentum=MOMENTUM)

    def loop() -> object:
        optimizer.zero_grad()
        loss = 0.5 * mse(model(X), y, reduction="sum")
        loss.backward()
        optimizer.step()
        return loss

    again, every, now = replay(loop), np.empty((updates + 1, theta.size)), model.theta
    every[0] = now
    for k in range(1, updates + 1):
        again()
        every[k] = now
    return every
