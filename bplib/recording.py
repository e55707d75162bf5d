"""A training step that is watched once and then repeated: what a compiler for neural networks does.

The first call runs the step as it is written and notes which operations it applied, in which
order, to what. Every further call does the same operations again, without deciding anything:
no Python of yours runs, no node is made, no order is looked for.

References
----------
A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, on the
evaluation trace: the record of one run of a program.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

import numpy as np

from bplib.checks import as_floats
from bplib.compiling import Applied, Started, compiled
from bplib.errors import BplibError, DataError, GraphError, ShapeError
from bplib.home import Home
from bplib.journal import Action, keep_journal
from bplib.modes import inspect_with, is_inspected, is_recording, unusual
from bplib.nodes import Array, Node
from bplib.quiet import quiet
from bplib.rules import Operation
from bplib.tensors import Tensor

__all__ = ["Recording", "replay"]


def replay(step: Callable[..., Any]) -> "Recording":
    """Give a faster training step: recorded at its first call, repeated at every further one.

    Parameters
    ----------
    step : callable
        A whole training step: forward, loss, backward and, if you like, ``optimizer.step()`` and
        ``zero_grad()``. What changes from call to call, such as a batch, comes in as an argument: arrays of
        floats arrive in the step as tensors, whole numbers as arrays.

    Returns
    -------
    Recording
        Call it like `step`, with arrays of the same shapes; it gives the loss as a number.

    Notes
    -----
    Everything else is frozen as it was at the first call: the path through ``if`` and ``for``, random
    numbers drawn, arrays computed with NumPy. Learning rates may change. Inside `detect_anomaly` the step
    runs as it is written.

    Raises
    ------
    DataError
        If `step` is no function.

    Examples
    --------
    >>> import bplib
    >>> w = bplib.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = bplib.optim.SGD([w], lr=0.1)
    >>> def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w * x).sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> fast = bplib.replay(step)
    >>> [round(fast(np.array([1.0, 1.0])), 6) for _ in range(3)]
    [3.0, 2.8, 2.6]
    """
    if not callable(step):
        raise DataError(f"replay: expected a function that takes a training step, got {type(step).__name__}.")
    return Recording(step)


@final
class Recording:
    """A training step that repeats itself; made by `replay`."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step
        self._inputs: list[Any] = []
        self._recorder = _Recorder()
        self._actions: list[Action] = []
        self._arrays: list[tuple[Node, Array]] = []
        self._homes: set[Home] = set()
        self._loss: Node | None = None

    def __call__(self, *inputs: Any) -> float:
        """Take one step and give its loss.

        Raises
        ------
        ShapeError
            If an argument has another shape than at the first call.
        DataError
            If an argument that is no array has changed, or their number has.
        GraphError
            If the step cannot be repeated: it calls no backward, or changes tensors by hand.
        """
        if unusual and is_inspected():
            return _as_number(self._step(*inputs))
        if self._loss is None:
            return self._record(inputs)
        if inputs or self._inputs:
            self._refill(inputs)
        for home in self._homes:
            if home.left and any(leaf.array is not array for leaf, array in self._arrays):
                self._check_types()
                return self._record(inputs)  # they live elsewhere now, and perhaps no longer side by side
        quiet().run(self._run)
        return self._loss.array.item()

    def _check_types(self) -> None:
        for leaf, array in self._arrays:
            if leaf.array.dtype != array.dtype:
                raise DataError(
                    f"replay: a parameter was {array.dtype} when the step was recorded and is {leaf.array.dtype} now. "
                    "Expected the same. Record a new step with replay(step)."
                )

    def _refill(self, inputs: Sequence[Any]) -> None:
        if len(inputs) != len(self._inputs):
            raise DataError(f"replay: the step was recorded with {len(self._inputs)} arguments, got {len(inputs)}.")
        for number, (place, value) in enumerate(zip(self._inputs, inputs, strict=True), 1):
            if type(place) is np.ndarray:
                _refill(place, value, number)
            elif place is not value and not _same(place, value):
                raise DataError(
                    f"replay: argument {number} was {place!r} when the step was recorded and is {value!r} now. "
                    "Expected the same; only arrays may change. Record a new step with replay(step)."
                )

    def _run(self) -> None:
        try:
            for action in self._actions:
                action()
        except BplibError:
            raise
        except (ValueError, IndexError, TypeError) as error:
            raise DataError(
                "replay: the recorded step does not fit these numbers; perhaps a class index is out of range. "
                "Call the step itself to see which operation it is."
            ) from error

    def _record(self, inputs: Sequence[Any]) -> float:
        if not is_recording():
            raise GraphError("replay: recording is off here, so no graph is made. Leave no_grad() first.")
        recorder = _Recorder()
        own = [_own_copy(value, number) for number, value in enumerate(inputs, 1)]
        before = inspect_with(recorder), keep_journal(recorder.entries)
        try:
            self._step(*own)
        finally:
            inspect_with(before[0])
            keep_journal(before[1])
        arrays = [value.array if isinstance(value, Node) else value for value in own]
        loss = recorder.checked(arrays)
        self._inputs, self._actions = arrays, compiled(recorder.entries)
        self._arrays = [(leaf, leaf.array) for leaf in recorder.leaves() if leaf.home is not None]
        self._homes = {leaf.home for leaf, _ in self._arrays if leaf.home is not None}
        self._loss = loss
        return loss.array.item()

    def __repr__(self) -> str:
        name = getattr(self._step, "__name__", type(self._step).__name__)
        if self._loss is None:
            return f"Recording of {name}, not yet run"
        return f"Recording of {name}, {len(self._actions)} actions"


