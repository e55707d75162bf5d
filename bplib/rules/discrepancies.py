"""How far a prediction is from its target: the losses as single operations."""

from typing import Any

import numpy as np

from bplib.constants import constant
from bplib.rules.operation import Array, Operation, Remembered, places_of_largest, row_starts

__all__ = ["ROWS"]


def squared_error(prediction: Array, target: Array, reduction: str) -> Remembered:
    """Give (prediction − target)², averaged, summed, or as it is."""
    error = prediction - target
    if reduction == "none":
        return error * error, (error, 2.0)
    flat = error.ravel()
    weight = 1.0 / flat.size if reduction == "mean" else 1.0
    return flat.dot(flat) * weight, (error, 2.0 * weight)


def squared_error_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """2 · (prediction − target), times the weight of one element."""
    error, weight = node.remembered
    to_prediction = error * _times(g, weight)
    prediction, target = node.parents
    return (
        to_prediction if prediction.requires_grad else None,
        -to_prediction if target.requires_grad else None,
    )


def absolute_error(prediction: Array, target: Array, reduction: str) -> Remembered:
    """Give |prediction − target|, averaged, summed, or as it is."""
    error = prediction - target
    # |e| as e·sign(e), so that a complex step can pass through.
    distance = error * np.sign(error.real)
    if reduction == "none":
        return distance, (error, 1.0)
    weight = 1.0 / error.size if reduction == "mean" else 1.0
    return distance.sum() * weight, (error, weight)


def absolute_error_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The sign of the error, 0 at 0, times the weight of one element."""
    error, weight = node.remembered
    to_prediction = np.sign(error) * _times(g, weight)
    prediction, target = node.parents
    return (
        to_prediction if prediction.requires_grad else None,
        -to_prediction if target.requires_grad else None,
    )


def softmax_cross_entropy(logits: Array, target: Array, reduction: str) -> Remembered:
    """Give −Σ target · ln softmax(logits) for each example, averaged, summed, or as it is.

    `target` holds class indices (integers) or one probability for each logit.
    """
    classes = logits.shape[-1]
    rows = logits.reshape(-1, classes)
    # In row order, whatever the order of the logits in memory: the truth is found by its place in the flat array.
    largest = rows.real.ravel().take(places_of_largest(rows.real))
    shifted = np.subtract(rows, largest[:, None], order="C")
    grown = np.exp(shifted)
    total = grown.dot(constant(1.0, (classes,), logits.real.dtype))
    each = np.log(total)
    if target.dtype.kind in "iu":
        truth = target.ravel() + row_starts(len(rows), classes)
        each -= shifted.ravel().take(truth)
    else:
        truth = target.reshape(-1, classes)
        # 0 · ln 0 counts as 0, also where a logit is −∞.
        each = np.where(truth == 0, 0.0, truth * (each[:, None] - shifted)).sum(axis=1)
    weight = 1.0 / each.size if reduction == "mean" else 1.0
    if reduction == "none":
        return each.reshape(logits.shape[:-1]), (grown, total, truth, weight)
    # As a product with ones: NumPy's sum takes six times as long at classroom sizes.
    loss = each.dot(constant(1.0, (each.size,), logits.real.dtype)) * weight
    return loss, (grown, total, truth, weight)


def softmax_cross_entropy_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Softmax(logits) · Σ target − target: the probabilities minus the truth."""
    grown, total, truth, weight = node.remembered
    each = g * weight if g.ndim == 0 else g.ravel() * weight
    if truth.ndim == 1:
        to_rows = grown * (each / total)[:, None]
        to_rows.reshape(-1)[truth] -= each
    else:
        to_rows = grown * (truth.sum(axis=1) / total)[:, None] - truth
        to_rows *= each if g.ndim == 0 else each[:, None]
    return (to_rows.reshape(node.parents[0].array.shape),)


def _times(g: Array, weight: float) -> Any:
    # For a single number Python's product takes a fifth of NumPy's time, and keeps float32.
    return g.item() * weight if g.ndim == 0 else g * weight


_BISHOP = "C. M. Bishop (1995), Neural Networks for Pattern Recognition, Oxford"
_HUBER = "P. J. Huber (1964), Ann. Math. Statist. 35(1), 73-101"

ROWS = (
    Operation(
        "squared_error",
        "(ŷ−y)²",
        squared_error,
        squared_error_gradient,
        "2·(ŷ − y)",
        source=f"{_BISHOP}, section 6.1",
    ),
    Operation(
        "absolute_error",
        "|ŷ−y|",
        absolute_error,
        absolute_error_gradient,
        "sign(ŷ − y)",
        kinks="ŷ = y: 0",
        source=_HUBER,
    ),
    Operation(
        "softmax_cross_entropy",
        "H(y, ŷ)",
        softmax_cross_entropy,
        softmax_cross_entropy_gradient,
        "softmax(z) − y",
        source=f"{_BISHOP}, section 6.9",
    ),
)
