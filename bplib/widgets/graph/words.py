"""The graph stepper in words: what the step did, what is asked, and what an answer was."""

from dataclasses import replace

from bplib.tracing.figures import partial
from bplib.viz.graph_story import Equation, Moment, short
from bplib.widgets.graph.examples import EXAMPLES
from bplib.widgets.graph.state import State, asked

__all__ = ["question_moment", "sentence", "symbol_asked", "transcript"]


def sentence(state: State) -> str:
    """Give the line below the picture.

    Examples
    --------
    >>> from bplib.widgets.graph.examples import story_of
    >>> from bplib.widgets.graph.state import Event, first_state, reduce
    >>> state = first_state("square", story_of("square"), typed=True)
    >>> for _ in range(2):
    ...     state = reduce(state, Event("step"))
    >>> sentence(state)
    'Backward starts at the end: ∂y/∂y = 1, a nudge ... by the same amount. What goes to x? Type ∂y/∂x, part 1.'
    """
    question = _question(state)
    match state.note:
        case "ask":
            return f"This step waits for your answer. {question} Or press Show it."
        case "begin":
            return "This is the beginning. Press Step."
        case "end":
            notice = EXAMPLES[state.example].notice if state.example in EXAMPLES else ""
            return f"That was the last step. {_score(state) or _result(state)} {notice}".strip()
        case "watch":
            return "Nothing is asked at this moment. Switch to “type each gradient”, or step on."
    if state.verdict is not None:
        sum_of_parts = _passed(state) if state.verdict.right else ""
        return " ".join(part for part in (state.verdict.sentence, sum_of_parts, question or _score(state)) if part)
    return " ".join(part for part in (state.moment.sentence, question or _score(state)) if part)


def symbol_asked(state: State) -> str:
    """Give what the learner is asked for, such as "∂Loss/∂x, part 1"; empty where nothing is asked."""
    moment = asked(state)
    return "" if moment is None else moment.equation.symbols[2]


def _question(state: State) -> str:
    moment = asked(state)
    if moment is None or moment.share is None:
        return ""
    return f"What goes to {moment.share.parent.name}? Type {symbol_asked(state)}."


def _passed(state: State) -> str:
    share = state.moment.share
    if share is None or share.before is None:
        return ""
    return f"At {share.parent.name} the parts add up to {short(share.total)}."


def _score(state: State) -> str:
    if not state.typed or state.position < state.last or not state.given:
        return ""
    return f"{state.given} gradients, {state.right} of them right at the first try."


def _result(state: State) -> str:
    found = [f"{partial(state.story.loss, name)} = {short(g)}" for name, g in state.story.gradients.items()]
    return f"The gradients: {', '.join(found)}." if len(found) <= 8 else f"{len(found)} gradients have arrived."


def question_moment(state: State) -> Moment:
    """Give what is drawn: the present moment, or the next wire with question marks where the learner fills in."""
    following = asked(state)
    if following is None:
        return replace(state.moment, sentence=sentence(state))
    equation = following.equation
    hidden = Equation(equation.captions, equation.symbols, (equation.numbers[0], "?", "?"), equation.signs)
    return replace(
        following, sentence=sentence(state), gradients=state.moment.gradients, equation=hidden, chain=(),
        title=f"{following.title}: your turn",
    )  # fmt: skip


def transcript(state: State) -> tuple[str, ...]:
    """Give the sentences of all steps up to the present one."""
    return tuple(moment.sentence for moment in state.moments[: state.position + 1])
