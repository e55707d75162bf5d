"""Slices through a model's loss surface: right values, both ways of computing, and a model that is left as it was."""

import io
import signal
import sys
import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
import tqdm  # loaded here, since an interrupt in the middle of an import is Python's own affair

from bplib import detect_anomaly, losses, nn
from bplib.errors import AnomalyError, DataError, DomainError, ShapeError
from bplib.landscape import interpolate, random_directions, rows, slice_1d, slice_2d
from bplib.landscape.objective import Objective
from bplib.landscape.rows import blocks_of
from bplib.tensors import Tensor

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 2))
CLASSES, SHARES = RNG.integers(0, 2, 30), np.tile([0.25, 0.75], (30, 1))
DATA = (X, Y)


def net(*activations, width=5, bias=True, outputs=2):
    sizes = [3, *[width] * len(activations), outputs]
    parts = []
    for k, (one, other) in enumerate(pairwise(sizes)):
        parts.append(nn.Linear(one, other, bias=bias, rng=k))
        parts += activations[k : k + 1]
    return nn.Sequential(*parts)


def directions_of(model, scale=1.0):
    return scale * random_directions(model, rng=7)


def by_hand(model, loss, data, u, v, a, b):
    """One model a point, made anew: slow, and nothing can be left over from the point before."""
    start, out = model.theta.copy(), np.empty((len(a), len(b)))
    model.eval()
    for i, along in enumerate(a):
        for j, across in enumerate(b):
            model.theta = start + along * u + across * v
            out[i, j] = loss(model(data[0]), data[1]).item()
    model.theta = start
    model.train()
    return out


class Twice(nn.Module):
    """A module that no fast way knows, with a parameter of three axes."""

    def __init__(self):
        super().__init__()
        self.inner, self.scale = net(nn.Tanh()), nn.Parameter(np.full((1, 1, 2), 1.5))

    def forward(self, x):
        return self.inner(x) * self.scale[0]


FAST = [net(nn.Tanh()), net(nn.ReLU(), nn.Sigmoid()), net(nn.Sigmoid(), bias=False), net(), net(nn.Tanh(), width=200),
        nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.ReLU(), nn.Dropout(0.5), nn.Sequential(nn.Linear(4, 2, rng=1)))]  # fmt: skip  # noqa: E501
TARGETS = [(losses.mse, Y), (losses.cross_entropy, CLASSES), (losses.cross_entropy, SHARES)]


@pytest.mark.parametrize("model", FAST, ids=lambda m: m._title()[:60])
@pytest.mark.parametrize(("loss", "y"), TARGETS, ids=["mse", "classes", "shares"])
@pytest.mark.parametrize("n", [7, 6])
def test_blocks_and_single_points_agree_to_twelve_digits(model, loss, y, n):
    d = directions_of(model)
    assert blocks_of(Objective(model, loss, (X, y), "test")) is not None
    fast = slice_2d(model, loss, (X, y), d, span=0.7, n=n)
    slow = slice_2d(model, lambda p, t: loss(p, t), (X, y), d, span=0.7, n=n)
    np.testing.assert_allclose(fast.losses, slow.losses, rtol=1e-12)
    np.testing.assert_allclose(slow.losses, by_hand(model, loss, (X, y), *d, slow.a, slow.b), rtol=1e-12)
    line = slice_1d(model, loss, (X, y), d[0], span=0.7, n=n)
    np.testing.assert_allclose(line.losses, by_hand(model, loss, (X, y), *d, line.a, [0.0])[:, 0], rtol=1e-12)


@pytest.mark.parametrize("loss", [losses.mse, lambda p, t: losses.mse(p, t)], ids=["known", "own"])
def test_a_grid_that_needs_several_blocks_is_whole(monkeypatch, loss):
    monkeypatch.setattr(rows, "_BLOCK", 5 * 100 * 40)  # five points of the widest layer
    model, rng = net(nn.Tanh(), nn.Tanh(), width=40), np.random.default_rng(1)
    data = rng.normal(size=(100, 3)), rng.normal(size=(100, 2))
    d = directions_of(model, 0.3)
    fast = slice_2d(model, loss, data, d, n=13)
    np.testing.assert_allclose(fast.losses, by_hand(model, loss, data, *d, fast.a, fast.b), rtol=1e-12)


