"""The step of Adam and of its kin, each a function over arrays, written like the algorithm box of its paper.

As in `bplib.optim.steps`, a step changes the parameters and the method's running averages in place and returns nothing.
"""

import math
from functools import lru_cache

import numpy as np

from bplib.constants import constant

__all__ = ["adam_step", "adamw_step", "nadam_step"]


def adam_step(
    theta: np.ndarray,
    grad: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    v_max: np.ndarray | None = None,
    *,
    lr: float | np.ndarray = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    bias_correction: bool = True,
    room: np.ndarray | None = None,
) -> None:
    """Take step number t of Adam, in place.

    m ← β₁ m + (1−β₁) g,   v ← β₂ v + (1−β₂) g²
    m̂ = m / (1−β₁ᵗ),   v̂ = v / (1−β₂ᵗ),   θ ← θ − η m̂ / (√v̂ + ε)

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g.
    m, v : numpy.ndarray, same shape
        Running averages of g and of g²; changed in place, 0 before the first step.
    t : int ≥ 1
        The number of this step, which the bias correction needs.
    v_max : numpy.ndarray, same shape, or None
        With an array: AMSGrad, which divides by the largest v so far.
    lr : float ≥ 0, or array that broadcasts against `theta`
        The learning rate η: about the length of a step in each coordinate.
    betas : (float in [0, 1), float in [0, 1))
        β₁ and β₂: how much of each average is kept.
    eps : float ≥ 0
        ε, outside the root.
    weight_decay : float ≥ 0
        λ: adds λθ to the gradient (coupled, so Adam rescales it; AdamW does not).
    bias_correction : bool
        Divide by 1 − βᵗ, which makes up for the start at 0.
    room : numpy.ndarray, same shape and dtype, or None
        Memory in which the step may compute; without it, it takes new memory.

    References
    ----------
    D. P. Kingma and J. Ba (2015), ICLR, arXiv 1412.6980, algorithm 1.
    S. J. Reddi, S. Kale and S. Kumar (2018), ICLR, arXiv 1904.09237, algorithm 2 (AMSGrad).

    Examples
    --------
    >>> theta, m, v = np.array([1.0]), np.array([0.0]), np.array([0.0])
    >>> adam_step(theta, np.array([1000.0]), m, v, 1, lr=0.1)
    >>> theta.round(6)
    array([0.9])
    """
    beta1, beta2 = betas
    if weight_decay:
        grad = grad + weight_decay * theta
    step = np.empty_like(m) if room is None else room
    m *= constant(beta1, (), grad.dtype)
    m += np.multiply(constant(1.0 - beta1, (), grad.dtype), grad, step)
    v *= constant(beta2, (), grad.dtype)
    np.multiply(constant(1.0 - beta2, (), grad.dtype), grad, step)
    v += np.multiply(step, grad, step)
    if v_max is not None:
        v = np.maximum(v_max, v, out=v_max)
    np.sqrt(v, step)
    if bias_correction:  # of two numbers in place of two vectors: the end of the paper's section 2
        root = math.sqrt(1.0 - beta2**t)
        lr, eps = lr * root / (1.0 - beta1**t), eps * root
    step += eps
    np.divide(m, step, step)
    theta -= np.multiply(step, lr, step)


def adamw_step(
    theta: np.ndarray,
    grad: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    v_max: np.ndarray | None = None,
    *,
    lr: float | np.ndarray = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
    bias_correction: bool = True,
    room: np.ndarray | None = None,
) -> None:
    """Take step number t of Adam with decoupled weight decay, in place.

    θ ← θ − η λ θ,   then Adam's step without decay. The decay does not pass through Adam's averages, so a weight with
    large gradients shrinks as fast as the others.

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g.
    m, v : numpy.ndarray, same shape
        Running averages of g and of g²; changed in place, 0 before the first step.
    t : int ≥ 1
        The number of this step.
    v_max : numpy.ndarray, same shape, or None
        With an array: AMSGrad.
    lr, betas, eps, bias_correction, room
        As in `adam_step`.
    weight_decay : float ≥ 0
        λ; multiplied by η, as in PyTorch. The paper keeps it apart from η.

    References
    ----------
    I. Loshchilov and F. Hutter (2019), ICLR, arXiv 1711.05101, algorithm 2.

    Examples
    --------
    >>> theta, m, v = np.array([1.0]), np.array([0.0]), np.array([0.0])
    >>> adamw_step(theta, np.array([0.0]), m, v, 1, lr=0.1, weight_decay=0.5)
    >>> theta
    array([0.95])
    """
    if weight_decay:
        theta -= lr * weight_decay * theta
    adam_step(theta, grad, m, v, t, v_max, lr=lr, betas=betas, eps=eps, bias_correction=bias_correction, room=room)


def nadam_step(
    theta: np.ndarray,
    grad: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    *,
    lr: float | np.ndarray = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
) -> None:
    """Take step number t of NAdam, in place: Adam that looks ahead along its momentum.

    μₜ = β₁ (1 − ½ · 0.96^(tψ)),   Πₜ = μ₁ μ₂ ⋯ μₜ,   m and v as in Adam,   v̂ = v / (1−β₂ᵗ)
    m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ),   θ ← θ − η m̂ / (√v̂ + ε)

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g.
    m, v : numpy.ndarray, same shape
        Running averages of g and of g²; changed in place, 0 before the first step.
    t : int ≥ 1
        The number of this step.
    lr, betas, eps
        As in `adam_step`.
    weight_decay : float ≥ 0
        λ: adds λθ to the gradient (coupled).
    momentum_decay : float ≥ 0
        ψ: how fast μ grows from β₁/2 to β₁.

    References
    ----------
    T. Dozat (2016), ICLR workshop. With momentum_decay=0.004 the μₜ are those of the paper and of PyTorch.

    Examples
    --------
    >>> theta, m, v = np.array([1.0]), np.array([0.0]), np.array([0.0])
    >>> nadam_step(theta, np.array([1000.0]), m, v, 1, lr=0.1)
    >>> bool(0.8 < theta[0] < 1.0)
    True
    """
    beta1, beta2 = betas
    if weight_decay:
        grad = grad + weight_decay * theta
    m *= beta1
    m += (1.0 - beta1) * grad
    v *= beta2
    v += (1.0 - beta2) * grad * grad
    now, ahead = (beta1 * (1.0 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1))
    product = _product_of_momenta(beta1, momentum_decay, t)
    m_hat = (ahead / (1.0 - product * ahead)) * m + ((1.0 - now) / (1.0 - product)) * grad
    theta -= lr * m_hat / (np.sqrt(v) / math.sqrt(1.0 - beta2**t) + eps)


@lru_cache(maxsize=64)
def _product_of_momenta(beta1: float, decay: float, t: int) -> float:
    # In stretches: each step multiplies a few numbers only, and a run that is taken up again needs no step before.
    start = (t - 1) // 256 * 256
    before = _product_of_momenta(beta1, decay, start) if start else 1.0
    i = np.arange(start + 1, t + 1)
    return before * float(np.prod(beta1 * (1.0 - 0.5 * 0.96 ** (i * decay))))
