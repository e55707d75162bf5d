"""Directions: their lengths filter by filter, the plane of a path against NumPy's SVD, coordinates there and back."""

import numpy as np
import pytest

from bplib import losses, nn, optim
from bplib.errors import DataError, DomainError, ShapeError
from bplib.landscape import (
    filter_normalised_directions,
    pca_directions,
    project,
    random_directions,
    slice_2d,
)


def net():
    return nn.Sequential(nn.Linear(3, 5, rng=0), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 2, rng=1))


def images():
    return nn.Sequential(nn.Conv2d(2, 3, (2, 3), rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2, rng=1))


def parts_of(model, direction):
    """The direction cut into the shapes of the parameters, by name."""
    found, start = {}, 0
    for name, p in model.named_parameters():
        found[name] = direction[start : start + p.size].reshape(p.shape)
        start += p.size
    assert start == direction.size
    return found


def test_random_directions_are_normal_seeded_and_independent():
    model = nn.Linear(100, 100, rng=0)
    d = random_directions(model, count=3, rng=4)
    assert d.shape == (3, 10100)
    assert d.dtype == np.float64
    assert abs(d.mean()) < 0.02
    assert d.std() == pytest.approx(1.0, abs=0.02)
    assert abs(d[0] @ d[1]) / (np.linalg.norm(d[0]) * np.linalg.norm(d[1])) < 0.05
    np.testing.assert_array_equal(d, random_directions(model, count=3, rng=np.random.default_rng(4)))
    np.testing.assert_array_equal(random_directions(model), random_directions(model, rng=0))
    assert not np.array_equal(random_directions(model, rng=0), random_directions(model, rng=1))


def test_each_neuron_s_column_is_as_long_as_the_model_s_own_and_biases_rest():
    model = net()
    for d in filter_normalised_directions(model, count=3, rng=2):
        parts = parts_of(model, d)
        for layer in ("0", "3"):
            own = dict(model.named_parameters())[f"{layer}.weight"].data
            got = np.linalg.norm(parts[f"{layer}.weight"], axis=0)
            np.testing.assert_allclose(got, np.linalg.norm(own, axis=0), rtol=1e-13)
        for name in ("0.bias", "3.bias", "1.weight", "1.bias"):
            assert not parts[name].any(), name


def test_each_window_of_a_convolution_is_as_long_as_the_model_s_own():
    model = images()
    for d in filter_normalised_directions(model, rng=2):
        got = np.linalg.norm(parts_of(model, d)["0.weight"].reshape(3, -1), axis=1)
        np.testing.assert_allclose(got, np.linalg.norm(model[0].weight.data.reshape(3, -1), axis=1), rtol=1e-13)


def test_within_a_filter_the_direction_is_the_random_one():
    model = net()
    plain = parts_of(model, random_directions(model, rng=2)[0])
    scaled = parts_of(model, filter_normalised_directions(model, rng=2)[0])
    ratio = scaled["0.weight"] / plain["0.weight"]
    np.testing.assert_allclose(ratio, np.tile(ratio[:1], (3, 1)), rtol=1e-13)
    assert (ratio > 0).all()


def test_a_rescaled_relu_network_gets_a_picture_of_the_same_surface():
    """Weights ten times as large before the ReLU and a tenth behind: the same function, and the same picture."""
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    one = nn.Sequential(nn.Linear(3, 6, bias=False, rng=0), nn.ReLU(), nn.Linear(6, 2, bias=False, rng=1))
    other = nn.Sequential(nn.Linear(3, 6, bias=False, rng=0), nn.ReLU(), nn.Linear(6, 2, bias=False, rng=1))
    other[0].weight.assign(10.0 * one[0].weight.data)
    other[2].weight.assign(0.1 * one[2].weight.data)
    first, second = (
        slice_2d(m, losses.mse, data, filter_normalised_directions(m, rng=5), n=5).losses for m in (one, other)
    )
    np.testing.assert_allclose(first, second, rtol=1e-10)
    plain = [slice_2d(m, losses.mse, data, random_directions(m, rng=5), n=5).losses for m in (one, other)]
    assert not np.allclose(*plain, rtol=0.1)


def test_a_neuron_without_weights_stays_without():
    model = nn.Linear(3, 2, rng=0)
    model.weight.data[:, 1] = 0.0
    assert not parts_of(model, filter_normalised_directions(model)[0])["weight"][:, 1].any()


def trained_path():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))
    sgd, path = optim.SGD(model.parameters(), lr=0.2), [model.theta.copy()]
    for _ in range(40):
        sgd.zero_grad()
        losses.mse(model(X), Y).backward()
        sgd.step()
        path.append(model.theta.copy())
    return model, (X, Y), path


