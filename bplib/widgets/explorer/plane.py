"""The plane through the loss surface: how it is cut, what lies on it, and how much of a run it holds."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.errors import DomainError
from bplib.landscape import (
    LossPlane,
    filter_normalised_directions,
    pca_directions,
    project,
    random_directions,
    slice_2d,
)
from bplib.nn import Module
from bplib.widgets.explorer.network import Task

__all__ = ["Frame", "OwnRun", "frame", "heights", "own_run", "share_in_plane"]

Floats = npt.NDArray[np.float64]

_DRAWS = 20
_MARGIN = 1.35
_FINE, _COARSE = 41, 21
_FINE_WORK = 200_000  # examples times parameters up to which a fine grid takes about 0.1 s


@final
@dataclass(frozen=True, eq=False)
class Frame:
    """A plane θ = origin + a·u + b·v and the square window of it that is drawn.

    Parameters
    ----------
    kind : {"pca", "random", "whole"}
        "whole" where the network has two parameters only, and the plane is all there is.
    origin : ndarray, shape (p,)
        The end of the training run; 0 in a "whole" plane, whose coordinates are the parameters themselves.
    directions : ndarray, shape (2, p)
        u and v.
    centre : ndarray, shape (2,)
        The middle of the window.
    span : float
        From the middle to the edge.
    path : ndarray, shape (steps + 1, 2)
        The training run as near as the plane comes.
    share : float
        How much of the run's movement lies in the plane, from 0 to 1.
    shares : tuple of float
        The same along u and v; empty unless they are the principal components.
    """

    kind: str
    origin: Floats
    directions: Floats
    centre: Floats
    span: float
    path: Floats
    share: float
    shares: tuple[float, ...] = ()

    def theta(self, point: tuple[float, float]) -> Floats:
        """All parameters at a point of the plane.

        Parameters
        ----------
        point : tuple of float
            (a, b).

        Returns
        -------
        ndarray, shape (p,)
        """
        return self.origin + point[0] * self.directions[0] + point[1] * self.directions[1]

    def coordinates(self, thetas: Floats) -> Floats:
        """Coordinates of the nearest points of the plane.

        Parameters
        ----------
        thetas : ndarray, shape (n, p)
            Rows that are not finite have none.

        Returns
        -------
        ndarray, shape (n, 2)
            NaN where a row is not finite.
        """
        found = np.full((len(thetas), 2), np.nan)
        good = np.isfinite(thetas).all(axis=1)
        if good.any():
            found[good] = project(thetas[good], self.origin, self.directions)
        return found


@final
@dataclass(frozen=True, eq=False)
class OwnRun:
    """The learner's run from a point of the plane.

    Parameters
    ----------
    thetas : ndarray, shape (steps + 1, p)
    losses : ndarray, shape (steps + 1,)
        Both NaN from the step on at which the run leaves the numbers.
    path : ndarray, shape (steps + 1, 2)
        As near as the plane comes.
    share : float
        How much of its movement lies in the plane, from 0 to 1; 1 if it does not move.
    """

    thetas: Floats
    losses: Floats
    path: Floats
    share: float

    @property
    def last(self) -> int:
        """The last step that is finite."""
        return int(np.isfinite(self.losses).sum()) - 1


def share_in_plane(thetas: Floats, directions: Floats) -> float:
    """How much of a run's movement lies in a plane: Σ‖P(θₜ − θ̄)‖² / Σ‖θₜ − θ̄‖², P the projection onto it.

    For the first two principal components it is the share of the variance that they explain.

    Parameters
    ----------
    thetas : ndarray, shape (n, p)
    directions : ndarray, shape (2, p)
        Neither of length 1 nor at right angles necessarily.

    Returns
    -------
    float
        From 0 to 1; 1 if nothing moves.

    Examples
    --------
    >>> share_in_plane(np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]]), np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    0.36

    References
    ----------
    H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein (2018), NeurIPS, arXiv 1712.09913, section 7.
    """
    moves = thetas - thetas.mean(axis=0)
    scale = np.abs(moves).max(initial=0.0)
    if scale == 0:
        return 1.0
    moves = moves / scale  # the squares of a run that diverges would overflow
    basis, _ = np.linalg.qr(directions.T)
    return float(min(1.0, np.square(moves @ basis).sum() / np.square(moves).sum()))


@lru_cache(maxsize=16)
def frame(task: Task, directions: str, seed: int) -> Frame:
    """Cut a plane through the end of a task's training run.

    Parameters
    ----------
    task : Task
    directions : {"pca", "random", "whole"}
        The principal components of the run; random directions, filter-normalised; or the plane of the two parameters
        of a network that has no more.
    seed : int
        Of the random directions.

    Returns
    -------
    Frame
    """
    thetas = task.run.thetas
    if directions == "whole":
        middle = thetas[-1]
        span = _MARGIN * float(np.abs(thetas - middle).max())
        return Frame("whole", np.zeros(2), np.eye(2), middle, span, thetas.copy(), 1.0)
    if directions == "pca":
        plane = pca_directions(thetas)
        path = project(thetas, plane.origin, plane.directions)
        low, high = path.min(axis=0), path.max(axis=0)
        shares = tuple(plane.explained.tolist())
        span = _MARGIN * float((high - low).max()) / 2
        return Frame("pca", plane.origin, plane.directions, (low + high) / 2, span, path, float(sum(shares)), shares)
    task.objective.theta[...] = thetas[-1]
    pair = _random_pair(task.objective.model, seed)
    path = project(thetas, thetas[-1], pair)
    span = max(1.0, 1.15 * float(np.abs(path).max()))
    return Frame("random", thetas[-1].copy(), pair, np.zeros(2), span, path, share_in_plane(thetas, pair))


def _random_pair(model: Module, seed: int) -> Floats:
    """Two filter-normalised directions that span a plane."""
    rng = np.random.default_rng(seed)
    # A filter of one weight has two directions only, + and −: in a small network both draws may be the same line.
    for _ in range(_DRAWS):
        try:
            pair = filter_normalised_directions(model, rng=rng)
        except DomainError:
            break  # all weights are 0
        if np.linalg.matrix_rank(pair) == 2:
            return pair
    length = float(np.linalg.norm(model.theta)) or 1.0
    pair = random_directions(model, rng=rng)
    return pair * (length / np.linalg.norm(pair, axis=1, keepdims=True))


@lru_cache(maxsize=16)
def heights(task: Task, directions: str, seed: int) -> LossPlane:
    """The loss on the window of a plane.

    Parameters
    ----------
    task, directions, seed
        As for `frame`.

    Returns
    -------
    LossPlane
        ``losses[i, j]`` at a[i], b[j] of the frame, on 41 × 41 points, 21 × 21 for a large network.
    """
    cut = frame(task, directions, seed)
    at = task.objective
    n = _FINE if len(at.X) * task.parameters <= _FINE_WORK else _COARSE
    at.theta[...] = cut.theta((float(cut.centre[0]), float(cut.centre[1])))
    found = slice_2d(at.model, at.loss, (at.X, at.y), cut.directions, cut.span, n)
    return LossPlane(found.a + cut.centre[0], found.b + cut.centre[1], found.losses, None)


@lru_cache(maxsize=4)
def own_run(task: Task, cut: Frame, start: tuple[float, float], lr: float, steps: int) -> OwnRun:
    """Let gradient descent run from a point of a plane, and see where the plane shows it.

    Parameters
    ----------
    task : Task
    cut : Frame
    start : tuple of float
        (a, b).
    lr : float
    steps : int

    Returns
    -------
    OwnRun
    """
    run = task.descend(cut.theta(start), lr, steps)
    good = run.thetas[np.isfinite(run.losses)]
    share = 1.0 if cut.kind == "whole" else share_in_plane(good, cut.directions) if len(good) else 1.0
    return OwnRun(run.thetas, run.losses, cut.coordinates(run.thetas), share)
