"""One row for every loss: where it is tried, where it is least, and what is special about it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import bplib
from bplib import losses

Array = np.ndarray
RNG = np.random.default_rng(7)
SCORES, NUMBERS = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
SHARES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
OTHERS = SHARES[::-1].copy()
LABELS = np.array([0, 2, 1, 1])
ANSWERS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
ONE_HOT = np.eye(3)[LABELS]
ODDS = np.log(SHARES) - np.log1p(-SHARES)
REDUCTIONS = ("mean", "sum", "none")
NAN, INF = math.nan, math.inf


def as_it_is(x: Any) -> Any:
    return x


@dataclass(frozen=True)
class Loss:
    """One loss with some options: where it is tried, where it is least, and what is true of it alone.

    `best` is a place at which the loss of `aim` is least, `least` its value there; a loss of distributions takes its
    places as logits, `through` a function that makes distributions. `at` says what one prediction of −∞, one of +∞
    and a target of NaN give: a number or the letters of an error. `far` says what logits of ±10,000 give where the
    answer is wrong. `whole` is a prediction of whole numbers, `rows` says that an example has one number for all its
    classes, `target_learns` that the target may ask for a gradient; otherwise it is refused.
    """

    call: Callable[..., Any]
    prediction: Array
    target: Array
    best: Array
    aim: Array
    least: Any
    minimiser: str
    at: tuple[Any, Any, Any]
    whole: Array
    options: dict[str, Any] = field(default_factory=dict)
    through: Callable[[Any], Any] = as_it_is
    far: float = math.nan
    rows: bool = False
    target_learns: bool = False

    def __call__(self, prediction: Any, target: Any, **more: Any) -> Any:
        return self.call(prediction, target, **{**self.options, **more})


def entropy(y: Array) -> Array:
    return -(y * np.log(y)).sum(axis=-1)


def doubt(y: Array) -> Array:
    return -(y * np.log(y) + (1 - y) * np.log1p(-y))


WHOLE = np.rint(2 * SCORES).astype(int)
REGRESSION = {"target_learns": True, "at": (INF, INF, NAN), "whole": WHOLE}
SURE = 2e4 * ONE_HOT - 1e4
LOSSES = {
    "mse": Loss(losses.mse, SCORES, NUMBERS, NUMBERS, NUMBERS, 0.0, "best constant answer is the mean", far=4e8,
                **REGRESSION),
    "mae": Loss(losses.mae, SCORES, NUMBERS, NUMBERS, NUMBERS, 0.0, "best constant answer is the median", far=2e4,
                **REGRESSION),
    "huber": Loss(losses.huber, SCORES, NUMBERS, NUMBERS, NUMBERS, 0.0, "best constant answer lies between the median",
                  far=2e4 - 0.5, **REGRESSION),
    "huber, delta": Loss(losses.huber, SCORES, NUMBERS, NUMBERS, NUMBERS, 0.0, "and the mean", far=1e4 - 0.125,
                         options={"delta": 0.5}, **REGRESSION),
    "binary_cross_entropy": Loss(
        losses.binary_cross_entropy, SHARES, ANSWERS, SHARES, SHARES, doubt(SHARES),
        "best constant answer is the share of yes", ("Do", "Do", NAN), ANSWERS.astype(int),
    ),
    "binary_cross_entropy_with_logits": Loss(
        losses.binary_cross_entropy_with_logits, SCORES, ANSWERS, ODDS, SHARES, doubt(SHARES),
        "best constant answer is the logit", (INF, NAN, NAN), WHOLE, far=1e4,
    ),
    "hinge": Loss(
        losses.hinge, SCORES, 2 * ANSWERS - 1, 3 * (2 * ANSWERS - 1), 2 * ANSWERS - 1, 0.0,
        "best constant answer is the sign of the more frequent class", (INF, 0.0, "Do"), WHOLE, far=10001,
    ),
    "cross_entropy": Loss(
        losses.cross_entropy, SCORES, LABELS, SURE, LABELS, 0.0, "minimiser is the distribution of the classes",
        (INF, NAN, "Da"), WHOLE, far=2e4, rows=True,
    ),
    "cross_entropy, probabilities": Loss(
        losses.cross_entropy, SCORES, OTHERS, np.log(OTHERS), OTHERS, entropy(OTHERS), "given the input",
        (INF, NAN, "Do"), WHOLE, far=2e4, rows=True,
    ),
    "nll": Loss(
        losses.nll, np.log(SHARES), LABELS, SURE, LABELS, 0.0, "minimiser is the distribution of the classes",
        (INF, "Do", "Da"), -ANSWERS.astype(int), through=bplib.log_softmax, far=2e4, rows=True,
    ),
    "nll, probabilities": Loss(
        losses.nll, np.log(SHARES), OTHERS, np.log(OTHERS), OTHERS, entropy(OTHERS), "maximum-likelihood estimate",
        (INF, "Do", "Do"), -ANSWERS.astype(int), through=bplib.log_softmax, far=2e4, rows=True,
    ),
    "kl_divergence": Loss(
        losses.kl_divergence, SHARES, OTHERS, np.log(OTHERS), OTHERS, 0.0, "minimiser is the target distribution",
        ("Do", "Do", "Do"), ONE_HOT.astype(int), through=bplib.softmax, far=INF, rows=True,
    ),
}  # fmt: skip
KINDS = {row.call.__name__: row for row in LOSSES.values()}
