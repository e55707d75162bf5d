"""Sixteen kinds of bad input at every door of the engine: a documented answer, or an error in our own words."""

import warnings

import numpy as np
import pytest

import bplib
from bplib.errors import BplibError

INPUTS = {
    "wrong rank": np.ones((2, 3, 4)),
    "wrong length": np.ones(7),
    "stretches": np.ones((3, 1)),
    "empty": np.ones((0, 3)),
    "nan": np.full(3, np.nan),
    "inf": np.full(3, np.inf),
    "int": np.array([1, 2, 3]),
    "bool": np.array([True, False, True]),
    "complex": np.ones(3) * 1j,
    "objects": np.array([None, {}, 3], dtype=object),
    "text": "abc",
    "ragged": [[1.0], [1.0, 2.0]],
    "None": None,
    "dates": np.array(["2026-01-01"], dtype="datetime64[D]"),
    "huge integer": 10**400,
    "a dict": {"a": 1},
}


def learner():
    return bplib.tensor([1.0, 2.0, 3.0], requires_grad=True)


def assigned(x):
    learner().assign(x)


def data_set(x):
    learner().data = x


def grad_set(x):
    learner().grad = x


def backward(x):
    (learner() * 2.0).backward(x)


DOORS = {
    "tensor": bplib.tensor,
    "add": lambda x: learner() + x,
    "reflected": lambda x: x - learner(),
    "divide": lambda x: learner() / x,
    "power": lambda x: learner() ** x,
    "matmul": lambda x: learner() @ x,
    "linear": lambda x: bplib.linear(x, np.ones((3, 2)), np.ones(2)),
    "weight": lambda x: bplib.linear(np.ones((4, 3)), x),
    "exp": bplib.exp,
    "softmax": bplib.softmax,
    "maximum": lambda x: bplib.maximum(learner(), x),
    "sum": lambda x: learner().sum(axis=x),
    "index": lambda x: learner()[x],
    "reshape": lambda x: learner().reshape(x),
    "transpose": lambda x: learner().transpose(x),
    "concatenate": lambda x: bplib.concatenate([learner(), x]),
    "assign": assigned,
    "data": data_set,
    "grad": grad_set,
    "backward": backward,
    "hook": lambda x: learner().register_hook(x),
    "where": lambda x: bplib.where(x, learner(), 0.0),
    "gradcheck": lambda x: bplib.gradcheck(lambda w: w * 2.0, x),
    "grad of": lambda x: bplib.grad(lambda w: w.sum())(x),
    "trace": bplib.trace,
    "replay": bplib.replay,
}


# One column for each of INPUTS: the first letters of the error (DataError, ShapeError), or a point for an answer.
# NaN and infinity are numbers and go through; whole numbers and truth values become floats.
TABLE = """
tensor      .  .  .  .  .  .  .  .  Da Da Da Da Da Da Da Da
add         Sh Sh .  .  .  .  .  .  Da Da Da Da Da Da Da Da
reflected   Sh Sh .  .  .  .  .  .  Da Da Da Da Da Da Da Da
divide      Sh Sh .  .  .  .  .  .  Da Da Da Da Da Da Da Da
power       Sh Sh .  .  .  .  .  .  Da Da Da Da Da Da Da Da
matmul      .  Sh .  Sh .  .  .  .  Da Da Da Da Da Da Da Da
linear      Sh Sh Sh .  .  .  .  .  Da Da Da Da Da Da Da Da
weight      Sh Sh .  Sh Sh Sh Sh Sh Da Da Da Da Da Da Da Da
exp         .  .  .  .  .  .  .  .  Da Da Da Da Da Da Da Da
softmax     .  .  .  .  .  .  .  .  Da Da Da Da Da Da Da Da
maximum     Sh Sh .  .  .  .  .  .  Da Da Da Da Da Da Da Da
sum         Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh .  Sh Sh Sh
index       Sh Sh Sh Sh Sh Sh Sh .  Sh Sh Sh Sh .  Sh Sh Sh
reshape     Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh
transpose   Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh Sh
concatenate Sh .  Sh Sh .  .  .  .  Da Da Da Da Da Da Da Da
assign      Sh Sh Sh Sh .  .  .  .  Da Da Da Da Da Da Da Da
data        Sh Sh Sh Sh .  .  .  .  Da Da Da Da Da Da Da Da
grad        Sh Sh Sh Sh .  .  .  .  Da Da Da Da .  Da Da Da
backward    Sh Sh Sh Sh .  .  .  .  Da Da Da Da Sh Da Da Da
hook        Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da
where       Da Da Da Da Da Da Da .  Da Da Da Da Da Da Da Da
gradcheck   .  .  .  .  .  .  .  .  Da Da Da Da Da Da Da Da
grad of     .  .  .  .  .  .  .  .  Da Da Da Da Da Da Da Da
trace       Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da
replay      Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da Da
"""


def outcome(door, kind):
    """Give the first letters of the error, ? if its message does not help, or a point for an answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            DOORS[door](INPUTS[kind])
        except BplibError as error:
            helps = len(str(error)) > 30 and any(word in str(error) for word in ("xpected", "Try", "Check"))
            return type(error).__name__[:2] if helps else "?"
        return "."


@pytest.mark.parametrize("line", TABLE.strip().splitlines(), ids=lambda line: line.split()[0])
def test_no_cell_is_blank_and_no_message_is_numpys(line):
    door, cells = line[:12].strip(), line[12:].split()
    assert [outcome(door, kind) for kind in INPUTS] == cells


def test_every_door_has_a_line():
    assert [line[:12].strip() for line in TABLE.strip().splitlines()] == list(DOORS)
    assert len(INPUTS) == 16
