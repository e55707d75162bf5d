"""Mistakes about the Python, the NumPy and the derivatives that the first notebook needs."""

from collections.abc import Sequence

import numpy as np

from bplib.lessons.faults.fault import Fault

__all__ = ["MEAN_OF_SQUARES_FAULTS", "derivative_faults", "matrix_product_faults"]


def _squares(numbers: Sequence[float]) -> list[float]:
    return [number * number for number in numbers]


MEAN_OF_SQUARES_FAULTS: tuple[Fault, ...] = (
    Fault(
        "sum-for-mean",
        lambda numbers: sum(_squares(numbers)),
        "Your function returns the sum of the squares. For the mean, divide it by how many numbers there are.",
    ),
    Fault(
        "list-of-squares",
        _squares,
        "Your function returns all the squares, not their mean. Add them up, and divide by `len(numbers)`.",
    ),
    Fault(
        "square-of-the-mean",
        lambda numbers: (sum(numbers) / len(numbers)) ** 2,
        "Your function takes the mean first, then squares it. Square each number first.",
    ),
    Fault(
        "square-of-the-sum",
        lambda numbers: sum(numbers) ** 2 / len(numbers),
        "Your function adds the numbers first and squares their sum. Square each number first, then add.",
    ),
    Fault(
        "one-too-few",
        lambda numbers: sum(_squares(numbers)) / (len(numbers) - 1),
        "Your function divides by one less than the number of numbers. Divide by `len(numbers)`.",
    ),
    Fault(
        "always-three",
        lambda numbers: sum(_squares(numbers)) / 3,
        "Your function always divides by 3. The number of numbers can change: `len(numbers)` counts them.",
    ),
    Fault(
        "returned-inside-the-loop",
        lambda numbers: numbers[0] ** 2 / len(numbers),
        "Your function looks at the first number only. Does `return` stand inside the loop? It ends the function "
        "at once. Move it to the left, so that it comes after the loop.",
    ),
    Fault(
        "first-square",
        lambda numbers: numbers[0] ** 2,
        "Your function returns the square of the first number. Does `return` stand inside the loop? It ends the "
        "function at once. Add up the squares first, and return after the loop.",
    ),
    Fault(
        "total-overwritten",
        lambda numbers: numbers[-1] ** 2 / len(numbers),
        "Only the last number counts. Each turn of the loop writes over the total: add to it instead, "
        "`total = total + number ** 2`.",
    ),
    Fault(
        "mean-of-sizes",
        lambda numbers: sum(abs(number) for number in numbers) / len(numbers),
        "Your function returns the mean of the sizes, without the sign and without squares. "
        "Square each number: `number ** 2`.",
    ),
    Fault(
        "squares-forgotten",
        lambda numbers: sum(numbers) / len(numbers),
        "Your function returns the mean of the numbers themselves. Square each one: `number ** 2`.",
    ),
    Fault(
        "doubled",
        lambda numbers: 2 * sum(numbers) / len(numbers),
        "Your function doubles each number. To square is to multiply a number by itself: `number ** 2`.",
    ),
    Fault(
        "root-of-the-mean",
        lambda numbers: float(np.sqrt(sum(_squares(numbers)) / len(numbers))),
        "Your function also takes the square root. Return the mean of the squares as it is.",
    ),
    Fault(
        "whole-numbers-only",
        lambda numbers: sum(_squares(numbers)) // len(numbers),
        "Your function divides with `//`, which drops what comes after the point. Divide with `/`.",
    ),
)
"""Wrong ways to write the mean of the squares of some numbers."""


def matrix_product_faults(X: np.ndarray, w: np.ndarray) -> tuple[Fault, ...]:
    """Wrong ways to find the second number of X @ w.

    Parameters
    ----------
    X : numpy.ndarray, shape (2, 2)
    w : numpy.ndarray, shape (2,)

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [int(fault.make()) for fault in matrix_product_faults(np.array([[1, 2], [3, 4]]), np.array([10, 1]))]
    [12, 46, 24, 13, 43, 30, 4, 120, 77, 7]
    """
    return (*_wrong_rows(X, w), *_wrong_sums(X[1], w))


