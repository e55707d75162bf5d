"""Bad input at every door of the optimizers and schedules: a documented answer, or an error in our own words."""

import inspect
import itertools
import math

import numpy as np
import pytest

from bplib import losses, nn, optim, replay, tensor
from tests.contract.refusals import LAWS, VALUES, column, outcome

MOMENTS = {"lr": "at least 0", "betas": "other", "eps": "at least 0", "weight_decay": "at least 0"}
FLAGS = {"amsgrad": "truth", "bias_correction": "truth"}
METHODS = {
    "SGD": {"lr": "at least 0", "momentum": "share", "nesterov": "truth", "weight_decay": "at least 0"},
    "AdaGrad": {"lr": "at least 0", "eps": "at least 0"},
    "RMSProp": {"lr": "at least 0", "alpha": "share", "eps": "at least 0", "momentum": "share"},
    "AdaDelta": {"lr": "at least 0", "rho": "share", "eps": "at least 0"},
    "Adam": {**MOMENTS, **FLAGS},
    "AdamW": {**MOMENTS, **FLAGS},
    "NAdam": {**MOMENTS, "momentum_decay": "at least 0"},
}
COURSES = {
    "StepLR": {"step_size": "counted", "gamma": "at least 0"},
    "ExponentialLR": {"gamma": "at least 0"},
    "CosineAnnealingLR": {"T_max": "counted", "eta_min": "at least 0"},
    "InverseSqrtLR": {"warmup": "counted"},
    "LinearWarmup": {"steps": "counted"},
    "OneCycleLR": {"max_lr": "at least 0", "total_steps": "counted", "pct_start": "share"},
    "LambdaLR": {"f": "other"},
    "ReduceLROnPlateau": {
        "factor": "share", "patience": "counted or 0", "min_lr": "at least 0", "threshold": "share"
    },
}  # fmt: skip
USUAL = {
    "StepLR": {"step_size": 3},
    "ExponentialLR": {"gamma": 0.5},
    "CosineAnnealingLR": {"T_max": 5},
    "InverseSqrtLR": {"warmup": 3},
    "LinearWarmup": {"steps": 3},
    "OneCycleLR": {"max_lr": 1.0, "total_steps": 10},
    "LambdaLR": {"f": lambda t: 0.5},
    "ReduceLROnPlateau": {},
}


def learner():
    return tensor([1.0, 2.0], requires_grad=True)


def descent():
    return optim.SGD([learner()], lr=0.1, momentum=0.9)


def method(name, **settings):
    return getattr(optim, name)([learner()], **{"lr": 0.1, **settings})


def course(name, **settings):
    return getattr(optim, name)(descent(), **{**USUAL[name], **settings})


def cases(table):
    return [(name, setting, law) for name, settings in table.items() for setting, law in settings.items()]


def test_no_optimizer_no_schedule_and_no_setting_is_left_out():
    public = {n: getattr(optim, n) for n in optim.__all__ if isinstance(getattr(optim, n), type)}
    assert set(METHODS) | set(COURSES) == set(public) - {"Optimizer", "Schedule"}
    for name, settings in itertools.chain(METHODS.items(), COURSES.items()):
        assert list(settings) == list(inspect.signature(public[name]).parameters)[1:], name
    assert {len(row) for row in LAWS.values()} == {len(VALUES)} == {16}


@pytest.mark.parametrize(("name", "setting", "law"), cases(METHODS))
def test_a_setting_of_an_optimizer_is_taken_or_refused_by_name(name, setting, law):
    given = {"momentum": 0.9} if setting == "nesterov" else {}

    def act(value):
        optimizer = method(name, **given, **{setting: value})
        assert optimizer.param_groups[0][setting] is value

    assert column(act, f"{name}: {setting}") == LAWS[law]


@pytest.mark.parametrize(("name", "setting", "law"), cases(METHODS))
def test_a_setting_of_a_group_is_taken_or_refused_as_that_of_all(name, setting, law):
    given = {"momentum": 0.9} if setting == "nesterov" else {}

    def act(value):
        getattr(optim, name)([{"params": [learner()], **given, setting: value}, {"params": [learner()]}], lr=0.1)

    assert column(act, f"{name}: {setting}") == LAWS[law]


