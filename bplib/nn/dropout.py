"""Dropout: neurons that are away at random, so that no other relies on them."""

from typing import Any

import numpy as np

from bplib.checks import as_generator, as_number
from bplib.journal import refuse_repetition
from bplib.nn.inputs import as_input
from bplib.nn.module import Module
from bplib.tensors import Tensor

__all__ = ["Dropout"]


class Dropout(Module):
    """Set each number to 0 with probability p while training, and enlarge the others by 1/(1 − p).

    After ``model.eval()`` it changes nothing. The factor keeps the expected value, so nothing has to be
    scaled afterwards.

    Parameters
    ----------
    p : float in [0, 1)
        The share of numbers that are away.
    rng : numpy.random.Generator or int, optional
        Where the draws come from; a new, unseeded generator if left out.

    Attributes
    ----------
    rng : numpy.random.Generator
        Where the next draw comes from; a checkpoint keeps its state.

    Raises
    ------
    DataError, DomainError
        If `p` is no number, or outside [0, 1); in the forward pass, if `x` holds no real numbers.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov (2014), JMLR 15, 1929-1958,
    section 4. The paper scales the weights by 1 − p afterwards; here, as in PyTorch, training scales.

    Examples
    --------
    >>> layer = Dropout(0.5, rng=0)
    >>> layer([1.0, 1.0, 1.0, 1.0])
    tensor([2., 0., 0., 0.])
    >>> layer.eval()([1.0, 1.0, 1.0, 1.0])
    tensor([1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | int | None = None) -> None:
        super().__init__()
        self.p = as_number(p, "p", "Dropout", least=0.0, below=1.0)
        self.rng = np.random.default_rng() if rng is None else as_generator(rng, "Dropout")

    def forward(self, x: Any) -> Tensor:
        """Multiply by 0 or 1/(1 − p) in training, for `x` of any shape, and give that shape."""
        x = as_input(x, "Dropout")
        if not self.training or not self.p:
            return x
        refuse_repetition("Dropout", "draws anew at every step")
        stays = self.rng.random(x.shape) >= self.p
        return x * np.divide(stays, 1 - self.p, dtype=x.dtype)

    def _title(self) -> str:
        return f"Dropout({self.p:g})"
