"""What every widget of the course is put together from: the box with its static twin, and named controls."""

from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any, final

import anywidget
import ipywidgets as ipw
import traitlets

from bplib.errors import DomainError
from bplib.viz.picture import Picture

__all__ = [
    "Twin", "TwinBox", "button", "close_all", "code_line", "dropdown", "position_slider", "row", "set_positions",
    "toggle",
]  # fmt: skip

# The text, not the path: anywidget keeps an instance alive for as long as it watches a file for it.
_NAMES_JS = files("bplib.widgets").joinpath("kit.js").read_text(encoding="utf-8")
_LABELS = {"description_width": "initial"}
_open_boxes: dict[str, "Twin"] = {}


@final
class _Names(anywidget.AnyWidget):
    """Hidden: names the controls of the box it lies in for screen readers, and moves the keyboard."""

    _esm = traitlets.Unicode(_NAMES_JS).tag(sync=True)


class Twin(ipw.VBox):
    """Abstract base of a box of live controls that also shows itself as a picture and a sentence.

    JupyterLab draws the live widget. GitHub, an untrusted notebook and an exported page show `picture()`.

    Parameters
    ----------
    children : sequence of ipywidgets.Widget
        Shown from top to bottom. The box owns them: `close` closes them.
    links : iterable of ipywidgets.Widget
        Links between controls, which are widgets too and are closed with the box.
    name : str, optional
        A second box of the same name closes the first, so that a cell run twice shows one box, not two.
    """

    # What `close` reads even where making the box was broken off by an error.
    _box_name: str | None = None
    _links: list[ipw.Widget] = []  # noqa: RUF012

    def __init__(
        self, children: Sequence[ipw.Widget], *, links: Iterable[ipw.Widget] = (), name: str | None = None
    ) -> None:
        if name is not None and name in _open_boxes:
            _open_boxes[name].close()
        self._names = _Names(layout=ipw.Layout(display="none"))
        super().__init__([*children, self._names])
        self.add_class("bplib-box")
        self._links = list(links)
        self._box_name = name
        if name is not None:
            _open_boxes[name] = self

    def picture(self) -> Picture:
        """The static twin of what the box shows at this moment."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its static twin is. Define picture().")

    def lead_to(self, shown: str, field: str) -> None:
        """Put the keyboard into a field of the box, and bring another part of it into sight.

        Parameters
        ----------
        shown, field : str
            CSS selectors of the two, within the box. A part higher than the window shows its beginning.
        """
        self._names.send({"shown": shown, "field": field})

    def close(self) -> None:
        """Close the box and all that it owns: children, layouts, styles and links."""
        if _open_boxes.get(self._box_name or "") is self:
            del _open_boxes[self._box_name or ""]
        close_all([*self._links, *self.children, self.layout])
        super().close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._box_name!r})" if self._box_name else f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        picture = self.picture()
        data, metadata = picture._repr_mimebundle_()
        live = super()._repr_mimebundle_(**kwargs) or {}
        return {**live, **data}, metadata


@final
class TwinBox(Twin):
    """A box of widgets with a static twin that a function draws.

    Parameters
    ----------
    children : sequence of ipywidgets.Widget
        Shown from top to bottom, owned by the box.
    picture : callable
        Takes nothing, returns the `Picture` of the state at that moment.
    links : iterable of ipywidgets.Widget
        Closed with the box.
    name : str, optional
        A second box of the same name closes the first.

    Examples
    --------
    >>> from bplib.viz import Picture, figure
    >>> box = TwinBox([ipw.Label("rate")], lambda: Picture(figure(2, 1), "Nothing yet."), name="example")
    >>> data, _ = box._repr_mimebundle_()
    >>> data["text/plain"]
    'Nothing yet.'
    >>> box.close()
    """

    def __init__(
        self,
        children: Sequence[ipw.Widget],
        picture: Callable[[], Picture],
        *,
        links: Iterable[ipw.Widget] = (),
        name: str | None = None,
    ) -> None:
        self._draw_picture = picture
        super().__init__(children, links=links, name=name)

    def picture(self) -> Picture:
        """The static twin of what the box shows at this moment."""
        return self._draw_picture()


def close_all(widgets: Iterable[Any]) -> None:
    """Close widgets and everything below them: children, layouts and styles.

    ``Widget.close()`` closes only itself; its layout and its style would stay in the registry for ever.

    Parameters
    ----------
    widgets : iterable of ipywidgets.Widget
        Closed ones among them are passed over.
    """
    for widget in widgets:
        if not isinstance(widget, ipw.Widget) or widget.comm is None:
            continue
        below = [getattr(widget, name, None) for name in ("layout", "style")]
        below += list(getattr(widget, "children", ()))
        widget.close()
        close_all(below)


def position_slider(
    labels: Sequence[str], index: int, description: str, *, max_width: str = "900px"
) -> ipw.SelectionSlider:
    """A slider over formatted values whose position, not whose value, drives a picture.

    Link it with ``ipywidgets.jsdlink((slider, "index"), (stage, "index"))``.

    Parameters
    ----------
    labels : sequence of str
        What the read-out shows at each position; all different.
    index : int
        The first position shown.
    description : str
        The label, also the accessible name of the handle.
    max_width : str
        CSS width where the page is wide; in a narrow one the slider takes what there is.

    Returns
    -------
    ipywidgets.SelectionSlider

    Raises
    ------
    DomainError
        If there are fewer than two labels or two are equal.
    """
    if len(labels) < 2 or len(set(labels)) != len(labels):
        raise DomainError(
            f"position_slider: {description!r} needs at least two labels, all different, "
            f"got {len(labels)} of which {len(set(labels))} differ."
        )
    slider = ipw.SelectionSlider(
        options=list(labels),
        index=index,
        description=description,
        description_allow_html=False,
        continuous_update=True,
        style=dict(_LABELS),
        layout=ipw.Layout(width="100%", max_width=max_width),
    )
    slider.add_class("bplib-positions")
    return slider


def set_positions(slider: ipw.SelectionSlider, labels: Sequence[str], index: int) -> None:
    """Give a slider other labels and a position among them.

    Parameters
    ----------
    slider : ipywidgets.SelectionSlider
    labels : sequence of str
        All different, at least two.
    index : int
        The position shown.
    """
    wanted = tuple(labels)
    if slider.options != wanted:
        # The browser takes a position before it changes the range, and reports back what does not fit: the labels come
        # with a place that both lists have.
        kept = index if index < len(slider.options) else min(slider.index, len(wanted) - 1)
        with slider.hold_sync():
            slider.options, slider.index = wanted, kept
    slider.index = index


def dropdown(options: Sequence[tuple[str, Any]], value: Any, description: str) -> ipw.Dropdown:
    """A drop-down list with a label that is shown in full.

    Parameters
    ----------
    options : sequence of (str, value)
    value : object
        The value chosen first.
    description : str
        The label, also the accessible name.

    Returns
    -------
    ipywidgets.Dropdown
    """
    return ipw.Dropdown(
        options=list(options),
        value=value,
        description=description,
        style=dict(_LABELS),
        layout=ipw.Layout(width="max-content", max_width="calc(100% - 4px)"),  # its margins
    )


def toggle(options: Sequence[tuple[str, Any]], value: Any, description: str) -> ipw.ToggleButtons:
    """A row of buttons of which one is pressed.

    Parameters
    ----------
    options : sequence of (str, value)
    value : object
        The value chosen first.
    description : str
        The label, also the accessible name of the group.

    Returns
    -------
    ipywidgets.ToggleButtons
    """
    return ipw.ToggleButtons(
        options=list(options),
        value=value,
        description=description,
        style={**_LABELS, "button_width": "max-content"},
        # The label beside the buttons as everywhere else, and above them where the page is narrow.
        layout=ipw.Layout(display="flex", flex_flow="row wrap", align_items="center", grid_gap="0 8px"),
    )


def button(description: str, pressed: Callable[[], None], *, tooltip: str = "") -> ipw.Button:
    """A button that calls a function without arguments.

    Parameters
    ----------
    description : str
        The word on the button.
    pressed : callable
        Called at each press.
    tooltip : str
        A longer sentence, shown when the pointer rests on it.

    Returns
    -------
    ipywidgets.Button
    """
    made = ipw.Button(description=description, tooltip=tooltip, layout=ipw.Layout(width="max-content"))
    made.on_click(lambda _: pressed())
    return made


def code_line() -> ipw.Label:
    """A place for the one line of code that does what a preset does; set its ``value``.

    Returns
    -------
    ipywidgets.Label
    """
    made = ipw.Label(style={"font_family": "monospace"})
    made.add_class("bplib-code")  # wraps where the page is narrow
    return made


def row(children: Sequence[ipw.Widget]) -> ipw.HBox:
    """Controls side by side, and below one another where the page is narrow.

    Parameters
    ----------
    children : sequence of ipywidgets.Widget

    Returns
    -------
    ipywidgets.HBox
    """
    return ipw.HBox(children, layout=ipw.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 10px"))
