"""Wherever the parameters live, an optimizer's step is the textbook's, taken on plain copies one by one.

The losses here are Σ c·p, so the gradient of a parameter p is c itself, and nothing but the update is looked at.
"""

import copy
import itertools
import pickle

import numpy as np
import pytest

from bplib import nn, tensor
from bplib.errors import DataError, ShapeError
from bplib.optim import SGD, AdaGrad, Adam, layout

METHODS = {
    "sgd": lambda params: SGD(params, lr=0.01),
    "momentum": lambda params: SGD(params, lr=0.01, momentum=0.9, weight_decay=0.1),
    "adagrad": lambda params: AdaGrad(params, lr=0.01),
    "adam": lambda params: Adam(params, lr=0.01),
}
EXACT = {"rtol": 1e-15, "atol": 0.0}  # the values stay near 1, where this is four units in the last place


class Textbook:
    """One parameter and its method, as the books write it: no views, no blocks, nothing shared."""

    def __init__(self, method, parameter, lr=0.01):
        self.method, self.lr, self.t = method, lr, 0
        self.theta = parameter.numpy()
        self.v, self.s = np.zeros_like(self.theta), np.zeros_like(self.theta)

    def step(self, g):
        if g is None:
            return
        self.t += 1
        if self.method == "sgd":
            self.theta = self.theta - self.lr * g
        elif self.method == "momentum":
            self.v = 0.9 * self.v + (g + 0.1 * self.theta)
            self.theta = self.theta - self.lr * self.v
        elif self.method == "adagrad":
            self.s = self.s + g * g
            self.theta = self.theta - self.lr * g / (np.sqrt(self.s) + 1e-10)
        else:
            self.v, self.s = 0.9 * self.v + (1 - 0.9) * g, 0.999 * self.s + (1 - 0.999) * g * g
            v_hat, s_hat = self.v / (1 - 0.9**self.t), self.s / (1 - 0.999**self.t)
            self.theta = self.theta - self.lr * v_hat / (np.sqrt(s_hat) + 1e-8)


RNG = np.random.default_rng(7)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _same_numbers_in_any_order_of_the_tests():
    RNG.bit_generator.state = START


def parameter(*shape, make=nn.Parameter):
    return make(RNG.uniform(1.0, 2.0, size=shape))


def leaf(values):
    return tensor(values, requires_grad=True)


class Net(nn.Module):
    """Parameters of several shapes, in the order in which they are named."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return x


def net():
    return Net(w=parameter(3, 2), b=parameter(2), scale=parameter(), v=parameter(2, 4))


def pull(params, away=()):
    """Walk back from Σ c·p over the parameters that are not `away`, and give each one's c, or None."""
    wanted = [
        None if i in away or not p.requires_grad else RNG.uniform(0.5, 2.0, size=p.shape).astype(p.dtype)
        for i, p in enumerate(params)
    ]
    loss = sum((p * c).sum() for p, c in zip(params, wanted, strict=True) if c is not None)
    if any(c is not None for c in wanted):
        loss.backward()
    return wanted


def walk(optimizer, params, books, steps=3, away=()):
    """Take steps with the optimizer and in the books, and compare every parameter after each."""
    for _ in range(steps):
        optimizer.zero_grad()
        gradients = pull(params, away)
        for p, c in zip(params, gradients, strict=True):
            assert (p.grad is None) if c is None else (p.grad.tobytes() == c.tobytes())
        optimizer.step()
        for p, book, c in zip(params, books, gradients, strict=True):
            book.step(c)
            agree(p, book)


def agree(p, book):
    assert p.dtype == book.theta.dtype
    if book.method in ("sgd", "momentum"):
        assert p.data.tobytes() == book.theta.tobytes()
    np.testing.assert_allclose(p.data, book.theta, **EXACT)


def books_of(method, params):
    return [Textbook(method, p) for p in params]


