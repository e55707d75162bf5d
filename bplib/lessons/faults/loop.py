"""Mistakes about the loop of the four stages: their order, what each makes new, one update."""

from bplib.lessons.faults.fault import Fault

__all__ = ["STAGES_FAULTS", "STAGE_LINES_FAULTS", "STAGE_OF_RATE_FAULTS", "one_update_faults"]


def one_update_faults(w: float, gradient: float, rate: float) -> tuple[Fault, ...]:
    """Wrong ways to do one update, w − rate · gradient.

    Parameters
    ----------
    w, gradient : float
    rate : float
        The learning rate, above 0.

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [round(fault.make(), 3) for fault in one_update_faults(2.0, 3.0, 0.1)]
    [2.3, -1.0, 0.3, -0.3, 1.9, -28.0, 1.8, 2.8, -0.1, 2.0, 1.4, 0.6, 2.7, 5.0]
    """
    return (*_wrong_steps(w, gradient, rate), *_wrong_updates(w, gradient, rate), *_wrong_mixtures(w, gradient, rate))


def _wrong_steps(w: float, gradient: float, rate: float) -> tuple[Fault, ...]:
    return (
        Fault(
            "sign-flipped",
            lambda: w + rate * gradient,
            "You added the step. The gradient points to where the loss grows, so this climbs. "
            "The update goes against it.",
            "M3",
        ),
        Fault(
            "rate-forgotten",
            lambda: w - gradient,
            f"You subtracted the whole gradient. Multiply it by the learning rate {rate:g} first.",
            "M4",
        ),
        Fault(
            "only-the-step",
            lambda: rate * gradient,
            "That is the step, the learning rate times the gradient. The new weight is the old one minus that step.",
        ),
        Fault(
            "only-the-signed-step",
            lambda: -rate * gradient,
            "That is the change of the weight. Add the old weight to get the new one.",
        ),
        Fault(
            "gradient-forgotten",
            lambda: w - rate,
            f"You subtracted the learning rate alone. The step is {rate:g} times the gradient.",
        ),
    )


def _wrong_updates(w: float, gradient: float, rate: float) -> tuple[Fault, ...]:
    return (
        Fault(
            "divided-by-rate",
            lambda: w - gradient / rate,
            "You divided by the learning rate. The step is the learning rate times the gradient.",
        ),
        Fault(
            "rate-times-weight",
            lambda: w - rate * w,
            "You multiplied the learning rate by the weight. The step is the learning rate times the gradient.",
        ),
        Fault(
            "weight-and-gradient-swapped",
            lambda: gradient - rate * w,
            "Weight and gradient have changed places: you took the gradient and subtracted a step from it.",
        ),
        Fault(
            "rate-times-everything",
            lambda: rate * (w - gradient),
            "You subtracted first, then multiplied. The learning rate multiplies the gradient only.",
        ),
        Fault(
            "nothing-changes",
            lambda: w,
            "That is the old weight: no step is taken.",
        ),
    )


def _wrong_mixtures(w: float, gradient: float, rate: float) -> tuple[Fault, ...]:
    return (
        Fault(
            "step-times-weight",
            lambda: w * (1 - rate * gradient),
            "You multiplied the step by the weight. The step is the learning rate times the gradient, nothing more.",
        ),
        Fault(
            "everything-multiplied",
            lambda: rate * w * gradient,
            "You multiplied all three numbers. Only the learning rate and the gradient are multiplied; "
            "subtract their product from the weight.",
        ),
        Fault(
            "gradient-minus-step",
            lambda: gradient - rate * gradient,
            "You subtracted the step from the gradient. Subtract it from the weight.",
        ),
        Fault(
            "weight-plus-gradient",
            lambda: w + gradient,
            f"You added the whole gradient. Multiply it by the learning rate {rate:g} first, then subtract.",
            "M3",
        ),
    )


# A update, B backward, C forward, D loss: `the_loop.run_stages` really runs them once.
STAGE_LINES_FAULTS: tuple[Fault, ...] = (
    Fault(
        "loss-before-forward",
        lambda: "DCBA",
        "Run in this order, the line with the loss (D) stops: it compares `prediction` with `y`, "
        "and there is no prediction yet. Which line makes it?",
    ),
    Fault(
        "backward-before-loss",
        lambda: "CBDA",
        "Run in this order, `loss.backward()` (B) stops: there is no loss yet to go back from. Which line makes it?",
        "M15",
    ),
    Fault(
        "backward-first",
        lambda: "BCDA",
        "You put Backward (B) before Forward and Loss. The method has its name from this stage, but it is one of four: "
        "it starts from the loss, and there is none yet.",
        "M1",
    ),
    Fault(
        "reversed",
        lambda: "ABDC",
        "That is the loop in reverse. Which line needs nothing but the network and its inputs? It comes first.",
    ),
    Fault(
        "update-before-backward",
        lambda: "CDAB",
        "Update (A) stands before Backward (B). It uses the gradients, and Backward has not computed them yet. "
        "Run once in this order, no weight changes.",
        "M1",
    ),
)
"""Wrong orders of the four lines of the loop."""


STAGE_OF_RATE_FAULTS: tuple[Fault, ...] = (
    Fault(
        "forward",
        lambda: ("Forward",),
        "Forward computes the predictions, from the inputs and the weights. How long a step will be plays no part "
        "in that. Which stage takes the step?",
    ),
    Fault(
        "loss",
        lambda: ("Loss",),
        "Loss compares the predictions with the targets. How long a step will be plays no part in that. "
        "Which stage takes the step?",
    ),
    Fault(
        "backward",
        lambda: ("Backward",),
        "Backward computes the gradients: how the loss reacts to each weight. It takes no step and changes no weight, "
        "so it has no use for the learning rate. Which stage takes the step?",
        "M1",
    ),
)
"""The stages that do not use the learning rate."""


STAGES_FAULTS: tuple[Fault, ...] = (
    Fault(
        "backward-changes-weights",
        lambda: ("predictions", "loss", "weights", "weights"),
        "You gave `weights` to Backward and to Update. Backward changes no weight. What does it compute?",
        "M1",
    ),
    Fault(
        "backward-and-update-swapped",
        lambda: ("predictions", "loss", "weights", "gradients"),
        "Backward and Update have changed places. Backward changes no weight: run it 1,000 times, and the loss stays. "
        "Which stage takes the step?",
        "M1",
    ),
    Fault(
        "what-goes-in",
        lambda: ("weights", "predictions", "loss", "gradients"),
        "You named what each stage uses. Say what it makes new.",
    ),
    Fault(
        "update-makes-predictions",
        lambda: ("weights", "loss", "gradients", "predictions"),
        "You let Update make new predictions. After Update the predictions are still the old ones: "
        "which stage computes new ones?",
        "M1",
    ),
    Fault(
        "forward-and-loss-swapped",
        lambda: ("loss", "predictions", "gradients", "weights"),
        "Forward and Loss have changed places. Forward knows nothing of the targets, so it cannot say how far off "
        "the network is.",
    ),
    Fault(
        "loss-and-backward-swapped",
        lambda: ("predictions", "gradients", "loss", "weights"),
        "Loss and Backward have changed places. Backward starts from the loss, so the loss is there before it.",
    ),
)
"""Wrong ways to say what each stage makes new, in the order Forward, Loss, Backward, Update."""
