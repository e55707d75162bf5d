"""What can be read of an entry: each kind of field, and what may stand in its place."""

import pytest

from bplib.lessons.records import day, fields, mended, moment

MOMENT = "2026-11-20T12:00:00+00:00"
NEVER = [None, [], {}, [1], {"a": 1}]
COUNTS = [*NEVER, True, -1, "7", float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize(
    ("section", "field", "values"),
    [
        ("exercises", "attempts", COUNTS),
        ("exercises", "hints", COUNTS),
        ("time", "seconds", COUNTS),
        ("exercises", "mistakes", [None, [], [1], 7, "x"]),
        ("exercises", "outcome", [*NEVER, True, 1, "solved", ""]),
        ("exercises", "right", [*NEVER, True, 5, "soon", "2026-11-20T12:00:00+99:00", "9999-12-31T23:59:59-23:59"]),
        ("predictions", "answer", [*NEVER, True, float("nan"), 10**400]),
        ("predictions", "agrees", [*NEVER, 1, "yes"]),
        ("predictions", "off", [*NEVER, True, "0.1", float("inf")]),
        ("predictions", "reason", [*NEVER, True, 7]),
    ],
)
def test_what_cannot_be_meant_is_passed_over(section: str, field: str, values: list[object]) -> None:
    for value in values:
        assert fields(section, {field: value}) == {}, value
        assert mended(section, {field: value, "later": value}) == {"later": value}, value


@pytest.mark.parametrize(
    ("section", "field", "value", "read"),
    [
        ("exercises", "attempts", 3, 3),
        ("exercises", "attempts", 3.0, 3),
        ("exercises", "attempts", 10**300, 10_000_000),
        ("exercises", "mistakes", {"a": 2, "b": "x", "c": 0}, {"a": 2}),
        ("exercises", "outcome", "to compare", "to compare"),
        ("exercises", "right", MOMENT, MOMENT),
        ("predictions", "answer", "x", "x"),
        ("predictions", "answer", -2.5, -2.5),
        ("predictions", "skipped", False, False),
    ],
)
def test_what_can_be_meant_is_read(section: str, field: str, value: object, read: object) -> None:
    assert fields(section, {field: value, "later": 1}) == {field: read}


@pytest.mark.parametrize("entry", [None, 7, "x", [], [("attempts", 1)]])
def test_what_is_no_entry_has_no_fields(entry: object) -> None:
    assert fields("exercises", entry) == mended("exercises", entry) == {}


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-01", "", None, 3])
def test_what_names_no_moment_has_no_day(text: object) -> None:
    assert moment(text) is None
    assert day(text) is None
