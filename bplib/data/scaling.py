"""Scaling the features."""

from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array
from bplib.errors import DomainError, ShapeError

__all__ = ["Standardizer"]


@final
class Standardizer:
    """Shift and scale each feature to mean 0 and standard deviation 1: z = (x - mean) / scale.

    Fit it on the training part only and use the same numbers for the test part: a mean that
    has seen the test part has leaked from it. A feature that never changes in the training
    part has no spread to divide by; its scale is set to 1, so that it becomes 0.

    Attributes
    ----------
    mean, scale : ndarray, shape (features,), float64
        What `fit` measured; None before.

    Examples
    --------
    >>> scaler = Standardizer().fit([[1.0, 5.0], [3.0, 5.0]])
    >>> scaler.transform([[1.0, 5.0], [3.0, 5.0], [5.0, 6.0]])
    array([[-1.,  0.],
           [ 1.,  0.],
           [ 3.,  1.]])
    """

    def __init__(self) -> None:
        self.mean: NDArray[np.float64] | None = None
        self.scale: NDArray[np.float64] | None = None

    def fit(self, X: ArrayLike) -> "Standardizer":
        """Measure mean and standard deviation (divisor n) of each column.

        Parameters
        ----------
        X : array_like, shape (n, features)
            The training part.

        Returns
        -------
        Standardizer
            Itself, so that ``Standardizer().fit(X_train)`` is one line.

        Raises
        ------
        DataError, ShapeError
            For anything but a table of real numbers with at least one row and column.
        DomainError
            For values that are not finite, or too large to add up.
        """
        table = self._table(X, "fit").astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = _measure(table)
        if not (np.isfinite(mean).all() and np.isfinite(scale).all()):
            raise DomainError(
                f"Standardizer.fit: X has {np.count_nonzero(~np.isfinite(table))} values that are not finite (NaN or "
                f"infinity), or values too large to add up. Expected finite numbers. Look at X[~np.isfinite(X)]."
            )
        self.mean, self.scale = mean, scale
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return (X - mean) / scale.

        Parameters
        ----------
        X : array_like, shape (n, features)
            Any part, with the columns of the training part.

        Returns
        -------
        ndarray, shape (n, features)

        Raises
        ------
        DomainError
            Before `fit`.
        DataError, ShapeError
            For anything but a table with the columns of the training part.
        """
        mean, scale = self._fitted("transform")
        return (self._table(X, "transform", len(mean)) - mean) / scale

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return X * scale + mean: the way back to the original units.

        Parameters
        ----------
        X : array_like, shape (n, features)
            Standardized values.

        Returns
        -------
        ndarray, shape (n, features)

        Raises
        ------
        DomainError
            Before `fit`.
        DataError, ShapeError
            For anything but a table with the columns of the training part.
        """
        mean, scale = self._fitted("inverse_transform")
        return self._table(X, "inverse_transform", len(mean)) * scale + mean

    def __repr__(self) -> str:
        return "Standardizer(not fitted)" if self.mean is None else f"Standardizer(fitted on {len(self.mean)} features)"

    def _fitted(self, method: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.mean is None or self.scale is None:
            raise DomainError(
                f"Standardizer.{method}: no mean and scale yet. Expected a Standardizer that has seen training data, "
                f"got a new one. Call .fit(X_train) first."
            )
        return self.mean, self.scale

    @staticmethod
    def _table(X: ArrayLike, method: str, features: int | None = None) -> NDArray[Any]:
        table = as_array(X, "X", f"Standardizer.{method}")
        if table.ndim != 2 or not table.size:
            raise ShapeError(
                f"Standardizer.{method}: X has shape {table.shape}. Expected one row per example and one column per "
                f"feature, (n, features). A single feature can be turned with X.reshape(-1, 1)."
            )
        if features is not None and table.shape[1] != features:
            raise ShapeError(
                f"Standardizer.{method}: X has {table.shape[1]} features. Expected {features}, as in the training "
                f"data. Give both parts the same columns."
            )
        return table


def _measure(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and scale of each column; a constant column has itself as mean and scale 1."""
    low, high = table.min(axis=0), table.max(axis=0)
    # Rounding can put the mean of equal numbers beside them, so "constant" is asked of min and max.
    constant = low == high
    mean = np.where(constant, low, table.mean(axis=0))
    deviation = table - mean
    # Dividing by the widest deviation first keeps the squares from over- and underflowing.
    widest = np.where(constant, 1.0, np.abs(deviation).max(axis=0))
    scale = widest * np.sqrt(((deviation / widest) ** 2).mean(axis=0))
    return mean, np.where(constant, 1.0, scale)
