"""A trace moment by moment: what is known on the graph after each step, forward and then backward."""

from dataclasses import dataclass
from typing import final

import numpy as np

from bplib.errors import DataError, DomainError
from bplib.tracing import Trace
from bplib.tracing.figures import figures, is_short, number, one_number, partial
from bplib.tracing.formulas import formula_of
from bplib.tracing.records import ForwardStep, Share, TracedNode

__all__ = ["MOST_NODES", "Equation", "Moment", "as_story", "chain_lines", "cut", "moments_of", "short"]

MOST_NODES = 30
"""More nodes do not fit into one readable picture."""

_LONGEST_LINE = 120
_LONGEST_FORMULA = 30


def cut(text: str, most: int) -> str:
    """Give a text that fits: without marks that cannot be seen, its end replaced by "…" where it is too long.

    Examples
    --------
    >>> cut("weight", 10), cut("the weight of the first unit", 10)
    ('weight', 'the weigh…')
    """
    text = _printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _printable(text: str) -> str:
    # A mark that turns the direction of writing would turn the numbers beside it, too.
    return "".join(sign for sign in text if sign.isprintable())


@final
@dataclass(frozen=True)
class Equation:
    """The present step as three columns that read *a* × *b* = *c*.

    Attributes
    ----------
    captions, symbols, numbers : tuple of str
        Three each: what the column is, its symbol, its number.
    signs : (str, str)
        What stands between the columns.
    """

    captions: tuple[str, str, str] = ("", "", "")
    symbols: tuple[str, str, str] = ("", "", "")
    numbers: tuple[str, str, str] = ("", "", "")
    signs: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        for name in ("captions", "symbols", "numbers"):
            object.__setattr__(self, name, tuple(cut(text, _LONGEST_FORMULA) for text in getattr(self, name)))


@final
@dataclass(frozen=True)
class Moment:
    """What the picture shows after one step.

    Attributes
    ----------
    phase : {"ready", "forward", "start", "backward"}
        Before everything, after an operation, at the start of the way back, after a share has arrived.
    title, sentence : str
        The step in a few words, and in full.
    forward : ForwardStep or None
        The operation of this moment.
    share : Share or None
        What goes from a result to one of its operands at this moment.
    values : frozenset of int
        The nodes whose values are known.
    gradients : dict of int to str
        For each node at which a gradient has arrived, the gradient, with "+ ?" while more is to come.
    equation : Equation
    chain : tuple of str
        The chain rule written out, a line each.
    """

    phase: str
    title: str
    sentence: str
    values: frozenset[int]
    gradients: dict[int, str]
    equation: Equation = Equation()
    chain: tuple[str, ...] = ()
    forward: ForwardStep | None = None
    share: Share | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", cut(self.title, _LONGEST_LINE))
        object.__setattr__(self, "sentence", _printable(self.sentence))
        object.__setattr__(self, "chain", tuple(map(_printable, self.chain)))


def as_story(story: object, who: str) -> Trace:
    """Give the trace itself if it can be drawn.

    Raises
    ------
    DataError
        If it is no `Trace`.
    DomainError
        If it has too many nodes for one picture.
    """
    if not isinstance(story, Trace):
        raise DataError(
            f"{who}: expected a Trace, got {type(story).__name__}. Make one with bplib.trace(loss), from the loss."
        )
    if len(story.nodes) > MOST_NODES:
        raise DomainError(
            f"{who}: the graph has {len(story.nodes)} nodes. Expected at most {MOST_NODES}, so that all of them can "
            "be read. Print the trace, or draw a smaller expression."
        )
    return story


def moments_of(story: Trace) -> tuple[Moment, ...]:
    """Give every moment of a forward and a backward pass, the first before anything is computed.

    Parameters
    ----------
    story : Trace

    Returns
    -------
    tuple of Moment

    Examples
    --------
    >>> import bplib
    >>> x = bplib.tensor(3.0, requires_grad=True, name="x")
    >>> [moment.phase for moment in moments_of(bplib.trace(x * x))]
    ['ready', 'forward', 'start', 'backward', 'backward']
    """
    known = frozenset(node.number for node in story.nodes if not node.operands)
    loss = story.nodes[-1]
    count = len(story.forward)
    ready = f"Ready: {_many(count, 'operation')} to compute. Every result is still unknown."
    found = [Moment("ready", "Nothing is computed yet", ready, known, {})]
    for step in story.forward:
        known |= {step.node.number}
        found.append(_forward(step, count, known))
    gradients = {loss.number: short(story.start)}
    found.append(_start(story, loss, known, dict(gradients)))
    shares = [share for step in story.backward for share in step.shares]
    for k, share in enumerate(shares, start=1):
        gradients[share.parent.number] = _so_far(share)
        found.append(_backward(story, share, k, len(shares), known, dict(gradients)))
    return tuple(found)


