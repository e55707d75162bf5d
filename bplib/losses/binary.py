"""Losses for yes or no: one probability, one logit, or one score for each answer."""

from typing import Any

import numpy as np

from bplib.errors import DomainError
from bplib.functional import log, relu, softplus, where
from bplib.losses.agreement import as_fixed, as_matching, check_between, check_reduction, reduce
from bplib.tensors import Tensor

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "hinge"]


def binary_cross_entropy(probability: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Cross-entropy of one predicted probability: the surprise at a yes or a no, in nats.

    L = −(1/n) Σ [y ln p + (1 − y) ln(1 − p)],   ∂L/∂p = (p − y) / (n p (1 − p))

    Its best constant answer is the share of yes.

    Parameters
    ----------
    probability : Tensor or array_like of numbers from 0 to 1, any shape
        The predicted probability p of yes.
    target : array_like, same shape
        1 for yes, 0 for no, or a probability between.
    reduction : {"mean", "sum", "none"}
        Average over all n elements, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" an array of the prediction's shape; in nats.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers.
    DomainError
        If a number lies outside [0, 1], or `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    Notes
    -----
    0 · ln 0 counts as 0. Where p is exactly 0 and the answer was yes, the loss is infinite, as the formula
    says; PyTorch cuts it at 100. A sigmoid that saturates gets there:
    `binary_cross_entropy_with_logits` does not.

    References
    ----------
    C. M. Bishop (1995), *Neural Networks for Pattern Recognition*, Oxford, section 6.7.

    Examples
    --------
    >>> binary_cross_entropy([0.5, 0.75], [1, 1], reduction="none")
    tensor([0.693147, 0.287682])
    """
    p, y = _answers("binary_cross_entropy", probability, target, reduction)
    advice = "For scores, use binary_cross_entropy_with_logits."
    check_between("binary_cross_entropy", "probability", p.array, 0.0, 1.0, advice)
    yes = log(where(y == 0, 1.0, p)) * y
    no = log(where(y == 1, 1.0, 1 - p)) * (1 - y)
    return reduce(-(yes + no), reduction)


def binary_cross_entropy_with_logits(logits: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Binary cross-entropy of p = σ(logits), computed without ever forming p: right at logits of ±10,000.

    L = (1/n) Σ [y softplus(−z) + (1 − y) softplus(z)],   ∂L/∂z = (σ(z) − y)/n

    Its best constant answer is the logit ln(q/(1 − q)) of the share q of yes.

    Parameters
    ----------
    logits : Tensor or array_like of real numbers, any shape
        The scores z before the sigmoid.
    target : array_like, same shape
        1 for yes, 0 for no, or a probability between.
    reduction : {"mean", "sum", "none"}
        Average over all n elements, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" an array of the prediction's shape; in nats. ln 2 for a
        network that knows nothing.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers.
    DomainError
        If the target lies outside [0, 1], or `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    References
    ----------
    C. M. Bishop (1995), *Neural Networks for Pattern Recognition*, Oxford, section 6.7.

    Examples
    --------
    >>> binary_cross_entropy_with_logits([0.0, 10000.0, -2.0], [1, 1, 0], reduction="none")
    tensor([0.693147, 0.      , 0.126928])
    """
    z, y = _answers("binary_cross_entropy_with_logits", logits, target, reduction)
    # softplus(z) − z·y is shorter, but loses all digits where z is large and the answer right.
    return reduce(softplus(-z) * y + softplus(z) * (1 - y), reduction)


def hinge(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Hinge loss: nothing for an answer that is right by a margin of 1, else the distance to it.

    L = (1/n) Σ max(0, 1 − y ŷ) with y = ±1,   ∂L/∂ŷ = −y/n where y ŷ < 1, else 0 (0 at the kink y ŷ = 1)

    Its best constant answer is the sign of the more frequent class.

    Parameters
    ----------
    prediction : Tensor or array_like of real numbers, any shape
        The scores ŷ; the sign is the answer.
    target : array_like of −1 and 1, same shape
        The true sign y.
    reduction : {"mean", "sum", "none"}
        Average over all n elements, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" an array of the prediction's shape. Without a unit.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers.
    DomainError
        If the target holds anything but −1 and 1, or `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    References
    ----------
    C. Cortes and V. Vapnik (1995), Machine Learning 20, 273-297. The value at the kink is a choice: any from
    −y to 0 is a subgradient.

    Examples
    --------
    >>> hinge([2.0, 0.5, -1.0], [1, 1, 1], reduction="none")
    tensor([0. , 0.5, 2. ])
    """
    check_reduction("hinge", reduction)
    score, sign = as_matching("hinge", prediction, as_fixed("hinge", target))
    wrong = sign.array[np.abs(sign.array) != 1]
    if wrong.size:
        raise DomainError(
            f"hinge: target holds {wrong[0]:g}. Expected −1 or 1 for each example. For 0 and 1, pass 2 * target - 1."
        )
    return reduce(relu(1 - score * sign.array.astype(score.dtype, copy=False)), reduction)


def _answers(name: str, prediction: Any, target: Any, reduction: str) -> tuple[Tensor, np.ndarray]:
    """Give the prediction as a tensor, and the answers from 0 to 1 in its dtype."""
    check_reduction(name, reduction)
    prediction, truth = as_matching(name, prediction, as_fixed(name, target))
    check_between(name, "target", truth.array, 0.0, 1.0, "For −1 and 1, pass (target + 1) / 2, or use hinge.")
    return prediction, truth.array.astype(prediction.dtype, copy=False)
