"""Measure every promise now, on this machine: `python course.py verify` prints promise, measured, verdict.

A promise is a function with `@promise`: it returns what was measured, as text, and whether the promise is kept. Adding
a row is adding such a function. With --write the table also goes to docs/verification.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "verification.md"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

Measured = tuple[str, bool]


class Promise(NamedTuple):
    """One row: what is promised and how it is measured."""

    text: str
    measure: Callable[[], Measured]


class Row(NamedTuple):
    """One measured row."""

    promise: str
    measured: str
    verdict: str


PROMISES: list[Promise] = []


def promise(text: str) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
    """Add the decorated function as a row with this text."""

    def add(measure: Callable[[], Measured]) -> Callable[[], Measured]:
        PROMISES.append(Promise(text, measure))
        return measure

    return add


# -- the promises -----------------------------------------------------------------------------------------------------

IMPORT = """
import json, sys, time
begin = time.perf_counter()
import bplib
seconds = time.perf_counter() - begin
print(json.dumps([seconds, sorted({"matplotlib", "ipywidgets"} & set(sys.modules))]))
"""


@promise("import bplib: at most 0.25 s (median of 5), neither matplotlib nor ipywidgets loaded")
def import_time() -> Measured:
    """A fresh process each time, disk warm."""
    told = [json.loads(in_new_process(IMPORT)) for _ in range(6)][1:]
    seconds, loaded = statistics.median(one[0] for one in told), told[0][1]
    return f"{seconds:.2f} s, loaded: {', '.join(loaded) or 'neither'}", seconds <= 0.25 and not loaded


DIGITS = """
import json, time
import bplib
import numpy as np
from bplib import data, losses, nn, optim, training
rng = np.random.default_rng(0)
digits = data.load_digits()
model = nn.Sequential(nn.Linear(64, 64, rng=rng), nn.ReLU(), nn.Linear(64, 10, rng=rng))
optimizer = optim.Adam(model.parameters(), lr=1e-2)
begin = time.perf_counter()
history = training.fit(model, losses.cross_entropy, optimizer, digits.train, epochs=20, rng=1, progress=False)
seconds = time.perf_counter() - begin
with bplib.no_grad():
    right = np.asarray(model(digits.X_test)).argmax(axis=1) == digits.y_test
print(json.dumps([float(right.mean()), seconds, [float(loss) for loss in history["train_loss"]]]))
"""
_runs: list[tuple[float, float, list[float]]] = []


def digits_runs() -> list[tuple[float, float, list[float]]]:
    """Accuracy, seconds and losses of the same training in two processes; trained once for both rows."""
    if not _runs:
        _runs.extend(tuple(json.loads(in_new_process(DIGITS))) for _ in range(2))
    return _runs


@promise("a network learns the digits: at least 96 % on the held-out quarter, in at most 10 s")
def digits_accuracy() -> Measured:
    """20 epochs, one hidden layer of 64."""
    accuracy, seconds, losses = digits_runs()[0]
    return f"{100 * accuracy:.1f} % in {seconds:.1f} s ({len(losses)} epochs)", accuracy >= 0.96 and seconds <= 10


@promise("the same training twice, in two processes: the same numbers")
def digits_repeat() -> Measured:
    """Every loss to the last bit, and the accuracy."""
    (accuracy, _, losses), (accuracy_again, _, losses_again) = digits_runs()
    same = sum(a == b for a, b in zip(losses, losses_again, strict=True))
    return f"{same} of {len(losses)} losses equal", same == len(losses) and accuracy == accuracy_again


@promise("every gradient rule: central differences to 1e-7, complex step to 1e-12, four mutants of each found out")
def gradient_rules() -> Measured:
    """The property tests of the table of operations."""
    return property_tests("test_gradient_rules.py", "test_wrong_rules.py")


CHAIN = """
import json, time
import bplib, tracemalloc
def chain(n):
    x = y = bplib.tensor(1.0, requires_grad=True)
    for _ in range(n):
        y = y + 1.0
    return x, y
