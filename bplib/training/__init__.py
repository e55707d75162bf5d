"""The training pipeline: batches in, *Forward - Loss - Backward - Update*, a history out."""

from bplib.training.checkpoints import load, save
from bplib.training.history import History
from bplib.training.loop import fit
from bplib.training.run import Run
from bplib.training.scores import accuracy, evaluate
from bplib.training.stopping import Checkpoint, EarlyStopping

__all__ = ["Checkpoint", "EarlyStopping", "History", "Run", "accuracy", "evaluate", "fit", "load", "save"]
