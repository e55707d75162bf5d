"""NumPy's own functions on a tensor: a tensor with its past, an answer that needs none, or a refusal that helps.

Never an array of objects, never a plain array of numbers from which no gradient flows back.
"""

import numpy as np
import pytest

import bplib
from bplib import Tensor, tensor
from bplib.errors import BplibError, DataError, ShapeError

MATRIX = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def matrix():
    return tensor(MATRIX, requires_grad=True)


# What gives a tensor: the same expression on the plain array must give the same numbers.
WORKS = {
    "add": lambda x: np.add(x, 1),
    "subtract": lambda x: np.subtract(1, x),
    "multiply": lambda x: np.multiply(x, x),
    "divide": lambda x: np.divide(1, x),
    "negative": lambda x: np.negative(x),
    "positive": lambda x: np.positive(x),
    "power": lambda x: np.power(x, 2),
    "matmul": lambda x: np.matmul(x, x.T),
    "exp": lambda x: np.exp(x),
    "sin": lambda x: np.sin(x),
    "cos": lambda x: np.cos(x),
    "log": lambda x: np.log(x),
    "sqrt": lambda x: np.sqrt(x),
    "abs": lambda x: np.abs(-x),
    "fabs": lambda x: np.fabs(-x),
    "tanh": lambda x: np.tanh(x),
    "square": lambda x: np.square(x),
    "reciprocal": lambda x: np.reciprocal(x),
    "maximum": lambda x: np.maximum(x, 3),
    "minimum": lambda x: np.minimum(MATRIX[0] + 0.5, x),
    "where": lambda x: np.where(MATRIX > 2, x, 0),
    "clip": lambda x: np.clip(x, 2, 4),
    "clip by name": lambda x: np.clip(x, a_min=2, a_max=None),
    "sum": lambda x: np.sum(x, 0, keepdims=True),
    "mean": lambda x: np.mean(x, axis=1),
    "max": lambda x: np.max(x, axis=(0, 1)),
    "amax": lambda x: np.amax(x, 0),
    "min": lambda x: np.min(x, axis=-1, keepdims=True),
    "amin": lambda x: np.amin(x),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "reshape to a row": lambda x: np.reshape(x, -1),
    "ravel": lambda x: np.ravel(x),
    "squeeze": lambda x: np.squeeze(x[None]),
    "squeeze an axis": lambda x: np.squeeze(x[:, None], 1),
    "expand_dims": lambda x: np.expand_dims(x, (0, 2)),
    "transpose": lambda x: np.transpose(x),
    "transpose with axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x[None], 0, -1),
    "concatenate": lambda x: np.concatenate([x, MATRIX], axis=1),
    "stack": lambda x: np.stack((x, x), -1),
    "dot of matrices": lambda x: np.dot(MATRIX.T, x),
    "dot with a vector": lambda x: np.dot(x, MATRIX[0]),
    "dot with a number": lambda x: np.dot(2.0, x),
}
# What gives a plain answer, which has no derivative anyway: truth values, places, shapes.
ANSWERS = {
    "shape": lambda x: np.shape(x),
    "ndim": lambda x: np.ndim(x),
    "size": lambda x: np.size(x),
    "argmax": lambda x: np.argmax(x, axis=1),
    "argmin": lambda x: np.argmin(x),
    "argsort": lambda x: np.argsort(x, axis=0),
    "argwhere": lambda x: np.argwhere(x > 2),
    "count_nonzero": lambda x: np.count_nonzero(x),
    "isnan": lambda x: np.isnan(x),
    "isfinite": lambda x: np.isfinite(x),
    "isinf": lambda x: np.isinf(x),
    "signbit": lambda x: np.signbit(x),
    "any": lambda x: np.any(x > 5),
    "all": lambda x: np.all(x),
    "allclose": lambda x: np.allclose(x, MATRIX),
    "isclose": lambda x: np.isclose(x, 3.0),
    "array_equal": lambda x: np.array_equal(x, MATRIX),
    "less": lambda x: np.less(x, 2),
    "equal": lambda x: np.equal(x, x),
    "zeros_like": lambda x: np.zeros_like(x),
    "ones_like": lambda x: np.ones_like(x, dtype=np.float32),
    "array2string": lambda x: np.array2string(x),
}
# What is refused, and the nearest thing to try.
REFUSED = {
    "tan": (lambda x: np.tan(x), "Write it with operations that have one"),
    "log1p": (lambda x: np.log1p(x), "Try bplib.log(1 + x)"),
    "expm1": (lambda x: np.expm1(x), "Try bplib.exp(x) - 1"),
    "log2": (lambda x: np.log2(x), "Try bplib.log(x) / np.log(2)"),
    "cbrt": (lambda x: np.cbrt(x), "x ** (1 / 3)"),
    "sign": (lambda x: np.sign(x), "t.numpy()"),
    "floor": (lambda x: np.floor(x), "t.numpy()"),
    "round": (lambda x: np.round(x), "t.numpy()"),
    "remainder": (lambda x: np.mod(x, 2), "t.numpy()"),
    "modf": (lambda x: np.modf(x), "t.numpy()"),
    "logical_and": (lambda x: np.logical_and(x, x), "t.numpy()"),
    "logaddexp": (lambda x: np.logaddexp(x, x), "bplib.logsumexp(bplib.stack([a, b]), axis=0)"),
    "hypot": (lambda x: np.hypot(x, x), "bplib.sqrt(a * a + b * b)"),
    "fmax": (lambda x: np.fmax(x, 1), "bplib.maximum(a, b)"),
    "float_power": (lambda x: np.float_power(x, 2), "a**b"),
    "add.reduce": (lambda x: np.add.reduce(x), "x.sum()"),
    "add.accumulate": (lambda x: np.add.accumulate(x), "t.numpy()"),
    "multiply.outer": (lambda x: np.multiply.outer(x, x), "t.numpy()"),
    "var": (lambda x: np.var(x), "((x - x.mean()) ** 2).mean()"),
    "std": (lambda x: np.std(x), "bplib.sqrt"),
    "prod": (lambda x: np.prod(x), "bplib.exp(bplib.log(x).sum())"),
    "cumsum": (lambda x: np.cumsum(x), "t.numpy()"),
    "sort": (lambda x: np.sort(x), "x[np.argsort(x)]"),
    "median": (lambda x: np.median(x), "t.numpy()"),
    "norm": (lambda x: np.linalg.norm(x), "numpy.linalg.norm: the library has no gradient rule"),
    "inv": (lambda x: np.linalg.inv(x), "numpy.linalg.inv: the library has no gradient rule"),
    "fft": (lambda x: np.fft.fft(x), "numpy.fft.fft: the library has no gradient rule"),
    "outer": (lambda x: np.outer(x, x), "a[:, None] * b"),
    "inner": (lambda x: np.inner(x, x), "a @ b.T"),
    "einsum": (lambda x: np.einsum("ij,ij->i", x, x), "@"),
    "tensordot": (lambda x: np.tensordot(x, x), "@"),
    "vstack": (lambda x: np.vstack([x, x]), "bplib.concatenate([a, b], axis=0)"),
    "hstack": (lambda x: np.hstack([x, x]), "bplib.concatenate([a, b], axis=1)"),
    "append": (lambda x: np.append(x, x), "bplib.concatenate([a, b])"),
    "tile": (lambda x: np.tile(x, 2), "np.ones"),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 2, 3)), "np.ones"),
    "split": (lambda x: np.split(x, 2), "x[:3]"),
    "take": (lambda x: np.take(x, [0]), "x[places]"),
    "diff": (lambda x: np.diff(x), "x[1:] - x[:-1]"),
    "flip": (lambda x: np.flip(x), "x[::-1]"),
    "pad": (lambda x: np.pad(x, 1), "bplib.concatenate"),
    "diag": (lambda x: np.diag(x), "range(n)"),
    "moveaxis": (lambda x: np.moveaxis(x, 0, 1), ".transpose"),
    "copy": (lambda x: np.copy(x), "x.numpy()"),
    "copyto": (lambda x: np.copyto(np.zeros((2, 3)), x), "t.numpy()"),
    "nan_to_num": (lambda x: np.nan_to_num(x), "t.numpy()"),
    "interp": (lambda x: np.interp(1.5, x[0], x[1]), "t.numpy()"),
    "exp with out": (lambda x: np.exp(x, out=np.zeros((2, 3))), "cannot be written into an array"),
    "exp with where": (lambda x: np.exp(x, where=MATRIX > 2), "the option 'where' has no meaning"),
    "add with dtype": (lambda x: np.add(x, 1, dtype=np.float32), "the option 'dtype' has no meaning"),
    "sum with dtype": (lambda x: np.sum(x, dtype=np.float32), "numpy.sum: on a tensor it takes (a, axis, keepdims)"),
    "max with initial": (lambda x: np.max(x, initial=0), "on a tensor it takes (a, axis, keepdims)"),
    "reshape with order": (lambda x: np.reshape(x, -1, order="F"), "on a tensor it takes (a, shape)"),
    "concatenate with out": (lambda x: np.concatenate([x], out=np.zeros((2, 3))), "it takes (tensors, axis)"),
    "where alone": (lambda x: np.where(x), "it takes (condition, a, b)"),
    "expand_dims too far": (lambda x: np.expand_dims(x, 9), "numpy.expand_dims: 9 does not fit a tensor of shape"),
    "squeeze a long axis": (lambda x: np.squeeze(x, 0), "numpy.squeeze: 0 does not fit a tensor of shape (2, 3)"),
    "swapaxes too far": (lambda x: np.swapaxes(x, 0, 7), "numpy.swapaxes: 0, 7 does not fit"),
    "transpose twice one axis": (lambda x: np.transpose(x, (0, 0)), "transpose: (0, 0) does not fit"),
    "dot of stacks": (lambda x: np.dot(x[None], x.T), "Try a @ b"),
    "dot that does not fit": (lambda x: np.dot(x, x), "(2, 3) and (2, 3) do not fit"),
    "maximum that does not fit": (lambda x: np.maximum(x, [1, 2]), "shapes (2, 3) and (2,) do not fit"),
}


