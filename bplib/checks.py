"""Checks of what a caller hands over: numbers, counts, rates and seeds, or a sentence on what is wrong."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bplib.errors import DataError, DomainError, ShapeError

__all__ = ["as_array", "as_count", "as_floats", "as_generator", "as_number", "as_pair", "as_size", "as_truth"]

_KINDS = {"U": "text", "S": "text", "c": "complex numbers", "O": "objects", "M": "dates", "m": "durations"}


_MOST = 10**8  # 0.8 GB; beyond it the memory ends in the middle of the work, and on some systems the notebook with it


def as_array(values: ArrayLike, name: str, caller: str) -> NDArray[Any]:
    """Return `values` as an array of real numbers.

    Parameters
    ----------
    values : array_like
        Numbers or truth values, any shape.
    name, caller : str
        How the message names the argument and the function.

    Returns
    -------
    ndarray
        The same array if it was one; its dtype is kept.

    Raises
    ------
    DataError
        For lists of unequal lengths, text, complex numbers or objects.

    Examples
    --------
    >>> as_array([1, 2, 3], "y", "DataLoader")
    array([1, 2, 3])
    """
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's word for it is "inhomogeneous shape"
        raise DataError(
            f"{caller}: {name} is a list whose rows have unequal lengths{_lengths(values)}. Expected rows of one "
            f"length, as in a table. Look for a value that is missing or one too many."
        ) from None
    mask = getattr(values, "mask", None) if isinstance(values, np.ndarray) else None
    hidden = np.count_nonzero(mask) if isinstance(mask, np.ndarray) else 0
    if hidden:
        raise DataError(
            f"{caller}: {name} is a masked array that hides {hidden} of its {array.size} values. The library would "
            f"compute with what lies under the mask. Try {name}.filled(0.0), or leave those examples out."
        )
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{caller}: {name} holds {_KINDS.get(array.dtype.kind, 'no numbers')} (dtype {array.dtype}). Expected "
            f"real numbers. Turn them into numbers first, for example with np.array({name}, dtype=float)."
        )
    return array


def as_floats(data: Any, dtype: Any = None, *, copy: bool = False) -> NDArray[Any]:
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
    >>> as_floats([1, 2])
    array([1., 2.])
    """
    array = as_array(data, "data", "tensor")
    wanted = _float_type(array.dtype, dtype)
    if copy:
        return np.array(array, dtype=wanted, order="C")
    return array if array.dtype == wanted else array.astype(wanted)


