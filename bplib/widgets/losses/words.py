"""The loss comparer in words: the losses at c, where each is lowest, and what the logits lead to."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bplib.widgets.losses.numbers import LOSSES, lowest, slopes, values
from bplib.widgets.losses.softmax import naive, outcome
from bplib.widgets.losses.state import State

__all__ = [
    "bottom", "class_sentence", "heights_of", "index", "naive_words", "number_sentences", "short", "signed",
]  # fmt: skip

Floats = npt.NDArray[np.float64]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def short(value: float, digits: int = 4) -> str:
    """Write a number with few digits: at least those before the point, or a power of ten where it is very small.

    Parameters
    ----------
    value : float
    digits : int

    Returns
    -------
    str

    Examples
    --------
    >>> short(-0.5), short(10000.4), short(0.0000454), short(2 / 3), short(0.00003, 1)
    ('−0.5', '10000', '4.54·10⁻⁵', '0.6667', '3·10⁻⁵')
    """
    if 0 < abs(value) < 1e-3:
        mantissa, power = f"{value:.{max(0, digits - 2)}e}".split("e")
        text = f"{float(mantissa):g}·10{str(int(power)).translate(_SUPERSCRIPTS)}"
    else:
        text = f"{value:.0f}" if abs(value) >= 1000 else f"{value + 0.0:.{digits}g}"
    return text.replace("-", "−")


def signed(value: float, digits: int = 4) -> str:
    """Write a number with its sign, also a plus.

    Examples
    --------
    >>> signed(0.741), signed(-0.741), signed(0.0)
    ('+0.741', '−0.741', '0')
    """
    return ("+" if value > 0 else "") + short(value, digits)


def index(letter: str, which: int) -> str:
    """Write a letter with an index below.

    Examples
    --------
    >>> index("z", 2)
    'z₂'
    """
    return letter + str(which).translate(_SUBSCRIPTS)


def bottom(loss: str, state: State) -> str:
    """Where a loss is lowest: one c, or from one to another.

    Parameters
    ----------
    loss : {"MSE", "MAE", "Huber"}
    state : State

    Returns
    -------
    str

    Examples
    --------
    >>> bottom("MAE", State()), bottom("MAE", State(data=(1.0, 2.0, 3.0, 4.0)))
    ('3', '2 to 3')
    """
    low, high = lowest(loss, state.data, state.delta)
    return short(low) if low == high else f"{short(low)} to {short(high)}"


def heights_of(state: State, loss: str, at: npt.ArrayLike, data: tuple[float, ...]) -> Floats:
    """What a curve shows at several c, for some of the numbers: the loss, or its slope.

    Parameters
    ----------
    state : State
    loss : {"MSE", "MAE", "Huber"}
    at : array_like, shape (k,)
    data : tuple of float

    Returns
    -------
    ndarray, shape (k,)

    Examples
    --------
    >>> heights_of(State(), "MSE", [3.0], (1.0, 5.0)).tolist()
    [4.0]
    """
    heights = (slopes if state.derivative else values)(loss, data, state.delta, at)
    # At the minimum the pulls cancel but for rounding: a slope of 10⁻¹⁵ would hide that.
    return heights.round(12) + 0.0


def number_sentences(
    state: State, at: tuple[float, ...], heights: Mapping[str, Floats] | None = None
) -> tuple[str, ...]:
    """What the losses are at several c, and where each is lowest.

    Parameters
    ----------
    state : State
        Its own c does not matter.
    at : tuple of float, length k
    heights : mapping of str to ndarray, optional
        The losses, or their slopes, at each c, where they are known.

    Returns
    -------
    tuple of str, length k

    Examples
    --------
    >>> number_sentences(State(), (4.5,))
    ('c = 4.5: MSE 4.25, MAE 1.7, Huber 1.25. All three are lowest at c = 3.',)
    """
    write = signed if state.derivative else short
    rows = heights or {loss: heights_of(state, loss, at, state.data) for loss in LOSSES}
    head = "slope of " if state.derivative else ""
    end = _where_lowest(state)
    told = []
    for k, c in enumerate(at):
        each = ", ".join(f"{loss} {write(row[k])}" for loss, row in rows.items())
        kink = f" c lies on the {short(c)}: it adds 0 to MAE's slope." if state.derivative and c in state.data else ""
        told.append(f"c = {short(c)}: {head}{each}. {end}{kink}")
    return tuple(told)


def _where_lowest(state: State) -> str:
    mse, mae, huber = (bottom(loss, state) for loss in LOSSES)
    if mse == mae == huber:
        return (
            f"The slope of all three passes 0 at c = {mse}."
            if state.derivative
            else f"All three are lowest at c = {mse}."
        )
    if state.derivative:
        return f"MSE's slope passes 0 at c = {mse}, MAE's at {mae}, Huber's at {huber}."
    return f"MSE is lowest at c = {mse}, MAE at {mae}, Huber at {huber}."


def class_sentence(state: State) -> str:
    """What the logits lead to.

    Parameters
    ----------
    state : State

    Returns
    -------
    str

    Examples
    --------
    >>> class_sentence(State())
    'Class 0 is true, p₀ = 0.2595: cross-entropy 1.349. Slope on z₀: −0.7405, of the squared error −0.5435.'
    """
    told, t = outcome(state.logits, state.target, state.examples), state.target
    z = index("z", t)
    mean = f" of the mean of {state.examples}" if state.examples > 1 else ""
    got = naive(state.logits, t)
    given = "no number" if math.isnan(got) else "infinity"
    warning = "" if math.isfinite(got) else f" −ln p as it stands gives {given}."
    return (
        f"Class {t} is true, {index('p', t)} = {short(told.probabilities[t])}: cross-entropy "
        f"{short(told.cross_entropy)}. Slope{mean} on {z}: {signed(told.gradient[t])}, of the squared error "
        f"{signed(told.squared_gradient[t])}.{warning}"
    )


def naive_words(state: State) -> str:
    """What the definition of cross-entropy gives when it is computed as it stands.

    Parameters
    ----------
    state : State

    Returns
    -------
    str

    Examples
    --------
    >>> naive_words(State()), naive_words(State(logits=(1000.0, 0.0, 0.0)))
    ('−ln p as it stands: the same', '−ln p as it stands: nan, for exp(1000) is too large')
    """
    got = naive(state.logits, state.target)
    if math.isfinite(got):
        return "−ln p as it stands: the same"
    largest = max(state.logits)
    if largest > 709:  # ln of the largest float64
        return f"−ln p as it stands: {got}, for exp({short(largest)}) is too large"
    return f"−ln p as it stands: {got}, for exp({short(state.logits[state.target])}) counts as 0"