x, y = chain(1_000_000)
begin = time.perf_counter()
y.backward()
seconds = time.perf_counter() - begin
gradient = float(x.grad)
del x, y
tracemalloc.start()
kept = chain(10_000)
print(json.dumps([gradient, seconds, tracemalloc.get_traced_memory()[0] / 10_000]))
"""


@promise("backward through a chain of 1,000,000 operations: at most 1.5 µs (4.5 on a busy machine) and 500 bytes each")
def deep_chain() -> Measured:
    """No recursion on the way back, nor when the chain is freed."""
    gradient, seconds, size = json.loads(in_new_process(CHAIN))
    kept = gradient == 1.0 and seconds <= 4.5 and size <= 500
    return f"gradient {gradient:g}, {seconds:.2f} µs and {size:.0f} bytes an operation", kept


@promise("10,000 random graphs of up to 60 nodes: the gradient equals a complex step's to 1e-9")
def random_graphs() -> Measured:
    """Shared values, broadcasting, matrix products, reductions, indexing, layers."""
    return property_tests("test_random_graphs.py")


CLAIMS = """
import json, time
from bplib.lessons.claims import ledger
begin = time.perf_counter()
found = ledger()
strict = [finding.holds for finding in found.findings if finding.claim.must_hold]
shown = [finding.holds for finding in found.findings if not finding.claim.must_hold]
print(json.dumps([sum(strict), len(strict), sum(shown), len(shown), time.perf_counter() - begin]))
"""


@promise("every published result that a notebook repeats lies within its tolerance (docs/claims.md)")
def claims() -> Measured:
    """Recomputed; those that are only shown are counted and not demanded."""
    held, strict, right, shown, seconds = json.loads(in_new_process(CLAIMS))
    return f"{held} of {strict}, and {right} of {shown} that are only shown, in {seconds:.1f} s", held == strict


GARBAGE = """
import gc, json
from bplib import losses, nn, optim
import numpy as np
model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.Tanh(), nn.Linear(16, 1, rng=1))
optimizer = optim.Adam(model.parameters())
X, y = np.ones((32, 2)), np.zeros((32, 1))
def steps(n):
    for _ in range(n):
        optimizer.zero_grad()
        losses.mse(model(X), y).backward()
        optimizer.step()
