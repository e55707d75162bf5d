"""Optimizers: what is done with a gradient once backpropagation has found it.

Each method is one step function over arrays, written like the algorithm box of its paper,
and a thin class that holds the settings and the state. Nothing here knows a graph: an
optimizer reads ``.data`` and ``.grad``, so the update is visibly not backpropagation.

The parameters of a model lie side by side in one vector, and a step is then the formula,
once, on that vector. Separate tensors work as well, one after the other.
"""

from bplib.optim.base import Optimizer
from bplib.optim.clipping import clip_grad_norm, clip_grad_value
from bplib.optim.methods import SGD, AdaDelta, AdaGrad, RMSProp
from bplib.optim.moment_steps import adam_step, adamw_step, nadam_step
from bplib.optim.moments import Adam, AdamW, NAdam
from bplib.optim.rates import (
    CosineAnnealingLR,
    ExponentialLR,
    InverseSqrtLR,
    LambdaLR,
    LinearWarmup,
    OneCycleLR,
    StepLR,
)
from bplib.optim.schedules import ReduceLROnPlateau, Schedule
from bplib.optim.steps import adadelta_step, adagrad_step, rmsprop_step, sgd_step

__all__ = [
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LambdaLR",
    "LinearWarmup",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "RMSProp",
    "ReduceLROnPlateau",
    "Schedule",
    "StepLR",
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamw_step",
    "clip_grad_norm",
    "clip_grad_value",
    "nadam_step",
    "rmsprop_step",
    "sgd_step",
]