def _forward(step: ForwardStep, count: int, known: frozenset[int]) -> Moment:
    title = f"Forward, step {step.number} of {count}: {step.operation}"
    values = [short(operand.value) for operand in step.operands]
    formula = formula_of(step.template, values, step.operation)
    equation = Equation(
        ("result", "operands", "value"),
        (step.node.name, step.formula, ""),
        ("", formula if len(formula) < _LONGEST_FORMULA else "", short(step.result)),
        ("=", "="),
    )
    return Moment("forward", title, f"Forward: {step.sentence}.", known, {}, equation, forward=step)


def _start(story: Trace, loss: TracedNode, known: frozenset[int], gradients: dict[int, str]) -> Moment:
    symbol = partial(story.loss, loss.name)
    why = "passed in" if story.passed else f"a nudge of {loss.name} changes {loss.name} by the same amount"
    sentence = f"Backward starts at the end: {symbol} = {short(story.start)}, {why}."
    equation = Equation(("", "the start", ""), ("", symbol, ""), ("", short(story.start), ""))
    return Moment("start", "Backward, the start", sentence, known, gradients, equation)


def _backward(
    story: Trace, share: Share, k: int, count: int, known: frozenset[int], gradients: dict[int, str]
) -> Moment:
    title = f"Backward, step {k} of {count}: from {share.node.name} to {share.parent.name}"
    return Moment(
        "backward", title, f"Backward {share.sentence}.", known, gradients, _product(story, share),
        chain_lines(story, share), share=share,
    )  # fmt: skip


def _product(story: Trace, share: Share) -> Equation:
    local = "" if share.local is None else one_number(share.local) if share.local.size else ""
    outgoing = partial(story.loss, share.parent.name)
    if len(share.parent.arrivals) > 1:
        outgoing += f", part {share.arrival}"
    if not share.is_product:
        return Equation(
            ("incoming", "rule", "outgoing"),
            (partial(story.loss, share.node.name), share.rule, outgoing),
            (short(share.incoming), "", short(share.outgoing)),
            ("", "→"),
        )
    same = "" if share.symbols == local or len(share.symbols) > 24 else f"{share.symbols} = "
    return Equation(
        ("incoming", "local", "outgoing"),
        (partial(story.loss, share.node.name), share.derivative, outgoing),
        (short(share.incoming), f"{same}{local}", short(share.outgoing)),
        ("×", "="),
    )


def chain_lines(story: Trace, share: Share) -> tuple[str, ...]:
    """Give the chain rule for the operand of this share, or while more is to come there, what has arrived.

    Parameters
    ----------
    story : Trace
    share : Share

    Returns
    -------
    tuple of str
        At most four lines.
    """
    if share.arrival < len(share.parent.arrivals):
        left = f"{share.parent.name} feeds {len(share.parent.arrivals)} operations"
        return (f"{left}: its gradient is a sum, and part {share.arrival} has arrived.",)
    lines = story.chain(share.parent.name).splitlines()
    if len(lines) > 4 or max(map(len, lines)) > _LONGEST_LINE:
        return (f"{partial(story.loss, share.parent.name)} = {short(share.total)}",)
    return tuple(lines)


def _so_far(share: Share) -> str:
    if share.arrival < len(share.parent.arrivals):
        return f"{short(share.total)} + ?"
    if share.before is None or not is_short(share.total):
        return short(share.total)
    return f"{short(share.before)} + {_bracketed(short(share.outgoing))} = {short(share.total)}"


def _bracketed(text: str) -> str:
    return f"({text})" if text[:1] == "−" else text


def short(array: np.ndarray, digits: int = 4) -> str:
    """Write a number with few digits, a small array in full, and of a large one the shape.

    Examples
    --------
    >>> short(np.array(-0.123456)), short(np.zeros((4, 3)))
    ('−0.1235', '4×3')
    """
    if array.ndim == 0:
        return number(array.item(), digits)
    if is_short(array) and array.size <= 3:
        return figures(array)
    return "×".join(map(str, array.shape))


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