steps(10)
gc.collect()
gc.disable()
before = len(gc.get_objects())
steps(2_000)
print(json.dumps(len(gc.get_objects()) - before))
"""


@promise("2,000 training steps with the garbage collector off leave no object behind")
def garbage() -> Measured:
    """A record knows its parents and nothing knows a record but what came from it: no cycles."""
    left = json.loads(in_new_process(GARBAGE))
    return f"{left} objects", left <= 0


@promise("a training step, tiny (2-16-16-1, tanh, mse, batch 100): at most 2 times NumPy written by hand")
def tiny_step() -> Measured:
    """Every check on, through nn.Sequential, SGD."""
    return ratio_to_hand(sizes=(2, 16, 16, 1), batch=100, classify=False, bound=2.0)


@promise("a training step, medium (64-128-64-10, ReLU, cross-entropy, batch 128): at most 1.4 times NumPy by hand")
def medium_step() -> Measured:
    """The same with wider layers and classes."""
    return ratio_to_hand(sizes=(64, 128, 64, 10), batch=128, classify=True, bound=1.4)


@promise("the second start: at most 12 s from the command to the first slider (24 s on a busy machine)")
def second_start() -> Measured:
    """The environment is complete, a browser runs."""
    import first_slider

    return in_time(first_slider.second_start, at_most=24)


@promise("the first start, packages and all: at most 90 s to the first slider (240 s on a slow network)")
def first_start() -> Measured:
    """Everything is fetched anew, as on a machine that never saw the course."""
    import first_slider

    return in_time(first_slider.first_start, at_most=240)


@promise(
    "a point dragged in a widget's picture: a new picture in a quarter of the time that interact takes with matplotlib "
    "(medians of one run), in at most 4,096 bytes and 3 % of the kernel's time (5 ms where interact takes 165)"
)
def live_picture() -> Measured:
    """The start of a descent in the rate lab, in JupyterLab."""
    import first_slider
    import live_pictures

    try:
        slow, live = live_pictures.beside_interact(ROOT, "rate")
    except first_slider.NotMeasured as reason:
        return f"not measured: {reason}", True
    return f"{live}; interact: {slow}", live.keeps_up_with(slow)


# -- how it is measured -----------------------------------------------------------------------------------------------


def property_tests(*names: str) -> Measured:
    """Run these files of tests/property; what pytest says in its last line."""
    files = [f"tests/property/{name}" for name in names]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *files]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip().splitlines()[-1], run.returncode == 0


def in_new_process(text: str) -> str:
    """The output of these lines in a Python of their own."""
    command = [sys.executable, "-c", text]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def in_time(wait: Callable[[Path], tuple[float, ...]], at_most: float) -> Measured:
    """The seconds a learner waits; where this machine cannot tell, that is said and breaks nothing."""
    import first_slider

    try:
        waits = wait(ROOT)
    except first_slider.NotMeasured as reason:
        return f"not measured: {reason}", True
    return str(waits), sum(waits) <= at_most


def ratio_to_hand(sizes: tuple[int, ...], batch: int, classify: bool, bound: float) -> Measured:
    """The median over interleaved rounds of ours / by hand; both must come to the same loss first."""
    ours, by_hand = step_pair(sizes, batch, classify)
    for _ in range(3):
        a, b = ours(), by_hand()
        if abs(a - b) > 1e-12 * abs(b):
            return f"the losses differ: {a:.17g} and {b:.17g}", False
    repeat = max(1, int(5e-3 / seconds_of(by_hand, 20)))  # blocks of 5 ms
    pairs = [(seconds_of(ours, repeat), seconds_of(by_hand, repeat)) for _ in range(31)]
    ratio = statistics.median(a / b for a, b in pairs)
    best = [1e6 * min(side) for side in zip(*pairs, strict=True)]
    return f"{ratio:.2f} times ({best[0]:.0f} and {best[1]:.0f} µs)", ratio <= bound


def seconds_of(step: Callable[[], Any], repeat: int) -> float:
    """Mean seconds of one call."""
    begin = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - begin) / repeat


def step_pair(sizes: tuple[int, ...], batch: int, classify: bool) -> tuple[Callable[[], float], Callable[[], float]]:
    """The same training step, once with the library and once by hand."""
    from steps import Job, by_hand, library

    job = Job("", sizes, batch, classify)
    return library(job)[0], by_hand(job)[0]


# -- the table --------------------------------------------------------------------------------------------------------


def measure_all(promises: list[Promise]) -> list[Row]:
    """Measure one after the other; what cannot be measured is not kept."""
    rows = []
    for one in promises:
        try:
            measured, kept = one.measure()
        except Exception as error:  # a broken row must not hide the others
            measured, kept = f"{type(error).__name__}: {error}", False
        row = Row(one.text, measured, "kept" if kept else "NOT KEPT")
        print(f"{row.verdict:<9} {row.promise}\n{'':<9} {row.measured}", flush=True)
        rows.append(row)
    return rows


def as_markdown(rows: list[Row]) -> str:
    """The table as the page of the documentation."""
    cells = [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    head = ["# Promises, measured", "", "Written by `python course.py verify --write` on one machine.", ""]
    return "\n".join([*head, "| promise | measured | verdict |", "|---|---|---|", *(f"| {one} |" for one in cells), ""])


def main(arguments: list[str]) -> int:
    """Print the table; status 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python course.py verify", description="Measure every promise.")
    parser.add_argument("--write", action="store_true", help="also write docs/verification.md")
    write = parser.parse_args(arguments).write
    rows = measure_all(PROMISES)
    kept = sum(row.verdict == "kept" for row in rows)
    print(f"\n{kept} of {len(rows)} promises kept")
    if write:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(as_markdown(rows), "utf-8")
        print(f"Written: {REPORT.relative_to(ROOT).as_posix()}")
    return int(kept < len(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
