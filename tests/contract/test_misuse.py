"""What people do that the authors did not think of: the right answer or a clear word, never a wrong number."""

import copy
import warnings

import numpy as np
import pytest

import bplib
from bplib import losses, nn, no_grad, optim, tensor
from bplib.errors import BplibError, DataError, DomainError, GraphError, ShapeError
from bplib.landscape import descend, surface
from bplib.numeric import central_difference, gradcheck
from bplib.optim import SGD, Adam
from bplib.training import accuracy, evaluate, fit

X = np.linspace(-1.0, 1.0, 16)[:, None]
Y = 3 * X + 1


def learner(values):
    return tensor(values, requires_grad=True)


# ---------------------------------------------------------------------------------------------- right answers


@pytest.mark.parametrize("axes", [(-1, 0), (1, 0), (0, -1), ((1, 0),), ([-1, -2],)])
def test_transpose_takes_negative_axes_and_one_tuple(axes):
    assert gradcheck(lambda t: t.transpose(*axes) ** 2, np.arange(6.0).reshape(2, 3) + 1).passed


def test_copies_of_a_parameter_learn_and_leave_the_original_alone():
    model = nn.Linear(1, 1, rng=0)
    before = model.theta.copy()
    for duplicate in (copy.copy, copy.deepcopy):
        parameter = duplicate(model.weight)
        assert parameter.home is not model.weight.home
        parameter.assign([[9.0]])
        assert parameter.home.values.tolist() == [9.0]
    twin = copy.deepcopy(model)
    history = fit(twin, losses.mse, SGD(twin.parameters(), lr=0.5), (X, Y), epochs=30, progress=False)
    assert history["train_loss"][-1] < 1e-6
    np.testing.assert_array_equal(model.theta, before)


def test_a_shared_layer_stays_shared_in_a_copy():
    layer = nn.Linear(2, 2, rng=0)
    twin = copy.deepcopy(nn.Sequential(layer, nn.Tanh(), layer))
    assert twin[0] is twin[2]


def test_layers_in_lists_and_dicts_are_found():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = [nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=1)]
            self.extra = {"scale": nn.Parameter(1.0)}

        def forward(self, x):
            return self.blocks[1](self.blocks[0](x)) * self.extra["scale"]

    names = [name for name, _ in Net().named_parameters()]
    assert names == ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias", "extra.scale"]


def test_evaluating_keeps_the_mode_of_every_part():
    model = nn.Sequential(nn.Linear(1, 1, rng=0), nn.Tanh())
    model[1].eval()
    evaluate(model, losses.mse, X, Y)
    assert [model.training, model[0].training, model[1].training] == [True, True, False]


def test_numpy_functions_with_a_meaning_keep_the_graph():
    x = learner([[1.0, 2.0], [3.0, 4.0]])
    out = np.sum(x, axis=0) + np.mean(x) + np.reshape(x, (4,))[:2] + np.transpose(x)[0] + np.dot(x, [1.0, 0.0])
    out.sum().backward()
    assert x.grad is not None
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 2), 2, 4)


@pytest.mark.parametrize("function", [np.vstack, np.hstack])
def test_numpy_functions_without_a_rule_are_refused(function):
    with pytest.raises(DataError, match="no gradient rule"):
        function([learner([1.0]), learner([2.0])])


def test_a_callback_may_answer_with_a_numpy_truth_value():
    model = nn.Linear(1, 1, rng=0)
    history = fit(model, losses.mse, SGD(model.parameters(), lr=0.1), (X, Y), epochs=5, progress=False,
                  callbacks=[lambda event, run: run.history["train_loss"][-1] < 1e9])  # fmt: skip
    assert len(history["epoch"]) == 1


def test_gradients_can_be_scaled_through_theta_grad():
    model = nn.Linear(1, 1, rng=0)
    losses.mse(model(X), Y).backward()
    whole = model.theta_grad.copy()
    model.theta_grad /= 2
    np.testing.assert_allclose(model.theta_grad, whole / 2)
    np.testing.assert_allclose(model.weight.grad.ravel(), whole[:1] / 2)
    with pytest.raises(ShapeError, match="theta_grad: the model has 2 parameters"):
        model.theta_grad = np.zeros(3)


def test_a_refused_backward_leaves_no_half_of_its_gradients():
    a, b = learner(1.0), learner(2.0)
    loss = b * 2 + a
    b.data = 5.0
    with pytest.raises(GraphError):
        loss.backward()
    assert a.grad is None
    assert b.grad is None


