"""What every loss asks before it computes: do prediction and target belong together, and what comes out?"""

from typing import Any

import numpy as np

from bplib.checks import as_array
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.tensors import Tensor, as_tensor

__all__ = ["as_fixed", "as_matching", "as_named", "check_between", "check_reduction", "reduce"]


def as_matching(name: str, prediction: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Give both as tensors of one shape, with at least one element; the loss `name` speaks if they are not."""
    try:
        known = prediction if isinstance(prediction, Tensor) else as_tensor(prediction)
        wanted = target if isinstance(target, Tensor) else as_tensor(target, known)
    except DataError:
        known = as_named(name, "prediction", prediction)
        wanted = as_named(name, "target", target, known)  # one of the two is refused again, by its name
    expected, got = known.array.shape, wanted.array.shape
    if expected != got:
        raise ShapeError(_mismatch(name, expected, got))
    if 0 in expected:
        raise ShapeError(f"{name}: prediction and target are empty, shape {expected}. Expected at least one element.")
    return known, wanted


def as_named(name: str, what: str, values: Any, like: Tensor | None = None) -> Tensor:
    """Give a tensor, or say which argument of which loss is none."""
    try:
        return as_tensor(values, like)
    except DataError:
        pass
    as_array(values, what, name)  # refuses the same, and knows the names
    raise DataError(
        f"{name}: {what} is a list that holds a tensor which asks for a gradient; as plain numbers it would lose its "
        f"past. Expected one tensor. Try bplib.stack({what})."
    )


def as_fixed(name: str, target: Any) -> Any:
    """Give the target itself, unless it asks for a gradient that this loss does not compute."""
    if _asks(target):
        raise GraphError(f"{name}: the target asks for a gradient. Expected fixed numbers. Try target.detach().")
    return target


def check_between(
    name: str, what: str, values: np.ndarray, low: float, high: float, advice: str, slack: float = 0.0
) -> None:
    """Refuse numbers further than `slack` outside [low, high]; NaN passes and makes the loss NaN."""
    smallest, largest = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if smallest < low - slack or largest > high + slack:
        worst = smallest if smallest < low - slack else largest
        wanted = f"numbers from {low:g} to {high:g}" if low < high else f"{low:g}"
        raise DomainError(f"{name}: {what} holds {worst:g}. Expected {wanted}. {advice}")


def check_reduction(name: str, reduction: str) -> None:
    """Refuse a word that is no reduction."""
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise DomainError(f'{name}: reduction is {reduction!r}. Expected "mean", "sum" or "none".')


def reduce(each: Tensor, reduction: str) -> Tensor:
    """Give the mean, the sum, or each share as it is."""
    if reduction == "none":
        return each
    return each.mean() if reduction == "mean" else each.sum()


def _asks(target: Any) -> bool:
    if isinstance(target, list | tuple):
        return any(map(_asks, target))
    return isinstance(target, Tensor) and target.requires_grad


def _mismatch(name: str, prediction: tuple[int, ...], target: tuple[int, ...]) -> str:
    try:
        spread = np.broadcast_shapes(prediction, target)
    except ValueError:
        consequence = "They cannot be compared element by element."
    else:
        consequence = f"NumPy would broadcast these to {spread} without a word."
    if np.prod(prediction) == np.prod(target):
        longer = "target" if len(prediction) > len(target) else "prediction"
        new_axis = abs(len(prediction) - len(target)) == 1 and 1 in (prediction[-1:] + target[-1:])
        advice = f"Reshape one of them, for example {longer}[:, None]." if new_axis else "Reshape one of them."
    else:
        advice = "They hold different numbers of elements: check that both belong to the same examples."
    return f"{name}: prediction has shape {prediction}, target has shape {target}. {consequence} {advice}"
