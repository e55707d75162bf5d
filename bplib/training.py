"""The training pipeline: batches in, *Forward - Loss - Backward - Update*, a history out."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib.checks import as_array, as_count, as_pair
from bplib.data import DataLoader
from bplib.engine import no_grad
from bplib.errors import DataError, ShapeError
from bplib.nn import Module
from bplib.optim import Optimizer
from bplib.tensors import Tensor

__all__ = ["History", "Run", "accuracy", "evaluate", "fit"]

Loss = Callable[[Tensor, np.ndarray], Tensor]
Callback = Callable[[str, "Run"], Any]


class History(Mapping[str, np.ndarray]):
    """What happened during training: one row an epoch, each column an array.

    ``history["train_loss"]`` is the mean over the epoch's batches, each taken before its own
    update; ``history["valid_loss"]`` is measured after the epoch. ``history["seconds"]`` is
    the time since the start.

    Attributes
    ----------
    stopped : str
        Why training ended before its last epoch; empty if it did not.

    Examples
    --------
    >>> history = History()
    >>> history.append(epoch=1, train_loss=0.5, seconds=0.01)
    >>> history["train_loss"]
    array([0.5])
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.stopped = ""

    def append(self, **row: float) -> None:
        """Add one epoch.

        Raises
        ------
        DataError
            If the columns differ from those of the epochs before.
        """
        if self._columns and self._columns.keys() != row.keys():
            raise DataError(f"History: the row has columns {sorted(row)}. Expected {sorted(self._columns)}.")
        for name, value in row.items():
            self._columns.setdefault(name, []).append(value)

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self._columns:
            raise KeyError(f"History has no column {column!r}. Expected one of {', '.join(self._columns)}.")
        return np.array(self._columns[column])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        # The seconds differ from run to run; the table shows what does not.
        names = [name for name in self._columns if name != "seconds"]
        n = len(self._columns.get("epoch", []))
        shown = [*range(min(n, 3)), *range(max(3, n - 2), n)]
        lines = ["".join(f"{name:>12}" for name in names)]
        for place, i in enumerate(shown):
            if place and i != shown[place - 1] + 1:
                lines.append(f"{'…':>12}" * len(names))
            values = [self._columns[name][i] for name in names]
            lines.append("".join(f"{v:>12}" if isinstance(v, int) else f"{v:>12.4f}" for v in values))
        return "\n".join([*lines, *([self.stopped] if self.stopped else [])])


@dataclass(frozen=True)
class Run:
    """What a callback may look at while training goes on.

    Attributes
    ----------
    model : Module
        The network, in its present state.
    optimizer : Optimizer
        What updates it.
    history : History
        The epochs so far.
    """

    model: Module
    optimizer: Optimizer
    history: History


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    train_data: tuple[Any, Any],
    valid_data: tuple[Any, Any] | None = None,
    *,
    epochs: int,
    batch_size: int = 32,
    rng: np.random.Generator | int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool = True,
) -> History:
    """Train a model: for every batch Forward, Loss, Backward, Update.

    Parameters
    ----------
    model : Module
        What learns; changed in place.
    loss : callable
        ``loss(prediction, target) -> Tensor``, such as ``bplib.losses.cross_entropy``.
    optimizer : Optimizer
        Made over the model's parameters.
    train_data : (X, y)
        Examples, one a row, and their targets.
    valid_data : (X, y), optional
        Examples that are only looked at: their loss is noted after each epoch.
    epochs : int ≥ 1
        How often every example is seen.
    batch_size : int ≥ 1
        Examples in one step.
    rng : numpy.random.Generator or int, optional
        Decides the order of the examples; seed 0 if left out.
    callbacks : iterable of callable
        Each is called as ``callback(event, run)`` with the event "epoch_end" after every
        epoch and "fit_end" at the end. Returning True from "epoch_end" stops the training.
    progress : bool
        Show a bar with the loss and the time left.

    Returns
    -------
    History
        Columns ``epoch``, ``train_loss``, ``valid_loss`` (with `valid_data`) and ``seconds``.
        Training stops, and ``history.stopped`` says so, once the loss is no finite number.

    Raises
    ------
    DomainError
        If `epochs` or `batch_size` is below 1.
    DataError, ShapeError
        If the data cannot be batched.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, rng=0)
    >>> X = np.linspace(-1.0, 1.0, 16)[:, None]
    >>> history = fit(model, bplib.losses.mse, bplib.optim.SGD(model.parameters(), lr=0.5),
    ...               (X, 3 * X + 1), epochs=30, batch_size=8, progress=False)
    >>> model.weight.data.round(3), model.bias.data.round(3)
    (array([[3.]]), array([1.]))
    """
    epochs = as_count(epochs, "epochs", 1, "fit")
    callbacks = _checked(model, loss, optimizer, callbacks)
    batches = DataLoader(*_pair("train_data", train_data), batch_size=batch_size, rng=rng)
    valid = None if valid_data is None else as_pair(*_pair("valid_data", valid_data), "fit")
    run, began = Run(model, optimizer, History()), time.perf_counter()
    with _bar(epochs, progress) as bar, np.errstate(all="ignore"):
        for epoch in range(1, epochs + 1):
            row = {"epoch": epoch, "train_loss": _one_epoch(model, loss, optimizer, batches)}
            if valid is not None:
                row["valid_loss"] = evaluate(model, loss, *valid)
            run.history.append(**row, seconds=time.perf_counter() - began)
            bar.set_postfix(loss=f"{row['train_loss']:.4f}", refresh=False)
            bar.update()
            asked = [callback("epoch_end", run) for callback in callbacks]
            if not math.isfinite(row["train_loss"]):
                run.history.stopped = (
                    f"Stopped after epoch {epoch}: the loss is {row['train_loss']}. Try a smaller learning rate."
                )
                break
            if any(isinstance(answer, (bool, np.bool_)) and answer for answer in asked):
                run.history.stopped = f"Stopped by a callback after epoch {epoch}."
                break
    for callback in callbacks:
        callback("fit_end", run)
    return run.history


