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
from bplib.errors import DataError
from bplib.nn import Module
from bplib.optim import Optimizer
from bplib.tensors import Tensor
from bplib.training.checkpoints import load
from bplib.training.history import History
from bplib.training.interrupts import StopWish
from bplib.training.run import Run
from bplib.training.scores import evaluate

__all__ = ["fit"]

Loss = Callable[[Tensor, np.ndarray], Tensor]
Callback = Callable[[str, Run], Any]
Metric = Callable[[Module, np.ndarray, np.ndarray], float]


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
    metrics : iterable of callable
        Each ``metric(model, X, y) -> float``, such as `accuracy`, is taken on `valid_data` after every epoch,
        into the column ``valid_`` and its name.
    resume : str or path-like, optional
        A file that `Checkpoint` wrote: model, optimizer, history and the order of the examples go on from there, to
        the same bytes as without the pause.

    Returns
    -------
    History
        Columns ``epoch``, ``train_loss``, ``valid_loss`` (with `valid_data`) and ``seconds``.
        Training stops, and ``history.stopped`` says so, once the loss is no finite number, or at a keyboard
        interrupt: then the last step is finished, and nothing is lost. A second interrupt is raised at once.

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
    callbacks, metrics = _checked(model, loss, optimizer, callbacks, metrics)
    generator = as_generator(rng, "fit")
    batches = DataLoader(*_pair("train_data", train_data), batch_size=batch_size, rng=generator)
    if metrics and valid_data is None:
        raise DataError("fit: metrics are taken on valid_data, which is not there. Try valid_data=(X_test, y_test).")
    valid = None if valid_data is None else as_pair(*_pair("valid_data", valid_data), "fit")
    history = History() if resume is None else load(resume, model, optimizer, rng=generator)
    run, first = Run(model, optimizer, history, generator), len(history.get("epoch", ())) + 1
    began = time.perf_counter() - (history["seconds"][-1] if first > 1 else 0.0)
    with _bar(epochs, first - 1, progress) as bar, np.errstate(all="ignore"), StopWish() as stop:
        for epoch in range(first, epochs + 1):
            mean, seen = _one_epoch(run, loss, batches, stop)
            row = {"epoch": epoch, "train_loss": mean, **_measured(model, loss, metrics, valid)}
            if seen:
                history.append(**row, seconds=time.perf_counter() - began)
            bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
            bar.update()
            whole = seen == len(batches.X)
            answers = [callback("epoch_end", run) for callback in callbacks] if whole else []
            history.stopped = _reason(epoch, mean, seen, len(batches.X), answers, stop)
            if history.stopped:
                break
    for callback in callbacks:
        callback("fit_end", run)
    return history


def _one_epoch(run: Run, loss: Loss, batches: DataLoader, stop: StopWish) -> tuple[float, int]:
    """Give the mean loss and the number of examples seen: all of them, unless somebody wants to stop."""
    model, optimizer = run.model.train(), run.optimizer
    total, seen = 0.0, 0
    for X, y in batches:
        if stop.made:
            break
        # Forward
        prediction = model(X)
        # Loss
        batch_loss = loss(prediction, y)
        # Backward
        optimizer.zero_grad()
        batch_loss.backward()
        # Update
        optimizer.step()
        run.history.steps += 1
        total += batch_loss.item() * len(X)
        seen += len(X)
    return total / seen if seen else math.nan, seen


def _measured(model: Module, loss: Loss, metrics: tuple[Metric, ...], valid: Any) -> dict[str, float]:
    if valid is None:
        return {}
    taken = {f"valid_{_name_of(metric)}": float(metric(model, *valid)) for metric in metrics}
    return {"valid_loss": evaluate(model, loss, *valid), **taken}


def _reason(epoch: int, mean: float, seen: int, n: int, answers: list[Any], stop: StopWish) -> str:
    """Say why training ends after this epoch; nothing if it goes on."""
    if stop.made:
        where = f"in epoch {epoch}, after {seen} of {n} examples" if seen < n else f"after epoch {epoch}"
        return f"Interrupted {where}. The last step was finished."
    if not math.isfinite(mean):
        return f"Stopped after epoch {epoch}: the loss is {mean}. Try a smaller learning rate."
    if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
        return f"Stopped by a callback after epoch {epoch}."
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
    return _functions("callbacks", callbacks), _functions("metrics", metrics)


def _functions(name: str, given: Any) -> tuple[Any, ...]:
    if callable(given) or not isinstance(given, Iterable):
        raise DataError(f"fit: {name} must be a list of functions. Try {name}=[f].")
    listed = tuple(given)
    for one in listed:
        if not callable(one):
            raise DataError(f"fit: {name} holds {one!r}. Expected functions. Try {name}=[f], without calling f.")
    return listed


def _name_of(metric: Metric) -> str:
    return getattr(metric, "__name__", type(metric).__name__)


def _pair(name: str, data: Any) -> tuple[Any, Any]:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise DataError(f"fit: {name} is a {type(data).__name__}. Expected a pair (X, y). Try (X_train, y_train).")
    return data[0], data[1]


def _bar(epochs: int, done: int, progress: bool) -> Any:
    from tqdm import tqdm  # imported where it is shown: `import bplib` stays quick

    # Standard output: a notebook paints everything on standard error red. Where `disable` is not passed,
    # the variable TQDM_DISABLE decides.
    silent = {} if progress else {"disable": True}
    return tqdm(total=epochs, initial=done, desc="training", unit="epoch", file=sys.stdout, **silent)
