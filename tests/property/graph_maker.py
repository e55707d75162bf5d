"""Random computational graphs as plain programs, which run on tensors and on raw complex arrays alike.

A program is a list of leaves (arrays) and a list of instructions; an instruction names a row of the table, its operands
by place, and its settings. Values are kept tame, so that a derivative can be told from rounding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib.engine import apply, walk_back
from bplib.rules import TABLE, Stack
from bplib.tensors import Tensor

__all__ = ["Program", "disagreement", "random_program", "shrunk"]

SHAPES = [(), (1,), (3,), (2, 3), (1, 3), (2, 1), (3, 2), (2, 2, 3), (3, 3)]
ONE = ["tanh", "sigmoid", "sin", "cos", "softplus", "relu", "leaky_relu", "negative", "exp", "clip", "softmax",
       "log_softmax", "logsumexp", "sum", "mean", "max", "min", "reshape", "transpose", "getitem"]  # fmt: skip
TWO = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "where", "matmul", "linear", "squared_error",
       "concatenate", "stack", "power", "layers"]  # fmt: skip
LARGEST = 4.0  # beyond, a value passes through tanh first


@dataclass(frozen=True)
class Instruction:
    """One operation on values that are known by their place."""

    row: str
    operands: tuple[int, ...]
    settings: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Program:
    """Leaves, instructions, and the places whose weighted sum is the loss."""

    leaves: tuple[np.ndarray, ...]
    instructions: tuple[Instruction, ...]
    ends: tuple[int, ...]

    def __str__(self) -> str:
        lines = [f"v{i} = tensor({leaf.tolist()!r}, requires_grad=True)" for i, leaf in enumerate(self.leaves)]
        for i, step in enumerate(self.instructions, len(self.leaves)):
            names = ", ".join(f"v{k}" for k in step.operands)
            lines.append(f'v{i} = apply(TABLE["{step.row}"], {names}, settings={step.settings!r})')
        return "\n".join([*lines, "loss = " + " + ".join(f"weighted(v{k})" for k in self.ends)])


def random_program(rng: np.random.Generator) -> Program:
    """Draw a program of 5 to 60 nodes; operands are drawn from all that is there, so values are often used again."""
    shapes = [SHAPES[i] for i in rng.integers(len(SHAPES), size=rng.integers(2, 5))]
    leaves = tuple(rng.uniform(-1.5, 1.5, shape) for shape in shapes)
    values, steps = list(leaves), []
    size = rng.integers(5, 56)
    while len(values) < size:
        step = _draw(values, rng)
        if step is None:
            continue
        for one in _tamed(step, len(values), values):
            steps.append(one)
            values.append(_forward(one, values))
    used = {k for step in steps for k in step.operands}
    ends = tuple(k for k in range(len(values)) if k not in used)
    return Program(leaves, tuple(steps), ends)


def _draw(values: list[np.ndarray], rng: np.random.Generator) -> Instruction | None:
    if rng.random() < 0.5:
        return _unary(ONE[rng.integers(len(ONE))], int(rng.integers(len(values))), values, rng)
    name, a, b = TWO[rng.integers(len(TWO))], *(int(k) for k in rng.integers(len(values), size=2))
    return _binary(name, a, b, values, rng)


def _unary(name: str, k: int, values: list[np.ndarray], rng: np.random.Generator) -> Instruction | None:
    a = values[k]
    axis = int(rng.integers(a.ndim)) if a.ndim else None
    keep = bool(rng.random() < 0.5)
    if name in ("softmax", "log_softmax"):
        return Instruction(name, (k,), (axis,)) if a.ndim else None
    if name in ("max", "min") and len(np.unique(a)) < a.size:
        return None  # a tie is a kink, where the complex step has a convention of its own
    if name in ("sum", "mean", "max", "min", "logsumexp"):
        return Instruction(name, (k,), (axis if rng.random() < 0.7 else None, keep))
    if name == "getitem":
        index = np.zeros(3, int) if keep else (Ellipsis, slice(None, None, -1), None)
        return Instruction(name, (k,), (index,)) if a.ndim else None
    settings = {"reshape": ((a.size,),), "transpose": (None,), "leaky_relu": (0.2,), "clip": (-0.6, 0.9)}
    return Instruction(name, (k,), settings.get(name, ()))


def _binary(name: str, i: int, j: int, values: list[np.ndarray], rng: np.random.Generator) -> Instruction | None:
    a, b = values[i].shape, values[j].shape
    if name == "layers":  # a vector that is long enough for the weights and biases of one layer
        fits = len(a) == 2 and len(b) == 1 and b[0] and b[0] % (a[1] + 1) == 0
        return Instruction(name, (i, j), (Stack([(a[1], b[0] // (a[1] + 1))], ["tanh"]),)) if fits else None
    if name in ("matmul", "linear"):
        fits = len(a) == 2 and len(b) == 2 and a[1] == b[0]
        biases = [k for k, value in enumerate(values) if value.shape == b[1:]]
        if name == "matmul":
            fits = bool(a and b) and a[-1] == b[-2 if len(b) > 1 else 0] and len(a) + len(b) > 2
            return Instruction(name, (i, j)) if fits and (len(a) < 3 or len(b) < 3) else None
        if not (fits and biases):
            return None
        return Instruction(name, (i, j, biases[-1]))
    if name in ("squared_error", "concatenate", "stack"):
        if a != b or (name == "concatenate" and not a):
            return None
        return Instruction(name, (i, j), (("mean",) if name == "squared_error" else (0,)))
    try:
        shape = np.broadcast_shapes(a, b)
    except ValueError:
        return None
    if name in ("maximum", "minimum") and (values[i] == values[j]).any():
        return None
    if name == "where":
        return Instruction(name, (i, j), (rng.random(shape) < 0.5,))
    if name in ("divide", "power"):  # a denominator or a base well above 0 is made first, by `_tamed`
        return Instruction(name, (i, j))
    return Instruction(name, (i, j))


def _tamed(step: Instruction, place: int, values: list[np.ndarray]) -> list[Instruction]:
    """Give the instruction, behind what keeps its operands small, or positive where they must be."""
    before: list[Instruction] = []
    operands = list(step.operands)
    for n, k in enumerate(operands):
        if np.abs(values[k]).max() > LARGEST:
            before.append(Instruction("tanh", (k,)))
            operands[n] = place + len(before) - 1
        if (step.row, n) in (("divide", 1), ("power", 0)):
            before += [Instruction("sigmoid", (operands[n],)), Instruction("exp", (place + len(before),))]
            operands[n] = place + len(before) - 1
    return [*before, Instruction(step.row, tuple(operands), step.settings)]


def _forward(step: Instruction, values: list[Any]) -> Any:
    return np.asarray(TABLE[step.row].forward(*(values[k] for k in step.operands), *step.settings)[0])


def _weights(k: int, size: int) -> np.ndarray:
    return np.cos(np.arange(size) + k)


def disagreement(program: Program, table: dict[str, Any] = TABLE) -> float:
    """Compare ∇L·d from the backward pass with the complex step along d; relative to Σ|∂L/∂xᵢ · dᵢ|."""
    rng = np.random.default_rng(len(program.instructions))
    directions = [rng.normal(size=leaf.shape) for leaf in program.leaves]
    raw: list[Any] = [leaf + 1e-30j * d for leaf, d in zip(program.leaves, directions, strict=True)]
    for step in program.instructions:
        raw.append(_forward(step, raw))
    exact = sum((raw[k].imag.ravel() * _weights(k, raw[k].size)).sum() for k in program.ends) / 1e-30
    nodes: list[Any] = [Tensor(leaf, requires_grad=True) for leaf in program.leaves]
    for step in program.instructions:
        nodes.append(apply(table[step.row], *(nodes[k] for k in step.operands), settings=step.settings))
    loss = sum((nodes[k].reshape(-1) * _weights(k, nodes[k].size)).sum() for k in program.ends)
    found = walk_back(loss, np.ones(()))
    parts = [
        (found[node] * d).ravel()
        for node, d in zip(nodes, directions, strict=False)
        if node in found and found[node].shape == d.shape
    ]
    terms = np.concatenate([*parts, np.zeros(1)])
    if any(found[node].shape != node.shape for node in found):
        return float("inf")
    return float(abs(terms.sum() - exact) / max(np.abs(terms).sum(), 1e-3))


def shrunk(program: Program, table: dict[str, Any] = TABLE, limit: float = 1e-9) -> Program:
    """Give a program that is as small as possible and still disagrees."""
    best = program
    values: list[Any] = list(program.leaves)
    for step in program.instructions:
        values.append(_forward(step, values))
        alone = Program(tuple(values[k] for k in dict.fromkeys(step.operands)), (_renumbered(step),), ())
        alone = Program(alone.leaves, alone.instructions, (len(alone.leaves),))
        if len(alone.instructions) < len(best.instructions) and not disagreement(alone, table) <= limit:
            best = alone
    for k in range(len(program.leaves), len(values)):
        part = _ancestors(program, k)
        if len(part.instructions) < len(best.instructions) and not disagreement(part, table) <= limit:
            best = part
    return best


def _renumbered(step: Instruction) -> Instruction:
    places = {k: n for n, k in enumerate(dict.fromkeys(step.operands))}
    return Instruction(step.row, tuple(places[k] for k in step.operands), step.settings)


def _ancestors(program: Program, end: int) -> Program:
    first, needed, waiting = len(program.leaves), {end}, [end]
    while waiting:
        k = waiting.pop()
        if k >= first:
            new = set(program.instructions[k - first].operands) - needed
            needed |= new
            waiting += new
    kept = [*range(first), *sorted(k for k in needed if k >= first)]
    places = {k: n for n, k in enumerate(kept)}
    steps = tuple(
        Instruction(s.row, tuple(places[k] for k in s.operands), s.settings)
        for s in (program.instructions[k - first] for k in kept[first:])
    )
    return Program(program.leaves, steps, (places[end],))
