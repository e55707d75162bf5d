"""Mistakes about the training pipeline: the first loss, the order of the stages."""

import numpy as np

from bplib.lessons.faults.fault import Fault

__all__ = ["STEP_ORDER_FAULTS", "chance_loss_faults"]


def chance_loss_faults(classes: int, classes_above: int = 10) -> tuple[Fault, ...]:
    """Wrong ways to find the loss of a network that knows nothing, ln(classes).

    Parameters
    ----------
    classes : int
        How many classes there are, above 2.
    classes_above : int
        How many there are in the task that the notebook treats before; another number, above 2.

    Returns
    -------
    tuple of Fault

    Examples
    --------
    >>> [round(float(fault.make()), 3) for fault in chance_loss_faults(26)][:3]
    [1.415, 4.7, 0.693]
    """
    return (*_wrong_logarithms(classes), *_wrong_counts(classes, classes_above), *_wrong_quantities(classes))


def _wrong_logarithms(classes: int) -> tuple[Fault, ...]:
    chance = 1 / classes
    return (
        Fault(
            "log-of-base-10",
            lambda: -np.log10(chance),
            "That is the logarithm to base 10. The loss uses the natural logarithm, `np.log`.",
        ),
        Fault(
            "log-of-base-2",
            lambda: -np.log2(chance),
            "That is the logarithm to base 2. The loss uses the natural logarithm, `np.log`.",
        ),
    )


def _wrong_counts(classes: int, classes_above: int) -> tuple[Fault, ...]:
    return (
        Fault(
            "two-classes",
            lambda: np.log(2),
            f"That is ln 2, right for a coin: two classes. Here are {classes}.",
        ),
        Fault(
            "classes-of-the-task-above",
            lambda: np.log(classes_above),
            f"That is ln {classes_above}, the loss for {classes_above} digits. Here are {classes} letters.",
        ),
        Fault(
            "number-of-classes",
            lambda: classes,
            "That is the number of classes. The loss is minus the natural logarithm of the probability "
            "that the true class gets.",
        ),
    )


def _wrong_quantities(classes: int) -> tuple[Fault, ...]:
    chance = 1 / classes
    return (
        Fault(
            "chance-itself",
            lambda: chance,
            "That is the probability of the true class. The loss is minus its natural logarithm.",
            "M20",
        ),
        Fault(
            "share-of-errors",
            lambda: 1 - chance,
            "That is the share of examples a guess gets wrong. The loss is something else: "
            "minus the natural logarithm of the probability of the true class.",
            "M20",
        ),
        Fault(
            "sign-forgotten",
            lambda: np.log(chance),
            "The number is right, its sign is not. The logarithm of a probability is negative; the loss is minus that.",
        ),
        Fault(
            "sum-over-classes",
            lambda: -classes * np.log(chance),
            f"That adds the loss of all {classes} classes. Only the true class of an example counts.",
            "M10",
        ),
    )


# A update, B loss, C backward, D forward, E clear the gradients: `training_pipeline.run_step` really runs
# them, and an order is recognised by what it does to the weights, not by how it is written.
STEP_ORDER_FAULTS: tuple[Fault, ...] = (
    Fault(
        "loss-before-forward",
        lambda: "BDECA",
        "Run in this order, the line with the loss stops: it compares `scores`, and Forward has not made them "
        "yet. What does the network have to do first?",
    ),
    Fault(
        "backward-before-loss",
        lambda: "DECBA",
        "Run in this order, `loss.backward()` stops: there is no loss yet to go backward from. Which line makes it?",
        "M15",
    ),
    Fault(
        "cleared-before-update",
        lambda: "DBCEA",
        "Run in this order, the weights never change. `zero_grad` throws the gradients away after Backward, "
        "before Update has used them. Go around the loop from `loss.backward()` to the next `optimizer.step()`: "
        "what lies between?",
        "M8",
    ),
    Fault(
        "update-before-backward",
        lambda: "EADBC",
        "Update (A) stands before Backward (C): there is no new gradient yet. "
        "Run in this order, the weights never change.",
        "M1",
    ),
    Fault(
        "one-round-late",
        lambda: "AEDBC",
        "Run in this order, Update comes before Backward. The first update finds no gradient, "
        "and each later one uses the gradient of the round before.",
        "M1",
    ),
    Fault(
        "weights-changed-between",
        lambda: "DAEBC",
        "Run in this order, Update changes the weights after Forward and before Backward. "
        "The gradient would belong to a network that no longer exists, so `bplib` stops.",
        "M15",
    ),
)
"""Wrong orders of the five lines of a training step."""
