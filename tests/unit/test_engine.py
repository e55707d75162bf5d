"""The graph: what backward visits, what it leaves behind, and what it refuses."""

import copy
import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

import bplib
from bplib import Tensor, no_grad, tensor
from bplib.engine import apply
from bplib.errors import DataError, DomainError, GraphError, ShapeError
from bplib.nodes import as_tensor
from bplib.rules import TABLE


def test_gradients_add_up_where_a_value_is_used_twice():
    a, b = tensor(2.0, requires_grad=True), tensor(5.0, requires_grad=True)
    (a * b + 3 * a).backward()
    assert (float(a.grad), float(b.grad)) == (8.0, 2.0)


def test_a_plus_sign_gives_the_tensor_itself():
    x = tensor([1.0, 2.0], requires_grad=True)
    assert +x is x


def test_a_diamond_inside_a_diamond_is_visited_in_the_right_order():
    a = tensor(1.0, requires_grad=True)
    b = a + a
    c = b + b
    (c * b).backward()  # (4a)(2a) = 8a²
    assert float(a.grad) == 16.0


def test_a_second_backward_adds_exactly_the_same_again():
    w = tensor(3.0, requires_grad=True)
    y = (w * w) * (w * w)
    y.backward()
    assert float(w.grad) == 108.0
    y.backward()
    assert float(w.grad) == 216.0


def test_the_published_numbers_of_micrograd():
    """The expression in the README of karpathy/micrograd."""
    a, b = tensor(-4.0, requires_grad=True), tensor(2.0, requires_grad=True)
    c = a + b
    d = a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + bplib.relu(b + a))
    d = d + (3 * d + bplib.relu(b - a))
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    assert [f"{x:.4f}" for x in (g, a.grad, b.grad)] == ["24.7041", "138.8338", "645.5773"]


def test_each_rule_is_called_once_for_each_node():
    calls = []
    real = TABLE["multiply"]
    counting = replace(real, gradient=lambda node, g: (calls.append(node.order), real.gradient(node, g))[1])
    y = tensor(2.0, requires_grad=True)
    for _ in range(5):
        y = apply(counting, y, y)
    y.backward()
    assert len(calls) == 5
    assert calls == sorted(calls, reverse=True)


def test_leaf_gradients_share_no_memory():
    a, b = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0], requires_grad=True)
    (a + b).backward([1.0, 1.0])
    a.grad *= 10
    assert b.grad.tolist() == [1.0, 1.0]


def test_the_gradient_passed_in_is_not_changed():
    seed = np.array([1.0, 2.0])
    a = tensor([1.0, 2.0], requires_grad=True)
    b = a * 1.0
    (b + b).backward(seed)
    assert seed.tolist() == [1.0, 2.0]
    assert a.grad.tolist() == [2.0, 4.0]


def test_a_gradient_shared_by_two_results_is_not_changed_by_one_of_them():
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0], requires_grad=True)
    u, v = x * 1.0, y * 1.0
    t = u * 2.0
    s = u + v  # hands the same array to u and v; then t adds to u's
    (s + t).backward([1.0, 1.0])
    assert x.grad.tolist() == [3.0, 3.0]
    assert y.grad.tolist() == [1.0, 1.0]


def test_intermediate_gradients_appear_only_when_asked_for():
    x = tensor(2.0, requires_grad=True)
    kept, forgotten = x * 3, x * 4
    kept.retain_grad()
    (kept * forgotten).backward()
    assert float(kept.grad) == 8.0
    assert forgotten.grad is None


def test_results_die_with_the_last_reference_and_leave_no_cycle():
    w = tensor([1.0, 2.0], requires_grad=True)
    gc.disable()
    try:
        hidden = bplib.tanh(w * 2)
        loss = (hidden * hidden).sum()
        loss.backward()
        watchers = [weakref.ref(hidden), weakref.ref(loss)]
        del hidden, loss
        assert [watcher() for watcher in watchers] == [None, None]
    finally:
        gc.enable()


def test_training_steps_leave_no_objects_behind():
    model = bplib.nn.Sequential(bplib.nn.Linear(2, 4, rng=0), bplib.nn.Tanh(), bplib.nn.Linear(4, 1, rng=1))
    optimizer = bplib.optim.Adam(model.parameters())
    X, y = np.ones((3, 2)), np.zeros((3, 1))

    def steps(n):
        for _ in range(n):
            optimizer.zero_grad()
            bplib.losses.mse(model(X), y).backward()
            optimizer.step()

    steps(5)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        steps(200)
        assert len(gc.get_objects()) - before <= 2
    finally:
        gc.enable()


# ------------------------------------------------------------------ misuse


def test_backward_refuses_what_is_not_one_number():
    y = tensor([1.0, 2.0], requires_grad=True) * 2
    with pytest.raises(ShapeError, match=r"backward: the tensor has shape \(2,\). Expected a single number"):
        y.backward()


