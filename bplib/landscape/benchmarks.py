"""Surfaces on which optimizers have been compared for decades."""

import math

import numpy as np

from bplib.landscape.surfaces import Array, Surface, over_two_weights

__all__ = [
    "beale",
    "booth",
    "goldstein_price",
    "himmelblau",
    "matyas",
    "rastrigin",
    "rosenbrock",
    "six_hump_camel",
    "styblinski_tang",
    "three_hump_camel",
]

_SURVEY = "M. Jamil and X.-S. Yang (2013), Int. J. Math. Modelling Numer. Optim. 4(2), 150-194, arXiv 1308.4008"


def rosenbrock() -> Surface:
    """Give the narrow valley that bends: down to its floor is easy, along it is not."""

    def slopes(x: Array, y: Array) -> tuple[Array, Array]:
        bend = y - x * x
        return -2.0 * (1.0 - x) - 400.0 * x * bend, 200.0 * bend

    return over_two_weights(
        "rosenbrock",
        lambda x, y: (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2,
        slopes,
        lambda x, y: (2.0 + 1200.0 * x * x - 400.0 * y, -400.0 * x, 200.0),
        minima=[(1.0, 1.0)],
        domain=((-2.0, 2.0), (-1.0, 3.0)),
        formula="(1 − w₁)² + 100·(w₂ − w₁²)²",
        source="H. H. Rosenbrock (1960), Computer J. 3(3), 175-184",
    )


def beale() -> Surface:
    """Give flat land in the middle and walls around it: the gradient is tiny here and huge there."""
    # The sum over k = 1, 2, 3 of rₖ² with rₖ = cₖ − x·(1 − yᵏ).
    constants = (1.5, 2.25, 2.625)

    def terms(x: Array, y: Array) -> Array:
        """Give, for each k, rₖ and its derivatives by x, y, x and y, and twice y."""
        return np.array(
            [
                [
                    c - x * (1.0 - y**k),
                    y**k - 1.0,
                    x * k * y ** (k - 1),
                    k * y ** (k - 1),
                    x * k * (k - 1) * y ** max(k - 2, 0),
                ]
                for k, c in enumerate(constants, start=1)
            ]
        ).swapaxes(0, 1)

    def slopes(x: Array, y: Array) -> tuple[Array, Array]:
        r, by_x, by_y, _, _ = terms(x, y)
        return (2.0 * r * by_x).sum(axis=0), (2.0 * r * by_y).sum(axis=0)

    def bends(x: Array, y: Array) -> tuple[Array, Array, Array]:
        r, by_x, by_y, by_xy, by_yy = terms(x, y)
        return (
            (2.0 * by_x**2).sum(axis=0),
            (2.0 * (by_x * by_y + r * by_xy)).sum(axis=0),
            (2.0 * (by_y**2 + r * by_yy)).sum(axis=0),
        )

    return over_two_weights(
        "beale",
        lambda x, y: (terms(x, y)[0] ** 2).sum(axis=0),
        slopes,
        bends,
        minima=[(3.0, 0.5)],
        domain=((-4.5, 4.5), (-4.5, 4.5)),
        formula="(1.5 − w₁ + w₁w₂)² + (2.25 − w₁ + w₁w₂²)² + (2.625 − w₁ + w₁w₂³)²",
        source="J. J. Moré, B. S. Garbow and K. E. Hillstrom (1981), ACM Trans. Math. Softw. 7(1), 17-41, problem 5",
    )


def himmelblau() -> Surface:
    """Give four minima of the same height: the start decides which one a walk finds."""
    return over_two_weights(
        "himmelblau",
        lambda x, y: (x**2 + y - 11.0) ** 2 + (x + y**2 - 7.0) ** 2,
        lambda x, y: (
            4.0 * x * (x**2 + y - 11.0) + 2.0 * (x + y**2 - 7.0),
            2.0 * (x**2 + y - 11.0) + 4.0 * y * (x + y**2 - 7.0),
        ),
        lambda x, y: (12.0 * x**2 + 4.0 * y - 42.0, 4.0 * (x + y), 12.0 * y**2 + 4.0 * x - 26.0),
        minima=[
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286169),
            (3.5844283403304917, -1.8481265269644034),
        ],
        domain=((-5.0, 5.0), (-5.0, 5.0)),
        formula="(w₁² + w₂ − 11)² + (w₁ + w₂² − 7)²",
        source="D. M. Himmelblau (1972), Applied Nonlinear Programming, McGraw-Hill",
    )


