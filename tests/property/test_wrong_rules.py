"""A gradient rule that is wrong is found out: each rule is broken in several ways, and none of them may pass.

R. A. DeMillo, R. J. Lipton and F. G. Sayward (1978), IEEE Computer 11(4), 34-41, on mutants as a test of tests.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bplib.rules import TABLE, Operation
from tests.property.rule_cases import CASES, disagreement


def mutants(operation: Operation) -> Iterator[tuple[str, Operation]]:
    """The ways in which a rule is most often wrong."""
    rule = operation.gradient

    def changed(change: Callable[[Any], Any]) -> Operation:
        return replace(operation, gradient=lambda node, g: tuple(change(x) for x in rule(node, g)))

    yield "the sign", changed(lambda x: -x)
    yield "a factor of 1.0001", changed(lambda x: x * 1.0001)
    yield "the upstream gradient dropped", replace(operation, gradient=lambda node, g: rule(node, np.ones_like(g)))
    yield "zero", changed(lambda x: x * 0.0)
    yield "the elements in reverse", changed(np.flip)
    if max(len(case.shapes) for case in CASES[operation.name]) > 1:
        yield "the operands exchanged", replace(operation, gradient=lambda node, g: rule(node, g)[::-1])
    if operation.name in ("matmul", "linear", "layers", "conv2d"):
        yield "a transpose left out", changed(lambda x: x.T.reshape(x.shape))


MUTANTS = [(row, fault, mutant) for row in TABLE for fault, mutant in mutants(TABLE[row])]


def test_the_mutants_are_as_many_as_they_were():
    assert len(MUTANTS) == 225


@pytest.mark.parametrize(("row", "fault", "mutant"), MUTANTS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_wrong_rule_is_found_out(row, fault, mutant):
    assert is_found_out(mutant), f"{row}: nobody notices {fault}"


def is_found_out(mutant: Operation) -> bool:
    try:
        return any(disagreement(mutant, case, 0) for case in CASES[mutant.name])
    except ValueError:  # operands exchanged where their shapes differ
        return True


def test_a_right_rule_is_not():
    assert [row for row in TABLE if is_found_out(TABLE[row])] == []


BROADCASTING = {
    "arithmetic": ["add", "subtract", "multiply", "divide", "power"],
    "selection": ["maximum", "minimum", "where"],
    "matrices": ["matmul"],
}


@pytest.mark.parametrize("family", BROADCASTING)
def test_a_gradient_that_is_not_summed_over_repeated_axes_is_found_out(family, monkeypatch):
    module = importlib.import_module(f"bplib.rules.{family}")
    monkeypatch.setattr(module, "sum_to_shape", lambda g, shape, place=None: g)
    assert [row for row in BROADCASTING[family] if not is_found_out(TABLE[row])] == []


def test_every_rule_that_sums_over_repeated_axes_is_in_the_test_above():
    modules = {row.name: importlib.import_module(row.gradient.__module__) for row in TABLE.values()}
    using = {name for name, module in modules.items() if hasattr(module, "sum_to_shape")}
    assert using - {"negative"} == {row for rows in BROADCASTING.values() for row in rows}
