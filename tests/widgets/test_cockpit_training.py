"""The run of the training cockpit: one epoch by hand, and eight faults that each do what their name says."""

import math
from functools import cache

import numpy as np
import pytest

from bplib.data import DataLoader, load_digits
from bplib.optim import sgd_step
from bplib.widgets.cockpit import training as cockpit_training
from bplib.widgets.cockpit.evidence import contradiction, finding, short
from bplib.widgets.cockpit.faults import FAULTS, HEALTHY, behind, digits_for, network_for
from bplib.widgets.cockpit.training import Training, begin, history_of, one_epoch, trained

EPOCHS = 20


@cache
def run(fault: str, epochs: int = EPOCHS) -> Training:
    return trained(fault, 0.1, 0, epochs)


def first_layer(training: Training, column: str) -> np.ndarray:
    return np.array([getattr(row, column)[0] for row in training.rows[1:]])


# ---------------------------------------------------------------- one epoch


def cross_entropy_of(scores: np.ndarray, y: np.ndarray) -> float:
    scores = scores - scores.max(axis=1, keepdims=True)
    return float((np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]).mean())


def by_hand(theta: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Scores, and the gradients written out: p − y, back through the weights, and through the units that are on."""
    h = np.maximum(0, X @ theta["0.weight"] + theta["0.bias"])
    scores = h @ theta["2.weight"] + theta["2.bias"]
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    d = p / p.sum(axis=1, keepdims=True)
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    e = (d @ theta["2.weight"].T) * (h > 0)
    return scores, {"0.weight": X.T @ e, "0.bias": e.sum(axis=0), "2.weight": h.T @ d, "2.bias": d.sum(axis=0)}


def test_an_epoch_is_the_loop_written_out_by_hand() -> None:
    digits, theta = digits_for(HEALTHY), dict(network_for(HEALTHY, 3).state_dict())
    training = begin(HEALTHY, 0.05, 3)
    assert training.rows[0].train_loss == pytest.approx(cross_entropy_of(by_hand(theta, *digits[:2])[0], digits.y))
    for epoch in range(2):
        training = one_epoch(training)
        norms: dict[str, list[float]] = {"0.weight": [], "2.weight": []}
        ratios: dict[str, list[float]] = {"0.weight": [], "2.weight": []}
        for X, y in DataLoader(digits.X, digits.y, batch_size=15, rng=np.random.default_rng([3, epoch])):
            gradients = by_hand(theta, X, y)[1]
            for name, gradient in gradients.items():
                size = np.linalg.norm(theta[name])
                sgd_step(theta[name], gradient, lr=0.05)
                if name in norms:
                    norms[name].append(np.linalg.norm(gradient))
                    ratios[name].append(0.05 * np.linalg.norm(gradient) / size)
        row = training.rows[-1]
        assert row.gradients == pytest.approx([np.mean(values) for values in norms.values()], rel=1e-9)
        assert row.ratios == pytest.approx([np.mean(values) for values in ratios.values()], rel=1e-9)
        for loss, X, y in ((row.train_loss, digits.X, digits.y), (row.valid_loss, digits.X_valid, digits.y_valid)):
            assert loss == pytest.approx(cross_entropy_of(by_hand(theta, X, y)[0], y), rel=1e-9)
        assert row.right == (by_hand(theta, digits.X_valid, digits.y_valid)[0].argmax(axis=1) == digits.y_valid).sum()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_same_run_gives_the_same_bytes_whatever_happened_between(fault: str) -> None:
    whole = trained.__wrapped__(fault, 0.1, 0, 2)
    first = one_epoch(begin.__wrapped__(fault, 0.1, 0))
    one_epoch(begin("healthy", 0.3, 1))
    again = one_epoch(first)
    assert (again.rows, again.theta, again.gradient) == (whole.rows, whole.theta, whole.gradient)
    assert first.epochs == 1


def test_what_nothing_zeroes_goes_on_into_the_next_epoch() -> None:
    first = run("no_zeroing", 1)
    forgotten = Training(first.fault, first.lr, first.seed, first.rows, first.theta, bytes(len(first.gradient)))
    assert one_epoch(forgotten).theta != one_epoch(first).theta


def test_an_interrupt_in_the_middle_of_an_epoch_leaves_no_half_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    before, calls = run(HEALTHY, 1), []

    def interrupted(scores: object, y: object) -> object:
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt
        return real(scores, y)

    real = cockpit_training.cross_entropy
    with monkeypatch.context() as patch:
        patch.setattr(cockpit_training, "cross_entropy", interrupted)
        with pytest.raises(KeyboardInterrupt):
            one_epoch(before)
    assert len(calls) == 7
    assert one_epoch(before) == run(HEALTHY, 2)


def test_a_loss_that_is_no_number_ends_the_run() -> None:
    lost = one_epoch(begin("rate_high", 0.1, 0))
    theta = np.full(len(lost.theta) // 8, np.nan).tobytes()
    after = one_epoch(Training(lost.fault, lost.lr, lost.seed, lost.rows, theta, lost.gradient))
    assert (after.rows[-1].train_loss, after.rows[-1].valid_loss) == (math.inf, math.inf)
    assert after.ended
    assert one_epoch(after) is after


def test_the_table_has_every_epoch_and_the_one_before_the_first_step() -> None:
    table = history_of(run(HEALTHY))
    assert table["epoch"].tolist() == list(range(EPOCHS + 1))
    assert table["valid_accuracy"][-1] == run(HEALTHY).rows[-1].right / 200
    np.testing.assert_array_equal(table["gradient_norm_1"][1:], first_layer(run(HEALTHY), "gradients"))
    assert np.isnan(table["update_ratio_2"][0])
    assert list(history_of(begin(HEALTHY, 0.1, 0))) == []


# ---------------------------------------------------------------- what each setting does


def test_without_a_fault_it_learns() -> None:
    first, last = run(HEALTHY).rows[0], run(HEALTHY).rows[-1]
    assert first.train_loss == pytest.approx(math.log(10), rel=0.05)
    assert last.right / 200 >= 0.85
    assert last.train_loss < 0.2
    assert last.valid_loss > 2 * last.train_loss, "other people's digits are harder"
    assert 1e-3 < min(last.ratios) < max(last.ratios) < 1e-2


def test_inputs_that_are_not_scaled_show_before_the_first_step() -> None:
    first = run("unscaled").rows[0]
    assert first.train_loss > 5
    for part in ("X", "X_valid"):
        np.testing.assert_array_equal(getattr(digits_for("unscaled"), part), 16 * getattr(digits_for(HEALTHY), part))
    assert run("unscaled").rows[-1].right < 100


def test_shuffled_labels_are_learned_by_heart_alone() -> None:
    spoiled, sound = digits_for("shuffled"), digits_for(HEALTHY)
    assert sorted(spoiled.y) == sorted(sound.y)
    assert (spoiled.y == sound.y).mean() < 0.2
    losses = [row.train_loss for row in run("shuffled").rows]
    assert losses[-1] < losses[0] - 0.15
    assert run("shuffled").rows[-1].valid_loss > run("shuffled").rows[0].valid_loss
    assert run("shuffled").rows[-1].right < 40


def test_gradients_that_are_not_zeroed_grow() -> None:
    norms = first_layer(run("no_zeroing"), "gradients")
    assert (np.diff(norms[:5]) > 0).all()
    assert norms[-1] > 5 * norms[0] > 20 * first_layer(run(HEALTHY), "gradients")[0]


@pytest.mark.parametrize(("fault", "factor"), [("rate_high", 100), ("rate_low", 1e-3)])
def test_a_wrong_rate_is_the_right_run_at_another_rate(fault: str, factor: float) -> None:
    assert trained(fault, 0.1, 0, 2).rows == trained(HEALTHY, 0.1 * factor, 0, 2).rows


def test_a_rate_too_high_moves_weights_by_their_own_length_and_one_too_low_hardly() -> None:
    assert max(run("rate_high").rows[1].ratios) > 0.3
    assert run("rate_high").rows[-1].gradients == (0, 0), "all units have died"
    assert max(run("rate_low").rows[-1].ratios) < 1e-4
    assert run("rate_low").rows[-1].train_loss == pytest.approx(run("rate_low").rows[0].train_loss, rel=0.01)
    assert run("rate_low").rows[1].gradients == pytest.approx(run(HEALTHY).rows[1].gradients, rel=0.1)


def test_a_leak_leaves_no_gap() -> None:
    leaked = digits_for("leaked")
    assert {row.tobytes() for row in leaked.X_valid} <= {row.tobytes() for row in leaked.X}
    last = run("leaked").rows[-1]
    assert last.valid_loss == pytest.approx(last.train_loss, rel=0.1)
    assert last.right > run(HEALTHY).rows[-1].right


def test_dead_units_let_no_gradient_through() -> None:
    assert not first_layer(run("dead"), "gradients").any()
    assert all(row.train_loss == pytest.approx(math.log(10), rel=0.01) for row in run("dead").rows)


def test_a_frozen_layer_gets_its_gradient_and_never_moves() -> None:
    assert (first_layer(run("frozen"), "gradients") > 0.1).all()
    assert not first_layer(run("frozen"), "ratios").any()
    assert all(row.ratios[1] > 1e-3 for row in run("frozen").rows[1:])
    first = 64 * 24 + 24
    assert run("frozen").theta[: 8 * first] == begin("frozen", 0.1, 0).theta[: 8 * first]


def test_learned_and_unseen_digits_come_from_different_pages() -> None:
    pages, digits = load_digits(split="blocks"), digits_for(HEALTHY)
    for part, whole in ((digits.X, pages.X_train), (digits.X_valid, pages.X_test)):
        assert {row.tobytes() for row in part} <= {row.tobytes() for row in whole}
    with pytest.raises(ValueError, match="read-only"):
        digits.X[0] = 0


@pytest.mark.parametrize("deal", range(5))
def test_every_deal_hides_each_fault_once(deal: int) -> None:
    assert sorted(behind(deal).values()) == sorted(FAULTS)
    assert list(behind(deal)) == [HEALTHY, *"ABCDEFGH"]


def test_no_letter_is_in_the_order_of_the_list_and_another_deal_is_another() -> None:
    assert list(behind(0).values()) != list(FAULTS)
    assert len({tuple(behind(deal).values()) for deal in range(5)}) == 5


# ---------------------------------------------------------------- what speaks for a guess and against it


@pytest.mark.parametrize("fault", FAULTS)
def test_every_wrong_guess_is_contradicted_by_a_number_of_both_runs(fault: str) -> None:
    for guess in FAULTS:
        if guess == fault:
            continue
        said = contradiction(run(fault), run(guess))
        supposed, measured = said.split("; here ")
        assert said.endswith("."), (fault, guess)
        assert len(said) <= 117, said
        assert any(text in measured for text in [*numbers_of(run(fault)), "none does", "the ratio is 0"]), said
        assert any(text in supposed for text in {*numbers_of(run(guess)), "no gradient", "not move"}), said


def numbers_of(training: Training) -> list[str]:
    rows = (training.rows[0], training.rows[1], training.rows[-1])
    values = [v for row in rows for v in (row.train_loss, *row.gradients, *row.ratios) if not math.isnan(v)]
    gap = training.rows[-1].valid_loss / training.rows[-1].train_loss
    return [*(f" {short(value)}" for value in [*values, gap]), f"{training.rows[-1].right} "]


@pytest.mark.parametrize(
    ("fault", "guess", "words"),
    [
        ("leaked", "healthy", "In a healthy run the validation loss would be 3."),
        ("healthy", "leaked", "With a leak the validation loss would be 1.01 × the training loss in epoch 20; here"),
        ("dead", "frozen", "With layer 1 frozen, a gradient of norm 0.36"),
        ("frozen", "dead", "With dead units no gradient would reach layer 1; here its norm is 0.36"),
        ("rate_high", "unscaled", "With unscaled inputs the loss before the first step would be 7.28; here it is 2.3"),
        ("frozen", "rate_low", "With η 1000 times too small the update-to-weight ratio of layer 1 would be 5.6·10⁻⁶"),
        ("shuffled", "healthy", "In a healthy run 17"),
        ("no_zeroing", "shuffled", "With shuffled targets the gradient norm of layer 1 would be 0.62 in epoch 20;"),
    ],
)
def test_the_sign_of_the_guess_is_named_first_then_that_of_the_fault(fault: str, guess: str, words: str) -> None:
    assert contradiction(run(fault), run(guess)).startswith(words)


def test_what_cannot_be_told_apart_yet_is_not_contradicted() -> None:
    assert contradiction(run("leaked", 2), run(HEALTHY, 2)) == ""
    assert contradiction(begin("leaked", 0.1, 0), begin("dead", 0.1, 0)) == ""
    assert contradiction(run("rate_high", 1), trained(HEALTHY, 10.0, 0, 1)) == ""


@pytest.mark.parametrize("lr", [0.03, 0.3])
def test_at_another_rate_the_faults_are_told_apart_as_well(lr: float) -> None:
    pairs = (("dead", "frozen"), ("frozen", "rate_low"), ("rate_high", "no_zeroing"), ("healthy", "dead"))
    for fault, guess in pairs:
        assert contradiction(trained(fault, lr, 0, 3), trained(guess, lr, 0, 3)), (fault, guess)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_finding_fits_its_line_and_needs_no_run(fault: str) -> None:
    said = finding(run(fault))
    assert len(f"Yes, A: {said}") <= 121, said
    assert any(text.strip() in said for text in [*numbers_of(run(fault)), "norm 0,"] if len(text) > 3), said
    assert finding(begin(fault, 0.1, 0)).endswith("Run it and see what that does.")
    assert "2.3" not in finding(begin(fault, 0.1, 0)), "the first loss is the learner's to predict"
