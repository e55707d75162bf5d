"""Four optimizers on two tasks, each with one, three or nine tries for its learning rate.

The runs take most of a minute, so a notebook shows stored numbers; ``python scripts/make_tuning.py`` makes them anew,
and a test repeats some of them. The first seed chooses the rate, five others say what it is worth.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from bplib import losses, nn, optim
from bplib.data import load_digits, sparse_text
from bplib.errors import DataError, DomainError
from bplib.training import fit
from bplib.viz.budgets import budget_dots
from bplib.viz.picture import Picture
from bplib.widgets.race.run import BUDGETS, ENTRANTS, grid

__all__ = [
    "CHOOSING_SEED", "OPTIMIZERS", "SEEDS", "STORED", "TASKS", "WIDER", "Task", "Tuning", "chosen_rate", "rates_of",
    "train", "tuning",
]  # fmt: skip

Floats = NDArray[np.float64]

CHOOSING_SEED = 0
"""What every rate is tried with, to choose one."""

SEEDS: tuple[int, ...] = (1, 2, 3, 4, 5)
"""What says how good a chosen rate is: five other first weights and orders of the examples."""

WIDER: tuple[float, ...] = (1e-1 * 10**0.5, 1.0)
"""Two rates above the grid of plain SGD, tried by themselves."""

STORED = "tuning.json"
"""The file beside this module that holds the numbers."""

_EPOCHS, _BATCH = 20, 20


@final
class Task(NamedTuple):
    """What is learned: data for training and for validation, and a network.

    Parameters
    ----------
    words : str
        What it is, for a picture's title.
    data : callable
        Gives (train, valid), two pairs (X, y).
    network : callable
        Gives the network with its first weights, drawn from the generator.
    """

    words: str
    data: Callable[[], tuple[Any, Any]]
    network: Callable[[np.random.Generator], nn.Module]


def _digits() -> tuple[Any, Any]:
    X, y = load_digits().train
    return (X[:300], y[:300]), (X[300:700], y[300:700])


def _texts() -> tuple[Any, Any]:
    X, y = sparse_text(800)
    return (X[:400], y[:400]), (X[400:], y[400:])


TASKS: dict[str, Task] = {
    "digits": Task(
        "300 handwritten digits",
        _digits,
        lambda rng: nn.Sequential(nn.Linear(64, 32, rng=rng), nn.Tanh(), nn.Linear(32, 10, rng=rng)),
    ),
    "text": Task("400 bags of words", _texts, lambda rng: nn.Linear(200, 2, rng=rng)),
}
"""Name -> task."""

OPTIMIZERS: dict[str, Callable[[Any, float], optim.Optimizer]] = {
    "SGD": lambda parameters, lr: optim.SGD(parameters, lr=lr),
    "momentum": lambda parameters, lr: optim.SGD(parameters, lr=lr, momentum=0.9),
    "AdaGrad": lambda parameters, lr: optim.AdaGrad(parameters, lr=lr),
    "Adam": lambda parameters, lr: optim.Adam(parameters, lr=lr),
}
"""Name -> maker of the optimizer."""


def rates_of(optimizer: str, budget: int) -> Floats:
    """The learning rates that an optimizer may try: the grid of the optimizer race.

    Parameters
    ----------
    optimizer : str
        A key of `OPTIMIZERS`.
    budget : int
        1, 3 or 9.

    Returns
    -------
    ndarray, shape (budget,)

    Examples
    --------
    >>> rates_of("Adam", 3).round(6).tolist()
    [0.0001, 0.001, 0.01]
    """
    return grid(budget)[[one.name for one in ENTRANTS].index(optimizer)]


def train(task: str, optimizer: str, rate: float, seed: int) -> float:
    """Train one network and give its lowest validation loss over twenty epochs.

    Parameters
    ----------
    task : str
        A key of `TASKS`.
    optimizer : str
        A key of `OPTIMIZERS`.
    rate : float
        Learning rate, above 0.
    seed : int
        Decides first weights and order of the examples.

    Returns
    -------
    float
        The cross-entropy; infinite if the run diverges in the first epoch.

    Examples
    --------
    >>> round(train("text", "AdaGrad", 0.01, seed=1), 2)
    0.41
    """
    chosen = TASKS[task]
    rng = np.random.default_rng(seed)
    learned, judged = chosen.data()
    network = chosen.network(rng)
    method = OPTIMIZERS[optimizer](network.parameters(), rate)
    try:
        history = fit(network, losses.cross_entropy, method, learned, judged, epochs=_EPOCHS, batch_size=_BATCH,
                      rng=rng, progress=False)  # fmt: skip
    except DomainError:
        return float(np.inf)
    found = np.asarray(history["valid_loss"], dtype=np.float64)
    return float(found[np.isfinite(found)].min(initial=np.inf))


@final
@dataclass(frozen=True, slots=True, repr=False)
class Tuning:
    """What came of all runs.

    Parameters
    ----------
    tried : mapping of str to mapping of str to ndarray, shape (9,)
        Task -> optimizer -> the validation loss of each of the nine rates, with the seed that chooses. On the digits
        rounding decides on that of AdaGrad with the largest rate: between 1.0 and 1.6 by the last digits of weights.
    found : mapping of str to mapping of str to ndarray, shape (3, 5)
        Task -> optimizer -> the validation losses at the rate chosen with 1, 3 and 9 tries, with five other seeds.
    wider : mapping of str to ndarray, shape (5,)
        Task -> the same for plain SGD that may try `WIDER` as well.

    Examples
    --------
    >>> tuning().ranking("digits", 9)[0], tuning().ranking("text", 9)[0]
    ('momentum', 'Adam')
    """

    tried: Mapping[str, Mapping[str, Floats]]
    found: Mapping[str, Mapping[str, Floats]]
    wider: Mapping[str, Floats]

    def median(self, task: str, optimizer: str, budget: int) -> float:
        """The median validation loss over the five seeds.

        Parameters
        ----------
        task, optimizer : str
        budget : int
            1, 3 or 9.

        Returns
        -------
        float
        """
        if budget not in BUDGETS:
            raise DomainError(f"Tuning.median: budget is {budget!r}. Expected one of {', '.join(map(str, BUDGETS))}.")
        return float(np.median(self.found[task][optimizer][BUDGETS.index(budget)]))

    def ranking(self, task: str, budget: int) -> tuple[str, ...]:
        """The optimizers from the lowest median validation loss to the highest.

        Parameters
        ----------
        task : str
        budget : int
            1, 3 or 9.

        Returns
        -------
        tuple of str
        """
        return tuple(sorted(OPTIMIZERS, key=lambda optimizer: self.median(task, optimizer, budget)))

    def picture(self) -> Picture:
        """Draw every validation loss over the number of tries, a panel for each task.

        Returns
        -------
        Picture
        """
        return budget_dots({TASKS[task].words: dict(found) for task, found in self.found.items()}, BUDGETS)

    def __repr__(self) -> str:
        head = "".join(f"{name:>10}" for name in OPTIMIZERS)
        rows = [f"task     tries{head}"]
        for task in self.found:
            for budget in BUDGETS:
                cells = "".join(f"{self.median(task, optimizer, budget):>10.2f}" for optimizer in OPTIMIZERS)
                rows.append(f"{task:<9}{budget:>5}{cells}")
        return "\n".join(rows)


def chosen_rate(optimizer: str, tried: Floats, budget: int) -> float:
    """The rate with the lowest validation loss among those that the budget allows.

    Parameters
    ----------
    optimizer : str
    tried : ndarray, shape (9,)
        The validation loss of each of the nine rates.
    budget : int
        1, 3 or 9.

    Returns
    -------
    float

    Examples
    --------
    >>> chosen_rate("Adam", np.array([9, 8, 7, 6, 5, 4, 3, 2, 1.0]), budget=3)
    0.01
    """
    rates = rates_of(optimizer, max(BUDGETS))
    allowed = [k for k, rate in enumerate(rates) if np.isclose(rates_of(optimizer, budget), rate).any()]
    return float(rates[min(allowed, key=lambda k: tried[k])])


@cache
def tuning() -> Tuning:
    """What came of all runs, from the stored numbers.

    Returns
    -------
    Tuning

    Raises
    ------
    DataError
        If the file with the numbers is missing or damaged.
    """
    try:
        stored = json.loads((resources.files("bplib.lessons.claims") / STORED).read_text("utf-8"))
        tried, found = ({task: _arrays(stored[part][task]) for task in TASKS} for part in ("tried", "found"))
        return Tuning(tried, found, _arrays(stored["wider"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"tuning: the stored numbers, {STORED}, are missing or damaged. Expected them where bplib is installed. "
            "Install bplib again, or make them anew with scripts/make_tuning.py."
        ) from error


def _arrays(rows: Mapping[str, Any]) -> dict[str, Floats]:
    return {name: np.array(values, dtype=np.float64) for name, values in rows.items()}
