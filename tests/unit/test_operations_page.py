"""The page of operations says what the table says, and the kinks are what the library does."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import bplib
from bplib.rules import TABLE

ROOT = Path(__file__).resolve().parents[2]
MAKER = runpy.run_path(str(ROOT / "scripts/make_operations.py"))


def test_the_page_is_the_one_the_table_writes():
    assert (ROOT / "docs/operations.md").read_text("utf-8") == MAKER["page"]()


def test_every_row_of_the_table_stands_on_the_page():
    page = MAKER["page"]()
    assert all(f"| `{name}` |" in page for name in TABLE)


ONES = [1.0, 1.0]
OURS = [
    ("ReLU at 0", bplib.relu, [0.0], [0.0], "0"),
    ("absolute value at 0", bplib.abs, [0.0], [0.0], "0"),
    ("leaky ReLU at 0", bplib.leaky_relu, [0.0], [0.01], "the slope of the left side"),
    ("`maximum(a, b)` at a = b, for a", lambda a: bplib.maximum(a, [1.0]), [1.0], [1.0], "1"),
    ("`max` of (1, 1)", lambda a: a.max(), ONES, [1.0, 0.0], "1 and 0"),
    ("`max` of (1, 1) along an axis", lambda a: a.max(axis=0), ONES, [1.0, 0.0], "1 and 0"),
    ("max pooling of equal numbers", lambda a: bplib.max_pool2d(a.reshape(1, 1, 2, 1), (2, 1)), ONES, [1.0, 0.0],
     "the first"),
    ("`clip` at its limit", lambda a: bplib.clip(a, 0.0, 1.0), [1.0], [1.0], "1"),
    ("square root at 0", bplib.sqrt, [0.0], [np.inf], "infinite"),
    ("mean absolute error at 0", lambda a: bplib.losses.mae(a, [0.0]), [0.0], [0.0], "0"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "f", "at", "gradient", "word"), OURS, ids=[row[0] for row in OURS])
def test_our_column_of_the_kinks_is_what_the_library_gives(title, f, at, gradient, word):
    x = bplib.tensor(at, requires_grad=True)
    f(x).sum().backward()
    assert x.grad.tolist() == gradient
    assert f"\n| {title} | {word} |" in MAKER["page"]()


def test_the_kinks_page_has_no_row_that_is_not_tested():
    rows = [line for line in MAKER["KINKS"].splitlines() if line.startswith("| ")]
    assert len(rows) - 1 == len(OURS)
