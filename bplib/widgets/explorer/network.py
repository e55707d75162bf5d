"""The networks of the surface explorer: a model with its loss and data, the run that trained it, and three examples."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from bplib.checks import as_floats
from bplib.data import make_line, make_moons, xor
from bplib.errors import BplibError, DataError, DomainError, ShapeError
from bplib.landscape.objective import Loss, Objective
from bplib.losses import mse
from bplib.modes import no_grad
from bplib.nn import Linear, Module, Sequential, Sigmoid, Tanh
from bplib.optim import SGD

__all__ = ["EXAMPLES", "OWN", "STEPS", "Run", "Task", "example", "own_task"]

Floats = npt.NDArray[np.float64]

CALLER = "surface explorer"
STEPS = 80
"""Steps of the training run."""
OWN = "your model"
"""The name under which a model of the learner's own stands among the examples."""

_MOST_POINTS = 201
_FAR = 1e6  # times the first parameters: nothing that trains goes so far
_MOST_EXAMPLES, _MOST_WORK = 5_000, 5_000_000  # the work: examples times parameters; a plane takes some seconds


@final
@dataclass(frozen=True, eq=False)
class Run:
    """Where gradient descent went in the space of all parameters.

    Parameters
    ----------
    thetas : ndarray, shape (steps + 1, p)
        θ after every step; NaN from the step on at which it leaves the numbers.
    losses : ndarray, shape (steps + 1,)
    """

    thetas: Floats
    losses: Floats


@final
@dataclass(frozen=True, eq=False)
class Task:
    """A network, what it learns, and the run that the explorer shows the surface of.

    Its model is a private copy: whatever is tried with it, the learner's stays as it is.

    Parameters
    ----------
    name : str
    objective : Objective
        The model in evaluation mode, its loss and its data.
    run : Run
    lr : float
        Learning rate of the run.
    rates : tuple of float
        Learning rates offered for the learner's run.
    """

    name: str
    objective: Objective
    run: Run
    lr: float
    rates: tuple[float, ...]

    @property
    def parameters(self) -> int:
        """Number of parameters p."""
        return int(self.objective.theta.size)

    @property
    def steps(self) -> int:
        """Steps of the training run."""
        return len(self.run.losses) - 1

    def loss_at(self, theta: Floats) -> float:
        """The loss with other parameters.

        Parameters
        ----------
        theta : ndarray, shape (p,)

        Returns
        -------
        float
        """
        self.objective.theta[...] = theta
        with no_grad(), np.errstate(all="ignore"):
            return self.objective.value()

    def answer(self, theta: Floats, inputs: Any = None) -> Floats:
        """What the network computes with other parameters.

        Parameters
        ----------
        theta : ndarray, shape (p,)
        inputs : array_like, optional
            In place of the data's own.

        Returns
        -------
        ndarray, float64
        """
        self.objective.theta[...] = theta
        given = self.objective.inputs if inputs is None else inputs
        with no_grad(), np.errstate(all="ignore"):
            return np.array(self.objective.model(given).array, dtype=np.float64)

    def descend(self, theta: Floats, lr: float, steps: int) -> Run:
        """Train from other parameters with `bplib.optim.SGD`, the whole data at every step.

        Parameters
        ----------
        theta : ndarray, shape (p,)
        lr : float
        steps : int

        Returns
        -------
        Run
        """
        return _descend(self.objective, theta, lr, steps)


def _descend(at: Objective, theta: Floats, lr: float, steps: int) -> Run:
    model, here = at.model, at.theta  # the model's own memory: asking the model for it at every step takes time
    here[...] = theta
    optimizer = SGD([p for p in model.parameters() if p.requires_grad], lr=lr)
    thetas, losses = np.full((steps + 1, theta.size), np.nan), np.full(steps + 1, np.nan)
    # A run that diverges ends in infinities: its result, not an accident.
    with np.errstate(all="ignore"):
        for k in range(steps + 1):
            value = at.loss(model(at.inputs), at.y)
            thetas[k], losses[k] = here, float(value.array.reshape(()))
            if not (np.isfinite(losses[k]) and np.isfinite(thetas[k]).all()):
                thetas[k:], losses[k:] = np.nan, np.nan
                break
            if k < steps:
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
    return Run(thetas, losses)


# ---------------------------------------------------------------- the examples


class _Example(NamedTuple):
    make: Callable[[], tuple[Module, tuple[Floats, Floats]]]
    lr: float
    rates: tuple[float, ...]


def _moons() -> tuple[Module, tuple[Floats, Floats]]:
    X, y = make_moons(100, noise=0.1, rng=0)
    model = Sequential(Linear(2, 8, rng=0), Tanh(), Linear(8, 1, rng=10), Sigmoid())
    return model, (X, y[:, None].astype(np.float64))


def _xor() -> tuple[Module, tuple[Floats, Floats]]:
    return Sequential(Linear(2, 3, rng=3), Tanh(), Linear(3, 1, rng=13), Sigmoid()), xor()


def _line() -> tuple[Module, tuple[Floats, Floats]]:
    return Sequential(Linear(1, 1, rng=2)), make_line(30, slope=2.0, intercept=1.0, noise=0.3, rng=0)


# A sigmoid at the end and a mean over the examples make gradients small, hence rates far above 1.
EXAMPLES: dict[str, _Example] = {
    "moons, 2-8-1": _Example(_moons, 10.0, (1.0, 3.0, 10.0, 50.0)),
    "xor, 2-3-1": _Example(_xor, 3.0, (1.0, 3.0, 10.0, 50.0)),
    "line, 1-1": _Example(_line, 0.1, (0.03, 0.1, 0.5, 1.0)),
}
"""Name of an example -> how it is made, and the learning rates of its run and of the learner's."""


