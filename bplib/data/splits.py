"""Setting rows aside for testing."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_generator, as_number, as_pair, as_truth
from bplib.errors import DomainError, ShapeError

__all__ = ["block_split", "count_test_rows", "train_test_split", "train_valid_test_split"]


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
    labels = _labels(targets, stratify, 2, "train_test_split")
    train, test = _divide(order, labels, n_test)
    return rows[train], rows[test], targets[train], targets[test]


def train_valid_test_split(
    X: ArrayLike,
    y: ArrayLike,
    *,
    valid_fraction: float = 0.2,
    test_fraction: float = 0.2,
    stratify: bool | None = None,
    rng: np.random.Generator | int | None = None,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Shuffle the rows and set two parts aside: one to choose settings by, one to look at once, at the end.

    A figure for the test part is fair only if no choice was made by looking at it. Fit a `Standardizer` on the
    training part alone; otherwise the other two leak into it.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        One row per example.
    y : array_like, shape (n, ...)
        The target of each row.
    valid_fraction, test_fraction : float in (0, 1)
        Shares of all n rows; together below 1. Each part has at least 1 row.
    stratify : bool, optional
        As in `train_test_split`.
    rng : Generator or int, optional
        Decides the shuffle; seed 0 if left out.

    Returns
    -------
    X_train, X_valid, X_test, y_train, y_valid, y_test : ndarray
        Copies, in shuffled order.

    Raises
    ------
    DataError, ShapeError, DomainError
        As in `train_test_split`; also if the two shares leave nothing to learn from, or a stratified split meets a
        class with fewer than three rows.

    Examples
    --------
    >>> parts = train_valid_test_split(range(10), range(10), stratify=False)
    >>> [len(part) for part in parts]
    [6, 2, 2, 6, 2, 2]
    """
    caller = "train_valid_test_split"
    shares = [
        _as_share(value, name, caller)
        for name, value in (("valid_fraction", valid_fraction), ("test_fraction", test_fraction))
    ]
    if sum(shares) >= 1:
        raise DomainError(
            f"{caller}: valid_fraction is {valid_fraction} and test_fraction is {test_fraction}. Expected shares that "
            "are together below 1, so that rows are left to learn from. Try 0.2 for each."
        )
    rows, targets = as_pair(X, y, caller)
    if len(rows) < 3:
        raise ShapeError(f"{caller}: X has {len(rows)} rows. Expected at least 3, one for each part. Use more data.")
    order = as_generator(rng, caller).permutation(len(rows))
    labels = _labels(targets, stratify, 3, caller)
    n_test = min(max(round(len(rows) * shares[1]), 1), len(rows) - 2)
    n_valid = min(max(round(len(rows) * shares[0]), 1), len(rows) - n_test - 1)
    rest, test = _divide(order, labels, n_test)
    train, valid = _divide(rest, labels, n_valid)
    return rows[train], rows[valid], rows[test], targets[train], targets[valid], targets[test]


def block_split(
    X: ArrayLike, y: ArrayLike, *, test_fraction: float = 0.25
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Set the last rows aside for testing, without shuffling.

    For rows whose neighbours resemble each other: pages in one hand, days after each other. A shuffled split puts
    such neighbours on both sides, and the test then rewards remembering.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        One row per example.
    y : array_like, shape (n, ...)
        The target of each row.
    test_fraction : float in (0, 1)
        The test part has ``round(n * test_fraction)`` rows, at least 1 and at most n - 1.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        Copies, in the order of the rows.

    Raises
    ------
    DataError, ShapeError, DomainError
        As in `train_test_split`.

    Examples
    --------
    >>> X_train, X_test, y_train, y_test = block_split([[1], [2], [3], [4]], [0, 0, 1, 1])
    >>> X_test.tolist()
    [[4]]
    """
    rows, targets = as_pair(X, y, "block_split")
    n_train = len(rows) - count_test_rows(len(rows), test_fraction, "block_split")
    return rows[:n_train].copy(), rows[n_train:].copy(), targets[:n_train].copy(), targets[n_train:].copy()


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
    fraction = _as_share(test_fraction, "test_fraction", caller)
    if n < 2:
        raise ShapeError(f"{caller}: there is 1 row. Expected at least 2, one for each part. Use more data.")
    return min(max(round(n * fraction), 1), n - 1)


def _as_share(value: float, name: str, caller: str) -> float:
    share = as_number(value, name, caller)
    if not 0 < share < 1:
        raise DomainError(
            f"{caller}: {name} is {value}. Expected a share between 0 and 1, both excluded. "
            f"Try {name}=0.25, a quarter of the rows."
        )
    return share


def _labels(targets: NDArray[Any], stratify: bool | None, parts: int, caller: str) -> NDArray[np.intp] | None:
    """Give the number of each row's class if the split is stratified, with enough rows of each for all parts."""
    if stratify is None:
        stratify = targets.ndim == 1 and targets.dtype.kind in "biu"
    if not as_truth(stratify, "stratify", caller):
        return None
    if targets.ndim != 1:
        raise ShapeError(
            f"{caller}: y has shape {targets.shape}. A stratified split expects one class label per row, shape "
            f"({len(targets)},). Use stratify=False, or pass y[:, 0]."
        )
    classes, labels, sizes = np.unique(targets, return_inverse=True, return_counts=True)
    if sizes.min() < parts:
        smallest = sizes.argmin()
        raise DomainError(
            f"{caller}: the class {classes[smallest]} has {sizes[smallest]} row{'s'[: sizes[smallest] - 1]}. A "
            f"stratified split expects at least {parts} rows of each class, one for each part. Use stratify=False, or "
            "leave that class out."
        )
    return labels


def _divide(
    order: NDArray[np.intp], labels: NDArray[np.intp] | None, n_test: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Take `n_test` rows from the front of `order`, or from the front of each class by its share."""
    in_test = np.arange(len(order)) < n_test
    if labels is not None:
        found = labels[order]
        in_test[:] = False
        for label, share in enumerate(_shares(np.bincount(found), n_test)):
            in_test[np.flatnonzero(found == label)[:share]] = True
    return order[~in_test], order[in_test]


def _shares(sizes: NDArray[np.intp], n_test: int) -> NDArray[np.intp]:
    """Divide n_test among classes in proportion to their sizes, by largest remainder."""
    whole, remainder = np.divmod(sizes * n_test, sizes.sum())
    left_over = n_test - int(whole.sum())
    # Largest remainder first, but a class that would lose its last training row comes last; ties to the lower class.
    first = np.lexsort((-remainder, whole + 1 >= sizes))
    whole[first[:left_over]] += 1
    return whole
