"""How good a model is on data that it does not learn from."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bplib.checks import as_array
from bplib.errors import DataError, ShapeError
from bplib.modes import no_grad
from bplib.nn import Module
from bplib.tensors import Tensor

__all__ = ["accuracy", "evaluate"]

Loss = Callable[[Tensor, np.ndarray], Tensor]


def evaluate(model: Module, loss: Loss, X: Any, y: Any) -> float:
    """Give the loss of a model on data it does not learn from.

    Parameters
    ----------
    model : Module
        The network; unchanged.
    loss : callable
        ``loss(prediction, target) -> Tensor``.
    X, y : array_like
        Examples, one a row, and their targets.

    Returns
    -------
    float
        The loss over all examples.

    Raises
    ------
    DataError
        If the loss gives no number.
    ShapeError
        If it gives more than one.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, rng=0)
    >>> evaluate(model, bplib.losses.mse, [[0.0]], model([[0.0]]).numpy())
    0.0
    """
    value: Any = loss(_predict(model, X), as_array(y, "y", "evaluate"))
    if not isinstance(value, (Tensor, int, float, np.number)):
        raise DataError(
            f"evaluate: the loss gave a {type(value).__name__}. Expected one number, as losses.mse and the other "
            "losses give."
        )
    return float(value)


def accuracy(model: Module, X: Any, y: Any) -> float:
    """Give the share of examples whose largest output stands at the true class.

    Parameters
    ----------
    model : Module
        The network; unchanged.
    X : array_like, shape (n, ...)
        The examples.
    y : array_like of int, shape (n,)
        The true classes.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ShapeError
        If there is not one class for each example.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(2, 2, bias=False, rng=0)
    >>> model.weight.assign([[1.0, 0.0], [0.0, 1.0]])
    >>> accuracy(model, [[3.0, 1.0], [0.0, 2.0]], [0, 0])
    0.5
    """
    scores, truth = _predict(model, X).data, as_array(y, "y", "accuracy")
    if scores.ndim < 1 or scores.shape[-1] < 2 or not scores.size:
        raise ShapeError(
            f"accuracy: the outputs have shape {scores.shape}. Expected examples with at least two classes each. "
            "For a network with one output, compare it with a threshold yourself."
        )
    if truth.shape != scores.shape[:-1]:
        raise ShapeError(
            f"accuracy: the outputs have shape {scores.shape}, y has shape {truth.shape}. "
            f"Expected one class for each example, shape {scores.shape[:-1]}."
        )
    return float((scores.argmax(axis=-1) == truth).mean())


def _predict(model: Module, X: Any) -> Tensor:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad(), np.errstate(all="ignore"):
            return model(X)
    finally:
        for module, mode in modes:
            module.training = mode
