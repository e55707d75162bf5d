"""Notebook 00: the loop Forward, Loss, Backward, Update. Its prediction and its exercises.

>>> from bplib.lessons.the_loop import check, hint, solution
>>> check("four-stages", "CDBA")
✓ Right. Every training loop, however large, has these four stages in this order: Forward – Loss – Backward – Update.
>>> check("which-stage", "Backward").mistake
'backward'
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bplib import losses, nn, optim
from bplib.data import xor
from bplib.lessons.choices import ChoiceExercise
from bplib.lessons.collection import ExerciseSet
from bplib.lessons.exercises import FunctionExercise, NumberExercise
from bplib.lessons.explanations import ExplanationExercise, Statement
from bplib.lessons.faults import (
    MEAN_OF_SQUARES_FAULTS,
    STAGE_LINES_FAULTS,
    STAGE_OF_RATE_FAULTS,
    STAGES_FAULTS,
    WHO_TRAINS_FAULTS,
    derivative_faults,
    matrix_product_faults,
    one_update_faults,
)
from bplib.lessons.hidden_units import hidden_units
from bplib.lessons.progress import current_progress
from bplib.viz.curves import loop_curves
from bplib.widgets.loop.state import STAGES, Event, State, first_state, reduce
from bplib.widgets.loop.view import LoopStepper, loop_stepper
from bplib.widgets.prediction_gate import PredictionGate, Question

__all__ = [
    "STAGE_LINES",
    "check",
    "hidden_units",
    "hint",
    "loop_stepper",
    "predict_backward_only",
    "run_stages",
    "solution",
]

STAGE_LINES: dict[str, str] = {
    "A": "optimizer.step()",
    "B": "loss.backward()",
    "C": "prediction = network(X)",
    "D": "loss = losses.mse(prediction, y)",
}
"""The lines of the loop, out of order."""

_MADE = ("weights", "predictions", "loss", "gradients")
# The notebook says these too; all of them mean one of the four.
_ALSO_MADE = {"prediction": "predictions", "gradient": "gradients", "losses": "loss"} | dict.fromkeys(
    ("weight", "new weights", "parameter", "parameters", "new parameters", "weights and biases"), "weights"
)
_LINE_FOR_STAGE = "That is the line. What is its stage called?"
_ROUNDS = 1000


def predict_backward_only(stepper: LoopStepper | None = None) -> PredictionGate:
    """Ask what the loss does in 1,000 rounds of Forward, Loss and Backward without an Update.

    Parameters
    ----------
    stepper : LoopStepper, optional
        Its present weights and learning rate are taken, and it stays as it is; by default those of a new stepper.

    Returns
    -------
    PredictionGate
        What comes out is computed by really running the rounds, without Update and, to compare, with it.

    Examples
    --------
    >>> predict_backward_only().question.answer
    'it stays'
    """
    state = first_state() if stepper is None else stepper.state
    without_update, with_update = (_losses(state, skip_update=skip) for skip in (True, False))
    before, after = without_update[0], without_update[-1]
    answer = "it stays" if after == before else "it falls" if after < before else "it rises"
    comparable = with_update.shape == without_update.shape and bool(np.isfinite(with_update).all())
    outcome = f"{answer.capitalize()}. At first the loss is {before:.6f}, after 1,000 times Backward it is {after:.6f}."
    if comparable:
        outcome += f" With Update in each loop, the same network ends at {_six_digits(with_update[-1])}."
    question = Question(
        text="You run Forward, Loss and Backward 1,000 times, and never Update. What does the loss do?",
        answer=answer,
        outcome=outcome,
        because="Because Backward computes how the loss reacts to each weight, and changes no weight. "
        "With the same weights, Forward makes the same predictions, and these have the same loss. "
        "Only Update changes the weights.",
        options=("it falls", "it rises", "it stays"),
        # Six digits, as in the sentence: the rest differs from machine to machine.
        picture=loop_curves(without_update[:-1].round(6), with_update[:-1].round(6)) if comparable else None,
    )
    return PredictionGate(question, "00/backward-only", store=current_progress())


def _losses(state: State, *, skip_update: bool) -> NDArray[np.float64]:
    """The loss at first and after each of 1,000 rounds."""
    start = replace(first_state(), parameters=state.parameters, skip_update=skip_update, lr=state.lr, rates=state.rates)
    for event in (Event("loops", (_ROUNDS, None)), Event("press", "Forward"), Event("press", "Loss")):
        start = reduce(start, event)
    return np.array(start.losses)


def _six_digits(loss: float) -> str:
    return f"{loss:.6f}" if loss >= 1e-6 else "less than 0.000001"


def run_stages(order: Sequence[str]) -> str:
    """Run the lines of `STAGE_LINES` once, in some order, and say what happens.

    Parameters
    ----------
    order : sequence of str
        The letters A to D, each once.

    Returns
    -------
    str
        Whether the weights changed, or what was missing when the run stopped.

    Examples
    --------
    >>> run_stages("CDBA")
    'the weights have changed'
    >>> run_stages("CBDA")
    'loss is missing'
    """
    X, y = xor()
    network = nn.Linear(2, 1, rng=0)
    optimizer = optim.SGD(network.parameters(), lr=0.5)
    made: dict[str, Any] = {}
    lines: dict[str, Callable[[], Any]] = {
        "A": optimizer.step,
        "B": lambda: made["loss"].backward(),
        "C": lambda: made.update(prediction=network(X)),
        "D": lambda: made.update(loss=losses.mse(made["prediction"], y)),
    }
    before = network.theta.copy()
    try:
        for letter in order:
            lines[letter]()
    except KeyError as missing:
        return f"{missing.args[0]} is missing"
    return f"the weights {'stay' if (network.theta == before).all() else 'have changed'}"


def _seen_of(order: Sequence[str]) -> str:
    """What an order leads to; two ways to lack a loss have their own names."""
    letters, happened = "".join(order), run_stages(order)
    if letters == "ABDC":
        return f"{happened}, the loop in reverse"
    first = letters.index("B") < min(letters.index("C"), letters.index("D"))
    return f"{happened}, Backward before all else" if first else happened


# The model solutions: `solution` shows their source.


def _mean_of_squares(numbers: Any) -> Any:
    total = 0
    for number in numbers:
        total = total + number**2
    return total / len(numbers)


def _second_number() -> float:
    # the second row of X, number by number with w
    return 3 * 10 + 4 * 1


def _derivative() -> float:
    w = 5.5
    return 2 * (w - 3)


def _stage_lines() -> str:
    return "CDBA"


def _new_weight() -> float:
    learning_rate = 0.1
    return 2.0 - learning_rate * 3.0


def _stage_of_rate() -> tuple[str, ...]:
    return ("Update",)


def _what_changes() -> tuple[str, ...]:
    return ("predictions", "loss", "gradients", "weights")


def _who_trains() -> str:
    return (
        "Backpropagation computes the gradients and changes no weight. Update uses them to move each weight a little, "
        "and training is the whole loop, Forward, Loss, Backward and Update, many times over."
    )


def _lists_of_numbers() -> Sequence[Mapping[str, Any]]:
    return (
        {"numbers": [1, 2, 3]},
        {"numbers": [2.0, -1.0]},
        {"numbers": [0.5, -1.5, 2.0, -3.0]},
        {"numbers": np.array([-0.25, 4.0, 1.0, 0.5, -2.0])},
    )


def _stage_clue(stage: str, word: str) -> str:
    if (stage, word) == ("Backward", "weights"):
        return "Backward changes no weight. What does it compute?"
    return {
        "Forward": "Forward runs the input through the network. What comes out at its end?",
        "Loss": "Loss compares the predictions with the targets. What is the one number called that it makes?",
        "Backward": "Backward finds out how the loss reacts to each weight. What are these numbers called?",
        "Update": "Update takes a small step, so that the loss falls. What does it move?",
    }[stage]


_exercises = ExerciseSet(
    "00",
    [
        FunctionExercise(
            name="python-warm-up",
            variable="mean_of_squares",
            model=_mean_of_squares,
            right="The mean of squares is the loss you will meet most: there, the numbers are the errors of a network.",
            why="The loop squares each number and adds it to the total. After the loop, the total is divided by how "
            "many numbers there are. A square is never below 0, so errors up and errors down both count.",
            hints=(
                "Do it in three steps: square each number, add up the squares, divide by how many there are.",
                "Begin with `total = 0`. In a loop, add `number ** 2` to it. What comes after the loop?",
                "The last line is `return total / len(numbers)`. It stands below the loop, not inside it.",
            ),
            faults=MEAN_OF_SQUARES_FAULTS,
            trials=_lists_of_numbers,
        ),
        NumberExercise(
            name="numpy-warm-up",
            variable="second_number",
            model=_second_number,
            right="Forward is made of such products: one row for each example, one weight for each input.",
            why="The second number of `X @ w` comes from the second row of X, which is (3, 4). "
            "Each of its numbers is multiplied by its number of w, which is (10, 1), and the products are added.",
            hints=(
                "`X @ w` has one number for each row of X. Which row does the second number come from?",
                "Put the row (3, 4) above w, which is (10, 1). Multiply each number by the one below it.",
                "The products are 3 · 10 and 4 · 1. Add them.",
            ),
            faults=matrix_product_faults(np.array([[1, 2], [3, 4]]), np.array([10, 1])),
            tolerance=1e-3,
            example="5 * 2 + 6 * 1",
        ),
        NumberExercise(
            name="derivative-warm-up",
            variable="derivative",
            model=_derivative,
            right="That is a gradient: when w grows a little, the loss grows 5 times as much.",
            why="The derivative of (w − 3)² is 2(w − 3). At w = 5.5 that is 2 · 2.5 = 5.",
            hints=(
                "The derivative of w² is 2w. What becomes of it when w² is moved to (w − 3)²?",
                "The derivative is 2(w − 3). Put in w = 5.5.",
                "The bracket is 5.5 − 3 = 2.5. Multiply it by 2.",
            ),
            faults=derivative_faults(5.5, 3.0),
            tolerance=1e-3,
            example="2 * (4 - 1)",
        ),
        ChoiceExercise(
            name="four-stages",
            model=_stage_lines,
            right="Every training loop, however large, has these four stages in this order: "
            "Forward – Loss – Backward – Update.",
            why="Each line needs what the one before it made: the loss needs the prediction, the gradients need the "
            "loss, the update needs the gradients.",
            hints=(
                "Find the four stages among the lines: Forward – Loss – Backward – Update.",
                "Which line needs nothing but the network and its inputs? Begin with it. "
                "Which line uses what it has made?",
                "C makes the prediction, and D compares it with the target. Then go back, and only then take the step.",
            ),
            faults=STAGE_LINES_FAULTS,
            options=tuple(STAGE_LINES),
            places=("first line", "second line", "third line", "fourth line"),
            once=True,
            form='Write the four letters A to D in one text, such as "ABCD".',
            observe=_seen_of,
        ),
        NumberExercise(
            name="one-update",
            variable="new_weight",
            model=_new_weight,
            right="This is the whole of Update. A network with a million weights does the same a million times.",
            why="The gradient is above 0: the loss grows when the weight grows. So the weight has to become smaller, "
            "by the learning rate times the gradient, 0.1 · 3.0 = 0.3.",
            hints=(
                "Work out the step first: the learning rate times the gradient.",
                "The step is 0.1 · 3.0 = 0.3. Does the update add it or take it away?",
                "The new weight is 2.0 − 0.3.",
            ),
            faults=one_update_faults(2.0, 3.0, 0.1),
            tolerance=1e-3,
            example="5.0 - 0.2 * 4.0",
        ),
        ChoiceExercise(
            name="which-stage",
            model=_stage_of_rate,
            right="The learning rate says how far Update goes against the gradients; the other stages never see it.",
            why="w ← w − η · gradient is the one formula with the learning rate η in it, and it is the Update.",
            hints=(
                "Look at the formula in Exercise 2. Which stage does it describe?",
                "The learning rate says how long a step is. Which stage takes the step?",
                "The formula w ← w − η · gradient gives each weight its new value. Which stage does that?",
            ),
            faults=STAGE_OF_RATE_FAULTS,
            options=STAGES,
            form='Write one stage as text, such as "Forward".',
            nearly=dict.fromkeys(("A", "optimizer.step()", "optimizer.step"), _LINE_FOR_STAGE),
        ),
        ChoiceExercise(
            name="what-changes",
            model=_what_changes,
            right="Each stage makes one thing new, and the next one uses it.",
            why="Forward makes predictions from the weights, Loss makes the loss from the predictions, Backward makes "
            "gradients from the loss, and Update makes new weights from the gradients. Then it begins again.",
            hints=(
                "Press the stages in the loop stepper one by one. Which numbers in the picture are new after each?",
                "Backward changes no weight, and Update makes no predictions. One of them makes the gradients.",
                "Forward makes the predictions, and Loss makes the loss. Backward goes before Update, "
                "and Update needs the gradients.",
            ),
            faults=STAGES_FAULTS,
            options=_MADE,
            places=STAGES,
            once=True,
            key="stage",
            clue=_stage_clue,
            also=_ALSO_MADE,
        ),
        ExplanationExercise(
            name="who-trains",
            model=_who_trains,
            right="Keep the two apart, and much of what is said about neural networks becomes clear: "
            "one method finds the gradients, another uses them.",
            why="Backward only measures. Without Update nothing moves, and one small Update is not enough: "
            "after it the gradients are other ones.",
            hints=(
                "What did 1,000 times Backward do to the loss?",
                "Say what Backward computes, and which stage changes the weights.",
                "Three points: what Backward does, what Update does, and how often the loop runs.",
            ),
            faults=WHO_TRAINS_FAULTS,
            statements=(
                Statement("Backward changes the weights", fault="backward-changes-weights"),
                Statement(
                    "Backward computes the gradients and leaves the weights as they are",
                    missing="What does Backward compute, and what does it leave as it is?",
                ),
                Statement("the optimizer computes the gradients", fault="optimizer-computes-gradients"),
                Statement("Update changes the weights", missing="Which stage changes the weights?"),
                Statement("one loop is enough", fault="one-pass-is-enough"),
                Statement(
                    "training takes all four stages, again and again",
                    missing="Is one loop enough? Say which stages belong to training, and how often they run.",
                ),
            ),
        ),
    ],
)

check = _exercises.check
hint = _exercises.hint
solution = _exercises.solution