def is_flat(model):
    """Say whether the parameters are views, in order, into one vector, which is `theta`."""
    theta, start = model.theta, 0
    assert theta.base is not None
    for p in model.parameters():
        assert p.data.size == 0 or np.shares_memory(p.data, theta[start : start + p.size])
        assert p.data.ravel().tobytes() == theta[start : start + p.size].tobytes()
        start += p.size
    return start == theta.size


methods = pytest.mark.parametrize("method", METHODS)


# ---------------------------------------------------------------------------------------------------- moving house


@methods
def test_the_parameters_become_views_of_one_vector_and_a_step_is_the_textbooks(method):
    model = net()
    params, values = list(model.parameters()), [p.numpy() for p in model.parameters()]
    optimizer = METHODS[method](params)
    assert len({id(p.home) for p in params}) == 1
    assert is_flat(model)
    assert [p.numpy().tobytes() for p in params] == [v.tobytes() for v in values]
    walk(optimizer, params, books_of(method, params))
    assert is_flat(model)


@methods
@pytest.mark.parametrize("turned", [False, True], ids=["in front", "behind"])
def test_a_model_that_moves_into_a_larger_one_keeps_its_averages(method, turned):
    model = net()
    params = list(model.parameters())
    optimizer, books = METHODS[method](params), books_of(method, params)
    walk(optimizer, params, books)
    other = parameter(5)
    larger = Net(model=model, other=other) if turned else Net(other=other, model=model)
    before = other.numpy()
    assert is_flat(larger)
    walk(optimizer, params, books)
    assert other.data.tobytes() == before.tobytes()
    assert is_flat(Net(**{f"p{i}": p for i, p in enumerate(reversed(params))}))
    walk(optimizer, params, books)
    assert is_flat(larger)
    # Next to each other by their places, but in two vectors.
    assert is_flat(Net(w=params[0], more=parameter(9)))
    assert is_flat(Net(more=parameter(6), b=params[1]))
    walk(optimizer, params, books)


def test_a_step_along_theta_is_the_optimizers():
    model, twin = net(), net()
    twin.theta = model.theta
    optimizer = SGD(twin.parameters(), lr=0.01)
    for _ in range(3):
        model.zero_grad()
        twin.zero_grad()
        gradients = pull(list(model.parameters()))
        for p, c in zip(twin.parameters(), gradients, strict=True):
            p.grad = c
        assert model.theta_grad.tobytes() == np.concatenate([c.ravel() for c in gradients]).tobytes()
        model.theta -= 0.01 * model.theta_grad
        optimizer.step()
        assert model.theta.tobytes() == twin.theta.tobytes()


@methods
def test_a_vector_longer_than_a_block_has_no_seam(method):
    params = [parameter(200, 100), parameter(), parameter(150, 100)]
    assert sum(p.size for p in params) > layout._LENGTH  # or there is no seam to be seen
    walk(METHODS[method](params), params, books_of(method, params), steps=2)


# -------------------------------------------------------------------------------------------------- shared parameters


@methods
def test_a_shared_parameter_is_counted_once_and_steps_once(method):
    shared = parameter(2, 2)
    model = Net(a=Net(w=shared, b=parameter(2)), c=Net(w=shared, b=parameter(2)), again=[shared])
    params = list(model.parameters())
    assert [name for name, _ in model.named_parameters()] == ["a.w", "a.b", "c.b"]
    assert (model.theta.size, is_flat(model)) == (8, True)
    optimizer, books = METHODS[method](model.parameters()), books_of(method, params)
    walk(optimizer, params, books)
    optimizer.zero_grad()
    (model.a.w * 3.0 + model.c.w * 0.5).sum().backward()
    optimizer.step()
    books[0].step(np.full((2, 2), 3.5))
    agree(shared, books[0])
    walk(optimizer, params, books)


# --------------------------------------------------------------------------------------------------------------- cast