def evaluate(model: Module, loss: Loss, X: Any, y: Any) -> float:
    """Give the loss of a model on data it does not learn from.

    Parameters
    ----------
    model : Module
        The network; unchanged.
    loss : callable
        ``loss(prediction, target) -> Tensor``.
    X, y : array_like
        Examples, one a row, and their targets.

    Returns
    -------
    float
        The loss over all examples.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(1, 1, rng=0)
    >>> evaluate(model, bplib.losses.mse, [[0.0]], model([[0.0]]).numpy())
    0.0
    """
    return loss(_predict(model, X), as_array(y, "y", "evaluate")).item()


def accuracy(model: Module, X: Any, y: Any) -> float:
    """Give the share of examples whose largest output stands at the true class.

    Parameters
    ----------
    model : Module
        The network; unchanged.
    X : array_like, shape (n, ...)
        The examples.
    y : array_like of int, shape (n,)
        The true classes.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ShapeError
        If there is not one class for each example.

    Examples
    --------
    >>> import bplib
    >>> model = bplib.nn.Linear(2, 2, bias=False, rng=0)
    >>> model.weight.assign([[1.0, 0.0], [0.0, 1.0]])
    >>> accuracy(model, [[3.0, 1.0], [0.0, 2.0]], [0, 0])
    0.5
    """
    scores, truth = _predict(model, X).data, as_array(y, "y", "accuracy")
    if scores.ndim < 1 or scores.shape[-1] < 2 or not scores.size:
        raise ShapeError(
            f"accuracy: the outputs have shape {scores.shape}. Expected examples with at least two classes each. "
            "For a network with one output, compare it with a threshold yourself."
        )
    if truth.shape != scores.shape[:-1]:
        raise ShapeError(
            f"accuracy: the outputs have shape {scores.shape}, y has shape {truth.shape}. "
            f"Expected one class for each example, shape {scores.shape[:-1]}."
        )
    return float((scores.argmax(axis=-1) == truth).mean())


def _one_epoch(model: Module, loss: Loss, optimizer: Optimizer, batches: DataLoader) -> float:
    model.train()
    total = 0.0
    for X, y in batches:
        # Forward
        prediction = model(X)
        # Loss
        batch_loss = loss(prediction, y)
        # Backward
        optimizer.zero_grad()
        batch_loss.backward()
        # Update
        optimizer.step()
        total += batch_loss.item() * len(X)
    return total / len(batches.X)


def _predict(model: Module, X: Any) -> Tensor:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad(), np.errstate(all="ignore"):
            return model(X)
    finally:
        for module, mode in modes:
            module.training = mode


def _checked(model: Any, loss: Any, optimizer: Any, callbacks: Any) -> tuple[Callback, ...]:
    """Refuse what would fail in the middle of the first epoch, or train nothing without a word."""
    if not isinstance(model, Module):
        raise DataError(f"fit: model is of type {type(model).__name__}. Expected a Module, such as nn.Linear(2, 1).")
    if not callable(loss):
        raise DataError(f"fit: loss is {loss!r}. Expected a function, such as bplib.losses.mse.")
    if not isinstance(optimizer, Optimizer):
        raise DataError(f"fit: optimizer is {optimizer!r}. Expected one, such as SGD(model.parameters(), lr=0.1).")
    own = {id(p) for p in model.parameters()}
    if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise DataError(
            "fit: the optimizer holds no parameter of this model, and would train another one. "
            "Make it with model.parameters()."
        )
    if callable(callbacks) or not isinstance(callbacks, Iterable):
        raise DataError("fit: callbacks must be a list of functions. Try callbacks=[f].")
    return tuple(callbacks)


def _pair(name: str, data: Any) -> tuple[Any, Any]:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise DataError(f"fit: {name} is a {type(data).__name__}. Expected a pair (X, y). Try (X_train, y_train).")
    return data[0], data[1]


def _bar(epochs: int, progress: bool) -> Any:
    from tqdm import tqdm  # imported where it is shown: `import bplib` stays quick

    # Standard output: a notebook paints everything on standard error red. Where `disable` is not passed,
    # the variable TQDM_DISABLE decides.
    silent = {} if progress else {"disable": True}
    return tqdm(total=epochs, desc="training", unit="epoch", file=sys.stdout, **silent)
