"""Mistakes about the learning rate and the update."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bplib.lessons.faults.fault import Fault

__all__ = ["GD_STEP_FAULTS", "curve_faults", "largest_rate_faults", "mean_to_sum_faults"]


def largest_rate_faults(curvatures: np.ndarray, curvature_above: float) -> tuple[Fault, ...]:
    """Wrong ways to find the largest stable learning rate, 2 / λmax, of a bowl.

    Parameters
    ----------
    curvatures : numpy.ndarray, shape (n,)
        The second derivative along each direction, all above 0 and not all equal.
    curvature_above : float
        The curvature of the bowl that the notebook treats before the exercise, above 0.

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [float(fault.make()) for fault in largest_rate_faults(np.array([1.0, 4.0]), 5.0)][:3]
    [0.25, 2.0, 1.0]
    """
    return (
        *_wrong_directions(curvatures),
        *_wrong_fractions(curvatures),
        *_mixed_directions(curvatures),
        *_other_bowl(curvature_above),
    )


def _wrong_directions(curvatures: np.ndarray) -> tuple[Fault, ...]:
    steepest, flattest = curvatures.max(), curvatures.min()
    return (
        Fault(
            "fastest",
            lambda: 1 / steepest,
            "That is 1 divided by the largest curvature: the rate that reaches the bottom of the steepest direction "
            "in one step. A larger rate steps past the bottom and still comes closer with each step. "
            "How much larger may it be?",
            "M4",
        ),
        Fault(
            "flattest-direction",
            lambda: 2 / flattest,
            "That is 2 divided by the smallest curvature. It is right for the flattest direction alone. "
            "Along the steepest direction this rate makes every step larger than the one before.",
            "M4",
        ),
        Fault(
            "fastest-in-flattest-direction",
            lambda: 1 / flattest,
            "That is 1 divided by the smallest curvature. Two things differ: the steepest direction sets the limit, "
            "and the limit is not the rate that needs one step only.",
            "M4",
        ),
    )


def _wrong_fractions(curvatures: np.ndarray) -> tuple[Fault, ...]:
    steepest = curvatures.max()
    return (
        Fault(
            "upside-down",
            lambda: steepest / 2,
            "That is the largest curvature divided by 2: the fraction is upside down. "
            "A steeper bowl needs a smaller learning rate.",
        ),
        Fault(
            "half-counted-twice",
            lambda: 2 / (steepest / 2),
            f"That takes {steepest / 2:g} for the largest curvature. The ½ in front of the loss is used up "
            f"by the derivative: the second derivative of ½ · {steepest:g} · w² is {steepest:g}.",
        ),
    )


def _mixed_directions(curvatures: np.ndarray) -> tuple[Fault, ...]:
    steepest, flattest = curvatures.max(), curvatures.min()
    return (
        Fault(
            "mean-curvature",
            lambda: 2 / curvatures.mean(),
            "That is 2 divided by the mean of the curvatures. The directions do not share: "
            "each weight follows its own curvature, and the steepest one leaves first.",
            "M4",
        ),
        Fault(
            "condition-number",
            lambda: 2 / (steepest / flattest),
            "That is 2 divided by the ratio of the two curvatures, the condition number. "
            "It says how narrow the bowl is, not how steep: the limit belongs to the largest curvature itself.",
        ),
        Fault(
            "sum-of-curvatures",
            lambda: 2 / curvatures.sum(),
            "That is 2 divided by the sum of the curvatures. It is safe, but not the largest: "
            "each weight follows its own curvature, so only the largest one counts.",
        ),
    )


def _other_bowl(curvature: float) -> tuple[Fault, ...]:
    return (
        Fault(
            "limit-of-the-bowl-above",
            lambda: 2 / curvature,
            f"That is the limit of the bowl above, with curvature {curvature:g}. "
            "Here the largest curvature is another.",
        ),
        Fault(
            "fastest-of-the-bowl-above",
            lambda: 1 / curvature,
            f"That is the fastest rate of the bowl above, with curvature {curvature:g}. "
            "Here the largest curvature is another, and the limit is asked for.",
        ),
    )


def mean_to_sum_faults(rate: float, examples: int) -> tuple[Fault, ...]:
    """Wrong ways to convert a learning rate from the mean loss to the sum, rate / examples.

    Parameters
    ----------
    rate : float
        Right for the mean, above 0.
    examples : int
        How many examples the loss runs over, above 1.

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [round(fault.make(), 3) for fault in mean_to_sum_faults(0.3, 4)]
    [0.3, 1.2, 0.15, 13.333, 0.25]
    """
    return (
        Fault(
            "unchanged",
            lambda: rate,
            f"That is the same rate as before. The sum is {examples} times the mean, so its gradient is "
            f"{examples} times as long, and so would be each step.",
            "M10",
        ),
        Fault(
            "multiplied",
            lambda: rate * examples,
            f"That is {examples} times the rate. The gradient of the sum is already {examples} times as long: "
            "the rate has to make up for it, in the other direction.",
            "M10",
        ),
        Fault(
            "square-root",
            lambda: float(rate / np.sqrt(examples)),
            f"That divides by the square root of {examples}. The gradient of the sum is {examples} times as long, "
            "not its square root times: every example adds its own gradient.",
            "M10",
        ),
        Fault(
            "upside-down",
            lambda: examples / rate,
            "That is the fraction upside down: the number of examples divided by the rate.",
        ),
        Fault(
            "rate-forgotten",
            lambda: 1 / examples,
            f"That forgets the {rate:g}. Dividing by {examples} is right; the rate for the mean is what you divide.",
        ),
    )


def _step_in_place(w: Any, gradient: Any, lr: float) -> Any:
    w -= lr * gradient
    return w


def _step_without_return(w: Any, gradient: Any, lr: float) -> None:
    w -= lr * gradient


_ITSELF = (
    "Your function changes `w` itself: `-=` and `w[:] =` write into the array that was handed in. "
    "The caller's weights are different afterwards. "
)

GD_STEP_FAULTS: tuple[Fault, ...] = (
    Fault(
        "sign-flipped",
        lambda w, gradient, lr: w + lr * gradient,
        "Your function adds the step. The gradient points to where the loss grows, "
        "so this climbs. Which sign goes down?",
        "M3",
    ),
    Fault(
        "rate-forgotten",
        lambda w, gradient, lr: w - gradient,
        "Your function subtracts the whole gradient: the learning rate `lr` is missing.",
    ),
    Fault(
        "rate-fixed",
        lambda w, gradient, lr: w - 0.1 * gradient,
        "You wrote a fixed rate. Use `lr`.",
    ),
    Fault(
        "divided-by-rate",
        lambda w, gradient, lr: w - gradient / lr,
        "Your function divides by the learning rate. A smaller rate would then take larger steps.",
    ),
    Fault(
        "gradient-forgotten",
        lambda w, gradient, lr: w - lr,
        "Your function subtracts the learning rate alone: the gradient is missing, "
        "so every step is equally long and always goes the same way.",
    ),
    Fault(
        "only-the-step",
        lambda w, gradient, lr: lr * gradient,
        "Your function returns the step, `lr * gradient`. The new weight is the old one minus that step.",
    ),
    Fault(
        "only-the-signed-step",
        lambda w, gradient, lr: -lr * gradient,
        "Your function returns the change of the weight. Add the old weight to get the new one.",
    ),
    Fault(
        "nothing-changes",
        lambda w, gradient, lr: w,
        "Your function returns `w` as it was: no step is taken.",
    ),
    Fault(
        "in-place",
        _step_in_place,
        _ITSELF + "The numbers are right. Return a new array instead: begin with `return w - `.",
    ),
    Fault(
        "in-place-without-return",
        _step_without_return,
        _ITSELF + "And it returns nothing. Return a new array instead: begin with `return w - `.",
    ),
)
"""Wrong ways to write w - lr · gradient, the step of gradient descent."""


def curve_faults(
    rates: Sequence[float], curvature: float, behaviour: Callable[[float, float], str]
) -> tuple[Fault, ...]:
    """Wrong ways to say what gradient descent does at several learning rates.

    Parameters
    ----------
    rates : sequence of float
        The learning rates, increasing.
    curvature : float
        λ of the loss ½ · λ · w².
    behaviour : callable
        What really happens, from a rate and a curvature.

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [fault.name for fault in curve_faults([0.1], 4.0, lambda rate, curvature: "fast")]
    ['bigger-is-faster', 'half-curvature', 'edge-diverges', 'crossing-diverges']
    """

    def renamed(other: Mapping[str, str]) -> tuple[str, ...]:
        words = [behaviour(rate, curvature) for rate in rates]
        return tuple(other.get(word, word) for word in words)

    speeds = ("slow", "fast", "one step")
    return (
        Fault(
            "bigger-is-faster",
            lambda: tuple(speeds[place * len(speeds) // len(rates)] for place in range(len(rates))),
            f"You let the speed grow with the rate. Beyond 1/{curvature:g} a step passes the minimum, "
            "and the larger the rate, the farther it lands on the other side.",
            "M4",
        ),
        Fault(
            "half-curvature",
            lambda: tuple(behaviour(rate, curvature / 2) for rate in rates),
            f"That fits a bowl with half the curvature. The second derivative of ½ · {curvature:g} · w² "
            f"is {curvature:g}: the ½ is used up by the derivative.",
        ),
        Fault(
            "edge-diverges",
            lambda: renamed({"never settles": "diverges"}),
            f"All but one are right. At {2 / curvature:g} each step multiplies w by "
            f"1 − {curvature:g} · {2 / curvature:g} = −1: w jumps from side to side, and never grows nor shrinks.",
            "M4",
        ),
        Fault(
            "crossing-diverges",
            lambda: renamed({"oscillates": "diverges", "never settles": "diverges"}),
            "You call it divergence as soon as w changes sides. A step past the minimum still helps "
            "as long as it lands closer than it started.",
            "M5",
        ),
    )
