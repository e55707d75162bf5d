"""The training loop: it learns, it repeats itself exactly, and it says what went wrong."""

import os
import subprocess
import sys

import numpy as np
import pytest

import bplib
from bplib import losses, nn, optim
from bplib.data import DataLoader
from bplib.errors import DataError, DomainError, ShapeError
from bplib.training import History, accuracy, evaluate, fit

X = np.random.default_rng(0).normal(size=(50, 2))
Y = X @ [[2.0], [-1.0]] + 0.5


def train(seed=0, **settings):
    model = nn.Linear(2, 1, rng=seed)
    settings = {"epochs": 5, "batch_size": 16, "progress": False, **settings}
    return model, fit(model, losses.mse, optim.SGD(model.parameters(), lr=0.1), (X, Y), **settings)


def test_fit_learns_the_line():
    model, history = train(epochs=60)
    np.testing.assert_allclose(model.weight.data, [[2.0], [-1.0]], atol=1e-3)
    assert history["train_loss"][-1] < 1e-5
    assert history["epoch"].tolist() == list(range(1, 61))


def test_fit_does_what_the_loop_written_out_does():
    model, history = train(epochs=3, rng=7)
    by_hand = nn.Linear(2, 1, rng=0)
    optimizer = optim.SGD(by_hand.parameters(), lr=0.1)
    batches, means = DataLoader(X, Y, batch_size=16, rng=7), []
    for _ in range(3):
        total = 0.0
        for x, y in batches:
            loss = losses.mse(by_hand(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss) * len(x)
        means.append(total / 50)
    np.testing.assert_array_equal(model.theta, by_hand.theta)
    np.testing.assert_array_equal(history["train_loss"], means)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    runs = [train(rng=seed)[0].theta.tobytes() for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_validation_is_looked_at_and_never_learned_from():
    model, history = train(valid_data=(X[:5], Y[:5] + 100.0))
    blind, _ = train()
    np.testing.assert_array_equal(model.theta, blind.theta)
    assert history["valid_loss"][-1] == evaluate(model, losses.mse, X[:5], Y[:5] + 100.0)
    assert list(history) == ["epoch", "train_loss", "valid_loss", "seconds"]
    assert (np.diff(history["seconds"]) > 0).all()


def test_validation_moves_nothing_that_is_drawn_or_averaged_while_a_network_learns():
    def run(valid_data):
        rng = np.random.default_rng(0)
        layers = nn.Linear(2, 4, rng=rng), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=rng), nn.Linear(4, 1, rng=rng)
        model = nn.Sequential(*layers)
        fit(model, losses.mse, optim.Adam(model.parameters()), (X, Y), valid_data, epochs=2, rng=rng, progress=False)
        return {name: values.tobytes() for name, values in model.state_dict().items()}, rng.bit_generator.state

    assert run((X[:9], Y[:9])) == run(None)


def test_a_metric_that_divides_by_zero_is_shown_and_warns_of_nothing():
    def odds(model, x, y):
        return np.divide(1.0, np.zeros(len(y))).mean()

    _, history = train(valid_data=(X[:5], Y[:5]), metrics=[odds], epochs=2)
    assert history["valid_odds"].tolist() == [np.inf, np.inf]


def test_a_loss_that_is_no_number_stops_the_run_and_says_so():
    model = nn.Linear(2, 1, rng=0)
    with np.errstate(all="ignore"):
        history = fit(model, losses.mse, optim.SGD(model.parameters(), lr=1e150), (X, Y), epochs=9, progress=False)
    assert len(history["epoch"]) < 9
    assert "Try a smaller learning rate" in history.stopped
    assert history.stopped in repr(history)


def test_callbacks_hear_of_every_epoch_and_may_stop():
    heard = []

    def callback(event, run):
        heard.append((event, len(run.history["epoch"])))
        return event == "epoch_end" and len(run.history["epoch"]) == 2

    _, history = train(callbacks=[callback])
    assert heard == [("epoch_end", 1), ("epoch_end", 2), ("fit_end", 2)]
    assert history.stopped == "Stopped by a callback after epoch 2."


@pytest.mark.parametrize(("progress", "variable", "shown"), [(True, {}, True), (False, {}, False),
                                                              (True, {"TQDM_DISABLE": "1"}, False)])  # fmt: skip
def test_the_bar_goes_to_standard_output_and_can_be_silenced(progress, variable, shown):
    code = f"""
import bplib
model = bplib.nn.Linear(1, 1, rng=0)
optimizer = bplib.optim.SGD(model.parameters(), lr=0.1)
bplib.training.fit(model, bplib.losses.mse, optimizer, ([[1.0]], [[2.0]]), epochs=3, progress={progress})
"""
    environment = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"} | variable
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert run.stderr == ""
    assert ("training: 100%" in run.stdout and "loss=" in run.stdout) == shown
    assert shown or run.stdout == ""


def test_accuracy_counts_the_largest_output():
    model = nn.Linear(2, 3, bias=False, rng=0)
    model.weight.assign([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert accuracy(model, [[2.0, 1.0], [1.0, 2.0], [3.0, 0.0], [0.0, 1.0]], [0, 1, 0, 2]) == 0.75
    with pytest.raises(ShapeError, match="one class for each example"):
        accuracy(model, [[2.0, 1.0]], [[0, 1]])


def test_evaluating_leaves_the_mode_and_the_gradients_as_they_were():
    model = nn.Sequential(nn.Linear(2, 1, rng=0)).train()
    evaluate(model, losses.mse, X, Y)
    assert model.training
    assert model[0].training
    assert model[0].weight.grad is None


def test_a_history_is_a_small_table():
    history = History()
    for epoch in range(1, 9):
        history.append(epoch=epoch, train_loss=1 / epoch, seconds=0.1 * epoch)
    assert repr(history).splitlines() == [
        "       epoch  train_loss",
        "           1      1.0000",
        "           2      0.5000",
        "           3      0.3333",
        "           …           …",
        "           7      0.1429",
        "           8      0.1250",
    ]
    with pytest.raises(KeyError, match="no column 'loss'"):
        history["loss"]
    with pytest.raises(DataError, match="columns"):
        history.append(epoch=9)


@pytest.mark.parametrize(
    ("settings", "kind", "fragment"),
    [
        ({"epochs": 0}, DomainError, "fit: epochs is 0"),
        ({"epochs": 2.5}, DataError, "fit: epochs is 2.5"),
        ({"batch_size": 0}, DomainError, "batch_size"),
        ({"valid_data": X}, DataError, "fit: valid_data is a ndarray. Expected a pair (X, y)"),
        ({"valid_data": (X[:3], Y[:2])}, ShapeError, "fit: valid_data: X has 3 rows, y has 2"),
    ],
)
def test_bad_settings_are_refused_in_words(settings, kind, fragment):
    with pytest.raises(kind) as caught:
        train(**settings)
    assert fragment in str(caught.value)


def test_a_network_learns_the_digits_beyond_96_percent_and_prints_the_same_twice():
    digits = bplib.data.load_digits()

    def run():
        model = nn.Sequential(nn.Linear(64, 64, rng=0), nn.ReLU(), nn.Linear(64, 10, rng=1))
        history = fit(model, losses.cross_entropy, optim.Adam(model.parameters(), lr=3e-3), digits.train, digits.test,
                      epochs=20, progress=False)  # fmt: skip
        return repr(history), accuracy(model, *digits.test)

    first, second = run(), run()
    assert first == second
    assert first[1] >= 0.96
