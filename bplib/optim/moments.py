"""Adam and its relatives: running averages of the gradient and of its square."""

from collections.abc import Iterable, Mapping
from typing import Any

from bplib.checks import as_number
from bplib.errors import DataError
from bplib.optim.base import Optimizer
from bplib.optim.layout import Array
from bplib.optim.moment_steps import adam_step, adamw_step, nadam_step

__all__ = ["Adam", "AdamW", "NAdam"]


class _Moments(Optimizer):
    """What the three have in common: two averages, and how much of each is kept."""

    def _validate(self, group: Mapping[str, Any]) -> None:
        super()._validate(group)
        name = type(self).__name__
        if not isinstance(group["betas"], (tuple, list)) or len(group["betas"]) != 2:
            raise DataError(f"{name}: betas is {group['betas']!r}. Expected two numbers, such as (0.9, 0.999).")
        for i, beta in enumerate(group["betas"]):
            as_number(beta, f"betas[{i}]", name, least=0.0, below=1.0)

    def _state_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return ("m", "v", "v_max") if group.get("amsgrad") else ("m", "v")


class Adam(_Moments):
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

    def _update(
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
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
            room=room,
        )


class AdamW(_Moments):
    """Adam with decoupled weight decay: every weight shrinks by the same share, whatever its gradients.

    θ ← (1 − ηλ) θ, then Adam's step. See `adamw_step` for the conventions and the source.

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
        λ: each step takes the share ηλ of every weight.
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
    >>> optimizer = bplib.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(6)
    array([0.85, 0.85])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
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

    def _update(
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
    ) -> None:
        adamw_step(
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
            room=room,
        )


class NAdam(_Moments):
    """Adam with Nesterov's look ahead: the step uses the average as it will be after the next gradient.

    See `nadam_step` for the formula, the conventions and the source.

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
    momentum_decay : float ≥ 0
        ψ: how fast the momentum grows from β₁/2 to β₁.

    Raises
    ------
    DomainError, DataError
        If a setting lies outside its range or is not a number.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = bplib.optim.NAdam([w], lr=0.1)
    >>> (w * [1.0, 100.0]).sum().backward()
    >>> optimizer.step()
    >>> bool(w.data[0].round(6) == w.data[1].round(6))
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)

    def _validate(self, group: Mapping[str, Any]) -> None:
        super()._validate(group)
        as_number(group["momentum_decay"], "momentum_decay", "NAdam", least=0.0)

    def _update(
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
    ) -> None:
        nadam_step(
            theta,
            grad,
            state[0],
            state[1],
            t,
            lr=group["lr"],
            betas=group["betas"],
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            momentum_decay=group["momentum_decay"],
        )
