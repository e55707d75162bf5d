"""The stop button of the notebook in the middle of a widget's work: answered at once, and the widget goes on.

An interrupt can come wherever Python calls a function or comes back from compiled code: these are its moments, and they
can be counted. Changes of every control are interrupted at one of them, the costliest at several.
"""

import functools
import gc
import inspect
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import ipywidgets as ipw
import pytest

from bplib.widgets.stage import describe
from bplib.widgets.view import View
from tests.widgets.test_every_widget import _CHOICES, MAKERS, below, corners, drag, handles, seen, shows_its_state

_Change = Callable[[Any], Any]

_AT_ONCE = 0.5  # seconds
_MANY = 9  # changes of a widget, as a rule
_GOLDEN = 0.618034  # its multiples, modulo 1, are spread evenly
# What can be asked for in code takes longer than what a control asks for.
_IN_CODE: dict[str, list[_Change]] = {
    "cockpit": [lambda widget: widget.run(1)],
    "loop": [lambda widget: widget.loops(40), lambda widget: widget.back()],
    "neuron": [lambda widget: widget.updates(12), lambda widget: widget.back()],
}
_LONGEST: dict[str, _Change] = {
    "cockpit": lambda widget: setattr(widget, "guess", "frozen"),
    "loop": lambda widget: widget.loops(2000),
    "neuron": lambda widget: widget.updates(300),
}
# Where most controls wait for a first step, it is made.
_BEGIN: dict[str, _Change] = {
    "cockpit": lambda widget: widget.run(8),
    "graph": lambda widget: widget.step(),
    "loop": lambda widget: widget.loops(1),
    "neuron": lambda widget: widget.updates(1),
}


_KEPT = [
    one for one in gc.get_objects()
    if isinstance(one, functools._lru_cache_wrapper) and str(one.__module__).startswith("bplib.widgets.")
]  # fmt: skip


def _forget() -> None:
    """As in a kernel that has computed nothing yet."""
    for one in _KEPT:
        one.cache_clear()


