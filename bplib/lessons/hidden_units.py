"""How many hidden units XOR needs: a hundred networks of each width learn side by side.

Minsky and Papert showed that no network without hidden units computes exclusive or; Rumelhart, Hinton and Williams
let backpropagation find the hidden units. The starts of one width are one stack of arrays, so that a stage is computed
for all of them at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from bplib.checks import as_count, as_generator
from bplib.data import xor
from bplib.errors import DataError
from bplib.viz.picture import Picture
from bplib.viz.successes import success_bars

__all__ = ["MOST_UPDATES", "HiddenUnits", "Networks", "hidden_units"]

MOST_UPDATES = 5000
"""A start that is not solved by then counts as stuck."""

_RATE, _MOMENTUM = 0.5, 0.9
_CLOSE = 0.1

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True, repr=False)
class HiddenUnits:
    """What came of all starts.

    Parameters
    ----------
    widths : tuple of int
        Numbers of hidden units.
    updates : tuple of tuple
        For each width and each start the number of updates it needed, or None if it was not solved.

    Examples
    --------
    >>> HiddenUnits((1, 2), ((None, None, None), (300, None, 200)))
    hidden units   solved of 3   half of them within
    1                        0                     –
    2                        2           200 updates
    """

    widths: tuple[int, ...]
    updates: tuple[tuple[int | None, ...], ...]

    @property
    def starts(self) -> int:
        """How many starts there were of each width."""
        return len(self.updates[0])

    @property
    def solved(self) -> tuple[int, ...]:
        """How many starts were solved, for each width."""
        return tuple(len(_finished(needed)) for needed in self.updates)

    @property
    def medians(self) -> tuple[int | None, ...]:
        """Within how many updates half of the solved starts were solved, for each width; None if there are none."""
        return tuple(_lower_median(_finished(needed)) for needed in self.updates)

    def picture(self) -> Picture:
        """Draw a bar for each width: as high as starts of it were solved.

        Returns
        -------
        Picture
        """
        return success_bars(self.widths, self.solved, self.starts, self.medians)

    def __repr__(self) -> str:
        head = f"solved of {self.starts}"
        rows = [f"hidden units   {head}   half of them within"]
        for width, solved, median in zip(self.widths, self.solved, self.medians, strict=True):
            needed = "–" if median is None else f"{median} updates"
            rows.append(f"{width:<12}   {solved:>{len(head)}}   {needed:>19}")
        return "\n".join(rows)


def hidden_units(
    widths: Sequence[int] = (1, 2, 3, 4, 8), starts: int = 100, rng: np.random.Generator | int = 0
) -> HiddenUnits:
    """Train networks of several widths on XOR, each from many random starts, and count which are solved.

    E = ½ Σ (ŷ − y)² over the four examples; sigmoid units; v ← 0.9 v + ∂E/∂θ, θ ← θ − 0.5 v, from v = 0. A start is
    solved as soon as all four predictions are within 0.1 of their targets.

    Parameters
    ----------
    widths : sequence of int
        Numbers of hidden units, each at least 1.
    starts : int
        How many random starts of each width, at least 1.
    rng : Generator or int
        Every weight and bias is drawn uniformly from ±0.5. A seed is used anew for each width, so that no width
        depends on which others are asked for.

    Returns
    -------
    HiddenUnits
        The same in each run. About half a second for the hundred starts of five widths.

    Raises
    ------
    DataError, DomainError
        If there are no widths, or a number is no whole number or too small.

    References
    ----------
    M. Minsky and S. Papert (1969), *Perceptrons*, MIT Press.
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), "Learning representations by back-propagating errors",
    Nature 323, 533-536, doi 10.1038/323533a0.

    Examples
    --------
    >>> hidden_units([2, 3], starts=20).solved
    (19, 20)
    """
    counts = tuple(as_count(width, "a number of hidden units", 1, "hidden_units") for width in widths)
    if not counts:
        raise DataError("hidden_units: there are no widths. Expected at least one, such as hidden_units([2, 3]).")
    starts = as_count(starts, "starts", 1, "hidden_units")
    return HiddenUnits(counts, tuple(_train(Networks(width, starts, rng)) for width in counts))


@final
class Networks:
    """Many networks of two inputs, some hidden sigmoid units and one sigmoid output, which learn XOR side by side.

    Each method is one stage of the loop, for all networks at once: ``A @ B`` of two stacks multiplies matrix by matrix.

    Parameters
    ----------
    hidden : int
        Hidden units, at least 1.
    starts : int
        How many networks, at least 1.
    rng : Generator or int
        Where the first parameters come from.

    Attributes
    ----------
    parameters : list of numpy.ndarray, shapes (n, 2, h), (n, 1, h), (n, h, 1), (n, 1, 1)
        Weights and biases into the hidden units, weights and bias into the output, of n networks.
    velocities : list of numpy.ndarray
        The running sums v, of the same shapes.
    """

    def __init__(self, hidden: int, starts: int, rng: np.random.Generator | int) -> None:
        generator = as_generator(rng, "hidden_units")
        shapes = ((starts, 2, hidden), (starts, 1, hidden), (starts, hidden, 1), (starts, 1, 1))
        self.parameters = [generator.uniform(-0.5, 0.5, shape) for shape in shapes]
        self.velocities = [np.zeros(shape) for shape in shapes]
        self._X, self._y = xor()

    def forward(self) -> tuple[Floats, Floats]:
        """Forward: what the hidden units and the outputs give for the four examples.

        Returns
        -------
        hidden : numpy.ndarray, shape (n, 4, h)
        prediction : numpy.ndarray, shape (n, 4, 1)
        """
        W1, b1, W2, b2 = self.parameters
        hidden = _sigmoid(self._X @ W1 + b1)
        return hidden, _sigmoid(hidden @ W2 + b2)

    def loss(self, prediction: Floats) -> tuple[Floats, Floats]:
        """Loss: how far the predictions are from their targets.

        Parameters
        ----------
        prediction : numpy.ndarray, shape (n, 4, 1)

        Returns
        -------
        error : numpy.ndarray, shape (n, 4, 1)
            ŷ − y, which is ∂E/∂ŷ.
        loss : numpy.ndarray, shape (n,)
            E = ½ Σ (ŷ − y)².
        """
        error = prediction - self._y
        return error, 0.5 * (error**2).sum(axis=(1, 2))

    def backward(self, hidden: Floats, prediction: Floats, error: Floats) -> list[Floats]:
        """Backward: the gradient of E with respect to every parameter.

        Parameters
        ----------
        hidden, prediction : numpy.ndarray
            From `forward`.
        error : numpy.ndarray
            From `loss`.

        Returns
        -------
        list of numpy.ndarray
            In the shapes of the parameters.
        """
        W2 = self.parameters[2]
        at_output = error * prediction * (1 - prediction)
        at_hidden = (at_output @ W2.mT) * hidden * (1 - hidden)
        return [
            self._X.T @ at_hidden,
            at_hidden.sum(axis=1, keepdims=True),
            hidden.mT @ at_output,
            at_output.sum(axis=1, keepdims=True),
        ]

    def update(self, gradients: list[Floats]) -> None:
        """Update: one step with momentum, v ← 0.9 v + gradient, parameter ← parameter − 0.5 v.

        Parameters
        ----------
        gradients : list of numpy.ndarray
            From `backward`.
        """
        for parameter, velocity, gradient in zip(self.parameters, self.velocities, gradients, strict=True):
            velocity *= _MOMENTUM
            velocity += gradient
            parameter -= _RATE * velocity

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Let the other networks leave.

        Parameters
        ----------
        chosen : numpy.ndarray of bool, shape (n,)
        """
        self.parameters = [parameter[chosen] for parameter in self.parameters]
        self.velocities = [velocity[chosen] for velocity in self.velocities]


def _train(networks: Networks) -> tuple[int | None, ...]:
    """How many updates each network needed, None for those that were never solved."""
    left = np.arange(len(networks.parameters[0]))
    needed: list[int | None] = [None] * len(left)
    for updates in range(MOST_UPDATES + 1):
        hidden, prediction = networks.forward()
        error, _ = networks.loss(prediction)
        gradients = networks.backward(hidden, prediction, error)
        networks.update(gradients)
        solved = np.abs(error).max(axis=(1, 2)) < _CLOSE
        if solved.any():  # they leave: the others have room
            for start in left[solved]:
                needed[start] = updates
            left = left[~solved]
            networks.keep(~solved)
        if not left.size:
            break
    return tuple(needed)


def _sigmoid(z: Floats) -> Floats:
    return 1 / (1 + np.exp(-z))


def _finished(needed: Sequence[int | None]) -> list[int]:
    return sorted(updates for updates in needed if updates is not None)


def _lower_median(ordered: Sequence[int]) -> int | None:
    return ordered[(len(ordered) - 1) // 2] if ordered else None
