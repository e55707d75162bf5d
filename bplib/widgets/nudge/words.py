"""The nudge lab in words: predicted and true change, what is wrong with the slope, where the gradient points."""

from bplib.widgets.nudge.direction import Direction
from bplib.widgets.nudge.errors import Nudges
from bplib.widgets.nudge.examples import EXAMPLES

__all__ = ["direction_sentence", "figure", "nudge_sentence"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# One cause counts as nearly all of an error from three quarters on.
_MOSTLY = 3.0


def figure(value: float, digits: int = 4) -> str:
    """A number with few digits, and with a power of ten where it is far from 1.

    Parameters
    ----------
    value : float
    digits : int
        Significant ones.

    Returns
    -------
    str

    Examples
    --------
    >>> figure(-0.5), figure(1e-12), figure(-9.0660864e-12), figure(0.0)
    ('−0.5', '10⁻¹²', '−9.066·10⁻¹²', '0')
    """
    mantissa, _, power = f"{value + 0.0:.{digits}g}".partition("e")
    if power:
        ten = "10" + str(int(power)).translate(_SUPERSCRIPTS)
        mantissa = {"1": ten, "-1": "-" + ten}.get(mantissa, f"{mantissa}·{ten}")
    return mantissa.replace("-", "−")


def nudge_sentence(found: Nudges, k: int, example: str, which: str) -> str:
    """What one nudge predicts, what really happens, and where the difference comes from.

    Parameters
    ----------
    found : Nudges
    k : int
        Which of its nudges.
    example : str
        A key of `EXAMPLES`.
    which : str
        Name of the nudged input.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.nudge.errors import nudges
    >>> nudge_sentence(nudges("square", (1.0,), "x", "forward", (0.1,)), 0, "square", "x")
    'h = 0.1: change predicted 0.2, true 0.21. The slope is off by 0.1, nearly all from the bend of the curve.'
    """
    h = ("±" if found.reach[k] > found.hs[k] else "") + figure(found.hs[k])
    head = f"h = {h}: change predicted {figure(found.predicted[k])}, true {figure(found.changes[k])}."
    if found.x == EXAMPLES[example].kink:
        return f"{head} A kink: slope −1 on the left, 1 on the right; backward() answers {figure(found.slope)}."
    if found.x + found.hs[k] == found.x:
        return f"{head} For the computer, which keeps 16 digits, {which} + h is {which} itself."
    error = found.errors[k]
    if error == 0:
        return f"{head} The slope is right to the last digit."
    return f"{head} The slope is off by {figure(error, 3)}, {_cause(found, k, example)}."


def _cause(found: Nudges, k: int, example: str) -> str:
    bend, rounding = abs(found.bend[k]), abs(found.rounding[k])
    kink = EXAMPLES[example].kink
    if kink is not None and bend > 0:
        return f"because the nudge reaches over the kink at {figure(kink)}"
    if bend > _MOSTLY * rounding:
        return "nearly all from the bend of the curve"
    if rounding > _MOSTLY * bend:
        return "nearly all from rounding in the computer"
    return "from bend and rounding together"


def direction_sentence(found: Direction) -> str:
    """Where the negative gradient points, and what it is good for all the same.

    Parameters
    ----------
    found : Direction

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.nudge.direction import direction
    >>> direction_sentence(direction(100.0, (2.0, 0.0)))
    'At (2, 0), −gradient points to the minimum: here the valley has no slope to the side.'
    """
    x, y = (figure(value, 3) for value in found.point)
    if found.angle is None:
        return "At the minimum the gradient is 0: no direction goes down from here."
    if found.condition_number == 1:
        return f"At ({x}, {y}), −gradient points to the minimum, as it does everywhere on a round bowl."
    if 0.0 in found.point:
        beside = "to the side" if found.point[1] == 0 else "along it"
        return f"At ({x}, {y}), −gradient points to the minimum: here the valley has no slope {beside}."
    start = f"At ({x}, {y}), −gradient misses the minimum by {figure(found.angle)}°."
    if found.gain < 1.0005:
        return f"{start} Along it the loss falls faster at first, by less than 0.1 %."
    return f"{start} Along it the loss falls {figure(found.gain)} times as fast as towards the minimum, at first."