@pytest.mark.parametrize("name", [n for n, settings in METHODS.items() if "betas" in settings])
def test_each_of_the_two_betas_is_taken_or_refused(name):
    for i in (0, 1):

        def act(value, i=i):
            method(name, betas=(value, 0.9) if i == 0 else (0.9, value))

        assert column(act, f"{name}: betas[{i}]") == LAWS["share"]
    for betas in ((), (0.9,), (0.9, 0.9, 0.9), "ab", {0.9, 0.8}, np.array([0.9, 0.8])):
        assert outcome(lambda betas=betas: method(name, betas=betas), f"{name}: betas is ", "two numbers") == "Da"
    assert outcome(lambda: method(name, betas=[0.9, 0.8])) == "."


ONE = learner()
PARAMS = [
    ("None", None, "Da", "params is of type NoneType"),
    ("a number", 3, "Da", "params is of type int"),
    ("a model", nn.Linear(1, 1, rng=0), "Da", "Pass model.parameters()"),
    ("one tensor", ONE, "Da", "params is one tensor. Expected a list of them"),
    ("a dict", {"params": [ONE]}, "Da", "params is of type dict"),
    ("nothing", [], "Da", "there is nothing to update"),
    ("a used-up generator", (p for p in ()), "Da", "there is nothing to update"),
    ("text", "weights", "Da", "expected tensors to update, got str"),
    ("no text", "", "Da", "there is nothing to update"),
    ("floats", [1.0, 2.0], "Da", "expected tensors to update, got float"),
    ("a float among tensors", [ONE, 1.0], "Da", "got float"),
    ("None in it", [None], "Da", "got NoneType"),
    ("an array", np.ones(2), "Da", "got float64"),
    ("a list in a list", [[ONE]], "Da", "got list"),
    ("the same twice", [ONE, ONE], "Do", "one parameter stands twice in params"),
    ("the same in two groups", [{"params": [ONE]}, {"params": [ONE]}], "Do", "stands twice"),
    ("a result", [ONE * 2.0], "Da", "is the result of 'multiply'"),
    ("constants only", [tensor(1.0)], "Da", "no parameter here asks for a gradient"),
    ("a group without params", [{"lr": 0.1}], "Da", "there is nothing to update"),
    ("an empty group", [{"params": []}], "Da", "there is nothing to update"),
    ("a group of a number", [{"params": 3}], "Da", "params is of type int"),
    ("a group of a tensor", [{"params": ONE}], "Da", "params is one tensor"),
    ("a tensor, then a group", [ONE, {"params": [ONE]}], "Da", "got dict"),
    ("a group, then a tensor", [{"params": [ONE]}, ONE], "Da", "a group is of type Tensor"),
    ("an unknown setting", [{"params": [ONE], "momentun": 1}], "Do", "a group has the setting 'momentun'"),
    ("settings of two types", [{"params": [ONE], 1: 2, "x": 3}], "Do", "a group has the setting 1"),
    ("a constant beside a learner", [ONE, tensor(1.0)], ".", ""),
    ("a generator", "generator", ".", ""),
    ("a tuple", (ONE,), ".", ""),
]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("params", "wanted", "said"), [row[1:] for row in PARAMS], ids=[row[0] for row in PARAMS])
def test_what_is_no_list_of_parameters_is_refused(name, params, wanted, said):
    given = iter([ONE]) if isinstance(params, str) and params == "generator" else params
    who = "" if wanted == "." else f"{name}: "
    assert outcome(lambda: getattr(optim, name)(given, lr=0.1), who, said) == wanted


