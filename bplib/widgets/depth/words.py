"""The depth bench in words: what reaches the first layer, and where the descent stands."""

import math

from bplib.widgets.depth.signals import Signals, signals
from bplib.widgets.depth.state import State
from bplib.widgets.depth.walk import Walk, curvatures_at_zero, kind_of_point, walk

__all__ = ["ACTIVATION_NAMES", "figures", "kind_words", "layer_factor", "layers_sentence", "walk_sentence"]

ACTIVATION_NAMES: dict[str, str] = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "none": "linear"}
"""Name in the code -> how a layer of that activation is called."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NOTABLE = 0.1
_FLAT = 0.01


def figures(value: float, digits: int = 3, least: float = 1e-3, *, zeros: bool = False) -> str:
    """A number with a few significant digits.

    Parameters
    ----------
    value : float
        Finite.
    digits : int
    least : float
        A smaller number gets a power of ten.
    zeros : bool
        Keep zeros at the end, so that numbers below one another are equally long.

    Returns
    -------
    str

    Examples
    --------
    >>> figures(0.23251), figures(2587.0), figures(4.18e7), figures(3.61e-31), figures(-0.5)
    ('0.233', '2590', '4.18·10⁷', '3.61·10⁻³¹', '−0.5')
    >>> figures(0.00000198, least=1e-6), figures(0.1, 2, zeros=True)
    ('0.00000198', '0.10')
    """
    mantissa, power = f"{value + 0.0:.{digits - 1}e}".split("e")  # + 0.0 takes the sign from −0
    if value == 0 or (abs(value) >= least and int(power) < 4):
        rounded = float(f"{mantissa}e{power}")
        text = f"{rounded:.{max(0, digits - 1 - int(power))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text and not zeros else text
    else:
        text = f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPTS)}"
    return text.replace("-", "−")


def layer_factor(spreads: list[float]) -> float | None:
    """What a layer multiplies the gradient by on its way back, the geometric mean over all of them.

    (s₁ / s_d)^(1/(d − 1)), s the standard deviation of ∂L/∂z in a layer.

    Parameters
    ----------
    spreads : list of float
        From the first layer to the top one.

    Returns
    -------
    float or None
        None for a single layer.

    Examples
    --------
    >>> print(f"{layer_factor([0.01, 0.3, 1.0]):.3g}")
    0.1
    """
    if len(spreads) < 2:
        return None
    # In logarithms: the ratio itself may be too small for a float.
    return float(10 ** ((math.log10(spreads[0]) - math.log10(spreads[-1])) / (len(spreads) - 1)))


def layers_sentence(state: State, depth: int) -> str:
    """What reaches the first layer of a network of this depth, or the question where that is hidden.

    Parameters
    ----------
    state : State
    depth : int

    Returns
    -------
    str

    Examples
    --------
    >>> layers_sentence(State(revealed=True), 10)
    'The gradient that reaches layer 1 is 2.01·10⁻⁶ times the one at the top; a layer multiplies it by 0.233 ...'
    """
    measured = signals(state.activation, state.init, state.width, state.seed)
    spreads = measured.gradient_spreads[depth - 1, :depth]
    factor = layer_factor(spreads.tolist())
    if factor is None:
        return "With one layer the top is also the first: move the slider to put layers between them."
    if not state.revealed:
        named = f"{depth} {ACTIVATION_NAMES[state.activation]} layers"
        return f"{named}: how large is the gradient at layer 1, as a share of the one at the top? Predict first."
    reached = figures(spreads[0] / spreads[-1])
    words = f"The gradient that reaches layer 1 is {reached} times the one at the top; a layer multiplies it by"
    return f"{words} {figures(factor, zeros=True)} on average.{_saturated(measured, depth)}"


def _saturated(measured: Signals, depth: int) -> str:
    share = float(measured.saturated[:depth].mean())
    return f" Saturated units: {100 * share:.0f} %." if share >= _NOTABLE else ""


def kind_words(walked: Walk, k: int) -> str:
    """What the eigenvalues at a step say, in a few words.

    Parameters
    ----------
    walked : Walk
    k : int
        Which step.

    Returns
    -------
    str

    Examples
    --------
    >>> kind_words(walk("saddle", (1.6, 0.0), 0.1, 0.0), 40)
    'one up, one down: a saddle'
    """
    low, high = sorted(walked.eigenvalues[k].tolist())
    kind = kind_of_point([high, low] if abs(low) > 0.01 * abs(high) else [high, 0.0])
    flat = walked.slopes[k] < _FLAT
    match kind:
        case "saddle":
            return "one up, one down: a saddle" if flat else "one up, one down, but not flat here"
        case "minimum":
            return "both up: a minimum" if flat else "both up, but not flat here"
        case "undecided":
            return "one up, one flat: a valley floor" if flat else "one up, one flat"
    return "both down: a maximum" if flat else "both down, but not flat here"


def walk_sentence(state: State, k: int) -> str:
    """Where the descent stands after k steps, and what each step does to the way off the ridge.

    Parameters
    ----------
    state : State
    k : int

    Returns
    -------
    str

    Examples
    --------
    >>> walk_sentence(State(), 40)
    'Step 40: gradient 4.25·10⁻⁴, loss 4.52·10⁻⁸. Exactly on the ridge nothing pushes it aside: it stays at the saddle.'
    """
    walked = walk(state.surface, state.start, state.lr, state.noise, state.seed)
    if walked.left is not None and k >= walked.left:
        return _left(walked, walked.left)
    return f"{_step(k)}: gradient {figures(walked.slopes[k])}, loss {figures(walked.heights[k])}. " + (
        _in_the_bowl(walked, k) if state.surface == "bowl" else _aside(state, walked, k)
    )


def _step(k: int) -> str:
    return f"Step {k}" if k else "The start"


def _left(walked: Walk, k: int) -> str:
    height = walked.heights[k]
    if height > walked.heights[k - 1]:
        return f"Step {k} jumps out of the picture, uphill: the learning rate is too large here."
    return f"Step {k} leaves the picture. The loss is {figures(height)} and falls further: there is no minimum here."


def _in_the_bowl(walked: Walk, k: int) -> str:
    if walked.slopes[k] < _FLAT:
        return "Flat, and it stays here whatever the noise does: both eigenvalues are positive."
    return "Both eigenvalues are positive: from every side it slides to the minimum."


def _aside(state: State, walked: Walk, k: int) -> str:
    aside, (low, high) = float(walked.distances[k, 1]), sorted(walked.eigenvalues[k].tolist())
    if aside == 0:
        if state.noise:
            return "On the ridge, and the noise is about to push it off."
        goes = "stays at" if walked.slopes[k] < _FLAT else "moves towards"
        return f"Exactly on the ridge nothing pushes it aside: it {goes} the saddle."
    if walked.slopes[k] < _FLAT and low > -0.1 * high:
        return "Flat, and this time no eigenvalue is negative: a minimum."
    factor = 1 - state.lr * curvatures_at_zero(state.surface)[1]
    about = "" if state.surface == "saddle" else "about "
    return f"It is {figures(aside)} off the ridge; near the saddle each step multiplies that by {about}{factor:.3g}."
