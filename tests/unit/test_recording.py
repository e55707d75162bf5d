"""A training step recorded once and repeated: the same numbers bit for bit, and a clear word where it cannot be."""

import gc
import itertools
import tracemalloc
import weakref

import numpy as np
import pytest

import bplib
from bplib import losses, nn
from bplib.errors import AnomalyError, DataError, GraphError, ShapeError
from bplib.optim import SGD, Adam

RNG = np.random.default_rng(0)
BATCHES = [(RNG.normal(size=(8, 2)), RNG.normal(size=(8, 1))) for _ in range(5)]
CLASSES = [(x, RNG.integers(3, size=8)) for x, _ in BATCHES]
SHARES = [(x, np.full((8, 3), 1 / 3)) for x, _ in BATCHES]


def plain(out=1, activation=nn.Tanh, dtype=np.float64):
    layers = nn.Linear(2, 4, rng=0), nn.Linear(4, 4, rng=1), nn.Linear(4, out, rng=2)
    return nn.Sequential(layers[0], activation(), layers[1], nn.ReLU(), layers[2]).astype(dtype)


def trainer(model, loss_of, optimizer):
    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def unfused(model):
    def forward(x):
        for layer in model.layers:
            x = x @ layer.weight + layer.bias if isinstance(layer, nn.Linear) else bplib.tanh(x)
        return x

    return forward


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.hidden = nn.Linear(2, 4, rng=0), nn.Linear(4, 4, rng=1)

    def forward(self, x):
        h = bplib.tanh(self.hidden(bplib.tanh(self.hidden(self.first(x)))))
        return (h * h).sum(axis=1, keepdims=True) + h[:, :1]


def cases():
    for dtype in (np.float64, np.float32):
        model = plain(dtype=dtype)
        batches = [(x.astype(dtype), y.astype(dtype)) for x, y in BATCHES]
        yield model, model, losses.mse, batches, SGD(model.parameters(), lr=0.1)
    for activation, method in itertools.product((nn.Tanh, nn.ReLU, nn.Sigmoid), (Adam, SGD)):
        model = plain(3, activation)
        yield model, model, losses.cross_entropy, CLASSES, method(model.parameters(), lr=0.05)
    model = plain(3)
    yield model, model, losses.cross_entropy, SHARES, SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    model = plain()
    yield model, unfused(model), losses.mae, BATCHES, Adam(model.parameters(), lr=0.01, amsgrad=True)
    model = Shared()
    yield model, model, losses.mse, BATCHES, SGD(model.parameters(), lr=0.01)
    model = plain(dtype=np.float32)  # and float64 data: NumPy lifts
    yield model, model, losses.mse, BATCHES, SGD(model.parameters(), lr=0.1)
    model = plain()
    model[0].weight.requires_grad = False
    yield model, model, losses.mse, BATCHES, SGD(model.parameters(), lr=0.1)
    for bias in (True, False):
        model = nn.Linear(2, 1, bias=bias, rng=0)
        yield model, model, losses.mse, BATCHES, SGD(model.parameters(), lr=0.1)
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh(), nn.Linear(2, 2, rng=1), nn.Tanh(), nn.Linear(2, 1, rng=2))
    model[2].weight = model[0].weight
    yield model, model, losses.mse, BATCHES, SGD(model.parameters(), lr=0.1)


@pytest.mark.parametrize("number", range(len(list(cases()))))
def test_two_hundred_steps_are_the_same_bit_for_bit(number):
    model, forward, loss_of, batches, optimizer = list(cases())[number]
    eager = trainer(forward, loss_of, optimizer)
    wanted = [eager(*batches[k % 5]).item() for k in range(200)]
    theta = [p.numpy() for p in model.parameters()]
    model, forward, loss_of, batches, optimizer = list(cases())[number]
    fast = bplib.replay(trainer(forward, loss_of, optimizer))
    assert [fast(*batches[k % 5]) for k in range(200)] == wanted
    for p, values in zip(model.parameters(), theta, strict=True):
        assert np.array_equal(p.data, values)


def test_a_rate_that_changes_acts():
    def run(step, optimizer):
        found = []
        for k in range(6):
            optimizer.param_groups[0]["lr"] = 0.1 / (k + 1)
            found.append(float(step(*BATCHES[0])))
        return found

    model, twin = plain(), plain()
    one, two = SGD(model.parameters(), lr=1.0), SGD(twin.parameters(), lr=1.0)
    assert run(trainer(model, losses.mse, one), one) == run(bplib.replay(trainer(twin, losses.mse, two)), two)


