"""The surface explorer's state: what each event makes of it, what is refused and in which words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.explorer.network import EXAMPLES, STEPS
from bplib.widgets.explorer.state import PRESETS, Event, State, first_state, reduce

MOONS, XOR, LINE = EXAMPLES


def test_the_first_state_is_the_first_preset() -> None:
    state = first_state(MOONS, "pca")
    assert state.preset == next(iter(PRESETS))
    assert (state.example, state.directions, state.lr, state.step, state.last) == (MOONS, "pca", 10.0, 30, STEPS)
    assert not state.solid


def test_a_setting_changes_itself_alone() -> None:
    state = first_state(XOR, "random")
    assert reduce(state, Event("set", {"lr": 0.25})) == replace(state, lr=0.25)
    assert reduce(state, Event("set", {"step": 0})) == replace(state, step=0)
    assert reduce(state, Event("set", {"start": (0.5, -0.25)})) == replace(state, start=(0.5, -0.25))
    assert reduce(state, Event("position", 7)) == replace(state, step=7)
    assert reduce(state, Event("solid")) == replace(state, solid=True)
    assert reduce(reduce(state, Event("solid")), Event("solid")) == state


def test_another_network_brings_its_rate_and_another_plane_its_start() -> None:
    state = reduce(first_state(MOONS, "pca"), Event("set", {"lr": 50.0, "start": (1.0, 1.0), "step": 11}))
    line = reduce(state, Event("set", {"example": LINE}))
    assert (line.lr, line.step, line.directions) == (0.1, 11, "pca")
    assert line.start == first_state(LINE, "pca").start
    random = reduce(state, Event("set", {"directions": "random"}))
    assert (random.lr, random.step) == (50.0, 11)
    assert random.start == first_state(MOONS, "random").start != state.start
    assert reduce(state, Event("set", {"example": MOONS, "directions": "pca"})) == state


def test_two_parameters_have_one_plane_whatever_is_asked_for() -> None:
    state = reduce(first_state(LINE, "pca"), Event("set", {"start": (1.0, 2.0)}))
    other = reduce(reduce(state, Event("set", {"directions": "random"})), Event("again"))
    assert other.directions == "random"
    assert other.plane == state.plane
    assert other.start == (1.0, 2.0)
    np.testing.assert_array_equal(other.frame.theta((1.0, 2.0)), [1.0, 2.0])


def test_other_random_directions_are_another_plane_and_the_seed_does_not_move_the_runs_own() -> None:
    state = first_state(MOONS, "pca")
    drawn = reduce(state, Event("again"))
    assert (drawn.directions, drawn.seed) == ("random", 1)
    assert not np.allclose(drawn.frame.directions, first_state(MOONS, "random").frame.directions)
    assert reduce(state, Event("set", {"seed": 5})).plane == state.plane


def test_several_values_are_set_together_or_not_at_all() -> None:
    state = first_state(MOONS, "pca")
    after = reduce(state, Event("set", {"lr": 2.0, "start": (0.2, 0.3), "directions": "random", "example": XOR}))
    assert (after.example, after.directions, after.start, after.lr) == (XOR, "random", (0.2, 0.3), 2.0)
    with pytest.raises(DomainError, match="outside the picture"):
        reduce(state, Event("set", {"directions": "random", "start": (-7.0, 0.0)}))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_what_it_says(name: str) -> None:
    before = reduce(reduce(first_state(LINE, "random"), Event("again")), Event("set", {"step": 3}))
    state = reduce(before, Event("preset", name))
    assert (state.example, state.directions, state.start, state.lr) == tuple(PRESETS[name])
    assert (state.preset, state.step, state.seed) == (name, 3, 0)
    assert replace(state, lr=0.7).preset is None


def test_a_drag_stops_at_the_edge_and_moves_in_pixels() -> None:
    state = first_state(MOONS, "pca")
    cut = state.frame
    far = reduce(state, Event("drag", (1e9, -1e9))).start
    assert far == pytest.approx(cut.centre + np.array([cut.span, -cut.span]), abs=0.05)
    reduce(state, Event("set", {"start": far}))  # inside, as code sees it
    assert reduce(state, Event("drag", (-3.14159, 1.23456))).start == (-3.1, 1.2)
    random = first_state(MOONS, "random")
    assert reduce(random, Event("drag", (0.314159, 9.0))).start == (0.31, 1.0)


def test_reset_goes_back_to_the_first_state() -> None:
    state = first_state(XOR, "pca")
    changed = reduce(reduce(state, Event("preset", "line: η = 1")), Event("solid"))
    assert reduce(changed, Event("reset", state)) == state


@pytest.mark.parametrize(
    ("values", "words"),
    [({"example": "spirals"}, 'example is \'spirals\'. Expected one of "moons, 2-8-1", "xor, 2-3-1", "line, 1-1"'),
     ({"example": "your model"}, "example is 'your model'"),
     ({"directions": "PCA"}, 'Expected "pca", the plane of the training run, or "random"'),
     ({"seed": -1}, "seed is -1. Expected a whole number of at least 0"),
     ({"lr": 0.0}, "lr is 0. Expected a learning rate above 0, at most 1000. Try lr=10."),
     ({"lr": 1001}, "lr is 1001"),
     ({"lr": math.nan}, "Expected a finite number"),
     ({"step": 81}, "step is 81. The longer run has 80 steps. Try step=80."),
     ({"start": (9.0, 0.0)}, "(9, 0) lies outside the picture. Expected a from -9.1"),
     ({"start": (0.0, math.inf)}, "Expected a finite number")],
)  # fmt: skip
def test_what_lies_outside_is_refused_in_words(values: dict, words: str) -> None:
    with pytest.raises(DomainError) as caught:
        reduce(first_state(MOONS, "pca"), Event("set", values))
    assert words in str(caught.value)
    assert str(caught.value).startswith("surface explorer: ")


@pytest.mark.parametrize(
    ("values", "words"),
    [({"start": 3.0}, "start needs two numbers, (a, b), got 3.0. Try (0.0, 0.0)."), ({"start": ("1", 2)}, "'1'"),
     ({"lr": "fast"}, "lr is 'fast'"), ({"step": 1.5}, "step is 1.5. Expected a whole number")],
)  # fmt: skip
def test_what_is_no_number_is_refused_in_words(values: dict, words: str) -> None:
    with pytest.raises(DataError) as caught:
        reduce(first_state(MOONS, "pca"), Event("set", values))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "event",
    [Event("position", 81), Event("position", -1), Event("position", "3"), Event("set", {}), Event("set", {"solid": 1}),
     Event("preset", "none"), Event("drag", (1.0,)), Event("reset", None), Event("open")],  # type: ignore[arg-type]
)  # fmt: skip
def test_an_unknown_event_is_refused(event: Event) -> None:
    with pytest.raises(BplibError, match="no event"):
        reduce(first_state(MOONS, "pca"), event)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"steps": 0}, "steps is 0"), ({"steps": 101}, "steps is 101. Expected 1 to 100"), ({"seed": -2}, "seed is -2"),
     ({"lr": -1.0}, "lr is -1"), ({"start": (99, 0)}, "outside the picture"), ({"name": "x"}, "example is 'x'"),
     ({"directions": "up"}, "directions is 'up'")],
)  # fmt: skip
def test_the_first_state_is_checked_too(settings: dict, words: str) -> None:
    with pytest.raises(DomainError) as caught:
        first_state(**{"name": MOONS, "directions": "pca"} | settings)
    assert words in str(caught.value)


def test_a_state_is_plain_and_frozen() -> None:
    state = State()
    with pytest.raises(AttributeError):
        state.lr = 3.0  # type: ignore[misc]
    assert hash(state) == hash(State())
