"""The chain rule written out: every way from the loss to a node is a product, and the ways add up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from bplib.tracing.figures import array_in_words, number, partial
from bplib.tracing.records import BackwardStep, Share, TracedNode

__all__ = ["Path", "chain_in_words", "count_paths", "find_paths"]

MANY = 10**15  # from here on it is only said that there are more
_MOST_FACTORS = 10
_LONGEST_LINE = 100


@final
@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way from the loss to a node.

    Attributes
    ----------
    factors : tuple of Share
        The local derivatives along the way, the one at the loss first.
    start : numpy.ndarray
        The gradient at which the way starts: 1 for a loss.
    """

    factors: tuple[Share, ...]
    start: np.ndarray

    @property
    def nodes(self) -> tuple[TracedNode, ...]:
        """The nodes along the way, the loss first."""
        return (self.factors[0].node, *(share.parent for share in self.factors))

    @property
    def product(self) -> float | None:
        """The product of all factors, where all of them are single numbers."""
        if self.start.ndim or any(_as_number(share) is None for share in self.factors):
            return None
        product = float(self.start)
        for share in self.factors:
            product *= _as_number(share) or 0.0
        return product


def _as_number(share: Share) -> float | None:
    local = share.local
    scalar = local is not None and not (local.ndim or share.parent.value.ndim or share.node.value.ndim)
    return float(local) if scalar and local is not None else None


def count_paths(backward: Sequence[BackwardStep], target: TracedNode) -> dict[int, int]:
    """Count the ways from each node to a target; a count is cut off where it has become astronomical.

    Parameters
    ----------
    backward : sequence of BackwardStep
        From the loss back.
    target : TracedNode
        Where the ways end.

    Returns
    -------
    dict of int to int
        The number of ways for the number of each node that has any.
    """
    ways = {target.number: 1}
    for step in reversed(backward):
        found = sum(ways.get(share.parent.number, 0) for share in step.shares)
        if found:
            ways[step.node.number] = min(found, MANY)
    return ways


def find_paths(backward: Sequence[BackwardStep], target: TracedNode, most: int, start: np.ndarray) -> tuple[Path, ...]:
    """Give the first ways from the loss to a target, in the order of the operands.

    Parameters
    ----------
    backward : sequence of BackwardStep
        From the loss back.
    target : TracedNode
        Where the ways end.
    most : int
        How many to give at the most.
    start : numpy.ndarray
        The gradient at the loss.

    Returns
    -------
    tuple of Path
    """
    ways = count_paths(backward, target)
    steps = {step.node.number: step for step in backward}
    found: list[Path] = []

    def onward(node: int) -> Iterator[Share]:
        return (share for share in steps[node].shares if share.parent.number in ways)

    taken: list[Share] = []
    open_ends = [onward(backward[0].node.number)]
    while open_ends and len(found) < most:
        share = next(open_ends[-1], None)
        if share is None:
            open_ends.pop()
            if taken:
                taken.pop()
        elif share.parent.number == target.number:
            found.append(Path((*taken, share), start))
        else:
            taken.append(share)
            open_ends.append(onward(share.parent.number))
    return tuple(found)


def chain_in_words(paths: Sequence[Path], count: int, target: TracedNode, loss: str, passed: bool) -> str:
    """Write the chain rule out, in symbols and, where all are single numbers, in numbers.

    Parameters
    ----------
    paths : sequence of Path
        The ways that are written out, at least one.
    count : int
        How many there are.
    target : TracedNode
        What is differentiated by.
    loss : str
        What is differentiated.
    passed : bool
        Whether the first factor is a gradient that was passed in.

    Returns
    -------
    str
    """
    left = partial(loss, target.name)
    margin = " " * len(left)
    if count == 1 and len(paths[0].factors) == 1 and not passed:  # nothing is chained
        (share,) = paths[0].factors
        lines = [f"{left} = {share.symbols if share.is_product and not share.note else share.rule}"]
    else:
        lines = _chained(left, paths, count, loss, passed)
    value = "" if target.gradient is None else array_in_words(target.gradient)
    return "\n".join(lines if lines[-1].endswith(f"= {value}") else [*lines, f"{margin} = {value}"])


def _chained(left: str, paths: Sequence[Path], count: int, loss: str, passed: bool) -> list[str]:
    margin = " " * len(left)
    lines = _summed(left, [_symbols(path, loss, passed) for path in paths], count)
    if all(path.product is not None for path in paths):
        return lines + _summed(margin, [_numbers(path, passed) for path in paths], count)
    return lines + _explained(paths, margin)


def _summed(left: str, products: list[str], count: int) -> list[str]:
    """Write a sum in one line, or where that is too long with one product a line."""
    rest = count - len(products)
    if rest:
        more = "10¹⁵ or more" if count >= MANY else f"{rest:,} more"
        products = [*products, f"… ({more} path{'s' if rest > 1 else ''})"]
    line = f"{left} = {' + '.join(products)}"
    if len(line) <= _LONGEST_LINE:
        return [line]
    margin = " " * len(left)
    return [f"{left} = {products[0]}", *(f"{margin} + {product}" for product in products[1:])]


def _symbols(path: Path, loss: str, passed: bool) -> str:
    first = [partial(loss, path.factors[0].node.name)] if passed else []
    return " · ".join(_cut([*first, *(share.derivative for share in path.factors)]))


def _numbers(path: Path, passed: bool) -> str:
    first = [number(float(path.start))] if passed else []
    numbers = [number(_as_number(share)) for share in path.factors]
    written = [f"({x})" if i and x[0] == "−" else x for i, x in enumerate([*first, *numbers])]
    return " × ".join(_cut(written))


def _cut(factors: list[str]) -> list[str]:
    rest = len(factors) - _MOST_FACTORS
    if rest <= 2:
        return factors
    half = _MOST_FACTORS // 2
    return [*factors[:half], f"… ({rest:,} more) …", *factors[-half:]]


def _explained(paths: Sequence[Path], margin: str) -> list[str]:
    """Say for each factor, once, how it acts: matrices do not let themselves be written in one row."""
    said: dict[str, str] = {}
    for path in paths:
        for share in path.factors:
            how = f" = {share.symbols}" if share.is_product and not share.note else f": {share.rule}"
            said.setdefault(share.derivative, how)
    lines = [f"{margin}       {derivative}{how}" for derivative, how in said.items()]
    lines[0] = f"{margin} where {lines[0].lstrip()}"
    return [line if line[0] == " " else f"{margin}       {line}" for line in _cut(lines)]
