"""Every way to use a graph wrongly that people are known to find: the documented value, or the whole refusal."""

import gc
import operator

import numpy as np
import pytest

import bplib
from bplib import losses, nn, no_grad, tensor
from bplib.errors import DataError, GraphError, ShapeError
from bplib.modes import is_recording
from bplib.numeric import central_difference
from bplib.optim import SGD, Adam
from tests.contract.graphs import CHANGED, X, Y, learner, network
from tests.contract.refusals import refusal

NO_GRAPH = (
    "{}: nothing in this graph asks for a gradient. Expected at least one tensor made with requires_grad=True, "
    "used outside no_grad()."
)


# --------------------------------------------------------------------------------------------- where backward starts


@pytest.mark.parametrize("shape", [(2,), (2, 3), (0,), (1, 2, 1)], ids=str)
@pytest.mark.parametrize("make", [lambda w: w, lambda w: w * 2.0], ids=["leaf", "result"])
def test_backward_of_several_numbers_wants_a_gradient(shape, make):
    w = learner(np.ones(shape))
    assert refusal(ShapeError, lambda: make(w).backward()) == (
        f"backward: the tensor has shape {shape}. Expected a single number, such as a loss. "
        "Try .sum() or .mean() first, or pass backward(gradient) of that shape."
    )
    assert w.grad is None
    make(w).sum().backward()
    assert w.grad.shape == shape


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
def test_one_number_of_any_shape_needs_no_gradient(shape):
    w = learner(np.full(shape, 3.0))
    (w * w).backward()
    assert (w.grad.shape, w.grad.item()) == (shape, 6.0)
    w.backward()  # ∂w/∂w = 1 is added as well
    assert (w.grad.shape, w.grad.item()) == (shape, 7.0)


@pytest.mark.parametrize("seed", [1.0, [1.0, 2.0, 3.0], [[1.0, 2.0]], [[1.0], [2.0]], []], ids=str)
@pytest.mark.parametrize("make", [lambda w: w, lambda w: w * 2.0], ids=["leaf", "result"])
def test_a_gradient_passed_in_has_the_shape_of_the_tensor(seed, make):
    w = learner([1.0, 2.0])
    assert refusal(ShapeError, lambda: make(w).backward(seed)) == (
        f"backward: the tensor has shape (2,), the gradient passed in has shape {np.shape(seed)}. "
        "Expected the same shape."
    )
    assert w.grad is None


def test_a_gradient_passed_in_is_weighed_and_may_be_a_tensor_of_another_graph():
    w, other = learner([1.0, 2.0]), learner([5.0, 7.0])
    (w * 3.0).backward(other * 2.0)
    assert (w.grad.tolist(), other.grad) == ([30.0, 42.0], None)
    w.zero_grad()
    (w + other).backward([1.0, 2.0])  # both receive the same array, and each keeps one of its own
    assert not np.shares_memory(w.grad, other.grad)


# ----------------------------------------------------------------------------------------------- again and afterwards


@pytest.mark.parametrize("make", [learner, nn.Parameter], ids=["tensor", "parameter"])
def test_each_backward_adds_exactly_the_same_once_more(make):
    w = make(3.0)
    y = (w * w) * (w * w)
    found = []
    for _ in range(3):
        y.backward()
        found.append(w.grad.item())
    assert found == [108.0, 216.0, 324.0]


@pytest.mark.parametrize(
    "forget",
    [
        lambda model, optimizer: model.zero_grad(),
        lambda model, optimizer: optimizer.zero_grad(),
        lambda model, optimizer: [p.zero_grad() for p in model.parameters()],
        lambda model, optimizer: [setattr(p, "grad", None) for p in model.parameters()],
    ],
    ids=["model", "optimizer", "tensor", "grad = None"],
)
def test_backward_after_zero_grad_starts_afresh(forget):
    model = network()
    optimizer, loss = SGD(model.parameters(), lr=0.1), losses.mse(model(X), Y)
    loss.backward()
    once = [p.grad.copy() for p in model.parameters()]
    forget(model, optimizer)
    assert [p.grad for p in model.parameters()] == [None] * 4
    assert not model.theta_grad.any()
    loss.backward()
    assert [p.grad.tobytes() for p in model.parameters()] == [g.tobytes() for g in once]