def test_the_plane_of_a_path_is_that_of_the_svd():
    _, _, path = trained_path()
    plane = pca_directions(path)
    centred = np.array(path) - np.mean(path, axis=0)
    _, s, vt = np.linalg.svd(centred)
    np.testing.assert_allclose(np.abs(plane.directions @ vt[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(plane.explained, s[:2] ** 2 / (s**2).sum(), rtol=1e-12)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    along = np.var(centred @ plane.directions.T, axis=0)
    np.testing.assert_allclose(along / np.var(centred, axis=0).sum(), plane.explained)
    np.testing.assert_array_equal(plane.origin, path[-1])
    assert 0.8 < plane.explained.sum() <= 1.0


def test_the_largest_entry_is_positive_so_that_pictures_do_not_flip():
    _, _, path = trained_path()
    plane = pca_directions(path, count=3)
    turned = pca_directions(2 * np.array(path).mean(axis=0) - np.array(path), count=3)
    np.testing.assert_allclose(plane.directions, turned.directions, atol=1e-9)
    for d in plane.directions:
        assert d[np.abs(d).argmax()] > 0


def test_a_straight_path_is_explained_by_one_direction():
    plane = pca_directions(np.outer(np.arange(4.0), [3.0, 0.0, 4.0]))
    np.testing.assert_allclose(plane.directions[0], [0.6, 0.0, 0.8], atol=1e-12)
    np.testing.assert_allclose(plane.explained, [1.0, 0.0], atol=1e-12)


def test_coordinates_in_the_plane_lead_back_to_the_path():
    rng = np.random.default_rng(0)
    origin, directions, coordinates = rng.normal(size=9), rng.normal(size=(2, 9)), rng.normal(size=(6, 2))
    path = origin + coordinates @ directions
    np.testing.assert_allclose(project(path, origin, directions), coordinates, atol=1e-12)
    np.testing.assert_allclose(project(path[3], origin, directions), coordinates[3], atol=1e-12)
    away = np.linalg.svd(directions)[2][5]
    np.testing.assert_allclose(project(path + away, origin, directions), coordinates, atol=1e-12)


def test_a_training_run_lies_on_the_slice_around_its_end():
    """The loss at the projection of the end is the loss of the model, in the middle of the picture."""
    model, data, path = trained_path()
    plane = pca_directions(path)
    coordinates = project(path, plane.origin, plane.directions)
    np.testing.assert_allclose(coordinates[-1], 0.0, atol=1e-12)
    picture = slice_2d(model, losses.mse, data, plane.directions, span=np.abs(coordinates).max(), n=5)
    assert picture.losses[picture.centre] == losses.mse(model(data[0]), data[1]).item()
    assert picture.losses.max() > picture.losses[picture.centre]


def zeros():
    model = nn.Linear(3, 2)
    model.theta = np.zeros(8)
    return model


P = np.arange(12.0).reshape(4, 3) ** 2
BAD = [
    (lambda: random_directions(3), DataError, "model is of type int. Expected a Module"),
    (lambda: random_directions(nn.Tanh()), DataError, "no parameters"),
    (lambda: random_directions(net(), count=0), DomainError, "count is 0"),
    (lambda: random_directions(net(), rng="x"), DataError, "random_directions: rng is of type str"),
    (lambda: filter_normalised_directions("net"), DataError, "filter_normalised_directions: model is of type str"),
    (lambda: filter_normalised_directions(net(), count=2.5), DataError, "filter_normalised_directions: count is 2.5"),
    (lambda: filter_normalised_directions(net(), rng=-1), DomainError, "filter_normalised_directions: rng is -1"),
    (lambda: filter_normalised_directions(zeros()), DomainError, "all weights of the model are 0"),
    (lambda: pca_directions(P[0]), ShapeError, "path has shape (3,). Expected one vector a row"),
    (lambda: pca_directions([]), ShapeError, "path has shape (0,)"),
    (lambda: pca_directions(P[:2]), ShapeError, "the path has shape (2, 3). Expected at least 3 rows"),
    (lambda: pca_directions(P, count=4), ShapeError, "and 4 columns for 4 directions"),
    (lambda: pca_directions(np.tile(P[1], (4, 1))), DomainError, "the path never moves"),
    (lambda: pca_directions([[1.0, 2.0], [1.0]]), DataError, "unequal lengths"),
    (lambda: pca_directions(np.where(P > 3, np.nan, P)), DomainError, "path holds nan. Expected finite"),
    (lambda: pca_directions("path"), DataError, "text"),
    (lambda: project(P, P[0, :2], P[:2]), ShapeError, "origin has shape (2,), the directions have 3"),
    (lambda: project(P, P[0], P[:2, :2]), ShapeError, "the directions have 2"),
    (lambda: project(P, P[0], P[0]), ShapeError, "project: directions has shape (3,)"),
    (lambda: project(P, P[0], [P[1], 2 * P[1]]), DomainError, "follows from the others"),
    (lambda: project(P, P[0] * np.nan, P[1:3]), DomainError, "origin holds a number that is not finite"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "fragment"), BAD)
def test_bad_input_is_refused_in_words(act, kind, fragment):
    with pytest.raises(kind) as caught:
        act()
    assert fragment in str(caught.value)