@pytest.mark.parametrize(("loss", "y"), [
    (losses.mse, Y), (losses.mae, Y), (losses.huber, Y), (losses.cross_entropy, CLASSES),
    (losses.binary_cross_entropy_with_logits, SHARES), (losses.hinge, np.sign(Y)),
    (lambda p, t: losses.mse(p, t, reduction="sum") * 0.5, Y), (lambda p, t: losses.mse(p[:, :1], t[:, None]), Y[:, 0]),
])  # fmt: skip
def test_any_module_and_any_loss_will_do(loss, y):
    model = Twice()
    d = directions_of(model)
    plane = slice_2d(model, loss, (X, y), d, span=0.5, n=3)
    np.testing.assert_allclose(plane.losses, by_hand(model, loss, (X, y), *d, plane.a, plane.b), rtol=1e-12)


def test_a_block_holds_no_more_parameters_than_fit():
    """One example and 30,000 parameters: a whole row of 31 networks would be 7 MB, three times over."""
    model = nn.Sequential(nn.Linear(100, 297, rng=0), nn.Tanh(), nn.Linear(297, 1, rng=1))
    data, d = (np.ones((1, 100)), np.ones((1, 1))), directions_of(model)
    tracemalloc.start()
    slice_2d(model, losses.mse, data, d, n=31, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6


def test_a_loss_that_reads_the_parameters_sees_those_of_its_point():
    model = net(nn.Tanh())

    def decayed(p, t):
        return losses.mse(p, t) + 0.1 * (model[0].weight * model[0].weight).sum()

    d = directions_of(model)
    plane = slice_2d(model, decayed, DATA, d, span=0.7, n=5)
    np.testing.assert_allclose(plane.losses, by_hand(model, decayed, DATA, *d, plane.a, plane.b), rtol=1e-12)


def test_a_loss_may_keep_the_predictions_that_it_is_given():
    model, kept = net(nn.Tanh()), []

    def keeps(p, t):
        kept.append((p, losses.mse(p, t)))
        return kept[-1][1]

    slice_2d(model, keeps, DATA, directions_of(model), n=5)
    assert len(kept) >= 25
    assert all(losses.mse(p, Y).item() == loss.item() for p, loss in kept)


@pytest.mark.parametrize("model", [net(nn.Tanh()), Twice()], ids=["blocks", "points"])
@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (lambda loss: loss.item(), DataError, "slice_2d: the loss gave a float. Expected a Tensor"),
        (lambda loss: None, DataError, "slice_2d: the loss gave a NoneType. Expected a Tensor"),
        (lambda loss: loss.reshape(1) * np.ones(2), ShapeError, r"slice_2d: the loss gave a tensor of shape \(2,\)"),
    ],
)
def test_a_loss_that_gives_something_else_at_one_point_is_told_there(model, given, error, said):
    before, calls = model.theta.copy(), []

    def loss(p, t):
        calls.append(p)
        value = losses.mse(p, t)
        return given(value) if len(calls) == 8 else value

    with pytest.raises(error, match=said):
        slice_2d(model, loss, DATA, directions_of(model), n=3)
    assert np.array_equal(model.theta, before)


def test_a_loss_that_cannot_be_a_key_will_do():
    class Loss:
        __hash__ = None

        def __eq__(self, other):
            raise TypeError("not comparable")

        def __call__(self, p, t):
            return losses.mse(p, t)

    model = net(nn.Tanh())
    d = directions_of(model)
    ours, theirs = (slice_2d(model, loss, DATA, d, n=5).losses for loss in (Loss(), losses.mse))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_probabilities_and_logarithms_and_images():
    soft = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Softmax())
    assert np.isfinite(slice_2d(soft, losses.binary_cross_entropy, (X, SHARES), directions_of(soft), n=3).losses).all()
    images = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2, rng=1))
    data = RNG.normal(size=(5, 1, 4, 4)), np.arange(5) % 2
    d = directions_of(images)
    plane = slice_2d(images, losses.cross_entropy, data, d, n=3)
    np.testing.assert_allclose(plane.losses, by_hand(images, losses.cross_entropy, data, *d, plane.a, plane.b))


@pytest.mark.parametrize("loss", [losses.mse, lambda p, t: losses.mse(p, t)], ids=["blocks", "points"])
def test_the_centre_is_the_model_itself(loss):
    model = net(nn.Tanh(), nn.Tanh())
    own = losses.mse(model(X), Y).item()
    plane = slice_2d(model, loss, DATA, directions_of(model), span=2.0, n=9)
    assert plane.centre == (4, 4)
    assert plane.losses[plane.centre] == own
    assert plane.a[0] == -2.0
    assert plane.b[-1] == 2.0
    assert plane.a[4] == 0.0
    line = slice_1d(model, loss, DATA, directions_of(model)[0], n=11)
    assert line.losses[line.centre] == own
    assert (line.a.shape, line.losses.shape, line.centre) == ((11,), (11,), 5)
    assert slice_1d(model, loss, DATA, directions_of(model)[0], n=4).centre is None
    assert slice_2d(model, loss, DATA, directions_of(model), n=2).centre is None


