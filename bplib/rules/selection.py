"""Operations that take one of two numbers, element by element, with broadcasting."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered, sum_to_shape

__all__ = ["ROWS"]


def maximum(a: Array, b: Array) -> Remembered:
    """Give the larger of a and b; NaN where one of them is NaN."""
    return np.maximum(a, b), None


def maximum_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 for the larger and 0 for the other; at a tie the first operand counts as the larger."""
    a, b = (parent.array for parent in node.parents)
    return _to_one_of_two(node, g, (a >= b) | np.isnan(a))


def minimum(a: Array, b: Array) -> Remembered:
    """Give the smaller of a and b; NaN where one of them is NaN."""
    return np.minimum(a, b), None


def minimum_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 for the smaller and 0 for the other; at a tie the first operand counts as the smaller."""
    a, b = (parent.array for parent in node.parents)
    return _to_one_of_two(node, g, (a <= b) | np.isnan(a))


def where(a: Array, b: Array, condition: Array) -> Remembered:
    """Give a where the condition holds, else b."""
    return np.where(condition, a, b), None


def where_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 for the side that was taken and 0 for the other, even if that one is infinite or NaN."""
    (condition,) = node.settings
    return _to_one_of_two(node, g, condition)


def _to_one_of_two(node: Any, g: Array, first: Array) -> tuple[Array | None, ...]:
    # A choice, not a product with 1 and 0: 0 times an infinite gradient would be NaN.
    a, b = node.parents
    return (
        sum_to_shape(np.where(first, g, 0.0), a.array.shape) if a.requires_grad else None,
        sum_to_shape(np.where(first, 0.0, g), b.array.shape) if b.requires_grad else None,
    )


_KINKS = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, chapter 14"

ROWS = (
    Operation(
        "maximum",
        "max",
        maximum,
        maximum_gradient,
        "1 for the larger, else 0",
        kinks="a = b: 1 and 0",
        ufunc=np.maximum,
        source=_KINKS,
    ),
    Operation(
        "minimum",
        "min",
        minimum,
        minimum_gradient,
        "1 for the smaller, else 0",
        kinks="a = b: 1 and 0",
        ufunc=np.minimum,
        source=_KINKS,
    ),
    Operation("where", "where", where, where_gradient, "1 for the one taken, else 0", source=_KINKS),
)
