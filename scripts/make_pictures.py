"""Draw the pictures of the README and the gallery: ``python scripts/make_pictures.py`` writes them into ``docs``.

Each is the static twin of a widget, what a notebook shows where no kernel runs, with its sentence.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bplib.viz.picture import Picture
from bplib.widgets.cockpit.view import TrainingCockpit, training_cockpit
from bplib.widgets.depth.view import DepthBench, depth_bench
from bplib.widgets.explorer.view import surface_explorer
from bplib.widgets.graph.view import GraphStepper, graph_stepper
from bplib.widgets.kit import Twin
from bplib.widgets.layer.view import LayerBench, layer_bench
from bplib.widgets.loop.view import LoopStepper, loop_stepper
from bplib.widgets.losses.view import LossComparer, loss_comparer
from bplib.widgets.momentum.view import momentum_plane
from bplib.widgets.neuron.view import NeuronBench, neuron_bench
from bplib.widgets.nudge.view import NudgeLab, nudge_lab
from bplib.widgets.race.view import optimizer_race
from bplib.widgets.rate.view import RateLab, rate_lab

DOCS = Path(__file__).resolve().parents[1] / "docs"


class Shown(NamedTuple):
    """One picture of the gallery: its file, the code that makes the widget, and what is done with it first."""

    name: str
    code: str
    make: Callable[[], Twin]


class Exhibit(NamedTuple):
    """A widget in the gallery: its pictures, and what there is to find with it."""

    goals: tuple[str, ...]
    pictures: tuple[Shown, ...]


def _revealed(lab: RateLab) -> RateLab:
    lab.reveal()
    return lab


def _looped(stepper: LoopStepper, loops: int) -> LoopStepper:
    stepper.loops(loops)
    for stage in ("Forward", "Loss", "Backward"):
        stepper.press(stage)
    return stepper


def _saturated() -> NeuronBench:
    bench = neuron_bench(w=2, b=2)
    bench.backward()
    return bench


def _both_runs() -> NeuronBench:
    bench = neuron_bench()
    bench.updates(300)
    bench.set(w=2, b=2)
    bench.updates(300)
    return bench


def _outlier(derivative: bool = False, delta: float = 1.0) -> LossComparer:
    comparer = loss_comparer(delta=delta, derivative=derivative)
    comparer.outlier = 100
    return comparer


def _layers(activation: str, init: str, depth: int) -> DepthBench:
    bench = depth_bench()
    bench.network(activation, init, depth=depth)
    bench.reveal()
    return bench


def _saddle() -> DepthBench:
    bench = depth_bench()
    bench.descent("saddle", (1.6, 0), lr=0.1, noise=1e-5)
    return bench


def _learned(update: int) -> LayerBench:
    bench = layer_bench()
    bench.go("random", update)
    return bench


def _checked(version: str) -> LayerBench:
    bench = _learned(300)
    bench.version = version
    return bench


def _flown(setting: str) -> TrainingCockpit:
    cockpit = training_cockpit(setting)
    cockpit.run(40)
    return cockpit


def _errors() -> NudgeLab:
    lab = nudge_lab("polynomial", h=1e-5)
    lab.reveal("error")
    return lab


def _at(stepper: GraphStepper, position: int) -> GraphStepper:
    stepper.position = position
    return stepper


GALLERY: dict[str, Exhibit] = {
    "The loop stepper (notebook 00)": Exhibit(
        goals=(
            "Press Backward three times without Update. What changes, and what stays?",
            "Bring the loss below 0.01 in as few loops as you can. Which learning rate does it?",
        ),
        pictures=(
            Shown("loop_stepper", "loop_stepper()", loop_stepper),
            Shown("loop_stepper_later", "stepper.loops(100)", lambda: _looped(loop_stepper(), 100)),
        ),
    ),
    "The neuron bench": Exhibit(
        goals=(
            "Without pressing Backward, find the w at which the curve is steepest; check it with Backward.",
            "Get from w = b = 2 to a loss below 0.01 in as few updates as you can, with η at most 1.",
            "Make ∂L/∂w exactly 0 while ∂L/∂b is not. Why can that be?",
        ),
        pictures=(
            Shown("neuron_bench", "neuron_bench()", neuron_bench),
            Shown("neuron_saturated", "bench.set(w=2, b=2); bench.backward()", _saturated),
            Shown("neuron_updates", "bench.updates(300), from w = b = 2 after the same from 0.6 and 0.9", _both_runs),
        ),
    ),
    "The loss comparer": Exhibit(
        goals=(
            "Bring the minimum of MSE to c = 10 by moving the outlier alone. Why has that of MAE not moved?",
            "With the outlier at 100, find a δ that puts the minimum of Huber's loss at c = 5.",
            "Make the true class so wrong that the slope of the squared error is below 0.001. What is that of the "
            "cross-entropy there?",
        ),
        pictures=(
            Shown("losses_numbers", "loss_comparer()", loss_comparer),
            Shown("losses_outlier", "comparer.outlier = 100", _outlier),
            Shown("losses_slopes", "comparer.derivative = True; comparer.delta = 10", lambda: _outlier(True, 10)),
            Shown(
                "losses_classes",
                'loss_comparer(show="classes", logits=(-4, 5, 0))',
                lambda: loss_comparer(show="classes", logits=(-4, 5, 0)),
            ),
        ),
    ),
    "The nudge lab": Exhibit(
        goals=(
            "For the polynomial, find the h with the smallest error before it is revealed: forward, then central.",
            "Bring the error of z = (x + y)·w to exactly 0. Why is a larger h better there?",
            "On the bowl with κ = 100, find a point where −gradient misses the minimum by more than 78°.",
        ),
        pictures=(
            Shown("nudge_lab", 'nudge_lab("square", h=0.5)', lambda: nudge_lab("square", h=0.5)),
            Shown("nudge_errors", 'lab.example = "polynomial"; lab.h = 1e-5; lab.reveal("error")', _errors),
            Shown("nudge_stairs", "nudge_lab(h=1e-14)", lambda: nudge_lab(h=1e-14)),
            Shown(
                "nudge_direction",
                'nudge_lab(show="direction", condition_number=25, point=(2, 1))',
                lambda: nudge_lab(show="direction", condition_number=25, point=(2, 1)),
            ),
        ),
    ),
    "The graph stepper": Exhibit(
        goals=(
            "Say the number on each wire before you press Step, on the way back, too.",
            "In the square, find where two gradients meet. What would x get if one of them were lost?",
            "Type all gradients of the neuron without one mistake.",
        ),
        pictures=(
            Shown("graph_slides", "graph_stepper()", graph_stepper),
            Shown("graph_forward", "stepper.position = 4", lambda: _at(graph_stepper(), 4)),
            Shown(
                "graph_fan_out", 'graph_stepper(example="fan-out")', lambda: _at(graph_stepper(example="fan-out"), 8)
            ),
            Shown("graph_max", 'graph_stepper(example="max")', lambda: graph_stepper(example="max")),
            Shown("graph_neuron", 'graph_stepper(example="neuron")', lambda: graph_stepper(example="neuron")),
            Shown(
                "graph_typed",
                'graph_stepper(example="product", typed=True)',
                lambda: _at(graph_stepper(example="product", typed=True), 3),
            ),
        ),
    ),
    "The layer bench": Exhibit(
        goals=(
            'Find the first update with all 64 predictions within ½ of their targets. Why were 56 of them "right" '
            "long before?",
            "Name all eight versions of the backward pass, changing start or update where two look alike.",
            "Find weights at which version A passes the check. Why does that prove nothing?",
        ),
        pictures=(
            Shown("layer_bench", 'layer_bench(); bench.go("random", 1200)', lambda: _learned(1200)),
            Shown("layer_plateau", 'bench.go("random", 760)', lambda: _learned(760)),
            Shown("layer_check", 'bench.go("random", 300); bench.version = "A"', lambda: _checked("A")),
        ),
    ),
    "The rate lab (notebook 06)": Exhibit(
        goals=(
            "On the round bowl, find the rate that reaches the minimum in one step, and the first that never does.",
            "With κ = 25, come within 1 % of the start distance in as few steps as you can.",
        ),
        pictures=(
            Shown("rate_lab", "rate_lab()", lambda: _revealed(rate_lab())),
            Shown(
                "rate_lab_narrow",
                "rate_lab(condition_number=25, rate=0.45)",
                lambda: _revealed(rate_lab(condition_number=25, rate=0.45)),
            ),
        ),
    ),
    "The surface explorer": Exhibit(
        goals=(
            "In the random plane, find a start with a loss above 0.4 that ends below 0.005. Why is no path down to "
            "the valley drawn?",
            "On XOR, find two starts of nearly the same loss of which one is still near 0.25 after 30 steps.",
            "On the line, find the largest η that still arrives.",
        ),
        pictures=(
            Shown("explorer_run", "surface_explorer()", surface_explorer),
            Shown("explorer_random", 'explorer.directions = "random"', lambda: surface_explorer(directions="random")),
            Shown(
                "explorer_line",
                'surface_explorer(example="line, 1-1", lr=1.0)',
                lambda: surface_explorer(example="line, 1-1", lr=1.0),
            ),
        ),
    ),
    "The depth bench": Exhibit(
        goals=(
            "Find an activation and first weights whose gradient at layer 1 of 20 stays between half and twice the "
            "one at the top.",
            "At which depth does the gradient of sigmoid layers with Xavier weights fall below a millionth? Compute "
            "it from the factor of one layer first.",
            "Start on the ridge of the saddle: how many more steps does it stay there when the noise is 100 times "
            "smaller?",
        ),
        pictures=(
            Shown("depth_bench", "depth_bench(); bench.reveal()", lambda: _layers("sigmoid", "xavier", 10)),
            Shown("depth_he", 'bench.network("relu", "he", depth=20)', lambda: _layers("relu", "he", 20)),
            Shown("depth_saddle", 'bench.descent("saddle", (1.6, 0), lr=0.1, noise=1e-5)', _saddle),
        ),
    ),
    "The momentum plane": Exhibit(
        goals=(
            "At ηλ = 0.16, find the β with the fewest steps to 10⁻⁶. On which curve of the map does it lie?",
            "With curvatures 1 and 100, get below 150 steps without a preset: first with β = 0, then with any β.",
            "Which batch size is the first whose standard deviation is below a quarter of that of B = 1? Predict "
            "it, then `plane.reveal()`.",
        ),
        pictures=(
            Shown("momentum_plane", "momentum_plane()", momentum_plane),
            Shown("momentum_limit", "momentum_plane(3.0, 0.5)", lambda: momentum_plane(3.0, 0.5)),
            Shown("momentum_two", "plane.condition_number = 100", lambda: momentum_plane(condition_number=100)),
            Shown("momentum_noise", 'momentum_plane(show="noise")', lambda: momentum_plane(show="noise")),
        ),
    ),
    "The optimizer race": Exhibit(
        goals=(
            "With one trial each, who leads on the bowl, and who leads with nine? What was compared the first time?",
            "Multiply the loss by 32. Predict first which paths change.",
            "Find a start on the surface of four minima from which two optimizers end in different ones.",
        ),
        pictures=(
            Shown("race_untuned", "optimizer_race()", optimizer_race),
            Shown("race_tuned", 'optimizer_race("ravine", budget=9)', lambda: optimizer_race("ravine", budget=9)),
            Shown(
                "race_minima", 'optimizer_race("himmelblau", budget=9)', lambda: optimizer_race("himmelblau", budget=9)
            ),
        ),
    ),
    "The training cockpit": Exhibit(
        goals=(
            "Predict the first loss with ten classes, then run one epoch.",
            "Name the fault of each setting from the curves alone, and say which curve gave it away.",
        ),
        pictures=(
            Shown("cockpit_healthy", "training_cockpit(); cockpit.run(40)", lambda: _flown("healthy")),
            Shown("cockpit_fault", 'cockpit.setting = "C"; cockpit.run(40)', lambda: _flown("C")),
        ),
    ),
}


def picture_of(shown: Shown) -> Picture:
    """Make the widget, take its static twin, and close it."""
    widget = shown.make()
    try:
        return widget.picture()
    finally:
        widget.close()


def page() -> str:
    """Give the gallery as Markdown: each picture with its line of code and the sentence that stands for it."""
    lines = [
        "# Gallery", "",
        "The widgets of the course as they look where no kernel runs, written by `python scripts/make_pictures.py`. "
        "The alternative text of each picture is the sentence that the widget itself says.",
    ]  # fmt: skip
    for heading, exhibit in GALLERY.items():
        lines += ["", f"## {heading}", "", "To find out:", "", *(f"- {goal}" for goal in exhibit.goals)]
        for shown in exhibit.pictures:
            alt = " ".join(picture_of(shown).alt.split()).replace("[", "(").replace("]", ")")
            lines += ["", f"`{shown.code}`", "", f"![{alt}](gallery/{shown.name}.png)"]
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the page and all its pictures."""
    folder = DOCS / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for exhibit in GALLERY.values():
        for shown in exhibit.pictures:
            (folder / f"{shown.name}.png").write_bytes(picture_of(shown).png())
            print(f"docs/gallery/{shown.name}.png")
    (DOCS / "gallery.md").write_text(page(), "utf-8")
    print("docs/gallery.md")


if __name__ == "__main__":
    main()
