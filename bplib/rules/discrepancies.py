"""How far a prediction is from its target: the losses as single operations."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS"]

# A loss of infinity or NaN is a result that the training loop reports in its own words.
_quietly = np.errstate(all="ignore")


@_quietly
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


@_quietly
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


@_quietly
def softmax_cross_entropy(logits: Array, target: Array, reduction: str) -> Remembered:
    """Give −Σ target · ln softmax(logits) for each example, averaged, summed, or as it is.

    `target` holds class indices (integers) or one probability for each logit.
    """
    shifted = logits - logits.real.max(axis=-1, keepdims=True)
    grown = np.exp(shifted)
    total = grown.sum(axis=-1, keepdims=True)
    log_total = np.log(total)
    if target.dtype.kind in "iu":
        picked = np.take_along_axis(shifted, target[..., None], axis=-1)
        each = (log_total - picked)[..., 0]
    else:
        # 0 · ln 0 counts as 0, also where a logit is −∞.
        each = np.where(target == 0, 0.0, target * (log_total - shifted)).sum(axis=-1)
    weight = 1.0 / each.size if reduction == "mean" and each.size else 1.0
    loss = each if reduction == "none" else each.sum() * weight
    return loss, (grown / total, target, weight)


def softmax_cross_entropy_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Softmax(logits) · Σ target − target: the probabilities minus the truth."""
    probability, target, weight = node.remembered
    if target.dtype.kind in "iu":
        to_logits = probability.copy()
        place = target[..., None]
        np.put_along_axis(to_logits, place, np.take_along_axis(to_logits, place, -1) - 1.0, -1)
    else:
        to_logits = probability * target.sum(axis=-1, keepdims=True) - target
    scale = np.asarray(g * weight)
    to_logits *= scale[..., None] if scale.ndim else scale
    return (to_logits,)


def _times(g: Array, weight: float) -> Any:
    # For a single number Python's product takes a fifth of NumPy's time, and keeps float32.
    return g.item() * weight if g.ndim == 0 else g * weight


ROWS = (
    Operation("squared_error", "(ŷ−y)²", squared_error, squared_error_gradient, "2·(ŷ − y)"),
    Operation("absolute_error", "|ŷ−y|", absolute_error, absolute_error_gradient, "sign(ŷ − y)", kinks="ŷ = y: 0"),
    Operation(
        "softmax_cross_entropy", "H(y, ŷ)", softmax_cross_entropy, softmax_cross_entropy_gradient, "softmax(z) − y"
    ),
)
