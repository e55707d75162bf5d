"""Choose the networks of tests/unit/test_digits_network.py without a look at the digits that judge them.

Run ``python scripts/choose_digits_network.py``: it prints two tables after some minutes and writes nothing.

The quarter of `load_digits()` that is held out is never used here. Each setting learns from three quarters of what is
left and is judged on the last quarter of it, the validation part, for three ways to divide it. The setting with the
highest mean is chosen; of equal ones, the one that stands earlier in its list. Only that one is then shown the held-out
quarter, by the test.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib import losses, nn, optim
from bplib.data import load_digits, train_test_split
from bplib.training import FollowSchedule, accuracy, fit

SPLITS = (0, 1, 2)


@dataclass(frozen=True)
class Convolutional:
    """Two convolutions, a pooling, and two layers of neurons with dropout before each; Adam."""

    channels: tuple[int, int]
    dropout: float
    lr: float
    epochs: int

    def network(self, rng: np.random.Generator) -> nn.Module:
        """Give the network with its first parameters."""
        first, second = self.channels
        layers = [
            nn.Conv2d(1, first, 3, padding=1, rng=rng), nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(self.dropout, rng=rng), nn.Linear(16 * second, 64, rng=rng), nn.ReLU(),
            nn.Dropout(self.dropout, rng=rng), nn.Linear(64, 10, rng=rng),
        ]  # fmt: skip
        return nn.Sequential(*layers).astype(np.float32)

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        """Give what updates the network."""
        return optim.Adam(model.parameters(), lr=self.lr)

    def shaped(self, X: np.ndarray) -> np.ndarray:
        """Give the rows as images."""
        return X.reshape(-1, 1, 8, 8).astype(np.float32)


@dataclass(frozen=True)
class TwoLayers:
    """Two layers of neurons with dropout between them; SGD with momentum."""

    hidden: int
    dropout: float
    lr: float
    epochs: int

    def network(self, rng: np.random.Generator) -> nn.Module:
        """Give the network with its first parameters."""
        first = nn.Linear(64, self.hidden, rng=rng)
        nn.init.kaiming_uniform_(first.weight, rng=rng)
        return nn.Sequential(first, nn.ReLU(), nn.Dropout(self.dropout, rng=rng), nn.Linear(self.hidden, 10, rng=rng))

    def optimizer(self, model: nn.Module) -> optim.Optimizer:
        """Give what updates the network."""
        return optim.SGD(model.parameters(), lr=self.lr, momentum=0.9)

    def shaped(self, X: np.ndarray) -> np.ndarray:
        """Give the rows as they are."""
        return X


Setting = Convolutional | TwoLayers

CONVOLUTIONAL = (
    Convolutional((8, 16), 0.3, 2e-3, 30),
    Convolutional((8, 16), 0.3, 4e-3, 30),
    Convolutional((8, 16), 0.3, 4e-3, 60),
    Convolutional((8, 16), 0.5, 4e-3, 60),
    Convolutional((16, 32), 0.3, 2e-3, 30),
    Convolutional((16, 32), 0.3, 4e-3, 30),
    Convolutional((16, 32), 0.5, 4e-3, 30),
    Convolutional((16, 32), 0.5, 4e-3, 60),
)
TWO_LAYERS = (
    TwoLayers(64, 0.0, 0.1, 20),
    TwoLayers(64, 0.2, 0.1, 40),
    TwoLayers(128, 0.0, 0.05, 20),
    TwoLayers(128, 0.0, 0.1, 20),
    TwoLayers(128, 0.2, 0.1, 40),
    TwoLayers(256, 0.0, 0.1, 40),
    TwoLayers(256, 0.2, 0.1, 40),
    TwoLayers(256, 0.5, 0.1, 40),
)


def trained(setting: Setting, X: np.ndarray, y: np.ndarray, seed: int) -> nn.Module:
    """Give a network of this setting that has learned from the examples; the seed decides all that is drawn."""
    rng = np.random.default_rng(seed)
    model = setting.network(rng)
    optimizer = setting.optimizer(model)
    falling = FollowSchedule(optim.CosineAnnealingLR(optimizer, setting.epochs))
    fit(model, losses.cross_entropy, optimizer, (setting.shaped(X), y), epochs=setting.epochs, rng=rng,
        callbacks=[falling], progress=False)  # fmt: skip
    return model


def judged(setting: Setting, model: nn.Module, X: np.ndarray, y: np.ndarray) -> float:
    """Give the share of the examples that the network reads correctly."""
    return accuracy(model, setting.shaped(X), y)


def validated(setting: Setting, X: np.ndarray, y: np.ndarray) -> tuple[list[float], float]:
    """Give the accuracy on each validation part, and the seconds that one training takes."""
    shares, began = [], time.perf_counter()
    for split in SPLITS:
        X_train, X_valid, y_train, y_valid = train_test_split(X, y, rng=split)
        shares.append(judged(setting, trained(setting, X_train, y_train, split), X_valid, y_valid))
    return shares, (time.perf_counter() - began) / len(SPLITS)


def table(settings: tuple[Any, ...], X: np.ndarray, y: np.ndarray) -> list[str]:
    """Give one line a setting, the chosen one first."""
    found = [(setting, *validated(setting, X, y)) for setting in settings]
    found.sort(key=lambda row: -round(float(np.mean(row[1])), 6))
    return [
        f"{np.mean(shares):8.2%}   {' '.join(f'{share:.2%}' for share in shares)}   {seconds:5.1f} s   {setting}"
        for setting, shares, seconds in found
    ]


if __name__ == "__main__":
    for settings in (TWO_LAYERS, CONVOLUTIONAL):
        print("    mean   on the validation parts  a training  setting", flush=True)
        print(*table(settings, *load_digits().train), sep="\n", flush=True)
