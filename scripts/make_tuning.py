"""Make the numbers of the optimizers with one, three and nine tries: ``python scripts/make_tuning.py``.

It takes most of a minute and writes ``bplib/lessons/claims/tuning.json``. Notebook 10 shows them; a test repeats some
of the runs, and with --full all of them.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bplib.lessons.claims.tuning import (
    CHOOSING_SEED,
    OPTIMIZERS,
    SEEDS,
    STORED,
    TASKS,
    WIDER,
    chosen_rate,
    rates_of,
    train,
)
from bplib.widgets.race.run import BUDGETS

FILE = Path(__file__).resolve().parents[1] / "bplib" / "lessons" / "claims" / STORED
DIGITS = 6


def measured(say: Callable[[str], None] = lambda said: None) -> dict[str, dict[str, object]]:
    """Do every run and give what the file holds."""
    tried: dict[str, dict[str, list[float]]] = {}
    found: dict[str, dict[str, list[list[float]]]] = {}
    for task in TASKS:
        tried[task], found[task] = {}, {}
        for optimizer in OPTIMIZERS:
            rates = rates_of(optimizer, max(BUDGETS))
            losses = [train(task, optimizer, rate, CHOOSING_SEED) for rate in rates]
            chosen = [chosen_rate(optimizer, np.array(losses), budget) for budget in BUDGETS]
            tried[task][optimizer] = [rounded(loss) for loss in losses]
            found[task][optimizer] = [repeated(task, optimizer, rate) for rate in chosen]
            say(f"{task}, {optimizer}")
    return {"tried": tried, "found": found, "wider": {task: wider(task) for task in TASKS}}


def wider(task: str) -> list[float]:
    """Plain SGD at the better of the two rates above its grid."""
    best = min(WIDER, key=lambda rate: train(task, "SGD", rate, CHOOSING_SEED))
    return repeated(task, "SGD", best)


def repeated(task: str, optimizer: str, rate: float) -> list[float]:
    """The validation losses with the seeds that did not choose."""
    return [rounded(train(task, optimizer, rate, seed)) for seed in SEEDS]


def rounded(loss: float) -> float:
    """Six digits: the rest differs from machine to machine."""
    return float(f"{loss:.{DIGITS}g}")


if __name__ == "__main__":
    FILE.write_text(json.dumps(measured(print), indent=1, allow_nan=False) + "\n", "utf-8")
    print(STORED)
