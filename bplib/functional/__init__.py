"""Functions of tensors: NumPy's names, and the few that neural networks add.

Each takes tensors, arrays or numbers and gives a tensor through which gradients flow. The local
derivative stands in the table of operations, `bplib.rules`, whose families have the same names.
"""

from bplib.functional.axes import log_softmax, logsumexp, softmax
from bplib.functional.elementwise import (
    abs,
    clip,
    cos,
    exp,
    leaky_relu,
    log,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
)
from bplib.functional.images import conv2d, max_pool2d
from bplib.functional.joins import concatenate, stack
from bplib.functional.layers import linear
from bplib.functional.selection import maximum, minimum, where

__all__ = [
    "abs",
    "clip",
    "concatenate",
    "conv2d",
    "cos",
    "exp",
    "leaky_relu",
    "linear",
    "log",
    "log_softmax",
    "logsumexp",
    "max_pool2d",
    "maximum",
    "minimum",
    "relu",
    "sigmoid",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "stack",
    "tanh",
    "where",
]
