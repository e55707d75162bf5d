"""The momentum plane's state: every event gives a new state, refuses in words, or stops at the edge."""

import math

import numpy as np
import pytest

from bplib.errors import BplibError, DataError, DomainError
from bplib.widgets.momentum.descent import best_momentum, regime, spectral_radius
from bplib.widgets.momentum.noise import SIZES, best_weights
from bplib.widgets.momentum.state import BETAS, NOISE_PRESETS, PRESETS, Event, State, first_state, reduce

FIRST = State()


def test_each_preset_does_what_its_name_says() -> None:
    names = ("over-damped", "critical", "under-damped", "the limit", "diverging")
    found = [regime(PRESETS[name].eta_lambda, PRESETS[name].beta) for name in names]
    assert found == ["over-damped", "critical", "under-damped", "limit", "diverges"]
    assert len({PRESETS[name].eta_lambda for name in names[:3]}) == 1, "the damping changes, the step does not"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_goes_to_its_point_and_is_found_there(name: str) -> None:
    state = reduce(reduce(FIRST, Event("show", "noise")), Event("preset", name))
    assert (state.condition_number, state.eta_lambda, state.beta) == PRESETS[name][:3]
    assert (state.preset, state.show) == (name, "plane")
    assert state.betas[state.position] == state.beta


@pytest.mark.parametrize("name", NOISE_PRESETS)
def test_a_preset_of_the_noise_goes_to_its_batch_and_place(name: str) -> None:
    state = reduce(FIRST, Event("preset", name))
    assert (state.preset, state.show, state.batch_size) == (name, "noise", NOISE_PRESETS[name].batch_size)
    assert (state.weights == best_weights()) == ("at the minimum" in name)


def test_the_two_best_presets_are_those_of_the_formulas() -> None:
    plain, momentum = (reduce(FIRST, Event("preset", f"κ = 100, best {kind}")) for kind in ("plain", "momentum"))
    assert (plain.lr, plain.beta) == (pytest.approx(2 / 101), 0.0)
    assert momentum.lr == pytest.approx(0.033058, abs=5e-7)
    assert momentum.beta == pytest.approx(0.669421, abs=5e-7)
    for state, rate in ((plain, 0.980198), (momentum, 0.818182)):
        radii = spectral_radius([state.lr, state.eta_lambda], state.beta)
        np.testing.assert_allclose(radii, rate, atol=1e-6)


def test_the_slider_means_the_momentum_on_the_plane_and_the_batch_size_in_the_noise() -> None:
    assert [reduce(FIRST, Event("position", k)).beta for k in range(len(BETAS))] == list(BETAS)
    noise = reduce(FIRST, Event("show", "noise"))
    found = [reduce(noise, Event("position", k)) for k in range(len(SIZES))]
    assert [state.batch_size for state in found] == list(SIZES)
    assert [state.position for state in found] == list(range(len(SIZES)))


def test_a_momentum_of_ones_own_is_added_to_the_slider_and_the_next_one_takes_its_place() -> None:
    own = reduce(FIRST, Event("beta", best_momentum(10).beta))
    assert own.betas == tuple(sorted({*BETAS, own.beta}))
    assert own.betas[own.position] == own.beta
    assert reduce(own, Event("position", 0)).betas == own.betas, "the places must not move below the finger"
    assert reduce(own, Event("beta", 0.1 + 0.2)).beta == 0.3
    assert 0.123 not in reduce(reduce(own, Event("beta", 0.123)), Event("beta", 0.456)).betas


def test_the_rate_and_eta_lambda_are_one_thing() -> None:
    narrow = reduce(FIRST, Event("condition", 100))
    assert (narrow.eta_lambda, narrow.lr) == (FIRST.eta_lambda, FIRST.eta_lambda / 100)
    assert reduce(narrow, Event("lr", 0.02)).eta_lambda == pytest.approx(2.0)
    assert reduce(reduce(FIRST, Event("condition", 1000)), Event("lr", 0.004)).eta_lambda == 4.0


def test_what_is_set_comes_to_the_front() -> None:
    noise = reduce(FIRST, Event("show", "noise"))
    for event in (Event("lr", 0.1), Event("eta_lambda", 1), Event("beta", 0.5), Event("condition", 10)):
        assert reduce(noise, event).show == "plane"
    for event in (Event("batch", 4), Event("weights", (1, 1)), Event("draw")):
        assert reduce(FIRST, event).show == "noise"


