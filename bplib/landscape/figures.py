"""Surfaces that each show one thing: a bowl, a ravine, saddles, a plateau, two valleys that differ."""

import math

import numpy as np

from bplib.landscape.surfaces import Array, Surface, over_two_weights

__all__ = ["bowl", "linear_network", "monkey_saddle", "plateau", "ravine", "saddle", "sharp_and_flat", "two_wells"]

_OURS = "Made for this course"


def bowl(condition_number: float, curvature: float) -> Surface:
    """Give ½(λ₁w₁² + λ₂w₂²): what every minimum looks like from near by."""
    eigenvalues = np.array([curvature / condition_number, curvature])
    return Surface(
        name="bowl",
        f=lambda w: 0.5 * (eigenvalues * np.square(w)).sum(axis=-1),
        gradient=lambda w: eigenvalues * w,
        hessian=lambda w: _everywhere(np.diag(eigenvalues), w),
        minima=np.zeros((1, 2)),
        domain=((-2.5, 2.5), (-2.5, 2.5)),
        formula=f"½({eigenvalues[0]:g}·w₁² + {eigenvalues[1]:g}·w₂²)",
        source=f"{_OURS}: the quadratic that every smooth minimum looks like from near by",
    )


def ravine(steepness: float) -> Surface:
    """Give a bowl turned by 45°: no axis points along the valley, so no single weight is "the slow one"."""
    h = np.array([[1.0 + steepness, 1.0 - steepness], [1.0 - steepness, 1.0 + steepness]]) / 2
    return Surface(
        name="ravine",
        f=lambda w: 0.5 * ((w @ h) * w).sum(axis=-1),
        gradient=lambda w: w @ h,
        hessian=lambda w: _everywhere(h, w),
        minima=np.zeros((1, 2)),
        domain=((-2.5, 2.5), (-2.5, 2.5)),
        formula=f"¼((w₁ + w₂)² + {steepness:g}·(w₁ − w₂)²)",
        source=f"{_OURS}: a bowl whose valley follows no axis",
    )


def saddle() -> Surface:
    """Give w₁² − w₂²: flat at 0, lowest there in one direction and highest in the other."""
    signs = np.array([1.0, -1.0])
    return Surface(
        name="saddle",
        f=lambda w: (signs * np.square(w)).sum(axis=-1),
        gradient=lambda w: 2.0 * signs * w,
        hessian=lambda w: _everywhere(np.diag(2.0 * signs), w),
        minima=np.empty((0, 2)),
        domain=((-2.0, 2.0), (-2.0, 2.0)),
        formula="w₁² − w₂²",
        source=f"{_OURS}: the simplest point of gradient 0 that is no minimum",
    )


def monkey_saddle() -> Surface:
    """Give the saddle with a third way down, for the tail: at 0 the Hessian is 0 and decides nothing."""
    return over_two_weights(
        "monkey_saddle",
        lambda x, y: x**3 - 3.0 * x * y**2,
        lambda x, y: (3.0 * (x**2 - y**2), -6.0 * x * y),
        lambda x, y: (6.0 * x, -6.0 * y, -6.0 * x),
        minima=(),
        domain=((-1.5, 1.5), (-1.5, 1.5)),
        formula="w₁³ − 3·w₁·w₂²",
        source="D. Hilbert and S. Cohn-Vossen (1952), Geometry and the Imagination, Chelsea",
    )


def plateau(steepness: float) -> Surface:
    """Give a floor, a cliff at distance 1, and a plateau beyond: the gradient vanishes where the loss is large."""

    # With e = exp(−|z|) nothing overflows, and σ′ = σ(1 − σ) keeps its digits on the plateau.
    def shares(x: Array, y: Array) -> tuple[Array, Array]:
        z = steepness * (x**2 + y**2 - 1.0)
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1.0, e) / (1.0 + e), e / (1.0 + e) ** 2

    def slopes(x: Array, y: Array) -> tuple[Array, Array]:
        outer = 2.0 * steepness * shares(x, y)[1]
        return outer * x, outer * y

    def bends(x: Array, y: Array) -> tuple[Array, Array, Array]:
        height, slope = shares(x, y)
        even, bend = 2.0 * steepness * slope, 4.0 * steepness**2 * slope * (1.0 - 2.0 * height)
        return even + bend * x * x, bend * x * y, even + bend * y * y

    return over_two_weights(
        "plateau",
        lambda x, y: shares(x, y)[0],
        slopes,
        bends,
        minima=[(0.0, 0.0)],
        domain=((-2.5, 2.5), (-2.5, 2.5)),
        formula=f"σ({steepness:g}·(w₁² + w₂² − 1))",
        source=f"{_OURS}: a squashed bowl, as a saturated unit makes it",
    )


