"""From the notes of a training step to a list of what is done at each repetition.

Whatever can be decided once is decided here: which results a loss depends on, which rule passes a gradient to
whom, and that a gradient which is forgotten and at once found anew can be written over the old one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from bplib.journal import Action, Forget
from bplib.nodes import Array, Node
from bplib.programs import Program, program_for
from bplib.rules import Operation

__all__ = ["Applied", "Started", "compiled"]

Programs = dict[Node, Program | None]


class Applied:
    """One operation that was applied."""

    __slots__ = ("node", "operation", "parents", "settings")

    def __init__(self, node: Node, operation: Operation, parents: tuple[Node, ...], settings: tuple[Any, ...]) -> None:
        self.node, self.operation, self.parents, self.settings = node, operation, parents, settings


class Started:
    """One backward pass that was started."""

    __slots__ = ("loss", "seed", "visited")

    def __init__(self, loss: Node, seed: Array) -> None:
        self.loss, self.seed = loss, seed
        self.visited: list[tuple[Node, tuple[bool, ...]]] = []


def compiled(entries: Sequence[Any]) -> list[Action]:
    """Give what to do, in order; what no loss depends on is left out.

    Parameters
    ----------
    entries : sequence of Applied, Started and actions
        What a step did, in order; at least one backward pass was started.
    """
    programs = {node: program_for(node) for node in _needed(entries)}
    overwritten = _overwritten(entries, programs)
    before: list[Action] = []
    actions: list[Action] = []
    for entry in entries:
        if entry is overwritten:
            before, actions = actions, []
        elif isinstance(entry, Started):
            chain = _chain_of(entry, programs)
            if chain is None:
                actions.append(_through_a_graph(entry, programs))
            elif overwritten is None:
                actions.append(_along(chain))
            else:
                actions = [*before, _over_the_old(overwritten, actions, chain)]
        elif not isinstance(entry, Applied):
            actions.append(entry)
        elif entry.node in programs:
            program = programs[entry.node]
            actions.append(_forward_of(entry) if program is None else program.forward)
    return actions


def _needed(entries: Sequence[Any]) -> set[Node]:
    """Give the results on which a loss depends."""
    made = {entry.node: entry for entry in entries if isinstance(entry, Applied)}
    needed: set[Node] = set()
    waiting = [entry.loss for entry in entries if isinstance(entry, Started)]
    while waiting:
        node = waiting.pop()
        if node in made and node not in needed:
            needed.add(node)
            waiting += made[node].parents
    return needed


def _overwritten(entries: Sequence[Any], programs: Programs) -> Forget | None:
    """Give the action right before the only backward pass, if it forgets just what that pass can write anew."""
    others = [entry for entry in entries if not isinstance(entry, Applied)]
    started = [i for i, entry in enumerate(others) if isinstance(entry, Started)]
    before = others[started[0] - 1] if started[0] else None
    chain = _chain_of(others[started[0]], programs)
    if len(started) > 1 or not isinstance(before, Forget) or chain is None or chain.write is None:
        return None
    return before if set(before.parameters) == set(chain.leaf.members) else None


def _forward_of(entry: Applied) -> Action:
    """Give the operation on the recorded operands; its result goes into the recorded array, which others know."""
    node, forward, settings, parents = entry.node, entry.operation.forward, entry.settings, entry.parents
    array = node.array

    def apply_again() -> None:
        result, node.remembered = forward(*[p.array for p in parents], *settings)
        array[...] = result

    return apply_again


def _rule_of(node: Node, programs: Programs) -> Any:
    program, row = programs[node], node.operation
    return program.gradient if program is not None else row.gradient  # type: ignore[union-attr]


class _Chain(NamedTuple):
    """The backward pass of a network whose layers follow one another: nothing arrives twice."""

    seed: Array
    links: list[tuple[Any, Node, int]]  # a rule, its node, and which of its results goes on
    leaf: Node
    write: Any  # what may take the place of the last rule; see `Program`


def _chain_of(entry: Started, programs: Programs) -> _Chain | None:
    """Give the chain if each node passes its gradient to one operand only: the way then has no fork."""
    if any(reached.count(True) != 1 for _, reached in entry.visited):
        return None
    links = [(_rule_of(node, programs), node, reached.index(True)) for node, reached in entry.visited]
    _, last, i = links[-1]
    program = programs[last]
    return _Chain(entry.seed, links, last.parents[i], program and program.write)


def _along(chain: _Chain) -> Action:
    seed, links, leaf, _ = chain

    def backward() -> None:
        g = seed
        for gradient, node, i in links:
            g = gradient(node, g)[i]
        if g is leaf.buffer:
            leaf._gradient = g
        else:
            leaf.receive(g)

    return backward


def _over_the_old(forget: Forget, forward: list[Action], chain: _Chain) -> Action:
    """Give forward and backward pass with no need to forget the old gradients: the new ones are written over them."""
    seed, links, write = chain.seed, chain.links[:-1], chain.write
    parameters = forget.parameters
    afresh: list[Action] = [forget, *forward, _along(chain)]

    def both() -> None:
        try:
            for p in parameters:
                if p._gradient is not p.buffer or not p.requires_grad:
                    break
            else:
                for action in forward:
                    action()
                g = seed
                for gradient, node, i in links:
                    g = gradient(node, g)[i]
                write(g)
                return
            for action in afresh:
                action()
        except BaseException:
            forget()
            raise

    return both


def _through_a_graph(entry: Started, programs: Programs) -> Action:
    """Give the backward pass as a fixed list: which rule, and to whom its results go."""
    places: dict[Node, int] = {entry.loss: 0}
    plan: list[tuple[Any, Node, int, list[tuple[int, Node, int]]]] = []
    leaves: list[tuple[Node, int]] = []
    for node, reached in entry.visited:
        targets = []
        for i, parent in enumerate(node.parents):
            if reached[i]:
                if parent not in places and parent.operation is None:
                    leaves.append((parent, len(places)))
                targets.append((i, parent, places.setdefault(parent, len(places))))
        plan.append((_rule_of(node, programs), node, places[node], targets))
    seed, size = entry.seed, len(places)

    def backward() -> None:
        incoming: list[Any] = [None] * size
        incoming[0] = seed
        landed: set[Node] = set()
        for gradient, node, place, targets in plan:
            outgoing = gradient(node, incoming[place])
            for i, parent, target in targets:
                share = outgoing[i]
                if share is parent.buffer:
                    landed.add(parent)
                    parent._gradient = share
                    if incoming[target] is not None:
                        parent.receive(incoming[target])
                        incoming[target] = None
                elif parent in landed:
                    parent.receive(share)
                else:
                    before = incoming[target]
                    incoming[target] = share if before is None else before + share
        for leaf, place in leaves:
            if incoming[place] is not None:
                leaf.receive(incoming[place])

    return backward
