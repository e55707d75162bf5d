"""Every layer and first weight: published numbers, both modes, saved state, and what is refused."""

import copy
import json
import math

import numpy as np
import pytest

import bplib
from bplib import gradcheck, nn, tensor
from bplib.errors import BplibError, DataError, DomainError, GraphError, ShapeError

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.125, -1.5], [-0.25, 4.0, 2.0], [0.75, 1.0, 1.25]])
IMAGES = np.random.default_rng(5).normal(size=(3, 2, 6, 6))

LAYERS = {
    "ReLU": (nn.ReLU, X),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.3), X),
    "Tanh": (nn.Tanh, X),
    "Sigmoid": (nn.Sigmoid, X),
    "Softmax": (nn.Softmax, X),
    "Dropout": (lambda: nn.Dropout(0.4, rng=3), X),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), X),
    "LayerNorm": (lambda: nn.LayerNorm(3), X),
    "Linear": (lambda: nn.Linear(3, 2, rng=0), X),
    "Flatten": (nn.Flatten, IMAGES),
    "Conv2d": (lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1, rng=0), IMAGES),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), IMAGES),
    "Sequential": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.LayerNorm(4)), X),
}


def test_the_table_of_this_file_has_every_layer():
    assert set(LAYERS) == {n for n in nn.__all__ if isinstance(getattr(nn, n), type)} - {"Module", "Parameter"}


# ---------------------------------------------------------------- what all layers promise


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_gradients_of_inputs_and_parameters_are_right(name, training):
    make, x = LAYERS[name]
    layer = make().train(training)
    state = copy.deepcopy(layer)
    weights = np.random.default_rng(1).normal(size=layer(x).shape)

    def loss(t):
        fresh = copy.deepcopy(state)  # a layer that draws or remembers does so anew, and the same, each time
        return (fresh(t) * weights).sum()

    assert gradcheck(loss, tensor(x)).passed


@pytest.mark.parametrize("name", [n for n in LAYERS if n != "Dropout"])
def test_the_gradient_of_every_parameter_is_right(name):
    make, x = LAYERS[name]
    layer = make()
    weights = np.random.default_rng(1).normal(size=layer(x).shape)
    if list(layer.parameters()):
        report = gradcheck(lambda: (layer(x) * weights).sum(), params=layer)
        assert report.passed, report


