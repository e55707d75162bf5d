"""The training pipeline: batches in, *Forward - Loss - Backward - Update*, a history out."""

from bplib.training.checkpoints import load, save
from bplib.training.events import EVENTS, on
from bplib.training.history import History
from bplib.training.loop import fit
from bplib.training.pacing import FollowSchedule
from bplib.training.run import Run
from bplib.training.scores import accuracy, evaluate
from bplib.training.stopping import Checkpoint, EarlyStopping
from bplib.training.watching import GradientWatch

__all__ = [
    "EVENTS",
    "Checkpoint",
    "EarlyStopping",
    "FollowSchedule",
    "GradientWatch",
    "History",
    "Run",
    "accuracy",
    "evaluate",
    "fit",
    "load",
    "on",
    "save",
]
