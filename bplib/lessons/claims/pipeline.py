"""The published results of notebook 10: what becomes of a ranking of optimizers once each of them is tuned."""

import numpy as np

from bplib.lessons.claims.claim import Band, Claim, Source
from bplib.lessons.claims.tuning import OPTIMIZERS, TASKS, tuning
from bplib.widgets.race.run import BUDGETS

__all__ = ["PIPELINE_CLAIMS"]

_CROWDED = Source(
    "R. M. Schmidt, F. Schneider and P. Hennig", 2021,
    "Descending through a crowded valley: benchmarking deep learning optimizers", "PMLR 139",
)  # fmt: skip
_COMPARISONS = Source(
    "D. Choi and others",
    2019,
    "On empirical comparisons of optimizers for deep learning",
    "preprint",
    "arXiv 1910.05446",
)
_SMALL = (
    "4 optimizers on 2 tasks that train in a tenth of a second, learning rates only, 5 seeds; stored numbers, made by "
    "scripts/make_tuning.py"
)
_LAST = max(BUDGETS)


def _times_the_best() -> tuple[float]:
    """The loss of the optimizer that is nowhere far from the best, over that of the best, where it is farthest."""
    found = tuning()
    best = {task: found.median(task, found.ranking(task, _LAST)[0], _LAST) for task in TASKS}
    times = [max(found.median(task, name, _LAST) / best[task] for task in TASKS) for name in OPTIMIZERS]
    return (min(times),)


def _places_of_momentum() -> tuple[int, ...]:
    """The place of momentum among the four on the digits, with one try and with nine."""
    return tuple(tuning().ranking("digits", budget).index("momentum") + 1 for budget in (1, _LAST))


def _sgd_with_a_wider_grid() -> tuple[float, float]:
    """The loss of plain SGD on the digits over that of the best: on the grid of all, and with two larger rates."""
    found = tuning()
    best = found.median("digits", found.ranking("digits", _LAST)[0], _LAST)
    return found.median("digits", "SGD", _LAST) / best, float(np.median(found.wider["digits"])) / best


PIPELINE_CLAIMS: tuple[Claim, ...] = (
    Claim(
        name="10-no-winner",
        statement="Of four optimizers, each tuned on the same grid, none is the best on both tasks.",
        source=_CROWDED,
        where="abstract, (i) and (iii)",
        published="performance varies greatly across tasks; no method clearly dominates on all of them",
        compute=_times_the_best,
        ours="on one of the two even the steadiest has {:.2f} times the loss of the best",
        bands=(Band(low=1.01, unit="times"),),
        scaled_down=_SMALL,
        must_hold=False,
    ),
    Claim(
        name="10-budget",
        statement="How much each is tuned changes the ranking.",
        source=_COMPARISONS,
        where="abstract",
        published="comparisons depend on how the optimizers are tuned",
        compute=_places_of_momentum,
        ours="on the digits momentum is number {:.0f} of 4 with one try, number {:.0f} with nine",
        bands=(Band(2, 4), Band(1, 1)),
        scaled_down=_SMALL,
        must_hold=False,
    ),
    Claim(
        name="10-grid",
        statement="Which rates may be tried changes the ranking, too.",
        source=_COMPARISONS,
        where="abstract",
        published="rankings can be contradicted when the search spaces are changed",
        compute=_sgd_with_a_wider_grid,
        ours="on the digits the loss of SGD is {:.1f} times the best, and {:.2f} times with two larger rates",
        bands=(Band(low=1.5, unit="times"), Band(high=1.2, unit="times")),
        scaled_down=_SMALL,
        must_hold=False,
    ),
)
"""The rows of notebook 10."""
