"""What the nudge lab draws and says: the published V, where an error comes from, and the angle on a bowl."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from bplib.viz.marks import Arrow, Bars, Mark, Path, Points, Rule, Text, at_position, text_at
from bplib.viz.render import render
from bplib.viz.scene import Panel
from bplib.widgets.nudge.direction import direction, direction_marks, largest_angle
from bplib.widgets.nudge.errors import AROUND, Difference, Nudges, gradient, growth, nudges
from bplib.widgets.nudge.examples import EXAMPLES
from bplib.widgets.nudge.scene import best_h, nudge_scene
from bplib.widgets.nudge.state import HS, Event, State, reduce
from bplib.widgets.nudge.words import direction_sentence, figure, nudge_sentence

FIRST = State()
REVEALED = replace(FIRST, error_revealed=True, angle_revealed=True)


def _of(name: str, difference: Difference = "forward", hs: tuple[float, ...] = HS) -> Nudges:
    return nudges(name, EXAMPLES[name].at, "x", difference, hs)


def _example(name: str, **changed: Any) -> State:
    return replace(REVEALED, example=name, at=EXAMPLES[name].at, **changed)


def _polynomial(x: float) -> float:
    """Four times the logistic map, from its own definition."""
    for _ in range(3):
        x = 4 * x * (1 - x)
    return x


def _at(found: Nudges, h: float) -> int:
    return int(np.flatnonzero(found.hs == h)[0])


def _mark(panel: Panel, kind: type, name: str = "") -> Any:
    (found,) = [mark for mark in panel.marks if isinstance(mark, kind) and (not name or mark.name == name)]
    return found


def _words(panel: Panel, index: int = 0) -> list[str]:
    return [text_at(mark, index) for mark in panel.marks if isinstance(mark, Text | Rule)]


# ---------------------------------------------------------------- the published numbers


def test_the_polynomial_is_the_logistic_map_of_the_published_figure() -> None:
    x = np.linspace(0, 1, 50)
    np.testing.assert_allclose(EXAMPLES["polynomial"].f(x), _polynomial(x), rtol=1e-12, atol=1e-15)
    assert gradient("polynomial", (0.2,))[0] == pytest.approx(9.066086, abs=5e-7)


def test_the_two_branches_of_the_published_v() -> None:
    at = (0.2,)
    for difference, order in (("forward", 1.0), ("central", 2.0)):
        measured = growth("polynomial", at, "x", difference, HS)
        assert measured == pytest.approx(order, abs=0.02)
        found = _of("polynomial", difference)
        assert found.errors[_at(found, 1e-12)] == pytest.approx(6e-5, rel=0.05)
        assert found.errors[0] > 1e3 * found.errors.min()
    assert 1e-9 < best_h(_of("polynomial")) < 1e-8
    assert _of("polynomial").errors.min() < 5e-8
    assert 1e-8 < best_h(_of("polynomial", "central")) < 1e-5
    assert _of("polynomial", "central").errors.min() < 2e-10


@pytest.mark.parametrize(("difference", "answer"), [("forward", 1e-10), ("central", 1e-6)])
def test_the_answer_to_the_prediction(difference: Difference, answer: float) -> None:
    assert best_h(_of("polynomial", difference, (1e-14, 1e-10, 1e-6, 1e-2))) == answer


def test_the_sensitivities_of_the_exercise() -> None:
    assert gradient("product", (-2.0, 5.0, -4.0)) == (-4.0, -4.0, 3.0)


# ---------------------------------------------------------------- a nudge of every size


def test_estimates_are_those_of_the_formula_anyone_would_write() -> None:
    for name, f in (("square", lambda x: x * x), ("polynomial", EXAMPLES["polynomial"].f)):
        x, hs = EXAMPLES[name].at[0], np.array(HS)
        np.testing.assert_array_equal(_of(name).estimates, (f(x + hs) - f(x)) / hs)
        np.testing.assert_array_equal(_of(name, "central").estimates, (f(x + hs) - f(x - hs)) / (2 * hs))


def test_a_nudge_of_h_is_h_also_where_the_input_is_large() -> None:
    found = nudges("square", (10.0,), "x", "forward", (0.5,))
    assert found.estimates[0] == 20.5
    assert (found.predicted[0], found.changes[0]) == (10.0, 10.25)
    assert nudges("square", (10.0,), "x", "central", (0.5,)).predicted[0] == 20.0, "over 2h"


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("difference", ["forward", "central"])
def test_bend_and_rounding_make_up_the_error(name: str, difference: Difference) -> None:
    found = _of(name, difference)
    np.testing.assert_allclose(found.slope + found.bend + found.rounding, found.estimates, rtol=1e-13, atol=1e-14)


def test_the_bend_is_what_taylor_leaves_out() -> None:
    hs = np.array(HS)
    np.testing.assert_allclose(_of("square").bend[hs > 1e-12], hs[hs > 1e-12], rtol=1e-2)
    assert not _of("square", "central").bend.any(), "a parabola: both sides bend alike"
    assert not _of("product").bend.any(), "a straight line"
    sine, large = np.sin(1 + hs) - np.sin(1), hs > 1e-3
    np.testing.assert_allclose(_of("sin").bend[large], (sine / hs - np.cos(1))[large], rtol=1e-7)
    central = np.cos(1) * (np.sin(hs) / hs - 1)
    np.testing.assert_allclose(_of("sin", "central").bend[large], central[large], rtol=1e-7)


def test_the_polynomial_without_rounding_agrees_with_exact_fractions() -> None:
    from fractions import Fraction

    found, x = _of("polynomial"), Fraction(0.2)
    for h in (1e-14, 1e-9, 1e-3, 1.0):
        exact = float((_polynomial(x + Fraction(h)) - _polynomial(x)) / Fraction(h))  # type: ignore[arg-type,operator]
        assert found.slope + found.bend[_at(found, h)] == pytest.approx(exact, rel=1e-12)


def test_beside_a_kink_the_error_begins_where_the_nudge_reaches_over_it() -> None:
    hs = np.array(HS)
    beyond = np.maximum(hs - 0.01, 0)
    np.testing.assert_allclose(_of("near kink").errors, 2 * beyond / hs, atol=1e-4)
    np.testing.assert_allclose(_of("near kink", "central").errors, beyond / hs, atol=1e-4)
    np.testing.assert_allclose(_of("near kink").bend, 2 * beyond / hs, atol=1e-12)


def test_at_the_kink_forward_gives_the_right_side_and_central_the_middle() -> None:
    assert _of("kink").slope == 0
    assert set(_of("kink").estimates) == {1.0}
    assert set(_of("kink", "central").estimates) == {0.0}


@pytest.mark.parametrize("name", ["product", "kink", "near kink"])
def test_a_straight_line_and_a_kink_have_no_right_branch(name: str) -> None:
    assert growth(name, EXAMPLES[name].at, "x", "forward", HS) is None
    assert growth("square", (1.0,), "x", "central", HS) is None
    assert growth("square", (1.0,), "x", "forward", HS) == pytest.approx(1.0, abs=0.01)


def test_zoomed_far_enough_the_curve_is_a_staircase_of_rounding() -> None:
    found = _of("product")
    stairs, smooth = len(np.unique(found.zoomed[0])), len(np.unique(found.zoomed[-1]))
    assert smooth == len(AROUND)
    assert stairs < 0.5 * len(AROUND)


# ---------------------------------------------------------------- the first picture


def test_of_several_nudges_without_an_error_the_largest_is_the_best() -> None:
    found = _of("product")
    assert (found.errors == 0).sum() > 1
    assert best_h(found) == found.hs[found.errors == 0].max()


def test_bars_and_curve_share_their_axis_and_show_the_two_slopes() -> None:
    state = _example("square", h=0.4)
    zoom, bars, _ = nudge_scene(state).panels
    assert (zoom.y.low, zoom.y.high) == (bars.y.low, bars.y.high)
    heights = [at_position(mark, state.position)[0, 1] for mark in bars.marks if isinstance(mark, Bars)]
    np.testing.assert_allclose(heights, [2.0, 2.4], rtol=1e-6)
    (secant,) = [m for m in zoom.marks if isinstance(m, Path) and m.role == "first"]
    np.testing.assert_allclose(at_position(secant, state.position), [[0, 0], [1, 2.4]], rtol=1e-6)
    words = _words(bars, state.position)
    assert words == ["f′·h", "= 0.8", "∂z/∂x", "= 2", "f(x + h) − f(x)", "= 0.96", "that ÷ h", "= 2.4"]


def test_the_central_difference_runs_from_one_side_to_the_other() -> None:
    state = replace(FIRST, input="w", difference="central", h=1.0)
    zoom, bars, _ = nudge_scene(state).panels
    (secant,) = [m for m in zoom.marks if isinstance(m, Path) and m.role == "first"]
    np.testing.assert_allclose(at_position(secant, state.position), [[-1, -4], [1, 4]])
    assert {"f′·2h", "= 8", "f(w + h) − f(w − h)", "that ÷ 2h"} <= set(_words(bars, state.position))
    assert [words for _, words in zoom.x.ticks or ()] == ["w − h", "w", "w + h"]


def test_the_curve_of_errors_its_slopes_and_the_best_nudge_come_with_the_reveal() -> None:
    hidden, shown = (nudge_scene(replace(_example("polynomial"), error_revealed=r)).panels[2] for r in (False, True))
    assert _words(hidden) == []
    assert [type(mark) for mark in hidden.marks] == [Path, Points], "the present nudge alone"
    assert "hidden until you predict" in hidden.title
    assert _words(shown) == [
        "right branch, central: slope 2.00", "right branch, forward: slope 1.00", "★ smallest error at h = 1.3·10⁻⁹",
    ]  # fmt: skip
    (curve,) = [m for m in shown.marks if isinstance(m, Path) and m.role == "first"]
    (best,) = [m for m in shown.marks if isinstance(m, Points) and m.role == "minimum"]
    present = _mark(shown, Points, "error")
    for k in (0, 60, 140):
        np.testing.assert_array_equal(at_position(curve, 0)[k], at_position(present, k)[0])
    assert at_position(curve, 0)[:, 1].min() == at_position(best, 0)[0, 1]


def test_an_error_of_0_stands_at_its_own_tick() -> None:
    state = _example("product", h=1.0)
    errors = nudge_scene(state).panels[2]
    height = at_position(_mark(errors, Points, "error"), state.position)[0, 1]
    ticks = errors.y.ticks or ()
    assert [label for value, label in ticks if np.float32(value) == height] == ["0"]


def test_every_moment_can_be_drawn_and_the_sentence_fits_below_the_picture() -> None:
    for name, which, difference in product(EXAMPLES, ("x", "w"), ("forward", "central")):
        if which in EXAMPLES[name].inputs:
            scene = nudge_scene(_example(name, input=which, difference=difference))
            assert scene.count == len(HS)
            assert max(map(len, scene.sentences)) <= 136
            for mark in (m for panel in scene.panels for m in panel.marks if not isinstance(m, Rule)):
                assert np.isfinite(np.asarray(mark.points)).all()


def test_far_points_and_tiny_nudges_leave_nothing_that_cannot_be_drawn() -> None:
    for name in EXAMPLES:
        for value in (-10.0, 0.0, 10.0):
            state = replace(_example(name, hs=(1e-17, *HS)), at=(value,) * len(EXAMPLES[name].inputs), h=1e-17)
            scene = nudge_scene(state)
            for mark in (m for panel in scene.panels for m in panel.marks if not isinstance(m, Rule)):
                assert np.isfinite(np.asarray(mark.points)).all()


# ---------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("name", "difference", "h", "words"),
    [
        ("square", "forward", 0.1, "h = 0.1: change predicted 0.2, true 0.21. The slope is off by 0.1, nearly all "
         "from the bend of the curve."),
        ("square", "forward", 1e-12, "from rounding in the computer."),
        ("polynomial", "forward", 1.6e-9, "off by 2.33·10⁻⁸, from bend and rounding together."),
        ("polynomial", "central", 1e-3, "h = ±0.001: change predicted 0.01813, true 0.01813. The slope is off by"),
        ("product", "forward", 1.0, "h = 1: change predicted −2, true −2. The slope is right to the last digit."),
        ("near kink", "forward", 0.1, "The slope is off by 1.8, because the nudge reaches over the kink at 0."),
        ("near kink", "forward", 1e-8, "nearly all from rounding in the computer."),
        ("kink", "forward", 0.1, "true 0.1. A kink: slope −1 on the left, 1 on the right; "
         "backward() answers 0."),
        ("kink", "central", 0.1, "h = ±0.1: change predicted 0, true 0. A kink"),
    ],
)  # fmt: skip
def test_the_sentence_names_both_changes_and_the_cause(name: str, difference: Difference, h: float, words: str) -> None:
    found = _of(name, difference)
    assert words in nudge_sentence(found, _at(found, h), name, "x")


def test_a_nudge_too_small_for_the_computer_is_called_so() -> None:
    found = _of("square", hs=(1e-17,))
    assert found.changes[0] == 0
    assert nudge_sentence(found, 0, "square", "x") == (
        "h = 10⁻¹⁷: change predicted 2·10⁻¹⁷, true 0. For the computer, which keeps 16 digits, x + h is x itself."
    )


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (1e-14, 4, "10⁻¹⁴"),
        (-1e-5, 3, "−10⁻⁵"),
        (123456.0, 4, "1.235·10⁵"),
        (-2.5, 4, "−2.5"),
    ],
)
def test_numbers_are_written_as_people_write_them(value: float, digits: int, words: str) -> None:
    assert figure(value, digits) == words


# ---------------------------------------------------------------- where the gradient points


def test_the_largest_angle_is_the_published_one_and_no_point_has_a_larger() -> None:
    assert largest_angle(100.0) == pytest.approx(78.58, abs=0.005)
    assert largest_angle(1.0) == 0
    line = np.linspace(-2.5, 2.5, 21)
    for kappa in (1.0, 4.0, 25.0, 100.0):
        angles = [direction(kappa, (float(x), float(y))).angle or 0.0 for x in line for y in line]
        assert max(angles) <= largest_angle(kappa) + 1e-6
        assert direction(kappa, (2.0, 2.0 / np.sqrt(kappa))).angle == pytest.approx(largest_angle(kappa), abs=1e-6)


def test_arrows_and_angle_are_those_of_the_formula() -> None:
    found = direction(4.0, (-1.0, 0.5))
    gradient_by_hand = np.array([-1.0, 4 * 0.5])
    np.testing.assert_allclose(found.down, -gradient_by_hand / np.linalg.norm(gradient_by_hand))
    cosine = found.down @ np.array([1.0, -0.5]) / np.linalg.norm([1.0, 0.5])
    assert found.angle == pytest.approx(np.degrees(np.arccos(cosine)))
    assert found.gain == pytest.approx(1 / cosine)
    panel = nudge_scene(replace(FIRST, show="direction", condition_number=4.0, point=(-1.0, 0.5))).panels[0]
    np.testing.assert_allclose(at_position(_mark(panel, Arrow, "home"), 0), [[-1, 0.5], [0, 0]])
    tail, tip = at_position(_mark(panel, Arrow, "down"), 0)
    np.testing.assert_allclose((tip - tail) / np.linalg.norm(tip - tail), found.down, rtol=1e-6)
    arc = at_position(_mark(panel, Path, "arc"), 0) - [-1, 0.5]
    ends = arc[[0, -1]] / np.linalg.norm(arc[0])
    np.testing.assert_allclose(ends, [found.down, found.home], atol=1e-5)


@pytest.mark.parametrize(("x", "y"), [(2.0, 1.0), (-2.0, 1.0), (-2.0, -1.0), (2.0, -1.0), (-2.0, 0.01), (0.01, -2.0)])
def test_the_arc_spans_the_angle_and_not_the_rest_of_the_circle(x: float, y: float) -> None:
    found = direction(25.0, (x, y))
    arc = direction_marks(found)[0]["arc"] - [x, y]
    length = np.linalg.norm(np.diff(arc, axis=0), axis=1).sum() / np.linalg.norm(arc[0])
    assert np.degrees(length) == pytest.approx(found.angle, rel=0.01)


def test_the_loss_along_both_arrows() -> None:
    losses = nudge_scene(replace(FIRST, show="direction", condition_number=25.0, point=(2.0, 1.0))).panels[1]
    shares, down = at_position(_mark(losses, Path, "loss down"), 0).T
    _, home = at_position(_mark(losses, Path, "loss home"), 0).T
    np.testing.assert_allclose(home, (1 - shares) ** 2, atol=1e-6)
    points = np.array([2.0, 1.0]) - shares[:, None] * np.sqrt(5) * np.array([2.0, 25.0]) / np.hypot(2.0, 25.0)
    np.testing.assert_allclose(down, (points**2 @ [0.5, 12.5]) / 14.5, rtol=1e-4)
    assert down[1] < home[1] < down[-1]


def test_the_largest_angle_comes_with_the_reveal() -> None:
    state = reduce(replace(FIRST, show="direction", condition_number=100.0), Event("reveal", "error"))
    hidden, shown = (nudge_scene(replace(state, angle_revealed=r)).panels[2] for r in (False, True))
    assert _words(hidden) == []
    assert "hidden until you predict" in hidden.title
    assert _words(shown) == ["largest: arccos(2√κ/(1+κ)) = 78.58°"]
    (curve,) = [m for m in shown.marks if isinstance(m, Path)]
    assert at_position(curve, 0)[:, 1].max() == pytest.approx(78.58, abs=0.1)


@pytest.mark.parametrize(
    ("kappa", "point", "words"),
    [
        (100.0, (2.0, 0.2), "−gradient misses the minimum by 78.58°. Along it the loss falls 5.05 times as fast"),
        (1.0, (2.0, 0.2), "points to the minimum, as it does everywhere on a round bowl."),
        (25.0, (2.0, 0.0), "At (2, 0), −gradient points to the minimum: here the valley has no slope to the side."),
        (25.0, (0.0, -2.0), "At (0, −2), −gradient points to the minimum: here the valley has no slope along it."),
        (4.0, (2.5, 0.001), "Along it the loss falls faster at first, by less than 0.1 %."),
        (25.0, (0.0, 0.0), "At the minimum the gradient is 0: no direction goes down from here."),
    ],
)
def test_the_sentence_says_where_the_gradient_points(kappa: float, point: tuple[float, float], words: str) -> None:
    said = direction_sentence(direction(kappa, point))
    assert words in said
    assert len(said) <= 136


def test_nothing_is_drawn_of_a_direction_at_the_minimum() -> None:
    scene = nudge_scene(replace(FIRST, show="direction", point=(0.0, 0.0)))
    assert not any(isinstance(mark, Arrow) for mark in scene.panels[0].marks)
    marks, words = direction_marks(direction(25.0, (0.0, 0.0)))
    assert np.isnan(marks["down"][1]).all()
    assert words == {"angle": ""}


@pytest.mark.parametrize("corner", [*product((-2.5, 2.5), (-2.5, 0.0, 2.5))])
def test_at_the_edge_arrow_and_number_stay_inside(corner: tuple[float, float]) -> None:
    for kappa in (1.0, 100.0):
        marks, _ = direction_marks(direction(kappa, corner))
        for name in ("down", "home", "arc", "angle"):
            assert np.abs(marks[name]).max() <= 2.5


# ---------------------------------------------------------------- the twin


def _states() -> list[State]:
    """One of each kind; every widget's first state is tested elsewhere."""
    bowl = reduce(replace(REVEALED, show="direction"), Event("preset", "up the wall"))
    return [_example("polynomial", h=0.1), _example("near kink", h=0.1, difference="central"), bowl]


@pytest.mark.parametrize("state", _states(), ids=lambda s: f"{s.show} {s.example} {s.point}")
def test_the_twin_is_small(state: State) -> None:
    assert len(render(nudge_scene(state), state.position, "Which h gives the smallest error?").png()) <= 25_000


def _named(marks: tuple[Mark, ...]) -> set[str]:
    return {mark.name for mark in marks if not isinstance(mark, Rule)}


def test_what_is_sent_during_a_drag_is_in_the_scene_by_the_same_name() -> None:
    panels = nudge_scene(replace(FIRST, show="direction")).panels
    coordinates, words = direction_marks(direction(25.0, (1.0, 1.0)))
    assert set(coordinates) | set(words) <= set().union(*(_named(panel.marks) for panel in panels))
