"""The learner's progress as a page: what is done, how long it took, and what to repeat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import final

from bplib.lessons.progress import Progress, current_progress
from bplib.lessons.storage import Record
from bplib.lessons.survey import (
    SEVERAL,
    ExerciseState,
    NotebookState,
    PredictionState,
    Repetition,
    repetitions,
    survey,
)
from bplib.widgets.markup import in_html, paragraphs

__all__ = ["ProgressPage", "progress_page"]

# Sign and word of a state; the sign is not read aloud.
_SIGNS = {"done": ("✓", "Done"), "tried": ("✗", "Tried, not solved yet"), "untouched": ("◌", "Not tried yet")}
_PREDICTIONS = {
    "agrees": "came out as you said",
    "differs": "came out differently",
    "skipped": "skipped",
    "unknown": "not compared yet (run the notebook once more)",
    "open": "still open",
}
# The colours of the course, as in a verdict; the words alone are enough.
_DONE, _BEGUN, _UNTOUCHED, _REPEAT = "#009E73", "#0072B2", "#595959", "#E69F00"
_PLAIN = "mathjax_ignore tex2jax_ignore"
_SHOWN = 5
_NOTHING = (
    "There is nothing here yet, and that is fine: everybody begins with an empty page.",
    'Begin with notebook 00: predict what 1,000 times Backward does, then solve "Exercise 1: put the stages in order".',
)
_HOW_MINUTES = (
    "Minutes count from one prediction, check, hint or solution to the next; more than ten minutes without any of them "
    "count as a pause. So you have worked at least this long."
)
_HOW_TO_REPEAT = (
    "An exercise: put the three dots back, run the cell and its check, then solve it without looking. "
    "A prediction: say why it came out as it did, write that into its field once more, and compare. "
    "What you repeat leaves this list."
)


@final
@dataclass(frozen=True)
class _Block:
    """One card of the page; an item is a sign, which is not read aloud, and a text. Without signs they are numbered."""

    title: str
    colour: str
    items: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...] = ()

    def text(self) -> str:
        items = [f"{sign or f'{place}.'} {text}" for place, (sign, text) in enumerate(self.items, start=1)]
        return "\n".join([self.title, *items, *self.sentences])

    def html(self) -> str:
        return (
            f'<div style="border-left: 5px solid {self.colour}; padding: 0.1em 1em; margin: 0.8em 0">'
            f'<h3 style="font-size: 1em; margin: 0.4em 0">{in_html(self.title)}</h3>'
            f"{self._list()}{paragraphs(self.sentences)}</div>"
        )

    def _list(self) -> str:
        if not self.items:
            return ""
        signs = [f'<span aria-hidden="true">{sign}</span> ' if sign else "" for sign, _ in self.items]
        items = (f"{sign}{in_html(text)}" for sign, (_, text) in zip(signs, self.items, strict=True))
        listed = "".join(f'<li style="margin: 0.2em 0">{item}</li>' for item in items)
        if any(signs):
            return f'<ul style="list-style: none; margin: 0.3em 0; padding: 0">{listed}</ul>'
        return f'<ol style="margin: 0.3em 0; padding: 0 0 0 1.4em">{listed}</ol>'


@final
@dataclass(frozen=True, repr=False)
class ProgressPage:
    """What a learner has done, in words that read well aloud, and as HTML.

    Parameters
    ----------
    notebooks : tuple of NotebookState
    today : datetime.date
        What was solved today is not proposed for repetition.
    unknown : int
        How many entries belong to nothing in this course.
    notice : str
        What is to be said about the file; empty most of the time.

    Examples
    --------
    >>> progress_page(Progress()).text().splitlines()[0]
    'There is nothing here yet, and that is fine: everybody begins with an empty page.'
    """

    notebooks: tuple[NotebookState, ...]
    today: date
    unknown: int = 0
    notice: str = ""

    def text(self) -> str:
        """The page as plain text.

        Returns
        -------
        str
        """
        return "\n\n".join([*(block.text() for block in self._blocks()), *self._last()])

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        blocks = "".join(block.html() for block in self._blocks())
        return f'<div class="{_PLAIN}" style="max-width: 46em">{blocks}{paragraphs(self._last())}</div>'

    def _blocks(self) -> Iterator[_Block]:
        if not self._begun:
            return
        for notebook in self.notebooks:
            yield _notebook_block(notebook)
        yield _repetition_block(repetitions(self.notebooks, self.today))

    def _last(self) -> tuple[str, ...]:
        said = (_HOW_MINUTES,) if self._begun else _NOTHING
        entries = _counted(self.unknown, "entry", "entries")
        more = f"Your file keeps {entries} for which this version of the course has no place." if self.unknown else ""
        return tuple(sentence for sentence in (*said, more, self.notice) if sentence)

    @property
    def _begun(self) -> bool:
        return any(notebook.begun for notebook in self.notebooks)


def progress_page(progress: Progress | None = None, today: date | None = None) -> ProgressPage:
    """Show what you have done so far, in all notebooks.

    Parameters
    ----------
    progress : Progress, optional
        By default the learner's own, see `current_progress`.
    today : datetime.date, optional
        By default this day.

    Returns
    -------
    ProgressPage
        It needs no other notebook to run.

    Examples
    --------
    >>> progress = Progress()
    >>> progress.keep_verdict("00/python-warm-up", "right", "")
    >>> print("\\n".join(progress_page(progress).text().splitlines()[:3]))
    00 · The loop: Forward, Loss, Backward, Update
    ✓ Done: Python (`python-warm-up`).
    ◌ Not tried yet: NumPy (`numpy-warm-up`).
    """
    store = current_progress() if progress is None else progress
    entries = store.entries()
    notebooks = survey(entries)
    day = datetime.now().astimezone().date() if today is None else today
    return ProgressPage(notebooks, day, _unknown(entries, notebooks), store.notice())


def _unknown(entries: Record, notebooks: Sequence[NotebookState]) -> int:
    known = {f"{one.contents.number}/{name}" for one in notebooks for name in one.contents.exercises}
    known |= {f"{one.contents.number}/{name}" for one in notebooks for name in one.contents.predictions}
    return len((entries["exercises"].keys() | entries["predictions"].keys()) - known)


def _notebook_block(notebook: NotebookState) -> _Block:
    title = f"{notebook.contents.number} · {notebook.contents.lesson.title}"
    if not notebook.begun:
        return _Block(title, _UNTOUCHED, (("◌", _not_begun(notebook)),))
    items = tuple(_exercise_item(one) for one in notebook.exercises)
    done = sum(one.state == "done" for one in notebook.exercises)
    count = f"Exercises: {done} of {len(items)} done."
    colour = _DONE if done == len(items) else _BEGUN
    return _Block(title, colour, items, (f"{count} {_predicted(notebook.predictions)} {_minutes(notebook)}",))


def _not_begun(notebook: NotebookState) -> str:
    predictions = _counted(len(notebook.predictions), "prediction", "predictions")
    exercises = _counted(len(notebook.exercises), "exercise", "exercises")
    return f"Not begun yet: {predictions}, {exercises}, {notebook.contents.lesson.minutes} minutes planned."


def _exercise_item(one: ExerciseState) -> tuple[str, str]:
    sign, word = _SIGNS[one.state]
    attempts = ""
    if one.state == "tried" and one.attempts:
        attempts = _counted(one.attempts, "attempt", "attempts")
    elif one.state == "done" and one.failed:
        attempts = f"at attempt {one.failed + 1}"
    hints = f"{_counted(one.hints, 'hint', 'hints')} read" if one.hints else ""
    more = [text for text in (attempts, hints, "solution read" if one.solution else "") if text]
    return sign, f"{word}: {one.heading} (`{one.name}`){''.join(f', {text}' for text in more)}."


def _predicted(predictions: Sequence[PredictionState]) -> str:
    counts = [(sum(one.state == state for one in predictions), word) for state, word in _PREDICTIONS.items()]
    return f"Predictions: {', '.join(f'{count} {word}' for count, word in counts if count) or 'none'}."


def _minutes(notebook: NotebookState) -> str:
    minutes = notebook.seconds // 60
    taken = str(minutes) if minutes else "less than 1"
    return f"Minutes: {taken} of {notebook.contents.lesson.minutes} planned."


def _repetition_block(found: Sequence[Repetition]) -> _Block:
    due = [one for one in found if one.due]
    items = tuple(("", _repetition_text(one)) for one in due[:_SHOWN])
    sentences = [_HOW_TO_REPEAT] if due else ["Nothing today."]
    if len(due) > _SHOWN:
        sentences.append(f"After these there are {len(due) - _SHOWN} more.")
    later = len(found) - len(due)
    if later:
        sentences.append(f"From tomorrow on: {later} more. A day in between helps you to remember.")
    return _Block("What to repeat", _REPEAT, items, tuple(sentences))


def _repetition_text(one: Repetition) -> str:
    return f"Notebook {one.notebook.contents.number}, {one.what.heading} (`{one.what.name}`): {_why(one.what)}."


def _why(one: ExerciseState | PredictionState) -> str:
    if isinstance(one, PredictionState):
        off = f" by {abs(one.off):.0%}".replace("%", " %") if one.off is not None and abs(one.off) < 10 else ""
        return f"your prediction differed from the outcome{off}{'' if one.because else ', and you did not write why'}"
    attempt = f"at attempt {one.failed + 1}" if one.failed >= SEVERAL else ""
    helped = "after reading the solution" if one.solution else ""
    return f"solved {' '.join(text for text in (attempt, helped) if text)}"


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
