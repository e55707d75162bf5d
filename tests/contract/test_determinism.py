"""The same seed gives the same bytes in every process, and no step touches NumPy's global generator.

The work is done by children of this process, in which this file is a module like any other: three with another seed of
Python's hashes and another order of imports each, two with another number of BLAS threads each.
"""

import hashlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bplib import data, losses, nn, optim
from bplib.tensors import tensor
from bplib.training import FollowSchedule, fit

ROOT = Path(__file__).resolve().parents[2]
STEPS = 1000


def digest(*values: Any) -> str:
    """Give the SHA-256 of the bytes, shapes and types of arrays, which must be finite."""
    found = hashlib.sha256()
    for array in map(np.asarray, values):
        assert np.isfinite(array).all()
        found.update(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes())
    return found.hexdigest()


def kept(model: nn.Module) -> str:
    """Give the digest of all parameters and buffers, and of the order in which they are named."""
    state = model.state_dict()
    return hashlib.sha256(f"{list(state)} {digest(*state.values())}".encode()).hexdigest()


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape)


def learn(parameters: Any, optimizer: optim.Optimizer, loss: Callable[[int], Any], steps: int = STEPS) -> list[float]:
    """Take steps, and give the loss before each."""
    seen = []
    for step in range(steps):
        value = loss(step)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        seen.append(value.item())
    return seen


# ------------------------------------------------------------------------------------------------ what a seed decides

OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.05),
    "SGD, momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "SGD, nesterov, decay": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "AdaGrad": lambda p: optim.AdaGrad(p, lr=0.05),
    "RMSProp": lambda p: optim.RMSProp(p, lr=1e-3),
    "RMSProp, momentum": lambda p: optim.RMSProp(p, lr=1e-3, alpha=0.95, momentum=0.9),
    "AdaDelta": lambda p: optim.AdaDelta(p),
    "AdaDelta, rho": lambda p: optim.AdaDelta(p, lr=0.5, rho=0.95, eps=1e-4),
    "Adam": lambda p: optim.Adam(p),
    "Adam, amsgrad, decay": lambda p: optim.Adam(p, amsgrad=True, weight_decay=1e-3),
    "Adam, uncorrected": lambda p: optim.Adam(p, betas=(0.8, 0.95), bias_correction=False),
    "AdamW": lambda p: optim.AdamW(p),
    "AdamW, amsgrad": lambda p: optim.AdamW(p, weight_decay=0.1, amsgrad=True),
    "NAdam": lambda p: optim.NAdam(p),
    "NAdam, decay": lambda p: optim.NAdam(p, weight_decay=1e-3, momentum_decay=0.05),
}


def with_optimizer(make: Callable[[Any], optim.Optimizer]) -> str:
    model = nn.Sequential(nn.Linear(2, 4, rng=7), nn.Tanh(), nn.Linear(4, 1, rng=8))
    X, Y = numbers(6, 2), numbers(6, 1)
    learn(model, make(model.parameters()), lambda step: losses.mse(model(X), Y))
    return kept(model)


def with_separate_tensors() -> str:
    rng = np.random.default_rng(7)
    w, b = (tensor(rng.normal(size=shape), requires_grad=True) for shape in ((2, 3), (3,)))
    optimizer = optim.Adam([{"params": [w], "lr": 0.01}, {"params": [b]}])
    X = numbers(6, 2)
    learn((w, b), optimizer, lambda step: losses.mse(X @ w + b, X[:, :1] * [[1.0, 2.0, 3.0]]))
    return digest(w.data, b.data)


def with_dropout_and_normalisation() -> str:
    rng = np.random.default_rng(7)
    model = nn.Sequential(
        nn.Linear(3, 8, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=rng), nn.LayerNorm(8),
        nn.Linear(8, 2, rng=rng),
    )  # fmt: skip
    X, classes = numbers(10, 3), np.arange(10) % 2
    learn(model, optim.Adam(model.parameters()), lambda step: losses.cross_entropy(model(X), classes))
    return kept(model)


def with_images() -> str:
    rng = np.random.default_rng(7)
    first, last = nn.Conv2d(1, 2, 3, padding=1, rng=rng), nn.Linear(8, 2, rng=rng)
    model = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last).astype(np.float32)
    X, classes = numbers(4, 1, 4, 4).astype(np.float32), np.array([0, 1, 1, 0])
    learn(model, optim.SGD(model.parameters(), lr=0.02), lambda step: losses.cross_entropy(model(X), classes))
    return kept(model)


