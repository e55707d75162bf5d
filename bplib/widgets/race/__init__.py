"""The optimizer race: its state, its picture, its words and its controls."""

from bplib.widgets.race.view import OptimizerRace, optimizer_race

__all__ = ["OptimizerRace", "optimizer_race"]