def test_backward_refuses_a_gradient_of_another_shape():
    y = tensor([1.0, 2.0], requires_grad=True) * 2
    with pytest.raises(ShapeError, match=r"shape \(2,\), the gradient passed in has shape \(3,\)"):
        y.backward([1.0, 2.0, 3.0])


@pytest.mark.parametrize("act", ["backward", "retain_grad"])
def test_a_constant_has_no_graph(act):
    with pytest.raises(GraphError, match=rf"{act}: nothing in this graph asks for a gradient"):
        getattr(tensor(1.0), act)()


def change_data(w):
    w.data = [5.0]


def change_in_place(w):
    w.data -= 1.0


def assign(w):
    w.assign([5.0])


def step(w):
    w.grad = [1.0]
    bplib.optim.SGD([w], lr=0.1).step()


@pytest.mark.parametrize("change", [change_data, change_in_place, assign, step])
def test_a_change_between_forward_and_backward_is_caught(change):
    w = tensor([3.0], requires_grad=True, name="w")
    loss = (w * w).sum()
    change(w)
    with pytest.raises(GraphError, match="'w' was changed after 'multiply' had used it"):
        loss.backward()


def test_a_change_before_the_forward_pass_is_fine():
    w = tensor([3.0], requires_grad=True)
    w.data -= 1.0
    (w * w).sum().backward()
    assert w.grad.tolist() == [4.0]


def test_no_grad_records_nothing_and_ends_even_after_an_error():
    w = tensor(2.0, requires_grad=True)
    with no_grad():
        with no_grad():
            assert not (w * 2).requires_grad
        assert not (w * 2).requires_grad
    assert (w * 2).requires_grad
    with pytest.raises(ShapeError), no_grad():
        w.reshape(7)
    assert (w * 2).requires_grad


def test_detach_cuts_the_graph_and_copies():
    w = tensor(2.0, requires_grad=True)
    cut = (w * 3).detach()
    (cut * w).backward()
    assert float(w.grad) == 6.0


def test_deepcopy_of_a_leaf_is_its_own_and_of_a_result_is_refused():
    w = tensor([1.0], requires_grad=True, name="w")
    w.grad = [2.0]
    twin = copy.deepcopy(w)
    twin.data = [9.0]
    assert (w.data.tolist(), twin.name, twin.grad.tolist()) == ([1.0], "w", [2.0])
    with pytest.raises(GraphError, match="result of an operation"):
        copy.deepcopy(w * 2)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ([[1, 2], [3]], "rows have unequal lengths"),
        ("abc", "text"),
        ([1 + 2j], "complex numbers"),
        (None, "objects"),
        ([object()], "objects"),
    ],
)
def test_what_is_not_numbers_is_refused_in_words(data, word):
    with pytest.raises(DataError, match=word):
        tensor(data)


@pytest.mark.parametrize("data", [3, [1, 2], np.array([True, False]), np.arange(3), np.float16(1.5)])
def test_whole_numbers_and_truth_values_become_float64(data):
    assert tensor(data).dtype == np.float64


def test_float32_is_kept_and_spreads_through_python_numbers():
    x = tensor(np.ones(2, np.float32), requires_grad=True)
    assert ((2 * x + 1) ** 2 / 3).dtype == np.float32
    with pytest.raises(DomainError, match="dtype int64"):
        tensor([1.0], dtype=np.int64)


def test_data_is_copied_in_and_assignment_checks_the_shape():
    source = np.array([1.0, 2.0])
    w = tensor(source)
    source[0] = 9.0
    assert w.data.tolist() == [1.0, 2.0]
    with pytest.raises(ShapeError, match=r"assign: the tensor has shape \(2,\), the new values have shape \(3,\)"):
        w.data = [1.0, 2.0, 3.0]
    with pytest.raises(ShapeError, match="a gradient has its tensor's shape"):
        w.grad = [1.0]


