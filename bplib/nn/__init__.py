"""Networks: layers, and modules that hold them together.

A module is a function with parameters. All parameters of a model lie in one vector, θ.
"""

from bplib.nn.layers import Linear, ReLU, Sigmoid, Tanh
from bplib.nn.module import Module, Parameter
from bplib.nn.sequential import Sequential

__all__ = ["Linear", "Module", "Parameter", "ReLU", "Sequential", "Sigmoid", "Tanh"]
