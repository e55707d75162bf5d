"""The bundled handwritten digits."""

import hashlib
import io
import json
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bplib.checks import as_generator
from bplib.data.splits import block_split, count_test_rows, train_test_split
from bplib.errors import DataError, DomainError

__all__ = ["Digits", "load_digits"]

_INKED = 16.0  # a pixel counts the inked dots of a 4 x 4 block
_REPAIR = "Install bplib again, or in a clone bring both back with: git checkout -- bplib/datasets"


class Digits(NamedTuple):
    """The digits, split into training and test part.

    Unpacks in the order of `train_test_split`:
    ``X_train, X_test, y_train, y_test = load_digits()``.

    Attributes
    ----------
    X_train, X_test : ndarray, shape (n, 64), float64 in [0, 1]
        One row per image, its 8 rows of 8 pixels one after the other; 0 is paper, 1 is ink.
    y_train, y_test : ndarray, shape (n,), int64 in 0 ... 9
        The digit that was written.

    Examples
    --------
    >>> load_digits()
    Digits(X_train (1348, 64), X_test (449, 64), y_train (1348,), y_test (449,))
    """

    X_train: NDArray[np.float64]
    X_test: NDArray[np.float64]
    y_train: NDArray[np.int64]
    y_test: NDArray[np.int64]

    @property
    def train(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The pair (X_train, y_train), the form in which `fit` takes its data."""
        return self.X_train, self.y_train

    @property
    def test(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The pair (X_test, y_test)."""
        return self.X_test, self.y_test

    def __repr__(self) -> str:
        return "Digits(" + ", ".join(f"{name} {getattr(self, name).shape}" for name in self._fields) + ")"


def load_digits(
    *, split: str = "random", test_fraction: float = 0.25, rng: np.random.Generator | int | None = None
) -> Digits:
    """Load 1,797 handwritten digits, 8 x 8 pixels each, split into training and test part.

    Parameters
    ----------
    split : {"random", "blocks"}
        ``"random"`` shuffles and keeps every digit's share the same in both parts. The same 13
        people then stand in both parts. ``"blocks"`` takes the last rows of the file as the
        test part. The file holds page after page, about 130 digits in one hand each, so most
        of these hands are new to the model.
    test_fraction : float in (0, 1)
        The share of the images in the test part.
    rng : Generator or int, optional
        Decides the shuffle; seed 0 if left out. ``"blocks"`` draws nothing.

    Returns
    -------
    Digits
        ``X_train, X_test`` (n, 64) float64 in [0, 1] and ``y_train, y_test`` (n,) int64.

    Raises
    ------
    DomainError
        For an unknown split or a fraction outside (0, 1).
    DataError
        If the bundled file is missing or damaged, or another argument is of a wrong kind.

    References
    ----------
    E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, doi 10.24432/C50P49, licence CC BY 4.0. This is its test part.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.X_train.shape, digits.y_train.shape
    ((1348, 64), (1348,))
    >>> digits.X_train[0].reshape(8, 8).max()
    np.float64(1.0)
    """
    if not isinstance(split, str) or split not in ("random", "blocks"):
        raise DomainError(
            f"load_digits: split is {split!r}. Expected 'random' (shuffled, every digit's share kept) or 'blocks' "
            f"(the end of the file, written by other people). Try load_digits(split='random')."
        )
    generator = as_generator(rng, "load_digits")
    images, labels = _read()
    count_test_rows(len(images), test_fraction, "load_digits")  # refuses the fraction under this name
    X, y = images.reshape(len(images), -1) / _INKED, labels.astype(np.int64)
    if split == "random":
        return Digits(*train_test_split(X, y, test_fraction=test_fraction, stratify=True, rng=generator))
    return Digits(*block_split(X, y, test_fraction=test_fraction))


def _read() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images (1797, 8, 8) and labels (1797,) after comparing the file with its checksum."""
    folder = resources.files("bplib") / "datasets"
    try:
        packed = (folder / "digits.npz").read_bytes()
        expected = json.loads((folder / "digits.json").read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError as missing:
        raise DataError(
            f"load_digits: the file {folder / 'digits.npz'} or digits.json beside it is missing. Expected both where "
            f"bplib is installed. {_REPAIR}"
        ) from missing
    except (ValueError, KeyError, TypeError) as broken:
        raise DataError(
            f"load_digits: the file {folder / 'digits.json'} is damaged. Expected a record with the checksum of "
            f"digits.npz, got none. {_REPAIR}"
        ) from broken
    found = hashlib.sha256(packed).hexdigest()
    if found != expected:
        raise DataError(
            f"load_digits: the file {folder / 'digits.npz'} is damaged. Expected the checksum {expected[:12]}…, got "
            f"{found[:12]}… from {len(packed):,} bytes. {_REPAIR}"
        )
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]
