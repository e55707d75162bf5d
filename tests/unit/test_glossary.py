"""The glossary has every loss, layer and optimizer of the library, one row a word, in order."""

import re
from pathlib import Path

import pytest

from bplib import losses, nn, optim

ROWS = [
    [cell.strip() for cell in line[1:-1].split("|")]
    for line in (Path(__file__).parents[2] / "GLOSSARY.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| word")
]
NAMES = (
    [("losses", name) for name in losses.__all__]
    + [("nn", name) for name in nn.__all__ if name not in ("Module", "Parameter")]
    + [("optim", name) for name in optim.__all__ if isinstance(getattr(optim, name), type)]
)
# What the words stand for and nobody needs to look up.
BASES = {"Optimizer", "Schedule"}


def test_words_stand_in_order_and_once_and_each_row_is_whole():
    words = [row[0].lower() for row in ROWS]
    assert words == sorted(set(words))
    assert len(words) >= 60
    for row in ROWS:
        assert len(row) == 5, row
        assert row[0], row
        assert row[3], row
        assert re.fullmatch(r"0\d|10|–", row[4]), row


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[".".join(pair) for pair in NAMES])
def test_every_public_loss_layer_and_method_has_a_word(module, name):
    if name not in BASES:
        assert any(f"`{module}.{name}`" in row[2] or f"`{module}.{name}(" in row[2] for row in ROWS)
