"""For each row of the table: operands and settings with which its gradient rule is put to the test.

`CASES` is the one place to extend for a new row. The tests of this folder then compare its rule with central
differences, with a complex step, and in float32, and see whether four mutants of it are found out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bplib.engine import apply
from bplib.numeric import central_difference
from bplib.rules import Operation, Stack
from bplib.tensors import Tensor

# Kinds of numbers to draw.
REAL = "any"
POSITIVE = "at least 0.3"
AWAY = "at least 4 away from 0"
GRID = "all different, never nearer than 0.1 to 0"
BETWEEN = "all different, never equal to one of the grid"

SHAPES: list[tuple[int, ...]] = [(), (1,), (0,), (3,), (2, 3), (1, 3), (2, 1), (2, 3, 4), (1, 1, 4)]
PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), ()), ((3,), ()), ((), (3,)), ((3,), (3,)), ((3,), (1,)), ((1,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)),
    ((2, 3), (2, 1)), ((2, 1), (2, 3)), ((2, 1), (1, 3)), ((2, 3, 4), (3, 1)), ((4,), (2, 3, 4)),
    ((1, 1, 4), (2, 3, 1)),
]  # fmt: skip
AXES: list[tuple[Any, bool]] = [
    (None, False), (None, True), (0, False), (0, True), (1, False), (-1, True), ((0, 1), False), ((0, 2), True),
    ((-1, 0), False), ((), False),
]  # fmt: skip
LAYOUTS = ("C", "F", "strided", "backwards")


@dataclass(frozen=True)
class Case:
    """One way to call a row."""

    row: str
    shapes: tuple[tuple[int, ...], ...]
    kinds: tuple[str, ...]
    settings: tuple[Any, ...] = ()
    layout: str = ""

    def __str__(self) -> str:
        words = [f"{s.shape} {s.dtype}" if isinstance(s, np.ndarray) else repr(s) for s in self.settings]
        return f"{self.row} of {' and '.join(map(str, self.shapes))} {self.layout} with {', '.join(words) or 'nothing'}"

    def operands(self, seed: int) -> list[np.ndarray]:
        """Draw the operands, read-only, in a memory layout that changes with the seed."""
        rng = np.random.default_rng([seed, len(self.shapes)])
        layout = self.layout or LAYOUTS[seed % len(LAYOUTS)]
        return [laid_out(draw(rng, *one), layout) for one in zip(self.shapes, self.kinds, strict=True)]

    def upstream(self, operands: list[np.ndarray], operation: Operation, seed: int) -> np.ndarray:
        """Draw the gradient that arrives: no two elements alike, so that no rule can do without it."""
        with np.errstate(all="ignore"):
            shape = np.shape(operation.forward(*operands, *self.settings)[0])
        return laid_out(0.5 + np.random.default_rng([seed, 99]).random(shape), "C")


def draw(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Draw numbers of a kind."""
    x = np.asarray(rng.normal(size=shape))
    if kind == POSITIVE:
        return 0.3 + np.abs(x)
    if kind == AWAY:
        return np.where(x < 0, -1.0, 1.0) * (4.0 + np.abs(x))
    if kind in (GRID, BETWEEN):
        shift = 0.1 if kind == GRID else 0.225
        return ((rng.permutation(x.size) - x.size // 2) * 0.25 + shift).reshape(shape)
    return x


def laid_out(x: np.ndarray, layout: str) -> np.ndarray:
    """Give the same numbers in another order in memory, read-only."""
    x = np.array(x, order="F" if layout == "F" else "C")
    if layout == "transposed":
        x = np.array(x.T).T
    if layout == "strided" and x.ndim:
        x = np.repeat(x, 2, axis=-1)[..., ::2]
    if layout == "backwards" and x.ndim:
        x = np.array(x[..., ::-1])[..., ::-1]
    x.setflags(write=False)
    return x


def record(operation: Operation, operands: list[np.ndarray], settings: tuple[Any, ...]) -> Tensor:
    """Apply an operation to tensors that hold exactly these arrays, layout included."""
    leaves = []
    for operand in operands:
        leaf = Tensor(0.0, requires_grad=True)
        leaf.array = operand
        leaves.append(leaf)
    return apply(operation, *leaves, settings=settings)


def gradients(operation: Operation, case: Case, operands: list[np.ndarray], g: np.ndarray) -> tuple[np.ndarray, ...]:
    """Give what the rule gives, one gradient for each operand."""
    node = record(operation, operands, case.settings)
    with np.errstate(all="ignore"):
        return operation.gradient(node, g)


def numerical(operation: Operation, case: Case, operands: list[np.ndarray], g: np.ndarray, i: int) -> np.ndarray:
    """Give the gradient for one operand by central differences."""

    def f(x: np.ndarray) -> float:
        value = operation.forward(*operands[:i], x, *operands[i + 1 :], *case.settings)[0]
        return float((np.asarray(value) * g).sum())

    with np.errstate(all="ignore"):
        return central_difference(f, operands[i])


def relative(found: Any, wanted: Any) -> float:
    """Give the largest error, relative to what is larger than 1."""
    return float(np.max(np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted)), initial=0.0))


