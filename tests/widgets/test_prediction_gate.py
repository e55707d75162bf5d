"""Predict, observe, explain: the prediction is stored before anything of the outcome can be seen."""

import gc
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import pytest
from ipywidgets.widgets.widget import _instances

from bplib.errors import DomainError
from bplib.lessons.learning_rate import predict_fastest, rate_lab
from bplib.lessons.progress import Progress
from bplib.lessons.training_pipeline import predict_first_loss
from bplib.viz import Picture, figure
from bplib.widgets.markup import in_html
from bplib.widgets.prediction_gate import Event, PredictionGate, Question, State, reduce
from tests.hostile import WORDS

RATES = Question(
    "Which rate is the fastest?",
    answer="0.25",
    outcome="0.25 is the fastest.",
    because="Because the factor is 0.",
    options=("0.03", "0.25", "0.6"),
)
LOSS = Question("What is the first loss?", answer=2.35, outcome="It is 2.35.", because="Because all are alike.")


class Recorder:
    """A store in memory that writes down the order of what happens."""

    def __init__(self, kept: dict[str, Any] | None = None, notice: str = "") -> None:
        self.kept = {} if kept is None else {"gate": kept}
        self.log: list[Any] = []
        self.came: list[tuple[bool | None, float | None]] = []
        self._notice = notice

    def prediction(self, name: str) -> dict[str, Any] | None:
        return self.kept.get(name)

    def keep_prediction(
        self,
        name: str,
        *,
        answer: str | float | None,
        reason: str,
        skipped: bool,
        agrees: bool | None = None,
        off: float | None = None,
    ) -> None:
        self.log.append(("stored", answer, reason, skipped))
        self.came.append((agrees, off))

    def keep_agreement(self, name: str, agrees: bool, off: float | None) -> None:
        self.log.append("completed")
        self.came.append((agrees, off))

    def keep_explanation(self, name: str, because: str) -> None:
        self.log.append(("explained", because))

    def notice(self) -> str:
        said, self._notice = self._notice, ""
        return said

    def reveal(self) -> None:
        self.log.append("revealed")


@pytest.fixture
def store() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def close_everything() -> Iterator[None]:
    yield
    for widget in list(_instances.values()):
        widget.close()


def gate_of(store: Recorder, question: Question = RATES) -> PredictionGate:
    return PredictionGate(question, "gate", store, store.reveal)


