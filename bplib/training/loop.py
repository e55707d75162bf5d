"""The training loop: batches in, *Forward - Loss - Backward - Update*, a history out."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bplib.checks import as_count, as_generator, as_pair
from bplib.data import DataLoader
from bplib.errors import BplibError, DataError
from bplib.nn import Module
from bplib.optim import Optimizer
from bplib.tensors import Tensor
from bplib.training.checkpoints import load
from bplib.training.events import Announcer
from bplib.training.history import History
from bplib.training.interrupts import StopWish
from bplib.training.run import Run
from bplib.training.scores import evaluate
from bplib.training.stopping import Checkpoint

__all__ = ["fit"]

Loss = Callable[[Tensor, np.ndarray], Tensor]
Callback = Callable[[str, Run], Any]
Metric = Callable[[Module, np.ndarray, np.ndarray], float]
Pair = tuple[np.ndarray, np.ndarray]


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
    metrics: Iterable[Metric] = (),
    accumulate: int = 1,
    resume: str | os.PathLike[str] | None = None,
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
        Examples that are only looked at: their loss is noted after each epoch. It is computed once before the first
        step as well, and forgotten: what cannot be judged is refused before an epoch of work is lost.
    epochs : int ≥ 1
        How often every example is seen.
    batch_size : int ≥ 1
        Examples in one step.
    rng : numpy.random.Generator or int, optional
        Decides the order of the examples; seed 0 if left out.
    callbacks : iterable of callable
        Each is called as ``callback(event, run)`` with the event "epoch_end" after every
        epoch and "fit_end" at the end; with `on`, at other events too. Returning True from
        "step_end" or "epoch_end" stops the training. `Checkpoint` is called last, wherever it stands.
    progress : bool
        Show a bar with the loss and the time left.
    metrics : iterable of callable
        Each ``metric(model, X, y) -> float``, such as `accuracy`, is taken on `valid_data` after every epoch,
        into the column ``valid_`` and its name; and like the loss once before the first step.
    accumulate : int ≥ 1
        How many batches one update sees: their gradients are added up, each by its share of the examples, as if they
        were one batch. For a network whose large batch does not fit into memory, and a loss that is a mean.
    resume : str or path-like, optional
        A file that `Checkpoint` wrote: model, optimizer, history, callbacks and the order of the examples go on from
        there, to the same bytes as without the pause.

    Returns
    -------
    History
        Columns ``epoch``, ``train_loss``, ``valid_loss`` (with `valid_data`) and ``seconds``.
        Training stops, and ``history.stopped`` says so, once the loss is no finite number, or at a keyboard
        interrupt: then the last step is finished, and nothing is lost. A second interrupt is raised at once.

    Raises
    ------
    DomainError
        If `epochs`, `batch_size` or `accumulate` is below 1.
    DataError, ShapeError
        If the data cannot be batched, or the validation cannot be judged; nothing has been learned then.

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
    epochs, batch_size = as_count(epochs, "epochs", 1, "fit"), as_count(batch_size, "batch_size", 1, "fit")
    together = batch_size * as_count(accumulate, "accumulate", 1, "fit")
    callbacks, metrics = _checked(model, loss, optimizer, callbacks, metrics)
    generator = as_generator(rng, "fit")
    batches = DataLoader(*_pair("train_data", train_data), batch_size=together, rng=generator)
    if metrics and valid_data is None:
        raise DataError("fit: metrics are taken on valid_data, which is not there. Try valid_data=(X_test, y_test).")
    loss, valid = _giving_tensors(loss), None if valid_data is None else _pair("valid_data", valid_data)
    if valid is not None:
        _rehearse(model, loss, metrics, valid, (batches.X, batches.y))
    history = History() if resume is None else load(resume, model, optimizer, rng=generator, callbacks=callbacks)
    run, first = Run(model, optimizer, history, generator, callbacks), len(history.get("epoch", ())) + 1
    tell = Announcer(callbacks, run)
    began = time.perf_counter() - (history["seconds"][-1] if first > 1 else 0.0)
    tell("fit_start")
    with _bar(epochs, first - 1, progress) as bar, np.errstate(all="ignore"), StopWish() as stop:
        for epoch in range(first, epochs + 1):
            tell("epoch_start")
            mean, seen, ended = _one_epoch(run, loss, batches, batch_size, tell, stop)
            row = {"epoch": epoch, "train_loss": mean, **_measured(model, loss, metrics, valid)}
            if seen:
                history.append(**row, seconds=time.perf_counter() - began)
            bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
            bar.update()
            ended = tell("epoch_end") or ended if seen == len(batches.X) else ended
            history.stopped = _reason(epoch, mean, seen, len(batches.X), ended, stop)
            if history.stopped:
                break
    tell("fit_end")
    return history


def _one_epoch(
    run: Run, loss: Loss, batches: DataLoader, size: int, tell: Announcer, stop: StopWish
) -> tuple[float, int, bool]:
    """Give the mean loss, the number of examples seen (all, unless it is stopped) and whether a callback stops it."""
    model, optimizer = run.model.train(), run.optimizer
    total, seen = 0.0, 0
    ended = False
    for X, y in batches:
        if stop.made or ended:
            break
        optimizer.zero_grad()
        for X_part, y_part, share in _parts(X, y, size):
            # Forward
            prediction = model(X_part)
            # Loss
            part_loss = loss(prediction, y_part)
            # Backward
            part_loss.backward(share)
            total += part_loss.item() * len(X_part)
        tell("backward_end")
        # Update
        optimizer.step()
        run.history.steps += 1
        seen += len(X)
        ended = tell("step_end")
    return total / seen if seen else math.nan, seen, ended


def _giving_tensors(loss: Loss) -> Loss:
    """Give the loss, with a word to those who leave the graph in it."""

    def checked(prediction: Tensor, target: np.ndarray) -> Tensor:
        value: Any = loss(prediction, target)
        if not isinstance(value, Tensor):
            raise DataError(
                f"fit: the loss gave a {type(value).__name__}, and Backward has no way through it. Expected a Tensor. "
                "Compute with the prediction itself, without .data, .numpy(), .item() or float()."
            )
        return value

    return checked


def _parts(X: np.ndarray, y: np.ndarray, size: int) -> list[tuple[np.ndarray, np.ndarray, float | None]]:
    """Give the batches that one update sees, each with its share of the examples; None is all of them."""
    if len(X) <= size:
        return [(X, y, None)]
    return [(X[i : i + size], y[i : i + size], len(X[i : i + size]) / len(X)) for i in range(0, len(X), size)]


def _rehearse(model: Module, loss: Loss, metrics: tuple[Metric, ...], valid: Pair, train: Pair) -> None:
    """Judge the validation once: what does not fit would otherwise cost the first epoch."""
    try:
        with np.errstate(all="ignore"):
            _measured(model, loss, metrics, valid)
    except BplibError as error:
        shapes = [
            f" A row of its {name} has shape {seen.shape[1:]}, in train_data {learned.shape[1:]}."
            for name, seen, learned in zip("Xy", valid, train, strict=True)
            if seen.shape[1:] != learned.shape[1:]
        ]
        error.args = (f"{error} This was found on valid_data, before the first step.{''.join(shapes)}",)
        raise


def _measured(model: Module, loss: Loss, metrics: tuple[Metric, ...], valid: Pair | None) -> dict[str, float]:
    if valid is None:
        return {}
    taken = {f"valid_{_name_of(metric)}": _score(metric, model, *valid) for metric in metrics}
    return {"valid_loss": evaluate(model, loss, *valid), **taken}


def _reason(epoch: int, mean: float, seen: int, n: int, ended: bool, stop: StopWish) -> str:
    """Say why training ends after this epoch; nothing if it goes on."""
    where = f"in epoch {epoch}, after {seen} of {n} examples" if seen < n else f"after epoch {epoch}"
    if stop.made:
        return f"Interrupted {where}. The last step was finished."
    if not math.isfinite(mean):
        return f"Stopped after epoch {epoch}: the loss is {mean}. Try a smaller learning rate."
    if ended:
        return f"Stopped by a callback {where}."
    return ""


def _checked(
    model: Any, loss: Any, optimizer: Any, callbacks: Any, metrics: Any
) -> tuple[tuple[Callback, ...], tuple[Metric, ...]]:
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
    # What a checkpoint keeps includes what the other callbacks did at the same event.
    listed = sorted(_functions("callbacks", callbacks), key=lambda callback: isinstance(callback, Checkpoint))
    measures = _functions("metrics", metrics)
    names = ["loss", *map(_name_of, measures)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(
            f"fit: two columns would be called valid_{twice}. Expected a name of its own for each metric. "
            "Write it with def and another name."
        )
    return tuple(listed), measures


def _functions(name: str, given: Any) -> tuple[Any, ...]:
    if callable(given) or not isinstance(given, Iterable):
        raise DataError(f"fit: {name} must be a list of functions. Try {name}=[f].")
    listed = tuple(given)
    for one in listed:
        if not callable(one):
            raise DataError(f"fit: {name} holds {one!r}. Expected functions. Try {name}=[f], without calling f.")
    return listed


def _score(metric: Metric, model: Module, X: np.ndarray, y: np.ndarray) -> float:
    score = metric(model, X, y)
    if not isinstance(score, int | float | np.number):
        raise DataError(f"fit: the metric {_name_of(metric)} gave a {type(score).__name__}. Expected one number.")
    return float(score)


def _name_of(metric: Metric) -> str:
    return getattr(metric, "__name__", type(metric).__name__)


def _pair(name: str, data: Any) -> Pair:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise DataError(f"fit: {name} is a {type(data).__name__}. Expected a pair (X, y). Try (X_train, y_train).")
    return as_pair(data[0], data[1], f"fit: {name}")


def _bar(epochs: int, done: int, progress: bool) -> Any:
    from tqdm import tqdm  # imported where it is shown: `import bplib` stays quick

    # Standard output: a notebook paints everything on standard error red. Where `disable` is not passed,
    # the variable TQDM_DISABLE decides.
    silent = {} if progress else {"disable": True}
    return tqdm(total=epochs, initial=done, desc="training", unit="epoch", file=sys.stdout, **silent)
