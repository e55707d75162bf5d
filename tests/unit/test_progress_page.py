"""The progress page: what it says, in which order it proposes repetition, and when."""

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from bplib.lessons import progress as module
from bplib.lessons.catalogue import CATALOGUE
from bplib.lessons.progress import Progress
from bplib.lessons.progress_page import _NOTHING, ProgressPage, progress_page
from bplib.lessons.survey import repetitions, survey

TODAY = date(2026, 11, 20)
TOMORROW = TODAY + timedelta(days=1)


class Clock:
    """A clock at noon, so that the day is the same in every zone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        monkeypatch.setattr(module, "_now", lambda: self.now)

    def forward(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress()


def attempts(progress: Progress, name: str, *outcomes: str) -> None:
    for outcome in outcomes:
        progress.keep_verdict(name, outcome, "sign-flipped" if outcome == "mistake" else "")


def predicted(progress: Progress, name: str, agrees: bool | None, off: float | None = None) -> None:
    progress.keep_prediction(name, answer="x", reason="<b>because</b>", skipped=False, agrees=agrees, off=off)


def lines(page: ProgressPage, notebook: str) -> list[str]:
    """The lines of one notebook's card."""
    (block,) = [block for block in page.text().split("\n\n") if block.startswith(f"{notebook} · ")]
    return block.splitlines()[1:]


def repeated(page: ProgressPage) -> list[str]:
    (block,) = [block for block in page.text().split("\n\n") if block.startswith("What to repeat")]
    return block.splitlines()[1:]


def proposed(progress: Progress, today: date = TOMORROW) -> list[str]:
    notebooks = survey(progress.entries())
    return [f"{one.notebook.contents.number}/{one.what.name}" for one in repetitions(notebooks, today) if one.due]


# -- nothing yet ------------------------------------------------------------------------------------------------------


def test_with_nothing_stored_one_kind_sentence_and_what_to_do_first(progress: Progress) -> None:
    for name in ("00/four-stages", "06/gd-step"):
        progress.keep_verdict(name, "not attempted", "")
    page = progress_page(progress)
    assert page.text() == (
        "There is nothing here yet, and that is fine: everybody begins with an empty page.\n\n"
        "Begin with notebook 00: predict what 1,000 times Backward does, "
        'then solve "Exercise 1: put the stages in order".'
    )
    assert "begins with an empty page" in page._repr_html_()


def test_what_to_do_first_exists() -> None:
    first = CATALOGUE[0]
    assert first.number == "00"
    named = re.findall('"([^"]*)"', _NOTHING[1])
    assert named == [first.exercises["four-stages"]]
    assert "backward-only" in first.predictions


def test_the_page_does_not_depend_on_the_day(progress: Progress) -> None:
    assert progress_page(progress, TODAY).text() == progress_page(progress).text()


# -- a notebook -------------------------------------------------------------------------------------------------------


def test_every_exercise_is_named_with_its_state_and_help(progress: Progress) -> None:
    attempts(progress, "06/largest-rate", "right")
    attempts(progress, "06/gd-step", "mistake", "raised", "right", "right", "mistake")
    progress.keep_hint("06/gd-step", 1)
    attempts(progress, "06/mean-to-sum", "mistake")
    progress.keep_hint("06/mean-to-sum", 2)
    progress.keep_solution("06/six-curves")
    assert lines(progress_page(progress), "06")[:4] == [
        "✓ Done: Exercise 1: the largest rate (`largest-rate`).",
        "✓ Done: Exercise 2: write the update (`gd-step`), at attempt 3, 1 hint read.",
        "✗ Tried, not solved yet: Exercise 3: from mean to sum (`mean-to-sum`), 1 attempt, 2 hints read.",
        "◌ Not tried yet: Exercise 4: name the six (`six-curves`), solution read.",
    ]
    assert lines(progress_page(progress), "06")[-1].startswith("Exercises: 2 of 5 done. ")


def test_a_notebook_that_was_not_begun_is_one_line_with_what_it_holds(progress: Progress) -> None:
    attempts(progress, "06/gd-step", "right")
    first = CATALOGUE[0]
    (line,) = lines(progress_page(progress), "00")
    asked = f"{len(first.predictions)} prediction, {len(first.exercises)} exercises"
    assert line == f"◌ Not begun yet: {asked}, {first.lesson.minutes} minutes planned."


