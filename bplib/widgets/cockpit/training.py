"""The run of the training cockpit: one epoch after another, each from the numbers that the one before has left."""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, final

import numpy as np

from bplib.data import DataLoader
from bplib.losses import cross_entropy
from bplib.nn import Sequential
from bplib.training import GradientWatch, History, Run, accuracy, evaluate
from bplib.widgets.cockpit.faults import VALIDATED_ON, Digits, digits_for, network_for, optimizer_for

__all__ = ["BATCH", "LAYERS", "Row", "Training", "begin", "history_of", "one_epoch", "trained"]

BATCH = 15
"""Digits in a batch: 20 steps an epoch."""
LAYERS = ("0.weight", "2.weight")
"""The weights whose gradients and updates are watched, of layer 1 and of layer 2."""

_UNKNOWN = (math.nan, math.nan)


@final
class Row(NamedTuple):
    """What one epoch has left; an infinite loss is one that is no number.

    Parameters
    ----------
    train_loss, valid_loss : float
        Cross-entropy after the epoch, both with the same weights.
    right : int
        Validation digits that are told right, of 200.
    gradients : tuple of float
        ‖∂Loss/∂W‖ of layer 1 and of layer 2, mean over the steps of the epoch; NaN before the first step.
    ratios : tuple of float
        ‖ΔW‖ / ‖W‖, likewise.
    """

    train_loss: float
    valid_loss: float
    right: int
    gradients: tuple[float, float]
    ratios: tuple[float, float]


@final
@dataclass(frozen=True, slots=True)
class Training:
    """A training run up to now: what has been seen, and the numbers from which it goes on.

    Parameters
    ----------
    fault : str
        A key of `FAULTS`.
    lr : float
        The rate that the learner has set.
    seed : int
        Of the weights and of the order of the digits.
    rows : tuple of Row
        Before the first step and after each epoch.
    theta : bytes
        All parameters, float64.
    gradient : bytes
        What the parameters' gradients hold: the next batch adds to it, where nothing zeroes it.
    """

    fault: str = field(repr=False)
    lr: float
    seed: int
    rows: tuple[Row, ...] = field(repr=False)
    theta: bytes = field(repr=False)
    gradient: bytes = field(repr=False)

    @property
    def epochs(self) -> int:
        """Epochs run."""
        return len(self.rows) - 1

    @property
    def ended(self) -> bool:
        """Whether the loss is no number any more: no step brings it back."""
        return not math.isfinite(self.rows[-1].train_loss)


@lru_cache(maxsize=64)
def begin(fault: str, lr: float, seed: int) -> Training:
    """Set a run up, and measure it before its first step.

    Parameters
    ----------
    fault : str
        A key of `FAULTS`.
    lr : float
    seed : int

    Returns
    -------
    Training

    Examples
    --------
    >>> round(begin("healthy", 0.1, 0).rows[0].train_loss, 1)
    2.4
    """
    network = network_for(fault, seed)
    first = _measured(network, digits_for(fault), _UNKNOWN, _UNKNOWN)
    return Training(fault, lr, seed, (first,), network.theta.tobytes(), np.zeros_like(network.theta).tobytes())


def one_epoch(training: Training) -> Training:
    """Give the run after one more epoch; the run before it is not changed.

    Forward – Loss – Backward – Update for each of 20 batches, whose order follows from the seed and the epoch alone.

    Parameters
    ----------
    training : Training

    Returns
    -------
    Training
        The same, where the loss is no number any more.

    Examples
    --------
    >>> after = one_epoch(begin("frozen", 0.1, 0))
    >>> after.epochs, after.rows[-1].ratios[0]
    (1, 0.0)
    """
    if training.ended:
        return training
    network, digits = network_for(training.fault, training.seed), digits_for(training.fault)
    network.theta = np.frombuffer(training.theta)
    network.theta_grad = np.frombuffer(training.gradient)
    with np.errstate(all="ignore"):  # a run that diverges ends in infinities: its result, not an accident
        watch = _loop(training, network, digits)
        gradients, ratios = (_means(values) for values in (watch.gradient_norms, watch.update_ratios))
        row = _measured(network, digits, gradients, ratios)
    rows = (*training.rows, row)
    theta, gradient = network.theta.tobytes(), network.theta_grad.tobytes()
    return Training(training.fault, training.lr, training.seed, rows, theta, gradient)


def _loop(training: Training, network: Sequential, digits: Digits) -> GradientWatch:
    optimizer = optimizer_for(training.fault, network, training.lr)
    order = np.random.default_rng([training.seed, training.epochs])
    watch, run = GradientWatch(), Run(network, optimizer, History(), order)
    for X, y in DataLoader(digits.X, digits.y, batch_size=BATCH, rng=order):
        if training.fault != "no_zeroing":
            network.zero_grad()
        # Forward
        scores = network(X)
        # Loss
        loss = cross_entropy(scores, y)
        # Backward
        loss.backward()
        watch("backward_end", run)
        # Update
        optimizer.step()
        run.history.steps += 1
        watch("step_end", run)
    return watch


def _means(values: dict[str, np.ndarray]) -> tuple[float, float]:
    first, second = (_number(float(values[name].mean())) for name in LAYERS)
    return first, second


def _measured(network: Sequential, digits: Digits, gradients: tuple[float, float], ratios: tuple[float, float]) -> Row:
    train = evaluate(network, cross_entropy, digits.X, digits.y)
    valid = evaluate(network, cross_entropy, digits.X_valid, digits.y_valid)
    right = round(VALIDATED_ON * accuracy(network, digits.X_valid, digits.y_valid))
    return Row(_number(train), _number(valid), right, gradients, ratios)


def _number(value: float) -> float:
    """Infinite where it is no number: NaN would differ from itself, and a state from its copy."""
    return math.inf if math.isnan(value) else value


@lru_cache(maxsize=32)
def trained(fault: str, lr: float, seed: int, epochs: int) -> Training:
    """Give a run after so many epochs, or where its loss has left the numbers.

    Parameters
    ----------
    fault : str
        A key of `FAULTS`.
    lr : float
    seed : int
    epochs : int

    Returns
    -------
    Training

    Examples
    --------
    >>> trained("healthy", 0.1, 0, 2) == one_epoch(one_epoch(begin("healthy", 0.1, 0)))
    True
    """
    training = begin(fault, lr, seed)
    for _ in range(epochs):
        training = one_epoch(training)
    return training


def history_of(training: Training) -> History:
    """Give the record as a table, the same that `bplib.training.fit` returns, without the seconds.

    Parameters
    ----------
    training : Training

    Returns
    -------
    History
        Empty before the first epoch. Else a row for epoch 0, before the first step, and one for each epoch, in the
        columns ``epoch``, ``train_loss``, ``valid_loss``, ``valid_accuracy``, ``gradient_norm_1``,
        ``gradient_norm_2``, ``update_ratio_1`` and ``update_ratio_2``.

    Examples
    --------
    >>> history_of(trained("healthy", 0.1, 0, 3))["epoch"]
    array([0, 1, 2, 3])
    """
    history = History()
    for epoch, row in enumerate(training.rows if training.epochs else ()):
        history.append(
            epoch=epoch, train_loss=row.train_loss, valid_loss=row.valid_loss, valid_accuracy=row.right / VALIDATED_ON,
            gradient_norm_1=row.gradients[0], gradient_norm_2=row.gradients[1],
            update_ratio_1=row.ratios[0], update_ratio_2=row.ratios[1],
        )  # fmt: skip
    return history