@methods
def test_a_model_cast_to_float32_steps_as_the_textbook_in_float32(method):
    model = net().astype(np.float32)
    params = list(model.parameters())
    optimizer, books = METHODS[method](params), books_of(method, params)
    for _ in range(3):
        optimizer.zero_grad()
        for p, book, c in zip(params, books, pull(params), strict=True):
            book.step(c)
            assert (p.grad.dtype, book.theta.dtype) == (np.float32, np.float32)
        optimizer.step()
        for p, book in zip(params, books, strict=True):
            np.testing.assert_allclose(p.data, book.theta, rtol=5e-7, atol=0.0)
            assert method != "sgd" or p.data.tobytes() == book.theta.tobytes()
    assert (model.theta.dtype, is_flat(model)) == (np.float32, True)


@methods
def test_a_cast_rounds_the_values_forgets_the_gradients_and_keeps_the_averages(method):
    model = net()
    params = list(model.parameters())
    optimizer, books = METHODS[method](params), books_of(method, params)
    walk(optimizer, params, books)
    assert model.astype(np.float32) is model
    assert [p.grad for p in params] == [None] * 4
    for p, book in zip(params, books, strict=True):
        book.theta = book.theta.astype(np.float32)
        assert p.data.tobytes() == book.theta.tobytes()
        book.theta = book.theta.astype(np.float64)
        if method != "sgd":
            book.v, book.s = np.float32(book.v).astype(float), np.float32(book.s).astype(float)
    before = model.theta.copy()
    optimizer.step()  # there is nothing to do
    assert model.theta.tobytes() == before.tobytes()
    model.astype(np.float64)
    walk(optimizer, params, books)


# -------------------------------------------------------------------------------------------------------------- copies


@methods
def test_a_deep_copy_is_independent_flat_and_learns_alone(method):
    model = net()
    model.b.requires_grad = False
    model.w.name = "w"
    params = list(model.parameters())
    optimizer, books = METHODS[method](params), books_of(method, params)
    walk(optimizer, params, books)
    twin = copy.deepcopy(model)
    theirs = list(twin.parameters())
    assert is_flat(twin)
    assert not any(np.shares_memory(p.data, q.data) for p in params for q in theirs)
    assert [(q.name, q.requires_grad) for q in theirs] == [("w", True), (None, False), (None, True), (None, True)]
    for p, q in zip(params, theirs, strict=True):
        assert (p.grad is None and q.grad is None) or p.grad.tobytes() == q.grad.tobytes()
        assert p.grad is None or not np.shares_memory(p.grad, q.grad)
    walk(METHODS[method](theirs), theirs, books_of(method, theirs))
    for p, book in zip(params, books, strict=True):
        agree(p, book)
    walk(optimizer, params, books)


@methods
def test_a_model_copied_with_its_optimizer_goes_on_as_the_original_would(method):
    model = net()
    optimizer, books = METHODS[method](model.parameters()), books_of(method, list(model.parameters()))
    walk(optimizer, list(model.parameters()), books)
    twin, their_optimizer = copy.deepcopy((model, optimizer))
    before = model.theta.copy()
    walk(their_optimizer, list(twin.parameters()), copy.deepcopy(books))
    assert model.theta.tobytes() == before.tobytes()
    walk(optimizer, list(model.parameters()), books)


def test_a_shared_parameter_stays_shared_in_a_copy():
    model = Net(a=net(), b=parameter(2))
    model.b = model.a.b
    twin = copy.deepcopy(model)
    assert twin.a.b is twin.b
    assert (twin.theta.size, model.theta.size) == (17, 17)


@methods
def test_a_state_that_was_pickled_resumes_where_it_was_saved(method):
    model, other = net(), net()
    params, theirs = list(model.parameters()), list(other.parameters())
    optimizer, books = METHODS[method](params), books_of(method, params)
    walk(optimizer, params, books, away=(2,))  # one parameter is three steps behind
    saved = model.state_dict(), optimizer.state_dict()
    back = pickle.loads(pickle.dumps(saved))  # noqa: S301  (our own numbers)
    kept, model_then = copy.deepcopy(books), model.theta.copy()
    walk(optimizer, params, books)
    np.testing.assert_equal(saved, back)  # the later steps have not reached into what was saved
    resumed = METHODS[method](theirs)
    other.load_state_dict(back[0])
    resumed.load_state_dict(back[1])
    assert other.theta.tobytes() == model_then.tobytes()
    walk(resumed, theirs, kept)
    np.testing.assert_equal(saved, back)  # nor the steps of the one who loaded it