def test_the_tables_are_as_long_as_they_were():
    assert (len(WORKS), len(ANSWERS), len(REFUSED)) == (43, 22, 62)


@pytest.mark.parametrize("name", WORKS)
def test_it_gives_a_tensor_with_its_past(name):
    x = matrix()
    found = WORKS[name](x)
    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.data, WORKS[name](MATRIX), rtol=1e-14)
    (found * found).sum().backward()
    assert np.abs(x.grad).sum() > 0


@pytest.mark.parametrize("name", ANSWERS)
def test_it_gives_the_answer_that_the_array_gives(name):
    found, wanted = ANSWERS[name](matrix()), ANSWERS[name](MATRIX)
    assert type(found) is type(wanted)
    np.testing.assert_array_equal(found, wanted)
    assert getattr(found, "dtype", None) == getattr(wanted, "dtype", None)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_says_what_to_try(name):
    act, words = REFUSED[name]
    with pytest.raises((DataError, ShapeError)) as caught:
        act(matrix())
    assert words in str(caught.value)
    assert "gufunc" not in str(caught.value)


def test_no_ufunc_of_numpys_makes_an_array_of_objects_or_loses_the_past():
    """All of them, also those that nobody thought of."""
    x, seen = matrix(), 0
    for name in dir(np):
        ufunc = getattr(np, name)
        if not isinstance(ufunc, np.ufunc):
            continue
        seen += 1
        takes = len(ufunc.types[0].partition("->")[0]) if ufunc.types else 2
        arguments = [x, 2.0, 2.0, 2.0][:takes]
        try:
            found = ufunc(*arguments)
        except BplibError:
            continue
        plain = isinstance(found, np.ndarray) and found.dtype == bool
        assert plain or (isinstance(found, Tensor) and found.requires_grad), name
    assert seen > 90


