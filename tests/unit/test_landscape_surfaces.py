"""Every named surface: its derivatives against numerical ones, its minima against a fine grid, its words."""

import numpy as np
import pytest

from bplib.errors import DataError, DomainError
from bplib.landscape import surface
from bplib.landscape.catalogue import SURFACES
from bplib.numeric import central_difference, complex_step

SETTINGS = [("bowl", {"condition_number": 100.0, "curvature": 1.0}), ("ravine", {"steepness": 3.0}),
            ("plateau", {"steepness": 1.5}), ("two_wells", {"tilt": 0.05}), ("two_wells", {"tilt": 0.37}),
            ("sharp_and_flat", {"ratio": 1}), ("sharp_and_flat", {"ratio": 40})]  # fmt: skip
CASES = [*((name, {}) for name in SURFACES), *SETTINGS]
# |z| in its formula keeps the plateau from overflowing, and from being computed with complex numbers.
NOT_ANALYTIC = {"plateau"}


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, [case[0], *case[1].values()])))
def one(request):
    return surface(request.param[0], **request.param[1])


def points_in(one, n=200):
    (left, right), (low, high) = one.domain
    return np.random.default_rng(0).uniform((left, low), (right, high), (n, 2))


def test_there_are_at_least_twelve_surfaces_of_the_names_asked_for():
    wanted = {"bowl", "ravine", "saddle", "rosenbrock", "beale", "himmelblau", "plateau"}
    assert set(SURFACES) >= wanted
    assert len(SURFACES) == 18


def central(function, points, axis, h=1e-5):
    """The derivative by one weight, of whatever a function of stacked points gives."""
    step = h * np.eye(2)[axis]
    return (function(points + step) - function(points - step)) / (2 * h)


def by_complex_step(function, points, axis, h=1e-30):
    return function(points + 1j * h * np.eye(2)[axis]).imag / h


def test_the_gradient_agrees_with_numerical_ones_at_200_points(one):
    points = points_in(one)
    exact = one.gradient(points)
    scale = max(1.0, np.abs(one.f(points)).max(), np.abs(exact).max())
    for axis in range(2):
        np.testing.assert_allclose(exact[:, axis], central(one.f, points, axis), rtol=1e-6, atol=1e-9 * scale)
        if one.name not in NOT_ANALYTIC:
            nearly = by_complex_step(one.f, points, axis)
            np.testing.assert_allclose(exact[:, axis], nearly, rtol=1e-11, atol=1e-14 * scale)


def test_the_hessian_agrees_with_numerical_ones_at_200_points(one):
    points = points_in(one)
    exact = one.hessian(points)
    scale = max(1.0, np.abs(one.gradient(points)).max(), np.abs(exact).max())
    for axis in range(2):
        row = central(one.gradient, points, axis)
        np.testing.assert_allclose(exact[:, axis], row, rtol=1e-6, atol=1e-9 * scale)
        if one.name not in NOT_ANALYTIC:
            row = by_complex_step(one.gradient, points, axis)
            np.testing.assert_allclose(exact[:, axis], row, rtol=1e-11, atol=1e-14 * scale)


def test_the_library_s_own_differences_find_the_same_gradient(one):
    for point in points_in(one, 5):
        np.testing.assert_allclose(one.gradient(point), central_difference(one.f, point), rtol=1e-6, atol=1e-6)
        if one.name not in NOT_ANALYTIC:
            np.testing.assert_allclose(one.gradient(point), complex_step(one.f, point), rtol=1e-11, atol=1e-10)


def test_a_stack_of_points_gives_what_one_point_gives(one):
    stack = points_in(one, 12).reshape(3, 4, 2)
    assert one.f(stack).shape == (3, 4)
    assert one.gradient(stack).shape == (3, 4, 2)
    assert one.hessian(stack).shape == (3, 4, 2, 2)
    for function in (one.f, one.gradient, one.hessian):
        np.testing.assert_allclose(function(stack)[1, 2], function(stack[1, 2]), rtol=1e-14, atol=1e-14)


def test_minima_are_flat_bent_upwards_inside_the_window_and_nowhere_is_lower(one):
    (left, right), (low, high) = one.domain
    grid = np.stack(np.meshgrid(np.linspace(left, right, 401), np.linspace(low, high, 401)), axis=-1)
    for point in [*one.minima, *one.lesser_minima]:
        assert left < point[0] < right
        assert low < point[1] < high
        scale = max(1.0, np.abs(one.hessian(point)).max())
        np.testing.assert_allclose(one.gradient(point), 0.0, atol=1e-14 * scale)
        assert np.linalg.eigvalsh(one.hessian(point)).min() >= -1e-12 * scale
    if len(one.minima):
        heights = one.f(one.minima)
        assert np.ptp(heights) <= 1e-13 * max(1.0, np.abs(heights).max())
        assert one.f(grid).min() >= heights.max() - 1e-13 * max(1.0, np.abs(heights).max())


def test_lesser_minima_are_lowest_near_by_and_not_lowest_of_all(one):
    near = 1e-3 * np.stack([np.cos(np.arange(16)), np.sin(np.arange(16))], axis=-1)
    for point in one.lesser_minima:
        assert (one.f(point + near) > one.f(point)).all()
        assert one.f(point) > one.f(one.minima[0]) + 1e-3


