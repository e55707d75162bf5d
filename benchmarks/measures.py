"""What is timed: training steps in many hands, loss surfaces, numbers one at a time, and chains.

Every function gives seconds by engine, one for each round; all engines take turns in short blocks, so that a slow
moment of the machine strikes them all. Before anybody looks at the clock they must come to the same numbers.
"""

import gc
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from by_hand import float_step
from steps import JOBS, OTHERS, OWN, Job, Made, planes

import bplib
from bplib.scalar import Value

__all__ = ["CHAINS", "MEMORY", "SCALAR", "SURFACE", "Disagreement", "Seconds", "jobs", "others_for", "seconds_for"]

Seconds = dict[str, list[float]]
SURFACE, SCALAR, MEMORY = "loss surface", "scalar network", "chain: bytes a node"
CHAINS = {f"chain of {n:,}: µs a node": n for n in (10_000, 100_000, 1_000_000)}


class Disagreement(Exception):
    """Two engines that do not compute the same."""


def jobs() -> Iterator[Job]:
    """Give every training step of the table."""
    for job in JOBS.values():
        for dtype in ("float64", "float32"):
            for adam in (False, True):
                yield replace(job, name=f"{job.name} {'Adam' if adam else 'SGD'} {dtype}", dtype=dtype, adam=adam)


def others_for(name: str) -> list[str]:
    """Give the other libraries that are installed and have what a job needs: two have no optimizers of their own."""
    if name not in {job.name for job in jobs()}:
        return []
    return [other for other in OTHERS if not ("Adam" in name and other in ("MyGrad", "autograd"))]


def seconds_for(name: str, rounds: int, block: float, other: str = "") -> Seconds:
    """Measure one job of the table.

    Parameters
    ----------
    name : str
        A training step, `SURFACE`, `SCALAR`, one of `CHAINS`, or `MEMORY`.
    rounds : int
        How often the engines take turns.
    block : float
        How many seconds each has at a time.
    other : str
        Another library, which is timed alone beside the yardstick: merely to import it changes the times of all.

    Returns
    -------
    dict of str to list of float
        Seconds of one call by engine; of a chain microseconds, or bytes, for each of its nodes.
    """
    if name == SURFACE:
        return surface_seconds(min(rounds, 7))
    if name == SCALAR:
        return scalar_seconds(rounds)
    if name in CHAINS:
        return chain_microseconds(CHAINS[name])
    if name == MEMORY:
        return chain_bytes()
    job = {job.name: job for job in jobs()}[name]
    return training_seconds(job, engines_for(job, other), rounds, block)


def engines_for(job: Job, other: str = "") -> dict[str, Made]:
    """Make NumPy's and the library's engines for a job, or the yardstick and another library's; the yardstick first."""
    makers = {"by hand": OWN["by hand"], other: OTHERS[other]} if other else OWN
    return {name: make(job) for name, make in makers.items()}


def hold_together(job: Job, engines: dict[str, Made]) -> None:
    """Take three steps with each; losses and parameters must agree before anybody looks at the clock."""
    tolerance = 1e-9 if job.dtype == "float64" else 2e-3
    step, parameters = engines["by hand"]
    wanted = [step() for _ in range(3)]
    for name, (other, theirs) in engines.items():
        found = wanted if name == "by hand" else [other() for _ in range(3)]
        if not np.allclose(found, wanted, rtol=tolerance):
            raise Disagreement(f"{job.name}: the losses of {name} are {found}, by hand {wanted}.")
        for k, (a, b) in enumerate(zip(theirs(), parameters(), strict=True)):
            if not np.allclose(a, b, rtol=tolerance, atol=tolerance):
                raise Disagreement(f"{job.name}: parameter {k} of {name} differs by {np.abs(a - b).max():.1e}.")


def training_seconds(job: Job, engines: dict[str, Made], rounds: int, block: float) -> Seconds:
    """Time one training step in several hands."""
    hold_together(job, engines)
    steps = {name: step for name, (step, _) in engines.items()}
    return _in_turn(steps, rounds, max(1, int(block / _seconds_of(steps["by hand"], 3))))


