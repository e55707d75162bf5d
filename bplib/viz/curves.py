"""Curves of a training run."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from bplib.checks import as_array
from bplib.errors import DataError, DomainError, ShapeError
from bplib.viz.picture import Picture
from bplib.viz.style import ROLES, Role, figure

__all__ = ["loop_curves", "loss_curves"]

# Column of the history, the word for its line, its role.
_LINES = (("train_loss", "training", "loss"), ("valid_loss", "validation", "validation"))
_LABEL_GAP = 0.09  # of the height of the axes: two words, one above the other, do not touch


class _Line(NamedTuple):
    word: str
    epoch: NDArray[np.float64]
    loss: NDArray[np.float64]
    role: Role
    time: str = "epoch"

    @property
    def finite(self) -> NDArray[np.bool_]:
        return np.isfinite(self.loss)


def loss_curves(history: Mapping[str, ArrayLike], *, log: bool = False) -> Picture:
    """Draw training and validation loss per epoch.

    Parameters
    ----------
    history : mapping
        Columns of equal length: ``"epoch"``, ``"train_loss"`` and, if there is one,
        ``"valid_loss"``. What `fit` returns is one.
    log : bool
        Put the loss on a logarithmic axis; the losses must then be above 0.

    Returns
    -------
    Picture
        One line each, with its name at its end. A loss that is not finite leaves a gap.

    Raises
    ------
    DataError
        If a column is missing or does not hold numbers.
    ShapeError
        If the columns differ in length or are empty.
    DomainError
        If no loss is finite, or `log` meets a loss of 0 or below.

    Examples
    --------
    >>> loss_curves({"epoch": [1, 2, 3], "train_loss": [2.3, 0.6, 0.2]})
    The training loss falls from 2.3 in epoch 1 to 0.2 in epoch 3.
    """
    lines = _read(history)
    if log:
        _check_positive(lines)
    story = "; ".join(_story(line, f"the {line.word} loss") for line in lines)
    return _drawn(lines, story, log=log)


def loop_curves(without_update: ArrayLike, with_update: ArrayLike) -> Picture:
    """Draw the loss of every loop, of a run that leaves out Update and of one that does not.

    Parameters
    ----------
    without_update, with_update : array_like, shape (loops,)
        The losses, finite, at least one each.

    Returns
    -------
    Picture
        One line each, with its name at its end.

    Raises
    ------
    DataError, DomainError
        For what holds no finite numbers.
    ShapeError
        If the two differ in length or are empty.

    Examples
    --------
    >>> loop_curves([0.4, 0.4, 0.4], [0.4, 0.2, 0.1])
    Without Update the loss stays at 0.4 from loop 1 to loop 3; with Update the loss falls from 0.4 in loop 1 to 0.1 ...
    """
    lines = []
    for word, losses, role in (("without Update", without_update, "gradient"), ("with Update", with_update, "update")):
        loss = as_array(losses, word, "loop_curves").astype(np.float64)
        lines.append(_Line(word, np.arange(1.0, loss.size + 1), loss, ROLES[role], "loop"))
    first, second = (line.loss.shape for line in lines)
    if first != second or len(first) != 1 or not first[0]:
        raise ShapeError(
            f"loop_curves: the losses have shapes {first} and {second}. Expected one loss for each loop, "
            "and as many loops without Update as with it."
        )
    if not all(line.finite.all() for line in lines):
        raise DomainError("loop_curves: some loss is not finite. Expected finite numbers. Try a smaller learning rate.")
    return _drawn(lines, "; ".join(_story(line, f"{line.word} the loss") for line in lines), log=False)


def _drawn(lines: list[_Line], story: str, *, log: bool) -> Picture:
    fig = figure(6.6, 3.5)
    fig.set_layout_engine("constrained", w_pad=0.12, h_pad=0.1)
    axes = fig.subplots()
    for line in lines:
        # One epoch alone has no line to draw, so it gets its marker.
        marker = line.role.marker if line.finite.sum() == 1 else "None"
        style: dict[str, Any] = {
            "color": line.role.colour,
            "linestyle": line.role.linestyle,
            "markerfacecolor": line.role.fill,
        }
        axes.plot(line.epoch, np.where(line.finite, line.loss, np.nan), marker=marker, label=line.word, **style)
    _set_axes(axes, lines, log)
    _name_ends(axes, lines)
    return Picture(fig, story[0].upper() + story[1:] + ".")


def _read(history: Mapping[str, ArrayLike]) -> list[_Line]:
    """Return the lines to draw, checked."""
    epoch = _column(history, "epoch")
    lines = [
        _Line(word, epoch, _column(history, key), ROLES[role])
        for key, word, role in _LINES
        if key == "train_loss" or key in history
    ]
    for line in lines:
        if line.loss.shape != epoch.shape or epoch.ndim != 1 or not epoch.size:
            raise ShapeError(
                f"loss_curves: the {line.word} loss has shape {line.loss.shape}, the epochs have shape {epoch.shape}. "
                f"Expected one loss per epoch, and at least one epoch. Pass what fit(...) returned."
            )
        if not line.finite.any():
            raise DomainError(
                f"loss_curves: none of the {len(epoch)} {line.word} losses is finite. Expected at least one number to "
                f"draw. The training diverged at once: try a smaller lr."
            )
    return lines


def _column(history: Mapping[str, ArrayLike], key: str) -> NDArray[np.float64]:
    try:
        values = history[key]
    except (KeyError, IndexError, TypeError):
        raise DataError(
            f"loss_curves: there is no column {key!r} in this {type(history).__name__}. Expected 'epoch' and "
            f"'train_loss', and 'valid_loss' if there is one. Pass what fit(...) returned."
        ) from None
    return as_array(values, f"history[{key!r}]", "loss_curves").astype(np.float64)


def _check_positive(lines: list[_Line]) -> None:
    for line in lines:
        lowest = line.loss[line.finite].min()
        if lowest <= 0:
            raise DomainError(
                f"loss_curves: the {line.word} loss reaches {lowest:.3g}. A logarithmic axis expects losses above 0. "
                f"Use log=False."
            )


def _set_axes(axes: Axes, lines: list[_Line], log: bool) -> None:
    epoch = lines[0].epoch
    axes.set_xlabel(lines[0].time)
    axes.set_ylabel("loss (log scale)" if log else "loss")
    if len(epoch) > 1:
        axes.set_xlim(epoch.min(), epoch.max())
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.set_xlim(epoch[0] - 1, epoch[0] + 1)
        axes.set_xticks(epoch)
    if log:
        axes.set_yscale("log")
    elif all(line.loss[line.finite].min() >= 0 for line in lines):
        axes.set_ylim(bottom=0)  # a loss of zero is the aim, so it belongs in the picture


def _name_ends(axes: Axes, lines: list[_Line]) -> None:
    """Write each line's name to the right of its end, moved apart where two ends meet."""
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = [to_axes.transform((line.epoch[line.finite][-1], line.loss[line.finite][-1])) for line in lines]
    heights = _spread([float(height) for _, height in ends])
    for line, (x, _), height in zip(lines, ends, heights, strict=True):
        words = line.word if line.finite[-1] else f"{line.word}, then not finite"
        place: dict[str, Any] = {"xycoords": "axes fraction", "xytext": (8, 0), "textcoords": "offset points"}
        axes.annotate(words, (float(x), height), va="center", fontsize=11, color=line.role.colour, **place)


