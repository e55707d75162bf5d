"""The expressions that the graph stepper comes with, each with numbers that can be followed by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from bplib.functional import exp, maximum, sigmoid
from bplib.tensors import Tensor, tensor
from bplib.tracing import Trace, trace

__all__ = ["EXAMPLES", "Example", "story_of"]


@final
@dataclass(frozen=True)
class Example:
    """One expression.

    Attributes
    ----------
    name : str
        The word that chooses it in code.
    label : str
        What the list shows.
    build : callable
        Gives the last result, computed anew.
    notice : str
        What there is to see.
    """

    name: str
    label: str
    build: Callable[[], Tensor]
    notice: str


def story_of(name: str) -> Trace:
    """Give the trace of an example.

    Examples
    --------
    >>> story_of("square").gradients
    {'x': array(6.)}
    """
    return trace(EXAMPLES[name].build())


def _leaf(name: str, value: float) -> Tensor:
    return tensor(value, requires_grad=True, name=name)


def _named(result: Tensor, name: str) -> Tensor:
    result.name = name
    return result


def _slides() -> Tensor:
    x1, w1, x2, w2 = _leaf("x₁", 1.0), _leaf("ω₁", 0.5), _leaf("x₂", -2.0), _leaf("ω₂", 0.25)
    truth = tensor(1.0, name="GT")
    z = _named(_named(w1 * x1, "ω₁·x₁") + _named(w2 * x2, "ω₂·x₂"), "z")
    error = _named(_named(sigmoid(z), "f") - truth, "Error")
    return _named(error**2, "Loss")


def _product() -> Tensor:
    x, y, w = _leaf("x", -2.0), _leaf("y", 5.0), _leaf("w", -4.0)
    return _named(_named(x + y, "s") * w, "f")


def _fan_out() -> Tensor:
    a, b = _leaf("a", 2.0), _leaf("b", 5.0)
    return _named(_named(a * b, "u") + _named(3.0 * a, "v"), "f")


def _square() -> Tensor:
    x = _leaf("x", 3.0)
    return _named(x * x, "y")


def _maximum() -> Tensor:
    x, y, z, w = _leaf("x", 3.0), _leaf("y", -4.0), _leaf("z", 2.0), _leaf("w", -1.0)
    total = _named(_named(x * y, "p") + _named(maximum(z, w), "m"), "s")
    return _named(total * 2.0, "f")


def _neuron() -> Tensor:
    x0, w0, x1, w1, b = _leaf("x₀", -1.0), _leaf("w₀", 2.0), _leaf("x₁", -2.0), _leaf("w₁", -3.0), _leaf("b", -3.0)
    z = _named(_named(_named(w0 * x0, "p₀") + _named(w1 * x1, "p₁"), "s") + b, "z")
    return _named(1.0 / _named(1.0 + _named(exp(_named(-z, "−z")), "e"), "d"), "f")


EXAMPLES: dict[str, Example] = {
    example.name: example
    for example in (
        Example(
            "slides",
            "slides: Loss = (f(ω₁x₁ + ω₂x₂) − GT)²",
            _slides,
            "From each product two wires go back: to the weight and to the input. Learning needs the weight's.",
        ),
        Example("product", "f = (x + y) · w", _product, "A sum passes a gradient on; a product swaps its operands."),
        Example("fan-out", "f = a · b + 3 · a", _fan_out, "Two gradients arrive at a, and they are added up."),
        Example("square", "y = x · x", _square, "Both wires come from x: 3 arrives twice."),
        Example("max", "f = 2 · (x · y + max(z, w))", _maximum, "max sends the whole gradient to the larger operand."),
        Example(
            "neuron",
            "f = 1 / (1 + exp(−(w₀x₀ + w₁x₁ + b)))",
            _neuron,
            "Five small steps make up the derivative of the sigmoid, f · (1 − f).",
        ),
    )
}
"""By name, in the order of the list."""
