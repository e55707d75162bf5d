"""What each event makes of the graph stepper's state, and what a typed gradient is."""

import itertools
import math

import pytest

from bplib import tensor, trace
from bplib.errors import DataError, DomainError
from bplib.widgets.graph.answers import MISTAKES, as_number_typed, is_close, judge
from bplib.widgets.graph.examples import EXAMPLES, story_of
from bplib.widgets.graph.state import Event, State, asked, first_state, reduce
from bplib.widgets.graph.words import question_moment, sentence, symbol_asked, transcript


def after(state: State, *events: Event | str) -> State:
    for event in events:
        state = reduce(state, Event(event) if isinstance(event, str) else event)
    return state


def begun(example: str = "fan-out", typed: bool = False) -> State:
    return first_state(example, story_of(example), typed)


def answered(*values: object, example: str = "fan-out") -> State:
    """Typed, at the first question, with these answers."""
    state = begun(example, typed=True)
    while asked(state) is None:
        state = after(state, "step")
    return after(state, *(Event("answer", value) for value in values))


@pytest.mark.parametrize("name", EXAMPLES)
def test_steps_visit_every_moment_once_and_back_again(name):
    state = begun(name)
    for k in range(state.last):
        assert state.position == k
        state = after(state, "step")
    assert after(state, "step") == after(state, "step", "step")
    end = sentence(after(state, "step"))
    assert "That was the last step. The gradients: " in end
    assert end.endswith(EXAMPLES[name].notice)
    for k in range(state.last, 0, -1):
        assert state.position == k
        state = after(state, "back")
    assert sentence(after(state, "back")) == "This is the beginning. Press Step."
    assert after(state, "back").position == 0


def test_going_somewhere_is_stepping_there():
    state = begun("max")
    assert after(state, Event("go", 3)) == after(state, "step", "step", "step")
    assert after(state, Event("go", state.last), "reset") == state
    assert transcript(after(state, Event("go", 2))) == tuple(m.sentence for m in state.moments[:3])


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("go", 99), DomainError, "there is no position 99. Expected 0 to 9"),
        (Event("go", -1), DomainError, "there is no position -1"),
        (Event("go", 1.5), DataError, "the position is 1.5. Expected a whole number"),
        (Event("go", True), DataError, "the position is True"),
        (Event("go", None), DataError, "the position is None"),
        (Event("typed", "yes"), DataError, "typed is 'yes'. Expected True or False"),
        (Event("jump", 1), DomainError, "there is no event 'jump' with the value 1"),  # type: ignore[arg-type]
        (Event("example", "max"), DomainError, "there is no event 'example'"),
    ],
)
def test_impossible_events_are_refused_in_words(event, error, words):
    with pytest.raises(error, match=words):
        reduce(begun(), event)


def test_typed_nothing_is_shown_before_it_is_answered():
    state = answered()
    assert symbol_asked(state) == "∂f/∂u"
    waiting = after(state, "step")
    assert (waiting.position, waiting.note) == (state.position, "ask")
    assert sentence(waiting).startswith("This step waits for your answer. What goes to u? Type ∂f/∂u.")
    assert after(state, Event("go", state.last)).position == state.position
    drawn = question_moment(state)
    assert drawn.equation.numbers == ("1", "?", "?")
    assert drawn.gradients == state.moment.gradients
    assert drawn.chain == ()


def test_the_slider_goes_as_far_as_the_first_question_and_back_at_will():
    state = after(begun(typed=True), Event("go", 9))
    assert state.position == 4
    assert after(state, Event("go", 1)).position == 1


def test_right_answers_go_on_wrong_ones_stay_and_the_score_counts_first_tries():
    state = answered(1, 2, 1, 3, 8, 5)
    assert (state.position, state.right, state.given) == (8, 2, 4)
    assert "At a the parts add up to 8. What goes to b? Type ∂f/∂b." in sentence(state)
    done = after(state, "show")
    assert sentence(done).endswith("5 gradients, 2 of them right at the first try.")
    assert asked(done) is None


def test_an_answer_where_nothing_is_asked_changes_nothing_but_the_words():
    state = begun()
    told = after(state, Event("answer", 1))
    assert (told.position, told.note) == (0, "watch")
    assert sentence(told).startswith("Nothing is asked at this moment.")


def test_a_word_is_no_try():
    state = answered("abc", math.nan, math.inf, "1/0", "")
    assert (state.tries, state.position) == (0, 4)
    assert sentence(state).startswith("There is no number in “”.")


@pytest.mark.parametrize(
    ("typed", "value"),
    [("−0.25", -0.25), ("-0,25", -0.25), (" 1/8 ", 0.125), ("2e-3", 0.002), (3, 3.0), (0.5, 0.5), ("−1/4", -0.25)],
)
def test_numbers_are_read_as_people_type_them(typed, value):
    assert as_number_typed(typed) == value


@pytest.mark.parametrize("typed", ["", "x", "1/0", "1/2/3", "nan", "inf", "__import__('os')", "1" * 400, None, [1]])
def test_what_is_no_number_is_none_and_nothing_is_evaluated(typed):
    assert math.isnan(as_number_typed(typed))


SHARES = [
    (name, share)
    for name in EXAMPLES
    for step in story_of(name).backward
    for share in step.shares
]  # fmt: skip


@pytest.mark.parametrize(("name", "share"), SHARES, ids=[f"{n}-{s.node.name}-{s.place}" for n, s in SHARES])
def test_each_mistake_is_named_wherever_it_can_be_told_from_the_truth_and_from_another(name, share):
    truth = share.outgoing.item()
    assert judge(share, truth, truth).right
    assert judge(share, truth * 1.004, truth).right, "two digits are enough"
    earlier: list[float] = []
    for mistake, (make, _) in MISTAKES.items():
        wrong = make(share)
        if math.isnan(wrong) or is_close(wrong, truth):
            continue
        verdict = judge(share, wrong, wrong)
        assert not verdict.right
        if not any(is_close(wrong, other) for other in earlier):
            assert verdict.mistake == mistake
        earlier.append(wrong)
    assert judge(share, truth + 1234.5, "x").mistake == ""


def test_every_mistake_is_recognised_in_some_example():
    found = set()
    for _, share in SHARES:
        for make, _ in MISTAKES.values():
            wrong = make(share)
            if not math.isnan(wrong):
                found.add(judge(share, wrong, wrong).mistake)
    assert set(MISTAKES) <= found


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_sentence_gives_the_answer_away_and_all_end_with_a_full_stop(name):
    state = begun(name, typed=True)
    while state.position < state.last:
        question = asked(state)
        if question is None:
            state = after(state, "step")
            continue
        said = sentence(state)
        assert said.endswith(".")
        wrong = after(state, Event("answer", 1234.5))
        assert sentence(wrong).startswith("Not yet. ")
        for words in ("just", "simply", "incorrect"):
            assert words not in sentence(wrong).split()
        state = after(state, Event("answer", question.share.outgoing.item()))
        assert sentence(state).startswith("Right: ")
    assert state.right == state.given == sum(m.share is not None for m in state.moments)


def test_an_array_is_shown_and_never_asked_for():
    w = tensor([1.0, 2.0], requires_grad=True, name="w")
    story = trace((w * 3.0).sum())
    state = first_state("yours", story, typed=True)
    for _ in range(state.last):
        assert asked(state) is None
        state = after(state, "step")
    assert state.position == state.last


def test_states_of_one_run_differ_in_what_is_shown():
    states = list(itertools.accumulate(["step"] * 9, after, initial=begun()))
    assert len({sentence(state) for state in states}) == 10
