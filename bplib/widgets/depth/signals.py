"""Activations and gradients of a deep network at its first weights, layer by layer, at every depth up to 20."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.nn import Linear, Module, Parameter, ReLU, Sigmoid, Tanh, init
from bplib.tensors import Tensor

__all__ = [
    "ACTIVATIONS", "EXAMPLES", "EXPONENTS", "INITIALISATIONS", "MOST_LAYERS", "RANGES", "Signals", "backward",
    "forward", "signals",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

MOST_LAYERS = 20
EXAMPLES = 100
"""Inputs that go through the network, each a row of standard-normal numbers."""

ACTIVATIONS: dict[str, type[Module] | None] = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "none": None}
"""Name in the code -> the layer behind every linear layer."""

RANGES: dict[str, tuple[float, float]] = {
    "sigmoid": (-0.05, 1.05), "tanh": (-1.1, 1.1), "relu": (-0.3, 3.7), "none": (-4.0, 4.0),
}  # fmt: skip
"""Lowest and highest activation that is drawn; what lies beyond is counted nowhere."""

_BINS = 20
EXPONENTS: Floats = np.arange(-44.0, 32.25, 0.25)
"""Edges of the bins for the sizes of gradients, as powers of ten."""


def _uniform(weight: Parameter, rng: np.random.Generator) -> None:
    bound = 1 / math.sqrt(weight.shape[0])
    init.uniform_(weight, -bound, bound, rng=rng)


def _xavier(weight: Parameter, rng: np.random.Generator) -> None:
    init.xavier_uniform_(weight, rng=rng)


def _he(weight: Parameter, rng: np.random.Generator) -> None:
    init.kaiming_normal_(weight, rng=rng)


def _small(weight: Parameter, rng: np.random.Generator) -> None:
    init.normal_(weight, 0.0, 0.01, rng=rng)


def _large(weight: Parameter, rng: np.random.Generator) -> None:
    init.normal_(weight, 0.0, 1.0, rng=rng)


INITIALISATIONS: dict[str, Callable[[Parameter, np.random.Generator], None]] = {
    "uniform": _uniform, "xavier": _xavier, "he": _he, "small": _small, "large": _large,
}  # fmt: skip
"""Name in the code -> what fills the weights of a layer.

