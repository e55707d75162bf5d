"""The eight faults that the training cockpit hides, and the parts of a training run that each of them spoils."""

from functools import lru_cache
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from bplib.data import load_digits
from bplib.nn import Linear, ReLU, Sequential
from bplib.nn.init import kaiming_uniform_, zeros_
from bplib.optim import SGD

__all__ = [
    "CLASSES", "FAULTS", "HEALTHY", "HIDDEN", "TRAINED_ON", "VALIDATED_ON", "Digits", "Fault", "behind", "digits_for",
    "network_for", "optimizer_for",
]  # fmt: skip

CLASSES = 10
"""Digits to tell apart; the loss of a network that treats them alike is ln 10 = 2.303."""
HIDDEN = 24
"""ReLU units between 64 pixels and 10 scores."""
TRAINED_ON, VALIDATED_ON = 300, 200
"""Digits to learn from, and digits by other people that are only looked at."""
HEALTHY = "healthy"
"""The setting, and the guess, in which nothing is wrong."""

_INK = 16.0  # the file counts from 0 to 16 inked dots a pixel
_OUT_OF_REACH = -10.0  # no digit lifts a unit that begins so low above 0


@final
class Fault(NamedTuple):
    """One way to break a training run.

    Parameters
    ----------
    label : str
        What the list of guesses calls it.
    code : str
        The line that is wrong, or that is missing.
    """

    label: str
    code: str


FAULTS: dict[str, Fault] = {
    HEALTHY: Fault("nothing: healthy", "nothing is wrong"),
    "unscaled": Fault("inputs not scaled", "X_train, X_valid = 16 * X_train, 16 * X_valid"),
    "shuffled": Fault("targets shuffled", "y_train = rng.permutation(y_train)"),
    "no_zeroing": Fault("gradients not zeroed", "network.zero_grad() is missing"),
    "rate_high": Fault("learning rate × 100", "SGD(network.parameters(), lr=100 * lr)"),
    "rate_low": Fault("learning rate ÷ 1000", "SGD(network.parameters(), lr=lr / 1000)"),
    "leaked": Fault("validation leaked", "X_train[:200], y_train[:200] = X_valid, y_valid"),
    "dead": Fault("dead units", "network[0].bias.assign(np.full(24, -10.0))"),
    "frozen": Fault("layer 1 frozen", "SGD(network[2].parameters(), lr=lr)"),
}
"""Name of a fault -> what it is; the names are what `TrainingCockpit.guess` takes."""

_LETTERS = "ABCDEFGH"
_RATES = {"rate_high": 100.0, "rate_low": 1e-3}


@final
class Digits(NamedTuple):
    """The examples of a run, as its loop gets them.

    Parameters
    ----------
    X, X_valid : ndarray, shape (n, 64)
    y, y_valid : ndarray of int, shape (n,)
    """

    X: npt.NDArray[np.float64]
    y: npt.NDArray[np.int64]
    X_valid: npt.NDArray[np.float64]
    y_valid: npt.NDArray[np.int64]


@lru_cache(maxsize=8)
def behind(deal: int) -> dict[str, str]:
    """Which fault is behind which setting.

    Parameters
    ----------
    deal : int ≥ 0
        Another number deals the faults anew.

    Returns
    -------
    dict of str to str
        "healthy" and the letters A to H -> names of faults.

    Examples
    --------
    >>> dealt = behind(0)
    >>> list(dealt), dealt["healthy"]
    (['healthy', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'], 'healthy')
    >>> sorted(dealt.values()) == sorted(FAULTS)
    True
    """
    planted = [name for name in FAULTS if name != HEALTHY]
    order = np.random.default_rng(deal).permutation(len(planted))
    return {HEALTHY: HEALTHY, **{letter: planted[k] for letter, k in zip(_LETTERS, order, strict=True)}}


@lru_cache(maxsize=len(FAULTS))
def digits_for(fault: str) -> Digits:
    """Give 300 digits to learn from and 200 by other people, which four of the nine runs see spoiled.

    Parameters
    ----------
    fault : str
        A key of `FAULTS`.

    Returns
    -------
    Digits
        Not to be written to: the same arrays serve every run.

    Examples
    --------
    >>> digits_for("healthy").X.max(), digits_for("unscaled").X.max()
    (np.float64(1.0), np.float64(16.0))
    """
    rng = np.random.default_rng(0)
    pages = load_digits(split="blocks")
    learned = rng.permutation(len(pages.X_train))[:TRAINED_ON]
    unseen = rng.permutation(len(pages.X_test))[:VALIDATED_ON]
    X, y = pages.X_train[learned], pages.y_train[learned]
    X_valid, y_valid = pages.X_test[unseen], pages.y_test[unseen]
    if fault == "unscaled":
        X, X_valid = _INK * X, _INK * X_valid
    elif fault == "shuffled":
        y = rng.permutation(y)
    elif fault == "leaked":
        X[:VALIDATED_ON], y[:VALIDATED_ON] = X_valid, y_valid
    for array in (X, y, X_valid, y_valid):
        array.setflags(write=False)
    return Digits(X, y, X_valid, y_valid)


def network_for(fault: str, seed: int) -> Sequential:
    """Make the network before its first step: 64 pixels, 24 ReLU units with He weights, 10 scores.

    Parameters
    ----------
    fault : str
        A key of `FAULTS`.
    seed : int

    Returns
    -------
    Sequential

    Examples
    --------
    >>> network_for("dead", 0).state_dict()["0.bias"].max()
    np.float64(-10.0)
    """
    rng = np.random.default_rng(seed)
    network = Sequential(Linear(64, HIDDEN, rng=rng), ReLU(), Linear(HIDDEN, CLASSES, rng=rng))
    parameters = dict(network.named_parameters())
    kaiming_uniform_(parameters["0.weight"], rng=rng)
    for name in ("0.bias", "2.bias"):
        zeros_(parameters[name])
    if fault == "dead":
        parameters["0.bias"].assign(np.full(HIDDEN, _OUT_OF_REACH))
    return network


def optimizer_for(fault: str, network: Sequential, lr: float) -> SGD:
    """Make the optimizer: plain gradient descent on batches.

    Parameters
    ----------
    fault : str
        A key of `FAULTS`.
    network : Sequential
        Of `network_for`.
    lr : float
        The rate that the learner has set.

    Returns
    -------
    SGD

    Examples
    --------
    >>> optimizer_for("rate_high", network_for("rate_high", 0), lr=0.1).param_groups[0]["lr"]
    10.0
    """
    learned = network[2] if fault == "frozen" else network
    return SGD(learned.parameters(), lr=lr * _RATES.get(fault, 1.0))