def _wrong_rows(X: np.ndarray, w: np.ndarray) -> tuple[Fault, ...]:
    return (
        Fault(
            "first-number",
            lambda: (X @ w)[0],
            "That is the first number: it comes from the first row of X. The second one comes from the second row.",
        ),
        Fault(
            "both-rows-added",
            lambda: (X @ w).sum(),
            "That adds the products of both rows. `X @ w` has one number for each row; the second one is asked for.",
        ),
        Fault(
            "second-column",
            lambda: (w @ X)[1],
            "That takes the second column of X. Take its second row: a row goes from left to right.",
        ),
        Fault(
            "first-column",
            lambda: (w @ X)[0],
            "That takes the first column of X. Take its second row: a row goes from left to right.",
        ),
        Fault(
            "w-upside-down",
            lambda: X[1] @ w[::-1],
            "That is the right row, but w is upside down. The first number of the row goes with the first number of w.",
        ),
    )


def _wrong_sums(row: np.ndarray, w: np.ndarray) -> tuple[Fault, ...]:
    one, two = row * w
    return (
        Fault(
            "first-product-alone",
            lambda: one,
            f"That is the first product alone, {row[0]} · {w[0]}. Add the second one: `@` adds the products of a row.",
        ),
        Fault(
            "second-product-alone",
            lambda: two,
            f"That is the second product alone, {row[1]} · {w[1]}. Add the first one: `@` adds the products of a row.",
        ),
        Fault(
            "products-multiplied",
            lambda: one * two,
            "That multiplies the two products with each other. Add them.",
        ),
        Fault(
            "sums-multiplied",
            lambda: row.sum() * w.sum(),
            "That adds first, then multiplies. Multiply first, number by number, then add.",
        ),
        Fault(
            "w-forgotten",
            lambda: row.sum(),
            "That adds the numbers of the row, without w. Multiply each by its number of w first.",
        ),
    )


def derivative_faults(w: float, shift: float, w_above: float = 5.0) -> tuple[Fault, ...]:
    """Wrong ways to find the derivative of (w − shift)², which is 2 (w − shift).

    Parameters
    ----------
    w : float
        Where the derivative is asked for.
    shift : float
        Where the loss is smallest.
    w_above : float
        Where the text above takes the derivative of w², as an example.

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [fault.make() for fault in derivative_faults(5.5, 3.0)]
    [2.5, 6.25, -5.0, 11.0, 8.0, 12.5, 1.25, 2.0, 3.0, 10.0]
    """
    return (*_wrong_rules(w, shift), *_wrong_derivatives(w, shift, w_above))


def _wrong_rules(w: float, shift: float) -> tuple[Fault, ...]:
    distance = w - shift
    return (
        Fault(
            "factor-forgotten",
            lambda: distance,
            f"That is w − {shift:g}. The 2 from the square is missing: the derivative of w² is 2w, not w.",
        ),
        Fault(
            "loss-itself",
            lambda: distance**2,
            "That is the loss itself. The derivative says how fast the loss grows.",
        ),
        Fault(
            "sign-flipped",
            lambda: -2 * distance,
            f"The number is right, its sign is not. At w = {w:g} the loss grows when w grows, "
            "so the derivative is above 0.",
            "M3",
        ),
        Fault(
            "shift-forgotten",
            lambda: 2 * w,
            f"That is 2w, the derivative of w². Here it is (w − {shift:g})².",
        ),
        Fault(
            "shift-not-doubled",
            lambda: 2 * w - shift,
            f"That is 2w − {shift:g}. The 2 multiplies the whole bracket: 2(w − {shift:g}).",
        ),
    )


def _wrong_derivatives(w: float, shift: float, w_above: float) -> tuple[Fault, ...]:
    distance = w - shift
    return (
        Fault(
            "square-kept",
            lambda: 2 * distance**2,
            f"That is 2(w − {shift:g})². The 2 comes down, and the square goes: the derivative of w² is 2w.",
        ),
        Fault(
            "divided-by-two",
            lambda: distance / 2,
            f"That divides w − {shift:g} by 2. The 2 from the square multiplies.",
        ),
        Fault(
            "derived-twice",
            lambda: 2.0,
            f"That is the 2 alone. The derivative is 2 times the bracket, w − {shift:g}.",
        ),
        Fault(
            "where-the-loss-is-smallest",
            lambda: shift,
            f"That is the w at which the loss is smallest. The derivative at w = {w:g} is asked for.",
            "M2",
        ),
        Fault(
            "example-above",
            lambda: 2 * w_above,
            f"That is 2 · {w_above:g}, from the example above. Here the loss is (w − {shift:g})², and w is {w:g}.",
        ),
    )