def test_a_state_of_other_parameters_is_refused_with_both_lists_of_shapes():
    saved = Adam([parameter(2), parameter(3, 1)]).state_dict()
    optimizer = Adam([parameter(3, 1), parameter(2)], lr=0.5)
    with pytest.raises(ShapeError) as caught:
        optimizer.load_state_dict(saved)
    assert str(caught.value) == (
        "Adam: the saved state does not fit. Expected Adam over parameters of shapes [[(3, 1), (2,)]], got Adam over "
        "[[(2,), (3, 1)]]. Load it into the same optimizer over the same model."
    )
    assert optimizer.param_groups[0]["lr"] == 0.5


# ------------------------------------------------------------------------------------------- what has no gradient


@methods
@pytest.mark.parametrize("place", range(4))
def test_a_frozen_parameter_stays_and_takes_its_first_step_when_it_thaws(method, place):
    model = net()
    params = list(model.parameters())
    params[place].requires_grad = False
    before = params[place].numpy()
    optimizer, books = METHODS[method](params), books_of(method, params)
    walk(optimizer, params, books)
    assert params[place].data.tobytes() == before.tobytes()
    assert is_flat(model)
    params[place].requires_grad = True
    walk(optimizer, params, books)
    params[(place + 1) % 4].requires_grad = False
    walk(optimizer, params, books)
    assert books[place].t == 6


def test_a_model_frozen_as_a_whole_is_refused():
    model = net()
    for p in model.parameters():
        p.requires_grad = False
    with pytest.raises(DataError) as caught:
        SGD(model.parameters(), lr=0.1)
    assert str(caught.value) == (
        "SGD: there is nothing to update: no parameter here asks for a gradient. Pass model.parameters(), "
        "or tensors made with requires_grad=True."
    )


ABSENT = [away for n in range(4) for away in itertools.combinations(range(3), n)]


@methods
@pytest.mark.parametrize("make", [nn.Parameter, leaf], ids=["one vector", "separate"])
def test_every_pattern_of_missing_gradients(method, make):
    """Who sleeps in one step and who in the next: all 64 pairs, from a fresh start and after steps together."""
    for first, second in itertools.product(ABSENT, ABSENT):
        params = [parameter(2, make=make), parameter(make=make), parameter(1, 3, make=make)]
        optimizer, books = METHODS[method](params), books_of(method, params)
        for away in (first, second, (), (), second):
            walk(optimizer, params, books, steps=1, away=away)


@methods
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_parameter_without_elements_is_carried_along(method, place):
    params = [parameter(2, 2), parameter(3), parameter()]
    params.insert(place, parameter(0, 3))
    model = Net(**{f"p{i}": p for i, p in enumerate(params)})
    optimizer, books = METHODS[method](params), books_of(method, params)
    walk(optimizer, params, books)
    walk(optimizer, params, books, away=(place,))
    walk(optimizer, params, books)
    assert (is_flat(model), model.theta.size, params[place].shape) == (True, 8, (0, 3))
    assert np.shares_memory(model.theta, model.theta)  # asking does not move anybody


@methods
def test_a_model_without_elements_has_an_empty_theta_and_steps(method):
    model = Net(w=parameter(0, 3), b=parameter(0))
    params = list(model.parameters())
    walk(METHODS[method](params), params, books_of(method, params))
    assert (model.theta.shape, model.theta_grad.shape) == ((0,), (0,))
    model.theta = []
    with pytest.raises(ShapeError, match=r"theta: the model has 0 parameters, the vector has shape \(1,\)"):
        model.theta = [1.0]
