"""Setting rows aside for testing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_generator, as_number, as_pair
from bplib.errors import DomainError, ShapeError

__all__ = ["count_test_rows", "train_test_split"]


def train_test_split(
    X: ArrayLike,
    y: ArrayLike,
    *,
    test_fraction: float = 0.25,
    stratify: bool | None = None,
    rng: np.random.Generator | int | None = None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Shuffle the rows and set a fraction of them aside for testing.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        One row per example.
    y : array_like, shape (n, ...)
        The target of each row.
    test_fraction : float in (0, 1)
        The test part has ``round(n * test_fraction)`` rows, at least 1 and at most n - 1.
    stratify : bool, optional
        Keep each class's share: its number of test rows is its size times `test_fraction`,
        rounded up or down. Left out, this happens when `y` holds class labels, that is, whole
        numbers of an integer type in shape (n,).
    rng : Generator or int, optional
        Decides the shuffle; seed 0 if left out.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Copies, in shuffled order.

    Raises
    ------
    DataError
        For text, objects, complex numbers or lists of unequal lengths.
    ShapeError
        If `X` and `y` differ in length, there are fewer than two rows, or the labels of a
        stratified split are no single column.
    DomainError
        For a fraction outside (0, 1), or a stratified split of a class with one row.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = train_test_split([[1], [2], [3], [4]], [0, 0, 1, 1], test_fraction=0.5)
    >>> X_test.shape, sorted(y_test.tolist())
    ((2, 1), [0, 1])
    """
    rows, targets = as_pair(X, y, "train_test_split")
    n_test = count_test_rows(len(rows), test_fraction, "train_test_split")
    order = as_generator(rng, "train_test_split").permutation(len(rows))
    if stratify is None:
        stratify = targets.ndim == 1 and targets.dtype.kind in "biu"
    if stratify:
        in_test = _stratified(order, targets, n_test)
    else:
        in_test = np.arange(len(rows)) < n_test
    test, train = order[in_test], order[~in_test]
    return rows[train], rows[test], targets[train], targets[test]


def count_test_rows(n: int, test_fraction: float, caller: str) -> int:
    """Return round(n * test_fraction), at least 1 and at most n - 1.

    Parameters
    ----------
    n : int
        Rows in all, at least 2.
    test_fraction : float in (0, 1)
        The share of the test part.
    caller : str
        How the message names the function.

    Returns
    -------
    int

    Raises
    ------
    ShapeError
        For fewer than two rows.
    DomainError
        For a fraction outside (0, 1).

    Examples
    --------
    >>> count_test_rows(1797, 0.25, "load_digits")
    449
    """
    fraction = as_number(test_fraction, "test_fraction", caller)
    if not 0 < fraction < 1:
        raise DomainError(
            f"{caller}: test_fraction is {test_fraction}. Expected a share between 0 and 1, both excluded. "
            f"Try test_fraction=0.25, a quarter of the rows."
        )
    if n < 2:
        raise ShapeError(f"{caller}: there is 1 row. Expected at least 2, one for each part. Use more data.")
    return min(max(round(n * fraction), 1), n - 1)


def _stratified(order: NDArray[np.intp], labels: NDArray[Any], n_test: int) -> NDArray[np.bool_]:
    """Mark the positions of `order` that go to the test part, class by class."""
    if labels.ndim != 1:
        raise ShapeError(
            f"train_test_split: y has shape {labels.shape}. A stratified split expects one class label per row, shape "
            f"({len(labels)},). Use stratify=False, or pass y[:, 0]."
        )
    classes, which, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if sizes.min() < 2:
        raise DomainError(
            f"train_test_split: the class {classes[sizes.argmin()]} has 1 row. A stratified split expects at least 2 "
            f"rows of each class, one for each part. Use stratify=False, or leave that class out."
        )
    quota = _shares(sizes, n_test)
    in_test = np.zeros(len(order), dtype=bool)
    for number, share in enumerate(quota):
        in_test[np.flatnonzero(which[order] == number)[:share]] = True
    return in_test


def _shares(sizes: NDArray[np.intp], n_test: int) -> NDArray[np.intp]:
    """Divide n_test among classes in proportion to their sizes, by largest remainder."""
    whole, remainder = np.divmod(sizes * n_test, sizes.sum())
    left_over = n_test - int(whole.sum())
    # Largest remainder first, but a class that would lose its last training row comes last; ties to the lower class.
    first = np.lexsort((-remainder, whole + 1 >= sizes))
    whole[first[:left_over]] += 1
    return whole
