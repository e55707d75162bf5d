"""The gradient check of the layer bench: two gradients and their relative error, parameter by parameter."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Bars, Mark, Points, Rule, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.layer.check import EXACT, VERDICTS, WRONG, Check, gradient_check
from bplib.widgets.layer.network import GROUPS, NAMES, STARTS, recorded
from bplib.widgets.layer.passes import FAULTS, VERSIONS
from bplib.widgets.layer.state import NO_GUESS, State
from bplib.widgets.layer.words import check_sentence, relative, subscripted

__all__ = ["check_scene"]

Floats = npt.NDArray[np.float64]

_LEFT, _WIDTH, _BOTTOM = 62, 722, 376
_GRADIENTS = Rectangle(_LEFT, 40, _WIDTH, 112)
_ABOVE_BARS, _BELOW_CODE = 206, 246
# Groups stand apart by about as much as a parameter is wide.
_STARTS = {"w11": 0.0, "w12": 6.9, "b1": 13.8, "v1": 16.9, "c": 20.2}
_GAP = 1.2
_FLOOR, _CEILING = 1e-13, 30.0
_LEAST = 2e-13
_BAR = 18


def _across() -> Floats:
    places, at = [], 0.0
    for name in NAMES:
        at = _STARTS.get(name, at + 1.0)
        places.append(at)
    return np.array(places)


_X = _across()
_SIDES = (-_GAP, float(_X[-1]) + _GAP)


def check_scene(state: State) -> Scene:
    """The scene of one version of the backward pass, one position for each recorded update.

    Parameters
    ----------
    state : State
        Its update plays no part.

    Returns
    -------
    Scene
    """
    return _scene(state.start, state.seed, state.updates, state.version, state.guess, state.version in state.revealed)


@lru_cache(maxsize=16)
def _scene(start: str, seed: int, updates: int, version: str, guess: str, revealed: bool) -> Scene:
    state = State("check", start, 0, version, guess, (version,) if revealed else (), seed, updates)
    check = gradient_check(start, seed, updates, VERSIONS[version])
    guessed = None if guess == NO_GUESS else gradient_check(start, seed, updates, guess)
    sentences = tuple(check_sentence(state, k) for k in range(len(recorded(updates))))
    name = f"Gradient check of version {version}, first weights: {STARTS[start]}"
    panels = _gradients(check, version), _relative_errors(check, guessed, version, revealed)
    return Scene(900, 424, panels, name, sentences)


def _gradients(check: Check, version: str) -> Panel:
    units, words = np.empty_like(check.differences), []
    for _, columns in _captions():
        largest = np.abs(check.differences[:, columns]).max(axis=1)
        instead = np.abs(check.backward[:, columns]).max(axis=1)
        units[:, columns] = np.where(largest > 0, largest, instead)[:, None]
        words.append((_middle(columns), tuple(map(_largest, units[:, columns.start].tolist()))))
    units[units == 0] = np.inf
    marks: tuple[Mark, ...] = (
        Rule(0.0, "horizontal", "contour"),
        Bars(_table(check.backward / units), "gradient", width=_BAR, text=f"by version {version}"),
        Points(_table(check.differences / units), "data", size=8, text="by differences"),
        *(Text([[place, -2.2]], largest, anchor="center", shift=(0, 13)) for place, largest in words),
    )
    y = Axis(-2.2, 2.2, label="share of the largest", ticks=((-2, "−2"), (-1, "−1"), (0, "0"), (1, "1"), (2, "2")))
    return Panel(_GRADIENTS, _axis(()), y, marks, "Gradient")


def _largest(unit: float) -> str:
    return "all 0" if unit == 0 else f"max {relative(unit)}"


def _relative_errors(check: Check, guessed: Check | None, version: str, revealed: bool) -> Panel:
    heights, exact = np.clip(check.relative_errors, _LEAST, None), check.verdicts == 0
    marks: list[Mark] = [
        Bars(_table(np.where(exact, heights, np.nan)), "quiet", width=_BAR, base=_FLOOR, text="exact"),
        Bars(_table(np.where(exact, np.nan, heights)), "gradient", width=_BAR, base=_FLOOR, text="not exact"),
        Rule(EXACT, "horizontal"),
        Rule(WRONG, "horizontal"),
        Points(_table(np.clip(check.rounding, _LEAST, None)), "threshold", size=9, text="what rounding can do"),
    ]
    if guessed is not None:
        heights = np.clip(guessed.relative_errors, _LEAST, None)
        marks.append(Points(_table(heights), "prediction", size=8, text="your guess"))
    marks += [*_counted(check)]
    marks += [Text([[_middle(columns), _FLOOR]], name, anchor="center", shift=(0, 32)) for name, columns in _captions()]
    fault = FAULTS[VERSIONS[version]]
    told = revealed and bool(fault.wrong)
    if told:
        lines = (f"version {version}:  {fault.wrong}", f"should be:  {fault.right}")
        marks += [Text([[_SIDES[0], _CEILING]], line, shift=(0, -52 + 18 * k)) for k, line in enumerate(lines)]
    names = tuple((place, subscripted(name)) for place, name in zip(_X.tolist(), NAMES, strict=True))
    top = _BELOW_CODE if told else _ABOVE_BARS
    box = Rectangle(_LEFT, top, _WIDTH, _BOTTOM - top)
    y = Axis(_FLOOR, _CEILING, "log", "relative error", _POWERS)
    return Panel(box, _axis(names), y, tuple(marks), "Relative error", grid=False)


_POWERS = ((1e-12, "10⁻¹²"), (1e-10, "10⁻¹⁰"), (EXACT, "10⁻⁷"), (1e-4, "10⁻⁴"), (WRONG, "0.01"), (1.0, "1"))
# Where the three words stand, beside their part of the axis.
_ZONES = ((0, 3e-10), (1, 3e-5), (2, 0.5))


def _counted(check: Check) -> list[Mark]:
    marks: list[Mark] = []
    for verdict, height in _ZONES:
        counts = (check.verdicts == verdict).sum(axis=1)
        words = tuple(f"{VERDICTS[verdict]}: {count}" for count in counts)
        marks.append(Text([[_SIDES[1], height]], words, shift=(8, 0)))
    return marks


def _axis(names: tuple[tuple[float, str], ...]) -> Axis:
    return Axis(*_SIDES, ticks=names)


def _captions() -> list[tuple[str, slice]]:
    """The groups as the picture has them, the hidden weights unit by unit, and which parameters are theirs."""
    found = [(f"into hidden unit {unit + 1}", slice(6 * unit, 6 * unit + 6)) for unit in (0, 1)]
    for group, names in list(GROUPS.items())[1:]:
        first = NAMES.index(names[0])
        found.append((group, slice(first, first + len(names))))
    return found


def _middle(columns: slice) -> float:
    return float(_X[columns].mean())


def _table(values: Floats) -> Floats:
    return np.stack([np.broadcast_to(_X, values.shape), values], axis=-1)