def two_wells(tilt: float) -> Surface:
    """Give two valleys side by side, the left one deeper: which one a walk ends in depends on its start and rate."""
    # x³ − x + tilt = 0 has three real roots for tilt < 2/√27: Viète's x = (2/√3)·cos φ.
    angle = math.acos(-1.5 * math.sqrt(3.0) * tilt) / 3.0
    right, left = (2.0 / math.sqrt(3.0) * math.cos(angle - k * 2.0 * math.pi / 3.0) for k in (0, 2))
    return over_two_weights(
        "two_wells",
        lambda x, y: 0.25 * (x**2 - 1.0) ** 2 + tilt * x + 0.5 * y**2,
        lambda x, y: (x**3 - x + tilt, y),
        lambda x, y: (3.0 * x**2 - 1.0, 0.0, 1.0),
        minima=[(left, 0.0)],
        lesser_minima=[(right, 0.0)],
        domain=((-1.8, 1.8), (-1.5, 1.5)),
        formula=f"¼(w₁² − 1)² + {tilt:g}·w₁ + ½·w₂²",
        source=f"{_OURS}: the tilted double well of physics",
    )


def sharp_and_flat(ratio: float) -> Surface:
    """Give two minima of height 0, the right one `ratio` times as sharp: a large rate can only rest in the flat one."""
    k = 0.5 * math.log(ratio)

    def slopes(x: Array, y: Array) -> tuple[Array, Array]:
        p = x**2 - 1.0
        return 0.25 * np.exp(k * x) * p * (4.0 * x + k * p), y

    def bends(x: Array, y: Array) -> tuple[Array, float, float]:
        p = x**2 - 1.0
        return 0.25 * np.exp(k * x) * (8.0 * x**2 + 4.0 * p + 8.0 * k * x * p + (k * p) ** 2), 0.0, 1.0

    return over_two_weights(
        "sharp_and_flat",
        lambda x, y: 0.25 * np.exp(k * x) * (x**2 - 1.0) ** 2 + 0.5 * y**2,
        slopes,
        bends,
        minima=[(-1.0, 0.0), (1.0, 0.0)],
        domain=((-2.2, 1.6), (-1.5, 1.5)),
        formula=f"¼·exp({k:.3g}·w₁)·(w₁² − 1)² + ½·w₂²",
        source=f"{_OURS}, after S. Hochreiter and J. Schmidhuber (1997), Neural Computation 9(1), 1-42: flat minima",
    )


def linear_network() -> Surface:
    """Give the loss of a network ŷ = w₂·w₁·x with one example (1, 1): a saddle at 0 between two curved valleys.

    Every point with w₁·w₂ = 1 is a minimum; its sharpness is w₁² + w₂², least at ±(1, 1).
    """
    return over_two_weights(
        "linear_network",
        lambda x, y: 0.5 * (1.0 - x * y) ** 2,
        lambda x, y: (y * (x * y - 1.0), x * (x * y - 1.0)),
        lambda x, y: (y**2, 2.0 * x * y - 1.0, x**2),
        minima=[(1.0, 1.0), (-1.0, -1.0)],
        domain=((-2.5, 2.5), (-2.5, 2.5)),
        formula="½(1 − w₁·w₂)²",
        source="A. M. Saxe, J. L. McClelland and S. Ganguli (2014), ICLR, arXiv 1312.6120: deep linear networks",
    )


def _everywhere(matrix: Array, w: Array) -> Array:
    """Give the same matrix at every point."""
    return np.tile(matrix, (*np.shape(w)[:-1], 1, 1))
