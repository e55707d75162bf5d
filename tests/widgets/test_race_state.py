"""The optimizer race: what its state is after each event, and what it refuses in which words."""

import math
from dataclasses import replace

import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.race.run import BUDGETS, NAMES, PLACES
from bplib.widgets.race.state import PRESETS, Event, State, first_state, reduce


def test_the_first_state_is_the_usual_start_with_the_usual_rates() -> None:
    state = first_state("bowl", 1, None, 1.0, 40)
    assert state == State()
    assert state.start == PLACES["bowl"].start
    assert (state.budget, state.scale, state.own) == (1, 1.0, ())
    assert state.preset == "bowl, 1 trial"


def test_every_setting_changes_itself_alone() -> None:
    state = State()
    assert reduce(state, Event("budget", 9)) == replace(state, budget=9)
    assert reduce(state, Event("scale", 32)) == replace(state, scale=32.0)
    assert reduce(state, Event("step", 7)) == replace(state, step=7)
    assert reduce(state, Event("position", 100)) == replace(state, step=100)
    assert reduce(state, Event("start", (0.5, -1))) == replace(state, start=(0.5, -1.0))
    assert state == State()


@pytest.mark.parametrize("surface", PLACES)
def test_a_surface_comes_with_its_usual_start_also_where_it_is_there_already(surface: str) -> None:
    moved = replace(State(), surface=surface, start=(0.25, 0.25), own=(("Adam", 0.3),), budget=9, scale=32.0)
    after = reduce(moved, Event("surface", surface))
    assert (after.surface, after.start, after.own) == (surface, PLACES[surface].start, ())
    assert (after.budget, after.scale) == (9, 32.0)


def test_a_drag_stops_at_the_edge_of_the_surface_and_is_rounded() -> None:
    rosenbrock = reduce(State(), Event("surface", "rosenbrock"))
    assert reduce(rosenbrock, Event("drag", (9.0, -9.0))).start == (2.0, -1.0)
    assert reduce(rosenbrock, Event("drag", (-9.0, 9.0))).start == (-2.0, 3.0)
    assert reduce(rosenbrock, Event("drag", (0.12345, 2.98765))).start == (0.12, 2.99)


def test_rates_set_by_hand_stay_in_the_order_of_the_optimizers_until_the_budget_or_the_surface_changes() -> None:
    state = State()
    for optimizer, lr in (("Adam", 0.3), ("SGD", 0.01), ("Adam", 0.2)):
        state = reduce(state, Event("rate", (optimizer, lr)))
    assert state.own == (("SGD", 0.01), ("Adam", 0.2))
    assert state.preset is None
    assert reduce(state, Event("drag", (1.0, 1.0))).own == state.own
    assert reduce(state, Event("scale", 32)).own == state.own
    assert reduce(state, Event("budget", 1)) == state, "the same budget changes nothing"
    assert reduce(state, Event("budget", 9)).own == ()
    assert reduce(state, Event("rate", ("SGD", None))).own == (("Adam", 0.2),)
    assert reduce(state, Event("rate", ("RMSProp", None))) == state


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_all_but_the_step_and_is_known_again(name: str) -> None:
    before = replace(State(), step=77, start=(1.0, 1.0), own=(("SGD", 0.5),))
    after = reduce(before, Event("preset", name))
    assert after.preset == name
    assert (after.step, after.own) == (77, ())
    preset = PRESETS[name]
    assert (after.surface, after.budget, after.scale) == preset[:3]
    assert after.start == (preset.start or PLACES[preset.surface].start)
    assert reduce(after, Event("drag", (0.3, 0.4))).preset is None


def test_no_preset_tells_what_comes_of_it_or_gives_all_the_same_rate() -> None:
    words = " ".join([*PRESETS, *(preset.code for preset in PRESETS.values())])
    assert not any(word in words for word in ("diverge", "fast", "wins", "changes", "set_rate", "same"))


def test_reset_goes_back_to_the_first_state() -> None:
    first = first_state("ravine", 3, (1, 1), 32, 5)
    assert reduce(reduce(first, Event("preset", "bowl, 9 trials")), Event("reset", first)) == first


_BAD = [
    ("surface", "bowls", DomainError, r'surface is \'bowls\'. Expected one of "bowl", "ravine"'),
    ("surface", 3, DomainError, "surface is 3"),
    ("budget", 2, DomainError, r"budget is 2. .* expected 1, 3 or 9. Try budget=9"),
    ("budget", 9.0, DataError, "budget is 9.0. Expected a whole number"),
    ("budget", True, DataError, "budget is True"),
    ("budget", 10**5000, DomainError, "a number too large"),
    ("scale", 0, DomainError, r"scale is 0. It multiplies the loss: expected 0.001 to 1,000,000. Try scale=32"),
    ("scale", -32, DomainError, "scale is -32"),
    ("scale", math.nan, DomainError, "scale is nan"),
    ("scale", "32", DataError, "scale is '32'"),
    ("step", -1, DomainError, "step is -1"),
    ("step", 101, DomainError, "step is 101. Expected a whole number from 0 to 100"),
    ("step", 10**5000, DomainError, "a number too large"),
    ("step", 2.5, DataError, "step is 2.5"),
    ("position", 101, DomainError, "step is 101"),
    ("start", (2.6, 0), DomainError, r"\(2.6, 0\) lies outside the picture of the bowl. .* for example \(2.5, 0\)"),
    ("start", 3, DataError, r"start needs two numbers, \(w1, w2\), got 3"),
    ("start", (1, 2, 3), DataError, "start needs two numbers"),
    ("start", (math.inf, 0), DomainError, "start is inf"),
    ("start", ("1", 0), DataError, "start is '1'"),
    ("drag", (math.nan, 0), DomainError, "start is nan"),
    ("rate", ("Adagrad", 0.1), DomainError, 'Expected one of "SGD", "momentum", "AdaGrad"'),
    ("rate", ("Adam", 0), DomainError, "lr is 0. Expected a learning rate above 0, at most 10. Try lr=0.1"),
    ("rate", ("Adam", 10.1), DomainError, "lr is 10.1"),
    ("rate", ("Adam", "0.1"), DataError, "lr is '0.1'"),
    ("rate", "Adam", DomainError, "there is no event 'rate'"),
    ("preset", "bowl", DomainError, "there is no event 'preset' with the value 'bowl'"),
    ("reset", None, DomainError, "there is no event 'reset'"),
    ("reveal", None, DomainError, "there is no event 'reveal'"),
]


@pytest.mark.parametrize(("kind", "value", "error", "words"), _BAD, ids=range(len(_BAD)))
def test_what_is_no_value_is_refused_in_words(kind: str, value: object, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        reduce(State(), Event(kind, value))  # type: ignore[arg-type]
    assert str(caught.value).startswith("optimizer race: ")


def test_the_first_values_are_checked_as_well() -> None:
    good = ("bowl", 1, (0.0, 0.0), 1.0, 0)
    assert first_state(*good).start == (0.0, 0.0)
    for place, wrong in enumerate(("hill", 5, (0.0, 9.0), math.inf, 300)):
        with pytest.raises(BplibError):
            first_state(*(*good[:place], wrong, *good[place + 1 :]))  # type: ignore[arg-type]


def test_the_names_are_those_of_five_optimizers_and_the_budgets_grow() -> None:
    assert NAMES == ("SGD", "momentum", "AdaGrad", "RMSProp", "Adam")
    assert BUDGETS == (1, 3, 9)