@pytest.mark.parametrize("name", LAYERS)
def test_types_stay_inputs_stay_and_layout_does_not_matter(name):
    make, x = LAYERS[name]
    for dtype in (np.float32, np.float64):
        given = x.astype(dtype)
        given.setflags(write=False)
        layer = make().astype(dtype)
        y = layer(given)
        assert y.dtype == dtype
        np.testing.assert_array_equal(given, x.astype(dtype))
        other = make().astype(dtype)(np.asfortranarray(given))
        np.testing.assert_allclose(other.data, y.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_reprs_have_no_address_copies_share_nothing_and_modes_are_known(name):
    make, x = LAYERS[name]
    layer = make()
    assert repr(layer).startswith(name)
    assert "0x" not in repr(layer)
    twin = copy.deepcopy(layer)
    np.testing.assert_array_equal(twin(x).data, layer(x).data)
    for ours, theirs in zip(layer.state_dict().values(), twin.state_dict().values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(layer._places().values(), twin._places().values(), strict=True):
        assert not np.shares_memory(ours, theirs)
    assert layer.training
    assert not layer.eval().training


@pytest.mark.parametrize("name", ["Linear", "Conv2d"])
def test_the_seed_gives_the_weights_and_numpys_own_generator_is_left_alone(name):
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (that it is not touched is the point)
    make, _ = LAYERS[name]
    np.testing.assert_array_equal(make().theta, make().theta)
    kind = {"Linear": lambda: nn.Linear(3, 2), "Conv2d": lambda: nn.Conv2d(1, 2, 3)}[name]
    assert (kind().theta != kind().theta).any()
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# ---------------------------------------------------------------- dropout


def test_dropout_keeps_the_expected_value_and_its_share():
    layer = nn.Dropout(0.3, rng=0)
    y = layer(np.ones(200_000)).data
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert y.mean() == pytest.approx(1.0, abs=0.01)


def test_dropout_sends_no_gradient_to_what_was_away_and_is_off_afterwards():
    x = tensor(np.ones(50), requires_grad=True)
    layer = nn.Dropout(0.5, rng=1)
    y = layer(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)
    assert (layer(x).data != y.data).any()
    np.testing.assert_array_equal(layer.eval()(x).data, np.ones(50))
    np.testing.assert_array_equal(nn.Dropout(0.0)(x).data, np.ones(50))


# ---------------------------------------------------------------- normalisation


def test_batch_norm_in_training_and_after_it_by_the_formula():
    layer = nn.BatchNorm1d(3)
    y = layer(X).data
    np.testing.assert_allclose(y, (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-5), rtol=1e-13)
    np.testing.assert_allclose(layer.running_mean, 0.1 * X.mean(0), rtol=1e-14)
    np.testing.assert_allclose(layer.running_var, 0.9 + 0.1 * X.var(0, ddof=1), rtol=1e-14)
    np.testing.assert_allclose(
        layer.eval()(X[:1]).data, (X[:1] - layer.running_mean) / np.sqrt(layer.running_var + 1e-5), rtol=1e-13
    )
    before = layer.running_mean.copy()
    layer(X)
    np.testing.assert_array_equal(layer.running_mean, before)


def test_layer_norm_by_the_formula_and_one_example_at_a_time():
    layer = nn.LayerNorm(3)
    expected = (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(layer(X).data, expected, rtol=1e-13)
    np.testing.assert_allclose(layer(X[2]).data, expected[2], rtol=1e-13)


def test_scale_and_shift_are_learned():
    for layer in (nn.BatchNorm1d(3), nn.LayerNorm(3)):
        layer.weight.assign([2.0, 1.0, 0.5])
        layer.bias.assign([1.0, 0.0, -1.0])
        plain = type(layer)(3)(X).data
        np.testing.assert_allclose(layer(X).data, plain * [2.0, 1.0, 0.5] + [1.0, 0.0, -1.0], rtol=1e-13)


def test_the_running_averages_are_saved_loaded_and_cast_with_the_model():
    model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.BatchNorm1d(3))
    model(X)
    state = model.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"]
    other = nn.Sequential(nn.Linear(3, 3, rng=9), nn.BatchNorm1d(3))
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.eval()(X).data, model.eval()(X).data)
    model.train()(X)
    np.testing.assert_array_equal(state["1.running_mean"], other[1].running_mean)
    assert other.astype(np.float32)(X.astype(np.float32)).dtype == np.float32
    with pytest.raises(DataError, match=r"running_var"):
        other.load_state_dict({k: v for k, v in state.items() if k != "1.running_var"})
    with pytest.raises(ShapeError, match=r"1\.running_mean has shape \(3,\), the saved one has \(2,\)"):
        other.load_state_dict({**state, "1.running_mean": np.zeros(2)})


def test_a_shared_layer_is_saved_once():
    shared = nn.BatchNorm1d(3)
    assert list(nn.Sequential(shared, nn.Tanh(), shared).state_dict()) == [
        "0.weight", "0.bias", "0.running_mean", "0.running_var"
    ]  # fmt: skip


def test_the_slope_of_a_leaky_relu_is_used():
    assert nn.LeakyReLU(0.5)([-2.0, 2.0]).data.tolist() == [-1.0, 2.0]
    assert nn.LeakyReLU()([-2.0]).data.tolist() == [-0.02]
    assert nn.Softmax(0)([[0.0], [0.0]]).data.tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize("name", ["Dropout", "BatchNorm1d"])
def test_replay_refuses_what_it_would_leave_out(name):
    layer = LAYERS[name][0]()
    model = nn.Sequential(nn.Linear(3, 3, rng=0), layer, nn.Linear(3, 1, rng=0))
    optimizer = bplib.optim.SGD(model.parameters(), lr=0.1)

    def step():
        optimizer.zero_grad()
        loss = bplib.losses.mse(model(X), np.zeros((4, 1)))
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(GraphError, match=rf"replay: {name} .* Call model\.eval\(\) first"):
        bplib.replay(step)()
    model.eval()
    run = bplib.replay(step)
    assert float(run()) > float(run())


# ---------------------------------------------------------------- images


def test_conv_and_pool_are_the_functions_of_the_table():
    layer = nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), rng=0)
    expected = bplib.conv2d(IMAGES, layer.weight, layer.bias, (2, 1), (1, 0))
    np.testing.assert_array_equal(layer(IMAGES).data, expected.data)
    assert np.abs(layer.weight.data).max() <= 1 / math.sqrt(2 * 3 * 2)
    assert nn.Conv2d(2, 4, 3, bias=False, rng=0).bias is None
    np.testing.assert_array_equal(nn.MaxPool2d(3, 1)(IMAGES).data, bplib.max_pool2d(IMAGES, 3, 1).data)


