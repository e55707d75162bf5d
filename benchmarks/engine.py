"""The library beside NumPy written by hand and beside other libraries: `python course.py bench [NAME ...]`.

Absolute times say more about the machine than about the program, so the table gives ratios: all engines take turns in
short blocks, and the ratio is the median over the rounds. Before that, every engine must come to the same losses and
parameters. One BLAS thread.
"""

import argparse
import gc
import itertools
import json
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "speed.md"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402  (after the number of threads is set)
from steps import JOBS, MAKERS, Job, installed, planes  # noqa: E402
from tqdm import tqdm  # noqa: E402

import bplib  # noqa: E402
from bplib.scalar import Value  # noqa: E402


class Row(NamedTuple):
    """One line of the table."""

    job: str
    engine: str
    ratio: float
    low: float
    high: float
    microseconds: float
    goal: float | None

    @property
    def verdict(self) -> str:
        """The words for the goal."""
        return "" if self.goal is None else "reached" if self.ratio <= self.goal else "not reached"


# The largest ratio to aim below, for (job, engine); what it is a ratio to stands in `BASE`.
GOALS = {
    ("tiny SGD float64", "bplib"): 1.55, ("tiny SGD float32", "bplib"): 1.65, ("tiny Adam float64", "bplib"): 1.50,
    ("medium SGD float64", "bplib"): 1.15, ("large SGD float64", "bplib"): 1.05,
    ("tiny SGD float64", "replay"): 1.10, ("medium SGD float64", "replay"): 1.10,
    **{(f"{size} SGD {dtype}", "unfused"): 1.10 for size in JOBS for dtype in ("float64", "float32")},
    ("loss surface", "bplib"): 1.15, ("loss surface", "own loss"): 1.6,
    ("scalar network", "bplib"): 9.0, ("chain", "backward"): 1.5, ("chain", "memory"): 500.0,
}  # fmt: skip
BASE = {"unfused": "textbook"}


def jobs() -> Iterator[Job]:
    """Give every training step of the table."""
    for job in JOBS.values():
        for dtype in ("float64", "float32"):
            for adam in (False, True):
                yield replace(job, name=f"{job.name} {'Adam' if adam else 'SGD'} {dtype}", dtype=dtype, adam=adam)


def engines_for(job: Job) -> dict[str, Any]:
    """Make every engine that can do this job, after the yardstick."""
    # Two of the others have no optimizers of their own.
    return {name: make(job) for name, make in MAKERS.items() if not (job.adam and name in ("MyGrad", "autograd"))}


class Disagreement(Exception):
    """Two engines that do not compute the same."""


def hold_together(job: Job, engines: dict[str, Any]) -> None:
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


def training_rows(job: Job, rounds: int, block: float) -> list[Row]:
    """Time one training step in all hands."""
    engines = engines_for(job)
    hold_together(job, engines)
    steps = {name: step for name, (step, _) in engines.items()}
    repeat = max(1, int(block / seconds_of(steps["by hand"], 3)))
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in tqdm(range(rounds), desc=job.name, leave=False):
        for name, step in steps.items():
            seconds[name].append(seconds_of(step, repeat))
    return [_row(job.name, name, seconds, BASE.get(name, "by hand")) for name in steps]


def _row(job: str, name: str, seconds: dict[str, list[float]], base: str) -> Row:
    ratios = [a / b for a, b in zip(seconds[name], seconds[base], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return Row(job, name, middle, low, high, 1e6 * statistics.median(seconds[name]), GOALS.get((job, name)))


def seconds_of(step: Callable[[], Any], repeat: int) -> float:
    """Give the mean seconds of one call."""
    begin = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - begin) / repeat


def surface_rows(rounds: int, points: int = 101) -> list[Row]:
    """The loss of the tiny network on a grid through θ: with the library's loss, and with one of the user's own."""
    ways = planes(JOBS["tiny"], points)
    wanted = ways["by hand"]()
    for name, way in ways.items():
        if not np.allclose(way(), wanted, rtol=1e-8):
            raise Disagreement(f"loss surface: {name} gives other losses than by hand.")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(rounds), desc="loss surface", leave=False):
        for name, way in ways.items():
            seconds[name].append(seconds_of(way, 1))
    return [_row("loss surface", name, seconds, "by hand") for name in ways]


