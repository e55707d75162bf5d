"""Optimizers over every collection of parameters, models that change behind them, and what a walk writes into θ."""

from dataclasses import replace

import numpy as np
import pytest

from bplib import losses, nn, tensor
from bplib.errors import DataError, DomainError, GraphError
from bplib.optim import SGD, Adam
from tests.contract.graphs import CHANGED, X, Y, graph_of, learner, network
from tests.contract.refusals import refusal


def bits(model):
    return [p.data.tobytes() for p in model.parameters()]


def learn(model, *optimizers):
    """Take one step with each optimizer, all from the same gradient; give values and gradients before."""
    model.zero_grad()
    losses.mse(model(X), Y).backward()
    before = {p: (p.numpy(), p.grad.copy()) for p in model.parameters()}
    for optimizer in optimizers:
        optimizer.step()
    return before


def parts(model):
    return [model[0].weight, model[2].weight], [model[0].bias, model[2].bias]


# -------------------------------------------------------------------------------------------------- groups and lists


@pytest.mark.parametrize("asked", [False, True], ids=["at home apart", "theta asked for"])
def test_each_group_follows_its_own_settings_also_when_they_change(asked):
    model = network()
    weights, biases = parts(model)
    groups = [{"params": weights, "weight_decay": 0.5}, {"params": biases, "lr": 0.25, "momentum": 0.5}]
    optimizer = SGD(groups, lr=0.1)
    velocity = [np.zeros(p.shape) for p in biases]
    for step in range(4):
        if asked:
            assert model.theta.size == 13
        optimizer.param_groups[0]["lr"] = rate = 0.1 / (step + 1)
        before = learn(model, optimizer)
        for p in weights:
            theta, g = before[p]
            assert p.data.tobytes() == (theta - rate * (g + 0.5 * theta)).tobytes()
        for i, p in enumerate(biases):
            theta, g = before[p]
            velocity[i] = 0.5 * velocity[i] + g
            assert p.data.tobytes() == (theta - 0.25 * velocity[i]).tobytes()


def test_a_group_without_anything_to_learn_is_refused():
    first, second = nn.Linear(1, 1, rng=0), nn.Linear(1, 1, rng=1)
    for p in first.parameters():
        p.requires_grad = False
    said = refusal(DataError, lambda: SGD([{"params": second.parameters()}, {"params": first.parameters()}], lr=0.1))
    assert said.startswith("SGD: there is nothing to update: no parameter here asks for a gradient. Pass")


def test_two_optimizers_on_two_halves_of_a_model_do_not_meet():
    model = network()
    weights, biases = parts(model)
    slow, fast = SGD(weights, lr=0.1, momentum=0.9), SGD(biases, lr=0.5)
    velocity = [np.zeros(p.shape) for p in weights]
    for step in range(4):
        before = learn(model, slow, fast)
        for i, p in enumerate(weights):
            velocity[i] = 0.9 * velocity[i] + before[p][1]
            assert p.data.tobytes() == (before[p][0] - 0.1 * velocity[i]).tobytes()
        for p in biases:
            assert p.data.tobytes() == (before[p][0] - 0.5 * before[p][1]).tobytes()
        if step == 1:
            assert model.theta.size == 13  # everybody moves
        slow.zero_grad()
        assert [p.grad is None for p in (*weights, *biases)] == [True, True, False, False]


def test_two_optimizers_on_the_same_parameters_step_one_after_the_other():
    model = network()
    optimizers = SGD(model.parameters(), lr=0.1), SGD(list(model.parameters())[::-1], lr=0.5)
    for _ in range(3):
        before = learn(model, *optimizers)
        for p, (theta, g) in before.items():
            assert p.data.tobytes() == ((theta - 0.1 * g) - 0.5 * g).tobytes()


@pytest.mark.parametrize("collect", [list, tuple, iter])
def test_plain_tensors_of_any_shape_and_order_in_memory_are_updated(collect):
    lying = np.arange(6.0).reshape(2, 3)
    tensors = [learner(2.0), learner(lying.T), learner(np.asfortranarray(lying)), learner(lying[::-1, ::2])]
    tensors.insert(2, nn.Parameter([7.0, 8.0]))
    optimizer = SGD(collect(tensors), lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        sum((t * t).sum() for t in tensors).backward()
        before = [t.numpy() for t in tensors]
        optimizer.step()
        for t, theta in zip(tensors, before, strict=True):
            assert t.data.tolist() == (theta - 0.5 * (2 * theta)).tolist()
    assert lying.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (lambda m: m.weight, "SGD: params is one tensor. Expected a list of them. Try SGD([w], ...)."),
        (lambda m: m.named_parameters(), "SGD: expected tensors to update, got tuple. Pass model.parameters()."),
        (lambda m: m.state_dict().values(), "SGD: expected tensors to update, got ndarray. Pass model.parameters()."),
        (lambda m: [m], "SGD: expected tensors to update, got Linear. Pass model.parameters()."),
        (lambda m: dict(m.named_parameters()),
         "SGD: params is of type dict. Expected parameters. Pass model.parameters() or [w]."),
        (lambda m: [m.weight * 2.0],
         "SGD: one of the tensors is the result of 'multiply' and is made anew at every forward pass. "
         "Pass the tensors it was computed from."),
    ],
    ids=["a tensor", "named_parameters", "a state", "a model", "a dict", "a result"],
)  # fmt: skip
def test_what_is_no_collection_of_parameters_is_refused(give, words):
    model = nn.Linear(2, 1, rng=0)
    assert refusal(DataError, lambda: SGD(give(model), lr=0.1)) == words


