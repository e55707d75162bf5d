"""Every gradient rule in the table agrees with arithmetic, and a rule that is wrong is found out."""

from dataclasses import replace

import numpy as np
import pytest

from bplib.engine import apply
from bplib.numeric import central_difference
from bplib.rules import TABLE
from bplib.tensors import Tensor

REAL = "real"
POSITIVE = "positive"
AWAY_FROM_ZERO = "away from zero"

SHAPES = [(), (1,), (3,), (2, 3), (1, 3), (2, 1), (2, 3, 4), (1, 1, 4)]
PAIRS = [
    ((), ()), ((3,), ()), ((), (3,)), ((3,), (3,)), ((3,), (1,)), ((1,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)),
    ((2, 3), (2, 1)), ((2, 1), (2, 3)), ((2, 1), (1, 3)), ((2, 3, 4), (3, 1)), ((4,), (2, 3, 4)),
    ((1, 1, 4), (2, 3, 1)),
]  # fmt: skip
AXES = [(None, False), (None, True), (0, False), (0, True), (1, False), (-1, True), ((0, 1), False), ((0, 2), True)]


def unary(kind):
    return [((shape,), (), (kind,)) for shape in SHAPES]


def binary(left=REAL, right=REAL):
    return [(pair, (), (left, right)) for pair in PAIRS]


def one(shape, *settings):
    return ((shape,), settings, (REAL,))


# For each row: (shapes of the operands, settings, kinds of numbers).
CASES = {
    "add": binary(),
    "subtract": binary(),
    "multiply": binary(),
    "divide": binary(right=AWAY_FROM_ZERO),
    "power": binary(left=POSITIVE),
    "negative": unary(REAL),
    "exp": unary(REAL),
    "log": unary(POSITIVE),
    "sqrt": unary(POSITIVE),
    "abs": unary(AWAY_FROM_ZERO),
    "tanh": unary(REAL),
    "sigmoid": unary(REAL),
    "relu": unary(AWAY_FROM_ZERO),
    "softmax": [one((3,), -1), one((2, 3), -1), one((2, 3), 0), one((2, 3, 4), 1)],
    "log_softmax": [one((3,), -1), one((2, 3), -1), one((2, 3), 0), one((2, 3, 4), 1)],
    "sum": [one((2, 3, 4), *axis) for axis in AXES] + [one((), None, False), one((3,), 0, False)],
    "mean": [one((2, 3, 4), *axis) for axis in AXES] + [one((), None, False), one((3,), 0, False)],
    "reshape": [one((2, 3), (6,)), one((2, 3), (3, -1)), one((), (1, 1)), one((1,), ())],
    "transpose": [one((2, 3), None), one((2, 3, 4), (2, 0, 1)), one((3,), None), one((2, 3, 4), (0, 2, 1))],
    "getitem": [
        one((2, 3), 1), one((2, 3), (slice(None), 0)), one((4,), np.array([0, 0, 2])), one((2, 3), (0, 1)),
        one((2, 3), np.array([[True, False, True], [False, True, False]])), one((2, 3), (Ellipsis, None)),
    ],
    "matmul": [
        (pair, (), (REAL, REAL))
        for pair in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
                     ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4))]
    ],
    "linear": [
        (shapes, (), (REAL,) * len(shapes))
        for shapes in [((2, 3), (3, 4), (4,)), ((2, 3), (3, 4)), ((3,), (3, 4), (4,)), ((5, 2, 3), (3, 4), (4,))]
    ],
    "squared_error": [(((2, 3), (2, 3)), (how,), (REAL, REAL)) for how in ("mean", "sum", "none")],
    "absolute_error": [(((2, 3), (2, 3)), (how,), (REAL, AWAY_FROM_ZERO)) for how in ("mean", "sum", "none")],
    "softmax_cross_entropy": [
        one(shape, target, how)
        for how in ("mean", "sum", "none")
        for shape, target in [((2, 3), np.array([2, 0])), ((3,), np.array(1)),
                              ((2, 3), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])),
                              ((2, 2, 3), np.array([[0, 1], [2, 2]]))]
    ],
}  # fmt: skip
FLAT = [(name, *case) for name, cases in CASES.items() for case in cases]