def test_a_graph_is_never_freed_while_its_loss_lives():
    leaf = learner([1.0, 2.0])
    square = leaf * leaf
    loss = (square * bplib.exp(square)).sum()
    values = leaf.numpy()
    del square
    gc.collect()
    for times in (1, 2):
        loss.backward()
        wanted = 2 * values * np.exp(values**2) * (1 + values**2)
        np.testing.assert_allclose(leaf.grad, times * wanted, rtol=1e-14)


def under_no_grad():
    with no_grad():
        return learner(2.0) * 3.0


@pytest.mark.parametrize(
    "make",
    [lambda: tensor(1.0), lambda: tensor(1.0) * 2.0 + 1.0, lambda: (learner(2.0) * 3.0).detach(), under_no_grad,
     lambda: tensor([1.0, 2.0])],
    ids=["a tensor", "computed from constants", "detached", "computed in no_grad", "not one number either"],
)  # fmt: skip
def test_a_constant_has_nowhere_to_go_back_to(make):
    constant = make()
    assert refusal(GraphError, constant.backward) == NO_GRAPH.format("backward")
    assert refusal(GraphError, constant.retain_grad) == NO_GRAPH.format("retain_grad")
    assert refusal(GraphError, lambda: constant.register_hook(print)) == NO_GRAPH.format("register_hook")
    assert constant.grad is None


# ---------------------------------------------------------------------------------- changes between forward and back


@pytest.mark.parametrize("values", [[5.0, 6.0], [1.0, 2.0]], ids=["other values", "the same values"])
@pytest.mark.parametrize(("name", "who"), [("w", "the tensor 'w'"), (None, "a tensor of shape (2,)")])
def test_a_leaf_given_values_between_forward_and_backward_is_named(values, name, who):
    w, v = learner([1.0, 2.0], name), learner([3.0, 4.0])
    loss = (v * v * w).sum()
    untouched = (v * v).sum()
    w.data = values
    for _ in range(2):
        assert refusal(GraphError, loss.backward) == CHANGED.format(who, "multiply")
    assert (w.grad, v.grad) == (None, None)
    untouched.backward()
    (w * w).sum().backward()  # a new forward pass is a new start
    assert (w.grad.tolist(), v.grad.tolist()) == ([2 * x for x in values], [6.0, 8.0])


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("steps", [1, 3])
def test_an_optimizers_step_between_forward_and_backward_is_caught(optimizer, steps):
    model = network()
    model[2].bias.name = "b2"
    method = optimizer(model.parameters(), lr=0.1)
    for _ in range(steps):
        method.zero_grad()
        loss = losses.mse(model(X), Y)
        loss.backward()
        alone = model[2].bias * 2.0
        method.step()
    kept = model.theta_grad.copy()
    assert refusal(GraphError, loss.backward) == CHANGED.format("a tensor of shape (2, 3)", "layers")
    assert refusal(GraphError, alone.backward) == CHANGED.format("the tensor 'b2'", "multiply")
    assert model.theta_grad.tobytes() == kept.tobytes()


# ------------------------------------------------------------------------------------------- shared, foreign, cut off


def test_a_tensor_of_another_graph_joins_it_and_each_walk_goes_its_own_way():
    a, b, c = learner(2.0), learner(3.0), learner(5.0)
    square = a * a
    other = c * 10.0
    product = square * b
    square.backward()
    assert (float(a.grad), b.grad, c.grad) == (4.0, None, None)
    product.backward()  # the first walk has taken nothing away
    assert (float(a.grad), float(b.grad), c.grad) == (16.0, 4.0, None)
    (other * square).backward()
    assert (float(a.grad), float(b.grad), float(c.grad)) == (216.0, 4.0, 40.0)


