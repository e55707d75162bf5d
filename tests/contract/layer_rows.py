"""One row for every layer and activation: how it is made, what it is given, and what is special about it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bplib import nn

Array = np.ndarray
RNG = np.random.default_rng(11)
X, IMAGES = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2, 5, 5))
FINITE, INFINITE, NO_NUMBER, HIDDEN = "finite", "infinite", "NaN", "finite, but a layer inside was not"
SAME, REFUSED, OTHER = "the same", "Sh", "something else"


@dataclass(frozen=True)
class Layer:
    """One layer with some settings, and what is true of it alone.

    `shown` is the first line of its repr, and `speaks` whom a refused shape names. `empty` is the shape of the result
    for no example, or the letters of an error. `number`, `no_batch` and `one` say what becomes of a single number, of
    an example that is no batch, and of a batch of one. `at` says what one −∞ and one +∞ become. An example with
    `company` depends on the others of its batch; a layer that `acts` does something else in training; one that `draws`
    gives other numbers each time; and what `passes` is the very array that came in, without an operation.
    """

    kind: type[nn.Module]
    shown: str
    settings: dict[str, Any] = field(default_factory=dict)
    x: Array = field(default_factory=lambda: X)
    empty: Any = (0, 3)
    speaks: str = ""
    number: str = REFUSED
    no_batch: str = SAME
    at: tuple[str, str] = (INFINITE, INFINITE)
    parts: Callable[[], tuple[nn.Module, ...]] = tuple
    training: bool = True
    company: bool = False
    acts: bool = False
    draws: bool = False
    passes: bool = False
    one: str = SAME

    def __call__(self, **changed: Any) -> Any:
        return self.kind(*self.parts(), **{**self.settings, **changed}).train(self.training)

    def names(self) -> list[str]:
        """The settings that its class takes, in order."""
        return list(inspect.signature(self.kind).parameters)


def network() -> tuple[nn.Module, ...]:
    return nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1)


def everything() -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(2, 3, 2, rng=0), nn.LeakyReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LayerNorm(12),
        nn.Linear(12, 4, rng=1), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.3, rng=2), nn.Linear(4, 3, rng=3),
        nn.Sigmoid(), nn.Softmax(),
    )  # fmt: skip


NETWORK = "Sequential(Linear(3, 4, bias=True), Tanh(), Linear(4, 2, bias=True)), 26 parameters"
EVERYTHING = (
    "Sequential(Conv2d(2, 3, (2, 2), stride=(1, 1), padding=(0, 0), bias=True), LeakyReLU(0.01), MaxPool2d((2, 2), "
    "stride=(2, 2)), Flatten(), LayerNorm(12, eps=1e-05), Linear(12, 4, bias=True), BatchNorm1d(4, eps=1e-05, "
    "momentum=0.1), ReLU(), Dropout(0.3), Linear(4, 3, bias=True), Sigmoid(), Softmax(axis=-1)), 126 parameters"
)
LINEAR = {"in_features": 3, "out_features": 2}
CONV = {"in_channels": 2, "out_channels": 3, "kernel_size": 3, "rng": 0}
SLIDING = {**CONV, "kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0), "bias": False}
PICTURES: dict[str, Any] = {"x": IMAGES, "no_batch": REFUSED}
ANY: dict[str, Any] = {"number": SAME}
BATCH = {"no_batch": REFUSED, "speaks": "BatchNorm1d", "acts": True}
LAYERS = {
    "Linear": Layer(nn.Linear, "Linear(3, 2, bias=True), 8 parameters", {**LINEAR, "rng": 0}, empty=(0, 2),
                    speaks="linear"),
    "Linear, no bias": Layer(nn.Linear, "Linear(3, 2, bias=False), 6 parameters", {**LINEAR, "bias": False, "rng": 0},
                             empty=(0, 2), speaks="linear"),
    "Sequential": Layer(nn.Sequential, NETWORK, parts=network, empty=(0, 2), speaks="linear", at=(HIDDEN, HIDDEN)),
    "Sequential, nothing in it": Layer(nn.Sequential, "Sequential(), 0 parameters", passes=True, **ANY),
    "Sequential, all layers": Layer(
        nn.Sequential, EVERYTHING, parts=everything, empty=REFUSED, speaks="conv2d", at=(HIDDEN, NO_NUMBER),
        company=True, acts=True, draws=True, one=REFUSED, **PICTURES,
    ),
    "Sequential, all, evaluated": Layer(
        nn.Sequential, EVERYTHING, parts=everything, training=False, speaks="conv2d", at=(HIDDEN, NO_NUMBER),
        acts=True, **PICTURES,
    ),
    "ReLU": Layer(nn.ReLU, "ReLU(), 0 parameters", at=(FINITE, INFINITE), **ANY),
    "LeakyReLU": Layer(nn.LeakyReLU, "LeakyReLU(0.01), 0 parameters", **ANY),
    "LeakyReLU, slope": Layer(nn.LeakyReLU, "LeakyReLU(0.3), 0 parameters", {"slope": 0.3}, **ANY),
    "Tanh": Layer(nn.Tanh, "Tanh(), 0 parameters", at=(FINITE, FINITE), **ANY),
    "Sigmoid": Layer(nn.Sigmoid, "Sigmoid(), 0 parameters", at=(FINITE, FINITE), **ANY),
    "Softmax": Layer(nn.Softmax, "Softmax(axis=-1), 0 parameters", speaks="softmax", at=(FINITE, NO_NUMBER)),
    "Softmax, axis": Layer(nn.Softmax, "Softmax(axis=0), 0 parameters", {"axis": 0}, speaks="softmax", company=True,
                           at=(FINITE, NO_NUMBER), no_batch=OTHER, one=OTHER),
    "Dropout": Layer(nn.Dropout, "Dropout(0.4), 0 parameters", {"p": 0.4, "rng": 3}, acts=True, draws=True, **ANY),
    "Dropout, evaluated": Layer(nn.Dropout, "Dropout(0.5), 0 parameters", {"rng": 3}, acts=True, training=False,
                                passes=True, **ANY),
    "Dropout, of nothing": Layer(nn.Dropout, "Dropout(0), 0 parameters", {"p": 0.0, "rng": 3}, passes=True, **ANY),
    "BatchNorm1d": Layer(
        nn.BatchNorm1d, "BatchNorm1d(3, eps=1e-05, momentum=0.1), 6 parameters", {"num_features": 3}, empty=REFUSED,
        company=True, at=(NO_NUMBER, NO_NUMBER), one=REFUSED, **BATCH,
    ),
    "BatchNorm1d, evaluated": Layer(
        nn.BatchNorm1d, "BatchNorm1d(3, eps=0.01, momentum=0.5), 6 parameters",
        {"num_features": 3, "eps": 0.01, "momentum": 0.5}, training=False, **BATCH,
    ),
    "LayerNorm": Layer(nn.LayerNorm, "LayerNorm(3, eps=1e-05), 6 parameters", {"num_features": 3}, speaks="LayerNorm",
                       at=(NO_NUMBER, NO_NUMBER)),
    "LayerNorm, eps": Layer(nn.LayerNorm, "LayerNorm(3, eps=0.1), 6 parameters", {"num_features": 3, "eps": 0.1},
                            speaks="LayerNorm", at=(NO_NUMBER, NO_NUMBER)),
    "Flatten": Layer(nn.Flatten, "Flatten(), 0 parameters", x=IMAGES, empty=(0, 50), speaks="Flatten", no_batch=OTHER),
    "Conv2d": Layer(
        nn.Conv2d, "Conv2d(2, 3, (3, 3), stride=(1, 1), padding=(0, 0), bias=True), 57 parameters", CONV,
        empty=(0, 3, 3, 3), speaks="conv2d", **PICTURES,
    ),
    "Conv2d, sliding": Layer(
        nn.Conv2d, "Conv2d(2, 3, (2, 3), stride=(2, 1), padding=(1, 0), bias=False), 36 parameters", SLIDING,
        empty=(0, 3, 3, 3), speaks="conv2d", **PICTURES,
    ),
    "MaxPool2d": Layer(
        nn.MaxPool2d, "MaxPool2d((2, 2), stride=(2, 2)), 0 parameters", {"kernel_size": 2}, empty=(0, 2, 2, 2),
        speaks="max_pool2d", at=(FINITE, INFINITE), **PICTURES,
    ),
    "MaxPool2d, stride": Layer(
        nn.MaxPool2d, "MaxPool2d((3, 2), stride=(1, 2)), 0 parameters", {"kernel_size": (3, 2), "stride": (1, 2)},
        empty=(0, 2, 3, 2), speaks="max_pool2d", at=(FINITE, INFINITE), **PICTURES,
    ),
}  # fmt: skip
KINDS = {row.kind.__name__: row for row in LAYERS.values()}
