"""From a loss to its trace: walk back once, then write down what happened in order."""

from typing import Any, final

import numpy as np

from bplib.checks import as_floats
from bplib.constants import constant
from bplib.errors import DataError, GraphError, ShapeError
from bplib.nodes import Node, keep_gradient
from bplib.quiet import quiet
from bplib.tracing.derivatives import Sign, derivative_in_symbols
from bplib.tracing.following import Rank, Visit, follow, kept
from bplib.tracing.formulas import settings_in_words, template_of
from bplib.tracing.locals import Standing, locals_of
from bplib.tracing.naming import Namer, is_constant
from bplib.tracing.records import BackwardStep, ForwardStep, Share, TracedNode
from bplib.tracing.story import Trace

__all__ = ["trace"]


def trace(loss: Any, gradient: Any = None) -> Trace:
    """Tell the story of a forward and a backward pass, step by step, in words and in numbers.

    Forward, every operation is one step. Backward, every operation is one step again, and to each operand it
    passes *incoming × local = outgoing*; where paths meet, the gradients add up. The numbers are the engine's own:
    ``trace(loss).gradients`` is what ``loss.backward()`` would add to ``.grad``, to the last bit.

    Parameters
    ----------
    loss : Tensor
        The result of the forward pass.
    gradient : array_like of the loss's shape, optional
        What arrives from further on; 1 for a scalar, as for a loss.

    Returns
    -------
    Trace
        Print it. It holds copies of all numbers and no tensor, so it stays as it is when training goes on.

    Notes
    -----
    Nothing is changed: no ``.grad``, no tensor; hooks are not called. A fused operation such as `linear` is one step;
    a stack of layers in a `Sequential` is told layer by layer, each activation on its own.

    A node is called by its tensor's ``name``. Where there is none, results are z1, z2, …, the activation of z1 is a1,
    and the last is Loss; the weights and biases of layers are W1, b1, W2, …; other tensors that ask for a gradient
    p1, p2, …; inputs x, x2, …, and the target of a loss y.

    Raises
    ------
    DataError
        If `loss` is no tensor.
    GraphError
        If `loss` has no past, nothing asked for a gradient, or a tensor was changed after it was used.
    ShapeError
        If `loss` is not a single number and no `gradient` is given, or its shape differs.

    References
    ----------
    S. Linnainmaa (1976), BIT 16, 146-160.

    Examples
    --------
    >>> import bplib
    >>> x = bplib.tensor(3.0, name="x")
    >>> w = bplib.tensor(2.0, requires_grad=True, name="w")
    >>> story = trace((x * w) ** 2)
    >>> print(story)
    The story of Loss = 36, in 4 steps
    <BLANKLINE>
    What goes in
           x = 3
           w = 2, asks for a gradient
    <BLANKLINE>
    Forward: each step computes one result
       1 · multiply: z1 = x × w = 3 × 2 = 6
       2 · power: Loss = z1^2 = 6^2 = 36
    <BLANKLINE>
    Backward: each step passes on incoming × local = outgoing
           the start: ∂Loss/∂Loss = 1
       3 · back through power: ∂Loss/∂Loss = 1 comes in
             to z1: incoming × local = 1 × 12 = 12; local: ∂Loss/∂z1 = 2 × z1 = 12
       4 · back through multiply: ∂Loss/∂z1 = 12 comes in
             to w: incoming × local = 12 × 3 = 36; local: ∂z1/∂w = x = 3
    <BLANKLINE>
    What has arrived: the gradients
           ∂Loss/∂w = 36
    >>> print(story.chain("w"))
    ∂Loss/∂w = ∂Loss/∂z1 · ∂z1/∂w
             = 12 × 3
             = 36
    """
    seed = _seed(loss, gradient)
    return quiet().run(_told, loss, seed, gradient is not None)


def _told(loss: Node, seed: np.ndarray, passed: bool) -> Trace:
    visits, gradients = follow(loss, seed)
    return _Assembly(visits, gradients, passed).trace(seed)


