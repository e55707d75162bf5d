"""The same training step in many hands: NumPy, the library in four ways, and other libraries where they are installed.

Every maker takes a `Job` and gives a step, which trains once and returns the loss, and a function that gives the
parameters, so that all of them can be held against each other before anybody looks at the clock.
"""

import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from by_hand import loss_plane, split, training_step
from numpy.typing import NDArray

import bplib
from bplib import landscape, losses, nn, optim

__all__ = ["JOBS", "OTHERS", "OWN", "Job", "Made", "installed", "planes"]

Array = NDArray[Any]
Made = tuple[Callable[[], float], Callable[[], list[Array]]]
LR = 1e-3


@dataclass(frozen=True)
class Job:
    """A network, its data and the method: what a step works on."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    classify: bool
    dtype: str = "float64"
    adam: bool = False

    def data(self) -> tuple[Array, Array, list[Array]]:
        """Give x, the target, and weights and biases in turn."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.batch, self.sizes[0])).astype(self.dtype)
        if self.classify:
            y: Array = rng.integers(self.sizes[-1], size=self.batch)
        else:
            y = rng.standard_normal((self.batch, self.sizes[-1])).astype(self.dtype)
        pairs = itertools.pairwise(self.sizes)
        shapes = [shape for a, b in pairs for shape in ((a, b), (b,))]
        return x, y, [(rng.uniform(-1, 1, s) / np.sqrt(s[0])).astype(self.dtype) for s in shapes]


JOBS = {
    "tiny": Job("tiny", (2, 16, 16, 1), 100, classify=False),
    "medium": Job("medium", (64, 128, 64, 10), 128, classify=True),
    "large": Job("large", (784, 512, 256, 10), 256, classify=True),
}


def by_hand(job: Job) -> Made:
    """Every buffer made beforehand: the yardstick."""
    x, y, parameters = job.data()
    step, values = training_step(parameters, x, y, LR, classify=job.classify, adam=job.adam)
    return step, lambda: values


