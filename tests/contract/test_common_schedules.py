"""What every schedule promises: one row each with its options, and all checks are made from the rows."""

import copy
import functools
import inspect
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import bplib
from bplib import optim, tensor
from bplib.errors import DataError

LOSSES = [3.0, 2.0, 2.5, 2.5, math.nan, 2.5, 1.0, 1.5, 1.5, 1.5, 1.5, 0.5]


@dataclass(frozen=True)
class Course:
    """One schedule with its options; `paper` says whether there is a source that it comes from."""

    make: Callable[[Any], Any]
    shown: str
    sees_losses: bool = False
    paper: bool = True


COURSES = {
    "StepLR": Course(lambda o: optim.StepLR(o, 3), "StepLR(step_size=3, gamma=0.1)"),
    "ExponentialLR": Course(lambda o: optim.ExponentialLR(o, 0.9), "ExponentialLR(gamma=0.9)"),
    "CosineAnnealingLR": Course(
        lambda o: optim.CosineAnnealingLR(o, 7, 0.01), "CosineAnnealingLR(T_max=7, eta_min=0.01)"
    ),
    "InverseSqrtLR": Course(lambda o: optim.InverseSqrtLR(o, 4), "InverseSqrtLR(warmup=4)"),
    "LinearWarmup": Course(lambda o: optim.LinearWarmup(o, 5), "LinearWarmup(steps=5)"),
    "OneCycleLR": Course(
        lambda o: optim.OneCycleLR(o, 0.5, 20), "OneCycleLR(max_lr=0.5, total_steps=20, pct_start=0.3)"
    ),
    "LambdaLR": Course(
        lambda o: optim.LambdaLR(o, functools.partial(pow, 0.5)), "LambdaLR(f=partial)", paper=False
    ),
    "ReduceLROnPlateau": Course(
        lambda o: optim.ReduceLROnPlateau(o, factor=0.5, patience=1, min_lr=0.01),
        "ReduceLROnPlateau(factor=0.5, patience=1, min_lr=0.01, threshold=0.0001)", sees_losses=True,
    ),
}  # fmt: skip
every_course = pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)


def descent(*rates: float) -> optim.SGD:
    """An optimizer with one group for each rate."""
    groups = [{"params": [tensor([1.0, 2.0], requires_grad=True)], "lr": rate} for rate in rates or (0.1,)]
    return optim.SGD(groups, lr=1.0, momentum=0.9)


def advance(course: Course, schedule: Any, steps: int, start: int = 0) -> list[list[float]]:
    rates = []
    for step in range(start, start + steps):
        schedule.step(*([LOSSES[step % len(LOSSES)]] if course.sees_losses else []))
        rates.append(schedule.lr)
    return rates


def test_the_table_has_every_schedule():
    found = {n: getattr(optim, n) for n in optim.__all__ if isinstance(getattr(optim, n), type)}
    kinds = {n for n, kind in found.items() if hasattr(kind, "step") and not issubclass(kind, optim.Optimizer)}
    assert set(COURSES) == kinds - {"Schedule"}
    assert len(COURSES) == 8


@every_course
def test_it_is_made_with_defaults_and_its_repr_has_no_address(course):
    optimizer = descent()
    schedule = course.make(optimizer)
    assert repr(schedule) == course.shown
    assert schedule.optimizer is optimizer
    names = list(inspect.signature(type(schedule)).parameters)
    assert names[0] == "optimizer"
    assert [name for name in names[1:] if f"{name}=" not in course.shown] == []
    advance(course, schedule, 5)
    assert repr(schedule) == course.shown


@every_course
def test_the_rates_foreseen_are_the_rates_stepped_to_and_looking_changes_nothing(course):
    optimizer = descent(0.2, 0.1)
    schedule = course.make(optimizer)
    if course.sees_losses:
        assert not hasattr(schedule, "rates"), "what depends on the losses cannot be foreseen"
        return
    first, state = schedule.lr[0], schedule.state_dict()
    foreseen = schedule.rates(300)
    assert (foreseen.shape, foreseen.dtype) == ((300,), np.float64)
    assert (schedule.state_dict(), schedule.lr[0]) == (state, first)
    stepped = [first, *(rates[0] for rates in advance(course, schedule, 299))]
    np.testing.assert_array_equal(foreseen, stepped)
    np.testing.assert_array_equal(schedule.rates(300), foreseen)
    assert len(set(stepped)) > 1


@every_course
@pytest.mark.parametrize("rate", [0.0, 1e-300, 0.1, 1e300])
def test_no_rate_is_ever_negative_or_infinite(course, rate):
    found = np.array(advance(course, course.make(descent(rate)), 400))
    assert np.isfinite(found).all()
    assert found.min() >= 0


