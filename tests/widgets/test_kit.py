"""The box with its static twin closes everything it owns; timing draws the first at once and never loses the last."""

import asyncio

import ipywidgets as ipw
import pytest
from ipywidgets.widgets.widget import _instances

from bplib.errors import DomainError
from bplib.viz import Picture, figure
from bplib.widgets.kit import Twin, TwinBox, button, close_all, dropdown, position_slider, toggle
from bplib.widgets.timing import Later, Throttle


def _picture() -> Picture:
    return Picture(figure(2, 1), "A sentence.")


def _box(name: str | None = "a test box") -> TwinBox:
    slider = position_slider(["0.1", "0.2"], 0, "rate")
    choice = dropdown([("one", 1)], 1, "which")
    link = ipw.jslink((slider, "index"), (choice, "index"))
    row = ipw.HBox([choice, toggle([("a", 1), ("b", 2)], 1, "letter"), button("Go", lambda: None)])
    return TwinBox([slider, row, ipw.Label("x")], _picture, links=[link], name=name)


def test_a_notebook_gets_the_widget_the_picture_and_the_sentence() -> None:
    box = _box()
    data, _ = box._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/html", "text/plain"}
    assert data["text/plain"] == "A sentence."
    assert repr(box) == "TwinBox('a test box')"
    box.close()


def test_closing_a_box_a_hundred_times_leaves_nothing_in_the_registry() -> None:
    _box().close()
    before = set(_instances)
    for _ in range(100):
        _box(name=None).close()
    assert set(_instances) == before


def test_plain_close_does_leave_something_so_that_the_test_above_means_something() -> None:
    before = set(_instances)
    slider = position_slider(["0.1", "0.2"], 0, "rate")
    slider.close()
    assert len(set(_instances) - before) == 2, "layout and style"
    close_all([slider.layout, slider.style])
    assert set(_instances) == before


def test_a_box_of_the_same_name_replaces_the_one_before() -> None:
    first = _box()
    count = len(_instances)
    second = _box()
    assert len(_instances) == count
    assert first.comm is None
    first.close()
    assert second.comm is not None, "closing the old one again must not close the new one"
    second.close()


def test_a_box_must_say_what_its_twin_is() -> None:
    box = Twin([])
    with pytest.raises(NotImplementedError, match="Define picture"):
        box.picture()
    box.close()


@pytest.mark.parametrize("labels", [["0.1"], ["0.1", "0.1"], []])
def test_a_slider_needs_labels_that_differ(labels: list[str]) -> None:
    with pytest.raises(DomainError, match="at least two labels, all different"):
        position_slider(labels, 0, "rate")


def test_labels_are_shown_in_full_and_never_read_as_markup() -> None:
    one = [("a", 1)]
    for control in (position_slider(["a", "b"], 0, "<b>x"), dropdown(one, 1, "<b>x"), toggle(one, 1, "<b>x")):
        assert control.style.description_width == "initial"
        assert control.description_allow_html is False
        close_all([control])


def test_a_button_calls_its_function() -> None:
    pressed: list[int] = []
    made = button("Go", lambda: pressed.append(1))
    made.click()
    assert pressed == [1]
    close_all([made])


def test_a_thousand_requests_draw_the_first_at_once_and_the_last_at_the_end() -> None:
    drawn: list[int] = []
    value = 0
    throttle = Throttle(lambda: drawn.append(value), interval=60.0)
    for value in range(1000):  # noqa: B007  (what is drawn is the value at the time of drawing)
        throttle()
    assert drawn == [0]
    throttle.flush()
    throttle.flush()
    assert drawn == [0, 999]


def test_what_waits_can_be_forgotten() -> None:
    drawn: list[int] = []
    throttle = Throttle(lambda: drawn.append(1), interval=60.0)
    throttle(), throttle()
    throttle.cancel()
    throttle.flush()
    assert drawn == [1]


def test_the_loop_of_the_kernel_draws_the_last_without_being_asked() -> None:
    drawn: list[int] = []

    async def storm() -> None:
        throttle, later = Throttle(lambda: drawn.append(1), interval=0.01), Later(lambda: drawn.append(2))
        for _ in range(100):
            throttle()
            later(0.02)
        assert drawn == [1]
        await asyncio.sleep(0.06)

    asyncio.run(storm())
    assert drawn == [1, 1, 2]