def textbook(job: Job) -> Made:
    """NumPy as a textbook has it: a new array for every line, the update parameter by parameter."""
    x, y, parameters = job.data()
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    rows, count = np.arange(job.batch), itertools.count(1)

    def step() -> float:
        outputs = [x]
        for i in range(0, len(parameters), 2):
            z = outputs[-1] @ parameters[i] + parameters[i + 1]
            last = i == len(parameters) - 2
            outputs.append(z if last else np.maximum(z, 0) if job.classify else np.tanh(z))
        if job.classify:
            grown = np.exp(outputs[-1] - outputs[-1].max(axis=1, keepdims=True))
            p = grown / grown.sum(axis=1, keepdims=True)
            loss = -np.log(p[rows, y]).mean()
            p[rows, y] -= 1
            delta = p / job.batch
        else:
            error = outputs[-1] - y
            loss = (error**2).mean()
            delta = 2 * error / error.size
        t = next(count)
        for i in range(len(parameters) - 2, -1, -2):
            below = outputs[i // 2]
            grads = below.T @ delta, delta.sum(axis=0)
            if i:
                delta = delta @ parameters[i].T * ((below > 0) if job.classify else (1 - below**2))
            for k, g in zip((i, i + 1), grads, strict=True):
                update(k, g, t)
        return float(loss)

    def update(k: int, g: Array, t: int) -> None:
        if not job.adam:
            parameters[k] -= LR * g
            return
        m, v = moments[k]
        m[...] = 0.9 * m + 0.1 * g
        v[...] = 0.999 * v + 0.001 * g**2
        parameters[k] -= LR * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    return step, lambda: parameters


def _library(job: Job) -> tuple[Any, Any, Any, Any, Array, list[Any]]:
    x, y, parameters = job.data()
    layers = [nn.Linear(a, b, rng=0) for a, b in itertools.pairwise(job.sizes)]
    for layer, weight, bias in zip(layers, parameters[::2], parameters[1::2], strict=True):
        layer.weight.assign(weight)
        layer.bias.assign(bias)
    between = nn.ReLU if job.classify else nn.Tanh
    model = nn.Sequential(*[part for layer in layers for part in (layer, between())][:-1]).astype(job.dtype)
    optimizer = optim.Adam(model.parameters(), lr=LR) if job.adam else optim.SGD(model.parameters(), lr=LR)
    loss_of = losses.cross_entropy if job.classify else losses.mse
    return model, optimizer, loss_of, bplib.tensor(x), y, layers


def library(job: Job) -> Made:
    """The library as its users write it: `nn.Sequential`, a loss, an optimizer, every check on."""
    model, optimizer, loss_of, x, y, _ = _library(job)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step, lambda: [p.data for p in model.parameters()]


def unfused(job: Job) -> Made:
    """The library with elementary operations only, as the lessons write a network."""
    model, optimizer, _, x, y, layers = _library(job)
    activation = bplib.relu if job.classify else bplib.tanh
    rows = np.arange(job.batch)

    def step() -> float:
        optimizer.zero_grad()
        h = x
        for i, layer in enumerate(layers):
            h = h @ layer.weight + layer.bias
            if i < len(layers) - 1:
                h = activation(h)
        if job.classify:
            loss = -bplib.log_softmax(h)[rows, y].mean()
        else:
            error = h - y
            loss = (error * error).mean()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step, lambda: [p.data for p in model.parameters()]


def replayed(job: Job) -> Made:
    """The library, one step recorded and repeated."""
    model, optimizer, loss_of, x, y, _ = _library(job)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return bplib.replay(step), lambda: [p.data for p in model.parameters()]


def mygrad(job: Job) -> Made:
    """MyGrad with its memory guard, as it comes."""
    import mygrad as mg
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    x, y, parameters = job.data()
    tensors = [mg.tensor(p) for p in parameters]

    def step() -> float:
        h = x
        for i in range(0, len(tensors), 2):
            h = h @ tensors[i] + tensors[i + 1]
            if i < len(tensors) - 2:
                h = relu(h) if job.classify else mg.tanh(h)
        loss = softmax_crossentropy(h, y) if job.classify else mg.mean((h - y) ** 2)
        loss.backward()
        for t in tensors:
            t.data -= np.asarray(LR, job.dtype) * t.grad
        return float(loss.item())

    return step, lambda: [t.data for t in tensors]


def autograd(job: Job) -> Made:
    """HIPS autograd, which traces the loss function anew at every step."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    x, y, parameters = job.data()
    rows = np.arange(job.batch)

    def loss_of(parameters: list[Array]) -> Any:
        h = x
        for i in range(0, len(parameters), 2):
            h = anp.dot(h, parameters[i]) + parameters[i + 1]
            if i < len(parameters) - 2:
                h = anp.maximum(h, 0.0) if job.classify else anp.tanh(h)
        if not job.classify:
            return anp.mean((h - y) ** 2)
        shifted = h - anp.max(h, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(shifted), axis=1)) - shifted[rows, y])

    loss_and_gradients = value_and_grad(loss_of)

    def step() -> float:
        loss, gradients = loss_and_gradients(parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= LR * gradient
        return float(loss)

    return step, lambda: parameters


def torch(job: Job) -> Made:
    """PyTorch on one thread."""
    import torch as pt

    pt.set_num_threads(1)
    x, y, parameters = job.data()
    parts: list[Any] = []
    for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
        linear = pt.nn.Linear(*weight.shape, dtype=getattr(pt, job.dtype))
        with pt.no_grad():
            linear.weight.copy_(pt.from_numpy(weight.T.copy()))
            linear.bias.copy_(pt.from_numpy(bias))
        parts += [linear, pt.nn.ReLU() if job.classify else pt.nn.Tanh()]
    model = pt.nn.Sequential(*parts[:-1])
    loss_of = pt.nn.functional.cross_entropy if job.classify else pt.nn.functional.mse_loss
    optimizer = (pt.optim.Adam if job.adam else pt.optim.SGD)(model.parameters(), lr=LR)
    inputs, target = pt.from_numpy(x), pt.from_numpy(y)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(inputs), target)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step, lambda: [p.detach().numpy().T for p in model.parameters()]


def planes(job: Job, points: int) -> dict[str, Callable[[], Array]]:
    """Give ways to compute the loss on a plane through θ: by hand, with a loss the library knows, with a user's own."""
    model, _, _, _, y, _ = _library(job)
    x, _, parameters = job.data()
    u, v = np.random.default_rng(1).standard_normal((2, model.theta.size))
    shapes = [p.shape for p in parameters]
    directions = split(u, shapes), split(v, shapes)

    def library(loss: Callable[..., Any]) -> Array:
        return landscape.slice_2d(model, loss, (x, y), (u, v), n=points, progress=False).losses

    return {
        "by hand": lambda: loss_plane(parameters, directions, x, y, np.linspace(-1.0, 1.0, points)),
        "bplib": lambda: library(losses.mse),
        "own loss": lambda: library(lambda prediction, target: losses.mse(prediction, target)),
    }


def installed(name: str) -> bool:
    """Say whether a package could be imported."""
    return importlib.util.find_spec(name) is not None


OWN: dict[str, Callable[[Job], Made]] = {
    "by hand": by_hand,
    "textbook": textbook,
    "bplib": library,
    "unfused": unfused,
    "replay": replayed,
}
OTHERS: dict[str, Callable[[Job], Made]] = {
    **({"MyGrad": mygrad} if installed("mygrad") else {}),
    **({"autograd": autograd} if installed("autograd") else {}),
    **({"PyTorch": torch} if installed("torch") else {}),
}