@every_course
def test_each_group_goes_as_it_would_alone(course):
    together = advance(course, course.make(descent(0.2, 0.1)), 40)
    alone = [advance(course, course.make(descent(rate)), 40) for rate in (0.2, 0.1)]
    assert together == [[a[0], b[0]] for a, b in zip(*alone, strict=True)]


@every_course
def test_only_the_rates_change_and_no_global_generator_is_touched(course):
    optimizer = descent()
    w = optimizer.param_groups[0]["params"][0]
    w.grad = [1.0, -1.0]
    optimizer.step()
    generators = random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002
    values, gradient, velocity = (a.tobytes() for a in (w.data, w.grad, arrays_of(optimizer)["velocity"]))
    settings = {k: v for k, v in optimizer.param_groups[0].items() if k != "lr"}
    advance(course, course.make(optimizer), 20)
    assert (w.data.tobytes(), w.grad.tobytes(), arrays_of(optimizer)["velocity"].tobytes()) == (
        values, gradient, velocity
    )  # fmt: skip
    assert {k: v for k, v in optimizer.param_groups[0].items() if k != "lr"} == settings
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == generators  # noqa: NPY002


def arrays_of(optimizer: Any) -> dict[str, np.ndarray]:
    return optimizer.state_dict()["state"][0]["arrays"]


@every_course
@pytest.mark.parametrize("before", [0, 1, 3, 5, 30])
def test_a_saved_state_comes_back_through_json_and_the_next_five_rates_are_the_same(course, before):
    schedule, other = course.make(descent(0.2, 0.1)), course.make(descent(0.3, 0.4))
    advance(course, schedule, before)
    kept = schedule.state_dict()
    saved = json.dumps(kept)
    for _ in range(2):  # loading twice is loading once
        other.load_state_dict(json.loads(saved))
        assert json.dumps(other.state_dict()) == saved
        assert other.lr == schedule.lr
    assert advance(course, other, 5, start=before) == advance(course, schedule, 5, start=before)
    assert json.dumps(kept) == saved


@every_course
def test_the_first_state_resets_it_and_a_new_one_begins_at_the_present_rates(course):
    optimizer = descent()
    schedule = course.make(optimizer)
    begin = schedule.state_dict()
    first = advance(course, schedule, 25)
    schedule.load_state_dict(begin)
    assert advance(course, schedule, 25) == first
    optimizer.param_groups[0]["lr"] = 0.7
    fresh = course.make(optimizer)
    assert advance(course, fresh, 25) == advance(course, course.make(descent(0.7)), 25)


@every_course
def test_a_deep_copy_is_equal_and_independent_and_two_share_nothing(course):
    schedule = course.make(descent())
    advance(course, schedule, 3)
    twin = copy.deepcopy(schedule)
    assert twin.optimizer is not schedule.optimizer
    assert (twin.state_dict(), twin.lr) == (schedule.state_dict(), schedule.lr)
    before = schedule.state_dict(), schedule.lr
    path = advance(course, twin, 9, start=3)
    assert (schedule.state_dict(), schedule.lr) == before
    assert advance(course, schedule, 9, start=3) == path
    one, other = course.make(descent()), course.make(descent())
    untouched = other.state_dict(), other.lr
    advance(course, one, 30)
    assert (other.state_dict(), other.lr) == untouched
    assert one.lr != other.lr


def sections_of(kind: type) -> dict[str, str]:
    """The sections of a docstring by their headings."""
    parts = re.split(r"^(\w+)\n-{3,}$", inspect.getdoc(kind) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@every_course
def test_its_words_have_every_section_and_its_source_can_be_cited(course):
    kind = type(course.make(descent()))
    sections = sections_of(kind)
    assert list(sections) == ["Parameters", "Raises", *["References"] * course.paper, "Examples"]
    assert ">>> " in sections["Examples"]
    if course.paper:
        assert re.search(r"\((19|20)\d\d\)", bplib.cite(kind))
    else:
        with pytest.raises(DataError, match=f"cite: {kind.__name__} names no source"):
            bplib.cite(kind)


@every_course
def test_its_words_name_every_parameter_with_its_type_and_the_errors_that_come(course):
    kind = type(course.make(descent()))
    sections = sections_of(kind)
    told = re.findall(r"^(\w+) : \w+", sections["Parameters"], re.MULTILINE)
    assert told == list(inspect.signature(kind).parameters)
    assert re.findall(r"^(\w+)$", sections["Raises"], re.MULTILINE) == ["DataError", "DomainError"]


def test_the_words_of_the_base_have_every_section_but_a_source():
    assert list(sections_of(optim.Schedule)) == ["Parameters", "Attributes", "Raises", "Examples"]