def test_the_first_index_belongs_to_the_first_direction():
    model = nn.Linear(1, 1, rng=0)
    model.theta = [0.0, 0.0]
    plane = slice_2d(model, losses.mse, ([[1.0]], [[0.0]]), [[1.0, 0.0], [0.0, 3.0]], n=3)
    np.testing.assert_allclose(plane.losses, (plane.a[:, None] + 3 * plane.b) ** 2)


def test_default_sizes_are_those_of_the_documentation():
    model = nn.Linear(3, 2, rng=0)
    assert slice_1d(model, losses.mse, DATA, np.ones(8)).losses.shape == (101,)
    assert slice_2d(model, losses.mse, DATA, directions_of(model)).losses.shape == (51, 51)


def test_float32_stays_float32_inside():
    model = net(nn.Tanh()).astype(np.float32)
    data = X.astype(np.float32), Y.astype(np.float32)
    fast = slice_2d(model, losses.mse, data, directions_of(model), n=5)
    slow = slice_2d(model, lambda p, t: losses.mse(p, t), data, directions_of(model), n=5)
    np.testing.assert_allclose(fast.losses, slow.losses, rtol=2e-6)
    assert model.theta.dtype == np.float32


def test_a_diverging_corner_is_a_result_and_no_warning():
    model = net(nn.ReLU())
    plane = slice_2d(model, losses.mse, DATA, directions_of(model), span=1e200, n=3)
    assert not np.isfinite(plane.losses[0, 0])
    assert np.isfinite(plane.losses[plane.centre])


# -- what is left behind ----------------------------------------------------------------------------------------------


def noisy():
    return nn.Sequential(nn.Linear(3, 6, rng=0), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.5, rng=0), nn.Linear(6, 2, rng=1))  # fmt: skip  # noqa: E501


def state_of(model):
    arrays = {name: array.tobytes() for name, array in model.state_dict().items()}
    grads = [None if p.grad is None else p.grad.tobytes() for p in model.parameters()]
    return arrays, grads, [module.training for module in model.modules()]


@pytest.mark.parametrize("make", [noisy, lambda: net(nn.Tanh()), Twice])
def test_the_model_is_left_bit_for_bit_as_it_was(make):
    model = make()
    losses.mse(model(X), Y).backward()
    next(iter(model.parameters())).data[0, 0] = -0.0
    before = state_of(model)
    slice_2d(model, losses.mse, DATA, directions_of(model), n=5)
    slice_1d(model, losses.mse, DATA, directions_of(model)[0], n=5)
    interpolate(model, losses.mse, DATA, model.theta * 0, model.theta * 2, n=5)
    assert state_of(model) == before


def test_dropout_and_batch_norm_are_asked_in_evaluation_mode():
    model = noisy()
    for _ in range(5):
        model(X)
    draws, before = model[3].rng.bit_generator.state, state_of(model)
    d = directions_of(model)
    first, second = (slice_2d(model, losses.mse, DATA, d, n=3).losses for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert state_of(model) == before
    assert model[3].rng.bit_generator.state == draws
    model.eval()
    assert first[1, 1] == losses.mse(model(X), Y).item()


def test_a_module_that_was_in_evaluation_mode_stays_there():
    model = noisy()
    model[1].eval()
    slice_1d(model, losses.mse, DATA, directions_of(model)[0], n=3)
    assert [module.training for module in model.modules()] == [True, True, False, True, True, True]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ShapeError, ZeroDivisionError])
def test_an_error_or_an_interrupt_in_the_middle_restores_theta(error):
    model, calls = noisy(), []

    def failing(prediction, target):
        calls.append(1)
        if len(calls) == 10:
            raise error("now")
        return losses.mse(prediction, target)

    before = state_of(model)
    with pytest.raises(error):
        slice_2d(model, failing, DATA, directions_of(model), n=5)
    assert state_of(model) == before


@pytest.mark.parametrize("make", [lambda: net(nn.Tanh(), nn.Tanh(), width=30), Twice], ids=["blocks", "points"])
def test_ctrl_c_at_any_moment_leaves_theta_as_it_was(make):
    before_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    model, stopped = make(), 0
    d, before = directions_of(model), state_of(model)
    try:
        for moment in np.random.default_rng(0).uniform(0.0005, 0.05, 15):
            timer = threading.Timer(moment, signal.raise_signal, [signal.SIGINT])
            try:
                timer.start()
                slice_2d(model, losses.mse, DATA, d, n=101)
                timer.join()
            except KeyboardInterrupt:
                stopped += 1
            assert state_of(model) == before
    finally:
        signal.signal(signal.SIGINT, before_handler)
    assert stopped