def label(case):
    name, shapes, settings, _ = case
    return f"{name}-{'-'.join('x'.join(map(str, s)) or 'scalar' for s in shapes)}-{len(settings)}"


def draw(shapes, kinds, seed):
    rng = np.random.default_rng(seed)
    arrays = []
    for shape, kind in zip(shapes, kinds, strict=True):
        x = rng.normal(size=shape)
        if kind == POSITIVE:
            x = 0.3 + np.abs(x)
        if kind == AWAY_FROM_ZERO:
            # Far enough from a kink, and from any pair of values that would meet there.
            x = np.where(x < 0, -1.0, 1.0) * (4.0 + np.abs(x))
        arrays.append(np.asarray(x))
    return arrays


def backward(operation, arrays, settings, upstream, dtype=np.float64):
    leaves = [Tensor(a, requires_grad=True, dtype=dtype) for a in arrays]
    out = apply(operation, *leaves, settings=settings)
    out.backward(upstream[: out.size].reshape(out.shape))
    return out, [leaf.grad for leaf in leaves]


def numerical(operation, arrays, settings, upstream, i):
    def f(x):
        value = np.asarray(operation.forward(*arrays[:i], x, *arrays[i + 1 :], *settings)[0])
        return float((value * upstream[: value.size].reshape(value.shape)).sum())

    return central_difference(f, arrays[i])


def relative(found, wanted):
    return np.max(np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted)), initial=0.0)


def agrees(operation, shapes, settings, kinds, seed=0):
    arrays = draw(shapes, kinds, seed)
    upstream = 0.5 + np.random.default_rng(seed + 1).random(64)
    _, grads = backward(operation, arrays, settings, upstream)
    for i, (array, grad) in enumerate(zip(arrays, grads, strict=True)):
        if grad is None or grad.shape != array.shape:
            return False
        if not relative(grad, numerical(operation, arrays, settings, upstream, i)) <= 1e-7:
            return False
    return True


def test_every_row_of_the_table_has_cases():
    assert CASES.keys() == TABLE.keys()


@pytest.mark.parametrize("case", FLAT, ids=label)
def test_the_rule_agrees_with_central_differences(case):
    name, shapes, settings, kinds = case
    for seed in range(3):
        assert agrees(TABLE[name], shapes, settings, kinds, seed)


@pytest.mark.parametrize("case", [c for c in FLAT if TABLE[c[0]].holomorphic], ids=label)
def test_the_rule_agrees_with_a_complex_step(case):
    name, shapes, settings, kinds = case
    arrays = draw(shapes, kinds, 0)
    upstream = 0.5 + np.random.default_rng(1).random(64)
    _, grads = backward(TABLE[name], arrays, settings, upstream)
    for i, array in enumerate(arrays):
        exact = np.empty_like(array)
        for place in np.ndindex(array.shape):
            nudged = array.astype(complex)
            nudged[place] += 1e-30j
            value = np.asarray(TABLE[name].forward(*arrays[:i], nudged, *arrays[i + 1 :], *settings)[0])
            exact[place] = (value.imag * upstream[: value.size].reshape(value.shape)).sum() / 1e-30
        assert relative(grads[i], exact) <= 1e-12