def test_flatten_keeps_the_examples_apart_also_when_there_are_none():
    assert nn.Flatten()(IMAGES).shape == (3, 72)
    np.testing.assert_array_equal(nn.Flatten()(IMAGES).data[1], IMAGES[1].ravel())
    assert nn.Flatten()(IMAGES[:0]).shape == (0, 72)
    assert nn.Flatten()([1.0, 2.0]).shape == (2, 1)
    with pytest.raises(ShapeError, match="Flatten: x is a single number"):
        nn.Flatten()(1.0)


# ---------------------------------------------------------------- first weights

FANS = {"linear": ((300, 200), 300, 200), "conv": ((60, 40, 5, 5), 1000, 1500)}


@pytest.mark.parametrize("kind", FANS)
@pytest.mark.parametrize(
    ("name", "options", "variance"),
    [
        ("xavier_uniform_", {}, lambda i, o: 2 / (i + o)),
        ("xavier_normal_", {}, lambda i, o: 2 / (i + o)),
        ("xavier_normal_", {"gain": 2.0}, lambda i, o: 8 / (i + o)),
        ("kaiming_uniform_", {}, lambda i, o: 2 / i),
        ("kaiming_normal_", {}, lambda i, o: 2 / i),
        ("kaiming_normal_", {"mode": "fan_out"}, lambda i, o: 2 / o),
        ("kaiming_uniform_", {"slope": 0.5}, lambda i, o: 1.6 / i),
    ],
)
def test_first_weights_have_the_variance_of_the_paper(kind, name, options, variance):
    shape, fan_in, fan_out = FANS[kind]
    weight = nn.Parameter(np.zeros(shape))
    home = weight.data
    assert getattr(nn.init, name)(weight, rng=0, **options) is weight
    assert weight.data is home
    expected = variance(fan_in, fan_out)
    # The spread of a sample variance of 60,000 draws is 0.6 %; this seed lies within twice that.
    assert weight.data.var() == pytest.approx(expected, rel=0.015)
    assert weight.data.mean() == pytest.approx(0.0, abs=4 * math.sqrt(expected / weight.size))
    if "uniform" in name:
        bound = math.sqrt(3 * expected)
        assert 0.999 * bound < np.abs(weight.data).max() <= bound


def test_plain_first_weights():
    weight = nn.Parameter(np.ones((50, 40)))
    assert not nn.init.zeros_(weight).data.any()
    drawn = nn.init.uniform_(weight, -2.0, 3.0, rng=0).data
    assert (drawn.min() >= -2.0, drawn.max() < 3.0) == (True, True)
    assert drawn.var() == pytest.approx(25 / 12, rel=0.05)
    drawn = nn.init.normal_(weight, 1.0, 3.0, rng=0).data
    assert (drawn.mean(), drawn.std()) == (pytest.approx(1.0, abs=0.2), pytest.approx(3.0, rel=0.05))


