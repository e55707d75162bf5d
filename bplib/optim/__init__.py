"""Optimizers: what is done with a gradient once backpropagation has found it.

Each method is one step function over arrays, written like the algorithm box of its paper,
and a thin class that holds the settings and the state. Nothing here knows a graph: an
optimizer reads ``.data`` and ``.grad``, so the update is visibly not backpropagation.

The parameters of a model lie side by side in one vector, and a step is then the formula,
once, on that vector. Separate tensors work as well, one after the other.
"""

from bplib.optim.base import Optimizer
from bplib.optim.methods import SGD, AdaGrad, Adam
from bplib.optim.steps import adagrad_step, adam_step, sgd_step

__all__ = ["SGD", "AdaGrad", "Adam", "Optimizer", "adagrad_step", "adam_step", "sgd_step"]
