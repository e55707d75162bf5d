"""Five optimizers from one start on a surface, each with the best learning rate that its trials have found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from bplib.landscape import Surface, surface
from bplib.optim import adagrad_step, adam_step, rmsprop_step, sgd_step

__all__ = [
    "BUDGETS", "ENTRANTS", "LARGEST_RATE", "NAMES", "PLACES", "STEPS", "Entrant", "Place", "Race", "grid", "run",
    "walk",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Memory = tuple[Floats, Floats]

STEPS = 100
"""Steps of every run; a learning rate is judged by the loss after the last one."""
BUDGETS: tuple[int, ...] = (1, 3, 9)
"""How many learning rates each optimizer may try; every grid contains the smaller ones."""
LARGEST_RATE = 10.0

# Half powers of ten around the usual rate; the smaller budgets take every fourth of them, or the middle alone.
_FACTORS = {1: (1.0,), 3: (0.1, 1.0, 10.0), 9: tuple(10.0 ** (k / 2) for k in range(-4, 5))}
_MEASURABLE = 1e-12


@final
class Entrant(NamedTuple):
    """An optimizer in the race.

    Parameters
    ----------
    name : str
    usual : float
        The learning rate that PyTorch 2 takes where none is given.
    advance : callable
        ``advance(theta, grad, memory, t, lr)`` takes step number t in place, by the library's step function with its
        usual settings; `memory` are two arrays of the shape of `theta`, 0 at first.
    """

    name: str
    usual: float
    advance: Callable[[Floats, Floats, Memory, int, Floats], None]


ENTRANTS: tuple[Entrant, ...] = (
    Entrant("SGD", 1e-3, lambda theta, grad, _, t, lr: sgd_step(theta, grad, lr=lr)),
    Entrant("momentum", 1e-3, lambda theta, grad, m, t, lr: sgd_step(theta, grad, m[0], lr=lr, momentum=0.9)),
    Entrant("AdaGrad", 1e-2, lambda theta, grad, m, t, lr: adagrad_step(theta, grad, m[0], lr=lr)),
    Entrant("RMSProp", 1e-2, lambda theta, grad, m, t, lr: rmsprop_step(theta, grad, m[0], lr=lr)),
    Entrant("Adam", 1e-3, lambda theta, grad, m, t, lr: adam_step(theta, grad, m[0], m[1], t, lr=lr)),
)
NAMES: tuple[str, ...] = tuple(one.name for one in ENTRANTS)


@final
class Place(NamedTuple):
    """A surface to race on.

    Parameters
    ----------
    surface : Surface
    start : tuple of float
        Where the race starts if nothing else is said.
    words : str
        What the surface looks like.
    """

    surface: Surface
    start: tuple[float, float]
    words: str


PLACES: dict[str, Place] = {
    # The same curvatures, 1 and 25, and the same start, turned with the valley by 45°.
    "bowl": Place(surface("bowl", condition_number=25, curvature=25), (-2.2, 1.2), "valley along w₁"),
    "ravine": Place(surface("ravine", steepness=25), (-0.71, -2.4), "the bowl's valley, turned by 45°"),
    "rosenbrock": Place(surface("rosenbrock"), (-1.5, -0.5), "a valley that bends"),
    "himmelblau": Place(surface("himmelblau"), (0.5, -0.5), "four minima"),
}
"""Name of a surface -> where the race is run."""


def grid(budget: int) -> Floats:
    """The learning rates that each optimizer tries: evenly spaced on a log scale around its usual one.

    Parameters
    ----------
    budget : int
        One of `BUDGETS`.

    Returns
    -------
    ndarray, shape (5, budget)

    Examples
    --------
    >>> grid(3)[0].round(6).tolist(), grid(9)[4, [0, 4, 8]].round(6).tolist()
    ([0.0001, 0.001, 0.01], [1e-05, 0.001, 0.1])
    """
    return np.outer([one.usual for one in ENTRANTS], _FACTORS[budget])


def walk(place: Surface, rates: npt.ArrayLike, start: npt.ArrayLike, steps: int = STEPS, scale: float = 1.0) -> Floats:
    """Let all optimizers walk at once, each at several learning rates, with scale · f as the loss.

    Parameters
    ----------
    place : Surface
        f, with its gradient.
    rates : array_like, shape (5, r)
        In the order of `ENTRANTS`.
    start : array_like, shape (2,)
    steps : int
    scale : float
        The constant that multiplies the loss and with it every gradient.

    Returns
    -------
    ndarray, shape (5, r, steps + 1, 2)
        The weights; infinite or not a number where a walk has run away.

    Examples
    --------
    >>> narrow = surface("bowl", condition_number=1, curvature=4)
    >>> walk(narrow, np.full((5, 1), 0.07), (0.0, 1.0), steps=2)[[0, 2], 0, 1:, 1].round(4).tolist()
    [[0.72, 0.5184], [0.93, 0.8823]]
    """
    lr = np.asarray(rates, dtype=np.float64)[..., None]
    theta = np.tile(np.asarray(start, dtype=np.float64), (*lr.shape[:2], 1))
    memories = [(np.zeros_like(one), np.zeros_like(one)) for one in theta]
    points = np.empty((steps + 1, *theta.shape))
    points[0] = theta
    # What diverges overflows in the end: the infinities are its result, not an accident.
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            gradient = scale * place.gradient(theta)
            for which, one in enumerate(ENTRANTS):
                one.advance(theta[which], gradient[which], memories[which], t, lr[which])
            points[t] = theta
    return points.transpose(1, 2, 0, 3)


@final
@dataclass(frozen=True)
class Race:
    """One race: the rates that were tried, the chosen ones, and where each of the five optimizers went.

    Parameters
    ----------
    place : Surface
    scale : float
        The constant that multiplies the loss in the race; rates are tried at scale 1.
    tried : ndarray, shape (5, budget)
        The learning rates of the trials.
    results : ndarray, shape (5, budget)
        The height of the surface at the end of each trial; infinite where it ran away.
    best : ndarray of int, shape (5,)
        Which trial ended lowest.
    rates : ndarray, shape (5,)
        The learning rates of the race.
    own : tuple of str
        Whose rate was set by hand.
    points : ndarray, shape (5, 101, 2)
        The weights after every step.
    losses : ndarray, shape (5, 101)
        The height of the surface there, which is the loss divided by `scale`.
    effective : ndarray, shape (5, 101, 2)
        |Δw| / |g| of the step that led there, for each weight; not a number where there is none.
    left : ndarray of int, shape (5,)
        The step from which on the walk stays outside of the picture; 101 where it does not.
    changed : ndarray of bool, shape (5, 101)
        Whether the scale has moved the walk, up to a step, by more than a thousandth of the picture.
    """

    place: Surface
    scale: float
    tried: Floats
    results: Floats
    best: Counts
    rates: Floats
    own: tuple[str, ...]
    points: Floats
    losses: Floats
    effective: Floats
    left: Counts
    changed: npt.NDArray[np.bool_]

    @property
    def diverged(self) -> npt.NDArray[np.bool_]:
        """Whose walk stays outside of the picture and ends higher than it began, shape (5,)."""
        return (self.left <= STEPS) & ~(self.losses[:, -1] <= self.losses[:, 0])

    @property
    def at_the_end(self) -> npt.NDArray[np.bool_]:
        """Whose best trial is the smallest or the largest of several, and not replaced by hand, shape (5,)."""
        last = self.tried.shape[1] - 1
        tuned = np.array([name not in self.own for name in NAMES])
        matters = self.results.min(axis=1) < self.results.max(axis=1)
        return tuned & matters & ((self.best == 0) | (self.best == last))


@lru_cache(maxsize=32)
def run(
    name: str, start: tuple[float, float], budget: int, scale: float = 1.0, own: tuple[tuple[str, float], ...] = ()
) -> Race:
    """Try the learning rates of every optimizer, keep its best one, and run the race.

    Parameters
    ----------
    name : str
        A key of `PLACES`.
    start : tuple of float
    budget : int
        One of `BUDGETS`.
    scale : float
        Multiplies the loss in the race; the rates are tried without it.
    own : tuple of (str, float)
        Learning rates set by hand, with the names of their optimizers.

    Returns
    -------
    Race

    Examples
    --------
    >>> [figure.item() for figure in run("bowl", (-2.2, 1.0), 9).rates.round(4)]
    [0.0316, 0.01, 1.0, 0.1, 0.1]
    >>> run("bowl", (-2.2, 1.0), 9, scale=32.0).diverged.tolist()
    [True, True, False, False, False]
    """
    place, tried, everyone = PLACES[name].surface, grid(budget), np.arange(len(ENTRANTS))
    trials = walk(place, tried, start)
    results = _heights(place, trials[:, :, -1])
    best = results.argmin(axis=1)
    rates, points = tried[everyone, best], trials[everyone, best]
    for optimizer, rate in own:
        rates[NAMES.index(optimizer)] = rate
    if own:
        points = walk(place, rates[:, None], start)[:, 0]
    unscaled = points
    if scale != 1:
        points = walk(place, rates[:, None], start, scale=scale)[:, 0]
    losses, left = _heights(place, points), _left(place, points)
    effective = _effective(place, points, scale)
    changed = _changed(place, unscaled, points)
    names = tuple(optimizer for optimizer, _ in own)
    return Race(place, scale, tried, results, best, rates, names, points, losses, effective, left, changed)


def _heights(place: Surface, points: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        heights = place.f(points)
    return np.where(np.isnan(heights), np.inf, heights)


def _width(place: Surface) -> float:
    low, high = place.domain[0]
    return high - low


def _left(place: Surface, points: Floats) -> Counts:
    low, high = np.array(place.domain).T
    inside = ((points >= low) & (points <= high)).all(axis=-1)
    # A swing beyond the edge that comes back is part of the walk: what counts is the last step inside.
    last_inside: Counts = points.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
    return last_inside + 1


def _effective(place: Surface, points: Floats, scale: float) -> Floats:
    """Measured from the walk, not from the method's formula; where the walk has arrived there is nothing to measure."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        moved = np.abs(np.diff(points, axis=1, prepend=points[:, :1]))
        gradient = scale * np.abs(place.gradient(points))
        ratio = moved[:, 1:] / gradient[:, :-1]
        # A smaller step is mostly rounding error beside the weight that it was added to.
        ratio[~(moved[:, 1:] > _MEASURABLE * np.abs(points[:, 1:])) | ~np.isfinite(ratio)] = np.nan
    return np.concatenate([np.full_like(points[:, :1], np.nan), ratio], axis=1)


def _changed(place: Surface, before: Floats, after: Floats) -> npt.NDArray[np.bool_]:
    with np.errstate(over="ignore", invalid="ignore"):
        apart = np.abs(after - before).max(axis=-1)
    same = ((after == before) | (np.isnan(after) & np.isnan(before))).all(axis=-1)
    differs = ~same & ~(apart <= 1e-3 * _width(place))
    return np.logical_or.accumulate(differs, axis=1)
