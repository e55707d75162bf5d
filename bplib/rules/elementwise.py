"""Functions of one number, applied to every element."""

from typing import Any

import numpy as np

from bplib.constants import constant
from bplib.rules.operation import Array, Operation, Remembered

__all__ = ["ROWS", "positive_part", "sigmoid", "through_relu", "through_sigmoid", "through_tanh"]

_LONG_ROWS = range(64, 4097)  # shorter ones cost more to walk along than it saves; longer ones would fill the memory


def exp(a: Array) -> Remembered:
    """Give eᵃ."""
    return np.exp(a), None


def exp_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂eᵃ/∂a = eᵃ: the exponential is its own derivative."""
    return (g * node.array,)


def log(a: Array) -> Remembered:
    """Give the natural logarithm of a: −inf at 0, NaN below."""
    return np.log(a), None


def log_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ ln a/∂a = 1/a."""
    return (g / node.parents[0].array,)


def sqrt(a: Array) -> Remembered:
    """Give the square root of a: NaN below 0."""
    return np.sqrt(a), None


def sqrt_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂√a/∂a = 1/(2√a), infinite at 0."""
    return (g * 0.5 / node.array,)


def sin(a: Array) -> Remembered:
    """Give the sine of a, in radians."""
    return np.sin(a), None


def sin_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ sin a/∂a = cos a."""
    return (g * np.cos(node.parents[0].array),)


def cos(a: Array) -> Remembered:
    """Give the cosine of a, in radians."""
    return np.cos(a), None


def cos_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ cos a/∂a = −sin a."""
    return (g * -np.sin(node.parents[0].array),)


def absolute(a: Array) -> Remembered:
    """Give |a|."""
    return np.abs(a), None


def absolute_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂|a|/∂a = sign a; 0 at the kink."""
    return (g * np.sign(node.parents[0].array),)


def tanh(a: Array) -> Remembered:
    """Give the hyperbolic tangent of a, between −1 and 1."""
    return np.tanh(a), None


def tanh_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ tanh a/∂a = 1 − tanh² a."""
    return (through_tanh(node.array, g),)


def through_tanh(y: Array, g: Array) -> Array:
    """Give g · (1 − y²) for y = tanh a, as g − g·y²: so no constant array is made."""
    lost = y * y
    lost *= g
    return g - lost


def sigmoid(a: Array) -> Remembered:
    """Give σ(a) = 1/(1 + e⁻ᵃ), from the side on which e⁻|ᵃ| cannot overflow."""
    small = np.exp(_minus_absolute(a))
    return np.where(a.real >= 0, 1.0, small) / (1.0 + small), None


def sigmoid_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂σ/∂a = σ · (1 − σ)."""
    return (through_sigmoid(node.array, g),)


def through_sigmoid(y: Array, g: Array) -> Array:
    """Give g · y · (1 − y) for y = σ(a)."""
    slope = 1.0 - y
    slope *= y
    slope *= g
    return slope


def softplus(a: Array) -> Remembered:
    """Give ln(1 + eᵃ) as max(0, a) + ln(1 + e⁻|ᵃ|), where nothing overflows and nothing is rounded away."""
    return np.maximum(a, 0.0) + np.log1p(np.exp(_minus_absolute(a))), None


def softplus_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ ln(1 + eᵃ)/∂a = σ(a), and from the result y that is 1 − e⁻ʸ."""
    return (g * -np.expm1(-node.array),)


def relu(a: Array) -> Remembered:
    """Give max(0, a)."""
    return positive_part(a), None


def relu_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """∂ max(0, a)/∂a = 1 where a > 0, else 0; the kink at 0 counts as 0."""
    return (through_relu(node.array, g),)


def through_relu(y: Array, g: Array) -> Array:
    """Give g where y = max(0, a) is above 0, else 0."""
    # The slopes become floats: NumPy multiplies floats by truth values only through a buffer, and takes longer.
    slope = (y > 0).astype(g.dtype)
    slope *= g
    return slope


def positive_part(a: Array, out: Array | None = None) -> Array:
    """Give max(0, a), element by element."""
    # NumPy takes the larger of two rows in half the time that it takes for a row and a single 0.
    zero = constant(0.0, a.shape[-1:] if a.ndim and a.shape[-1] in _LONG_ROWS else (), a.dtype)
    return np.maximum(a, zero, out=out)


def leaky_relu(a: Array, slope: float) -> Remembered:
    """Give a where a > 0, else slope · a."""
    return np.where(a.real > 0, a, slope * a), None


def leaky_relu_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 where a > 0, else the slope; the kink at 0 counts as the left side."""
    (slope,) = node.settings
    return (np.where(node.parents[0].array > 0, g, slope * g),)