def test_a_deep_relu_network_keeps_its_signal_with_he_and_loses_it_with_xavier():
    """He et al. (2015), figure 3: thirty layers, Xavier's signal vanishes as 2⁻ⁿ/² in size."""
    x = np.random.default_rng(0).normal(size=(200, 256))
    sizes = {}
    for name in ("kaiming_normal_", "xavier_normal_"):
        h = x
        for i in range(30):
            weight = getattr(nn.init, name)(nn.Parameter(np.zeros((256, 256))), rng=i)
            h = np.maximum(h @ weight.data, 0)
        sizes[name] = float(np.sqrt((h**2).mean()))
    assert 0.3 < sizes["kaiming_normal_"] < 3
    assert sizes["kaiming_normal_"] / sizes["xavier_normal_"] == pytest.approx(2**15, rel=1e-9)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "error", "fragments"),
    [
        (lambda: nn.Dropout(1.0), DomainError, ["Dropout", "p is 1"]),
        (lambda: nn.Dropout(-0.1), DomainError, ["Dropout", "p is -0.1"]),
        (lambda: nn.Dropout(math.nan), DomainError, ["Dropout", "p is nan"]),
        (lambda: nn.Dropout("0.5"), DataError, ["Dropout", "p is '0.5'"]),
        (lambda: nn.Dropout(0.5, rng="x"), DataError, ["Dropout", "rng"]),
        (lambda: nn.BatchNorm1d(0), DomainError, ["BatchNorm1d", "num_features is 0"]),
        (lambda: nn.BatchNorm1d(2.0), DataError, ["BatchNorm1d", "num_features is 2.0"]),
        (lambda: nn.BatchNorm1d(3, eps=-1), DomainError, ["BatchNorm1d", "eps is -1"]),
        (lambda: nn.BatchNorm1d(3, momentum=1.0), DomainError, ["BatchNorm1d", "momentum is 1"]),
        (lambda: nn.BatchNorm1d(3)(X[:1]), ShapeError, ["1 rows in training", "model.eval()"]),
        (lambda: nn.BatchNorm1d(3)(X[:0]), ShapeError, ["0 rows in training"]),
        (lambda: nn.BatchNorm1d(2)(X), ShapeError, ["(4, 3)", "(examples, 2)"]),
        (lambda: nn.BatchNorm1d(3)(X[0]), ShapeError, ["(3,)", "(examples, 3)"]),
        (lambda: nn.LayerNorm(0), DomainError, ["LayerNorm", "num_features is 0"]),
        (lambda: nn.LayerNorm(2)(X), ShapeError, ["LayerNorm", "(4, 3)", "2 long"]),
        (lambda: nn.LayerNorm(2)(1.0), ShapeError, ["LayerNorm", "()"]),
        (lambda: nn.LeakyReLU("a"), DataError, ["LeakyReLU", "slope is 'a'"]),
        (lambda: nn.Softmax(3)(X), BplibError, ["softmax", "3", "(4, 3)"]),
        (lambda: nn.Conv2d(0, 1, 3), DomainError, ["Conv2d", "in_channels is 0"]),
        (lambda: nn.Conv2d(1, 1, 0), DomainError, ["Conv2d", "kernel_size is 0"]),
        (lambda: nn.Conv2d(1, 1, (3, 3, 3)), DataError, ["Conv2d", "kernel_size is (3, 3, 3)"]),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), DomainError, ["Conv2d", "padding is -1"]),
        (lambda: nn.Conv2d(1, 1, 3, rng=0)(IMAGES), ShapeError, ["(3, 2, 6, 6)", "same number of channels"]),
        (lambda: nn.Conv2d(2, 1, 9, rng=0)(IMAGES), ShapeError, ["conv2d"]),
        (lambda: nn.MaxPool2d(1.5), DataError, ["MaxPool2d", "kernel_size is 1.5"]),
        (lambda: nn.MaxPool2d(2)(X), ShapeError, ["max_pool2d", "(4, 3)"]),
        (lambda: nn.init.zeros_(np.zeros(3)), DataError, ["zeros_", "ndarray", "layer.weight"]),
        (lambda: nn.init.xavier_normal_(nn.Parameter([1.0])), ShapeError, ["xavier_normal_", "(1,)", "zeros_"]),
        (lambda: nn.init.kaiming_normal_(nn.Parameter(X), mode="in"), DomainError, ["mode is 'in'", "fan_out"]),
        (lambda: nn.init.uniform_(nn.Parameter(X), 1.0, 1.0), DomainError, ["low is 1", "Expected low below high"]),
        (lambda: nn.init.normal_(nn.Parameter(X), std=-1.0), DomainError, ["normal_", "std is -1"]),
        (lambda: nn.init.normal_(nn.Parameter(X), rng="x"), DataError, ["normal_", "rng"]),
    ],
)  # fmt: skip
def test_refusals_say_what_was_expected(call, error, fragments):
    with pytest.raises(error) as caught:
        call()
    assert [part for part in fragments if part not in str(caught.value)] == [], str(caught.value)


def test_the_state_of_a_model_is_plain_numbers():
    state = LAYERS["BatchNorm1d"][0]().state_dict()
    assert json.loads(json.dumps({k: v.tolist() for k, v in state.items()}))["running_var"] == [1.0, 1.0, 1.0]
