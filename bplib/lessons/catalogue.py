"""What each notebook asks: its predictions and its exercises, with the headings under which they stand."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from bplib.lessons.exercises import Exercise
from bplib.lessons.syllabus import SYLLABUS
from bplib.viz.course_map import Lesson

__all__ = ["CATALOGUE", "Contents"]

_BEFORE_YOU_LOOK = "Predict before you look"


@final
@dataclass(frozen=True)
class Contents:
    """What one notebook asks.

    Parameters
    ----------
    number : str
        That of the notebook, such as "06".
    module : str
        The lesson's module in `bplib.lessons`.
    predictions, exercises : mapping of str to str
        From the name, such as "gd-step", to the heading above it, in the order of the notebook.
    """

    number: str
    module: str
    predictions: Mapping[str, str] = field(hash=False)
    exercises: Mapping[str, str] = field(hash=False)

    @property
    def lesson(self) -> Lesson:
        """Its row in the syllabus: title and planned minutes."""
        return next(lesson for lesson in SYLLABUS if lesson.number == int(self.number))

    def lesson_exercises(self) -> Mapping[str, Exercise]:
        """Load the lesson and give its exercises; for all else the names are enough.

        Returns
        -------
        mapping of str to Exercise
        """
        check = importlib.import_module(f"bplib.lessons.{self.module}").check
        exercises: Mapping[str, Exercise] = check.__self__.exercises
        return exercises


CATALOGUE: tuple[Contents, ...] = (
    Contents(
        "00",
        "the_loop",
        predictions={"backward-only": _BEFORE_YOU_LOOK},
        exercises={
            "python-warm-up": "Python",
            "numpy-warm-up": "NumPy",
            "derivative-warm-up": "Derivatives",
            "four-stages": "Exercise 1: put the stages in order",
            "one-update": "Exercise 2: one update",
            "which-stage": "Exercise 3: where the learning rate acts",
            "what-changes": "Exercise 4: what each stage makes new",
            "who-trains": "Exercise 5: in your own words",
        },
    ),
    Contents(
        "06",
        "learning_rate",
        predictions={"fastest-rate": _BEFORE_YOU_LOOK, "sharpness": "A rising loss is not always a bug"},
        exercises={
            "largest-rate": "Exercise 1: the largest rate",
            "gd-step": "Exercise 2: write the update",
            "mean-to-sum": "Exercise 3: from mean to sum",
            "six-curves": "Exercise 4: name the six",
            "bigger-rate": "Exercise 5: in your own words",
        },
    ),
    Contents(
        "10",
        "training_pipeline",
        predictions={"first-loss": _BEFORE_YOU_LOOK, "best-optimizer": "Which optimizer is the best?"},
        exercises={
            "chance-loss": "Exercise 1: the loss at chance",
            "order-the-step": "Exercise 2: one step in the right order",
            "two-shares": "Exercise 3: which of them is right?",
        },
    ),
)
"""The notebooks that are ready, in their order."""