def surface_seconds(rounds: int, points: int = 101) -> Seconds:
    """Time the loss of the tiny network on a grid through θ, with the library's loss and with one of the user's own."""
    ways = planes(JOBS["tiny"], points)
    wanted = ways["by hand"]()
    for name, way in ways.items():
        if not np.allclose(way(), wanted, rtol=1e-8):
            raise Disagreement(f"{SURFACE}: {name} gives other losses than by hand.")
    return _in_turn(ways, rounds, 1)


def scalar_seconds(rounds: int) -> Seconds:
    """Time a training step of a 2-16-16-1 ReLU network on 20 examples: `Value` beside plain Python floats."""
    rng, lr = np.random.default_rng(0), 1e-3
    sizes = itertools.pairwise((2, 16, 16, 1))
    weights = [(rng.normal(size=(b, a)) / np.sqrt(a)).tolist() for a, b in sizes]
    biases = [[0.0] * len(layer) for layer in weights]
    points = rng.normal(size=(20, 2))
    xs, ys = points.tolist(), np.sin(2 * points[:, 0]).tolist()
    layers = [
        [([Value(w) for w in row], Value(b)) for row, b in zip(layer, bias, strict=True)]
        for layer, bias in zip(weights, biases, strict=True)
    ]
    parameters = [p for layer in layers for row, bias in layer for p in (*row, bias)]

    def ours() -> float:
        for p in parameters:
            p.grad = 0.0
        loss = sum((_value_output(layers, x) - y) ** 2 for x, y in zip(xs, ys, strict=True)) * (1 / len(xs))
        loss.backward()
        for p in parameters:
            p.data -= lr * p.grad
        return loss.data

    by_hand = float_step(weights, biases, xs, ys, lr)
    for _ in range(3):
        if not np.isclose(by_hand(), ours(), rtol=1e-10):
            raise Disagreement(f"{SCALAR}: the losses differ.")
    return _in_turn({"by hand": by_hand, "bplib": ours}, rounds, 2)


def _value_output(layers: list[Any], x: list[Any]) -> Any:
    h = x
    for k, layer in enumerate(layers):
        sums = [sum((w * a for w, a in zip(row, h, strict=True)), bias) for row, bias in layer]
        h = sums if k == len(layers) - 1 else [s.relu() for s in sums]
    return h[0]


def chain_microseconds(n: int) -> Seconds:
    """Time a chain of y · c + 0 on four numbers, for each of its 2n nodes."""
    begin = time.perf_counter()
    y = _chain(n)
    forward = time.perf_counter() - begin
    backward = _seconds_of(y.sum().backward, 1)
    return {"forward": [1e6 * forward / (2 * n)], "backward": [1e6 * backward / (2 * n)]}


def chain_bytes(n: int = 10_000) -> Seconds:
    """Count what such a chain holds, for each of its nodes."""
    tracemalloc.start()
    kept = _chain(n)
    size = tracemalloc.get_traced_memory()[0] / (2 * n)
    tracemalloc.stop()
    del kept
    return {"memory": [size]}


def _chain(n: int) -> bplib.Tensor:
    y = bplib.tensor(np.ones(4), requires_grad=True)
    for _ in range(n):
        y = y * 0.999999 + 0.0
    return y


def _in_turn(steps: dict[str, Callable[[], Any]], rounds: int, repeat: int) -> Seconds:
    seconds: Seconds = {name: [] for name in steps}
    # Whoever makes thousands of objects a step wakes the garbage collector. It shall go through them, and not through
    # the hundred thousand that importing has left: these are nobody's step.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, step in steps.items():
            step()  # the one before has filled the caches with its own
            seconds[name].append(_seconds_of(step, repeat))
    gc.unfreeze()
    return seconds


def _seconds_of(step: Callable[[], Any], repeat: int) -> float:
    begin = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - begin) / repeat
