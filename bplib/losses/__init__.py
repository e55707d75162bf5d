"""Losses: how far the prediction is from the target, in one number.

Every loss takes ``(prediction, target, *, reduction="mean")`` and refuses shapes that differ:
NumPy would broadcast (n, 1) against (n,) to (n, n) and give a wrong number without a word.
Where each element is compared with its own target, the mean is over all elements; where each
example has one distribution over classes, it is over the examples. There is no ½ in `mse`.

Three losses are one operation each; the others are written with the operations of the table,
so that `bplib.trace` tells them step by step.
"""

from bplib.losses.binary import binary_cross_entropy, binary_cross_entropy_with_logits, hinge
from bplib.losses.classification import cross_entropy, kl_divergence, nll
from bplib.losses.regression import huber, mae, mse

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "mae",
    "mse",
    "nll",
]
