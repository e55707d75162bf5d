"""Draw the pictures of the README and the gallery: ``python scripts/make_pictures.py`` writes them into ``docs``.

Each is the static twin of a widget, what a notebook shows where no kernel runs, with its sentence.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bplib.viz.picture import Picture
from bplib.widgets.graph_view import GraphStepper, graph_stepper
from bplib.widgets.kit import Twin
from bplib.widgets.loop_view import LoopStepper, loop_stepper
from bplib.widgets.neuron_view import NeuronBench, neuron_bench
from bplib.widgets.rate_view import RateLab, rate_lab

DOCS = Path(__file__).resolve().parents[1] / "docs"


class Shown(NamedTuple):
    """One picture of the gallery: its file, the code that makes the widget, and what is done with it first."""

    name: str
    code: str
    make: Callable[[], Twin]


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


def _at(stepper: GraphStepper, position: int) -> GraphStepper:
    stepper.position = position
    return stepper


GALLERY: dict[str, tuple[Shown, ...]] = {
    "The loop stepper (notebook 00)": (
        Shown("loop_stepper", "loop_stepper()", loop_stepper),
        Shown("loop_stepper_later", "stepper.loops(100)", lambda: _looped(loop_stepper(), 100)),
    ),
    "The neuron bench": (
        Shown("neuron_bench", "neuron_bench()", neuron_bench),
        Shown("neuron_saturated", "bench.set(w=2, b=2); bench.backward()", _saturated),
        Shown("neuron_updates", "bench.updates(300), from w = b = 2 after the same from 0.6 and 0.9", _both_runs),
    ),
    "The graph stepper": (
        Shown("graph_slides", "graph_stepper()", graph_stepper),
        Shown("graph_forward", "stepper.position = 4", lambda: _at(graph_stepper(), 4)),
        Shown("graph_fan_out", 'graph_stepper(example="fan-out")', lambda: _at(graph_stepper(example="fan-out"), 8)),
        Shown("graph_max", 'graph_stepper(example="max")', lambda: graph_stepper(example="max")),
        Shown("graph_neuron", 'graph_stepper(example="neuron")', lambda: graph_stepper(example="neuron")),
        Shown(
            "graph_typed",
            'graph_stepper(example="product", typed=True)',
            lambda: _at(graph_stepper(example="product", typed=True), 3),
        ),
    ),
    "The rate lab (notebook 06)": (
        Shown("rate_lab", "rate_lab()", lambda: _revealed(rate_lab())),
        Shown(
            "rate_lab_narrow",
            "rate_lab(condition_number=25, rate=0.45)",
            lambda: _revealed(rate_lab(condition_number=25, rate=0.45)),
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
    for heading, pictures in GALLERY.items():
        lines += ["", f"## {heading}"]
        for shown in pictures:
            alt = " ".join(picture_of(shown).alt.split()).replace("[", "(").replace("]", ")")
            lines += ["", f"`{shown.code}`", "", f"![{alt}](gallery/{shown.name}.png)"]
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the page and all its pictures."""
    folder = DOCS / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for pictures in GALLERY.values():
        for shown in pictures:
            (folder / f"{shown.name}.png").write_bytes(picture_of(shown).png())
            print(f"docs/gallery/{shown.name}.png")
    (DOCS / "gallery.md").write_text(page(), "utf-8")
    print("docs/gallery.md")


if __name__ == "__main__":
    main()
