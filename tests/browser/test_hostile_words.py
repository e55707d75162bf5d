"""Forty hostile words in a real page, wherever the course takes words: shown as they are, and nothing of them runs."""

from collections.abc import Callable

import pytest

from tests.hostile import WORDS

pytestmark = pytest.mark.browser

_CELLS = (
    """
import ipywidgets as ipw
from bplib.viz import Picture, figure
from bplib.viz.marks import Handle, Path, Points, Rule, Text
from bplib.viz.render import render
from bplib.viz.scene import Axis, Panel, Rectangle, Scene
from bplib.widgets.kit import TwinBox, button, code_line, dropdown, position_slider, row, toggle
from bplib.widgets.stage import Stage
from tests.hostile import WORDS

def scene(word, sentences):
    lines = (Path([[0, 0], [1, 1]], text=word), Points([[0, 1]], text=word), Rule(0.5, text=word))
    marks = (*lines, Text([[0.5, 0.5]], WORDS), Handle("h", [[0, 0]], word))
    panel = Panel(Rectangle(50, 50, 300, 200), Axis(0, 1, label=word), Axis(0, 1, label=word), marks, word)
    return Scene(400, 300, (panel,), word, sentences)

stage = Stage(scene(WORDS[0], WORDS))
slider = position_slider(WORDS, 0, WORDS[1])
line = code_line()
line.value = WORDS[2]
listed = [(word, k) for k, word in enumerate(WORDS)]
controls = [slider, dropdown(listed, 0, WORDS[3]), toggle(listed, 0, WORDS[4]), row([line, button(WORDS[5], print)])]
link = ipw.jsdlink((slider, "index"), (stage, "index"))
TwinBox([*controls, stage], lambda: render(scene(WORDS[6], WORDS), heading=WORDS[7]), links=[link], name=WORDS[8])
""",
    """
import bplib
from bplib.widgets.graph.view import graph_stepper

def named(words):
    leaves = [bplib.tensor(1.0, requires_grad=True, name=word) for word in words]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = total + leaf
    return total

steppers = [graph_stepper(named(WORDS[k : k + 10]), name=f"stepper {k}") for k in range(0, 40, 10)]
for stepper in steppers:
    stepper.position = stepper.state.last
    stepper.typed = True
ipw.VBox(steppers)
""",
    """
from bplib.widgets.prediction_gate import Event, PredictionGate, Question
gates = []
for k, word in enumerate(WORDS):
    question = Question(f"Question {word}", answer=word, outcome=word, because=word, options=(word, "another"))
    gates.append(PredictionGate(question, f"gate {k}"))
    for kind in ("predict", "reason", "store", "because", "compare"):
        gates[-1].dispatch(Event(kind, word) if kind in ("predict", "reason", "because") else Event(kind))
ipw.VBox(gates)
""",
    """
from IPython.display import display
from bplib.lessons.learning_rate import check

def failing(word):
    def gd_step(w, gradient, lr):
        raise ValueError(word)
    return gd_step

def shown(words):
    for word in words:
        display(check("gd-step", failing(word)))
        display(check("largest-rate", word), check(word, 1.0))
        if word.strip():
            display(Picture(figure(1, 0.5), word))
""",
    # JupyterLab shows the first 50 outputs of a cell.
    *(f"shown(WORDS[{k}:{k + 10}])" for k in range(0, 40, 10)),
    'print("the end")',
)
# Attributes that run code, addresses that do, and tags that none of our outputs has.
_ALIVE = """() => [...document.querySelectorAll('.jp-OutputArea-output *')].filter(
  (e) => [...e.attributes].some((a) => a.name.startsWith('on')
      || /^\\s*javascript:/i.test(a.value) && /href|src|action|data$/.test(a.name))
    || ['IFRAME', 'OBJECT', 'FORM', 'MARQUEE', 'H1', 'MATH', 'BASE', 'META'].includes(e.tagName)
).map((e) => e.outerHTML.slice(0, 200))"""


def test_forty_hostile_words_are_shown_and_nothing_of_them_runs(lab_page: Callable) -> None:
    page = lab_page()
    page.open(page.server.write("hostile.ipynb", _CELLS))
    page.page.get_by_text("the end", exact=True).wait_for(timeout=60_000)
    box = page.page.locator(".bplib-box").first
    slider, line = box.locator(".noUi-handle"), box.locator(".bplib-line")
    slider.focus()
    for k, word in enumerate(WORDS):
        reached = "([el, n]) => Number(el.getAttribute('aria-valuenow')) === n"
        page.page.wait_for_function(reached, arg=[slider.element_handle(), k])
        assert line.evaluate("el => el.textContent") == word
        page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate(_ALIVE) == []
    alts = [picture.get_attribute("alt") for picture in page.page.locator(".jp-OutputArea-output img").all()]
    assert set(alts) >= {word.replace("\r\n", "\n") for word in WORDS if word.strip()}  # as every page does
    assert page.error_outputs() == []
