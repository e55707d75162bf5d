"""Notebook 06: the learning rate. Its prediction and its exercises.

>>> from bplib.lessons.learning_rate import check, hint, solution
>>> check("largest-rate", 0.2)
✓ Right. One number of the surface, its largest curvature, limits the learning rate of every weight.
>>> check("largest-rate", 0.1).mistake
'fastest'
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bplib.landscape import descend_rates, surface
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.claims import ledger
from bplib.lessons.claims.stability import RATES as EDGE_RATES
from bplib.lessons.claims.stability import edge_of_stability
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.exercises import FunctionExercise, NumberExercise
from bplib.lessons.explanations import ExplanationExercise, Statement
from bplib.lessons.faults import (
    BIGGER_RATE_FAULTS,
    GD_STEP_FAULTS,
    curve_faults,
    largest_rate_faults,
    mean_to_sum_faults,
)
from bplib.lessons.progress import current_progress
from bplib.widgets.prediction_gate import PredictionGate, Question
from bplib.widgets.rate.view import RateLab
from bplib.widgets.rate.view import rate_lab as make_rate_lab

__all__ = [
    "BEHAVIOURS",
    "RATES",
    "behaviour",
    "check",
    "edge_of_stability",
    "hint",
    "ledger",
    "predict_fastest",
    "predict_sharpness",
    "rate_lab",
    "solution",
    "steps_needed",
]

RATES: tuple[float, ...] = (0.03, 0.1, 0.25, 0.45, 0.5, 0.6)
"""The six learning rates of the prediction and of the last exercise, for the loss ½ · 4 · w²."""

BEHAVIOURS: tuple[str, ...] = ("slow", "fast", "one step", "oscillates", "never settles", "diverges")
"""What a descent on a bowl can do."""

_CURVATURE = 4.0
_LOOKED_AT = 400
_WELL_BELOW, _FAR_ABOVE = 0.75, 1.5  # times 2/η
_ABOVE_ZERO = "A learning rate is above 0."
_CALLED_LR = "In the code the learning rate is called `lr`."


def steps_needed(rate: float, curvature: float = _CURVATURE, share: float = 0.01) -> int | None:
    """Count the steps of gradient descent on ½ · curvature · w² until the distance has shrunk to a share.

    The smallest k with |w_k| ≤ share · |w_0|, found by walking.

    Parameters
    ----------
    rate : float
        The learning rate η, at least 0.
    curvature : float
        λ, above 0.
    share : float
        Between 0 and 1.

    Returns
    -------
    int or None
        None if 400 steps do not suffice.

    Examples
    --------
    >>> [steps_needed(rate) for rate in RATES]
    [37, 10, 1, 21, None, None]
    """
    distance = np.abs(_walk(rate, curvature))
    reached = np.flatnonzero(distance <= share * distance[0])
    return int(reached[0]) if reached.size else None


def behaviour(rate: float, curvature: float = _CURVATURE) -> str:
    """Say what gradient descent on ½ · curvature · w² does at a learning rate, from a real run.

    Parameters
    ----------
    rate : float
        The learning rate η, above 0.
    curvature : float
        λ, above 0.

    Returns
    -------
    str
        One of `BEHAVIOURS`; "slow" needs more than 20 steps to come within 1 % without changing sides.

    Examples
    --------
    >>> [behaviour(rate) for rate in RATES]
    ['slow', 'fast', 'one step', 'oscillates', 'never settles', 'diverges']
    """
    w, needed = _walk(rate, curvature), steps_needed(rate, curvature)
    if np.abs(w[-1]) > 1.5 * np.abs(w[0]):
        return "diverges"
    if needed is None and w[0] * w[1] < 0:
        return "never settles"
    if needed == 1:
        return "one step"
    if w[0] * w[1] < 0:
        return "oscillates"
    return "fast" if needed is not None and needed <= 20 else "slow"


def rate_lab(condition_number: float = 1.0, rate: float = 0.1) -> RateLab:
    """Make the rate lab of this notebook: it opens on the round bowl, where all directions curve alike.

    Parameters
    ----------
    condition_number : float
        κ, largest over smallest curvature, from 1 to 1e6.
    rate : float
        First learning rate, above 0 and at most 10.

    Returns
    -------
    RateLab
        Its marks at 1/λ and 2/λ are hidden until ``reveal()``. Where no kernel runs, its picture shows them.

    Examples
    --------
    >>> lab = rate_lab(rate=0.25)
    >>> lab.steps_to_one_percent
    1
    >>> lab.close()
    """
    question = "Which learning rate needs the fewest steps?"
    return make_rate_lab(condition_number, rate, question=question, name="rate lab of notebook 06")


def predict_fastest(lab: RateLab | None = None) -> PredictionGate:
    """Ask which of six learning rates is the fastest; the answer opens the marks in the rate lab.

    Parameters
    ----------
    lab : RateLab, optional
        Its marks appear with the outcome.

    Returns
    -------
    PredictionGate
        What comes out is measured by walking with all six rates.
    """
    needed = {f"{rate:g}": steps_needed(rate) for rate in RATES}
    finished = {rate: steps for rate, steps in needed.items() if steps is not None}
    fastest = min(finished, key=lambda rate: finished[rate])
    question = Question(
        text="The loss is ½ · 4 · w². Gradient descent starts at w = 1. "
        "Which learning rate needs the fewest steps to come within 1 % of the start's distance to the minimum?",
        answer=fastest,
        outcome=f"{fastest} is the fastest. Steps needed: "
        + "; ".join(f"{rate} → {_steps_in_words(float(rate), steps)}" for rate, steps in needed.items())
        + ".",
        because="Because each step multiplies the distance by 1 − 4η: at η = 1/4 that is 0, a smaller rate leaves "
        "a rest, a larger one steps past the minimum, and from η = 2/4 on it comes no closer.",
        options=tuple(needed),
    )
    reveal = lab.reveal if lab is not None else None
    return PredictionGate(question, "06/fastest-rate", store=current_progress(), on_reveal=reveal)


def predict_sharpness() -> PredictionGate:
    """Ask what the sharpness of a small network does while it learns at the rate 0.1.

    Returns
    -------
    PredictionGate
        What comes out is read off a run of 10,000 steps.

    Examples
    --------
    >>> predict_sharpness().question.answer
    'it rises to about 20 and stays there'
    """
    rate = EDGE_RATES[1]
    run, limit = edge_of_stability([rate]), 2 / rate
    first, end = float(run.sharpness[0][0]), run.tails[0]
    below, far = f"it stays well below {limit:g}", f"it leaves {limit:g} far behind"
    at = f"it rises to about {limit:g} and stays there"
    answer = below if end < _WELL_BELOW else far if end > _FAR_ABOVE else at
    question = Question(
        text=f"The network learns for 10,000 steps at the rate {rate:g}. At first its sharpness is {first:.1f}, and "
        f"the limit of stability is 2/η = {limit:g}. What does the sharpness do?",
        answer=answer,
        outcome=f"{answer[0].upper()}{answer[1:]}.",
        because="Because the surface bends more and more where the weights go, until the steps overshoot along the "
        "sharpest direction. They throw the weights to a place where it bends less, and it begins anew.",
        options=(below, at, far),
    )
    return PredictionGate(question, "06/sharpness", store=current_progress())


def _steps_in_words(rate: float, steps: int | None) -> str:
    return str(steps) if steps is not None else {"diverges": "diverges"}.get(behaviour(rate), "never")


def _walk(rate: float, curvature: float) -> np.ndarray:
    bowl = surface("bowl", condition_number=1.0, curvature=curvature)
    return descend_rates(bowl, [rate], start=(1.0, 0.0), steps=_LOOKED_AT).points[0, :, 0]


# The model solutions: `solution` shows their source.


def _largest_rate() -> float:
    largest_curvature = 10  # the loss is ½(3·w₁² + 10·w₂²)
    return 2 / largest_curvature


def _gd_step(w: Any, gradient: Any, lr: float) -> Any:
    return w - lr * gradient


def _rate_for_sum() -> float:
    rate_for_mean = 0.32
    return rate_for_mean / 32


def _curves() -> tuple[str, ...]:
    return tuple(behaviour(rate) for rate in RATES)


def _bigger_rate() -> str:
    return (
        "With the rate 0.45 each step goes past the minimum to the other side. It lands at 80 % of the distance, so "
        "each step gains only 20 %. With 0.25 the step is exactly as long as the distance."
    )


def _curve_clue(rate: str, word: str) -> str:
    """What the factor of one rate does, for a learner who gave that rate a wrong word."""
    factor = 1 - _CURVATURE * float(rate)
    if factor == -1 and word == "oscillates":
        return f"At {rate} the factor is exactly −1. It swings, but never comes closer. Which word says never?"
    size = abs(factor)
    kept = f"makes the distance {size:g} times as long" if size > 1 else f"keeps {100 * size:g} % of the distance"
    sides = "changes sides and " if factor < 0 else ""
    return f"At {rate} the factor is {factor:g}: each step {sides}{kept}.".replace("-", "−")


def _gd_step_trials() -> Sequence[Mapping[str, Any]]:
    rng = np.random.default_rng(6)
    vector, matrix = rng.normal(size=(2, 3)), rng.normal(size=(2, 2, 3))
    return (
        {"w": 2.0, "gradient": 3.0, "lr": 0.1},
        {"w": -1.5, "gradient": 0.5, "lr": 0.4},
        {"w": np.array([1.0, -2.0]), "gradient": np.array([4.0, 1.0]), "lr": 0.25},
        {"w": vector[0], "gradient": vector[1], "lr": 0.01},
        {"w": matrix[0], "gradient": matrix[1], "lr": 1.5},
    )


_exercises = ExerciseSet(
    "06",
    [
        NumberExercise(
            name="largest-rate",
            model=_largest_rate,
            right="One number of the surface, its largest curvature, limits the learning rate of every weight.",
            why="Along a direction with curvature λ each step multiplies the distance by 1 − ηλ. "
            "It shrinks as long as that lies between −1 and 1, so as long as η is below 2/λ. "
            "All directions must shrink, and the largest λ, here 10, gives the smallest limit.",
            hints=(
                "Look at one direction at a time. Along w₂ the loss is ½ · 10 · w₂², and its gradient is 10 · w₂.",
                "One step along w₂ gives w₂ − η · 10 · w₂ = (1 − 10η) · w₂. "
                "For which η is 1 − 10η neither above 1 nor below −1?",
                "At the limit 1 − 10η = −1. Solve for η, and check that w₁ with its curvature 3 allows even more.",
            ),
            faults=largest_rate_faults(np.array([3.0, 10.0]), _CURVATURE),
            checked="It was compared with the learning rate at which the distance along the steepest direction "
            "no longer shrinks.",
            above_zero=_ABOVE_ZERO,
        ),
        FunctionExercise(
            name="gd-step",
            model=_gd_step,
            right="This one line is the Update of every network: one weight or a million, the formula is the same.",
            why="The gradient points to where the loss grows fastest. The minus sign goes the other way, "
            "and the learning rate says how far.",
            hints=(
                "Which way does the gradient point: to where the loss grows, or to where it falls?",
                "The step is the learning rate times the gradient. Take it away from `w`, "
                "and return the result without changing `w` itself.",
                "In symbols: new w = w − η · gradient. In the code η is called `lr`.",
            ),
            faults=GD_STEP_FAULTS,
            trials=_gd_step_trials,
            misnamed=dict.fromkeys(("eta", "η", "learning_rate", "rate"), _CALLED_LR),
        ),
        NumberExercise(
            name="mean-to-sum",
            variable="rate_for_sum",
            model=_rate_for_sum,
            right="Mean or sum is no matter of taste: whoever changes it changes the step, unless the rate follows.",
            why="The sum over 32 examples is 32 times the mean, and so is its gradient. "
            "A rate 32 times smaller takes exactly the same steps.",
            hints=(
                "How many times as large as the mean of 32 numbers is their sum?",
                "The gradient grows by the same factor. What must the learning rate do to keep the step as it is?",
                "Step = rate × gradient. The gradient is 32 times as long, so divide 0.32 by 32.",
            ),
            faults=mean_to_sum_faults(0.32, 32),
            checked="It was compared with the rate that takes the same steps on the sum as 0.32 does on the mean.",
            above_zero=_ABOVE_ZERO,
        ),
        ChoiceExercise(
            name="six-curves",
            model=_curves,
            right="In one direction two numbers divide all learning rates: 1/λ, the fastest, and 2/λ, the limit.",
            why="Each step multiplies w by 1 − 4η. Near 1 it is slow, near 0 fast, at 0 done in one step; "
            "below 0 the sign changes at every step; at −1 nothing shrinks; below −1 it grows.",
            hints=(
                "Compute the factor 1 − 4η for each of the six rates.",
                "The sign of the factor says whether w changes sides at each step. Its size says whether w shrinks.",
                "The six factors are 0.88, 0.6, 0, −0.8, −1 and −1.4, and each word fits one of them.",
            ),
            faults=curve_faults(RATES, _CURVATURE, behaviour),
            options=BEHAVIOURS,
            places=tuple(f"{rate:g}" for rate in RATES),
            key="rate",
            clue=_curve_clue,
        ),
        ExplanationExercise(
            name="bigger-rate",
            model=_bigger_rate,
            right="A step that is too long has to be walked back. That is why the best rate lies in the middle.",
            why="The factor 1 − 4η is −0.8 at 0.45: the sign says that the weight changes sides, the size that 80 % of "
            "the distance is left. At 0.25 the factor is 0, and nothing is left.",
            hints=(
                "Work out where the first step ends, from w = 1, with each of the two rates.",
                "The factors are 0 and −0.8. What does the minus sign mean, and what does the 0.8 mean?",
                "Three points: the side on which the step lands, how much of the distance is left, and why 0.25 needs "
                "one step only.",
            ),
            faults=BIGGER_RATE_FAULTS,
            statements=(
                Statement(
                    "each step with 0.45 goes past the minimum", missing="Where does the first step with 0.45 land?"
                ),
                Statement("the bigger rate gets there first", fault="bigger-is-faster"),
                Statement("with 0.45 the weight runs away from the minimum", fault="called-diverging"),
                Statement(
                    "each step with 0.45 leaves 80 % of the distance, so it gains little",
                    missing="How much of the distance is left after one step with 0.45?",
                ),
                Statement("the gradient is too small", fault="gradient-too-small"),
                Statement("with 0.25 one step ends exactly at the minimum", missing="What does the step with 0.25 do?"),
            ),
        ),
    ],
)

check = _exercises.check
hint = _exercises.hint
solution = _exercises.solution