def as_pair(X: ArrayLike, y: ArrayLike, caller: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return `X` and `y` as arrays with one row per example.

    Parameters
    ----------
    X, y : array_like, shape (n, ...)
        Inputs and targets.
    caller : str
        How the message names the function.

    Returns
    -------
    X, y : ndarray

    Raises
    ------
    DataError
        If one of them does not hold real numbers.
    ShapeError
        If their numbers of rows differ, or there is no row.

    Examples
    --------
    >>> as_pair([[1, 2]], [3, 4], "DataLoader")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    bplib.errors.ShapeError: DataLoader: X has 1 row, y has 2. Expected one target for each row. ...
    """
    rows, targets = as_array(X, "X", caller), as_array(y, "y", caller)
    for name, array in (("X", rows), ("y", targets)):
        if array.ndim == 0:
            raise ShapeError(f"{caller}: {name} is the single number {array}. Expected one row for each example.")
    if len(rows) != len(targets):
        raise ShapeError(
            f"{caller}: X has {_rows(len(rows))}, y has {len(targets)}. Expected one target for each row. "
            f"X has shape {rows.shape}, y has shape {targets.shape}: check that both come from the same split."
        )
    if not len(rows):
        raise ShapeError(f"{caller}: X and y have no rows. Expected at least one. Check how they were selected.")
    return rows, targets


def as_count(value: Any, name: str, least: int, caller: str) -> int:
    """Return `value` as an int of at least `least`.

    Parameters
    ----------
    value : int
        The number to check.
    name : str
        How the message names it.
    least : int
        The smallest number allowed.
    caller : str
        How the message names the function.

    Returns
    -------
    int

    Raises
    ------
    DataError
        If it is no whole number.
    DomainError
        If it is too small.

    Examples
    --------
    >>> as_count(32, "batch_size", 1, "DataLoader")
    32
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise DataError(f"{caller}: {name} is {value!r}. Expected a whole number, for example {name}={max(least, 32)}.")
    if value < least:
        shown = value if value > -(10**18) else "below −10¹⁸"  # Python refuses to write very long numbers
        raise DomainError(
            f"{caller}: {name} is {shown}. Expected a whole number of at least {least}. Try {name}={max(least, 32)}."
        )
    return int(value)


def as_size(value: int, name: str, least: int, caller: str, *, columns: int = 1) -> int:
    """Return a count of rows whose table still fits into memory.

    Parameters
    ----------
    value : int
        The number to check.
    name, caller : str
        How the message names it and the function.
    least : int
        The smallest number allowed.
    columns : int
        Numbers in a row; all rows together may hold 100 million.

    Returns
    -------
    int

    Raises
    ------
    DataError
        If it is no whole number.
    DomainError
        If it is too small, or too large.

    Examples
    --------
    >>> as_size(200, "n", 2, "make_moons", columns=2)
    200
    """
    size = as_count(value, name, least, caller)
    if size > _MOST // columns:
        raise DomainError(
            f"{caller}: {name} is more than {_MOST // columns:,}. Expected at most that, so that the numbers fit into "
            f"memory. Try {name}=1000."
        )
    return size


def as_truth(value: bool, name: str, caller: str) -> bool:
    """Return `value` if it is a truth value; the text "False" would count as yes.

    Parameters
    ----------
    value : bool
        The value to check.
    name, caller : str
        How the message names it and the function.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If it is anything else.

    Examples
    --------
    >>> as_truth(True, "shuffle", "DataLoader")
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise DataError(f"{caller}: {name} is {value!r}. Expected True or False. Try {name}=True.")
    return bool(value)


def as_number(value: Any, name: str, caller: str, least: float = -np.inf, below: float = np.inf) -> float:
    """Return `value` as a finite float of at least `least`, and less than `below`.

    Parameters
    ----------
    value : float
        The number to check.
    name, caller : str
        How the message names it and the function.
    least : float
        The smallest number allowed.
    below : float
        The smallest number that is too large.

    Returns
    -------
    float

    Raises
    ------
    DataError
        If it is no real number.
    DomainError
        If it is not finite or too small.

    Examples
    --------
    >>> as_number(1, "noise", "make_line", least=0)
    1.0
    """
    example = f"{name}={0.1 if least <= 0.1 else least:g}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise DataError(f"{caller}: {name} is {value!r}. Expected one number, for example {example}.")
    try:
        number = float(value)
    except OverflowError:  # an int beyond every float, which NumPy's isfinite does not take
        number = math.inf if value > 0 else -math.inf
    if not (math.isfinite(number) and least <= number < below):
        allowed = "a finite number" + (f" of at least {least:g}" if least > -np.inf else "")
        if below < np.inf:
            allowed = f"a number in [{least:g}, {below:g})"
        shown = value if math.isfinite(number) else number
        raise DomainError(f"{caller}: {name} is {shown}. Expected {allowed}. Try {example}.")
    return number


def as_generator(rng: np.random.Generator | int | None, caller: str) -> np.random.Generator:
    """Return the generator itself, or a new one from a seed; None is seed 0.

    Parameters
    ----------
    rng : Generator, int or None
        A generator is used as it stands and moves on.
    caller : str
        How the message names the function.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    DataError
        If it is neither.
    DomainError
        For a negative seed.

    Examples
    --------
    >>> as_generator(7, "make_line").integers(10, size=3).tolist()
    [9, 6, 6]
    """
    if isinstance(rng, np.random.Generator):
        return rng
    seed = 0 if rng is None else rng
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, int | np.integer):
        raise DataError(
            f"{caller}: rng is of type {type(rng).__name__}. Expected a whole-number seed or a NumPy generator. "
            f"Try rng=0 or rng=np.random.default_rng(0)."
        )
    if seed < 0:
        raise DomainError(f"{caller}: rng is {seed}. Expected a seed of at least 0. Try rng={-seed}.")
    return np.random.default_rng(int(seed))


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n} rows"


def _lengths(values: Any) -> str:
    """Name two lengths that differ, where they can be found on the first level."""
    try:
        lengths = sorted({len(row) for row in values})
    except TypeError:
        return ""
    return f" ({lengths[0]} and {lengths[-1]})" if len(lengths) > 1 else ""


def _float_type(found: np.dtype[Any], asked: Any) -> np.dtype[Any]:
    if asked is None:
        return found if found in (np.float32, np.float64) else np.dtype(np.float64)
    try:
        wanted = np.dtype(asked)
    except TypeError:
        wanted = asked
    if wanted not in (np.float32, np.float64):
        raise DomainError(f"tensor: dtype {wanted} has no gradients here. Expected numpy.float64 or numpy.float32.")
    return wanted
