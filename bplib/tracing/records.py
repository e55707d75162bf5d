"""What a trace consists of: plain records of numbers and words, without a tensor in them."""

from dataclasses import dataclass, field
from typing import final

import numpy as np

from bplib.tracing.figures import array_in_words, figures, is_short, one_number, ordinal, partial
from bplib.tracing.formulas import formula_of

__all__ = ["BackwardStep", "ForwardStep", "Share", "TracedNode"]

_LONGEST_FORMULA = 100  # characters of numbers, beyond which only the names are given


@final
@dataclass(frozen=True, slots=True, eq=False)
class TracedNode:
    """One number or array of the graph.

    Attributes
    ----------
    number : int
        Its place in ``trace.nodes``, from 0. A result comes after its operands.
    name : str
        What it is called in the trace.
    kind : {"parameter", "input", "constant", "intermediate", "loss"}
        A parameter asks for a gradient, an input does not; a constant is a number written in the expression; the
        others are results.
    value : numpy.ndarray
        The values, read-only.
    gradient : numpy.ndarray or None
        ∂Loss/∂(this node), of the value's shape; None where none was wanted.
    operands : tuple of int
        The numbers of the nodes it was computed from.
    arrivals : tuple of (int, int)
        The gradients that add up to `gradient`, in the order in which they are added: number of the backward step,
        place of the operand.
    """

    number: int
    name: str
    kind: str
    value: np.ndarray = field(repr=False)
    gradient: np.ndarray | None = field(default=None, repr=False)
    operands: tuple[int, ...] = ()
    arrivals: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.value.shape


@final
@dataclass(frozen=True, slots=True, eq=False)
class ForwardStep:
    """One operation of the forward pass.

    Attributes
    ----------
    number : int
        Its place in the story, from 1.
    node : TracedNode
        The result.
    operation, symbol : str
        The row of the table of operations, and its sign.
    operands : tuple of TracedNode
        What it was computed from.
    settings : str
        What else the operation was given, in words such as "over axis 1".
    template : str
        The formula with a gap for each operand, such as ``"{0} × {1}"``.
    """

    number: int
    node: TracedNode
    operation: str
    symbol: str
    operands: tuple[TracedNode, ...]
    settings: str
    template: str = field(repr=False)

    @property
    def result(self) -> np.ndarray:
        """The values that came out."""
        return self.node.value

    @property
    def formula(self) -> str:
        """The formula in names, such as "w × x"."""
        return formula_of(self.template, [operand.name for operand in self.operands], self.operation)

    @property
    def sentence(self) -> str:
        """The step in words and numbers, such as "multiply: z1 = w × x = 2 × 3 = 6"."""
        start = f"{self.operation}: {self.node.name} = {self.formula}"
        numbers = self._in_numbers()
        middle = f" = {numbers}" if numbers and len(numbers) <= _LONGEST_FORMULA else ""
        if not is_short(self.result):
            return f"{start}, {array_in_words(self.result)}"
        result = figures(self.result)
        return f"{start}{middle}" if numbers == result else f"{start}{middle} = {result}"

    def _in_numbers(self) -> str:
        if not all(is_short(operand.value) for operand in self.operands):
            return ""
        values = [figures(operand.value) for operand in self.operands]
        if self.operation in ("sum", "mean") and self.result.ndim == 0 and 1 < self.operands[0].value.size:
            return _added_up(self.operands[0].value, self.operation)
        return formula_of(self.template, values, self.operation)

    def __str__(self) -> str:
        return f"{self.number} · {self.sentence}"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """What one operand receives in one step of the backward pass.

    Attributes
    ----------
    node : TracedNode
        The result at which the gradient came in.
    parent : TracedNode
        The operand to which it goes.
    place : int
        Which operand, from 0.
    local : numpy.ndarray or None
        The local derivative ∂(node)/∂(parent): for an operation on single numbers, one number for each element of
        the result; for a matrix product the other matrix; None where it would be a large table.
    form, note : str
        How incoming and local meet, such as ``"{0} × {1}"`` and ``"{0} @ {1}"``, and what else happens.
    incoming, outgoing : numpy.ndarray
        What came in, and what goes out.
    arrival : int
        Which of the gradients that arrive at the parent this is, from 1.
    before : numpy.ndarray or None
        The sum of what had arrived there before.
    total : numpy.ndarray
        The sum with this one.
    symbols : str
        The local derivative in the names of the trace.
    """

    node: TracedNode
    parent: TracedNode
    place: int
    local: np.ndarray | None = field(repr=False)
    form: str = field(repr=False)
    note: str = field(repr=False)
    incoming: np.ndarray = field(repr=False)
    outgoing: np.ndarray = field(repr=False)
    arrival: int
    before: np.ndarray | None = field(repr=False)
    total: np.ndarray = field(repr=False)
    symbols: str

    @property
    def is_product(self) -> bool:
        """Whether incoming and local are multiplied number by number."""
        return self.form == "{0} × {1}"

    @property
    def derivative(self) -> str:
        """The local derivative as ∂z/∂x, with a word where that could be mistaken for the sum over all paths."""
        text = partial(self.node.name, self.parent.name)
        if self.node.operands.count(self.parent.number) > 1:
            return f"{text} ({ordinal(self.place + 1)} operand)"
        return f"{text} (directly)" if self.node.kind == "loss" and len(self.parent.arrivals) > 1 else text

    @property
    def rule(self) -> str:
        """How the outgoing gradient comes about, such as "incoming × local" or "incoming @ Wᵀ"."""
        return self.form.format("incoming", "local" if self.is_product else self.symbols) + self.note

    @property
    def sentence(self) -> str:
        """*incoming × local = outgoing* in numbers, the local derivative, and the sum where another had arrived."""
        return f"to {self.parent.name}: {self._product()}{self._reason()}{self._accumulation()}"

    def _product(self) -> str:
        numbers = self._in_numbers()
        if not numbers or len(numbers) > _LONGEST_FORMULA:
            return f"{self.rule} = {array_in_words(self.outgoing)}"
        if self.note:
            return f"{self.rule}: {numbers} gives {figures(self.outgoing)}"
        return f"{self.rule} = {numbers} = {figures(self.outgoing)}"

    def _in_numbers(self) -> str:
        local, needed = self.local, "{1}" in self.form
        if needed and (local is None or local.size == 0):
            return ""
        if not (is_short(self.incoming) and is_short(self.outgoing)):
            return ""
        factor = ""
        if needed and local is not None:
            factor = one_number(local) if self.is_product else figures(local) if is_short(local) else ""
            if not factor or (local.size > 6 and "[" in factor):
                return ""
        return formula_of(self.form, [figures(self.incoming), factor], "multiply")

    def _reason(self) -> str:
        if not self.is_product or self.local is None:
            return ""
        text = f"; local: {self.derivative} = {self.symbols}"
        if not self.local.size or self.symbols == (value := one_number(self.local)) or "because" in self.symbols:
            return text
        # An array has been written a moment ago; a number ties the formula to the product.
        return text if "[" in value else f"{text} = {value}"

    def _accumulation(self) -> str:
        if self.before is None:
            return ""
        text = f"; this is the {ordinal(self.arrival)} gradient to arrive at {self.parent.name}"
        if not is_short(self.total):
            return f"{text}, and they are added up"
        so_far, new = figures(self.before), figures(self.outgoing)
        return f"{text}: {formula_of('{0} + {1}', [so_far, new], 'add')} = {figures(self.total)}"


