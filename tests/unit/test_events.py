"""The moments of a training run: who is called when, and what a pause keeps of them."""

import numpy as np
import pytest

from bplib import losses, nn, optim
from bplib.data import DataLoader
from bplib.errors import DataError, DomainError
from bplib.training import EVENTS, Checkpoint, EarlyStopping, FollowSchedule, GradientWatch, fit, load, on

X = np.random.default_rng(0).normal(size=(50, 2))
Y = X @ [[2.0], [-1.0]] + 0.5


def build(seed=0, lr=0.1, method=optim.SGD):
    model = nn.Sequential(nn.Linear(2, 5, rng=seed), nn.Tanh(), nn.Linear(5, 1, rng=seed + 1))
    return model, method(model.parameters(), lr=lr)


def train(model, optimizer, epochs=2, loss=losses.mse, **settings):
    settings = {"batch_size": 20, "progress": False, "valid_data": (X[:9], Y[:9] + 0.3), "rng": 3} | settings
    return fit(model, loss, optimizer, (X, Y), epochs=epochs, **settings)


# ---------------------------------------------------------------- events


def test_every_event_comes_in_its_place():
    heard = []
    train(*build(), callbacks=[on(*EVENTS, lambda event, run: heard.append((event, run.history.steps)))])
    steps = [[("backward_end", i), ("step_end", i + 1)] for i in range(6)]
    assert heard == [
        ("fit_start", 0),
        ("epoch_start", 0), *steps[0], *steps[1], *steps[2], ("epoch_end", 3),
        ("epoch_start", 3), *steps[3], *steps[4], *steps[5], ("epoch_end", 6),
        ("fit_end", 6),
    ]  # fmt: skip


def test_gradients_can_be_clipped_between_backward_and_update():
    model, optimizer = build()
    lengths = []

    def clip(event, run):
        lengths.append(optim.clip_grad_norm(run.model.parameters(), 0.01))

    train(model, optimizer, 1, callbacks=[on("backward_end", clip)])
    by_hand, its_optimizer = build()
    for x, y in DataLoader(X, Y, batch_size=20, rng=3):
        its_optimizer.zero_grad()
        losses.mse(by_hand(x), y).backward()
        optim.clip_grad_norm(by_hand.parameters(), 0.01)
        its_optimizer.step()
    assert min(lengths) > 0.01
    np.testing.assert_array_equal(model.theta, by_hand.theta)


def test_a_step_can_be_the_last_one_and_all_who_listen_still_hear_of_it():
    model, optimizer = build()
    heard = []
    history = train(
        model, optimizer, 3,
        callbacks=[on("step_end", lambda event, run: run.history.steps == 2),
                   on("step_end", lambda *_: heard.append(1))],
    )  # fmt: skip
    assert history.steps == len(heard) == 2
    assert history.stopped == "Stopped by a callback in epoch 1, after 40 of 50 examples."


def test_the_last_step_of_an_epoch_can_be_the_last_one():
    history = train(*build(), 3, callbacks=[on("step_end", lambda event, run: run.history.steps == 3)])
    assert history.stopped == "Stopped by a callback after epoch 1."
    assert history["epoch"].tolist() == [1]


@pytest.mark.parametrize("answer", [1, 0.5, "yes", None, np.ones(3)])
def test_only_true_is_an_answer(answer):
    assert train(*build(), callbacks=[on("step_end", "epoch_end", lambda *_: answer)]).stopped == ""


def test_a_true_from_numpy_is_an_answer_and_no_answer_counts_at_other_events():
    assert train(*build(), callbacks=[lambda event, run: np.bool_(True)]).steps == 3
    others = [event for event in EVENTS if event not in ("step_end", "epoch_end")]
    assert train(*build(), callbacks=[on(*others, lambda *_: True)]).steps == 6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: on("epoch_ends", print), "on: there is no event 'epoch_ends'. Expected one of fit_start, epoch_start"),
        (lambda: on("step_end"), "on: got ('step_end',). Expected events and then a function"),
        (lambda: on(print), "Try on('step_end', f)"),
        (lambda: on(), "on: got ()"),
        (lambda: on("step_end", 3), "on: got ('step_end', 3). Expected events and then a function"),
        (lambda: train(*build(), callbacks=[Deaf(3)]), "fit: there is no event 3"),
        (lambda: train(*build(), callbacks=[Deaf()]), "fit: there is no event 'never'"),
    ],
)
def test_an_event_that_does_not_exist_is_refused_in_words(make, words):
    with pytest.raises(DataError) as caught:
        make()
    assert words in str(caught.value)


