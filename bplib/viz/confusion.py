"""The confusion matrix as a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from bplib.data import confusion_counts
from bplib.errors import DomainError
from bplib.viz.picture import Picture
from bplib.viz.style import INK, PALETTE, PAPER, contrast_ratio, figure

__all__ = ["confusion_matrix"]

_RIGHT, _WRONG = PALETTE["blue"], PALETTE["orange"]
# A mistake is rare next to what is right, so its shade begins at a visible strength and is full at a fifth of a row.
_FAINTEST, _FULL = 0.25, 0.2
_MOST_CLASSES = 20


def confusion_matrix(truth: ArrayLike, prediction: ArrayLike, labels: Sequence[object] | None = None) -> Picture:
    """Draw how often each class was taken for each other.

    Row i, column j holds the number of examples of class i for which the model said class j.
    The shade is that number's share of its row: blue on the diagonal, where both agree, and
    orange with a dark edge beside it. Empty cells hold a dot.

    Parameters
    ----------
    truth, prediction : array_like, shape (n,), whole numbers from 0
        The class that is there, and the class the model says.
    labels : sequence, length n_classes, optional
        The names of the classes; the numbers themselves if left out.

    Returns
    -------
    Picture

    Raises
    ------
    DataError, ShapeError, DomainError
        For labels that `confusion_counts` refuses, or more than 20 classes.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"])
    3 of 4 are right (75.0 %). The most frequent confusion: cat taken for dog, 1 of 2 (50 %).
    """
    counts = confusion_counts(truth, prediction, None if labels is None else len(labels))
    names = [str(name) for name in (range(len(counts)) if labels is None else labels)]
    if len(names) > _MOST_CLASSES:
        raise DomainError(
            f"confusion_matrix: there are {len(names)} classes. Expected at most {_MOST_CLASSES}, so that the numbers "
            f"can be read. Draw the classes that are confused most."
        )
    side = 2.6 + 0.42 * len(names)
    fig = figure(side, side)
    fig.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    axes = fig.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for i, j in np.ndindex(*counts.shape):
        _draw_cell(axes, i, j, int(counts[i, j]), float(shares[i, j]))
    _set_axes(axes, names)
    return Picture(fig, _story(counts, names))


def _draw_cell(axes: Axes, i: int, j: int, count: int, share: float) -> None:
    colour = _shade(share, diagonal=i == j) if count else PAPER
    wrong = bool(count) and i != j
    # Edges lie inside the cell, so that neighbours do not cover them.
    inset = 0.44 if wrong else 0.49
    edge = INK if wrong else PAPER
    axes.add_patch(Rectangle((j - inset, i - inset), 2 * inset, 2 * inset, facecolor=colour, edgecolor=edge, lw=1.2))
    # Black, not the softer ink: on the shades between it alone reaches 4.5:1.
    ink = max(PALETTE["black"], PAPER, key=lambda words: contrast_ratio(words, colour))
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 13, "weight": "bold" if wrong else "normal"}
    axes.text(j, i, str(count) if count else "·", color=ink, **style)


def _shade(share: float, *, diagonal: bool) -> str:
    """Mix the cell's colour with the paper, stronger for a larger share."""
    strength = share if diagonal else min(share / _FULL, 1.0)
    strength = _FAINTEST + (1 - _FAINTEST) * strength
    ink, paper = np.array(to_rgb(_RIGHT if diagonal else _WRONG)), np.array(to_rgb(PAPER))
    return to_hex(tuple(strength * ink + (1 - strength) * paper))


def _set_axes(axes: Axes, names: list[str]) -> None:
    k = len(names)
    long = max(len(name) for name in names) > 3
    axes.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), aspect="equal")
    axes.set_xticks(range(k), names, rotation=45 if long else 0, ha="right" if long else "center", fontsize=12)
    axes.set_yticks(range(k), names, fontsize=12)
    axes.set_xlabel("the model says", fontsize=12)
    axes.set_ylabel("true class", fontsize=12)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _story(counts: NDArray[np.int64], names: list[str]) -> str:
    right, total = int(counts.trace()), int(counts.sum())
    story = f"{right} of {total} are right ({100 * right / total:.1f} %)."
    mistakes = counts - np.diag(counts.diagonal())
    if not mistakes.any():
        return story + " No class is taken for another."
    i, j = np.unravel_index(mistakes.argmax(), mistakes.shape)
    worst, size = int(mistakes[i, j]), int(counts[i].sum())
    tied = np.count_nonzero(mistakes == worst)
    beginning = "The most frequent confusion" if tied == 1 else f"The first of {tied} most frequent confusions"
    return f"{story} {beginning}: {names[i]} taken for {names[j]}, {worst} of {size} ({100 * worst / size:.0f} %)."
