"""The state of widgets, cut down to what a browser alone can move."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bplib.viz.style import INK, PAPER

__all__ = ["Models", "alone", "is_interactive", "renumbered"]

Models = Mapping[str, Mapping[str, Any]]

_REFERENCE = "IPY_MODEL_"
_LINKS = ("LinkModel", "DirectionalLinkModel")
# What stands for a handle: a ring as the static twin has it, that nobody will try to drag.
_RING = {"kind": "points", "marker": "o", "size": 11, "colour": INK, "fill": PAPER}


def is_interactive(models: Models, root: str) -> bool:
    """Whether a widget has anything that a kernel or a browser would move.

    Parameters
    ----------
    models : mapping
        The state by model, as ``ipywidgets.Widget.get_manager_state`` gives it.
    root : str
        The model that is shown.

    Returns
    -------
    bool
        False too for questions, which are all text fields and buttons: there words stand for the whole.
    """
    return any("scene" in models[one]["state"] for one in _below(models, root))


def alone(models: Models, root: str) -> dict[str, dict[str, Any]]:
    """Give the part of a widget that works without a kernel: what a link inside the browser moves.

    The sliders that drive a Stage, the Stage without its handles, and the hidden model that names them stay, in the
    boxes they lie in. Buttons, lists and fields go: without a kernel they would do nothing, or worse, move and lie.

    Parameters
    ----------
    models : mapping
    root : str

    Returns
    -------
    dict
        Empty if nothing can be moved.
    """
    there = _below(models, root)
    links = {name: ends for name, ends in _links(models).items() if set(ends) <= there}
    if not links:
        return {}
    linked = {end for ends in links.values() for end in ends}
    kept = {one for one in there if one in linked or _names_controls(models[one])}
    shown = {one for one in there if _below(models, one) & linked}
    made = {name: _without_kernel(models[name], kept | shown) for name in [root, *links]}
    waiting = list(made)
    while waiting:
        for name in _references(made[waiting.pop()]["state"]):
            if name not in made and name in models:
                made[name] = _without_kernel(models[name], kept | shown)
                waiting.append(name)
    return made


def renumbered(models: Models) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the models names that are the same in every run, in their order.

    Parameters
    ----------
    models : mapping

    Returns
    -------
    models : dict
    names : dict of str to str
        From the old name to the new one.
    """
    names = {name: f"model-{number}" for number, name in enumerate(models, 1)}
    return {names[name]: _renamed(model, names) for name, model in models.items()}, names


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith(_REFERENCE):
        return _REFERENCE + names[value.removeprefix(_REFERENCE)]
    if isinstance(value, Mapping):
        return {key: _renamed(one, names) for key, one in value.items()}
    return [_renamed(one, names) for one in value] if isinstance(value, list | tuple) else value


def _below(models: Models, root: str) -> set[str]:
    """A model with everything in the boxes below it."""
    children = models[root]["state"].get("children", ()) if root in models else ()
    return {root}.union(*(_below(models, one.removeprefix(_REFERENCE)) for one in children)) & set(models)


def _links(models: Models) -> dict[str, tuple[str, ...]]:
    """The links inside the browser, each with the two models it joins."""
    found = {name: model["state"] for name, model in models.items() if model["model_name"] in _LINKS}
    ends = {name: (state.get("source"), state.get("target")) for name, state in found.items()}
    return {
        name: tuple(end[0].removeprefix(_REFERENCE) for end in both if end) for name, both in ends.items() if all(both)
    }


def _names_controls(model: Mapping[str, Any]) -> bool:
    return model["model_module"] == "anywidget" and "scene" not in model["state"]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(_REFERENCE):
        yield value.removeprefix(_REFERENCE)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _references(one)


def _without_kernel(model: Mapping[str, Any], kept: set[str]) -> dict[str, Any]:
    state = dict(model["state"])
    if "children" in state:
        state["children"] = [one for one in state["children"] if one.removeprefix(_REFERENCE) in kept]
    if "scene" in state:
        panels = state["scene"]["panels"]
        state["scene"] = {**state["scene"], "panels": [{**p, "marks": [*map(_seen, p["marks"])]} for p in panels]}
    return {**model, "state": state}


def _seen(mark: Mapping[str, Any]) -> dict[str, Any]:
    return {**mark, **_RING} if mark["kind"] == "handle" else dict(mark)