# ---------------------------------------------------------------- step, and the state


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("replayed", [False, True], ids=["plain", "replayed"])
def test_a_rate_that_was_changed_by_hand_is_checked_before_the_step(name, replayed):
    cells = []
    for value in VALUES.values():
        model = nn.Linear(1, 1, rng=0)
        optimizer = getattr(optim, name)(model.parameters(), lr=0.1)

        def step(model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = losses.mse(model([[1.0]]), [[2.0]])
            loss.backward()
            optimizer.step()
            return loss

        run = replay(step) if replayed else step
        run()
        optimizer.param_groups[0]["lr"] = value
        before = model.theta.copy()
        cells.append(outcome(run, f"{name}: lr is "))
        assert cells[-1] == "." or (model.theta == before).all()
    assert cells == LAWS["at least 0"]


BY_HAND = [
    (name, setting, value) for name, setting, law in cases(METHODS) for value in ("0.9", None) if setting != "lr"
]


@pytest.mark.parametrize(("name", "setting", "value"), BY_HAND)
def test_another_setting_that_was_changed_by_hand_to_no_number_is_named(name, setting, value):
    w = learner()
    optimizer = getattr(optim, name)([w], lr=0.1, **({"momentum": 0.5} if setting == "momentum" else {}))
    w.grad = [1.0, 1.0]
    optimizer.step()
    before = w.data.copy()
    optimizer.param_groups[0][setting] = value
    assert outcome(optimizer.step, f"{name}: {setting} is {value!r}") == "Da"
    assert (w.data == before).all()


GROUPS_BY_HAND = {
    "another group": (lambda groups: groups.append({"params": [learner()], "lr": 1.0}), "has 2 groups now, and had 1"),
    "no group": (lambda groups: groups.clear(), "has 0 groups now, and had 1"),
    "other parameters": (lambda groups: groups[0].update(params=(learner(),)), "the parameters of a group are others"),
    "a parameter more": (
        lambda groups: groups[0].update(params=(*groups[0]["params"], learner())),
        "the parameters of a group are others",
    ),
    "a setting less": (lambda groups: groups[0].pop("lr"), "Put back into param_groups what is missing"),
    "an unknown setting": (lambda groups: groups[0].update(rate=0.1), "take out what is not known"),
    "an array": (lambda groups: groups[0].update(lr=np.array([0.1, 0.2])), "lr is "),
    "another group with an array": (
        lambda groups: groups.__setitem__(0, {**groups[0], "lr": np.array([0.1, 0.2])}),
        "lr is ",
    ),
    "another group with a tensor of the same value": (
        lambda groups: groups.__setitem__(0, {**groups[0], "lr": tensor(0.1)}),
        "lr is ",
    ),
    "a tensor of the same value": (lambda groups: groups[0].update(lr=tensor(0.1)), "lr is "),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(("change", "words"), GROUPS_BY_HAND.values(), ids=GROUPS_BY_HAND)
def test_groups_that_were_changed_by_hand_are_named_before_anything_moves(name, change, words):
    w = learner()
    optimizer = getattr(optim, name)([w], lr=0.1)
    w.grad = [1.0, 1.0]
    optimizer.step()
    before = w.data.copy()
    change(optimizer.param_groups)
    assert outcome(optimizer.step, f"{name}: ", words) == "Da"
    assert (w.data == before).all()


def broken_states(name):
    def made(**settings):
        optimizer = method(name, **settings)
        for p in optimizer.param_groups[0]["params"]:
            p.grad = [1.0, 1.0]
        optimizer.step()
        return optimizer

    state = made().state_dict()
    groups, kept = state["groups"], state["state"]
    other = "Adam" if name != "Adam" else "AdaGrad"
    yield None, "Da", "the saved state is of type NoneType"
    yield "state", "Da", "the saved state is of type str"
    yield [state], "Da", "the saved state is of type list"
    yield {}, "Sh", "the saved state does not fit"
    yield method(other).state_dict(), "Sh", f"got {other}"
    yield {**state, "state": []}, "Sh", "Expected " + name
    yield {**state, "state": [{**kept[0], "shapes": [(3,)]}]}, "Sh", "over [[(3,)]]"
    yield {**state, "groups": []}, "Sh", "has 0 groups"
    yield {**state, "groups": groups * 2}, "Sh", "has 2 groups"
    yield {**state, "groups": [{**groups[0], "lr": -1.0}]}, "Do", "lr is -1.0"
    yield {**state, "groups": [{**groups[0], "lr": "0.1"}]}, "Da", "lr is '0.1'"
    for part in (3, None, [3], "state"):
        yield {**state, "state": part}, "Da", "parts that are missing"
        yield {**state, "groups": part}, "Da", "parts that are missing"
        yield {**state, "state": [{**kept[0], "arrays": part}]}, "Da", "parts that are missing"
    for counts in (3, None, [], [1, 2], ["a"], [-1], [True], [1.0]):
        yield {**state, "state": [{**kept[0], "counts": counts}]}, "Da", f"the saved counts are {counts!r}"
    yield {**state, "groups": [{**groups[0], "speed": 1.0}]}, "Do", "a saved group has the setting 'speed'"
    for average in kept[0]["arrays"]:
        arrays = {other: values for other, values in kept[0]["arrays"].items() if other != average}
        yield {**state, "state": [{**kept[0], "arrays": arrays}]}, "Da", f"the saved state lacks {average}"
        arrays = {**kept[0]["arrays"], average: np.zeros(3)}
        yield {**state, "state": [{**kept[0], "arrays": arrays}]}, "Sh", f"the saved {average} has shape (3,)"
        arrays = {**kept[0]["arrays"], average: ["a", "b"]}
        yield {**state, "state": [{**kept[0], "arrays": arrays}]}, "Da", f"the saved {average} holds text"


@pytest.mark.parametrize("name", METHODS)
def test_a_saved_state_of_something_else_is_refused_and_changes_nothing(name):
    for state, wanted, said in broken_states(name):
        optimizer = method(name)
        before = repr(optimizer), repr(optimizer.state_dict())
        assert outcome(lambda o=optimizer, s=state: o.load_state_dict(s), f"{name}: ", said) == wanted
        assert (repr(optimizer), repr(optimizer.state_dict())) == before


# ---------------------------------------------------------------- schedules


@pytest.mark.parametrize(("name", "setting", "law"), cases(COURSES))
def test_a_setting_of_a_schedule_is_taken_or_refused_by_name(name, setting, law):
    # The rise of OneCycleLR takes more than one step.
    given = {"total_steps": {"pct_start": 0.9}, "pct_start": {"total_steps": 1000}}.get(setting, {})

    def act(value):
        assert getattr(course(name, **given, **{setting: value}), setting) == value

    cells, wanted = column(act, f"{name}: {setting}"), LAWS[law]
    if setting == "pct_start":  # no rise at all is refused with the reason, in words of its own
        nothing = list(VALUES).index("0")
        cells[nothing] = outcome(
            lambda: act(0), "OneCycleLR: the rise takes pct_start * total_steps = 0 steps. Expected"
        )
        wanted = [*wanted[:nothing], "Do", *wanted[nothing + 1 :]]
    assert cells == wanted


@pytest.mark.parametrize("name", COURSES)
def test_a_schedule_over_something_else_is_refused(name):
    for given, said in ((None, "NoneType"), ("SGD", "str"), (optim.SGD, "ABCMeta"), ([learner()], "list"),
                        (course("StepLR"), "StepLR")):  # fmt: skip
        act = f"{name}: optimizer is of type {said}. Expected one"
        assert outcome(lambda given=given: getattr(optim, name)(given, **USUAL[name]), act) == "Da"


@pytest.mark.parametrize("name", [n for n in COURSES if n != "ReduceLROnPlateau"])
def test_a_schedule_begins_at_no_rate_that_was_changed_by_hand_to_what_is_none(name):
    cells = []
    for value in VALUES.values():
        optimizer = descent()
        optimizer.param_groups[0]["lr"] = value
        cells.append(outcome(lambda o=optimizer: getattr(optim, name)(o, **USUAL[name]), f"{name}: lr is "))
    assert cells == LAWS["at least 0"]


@pytest.mark.parametrize("name", [n for n in COURSES if n != "ReduceLROnPlateau"])
def test_the_number_of_rates_is_taken_or_refused(name):
    assert column(lambda n: course(name).rates(n), f"{name}.rates: n") == LAWS["counted"]
    assert outcome(lambda: course(name).rates(10**12), f"{name}.rates: n is more than 10,000,000. Expected") == "Do"


LONG = [(n, s) for n, s, law in cases(COURSES) if law.startswith("counted")]


@pytest.mark.parametrize(("name", "setting"), LONG)
def test_more_steps_than_a_float_can_count_are_refused(name, setting):
    for n in (10**16, 10**400, 10**5000):
        said = f"{name}: {setting} is more than 1,000,000,000,000,000. Expected at most"
        assert outcome(lambda n=n: course(name, **{setting: n}), said) == "Do"
    assert outcome(lambda: course(name, **{setting: 10**15})) == "."


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(math.nan, "Do"), (math.inf, "Do"), (-1.0, "Do"), ("1", "Da"), (None, "Da"), (1j, "Da"), (True, "Da"),
     ([0.1], "Da"), (np.array(0.5), "Da"), (0, "."), (2, "."), (np.float32(0.5), ".")],
)  # fmt: skip
def test_what_a_function_of_the_steps_gives_is_taken_or_refused(value, wanted):
    said = [] if wanted == "." else ["LambdaLR: f(0) is ", "Expected"]
    assert outcome(lambda: course("LambdaLR", f=lambda t: value), *said) == wanted