# -- one number at a time --


def scalar_rows(rounds: int) -> list[Row]:
    """A 2-16-16-1 ReLU network on 20 examples, number by number: `Value` beside plain Python floats."""
    rng = np.random.default_rng(0)
    sizes = (2, 16, 16, 1)
    weights = [rng.uniform(-1, 1, (b, a)).tolist() for a, b in itertools.pairwise(sizes)]
    xs, ys = rng.normal(size=(20, 2)).tolist(), rng.normal(size=20).tolist()
    values = [[[Value(w) for w in row] for row in layer] for layer in weights]

    def by_hand() -> float:
        return sum(_float_step(weights, x, y) for x, y in zip(xs, ys, strict=True))

    def ours() -> float:
        total = sum(((_value_output(values, x) - y) ** 2 for x, y in zip(xs, ys, strict=True)), Value(0.0))
        total.backward()
        return total.data

    if not np.isclose(by_hand(), ours(), rtol=1e-12):
        raise Disagreement("scalar network: the losses differ.")
    seconds: dict[str, list[float]] = {"by hand": [], "bplib": []}
    # Thousands of values a step wake the garbage collector. It shall go through them, and not through the hundred
    # thousands of objects that the other libraries of this process have brought along.
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        seconds["by hand"].append(seconds_of(by_hand, 5))
        seconds["bplib"].append(seconds_of(ours, 1))
    gc.unfreeze()
    return [_row("scalar network", name, seconds, "by hand") for name in seconds]


def _value_output(layers: list[Any], x: list[float]) -> Value:
    h: list[Any] = x
    for k, layer in enumerate(layers):
        sums = [sum((w * a for w, a in zip(row[1:], h[1:], strict=True)), row[0] * h[0]) for row in layer]
        h = sums if k == len(layers) - 1 else [s.relu() for s in sums]
    return h[0]


def _float_step(layers: list[list[list[float]]], x: list[float], y: float) -> float:
    """Forward and backward for one example on Python floats; the gradients are computed and dropped."""
    outputs = [x]
    for k, layer in enumerate(layers):
        sums = [sum([w * a for w, a in zip(row, outputs[-1], strict=True)]) for row in layer]
        outputs.append(sums if k == len(layers) - 1 else [s if s > 0 else 0.0 for s in sums])
    error = outputs[-1][0] - y
    delta, gradients = [2 * error], []
    for k in range(len(layers) - 1, -1, -1):
        below = outputs[k]
        gradients.append([[d * a for a in below] for d in delta])
        if k:
            columns = zip(*layers[k], strict=True)
            delta = [
                sum([d * w for d, w in zip(delta, column, strict=True)]) if a > 0 else 0.0
                for column, a in zip(columns, below, strict=True)
            ]
    return error * error


# -- a chain --


def chain_rows(lengths: tuple[int, ...]) -> list[Row]:
    """A chain of y · c + 0 on four numbers: microseconds and bytes for each of its 2n nodes."""
    rows = []
    for n in lengths:
        begin = time.perf_counter()
        y = _chain(n)
        forward = time.perf_counter() - begin
        backward = seconds_of(y.sum().backward, 1)
        for word, seconds in (("forward", forward), ("backward", backward)):
            value = 1e6 * seconds / (2 * n)
            goal = GOALS["chain", "backward"] if word == "backward" else None
            rows.append(Row(f"chain of {n:,}: µs a node", word, value, value, value, value, goal))
        del y
    tracemalloc.start()
    kept = _chain(10_000)
    size = tracemalloc.get_traced_memory()[0] / 20_000
    tracemalloc.stop()
    del kept
    return [*rows, Row("chain: bytes a node", "memory", size, size, size, 0.0, GOALS["chain", "memory"])]


def _chain(n: int) -> bplib.Tensor:
    y = bplib.tensor(np.ones(4), requires_grad=True)
    for _ in range(n):
        y = y * 0.999999 + 0.0
    return y


# -- the table --


