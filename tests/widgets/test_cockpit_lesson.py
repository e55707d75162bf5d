"""What notebook 10 says about the cockpit's runs is what they show."""

from functools import cache

import numpy as np
import pytest

from bplib.training import History
from bplib.widgets.cockpit.faults import FAULTS
from bplib.widgets.cockpit.training import history_of, trained


@cache
def run(fault: str) -> History:
    return history_of(trained(fault, 0.1, 0, 40))


def column(fault: str, name: str) -> np.ndarray:
    return np.asarray(run(fault)[name], dtype=float)


def test_the_healthy_run_levels_off_at_about_epoch_twenty() -> None:
    valid, train = column("healthy", "valid_loss"), column("healthy", "train_loss")
    assert valid[15] > 0.48
    assert valid[20:].min() > 0.435
    assert valid[20:].max() < 0.465
    assert round(train[20], 2) == 0.14
    assert round(train[40], 2) == 0.05


def test_the_ratio_of_the_healthy_run_begins_ten_times_above_the_rule_and_comes_down_to_it() -> None:
    first, last = (
        np.exp(np.mean(np.log([column("healthy", f"update_ratio_{layer}")[epoch] for layer in (1, 2)])))
        for epoch in (1, 40)
    )
    assert 0.005 < first < 0.02
    assert 0.001 < last < 0.003


def test_inputs_that_are_not_scaled_show_before_the_first_step() -> None:
    assert column("unscaled", "train_loss")[0] > 3 * np.log(10)
    assert all(abs(column(fault, "train_loss")[0] - np.log(10)) < 0.1 for fault in FAULTS if fault != "unscaled")


def test_a_rate_that_is_too_low_takes_steps_of_a_thirty_thousandth_or_less() -> None:
    assert np.ptp(column("rate_low", "train_loss")) < 0.02
    for layer in (1, 2):
        assert np.nanmax(column("rate_low", f"update_ratio_{layer}")[1:]) < 1 / 28_000


def test_a_rate_that_is_too_high_steps_half_the_weights_and_kills_the_units() -> None:
    for layer in (1, 2):
        assert 0.4 < column("rate_high", f"update_ratio_{layer}")[1] < 0.7
        assert not column("rate_high", f"gradient_norm_{layer}")[2:].any()


def test_units_that_are_dead_from_the_start_let_no_gradient_through() -> None:
    for layer in (1, 2):
        assert not column("dead", f"gradient_norm_{layer}")[1:].any()
    assert 0 < np.ptp(column("dead", "train_loss")) < 0.01, "the biases of the last layer still learn"


def test_a_frozen_layer_gets_a_gradient_and_does_not_move() -> None:
    assert column("frozen", "gradient_norm_1")[1:].min() > 0.3
    assert not column("frozen", "update_ratio_1")[1:].any()


def test_gradients_that_add_up_learn_at_first_and_stay_ten_times_as_long() -> None:
    norm, right = column("no_zeroing", "gradient_norm_1"), column("no_zeroing", "valid_accuracy")
    assert right[1:4].max() > 0.5
    assert right[20:].max() < 0.15
    assert 9 * norm[1] < norm[8:].min() < 11 * norm[1]


def test_shuffled_targets_are_learned_by_heart_alone() -> None:
    assert column("shuffled", "train_loss")[40] < 2.0
    assert column("shuffled", "valid_loss")[40] > column("shuffled", "valid_loss")[0] + 0.1
    assert 200 * column("shuffled", "valid_accuracy")[40] == pytest.approx(20, abs=3)


def test_a_leak_keeps_both_losses_together_and_looks_better_than_the_healthy_run() -> None:
    leaked = column("leaked", "valid_loss")[40]
    assert leaked == pytest.approx(column("leaked", "train_loss")[40], rel=0.1)
    assert leaked < column("healthy", "valid_loss")[40] / 5