@pytest.mark.parametrize("name", ["StepLR", "ExponentialLR"])
def test_a_rate_that_outgrows_every_number_is_refused(name):
    options = {"StepLR": {"step_size": 1, "gamma": 1e200}, "ExponentialLR": {"gamma": 1e200}}[name]
    said = [f"{name}(", "gamma=1e+200): the rate after 2 steps is not finite. Expected a number. Try a smaller factor"]
    schedule = course(name, **options)
    assert outcome(lambda: schedule.rates(5), *said) == "Do"
    schedule.step()
    assert outcome(schedule.step, *said) == "Do"
    assert schedule.lr == [pytest.approx(1e199)]
    # Here the power is a number, and only its product with the rate is not.
    schedule = getattr(optim, name)(optim.SGD([learner()], lr=1e200), **options)
    assert outcome(schedule.step, "the rate after 1 steps is not finite") == "Do"


# In the order of VALUES: NaN counts as not smaller and infinity is a loss too, and a tensor of one number is one.
SEEN = ". . . . . . . . Da Da Da Da . Da Da .".split()


def test_the_loss_that_a_plateau_sees_is_taken_or_refused():
    cells = []
    for value in VALUES.values():
        schedule = course("ReduceLROnPlateau", patience=0)
        before = schedule.state_dict()
        cells.append(outcome(lambda value=value, s=schedule: s.step(value), *["ReduceLROnPlateau: loss"]))
        assert cells[-1] == "." or schedule.state_dict() == before
    assert cells == SEEN
    for loss in (math.nan, math.inf):
        schedule = course("ReduceLROnPlateau", patience=0)
        schedule.step(loss)
        assert (schedule.best, schedule.lr) == (math.inf, [pytest.approx(0.01)])
    for loss in (10**400, [[1.0], [1.0, 2.0]], b"1", np.array([])):
        act = outcome(lambda loss=loss: course("ReduceLROnPlateau").step(loss), "ReduceLROnPlateau: loss ", "xpected")
        assert act == "Da"