@pytest.mark.parametrize(
    "params", [lambda w: [w, w], lambda w: [{"params": [w]}, {"params": [w], "lr": 0.5}]], ids=["list", "groups"]
)
def test_a_parameter_given_twice_is_refused(params):
    assert refusal(DomainError, lambda: SGD(params(learner(1.0)), lr=0.1)) == (
        "SGD: one parameter stands twice in params; it would be updated twice a step. Expected each once."
    )


# ------------------------------------------------------------------------------------------------------ mixed dtypes


def test_parameters_of_two_dtypes_step_each_in_its_own_and_have_no_theta():
    model = network()
    model[0].astype(np.float32)
    for act in (lambda: model.theta, lambda: model.theta_grad, lambda: setattr(model, "theta", np.zeros(13))):
        assert refusal(DataError, act) == (
            "theta: the parameters have different dtypes. Try model.astype(numpy.float64) first."
        )
    optimizer = SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        for p, (theta, g) in learn(model, optimizer).items():
            assert p.dtype == theta.dtype == g.dtype
            assert p.data.tobytes() == (theta - 0.1 * g).tobytes()
    assert [p.dtype.itemsize for p in model.parameters()] == [4, 4, 8, 8]
    model.astype(np.float64)
    assert model.theta.size == 13


# --------------------------------------------------------------------------- a model that changes after its optimizer


def test_a_parameter_put_in_anothers_place_is_not_the_optimizers():
    model = network()
    optimizer, old = Adam(model.parameters(), lr=0.1), model[0].weight
    learn(model, optimizer)
    model[0].weight = new = nn.Parameter(np.full((2, 3), 0.5))
    old.grad, left = None, old.numpy()
    before = learn(model, SGD([model[0].bias], lr=0.1), optimizer)
    assert old.data.tobytes() == left.tobytes()
    assert new.data.tobytes() == before[new][0].tobytes()
    assert not any(np.array_equal(p.data, before[p][0]) for p in model.parameters() if p is not new)
    assert model.theta[:6].tolist() == [0.5] * 6
    after = learn(model, SGD(model.parameters(), lr=0.1))
    assert new.data.tobytes() == (after[new][0] - 0.1 * after[new][1]).tobytes()


@pytest.mark.parametrize("asked", [False, True], ids=["at home apart", "theta asked for"])
def test_a_layer_added_after_the_optimizer_stays_as_it_is(asked):
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    learn(model, optimizer)
    learners = list(model.parameters())
    added = nn.Linear(1, 1, rng=2)
    model.layers = (*model.layers, added)
    if asked:
        assert model.theta.size == 15
    fixed = bits(added)
    for _ in range(3):
        before = learn(model, optimizer)
        assert before[added.weight][1].any()
        for p in learners:
            assert p.data.tobytes() == (before[p][0] - 0.1 * before[p][1]).tobytes()
        assert bits(added) == fixed
    learn(model, SGD(model.parameters(), lr=0.1))
    assert bits(added) != fixed


def test_a_layer_taken_away_gets_no_gradient_and_stays():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    learn(model, optimizer)
    gone, model.layers = model[0], model.layers[2:]
    fixed, kept = bits(gone), bits(model)
    optimizer.zero_grad()
    model(np.ones((2, 3))).sum().backward()
    optimizer.step()
    assert bits(gone) == fixed
    assert bits(model) != kept


# ---------------------------------------------------------------------------------------- θ between forward and back


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model, "theta", model.theta),
        lambda model: setattr(model, "theta", model.theta - 0.1),
        lambda model: model.load_state_dict(model.state_dict()),
        lambda model: model.astype(np.float32),
    ],
    ids=["theta = theta", "theta = other", "load_state_dict", "astype"],
)
@pytest.mark.parametrize(("name", "who"), [("w1", "the tensor 'w1'"), (None, "a tensor of shape (2, 3)")])
def test_a_model_changed_between_forward_and_backward_is_named(change, name, who):
    model = network()
    model[0].weight.name = name
    loss = losses.mse(model(X), Y)
    change(model)
    assert refusal(GraphError, loss.backward) == CHANGED.format(who, "layers")
    assert [p.grad for p in model.parameters()] == [None] * 4
    losses.mse(model(X), Y).backward()
    assert model.theta_grad.all()


