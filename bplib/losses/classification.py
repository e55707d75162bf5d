"""Losses for one class out of several: what a predicted distribution has to do with the true one."""

from typing import Any

import numpy as np

from bplib.checks import as_array
from bplib.engine import apply
from bplib.errors import DataError, DomainError, ShapeError
from bplib.functional import log, where
from bplib.losses.agreement import as_fixed, as_matching, as_named, check_between, check_reduction, reduce
from bplib.rules import TABLE
from bplib.tensors import Tensor

__all__ = ["cross_entropy", "kl_divergence", "nll"]

_SOFTMAX_CROSS_ENTROPY = TABLE["softmax_cross_entropy"]
# How far rounding, and a step of a numerical gradient, may carry a probability out of its range.
_SLACK = 1e-3


def cross_entropy(logits: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Cross-entropy of softmax probabilities: the surprise at the true class, in nats.

    H = −(1/n) Σᵢ Σⱼ yᵢⱼ ln pᵢⱼ with p = softmax(logits),   ∂H/∂logits = (p − y)/n

    Its minimiser is the distribution of the classes given the input: p then is how often each class occurs.

    Parameters
    ----------
    logits : Tensor or array_like of real numbers, shape (n, classes) or (classes,)
        The scores before any softmax; ±10,000 is no problem.
    target : array_like of int, shape (n,) or (), or probabilities of the shape of `logits`
        The true class of each example, from 0 to classes − 1; or one probability a class.
    reduction : {"mean", "sum", "none"}
        Average over the n examples, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" one for each example. ln(classes) for a network
        that knows nothing.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DataError
        If one of the two holds no real numbers, or class indices are no whole numbers.
    DomainError
        If a class index lies outside the classes, probabilities do not add up to 1, or `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    References
    ----------
    C. M. Bishop (1995), *Neural Networks for Pattern Recognition*, Oxford, section 6.9.

    Examples
    --------
    >>> cross_entropy([[0.0, 0.0], [1000.0, 0.0]], [0, 0])
    tensor(0.346574)
    """
    logits = logits if isinstance(logits, Tensor) else as_named("cross_entropy", "logits", logits)
    truth = _target_of("cross_entropy", "logits", logits, target)
    check_reduction("cross_entropy", reduction)
    return apply(_SOFTMAX_CROSS_ENTROPY, logits, settings=(truth, reduction))


def nll(log_probability: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Negative log-likelihood: what `cross_entropy` is, for a network that ends in log-softmax.

    L = −(1/n) Σᵢ Σⱼ yᵢⱼ ln pᵢⱼ,   ∂L/∂(ln pᵢⱼ) = −yᵢⱼ/n

    Its minimiser is the distribution of the classes: the maximum-likelihood estimate.

    Parameters
    ----------
    log_probability : Tensor or array_like of real numbers ≤ 0, shape (n, classes) or (classes,)
        The logarithms of the predicted probabilities, as `bplib.log_softmax` gives them; in nats.
    target : array_like of int, shape (n,) or (), or probabilities of the shape of `log_probability`
        The true class of each example, from 0 to classes − 1; or one probability a class.
    reduction : {"mean", "sum", "none"}
        Average over the n examples, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" one for each example; in nats. Infinite where the true class was
        impossible.

    Raises
    ------
    ShapeError
        If the shapes do not fit.
    DataError
        If one of the two holds no real numbers, or class indices are no whole numbers.
    DomainError
        If a class index lies outside the classes, probabilities do not add up to 1, a logarithm is above 0, or
        `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    References
    ----------
    C. M. Bishop (1995), *Neural Networks for Pattern Recognition*, Oxford, sections 2.2 and 6.9.

    Examples
    --------
    >>> nll(np.log([[0.25, 0.75], [0.5, 0.5]]), [1, 0], reduction="none")
    tensor([0.287682, 0.693147])
    """
    scores = as_named("nll", "log_probability", log_probability)
    truth = _target_of("nll", "log_probabilities", scores, target)
    check_reduction("nll", reduction)
    advice = "These look like probabilities or scores: pass bplib.log_softmax(logits)."
    check_between("nll", "log_probability", scores.array, -np.inf, 0.0, advice, _SLACK)
    if truth.dtype.kind == "f":
        # 0 · ln 0 counts as 0.
        each = -(where(truth == 0, 0.0, scores) * truth).sum(axis=-1)
    else:
        rows = scores.reshape(-1, scores.shape[-1])
        each = -rows[np.arange(len(rows)), truth.ravel()].reshape(scores.shape[:-1])
    return reduce(each, reduction)


def kl_divergence(prediction: Any, target: Any, *, reduction: str = "mean") -> Tensor:
    """Kullback-Leibler divergence D(target ‖ prediction): the nats wasted by believing the wrong distribution.

    D = (1/n) Σᵢ Σⱼ yᵢⱼ ln(yᵢⱼ / pᵢⱼ),   ∂D/∂pᵢⱼ = −yᵢⱼ/(n pᵢⱼ)

    It is the cross-entropy minus the entropy of the target: 0 where both agree, never below.
    Its minimiser is the target distribution.

    Parameters
    ----------
    prediction : Tensor or array_like, shape (n, classes) or (classes,)
        Probabilities p that add up to 1, as `bplib.softmax` gives them.
    target : array_like, same shape
        The true probabilities y.
    reduction : {"mean", "sum", "none"}
        Average over the n examples, add them up, or give each one's share.

    Returns
    -------
    Tensor
        A single number ≥ 0, or with "none" one for each example; in nats. Infinite where the prediction
        excludes what happens.

    Raises
    ------
    ShapeError
        If the shapes differ, or there are no elements.
    DataError
        If one of the two holds no real numbers.
    DomainError
        If one of the two is no distribution, or `reduction` is another word.
    GraphError
        If `target` asks for a gradient.

    Notes
    -----
    PyTorch's `KLDivLoss` wants ln p, and averages over elements unless told "batchmean"; here it is p itself and the
    mean over examples. From logits, use ``cross_entropy(logits, probabilities)``: it has the same gradient and cannot
    underflow.

    References
    ----------
    S. Kullback and R. A. Leibler (1951), Ann. Math. Statist. 22(1), 79-86, section 2.

    Examples
    --------
    >>> kl_divergence([0.5, 0.5], [1.0, 0.0])
    tensor(0.693147)
    """
    p, y = as_matching("kl_divergence", prediction, as_fixed("kl_divergence", target))
    if not p.ndim:
        raise ShapeError("kl_divergence: prediction has shape (). Expected (classes,) or (examples, classes).")
    check_reduction("kl_divergence", reduction)
    truth = _probabilities("kl_divergence", y.array).astype(p.dtype, copy=False)
    advice = "Pass probabilities: bplib.softmax(logits), or bplib.exp of logarithms."
    check_between("kl_divergence", "prediction", p.array, 0.0, 1.0, advice, _SLACK)
    sums = p.array.sum(axis=-1)
    check_between("kl_divergence", "the sum of prediction over the classes", sums, 1.0, 1.0, advice, _SLACK)
    happens = truth != 0
    surprise = np.log(np.where(happens, truth, 1.0)) - log(where(happens, p, 1.0))
    return reduce((surprise * truth).sum(axis=-1), reduction)


def _target_of(name: str, what: str, scores: Tensor, target: Any) -> np.ndarray:
    as_fixed(name, target)
    shape = scores.array.shape
    if not shape or not scores.array.size:
        raise ShapeError(f"{name}: {what} have shape {shape}. Expected (examples, classes), at least one of each.")
    plain = target.array if isinstance(target, Tensor) else as_array(target, "target", name)
    if plain.shape == shape:
        return _probabilities(name, plain).astype(scores.dtype, copy=False)
    if plain.shape != shape[:-1]:
        hint = " Try target.ravel()." if plain.size == np.prod(shape[:-1], dtype=int) else ""
        raise ShapeError(
            f"{name}: {what} have shape {shape}, target has shape {plain.shape}. "
            f"Expected class indices of shape {shape[:-1]}, or probabilities of shape {shape}.{hint}"
        )
    if plain.dtype.kind not in "iu":
        raise DataError(
            f"{name}: target holds {plain.dtype} where class indices are expected. "
            f"Expected whole numbers from 0 to {shape[-1] - 1}. Try target.astype(int)."
        )
    # Without its sign a number below 0 is a large one: one look finds both. NumPy finds the place of the largest in
    # half the time of its value.
    unsigned = plain.astype(np.uint64)
    if unsigned.item(unsigned.argmax()) >= shape[-1]:
        worst = min(plain.min(), 0) or plain.max()
        raise DomainError(
            f"{name}: target holds class {worst}, {what} have {shape[-1]} classes. "
            f"Expected indices from 0 to {shape[-1] - 1}. Check the number of outputs, or whether counting starts at 1."
        )
    # To find a label's place NumPy would add a uint64 to an int64 as floats.
    return plain.astype(np.intp) if plain.dtype.kind == "u" else plain


def _probabilities(name: str, target: np.ndarray) -> np.ndarray:
    total = target.sum(axis=-1)
    if not ((target >= 0).all() and np.allclose(total, 1.0, atol=1e-6)):
        raise DomainError(
            f"{name}: target has the shape of the prediction, {target.shape}, and so holds probabilities; but its "
            f"smallest number is {target.min():g} and its rows add up to {total.min():g} … {total.max():g}. Expected "
            "numbers from 0 that add up to 1. For class indices, pass one whole number for each row."
        )
    return target