def test_a_backward_pass_that_is_pending_still_fits():
    model, twin = net(nn.Tanh()), net(nn.Tanh())
    pending = losses.mse(model(X), Y)
    slice_2d(model, lambda p, t: losses.mse(p, t), DATA, directions_of(model), n=3)
    pending.backward()
    losses.mse(twin(X), Y).backward()
    np.testing.assert_array_equal(model.theta_grad, twin.theta_grad)


def test_who_looks_for_anomalies_sees_every_point():
    model = net(nn.Tanh())
    with detect_anomaly(), pytest.raises(AnomalyError):
        slice_1d(model, losses.mse, DATA, directions_of(model)[0], span=1e300, n=3)


# -- the bar ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bars(monkeypatch):
    """Every bar that is opened, with how many points it was told of."""
    seen = []

    class Bar:
        def __init__(self, **settings):
            self.settings, self.points, self.closed = settings, 0, False
            seen.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.closed = True

        def update(self, points):
            self.points += points

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    return seen


@pytest.mark.parametrize("loss", [losses.mse, lambda p, t: losses.mse(p, t)], ids=["blocks", "points"])
def test_what_takes_long_shows_a_bar_that_counts_every_point(bars, monkeypatch, loss):
    monkeypatch.setattr("bplib.landscape.slices._PATIENCE", 0.0)
    model = net(nn.Tanh())
    slice_2d(model, loss, DATA, directions_of(model), n=9)
    slice_1d(model, loss, DATA, directions_of(model)[0], n=12)
    assert [bar.points for bar in bars] == [bar.settings["total"] for bar in bars] == [81, 12]
    assert all(bar.closed and bar.settings["file"] is sys.stdout for bar in bars)
    slice_2d(model, loss, DATA, directions_of(model), n=9, progress=False)
    assert len(bars) == 2


def test_what_is_quick_shows_none(bars):
    model = net(nn.Tanh())
    slice_1d(model, losses.mse, DATA, directions_of(model)[0], n=3)
    assert bars == []


def test_the_real_bar_says_what_it_counts(monkeypatch):
    from bplib.landscape import slices

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with slices._bar(7) as bar:
        assert (bar.total, bar.delay if hasattr(bar, "delay") else 1.0) == (7, 1.0)


# -- from one θ to another --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [losses.mse, lambda p, t: losses.mse(p, t)], ids=["blocks", "points"])
def test_interpolation_starts_at_one_theta_and_ends_at_the_other(loss):
    model, other = net(nn.Tanh()), net(nn.Tanh())
    other.theta = np.random.default_rng(3).normal(size=other.theta.size)
    line = interpolate(model, loss, DATA, model.theta, other.theta.copy(), n=5)
    assert line.a.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert line.centre == 0
    assert line.losses[0] == losses.mse(model(X), Y).item()
    assert line.losses[-1] == pytest.approx(losses.mse(other(X), Y).item(), rel=1e-13)
    model.theta = 0.5 * (model.theta + other.theta)
    assert line.losses[2] == pytest.approx(losses.mse(model(X), Y).item(), rel=1e-13)


@pytest.mark.parametrize("loss", [losses.mse, lambda p, t: losses.mse(p, t)], ids=["blocks", "points"])
def test_theta_itself_is_a_direction_and_does_not_move_while_it_is_one(loss):
    model = net(nn.Tanh())
    line = slice_1d(model, loss, DATA, model.theta, n=5)
    np.testing.assert_array_equal(line.losses, slice_1d(model, loss, DATA, model.theta.copy(), n=5).losses)


# -- refusals ---------------------------------------------------------------------------------------------------------

