"""What the controls of the depth bench offer, and the line of code that does the same."""

import ipywidgets as ipw

from bplib.widgets.depth.signals import MOST_LAYERS
from bplib.widgets.depth.state import State
from bplib.widgets.depth.walk import MOST_STEPS

__all__ = [
    "ACTIVATION_OPTIONS", "INIT_OPTIONS", "LABELS", "PICTURES", "SLIDER_NAMES", "choose", "code_of", "noise_options",
    "rate_options",
]  # fmt: skip

PICTURES: list[tuple[str, str]] = [("layers", "layers"), ("saddle", "saddle")]
ACTIVATION_OPTIONS: list[tuple[str, str]] = [
    ("sigmoid", "sigmoid"), ("tanh", "tanh"), ("ReLU", "relu"), ("none", "none"),
]  # fmt: skip
INIT_OPTIONS: list[tuple[str, str]] = [
    ("uniform ±1/√n", "uniform"), ("Xavier", "xavier"), ("He", "he"), ("small, s.d. 0.01", "small"),
    ("large, s.d. 1", "large"),
]  # fmt: skip
LABELS: dict[str, tuple[str, ...]] = {
    "layers": tuple(map(str, range(1, MOST_LAYERS + 1))),
    "saddle": tuple(map(str, range(MOST_STEPS + 1))),
}
"""What the slider of each picture reads at its positions."""
SLIDER_NAMES: dict[str, str] = {"layers": "layers", "saddle": "steps"}

_RATES = (0.05, 0.1, 0.2)
_NOISES = {0.0: "none", 1e-5: "10⁻⁵", 1e-3: "0.001", 0.1: "0.1"}


def rate_options(value: float) -> list[tuple[str, float]]:
    """The learning rates to choose from, and the present one.

    Examples
    --------
    >>> rate_options(0.3)
    [('0.05', 0.05), ('0.1', 0.1), ('0.2', 0.2), ('0.3', 0.3)]
    """
    return [(f"{rate:g}", rate) for rate in sorted({*_RATES, value})]


def noise_options(value: float) -> list[tuple[str, float]]:
    """The standard deviations of the noise to choose from, and the present one.

    Examples
    --------
    >>> noise_options(0.1)
    [('none', 0.0), ('10⁻⁵', 1e-05), ('0.001', 0.001), ('0.1', 0.1)]
    """
    return [(_NOISES.get(noise, f"{noise:g}"), noise) for noise in sorted({*_NOISES, value})]


def choose(control: ipw.ToggleButtons, value: float, options: list[tuple[str, float]]) -> None:
    """Press the button of a value, which gets one if it has none."""
    if value not in [known for _, known in control.options]:
        control.options = options
    control.value = value


def code_of(state: State) -> str:
    """The line of code that leads to the picture in front.

    Examples
    --------
    >>> code_of(State())
    'bench.network("sigmoid", "xavier", depth=10)'
    """
    if state.show == "layers":
        return f'bench.network("{state.activation}", "{state.init}", depth={state.depth})'
    x, y = state.start
    return f'bench.descent("{state.surface}", ({x:g}, {y:g}), lr={state.lr:g}, noise={state.noise:g})'