def test_without_recording_a_result_is_no_view_of_a_parameter():
    model = nn.Linear(2, 1, rng=0)
    assert model.theta.any()
    with no_grad():
        before = model.weight.reshape(-1)
    kept = before.numpy()
    model.theta = np.zeros(3)
    np.testing.assert_array_equal(before.data, kept)


def test_no_grad_can_be_entered_again():
    guard = no_grad()
    with guard, guard:
        assert not (learner(1.0) * 2).requires_grad
    assert (learner(1.0) * 2).requires_grad


def test_an_index_changed_after_the_forward_pass_does_not_move_the_gradient():
    w, index = learner([1.0, 2.0, 3.0]), [0]
    loss = w[index].sum()
    index[0] = 2
    loss.backward()
    assert w.grad.tolist() == [1.0, 0.0, 0.0]


def test_soft_targets_of_zero_cost_nothing_even_at_minus_infinity():
    assert float(losses.cross_entropy([[-np.inf, 2.0]], [[0.0, 1.0]])) == 0.0


def test_axes_may_be_numpy_integers_and_scalars_keep_float32():
    t = learner(np.ones((2, 3), np.float32))
    assert t.mean(axis=np.int64(0)).shape == (3,)
    assert (t * np.int64(2)).dtype == np.float32


def test_gradcheck_leaves_other_tensors_alone_and_sees_small_gradients():
    model = nn.Linear(1, 1, rng=0)
    assert gradcheck(lambda x: model(x), X).passed
    assert model.weight.grad is None
    assert not gradcheck(lambda x: x.detach() * 1e-7, [1.0]).passed
    assert gradcheck(lambda x: x * x + 1e9, [1.0]).passed
    with no_grad(), pytest.raises(GraphError, match="recording is off"):
        gradcheck(lambda x: x * x, [1.0])


def test_numbers_that_leave_the_range_give_no_warning_of_numpys():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        w = learner([0.0])
        bplib.sqrt((w * w).sum()).backward()
        assert np.isnan(w.grad).all()
        assert np.isinf((tensor(1e200) * 1e200).data)
        model = nn.Linear(1, 1, rng=0)
        history = fit(model, losses.mse, SGD(model.parameters(), lr=1e200), (X, Y), epochs=4, progress=False)
        assert "Try a smaller learning rate" in history.stopped


# ------------------------------------------------------------------------------------------------ clear words


def model_of(dtypes=(np.float64, np.float32, np.float64)):
    return nn.Sequential(*(nn.Linear(2, 2, rng=i).astype(d) for i, d in enumerate(dtypes)))


def theta_around_another_dtype():
    model = model_of((np.float64, np.float64, np.float64))
    model.theta = np.ones(18)
    model[1].astype(np.float32)
    return model.theta


def add_in_place():
    array = np.ones(1)
    array += tensor([1.0])