def clip(a: Array, low: float | None, high: float | None) -> Remembered:
    """Give a, but no less than `low` and no more than `high`; None stands for no limit on that side."""
    raised = a if low is None else np.maximum(a, low)
    return raised if high is None else np.minimum(raised, high), None


def clip_gradient(node: Any, g: Array) -> tuple[Array | None, ...]:
    """1 where a was left as it is, the limits included, else 0."""
    return (np.where(node.array == node.parents[0].array, g, 0.0),)


def _minus_absolute(a: Array) -> Array:
    # −|a|; a complex step, which only tests take, must pass through without being turned into a length.
    return -np.abs(a) if a.dtype.kind == "f" else np.where(a.real < 0, a, -a)


_GRIEWANK = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, section 3.2"
_LECUN = "Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), Efficient BackProp, Springer LNCS 1524, section 4.4"
_RUMELHART = "D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323, 533-536, equation 2"
_DUGAS = "C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia (2001), NIPS 13, 472-478"
_NAIR = "V. Nair and G. E. Hinton (2010), ICML, 807-814"
_MAAS = (
    "A. L. Maas, A. Y. Hannun and A. Y. Ng (2013), "
    "ICML Workshop on Deep Learning for Audio, Speech and Language Processing"
)
_KINKS = "A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, chapter 14"

ROWS = (
    Operation("exp", "exp", exp, exp_gradient, "eᵃ", ufunc=np.exp, source=_GRIEWANK),
    Operation("log", "ln", log, log_gradient, "1/a", "a > 0", ufunc=np.log, source=_GRIEWANK),
    Operation("sqrt", "√", sqrt, sqrt_gradient, "1/(2√a)", "a ≥ 0", "a = 0: infinite", ufunc=np.sqrt, source=_GRIEWANK),
    Operation("sin", "sin", sin, sin_gradient, "cos a", ufunc=np.sin, source=_GRIEWANK),
    Operation("cos", "cos", cos, cos_gradient, "−sin a", ufunc=np.cos, source=_GRIEWANK),
    Operation(
        "abs",
        "|·|",
        absolute,
        absolute_gradient,
        "sign(a)",
        kinks="a = 0: 0",
        holomorphic=False,
        ufunc=np.absolute,
        source=_KINKS,
    ),
    Operation("tanh", "tanh", tanh, tanh_gradient, "1 − tanh² a", ufunc=np.tanh, source=_LECUN),
    Operation("sigmoid", "σ", sigmoid, sigmoid_gradient, "σ·(1 − σ)", source=_RUMELHART),
    Operation("softplus", "softplus", softplus, softplus_gradient, "σ(a)", source=_DUGAS),
    Operation("relu", "ReLU", relu, relu_gradient, "1 if a > 0 else 0", kinks="a = 0: 0", source=_NAIR),
    Operation(
        "leaky_relu",
        "LeakyReLU",
        leaky_relu,
        leaky_relu_gradient,
        "1 if a > 0 else slope",
        kinks="a = 0: slope",
        source=_MAAS,
    ),
    Operation(
        "clip",
        "clip",
        clip,
        clip_gradient,
        "1 if low ≤ a ≤ high else 0",
        kinks="a = low or a = high: 1",
        source=_KINKS,
    ),
)
