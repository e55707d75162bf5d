"""Every gradient rule in the table agrees with arithmetic: with differences, with a complex step, in both types.

Each test walks through many cases and names the one that fails; the number of cases is held as well.
"""

from dataclasses import replace

import numpy as np
import pytest

from bplib.rules import TABLE
from bplib.tensors import Tensor
from tests.property.rule_cases import CASES, Case, disagreement, gradients, record, relative

SEEDS = range(5)
NUDGE = 1e-30


def test_every_row_of_the_table_has_cases_and_a_source():
    assert CASES.keys() == TABLE.keys()
    assert all(case.row == name for name, cases in CASES.items() for case in cases)
    assert [row.name for row in TABLE.values() if not row.source or not row.derivative] == []


def test_the_cases_are_as_many_as_they_were():
    """A case is one operand of one call with one seed."""
    differences = sum(len(case.shapes) for cases in CASES.values() for case in cases) * len(SEEDS)
    steps = sum(len(case.shapes) for cases in CASES.values() for case in cases if TABLE[case.row].holomorphic)
    assert (differences, steps * 4) == (3040, 2384)


@pytest.mark.parametrize("row", CASES)
def test_the_rule_agrees_with_central_differences(row):
    for case in CASES[row]:
        for seed in SEEDS:
            assert disagreement(TABLE[row], case, seed) == ""


@pytest.mark.parametrize("row", [row for row in CASES if TABLE[row].holomorphic])
def test_the_rule_agrees_with_a_complex_step(row):
    for case in CASES[row]:
        for seed in range(4):
            operands = case.operands(seed)
            g = case.upstream(operands, TABLE[row], seed)
            for i, found in enumerate(gradients(TABLE[row], case, operands, g)):
                error = relative(found, complex_step(case, operands, g, i))
                assert error <= 1e-12, f"{case}, seed {seed}: operand {i} is off by {error:.1e}"


def complex_step(case: Case, operands: list[np.ndarray], g: np.ndarray, i: int) -> np.ndarray:
    exact = np.empty(operands[i].shape)
    for place in np.ndindex(exact.shape):
        nudged = operands[i].astype(complex)
        nudged[place] += 1j * NUDGE
        with np.errstate(all="ignore"):
            value = TABLE[case.row].forward(*operands[:i], nudged, *operands[i + 1 :], *case.settings)[0]
        exact[place] = (np.imag(value) * g).sum() / NUDGE
    return exact


@pytest.mark.parametrize("row", CASES)
def test_float32_stays_float32_and_close_to_float64(row):
    for whole in CASES[row]:
        narrow = tuple(s.astype(np.float32) if getattr(s, "dtype", None) == np.float64 else s for s in whole.settings)
        case = replace(whole, settings=narrow)
        for seed in SEEDS:
            operands = [x.astype(np.float32) for x in case.operands(seed)]
            g = case.upstream(operands, TABLE[row], seed).astype(np.float32)
            assert record(TABLE[row], operands, case.settings).dtype == np.float32, case
            found = gradients(TABLE[row], case, operands, g)
            exact = gradients(TABLE[row], whole, [x.astype(float) for x in operands], g.astype(float))
            for i, (one, wanted) in enumerate(zip(found, exact, strict=True)):
                assert one.dtype == np.float32, f"{case}: the gradient of operand {i} is {one.dtype}"
                assert relative(one, wanted) <= 2e-5, f"{case}, seed {seed}: operand {i}"


@pytest.mark.parametrize("row", CASES)
def test_a_parent_that_needs_no_gradient_gets_none_and_changes_nothing(row):
    case = max(CASES[row], key=lambda case: len(case.shapes))
    operands = case.operands(0)
    g = case.upstream(operands, TABLE[row], 0)
    everything = gradients(TABLE[row], case, operands, g)
    for i in range(len(operands) if len(operands) > 1 else 0):
        node = record(TABLE[row], operands, case.settings)
        node.parents[i].requires_grad = False
        for j, (found, wanted) in enumerate(zip(TABLE[row].gradient(node, g), everything, strict=True)):
            if i == j:
                assert found is None, f"{case}: operand {i} asked for nothing"
            else:
                np.testing.assert_array_equal(found, wanted)


def test_a_chain_of_a_hundred_thousand_operations_works():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert float(x.grad) == 1.0
    assert repr(y) == "tensor(100001., from=add)"
    del y
