"""Networks: layers, and modules that hold them together.

A module is a function with parameters. All parameters of a model lie in one vector, θ.
"""

from bplib.nn import init
from bplib.nn.activations import LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from bplib.nn.dropout import Dropout
from bplib.nn.images import Conv2d, Flatten, MaxPool2d
from bplib.nn.layers import Linear
from bplib.nn.module import Module, Parameter
from bplib.nn.normalisation import BatchNorm1d, LayerNorm
from bplib.nn.sequential import Sequential

__all__ = [
    "BatchNorm1d",
    "Conv2d",
    "Dropout",
    "Flatten",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "init",
]
