"""Counting which class was taken for which."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array, as_count
from bplib.errors import DataError, DomainError, ShapeError

__all__ = ["confusion_counts"]

_MOST = 10_000  # classes; the table of 10,000 x 10,000 counts takes 0.8 GB


def confusion_counts(truth: ArrayLike, prediction: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """Count how often class i was taken for class j: C[i, j] = #{k : truth[k] = i, prediction[k] = j}.

    The diagonal holds what is right, so the accuracy is ``C.trace() / C.sum()``.

    Parameters
    ----------
    truth, prediction : array_like, shape (n,), whole numbers from 0 to n_classes - 1
        The class that is there, and the class the model says.
    n_classes : int, at least 1, optional
        Left out, one more than the highest class that occurs.

    Returns
    -------
    ndarray, shape (n_classes, n_classes), int64
        One row for each true class, one column for each predicted class.

    Raises
    ------
    DataError
        For labels that are no whole numbers.
    ShapeError
        If the two differ in length, are empty, or have more than one axis (for example logits).
    DomainError
        For a label outside 0 ... n_classes - 1, or more than 10,000 classes.

    Examples
    --------
    >>> confusion_counts([0, 0, 1, 1], [0, 1, 1, 1])
    array([[1, 1],
           [0, 2]])
    """
    rows, columns = _labels(truth, "truth"), _labels(prediction, "prediction")
    if len(rows) != len(columns) or not len(rows):
        raise ShapeError(
            f"confusion_counts: truth has {len(rows)} labels, prediction has {len(columns)}. Expected the same number "
            f"of both, at least one. Check that both belong to the same part of the data."
        )
    highest = int(max(rows.max(), columns.max()))
    k = highest + 1 if n_classes is None else as_count(n_classes, "n_classes", 1, "confusion_counts")
    if highest >= k or min(rows.min(), columns.min()) < 0:
        wrong = highest if highest >= k else int(min(rows.min(), columns.min()))
        raise DomainError(
            f"confusion_counts: the label {wrong} occurs. Expected whole numbers from 0 to {k - 1}, because n_classes "
            f"is {k}. Raise n_classes, or number the classes from 0."
        )
    if k > _MOST:
        raise DomainError(
            f"confusion_counts: n_classes is more than {_MOST:,}. Expected at most that, so that the table fits into "
            "memory. Number the classes 0, 1, 2, ... without gaps."
        )
    return np.bincount(rows * k + columns, minlength=k * k).reshape(k, k)


def _labels(values: ArrayLike, name: str) -> NDArray[np.int64]:
    """Return a row of whole numbers as int64."""
    labels = as_array(values, name, "confusion_counts")
    if labels.ndim != 1:
        raise ShapeError(
            f"confusion_counts: {name} has shape {labels.shape}. Expected one class per example, shape (n,). Logits or "
            f"probabilities become classes with {name}.argmax(axis=1)."
        )
    broken = labels[~(np.isfinite(labels) & (labels == np.floor(labels)))]
    if len(broken):
        raise DataError(
            f"confusion_counts: {name} holds {broken[0]}, which is no whole number. Expected classes 0, 1, 2, ... "
            f"Logits or probabilities become classes with argmax."
        )
    # A float or an unsigned number far beyond every allowed class has no place in int64.
    return np.clip(labels.astype(np.float64), -(2.0**53), 2.0**53).astype(np.int64)
