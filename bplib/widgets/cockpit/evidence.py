"""What speaks for a diagnosis, and against one: a run that has the guessed fault is held against the run on show."""

from collections.abc import Callable
from typing import NamedTuple, final

from bplib.widgets.cockpit.faults import HEALTHY, VALIDATED_ON
from bplib.widgets.cockpit.training import Training

__all__ = ["contradiction", "finding", "short"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float, digits: int = 3) -> str:
    """A positive number as a learner reads it.

    Examples
    --------
    >>> short(0.13577), short(2.3), short(3.29e-5), short(41234.0), short(0.0), short(float("inf"))
    ('0.136', '2.3', '3.3·10⁻⁵', '4.1·10⁴', '0', '∞')
    """
    if value == float("inf"):
        return "∞"
    if value == 0 or 1e-3 <= value < 1e4:
        return f"{value:.{digits}g}" if value < 100 else f"{value:.0f}"
    mantissa, power = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPTS)}"


# ---------------------------------------------------------------- against


_SUPPOSED: dict[str, str] = {
    HEALTHY: "In a healthy run",
    "unscaled": "With unscaled inputs",
    "shuffled": "With shuffled targets",
    "no_zeroing": "Without zeroing",
    "rate_high": "With η 100 times too large",
    "rate_low": "With η 1000 times too small",
    "leaked": "With a leak",
    "dead": "With dead units",
    "frozen": "With layer 1 frozen,",
}


def contradiction(training: Training, tried: Training) -> str:
    """What the plots hold against a wrong guess; empty where they cannot tell the two apart.

    The sign by which the guessed fault is known is looked at first, then the sign of the true one, then all others.

    Parameters
    ----------
    training : Training
        The run on show.
    tried : Training
        A run at the same rate that has the guessed fault.

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.cockpit.training import trained
    >>> contradiction(trained("healthy", 0.1, 0, 2), trained("dead", 0.1, 0, 2))
    'With dead units no gradient would reach layer 1; here its norm is 0.361 in epoch 1.'
    """
    last = min(training.epochs, tried.epochs)
    if not last:
        return ""
    ordered = [_KNOWN_BY[tried.fault], _KNOWN_BY[training.fault], *_SIGNS]
    clauses = (sign(tried, training, last) for sign in ordered if sign is not None)
    return next((f"{_SUPPOSED[tried.fault]} {clause}." for clause in clauses if clause), "")


def _apart(one: float, other: float, factor: float) -> bool:
    low, high = sorted((one, other))
    return low != high and (low == 0 or high / low >= factor)


def _first_loss(tried: Training, training: Training, last: int) -> str:
    there, here = (run.rows[0].train_loss for run in (tried, training))
    if not _apart(there, here, 1.3):
        return ""
    return f"the loss before the first step would be {short(there)}; here it is {short(here)}"


def _no_gradient(tried: Training, training: Training, last: int) -> str:
    there, here = (run.rows[1].gradients[0] for run in (tried, training))
    if (there == 0) == (here == 0):
        return ""
    if there == 0:
        return f"no gradient would reach layer 1; here its norm is {short(here)} in epoch 1"
    return f"a gradient of norm {short(there)} would reach layer 1 in epoch 1; here none does"


def _no_update(tried: Training, training: Training, last: int) -> str:
    there, here = (run.rows[1].ratios[0] for run in (tried, training))
    if (there == 0) == (here == 0):
        return ""
    if there == 0:
        return f"layer 1 would not move at all; here its update-to-weight ratio is {short(here)} in epoch 1"
    return f"layer 1 would move, with an update-to-weight ratio of {short(there)} in epoch 1; here the ratio is 0"


def _ratio(tried: Training, training: Training, last: int) -> str:
    layer, there, here = _most_apart(tried.rows[1].ratios, training.rows[1].ratios)
    if not _apart(there, here, 4):
        return ""
    return f"the update-to-weight ratio of layer {layer} would be {short(there)} in epoch 1; here it is {short(here)}"


def _norm(tried: Training, training: Training, last: int) -> str:
    layer, there, here = _most_apart(tried.rows[last].gradients, training.rows[last].gradients)
    if not _apart(there, here, 3):
        return ""
    return f"the gradient norm of layer {layer} would be {short(there)} in epoch {last}; here it is {short(here)}"


def _most_apart(there: tuple[float, float], here: tuple[float, float]) -> tuple[int, float, float]:
    """The layer in which two pairs differ by the larger factor, with its two numbers."""

    def factor(layer: int) -> float:
        low, high = sorted((there[layer], here[layer]))
        return 1.0 if low == high else high / low if low else float("inf")

    layer = max((0, 1), key=factor)
    return layer + 1, there[layer], here[layer]


def _right(tried: Training, training: Training, last: int) -> str:
    there, here = (run.rows[last].right for run in (tried, training))
    if abs(there - here) < VALIDATED_ON / 5:
        return ""
    return f"{there} of {VALIDATED_ON} validation digits would be right in epoch {last}; here {here} are"


