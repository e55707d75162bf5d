"""The layer bench in words: what the network answers at an update, and what a gradient check has found."""

import numpy as np
import numpy.typing as npt

from bplib.tracing.figures import number
from bplib.widgets.layer.check import VERDICTS, Check, gradient_check
from bplib.widgets.layer.network import CLOSE, GROUPS, NAMES, Run, symmetry_run
from bplib.widgets.layer.passes import FAULTS, VERSIONS
from bplib.widgets.layer.state import NO_GUESS, State

__all__ = ["check_sentence", "places", "proportion", "relative", "subscripted", "update_sentence"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
# Two units that differ by no more than this are the same but for rounding.
_SAME = 1e-9
_FEW = 3

_PREDICT = {
    "zeros": (
        "Every weight is 0. Which predictions will it reach, and will the two units ever differ? "
        "Predict, then move the slider."
    ),
    "twins": "Both units have the same random weights. Will they ever differ? Predict, then move the slider.",
}
_EQUAL = "Equal units get equal gradients and stay equal."


def subscripted(name: str) -> str:
    """The name of a parameter as in a formula.

    Examples
    --------
    >>> subscripted("w31"), subscripted("c")
    ('w₃₁', 'c')
    """
    return name.translate(_SUBSCRIPTS)


def relative(value: float) -> str:
    """A relative error with two digits.

    Examples
    --------
    >>> relative(0.984375), relative(3.2e-9), relative(0.0)
    ('0.98', '3.2·10⁻⁹', '0')
    """
    if value == 0 or value >= 1e-3:
        return number(value, 2)
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPTS)}"


def proportion(magnitudes: npt.NDArray[np.float64]) -> str:
    """Three sizes as multiples of the smallest.

    Parameters
    ----------
    magnitudes : ndarray, shape (3,)

    Returns
    -------
    str

    Examples
    --------
    >>> proportion(np.array([2.5, 5.0, 10.0])), proportion(np.zeros(3))
    ('1 : 2 : 4', '–')
    """
    least = magnitudes.min()
    if least < _SAME:
        return "–"
    return " : ".join(number(size, 3) if size < 1000 else "> 1000" for size in magnitudes / least)


def update_sentence(run: Run, start: str, k: int) -> str:
    """What the network answers after so many updates.

    Parameters
    ----------
    run : Run
    start : str
        A key of `STARTS`.
    k : int
        Which of the recorded updates.

    Returns
    -------
    str

    Examples
    --------
    >>> run = symmetry_run("random", 37, 300)
    >>> update_sentence(run, "random", len(run.updates) - 1)
    'Update 300: loss 3.999. It answers 0 to everything: good enough for 56 of the 64, ... symmetric ones.'
    """
    low, high = run.predictions[k].min(), run.predictions[k].max()
    if run.updates[k] == 0:
        spread = f"Small random weights: all 64 predictions lie between {number(low, 3)} and {number(high, 3)}."
        return _PREDICT.get(start, f"{spread} Move the slider.")
    head = f"Update {run.updates[k]:,}: loss {number(run.losses[k], 4)}."
    if start in _PREDICT and run.difference[k] < _SAME:
        return f"{head} {_EQUAL} All 64 predictions lie between {relative(low)} and {relative(high)}."
    return f"{head} {_answers(run, k)}"


def _answers(run: Run, k: int) -> str:
    low, high, update = run.predictions[k].min(), run.predictions[k].max(), run.updates[k]
    close = int((run.absolute_errors[k] < CLOSE).sum())
    if run.solved is not None and update >= run.solved:
        sizes = proportion(run.magnitudes[k, 0])
        return f"Solved in {run.solved:,} updates. Mirrored weights are opposite, from the outside in {sizes}."
    if high < 0.05:
        return "It answers 0 to everything: good enough for 56 of the 64, and wrong for all symmetric ones."
    if high - low < 0.1:
        middle = number(run.predictions[k].mean(), 2)
        return f"It predicts nearly the same for all 64, about {middle}; 1 in 8 is symmetric."
    if run.lopsidedness[k] < 0.1 * np.abs(run.weights[k]).max():
        return f"Each weight has become the opposite of its mirror image. {close} of 64 predictions are within 0.1."
    return f"The predictions spread, from {number(low, 2)} to {number(high, 2)}: {close} of 64 are within 0.1."


