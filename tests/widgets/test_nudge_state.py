"""The nudge lab's state: every event gives a new state, refuses in words, or stops at the edge."""

import math
from typing import Any

import numpy as np
import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.nudge.examples import EXAMPLES
from bplib.widgets.nudge.state import HS, PRESETS, Event, State, first_state, reduce

FIRST = State()


def _first(**changed: Any) -> State:
    values = dict(
        example="product", at=None, input=None, h=0.1, difference="forward", condition_number=25.0, point=(-2.0, 1.0),
        show="nudge",
    )  # fmt: skip
    return first_state(**(values | changed))


def test_the_slider_has_ten_nudges_in_each_decade_and_every_power_of_ten() -> None:
    assert len(HS) == 141
    assert (HS[0], HS[-1]) == (1e-14, 1.0)
    assert {float(f"{digit}e-{k}") for digit in (1, 2, 5) for k in range(1, 15)} <= set(HS)
    np.testing.assert_allclose(np.diff(np.log10(HS)), 0.1, atol=0.02)


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (Event("show", "direction"), "show", "direction"),
        (Event("input", "w"), "input", "w"),
        (Event("at", (-2, 5, -4)), "at", (-2.0, 5.0, -4.0)),
        (Event("at", np.array([1, 2, 3])), "at", (1.0, 2.0, 3.0)),
        (Event("h", 1e-6), "h", 1e-6),
        (Event("h", 1e-6 * (1 + 1e-12)), "h", 1e-6),
        (Event("position", 0), "h", 1e-14),
        (Event("difference", "central"), "difference", "central"),
        (Event("condition", 100), "condition_number", 100.0),
        (Event("point", (2.5, -2.5)), "point", (2.5, -2.5)),
        (Event("drag", (7.0, -7.0)), "point", (2.5, -2.5)),
        (Event("drag", (0.12345, -0.98765)), "point", (0.123, -0.988)),
    ],
)
def test_an_event_changes_its_field_and_no_other(event: Event, field: str, value: object) -> None:
    after = reduce(FIRST, event)
    assert getattr(after, field) == value
    others = {name for name in State.__slots__ if getattr(after, name) != getattr(FIRST, name)}
    assert others == {field}
    assert FIRST == State()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_brings_its_point_and_keeps_nudge_and_difference(name: str) -> None:
    before = _first(input="w", h=1e-3, difference="central", at=(0.0, 0.0, 5.0))
    after = reduce(before, Event("example", name))
    assert (after.at, after.h, after.difference) == (EXAMPLES[name].at, 1e-3, "central")
    assert after.input == ("w" if name == "product" else "x")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_of_the_direction_sets_bowl_and_point(name: str) -> None:
    after = reduce(FIRST, Event("preset", name))
    assert (after.condition_number, after.point) == PRESETS[name]
    assert after.example == FIRST.example


def test_one_number_is_enough_where_there_is_one_input() -> None:
    assert reduce(reduce(FIRST, Event("example", "sin")), Event("at", -0.5)).at == (-0.5,)


@pytest.mark.parametrize(("part", "shown"), [(None, (True, True)), ("error", (True, False)), ("angle", (False, True))])
def test_a_reveal_shows_one_answer_or_both_and_never_hides_one(part: str | None, shown: tuple[bool, bool]) -> None:
    after = reduce(FIRST, Event("reveal", part))
    assert (after.error_revealed, after.angle_revealed) == shown
    assert reduce(reduce(after, Event("reveal", "error")), Event("reveal", "angle")) == reduce(after, Event("reveal"))


def test_reset_keeps_the_picture_and_what_was_revealed() -> None:
    state = FIRST
    for event in (Event("show", "direction"), Event("reveal", "angle"), Event("drag", (1.0, 1.0)), Event("h", 1.0)):
        state = reduce(state, event)
    after = reduce(state, Event("reset", FIRST))
    assert (after.show, after.angle_revealed, after.error_revealed) == ("direction", True, False)
    assert (after.point, after.h) == (FIRST.point, FIRST.h)


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        (Event("show", "picture"), DomainError, r"no picture 'picture'\. Expected 'nudge', 'direction'"),
        (Event("example", "cube"), DomainError, r"no example 'cube'\. Expected 'product', 'square'.*Try 'product'"),
        (Event("example", ["x"]), DomainError, r"no example \['x'\]"),
        (Event("input", "v"), DomainError, r"no input 'v'\. Expected 'x', 'y', 'w'\. Try 'x'"),
        (
            Event("at", (1, 2)),
            DataError,
            r"at is \(1, 2\)\. Expected 3 numbers, for x, y, w\. Try \(1\.0, 3\.0, -2\.0\)",
        ),
        (Event("at", (1, 2, "3")), DataError, r"w is '3'\. Expected one number"),
        (Event("at", (1, math.nan, 3)), DomainError, r"y is nan\. Expected a finite number"),
        (Event("at", (1, 2, -11)), DomainError, r"w is -11\. Expected a number from -10 to 10, such as -1"),
        (Event("h", 0.0), DomainError, r"the nudge h is 0\. Expected a number above 0, such as 0\.1"),
        (Event("h", -0.1), DomainError, r"the nudge h is -0\.1"),
        (Event("h", math.inf), DomainError, r"h is inf\. Expected a finite number"),
        (Event("h", "0.1"), DataError, r"h is '0\.1'\. Expected one number"),
        (
            Event("h", 0.3),
            DomainError,
            r"one of its 141 nudges from 1e-14 to 1; the nearest is 0\.32.*nudge_lab\(h=0\.3\)",
        ),
        (Event("difference", "backward"), DomainError, r"no difference 'backward'\. Expected 'forward', 'central'"),
        (Event("condition", 0.5), DomainError, r"condition_number is 0\.5\. Expected a finite number of at least 1"),
        (Event("condition", 1e7), DomainError, r"is 1e\+07.*expected 1 to 1e\+06, for example 25"),
        (
            Event("point", (3, 0)),
            DomainError,
            r"\(3, 0\) lies outside.*between -2\.5 and 2\.5, for example \(2\.5, 0\)",
        ),
        (Event("point", 3), DataError, r"needs two numbers, \(x, y\), got 3\. Try \(-2\.0, 1\.0\)"),
        (Event("point", (math.nan, 0)), DomainError, r"x is nan"),
        (Event("preset", "deep"), DomainError, r"no event 'preset' with the value 'deep'"),
        (Event("position", 141), DomainError, r"no event 'position' with the value 141"),
        (Event("reveal", "all"), DomainError, r"no event 'reveal' with the value 'all'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(event: Event, kind: type[BplibError], words: str) -> None:
    with pytest.raises(kind, match=f"^nudge lab: .*{words}"):
        reduce(FIRST, event)


def test_a_nudge_of_ones_own_joins_the_slider() -> None:
    state = _first(h=3e-16)
    assert (state.h, state.position, len(state.hs)) == (3e-16, 0, 142)
    assert reduce(state, Event("reset", state)).hs == state.hs


@pytest.mark.parametrize("h", [0.0, -1.0, 1e-18, 1.1, math.nan])
def test_a_first_nudge_outside_its_range_is_refused(h: float) -> None:
    with pytest.raises(DomainError, match=r"nudge lab: .*h is .*Expected"):
        _first(h=h)


def test_the_first_state_checks_all_that_it_takes() -> None:
    assert _first() == FIRST
    for name, wrong in (("example", "cube"), ("at", 1), ("input", "v"), ("difference", ""), ("show", 1), ("point", 0)):
        with pytest.raises(BplibError, match="nudge lab"):
            _first(**{name: wrong})