def booth() -> Surface:
    """Give a stretched bowl whose minimum does not lie at 0."""
    return over_two_weights(
        "booth",
        lambda x, y: (x + 2.0 * y - 7.0) ** 2 + (2.0 * x + y - 5.0) ** 2,
        lambda x, y: (10.0 * x + 8.0 * y - 34.0, 8.0 * x + 10.0 * y - 38.0),
        lambda x, y: (10.0, 8.0, 10.0),
        minima=[(1.0, 3.0)],
        domain=((-10.0, 10.0), (-10.0, 10.0)),
        formula="(w₁ + 2·w₂ − 7)² + (2·w₁ + w₂ − 5)²",
        source=_SURVEY,
    )


def matyas() -> Surface:
    """Give a shallow ravine: its Hessian has the condition number 25."""
    return over_two_weights(
        "matyas",
        lambda x, y: 0.26 * (x**2 + y**2) - 0.48 * x * y,
        lambda x, y: (0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x),
        lambda x, y: (0.52, -0.48, 0.52),
        minima=[(0.0, 0.0)],
        domain=((-10.0, 10.0), (-10.0, 10.0)),
        formula="0.26·(w₁² + w₂²) − 0.48·w₁w₂",
        source=_SURVEY,
    )


def three_hump_camel() -> Surface:
    """Give one lowest valley between two that are not."""
    # On the line y = −x/2, where ∂f/∂y = 0, the rest is x⁴ − 4.2·x² + 3.5 = 0.
    x_side = math.sqrt(2.1 + math.sqrt(0.91))
    return over_two_weights(
        "three_hump_camel",
        lambda x, y: 2.0 * x**2 - 1.05 * x**4 + x**6 / 6.0 + x * y + y**2,
        lambda x, y: (4.0 * x - 4.2 * x**3 + x**5 + y, x + 2.0 * y),
        lambda x, y: (4.0 - 12.6 * x**2 + 5.0 * x**4, 1.0, 2.0),
        minima=[(0.0, 0.0)],
        lesser_minima=[(x_side, -x_side / 2.0), (-x_side, x_side / 2.0)],
        domain=((-2.2, 2.2), (-2.2, 2.2)),
        formula="2·w₁² − 1.05·w₁⁴ + w₁⁶/6 + w₁w₂ + w₂²",
        source=_SURVEY,
    )


def six_hump_camel() -> Surface:
    """Give six valleys, two of them the lowest."""
    return over_two_weights(
        "six_hump_camel",
        lambda x, y: (4.0 - 2.1 * x**2 + x**4 / 3.0) * x**2 + x * y + (4.0 * y**2 - 4.0) * y**2,
        lambda x, y: (8.0 * x - 8.4 * x**3 + 2.0 * x**5 + y, x - 8.0 * y + 16.0 * y**3),
        lambda x, y: (8.0 - 25.2 * x**2 + 10.0 * x**4, 1.0, 48.0 * y**2 - 8.0),
        minima=[(0.08984201310031807, -0.7126564030207396), (-0.08984201310031807, 0.7126564030207396)],
        lesser_minima=[
            (1.7036067149699805, -0.7960835686726251),
            (-1.7036067149699805, 0.7960835686726251),
            (1.6071047529201976, 0.5686514548841313),
            (-1.6071047529201976, -0.5686514548841313),
        ],
        domain=((-2.0, 2.0), (-1.1, 1.1)),
        formula="(4 − 2.1·w₁² + w₁⁴/3)·w₁² + w₁w₂ + (4·w₂² − 4)·w₂²",
        source="L. C. W. Dixon and G. P. Szegő (1978), Towards Global Optimisation 2, North-Holland",
    )