@cache
def example(name: str) -> Task:
    """A built-in example with its training run; trained once.

    Parameters
    ----------
    name : str
        A key of `EXAMPLES`.

    Returns
    -------
    Task

    Examples
    --------
    >>> line = example("line, 1-1")
    >>> line.parameters, line.steps
    (2, 80)
    """
    made = EXAMPLES[name]
    model, data = made.make()
    at = _private(model, mse, data)
    return Task(name, at, _descend(at, at.origin.astype(np.float64), made.lr, STEPS), made.lr, made.rates)


# ---------------------------------------------------------------- a model of the learner's own


def own_task(model: Module, loss: Loss, data: Any, lr: float, run: Any = None) -> Task:
    """A task from a learner's model; the model itself is copied and stays as it is.

    Parameters
    ----------
    model : Module
        Where its parameters are, the training run begins.
    loss : callable
        ``loss(prediction, target)``, one number.
    data : (X, y)
    lr : float
        Learning rate of the training run.
    run : array_like, shape (steps + 1, p), optional
        A training run of the learner's own in place of it.

    Returns
    -------
    Task

    Raises
    ------
    DataError, ShapeError, DomainError, GraphError
        If model, loss, data or run do not fit, there is one parameter only, or the run diverges or never moves.
    """
    at = _private(model, loss, data)
    if run is None:
        found = _descend(at, at.origin.astype(np.float64), lr, STEPS)
        with np.errstate(invalid="ignore"):
            near = (np.abs(found.thetas) < _FAR * (1.0 + np.abs(at.origin).max())).all(axis=1)
        if not near.all():
            raise DomainError(
                f"{CALLER}: the training run with lr={lr:g} diverges at step {int(near.argmin())}. "
                f"Expected a run that stays finite. Try lr={lr / 10:g}, or hand over a run of your own, run=thetas."
            )
    else:
        found = _taken_run(at, run)
    if not np.ptp(found.thetas, axis=0).any():
        raise DomainError(
            f"{CALLER}: the training run never moves, so it spans no plane. Expected a model whose gradient is not 0. "
            "Try a model with new weights, or keep model.theta.copy() at every step, not model.theta."
        )
    return Task(OWN, at, found, lr, tuple(sorted({lr, *(float(f"{lr * times:.3g}") for times in (0.1, 3, 10))})))


def _private(model: Module, loss: Loss, data: Any) -> Objective:
    """An objective on a copy of the model, in evaluation mode, its value and its gradient looked at once."""
    if not isinstance(model, Module):
        Objective(model, loss, data, CALLER)  # says what it is
    try:
        mine = copy.deepcopy(model)
    except Exception as error:
        raise DataError(
            f"{CALLER}: the model cannot be copied ({type(error).__name__}: {error}). Expected one that "
            "copy.deepcopy takes, so that yours stays as it is. Keep open files and the like out of its attributes."
        ) from None
    at = Objective(mine, loss, data, CALLER)
    _check_size(at)
    mine.eval()
    with np.errstate(all="ignore"):
        value = at.value()
        if not np.isfinite(value):
            raise DomainError(f"{CALLER}: the model's loss is {value}. Expected a finite number. Look at the data.")
        at.gradient()
    for parameter in mine.parameters():
        parameter.grad = None
    return at


def _check_size(at: Objective) -> None:
    count = int(at.theta.size)
    if count < 2:
        raise DomainError(
            f"{CALLER}: the model has {count} parameter{'' if count == 1 else 's'}. A plane needs two directions: "
            "expected at least 2, for example nn.Linear(1, 1)."
        )
    most = min(_MOST_EXAMPLES, max(1, _MOST_WORK // count))
    if len(at.X) > most:
        raise DomainError(
            f"{CALLER}: {len(at.X):,} examples of a network with {count:,} parameters take too long for a whole plane. "
            f"Expected at most {most:,}. Try X[:{most}], y[:{most}]."
        )


def _taken_run(at: Objective, run: Any) -> Run:
    try:
        thetas = as_floats([np.asarray(row) for row in run] if np.iterable(run) else run, np.float64, copy=True)
    except BplibError as error:
        raise DataError(f"{CALLER}: run holds no rows of numbers. {error}") from None
    if thetas.ndim != 2 or thetas.shape[1] != at.theta.size or not 3 <= len(thetas) <= _MOST_POINTS:
        raise ShapeError(
            f"{CALLER}: run has shape {thetas.shape}. Expected one θ a row, from (3, {at.theta.size}) to "
            f"({_MOST_POINTS}, {at.theta.size}). Keep model.theta.copy() at every step; of a long run take every "
            "tenth, run[::10]."
        )
    if not np.isfinite(thetas).all():
        raise DomainError(f"{CALLER}: run holds {thetas[~np.isfinite(thetas)][0]}. Expected finite numbers.")
    task = Task(OWN, at, Run(thetas, np.zeros(len(thetas))), 0.0, ())
    losses = np.array([task.loss_at(theta) for theta in thetas])
    if not np.isfinite(losses).all():
        bad = losses[~np.isfinite(losses)][0]
        raise DomainError(f"{CALLER}: the loss along run is {bad}. Expected finite numbers, such as a shorter run has.")
    return Run(thetas, losses)