def with_fit(seed: int) -> str:
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Dropout(0.2, rng=0), nn.Linear(4, 1, rng=1))
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    falling = FollowSchedule(optim.CosineAnnealingLR(optimizer, STEPS // 5))
    X, Y = numbers(40, 2), numbers(40, 1)
    history = fit(model, losses.mse, optimizer, (X, Y), (X[:5], Y[:5]), epochs=STEPS // 5, batch_size=8, rng=seed,
                  callbacks=[falling], progress=False)  # fmt: skip
    assert history.steps == STEPS
    return kept(model) + digest(history["train_loss"], history["valid_loss"])


def passes_of_a_loader(seed: int) -> list[np.ndarray]:
    loader = data.DataLoader(np.arange(20), np.arange(20), batch_size=6, rng=seed)
    return [y for _ in range(3) for _, y in loader]


CLASSES = np.arange(40) % 4
SEEDED: dict[str, Callable[[int], Any]] = {
    "DataLoader": passes_of_a_loader,
    "load_digits": lambda seed: data.load_digits(rng=seed),
    "make_circles": lambda seed: data.make_circles(30, rng=seed),
    "make_line": lambda seed: data.make_line(rng=seed),
    "make_moons": lambda seed: data.make_moons(30, rng=seed),
    "make_polynomial": lambda seed: data.make_polynomial(rng=seed),
    "make_spirals": lambda seed: data.make_spirals(30, rng=seed),
    "sparse_text": lambda seed: data.sparse_text(rng=seed),
    "train_test_split": lambda seed: data.train_test_split(numbers(40, 2), CLASSES, rng=seed),
    "train_valid_test_split": lambda seed: data.train_valid_test_split(numbers(40, 2), CLASSES, rng=seed),
}
NOT_STRATIFIED: dict[str, Callable[[int], Any]] = {
    "train_test_split, not stratified": lambda seed: data.train_test_split(numbers(40, 2), numbers(40), rng=seed),
    "train_valid_test_split, not stratified": lambda seed: data.train_valid_test_split(
        numbers(40, 2), numbers(40), rng=seed
    ),
}
DRAWING = [name for name in nn.init.__all__ if "rng" in inspect.signature(getattr(nn.init, name)).parameters]


def initialised(name: str, seed: int) -> np.ndarray:
    weight = tensor(np.zeros((5, 4)), requires_grad=True)
    getattr(nn.init, name)(weight, rng=seed)
    return weight.data


def digests() -> Iterator[tuple[str, str]]:
    """Give the name and the digest of everything that a seed decides."""
    for name, make in OPTIMIZERS.items():
        yield name, with_optimizer(make)
    for work in (with_separate_tensors, with_dropout_and_normalisation, with_images):
        yield work.__name__, work()
    for seed in (7, 8):
        yield f"with_fit, seed {seed}", with_fit(seed)
        for name, make in {**SEEDED, **NOT_STRATIFIED}.items():
            yield f"{name}, seed {seed}", digest(*make(seed))
        for name in DRAWING:
            yield f"{name}, seed {seed}", digest(initialised(name, seed))
    for name, give in {"xor": data.xor, "symmetry": data.symmetry}.items():
        yield name, digest(*give())
    yield "block_split", digest(*data.block_split(numbers(40, 2), CLASSES))


# ------------------------------------------------------------------------------------------------ short runs


def layers_of_neurons() -> list[float]:
    """A network whose products are large enough for OpenBLAS to share them among its threads."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 200, rng=rng), nn.Tanh(), nn.Linear(200, 10, rng=rng))
    X, classes = numbers(300, 64), np.arange(300) % 10
    return learn(model, optim.Adam(model.parameters()), lambda step: losses.cross_entropy(model(X), classes), 8)


def one_layer_of_many_rows() -> list[float]:
    """Long sums: products of a matrix with one column, which threads may add up in another order."""
    model = nn.Linear(500, 1, rng=0)
    X, Y = numbers(4000, 500), numbers(4000, 1)
    return learn(model, optim.SGD(model.parameters(), lr=0.1), lambda step: losses.mse(model(X), Y), 8)


def convolutions() -> list[float]:
    rng = np.random.default_rng(0)
    first, last = nn.Conv2d(1, 8, 3, padding=1, rng=rng), nn.Linear(128, 10, rng=rng)
    model = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), last)
    X, classes = numbers(64, 1, 8, 8), np.arange(64) % 10
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return learn(model, optimizer, lambda step: losses.cross_entropy(model(X), classes), 8)


def short_fit() -> list[float]:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 128, rng=rng), nn.ReLU(), nn.Dropout(0.2, rng=rng), nn.Linear(128, 10, rng=rng))
    digits = data.load_digits()
    history = fit(model, losses.cross_entropy, optim.AdamW(model.parameters()), digits.train, digits.test, epochs=1,
                  batch_size=200, rng=0, progress=False)  # fmt: skip
    return [*history["train_loss"], *history["valid_loss"]]


def short_runs() -> Iterator[tuple[str, list[float]]]:
    """Give the losses of runs of a few steps: in a long one the last digit grows until it is the first."""
    for run in (layers_of_neurons, one_layer_of_many_rows, convolutions, short_fit):
        yield run.__name__, run()


# ------------------------------------------------------------------------------------------------ the children

# NumPy comes first everywhere: its generator is watched from then on, while the library is imported too, and its BLAS
# starts its threads at once.
CHILD = """
import json, os, random, sys
import numpy as np
generator, pythons = np.random.get_state(), random.getstate()
threads = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else None
{order}
from tests.contract import test_determinism
found = dict(getattr(test_determinism, {work!r})())
now = np.random.get_state()
untouched = generator[2:] == now[2:] and bool((generator[1] == now[1]).all()) and pythons == random.getstate()
modules = [name for name in sys.modules if name.startswith("bplib.")]
about = {{"untouched": untouched, "hash": hash("bplib"), "modules": modules, "threads": threads}}
print(json.dumps({{"found": found, **about}}))
"""
# `import bplib` decides the order of all that lies below it; a bare package in its place leaves it open.
BARE = """
import importlib.util
sys.modules["bplib"] = importlib.util.module_from_spec(importlib.util.find_spec("bplib"))
import bplib.data, bplib.references, bplib.optim, bplib.landscape, bplib.training, bplib.losses
"""
ORDERS = {
    "0": "import bplib",
    "1": "import bplib.lessons, matplotlib.pyplot",
    "2718": BARE,
}


def child(work: str, order: str = "import bplib", **variables: str) -> dict[str, Any]:
    """Run a function of this file in a process of its own, and give what that says."""
    code = CHILD.format(order=order, work=work)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def processes() -> list[dict[str, Any]]:
    return [child("digests", order, PYTHONHASHSEED=seed) for seed, order in ORDERS.items()]


@pytest.fixture(scope="module")
def by_threads() -> list[dict[str, Any]]:
    # Other builds of NumPy bring another BLAS.
    names = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"
    return [child("short_runs", **dict.fromkeys(names, number)) for number in ("1", "2")]


def test_the_processes_differ_in_what_must_not_matter(processes: list[dict[str, Any]]) -> None:
    assert len({one["hash"] for one in processes}) == len(ORDERS)
    assert len({tuple(one["modules"]) for one in processes}) == len(ORDERS)


def test_the_same_seed_gives_the_same_bytes_in_every_process(processes: list[dict[str, Any]]) -> None:
    first, *others = (one["found"] for one in processes)
    for other in others:
        assert {name for name in first if first[name] != other[name]} == set()
        assert list(other) == list(first)


def test_no_two_things_have_the_same_bytes(processes: list[dict[str, Any]]) -> None:
    """Another seed gives others, and so does every optimizer and every option."""
    found = processes[0]["found"]
    assert len(set(found.values())) == len(found)


def test_everything_that_takes_a_seed_is_here() -> None:
    public = {name: getattr(data, name) for name in data.__all__}
    assert {name for name, made in public.items() if "rng" in inspect.signature(made).parameters} == set(SEEDED)
    classes = {getattr(optim, name) for name in optim.__all__} - {optim.Optimizer}
    made = {type(make([tensor([1.0], requires_grad=True)])) for make in OPTIMIZERS.values()}
    assert made == {one for one in classes if inspect.isclass(one) and issubclass(one, optim.Optimizer)}


@pytest.mark.skipif(sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="two cores, and a way to count")
def test_the_second_thread_is_there(by_threads: list[dict[str, Any]]) -> None:
    assert [process["threads"] for process in by_threads] == [1, 2]


def test_one_and_two_threads_agree_to_twelve_digits(by_threads: list[dict[str, Any]]) -> None:
    one, two = (process["found"] for process in by_threads)
    assert list(one) == list(two)
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-12, atol=0, err_msg=name)


def test_one_and_two_threads_print_the_same(by_threads: list[dict[str, Any]]) -> None:
    texts = [
        [f"{name} {loss:.6g}" for name, seen in process["found"].items() for loss in seen] for process in by_threads
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 26


def test_the_global_random_state_is_never_touched(
    processes: list[dict[str, Any]], by_threads: list[dict[str, Any]]
) -> None:
    """NumPy's and Python's own; the children watch both from before the library is imported until the end."""
    assert all(process["untouched"] for process in [*processes, *by_threads])
