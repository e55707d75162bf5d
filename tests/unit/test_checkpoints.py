"""Saving, loading, going on: the same bytes as without the pause, and nothing lost when a file is no good."""

import json
import os
import zipfile

import numpy as np
import pytest

from bplib import losses, nn, optim
from bplib.errors import BplibError, DataError, DomainError, ShapeError
from bplib.training import Checkpoint, EarlyStopping, History, accuracy, fit, load, save

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.random.default_rng(1).integers(0, 3, size=60)

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "AdaGrad": lambda p: optim.AdaGrad(p, lr=0.1),
    "Adam": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
}


def build(make="Adam", seed=0, hidden=6):
    model = nn.Sequential(
        nn.Linear(4, hidden, rng=seed), nn.BatchNorm1d(hidden), nn.Tanh(), nn.Dropout(0.3, rng=seed),
        nn.Linear(hidden, 3, rng=seed + 1),
    )  # fmt: skip
    return model, OPTIMIZERS[make](model.parameters())


def train(model, optimizer, epochs, **settings):
    settings = {"batch_size": 16, "rng": 5, "progress": False, "valid_data": (X[:9], Y[:9]), **settings}
    return fit(model, losses.cross_entropy, optimizer, (X, Y), epochs=epochs, **settings)


def state_of(model):
    return {name: array.tobytes() for name, array in model.state_dict().items()}


# ---------------------------------------------------------------- going on


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(make, tmp_path):
    whole, optimizer = build(make)
    expected = train(whole, optimizer, 6)
    first, optimizer = build(make)
    train(first, optimizer, 3, callbacks=[Checkpoint(tmp_path / "run")])
    # Another start and another seed: everything must come from the file.
    again, optimizer = build(make, seed=77)
    history = train(again, optimizer, 6, rng=99, resume=tmp_path / "run.npz")
    assert state_of(again) == state_of(whole)
    for column in ("epoch", "train_loss", "valid_loss"):
        assert history[column].tolist() == expected[column].tolist()
    assert history.steps == expected.steps == 6 * 4
    assert (np.diff(history["seconds"]) > 0).all()


def test_a_run_that_is_complete_already_changes_nothing(tmp_path):
    model, optimizer = build()
    train(model, optimizer, 2, callbacks=[Checkpoint(tmp_path / "run", every=2)])
    other, optimizer = build(seed=9)
    history = train(other, optimizer, 2, resume=tmp_path / "run.npz")
    assert state_of(other) == state_of(model)
    assert history["epoch"].tolist() == [1, 2]


def test_every_second_epoch_is_kept_and_the_last_state_replaces_the_one_before(tmp_path):
    model, optimizer = build()
    train(model, optimizer, 5, callbacks=[Checkpoint(tmp_path / "run", every=2)])
    assert os.listdir(tmp_path) == ["run.npz"]
    other, other_optimizer = build()
    assert load(tmp_path / "run.npz", other, other_optimizer)["epoch"].tolist() == [1, 2, 3, 4]


def test_a_model_alone_can_be_saved_and_its_file_holds_arrays_and_json_only(tmp_path):
    model, _ = build()
    save(tmp_path / "model.npz", model)
    other, _ = build(seed=3)
    history = load(tmp_path / "model.npz", other)
    assert state_of(other) == state_of(model)
    assert isinstance(history, History)
    assert len(history) == 0
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert json.loads(file["head"].tobytes())["format"] == "bplib checkpoint"
        assert {array.dtype.kind for array in file.values()} == {"f", "u"}


def test_groups_with_settings_of_their_own_come_back_as_they_were(tmp_path):
    def made(seed):
        model = nn.Sequential(nn.Linear(4, 5, rng=seed), nn.Tanh(), nn.Linear(5, 3, rng=seed))
        groups = [{"params": [*model[0].parameters()], "lr": 0.5}, {"params": [*model[2].parameters()]}]
        return model, optim.Adam(groups, lr=0.01, betas=(0.8, 0.95))

    model, optimizer = made(0)
    train(model, optimizer, 2, callbacks=[Checkpoint(tmp_path / "run")])
    other, other_optimizer = made(1)
    train(other, other_optimizer, 4, resume=tmp_path / "run.npz")
    train(model, optimizer, 2, rng=None)
    assert other_optimizer.param_groups[0]["lr"] == 0.5
    assert other_optimizer.param_groups[1]["betas"] == (0.8, 0.95)


# ---------------------------------------------------------------- files that are no good


def damaged(path, how):
    whole = path.read_bytes()
    if how == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "one byte changed":
        path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("not a checkpoint")
    elif how == "an array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif how == "other arrays":
        np.savez(path, a=np.zeros(3))
    elif how == "pickled":
        np.savez(path, head=np.array([{"format": "bplib checkpoint"}], dtype=object))
    elif how == "a zip of something else":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("readme.txt", "hello")
    elif how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "a later version":
        arrays = dict(np.load(path))
        head = json.loads(arrays["head"].tobytes()) | {"version": 3}
        np.savez(path, **(arrays | {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)}))


