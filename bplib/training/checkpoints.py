"""Files that hold the state of a training run: arrays and JSON, never code.

A file is written beside its place and then renamed, so that there is the old one or the new one and
never half of one. It is read and checked as a whole before anything is taken over.
"""

import contextlib
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bplib.checks import as_generator
from bplib.errors import BplibError, DataError
from bplib.nn import Module
from bplib.optim import Optimizer
from bplib.training.history import History

__all__ = ["as_path", "load", "save"]

_FORMAT = "bplib checkpoint"
_VERSION = 2
_HEAD = "head"
_ARRAY = "in the array"
_MISFITS = (TypeError, ValueError, LookupError, AttributeError)
_PARTS = {"model", "generators", "rng", "optimizer", "history", "callbacks"}


def save(
    path: str | os.PathLike[str],
    model: Module,
    optimizer: Optimizer | None = None,
    history: History | None = None,
    *,
    rng: np.random.Generator | None = None,
    callbacks: Iterable[Any] = (),
) -> None:
    """Write a model to a file and, if they are given, the optimizer, the history and the generator of the shuffling.

    Parameters
    ----------
    path : str or path-like
        The file. One that is there is replaced only once the new one is complete.
    model : Module
        Its parameters and buffers are kept, and the generators of its dropout layers.
    optimizer : Optimizer, optional
        Its settings and running averages.
    history : History, optional
        The epochs so far.
    rng : numpy.random.Generator, optional
        Whose state is kept.
    callbacks : iterable of callable
        The state is kept of those that have ``state_dict()`` and ``load_state_dict(state)``.

    Raises
    ------
    DataError
        If the file cannot be written, or something is of another type.

    Examples
    --------
    >>> import tempfile, bplib
    >>> model, other = bplib.nn.Linear(2, 1, rng=0), bplib.nn.Linear(2, 1, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/model.npz", model)
    ...     history = load(f"{folder}/model.npz", other)
    >>> bool((model.theta == other.theta).all())
    True
    """
    place = as_path(path, "save")
    _check_kinds("save", model, optimizer)
    arrays: dict[str, np.ndarray] = {}
    head: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "model": _packed(model.state_dict(), "model", arrays),
        "generators": [generator.bit_generator.state for generator in _generators(model)],
        "rng": None if rng is None else as_generator(rng, "save").bit_generator.state,
        "optimizer": None if optimizer is None else _packed(optimizer.state_dict(), "optimizer", arrays),
        "history": None if history is None else _history_head(history),
        "callbacks": _packed([(type(c).__name__, c.state_dict()) for c in _keeping(callbacks)], "callbacks", arrays),
    }
    text = json.dumps(head, default=lambda value: np.asarray(value).tolist())
    arrays[_HEAD] = np.frombuffer(text.encode("utf-8"), np.uint8)
    _write(place, arrays)


def load(
    path: str | os.PathLike[str],
    model: Module,
    optimizer: Optimizer | None = None,
    *,
    rng: np.random.Generator | None = None,
    callbacks: Iterable[Any] = (),
) -> History:
    """Take over what `save` wrote, all of it or, if something does not fit, nothing.

    Parameters
    ----------
    path : str or path-like
        The file.
    model : Module
        Gets the parameters and buffers; of the same layers as the one that was saved.
    optimizer : Optimizer, optional
        Gets the settings and running averages, if they were saved.
    rng : numpy.random.Generator, optional
        Gets the state of the one that was saved.
    callbacks : iterable of callable
        Those that keep a state get it back; of the same types and in the same order as at `save`.

    Returns
    -------
    History
        The epochs so far; empty if none were saved.

    Raises
    ------
    DataError
        If the file is missing, damaged or no checkpoint, or holds other layers.
    ShapeError
        If a shape differs.
    """
    place = as_path(path, "load")
    _check_kinds("load", model, optimizer)
    head = _read(place)
    for wanted, key, word in ((optimizer, "optimizer", "optimizer"), (rng, "rng", "generator")):
        if wanted is not None and head[key] is None:
            raise DataError(f"load: {place} holds no {word}. Expected a file that was saved with one.")
    generators, states = _generators(model), head["generators"]
    if len(generators) != len(states):
        raise DataError(f"load: {place} holds {len(states)} dropout layers, the model has {len(generators)}.")
    if rng is not None:
        generators, states = [*generators, rng], [*states, head["rng"]]
    _check_generators(place, generators, states)
    keeping = _keeping(callbacks)
    _check_callbacks(place, keeping, head["callbacks"])
    history = _history(head["history"])
    owners = [model, *([] if optimizer is None else [optimizer]), *keeping]
    kept = [head["model"], *([] if optimizer is None else [_with_tuples(head["optimizer"])])]
    kept += [state for _, state in head["callbacks"][: len(keeping)]]
    before = [owner.state_dict() for owner in owners], [g.bit_generator.state for g in generators]
    try:
        _set(owners, kept, generators, states)
    except BaseException as error:
        _set(owners, before[0], generators, before[1])
        if isinstance(error, _MISFITS) and not isinstance(error, BplibError):
            raise _damaged(place) from None
        raise
    return history