def styblinski_tang() -> Surface:
    """Give four valleys of three depths, each weight with a double well of its own."""
    # 4·x³ − 32·x + 5 = 0 has three real roots: Viète's formula again.
    scale = 2.0 * math.sqrt(8.0 / 3.0)
    angle = math.acos(-1.25 / (8.0 / 3.0) ** 1.5 / 2.0) / 3.0
    right, left = (scale * math.cos(angle - k * 2.0 * math.pi / 3.0) for k in (0, 2))
    return over_two_weights(
        "styblinski_tang",
        lambda x, y: 0.5 * (x**4 - 16.0 * x**2 + 5.0 * x + y**4 - 16.0 * y**2 + 5.0 * y),
        lambda x, y: (2.0 * x**3 - 16.0 * x + 2.5, 2.0 * y**3 - 16.0 * y + 2.5),
        lambda x, y: (6.0 * x**2 - 16.0, 0.0, 6.0 * y**2 - 16.0),
        minima=[(left, left)],
        lesser_minima=[(left, right), (right, left), (right, right)],
        domain=((-4.5, 4.5), (-4.5, 4.5)),
        formula="½(w₁⁴ − 16·w₁² + 5·w₁ + w₂⁴ − 16·w₂² + 5·w₂)",
        source="M. A. Styblinski and T.-S. Tang (1990), Neural Networks 3(4), 467-483",
    )


def rastrigin() -> Surface:
    """Give a wide bowl full of egg-box dents: nearly every walk ends in the wrong one."""
    turn, side = 2.0 * math.pi, 0.9949586376523348
    return over_two_weights(
        "rastrigin",
        lambda x, y: 20.0 + x**2 + y**2 - 10.0 * (np.cos(turn * x) + np.cos(turn * y)),
        lambda x, y: (2.0 * x + 10.0 * turn * np.sin(turn * x), 2.0 * y + 10.0 * turn * np.sin(turn * y)),
        lambda x, y: (2.0 + 10.0 * turn**2 * np.cos(turn * x), 0.0, 2.0 + 10.0 * turn**2 * np.cos(turn * y)),
        minima=[(0.0, 0.0)],
        lesser_minima=[
            (side, 0.0),
            (-side, 0.0),
            (0.0, side),
            (0.0, -side),
            (side, side),
            (side, -side),
            (-side, side),
            (-side, -side),
        ],
        domain=((-1.45, 1.45), (-1.45, 1.45)),
        formula="20 + w₁² + w₂² − 10·(cos 2πw₁ + cos 2πw₂)",
        source="L. A. Rastrigin (1974), Systems of Extremal Control, Nauka (in Russian)",
    )


def goldstein_price() -> Surface:
    """Give heights from 3 to a million in one window: a rate that suits the floor explodes on the walls."""

    # A product of two curves, A(s) and B(t), in turned coordinates; here each with its two derivatives.
    def curves(x: Array, y: Array) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
        s, t = x + y, 2.0 * x - 3.0 * y
        a = 1.0 + (s + 1.0) ** 2 * (19.0 - 14.0 * s + 3.0 * s**2)
        b = 30.0 + t**2 * (18.0 - 16.0 * t + 3.0 * t**2)
        return (
            (a, 12.0 * (s - 1.0) * (s + 1.0) * (s - 2.0), 12.0 * (3.0 * s**2 - 4.0 * s - 1.0)),
            (b, 12.0 * t * (t - 1.0) * (t - 3.0), 12.0 * (3.0 * t**2 - 8.0 * t + 3.0)),
        )

    def slopes(x: Array, y: Array) -> tuple[Array, Array]:
        (a, a1, _), (b, b1, _) = curves(x, y)
        return a1 * b + 2.0 * a * b1, a1 * b - 3.0 * a * b1

    def bends(x: Array, y: Array) -> tuple[Array, Array, Array]:
        (a, a1, a2), (b, b1, b2) = curves(x, y)
        return (
            a2 * b + 4.0 * a1 * b1 + 4.0 * a * b2,
            a2 * b - a1 * b1 - 6.0 * a * b2,
            a2 * b - 6.0 * a1 * b1 + 9.0 * a * b2,
        )

    return over_two_weights(
        "goldstein_price",
        lambda x, y: curves(x, y)[0][0] * curves(x, y)[1][0],
        slopes,
        bends,
        minima=[(0.0, -1.0)],
        lesser_minima=[(-0.6, -0.4), (1.8, 0.2), (1.2, 0.8)],
        domain=((-2.0, 2.0), (-2.0, 2.0)),
        formula="(1 + (s + 1)²·(19 − 14s + 3s²))·(30 + t²·(18 − 16t + 3t²)) with s = w₁ + w₂, t = 2w₁ − 3w₂",
        source="A. A. Goldstein and J. F. Price (1971), Math. Comp. 25(115), 569-574",
    )
