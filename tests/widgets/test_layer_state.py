"""The layer bench's state: every event gives a new state or refuses in words."""

import math
from dataclasses import replace
from typing import Any

import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.layer.network import STARTS, recorded
from bplib.widgets.layer.passes import FAULTS, VERSIONS
from bplib.widgets.layer.state import NO_GUESS, PRESETS, Event, State, first_state, reduce

FIRST = State()


def test_the_slider_stands_for_the_recorded_updates() -> None:
    kept = recorded(1200)
    assert len(kept) == 130
    assert kept[:12] == (*range(11), 20)
    assert [reduce(FIRST, Event("position", k)).update for k in range(130)] == list(kept)
    assert [reduce(FIRST, Event("update", update)).position for update in (0, 7, 300, 1200)] == [0, 7, 39, 129]


@pytest.mark.parametrize("updates", [20, 25, 999, 1200, 1201, 3000])
def test_every_run_keeps_its_first_and_its_last_update_and_not_too_many(updates: int) -> None:
    kept = recorded(updates)
    assert (kept[0], kept[-1]) == (0, updates)
    assert list(kept) == sorted(set(kept))
    assert len(kept) <= 140


@pytest.mark.parametrize("start", [name for name in STARTS if name != "random"])
def test_another_start_begins_at_the_beginning(start: str) -> None:
    later = replace(FIRST, update=300, show="check")
    assert reduce(later, Event("start", start)) == replace(later, start=start, update=0)
    assert reduce(later, Event("start", "random")) is later, "the same start changes nothing"


def test_start_and_update_can_be_set_together() -> None:
    later = replace(FIRST, show="check", guess="sign")
    assert reduce(later, Event("go", ("twins", 40))) == replace(later, start="twins", update=40)
    for wrong in (("twins", 41), ("ones", 40), ("twins", None)):
        with pytest.raises(BplibError, match="layer bench"):
            reduce(later, Event("go", wrong))


def test_a_version_begins_without_a_guess_and_comes_to_the_front() -> None:
    guessed = reduce(FIRST, Event("guess", "sign"))
    assert guessed == replace(FIRST, show="check", guess="sign")
    assert reduce(guessed, Event("version", "C")) == replace(FIRST, show="check", version="C")
    assert reduce(guessed, Event("version", "A")).guess == "sign"


@pytest.mark.parametrize(("version", "fault"), VERSIONS.items())
def test_only_the_right_guess_names_the_mistake(version: str, fault: str) -> None:
    state = reduce(FIRST, Event("version", version))
    for guess in FAULTS:
        assert reduce(state, Event("guess", guess)).revealed == ((version,) if guess == fault else ())
    assert reduce(state, Event("reveal")).revealed == (version,)


def test_each_version_is_another_mistake_and_one_is_right() -> None:
    assert sorted(VERSIONS.values()) == sorted(FAULTS)
    assert VERSIONS[FIRST.version] != "right"


@pytest.mark.parametrize(("name", "place"), PRESETS.items())
def test_a_preset_sets_start_and_update_and_leaves_the_rest(name: str, place: tuple[str, int]) -> None:
    state = replace(FIRST, show="check", version="D", guess="mean")
    assert reduce(state, Event("preset", name)) == replace(state, start=place[0], update=place[1])
    short = replace(FIRST, updates=25)
    assert reduce(short, Event("preset", name)).update in recorded(25), "a run that is shorter stops at its end"


def test_reset_keeps_what_was_named_and_which_picture_is_in_front() -> None:
    later = reduce(reduce(FIRST, Event("preset", "twins, update 0")), Event("guess", "slope"))
    assert reduce(later, Event("reset", FIRST)) == replace(FIRST, show="check", revealed=("A",))
    assert State() == FIRST, "an event leaves the state before it alone"


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("show", "both"), DomainError, 'show is \'both\'. Expected one of "updates", "check"'),
        (Event("start", "ones"), DomainError, 'Expected one of "random", "second", "zeros", "twins"'),
        (Event("start", None), DomainError, "start is None"),
        (Event("update", 305), DomainError, "305 is not recorded. Expected one of the 130 .* the nearest is 300"),
        (Event("update", 1210), DomainError, "update is 1210. The run has updates 0 to 1200"),
        (Event("update", -1), DomainError, "update is -1"),
        (Event("update", 10.0), DataError, "update is 10.0. Expected a whole number"),
        (Event("update", math.nan), DataError, "update is nan"),
        (Event("update", True), DataError, "update is True"),
        (Event("update", 10**5000), DomainError, "update is above 10⁹"),
        (Event("version", "a"), DomainError, 'version is \'a\'. Expected one of "A", "B"'),
        (Event("guess", "σ"), DomainError, 'Expected one of "none yet", "right", "slope"'),
        (Event("guess", ["slope"]), DomainError, "guess is"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(event: Event, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, event)


@pytest.mark.parametrize(
    "event",
    [
        Event("nonsense"),  # type: ignore[arg-type]
        Event("position", 130),
        Event("position", -1),
        Event("preset", "no such preset"),
        Event("reset", None),
        Event("go", "zeros"),
        Event("reveal", 1),
    ],
)
def test_an_event_that_does_not_exist_is_refused(event: Event) -> None:
    with pytest.raises(BplibError, match="layer bench: there is no event"):
        reduce(FIRST, event)


def test_the_first_state_is_checked() -> None:
    made = first_state("twins", 60, "C", "updates", seed=3, updates=2400)
    assert made == State("updates", "twins", 60, "C", NO_GUESS, (), 3, 2400)
    right: dict[str, Any] = {"start": "zeros", "update": 0, "version": "A", "show": "check", "seed": 0, "updates": 100}
    for changed, error in (
        ({"seed": -1}, DomainError), ({"seed": 0.5}, DataError), ({"updates": 19}, DomainError),
        ({"updates": 3001}, DomainError), ({"update": 110}, DomainError), ({"show": ""}, DomainError),
    ):  # fmt: skip
        with pytest.raises(error, match=next(iter(changed))):
            first_state(**{**right, **changed})
