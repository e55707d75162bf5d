"""Clipping: gradients that have become too long are shortened before the update."""

import math
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from bplib.checks import as_number
from bplib.errors import DataError, DomainError
from bplib.journal import note

__all__ = ["clip_grad_norm", "clip_grad_value"]


def clip_grad_norm(params: Iterable[Any], max_norm: float) -> float:
    """Shorten the gradient of all parameters together to the length `max_norm`; its direction stays.

    g ← g · max_norm / ‖g‖ where ‖g‖ > max_norm, with ‖g‖ = √(Σ g²) over all parameters

    Call it between ``backward()`` and ``step()``.

    Parameters
    ----------
    params : iterable of Tensor
        Whose ``.grad`` is changed in place; those without one are left out.
    max_norm : float ≥ 0
        The greatest length.

    Returns
    -------
    float
        The length before; 0 if there is no gradient.

    Raises
    ------
    DomainError
        If a gradient holds an infinity or NaN, which no factor makes right; nothing is changed then.
    DataError
        If `params` are no tensors, or `max_norm` is no number.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio (2013), ICML, algorithm 1. PyTorch divides by ‖g‖ + 10⁻⁶.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_grad_norm([w], 1.0)
    5.0
    >>> w.grad
    array([0.6, 0.8])
    """
    listed = _listed(params, "clip_grad_norm")
    max_norm = as_number(max_norm, "max_norm", "clip_grad_norm", least=0.0)
    note(partial(_repeat, listed, max_norm))
    return _shorten(listed, max_norm)


def clip_grad_value(params: Iterable[Any], limit: float) -> None:
    """Cut every number of every gradient to [−limit, limit]; the direction may change.

    Parameters
    ----------
    params : iterable of Tensor
        Whose ``.grad`` is changed in place; those without one are left out.
    limit : float ≥ 0
        The greatest size of a number. A NaN stays what it is.

    Raises
    ------
    DomainError, DataError
        If `limit` is below 0 or no number, or `params` are no tensors.

    References
    ----------
    T. Mikolov (2012), *Statistical Language Models Based on Neural Networks*, thesis, Brno.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * [3.0, -0.5]).sum().backward()
    >>> clip_grad_value([w], 1.0)
    >>> w.grad
    array([ 1. , -0.5])
    """
    listed = _listed(params, "clip_grad_value")
    limit = as_number(limit, "limit", "clip_grad_value", least=0.0)
    note(partial(_cut, listed, limit))
    _cut(listed, limit)


def _shorten(params: list[Any], max_norm: float) -> float:
    gradients = [p.grad for p in params if p.grad is not None and p.grad.size]
    # Divided by the largest number first: the square of 1e200 would be infinite.
    largest = max((float(np.max(np.abs(g))) for g in gradients), default=0.0)
    for place, p in enumerate(params):
        if p.grad is not None and not np.isfinite(p.grad).all():
            who = f"the parameter {p.name!r}" if p.name else f"parameter {place}, of shape {p.shape},"
            raise DomainError(
                f"clip_grad_norm: the gradient of {who} holds an infinity or NaN. Expected finite numbers. "
                "Try detect_anomaly() to find where it arose, or a smaller learning rate."
            )
    if largest == 0.0:
        return 0.0
    norm = largest * math.sqrt(sum(float(np.sum(np.square(g / largest, dtype=float))) for g in gradients))
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / norm
    return norm


def _repeat(params: list[Any], max_norm: float) -> None:
    _shorten(params, max_norm)


def _cut(params: list[Any], limit: float) -> None:
    for p in params:
        if p.grad is not None:
            np.clip(p.grad, -limit, limit, out=p.grad)


def _listed(params: Any, name: str) -> list[Any]:
    if hasattr(params, "backward") or not isinstance(params, Iterable):
        raise DataError(f"{name}: params is of type {type(params).__name__}. Expected a list. Try model.parameters().")
    listed = list(params)
    for p in listed:
        if not hasattr(p, "backward"):
            raise DataError(f"{name}: expected tensors, got {type(p).__name__}. Pass model.parameters().")
    return listed