def disagreement(operation: Operation, case: Case, seed: int) -> str:
    """Say where a rule and central differences differ; nothing where they agree."""
    operands = case.operands(seed)
    g = case.upstream(operands, operation, seed)
    outgoing = gradients(operation, case, operands, g)
    if len(outgoing) != len(operands):
        return f"{case}: {len(outgoing)} gradients for {len(operands)} operands"
    for i, (operand, found) in enumerate(zip(operands, outgoing, strict=True)):
        if np.shape(found) != operand.shape or found.dtype != np.float64:
            return f"{case}: gradient {i} has shape {np.shape(found)} and type {found.dtype}"
        # Written so that a NaN is a disagreement.
        if not (error := relative(found, numerical(operation, case, operands, g, i))) <= 1e-7:
            return f"{case}, seed {seed}: operand {i} is off by {error:.1e}"
    return ""


# ------------------------------------------------------------------------------------------------------- the table


def unary(row: str, kind: str = REAL, *settings: Any) -> list[Case]:
    plain = [Case(row, (shape,), (kind,), settings) for shape in SHAPES]
    laid = [Case(row, ((2, 3),), (kind,), settings, layout) for layout in ("transposed", "strided", "F")]
    return plain + laid


def binary(row: str, left: str = REAL, right: str = REAL) -> list[Case]:
    return [Case(row, pair, (left, right)) for pair in PAIRS]


def reduction(row: str, kind: str = REAL) -> list[Case]:
    return [Case(row, ((2, 3, 4),), (kind,), axis) for axis in AXES]


