"""The library beside NumPy written by hand and beside other libraries: `python course.py bench [NAME ...]`.

Absolute times say more about the machine than about the program, so the table gives ratios: all engines take turns in
short blocks, and the ratio is the median over the rounds. Where the arrays of a process come to lie makes some steps a
few percent faster or slower in all its rounds, so every job is timed in several processes of its own. One BLAS thread.
"""

import argparse
import json
import multiprocessing
import os
import platform
import signal
import statistics
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "speed.md"
if __name__ == "__main__":  # before NumPy is there; the processes that are started here inherit it
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # Set for another machine these slow the products down, and the library looks better beside them.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from measures import CHAINS, MEMORY, SCALAR, SURFACE, Disagreement, Seconds, jobs, others_for, seconds_for  # noqa: E402
from steps import JOBS, installed  # noqa: E402  (both import NumPy, after the variables are set)
from tqdm import tqdm  # noqa: E402


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
_DTYPES = ("float64", "float32")
GOALS = {
    ("tiny SGD float64", "bplib"): 1.55, ("tiny SGD float32", "bplib"): 1.65, ("tiny Adam float64", "bplib"): 1.50,
    **{(f"medium {method} {dtype}", "bplib"): 1.15 for method in ("SGD", "Adam") for dtype in _DTYPES},
    **{(f"large {method} {dtype}", "bplib"): 1.05 for method in ("SGD", "Adam") for dtype in _DTYPES},
    **{(f"{size} SGD {dtype}", "replay"): 1.10 for size in ("tiny", "medium") for dtype in _DTYPES},
    **{(f"{size} SGD {dtype}", "unfused"): 1.10 for size in JOBS for dtype in _DTYPES},
    (SURFACE, "bplib"): 1.15, (SURFACE, "own loss"): 1.6,
    (SCALAR, "bplib"): 9.0, ("chain", "backward"): 1.5, ("chain", "memory"): 500.0,
}  # fmt: skip
BASE = {"unfused": "textbook"}


# How a chain's values are called in GOALS.
_CHAIN_WORD = {**dict.fromkeys(CHAINS, "chain"), MEMORY: "chain"}
NAMES = [*(job.name for job in jobs()), SURFACE, SCALAR, *CHAINS, MEMORY]
PROCESSES = 3


def measured(name: str, rounds: int, block: float, processes: int = PROCESSES, other: str = "") -> Seconds:
    """Measure one job in several processes, each with its share of the rounds; see `measures.seconds_for`."""
    found: Seconds = {}
    for _ in range(processes):
        with multiprocessing.get_context("spawn").Pool(1, _leave_ctrl_c_to_the_parent) as pool:
            part = pool.apply(seconds_for, (name, max(1, rounds // processes), block, other))
        for engine, seconds in part.items():
            found.setdefault(engine, []).extend(seconds)
    return found


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def rows_of(name: str, seconds: Seconds) -> list[Row]:
    """Make lines of the table: ratios to the yardstick, or the values themselves where there is none."""
    if "by hand" in seconds:
        return [_row(name, engine, seconds[engine], seconds[BASE.get(engine, "by hand")]) for engine in seconds]
    return [_row(name, engine, values, [1.0] * len(values), unit=1.0) for engine, values in seconds.items()]


def _row(name: str, engine: str, values: list[float], base: list[float], unit: float = 1e6) -> Row:
    ratios = [a / b for a, b in zip(values, base, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    goal = GOALS.get((_CHAIN_WORD.get(name, name), engine))
    return Row(name, engine, middle, low, high, unit * statistics.median(values), goal)


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
        "a textbook writes it, since both use elementary operations. All take turns, and come to the same losses and "
        f"parameters before they are timed; the median is over the rounds of {PROCESSES} processes. Another library is "
        "timed in a process of its own beside NumPy by hand, since merely to import it changes the times of all. Times "
        "say more about the machine than about the program; ratios are what to compare.",
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


def chosen(names: list[str], quick: bool) -> list[str]:
    """Give the jobs that were asked for by one of their words: all of them where none was."""
    if not names:
        return [job for job in NAMES if job == "tiny SGD float64" or not quick]
    return [job for job in NAMES if set(names) & set(job.replace(":", " ").split())]


def main() -> int:
    """Measure, print, and write where asked; 1 if engines disagree, 130 when stopped, with what is done so far."""
    parser = argparse.ArgumentParser(prog="python course.py bench", description=__doc__)
    words = ["tiny", "medium", "large", "SGD", "Adam", "float64", "float32", "surface", "scalar", "chain"]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(words)}")
    parser.add_argument("--rounds", type=int, default=33, help="how often the engines take turns")
    parser.add_argument("--quick", action="store_true", help="one job, a few seconds")
    parser.add_argument("--json", type=Path, help="write the rows here as well")
    parser.add_argument("--write", action="store_true", help="write docs/speed.md")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in words]:
        parser.error(f"there is no {unknown[0]!r}; choose from {', '.join(words)}")
    rows: list[Row] = []
    status = 0
    try:
        for name in tqdm(chosen(options.names, options.quick), leave=False):
            block, processes = (2e-3, 1) if options.quick else (8e-3, PROCESSES)
            rounds = 7 if options.quick else options.rounds
            group = rows_of(name, measured(name, rounds, block, processes))
            for other in others_for(name):
                group += rows_of(name, measured(name, rounds // PROCESSES, block, 1, other))[1:]
            rows += group
            tqdm.write(as_text(group))
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