def test_a_detached_branch_is_a_constant_of_its_own():
    x = learner(3.0)
    cut = (x * x).detach()
    loss = x * cut
    loss.backward()
    assert float(x.grad) == 9.0
    assert (cut.requires_grad, cut.operation, cut.grad) == (False, None, None)
    cut.name, cut.data = "cut", 1.0
    assert refusal(GraphError, loss.backward) == CHANGED.format("the tensor 'cut'", "multiply")
    twin = x.detach()
    x.data = 4.0
    assert float(twin) == 3.0


# --------------------------------------------------------------------------------------------------------- no_grad


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("levels", [1, 2, 5])
def test_an_exception_leaves_every_level_of_no_grad_as_it_found_it(error, levels):
    def enter(level):
        with no_grad():
            if level == 0:
                raise error
            with pytest.raises(error):
                enter(level - 1)
            assert not is_recording()
            raise error

    with pytest.raises(error):
        enter(levels - 1)
    assert is_recording()
    assert (learner(1.0) * 2.0).requires_grad


def test_a_graph_made_outside_can_be_walked_inside_no_grad():
    x = learner(3.0)
    y = x * x
    with no_grad():
        y.backward()
        assert not (y * x).requires_grad
    assert float(x.grad) == 6.0


# --------------------------------------------------------------------------------------------- in Python's own places


@pytest.mark.parametrize(
    ("data", "truth"), [(0.0, False), (-0.0, False), (2.0, True), ([[3.0]], True), ([0.0], False), (np.nan, True)]
)
def test_one_number_is_true_or_false_as_a_float_is(data, truth):
    t = learner(data)
    assert (bool(t), not t, 1 if t else 0) == (truth, not truth, int(truth))
    assert (t and "last") is ("last" if truth else t)


@pytest.mark.parametrize("ask", [bool, lambda t: 1 if t else 0, lambda t: t and 1, lambda t: not t, lambda t: any([t])])
@pytest.mark.parametrize("shape", [(2,), (0,), (1, 3)], ids=str)
def test_several_numbers_are_neither_true_nor_false(ask, shape):
    t = learner(np.ones(shape))
    assert refusal(ShapeError, lambda: ask(t)) == (
        f"if: a tensor of shape {shape} is neither true nor false. Compare it, then ask (t > 0).any() or (t > 0).all()."
    )
    assert ((t > 0).any(), (t > 0).all()) == (t.size > 0, True)


@pytest.mark.parametrize("use", [lambda t: [10, 20][t], range, lambda t: [0] * 3 == [0][t:]], ids=["[]", "range", ":"])
def test_a_tensor_is_no_whole_number_for_python(use):
    with pytest.raises(TypeError, match="integer"):
        use(tensor(1.0))


@pytest.mark.parametrize("index", [tensor(1.0), tensor([0.0, 2.0]), learner([1.0, 0.0, 1.0])], ids=repr)
def test_a_tensor_holds_no_places_so_it_is_no_index(index):
    w = learner([1.0, 2.0, 3.0])
    said = refusal(ShapeError, lambda: w[index])
    assert said.startswith(f"getitem: {index!r} does not fit a tensor of shape (3,).")
    assert "Check the axis, the index or the number of elements." in said
    w[index.numpy().astype(int)].sum().backward()
    assert w.grad.sum() == index.size


def test_np_array_gives_numbers_of_its_own_and_np_asarray_a_view_that_is_closed():
    w = learner([1.0, 2.0])
    loss = (w * w).sum()
    copied, view = np.array(w), np.asarray(w)
    assert (type(copied), type(view), copied.dtype) == (np.ndarray, np.ndarray, np.float64)
    copied[0] = 9.0
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 9.0
    loss.backward()
    assert (w.data.tolist(), w.grad.tolist()) == ([1.0, 2.0], [2.0, 4.0])
    assert np.array(w, dtype=np.float32).dtype == np.float32
    assert np.array([learner(1.0), w[1]]).tolist() == [1.0, 2.0]
    assert np.array([w, w]).tolist() == [[1.0, 2.0], [1.0, 2.0]]
    w.data = [5.0, 6.0]
    assert (view.tolist(), copied.tolist()) == ([5.0, 6.0], [9.0, 2.0])