@pytest.mark.parametrize(
    "how",
    ["truncated", "one byte changed", "empty", "text", "an array", "other arrays", "pickled",
     "a zip of something else", "a folder", "a later version"],
)  # fmt: skip
def test_a_damaged_or_foreign_file_is_refused_by_name_and_nothing_changes(how, tmp_path):
    path = tmp_path / "run.npz"
    model, optimizer = build()
    train(model, optimizer, 1, callbacks=[Checkpoint(path)])
    damaged(path, how)
    before, settings = state_of(model), optimizer.state_dict()
    with pytest.raises(DataError, match=r"^load: .*run\.npz .*Nothing was changed\.") as caught:
        load(path, model, optimizer)
    assert ("version 3" in str(caught.value)) == (how == "a later version")
    assert state_of(model) == before
    assert str(optimizer.state_dict()) == str(settings)


def test_what_belongs_to_another_model_or_optimizer_is_refused_and_nothing_changes(tmp_path):
    path = tmp_path / "run.npz"
    model, optimizer = build()
    train(model, optimizer, 1, callbacks=[Checkpoint(path)])
    wider, wide_optimizer = build(hidden=7)
    line = nn.Linear(4, 3, rng=0)
    same, wrong = build("SGD", seed=4)
    cases = [
        (wider, wide_optimizer, ShapeError, "has shape"),
        (line, None, DataError, "dropout layers"),
        (nn.Sequential(nn.Linear(4, 6, rng=0), nn.Dropout(0.1)), None, DataError, "names do not match"),
        (same, wrong, ShapeError, "SGD: the saved state does not fit"),
    ]
    for target, its_optimizer, error, words in cases:
        before = state_of(target)
        with pytest.raises(error, match=words):
            load(path, target, its_optimizer)
        assert state_of(target) == before


def test_what_was_not_saved_cannot_be_loaded(tmp_path):
    model, optimizer = build()
    save(tmp_path / "m.npz", model)
    with pytest.raises(DataError, match="holds no optimizer"):
        load(tmp_path / "m.npz", model, optimizer)
    with pytest.raises(DataError, match="holds no generator"):
        load(tmp_path / "m.npz", model, rng=np.random.default_rng(0))
    with pytest.raises(DataError, match=r"none\.npz is not there"):
        load(tmp_path / "none", model)


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    model, _ = build()
    save(tmp_path / "m.npz", model)
    old = (tmp_path / "m.npz").read_bytes()
    full = OSError(28, "No space left on device")
    for error, expected in ((full, DataError), (KeyboardInterrupt(), KeyboardInterrupt)):

        def fails(*_, error=error):
            raise error

        monkeypatch.setattr(os, "fsync", fails)
        with pytest.raises(expected) as caught:
            save(tmp_path / "m.npz", model)
        if expected is DataError:
            assert "No space left on device" in str(caught.value)
            assert "unchanged" in str(caught.value)
        assert os.listdir(tmp_path) == ["m.npz"]
        assert (tmp_path / "m.npz").read_bytes() == old
    with pytest.raises(DataError, match=r"cannot be written \(No such file or directory\)"):
        save(tmp_path / "no" / "m.npz", model)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, o: save(3, m), DataError, "save: path is 3"),
        (lambda m, o: save("", m), DataError, "save: path is ''"),
        (lambda m, o: save("x", [m]), DataError, "save: model is of type list"),
        (lambda m, o: save("x", m, "Adam"), DataError, "save: optimizer is of type str"),
        (lambda m, o: load(None, m), DataError, "load: path is None"),
        (lambda m, o: Checkpoint("x", every=0), DomainError, "Checkpoint: every is 0"),
        (lambda m, o: Checkpoint(1.5), DataError, "Checkpoint: path is 1.5"),
        (lambda m, o: EarlyStopping(0), DomainError, "EarlyStopping: patience is 0"),
        (lambda m, o: EarlyStopping(2, -1.0), DomainError, "EarlyStopping: min_delta is -1"),
        (lambda m, o: train(m, o, 2, valid_data=None, callbacks=[EarlyStopping()]), DataError, "no column 'valid_l"),
        (lambda m, o: train(m, o, 2, valid_data=None, metrics=[accuracy]), DataError, "are taken on valid_data"),
        (lambda m, o: train(m, o, 2, metrics=accuracy), DataError, "metrics must be a list"),
        (lambda m, o: train(m, o, 2, metrics=[0.5]), DataError, "metrics holds 0.5"),
        (lambda m, o: train(m, o, 2, callbacks=["stop"]), DataError, "callbacks holds 'stop'"),
        (lambda m, o: train(m, o, 2, resume=7), DataError, "load: path is 7"),
    ],
)
def test_bad_input_is_refused_in_words(call, error, words):
    with pytest.raises(error) as caught:
        call(*build())
    assert isinstance(caught.value, BplibError)
    assert words in str(caught.value)


