"""The optimizer race as a widget: code and controls agree, a drag is live, the twin shows what was asked."""

import ast
from collections.abc import Iterator

import numpy as np
import pytest

from bplib.errors import BplibError, DomainError
from bplib.landscape import descend
from bplib.optim import Adam
from bplib.widgets.race.run import NAMES, PLACES
from bplib.widgets.race.state import PRESETS, Event
from bplib.widgets.race.view import OptimizerRace, optimizer_race


@pytest.fixture
def race() -> Iterator[OptimizerRace]:
    made = optimizer_race(name="tried")
    yield made
    made.close()


def _set(race: OptimizerRace, line: str) -> None:
    """What a line of code does that sets properties: ``race.a, race.b = 1, 2``."""
    (assigned,) = ast.parse(line).body
    assert isinstance(assigned, ast.Assign)
    (targets,) = assigned.targets
    names = [ast.unparse(one) for one in getattr(targets, "elts", [targets])]
    for name, value in zip(names, ast.literal_eval(assigned.value), strict=True):
        owner, _, attribute = name.partition(".")
        assert owner == "race"
        setattr(race, attribute, value)


def test_code_moves_the_controls(race: OptimizerRace) -> None:
    race.surface, race.budget, race.scale, race.step = "himmelblau", 9, 32, 7
    race.flush()
    assert (race._surface.value, race._budget.value, race._scale.value) == ("himmelblau", 9, 32.0)
    assert (race._slider.value, race._preset.value) == ("7", "your own")
    assert race.start == PLACES["himmelblau"].start
    race.start = (1, 1)
    race.flush()
    assert race._code.value == (
        'race.surface, race.budget, race.scale, race.start = "himmelblau", 9, 32, (1, 1)'
    )  # fmt: skip
    assert race.stage.scene["sentences"] == list(race._scene().sentences), "a start set in code is drawn too"
    race.scale = 8
    assert ("× 8", 8.0) in race._scale.options
    race.reset()
    race.flush()
    assert (race.surface, race.budget, race.scale, race.step) == ("bowl", 1, 1.0, 40)
    assert race._preset.value == "bowl, 1 trial"


def test_controls_change_what_code_reads(race: OptimizerRace) -> None:
    usual = race.rates
    assert usual == {"SGD": 1e-3, "momentum": 1e-3, "AdaGrad": 1e-2, "RMSProp": 1e-2, "Adam": 1e-3}
    race._budget.value, race._slider.index = 9, 100
    assert (race.budget, race.step) == (9, 100)
    for name in NAMES:
        best = min(race.trials[name], key=race.trials[name].__getitem__)
        assert race.rates[name] == best
        assert len(race.trials[name]) == 9
        assert race.losses[name][100] == pytest.approx(race.trials[name][best])
    race._scale.value = 32.0
    assert race.scale == 32
    assert race.rates["SGD"] == pytest.approx(0.0316, rel=1e-2), "the rates are those of × 1"
    race._surface.value = "rosenbrock"
    assert race.surface == "rosenbrock"
    race._preset.value = "beside a saddle, 9 trials"
    assert race.start == (3.4, 0.07)


@pytest.mark.parametrize("name", PRESETS)
def test_the_code_line_of_a_preset_does_the_same_from_wherever(race: OptimizerRace, name: str) -> None:
    race._preset.value = name
    wanted = race.state
    assert race._code.value == PRESETS[name].code
    race._apply(Event("surface", PRESETS[name].surface))
    race.start, race.budget, race.scale = (0.5, 0.5), 3, 1000
    race.set_rate("SGD", 1.0)
    _set(race, PRESETS[name].code)
    assert race.state == wanted
    race.flush()
    assert race._preset.value == name


def test_the_code_line_of_your_own_race_leads_back_to_it(race: OptimizerRace) -> None:
    race.surface, race.budget, race.start = "ravine", 3, (1.25, -0.5)
    race.set_rate("Adam", 0.3)
    race.set_rate("SGD", 0.01)
    race.flush()
    line, *calls = race._code.value.split("; ")
    assert calls == ['race.set_rate("SGD", 0.01)', 'race.set_rate("Adam", 0.3)']
    other = optimizer_race(name="in code")
    _set(other, line)
    other.set_rate("SGD", 0.01)
    other.set_rate("Adam", 0.3)
    assert other.state == race.state
    other.close()


