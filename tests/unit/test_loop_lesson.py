"""Notebook 00: the experiment with hidden units, the prediction about Backward, and their pictures."""

from itertools import pairwise
from pathlib import Path

import ipywidgets as ipw
import numpy as np
import pytest

from bplib import losses, nn, optim
from bplib.data import xor
from bplib.errors import DataError, DomainError, ShapeError
from bplib.lessons.hidden_units import MOST_UPDATES, HiddenUnits, Networks, hidden_units
from bplib.lessons.the_loop import check, hint, loop_stepper, predict_backward_only
from bplib.viz.curves import loop_curves
from bplib.viz.style import ROLES
from bplib.viz.successes import success_bars
from bplib.widgets.prediction_gate import Event, PredictionGate

# -- hidden units -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result() -> HiddenUnits:
    return hidden_units()


def test_one_hidden_unit_never_solves_xor_two_mostly_three_nearly_always(result: HiddenUnits) -> None:
    # Rumelhart, Hinton and Williams (1986). Over twenty seeds two units solve 89 to 98 starts, three 98 to 100.
    solved = dict(zip(result.widths, result.solved, strict=True))
    assert solved[1] == 0
    assert 80 <= solved[2] <= 99
    assert all(solved[width] >= 97 for width in (3, 4, 8))
    assert result.starts == 100


def test_what_the_notebook_prints(result: HiddenUnits) -> None:
    # The same to the last update with every kernel of OpenBLAS and without AVX.
    assert result.solved == (0, 91, 100, 100, 100)
    assert result.medians == (None, 336, 249, 215, 184)


def test_more_hidden_units_need_fewer_updates(result: HiddenUnits) -> None:
    assert all(more > fewer for more, fewer in pairwise(median for median in result.medians if median is not None))


def test_a_start_counts_until_it_is_solved(result: HiddenUnits) -> None:
    needed = [updates for row in result.updates for updates in row if updates is not None]
    assert min(needed) > 50
    assert max(needed) <= MOST_UPDATES
    assert hidden_units([2, 8], starts=3).updates == (
        hidden_units([2], starts=3).updates[0],
        hidden_units([8], starts=3).updates[0],
    )


def single(networks: Networks, start: int) -> nn.Sequential:
    hidden = networks.parameters[0].shape[2]
    made = nn.Sequential(nn.Linear(2, hidden, rng=0), nn.Sigmoid(), nn.Linear(hidden, 1, rng=0), nn.Sigmoid())
    made.theta = np.concatenate([parameter[start].ravel() for parameter in networks.parameters])
    return made


@pytest.mark.parametrize("hidden", [2, 3])
def test_a_hundred_networks_side_by_side_are_a_hundred_single_ones(hidden: int) -> None:
    X, y = xor()
    networks = Networks(hidden, 100, rng=0)
    alone = {start: single(networks, start) for start in (0, 17, 99)}
    optimizers = {start: optim.SGD(one.parameters(), lr=0.5, momentum=0.9) for start, one in alone.items()}
    for _ in range(100):
        units, prediction = networks.forward()
        error, loss = networks.loss(prediction)
        networks.update(networks.backward(units, prediction, error))
        for start, network in alone.items():
            its_loss = 0.5 * losses.mse(network(X), y, reduction="sum")
            optimizers[start].zero_grad()
            its_loss.backward()
            optimizers[start].step()
            assert its_loss.item() == pytest.approx(loss[start], rel=1e-9)
    for start, network in alone.items():
        stacked = np.concatenate([parameter[start].ravel() for parameter in networks.parameters])
        np.testing.assert_allclose(network.theta, stacked, rtol=1e-9, atol=0)


