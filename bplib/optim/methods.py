"""Gradient descent, and the methods that divide by the size of past gradients: settings and checks around a step."""

from collections.abc import Iterable, Mapping
from typing import Any

from bplib.checks import as_number
from bplib.errors import DomainError
from bplib.optim.base import Optimizer
from bplib.optim.layout import Array
from bplib.optim.steps import adadelta_step, adagrad_step, rmsprop_step, sgd_step

__all__ = ["SGD", "AdaDelta", "AdaGrad", "RMSProp"]


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
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
    ) -> None:
        sgd_step(
            theta,
            grad,
            state[0] if state else None,
            lr=group["lr"],
            momentum=group["momentum"],
            nesterov=group["nesterov"],
            weight_decay=group["weight_decay"],
            room=room,
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
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
    ) -> None:
        adagrad_step(theta, grad, state[0], lr=group["lr"], eps=group["eps"])


class RMSProp(Optimizer):
    """AdaGrad with a memory that fades: each parameter divides by the size of its recent gradients.

    s ← α s + (1−α) g²,   θ ← θ − η g / (√s + ε). See `rmsprop_step` for the conventions and the source.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts with a ``"params"`` entry
        What to update.
    lr : float ≥ 0
        The learning rate η.
    alpha : float in [0, 1)
        α: how much of the average is kept.
    eps : float ≥ 0
        ε, outside the root.
    momentum : float in [0, 1)
        The share of the last step that goes on.

    Raises
    ------
    DomainError, DataError
        If a setting lies outside its range or is not a number.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = bplib.optim.RMSProp([w], lr=0.1, alpha=0.75)
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(6)
    array([0.8, 0.8])
    """

    def __init__(
        self, params: Iterable[Any], lr: float, alpha: float = 0.99, eps: float = 1e-8, momentum: float = 0
    ) -> None:
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, momentum=momentum)

    def _validate(self, group: Mapping[str, Any]) -> None:
        super()._validate(group)
        as_number(group["alpha"], "alpha", "RMSProp", least=0.0, below=1.0)
        as_number(group["momentum"], "momentum", "RMSProp", least=0.0, below=1.0)

    def _state_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("squares", "velocity") if group["momentum"] else ("squares",)

    def _update(
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
    ) -> None:
        rmsprop_step(
            theta,
            grad,
            state[0],
            state[1] if group["momentum"] else None,
            lr=group["lr"],
            alpha=group["alpha"],
            eps=group["eps"],
            momentum=group["momentum"],
        )


class AdaDelta(Optimizer):
    """A step in the parameter's own unit: recent steps divided by recent gradients.

    θ ← θ − η √(d + ε) / √(s + ε) · g. See `adadelta_step` for the conventions and the source.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts with a ``"params"`` entry
        What to update.
    lr : float ≥ 0
        η; the paper has none, which is 1.
    rho : float in [0, 1)
        ρ: how much of each average is kept.
    eps : float ≥ 0
        ε, inside both roots; without it the first step would be 0.

    Raises
    ------
    DomainError, DataError
        If a setting lies outside its range or is not a number.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = bplib.optim.AdaDelta([w], rho=0.75, eps=1e-4)
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([0.98, 0.98])
    """

    state_names = ("squares", "steps")

    def __init__(self, params: Iterable[Any], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6) -> None:
        super().__init__(params, lr=lr, rho=rho, eps=eps)

    def _validate(self, group: Mapping[str, Any]) -> None:
        super()._validate(group)
        as_number(group["rho"], "rho", "AdaDelta", least=0.0, below=1.0)

    def _update(
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
    ) -> None:
        adadelta_step(theta, grad, state[0], state[1], lr=group["lr"], rho=group["rho"], eps=group["eps"])
