"""What a typed gradient is: right, or which mistake it matches. Every wrong value is computed by making the mistake."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from bplib.tracing.figures import number, partial
from bplib.tracing.records import Share

__all__ = ["MISTAKES", "Verdict", "as_number_typed", "is_close", "judge"]

_TOLERANCE = 0.01  # two digits are enough
_SHOWN = 40


@final
@dataclass(frozen=True)
class Verdict:
    """What an answer is.

    Attributes
    ----------
    right : bool
    mistake : str
        The name of the mistake; empty where none is recognised.
    sentence : str
        For the learner.
    """

    right: bool
    mistake: str
    sentence: str


def _local(share: Share) -> float:
    return float("nan") if share.local is None or share.local.size != 1 else float(share.local.item())


def _incoming(share: Share) -> float:
    return float(share.incoming.item())


def _divided(share: Share) -> float:
    return _incoming(share) / _local(share) if _local(share) else float("nan")


def _sum_so_far(share: Share) -> float:
    return float("nan") if share.before is None else float(share.total.item())


# By name: the wrong value, and the sentence. {left}, {node} and {parent} are filled in.
MISTAKES: dict[str, tuple[Callable[[Share], float], str]] = {
    "incoming-omitted": (
        _local,
        "That is the local derivative {local} alone. Multiply it by what comes in, {incoming}.",
    ),
    "local-omitted": (
        _incoming,
        "That is what comes in, unchanged. Multiply it by the local derivative {local}.",
    ),
    "sign-flipped": (
        lambda share: -_incoming(share) * _local(share),
        "The size is right, the sign is not. Look at the signs of both factors.",
    ),
    "added-along-the-path": (
        lambda share: _incoming(share) + _local(share),
        "You added the two. Along a path the factors are multiplied; sums come only where paths meet.",
    ),
    "divided": (
        _divided,
        "You divided by the local derivative. Going back multiplies by it as well.",
    ),
    "sum-of-all-parts": (
        _sum_so_far,
        "That is the sum of all that has arrived at {parent}. Asked is the part along this wire; the sum follows.",
    ),
}
"""The mistakes that are recognised, in the order in which they are looked for."""


def as_number_typed(answer: Any) -> float:
    """Read a number as people type it: a decimal comma, a true minus sign, a fraction. NaN where there is none.

    Parameters
    ----------
    answer : str or float
        Never evaluated.

    Returns
    -------
    float

    Examples
    --------
    >>> as_number_typed("−0,25"), as_number_typed("1/8"), as_number_typed("abc")
    (-0.25, 0.125, nan)
    """
    above, slash, below = str(answer).strip().replace("−", "-").replace(",", ".").partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def is_close(value: float, truth: float) -> bool:
    """Say whether two numbers agree to about two digits."""
    return abs(value - truth) <= _TOLERANCE * abs(truth) + 1e-9


def judge(share: Share, value: float, answer: Any) -> Verdict:
    """Judge an answer to what goes along one wire.

    Parameters
    ----------
    share : Share
        Of single numbers.
    value : float
        The answer as a number; NaN where it is none.
    answer : object
        As it was given, for the sentence.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> from bplib.widgets.graph.examples import story_of
    >>> share = story_of("square").backward[0].shares[0]
    >>> judge(share, 3.0, "3").right, judge(share, 1.0, "1").mistake
    (True, 'local-omitted')
    """
    if math.isnan(value):
        shown = str(answer).strip()
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
        return Verdict(False, "no-number", f"There is no number in “{shown}”. Type one, such as −0.25 or 1/3.")
    truth = float(share.outgoing.item())
    words = {
        "local": partial(share.node.name, share.parent.name), "incoming": number(share.incoming.item(), 4),
        "parent": share.parent.name,
    }  # fmt: skip
    if is_close(value, truth):
        return Verdict(True, "", f"Right: {number(truth, 4)}.")
    for name, (make, sentence) in MISTAKES.items():
        wrong = make(share)
        if is_close(value, wrong) and not is_close(wrong, truth):
            return Verdict(False, name, f"Not yet. {sentence.format(**words)}")
    return Verdict(
        False, "", "Not yet. Find the local derivative {local} first, then multiply it by {incoming}.".format(**words)
    )
