"""Layers that bring numbers to mean 0 and variance 1 on their way through the network."""

from typing import Any

import numpy as np

from bplib.checks import as_number
from bplib.errors import ShapeError
from bplib.functional import sqrt
from bplib.journal import refuse_repetition
from bplib.nn.inputs import as_input, as_sizes
from bplib.nn.module import Module, Parameter
from bplib.tensors import Tensor

__all__ = ["BatchNorm1d", "LayerNorm"]


class BatchNorm1d(Module):
    """Batch normalisation: each feature gets mean 0 and variance 1 over the batch, then a scale and a shift.

    y = γ (x − mean) / √(variance + ε) + β

    In training, mean and variance are those of the batch, and running averages of them are kept;
    after ``model.eval()`` the averages are used, so that an example no longer depends on its company.

    Parameters
    ----------
    num_features : int ≥ 1
        The number of columns.
    eps : float ≥ 0
        ε, inside the root, as in the paper.
    momentum : float in [0, 1)
        How much of a running average each batch replaces. (Not the momentum of an optimizer.)

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,)
        γ, at first 1, and β, at first 0.
    running_mean, running_var : numpy.ndarray, shape (num_features,)
        The averages; part of ``state_dict()``, changed by the forward pass and not by a gradient.

    Raises
    ------
    DataError, DomainError
        If a setting is no such number; in the forward pass, if `x` holds no real numbers.
    ShapeError
        In the forward pass, if `x` is not (n, num_features), or has fewer than 2 rows in training.

    Notes
    -----
    The batch is divided by its variance with 1/n; the running average takes the one with 1/(n − 1), as in
    algorithm 2 of the paper and in PyTorch.

    References
    ----------
    S. Ioffe and C. Szegedy (2015), ICML, algorithms 1 and 2.

    Examples
    --------
    >>> layer = BatchNorm1d(1, eps=0.0)
    >>> layer([[1.0], [3.0]]).data
    array([[-1.],
           [ 1.]])
    >>> layer.running_mean
    array([0.2])
    """

    buffer_names = ("running_mean", "running_var")

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        (n,) = as_sizes("BatchNorm1d", num_features=num_features)
        self.eps = as_number(eps, "eps", "BatchNorm1d", least=0.0)
        self.momentum = as_number(momentum, "momentum", "BatchNorm1d", least=0.0, below=1.0)
        self.weight, self.bias = Parameter(np.ones(n)), Parameter(np.zeros(n))
        self.running_mean, self.running_var = np.zeros(n), np.ones(n)

    def forward(self, x: Any) -> Tensor:
        """Normalise the columns of `x`, shape (n, num_features)."""
        x = as_input(x, "BatchNorm1d")
        if x.ndim != 2 or x.shape[1] != self.weight.size:
            raise ShapeError(
                f"BatchNorm1d: x has shape {x.shape}. Expected (examples, {self.weight.size}), one column a feature."
            )
        if not self.training:
            mean, var = (a.astype(x.dtype, copy=False) for a in (self.running_mean, self.running_var))
            return (x - mean) / np.sqrt(var + self.eps) * self.weight + self.bias
        if len(x) < 2:
            raise ShapeError(
                f"BatchNorm1d: x has {len(x)} rows in training, which have no variance. Expected at least 2. "
                "Try a larger batch, drop_last=True, or model.eval()."
            )
        refuse_repetition("BatchNorm1d", "keeps running averages of every batch")
        mean = x.mean(axis=0)
        centred = x - mean
        var = (centred * centred).mean(axis=0)
        self._remember(mean.array, var.array, len(x))
        return centred / sqrt(var + self.eps) * self.weight + self.bias

    def _remember(self, mean: np.ndarray, var: np.ndarray, n: int) -> None:
        for average, new in ((self.running_mean, mean), (self.running_var, var * (n / (n - 1)))):
            average *= 1 - self.momentum
            average += self.momentum * new

    def _title(self) -> str:
        return f"BatchNorm1d({self.weight.size}, eps={self.eps:g}, momentum={self.momentum:g})"


class LayerNorm(Module):
    """Layer normalisation: each example gets mean 0 and variance 1 over its own features, then a scale and a shift.

    y = γ (x − mean) / √(variance + ε) + β, with mean and variance along the last axis

    It does the same in training and afterwards, and for a single example.

    Parameters
    ----------
    num_features : int ≥ 1
        The length of the last axis.
    eps : float ≥ 0
        ε, inside the root.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,)
        γ, at first 1, and β, at first 0.

    Raises
    ------
    DataError, DomainError
        If a setting is no such number; in the forward pass, if `x` holds no real numbers.
    ShapeError
        In the forward pass, if the last axis has another length.

    References
    ----------
    J. L. Ba, J. R. Kiros and G. E. Hinton (2016), arXiv 1607.06450, eq. 3.

    Examples
    --------
    >>> LayerNorm(2, eps=0.0)([[1.0, 3.0], [10.0, 0.0]]).data
    array([[-1.,  1.],
           [ 1., -1.]])
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        (n,) = as_sizes("LayerNorm", num_features=num_features)
        self.eps = as_number(eps, "eps", "LayerNorm", least=0.0)
        self.weight, self.bias = Parameter(np.ones(n)), Parameter(np.zeros(n))

    def forward(self, x: Any) -> Tensor:
        """Normalise along the last axis of `x`, shape (..., num_features)."""
        x = as_input(x, "LayerNorm")
        if x.shape[-1:] != self.weight.shape:
            raise ShapeError(f"LayerNorm: x has shape {x.shape}. Expected the last axis to be {self.weight.size} long.")
        centred = x - x.mean(axis=-1, keepdims=True)
        var = (centred * centred).mean(axis=-1, keepdims=True)
        return centred / sqrt(var + self.eps) * self.weight + self.bias

    def _title(self) -> str:
        return f"LayerNorm({self.weight.size}, eps={self.eps:g})"