def test_every_advice_runs():
    """What the refusals tell to try gives the numbers that NumPy gives on the plain array."""
    a, b, x = tensor([1.0, 2.0, 4.0]), tensor([3.0, 5.0, 6.0]), tensor([2.0, 5.0, 9.0])
    p, q, r = a.numpy(), b.numpy(), x.numpy()
    n, places, weights = 3, [2, 0], np.array([1.0, 2.0, 3.0])
    square, grid = tensor(np.arange(9.0).reshape(3, 3)), np.arange(9.0).reshape(3, 3)
    for found, wanted in [
        (bplib.log(1 + x), np.log1p(r)), (bplib.exp(x) - 1, np.expm1(r)), (2**x, np.exp2(r)),
        (bplib.log(x) / np.log(2), np.log2(r)), (bplib.log(x) / np.log(10), np.log10(r)), (x ** (1 / 3), np.cbrt(r)),
        (bplib.sqrt(a * a + b * b), np.hypot(p, q)), (bplib.logsumexp(bplib.stack([a, b]), axis=0), np.logaddexp(p, q)),
        (((x - x.mean()) ** 2).mean(), np.var(r)), (bplib.sqrt(((x - x.mean()) ** 2).mean()), np.std(r)),
        ((weights * x).sum() / weights.sum(), np.average(r, weights=weights)),
        (bplib.exp(bplib.log(x).sum()), np.prod(r)), (bplib.sqrt((x * x).sum()), np.linalg.norm(r)),
        (x.max() - x.min(), np.ptp(r)), (bplib.concatenate([a, b]), np.append(p, q)), (a[:, None] * b, np.outer(p, q)),
        (square @ square.T, np.inner(grid, grid)), (a @ b, np.vdot(p, q)), (x[places], np.take(r, places)),
        (x[1:] - x[:-1], np.diff(r)), (x[::-1], np.flip(r)), (x[np.argsort(x)], np.sort(r)),
        (square[range(n), range(n)], np.diag(grid)), (square[range(n), range(n)].sum(), np.trace(grid)),
        (x[None, :], np.atleast_2d(r)), (x * np.ones((2, 3)), np.broadcast_to(r, (2, 3))),
        (bplib.concatenate([square, square], axis=1), np.hstack([grid, grid])),
    ]:  # fmt: skip
        np.testing.assert_allclose(found.data, wanted, rtol=1e-14)