def test_a_drag_stops_at_the_edge_of_its_picture() -> None:
    far = reduce(FIRST, Event("drag", ("point", 9.0, -1e300)))
    assert (far.eta_lambda, far.beta) == (4.0, 0.0)
    near = reduce(FIRST, Event("drag", ("point", 1.23456, 0.98765)))
    assert (near.eta_lambda, near.beta, near.betas) == (1.23, 0.99, BETAS)
    assert reduce(FIRST, Event("drag", ("weights", -9.0, 2.345678))).weights == (0.0, 2.35)


def test_an_event_leaves_the_state_before_it_alone() -> None:
    reduce(FIRST, Event("drag", ("point", 1.0, 0.5)))
    assert FIRST == State()
    moved = reduce(reduce(reduce(FIRST, Event("reveal")), Event("batch", 1)), Event("draw"))
    assert moved.seed == 1
    assert reduce(moved, Event("reset", FIRST)) == State(revealed=True, show="noise"), "tab and reveal stay"


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (Event("lr", -0.1), DomainError, "lr is -0.1. With curvatures up to 1 expected 0 to 4"),
        (Event("eta_lambda", 4.5), DomainError, "eta_lambda is 4.5.*expected 0 to 4.*Try eta_lambda=1.0"),
        (Event("eta_lambda", "1"), DataError, "eta_lambda is '1'. Expected one number"),
        (Event("beta", 1.01), DomainError, "beta is 1.01.*expected 0 to 1, for example beta=0.9"),
        (Event("beta", math.nan), DomainError, "beta is nan. Expected a finite number"),
        (Event("beta", True), DataError, "beta is True"),
        (Event("condition", 0.5), DomainError, "condition_number is 0.5.*expected 1 to 1000"),
        (Event("condition", math.inf), DomainError, "condition_number is inf. Expected a finite number"),
        (Event("batch", 3), DomainError, "no batch_size 3. Expected one of 1, 2, 4.*the nearest is 4"),
        (Event("batch", 10**400), DomainError, "batch_size so large.*the nearest is 128"),
        (Event("batch", 0), DomainError, "batch_size is 0. Expected a whole number of at least 1"),
        (Event("batch", 2.0), DataError, "batch_size is 2.0. Expected a whole number"),
        (Event("weights", 3.0), DataError, r"weights needs two numbers, \(w, b\), got 3.0"),
        (Event("weights", (5, 0)), DomainError, r"lie outside the picture.*for example \(4, 0\)"),
        (Event("weights", (math.nan, 0)), DomainError, "w is nan"),
        (Event("drag", ("point", math.inf, 0.0)), DomainError, "ηλ is inf"),
        (Event("drag", ("nowhere", 0.0, 0.0)), DomainError, "no event 'drag'"),
        (Event("position", 101), DomainError, "no event 'position' with the value 101"),
        (Event("position", -1), DomainError, "no event 'position'"),
        (Event("preset", "<b>"), DomainError, "no event 'preset'"),
        (Event("show", "both"), DomainError, "no event 'show' with the value 'both'"),
        (Event("dance"), DomainError, "no event 'dance'"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_in_words(event: Event, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words):
        reduce(FIRST, event)


def test_a_large_rate_is_refused_with_the_range_of_its_curvature() -> None:
    with pytest.raises(DomainError, match=r"lr is 0\.16\. With curvatures up to 100 expected 0 to 0\.04"):
        reduce(reduce(FIRST, Event("condition", 100)), Event("lr", 0.16))


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ((5, 0.8, 1, 16, "plane"), DomainError, "eta_lambda is 5"),
        ((1, -0.1, 1, 16, "plane"), DomainError, "beta is -0.1"),
        ((1, 0.1, 1e9, 16, "plane"), DomainError, "condition_number is 1e"),
        ((1, 0.1, 1, 17, "plane"), DomainError, "no batch_size 17"),
        ((1, 0.1, 1, 16, "map"), DomainError, "show is 'map'. Expected 'plane' or 'noise'"),
        ((1, 0.1, 1, 16, ["plane"]), DomainError, r"show is \['plane'\]"),
    ],
)
def test_a_plane_cannot_start_from_values_out_of_range(values: tuple, error: type[BplibError], words: str) -> None:
    with pytest.raises(error, match=words):
        first_state(*values)
    with pytest.raises(DomainError, match="seed is -1"):
        first_state(1, 0.1, 1, 16, "plane", seed=-1)