def as_text(rows: list[Row]) -> str:
    """Give the table for a terminal."""
    lines = [f"{'job':<32} {'engine':<10} {'ratio':>7} {'quartiles':>14} {'µs':>10}  {'goal':>6}  verdict"]
    for r in rows:
        goal = "" if r.goal is None else f"{r.goal:g}"
        spread = f"{r.low:.2f} … {r.high:.2f}"
        lines.append(
            f"{r.job:<32} {r.engine:<10} {r.ratio:>7.2f} {spread:>14} {r.microseconds:>10.1f}  {goal:>6}  {r.verdict}"
        )
    return "\n".join(lines)


def as_markdown(rows: list[Row]) -> str:
    """Give the page of the documentation."""
    head = [
        "# Speed",
        "",
        "Written by `python course.py bench --write` on one machine, with one BLAS thread. A ratio of 1.5 means half "
        "as long again as NumPy written by hand with every buffer made beforehand; *unfused* is compared with NumPy as "
        "a textbook writes it, since both use elementary operations. All engines take turns in one process, and come "
        "to the same losses and parameters before they are timed. Times say more about the machine than "
        "about the program; ratios are what to compare.",
        "",
        f"Measured with {', '.join(_versions())}. An engine without a row was not installed, or has no such method.",
        "",
        "| job | engine | ratio | quartiles | µs | goal | |",
        "|---|---|---:|---|---:|---:|---|",
    ]
    for r in rows:
        goal = "" if r.goal is None else f"≤ {r.goal:g}"
        spread = f"{r.low:.2f} … {r.high:.2f}"
        cells = [r.job, r.engine, f"{r.ratio:.2f}", spread, f"{r.microseconds:.1f}", goal, r.verdict]
        head.append(f"| {' | '.join(cells)} |")
    return "\n".join([*head, ""])


def _versions() -> list[str]:
    """Name the Python and every package that was timed, with their versions."""
    packages = [name for name in ("NumPy", "MyGrad", "autograd", "torch") if installed(name.lower())]
    return [f"Python {platform.python_version()}", *(f"{name} {metadata.version(name)}" for name in packages)]


def measured(names: list[str], rounds: int, block: float, quick: bool) -> Iterator[list[Row]]:
    """Measure what was asked for, one group at a time."""
    for job in jobs():
        if _wanted(job.name, names) and not (quick and not names and job.name != "tiny SGD float64"):
            yield training_rows(job, rounds, block)
    if _wanted("surface", names) and (names or not quick):
        yield surface_rows(min(rounds, 15))
    if _wanted("scalar", names) and (names or not quick):
        yield scalar_rows(min(rounds, 15))
    if _wanted("chain", names) and (names or not quick):
        yield chain_rows((10_000,) if quick else (10_000, 100_000, 1_000_000))


def _wanted(name: str, names: list[str]) -> bool:
    return not names or any(asked in name.split() for asked in names)


def main() -> int:
    """Measure, print, and write where asked; 1 if engines disagree, 130 when stopped, with what is done so far."""
    parser = argparse.ArgumentParser(prog="python course.py bench", description=__doc__)
    words = ["tiny", "medium", "large", "SGD", "Adam", "float64", "float32", "surface", "scalar", "chain"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(words)}")
    parser.add_argument("--rounds", type=int, default=31, help="how often the engines take turns")
    parser.add_argument("--quick", action="store_true", help="one job, a few seconds")
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    parser.add_argument("--write", action="store_true", help="write docs/speed.md")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in words]:
        parser.error(f"there is no {unknown[0]!r}; choose from {', '.join(words)}")
    rows: list[Row] = []
    status = 0
    try:
        rounds = 7 if options.quick else options.rounds
        for group in measured(options.names, rounds, 2e-3 if options.quick else 8e-3, options.quick):
            rows += group
            print(as_text(group), flush=True)
    except KeyboardInterrupt:
        print("Stopped; the rows above are complete.", file=sys.stderr)
        status = 130
    except Disagreement as error:
        print(error, file=sys.stderr)
        status = 1
    if options.json:
        options.json.write_text(json.dumps([row._asdict() for row in rows], indent=1), "utf-8")
    if options.write and not status:
        REPORT.write_text(as_markdown(rows), "utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
