"""Modules in a row."""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, final

from bplib.engine import apply
from bplib.errors import DataError
from bplib.home import are_neighbours, share_home
from bplib.modes import unusual, wants_every_layer
from bplib.nn.activations import ReLU, Sigmoid, Tanh
from bplib.nn.inputs import as_input
from bplib.nn.layers import Linear
from bplib.nn.module import Module, Parameter
from bplib.rules import TABLE, Stack
from bplib.spans import Span
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

    Notes
    -----
    The parameters move side by side into one vector when the row is made. Take an array such as ``layer.weight.data``
    afterwards: one taken before belongs to the memory that was left.

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
        self._move_together()
        self._planned: tuple[Module, ...] = ()
        self._plan: Sequence[Callable[[Any], Tensor]] = ()

    def forward(self, x: Any) -> Tensor:
        """Pass `x` through all modules in order; linear layers and their activations in one operation."""
        if self._planned is not self.layers:
            self._planned, self._plan = self.layers, _plan_of(self.layers)
        # Who wants to see every result gets each layer and each activation as an operation of its own.
        for call in self.layers if unusual and wants_every_layer() else self._plan:
            x = call(x)
        return x if self.layers else as_input(x, "Sequential")

    def _move_together(self) -> None:
        """Bring all parameters into one home: layers whose parameters lie side by side are one operation."""
        members = list(self.parameters())
        if members:
            share_home(members)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_planned": (), "_plan": ()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._move_together()  # each parameter of a copy has come alone

    def _children(self) -> Iterator[tuple[str, Any]]:
        return ((str(i), module) for i, module in enumerate(self.layers))

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def _title(self) -> str:
        return f"Sequential({', '.join(module._title() for module in self.layers)})"


@final
class _Fused:
    """Linear layers with the activations behind them, called as one operation."""

    def __init__(self) -> None:
        self._modules: list[Module] = []
        self._layers: list[Linear] = []
        self._activations: list[str | None] = []
        self._span: Span | None = None
        self._seen = -1  # the number of the last change of a module that is known here
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
        self._modules.append(module)
        return True

    def __call__(self, x: Any) -> Tensor:
        span: Any = self._span
        if span is None or span.home.left or self._seen != Module.changes:
            span = self._settled()
        if span is not None:
            return apply(_LAYERS, x if isinstance(x, Tensor) else as_input(x, "Linear"), span, settings=self._settings)
        for module in self._modules:
            x = module(x)
        return x

    def _settled(self) -> Span | None:
        """Make one operand of all parameters, if they lie side by side; the same as before, if it still holds."""
        seen = Module.changes
        members: list[Any] = [p for layer in self._layers for p in (layer.weight, layer.bias)]
        if self._span is not None and not self._span.home.left and all(map(operator.is_, members, self._span.members)):
            self._seen = seen
            return self._span
        if not all(isinstance(p, Parameter) for p in members) or not are_neighbours(members):
            return None
        shapes = [weight.shape for weight in members[::2]]
        # What does not fit is refused by the layer itself.
        if [bias.shape for bias in members[1::2]] != [shape[1:] for shape in shapes]:
            return None
        self._span = span = Span(members)
        self._seen = seen
        self._settings = (Stack(shapes, tuple(self._activations), (span.array, span.buffer)),)
        return span


_ACTIVATIONS: dict[type[Module], str] = {Tanh: "tanh", ReLU: "relu", Sigmoid: "sigmoid"}
_LAYERS = TABLE["layers"]


def _plan_of(modules: Sequence[Module]) -> list[Callable[[Any], Tensor]]:
    """Give what to call on the way forward: rows of linear layers with their activations, and other modules."""
    plan: list[Callable[[Any], Tensor]] = []
    for module in modules:
        if plan and isinstance(plan[-1], _Fused) and plan[-1].take(module):
            continue
        fused = _Fused()
        plan.append(fused if fused.take(module) else module)
    return plan