@pytest.mark.parametrize(
    "move",
    [lambda model: model.theta, lambda model: SGD(model.parameters(), lr=0.1).step(),
     lambda model: nn.Sequential(nn.Linear(1, 2, rng=3), model).theta],
    ids=["theta", "a step without gradients", "a larger model"],
)  # fmt: skip
def test_what_only_moves_the_parameters_does_not_spoil_a_graph(move):
    model, still = network(), network()
    loss = losses.mse(model(X), Y)
    move(model)
    loss.backward()
    losses.mse(still(X), Y).backward()
    assert model.theta_grad.tobytes() == still.theta_grad.tobytes()


def test_a_step_spoils_only_the_graphs_of_what_it_changed():
    moved, stays = nn.Linear(1, 1, rng=0), nn.Linear(1, 1, rng=1)
    method = SGD([*moved.parameters(), *stays.parameters()], lr=0.1)
    waiting = stays([[2.0]]).sum()
    moved([[2.0]]).sum().backward()
    method.step()
    waiting.backward()
    assert stays.weight.grad.tolist() == [[2.0]]


def test_two_losses_of_a_network_add_up_exactly():
    model = network()
    first, second = losses.mse(model(X), Y), losses.mse(model(2 * X), Y)
    found = []
    for loss in (first, second):
        model.zero_grad()
        loss.backward()
        found.append(model.theta_grad.copy())
    model.zero_grad()
    for loss in (first, second, second):
        loss.backward()
    assert model.theta_grad.tobytes() == (found[0] + found[1] + found[1]).tobytes()


# ------------------------------------------------------------------------------------ what a walk writes into θ's place


def test_a_parameter_shared_by_two_layers_gets_both_gradients():
    first, second = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    model(X).sum().backward()
    w, b = first.weight.numpy(), first.bias.numpy()
    ones = np.ones((2, 2))
    np.testing.assert_allclose(first.weight.grad, (X @ w + b).T @ ones + X.T @ (ones @ w.T), rtol=1e-14)
    np.testing.assert_allclose(first.bias.grad, (ones @ w.T).sum(0), rtol=1e-14)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Parameter([1.0, 2.0])
        self.again = [self.first, {"still": self.first}]

    def forward(self, x):
        return (self.first * self.again[0] * x).sum()


def test_a_parameter_registered_twice_is_counted_listed_and_updated_once():
    model = Twice()
    assert [name for name, _ in model.named_parameters()] == ["first"]
    assert list(model.state_dict()) == ["first"]
    assert model.theta.tolist() == [1.0, 2.0]
    model([1.0, 10.0]).backward()
    assert model.theta_grad.tolist() == [2.0, 40.0]
    SGD(model.parameters(), lr=0.25).step()
    assert model.first.data.tolist() == [0.5, -8.0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("earlier", [False, True], ids=["no gradient yet", "gradients from before"])
def test_an_interrupt_inside_any_gradient_rule_leaves_every_gradient_as_before(error, earlier):
    model, x = network(), learner(X)
    if earlier:
        losses.mse(model(x), 2 * Y).backward()

    def gradients():
        return [None if leaf.grad is None else leaf.grad.tobytes() for leaf in (x, *model.parameters())]

    kept = gradients()
    loss, results = graph_of(model, x)
    assert len(results) >= 7
    for middle in results:
        row = middle.operation
        middle.retain_grad()

        def interrupted(node, g, row=row):
            row.gradient(node, g)  # and has written into the parameters' memory already
            raise error

        middle.operation = replace(row, gradient=interrupted)
        with pytest.raises(error):
            loss.backward()
        assert (gradients(), middle.grad) == (kept, None)
        assert earlier or not model.theta_grad.any()
        middle.operation = row
    before = model.theta_grad.copy()
    loss.backward()  # the same graph, now in peace
    alone = network()
    graph_of(alone, learner(X))[0].backward()
    np.testing.assert_allclose(model.theta_grad - before, alone.theta_grad, rtol=1e-12, atol=1e-15)


def test_setting_the_gradient_of_all_gives_none_to_a_frozen_parameter():
    model = nn.Linear(2, 1, rng=0)
    model.weight.requires_grad = False
    optimizer, before = SGD(model.parameters(), lr=0.1, weight_decay=0.5), model.weight.numpy()
    losses.mse(model([[1.0, 2.0]]), [[1.0]]).backward()
    model.theta_grad /= 2
    assert model.weight.grad is None
    optimizer.step()
    np.testing.assert_array_equal(model.weight.data, before)


@pytest.mark.parametrize("update", [lambda w: w - 0.1, lambda w: w.detach(), lambda w: tensor(w.numpy())])
def test_a_result_does_not_take_the_place_of_a_parameter(update):
    layer = nn.Linear(2, 1, rng=0)
    kept = layer.weight
    said = refusal(DataError, lambda: setattr(layer, "weight", update(layer.weight)))
    assert said == (
        "Linear.weight: a plain tensor would take the place of a parameter, and no optimizer would find it. "
        "Expected an nn.Parameter. To change the numbers, try weight.assign(...)."
    )
    assert layer.weight is kept
    layer.weight.assign(kept.numpy() - 0.1)
    layer.weight = nn.Parameter(np.zeros((2, 1)))
    layer.note = tensor(1.0)  # what never was a parameter may be anything
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