@pytest.mark.parametrize("name", [name for name in SURFACES if name != "linear_network"])  # its minima fill two curves
def test_no_valley_in_a_window_is_missing(name):
    """Newton's method from a fine grid finds no minimum that is not in the lists."""
    one = surface(name)
    (left, right), (low, high) = one.domain
    w = np.stack(np.meshgrid(np.linspace(left, right, 61), np.linspace(low, high, 61)), axis=-1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        for _ in range(60):
            h = one.hessian(w)
            solvable = np.linalg.det(h) != 0
            w, h = w[solvable], h[solvable]
            w = w - np.linalg.solve(h, one.gradient(w)[..., None])[..., 0]
            w = w[np.isfinite(w).all(axis=-1) & ((np.abs(w) < 20).all(axis=-1))]
    inside = ((w > (left, low)) & (w < (right, high))).all(axis=-1)
    flat = np.abs(one.gradient(w)).max(axis=-1) < 1e-8
    found = w[inside & flat & (np.linalg.eigvalsh(one.hessian(w)).min(axis=-1) > 1e-6)]
    known = np.concatenate([one.minima, one.lesser_minima])
    if one.name == "sharp_and_flat":
        found = found[one.f(found) < 0.1 * one.f(np.zeros(2)) + 1e-9]
    assert len(found) or not len(known)
    for point in found:
        assert np.abs(known - point).max(axis=-1).min() < 1e-5, point


@pytest.mark.parametrize("name", ["saddle", "monkey_saddle"])
def test_a_saddle_has_no_minimum_and_the_hessian_says_so_or_says_nothing(name):
    one = surface(name)
    assert one.minima.shape == one.lesser_minima.shape == (0, 2)
    assert not one.gradient(np.zeros(2)).any()
    eigenvalues = np.linalg.eigvalsh(one.hessian(np.zeros(2)))
    assert eigenvalues.tolist() == ([-2.0, 2.0] if name == "saddle" else [0.0, 0.0])


def test_published_heights_of_the_minima():
    """The values that every list of benchmark functions prints."""
    heights = {name: float(surface(name).f(surface(name).minima[0])) for name in SURFACES if len(surface(name).minima)}
    assert heights["six_hump_camel"] == pytest.approx(-1.0316284535, abs=1e-9)
    assert heights["styblinski_tang"] == pytest.approx(2 * -39.16616570377142, abs=1e-9)
    assert heights["goldstein_price"] == pytest.approx(3.0, abs=1e-12)
    assert surface("goldstein_price").f(surface("goldstein_price").lesser_minima) == pytest.approx([30, 84, 840])
    for name in ("rosenbrock", "beale", "himmelblau", "booth", "matyas", "three_hump_camel", "rastrigin"):
        assert heights[name] == pytest.approx(0.0, abs=1e-25)


def test_each_lesson_of_the_small_surfaces_is_in_the_numbers():
    plateau = surface("plateau")
    assert plateau.f(np.array([2.5, 0.0])) > 0.999999
    assert np.abs(plateau.gradient(np.array([2.5, 0.0]))).max() < 1e-6
    assert np.abs(plateau.gradient(np.array([1.0, 0.0]))).max() == pytest.approx(2.0)
    wells = surface("two_wells", tilt=0.2)
    assert wells.f(wells.minima[0]) == pytest.approx(-0.21, abs=0.02)
    assert wells.f(wells.lesser_minima[0]) > 0
    valleys = surface("sharp_and_flat", ratio=10)
    flat, sharp = (np.linalg.eigvalsh(valleys.hessian(point)).max() for point in valleys.minima)
    assert valleys.hessian(valleys.minima[1])[0, 0] / valleys.hessian(valleys.minima[0])[0, 0] == pytest.approx(10)
    assert sharp > flat
    network = surface("linear_network")
    along = np.array([[2.0, 0.5], [1.25, 0.8], [1.0, 1.0]])
    assert network.f(along).tolist() == [0.0, 0.0, 0.0]
    sharpness = np.linalg.eigvalsh(network.hessian(along)).max(axis=-1)
    np.testing.assert_allclose(sharpness, np.square(along).sum(axis=-1))


def test_nothing_overflows_far_away_on_the_plateau():
    plateau = surface("plateau", steepness=100.0)
    far = np.array([1e3, -1e3])
    assert plateau.f(far) == 1.0
    assert not plateau.gradient(far).any()
    assert not plateau.hessian(far).any()


def test_every_surface_has_a_formula_a_source_and_a_picture_worth_of_window(one):
    assert "w₁" in one.formula
    assert one.source
    assert one.name in repr(one)
    (left, right), (low, high) = one.domain
    assert left < right
    assert low < high


def test_no_two_surfaces_share_their_minima():
    first, second = surface("rosenbrock"), surface("rosenbrock")
    first.minima[0] = 7.0
    assert second.minima.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("act", "kind", "fragment"),
    [
        (lambda: surface("rosenbrok"), DomainError, 'Did you mean "rosenbrock"?'),
        (lambda: surface(3), DomainError, "there is no surface 3. Expected one of beale"),
        (lambda: surface("two_wells", tilt=0.5), DomainError, "tilt is 0.5. Expected a number in [0, 0.38)"),
        (lambda: surface("two_wells", tilt=0), DomainError, "tilt of the two_wells is 0"),
        (lambda: surface("sharp_and_flat", ratio=0.1), DomainError, "ratio is 0.1. Expected a finite number of at"),
        (lambda: surface("plateau", steepness=-1), DomainError, "steepness is -1"),
        (lambda: surface("plateau", steepness="steep"), DataError, "steepness is 'steep'"),
        (lambda: surface("saddle", steepness=1), DomainError, "saddle has no setting 'steepness'. Expected none"),
    ],
)
def test_bad_input_is_refused_in_words(act, kind, fragment):
    with pytest.raises(kind) as caught:
        act()
    assert fragment in str(caught.value)