def test_a_single_network_needs_as_many_updates_as_in_the_stack(result: HiddenUnits) -> None:
    X, y = xor()
    quick = [start for start, updates in enumerate(result.updates[1]) if updates is not None and updates < 220]
    for start in quick[:2]:
        network = single(Networks(2, 100, rng=0), start)
        optimizer = optim.SGD(network.parameters(), lr=0.5, momentum=0.9)
        updates = 0
        while np.abs(network(X).numpy() - y).max() >= 0.1:
            optimizer.zero_grad()
            (0.5 * losses.mse(network(X), y, reduction="sum")).backward()
            optimizer.step()
            updates += 1
        assert updates == result.updates[1][start]


def test_the_gradients_are_those_of_the_loss() -> None:
    networks = Networks(2, 3, rng=5)
    units, prediction = networks.forward()
    gradients = networks.backward(units, prediction, networks.loss(prediction)[0])
    for parameter, gradient in zip(networks.parameters, gradients, strict=True):
        place = (1, *np.zeros(parameter.ndim - 1, dtype=int))
        around = []
        for nudge in (1e-6, -2e-6):
            parameter[place] += nudge
            around.append(networks.loss(networks.forward()[1])[1][1])
        parameter[place] += 1e-6
        assert gradient[place] == pytest.approx((around[0] - around[1]) / 2e-6, rel=1e-5)


def test_the_result_as_a_table(result: HiddenUnits) -> None:
    head, one, two, *_ = repr(result).splitlines()
    assert head.split("   ") == ["hidden units", "solved of 100", "half of them within"]
    assert one.split() == ["1", "0", "–"]
    assert two.split() == ["2", "91", "336", "updates"]


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(DataError, match=r"^hidden_units: there are no widths"):
        hidden_units([])
    with pytest.raises(DomainError, match=r"^hidden_units: "):
        hidden_units([2, 0])
    with pytest.raises(DomainError, match=r"^hidden_units: "):
        hidden_units(starts=0)


# -- its picture ------------------------------------------------------------------------------------------------------


def test_the_bars_are_as_high_as_the_numbers_on_them(result: HiddenUnits) -> None:
    picture = result.picture()
    (axes,) = picture.figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0, 91, 100, 100, 100]
    assert [text.get_text() for text in axes.texts] == ["0", "91", "100", "100", "100"]
    assert axes.get_ylabel() == "solved, of 100 starts"
    assert [label.get_text() for label in axes.get_xticklabels()][:2] == ["1 unit\nnever", "2 units\n336 updates"]
    assert picture.alt == (
        "Of 100 starts each, solved with 1 hidden unit: 0; with 2 hidden units: 91, half of them within 336 updates; "
        "with 3 hidden units: 100, half of them within 249 updates; "
        "with 4 hidden units: 100, half of them within 215 updates; "
        "with 8 hidden units: 100, half of them within 184 updates."
    )
    assert len(picture.png()) < 25_000


def test_no_word_of_the_bars_covers_another(result: HiddenUnits) -> None:
    figure = result.picture().figure
    figure.draw_without_rendering()
    (axes,) = figure.axes
    words = [*axes.texts, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels()]
    boxes = [one.get_window_extent() for one in words]
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_bars_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^success_bars: there are 2 widths, 1 counts and 2 medians"):
        success_bars([1, 2], [5], 10, [None, 3])
    with pytest.raises(DomainError, match=r"^success_bars: the counts are \[11\]. Expected numbers from 0 to 10"):
        success_bars([1], [11], 10, [3])


# -- the prediction ---------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_progress(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BPLIB_PROGRESS", str(tmp_path / "progress.json"))


def test_a_thousand_times_backward_leaves_the_loss_as_it_is() -> None:
    question = predict_backward_only().question
    assert (question.answer, question.options) == ("it stays", ("it falls", "it rises", "it stays"))
    assert question.outcome == (
        "It stays. At first the loss is 0.337373, after 1,000 times Backward it is 0.337373. "
        "With Update in each loop, the same network ends at less than 0.000001."
    )
    assert question.because.startswith("Because Backward computes how the loss reacts to each weight, and changes no")