def _until(at: int, work: Callable[[], Any]) -> tuple[int, bool]:
    """Do some work with an interrupt at one of its moments: how many moments there were, and whether it came."""
    moments = 0

    def moment(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal moments
        # In a destructor, and in a generator that is given up, Python itself passes over an interrupt.
        if event == "c_return" or (event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR):
            moments += 1
            if moments == at:
                raise KeyboardInterrupt

    gc.disable()
    sys.setprofile(moment)
    try:
        work()
    except KeyboardInterrupt:
        return moments, True
    finally:
        sys.setprofile(None)
        gc.enable()
    return moments, False


def _set(k: int, index: int) -> _Change:
    def put(widget: View) -> None:
        control: Any = list(below(widget))[k]
        control.index = min(index, len(control.options) - 1)  # another change may have shortened the list

    return put


def _turn(k: int) -> _Change:
    def turn(widget: View) -> None:
        box: Any = list(below(widget))[k]
        box.value = not box.value

    return turn


def _press(k: int) -> _Change:
    return lambda widget: list(below(widget))[k].click()


def _pull(name: str, place: tuple[float, float], phase: str) -> _Change:
    return lambda widget: drag(widget, name, *place, phase)


def _changes(widget: View, package: str) -> list[_Change]:
    """All that its controls and handles can do now, sliders at their ends."""
    changes = list(_IN_CODE.get(package, []))
    for k, control in enumerate(below(widget)):
        if isinstance(control, _CHOICES):
            ends = {0, len(control.options) - 1}
            chosen = ends if isinstance(control, ipw.SelectionSlider) else set(range(len(control.options)))
            changes += [_set(k, index) for index in sorted(chosen - {control.index})]
        elif isinstance(control, ipw.Checkbox):
            changes.append(_turn(k))
        elif isinstance(control, ipw.Button) and not control.disabled:
            changes.append(_press(k))
    for name, x, y in handles(widget):
        changes += [_pull(name, corners(x, y)[0], "move"), _pull(name, corners(x, y)[3], "end")]
    return changes


def _slide(widget: View) -> None:
    """Move what scrubs the table, which alone sends no scene."""
    if widget._slider is not None and not widget._slider.disabled:
        widget._slider.index = (widget._slider.index + 1) % len(widget._slider.options)


def _again(state: Any, widget: View, name: str = "again") -> Any:
    """A new widget of the same kind in a given state."""
    made = type(widget)(state, question="", name=name)  # type: ignore[call-arg]
    made._first = widget._first  # an untouched widget has another twin
    return made


def _look(widget: View) -> list[Any]:
    """What the browser has: the Stage, the words and each control."""
    scene = {name: value for name, value in widget.stage.scene.items() if name != "n"}
    choices = [(one.description, one.options[one.index]) for one in seen(widget) if isinstance(one, _CHOICES)]
    others = [(one.description, one.disabled) for one in seen(widget) if isinstance(one, ipw.Button)]
    return [scene, widget.sentence, choices, others]


class _Subject:
    """A widget of the course, the state in which its changes begin, and what they are."""

    def __init__(self, package: str) -> None:
        self.first = MAKERS[package](name="first")
        _BEGIN.get(package, lambda widget: None)(self.first)
        self.first.flush()
        self.package, self.state = package, self.first.state
        changes = _changes(self.first, package)
        seconds = {change: self.seconds(change) for change in changes}
        self.costliest = max(changes, key=lambda change: seconds[change])
        spread = changes[:: 1 + len(changes) // _MANY]  # of every control at least one
        self.changes = spread if self.costliest in spread else [self.costliest, *spread]

    def begin(self) -> Any:
        """A new widget in the first state, of which no part has been asked for yet."""
        return _again(self.state, self.first)

    def seconds(self, change: _Change) -> float:
        """How long a change takes, with all that it draws."""
        widget = self.begin()
        started = time.perf_counter()
        change(widget)
        widget.flush()
        return time.perf_counter() - started

    def interrupted(self, change: _Change, part: float, *, forget: bool) -> tuple[View, Any]:
        """The widget after an interrupt in a change, with all it draws, and the state to which the change leads."""
        at, after = 0, None
        for _ in range(4):  # what is computed once is kept: the second time there may be fewer moments
            widget = self.begin()
            if forget:
                _forget()
            moments, came = _until(at, lambda widget=widget: (change(widget), widget.flush()))
            if came:
                return widget, after
            at, after = 1 + int(part * moments), widget.state
        pytest.fail("The interrupt has not come to the caller.")


@pytest.fixture(scope="module", params=MAKERS)
def subject(request: pytest.FixtureRequest) -> Iterator[_Subject]:
    _forget()
    made = _Subject(request.param)
    yield made
    made.first.close()


def _stage_shows_the_state(widget: View) -> None:
    sent = {name: value for name, value in widget.stage.scene.items() if name != "n"}
    assert sent == describe(widget._scene())
    assert not widget.stage.live.get("marks")


def _is_one_of(widget: View, *states: Any) -> bool:
    if widget.state in states:
        return True
    # An expression that is read once more is another object.
    looks = [_look(_again(state, widget, "fresh")) for state in (widget.state, *states)]
    return looks[0] in looks[1:]


def _goes_on(subject: _Subject, k: int, part: float, *, forget: bool = False) -> tuple[View, View]:
    """Interrupt a change and make another one; the widget, and a new one that was never interrupted."""
    widget, after = subject.interrupted(subject.changes[k], part, forget=forget)
    assert _is_one_of(widget, subject.state, after), "half a state"
    widget.flush()
    _stage_shows_the_state(widget)
    state = widget.state
    # To move the slider is the further change that by itself sends no scene.
    for further in [_slide, *subject.changes[k + 1 :], *subject.changes[:k]][k % 2 :]:
        further(widget)
        if widget.state != state:
            break
    widget.flush()
    shows_its_state(widget)
    if forget:
        _forget()  # what the new one shows is computed from the beginning
    fresh = _again(widget.state, widget, "fresh")
    for ours, expected in zip(_look(widget), _look(fresh), strict=True):
        assert ours == expected
    return widget, fresh


def test_after_an_interrupt_a_widget_shows_its_state_and_takes_the_next_change(subject: _Subject) -> None:
    for k in range(len(subject.changes)):
        _goes_on(subject, k, k * _GOLDEN % 1)


def test_nothing_half_computed_is_kept_of_the_costliest_change(subject: _Subject) -> None:
    for part in (0.35, 0.75):
        widget, fresh = _goes_on(subject, subject.changes.index(subject.costliest), part, forget=True)
    assert widget.picture().alt == fresh.picture().alt


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer here that interrupts")
def test_an_interrupt_is_answered_at_once(subject: _Subject) -> None:
    change, waits = _LONGEST.get(subject.package, subject.costliest), []
    _forget()
    seconds = subject.seconds(change)
    for part in (0.2, 0.6, 0.4, 0.1, 0.05):  # on a busy machine it may be over before
        if len(waits) == 2:
            break
        widget = subject.begin()
        _forget()
        due = time.perf_counter() + part * seconds
        try:
            _alarmed(part * seconds, lambda widget=widget: (change(widget), widget.flush()))
        except KeyboardInterrupt:
            waits.append(time.perf_counter() - due)
    assert waits, "it was over before"
    assert max(waits) < _AT_ONCE


def _alarmed(seconds: float, work: Callable[[], Any]) -> None:
    """Do some work that a signal interrupts as the stop button does."""
    gc.disable()  # an interrupt in a destructor is passed over by Python itself
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-4))
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


@pytest.mark.parametrize(("package", "change"), [("loop", "loops"), ("neuron", "updates")])
def test_an_interrupted_step_can_be_undone_once_and_a_half_undone_one_again(package: str, change: str) -> None:
    subject = _Subject(package)
    step: _Change = lambda widget: getattr(widget, change)(2)  # noqa: E731
    for part in (0.1, 0.5, 0.8, 0.97):
        widget, after = subject.interrupted(step, part, forget=False)
        made = widget.state == after
        assert len(widget._past) == made, part
        widget.back()  # type: ignore[attr-defined]
        assert not made or not widget._past
    subject.first.close()


def test_a_picture_that_an_interrupt_left_half_sent_is_not_taken_for_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lab: Any = MAKERS["rate"](name="first")
    before, sent = lab.condition_number, lab.stage.show

    def show(scene: Any) -> None:
        sent(scene)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(lab.stage, "show", show)
        with pytest.raises(KeyboardInterrupt):
            setattr(lab, "condition_number", 25), lab.flush()
    lab.condition_number = before
    lab.flush()
    _stage_shows_the_state(lab)
    lab.close()


def test_a_cockpit_that_an_interrupt_meets_does_not_seem_to_run_on() -> None:
    subject = _Subject("cockpit")
    for part in (0.2, 0.5, 0.8):
        widget, _ = subject.interrupted(lambda cockpit: cockpit._go.click(), part, forget=False)
        widget.flush()
        assert not widget.is_running  # type: ignore[attr-defined]
        assert widget._go.description == "Run"  # type: ignore[attr-defined]
    subject.first.close()