def places(chosen: npt.NDArray[np.bool_]) -> str:
    """Name some of the 17 parameters, group by group.

    Parameters
    ----------
    chosen : ndarray of bool, shape (17,)

    Returns
    -------
    str

    Examples
    --------
    >>> places(np.arange(17) >= 12)
    'hidden biases, output weights and output bias'
    >>> places(np.arange(17) == 2), places(np.arange(17) < 9), places(np.ones(17, bool))
    ('w₃₁', '9 of the hidden weights', 'all 17')
    """
    if chosen.all():
        return f"all {chosen.size}"
    words: list[str] = []
    for group, names in GROUPS.items():
        inside = [subscripted(name) for name in names if chosen[NAMES.index(name)]]
        if len(inside) == len(names):
            words.append(group)
        else:
            words += inside if len(inside) <= _FEW else [f"{len(inside)} of the {group}"]
    *most, last = words or ["none"]
    return f"{', '.join(most)} and {last}" if most else last


def check_sentence(state: State, k: int) -> str:
    """What the check of one version has found, and what a guess would look like.

    Parameters
    ----------
    state : State
    k : int
        Which of the recorded updates.

    Returns
    -------
    str

    Examples
    --------
    >>> check_sentence(State(version="D"), 0)
    'Version D, update 0: hidden biases and output bias wrong, the others exact. What is the mistake?'
    >>> check_sentence(State(version="D", guess="sign"), 0)
    'No: here hidden weights and output weights are exact, and your guess would make them wrong.'
    """
    fault = VERSIONS[state.version]
    check = _check(state, fault)
    if state.version in state.revealed:
        guessed = "Yes: version" if state.guess == fault else "Version"
        return f"{guessed} {state.version} {FAULTS[fault].sentence}{_missed(check, fault, k)}"
    if state.guess != NO_GUESS:
        return _compared(check, _check(state, state.guess), k)
    update = symmetry_run(state.start, state.seed, state.updates).updates[k]
    return f"Version {state.version}, update {update:,}: {_found(check.verdicts[k])}"


def _check(state: State, fault: str) -> Check:
    return gradient_check(state.start, state.seed, state.updates, fault)


def _found(verdicts: npt.NDArray[np.int64]) -> str:
    if not verdicts.any():
        return "all 17 agree at these weights. Look at others before you call it right."
    worse = [f"{places(verdicts == k)} {VERDICTS[k]}" for k in (2, 1) if (verdicts == k).any()]
    rest = ", the others exact" if (verdicts == 0).any() else ""
    return f"{', '.join(worse)}{rest}. What is the mistake?"


def _missed(check: Check, fault: str, k: int) -> str:
    if fault == "right" or (check.verdicts[k] == 2).any():
        return ""
    seen = bool(check.verdicts[k].any())
    return " At these weights the fault changes little." if seen else " At these weights the check cannot see it."


def _compared(check: Check, guess: Check, k: int) -> str:
    here, there = check.verdicts[k], guess.verdicts[k]
    worse, better = (there > 0) & (here == 0), (there == 0) & (here > 0)
    if worse.any():
        return f"No: here {places(worse)} {_are(worse)} exact, and your guess would make {_them(worse)} wrong."
    if better.any():
        verdict = VERDICTS[int(here[better].max())]
        return f"No: here {places(better)} {_are(better)} {verdict}, and your guess would leave {_them(better)} exact."
    if np.allclose(check.backward[k], guess.backward[k], rtol=1e-6, atol=1e-12):
        return "At these weights your guess does the same. Another update or start can tell the two apart."
    return "No: your guess spoils the same parameters, but by other amounts. The squares miss the ends of the bars."


def _are(chosen: npt.NDArray[np.bool_]) -> str:
    return "is" if chosen.sum() == 1 else "are"


def _them(chosen: npt.NDArray[np.bool_]) -> str:
    return "it" if chosen.sum() == 1 else "them"
