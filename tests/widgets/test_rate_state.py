"""The rate lab's state: every event gives a new state, refuses in words, or stops at the edge."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bplib.errors import BplibError, DataError, DomainError
from bplib.viz.marks import Path
from bplib.widgets.rate.scene import CURVATURE, descents, rate_scene, sentence, steps_to_share
from bplib.widgets.rate.state import PRESETS, RATES, Event, State, first_state, reduce

FIRST = State()


def _counted(factors: np.ndarray, start: np.ndarray, most: int = 5000) -> float:
    """Steps to 1 %, by taking them one at a time."""
    w = start.copy()
    for k in range(most):
        if np.linalg.norm(w) <= 0.01 * np.linalg.norm(start):
            return k
        w = factors * w
    return math.inf


def test_the_published_step_counts_come_out_in_one_dimension() -> None:
    rates = np.array([0.03, 0.1, 0.25, 0.45, 0.5, 0.6])
    counts = steps_to_share(rates, np.array([CURVATURE]), np.array([1.0]))
    assert counts.tolist() == [37, 10, 1, 21, math.inf, math.inf]
    one_dimension = [first_state(1.0, rate, (0.0, 2.0), 50) for rate in rates]
    lab_counts = [descents(s.condition_number, [s.rate], s.start, s.steps).counts[0] for s in one_dimension]
    assert lab_counts == counts.tolist()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(RATES),
    st.sampled_from([1.0, 10.0, 25.0]),
    st.tuples(st.floats(-2.5, 2.5), st.floats(-2.5, 2.5)).filter(lambda w: min(map(abs, w)) > 0.01),
)
def test_counting_by_halving_agrees_with_taking_the_steps(
    rate: float, condition: float, start: tuple[float, float]
) -> None:
    eigenvalues, first = np.array([CURVATURE / condition, CURVATURE]), np.array(start)
    (fast,) = steps_to_share(np.array([rate]), eigenvalues, first)
    if rate * CURVATURE >= 2 - 1e-9:  # growing or bouncing: it may pass 1 % on the way, it does not stay
        assert math.isinf(fast)
    else:
        assert fast == _counted(1 - rate * eigenvalues, first)


def test_the_paths_drawn_are_gradient_descent() -> None:
    descent = descents(10.0, [0.45], (-2.0, 1.5), 3)
    by_hand = [np.array([-2.0, 1.5]) * (1 - 0.45 * np.array([0.4, 4.0])) ** k for k in range(4)]
    np.testing.assert_allclose(descent.points[0], by_hand, rtol=1e-12)


@pytest.mark.parametrize(
    ("condition", "rate", "start", "words"),
    [
        (10, 0.45, (-2, 1.5), "oscillates across the valley and comes within 1 % of the start distance in 23 steps."),
        (1, 0.45, (-2, 1.5), "oscillates over the minimum and comes within 1 % of the start distance in 21 steps."),
        (1, 0.25, (-2, 1.5), "η = 0.25: jumps to the minimum and comes within 1 % of the start distance in 1 step."),
        (10, 0.25, (-2, 1.5), "lands on the valley floor at once, creeps along it"),
        (10, 0.1, (-2, 1.5), "curves into the valley"),
        (1, 0.03, (-2, 1.5), "straight towards the minimum and comes within 1 % of the start distance in 37 steps."),
        (10, 0.5, (-2, 1.5), "never settles: it goes from side to side and never comes within 1 %"),
        (10, 0.6, (-2, 1.5), "diverges. Each step lands 1.4 times as far out"),
        (10, 0.6, (-2, 0.0), "walks straight towards the minimum"),
        (10, 0.6, (0, 0), "starts at the minimum, where the gradient is zero, and stays there."),
    ],
)
def test_the_sentence_says_what_the_picture_shows(condition: float, rate: float, start: tuple, words: str) -> None:
    assert words in sentence(descents(condition, [rate], start, 50), 0)


def test_the_marks_of_the_curvature_are_in_the_scene_only_after_the_reveal() -> None:
    descent = descents(10.0, RATES, (-2.0, 1.5), 50)
    hidden, shown = (rate_scene(descent, 10.0, revealed=r).panels[2] for r in (False, True))
    assert [mark.text for mark in shown.marks if hasattr(mark, "value")] == ["1/λ = 0.25", "2/λ = 0.5"]
    assert not [mark for mark in hidden.marks if hasattr(mark, "value")]
    assert len(hidden.marks) == 1, "the curve itself would give the answer away"


def test_every_preset_and_every_position_is_a_rate_of_the_slider() -> None:
    assert [reduce(FIRST, Event("preset", name)).rate for name in PRESETS] == list(PRESETS.values())
    assert [reduce(FIRST, Event("position", k)).rate for k in range(len(RATES))] == list(RATES)
    assert {0.03, 0.1, 0.25, 0.45, 0.5, 0.6} <= set(RATES)


def test_an_event_leaves_the_state_before_it_alone() -> None:
    reduce(FIRST, Event("drag", (1.0, 1.0)))
    assert FIRST == State()
    moved = reduce(reduce(FIRST, Event("reveal")), Event("rate", 0.6))
    assert reduce(moved, Event("reset", FIRST)) == State(revealed=True), "what was predicted stays revealed"


@pytest.mark.parametrize("value", [(9.0, -9.0), (2.6, -1e300)])
def test_a_drag_stops_at_the_edge_of_the_picture(value: tuple[float, float]) -> None:
    assert reduce(FIRST, Event("drag", value)).start == (2.5, -2.5)


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("rate", -0.1), DomainError, "no learning rate -0.1.*nearest is 0.01"),
        (Event("rate", 0), DomainError, "no learning rate 0"),
        (Event("rate", math.nan), DomainError, "learning rate must be finite, got nan"),
        (Event("rate", "0.1"), DataError, "must be a number, got '0.1'"),
        (Event("rate", True), DataError, "must be a number, got True"),
        (Event("condition", 0.5), DomainError, "expected 1 to 1e6"),
        (Event("condition", math.inf), DomainError, "must be finite, got inf"),
        (Event("start", (3.0, 0.0)), DomainError, r"lies outside the picture.*for example \(2.5, 0\)"),
        (Event("start", (math.nan, 0.0)), DomainError, "start must be finite, got nan"),
        (Event("start", 3.0), DataError, r"needs two numbers, \(w1, w2\), got 3.0"),
        (Event("drag", (math.inf, 0.0)), DomainError, "start must be finite, got inf"),
        (Event("drag", (1.0, 2.0, 3.0)), DataError, "needs two numbers"),
        (Event("position", 1000), DomainError, "no event 'position' with the value 1000"),
        (Event("position", -1), DomainError, "no event 'position'"),
        (Event("preset", "<b>"), DomainError, "no event 'preset'"),
        (Event("dance"), DomainError, "no event 'dance'"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_in_words(event: Event, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, event)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((10, -0.1, (0, 0), 50), "learning rate is -0.1"),
        ((10, 0.1, (0, 0), 0), "steps is 0"),
        ((10, 0.1, (0, 0), 2.5), "steps is 2.5"),
    ],
)
def test_a_lab_cannot_start_from_values_out_of_range(values: tuple, words: str) -> None:
    with pytest.raises(DomainError, match=words):
        first_state(*values)


def test_a_rate_of_ones_own_is_added_to_the_slider() -> None:
    state = first_state(10.0, 0.123456, (1.0, 1.0), 20)
    assert state.rates[state.position] == 0.123456
    assert list(state.rates) == sorted(state.rates)


def test_a_factor_close_to_one_is_never_written_as_one() -> None:
    """κ = 100 at η = 0.01: along the valley each step leaves 0.9996 of the way."""
    words = rate_scene(descents(100.0, [0.01, 0.3], (-2.0, 1.5), 50), 100.0, revealed=False).panels[1].marks
    keys = [mark.text for mark in words if isinstance(mark, Path) and mark.name in ("along", "across")]
    assert keys == [("along × 0.9996", "along × 0.988"), ("across × 0.960", "across × −0.200")]