@pytest.mark.parametrize("case", FLAT, ids=label)
def test_float32_stays_float32_and_close_to_float64(case):
    name, shapes, settings, kinds = case
    arrays = [a.astype(np.float32) for a in draw(shapes, kinds, 0)]
    upstream = (0.5 + np.random.default_rng(1).random(64)).astype(np.float32)
    settings = tuple(s.astype(np.float32) if getattr(s, "dtype", None) == np.float64 else s for s in settings)
    out, grads = backward(TABLE[name], arrays, settings, upstream, np.float32)
    _, exact = backward(TABLE[name], arrays, settings, upstream.astype(float))
    assert out.dtype == np.float32
    for grad, wanted in zip(grads, exact, strict=True):
        assert grad.dtype == np.float32
        assert relative(grad, wanted) <= 2e-5


@pytest.mark.parametrize("name", ["add", "multiply", "tanh", "relu", "sum", "matmul", "linear", "squared_error"])
def test_the_order_of_memory_does_not_matter(name):
    shapes, settings, kinds = CASES[name][-1] if name != "linear" else CASES[name][0]
    arrays = draw(shapes, kinds, 0)
    upstream = np.ones(64)
    _, plain = backward(TABLE[name], arrays, settings, upstream)
    strided = [np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a for a in arrays]
    for variant in ([np.asfortranarray(a) for a in arrays], strided):
        for a in variant:
            a.setflags(write=False)
        _, grads = backward(TABLE[name], variant, settings, upstream)
        for grad, wanted in zip(grads, plain, strict=True):
            np.testing.assert_array_equal(grad, wanted)


def mutants(operation):
    """The four ways in which a rule is most often wrong."""
    rule = operation.gradient

    def changed(change):
        def wrong(node, g):
            return tuple(None if x is None else change(x) for x in rule(node, g))

        return replace(operation, gradient=wrong)

    yield "sign", changed(lambda x: -x)
    yield "scale", changed(lambda x: x * 1.0001)
    yield "upstream dropped", replace(operation, gradient=lambda node, g: rule(node, np.ones_like(g)))
    if len(CASES[operation.name][0][0]) > 1:
        yield "swapped", replace(operation, gradient=lambda node, g: rule(node, g)[::-1])


@pytest.mark.parametrize(
    ("name", "_fault", "mutant"),
    [(n, fault, m) for n in TABLE for fault, m in mutants(TABLE[n])],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_wrong_rule_is_found_out(name, _fault, mutant):
    found_out = False
    for shapes, settings, kinds in CASES[name]:
        try:
            found_out |= not agrees(mutant, shapes, settings, kinds)
        except ValueError:  # a gradient of the wrong shape
            found_out = True
    assert found_out


KINKS = [
    ("relu", [0.0], [0.0]),
    ("relu", [-0.0], [0.0]),
    ("abs", [0.0], [0.0]),
    ("absolute_error", [1.0], [0.0]),
]


@pytest.mark.parametrize(("name", "x", "wanted"), KINKS)
def test_the_convention_at_a_kink_is_the_one_in_the_table(name, x, wanted):
    leaf = Tensor(x, requires_grad=True)
    others = [Tensor([1.0])] if name == "absolute_error" else []
    settings = ("sum",) if others else ()
    out = apply(TABLE[name], leaf, *others, settings=settings)
    out.backward(np.ones(out.shape))
    assert leaf.grad.tolist() == wanted
    assert TABLE[name].kinks.endswith(": 0")


@pytest.mark.parametrize("x", [0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300, 709.0, -745.0])
def test_the_sigmoid_is_finite_and_right_at_the_extremes(x):
    leaf = Tensor(x, requires_grad=True)
    y = apply(TABLE["sigmoid"], leaf)
    y.backward()
    assert 0.0 <= float(y) <= 1.0
    assert np.isfinite(leaf.grad)
    if abs(x) < 1:
        assert float(y) == pytest.approx(0.5, rel=1e-15)
    if x == -745.0:
        assert float(y) == pytest.approx(5e-324, abs=0)  # e to the −745, the smallest number there is


def test_a_chain_of_a_hundred_thousand_operations_works():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert float(x.grad) == 1.0
    assert repr(y) == "tensor(100001., from=add)"
    del y
