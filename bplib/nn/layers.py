"""Layers of neurons."""

from typing import Any

import numpy as np

from bplib import functional
from bplib.checks import as_generator, as_truth
from bplib.nn.inputs import as_input, as_sizes
from bplib.nn.module import Module, Parameter
from bplib.tensors import Tensor

__all__ = ["Linear"]


class Linear(Module):
    """A layer of neurons without an activation: y = x @ W + b.

    Parameters
    ----------
    in_features : int ≥ 1
        The number of inputs of each neuron.
    out_features : int ≥ 1
        The number of neurons.
    bias : bool
        Whether each neuron has a bias.
    rng : numpy.random.Generator or int, optional
        Where the first weights come from; a new, unseeded generator if left out. Weights and
        biases are drawn uniformly from ±1/√in_features.

    Attributes
    ----------
    weight : Parameter, shape (in_features, out_features)
        Column j belongs to neuron j.
    bias : Parameter, shape (out_features,), or None
        One number for each neuron.

    Raises
    ------
    DataError, DomainError
        If a number of features is no whole number, below 1, or too large for the memory; if `bias` is no truth
        value; in the forward pass, if `x` holds no real numbers.
    ShapeError
        In the forward pass, if the last axis of `x` has another length.

    References
    ----------
    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), *Efficient BackProp*, LNCS 1524,
    section 4.6: weights of the order 1/√(number of inputs).

    Examples
    --------
    >>> layer = Linear(2, 1, rng=np.random.default_rng(0))
    >>> layer([[1.0, 2.0]]).shape
    (1, 1)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, rng: np.random.Generator | int | None = None
    ) -> None:
        super().__init__()
        in_features, out_features = as_sizes("Linear", in_features=in_features, out_features=out_features)
        bias = as_truth(bias, "bias", "Linear")
        rng = np.random.default_rng() if rng is None else as_generator(rng, "Linear")
        bound = 1.0 / np.sqrt(in_features)
        self.weight = Parameter(rng.uniform(-bound, bound, (in_features, out_features)))
        self.bias = Parameter(rng.uniform(-bound, bound, out_features)) if bias else None

    def forward(self, x: Any) -> Tensor:
        """Compute x @ weight + bias, for `x` of shape (..., in_features); see `bplib.linear`."""
        return functional.linear(as_input(x, "Linear"), self.weight, self.bias)

    def _title(self) -> str:
        return f"Linear({self.weight.shape[0]}, {self.weight.shape[1]}, bias={self.bias is not None})"