class Deaf:
    def __init__(self, events=("never",)):
        self.events = events

    def __call__(self, event, run):
        raise AssertionError


def test_a_listener_says_what_it_listens_to():
    assert repr(on("step_end", "fit_end", test_only_true_is_an_answer)) == (
        "on('step_end', 'fit_end', test_only_true_is_an_answer)"
    )


# ---------------------------------------------------------------- several batches for one update


@pytest.mark.parametrize("accumulate", [2, 3, 7])
def test_batches_that_are_added_up_are_one_large_batch(accumulate):
    small, large = build(), build()
    halves = train(*small, batch_size=8, accumulate=accumulate)
    whole = train(*large, batch_size=8 * accumulate)
    assert halves.steps == whole.steps == 2 * int(np.ceil(50 / (8 * accumulate)))
    np.testing.assert_allclose(small[0].theta, large[0].theta, rtol=1e-12)
    np.testing.assert_allclose(halves["train_loss"], whole["train_loss"], rtol=1e-12)


def test_no_more_than_one_batch_goes_through_the_network_at_once():
    seen = []

    def loss(prediction, y):
        seen.append(len(y))
        return losses.mse(prediction, y)

    train(*build(), 1, loss, valid_data=None, batch_size=8, accumulate=3)
    assert seen == [8, 8, 8, 8, 8, 8, 2]


@pytest.mark.parametrize(("value", "error"), [(0, DomainError), (1.5, DataError), ("2", DataError), (None, DataError)])
def test_the_number_of_batches_is_checked(value, error):
    with pytest.raises(error, match="fit: accumulate"):
        train(*build(), accumulate=value)


# ---------------------------------------------------------------- gradients and updates, parameter by parameter


def test_the_watch_measures_every_parameter():
    model, optimizer = build(method=optim.Adam)
    by_hand, its_optimizer = build(method=optim.Adam)
    watch = GradientWatch()
    train(model, optimizer, 1, callbacks=[watch])
    norms, ratios = [], []
    for x, y in DataLoader(X, Y, batch_size=20, rng=3):
        its_optimizer.zero_grad()
        losses.mse(by_hand(x), y).backward()
        before = [p.data.copy() for p in by_hand.parameters()]
        norms.append([np.sqrt((p.grad**2).sum()) for p in by_hand.parameters()])
        its_optimizer.step()
        moved = [np.sqrt(((p.data - b) ** 2).sum()) for p, b in zip(by_hand.parameters(), before, strict=True)]
        ratios.append(np.array(moved) / [np.sqrt((b**2).sum()) for b in before])
    names = ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert list(watch.gradient_norms) == list(watch.update_ratios) == names
    assert watch.steps.tolist() == [1, 2, 3]
    for i, name in enumerate(names):
        np.testing.assert_allclose(watch.gradient_norms[name], [row[i] for row in norms], rtol=1e-12)
        np.testing.assert_allclose(watch.update_ratios[name], [row[i] for row in ratios], rtol=1e-12)


def test_a_parameter_that_was_zero_has_no_ratio():
    model, optimizer = build()
    model[0].bias.assign(np.zeros(5))
    watch = GradientWatch()
    train(model, optimizer, 1, callbacks=[watch])
    assert np.isnan(watch.update_ratios["0.bias"]).tolist() == [True, False, False]


