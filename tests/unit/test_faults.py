"""The known mistakes are what they say: numbers worked out by hand, and orders of lines that really run."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from bplib.landscape import descend_rates, surface
from bplib.lessons import learning_rate, the_loop, training_pipeline
from bplib.lessons.faults import (
    GD_STEP_FAULTS,
    MEAN_OF_SQUARES_FAULTS,
    STEP_ORDER_FAULTS,
    Fault,
    chance_loss_faults,
    derivative_faults,
    largest_rate_faults,
    matrix_product_faults,
    mean_to_sum_faults,
    one_update_faults,
)


def made(faults: tuple[Fault, ...]) -> dict[str, float]:
    return {fault.name: pytest.approx(float(fault.make())) for fault in faults}


def test_wrong_largest_rates_worked_out_by_hand() -> None:
    assert made(largest_rate_faults(np.array([3.0, 10.0]), 4.0)) == {
        "fastest": 0.1,
        "flattest-direction": 2 / 3,
        "fastest-in-flattest-direction": 1 / 3,
        "upside-down": 5.0,
        "mean-curvature": 2 / 6.5,
        "condition-number": 0.6,
        "sum-of-curvatures": 2 / 13,
        "half-counted-twice": 0.4,
        "limit-of-the-bowl-above": 0.5,
        "fastest-of-the-bowl-above": 0.25,
    }


def test_wrong_conversions_worked_out_by_hand() -> None:
    assert made(mean_to_sum_faults(0.32, 32)) == {
        "unchanged": 0.32,
        "multiplied": 10.24,
        "square-root": 0.32 / 32**0.5,
        "upside-down": 100.0,
        "rate-forgotten": 1 / 32,
    }


def test_wrong_losses_at_chance_worked_out_by_hand() -> None:
    assert made(chance_loss_faults(26)) == {
        "log-of-base-10": 1.414973347970818,
        "log-of-base-2": 4.700439718141092,
        "two-classes": 0.6931471805599453,
        "classes-of-the-task-above": 2.302585092994046,
        "number-of-classes": 26.0,
        "chance-itself": 1 / 26,
        "share-of-errors": 25 / 26,
        "sign-forgotten": -3.258096538021482,
        "sum-over-classes": 84.71050998855853,
    }


def test_the_loss_for_ten_digits_is_told_from_the_one_for_26_letters() -> None:
    chance = training_pipeline.check.__self__.exercises["chance-loss"]
    assert chance.model_answer() == pytest.approx(3.258096538021482)
    assert chance.judge(np.log(10)).sentences == (
        "Your answer is 2.30259. That is ln 10, the loss for 10 digits. Here are 26 letters.",
    )


def test_wrong_steps_worked_out_by_hand() -> None:
    results = {fault.name: fault.make(2.0, 3.0, 0.5) for fault in GD_STEP_FAULTS}
    assert results == {
        "sign-flipped": 3.5,
        "rate-forgotten": -1.0,
        "rate-fixed": 1.7,
        "divided-by-rate": -4.0,
        "gradient-forgotten": 1.5,
        "only-the-step": 1.5,
        "only-the-signed-step": -1.5,
        "nothing-changes": 2.0,
        "in-place": 0.5,
        "in-place-without-return": None,
    }


def test_the_largest_rate_is_where_a_real_descent_stops_shrinking() -> None:
    bowl = surface("bowl", condition_number=10 / 3, curvature=10)
    limit = learning_rate.check.__self__.exercises["largest-rate"].model_answer()
    inside, outside = descend_rates(bowl, [0.99 * limit, 1.01 * limit], start=(1.0, 1.0), steps=200).losses
    assert inside[-1] < 0.01 * inside[0]
    assert outside[-1] > 10 * outside[0]


def test_the_rate_for_the_sum_takes_the_same_steps_as_the_rate_for_the_mean() -> None:
    x = np.linspace(-1, 1, 32)
    rate = learning_rate.check.__self__.exercises["mean-to-sum"].model_answer()
    w_mean = w_sum = 1.0
    for _ in range(20):
        w_mean -= 0.32 * (w_mean * x * x).mean()
        w_sum -= rate * (w_sum * x * x).sum()
    assert w_sum == pytest.approx(w_mean, rel=1e-12)


# The published table of notebook 06: λ = 4, first step within 1 % of the start.
@pytest.mark.parametrize(
    ("rate", "steps", "word"),
    [
        (0.03, 37, "slow"),
        (0.1, 10, "fast"),
        (0.25, 1, "one step"),
        (0.45, 21, "oscillates"),
        (0.5, None, "never settles"),
        (0.6, None, "diverges"),
    ],
)
def test_steps_and_behaviour_at_six_rates(rate: float, steps: int | None, word: str) -> None:
    assert learning_rate.steps_needed(rate) == steps
    assert learning_rate.behaviour(rate) == word


def test_every_order_of_the_five_lines_is_right_or_a_known_mistake() -> None:
    exercise = training_pipeline.check.__self__.exercises["order-the-step"]
    verdicts = {"".join(order): exercise.judge("".join(order)) for order in permutations("ABCDE")}
    right = {order for order, verdict in verdicts.items() if verdict.mistake == ""}
    # zero_grad may stand anywhere except between Backward and the Update that follows.
    assert right == {"DBECA", "DEBCA", "EDBCA", "DBCAE"}
    counts = Counter(verdict.mistake for verdict in verdicts.values())
    assert counts == {
        "": 4,
        "backward-before-loss": 60,
        "loss-before-forward": 40,
        "cleared-before-update": 1,
        "update-before-backward": 9,
        "one-round-late": 3,
        "weights-changed-between": 3,
    }


def test_what_a_wrong_order_does_to_the_weights() -> None:
    run, orders = training_pipeline.run_step, {fault.name: fault.make() for fault in STEP_ORDER_FAULTS}
    right = run("DBECA")
    assert isinstance(right, tuple)
    cleared = run(orders["cleared-before-update"])
    assert isinstance(cleared, tuple)
    assert len(set(cleared)) == 1, "the weights never change"
    assert run(orders["update-before-backward"]) == cleared, "nor do they here, for another reason"
    late = run(orders["one-round-late"])
    assert isinstance(late, tuple)
    assert late[1:] == right[:-1], "one round late, the same weights"


# -- notebook 00 ------------------------------------------------------------------------------------------------------

WARM_UPS = the_loop.check.__self__.exercises


def test_wrong_means_of_squares_worked_out_by_hand() -> None:
    # Of 1, −2, 4, 7: the squares are 1, 4, 16, 49, their sum is 70.
    assert {fault.name: pytest.approx(fault.make([1, -2, 4, 7])) for fault in MEAN_OF_SQUARES_FAULTS} == {
        "sum-for-mean": 70,
        "list-of-squares": [1, 4, 16, 49],
        "square-of-the-mean": 6.25,
        "square-of-the-sum": 25,
        "one-too-few": 70 / 3,
        "always-three": 70 / 3,
        "returned-inside-the-loop": 0.25,
        "first-square": 1,
        "total-overwritten": 12.25,
        "mean-of-sizes": 3.5,
        "squares-forgotten": 2.5,
        "doubled": 5,
        "root-of-the-mean": 17.5**0.5,
        "whole-numbers-only": 17,
    }
    assert WARM_UPS["python-warm-up"].model_answer()([1, -2, 4, 7]) == 17.5


def test_wrong_matrix_products_worked_out_by_hand() -> None:
    assert made(matrix_product_faults(np.array([[1, 2], [3, 4]]), np.array([10, 1]))) == {
        "first-number": 12,
        "both-rows-added": 46,
        "second-column": 24,
        "first-column": 13,
        "w-upside-down": 43,
        "first-product-alone": 30,
        "second-product-alone": 4,
        "products-multiplied": 120,
        "sums-multiplied": 77,
        "w-forgotten": 7,
    }
    assert WARM_UPS["numpy-warm-up"].model_answer() == (np.array([[1, 2], [3, 4]]) @ np.array([10, 1]))[1] == 34


def test_wrong_derivatives_worked_out_by_hand() -> None:
    assert made(derivative_faults(5.5, 3.0)) == {
        "factor-forgotten": 2.5,
        "loss-itself": 6.25,
        "sign-flipped": -5,
        "shift-forgotten": 11,
        "shift-not-doubled": 8,
        "square-kept": 12.5,
        "divided-by-two": 1.25,
        "derived-twice": 2,
        "where-the-loss-is-smallest": 3,
        "example-above": 10,
    }
    nudged = ((5.5 + 1e-6 - 3) ** 2 - (5.5 - 1e-6 - 3) ** 2) / 2e-6
    assert WARM_UPS["derivative-warm-up"].model_answer() == pytest.approx(nudged) == 5


def test_wrong_updates_worked_out_by_hand() -> None:
    assert made(one_update_faults(2.0, 3.0, 0.1)) == {
        "sign-flipped": 2.3,
        "rate-forgotten": -1,
        "only-the-step": 0.3,
        "only-the-signed-step": -0.3,
        "gradient-forgotten": 1.9,
        "divided-by-rate": -28,
        "rate-times-weight": 1.8,
        "weight-and-gradient-swapped": 2.8,
        "rate-times-everything": -0.1,
        "nothing-changes": 2,
        "step-times-weight": 1.4,
        "everything-multiplied": 0.6,
        "gradient-minus-step": 2.7,
        "weight-plus-gradient": 5,
    }
    assert WARM_UPS["one-update"].model_answer() == pytest.approx(1.7)


def test_every_order_of_the_four_stages_is_right_or_a_known_mistake() -> None:
    exercise = WARM_UPS["four-stages"]
    found = Counter(exercise.judge("".join(order)).mistake for order in permutations("ABCD"))
    assert exercise.judge("CDBA").mistake == ""
    assert found == {
        "": 1,
        "loss-before-forward": 8,
        "backward-before-loss": 4,
        "backward-first": 7,
        "reversed": 1,
        "update-before-backward": 3,
    }


@pytest.mark.parametrize(
    ("order", "happens"),
    [
        ("CDBA", "the weights have changed"),
        ("CDAB", "the weights stay"),
        ("ACDB", "the weights stay"),
        ("DCBA", "prediction is missing"),
        ("CBDA", "loss is missing"),
        ("ABDC", "loss is missing"),
    ],
)
def test_what_an_order_of_the_four_stages_does(order: str, happens: str) -> None:
    assert the_loop.run_stages(order) == happens


def test_each_stage_of_a_real_loop_makes_new_what_the_exercise_says() -> None:
    stepper = the_loop.loop_stepper()
    found = []
    for stage in ("Forward", "Loss", "Backward", "Update"):
        before = stepper.state
        stepper.press(stage)
        after = stepper.state
        makes = {
            "predictions": after.predictions != before.predictions,
            "loss": after.loss not in (None, before.loss),
            "gradients": after.gradients not in (None, before.gradients),
            "weights": after.parameters != before.parameters,
        }
        found += [word for word, new in makes.items() if new]
    stepper.close()
    assert tuple(found) == WARM_UPS["what-changes"].model_answer()
