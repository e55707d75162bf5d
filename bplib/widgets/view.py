"""The base of every widget: a frozen state, a pure function that changes it, a Stage that follows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import ipywidgets as ipw
import numpy.typing as npt

from bplib.viz.picture import Picture
from bplib.viz.render import render
from bplib.viz.scene import Scene
from bplib.widgets.kit import Twin
from bplib.widgets.stage import Drag, Stage
from bplib.widgets.timing import Later, Throttle

__all__ = ["View"]

S = TypeVar("S")

_REBUILD_AFTER = 0.2  # seconds after the last move
_SETTLE_AFTER = 0.15
_REMEMBERED = 200  # states


class View(Twin, Generic[S]):
    """Abstract base of a widget of which everything follows from one frozen state.

    A subclass makes its controls, and says for a state how they look and what the Stage shows. The state changes at
    once; what is drawn follows at most thirty times a second, the last change always.

    Parameters
    ----------
    state : S
        The first state, to which `reset` returns.
    reduce : callable
        ``reduce(state, event)`` gives the state after an event, a tuple whose first field ``kind`` is its name.
        ``"position"`` is the slider over the table, which the browser has followed already. A kind listed in
        ``_LIVE`` only moves what is drawn: until it rests, `_live_marks` are sent and the scene is not.
    question : str
        Shown above the static twin.
    name : str
        A second widget of the same name closes the first.

    Notes
    -----
    A control reports what it is set to also when the widget itself sets it; `_report` passes over that.

    An interrupt of the kernel (`KeyboardInterrupt`) goes on to the caller. It leaves the state before or the state
    after the event, nothing between, and what is shown follows as soon as the kernel rests.
    """

    # A slider over positions that the browser links to the Stage: it scrubs through the scene's table alone.
    _slider: Any = None
    _LIVE: ClassVar[frozenset[str]] = frozenset({"drag"})

    def __init__(self, state: S, reduce: Callable[[S, Any], S], *, question: str = "", name: str) -> None:
        self._first = self._state = state
        self._past: tuple[S, ...] = ()
        self._reduce = reduce
        self._question = question
        self._showing = False
        self._redraw = Throttle(lambda: self._do(self._draw))
        self._rebuild = Later(lambda: self._do(self._show))
        self._settle = Later(lambda: self._do(self._bring_controls))
        self._recover = Later(lambda: self._do(self._catch_up))
        self._drawn: Any = self._key()
        self.stage = Stage(self._scene(), self._position())
        controls = self._make_controls()
        self._choices = list(_choices(controls))
        # One way: of two changes in a row from Python the Stage would report the first one back to the slider.
        links = [ipw.jsdlink((self._slider, "index"), (self.stage, "index"))] if self._slider else []
        super().__init__([*controls, self.stage], links=links, name=name)
        self._bring_controls()
        self.stage.on_drag(self._take_drag)

    # ------------------------------------------------------------ what a learner reads and calls in code

    @property
    def state(self) -> S:
        """The present state; a frozen record."""
        return self._state

    @property
    def sentence(self) -> str:
        """The state in words, as below the picture."""
        return self._scene().sentence(self._position())

    def picture(self) -> Picture:
        """The static twin of the present state."""
        return render(self._scene(), self._position(), self._question)

    def flush(self) -> None:
        """Draw now what waits to be drawn."""
        for waiting in (self._redraw, self._rebuild, self._settle, self._recover):
            waiting.flush()

    def close(self) -> None:
        """Close the widget with all its controls, and forget what waits to be drawn."""
        for waiting in (self._redraw, self._rebuild, self._settle, self._recover):
            waiting.cancel()
        super().close()

    # ------------------------------------------------------------ what a subclass says

    def _make_controls(self) -> list[ipw.Widget]:
        """Make the controls, from top to bottom; the one that scrubs the table becomes ``self._slider``."""
        raise NotImplementedError(f"{type(self).__name__} does not say which controls it has.")

    def _show_controls(self) -> None:
        """Bring the controls to the state."""

    def _scene(self) -> Scene:
        """What the Stage shows, at every position of the table."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it shows.")

    def _position(self) -> int:
        """Which position of the table is shown."""
        return 0

    def _key(self) -> Any:
        """What of the state the scene depends on: with a table everything but the position."""
        return self._state

    def _fits_drawn(self) -> bool:
        """Whether the axes that are drawn are those of the state: else coordinates alone are not enough."""
        return True

    def _live_marks(self) -> tuple[Mapping[str, npt.ArrayLike], Mapping[str, str], str]:
        """Coordinates, words and sentence that stand in for the table while a handle or a live slider moves."""
        raise NotImplementedError(f"{type(self).__name__} does not say what moves.")

    def _dragged(self, drag: Drag) -> None:
        """Take a report of a handle."""

    def _undoable(self, before: S, after: S, event: Any) -> bool:
        """Whether the event ``"back"`` shall return from the state after an event to the one before."""
        return False

    # ------------------------------------------------------------ event -> state -> view

    def _report(self, event: Any) -> None:
        """Take what a control reports, if the learner has set it; where that changes nothing it goes back."""
        if not self._showing:
            self._do(lambda: self._take(event))

    def _take(self, event: Any) -> None:
        before = self._state
        self._apply(event)
        if self._state == before:
            self._bring_controls()

    def _take_drag(self, drag: Drag) -> None:
        self._do(lambda: self._pull(drag))

    def _pull(self, drag: Drag) -> None:
        before = self._state
        self._dragged(drag)
        if self._state == before:
            self.stage.acknowledge()

    def _apply(self, event: Any) -> None:
        self._do(lambda: self._change(event))

    def _change(self, event: Any) -> None:
        before, after = self._state, self._reduce(self._state, event)
        # Both at once: an interrupt between the two would part a state from the one it came from.
        self._state, self._past = after, self._past_of(before, after, event)
        if after == before:
            return
        # After an interrupt nobody knows what is drawn: coordinates alone might move marks that are not there.
        live = event.kind in self._LIVE and self._drawn is not None and self._fits_drawn()
        if live:
            self._rebuild(_REBUILD_AFTER)
            self._redraw()
        elif self._rebuild.pending or self._key() != self._drawn:
            # While a rebuild is pending the table belongs to what was before: no position may be shown from it.
            self._rebuild.cancel()
            self._redraw()
        in_place = self._slider is None or self._slider.index == self._position()
        if event.kind == "position" or (live and in_place):
            # The picture is all that the eye follows; the controls beside it can wait until the hand rests.
            self._settle(_SETTLE_AFTER)
        else:
            self._bring_controls()

    def _past_of(self, before: S, after: S, event: Any) -> tuple[S, ...]:
        if event.kind == "back":
            return self._past[:-1]
        if self._undoable(before, after, event):
            return (*self._past, before)[-_REMEMBERED:]
        return self._past

    # ------------------------------------------------------------ interrupts

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except KeyboardInterrupt:
            self._broken_off()
            raise

    def _broken_off(self) -> None:
        """Forget what waits and what is drawn, both may be half: all is shown anew as soon as the kernel rests."""
        self._drawn = None
        for waiting in (self._redraw, self._rebuild, self._settle):
            waiting.cancel()
        self._recover(_REBUILD_AFTER)

    def _catch_up(self) -> None:
        self._draw()
        self._bring_controls()

    # ------------------------------------------------------------ view

    def _draw(self) -> None:
        """Send the scene, or only what moves while more moves are to be expected."""
        if self._rebuild.pending:
            marks, words, sentence = self._live_marks()
            self.stage.replace(self._position(), marks, words, sentence)
        else:
            self._show()

    def _show(self) -> None:
        key = self._key()
        if key != self._drawn or self.stage.live:
            # In one message: the new table at the old position would be a flash of something that never was.
            with self.stage.hold_sync():
                self.stage.show(self._scene())
                self.stage.index = self._position()
            self._drawn = key

    def _bring_controls(self) -> None:
        self._showing = True
        try:
            for control in self._choices:
                _agree(control)
            self._show_controls()
            if self._slider is not None:
                self._slider.index = self._position()
        finally:
            self._showing = False


def _choices(controls: Iterable[Any]) -> Iterator[Any]:
    for control in controls:
        if isinstance(control, ipw.Dropdown | ipw.ToggleButtons | ipw.SelectionSlider):
            yield control
        yield from _choices(getattr(control, "children", ()))


def _agree(control: Any) -> None:
    """Bring the parts of a control together: an interrupt while one was told to the others has left them apart."""
    options = control.options
    # The labels as the browser gets them have this name in the published messages of ipywidgets.
    if len(options) != len(control._options_labels):
        with control.hold_sync():  # the same options once more would be passed over
            control.options = options[:1]
            control.options = options
    if not isinstance(control, ipw.SelectionSlider):  # a slider's place is what counts, and the widget sets it
        control.index = [value for _, value in options].index(control.value)
