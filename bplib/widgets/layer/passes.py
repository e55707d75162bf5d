"""Forward and backward written out with arrays, the backward pass also with the mistakes people make in it."""

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
import numpy.typing as npt

from bplib.data import symmetry

__all__ = ["FAULTS", "LR", "VERSIONS", "Fault", "backward", "forward", "loss", "problem", "unpack"]

Floats = npt.NDArray[np.float64]

LR = 0.1
"""Learning rate η of the training."""


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a backward pass.

    Parameters
    ----------
    label : str
        In the list of guesses.
    sentence : str
        What it does.
    wrong, right : str
        The line of code with the mistake, and the one it should be; empty where nothing is wrong.
    """

    label: str
    sentence: str
    wrong: str = ""
    right: str = ""


_HIDDEN = "delta_h = delta_o @ v.T * h * (1 - h)"
FAULTS: dict[str, Fault] = {
    "right": Fault("nothing is wrong", "is right: what is left between the two gradients is rounding."),
    "slope": Fault(
        "σ′ forgotten in the hidden layer", "forgets σ′ of the hidden units.", "delta_h = delta_o @ v.T", _HIDDEN
    ),
    "half": Fault(
        "the ½ of the loss forgotten", "is the gradient of Σ (ŷ − y)², twice that of the loss.",
        "error = 2 * (prediction - y)", "error = prediction - y",
    ),
    "mean": Fault(
        "biases averaged, not summed", "averages the bias gradients over the 64 examples instead of adding them up.",
        "db, dc = delta_h.mean(axis=0), delta_o.mean(axis=0)", "db, dc = delta_h.sum(axis=0), delta_o.sum(axis=0)",
    ),
    "updated": Fault(
        "v updated before it is used", "updates v first: the hidden layer gets a gradient through the new v.",
        f"v -= lr * dv; {_HIDDEN}", f"{_HIDDEN}; v -= lr * dv",
    ),
    "overwritten": Fault(
        "each example overwrites dW", "keeps the last example's share of dW: 64 paths lead to a weight, and they add.",
        "for x, d in zip(X, delta_h): dW = np.outer(x, d)", "for x, d in zip(X, delta_h): dW += np.outer(x, d)",
    ),
    "sign": Fault(
        "wrong sign", "points uphill with the sign turned round.", "error = y - prediction", "error = prediction - y"
    ),
    "float32": Fault(
        "computed in float32", "has no mistake in it, but keeps 7 digits: float32.", "theta.astype(np.float32)",
        "theta, in float64",
    ),
}  # fmt: skip
"""Name -> mistake. Each is a place in `backward` where the computation takes another way."""

VERSIONS: dict[str, str] = {
    "A": "slope",
    "B": "right",
    "C": "half",
    "D": "mean",
    "E": "updated",
    "F": "overwritten",
    "G": "sign",
    "H": "float32",
}
"""Letter that the learner sees -> name of the mistake."""


@lru_cache(maxsize=1)
def problem() -> tuple[Floats, Floats]:
    """The 64 examples and their targets.

    Returns
    -------
    X : ndarray, shape (64, 6)
    y : ndarray, shape (64, 1)
        1 for the eight examples that read the same from both ends.
    """
    X, y = symmetry()
    targets = y[:, None].astype(np.float64)
    for array in (X, targets):
        array.setflags(write=False)
    return X, targets


def unpack(theta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Split θ, or a stack of them, into the four parameters; nothing is copied.

    Parameters
    ----------
    theta : ndarray, shape (..., 17)

    Returns
    -------
    W, b, v, c : ndarray, shapes (..., 6, 2), (..., 1, 2), (..., 2, 1), (..., 1, 1)
        Into the hidden units, and into the output unit.
    """
    ahead = theta.shape[:-1]
    W, v = theta[..., :12].reshape(*ahead, 6, 2), theta[..., 14:16, None]
    return W, theta[..., None, 12:14], v, theta[..., None, 16:]


def forward(theta: Floats) -> tuple[Floats, Floats]:
    """Forward: h = σ(XW + b), ŷ = σ(hv + c).

    Parameters
    ----------
    theta : ndarray, shape (..., 17)
        One θ or a stack of them.

    Returns
    -------
    h, prediction : ndarray, shapes (..., 64, 2) and (..., 64, 1)
    """
    W, b, v, c = unpack(theta)
    h = _sigmoid(problem()[0].astype(theta.dtype) @ W + b)
    return h, _sigmoid(h @ v + c)


def loss(theta: Floats) -> float:
    """L = ½ Σ (ŷ − y)² over the 64 examples.

    Parameters
    ----------
    theta : ndarray, shape (17,)

    Returns
    -------
    float

    Examples
    --------
    >>> loss(np.zeros(17))
    8.0
    """
    error = (forward(theta)[1] - problem()[1]).ravel()
    return 0.5 * float(error @ error)


def backward(theta: Floats, fault: str = "right") -> Floats:
    """Backward: ∂L/∂θ by the chain rule, or what a mistake makes of it.

    δ_o = (ŷ − y) ŷ (1 − ŷ),  dv = hᵀδ_o,  dc = Σ δ_o,  δ_h = δ_o vᵀ h (1 − h),  dW = Xᵀδ_h,  db = Σ δ_h

    Parameters
    ----------
    theta : ndarray, shape (..., 17)
        One θ or a stack of them.
    fault : str
        A key of `FAULTS`.

    Returns
    -------
    ndarray, shape of `theta`

    Examples
    --------
    >>> theta = np.full(17, 0.1)
    >>> bool(np.allclose(backward(theta, "half"), 2 * backward(theta)))
    True
    """
    if fault == "float32":
        theta = theta.astype(np.float32)
    X, y = (array.astype(theta.dtype) for array in problem())
    _, _, v, _ = unpack(theta)
    h, prediction = forward(theta)
    add_up = np.mean if fault == "mean" else np.sum

    delta_o = _error(prediction, y, fault) * prediction * (1 - prediction)
    dv, dc = np.swapaxes(h, -1, -2) @ delta_o, add_up(delta_o, axis=-2)
    if fault == "updated":
        v = v - theta.dtype.type(LR) * dv
    delta_h = delta_o @ np.swapaxes(v, -1, -2)
    if fault != "slope":
        delta_h = delta_h * h * (1 - h)
    dW = _overwritten(X, delta_h) if fault == "overwritten" else X.T @ delta_h
    db = add_up(delta_h, axis=-2)

    ahead = theta.shape[:-1]
    return np.concatenate([part.reshape(*ahead, -1) for part in (dW, db, dv, dc)], axis=-1).astype(np.float64)


def _error(prediction: Floats, y: Floats, fault: str) -> Floats:
    if fault == "sign":
        return y - prediction
    return 2 * (prediction - y) if fault == "half" else prediction - y


def _overwritten(X: Floats, delta_h: Floats) -> Floats:
    dW = np.zeros((*delta_h.shape[:-2], X.shape[1], delta_h.shape[-1]))
    for k, x in enumerate(X):
        dW = x[:, None] * delta_h[..., k, None, :]
    return dW


def _sigmoid(z: Floats) -> Floats:
    return 1 / (1 + np.exp(-z))
