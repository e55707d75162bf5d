"""One sigmoid neuron forward and backward, computed by the library's own engine; for one weight or many at once."""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from bplib import losses
from bplib.functional import sigmoid
from bplib.optim.steps import sgd_step
from bplib.tensors import tensor

__all__ = ["Passes", "passes", "updated"]

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class Passes:
    """What flows through the neuron, forward and backward; every array has one element for each weight asked for.

    Parameters
    ----------
    product, z, output, loss : ndarray, shape (n,)
        w · x, z = w · x + b, a = σ(z), L = ½(a − y)².
    slope : ndarray, shape (n,)
        σ′(z) = a(1 − a).
    to_output, to_z, to_w, to_b : ndarray, shape (n,)
        ∂L/∂a, ∂L/∂z, ∂L/∂w, ∂L/∂b.
    """

    product: Floats
    z: Floats
    output: Floats
    loss: Floats
    slope: Floats
    to_output: Floats
    to_z: Floats
    to_w: Floats
    to_b: Floats


def passes(w: npt.ArrayLike, b: float, x: float, y: float) -> Passes:
    """Run the neuron forward and backward.

    ∂L/∂w = (a − y) · a(1 − a) · x,   ∂L/∂b = (a − y) · a(1 − a)

    Parameters
    ----------
    w : array_like, shape (n,) or ()
        One weight or many; each is a neuron of its own.
    b, x, y : float
        Bias, input and target, the same for all.

    Returns
    -------
    Passes

    Notes
    -----
    The ½ is Nielsen's; `losses.mse` has none, so that it is written out here.

    References
    ----------
    M. A. Nielsen (2015), *Neural Networks and Deep Learning*, Determination Press, chapter 3.

    Examples
    --------
    >>> found = passes([1.2], 0.9, 0.5, 0.0)
    >>> found.output.round(4), found.to_w.round(4)
    (array([0.8176]), array([0.061]))
    """
    weight = tensor(np.atleast_1d(np.asarray(w, dtype=np.float64)), requires_grad=True, name="w")
    bias = tensor(np.full(weight.shape, b), requires_grad=True, name="b")
    product = weight * x
    z = product + bias
    output = sigmoid(z)
    loss = 0.5 * losses.mse(output, np.full(weight.shape, y), reduction="none")
    z.retain_grad()
    output.retain_grad()
    # The sum makes one number to start from; the losses do not meet before it, so that each keeps its own gradients.
    loss.sum().backward()
    return Passes(
        product.numpy(), z.numpy(), output.numpy(), loss.numpy(), _slope(z.numpy()),
        output.grad, z.grad, weight.grad, bias.grad,
    )  # fmt: skip


def _slope(z: Floats) -> Floats:
    """σ′(z); z.grad / output.grad would be 0 / 0 where the answer is right."""
    alone = tensor(z, requires_grad=True)
    sigmoid(alone).sum().backward()
    return np.asarray(alone.grad)


def updated(w: float, b: float, found: Passes, lr: float) -> tuple[float, float]:
    """Weight and bias after one update.

    w ← w − η ∂L/∂w,   b ← b − η ∂L/∂b

    Parameters
    ----------
    w, b : float
    found : Passes
        Of this one weight.
    lr : float
        Learning rate η.

    Returns
    -------
    tuple of (float, float)

    Examples
    --------
    >>> w, b = updated(1.0, 0.0, passes(1.0, 0.0, 0.0, 0.0), 0.8)
    >>> w, round(b, 6)
    (1.0, -0.1)
    """
    parameters = np.array([w, b])
    sgd_step(parameters, np.array([found.to_w[0], found.to_b[0]]), lr=lr)
    return float(parameters[0]), float(parameters[1])
