"""The optimizers: settings with their checks, around the step functions."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bplib.checks import as_number
from bplib.errors import DataError, DomainError
from bplib.optim.base import Optimizer
from bplib.optim.steps import adagrad_step, adam_step, sgd_step

__all__ = ["SGD", "AdaGrad", "Adam"]


class SGD(Optimizer):
    """Gradient descent, on whatever batch the gradient came from, with optional momentum.

    v ← μ v + g,   θ ← θ − η v. See `sgd_step` for the conventions and sources.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts with a ``"params"`` entry
        What to update.
    lr : float ≥ 0
        The learning rate η, in units of parameter per unit of gradient.
    momentum : float in [0, 1)
        The share μ of the last step that goes on.
    nesterov : bool
        Look ahead along the velocity; needs momentum.
    weight_decay : float ≥ 0
        λ: adds λθ to the gradient.

    Raises
    ------
    DomainError
        If a setting lies outside its range.
    DataError
        If a setting is not a number, or there are no parameters.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0], requires_grad=True)
    >>> optimizer = bplib.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([0.8])
    """

    def __init__(
        self, params: Iterable[Any], lr: float, momentum: float = 0, nesterov: bool = False, weight_decay: float = 0
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def _validate(self, group: Mapping[str, Any]) -> None:
        super()._validate(group)
        as_number(group["momentum"], "momentum", "SGD", least=0.0, below=1.0)
        if group["nesterov"] and not group["momentum"]:
            raise DomainError("SGD: nesterov=True looks ahead along the momentum, but momentum is 0. Try momentum=0.9.")

    def _state_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("velocity",) if group["momentum"] else ()

    def _update(
        self, theta: np.ndarray, grad: np.ndarray, state: list[np.ndarray], t: int, group: Mapping[str, Any]
    ) -> None:
        sgd_step(
            theta,
            grad,
            state[0] if state else None,
            lr=group["lr"],
            momentum=group["momentum"],
            nesterov=group["nesterov"],
            weight_decay=group["weight_decay"],
        )


class AdaGrad(Optimizer):
    """Adaptive gradient: every parameter divides its rate by the size of its own past gradients.

    s ← s + g²,   θ ← θ − η g / (√s + ε). See `adagrad_step` for the conventions and the source.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts with a ``"params"`` entry
        What to update.
    lr : float ≥ 0
        The learning rate η.
    eps : float ≥ 0
        ε, outside the root.

    Raises
    ------
    DomainError, DataError
        If a setting lies outside its range or is not a number.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = bplib.optim.AdaGrad([w], lr=0.1)
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([0.9, 0.9])
    """

    state_names = ("squares",)

    def __init__(self, params: Iterable[Any], lr: float, eps: float = 1e-10) -> None:
        super().__init__(params, lr=lr, eps=eps)

    def _update(
        self, theta: np.ndarray, grad: np.ndarray, state: list[np.ndarray], t: int, group: Mapping[str, Any]
    ) -> None:
        adagrad_step(theta, grad, state[0], lr=group["lr"], eps=group["eps"])


class Adam(Optimizer):
    """Adaptive moment estimation: momentum, and a rate of its own for every parameter.

    θ ← θ − η m̂ / (√v̂ + ε) with m̂ and v̂ the corrected averages of g and g². See `adam_step`.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts with a ``"params"`` entry
        What to update.
    lr : float ≥ 0
        The learning rate η.
    betas : (float in [0, 1), float in [0, 1))
        How much of each average is kept.
    eps : float ≥ 0
        ε, outside the root.
    weight_decay : float ≥ 0
        λ: adds λθ to the gradient (coupled).
    amsgrad : bool
        Divide by the largest average of squares so far.
    bias_correction : bool
        Divide the averages by 1 − βᵗ.

    Raises
    ------
    DomainError, DataError
        If a setting lies outside its range or is not a number.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = bplib.optim.Adam([w], lr=0.1)
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([0.9, 0.9])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        bias_correction: bool = True,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            bias_correction=bias_correction,
        )

    def _validate(self, group: Mapping[str, Any]) -> None:
        super()._validate(group)
        if not isinstance(group["betas"], (tuple, list)) or len(group["betas"]) != 2:
            raise DataError(f"Adam: betas is {group['betas']!r}. Expected two numbers, such as (0.9, 0.999).")
        for i, beta in enumerate(group["betas"]):
            as_number(beta, f"betas[{i}]", "Adam", least=0.0, below=1.0)

    def _state_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("m", "v", "v_max") if group["amsgrad"] else ("m", "v")

    def _update(
        self, theta: np.ndarray, grad: np.ndarray, state: list[np.ndarray], t: int, group: Mapping[str, Any]
    ) -> None:
        adam_step(
            theta,
            grad,
            state[0],
            state[1],
            t,
            state[2] if group["amsgrad"] else None,
            lr=group["lr"],
            betas=group["betas"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            bias_correction=group["bias_correction"],
        )
