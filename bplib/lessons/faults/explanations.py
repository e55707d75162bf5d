"""Mistaken explanations: what a text says that has not understood, and the sentence that answers it."""

from bplib.lessons.faults.fault import Fault

__all__ = ["BIGGER_RATE_FAULTS", "TWO_SHARES_FAULTS", "WHO_TRAINS_FAULTS"]

WHO_TRAINS_FAULTS: tuple[Fault, ...] = (
    Fault(
        "backward-changes-weights",
        lambda: "Backpropagation changes the weights, so the network gets better each time it runs.",
        "Your text lets Backward change the weights. In the loop stepper, press Forward, Loss and Backward: "
        "which numbers are new, and which are what they were?",
        "M1",
    ),
    Fault(
        "optimizer-computes-gradients",
        lambda: "The optimizer does the backpropagation for us when it takes its step.",
        "Your text lets the optimizer compute the gradients. It is the other way round: "
        "Backward computes them, and the optimizer uses them.",
        "M1",
    ),
    Fault(
        "one-pass-is-enough",
        lambda: "One run of all four stages is enough, because then the gradients are known.",
        "Your text trains in one loop. One Update takes one small step. After it the gradients are other ones, "
        "and the loop begins again.",
    ),
)
"""About the sentence "backpropagation trains the network"."""

BIGGER_RATE_FAULTS: tuple[Fault, ...] = (
    Fault(
        "bigger-is-faster",
        lambda: "A bigger learning rate takes bigger steps, so it should always get there first.",
        "Your text says that the bigger rate gets there first. Count: 0.25 needs 1 step, 0.45 needs 21. "
        "Where does the first step of each end?",
        "M4",
    ),
    Fault(
        "called-diverging",
        lambda: "With 0.45 the descent diverges, because the learning rate is too large.",
        "Your text says that 0.45 runs away. It does come closer at every step: the factor is −0.8, and its size is "
        "below 1. Only from 0.5 on it does not.",
        "M4",
    ),
    Fault(
        "gradient-too-small",
        lambda: "With 0.45 the gradient becomes so small that the weight moves only slowly.",
        "Your text blames a small gradient. The gradient depends on where the weight is, not on the rate: "
        "from the same place both rates see the same one. What differs is how far the step goes.",
    ),
)
"""About the question why 0.45 needs more steps than 0.25 on a bowl of curvature 4."""

TWO_SHARES_FAULTS: tuple[Fault, ...] = (
    Fault(
        "lower-is-right",
        lambda: "The lower share is the right one, and the higher share is a mistake in the program.",
        "Your text calls one of the numbers a mistake. Both were counted correctly. "
        "Which question does each of them answer?",
        "M20",
    ),
    Fault(
        "harder-digits",
        lambda: "The digits at the end of the file are harder to read, so fewer of them are right.",
        "Your text says that those digits are harder. Perhaps some are, but think of who wrote them: "
        "with the random split the network has already seen the handwriting of the same people.",
    ),
    Fault(
        "worse-network",
        lambda: "The second network is worse, because it was trained on fewer examples.",
        "Your text blames the network. Both had the same layers, the same first weights, the same training, and nearly "
        "as many pictures. Only the choice of the pictures put aside differs.",
    ),
)
"""About two shares of right answers, one for each way to split the same data."""
