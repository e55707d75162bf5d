"""The drawn graph: its numbers are the trace's, unknown ones are question marks, and every word can be read."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import bplib
from bplib import nn, tensor, trace
from bplib.errors import DataError, DomainError
from bplib.viz.graph import computation_graph, graph_scene
from bplib.viz.graph_story import moments_of, short
from bplib.viz.marks import Text, text_at
from bplib.viz.render import draw_scene
from bplib.widgets.graph.examples import EXAMPLES, story_of
from tests.drawn import texts_in


def words(scene, index, panel=0):
    return [text_at(mark, index) for mark in scene.panels[panel].marks if isinstance(mark, Text)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_at_the_end_every_value_and_gradient_of_the_trace_stands_at_its_node(name):
    story = story_of(name)
    scene = graph_scene(story)
    shown = words(scene, scene.count - 1)
    for node in story.nodes:
        if node.kind != "constant":
            assert any(text in (short(node.value), f"{node.name} = {short(node.value)}") for text in shown)
        if node.gradient is not None:
            assert any(text[:1] == "▲" and text.endswith(f" {short(node.gradient)}") for text in shown)
    assert "?" not in "".join(shown)


@pytest.mark.parametrize("name", EXAMPLES)
def test_before_the_first_step_every_result_is_a_question_mark_and_there_is_no_gradient(name):
    story = story_of(name)
    shown = words(graph_scene(story), 0)
    assert {f"{step.node.name} = ?" for step in story.forward} <= set(shown)
    assert not any(text.startswith("▲") for text in shown)


@pytest.mark.parametrize("name", EXAMPLES)
def test_forward_adds_one_value_a_step_and_backward_one_share_a_step(name):
    story = story_of(name)
    moments = moments_of(story)
    shares = [share for step in story.backward for share in step.shares]
    assert len(moments) == 2 + len(story.forward) + len(shares)
    for before, after in itertools.pairwise(moments):
        if after.phase == "forward":
            assert after.values - before.values == {after.forward.node.number}
            assert after.gradients == {}
        elif after.phase == "backward":
            changed = {k for k, v in after.gradients.items() if before.gradients.get(k) != v}
            assert changed == {after.share.parent.number}


@pytest.mark.parametrize("name", EXAMPLES)
def test_incoming_times_local_is_outgoing_in_the_numbers_that_are_written(name):
    for moment in moments_of(story_of(name)):
        if moment.share is None:
            continue
        incoming, local, outgoing = (part.rsplit("= ", 1)[-1].replace("−", "-") for part in moment.equation.numbers)
        assert moment.equation.signs == ("×", "=")
        assert float(incoming) * float(local) == pytest.approx(float(outgoing), rel=2e-3, abs=1e-9)
        assert float(outgoing) == pytest.approx(moment.share.outgoing.item(), rel=1e-3)


def test_result_signs_and_value_of_a_step_forward_stand_on_one_line():
    a, b = tensor(2.0, requires_grad=True, name="a"), tensor(-1.0, name="b")
    product = a * b
    product.name = "p"
    scene = graph_scene(trace(product))
    heights = {}
    for mark in scene.panels[1].marks:
        heights.setdefault(text_at(mark, 1), set()).add(float(np.ravel(mark.points)[1]))
    assert heights["p"] == heights["="] == heights["−2"]
    assert max(heights["a × b"]) > max(heights["="]) > max(heights["2 × (−1)"])


def test_where_two_wires_meet_the_sum_is_announced_and_then_made():
    texts = [m.gradients for m in moments_of(story_of("fan-out"))]
    at_a = [t[0] for t in texts if 0 in t]
    assert at_a == ["3 + ?", "3 + 5 = 8", "3 + 5 = 8"]
    scene = graph_scene(story_of("fan-out"))
    assert "▲ 3 + 5 = 8" in words(scene, scene.count - 2)
    assert "▲ 8" in words(scene, scene.count - 1), "the sum is shown while it is made"


def test_the_chain_rule_is_written_out_as_on_the_slide():
    last = moments_of(story_of("slides"))[-1]
    assert last.chain == (
        "∂Loss/∂x₁ = ∂Loss/∂Error · ∂Error/∂f · ∂f/∂z · ∂z/∂(ω₁·x₁) · ∂(ω₁·x₁)/∂x₁",
        "          = −1 × 1 × 0.25 × 1 × 0.5",
        "          = −0.125",
    )


def boxes(figure):
    """The words at the nodes and the frames of the panels, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts_in(figure, 0)]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("where", [0, 1, -2, -1])
