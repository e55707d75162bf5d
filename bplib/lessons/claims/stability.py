"""The edge of stability: gradient descent on a small network sharpens its loss surface until the rate is at its limit.

Cohen and others found it on large networks. The smallest task that shows it, a tanh network on twenty points of a
polynomial, runs in a second: every step a recorded forward and backward pass, and every 250 steps a power iteration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from bplib import losses, nn, optim
from bplib.checks import as_count, as_number
from bplib.errors import DataError, DomainError
from bplib.landscape import largest_eigenpair
from bplib.recording import replay
from bplib.tensors import Tensor
from bplib.viz.picture import Picture
from bplib.viz.stability import stability_curves

__all__ = ["EVERY", "RATES", "Stability", "edge_of_stability"]

RATES: tuple[float, ...] = (0.2, 0.1, 0.05)
"""The learning rates that the notebook shows."""

EVERY = 250
"""Steps from one look at the sharpness to the next."""

_SHIPPED_SEED = 0
_TAIL = 16  # looks at the sharpness: the last 4,000 of 10,000 steps
_HIDDEN, _POINTS, _DEGREE = 20, 20, 5
_CLOSE_ENOUGH = 1e-2  # the residual; the error of the eigenvalue is about its square

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, repr=False)
class Stability:
    """Runs of gradient descent, one for each learning rate.

    Parameters
    ----------
    rates : tuple of float
    losses : tuple of ndarray, shape (steps,)
        The loss before every step.
    sharpness : tuple of ndarray, shape (looks,)
        The largest eigenvalue of the Hessian at step 0, `EVERY`, 2 · `EVERY` and so on.

    Examples
    --------
    >>> edge_of_stability([0.1], steps=500)
    rate   2/η   sharpness at first   highest   in the end   steps on which the loss rose
    0.1     20                  5.2      0.4×         0.4×                              0
    """

    rates: tuple[float, ...]
    losses: tuple[Floats, ...]
    sharpness: tuple[Floats, ...]

    @property
    def peaks(self) -> tuple[float, ...]:
        """The highest sharpness of each run, as a multiple of its 2/η."""
        return tuple(float(found.max()) * rate / 2 for rate, found in zip(self.rates, self.sharpness, strict=True))

    @property
    def tails(self) -> tuple[float, ...]:
        """The median of the last 16 looks at the sharpness, as a multiple of 2/η."""
        return tuple(
            float(np.median(found[-_TAIL:])) * rate / 2 for rate, found in zip(self.rates, self.sharpness, strict=True)
        )

    @property
    def rises(self) -> tuple[int, ...]:
        """On how many steps the loss rose."""
        return tuple(int((np.diff(loss) > 0).sum()) for loss in self.losses)

    @property
    def left(self) -> tuple[float, ...]:
        """The share of the first loss that is left in the end."""
        return tuple(float(loss[-1] / loss[0]) for loss in self.losses)

    def picture(self) -> Picture:
        """Draw the losses, and below them the sharpness with a dashed line at each 2/η.

        Returns
        -------
        Picture
        """
        return stability_curves(self.rates, self.losses, self.sharpness, EVERY)

    def __repr__(self) -> str:
        rows = ["rate   2/η   sharpness at first   highest   in the end   steps on which the loss rose"]
        for i, rate in enumerate(self.rates):
            cells = f"{self.sharpness[i][0]:>18.1f}   {self.peaks[i]:>6.1f}×   {self.tails[i]:>9.1f}×"
            rows.append(f"{rate:<4g}   {2 / rate:>3g}   {cells}   {_hundreds(self.rises[i]):>28}")
        return "\n".join(rows)


def edge_of_stability(rates: Sequence[float] = RATES, steps: int = 10_000, seed: int = _SHIPPED_SEED) -> Stability:
    """Train the same network by full-batch gradient descent at several learning rates, and watch its sharpness.

    θ ← θ − η ∂L/∂θ with L = ½ · mean (ŷ − y)², all 20 examples at each step. A tanh network 1-20-20-1 learns 20 points
    of the Chebyshev polynomial of degree 5. Weights are drawn from N(0, 1/number of inputs); biases start at 0.

    Parameters
    ----------
    rates : sequence of float
        Learning rates η, above 0; at least one.
    steps : int
        Updates of each run, at least 250.
    seed : int
        Decides the first weights, the same for all rates.

    Returns
    -------
    Stability
        Runs are kept: the same question a second time costs nothing. The first takes about a second for each rate.

    Raises
    ------
    DataError, DomainError
        If there are no rates, a number is of a wrong kind or too small, or a run diverges.

    Notes
    -----
    At the edge of stability rounding errors grow at every step: the digits of a long run differ from machine to
    machine, its course does not.

    References
    ----------
    J. M. Cohen, S. Kaur, Y. Li, J. Z. Kolter and A. Talwalkar (2021), "Gradient descent on neural networks typically
    occurs at the edge of stability", ICLR, arXiv 2103.00065.

    Examples
    --------
    >>> found = edge_of_stability([0.05], steps=250)
    >>> len(found.losses[0]), found.sharpness[0].shape
    (250, (2,))
    """
    chosen = tuple(as_number(rate, "a rate", "edge_of_stability", least=0) for rate in rates)
    if not chosen or 0 in chosen:
        raise DataError("edge_of_stability: expected at least one rate, all above 0. Try edge_of_stability([0.2]).")
    steps = as_count(steps, "steps", EVERY, "edge_of_stability")
    runs = [_run(rate, steps, as_count(seed, "seed", 0, "edge_of_stability")) for rate in chosen]
    return Stability(chosen, tuple(loss for loss, _ in runs), tuple(sharpness for _, sharpness in runs))


@cache
def _run(rate: float, steps: int, seed: int) -> tuple[Floats, Floats]:
    """The loss before each step, and the sharpness at every look."""
    network, data = _network(seed), _data()
    optimizer = optim.SGD(network.parameters(), lr=rate)
    examples = Tensor(data[0])

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = _half_mse(network(examples), data[1])  # Forward, Loss
        loss.backward()  # Backward
        optimizer.step()  # Update
        return loss

    repeated, told, found, direction = replay(step), np.empty(steps), [], None
    for k in range(steps + 1):
        if k % EVERY == 0 or k == steps:
            _check(rate, told[:k])
            look = largest_eigenpair(network, _half_mse, data, tolerance=_CLOSE_ENOUGH, start=direction)
            direction = look.vector
            found.append(look.eigenvalue)
        if k < steps:
            told[k] = repeated()
    return _frozen(told), _frozen(found)


def _check(rate: float, told: Floats) -> None:
    if not np.isfinite(told).all():
        first = int(np.flatnonzero(~np.isfinite(told))[0])
        raise DomainError(
            f"edge_of_stability: at rate {rate:g} the loss is not finite from step {first} on. Expected a rate at "
            "which the run survives. Try a smaller one."
        )


def _network(seed: int) -> nn.Sequential:
    rng = np.random.default_rng(seed)
    sizes = ((1, _HIDDEN), (_HIDDEN, _HIDDEN), (_HIDDEN, 1))
    first, second, last = (nn.Linear(*size, rng=0) for size in sizes)
    for layer in (first, second, last):
        weight, bias = layer.parameters()
        nn.init.normal_(weight, std=1 / np.sqrt(weight.shape[0]), rng=rng)
        nn.init.zeros_(bias)
    return nn.Sequential(first, nn.Tanh(), second, nn.Tanh(), last)


def _data() -> tuple[Floats, Floats]:
    x = np.linspace(-1, 1, _POINTS)
    return x[:, None], np.polynomial.Chebyshev.basis(_DEGREE)(x)[:, None]


def _half_mse(prediction: Tensor, target: Any) -> Tensor:
    return 0.5 * losses.mse(prediction, target)


def _frozen(values: Any) -> Floats:
    array = np.array(values)
    array.setflags(write=False)
    return array


def _hundreds(count: int) -> str:
    """A count that chaos changes from machine to machine, said so that it is the same on all of them."""
    return str(count) if count < 100 else f"more than {count // 1000 * 1000:,}" if count >= 1000 else "more than 100"
