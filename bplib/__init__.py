"""A small library of losses, automatic differentiation and optimizers in plain NumPy.

>>> import bplib
>>> w = bplib.tensor(3.0, requires_grad=True)
>>> loss = w * w
>>> loss.backward()
>>> float(w.grad)
6.0
"""

from bplib import data, errors, landscape, losses, nn, optim, training
from bplib.anomaly import detect_anomaly
from bplib.differentiation import grad
from bplib.functional import (
    abs,
    clip,
    concatenate,
    conv2d,
    cos,
    exp,
    leaky_relu,
    linear,
    log,
    log_softmax,
    logsumexp,
    max_pool2d,
    maximum,
    minimum,
    relu,
    sigmoid,
    sin,
    softmax,
    softplus,
    sqrt,
    stack,
    tanh,
    where,
)
from bplib.modes import no_grad
from bplib.numeric import gradcheck
from bplib.recording import replay
from bplib.references import cite
from bplib.tensors import Tensor, tensor
from bplib.tracing import trace

__version__ = "0.1.0"

__all__ = [
    "Tensor",
    "abs",
    "cite",
    "clip",
    "concatenate",
    "conv2d",
    "cos",
    "data",
    "detect_anomaly",
    "errors",
    "exp",
    "grad",
    "gradcheck",
    "landscape",
    "leaky_relu",
    "linear",
    "log",
    "log_softmax",
    "logsumexp",
    "losses",
    "max_pool2d",
    "maximum",
    "minimum",
    "nn",
    "no_grad",
    "optim",
    "relu",
    "replay",
    "sigmoid",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "stack",
    "tanh",
    "tensor",
    "trace",
    "training",
    "where",
]
