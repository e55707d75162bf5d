"""What moves in the picture of the optimizer race: at every step of the slider, and while the start is dragged."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bplib.widgets.race.run import NAMES, STEPS, Race
from bplib.widgets.race.words import loss_words, rate_words

__all__ = ["COLUMN", "EVERY", "LEAST_RATE", "live_marks", "live_words", "moving", "row_of", "texts"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

LEAST_RATE = 4e-6
"""Left end of the axis of learning rates, where the sticks begin."""
COLUMN = 0.25
"""Half the distance of the two weights in the picture of effective steps."""
EVERY = 5
"""Steps between two points of a loss curve while the start is dragged."""

_PIXELS = 350.0
_CORNERS = 15  # odd
_TENS = np.arange(10, STEPS + 1, 10)
_NOTHING: Floats = np.empty((0, 2))


def row_of(which: int) -> float:
    """Height of an optimizer's row in the picture of the learning rates, the first one on top."""
    return len(NAMES) - which - 0.5


def moving(race: Race, steps: Sequence[int] = range(STEPS + 1)) -> dict[str, Floats]:
    """Coordinates of everything that depends on the step.

    Parameters
    ----------
    race : Race
    steps : sequence of int, length k

    Returns
    -------
    dict
        Name of a mark -> table, shape (k, points, 2).
    """
    shown = np.asarray(steps)[:, None]
    marks = {}
    for which, name in enumerate(NAMES):
        drawn = _drawn(race, which)
        marks[f"path {name}"] = drawn[np.minimum(_kept(drawn, _width(race)), shown)]
        marks[f"tens {name}"] = drawn[np.minimum(_TENS, shown)]
        marks[f"head {name}"] = drawn[shown]
        marks[f"loss head {name}"] = np.stack([shown, race.losses[which, shown]], axis=-1)
        places = np.broadcast_to(which + COLUMN * np.array([-1.0, 1.0]), (len(shown), 2))
        marks[f"effective {name}"] = np.stack([places, race.effective[which, shown[:, 0]]], axis=-1)
    return marks


def texts(race: Race, steps: Sequence[int] = range(STEPS + 1)) -> dict[str, tuple[str, ...]]:
    """Words of everything that depends on the step.

    Parameters
    ----------
    race : Race
    steps : sequence of int, length k

    Returns
    -------
    dict
        Name of a mark -> its words at each step.
    """
    return {
        f"loss words {name}": tuple(loss_words(race, which, step) for step in steps) for which, name in enumerate(NAMES)
    }


def live_marks(race: Race, step: int) -> dict[str, Floats]:
    """Coordinates that stand in for the table while the start is dragged.

    Parameters
    ----------
    race : Race
    step : int

    Returns
    -------
    dict
        Name of a mark -> coordinates. A path is thinned out, and a loss curve sends the heights of every fifth step.
    """
    marks: dict[str, Floats] = {"start": race.points[0, :1]}
    for which, name in enumerate(NAMES):
        drawn, rate = _drawn(race, which), [race.rates[which], row_of(which)]
        marks |= {
            f"path {name}": _corners(drawn[: step + 1]),
            f"tens {name}": _NOTHING,
            f"head {name}": drawn[step : step + 1],
            f"loss {name}": _NOTHING,
            f"live loss {name}": race.losses[which, ::EVERY],
            f"loss head {name}": race.losses[which, step : step + 1],
            f"effective {name}": race.effective[which, step],
            f"stick {name}": np.array([[LEAST_RATE, row_of(which)], rate]),
            f"rate {name}": np.array([rate]),
        }
    return marks


def live_words(race: Race, step: int) -> dict[str, str]:
    """Words that go with `live_marks`.

    Parameters
    ----------
    race : Race
    step : int

    Returns
    -------
    dict
        Name of a mark -> its words.
    """
    words = {name: said[0] for name, said in texts(race, [step]).items()}
    return words | {f"rate words {name}": rate_words(race, which) for which, name in enumerate(NAMES)}


def _width(race: Race) -> float:
    low, high = race.place.domain[0]
    return high - low


def _drawn(race: Race, which: int) -> Floats:
    """The walk as it is drawn: for good outside of the picture it stands still, just beyond the edge."""
    end = min(int(race.left[which]), STEPS)
    points: Floats = race.points[which, np.minimum(np.arange(STEPS + 1), end)]
    if race.left[which] <= STEPS:
        before = race.points[which, end - 1]
        with np.errstate(over="ignore", invalid="ignore"):
            way = points[end] - before
            length = np.hypot(*way)
        points[end:] = before + way * min(1.0, 3 * _width(race) / length) if np.isfinite(length) else before
    return points


def _lengths(points: Floats) -> Floats:
    """How long the walk is up to each step."""
    return np.concatenate([[0.0], np.linalg.norm(np.diff(points, axis=0), axis=1).cumsum()])


def _kept(drawn: Floats, width: float) -> Counts:
    """The steps whose corners are drawn: shorter than a pixel of the walk nothing would be seen.

    Their number is odd and as large as that of a live update: the Stage takes a live array half as long as the mark
    for heights alone, and cuts a longer one.
    """
    pixels = np.floor(_lengths(drawn) * _PIXELS / width)
    kept = [*np.flatnonzero(np.diff(pixels, prepend=-1.0)), STEPS]
    missing = max(_CORNERS - len(kept), 0)
    missing += (len(kept) + missing + 1) % 2
    return np.array([*kept, *[STEPS] * missing])


def _corners(points: Floats) -> Floats:
    """At most 15 of the points, evenly spread over the length of the walk."""
    if len(points) <= _CORNERS:
        return points
    lengths = _lengths(points)
    spread = np.searchsorted(lengths, np.linspace(0.0, lengths[-1], _CORNERS - 1))
    return points[np.unique([*spread, len(points) - 1])]
