"""The training cockpit: its state, its picture, its words and its controls."""

from bplib.widgets.cockpit.view import TrainingCockpit, training_cockpit

__all__ = ["TrainingCockpit", "training_cockpit"]
