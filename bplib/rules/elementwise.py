"""Functions of one number, applied to every element."""

from typing import Any

import numpy as np

from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS"]


def exp(a: Array) -> Remembered:
    """Give eᵃ."""
    with np.errstate(over="ignore"):
        return np.exp(a), None


def exp_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The exponential is its own derivative."""
    return (g * node.array,)


def log(a: Array) -> Remembered:
    """Give the natural logarithm of a: −inf at 0, NaN below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(a), None


def log_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ ln a/∂a = 1/a."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (g / node.parents[0].array,)


def sqrt(a: Array) -> Remembered:
    """Give the square root of a: NaN below 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(a), None


def sqrt_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂√a/∂a = 1/(2√a), infinite at 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (g * 0.5 / node.array,)


def absolute(a: Array) -> Remembered:
    """Give |a|."""
    return np.abs(a), None


def absolute_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """The sign of a; 0 at the kink."""
    return (g * np.sign(node.parents[0].array),)


def tanh(a: Array) -> Remembered:
    """Give the hyperbolic tangent of a, between −1 and 1."""
    return np.tanh(a), None


def tanh_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ tanh a/∂a = 1 − tanh² a, written so that no constant array is made."""
    y = node.array
    slope = y * y
    slope *= g
    return (np.subtract(g, slope, slope) if y.ndim else g - slope,)


def sigmoid(a: Array) -> Remembered:
    """Give σ(a) = 1/(1 + e⁻ᵃ), from the side on which e⁻|ᵃ| cannot overflow."""
    if np.iscomplexobj(a):
        return 1.0 / (1.0 + np.exp(-a)), None
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, small) / (1.0 + small), None


def sigmoid_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂σ/∂a = σ · (1 − σ)."""
    y = node.array
    return (g * y * (1.0 - y),)


def relu(a: Array) -> Remembered:
    """Give max(0, a)."""
    return np.maximum(a, 0.0), None


def relu_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 where a > 0, else 0; the kink at 0 counts as 0."""
    return (g * (node.array > 0),)


ROWS = (
    Operation("exp", "exp", exp, exp_gradient, "eᵃ", ufunc=np.exp),
    Operation("log", "ln", log, log_gradient, "1/a", "a > 0", ufunc=np.log),
    Operation("sqrt", "√", sqrt, sqrt_gradient, "1/(2√a)", "a ≥ 0", "a = 0: infinite", ufunc=np.sqrt),
    Operation(
        "abs", "|·|", absolute, absolute_gradient, "sign(a)", kinks="a = 0: 0", holomorphic=False, ufunc=np.absolute
    ),
    Operation("tanh", "tanh", tanh, tanh_gradient, "1 − tanh² a", ufunc=np.tanh),
    Operation("sigmoid", "σ", sigmoid, sigmoid_gradient, "σ·(1 − σ)"),
    Operation("relu", "ReLU", relu, relu_gradient, "1 if a > 0 else 0", kinks="a = 0: 0", holomorphic=False),
)
