"""The stop button: whatever the moment, whole steps are kept and nothing else."""

import signal
import threading
import time

import numpy as np
import pytest

from bplib import losses, nn, optim
from bplib.training import Checkpoint, fit, load, on

X = np.random.default_rng(0).normal(size=(64, 3))
Y = X @ [[1.0], [-2.0], [0.5]]


def build():
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1))
    return model, optim.Adam(model.parameters(), lr=0.01)


def train(model, optimizer, loss=losses.mse, epochs=400, **settings):
    return fit(model, loss, optimizer, (X, Y), epochs=epochs, batch_size=8, rng=0, progress=False, **settings)


def press_after(seconds):
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    timer.start()
    return timer


def press_during(seconds):
    """Give a timer and a loss that starts it: on a busy machine the first press would come before the training."""
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])

    def loss(prediction, target):
        if timer.ident is None:
            timer.start()
        return losses.mse(prediction, target)

    return timer, loss


@pytest.fixture(autouse=True)
def python_listens():
    """Let Python turn an interrupt into an exception, also where the tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def path_of_theta():
    """θ after each step of the run that nobody stops."""
    model, _ = build()
    thetas = [model.theta.tobytes()]

    class Watched(optim.Adam):
        def step(self):
            super().step()
            thetas.append(model.theta.tobytes())

    watched = Watched(model.parameters(), lr=0.01)
    train(model, watched)
    return thetas


def test_an_interrupt_at_any_of_fifty_moments_loses_nothing(path_of_theta):
    moments = np.random.default_rng(0).uniform(0.001, 0.06, size=50)
    steps = []
    for moment in moments:
        model, optimizer = build()
        timer, loss = press_during(moment)
        history = train(model, optimizer, loss)
        timer.join()
        assert history.stopped.startswith("Interrupted ")
        assert model.theta.tobytes() == path_of_theta[history.steps]
        rows = -(-history.steps // 8)
        assert len(history.get("epoch", ())) == rows
        steps.append(history.steps)
    # The moments were different ones, in the middle of epochs too.
    assert len(set(steps)) > 10
    assert any(n % 8 for n in steps)


def test_the_words_say_where_it_stopped_and_the_old_handler_is_back():
    model, optimizer = build()
    presses = iter([False] * 10 + [True] + [False] * 10**6)

    def loss(prediction, target):
        if next(presses):
            signal.raise_signal(signal.SIGINT)
        return losses.mse(prediction, target)

    history = train(model, optimizer, loss)
    assert history.stopped == "Interrupted in epoch 2, after 24 of 64 examples. The last step was finished."
    assert (history.steps, history["epoch"].tolist()) == (11, [1, 2])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_before_the_first_batch_of_an_epoch_adds_no_row():
    model, optimizer = build()

    def press(event, run):
        if len(run.history.get("epoch", ())) == 1:
            signal.raise_signal(signal.SIGINT)

    history = train(model, optimizer, callbacks=[on("epoch_start", press)])
    assert history.stopped == "Interrupted in epoch 2, after 0 of 64 examples. The last step was finished."
    assert (history.steps, history["epoch"].tolist()) == (8, [1])


def test_a_second_interrupt_is_raised_at_once_and_leaves_the_handler_as_it_was():
    model, optimizer = build()

    def never_ends(prediction, target):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return losses.mse(prediction, target)

    with pytest.raises(KeyboardInterrupt):
        train(model, optimizer, never_ends)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_after_an_interrupt_the_checkpoint_goes_on_as_if_nothing_had_happened(tmp_path):
    whole, optimizer = build()
    train(whole, optimizer, epochs=6)
    model, optimizer = build()
    count = iter(range(10**6))

    def loss(prediction, target):
        if next(count) == 8 * 3 + 5:
            signal.raise_signal(signal.SIGINT)
        return losses.mse(prediction, target)

    history = train(model, optimizer, loss, epochs=6, callbacks=[Checkpoint(tmp_path / "run")])
    assert history.stopped.startswith("Interrupted in epoch 4")
    assert load(tmp_path / "run.npz", build()[0])["epoch"].tolist() == [1, 2, 3]
    again, optimizer = build()
    train(again, optimizer, epochs=6, resume=tmp_path / "run.npz")
    assert again.theta.tobytes() == whole.theta.tobytes()


def test_in_another_thread_training_works_and_listens_to_nobody():
    model, optimizer = build()
    found = []
    thread = threading.Thread(target=lambda: found.append(train(model, optimizer, epochs=2).steps))
    thread.start()
    thread.join(timeout=30)
    assert found == [16]


def test_who_listens_already_keeps_listening():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(time.time()))
    try:
        model, optimizer = build()
        timer = press_after(0.01)
        history = train(model, optimizer, epochs=60)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (len(heard), history.steps) == (1, 480)
