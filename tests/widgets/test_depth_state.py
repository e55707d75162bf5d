"""The depth bench's state: every event gives a new state, refuses in words, or stops at the edge."""

import math
from dataclasses import replace
from typing import Any

import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.depth.state import PRESETS, Event, State, first_state, reduce

FIRST = State()


def test_what_is_set_comes_to_the_front_and_nothing_else_changes() -> None:
    assert reduce(FIRST, Event("set", {"lr": 0.2})) == replace(FIRST, show="saddle", lr=0.2)
    saddle = reduce(FIRST, Event("show", "saddle"))
    assert saddle == replace(FIRST, show="saddle")
    assert reduce(saddle, Event("set", {"activation": "tanh", "depth": 3})) == replace(
        FIRST, activation="tanh", depth=3
    )


def test_the_slider_stands_for_the_depth_or_for_the_steps() -> None:
    assert [reduce(FIRST, Event("position", k)).depth for k in range(20)] == list(range(1, 21))
    saddle = replace(FIRST, show="saddle")
    assert [reduce(saddle, Event("position", k)).steps for k in (0, 7, 100)] == [0, 7, 100]
    assert (FIRST.position, saddle.position) == (9, 40)
    assert reduce(saddle, Event("position", 3)).position == 3


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_what_it_says(name: str) -> None:
    state = reduce(FIRST, Event("preset", name))
    assert {key: getattr(state, key) for key in PRESETS[name]} == PRESETS[name]
    assert state.revealed is False, "a preset gives nothing away"


def test_both_pictures_have_presets() -> None:
    assert {values["show"] for values in PRESETS.values()} == {"layers", "saddle"}


@pytest.mark.parametrize(
    ("at", "start"), [((9.0, -9.0), (2.0, -2.0)), ((2.6, -1e300), (2.0, -2.0)), ((1.234, 0.004), (1.23, 0.0))]
)
def test_a_drag_stops_at_the_edge_and_can_hit_the_ridge(at: tuple[float, float], start: tuple[float, float]) -> None:
    assert reduce(FIRST, Event("drag", at)).start == start


def test_reset_keeps_what_was_revealed_and_which_picture_is_in_front() -> None:
    later = reduce(reduce(FIRST, Event("reveal")), Event("preset", "with noise"))
    assert reduce(later, Event("reset", FIRST)) == replace(FIRST, revealed=True, show="saddle")
    assert State() == FIRST, "an event leaves the state before it alone"


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"depth": 0}, DomainError, "depth is 0. Expected a whole number of at least 1"),
        ({"depth": 21}, DomainError, "depth is 21. Expected a whole number from 1 to 20. Try depth=10"),
        ({"depth": 2.5}, DataError, "depth is 2.5. Expected a whole number"),
        ({"depth": True}, DataError, "depth is True"),
        ({"activation": "relU"}, DomainError, 'activation is \'relU\'. Expected one of "sigmoid", "tanh", "relu"'),
        ({"init": None}, DomainError, 'init is None. Expected one of "uniform", "xavier", "he", "small", "large"'),
        ({"surface": "bowls"}, DomainError, 'Expected one of "saddle", "bowl", "linear_network"'),
        ({"lr": 0}, DomainError, "lr is 0. Expected a learning rate above 0, at most 1"),
        ({"lr": 1.5}, DomainError, "lr is 1.5"),
        ({"lr": math.nan}, DomainError, "lr is nan. Expected a finite number"),
        ({"lr": "0.1"}, DataError, "lr is '0.1'. Expected one number"),
        ({"noise": -0.1}, DomainError, "noise is -0.1. Expected a finite number of at least 0"),
        ({"noise": 2}, DomainError, "noise is 2. Expected 0 to 1"),
        ({"noise": math.inf}, DomainError, "noise is inf"),
        ({"steps": -1}, DomainError, "steps is -1"),
        ({"steps": 101}, DomainError, "from 0 to 100"),
        ({"start": (3, 0)}, DomainError, r"start \(3, 0\) lies outside the picture.*for example \(2, 0\)"),
        ({"start": (0, math.inf)}, DomainError, "start is inf"),
        ({"start": 1.0}, DataError, r"start needs two numbers, \(w1, w2\), got 1.0. Try \(1.6, 0.0\)"),
        ({"start": (1, 2, 3)}, DataError, "needs two numbers"),
        ({"start": ("1", 0)}, DataError, "start is '1'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(values: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, Event("set", values))


@pytest.mark.parametrize(
    "event",
    [
        Event("nonsense"),  # type: ignore[arg-type]
        Event("set", {}),
        Event("set", {"revealed": True}),
        Event("show", "both"),
        Event("preset", "no such preset"),
        Event("position", 20),
        Event("reset", None),
    ],
)
def test_an_event_that_does_not_exist_is_refused(event: Event) -> None:
    with pytest.raises(BplibError, match="depth bench"):
        reduce(FIRST, event)


def test_a_refused_setting_among_others_changes_none_of_them() -> None:
    with pytest.raises(DomainError):
        reduce(FIRST, Event("set", {"depth": 3, "activation": "cosine"}))
    assert FIRST == State()


def test_the_first_state_is_checked() -> None:
    made = first_state(5, "tanh", "uniform", 64, 7, "saddle")
    assert made == replace(FIRST, depth=5, activation="tanh", init="uniform", width=64, seed=7, show="saddle")
    for changed in ({"width": 7}, {"width": 201}, {"seed": -1}, {"show": "both"}, {"depth": 0}):
        arguments = {"depth": 5, "activation": "tanh", "init": "he", "width": 64, "seed": 0, "show": "layers"}
        with pytest.raises(DomainError, match=next(iter(changed))):
            first_state(**{**arguments, **changed})  # type: ignore[arg-type]
