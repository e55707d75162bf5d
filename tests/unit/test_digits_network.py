"""Real work: handwritten digits, with a convolutional network and with two layers of neurons."""

import numpy as np

from bplib import losses, nn, optim
from bplib.data import load_digits
from bplib.training import accuracy, fit


def test_a_convolutional_network_reads_98_of_100_digits():
    digits = load_digits()
    train, test = (part.reshape(-1, 1, 8, 8).astype(np.float32) for part in (digits.X_train, digits.X_test))
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, rng=rng), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.3, rng=rng), nn.Linear(512, 64, rng=rng), nn.ReLU(),
        nn.Dropout(0.3, rng=rng), nn.Linear(64, 10, rng=rng),
    ).astype(np.float32)  # fmt: skip
    epochs, rate = 40, 2e-3
    optimizer = optim.Adam(model.parameters(), lr=rate)

    def anneal(event, run):
        if event == "epoch_end":
            done = len(run.history["epoch"]) / epochs
            run.optimizer.param_groups[0]["lr"] = rate * (1 + np.cos(np.pi * done)) / 2

    fit(model, losses.cross_entropy, optimizer, (train, digits.y_train), epochs=epochs, rng=0, callbacks=[anneal],
        progress=False)  # fmt: skip
    assert accuracy(model, test, digits.y_test) >= 0.98


def test_two_layers_of_neurons_read_97_of_100_digits():
    digits = load_digits()
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 128, rng=rng), nn.ReLU(), nn.Linear(128, 10, rng=rng))
    nn.init.kaiming_uniform_(model[0].weight, rng=rng)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    fit(model, losses.cross_entropy, optimizer, (digits.X_train, digits.y_train), epochs=20, rng=0, progress=False)
    assert accuracy(model, digits.X_test, digits.y_test) >= 0.97
