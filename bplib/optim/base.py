"""What all optimizers share: groups of parameters, their state, and the walk over them."""

from abc import ABC, abstractmethod
from collections import UserDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bplib.checks import as_array, as_number, as_truth
from bplib.errors import DataError, DomainError, ShapeError
from bplib.journal import Forget, keepers, note
from bplib.optim.layout import Array, Layout
from bplib.quiet import quiet

__all__ = ["Optimizer"]


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
        self._layouts = [Layout(group["params"]) for group in self._groups]
        self._walk = list(zip(self._groups, self._layouts, strict=True))
        self._forget = Forget(parameter for layout in self._layouts for parameter in layout.params)
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
        for group, layout in self._walk:
            for blocks, t in layout.pieces():
                for theta, grad, state, room in blocks:
                    self._update(theta, grad, state, room, t, group.data)

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
        self._walk = list(zip(self._groups, self._layouts, strict=True))
        for accepted, layout in self._walk:
            layout.keep(self._state_of(accepted))
            accepted.changed = False

    def zero_grad(self) -> None:
        """Forget the gradients: ``.grad`` becomes None, and the next backward starts afresh."""
        if keepers:
            note(self._forget)
        self._forget()

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
        self, theta: Array, grad: Array, state: list[Array], room: Array | None, t: int, group: Mapping[str, Any]
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


def _are_mappings(parts: Any, keys: set[str]) -> bool:
    """Say whether `parts` is a list of dictionaries that have these keys."""
    return isinstance(parts, list | tuple) and all(isinstance(one, Mapping) and keys <= one.keys() for one in parts)


def _counts(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 0)


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
