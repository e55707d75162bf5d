"""What the loss comparer shows of three classes: probabilities, gradients, and two losses over one logit."""

import numpy as np
import numpy.typing as npt

from bplib.viz.marks import Bars, Mark, Path, Points, Rule, Text
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.loop.words import number
from bplib.widgets.losses.softmax import CLASSES, outcome, sweep
from bplib.widgets.losses.state import State
from bplib.widgets.losses.words import class_sentence, index, naive_words, short, signed

__all__ = ["class_scene", "live_classes"]

Floats = npt.NDArray[np.float64]
Marks = dict[str, Floats]

_PROBABILITIES = Rectangle(64, 40, 340, 140)
_GRADIENTS = Rectangle(64, 250, 340, 140)
_LOSSES = Rectangle(480, 40, 402, 140)
_SLOPES = Rectangle(480, 250, 402, 140)
_PLACES = np.arange(float(CLASSES))
_BESIDE = 0.25  # the two bars of a class lie to the left and right of its place


def class_scene(state: State) -> Scene:
    """The scene of the classes.

    Parameters
    ----------
    state : State

    Returns
    -------
    Scene

    Examples
    --------
    >>> [panel.title for panel in class_scene(State()).panels[:2]]
    ['Softmax p and target y', 'Gradient']
    """
    marks, words, sentence = live_classes(state)
    panels = (
        _probabilities(state, marks, words), _gradients(state, marks, words),
        _losses(state, marks, words), _slopes(state, marks, words),
    )  # fmt: skip
    logits = ", ".join(map(short, state.logits))
    return Scene(900, 440, panels, f"Cross-entropy of three classes with the logits {logits}", (sentence,))


def live_classes(state: State) -> tuple[Marks, dict[str, str], str]:
    """Coordinates, words and sentence, also for while a logit moves.

    Parameters
    ----------
    state : State

    Returns
    -------
    tuple of (dict, dict, str)
        Name of a mark -> coordinates; name of a mark -> words; the sentence.
    """
    told = outcome(state.logits, state.target, state.examples)
    z, t = state.logits[state.target], state.target
    marks = {"p": _pairs(-_BESIDE, told.probabilities)} | _curves(state)
    for name, bars, side in (("entropy", told.gradient, -_BESIDE), ("square", told.squared_gradient, _BESIDE)):
        marks[f"{name} bars"] = _pairs(side, bars)
    marks |= {
        "entropy here": np.array([[z, told.cross_entropy]]), "square here": np.array([[z, told.squared]]),
        "entropy slope here": np.array([[z, told.gradient[t]]]),
        "square slope here": np.array([[z, told.squared_gradient[t]]]),
    }  # fmt: skip
    words = {
        "naive": naive_words(state),
        "entropy": f"cross-entropy {short(told.cross_entropy)}",
        "square": f"squared error {short(told.squared)}",
        "entropy slope": f"cross-entropy {signed(told.gradient[t], 3)}",
        "square slope": f"squared error {signed(told.squared_gradient[t], 3)}",
    }
    for k in range(CLASSES):
        marks |= {f"p{k}": _above(marks["p"][k], 0.09), f"g{k}": _above(marks["entropy bars"][k], 0.16),
                  f"s{k}": _above(marks["square bars"][k], 0.16)}  # fmt: skip
        words |= {f"p{k}": _on_bar(told.probabilities[k]), f"g{k}": _with_sign(told.gradient[k]),
                  f"s{k}": _with_sign(told.squared_gradient[k])}  # fmt: skip
    return marks, words, class_sentence(state)


def _on_bar(value: float) -> str:
    return number(value) if value else "0"


def _with_sign(value: float) -> str:
    return ("+" if value > 0 else "") + _on_bar(value)


def _pairs(side: float, heights: Floats) -> Floats:
    return np.stack([_PLACES + side, heights], axis=-1)


def _above(bar: Floats, gap: float) -> Floats:
    """Where the number of a bar stands: beyond its end."""
    return np.array([[bar[0], bar[1] + (gap if bar[1] >= 0 else -gap)]])