def test_sorted_gives_the_tensors_themselves_so_the_gradient_finds_the_right_one():
    a, b, c = learner(3.0), learner(1.0), learner(2.0)
    assert [t is wanted for t, wanted in zip(sorted([a, b, c]), [b, c, a], strict=True)] == [True] * 3
    assert max(a, b, c) is a
    assert min(a, b, c) is b
    (sorted([a, b, c])[1] * 5.0).backward()
    assert (a.grad, b.grad, float(c.grad)) == (None, None, 5.0)


@pytest.mark.parametrize("use", [sorted, max, lambda pair: pair[0] in [pair[1]]], ids=["sorted", "max", "in"])
def test_vectors_have_no_order_and_no_single_equality(use):
    with pytest.raises(ValueError, match=r"Use a\.any\(\) or a\.all\(\)"):
        use([learner([3.0, 1.0]), learner([1.0, 2.0])])


def test_as_a_key_a_tensor_is_itself_whatever_its_numbers():
    a, b, p = learner([1.0, 2.0]), learner([1.0, 2.0]), nn.Parameter([1.0, 2.0])
    table = {a: "a", b: "b", p: "p"}
    for key in (a, b, p):
        key.data = [7.0, 8.0]
    assert [table[key] for key in (a, b, p)] == ["a", "b", "p"]
    assert len({a, b, p, a}) == 3
    assert tensor([7.0, 8.0]) not in table


@pytest.mark.parametrize(
    ("update", "by", "values", "gradient"),
    [
        (operator.iadd, 1, [4.0, 5.0], [1.0, 1.0]),
        (operator.isub, 1, [2.0, 3.0], [1.0, 1.0]),
        (operator.imul, 2, [6.0, 8.0], [2.0, 2.0]),
        (operator.itruediv, 2, [1.5, 2.0], [0.5, 0.5]),
        (operator.ipow, 2, [9.0, 16.0], [6.0, 8.0]),
        (operator.imatmul, [1.0, 1.0], 7.0, [1.0, 1.0]),
    ],
    ids=["+=", "-=", "*=", "/=", "**=", "@="],
)
def test_an_update_in_place_gives_a_new_tensor_and_leaves_the_leaf(update, by, values, gradient):
    leaf = learner([3.0, 4.0])
    x = update(leaf, by)
    assert x is not leaf
    assert (x.data.tolist(), leaf.data.tolist()) == (values, [3.0, 4.0])
    x.sum().backward()
    assert (x.grad, leaf.grad.tolist()) == (None, gradient)


# ------------------------------------------------------------------------------------------------------ second order


def test_a_second_derivative_is_refused_and_the_way_round_it_works():
    slope = bplib.grad(lambda x: x**3)
    for act in (lambda: bplib.grad(slope)(2.0), lambda: slope(learner(2.0))):
        assert refusal(GraphError, act) == (
            "grad: the argument asks for a gradient itself. The library gives first derivatives only; for a second "
            "one, take differences of first ones, as in bplib.numeric.central_difference. Pass x.numpy() otherwise."
        )
    assert float(central_difference(lambda x: float(slope(x)), np.array(2.0))) == pytest.approx(12.0, rel=1e-8)
    x = learner(2.0)
    (x**3).backward()
    assert (type(x.grad), float(x.grad)) == (np.ndarray, 12.0)  # plain numbers: nothing to differentiate again


def test_a_recorded_backward_pass_is_refused_before_any_gradient_arrives():
    w = learner(3.0)
    with pytest.raises(GraphError, match=r"backward: create_graph .* first derivatives only.*central_difference"):
        (w * w).backward(create_graph=True)
    assert w.grad is None
    (w * w).backward(create_graph=False)
    assert w.grad == 6.0


@pytest.mark.parametrize("index", [0, slice(1), [0, 1], ...], ids=repr)
def test_elements_cannot_be_set_one_by_one(index):
    w = learner([1.0, 2.0])
    with pytest.raises(DataError, match=r"elements of a tensor cannot be set one by one.*assign.*where"):
        w[index] = 5.0
    with pytest.raises(DataError, match="cannot be set one by one"):
        w[index] += 1.0
    assert w.data.tolist() == [1.0, 2.0]