CASES = [
    (lambda: model_of().theta, DataError, "different dtypes"),
    (theta_around_another_dtype, DataError, "the parameters have different dtypes"),
    (lambda: learner(1.0) * [learner(2.0), 3.0], DataError, "it would lose its past"),
    (lambda: losses.mse([learner(1.0), 2.0], [1.0, 2.0]), DataError, "it would lose its past"),
    (lambda: bplib.exp(learner(1.0)).assign(5.0), GraphError, "result of 'exp'"),
    (lambda: copy.copy(learner(1.0) * 2), GraphError, "result of an operation"),
    (lambda: SGD([learner(1.0) * 2], lr=0.1), DataError, "result of 'multiply'"),
    (lambda: SGD([{"params": learner([1.0])}], lr=0.1), DataError, "params is one tensor"),
    (lambda: SGD([tensor(1.0)], lr=0.1), DataError, "no parameter here asks for a gradient"),
    (lambda: SGD([{"params": [learner(1.0)], "momentun": 1}], lr=0.1), DomainError, "the setting 'momentun'"),
    (lambda: SGD([{"lr": 1.0}], lr=0.1), DataError, "nothing to update"),
    (lambda: SGD(None, lr=0.1), DataError, "params is of type NoneType"),
    (lambda: SGD(nn.Linear(1, 1), lr=0.1), DataError, "Pass model.parameters()"),
    (lambda: Adam([learner(1.0)], betas=0.9), DataError, "betas is 0.9. Expected two numbers"),
    (lambda: Adam([learner(1.0)], betas=(0.9,)), DataError, "Expected two numbers"),
    (lambda: Adam([learner(1.0)]).load_state_dict(SGD([learner(1.0)], lr=1).state_dict()), ShapeError, "got SGD"),
    (lambda: Adam([learner(1.0)]).load_state_dict({}), ShapeError, "does not fit"),
    (lambda: accuracy(nn.Linear(1, 1, rng=0), X, np.ones(16, int)), ShapeError, "at least two classes"),
    (lambda: accuracy(nn.Linear(1, 2, rng=0), X, [[0], [0, 1]]), DataError, "unequal lengths"),
    (lambda: evaluate(nn.Linear(1, 1, rng=0), losses.mse, X, [[1], [1, 2]]), DataError, "unequal lengths"),
    (lambda: losses.cross_entropy(np.zeros((2, 2)), [[0], [0, 1]]), DataError, "unequal lengths"),
    (lambda: losses.cross_entropy([[0.0, 0.0]], [[5.0, -3.0]]), DomainError, "holds probabilities"),
    (lambda: losses.mse([1.0], [1.0], reduction=np.array([1])), DomainError, "reduction is"),
    (lambda: nn.Linear(1, 1, rng="a"), DataError, "Linear: rng"),
    (lambda: nn.Linear(1, 1, rng=0).load_state_dict({"bias": ["x"], "weight": [[9.0]]}), DataError, "text"),
    (lambda: nn.Linear(1, 1, rng=0).astype("foo"), DomainError, "dtype foo"),
    (lambda: tensor([1.0, 2.0]).sum(axis="a"), BplibError, "sum: 'a' does not fit"),
    (lambda: tensor([1.0, 2.0]).reshape("a"), BplibError, "reshape"),
    (lambda: tensor([1.0, 2.0])["a":], BplibError, "getitem"),
    (lambda: bplib.softmax([1.0, 2.0], axis=None), DomainError, "no axis None"),
    (lambda: tensor([1.0]) < "a", DataError, "holds text"),
    (lambda: tensor([1.0, 2.0]) == [1, 2, 3], ShapeError, "comparison: shapes (2,) and (3,)"),
    (lambda: tensor(np.ones((2, 3, 4))) @ np.ones((2, 5, 6)), ShapeError, "got (4,) and (5,)"),
    (add_in_place, DataError, "cannot be written into an array"),
    (lambda: surface(["bowl"]), DomainError, "there is no surface"),
    (lambda: surface("bowl", condition_number="a"), DataError, "condition_number is 'a'"),
    (lambda: descend("bowl", lambda p: SGD(p, lr=1), (0, 0), 1), DataError, "Expected a Surface"),
    (lambda: descend(surface("bowl"), SGD, (0, 0), 1), DataError, "Try lambda params"),
    (lambda: descend(surface("bowl"), lambda p: SGD([learner(1.0)], lr=1), (0, 0), 1), DataError, "Try lambda params"),
    (lambda: central_difference(lambda x: x, [1.0, 2.0]), ShapeError, "Expected one number"),
    (lambda: central_difference(np.sum, [1.0], h="a"), DataError, "h is 'a'"),
]


@pytest.mark.parametrize(("act", "kind", "words"), CASES, ids=[words for _, _, words in CASES])
def test_misuse_is_refused_in_words(act, kind, words):
    with pytest.raises(kind) as caught:
        act()
    assert words in str(caught.value)


MODEL = nn.Linear(1, 1, rng=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimizer": "sgd"}, "optimizer is 'sgd'"),
        ({"loss": "mse"}, "loss is 'mse'"),
        ({"model": np.sin}, "Expected a Module"),
        ({"callbacks": print}, "Try callbacks=[f]"),
        ({"callbacks": None}, "Try callbacks=[f]"),
        ({"optimizer": optim.SGD(nn.Linear(1, 1, rng=0).parameters(), lr=0.1)}, "no parameter of this model"),
        ({"valid_data": (X, [[1], [1, 2]])}, "unequal lengths"),
    ],
)
def test_fit_refuses_before_the_first_step(change, words):
    before = MODEL.theta.copy()
    arguments = {"model": MODEL, "loss": losses.mse, "optimizer": SGD(MODEL.parameters(), lr=0.1),
                 "train_data": (X, Y), "epochs": 1, "progress": False} | change  # fmt: skip
    with pytest.raises(DataError) as caught:
        fit(**arguments)
    assert words in str(caught.value)
    np.testing.assert_array_equal(MODEL.theta, before)


def test_a_refused_state_changes_nothing():
    model = nn.Linear(1, 1, rng=0)
    before = model.theta.copy()
    with pytest.raises(DataError):
        model.load_state_dict({"weight": [[9.0]], "bias": ["x"]})
    np.testing.assert_array_equal(model.theta, before)