def test_a_rate_of_your_own_undoes_what_the_scale_does_to_sgd(race: OptimizerRace) -> None:
    race.budget = 9
    before, adams = race.paths["SGD"], race.paths["Adam"]
    race.scale = 32
    assert np.abs(race.paths["SGD"][5]).max() > 100
    np.testing.assert_allclose(race.paths["Adam"], adams, atol=1e-5)
    race.set_rate("SGD", race.rates["SGD"] / 32)
    np.testing.assert_allclose(race.paths["SGD"], before, rtol=1e-9, atol=1e-12)
    race.set_rate("SGD", None)
    assert race.state.own == ()


def test_an_adam_with_a_tiny_rate_hardly_moves(race: OptimizerRace) -> None:
    race.start = (1.0, 1.0)
    race.set_rate("Adam", 1e-4)
    moved = race.paths["Adam"]
    wanted = descend(PLACES["bowl"].surface, lambda params: Adam(params, lr=1e-4), (1.0, 1.0), 100).points
    np.testing.assert_allclose(moved, wanted, rtol=1e-9)
    assert np.linalg.norm(moved[0]) - np.linalg.norm(moved[100]) < 0.015


def test_what_is_read_is_a_copy(race: OptimizerRace) -> None:
    for read in ("losses", "paths", "effective_steps"):
        getattr(race, read)["SGD"][:] = -1
        assert not (getattr(race, read)["SGD"] == -1).any()
    race.rates["SGD"] = 5.0
    race.trials["SGD"].clear()
    assert race.rates["SGD"] == 1e-3
    assert len(race.trials["SGD"]) == 1
    np.testing.assert_allclose(race.effective_steps["SGD"], [1e-3, 1e-3])
    assert race.losses["Adam"].shape == (101,)


def test_dragging_the_start_shows_all_paths_at_once_and_the_table_later(race: OptimizerRace) -> None:
    race.budget = 9
    race.flush()
    table, code = race.stage.scene, race._code.value
    race.stage.pointer = {"n": 1, "mark": "start", "x": 1.0, "y": 0.504, "phase": "move"}
    race._redraw.flush()
    assert race.start == (1.0, 0.5)
    assert race._code.value == code, "what stands beside the picture waits until the hand rests"
    assert race.stage.scene is table
    live = race.stage.moved
    for name in NAMES:
        np.testing.assert_allclose(live[f"path {name}"][:2], [1.0, 0.5])
        np.testing.assert_allclose(live[f"path {name}"][-2:], race.paths[name][race.step], rtol=1e-6, atol=1e-30)
        np.testing.assert_allclose(live[f"rate {name}"][0], race.rates[name], rtol=1e-6)
    assert race.stage.live["sentence"] == race.sentence
    race.flush()
    assert race.stage.live == {}
    assert race.stage.scene["sentences"][race.step] == race.sentence
    assert "(1, 0.5)" in race._code.value


def test_the_static_twin_shows_the_loss_times_32_below_its_question_and_the_live_race_does_not() -> None:
    race = optimizer_race(question="Multiply the loss by 32. Which paths change?", name="twin")
    twin = repr(race.picture())
    assert twin.startswith("Multiply the loss by 32. Which paths change? Five optimizers on the surface bowl, the loss")
    assert "a new path for SGD and momentum, the old one for AdaGrad, RMSProp and Adam." in twin
    assert race.scale == 1
    assert "×" not in race.sentence
    race.scale = 1000
    assert "Loss × 1000" in repr(race.picture())
    race.close()
    plain = optimizer_race(name="twin")
    assert "×" not in repr(plain.picture())
    plain.close()


def test_what_is_refused_changes_nothing(race: OptimizerRace) -> None:
    before = race.state
    for setting, wrong in (("surface", "hill"), ("budget", 2), ("scale", 0), ("step", 101), ("start", (9, 9))):
        with pytest.raises(BplibError):
            setattr(race, setting, wrong)
    with pytest.raises(DomainError, match='Expected one of "SGD"'):
        race.set_rate("adam", 0.1)
    assert race.state == before
    with pytest.raises(DomainError, match="budget"):
        optimizer_race(budget=5, name="never made")