@pytest.mark.parametrize(
    ("act", "fragments"),
    [
        (lambda a: a + tensor([1.0, 2.0]), ["add: shapes (2, 3) and (2,) do not fit", "an axis"]),
        (lambda a: a @ a, ["matmul: shapes (2, 3) and (2, 3) do not fit", "(3,) and (2,)", "Try .T"]),
        (lambda a: a.reshape(4), ["reshape: (4,) does not fit a tensor of shape (2, 3)"]),
        (lambda a: a.sum(axis=5), ["sum: 5 does not fit a tensor of shape (2, 3)"]),
        (lambda a: a[7], ["getitem: 7 does not fit"]),
        (lambda a: bplib.linear(a, a), ["linear: shapes (2, 3) and (2, 3) do not fit"]),
        (lambda a: bplib.linear(a, np.ones((3, 4)), [1.0]), ["bias has shape (1,)", "shape (4,)"]),
        (lambda a: bplib.softmax(a, axis=2), ["softmax: x has shape (2, 3) and no axis 2"]),
        (lambda a: bplib.softmax(1.0), ["softmax: x is a single number"]),
        (lambda a: a.item(), ["item: the tensor has shape (2, 3)"]),
        (lambda a: bool(a), ["neither true nor false"]),
        (lambda a: len(tensor(1.0)), ["is a single number and has no length"]),
    ],
)
def test_a_misfit_is_explained_with_both_shapes(act, fragments):
    with pytest.raises((ShapeError, DomainError, DataError)) as caught:
        act(tensor(np.ones((2, 3))))
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_a_result_that_does_not_fit_into_memory_is_told_with_its_operands():
    def too_large(*operands):
        raise MemoryError("Unable to allocate 29.1 TiB")

    a, b = tensor(np.ones((4, 1))), tensor(np.ones((1, 5)))
    said = r"^{}: the result does not fit into memory\. The operands have the shapes \(4, 1\){}\. Check for an axis"
    with pytest.raises(DomainError, match=said.format("add", r" and \(1, 5\)")):
        apply(replace(TABLE["add"], forward=too_large), a, b)
    with pytest.raises(DomainError, match=said.format("sum", r", the settings are \(0, False\)")):
        apply(replace(TABLE["sum"], forward=too_large), a, settings=(0, False))


# --------------------------------------------------- meeting NumPy and Python


def test_numpy_functions_on_a_tensor_give_tensors_or_a_refusal():
    x = tensor([1.0, 4.0], requires_grad=True)
    y = np.sqrt(x) + np.array([1.0, 1.0])
    z = np.array([2.0, 2.0]) * y
    assert isinstance(z, Tensor)
    z.sum().backward()
    assert x.grad.tolist() == [1.0, 0.5]
    with pytest.raises(DataError, match=r"numpy\.tan: the library has no gradient rule"):
        np.tan(x)


def test_comparisons_give_plain_truth_values():
    x = tensor([1.0, 2.0])
    assert (x > 1).tolist() == [False, True]
    assert (np.array([1.0, 3.0]) <= x).tolist() == [True, False]
    assert (x == tensor([1.0, 0.0])).tolist() == [True, False]
    assert (x != 1).tolist() == [False, True]
    assert ((x >= 2) & (x < 3)).tolist() == [False, True]
    assert len({x, x}) == 1


def test_a_tensor_acts_like_its_number():
    x = tensor(2.5)
    assert (float(x), f"{x:.1f}", bool(x > 1), abs(-x).item()) == (2.5, "2.5", True, 2.5)
    assert [row.tolist() for row in np.asarray(tensor([[1.0], [2.0]]))] == [[1.0], [2.0]]
    assert [float(t) for t in tensor([1.0, 2.0])] == [1.0, 2.0]
    assert not np.asarray(x).flags.writeable


def test_reprs_are_short_and_tell_where_a_tensor_came_from():
    w = tensor([1.0, 2.0], requires_grad=True, name="w")
    assert repr(w) == "tensor([1., 2.], name='w', requires_grad=True)"
    assert repr(w * 2) == "tensor([2., 4.], from=multiply)"
    assert repr(tensor(np.float32(1.0))) == "tensor(1., dtype=float32)"
    assert repr(TABLE["tanh"]) == "Operation('tanh')"


def test_arithmetic_with_plain_numbers_works_from_both_sides():
    x = tensor(3.0)
    pairs = [(x + 2, 2 + x), (x * 2, 2 * x)]
    for left, right in pairs:
        assert float(left) == float(right)
    assert [float(2 - x), float(6 / x), float(2**x), float(-x)] == [-1.0, 2.0, 8.0, -3.0]
    assert (np.ones((1, 2)) @ tensor([[1.0], [2.0]])).data.tolist() == [[3.0]]
    assert ([[1.0, 1.0]] @ tensor([[1.0], [2.0]])).data.tolist() == [[3.0]]
    assert tensor(np.ones((2, 3))).T.shape == (3, 2)


def test_numbers_in_an_expression_share_one_record_that_nobody_can_change():
    assert as_tensor(0.5) is as_tensor(0.5)
    assert as_tensor(0.5, Tensor(1.0, dtype=np.float32)).dtype == np.float32
    assert not as_tensor(0.5).array.flags.writeable
    assert np.signbit((Tensor(1.0) * -0.0).data)
    assert not np.signbit((Tensor(1.0) * 0.0).data)
    assert np.isnan((Tensor(1.0) * float("nan")).item())


def test_a_single_number_that_is_repeated_over_a_matrix_gets_the_sum_of_it_all():
    one, row = Tensor([1.0], requires_grad=True), Tensor([1.0, 2.0, 3.0], requires_grad=True)
    (np.arange(6.0).reshape(2, 3) * (one + row)).sum().backward()
    assert one.grad.tolist() == [15.0]
    assert row.grad.tolist() == [3.0, 5.0, 7.0]
    (np.ones((2, 3)) + one).sum().backward()
    assert one.grad.tolist() == [21.0]
