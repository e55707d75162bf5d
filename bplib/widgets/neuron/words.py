"""The neuron bench in words: what Forward, Backward and Update did, and what there is to notice."""

from bplib.tracing.figures import number
from bplib.widgets.neuron.passes import Passes
from bplib.widgets.neuron.state import Run, State

__all__ = ["description", "many", "sentence", "short", "signed"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_FLAT = 0.05  # a(1 − a) is 0.25 at most
_WRONG = 0.5
_ROUNDING = 1e-12
_SMALL = 1e-3


def short(value: float) -> str:
    """A number with four digits; one too small for them gets a power of ten, and two digits.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> short(0.81757), short(-2.0), short(-0.0000123456), short(-0.0)
    ('0.8176', '−2', '−1.2·10⁻⁵', '0')
    """
    if value == 0 or abs(value) >= _SMALL:
        return number(value, 4)
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPTS)}".replace("-", "−")


def signed(value: float) -> str:
    """A number with four digits and always with its sign, as gradients and steps are written.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> signed(0.121934), signed(-0.5), signed(0.0)
    ('+0.1219', '−0.5', '0')
    """
    return f"+{short(value)}" if value > 0 else short(value)


def many(count: int) -> str:
    """So many updates.

    Examples
    --------
    >>> many(1), many(10)
    ('1 update', '10 updates')
    """
    return f"{count} update{'' if count == 1 else 's'}"


def sentence(state: State, w: float, found: Passes, k: int) -> str:
    """What happened and what there is to notice at one weight.

    Parameters
    ----------
    state : State
    w : float
        The weight, which need not be the state's.
    found : Passes
    k : int
        Where in `found` that weight is.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.neuron.passes import passes
    >>> state = State()
    >>> sentence(state, 0.6, passes([0.6], state.b, state.x, state.y), 0)
    'Forward: z = 0.6 · 1 + 0.9 = 1.5, a = σ(1.5) = 0.8176. Loss: ½(0.8176 − 0)² = 0.3342. Next: Backward.'
    """
    if state.note and w == state.w:
        return _NOTES[state.note]
    if state.run is not None and state.ends_run_at(w):
        return _after(state.run)
    return _backward(state, found, k) if state.gradients_shown else _forward(state, w, found, k)


_NOTES = {
    "first": "There is nothing to step back to.",
    "too many": "With so many more updates the picture would be too full. Move a slider or press Reset to begin anew.",
}


def _factor(value: float) -> str:
    """A number as a factor or the second part of a sum or difference: brackets around a minus sign."""
    return f"({short(value)})" if value < 0 else short(value)


def _forward(state: State, w: float, found: Passes, k: int) -> str:
    z, a = short(found.z[k]), short(found.output[k])
    return (
        f"Forward: z = {short(w)} · {_factor(state.x)} + {_factor(state.b)} = {z}, a = σ({z}) = {a}. "
        f"Loss: ½({a} − {short(state.y)})² = {short(found.loss[k])}. Next: Backward."
    )


def _backward(state: State, found: Passes, k: int) -> str:
    error, slope, gradient = found.to_output[k], found.slope[k], found.to_w[k]
    if state.x == 0:
        return (
            "x = 0: whatever w is, w · x stays 0. So the curve is level, ∂L/∂w = 0, and Update cannot move w; "
            "it still moves b."
        )
    if abs(error) > _WRONG and slope < _FLAT:
        return (
            f"a = {short(found.output[k])} is far from the target {short(state.y)}, but σ is almost level at this z: "
            f"a(1 − a) = {short(slope)}. So ∂L/∂w is only {signed(gradient)}."
        )
    if abs(error) < _ROUNDING:
        return "a is the target: no error, no gradient, and Update moves nothing."
    return (
        f"Backward: ∂L/∂w = (a − y) · a(1 − a) · x = {short(error)} · {short(slope)} · {_factor(state.x)} = "
        f"{signed(gradient)}, the slope. Step of w: {signed(-state.lr * gradient)}."
    )


def _after(run: Run) -> str:
    n, total = run.pressed, run.updates
    w, b, loss = ((values[-1 - n], values[-1]) for values in (run.w, run.b, run.loss))
    head = f"Update {total}" if n == 1 else many(n) if n == total else f"{many(n)}, {total} in all"
    if w[0] == w[1] and b[0] == b[1]:
        return f"{head}: w and b stay, because both gradients are 0."
    if n > 1:
        a = (run.output[-1 - n], run.output[-1])
        return f"{head}: a went from {_from_to(a)}, and the loss {_course(loss)} from {_from_to(loss)}."
    moved = " b has moved, too: the whole curve is a new one." if total == 1 else ""
    both = f"{_moved('w', w)}, {_moved('b', b)}"
    return f"{head}: {both}. The loss {_course(loss)} from {_from_to(loss)}.{moved}"


def _course(loss: tuple[float, float]) -> str:
    return "fell" if loss[1] < loss[0] else "rose" if loss[1] > loss[0] else "went"


def _from_to(pair: tuple[float, float]) -> str:
    return f"{short(pair[0])} to {short(pair[1])}"


def _moved(name: str, pair: tuple[float, float]) -> str:
    return f"{name} stays {short(pair[0])}" if pair[0] == pair[1] else f"{name} {short(pair[0])} → {short(pair[1])}"


def description(state: State) -> str:
    """What the picture shows at every weight, for somebody who cannot see it.

    Parameters
    ----------
    state : State

    Returns
    -------
    str

    Examples
    --------
    >>> description(State())
    'One sigmoid neuron with x = 1, b = 0.9, η = 0.15 and target 0, and its loss ½(a − y)² over the weight'
    """
    values = f"x = {short(state.x)}, b = {short(state.b)}, η = {short(state.lr)} and target {short(state.y)}"
    run = state.run
    done = "" if run is None else f". {many(run.updates)}: loss from {_from_to((run.loss[0], run.loss[-1]))}"
    return f"One sigmoid neuron with {values}, and its loss ½(a − y)² over the weight{done}"