@pytest.mark.parametrize(
    "move",
    [
        lambda m: Adam([m[2].weight, m[0].bias], lr=0.1), lambda m: m[0].weight.assign(np.ones((2, 4))),
        lambda m: setattr(m, "theta", np.full_like(m.theta, 0.1)), lambda m: m.load_state_dict(plain(1).state_dict()),
    ],
    ids=["another optimizer", "assign", "theta", "load_state_dict"],
)  # fmt: skip
def test_parameters_may_move_and_change_between_steps(move):
    def run(make):
        model = plain()
        step = make(trainer(model, losses.mse, SGD(model.parameters(), lr=0.1)))
        found = [float(step(*BATCHES[0])) for _ in range(3)]
        move(model)
        return found + [float(step(*BATCHES[k])) for k in range(3)]

    assert run(bplib.replay) == run(lambda step: step)


def test_the_step_may_leave_the_update_to_the_caller_and_add_up_gradients():
    model, twin = plain(), plain()

    def gradients(model):
        def step(x, y):
            loss = losses.mse(model(x), y)
            loss.backward()
            return loss.item()

        return step

    eager, fast = gradients(model), bplib.replay(gradients(twin))
    for k in range(4):
        assert eager(*BATCHES[k]) == fast(*BATCHES[k])
        assert np.array_equal(model.theta_grad, twin.theta_grad)
    twin.zero_grad()
    model.zero_grad()
    assert eager(*BATCHES[0]) == fast(*BATCHES[0])
    assert np.array_equal(model.theta_grad, twin.theta_grad)


def test_two_backward_passes_in_one_step():
    def make(wrap):
        model = plain()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y):
            optimizer.zero_grad()
            losses.mse(model(x), y).backward()
            second = losses.mae(model(2.0 * x), y)
            second.backward()
            optimizer.step()
            return second

        step = wrap(step)
        return [float(step(*BATCHES[k])) for k in range(5)]

    assert make(bplib.replay) == make(lambda step: step)


