"""Surfaces know their own gradient, curvature and minima; paths follow the closed form."""

import numpy as np
import pytest

from bplib.errors import DataError, DomainError, ShapeError
from bplib.landscape import descend, descend_rates, surface
from bplib.numeric import central_difference
from bplib.optim import SGD, AdaGrad, Adam

SURFACES = [("bowl", {}), ("bowl", {"condition_number": 100.0, "curvature": 1.0}), ("ravine", {}), ("saddle", {}),
            ("rosenbrock", {})]  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), SURFACES)
def test_gradient_and_hessian_agree_with_differences(name, settings):
    s = surface(name, **settings)
    for point in np.random.default_rng(0).uniform(-1.5, 1.5, (5, 2)):
        np.testing.assert_allclose(s.gradient(point), central_difference(s.f, point), rtol=1e-7, atol=1e-7)
        for i in range(2):
            row = central_difference(lambda p, i=i: s.gradient(p)[i], point)
            np.testing.assert_allclose(s.hessian(point)[i], row, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("name", "settings"), SURFACES)
def test_many_points_at_once_give_what_one_gives(name, settings):
    s = surface(name, **settings)
    grid = np.random.default_rng(1).normal(size=(3, 4, 2))
    assert s.f(grid).shape == (3, 4)
    assert s.gradient(grid).shape == (3, 4, 2)
    assert s.f(grid)[1, 2] == pytest.approx(s.f(grid[1, 2]), rel=1e-14)
    np.testing.assert_allclose(s.gradient(grid)[2, 3], s.gradient(grid[2, 3]), rtol=1e-14)


@pytest.mark.parametrize(("name", "settings"), SURFACES)
def test_minima_are_flat_and_lowest_and_inside_the_window(name, settings):
    s = surface(name, **settings)
    (a, b), (c, d) = s.domain
    for point in s.minima:
        assert not s.gradient(point).any()
        assert (np.linalg.eigvalsh(s.hessian(point)) > 0).all()
        assert a < point[0] < b
        assert c < point[1] < d
    assert (len(s.minima) == 0) == (name == "saddle")


def test_the_bowl_has_the_condition_number_asked_for():
    low, high = np.linalg.eigvalsh(surface("bowl", condition_number=25, curvature=4).hessian(np.zeros(2)))
    assert (high, high / low) == (4.0, 25.0)
    assert repr(surface("bowl")) == "Surface('bowl', f = ½(0.4·w₁² + 4·w₂²))"


def test_steps_to_one_percent_on_curvature_four():
    """The table behind the rate lab: (1 − 4η)ᵏ falls to 1 % after 37, 10, 1, 21 steps, or never."""
    rates = [0.03, 0.1, 0.25, 0.45, 0.5, 0.6]
    path = descend_rates(surface("bowl", condition_number=1, curvature=4), rates, start=(0.0, 1.0), steps=60)
    reached = np.abs(path.points[..., 1]) <= 0.01
    steps = [int(r.argmax()) if r.any() else None for r in reached]
    assert steps == [37, 10, 1, 21, None, None]
    assert path.losses[4].min() == path.losses[4].max()
    assert path.losses[5, -1] > path.losses[5, 0]


def test_one_rate_among_many_walks_the_path_of_the_optimizer():
    s = surface("ravine")
    many = descend_rates(s, [0.05, 0.1], start=(2.0, 1.0), steps=30)
    one = descend(s, lambda params: SGD(params, lr=0.1), start=(2.0, 1.0), steps=30)
    np.testing.assert_allclose(many.points[1], one.points, rtol=1e-12)
    np.testing.assert_allclose(many.losses[1], one.losses, rtol=1e-12)


@pytest.mark.parametrize("make", [lambda p: SGD(p, lr=0.1, momentum=0.5), lambda p: AdaGrad(p, lr=0.5),
                                  lambda p: Adam(p, lr=0.1)])  # fmt: skip
def test_every_optimizer_walks_down_the_bowl(make):
    path = descend(surface("bowl"), make, start=(1.5, 1.0), steps=300)
    assert path.points.shape == (301, 2)
    assert path.losses[-1] < 0.02 * path.losses[0]


def test_an_optimizer_can_lend_its_settings_and_starts_afresh():
    import bplib

    lender = SGD([bplib.tensor([9.0], requires_grad=True)], lr=0.1, momentum=0.9)
    a = descend(surface("bowl"), lender, start=(1.0, 1.0), steps=5)
    b = descend(surface("bowl"), lambda p: SGD(p, lr=0.1, momentum=0.9), start=(1.0, 1.0), steps=5)
    np.testing.assert_array_equal(a.points, b.points)


def test_a_diverging_walk_ends_in_infinity_without_a_warning():
    path = descend_rates(surface("rosenbrock"), [1.0], start=(2.0, 2.0), steps=50)
    assert not np.isfinite(path.losses[0, -1])


@pytest.mark.parametrize(
    ("act", "kind", "fragment"),
    [
        (lambda: surface("hill"), DomainError, "there is no surface 'hill'. Expected one of beale, booth, bowl"),
        (lambda: surface("bowl", depth=3), DomainError, "bowl has no setting 'depth'"),
        (lambda: surface("bowl", condition_number=0.5), DomainError, "condition_number is 0.5. Expected a finite"),
        (lambda: surface("bowl", curvature=0), DomainError, "curvature of the bowl is 0"),
        (lambda: descend(surface("bowl"), SGD, (1, 2, 3), 5), ShapeError, "start has shape (3,)"),
        (lambda: descend(surface("bowl"), SGD, (1, np.nan), 5), DomainError, "two finite numbers"),
        (lambda: descend(surface("bowl"), lambda p: SGD(p, lr=1), (1, 2), -1), DomainError, "steps is -1"),
        (lambda: descend(surface("bowl"), 0.1, (1, 2), 5), DataError, "Try lambda params: SGD(params, lr=0.1)"),
        (lambda: descend_rates(surface("bowl"), [-0.1], (1, 2), 5), DomainError, "finite numbers of at least 0"),
    ],
)
def test_bad_input_is_refused_in_words(act, kind, fragment):
    with pytest.raises(kind) as caught:
        act()
    assert fragment in str(caught.value)
