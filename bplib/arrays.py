"""Numbers in, float arrays out, and a clear word for everything that is not numbers."""

from typing import Any

import numpy as np

from bplib.errors import DataError, DomainError

__all__ = ["as_array"]


def as_array(data: Any, dtype: Any = None, *, copy: bool = False) -> np.ndarray:
    """Turn numbers into an array of float64 or float32.

    Parameters
    ----------
    data : array_like of real numbers
        float32 and float64 stay, everything else becomes float64.
    dtype : numpy.float32 or numpy.float64, optional
        The type wanted.
    copy : bool
        Whether the result must not share memory with `data`.

    Returns
    -------
    numpy.ndarray
        Of the data's shape.

    Raises
    ------
    DataError
        If `data` is ragged, or holds text, objects or complex numbers.
    DomainError
        If `dtype` is no type the library computes with.

    Examples
    --------
    >>> as_array([1, 2])
    array([1., 2.])
    """
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise DataError(
            "The data is a ragged list: its rows have different lengths. Expected a rectangle of numbers. "
            "Pad the rows, or make one tensor for each."
        ) from error
    if array.dtype.kind not in "fiub":
        kind = {"c": "complex numbers", "U": "text", "S": "text", "O": "objects"}.get(array.dtype.kind, "no numbers")
        raise DataError(
            f"tensor: the data holds {kind} (dtype {array.dtype}). Expected real numbers. "
            "Try float(...) for text, or check for None and for rows of different lengths."
        )
    wanted = _float_type(array.dtype, dtype)
    if copy:
        return np.array(array, dtype=wanted, order="C")
    return array if array.dtype == wanted else array.astype(wanted)


def _float_type(found: np.dtype, asked: Any) -> np.dtype:
    if asked is None:
        return found if found in (np.float32, np.float64) else np.dtype(np.float64)
    wanted = np.dtype(asked)
    if wanted not in (np.float32, np.float64):
        raise DomainError(f"tensor: dtype {wanted} has no gradients here. Expected numpy.float64 or numpy.float32.")
    return wanted
