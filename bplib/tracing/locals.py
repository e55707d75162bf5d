"""Local derivatives as arrays, and in words how the incoming gradient meets them.

For an operation on single numbers the local derivative is the operation's own gradient rule applied to
ones. For a matrix product it is the other matrix, transposed.

References
----------
A. Griewank and A. Walther (2008), *Evaluating Derivatives*, 2nd ed., SIAM, section 3.2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bplib.constants import constant
from bplib.rules import FAMILIES, Operation
from bplib.tracing.figures import axes_in_words

__all__ = ["Local", "Standing", "locals_of"]

_LARGEST_MATRIX = 8  # elements of an array for which the whole table of ∂yᵢ/∂xⱼ is made


class Local(NamedTuple):
    """What the incoming gradient meets on its way to one operand.

    Attributes
    ----------
    array : numpy.ndarray or None
        The local derivative; None where it would be a large table.
    form : str
        How they meet, with gaps ``{0}`` for the incoming gradient and ``{1}`` for the local derivative.
    note : str
        What else happens.
    """

    array: np.ndarray | None
    form: str = "{0} × {1}"
    note: str = ""


class Standing:
    """Stands in for a node of the graph, so that a gradient rule can be asked about other arrays.

    Attributes
    ----------
    array, operation, parents, settings, remembered, requires_grad, name, hooks
        As in `bplib.nodes.Node`.
    """

    __slots__ = ("array", "hooks", "name", "operation", "order", "parents", "remembered", "requires_grad", "settings")
    buffer = None

    def __init__(
        self,
        array: np.ndarray,
        requires_grad: bool,
        operation: Operation | None = None,
        parents: tuple[Any, ...] = (),
        settings: tuple[Any, ...] = (),
        remembered: Any = None,
    ) -> None:
        self.array, self.requires_grad, self.operation, self.parents = array, requires_grad, operation, parents
        self.settings, self.remembered, self.name, self.hooks, self.order = settings, remembered, None, None, 0

    def landing(self, dtype: np.dtype) -> None:
        """Give no memory to write into: what is asked here is no parameter's gradient."""


def locals_of(node: Any) -> list[Local | None]:
    """Give the local derivative of a result with respect to each operand that asks for a gradient.

    Parameters
    ----------
    node : Node or Standing
        The result of an operation.

    Returns
    -------
    list of Local or None
        One for each operand.
    """
    name = node.operation.name
    find = _FINDERS.get(name, _by_its_rule)
    return [local if parent.requires_grad else None for parent, local in zip(node.parents, find(node), strict=True)]


def _by_its_rule(node: Any) -> list[Local]:
    return [Local(None, f"{{0}} through the rule of {node.operation.name}") for _ in node.parents]


def _ones(node: Any) -> np.ndarray:
    return constant(1.0, node.array.shape, node.array.dtype)


def _rule_on_ones(node: Any) -> list[np.ndarray | None]:
    found = node.operation.gradient(node, _ones(node))
    return [None if share is None else _frozen(share) for share in found]


def _frozen(share: Any) -> np.ndarray:
    array = np.asarray(share)
    array.setflags(write=False)
    return array


def _element_by_element(node: Any) -> list[Local]:
    shape = node.array.shape
    if all(parent.array.shape == shape for parent in node.parents):
        return [Local(array) for array in _rule_on_ones(node)]
    # The rule would sum over the repeated axes; operands that are repeated already keep it from that.
    wide = tuple(Standing(np.broadcast_to(p.array, shape), p.requires_grad) for p in node.parents)
    stand_in = Standing(node.array, True, node.operation, wide, node.settings, node.remembered)
    arrays = _rule_on_ones(stand_in)
    return [Local(array, note=_repeated(p.array.shape, shape)) for array, p in zip(arrays, node.parents, strict=True)]


def _repeated(operand: tuple[int, ...], result: tuple[int, ...]) -> str:
    lead = len(result) - len(operand)
    axes = [i for i, n in enumerate(result) if i < lead or operand[i - lead] != n]
    return f", summed over {axes_in_words(axes)} because it was repeated there" if axes else ""


def _spread(node: Any) -> list[Local]:
    """A reduction: each element of the result is a function of a whole row of the operand."""
    arrays = _rule_on_ones(node)
    alike = node.operation.name in ("sum", "mean") and node.parents[0].array.size > 1
    note = ", the same for every element" if alike else ""
    return [Local(array, note=note) for array in arrays]


def _moved(words: str) -> Callable[[Any], list[Local]]:
    def find(node: Any) -> list[Local]:
        return [Local(array, "{0}", words) for array in _rule_on_ones(node)]

    return find


def _table(node: Any) -> list[Local]:
    """Every element of the result depends on every element of the operand: a table, one row for each yᵢ."""
    size = node.array.size
    if not 0 < size <= _LARGEST_MATRIX:
        return [Local(None, "{0} @ the table {1}")]
    rows = np.eye(size, dtype=node.array.dtype).reshape(size, *node.array.shape)
    table = np.stack([np.ravel(node.operation.gradient(node, row)[0]) for row in rows])
    return [Local(_frozen(table), "{0} @ the table {1}")]


def _matmul(node: Any) -> list[Local]:
    a, b = (parent.array for parent in node.parents)
    to_a = Local(b) if a.ndim == b.ndim == 1 else Local(b, _COLUMN_ROW) if b.ndim == 1 else Local(b.mT, "{0} @ {1}")
    to_b = Local(a) if a.ndim == b.ndim == 1 else Local(a, _ROW_COLUMN) if a.ndim == 1 else Local(a.mT, "{1} @ {0}")
    if max(a.ndim, b.ndim) > 2:
        return [local._replace(note=", matrix by matrix") for local in (to_a, to_b)]
    return [to_a, to_b]


def _linear(node: Any) -> list[Local]:
    x, weight, *bias = (parent.array for parent in node.parents)
    rows = x.reshape(-1, x.shape[-1])
    one = constant(1.0, (), node.array.dtype)
    return [
        Local(weight.T, "{0} @ {1}"),
        Local(x, _ROW_COLUMN) if x.ndim == 1 else Local(rows.T, "{1} @ {0}"),
        *(Local(one, note="" if x.ndim == 1 else ", summed over the examples") for _ in bias),
    ]


def _convolution(node: Any) -> list[Local]:
    one = constant(1.0, (), node.array.dtype)
    return [
        Local(None, "{0} times {1}, back to the places each window saw"),
        Local(None, "{0} times {1}, added up"),
        *(Local(one, note=", summed over the examples and positions") for _ in node.parents[2:]),
    ]


_ROW_COLUMN = "{1} as a column × {0} as a row"
_COLUMN_ROW = "{0} as a column × {1} as a row"
_BACK = ", each number back where it came from"
_FINDERS: dict[str, Callable[[Any], list[Local]]] = {
    **{row.name: _element_by_element
       for family in ("Arithmetic", "Functions of one number", "One of two") for row in FAMILIES[family]},
    **{row.name: _spread for family in ("Along an axis", "Losses") for row in FAMILIES[family]},
    **{row.name: _moved(_BACK) for family in ("Shape", "Several arrays") for row in FAMILIES[family]},
    "softmax": _table,
    "log_softmax": _table,
    "matmul": _matmul,
    "linear": _linear,
    "conv2d": _convolution,
    "max_pool2d": _moved(", each number back to the largest of its window"),
}  # fmt: skip