BAD = [
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(5)), ShapeError, "direction has shape (5,), the model has 32"),
    (lambda m: slice_1d(m, losses.mse, DATA, 1.0), ShapeError, "direction has shape ()"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.zeros(32)), DomainError, "direction is 0 everywhere and leads nowhere"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.full(32, np.nan)), DomainError, "direction holds nan. Expected finite"),
    (lambda m: slice_1d(m, losses.mse, DATA, ["a"]), DataError, "text"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), span=0), DomainError, "span is 0. Expected a number above 0"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), span=-1), DomainError, "span is -1"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), span=np.inf), DomainError, "span is inf"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), span="wide"), DataError, "span is 'wide'"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), n=1), DomainError, "n is 1. Expected a whole number of at"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), n=2.5), DataError, "n is 2.5. Expected a whole number"),
    (lambda m: slice_1d(m, losses.mse, DATA, np.ones(32), progress="no"), DataError, "progress is 'no'"),
    (lambda m: slice_2d(m, losses.mse, DATA, np.ones(32)), ShapeError, "directions hold 32 rows. Expected two"),
    (lambda m: slice_2d(m, losses.mse, DATA, np.ones((3, 32))), ShapeError, "directions hold 3 rows"),
    (lambda m: slice_2d(m, losses.mse, DATA, np.ones((2, 31))), ShapeError, "directions[0] has shape (31,), the model"),
    (lambda m: slice_2d(m, losses.mse, DATA, [np.ones(32), np.zeros(32)]), DomainError, "directions[1] is 0 every"),
    (lambda m: slice_2d(m, losses.mse, DATA, [np.ones(32), [1.0]]), ShapeError, "directions[1] has shape (1,)"),
    (lambda m: slice_2d(m, losses.mse, DATA, None), ShapeError, "directions hold 1 row"),
    (lambda m: slice_2d(m, losses.mse, DATA, np.ones((2, 32)), n="many"), DataError, "n is 'many'"),
    (lambda m: slice_2d(m, losses.mse, DATA, np.ones((2, 32)), n=10**6), DomainError, "n is more than"),
    (lambda m: slice_2d(X, losses.mse, DATA, np.ones((2, 32))), DataError, "model is of type ndarray"),
    (lambda m: slice_2d(nn.Tanh(), losses.mse, DATA, np.ones((2, 32))), DataError, "no parameters"),
    (lambda m: slice_2d(m, 0.5, DATA, np.ones((2, 32))), DataError, "loss is 0.5"),
    (lambda m: slice_2d(m, losses.mse, X, np.ones((2, 32))), DataError, "data is a ndarray. Expected a pair (X, y)"),
    (lambda m: slice_2d(m, losses.mse, (X, Y[:4]), np.ones((2, 32))), ShapeError, "X has 30 rows, y has 4"),
    (lambda m: slice_2d(m, losses.mse, (X, Y[:, 0]), np.ones((2, 32))), ShapeError, "mse: prediction has shape"),
    (lambda m: slice_2d(m, losses.cross_entropy, (X, CLASSES + 9), np.ones((2, 32))), DomainError, "holds class"),
    (lambda m: slice_2d(m, lambda p, t: p, DATA, np.ones((2, 32))), ShapeError, 'Try reduction="mean"'),
    (lambda m: slice_2d(m, lambda p, t: p.data.mean(), DATA, np.ones((2, 32))), DataError, "Expected a Tensor"),
    (lambda m: interpolate(m, losses.mse, DATA, m.theta, m.theta), DomainError, "Did you forget .copy()?"),
    (lambda m: interpolate(m, losses.mse, DATA, m.theta, [1.0]), ShapeError, "theta_b has shape (1,)"),
    (lambda m: interpolate(m, losses.mse, DATA, m.theta * np.nan, m.theta), DomainError, "theta_a holds nan"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "fragment"), BAD)
def test_bad_input_is_refused_in_words_and_changes_nothing(act, kind, fragment):
    model = net(nn.Tanh())
    before = state_of(model)
    with pytest.raises(kind) as caught:
        act(model)
    assert fragment in str(caught.value)
    assert state_of(model) == before


def test_a_model_that_has_diverged_is_named_as_such():
    model = net(nn.Tanh())
    model.theta[3] = np.inf
    with pytest.raises(DomainError, match="parameters hold inf"):
        slice_1d(model, losses.mse, DATA, np.ones(32))


def test_a_tensor_is_data_as_well():
    model = net(nn.Tanh())
    d = directions_of(model)
    told = slice_2d(model, losses.mse, (Tensor(X), Tensor(Y)), d, n=3)
    np.testing.assert_array_equal(told.losses, slice_2d(model, losses.mse, DATA, d, n=3).losses)


def test_ctrl_c_while_the_modes_are_put_back_leaves_theta_and_the_modes():
    pressed = []

    class Interrupted(nn.Tanh):
        def __setattr__(self, name, value):
            if name == "training" and value and pressed == [False]:
                pressed.append(True)
                raise KeyboardInterrupt
            super().__setattr__(name, value)

    model = nn.Sequential(nn.Linear(3, 2, rng=0), Interrupted(), nn.Dropout(0.5))
    before = state_of(model)
    pressed.append(False)
    with pytest.raises(KeyboardInterrupt):
        slice_1d(model, losses.mse, DATA, np.ones(8), n=3)
    assert state_of(model) == before