uniform ±1/√n, variance 1/(3n); Xavier, variance 1/n; He, variance 2/n; normal with standard deviation 0.01 or 1.
"""


@final
@dataclass(frozen=True)
class Signals:
    """What was measured in one network; rows are layers from the first on, d its greatest depth.

    Parameters
    ----------
    spreads : ndarray, shape (d,)
        Standard deviation of the activations of each layer.
    saturated : ndarray, shape (d,)
        Share of the activations at which the activation's slope is below a tenth of its largest, from 0 to 1.
    silent : ndarray, shape (d,)
        Share of the activations that are exactly 0.
    counts : ndarray of int, shape (d, bins)
        Histogram of the activations over `RANGES`, exact zeros left out.
    gradient_spreads : ndarray, shape (d, d)
        [depth − 1, layer − 1]: standard deviation of ∂L/∂z in a network of that depth; NaN above its top layer.
    gradient_counts : ndarray of int, shape (d, d, bins)
        Histogram of log₁₀|∂L/∂z| over `EXPONENTS` for a quarter of the examples, exact zeros left out.
    """

    spreads: Floats
    saturated: Floats
    silent: Floats
    counts: Counts
    gradient_spreads: Floats
    gradient_counts: Counts


def forward(
    activation: str, initialisation: str, width: int, examples: int, depth: int, seed: int
) -> tuple[list[Tensor], list[Tensor], Floats]:
    """Send standard-normal inputs through a new network; biases are 0, weights are frozen.

    Parameters
    ----------
    activation, initialisation : str
        Keys of `ACTIVATIONS` and `INITIALISATIONS`.
    width, examples, depth, seed : int

    Returns
    -------
    sums, activations : list of Tensor, each of shape (examples, width)
        z = a W and a = f(z) of each layer.
    upstream : ndarray, shape (examples, width)
        Standard normal: what arrives at the top activations on the way back.

    References
    ----------
    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
    """
    rng = np.random.default_rng(seed)
    a = Tensor(rng.standard_normal((examples, width)), requires_grad=True)
    upstream = rng.standard_normal((examples, width))
    bend = ACTIVATIONS[activation]
    sums, activations = [], []
    for _ in range(depth):
        layer = Linear(width, width, bias=False, rng=rng)
        INITIALISATIONS[initialisation](layer.weight, rng)
        # Only what passes through the layer is asked for: without the weights' gradients it takes half the time.
        layer.weight.requires_grad = False
        sums.append(layer(a))
        a = bend()(sums[-1]) if bend else sums[-1]
        activations.append(a)
    return sums, activations, upstream


def backward(sums: list[Tensor], top: Tensor, upstream: Floats) -> list[Floats]:
    """Send a gradient back from the top, and give the ∂L/∂z that arrives at each layer below it.

    Parameters
    ----------
    sums : list of Tensor
        z of the layers up to the top one.
    top : Tensor
        The top activations.
    upstream : ndarray
        ∂L/∂(top).

    Returns
    -------
    list of ndarray
        From the first layer to the top one, read-only.
    """
    arrived: list[Floats] = [np.empty(0)] * len(sums)

    def keeper(k: int) -> Callable[[Floats], None]:
        def keep(gradient: Floats) -> None:
            arrived[k] = gradient

        return keep

    handles = [z.register_hook(keeper(k)) for k, z in enumerate(sums)]
    top.backward(upstream)
    for handle in handles:
        handle.remove()
    return arrived


@lru_cache(maxsize=32)
def signals(activation: str, initialisation: str, width: int = 100, seed: int = 2) -> Signals:
    """Measure one network at every depth from 1 to 20; a shallower one is the lower part of a deeper one.

    Parameters
    ----------
    activation, initialisation : str
        Keys of `ACTIVATIONS` and `INITIALISATIONS`.
    width : int
        Units n in each layer, and numbers in each input.
    seed : int

    Returns
    -------
    Signals

    Examples
    --------
    >>> measured = signals("sigmoid", "xavier")
    >>> ten = measured.gradient_spreads[9]
    >>> print(f"{ten[0] / ten[9]:.1g}, {(ten[0] / ten[9]) ** (1 / 9):.2f} a layer")
    2e-06, 0.23 a layer
    """
    sums, activations, upstream = forward(activation, initialisation, width, EXAMPLES, MOST_LAYERS, seed)
    spreads = np.full((MOST_LAYERS, MOST_LAYERS), np.nan)
    counts = np.zeros((MOST_LAYERS, MOST_LAYERS, len(EXPONENTS) - 1), dtype=np.int64)
    for d in range(MOST_LAYERS):
        for k, gradient in enumerate(backward(sums[: d + 1], activations[d], upstream)):
            spreads[d, k] = gradient.std()
            # Every fourth example: the outline is the same, and the logarithms would be half of all the work.
            counts[d, k] = _count_powers(np.abs(gradient[::4]))
    return _frozen(activation, [a.data for a in activations], _saturated(activation, sums), spreads, counts)


def _frozen(activation: str, values: list[Floats], saturated: Floats, spreads: Floats, counts: Counts) -> Signals:
    rows = np.stack([np.histogram(a[a != 0], _BINS, RANGES[activation])[0] for a in values])
    standard, silent = np.array([a.std() for a in values]), np.array([(a == 0).mean() for a in values])
    for array in (rows, standard, silent, saturated, spreads, counts):
        array.setflags(write=False)
    return Signals(standard, saturated, silent, rows, spreads, counts)


def _count_powers(sizes: Floats) -> Counts:
    powers = np.log10(sizes[sizes > 0])
    places = ((powers - EXPONENTS[0]) * 4).astype(np.int64)
    return np.bincount(np.clip(places, 0, len(EXPONENTS) - 2), minlength=len(EXPONENTS) - 1)


def _saturated(activation: str, sums: list[Tensor]) -> Floats:
    """Share of each layer's units whose slope is below a tenth of the largest, from the activation's own backward."""
    bend = ACTIVATIONS[activation]
    if activation not in ("sigmoid", "tanh") or bend is None:
        return np.zeros(len(sums))
    # Both are steepest at 0.
    z = Tensor(np.concatenate([np.zeros((1, sums[0].shape[1])), *(s.data for s in sums)]), requires_grad=True)
    bend()(z).backward(np.ones(z.shape))
    slopes = np.asarray(z.grad)
    rows = slopes[1:].reshape(len(sums), -1) < 0.1 * slopes[0, 0]
    return rows.mean(axis=1)