def _gap(tried: Training, training: Training, last: int) -> str:
    there, here = (run.rows[last].valid_loss / max(run.rows[last].train_loss, 1e-12) for run in (tried, training))
    if not _apart(there, here, 1.5):
        return ""
    loss = f"the validation loss would be {short(there)} × the training loss in epoch {last}"
    return f"{loss}; here it is {short(here)} ×"


def _train_loss(tried: Training, training: Training, last: int) -> str:
    there, here = (run.rows[last].train_loss for run in (tried, training))
    if not _apart(there, here, 1.5):
        return ""
    return f"the training loss would be {short(there)} in epoch {last}; here it is {short(here)}"


_Sign = Callable[[Training, Training, int], str]
_SIGNS: tuple[_Sign, ...] = (_first_loss, _no_gradient, _no_update, _ratio, _norm, _right, _gap, _train_loss)
_KNOWN_BY: dict[str, _Sign | None] = {
    HEALTHY: None,  # by what it does not have
    "unscaled": _first_loss,
    "shuffled": _right,
    "no_zeroing": _norm,
    "rate_high": _ratio,
    "rate_low": _ratio,
    "leaked": _gap,
    "dead": _no_gradient,
    "frozen": _no_update,
}


# ---------------------------------------------------------------- for


@final
class _Finding(NamedTuple):
    what: str
    seen: Callable[[Training], str]


def finding(training: Training) -> str:
    """What is behind a run, and what in its plots speaks for that.

    Parameters
    ----------
    training : Training

    Returns
    -------
    str

    Examples
    --------
    >>> from bplib.widgets.cockpit.training import trained
    >>> finding(trained("dead", 0.1, 0, 2))
    'the units of layer 1 begin with a bias of −10 and give 0. No gradient reaches it: norm 0, in epoch 1 already.'
    """
    what, seen = _FINDINGS[training.fault]
    return f"{what}. {seen(training)}" if training.epochs else f"{what}. Run it and see what that does."


def _seen_healthy(training: Training) -> str:
    first, last = training.rows[0], training.rows[-1]
    losses = f"{short(last.train_loss)} on training, {short(last.valid_loss)} on validation"
    return f"The first loss is {short(first.train_loss)}, near ln 10. A gap is usual: {losses}."


def _seen_unscaled(training: Training) -> str:
    first = short(training.rows[0].train_loss)
    return f"The loss is {first} before the first step, far from ln 10. No learning rate can do that."


def _seen_shuffled(training: Training) -> str:
    last = training.rows[-1]
    course = f"From {short(training.rows[0].train_loss)} to {short(last.train_loss)} on training, by heart alone"
    return f"{course}: {last.right} of {VALIDATED_ON} validation digits are right."


def _seen_no_zeroing(training: Training) -> str:
    first, last = (training.rows[k].gradients[0] for k in (1, -1))
    later = "" if training.epochs == 1 else f", {short(last)} in epoch {training.epochs}"
    return f"Each holds all before it: norm of layer 1 {short(first)} in epoch 1{later}."


def _seen_rate_high(training: Training) -> str:
    died = "; layer 1 dies of it" if training.rows[-1].gradients[0] == 0 else ""
    return f"In epoch 1 an update is {short(training.rows[1].ratios[1])} × as long as the weights of layer 2{died}."


def _seen_rate_low(training: Training) -> str:
    ratio, loss = short(training.rows[1].ratios[1]), short(training.rows[-1].train_loss)
    return f"An update is {ratio} of the weights of layer 2; after {_many(training.epochs)} the loss is {loss}."


def _many(epochs: int) -> str:
    return f"{epochs} epoch{'s' if epochs > 1 else ''}"


def _seen_leaked(training: Training) -> str:
    last = training.rows[-1]
    return f"Both losses stay together, {short(last.train_loss)} and {short(last.valid_loss)}: no gap opens."


def _seen_frozen(training: Training) -> str:
    norm = short(training.rows[1].gradients[0])
    return f"A gradient of norm {norm} reaches it, yet its update-to-weight ratio is 0."


_FINDINGS: dict[str, _Finding] = {
    HEALTHY: _Finding("nothing is wrong", _seen_healthy),
    "unscaled": _Finding("the pixels go from 0 to 16", _seen_unscaled),
    "shuffled": _Finding("the targets are shuffled", _seen_shuffled),
    "no_zeroing": _Finding("nothing zeroes the gradients", _seen_no_zeroing),
    "rate_high": _Finding("the optimizer gets 100 η", _seen_rate_high),
    "rate_low": _Finding("the optimizer gets η / 1000", _seen_rate_low),
    "leaked": _Finding("the validation digits are among the training digits", _seen_leaked),
    "dead": _Finding(
        "the units of layer 1 begin with a bias of −10 and give 0",
        lambda training: "No gradient reaches it: norm 0, in epoch 1 already.",
    ),
    "frozen": _Finding("the optimizer does not hold layer 1", _seen_frozen),
}
