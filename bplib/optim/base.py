"""What all optimizers share: groups of parameters, their state, and the walk over them."""

from abc import ABC, abstractmethod
from collections import UserDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bplib.checks import as_array, as_number, as_truth
from bplib.errors import DataError, DomainError, ShapeError
from bplib.journal import keepers, note
from bplib.quiet import quiet

__all__ = ["Optimizer"]

# A step reads and writes several vectors; blocks of this many numbers stay in the processor's cache, and from 256 KB
# on NumPy computes a product such as (1 - β₂) * g * g in the memory of its first half.
_BLOCK = 32_768


class Optimizer(ABC):
    """The base of every optimizer: it walks over the parameters, a method says what one step does.

    Parameters
    ----------
    params : iterable of Tensor, or of dicts with a ``"params"`` entry
        The parameters, or groups of them that each may have settings of their own.
    **settings
        The method's settings, the same for all groups that do not say otherwise.
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, params: Iterable[Any], **settings: Any) -> None:
        self._groups = [_Group(group) for group in _as_groups(params, settings, type(self).__name__)]
        self.param_groups = list(self._groups)
        for group in self._groups:
            self._validate(group)
        self._layouts = [_Layout(group["params"]) for group in self._groups]
        self._settings = {"params", *settings}

    def step(self) -> None:
        """Update every parameter that has a gradient; one whose ``.grad`` is None stays as it is."""
        if keepers:
            note(self._step)
        quiet().run(self._step)  # a run that diverges ends in infinities, and the loss tells

    def _step(self) -> None:
        if len(self.param_groups) != len(self._groups):
            self._accept()
        for group, checked in zip(self.param_groups, self._groups):  # noqa: B905  (as many; this is faster)
            # By identity: a dict that holds the same has not been checked, and its arrays have no single truth value.
            if group is not checked or checked.changed:
                self._accept()
                break
        for group, layout in zip(self._groups, self._layouts):  # noqa: B905  (made together; this is faster)
            for blocks, t in layout.pieces():
                for theta, grad, state in blocks:
                    self._update(theta, grad, state, t, group.data)

    def _accept(self) -> None:
        """Check what was changed by hand since the last step; other settings may change, the parameters may not."""
        name, groups = type(self).__name__, self.param_groups
        if len(groups) != len(self._layouts):
            raise DataError(
                f"{name}: param_groups has {len(groups)} groups now, and had {len(self._layouts)} when the optimizer "
                f"was made. Expected the same groups. Make a new optimizer: {name}([group, ...])."
            )
        for group, layout in zip(groups, self._layouts, strict=True):
            self._check_group(group)
            if group["params"] is not layout.params:
                raise DataError(
                    f"{name}: the parameters of a group are others than when the optimizer was made. Expected the "
                    f"same. Make a new optimizer for them: {name}([...])."
                )
        self._groups = [group if isinstance(group, _Group) else _Group(group) for group in groups]
        self.param_groups[:] = self._groups
        for accepted, layout in zip(self._groups, self._layouts, strict=True):
            layout.keep(self._state_of(accepted))
            accepted.changed = False

    def zero_grad(self) -> None:
        """Forget the gradients: ``.grad`` becomes None, and the next backward starts afresh."""
        if keepers:
            note(self._forget)
        self._forget()

    def _forget(self) -> None:
        for layout in self._layouts:
            for parameter in layout.params:
                parameter._gradient = None

    def state_dict(self) -> dict[str, Any]:
        """Give settings, checked as before a step, and state as plain numbers and copied arrays, to save and load."""
        self._accept()
        return {
            "method": type(self).__name__,
            "groups": [{k: v for k, v in g.items() if k != "params"} for g in self.param_groups],
            "state": [part.saved(self._state_of(g)) for part, g in zip(self._layouts, self.param_groups, strict=True)],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over settings and state that `state_dict` gave.

        Raises
        ------
        ShapeError
            If the state belongs to other parameters; nothing is changed then.
        DataError, DomainError
            If it is no such state, or holds an impossible setting; nothing is changed then either.
        """
        self._check_state(state)
        groups = [{**group, **new} for group, new in zip(self.param_groups, state["groups"], strict=True)]
        for new in groups:
            self._check_group(new)
        self._check_averages(state["state"], groups)
        for group, new, layout, saved in zip(self.param_groups, groups, self._layouts, state["state"], strict=True):
            group.update(new)
            layout.load(saved)

    def _check_state(self, state: Any) -> None:
        name = type(self).__name__
        if not isinstance(state, Mapping):
            raise DataError(
                f"{name}: the saved state is of type {type(state).__name__}. Expected what state_dict() gave."
            )
        saved, groups = state.get("state", []), state.get("groups", ())
        whole = _are_mappings(saved, {"shapes", "counts", "arrays"}) and _are_mappings(groups, set())
        if not whole or not all(isinstance(part["arrays"], Mapping) for part in saved):
            raise DataError(f"{name}: the saved state has parts that are missing. Expected what state_dict() gave.")
        wanted = (name, [layout.shapes for layout in self._layouts])
        found = (state.get("method"), [part["shapes"] for part in saved])
        if wanted != found:
            raise ShapeError(
                f"{name}: the saved state does not fit. Expected {wanted[0]} over parameters of shapes {wanted[1]}, "
                f"got {found[0]} over {found[1]}. Load it into the same optimizer over the same model."
            )
        if len(groups) != len(self._layouts):
            raise ShapeError(
                f"{name}: the saved state has {len(groups)} groups. Expected {len(self._layouts)}. "
                "Take the state from state_dict()."
            )
        if unknown := sorted({str(key) for group in groups for key in group} - self._settings):
            raise DomainError(
                f"{name}: a saved group has the setting {unknown[0]!r}. Expected {', '.join(sorted(self._settings))}."
            )

    def _check_group(self, group: Mapping[str, Any]) -> None:
        if group.keys() != self._settings:
            raise DataError(
                f"{type(self).__name__}: a group has the settings {sorted(map(str, group))}. Expected "
                f"{sorted(self._settings)}. Put back into param_groups what is missing, and take out what is not known."
            )
        self._validate(group)

    def _check_averages(self, saved: Any, groups: Any) -> None:
        name = type(self).__name__
        for layout, part, group in zip(self._layouts, saved, groups, strict=True):
            counts = part["counts"]
            whole = isinstance(counts, list | tuple) and all(map(_counts, counts))
            if not whole or len(counts) != len(layout.params):
                raise DataError(
                    f"{name}: the saved counts are {counts!r}. Expected a whole number of at least 0 for each of the "
                    f"{len(layout.params)} parameters. Take the state from state_dict()."
                )
            missing = set(self._state_of(group)) - part["arrays"].keys()
            if missing and any(counts):
                raise DataError(f"{name}: the saved state lacks {min(missing)}. Expected what state_dict() gave.")
            for average, values in part["arrays"].items():
                shape = as_array(values, f"the saved {average}", name).shape
                if shape != (layout.size,):
                    raise ShapeError(
                        f"{name}: the saved {average} has shape {shape}. Expected {(layout.size,)}, one number for "
                        "each parameter. Take the state from state_dict()."
                    )

    def __repr__(self) -> str:
        settings = ", ".join(f"{k}={v!r}" for k, v in self.param_groups[0].items() if k != "params")
        return f"{type(self).__name__}({settings})"

    def _validate(self, group: Mapping[str, Any]) -> None:
        for key in ("lr", "eps", "weight_decay"):
            if key in group:
                as_number(group[key], key, type(self).__name__, least=0.0)
        for key in ("nesterov", "amsgrad", "bias_correction"):
            as_truth(group.get(key, False), key, type(self).__name__)

    def _state_of(self, group: Mapping[str, Any]) -> tuple[str, ...]:
        return self.state_names

    @abstractmethod
    def _update(
        self, theta: np.ndarray, grad: np.ndarray, state: list[np.ndarray], t: int, group: Mapping[str, Any]
    ) -> None: ...


