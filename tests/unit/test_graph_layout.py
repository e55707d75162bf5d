"""The drawing of a graph: in layers, nothing on top of anything else, and no wire through a node."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bplib.errors import DomainError
from bplib.viz.graph_layout import lay_out, rows

_REACH = 19.0 + 2.0  # a node's radius, and a little air


@st.composite
def graphs(draw):
    """Up to 20 nodes; a result has one or two operands among the older ones, sometimes the same twice."""
    leaves = draw(st.integers(1, 5))
    operands = {node: () for node in range(leaves)}
    for node in range(leaves, draw(st.integers(leaves + 1, 20))):
        older = st.integers(max(0, node - 8), node - 1)
        operands[node] = tuple(draw(st.lists(older, min_size=1, max_size=2)))
    return operands


def distance(point, line):
    """From a point to a polyline."""
    a, b = line[:-1], line[1:]
    along = np.clip(((point - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
    return np.hypot(*(a + along[:, None] * (b - a) - point).T).min()


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_results_stand_right_of_their_operands_inside_the_room_and_apart(operands):
    height = 98.0 * max(rows(operands), 2)
    layout = lay_out(operands, 876.0, height, 44.0)
    assert set(layout.places) == set(operands)
    for node, (x, y) in layout.places.items():
        assert 43.9 <= x <= 832.1
        assert 43.9 <= y <= height - 43.9
        assert all(layout.places[parent][0] < x for parent in operands[node])
    for node, (x, y) in layout.places.items():
        beside = [abs(y - v) for other, (u, v) in layout.places.items() if other != node and u == x]
        assert not beside or min(beside) > 50


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_every_wire_joins_its_nodes_and_crosses_no_other(operands):
    height = 98.0 * max(rows(operands), 2) * 1.5
    layout = lay_out(operands, 1400.0, height, 44.0)
    wanted = [(parent, node, place) for node, parents in operands.items() for place, parent in enumerate(parents)]
    assert [(wire.parent, wire.child, wire.place) for wire in layout.wires] == wanted
    for wire in layout.wires:
        np.testing.assert_allclose(wire.points[[0, -1]], [layout.places[wire.parent], layout.places[wire.child]])
        assert (np.diff(wire.points[:, 0]) > 0).all(), "always onwards"
        for node, place in layout.places.items():
            if node not in (wire.parent, wire.child):
                assert distance(np.array(place), wire.points) > _REACH, (wire.parent, wire.child, node)


def test_two_wires_between_the_same_nodes_part():
    one, other = lay_out({0: (), 1: (0, 0)}, 300.0, 150.0).wires
    middle = len(one.points) // 2
    assert abs(one.points[middle, 1] - other.points[middle, 1]) >= 30
    np.testing.assert_allclose(one.points[[0, -1]], other.points[[0, -1]])


def test_a_leaf_stands_beside_its_first_result_and_not_at_the_far_left():
    chain = {0: (), 1: (0,), 2: (1,), 3: (), 4: (2, 3)}
    places = lay_out(chain, 400.0, 200.0).places
    assert places[3][0] == places[2][0]


def test_layers_are_sorted_so_that_wires_need_not_cross():
    # 0–5, 1–4, 2–3 cross three times as they are numbered.
    layout = lay_out({0: (), 1: (), 2: (), 3: (2,), 4: (1,), 5: (0,), 6: (3, 4), 7: (6, 5)}, 600.0, 300.0)
    left = sorted((0, 1, 2), key=lambda n: layout.places[n][1])
    right = sorted((3, 4, 5), key=lambda n: layout.places[n][1])
    assert [5 - n for n in right] == left


@pytest.mark.parametrize("operands", [{}, {0: (1,), 1: ()}, {0: (0,)}])
def test_what_is_no_graph_is_refused(operands):
    with pytest.raises(DomainError, match="operands with smaller numbers"):
        lay_out(operands, 100.0, 100.0)
