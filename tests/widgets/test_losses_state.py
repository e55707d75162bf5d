"""The loss comparer's state: every event gives a new state, refuses in words, or stops at the end of the strip."""

import itertools
import math

import numpy as np
import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.losses.numbers import frame_of
from bplib.widgets.losses.state import CLASS_PRESETS, LOGITS, NUMBER_PRESETS, Event, State, first_state, reduce

FIRST = State()
ARGUMENTS = {
    "data": (1, 2, 3, 4, 5), "delta": 1.0, "c": None, "logits": (1, 2, -1), "target": 0, "examples": 1,
    "show": "numbers", "derivative": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (Event("show", "classes"), "show", "classes"),
        (Event("derivative", True), "derivative", True),
        (Event("position", 60), "c", 3.0),
        (Event("c", 3), "c", 3.0),
        (Event("outlier", 4.25), "outlier", 4.25),
        (Event("drag", 41.6), "outlier", 42.0),
        (Event("drag", 1e9), "outlier", 100.0),
        (Event("drag", -3), "outlier", 0.0),
        (Event("delta", 0.5), "delta", 0.5),
        (Event("logit", (2, 0.1234567)), "logits", (1.0, 2.0, 0.123457)),
        (Event("logits", np.array([1, 0, -1])), "logits", (1.0, 0.0, -1.0)),
        (Event("target", np.int64(2)), "target", 2),
        (Event("examples", 4), "examples", 4),
    ],
)
def test_each_event_changes_its_field_alone(event: Event, field: str, value: object) -> None:
    after = reduce(FIRST, event)
    assert getattr(after, field) == value
    rest = {"show", "delta", "derivative", "logits", "target", "examples", "origin"} - {field}
    assert all(getattr(after, name) == getattr(FIRST, name) for name in rest)
    assert after.data[:-1] == FIRST.data[:-1]
    assert State() == FIRST


def test_every_preset_is_what_it_says() -> None:
    for name, (outlier, delta) in NUMBER_PRESETS.items():
        after = reduce(FIRST, Event("number preset", name))
        assert (after.outlier, after.delta) == (outlier, delta)
    for name, (logits, target) in CLASS_PRESETS.items():
        after = reduce(FIRST, Event("class preset", name))
        assert (after.logits, after.target) == (logits, target)
        assert set(logits) <= set(LOGITS), "the sliders can go where the preset goes"
    assert {name.split()[0] for name in CLASS_PRESETS} >= {"undecided", "confident", "wrong", "right"}


def test_wherever_the_outlier_is_c_stays_on_its_slider() -> None:
    state = FIRST
    for outlier in [*range(101), 0.1, 99.9, 5]:
        state = reduce(state, Event("outlier", outlier))
        assert state.frame.positions[state.position] == state.c
        assert len(state.frame.positions) <= 201
    assert state.c == FIRST.c, "4.5 is a position at every width"


def test_a_c_beyond_narrower_curves_stops_at_their_end() -> None:
    wide = reduce(reduce(FIRST, Event("outlier", 100)), Event("c", 22))
    assert wide.c == 22
    assert reduce(wide, Event("outlier", 5)).c == 6


def test_the_axes_change_at_few_places_only() -> None:
    seen = [reduce(FIRST, Event("drag", outlier)).axes for outlier in range(101)]
    assert sum(a != b for a, b in itertools.pairwise(seen)) == 5
    assert reduce(FIRST, Event("logit", (0, 6.0))).axes == FIRST.axes, "in the other picture nothing moves"


@pytest.mark.parametrize(("largest", "reach"), [(6, 8), (7, 25), (20, 25), (1000, 1250), (10_000, 12_500)])
def test_the_curves_over_the_logit_reach_beyond_every_logit(largest: float, reach: float) -> None:
    assert reduce(FIRST, Event("logits", (0, -largest, 1))).reach == reach