@pytest.mark.parametrize(("minutes", "said"), [(0, "less than 1"), (0.9, "less than 1"), (1, "1"), (9.99, "9")])
def test_minutes_stand_beside_the_planned_ones(progress: Progress, clock: Clock, minutes: float, said: str) -> None:
    attempts(progress, "06/gd-step", "mistake")
    clock.forward(minutes)
    attempts(progress, "06/gd-step", "right")
    planned = CATALOGUE[1].lesson.minutes
    assert lines(progress_page(progress), "06")[-1].endswith(f"Minutes: {said} of {planned} planned.")
    assert "more than ten minutes without any of them count as a pause" in progress_page(progress).text()


@pytest.mark.parametrize(
    ("agrees", "said"),
    [
        (True, "1 came out as you said"),
        (False, "1 came out differently"),
        (None, "1 not compared yet (run the notebook once more)"),
    ],
)
def test_predictions_are_counted_by_what_came_out(progress: Progress, agrees: bool | None, said: str) -> None:
    predicted(progress, "06/fastest-rate", agrees)
    assert f" Predictions: {said}, 1 still open. " in lines(progress_page(progress), "06")[-1]


def test_a_prediction_that_was_skipped_or_is_open_is_said_too(progress: Progress) -> None:
    attempts(progress, "00/one-update", "right")
    assert " Predictions: 1 still open. " in lines(progress_page(progress), "00")[-1]
    progress.keep_prediction("00/backward-only", answer=None, reason="", skipped=True)
    assert " Predictions: 1 skipped. " in lines(progress_page(progress), "00")[-1]


def test_entries_of_another_version_are_counted_and_a_notice_is_said(progress: Progress) -> None:
    attempts(progress, "06/gd-step", "right")
    assert "has no place" not in progress_page(progress).text()
    attempts(progress, "06/an-exercise-that-is-gone", "right")
    predicted(progress, "77/later", True)
    page = ProgressPage(survey(progress.entries()), TODAY, 2, "The file cannot be used.")
    assert progress_page(progress).unknown == 2
    assert "Your file keeps 2 entries for which this version of the course has no place." in page.text()
    assert page.text().endswith("The file cannot be used.")


def test_a_damaged_file_is_said_on_the_page(tmp_path: object) -> None:
    path = tmp_path / "progress.json"  # type: ignore[operator]
    path.write_text("{", "utf-8")
    assert "is damaged in line 1 and was left as it is" in progress_page(Progress(path)).text()


# -- what to repeat ---------------------------------------------------------------------------------------------------


def test_nothing_solved_today_is_proposed_today(progress: Progress) -> None:
    attempts(progress, "06/gd-step", "mistake", "mistake", "right")
    predicted(progress, "06/fastest-rate", False)
    assert proposed(progress, TODAY) == []
    assert repeated(progress_page(progress, TODAY)) == [
        "Nothing today.",
        "From tomorrow on: 2 more. A day in between helps you to remember.",
    ]
    assert proposed(progress, TOMORROW) == ["06/gd-step", "06/fastest-rate"]


@pytest.mark.parametrize(
    ("outcomes", "worth"),
    [
        (("right",), False),
        (("mistake", "right"), False),
        (("mistake", "raised", "right"), True),
        (("right", "mistake", "mistake", "mistake"), False),
        (("mistake", "mistake", "mistake"), False),
    ],
)
def test_what_took_several_attempts_is_worth_repeating(
    progress: Progress, outcomes: tuple[str, ...], worth: bool
) -> None:
    attempts(progress, "06/gd-step", *outcomes)
    assert proposed(progress) == (["06/gd-step"] if worth else [])


def test_a_solution_counts_that_was_read_before_the_right_answer(progress: Progress, clock: Clock) -> None:
    progress.keep_solution("06/gd-step")
    attempts(progress, "06/gd-step", "right")
    attempts(progress, "06/largest-rate", "right")
    clock.forward(1)
    progress.keep_solution("06/largest-rate")
    assert proposed(progress) == ["06/gd-step"]