def test_the_watch_can_look_at_every_fourth_step_and_changes_nothing():
    watched, blind = build(), build()
    watch = GradientWatch(every=4)
    assert repr(watch) == "GradientWatch(every=4), nothing noted yet"
    train(*watched, 3, callbacks=[watch])
    train(*blind, 3)
    assert watch.steps.tolist() == [1, 5, 9]
    assert len(watch.update_ratios["0.weight"]) == 3
    np.testing.assert_array_equal(watched[0].theta, blind[0].theta)
    lines = repr(watch).splitlines()
    assert lines[0].endswith("after step 9")
    assert [line.split()[0] for line in lines[1:]] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_parameter_without_a_gradient_has_length_zero():
    model, optimizer = build()
    model[2].bias.requires_grad = False
    watch = GradientWatch()
    train(model, optimizer, 1, callbacks=[watch])
    assert watch.gradient_norms["2.bias"].tolist() == [0.0, 0.0, 0.0]


# ---------------------------------------------------------------- schedules in a run


@pytest.mark.parametrize(("each", "counted"), [("epoch", 2), ("step", 6)])
def test_a_schedule_counts_epochs_or_steps(each, counted):
    model, optimizer = build()
    schedule = optim.ExponentialLR(optimizer, 0.5)
    follower = FollowSchedule(schedule, each)
    train(model, optimizer, callbacks=[follower])
    assert schedule.t == counted
    assert schedule.lr == [0.1 * 0.5**counted]
    assert repr(follower) == f"FollowSchedule(ExponentialLR, each='{each}')"


def test_a_plateau_is_looked_for_in_the_history():
    model, optimizer = build(lr=0.0)
    optimizer.param_groups[0]["lr"] = 1e-9  # nothing is learned, so every epoch after the first is on the plateau
    train(model, optimizer, 4, callbacks=[FollowSchedule(optim.ReduceLROnPlateau(optimizer, 0.5, patience=0))])
    assert optimizer.param_groups[0]["lr"] == 1e-9 * 0.5**3


def test_a_loss_that_still_falls_is_no_plateau():
    model, optimizer = build()
    history = train(model, optimizer, 4, callbacks=[FollowSchedule(optim.ReduceLROnPlateau(optimizer, patience=0))])
    assert (np.diff(history["valid_loss"]) < 0).all()
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_a_schedule_that_does_not_fit_is_refused_in_words():
    model, optimizer = build()
    _, other = build()
    plateau = optim.ReduceLROnPlateau(optimizer)
    cases = [
        (DataError, lambda: FollowSchedule(optimizer), "schedule is of type SGD"),
        (DomainError, lambda: FollowSchedule(optim.StepLR(optimizer, 2), "batch"), "each is 'batch'"),
        (DomainError, lambda: FollowSchedule(plateau, "step"), "Expected each='epoch'"),
        (DataError, lambda: train(model, optimizer, callbacks=[FollowSchedule(optim.StepLR(other, 2))]), "another opt"),
        (DataError, lambda: train(model, optimizer, valid_data=None, callbacks=[FollowSchedule(plateau)]), "no column"),
    ]
    for error, call, words in cases:
        with pytest.raises(error) as caught:
            call()
        assert words in str(caught.value)
        assert str(caught.value).startswith("FollowSchedule: ")


# ---------------------------------------------------------------- what a pause keeps


def everything(method, where):
    model, optimizer = build(lr=0.05, method=method)
    watch = GradientWatch(every=2)
    followers = [FollowSchedule(optim.CosineAnnealingLR(optimizer, 40), "step"),
                 FollowSchedule(optim.ReduceLROnPlateau(optimizer, 0.9, patience=0))]  # fmt: skip
    # The checkpoint stands first and must still be written last.
    return model, optimizer, watch, [Checkpoint(where, every=2), *followers, EarlyStopping(50), watch]


@pytest.mark.parametrize("method", [optim.SGD, optim.Adam, optim.RMSProp])
def test_a_resumed_run_has_the_same_rates_notes_and_best_epoch(tmp_path, method):
    model, optimizer, watch, callbacks = everything(method, tmp_path / "whole")
    whole = train(model, optimizer, 7, callbacks=callbacks)
    first = everything(method, tmp_path / "run")
    train(*first[:2], 4, callbacks=[c for c in first[3]])
    again = everything(method, tmp_path / "run")
    again[1].param_groups[0]["lr"] = 9.0
    resumed = train(*again[:2], 7, callbacks=again[3], resume=tmp_path / "run")
    assert again[0].theta.tobytes() == model.theta.tobytes()
    assert again[1].param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    assert again[2].steps.tolist() == watch.steps.tolist()
    np.testing.assert_array_equal(again[2].update_ratios["0.bias"], watch.update_ratios["0.bias"])
    np.testing.assert_array_equal(again[2].gradient_norms["0.bias"], watch.gradient_norms["0.bias"])
    np.testing.assert_array_equal(resumed["valid_loss"], whole["valid_loss"])


