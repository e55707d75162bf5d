"""Modules in a row."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

from bplib.engine import apply, wants_every_layer
from bplib.errors import DataError
from bplib.nn.activations import ReLU, Sigmoid, Tanh
from bplib.nn.inputs import as_input
from bplib.nn.layers import Linear
from bplib.nn.module import Module
from bplib.rules import TABLE
from bplib.tensors import Tensor

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules in a row: each takes what the one before gave.

    Parameters
    ----------
    *modules : Module
        The layers, in the order of the forward pass. A module that stands twice is shared.

    Raises
    ------
    DataError
        If one of them is no module; in the forward pass, what its layers raise.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986), Nature 323, 533-536: layers in a row, and the way back.

    Examples
    --------
    >>> Sequential(Linear(2, 3, rng=0), Tanh(), Linear(3, 1, rng=1))
    Sequential(Linear(2, 3, bias=True), Tanh(), Linear(3, 1, bias=True)), 13 parameters
      0.weight     (2, 3)              6
      0.bias       (3,)                3
      2.weight     (3, 1)              3
      2.bias       (1,)                1
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        for module in modules:
            if not isinstance(module, Module):
                raise DataError(
                    f"Sequential: expected modules, got {type(module).__name__}. Try Sequential(Linear(2, 3), Tanh())."
                )
        self.layers = modules
        self._planned: tuple[Module, ...] = ()
        self._plan: Sequence[Callable[[Any], Tensor]] = ()

    def forward(self, x: Any) -> Tensor:
        """Pass `x` through all modules in order; linear layers and their activations in one operation."""
        if self._planned is not self.layers:
            self._planned, self._plan = self.layers, _plan_of(self.layers)
        # Who wants to see every result gets each layer and each activation as an operation of its own.
        for call in self.layers if wants_every_layer() else self._plan:
            x = call(x)
        return x if self.layers else as_input(x, "Sequential")

    def _children(self) -> Iterator[tuple[str, Any]]:
        return ((str(i), module) for i, module in enumerate(self.layers))

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def _title(self) -> str:
        return f"Sequential({', '.join(module._title() for module in self.layers)})"


@final
class _Stack:
    """Linear layers with the activations behind them, called as one operation."""

    def __init__(self) -> None:
        self._layers: list[Linear] = []
        self._activations: list[str | None] = []
        self._settings: tuple[Any, ...] = ()

    def take(self, module: Module) -> bool:
        """Take a module in, if it is a linear layer or the activation of the last one."""
        # The exact types only: a subclass may compute something else.
        if type(module) is Linear and module.bias is not None:
            self._layers.append(module)
            self._activations.append(None)
        elif type(module) in _ACTIVATIONS and self._activations and self._activations[-1] is None:
            self._activations[-1] = _ACTIVATIONS[type(module)]
        else:
            return False
        self._settings = (tuple(self._activations),)
        return True

    def __call__(self, x: Any) -> Tensor:
        operands: list[Any] = [as_input(x, "Linear")]
        for layer in self._layers:
            operands += layer.weight, layer.bias
        return apply(_LAYERS, *operands, settings=self._settings)


_ACTIVATIONS: dict[type[Module], str] = {Tanh: "tanh", ReLU: "relu", Sigmoid: "sigmoid"}
_LAYERS = TABLE["layers"]


def _plan_of(modules: Sequence[Module]) -> list[Callable[[Any], Tensor]]:
    """Give what to call on the way forward: stacks of linear layers with their activations, and other modules."""
    plan: list[Callable[[Any], Tensor]] = []
    for module in modules:
        if plan and isinstance(plan[-1], _Stack) and plan[-1].take(module):
            continue
        stack = _Stack()
        plan.append(stack if stack.take(module) else module)
    return plan