def along(row: str) -> list[Case]:
    axes = [((3,), -1), ((1,), 0), ((0,), 0), ((2, 3), -1), ((2, 3), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((1, 3), 0)]
    return [Case(row, (shape,), (REAL,), (axis,)) for shape, axis in axes]


def each(row: str, *ways: tuple[Any, ...], kind: str = REAL) -> list[Case]:
    """Cases from pairs of shapes and settings; one shape stands for one operand."""
    cases = []
    for shapes, *settings in ways:
        many = shapes if isinstance(shapes, list) else [shapes]
        cases.append(Case(row, tuple(many), (kind,) * len(many), tuple(settings)))
    return cases


def truths(pair: tuple[tuple[int, ...], ...]) -> np.ndarray:
    return np.random.default_rng(5).random(np.broadcast_shapes(*pair)) < 0.5


MASK = np.array([[True, False, True], [False, True, False]])
SOFT = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
CASES: dict[str, list[Case]] = {
    "add": binary("add"),
    "subtract": binary("subtract"),
    "multiply": binary("multiply"),
    "divide": binary("divide", right=AWAY),
    "power": binary("power", left=POSITIVE),
    "maximum": binary("maximum", GRID, BETWEEN),
    "minimum": binary("minimum", GRID, BETWEEN),
    "where": [Case("where", pair, (REAL, REAL), (truths(pair),)) for pair in PAIRS],
    "negative": unary("negative"),
    "exp": unary("exp"),
    "log": unary("log", POSITIVE),
    "sqrt": unary("sqrt", POSITIVE),
    "sin": unary("sin"),
    "cos": unary("cos"),
    "abs": unary("abs", GRID),
    "tanh": unary("tanh"),
    "sigmoid": unary("sigmoid"),
    "softplus": unary("softplus"),
    "relu": unary("relu", GRID),
    "leaky_relu": unary("leaky_relu", GRID, 0.2),
    "clip": unary("clip", GRID, -0.5, 0.75) + each("clip", ((9,), None, 0.5), ((9,), -0.5, None), kind=GRID),
    "softmax": along("softmax"),
    "log_softmax": along("log_softmax"),
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "max": reduction("max", GRID),
    "min": reduction("min", GRID),
    "logsumexp": reduction("logsumexp"),
    "reshape": each(
        "reshape", ((2, 3), (6,)), ((2, 3), (3, -1)), ((), (1, 1)), ((1,), ()), ((2, 3, 4), (4, 6)), ((0,), (2, 0)),
        ((6,), (1, 2, 3)), ((2, 3), (-1,)),
    ),
    "transpose": each(
        "transpose", ((2, 3), None), ((2, 3, 4), (2, 0, 1)), ((3,), None), ((2, 3, 4), (0, 2, 1)), ((), None),
        ((2, 3, 4), (-1, 0, 1)), ((2, 3, 4), None), ((2, 3, 4), (1, 2, 0)),
    ),
    "getitem": each(
        "getitem", ((2, 3), 1), ((2, 3), (slice(None), 0)), ((4,), np.array([0, 0, 2])), ((2, 3), (0, -1)),
        ((2, 3), MASK), ((2, 3), (Ellipsis, None)), ((4,), [1, 1]), ((5,), slice(None, None, -2)),
        ((3, 4), (np.array([0, 0, 2]), slice(1, 3))), ((3, 4), (np.array([True, False, False]), np.array([1, 1, 2]))),
        ((4,), []), ((3, 4), (range(3), range(3))),
    ),
    "concatenate": each(
        "concatenate", ([(3,)], 0), ([(2,), (3,)], 0), ([(2, 3), (4, 3)], 0), ([(2, 3), (2, 1)], 1),
        ([(2, 3), (2, 1)], -1), ([(1, 2), (1, 2), (1, 2)], 0), ([(0,), (2,)], 0), ([(2, 1, 2), (2, 3, 2)], -2),
    ),
    "stack": each(
        "stack", ([()], 0), ([(), ()], 0), ([(2,), (2,)], 0), ([(2,), (2,)], 1), ([(2, 3), (2, 3)], -1),
        ([(2, 3)] * 3, 1), ([(0,), (0,)], 0), ([(2, 3), (2, 3)], -2),
    ),
    "matmul": each(
        "matmul", ([(3,), (3,)],), ([(2, 3), (3,)],), ([(3,), (3, 2)],), ([(2, 3), (3, 4)],), ([(5, 2, 3), (3, 4)],),
        ([(2, 3), (5, 3, 4)],), ([(5, 2, 3), (5, 3, 4)],), ([(1, 2, 3), (5, 3, 4)],), ([(3,), (5, 3, 4)],),
        ([(5, 2, 3), (3,)],), ([(2, 1, 2, 3), (3, 3, 2)],), ([(0, 3), (3, 2)],), ([(1, 3), (3, 1)],),
    ),
    "conv2d": each(
        "conv2d", ([(2, 2, 4, 5), (3, 2, 3, 2), (3,)], (1, 1), (0, 0)), ([(1, 2, 4, 4), (2, 2, 3, 3)], (1, 1), (1, 1)),
        ([(2, 1, 5, 5), (2, 1, 2, 2), (2,)], (2, 2), (0, 0)), ([(1, 1, 4, 5), (1, 1, 2, 3)], (2, 1), (1, 0)),
        ([(2, 2, 3, 3), (2, 2, 3, 3), (2,)], (1, 1), (0, 0)), ([(1, 3, 2, 2), (2, 3, 1, 1)], (1, 1), (0, 0)),
        ([(1, 1, 5, 4), (1, 1, 2, 2), (1,)], (3, 2), (0, 1)), ([(0, 1, 3, 3), (2, 1, 2, 2), (2,)], (1, 1), (0, 0)),
    ),
    "max_pool2d": each(
        "max_pool2d", ((2, 2, 4, 4), (2, 2), (2, 2)), ((1, 2, 5, 5), (2, 2), (2, 2)), ((1, 1, 4, 5), (3, 2), (1, 1)),
        ((2, 1, 5, 5), (3, 3), (2, 2)), ((1, 1, 3, 3), (1, 1), (1, 1)), ((1, 1, 5, 6), (2, 3), (3, 2)),
        ((1, 2, 3, 3), (3, 3), (3, 3)), ((0, 1, 2, 2), (2, 2), (2, 2)), kind=GRID,
    ),
    "linear": each(
        "linear", ([(2, 3), (3, 4), (4,)],), ([(2, 3), (3, 4)],), ([(3,), (3, 4), (4,)],),
        ([(5, 2, 3), (3, 4), (4,)],),
    ),
    "layers": each(
        "layers", ([(2, 3), (16,)], Stack([(3, 4)], ["tanh"])),
        ([(2, 3), (26,)], Stack([(3, 4), (4, 2)], ["relu", None])),
        ([(3,), (11,)], Stack([(3, 2), (2, 1)], ["sigmoid", "tanh"])),
        ([(5, 2, 3), (8,)], Stack([(3, 2)], ["sigmoid"])),
        ([(2, 2), (25,)], Stack([(2, 3), (3, 3), (3, 1)], ["tanh", "relu", None])),
    ),
    "squared_error": each("squared_error", *(([(2, 3), (2, 3)], how) for how in ("mean", "sum", "none"))),
    "absolute_error": [Case("absolute_error", ((2, 3), (2, 3)), (REAL, AWAY), (how,))
                       for how in ("mean", "sum", "none")],
    "softmax_cross_entropy": each(
        "softmax_cross_entropy",
        *((shape, target, how) for how in ("mean", "sum", "none") for shape, target in [
            ((2, 3), np.array([2, 0])), ((3,), np.array(1)), ((2, 3), SOFT), ((2, 2, 3), np.array([[0, 1], [2, 2]]))]),
    ),
}  # fmt: skip