# ---------------------------------------------------------------- stopping early, and metrics


def follow(values, stopper):
    """Feed a stopper one epoch's validation loss after the other; the weight of each epoch is its number."""
    model = nn.Linear(1, 1, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    turn = iter(enumerate(values, start=1))

    history = fit(
        model, losses.mse, optimizer, ([[0.0]], [[0.0]]), epochs=len(values), progress=False,
        callbacks=[lambda event, run: event == "epoch_end" and script(run, turn), stopper],
    )  # fmt: skip
    return history, float(model.weight.item())


def script(run, turn):
    epoch, value = next(turn)
    run.model.weight.assign([[float(epoch)]])
    run.history._columns["train_loss"][-1] = value


def test_training_ends_after_epochs_without_gain_and_the_best_weights_come_back():
    history, weight = follow([3.0, 2.0, 2.5, 1.0, 1.5, 1.25, 0.5], EarlyStopping(2, column="train_loss"))
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history.stopped == "Stopped by a callback after epoch 6."
    assert weight == 4.0


def test_a_gain_below_min_delta_does_not_count_and_restore_can_be_left_out():
    history, weight = follow([3.0, 2.9, 2.8, 2.7], EarlyStopping(2, 0.5, "train_loss", restore=False))
    assert history["epoch"].tolist() == [1, 2, 3]
    assert weight == 3.0


def test_one_stopper_can_watch_two_runs():
    stopper = EarlyStopping(2, column="train_loss")
    first = follow([1.0, 2.0, 3.0], stopper)
    assert first[1] == 1.0
    assert follow([9.0, 8.0, 7.0], stopper)[1] == 3.0


def test_metrics_become_columns():
    model, optimizer = build()
    history = train(model, optimizer, 2, metrics=[accuracy])
    assert list(history) == ["epoch", "train_loss", "valid_loss", "valid_accuracy", "seconds"]
    assert history["valid_accuracy"][-1] == accuracy(model, X[:9], Y[:9])


# ---------------------------------------------------------------- all or nothing, to the last generator


def everything(model, optimizer, rng):
    generators = [m.rng.bit_generator.state for m in model.modules() if hasattr(m, "rng")]
    return str((state_of(model), optimizer.state_dict(), generators, rng.bit_generator.state))


@pytest.mark.parametrize("which", ["shuffling", "dropout"])
def test_another_kind_of_generator_is_refused_in_words_and_nothing_changes(which, tmp_path):
    model, optimizer = build()
    train(model, optimizer, 1, callbacks=[Checkpoint(tmp_path / "run")])
    other, its_optimizer = build(seed=9)
    its_optimizer.param_groups[0]["lr"] = 0.7
    rng = np.random.default_rng(1)
    if which == "shuffling":
        rng = np.random.Generator(np.random.MT19937(1))
    else:
        other[3].rng = np.random.Generator(np.random.MT19937(1))
    before = everything(other, its_optimizer, rng)
    with pytest.raises(DataError, match=r"load: .*run\.npz holds a generator PCG64, .*MT19937.*Nothing was changed\."):
        load(tmp_path / "run", other, its_optimizer, rng=rng)
    assert everything(other, its_optimizer, rng) == before


def test_a_failure_at_the_last_moment_takes_everything_back(tmp_path):
    model, optimizer = build()
    train(model, optimizer, 1, callbacks=[Checkpoint(tmp_path / "run")])
    path = tmp_path / "run.npz"
    arrays = dict(np.load(path))
    head = json.loads(arrays["head"].tobytes())
    head["rng"]["state"] = None  # the right kind of generator, and no state of it
    np.savez(path, **(arrays | {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)}))
    other, its_optimizer = build(seed=9)
    its_optimizer.param_groups[0]["lr"] = 0.7
    rng = np.random.default_rng(1)
    before = everything(other, its_optimizer, rng)
    with pytest.raises(DataError, match=r"run\.npz is damaged.*Nothing was changed\."):
        load(path, other, its_optimizer, rng=rng)
    assert everything(other, its_optimizer, rng) == before


@pytest.mark.parametrize("part", ["model", "generators", "rng", "optimizer", "history", "callbacks"])
def test_a_file_that_lacks_a_part_is_damaged(part, tmp_path):
    model, optimizer = build()
    train(model, optimizer, 1, callbacks=[Checkpoint(tmp_path / "run")])
    path = tmp_path / "run.npz"
    arrays = dict(np.load(path))
    head = json.loads(arrays["head"].tobytes())
    del head[part]
    np.savez(path, **(arrays | {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)}))
    with pytest.raises(DataError, match=r"run\.npz is damaged"):
        load(path, *build())
