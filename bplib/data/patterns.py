"""Bits, words and curves: data sets with a known source or a known law."""

import numpy as np
from numpy.typing import NDArray

from bplib.checks import as_generator, as_number, as_size
from bplib.errors import DataError

__all__ = ["make_polynomial", "sparse_text", "symmetry"]

_BITS = 6


def symmetry() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return all 64 patterns of six bits: y is 1 where the pattern reads the same from both ends.

    Returns
    -------
    X : ndarray, shape (64, 6), float64, 0 or 1
        The binary numbers 0 ... 63 in order, the highest bit first.
    y : ndarray, shape (64,), int64, 0 or 1
        Eight patterns are symmetric.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Learning Representations by
    Back-propagating Errors, Nature 323, 533-536, Figure 1.

    Examples
    --------
    >>> X, y = symmetry()
    >>> X.shape, y.sum()
    ((64, 6), np.int64(8))
    """
    bits = np.arange(2**_BITS)[:, None] >> np.arange(_BITS)[::-1] & 1
    return bits.astype(np.float64), (bits == bits[:, ::-1]).all(axis=1).astype(np.int64)


def make_polynomial(
    n: int = 50,
    coefficients: tuple[float, ...] = (0.0, -1.0, 0.0, 2.0),
    *,
    noise: float = 0.1,
    rng: np.random.Generator | int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw points around a polynomial: y = c0 + c1 x + c2 x^2 + ... + noise * e, e standard normal.

    Parameters
    ----------
    n : int, at least 1
        Number of points.
    coefficients : sequence of float
        c0, c1, ..., the constant first.
    noise : float, at least 0
        Standard deviation of the points around the curve.
    rng : Generator or int, optional
        Draws x and e; seed 0 if left out.

    Returns
    -------
    X, y : ndarray, shape (n, 1), float64
        `X` is drawn evenly from [-1, 1).

    Raises
    ------
    DomainError
        For `n` below 1, a negative `noise`, or a number that is not finite.
    DataError
        If `n` is no whole number or another argument no number.

    Examples
    --------
    >>> X, y = make_polynomial(5, (1.0, 0.0, 3.0), noise=0.0)
    >>> np.allclose(y, 1 + 3 * X**2)
    True
    """
    count = as_size(n, "n", 1, "make_polynomial")
    if not isinstance(coefficients, (tuple, list, np.ndarray)) or getattr(coefficients, "ndim", 1) == 0:
        raise DataError(
            f"make_polynomial: coefficients is {coefficients!r}. Expected numbers, the constant first. Try (1.0, 3.0)."
        )
    c = [as_number(value, "a coefficient", "make_polynomial") for value in coefficients]
    spread, generator = as_number(noise, "noise", "make_polynomial", least=0), as_generator(rng, "make_polynomial")
    X = generator.uniform(-1.0, 1.0, size=(count, 1))
    curve = sum((value * X**power for power, value in enumerate(c)), np.zeros_like(X))
    return X, curve + spread * generator.standard_normal((count, 1))


def sparse_text(
    n: int = 400,
    n_words: int = 200,
    length: int = 20,
    *,
    noise: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw bags of words whose rare words tell the class, over both classes by Zipf's law.

    Word k has a frequency of about 1 / k. The common half of the words is drawn alike for both
    classes. Of the rare half, texts of class 0 use the words at odd places only, texts of class 1
    those at even places: each step of a method sees few of them. The array holds every 0 as well.

    Parameters
    ----------
    n : int, at least 2
        Number of texts; class 0 has the one more if `n` is odd.
    n_words : int, at least 4
        Size of the vocabulary; the most frequent word comes first.
    length : int, at least 1
        Words in a text, repetitions included.
    noise : float in [0, 1)
        Chance that a rare word is drawn for the other class.
    rng : Generator or int, optional
        Draws words and order; seed 0 if left out.

    Returns
    -------
    X : ndarray, shape (n, n_words), float64
        How often each word occurs in each text, mostly 0; each row adds up to `length`.
    y : ndarray, shape (n,), int64, 0 or 1
        The classes.

    Raises
    ------
    DomainError
        For a count that is too small, or `noise` outside [0, 1).
    DataError
        If a count is no whole number or `noise` no number.

    References
    ----------
    G. K. Zipf (1949), Human Behavior and the Principle of Least Effort. J. Duchi, E. Hazan and
    Y. Singer (2011), Adaptive Subgradient Methods, JMLR 12, 2121-2159, on rare features.

    Examples
    --------
    >>> X, y = sparse_text(10, n_words=50, length=8)
    >>> X.shape, X.sum(axis=1).max(), np.bincount(y)
    ((10, 50), np.float64(8.0), array([5, 5]))
    """
    vocabulary = as_size(n_words, "n_words", 4, "sparse_text", columns=2)
    count = as_size(n, "n", 2, "sparse_text", columns=vocabulary)
    words = as_size(length, "length", 1, "sparse_text")
    flip = as_number(noise, "noise", "sparse_text", least=0, below=1)
    generator = as_generator(rng, "sparse_text")
    y = generator.permutation(np.arange(count) % 2).astype(np.int64)
    frequency = 1.0 / np.arange(1, vocabulary + 1)
    rare = np.arange(vocabulary) >= vocabulary // 2
    chances = []
    for label in (0, 1):
        own = np.where(np.arange(vocabulary) % 2 == label, 1.0 - flip, flip)
        weights = frequency * np.where(rare, 2.0 * own, 1.0)
        chances.append(weights / weights.sum())
    X = generator.multinomial(words, np.array(chances)[y])
    return X.astype(np.float64), y
