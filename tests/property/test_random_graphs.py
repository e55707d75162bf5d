"""Ten thousand random graphs: the backward pass agrees with the complex step, which knows nothing of a graph."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bplib import engine
from bplib.rules import TABLE

sys.path.insert(0, str(Path(__file__).parent))

from graph_maker import ONE, TWO, disagreement, random_program, shrunk

LIMIT = 1e-9


def check(first: int, last: int) -> list[float]:
    """Check the graphs of these numbers; the number is the seed, so that a failure can be had again."""
    sizes = []
    with np.errstate(all="ignore"):
        for number in range(first, last):
            program = random_program(np.random.default_rng(number))
            wrong = disagreement(program)
            assert wrong <= LIMIT, f"graph {number} is off by {wrong:.1e}:\n{shrunk(program)}"
            sizes.append(len(program.leaves) + len(program.instructions))
    return sizes


@pytest.mark.parametrize("part", range(10))
def test_random_graphs_agree_with_the_complex_step(part: int) -> None:
    sizes = check(1000 * part, 1000 * (part + 1))
    assert 5 <= min(sizes) <= 6
    assert 55 <= max(sizes) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("part", range(19))
def test_two_hundred_thousand_random_graphs(part: int) -> None:
    check(10_000 * (part + 1), 10_000 * (part + 2))


def test_the_graphs_use_every_operation_they_may_and_share_values() -> None:
    rows, shared = set(), 0
    with np.errstate(all="ignore"):
        for number in range(300):
            program = random_program(np.random.default_rng(number))
            rows |= {step.row for step in program.instructions}
            uses = [k for step in program.instructions for k in step.operands]
            shared += len(uses) != len(set(uses))
    assert rows >= set(ONE) | set(TWO) - {"layers"}
    assert shared >= 290


@pytest.mark.parametrize("row", ["tanh", "matmul", "sum", "concatenate", "linear"])
def test_a_wrong_rule_is_found_and_shrunk_to_one_operation(row: str) -> None:
    rule = TABLE[row].gradient

    def wrong(node, g):
        return tuple(None if share is None else share * 1.0001 for share in rule(node, g))

    table = {**TABLE, row: replace(TABLE[row], gradient=wrong)}
    with np.errstate(all="ignore"):
        for number in range(1000):
            program = random_program(np.random.default_rng(number))
            if disagreement(program, table) > LIMIT:
                break
        small = shrunk(program, table)
    assert [step.row for step in small.instructions] == [row]
    assert f'apply(TABLE["{row}"]' in str(small)


MISTAKES = {
    "overwritten where paths meet": ("incoming[parent] = incoming[parent] + share", "incoming[parent] = share"),
    "added into an array that is another node's too": ("elif parent in ours:", "elif True:"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_walk_is_found(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = MISTAKES[mistake]
    source = Path(engine.__file__).read_text("utf-8")
    assert source.count(right) == 1
    (tmp_path / "wrong_engine.py").write_text(source.replace(right, wrong), "utf-8")
    spec = importlib.util.spec_from_file_location("wrong_engine", tmp_path / "wrong_engine.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(engine, "_walk", module._walk)
    with np.errstate(all="ignore"):
        assert any(_differs(number) for number in range(200))


def _differs(number: int) -> bool:
    try:
        return not disagreement(random_program(np.random.default_rng(number))) <= LIMIT
    except ValueError:  # NumPy refuses to write into a gradient that is only a view
        return True
