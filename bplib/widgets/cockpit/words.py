"""The training cockpit in words: what an epoch has left, how far a run is, and what a guess is worth."""

from bplib.widgets.cockpit.evidence import contradiction, finding, short
from bplib.widgets.cockpit.faults import FAULTS, HEALTHY, VALIDATED_ON
from bplib.widgets.cockpit.state import MOST, NO_GUESS, State

__all__ = ["code_of", "sentences"]


def sentences(state: State) -> tuple[str, ...]:
    """Give the sentence of every epoch; the last one also has what is asked and answered.

    Parameters
    ----------
    state : State

    Returns
    -------
    tuple of str
        One for each epoch, the one before the first step included; one in all where nothing has run.

    Examples
    --------
    >>> from bplib.widgets.cockpit.state import Event, first_state, reduce
    >>> state = first_state("D", 0.1, length=40, seed=0, deal=0)
    >>> sentences(state)
    ('Nothing has run yet. With which loss will training begin? Predict it, then press “One epoch” or “Run”.',)
    >>> state = reduce(reduce(state, Event("epochs", 2)), Event("guess", "frozen"))
    >>> sentences(state)[-1]
    'No. With layer 1 frozen, a gradient of norm 0.362 would reach layer 1 in epoch 1; here none does.'
    """
    if not state.epochs:
        return (_before(state),)
    return (*(_epoch(state, k) for k in range(state.epochs)), _last(state))


def _before(state: State) -> str:
    if state.setting in state.named:
        return f"{_head(state)}: {finding(state.training)}"
    if state.guess != NO_GUESS:
        return "Nothing has run yet that speaks for your guess or against it. Press “One epoch” or “Run”."
    return "Nothing has run yet. With which loss will training begin? Predict it, then press “One epoch” or “Run”."


def _epoch(state: State, k: int) -> str:
    row = state.training.rows[k]
    if k == 0:
        losses = f"{short(row.train_loss, 4)} on training, {short(row.valid_loss, 4)} on validation"
        return f"Before the first step: loss {losses}. To treat all ten digits alike costs ln 10 = 2.303."
    return f"Epoch {k}: {_state_of(state, k)}."


def _state_of(state: State, k: int) -> str:
    row = state.training.rows[k]
    losses = f"loss {short(row.train_loss)} on training, {short(row.valid_loss)} on validation"
    return f"{losses}; {row.right} of {VALIDATED_ON} validation digits right"


def _last(state: State) -> str:
    k = state.epochs
    if state.goal:
        return f"Running, epoch {k} of {state.goal}: {_state_of(state, k)}."
    if state.setting in state.named:
        return f"{_head(state)}: {finding(state.training)}"
    if state.guess != NO_GUESS:
        return _answer(state)
    if state.training.ended:
        return f"After epoch {k} the loss is no number any more. No step brings it back: choose a smaller η, or Reset."
    if state.setting == HEALTHY:
        return f"{_epoch(state, k)} {'The picture holds no more epochs.' if k == MOST else ''}".strip()
    return f"{_epoch(state, k)} What is wrong, if anything?"


def _head(state: State) -> str:
    name = state.setting[0].upper() + state.setting[1:]
    return f"Yes, {state.setting}" if state.guess == state.fault else name


def _answer(state: State) -> str:
    against = contradiction(state.training, state.tried) if state.tried is not None else ""
    if against:
        return f"No. {against}"
    return "So far a run with your guess, in grey, looks the same: nothing speaks against it. Run more epochs."


def code_of(state: State) -> str:
    """Give the line of code that leads to the run on show; once the fault is named, with the line that is wrong.

    Examples
    --------
    >>> from bplib.widgets.cockpit.state import Event, first_state, reduce
    >>> state = reduce(first_state("A", 0.1, length=40, seed=0, deal=0), Event("epochs", 5))
    >>> code_of(state)
    'cockpit.setting, cockpit.lr = "A", 0.1; cockpit.run(5)'
    """
    line = f'cockpit.setting, cockpit.lr = "{state.setting}", {state.training.lr:g}'
    runs = [60] * (state.epochs // 60) + [state.epochs % 60] * (state.epochs % 60 > 0)
    called = "".join(f"; cockpit.run({count})" for count in runs)
    named = state.setting in state.named and state.setting != HEALTHY
    return f"{line}{called}{f'  # {FAULTS[state.fault].code}' if named else ''}"
