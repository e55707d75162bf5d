"""What holds for every widget of the course, found by itself in each package of ``bplib.widgets``.

Every control is driven to its ends and through all its choices, a thousand changes end in the last one, nothing is
left behind, values that are none are refused in words, and the static twin is small and speaks.
"""

import gc
import importlib
import inspect
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from bplib.errors import BplibError
from bplib.widgets.stage import describe
from bplib.widgets.view import View

_FOLDER = Path(__file__).parents[2] / "bplib" / "widgets"
_CHOICES = (ipw.SelectionSlider, ipw.Dropdown, ipw.ToggleButtons)
_NO_VALUES = (math.nan, math.inf, -math.inf, "x", "", None, [], {}, b"1", object())
_HOSTILE = '"><img src=x onerror="alert(1)"></script><script>$x$ ﷽ ‮'


def _maker(package: str) -> Callable[..., View]:
    found = importlib.import_module(f"bplib.widgets.{package}")
    (name,) = [name for name in found.__all__ if name.islower()]
    return getattr(found, name)


MAKERS = {path.parent.name: _maker(path.parent.name) for path in sorted(_FOLDER.glob("*/view.py"))}


@pytest.fixture(scope="module", params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[..., View]:
    return MAKERS[request.param]


@pytest.fixture
def widget(make: Callable[..., View]) -> Iterator[View]:
    made = make()
    yield made
    made.close()


def below(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    """All controls of a widget, from top to bottom."""
    for child in getattr(widget, "children", ()):
        yield child
        yield from below(child)


def handles(widget: View) -> list[tuple[str, dict, dict]]:
    """The handles that can be dragged now, each with its axes."""
    return [
        (mark["name"], panel["x"], panel["y"])
        for panel in widget.stage.scene["panels"] for mark in panel["marks"] if mark["kind"] == "handle"
    ]  # fmt: skip


def drag(widget: View, name: str, x: float, y: float, phase: str = "end") -> None:
    number = widget.stage.pointer.get("n", 0) + 1
    widget.stage.pointer = {"n": number, "mark": name, "x": x, "y": y, "phase": phase}


def corners(x: dict, y: dict) -> list[tuple[float, float]]:
    """Both ends of both axes, beyond them, and the middle."""
    wide, high = x["high"] - x["low"], y["high"] - y["low"]
    middle = (x["low"] + wide / 2, y["low"] + high / 2)
    return [(x["low"], y["low"]), (x["high"], y["high"]), (x["low"] - wide, y["high"] + high), middle]


def places(control: Any) -> list[int]:
    """The first, the last and the middle place of a slider; every place of a short list."""
    last = len(control.options) - 1
    return sorted({0, last // 2, last}) if isinstance(control, ipw.SelectionSlider) else list(range(last + 1))


def shows_its_state(widget: View) -> None:
    """What the browser has is what the state says."""
    widget.flush()
    sent = {name: value for name, value in widget.stage.scene.items() if name != "n"}
    assert sent == describe(widget._scene())
    assert not widget.stage.live.get("marks")
    if widget._slider is not None:
        assert widget._slider.index == widget._position()
    words = widget.sentence
    assert words.strip()
    assert not any(bad in words for bad in ("None", "nan", "array(", "np."))


def test_a_widget_says_which_controls_it_has_and_takes_a_question_and_a_name(make: Callable[..., View]) -> None:
    parameters = inspect.signature(make).parameters
    assert {"question", "name"} <= set(parameters)
    assert all(one.default is not one.empty for one in parameters.values())
    assert make.__doc__
    assert ">>>" in make.__doc__


def seen(box: ipw.Widget) -> Iterator[ipw.Widget]:
    """The controls that are not hidden."""
    for child in getattr(box, "children", ()):
        if getattr(child.layout, "display", "") != "none":
            yield child
            yield from seen(child)


def test_every_control_has_a_name_and_at_most_five_are_shown_at_once(widget: View) -> None:
    named = [one for one in below(widget) if isinstance(one, (*_CHOICES, ipw.Button, ipw.Checkbox, ipw.Text))]
    assert all(one.description.strip() for one in named)
    tabs = [one for one in named if one.description == "show"]
    for tab in range(len(tabs[0].options)) if tabs else [None]:
        if tab is not None:
            tabs[0].index = tab
            widget.flush()
        shown = [one.description for one in seen(widget) if isinstance(one, (*_CHOICES, ipw.Checkbox))]
        assert len(shown) <= 5, shown  # one of them is the presets


def test_every_control_goes_to_its_ends_and_through_all_its_choices(widget: View) -> None:
    shows_its_state(widget)
    for control in list(below(widget)):
        if isinstance(control, _CHOICES):
            for index in places(control):
                if index < len(control.options):  # another choice may have shortened the list
                    control.index = index
                    shows_its_state(widget)
        elif isinstance(control, ipw.Checkbox):
            for value in (not control.value, control.value):
                control.value = value
                shows_its_state(widget)
        elif isinstance(control, ipw.Button) and not control.disabled:
            control.click()
            shows_its_state(widget)
        for name, x, y in handles(widget):
            for place in corners(x, y):
                drag(widget, name, *place)
            shows_its_state(widget)


def test_a_storm_of_a_thousand_changes_ends_in_the_last_with_few_redraws_and_leaves_nothing(
    make: Callable[..., View], monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = make(name="storm")
    drawn: list[str] = []
    for name in ("show", "replace"):
        real = getattr(widget.stage, name)
        counted = lambda *a, real=real, name=name, **k: (drawn.append(name), real(*a, **k))  # noqa: E731
        monkeypatch.setattr(widget.stage, name, counted)
    controls = [one for one in below(widget) if isinstance(one, (*_CHOICES, ipw.Checkbox))]

    def storm(changes: int, seed: int) -> int:
        rng = np.random.default_rng(seed)
        for k in range(changes):
            control, place = controls[rng.integers(len(controls))], rng.random()
            dragged = handles(widget) if k % 3 == 0 else []
            if dragged:
                name, x, y = dragged[0]
                drag(widget, name, x["low"] + place * (x["high"] - x["low"]), y["high"], "move")
            elif isinstance(control, ipw.Checkbox):
                control.value = place < 0.5
            else:
                control.index = int(place * len(control.options))
        widget.flush()
        gc.collect()
        return len(gc.get_objects())

    started = time.monotonic()
    storm(1000, seed=0)
    assert len(drawn) <= max(60, (time.monotonic() - started) / 0.03 + 2)
    shows_its_state(widget)
    storm(150, seed=1)  # what is computed once and kept is kept now
    registered, counts = len(_instances), [storm(150, seed=1) for _ in range(3)]
    assert min(np.diff(counts)) < 60, "what leaks does so every time; other things come once"
    assert len(_instances) == registered
    widget.close()


def test_running_the_cell_twice_replaces_and_doubles_nothing(make: Callable[..., View]) -> None:
    before = set(_instances)
    first = make()
    count = len(_instances)
    second = make()
    assert len(_instances) == count
    assert first.comm is None
    second.close()
    assert set(_instances) == before


def test_widgets_opened_and_closed_leave_the_registry_as_it_was(make: Callable[..., View]) -> None:
    make().close()
    before = set(_instances)
    for _ in range(100):
        make(name="one of a hundred").close()
    assert set(_instances) == before


def test_what_is_set_in_code_is_refused_in_words_where_it_is_no_value(widget: View) -> None:
    settable = [name for name, one in vars(type(widget)).items() if isinstance(one, property) and one.fset is not None]
    assert settable, "a learner sets in code what the controls set"
    for name in settable:
        before, kept = widget.state, getattr(widget, name)
        for wrong in _NO_VALUES:
            if isinstance(kept, str) and wrong == kept:
                continue
            with pytest.raises(BplibError) as caught:
                setattr(widget, name, wrong)
            assert len(str(caught.value)) > 25, (name, wrong)
            assert widget.state is before, (name, wrong)
        setattr(widget, name, kept)
        assert getattr(widget, name) == kept, f"{name} set to itself"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, None, "1"])
def test_a_report_from_the_browser_that_is_no_place_is_passed_over(widget: View, number: Any) -> None:
    before = widget.state
    for name in [*(name for name, _, _ in handles(widget)), "no such handle", "__class__"]:
        drag(widget, name, number, 0.0)
        drag(widget, name, 0.0, number, "move")
    drag(widget, "no such handle", 0.0, 0.0)
    assert widget.state == before


def test_a_drag_that_changes_nothing_is_answered_so_that_the_handle_goes_back(widget: View) -> None:
    for name, x, y in handles(widget):
        for _ in range(2):
            drag(widget, name, *corners(x, y)[2])
            widget.flush()
        assert widget.stage.live["n"] == widget.stage.pointer["n"]


def test_the_twin_is_small_and_says_the_question_and_what_is_seen(make: Callable[..., View]) -> None:
    widget = make(question=_HOSTILE, name=_HOSTILE)
    data, _ = widget._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith(_HOSTILE)
    assert len(data["text/plain"]) > len(_HOSTILE) + 40
    assert data["text/html"].count("<") == 1, "only the picture's own tag"
    assert len(widget.picture().png()) <= 25_000
    widget.close()