class _Group(UserDict[str, Any]):
    """The settings of one group of parameters; it knows whether one was set since they were last checked."""

    changed = False

    def __setitem__(self, key: str, item: Any) -> None:
        self.changed = True
        super().__setitem__(key, item)

    def __delitem__(self, key: str) -> None:
        self.changed = True
        super().__delitem__(key)

    def __ior__(self, other: Any) -> "_Group":  # type: ignore[override,misc]
        self.update(other)  # the base class would go past __setitem__
        return self


# θ, its gradient and the running averages, as flat vectors of at most _BLOCK numbers.
_Block = tuple[np.ndarray, np.ndarray, list[np.ndarray]]


class _Layout:
    """Where each parameter of one group finds its numbers, and the method's running averages beside them."""

    def __init__(self, params: tuple[Any, ...]) -> None:
        self.params = params
        params[0].settle(params)
        ends = np.cumsum([0, *(p.size for p in params)])
        self._starts = [int(end) for end in ends]
        self.size = self._starts[-1]
        self.shapes = [tuple(p.shape) for p in params]
        # How many steps each parameter has taken; one that had no gradient for a while is behind.
        self._counts = [0] * len(params)
        self._kept: tuple[str, ...] = ()
        self._state: dict[str, np.ndarray] = {}
        self._homes: list[Any] = []
        self._runs: list[tuple[int, int]] = []
        # The blocks of a group that lives and learns together, which most groups do, and its steps; else None.
        self._whole: list[_Block] | None = None
        self._steps = 0

    def keep(self, names: tuple[str, ...]) -> None:
        """Have these running averages from now on."""
        if names != self._kept:
            self._dissolve()
            self._kept = names

    def pieces(self) -> list[tuple[list[_Block], int]]:
        """Give the blocks and the step number of each run of parameters that learn together, as few as possible.

        The graph is told that they change, so that an older forward pass is not used with them.
        """
        if self._whole is not None:
            home, first = self._homes[0], self.params[0]
            together = not home.left and first.home is home  # in a copy the parameters have another home
            for p in self.params:
                if p._gradient is None:
                    together = False
            if together:
                first.touch(self.params)
                self._steps += 1
                return [(self._whole, self._steps)]
            self._dissolve()
        homes = [p.home for p in self.params]
        if homes != self._homes:
            self._homes, self._runs = homes, self._find_runs()
        changed = [p for p in self.params if p.grad is not None]
        if changed:
            changed[0].touch(changed)
        return self._find_pieces()

    def _find_pieces(self) -> list[tuple[list[_Block], int]]:
        arrived = [p.grad is not None for p in self.params]
        pieces = []
        for first, last in self._runs:
            counts = self._counts[first:last]
            if False not in arrived[first:last] and counts.count(counts[0]) == last - first:
                pieces.append(self._piece(first, last))
            else:
                pieces += [self._piece(i, i + 1) for i in range(first, last) if arrived[i]]
        if len(pieces) == len(self._runs) == 1 and self._homes[0] is not None and all(arrived):
            self._whole, self._steps = pieces[0]
        return pieces

    def _dissolve(self) -> None:
        if self._whole is not None:
            self._counts = [self._steps] * len(self.params)
            self._whole = None

    def _average(self, name: str) -> np.ndarray:
        """Give the running average `name` of the whole group, 0 at first."""
        found = self._state.get(name)
        if found is None:
            dtype = np.result_type(*(p.dtype for p in self.params))
            found = self._state[name] = np.zeros(self.size, dtype)
        return found

    def saved(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Give what a later run needs, the averages of these names even where they are still 0."""
        self._dissolve()
        if any(self._counts):
            for name in names:
                self._average(name)
        arrays = {name: array.copy() for name, array in self._state.items()}
        return {"shapes": self.shapes, "counts": list(self._counts), "arrays": arrays}

    def load(self, saved: Mapping[str, Any]) -> None:
        self._whole, self._counts = None, list(saved["counts"])
        self._state = {name: np.array(array) for name, array in saved["arrays"].items()}

    def _find_runs(self) -> list[tuple[int, int]]:
        # Parameters moved house, perhaps into another dtype; the averages follow.
        dtype = np.result_type(*(p.dtype for p in self.params))
        self._state = {name: array.astype(dtype, copy=False) for name, array in self._state.items()}
        runs, first = [], 0
        for i in range(1, len(self.params) + 1):
            if i == len(self.params) or not _neighbours(self.params[i - 1], self.params[i]):
                runs.append((first, i))
                first = i
        return runs

    def _piece(self, first: int, last: int) -> tuple[list[_Block], int]:
        t = self._counts[first] + 1
        self._counts[first:last] = [t] * (last - first)
        start, stop = self._starts[first], self._starts[last]
        state = [self._average(name)[start:stop] for name in self._kept]
        parameter = self.params[first]
        home = parameter.home
        if home is None:
            return _blocks(parameter.data.reshape(-1), parameter.grad.reshape(-1), state), t
        span = slice(parameter.offset, parameter.offset + stop - start)
        return _blocks(home.values[span], home.gradients[span], state), t


def _blocks(theta: np.ndarray, grad: np.ndarray, state: list[np.ndarray]) -> list[_Block]:
    parts = [slice(start, start + _BLOCK) for start in range(0, theta.size, _BLOCK)]
    return [(theta[part], grad[part], [average[part] for average in state]) for part in parts]


def _are_mappings(parts: Any, keys: set[str]) -> bool:
    """Say whether `parts` is a list of dictionaries that have these keys."""
    return isinstance(parts, list | tuple) and all(isinstance(one, Mapping) and keys <= one.keys() for one in parts)


def _counts(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 0)


def _neighbours(left: Any, right: Any) -> bool:
    return left.home is not None and left.home is right.home and right.offset == left.offset + left.size


def _as_groups(params: Iterable[Any], settings: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = _listed(params, name)
    groups = listed if listed and isinstance(listed[0], Mapping) else [{"params": listed}]
    seen: set[int] = set()
    result = []
    for group in groups:
        if not isinstance(group, Mapping):
            raise DataError(
                f"{name}: a group is of type {type(group).__name__}. Expected a dict with the entry 'params', as the "
                "first one is."
            )
        if unknown := sorted(set(group) - set(settings) - {"params"}, key=str):
            raise DomainError(f"{name}: a group has the setting {unknown[0]!r}. Expected {', '.join(settings)}.")
        members = _listed(group.get("params", ()), name)
        for p in members:
            _check_member(p, name)
            if id(p) in seen:
                raise DomainError(
                    f"{name}: one parameter stands twice in params; it would be updated twice a step. "
                    "Expected each once."
                )
            seen.add(id(p))
        if not any(p.requires_grad for p in members):
            raise DataError(
                f"{name}: there is nothing to update: no parameter here asks for a gradient. Pass model.parameters(), "
                "or tensors made with requires_grad=True."
            )
        result.append({**settings, **group, "params": tuple(members)})
    return result


def _listed(params: Any, name: str) -> list[Any]:
    if hasattr(params, "backward"):
        raise DataError(f"{name}: params is one tensor. Expected a list of them. Try {name}([w], ...).")
    if isinstance(params, Mapping) or not isinstance(params, Iterable):
        raise DataError(
            f"{name}: params is of type {type(params).__name__}. Expected parameters. Pass model.parameters() or [w]."
        )
    return list(params)


def _check_member(p: Any, name: str) -> None:
    if not hasattr(p, "backward"):
        raise DataError(f"{name}: expected tensors to update, got {type(p).__name__}. Pass model.parameters().")
    if p.operation is not None:
        raise DataError(
            f"{name}: one of the tensors is the result of '{p.operation.name}' and is made anew at every forward pass. "
            "Pass the tensors it was computed from."
        )
