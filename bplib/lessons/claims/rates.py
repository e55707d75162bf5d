"""The published results of notebook 06: the rates 1/λ and 2/λ, the factor of a step, the edge of stability."""

from functools import cache

import numpy as np

from bplib import losses, nn, optim
from bplib.landscape import descend_rates, sharpness, surface
from bplib.lessons.claims.claim import Band, Claim, Source
from bplib.lessons.claims.stability import RATES, Stability, edge_of_stability
from bplib.tensors import Tensor

__all__ = ["RATE_CLAIMS"]

_EFFICIENT = Source(
    "Y. LeCun, L. Bottou, G. Orr and K.-R. Müller", 1998, "Efficient BackProp",
    "Lecture Notes in Computer Science 1524", "doi 10.1007/3-540-49430-8_2",
)  # fmt: skip
_MOMENTUM = Source("G. Goh", 2017, "Why Momentum Really Works", "Distill", "doi 10.23915/distill.00006")
_EDGE = Source(
    "J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter and A. Talwalkar", 2021,
    "Gradient descent on neural networks typically occurs at the edge of stability", "ICLR", "arXiv 2103.00065",
)  # fmt: skip
_SMALL = "a tanh network 1-20-20-1 on 20 points; one set of first weights (of 16, at least 14 show it at each rate)"


def _distance_at_the_fastest_rate() -> tuple[float]:
    """What one step at η = 1/λ leaves of the distance, for λ = 4."""
    w = nn.Parameter(np.ones(1))
    loss = (0.5 * 4.0 * w**2).sum()
    loss.backward()
    optim.SGD([w], lr=1 / 4).step()
    return (abs(float(w.data[0])),)


@cache
def _largest_rate() -> tuple[float]:
    """The rate from which on a linear layer runs away, found by halving an interval, as a multiple of 2/λ."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) * (1.0, 2.0, 3.0)
    y = X @ np.array([[1.0], [-2.0], [0.5]])
    curvature = sharpness(nn.Linear(3, 1, rng=0), losses.mse, (X, y), tolerance=1e-6)
    low, high = 0.5, 2.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if _runs_away(X, y, middle * 2 / curvature) else (middle, high)
    return ((low + high) / 2,)


def _runs_away(X: np.ndarray, y: np.ndarray, rate: float) -> bool:
    layer = nn.Linear(3, 1, rng=0)
    optimizer = optim.SGD(layer.parameters(), lr=rate)
    inputs, told = Tensor(X), []
    for _ in range(200):
        loss = losses.mse(layer(inputs), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        told.append(loss.item())
    return told[-1] > told[-21]


def _distance_from_the_factor() -> tuple[float]:
    """How far a run in a valley is from (1 − ηλ)ᵏ times its start, at most, in twenty steps and both directions."""
    curvatures, start, steps = np.array([4 / 25, 4.0]), np.array([-2.0, 1.5]), 20
    rates = np.array([0.1, 0.45])
    runs = descend_rates(surface("bowl", condition_number=25, curvature=4), rates, start=tuple(start), steps=steps)
    k = np.arange(steps + 1)[None, :, None]
    told = (1 - rates[:, None, None] * curvatures) ** k * start
    return (float(np.abs(runs.points - told).max()),)


def _edge() -> Stability:
    return edge_of_stability(RATES)


def _rises_and_loss_left() -> tuple[float, float]:
    """Of the worst run: on how many steps the loss rises, and the share of the first loss that is left.

    The first is rounded down to whole 500, the second up to whole tenths: so far they are the same on every machine.
    """
    return 500 * (min(_edge().rises) // 500), float(np.ceil(10 * max(_edge().left))) / 10


RATE_CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="06-fastest-rate",
        statement="With one direction, the rate 1/λ is there in one step.",
        source=_EFFICIENT,
        where="section 5",
        published="η = 1/λ",
        compute=_distance_at_the_fastest_rate,
        ours="{:g} of the distance left after one step",
        bands=(Band(high=1e-12),),
        scaled_down="nothing",
    ),
    Claim(
        name="06-largest-rate",
        statement="Above 2/λ, with the λ of the steepest direction, gradient descent diverges; below it does not.",
        source=_EFFICIENT,
        where="section 5",
        published="η = 2/λ",
        compute=_largest_rate,
        ours="a linear layer runs away from {:.2f} · 2/λ on",
        bands=(Band(0.99, 1.01, "times 2/λ"),),
        scaled_down="nothing",
    ),
    Claim(
        name="06-factor",
        statement="Every step multiplies the distance in each direction by 1 − ηλ, with the λ of that direction.",
        source=_MOMENTUM,
        where="",
        published="(1 − ηλ)ᵏ of the start is left after k steps",
        compute=_distance_from_the_factor,
        ours="the largest difference is {:.6f}",
        bands=(Band(high=1e-12),),
        scaled_down="two directions, twenty steps",
    ),
    Claim(
        name="06-edge-peak",
        statement="At each of three rates the sharpness of a network rises to 2/η or a little above, not further.",
        source=_EDGE,
        where="",
        published="it rises until it reaches 2/η, then hovers at or just above it",
        compute=lambda: _edge().peaks,
        ours="",
        bands=(Band(1.0, 1.45, "times 2/η"),),
        scaled_down=_SMALL,
    ),
    Claim(
        name="06-edge-end",
        statement="From then on the sharpness stays near 2/η: the median of the last 4,000 steps.",
        source=_EDGE,
        where="",
        published="it hovers at or just above 2/η",
        compute=lambda: _edge().tails,
        ours="",
        bands=(Band(0.8, 1.2, "times 2/η"),),
        scaled_down=_SMALL,
    ),
    Claim(
        name="06-edge-rises",
        statement="The loss rises on many single steps, and falls over the whole run.",
        source=_EDGE,
        where="",
        published="not monotone over short times, yet it falls over long ones",
        compute=_rises_and_loss_left,
        ours="every run rises on more than {:,.0f} of 10,000 steps and ends below {:g} of its first loss",
        bands=(Band(low=400, unit="steps"), Band(high=0.5)),
        scaled_down=_SMALL,
    ),
)
"""The rows of notebook 06."""
