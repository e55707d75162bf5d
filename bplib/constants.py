"""Arrays that are full of one number, made once and used often."""

from functools import lru_cache

import numpy as np

__all__ = ["constant"]


@lru_cache(maxsize=256)
def constant(value: float, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Give a read-only array full of one number: NumPy takes as long to convert a Python number as to use it.

    Parameters
    ----------
    value : float
        The number.
    shape : tuple of int
        () for an operand that goes with every shape.
    dtype : numpy.dtype
        The type of what it is used with.

    Examples
    --------
    >>> constant(1.0, (3,), np.dtype(float))
    array([1., 1., 1.])
    """
    array = np.full(shape, value, dtype)
    array.setflags(write=False)
    return array