def test_the_outcome_is_that_of_the_stepper_which_stays_as_it_is() -> None:
    stepper = loop_stepper(hidden=2, lr=0.02, seed=3)
    before = stepper.state
    outcome = predict_backward_only(stepper).question.outcome
    assert stepper.state == before
    stepper.loops(1)
    assert f"At first the loss is {stepper.losses[0]:.6f}, after 1,000 times Backward it is" in outcome
    stepper.loops(1000)
    assert outcome.endswith(f"ends at {stepper.losses[-1]:.6f}.")


def test_an_update_that_diverges_is_not_compared_with() -> None:
    question = predict_backward_only(loop_stepper(lr=10, seed=5)).question
    assert question.outcome.endswith("after 1,000 times Backward it is 0.545731.")
    assert question.picture is None


def test_the_picture_shows_a_flat_line_and_a_falling_one() -> None:
    picture = predict_backward_only().question.picture
    assert picture is not None
    flat, falling = picture.figure.axes[0].lines
    assert len(flat.get_ydata()) == len(falling.get_ydata()) == 1000
    assert np.ptp(flat.get_ydata()) == 0
    assert falling.get_ydata()[0] == flat.get_ydata()[0]
    assert falling.get_ydata()[-1] == 0
    assert picture.alt == (
        "Without Update the loss stays at 0.337 from loop 1 to loop 1000; "
        "with Update the loss falls from 0.337 in loop 1 to 0 in loop 1000."
    )


def live(gate: PredictionGate) -> str:
    def below(widget: ipw.Widget) -> str:
        own = widget.value if isinstance(widget, ipw.HTML) else ""
        return own + "".join(map(below, getattr(widget, "children", ())))

    return below(gate)


@pytest.mark.parametrize("prediction", ["it falls", None])
def test_the_picture_comes_with_the_outcome_and_not_before(prediction: str | None) -> None:
    gate = predict_backward_only()
    assert "<img" not in live(gate)
    assert "0.337373" not in live(gate)
    if prediction is None:
        gate.dispatch(Event("skip"))
    else:
        gate.dispatch(Event("predict", prediction))
        gate.dispatch(Event("store"))
    assert '<img alt="Without Update the loss stays' in live(gate)
    assert "0.337373" in live(gate)
    gate.close()


def test_where_no_kernel_runs_words_and_picture_stand_one_above_the_other() -> None:
    data, _ = predict_backward_only()._repr_mimebundle_()
    assert data["text/plain"].startswith("Predict first: You run Forward, Loss and Backward 1,000 times, and never")
    assert data["text/html"].index("Outcome: It stays.") < data["text/html"].index('<img alt="Without Update the loss')


# -- loss curves over loops -------------------------------------------------------------------------------------------


def test_two_runs_are_told_apart_by_dash_name_and_colour() -> None:
    axes = loop_curves([0.4, 0.4, 0.4], [0.4, 0.2, 0.1]).figure.axes[0]
    without, with_update = axes.lines
    assert [text.get_text() for text in axes.texts] == ["without Update", "with Update"]
    assert (without.get_color(), with_update.get_color()) == (ROLES["gradient"].colour, ROLES["update"].colour)
    assert without.get_linestyle() == with_update.get_linestyle() == "--"  # matplotlib's word for any dash
    assert without._dash_pattern != with_update._dash_pattern
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("loop", "loss")


def test_runs_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"^loop_curves: the losses have shapes \(2,\) and \(1,\)"):
        loop_curves([1.0, 1.0], [1.0])
    with pytest.raises(DomainError, match=r"^loop_curves: some loss is not finite"):
        loop_curves([1.0, 1.0], [1.0, np.inf])


# -- what the exercises say -------------------------------------------------------------------------------------------


def test_the_learning_rate_acts_against_the_gradients() -> None:
    assert "how far Update goes against the gradients" in repr(check("which-stage", "Update"))
    assert "Look at the formula in Exercise 2. Which stage does it describe?" in repr(hint("which-stage"))


def test_every_loop_has_the_stages_and_not_the_lines() -> None:
    assert "has these four stages in this order" in repr(check("four-stages", "CDBA"))
