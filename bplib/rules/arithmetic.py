"""Sums, differences, products, quotients and powers, with broadcasting."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered, sum_to_shape

__all__ = ["ROWS"]

# Infinity and NaN go through: where they matter, the library speaks of them in its own words.
_quietly = np.errstate(all="ignore")


@_quietly
def add(a: Array, b: Array) -> Remembered:
    """Give a + b."""
    return a + b, None


def add_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """A sum hands the incoming gradient to both sides unchanged."""
    a, b = node.parents
    return (
        sum_to_shape(g, a.array.shape) if a.requires_grad else None,
        sum_to_shape(g, b.array.shape) if b.requires_grad else None,
    )


@_quietly
def subtract(a: Array, b: Array) -> Remembered:
    """Give a − b."""
    return a - b, None


def subtract_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """A difference hands g to the left and −g to the right."""
    a, b = node.parents
    return (
        sum_to_shape(g, a.array.shape) if a.requires_grad else None,
        sum_to_shape(-g, b.array.shape) if b.requires_grad else None,
    )


@_quietly
def multiply(a: Array, b: Array) -> Remembered:
    """Give a · b, element by element."""
    return a * b, None


def multiply_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """Each factor receives the gradient times the other factor."""
    a, b = node.parents
    return (
        sum_to_shape(g * b.array, a.array.shape) if a.requires_grad else None,
        sum_to_shape(g * a.array, b.array.shape) if b.requires_grad else None,
    )


def divide(a: Array, b: Array) -> Remembered:
    """Give a / b, element by element."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return a / b, None


def divide_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂(a/b)/∂a = 1/b and ∂(a/b)/∂b = −(a/b)/b."""
    a, b = node.parents
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = g / b.array
        return (
            sum_to_shape(share, a.array.shape) if a.requires_grad else None,
            sum_to_shape(-share * node.array, b.array.shape) if b.requires_grad else None,
        )


def negative(a: Array) -> Remembered:
    """Give −a."""
    return -a, None


def negative_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The sign turns round."""
    return (-g,)


def power(a: Array, b: Array) -> Remembered:
    """Give a to the power b."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return a**b, None


def power_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂aᵇ/∂a = b·aᵇ⁻¹ and ∂aᵇ/∂b = aᵇ·ln a (0 where a is 0 and b positive)."""
    a, b = node.parents
    base, exponent = a.array, b.array
    to_base = to_exponent = None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if a.requires_grad:
            # 0 · 0⁻¹ would be NaN where the exponent is 0; the derivative of a⁰ is 0 everywhere.
            local = np.where(exponent == 0, 0.0, exponent * base ** (exponent - 1)).astype(node.array.dtype)
            to_base = sum_to_shape(g * local, base.shape)
        if b.requires_grad:
            log_base = np.log(np.where(base == 0, 1.0, base)).astype(node.array.dtype)
            to_exponent = sum_to_shape(g * node.array * log_base, exponent.shape)
    return to_base, to_exponent


ROWS = (
    Operation("add", "+", add, add_gradient, "1 and 1", ufunc=np.add),
    Operation("subtract", "−", subtract, subtract_gradient, "1 and −1", ufunc=np.subtract),
    Operation("multiply", "×", multiply, multiply_gradient, "b and a", ufunc=np.multiply),
    Operation("divide", "÷", divide, divide_gradient, "1/b and −a/b²", "b ≠ 0", ufunc=np.divide),
    Operation("negative", "−", negative, negative_gradient, "−1", ufunc=np.negative),
    Operation(
        "power",
        "^",
        power,
        power_gradient,
        "b·aᵇ⁻¹ and aᵇ·ln a",
        "a > 0, or b an integer",
        "a = 0 with b < 1",
        ufunc=np.power,
    ),
)