def _seed(loss: Any, gradient: Any) -> np.ndarray:
    if not isinstance(loss, Node):
        raise DataError(
            f"trace: expected a tensor, got {type(loss).__name__}. Pass the loss itself, as computed from tensors: "
            ".item(), .numpy() and float() leave the graph."
        )
    if loss.operation is None:
        made = "was made by hand" if loss.requires_grad else "has no past"
        raise GraphError(
            f"trace: this tensor {made}, so there is no step to tell. Expected the result of operations on at least "
            "one tensor made with requires_grad=True, outside no_grad()."
        )
    if gradient is None:
        if loss.array.size != 1:
            raise ShapeError(
                f"trace: the tensor has shape {loss.shape}. Expected a single number, such as a loss. Try .sum() or "
                ".mean() first, or pass trace(y, gradient) with a gradient of that shape."
            )
        return constant(1.0, loss.array.shape, loss.array.dtype)
    seed = as_floats(gradient.array if isinstance(gradient, Node) else gradient, loss.array.dtype)
    if seed.shape != loss.array.shape:
        raise ShapeError(
            f"trace: the tensor has shape {loss.shape}, the gradient passed in has shape {seed.shape}. "
            "Expected the same shape."
        )
    return seed


@final
class _Assembly:
    """The pieces of a trace while it is written down. Operands made by hand have the numbers −1, −2, … meanwhile."""

    def __init__(self, visits: list[Visit], gradients: dict[Node, np.ndarray], passed: bool) -> None:
        self._visits, self._gradients, self._passed = visits, gradients, passed
        self._leaves: list[tuple[Any, str]] = []
        self._names: list[str] = []
        self._operands: list[list[int]] = []
        self._numbers: dict[Any, int] = {}  # by id: tensors compare element by element
        self._loss = ""
        self._nodes: list[TracedNode] = []
        self._arrivals: dict[int, list[tuple[Rank, int, int]]] = {}

    def trace(self, seed: np.ndarray) -> Trace:
        """Put everything together."""
        self._name_all()
        self._note_arrivals()
        self._make_nodes()
        forward = [self._forward_step(i, visit) for i, visit in enumerate(self._visits[::-1])]
        sums: dict[int, tuple[int, np.ndarray]] = {}
        backward = [self._backward_step(number, i, visit, sums) for number, i, visit in self._numbered_backward()]
        hooked = tuple(self._hooked())
        return Trace(tuple(self._nodes), tuple(forward), tuple(backward), kept(seed), self._loss, self._passed, hooked)

    def _name_all(self) -> None:
        visits = self._visits[::-1]
        originals = [visit.node if visit.original is None else visit.original for visit in visits]
        leaves = [p for visit in visits for p in visit.node.parents if p.operation is None]
        namer = Namer(str(one.name) for one in (*leaves, *originals) if one.name)
        for i, (visit, original) in enumerate(zip(visits, originals, strict=True)):
            row = visit.node.operation.name
            operands = [self._operand(p, namer, row, place, i) for place, p in enumerate(visit.node.parents)]
            self._operands.append(operands)
            if i == len(visits) - 1:
                self._names.append(self._name_last(namer, original, row, operands))
            else:
                self._names.append(self._name_result(namer, original, row, operands))
            self._numbers[id(visit.node)] = self._numbers[id(original)] = i

    def _operand(self, node: Any, namer: Namer, row: str, place: int, i: int) -> int:
        # A number written in the expression is a constant of its own wherever it stands; the engine has one record.
        # An array is one input, however often it was handed over; the engine has a record for each time.
        key: Any = id(node)
        if node.operation is None and not node.order:
            key = object() if is_constant(node) else ("array", id(node.array))
        if key not in self._numbers:
            self._leaves.append((node, namer.leaf(node, row, place, i)))
            self._numbers[key] = -len(self._leaves)
        return self._numbers[key]

    def _name_result(self, namer: Namer, original: Any, row: str, operands: list[int]) -> str:
        if original.name:
            return namer.own(str(original.name))
        first = operands[0]
        return namer.result(row, self._leaves[-1 - first][1] if first < 0 else self._names[first])

    def _name_last(self, namer: Namer, original: Any, row: str, operands: list[int]) -> str:
        if self._passed:
            name = self._name_result(namer, original, row, operands)
            self._loss = namer.last()
            return name
        self._loss = namer.own(str(original.name)) if original.name else namer.last()
        return self._loss

    def _final(self, number: int) -> int:
        """Turn a number of the time of writing into the place in ``trace.nodes``."""
        return -1 - number if number < 0 else len(self._leaves) + number

    def _numbered_backward(self) -> list[tuple[int, int, Visit]]:
        """Give the visits to which a gradient came: number of the step, place in the forward pass, visit."""
        total = len(self._visits)
        wanted = [(total - 1 - i, visit) for i, visit in enumerate(self._visits) if visit.incoming is not None]
        return [(total + 1 + i, place, visit) for i, (place, visit) in enumerate(wanted)]

    def _note_arrivals(self) -> None:
        for number, i, visit in self._numbered_backward():
            for place, share in enumerate(visit.outgoing):
                if share is not None:
                    to = self._arrivals.setdefault(self._final(self._operands[i][place]), [])
                    to.append((visit.ranks[place], number, place))

    def _make_nodes(self) -> None:
        for i, (leaf, name) in enumerate(self._leaves):
            kind = "parameter" if leaf.requires_grad else "constant" if is_constant(leaf) else "input"
            total = self._gradients.get(leaf)
            gradient = None if total is None else kept(total.astype(leaf.array.dtype, copy=False))
            self._nodes.append(self._node(i, name, kind, leaf.array, gradient, []))
        for i, visit in enumerate(self._visits[::-1]):
            last = i == len(self._visits) - 1 and not self._passed
            kind = "loss" if last else "intermediate"
            number = len(self._leaves) + i
            node = self._node(number, self._names[i], kind, visit.node.array, visit.incoming, self._operands[i])
            self._nodes.append(node)

    def _node(
        self, number: int, name: str, kind: str, values: np.ndarray, gradient: np.ndarray | None, operands: list[int]
    ) -> TracedNode:
        arrivals = tuple((step, place) for _, step, place in sorted(self._arrivals.get(number, ())))
        return TracedNode(number, name, kind, kept(values), gradient, tuple(map(self._final, operands)), arrivals)

    def _forward_step(self, i: int, visit: Visit) -> ForwardStep:
        node = self._nodes[self._final(i)]
        operands = tuple(self._nodes[number] for number in node.operands)
        row, settings, first = visit.node.operation, visit.node.settings, operands[0].value
        words = settings_in_words(row, settings, first, node.value)
        template = template_of(row, len(operands), settings, words, first)
        return ForwardStep(i + 1, node, row.name, row.symbol, operands, words, template)

    def _backward_step(
        self, number: int, i: int, visit: Visit, sums: dict[int, tuple[int, np.ndarray]]
    ) -> BackwardStep:
        node = self._nodes[self._final(i)]
        operands = [self._nodes[j] for j in node.operands]
        still = self._standing(visit.node, node, operands)
        sign = Sign([p.name for p in operands], node.name, [p.value for p in operands], node.value, still.settings)
        shares, incoming = [], np.asarray(visit.incoming)
        for place, (parent, local) in enumerate(zip(operands, locals_of(still), strict=True)):
            went = visit.outgoing[place]
            if went is None or local is None:
                continue
            count, before = sums.get(parent.number, (0, None))
            total = went if before is None else kept(before + went)
            sums[parent.number] = count + 1, total
            sign.place = place
            symbols = derivative_in_symbols(visit.node.operation, sign)
            shares.append(Share(node, parent, place, *local, incoming, went, count + 1, before, total, symbols))
        row = visit.node.operation
        return BackwardStep(number, node, row.name, row.symbol, incoming, tuple(shares), self._loss)

    def _standing(self, live: Any, node: TracedNode, operands: list[TracedNode]) -> Standing:
        """Give the node with the copies in place of the arrays, so that no local derivative is a view of a tensor."""
        wanted = [parent.requires_grad for parent in live.parents]
        parents = tuple(Standing(p.value, wants) for p, wants in zip(operands, wanted, strict=True))
        return Standing(node.value, True, live.operation, parents, live.settings, live.remembered)

    def _hooked(self) -> list[str]:
        """Name the nodes whose hooks were not called."""
        results = [(visit.original, name) for visit, name in zip(self._visits[::-1], self._names, strict=True)]
        return [name for node, name in (*self._leaves, *results) if node is not None and _has_hook(node)]


def _has_hook(node: Any) -> bool:
    return any(hook is not keep_gradient for hook in node.hooks or ())
