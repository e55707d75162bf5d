"""The published results of notebook 00: what hidden units are for."""

from functools import cache

import numpy as np

from bplib import functional, losses, nn, optim
from bplib.data import xor
from bplib.lessons.claims.claim import Band, Claim, Source
from bplib.lessons.hidden_units import MOST_UPDATES, HiddenUnits, hidden_units

__all__ = ["LOOP_CLAIMS"]

_PERCEPTRONS = Source("M. Minsky and S. Papert", 1969, "Perceptrons", "MIT Press")
_BACKPROPAGATION = Source(
    "D. E. Rumelhart, G. E. Hinton and R. J. Williams", 1986, "Learning representations by back-propagating errors",
    "Nature 323, 533–536", "doi 10.1038/323533a0",
)  # fmt: skip
_STARTS, _CLOSE = 100, 0.1


@cache
def _experiment() -> HiddenUnits:
    return hidden_units(starts=_STARTS)


def _solved(width: int) -> int:
    return dict(zip(_experiment().widths, _experiment().solved, strict=True))[width]


@cache
def _without_hidden_units() -> tuple[int, float]:
    """How many of a hundred single units, which learn XOR side by side, are solved; the largest error of the best."""
    X, y = xor()
    rng = np.random.default_rng(0)
    weight = nn.Parameter(rng.uniform(-0.5, 0.5, (_STARTS, 2, 1)))
    bias = nn.Parameter(rng.uniform(-0.5, 0.5, (_STARTS, 1, 1)))
    optimizer = optim.SGD([weight, bias], lr=0.5, momentum=0.9)
    targets = np.broadcast_to(y, (_STARTS, *y.shape))
    for _ in range(MOST_UPDATES // 10):
        prediction = functional.sigmoid(X @ weight + bias)  # Forward
        loss = 0.5 * losses.mse(prediction, targets, reduction="sum")  # Loss
        optimizer.zero_grad()
        loss.backward()  # Backward
        optimizer.step()  # Update
    errors = np.abs(prediction.numpy() - y).max(axis=(1, 2))
    return int((errors < _CLOSE).sum()), float(errors.min())


LOOP_CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="00-no-hidden-unit",
        statement="A network without hidden units cannot learn XOR.",
        source=_PERCEPTRONS,
        where="",
        published="impossible: no straight line divides the targets, so some error is always at least 0.5",
        compute=_without_hidden_units,
        ours="{:.0f} of 100; the largest error of the best is {:.3f}",
        bands=(Band(0, 0), Band(0.5 - 1e-9, 0.51)),
        scaled_down="nothing",
    ),
    Claim(
        name="00-one-hidden-unit",
        statement="One hidden unit is not enough either: it, too, divides the examples by one straight line.",
        source=_PERCEPTRONS,
        where="",
        published="impossible, by the same argument",
        compute=lambda: (_solved(1),),
        ours="{:.0f} of 100 starts solved",
        bands=(Band(0, 0),),
        scaled_down="nothing",
    ),
    Claim(
        name="00-two-hidden-units",
        statement="The loop finds two hidden units that solve XOR, from most starts but not from all.",
        source=_BACKPROPAGATION,
        where="",
        published="hidden units learn; with just enough connections a start now and then ends in a poor local minimum",
        compute=lambda: (_solved(2),),
        ours="{:.0f} of 100 starts solved",
        bands=(Band(80, 99),),
        scaled_down="XOR only; the paper's tasks are larger",
    ),
    Claim(
        name="00-more-hidden-units",
        statement="With a few more hidden units than needed, a start that gets stuck is rare.",
        source=_BACKPROPAGATION,
        where="",
        published="a few more connections make ways around the poor local minima",
        compute=lambda: (_solved(3), _solved(4), _solved(8)),
        ours="{:.0f}, {:.0f} and {:.0f} of 100 starts solved with 3, 4 and 8 units",
        bands=(Band(97, 100),),
        scaled_down="XOR only",
    ),
)
"""The rows of notebook 00."""