class _Recorder:
    """Notes what a step does while it runs."""

    every_layer = False

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._leaf_orders: dict[Node, int] = {}

    def forward(self, node: Node, operation: Operation, parents: tuple[Node, ...], settings: tuple[Any, ...]) -> None:
        self.entries.append(Applied(node, operation, parents, settings))
        for parent in parents:
            self._leaf_orders.setdefault(parent, parent.order)

    def start(self, loss: Node, seed: Array) -> None:
        self.entries.append(Started(loss, seed))

    def backward(self, node: Node, incoming: Array, outgoing: Sequence[Array | None]) -> None:
        started = next(entry for entry in reversed(self.entries) if isinstance(entry, Started))
        started.visited.append((node, tuple(share is not None for share in outgoing)))

    def checked(self, inputs: Sequence[Any]) -> Node:
        """Give the loss, or say why the step cannot be repeated."""
        losses = [entry.loss for entry in self.entries if isinstance(entry, Started)]
        if not losses:
            raise GraphError("replay: the step calls no backward. Expected a training step: forward, loss, backward.")
        applied = [entry for entry in self.entries if isinstance(entry, Applied)]
        nodes = {node for entry in applied for node in (entry.node, *entry.parents)}
        if any(node.hooks is not None for node in nodes):
            raise GraphError(
                "replay: a tensor of this step has a hook or keeps its gradient; nobody would call it. "
                "Remove the hook, or run the step itself."
            )
        held = [node.array for node in nodes] + [part for entry in applied for part in _arrays_in(entry.settings)]
        for number, value in enumerate(inputs, 1):
            if type(value) is np.ndarray and not any(np.may_share_memory(value, array) for array in held):
                raise DataError(
                    f"replay: argument {number}, {value.dtype} of shape {value.shape}, is converted or not used inside "
                    "the step, so a new one would change nothing. Pass it as float64, and compute with it as a tensor."
                )
        updated = any(callable(entry) for entry in self.entries)
        if not updated and any(leaf.order != order for leaf, order in self._leaf_orders.items()):
            raise GraphError(
                "replay: the step changes a tensor by hand. Expected an optimizer's step(), which can be "
                "repeated. Or leave the update out of the step, and do it after each call."
            )
        return losses[-1]

    def leaves(self) -> list[Node]:
        """Give what the operations started from."""
        return [leaf for operand in self._leaf_orders for leaf, _ in operand.parts(operand.array)]


def _arrays_in(settings: Sequence[Any]) -> Iterator[Array]:
    for part in settings:
        if isinstance(part, np.ndarray):
            yield part
        elif isinstance(part, tuple):
            yield from _arrays_in(part)


def _own_copy(value: Any, number: int) -> Any:
    if isinstance(value, Node):
        if value.requires_grad:
            raise GraphError(
                f"replay: argument {number} is a tensor that asks for a gradient. Expected data; use the tensor inside "
                "the step without passing it."
            )
        return Tensor(value.array, name=value.name)
    if isinstance(value, np.ndarray):
        # As a tensor, so that 2.0 * x is recorded too; whole numbers are class indices and places.
        return Tensor(value) if value.dtype.kind == "f" else np.array(value)
    return value


def _refill(place: Array, value: Any, number: int) -> None:
    new = value.array if isinstance(value, Node) else value
    if type(new) is not np.ndarray:
        new = as_floats(new)
    if new.shape != place.shape:
        raise ShapeError(
            f"replay: argument {number} had shape {place.shape} when the step was recorded, and has shape {new.shape} "
            "now. Expected the same shape: the recorded arrays are used again. Record a new step with replay(step), or "
            "drop a last batch that is smaller."
        )
    if not np.can_cast(new.dtype, place.dtype, "same_kind"):
        raise DataError(f"replay: argument {number} was {place.dtype} at the recording and is {new.dtype} now.")
    place[...] = new


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and isinstance(left, (int, float, str, bytes, tuple)) and bool(left == right)


def _as_number(result: Any) -> float:
    return result.item() if isinstance(result, Node) else result  # type: ignore[attr-defined]