@final
@dataclass(frozen=True, slots=True, eq=False)
class BackwardStep:
    """One visit of the backward pass: what comes in at a result, and what goes out to its operands.

    Attributes
    ----------
    number : int
        Its place in the story, after the last forward step.
    node : TracedNode
        The result.
    operation, symbol : str
        The row of the table of operations, and its sign.
    incoming : numpy.ndarray
        The gradient that has arrived, all of it.
    shares : tuple of Share
        One for each operand that wants a gradient.
    loss : str
        What is differentiated.
    """

    number: int
    node: TracedNode
    operation: str
    symbol: str
    incoming: np.ndarray = field(repr=False)
    shares: tuple[Share, ...]
    loss: str = field(repr=False)

    @property
    def opening(self) -> str:
        """What comes in, such as "back through multiply: ∂Loss/∂z1 = 2 comes in"."""
        came = partial(self.loss, self.node.name)
        value = f" = {figures(self.incoming)}" if is_short(self.incoming) else f", {array_in_words(self.incoming)},"
        return f"back through {self.operation}: {came}{value} comes in"

    @property
    def sentence(self) -> str:
        """The whole step in words and numbers."""
        return ". ".join([self.opening, *(share.sentence for share in self.shares)])

    def __str__(self) -> str:
        lines = [f"{self.number} · {self.opening}", *(f"  {share.sentence}" for share in self.shares)]
        return "\n".join(lines)


def _added_up(array: np.ndarray, operation: str) -> str:
    numbers = [figures(np.asarray(x)) for x in array.ravel()]
    total = " + ".join([numbers[0], *(f"({x})" if x[0] == "−" else x for x in numbers[1:])])
    return f"({total}) ÷ {len(numbers)}" if operation == "mean" else total
