"""Predict first, then look: a question whose answer is stored before the outcome is shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, final

import ipywidgets as ipw

from bplib.viz.picture import Picture
from bplib.widgets.gate_state import Event, Question, State, reduce
from bplib.widgets.kit import Twin, button, toggle
from bplib.widgets.markup import paragraphs

__all__ = ["Event", "PredictionGate", "PredictionStore", "Question", "State", "reduce"]

_ROW = "display: flex; flex-wrap: wrap; gap: 0.8em; max-width: 46em; line-height: 1.5"
_CARD = "flex: 1 1 14em; border: 1px solid currentColor; border-radius: 4px; padding: 0.2em 1em"
_FOLD = "Outcome (predict first)"
# MathJax leaves these classes alone, so that a $ in an answer stays a $.
_PLAIN = "mathjax_ignore tex2jax_ignore"


class PredictionStore(Protocol):
    """What a gate needs in order to keep a prediction; `bplib.lessons.progress.Progress` is one."""

    def prediction(self, name: str) -> Mapping[str, Any] | None:
        """Give ``answer``, ``reason``, ``skipped``, perhaps ``because`` and ``agrees``; None if nothing is stored."""

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
        """Store a prediction, before the outcome is shown; and whether it is what came out, or how far off it is."""

    def keep_agreement(self, name: str, agrees: bool, off: float | None) -> None:
        """Add to a stored prediction whether it is what came out, where that is not known yet."""

    def keep_explanation(self, name: str, because: str) -> None:
        """Store the sentence on why the outcome is what it is."""

    def notice(self) -> str:
        """Say once what the learner has to know about the store; empty if there is nothing."""


@final
class PredictionGate(Twin):
    """Asks for a prediction, stores it, and only then shows the outcome beside it.

    The static twin, for places without a kernel and before the first run, shows the question with its options;
    the outcome is folded below them.

    Parameters
    ----------
    question : Question
        What is asked and what comes out.
    name : str
        Under which the prediction is stored; a second gate of the same name replaces the first.
    store : PredictionStore, optional
        Where the prediction is kept; a prediction found there is shown again, with its outcome.
    on_reveal : callable, optional
        Called once, when the outcome may be seen.

    Examples
    --------
    >>> question = Question("Does the loss fall?", "yes", "It falls.", "Because we step downhill.", ("yes", "no"))
    >>> gate = PredictionGate(question, "example")
    >>> gate.dispatch(Event("predict", "no"))
    >>> gate.dispatch(Event("store"))
    >>> gate.state.stage, gate.state.prediction
    ('revealed', 'no')
    >>> gate.close()
    """

    def __init__(
        self,
        question: Question,
        name: str,
        store: PredictionStore | None = None,
        on_reveal: Callable[[], object] | None = None,
    ) -> None:
        self.question = question
        self._key = name
        self._store = store
        self._on_reveal = on_reveal
        self._make_controls()
        super().__init__([self._asks, self._asking, self._message, self._revealed], name=f"prediction {name}")
        self.state = self._remembered()
        self._show()
        if self.state.stage != "asking":
            self._reveal()

    def dispatch(self, event: Event) -> None:
        """Take in what the learner does: the state changes, what has to be kept is kept, the view follows.

        Parameters
        ----------
        event : Event
        """
        before, self.state = self.state, reduce(self.state, event, self.question)
        if before.stage == "asking" and self.state.stage == "revealed":
            self._keep_prediction()
            self._reveal()
        elif event.kind == "compare" and not self.state.message and self._store is not None:
            self._store.keep_explanation(self._key, self.state.because)
        self._show()
        if before.stage == "asking" and self.state.stage == "revealed":
            # The pressed button is gone; the keys must not fall through to the notebook's shortcuts.
            self.lead_to(".bplib-outcome", ".bplib-because textarea")

    def words(self) -> tuple[str, ...]:
        """Question, options and outcome in words, whatever the learner predicted.

        Returns
        -------
        tuple of str
        """
        options = f"Options: {', '.join(self.question.options)}." if self.question.options else ""
        said = (f"Predict first: {self.question.text}", options, f"Outcome: {self.question.outcome}",
                self.question.because)  # fmt: skip
        return tuple(text for text in said if text)

    def picture(self) -> Picture:
        """Not drawn as a whole: words say all there is to see; a picture of the outcome stands below them."""
        raise NotImplementedError("PredictionGate: the static twin is text. Use words().")

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        live = ipw.VBox._repr_mimebundle_(self, **kwargs) or {}
        words = self.words()
        first = 2 if self.question.options else 1
        folded = f"<details><summary>{_FOLD}</summary>{paragraphs(words[first:])}{self._drawn()}</details>"
        still = {"text/html": f"<div>{paragraphs(words[:first])}{folded}</div>", "text/plain": "\n".join(words)}
        return {**live, **still}, {}

    def _make_controls(self) -> None:
        question = self.question
        self._asks = ipw.HTML(_html(f"Predict first: {question.text}"))
        self._answer = _choices(question.options) if question.options else _line("Your prediction", "a number")
        self._reason = _area("Reason (you may leave it empty)", "I think so because …")
        self._because = _area("What happened, and why?", "Because …")
        self._answer.observe(lambda change: self.dispatch(Event("predict", change["new"] or "")), "value")
        self._reason.observe(lambda change: self.dispatch(Event("reason", change["new"])), "value")
        self._because.observe(lambda change: self.dispatch(Event("because", change["new"])), "value")
        store = button("Store my prediction", lambda: self.dispatch(Event("store")))
        skip = button("Skip", lambda: self.dispatch(Event("skip")), tooltip="Show the outcome without a prediction")
        store.button_style = "primary"
        self._asking = ipw.VBox([self._answer, self._reason, ipw.HBox([store, skip])])
        self._message = ipw.HTML()
        self._cards = ipw.HTML()
        self._cards.add_class("bplib-outcome")
        self._because.add_class("bplib-because")
        self._compare = button("Compare with a model sentence", lambda: self.dispatch(Event("compare")))
        self._model = ipw.HTML()
        self._revealed = ipw.VBox([self._cards, self._because, self._compare, self._model])

    def _remembered(self) -> State:
        kept = self._store.prediction(self._key) if self._store is not None else None
        if kept is None:
            return State(message=self._store.notice() if self._store is not None else "")
        answer, because = kept.get("answer"), str(kept.get("because", ""))
        if self._store is not None and answer is not None and "agrees" not in kept:
            # It was stored before the course kept this.
            self._store.keep_agreement(self._key, self.question.agrees(answer), self.question.off(answer))
        return State(
            stage="compared" if because else "revealed",
            prediction=answer,
            reason=str(kept.get("reason", "")),
            because=because,
            skipped=bool(kept.get("skipped")),
        )

    def _keep_prediction(self) -> None:
        if self._store is not None:
            state, question = self.state, self.question
            answer = state.prediction
            self._store.keep_prediction(
                self._key,
                answer=answer,
                reason=state.reason,
                skipped=state.skipped,
                agrees=None if answer is None else question.agrees(answer),
                off=None if answer is None else question.off(answer),
            )
            self.state = replace(state, message=self._store.notice())

    def _reveal(self) -> None:
        if self._on_reveal is not None:
            self._on_reveal()

    def _show(self) -> None:
        state = self.state
        asking = state.stage == "asking"
        _display(self._asking, asking)
        _display(self._revealed, not asking)
        _display(self._message, bool(state.message))
        self._message.value = _html(state.message)
        # Before the reveal the outcome is not in the page at all, not even hidden.
        self._cards.value = "" if asking else self._side_by_side()
        if self._because.value.strip() != state.because:
            self._because.value = state.because
        compared = (f"You: {state.because}", f"A model sentence: {self.question.because}")
        self._model.value = _html(*compared) if state.stage == "compared" else ""

    def _side_by_side(self) -> str:
        state = self.state
        if state.prediction is None:
            mine, verdict = "You skipped the prediction.", ""
        else:
            mine = f"You predicted {_spoken(state.prediction)}."
            agrees = self.question.agrees(state.prediction)
            verdict = "✓ The outcome agrees with it." if agrees else "✗ The outcome is different."
        reason = f"Your reason: {state.reason}" if state.reason else ""
        cards = [(mine, verdict, reason), (f"Outcome: {self.question.outcome}",)]
        return (
            f'<div class="{_PLAIN}" style="{_ROW}">'
            + "".join(f'<div style="{_CARD}">{paragraphs(card)}</div>' for card in cards)
            + f"</div>{self._drawn()}"
        )

    def _drawn(self) -> str:
        picture = self.question.picture
        return f'<div style="margin-top: 0.8em">{picture.html()}</div>' if picture is not None else ""


def _html(*texts: str) -> str:
    return f'<div class="{_PLAIN}" style="max-width: 46em; line-height: 1.5">{paragraphs(texts)}</div>'


def _spoken(prediction: str | float) -> str:
    return prediction if isinstance(prediction, str) else f"{prediction:.6g}"


def _display(widget: ipw.DOMWidget, visible: bool) -> None:
    widget.layout.display = None if visible else "none"


def _choices(options: Sequence[str]) -> ipw.ToggleButtons:
    return toggle([(option, option) for option in options], None, "Your prediction")


# Sent when the field is left, not at each key: while the kernel is busy a press of the button could
# otherwise overtake the last keys.
def _line(description: str, placeholder: str) -> ipw.Text:
    return ipw.Text(
        description=description,
        placeholder=placeholder,
        continuous_update=False,
        style={"description_width": "initial"},
        layout=ipw.Layout(width="20em"),
    )


def _area(description: str, placeholder: str) -> ipw.Textarea:
    return ipw.Textarea(
        description=description,
        placeholder=placeholder,
        continuous_update=False,
        rows=2,
        style={"description_width": "initial"},
        layout=ipw.Layout(width="46em", max_width="100%"),
    )