def _curves(state: State) -> Marks:
    moved = sweep(state.logits, state.target, state.examples, state.reach)
    heights = {
        "entropy": moved.cross_entropy, "square": moved.squared,
        "entropy slope": moved.slope, "square slope": moved.squared_slope,
    }  # fmt: skip
    return {name: np.stack([moved.at, each], axis=-1) for name, each in heights.items()}


# ---------------------------------------------------------------- the panels


def _class_axis(state: State) -> Axis:
    names = tuple((float(k), f"class {k}{' (true)' if k == state.target else ''}") for k in range(CLASSES))
    return Axis(-0.6, CLASSES - 0.4, ticks=names)


def _numbers(letter: str, marks: Marks, words: dict[str, str]) -> list[Mark]:
    names = [f"{letter}{k}" for k in range(CLASSES)]
    return [Text(marks[name], words[name], name=name, anchor="center") for name in names]


def _probabilities(state: State, marks: Marks, words: dict[str, str]) -> Panel:
    one_hot = np.eye(CLASSES)[state.target]
    drawn: list[Mark] = [
        Bars(marks["p"], "prediction", name="p", width=42, text="p"),
        Bars(_pairs(_BESIDE, one_hot), "data", width=42, text="target y"),
        *_numbers("p", marks, words),
        *(Text([[k + _BESIDE, one_hot[k] + 0.09]], f"{one_hot[k]:g}", anchor="center") for k in range(CLASSES)),
    ]
    y = Axis(0, 1.2, label="probability", ticks=((0.0, "0"), (0.5, "0.5"), (1.0, "1")))
    return Panel(_PROBABILITIES, _class_axis(state), y, tuple(drawn), "Softmax p and target y", grid=False)


def _gradients(state: State, marks: Marks, words: dict[str, str]) -> Panel:
    mean = state.examples > 1
    difference = f"(p − y)/{state.examples}" if mean else "p − y"
    drawn: list[Mark] = [
        Rule(0.0, "horizontal"),
        Bars(marks["entropy bars"], "gradient", name="entropy bars", width=42, text=difference),
        Bars(marks["square bars"], "quiet", name="square bars", width=42, text="squared error"),
        *_numbers("g", marks, words),
        *_numbers("s", marks, words),
    ]
    label = f"∂L/∂z, mean of N = {state.examples}" if mean else "∂L/∂z"
    y = Axis(-1.35, 1.35, label=label, ticks=_SIGNED)
    return Panel(_GRADIENTS, _class_axis(state), y, tuple(drawn), "Gradient", grid=False)


_SIGNED = ((-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.5, "+0.5"), (1.0, "+1"))


def _losses(state: State, marks: Marks, words: dict[str, str]) -> Panel:
    reach, z = state.reach, index("z", state.target)
    drawn = (
        Path(marks["entropy"], "loss", name="entropy", width=2.2, text=words["entropy"]),
        Path(marks["square"], "quiet", name="square", width=2.2, text=words["square"]),
        Points(marks["square here"], "quiet", name="square here", size=8),
        Points(marks["entropy here"], "prediction", name="entropy here", size=9),
        Text([[reach, 1.8 * reach]], words["naive"], name="naive", anchor="right", shift=(-6, 0), plate=True),
    )
    x, y = Axis(-reach, reach, label=f"logit {z} of the true class"), Axis(0, 2 * reach, label="loss")
    return Panel(_LOSSES, x, y, drawn, "Loss")


def _slopes(state: State, marks: Marks, words: dict[str, str]) -> Panel:
    reach, z = state.reach, index("z", state.target)
    drawn = (
        Rule(0.0, "horizontal"),
        Path(marks["entropy slope"], "gradient", name="entropy slope", width=2.2, text=words["entropy slope"]),
        Path(marks["square slope"], "quiet", name="square slope", width=2.2, text=words["square slope"]),
        Points(marks["square slope here"], "quiet", name="square slope here", size=8),
        Points(marks["entropy slope here"], "prediction", name="entropy slope here", size=9),
    )
    y = Axis(-1.15, 0.15, label=f"∂L/∂{z}", ticks=((-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0")))
    x = Axis(-reach, reach, label=f"logit {z} of the true class")
    return Panel(_SLOPES, x, y, drawn, "Slope")