def test_the_axes_hold_every_number_and_every_minimum() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        data = tuple(np.round(rng.uniform(0, 100, rng.integers(2, 10)), 1).tolist())
        frame = frame_of(data)
        assert frame.outliers[0] <= data[-1] <= frame.outliers[1]
        assert max(data[:-1]) <= frame.high
        assert np.mean(data) <= frame.high


def test_a_reset_keeps_what_is_looked_at() -> None:
    moved = FIRST
    for event in (Event("outlier", 100), Event("delta", 10), Event("show", "classes"), Event("derivative", True)):
        moved = reduce(moved, event)
    assert reduce(moved, Event("reset", FIRST)) == State(show="classes", derivative=True)


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("c", 22), DomainError, "no c = 22. For these numbers it goes from 0 to 6 in .*0.05.*nearest is 6"),
        (Event("c", 3.333), DomainError, "the nearest is 3.35"),
        (Event("c", math.nan), DomainError, "c is nan. Expected a finite number"),
        (Event("outlier", 101), DomainError, "outlier is 101. Expected a number from 0 to 100. Try outlier=100"),
        (Event("outlier", "5"), DataError, "outlier is '5'. Expected one number"),
        (Event("drag", math.inf), DomainError, "outlier is inf"),
        (Event("delta", 0), DomainError, "delta is 0. Expected a number from 0.01 to 1000"),
        (Event("delta", True), DataError, "delta is True"),
        (Event("logits", (1, 2)), DomainError, "logits holds 2 numbers. Expected 3, one for each class"),
        (Event("logits", 1.0), DataError, "logits is 1.0. Expected several numbers"),
        (Event("logits", "abc"), DataError, "logits is 'abc'"),
        (Event("logits", (1, [2], 3)), DataError, r"logit is \[2\]. Expected one number"),
        (Event("logit", (0, 1e5)), DomainError, "logit is 100000. Expected a number from -10000 to 10000"),
        (Event("logit", (3, 0.0)), DomainError, "no event 'logit'"),
        (Event("target", 3), DomainError, "target is 3. Expected a whole number from 0 to 2: classes are counted"),
        (Event("target", 1.0), DataError, "target is 1.0. Expected a whole number"),
        (Event("examples", 0), DomainError, "examples is 0"),
        (Event("examples", 101), DomainError, "examples is 101. Expected a whole number from 1 to 100"),
        (Event("show", "strip"), DomainError, 'show is \'strip\'. Expected "numbers" or "classes"'),
        (Event("derivative", 1), DataError, "derivative is 1. Expected True or False"),
        (Event("position", 500), DomainError, "no event 'position' with the value 500"),
        (Event("number preset", "undecided"), DomainError, "no event 'number preset'"),
        (Event("class preset", "outlier 5"), DomainError, "no event 'class preset'"),
        (Event("dance"), DomainError, "no event 'dance'"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_in_words(event: Event, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, event)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"data": (1,)}, "data holds 1 numbers. Expected 2 to 9"),
        ({"data": tuple(range(10))}, "data holds 10 numbers"),
        ({"data": (1, -2)}, "a number of data is -2. Expected a number from 0 to 100"),
        ({"data": (1, math.nan)}, "a number of data is nan"),
        ({"data": "12345"}, "data is '12345'. Expected several numbers"),
        ({"c": 7}, "no c = 7"),
        ({"delta": -1}, "delta is -1"),
        ({"target": -1}, "target is -1"),
        ({"show": None}, "show is None"),
    ],
)
def test_a_comparer_cannot_start_from_values_out_of_range(changed: dict, words: str) -> None:
    with pytest.raises(BplibError, match=words):
        first_state(**(ARGUMENTS | changed))


def test_a_first_state_knows_its_values() -> None:
    state = first_state(**(ARGUMENTS | {"data": np.array([10, 20, 90.0]), "c": 30}))
    assert state == State(data=(10.0, 20.0, 90.0), c=30.0, origin=90.0)
    assert [first_state(**(ARGUMENTS | {"data": d})).c for d in ([0, 0], [1, 2, 3, 4, 5])] == [0, 4.5]
