"""What the numbers of a trace are called: by the user's names, else as in the slides."""

from typing import Any, final

import numpy as np

from bplib.tracing.figures import number

__all__ = ["Namer"]

# The operands of these have a part to play.
_PARTS = {
    **dict.fromkeys(("linear", "conv2d"), (None, "W", "b")),
    **dict.fromkeys(("squared_error", "absolute_error"), (None, "y")),
}
_ACTIVATIONS = {"tanh", "sigmoid", "relu", "leaky_relu", "softplus", "softmax"}


@final
class Namer:
    """Gives every node a name that no other has; constants are called by their number.

    Parameters
    ----------
    taken : iterable of str
        The names that the user has given, and that none of ours may repeat.

    Examples
    --------
    >>> namer = Namer(["z1"])
    >>> namer.result("multiply", "w"), namer.result("add", "z2"), namer.result("tanh", "z3")
    ('z2', 'z3', 'a3')
    """

    def __init__(self, taken: Any) -> None:
        self._reserved = set(taken)
        self._given: set[str] = set()
        self._counts: dict[str, int] = {}
        self._layers: dict[Any, int] = {}

    def own(self, name: str) -> str:
        """Give a user's name, with a number behind it from the second time on."""
        return self._take(name) if name not in self._given else self._again(name)

    def leaf(self, node: Any, operation: str, place: int, layer: Any) -> str:
        """Name what was made by hand.

        Parameters
        ----------
        node : Node
            What to name.
        operation : str
            The first operation that takes it.
        place : int
            Which of its operands it is.
        layer : object
            The result of that operation: weights and biases of one result have one number.
        """
        if node.name:
            return self.own(str(node.name))
        if is_constant(node):
            return number(node.array.item())
        parts = _PARTS.get(operation, ())
        part = parts[place] if place < len(parts) else None
        if part in ("W", "b"):
            return self._new(f"{part}{self._layers.setdefault(layer, len(self._layers) + 1)}")
        if node.requires_grad:
            return self._counted("p")
        return self._new(part or "x")

    def result(self, operation: str, operand: str) -> str:
        """Name an intermediate result: the activation of z1 is a1, everything else the next z."""
        if operation in _ACTIVATIONS and operand[:1] == "z" and operand[1:].isdigit():
            name = f"a{operand[1:]}"
            if self._is_free(name):
                return self._take(name)
        return self._counted("z")

    def last(self) -> str:
        """Name the loss."""
        return self._new("Loss")

    def _new(self, name: str) -> str:
        return self._take(name) if self._is_free(name) else self._again(name)

    def _is_free(self, name: str) -> bool:
        return name not in self._given and name not in self._reserved

    def _take(self, name: str) -> str:
        self._given.add(name)
        return name

    def _again(self, name: str) -> str:
        self._counts.setdefault(name, 1)
        return self._counted(f"{name}_" if name[-1].isdigit() else name, name)

    def _counted(self, stem: str, what: str = "") -> str:
        """Give the stem with the next number; each count goes on where it stopped, however many there are."""
        while True:
            count = self._counts[what or stem] = self._counts.get(what or stem, 0) + 1
            if self._is_free(f"{stem}{count}"):
                return self._take(f"{stem}{count}")


def is_constant(node: Any) -> bool:
    """Say whether a leaf is a number written in the expression: the engine makes those with creation number 0."""
    made_by_engine = node.order == 0 and not node.requires_grad and node.name is None
    return bool(made_by_engine and isinstance(node.array, np.ndarray) and node.array.ndim == 0)