def test_what_no_loss_depends_on_is_left_out():
    w = bplib.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        loss = (w * x).sum()
        bplib.exp(w * 3.0)
        loss.backward()
        return loss

    fast = bplib.replay(step)
    fast(np.ones(2))
    assert repr(fast) == "Recording of step, 3 actions"


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("learns", [False, True], ids=["data", "a target that learns"])
def test_a_squared_error_of_every_kind_is_repeated_bit_for_bit(reduction, learns):
    def run(wrap):
        weight = bplib.tensor([[0.5], [-0.25]], requires_grad=True)
        target = bplib.tensor(np.ones((8, 1)), requires_grad=learns)
        optimizer = SGD([weight, target] if learns else [weight], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = losses.mse(x @ weight, target, reduction=reduction).sum()
            loss.backward()
            optimizer.step()
            return loss

        step = wrap(step)
        found = [float(step(x)) for x, _ in BATCHES]
        return found, weight.numpy().tolist(), target.numpy().tolist()

    assert run(bplib.replay) == run(lambda step: step)


def test_data_may_come_as_tensors_and_lists_and_with_what_stays_the_same():
    def run(wrap, dress):
        model = plain()
        optimizer = SGD(model.parameters(), lr=0.1)

        def step(x, y, factor, word):
            optimizer.zero_grad()
            loss = losses.mse(model(x), y, reduction=word) * factor
            loss.backward()
            optimizer.step()
            return loss

        step = wrap(step)
        return [float(step(*dress(x), *dress(y), 0.5, "mean")) for x, y in BATCHES]

    wanted = run(lambda step: step, lambda x: [x])
    assert run(bplib.replay, lambda x: [bplib.tensor(x)]) == wanted
    first = itertools.count()
    assert run(bplib.replay, lambda x: [x if next(first) < 2 else x.tolist()]) == wanted


def test_the_first_data_that_came_stay_what_they_are():
    data, other = bplib.tensor([3.0, 4.0], name="x"), np.array([5.0, 6.0])
    fast = bplib.replay(backward_of(lambda x: (W * x).sum()))
    assert (fast(data), fast(other)) == (11.0, 17.0)
    assert data.numpy().tolist() == [3.0, 4.0]


def test_inside_detect_anomaly_it_still_gives_the_loss_as_a_number():
    for give in (lambda loss: loss, lambda loss: loss.item()):
        model = plain()
        fast = bplib.replay(lambda x, y, m=model, g=give: (loss := losses.mse(m(x), y), loss.backward(), g(loss))[2])
        wanted = fast(*BATCHES[0])
        with bplib.detect_anomaly():
            found = fast(*BATCHES[0])
        assert type(found) is float
        assert found == pytest.approx(wanted, rel=1e-12)


def test_inside_detect_anomaly_the_step_runs_as_it_is_written():
    model = plain()
    fast = bplib.replay(trainer(model, losses.mse, SGD(model.parameters(), lr=0.1)))
    fast(*BATCHES[0])
    with pytest.raises(AnomalyError, match="operand 1 of 'linear'"), bplib.detect_anomaly():
        fast(np.full((8, 2), np.nan), BATCHES[0][1])


def test_infinities_go_through_without_a_word():
    model = plain()
    fast = bplib.replay(trainer(model, losses.mse, SGD(model.parameters(), lr=0.1)))
    fast(*BATCHES[0])
    assert not np.isfinite(fast(np.full((8, 2), np.inf), BATCHES[0][1]))


X, Y = BATCHES[0]
MODEL = plain()
STEP = trainer(MODEL, losses.mse, SGD(MODEL.parameters(), lr=0.0))
HOOKED = bplib.tensor(1.0, requires_grad=True)
HOOKED.register_hook(lambda g: None)
W = bplib.tensor([1.0, 2.0], requires_grad=True, name="w")


def by_hand(x):
    loss = (W * x).sum()
    loss.backward()
    W.data -= 0.1 * W.grad
    return loss


def backward_of(f):
    def step(*inputs):
        loss = f(*inputs)
        loss.backward()
        return loss

    return step


def classify(y):
    return losses.cross_entropy(plain(3)(X), y)


def in_another_type():
    model = plain()
    fast = bplib.replay(trainer(model, losses.mse, SGD(model.parameters(), lr=0.1)))
    fast(X, Y)
    model.astype(np.float32)
    fast(X, Y)


def in_no_grad():
    with bplib.no_grad():
        bplib.replay(STEP)(X, Y)


REFUSED = {
    "no function": (lambda: bplib.replay(3), DataError, "expected a function that takes a training step, got int"),
    "another shape": (
        lambda: twice(STEP, (X, Y), (X[:4], Y[:4])), ShapeError, r"had shape \(8, 2\).*has shape \(4, 2\) now"),
    "another number": (lambda: twice(STEP, (X, Y), (X,)), DataError, "recorded with 2 arguments, got 1"),
    "no backward": (
        lambda: bplib.replay(lambda x: (W * x).sum())(np.ones(2)), GraphError, "the step calls no backward"),
    "a hook": (
        lambda: bplib.replay(backward_of(lambda: HOOKED * 2.0))(), GraphError, "has a hook or keeps its gradient"),
    "by hand": (lambda: bplib.replay(by_hand)(np.ones(2)), GraphError, "changes a tensor by hand"),
    "converted": (
        lambda: bplib.replay(STEP)(X.astype(int), Y), DataError, r"argument 1, int64 of shape \(8, 2\), is converted"),
    "a learning argument": (
        lambda: bplib.replay(backward_of(lambda w: w.sum()))(W), GraphError, "argument 1 is a tensor that asks"),
    "a number that changes": (
        lambda: twice(backward_of(lambda c: (W * c).sum()), (1.0,), (2.0,)), DataError,
        "argument 1 was 1.0 .* and is 2.0 now"),
    "a class out of range": (
        lambda: twice(backward_of(classify), (CLASSES[0][1],), (np.full(8, 7),)),
        DataError, "a class index is out of range"),
    "whole numbers became others": (
        lambda: twice(backward_of(classify), (CLASSES[0][1],), (CLASSES[0][1].astype(float),)),
        DataError, "argument 1 was int64 at the recording and is float64 now"),
    "another type": (in_another_type, DataError, "was float64 when the step was recorded and is float32 now"),
    "no_grad": (in_no_grad, GraphError, "recording is off here"),
}  # fmt: skip


def twice(step, first, second):
    fast = bplib.replay(step)
    fast(*first)
    fast(*second)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_repeated_is_refused(case):
    act, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        act()


def test_a_step_that_raises_is_not_half_recorded():
    fail, w = [True], bplib.tensor([1.0, 2.0], requires_grad=True)

    def step(x):
        loss = (w * x).sum()
        if fail.pop() if fail else False:
            raise KeyError("mine")
        loss.backward()
        return loss

    fast = bplib.replay(step)
    with pytest.raises(KeyError, match="mine"):
        fast(np.ones(2))
    assert repr(fast) == "Recording of step, not yet run"
    assert fast(np.ones(2)) == 3.0
    assert repr(fast).startswith("Recording of step, ")


def test_ten_thousand_repeated_steps_do_not_grow():
    model = plain()
    fast = bplib.replay(trainer(model, losses.mse, SGD(model.parameters(), lr=0.01)))
    for _ in range(20):
        fast(X, Y)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10_000):
        fast(X, Y)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown <= 64 * 1024


def test_the_graph_goes_with_the_recording():
    model = plain()
    fast = bplib.replay(trainer(model, losses.mse, SGD(model.parameters(), lr=0.01)))
    fast(X, Y)
    watched = weakref.ref(fast._loss)
    gc.collect()
    gc.disable()
    try:
        del fast
        assert watched() is None
    finally:
        gc.enable()