BROKEN = [
    (None, "Da", "the saved state is None"), ("x", "Da", "the saved state is 'x'"), ([], "Da", "the saved state is []"),
    ({}, "Da", "has 0 groups, the optimizer has 1"), ({"rates": [0.1, 0.2]}, "Da", "has 2 groups"),
    ({"rates": None}, "Da", "the saved state is {"), ({"rates": ["x"]}, "Da", "[0] is 'x'"),
    ({"rates": [-1.0]}, "Do", "[0] is -1.0"), ({"rates": [math.nan]}, "Do", "[0] is nan"),
    ({"rates": [0.1]}, "Da", " is None"), ({"rates": [0.1], "count": "x"}, "Da", " is 'x'"),
    ({"rates": [0.1], "count": 2.5}, "Da", " is 2.5"), ({"rates": [0.1], "count": -3}, "Do", " is -3"),
]  # fmt: skip


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize(("state", "wanted", "said"), BROKEN)
def test_a_saved_state_of_another_schedule_is_refused_and_changes_nothing(name, state, wanted, said):
    plateau = name == "ReduceLROnPlateau"
    words = {"rates": "lr" if plateau else "base_rates", "count": "bad" if plateau else "t"}
    if isinstance(state, dict):
        state = {**({"best": 1.0} if plateau else {}), **{words[k]: v for k, v in state.items()}}
    schedule = course(name)
    before = schedule.state_dict(), schedule.lr
    assert outcome(lambda: schedule.load_state_dict(state), name, said) == wanted
    assert (schedule.state_dict(), schedule.lr) == before
