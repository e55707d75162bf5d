"""The Stage sends scenes as plain data and believes nothing the browser reports."""

import json
import math

import numpy as np
import pytest
import traitlets

from bplib.viz.marks import Arrow, Bars, Handle, Path, Points, Rule, Text
from bplib.viz.render import draw_scene
from bplib.viz.scene import Axis, ColourField, Panel, Rectangle, Scene
from bplib.widgets.kit import close_all
from bplib.widgets.stage import Drag, Stage, describe
from tests.drawn import texts_in
from tests.hostile import WORDS


def _scene(words: str = "words", n: int = 2) -> Scene:
    table = np.arange(n * 8, dtype=np.float32).reshape(n, 4, 2)
    marks = (
        Path(table, name="path", text=words), Points([[0, 1]]), Arrow([[0, 0], [1, 1]]), Bars([[0, 1]]),
        Text([[0, 0]], words), Rule(1.0, text=words), Handle("start", [[0.0, 1.0]], label=words),
    )  # fmt: skip
    x, y = Axis(0.1, 10, "log", words), Axis(0, 16, label=words)
    panel = Panel(Rectangle(50, 40, 300, 200), x, y, marks, words, ColourField(b"png"))
    return Scene(400, 300, (panel,), words, tuple(f"{words} {k}" for k in range(n)))


def _numbers(described: object) -> object:
    """The same with bytes as their length, as JSON takes it."""
    if isinstance(described, bytes):
        return len(described)
    if isinstance(described, dict):
        return {key: _numbers(value) for key, value in described.items()}
    return [_numbers(value) for value in described] if isinstance(described, list | tuple) else described


def test_a_scene_reaches_the_browser_as_numbers_strings_and_float32() -> None:
    described = describe(_scene())
    json.dumps(_numbers(described), allow_nan=False)
    path = described["panels"][0]["marks"][0]
    assert (path["n"], path["table"], path["fixed"]) == (4, True, False)
    np.testing.assert_array_equal(np.frombuffer(path["data"], "<f4"), np.arange(16))
    kinds = [mark["kind"] for mark in described["panels"][0]["marks"]]
    assert kinds == ["path", "points", "arrow", "bars", "text", "rule", "handle"]


def test_the_browser_gets_pythons_mapping_and_pythons_ticks() -> None:
    scene = _scene()
    (panel,), (sent,) = scene.panels, describe(scene)["panels"]
    point = np.array([2.5, 7.0])
    x, y = sent["x"], sent["y"]
    pixels = [x["offset"] + x["factor"] * math.log10(2.5), y["offset"] + y["factor"] * 7.0]
    np.testing.assert_allclose(pixels, panel.to_pixels(point), rtol=0, atol=1e-9)
    assert [tuple(tick) for tick in x["ticks"]] == list(panel.x.ticks or ())


@pytest.mark.parametrize("words", WORDS)
def test_hostile_words_travel_as_data_and_stay_what_they_are(words: str) -> None:
    stage = Stage(_scene(words))
    assert stage.scene["name"] == words
    assert stage.scene["sentences"][1] == f"{words} 1"
    close_all([stage])


def test_no_code_of_the_stage_writes_markup() -> None:
    code = Stage._esm.default_value
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "http"):
        assert way not in code
    assert len(code.splitlines()) <= 500


def test_live_coordinates_replace_the_table_and_a_new_scene_drops_them() -> None:
    stage = Stage(_scene())
    stage.replace(1, {"path": np.zeros(4), "start": [[1, 2]]}, {"path": "now"}, "sentence")
    assert {name: list(part) for name, part in stage.moved.items()} == {"path": [0, 0, 0, 0], "start": [1, 2]}
    assert (stage.live["index"], stage.live["words"], stage.live["sentence"]) == (1, {"path": "now"}, "sentence")
    stage.show(_scene())
    assert (stage.live, stage.moved) == ({}, {})
    close_all([stage])


def test_a_drag_is_reported_with_its_number_and_answered_with_it() -> None:
    stage, drags = Stage(_scene()), []
    stage.on_drag(drags.append)
    stage.pointer = {"n": 7, "mark": "start", "x": 0.5, "y": 2, "phase": "move"}
    assert drags == [Drag("start", 0.5, 2.0, "move", 7)]
    stage.replace(0, {"start": [[0.5, 2.0]]})
    assert stage.live["n"] == 7
    close_all([stage])


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"n": 1, "mark": "start", "x": math.nan, "y": 0, "phase": "move"},
        {"n": 1, "mark": "start", "x": "1", "y": 0, "phase": "move"},
        {"n": 1, "mark": "start", "x": None, "y": 0, "phase": "move"},
        {"n": 1, "mark": 3, "x": 0, "y": 0, "phase": "move"},
        {"n": None, "mark": "start", "x": 0, "y": 0, "phase": "move"},
        {"n": 1, "mark": "start", "x": 0, "y": 0, "phase": "__import__('os')"},
    ],
)
def test_a_report_that_is_none_is_passed_over(report: dict) -> None:
    stage, drags = Stage(_scene()), []
    stage.on_drag(drags.append)
    stage.pointer = report
    assert drags == []
    close_all([stage])


def test_the_code_is_sent_as_text_so_that_no_file_is_watched() -> None:
    assert isinstance(Stage._esm, traitlets.Unicode)
    assert "export default" in Stage._esm.default_value
    stage = Stage(_scene())
    assert "0x" not in repr(stage)
    close_all([stage])


@pytest.mark.parametrize(("end", "below"), [("right", False), ("left", True)])
def test_the_words_of_a_horizontal_rule_are_at_the_end_and_on_the_side_that_it_says(end: str, below: bool) -> None:
    rule = Rule(0.5, "horizontal", text="half", end=end, below=below)
    panel = Panel(Rectangle(50, 30, 200, 120), Axis(0, 1), Axis(0, 1), (rule,))
    scene = Scene(300, 200, (panel,), "a rule")
    (told,) = describe(scene)["panels"][0]["marks"]
    assert (told["end"], told["below"]) == (end, below)
    (half,) = texts_in(draw_scene(scene), 0)
    x, y = half.get_position()
    assert (half.get_text(), half.get_ha()) == ("half", end)
    assert (y < 90, x > 150) == (not below, end == "right")