def below(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from below(child)


def visible(widget: Any) -> Iterator[Any]:
    if widget.layout.display != "none":
        yield widget
        for child in getattr(widget, "children", ()):
            yield from visible(child)


def find(gate: PredictionGate, kind: type, description: str = "") -> Any:
    return next(one for one in below(gate) if isinstance(one, kind) and description in getattr(one, "description", ""))


def seen(gate: PredictionGate) -> str:
    """All words that can be read, and nothing that is hidden."""
    return " ".join(re.sub(r"<[^>]*>", " ", one.value) for one in visible(gate) if isinstance(one, ipw.HTML))


# -- the state machine ------------------------------------------------------------------------------------------------


def run(question: Question, *events: Event) -> State:
    state = State()
    for event in events:
        state = reduce(state, event, question)
    return state


def test_a_prediction_has_to_be_made_before_it_is_stored() -> None:
    state = run(RATES, Event("store"))
    assert (state.stage, state.message) == ("asking", "Choose one of the options first, or press Skip.")
    assert run(LOSS, Event("store")).message == "Type a number first, or press Skip."


def test_the_last_choice_before_storing_counts_and_none_after() -> None:
    stored = run(RATES, Event("predict", "0.03"), Event("predict", "0.6"), Event("store"), Event("predict", "0.25"))
    assert (stored.stage, stored.prediction) == ("revealed", "0.6")
    assert reduce(stored, Event("skip"), RATES) == stored
    assert reduce(stored, Event("store"), RATES) == stored


@pytest.mark.parametrize(("typed", "number"), [("2.3", 2.3), (" 2,3 ", 2.3), ("−1", -1.0), ("1e-3", 0.001), ("0", 0.0)])
def test_a_number_may_be_typed_in_many_ways(typed: str, number: float) -> None:
    state = run(LOSS, Event("predict", typed), Event("store"))
    assert (state.stage, state.prediction) == ("revealed", number)


@pytest.mark.parametrize("typed", ["abc", "nan", "inf", "1e999", "2.3 or so", "ln 10", "<b>"])
def test_what_is_no_number_is_not_stored(typed: str) -> None:
    state = run(LOSS, Event("predict", typed), Event("store"))
    assert (state.stage, state.message) == ("asking", f"`{typed}` is not a number. Type one such as 2.5.")


def test_skipping_forgets_what_was_chosen() -> None:
    state = run(RATES, Event("predict", "0.6"), Event("skip"))
    assert (state.stage, state.prediction, state.skipped) == ("revealed", None, True)


def test_the_model_sentence_comes_after_the_learners_own() -> None:
    revealed = run(RATES, Event("predict", "0.6"), Event("store"))
    asked = reduce(revealed, Event("compare"), RATES)
    assert (asked.stage, asked.message) == ("revealed", "Write your own sentence first. It is only compared by you.")
    compared = reduce(reduce(asked, Event("because", " it overshoots "), RATES), Event("compare"), RATES)
    assert (compared.stage, compared.because, compared.message) == ("compared", "it overshoots", "")


@pytest.mark.parametrize(("number", "agrees"), [(2.35, True), (2.5, True), (2.13, True), (2.6, False), (1.0, False)])
def test_a_number_near_the_outcome_agrees(number: float, agrees: bool) -> None:
    assert LOSS.agrees(number) is agrees


def test_a_question_whose_answer_cannot_be_given_is_refused() -> None:
    with pytest.raises(DomainError, match=r"the answer '0.5' is none of the options \['a', 'b'\]"):
        Question("?", "0.5", "o", "b", ("a", "b"))
    for answer in ("yes", float("nan")):
        with pytest.raises(DomainError, match="without options the answer must be a finite number"):
            Question("?", answer, "o", "b")


# -- the view ---------------------------------------------------------------------------------------------------------


def test_before_the_reveal_nothing_of_the_outcome_is_in_the_page(store: Recorder) -> None:
    gate = gate_of(store)
    texts = [one.value for one in below(gate) if isinstance(one, ipw.HTML)]
    assert any("Which rate is the fastest?" in text for text in texts)
    assert not any(RATES.outcome in text or RATES.because in text for text in texts)
    assert store.log == []


def test_driven_by_its_controls_it_stores_first_then_reveals(store: Recorder) -> None:
    gate = gate_of(store)
    find(gate, ipw.ToggleButtons).value = "0.6"
    find(gate, ipw.Textarea, "Reason").value = "bigger steps"
    assert store.log == []
    find(gate, ipw.Button, "Store").click()
    assert store.log == [("stored", "0.6", "bigger steps", False), "revealed"]
    words = seen(gate)
    for said in ("You predicted 0.6.", "✗ The outcome is different.", "Your reason: bigger steps", RATES.outcome):
        assert said in words
    assert RATES.because not in words
    find(gate, ipw.Textarea, "What happened").value = "it overshoots"
    find(gate, ipw.Button, "Compare").click()
    assert store.log[2:] == [("explained", "it overshoots")]
    assert "You: it overshoots" in seen(gate)
    assert f"A model sentence: {RATES.because}" in seen(gate)
    # A second thought is kept too.
    find(gate, ipw.Textarea, "What happened").value = "every step oversteps"
    find(gate, ipw.Button, "Compare").click()
    assert store.log[3:] == [("explained", "every step oversteps")]


@pytest.mark.parametrize(
    ("question", "typed", "came"),
    [
        (RATES, "0.25", (True, None)),
        (RATES, "0.6", (False, None)),
        (LOSS, "2.35", (True, 0.0)),
        (LOSS, "4.7", (False, 1.0)),
        (LOSS, "1e308", (False, pytest.approx(1e308 / 2.35))),
    ],
)
def test_whether_it_came_out_is_stored_with_the_prediction(
    store: Recorder, question: Question, typed: str, came: tuple[bool, float | None]
) -> None:
    gate = gate_of(store, question)
    gate.dispatch(Event("predict", typed))
    gate.dispatch(Event("store"))
    assert store.came == [came]
    gate.dispatch(Event("because", "it is so"))
    gate.dispatch(Event("compare"))
    assert len(store.came) == 1


def test_a_skipped_prediction_neither_came_out_nor_not(store: Recorder) -> None:
    gate_of(store).dispatch(Event("skip"))
    assert store.came == [(None, None)]


@pytest.mark.parametrize(("answer", "came"), [("0.25", True), ("0.6", False), ("a rate that was renamed", False)])
def test_an_older_prediction_is_completed_when_it_is_shown_again(answer: str, came: bool) -> None:
    store = Recorder({"answer": answer, "reason": "", "skipped": False})
    gate_of(store)
    assert (store.log, store.came) == (["completed", "revealed"], [(came, None)])
    skipped = Recorder({"answer": None, "reason": "", "skipped": True})
    gate_of(skipped)
    assert skipped.log == ["revealed"]


def test_an_empty_explanation_is_not_kept(store: Recorder) -> None:
    gate = gate_of(store)
    gate.dispatch(Event("skip"))
    find(gate, ipw.Button, "Compare").click()
    assert "Write your own sentence first." in seen(gate)
    assert [entry[0] for entry in store.log if entry != "revealed"] == ["stored"]


def test_a_number_is_typed_and_compared(store: Recorder) -> None:
    gate = gate_of(store, LOSS)
    field = find(gate, ipw.Text)
    field.value = "abc"
    find(gate, ipw.Button, "Store").click()
    assert "is not a number" in seen(gate)
    assert store.log == []
    field.value = "2,3"
    find(gate, ipw.Button, "Store").click()
    assert store.log[0] == ("stored", 2.3, "", False)
    assert "You predicted 2.3." in seen(gate)
    assert "✓ The outcome agrees with it." in seen(gate)


def test_skip_is_in_sight_and_reveals(store: Recorder) -> None:
    gate = gate_of(store)
    skip = find(gate, ipw.Button, "Skip")
    assert skip in list(visible(gate))
    skip.click()
    assert store.log == [("stored", None, "", True), "revealed"]
    assert "You skipped the prediction." in seen(gate)


def test_the_keyboard_goes_on_in_the_next_field(store: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    led: list[Any] = []
    monkeypatch.setattr(PredictionGate, "lead_to", lambda gate, shown, field: led.append((shown, field)))
    gate = gate_of(store)
    find(gate, ipw.ToggleButtons).value = "0.6"
    find(gate, ipw.Button, "Store").click()
    assert led == [(".bplib-outcome", ".bplib-because textarea")]
    assert "bplib-because" in find(gate, ipw.Textarea, "What happened")._dom_classes
    (cards,) = [one for one in below(gate) if "bplib-outcome" in getattr(one, "_dom_classes", ())]
    assert RATES.outcome in cards.value
    # A cell that shows a stored prediction again leaves the keyboard where it is.
    gate_of(Recorder({"answer": "0.6", "reason": "", "skipped": False}))
    assert len(led) == 1


def test_pressing_twice_stores_and_reveals_once(store: Recorder) -> None:
    gate = gate_of(store)
    find(gate, ipw.ToggleButtons).value = "0.25"
    for _ in range(3):
        find(gate, ipw.Button, "Store").click()
        find(gate, ipw.Button, "Skip").click()
    assert len(store.log) == 2


def test_fields_are_sent_when_they_are_left_so_that_a_button_cannot_overtake_them(store: Recorder) -> None:
    fields = [one for one in below(gate_of(store, LOSS)) if isinstance(one, ipw.Text | ipw.Textarea)]
    assert [one.continuous_update for one in fields] == [False, False, False]


def test_every_control_has_a_label(store: Recorder) -> None:
    kinds = ipw.Text | ipw.Textarea | ipw.Button | ipw.ToggleButtons
    for question in (RATES, LOSS):
        controls = [one for one in below(gate_of(store, question)) if isinstance(one, kinds)]
        assert len(controls) == 6
        assert all(one.description for one in controls)


# -- remembered -------------------------------------------------------------------------------------------------------


def test_a_stored_prediction_is_shown_again_with_its_outcome() -> None:
    store = Recorder({"answer": "0.6", "reason": "bigger", "skipped": False, "agrees": False})
    gate = gate_of(store)
    assert store.log == ["revealed"], "shown, not stored again"
    assert gate.state.stage == "revealed"
    assert "You predicted 0.6." in seen(gate)


def test_a_stored_explanation_is_shown_again_beside_the_model() -> None:
    store = Recorder({"answer": None, "reason": "", "skipped": True, "because": "it overshoots"})
    gate = gate_of(store)
    assert gate.state.stage == "compared"
    assert store.log == ["revealed"]
    assert find(gate, ipw.Textarea, "What happened").value == "it overshoots"
    assert "A model sentence" in seen(gate)


def test_the_real_store_remembers_across_sessions(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    gate = PredictionGate(RATES, "06/fastest-rate", Progress(path))
    gate.dispatch(Event("predict", "0.03"))
    gate.dispatch(Event("store"))
    gate.close()
    again = PredictionGate(RATES, "06/fastest-rate", Progress(path))
    assert (again.state.stage, again.state.prediction) == ("revealed", "0.03")
    kept = Progress(path).prediction("06/fastest-rate")
    assert kept is not None
    assert kept["agrees"] is False


@pytest.mark.parametrize("answer", [["0.6"], {"a": 1}, True, float("nan"), 10**400, None])
def test_what_stands_in_the_file_instead_of_an_answer_is_asked_for_again(tmp_path: Path, answer: object) -> None:
    path = tmp_path / "progress.json"
    entry = {"answer": answer, "reason": ["?"], "skipped": "no", "because": 7}
    path.write_text(json.dumps({"version": 1, "predictions": {"06/fastest-rate": entry}}), "utf-8")
    gate = PredictionGate(RATES, "06/fastest-rate", Progress(path))
    assert gate.state == State()
    gate.dispatch(Event("predict", "0.25"))
    gate.dispatch(Event("store"))
    kept = Progress(path).prediction("06/fastest-rate")
    assert kept is not None
    assert (kept["answer"], kept["agrees"]) == ("0.25", True)


def test_a_notice_of_the_store_is_said() -> None:
    gate = gate_of(Recorder(notice="The file cannot be written."))
    assert "The file cannot be written." in seen(gate)


def test_running_the_cell_twice_replaces_the_gate(store: Recorder) -> None:
    first = gate_of(store)
    second = gate_of(store)
    assert first.comm is None
    assert second.comm is not None


def test_opening_and_closing_leaves_nothing_behind(store: Recorder) -> None:
    gate_of(store).close()
    before = count()
    for _ in range(5):
        gate = gate_of(store)
        gate.dispatch(Event("skip"))
        gate.close()
    assert count() == before


def count() -> int:
    gc.collect()
    return len(_instances)


# -- the static twin --------------------------------------------------------------------------------------------------


def test_the_twin_shows_question_options_and_outcome_whatever_the_learner_did(store: Recorder) -> None:
    gate = gate_of(store)
    bundles = [gate._repr_mimebundle_()[0]]
    gate.dispatch(Event("skip"))
    bundles.append(gate._repr_mimebundle_()[0])
    assert bundles[0]["text/plain"] == (
        "Predict first: Which rate is the fastest?\n"
        "Options: 0.03, 0.25, 0.6.\n"
        "Outcome: 0.25 is the fastest.\n"
        "Because the factor is 0."
    )
    for key in ("text/plain", "text/html"):
        assert bundles[0][key] == bundles[1][key]
    assert "application/vnd.jupyter.widget-view+json" in bundles[0]


@pytest.mark.parametrize("question", [RATES, LOSS])
def test_the_twin_folds_the_outcome_until_it_is_opened(store: Recorder, question: Question) -> None:
    drawn = replace(question, picture=Picture(figure(2, 1), "The outcome drawn."))
    shown = gate_of(store, drawn)._repr_mimebundle_()[0]["text/html"]
    opened, rest = shown.split("<details><summary>Outcome (predict first)</summary>")
    folded, after = rest.split("</details>")
    assert after == "</div>"
    assert question.text in opened
    assert all(option in opened for option in question.options)
    for said in (question.outcome, question.because, 'alt="The outcome drawn."'):
        assert said in folded
        assert said not in opened


# -- escaping ---------------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, ...]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, *(name for name, _ in attrs)))


@pytest.mark.parametrize("payload", WORDS)
def test_what_a_learner_writes_never_becomes_markup(store: Recorder, payload: str) -> None:
    gate = gate_of(store, LOSS)
    for event in (Event("predict", payload), Event("store"), Event("reason", payload), Event("skip")):
        gate.dispatch(event)
        assert_plain(gate)
    for event in (Event("because", payload), Event("compare")):
        gate.dispatch(event)
        assert_plain(gate)
    kept = {"answer": payload, "reason": payload, "skipped": False, "because": payload}
    assert_plain(gate_of(Recorder(kept)))


def assert_plain(gate: PredictionGate) -> None:
    tags = Tags()
    for one in below(gate):
        if isinstance(one, ipw.HTML):
            tags.feed(one.value)
    assert tags.found <= {("div", "class", "style"), ("div", "style"), ("p", "style"), ("bdi",), ("code",)}


def test_escaping_keeps_the_words() -> None:
    assert in_html("a < b & `c`") == "<bdi>a &lt; b &amp; <code>c</code></bdi>"
    assert len(in_html("x" * 10_000)) < 2_100


# -- the two predictions of the course --------------------------------------------------------------------------------


def test_the_outcome_of_the_rates_is_counted_on_real_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path / "progress.json"))
    gate = predict_fastest()
    assert gate.question.answer == "0.25"
    assert gate.question.options == ("0.03", "0.1", "0.25", "0.45", "0.5", "0.6")
    assert gate.question.outcome == (
        "0.25 is the fastest. Steps needed: 0.03 → 37; 0.1 → 10; 0.25 → 1; 0.45 → 21; 0.5 → never; 0.6 → diverges."
    )


def test_the_prediction_opens_the_marks_of_the_lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path / "progress.json"))
    lab = rate_lab()
    gate = predict_fastest(lab)
    assert not lab.state.revealed
    gate.dispatch(Event("predict", "0.6"))
    assert not lab.state.revealed
    gate.dispatch(Event("store"))
    assert lab.state.revealed


def test_the_first_loss_is_the_measured_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path / "progress.json"))
    gate = predict_first_loss(2.347)
    assert gate.question.outcome == (
        "The untrained network has a loss of 2.35. Giving each class the same probability, 1/10, costs ln 10 = 2.30."
    )
    assert gate.question.agrees(2.3)
    assert not gate.question.agrees(0.1)
