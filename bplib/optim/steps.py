"""The step of gradient descent and of the methods that divide by past gradients, each as its paper's algorithm box.

A step changes the parameters and the method's running averages in place and returns nothing.
All arrays have one shape, which may be any shape: a whole model's vector, or a stack of
starting points that descend side by side.
"""

import numpy as np

from bplib.constants import constant

__all__ = ["adadelta_step", "adagrad_step", "rmsprop_step", "sgd_step"]


def sgd_step(
    theta: np.ndarray,
    grad: np.ndarray,
    velocity: np.ndarray | None = None,
    *,
    lr: float | np.ndarray,
    momentum: float | np.ndarray = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    room: np.ndarray | None = None,
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
    room : numpy.ndarray, same shape and dtype, or None
        Memory in which the step may compute; without it, it takes new memory.

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
    theta -= np.multiply(constant(lr, (), grad.dtype) if isinstance(lr, float) else lr, grad, room)


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