def test_a_checkpoint_that_stands_first_keeps_what_the_others_do_at_the_same_event(tmp_path):
    def run(epochs, **settings):
        model, optimizer = build()
        halving = optim.ExponentialLR(optimizer, 0.5)
        train(model, optimizer, epochs, callbacks=[Checkpoint(tmp_path / "run"), FollowSchedule(halving)], **settings)
        return halving

    run(2)
    assert run(3, resume=tmp_path / "run").lr == [0.1 * 0.5**3]


def test_the_best_epoch_before_the_pause_comes_back_after_it(tmp_path):
    def run(epochs, **settings):
        model, optimizer = build(lr=0.1)

        def spoil(event, run):  # from epoch 3 on the network gets worse
            if event == "epoch_end" and len(run.history["epoch"]) >= 2:
                run.optimizer.param_groups[0]["lr"] = 0.9

        train(model, optimizer, epochs, callbacks=[EarlyStopping(9), Checkpoint(tmp_path / "run"), spoil], **settings)
        return model

    whole, _ = run(5), run(3)
    assert run(5, resume=tmp_path / "run").theta.tobytes() == whole.theta.tobytes()


def test_other_callbacks_are_refused_and_nothing_changes(tmp_path):
    model, optimizer = build()
    train(model, optimizer, callbacks=[GradientWatch(), Checkpoint(tmp_path / "run")])
    other, its_optimizer = build(seed=5)
    before = other.theta.copy()
    with pytest.raises(DataError, match=r"holds the state of the callbacks \['GradientWatch'\]\. Expected \['EarlySto"):
        load(tmp_path / "run", other, its_optimizer, callbacks=[EarlyStopping()])
    np.testing.assert_array_equal(other.theta, before)
    assert load(tmp_path / "run", other).steps == 6  # without callbacks the rest is there
    np.testing.assert_array_equal(other.theta, model.theta)


def test_a_callback_that_cannot_take_its_state_takes_everything_back(tmp_path):
    model, optimizer = build()
    train(model, optimizer, callbacks=[Fragile(), Checkpoint(tmp_path / "run")])
    other, its_optimizer = build(seed=5)
    before = other.theta.copy()
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path / "run", other, its_optimizer, callbacks=[Fragile(breaks=True)])
    np.testing.assert_array_equal(other.theta, before)


class Fragile:
    def __init__(self, *, breaks=False):
        self.breaks = breaks

    def __call__(self, event, run):
        pass

    def state_dict(self):
        return {"breaks": False}

    def load_state_dict(self, state):
        if self.breaks:
            self.breaks = False
            raise KeyError("state")


# ---------------------------------------------------------------- losses and metrics that do not fit


@pytest.mark.parametrize(
    "loss", [lambda p, y: 1.0, lambda p, y: None, lambda p, y: np.mean((p.data - y) ** 2), lambda p, y: float(p.sum())]
)
def test_a_loss_that_is_no_tensor_is_refused_in_words(loss):
    with pytest.raises(DataError, match=r"fit: the loss gave a \w+, and Backward has no way.*without \.data"):
        train(*build(), loss=loss)


def test_metrics_that_do_not_fit_are_refused_in_words():
    def loss(model, X, y):
        return 1.0

    cases = [
        ([lambda m, x, y: None], "fit: the metric <lambda> gave a NoneType. Expected one number."),
        ([lambda m, x, y: 1.0, lambda m, x, y: 2.0], "two columns would be called valid_<lambda>"),
        ([loss], "two columns would be called valid_loss"),
    ]
    for metrics, words in cases:
        with pytest.raises(DataError) as caught:
            train(*build(), metrics=metrics)
        assert words in str(caught.value)