def test_what_needs_it_most_comes_first(progress: Progress, clock: Clock) -> None:
    predicted(progress, "00/backward-only", False)
    progress.keep_explanation("00/backward-only", "I see")
    predicted(progress, "06/fastest-rate", False)
    attempts(progress, "00/one-update", *["mistake"] * 3, "right")
    attempts(progress, "06/gd-step", *["mistake"] * 5, "right")
    progress.keep_solution("10/chance-loss")
    attempts(progress, "10/chance-loss", "right")
    assert proposed(progress) == [
        "10/chance-loss",
        "06/gd-step",
        "00/one-update",
        "06/fastest-rate",
        "00/backward-only",
    ]
    assert repeated(progress_page(progress, TOMORROW))[:5] == [
        "1. Notebook 10, Exercise 1: the loss at chance (`chance-loss`): solved after reading the solution.",
        "2. Notebook 06, Exercise 2: write the update (`gd-step`): solved at attempt 6.",
        "3. Notebook 00, Exercise 2: one update (`one-update`): solved at attempt 4.",
        "4. Notebook 06, Predict before you look (`fastest-rate`): your prediction differed from the outcome, "
        "and you did not write why.",
        "5. Notebook 00, Predict before you look (`backward-only`): your prediction differed from the outcome.",
    ]


def test_five_are_enough_for_a_day(progress: Progress) -> None:
    for name in list(CATALOGUE[0].exercises)[:7]:
        attempts(progress, f"00/{name}", "mistake", "mistake", "right")
    said = repeated(progress_page(progress, TOMORROW))
    assert sum(line[0].isdigit() for line in said) == 5
    assert said[-1] == "After these there are 2 more."


def test_how_far_a_number_was_off_is_said_as_long_as_it_helps(progress: Progress) -> None:
    predicted(progress, "10/first-loss", False, 0.956)
    assert "differed from the outcome by 96 %, and" in repeated(progress_page(progress, TOMORROW))[0]
    other = Progress()
    predicted(other, "10/first-loss", False, 1e300)
    assert "differed from the outcome, and" in repeated(progress_page(other, date(2000, 1, 1)))[0]


def test_what_was_repeated_on_a_later_day_leaves_the_list(progress: Progress, clock: Clock) -> None:
    attempts(progress, "06/gd-step", "mistake", "mistake", "right")
    predicted(progress, "06/fastest-rate", False)
    progress.keep_explanation("06/fastest-rate", "on the same day")
    assert len(proposed(progress)) == 2
    clock.forward(24 * 60)
    attempts(progress, "06/gd-step", "right")
    assert len(proposed(progress)) == 2, "an old answer that is run again is no repetition"
    attempts(progress, "06/gd-step", "not attempted", "right")
    assert proposed(progress) == ["06/fastest-rate"]
    progress.keep_explanation("06/fastest-rate", "a day later")
    assert proposed(progress) == []


def test_of_an_older_file_the_known_mistakes_are_what_is_certain() -> None:
    def failed(entry: dict[str, object]) -> int:
        entries = {"exercises": {"06/gd-step": entry}, "predictions": {}, "time": {}}
        return survey(entries)[1].exercises[1].failed

    right = {"outcome": "right", "right": "2026-11-20T12:00:00+00:00"}
    assert failed({**right, "attempts": 9, "mistakes": {"a": 2, "b": 1}}) == 3
    assert failed({**right, "attempts": 2, "mistakes": {"a": 7}}) == 1
    assert failed({**right, "attempts": 9}) == 0
    assert failed({**right, "attempts": 9, "needed": 0}) == 0
    assert failed({"outcome": "mistake", "attempts": 4}) == 4


# -- as HTML ----------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: set[tuple[str, ...]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.found.add((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_html_says_the_same_words_in_sound_markup_without_a_colour_for_text(progress: Progress) -> None:
    attempts(progress, "06/gd-step", "mistake", "mistake", "right")
    predicted(progress, "06/fastest-rate", False)
    page = progress_page(progress, TOMORROW)
    html = page._repr_html_()
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    styled = {("div", "style"), ("div", "class", "style"), ("h3", "style"), ("p", "style")}
    lists = {("ul", "style"), ("ol", "style"), ("li", "style"), ("span", "aria-hidden"), ("bdi",), ("code",)}
    assert tags.found == styled | lists
    # Light or dark, text and ground stay those of the notebook: only the edge of a card has a colour.
    assert not re.search(r"[\"; ](color|background)", html)
    words = re.sub(r"<[^>]*>", "", html).replace("&quot;", '"')
    for line in page.text().splitlines():
        assert re.sub(r"^\d\. |`", "", line) in words


def test_signs_are_not_read_aloud(progress: Progress) -> None:
    attempts(progress, "06/gd-step", "right")
    html = progress_page(progress)._repr_html_()
    assert html.count("✓") == html.count('<span aria-hidden="true">✓</span>') == 1
    assert '<span aria-hidden="true">◌</span> <bdi>Not tried yet: ' in html
