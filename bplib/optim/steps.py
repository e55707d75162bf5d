"""The step of each method: a function over arrays, written like the algorithm box of its paper.

A step changes the parameters and the method's running averages in place and returns nothing.
All arrays have one shape, which may be any shape: a whole model's vector, or a stack of
starting points that descend side by side.
"""

import math
from functools import lru_cache

import numpy as np

__all__ = ["adadelta_step", "adagrad_step", "adam_step", "adamw_step", "nadam_step", "rmsprop_step", "sgd_step"]


def sgd_step(
    theta: np.ndarray,
    grad: np.ndarray,
    velocity: np.ndarray | None = None,
    *,
    lr: float | np.ndarray,
    momentum: float | np.ndarray = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> None:
    """Take one step of gradient descent, in place.

    v ← μ v + g,   θ ← θ − η v   (Nesterov: θ ← θ − η (g + μ v))

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g of the loss with respect to θ.
    velocity : numpy.ndarray, same shape, or None
        The running sum v; changed in place. Without it there is no momentum.
    lr : float ≥ 0, or array that broadcasts against `theta`
        The learning rate η: the length of a step for a gradient of length 1.
    momentum : float in [0, 1), or array that broadcasts against `theta`
        The share μ of the last step that goes on.
    nesterov : bool
        Look ahead along the velocity before stepping.
    weight_decay : float ≥ 0
        λ: adds λθ to the gradient, a pull towards 0.

    Notes
    -----
    The rate multiplies the whole velocity, as in Goh (2017) and PyTorch. Sutskever et al.
    (2013, eq. 1) put it inside, v ← μv − ηg; for a constant rate the paths are the same.

    References
    ----------
    B. T. Polyak (1964), USSR Comput. Math. Math. Phys. 4(5), 1-17.
    G. Goh (2017), "Why Momentum Really Works", Distill, doi 10.23915/distill.00006.

    Examples
    --------
    >>> theta, velocity = np.array([1.0]), np.array([0.0])
    >>> sgd_step(theta, np.array([2.0]), velocity, lr=0.1, momentum=0.9)
    >>> theta
    array([0.8])
    """
    if weight_decay:
        grad = grad + weight_decay * theta
    if velocity is not None:
        velocity *= momentum
        velocity += grad
        grad = grad + momentum * velocity if nesterov else velocity
    theta -= lr * grad


def adagrad_step(
    theta: np.ndarray, grad: np.ndarray, squares: np.ndarray, *, lr: float | np.ndarray, eps: float = 1e-10
) -> None:
    """Take one step of AdaGrad, in place: each parameter gets its own, shrinking rate.

    s ← s + g²,   θ ← θ − η g / (√s + ε)

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g.
    squares : numpy.ndarray, same shape
        The sum s of all squared gradients so far; changed in place.
    lr : float ≥ 0, or array that broadcasts against `theta`
        The learning rate η: the length of the first step, whatever the gradient's size.
    eps : float ≥ 0
        ε, outside the root: keeps the division defined where no gradient has come yet.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer (2011), JMLR 12, 2121-2159, eq. 1 (diagonal form).

    Examples
    --------
    >>> theta, squares = np.array([1.0]), np.array([0.0])
    >>> adagrad_step(theta, np.array([4.0]), squares, lr=0.1)
    >>> theta, squares
    (array([0.9]), array([16.]))
    """
    squares += grad * grad
    theta -= lr * grad / (np.sqrt(squares) + eps)


def rmsprop_step(
    theta: np.ndarray,
    grad: np.ndarray,
    squares: np.ndarray,
    velocity: np.ndarray | None = None,
    *,
    lr: float | np.ndarray,
    alpha: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
) -> None:
    """Take one step of RMSProp, in place: AdaGrad whose sum has become a running average.

    s ← α s + (1−α) g²,   u = g / (√s + ε),   v ← μ v + u,   θ ← θ − η v

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g.
    squares : numpy.ndarray, same shape
        The average s of squared gradients; changed in place, 0 before the first step.
    velocity : numpy.ndarray, same shape, or None
        The running sum v; changed in place. Needed only with momentum.
    lr : float ≥ 0, or array that broadcasts against `theta`
        The learning rate η.
    alpha : float in [0, 1)
        How much of the average is kept.
    eps : float ≥ 0
        ε, outside the root as in PyTorch; TensorFlow has it inside, √(s + ε).
    momentum : float in [0, 1)
        The share μ of the last step that goes on.

    References
    ----------
    T. Tieleman and G. Hinton (2012), Coursera "Neural Networks for Machine Learning", lecture 6.5.

    Examples
    --------
    >>> theta, squares = np.array([1.0]), np.array([0.0])
    >>> rmsprop_step(theta, np.array([4.0]), squares, lr=0.1, alpha=0.75)
    >>> theta.round(6), squares
    (array([0.8]), array([4.]))
    """
    squares *= alpha
    squares += (1.0 - alpha) * grad * grad
    step = grad / (np.sqrt(squares) + eps)
    if momentum and velocity is not None:
        velocity *= momentum
        velocity += step
        step = velocity
    theta -= lr * step


def adadelta_step(
    theta: np.ndarray,
    grad: np.ndarray,
    squares: np.ndarray,
    steps: np.ndarray,
    *,
    lr: float | np.ndarray = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
) -> None:
    """Take one step of AdaDelta, in place: as long as recent steps, in units of recent gradients.

    s ← ρ s + (1−ρ) g²,   u = √(d + ε) / √(s + ε) · g,   d ← ρ d + (1−ρ) u²,   θ ← θ − η u

    Parameters
    ----------
    theta : numpy.ndarray of float
        The parameters θ, any shape; changed in place.
    grad : numpy.ndarray, same shape
        The gradient g.
    squares, steps : numpy.ndarray, same shape
        The averages s of g² and d of u²; changed in place, 0 before the first step.
    lr : float ≥ 0, or array that broadcasts against `theta`
        η; the paper has none, which is 1.
    rho : float in [0, 1)
        How much of each average is kept.
    eps : float > 0
        ε, inside both roots: it decides how long the first steps are.

    References
    ----------
    M. D. Zeiler (2012), arXiv 1212.5701, algorithm 1.

    Examples
    --------
    >>> theta, squares, steps = np.array([1.0]), np.array([0.0]), np.array([0.0])
    >>> adadelta_step(theta, np.array([4.0]), squares, steps, rho=0.75, eps=1e-4)
    >>> theta.round(3), squares
    (array([0.98]), array([4.]))
    """
    squares *= rho
    squares += (1.0 - rho) * grad * grad
    step = np.sqrt(steps + eps) / np.sqrt(squares + eps) * grad
    steps *= rho
    steps += (1.0 - rho) * step * step
    theta -= lr * step


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
    m *= beta1
    m += (1.0 - beta1) * grad
    v *= beta2
    v += (1.0 - beta2) * grad * grad
    if v_max is not None:
        v = np.maximum(v_max, v, out=v_max)
    step = np.sqrt(v)
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
    lr, betas, eps, bias_correction
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
    adam_step(theta, grad, m, v, t, v_max, lr=lr, betas=betas, eps=eps, bias_correction=bias_correction)


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