def _spread(heights: list[float]) -> list[float]:
    """Move heights apart to at least the gap, keeping their order and their middle."""
    order = np.argsort(heights, kind="stable")
    apart = np.array(heights)[order]
    for i in range(1, len(apart)):
        lack = _LABEL_GAP - (apart[i] - apart[i - 1])
        if lack > 0:
            apart[:i] -= lack / 2
            apart[i:] += lack / 2
    apart += max(0.0, 0.02 - apart[0])
    result = np.empty_like(apart)
    result[order] = apart
    return [float(height) for height in result]


def _story(line: _Line, subject: str) -> str:
    """Tell in words where the line starts, where it ends and where it is lowest."""
    epoch, loss = line.epoch[line.finite], line.loss[line.finite]
    first, last = f"{line.time} {epoch[0]:g}", f"{line.time} {epoch[-1]:g}"
    if len(loss) == 1:
        story = f"{subject} is {loss[0]:.3g} in {last}"
    elif line.finite.all() and (loss == loss[0]).all():
        story = f"{subject} stays at {loss[0]:.3g} from {first} to {last}"
    elif abs(loss[-1] - loss[0]) <= 0.01 * abs(loss[0]):
        story = f"{subject} goes from {loss[0]:.3g} in {first} to {loss[-1]:.3g} in {last}"
    else:
        verb = "falls" if loss[-1] < loss[0] else "rises"
        story = f"{subject} {verb} from {loss[0]:.3g} in {first} to {loss[-1]:.3g} in {last}"
    lowest = int(loss.argmin())
    if f"{loss[lowest]:.3g}" != f"{min(loss[0], loss[-1]):.3g}":
        story += f", with its lowest value {loss[lowest]:.3g} in {line.time} {epoch[lowest]:g}"
    if not line.finite.all():
        story += f", and is not finite in {np.count_nonzero(~line.finite)} of {len(line.loss)} {line.time}s"
    return story
