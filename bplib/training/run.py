"""What a callback sees of a training run."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib.nn import Module
from bplib.optim import Optimizer
from bplib.training.history import History

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """What a callback may look at while training goes on.

    Attributes
    ----------
    model : Module
        The network, in its present state.
    optimizer : Optimizer
        What updates it.
    history : History
        The epochs so far.
    rng : numpy.random.Generator
        Decides the order of the examples.
    callbacks : tuple of callable
        Who else is called.
    """

    model: Module
    optimizer: Optimizer
    history: History
    rng: np.random.Generator
    callbacks: tuple[Any, ...] = ()