def test_no_two_words_overlap_and_none_is_cut(name, where):
    scene = graph_scene(story_of(name))
    figure = draw_scene(scene, range(scene.count)[where])
    found = boxes(figure)
    width = figure.bbox.width
    for (one, a), (other, b) in itertools.combinations(found, 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one!r} and {other!r}"
    for text, box in found:
        assert box.x0 >= 0, text
        assert box.x1 <= width, text


def test_twenty_nodes_can_still_be_read():
    x, w, b = (tensor(v, requires_grad=True, name=n) for v, n in ((0.5, "x"), (1.5, "w"), (-0.25, "b")))
    y = x
    for _ in range(5):
        y = bplib.tanh(y * w + b)
    story = trace((y - 0.3) ** 2)
    assert len(story.nodes) >= 20
    scene = graph_scene(story)
    # Nearly a chain of 18 layers: names alone need more room than there is, so only nodes must stay apart.
    centres = np.array([at for mark in scene.panels[0].marks if isinstance(mark, Text) for at in mark.points])
    assert len(np.unique(centres, axis=0)) == len(story.nodes)


def test_the_picture_says_its_step_and_any_other_is_refused():
    story = story_of("square")
    picture = computation_graph(story, 1, heading="What is x · x?")
    assert picture.alt == (
        "What is x · x? The computation graph of y: 2 nodes. Forward: multiply: y = x × x = 3 × 3 = 9."
    )
    assert computation_graph(story).alt.endswith("this is the second gradient to arrive at x: 3 + 3 = 6.")
    for wrong in (-1, 5, "1", 1.0):
        with pytest.raises(DomainError, match=r"there is no step .* from 0 to 4"):
            computation_graph(story, wrong)


def test_what_is_no_trace_or_too_large_is_refused_in_words():
    x = tensor(2.0, requires_grad=True)
    with pytest.raises(DataError, match=r"expected a Trace, got Tensor. Make one with bplib.trace\(loss\)"):
        computation_graph(x * x)
    y = x
    for _ in range(31):
        y = y * 2.0
    with pytest.raises(DomainError, match=r"the graph has .* nodes. Expected at most 30"):
        computation_graph(trace(y))


def test_arrays_are_drawn_by_their_shape_and_a_layer_by_its_name():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    story = trace(bplib.losses.mse(model(np.ones((5, 2))), np.zeros((5, 1))))
    scene = graph_scene(story)
    shown = words(scene, scene.count - 1)
    assert "z1 = 5×3" in shown
    assert "▲ 2×3" in shown
    assert "x@W+b" in shown
    computation_graph(story).png()


def test_long_and_hostile_names_are_cut_and_turn_nothing_round():
    names = ("a very long name indeed", "\u202eabc", "$x^2$<b>", "line\nend")
    leaves = [tensor(float(k + 1), requires_grad=True, name=name) for k, name in enumerate(names)]
    story = trace(leaves[0] * leaves[1] + leaves[2] * leaves[3])
    scene = graph_scene(story)
    for index in range(scene.count):
        shown = [*words(scene, index), *words(scene, index, 1), scene.sentence(index)]
        assert all(text.isprintable() for text in shown)
        assert max(len(text) for text in words(scene, index)) <= 25
    assert "a very lo… = 1" in words(scene, 0)
    computation_graph(story).png()
