"""Notebook 10: the training pipeline. Its prediction and its exercises.

>>> from bplib.lessons.training_pipeline import check, hint, solution
>>> check("order-the-step", "DBECA").outcome
Outcome.RIGHT
>>> check("order-the-step", "DBCEA").mistake
'cleared-before-update'
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bplib import losses, nn, optim
from bplib.errors import GraphError
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.claims import ledger
from bplib.lessons.claims.tuning import OPTIMIZERS, tuning
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.exercises import NumberExercise
from bplib.lessons.explanations import ExplanationExercise, Statement
from bplib.lessons.faults import STEP_ORDER_FAULTS, TWO_SHARES_FAULTS, chance_loss_faults
from bplib.lessons.progress import current_progress
from bplib.widgets.prediction_gate import PredictionGate, Question

__all__ = [
    "STEP_LINES", "check", "hint", "ledger", "predict_best_optimizer", "predict_first_loss", "run_step", "solution",
    "tuning",
]  # fmt: skip

STEP_LINES: dict[str, str] = {
    "A": "optimizer.step()",
    "B": "loss = losses.cross_entropy(scores, y)",
    "C": "loss.backward()",
    "D": "scores = network(X)",
    "E": "optimizer.zero_grad()",
}
"""The lines of a training step, out of order."""

_ROUNDS = 4


def predict_first_loss(first_loss: float, classes: int = 10) -> PredictionGate:
    """Ask for the loss of a network that has learned nothing.

    Parameters
    ----------
    first_loss : float
        Measured: the loss of the untrained network, in nats.
    classes : int
        How many classes there are, at least 2.

    Returns
    -------
    PredictionGate
        A prediction within 15 % agrees.
    """
    chance = float(np.log(classes))
    question = Question(
        text=f"A network that has learned nothing sorts pictures into {classes} classes. "
        "What is its loss, the cross-entropy, before the first step?",
        answer=float(first_loss),
        outcome=f"The untrained network has a loss of {first_loss:.2f}. "
        f"Giving each class the same probability, 1/{classes}, costs ln {classes} = {chance:.2f}.",
        because=f"Because it treats all classes about alike: the true class gets a probability near 1/{classes}, "
        f"and the loss is minus the natural logarithm of that. A first loss far from {chance:.2f} points to a fault.",
        tolerance=0.15,
    )
    return PredictionGate(question, "10/first-loss", store=current_progress())


def predict_best_optimizer() -> PredictionGate:
    """Ask which of four optimizers is the best on the digits with nine tries for its learning rate.

    Returns
    -------
    PredictionGate
        What comes out is read off the stored runs.

    Examples
    --------
    >>> predict_best_optimizer().question.answer
    'momentum'
    """
    found = tuning()
    before, after = found.ranking("digits", 1), found.ranking("digits", 9)
    said = ", ".join(f"{name} {found.median('digits', name, 9):.2f}" for name in after)
    question = Question(
        text=f"With one learning rate each, {before[0]} comes out best on the digits. Now each may try nine, from a "
        "hundredth to a hundred times as large. Which one comes out best?",
        answer=after[0],
        outcome=f"{after[0]} comes out best, by a little. The median losses: {said}.",
        because="Because the first comparison was mostly one of usual rates: some of them lie near a good one for this "
        "task, others far from it. Each optimizer has to be compared at a rate that suits it.",
        options=tuple(OPTIMIZERS),
    )
    return PredictionGate(question, "10/best-optimizer", store=current_progress())


def run_step(order: Sequence[str]) -> object:
    """Train a tiny network for four rounds with the lines of `STEP_LINES` in some order, and say what happens.

    Parameters
    ----------
    order : sequence of str
        The letters A to E, each once.

    Returns
    -------
    object
        The weights after each round, or what stopped the run. Two orders that do the same give equal results.

    Examples
    --------
    >>> run_step("DBECA") == run_step("EDBCA")
    True
    >>> run_step("BDECA")
    'scores are missing'
    """
    network = nn.Linear(2, 2, rng=0)
    optimizer = optim.SGD(network.parameters(), lr=0.5)
    made: dict[str, Any] = {}
    lines: dict[str, Callable[[], Any]] = {
        "A": optimizer.step,
        "B": lambda: made.update(loss=losses.cross_entropy(made["scores"], [0, 1, 1])),
        "C": lambda: made["loss"].backward(),
        "D": lambda: made.update(scores=network([[1.0, 0.5], [-1.0, 0.3], [0.2, -2.0]])),
        "E": optimizer.zero_grad,
    }
    weights = []
    try:
        for _ in range(_ROUNDS):
            for letter in order:
                lines[letter]()
            weights.append(tuple(np.concatenate([p.data.ravel() for p in network.parameters()]).round(9).tolist()))
    except KeyError as missing:
        return f"{missing.args[0]} {'are' if missing.args[0] == 'scores' else 'is'} missing"
    except GraphError:
        return "the weights changed between forward and backward"
    return tuple(weights)


# The model solutions: `solution` shows their source.


def _chance_loss() -> float:
    probability_of_true_class = 1 / 26
    return -np.log(probability_of_true_class)


def _step_order() -> str:
    # D Forward, B Loss, E clear the old gradients, C Backward, A Update
    return "DBECA"


def _two_shares() -> str:
    return (
        "Both numbers are right, and they answer different questions. With the random split the network has already "
        "seen digits by the same people; with the other split most of the handwriting is new to it. Whoever reports a "
        "number has to say which of the two is meant."
    )


def _seen_of(order: Sequence[str]) -> object:
    """What an order leads to; weights that never change have two causes, and the line tells which."""
    weights = run_step(order)
    stuck = isinstance(weights, tuple) and len(set(weights)) == 1
    early = "".join(order).index("A") < "".join(order).index("C")
    return "update before backward" if stuck and early else weights


_exercises = ExerciseSet(
    "10",
    [
        NumberExercise(
            name="chance-loss",
            model=_chance_loss,
            right="You can now check any network for classes before it learns: "
            "a first loss far from this number points to a fault.",
            why="A network that knows nothing gives each of the 26 classes about the same probability, 1/26. "
            "The cross-entropy of one example is minus the natural logarithm of the true class's probability.",
            hints=(
                "Which probability does each of 26 letters get if all are treated alike?",
                "The loss of one example is minus the natural logarithm of the probability of its true class.",
                "The probability is 1/26. In NumPy, the natural logarithm is `np.log`.",
            ),
            faults=chance_loss_faults(26),
            checked="It was compared with the cross-entropy of 26 classes that all get the same probability.",
            example="np.log(10)",
        ),
        ChoiceExercise(
            name="order-the-step",
            variable="order",
            model=_step_order,
            right="Forward – Loss – Backward – Update: every training loop, however large, is these lines.",
            why="Each line needs what the one before it made. The old gradients have to be cleared before Backward, "
            "because it adds to them; where exactly, before or after the other lines, does not matter.",
            hints=(
                "Find the four stages among the lines: Forward – Loss – Backward – Update. One line is left over.",
                "The line left over, `zero_grad`, clears the gradients. "
                "They are made by Backward and used by Update: nothing may clear them in between.",
                "Begin with D, then B. Clear the gradients, E, before you make new ones.",
            ),
            faults=STEP_ORDER_FAULTS,
            options=tuple(STEP_LINES),
            places=("first line", "second line", "third line", "fourth line", "fifth line"),
            once=True,
            form='Write the five letters A to E in one text, such as "ABCDE".',
            observe=_seen_of,
        ),
        ExplanationExercise(
            name="two-shares",
            model=_two_shares,
            right="Before you believe a number, ask how the test examples were chosen.",
            why="A test answers the question that its examples ask. If the same people stand on both sides, it asks "
            "about people the network knows; what it learned about their handwriting helps.",
            hints=(
                "Who wrote the pictures that were put aside, with each of the two splits?",
                "Think of two users: one whose digits are among the training pictures, and one who is new.",
                "Three points: whether one of the numbers is a mistake, what the network had seen before, and what to "
                "say when you report one.",
            ),
            faults=TWO_SHARES_FAULTS,
            statements=(
                Statement("the lower number is the right one", fault="lower-is-right"),
                Statement(
                    "both numbers are right and answer different questions",
                    missing="Is one of the two numbers a mistake?",
                ),
                Statement(
                    "with the random split, the network has seen the handwriting of the same people",
                    missing="What has the network seen before, with the random split?",
                ),
                Statement("the digits at the end of the file are harder to read", fault="harder-digits"),
                Statement("the second network was trained worse", fault="worse-network"),
                Statement(
                    "whoever reports a number has to say how the data were split",
                    missing="What has to be said whenever one of the numbers is reported?",
                ),
            ),
        ),
    ],
)

check = _exercises.check
hint = _exercises.hint
solution = _exercises.solution
