"""The loss of a model on fixed data, as a function of all its parameters in one vector θ."""

from collections.abc import Callable
from typing import Any, TypeVar, final

import numpy as np

from bplib.checks import as_floats, as_pair
from bplib.engine import walk_back
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.landscape.surfaces import Array
from bplib.modes import is_recording
from bplib.nn import Conv2d, Flatten, Linear, Module, Sequential
from bplib.tensors import Tensor, as_tensor

__all__ = ["Loss", "Objective", "as_direction", "check_model"]

Loss = Callable[[Tensor, Array], Tensor]
Result = TypeVar("Result")

_TAKE_TENSORS = (Linear, Conv2d, Flatten)


@final
class Objective:
    """The loss L(θ) of a model: the whole data at once, in evaluation mode.

    Attributes
    ----------
    theta : numpy.ndarray, shape (p,)
        The model's own memory: what is written there is what the model computes with.
    origin : numpy.ndarray, shape (p,)
        A copy of θ as it came.
    X, y : numpy.ndarray
        The data; `inputs` is what the model is given for X.
    """

    def __init__(self, model: Module, loss: Loss, data: Any, caller: str) -> None:
        self.model, self.loss, self.caller = check_model(model, caller), loss, caller
        if not callable(loss):
            raise DataError(f"{caller}: loss is {loss!r}. Expected a function, such as bplib.losses.mse.")
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise DataError(f"{caller}: data is a {type(data).__name__}. Expected a pair (X, y).")
        self.X, self.y = as_pair(data[0], data[1], caller)
        self.inputs: Any = self.X
        if type(model) is Sequential and len(model) and type(model[0]) in _TAKE_TENSORS:
            self.inputs = as_tensor(self.X)  # once, where nobody's own forward waits for an array
        self.theta = model.theta
        self.origin = self.theta.copy()
        if not np.isfinite(self.origin).all():
            raise DomainError(
                f"{caller}: the model's parameters hold {self.origin[~np.isfinite(self.origin)][0]}. Expected finite "
                "numbers. The training has diverged: try a smaller learning rate."
            )

    def visit(self, work: Callable[[], Result]) -> Result:
        """Do some work that may move θ. Whatever happens there, θ and the modes are as before afterwards."""
        modes = [(module, module.training) for module in self.model.modules()]
        # No context manager: an interrupt on the way into its exit would leave θ where it is.
        try:
            self.model.eval()
            return work()
        finally:
            self.theta[...] = self.origin
            try:
                _set_modes(modes)
            finally:
                _set_modes(modes)  # once more, for an interrupt that came in between

    def value(self) -> float:
        """Give L at the present θ, checked."""
        return float(self._tensor().array.reshape(()))

    def gradient(self) -> Array:
        """Give ∂L/∂θ at the present θ as float64, shape (p,); 0 for a frozen parameter. No ``.grad`` changes."""
        if not is_recording():
            raise GraphError(f"{self.caller}: recording is off here, and it needs gradients. Leave no_grad() first.")
        value = self._tensor()
        if value.operation is None:
            raise GraphError(
                f"{self.caller}: the loss does not depend on a parameter that asks for a gradient. Expected at least "
                "one with requires_grad, and a loss computed from the prediction, without .numpy() or .item()."
            )
        found = walk_back(value, np.ones(value.shape, value.dtype))
        members = list(self.model.parameters())
        gradient = np.zeros(self.theta.size)
        for p in members:
            if p in found:
                start = p.offset - members[0].offset
                gradient[start : start + p.size] = found[p].ravel()
        return gradient

    def number(self, prediction: Any) -> float:
        """Give the loss of a prediction, checked."""
        value: Any = self.loss(prediction, self.y)
        if not isinstance(value, Tensor) or value.array.size != 1:
            self._checked(value)  # refuses it, in words
        return value.array.item()

    def _tensor(self) -> Tensor:
        return self._checked(self.loss(self.model(self.inputs), self.y))

    def _checked(self, value: Any) -> Tensor:
        if not isinstance(value, Tensor):
            raise DataError(
                f"{self.caller}: the loss gave a {type(value).__name__}. Expected a Tensor. Compute with the "
                "prediction itself, without .data, .numpy(), .item() or float()."
            )
        if value.size != 1:
            raise ShapeError(
                f"{self.caller}: the loss gave a tensor of shape {value.shape}. Expected one number. "
                'Try reduction="mean".'
            )
        return value


def _set_modes(modes: list[tuple[Module, bool]]) -> None:
    for module, mode in modes:
        module.training = mode


def check_model(model: Any, caller: str) -> Module:
    """Give the model itself, or say that it is none."""
    if not isinstance(model, Module):
        raise DataError(
            f"{caller}: model is of type {type(model).__name__}. Expected a Module, such as nn.Linear(2, 1)."
        )
    return model


def as_direction(values: Any, name: str, like: Array, caller: str, *, zero: bool = False) -> Array:
    """Give a vector as long as θ in the dtype of θ, finite, and not 0 unless `zero` allows it."""
    vector = as_floats(values)
    if vector.shape != like.shape:
        raise ShapeError(
            f"{caller}: {name} has shape {vector.shape}, the model has {like.size} parameters. "
            f"Expected shape {like.shape}, one number for each. Try random_directions(model)."
        )
    if not np.isfinite(vector).all():
        raise DomainError(f"{caller}: {name} holds {vector[~np.isfinite(vector)][0]}. Expected finite numbers.")
    if not zero and not vector.any():
        raise DomainError(f"{caller}: {name} is 0 everywhere and leads nowhere. Expected a vector that is not 0.")
    return vector.astype(like.dtype)  # a copy: model.theta itself would move with the model
