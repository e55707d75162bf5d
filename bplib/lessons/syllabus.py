"""What the course consists of: its notebooks in order, with their minutes and their place in the loop."""

from bplib.viz.course_map import Lesson, course_map
from bplib.viz.picture import Picture

__all__ = ["SYLLABUS", "map_of_the_course"]

SYLLABUS: tuple[Lesson, ...] = (
    Lesson(0, "The loop: Forward, Loss, Backward, Update", 55, ready=True),
    Lesson(1, "One neuron by hand", 40, "Forward"),
    Lesson(2, "Loss functions", 45, "Loss"),
    Lesson(3, "Sensitivity", 45, "Backward"),
    Lesson(4, "The chain rule", 60, "Backward"),
    Lesson(5, "A whole network", 60, "Backward"),
    Lesson(6, "Learning rate", 45, "Update", ready=True),
    Lesson(7, "Challenges: slow neurons, vanishing gradients, starting weights, saddles", 60),
    Lesson(8, "Momentum", 50, "Update"),
    Lesson(9, "AdaGrad and Adam", 60, "Update"),
    Lesson(10, "The whole training pipeline: from the data to the tested network", 60, ready=True),
)
"""The notebooks of the course in their order; `ready` says whether a notebook is there yet."""


def map_of_the_course() -> Picture:
    """The notebooks of the course on the loop of the four stages.

    Returns
    -------
    Picture

    Examples
    --------
    >>> len(SYLLABUS)
    11
    >>> map_of_the_course().alt[:52]
    'The loop Forward, Loss, Backward, Update as a map of'
    """
    return course_map(SYLLABUS)
