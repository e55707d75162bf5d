"""The momentum plane in words: what one pair of learning rate and momentum does, and how batches scatter."""

import numpy as np

from bplib.widgets.momentum.descent import MOST, Regime, Walks, regime
from bplib.widgets.momentum.noise import SIZES, Noise

__all__ = ["momentum_sentence", "noise_sentence", "number", "pair", "steps_in_words"]

_SHORT: dict[Regime, str] = {
    "at rest": "at rest",
    "over-damped": "over-damped",
    "critical": "critically damped",
    "under-damped": "under-damped",
    "oscillates": "oscillates",
    "limit": "never settles",
    "diverges": "diverges",
}
_MANNER: dict[Regime, str] = {
    "over-damped": "over-damped. w stays on one side of the minimum",
    "critical": "critically damped. At this ηλ no other β does better in the long run",
    "under-damped": "under-damped. w ripples around the minimum",
    "oscillates": "oscillates. w changes sides at every step",
}
_ZERO = 1e-9


def number(value: float, digits: int = 4) -> str:
    """A number with some significant digits and a minus sign as wide as a plus.

    Parameters
    ----------
    value : float
    digits : int

    Returns
    -------
    str

    Examples
    --------
    >>> number(-0.81818)
    '−0.8182'
    """
    return f"{value:.{digits}g}".replace("-", "−")


def pair(values: tuple[float, float]) -> str:
    """Two numbers in brackets, three digits each.

    Parameters
    ----------
    values : tuple of float

    Returns
    -------
    str

    Examples
    --------
    >>> pair((-1.2345, 2.0))
    '(−1.23, 2)'
    """
    return f"({number(values[0], 3)}, {number(values[1], 3)})"


def steps_in_words(count: float) -> str:
    """How many steps it takes to settle.

    Parameters
    ----------
    count : float
        As `settled_after` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> steps_in_words(1), steps_in_words(27), steps_in_words(10_001), steps_in_words(np.inf)
    ('1 step', '27 steps', 'more than 10,000 steps', 'never')
    """
    if np.isinf(count):
        return "never"
    if count > MOST:
        return f"more than {MOST:,} steps"
    return "1 step" if count == 1 else f"{count:.0f} steps"


def momentum_sentence(walks: Walks, which: int) -> str:
    """What one pair of learning rate and momentum does.

    Parameters
    ----------
    walks : Walks
    which : int
        Position of the momentum.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.momentum.descent import momentum_walks
    >>> momentum_sentence(momentum_walks(0.16, 1.0, (0.8,)), 0)
    'ηλ = 0.16, β = 0.8: under-damped. w ripples around the minimum. In the long run × 0.8944 a step, 124 steps to ...'
    """
    beta = float(walks.betas[which])
    if len(walks.eta_lambdas) == 1:
        return _one_direction(float(walks.eta_lambdas[0]), beta, walks, which)
    low, high = (_manner(float(x), beta) for x in walks.eta_lambdas)
    slow, fast = (number(radius) for radius in walks.radii[which])
    kappa = number(walks.condition_number)
    both = f"λ = 1 {low} (× {slow} a step), λ = {kappa} {high} (× {fast})"
    head = f"η = {number(walks.lr)}, β = {number(beta)}: {both}."
    count = walks.counts[which]
    if np.isinf(count):
        return f"{head} Together they never come within 10⁻⁶ of the start."
    return f"{head} Together {steps_in_words(count)} to 10⁻⁶."


def _manner(x: float, beta: float) -> str:
    """A regime in few words. On the far branch of the critical curve the one root of both is −√β, below 0."""
    kind = regime(x, beta)
    return "critically damped, from side to side" if kind == "critical" and x > 1 + beta else _SHORT[kind]


def _one_direction(x: float, beta: float, walks: Walks, which: int) -> str:
    head, kind, radius = f"ηλ = {number(x)}, β = {number(beta)}: ", regime(x, beta), float(walks.radii[which, 0])
    if kind == "at rest":
        return head + "the learning rate is 0, and nothing moves."
    if kind == "diverges":
        return head + f"diverges. In the long run each step multiplies the distance by {number(radius)}."
    if kind == "limit":
        why = "without friction the momentum is never used up" if beta == 1 else "ηλ is exactly 2 + 2β"
        return head + f"never settles. w goes from side to side and comes no closer: {why}."
    if radius < _ZERO:
        return head + "lands on the minimum with the first step and stays there."
    count = steps_in_words(walks.counts[which])
    if kind == "critical":
        return f"{head}{_MANNER[kind]}: × {number(radius)} a step, {count} to 10⁻⁶."
    return f"{head}{_MANNER[kind]}. In the long run × {number(radius)} a step, {count} to 10⁻⁶."


def noise_sentence(noise: Noise, which: int, *, revealed: bool) -> str:
    """How the gradients of batches scatter.

    Parameters
    ----------
    noise : Noise
    which : int
        Position of the batch size.
    revealed : bool
        Whether the law may be told.

    Returns
    -------
    str
    """
    size, spread = SIZES[which], number(noise.spreads[which], 3)
    if np.hypot(*noise.full) < _ZERO:
        head = f"B = {size}: at the minimum the full gradient is 0, batch gradients still have a standard deviation of"
    else:
        full = pair((float(noise.full[0]), float(noise.full[1])))
        head = f"B = {size}: batch gradients scatter around the full one, {full}, with standard deviation"
    if not revealed or size == 1:
        return f"{head} {spread}."
    first = number(noise.spreads[0], 3)
    return f"{head} {spread}, about {first}/√{size} = {number(noise.spreads[0] / np.sqrt(size), 3)}."
