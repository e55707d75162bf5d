"""A learner's text beside a model answer: what it shows, what ticking does, and that it cleans up."""

import re
from collections.abc import Iterator

import ipywidgets as ipw
import pytest
from ipywidgets.widgets.widget import _instances

from bplib.widgets.comparison import Comparison, Event, State, reduce
from tests.hostile import WORDS


class Said:
    def __init__(self, ticked: frozenset[int]) -> None:
        self.ticked = ticked

    def _repr_html_(self) -> str:
        return f"<p>{sorted(self.ticked)}</p>"


@pytest.fixture(autouse=True)
def close_everything() -> Iterator[None]:
    yield
    for widget in list(_instances.values()):
        widget.close()


def box(mine: str = "Mine.", name: str = "one", notice: str = "") -> Comparison:
    return Comparison(mine, "Model.", ["a", "b"], Said, name=name, notice=notice)


def ticks(comparison: Comparison) -> list[ipw.Checkbox]:
    return [child for child in comparison.children if isinstance(child, ipw.Checkbox)]


@pytest.mark.parametrize("place", [-1, 2, 99])
def test_a_statement_that_is_not_there_changes_nothing(place: int) -> None:
    state = State(frozenset({0}), 2)
    assert reduce(state, Event(place, True)) is state


def test_ticking_says_what_follows_and_unticking_takes_it_back() -> None:
    comparison = box()
    first, second = ticks(comparison)
    first.value = True
    second.value = True
    assert comparison.state.ticked == {0, 1}
    assert comparison.children[-2].value == "<p>[0, 1]</p>"
    first.value = second.value = False
    assert comparison.children[-2].value == ""


def test_code_ticks_the_boxes_too() -> None:
    comparison = box()
    comparison.dispatch(Event(1, True))
    assert [one.value for one in ticks(comparison)] == [False, True]
    assert comparison.words()[-2:] == ("☐ a", "☑ b")


def test_the_static_twin_is_text_with_both_texts_and_all_statements() -> None:
    data, _ = box(notice="Take care.")._repr_mimebundle_()
    assert data["text/plain"].split("\n") == [
        "Your text: Mine.", "A model answer: Model.", "Tick what your text says, in these words or in others.",
        "Take care.", "☐ a", "☐ b",
    ]  # fmt: skip
    assert "application/vnd.jupyter.widget-view+json" in data
    with pytest.raises(NotImplementedError, match="words"):
        box(name="two").picture()


@pytest.mark.parametrize("word", WORDS)
def test_a_hostile_text_is_shown_as_text(word: str) -> None:
    comparison = Comparison(word, word, [word], Said, name="hostile")
    still = comparison._repr_mimebundle_()[0]["text/html"]
    for html in (still, comparison.children[0].value):
        assert set(re.findall(r"<\s*/?\s*(\w+)", html)) <= {"div", "p", "bdi", "code"}
    assert not ticks(comparison)[0].description_allow_html


def test_a_cell_run_twice_shows_one_and_closing_leaves_nothing() -> None:
    before = len(_instances)
    box()
    after = len(_instances)
    second = box()
    assert len(_instances) == after
    second.close()
    assert len(_instances) == before
