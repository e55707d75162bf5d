"""The loop stepper in words: what happened, what comes next, and why a stage has to wait."""

from bplib.widgets.loop.state import State, following, has_diverged

__all__ = ["EXAMPLES", "NAME", "description", "number", "sentence"]

NAME = "A network that learns XOR, one stage at a time"
EXAMPLES: tuple[str, ...] = ("0 0", "0 1", "1 0", "1 1")
"""The inputs of the four examples, in their order."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NOT_YET = {
    "Loss": "Loss compares the predictions with their targets, and there are no predictions yet.",
    "Backward": "Backward starts from the loss, and there is none yet.",
    "Update": "Update needs gradients, and there are none yet.",
}
_AFTER_UPDATE = {
    "Loss": "These predictions are from before the update.",
    "Backward": "Backward starts from the loss of the new weights, and there is none yet.",
    "Update": "The gradients are used up: they belonged to the weights before the update.",
}


def number(value: float, digits: int = 3) -> str:
    """A number as short as the picture needs it.

    Parameters
    ----------
    value : float
    digits : int
        After the point, at least 2, fewer from 10 on; a number too small or too large gets a power of ten.

    Returns
    -------
    str

    Examples
    --------
    >>> number(-0.5), number(123.45), number(0.00007, 4), number(2.4e17), number(float("nan"))
    ('−0.500', '123.5', '7·10⁻⁵', '2·10¹⁷', 'too large')
    """
    if not abs(value) < float("inf"):
        return "too large"
    if value == 0 or 0.95 * 10.0**-digits < abs(value) < 1000:  # 0.00099 reads 0.001
        before_point = len(str(int(abs(value))))
        return f"{value + 0.0:.{digits + 1 - before_point}f}".replace("-", "−")
    mantissa, power = f"{value:.0e}".split("e")
    return f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPTS)}".replace("-", "−")


def sentence(state: State) -> str:
    """What happened and what comes next.

    Parameters
    ----------
    state : State

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.loop.state import Event, first_state, reduce
    >>> sentence(reduce(first_state(), Event("press", "Update")))
    'Update needs gradients, and there are none yet. Press Forward first.'
    """
    coming = following(state)
    if not coming:
        return f"{_diverged(state)} Press Step back or Reset, and choose a smaller η."
    match state.note:
        case ("refused", str(stage)):
            return f"{_why_not(state, stage)} Press {coming} first."
        case ("too many", n):
            return f"With {n} more loops the picture would be too full. Press Reset."
    return f"{_happened(state)} Next: {coming}."


def _happened(state: State) -> str:
    match state.note:
        case ("loops", int(loops), int(updates), before):
            return _loops(state, loops, updates, before)
        case ("rate",):
            return f"η = {state.lr:g} now. Only Update uses it; nothing else has changed."
        case ("skip",):
            return "“skip update” is on: Update is left out." if state.skip_update else "“skip update” is off."
        case ("first",):
            return "There is nothing to step back to."
    return _stage(state)


def _stage(state: State) -> str:
    count = len(state.parameters)
    match state.done:
        case "Forward":
            return "Forward: four predictions from the present weights. No weight has changed."
        case "Loss":
            return f"Loss: the four errors, squared and averaged, give {number(state.losses[-1], 4)}."
        case "Backward":
            skipped = " Update is skipped." if state.skip_update else ""
            return f"Backward: {count} gradients computed. No weight has changed.{skipped}"
        case "Update":
            return f"Update: all {count} parameters moved by −η · gradient. The predictions are from before it."
    weights = 3 * state.hidden
    return f"{weights} weights and {count - weights} biases, drawn at random. Nothing is computed yet."


def _loops(state: State, loops: int, updates: int, before: float | None) -> str:
    first = state.losses[0] if before is None else before
    last = state.losses[-1]
    course = f"fell from {number(first, 4)} to" if last < first else f"grew from {number(first, 4)} to"
    if last == first:
        course = "stays at" if loops > 1 else "is"
    old = " The predictions shown were made before the last Update." if state.stale else ""
    return f"{_many(loops, 'loop')}, {_many(updates, 'update')}: the loss {course} {number(last, 4)}.{old}"


def _many(count: int, word: str) -> str:
    return f"{count or 'no'} {word if count < 2 else word + 's'}"


def _diverged(state: State) -> str:
    updates = _many(state.updates, "update")
    return f"Each update moves the weights further away. After {updates} the numbers are too large for the computer."


def _why_not(state: State, stage: str) -> str:
    if stage == "Forward":
        if state.done == "Backward":
            return f"The {len(state.parameters)} gradients wait for Update. To leave it out, switch on “skip update”."
        return "No weight has changed since the last Forward: the predictions would be the same."
    if state.done == "Update":
        return _AFTER_UPDATE[stage]
    if stage == "Update" and state.gradients is not None:
        return "Update is left out as long as “skip update” is on."
    if stage == "Backward" and state.gradients is not None:
        return "The gradients are there. From the same weights, Backward would compute the same again."
    if stage == "Loss" and state.loss is not None:
        return "The loss of these predictions is known already."
    return _NOT_YET[stage]


def description(state: State) -> str:
    """What the picture shows, for somebody who cannot see it.

    Parameters
    ----------
    state : State

    Returns
    -------
    str
    """
    parts = [NAME]
    if state.predictions is not None:
        when = " from before the update" if state.stale else ""
        pairs = zip(EXAMPLES, state.predictions, strict=True)
        parts.append(f"Predictions{when}: " + ", ".join(f"{number(p)} for {x}" for x, p in pairs))
    if state.losses:
        parts.append(f"Loss {number(state.losses[-1], 4)} in loop {len(state.losses)}")
    if not has_diverged(state):
        parts += _beside(state)
    return ". ".join(parts)


def _beside(state: State) -> list[str]:
    weights = "Each weight and each bias is written on the network"
    if state.gradients is not None:
        return [f"{weights}, its gradient below it, from {_span(state.gradients)}"]
    if state.change is not None:
        return [f"{weights}, below it what the update added, from {_span(state.change)}"]
    return [weights]


def _span(values: tuple[float, ...]) -> str:
    return f"{number(min(values))} to {number(max(values))}"
