"""Sums, differences, products, quotients and powers, with broadcasting."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered, sum_to_shape

__all__ = ["ROWS"]


def add(a: Array, b: Array) -> Remembered:
    """Give a + b."""
    return a + b, None


def add_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂(a + b)/∂a = 1 and ∂(a + b)/∂b = 1: both sides receive the incoming gradient unchanged."""
    a, b = node.parents
    return (
        sum_to_shape(g, a.array.shape) if a.requires_grad else None,
        sum_to_shape(g, b.array.shape, b.landing(g.dtype)) if b.requires_grad else None,
    )


def subtract(a: Array, b: Array) -> Remembered:
    """Give a − b."""
    return a - b, None


def subtract_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂(a − b)/∂a = 1 and ∂(a − b)/∂b = −1."""
    a, b = node.parents
    return (
        sum_to_shape(g, a.array.shape) if a.requires_grad else None,
        sum_to_shape(-g, b.array.shape) if b.requires_grad else None,
    )


def multiply(a: Array, b: Array) -> Remembered:
    """Give a · b, element by element."""
    return a * b, None


def multiply_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂(a·b)/∂a = b and ∂(a·b)/∂b = a: each factor receives the gradient times the other."""
    a, b = node.parents
    to_a = sum_to_shape(g * b.array, a.array.shape) if a.requires_grad else None
    if a is b:  # a square: both are the same product
        return to_a, to_a
    return to_a, sum_to_shape(g * a.array, b.array.shape) if b.requires_grad else None


def divide(a: Array, b: Array) -> Remembered:
    """Give a / b, element by element."""
    return a / b, None


def divide_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂(a/b)/∂a = 1/b and ∂(a/b)/∂b = −(a/b)/b."""
    a, b = node.parents
    share = g / b.array
    return (
        sum_to_shape(share, a.array.shape) if a.requires_grad else None,
        sum_to_shape(-share * node.array, b.array.shape) if b.requires_grad else None,
    )


def negative(a: Array) -> Remembered:
    """Give −a."""
    return -a, None


def negative_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂(−a)/∂a = −1."""
    return (-g,)


def power(a: Array, b: Array) -> Remembered:
    """Give a to the power b."""
    return a**b, None


def power_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂aᵇ/∂a = b·aᵇ⁻¹ and ∂aᵇ/∂b = aᵇ·ln a."""
    a, b = node.parents
    return (
        sum_to_shape(g * _by_base(a.array, b.array), a.array.shape) if a.requires_grad else None,
        sum_to_shape(g * _by_exponent(a.array, b.array, node.array), b.array.shape) if b.requires_grad else None,
    )


def _by_base(a: Array, b: Array) -> Array:
    # a⁰ is 1 everywhere, so its derivative is 0 everywhere: 0 · a⁰, where the formula would give 0 · a⁻¹.
    return b * a ** np.where(b == 0, 0.0, b - 1.0)


def _by_exponent(a: Array, b: Array, power: Array) -> Array:
    # 0ᵇ is 0 for every b > 0; the formula would give 0 · ln 0. At 0⁰ the rule takes the same value.
    return np.where((a == 0) & (b >= 0), 0.0, power * np.log(a))


_GRIEWANK = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, section 3.2"

ROWS = (
    Operation("add", "+", add, add_gradient, "1 and 1", ufunc=np.add, source=_GRIEWANK),
    Operation("subtract", "−", subtract, subtract_gradient, "1 and −1", ufunc=np.subtract, source=_GRIEWANK),
    Operation("multiply", "×", multiply, multiply_gradient, "b and a", ufunc=np.multiply, source=_GRIEWANK),
    Operation("divide", "÷", divide, divide_gradient, "1/b and −a/b²", "b ≠ 0", ufunc=np.divide, source=_GRIEWANK),
    Operation("negative", "−", negative, negative_gradient, "−1", ufunc=np.negative, source=_GRIEWANK),
    Operation(
        "power",
        "^",
        power,
        power_gradient,
        "b·aᵇ⁻¹ and aᵇ·ln a",
        "a > 0, or a = 0 with b ≥ 0, or b an integer",
        "a = 0 with 0 < b < 1: infinite",
        ufunc=np.power,
        source=_GRIEWANK,
    ),
)