def as_path(path: Any, caller: str) -> Path:
    """Give the path, ending in .npz."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise DataError(f"{caller}: path is {path!r}. Expected a file name, such as 'run.npz'.")
    place = Path(path)
    return place if place.suffix == ".npz" else place.with_name(place.name + ".npz")


def _check_kinds(caller: str, model: Any, optimizer: Any) -> None:
    if not isinstance(model, Module):
        raise DataError(f"{caller}: model is of type {type(model).__name__}. Expected a Module.")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise DataError(f"{caller}: optimizer is of type {type(optimizer).__name__}. Expected an Optimizer.")


def _set(owners: list[Any], kept: list[Any], generators: list[np.random.Generator], states: list[Any]) -> None:
    for owner, state in zip(owners, kept, strict=True):
        owner.load_state_dict(state)
    for generator, one in zip(generators, states, strict=True):
        generator.bit_generator.state = one


def _keeping(callbacks: Iterable[Any]) -> list[Any]:
    return [c for c in callbacks if hasattr(c, "state_dict") and hasattr(c, "load_state_dict")]


def _check_callbacks(place: Path, keeping: list[Any], saved: list[Any]) -> None:
    wanted, found = [type(callback).__name__ for callback in keeping], [name for name, _ in saved]
    if keeping and wanted != found:
        raise DataError(
            f"load: {place} holds the state of the callbacks {found}. Expected {wanted}, which are given here. Pass "
            "the callbacks that the run was saved with, in their order. Nothing was changed."
        )


def _check_generators(place: Path, generators: list[np.random.Generator], states: list[Any]) -> None:
    for generator, state in zip(generators, states, strict=True):
        kind = type(generator.bit_generator).__name__
        if state["bit_generator"] != kind:
            raise DataError(
                f"load: {place} holds a generator {state['bit_generator']}, the one given is {kind}. Expected the kind "
                "that was saved. Nothing was changed."
            )


def _generators(model: Module) -> list[np.random.Generator]:
    found = [getattr(module, "rng", None) for module in model.modules()]
    return [generator for generator in found if isinstance(generator, np.random.Generator)]


def _packed(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """Put the arrays of a state aside by name, and leave what JSON can hold."""
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, Mapping):
        return {key: _packed(part, f"{name}/{key}", arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_packed(part, f"{name}/{i}", arrays) for i, part in enumerate(value)]
    return value


def _unpacked(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        return {key: _unpacked(part, arrays) for key, part in value.items()}
    return [_unpacked(part, arrays) for part in value] if isinstance(value, list) else value


def _with_tuples(state: dict[str, Any]) -> dict[str, Any]:
    # JSON knows lists only; shapes and betas are tuples.
    groups = [{k: tuple(v) if isinstance(v, list) else v for k, v in group.items()} for group in state["groups"]]
    saved = [{**group, "shapes": [tuple(shape) for shape in group["shapes"]]} for group in state["state"]]
    return {**state, "groups": groups, "state": saved}


def _history_head(history: History) -> dict[str, Any]:
    return {"columns": {name: history[name].tolist() for name in history}, "steps": history.steps}


def _history(head: dict[str, Any] | None) -> History:
    history = History()
    if head is not None:
        for values in zip(*head["columns"].values(), strict=True):
            history.append(**dict(zip(head["columns"], values, strict=True)))
        history.steps = head["steps"]
    return history


def _write(place: Path, arrays: dict[str, np.ndarray]) -> None:
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise DataError(
            f"save: {place} cannot be written ({error.strerror}). Expected a folder that is there and has room. "
            "What was there before is unchanged."
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _read(place: Path) -> dict[str, Any]:
    """Give the head with the arrays put back into it."""
    try:
        # Opened here: NumPy leaves a file open that turns out to be empty.
        with place.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = dict(file)
        head = json.loads(arrays.pop(_HEAD).tobytes())
        known = head["format"] == _FORMAT and head["version"] == _VERSION
        whole: dict[str, Any] = _unpacked(head, arrays) if known else {}
        if known and not whole.keys() >= _PARTS:
            raise KeyError(_HEAD)
    except FileNotFoundError:
        raise DataError(f"load: {place} is not there. Expected a file that save or Checkpoint wrote.") from None
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        raise _damaged(place) from None
    if not known:
        raise DataError(
            f"load: {place} has the format {head['format']!r}, version {head.get('version')}. "
            f"Expected {_FORMAT!r}, version {_VERSION}. Nothing was changed."
        )
    return whole


def _damaged(place: Path) -> DataError:
    return DataError(
        f"load: {place} is damaged, or no checkpoint. Expected a whole file that save or Checkpoint wrote. "
        "Nothing was changed."
    )
