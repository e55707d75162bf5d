"""A small library of losses, automatic differentiation and optimizers in plain NumPy.

>>> import bplib
>>> w = bplib.tensor(3.0, requires_grad=True)
>>> loss = w * w
>>> loss.backward()
>>> float(w.grad)
6.0
"""

from bplib import data, errors, landscape, losses, nn, optim, training
from bplib.engine import no_grad
from bplib.functional import abs, exp, linear, log, log_softmax, relu, sigmoid, softmax, sqrt, tanh
from bplib.numeric import gradcheck
from bplib.tensors import Tensor, tensor

__version__ = "0.1.0"

__all__ = [
    "Tensor",
    "abs",
    "data",
    "errors",
    "exp",
    "gradcheck",
    "landscape",
    "linear",
    "log",
    "log_softmax",
    "losses",
    "nn",
    "no_grad",
    "optim",
    "relu",
    "sigmoid",
    "softmax",
    "sqrt",
    "tanh",
    "tensor",
    "training",
]
